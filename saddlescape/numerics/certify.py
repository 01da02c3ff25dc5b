"""Certificates: the Morse index and nullity of a stationary point, counted and not estimated."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..results import StationaryPoint
from . import tiny
from .derivatives import Derivatives
from .eigen import Eigenpairs, lobpcg, spectral_radius
from .inertia import Bordered, CertificationError, DenseSpectrum, InertiaCount, count_inertia, sparse_norm
from .newton import Polished, as_dense, clean_zero_modes, has_matrix, is_dense, zero_tolerance

__all__ = ["CertificationError", "InertiaCount", "can_be_unstable", "certify", "count_inertia", "quick_index"]

_ALL = tiny.TINY  # up to this dimension all eigenpairs are kept
_DISTORTION = 0.05  # |H z| of a declared zero mode may reach this fraction of |H| before it is disbelieved


def certify(
    derivatives: Derivatives,
    x: np.ndarray,
    *,
    energy: float,
    gradient_norm: float,
    guess: np.ndarray | None = None,
    n_stable: int = 1,
    zero_modes: np.ndarray | None = None,
) -> StationaryPoint:
    """Count the Morse index and nullity at x and compute the lowest eigenpairs.

    Eigenvalues up to the zero tolerance, 1e-8 |H|, count as zero. Declared zero modes are projected out, counted as nullity, and
    their Rayleigh quotients given in the certificate: on a grid a translation is only nearly one.

    * dense (n at most 100, or 500 without a Hessian of the model's own): all eigenvalues; |H| = max |lambda|.
    * inertia (sparse Hessian): the number of eigenvalues below the zero tolerance from a factorisation, the eigenpairs by LOBPCG
      with that factorisation as preconditioner; they must agree in number. |H|: largest row sum of mass^-1/2 |H| mass^-1/2.
    * block (large, no Hessian): LOBPCG with guard vectors; signs are decided by residual bounds. |H|: Lanczos estimate.

    Parameters
    ----------
    derivatives : Derivatives
    x : (n,) array
        A stationary point.
    energy, gradient_norm : float
        At x; handed on.
    guess : (k, n) array, optional
        Approximations of the lowest eigenvectors.
    n_stable : int
        How many eigenpairs to compute beyond index + nullity.
    zero_modes : (m, n) array, optional
        Generators of continuous symmetries at x.

    Returns
    -------
    StationaryPoint
        Its eigenpairs are ordered: unstable, zero, stable, ascending within each.

    Raises
    ------
    CertificationError
        If a sign cannot be decided, or the count and the eigenpairs disagree.
    """
    d = derivatives
    modes = clean_zero_modes(d, x, zero_modes)
    if modes is None and d.dim <= tiny.TINY and d.model.kernels is not None:
        pairs, tolerance, text = _tiny(d, x)
    elif not has_matrix(d):
        pairs, tolerance, text = _block(d, x, modes, guess, n_stable)
    elif is_dense(hessian := d.hessian(x)):
        pairs, tolerance, text = _dense(d, as_dense(hessian), modes, n_stable)
    else:
        pairs, tolerance, text = _inertia(d, hessian.tocsr(), modes, guess, n_stable)
    index = int(np.count_nonzero(pairs.values < -tolerance))
    nullity = int(np.count_nonzero(np.abs(pairs.values) <= tolerance))
    values, vectors, residuals = pairs.values, pairs.vectors, pairs.residuals
    if modes is not None:
        quotients, zero_vectors, sizes = _rayleigh(d, x, modes, tolerance / zero_tolerance(d, 1.0))
        text += f"; {len(modes)} declared zero modes projected out, Rayleigh quotients {_list(quotients)}"
        values = np.concatenate((values[:index], quotients, values[index:]))
        vectors = np.concatenate((vectors[:index], zero_vectors, vectors[index:]))
        residuals = np.concatenate((residuals[:index], sizes, residuals[index:]))
        nullity += len(modes)
    text = f"{text}: index {index}, nullity {nullity}, zero tolerance {tolerance:.1e}"
    return StationaryPoint(x, energy, gradient_norm, index, nullity, values, vectors, residuals, text, tolerance)


def quick_index(
    derivatives: Derivatives,
    x: np.ndarray,
    polished: Polished,
    zero_modes: np.ndarray | None = None,
    guess: np.ndarray | None = None,
) -> tuple[int, int]:
    """Morse index and nullity, from the last factorisation of a polish where that is safe.

    It is made a little before the end: it will do if no eigenvalue is near zero and none can have changed its sign on the way.
    Otherwise the Hessian is taken at x.

    Parameters
    ----------
    derivatives : Derivatives
    x : (n,) array
        The polished point.
    polished : Polished
    zero_modes : (m, n) array, optional
        Generators of continuous symmetries at x.
    guess : (k, n) array, optional
        Approximations of the lowest eigenvectors, used where there is no factorisation.

    Returns
    -------
    (index, nullity)

    Raises
    ------
    CertificationError
        If the index cannot be certified.
    """
    d, count = derivatives, polished.count
    modes = clean_zero_modes(d, x, zero_modes)
    if count is not None and isinstance(count.factor, DenseSpectrum):
        nearest = np.abs(count.factor.values).min(initial=np.inf)
        same_point = polished.count_distance <= 1e-6 * (1.0 + np.abs(x).max())
        if modes is None and same_point and nearest > 1e3 * zero_tolerance(d, count.factor.norm):
            return count.negative, 0
    elif count is not None:
        known = 0 if modes is None else len(modes)
        tolerance = zero_tolerance(d, count.factor.norm)
        inverse = Bordered(count.factor, modes, d.mass)
        if _nearest(d, inverse) > 1e3 * tolerance and _drift(d, x, inverse) < 0.5:
            return count.negative - inverse.removed, known
        hessian = d.hessian(x)
        counts = [count_inertia(hessian, d.mass, shift) for shift in (-tolerance, tolerance)]
        below = [c.negative - Bordered(c.factor, modes, d.mass).removed for c in counts]
        return below[0], known + below[1] - below[0]
    point = certify(d, x, energy=polished.energy, gradient_norm=polished.gradient_norm, guess=guess, zero_modes=zero_modes)
    return point.index, point.nullity


def can_be_unstable(derivatives: Derivatives, x: np.ndarray, frame: np.ndarray, zero_modes: np.ndarray | None = None) -> bool:
    """Whether x may have as many unstable directions as the frame has rows, asked where a certificate takes many products.

    A few steps of LOBPCG from the frame, which the dynamics has followed to somewhere near x. At a point of lower index the answer
    is no. At one of this index it is yes but for a frame that has nothing to do with it: the answer is good enough to put a
    certificate off, and not to replace it.

    Parameters
    ----------
    derivatives : Derivatives
    x : (n,) array
        A stationary point.
    frame : (k, n) array
    zero_modes : (m, n) array, optional
        Generators of continuous symmetries at x.
    """
    d = derivatives
    if has_matrix(d):
        return True
    modes = clean_zero_modes(d, x, zero_modes)
    pairs = lobpcg(
        lambda rows: d.hvp_rows(x, rows), d.solve, d.mass, frame, len(frame), rtol=0.03, max_iterations=8, n_guard=0, outside=modes
    )
    return bool(pairs.values[-1] < pairs.residuals[-1])


def _irregular(n: int) -> np.ndarray:
    """A fixed vector (n,) without symmetry, so that it has a part along every eigenvector."""
    return np.cos(np.arange(1.0, n + 1.0) ** 1.5)


def _nearest(d: Derivatives, inverse: Bordered) -> float:
    """About the size of the eigenvalue nearest to zero: two steps of inverse iteration."""
    v = _irregular(d.dim)
    for _ in range(2):
        before = d.norm(v)
        v = inverse.solve((v * d.mass)[None])[0]
        after = d.norm(v)
        v, nearest = v / after, before / after
    return nearest


def _drift(d: Derivatives, x: np.ndarray, inverse: Bordered) -> float:
    """About |1 - H0^-1 H(x)| for the factorised H0: below 1, no eigenvalue changed its sign between the two."""
    v = inverse.solve((_irregular(d.dim) * d.mass)[None])[0]
    for _ in range(3):
        v /= d.norm(v)
        v = v - inverse.solve(d.hvp(x, v)[None])[0]
        size = d.norm(v)
        if size < 1e-6:
            break
    return size


def _dense(d: Derivatives, hessian: np.ndarray, modes: np.ndarray | None, n_stable: int) -> tuple[Eigenpairs, float, str]:
    spectrum = DenseSpectrum(hessian, d.mass, modes)
    tolerance = zero_tolerance(d, spectrum.norm)
    values = spectrum.values
    n = values.size
    keep = n if n <= _ALL else min(n, int(np.count_nonzero(values <= tolerance)) + n_stable)
    values, vectors = values[:keep], spectrum.vectors[:keep]
    residual = _complement(vectors @ hessian, modes, d.mass) - values[:, None] * (vectors * d.mass)
    sizes = np.sqrt(((residual * residual) / d.mass).sum(axis=1))
    text = f"dense: all {n} eigenvalues, |H| = {spectrum.norm:.3g}"
    return Eigenpairs(values, vectors, sizes, 0, True), tolerance, text


def _tiny(d: Derivatives, x: np.ndarray) -> tuple[Eigenpairs, float, str]:
    n = d.dim
    _, spectrum, eigh = tiny.compiled()
    values, vectors, residuals = np.empty(n), np.empty((n, n)), np.empty(n)
    spectrum(d.model.kernels.pointers[1], eigh, d.model.params, x, d.mass_vector, values, vectors, residuals)
    d.n_hvp += 2 * n
    norm = max(-float(values[0]), float(values[-1]))
    text = f"dense: all {n} eigenvalues, |H| = {norm:.3g}"
    return Eigenpairs(values, vectors, residuals, 0, True), zero_tolerance(d, norm), text


def _inertia(
    d: Derivatives, hessian: Any, modes: np.ndarray | None, guess: np.ndarray | None, n_stable: int
) -> tuple[Eigenpairs, float, str]:
    norm = sparse_norm(hessian, d.mass)
    tolerance = zero_tolerance(d, norm)
    count = count_inertia(hessian, d.mass, tolerance)
    inverse = Bordered(count.factor, modes, d.mass)
    below = count.negative - inverse.removed
    n_pairs = min(below + n_stable, d.dim - (0 if modes is None else len(modes)))
    block = np.empty((0, d.dim)) if guess is None else guess
    for n_guard in (2, 10):  # the count says whether a pair was missed: then look once more, with a wider block
        pairs = lobpcg(
            lambda rows: (hessian @ rows.T).T,
            inverse.solve,
            d.mass,
            block,
            n_pairs,
            atol=100.0 * np.finfo(float).eps * norm,
            n_guard=n_guard,
            outside=modes,
            seed=n_guard,
        )
        found = int(np.count_nonzero(pairs.values <= tolerance))
        decided = bool((np.abs(np.abs(pairs.values) - tolerance) > pairs.residuals).all())
        if pairs.converged and found == below and decided:
            text = f"inertia: {count.text}, |H| <= {norm:.3g}, largest residual {pairs.residuals.max():.1e}"
            return pairs, tolerance, text
        block = pairs.vectors
    raise CertificationError(
        f"eigenpairs: {found} found below {tolerance:.2e}, but the inertia says {below} (largest residual "
        f"{pairs.residuals.max():.1e} after {pairs.iterations} iterations, values {_list(pairs.values)})"
    )


def _block(
    d: Derivatives, x: np.ndarray, modes: np.ndarray | None, guess: np.ndarray | None, n_stable: int
) -> tuple[Eigenpairs, float, str]:
    def product(rows: np.ndarray) -> np.ndarray:
        return d.hvp_rows(x, rows)

    n = d.dim - (0 if modes is None else len(modes))
    norm = spectral_radius(product, d.mass, d.dim)
    if not np.isfinite(norm):
        raise CertificationError("hvp: Hessian-vector products are NaN or infinite at this point")
    tolerance = zero_tolerance(d, norm)
    block = np.empty((0, d.dim)) if guess is None else guess
    n_pairs = max(len(block), 1) + n_stable
    while True:
        pairs = lobpcg(
            product,
            d.solve,
            d.mass,
            block,
            min(n_pairs, n),
            rtol=1e-6,
            atol=0.1 * tolerance,
            n_guard=4,
            max_iterations=500,
            outside=modes,
        )
        values, residuals = pairs.values, pairs.residuals
        null = (np.abs(values) <= tolerance) & (residuals <= tolerance)
        undecided = (np.abs(values) <= residuals) & ~null
        if not pairs.converged or undecided.any():
            raise CertificationError(
                f"eigenpairs: signs are not decided by the residuals {_list(residuals)} of the values {_list(values)} "
                f"after {pairs.iterations} iterations; a preconditioner or a sparse hessian(x) in the model would help"
            )
        nonpositive = int(np.count_nonzero(values <= tolerance))
        if len(values) >= nonpositive + n_stable or len(values) == n:
            break
        block, n_pairs = pairs.vectors, n_pairs + 4
    keep = min(len(values), nonpositive + n_stable)
    pairs = Eigenpairs(values[:keep], pairs.vectors[:keep], residuals[:keep], pairs.iterations, True)
    text = f"block: LOBPCG with 4 guard vectors, {pairs.iterations} iterations, |H| about {norm:.3g}, "
    text += f"largest residual {residuals.max():.1e}"
    return pairs, tolerance, text


def _complement(images: np.ndarray, modes: np.ndarray | None, mass: float | np.ndarray) -> np.ndarray:
    """Rows of forces without their part along the zero modes."""
    return images if modes is None else images - (images @ modes.T) @ (modes * mass)


def _rayleigh(d: Derivatives, x: np.ndarray, modes: np.ndarray, norm: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rayleigh quotients, vectors and residuals of the declared zero modes."""
    images = d.hvp_rows(x, modes)
    quotients, turn = np.linalg.eigh(0.5 * (modes @ images.T + images @ modes.T))
    modes, images = turn.T @ modes, turn.T @ images
    residual = images - quotients[:, None] * (modes * d.mass)
    sizes = np.sqrt((residual * residual / d.mass).sum(axis=1))
    if (np.abs(quotients) + sizes > _DISTORTION * norm).any():
        raise CertificationError(
            f"zero_modes: |H z| is {_list(np.abs(quotients) + sizes)} where |H| is {norm:.2e}; these are not zero modes at x"
        )
    return quotients, modes, sizes


def _list(values: np.ndarray) -> str:
    return "[" + ", ".join(f"{v:.3e}" for v in values) + "]"
