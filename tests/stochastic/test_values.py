"""Derivatives from function values: expectations exactly, and noise that dies out where the gradient does."""

import numpy as np
import pytest

from saddlescape import FunctionValues, as_model
from saddlescape.models import Butterfly, DoubleWells, MuellerBrown
from saddlescape.models.known import known_points
from saddlescape.stochastic.values import SHORTEST

WEIGHTS = np.array([1.0, 1.7])
X = np.array([0.3, -1.2])


def smoothed_gradient(x, length):
    """Of c (x^2 - 1)^2 under a Gaussian of width l: the fourth power gains 6 l^2 x^2 and a constant."""
    return 4.0 * WEIGHTS * (x**3 - x + 3.0 * length**2 * x)


@pytest.mark.parametrize("length", [0.01, 0.1, 0.5])
def test_the_gradient_is_unbiased_for_the_smoothed_energy(length, normal_nodes):
    """By Gauss-Hermite quadrature over the direction: exact for a quartic."""
    model = FunctionValues(DoubleWells(WEIGHTS), length)
    samples, weights = normal_nodes(2, 4)
    mean = weights @ np.array([model.stochastic_gradient(X, r) for r in samples])
    np.testing.assert_allclose(mean, smoothed_gradient(X, length), rtol=1e-10)


@pytest.mark.parametrize("length", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("v", [[1.0, 0.0], [0.6, -0.8], [3.0, 4.0]], ids=["axis", "unit", "long"])
def test_products_are_unbiased_for_the_difference_of_smoothed_gradients(length, v, normal_nodes):
    """Over the length l along v, whatever |v|, times |v|."""
    model, v = FunctionValues(DoubleWells(WEIGHTS), length), np.array(v)
    samples, weights = normal_nodes(2, 4)
    mean = weights @ np.array([model.stochastic_hvp(X, v, r) for r in samples])
    far = length / np.linalg.norm(v)
    expected = (smoothed_gradient(X + far * v, length) - smoothed_gradient(X - far * v, length)) / (2.0 * far)
    np.testing.assert_allclose(mean, expected, rtol=1e-7, atol=1e-8)


def test_the_bias_is_of_second_order_in_the_length(normal_nodes):
    x, v = np.array([-0.4, 0.3]), np.array([0.6, 0.8])
    samples, weights = normal_nodes(2, 9)
    gradient_bias, product_bias = [], []
    for length in (0.04, 0.02, 0.01):
        model = FunctionValues(Butterfly(), length)
        gradient = weights @ np.array([model.stochastic_gradient(x, r) for r in samples])
        product = weights @ np.array([model.stochastic_hvp(x, v, r) for r in samples])
        gradient_bias.append(np.linalg.norm(gradient - model.gradient(x)))
        product_bias.append(np.linalg.norm(product - model.hvp(x, v)))
    for bias in (gradient_bias, product_bias):
        np.testing.assert_allclose([bias[0] / bias[1], bias[1] / bias[2]], 4.0, rtol=0.01)


@pytest.mark.parametrize("name", ["Butterfly", "MuellerBrown"])
def test_noise_dies_out_at_a_stationary_point_as_the_square_of_the_length(name, normal_nodes):
    """Away from it the spread of a gradient estimate stays what it is."""
    inner = {"Butterfly": Butterfly, "MuellerBrown": MuellerBrown}[name]()
    saddle = [p["x"] for p in known_points(name) if p["index"] == 1][-1]
    samples, weights = normal_nodes(2, 7)

    def spread(x, length):
        model = FunctionValues(inner, length)
        gradients = np.array([model.stochastic_gradient(x, r) for r in samples])
        return np.sqrt(weights @ np.sum((gradients - weights @ gradients) ** 2, axis=1))

    at, beside = (np.array([spread(x, length) for length in (0.02, 0.01, 0.005)]) for x in (saddle, saddle + 0.2))
    np.testing.assert_allclose(at[:-1] / at[1:], 4.0, rtol=0.05)
    np.testing.assert_allclose(beside, beside[0], rtol=0.05)
    # Of |g|^2 r r^T with r normal: (n + 1) |g|^2 in all.
    np.testing.assert_allclose(beside[-1], np.sqrt(3.0) * np.linalg.norm(inner.gradient(saddle + 0.2)), rtol=1e-2)


def test_only_the_energy_is_asked_for():
    def forbidden(*_):
        raise AssertionError("this costs too much")

    model = FunctionValues(as_model(lambda x: 0.5 * x @ x, forbidden, 2, hvp=forbidden))
    r = model.draw(np.random.default_rng(0))
    np.testing.assert_allclose(model.stochastic_gradient(X, r), (X @ r) * r)
    np.testing.assert_allclose(model.stochastic_hvp(X, X, r), (X @ r) * r, rtol=1e-9)


def test_refined_takes_a_quarter_of_the_length_down_to_round_off():
    model, lengths = FunctionValues(MuellerBrown(), 1e-2), []
    while model is not None:
        lengths.append(model.length)
        assert model.model == MuellerBrown()
        model = model.refined()
    np.testing.assert_allclose(lengths, 1e-2 * 0.25 ** np.arange(len(lengths)))
    assert lengths[-1] >= SHORTEST > 0.25 * lengths[-1]


@pytest.mark.parametrize("length", [0.0, -1e-3, np.nan, np.inf])
def test_a_bad_length_is_named(length):
    with pytest.raises(ValueError, match=f"length: got {length}, expected a positive number, in units of x"):
        FunctionValues(MuellerBrown(), length)
