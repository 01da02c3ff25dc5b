"""The energy on a plane with everything else relaxed: its values, its slopes, its stationary points."""

from __future__ import annotations

import numpy as np
import pytest

from saddlescape import GradientFlow, HiSD, as_model, search
from saddlescape.dynamics.relaxed import RelaxedSubspace
from saddlescape.dynamics.search import connect
from saddlescape.dynamics.subspace import Subspace, given_modes, soft_modes
from saddlescape.models import DoubleWells, MuellerBrown, ReducedLandauDeGennes
from saddlescape.numerics.derivatives import Derivatives

LOWEST = np.array([-0.558223634633024, 1.441725841804669])  # minimum of Mueller-Brown


@pytest.fixture(scope="module")
def square():
    """The diagonal state of a nematic square, and the derivatives around it in the metric of the preconditioner."""
    model = ReducedLandauDeGennes(17, 30.0)
    minimum = search(model, model.start("d"), GradientFlow()).point.x
    return connect(model, minimum, GradientFlow()), minimum


def matrix_model(a):
    return as_model(lambda x: 0.5 * x @ a @ x, lambda x: a @ x, len(a), hvp=lambda x, v: a @ v)


def test_of_a_quadratic_it_is_the_schur_complement():
    rng = np.random.default_rng(0)
    root = rng.standard_normal((7, 7))
    a = root @ root.T + 0.5 * np.eye(7)
    basis = rng.standard_normal((2, 7))
    plane = RelaxedSubspace(Derivatives(matrix_model(a)), np.zeros(7), basis, 1e-18)
    # min x.Ax / 2 under basis x = basis basis^T c is c.S c / 2 with S as follows.
    gram = basis @ basis.T
    schur = gram @ np.linalg.inv(basis @ np.linalg.inv(a) @ basis.T) @ gram
    for c in rng.standard_normal((4, 2)):
        assert plane.energy(c) == pytest.approx(0.5 * c @ schur @ c, rel=1e-9)
        np.testing.assert_allclose(plane.gradient(c), schur @ c, rtol=1e-6)
        np.testing.assert_allclose(basis @ plane.point(c), gram @ c, rtol=1e-10)


@pytest.mark.parametrize("m", [1, 2, 6])
def test_the_slope_belongs_to_the_energy(square, m):
    """Central differences of E* converge to the gradient with the second order, under any metric."""
    derivatives, minimum = square
    plane = RelaxedSubspace(derivatives, minimum, soft_modes(derivatives, minimum, m), 1e-16)
    way = np.random.default_rng(m).standard_normal(m)
    c = 0.7 * way / np.linalg.norm(way)
    slope = float(plane.gradient(c) @ way)
    errors = [abs((plane.energy(c + h * way) - plane.energy(c - h * way)) / (2.0 * h) - slope) for h in (0.04, 0.02)]
    assert 3.7 < errors[0] / errors[1] < 4.3
    assert errors[1] < 1e-2 * abs(slope)


def test_it_lies_below_what_is_frozen_and_keeps_the_coordinates(square):
    derivatives, minimum = square
    rows = soft_modes(derivatives, minimum, 3)
    frozen, precision = Subspace(derivatives, minimum, rows), 1e-4
    plane = RelaxedSubspace(derivatives, minimum, rows, precision)
    bottom = derivatives.energy(minimum)
    for size in (0.2, 0.5, 1.0):
        c = size * np.array([0.6, -0.3, 0.7])
        x = plane.point(c)
        np.testing.assert_allclose((rows * derivatives.mass) @ (x - minimum), (rows * derivatives.mass) @ (c @ rows), atol=1e-12)
        assert bottom < plane.energy(c) < frozen.energy(c)
        # What is left of the gradient lies in the span of the rows, up to the precision.
        rest = derivatives.gradient(x)
        overlaps = (rows * derivatives.mass) @ rows.T
        rest = rest - (rows * derivatives.mass).T @ np.linalg.solve(overlaps, rows @ rest)
        assert rest @ derivatives.solve(rest) <= 1.01 * precision


def test_along_one_line_its_maximum_is_the_barrier():
    """Across the ridge of Mueller-Brown: the highest point of the relaxed line is the saddle, of the frozen one far above it."""
    model = MuellerBrown()
    saddle = search(model, np.array([-0.8, 0.6]), HiSD(1)).point
    derivatives = Derivatives(model)
    row = np.array([[1.0, -1.0]])
    plane, frozen = RelaxedSubspace(derivatives, LOWEST, row, 1e-10), Subspace(derivatives, LOWEST, row)
    ways = np.linspace(0.0, 0.6, 241)[:, None]
    heights = [plane.energy(c) for c in ways]
    assert max(heights) == pytest.approx(saddle.energy, abs=0.02)
    assert max(heights) <= saddle.energy
    top = ways[int(np.argmax(heights))]
    np.testing.assert_allclose(RelaxedSubspace(derivatives, saddle.x, row, 1e-10).point(np.zeros(1)), saddle.x, atol=1e-6)
    assert np.abs(plane.point(top) - saddle.x).max() < 0.02
    assert max(frozen.energy(c) for c in ways) > saddle.energy + 50.0


def test_a_point_that_was_relaxed_costs_nothing_again():
    model = DoubleWells((1.0, 1.3, 1.7))
    derivatives = Derivatives(model)
    plane = RelaxedSubspace(derivatives, np.ones(3), np.eye(3)[:1], 1e-12)
    plane.energy(np.array([0.1]))
    before = derivatives.n_gradient
    plane.gradient(np.array([0.1]))
    plane.point(np.array([0.1]))
    assert derivatives.n_gradient == before


def test_where_nothing_can_be_relaxed_the_energy_is_infinite_and_the_last_point_stays():
    falling = as_model(lambda x: x[0] ** 2 - x[1] ** 3, lambda x: np.array([2.0 * x[0], -3.0 * x[1] ** 2]), 2)
    plane = RelaxedSubspace(Derivatives(falling), np.array([0.0, 0.3]), np.array([[1.0, 0.0]]), 1e-10)
    out = np.zeros(1)
    with np.errstate(over="ignore", invalid="ignore"):
        assert plane.energy_gradient(np.array([0.2]), out) == np.inf and out[0] == np.inf
    walled = as_model(
        lambda x: x @ x if x[0] < 1.0 else np.nan, lambda x: 2.0 * x if x[0] < 1.0 else x * np.nan, 2, hvp=lambda x, v: 2.0 * v
    )
    plane = RelaxedSubspace(Derivatives(walled), np.zeros(2), np.array([[1.0, 0.0]]), 1e-10)
    assert plane.energy(np.array([0.5])) == 0.25
    assert plane.energy(np.array([1.5])) == np.inf
    with pytest.raises(ArithmeticError, match="rest: it could not be relaxed"):
        plane.point(np.array([1.5]))
    np.testing.assert_array_equal(plane.point(np.array([0.5])), [0.5, 0.0])


def test_noise_leaves_a_symmetric_point_that_became_unstable():
    """E = y^4 + (0.5 - x) y^2 + x^2: beyond x = 0.5 the rest y falls from 0 to one side, if anything tells the sides apart."""
    forked = as_model(
        lambda x: x[1] ** 4 + (0.5 - x[0]) * x[1] ** 2 + x[0] ** 2,
        lambda x: np.array([2.0 * x[0] - x[1] ** 2, 4.0 * x[1] ** 3 + 2.0 * (0.5 - x[0]) * x[1]]),
        2,
    )
    ends = {}
    for rng in (None, np.random.default_rng(0)):
        plane = RelaxedSubspace(Derivatives(forked), np.zeros(2), np.array([[1.0, 0.0]]), 1e-8, rng)
        ends[rng is None] = [plane.point(np.array([x])) for x in np.linspace(0.02, 2.0, 100)][-1]
    np.testing.assert_array_equal(ends[True], [2.0, 0.0])
    assert abs(ends[False][1]) == pytest.approx(np.sqrt(0.75), abs=1e-3)


def test_of_given_directions_the_span_alone_matters(square):
    derivatives, minimum = square
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((3, minimum.size))
    first = given_modes(derivatives, minimum, rows)
    # On them the energy is c.c to second order, and they are orthogonal in the mass.
    np.testing.assert_allclose(first @ derivatives.hvp_rows(minimum, first).T, 2.0 * np.eye(3), atol=1e-8)
    overlaps = (first * derivatives.mass) @ first.T
    assert np.abs(overlaps - np.diag(np.diag(overlaps))).max() < 1e-10 * overlaps.max()
    second = given_modes(derivatives, minimum, rng.standard_normal((3, 3)) @ rows)
    signs = np.sign(np.sum(first * second, axis=1))
    np.testing.assert_allclose(second * signs[:, None], first, atol=1e-9 * np.abs(first).max())
