"""The full model on a mesh: linear elements, lumped bulk and surface terms."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from saddlescape.kernels import Kernels
from saddlescape.symmetry import Symmetry

from ..kernels.full_mesh_kernels import FULL_ON_MESH, pack
from ..material import Bulk, is_isotropic
from ..tensors import BASIS, nearest_uniaxial, uniaxial
from .anchoring import FacetCondition, directors
from .boundary import nodal_data, nodal_normals
from .elements import Elements, entries_on
from .factorised import elastic_operator
from .hessians import LocalHessian
from .mesh_symmetry import mesh_symmetry, rotation_of_rings, rotations_of_rings
from .planar import planar_data, planar_density, planar_hessian
from .rotations import Rotations, rotation_generators
from .symmetric import symmetric_minimum

if TYPE_CHECKING:
    from ..full import LandauDeGennes

_SOFTENINGS = 5


class FullOnMesh:
    """The five components of Q at the nodes of a mesh in the plane or in space; nodes without strong anchoring are free.

    On a mesh of rings whose boundary data turn with the rings, the components are those in axes that turn as well, so that a
    rotation is a shift along each ring.

    Parameters
    ----------
    mesh : Elements
    conditions : mapping of str to FacetCondition
        One for each part of the boundary.
    tensor : (5, 5, 3, 3) array
        The elastic tensor K.
    bulk : Bulk
    lambda2 : float
    field : (3,) array
        h of the energy density -1/2 h.Q h.
    corner : float
        Length over which contradicting boundary values fall to their mean.
    starts : tuple of str
        Names of starts, the default first.

    Attributes
    ----------
    free : (N,) int array
        The free nodes.
    shape : tuple of int
        Of the free nodes: (N,), or (rings, nodes on a ring).
    """

    kernels: Kernels = FULL_ON_MESH

    def __init__(
        self,
        mesh: Elements,
        conditions: Mapping[str, FacetCondition],
        *,
        tensor: np.ndarray,
        bulk: Bulk,
        lambda2: float,
        field: np.ndarray,
        corner: float,
        starts: tuple[str, ...],
    ):
        self._starts = starts
        self.mesh, self.conditions, self.tensor, self.bulk, self.lambda2 = mesh, conditions, tensor, bulk, lambda2
        self.isotropic = is_isotropic(tensor)
        self.vector, self.pull = field, 0.5 * np.einsum("aij,i,j->a", BASIS, field, field)
        n_nodes = len(mesh.nodes)
        self.fixed, given = np.zeros((5, n_nodes)), np.zeros(n_nodes, bool)
        self.surface, self.wanted = np.zeros(n_nodes), np.zeros((5, n_nodes))
        for strong in (False, True):
            parts = {part: c for part, c in conditions.items() if (c.fixed if strong else c.weak)}
            if not parts:
                continue
            values = {part: uniaxial(directors(c.kind, mesh.parts[part].normals), bulk.order).T for part, c in parts.items()}
            nodes, data = nodal_data(mesh, values, corner, lambda mean: nearest_uniaxial(mean.T, bulk.order).T)
            if strong:
                self.fixed[:, nodes], given[nodes] = data.T, True
            else:
                self.surface = sum(c.strength * mesh.surface_weights(part) for part, c in parts.items())
                self.wanted[:, nodes] = self.surface[nodes] * data.T
        self.free = np.flatnonzero(~given)
        self.axes = rotations_of_rings(mesh, [self.fixed, self.wanted, self._uniform])
        self.shape = (self.free.size,) if mesh.ring is None else (self.free.size // mesh.ring, mesh.ring)

    @property
    def _uniform(self) -> np.ndarray:
        """The pull of the field, the same at every node, (5, N)."""
        return np.repeat(self.pull[:, None], len(self.mesh.nodes), axis=1)

    @cached_property
    def mass(self) -> np.ndarray:
        """Lumped mass of the five components, (n,)."""
        return np.tile(self.mesh.weights[self.free], 5)

    # --- the quadratic form ----------------------------------------------------------------------------------------------

    @cached_property
    def _blocks(self) -> tuple[scipy.sparse.csr_array, np.ndarray | None]:
        """The elastic form between all nodes: its pattern with the numbers that serve all components, or with matrices (5, 5)."""
        if self.isotropic:
            stiffness = self.mesh.stiffness
            stiffness.sort_indices()
            return stiffness, None
        pattern, d = self.mesh.pattern, self.mesh.dimension
        products = [[entries_on(pattern, self.mesh.product(a, b)) for b in range(d)] for a in range(d)]
        return pattern, np.einsum("dek,abde->kab", products, self.tensor[:, :, :d, :d])

    def _force(self, q: np.ndarray) -> np.ndarray:
        """The derivative of the elastic form at q (5, N), at all nodes."""
        stiffness, blocks = self._blocks
        if blocks is None:
            return (stiffness @ q.T).T
        matrix = scipy.sparse.bsr_array((blocks, stiffness.indices, stiffness.indptr))
        return (matrix @ q.T.ravel()).reshape(-1, 5).T

    @cached_property
    def _matrix(self) -> scipy.sparse.csr_array | scipy.sparse.bsr_array:
        """The quadratic form of the free nodes in their own axes: numbers, or blocks (5, 5) where components are coupled."""
        stiffness, blocks = self._blocks
        number = np.arange(stiffness.nnz) + 1.0
        chosen = scipy.sparse.csr_array((number, stiffness.indices, stiffness.indptr))[self.free][:, self.free].tocsr()
        chosen.sort_indices()
        entry = np.round(chosen.data).astype(np.intp) - 1
        row = np.repeat(np.arange(self.free.size), np.diff(chosen.indptr))
        diagonal = row == chosen.indices
        surface = self.surface[self.free]
        if blocks is None and self.axes is None:
            data = stiffness.data[entry]
            data[diagonal] += surface
            return scipy.sparse.csr_array((data, chosen.indices, chosen.indptr))
        local = stiffness.data[entry, None, None] * np.eye(5) if blocks is None else blocks[entry]
        if self.axes is not None:
            own = self.axes[self.free]
            local = own[row].swapaxes(1, 2) @ local @ own[chosen.indices]
        local[diagonal] += surface[:, None, None] * np.eye(5)
        return scipy.sparse.bsr_array((local, chosen.indices, chosen.indptr))

    # --- planar-degenerate anchoring -------------------------------------------------------------------------------------

    @cached_property
    def _planar(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes (k,) and for each of them the data (k, 33) of its part of the surface; the normal is the mean of the facets'."""
        nodes, data = [], []
        for part, condition in self.conditions.items():
            if condition.kind == "planar-degenerate" and condition.strength > 0.0:
                weights = condition.strength * self.mesh.surface_weights(part)
                where, normals = nodal_normals(self.mesh, part)
                nodes.append(where)
                data += [planar_data(normal, weights[i], self.bulk.order) for i, normal in zip(where, normals, strict=True)]
        return (np.concatenate(nodes), np.array(data)) if nodes else (np.empty(0, np.intp), np.empty((0, 33)))

    def _own_planar(self) -> tuple[np.ndarray, np.ndarray]:
        """`_planar` at the free nodes, by their numbers among these, in their own axes."""
        nodes, data = self._planar
        place = np.full(len(self.mesh.nodes), -1)
        place[self.free] = np.arange(self.free.size)
        free = place[nodes] >= 0
        nodes, data = nodes[free], data[free]
        if self.axes is not None and nodes.size:
            own = self.axes[nodes]
            matrices = own.swapaxes(1, 2) @ data[:, 1:26].reshape(-1, 5, 5) @ own
            vectors = np.einsum("kba,kb->ka", own, data[:, 26:31])
            data = np.concatenate([data[:, :1], matrices.reshape(-1, 25), vectors, data[:, 31:]], axis=1)
        return place[nodes], data

    # --- what the kernels read -------------------------------------------------------------------------------------------

    def parameters(self) -> tuple[np.ndarray, np.ndarray]:
        """``params`` of the kernels; the layout is described in `full_mesh_kernels`."""
        return self._parameters

    @cached_property
    def _parameters(self) -> tuple[np.ndarray, np.ndarray]:
        weights = self.mesh.weights
        pull = self.wanted - self._force(self.fixed) + weights * self.pull[:, None]
        bulk = self.lambda2 * np.array([self.bulk.square, self.bulk.cube, self.bulk.quartic])
        pull = self._own(pull)
        return pack(bulk, self._zero_energy(), weights[self.free], pull, self._matrix, *self._own_planar())

    def _zero_energy(self) -> float:
        """E where all free values are zero."""
        fixed = self.fixed
        energy = 0.5 * (fixed * self._force(fixed)).sum() + (self.mesh.weights * self.pointwise(fixed)).sum()
        wanted = (self.wanted**2).sum(axis=0)[self.surface > 0.0] / self.surface[self.surface > 0.0]
        energy += 0.5 * (self.surface * (fixed**2).sum(axis=0)).sum() - (self.wanted * fixed).sum() + 0.5 * wanted.sum()
        given = np.ones(len(self.mesh.nodes), bool)
        given[self.free] = False
        for node, data in zip(*self._planar, strict=True):
            if given[node]:
                energy += planar_density(data, fixed[:, node])
        return float(energy)

    def pointwise(self, q: np.ndarray) -> np.ndarray:
        """Bulk and field energy density of components q (5, N) in the axes of the laboratory."""
        return self.lambda2 * self.bulk.density(q) - self.pull @ q

    # --- Hessian and metric ----------------------------------------------------------------------------------------------

    @cached_property
    def _hessian(self) -> LocalHessian:
        matrix = self._matrix
        if matrix.data.ndim == 1:
            return LocalHessian(scipy.sparse.block_diag([matrix] * 5), 5)
        entries = [
            [scipy.sparse.csr_array((matrix.data[:, a, b].copy(), matrix.indices, matrix.indptr)) for b in range(5)]
            for a in range(5)
        ]
        return LocalHessian(scipy.sparse.block_array(entries), 5)

    def hessian(self, x: np.ndarray) -> scipy.sparse.csc_array:
        """The Hessian at x, sparse with sorted indices; the pattern is the same at every x."""
        q = x.reshape(5, -1)
        local = self.lambda2 * self.mesh.weights[self.free] * self.bulk.hessian(q)
        for node, data in zip(*self._own_planar(), strict=True):
            local[:, :, node] += planar_hessian(data, q[:, [node]])[:, :, 0]
        return self._hessian.at(local)

    def preconditioner(self, shift: float) -> Any:
        """-Laplacian + shift, with weak anchoring of either kind, for every component in the axes of the laboratory."""
        nodes, data = self._planar
        surface = self.surface.copy()
        np.add.at(surface, nodes, data[:, 0])
        matrix = self.mesh.stiffness + scipy.sparse.diags_array(surface + shift * self.mesh.weights)
        axes = None if self.axes is None else self.axes[self.free]
        return elastic_operator(matrix[self.free][:, self.free], self.mesh.dimension, axes)

    # --- symmetries ------------------------------------------------------------------------------------------------------

    @cached_property
    def _exact(self) -> Symmetry:
        """The maps that the mesh itself has."""
        mesh = self.mesh
        planar = np.zeros((5, len(mesh.nodes)))
        nodes, data = self._planar
        planar[:, nodes] = data[:, :1].T * data[:, 26:31].T
        kept = [self.fixed, self.wanted, planar, self._uniform]
        return mesh_symmetry(mesh, self.free, self.axes, kept, self.surface, self.isotropic)

    @cached_property
    def _rotations(self) -> Rotations | None:
        """The rotations of a round domain in space that keep the energy, if there are any."""
        mesh = self.mesh
        if mesh.dimension == 2:
            return None  # there the rings turn
        generators = rotation_generators(mesh.revolution, self.conditions, self.vector, self.isotropic)
        return Rotations(mesh, self.free, self.filled, generators, self.mass) if len(generators) else None

    def symmetry(self) -> Symmetry:
        """All maps of space and tensor that keep the energy: rotations of rings as shifts, those that the mesh itself has as
        discrete elements, and the other rotations of a round domain in space by matching."""
        return self._exact if self._rotations is None else self._rotations.symmetry(self._exact)

    def zero_modes(self, x: np.ndarray) -> np.ndarray:
        """The directions in which rotations move x, (m, n): of all rings in the plane, of a round domain in space."""
        if self._rotations is None:
            return np.empty((0, x.size)) if self.axes is None else rotation_of_rings(x, self.mesh.ring)
        return self._rotations.zero_modes(self._exact, x, lambda modes: self._softened(x, modes))

    def _softened(self, x: np.ndarray, modes: np.ndarray) -> np.ndarray:
        """A few steps of preconditioned descent of v.H(x)v: of modes (k, n), what they have of the stiff directions goes."""
        images, parameters = np.empty_like(modes), self.parameters()
        for _ in range(_SOFTENINGS):
            for mode, image in zip(modes, images, strict=True):
                self.kernels.hvp(x, mode, parameters, image)
            modes = modes - self._metric.solve(images)
        return modes

    @cached_property
    def _metric(self) -> Any:
        return self.preconditioner(self.lambda2)

    # --- starts ----------------------------------------------------------------------------------------------------------

    def start_names(self, model: LandauDeGennes) -> tuple[str, ...]:
        """The names of the starts."""
        return self._starts

    def start(self, model: LandauDeGennes, name: str) -> np.ndarray:
        """``"harmonic"``: the harmonic Q with the data of the boundary. ``"uniform"``: the director along x. Else the stationary
        point with every symmetry."""
        if name == "uniform":
            return self.packed(np.repeat(uniaxial(np.eye(3)[:1], self.bulk.order), len(self.mesh.nodes), axis=1))
        harmonic = self.packed(self._harmonic())
        return harmonic if name == "harmonic" else symmetric_minimum(model, harmonic, self.hessian)

    def _harmonic(self) -> np.ndarray:
        data = self.fixed.copy()
        weak = self.surface > 0.0
        data[:, weak] = self.wanted[:, weak] / self.surface[weak]
        anchored = weak | (np.abs(data) > 0.0).any(axis=0)
        return self.mesh.harmonic(data.T, np.flatnonzero(anchored)).T

    # --- fields at all nodes ---------------------------------------------------------------------------------------------

    def _own(self, q: np.ndarray) -> np.ndarray:
        """Components (5, N) in the axes of the laboratory at all nodes: in their own axes at the free ones."""
        free = q[:, self.free]
        return free if self.axes is None else np.einsum("nba,bn->an", self.axes[self.free], free)

    def packed(self, q: np.ndarray) -> np.ndarray:
        """The point x (n,) of components (5, N) in the axes of the laboratory at all nodes."""
        return np.ascontiguousarray(self._own(q)).ravel()

    def filled(self, x: np.ndarray) -> np.ndarray:
        """Components (5, N) at all nodes, in the axes of the laboratory."""
        q, own = self.fixed.copy(), x.reshape(5, -1)
        q[:, self.free] = own if self.axes is None else np.einsum("nab,bn->an", self.axes[self.free], own)
        return q

    def read(self, x: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """The mesh, the components of Q (5, N) and the energy density (N,) at all nodes."""
        q = self.filled(x)
        cells = "triangles" if self.mesh.dimension == 2 else "tetrahedra"
        geometry = {"nodes": self.mesh.nodes.copy(), cells: self.mesh.covering.copy()}
        return geometry, q, self.mesh.elastic_density(q, self.tensor) + self.pointwise(q)
