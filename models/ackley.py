"""Ackley's function: a funnel under a lattice of shallow minima."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, e, exp, expm1, pi, sin, sqrt
from typing import Any, ClassVar

import numpy as np
from numba import njit

from saddlescape.kernels import Kernels, kernel
from saddlescape.model import EnergyModel

_DEPTH = 20.0


@njit(nogil=True, error_model="numpy")
def _parts(x):
    """r = sqrt(mean x_i^2) and mean cos(2 pi x_i) - 1."""
    squares = waves = 0.0
    for value in x:
        squares += value * value
        wave = sin(pi * value)
        waves -= 2.0 * wave * wave
    return sqrt(squares / x.size), waves / x.size


@kernel("energy")
def _energy(x, params):
    r, waves = _parts(x)
    # expm1: near the minimum the energy is a difference of nearly equal numbers.
    return -_DEPTH * expm1(-params[0][0] * r) - e * expm1(waves)


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    c, n = params[0][0], x.size
    squares = waves = 0.0
    for i in range(n):
        # Sine and cosine of one angle are one call, and sin(2 pi x) is twice their product.
        sine, cosine = sin(pi * x[i]), cos(pi * x[i])
        squares += x[i] * x[i]
        waves -= 2.0 * sine * sine
        out[i] = sine * cosine
    r = sqrt(squares / n)
    fall, rise = expm1(-c * r), expm1(waves / n)
    # The funnel has its tip at 0, where it has no gradient; 0 is that of all directions together.
    radial = _DEPTH * c * (1.0 + fall) / (n * r) if r > 0.0 else 0.0
    lattice = 4.0 * pi / n * e * (1.0 + rise)
    for i in range(n):
        out[i] = radial * x[i] + lattice * out[i]
    return -_DEPTH * fall - e * rise


@kernel("gradient")
def _gradient(x, params, out):
    _energy_gradient(x, params, out)


@kernel("hvp")
def _hvp(x, v, params, out):
    c, n = params[0][0], x.size
    r, waves = _parts(x)
    along = slopes = 0.0
    for i in range(n):
        along += x[i] * v[i]
        slopes += sin(2.0 * pi * x[i]) * v[i]
    radial = _DEPTH * c * exp(-c * r) / (n * r) if r > 0.0 else 0.0
    bend = radial * (c + 1.0 / r) / (n * r) * along if r > 0.0 else 0.0
    height = exp(1.0 + waves)
    for i in range(n):
        phase = 2.0 * pi * x[i]
        lattice = 4.0 * pi * pi / n * cos(phase) * v[i] - 4.0 * pi * pi / (n * n) * sin(phase) * slopes
        out[i] = radial * v[i] - bend * x[i] + height * lattice


@dataclass(frozen=True, eq=True)
class Ackley(EnergyModel):
    r"""Ackley's function of any number of unknowns: minima near the integers, the lowest at 0, where it has a tip.

    .. math:: E(x) = -20 \exp(-c \sqrt{\tfrac1n \sum x_i^2}) - \exp(\tfrac1n \sum \cos 2 \pi x_i) + 20 + e

    It is invariant under all permutations and changes of sign, which are not declared: there are :math:`2^n n!` of them.

    Parameters
    ----------
    dim : int
        Number of unknowns n.
    coefficient : float
        c: 0.2 as usual, 0.02 for the funnel of a tenth of the slope on which energy-conserving descent was first shown.

    Attributes
    ----------
    box : tuple of (float, float)
        Ranges of the unknowns that hold the usual starts.

    Raises
    ------
    ValueError
        If ``dim`` or ``coefficient`` is not positive.

    References
    ----------
    D. H. Ackley, A Connectionist Machine for Genetic Hillclimbing (1987); c = 0.02: De Luca, Silverstein, arXiv 2201.11137.
    """

    dim: int = 2
    coefficient: float = 0.2

    coercive: ClassVar[bool] = False  # it tends to between 20 and 20 + e
    kernels: ClassVar[Kernels] = Kernels(energy=_energy, energy_gradient=_energy_gradient, gradient=_gradient, hvp=_hvp)

    def __post_init__(self) -> None:
        if not (isinstance(self.dim, (int, np.integer)) and self.dim >= 1):
            raise ValueError(f"dim: got {self.dim!r}, expected an integer of at least 1")
        if not self.coefficient > 0:
            raise ValueError(f"coefficient: got {self.coefficient!r}, expected a positive number")

    @property
    def box(self) -> tuple[tuple[float, float], ...]:
        """Ranges of the unknowns that hold the usual starts."""
        return ((-5.0, 5.0),) * self.dim

    def _parameters(self) -> tuple[Any, Any]:
        return (self.coefficient,), ()

    def default_start(self) -> np.ndarray:
        """The start of the published runs in the plane, (-4, 3), and again for further unknowns, (n,)."""
        return np.resize([-4.0, 3.0], self.dim)
