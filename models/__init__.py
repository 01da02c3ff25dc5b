"""The shipped energy models. Each lives in a file of its own; copy one and edit it to write yours."""

from importlib import import_module
from typing import Any

_HOME = {
    "Ackley": "ackley",
    "ArctanWells": "arctan_wells",
    "Butterfly": "butterfly",
    "ChafeeInfante": "chafee_infante",
    "DiscEquation": "disc_equation",
    "DoubleWells": "double_wells",
    "HenonHeiles": "henon_heiles",
    "LandauDeGennes": "liquid_crystals",
    "LinearNetwork": "linear_network",
    "ModifiedMuellerBrown": "mueller_brown",
    "ModifiedRosenbrock": "modified_rosenbrock",
    "MuellerBrown": "mueller_brown",
    "MultiBasin": "multi_basin",
    "PhaseField": "phase_field",
    "ReducedLandauDeGennes": "liquid_crystals",
    "RobustRegression": "robust_regression",
    "TanhNetwork": "tanh_network",
    "Zakharov": "zakharov",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    # A model's file is imported when the model is first used: nobody waits for the kernels of the others.
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
