"""Arrays, attributes and columns in HDF5: how one field of many records becomes one dataset, and back.

The low-level interface of h5py is used for writing: a checkpoint has about a hundred small datasets with two attributes each,
and the high-level one takes three times as long.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

import h5py
import numpy as np
from h5py import h5a, h5d, h5p, h5s, h5t

_LARGE = 1 << 16
_CHUNK = 1 << 18
_SAMPLE = 1 << 15
_WORTH = 0.75
_SCALAR = h5s.create(h5s.SCALAR)


class Column(NamedTuple):
    """A field of a record as a column of a table.

    Parameters
    ----------
    name : str
        Of the field and of the dataset.
    kind : str
        A key of `WRITERS`: "integer", "real", "text", "vector" (short, NaN-padded), "position" (dim values), "start" (dim values or
        None), "rows" (any number of rows of dim values, in a table of their own) or "trajectory".
    units : str
    long_name : str
    """

    name: str
    kind: str
    units: str
    long_name: str


class Table(NamedTuple):
    """Where columns are written to, or read from.

    Parameters
    ----------
    group : h5py.Group
        Holds the columns.
    home : h5py.Group
        Holds the groups of flat data that the columns point into.
    dim : int
        Number of unknowns n.
    """

    group: h5py.Group
    home: h5py.Group
    dim: int


# --- single arrays and attributes -----------------------------------------------------------------------------------------


def put_attribute(owner: Any, name: str, text: str) -> None:
    """A text attribute, fixed width, UTF-8; ``owner`` is a low-level identifier."""
    raw = text.encode("utf-8", "surrogatepass")
    kind = _text_type(len(raw))
    attribute = h5a.create(owner, name.encode(), kind, _SCALAR)
    attribute.write(np.array(raw, dtype=f"S{max(len(raw), 1)}"), mtype=kind)


def text_attribute(owner: h5py.Group, name: str) -> str:
    """A text attribute of a group.

    Raises
    ------
    KeyError
        If there is none.
    """
    return bytes(owner.attrs[name]).decode("utf-8", "surrogatepass")


@cache
def _text_type(size: int) -> h5t.TypeStringID:
    kind = h5t.C_S1.copy()
    kind.set_size(max(size, 1))
    kind.set_strpad(h5t.STR_NULLPAD)
    kind.set_cset(h5t.CSET_UTF8)
    return kind


def put(group: h5py.Group, name: str, array: np.ndarray, units: str, long_name: str) -> None:
    """A dataset with its units and its name in words; a large one is chunked, shuffled and compressed where that saves space."""
    kind = _text_type(array.itemsize) if array.dtype.kind == "S" else h5t.py_create(array.dtype)
    creation = None
    if array.nbytes > _LARGE and _compressible(array):
        creation = h5p.create(h5p.DATASET_CREATE)
        row = max(1, array.nbytes // array.shape[0])
        creation.set_chunk((max(1, min(array.shape[0], _CHUNK // row)), *array.shape[1:]))
        creation.set_shuffle()
        creation.set_deflate(1)
    dataset = h5d.create(group.id, name.encode(), kind, h5s.create_simple(array.shape), creation)
    if array.size:
        dataset.write(h5s.ALL, h5s.ALL, array, mtype=kind)
    put_attribute(dataset, "units", units)
    put_attribute(dataset, "long_name", long_name)


def _compressible(array: np.ndarray) -> bool:
    """Whether a shuffled sample shrinks: gzip takes 30 ms a megabyte, and the mantissas of most fields are noise to it."""
    flat = array.reshape(-1)
    count = max(1, _SAMPLE // array.itemsize)
    begin = max(0, (flat.size - count) // 2)
    sample = flat[begin : begin + count].view(np.uint8).reshape(-1, array.itemsize).T.tobytes()
    return len(zlib.compress(sample, 1)) < _WORTH * len(sample)


def take(group: h5py.Group, name: str) -> np.ndarray:
    """The array of a dataset.

    Raises
    ------
    KeyError
        If there is none.
    """
    dataset = h5d.open(group.id, name.encode())
    array = np.empty(dataset.shape, dataset.dtype)
    if array.size:
        dataset.read(h5s.ALL, h5s.ALL, array, mtype=dataset.get_type())
    return array


# --- columns: writing -----------------------------------------------------------------------------------------------------


def _write_integer(table: Table, column: Column, values: list[int]) -> None:
    put(table.group, column.name, np.array(values, dtype="<i8"), column.units, column.long_name)


def _write_real(table: Table, column: Column, values: list[float]) -> None:
    put(table.group, column.name, np.array(values, dtype="<f8"), column.units, column.long_name)


def _write_text(table: Table, column: Column, values: list[Any]) -> None:
    raw = [str(getattr(v, "value", v)).encode("utf-8", "surrogatepass") for v in values]
    width = max(map(len, raw), default=1)
    put(table.group, column.name, np.array(raw, dtype=f"S{max(width, 1)}"), column.units, column.long_name)


def _counts(table: Table, column: Column, suffix: str, values: Iterable[int], of: str) -> None:
    text = f"{of} of: {column.long_name}; -1: there is none"
    put(table.group, f"{column.name}_{suffix}", np.fromiter(values, dtype="<i8"), "1", text)


def _write_vector(table: Table, column: Column, values: list[np.ndarray | None]) -> None:
    sizes = [-1 if v is None else v.size for v in values]
    padded = np.full((len(values), max([0, *sizes])), np.nan)
    for row, vector in zip(padded, values, strict=True):
        if vector is not None:
            row[: vector.size] = vector
    put(table.group, column.name, padded, column.units, f"{column.long_name}; NaN-padded")
    _counts(table, column, "count", sizes, "number of entries")


def _write_position(table: Table, column: Column, values: list[np.ndarray]) -> None:
    put(table.group, column.name, _stack(values, table.dim), column.units, column.long_name)


def _stack(values: Sequence[np.ndarray], dim: int) -> np.ndarray:
    return np.asarray(np.stack(values), dtype="<f8") if values else np.empty((0, dim), dtype="<f8")


def _write_start(table: Table, column: Column, values: list[np.ndarray | None]) -> None:
    given = [v for v in values if v is not None]
    rows, position = [], 0
    for value in values:
        rows.append(-1 if value is None else position)
        position += value is not None
    put(table.group, column.name, _stack(given, table.dim), column.units, column.long_name)
    _counts(table, column, "row", rows, "row")


def _write_rows(table: Table, column: Column, values: list[np.ndarray]) -> None:
    _pointers(table, column, [len(v) for v in values])
    flat = np.concatenate([np.empty((0, table.dim)), *(v.reshape(-1, table.dim) for v in values)]).astype("<f8", copy=False)
    put(table.home.create_group(column.name), "rows", flat, column.units, column.long_name)


def _pointers(table: Table, column: Column, sizes: list[int]) -> None:
    ends = np.cumsum(np.maximum(sizes, 0), dtype="<i8") if sizes else np.empty(0, dtype="<i8")
    _counts(table, column, "start", (ends - np.maximum(sizes, 0)).tolist() if sizes else [], "first row")
    _counts(table, column, "count", sizes, "number of rows")


def _write_trajectory(table: Table, column: Column, values: list[Any]) -> None:
    _pointers(table, column, [-1 if v is None else len(v.x) for v in values])
    group = table.home.create_group("trajectories")
    kept = [v for v in values if v is not None]
    with np.errstate(over="ignore"):  # a path that diverged may leave the range of f4; inf says so
        flat = np.concatenate([np.empty((0, table.dim), dtype="<f4"), *(v.x.astype("<f4") for v in kept)])
    put(group, "x", flat, column.units, "positions along the searches, in single precision")
    for name in ("energy", "gradient_norm"):
        along = np.concatenate([np.empty(0), *(getattr(v, name) for v in kept)])
        put(group, name, along, f"as {name} in /searches", f"{name} along the searches")


# --- columns: reading -----------------------------------------------------------------------------------------------------


def _read_scalar(table: Table, column: Column) -> list[Any]:
    return take(table.group, column.name).tolist()


def _read_text(table: Table, column: Column) -> list[str]:
    return [raw.decode("utf-8", "surrogatepass") for raw in take(table.group, column.name).tolist()]


def _read_vector(table: Table, column: Column) -> list[np.ndarray | None]:
    padded, sizes = take(table.group, column.name), take(table.group, f"{column.name}_count")
    if len(padded) != len(sizes) or (sizes > padded.shape[1]).any():
        raise ValueError(f"{column.name}_count does not fit {column.name} {padded.shape}")
    return [None if size < 0 else row[:size].copy() for row, size in zip(padded, sizes.tolist(), strict=True)]


def _read_position(table: Table, column: Column) -> list[np.ndarray]:
    return list(_of_width(take(table.group, column.name), table.dim, column.name))


def _of_width(array: np.ndarray, dim: int, name: str) -> np.ndarray:
    if array.ndim != 2 or array.shape[1] != dim:
        raise ValueError(f"{name} has shape {array.shape}, expected (any, {dim})")
    return array


def _read_start(table: Table, column: Column) -> list[np.ndarray | None]:
    given = _of_width(take(table.group, column.name), table.dim, column.name)
    return [None if row < 0 else given[row] for row in take(table.group, f"{column.name}_row").tolist()]


def _slices(table: Table, column: Column, available: int) -> list[slice | None]:
    starts, counts = (take(table.group, f"{column.name}_{suffix}") for suffix in ("start", "count"))
    if ((starts < 0) | (starts + np.maximum(counts, 0) > available)).any():
        raise ValueError(f"{column.name}_start and {column.name}_count point outside of the {available} rows there are")
    pairs = zip(starts.tolist(), counts.tolist(), strict=True)
    return [None if count < 0 else slice(start, start + count) for start, count in pairs]


def _read_rows(table: Table, column: Column) -> list[np.ndarray]:
    flat = _of_width(take(table.home[column.name], "rows"), table.dim, column.name)
    return [flat[place] for place in _slices(table, column, len(flat))]


def _read_trajectory(table: Table, column: Column) -> list[Any]:
    from ..results import Trajectory

    group = table.home["trajectories"]
    x = _of_width(take(group, "x"), table.dim, "x").astype(np.float64)
    energy, norm = take(group, "energy"), take(group, "gradient_norm")
    if not len(x) == len(energy) == len(norm):
        raise ValueError(f"the trajectories have {len(x)} positions, {len(energy)} energies and {len(norm)} gradient norms")
    return [None if s is None else Trajectory(x[s], energy[s], norm[s]) for s in _slices(table, column, len(x))]


_KINDS = {
    "integer": (_write_integer, _read_scalar),
    "real": (_write_real, _read_scalar),
    "text": (_write_text, _read_text),
    "vector": (_write_vector, _read_vector),
    "position": (_write_position, _read_position),
    "start": (_write_start, _read_start),
    "rows": (_write_rows, _read_rows),
    "trajectory": (_write_trajectory, _read_trajectory),
}


def write_columns(table: Table, columns: Iterable[Column], records: Sequence[Any]) -> None:
    """One dataset (or more) per field, one entry per record."""
    for column in columns:
        _KINDS[column.kind][0](table, column, [getattr(record, column.name) for record in records])


def read_columns(table: Table, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """The fields of each record.

    Raises
    ------
    KeyError, ValueError
        If a dataset is missing, or its length does not fit the others.
    """
    values = [_KINDS[column.kind][1](table, column) for column in columns]
    names = [column.name for column in columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
