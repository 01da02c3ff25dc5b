"""The Henon-Heiles potential: one well with three equivalent ways out to minus infinity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from saddlescape.kernels import Kernels, kernel
from saddlescape.model import EnergyModel
from saddlescape.symmetry import Symmetry


@kernel("energy")
def _energy(x, params):
    xx = x[0] * x[0]
    y = x[1]
    return 0.5 * (xx + y * y) + y * (xx - y * y / 3.0)


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    xx = x[0] * x[0]
    y = x[1]
    out[0] = x[0] * (1.0 + 2.0 * y)
    out[1] = y + xx - y * y
    return 0.5 * (xx + y * y) + y * (xx - y * y / 3.0)


@kernel("gradient")
def _gradient(x, params, out):
    _energy_gradient(x, params, out)


@kernel("hvp")
def _hvp(x, v, params, out):
    out[0] = (1.0 + 2.0 * x[1]) * v[0] + 2.0 * x[0] * v[1]
    out[1] = 2.0 * x[0] * v[0] + (1.0 - 2.0 * x[1]) * v[1]


@dataclass(frozen=True, eq=True)
class HenonHeiles(EnergyModel):
    r"""One minimum at the origin and three index-1 saddles at E = 1/6 around it, beyond which E falls to minus infinity.

    .. math:: E(x, y) = \tfrac12 (x^2 + y^2) + x^2 y - \tfrac13 y^3

    Rotations by 120 degrees leave E unchanged too, but they are no signed permutations of (x, y): only the mirror x -> -x is
    declared, and the three saddles appear as two orbits, of 1 and 2 points.

    Attributes
    ----------
    box : ((float, float), (float, float))
        Ranges of x and y that show the whole landscape.

    References
    ----------
    M. Henon, C. Heiles, Astron. J. 69, 73-79 (1964), eq. 11.
    """

    dim: ClassVar[int] = 2
    box: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-1.4, 1.4), (-1.1, 1.5))
    coercive: ClassVar[bool] = False
    symmetry: ClassVar[Symmetry] = Symmetry.generate(2, [(np.array([0, 1]), np.array([-1.0, 1.0]))])
    kernels: ClassVar[Kernels] = Kernels(energy=_energy, energy_gradient=_energy_gradient, gradient=_gradient, hvp=_hvp)

    def default_start(self) -> np.ndarray:
        """The minimum, (2,)."""
        return np.zeros(2)
