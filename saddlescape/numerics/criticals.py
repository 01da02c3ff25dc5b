"""Critical values on a branch: where its index changes, where it turns back, and how other branches leave there."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .continuation import CurvePoint, StepFailed, between, correct
from .family import Family, Row, near_zero

_BESIDE = 2e-3  # how far to both sides of a turning point its index is counted, in units of the branch
_NEAR = 1e-4  # a turning point is bracketed down to this distance; the parabola through the bracket then has twice the digits
_TRIALS = 60

Project = Callable[[np.ndarray], np.ndarray]


class Crossing(NamedTuple):
    """A value at which eigenvalues change sign while the branch goes on.

    Parameters
    ----------
    value : float
    bracket : (low, high)
        The index was counted at both ends.
    point : CurvePoint
        The nearest point of the branch to it.
    before, after : int
        Morse indices, in the order of the way.
    values, vectors : (m,), (m, n) arrays
        The critical eigenpairs at the point.
    slope : float
        Of the critical eigenvalue, per unit of the parameter; NaN where it could not be told.
    """

    value: float
    bracket: tuple[float, float]
    point: CurvePoint
    before: int
    after: int
    values: np.ndarray
    vectors: np.ndarray
    slope: float


class Turning(NamedTuple):
    """A point at which the branch turns back in the parameter.

    Parameters
    ----------
    value : float
    bracket : (low, high)
        The branch reaches one end, and by its tangents not the other.
    point, before, after : CurvePoint
        At the turning, and a little to both sides of it.
    """

    value: float
    bracket: tuple[float, float]
    point: CurvePoint
    before: CurvePoint
    after: CurvePoint

    @property
    def is_fold(self) -> bool:
        """Whether an eigenvalue changes its sign there; where it only touches zero, the branch meets another one and its image."""
        return self.before.index != self.after.index


def cosine(family: Family, a: CurvePoint, b: CurvePoint) -> float:
    """Of the angle between the tangents of two points."""
    return family.inner(a.tangent.x, b.tangent.x) + a.tangent.value * b.tangent.value / family.span**2


def crossings(family: Family, a: CurvePoint, b: CurvePoint, tolerance: float, project: Project | None = None) -> list[Crossing]:
    """The values between two points of a branch at which eigenvalues change sign, each within ``tolerance``.

    The index at the ends of every bracket is counted, by inertia; secants of the eigenvalue only choose where.
    """
    found: list[Crossing] = []
    known = {0.0: a, 1.0: b}
    for number in range(*sorted((a.index, b.index))):
        if not any(number in range(*sorted((c.before, c.after))) for c in found):
            found.append(_crossing(family, a, b, number, known, tolerance, project))
    return sorted(found, key=lambda c: abs(c.value - a.value))


def _crossing(
    family: Family,
    a: CurvePoint,
    b: CurvePoint,
    number: int,
    known: dict[float, CurvePoint],
    tolerance: float,
    project: Project | None,
) -> Crossing:
    """Where the sorted eigenvalue with this number changes its sign."""
    start_sign = a.index > number
    same = [t for t, p in known.items() if (p.index > number) == start_sign]
    low = max(same)
    high = min(t for t in known if t > low)
    count = abs(b.index - a.index) + 1
    sizes = {t: _numbered(known[t], number, count) for t in (low, high)}
    for trial in range(_TRIALS):
        p, q = known[low].value, known[high].value
        if abs(q - p) <= tolerance:
            break
        guess = _secant(low, sizes[low], high, sizes[high]) if trial % 4 < 3 else 0.5 * (low + high)
        margin = 0.4 * tolerance / abs(q - p) * (high - low)  # beside the root, so that the other end of the bracket comes near
        t = guess + margin if guess - low < high - guess else guess - margin
        t = min(max(t, low + 0.01 * (high - low)), high - 0.01 * (high - low)) if trial < 2 else t
        known[t] = between(family, a, b, t, project, near=known[low if guess - low < high - guess else high])
        sizes[t] = _numbered(known[t], number, count)
        if (known[t].index > number) == start_sign:
            low = t
        else:
            high = t
    else:
        raise StepFailed(f"the change of index near {known[low].value:.8g} could not be bracketed in {_TRIALS} trials")
    at = min(max(_secant(low, sizes[low] - known[low].system.zero, high, sizes[high] - known[high].system.zero), low), high)
    p, q = known[low].value, known[high].value
    nearest = known[low] if abs(sizes[low]) < abs(sizes[high]) else known[high]
    before, after = known[low].index, known[high].index
    values, vectors = near_zero(nearest.system, abs(after - before))
    return Crossing(
        float(p + (at - low) / (high - low) * (q - p)),
        (min(p, q), max(p, q)),
        nearest,
        before,
        after,
        values,
        vectors,
        float((sizes[high] - sizes[low]) / (q - p)),
    )


def _secant(low: float, at_low: float, high: float, at_high: float) -> float:
    if np.isfinite(at_low) and np.isfinite(at_high) and at_low * at_high < 0.0:
        return low + (high - low) * at_low / (at_low - at_high)
    return 0.5 * (low + high)


def _numbered(point: CurvePoint, number: int, count: int) -> float:
    """How far the sorted eigenvalue with this number is from counting as negative; NaN if it is not among the ``count`` nearest to
    zero.
    """
    system = point.system
    if system.values is not None:
        return float(system.values[number]) + system.zero
    values, _ = near_zero(system, min(count, system.d.dim))
    below, above = values[values < -system.zero], values[values >= -system.zero]
    place = number - point.index
    if place >= 0:
        return float(above[place]) + system.zero if place < len(above) else np.nan
    return float(below[place]) + system.zero if -place <= len(below) else np.nan


def turning(family: Family, a: CurvePoint, b: CurvePoint, tolerance: float, project: Project | None = None) -> Turning:
    """Where the parameter turns back between two points of a branch, within ``tolerance``."""
    gap = family.length(b.x - a.x, b.value - a.value)
    low, high, points = 0.0, 1.0, {0.0: a, 1.0: b}
    sign = 1.0 if a.tangent.value > 0.0 else -1.0
    for trial in range(_TRIALS):
        reach = sign * (points[low].tangent.value - points[high].tangent.value) * gap * (high - low)
        if reach <= 0.1 * tolerance or gap * (high - low) <= 4.0 * _NEAR:
            break
        guess = _secant(low, points[low].tangent.value, high, points[high].tangent.value) if trial % 4 < 3 else 0.5 * (low + high)
        # Beside the guess: where two branches meet the system is singular, and so the other end of the bracket comes near, too.
        aside = min(_NEAR / gap, 0.2 * (high - low))
        t = guess + aside if guess - low < high - guess else guess - aside
        points[t] = _aligned(family, a, b, t, project, near=points[low if t - low < high - t else high])
        if points[t].tangent.value * sign >= 0.0:
            low = t
        else:
            high = t
    else:
        raise StepFailed(f"the turning point near {a.value:.8g} could not be bracketed in {_TRIALS} trials")
    at = _secant(low, points[low].tangent.value, high, points[high].tangent.value)
    # The parabola through the two tangents; the branch does not go beyond where they meet.
    best = max(points[low].value * sign, points[high].value * sign)
    beyond = points[low].value * sign + abs(points[low].tangent.value) * gap * (at - low)
    vertex = points[low].value * sign + 0.5 * abs(points[low].tangent.value) * gap * (at - low)
    beside = _BESIDE / gap
    before = _aligned(family, a, b, at - beside, project) if at - beside > 0.0 else a
    after = _aligned(family, a, b, at + beside, project) if at + beside < 1.0 else b
    nearest = points[low] if at - low < high - at else points[high]
    bracket = sorted((sign * best, sign * max(beyond, best)))
    return Turning(sign * max(vertex, best), (bracket[0], bracket[1]), nearest, before, after)


def _aligned(
    family: Family, a: CurvePoint, b: CurvePoint, t: float, project: Project | None, near: CurvePoint | None = None
) -> CurvePoint:
    point = between(family, a, b, t, project, near)
    if cosine(family, a, point) < 0.5:
        raise StepFailed(f"the tangent near {point.value:.8g} is that of another branch")
    return point


def leave(family: Family, crossing: Crossing, direction: np.ndarray, project: Project | None = None) -> CurvePoint:
    """A point of the branch that leaves a crossing along a direction of its critical eigenspace.

    Parameters
    ----------
    family : Family
    crossing : Crossing
    direction : (n,) array
    project : callable, optional

    Returns
    -------
    CurvePoint
        Its tangent leads away from the crossing.

    Raises
    ------
    StepFailed
    """
    base = crossing.point
    row = Row(direction / family.length(direction, 0.0), 0.0)
    reason = ""
    for amplitude in (0.01, 0.03, 0.1):
        try:
            point = correct(family, base.x + amplitude * row.x, crossing.value, row, project=project)
        except StepFailed as failure:
            reason = str(failure)
            continue
        if family.length(point.x - base.x, point.value - crossing.value) < 3.0 * amplitude:
            return point
        reason = f"it ended at {point.value:.6g}, far from the crossing"
    raise StepFailed(reason)
