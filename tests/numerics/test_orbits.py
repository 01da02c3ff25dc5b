"""Symmetry at a point: groups small enough to know every answer."""

import numpy as np
import pytest

from saddlescape.numerics.orbits import align, alignments, compose, inverse, isotropic_directions, orbit_size, stabiliser
from saddlescape.symmetry import Symmetry

SIZE = 16  # edge of the periodic grids


@pytest.fixture(scope="module")
def square():
    """The symmetries of a square acting on the plane, order 8."""
    return Symmetry.generate(2, [([1, 0], 1.0), ([0, 1], [-1.0, 1.0])])


@pytest.fixture(scope="module")
def torus():
    """Translations of a square torus with its rotations, reflections and the sign flip, order 16."""
    cells = np.arange(SIZE**2).reshape(SIZE, SIZE)
    transposed, reflected = cells.T.ravel(), cells[-np.arange(SIZE) % SIZE].ravel()
    return Symmetry.generate(SIZE**2, [(transposed, 1.0), (reflected, 1.0), (cells.ravel(), -1.0)], grid=(SIZE, SIZE))


@pytest.fixture(scope="module")
def waves():
    """Angles along both axes of the grid."""
    angle = 2.0 * np.pi * np.arange(SIZE) / SIZE
    return np.meshgrid(angle, angle, indexing="ij")


def rotation(angle):
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


# --- align ----------------------------------------------------------------------------------------------------------------


def test_align_finds_the_element_that_was_applied(square):
    x = np.array([0.3, 0.1])
    for d in range(square.order):
        y = square.apply(np.array([float(d)]), x)
        element, distance = align(square, x, y)
        assert distance < 1e-15
        assert np.allclose(square.apply(element, y), x, atol=1e-15)


def test_align_is_the_minimum_over_all_elements():
    rng = np.random.default_rng(1)
    group = Symmetry.generate(4, [([1, 2, 3, 0], 1.0), ([0, 1, 2, 3], -1.0)])
    mass = np.full(4, 0.7)
    for _ in range(20):
        x, y = rng.standard_normal((2, 4))
        brute = min(np.sqrt(np.sum(mass * (x - group.apply(np.array([float(d)]), y)) ** 2)) for d in range(group.order))
        assert align(group, x, y, mass)[1] == pytest.approx(brute, rel=1e-14)


def test_align_distance_is_not_lost_to_cancellation(square):
    x = np.array([1.0, 0.2])
    assert align(square, x, x + np.array([0.0, 1e-13]))[1] == pytest.approx(1e-13, rel=1e-2)


def test_align_takes_the_lowest_of_equally_near_copies(square):
    y = np.array([0.5, 0.5])
    for noise in ([0.0, 1e-14], [1e-14, 0.0]):
        assert align(square, np.array([0.5, 0.5]), y + noise)[0] == 0.0


def test_align_of_zero_is_the_identity(torus):
    element, distance = align(torus, np.zeros(torus.dim), np.zeros(torus.dim), 1.0 / torus.dim)
    assert (element == 0.0).all() and distance == 0.0


@pytest.mark.parametrize("shift", [(0.5, 0.0), (3.3, 7.1), (15.9, 0.01), (4.0, 11.0)])
@pytest.mark.parametrize("d", range(0, 16, 3))
def test_align_recognises_a_shift_by_a_fraction_of_a_spacing(torus, waves, d, shift):
    u, v = waves
    x = (np.cos(u) + 0.4 * np.sin(2.0 * u + v) + 0.3 * np.cos(3.0 * v + 0.2) + 0.1).ravel()
    mass = 1.0 / torus.dim
    element, distance = align(torus, x, torus.apply(np.array([d, *shift]), x), mass)
    assert distance < 1e-13
    assert compose(torus, element, np.array([d, *shift])) == pytest.approx(torus.identity, abs=1e-9)


def test_align_of_two_stripes_between_grid_points(torus, waves):
    x = np.tanh(np.cos(waves[0])).ravel()
    y = np.tanh(np.cos(waves[1] - 2.0 * np.pi * 2.37 / SIZE)).ravel()
    element, distance = align(torus, x, y, 1.0 / torus.dim)
    # The profile is not band limited: what is left is its aliasing, far less than the best distance at whole shifts.
    whole = np.array([[d, s, t] for d in range(torus.order) for s in range(SIZE) for t in range(SIZE)])
    best = min(np.linalg.norm(x - torus.apply(g, y)) / SIZE for g in whole)
    assert distance < 1e-3 * best
    assert np.linalg.norm(x - torus.apply(element, y)) / SIZE == pytest.approx(distance, rel=1e-12)


def test_align_compares_amplitudes_and_not_only_correlation(torus, waves):
    x = np.cos(waves[0]).ravel()
    _, distance = align(torus, x, 0.9 * x, 1.0 / torus.dim)
    assert distance == pytest.approx(0.1 / np.sqrt(2.0), rel=1e-12)


def test_align_of_grid_scale_noise_uses_whole_shifts(torus):
    x = np.random.default_rng(2).standard_normal(torus.dim)
    element, distance = align(torus, x, torus.apply(np.array([5.0, 3.0, 12.0]), x), 1.0)
    assert distance == 0.0
    assert (compose(torus, element, np.array([5.0, 3.0, 12.0])) == 0.0).all()


def test_align_uses_the_function_of_a_group_given_by_matching():
    circle = Symmetry.by_matching(2, lambda x, y: np.linalg.norm(y) * x / np.linalg.norm(x))
    element, distance = align(circle, np.array([1.0, 0.0]), np.array([0.0, -2.0]), 4.0)
    assert element == pytest.approx([0.0])
    assert distance == pytest.approx(2.0)


def test_translations_of_several_fields_move_together():
    chain = Symmetry.generate(2 * SIZE, grid=(SIZE,))
    angle = 2.0 * np.pi * np.arange(SIZE) / SIZE
    x = np.concatenate([np.cos(angle), np.sin(2.0 * angle)])
    y = np.concatenate([np.cos(angle - 0.3), np.sin(2.0 * (angle - 0.3))])
    element, distance = align(chain, x, y, 1.0)
    assert distance < 1e-13
    assert element[1] == pytest.approx(SIZE * (1.0 - 0.3 / (2.0 * np.pi)))


def test_alignments_lists_every_discrete_element(torus, waves):
    x = (np.cos(waves[0]) + 0.2 * np.sin(2.0 * waves[0] + waves[1])).ravel()
    elements, distances = alignments(torus, x, x, 1.0)
    assert (elements[:, 0] == np.arange(16)).all()
    for element, distance in zip(elements, distances, strict=True):
        assert np.linalg.norm(x - torus.apply(element, x)) == pytest.approx(distance, abs=1e-12)


# --- the group ------------------------------------------------------------------------------------------------------------


def test_compose_and_inverse_are_those_of_the_maps(torus, waves):
    x = (np.cos(waves[0]) + 0.5 * np.sin(2.0 * waves[0] + waves[1])).ravel()
    rng = np.random.default_rng(3)
    for _ in range(30):
        g, h = (np.array([rng.integers(16), *rng.uniform(0, SIZE, 2)]) for _ in range(2))
        assert np.allclose(torus.apply(compose(torus, g, h), x), torus.apply(g, torus.apply(h, x)), atol=1e-12)
        assert np.allclose(torus.apply(inverse(torus, g), torus.apply(g, x)), x, atol=1e-12)


def test_compose_refuses_elements_that_are_no_group():
    third = Symmetry(np.array([[0, 1, 2], [1, 2, 0]]), np.ones((2, 3)))
    with pytest.raises(ValueError, match="not closed"):
        compose(third, np.array([1.0]), np.array([1.0]))
    with pytest.raises(ValueError, match="not closed"):
        inverse(third, np.array([1.0]))


# --- orbits and stabilisers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("x", "size"), [((0.3, 0.1), 8), ((0.2, 0.2), 4), ((0.0, 0.3), 4), ((0.0, 0.0), 1)])
def test_orbit_size_in_the_plane(square, x, size):
    x = np.array(x)
    assert orbit_size(square, x, 1.0, 1e-8) == size
    fixing = stabiliser(square, x, 1.0, 1e-8)
    assert len(fixing) * size == square.order
    assert (fixing[0] == 0.0).all()
    assert all(np.allclose(square.apply(g, x), x) for g in fixing)


def test_orbit_size_counts_components_of_orbits_of_fields(torus, waves):
    u, v = waves
    mass = 1.0 / torus.dim
    # A stripe lies along either axis; its reflections and its sign flip are translates of it.
    assert orbit_size(torus, np.cos(u).ravel(), mass, 1e-8) == 2
    assert orbit_size(torus, np.cos(u).ravel() + 0.1, mass, 1e-8) == 4
    assert orbit_size(torus, (np.cos(u) + np.cos(v)).ravel(), mass, 1e-8) == 1
    assert orbit_size(torus, np.ones(torus.dim), mass, 1e-8) == 2
    assert orbit_size(torus, (np.cos(u) + 0.4 * np.sin(2.0 * u + v) + 0.3 * np.cos(3.0 * v + 0.2) + 0.1).ravel(), mass, 1e-8) == 16


def test_stabiliser_of_a_stripe_between_grid_points(torus, waves):
    mass = 1.0 / torus.dim
    x = np.cos(waves[0] - 0.123).ravel()
    fixing = stabiliser(torus, x, mass, 1e-8)
    assert all(np.abs(torus.apply(g, x) - x).max() < 1e-8 for g in fixing)
    # Eight discrete elements keep the stripe's axis; half a period across is a symmetry of it, half a period along is not.
    assert len(fixing) == 16
    assert len({tuple(np.round(g, 6)) for g in fixing}) == 16


def test_stabiliser_and_orbit_of_a_group_given_by_matching():
    circle = Symmetry.by_matching(2, lambda x, y: y)
    assert stabiliser(circle, np.ones(2), 1.0, 1e-8) == pytest.approx(np.zeros((1, 1)))
    assert orbit_size(circle, np.ones(2), 1.0, 1e-8) == 1


# --- directions -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("angle", [0.0, 0.3, 1.0, 2.5])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_double_eigenvalue_of_the_square_gives_axis_and_diagonal(square, angle, sign):
    vectors = rotation(angle) * [[1.0], [sign]]
    directions = isotropic_directions(square, np.zeros(2), 1.0, np.array([-2.0, -2.0]), vectors, 1e-8)
    found = [d.coefficients @ vectors for d in directions]
    assert np.allclose(found, [[1.0, 0.0], [np.sqrt(0.5), np.sqrt(0.5)]], atol=1e-12)
    for direction, v in zip(directions, found, strict=True):
        assert np.allclose(square.apply(direction.mirror, v), -v)


def test_simple_eigenvalues_give_their_eigenvectors_with_a_mirror_where_there_is_one(square):
    x = np.array([0.4, 0.0])  # fixed by the reflection of the second axis only
    vectors = np.array([[0.0, -1.0], [-1.0, 0.0]])
    across, along = isotropic_directions(square, x, 1.0, np.array([-2.0, -1.0]), vectors, 1e-8)
    assert across.coefficients == pytest.approx([-1.0, 0.0])
    assert along.coefficients == pytest.approx([0.0, -1.0])
    assert along.mirror is None
    assert square.apply(across.mirror, x) == pytest.approx(x)
    assert square.apply(across.mirror, vectors[0]) == pytest.approx(-vectors[0])


def test_directions_of_the_cube_are_faces_edges_and_corners():
    cube = Symmetry.generate(3, [([1, 0, 2], 1.0), ([1, 2, 0], 1.0), ([0, 1, 2], [-1.0, 1.0, 1.0])])
    assert cube.order == 48
    basis = np.linalg.qr(np.random.default_rng(4).standard_normal((3, 3)))[0]
    directions = isotropic_directions(cube, np.zeros(3), 1.0, np.full(3, -1.0), basis, 1e-8)
    found = sorted(tuple(np.round(np.abs(d.coefficients @ basis), 8)) for d in directions)
    expected = sorted([(0.57735027,) * 3, (0.70710678, 0.70710678, 0.0), (1.0, 0.0, 0.0)])
    assert np.allclose(found, expected)
    assert all(d.mirror is not None for d in directions)


def test_directions_do_not_depend_on_the_basis_of_a_field_eigenspace(torus, waves):
    u, v = waves
    mass = 1.0 / torus.dim
    rng = np.random.default_rng(5)
    for k in (1, 2):
        modes = np.array([np.cos(k * u), np.sin(k * u), np.cos(k * v), np.sin(k * v)]).reshape(4, -1) * np.sqrt(2.0)
        seen = []
        for _ in range(2):
            basis = np.linalg.qr(rng.standard_normal((4, 4)))[0] @ modes
            directions = isotropic_directions(torus, np.zeros(torus.dim), mass, np.full(4, -1.0), basis, 1e-8)
            seen.append([d.coefficients @ basis for d in directions])
            for d, w in zip(directions, seen[-1], strict=True):
                assert np.abs(torus.apply(d.mirror, w) + w).max() < 1e-8
        # A wave along an axis and the sum of two crossed ones: all other lines are translates or rotations of these.
        assert len(seen[0]) == 2
        assert np.allclose(seen[0], seen[1], atol=1e-8)
        peaks = sorted(np.abs(w).max() for w in seen[0])
        assert peaks == pytest.approx([np.sqrt(2.0), 2.0], rel=0.1)


def test_without_lines_the_eigenvectors_are_taken():
    trivial = Symmetry.generate(3)
    vectors = np.linalg.qr(np.random.default_rng(6).standard_normal((3, 3)))[0]
    directions = isotropic_directions(trivial, np.zeros(3), 1.0, np.array([-1.0, -1.0, 2.0]), vectors, 1e-8)
    assert np.allclose(np.abs([d.coefficients for d in directions]), np.eye(3))
    for d in directions:
        w = d.coefficients @ vectors
        assert w[np.argmax(np.abs(w))] > 0.0
        assert d.mirror is None
    # A rotation by a quarter turn fixes no line, but reverses all of them when applied twice; one direction generates the plane.
    turning = Symmetry.generate(2, [([1, 0], [-1.0, 1.0])])
    (direction,) = isotropic_directions(turning, np.zeros(2), 1.0, np.array([-1.0, -1.0]), rotation(0.4), 1e-8)
    w = direction.coefficients @ rotation(0.4)
    assert np.allclose(turning.apply(direction.mirror, w), -w)


def test_lines_that_do_not_span_are_completed_by_eigenvectors():
    # One sign flip: the eigenspace of dimension three has one line, fixed by it ...
    flip = Symmetry.generate(3, [([0, 1, 2], [1.0, -1.0, -1.0])])
    vectors = np.linalg.qr(np.random.default_rng(7).standard_normal((3, 3)))[0]
    directions = isotropic_directions(flip, np.zeros(3), 1.0, np.full(3, -1.0), vectors, 1e-8)
    found = np.array([d.coefficients @ vectors for d in directions])
    assert np.allclose(found[0], [1.0, 0.0, 0.0])
    # ... and the rest must be reached too.
    images = np.concatenate([found, flip.apply(np.array([1.0]), found)])
    assert np.linalg.matrix_rank(images, tol=1e-6) == 3


def test_an_eigenspace_given_in_part_falls_back_to_what_is_given(square):
    vectors = rotation(0.3)[:1]
    (direction,) = isotropic_directions(square, np.zeros(2), 1.0, np.array([-1.0]), vectors, 1e-8)
    assert direction.coefficients == pytest.approx([1.0])
    assert np.allclose(square.apply(direction.mirror, vectors[0]), -vectors[0])


def test_isotropic_directions_names_a_wrong_shape(square):
    assert isotropic_directions(square, np.zeros(2), 1.0, np.empty(0), np.empty((0, 2)), 1e-8) == []
    with pytest.raises(ValueError, match=r"eigenvectors: got shape \(2, 2\) for 1 eigenvalues"):
        isotropic_directions(square, np.zeros(2), 1.0, np.array([-1.0]), np.eye(2), 1e-8)


# --- components that turn into each other ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hexagon():
    """Rotations and reflections of six nodes, by which two components turn twice as fast, order 12."""
    turn = rotation(-2.0 * np.pi / 3.0)
    return Symmetry.generate(12, [((np.arange(6) - 1) % 6, turn), (-np.arange(6) % 6, np.diag([1.0, -1.0]))])


def test_turning_maps_compose_invert_and_align(hexagon):
    x = np.random.default_rng(3).standard_normal(12)
    for a in range(12):
        outer = np.array([float(a)])
        image = hexagon.apply(outer, x)
        assert np.allclose(hexagon.apply(inverse(hexagon, outer), image), x, atol=1e-14)
        element, distance = align(hexagon, image, x)
        assert element == outer and distance < 1e-14
        for b in range(12):
            inner = np.array([float(b)])
            product = hexagon.apply(compose(hexagon, outer, inner), x)
            assert np.allclose(product, hexagon.apply(outer, hexagon.apply(inner, x)), atol=1e-14)


def test_orbits_of_fields_that_turn(hexagon):
    uniform = np.repeat([1.0, 0.0], 6)  # the director along x: kept by both axes and the half turn
    assert orbit_size(hexagon, uniform, 1.0, 1e-8) == 3
    assert len(stabiliser(hexagon, uniform, 1.0, 1e-8)) == 4
    angle = 2.0 * np.pi * np.arange(6) / 6
    ring = np.concatenate([np.cos(2.0 * angle), np.sin(2.0 * angle)])  # radial: kept by all
    assert orbit_size(hexagon, ring, 1.0, 1e-8) == 1
    assert orbit_size(hexagon, np.random.default_rng(0).standard_normal(12), 1.0, 1e-8) == 12
