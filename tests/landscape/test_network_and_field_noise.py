"""Landscapes from mini-batches and random quadrature: those of theory, or the deterministic ones."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from saddlescape import RandomQuadrature, SHiSD, explore, search
from saddlescape.models import LinearNetwork, ReducedLandauDeGennes, RobustRegression, TanhNetwork


def linear_network(hidden: int) -> LinearNetwork:
    """Three inputs, three outputs, singular values near 3, 2, 1; mini-batches of 20 of 200 rows."""
    rng = np.random.default_rng(0)
    inputs = rng.standard_normal((200, 3))
    outputs = inputs * [3.0, 2.0, 1.0] + 0.1 * rng.standard_normal((200, 3))
    return LinearNetwork(inputs, outputs, hidden, batch=20)


@pytest.mark.parametrize("hidden", [1, 2])
@pytest.mark.parametrize("seed", [0, 1])
def test_linear_networks_have_the_saddles_of_theory(hidden, seed):
    model = linear_network(hidden)
    subsets = [subset for size in range(hidden + 1) for subset in combinations(range(3), size)]
    found = explore(model, np.zeros(model.dim), method=SHiSD(), rng=seed)
    # The orbits of one hidden unit are two points each, those of more are whole orbits of rotations.
    assert Counter(point.index for point in found.points) == Counter(model.theoretical_index(subset) for subset in subsets)
    energies = sorted(model.theoretical_energy(subset) for subset in subsets)
    np.testing.assert_allclose(sorted(point.energy for point in found.points), energies, rtol=1e-10)


@pytest.mark.parametrize("subset", [(), (0,), (1,), (2,), (0, 1), (1, 2)], ids=str)
def test_a_search_finds_a_saddle_of_a_linear_network_with_its_index(subset):
    model = linear_network(2)
    saddle = model.critical_point(subset)
    start = saddle + 0.05 * np.random.default_rng(1).standard_normal(model.dim)
    result = search(model, start, SHiSD(index=model.theoretical_index(subset)), rng=2)
    assert result.success, result.message
    assert result.energy == pytest.approx(model.theoretical_energy(subset), rel=1e-10)


def same_landscape(stochastic, deterministic):
    assert stochastic.index_counts() == deterministic.index_counts()
    pairs = ([(p.index, p.orbit_size, p.energy) for p in landscape.points] for landscape in (stochastic, deterministic))
    for one, other in zip(*map(sorted, pairs), strict=True):
        assert one[:2] == other[:2]
        assert one[2] == pytest.approx(other[2], rel=1e-9)


@pytest.mark.parametrize(("lambda2", "n"), [(10.0, 17), pytest.param(30.0, 17, marks=pytest.mark.slow)])
@pytest.mark.parametrize("fraction", [0.5, pytest.param(0.1, marks=pytest.mark.slow)])
def test_the_nematic_square_by_random_quadrature(n, lambda2, fraction):
    model = ReducedLandauDeGennes(n, lambda2)
    same_landscape(explore(RandomQuadrature(model, fraction), method=SHiSD()), explore(model))


def test_robust_regression_by_mini_batches():
    model = RobustRegression(batch=75)
    same_landscape(explore(model, method=SHiSD(), upward=True), explore(model, upward=True))


@pytest.mark.slow  # 45 searches, many of them upward and to nowhere, of up to a hundred thousand steps
@pytest.mark.parametrize("batch", [75, 140])
def test_the_tanh_network_by_mini_batches(batch):
    model = TanhNetwork(batch=batch)
    same_landscape(explore(model, method=SHiSD(), upward=True), explore(model, upward=True))
