"""A nonlinear equation on the unit disc as the squared residual of its radial finite differences."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numba import njit
from scipy.linalg import cho_solve_banded, cholesky_banded
from scipy.sparse import csc_matrix, diags

from saddlescape.kernels import Kernels, kernel
from saddlescape.model import EnergyModel


@njit(nogil=True, error_model="numpy")
def _image(v, floats, i):
    """(-Lap v)_i for v that vanishes on the circle; floats: weights, lower, middle and upper diagonal, right-hand side, n each."""
    n = v.size
    total = floats[2 * n + i] * v[i]
    if i > 0:
        total += floats[n + i] * v[i - 1]
    if i < n - 1:
        total += floats[3 * n + i] * v[i + 1]
    return total


@njit(nogil=True, error_model="numpy")
def _add_transposed(x, floats, i, size, out):
    """Add size times row i of -Lap + 2 u to out."""
    n = x.size
    out[i] += size * (floats[2 * n + i] + 2.0 * x[i])
    if i > 0:
        out[i - 1] += size * floats[n + i]
    if i < n - 1:
        out[i + 1] += size * floats[3 * n + i]


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    floats, n = params[0], x.size
    out[:] = 0.0
    energy = 0.0
    for i in range(n):
        residual = _image(x, floats, i) + x[i] * x[i] - floats[4 * n + i]
        energy += 0.5 * floats[i] * residual * residual
        _add_transposed(x, floats, i, floats[i] * residual, out)
    return energy


@kernel("energy")
def _energy(x, params):
    floats, n = params[0], x.size
    energy = 0.0
    for i in range(n):
        residual = _image(x, floats, i) + x[i] * x[i] - floats[4 * n + i]
        energy += 0.5 * floats[i] * residual * residual
    return energy


@kernel("gradient")
def _gradient(x, params, out):
    _energy_gradient(x, params, out)


@kernel("hvp")
def _hvp(x, v, params, out):
    floats, n = params[0], x.size
    out[:] = 0.0
    for i in range(n):
        residual = _image(x, floats, i) + x[i] * x[i] - floats[4 * n + i]
        change = _image(v, floats, i) + 2.0 * x[i] * v[i]
        _add_transposed(x, floats, i, floats[i] * change, out)
        out[i] += 2.0 * floats[i] * residual * v[i]


@dataclass(frozen=True, eq=True)
class DiscEquation(EnergyModel):
    r"""Half the squared residual of a nonlinear equation on the unit disc, whose solution oscillates.

    .. math:: E[u] = \tfrac12 \int_{|r| < 1} (-\Delta u + u^2 - f)^2, \qquad u = \sin^2 k \ \text{at } r = 1

    with f such that :math:`u = \sin^2(k r^2)` solves it; u depends on the radius alone. With k = 20 it is the equation that De Luca
    and Silverstein trained a network for; here u itself is unknown, at the nodes :math:`r_i = (i - 1/2) h` of conservative
    differences of second order, with the exact boundary value. The discrete solutions have E = 0 and differ from the exact ones by
    O(h^2).

    Parameters
    ----------
    n : int
        Interior nodes along the radius, at least 3; h = 1 / (n + 1/2).
    waves : float
        k, positive.

    Raises
    ------
    ValueError
        If a parameter is out of range.

    References
    ----------
    De Luca, Silverstein, arXiv 2201.11137 (the equation).
    """

    n: int = 200
    waves: float = 20.0

    coercive: ClassVar[bool] = True  # far out u^2 outgrows what is linear, so that E grows as u^4
    kernels: ClassVar[Kernels] = Kernels(energy=_energy, energy_gradient=_energy_gradient, gradient=_gradient, hvp=_hvp)

    def __post_init__(self) -> None:
        if not (isinstance(self.n, (int, np.integer)) and self.n >= 3):
            raise ValueError(f"n: got {self.n!r}, expected an integer of at least 3")
        if not self.waves > 0:
            raise ValueError(f"waves: got {self.waves!r}, expected a positive number")

    @property
    def dim(self) -> int:
        """Number of nodes."""
        return self.n

    @property
    def spacing(self) -> float:
        """h."""
        return 1.0 / (self.n + 0.5)

    @cached_property
    def radii(self) -> np.ndarray:
        """r_i, (n,)."""
        return (np.arange(self.n) + 0.5) * self.spacing

    @cached_property
    def mass(self) -> np.ndarray:
        """Area of the ring of each node, (n,)."""
        return 2.0 * np.pi * self.radii * self.spacing

    @cached_property
    def _operator(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Lower, middle and upper diagonal of -Lap, (n,) each; the first lower and the last upper entry lead outside."""
        scale = self.radii * self.spacing**2
        inner, outer = np.arange(self.n) * self.spacing / scale, np.arange(1, self.n + 1) * self.spacing / scale
        return -inner, inner + outer, -outer

    def _parameters(self) -> tuple[Any, Any]:
        k, r2 = self.waves, self.radii**2
        source = np.sin(k * r2) ** 4 - 4.0 * k * np.sin(2.0 * k * r2) - 8.0 * k**2 * r2 * np.cos(2.0 * k * r2)
        lower, middle, upper = self._operator
        source[-1] -= upper[-1] * np.sin(k) ** 2
        return np.concatenate([self.mass, lower, middle, upper, source]), ()

    def _linear(self) -> csc_matrix:
        lower, middle, upper = self._operator
        return diags([lower[1:], middle, upper[:-1]], [-1, 0, 1], format="csc")

    def hessian(self, x: np.ndarray) -> csc_matrix:
        """d2E/dx2, (n, n), five diagonals."""
        floats = self.params[0]
        linear = self._linear()
        residual = linear @ x + x**2 - floats[4 * self.n :]
        jacobian = linear + diags([2.0 * x], [0], format="csc")
        weights = diags([self.mass], [0], format="csc")
        return csc_matrix(jacobian.T @ weights @ jacobian + diags([2.0 * self.mass * residual], [0], format="csc"))

    def preconditioner(self, x: np.ndarray) -> BandedMetric:
        """The squared Laplacian, which is all that is stiff; it is the same at every x."""
        linear = self._linear()
        return BandedMetric(csc_matrix(linear.T @ diags([self.mass], [0], format="csc") @ linear))

    def exact(self) -> np.ndarray:
        """sin^2(k r^2) at the nodes, (n,)."""
        return np.sin(self.waves * self.radii**2) ** 2

    def default_start(self) -> np.ndarray:
        """The boundary value everywhere, (n,)."""
        return np.full(self.n, np.sin(self.waves) ** 2)


class BandedMetric:
    """A symmetric positive definite matrix of five diagonals, factorised once."""

    def __init__(self, matrix: csc_matrix):
        self._matrix = matrix
        n = matrix.shape[0]
        bands = np.zeros((3, n))
        for offset in range(3):
            bands[2 - offset, offset:] = matrix.diagonal(offset)
        self._factor = cholesky_banded(bands)

    def solve(self, r: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """M^-1 r for r (n,) or rows (k, n)."""
        return _into(cho_solve_banded((self._factor, False), r.T).T, out)

    def apply(self, v: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """M v for v (n,) or rows (k, n)."""
        return _into((self._matrix @ v.T).T, out)


def _into(value: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    if out is None:
        return np.ascontiguousarray(value)
    out[:] = value
    return out
