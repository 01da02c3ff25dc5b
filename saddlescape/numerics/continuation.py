"""Continuation of a stationary point in a parameter: tangents, and Newton's method on the bordered system of pseudo-arclength."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..model import EnergyModel
from .derivatives import Derivatives
from .inertia import Bordered, CertificationError, DenseSpectrum, count_inertia, sparse_norm
from .newton import as_dense, clean_zero_modes, has_matrix, is_dense
from .tiny import EPS

_KEPT = 4  # models of neighbouring values that are kept: a step asks for a few of them again and again
_CHORD = 0.1  # a factorisation is kept while the steps shrink by this
_CONTRACTION = 0.5
_ZERO = 1e-12  # of |H|: an eigenvalue that is zero along a whole branch must not count as negative here and there
_MAX_STEPS = 12
_DIFFERENCE = 1e-5  # of the parameter, relative: gradients are differentiated in it


class StepFailed(ArithmeticError):
    """A corrector did not reach the branch; the message says why, with numbers."""


class NoModel(ValueError):
    """There is no model at a value of the parameter; the message names the value and quotes the model."""


class Family:
    """The models of one energy for all values of a parameter, and the metric in which branches are measured.

    Parameters
    ----------
    model_at : callable
        Value to model.
    name : str
        Of the parameter, for messages.
    value : float
        The value whose mass makes the metric.
    span : float
        Length of the range of values: the unit of the parameter.
    size : float
        Mass norm of a typical state: the unit of x.

    Raises
    ------
    ValueError
        If the model has no Hessian as a matrix.
    """

    def __init__(self, model_at: Callable[[float], EnergyModel], name: str, value: float, span: float, size: float):
        self._model_at, self.name, self.span, self.size = model_at, name, span, size
        self._models: dict[float, Derivatives] = {}
        self.dim = int(model_at(value).dim)
        first = self.at(value)
        if not has_matrix(first):
            raise ValueError(
                f"model: {type(first.model).__name__} has {self.dim} unknowns and no hessian(x); following a state needs one "
                "(sparse) beyond 500 unknowns: give the model hessian(x)"
            )
        self._weight = first.mass / size**2

    def at(self, value: float) -> Derivatives:
        """The derivatives of the model at a value of the parameter.

        Raises
        ------
        NoModel
            If the model does not exist there.
        ValueError
            If it has another number of unknowns.
        """
        found = self._models.get(value)
        if found is None:
            try:
                model = self._model_at(value)
            except ValueError as error:
                raise NoModel(f"{self.name} = {value:.6g}: {error}") from error
            if model.dim != self.dim:
                raise ValueError(
                    f"{self.name}: the model has {model.dim} unknowns at {value:.6g} and {self.dim} at the start; a state "
                    "can only be followed in a parameter that leaves their number alone"
                )
            while len(self._models) >= _KEPT:
                del self._models[next(iter(self._models))]
            found = self._models[value] = Derivatives(model)
        return found

    def slope(self, x: np.ndarray, value: float) -> np.ndarray:
        """d/dvalue of the gradient at fixed x, (n,): central difference, or one-sided where the parameter ends."""
        step = _DIFFERENCE * max(abs(value), 1e-3 * self.span)
        try:
            before, after = self.at(value - step), self.at(value + step)
        except NoModel:  # it exists on one side alone
            for side in (step, -step):
                try:
                    near, far = self.at(value + side).gradient(x), self.at(value + 2.0 * side).gradient(x)
                except NoModel:
                    continue
                return (4.0 * near - far - 3.0 * self.at(value).gradient(x)) / (2.0 * side)
            raise
        return (after.gradient(x) - before.gradient(x)) / (2.0 * step)

    def inner(self, a: np.ndarray, b: np.ndarray) -> float:
        """Inner product of two displacements (n,), in units of the size of a state."""
        return float(np.dot(a, self._weight * b))

    def length(self, dx: np.ndarray, dvalue: float) -> float:
        """Length of a displacement of state and parameter, without a unit."""
        return float(np.sqrt(self.inner(dx, dx) + (dvalue / self.span) ** 2))

    def dual(self, row: Row) -> tuple[np.ndarray, float]:
        """The linear form ``<row, .>`` as a vector (n,) and a number."""
        return self._weight * row.x, row.value / self.span**2


class Row(NamedTuple):
    """A direction of state and parameter together.

    Parameters
    ----------
    x : (n,) array
    value : float
    """

    x: np.ndarray
    value: float


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


class System:
    """The Hessian at a point, factorised on the complement of the zero modes.

    Attributes
    ----------
    index : int
        Number of its negative eigenvalues.
    norm : float
        Of the Hessian.
    values, vectors : arrays or None
        The whole spectrum, where it is dense.
    slope : (n,) array or None
        H^-1 d(gradient)/d(value): minus the change of the state with the parameter.
    """

    def __init__(self, d: Derivatives, x: np.ndarray):
        self.d, self.modes = d, clean_zero_modes(d, x, d.zero_modes(x))
        self.hessian = d.hessian(x)
        self.values: np.ndarray | None = None
        self.slope: np.ndarray | None = None
        if is_dense(self.hessian):
            spectrum = DenseSpectrum(as_dense(self.hessian), d.mass, self.modes)
            self.values, self.vectors, self.norm = spectrum.values, spectrum.vectors, spectrum.norm
            zero = _ZERO * self.norm
            self.solve = lambda rows: spectrum.solve(rows, zero)
            self.index = int(np.count_nonzero(spectrum.values < -zero))
        else:
            count = count_inertia(self.hessian, d.mass, -_ZERO * sparse_norm(self.hessian, d.mass))
            inverse = Bordered(count.factor, self.modes, d.mass)
            self.norm, self.solve = count.factor.norm, inverse.solve
            self.index = count.negative - inverse.removed

    def set_slope(self, family: Family, x: np.ndarray, value: float) -> np.ndarray:
        """Compute `slope`."""
        self.slope = self.solve(self.force(family.slope(x, value))[None])[0]
        return self.slope

    def force(self, gradient: np.ndarray) -> np.ndarray:
        """A gradient (n,) without its part along the zero modes."""
        if self.modes is None:
            return gradient
        return gradient - (self.modes @ gradient) @ (self.modes * self.d.mass)


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


def near_zero(system: System, count: int, guess: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """About the ``count`` eigenvalues of H v = lambda mass v nearest to zero, ascending, with their vectors as rows.

    By inverse iteration on a block with Rayleigh-Ritz: the nearer to zero, the more accurate.
    """
    d = system.d
    if system.values is not None:
        chosen = np.sort(np.argsort(np.abs(system.values), kind="stable")[:count])
        return system.values[chosen], system.vectors[chosen]
    width = min(count + 2, d.dim)
    block = np.random.default_rng(0).standard_normal((width, d.dim))
    if guess is not None:
        block[: len(guess)] = guess[:width]
    known = np.full(count, np.inf)
    for _ in range(30):
        block = system.solve(block * d.mass)
        block = _orthonormal(block, d.mass)
        images = np.ascontiguousarray((system.hessian @ block.T).T)
        ritz, turn = np.linalg.eigh(0.5 * (block @ images.T + images @ block.T))
        block = turn.T @ block
        chosen = np.sort(np.argsort(np.abs(ritz), kind="stable")[:count])
        if np.abs(ritz[chosen] - known).max() <= 1e-6 * np.abs(ritz[chosen]).max():
            break
        known = ritz[chosen]
    return ritz[chosen], block[chosen]


def _orthonormal(rows: np.ndarray, mass: float | np.ndarray) -> np.ndarray:
    root = np.sqrt(mass)
    return np.linalg.qr((rows * root).T)[0].T / root
