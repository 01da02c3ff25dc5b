"""A landscape as GraphML, JSON or CSV, for programs that do not read HDF5."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..given import nearest
from .expand import to_networkx

if TYPE_CHECKING:
    import networkx

    from .landscape import Landscape

FORMATS = ("graphml", "json", "csv")


def export(landscape: Landscape, path: str | os.PathLike[str], format: str | None = None) -> list[Path]:
    """Write nodes and edges of a landscape in a format that other programs read.

    Parameters
    ----------
    landscape : Landscape
    path : path
        Where to. Existing files are replaced.
    format : str, optional
        "graphml", "json" or "csv"; by default the ending of ``path``.

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    ValueError
        If there is no such format, or a landscape file is in the way.
    OSError
        If a file cannot be written.

    Notes
    -----
    All hold the attributes of `Landscape.to_networkx`; floats are written so that they read back as the same numbers.

    * GraphML: one file; the group element of an edge, an array, is JSON text.
    * JSON: one file in networkx' node-link form (``networkx.node_link_graph(data, edges="edges")``), with ``x`` and
      ``eigenvalues`` of each node besides. What is not finite is null, as JSON has no NaN.
    * CSV: two files, ``NAME_nodes.csv`` and ``NAME_edges.csv`` for a path ``NAME.csv``, with another ending if the path has one;
      group elements are JSON text.
    """
    path = Path(path)
    form = (path.suffix[1:] if format is None else format).lower()
    if form not in FORMATS:
        by = f" by the ending of {path}" if format is None else ""
        raise ValueError(f"format: got {form!r}{by}, expected one of {list(FORMATS)}{nearest(form, list(FORMATS))}")
    from ..store.envelope import is_ours

    targets = [path]
    if form == "csv":
        targets = [path.with_name(f"{path.stem}_{name}{path.suffix or '.csv'}") for name in ("nodes", "edges")]
    for target in targets:
        if target.is_file() and is_ours(target):
            raise ValueError(f"path: {target} is a landscape file, which an export does not replace; choose another name")
    graph = to_networkx(landscape)
    if form == "csv":
        _write_csv(graph, *targets)
    elif form == "json":
        path.write_text(json.dumps(_node_link(graph, landscape), allow_nan=False, indent=1) + "\n", encoding="utf-8")
    else:
        _write_graphml(graph, path)
    return targets


def _plain(value: Any) -> Any:
    """A value as JSON has it: no NumPy types, no NaN."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(v) for v in value]
    return value


def _flat(value: Any) -> Any:
    """A value for a format that knows only scalars: lists become JSON text, None an empty string."""
    if value is None:
        return ""
    if isinstance(value, (np.ndarray, list, tuple, dict)):
        return json.dumps(_plain(value))
    return value.item() if isinstance(value, np.generic) else value


def _node_link(graph: networkx.MultiDiGraph, landscape: Landscape) -> dict[str, Any]:
    nodes = [
        {"id": i, **attributes, "x": landscape.nodes[i].point.x, "eigenvalues": landscape.nodes[i].point.eigenvalues}
        for i, attributes in graph.nodes(data=True)
    ]
    edges = [{"source": a, "target": b, "key": key, **attributes} for a, b, key, attributes in graph.edges(keys=True, data=True)]
    return _plain({"directed": True, "multigraph": True, "graph": graph.graph, "nodes": nodes, "edges": edges})


def _write_graphml(graph: networkx.MultiDiGraph, path: Path) -> None:
    import networkx

    for _, attributes in graph.nodes(data=True):
        attributes.update({name: _flat(value) for name, value in attributes.items()})
    for *_, attributes in graph.edges(data=True):
        attributes.update({name: _flat(value) for name, value in attributes.items()})
    networkx.write_graphml_xml(graph, path)


def _write_csv(graph: networkx.MultiDiGraph, nodes_path: Path, edges_path: Path) -> None:
    nodes = [{"id": i, **attributes} for i, attributes in graph.nodes(data=True)]
    edges = [{"parent": a, "child": b, "key": key, **attributes} for a, b, key, attributes in graph.edges(keys=True, data=True)]
    for target, rows, first in ((nodes_path, nodes, ("id",)), (edges_path, edges, ("parent", "child", "key"))):
        header = list(rows[0]) if rows else list(first)
        with target.open("w", newline="", encoding="utf-8") as handle:
            writer = csv.DictWriter(handle, header)
            writer.writeheader()
            writer.writerows({k: _flat(v) for k, v in row.items()} for row in rows)
