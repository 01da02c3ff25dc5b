"""The Chafee-Infante problem: a one-dimensional Allen-Cahn energy between zero boundary values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import scipy.sparse

from saddlescape.kernels import Kernels, kernel
from saddlescape.model import EnergyModel
from saddlescape.symmetry import Symmetry

from .spectral import SineOperator, dirichlet_eigenvalues


@kernel("gradient")
def _gradient(x, params, out):
    h, lam = params[0][0], params[0][1]
    bulk = h * lam
    last = x.size - 1
    out[0] = (2.0 * x[0] - x[1]) / h
    for i in range(1, last):
        out[i] = (2.0 * x[i] - x[i - 1] - x[i + 1]) / h
    out[last] = (2.0 * x[last] - x[last - 1]) / h
    for i in range(x.size):
        out[i] += bulk * (x[i] * x[i] - 1.0) * x[i]


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    # g.u holds the quadratic part twice and the quartic one four times: what is left is (h lam / 4) (1 - u^4). The trapezoid
    # rule gives the two end nodes, where u = 0, half a weight each.
    _gradient(x, params, out)
    quarter = 0.25 * params[0][0] * params[0][1]
    energy = quarter
    for i in range(x.size):
        square = x[i] * x[i]
        energy += 0.5 * out[i] * x[i] + quarter * (1.0 - square * square)
    return energy


@kernel("energy")
def _energy(x, params):
    return _energy_gradient(x, params, np.empty_like(x))


@kernel("hvp")
def _hvp(x, v, params, out):
    h, lam = params[0][0], params[0][1]
    bulk = h * lam
    last = x.size - 1
    out[0] = (2.0 * v[0] - v[1]) / h
    for i in range(1, last):
        out[i] = (2.0 * v[i] - v[i - 1] - v[i + 1]) / h
    out[last] = (2.0 * v[last] - v[last - 1]) / h
    for i in range(x.size):
        out[i] += bulk * (3.0 * x[i] * x[i] - 1.0) * v[i]


@dataclass(frozen=True)
class ChafeeInfante(EnergyModel):
    """E = int_0^pi 1/2 u'^2 + lam/4 (1 - u^2)^2 with u(0) = u(pi) = 0; stationary where -u'' = lam (u - u^3).

    The unknowns are the interior values of u. Three-point Laplacian, trapezoid rule.

    Parameters
    ----------
    n : int
        Interior nodes, at least 2.
    lam : float
        Positive. For k^2 < lam < (k + 1)^2 the continuous problem has exactly 2 k + 1 solutions.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    ``mass`` is h = pi / (n + 1), so gradient norms and eigenvalues are the continuum's. u = 0, the start, has the eigenvalues
    ``4 / h^2 sin^2(k h / 2) - lam``, k = 1 .. n.

    References
    ----------
    .. [1] N. Chafee, E. F. Infante, Applicable Analysis 4 (1974) 17.
    .. [2] D. B. Henry, J. Differential Equations 59 (1985) 165: which solutions are connected.
    """

    n: int
    lam: float

    kernels: ClassVar[Kernels] = Kernels(energy=_energy, energy_gradient=_energy_gradient, gradient=_gradient, hvp=_hvp)
    coercive: ClassVar[bool] = True
    start_names: ClassVar[tuple[str, ...]] = ("zero",)
    units: ClassVar[str] = "dimensionless"
    scaling: ClassVar[str] = "the interval is (0, pi)"

    def __post_init__(self) -> None:
        if not isinstance(self.n, (int, np.integer)) or self.n < 2:
            raise ValueError(f"n: got {self.n!r}, expected an integer of at least 2 (interior nodes)")
        if not (np.isfinite(self.lam) and self.lam > 0):
            raise ValueError(f"lam: got {self.lam!r}, expected a positive number")

    @property
    def dim(self) -> int:
        """Number of unknowns, n."""
        return self.n

    @property
    def field_shapes(self) -> dict[str, tuple[int, ...]]:
        """How x splits into named fields: u, (n,)."""
        return {"u": (self.n,)}

    @property
    def mass(self) -> float:
        """The inner product, h."""
        return np.pi / (self.n + 1)

    def _parameters(self) -> tuple[list[float], list[int]]:
        return [self.mass, self.lam], []

    @cached_property
    def _hessian_parts(self) -> tuple[scipy.sparse.csc_array, np.ndarray]:
        """-h Lap_h, and where its diagonal is stored, (n,)."""
        n = self.n
        laplacian = scipy.sparse.diags_array(np.array([-1.0, 2.0, -1.0]) / self.mass, offsets=[-1, 0, 1], shape=(n, n)).tocsc()
        laplacian.sort_indices()
        column = np.repeat(np.arange(n), np.diff(laplacian.indptr))
        return laplacian, np.flatnonzero(laplacian.indices == column)

    def hessian(self, x: np.ndarray) -> scipy.sparse.csc_array:
        """The Hessian at x, (n, n) sparse with sorted indices; the pattern is the same at every x."""
        constant, diagonal = self._hessian_parts
        data = constant.data.copy()
        data[diagonal] += self.mass * self.lam * (3.0 * x * x - 1.0)
        return scipy.sparse.csc_array((data, constant.indices, constant.indptr), shape=constant.shape)

    def preconditioner(self, x: np.ndarray, shift: float = 1.0) -> SineOperator:
        """M = h (-Lap_h + shift); it does not depend on x.

        Parameters
        ----------
        x : (n,) array
            Not used.
        shift : float
            Larger than -1, the lowest eigenvalue of Lap with its sign changed.
        """
        return SineOperator(dirichlet_eigenvalues(self.n, 1) / self.mass + self.mass * shift)

    @cached_property
    def symmetry(self) -> Symmetry:
        """u -> -u and u(t) -> u(pi - t); order 4."""
        index = np.arange(self.n)
        return Symmetry.generate(self.n, [(index, -1.0), (index[::-1], 1.0)])

    def default_start(self) -> np.ndarray:
        """u = 0, (n,), which is stationary."""
        return self.start("zero")

    def start(self, name: str) -> np.ndarray:
        """A named start, (n,): only ``"zero"``.

        Raises
        ------
        ValueError
            If there is no such start.
        """
        if name not in self.start_names:
            return super().start(name)
        return np.zeros(self.n)

    def unpack(self, x: np.ndarray) -> dict[str, Any]:
        """Named fields: ``kind`` "line"; ``x`` (n + 2,) coordinates in [0, pi]; ``field`` (n + 2,), u with its end values."""
        return {"kind": "line", "x": np.linspace(0.0, np.pi, self.n + 2), "field": np.pad(x, 1)}
