"""Additive noise: its moments, exactly, and what remains of the model it is added to."""

import numpy as np
import pytest

from saddlescape import NoisyModel, as_model
from saddlescape.models import DoubleWells, MuellerBrown

X = np.array([0.3, -0.7])


def test_the_gradient_noise_has_mean_zero_and_independent_entries_of_the_stated_size(normal_nodes):
    """Moments by Gauss-Hermite quadrature over the sample: exact."""
    model = NoisyModel(MuellerBrown(), gradient_noise=0.7)
    samples, weights = normal_nodes(model.sample_size, 3)
    noise = np.array([model.stochastic_gradient(X, w) for w in samples]) - model.gradient(X)
    np.testing.assert_allclose(weights @ noise, 0.0, atol=1e-12)
    np.testing.assert_allclose((weights * noise.T) @ noise, 0.49 * np.eye(2), atol=1e-12)


def test_the_hessian_noise_is_symmetric_with_uncorrelated_entries_of_the_stated_size(normal_nodes):
    model = NoisyModel(MuellerBrown(), gradient_noise=0.7, hessian_noise=1.3)
    samples, weights = normal_nodes(model.sample_size, 3)
    exact = np.array([model.hvp(X, e) for e in np.eye(2)])
    noise = np.array([[model.stochastic_hvp(X, e, w) for e in np.eye(2)] for w in samples]) - exact
    np.testing.assert_allclose(noise, noise.transpose(0, 2, 1), atol=1e-11)
    entries = noise.reshape(-1, 4)[:, [0, 3, 1]]
    np.testing.assert_allclose(weights @ entries, 0.0, atol=1e-11)
    variances = 1.69 * np.diag([2.0, 2.0, 1.0])  # twice on the diagonal
    np.testing.assert_allclose((weights * entries.T) @ entries, variances, atol=1e-11)
    # ... and with the noise of the gradient that the same sample gives.
    gradients = np.array([model.stochastic_gradient(X, w) for w in samples]) - model.gradient(X)
    np.testing.assert_allclose((weights * entries.T) @ gradients, 0.0, atol=1e-11)


def test_samples_are_standard_normal_numbers():
    rng, model = np.random.default_rng(4), NoisyModel(DoubleWells((1.0,) * 6), 1.0, 1.0)
    draws = np.array([model.draw(rng) for _ in range(3000)])
    assert draws.shape == (3000, 18)
    m = draws.size
    assert abs(draws.mean()) < 4.0 / np.sqrt(m)
    assert abs(draws.var() - 1.0) < 4.0 * np.sqrt(2.0 / m)
    assert abs((draws**4).mean() - 3.0) < 4.0 * np.sqrt(96.0 / m)
    assert np.abs(np.corrcoef(draws.T) - np.eye(18)).max() < 5.0 / np.sqrt(3000)


def test_one_sample_gives_the_same_noise_at_every_point():
    """So a difference of two gradients with one sample has none."""
    model = NoisyModel(MuellerBrown(), 5.0)
    w = model.draw(np.random.default_rng(0))
    difference = model.stochastic_gradient(X + 1e-4, w) - model.stochastic_gradient(X - 1e-4, w)
    np.testing.assert_allclose(difference / 2e-4, model.hvp(X, np.ones(2)), rtol=1e-4)


def test_without_hessian_noise_products_are_exact_and_take_no_random_numbers():
    model = NoisyModel(MuellerBrown(), 1.0)
    w = model.draw(np.random.default_rng(0))
    assert w.shape == (2,)
    np.testing.assert_array_equal(model.stochastic_hvp(X, np.ones(2), w), model.hvp(X, np.ones(2)))


def test_products_are_absent_where_the_model_has_none():
    model = NoisyModel(as_model(lambda x: 0.5 * x @ x, lambda x: x, 2), 1.0, 1.0)
    assert hasattr(model, "stochastic_gradient") and not hasattr(model, "stochastic_hvp") and not hasattr(model, "hvp")
    with pytest.raises(AttributeError, match="stochastic_hvp"):
        _ = model.stochastic_hvp


@pytest.mark.parametrize("name", ["gradient_noise", "hessian_noise"])
@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf])
def test_a_bad_standard_deviation_is_named(name, value):
    with pytest.raises(ValueError, match=f"{name}: got {value}, expected a standard deviation, a number of at least 0"):
        NoisyModel(MuellerBrown(), **{name: value})
