"""Along a branch of stationary points: steps of adapted length, values landed on, critical values located."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from .continuation import CurvePoint, StepFailed, correct, fixed, landing
from .criticals import Crossing, Project, Turning, cosine, crossings, turning
from .family import Family, Row

_STRAIGHT = 0.93  # cosine of the angle a step may turn the tangent by
_GENTLE = 0.99  # turned by less, the next step is longer


@dataclass(frozen=True)
class Limits:
    """How a branch is followed.

    Parameters
    ----------
    max_step : float
        Longest step, in units of the size of a state and the range of values.
    min_step : float
        Shorter ones are not tried: the branch is lost.
    tolerance : float
        Width to which critical values are bracketed, in units of the parameter.
    max_steps : int
    """

    max_step: float = 0.1
    min_step: float = 1e-6
    tolerance: float = 1e-6
    max_steps: int = 2000


class Traced(NamedTuple):
    """What was found along a branch, up to its end.

    Parameters
    ----------
    samples : list of CurvePoint
        Without their linear systems; the start first.
    crossings : list of Crossing
    turning : Turning or None
        Where it ended, if it turned back.
    lost : str
        Why it could not be followed on; empty if it could.
    """

    samples: list[CurvePoint]
    crossings: list[Crossing]
    turning: Turning | None
    lost: str


def trace(
    family: Family, start: CurvePoint, goal: float, targets: Sequence[float], limits: Limits, project: Project | None = None
) -> Traced:
    """Follow a branch from a point until its parameter reaches ``goal``, turns back, or the branch is lost.

    Parameters
    ----------
    family : Family
    start : CurvePoint
    goal : float
    targets : sequence of float
        Values to land on.
    limits : Limits
    project : callable, optional
        As in `saddlescape.numerics.continuation.correct`.
    """
    sign = 1.0 if goal > start.value else -1.0
    a = start if start.tangent.value * sign >= 0.0 else _reversed(start)
    samples, crossings, lost = [_light(a)], [], ""
    step = 0.3 * limits.max_step
    for _ in range(limits.max_steps):
        try:
            b = _advance(family, a, step, goal, sign, project)
            if b.tangent.value * sign < 0.0:
                turn = turning(family, a, b, limits.tolerance, project)
                inner, found = _inside(family, a, turn.before, targets, limits, project)
                return Traced(samples + inner, crossings + found, turn, "")
            inner, found = _inside(family, a, b, targets, limits, project)
        except StepFailed as failure:
            step, lost = 0.5 * step, str(failure)
            if step < limits.min_step:
                return Traced(samples, crossings, None, f"{lost}, with steps down to {limits.min_step:.0e} of the range")
            continue
        samples += inner
        crossings += found
        if b.value == goal:
            return Traced(samples, crossings, None, "")
        ahead = cosine(family, a, b)
        step = min(limits.max_step, step * (1.6 if ahead > _GENTLE else 1.0))
        a = b
    return Traced(samples, crossings, None, f"{limits.max_steps} steps were not enough; the last led to {a.value:.6g}")


def _light(point: CurvePoint) -> CurvePoint:
    return replace(point, system=None)


def _reversed(point: CurvePoint) -> CurvePoint:
    return replace(point, tangent=Row(-point.tangent.x, -point.tangent.value))


def _advance(family: Family, a: CurvePoint, step: float, goal: float, sign: float, project: Project | None) -> CurvePoint:
    left = (goal - a.value) / a.tangent.value if a.tangent.value != 0.0 else np.inf
    if left <= 1.2 * step:  # no crumb is left for a step of its own
        length, value, row = left, goal, fixed(family)
    else:
        length, value, row = step, a.value + step * a.tangent.value, a.tangent
    x = a.x + length * a.tangent.x
    b = correct(family, x, value, row, along=a.tangent, project=project, near=a)
    off = family.length(b.x - x, b.value - value)
    if off > 0.3 * length + 1e-9:
        raise StepFailed(f"the corrector left the branch: it ended {off:.1e} from where a step of {length:.1e} pointed")
    if cosine(family, a, b) < _STRAIGHT:
        raise StepFailed(f"the branch bends too much for a step of {length:.1e}")
    if (b.value - goal) * sign > 0.0 or (value == goal and b.tangent.value * sign < 0.0):
        raise StepFailed(f"a step of {length:.1e} led past the end of the range")
    return b


def _inside(
    family: Family, a: CurvePoint, b: CurvePoint, targets: Sequence[float], limits: Limits, project: Project | None
) -> tuple[list[CurvePoint], list[Crossing]]:
    """What lies between two points: samples at the targets and at b, and the crossings."""
    low, high = sorted((a.value, b.value))
    within = sorted((v for v in targets if low < v < high), reverse=bool(b.value < a.value))
    samples = [_light(landing(family, a, b, v, project)) for v in within] + [_light(b)]
    return samples, crossings(family, a, b, limits.tolerance, project)
