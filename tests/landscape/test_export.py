"""Exports read back as the graph they were made from."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import networkx
import numpy as np
import pytest

from saddlescape.landscape.expand import to_networkx
from saddlescape.landscape.export import export
from saddlescape.landscape.info import ModelInfo
from saddlescape.landscape.landscape import Landscape
from saddlescape.landscape.records import Edge, Node
from saddlescape.results import StationaryPoint

CERTIFICATE = "<dense> & „exact“"


@pytest.fixture
def landscape() -> Landscape:
    """Two saddles over two minima, parallel edges, NumPy scalars, and a maximum along a path that nobody recorded."""
    made = Landscape(ModelInfo("saddlescape.models.Synthetic", {}, "0" * 64, 2, 1.0, None, "none"))
    for i, index in enumerate((2, 1, 1, 0, 0)):
        x = np.array([i / 3, -0.1])
        values = np.linspace(-index, 1, 2)
        point = StationaryPoint(
            x, np.float64(i / 7), 1e-16, np.int64(index), 0, values, np.eye(2), np.zeros(2), CERTIFICATE, 1e-9, 2
        )
        made.nodes.append(Node(i, point, 0))
    ends = [(0, 1, 0), (0, 2, 0), (1, 3, 0), (1, 3, 1), (2, 4, 0)]
    for i, (parent, child, key) in enumerate(ends):
        height = math.nan if i == 0 else i / 11
        element = np.array([1.0, 0.5])
        made.edges.append(Edge(parent, child, element, key, "down", np.int64(i), -1, "HiSD(index=1)", "mass", i, height, 2))
    return made


def same_graph(read: networkx.MultiDiGraph, landscape: Landscape, element) -> None:
    expected = to_networkx(landscape)
    assert sorted(int(n) for n in read) == sorted(expected)
    for n, attributes in expected.nodes(data=True):
        found = read.nodes[str(n) if str(n) in read else n]
        assert {k: found[k] for k in attributes} == attributes
    found = {(int(a), int(b), int(k)): d for a, b, k, d in read.edges(keys=True, data=True)}
    assert len(found) == expected.number_of_edges()
    for a, b, k, attributes in expected.edges(keys=True, data=True):
        edge = dict(found[a, b, k])
        edge["element"] = element(edge["element"])
        for name, value in attributes.items():
            if isinstance(value, float) and math.isnan(value):
                assert edge[name] is None or math.isnan(edge[name])
            else:
                assert edge[name] == value, name


def test_graphml(landscape: Landscape, tmp_path: Path) -> None:
    assert export(landscape, tmp_path / "a.graphml", "graphml") == [tmp_path / "a.graphml"]
    read = networkx.read_graphml(tmp_path / "a.graphml", force_multigraph=True)
    assert read.graph["model"] == "saddlescape.models.Synthetic"
    same_graph(read, landscape, json.loads)


def test_json(landscape: Landscape, tmp_path: Path) -> None:
    def no_constant(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    export(landscape, tmp_path / "a.json")
    data = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"), parse_constant=no_constant)
    read = networkx.node_link_graph(data, edges="edges")
    same_graph(read, landscape, list)
    for node in landscape.nodes:
        assert read.nodes[node.id]["x"] == node.point.x.tolist()
        assert read.nodes[node.id]["eigenvalues"] == node.point.eigenvalues.tolist()


def test_csv(landscape: Landscape, tmp_path: Path) -> None:
    written = export(landscape, tmp_path / "a.csv")
    assert [p.name for p in written] == ["a_nodes.csv", "a_edges.csv"]
    nodes, edges = (list(csv.DictReader(p.read_text(encoding="utf-8").splitlines())) for p in written)
    assert [int(n["id"]) for n in nodes] == [0, 1, 2, 3, 4]
    assert [float(n["energy"]) for n in nodes] == [float(p.energy) for p in landscape.points]
    assert {n["certificate"] for n in nodes} == {CERTIFICATE}
    for name in ("parent", "child", "key"):
        assert [int(e[name]) for e in edges] == [getattr(e, name) for e in landscape.edges]
    assert [json.loads(e["element"]) for e in edges] == [[1.0, 0.5]] * 5
    assert [float(e["max_energy"]) for e in edges[1:]] == [e.max_energy for e in landscape.edges[1:]]


@pytest.mark.parametrize("form", ["graphml", "json", "csv"])
def test_an_empty_landscape_exports(landscape: Landscape, tmp_path: Path, form: str) -> None:
    written = export(Landscape(landscape.info), tmp_path / "empty", form)
    assert all(p.stat().st_size > 0 for p in written)
    if form == "csv":
        assert [p.read_text().strip() for p in written] == ["id", "parent,child,key"]


def test_an_unknown_format_suggests_the_near_one(landscape: Landscape, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"format: got 'grapml', expected one of .*did you mean 'graphml'"):
        export(landscape, tmp_path / "a.h5", "grapml")
    with pytest.raises(ValueError, match="format: got ''"):
        export(landscape, tmp_path / "noending")


def test_a_landscape_file_is_not_replaced(landscape: Landscape, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    landscape.save(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="is a landscape file, which an export does not replace"):
        export(landscape, path, "json")
    assert path.read_bytes() == before
    landscape.save(tmp_path / "run_nodes.h5")
    with pytest.raises(ValueError, match=r"run_nodes\.h5 is a landscape file"):
        export(landscape, tmp_path / "run.h5", "csv")
    assert not (tmp_path / "run_edges.h5").exists()


def test_the_format_given_wins_over_the_ending(landscape: Landscape, tmp_path: Path) -> None:
    names = {
        "a.json": ["a_nodes.json", "a_edges.json"],
        "a.b.dat": ["a.b_nodes.dat", "a.b_edges.dat"],
        "a": ["a_nodes.csv", "a_edges.csv"],
    }
    for name, expected in names.items():
        assert [path.name for path in export(landscape, tmp_path / name, "CSV")] == expected
    assert (tmp_path / "a_nodes.json").read_text() == (tmp_path / "a_nodes.csv").read_text()
