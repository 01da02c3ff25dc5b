"""Values and objects from the tables of a run file, checked against what is expected of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from inspect import get_annotations
from types import NoneType
from typing import Any, NamedTuple, get_args

from ..given import is_integer, nearest


class Kind(NamedTuple):
    """What a key accepts, for a person and for the program."""

    words: str
    accepts: Callable[[Any], bool]


def is_point(value: Any) -> bool:
    """Whether a value is an array of numbers, at least one."""
    return isinstance(value, list) and bool(value) and all(is_integer(v) or isinstance(v, float) for v in value)


SWITCH = Kind("true or false", lambda v: isinstance(v, bool))
TEXT = Kind("a text", lambda v: isinstance(v, str) and v != "")


def named(content: Mapping[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    """Split a table into its name and everything else."""
    if "name" not in content:
        near = [key for key in content if nearest(key, ["name"])]
        raise ValueError(f"{where} the key 'name' is missing" + (f" (is {near[0]!r} a misspelling?)" if near else ""))
    check(content["name"], TEXT, f"{where} name")
    return content["name"], {key: value for key, value in content.items() if key != "name"}


def _part(value: Any, where: str) -> Any:
    """A part of a method from its name or its table; numbers and switches pass as they are."""
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        return value
    from .. import parts

    name, parameters = named(value, where)
    if name not in parts.__all__:
        raise ValueError(f"{where}: unknown part {name!r}{nearest(name, list(parts.__all__))}; there are {listed(parts.__all__)}")
    cls = getattr(parts, name)
    return construct(cls, parameters, [f.name for f in dataclasses.fields(cls)], f"{where} = {name}:")


def construct(cls: type, values: Mapping[str, Any], known: list[str], where: str, **given: Any) -> Any:
    """An object of the class from the keys of a table, those ``known``; ``given`` are the other fields it takes."""
    hints, fields, built = {}, {f.name: f for f in dataclasses.fields(cls)}, dict(given)
    for base in reversed(cls.__mro__):
        if "__dataclass_fields__" in vars(base):  # the fields of a base class are told by its own annotations alone
            hints |= get_annotations(base, eval_str=True)
    for key, value in values.items():
        if key not in known:
            raise ValueError(f"{where} unknown key {key!r}{nearest(key, known)}; {cls.__name__} takes {listed(known)}")
        types = get_args(hints[key]) or (hints[key],)
        if any(map(dataclasses.is_dataclass, types)):
            value = _part(value, f"{where} {key}")
        if type(value) not in types and not (float in types and is_integer(value)):
            words = {bool: "true or false", int: "an integer", float: "a number", str: "a text", list: "an array"}
            expected = " or ".join(words.get(kind, kind.__name__) for kind in types if kind not in (NoneType, tuple))
            raise ValueError(f"{where} {key}: got {described(value)}, expected {expected}")
        built[key] = value
    missing = [key for key in known if key not in values and fields[key].default is dataclasses.MISSING]
    if missing:
        raise ValueError(f'{where} {missing[0]} must be given: {{name = "{cls.__name__}", {missing[0]} = ...}}')
    try:
        return cls(**built)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where} {error}") from error


def check(value: Any, kind: Kind, where: str) -> None:
    """Refuse a value that a key does not accept."""
    if not kind.accepts(value):
        raise ValueError(f"{where}: got {described(value)}, expected {kind.words}")


def described(value: Any) -> str:
    """A value with the name TOML gives its type."""
    names = {bool: "boolean", int: "integer", float: "float", str: "string", list: "array", dict: "table"}
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({names.get(type(value), type(value).__name__)})"


def listed(words: Iterable[str], form: str = "{}") -> str:
    """Words as a list for a message."""
    return ", ".join(form.format(word) for word in words) or "no keys"
