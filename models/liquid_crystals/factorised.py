"""A sparse factorisation as a preconditioner, where no transform makes the elastic form diagonal."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from scipy.sparse.linalg import splu


class FactorisedOperator:
    """A symmetric positive definite matrix of N nodes that acts on each component of a field alike.

    Parameters
    ----------
    matrix : (N, N) scipy.sparse array
    turns : (N,) complex array, optional
        Where pairs of components are complex numbers with axes of their own at every node: the numbers of modulus 1 that turn
        them into the axes in which the matrix acts.

    Raises
    ------
    ValueError
        If the matrix is not positive definite.
    """

    def __init__(self, matrix: scipy.sparse.csc_array, turns: np.ndarray | None = None):
        self._matrix, self._turns = matrix.tocsc(), turns
        options = {"SymmetricMode": True}
        self._factors = splu(self._matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
        pivots = self._factors.U.diagonal()
        if not ((self._factors.perm_r == self._factors.perm_c).all() and (pivots > 0.0).all()):
            raise ValueError(
                f"matrix: its smallest pivot is {pivots.min():.3g}, expected all positive; "
                "a preconditioner is positive definite: give it a larger shift"
            )

    def solve(self, r: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """M^-1 r for r (n,) or rows (k, n)."""
        return self._on_fields(lambda columns: self._factors.solve(np.ascontiguousarray(columns)), r, out)

    def apply(self, v: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """M v for v (n,) or rows (k, n)."""
        return self._on_fields(lambda columns: self._matrix @ columns, v, out)

    def _on_fields(self, function, v: np.ndarray, out: np.ndarray | None) -> np.ndarray:
        fields = self._turned(v.reshape(-1, self._matrix.shape[0]), self._turns)
        image = self._turned(function(fields.T).T, None if self._turns is None else self._turns.conj())
        if out is None:
            return np.ascontiguousarray(image).reshape(v.shape)
        out[...] = image.reshape(v.shape)
        return out

    @staticmethod
    def _turned(fields: np.ndarray, turns: np.ndarray | None) -> np.ndarray:
        if turns is None:
            return fields
        pairs = fields.reshape(-1, 2, turns.size)
        turned = turns * (pairs[:, 0] + 1j * pairs[:, 1])
        return np.stack([turned.real, turned.imag], axis=1).reshape(fields.shape)
