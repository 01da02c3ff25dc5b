"""The models of one energy for all values of a parameter, and what is true of their Hessians along a branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..model import EnergyModel
from .derivatives import Derivatives
from .inertia import Bordered, DenseSpectrum, count_inertia, sparse_norm
from .newton import as_dense, clean_zero_modes, has_matrix, is_dense

_KEPT = 4  # models of neighbouring values that are kept: a step asks for a few of them again and again
_DIFFERENCE = 1e-5  # of the parameter, relative: gradients are differentiated in it
_ZERO = 1e-12  # of |H|: an eigenvalue that is zero along a whole branch must not count as negative here and there


class Row(NamedTuple):
    """A direction of state and parameter together.

    Parameters
    ----------
    x : (n,) array
    value : float
    """

    x: np.ndarray
    value: float


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


class System:
    """The Hessian at a point, factorised on the complement of the zero modes.

    Attributes
    ----------
    index : int
        Number of its eigenvalues below ``-zero``.
    norm : float
        Of the Hessian.
    zero : float
        Smaller eigenvalues are round-off.
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
            self.zero = _ZERO * self.norm
            self.solve = lambda rows: spectrum.solve(rows, self.zero)
            self.index = int(np.count_nonzero(spectrum.values < -self.zero))
        else:
            self.zero = _ZERO * sparse_norm(self.hessian, d.mass)
            count = count_inertia(self.hessian, d.mass, -self.zero)
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
