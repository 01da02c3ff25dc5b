"""The one iteration loop: it runs every method, watches over it, and ends with a polished and certified point."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ..given import check_point
from ..model import EnergyModel, check_is_model
from ..numerics.certify import CertificationError, can_be_unstable, certify, quick_index
from ..numerics.derivatives import Derivatives
from ..numerics.newton import Polished, polish
from ..results import Estimate, SearchResult, StationaryPoint, Status, Trajectory
from . import advance
from .arguments import check_method, check_target, checked_frame, explores, generator
from .ecd_state import warn_rough
from .schedules import warn_slow, warn_unstable
from .state import Method, State, connect

CHECK_EVERY = 20  # steps between two looks at a compiled search: polish due? stalled?
CHECK_EVERY_INTERPRETED = 5  # and at one whose steps cost more than a look
NEAR = 0.02  # a polish is tried when the next step is at most this fraction of the length over which the energy is simple
FAR = 8.0  # that length grows to an 8th of the way gone: a nearly degenerate state has a small one, its children need not
SURE = 0.95  # confidence in the index of an estimate without which it is not accepted
ARRIVED = 0.003  # a point of another index is accepted when it is this near, in the same unit: the dynamics does not merely pass


class SearchError(RuntimeError):
    """Raised for a search without success, when asked for; ``.result`` is the SearchResult."""

    def __init__(self, result: SearchResult):
        super().__init__(f"{result.status.value}: {result.message}")
        self.result = result


def search(
    model: EnergyModel,
    x0: np.ndarray,
    method: Method,
    *,
    tol: float = 1e-8,
    max_steps: int = 100_000,
    rng: Any = None,
    callback: Callable[[State], bool | None] | None = None,
    raise_on_failure: bool = False,
    trajectory: bool = False,
    frame: np.ndarray | None = None,
    polish: bool = True,
) -> SearchResult:
    """Search for one stationary point of a given index.

    Parameters
    ----------
    model : EnergyModel
    x0 : (n,) array
        Where to start.
    method : HiSD, GradientFlow, ECDSep or another `Method`
        With its index, for instance ``HiSD(index=1)``; methods that explore have none.
    tol : float
        The dynamics ends when the gradient norm (mass inner product) is at most this. With ``polish`` it usually ends
        earlier: as soon as Newton's method takes over, which goes on to round-off.
    max_steps : int
        Steps of the dynamics.
    rng : int, SeedSequence or Generator, optional
        For what a method draws. Default: seed 0; of a method that explores a fresh seed, which ``message`` and ``descent.seed``
        report: ``rng=result.descent.seed`` makes the same trajectory.
    callback : callable, optional
        Called with the state every few steps; a true return value ends the search with `Status.INTERRUPTED`.
    raise_on_failure : bool
        Raise `SearchError` unless the search ends with `Status.CONVERGED`.
    trajectory : bool
        Keep every step of the path.
    frame : (k, n) array, optional
        First guess of the unstable directions.
    polish : bool
        Let Newton's method finish the search. Without it the dynamics alone has to meet ``tol``. A method that explores
        (`ECDSep`, `Isokinetic`, `BBI`) does not converge: it makes all its steps, whatever ``polish`` and ``tol``.

    Returns
    -------
    SearchResult

    Raises
    ------
    TypeError, ValueError
        If the model is none, x0 or the frame is not finite, real and of the right shape, the method is none or has no index, the
        index exceeds n, or a number is out of range.
    SearchError
        See ``raise_on_failure``.
    Exception
        What the model raises passes through.
    """
    check_is_model(model, estimates=getattr(method, "stochastic", False))
    check_method(method, "HiSD(index=k), SHiSD(index=k), GradientFlow()", model)
    x0 = check_point(x0, model.dim)
    index = check_target(method, model)
    frame = None if frame is None else checked_frame(frame, index, model.dim)
    for name, value in (("tol", tol), ("max_steps", max_steps)):
        if not value > 0:
            raise ValueError(f"{name}: got {value!r}, expected a positive number")
    derivatives = connect(model, x0, method)
    # Without an exact gradient there is nothing to polish with: the dynamics ends at an estimate.
    polish = polish and model.deterministic
    # Averages get better as long as there are steps: a stochastic search that nothing polishes goes on to the end of its budget.
    give_up = polish or not getattr(method, "stochastic", False)
    limits = Limits(tol=tol, max_steps=max_steps, polish=polish, full_certificate=True, keep_path=trajectory, give_up=give_up)
    rng = generator(rng, method)
    warn_unstable(method, model, x0)
    result = run(derivatives, x0, method, index, limits, frame=frame, rng=rng, callback=callback)
    warn_slow(method, model, result.x, index)
    warn_rough(result)
    if raise_on_failure and not result.success:
        raise SearchError(result)
    return result


@dataclass(frozen=True)
class Limits:
    """When a search ends, and how thoroughly its end is examined.

    Parameters
    ----------
    tol, max_steps, polish, keep_path
        See `search`.
    full_certificate : bool
        Compute the eigenpairs of the point as well, not its index alone.
    give_up : bool
        End a search that makes no progress.
    """

    tol: float = 1e-8
    max_steps: int = 100_000
    polish: bool = True
    full_certificate: bool = False
    keep_path: bool = False
    give_up: bool = True


def run(
    derivatives: Derivatives,
    x0: np.ndarray,
    method: Method,
    index: int,
    limits: Limits,
    *,
    frame: np.ndarray | None = None,
    length: float | None = None,
    rng: np.random.Generator | None,
    callback: Callable[[State], bool | None] | None = None,
    stay: bool = False,
    ceiling: float = np.inf,
    rescue: bool = True,
) -> SearchResult:
    """One search for a point of the given index; the loop behind `search` and `explore`.

    With ``stay`` a start that is nearly stationary is polished where it is, whatever its index. An energy above ``ceiling`` ends
    a search that has gone far as diverged. ``rescue``: a stalled search may be continued in the other ways its method has.
    """
    search_ = _Search(derivatives, method, index, limits, callback, ceiling=ceiling, rescue=rescue)
    try:
        search_.state = method.begin(derivatives, x0, index=index, frame=frame, length=length, rng=rng)
        status = (search_.stay() if stay else None) or search_.loop()
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
        if search_.state is None:
            raise
    return search_.result(status)


class _Stand(NamedTuple):
    x: np.ndarray
    energy: float
    gradient_norm: float


@dataclass(eq=False)
class _Search:
    derivatives: Derivatives
    method: Method
    index: int
    limits: Limits
    callback: Callable[[State], bool | None] | None
    state: State | None = None
    n_steps: int = 0
    point: StationaryPoint | None = None
    note: str = ""
    began: float = field(default_factory=time.perf_counter)
    path: list[tuple[np.ndarray, float, float]] = field(default_factory=list)
    energy_errors: list[float] = field(default_factory=list)
    attempt_below: float = np.inf
    attempted_at: int = 0
    ceiling: float = np.inf
    left: bool = False  # whether it has gone far
    rescue: bool = True
    rescued_at: int = 0
    interrupted_at: _Stand | None = None
    extremes: list[tuple[float, float]] = field(default_factory=list)
    seen: list[float] = field(default_factory=list)

    def loop(self) -> Status:
        """Steps until the search ends; returns how."""
        state, limits = self.state, self.limits
        self._record()
        if explores(self.method):
            return self._explored()
        if state.outcome == advance.NON_FINITE:
            return Status.NON_FINITE
        while True:
            if state.gradient_norm <= limits.tol:
                return self._finish(Status.NOT_CERTIFIED)
            if limits.polish and self._near() and self._polished():
                return self._reached()
            if self.n_steps >= limits.max_steps:
                return self._finish(Status.MAX_STEPS) if self._averages else Status.MAX_STEPS
            if limits.give_up and self._stalled() and not self._rescued():
                return self._finish(Status.STALLED)
            if self.callback is not None and self.callback(state):
                return Status.INTERRUPTED
            self._steps(min(self._check_every(), limits.max_steps - self.n_steps))
            if state.outcome == advance.NON_FINITE:
                return Status.NON_FINITE
            moved = np.abs(state.x - state.start).max()
            if moved > FAR * state.length:
                state.widen(moved / FAR)
                self.left = True
            if state.outcome == advance.TOO_FAR or (self.left and state.energy > self.ceiling):
                return Status.DIVERGED

    def _explored(self) -> Status:
        """All steps of a method that does not converge, unless it cannot go on; returns how it ended."""
        while self.state.ended is None:
            if self.n_steps >= self.limits.max_steps:
                return Status.COMPLETED
            if self.callback is not None and self.callback(self.state):
                return Status.INTERRUPTED
            self._steps(min(self._check_every(), self.limits.max_steps - self.n_steps))
        self.note = self.state.trouble
        return self.state.ended

    def stay(self) -> Status | None:
        """How the search ends if its start is a stationary point up to a small step, else None."""
        if self.state.outcome == advance.NON_FINITE or not self._polished(radius=0.1 * NEAR, accept_any=True):
            self.attempt_below = np.inf
            return None
        return self._reached()

    def _check_every(self) -> int:
        usual = CHECK_EVERY if self.derivatives.compiled else CHECK_EVERY_INTERPRETED
        return getattr(self.state, "check_every", usual)

    @property
    def _averages(self) -> bool:
        """Whether the state forms an average, which gets better without its gradient telling so at once."""
        return hasattr(self.state, "estimate")

    @property
    def _here(self) -> np.ndarray:
        """Where the search puts the point it looks for: where it stands, or the average that its state forms."""
        return getattr(self.state, "estimate", self.state.x)

    def _steps(self, n_steps: int) -> None:
        """Advance; one step at a time while a path is kept, which changes nothing but the bookkeeping."""
        size = 1 if self.limits.keep_path else n_steps
        end = self.n_steps + n_steps
        while self.n_steps < end:
            before = _Stand(self.state.x.copy(), self.state.energy, self.state.gradient_norm)
            try:
                self.n_steps += self.method.advance(self.derivatives, self.state, size, self.limits.tol)
            except KeyboardInterrupt:
                # Inside a step x and its energy do not belong together; at the end of the last counted one they did.
                self.interrupted_at = before
                raise
            self._record()
            if self.state.outcome != advance.RUNNING:
                break

    def _record(self) -> None:
        if self.limits.keep_path:
            self.path.append((self.state.x.copy(), self.state.energy, self.state.gradient_norm))
            if explores(self.method):
                self.energy_errors.append(self.state.energy_error if self.state.ended is None else np.nan)

    def _near(self) -> bool:
        again = self.state.gradient_norm <= self.attempt_below or (self._averages and self.n_steps >= 2 * self.attempted_at)
        return again and self.state.next_move <= NEAR * self.state.length

    def _stalled(self) -> bool:
        """No progress over three windows: the gradient neither fell below what it was in the three before, nor grew beyond it."""
        self.seen.append(self.state.gradient_norm)
        if self.n_steps - self.rescued_at < (len(self.extremes) + 1) * self.state.patience:
            return False
        self.extremes.append((min(self.seen), max(self.seen)))
        self.seen.clear()
        if len(self.extremes) < 6:
            return False
        lowest, highest = np.array(self.extremes[-6:]).T
        return lowest[3:].min() > 0.9 * lowest[:3].min() and highest[3:].max() < 1.1 * highest[:3].max()

    def _rescued(self) -> bool:
        """Let the method change its ways, if it has others left."""
        if not self.rescue or not hasattr(self.method, "rescue"):
            return False
        self.rescued_at = self.n_steps
        self.extremes.clear()
        return self.method.rescue(self.derivatives, self.state)

    def _polished(self, radius: float = 0.5, accept_any: bool = False) -> bool:
        """Try Newton's method from here; sets the point if it converged to a point that may be accepted.

        That is a point of the index asked for inside the trust radius, or one of any index that the dynamics has all but reached.
        """
        x, length = self._here, self.state.length
        self.attempted_at = self.n_steps
        polished = polish(self.derivatives, x, radius=radius * length, zero_modes=self.derivatives.free_modes(x))
        if not polished.converged:
            self.attempt_below = 0.1 * self.state.gradient_norm
            self.note = polished.reason
            return False
        if self._certified(polished, accept_any or polished.displacement <= ARRIVED * length):
            return True
        self.attempt_below = 0.3 * self.state.gradient_norm
        return False

    @property
    def _frame(self) -> np.ndarray | None:
        """The unstable directions that the dynamics has followed, if it has."""
        frame = getattr(self.state, "frame", None)
        return frame if frame is not None and len(frame) else None

    def _certified(self, polished: Polished, accept_any: bool) -> bool:
        d, x = self.derivatives, polished.x
        zero_modes = d.zero_modes(x)
        try:
            if polished.count is None:  # no factorisation counts the index: it is the certificate that does
                followed = self._frame
                if not accept_any and followed is not None and not can_be_unstable(d, x, followed, zero_modes):
                    return False
                point = certify(
                    d, x, energy=polished.energy, gradient_norm=polished.gradient_norm, guess=self._frame, zero_modes=zero_modes
                )
                index, nullity = point.index, point.nullity
            else:
                point = None
                index, nullity = quick_index(d, x, polished, zero_modes)
            if not (accept_any or index <= self.index <= index + nullity):
                return False
            if point is not None:
                self.point = point
            elif self.limits.full_certificate:
                self.point = certify(d, x, energy=polished.energy, gradient_norm=polished.gradient_norm, zero_modes=zero_modes)
            else:
                none = np.empty(0)
                text = polished.count.text
                self.point = StationaryPoint(
                    x, polished.energy, polished.gradient_norm, index, nullity, none, np.empty((0, x.size)), none, text, np.nan
                )
        except CertificationError as error:
            self.note = str(error)
            return False
        return True

    def _finish(self, otherwise: Status) -> Status:
        """The dynamics is done: accept what Newton's method finds, whatever its index; without it, what meets the tolerance."""
        if self.limits.polish:
            return self._reached() if self._polished(accept_any=True) else otherwise
        if self.state.gradient_norm > self.limits.tol:
            return otherwise
        if not self.derivatives.model.deterministic:
            return Status.ESTIMATED
        here = Polished(self._here.copy(), self.state.energy, self.state.gradient_norm, True, "", 0, 0.0, None)
        return self._reached() if self._certified(here, accept_any=True) else otherwise

    def _reached(self) -> Status:
        as_asked = self.point.index <= self.index <= self.point.index + self.point.nullity
        return Status.CONVERGED if as_asked else Status.OTHER_INDEX

    def result(self, status: Status) -> SearchResult:
        """Everything about this search."""
        state, d = self.state, self.derivatives
        estimate = self._estimate()  # first: it takes the steps into the average that were made since the last look
        if status is Status.ESTIMATED:
            status = self._judged(estimate)
        at = self.point or self.interrupted_at or _Stand(self._here, state.energy, state.gradient_norm)
        norm = float(at.gradient_norm)
        calls = f"{d.n_gradient} gradients and {d.n_hvp} Hessian-vector products"
        message = f"{status.sentence} |g| = {norm:.2e} after {self.n_steps} steps, {calls}."
        if self.point is not None:
            index, nullity = self.point.index, self.point.nullity
            message += f" Index {index} (asked for {self.index}), nullity {nullity}: {self.point.certificate}."
        elif self.note:
            message += f" {self.note}."
        if estimate is not None:
            message += f" Estimate: {estimate}."
        descent = self.method.summary(state) if explores(self.method) else None
        if descent is not None:
            message += f" Trajectory: {descent}."
        path = None
        if self.limits.keep_path:
            if self.point is not None:
                self.path.append((self.point.x, self.point.energy, self.point.gradient_norm))
            x, energy, gradient_norm = zip(*self.path, strict=True)
            errors = np.array(self.energy_errors) if self.energy_errors else None
            path = Trajectory(np.array(x), np.array(energy), np.array(gradient_norm), errors)
        return SearchResult(
            status, message, self.point, np.array(at.x), float(at.energy), norm, self.index, self.n_steps, d.n_energy, d.n_gradient,
            d.n_hvp, float(state.max_energy), time.perf_counter() - self.began, path, getattr(state, "n_rejected", 0), estimate,
            descent,
        )  # fmt: skip

    def _judged(self, estimate: Estimate | None) -> Status:
        """How a search ended that met its tolerance, by what its estimate says of the index."""
        if estimate is None or estimate.index_confidence < SURE:
            return Status.NOT_CERTIFIED
        return Status.ESTIMATED if estimate.index == self.index else Status.OTHER_INDEX

    def _estimate(self) -> Estimate | None:
        """What a stochastic method says of an end that is not certified."""
        if self.point is not None or not self.limits.full_certificate or not hasattr(self.method, "conclude"):
            return None
        return self.method.conclude(self.derivatives, self.state, self.index)
