"""Where derivatives come from, and how their calls are counted."""

import numpy as np
import pytest
import scipy.sparse

from saddlescape import EnergyModel, HiSD, as_model, check_model, search
from saddlescape.numerics.derivatives import Derivatives

X, V = np.array([1.0, -2.0, 0.5]), np.array([1.0, 1.0, -1.0])


def energy(x):
    return float(np.sum((x**2 - 1.0) ** 2))


def gradient(x):
    return 4.0 * x * (x**2 - 1.0)


def hessian(x):
    return np.diag(12.0 * x**2 - 4.0)


def counts(derivatives):
    return derivatives.n_gradient, derivatives.n_hvp, derivatives.n_hessian


class Plain(EnergyModel):
    """Not from `as_model`, and with a sparse Hessian."""

    dim = 3

    def energy(self, x):
        return energy(x)

    def gradient(self, x, out=None):
        return gradient(x)

    def hessian(self, x):
        return scipy.sparse.csc_array(hessian(x))


@pytest.mark.parametrize("model", [as_model(energy, gradient, 3, hessian=hessian), Plain()], ids=["functions", "class"])
def test_products_come_from_the_hessian_where_there_is_no_hvp(model):
    derivatives, out = Derivatives(model), np.empty(3)
    assert derivatives.hvp(X, V, out) is out and np.array_equal(out, hessian(X) @ V)
    assert np.array_equal(derivatives.hvp_rows(X, np.eye(3)), hessian(X))
    assert counts(derivatives) == (0, 4, 1)  # one Hessian serves all products at a point


def test_the_hessian_follows_a_point_that_moves_in_its_array():
    derivatives, x = Derivatives(as_model(energy, gradient, 3, hessian=hessian)), X.copy()
    derivatives.hvp(x, V)
    x += 0.25
    assert np.array_equal(derivatives.hvp(x, V), hessian(x) @ V)
    assert counts(derivatives) == (0, 2, 2)


def test_an_hvp_wins():
    derivatives = Derivatives(as_model(energy, gradient, 3, hvp=lambda x, v: 7.0 * v, hessian=hessian))
    assert np.array_equal(derivatives.hvp(X, V), 7.0 * V) and counts(derivatives) == (0, 1, 0)


def test_without_both_gradients_are_subtracted():
    derivatives = Derivatives(as_model(energy, gradient, 3))
    assert derivatives.hvp(X, V) == pytest.approx(hessian(X) @ V, rel=1e-7)
    assert counts(derivatives) == (2, 1, 0)
    assert derivatives.hessian(X) == pytest.approx(hessian(X), abs=1e-6)
    assert counts(derivatives) == (8, 4, 0)


def test_a_hessian_of_another_shape_is_named():
    derivatives = Derivatives(as_model(energy, gradient, 3, hessian=lambda x: np.eye(2)))
    with pytest.raises(ValueError, match=r"hessian: the model returned shape \(2, 2\), expected \(3, 3\)"):
        derivatives.hvp(X, V)


def test_a_search_takes_no_gradients_for_its_products():
    calls = []

    def counted(x):
        calls.append(x.copy())
        return gradient(x)

    results = []
    for given in (hessian, None):
        calls.clear()
        results.append(search(as_model(energy, counted, 3, hessian=given), [0.1, 0.9, -0.8], HiSD(1)))
        assert results[-1].success and results[-1].n_gradient == len(calls)
    assert results[0].x == pytest.approx([0.0, 1.0, -1.0], abs=1e-12)
    assert results[0].n_hvp > 0 and results[0].n_gradient < results[1].n_gradient - results[1].n_hvp


def test_a_hessian_without_hvp_is_checked_against_gradients():
    report = check_model(as_model(energy, gradient, 3, hessian=hessian))
    assert report.ok and "products with the Hessian take its place" in report["hvp is the gradient's"].detail
    wrong = check_model(as_model(energy, gradient, 3, hessian=lambda x: 1.01 * hessian(x)))
    assert [check.name for check in wrong.failures] == ["hessian agrees with hvp"]
