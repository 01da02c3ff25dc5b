"""Run files: a landscape run written down as TOML, read strictly.

A misspelt key that is silently ignored costs its user a night of computing, so every table and key is checked, and an error
names the file, the table, the key and the nearest word that would have been right.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ..given import is_integer, nearest
from ..model import EnergyModel
from ..naming import build_model, load_model
from .build import SWITCH, TEXT, Kind, check, construct, described, is_point, listed, named
from .follow_table import FollowTable


def _is_start(value: Any) -> bool:
    return isinstance(value, str) or is_point(value) or (isinstance(value, list) and bool(value) and all(map(is_point, value)))


def _is_search(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and isinstance(value.get("name"), str))


_COUNT = Kind("an integer of at least 0", lambda v: is_integer(v) and v >= 0)
_POSITIVE = Kind("an integer of at least 1", lambda v: is_integer(v) and v >= 1)
_SEARCHES = Kind(
    'an array of names and tables, ["DownwardSearch", {name = "ECDExplorer", ceiling = 1.0}]',
    lambda v: isinstance(v, list) and bool(v) and all(map(_is_search, v)),
)
_START = Kind("the name of a start, an array [x, y, ...] or an array of such arrays", _is_start)


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
class StochasticTable:
    """``[stochastic]``: where the model's stochastic derivatives come from.

    Parameters
    ----------
    name : str
        A source that is made from the model of ``[model]``.
    parameters : dict
        Every other key: its noise, fraction or length.
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
    searches : list of (str or dict) or None
        How points are left, each by its name or a table with its name and numbers; None: as ``upward`` says.
    workers : int
        Worker processes.
    seed : int
        Seed of every random number of the run; 0 unless given, so that a run file always gives the same landscape.
    """

    start: str | list | None = field(default=None, metadata={"kind": _START})
    max_index: int | None = field(default=None, metadata={"kind": _COUNT})
    upward: bool = field(default=False, metadata={"kind": SWITCH})
    searches: list | None = field(default=None, metadata={"kind": _SEARCHES})
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

    file: str | None = field(default=None, metadata={"kind": TEXT})
    figure: str | None = field(default=None, metadata={"kind": TEXT})


# Name and home of the methods that run a landscape, and of those that explore, for `saddlescape search`.
_METHODS = {"HiSD": "hisd", "SHiSD": "shisd", "ECDSep": "ecd", "Isokinetic": "ecd", "BBI": "ecd"}
_SEARCH_HOMES = {"DownwardSearch": "frontier", "UpwardSearch": "frontier", "ECDExplorer": "explorer"}
_SOURCES = ("NoisyModel", "RandomQuadrature", "FunctionValues")  # what makes a stochastic model of any other


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
    stochastic : StochasticTable or None
    follow : FollowTable or None
    """

    path: Path
    model: ModelTable
    explore: ExploreTable = ExploreTable()
    method: MethodTable = MethodTable()
    output: OutputTable = OutputTable()
    stochastic: StochasticTable | None = None
    follow: FollowTable | None = None

    @property
    def store(self) -> Path:
        """The landscape file this run writes."""
        return Path(self.output.file) if self.output.file is not None else Path(f"{self.path.stem}.h5")

    def build_model(self) -> EnergyModel:
        """Build the energy model, stochastic if the run file says so; a model of your own is found relative to the run file.

        Raises
        ------
        ValueError
            If there is no such model, its file cannot be imported, or it does not take a parameter that was given.
        FileNotFoundError
            If the model's file does not exist.
        """
        build = load_model if self.stochastic is None else build_model
        try:
            model = build(self.model.name, self.model.parameters, base=self.path.parent)
        except (ImportError, TypeError, ValueError) as error:
            raise ValueError(f"{self.path}: [model] {error}") from error
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{self.path}: [model] name: {error}") from error
        if self.stochastic is None:
            return model
        cls = getattr(import_module("..stochastic", __package__), self.stochastic.name)
        known = [f.name for f in dataclasses.fields(cls) if f.name != "model"]
        return construct(cls, self.stochastic.parameters, known, f"{self.path}: [stochastic]", model=model)

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
        return construct(cls, self.method.parameters, known, where)

    def build_searches(self) -> tuple | None:
        """The ``searches`` argument of `saddlescape.explore`.

        Raises
        ------
        ValueError
            If a search, a key or a number of one is unknown or out of range.
        """
        if self.explore.searches is None:
            return None
        if self.explore.upward:
            raise ValueError(f'{self.path}: [explore] upward: the searches are given one by one; add "UpwardSearch" to them')
        built = []
        for value in self.explore.searches:
            name, values = (value, {}) if isinstance(value, str) else named(value, f"{self.path}: [explore] searches")
            if name not in _SEARCH_HOMES:
                known = list(_SEARCH_HOMES)
                raise ValueError(
                    f"{self.path}: [explore] searches: got {name!r}{nearest(name, known)}, expected some of {listed(known)}"
                )
            cls = getattr(import_module(f".{_SEARCH_HOMES[name]}", __package__), name)
            built.append(construct(cls, values, [f.name for f in dataclasses.fields(cls)], f"{self.path}: [explore] {name}"))
        return tuple(built)

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
        A TOML file with the tables ``[model]``, ``[stochastic]``, ``[explore]``, ``[method]``, ``[output]`` and ``[follow]``; only
        the first must be there.

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
    tables = ["model", "stochastic", "explore", "method", "output", "follow"]
    for key, value in content.items():
        if key not in tables:
            raise ValueError(f"{path}: unknown table [{key}]{nearest(key, tables)}; a run file has {listed(tables, '[{}]')}")
        if not isinstance(value, dict):
            raise ValueError(f"{path}: {key}: got {described(value)}, expected a table: write [{key}] on a line of its own")
    if "model" not in content:
        raise ValueError(f'{path}: the table [model] is missing; it needs at least name = "..."')
    method = _method_table(content.get("method", {}), f"{path}: [method]")
    return RunFile(
        path,
        ModelTable(*named(content["model"], f"{path}: [model]")),
        _table(ExploreTable, content.get("explore", {}), f"{path}: [explore]"),
        method,
        _table(OutputTable, content.get("output", {}), f"{path}: [output]"),
        _stochastic_table(content["stochastic"], method, f"{path}: [stochastic]") if "stochastic" in content else None,
        _follow_table(content["follow"], f"{path}: [follow]") if "follow" in content else None,
    )


def _table(cls: type, content: Mapping[str, Any], where: str) -> Any:
    fields = {f.name: f for f in dataclasses.fields(cls)}
    for key, value in content.items():
        if key not in fields:
            raise ValueError(f"{where} unknown key {key!r}{nearest(key, list(fields))}; it has {listed(fields)}")
        check(value, fields[key].metadata["kind"], f"{where} {key}")
    return cls(**content)


def _follow_table(content: Mapping[str, Any], where: str) -> FollowTable:
    table = _table(FollowTable, content, where)
    for key in ("parameter", "values"):
        if key not in content:
            raise ValueError(f'{where} the key {key!r} is missing; it needs parameter = "..." and values = [...]')
    return table


def _method_table(content: Mapping[str, Any], where: str) -> MethodTable:
    if not content:
        return MethodTable()
    name, parameters = named(content, where)
    if name not in _METHODS:
        raise ValueError(f"{where} name: got {name!r}{nearest(name, list(_METHODS))}, expected {listed(_METHODS)}")
    if "index" in parameters:
        raise ValueError(
            f"{where} index: a landscape asks for a different index in every search; limit it with [explore] max_index"
        )
    return MethodTable(name, parameters)


def _stochastic_table(content: Mapping[str, Any], method: MethodTable, where: str) -> StochasticTable:
    name, parameters = named(content, where)
    if name not in _SOURCES:
        raise ValueError(f"{where} name: got {name!r}{nearest(name, list(_SOURCES))}, expected {listed(_SOURCES)}")
    if method.name != "SHiSD":
        raise ValueError(
            f"{where} {method.name} takes exact derivatives and would ignore this table; leave it out, or ask for the stochastic "
            'method: [method] name = "SHiSD"'
        )
    return StochasticTable(name, parameters)
