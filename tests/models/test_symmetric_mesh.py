"""Meshes made of mirror images: conforming, positively oriented, and exactly symmetric."""

from itertools import combinations

import numpy as np
import pytest

from saddlescape.models.liquid_crystals.discretisation.symmetric_mesh import (
    group_of,
    kuhn_cells,
    mirrored,
    permutations_of,
    reflection,
)


def simplex(points):
    return (np.diff(points, axis=-1) <= 0).all(axis=-1)


def kaleidoscope(*corners):
    """The group of the mirrors through the origin that bound the cone over some corners."""
    corners = np.array(corners, dtype=float)
    d = len(corners)
    normals = [np.linalg.svd(corners[[i for i in range(d) if i != left]])[2][-1] for left in range(d)]
    return corners, group_of([reflection(normal) for normal in normals])


GOLDEN = 0.5 * (1.0 + np.sqrt(5.0))
CORNERS = {
    "hexagon": (kaleidoscope((np.sqrt(0.75), 0.0), (np.sqrt(0.75), 0.5)), 12),
    "triangle": (kaleidoscope((0.5, 0.0), (0.5, np.sqrt(0.75))), 6),
    "cube": (kaleidoscope((1, 0, 0), (1, 1, 0), (1, 1, 1)), 48),
    "icosahedron": (kaleidoscope((GOLDEN / 3, 0, (1 + 2 * GOLDEN) / 3), (0, 0, GOLDEN), (0, 1, GOLDEN)), 120),
}
VOLUMES = {
    "hexagon": 1.5 * np.sqrt(3.0),
    "triangle": 0.75 * np.sqrt(3.0),
    "cube": 8.0,
    "icosahedron": 8 * 5 * (3 + np.sqrt(5)) / 12,
}


@pytest.fixture(params=CORNERS)
def mesh(request):
    (corners, group), order = CORNERS[request.param]
    assert len(group) == order
    d, n = len(corners), 3
    numbers, cells = kuhn_cells((n,) * d, simplex)
    weights = (numbers - np.append(numbers[:, 1:], np.zeros((len(numbers), 1), int), axis=1)) / n
    points, cells = mirrored(weights @ corners, cells, group)
    return request.param, points, cells, group


def test_a_box_of_cubes_is_filled():
    points, cells = kuhn_cells((2, 1, 3), lambda p: np.ones(p.shape[:-1], bool))
    edges = points[cells[:, 1:]] - points[cells[:, :1]]
    assert len(points) == 3 * 2 * 4
    assert np.abs(np.linalg.det(edges)).sum() / 6 == pytest.approx(6.0)


def test_cells_fill_the_shape_without_overlap(mesh):
    name, points, cells, _ = mesh
    d = points.shape[1]
    volumes = np.linalg.det(points[cells[:, 1:]] - points[cells[:, :1]]) / (2.0 if d == 2 else 6.0)
    assert volumes.min() > 0.0
    assert volumes.sum() == pytest.approx(VOLUMES[name], rel=1e-12)


def test_cells_fit_together(mesh):
    _, points, cells, _ = mesh
    d = points.shape[1]
    faces = np.sort(cells[:, list(combinations(range(d + 1), d))].reshape(-1, d), axis=1)
    distinct, times = np.unique(faces, axis=0, return_counts=True)
    assert set(times) == {1, 2}
    edges = np.unique(np.sort(cells[:, list(combinations(range(d + 1), 2))].reshape(-1, 2), axis=1), axis=0)
    euler = len(points) - len(edges) + (len(distinct) - len(cells) if d == 3 else len(cells))
    assert euler == 1  # of a ball
    boundary, walls = distinct[times == 1], np.linalg.norm(points, axis=1)
    assert walls[np.unique(boundary)].min() > 0.49 * walls.max()


def test_group_permutes_nodes_and_cells(mesh):
    _, points, cells, group = mesh
    numbers = permutations_of(points, group)
    known = {tuple(row) for row in np.sort(cells, axis=1)}
    for element, permutation in zip(group, numbers, strict=True):
        assert points[permutation] == pytest.approx(points @ element.T, abs=1e-12)
        assert {tuple(row) for row in np.sort(permutation[cells], axis=1)} == known


def test_mirrors_that_generate_no_finite_group_are_refused():
    with pytest.raises(ValueError, match="no finite group"):
        group_of([reflection(np.array([1.0, 0.0])), reflection(np.array([np.cos(1.0), np.sin(1.0)]))])


def test_a_mesh_that_lacks_the_symmetry_is_told():
    points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    with pytest.raises(ValueError, match="not symmetric"):
        permutations_of(points, group_of([reflection(np.array([1.0, -1.0]))]))
