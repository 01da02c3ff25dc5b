"""The parts that methods are built from."""

from .dynamics.steps import LOBPCG, BarzilaiBorwein, FixedStep, HeavyBall, Nesterov, PowerStep

__all__ = ["LOBPCG", "BarzilaiBorwein", "FixedStep", "HeavyBall", "Nesterov", "PowerStep"]
