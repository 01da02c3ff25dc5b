"""Scales of the problem, measured where a search starts: no step size, cap or radius is a matter of taste."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..numerics.derivatives import DENSE_LIMIT, Derivatives
from ..numerics.eigen import lobpcg, spectral_range

GROWTH = 1.5  # ratio of neighbouring distances in a scan along a direction
FARTHEST = 100.0  # a search that moves an unknown by this many times 1 + max|x| has diverged
LINEAR = 0.3  # relative departure of the slope from linear growth below which a distance counts as small
FLAT = 1.0  # step size where the Hessian vanishes and sets none: any is stable, and the displacement cap bounds the move
SAFETY = 1.05  # an estimate of the spectrum comes from inside of it


class Departure(NamedTuple):
    """Distances along a direction from a stationary point, as multiples of the direction.

    Parameters
    ----------
    near : float
        The slope has departed from linear by `LINEAR` at most: a small perturbation.
    turning : float
        The slope is largest: the curvature along the direction changes sign here. Equal to ``near`` where it does not, because the
        energy only stiffens.
    """

    near: float
    turning: float


def departure(derivatives: Derivatives, x: np.ndarray, v: np.ndarray, curvature: float) -> Departure:
    """How far to step away from a stationary point x (n,) along v (n,) with curvature v.Hv (nonzero).

    The slope s(t) = v.g(x + t v) starts as curvature * t. Along a direction that leads to another stationary point it reaches an
    extremum where the curvature changes sign: a distance that the energy itself sets.
    """
    unit = (1.0 + np.abs(x).max()) / np.abs(v).max()

    def growth(t: float) -> float:
        """Slope relative to its linear growth."""
        return float(np.dot(v, derivatives.gradient(x + t * v))) / (curvature * t)

    near = 0.05 * unit
    with np.errstate(over="ignore", invalid="ignore"):
        g = growth(near)
        while not abs(g - 1.0) <= LINEAR and near > 1e-12 * unit:
            near *= 0.25
            g = growth(near)
        t = near
        while t < 10.0 * unit:
            next_g = growth(GROWTH * t)
            if not GROWTH * next_g > g:
                return Departure(near, t)
            if not next_g <= 1.0 + LINEAR:
                break
            t, g = GROWTH * t, next_g
            near = t if abs(g - 1.0) <= LINEAR else near
    return Departure(near, near)


def curvature_length(derivatives: Derivatives, x: np.ndarray, direction: np.ndarray) -> float:
    """The distance (max-norm) along a direction (n,) over which the Hessian along it changes by half."""
    unit = 1.0 + np.abs(x).max()
    largest = np.abs(direction).max()
    if largest == 0.0:
        return unit
    v = direction / largest
    here = derivatives.hvp(x, v)
    size = np.linalg.norm(here)
    length = 0.1 * unit
    while length > 1e-12 * unit:
        change = np.linalg.norm(derivatives.hvp(x + length * v, v) - here)
        if change <= 0.5 * size:
            break
        length *= 0.5
    while length < unit:
        change = np.linalg.norm(derivatives.hvp(x + 2.0 * length * v, v) - here)
        if not change <= 0.5 * size:
            break
        length *= 2.0
    return length


def stable_step(curvature: float) -> float:
    """1 / curvature (not negative), with a safety factor of 1.05; `FLAT` where the curvature is 0."""
    return FLAT if curvature == 0.0 else 1.0 / (SAFETY * curvature)


def curvature_range(derivatives: Derivatives, x: np.ndarray) -> tuple[float, float]:
    """Lowest and highest eigenvalue of H v = lambda M v at x, about."""
    return spectral_range(lambda v: derivatives.hvp(x, v), derivatives.solve, derivatives.dim)


def dense_lowest(derivatives: Derivatives, x: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k lowest eigenpairs of H v = lambda mass v from all n products: values (k,), vectors (k, n)."""
    root = np.sqrt(np.broadcast_to(derivatives.mass, derivatives.dim))
    hessian = derivatives.hvp_rows(x, np.diag(1.0 / root)) / root
    values, vectors = np.linalg.eigh(0.5 * (hessian + hessian.T))
    return values[:k], np.ascontiguousarray(vectors.T[:k] / root)


def rough_lowest(derivatives: Derivatives, x: np.ndarray, k: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """About the k lowest eigenpairs of H v = lambda mass v at a point nothing is known about: values (k,), vectors (k, n)."""
    n = derivatives.dim
    if 3 * k >= n and n <= DENSE_LIMIT:
        return dense_lowest(derivatives, x, k)
    block = rng.standard_normal((k, n))
    pairs = lobpcg(
        lambda rows: derivatives.hvp_rows(x, rows), derivatives.solve, derivatives.mass, block, k, rtol=1e-3, max_iterations=30
    )
    return pairs.values[:k], pairs.vectors[:k]
