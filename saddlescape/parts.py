"""The parts that methods are built from."""

from .dynamics.steps import (
    LOBPCG,
    BarzilaiBorwein,
    Constant,
    Decaying,
    DoublingBatch,
    EigenvectorSearch,
    Estimated,
    FixedStep,
    HeavyBall,
    Nesterov,
    PowerStep,
)

__all__ = [
    "LOBPCG",
    "BarzilaiBorwein",
    "Constant",
    "Decaying",
    "DoublingBatch",
    "EigenvectorSearch",
    "Estimated",
    "FixedStep",
    "HeavyBall",
    "Nesterov",
    "PowerStep",
]
