"""The butterfly: a quartic with nine stationary points below one maximum."""

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
    yy = y * y
    return xx * (xx - 1.5 * yy + y - 2.0) + yy * (yy - 2.0 * y + 1.0)


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    xx = x[0] * x[0]
    y = x[1]
    yy = y * y
    out[0] = 2.0 * x[0] * (2.0 * xx - 1.5 * yy + y - 2.0)
    out[1] = xx * (1.0 - 3.0 * y) + y * (4.0 * yy - 6.0 * y + 2.0)
    return xx * (xx - 1.5 * yy + y - 2.0) + yy * (yy - 2.0 * y + 1.0)


@kernel("gradient")
def _gradient(x, params, out):
    _energy_gradient(x, params, out)


@kernel("hvp")
def _hvp(x, v, params, out):
    xx = x[0] * x[0]
    y = x[1]
    cross = 2.0 * x[0] * (1.0 - 3.0 * y)
    out[0] = (12.0 * xx - 3.0 * y * y + 2.0 * y - 4.0) * v[0] + cross * v[1]
    out[1] = cross * v[0] + (12.0 * y * y - 12.0 * y + 2.0 - 3.0 * xx) * v[1]


@dataclass(frozen=True, eq=True)
class Butterfly(EnergyModel):
    r"""A quartic in the plane with four minima, four index-1 saddles and one maximum, mirrored at x = 0.

    .. math:: E(x, y) = x^4 - 1.5 x^2 y^2 + y^4 - 2 y^3 + y^2 + x^2 y - 2 x^2

    Attributes
    ----------
    box : ((float, float), (float, float))
        Ranges of x and y that show the whole landscape.
    """

    dim: ClassVar[int] = 2
    box: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-2.6, 2.6), (-1.5, 3.2))
    # The quartic part a^2 - 1.5 a b + b^2 in a = x^2, b = y^2 is positive definite: its discriminant is 1.5^2 - 4 < 0.
    coercive: ClassVar[bool] = True
    symmetry: ClassVar[Symmetry] = Symmetry.generate(2, [(np.array([0, 1]), np.array([-1.0, 1.0]))])
    kernels: ClassVar[Kernels] = Kernels(energy=_energy, energy_gradient=_energy_gradient, gradient=_gradient, hvp=_hvp)

    def default_start(self) -> np.ndarray:
        """The maximum, from which every other point can be reached downwards, (2,)."""
        return np.array([0.0, 0.5])
