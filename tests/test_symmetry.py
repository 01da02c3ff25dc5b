"""Declared symmetries: groups of known order, and translations that are exact on waves."""

import math

import numpy as np
import pytest

from saddlescape.symmetry import Symmetry


def matrices(symmetry):
    """Every discrete element as a matrix, (G, n, n)."""
    return np.array(
        [symmetry.apply(np.array([float(d), *np.zeros(symmetry.n_axes)]), np.eye(symmetry.dim)).T for d in range(symmetry.order)]
    )


GENERATORS = {
    "identity": (2, [], 1),
    "sign": (3, [([0, 1, 2], -1.0)], 2),
    "cyclic": (5, [([1, 2, 3, 4, 0], 1.0)], 5),
    "square": (2, [([1, 0], 1.0), ([0, 1], [-1.0, 1.0])], 8),
    "quarter turn": (2, [([1, 0], [-1.0, 1.0])], 4),
    "permutations": (4, [([1, 0, 2, 3], 1.0), ([1, 2, 3, 0], 1.0)], math.factorial(4)),
    "cube": (3, [([1, 0, 2], 1.0), ([1, 2, 0], 1.0), ([0, 1, 2], [-1.0, 1.0, 1.0])], 48),
}


@pytest.mark.parametrize(("n", "generators", "order"), GENERATORS.values(), ids=GENERATORS)
def test_generate_closes_the_group(n, generators, order):
    symmetry = Symmetry.generate(n, generators)
    assert symmetry.order == order and symmetry.dim == n
    elements = {m.tobytes() for m in matrices(symmetry) + 0.0}
    assert len(elements) == order
    assert matrices(symmetry)[0] == pytest.approx(np.eye(n))
    products = {(a @ b + 0.0).tobytes() for a in matrices(symmetry) for b in matrices(symmetry)}
    assert products == elements


@pytest.mark.parametrize(("n", "generators", "order"), GENERATORS.values(), ids=GENERATORS)
def test_elements_are_isometries_and_act_on_rows_as_on_points(n, generators, order):
    symmetry = Symmetry.generate(n, generators)
    rows = np.random.default_rng(order).standard_normal((4, n))
    for d in range(order):
        g = np.array([float(d)])
        assert np.linalg.norm(symmetry.apply(g, rows), axis=1) == pytest.approx(np.linalg.norm(rows, axis=1))
        assert np.array_equal(symmetry.apply(g, rows), [symmetry.apply(g, row) for row in rows])


def test_the_order_of_the_elements_is_always_the_same():
    n, generators, _ = GENERATORS["cube"]
    first, second = Symmetry.generate(n, generators), Symmetry.generate(n, list(generators))
    assert np.array_equal(first.permutations, second.permutations) and np.array_equal(first.signs, second.signs)


def test_apply_leaves_its_argument_alone():
    symmetry = Symmetry.generate(4, [([1, 2, 3, 0], -1.0)], grid=(4,))
    x = np.arange(4.0)
    for g in ([0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.5]):
        symmetry.apply(np.array(g), x)
        assert np.array_equal(x, np.arange(4.0))


# --- translations ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [8, 9])
@pytest.mark.parametrize("shift", [0.25, 1.0, 2.6, -3.5, 8.0])
def test_translation_of_a_wave_is_exact(size, shift):
    symmetry = Symmetry.generate(size, grid=(size,))
    points = np.arange(size)
    for k in range((size + 1) // 2):
        wave = np.cos(2.0 * np.pi * k * points / size + 0.4)
        moved = np.cos(2.0 * np.pi * k * (points - shift) / size + 0.4)
        assert symmetry.translate(wave, np.array([shift])) == pytest.approx(moved, abs=1e-14)


@pytest.mark.parametrize("grid", [(6, 6), (5, 8), (4, 7)])
def test_translations_of_two_axes_act_axis_by_axis(grid):
    symmetry = Symmetry.generate(2 * math.prod(grid), grid=grid)
    u, v = np.meshgrid(np.arange(grid[0]) / grid[0], np.arange(grid[1]) / grid[1], indexing="ij")

    def fields(a, b):
        first = np.sin(2.0 * np.pi * ((u - a / grid[0]) + (v - b / grid[1])) + 0.3)
        second = np.cos(2.0 * np.pi * (v - b / grid[1]))
        return np.concatenate([first.ravel(), second.ravel()])

    moved = symmetry.apply(np.array([0.0, 1.3, -0.7]), fields(0.0, 0.0))
    assert moved == pytest.approx(fields(1.3, -0.7), abs=1e-14)


def test_translations_by_whole_spacings_are_exact_for_any_field():
    symmetry = Symmetry.generate(12, grid=(3, 4))
    x = np.random.default_rng(0).standard_normal(12)
    moved = symmetry.translate(x, np.array([1.0, -1.0]))
    assert np.array_equal(moved, np.roll(x.reshape(3, 4), (1, -1), axis=(0, 1)).ravel())


def test_translations_compose_below_the_shortest_wave():
    symmetry = Symmetry.generate(16, grid=(16,))
    x = np.cos(2.0 * np.pi * np.outer([1, 3, 7], np.arange(16)) / 16).sum(axis=0)
    twice = symmetry.translate(symmetry.translate(x, np.array([0.3])), np.array([1.9]))
    assert twice == pytest.approx(symmetry.translate(x, np.array([2.2])), abs=1e-13)


def test_half_periods_are_their_own_inverses():
    symmetry = Symmetry.generate(24, grid=(4, 6))
    x = np.random.default_rng(1).standard_normal(24)
    assert symmetry.half_periods.shape == (4, 2)
    for shift in symmetry.half_periods:
        assert symmetry.translate(symmetry.translate(x, shift), shift) == pytest.approx(x, abs=1e-14)
    assert Symmetry.generate(3).half_periods.shape == (1, 0)


# --- small facts ----------------------------------------------------------------------------------------------------------


def test_trivial_means_nothing_but_the_identity():
    assert Symmetry.generate(3).trivial
    assert not Symmetry.generate(3, [([0, 1, 2], -1.0)]).trivial
    assert not Symmetry.generate(4, grid=(4,)).trivial
    assert not Symmetry.by_matching(3, lambda x, y: y).trivial


def test_the_identity_has_a_shift_for_every_periodic_axis():
    assert Symmetry.generate(3).identity.shape == (1,)
    symmetry = Symmetry.generate(24, grid=(4, 6))
    x = np.arange(24.0)
    assert np.array_equal(symmetry.apply(symmetry.identity, x), x) and symmetry.n_axes == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros(3), np.ones(3)), r"got shapes \(3,\) and \(3,\), expected twice the same \(G, n\)"),
        (([[0, 1], [1, 0]], np.ones((1, 2))), r"got shapes \(2, 2\) and \(1, 2\)"),
        (([[0, 1], [0, 0]], np.ones((2, 2))), "permutations: every row must hold each of"),
        (([[0, 1]], [[1.0, 0.5]]), r"signs: every entry must be \+1 or -1"),
        (([[1, 0]], [[1.0, 1.0]]), "row 0 must be the identity; `Symmetry.generate` puts it there"),
        (([[0, 1, 2]], [[1.0, 1.0, 1.0]], (2,)), r"grid: got \(2,\), whose size does not divide the number of unknowns 3"),
    ],
)
def test_what_is_no_signed_permutation_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Symmetry(*arguments)


@pytest.mark.parametrize(
    ("generator", "message"),
    [
        (([0, 1], 1.0), r"generators\[1\]: got a permutation of shape \(2,\), expected \(3,\), one entry for each unknown"),
        (([2, 1, 0], [1.0, -1.0]), r"generators\[1\]: got signs of shape \(2,\), expected \(3,\), or one number for all unknowns"),
        ([0, 2, 1], r"generators\[1\]: got \[0, 2, 1\], expected a pair \(permutation, sign\)"),
        (3, r"generators\[1\]: got 3, expected a pair"),
        (([1, 2, 3], 1.0), r"generators\[1\], permutations: every row must hold each of 0 \.\. n-1 once"),
        (([1, 0, 2], 2.0), r"generators\[1\], signs: every entry must be \+1 or -1"),
    ],
)
def test_what_is_no_generator_is_named(generator, message):
    with pytest.raises(ValueError, match=message):
        Symmetry.generate(3, [([1, 0, 2], 1.0), generator])


# --- components that turn into each other ---------------------------------------------------------------------------------------

ANGLE = 2.0 * np.pi / 3.0
TURN = np.array([[np.cos(ANGLE), -np.sin(ANGLE)], [np.sin(ANGLE), np.cos(ANGLE)]])
RING = np.r_[(np.arange(6) - 1) % 6, 6]  # six nodes around a seventh
HEXAGON = [(RING, TURN), (np.r_[-np.arange(6) % 6, 6], np.diag([1.0, -1.0]))]


def test_matrices_close_into_the_group_of_the_hexagon():
    symmetry = Symmetry.generate(14, HEXAGON)
    assert symmetry.order == 12 and symmetry.mixing.shape == (12, 2, 2)
    elements = matrices(symmetry)
    assert elements[0] == pytest.approx(np.eye(14))
    products = (elements[:, None] @ elements).reshape(-1, 14, 14)
    assert np.abs(products[:, None] - elements).max(axis=(2, 3)).min(axis=1).max() < 1e-12
    assert elements @ elements.swapaxes(1, 2) == pytest.approx(np.broadcast_to(np.eye(14), elements.shape))


def test_a_map_moves_nodes_and_turns_components():
    x = np.random.default_rng(0).standard_normal((2, 7))
    symmetry = Symmetry.generate(14, HEXAGON[:1])
    turned = symmetry.apply(np.array([1.0]), x.ravel())
    assert turned == pytest.approx((TURN @ x[:, RING]).ravel())
    assert symmetry.images(x.ravel()) == pytest.approx(matrices(symmetry) @ x.ravel())


@pytest.mark.parametrize(
    ("generators", "message"),
    [
        ([(RING, 2.0 * TURN)], r"generators\[0\], matrix: got .* expected orthogonal"),
        ([(np.arange(14), TURN)], r"generators\[0\]: got a permutation of shape \(14,\) and a matrix of shape \(2, 2\)"),
        ([(RING * 0, TURN)], r"generators\[0\], permutations: every row"),
        ([(RING, TURN), (np.arange(14), -1.0)], r"generators: got matrices for \[1, 2\] components"),
        ([(RING, np.ones((2, 3)))], "expected orthogonal"),
    ],
)
def test_bad_matrices_are_named(generators, message):
    with pytest.raises(ValueError, match=message):
        Symmetry.generate(14, generators)


def test_mixing_needs_one_matrix_for_each_permutation_of_nodes():
    good = Symmetry.generate(14, HEXAGON)
    with pytest.raises(ValueError, match=r"mixing: got shape \(11, 2, 2\)"):
        Symmetry(good.permutations, good.signs, mixing=good.mixing[1:])
    with pytest.raises(ValueError, match="mixing: each permutation must be the same for all components"):
        Symmetry(np.array([np.arange(4), [1, 0, 2, 3]]), np.ones((2, 4)), mixing=np.array([np.eye(2), np.eye(2)]))
    with pytest.raises(ValueError, match="mixing: matrix 0 must be the identity"):
        Symmetry(good.permutations[:1], good.signs[:1], mixing=-np.eye(2)[None])


def test_a_tolerance_belongs_to_a_group_that_is_matched():
    larger = Symmetry.generate(2, [([1, 0], 1.0)]).with_matching(lambda x, y: x, 0.1)
    assert (larger.order, larger.tolerance, larger.trivial) == (2, 0.1, False)
    for tolerance in (-1.0, np.nan):
        with pytest.raises(ValueError, match="tolerance: got"):
            Symmetry.by_matching(2, lambda x, y: x, tolerance)
    with pytest.raises(ValueError, match="0 for a group without"):
        Symmetry(np.arange(2)[None], np.ones((1, 2)), tolerance=0.1)
