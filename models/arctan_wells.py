"""Arctan wells: a quadratic form with a smooth step down in every coordinate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import atan
from typing import Any, ClassVar

import numpy as np

from saddlescape.kernels import Kernels, kernel
from saddlescape.model import EnergyModel

_LARGEST = 500
_STEP = 5.0


@kernel("energy")
def _energy(x, params):
    floats = params[0]
    n = x.size
    quadratic = 0.0
    steps = 0.0
    for i in range(n):
        product = 0.0
        for j in range(n):
            product += floats[1 + i * n + j] * x[j]
        quadratic += product * x[i]
        steps += atan(x[i] - _STEP)
    return 0.5 * quadratic - floats[0] * steps


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    floats = params[0]
    n = x.size
    quadratic = 0.0
    steps = 0.0
    for i in range(n):
        product = 0.0
        for j in range(n):
            product += floats[1 + i * n + j] * x[j]
        t = x[i] - _STEP
        quadratic += product * x[i]
        steps += atan(t)
        out[i] = product - floats[0] / (1.0 + t * t)
    return 0.5 * quadratic - floats[0] * steps


@kernel("gradient")
def _gradient(x, params, out):
    floats = params[0]
    n = x.size
    for i in range(n):
        product = 0.0
        for j in range(n):
            product += floats[1 + i * n + j] * x[j]
        t = x[i] - _STEP
        out[i] = product - floats[0] / (1.0 + t * t)


@kernel("hvp")
def _hvp(x, v, params, out):
    floats = params[0]
    n = x.size
    for i in range(n):
        product = 0.0
        for j in range(n):
            product += floats[1 + i * n + j] * v[j]
        t = x[i] - _STEP
        q = 1.0 + t * t
        out[i] = product + 2.0 * floats[0] * t / (q * q) * v[i]


@dataclass(frozen=True, eq=True)
class ArctanWells(EnergyModel):
    r"""A quadratic form with a smooth step at x_i = 5 in every coordinate.

    .. math:: E(x) = \tfrac12 x^T M x - \alpha \sum_{i=1}^n \arctan(x_i - 5)

    Parameters
    ----------
    M : (n, n) array or nested sequence of float
        Symmetric matrix, at most 500 x 500: it is kept whole in every file that remembers the model.
    alpha : float
        Height of the steps, divided by pi.

    Raises
    ------
    ValueError
        If M is not a symmetric matrix of finite numbers of at most that size, or alpha is not finite.
    """

    M: Sequence[Sequence[float]] = ((0.8, -0.2), (-0.2, 0.5))
    alpha: float = 5.0
    kernels: ClassVar[Kernels] = Kernels(energy=_energy, energy_gradient=_energy_gradient, gradient=_gradient, hvp=_hvp)

    def __post_init__(self) -> None:
        matrix = np.array(self.M, dtype=float)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not 1 <= matrix.shape[0] <= _LARGEST:
            raise ValueError(f"M: got shape {matrix.shape}, expected a square matrix of 1 to {_LARGEST} rows")
        if not np.isfinite(matrix).all():
            raise ValueError("M: got entries that are NaN or infinite, expected finite numbers")
        if not np.array_equal(matrix, matrix.T):
            raise ValueError(
                f"M: got a matrix that differs from its transpose by up to {np.abs(matrix - matrix.T).max():.3g}, "
                "expected a symmetric one; (M + M.T) / 2 gives the same energy"
            )
        if not np.isfinite(self.alpha):
            raise ValueError(f"alpha: got {self.alpha}, expected a finite number")
        object.__setattr__(self, "M", tuple(tuple(row) for row in matrix.tolist()))
        object.__setattr__(self, "alpha", float(self.alpha))

    @property
    def dim(self) -> int:
        """Number of unknowns n, one for each row of M."""
        return len(self.M)

    @cached_property
    def _matrix(self) -> np.ndarray:
        return np.array(self.M)

    @cached_property
    def coercive(self) -> bool:
        """Whether M is positive definite: the steps are bounded, so M decides."""
        eigenvalues = np.linalg.eigvalsh(self._matrix)
        return bool(eigenvalues[0] > self.dim * np.finfo(float).eps * np.abs(eigenvalues).max())

    def _parameters(self) -> tuple[Any, Any]:
        return np.concatenate([[self.alpha], self._matrix.ravel()]), ()

    def hessian(self, x: np.ndarray) -> np.ndarray:
        """The dense Hessian (n, n) at x (n,)."""
        t = x - _STEP
        return self._matrix + np.diag(2.0 * self.alpha * t / (1.0 + t * t) ** 2)

    def default_start(self) -> np.ndarray:
        """Near the well before the steps: M x = alpha / 26, the slope of a step at zero, in the least-squares sense, (n,)."""
        slope = self.alpha / (1.0 + _STEP**2)
        return np.linalg.lstsq(self._matrix, np.full(self.dim, slope))[0]
