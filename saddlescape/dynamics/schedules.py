"""Step sizes of stochastic dynamics, measured from samples, and warnings where chosen ones break the conditions of theory."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from ..model import EnergyModel
from ..numerics.eigen import lobpcg, spectral_range
from ..numerics.sampling import Estimates, SampleMean
from .scales import dense_lowest, rough_lowest, stable_step
from .state import connect
from .steps import Constant, Decaying, Estimated

SAMPLES = 16  # how many the scales of the problem are measured with
DENSE = 32  # up to this dimension all eigenvalues are computed
SPREAD = 0.1  # stationary spread of the iterate with constant steps, relative to the length over which the energy is simple
FLATTEST = 1e-3  # the smallest |eigenvalue| is taken to be at least this part of the largest: an estimate near zero means nothing
FRAME_DECAY = (10.0, 0.7)  # m and p of the frame's steps once they decay


class Sizes(NamedTuple):
    """What the samples say of step sizes at a point, in the metric.

    Parameters
    ----------
    step, frame : float
        Constant step sizes for the iterate and for the frame.
    largest, slowest : float
        The largest |eigenvalue|, and the smallest of the index + 1 lowest ones.
    vectors : (index, n) array
        Directions of the lowest eigenvalues.
    """

    step: float = 1.0
    frame: float = 1.0
    largest: float = 1.0
    slowest: float = 1.0
    vectors: np.ndarray = np.empty((0, 0))


def rough_sizes(
    mean: SampleMean, x: np.ndarray, index: int, frame: np.ndarray | None, length: float, rng: np.random.Generator
) -> Sizes:
    """Measure them at x (n,) with the mean over a few samples; ``length`` (max-norm) is that over which the energy is simple."""
    values, vectors = lowest(mean, x, min(index + 1, x.size), frame, rng)
    return constant_sizes(mean, x, length, float(np.abs(values).min()))._replace(vectors=vectors[:index])


def constant_sizes(mean: SampleMean, x: np.ndarray, length: float, slowest: float) -> Sizes:
    """`rough_sizes` without the lowest eigenpairs: what has to be measured again when x has gone far."""
    low, high = spectral_range(lambda v: mean.hvp(x, v), mean.solve, x.size)
    largest = max(-low, high)
    slowest = max(slowest, FLATTEST * largest)
    spread, bend = mean.noise(x)
    step = stable_step(largest)
    if spread > 0.0:  # the stationary variance of an iterate with constant steps a is about a spread^2 / (2 curvature)
        step = min(step, 2.0 * max(bend, slowest) * (SPREAD * length / spread) ** 2)
    return Sizes(step, stable_step(max(high - low, high, -low)), largest, slowest)


def lowest(mean: SampleMean, x: np.ndarray, k: int, frame: np.ndarray | None, rng: np.random.Generator):
    """About the k lowest eigenpairs: Rayleigh quotients in the metric (k,), vectors (k, n)."""
    n = x.size
    if n <= DENSE and mean.preconditioner is None:
        return dense_lowest(mean, x, k)
    if frame is None or len(frame) == 0:
        vectors = rough_lowest(mean, x, k, rng)[1]
    else:
        block = np.concatenate([frame, rng.standard_normal((k - len(frame), n))]) if k > len(frame) else frame[:k]
        vectors = lobpcg(lambda rows: mean.hvp_rows(x, rows), mean.solve, mean.mass, block, k, rtol=1e-2, max_iterations=10).vectors
    quotients = np.sum(vectors * mean.hvp_rows(x, vectors), axis=1) / np.sum(vectors * mean.apply(vectors), axis=1)
    return quotients, vectors


def schedule_numbers(
    schedule: Decaying | Constant | Estimated, constant: float, decay: tuple[float, float] = (1.0, 0.0)
) -> tuple[float, float, float]:
    """Gamma, m and p of a schedule; ``constant``: the first size of an estimated one, ``decay``: m and p of it."""
    if isinstance(schedule, Decaying):
        return schedule.gamma, schedule.m, schedule.p
    if isinstance(schedule, Constant):
        return schedule.size, 1.0, 0.0
    m, p = decay
    return constant * m**p, m, p


def warn_unstable(method: Any, model: EnergyModel, x: np.ndarray) -> None:
    """Warn where the first step of a method's schedule exceeds 2 / L, L the largest |eigenvalue| in the metric at x (n,)."""
    schedule = getattr(method, "step", None)
    if not (getattr(method, "stochastic", False) and isinstance(schedule, (Decaying, Constant))):
        return
    gamma, m, p = schedule_numbers(schedule, 0.0)
    mean = Estimates(connect(model, x, method), model).mean(np.random.default_rng(0), SAMPLES)
    if not mean.finite(x):
        return
    low, high = spectral_range(lambda v: mean.hvp(x, v), mean.solve, x.size)
    limit = 2.0 / max(-low, high, 1e-300)
    if gamma / m**p > limit:
        advice = f"take m of at least {(gamma / limit) ** (1.0 / p):.3g}" if p else f"take less than {limit:.3g}"
        _warn(
            f"the first step size {gamma / m**p:.3g} exceeds 2 / L = {limit:.3g} (L: largest |eigenvalue| in the metric), so the "
            f"first steps are unstable; {advice}, or Estimated()"
        )


def warn_slow(method: Any, model: EnergyModel, x: np.ndarray, index: int) -> None:
    """Warn where 2 gamma mu < 1 at x (n,), too short for the full rate, or where noise does not average out (p <= 1/2)."""
    schedule = getattr(method, "step", None)
    if not (getattr(method, "stochastic", False) and isinstance(schedule, Decaying)):
        return
    if schedule.p <= 0.5:
        _warn(f"with p = {schedule.p} <= 1/2 the squares of the step sizes have no finite sum: take 1/2 < p <= 1")
    if schedule.p < 1.0 or not np.isfinite(x).all():
        return
    rng = np.random.default_rng(0)
    mean = Estimates(connect(model, x, method), model).mean(rng, SAMPLES)
    if not mean.finite(x):
        return
    mu = float(np.abs(lowest(mean, x, min(index + 1, x.size), None, rng)[0]).min())
    rate = 2.0 * schedule.gamma * mu
    if rate < 1.0:
        _warn(
            f"2 gamma mu = {rate:.3g} < 1 (mu = {mu:.3g}, the smallest |eigenvalue| in the metric), so the mean square error falls "
            f"as n^-{rate:.2g} only, not as 1/n; take gamma of at least {1.0 / max(mu, 1e-300):.3g}, or Estimated()"
        )


def _warn(message: str) -> None:
    warnings.warn(f"step: {message}", stacklevel=4)  # where the user called search
