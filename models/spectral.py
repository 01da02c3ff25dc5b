"""Operators that a sine or a Fourier transform makes diagonal: the preconditioners of the fields on grids."""

from __future__ import annotations

from collections.abc import Sequence

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


class BoxOperator(_DiagonalOperator):
    """-Laplacian + shift on a box whose axes differ in size, spacing and ends, weighted by the trapezoid rule.

    Each line has its own transform: sine transforms where an end is fixed (homogeneous Dirichlet conditions, the node left out),
    a cosine transform where both are free, a Fourier transform where the line is periodic.

    Parameters
    ----------
    axes : sequence of (nodes, spacing, ends)
        In the order of the grid axes; ends is one of "fixed", "free", "fixed-free", "free-fixed", "periodic", and "none" for an
        axis of one node that the operator does not see.
    shift : float

    Raises
    ------
    ValueError
        If the operator is not positive definite.

    References
    ----------
    S. A. Martucci, IEEE Trans. Signal Process. 42 (1994) 1038: sine and cosine transforms by boundary conditions.
    """

    def __init__(self, axes: Sequence[tuple[int, float, str]], shift: float):
        shape = tuple(n for n, _, _ in axes)
        self._periodic = [place for place, (_, _, ends) in enumerate(axes) if ends == "periodic"]
        self._real = [(place, ends) for place, (_, _, ends) in enumerate(axes) if ends not in ("periodic", "none")]
        self._matrices = None
        if max(shape) <= DENSE_TRANSFORM_LIMIT[2]:
            self._matrices = [_line_matrix(n, ends) for n, _, ends in axes]
        lines = [_line_eigenvalues(n, spacing, ends) for n, spacing, ends in axes]
        if self._periodic and self._matrices is None:
            last = self._periodic[-1]
            lines[last] = lines[last][: shape[last] // 2 + 1]
        weights = _outer([_line_weights(n, spacing, ends) for n, spacing, ends in axes])
        self._root = np.sqrt(weights)
        super().__init__(_sum_over_axes(lines) + shift, shape)
        self._root_inverse = 1.0 / self._root

    def solve(self, r: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """M^-1 r for r (n,) or rows (k, n)."""
        return self._scaled(r, self._root_inverse, self._inverses, out)

    def apply(self, v: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """M v for v (n,) or rows (k, n)."""
        return self._scaled(v, self._root, self._eigenvalues, out)

    def _scaled(self, v: np.ndarray, root: np.ndarray, factors: np.ndarray, out: np.ndarray | None) -> np.ndarray:
        fields = v.reshape(-1, *self.shape) * root
        spectrum = self._forward(fields)
        spectrum *= factors
        result = self._backward(spectrum)
        result *= root
        if out is None:
            return result.reshape(v.shape)
        out[...] = result.reshape(v.shape)
        return out

    def _forward(self, fields: np.ndarray) -> np.ndarray:
        if self._matrices is not None:
            return _along_axes(fields, [matrix.T for matrix in self._matrices])
        for place, ends in self._real:
            fields = _line_transform(fields, place + 1, ends, forward=True)
        return scipy.fft.rfftn(fields, axes=[p + 1 for p in self._periodic], norm="ortho") if self._periodic else fields

    def _backward(self, spectrum: np.ndarray) -> np.ndarray:
        if self._matrices is not None:
            return _along_axes(spectrum, self._matrices)
        if self._periodic:
            sizes = [self.shape[p] for p in self._periodic]
            spectrum = scipy.fft.irfftn(spectrum, s=sizes, axes=[p + 1 for p in self._periodic], norm="ortho")
        for place, ends in self._real:
            spectrum = _line_transform(spectrum, place + 1, ends, forward=False)
        return spectrum


def _outer(lines: Sequence[np.ndarray]) -> np.ndarray:
    total = np.ones(1)
    for line in lines:
        total = total[..., None] * line
    return total[0]


def _line_weights(n: int, spacing: float, ends: str) -> np.ndarray:
    weights = np.full(n, spacing)
    if ends in ("free", "free-fixed"):
        weights[0] *= 0.5
    if ends in ("free", "fixed-free"):
        weights[-1] *= 0.5
    return weights


def _line_frequencies(n: int, ends: str) -> np.ndarray:
    """The phase per node of each eigenvector, (n,)."""
    if ends == "fixed":
        return np.pi * np.arange(1, n + 1) / (n + 1)
    if ends == "free":
        return np.pi * np.arange(n) / (n - 1)
    if ends == "periodic":
        return 2.0 * np.pi * np.arange(n) / n
    return np.pi * (np.arange(n) + 0.5) / n


def _line_eigenvalues(n: int, spacing: float, ends: str) -> np.ndarray:
    """Eigenvalues of the second difference in the weights of the trapezoid rule, (n,)."""
    return np.zeros(1) if ends == "none" else (2.0 / spacing * np.sin(0.5 * _line_frequencies(n, ends))) ** 2


def _line_matrix(n: int, ends: str) -> np.ndarray:
    """Orthonormal eigenvectors of a line as columns, (n, n), in coordinates scaled by the roots of the weights."""
    if ends == "none":
        return np.ones((1, 1))
    place, frequencies = np.arange(n), _line_frequencies(n, ends)
    if ends == "fixed":
        columns = np.sin(np.outer(place + 1, frequencies))
    elif ends == "free":
        columns = np.cos(np.outer(place, frequencies))
    elif ends == "periodic":  # cosines up to the middle, sines beyond
        phases = np.outer(place, frequencies)
        columns = np.where(np.arange(n) <= n // 2, np.cos(phases), np.sin(phases))
    else:
        columns = np.sin(np.outer(place + 1, frequencies))
        columns = columns if ends == "fixed-free" else columns[::-1]
    columns = columns * np.sqrt(_line_weights(n, 1.0, ends))[:, None]
    return columns / np.linalg.norm(columns, axis=0)


def _along_axes(fields: np.ndarray, matrices: Sequence[np.ndarray]) -> np.ndarray:
    """Each axis of fields (k, ...) but the first multiplied by its matrix."""
    for place, matrix in enumerate(matrices):
        if len(matrix) == 1:
            continue
        shape = fields.shape
        before, after = int(np.prod(shape[: place + 1])), int(np.prod(shape[place + 2 :]))
        if after == 1:
            fields = (fields.reshape(before, -1) @ matrix.T).reshape(shape)
        else:
            fields = np.matmul(matrix, fields.reshape(before, shape[place + 1], after)).reshape(shape)
    return fields


def _line_transform(fields: np.ndarray, axis: int, ends: str, *, forward: bool) -> np.ndarray:
    """The orthonormal fast transform of one axis, to the spectrum or back."""
    if ends == "fixed":
        return scipy.fft.dst(fields, type=1, norm="ortho", axis=axis)
    if ends == "free":
        return scipy.fft.dct(fields, type=1, norm="ortho", axis=axis)
    kind = 3 if forward else 2
    if ends == "fixed-free":
        return scipy.fft.dst(fields, type=kind, norm="ortho", axis=axis)
    if forward:
        return scipy.fft.dst(np.flip(fields, axis), type=3, norm="ortho", axis=axis)
    return np.flip(scipy.fft.dst(fields, type=2, norm="ortho", axis=axis), axis)
