"""Double wells on a line, each pulled towards its neighbours: many minima at many heights, all of them known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from saddlescape.kernels import Kernels, kernel
from saddlescape.model import EnergyModel

_LARGEST = 500  # the Hessian is dense


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    tilt, coupling = params[0]
    energy = 0.0
    for i in range(x.size):
        well = x[i] * x[i] - 1.0
        energy += well * well + tilt * x[i]
        out[i] = 4.0 * x[i] * well + tilt
    for i in range(x.size - 1):
        stretch = x[i] - x[i + 1]
        energy += coupling * stretch * stretch
        out[i] += 2.0 * coupling * stretch
        out[i + 1] -= 2.0 * coupling * stretch
    return energy


@kernel("energy")
def _energy(x, params):
    return _energy_gradient(x, params, np.empty_like(x))


@kernel("gradient")
def _gradient(x, params, out):
    _energy_gradient(x, params, out)


@kernel("hvp")
def _hvp(x, v, params, out):
    coupling = params[0][1]
    for i in range(x.size):
        out[i] = 4.0 * (3.0 * x[i] * x[i] - 1.0) * v[i]
    for i in range(x.size - 1):
        stretch = 2.0 * coupling * (v[i] - v[i + 1])
        out[i] += stretch
        out[i + 1] -= stretch


@dataclass(frozen=True, eq=True)
class WellChain(EnergyModel):
    r"""A chain of double wells, tilted to one side and coupled to their neighbours.

    .. math:: E(x) = \sum_i [(x_i^2 - 1)^2 + t x_i] + c \sum_i (x_i - x_{i+1})^2

    As long as tilt and coupling are weak it has 3^n stationary points, one near each x of entries -1, 0 and 1, of Morse index k
    where k entries are zero; Newton's method from there finds them. At the defaults the deepest minimum is the one near -1
    everywhere, and the lowest barrier out of it is 1.27. Its reflection is deliberately not declared as a symmetry.

    Parameters
    ----------
    dim : int
        Number of wells n, at most 500.
    tilt, coupling : float
        The coefficients t and c.

    Raises
    ------
    ValueError
        If ``dim`` is out of range, or a coefficient is not finite.
    """

    dim: int = 6
    tilt: float = 0.15
    coupling: float = 0.1

    coercive: ClassVar[bool] = True
    kernels: ClassVar[Kernels] = Kernels(energy=_energy, energy_gradient=_energy_gradient, gradient=_gradient, hvp=_hvp)

    def __post_init__(self) -> None:
        if not (isinstance(self.dim, (int, np.integer)) and 1 <= self.dim <= _LARGEST):
            raise ValueError(f"dim: got {self.dim!r}, expected an integer from 1 to {_LARGEST}")
        for name in ("tilt", "coupling"):
            if not np.isfinite(getattr(self, name)):
                raise ValueError(f"{name}: got {getattr(self, name)!r}, expected a finite number")

    def _parameters(self) -> tuple[Any, Any]:
        return (self.tilt, self.coupling), ()

    def hessian(self, x: np.ndarray) -> np.ndarray:
        """d2E/dx2, (n, n), tridiagonal."""
        hessian = np.diag(4.0 * (3.0 * x * x - 1.0))
        for i in range(self.dim - 1):
            hessian[i : i + 2, i : i + 2] += 2.0 * self.coupling * np.array([[1.0, -1.0], [-1.0, 1.0]])
        return hessian

    def default_start(self) -> np.ndarray:
        """Near the deepest minimum, (n,)."""
        return -np.ones(self.dim)
