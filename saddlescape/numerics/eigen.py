"""The lowest eigenpairs of H v = lambda mass v from products alone: block LOBPCG; and the ends of the spectrum: Lanczos."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

_NOISE = 1e-150  # a row this short cannot be scaled
_DEPENDENT = 1e-6  # singular values are read from a Gram matrix: below the root of its round-off they mean nothing
_PIECE = 4096  # columns

Rows = Callable[[np.ndarray], np.ndarray]


class Eigenpairs(NamedTuple):
    """Eigenpairs of H v = lambda mass v.

    Parameters
    ----------
    values : (k,) array
        Ascending.
    vectors : (k, n) array
        Orthonormal in the mass inner product.
    residuals : (k,) array
        |H v - lambda mass v| in the dual norm, sqrt(sum r_i^2 / mass_i): an eigenvalue lies within this distance of each value.
    iterations : int
    converged : bool
    """

    values: np.ndarray
    vectors: np.ndarray
    residuals: np.ndarray
    iterations: int
    converged: bool


def independent_rows(rows: np.ndarray, mass: float | np.ndarray, smallest: float) -> np.ndarray:
    """A mass-orthonormal basis of what the rows span, without the directions shorter than ``smallest``.

    Parameters
    ----------
    rows : (k, n) array
    mass : float or (n,) array
    smallest : float
        Singular values of the rows (in the mass norm) up to this size are dropped.

    Returns
    -------
    (r, n) array, r <= k
    """
    squares, turn = np.linalg.eigh((rows * mass) @ rows.T)
    keep = squares > smallest**2
    return (turn[:, keep] / np.sqrt(squares[keep])).T @ rows


def spectral_range(
    hvp: Callable[[np.ndarray], np.ndarray], solve: Callable[[np.ndarray], np.ndarray], n: int, *, n_steps: int = 12, seed: int = 0
) -> tuple[float, float]:
    """Estimates of the lowest and the highest eigenvalue of H v = lambda M v, from inside and usually within a few per cent.

    NaN or infinite, both of them, if a product is. Lanczos without reorthogonalisation: the extreme Ritz values are all that is
    read.

    Parameters
    ----------
    hvp : callable
        v (n,) to H v.
    solve : callable
        r (n,) to M^-1 r.
    n : int
        Number of unknowns.
    n_steps : int
        Products to spend.
    seed : int
        Of the random start.

    Returns
    -------
    (lowest, highest)

    References
    ----------
    Golub and Van Loan, Matrix Computations, 4th ed., section 10.3.
    """
    dual = np.random.default_rng(seed).standard_normal(n)  # M v
    v = solve(dual)
    length = np.sqrt(np.dot(dual, v))
    v, dual, before, beta = v / length, dual / length, np.zeros(n), 0.0
    diagonal, off = [], []
    for _ in range(min(n_steps, n)):
        image = hvp(v)
        alpha = float(np.dot(v, image))
        image = image - alpha * dual - beta * before
        primal = solve(image)
        beta = float(np.sqrt(max(np.dot(image, primal), 0.0)))
        diagonal.append(alpha)
        off.append(beta)
        if not np.isfinite(alpha + beta):
            return alpha + beta, alpha + beta
        if beta <= 1e-12 * np.abs(diagonal).max():
            break
        v, before, dual = primal / beta, dual, image / beta
    off = off[: len(diagonal) - 1]
    values = np.linalg.eigvalsh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))
    return float(values[0]), float(values[-1])


def spectral_radius(hvp_rows: Rows, mass: float | np.ndarray, n: int) -> float:
    """An estimate of max |lambda| of H v = lambda mass v, from below and usually within a few per cent: see `spectral_range`.

    Parameters
    ----------
    hvp_rows : callable
        Rows (k, n) to H times each row.
    mass : float or (n,) array
    n : int
        Number of unknowns.
    """
    lowest, highest = spectral_range(lambda v: hvp_rows(v[None])[0], lambda r: r / mass, n)
    return max(-lowest, highest)


def lobpcg(
    hvp_rows: Rows,
    solve: Rows,
    mass: float | np.ndarray,
    block: np.ndarray,
    n_pairs: int,
    *,
    rtol: float = 1e-8,
    atol: float = 0.0,
    max_iterations: int = 200,
    n_guard: int = 2,
    outside: np.ndarray | None = None,
    seed: int = 0,
) -> Eigenpairs:
    """The lowest eigenpairs of H v = lambda mass v by the locally optimal block preconditioned conjugate gradient method.

    The trial space is spanned by the Ritz vectors X, the preconditioned residuals W of those not yet converged, and the previous
    changes P, all mass-orthonormal; images under H are recombined with them, so that an iteration costs one product per active
    residual. Dependent directions are dropped. Converged pairs stay in X (soft locking). The images of X are computed anew before
    the result is believed.

    Parameters
    ----------
    hvp_rows : callable
        Rows (k, n) to H times each row, (k, n).
    solve : callable
        Preconditioner: rows (k, n) of residuals to rows of directions, an approximation of (H - sigma mass)^-1.
    mass : float or (n,) array
    block : (b, n) array
        Where to start; b may be 0. Missing vectors are drawn at random.
    n_pairs : int
        How many pairs are wanted.
    rtol, atol : float
        A pair has converged when its residual is at most ``rtol * (largest wanted |value|) + atol``.
    max_iterations : int
    n_guard : int
        Vectors carried beyond ``n_pairs``: they keep a cluster that the wanted pairs would cut, and make a missed pair unlikely.
    outside : (m, n) array, optional
        Mass-orthonormal rows that all vectors are kept orthogonal to: the eigenpairs are those of H compressed to their complement.
    seed : int
        Of the random vectors.

    Returns
    -------
    Eigenpairs
        ``n_pairs`` of them; ``converged`` says whether all met the tolerance.

    Raises
    ------
    ValueError
        If ``n_pairs`` exceeds the number of unknowns or is less than 1.

    References
    ----------
    A. V. Knyazev, SIAM J. Sci. Comput. 23 (2001) 517; U. Hetmaniuk, R. Lehoucq, J. Comput. Phys. 218 (2006) 324 (the basis of P);
    A. Stathopoulos, K. Wu, SIAM J. Sci. Comput. 23 (2002) 2165 (orthonormalisation with dropping).
    """
    n = block.shape[1]
    outside = np.empty((0, n)) if outside is None else outside
    if not 1 <= n_pairs <= n - len(outside):
        raise ValueError(f"n_pairs: got {n_pairs}, expected 1 to {n - len(outside)} (the dimension of the space)")
    width = min(n_pairs + n_guard, n - len(outside))
    x = _start(block, outside, mass, width, np.random.default_rng(seed))
    values, x, hx = _rotate(x, hvp_rows(x))
    p = hp = np.empty((0, n))
    fresh, iteration = True, 0
    while True:
        residual = hx - values[:, None] * (x * mass)
        residual -= (residual @ outside.T) @ (outside * mass)
        size = np.sqrt(np.einsum("ij,ij->i", residual, residual / mass))
        limit = rtol * np.abs(values[:n_pairs]).max() + atol
        converged = bool((size[:n_pairs] <= limit).all())
        if (converged and fresh) or iteration >= max_iterations or not np.isfinite(size).all():
            break
        if converged:  # by recombined images: believe it only with new ones
            values, x, hx = _rotate(x, hvp_rows(x))
            p = hp = np.empty((0, n))
            fresh = True
            continue
        w = _new_directions(solve(residual[size > limit]), np.concatenate((outside, x, p)), mass)
        if len(w) == 0:  # the residuals are round-off: nothing new is left to try
            break
        values, x, hx, p, hp = _ritz(values, x, hx, np.concatenate((w, p)), np.concatenate((hvp_rows(w), hp)))
        fresh, iteration = False, iteration + 1
    return Eigenpairs(values[:n_pairs], x[:n_pairs], size[:n_pairs], iteration, converged)


def _rotate(x: np.ndarray, hx: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ritz values, vectors and images in the span of the orthonormal rows x."""
    values, turn = np.linalg.eigh(_symmetric(x @ hx.T))
    return values, turn.T @ x, turn.T @ hx


def _ritz(values: np.ndarray, x: np.ndarray, hx: np.ndarray, y: np.ndarray, hy: np.ndarray) -> tuple[np.ndarray, ...]:
    """Rayleigh-Ritz on the Ritz vectors x and the orthonormal rows y outside them; returns values, x, hx and the changes p, hp.

    The rows are long and few: they are never put together in one array, and what is known of their products is not computed.
    """
    b = len(x)
    across = hx @ y.T
    projected = np.block([[np.diag(values), across], [across.T, _symmetric(y @ hy.T)]])
    values, turn = np.linalg.eigh(projected)
    lowest = turn[:, :b]
    # The change of x is its part outside the old x, made orthogonal to the new x in the small coordinates, where it is free.
    # Where a column depends on the others, Householder's method fills in another direction of the trial space: no harm.
    change = lowest.copy()
    change[:b] = 0.0
    complement = np.linalg.qr(np.concatenate((lowest, change), axis=1))[0][:, b:]
    combined = np.ascontiguousarray(np.concatenate((lowest, complement), axis=1).T)
    rows, images = _combination(combined, x, y), _combination(combined, hx, hy)
    return values[:b], rows[:b], images[:b], rows[b:], images[b:]


def _combination(factors: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """factors (m, b + c) times the rows x (b, n) and y (c, n) together, by pieces that stay in the cache."""
    result = np.empty((len(factors), x.shape[1]))
    for start in range(0, x.shape[1], _PIECE):
        piece = slice(start, start + _PIECE)
        np.matmul(factors, np.concatenate((x[:, piece], y[:, piece])), out=result[:, piece])
    return result


def _new_directions(w: np.ndarray, basis: np.ndarray, mass: float | np.ndarray) -> np.ndarray:
    """The rows of w, mass-orthonormal to the basis and to each other, without those that depend on them up to round-off."""
    for _ in range(2):  # the second sweep removes what cancellation left of the first
        length = np.sqrt(np.einsum("ij,ij->i", w, w * mass))
        w = w[length > _NOISE] / length[length > _NOISE, None]
        w -= ((w * mass) @ basis.T) @ basis
        w = independent_rows(w, mass, _DEPENDENT)
    return w


def _start(block: np.ndarray, outside: np.ndarray, mass: float | np.ndarray, width: int, rng: np.random.Generator) -> np.ndarray:
    basis = np.concatenate((outside, _new_directions(np.array(block[:width], dtype=float), outside, mass)))
    while len(basis) < len(outside) + width:  # given rows are kept as they are; random ones fill up
        drawn = rng.standard_normal((len(outside) + width - len(basis), block.shape[1]))
        basis = np.concatenate((basis, _new_directions(drawn, basis, mass)))
    return basis[len(outside) :]


def _symmetric(a: np.ndarray) -> np.ndarray:
    return 0.5 * (a + a.T)
