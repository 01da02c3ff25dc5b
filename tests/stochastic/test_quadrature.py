"""Random quadrature: exactly so many nodes, all subsets alike, estimates without bias."""

from itertools import combinations

import numpy as np
import pytest

from saddlescape import RandomQuadrature, check_model
from saddlescape.models import MuellerBrown, PhaseField, ReducedLandauDeGennes

FIELDS = [PhaseField(16, 0.02), ReducedLandauDeGennes(9, 10.0)]
every_field = pytest.mark.parametrize("model", FIELDS, ids=lambda model: type(model).__name__)


@every_field
@pytest.mark.parametrize("fraction", [1e-6, 0.1, 0.5, 0.77, 1.0])
def test_a_sample_keeps_exactly_so_many_nodes(model, fraction):
    source, rng = RandomQuadrature(model, fraction), np.random.default_rng(0)
    kept = max(1, round(fraction * model.n_nodes))
    for _ in range(20):
        weights = source.draw(rng)
        assert weights.shape == (model.n_nodes,) and np.count_nonzero(weights) == kept == source.kept
        np.testing.assert_array_equal(weights[weights > 0.0], model.n_nodes / kept)


def test_all_subsets_are_drawn_alike():
    source, rng = RandomQuadrature(ReducedLandauDeGennes(5, 10.0), 1 / 3), np.random.default_rng(1)
    subsets = {subset: 0 for subset in combinations(range(9), 3)}
    draws = 8400
    for _ in range(draws):
        subsets[tuple(np.flatnonzero(source.draw(rng)).tolist())] += 1
    expected = draws / len(subsets)
    chi2 = sum((count - expected) ** 2 for count in subsets.values()) / expected
    freedom = len(subsets) - 1
    assert abs(chi2 - freedom) < 4.0 * np.sqrt(2.0 * freedom)


@every_field
def test_estimates_are_unbiased(model):
    report = check_model(RandomQuadrature(model, 0.3))
    assert report.ok, str(report)
    assert report["stochastic_gradient is unbiased"].status == report["stochastic_hvp is unbiased"].status == "passed"


@every_field
def test_all_nodes_give_the_exact_derivatives(model):
    source, rng = RandomQuadrature(model, 1.0), np.random.default_rng(2)
    x, v = rng.standard_normal((2, model.dim))
    sample = source.draw(rng)
    np.testing.assert_array_equal(source.stochastic_gradient(x, sample), model.gradient(x))
    np.testing.assert_array_equal(source.stochastic_hvp(x, v, sample), model.hvp(x, v))


@every_field
def test_kernels_draw_and_estimate_as_the_methods_do(model):
    source = RandomQuadrature(model, 0.4)
    x, v = np.random.default_rng(3).standard_normal((2, model.dim))
    sample, out = np.empty(source.sample_size), np.empty(model.dim)
    source.kernels.draw(source.params, np.random.default_rng(4), sample)
    np.testing.assert_array_equal(sample, source.draw(np.random.default_rng(4)))
    source.kernels.stochastic_gradient(x, source.params, sample, out)
    np.testing.assert_array_equal(out, source.stochastic_gradient(x, sample))
    source.kernels.stochastic_hvp(x, v, source.params, sample, out)
    np.testing.assert_array_equal(out, source.stochastic_hvp(x, v, sample))


def test_only_fields_whose_local_term_can_be_weighted():
    with pytest.raises(TypeError, match="model: MuellerBrown has no n_nodes; random quadrature needs a field"):
        RandomQuadrature(MuellerBrown(), 0.5)
    for fraction in (0.0, 1.5, float("nan")):
        with pytest.raises(ValueError, match=r"fraction: got .*, expected the part of the nodes that is kept"):
            RandomQuadrature(FIELDS[0], fraction)
