"""How many eigenvalues lie below a shift: counted from a factorisation, never from an iterative eigensolver."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .derivatives import DENSE_LIMIT

BACKWARD_ERROR = 1e-10
"""A factorisation is believed if it is that of a matrix this near, relatively: far below the zero tolerance."""


class CertificationError(ArithmeticError):
    """The Morse index of a point could not be certified; the message has the numbers."""


class InertiaCount(NamedTuple):
    """A count of eigenvalues of H v = lambda mass v below a shift, with the factorisation it was read from.

    Parameters
    ----------
    negative : int
        Number of eigenvalues below the shift.
    text : str
        How they were counted, for a person to read.
    factor : DenseSpectrum or SparseFactor
        Solves (H - shift mass) y = r; reusable for Newton steps and shift-invert.
    """

    negative: int
    text: str
    factor: Any


class DenseSpectrum:
    """The full spectrum of H v = lambda mass v, on the mass-complement of given directions.

    Parameters
    ----------
    hessian : (n, n) array
        Symmetric; only its lower triangle is read.
    mass : float or (n,) array
    zero_modes : (m, n) array or None
        Mass-orthonormal rows to leave out.

    Raises
    ------
    CertificationError
        If an entry is not finite.

    Attributes
    ----------
    values : (n - m,) array
        Ascending.
    vectors : (n - m, n) array
        Orthonormal in the mass inner product.
    norm : float
        max |lambda|.
    """

    __slots__ = ("norm", "values", "vectors")

    def __init__(self, hessian: np.ndarray, mass: float | np.ndarray, zero_modes: np.ndarray | None = None):
        root = np.sqrt(mass)
        scaled = hessian / mass if np.ndim(mass) == 0 else hessian / root / root[:, None]
        if not np.isfinite(scaled).all():
            raise CertificationError("hessian: it has entries that are NaN or infinite at this point")
        if zero_modes is None or len(zero_modes) == 0:
            self.values, turn = np.linalg.eigh(scaled)
        else:
            complement = np.linalg.qr((zero_modes * root).T, mode="complete")[0][:, len(zero_modes) :]
            self.values, turn = np.linalg.eigh(complement.T @ scaled @ complement)
            turn = complement @ turn
        self.vectors = np.ascontiguousarray(turn.T) / root
        self.norm = float(max(-self.values[0], self.values[-1])) if self.values.size else 0.0

    @classmethod
    def of(cls, values: np.ndarray, vectors: np.ndarray, norm: float) -> DenseSpectrum:
        """A spectrum computed elsewhere."""
        spectrum = cls.__new__(cls)
        spectrum.values, spectrum.vectors, spectrum.norm = values, vectors, norm
        return spectrum

    def solve(self, rows: np.ndarray, smallest: float = 0.0) -> np.ndarray:
        """H^-1 r for r (n,) or rows (k, n), leaving out eigenvectors with |lambda| <= ``smallest``."""
        inverse = np.zeros_like(self.values)
        np.divide(1.0, self.values, out=inverse, where=np.abs(self.values) > smallest)
        return ((rows @ self.vectors.T) * inverse) @ self.vectors


class SparseFactor:
    """A sparse factorisation of H - shift mass by symmetric elimination, after an orthogonal change of basis if there is one.

    Parameters
    ----------
    lu : scipy.sparse.linalg.SuperLU
    norm : float
        A bound on max |lambda| of H v = lambda mass v.
    turn : scipy.sparse matrix or None
        Orthogonal Q: ``lu`` factorises Q^T (H - shift mass) Q.
    """

    __slots__ = ("lu", "norm", "turn")

    def __init__(self, lu: Any, norm: float, turn: Any = None):
        self.lu, self.norm, self.turn = lu, norm, turn

    def solve(self, rows: np.ndarray) -> np.ndarray:
        """(H - shift mass)^-1 r for r (n,) or rows (k, n)."""
        columns = rows.T if self.turn is None else self.turn.T @ rows.T
        solution = self.lu.solve(np.ascontiguousarray(columns))
        return np.ascontiguousarray(solution.T if self.turn is None else (self.turn @ solution).T)


def sparse_norm(hessian: Any, mass: float | np.ndarray) -> float:
    """A bound on max |lambda| of H v = lambda mass v: the largest absolute row sum of mass^-1/2 H mass^-1/2."""
    root = np.sqrt(np.broadcast_to(mass, hessian.shape[:1]))
    return float((abs(hessian) @ (1.0 / root) / root).max())


def count_inertia(hessian: Any, mass: float | np.ndarray, shift: float = 0.0) -> InertiaCount:
    """Count the eigenvalues of H v = lambda mass v below a shift.

    A dense H is diagonalised. A sparse one is eliminated symmetrically, Q^T P (H - shift mass) P^T Q = L D L^T with a fill-reducing
    permutation P: by Sylvester's law of inertia the negative entries of D are the eigenvalues below the shift. Elimination without
    pivoting is not always stable, so it is checked: a solve must have a small backward error. Otherwise the matrix is shifted
    slightly, then turned by plane rotations that move weight onto the diagonal.

    Parameters
    ----------
    hessian : (n, n) array or scipy.sparse matrix
        Symmetric.
    mass : float or (n,) array
    shift : float

    Raises
    ------
    CertificationError
        If an entry is not finite, or no elimination is accurate enough and n exceeds `DENSE_LIMIT`.
    """
    if isinstance(hessian, np.ndarray):
        return _count_dense(hessian, mass, shift)
    import scipy.sparse as sparse

    n = hessian.shape[0]
    norm = sparse_norm(hessian, mass)
    if not np.isfinite(norm):
        raise CertificationError("hessian: it has entries that are NaN or infinite at this point")
    weight = sparse.diags_array(np.broadcast_to(mass, (n,)).astype(float), format="csc")
    shifted = (hessian - shift * weight).tocsc() if shift else hessian.tocsc()
    nudge = 1e-11 * max(norm, abs(shift))
    for turn, moved, how in (
        (None, 0.0, ""),
        (None, nudge, f", after a further shift by {-nudge:.1e} (singular without)"),
        (_pivot_rotations, nudge, f", after plane rotations and a further shift by {-nudge:.1e} (unstable without)"),
    ):
        matrix = shifted + moved * weight if moved else shifted
        basis = None if turn is None else turn(matrix)
        found = _eliminate(matrix if basis is None else (basis.T @ matrix @ basis).tocsc())
        if found is not None:
            lu, negative = found
            text = f"{negative} negative pivots of a sparse elimination of H - ({shift:.2e}) mass, n = {n}{how}"
            return InertiaCount(negative, text, SparseFactor(lu, norm, basis))
    if n <= DENSE_LIMIT:
        return _count_dense(hessian.toarray(), mass, shift)
    raise CertificationError(
        f"hessian: symmetric elimination of this {n} x {n} matrix at shift {shift:.3e} is unstable (backward error above "
        f"{BACKWARD_ERROR:.0e}) also after rotations; another shift may work"
    )


def _count_dense(hessian: np.ndarray, mass: float | np.ndarray, shift: float) -> InertiaCount:
    spectrum = DenseSpectrum(hessian, mass)
    spectrum.values -= shift
    negative = int(np.count_nonzero(spectrum.values < 0.0))
    return InertiaCount(negative, f"{negative} of {spectrum.values.size} eigenvalues of the dense H below {shift:.2e}", spectrum)


def _eliminate(matrix: Any) -> tuple[Any, int] | None:
    """Symmetric elimination without pivoting, and its number of negative pivots; None if it is not accurate."""
    from scipy.sparse.linalg import splu

    try:
        # Single columns: on factors this sparse, supernodes and panels cost more than they save (measured: about 15 %).
        lu = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, relax=1, panel_size=1, options={"SymmetricMode": True})
    except RuntimeError:  # SuperLU's word for an exactly zero pivot
        return None
    if not np.array_equal(lu.perm_r, lu.perm_c):
        return None
    right = np.cos(np.arange(1.0, matrix.shape[0] + 1.0))
    solution = lu.solve(right)
    size = np.abs(matrix).sum(axis=1).max() * np.abs(solution).max() + 1.0
    if not np.abs(matrix @ solution - right).max() <= BACKWARD_ERROR * size:
        return None
    return lu, int(np.count_nonzero(lu.U.diagonal() < 0.0))


def _pivot_rotations(matrix: Any) -> Any:
    """An orthogonal Q of plane rotations that diagonalise 2 x 2 blocks whose off-diagonal entry dominates.

    They do what the 2 x 2 pivots of Bunch and Kaufman do, before the elimination instead of during it.
    """
    import scipy.sparse as sparse

    n = matrix.shape[0]
    diagonal = matrix.diagonal()
    cosine, sine, partner = np.ones(n), np.zeros(n), np.arange(n)
    for i in range(n):
        around = matrix.indices[matrix.indptr[i] : matrix.indptr[i + 1]]
        weight = np.abs(matrix.data[matrix.indptr[i] : matrix.indptr[i + 1]])
        free = (around != i) & (partner[around] == around)
        if partner[i] != i or not free.any():
            continue
        weight = np.where(free, weight, 0.0)
        best = int(np.argmax(weight))
        if weight[best] <= abs(diagonal[i]):
            continue
        j, entry = int(around[best]), matrix.data[matrix.indptr[i] + best]
        angle = 0.5 * np.arctan2(2.0 * entry, diagonal[i] - diagonal[j])
        partner[i], partner[j] = j, i
        cosine[[i, j]] = np.cos(angle)
        sine[i], sine[j] = np.sin(angle), -np.sin(angle)
    paired = np.flatnonzero(partner != np.arange(n))
    rows, columns = np.concatenate((np.arange(n), partner[paired])), np.concatenate((np.arange(n), paired))
    return sparse.csc_array((np.concatenate((cosine, sine[paired])), (rows, columns)), shape=(n, n))


class Bordered:
    """The inverse of H - shift mass compressed to the mass-complement of zero modes, and the inertia of that compression.

    With S = Z mass (H - shift mass)^-1 mass Z^T for the rows Z, the compressed matrix has n_-(S) negative eigenvalues less than
    H - shift mass (Haynsworth's inertia additivity on the matrix bordered by mass Z^T).

    Parameters
    ----------
    factor : DenseSpectrum or SparseFactor
    modes : (m, n) array or None
        Mass-orthonormal.
    mass : float or (n,) array

    Attributes
    ----------
    removed : int
        n_-(S).

    References
    ----------
    E. V. Haynsworth, Linear Algebra Appl. 1 (1968) 73.
    """

    def __init__(self, factor: object, modes: np.ndarray | None, mass: float | np.ndarray):
        self.factor, self.modes, self.removed = factor, modes, 0
        if modes is not None:
            self.dual = modes * mass
            self.images = factor.solve(self.dual)
            schur = self.dual @ self.images.T
            self.schur = 0.5 * (schur + schur.T)
            self.removed = int(np.count_nonzero(np.linalg.eigvalsh(self.schur) < 0.0))

    def solve(self, rows: np.ndarray) -> np.ndarray:
        """The solutions (k, n) in the mass-complement of the modes for right-hand sides (k, n)."""
        if self.modes is None:
            return self.factor.solve(rows)
        # Project before and after as well: near a zero eigenvalue the solve alone loses digits.
        rows = rows - (rows @ self.modes.T) @ self.dual
        solution = self.factor.solve(rows)
        solution = solution - np.linalg.solve(self.schur, self.dual @ solution.T).T @ self.images
        return solution - (solution @ self.dual.T) @ self.modes
