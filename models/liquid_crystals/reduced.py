"""The reduced Landau-de Gennes model of a nematic in a two-dimensional well."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import scipy.sparse

from saddlescape.kernels import Kernels
from saddlescape.model import EnergyModel
from saddlescape.symmetry import Symmetry

from ..spectral import SineOperator, dirichlet_eigenvalues
from .boxes import Square
from .domains import as_domain
from .names import square_name
from .reading import read_planar
from .reduced_kernels import REDUCED
from .symmetric import symmetric_minimum

ORDER = 0.64e4 / (2 * 0.35e4)
"""c = B / (2 C), the equilibrium |P| of MBBA-like constants B = 0.64e4, C = 0.35e4 N/m^2."""


@dataclass(frozen=True)
class ReducedLandauDeGennes(EnergyModel):
    """A nematic in a two-dimensional well: E = int 1/2 |grad P|^2 + lambda2/4 (|P|^2 - c^2)^2 with tangent strong anchoring.

    P = (P11, P12) is the part of the Q-tensor in the plane, Q = [[P11 - q, P12, 0], [P12, -P11 - q, 0], [0, 0, 2 q]] with
    q = -B / (6 C) frozen. The unknowns are the interior values of P, axis order [component, iy, ix], row-major:
    ``x.reshape(2, n - 2, n - 2)``. Five-point Laplacian, trapezoid rule.

    Parameters
    ----------
    n : int
        Nodes per edge, boundary included; at least 5.
    lambda2 : float
        lambda-bar^2 = 2 C lambda^2 / L, positive: the squared size of the well in units of the nematic coherence length.
    corner : float
        Distance eps from a corner within which the boundary data fall linearly to zero, 0 < eps <= 1.
    domain : Square
        The well. The square is [-1, 1]^2: lengths are in half edges lambda.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    ``mass`` is h^2, so gradient norms and eigenvalues are the continuum's. Named starts: ``"wors"``, the well order
    reconstruction solution, stationary to round-off; ``"d"`` and ``"r"``, harmonic guesses of a diagonal and a rotated state.

    References
    ----------
    .. [1] M. Robinson, C. Luo, P. E. Farrell, R. Erban, A. Majumdar, Liquid Crystals 44 (2017) 2267.
    .. [2] J. Yin, Y. Wang, J. Z. Y. Chen, P. Zhang, L. Zhang, Phys. Rev. Lett. 124 (2020) 090601.
    """

    n: int
    lambda2: float
    corner: float = 0.1
    domain: Square = field(default_factory=Square)

    kernels: ClassVar[Kernels] = REDUCED
    coercive: ClassVar[bool] = True
    start_names: ClassVar[tuple[str, ...]] = ("wors", "d", "r")
    units: ClassVar[str] = "2 L per unit height of the well"
    scaling: ClassVar[str] = "lengths in half edges lambda of the square; lambda2 = 2 C lambda^2 / L; |P| = B / (2 C) in the bulk"

    def __post_init__(self) -> None:
        if not isinstance(self.n, (int, np.integer)) or self.n < 5:
            raise ValueError(f"n: got {self.n!r}, expected an integer of at least 5 (nodes per edge, boundary included)")
        if not (np.isfinite(self.lambda2) and self.lambda2 > 0):
            raise ValueError(f"lambda2: got {self.lambda2!r}, expected a positive number")
        if not 0 < self.corner <= 1:
            raise ValueError(f"corner: got {self.corner!r}, expected a length in (0, 1], in half edges")
        object.__setattr__(self, "domain", as_domain(self.domain))

    @property
    def interior(self) -> int:
        """Interior nodes per edge, m = n - 2."""
        return self.n - 2

    @property
    def dim(self) -> int:
        """Number of unknowns, 2 m^2."""
        return 2 * self.interior**2

    @property
    def n_nodes(self) -> int:
        """Interior nodes, m^2, at which the local term is evaluated; see `saddlescape.RandomQuadrature`."""
        return self.interior**2

    @property
    def field_shapes(self) -> dict[str, tuple[int, ...]]:
        """How x splits into named fields: P, (2, m, m)."""
        return {"P": (2, self.interior, self.interior)}

    @property
    def mass(self) -> float:
        """The inner product, h^2."""
        return self.domain.spacing(self.n) ** 2

    @cached_property
    def _boundary(self) -> np.ndarray:
        return ORDER * self.domain.boundary(self.n, self.corner)

    @cached_property
    def _weights(self) -> np.ndarray:
        """Weights of the trapezoid rule at the nodes, (n, n)."""
        line = np.full(self.n, self.domain.spacing(self.n))
        line[[0, -1]] *= 0.5
        return np.outer(line, line)

    def _parameters(self) -> tuple[np.ndarray, list[int]]:
        boundary = self._boundary
        pull = boundary[:, 1:-1, :-2] + boundary[:, 1:-1, 2:] + boundary[:, :-2, 1:-1] + boundary[:, 2:, 1:-1]
        zero_energy = float((self._weights * self._density(boundary)).sum())
        return np.concatenate([[self.mass, self.lambda2, ORDER**2, zero_energy], pull.ravel()]), [self.interior]

    def _density(self, fields: np.ndarray) -> np.ndarray:
        """Energy density at the nodes, (n, n), of P (2, n, n), boundary included; the trapezoid rule over it is E."""
        h = self.domain.spacing(self.n)
        squares = _squared_slope(fields, h) + _squared_slope(fields.swapaxes(1, 2), h).T
        return 0.5 * squares + 0.25 * self.lambda2 * ((fields**2).sum(axis=0) - ORDER**2) ** 2

    @cached_property
    def _hessian_parts(self) -> tuple[scipy.sparse.csc_array, np.ndarray]:
        """The Hessian at P = 0 less its bulk part, and where its local 2 x 2 blocks are stored, (2, 2, m^2)."""
        m = self.interior
        line = scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(m, m))
        laplacian = scipy.sparse.kronsum(line, line)
        # Numbers that no sum can cancel keep every entry of the local blocks in the pattern and say where it ends up.
        area = m * m
        blocks = scipy.sparse.kron(np.ones((2, 2)), scipy.sparse.eye_array(area))
        pattern = (scipy.sparse.kron(np.eye(2), laplacian) + 8.0 * blocks).tocsc()
        pattern.sort_indices()
        column = np.repeat(np.arange(2 * area), np.diff(pattern.indptr))
        local = np.flatnonzero((pattern.indices - column) % area == 0)
        places = np.empty((2, 2, area), dtype=np.intp)
        places[pattern.indices[local] // area, column[local] // area, column[local] % area] = local
        pattern.data[local] -= 8.0
        return pattern, places

    def hessian(self, x: np.ndarray) -> scipy.sparse.csc_array:
        """The Hessian at x, (n, n) sparse with sorted indices; the pattern is the same at every x."""
        constant, places = self._hessian_parts
        p, q = x.reshape(2, -1)
        scale = self.mass * self.lambda2
        bulk = scale * (p * p + q * q - ORDER**2)
        data = constant.data.copy()
        data[places[0, 0]] += bulk + 2.0 * scale * p * p
        data[places[1, 1]] += bulk + 2.0 * scale * q * q
        data[places[0, 1]] = data[places[1, 0]] = 2.0 * scale * p * q
        return scipy.sparse.csc_array((data, constant.indices, constant.indptr), shape=constant.shape)

    def preconditioner(self, x: np.ndarray, shift: float = 1.0) -> SineOperator:
        """M = h^2 (-Lap_h + shift) for both components; it does not depend on x.

        Parameters
        ----------
        x : (n,) array
            Not used.
        shift : float
            1 served best with Barzilai-Borwein steps at lambda2 = 7 and 30; fixed steps near 1 need 2 lambda2 c^2 to be stable.
        """
        return SineOperator(dirichlet_eigenvalues(self.interior, 2) + self.mass * shift)

    @cached_property
    def symmetry(self) -> Symmetry:
        """The symmetries of the domain and the internal flip P12 -> -P12; order 16 on the square."""
        return Symmetry.generate(self.dim, self.domain.symmetries(self.interior))

    def default_start(self) -> np.ndarray:
        """The well order reconstruction solution, (n,)."""
        return self.start("wors")

    def start(self, name: str) -> np.ndarray:
        """A named start, (n,).

        Parameters
        ----------
        name : {"wors", "d", "r"}
            ``"wors"``: stationary to round-off. ``"d"``, ``"r"``: |P| = c with a harmonic director angle, not stationary.

        Raises
        ------
        ValueError
            If there is no such start.
        """
        if name == "wors":
            return self._wors.copy()
        if name in self.start_names:
            angle = self._harmonic(self.domain.angle(self.n, name))
            return ORDER * np.concatenate([np.cos(2.0 * angle), np.sin(2.0 * angle)], axis=None)
        return super().start(name)

    @cached_property
    def _wors(self) -> np.ndarray:
        # |y| - |x| is positive towards the horizontal edges and changes sign across the diagonals, in the width of a domain wall.
        t = self.domain.nodes(self.n)[1:-1]
        distance = (np.abs(t[:, None]) - np.abs(t[None, :])) / np.sqrt(2.0)
        wall = ORDER * np.tanh(np.sqrt(0.5 * self.lambda2) * ORDER * distance)
        return symmetric_minimum(self, np.concatenate([wall, np.zeros_like(wall)], axis=None))

    def _harmonic(self, boundary: np.ndarray) -> np.ndarray:
        """The discrete harmonic function (m, m) with boundary values (n, n)."""
        pull = boundary[1:-1, :-2] + boundary[1:-1, 2:] + boundary[:-2, 1:-1] + boundary[2:, 1:-1]
        return SineOperator(dirichlet_eigenvalues(self.interior, 2)).solve(pull.ravel()).reshape(pull.shape)

    def unpack(self, x: np.ndarray) -> dict[str, Any]:
        """Named fields at all nodes, boundary included.

        Returns
        -------
        dict
            ``kind`` "director"; ``x``, ``y`` (n,) coordinates; ``director`` (n, n, 2), unit vectors without a sign, axis order
            [iy, ix, component]; ``order`` (n, n), |P|, c in the bulk and 0 in a defect; ``S`` (n, n), 3/2 of the largest
            in-plane eigenvalue of Q, B / C in the bulk; ``biaxiality`` (n, n); ``energy_density`` (n, n), whose trapezoid rule
            is E; ``defects`` (k, 3), rows x, y, charge.
        """
        fields, nodes = self._with_boundary(x), self.domain.nodes(self.n)
        return read_planar(fields, -ORDER / 3.0, {"x": nodes, "y": nodes.copy()}, self._density(fields))

    def state_name(self, x: np.ndarray) -> str | None:
        """What the literature calls a state: "WORS", "D", "R", "BD"; None for all others."""
        return square_name(self._with_boundary(x))

    def _with_boundary(self, x: np.ndarray) -> np.ndarray:
        """P (2, n, n) at all nodes."""
        fields = self._boundary.copy()
        fields[:, 1:-1, 1:-1] = x.reshape(2, self.interior, self.interior)
        return fields


def _squared_slope(fields: np.ndarray, h: float) -> np.ndarray:
    """|dP/dx|^2 at the nodes (n, n) of P (2, n, n) along the last axis: the mean over the one or two links of each node."""
    links = (np.diff(fields) ** 2).sum(axis=0) / h**2
    padded = np.pad(links, ((0, 0), (1, 1)), mode="edge")
    return 0.5 * (padded[:, :-1] + padded[:, 1:])
