"""Sparse factorisations and multigrid as preconditioners, where no transform makes the elastic form diagonal."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import scipy.sparse
from scipy.sparse.linalg import splu

FACTORS_LIMIT = 40_000
"""In three dimensions factors fill up: beyond this many nodes multigrid takes their place."""


class ComponentwiseOperator:
    """A symmetric positive definite matrix of N nodes that acts on each component of a field alike.

    Parameters
    ----------
    matrix : (N, N) scipy.sparse array
    axes : (N, c, c) array, optional
        Where the components of a field have axes of their own at every node: the orthogonal matrices that turn them into the axes
        in which the matrix acts.
    """

    def __init__(self, matrix: scipy.sparse.sparray, axes: np.ndarray | None = None):
        self._matrix, self._axes = matrix.tocsc(), axes

    def _inverse(self, columns: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def solve(self, r: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """M^-1 r for r (n,) or rows (k, n)."""
        return self._on_fields(self._inverse, r, out)

    def apply(self, v: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """M v for v (n,) or rows (k, n)."""
        return self._on_fields(self._matrix.__matmul__, v, out)

    def _on_fields(self, function, v: np.ndarray, out: np.ndarray | None) -> np.ndarray:
        n_nodes = self._matrix.shape[0]
        fields = v.reshape(-1, n_nodes)
        if self._axes is not None:
            n_components = self._axes.shape[1]
            own = v.reshape(-1, n_components, n_nodes)
            fields = np.einsum("nab,kbn->kan", self._axes, own).reshape(-1, n_nodes)
        image = function(np.ascontiguousarray(fields.T)).T
        if self._axes is not None:
            image = np.einsum("nba,kbn->kan", self._axes, image.reshape(-1, n_components, n_nodes))
        if out is None:
            return np.ascontiguousarray(image).reshape(v.shape)
        out[...] = image.reshape(v.shape)
        return out


class FactorisedOperator(ComponentwiseOperator):
    """With the factors of the matrix; parameters as of `ComponentwiseOperator`.

    Raises
    ------
    ValueError
        If the matrix is not positive definite.
    """

    def __init__(self, matrix: scipy.sparse.sparray, axes: np.ndarray | None = None):
        super().__init__(matrix, axes)
        options = {"SymmetricMode": True}
        self._factors = splu(self._matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
        pivots = self._factors.U.diagonal()
        if not ((self._factors.perm_r == self._factors.perm_c).all() and (pivots > 0.0).all()):
            raise ValueError(
                f"matrix: its smallest pivot is {pivots.min():.3g}, expected all positive; "
                "a preconditioner is positive definite: give it a larger shift"
            )

    def _inverse(self, columns: np.ndarray) -> np.ndarray:
        return self._factors.solve(columns)


class MultigridOperator(ComponentwiseOperator):
    """With conjugate gradients preconditioned by algebraic multigrid; parameters as of `ComponentwiseOperator`.

    Solved to `TOLERANCE`, so that solve and apply are inverse to each other and the metric is one and the same at every step.
    """

    TOLERANCE = 1e-8

    @cached_property
    def _levels(self):
        from .elements import require

        return require("pyamg").smoothed_aggregation_solver(self._matrix.tocsr(), symmetry="symmetric")

    def _inverse(self, columns: np.ndarray) -> np.ndarray:
        return np.stack([self._levels.solve(column, tol=self.TOLERANCE, accel="cg") for column in columns.T], axis=1)


def elastic_operator(matrix: scipy.sparse.sparray, dimension: int, axes: np.ndarray | None) -> ComponentwiseOperator:
    """The matrix as a preconditioner: factorised, or by multigrid where the factors would not fit."""
    kind = MultigridOperator if dimension == 3 and matrix.shape[0] > FACTORS_LIMIT else FactorisedOperator
    return kind(matrix, axes)
