"""Run files: a landscape run written down as TOML, read strictly.

A misspelt key that is silently ignored costs its user a night of computing, so every table and key is checked, and an error
names the file, the table, the key and the nearest word that would have been right.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple, get_args, get_type_hints

import numpy as np

from ..given import nearest
from ..model import EnergyModel
from ..naming import load_model


class _Kind(NamedTuple):
    """What a key accepts, for a person and for the program."""

    words: str
    accepts: Callable[[Any], bool]


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_integer(v) or isinstance(v, float) for v in value)


def _is_start(value: Any) -> bool:
    return isinstance(value, str) or _is_point(value) or (isinstance(value, list) and bool(value) and all(map(_is_point, value)))


_TEXT = _Kind("a text", lambda v: isinstance(v, str) and v != "")
_SWITCH = _Kind("true or false", lambda v: isinstance(v, bool))
_COUNT = _Kind("an integer of at least 0", lambda v: _is_integer(v) and v >= 0)
_POSITIVE = _Kind("an integer of at least 1", lambda v: _is_integer(v) and v >= 1)
_START = _Kind("the name of a start, an array [x, y, ...] or an array of such arrays", _is_start)


@dataclass(frozen=True)
class ModelTable:
    """``[model]``: which energy.

    Parameters
    ----------
    name : str
        A shipped model, an installed one (``package.module.Class``), or ``path/file.py:Class`` relative to the run file.
    parameters : dict
        Every other key of the table: keyword arguments of the model.
    """

    name: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class ExploreTable:
    """``[explore]``: arguments of `saddlescape.explore`.

    Parameters
    ----------
    start : str, list of float, list of list of float, or None
        Name of a start, one point, several points; None: the model's default start.
    max_index : int or None
        Highest Morse index of interest; None: the index of the start.
    upward : bool
        Whether to search upwards too.
    workers : int
        Worker processes.
    seed : int
        Seed of every random number of the run; 0 unless given, so that a run file always gives the same landscape.
    """

    start: str | list | None = field(default=None, metadata={"kind": _START})
    max_index: int | None = field(default=None, metadata={"kind": _COUNT})
    upward: bool = field(default=False, metadata={"kind": _SWITCH})
    workers: int = field(default=1, metadata={"kind": _POSITIVE})
    seed: int = field(default=0, metadata={"kind": _COUNT})


@dataclass(frozen=True)
class MethodTable:
    """``[method]``: how a point moves.

    Parameters
    ----------
    name : str
        A method's class.
    parameters : dict
        Every other key: the parts and numbers it is built from. A part is its name, ``"BarzilaiBorwein"``, or a table with
        its name and numbers, ``{name = "FixedStep", size = 0.1}``.
    """

    name: str = "HiSD"
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OutputTable:
    """``[output]``: what is written, relative to the current folder.

    Parameters
    ----------
    file : str or None
        The landscape file; None: the run file's name with the ending ``.h5``.
    figure : str or None
        The picture of the pathway map; None: no picture.
    """

    file: str | None = field(default=None, metadata={"kind": _TEXT})
    figure: str | None = field(default=None, metadata={"kind": _TEXT})


_METHODS = {"HiSD": "hisd"}  # name and home of the methods that run a landscape


@dataclass(frozen=True)
class RunFile:
    """A run file whose tables and keys have been checked; see `read_run_file`.

    Parameters
    ----------
    path : Path
        Where it was read from.
    model : ModelTable
    explore : ExploreTable
    method : MethodTable
    output : OutputTable
    """

    path: Path
    model: ModelTable
    explore: ExploreTable = ExploreTable()
    method: MethodTable = MethodTable()
    output: OutputTable = OutputTable()

    @property
    def store(self) -> Path:
        """The landscape file this run writes."""
        return Path(self.output.file) if self.output.file is not None else Path(f"{self.path.stem}.h5")

    def build_model(self) -> EnergyModel:
        """Build the energy model; a model of your own is found relative to the run file.

        Raises
        ------
        ValueError
            If there is no such model, its file cannot be imported, or it does not take a parameter that was given.
        FileNotFoundError
            If the model's file does not exist.
        """
        try:
            return load_model(self.model.name, self.model.parameters, base=self.path.parent)
        except (ImportError, TypeError, ValueError) as error:
            raise ValueError(f"{self.path}: [model] {error}") from error
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{self.path}: [model] name: {error}") from error

    def build_method(self) -> Any:
        """Build the method from its parts.

        Raises
        ------
        ValueError
            If a key, a part, or a number of a part is unknown or out of range.
        """
        module = import_module(f"..dynamics.{_METHODS[self.method.name]}", __package__)
        cls = getattr(module, self.method.name)
        where = f"{self.path}: [method]"
        # The driver sets the index search by search, so a run file has no say in it.
        known = [f.name for f in dataclasses.fields(cls) if f.name != "index"]
        values = {key: _part(value, f"{where} {key}") for key, value in self.method.parameters.items()}
        return _construct(cls, values, known, where)

    def start(self, model: EnergyModel) -> str | np.ndarray | list[np.ndarray] | None:
        """The ``start`` argument of `saddlescape.explore`.

        Raises
        ------
        ValueError
            If the model knows no start of that name.
        """
        start = self.explore.start
        if isinstance(start, str):
            try:
                model.start(start)
            except ValueError as error:
                raise ValueError(f"{self.path}: [explore] {error}") from error
            return start
        if start is None or not isinstance(start[0], list):
            return None if start is None else np.array(start, dtype=float)
        return [np.array(point, dtype=float) for point in start]


def read_run_file(path: str | Path) -> RunFile:
    """Read and check a run file.

    Parameters
    ----------
    path : path
        A TOML file with the tables ``[model]``, ``[explore]``, ``[method]`` and ``[output]``; only the first must be there.

    Raises
    ------
    FileNotFoundError
        If it does not exist.
    ValueError
        If it is not TOML, or a table, key or type is wrong; the message names the file, the table, the key and the near one.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"run file {path} does not exist")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # tomllib's errors and wrong UTF-8 are both ValueErrors
        raise ValueError(f"{path}: not a valid TOML file: {error}") from error
    tables = ["model", "explore", "method", "output"]
    for key, value in content.items():
        if key not in tables:
            raise ValueError(f"{path}: unknown table [{key}]{nearest(key, tables)}; a run file has {_listed(tables, '[{}]')}")
        if not isinstance(value, dict):
            raise ValueError(f"{path}: {key}: got {_described(value)}, expected a table: write [{key}] on a line of its own")
    if "model" not in content:
        raise ValueError(f'{path}: the table [model] is missing; it needs at least name = "..."')
    return RunFile(
        path,
        ModelTable(*_named(content["model"], f"{path}: [model]")),
        _table(ExploreTable, content.get("explore", {}), f"{path}: [explore]"),
        _method_table(content.get("method", {}), f"{path}: [method]"),
        _table(OutputTable, content.get("output", {}), f"{path}: [output]"),
    )


def _table(cls: type, content: Mapping[str, Any], where: str) -> Any:
    fields = {f.name: f for f in dataclasses.fields(cls)}
    for key, value in content.items():
        if key not in fields:
            raise ValueError(f"{where} unknown key {key!r}{nearest(key, list(fields))}; it has {_listed(fields)}")
        _check(value, fields[key].metadata["kind"], f"{where} {key}")
    return cls(**content)


def _method_table(content: Mapping[str, Any], where: str) -> MethodTable:
    if not content:
        return MethodTable()
    name, parameters = _named(content, where)
    if name not in _METHODS:
        raise ValueError(f"{where} name: got {name!r}{nearest(name, list(_METHODS))}, expected {_listed(_METHODS)}")
    if "index" in parameters:
        raise ValueError(
            f"{where} index: a landscape asks for a different index in every search; limit it with [explore] max_index"
        )
    return MethodTable(name, parameters)


def _named(content: Mapping[str, Any], where: str) -> tuple[str, dict[str, Any]]:
    """Split a table into its name and everything else."""
    if "name" not in content:
        near = [key for key in content if nearest(key, ["name"])]
        raise ValueError(f"{where} the key 'name' is missing" + (f" (is {near[0]!r} a misspelling?)" if near else ""))
    _check(content["name"], _TEXT, f"{where} name")
    return content["name"], {key: value for key, value in content.items() if key != "name"}


def _part(value: Any, where: str) -> Any:
    """A part of a method from its name or its table; numbers and switches pass as they are."""
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, dict):
        return value
    from .. import parts

    name, parameters = _named(value, where)
    if name not in parts.__all__:
        raise ValueError(f"{where}: unknown part {name!r}{nearest(name, list(parts.__all__))}; there are {_listed(parts.__all__)}")
    cls = getattr(parts, name)
    known = [f.name for f in dataclasses.fields(cls)]
    return _construct(cls, parameters, known, f"{where} = {name}:")


def _construct(cls: type, values: Mapping[str, Any], known: list[str], where: str) -> Any:
    hints = get_type_hints(cls)
    for key, value in values.items():
        if key not in known:
            raise ValueError(f"{where} unknown key {key!r}{nearest(key, known)}; {cls.__name__} takes {_listed(known)}")
        types = get_args(hints[key]) or (hints[key],)
        if type(value) not in types and not (float in types and _is_integer(value)):
            words = {bool: "true or false", int: "an integer", float: "a number"}
            expected = " or ".join(words.get(kind, kind.__name__) for kind in types if kind is not NoneType)
            raise ValueError(f"{where} {key}: got {_described(value)}, expected {expected}")
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where} {error}") from error


def _check(value: Any, kind: _Kind, where: str) -> None:
    if not kind.accepts(value):
        raise ValueError(f"{where}: got {_described(value)}, expected {kind.words}")


def _described(value: Any) -> str:
    """A value with the name TOML gives its type."""
    names = {bool: "boolean", int: "integer", float: "float", str: "string", list: "array", dict: "table"}
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({names.get(type(value), type(value).__name__)})"


def _listed(words: Iterable[str], form: str = "{}") -> str:
    return ", ".join(form.format(word) for word in words) or "no keys"
