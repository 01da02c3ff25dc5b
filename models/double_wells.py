"""Separable double wells in any dimension: an exactly known landscape of any size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from saddlescape.kernels import Kernels, kernel
from saddlescape.model import EnergyModel

# Below this a sparse matrix costs more to make than a dense one to factorise.
_DENSE_UP_TO = 64


@kernel("energy")
def _energy(x, params):
    weights = params[0]
    energy = 0.0
    for j in range(x.size):
        well = x[j] * x[j] - 1.0
        energy += weights[j] * well * well
    return energy


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    weights = params[0]
    energy = 0.0
    for j in range(x.size):
        well = x[j] * x[j] - 1.0
        energy += weights[j] * well * well
        out[j] = 4.0 * weights[j] * x[j] * well
    return energy


@kernel("gradient")
def _gradient(x, params, out):
    weights = params[0]
    for j in range(x.size):
        out[j] = 4.0 * weights[j] * x[j] * (x[j] * x[j] - 1.0)


@kernel("hvp")
def _hvp(x, v, params, out):
    weights = params[0]
    for j in range(x.size):
        out[j] = 4.0 * weights[j] * (3.0 * x[j] * x[j] - 1.0) * v[j]


@dataclass(frozen=True, eq=True)
class DoubleWells(EnergyModel):
    r"""A sum of independent double wells.

    .. math:: E(x) = \sum_{j=1}^d c_j (x_j^2 - 1)^2

    It has 3^d stationary points: every x with entries in {-1, 0, 1}, of Morse index k where k entries are zero, which makes
    binomial(d, k) 2^(d-k) points of index k. The 2^d sign flips are deliberately not declared as a symmetry: all 3^d points
    are found one by one.

    Parameters
    ----------
    weights : sequence of float
        The weights c_j > 0, one for each of the d unknowns. Distinct weights make all unstable eigenvalues simple.

    Raises
    ------
    ValueError
        If there are no weights, or one is not positive and finite.
    """

    weights: Sequence[float]
    coercive: ClassVar[bool] = True
    kernels: ClassVar[Kernels] = Kernels(energy=_energy, energy_gradient=_energy_gradient, gradient=_gradient, hvp=_hvp)

    def __post_init__(self) -> None:
        weights = tuple(float(c) for c in self.weights)
        if not weights:
            raise ValueError("weights: got an empty sequence, expected one positive number for each unknown")
        for j, c in enumerate(weights):
            if not 0.0 < c < np.inf:
                raise ValueError(f"weights: got {c} at position {j}, expected positive finite numbers")
        object.__setattr__(self, "weights", weights)

    @property
    def dim(self) -> int:
        """Number of unknowns d, one for each weight."""
        return len(self.weights)

    def _parameters(self) -> tuple[Any, Any]:
        return self.weights, ()

    def hessian(self, x: np.ndarray) -> Any:
        """The diagonal Hessian at x (d,): a dense (d, d) array up to d = 64, a sparse one above."""
        diagonal = 4.0 * self.params[0] * (3.0 * x * x - 1.0)
        if self.dim <= _DENSE_UP_TO:
            return np.diag(diagonal)
        from scipy.sparse import csc_array

        n = self.dim
        return csc_array((diagonal, np.arange(n), np.arange(n + 1)), shape=(n, n))

    def default_start(self) -> np.ndarray:
        """The maximum x = 0, from which every other point can be reached downwards, (d,)."""
        return np.zeros(self.dim)
