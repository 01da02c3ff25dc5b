"""The lowest eigenpairs of H v = lambda mass v from products alone: block LOBPCG, and a bound on the spectrum."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

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


def spectral_radius(hvp_rows: Rows, mass: float | np.ndarray, n: int, *, n_steps: int = 12, seed: int = 0) -> float:
    """An estimate of max |lambda| of H v = lambda mass v, from below and usually within a few per cent.

    Lanczos without reorthogonalisation: the extreme Ritz values are all that is read.

    Parameters
    ----------
    hvp_rows : callable
        Rows (k, n) to H times each row.
    mass : float or (n,) array
    n : int
        Number of unknowns.
    n_steps : int
        Products to spend.
    seed : int
        Of the random start.
    """
    v = np.random.default_rng(seed).standard_normal(n)
    v /= np.sqrt(np.dot(v, v * mass))
    before, beta = np.zeros(n), 0.0
    diagonal, off = [], []
    for _ in range(min(n_steps, n)):
        image = hvp_rows(v[None])[0] / mass
        alpha = float(np.dot(v * mass, image))
        image -= alpha * v + beta * before
        beta = float(np.sqrt(np.dot(image, image * mass)))
        diagonal.append(alpha)
        off.append(beta)
        if beta <= 1e-12 * abs(alpha) or not np.isfinite(beta):
            break
        before, v = v, image / beta
    off = off[: len(diagonal) - 1]
    return float(np.abs(np.linalg.eigvalsh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))).max())


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
    if not 1 <= n_pairs <= n:
        raise ValueError(f"n_pairs: got {n_pairs}, expected 1 to {n} (the number of unknowns)")
    width = min(n_pairs + n_guard, n)
    x = _start(block, mass, width, np.random.default_rng(seed))
    hx = hvp_rows(x)
    values, turn = np.linalg.eigh(_symmetric(x @ hx.T))
    x, hx = turn.T @ x, turn.T @ hx
    p = hp = np.empty((0, n))
    fresh, iteration = True, 0
    while True:
        residual = hx - values[:, None] * (x * mass)
        size = np.sqrt(np.einsum("ij,ij->i", residual, residual / mass))
        limit = rtol * np.abs(values[:n_pairs]).max() + atol
        converged = bool((size[:n_pairs] <= limit).all())
        if (converged and fresh) or iteration >= max_iterations or not np.isfinite(size).all():
            break
        if converged:
            hx, fresh = hvp_rows(x), True
            values, turn = np.linalg.eigh(_symmetric(x @ hx.T))
            x, hx = turn.T @ x, turn.T @ hx
            p = hp = np.empty((0, n))
            continue
        w = _new_directions(solve(residual[size > limit]), np.concatenate((x, p)), mass)
        if len(w) == 0:  # the residuals are round-off: nothing new is left to try
            break
        values, x, hx, p, hp = _ritz(x, hx, np.concatenate((w, p)), np.concatenate((hvp_rows(w), hp)), len(w))
        fresh, iteration = False, iteration + 1
    return Eigenpairs(values[:n_pairs], x[:n_pairs], size[:n_pairs], iteration, converged)


def _ritz(x: np.ndarray, hx: np.ndarray, y: np.ndarray, hy: np.ndarray, n_new: int) -> tuple[np.ndarray, ...]:
    """Rayleigh-Ritz on the orthonormal rows of x and y; returns values, x, hx and the orthonormal changes p, hp."""
    b = len(x)
    basis, images = np.concatenate((x, y)), np.concatenate((hx, hy))
    values, turn = np.linalg.eigh(_symmetric(basis @ images.T))
    lowest = turn[:, :b]
    # The change of x is its part outside the old x; made orthogonal to the new x in the small coordinates, where it is free.
    change = lowest.copy()
    change[:b] = 0.0
    change -= lowest @ (lowest.T @ change)
    squares, rotation = np.linalg.eigh(change.T @ change)
    keep = squares > 1e-20
    change = change @ (rotation[:, keep] / np.sqrt(squares[keep]))
    change -= lowest @ (lowest.T @ change)
    change = np.linalg.qr(change)[0]
    combined = np.concatenate((lowest, change), axis=1).T
    rows, rows_images = combined @ basis, combined @ images
    return values[:b], rows[:b], rows_images[:b], rows[b:], rows_images[b:]


def _new_directions(w: np.ndarray, basis: np.ndarray, mass: float | np.ndarray) -> np.ndarray:
    """The rows of w, mass-orthonormal to the basis and to each other, without those that depend on them up to round-off."""
    dual = basis * mass
    for _ in range(2):  # the second sweep removes what cancellation left of the first
        length = np.sqrt(np.einsum("ij,ij->i", w, w * mass))
        w = w[length > 0.0] / length[length > 0.0, None]
        w = w - (w @ dual.T) @ basis
        w = independent_rows(w, mass, 1e-10)
    return w - (w @ dual.T) @ basis


def _start(block: np.ndarray, mass: float | np.ndarray, width: int, rng: np.random.Generator) -> np.ndarray:
    n = block.shape[1]
    # Given rows go first: they are kept as they are, and the random ones are made orthogonal to them.
    basis = _new_directions(np.asarray(block[:width], dtype=float), np.empty((0, n)), mass)
    while len(basis) < width:
        drawn = rng.standard_normal((width - len(basis), n))
        basis = np.concatenate((basis, _new_directions(drawn, basis, mass)))
    return basis


def _symmetric(a: np.ndarray) -> np.ndarray:
    return 0.5 * (a + a.T)
