"""Operators that a sine or a Fourier transform makes diagonal: the preconditioners of the fields on grids."""

from __future__ import annotations

import numpy as np
import scipy.fft

DENSE_TRANSFORM_LIMIT = {1: 256, 2: 100}
"""By number of axes: up to this many nodes per axis a sine transform is a product with its dense matrix; beyond, a fast one."""


def dirichlet_eigenvalues(n: int, ndim: int) -> np.ndarray:
    """Eigenvalues of the undivided Dirichlet Laplacian -h^2 Lap_h on n interior nodes per axis.

    Parameters
    ----------
    n : int
    ndim : int
        Number of axes.

    Returns
    -------
    (n, ..., n) array, ``ndim`` axes
        ``sum_axes 4 sin^2(pi j / (2 (n + 1)))``, j = 1 .. n, in the order of `SineOperator`.
    """
    one = 4.0 * np.sin(np.pi * np.arange(1, n + 1) / (2 * (n + 1))) ** 2
    return _sum_over_axes([one] * ndim)


def periodic_eigenvalues(n: int) -> np.ndarray:
    """Eigenvalues of the undivided periodic Laplacian -h^2 Lap_h on an n x n grid.

    Returns
    -------
    (n, n // 2 + 1) array
        ``4 sin^2(pi p / n) + 4 sin^2(pi q / n)`` in the order of a real Fourier transform.
    """
    one = 4.0 * np.sin(np.pi * np.arange(n) / n) ** 2
    return _sum_over_axes([one, one[: n // 2 + 1]])


def _sum_over_axes(terms: list[np.ndarray]) -> np.ndarray:
    total = np.zeros(1)
    for term in terms:
        total = total[..., None] + term
    return total[0]


class _DiagonalOperator:
    """M = T^-1 diag(eigenvalues) T for a transform T of the grid axes, acting on every field and every row."""

    def __init__(self, eigenvalues: np.ndarray, shape: tuple[int, ...]):
        if not (eigenvalues > 0.0).all():
            raise ValueError(
                f"eigenvalues: the smallest is {eigenvalues.min():.3g}, expected all positive; "
                "a preconditioner is positive definite: give it a larger shift"
            )
        self.shape = shape
        self._eigenvalues = eigenvalues
        self._inverses = 1.0 / eigenvalues

    def solve(self, r: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """M^-1 r for r (n,) or rows (k, n)."""
        return self._multiply(r, self._inverses, out)

    def apply(self, v: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """M v for v (n,) or rows (k, n)."""
        return self._multiply(v, self._eigenvalues, out)

    def _multiply(self, v: np.ndarray, factors: np.ndarray, out: np.ndarray | None) -> np.ndarray:
        spectrum = self._forward(v.reshape(-1, *self.shape))
        spectrum *= factors
        result = self._backward(spectrum).reshape(v.shape)
        if out is None:
            return result
        out[...] = result
        return out


class SineOperator(_DiagonalOperator):
    """An operator that the sine transform diagonalises: homogeneous Dirichlet conditions on an interval or a square.

    The unknowns are one field or several, each of shape ``eigenvalues.shape``, flattened row-major one after the other.

    Parameters
    ----------
    eigenvalues : (n,) or (n, n) array
        Eigenvalues of M, all positive; entry j - 1 belongs to sin(j pi t), t in (0, 1).

    Raises
    ------
    ValueError
        If an eigenvalue is not positive.

    References
    ----------
    R. E. Lynch, J. R. Rice, D. H. Thomas, Numer. Math. 6 (1964) 185: fast diagonalisation by tensor products.
    """

    def __init__(self, eigenvalues: np.ndarray):
        super().__init__(eigenvalues, eigenvalues.shape)
        n = self.shape[0]
        self._matrix = None
        if n <= DENSE_TRANSFORM_LIMIT[len(self.shape)]:
            j = np.arange(1, n + 1)
            self._matrix = np.sqrt(2.0 / (n + 1)) * np.sin(np.pi * np.outer(j, j) / (n + 1))

    def _forward(self, fields: np.ndarray) -> np.ndarray:
        if self._matrix is None:
            axes = tuple(range(1, fields.ndim))
            return scipy.fft.dstn(fields, type=1, norm="ortho", axes=axes)
        result = (fields.reshape(-1, self.shape[-1]) @ self._matrix).reshape(fields.shape)
        return result if fields.ndim == 2 else np.matmul(self._matrix, result)

    # The orthonormal sine transform of the first kind is its own inverse.
    _backward = _forward


class FourierOperator(_DiagonalOperator):
    """An operator that the Fourier transform diagonalises: a periodic square grid.

    Parameters
    ----------
    eigenvalues : (n, n // 2 + 1) array
        Eigenvalues of M, all positive, in the order of `scipy.fft.rfft2`.
    n : int
        Nodes per axis.

    Raises
    ------
    ValueError
        If an eigenvalue is not positive.
    """

    def __init__(self, eigenvalues: np.ndarray, n: int):
        super().__init__(eigenvalues, (n, n))

    def _forward(self, fields: np.ndarray) -> np.ndarray:
        return scipy.fft.rfft2(fields)

    def _backward(self, spectrum: np.ndarray) -> np.ndarray:
        return scipy.fft.irfft2(spectrum, s=self.shape, overwrite_x=True)
