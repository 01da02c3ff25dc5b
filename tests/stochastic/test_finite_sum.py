"""Means of many terms: what a user writes is enough, samples are fair, estimates are those of their rows."""

import json
import pickle
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import pytest

from saddlescape import FiniteSum, HiSD, NoisyModel, check_model, load_model, search
from saddlescape.naming import model_parameters
from saddlescape.stochastic.finite_sum import draw_rows

DATA = np.random.default_rng(12).standard_normal((7, 2))


@dataclass(frozen=True)
class Wells(FiniteSum):
    """The mean of (|x - a_i|^2 - 1)^2 / 4, and a deterministic part |x|^2 / 2."""

    points: tuple = field(default=tuple(map(tuple, DATA.tolist())))
    batch: int = 3
    replacement: bool = False

    dim = 2

    @property
    def n_terms(self):
        return len(self.points)

    def distances(self, x, rows):
        d = x - np.array(self.points)[rows]
        return d, (d * d).sum(axis=1) - 1.0

    def batch_energy(self, x, rows):
        return 0.25 * np.mean(self.distances(x, rows)[1] ** 2) + 0.5 * x @ x

    def batch_gradient(self, x, rows, out=None):
        d, excess = self.distances(x, rows)
        return np.add((excess[:, None] * d).mean(axis=0), x, out=out)

    def batch_hvp(self, x, v, rows, out=None):
        d, excess = self.distances(x, rows)
        return np.add((excess[:, None] * v + 2.0 * (d @ v)[:, None] * d).mean(axis=0), v, out=out)


@dataclass(frozen=True)
class WithoutProducts(FiniteSum):
    """Energy and gradient alone, which leave ``out`` to the library."""

    batch: int = 2

    dim, n_terms = 2, 7

    def batch_energy(self, x, rows):
        return Wells().batch_energy(x, rows)

    def batch_gradient(self, x, rows, out=None):
        return Wells().batch_gradient(x, rows)


X, V = np.array([0.7, -1.2]), np.array([0.4, 0.9])


def rows_of(n_terms, batch, replacement, draws, seed):
    """Samples of the compiled kernel, (draws, batch)."""
    params, rng = (np.empty(0), np.array([n_terms, int(replacement)])), np.random.default_rng(seed)
    samples = np.empty((draws, batch))
    for sample in samples:
        draw_rows(params, rng, sample)
    return samples.astype(int)


def fair(counts):
    """Whether counts of equally likely outcomes are what chance makes of them (chi squared within four standard deviations)."""
    counts = np.asarray(counts)
    freedom = counts.size - 1
    return abs(((counts - counts.mean()) ** 2).sum() / counts.mean() - freedom) < 4.0 * np.sqrt(2.0 * freedom)


# --- samples --------------------------------------------------------------------------------------------------------------


def test_without_replacement_all_subsets_are_drawn_alike():
    subsets = {subset: 0 for subset in combinations(range(7), 3)}
    for rows in rows_of(7, 3, False, 7000, seed=0):
        subsets[tuple(sorted(rows.tolist()))] += 1
    assert fair(list(subsets.values()))


@pytest.mark.parametrize(("n_terms", "batch"), [(1, 1), (5, 5), (150, 149), (1000, 30)])
def test_without_replacement_no_row_comes_twice(n_terms, batch):
    for rows in rows_of(n_terms, batch, False, 50, seed=1):
        assert len(set(rows.tolist())) == batch and 0 <= rows.min() and rows.max() < n_terms


def test_with_replacement_every_sequence_is_drawn_alike():
    rows = rows_of(4, 3, True, 6400, seed=2)
    assert fair(np.bincount(rows @ [16, 4, 1], minlength=64))


@pytest.mark.parametrize("replacement", [False, True])
def test_kernel_and_its_source_draw_the_same_rows(replacement):
    model = Wells(batch=5, replacement=replacement)
    for seed in range(5):
        sample = np.empty(5)
        draw_rows.py_func(model.params, np.random.default_rng(seed), sample)
        np.testing.assert_array_equal(model.draw(np.random.default_rng(seed)), sample)


# --- estimates ------------------------------------------------------------------------------------------------------------


def test_the_mean_over_all_subsets_is_exact():
    model = Wells()
    samples = [np.array(subset, dtype=float) for subset in combinations(range(7), 3)]
    gradients = [model.stochastic_gradient(X, sample) for sample in samples]
    products = [model.stochastic_hvp(X, V, sample) for sample in samples]
    np.testing.assert_allclose(np.mean(gradients, axis=0), model.gradient(X), rtol=1e-13)
    np.testing.assert_allclose(np.mean(products, axis=0), model.hvp(X, V), rtol=1e-13)


def test_without_replacement_the_variance_is_smaller_by_the_known_factor():
    n, b = 7, 3
    model = Wells()
    terms = np.array([model.stochastic_gradient(X, np.array([float(i)])) for i in range(n)])
    subsets = np.array([model.stochastic_gradient(X, np.array(s, dtype=float)) for s in combinations(range(n), b)])
    np.testing.assert_allclose(subsets.var(axis=0), terms.var(axis=0) / b * (n - b) / (n - 1), rtol=1e-12)


def test_a_sample_of_all_rows_is_exact_and_the_deterministic_part_counts_once():
    model = Wells(batch=7)
    sample = model.draw(np.random.default_rng(0))
    np.testing.assert_allclose(model.stochastic_gradient(X, sample), model.gradient(X), rtol=1e-14)
    np.testing.assert_allclose(model.stochastic_hvp(X, V, sample), model.hvp(X, V), rtol=1e-14)
    terms = 0.25 * (((X - DATA) ** 2).sum(axis=1) - 1.0) ** 2
    assert model.energy(X) == pytest.approx(terms.mean() + 0.5 * X @ X)


def test_the_product_is_the_derivative_of_the_gradient_of_the_same_sample():
    model = Wells()
    sample = model.draw(np.random.default_rng(3))
    near, far = (model.stochastic_gradient(X + t * V, sample) - model.stochastic_gradient(X - t * V, sample) for t in (0.1, 0.2))
    np.testing.assert_allclose((8.0 * near - far) / 1.2, model.stochastic_hvp(X, V, sample), rtol=1e-12)  # a quartic: exact


@pytest.mark.parametrize("model", [Wells(), Wells(batch=20, replacement=True), WithoutProducts()], ids=repr)
def test_check_model_passes(model):
    report = check_model(model, X)
    assert report.ok, str(report)
    assert report["stochastic_gradient is unbiased"].status == "passed"


def test_products_are_absent_where_none_are_given():
    assert hasattr(Wells(), "hvp") and hasattr(Wells(), "stochastic_hvp")
    assert not hasattr(WithoutProducts(), "hvp") and not hasattr(WithoutProducts(), "stochastic_hvp")


# --- as any other model ---------------------------------------------------------------------------------------------------


def test_out_is_filled_whatever_the_subclass_does_with_it():
    for model in (Wells(), WithoutProducts()):
        sample, out = model.draw(np.random.default_rng(0)), np.full(2, np.nan)
        assert model.gradient(X, out) is out
        np.testing.assert_array_equal(out, Wells().gradient(X))
        assert model.stochastic_gradient(X, sample, out) is out
        np.testing.assert_array_equal(out, model.stochastic_gradient(X, sample))


def test_it_travels_and_is_rebuilt_from_its_parameters():
    model = Wells(batch=4)
    model.energy(X)
    twin = pickle.loads(pickle.dumps(model))
    assert twin == model and twin.energy(X) == model.energy(X)
    again = load_model(f"{__file__}:Wells", json.loads(json.dumps(model_parameters(model))))
    assert again.batch == 4 and again.energy(X) == model.energy(X)


def test_it_is_searched_and_wrapped_like_any_other():
    model = Wells()
    found = search(model, X, HiSD(index=0))
    assert found.success and np.abs(model.gradient(found.point.x)).max() < 1e-10
    noisy = NoisyModel(model, 0.1)
    np.testing.assert_array_equal(noisy.gradient(X), model.gradient(X))


@pytest.mark.parametrize("batch", [0, -1, 2.5, "all", None])
def test_a_batch_is_a_positive_integer(batch):
    with pytest.raises(ValueError, match=r"batch: got .*, expected a positive integer"):
        Wells(batch=batch)


def test_a_batch_is_no_larger_than_the_data_unless_rows_may_repeat():
    with pytest.raises(ValueError, match="batch: got 8 of 7 terms, expected at most all of them; with replacement=True"):
        Wells(batch=8)
    assert Wells(batch=8, replacement=True).draw(np.random.default_rng(0)).shape == (8,)


def test_what_a_subclass_lacks_is_named():
    @dataclass(frozen=True)
    class Nothing(FiniteSum):
        dim, n_terms = 2, 5

    with pytest.raises(NotImplementedError, match=r"Nothing has neither kernels nor batch_energy\(x, rows\): give it the mean"):
        Nothing().energy(X)
    with pytest.raises(NotImplementedError, match=r"batch_gradient\(x, rows, out=None\)"):
        Nothing().gradient(X)
