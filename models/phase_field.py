"""A phase field on the periodic unit square: the Allen-Cahn, or Ginzburg-Landau, energy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import scipy.fft
import scipy.sparse
from numba import njit

from saddlescape.kernels import Kernels, kernel
from saddlescape.model import EnergyModel
from saddlescape.symmetry import Symmetry

from .spectral import FourierOperator, periodic_eigenvalues

ZERO_MODE_THRESHOLD = 1e-6
"""A translation moves a field if its generator exceeds this fraction of that of a unit wave, 2 pi."""


@njit(cache=True, nogil=True, error_model="numpy")
def _minus_laplacian_row(u, n, iy, kappa, out):
    """Row iy of out = -kappa h^2 Lap_h u on a periodic n x n grid, u (n^2,), out (n,)."""
    below, line, above = u[((iy - 1) % n) * n :][:n], u[iy * n :][:n], u[((iy + 1) % n) * n :][:n]
    out[0] = kappa * (4.0 * line[0] - line[n - 1] - line[1] - below[0] - above[0])
    for i in range(1, n - 1):
        out[i] = kappa * (4.0 * line[i] - line[i - 1] - line[i + 1] - below[i] - above[i])
    out[n - 1] = kappa * (4.0 * line[n - 1] - line[n - 2] - line[0] - below[n - 1] - above[n - 1])


# Where no weights are given, numba leaves out the branches that ask for them: the same source compiles to the plain derivatives,
# inlined by force, because a call in between costs a tenth on small grids.
@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _weighted_gradient(x, params, weights, out):
    """dE/dx, the local term at each node times its weight (n^2,); None: all are one."""
    kappa, h2, n = params[0][0], params[0][1], params[1][0]
    for iy in range(n):
        line, result = x[iy * n :][:n], out[iy * n :][:n]
        _minus_laplacian_row(x, n, iy, kappa, result)
        for i in range(n):
            area = h2 if weights is None else h2 * weights[iy * n + i]
            result[i] += area * (line[i] * line[i] - 1.0) * line[i]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _weighted_hvp(x, v, params, weights, out):
    """H(x) v, weighted as the gradient."""
    kappa, h2, n = params[0][0], params[0][1], params[1][0]
    for iy in range(n):
        line, other, result = x[iy * n :][:n], v[iy * n :][:n], out[iy * n :][:n]
        _minus_laplacian_row(v, n, iy, kappa, result)
        for i in range(n):
            area = h2 if weights is None else h2 * weights[iy * n + i]
            result[i] += area * (3.0 * line[i] * line[i] - 1.0) * other[i]


@kernel("gradient")
def _gradient(x, params, out):
    _weighted_gradient(x, params, None, out)


# The order of this one sum is left to the compiler: in vector registers it is four times faster.
@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc"})
def _energy_from_gradient(x, gradient, params):
    """E(x): g.x holds the quadratic part twice and the quartic one four times, which leaves (h^2 / 4) (1 - phi^4)."""
    quarter = 0.25 * params[0][1]
    energy = 0.0
    for i in range(x.size):
        square = x[i] * x[i]
        energy += 0.5 * gradient[i] * x[i] + quarter * (1.0 - square * square)
    return energy


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    _gradient(x, params, out)
    return _energy_from_gradient(x, out, params)


@kernel("energy")
def _energy(x, params):
    return _energy_gradient(x, params, np.empty_like(x))


@kernel("hvp")
def _hvp(x, v, params, out):
    _weighted_hvp(x, v, params, None, out)


@kernel("weighted_gradient")
def _weighted_gradient_kernel(x, params, weights, out):
    _weighted_gradient(x, params, weights, out)


@kernel("weighted_hvp")
def _weighted_hvp_kernel(x, v, params, weights, out):
    _weighted_hvp(x, v, params, weights, out)


@dataclass(frozen=True)
class PhaseField(EnergyModel):
    """A phase field on the periodic unit square: E = int kappa/2 |grad phi|^2 + (1 - phi^2)^2 / 4.

    The unknowns are the nodal values of phi, axis order [iy, ix], row-major: ``x.reshape(n, n)``. Five-point Laplacian.

    Parameters
    ----------
    n : int
        Nodes per edge, at least 4.
    kappa : float
        Positive; sqrt(kappa) is the width of an interface.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    ``mass`` is h^2, so gradient norms and eigenvalues are the continuum's. phi = 0 has as Morse index the number of (p, q) with
    ``kappa 4 / h^2 (sin^2(pi p / n) + sin^2(pi q / n)) < 1``. Named starts: ``"zero"`` and ``"one"``, both stationary.

    References
    ----------
    .. [1] S. M. Allen, J. W. Cahn, Acta Metallurgica 27 (1979) 1085.
    """

    n: int
    kappa: float

    kernels: ClassVar[Kernels] = Kernels(
        energy=_energy,
        energy_gradient=_energy_gradient,
        gradient=_gradient,
        hvp=_hvp,
        weighted_gradient=_weighted_gradient_kernel,
        weighted_hvp=_weighted_hvp_kernel,
    )
    coercive: ClassVar[bool] = True
    start_names: ClassVar[tuple[str, ...]] = ("zero", "one")
    units: ClassVar[str] = "dimensionless"
    scaling: ClassVar[str] = "lengths in the edge of the square; phi = +-1 in the pure phases"

    def __post_init__(self) -> None:
        if not isinstance(self.n, (int, np.integer)) or self.n < 4:
            raise ValueError(f"n: got {self.n!r}, expected an integer of at least 4 (nodes per edge)")
        if not (np.isfinite(self.kappa) and self.kappa > 0):
            raise ValueError(f"kappa: got {self.kappa!r}, expected a positive number")

    @property
    def dim(self) -> int:
        """Number of unknowns, n^2."""
        return self.n**2

    @property
    def n_nodes(self) -> int:
        """Nodes at which the local term is evaluated, n^2; see `saddlescape.RandomQuadrature`."""
        return self.n**2

    @property
    def field_shapes(self) -> dict[str, tuple[int, ...]]:
        """How x splits into named fields: phi, (n, n)."""
        return {"phi": (self.n, self.n)}

    @property
    def mass(self) -> float:
        """The inner product, h^2."""
        return 1.0 / self.n**2

    def _parameters(self) -> tuple[list[float], list[int]]:
        return [self.kappa, self.mass], [self.n]

    @cached_property
    def _hessian_parts(self) -> tuple[scipy.sparse.csc_array, np.ndarray]:
        """-kappa h^2 Lap_h, and where its diagonal is stored, (n^2,)."""
        n = self.n
        line = scipy.sparse.diags_array([-1.0, -1.0, 2.0, -1.0, -1.0], offsets=[1 - n, -1, 0, 1, n - 1], shape=(n, n))
        laplacian = (self.kappa * scipy.sparse.kronsum(line, line)).tocsc()
        laplacian.sort_indices()
        column = np.repeat(np.arange(n * n), np.diff(laplacian.indptr))
        return laplacian, np.flatnonzero(laplacian.indices == column)

    def hessian(self, x: np.ndarray) -> scipy.sparse.csc_array:
        """The Hessian at x, (n, n) sparse with sorted indices; the pattern is the same at every x."""
        constant, diagonal = self._hessian_parts
        data = constant.data.copy()
        data[diagonal] += self.mass * (3.0 * x * x - 1.0)
        return scipy.sparse.csc_array((data, constant.indices, constant.indptr), shape=constant.shape)

    def preconditioner(self, x: np.ndarray, shift: float = 1.0) -> FourierOperator:
        """M = h^2 (-kappa Lap_h + shift); it does not depend on x.

        Parameters
        ----------
        x : (n,) array
            Not used.
        shift : float
            Positive. The curvature of the wells is 2, that of the barrier between them -1.
        """
        return FourierOperator(self.kappa * periodic_eigenvalues(self.n) + self.mass * shift, self.n)

    @cached_property
    def symmetry(self) -> Symmetry:
        """Translations of the grid, the symmetries of the square torus, and phi -> -phi."""
        n = self.n
        index = np.arange(n * n).reshape(n, n)
        mirrored = index[:, -np.arange(n) % n]  # node 0 stays: the lattice is mapped to itself
        return Symmetry.generate(n * n, [(mirrored.ravel(), 1.0), (index.T.ravel(), 1.0), (index.ravel(), -1.0)], grid=(n, n))

    def zero_modes(self, x: np.ndarray) -> np.ndarray:
        """The directions in which translations move x, (m, n), m <= 2, orthonormal in the mass inner product.

        They are derivatives of the trigonometric interpolant, because translating it by a fraction of the spacing leads from one
        discrete stationary state to another up to an error that vanishes exponentially with refinement. A uniform field has
        none, a field that varies along one direction has one (singular values of the two derivatives above
        `ZERO_MODE_THRESHOLD` times 2 pi, that is, relative to a wave between the two phases).
        """
        n = self.n
        spectrum = scipy.fft.rfft2(x.reshape(n, n))
        wave = 2j * np.pi * scipy.fft.fftfreq(n, 1.0 / n)
        if n % 2 == 0:
            wave[n // 2] = 0.0  # the shortest wave of a real field has no direction to move in
        along_x = scipy.fft.irfft2(spectrum * wave[: n // 2 + 1], s=(n, n))
        along_y = scipy.fft.irfft2(spectrum * wave[:, None], s=(n, n))
        generators = np.stack([along_x.ravel(), along_y.ravel()])
        _, sizes, modes = np.linalg.svd(generators / n, full_matrices=False)
        return n * modes[sizes > ZERO_MODE_THRESHOLD * 2.0 * np.pi]

    def default_start(self) -> np.ndarray:
        """phi = 0, (n,)."""
        return self.start("zero")

    def start(self, name: str) -> np.ndarray:
        """A named start, (n,).

        Parameters
        ----------
        name : {"zero", "one"}
            The uniform field of that value; both are stationary.

        Raises
        ------
        ValueError
            If there is no such start.
        """
        if name not in self.start_names:
            return super().start(name)
        return np.full(self.dim, float(name == "one"))

    def unpack(self, x: np.ndarray) -> dict[str, Any]:
        """Named fields: ``kind`` "scalar"; ``x``, ``y`` (n,) coordinates in [0, 1); ``field`` (n, n), axis order [iy, ix]."""
        nodes = np.arange(self.n) / self.n
        return {"kind": "scalar", "x": nodes, "y": nodes.copy(), "field": x.reshape(self.n, self.n).copy()}
