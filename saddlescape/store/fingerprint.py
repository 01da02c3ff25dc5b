"""A fingerprint of every number of a landscape that a seed determines."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from typing import Any

import numpy as np

from ..landscape.landscape import Landscape
from ..results import SearchResult, Trajectory
from .schema import FieldKind, fields

# What two runs with one seed may differ in: how long they took.
_IRREPRODUCIBLE = {(SearchResult, "seconds")}
_REAL = struct.Struct("<d")


def digest(landscape: Landscape) -> str:
    """SHA-256 over nodes, edges, searches, frontier, pending searches, model, and the configuration and seed of each run.

    Equal for two landscapes that agree bit for bit up to uuid, dates, wall times, and the status of runs. Trajectories enter in
    the single precision in which files keep them.

    Returns
    -------
    str
        Hexadecimal.
    """
    sha = hashlib.sha256()
    info = landscape.info
    _text(sha, json.dumps([info.name, info.params_sha256, info.dim], sort_keys=True))
    _array(sha, np.asarray(info.mass, dtype="<f8"))
    for run in landscape.runs:
        _text(sha, json.dumps([run.id, run.configuration, run.entropy], sort_keys=True))
    for title, records in (
        ("nodes", landscape.nodes),
        ("edges", landscape.edges),
        ("searches", landscape.searches),
        ("frontier", landscape.frontier.values()),
        ("pending", landscape.pending.values()),
    ):
        _text(sha, title)
        for record in records:
            _record(sha, record)
    return sha.hexdigest()


def _text(sha: Any, text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    sha.update(b"%d:" % len(raw))
    sha.update(raw)


def _array(sha: Any, array: np.ndarray) -> None:
    sha.update(b"%d," % array.size)
    sha.update(array.tobytes())


def _record(sha: Any, record: Any) -> None:
    cls = type(record)
    precision = "<f4" if cls is Trajectory else "<f8"
    for field in fields(cls):
        if (cls, field.name) in _IRREPRODUCIBLE:
            continue
        sha.update(b";")
        value = getattr(record, field.name)
        if value is None:
            sha.update(b"none")
        elif field.kind is FieldKind.REAL:
            # One NaN for all: its sign and payload depend on the instruction that made it.
            sha.update(_REAL.pack(math.nan if math.isnan(value) else value))
        elif field.kind is FieldKind.INTEGER:
            sha.update(b"%d" % value)
        elif field.kind is FieldKind.ARRAY:
            with np.errstate(over="ignore"):
                _array(sha, np.asarray(value, dtype=precision))
        elif field.kind is FieldKind.RECORD:
            _record(sha, value)
        elif field.kind is FieldKind.STATUS:
            _text(sha, value.value)
        else:
            _text(sha, str(value))
