"""The reduced Landau-de Gennes model of a nematic in a two-dimensional well."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import scipy.sparse

from saddlescape.given import check_positive, is_number
from saddlescape.kernels import Kernels
from saddlescape.model import EnergyModel
from saddlescape.symmetry import Symmetry

from .discretisation.boundary import Anchoring, as_anchoring
from .domains.boxes import Square
from .domains.domain import Domain
from .domains.registry import as_domain
from .states.names import state_name
from .states.reading import embedded, read_planar

ORDER = 0.64e4 / (2 * 0.35e4)
"""c = B / (2 C), the equilibrium |P| of MBBA-like constants B = 0.64e4, C = 0.35e4 N/m^2."""


@dataclass(frozen=True)
class ReducedLandauDeGennes(EnergyModel):
    """A nematic in a two-dimensional well: E = int 1/2 |grad P|^2 + lambda2/4 (|P|^2 - c^2)^2 and anchoring at the boundary.

    P = (P11, P12) is the part of the Q-tensor in the plane, Q = [[P11 - q, P12, 0], [P12, -P11 - q, 0], [0, 0, 2 q]] with
    q = -B / (6 C) frozen. The unknowns are the values of P at the N free nodes, ``x.reshape(2, N)``. On a square with strong
    anchoring: five-point Laplacian, trapezoid rule, ``x.reshape(2, n - 2, n - 2)``, axis order [component, iy, ix]. On meshes:
    linear elements, everything local lumped at the nodes. On disks and annuli ``x.reshape(2, rings, -1)`` along circles, P in axes
    that turn with the radius where the boundary data do.

    Parameters
    ----------
    n : int, or tuple of int
        Nodes per edge, boundary included, at least 5, of a rectangle along x, or along x and y; of domains without edges see there.
    lambda2 : float
        lambda-bar^2 = 2 C lambda^2 / L, positive: the squared unit of length in nematic coherence lengths.
    corner : float
        Distance eps from a corner within which the boundary data change linearly to the mean of what the two edges ask for: zero
        on a square; 0 < eps <= half an edge.
    domain : Domain
        The well: `Square`, [-1, 1]^2 in half edges lambda, or a shape on a mesh.
    anchoring : str, float, or mapping of str to these
        "tangent", "homeotropic" or "free", or the angle in radians of a director that is the same everywhere; for the whole
        boundary or for each part of it.
    strength : float
        W lambda / L, positive: infinite for strong anchoring, P = P_b at the boundary; else weak (Rapini-Papoular), with the
        energy int W/2 |P - P_b|^2 along it, halved as the elastic term is.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    ImportError
        If a domain with a mesh asks for packages that are not installed.

    Notes
    -----
    ``mass`` is the area that belongs to each node, so gradient norms and eigenvalues are the continuum's. Named starts of the
    square: ``"wors"``, the well order reconstruction solution, stationary to round-off; ``"d"`` and ``"r"``, harmonic guesses of
    a diagonal and a rotated state. Of shapes: ``"ring"``, the state with every symmetry, stationary to round-off; ``"uniform"``,
    the director along x, not stationary. Of meshes from files: ``"harmonic"`` and ``"uniform"``.

    References
    ----------
    .. [1] M. Robinson, C. Luo, P. E. Farrell, R. Erban, A. Majumdar, Liquid Crystals 44 (2017) 2267.
    .. [2] J. Yin, Y. Wang, J. Z. Y. Chen, P. Zhang, L. Zhang, Phys. Rev. Lett. 124 (2020) 090601.
    .. [3] Y. Han, A. Majumdar, L. Zhang, SIAM J. Appl. Math. 80 (2020) 1678: regular polygons.
    .. [4] A. Rapini, M. Papoular, J. Phys. Colloques 30 (1969) C4-54.
    """

    n: int | tuple[int, ...]
    lambda2: float
    corner: float = 0.1
    domain: Domain = field(default_factory=Square)
    anchoring: Anchoring = "tangent"
    strength: float = np.inf

    coercive: ClassVar[bool] = True
    units: ClassVar[str] = "2 L per unit height of the well"
    scaling: ClassVar[str] = (
        "lengths in half edges lambda of a square, edges of a polygon, radii of a disk, units of a mesh file; "
        "lambda2 = 2 C lambda^2 / L; |P| = B / (2 C) in the bulk"
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "domain", as_domain(self.domain))
        object.__setattr__(self, "anchoring", as_anchoring(self.anchoring))
        object.__setattr__(self, "n", self.domain.check_nodes(self.n))
        check_positive("lambda2", self.lambda2)
        self.domain.check_corner(self.corner)
        if not (is_number(self.strength) and self.strength > 0):
            raise ValueError(f"strength: got {self.strength!r}, expected a positive number, or inf for strong anchoring")
        self._form  # noqa: B018 - what the domain refuses is refused here

    @cached_property
    def _form(self) -> Any:
        """The model on its domain: `ReducedOnGrid` or `ReducedOnMesh`."""
        return self.domain.reduced(self, ORDER)

    @property
    def kernels(self) -> Kernels:
        """The compiled functions of the discretisation."""
        return self._form.kernels

    @property
    def start_names(self) -> tuple[str, ...]:
        """The named starts of the domain, the default first."""
        return self._form.start_names

    @property
    def interior(self) -> int:
        """Interior nodes per edge of a square, m = n - 2."""
        return self.n - 2

    @property
    def dim(self) -> int:
        """Number of unknowns, two for each free node."""
        return 2 * self.n_nodes

    @property
    def n_nodes(self) -> int:
        """Free nodes, at which the local term is evaluated; see `saddlescape.RandomQuadrature`."""
        return math.prod(self._form.shape)

    @property
    def field_shapes(self) -> dict[str, tuple[int, ...]]:
        """How x splits into named fields: P, (2, ...)."""
        return {"P": (2, *self._form.shape)}

    @property
    def mass(self) -> float | np.ndarray:
        """The inner product: h^2 on a grid, lumped mass (n,) on a mesh."""
        return self._form.mass

    def _parameters(self) -> tuple[Any, Any]:
        return self._form.parameters()

    def hessian(self, x: np.ndarray) -> scipy.sparse.csc_array:
        """The Hessian at x, (n, n) sparse with sorted indices; the pattern is the same at every x."""
        return self._form.hessian(x)

    def preconditioner(self, x: np.ndarray, shift: float = 1.0) -> Any:
        """M = -Laplacian + shift times the mass for both components; it does not depend on x.

        Parameters
        ----------
        x : (n,) array
            Not used.
        shift : float
            1 served best with Barzilai-Borwein steps at lambda2 = 7 and 30; fixed steps near 1 need 2 lambda2 c^2 to be stable.
        """
        return self._form.preconditioner(shift)

    @property
    def symmetry(self) -> Symmetry:
        """The maps of the domain with the maps of P that keep the boundary data; order 16 on the square, 12 on the hexagon."""
        return self._form.symmetry

    @property
    def zero_modes(self) -> Callable[[np.ndarray], np.ndarray]:
        """``zero_modes(x) -> (m, n)``: how a rotation moves x, on disks and annuli; absent on other domains."""
        return self._form.zero_modes

    def default_start(self) -> np.ndarray:
        """The first of `start_names`, (n,): the state with every symmetry where the domain has any."""
        return self.start(self.start_names[0])

    def start(self, name: str) -> np.ndarray:
        """The start called ``name``, (n,), one of `start_names`.

        Raises
        ------
        ValueError
            If there is no such start.
        """
        return self._form.start(self, name) if name in self.start_names else super().start(name)

    def unpack(self, x: np.ndarray) -> dict[str, Any]:
        """Named fields at all nodes, boundary included.

        Returns
        -------
        dict
            ``kind`` "director"; on a grid ``x``, ``y`` (n,) coordinates, and arrays of shape (n, n), axis order [iy, ix]; on a mesh
            ``nodes`` (N, 2), ``triangles`` (T, 3), and arrays of shape (N,). ``director`` (..., 2), unit vectors without a sign;
            ``order`` (...), |P|, c in the bulk and 0 in a defect; ``S`` (...), 3/2 of the largest in-plane eigenvalue of Q,
            B / C in the bulk; ``biaxiality`` (...); ``energy_density`` (...), whose integral by the weights of the nodes is E, less
            weak anchoring; ``defects`` (k, 3), rows x, y, charge.
        """
        geometry, fields, density = self._form.fields(x)
        return read_planar(fields, -ORDER / 3.0, geometry, density)

    def state_name(self, x: np.ndarray) -> str | None:
        """What the literature calls a state, None where it has no name that is known here; see `names`."""
        geometry, fields, _ = self._form.fields(x)
        return state_name(self.domain, self.anchoring, embedded(fields, -ORDER / 3.0), geometry)
