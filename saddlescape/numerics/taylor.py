"""Taylor remainders: do a function and its derivative belong together?"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .derivatives import Derivatives

_STEPS = 10.0 ** -np.arange(1.0, 9.01, 0.25)  # relative to the size of the point
_WINDOW = 5  # points of a sweep that make a decade


class Slope(NamedTuple):
    """How a remainder falls with the step.

    Attributes
    ----------
    order : float
        Fitted slope over the last decade above rounding; infinite if the remainder is rounding everywhere.
    steps, remainders : (s,) arrays
        The sweep.
    """

    order: float
    steps: np.ndarray
    remainders: np.ndarray


def remainder_slope(remainder: Callable[[float], float], rounding: float, size: float) -> Slope:
    """Order in t of a first-order Taylor remainder.

    Parameters
    ----------
    remainder : callable
        ``remainder(t) -> float``, ``|f(x + t v) - f(x) - t f'(x) v|``.
    rounding : float
        Size of the rounding errors of f.
    size : float
        What steps are relative to.

    Notes
    -----
    The decade is the last one before the remainder drowns in rounding, because there an error of the derivative, which is
    of order one, shows first: one of relative size 1e-6 is still seen.
    """
    steps = _STEPS * size
    remainders = np.array([remainder(t) for t in steps])
    above = ~(remainders <= 30.0 * rounding)  # a remainder that is not a number counts as above
    last = int(np.argmin(above)) if not above.all() else above.size
    if last < _WINDOW:
        return Slope(np.inf, steps, remainders)
    window = slice(last - _WINDOW, last)
    if not np.isfinite(remainders[window]).all():
        return Slope(np.nan, steps, remainders)
    return Slope(float(np.polyfit(np.log(steps[window]), np.log(remainders[window]), 1)[0]), steps, remainders)


def energy_slope(derivatives: Derivatives, x: np.ndarray, v: np.ndarray) -> Slope:
    """Order of the remainder of the energy with its gradient along v (n,), |v| of order one."""
    energy, slope = derivatives.energy(x), float(derivatives.gradient(x) @ v)
    size = 1.0 + np.abs(x).max()
    rounding = energy_rounding(derivatives, x, v)
    return remainder_slope(lambda t: abs(derivatives.energy(x + t * v) - energy - t * slope), rounding, size)


def gradient_slope(derivatives: Derivatives, x: np.ndarray, v: np.ndarray) -> Slope:
    """Order of the remainder of the gradient with its Hessian-vector product along v (n,)."""
    gradient, product = derivatives.gradient(x), derivatives.hvp(x, v)
    size = 1.0 + np.abs(x).max()
    nudges = [derivatives.gradient(x + s * 1e-15 * size * v) - gradient for s in (1, 2, 3)]
    rounding = max(map(derivatives.gradient_norm, nudges)) + np.finfo(float).eps * derivatives.gradient_norm(gradient)

    def remainder(t: float) -> float:
        return derivatives.gradient_norm(derivatives.gradient(x + t * v) - gradient - t * product)

    return remainder_slope(remainder, rounding, size)


def energy_rounding(derivatives: Derivatives, x: np.ndarray, v: np.ndarray) -> float:
    """Size of the rounding errors of the energy: how it changes over steps too small to matter."""
    size = 1.0 + np.abs(x).max()
    energies = np.array([derivatives.energy(x + s * 1e-15 * size * v) for s in range(4)])
    return float(np.ptp(energies) + np.finfo(float).eps * np.abs(energies).max())
