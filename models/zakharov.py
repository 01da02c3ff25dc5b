"""Zakharov's function: one minimum in a valley that is steep to the fourth power along one direction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from saddlescape.kernels import Kernels, kernel
from saddlescape.model import EnergyModel
from saddlescape.symmetry import Symmetry

_LARGEST = 500  # the Hessian is dense


@kernel("energy")
def _energy(x, params):
    squares = steep = 0.0
    for i in range(x.size):
        squares += x[i] * x[i]
        steep += 0.5 * (i + 1) * x[i]
    return squares + steep**2 + steep**4


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    squares = steep = 0.0
    for i in range(x.size):
        squares += x[i] * x[i]
        steep += 0.5 * (i + 1) * x[i]
    slope = 2.0 * steep + 4.0 * steep**3
    for i in range(x.size):
        out[i] = 2.0 * x[i] + slope * 0.5 * (i + 1)
    return squares + steep**2 + steep**4


@kernel("gradient")
def _gradient(x, params, out):
    _energy_gradient(x, params, out)


@kernel("hvp")
def _hvp(x, v, params, out):
    steep = along = 0.0
    for i in range(x.size):
        steep += 0.5 * (i + 1) * x[i]
        along += 0.5 * (i + 1) * v[i]
    curvature = (2.0 + 12.0 * steep * steep) * along
    for i in range(x.size):
        out[i] = 2.0 * v[i] + curvature * 0.5 * (i + 1)


@dataclass(frozen=True, eq=True)
class Zakharov(EnergyModel):
    r"""A convex function with its minimum 0 at 0, whose curvature ranges from 2 to millions.

    .. math:: E(x) = \sum x_i^2 + s^2 + s^4, \qquad s = \tfrac12 \sum i x_i

    Parameters
    ----------
    dim : int
        Number of unknowns n, at most 500.

    Raises
    ------
    ValueError
        If ``dim`` is out of range.

    References
    ----------
    V. V. Zakharov (1975); as a test of energy-conserving descent: De Luca, Silverstein, arXiv 2201.11137.
    """

    dim: int = 10

    coercive: ClassVar[bool] = True  # not less than |x|^2
    kernels: ClassVar[Kernels] = Kernels(energy=_energy, energy_gradient=_energy_gradient, gradient=_gradient, hvp=_hvp)

    def __post_init__(self) -> None:
        if not (isinstance(self.dim, (int, np.integer)) and 1 <= self.dim <= _LARGEST):
            raise ValueError(f"dim: got {self.dim!r}, expected an integer from 1 to {_LARGEST}")

    @cached_property
    def symmetry(self) -> Symmetry:
        """x to -x."""
        return Symmetry.generate(self.dim, [(np.arange(self.dim), -np.ones(self.dim))])

    def hessian(self, x: np.ndarray) -> np.ndarray:
        """d2E/dx2, (n, n)."""
        weights = 0.5 * np.arange(1.0, self.dim + 1.0)
        return 2.0 * np.eye(self.dim) + (2.0 + 12.0 * np.dot(weights, x) ** 2) * np.outer(weights, weights)

    def default_start(self) -> np.ndarray:
        """The start of the published runs, 1 for every unknown, (n,)."""
        return np.ones(self.dim)
