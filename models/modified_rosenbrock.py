"""The modified Rosenbrock function: an ill-conditioned saddle of chosen index in any dimension."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import atan
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from saddlescape.kernels import Kernels, kernel
from saddlescape.model import EnergyModel

if TYPE_CHECKING:
    from scipy.sparse import csc_array


@kernel("energy")
def _energy(x, params):
    s = params[0]
    last = x.size - 1
    energy = 0.0
    for i in range(last):
        residual = x[i + 1] - x[i] * x[i]
        t = x[i] - 1.0
        angle = atan(t)
        energy += 100.0 * residual * residual + t * t + s[i] * angle * angle
    angle = atan(x[last] - 1.0)
    return energy + s[last] * angle * angle


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    s = params[0]
    last = x.size - 1
    energy = 0.0
    previous = 0.0  # the residual x_i - x_{i-1}^2 of the term before
    for i in range(last):
        residual = x[i + 1] - x[i] * x[i]
        t = x[i] - 1.0
        angle = atan(t)
        energy += 100.0 * residual * residual + t * t + s[i] * angle * angle
        out[i] = 200.0 * previous - 400.0 * x[i] * residual + 2.0 * t + 2.0 * s[i] * angle / (1.0 + t * t)
        previous = residual
    t = x[last] - 1.0
    angle = atan(t)
    out[last] = 200.0 * previous + 2.0 * s[last] * angle / (1.0 + t * t)
    return energy + s[last] * angle * angle


@kernel("gradient")
def _gradient(x, params, out):
    _energy_gradient(x, params, out)


@kernel("hvp")
def _hvp(x, v, params, out):
    s = params[0]
    n = x.size
    for i in range(n):
        t = x[i] - 1.0
        q = 1.0 + t * t
        product = 2.0 * s[i] * (1.0 - 2.0 * t * atan(t)) / (q * q) * v[i]
        if i > 0:
            product += 200.0 * v[i] - 400.0 * x[i - 1] * v[i - 1]
        if i < n - 1:
            product += (1200.0 * x[i] * x[i] - 400.0 * x[i + 1] + 2.0) * v[i] - 400.0 * x[i] * v[i + 1]
        out[i] = product


@dataclass(frozen=True, eq=True)
class ModifiedRosenbrock(EnergyModel):
    r"""The Rosenbrock function with a bounded term that turns its minimum x* = (1, ..., 1) into a saddle.

    .. math:: E(x) = \sum_{i=1}^{d-1} \left[100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2\right] + \sum_{i=1}^d s_i \arctan^2(x_i - 1)

    The Morse index of x* is the number of negative eigenvalues of the tridiagonal Hessian there; it may be smaller than the
    number of negative s_i. With d = 1000, the first five s_i = -5e4 and the others 1 it is 5, at a condition number of 4e4.

    Parameters
    ----------
    s : sequence of float
        The factors s_i, one for each of the d >= 2 unknowns.

    Raises
    ------
    ValueError
        If there are fewer than two factors, or one is not finite.

    References
    ----------
    J. Yin, L. Zhang, P. Zhang, SIAM J. Sci. Comput. 41, A3576-A3595 (2019), the test function of the numerical part.
    """

    s: Sequence[float]
    # A bounded E bounds x_1 .. x_{d-1} through (1 - x_i)^2 and x_d through the last residual; arctan^2 is bounded.
    coercive: ClassVar[bool] = True
    kernels: ClassVar[Kernels] = Kernels(energy=_energy, energy_gradient=_energy_gradient, gradient=_gradient, hvp=_hvp)

    def __post_init__(self) -> None:
        s = tuple(float(factor) for factor in self.s)
        if len(s) < 2:
            raise ValueError(f"s: got {len(s)} factors, expected one for each unknown, at least 2")
        for i, factor in enumerate(s):
            if not np.isfinite(factor):
                raise ValueError(f"s: got {factor} at position {i}, expected finite numbers")
        object.__setattr__(self, "s", s)

    @classmethod
    def with_leading(cls, dim: int, count: int, strength: float, rest: float = 1.0) -> ModifiedRosenbrock:
        """The model whose first ``count`` of ``dim`` factors are ``strength``, the others ``rest``.

        Raises
        ------
        ValueError
            If ``count`` is not between 0 and ``dim``.
        """
        if not 0 <= count <= dim:
            raise ValueError(f"count: got {count}, expected 0 to dim = {dim}")
        return cls((strength,) * count + (rest,) * (dim - count))

    @property
    def dim(self) -> int:
        """Number of unknowns d, one for each factor."""
        return len(self.s)

    def _parameters(self) -> tuple[Any, Any]:
        return self.s, ()

    def _bands(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Diagonal (d,) and off-diagonal (d-1,) of the Hessian."""
        diagonal = self._arctan_curvature(x)
        diagonal[1:] += 200.0
        diagonal[:-1] += 1200.0 * x[:-1] ** 2 - 400.0 * x[1:] + 2.0
        return diagonal, -400.0 * x[:-1]

    def _arctan_curvature(self, x: np.ndarray) -> np.ndarray:
        t = x - 1.0
        return 2.0 * self.params[0] * (1.0 - 2.0 * t * np.arctan(t)) / (1.0 + t * t) ** 2

    def hessian(self, x: np.ndarray) -> csc_array:
        """The tridiagonal Hessian at x (d,), sparse (d, d)."""
        from scipy.sparse import csc_array, diags_array

        diagonal, off = self._bands(x)
        return csc_array(diags_array([off, diagonal, off], offsets=[-1, 0, 1]))

    def preconditioner(self, x: np.ndarray) -> TridiagonalMetric:
        """The Gauss-Newton Hessian of the squares plus the size of the curvature of the arctan terms, frozen at x (d,).

        Positive definite everywhere. |H| at a point 0.1 from x* is no substitute: where an eigenvalue of H happens to be near zero
        there, the metric is too weak by orders of magnitude elsewhere (measured with d = 1000: 318 steps and more, or none at all).
        """
        diagonal = np.abs(self._arctan_curvature(x))
        diagonal[1:] += 200.0
        diagonal[:-1] += 800.0 * x[:-1] ** 2 + 2.0
        return TridiagonalMetric(diagonal, -400.0 * x[:-1])

    def default_start(self) -> np.ndarray:
        """The saddle x* = (1, ..., 1), (d,)."""
        return np.ones(self.dim)


class TridiagonalMetric:
    """A symmetric positive definite tridiagonal metric M, by its Cholesky factor.

    Parameters
    ----------
    diagonal : (d,) array
    off : (d - 1,) array
        The off-diagonal.
    """

    def __init__(self, diagonal: np.ndarray, off: np.ndarray):
        from scipy.linalg import cholesky_banded

        self._diagonal, self._off = diagonal, off
        bands = np.zeros((2, diagonal.size))
        bands[0], bands[1, :-1] = diagonal, off
        self._factor = cholesky_banded(bands, lower=True, check_finite=False)

    def apply(self, v: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """M v for v (d,) or rows (k, d)."""
        product = self._diagonal * v
        product[..., 1:] += self._off * v[..., :-1]
        product[..., :-1] += self._off * v[..., 1:]
        return _filled(product, out)

    def solve(self, r: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """M^-1 r for r (d,) or rows (k, d)."""
        from scipy.linalg import cho_solve_banded

        return _filled(np.ascontiguousarray(cho_solve_banded((self._factor, True), r.T, check_finite=False).T), out)


def _filled(result: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    if out is None:
        return result
    out[...] = result
    return out
