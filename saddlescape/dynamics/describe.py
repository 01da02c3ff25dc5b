"""Methods written down as JSON-ready values, and built again from them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import parts
from .ecd import BBI, ECDSep, Isokinetic
from .flow import GradientFlow
from .hisd import HiSD
from .shisd import SHiSD

_METHODS = (HiSD, SHiSD, GradientFlow, ECDSep, Isokinetic, BBI)
_PARTS = tuple(getattr(parts, name) for name in parts.__all__)
_KNOWN = {cls.__name__: cls for cls in (*_METHODS, *_PARTS)}


def describe(method: Any) -> dict[str, Any]:
    """A method as ``{"name": ..., parameter: ...}``, of JSON-ready values: equal in every process for equal parameters.

    The parameters of a user's own method are the fields of its ``__init__`` if it is a dataclass, else its attributes that do not
    begin with an underscore; an attribute ``name`` is taken for a label.
    """
    cls = type(method)
    name = cls.__name__ if cls in _KNOWN.values() else f"{cls.__module__}.{cls.__qualname__}"
    return {"name": name, **{key: _plain(value) for key, value in _parameters(method).items() if key != "name"}}


def _parameters(method: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(method):
        return {f.name: getattr(method, f.name) for f in dataclasses.fields(method) if f.init}
    return {key: value for key, value in sorted(getattr(method, "__dict__", {}).items()) if not key.startswith("_")}


def _plain(value: Any) -> Any:
    """A parameter as JSON has it; what JSON does not know by the name of its type, never by an address in memory."""
    for numpys, plain in ((np.bool_, bool), (np.integer, int), (np.floating, float)):
        if isinstance(value, numpys):
            return plain(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (tuple, list)) or (isinstance(value, np.ndarray) and value.ndim):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(v) for key, v in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return describe(value)
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"<{named.__module__}.{named.__qualname__}>"


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
