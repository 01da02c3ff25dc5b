"""Newton's method to a stationary point of any index, to round-off, inside a trust radius."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import tiny
from .derivatives import DENSE_LIMIT, Derivatives
from .eigen import independent_rows, spectral_radius
from .inertia import Bordered, CertificationError, DenseSpectrum, InertiaCount, count_inertia
from .minres import minres
from .tiny import EPS

SMALL = 100
"""Up to this dimension a dense eigendecomposition is faster than anything sparse."""

ZERO = 1e-8
"""An eigenvalue counts as zero up to this fraction of |H|; see `zero_tolerance`."""

_REUSE = 0.03  # an old factorisation is kept while it contracts by this: cheaper than a new one


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
    start = np.array(x, dtype=float)
    tol = 0.0 if tol is None else float(tol)
    modes = clean_zero_modes(derivatives, start, zero_modes)
    if modes is None and derivatives.dim <= tiny.TINY and derivatives.model.kernels is not None:
        return _tiny(derivatives, start, radius, tol, max_steps)
    return _polish(derivatives, start, radius, tol, max_steps, modes)


def _polish(d: Derivatives, start: np.ndarray, radius: float, tol: float, max_steps: int, modes: np.ndarray | None) -> Polished:
    system = _system(d, modes)
    unit = radius * float(np.sqrt(np.sum(np.broadcast_to(d.mass, start.shape))))
    point = _Point.at(d, start, modes)
    outcome = tiny.GO_ON if np.isfinite(point.norm) else tiny.NOT_FINITE
    n_steps, length, previous, note = 0, 0.0, np.inf, ""
    while outcome == tiny.GO_ON:
        if n_steps == max_steps:
            outcome = tiny.MAX_STEPS
            break
        try:
            step, length = _next_step(system, point, previous)
        except CertificationError as error:
            outcome, note = tiny.NOT_FINITE, str(error)
            break
        round_off = EPS * system.norm * (d.norm(point.x) + unit)
        accepted = max(1e3 * round_off, tol)
        outcome = tiny.judge_step(length, previous, point.norm, accepted)
        if outcome != tiny.GO_ON:
            break
        trial = _Point.at(d, point.x + step, modes)
        n_steps += 1
        outcome = tiny.judge_trial(np.abs(trial.x - start).max(), radius, trial.norm, point.norm, round_off, accepted)
        if outcome in (tiny.LEFT, tiny.NOT_FINITE):
            break
        if outcome != tiny.STAGNATED or trial.norm < point.norm:
            point, previous = trial, length
    norm = d.gradient_norm(point.gradient)
    distance = 0.0 if system.count is None else float(np.abs(point.x - system.at).max())
    reason = note or _reason(outcome, point.norm, length, previous, radius, max_steps)
    if outcome in _SUCCESS and norm > accepted:
        reason += f"; a force of {norm:.1e} is left along the zero modes (the lattice pins them)"
    displacement = float(np.abs(point.x - start).max())
    return Polished(point.x, point.energy, norm, outcome in _SUCCESS, reason, n_steps, displacement, system.count, distance)


def _tiny(d: Derivatives, start: np.ndarray, radius: float, tol: float, max_steps: int) -> Polished:
    """The same, compiled, over the model's kernels."""
    n = d.dim
    newton, _, eigh = tiny.compiled()
    x, values, vectors, numbers = np.empty(n), np.zeros(n), np.zeros((n, n)), np.zeros(tiny.N_NUMBERS)
    numbers[:3] = radius, tol, ZERO
    energy_gradient, hvp = d.model.kernels.pointers
    outcome, n_steps, n_spectra = newton(
        energy_gradient, hvp, eigh, d.model.params, start, d.mass_vector, max_steps, x, values, vectors, numbers
    )
    d.n_gradient += 1 + n_steps
    d.n_hvp += n * n_spectra
    _, _, _, energy, norm, length, previous, spectral_radius_, distance = numbers.tolist()
    count = None
    if n_spectra:
        smallest = ZERO * spectral_radius_
        negative = int(np.count_nonzero(values < -smallest))
        spectrum = DenseSpectrum.of(values, vectors, spectral_radius_)
        count = InertiaCount(negative, f"dense: {negative} eigenvalues below -{smallest:.1e}", spectrum)
    reason = _reason(outcome, norm, length, previous, radius, max_steps)
    displacement = float(np.abs(x - start).max())
    return Polished(x, energy, norm, outcome in _SUCCESS, reason, n_steps, displacement, count, distance)


_SUCCESS = (tiny.REACHED, tiny.STAGNATED)


def _reason(outcome: int, norm: float, length: float, previous: float, radius: float, max_steps: int) -> str:
    if outcome == tiny.REACHED:
        return "gradient at round-off"
    if outcome == tiny.STAGNATED:
        return "gradient at round-off: it no longer falls"
    if outcome == tiny.NO_CONTRACTION:
        return f"no contraction: a step of {length:.2e} after one of {previous:.2e} (gradient norm {norm:.2e})"
    if outcome == tiny.LEFT:
        return f"left the trust radius {radius:.2e} (gradient norm {norm:.2e})"
    if outcome == tiny.NOT_FINITE:
        return f"gradient or step not finite (gradient norm {norm:.2e}, step {length:.2e})"
    return f"{max_steps} steps used up (gradient norm {norm:.2e})"


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


class _Matrix(_System):
    """With the Hessian as a matrix: diagonalised where it is dense or small, else factorised."""

    def renew(self, point: _Point) -> None:
        d = self.d
        hessian = d.hessian(point.x)
        self.at = point.x
        if is_dense(hessian):
            spectrum = DenseSpectrum(as_dense(hessian), d.mass, self.modes)
            self.norm = spectrum.norm
            smallest = zero_tolerance(d, spectrum.norm)
            negative = int(np.count_nonzero(spectrum.values < -smallest))
            self.count = InertiaCount(negative, f"dense: {negative} eigenvalues below -{smallest:.1e}", spectrum)
            self.inverse = lambda force: spectrum.solve(force, smallest)
        else:
            self.count = count_inertia(hessian, d.mass)
            self.norm = self.count.factor.norm
            self.inverse = Bordered(self.count.factor, self.modes, d.mass).solve
            self.reusable = True

    def solve(self, point: _Point) -> np.ndarray:
        return -self.inverse(point.force[None])[0]


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
    return _Matrix(d, modes) if has_matrix(d) else _Krylov(d, modes)


def has_matrix(d: Derivatives) -> bool:
    """Whether the Hessian is available as a matrix: the model's own, or a dense one where n is at most `DENSE_LIMIT`."""
    return d.has_hessian or d.dim <= DENSE_LIMIT


def is_dense(hessian: Any) -> bool:
    """Whether the dense way is taken with this Hessian."""
    return isinstance(hessian, np.ndarray) or hessian.shape[0] <= SMALL


def as_dense(hessian: Any) -> np.ndarray:
    """A dense or sparse Hessian as a dense (n, n) array."""
    return hessian if isinstance(hessian, np.ndarray) else hessian.toarray()
