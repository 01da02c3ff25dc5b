"""Domains from mesh files: what comes back, and what is refused."""

import json
import pickle

import meshio
import numpy as np
import pytest

from saddlescape import explore, load_model
from saddlescape.models.liquid_crystals import Hexagon, Mesh, ReducedLandauDeGennes
from saddlescape.naming import model_name, model_parameters

HEXAGON = Hexagon().discretise(6)


def written(
    path,
    points=HEXAGON.nodes,
    cells=HEXAGON.cells,
    facets=HEXAGON.parts["boundary"].nodes,
    tags=None,
    kinds=("triangle", "line"),
    names=None,
    **options,
):
    """A Gmsh file of triangles and tagged edges."""
    tags = np.full(len(facets), 7) if tags is None else np.asarray(tags)
    points = np.pad(points, ((0, 0), (0, 3 - points.shape[1])))
    blocks = [(kinds[0], cells), (kinds[1], facets)] if len(facets) else [(kinds[0], cells)]
    data = {key: [np.full(len(cells), 1), tags][: len(blocks)] for key in ("gmsh:physical", "gmsh:geometrical")}
    dimension = 1 if kinds[1] == "line" else 2
    field_data = {name: np.array([number, dimension]) for name, number in (names or {}).items()}
    mesh = meshio.Mesh(points, blocks, cell_data=data if tags.size or len(facets) else {}, field_data=field_data)
    mesh.write(path, file_format="gmsh22", **{"binary": False, **options})
    return path


def halves(facets, points):
    """1 for the facets above the x axis, 2 for those below."""
    return np.where(points[facets].mean(axis=1)[:, 1] > 0.0, 1, 2)


@pytest.mark.parametrize("binary", [False, True])
def test_a_mesh_comes_back_with_its_parts(tmp_path, binary):
    facets = HEXAGON.parts["boundary"].nodes
    path = written(tmp_path / "h.msh", tags=halves(facets, HEXAGON.nodes), names={"top": 1, "bottom": 2}, binary=binary)
    mesh = Mesh(path).discretise(2)
    assert set(mesh.parts) == {"top", "bottom"}
    assert mesh.surface_weights("top").sum() == pytest.approx(3.0)
    assert mesh.weights.sum() == pytest.approx(HEXAGON.weights.sum())
    assert (mesh.parts["top"].normals[:, 1] > -1e-12).all()
    np.testing.assert_allclose(
        np.linalg.eigvalsh(mesh.stiffness.toarray()), np.linalg.eigvalsh(HEXAGON.stiffness.toarray()), atol=1e-12
    )


def test_the_landscape_of_a_file_is_that_of_the_shape_spread_out(tmp_path):
    model = ReducedLandauDeGennes(2, 20.0, domain=Mesh(written(tmp_path / "h.msh")))
    # A file says nothing of symmetry: the states that the hexagon turns into each other are found one by one.
    landscape = explore(model, [model.start("harmonic"), model.start("uniform")], max_index=2, upward=True)
    assert landscape.euler_characteristic() == 1
    same = explore(ReducedLandauDeGennes(6, 20.0, domain=Hexagon()))
    assert landscape.index_counts() == same.index_counts()
    ours, theirs = ({round(p.energy, 8) for p in each.points} for each in (landscape, same))
    assert ours == theirs


def test_parts_can_be_anchored_apart(tmp_path):
    facets = HEXAGON.parts["boundary"].nodes
    mesh = Mesh(written(tmp_path / "h.msh", tags=halves(facets, HEXAGON.nodes)))
    model = ReducedLandauDeGennes(2, 10.0, domain=mesh, anchoring={"1": "tangent", "2": "free"})
    assert model.n_nodes == len(HEXAGON.nodes) - 16  # three edges of six nodes


def test_a_model_remembers_the_file(tmp_path):
    path = written(tmp_path / "h.msh")
    model = ReducedLandauDeGennes(2, 10.0, domain=Mesh(path))
    again = load_model(model_name(model), json.loads(json.dumps(model_parameters(model))))
    assert again == model == pickle.loads(pickle.dumps(model))
    written(path, points=1.1 * HEXAGON.nodes)
    with pytest.raises(ValueError, match="the file has changed"):
        load_model(model_name(model), model_parameters(model))


def test_tetrahedra_are_read_and_refused_by_the_reduced_model(tmp_path):
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    facets = np.array([[0, 1, 2], [0, 1, 3], [0, 2, 3], [1, 2, 3]])
    path = written(tmp_path / "t.msh", points, np.array([[0, 1, 2, 3]]), facets, kinds=("tetra", "triangle"), names={"wall": 7})
    mesh = Mesh(path).discretise(2)
    assert mesh.dimension == 3 and mesh.weights.sum() == pytest.approx(1 / 6)
    assert mesh.surface_weights("wall").sum() == pytest.approx(1.5 + np.sqrt(3) / 2)
    u = mesh.nodes @ [1.0, 2.0, -1.0]
    assert u @ mesh.stiffness @ u == pytest.approx(1.0)
    flux = mesh.parts["wall"].areas * (mesh.parts["wall"].normals * mesh.nodes[mesh.parts["wall"].nodes].mean(axis=1)).sum(axis=1)
    assert flux.sum() == pytest.approx(0.5)
    with pytest.raises(ValueError, match="expected a plane domain"):
        ReducedLandauDeGennes(2, 10.0, domain=Mesh(path))


def flipped():
    cells = HEXAGON.cells.copy()
    cells[3] = cells[3][::-1]
    return cells


def torn():
    """Two hexagons apart."""
    size = len(HEXAGON.nodes)
    facets = HEXAGON.parts["boundary"].nodes
    return {
        "points": np.concatenate([HEXAGON.nodes, HEXAGON.nodes + np.array([3.0, 0.0])]),
        "cells": np.concatenate([HEXAGON.cells, HEXAGON.cells + size]),
        "facets": np.concatenate([facets, facets + size]),
    }


FACETS = HEXAGON.parts["boundary"].nodes
BAD = {
    "inverted": ({"cells": flipped()}, "element 3 is inverted"),
    "flat": ({"points": HEXAGON.nodes * [1.0, 0.0]}, "is flat"),
    "unconnected": (torn(), "not connected, they form 2 pieces"),
    "unused": ({"points": np.concatenate([HEXAGON.nodes, [[9.0, 9.0]]])}, "1 nodes belong to no element, the first is number 91"),
    "untagged": ({"facets": FACETS[:0]}, "none of the 30 facets of its boundary has a tag"),
    "partly tagged": ({"facets": FACETS[2:]}, "2 of the 30 facets of its boundary have no tag"),
    "inside": ({"facets": np.concatenate([FACETS, HEXAGON.cells[:1, :2]])}, "is no part of the boundary"),
    "in space": ({"points": np.pad(HEXAGON.nodes, ((0, 0), (0, 1))) + np.arange(91)[:, None] * [0, 0, 0.1]}, "triangles in space"),
    "lines": ({"cells": FACETS, "kinds": ("line", "line")}, r"got elements \['line'\]"),
    "overlapping": ({"cells": np.concatenate([HEXAGON.cells, HEXAGON.cells[-1:]])}, "elements meet in one facet"),
    "not a number": ({"points": np.where(np.arange(91)[:, None] == 5, np.nan, HEXAGON.nodes)}, "not finite"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_a_mesh_that_is_no_domain_is_refused(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        Mesh(written(tmp_path / "bad.msh", **arguments))


def test_second_order_elements_are_refused(tmp_path):
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0.5, 0, 0], [0.5, 0.5, 0], [0, 0.5, 0]])
    meshio.Mesh(points, [("triangle6", [[0, 1, 2, 3, 4, 5]])]).write(tmp_path / "t.vtk")
    with pytest.raises(ValueError, match=r"got elements \['triangle6'\], expected triangles or tetrahedra of first order"):
        Mesh(tmp_path / "t.vtk")


@pytest.mark.parametrize("size", [10, 400, 3000])
def test_a_truncated_file_is_refused(tmp_path, size):
    path = written(tmp_path / "h.msh")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match="mesh file"):
        Mesh(path)


def test_a_file_that_is_not_there_or_of_no_known_format_is_refused(tmp_path, capsys):
    with pytest.raises(ValueError, match=r"cannot be read \(No such file"):
        Mesh(tmp_path / "none.msh")
    (tmp_path / "notes.txt").write_text("no mesh")
    with pytest.raises(ValueError, match="cannot be read: is it whole"):
        Mesh(tmp_path / "notes.txt")
    assert capsys.readouterr() == ("", "")


def test_other_numbers_of_nodes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="n: got 33, expected 2: a mesh from a file has the nodes of the file"):
        ReducedLandauDeGennes(33, 10.0, domain=Mesh(written(tmp_path / "h.msh")))
