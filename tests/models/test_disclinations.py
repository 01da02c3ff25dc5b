"""Disclination lines of analytic directors in space."""

import numpy as np
import pytest

from saddlescape.models import LandauDeGennes
from saddlescape.models.liquid_crystals import Cuboid
from saddlescape.models.liquid_crystals.states.disclinations import grid_lines, mesh_lines
from saddlescape.models.liquid_crystals.states.reading import read_tensor
from saddlescape.models.liquid_crystals.tensors import conjugation, uniaxial

from .states import ball_mesh, box, line, ring


def test_a_split_hedgehog_is_one_closed_loop_on_a_grid():
    axes, places = box()
    rows = grid_lines(ring(places, 0.5), *axes)
    assert (rows[:, 3] == 0.0).all() and len(rows) > 20
    np.testing.assert_array_equal(rows[0], rows[-1])
    np.testing.assert_allclose(np.hypot(rows[:, 0], rows[:, 1]), 0.5, atol=0.05)
    np.testing.assert_allclose(rows[:, 2], 0.0, atol=0.05)
    turn = np.diff(np.unwrap(np.arctan2(rows[:, 1], rows[:, 0]))).sum()
    assert abs(turn) == pytest.approx(2.0 * np.pi)


def test_a_split_hedgehog_is_one_closed_loop_on_a_mesh():
    nodes, tetrahedra = ball_mesh()
    rows = mesh_lines(ring(nodes, 0.5), nodes, tetrahedra)
    main = rows[rows[:, 3] == 0.0, :3]
    np.testing.assert_array_equal(main[0], main[-1])
    np.testing.assert_allclose(np.hypot(main[:, 0], main[:, 1]), 0.5, atol=0.12)
    assert abs(np.diff(np.unwrap(np.arctan2(main[:, 1], main[:, 0]))).sum()) == pytest.approx(2.0 * np.pi)


@pytest.mark.parametrize("kind", ["grid", "mesh"])
def test_a_straight_line_goes_from_wall_to_wall(kind):
    if kind == "grid":
        axes, places = box()
        rows = grid_lines(line(places, 0.13, -0.21), *axes)
    else:
        nodes, tetrahedra = ball_mesh()
        rows = mesh_lines(line(nodes, 0.13, -0.21), nodes, tetrahedra)
        rows = rows[rows[:, 3] == 0.0]
    assert (rows[:, 3] == 0.0).all()
    np.testing.assert_allclose(rows[:, :2], [[0.13, -0.21]] * len(rows), atol=0.07 if kind == "grid" else 0.2)
    assert abs(rows[-1, 2] - rows[0, 2]) == pytest.approx(2.0, abs=1e-9 if kind == "grid" else 0.2)
    assert (rows[0, :3] != rows[-1, :3]).any()


def test_two_lines_are_two():
    axes, places = box(22, 22, 8)
    angle = sum(charge * np.arctan2(places[..., 1] - 0.03, places[..., 0] - x) for x, charge in ((-0.5, 0.5), (0.5, -0.5)))
    q = uniaxial(np.stack([np.cos(angle), np.sin(angle), 0.0 * angle], axis=-1), 1.0)
    rows = grid_lines(q, *axes)
    assert np.unique(rows[:, 3]).tolist() == [0.0, 1.0]
    assert sorted(np.round(rows[rows[:, 3] == k, 0].mean(), 1) for k in (0.0, 1.0)) == [-0.5, 0.5]


def test_the_sign_of_directors_and_the_axes_do_not_matter():
    nodes, tetrahedra = ball_mesh(800)
    rotation, _ = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))
    lines = mesh_lines(ring(nodes, 0.5), nodes, tetrahedra)
    turned_nodes = nodes @ rotation.T
    turned = mesh_lines(conjugation(rotation) @ ring(nodes, 0.5), turned_nodes, tetrahedra)
    np.testing.assert_allclose(turned[:, :3], lines[:, :3] @ rotation.T, atol=0.02)


def test_without_half_turns_there_are_no_lines():
    axes, places = box(10, 10, 10)
    twisted = uniaxial(np.stack([np.cos(places[..., 2]), np.sin(places[..., 2]), 0.0 * places[..., 2]], axis=-1), 1.0)
    assert grid_lines(twisted, *axes).shape == (0, 4)
    # Nodes lie around the centre of a radial hedgehog, none at it: no face is pierced, or a loop no larger than a cell.
    radial = uniaxial(places / np.linalg.norm(places, axis=-1, keepdims=True), 1.0)
    rows = grid_lines(radial, *axes)
    assert np.abs(rows[:, :3]).max(initial=0.0) < 0.25


@pytest.mark.parametrize("noise", [0.0, 1e-13, 1e-6])
@pytest.mark.parametrize("start", ["wors", "d", "r"])
def test_walls_and_contradictory_edges_are_no_lines(start, noise):
    model = LandauDeGennes(9, 20.0, domain=Cuboid(height=0.5))
    x = model.start(start) + noise * np.random.default_rng(0).normal(size=model.dim)
    assert model.unpack(x)["disclinations"].shape == (0, 4)


def test_an_isotropic_region_is_full_of_nothing():
    axes, places = box(10, 10, 10)
    noise = 1e-12 * np.random.default_rng(0).normal(size=(5, 10, 10, 10))
    ordered = uniaxial(np.broadcast_to([1.0, 0.0, 0.0], places.shape), 1.0)
    assert len(grid_lines(np.where(places[..., 0] < 0.0, ordered, 0.0) + noise, *axes)) == 0


def test_a_state_in_space_carries_its_lines():
    axes, places = box()
    fields = read_tensor(ring(places, 0.5), dict(zip("xyz", axes, strict=True)), np.zeros(places.shape[:-1]))
    assert fields["disclinations"].shape[1] == 4 and "defects" not in fields
    nodes, tetrahedra = ball_mesh(400)
    fields = read_tensor(ring(nodes, 0.5), {"nodes": nodes, "tetrahedra": tetrahedra}, np.zeros(len(nodes)))
    assert fields["disclinations"].shape[1] == 4
