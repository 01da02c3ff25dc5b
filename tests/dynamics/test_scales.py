"""Scales of the problem: inflections, curvature lengths, stiffness; and nothing that depends on the units."""

from dataclasses import dataclass

import numpy as np
import pytest
import scipy.linalg

from saddlescape import GradientFlow, HiSD, as_model, search
from saddlescape.dynamics.scales import (
    FLAT,
    GROWTH,
    LINEAR,
    curvature_length,
    curvature_range,
    departure,
    rough_lowest,
    stable_step,
)
from saddlescape.models import Butterfly, MuellerBrown, ReducedLandauDeGennes
from saddlescape.numerics.derivatives import Derivatives
from saddlescape.parts import LOBPCG, FixedStep, HeavyBall, PowerStep


def quartic_well(a, b=1.0):
    """E = b (x^2 - a^2)^2: a maximum at 0, minima at +-a, inflections at +-a / sqrt 3."""
    return as_model(
        lambda x: b * (x[0] ** 2 - a**2) ** 2,
        lambda x: 4.0 * b * (x**2 - a**2) * x,
        1,
        hvp=lambda x, v: 4.0 * b * (3.0 * x**2 - a**2) * v,
    )


@pytest.mark.parametrize("a", [1e-6, 1e-3, 0.1, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("b", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("factor", [1.0, -0.3, 40.0])
def test_departure_finds_the_inflection(a, b, factor):
    """The slope along +-x is largest at a / sqrt 3, found within the ratio of the scan, whatever the length of the direction."""
    found = departure(Derivatives(quartic_well(a, b)), np.zeros(1), np.array([factor]), -4.0 * b * a**2 * factor**2)
    turning, near = found.turning * abs(factor), found.near * abs(factor)
    assert a / np.sqrt(3.0) / GROWTH <= turning <= a / np.sqrt(3.0) * GROWTH
    # There the slope -4 b a^2 t (1 - t^2 / a^2) has departed from linear by t^2 / a^2.
    assert 0.0 < near <= np.sqrt(LINEAR) * a * (1.0 + 1e-9)


def test_departure_where_the_energy_only_stiffens():
    """Along E = x^2 / 2 + x^4 there is no inflection: the far distance is the near one, where the slope has grown by 4 t^2."""
    model = as_model(lambda x: 0.5 * x[0] ** 2 + x[0] ** 4, lambda x: x + 4.0 * x**3, 1, hvp=lambda x, v: (1.0 + 12.0 * x**2) * v)
    found = departure(Derivatives(model), np.zeros(1), np.ones(1), 1.0)
    assert found.turning == found.near
    assert np.sqrt(LINEAR / 4.0) / GROWTH <= found.near <= np.sqrt(LINEAR / 4.0) * (1.0 + 1e-9)


def test_curvature_length_of_a_quartic():
    """H = 12 x^2 - 4 from x = 2, H = 44: it has fallen by half at x^2 = 26 / 12, sought by halving."""
    length = curvature_length(Derivatives(quartic_well(1.0)), np.array([2.0]), np.array([-7.0]))
    exact = 2.0 - np.sqrt(26.0 / 12.0)
    assert exact / 2.0 <= length <= exact


def test_curvature_length_of_a_quadratic_is_the_unit():
    model = as_model(lambda x: 0.5 * x @ x, lambda x: x.copy(), 2, hvp=lambda x, v: v.copy())
    x = np.array([3.0, -4.0])
    assert 5.0 <= curvature_length(Derivatives(model), x, np.ones(2)) < 10.0
    assert curvature_length(Derivatives(model), x, np.zeros(2)) == 5.0


@pytest.mark.parametrize("preconditioned", [True, False])
def test_a_stable_step_is_one_over_the_spectral_radius(preconditioned):
    model = ReducedLandauDeGennes(13, 30.0)
    x = model.start("wors")
    derivatives = Derivatives(model, model.preconditioner(x) if preconditioned else None)
    metric = derivatives.apply(np.eye(model.dim))
    true = np.abs(scipy.linalg.eigh(model.hessian(x).toarray(), metric, eigvals_only=True)).max()
    low, high = curvature_range(derivatives, x)
    assert 0.98 * true <= 1.0 / stable_step(max(-low, high)) <= 1.05 * true * (1.0 + 1e-9)


def test_the_range_of_curvatures_has_both_ends():
    a = np.array([-9.0, 1.0, 2.0, 3.0])
    model = as_model(lambda x: 0.5 * a @ (x * x), lambda x: a * x, 4, hvp=lambda x, v: a * v)
    assert curvature_range(Derivatives(model), np.zeros(4)) == pytest.approx((-9.0, 3.0))


def test_a_step_has_a_size_where_the_hessian_vanishes():
    assert stable_step(0.0) == FLAT and stable_step(4.0) == pytest.approx(0.25 / 1.05) and np.isnan(stable_step(np.nan))


@pytest.mark.parametrize(("n", "k"), [(9, 40), (19, 3)], ids=["dense", "LOBPCG"])
def test_rough_lowest_are_the_lowest(n, k):
    model = ReducedLandauDeGennes(n, 30.0)
    x = model.start("wors")
    derivatives = Derivatives(model, model.preconditioner(x))
    values, vectors = rough_lowest(derivatives, x, k, np.random.default_rng(0))
    exact = np.linalg.eigvalsh(model.hessian(x).toarray() / model.mass)[:k]
    np.testing.assert_allclose(values, exact, atol=2e-3 * np.abs(exact).max())
    np.testing.assert_allclose(model.mass * vectors @ vectors.T, np.eye(k), atol=1e-10)


# --- units ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Units:
    """E(x) of a model measured in other units: b E(x / a)."""

    model: object
    a: float
    b: float

    def build(self):
        model, a, b = self.model, self.a, self.b
        return as_model(
            lambda x: b * model.energy(x / a),
            lambda x: b / a * model.gradient(x / a),
            model.dim,
            hvp=lambda x, v: b / a**2 * model.hvp(x / a, v),
        )


METHODS = {
    "bb": HiSD(1),
    "fixed": HiSD(1, step=FixedStep()),
    "lobpcg": HiSD(1, LOBPCG()),
    "momentum": HiSD(1, PowerStep(), FixedStep(), HeavyBall(0.7)),
    "flow": GradientFlow(),
}
STARTS = {"mueller-brown": (MuellerBrown(), np.array([-0.7, 0.75])), "butterfly": (Butterfly(), np.array([0.8, 0.2]))}


def ended(model, x0, method, a=1.0, b=1.0, polish=True):
    return search(Units(model, a, b).build(), a * x0, method, tol=1e-8 * b / a, polish=polish)


@pytest.mark.parametrize("b", [2.0**-20, 2.0**20])
@pytest.mark.parametrize("polish", [True, False])
@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("start", list(STARTS))
def test_the_unit_of_energy_changes_nothing(start, method, polish, b):
    """A power of two scales without rounding: the same path bit for bit."""
    model, x0 = STARTS[start]
    reference, scaled = (ended(model, x0, METHODS[method], b=scale, polish=polish) for scale in (1.0, b))
    assert reference.success
    assert (scaled.status, scaled.n_steps, scaled.n_gradient, scaled.n_hvp) == (
        reference.status,
        reference.n_steps,
        reference.n_gradient,
        reference.n_hvp,
    )
    np.testing.assert_array_equal(scaled.x, reference.x)


@pytest.mark.parametrize("a", [1e-6, 1e6])
@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("start", list(STARTS))
def test_the_unit_of_length_changes_no_result(start, method, a):
    model, x0 = STARTS[start]
    reference, scaled = (ended(model, x0, METHODS[method], a=scale) for scale in (1.0, a))
    assert reference.success and scaled.status is reference.status, scaled.message
    np.testing.assert_allclose(scaled.x / a, reference.x, atol=1e-9)
    assert scaled.n_steps <= 2 * reference.n_steps + 20
