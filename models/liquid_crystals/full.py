"""The full Landau-de Gennes model of a confined nematic: five components of the Q-tensor, in two or three dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import scipy.sparse

from saddlescape.given import check_positive, is_number
from saddlescape.kernels import Kernels
from saddlescape.model import EnergyModel
from saddlescape.symmetry import Symmetry

from .discretisation.anchoring import as_anchoring, as_strength
from .domains.boxes import Square
from .domains.domain import Domain
from .domains.registry import as_domain
from .material import B_MBBA, C_MBBA, CLEARING, UNBOUNDED, Bulk, check_elastic, elastic_tensor, from_frank
from .states.names import state_name
from .states.reading import read_tensor

if TYPE_CHECKING:
    from .discretisation.full_box import FullBox
    from .discretisation.full_mesh import FullOnMesh

HESSIAN_LIMIT = 6000
"""In three dimensions a sparse Hessian is offered up to this many unknowns: beyond, no factorisation of it fits."""


@dataclass(frozen=True)
class LandauDeGennes(EnergyModel):
    """A confined nematic: the Landau-de Gennes energy of the full Q-tensor in two or three dimensions.

    E = int 1/2 |grad Q|^2 + L2/2 dj Qij dk Qik + L3/2 dk Qij dj Qik - 1/2 h.Q h
    + lambda2 [A/(4C) tr Q^2 - B/(6C) tr Q^3 + 1/8 (tr Q^2)^2], and the energy of weak anchoring.

    The unknowns are five components of Q in a Frobenius-orthonormal basis (see `saddlescape.models.liquid_crystals.tensors`) at the
    nodes whose values are free: ``x.reshape(5, [mz,] my, mx)`` on boxes, ``x.reshape(5, -1)`` on meshes.

    Parameters
    ----------
    n : int, or tuple of int
        Nodes along x of a box, with the others at a spacing as near to that as fits, or along every axis of it, which a shape that
        is followed in its proportions needs; per edge of a polygon, on a diameter of what is round. At least 5, with the boundary.
    lambda2 : float
        lambda-bar^2 = 2 C lambda^2 / L1, positive: the squared size of the well in units of the nematic coherence length.
    corner : float
        Distance eps from an edge where two faces ask for different directors, within which the boundary values fall linearly to
        zero.
    domain : Square, Rectangle, Cuboid, Polygon, Ellipse, Disk, Annulus, Ball, Cylinder or Mesh
        Lengths are in lambda: half edges of boxes, edges of polygons, radii. Meshes need ``saddlescape[meshes]``.
    temperature : float
        Reduced temperature 27 A C / B^2: 1 at the nematic-isotropic transition, -9 where A = -B^2 / (3 C); at most 9/8, where
        nematic order ends.
    B, C : float
        Bulk constants, positive; only B / C matters.
    L2, L3 : float
        Elastic constants in units of L1.
    anchoring : str, 3 numbers, or mapping
        What the faces want: ``"tangent"`` (horizontal and along the face), ``"homeotropic"``, ``"free"``,
        ``"planar-degenerate"``, or a director. One for all faces, where horizontal faces of a cuboid are left free by "tangent", or
        a mapping of every face to its own.
    strength : float or mapping
        W lambda / L1: infinite for strong anchoring, which fixes the boundary values; finite for weak anchoring,
        W/2 |Q - Q_b|^2 (Rapini-Papoular), or W/2 [|Q~ - P Q~ P|^2 + (|Q~|^2 - s^2)^2 / (4 s^2)] (Fournier-Galatola) for
        planar-degenerate, which is always weak. In a mapping, faces that are left out are strong.
    field : 3 numbers
        h, the scaled electric or magnetic field.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    ``mass`` holds the weights of the trapezoid rule, on meshes the lumped mass, so gradient norms and eigenvalues are the
    continuum's. Second order; with one constant the elastic part on boxes is the five- or seven-point Laplacian, on meshes that of
    linear elements. On balls, spheroids and cylinders a state that may be turned is one of a family: the mesh pins it, and its
    rotations count as nullity, see `zero_modes`. There is no elastic constant L4: the cubic term
    L4/2 Qlk dl Qij dk Qij is unbounded below [2]_.

    References
    ----------
    .. [1] M. Robinson, C. Luo, P. E. Farrell, R. Erban, A. Majumdar, Liquid Crystals 44 (2017) 2267.
    .. [2] J. M. Ball, A. Majumdar, Mol. Cryst. Liq. Cryst. 525 (2010) 1.
    .. [3] J.-B. Fournier, P. Galatola, Europhys. Lett. 72 (2005) 403.
    """

    n: int | tuple[int, ...]
    lambda2: float
    corner: float = 0.1
    domain: Domain = field(default_factory=Square)
    temperature: float = -9.0
    B: float = B_MBBA
    C: float = C_MBBA
    L2: float = 0.0
    L3: float = 0.0
    anchoring: Any = "tangent"
    strength: Any = np.inf
    field: tuple[float, float, float] = (0.0, 0.0, 0.0)

    coercive: ClassVar[bool] = True
    scaling: ClassVar[str] = "lengths in half edges lambda; lambda2 = 2 C lambda^2 / L1; L2, L3 in L1; strengths in L1 / lambda"

    def __post_init__(self) -> None:
        for name in ("lambda2", "B", "C"):
            check_positive(name, getattr(self, name))
        if not (is_number(self.temperature) and -np.inf < self.temperature <= CLEARING):
            raise ValueError(f"temperature: got {self.temperature!r}, expected at most 9/8; above, there is no nematic order")
        check_elastic(self.L2, self.L3)
        domain = as_domain(self.domain)
        object.__setattr__(self, "n", domain.check_nodes(self.n))
        domain.check_corner(self.corner)
        normals = domain.part_normals(self.n)
        anchoring = as_anchoring(self.anchoring, normals)
        object.__setattr__(self, "domain", domain)
        object.__setattr__(self, "anchoring", anchoring)
        object.__setattr__(self, "strength", as_strength(self.strength, anchoring, normals))
        domain.check_anchoring(self.n, anchoring, self.strength)
        if not (np.shape(self.field) == (3,) and np.asarray(self.field).dtype.kind in "fiu" and np.isfinite(self.field).all()):
            raise ValueError(f"field: got {self.field!r}, expected 3 finite numbers")
        object.__setattr__(self, "field", tuple(float(h) for h in self.field))

    @classmethod
    def from_constants(
        cls,
        n: int,
        size: float,
        *,
        A: float,
        B: float,
        C: float,
        L1: float,
        L2: float = 0.0,
        L3: float = 0.0,
        L4: float = 0.0,
        strength: Any = np.inf,
        **others: Any,
    ) -> LandauDeGennes:
        """The model of physical constants, in any one system of units.

        Parameters
        ----------
        n : int
            Nodes along x.
        size : float
            lambda, half of the edge along y (m).
        A, B, C : float
            Bulk constants (J/m^3): A/2 tr Q^2 - B/3 tr Q^3 + C/4 (tr Q^2)^2.
        L1, L2, L3 : float
            Elastic constants (N).
        L4 : float
            Refused unless it is zero.
        strength : float or mapping
            W (J/m^2), of weak anchoring; infinite for strong anchoring.
        **others
            Further parameters of the model.

        Raises
        ------
        ValueError
            If a constant is out of its range, or L4 is not zero.
        """
        if L4 != 0.0:
            raise ValueError(f"L4: got {L4!r}, expected 0: {UNBOUNDED}")
        for name, value in (("size", size), ("L1", L1), ("B", B), ("C", C)):
            check_positive(name, value)
        scale = size / L1
        scaled = {part: scale * value for part, value in strength.items()} if isinstance(strength, Mapping) else scale * strength
        return cls(
            n,
            2.0 * C * size**2 / L1,
            temperature=27.0 * A * C / B**2,
            B=B,
            C=C,
            L2=L2 / L1,
            L3=L3 / L1,
            strength=scaled,
            **others,
        )

    @classmethod
    def from_frank(
        cls, n: int, size: float, *, A: float, B: float, C: float, K11: float, K22: float, K33: float, **others: Any
    ) -> LandauDeGennes:
        """The model of Frank constants K11, K22, K33 (N) at the order that A, B, C give; else as `from_constants`.

        Raises
        ------
        ValueError
            If a constant is out of its range, or K33 is not K11, which would need L4.
        """
        order = Bulk.of(27.0 * A * C / B**2, B, C).order
        L1, L2, L3 = from_frank(K11, K22, K33, order)
        return cls.from_constants(n, size, A=A, B=B, C=C, L1=L1, L2=L2, L3=L3, **others)

    @cached_property
    def discrete(self) -> FullBox | FullOnMesh:
        """The energy on the nodes of the domain."""
        return self.domain.full_tensor(
            self.n,
            self.anchoring,
            self.strength,
            tensor=elastic_tensor(self.L2, self.L3),
            bulk=Bulk.of(self.temperature, self.B, self.C),
            lambda2=self.lambda2,
            field=np.array(self.field),
            corner=self.corner,
        )

    @property
    def order(self) -> float:
        """s of the nematic state Q = s (n n - I / 3) of least bulk energy."""
        return self.discrete.bulk.order

    @property
    def units(self) -> str:
        """The unit of energy."""
        return "L1 per unit height of the well" if self.domain.dimension == 2 else "L1 lambda"

    @property
    def n_nodes(self) -> int:
        """Free nodes, at which the pointwise terms are evaluated; see `saddlescape.RandomQuadrature`."""
        return math.prod(self.discrete.shape)

    @property
    def dim(self) -> int:
        """Number of unknowns, 5 for each free node."""
        return 5 * self.n_nodes

    @property
    def mass(self) -> float | np.ndarray:
        """The inner product: weights of the trapezoid rule, one number where all free nodes have the same."""
        return self.discrete.mass

    @property
    def field_shapes(self) -> dict[str, tuple[int, ...]]:
        """How x splits into named fields: Q, (5, [mz,] my, mx)."""
        return {"Q": (5, *self.discrete.shape)}

    @cached_property
    def kernels(self) -> Kernels:
        """The compiled functions: of one elastic constant, or of several."""
        return self.discrete.kernels

    def _parameters(self) -> tuple[np.ndarray, np.ndarray]:
        return self.discrete.parameters()

    @property
    def hessian(self) -> Callable[[np.ndarray], scipy.sparse.csc_array]:
        """The Hessian at x, (n, n) sparse with sorted indices; in three dimensions only up to `HESSIAN_LIMIT` unknowns."""
        if self.domain.dimension == 3 and self.dim > HESSIAN_LIMIT:
            raise AttributeError("hessian: no factorisation of so large a matrix fits")
        return self.discrete.hessian

    @property
    def zero_modes(self) -> Callable[[np.ndarray], np.ndarray]:
        """``zero_modes(x) -> (m, n)``: how rotations that keep boundary and field move x, on round domains; absent on boxes."""
        return self.discrete.zero_modes

    def preconditioner(self, x: np.ndarray, shift: float = 1.0) -> Any:
        """M = mass (-Lap_h + shift) for every component; it does not depend on x.

        Parameters
        ----------
        x : (n,) array
            Not used.
        shift : float
            Positive unless an end of each axis is fixed.
        """
        return self.discrete.preconditioner(shift)

    @cached_property
    def symmetry(self) -> Symmetry:
        """Maps of space and tensor that keep boundary and field; with one elastic constant the two are independent."""
        return self.discrete.symmetry()

    @property
    def start_names(self) -> tuple[str, ...]:
        """The names of the starts that exist for this domain and anchoring."""
        return self.discrete.start_names(self)

    def default_start(self) -> np.ndarray:
        """The first of the named starts, (n,)."""
        return self.start(self.start_names[0])

    def start(self, name: str) -> np.ndarray:
        """A named start, (n,).

        Parameters
        ----------
        name : str
            ``"wors"``, the well order reconstruction solution: on squares, and cuboids of square cross-section, whose lateral
            faces all are tangent or all are homeotropic; stationary to round-off, in a cuboid where back and front are free.
            ``"d"``, ``"r"``: order s with a harmonic director angle between lateral faces that have a horizontal director; not
            stationary. ``"uniform"``: one director.
            On meshes: ``"ring"``, ``"radial"`` or ``"symmetric"``, the stationary point with every symmetry.

        Raises
        ------
        ValueError
            If there is no such start.
        """
        if name not in self.start_names:
            return super().start(name)
        return self.discrete.start(self, name)

    def unpack(self, x: np.ndarray) -> dict[str, Any]:
        """Named fields at all nodes, boundary included.

        Returns
        -------
        dict
            ``kind`` "director"; ``x``, ``y`` and in three dimensions ``z``: coordinates; arrays with axis order [[iz,] iy, ix]:
            ``director`` (..., 3), the eigenvector of the largest eigenvalue of Q, without a sign; ``order`` and ``S`` (...), 3/2 of
            that eigenvalue, s in the bulk; ``biaxiality`` (...); ``energy_density`` (...), whose trapezoid rule is E less the
            energy of weak anchoring. In two dimensions ``defects`` (k, 3), in three ``disclinations`` (m, 4), see `reading`.
        """
        geometry, q, density = self.discrete.read(x)
        return read_tensor(q, geometry, density)

    def state_name(self, x: np.ndarray) -> str | None:
        """What the literature calls a state in the plane, None where it has no name that is known here; see `names`."""
        if self.domain.dimension != 2:
            return None
        geometry, q, _ = self.discrete.read(x)
        return state_name(self.domain, self.anchoring, q, geometry)
