"""Newton's method to a stationary point of any index, to round-off, inside a trust radius."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .derivatives import DENSE_LIMIT, Derivatives
from .eigen import independent_rows, spectral_radius
from .inertia import CertificationError, DenseSpectrum, InertiaCount, count_inertia

SMALL = 100
"""Up to this dimension a dense eigendecomposition is faster than anything sparse."""

ZERO = 1e-8
"""An eigenvalue counts as zero up to this fraction of |H|; see `zero_tolerance`."""

_EPS = np.finfo(float).eps
_REUSE = 0.03  # an old factorisation is kept while it contracts by this: cheaper than a new one
_CONTRACTION = 0.5


class Polished(NamedTuple):
    """Where Newton's method ended.

    Parameters
    ----------
    x : (n,) array
    energy : float
    gradient_norm : float
        In the mass inner product, zero modes included.
    converged : bool
    reason : str
        How it ended, with numbers.
    n_steps : int
    displacement : float
        Max-norm of the way from the start.
    count : InertiaCount or None
        Index count of the last factorisation, made at most ``count_distance`` before the end; None if there was none.
    count_distance : float
        Max-norm distance of the point of ``count`` from x.
    """

    x: np.ndarray
    energy: float
    gradient_norm: float
    converged: bool
    reason: str
    n_steps: int
    displacement: float
    count: InertiaCount | None
    count_distance: float = 0.0


def zero_tolerance(derivatives: Derivatives, norm: float) -> float:
    """Eigenvalues up to this size count as zero: 1e-8 |H|, and 1e-6 |H| where products come from differences of gradients."""
    return (ZERO if derivatives.has_hessian or hasattr(derivatives.model, "hvp") else 100.0 * ZERO) * norm


def clean_zero_modes(derivatives: Derivatives, x: np.ndarray, zero_modes: np.ndarray | None) -> np.ndarray | None:
    """A mass-orthonormal basis of the zero modes, (m, n), without those that vanish at x; None if none is left.

    A generator vanishes where x is invariant under it; what then remains is round-off. The yardstick is a field of the size of x
    (at least 1).
    """
    if zero_modes is None or len(zero_modes) == 0:
        return None
    size = (1.0 + np.abs(x).max()) * float(np.sqrt(np.sum(np.broadcast_to(derivatives.mass, x.shape))))
    basis = independent_rows(np.asarray(zero_modes, dtype=float), derivatives.mass, 1e-6 * size)
    return basis if len(basis) else None


def polish(
    derivatives: Derivatives,
    x: np.ndarray,
    *,
    radius: float,
    tol: float | None = None,
    max_steps: int = 40,
    zero_modes: np.ndarray | None = None,
) -> Polished:
    """Newton's method from x to the stationary point nearby, whatever its index, until the gradient is round-off.

    Small systems are diagonalised, sparse Hessians factorised (a factorisation is kept while it contracts by 0.03 a step), and
    large models without a Hessian solved by MINRES with a forcing term that keeps the convergence superlinear.

    Parameters
    ----------
    derivatives : Derivatives
    x : (n,) array
        The start; not modified.
    radius : float
        Trust radius: the largest distance from the start, in the max-norm.
    tol : float, optional
        A gradient norm at which stagnation counts as convergence. Default: 1000 units of round-off, eps |H| |x|.
    max_steps : int
    zero_modes : (m, n) array, optional
        Generators of continuous symmetries at x: gradient and step are kept in their mass-complement.

    Returns
    -------
    Polished
        ``converged`` is False, and ``reason`` says why, if the way left the trust radius, a step of Newton's method was not half
        as long as the one before (above round-off), a number was not finite, or a factorisation failed.

    Raises
    ------
    ValueError
        If ``radius`` is not positive.
    """
    if not radius > 0.0:
        raise ValueError(f"radius: got {radius}, expected a positive max-norm distance")
    d = derivatives
    start = np.array(x, dtype=float)
    point = _Point.at(d, start, modes := clean_zero_modes(d, start, zero_modes))
    system = _system(d, modes)
    unit = radius * (np.sqrt(d.mass * d.dim) if np.ndim(d.mass) == 0 else np.sqrt(np.sum(d.mass)))
    previous, n_steps = np.inf, 0
    converged, reason = False, f"max_steps = {max_steps} used up"
    if not np.isfinite(point.norm):
        max_steps, reason = 0, "the gradient is not finite at the start"
    while n_steps < max_steps:
        try:
            step, length = _next_step(system, point, previous)
        except CertificationError as error:
            reason = str(error)
            break
        round_off = _EPS * system.norm * (d.norm(point.x) + unit)
        accepted = max(1e3 * round_off, tol or 0.0)
        if not length <= _CONTRACTION * previous and point.norm <= accepted:
            converged, reason = True, "gradient at round-off: it no longer falls"
            break
        if not np.isfinite(length):
            reason = "the step is not finite"
            break
        if length > _CONTRACTION * previous:
            reason = f"no contraction: a step of {length:.2e} after one of {previous:.2e}"
            break
        trial = _Point.at(d, point.x + step, modes)
        n_steps += 1
        if np.abs(trial.x - start).max() > radius:
            reason = f"left the trust radius {radius:.2e} (gradient norm {point.norm:.2e})"
            break
        if not np.isfinite(trial.norm):
            reason = "the gradient is not finite on the way"
            break
        if trial.norm > _CONTRACTION * point.norm and point.norm <= accepted:
            point = min(point, trial, key=lambda p: p.norm)
            converged, reason = True, "gradient at round-off: it no longer falls"
            break
        point, previous = trial, length
        if point.norm <= round_off:
            converged, reason = True, "gradient at round-off"
            break
    return _polished(d, start, point, converged, reason, n_steps, system)


def _polished(
    d: Derivatives, start: np.ndarray, point: _Point, converged: bool, reason: str, n_steps: int, system: _System
) -> Polished:
    distance = float(np.abs(point.x - system.at).max()) if system.count is not None else 0.0
    displacement = float(np.abs(point.x - start).max())
    norm = d.gradient_norm(point.gradient)
    return Polished(point.x, point.energy, norm, converged, reason, n_steps, displacement, system.count, distance)


class _Point(NamedTuple):
    x: np.ndarray
    energy: float
    gradient: np.ndarray
    force: np.ndarray  # the gradient without its part along the zero modes
    norm: float  # of the force

    @classmethod
    def at(cls, d: Derivatives, x: np.ndarray, modes: np.ndarray | None) -> _Point:
        gradient = np.empty(d.dim)
        energy = d.energy_gradient(x, gradient)
        force = gradient if modes is None else gradient - (modes @ gradient) @ (modes * d.mass)
        return cls(x, energy, gradient, force, d.gradient_norm(force))


def _next_step(system: _System, point: _Point, previous: float) -> tuple[np.ndarray, float]:
    """The step with the factorisation at hand if it still contracts fast, else a true Newton step."""
    if system.reusable:
        step = system.solve(point)
        length = system.d.norm(step)
        if length <= _REUSE * previous:
            return step, length
    system.renew(point)
    step = system.solve(point)
    return step, system.d.norm(step)


class _System:
    """Newton's linear system H s = -force on the mass-complement of the zero modes."""

    reusable = False
    count: InertiaCount | None = None

    def __init__(self, d: Derivatives, modes: np.ndarray | None):
        self.d, self.modes = d, modes
        self.norm = 0.0
        self.at = None


class _Dense(_System):
    def renew(self, point: _Point) -> None:
        spectrum = DenseSpectrum(dense_hessian(self.d, point.x), self.d.mass, self.modes)
        self.smallest = zero_tolerance(self.d, spectrum.norm)
        negative = int(np.count_nonzero(spectrum.values < -self.smallest))
        self.norm, self.at = spectrum.norm, point.x
        self.count = InertiaCount(negative, f"dense: {negative} eigenvalues below -{self.smallest:.1e}", spectrum)

    def solve(self, point: _Point) -> np.ndarray:
        return -self.count.factor.solve(point.force, self.smallest)


class _Sparse(_System):
    def renew(self, point: _Point) -> None:
        self.count = count_inertia(self.d.hessian(point.x), self.d.mass)
        self.norm, self.at = self.count.factor.norm, point.x
        self.inverse = Bordered(self.count.factor, self.modes, self.d.mass)
        self.reusable = True

    def solve(self, point: _Point) -> np.ndarray:
        return -self.inverse.solve(point.force[None])[0]


class _Krylov(_System):
    first: float | None = None

    def renew(self, point: _Point) -> None:
        if self.first is None:
            self.norm = spectral_radius(lambda rows: self.d.hvp_rows(point.x, rows), self.d.mass, self.d.dim)
        # Forcing term ~ |g|: superlinear convergence (Dembo, Eisenstat, Steihaug, SIAM J. Numer. Anal. 19 (1982) 400).
        self.forcing = 0.01 if self.first is None else min(0.01, point.norm / self.first)
        self.first = point.norm if self.first is None else self.first

    def solve(self, point: _Point) -> np.ndarray:
        return -minres(self.d, point.x, point.force, self.modes, max(self.forcing, 1e-8))


def _system(d: Derivatives, modes: np.ndarray | None) -> _System:
    if has_dense_hessian(d):
        return _Dense(d, modes)
    return _Sparse(d, modes) if d.has_hessian else _Krylov(d, modes)


def has_dense_hessian(d: Derivatives) -> bool:
    """Whether the dense way is taken: n at most 100, or at most `DENSE_LIMIT` without a Hessian of the model's own."""
    return d.dim <= (SMALL if d.has_hessian else DENSE_LIMIT)


def dense_hessian(d: Derivatives, x: np.ndarray) -> np.ndarray:
    """The Hessian at x as a dense (n, n) array."""
    hessian = d.hessian(x)
    return hessian if isinstance(hessian, np.ndarray) else hessian.toarray()


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


def minres(
    d: Derivatives, x: np.ndarray, right: np.ndarray, modes: np.ndarray | None, tol: float, max_iterations: int = 2000
) -> np.ndarray:
    """Solve H(x) s = right by preconditioned MINRES; H may be indefinite.

    Parameters
    ----------
    d : Derivatives
        Its ``solve`` is the preconditioner.
    x, right : (n,) arrays
    modes : (m, n) array or None
        Mass-orthonormal; ``right`` must be in the complement of ``mass * modes``, and s is kept in theirs.
    tol : float
        The residual is reduced by this factor, in the norm of the inverse preconditioner.
    max_iterations : int

    References
    ----------
    C. C. Paige, M. A. Saunders, SIAM J. Numer. Anal. 12 (1975) 617.
    """
    dual = None if modes is None else modes * d.mass

    def precondition(r: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        if modes is not None:
            r = r - (modes @ r) @ dual
        z = d.solve(r)
        if modes is not None:
            z = z - (dual @ z) @ modes
        return r, z, float(np.sqrt(max(np.dot(r, z), 0.0)))

    s = np.zeros_like(right)
    v_old, v = np.zeros_like(right), right
    w_old, w = np.zeros_like(right), np.zeros_like(right)
    v, z, gamma = precondition(v)
    gamma_old, eta, target = 1.0, gamma, tol * gamma
    sine_old = sine = 0.0
    cosine_old = cosine = 1.0
    for _ in range(max_iterations):
        if abs(eta) <= target or gamma == 0.0:
            break
        z = z / gamma
        image = d.hvp(x, z)
        delta = float(np.dot(image, z))
        v_new, z_new, gamma_new = precondition(image - (delta / gamma) * v - (gamma / gamma_old) * v_old)
        a0 = cosine * delta - cosine_old * sine * gamma
        a1 = float(np.hypot(a0, gamma_new))
        a2 = sine * delta + cosine_old * cosine * gamma
        a3 = sine_old * gamma
        if a1 == 0.0:  # the Krylov space is exhausted by a singular H
            break
        cosine_old, cosine, sine_old, sine = cosine, a0 / a1, sine, gamma_new / a1
        w_old, w = w, (z - a3 * w_old - a2 * w) / a1
        s += cosine * eta * w
        eta = -sine * eta
        v_old, v, z, gamma_old, gamma = v, v_new, z_new, gamma, gamma_new
    return s
