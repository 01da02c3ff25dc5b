"""The stochastic eigenvector search at a fixed point, against dense eigenvectors and the theory of its stationary error."""

import numpy as np
import pytest
import scipy.linalg

from saddlescape import EnergyModel, FunctionValues, NoisyModel, as_model, stochastic_eigenvectors
from saddlescape.models import ChafeeInfante, DoubleWells, MuellerBrown
from saddlescape.parts import Constant, Decaying, Estimated

VALUES = np.array([-20.0, -15.0, -10.0, -5.0, 6.0, 12.0, 17.0, 23.0, 28.0, 34.0, 39.0, 45.0])
POINT = (VALUES > 0.0).astype(float)
WELLS = DoubleWells(np.where(VALUES > 0.0, VALUES / 8.0, -VALUES / 4.0))  # diagonal Hessian with these entries at the point
NOISE = 2.0


def distance(vectors, k):
    """Squared distance of the span of the rows from that of the first k unit vectors, |(I - P) X|^2."""
    return float(np.sum(vectors[:, k:] ** 2))


def mean_distances(k, step, n_steps, seeds, model=None):
    """Sweeps looked at, and the mean over seeds of the squared distance there."""
    found = []
    for seed in range(seeds):
        one = []
        stochastic_eigenvectors(
            model or NoisyModel(WELLS, 0.0, NOISE), POINT, k, step=step, n_steps=n_steps, rng=seed,
            callback=lambda n, vectors, one=one: one.append((n, distance(vectors, k))),
        )  # fmt: skip
        found.append(one)
    sweeps, squares = np.array(found).transpose(2, 0, 1)
    return sweeps[0], squares.mean(axis=0)


def stationary(k, step):
    """b s^2 / 2 times the sum of 1 / (lambda_j - lambda_i) over i <= k < j: each mixing angle is an Ornstein-Uhlenbeck process."""
    return 0.5 * step * NOISE**2 * np.sum(1.0 / np.subtract.outer(VALUES[k:], VALUES[:k]))


# --- rates ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_the_span_converges_with_the_schedule(k):
    """n^-p for p < 1, with the constant that theory predicts."""
    step = Decaying(0.3, 10.0, 0.7)
    sweeps, squares = mean_distances(k, step, 8000, 12)
    late = sweeps >= 1000
    expected = stationary(k, 0.3 / (sweeps[late] + 10.0) ** 0.7)
    ratio = squares[late] / expected
    assert ratio.mean() == pytest.approx(1.0, abs=0.25)
    assert np.polyfit(np.log(sweeps[late]), np.log(squares[late]), 1)[0] == pytest.approx(-0.7, abs=0.25)


@pytest.mark.slow
@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    ("step", "rate"), [(Decaying(1.0, 30.0), -1.0), (Decaying(0.3, 10.0, 0.7), -0.7), (Decaying(0.3, 10.0, 0.85), -0.85)]
)
def test_the_span_converges_at_the_rate_of_the_schedule(k, step, rate):
    sweeps, squares = mean_distances(k, step, 100_000, 40)
    late = sweeps >= 3000
    assert np.polyfit(np.log(sweeps[late]), np.log(squares[late]), 1)[0] == pytest.approx(rate, abs=0.1)


def test_constant_steps_end_in_a_plateau():
    sweeps, squares = mean_distances(3, Constant(0.002), 8000, 12)
    late = sweeps >= 2000
    assert squares[late].mean() == pytest.approx(stationary(3, 0.002), rel=0.2)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_by_default_vectors_and_values_are_the_dense_ones(k, seed):
    found = stochastic_eigenvectors(NoisyModel(WELLS, 0.0, NOISE), POINT, k, rng=seed)
    np.testing.assert_allclose(found.vectors @ found.vectors.T, np.eye(k), atol=1e-12)
    assert distance(found.vectors, k) < 0.02
    assert np.abs(np.diag(found.vectors)).min() > 0.98  # one by one, the eigenvalues being simple
    assert np.abs((found.values - VALUES[:k]) / found.errors).max() < 4.5
    # Errors of a mean over 5000 sweeps of quotients with variance 2 s^2.
    np.testing.assert_allclose(found.errors, NOISE * np.sqrt(2.0 / 5000.0), rtol=0.15)
    assert found.n_steps == 10_000 and found.n_rejected == 0


# --- equal and clustered eigenvalues --------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", [0.0, 1e-3])
def test_the_span_of_equal_eigenvalues_converges_where_single_vectors_need_not(gap):
    values = np.concatenate([[-10.0 - gap, -10.0, -10.0 + gap], VALUES[4:]])
    wells = DoubleWells(np.where(values > 0.0, values / 8.0, -values / 4.0))
    x = (values > 0.0).astype(float)
    single, span = [], []
    for seed in range(6):
        found = stochastic_eigenvectors(NoisyModel(wells, 0.0, 1.0), x, 3, step=Decaying(0.3, 10.0, 0.7), n_steps=4000, rng=seed)
        single.append(np.abs(np.diag(found.vectors)).min())
        span.append(distance(found.vectors, 3))
    assert max(span) < 1e-3 and min(single) < 0.7


def test_noise_does_not_let_a_cluster_run_together():
    """All vectors of a multiple eigenvalue are found, orthonormal, not one of them three times."""
    wells = NoisyModel(DoubleWells((1.0,) * 6), 0.0, 1.0)
    found = stochastic_eigenvectors(wells, np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0]), 3, n_steps=3000)
    np.testing.assert_allclose(np.linalg.svd(found.vectors[:, :3], compute_uv=False), 1.0, atol=0.01)


# --- metrics --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preconditioned", [True, False])
def test_with_a_preconditioner_vectors_are_those_of_the_pencil(preconditioned):
    """Chafee-Infante about u = 0, index 3: eigenvectors of H v = lambda M v."""
    inner = ChafeeInfante(15, 12.0)
    x = np.zeros(15)
    metric = inner.preconditioner(x).apply(np.eye(15)) if preconditioned else np.diag(np.broadcast_to(inner.mass, 15))
    values, vectors = scipy.linalg.eigh([inner.hvp(x, e) for e in np.eye(15)], metric)
    assert np.count_nonzero(values < 0.0) == 3
    model = NoisyModel(inner, 0.0, 0.02)
    found = stochastic_eigenvectors(model, x, 3, n_steps=3000, preconditioned=preconditioned)
    np.testing.assert_allclose(found.vectors @ metric @ found.vectors.T, np.eye(3), atol=1e-11)
    overlap = found.vectors @ metric @ vectors[:, :3]
    assert 1.0 - np.linalg.svd(overlap, compute_uv=False).min() < 1e-3
    assert np.abs((found.values - values[:3]) / found.errors).max() < 5.0


# --- other sources, bad products, arguments -------------------------------------------------------------------------------


def test_differences_of_gradients_and_function_values_serve():
    """Without stochastic products: of two gradients with one sample, and of four energies."""
    x = np.array([-0.82200156, 0.6243128])  # an index-1 saddle
    exact = np.linalg.eigh([MuellerBrown().hvp(x, e) for e in np.eye(2)])[1][:, 0]
    inner = MuellerBrown()
    without = as_model(inner.energy, inner.gradient, 2)
    for model, precision in ((NoisyModel(without, 50.0), 1e-6), (FunctionValues(inner, 1e-2), 0.05)):
        found = stochastic_eigenvectors(model, x, 1, n_steps=3000)
        assert 1.0 - abs(found.vectors[0] @ exact) < precision


@pytest.mark.parametrize("rate", [0.1, 1.0])
def test_products_that_are_not_finite_are_rejected(rate):
    class Torn(EnergyModel):
        dim, inner = 12, NoisyModel(WELLS, 0.0, NOISE)

        def draw(self, rng):
            return rng.random() < rate, self.inner.draw(rng)

        def stochastic_gradient(self, x, sample, out=None):
            return self.inner.stochastic_gradient(x, sample[1], out)

        def stochastic_hvp(self, x, v, sample, out=None):
            return np.full(12, np.nan) if sample[0] else self.inner.stochastic_hvp(x, v, sample[1], out)

    step = Decaying(0.3, 10.0, 0.7)
    if rate == 1.0:
        with pytest.raises(ArithmeticError, match="100 stochastic Hessian-vector products in a row were not finite"):
            stochastic_eigenvectors(Torn(), POINT, 2, step=step)
        return
    found = stochastic_eigenvectors(Torn(), POINT, 2, step=step, n_steps=2000)
    assert 120 < found.n_rejected < 280 and found.n_steps == 2000
    assert distance(found.vectors, 2) < 0.02 and np.abs(found.values - VALUES[:2]).max() < 1.0


@pytest.mark.parametrize("step", [Estimated(), None, Constant(0.01)])
def test_one_seed_gives_the_same_numbers(step):
    model = NoisyModel(WELLS, 0.0, NOISE)
    first, again, other = (stochastic_eigenvectors(model, POINT, 2, step=step, n_steps=200, rng=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.vectors, again.vectors)
    np.testing.assert_array_equal(first.values, again.values)
    assert np.abs(first.values - other.values).max() > 0.0


def test_a_start_is_gone_on_from():
    """At the eigenvectors themselves, without noise, nothing moves."""
    found = stochastic_eigenvectors(NoisyModel(WELLS, 1.0), POINT, 3, start=2.0 * np.eye(12)[:3], n_steps=50, step=Constant(0.01))
    np.testing.assert_allclose(found.vectors, np.eye(12)[:3], atol=1e-12)
    np.testing.assert_allclose(found.values, VALUES[:3], rtol=1e-12)


BAD = {
    "k": ({"k": 0}, ValueError, "k: got 0, expected 1 to 12, the number of unknowns"),
    "too many": ({"k": 13}, ValueError, "k: got 13, expected 1 to 12"),
    "half": ({"k": 1.5}, ValueError, "k: got 1.5, expected 1 to 12"),
    "n_steps": ({"n_steps": 0}, ValueError, "n_steps: got 0, expected an integer of at least 1"),
    "start": ({"start": np.eye(12)[:2]}, ValueError, r"start: got shape \(2, 12\), expected \(1, 12\), one row for each vector"),
    "step": ({"step": 0.1}, ValueError, r"step: got 0.1, expected Decaying\(gamma, m, p\), Constant\(size\) or Estimated\(\)"),
    "x": ({"x": np.zeros(3)}, ValueError, r"x: got shape \(3,\), expected \(12,\)"),
    "deterministic": ({"model": WELLS}, TypeError, "model: DoubleWells has no draw and no stochastic_gradient"),
    "no model": ({"model": "wells"}, TypeError, "model: got str"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_clear_error(what):
    arguments, error, text = BAD[what]
    with pytest.raises(error, match=text):
        stochastic_eigenvectors(**{"model": NoisyModel(WELLS), "x": POINT, "k": 1, **arguments})
