"""Expectations over standard normal numbers without sampling."""

from itertools import product

import numpy as np
import pytest


@pytest.fixture(scope="session")
def normal_nodes():
    """``normal_nodes(dim, m)``: Gauss-Hermite nodes (m^dim, dim) and weights, exact up to degree 2 m - 1 in each variable."""

    def nodes(dim, m):
        points, weights = np.polynomial.hermite_e.hermegauss(m)
        weights = weights / weights.sum()
        rows = np.array(list(product(points, repeat=dim))).reshape(-1, dim)
        return rows, np.array([np.prod(w) for w in product(weights, repeat=dim)])

    return nodes
