"""Sparse Hessians of fields: a constant matrix, and blocks at the nodes that change from point to point."""

from __future__ import annotations

import numpy as np
import scipy.sparse


class LocalHessian:
    """The Hessian of an energy with a quadratic part and a local one; its pattern is the same at every point.

    Parameters
    ----------
    constant : (m N, m N) scipy.sparse array
        The Hessian of the quadratic part; the unknowns are m components at N nodes, ``x.reshape(m, N)``.
    components : int
        m.
    """

    def __init__(self, constant: scipy.sparse.sparray, components: int):
        n = constant.shape[0] // components
        # The pattern of |entries| and of full local blocks: no sum of positive numbers cancels.
        blocks = scipy.sparse.kron(np.ones((components, components)), scipy.sparse.eye_array(n))
        pattern = (abs(constant) + blocks).tocsc()
        pattern.sort_indices()
        row, column = pattern.indices, np.repeat(np.arange(components * n), np.diff(pattern.indptr))
        local = np.flatnonzero((row - column) % n == 0)
        self._places = np.empty((components, components, n), dtype=np.intp)
        self._places[row[local] // n, column[local] // n, column[local] % n] = local
        given = constant.tocsc().tocoo()
        places = np.searchsorted(column * constant.shape[0] + row, given.col.astype(np.intp) * constant.shape[0] + given.row)
        pattern.data[:] = 0.0
        pattern.data[places] = given.data
        self._constant = pattern

    def at(self, blocks: np.ndarray) -> scipy.sparse.csc_array:
        """The Hessian where the local part has the Hessians ``blocks`` (m, m, N) at the nodes, (m N, m N), indices sorted."""
        constant = self._constant
        data = constant.data.copy()
        data[self._places] += blocks
        return scipy.sparse.csc_array((data, constant.indices, constant.indptr), shape=constant.shape)


def quartic_blocks(p: np.ndarray, scale: float | np.ndarray, c2: float) -> np.ndarray:
    """Hessians (2, 2, N) of scale / 4 (|P|^2 - c^2)^2 at P (2, N)."""
    bulk = scale * ((p**2).sum(axis=0) - c2)
    blocks = np.empty((2, 2, p.shape[1]))
    for i in range(2):
        blocks[i, i] = bulk + 2.0 * scale * p[i] * p[i]
    blocks[0, 1] = blocks[1, 0] = 2.0 * scale * p[0] * p[1]  # the same bits, or the matrix is not symmetric
    return blocks
