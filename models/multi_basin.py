"""Two basins of equal depth and different width: how often does a trajectory end in either?"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import ClassVar

import numpy as np
from numba import njit

from saddlescape.kernels import Kernels, kernel
from saddlescape.model import EnergyModel
from saddlescape.symmetry import Symmetry

_CENTRE = 2.0  # c_1 = (-2, -2), c_2 = (2, 2)
_RATES = (0.4, 0.8)
_DEPTHS = (1.0, 1.0 - 2.75e-6)  # the quartic lifts both by what makes them equally deep
_QUARTIC = 1e-3


@njit(nogil=True, error_model="numpy")
def _squares(x, y):
    """|x - c_1|^2 and |x - c_2|^2."""
    return (x + _CENTRE) ** 2 + (y + _CENTRE) ** 2, (x - _CENTRE) ** 2 + (y - _CENTRE) ** 2


@kernel("energy")
def _energy(x, params):
    a, b = _squares(x[0], x[1])
    return 1.0 - _DEPTHS[0] * exp(-_RATES[0] * a) - _DEPTHS[1] * exp(-_RATES[1] * b) + _QUARTIC * a * b


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    a, b = _squares(x[0], x[1])
    first, second = _DEPTHS[0] * exp(-_RATES[0] * a), _DEPTHS[1] * exp(-_RATES[1] * b)
    slope_a = _RATES[0] * first + _QUARTIC * b
    slope_b = _RATES[1] * second + _QUARTIC * a
    for i in range(2):
        out[i] = 2.0 * (slope_a * (x[i] + _CENTRE) + slope_b * (x[i] - _CENTRE))
    return 1.0 - first - second + _QUARTIC * a * b


@kernel("gradient")
def _gradient(x, params, out):
    _energy_gradient(x, params, out)


@kernel("hvp")
def _hvp(x, v, params, out):
    a, b = _squares(x[0], x[1])
    first, second = _DEPTHS[0] * exp(-_RATES[0] * a), _DEPTHS[1] * exp(-_RATES[1] * b)
    along_a = 2.0 * ((x[0] + _CENTRE) * v[0] + (x[1] + _CENTRE) * v[1])
    along_b = 2.0 * ((x[0] - _CENTRE) * v[0] + (x[1] - _CENTRE) * v[1])
    stiff = _RATES[0] * first + _RATES[1] * second + _QUARTIC * (a + b)
    change_a = -(_RATES[0] ** 2) * first * along_a + _QUARTIC * along_b
    change_b = -(_RATES[1] ** 2) * second * along_b + _QUARTIC * along_a
    for i in range(2):
        out[i] = 2.0 * (stiff * v[i] + change_a * (x[i] + _CENTRE) + change_b * (x[i] - _CENTRE))


@dataclass(frozen=True, eq=True)
class MultiBasin(EnergyModel):
    r"""Two Gaussian wells, the wider one at (-2, -2), on a quartic that rises around them; both minima have E = 0.

    .. math:: E(x) = 1 - e^{-0.4 |x - c_1|^2} - (1 - 2.75 \cdot 10^{-6}) e^{-0.8 |x - c_2|^2} + 10^{-3} |x - c_1|^2 |x - c_2|^2

    Attributes
    ----------
    box : ((float, float), (float, float))
        Ranges of x and y that show the whole landscape.

    References
    ----------
    De Luca, Silverstein, arXiv 2201.11137.
    """

    dim: ClassVar[int] = 2
    box: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-5.0, 5.0), (-5.0, 5.0))
    coercive: ClassVar[bool] = True
    symmetry: ClassVar[Symmetry] = Symmetry.generate(2, [(np.array([1, 0]), np.ones(2))])
    kernels: ClassVar[Kernels] = Kernels(energy=_energy, energy_gradient=_energy_gradient, gradient=_gradient, hvp=_hvp)

    def default_start(self) -> np.ndarray:
        """The start of the published runs, far out and on the mirror of the exchange of x and y, (2,)."""
        return np.array([10.0, -10.0])
