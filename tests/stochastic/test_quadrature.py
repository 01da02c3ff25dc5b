"""Random quadrature: so many nodes, all subsets alike, and unbiased derivatives."""

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import pytest

from saddlescape import EnergyModel, RandomQuadrature
from saddlescape.models import MuellerBrown


@dataclass(frozen=True)
class Chain(EnergyModel):
    """1/2 sum (x_{i+1} - x_i)^2 + sum (x_i^2 - 1)^2 / 4 on a ring of nodes, in plain Python."""

    dim: int = 6

    @property
    def n_nodes(self):
        return self.dim

    def energy(self, x):
        return float(0.5 * np.sum((np.roll(x, -1) - x) ** 2) + 0.25 * np.sum((x * x - 1.0) ** 2))

    def gradient(self, x, out=None):
        return self.weighted_gradient(x, np.ones(self.dim), out)

    def weighted_gradient(self, x, weights, out=None):
        return np.add(2.0 * x - np.roll(x, 1) - np.roll(x, -1), weights * (x**3 - x), out=out)

    def weighted_hvp(self, x, v, weights, out=None):
        return np.add(2.0 * v - np.roll(v, 1) - np.roll(v, -1), weights * (3.0 * x * x - 1.0) * v, out=out)


X = np.linspace(-1.5, 1.0, 6)


@pytest.mark.parametrize(("fraction", "kept"), [(0.5, 3), (0.34, 2), (0.01, 1), (1.0, 6)])
def test_a_sample_keeps_its_part_of_the_nodes_and_makes_up_for_the_others(fraction, kept):
    model, rng = RandomQuadrature(Chain(), fraction), np.random.default_rng(0)
    assert model.kept == kept
    for _ in range(50):
        weights = model.draw(rng)
        assert weights.shape == (6,) and np.count_nonzero(weights) == kept
        assert set(weights) <= {0.0, 6.0 / kept}


def test_all_subsets_are_alike():
    """Chi-squared over the 20 subsets of 3 nodes out of 6: 19 degrees of freedom, mean 19, standard deviation 6.2."""
    model, rng, draws = RandomQuadrature(Chain(), 0.5), np.random.default_rng(1), 10_000
    counts = dict.fromkeys(combinations(range(6), 3), 0)
    for _ in range(draws):
        counts[tuple(np.flatnonzero(model.draw(rng)))] += 1
    expected = draws / comb(6, 3)
    assert sum((count - expected) ** 2 for count in counts.values()) / expected < 19.0 + 4.0 * np.sqrt(38.0)


@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.8])
def test_the_mean_over_all_subsets_is_exact(fraction):
    model, v = RandomQuadrature(Chain(), fraction), np.cos(np.arange(6.0))
    subsets = list(combinations(range(6), model.kept))
    samples = np.zeros((len(subsets), 6))
    for sample, subset in zip(samples, subsets, strict=True):
        sample[list(subset)] = 6.0 / model.kept
    gradient = np.mean([model.stochastic_gradient(X, w) for w in samples], axis=0)
    np.testing.assert_allclose(gradient, model.gradient(X), atol=1e-13)
    product = np.mean([model.stochastic_hvp(X, v, w) for w in samples], axis=0)
    np.testing.assert_allclose(product, model.weighted_hvp(X, v, np.ones(6)), atol=1e-13)


def test_all_nodes_are_no_sample():
    model = RandomQuadrature(Chain(), 1.0)
    np.testing.assert_array_equal(model.stochastic_gradient(X, model.draw(np.random.default_rng(0))), model.gradient(X))


@pytest.mark.parametrize("fraction", [0.0, -0.5, 1.01, np.nan])
def test_a_bad_fraction_is_named(fraction):
    with pytest.raises(ValueError, match=f"fraction: got {fraction}, expected the part of the nodes that is kept"):
        RandomQuadrature(Chain(), fraction)


def test_a_model_without_nodes_is_refused():
    with pytest.raises(TypeError, match="model: MuellerBrown has no n_nodes; random quadrature needs a field"):
        RandomQuadrature(MuellerBrown())
