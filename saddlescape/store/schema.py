"""How the records of a landscape are taken apart: the kind of each of their fields, read from the dataclasses themselves.

The journal and the digest walk records by this table, so a field added to a record is stored and compared without further code.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

import numpy as np


class FieldKind(Enum):
    """What a field of a record holds."""

    INTEGER = "integer"
    REAL = "real"
    TEXT = "text"
    ARRAY = "array"
    STATUS = "status"
    RECORD = "record"
    RECORDS = "records"
    JSON = "json"


class Field(NamedTuple):
    """A field of a record: its name, its kind, and the class of what it holds (of one element for tuples of records)."""

    name: str
    kind: FieldKind
    type: Any


class Layout(NamedTuple):
    """The fields of a record class, split for speed: a search is recorded in tens of microseconds.

    Parameters
    ----------
    plain : tuple of str
        Fields whose values are JSON-ready as they are.
    others : tuple of Field
        Arrays, records, enumerations.
    """

    plain: tuple[str, ...]
    others: tuple[Field, ...]


_JSON_READY = (FieldKind.INTEGER, FieldKind.REAL, FieldKind.TEXT, FieldKind.JSON)

_PLAIN = {
    int: FieldKind.INTEGER,
    float: FieldKind.REAL,
    str: FieldKind.TEXT,
    np.ndarray: FieldKind.ARRAY,
    dict: FieldKind.JSON,
}


@cache
def fields(cls: type) -> tuple[Field, ...]:
    """The fields of a record class that are stored, in order: all but those whose metadata says otherwise.

    Raises
    ------
    TypeError
        If a field has a type that the store does not know how to keep.
    """
    hints = typing.get_type_hints(cls)
    return tuple(
        Field(f.name, *_kind(hints[f.name], f"{cls.__name__}.{f.name}"))
        for f in dataclasses.fields(cls)
        if f.metadata.get("stored", True)
    )


@cache
def split(cls: type) -> Layout:
    """The fields of a record class as a `Layout`."""
    plain = tuple(field.name for field in fields(cls) if field.kind in _JSON_READY)
    return Layout(plain, tuple(field for field in fields(cls) if field.kind not in _JSON_READY))


def _kind(hint: Any, where: str) -> tuple[FieldKind, Any]:
    if isinstance(hint, types.UnionType):  # "x or None": None needs no kind of its own
        (hint,) = (arm for arm in typing.get_args(hint) if arm is not types.NoneType)
    if hint in _PLAIN:
        return _PLAIN[hint], hint
    if typing.get_origin(hint) is tuple:
        return FieldKind.RECORDS, typing.get_args(hint)[0]
    if dataclasses.is_dataclass(hint):
        return FieldKind.RECORD, hint
    if isinstance(hint, type) and issubclass(hint, Enum):
        return FieldKind.STATUS, hint
    raise TypeError(f"{where}: got type {hint}, expected a number, text, array, dict, enumeration, record or tuple of records")
