"""A bifurcation diagram as an HDF5 file of its own, written at once and checked before it is read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np

from ..landscape.diagram import Branch, Critical, Diagram, End
from ..results import StationaryPoint
from . import envelope, layout
from .access import check_writable
from .atomic import replace_file
from .envelope import DIAGRAM, FORMAT_MAJOR, FORMAT_MINOR
from .errors import DamagedFileError, ForeignFileError, explained
from .reader import PARSING
from .snapshot import read_model, write_model
from .tables import Column, Table, put, put_attribute, read_columns, take, text_attribute, write_columns

_PARAMETER = "parameter of the model"
_ID = "ids as in /branches and /criticals"

_BRANCH = (
    Column("id", "integer", "1", "branch id"),
    Column("node", "integer", "1", "node of the landscape, or number of the start, that it comes from; -1: found on the way"),
    Column("born", "integer", "1", "id of the critical value at which it was found; -1: a start"),
    Column("orbit_size", "integer", "1", "number of symmetric copies"),
    Column("lower_kind", "text", "text", "how it ends at its lowest value: range, critical or lost"),
    Column("lower_critical", "integer", "1", "id of the critical value there; -1: none"),
    Column("lower_reason", "text", "text", "of a lost branch, why"),
    Column("upper_kind", "text", "text", "how it ends at its highest value"),
    Column("upper_critical", "integer", "1", "id of the critical value there; -1: none"),
    Column("upper_reason", "text", "text", "of a lost branch, why"),
)
_SAMPLE = (
    Column("branch", "integer", "1", "branch id"),
    Column("value", "real", _PARAMETER, "value of the parameter"),
    Column("energy", "real", "energy of the model", "energy"),
    Column("gradient_norm", "real", "energy / mass norm of the unknowns", "norm of the gradient in the mass inner product"),
    Column("index", "integer", "1", "Morse index, counted by inertia"),
    Column("critical", "integer", "1", "id of the critical value it stands on; -1: none"),
    Column("x", "position", "unknowns of the model", "state"),
)
_LANDED = (Column("branch", "integer", "1", "branch id"), Column("value", "real", _PARAMETER, "value asked for"))
_CRITICAL = (
    Column("id", "integer", "1", "id of the critical value"),
    Column("kind", "text", "text", "pitchfork, transcritical, multiple, fold or meeting"),
    Column("value", "real", _PARAMETER, "critical value"),
    Column("low", "real", _PARAMETER, "lower end of its bracket"),
    Column("high", "real", _PARAMETER, "upper end of its bracket"),
    Column("multiplicity", "integer", "1", "number of eigenvalues that vanish"),
    Column("index_below", "integer", "1", "Morse index below it of the branches that go through; -1: none does"),
    Column("index_above", "integer", "1", "Morse index above it of the branches that go through; -1: none does"),
    Column("x", "position", "unknowns of the model", "state there"),
    Column("vectors", "rows", "1 / mass norm of the unknowns", "critical eigenvectors, orthonormal in the mass inner product"),
    Column("through", "text", "JSON", f"branches that go through, {_ID}"),
    Column("ending", "text", "JSON", f"branches that end there, {_ID}"),
)


class _BranchRow(NamedTuple):
    id: int
    node: int
    born: int
    orbit_size: int
    lower_kind: str
    lower_critical: int
    lower_reason: str
    upper_kind: str
    upper_critical: int
    upper_reason: str


class _SampleRow(NamedTuple):
    branch: int
    value: float
    energy: float
    gradient_norm: float
    index: int
    critical: int
    x: np.ndarray


class _LandedRow(NamedTuple):
    branch: int
    value: float


class _CriticalRow(NamedTuple):
    id: int
    kind: str
    value: float
    low: float
    high: float
    multiplicity: int
    index_below: int
    index_above: int
    x: np.ndarray
    vectors: np.ndarray
    through: str
    ending: str


def save_diagram(diagram: Diagram, path: str | os.PathLike[str]) -> None:
    """Write a diagram; one that is there already is replaced, any other file is not.

    Raises
    ------
    ForeignFileError, ReadOnlyFileError, MissingFileError, DiskFullError, StoreError
    """
    path = Path(path).resolve()  # a link is followed, not replaced
    with explained(path, "write"):
        if path.exists() and path.stat().st_size > 0:
            if not envelope.is_ours(path, DIAGRAM):
                raise ForeignFileError(f"{path}: this file is not a diagram and will not be replaced; choose another path")
            check_writable(path)
        image = _encode(diagram)
        replace_file(path, envelope.seal(image, DIAGRAM), image)


def read_diagram(path: str | os.PathLike[str]) -> Diagram:
    """Read a diagram; nothing that the file names is imported or executed.

    Raises
    ------
    MissingFileError, ReadOnlyFileError, ForeignFileError, TruncatedFileError, DamagedFileError, NewerFormatError
    """
    path = Path(path).resolve()
    with explained(path, "read"), path.open("rb") as handle:
        envelope.check(path, handle, format=DIAGRAM)
        try:
            with h5py.File(handle, "r") as file:
                return _decode(file)
        except PARSING as error:
            raise DamagedFileError(
                f"{path}: damaged, it does not have the layout of a diagram ({type(error).__name__}: {error}); restore it from a "
                "copy, or follow the states again"
            ) from error


def _table(file: h5py.File, name: str, dim: int) -> Table:
    group = file.require_group(name)
    return Table(group, group, dim)


def _encode(diagram: Diagram) -> bytes:
    with h5py.File("diagram", "w", driver="core", backing_store=False, block_size=1 << 20) as file:
        put_attribute(file.id, "format", DIAGRAM)
        put_attribute(file.id, "parameter", diagram.parameter)
        put_attribute(file.id, "notes", json.dumps(diagram.notes))
        file.attrs["origin"] = float(diagram.origin)
        for name, value in (("format_major", FORMAT_MAJOR), ("format_minor", FORMAT_MINOR)):
            file.attrs[name] = np.int64(value)
        write_model(file.create_group("model"), diagram.info)
        put(file, "values", np.asarray(diagram.values, dtype="<f8"), _PARAMETER, "values asked for")
        dim = diagram.info.dim
        write_columns(_table(file, "branches", dim), _BRANCH, [_branch_row(b) for b in diagram.branches])
        write_columns(_table(file, "samples", dim), _SAMPLE, list(_sample_rows(diagram)))
        points = _table(file, "points", dim)
        write_columns(points, _LANDED, [_LandedRow(b.id, float(v)) for b in diagram.branches for v in b.landed])
        write_columns(points, layout.POINT, [p for b in diagram.branches for p in b.points])
        write_columns(_table(file, "criticals", dim), _CRITICAL, [_critical_row(c) for c in diagram.criticals])
        file.flush()
        return file.id.get_file_image()


def _branch_row(b: Branch) -> _BranchRow:
    lower, upper = b.ends
    return _BranchRow(b.id, b.node, b.born, b.orbit_size, lower.kind, lower.critical, lower.reason, *upper)


def _sample_rows(diagram: Diagram) -> Iterator[_SampleRow]:
    for b in diagram.branches:
        for row in zip(b.values, b.energies, b.gradient_norms, b.indices, b.criticals, b.x, strict=True):
            yield _SampleRow(b.id, *row)


def _critical_row(c: Critical) -> _CriticalRow:
    counted = (c.multiplicity, c.index_below, c.index_above)
    return _CriticalRow(
        c.id, c.kind, c.value, *c.bracket, *counted, c.x, c.vectors, json.dumps(c.through), json.dumps(c.ending)
    )  # fmt: skip


def _decode(file: h5py.File) -> Diagram:
    info = read_model(file["model"])
    samples = read_columns(_table(file, "samples", info.dim), _SAMPLE)
    points = _table(file, "points", info.dim)
    landed = read_columns(points, _LANDED)
    certified = [StationaryPoint(**row) for row in read_columns(points, layout.POINT)]
    branches = []
    for row in read_columns(_table(file, "branches", info.dim), _BRANCH):
        known = _BranchRow(**row)
        own = [s for s in samples if s["branch"] == known.id]
        place = [i for i, entry in enumerate(landed) if entry["branch"] == known.id]
        branches.append(_branch(known, own, [landed[i]["value"] for i in place], [certified[i] for i in place]))
    criticals = [_critical(_CriticalRow(**row)) for row in read_columns(_table(file, "criticals", info.dim), _CRITICAL)]
    return Diagram(
        info,
        text_attribute(file, "parameter"),
        float(file.attrs["origin"]),
        take(file, "values"),
        tuple(branches),
        tuple(criticals),
        tuple(json.loads(text_attribute(file, "notes"))),
    )


def _branch(row: _BranchRow, samples: list[dict[str, Any]], values: list[float], points: list[StationaryPoint]) -> Branch:
    def column(name: str) -> np.ndarray:
        return np.array([sample[name] for sample in samples])

    return Branch(
        row.id,
        row.node,
        row.born,
        row.orbit_size,
        column("value"),
        column("energy"),
        column("gradient_norm"),
        column("index"),
        column("x"),
        column("critical"),
        np.array(values),
        tuple(points),
        (End(row.lower_kind, row.lower_critical, row.lower_reason), End(row.upper_kind, row.upper_critical, row.upper_reason)),
    )


def _critical(row: _CriticalRow) -> Critical:
    counted = (row.multiplicity, row.index_below, row.index_above)
    through, ending = tuple(json.loads(row.through)), tuple(json.loads(row.ending))
    return Critical(row.id, row.kind, row.value, (row.low, row.high), *counted, row.x, row.vectors, through, ending)
