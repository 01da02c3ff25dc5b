"""A whole landscape as one HDF5 image, and back: the layout of format version 1 (see `layout` for the columns)."""

from __future__ import annotations

import json
import platform
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import h5py
import numpy as np

from .. import __version__
from ..landscape.info import ModelInfo
from ..landscape.landscape import Landscape
from ..landscape.records import Edge, Node, Run, SearchRecord, Task
from ..results import SearchResult, StationaryPoint, Status
from . import layout
from .envelope import FORMAT, FORMAT_MAJOR, FORMAT_MINOR
from .tables import Table, put, put_attribute, read_columns, take, text_attribute, write_columns

# Attributes stop at 64 KiB; the object header takes a part of it.
_ATTRIBUTE_LIMIT = 60_000


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Header:
    """What a landscape file says of itself.

    Parameters
    ----------
    uuid : str
        Of the landscape; every checkpoint keeps it.
    created_utc : str
    last_seq : int
        Number of the last journal record that is folded into the file.
    writer : str
        The program that wrote it.
    libraries : dict
        Versions of the libraries in use when it was written.
    state : str
        "empty", or the status of the last run.
    format_major, format_minor : int
    """

    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    created_utc: str = field(default_factory=_now)
    last_seq: int = 0
    writer: str = f"saddlescape {__version__}"
    libraries: dict = field(default_factory=dict)
    state: str = "empty"
    format_major: int = FORMAT_MAJOR
    format_minor: int = FORMAT_MINOR


class Snapshot(NamedTuple):
    """A landscape as it stands in a file, and the header of that file."""

    landscape: Landscape
    header: Header


def _libraries() -> dict[str, str]:
    names = ("numpy", "scipy", "numba", "h5py")
    versions = {name: sys.modules[name].__version__ for name in names if name in sys.modules}
    return {"python": platform.python_version(), **versions, "hdf5": h5py.version.hdf5_version}


# --- writing --------------------------------------------------------------------------------------------------------------


class _RunRow(NamedTuple):
    """A run as the file keeps it: the configuration as JSON, the seed entropy (128 bits and more) as decimal text."""

    id: int
    started: str
    ended: str
    status: str
    configuration: str
    entropy: str
    command: str


class _FrontierRow(NamedTuple):
    state: str


class _PendingRow(NamedTuple):
    task: int
    point: int


def encode(landscape: Landscape, pending: Mapping[int, SearchResult], header: Header) -> bytes:
    """The HDF5 image of a landscape.

    Parameters
    ----------
    landscape : Landscape
    pending : mapping of int to SearchResult
        Searches made but not yet merged, by task id.
    header : Header
        Its uuid, creation date and last sequence number are kept; the rest is filled in.
    """
    # Made in memory: a full disk then meets one plain write, not the HDF5 library in the middle of its metadata.
    with h5py.File("landscape", "w", driver="core", backing_store=False, block_size=1 << 20) as file:
        _write_header(file, landscape, header)
        write_model(file.create_group("model"), landscape.info)
        dim = landscape.info.dim
        runs = [
            _RunRow(r.id, r.started, r.ended, r.status, json.dumps(r.configuration), str(r.entropy), r.command)
            for r in landscape.runs
        ]
        write_columns(_table(file, "runs", dim), layout.RUN, runs)
        nodes = _table(file, "nodes", dim)
        write_columns(nodes, layout.NODE, landscape.nodes)
        write_columns(nodes, layout.POINT, landscape.points)
        write_columns(_table(file, "edges", dim), layout.EDGE, landscape.edges)
        searches = _table(file, "searches", dim)
        write_columns(searches, layout.TASK, [s.task for s in landscape.searches])
        write_columns(searches, layout.SEARCH, landscape.searches)
        write_columns(searches, layout.RESULT, [s.result for s in landscape.searches])
        frontier = _table(file, "frontier", dim)
        write_columns(frontier, layout.TASK, list(landscape.frontier.values()))
        write_columns(frontier, layout.FRONTIER, [_FrontierRow("done" if i in pending else "todo") for i in landscape.frontier])
        _write_pending(file.create_group("pending"), pending, dim)
        file.create_group("derived")
        file.flush()
        return file.id.get_file_image()


def _table(home: h5py.Group, name: str, dim: int) -> Table:
    return Table(home.create_group(name), home, dim)


def _own_table(group: h5py.Group, dim: int) -> Table:
    """A table that keeps its flat data inside its own group."""
    return Table(group, group, dim)


def _write_header(file: h5py.File, landscape: Landscape, header: Header) -> None:
    text = {
        "format": FORMAT,
        "uuid": header.uuid,
        "created_utc": header.created_utc,
        "writer": f"saddlescape {__version__}",
        "libraries": json.dumps(_libraries()),
        "state": landscape.runs[-1].status if landscape.runs else "empty",
    }
    for name, value in text.items():
        put_attribute(file.id, name, value)
    numbers = {"format_major": FORMAT_MAJOR, "format_minor": FORMAT_MINOR, "last_seq": header.last_seq}
    for name, value in numbers.items():
        file.attrs[name] = np.int64(value)


_MODEL_TEXTS = ("name", "params_sha256", "source_sha256", "symmetry", "units", "scaling")


def write_model(group: h5py.Group, info: ModelInfo) -> None:
    """Write what is remembered of a model."""
    for name in _MODEL_TEXTS:
        put_attribute(group.id, name, getattr(info, name))
    put_attribute(group.id, "params", _write_params(group, info.params))
    put_attribute(group.id, "field_shapes", json.dumps(info.field_shapes))
    put_attribute(group.id, "coercive", json.dumps(info.coercive))
    group.attrs["dim"] = np.int64(info.dim)
    put(group, "mass", np.asarray(info.mass, dtype="<f8"), "mass", "inner product of gradient norms, frames and eigenvalues")


def _write_params(group: h5py.Group, params: dict[str, Any]) -> str:
    """The parameters as JSON; if they are too long for an attribute, arrays become datasets and the JSON names those."""
    text = json.dumps(params)
    if len(text) <= _ATTRIBUTE_LIMIT:
        return text
    arrays = group.create_group("params")
    kept = {}
    for name, value in params.items():
        array = _as_array(value)
        if array is not None:
            put(arrays, name, array, "as the model defines them", f"model parameter {name}")
            value = {"dataset": name}
        kept[name] = value
    text = json.dumps(kept)
    if len(text) > _ATTRIBUTE_LIMIT:
        raise ValueError(
            f"model parameters: {len(text)} characters besides arrays of numbers, expected at most {_ATTRIBUTE_LIMIT}; "
            "give large parameters as arrays of floats or of integers"
        )
    return text


def _as_array(value: Any) -> np.ndarray | None:
    """Nested lists of only floats or only integers as an array that gives the same lists back."""
    if not isinstance(value, list):
        return None
    try:
        array = np.array(value)
    except (ValueError, OverflowError):  # ragged, or integers of more than 64 bits
        return None
    if array.dtype.kind not in "if" or json.dumps(array.tolist()) != json.dumps(value):
        return None
    return array


def _write_pending(group: h5py.Group, pending: Mapping[int, SearchResult], dim: int) -> None:
    results, points, rows = list(pending.values()), [], []
    for task, result in pending.items():
        rows.append(_PendingRow(task, -1 if result.point is None else len(points)))
        if result.point is not None:
            points.append(result.point)
    made = _own_table(group.create_group("results"), dim)
    write_columns(made, layout.PENDING, rows)
    write_columns(made, layout.RESULT, results)
    write_columns(_own_table(group.create_group("points"), dim), layout.POINT, points)


# --- reading --------------------------------------------------------------------------------------------------------------


def decode_header(file: h5py.File) -> Header:
    """The header of an open file.

    Raises
    ------
    KeyError, ValueError, TypeError
        If it has none.
    """
    known: dict[str, Any] = {name: text_attribute(file, name) for name in ("uuid", "created_utc", "writer", "libraries", "state")}
    known["libraries"] = json.loads(known["libraries"])
    known.update((name, int(file.attrs[name])) for name in ("last_seq", "format_major", "format_minor"))
    return Header(**known)


def decode(file: h5py.File) -> Snapshot:
    """The landscape in an open file, with what is pending.

    Raises
    ------
    KeyError, ValueError, TypeError, RuntimeError
        If the file does not have the layout of format version 1.
    """
    header = decode_header(file)
    info = read_model(file["model"])
    landscape = Landscape(info)
    runs = (_RunRow(**row) for row in read_columns(Table(file["runs"], file, info.dim), layout.RUN))
    landscape.runs = [Run(**{**r._asdict(), "configuration": json.loads(r.configuration), "entropy": int(r.entropy)}) for r in runs]
    nodes = Table(file["nodes"], file, info.dim)
    points = [StationaryPoint(**row) for row in read_columns(nodes, layout.POINT)]
    landscape.nodes = [Node(point=p, **row) for p, row in zip(points, read_columns(nodes, layout.NODE), strict=True)]
    landscape.edges = [Edge(**row) for row in read_columns(Table(file["edges"], file, info.dim), layout.EDGE)]
    landscape.searches = _read_searches(Table(file["searches"], file, info.dim))
    tasks = (Task(**row) for row in read_columns(Table(file["frontier"], file, info.dim), layout.TASK))
    landscape.frontier = {task.id: task for task in tasks}
    landscape.pending = _read_pending(file["pending"], info.dim)
    return Snapshot(landscape, header)


def _read_searches(table: Table) -> list[SearchRecord]:
    tasks, searches, results = (read_columns(table, columns) for columns in (layout.TASK, layout.SEARCH, layout.RESULT))
    return [SearchRecord(task=Task(**t), result=_result(r), **s) for t, r, s in zip(tasks, results, searches, strict=True)]


def _result(row: dict[str, Any], point: StationaryPoint | None = None) -> SearchResult:
    return SearchResult(**{**row, "status": Status(row["status"]), "point": point})


def _read_pending(group: h5py.Group, dim: int) -> dict[int, SearchResult]:
    points = [StationaryPoint(**row) for row in read_columns(_own_table(group["points"], dim), layout.POINT)]
    table = _own_table(group["results"], dim)
    rows = read_columns(table, layout.PENDING)
    results = read_columns(table, layout.RESULT)
    return {p["task"]: _result(r, None if p["point"] < 0 else points[p["point"]]) for p, r in zip(rows, results, strict=True)}


def read_model(group: h5py.Group) -> ModelInfo:
    """What a group remembers of a model."""
    texts = {name: text_attribute(group, name) for name in _MODEL_TEXTS}
    mass = take(group, "mass")
    params = json.loads(text_attribute(group, "params"))
    if "params" in group:
        params = {k: take(group["params"], v["dataset"]).tolist() if _names_dataset(v) else v for k, v in params.items()}
    return ModelInfo(
        params=params,
        dim=int(group.attrs["dim"]),
        mass=float(mass) if mass.ndim == 0 else mass,
        coercive=json.loads(text_attribute(group, "coercive")),
        field_shapes={k: tuple(v) for k, v in json.loads(text_attribute(group, "field_shapes")).items()},
        **texts,
    )


def _names_dataset(value: Any) -> bool:
    return isinstance(value, dict) and list(value) == ["dataset"]
