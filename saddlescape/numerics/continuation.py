"""Continuation of a stationary point in a parameter: tangents, and Newton's method on the bordered system of pseudo-arclength."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .derivatives import Derivatives
from .family import Family, NoModel, Row, System
from .inertia import CertificationError
from .tiny import EPS

_CHORD = 0.1  # a factorisation is kept while the steps shrink by this
_CONTRACTION = 0.5
_MAX_STEPS = 12


class StepFailed(ArithmeticError):
    """A corrector did not reach the branch; the message says why, with numbers."""


@dataclass(frozen=True, eq=False)
class CurvePoint:
    """A point of a branch with what is needed to go on from it.

    Parameters
    ----------
    x : (n,) array
    value : float
        Of the parameter.
    energy, gradient_norm : float
    index : int
        Number of negative eigenvalues, from the inertia of a factorisation.
    tangent : Row
        Of the branch, of length one; its sign is that of the way along it.
    system : System or None
        The linear system at the point, as long as it is of use.
    """

    x: np.ndarray
    value: float
    energy: float
    gradient_norm: float
    index: int
    tangent: Row
    system: System | None


def tangent(family: Family, system: System, x: np.ndarray, value: float, along: Row) -> Row:
    """The unit tangent of the branch through (x, value), on the side of ``along``."""
    y = system.set_slope(family, x, value)
    length = family.length(y, 1.0)
    row = Row(-y / length, 1.0 / length)
    ahead = family.inner(row.x, along.x) + row.value * along.value / family.span**2
    return row if ahead >= 0.0 else Row(-row.x, -row.value)


def correct(
    family: Family,
    x: np.ndarray,
    value: float,
    row: Row,
    *,
    along: Row | None = None,
    project: Callable | None = None,
    near: CurvePoint | None = None,
) -> CurvePoint:
    """Newton's method from (x, value) to the branch, in the hyperplane through the start that is orthogonal to ``row``.

    Parameters
    ----------
    family : Family
    x : (n,) array
    value : float
    row : Row
        The tangent for a step along the branch; ``Row(0, 1)`` keeps the parameter.
    along : Row, optional
        Which way the branch is followed. Default: ``row``.
    project : callable, optional
        ``project(x) -> (n,)``, the nearest state with the symmetry of the branch: round-off would break it where the Hessian is
        nearly singular.
    near : CurvePoint, optional
        A point whose factorisation serves as long as the steps shrink fast.

    Raises
    ------
    StepFailed
        If the steps do not shrink, or a number is not finite.
    """
    plane = _Plane(*family.dual(row), x, value)
    system = None if near is None else near.system
    # The first step is left to an older factorisation only if it is short beside the way since then.
    previous, newton = np.inf if system is None else family.length(x - near.x, value - near.value), np.inf
    d = _model(family, value)
    gradient = np.empty(family.dim)
    energy = d.energy_gradient(x, gradient)
    for _ in range(_MAX_STEPS):
        if not np.isfinite(gradient).all():
            raise StepFailed(f"the gradient is not finite at {family.name} = {value:.6g}")
        step, length = (None, np.nan) if system is None else _bordered(family, system, gradient, plane, x, value)
        if not length <= _CHORD * previous:  # NaN: there is none yet
            system = _system(d, x, family.name, value)
            system.set_slope(family, x, value)
            step, length = _bordered(family, system, gradient, plane, x, value)
            at_round_off = d.gradient_norm(system.force(gradient)) <= 1e3 * _round_off(family, system, d, x)
            if not (length <= _CONTRACTION * newton or at_round_off):
                raise StepFailed(f"no contraction: a step of {length:.1e} after one of {newton:.1e}")
            newton = length
        norm = d.gradient_norm(system.force(gradient))
        x, value, previous = x + step.x, value + step.value, length
        if project is not None:
            x = project(x)
        d = _model(family, value)
        energy = d.energy_gradient(x, gradient)
        after, small = d.gradient_norm(system.force(gradient)), _round_off(family, system, d, x)
        if after <= small or (norm <= 1e3 * small and after > _CONTRACTION * norm):
            break
    else:
        if not after <= 1e3 * small:
            raise StepFailed(f"{_MAX_STEPS} steps used up (gradient norm {after:.1e})")
    system = _system(d, x, family.name, value)
    way = tangent(family, system, x, value, row if along is None else along)
    return CurvePoint(x, float(value), float(energy), d.gradient_norm(gradient), system.index, way, system)


def _model(family: Family, value: float) -> Derivatives:
    try:
        return family.at(value)
    except NoModel as error:
        raise StepFailed(f"there is no model at {error}") from error


class _Plane(NamedTuple):
    """The hyperplane in which a corrector stays: its form, and the point it goes through."""

    dual_x: np.ndarray
    dual: float
    x: np.ndarray
    value: float

    def off(self, x: np.ndarray, value: float) -> float:
        return float(np.dot(self.dual_x, x - self.x)) + self.dual * (value - self.value)


def _round_off(family: Family, system: System, d: Derivatives, x: np.ndarray) -> float:
    return EPS * system.norm * (d.norm(x) + family.size)


def _system(d: Derivatives, x: np.ndarray, name: str, value: float) -> System:
    try:
        return System(d, x)
    except CertificationError as error:
        raise StepFailed(f"at {name} = {value:.6g}: {error}") from error


def _bordered(
    family: Family, system: System, gradient: np.ndarray, plane: _Plane, x: np.ndarray, value: float
) -> tuple[Row, float]:
    """Newton's step of the system bordered by the hyperplane, by block elimination, and its length; what it loses near a singular
    Hessian, the next step repairs.
    """
    slope = system.slope
    z = system.solve(system.force(gradient)[None])[0]
    denominator = plane.dual - float(np.dot(plane.dual_x, slope))
    step = (float(np.dot(plane.dual_x, z)) - plane.off(x, value)) / denominator if denominator != 0.0 else np.nan
    if not np.isfinite(step):
        raise StepFailed("the bordered system is singular")
    row = Row(-z - step * slope, step)
    return row, family.length(row.x, row.value)


def hermite(family: Family, a: CurvePoint, b: CurvePoint, t: float) -> tuple[Row, Row]:
    """The cubic through two points with their tangents, at the fraction t of the way: position, and unit direction."""
    gap = family.length(b.x - a.x, b.value - a.value)
    h00, h10, h01, h11 = 2 * t**3 - 3 * t**2 + 1, t**3 - 2 * t**2 + t, 3 * t**2 - 2 * t**3, t**3 - t**2
    d00, d10, d11 = 6 * t**2 - 6 * t, 3 * t**2 - 4 * t + 1, 3 * t**2 - 2 * t

    def blend(pa: Any, ta: Any, pb: Any, tb: Any) -> tuple[Any, Any]:
        position = h00 * pa + h01 * pb + gap * (h10 * ta + h11 * tb)
        return position, d00 * (pa - pb) + gap * (d10 * ta + d11 * tb)

    x, dx = blend(a.x, a.tangent.x, b.x, b.tangent.x)
    value, dvalue = blend(a.value, a.tangent.value, b.value, b.tangent.value)
    length = family.length(dx, dvalue)
    return Row(x, float(value)), Row(dx / length, float(dvalue) / length)


def between(
    family: Family, a: CurvePoint, b: CurvePoint, t: float, project: Callable | None = None, near: CurvePoint | None = None
) -> CurvePoint:
    """The point of the branch at about the fraction t of the way from a to b."""
    start, direction = hermite(family, a, b, t)
    point = correct(family, start.x, start.value, direction, project=project, near=near)
    _check_near(family, a, b, point, start)
    return point


def landing(family: Family, a: CurvePoint, b: CurvePoint, value: float, project: Callable | None = None) -> CurvePoint:
    """The point of the branch between a and b, on which the parameter is monotone, at exactly this value."""
    low, high = 0.0, 1.0
    rising = b.value > a.value
    for _ in range(50):  # where the cubic has the value: only a guess for Newton's method
        t = 0.5 * (low + high)
        if (hermite(family, a, b, t)[0].value < value) == rising:
            low = t
        else:
            high = t
    t = 0.5 * (low + high)
    start, direction = hermite(family, a, b, t)
    point = correct(family, start.x, value, fixed(family), along=direction, project=project, near=a if t < 0.5 else b)
    _check_near(family, a, b, point, start)
    return point


def fixed(family: Family) -> Row:
    """The row that keeps the parameter where it is."""
    return Row(np.zeros(family.dim), 1.0)


def _check_near(family: Family, a: CurvePoint, b: CurvePoint, point: CurvePoint, start: Row) -> None:
    gap = family.length(b.x - a.x, b.value - a.value)
    off = family.length(point.x - start.x, point.value - start.value)
    if off > 0.3 * gap + 1e-9:
        raise StepFailed(f"the corrector left the branch: it ended {off:.1e} from where a step of {gap:.1e} passed")
