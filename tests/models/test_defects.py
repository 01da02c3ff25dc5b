"""Point defects of analytic directors: charges exactly, places within a cell."""

import numpy as np
import pytest

from saddlescape.models import ReducedLandauDeGennes
from saddlescape.models.liquid_crystals.states.defects import grid_defects, mesh_defects
from saddlescape.models.liquid_crystals.states.reading import embedded, point_defects
from saddlescape.models.liquid_crystals.tensors import conjugation, uniaxial

from .states import AXIS, planar, plane_grid, plane_mesh

CHARGES = [0.5, -0.5, 1.0, -1.0]
H = AXIS[1] - AXIS[0]


@pytest.mark.parametrize("charge", CHARGES)
@pytest.mark.parametrize("core", [0.0, 0.2])
def test_one_defect_on_a_grid(charge, core):
    rng = np.random.default_rng(7)
    places = [*rng.uniform(-0.8, 0.8, (40, 2)), (0.0, 0.0), (AXIS[9], AXIS[20]), (AXIS[9], 0.01)]
    for x, y in places:
        defects = grid_defects(planar(plane_grid(), [(x, y, charge)], core), AXIS, AXIS)
        assert defects.shape == (1, 3) and defects[0, 2] == charge
        assert np.hypot(*(defects[0, :2] - [x, y])) < 0.75 * H


@pytest.mark.parametrize("charge", CHARGES)
def test_one_defect_on_a_mesh(charge):
    nodes, triangles = plane_mesh()
    rng = np.random.default_rng(8)
    for x, y in rng.uniform(-0.7, 0.7, (40, 2)):
        defects = mesh_defects(planar(nodes.T, [(x, y, charge)], 0.2), nodes, triangles)
        assert defects.shape == (1, 3) and defects[0, 2] == charge
        assert np.hypot(*(defects[0, :2] - [x, y])) < 0.12


def test_a_core_is_found_where_it_is():
    # |P| falls linearly in the core: the place is that of the zero, not of its cell.
    for x, y in np.random.default_rng(2).uniform(-0.7, 0.7, (20, 2)):
        found = grid_defects(planar(plane_grid(), [(x, y, 0.5)], 0.5), AXIS, AXIS)
        assert np.hypot(*(found[0, :2] - [x, y])) < 0.15 * H


def test_charges_add_up_to_the_turn_along_the_boundary():
    nodes, triangles = plane_mesh()
    rng = np.random.default_rng(5)
    boundary = np.flatnonzero(np.abs(nodes).max(axis=1) == 1.0)
    boundary = boundary[np.argsort(np.arctan2(*nodes[boundary].T[::-1]))]
    for _ in range(10):
        places, charges = rng.uniform(-0.8, 0.8, (5, 2)), rng.choice([0.5, -0.5], 5)
        p = planar(nodes.T, np.column_stack([places, charges]), 0.1)
        angle = np.arctan2(*p[::-1, boundary])
        steps = np.angle(np.exp(1j * np.diff(angle, append=angle[0])))
        assert steps.sum() / (4.0 * np.pi) == pytest.approx(charges.sum(), abs=1e-12)
        assert mesh_defects(p, nodes, triangles)[:, 2].sum() == charges.sum()


def test_several_defects_are_told_apart_and_sorted():
    given = np.array([(-0.5, 0.4, 0.5), (0.1, -0.6, -0.5), (0.55, 0.3, 0.5)])
    found = grid_defects(planar(plane_grid(), given[::-1], 0.1), AXIS, AXIS)
    np.testing.assert_array_equal(found[:, 2], given[:, 2])
    np.testing.assert_allclose(found[:, :2], given[:, :2], atol=0.5 * H)


def test_a_pair_closer_than_the_mesh_can_tell_cancels():
    assert len(grid_defects(planar(plane_grid(), [(0.0, 0.0, 0.5), (0.5 * H, 0.0, -0.5)]), AXIS, AXIS)) == 0


def test_a_uniform_director_has_no_defects():
    nodes, triangles = plane_mesh()
    assert mesh_defects(planar(nodes.T, []), nodes, triangles).shape == (0, 3)
    assert mesh_defects(np.zeros((2, len(nodes))), nodes, triangles).shape == (0, 3)


def test_mirror_images_have_mirror_images_of_defects():
    p = planar(plane_grid(), [(0.31, 0.12, 0.5)], 0.3)
    mirrored = p[:, :, ::-1] * np.array([1.0, -1.0])[:, None, None]
    np.testing.assert_allclose(grid_defects(mirrored, AXIS, AXIS), grid_defects(p, AXIS, AXIS) * [-1.0, 1.0, 1.0], atol=1e-12)


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_rotated_state_has_rotated_defects(quarter):
    p = planar(plane_grid(), [(0.31, 0.12, 0.5), (-0.4, -0.5, -0.5)], 0.3)
    turned = np.rot90(p, -quarter, axes=(1, 2))  # rows go up: negative for a rotation to the left
    angle = quarter * np.pi / 2
    c, s = np.cos(2 * angle), np.sin(2 * angle)
    found = grid_defects(np.stack([c * turned[0] - s * turned[1], s * turned[0] + c * turned[1]]), AXIS, AXIS)
    given = grid_defects(p, AXIS, AXIS)
    rotation = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    expected = np.column_stack([given[:, :2] @ rotation.T, given[:, 2]])
    np.testing.assert_allclose(found, expected[np.lexsort(expected.T[::-1])], atol=1e-12)


def test_turning_all_directors_moves_no_defect():
    nodes, triangles = plane_mesh()
    defects = [mesh_defects(planar(nodes.T, [(0.2, -0.3, -0.5)], 0.2, phase), nodes, triangles) for phase in (0.0, 0.4, 1.7)]
    np.testing.assert_allclose(defects, np.broadcast_to(defects[0], (3, 1, 3)), atol=1e-12)


def test_a_wall_is_no_point():
    model = ReducedLandauDeGennes(21, 20.0)
    wors = model.start("wors")
    assert model.unpack(wors)["defects"].shape == (0, 3)
    noise = 1e-14 * np.random.default_rng(0).normal(size=wors.size)
    assert model.unpack(wors + noise)["defects"].shape == (0, 3)


def test_a_wall_inside_has_the_charges_of_its_ends_or_none():
    x, y = plane_grid()
    wall = np.stack([np.tanh(5.0 * (np.hypot(x, y) - 0.5)), np.zeros_like(x)])  # closed, the same on both sides
    assert len(grid_defects(wall, AXIS, AXIS)) == 0


def test_a_director_that_escapes_has_no_defect():
    x, y = plane_grid()
    distance = np.hypot(x, y)
    lean = np.pi / 2 * np.minimum(distance / 0.8, 1.0)
    outward = np.stack([x, y]) / np.maximum(distance, 1e-300)
    n = np.stack([np.sin(lean) * outward[0], np.sin(lean) * outward[1], np.cos(lean)], axis=-1)
    geometry = {"x": AXIS, "y": AXIS}
    assert len(point_defects(uniaxial(n, 1.0), geometry)) == 0
    flat = uniaxial(np.stack([outward[0], outward[1], 1e-3 * np.cos(lean)], axis=-1), 1.0)
    assert point_defects(flat, geometry)[:, 2].tolist() == [1.0]


def test_defects_of_the_full_tensor_ignore_a_flip_of_z():
    q = embedded(planar(plane_grid(), [(0.2, 0.1, 0.5)], 0.2), -0.3)
    q[3] += 0.1
    flipped = np.einsum("ab,b...->a...", conjugation(np.diag([1.0, 1.0, -1.0])), q)
    geometry = {"x": AXIS, "y": AXIS}
    assert len(point_defects(q, geometry)) == 1
    np.testing.assert_array_equal(point_defects(flipped, geometry), point_defects(q, geometry))
