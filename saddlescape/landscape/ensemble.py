"""Many independent searches at once, and what their errors say of the order of convergence."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..dynamics.arguments import check_method, check_target, checked_frame, explores, generator
from ..dynamics.schedules import warn_slow, warn_unstable
from ..dynamics.search import Limits, connect, run
from ..dynamics.state import Method
from ..given import check_point
from ..model import EnergyModel, check_is_model
from ..numerics.derivatives import Derivatives
from ..numerics.sampling import Estimates
from ..results import Status
from .parallel import one_thread, packed, sendable, spawned, unpacked

BLOCKS = 8  # per worker: small enough to share the work out, large enough to keep the messages few
RESAMPLED = 400  # for the confidence band of a slope


class Slope(NamedTuple):
    """A power of n fitted to mean square errors, MSE = factor n^slope.

    Parameters
    ----------
    slope, low, high : float
        The exponent, and its 95 % confidence interval over the runs (NaN for a single one).
    factor : float
    first, last : int
        The steps it was fitted between.
    """

    slope: float
    low: float
    high: float
    factor: float
    first: int
    last: int


@dataclass(frozen=True, eq=False)
class Ensemble:
    """What `search_many` returns: arrays over R runs and the m moments at which they were looked at.

    Parameters
    ----------
    x : (R, n) array
        Last iterate of each run.
    average : (R, n) array
        Where each run puts the point: the average over the last half of its steps (of a deterministic method the last iterate, of
        one that explores the best), or the certified point where there is one.
    status : list of Status
        How each run ended.
    index : (R,) int array
        Morse index of the certified point, -1 where there is none.
    n_steps : (R,) int array
    steps : (m,) int array
        The moments, in steps: those at which every run was looked at.
    errors, average_errors : (R, m) arrays
        Distance (mass norm) of iterate and average from the reference; empty without one. A run that ended early keeps its last.
    success : (R,) bool array
        With a level: whether the energy is at most that. With a reference: whether the run ended within ``radius`` of it, a
        trajectory that explores with its best point. With neither: whether it converged to a certified point of the index asked
        for, or, without ``polish`` and where it explores, made all its steps.
    energy : (R,) array
        Energy at ``average``; NaN without an exact one.
    seed : int or None
        What was given or drawn as a seed: ``rng=ensemble.seed`` repeats the runs. None where ``rng`` was the child of another.
    """

    x: np.ndarray
    average: np.ndarray
    status: list[Status]
    index: np.ndarray
    n_steps: np.ndarray
    steps: np.ndarray
    errors: np.ndarray
    average_errors: np.ndarray
    success: np.ndarray
    energy: np.ndarray
    seed: Any = None

    def __repr__(self) -> str:
        return f"Ensemble({len(self.x)} runs, success fraction {self.success_fraction:.3g}, {len(self.steps)} looks)"

    @property
    def success_fraction(self) -> float:
        """The part of the runs that succeeded."""
        return float(self.success.mean())

    def mse(self, average: bool = False) -> np.ndarray:
        """Mean square error of the iterate, or of the average, over the runs that succeeded, (m,).

        Raises
        ------
        ValueError
            If there was no reference, or no run succeeded.
        """
        return np.mean(self._squares(average), axis=0)

    def _squares(self, average: bool) -> np.ndarray:
        if not self.errors.size:
            raise ValueError("reference: search_many was given none, so there are no errors; pass reference (n,), the saddle")
        if not self.success.any():
            raise ValueError("no run ended within the radius of the reference: there is no mean square error to speak of")
        return (self.average_errors if average else self.errors)[self.success] ** 2

    def slope(self, first: int | None = None, last: int | None = None, *, average: bool = False) -> Slope:
        """Fit a power of n to the mean square error by least squares in logarithms, n weighted evenly on the logarithmic scale.

        Parameters
        ----------
        first, last : int, optional
            Steps to fit between. Default: the last one and a half decades.
        average : bool
            Of the average rather than the iterate.

        Raises
        ------
        ValueError
            If fewer than three moments lie between them, or as `mse`.
        """
        squares = self._squares(average)
        last = int(self.steps[-1]) if last is None else last
        first = int(last / 10**1.5) if first is None else first
        chosen = (self.steps >= first) & (self.steps <= last) & np.isfinite(squares).all(axis=0)
        if np.count_nonzero(chosen) < 3:
            raise ValueError(
                f"first, last: only {np.count_nonzero(chosen)} moments lie between {first} and {last}, expected 3 or more"
            )
        log_n, chosen_squares = np.log(self.steps[chosen]), squares[:, chosen]
        slope, offset = np.polyfit(log_n, np.log(chosen_squares.mean(axis=0)), 1)
        rng = np.random.default_rng(0)
        picks = rng.integers(len(squares), size=(RESAMPLED, len(squares)))
        slopes = [np.polyfit(log_n, np.log(chosen_squares[pick].mean(axis=0)), 1)[0] for pick in picks]
        low, high = np.percentile(slopes, [2.5, 97.5]) if len(squares) > 1 else (np.nan, np.nan)
        return Slope(float(slope), float(low), float(high), float(np.exp(offset)), first, last)


class _Job(NamedTuple):
    """Some of the runs: their starts (r, n) and seeds, and what all runs have in common."""

    starts: np.ndarray
    seeds: list[np.random.SeedSequence]
    method: Method
    index: int
    limits: Limits
    frame: np.ndarray | None
    reference: np.ndarray | None


class _Run(NamedTuple):
    x: np.ndarray
    average: np.ndarray
    energy: float
    status: Status
    index: int
    n_steps: int
    steps: list[int]
    errors: list[tuple[float, float]]


def search_many(
    model: EnergyModel,
    starts_or_n: np.ndarray | int,
    method: Method,
    *,
    start: np.ndarray | None = None,
    frame: np.ndarray | None = None,
    n_steps: int = 20_000,
    polish: bool = False,
    reference: np.ndarray | None = None,
    radius: float | None = None,
    level: float | None = None,
    rng: Any = None,
    workers: int = 1,
) -> Ensemble:
    """Run many independent searches, each with a random stream of its own.

    Parameters
    ----------
    model : EnergyModel
    starts_or_n : (R, n) array or int
        A start for each run, or how many runs to make from ``start``.
    method : SHiSD, HiSD, ECDSep or another `Method`
        With its index, unless it explores.
    start : (n,) array, optional
        Where all runs begin, if their number was given. Default: the model's default start.
    frame : (k, n) array, optional
        First guess of the unstable directions of every run.
    n_steps : int
        Steps of each run; without ``polish`` all of them are made.
    polish : bool
        Let Newton's method finish each run as soon as it is near, and certify it, as `search` does.
    reference : (n,) array, optional
        The saddle from which errors are measured.
    radius : float, optional
        A run that ends within this distance (mass norm) of the reference has succeeded. Default: half its distance from the start,
        at least 0.1 (1 + |reference|).
    level : float, optional
        An energy: a run that comes down to it has succeeded, wherever it ends.
    rng : int, SeedSequence or Generator, optional
        Run r has the r-th child of this seed. Default: seed 0; of a method that explores a fresh one, reported as ``seed``.
    workers : int
        Threads where the runs are compiled, else processes (see `explore` on them). Their number changes no number of the result.

    Returns
    -------
    Ensemble

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be.
    """
    check_is_model(model, estimates=getattr(method, "stochastic", False))
    check_method(method, "SHiSD(index=k), HiSD(index=k)", model)
    index = check_target(method, model)
    starts = _starts(model, starts_or_n, start)
    frame = None if frame is None else checked_frame(frame, index, model.dim)
    reference = None if reference is None else check_point(reference, model.dim, "reference")
    for name, value in (("n_steps", n_steps), ("workers", workers)):
        if not (isinstance(value, (int, np.integer)) and value >= 1):
            raise ValueError(f"{name}: got {value!r}, expected an integer of at least 1")
    if polish and not model.deterministic:
        raise ValueError(f"polish: {type(model).__name__} has no exact gradient to polish with; use polish=False")
    if radius is not None and (reference is None or not radius > 0):
        raise ValueError(f"radius: got {radius!r}, expected a positive distance from a reference")
    if level is not None and not (np.isfinite(level) and model.deterministic):
        raise ValueError(f"level: got {level!r}, expected a finite energy of a model that has exact ones")
    limits = Limits(tol=1e-8 if polish else 0.0, max_steps=int(n_steps), polish=polish, give_up=polish)
    seed = generator(rng, method).bit_generator.seed_seq
    entropy = seed.entropy if not seed.spawn_key and not seed.n_children_spawned else None
    seeds = seed.spawn(len(starts))
    where = starts[0] if reference is None else reference
    warn_unstable(method, model, where)
    warn_slow(method, model, where, index)
    blocks = np.array_split(np.arange(len(starts)), min(len(starts), BLOCKS * workers))
    jobs = [_Job(starts[b], [seeds[i] for i in b], method, index, limits, frame, reference) for b in blocks]
    with one_thread():
        runs = [one for block in _work_off(model, jobs, workers) for one in block]
    return _collected(runs, Derivatives(model), starts, reference, radius, level, explores(method), polish, entropy)


def _starts(model: EnergyModel, starts_or_n: np.ndarray | int, start: np.ndarray | None) -> np.ndarray:
    if isinstance(starts_or_n, (int, np.integer)):
        if starts_or_n < 1:
            raise ValueError(f"starts_or_n: got {starts_or_n}, expected at least one run")
        x0 = check_point(model.default_start() if start is None else start, model.dim, "start")
        return np.tile(x0, (int(starts_or_n), 1))
    if start is not None:
        raise ValueError("start: the starts are given already; pass a number of runs to begin all of them at one start")
    rows = np.array(starts_or_n)
    if rows.ndim != 2 or not len(rows):
        raise ValueError(f"starts_or_n: got shape {rows.shape}, expected (R, {model.dim}), a start for each run, or their number")
    return np.array([check_point(row, model.dim, f"starts_or_n[{i}]") for i, row in enumerate(rows)])


def _work_off(model: EnergyModel, jobs: list[_Job], workers: int) -> list[list[_Run]]:
    if workers == 1:
        return [_block(model, job) for job in jobs]
    derivatives = connect(model, jobs[0].starts[0], jobs[0].method)
    stochastic = getattr(jobs[0].method, "stochastic", False)
    compiled = Estimates(derivatives, model).compiled if stochastic else derivatives.compiled
    if compiled:
        pool: Executor = ThreadPoolExecutor(workers)
        parcel, guard = model, nullcontext
    else:
        sendable("model", model)
        sendable("method", jobs[0].method)
        pool, parcel, guard = spawned(workers), packed(model), one_thread
    with pool:
        return [future.result() for future in [pool.submit(_sent_block, parcel, job, guard) for job in jobs]]


def _sent_block(parcel: Any, job: _Job, guard: Callable[[], Any]) -> list[_Run]:
    with guard():
        return _block(unpacked(parcel), job)


def _block(model: EnergyModel, job: _Job) -> list[_Run]:
    return [_one(model, x0, seed, job) for x0, seed in zip(job.starts, job.seeds, strict=True)]


def _one(model: EnergyModel, x0: np.ndarray, seed: np.random.SeedSequence, job: _Job) -> _Run:
    watched = _Watched(job.method, job.reference)
    rng = np.random.default_rng(seed)
    result = run(connect(model, x0, job.method), x0, watched, job.index, job.limits, frame=job.frame, rng=rng)
    index = -1 if result.point is None else result.point.index
    last = np.array(watched.state.x)
    put = (result.x, result.energy) if result.descent is None else (result.descent.best_x, result.descent.best_energy)
    return _Run(last, *put, result.status, index, result.n_steps, watched.steps, watched.errors)


class _Watched:
    """A method that notes the distance from the reference each time the loop looks at it."""

    def __init__(self, method: Method, reference: np.ndarray | None):
        self.method = method
        self.reference = reference
        self.steps: list[int] = []
        self.errors: list[tuple[float, float]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.method, name)

    def begin(self, derivatives: Derivatives, x0: np.ndarray, **arguments: Any) -> Any:
        self.state = self.method.begin(derivatives, x0, **arguments)
        return self.state

    def advance(self, derivatives: Derivatives, state: Any, n_steps: int, tolerance: float) -> int:
        done = self.method.advance(derivatives, state, n_steps, tolerance)
        if self.reference is not None:
            here = getattr(state, "estimate", getattr(state, "best_x", state.x))
            self.steps.append(done + (self.steps[-1] if self.steps else 0))
            self.errors.append((derivatives.norm(state.x - self.reference), derivatives.norm(here - self.reference)))
        return done


def _collected(
    runs: list[_Run],
    derivatives: Derivatives,
    starts: np.ndarray,
    reference: np.ndarray | None,
    radius: float | None,
    level: float | None,
    explored: bool,
    polished: bool,
    seed: Any,
) -> Ensemble:
    status = [one.status for one in runs]
    average = np.array([one.average for one in runs])
    longest = max(runs, key=lambda one: len(one.steps)).steps
    errors = np.full((2, len(runs), len(longest)), np.nan)
    for row, one in enumerate(runs):
        if one.errors:
            errors[:, row, : len(one.errors)] = np.transpose(one.errors)
            errors[:, row, len(one.errors) :] = np.transpose(one.errors[-1:])
    energy = np.array([one.energy for one in runs])
    if level is not None:
        success = energy <= level
    elif reference is None:
        reached = (Status.CONVERGED, Status.COMPLETED, Status.FLOOR_REACHED, *(() if polished else (Status.MAX_STEPS,)))
        success = np.array([s in reached for s in status])
    else:
        far = np.array([derivatives.norm(x0 - reference) for x0 in starts])
        within = np.maximum(0.5 * far, 0.1 * (1.0 + derivatives.norm(reference))) if radius is None else radius
        success = errors[int(explored), :, -1] <= within
    return Ensemble(
        x=np.array([one.x for one in runs]),
        average=average,
        status=status,
        index=np.array([one.index for one in runs]),
        n_steps=np.array([one.n_steps for one in runs]),
        steps=np.array(longest, dtype=int),
        errors=errors[0],
        average_errors=errors[1],
        success=success,
        energy=energy,
        seed=seed,
    )
