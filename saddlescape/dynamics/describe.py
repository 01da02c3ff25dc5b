"""Methods written down as JSON-ready values, and built again from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from .flow import GradientFlow
from .hisd import HiSD
from .steps import LOBPCG, BarzilaiBorwein, FixedStep, HeavyBall, Nesterov, PowerStep

_KNOWN = {cls.__name__: cls for cls in (HiSD, GradientFlow, PowerStep, LOBPCG, BarzilaiBorwein, FixedStep, HeavyBall, Nesterov)}


def describe(method: Any) -> Any:
    """A method or part as ``{"name": ..., parameter: ...}``; numbers and None as they are; a user's own by its name alone."""
    if type(method) in _KNOWN.values():
        fields = {f.name: describe(getattr(method, f.name)) for f in dataclasses.fields(method)}
        return {"name": type(method).__name__, **fields}
    if isinstance(method, np.generic):
        return method.item()
    if method is None or isinstance(method, (bool, int, float, str)):
        return method
    return {"name": f"{type(method).__module__}.{type(method).__qualname__}", "repr": repr(method)}


def rebuild(description: Any) -> Any:
    """The method that `describe` wrote down.

    Raises
    ------
    ValueError
        If it is not one of the library's own.
    """
    if not isinstance(description, Mapping):
        return description
    name = description["name"]
    if name not in _KNOWN:
        raise ValueError(f"method: this run used {name}, which is not the library's own; pass method=... to go on")
    return _KNOWN[name](**{key: rebuild(value) for key, value in description.items() if key != "name"})
