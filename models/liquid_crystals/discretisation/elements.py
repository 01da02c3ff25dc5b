"""Linear finite elements on triangles or tetrahedra: what a mesh brings to every model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from scipy.sparse.linalg import spsolve
from scipy.spatial import cKDTree

CORNER_ANGLE = np.pi / 6
"""Where the direction of the boundary of a plane domain turns by more than this from one edge to the next, there is a corner."""

EDGE_ANGLE = np.radians(40.0)
"""Where a facet of a domain in space is inclined by more than this to the mean of those that meet it, there is an edge: the facets
of a coarse ball are inclined by less, those at the edge of a cube by 45 degrees."""


def require(name: str) -> ModuleType:
    """Import a package that only meshes need.

    Raises
    ------
    ImportError
        If it is not installed, with the way to get it.
    """
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(f"domains with meshes need the package {name}: pip install 'saddlescape[meshes]'") from error


class Facets(NamedTuple):
    """A part of the boundary: F edges in the plane, F triangles in space.

    Parameters
    ----------
    nodes : (F, d) int array
    areas : (F,) array
        Lengths or areas.
    normals : (F, d) array
        Unit vectors out of the domain.
    """

    nodes: np.ndarray
    areas: np.ndarray
    normals: np.ndarray


class Elements:
    """Linear elements on a mesh of N nodes, with everything that is local lumped at the nodes.

    Parameters
    ----------
    nodes : (N, d) array
        Coordinates, d = 2 or 3.
    cells : (T, d + 1) int array
        Triangles or tetrahedra.
    parts : mapping of str to (F, d) int array, optional
        The parts of the boundary by name, each as its facets. Default: all facets that belong to one cell only, as "boundary".
    maps : sequence of (d, d) arrays
        Orthogonal matrices R that map the mesh to itself and generate its group.
    other : (T, d + 1) int array, optional
        The same region cut another way; what is assembled is the mean over both. Quadrilaterals cut along both diagonals have
        all their symmetries so.
    ring : int, optional
        The nodes come in rings of this length, each invariant under a rotation by one node: ``nodes.reshape(-1, ring, 2)``.
    hole : float
        Area that the cells leave out inside the first ring; its share goes to the nodes there.
    revolution : (k, 3) array, optional
        Orthonormal axes about which the domain turns into itself though its mesh does not: none (the default), one, or three.

    Attributes
    ----------
    parts : dict of str to Facets
    """

    def __init__(
        self,
        nodes: np.ndarray,
        cells: np.ndarray,
        *,
        parts: Mapping[str, np.ndarray] | None = None,
        maps: Sequence[np.ndarray] = (),
        other: np.ndarray | None = None,
        ring: int | None = None,
        hole: float = 0.0,
        revolution: np.ndarray | None = None,
    ):
        self.nodes = np.ascontiguousarray(nodes, dtype=float)
        self.cells, self.other = np.ascontiguousarray(cells), other
        self.ring, self.hole, self._maps = ring, hole, maps
        self.revolution = np.empty((0, 3)) if revolution is None else revolution
        facets, opposite = boundary_facets(self.cells)
        if parts is None:
            parts = {"boundary": facets}
        order = {tuple(facet): i for i, facet in enumerate(np.sort(facets, axis=1).tolist())}
        self.parts = {}
        for name, given in parts.items():
            found = [order[tuple(facet)] for facet in np.sort(given, axis=1).tolist()]
            self.parts[name] = self._facets(facets[found], opposite[found])

    def _facets(self, facets: np.ndarray, opposite: np.ndarray) -> Facets:
        corners = self.nodes[facets]
        edges = corners[:, 1:] - corners[:, :1]
        if self.nodes.shape[1] == 2:
            normals = np.stack([edges[:, 0, 1], -edges[:, 0, 0]], axis=1)
        else:
            normals = 0.5 * np.cross(edges[:, 0], edges[:, 1])
        inward = np.einsum("fi,fi->f", normals, self.nodes[opposite] - corners[:, 0]) > 0.0
        normals[inward] *= -1.0
        areas = np.linalg.norm(normals, axis=1)
        return Facets(facets, areas, normals / areas[:, None])

    @property
    def dimension(self) -> int:
        """d."""
        return self.nodes.shape[1]

    @cached_property
    def covering(self) -> np.ndarray:
        """Cells (T', d + 1) that leave nothing out: those of the mesh, and a fan of triangles over a hole inside the first ring."""
        if not self.hole:
            return self.cells
        around = np.arange(1, self.ring - 1)
        return np.concatenate([self.cells, np.column_stack([np.zeros_like(around), around, around + 1])])

    @cached_property
    def _bases(self) -> list:
        skfem = require("skfem")
        mesh, element = {
            2: (skfem.MeshTri, skfem.ElementTriP1),
            3: (skfem.MeshTet, skfem.ElementTetP1),
        }[self.dimension]
        cuts = [self.cells] if self.other is None else [self.cells, self.other]
        points = np.ascontiguousarray(self.nodes.T)
        return [skfem.Basis(mesh(points, np.ascontiguousarray(cells.T)), element()) for cells in cuts]

    @cached_property
    def weights(self) -> np.ndarray:
        """Lumped mass: the volume that belongs to each node, (N,)."""
        skfem = require("skfem")
        volume = skfem.LinearForm(lambda v, _: v)
        weights = np.mean([volume.assemble(basis) for basis in self._bases], axis=0)
        if self.hole:
            weights[: self.ring] += self.hole / self.ring
        return weights

    def product(self, a: int, b: int) -> scipy.sparse.csr_array:
        """The integrals of d phi_i / d x_a times d phi_j / d x_b, (N, N)."""
        skfem = require("skfem")
        form = skfem.BilinearForm(lambda u, v, _: v.grad[a] * u.grad[b])
        return scipy.sparse.csr_array(sum(form.assemble(basis) for basis in self._bases) / len(self._bases))

    @cached_property
    def stiffness(self) -> scipy.sparse.csr_array:
        """The integrals of grad phi_i . grad phi_j, (N, N), exactly symmetric."""
        matrix = sum(self.product(a, a) for a in range(self.dimension))
        return (0.5 * (matrix + matrix.T)).tocsr()

    def surface_weights(self, part: str) -> np.ndarray:
        """The length or area of a part of the boundary that belongs to each node, (N,)."""
        facets = self.parts[part]
        shares = np.repeat(facets.areas / self.dimension, self.dimension)
        return np.bincount(facets.nodes.ravel(), shares, minlength=len(self.nodes))

    @cached_property
    def pattern(self) -> scipy.sparse.csr_array:
        """Ones where two nodes share a cell, (N, N), indices sorted."""
        cells = self.cells if self.other is None else np.concatenate([self.cells, self.other])
        size = cells.shape[1]
        rows, columns = np.repeat(cells, size, axis=1).ravel(), np.tile(cells, (1, size)).ravel()
        n = len(self.nodes)
        matrix = scipy.sparse.coo_array((np.ones(rows.size), (rows, columns)), shape=(n, n)).tocsr()
        matrix.sort_indices()
        matrix.data[:] = 1.0
        return matrix

    @cached_property
    def _slopes(self) -> list[scipy.sparse.csr_array]:
        skfem = require("skfem")
        forms = [skfem.BilinearForm(lambda u, v, _, a=a: v * u.grad[a]) for a in range(self.dimension)]
        return [self._averaging(form) for form in forms]

    @cached_property
    def _smoothing(self) -> scipy.sparse.csr_array:
        return self._averaging(require("skfem").BilinearForm(lambda u, v, _: u * v))

    def _averaging(self, form: Any) -> scipy.sparse.csr_array:
        total = sum(form.assemble(basis) for basis in self._bases) / len(self._bases)
        return (scipy.sparse.diags_array(1.0 / self.weights) @ scipy.sparse.csr_array(total)).tocsr()

    def slopes(self, fields: np.ndarray) -> np.ndarray:
        """The gradients of fields (m, N) at the nodes, means of those of the cells around them, (d, m, N)."""
        return np.array([(matrix @ fields.T).T for matrix in self._slopes])

    def smoothed(self, fields: np.ndarray) -> np.ndarray:
        """Fields (..., N) whose value at each node is the mean of the linear interpolation around it."""
        return (self._smoothing @ fields.reshape(-1, fields.shape[-1]).T).T.reshape(fields.shape)

    def elastic_density(self, fields: np.ndarray, tensor: np.ndarray | None = None) -> np.ndarray:
        """1/2 K[a, b, d, e] (d_d u_a) (d_e u_b) of fields (m, N) as its lumped mean at the nodes, (N,).

        The tensor K is (m, m, 3, 3); None is that of 1/2 |grad u|^2.
        """
        skfem = require("skfem")
        d = self.dimension
        if tensor is None:
            tensor = np.einsum("ab,de->abde", np.eye(len(fields)), np.eye(3))
        density = skfem.LinearForm(lambda v, w: w["energy"] * v)
        total = np.zeros(len(self.nodes))
        for basis in self._bases:
            slopes = np.array([np.asarray(basis.interpolate(u).grad) for u in fields])
            energy = 0.5 * np.einsum("abde,adtq,betq->tq", tensor[:, :, :d, :d], slopes, slopes, optimize=True)
            total += density.assemble(basis, energy=energy)
        return total / (len(self._bases) * self.weights)

    @cached_property
    def generators(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The maps of the mesh to itself that generate its group, as pairs (permutation (N,), R (3, 3)).

        A field is mapped to ``(g u)(x) = u(R^-1 x)``, with values ``u[permutation]``; what it does to components is the model's.
        """
        tree = cKDTree(self.nodes)
        found = []
        for r in self._maps:
            distances, permutation = tree.query(self.nodes @ r)  # rows x^T R = (R^-1 x)^T
            if distances.max() > 1e-9 * np.ptp(self.nodes):
                raise AssertionError("a mesh made here is not mapped to itself")  # a bug in a shape, not in what the user gave
            full = np.eye(3)
            full[: self.dimension, : self.dimension] = r
            found.append((permutation, full))
        return found

    def harmonic(self, values: np.ndarray, known: np.ndarray) -> np.ndarray:
        """The discrete harmonic functions (N, ...) with the values (N, ...) at the known nodes (k,)."""
        inside = np.setdiff1d(np.arange(len(values)), known)
        rows = self.stiffness[inside]
        fields = values.copy()
        fields[inside] = spsolve(rows[:, inside].tocsc().astype(values.dtype), -(rows[:, known] @ values[known]))
        return fields

    @cached_property
    def corners(self) -> np.ndarray:
        """Nodes at which the boundary has a corner or, in space, an edge, (k,); see `CORNER_ANGLE`, `EDGE_ANGLE`."""
        d = self.dimension
        nodes = np.concatenate([facets.nodes.ravel() for facets in self.parts.values()])
        normals = np.concatenate([np.repeat(facets.normals, d, axis=0) for facets in self.parts.values()])
        found, place = np.unique(nodes, return_inverse=True)
        mean = np.zeros((found.size, d))
        np.add.at(mean, place, normals)
        mean /= np.linalg.norm(mean, axis=1, keepdims=True)
        sharp = np.einsum("fi,fi->f", mean[place], normals) < np.cos(0.5 * CORNER_ANGLE if d == 2 else EDGE_ANGLE)
        return np.unique(nodes[sharp])


def entries_on(pattern: scipy.sparse.csr_array, matrix: scipy.sparse.csr_array) -> np.ndarray:
    """The entries (nnz,) of a matrix in the order of a sorted pattern that has all of them."""
    n = pattern.shape[0]
    keys = np.repeat(np.arange(n), np.diff(pattern.indptr)) * n + pattern.indices
    matrix = matrix.tocoo()
    entries = np.zeros(pattern.nnz)
    entries[np.searchsorted(keys, matrix.row.astype(np.intp) * n + matrix.col)] = matrix.data
    return entries


def boundary_facets(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The facets (F, d) that belong to one cell only, and the node (F,) of that cell which lies opposite."""
    size = cells.shape[1]
    facets = np.concatenate([np.delete(cells, i, axis=1) for i in range(size)])
    opposite = np.concatenate([cells[:, i] for i in range(size)])
    _, first, count = np.unique(np.sort(facets, axis=1), axis=0, return_index=True, return_counts=True)
    single = np.sort(first[count == 1])
    return facets[single], opposite[single]


def cut_quadrilaterals(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (2 K, 3) from quadrilaterals (K, 4), corners in order around each: along one diagonal, and along the other."""
    a, b, c, d = corners.T
    one = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    return one, np.concatenate([np.stack([a, b, d], axis=1), np.stack([b, c, d], axis=1)])
