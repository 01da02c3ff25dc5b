"""The reduced model on a mesh: linear elements, lumped bulk and surface terms."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.fft
import scipy.sparse

from saddlescape.kernels import Kernels
from saddlescape.symmetry import Symmetry

from ..kernels.mesh_kernels import REDUCED_ON_MESH, pack
from .boundary import kinds_by_part, nodal_data, planar_axes
from .elements import Elements
from .factorised import FactorisedOperator
from .hessians import LocalHessian, quartic_blocks
from .mesh_symmetry import rotation_of_rings
from .symmetric import symmetric_minimum

if TYPE_CHECKING:
    from ..reduced import ReducedLandauDeGennes

SAME = 1e-9  # boundary data of size one that differ by less are the same


class ReducedOnMesh:
    """Any anchoring on a mesh of a plane domain; the nodes without strong anchoring are free.

    P is kept as a complex number P11 + i P12. On a mesh of rings whose boundary data turn with the rings it is kept in axes that
    turn as well, so that a rotation of the disk is a shift along each ring.

    Parameters
    ----------
    domain : Domain
        For the names of its starts, and its angles at the boundary.
    mesh : Elements
    model : ReducedLandauDeGennes
        Its parameters.
    order : float
        c.

    Raises
    ------
    ValueError
        If the mesh is not of a plane domain, or the anchoring does not fit the parts of its boundary or leaves all of it free.
    """

    kernels: Kernels = REDUCED_ON_MESH

    def __init__(self, domain: Any, mesh: Elements, model: ReducedLandauDeGennes, order: float):
        self.domain, self.n, self.mesh, self.lambda2, self.order = domain, model.n, mesh, model.lambda2, order
        strength = model.strength
        if mesh.dimension != 2:
            raise ValueError("domain: got a mesh in space, expected a plane domain: the reduced model has its director in a plane")
        kinds = {part: kind for part, kind in kinds_by_part(model.anchoring, mesh.parts).items() if kind != "free"}
        if not kinds:
            raise ValueError(
                "anchoring: the whole boundary is free, so that any uniform director is a solution; anchor a part of it, "
                "weakly (strength=...) if it must be"
            )
        # Guesses by the angle at the boundary are of a director that keeps one angle to it.
        angled = len(set(kinds.values())) == 1 and not isinstance(next(iter(kinds.values())), float)
        self.start_names = domain.start_names if angled else domain.start_names[:2]
        axes = {part: planar_axes(kind, mesh.parts[part].normals) for part, kind in kinds.items()}
        nodes, data = nodal_data(mesh, axes, model.corner)
        n_nodes = len(mesh.nodes)
        self._anchored = nodes
        self._data = np.zeros(n_nodes, complex)
        self._data[nodes] = order * (data[:, 0] + 1j * data[:, 1])
        fixed = np.zeros(n_nodes, bool)
        fixed[nodes] = np.isinf(strength)
        self.free = np.flatnonzero(~fixed)
        self._surface = np.zeros(n_nodes)  # strength of weak anchoring times length
        if np.isfinite(strength):
            self._surface = strength * sum(mesh.surface_weights(part) for part in kinds)
        self._elastic = mesh.stiffness + scipy.sparse.diags_array(self._surface)
        self._turns = self._axes()
        self.shape = (self.free.size,) if mesh.ring is None else (self.free.size // mesh.ring, mesh.ring)

    def _axes(self) -> np.ndarray:
        """What turns P from the axes of each node into those of the laboratory, numbers of modulus 1, (N,)."""
        turns = np.ones(len(self.mesh.nodes), complex)
        if self.mesh.ring is None:
            return turns
        radial = self.mesh.nodes[:, 0] + 1j * self.mesh.nodes[:, 1]
        turning = (radial / np.abs(radial)) ** 2
        return turning if self._even_on_rings(turning) else turns

    def _even_on_rings(self, turns: np.ndarray) -> bool:
        """Whether the boundary data, in axes given by the turns (N,), are constant along each ring."""
        local = (turns.conj() * self._data).reshape(-1, self.mesh.ring)
        return bool(np.abs(local - local[:, :1]).max() < SAME)

    @property
    def _rotates(self) -> bool:
        """Whether shifts along the rings leave the energy as it is."""
        return self.mesh.ring is not None and self._even_on_rings(self._turns)

    @cached_property
    def mass(self) -> np.ndarray:
        """Lumped mass of both components, (n,)."""
        return np.tile(self.mesh.weights[self.free], 2)

    @cached_property
    def _matrix(self) -> scipy.sparse.csr_array:
        """The elastic form of the free nodes in their own axes, (N, N), complex where these differ."""
        matrix = self._elastic[self.free][:, self.free].tocsr()
        matrix.sort_indices()
        turns = self._turns[self.free]
        if (turns == 1.0).all():
            return matrix
        rows = np.repeat(np.arange(self.free.size), np.diff(matrix.indptr))
        data = matrix.data * turns[rows].conj() * turns[matrix.indices]
        return scipy.sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)

    def parameters(self) -> tuple[np.ndarray, np.ndarray]:
        """The parameters of the kernels."""
        fixed = self._data.copy()
        fixed[self.free] = 0.0
        pull = self._turns.conj() * (self._surface * self._data - self._elastic @ fixed)
        density = 0.25 * self.lambda2 * (np.abs(fixed) ** 2 - self.order**2) ** 2
        zero_energy = 0.5 * np.vdot(fixed, self.mesh.stiffness @ fixed).real + self.mesh.weights @ density
        zero_energy += 0.5 * self._surface @ np.abs(self._data) ** 2
        pull = pull[self.free]
        weights = self.mesh.weights[self.free]
        return pack(self._matrix, weights, np.stack([pull.real, pull.imag]), self.lambda2, self.order**2, zero_energy)

    @cached_property
    def _hessian(self) -> LocalHessian:
        real, imaginary = self._matrix.real, self._matrix.imag
        return LocalHessian(scipy.sparse.block_array([[real, -imaginary], [imaginary, real]]), 2)

    def hessian(self, x: np.ndarray) -> scipy.sparse.csc_array:
        """The Hessian at x."""
        scale = self.lambda2 * self.mesh.weights[self.free]
        return self._hessian.at(quartic_blocks(x.reshape(2, -1), scale, self.order**2))

    def preconditioner(self, shift: float) -> FactorisedOperator:
        """The elastic form and ``shift`` times the lumped mass, factorised."""
        matrix = self._elastic[self.free][:, self.free] + scipy.sparse.diags_array(shift * self.mesh.weights[self.free])
        turns = self._turns[self.free]
        axes = np.array([[turns.real, -turns.imag], [turns.imag, turns.real]]).transpose(2, 0, 1)
        return FactorisedOperator(matrix, None if (turns == 1.0).all() else axes)

    @cached_property
    def symmetry(self) -> Symmetry:
        """The maps of the domain, each with every orthogonal map of P that then keeps the boundary data.

        The one-constant energy does not couple P to space, so any will do; data along one axis leave two.
        """
        n_nodes = len(self.mesh.nodes)
        maps = Symmetry.generate(n_nodes, [(permutation, 1.0) for permutation, _ in self.mesh.generators])
        place = np.full(n_nodes, -1)
        place[self.free] = np.arange(self.free.size)
        generators = []
        for permutation in maps.permutations:
            if not self._keeps_the_surface(permutation):
                continue
            for matrix in self._turning(self._data, self._data[permutation]):
                local = self._in_own_axes(matrix, permutation)
                if local is not None:
                    generators.append((place[permutation[self.free]], local))
        return Symmetry.generate(2 * self.free.size, generators, (self.mesh.ring,) if self._rotates else None)

    def _keeps_the_surface(self, permutation: np.ndarray) -> bool:
        fixed = np.ones(permutation.size, bool)
        fixed[self.free] = False
        same = np.abs(self._surface[permutation] - self._surface).max() <= SAME * (1.0 + self._surface.max())
        return bool(same and (fixed[permutation] == fixed).all())

    def _turning(self, data: np.ndarray, moved: np.ndarray) -> list[np.ndarray]:
        """The orthogonal matrices (2, 2) that turn the moved data (N,) into the data: none, one, or two."""
        pairs, moved_pairs = np.stack([data.real, data.imag]), np.stack([moved.real, moved.imag])
        left, sizes, right = np.linalg.svd(pairs @ moved_pairs.T)
        candidates = [left @ right] + ([left @ np.diag([1.0, -1.0]) @ right] if sizes[1] < SAME * sizes[0] else [])
        return [matrix for matrix in candidates if np.abs(matrix @ moved_pairs - pairs).max() < SAME]

    def _in_own_axes(self, matrix: np.ndarray, permutation: np.ndarray) -> np.ndarray | None:
        """The matrix as it acts on P in the axes of the nodes; None if that differs from node to node."""
        # A rotation multiplies P by what it makes of 1; a reflection takes the conjugate first.
        reflects = np.linalg.det(matrix) < 0.0
        moved = self._turns[permutation].conj() if reflects else self._turns[permutation]
        turn = self._turns.conj() * (matrix[0, 0] + 1j * matrix[1, 0]) * moved
        if np.abs(turn - turn[0]).max() > SAME:
            return None
        real, imaginary = turn[0].real, turn[0].imag
        return np.array([[real, imaginary], [imaginary, -real]]) if reflects else np.array([[real, -imaginary], [imaginary, real]])

    @property
    def zero_modes(self) -> Callable[[np.ndarray], np.ndarray]:
        """The direction (1, n) in which a rotation moves x; absent where no rotation keeps the domain and its boundary data."""
        if not self._rotates:
            raise AttributeError("no rotation keeps the domain and its boundary data")
        return self._rotation

    def _rotation(self, x: np.ndarray) -> np.ndarray:
        return rotation_of_rings(x, self.mesh.ring)

    def start(self, model: ReducedLandauDeGennes, name: str) -> np.ndarray:
        """A named start, (n,).

        ``"harmonic"``: the harmonic P with the data of the boundary. ``"ring"``, ``"wors"``: the stationary point with every
        symmetry. ``"uniform"``: the director along x. Else |P| = c with a harmonic director angle that the domain names.
        """
        if name == "uniform":
            return self._own(np.full(len(self.mesh.nodes), self.order, complex))
        if name in ("harmonic", "ring", "wors"):
            harmonic = self._own(self.mesh.harmonic(self._data, self._anchored))
            return harmonic if name == "harmonic" else symmetric_minimum(model, harmonic)
        boundary = np.unique(np.concatenate([facets.nodes.ravel() for facets in self.mesh.parts.values()]))
        angle = self.mesh.harmonic(self.domain.angle(self.n, name).ravel(), boundary)
        # The angle is that of tangent anchoring; other data are met by turning all of it.
        overlap = np.vdot(np.exp(2j * angle[self._anchored]), self._data[self._anchored])
        return self._own(self.order * np.exp(2j * angle) * overlap / abs(overlap))

    def _own(self, fields: np.ndarray) -> np.ndarray:
        """P (N,) in the axes of the laboratory as a point x (n,)."""
        local = (self._turns.conj() * fields)[self.free]
        return np.concatenate([local.real, local.imag])

    def fields(self, x: np.ndarray) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
        """The mesh, P at its nodes (2, N) in the axes of the laboratory, and the energy density (N,), surface terms left out."""
        values = self._data.copy()
        p, q = x.reshape(2, -1)
        values[self.free] = self._turns[self.free] * (p + 1j * q)
        fields = np.stack([values.real, values.imag])
        density = self.mesh.elastic_density(fields) + 0.25 * self.lambda2 * (np.abs(values) ** 2 - self.order**2) ** 2
        return {"nodes": self.mesh.nodes.copy(), "triangles": self.mesh.covering.copy()}, fields, density
