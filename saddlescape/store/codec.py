"""Journal payloads: a header of JSON, then the arrays as raw little-endian float64. No pickles, and nothing that is executed."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..landscape.records import Commit, SearchRecord
from ..results import SearchResult
from .schema import FieldKind, fields, split

_HEADER = struct.Struct("<I")
_FLOAT = np.dtype("<f8")


class _Encoder:
    """Takes records apart into a JSON tree and a list of buffers.

    An array becomes ``[offset, *shape]``; one that is the very array of ``shared`` becomes its name there, so that a new node does
    not repeat the eigenvectors of the search that found it.
    """

    def __init__(self, shared: Mapping[str, np.ndarray]):
        self.buffers: list[bytes] = []
        self._size = 0
        self._shared = {id(array): name for name, array in shared.items()}

    def record(self, record: Any, without: str = "") -> dict[str, Any]:
        plain, others = split(type(record))
        known = record.__dict__
        tree = {name: known[name] for name in plain}
        for name, kind, _ in others:
            if name != without:
                tree[name] = self.value(known[name], kind)
        return tree

    def value(self, value: Any, kind: FieldKind) -> Any:
        if value is None:
            return None
        if kind is FieldKind.ARRAY:
            return self.array(value)
        if kind is FieldKind.STATUS:
            return value.value
        if kind is FieldKind.RECORD:
            return self.record(value)
        if kind is FieldKind.RECORDS:
            return [self.record(v) for v in value]
        return value

    def array(self, array: np.ndarray) -> str | list[int]:
        name = self._shared.get(id(array))
        if name is not None:
            return name
        raw = array.astype(_FLOAT, copy=False).tobytes()
        place = [self._size, *array.shape]
        self.buffers.append(raw)
        self._size += len(raw)
        return place

    def payload(self, tree: dict[str, Any]) -> bytes:
        text = _JSON.encode(tree).encode()
        return b"".join((_HEADER.pack(len(text)), text, *self.buffers))


def _scalar(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"cannot keep a {type(value).__name__} in a landscape file; expected numbers, text, lists and dicts")


_JSON = json.JSONEncoder(default=_scalar, separators=(",", ":"))


class _Decoder:
    """The inverse of `_Encoder`."""

    def __init__(self, arrays: memoryview, shared: Mapping[str, np.ndarray]):
        self._arrays = arrays
        self._shared = shared

    def record(self, cls: type, tree: Mapping[str, Any]) -> Any:
        return cls(
            **{field.name: self.value(tree[field.name], field.kind, field.type) for field in fields(cls) if field.name in tree}
        )

    def value(self, value: Any, kind: FieldKind, cls: Any) -> Any:
        if value is None:
            return None
        if kind is FieldKind.ARRAY:
            return self.array(value)
        if kind is FieldKind.STATUS:
            return cls(value)
        if kind is FieldKind.RECORD:
            return self.record(cls, value)
        if kind is FieldKind.RECORDS:
            return tuple(self.record(cls, v) for v in value)
        return value

    def array(self, place: str | list[int]) -> np.ndarray:
        if isinstance(place, str):
            return self._shared[place]
        offset, *shape = place
        count = 1
        for size in shape:
            count *= size
        # The copy owns its memory and is aligned, whatever the length of the header was.
        return np.frombuffer(self._arrays, dtype=_FLOAT, count=count, offset=offset).reshape(shape).astype(np.float64)


def encode(kind: str, **content: Any) -> bytes:
    """The payload of a journal record.

    Parameters
    ----------
    kind : str
        What happened: "result", "begin", "end", ...
    **content
        Records, tuples of records, or JSON-ready values.
    """
    encoder = _Encoder({})
    tree: dict[str, Any] = {"kind": kind}
    for name, value in content.items():
        if isinstance(value, tuple):
            tree[name] = [encoder.record(v) for v in value]
        elif hasattr(value, "__dataclass_fields__"):
            tree[name] = encoder.record(value)
        else:
            tree[name] = value
    return encoder.payload(tree)


def open_payload(payload: bytes | memoryview) -> tuple[dict[str, Any], memoryview]:
    """The JSON header of a payload, and the bytes of its arrays.

    Raises
    ------
    ValueError
        If it is not a payload.
    """
    view = memoryview(payload)
    if len(view) < _HEADER.size:
        raise ValueError(f"payload of {len(view)} bytes, expected at least {_HEADER.size}")
    (length,) = _HEADER.unpack_from(view)
    end = _HEADER.size + length
    return json.loads(bytes(view[_HEADER.size : end])), view[end:]


def decode(cls: type, tree: Mapping[str, Any], arrays: memoryview) -> Any:
    """A record from its JSON tree and the bytes of the arrays.

    Raises
    ------
    KeyError, TypeError, ValueError
        If they do not make one.
    """
    return _Decoder(arrays, {}).record(cls, tree)


def _arrays_of(result: SearchResult) -> dict[str, np.ndarray]:
    """The arrays a commit may refer to by name, because the record of its result has them."""
    shared = {"result.x": result.x}
    if result.point is not None:
        for field in fields(type(result.point)):
            if field.kind is FieldKind.ARRAY:
                shared[f"point.{field.name}"] = getattr(result.point, field.name)
    return shared


def encode_commit(commit: Commit, recorded: SearchResult) -> bytes:
    """The payload of a commit; what its search result says beyond the recorded one is all that is kept of the result.

    Parameters
    ----------
    commit : Commit
    recorded : SearchResult
        The result as it was recorded when it arrived.
    """
    encoder = _Encoder(_arrays_of(recorded))
    result = commit.search.result
    changes = {}
    if result is not recorded:
        for name, kind, _ in fields(SearchResult):
            value, known = getattr(result, name), getattr(recorded, name)
            if value is known or name == "point":
                continue
            if kind in (FieldKind.ARRAY, FieldKind.RECORD) or value != known:
                changes[name] = encoder.value(value, kind)
    search = encoder.record(commit.search, without="result")
    return encoder.payload({"kind": "commit", "changes": changes, "search": search, **encoder.record(commit, without="search")})


def decode_commit(tree: Mapping[str, Any], arrays: memoryview, recorded: Mapping[int, SearchResult]) -> Commit:
    """A commit from its payload.

    Parameters
    ----------
    tree, arrays
        As `open_payload` returns them.
    recorded : mapping of int to SearchResult
        The results recorded before, by task id.

    Raises
    ------
    KeyError, TypeError, ValueError
        If they do not make a commit, or its result was not recorded.
    """
    result = recorded[tree["search"]["task"]["id"]]
    decoder = _Decoder(arrays, _arrays_of(result))
    kinds = {field.name: field for field in fields(SearchResult)}
    kept = {name: getattr(result, name) for name in kinds}
    kept["point"] = None
    kept.update((name, decoder.value(value, kinds[name].kind, kinds[name].type)) for name, value in tree["changes"].items())
    search = decoder.record(SearchRecord, {**tree["search"], "result": None})
    rest = {f.name: decoder.value(tree[f.name], f.kind, f.type) for f in fields(Commit) if f.name != "search" and f.name in tree}
    return Commit(search=replace(search, result=SearchResult(**kept)), **rest)
