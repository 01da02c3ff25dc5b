"""Continuation in a parameter: exact tangents, exact folds, exact crossings, and steps that stay on their branch."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import scipy.sparse

from saddlescape import EnergyModel, as_model
from saddlescape.models import ChafeeInfante, PhaseField, ReducedLandauDeGennes
from saddlescape.numerics.branching import Limits, trace
from saddlescape.numerics.continuation import StepFailed, between, correct, fixed, landing, tangent
from saddlescape.numerics.criticals import crossings, leave, turning
from saddlescape.numerics.family import Family, Row, near_zero
from saddlescape.numerics.inertia import DenseSpectrum


def quartic(a, b=0.0):
    """E = x^4/4 - a x^2/2 + b x."""
    return as_model(
        lambda x: float(x[0] ** 4 / 4 - a * x[0] ** 2 / 2 + b * x[0]),
        lambda x: np.array([x[0] ** 3 - a * x[0] + b]),
        1,
        hessian=lambda x: np.array([[3 * x[0] ** 2 - a]]),
    )


@dataclasses.dataclass(frozen=True)
class Bratu(EnergyModel):
    """E = int_0^1 1/2 u'^2 - p exp(u): -u'' = p exp(u), u = 0 at both ends; it folds at p = 3.513830719 (n to infinity)."""

    n: int
    p: float

    @property
    def dim(self):
        return self.n

    @property
    def mass(self):
        return 1.0 / (self.n + 1)

    def _laplacian(self):
        return scipy.sparse.diags_array(np.array([-1.0, 2.0, -1.0]) / self.mass, offsets=[-1, 0, 1], shape=(self.n, self.n)).tocsc()

    def energy(self, x):
        return float(0.5 * x @ (self._laplacian() @ x) - self.mass * self.p * np.exp(x).sum())

    def gradient(self, x, out=None):
        g = self._laplacian() @ x - self.mass * self.p * np.exp(x)
        if out is None:
            return g
        out[:] = g
        return out

    def hessian(self, x):
        return (self._laplacian() - scipy.sparse.diags_array(self.mass * self.p * np.exp(x))).tocsc()


def family(model, parameter, origin, other, size=1.0):
    return Family(lambda v: dataclasses.replace(model, **{parameter: v}), parameter, origin, abs(other - origin), size)


def start(fam, x, value):
    return correct(fam, x, value, fixed(fam))


def test_the_tangent_is_the_derivative_of_the_branch():
    fam = Family(lambda a: quartic(a, 0.1), "a", 1.0, 1.0, 1.0)
    point = start(fam, np.array([1.0]), 1.0)
    x = point.x[0]
    slope = x / (3 * x**2 - 1.0)  # dx/da of x^3 - a x + b = 0
    assert point.tangent.x[0] / point.tangent.value == pytest.approx(slope, rel=1e-9)
    assert fam.length(point.tangent.x, point.tangent.value) == pytest.approx(1.0, rel=1e-14)
    back = tangent(fam, point.system, point.x, 1.0, Row(-point.tangent.x, -point.tangent.value))
    assert back.value == pytest.approx(-point.tangent.value)


@pytest.mark.parametrize("model", [ReducedLandauDeGennes(9, 10.0), ChafeeInfante(15, 5.0), PhaseField(8, 0.02)])
def test_the_slope_is_the_derivative_of_the_gradient(model):
    name = {"ReducedLandauDeGennes": "lambda2", "ChafeeInfante": "lam", "PhaseField": "kappa"}[type(model).__name__]
    value = getattr(model, name)
    fam = family(model, name, value, 2.0 * value)
    x = np.random.default_rng(0).standard_normal(model.dim)
    # All three energies are linear in the parameter.
    exact = (dataclasses.replace(model, **{name: 2.0 * value}).gradient(x) - model.gradient(x)) / value
    np.testing.assert_allclose(fam.slope(x, value), exact, rtol=0, atol=1e-8 * np.abs(exact).max())


def test_a_parameter_that_ends_is_differentiated_on_one_side():
    def model_at(w):
        if w < 0.0:
            raise ValueError("w: negative")
        return as_model(lambda x: float(np.exp(w) * x[0]), lambda x: np.array([np.exp(w)]), 1, hessian=lambda x: np.eye(1))

    fam = Family(model_at, "w", 0.0, 1.0, 1.0)
    assert fam.slope(np.zeros(1), 0.0)[0] == pytest.approx(1.0, abs=1e-6)
    fam = Family(lambda w: model_at(1.0 - w), "w", 1.0, 1.0, 1.0)
    assert fam.slope(np.zeros(1), 1.0)[0] == pytest.approx(-1.0, abs=1e-6)


def test_a_landing_is_exactly_on_its_value_and_on_the_branch():
    fam = family(ChafeeInfante(31, 5.0), "lam", 5.0, 9.0)
    u = np.sin(np.linspace(0, np.pi, 33)[1:-1])
    a = start(fam, u, 5.0)
    step = 0.1
    b = correct(fam, a.x + step * a.tangent.x, a.value + step * a.tangent.value, a.tangent)
    middle = a.value + 0.4 * (b.value - a.value)
    point = landing(fam, a, b, middle)
    assert point.value == middle and point.gradient_norm < 1e-11
    assert np.abs(point.x - (a.x + 0.4 * (b.x - a.x))).max() < 1e-2
    beside = between(fam, a, b, 0.4)
    assert fam.length(beside.x - point.x, beside.value - point.value) < 0.01 * step


def test_a_corrector_says_why_it_failed():
    fam = Family(lambda p: quartic(p), "p", 1.0, 1.0, 1.0)
    with pytest.raises(StepFailed, match=r"no contraction|steps used up"):
        correct(fam, np.array([0.5774]), 1.0, fixed(fam))  # where the Hessian is singular
    nan = as_model(lambda x: np.nan, lambda x: np.full(1, np.nan), 1, hessian=lambda x: np.eye(1))
    with pytest.raises(StepFailed, match="not finite at p = 1"):
        correct(Family(lambda p: nan, "p", 1.0, 1.0, 1.0), np.zeros(1), 1.0, Row(np.zeros(1), 1.0))


@pytest.mark.parametrize("b", [0.2, 0.05, 1e-3])
def test_the_fold_of_an_imperfect_pitchfork_is_exact(b):
    fam = Family(lambda a: quartic(a, b), "a", 1.0, 2.0, 1.0)
    roots = np.sort(np.roots([1.0, 0.0, -1.0, b]).real)
    for x, index in ((roots[1], 1), (roots[2], 0)):
        found = trace(fam, start(fam, np.array([x]), 1.0), -1.0, [], Limits(tolerance=1e-6))
        assert found.turning.is_fold and not found.crossings and not found.lost
        assert found.turning.value == pytest.approx(3 * (b / 2) ** (2 / 3), abs=1e-8)
        assert found.turning.bracket[0] - 1e-9 <= found.turning.value <= found.turning.bracket[1] + 1e-9
        assert found.turning.bracket[1] - found.turning.bracket[0] < 1e-6
        assert (found.turning.before.index, found.turning.after.index) == (index, 1 - index)
    # The third state has no fold.
    found = trace(fam, start(fam, roots[:1], 1.0), -1.0, [0.5, 0.0], Limits())
    assert found.turning is None and not found.lost
    assert {0.5, 0.0, -1.0} <= {s.value for s in found.samples}


def test_a_fold_of_a_field_converges_to_that_of_the_continuum():
    values = []
    for n in (127, 255):  # above 100 unknowns sparse elimination counts
        fam = family(Bratu(n, 1.0), "p", 1.0, 5.0)
        found = trace(fam, start(fam, np.zeros(n), 1.0), 5.0, [], Limits(tolerance=1e-7))
        assert found.turning.is_fold and found.samples[-1].index == 0 and found.turning.after.index == 1
        values.append(found.turning.value)
    assert 0.0 < abs(values[1] - 3.513830719) < abs(values[0] - 3.513830719) < 1e-3
    assert (4 * values[1] - values[0]) / 3 == pytest.approx(3.513830719, abs=1e-6)  # Richardson: the error is O(h^2)


@pytest.mark.parametrize("n", [63, 127])
@pytest.mark.parametrize("way", [(0.5, 20.0), (20.0, 0.5)])
def test_crossings_are_exact(n, way):
    h = np.pi / (n + 1)
    exact = 4 / h**2 * np.sin(np.arange(1, 5) * h / 2) ** 2
    fam = family(ChafeeInfante(n, way[0]), "lam", *way, size=np.sqrt(np.pi))
    found = trace(fam, start(fam, np.zeros(n), way[0]), way[1], [], Limits(tolerance=1e-5))
    ordered = found.crossings if way[0] < way[1] else found.crossings[::-1]
    assert len(ordered) == 4 and found.turning is None
    for k, crossing in enumerate(ordered):
        assert crossing.value == pytest.approx(exact[k], abs=1e-8)
        assert crossing.bracket[0] < exact[k] < crossing.bracket[1] < crossing.bracket[0] + 1e-5
        assert {crossing.before, crossing.after} == {k, k + 1}
        assert crossing.slope == pytest.approx(-1.0, rel=1e-3)
        mode = np.sin((k + 1) * np.linspace(0, np.pi, n + 2)[1:-1])
        overlap = h * abs(mode @ crossing.vectors[0]) / np.sqrt(np.pi / 2)
        assert overlap == pytest.approx(1.0, abs=1e-9)


def test_two_crossings_within_one_step_are_told_apart():
    def model_at(p):
        values = np.array([p - 0.5, p - 0.5001, 1.0])
        return as_model(lambda x: 0.5 * float(values @ x**2), lambda x: values * x, 3, hessian=lambda x: np.diag(values))

    fam = Family(model_at, "p", 1.0, 1.0, 1.0)
    a, b = start(fam, np.zeros(3), 1.0), start(fam, np.zeros(3), 0.0)
    found = crossings(fam, a, b, 1e-7)
    assert [c.value for c in found] == pytest.approx([0.5001, 0.5], abs=1e-9)
    assert [len(c.vectors) for c in found] == [1, 1]
    coarse = crossings(fam, a, b, 1e-2)
    assert [len(c.vectors) for c in coarse] == [2]


def test_eigenvalues_near_zero_are_those_of_the_dense_matrix():
    model = ReducedLandauDeGennes(13, 30.0)
    fam = family(model, "lambda2", 30.0, 5.0)
    point = start(fam, model.start("wors"), 30.0)
    assert point.system.values is None  # factorised
    exact = DenseSpectrum(model.hessian(point.x).toarray(), model.mass).values
    values, vectors = near_zero(point.system, 4)
    np.testing.assert_allclose(values, np.sort(exact[np.argsort(np.abs(exact))[:4]]), rtol=1e-5)
    np.testing.assert_allclose(vectors * model.mass @ vectors.T, np.eye(4), atol=1e-10)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_branch_leaves_a_pitchfork_on_both_sides(sign):
    fam = Family(lambda a: quartic(a), "a", -1.0, 2.0, 1.0)
    crossing = trace(fam, start(fam, np.zeros(1), -1.0), 1.0, [], Limits()).crossings[0]
    point = leave(fam, crossing, sign * crossing.vectors[0])
    assert point.x[0] ** 2 == pytest.approx(point.value) and abs(point.x[0]) > 5e-3
    assert point.tangent.x[0] * point.x[0] > 0.0 and point.tangent.value > 0.0


def test_a_turning_at_a_pitchfork_is_no_fold():
    fam = Family(lambda a: quartic(a), "a", 1.0, 2.0, 1.0)
    found = trace(fam, start(fam, np.ones(1), 1.0), -1.0, [], Limits())
    assert not found.turning.is_fold and found.turning.value == pytest.approx(0.0, abs=1e-8)
    assert found.turning.before.x[0] * found.turning.after.x[0] < 0.0


def test_a_turning_is_bracketed_by_its_tangents():
    fam = Family(lambda a: quartic(a, 0.05), "a", 1.0, 2.0, 1.0)
    edge, height = (0.05 / 2) ** (1 / 3), 3 * (0.05 / 2) ** (2 / 3)  # the fold

    def at(x):
        a = (x**3 + 0.05) / x
        row = correct(fam, np.array([x]), a, Row(np.array([1.0]), 0.0))
        return row

    found = turning(fam, at(edge - 0.03), at(edge + 0.03), 1e-6)
    assert found.value == pytest.approx(height, abs=1e-9)
    assert found.point.x[0] == pytest.approx(edge, abs=1e-3)


def test_a_lost_branch_says_where_and_why():
    def model_at(p):
        scale = 1.0 if p > 0.3 else np.nan
        return as_model(lambda x: scale * float(x[0] ** 2) / 2, lambda x: scale * x, 1, hessian=lambda x: np.eye(1))

    fam = Family(model_at, "p", 1.0, 1.0, 1.0)
    found = trace(fam, start(fam, np.zeros(1), 1.0), 0.0, [], Limits(min_step=1e-4))
    assert found.samples[-1].value == pytest.approx(0.3, abs=2e-3) and found.turning is None
    assert "gradient is not finite" in found.lost and "steps down to 1e-04" in found.lost


def test_a_model_without_a_matrix_is_refused():
    big = as_model(lambda x: float(x @ x), lambda x: 2 * x, 501)
    with pytest.raises(ValueError, match=r"501 unknowns and no hessian\(x\)"):
        Family(lambda p: big, "p", 0.0, 1.0, 1.0)
