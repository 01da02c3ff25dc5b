"""The full Landau-de Gennes energy on a box: what its kernels read, its Hessian, its metric and its symmetries."""

from __future__ import annotations

from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse

from saddlescape.kernels import Kernels
from saddlescape.symmetry import Symmetry

from ...spectral import BoxOperator
from ..kernels import full_layout as layout
from ..kernels.full_kernels import COUPLED, FULL
from ..kernels.full_pointwise import PLANAR_SIZE
from ..material import Bulk, is_isotropic
from ..tensors import BASIS, conjugation, uniaxial
from . import starts
from .grid import FACES, Grid
from .lines import stencil
from .planar import planar_data, planar_density, planar_hessian

if TYPE_CHECKING:
    from ..full import LandauDeGennes


class FullBox:
    """E = 1/2 x.A x - b.x + E(0) + lambda2 sum w f(q) + planar-degenerate faces, for the free nodes of a grid.

    Parameters
    ----------
    grid : Grid
    tensor : (5, 5, 3, 3) array
        The elastic tensor K.
    bulk : Bulk
    lambda2 : float
    field : (3,) array
        h of the energy density -1/2 h.Q h.
    corner : float
        Length over which contradicting boundary values fall to zero.
    """

    def __init__(self, grid: Grid, tensor: np.ndarray, bulk: Bulk, lambda2: float, field: np.ndarray, corner: float):
        self.grid, self.tensor, self.bulk, self.lambda2, self.corner = grid, tensor, bulk, lambda2, corner
        self.pull = 0.5 * np.einsum("aij,i,j->a", BASIS, field, field)
        self.fixed = grid.fixed_values(bulk.order, corner)

    @property
    def isotropic(self) -> bool:
        """Whether the elastic energy is that of one constant, which does not couple the tensor to space."""
        return is_isotropic(self.tensor)

    @property
    def kernels(self) -> Kernels:
        """The compiled functions that read `parameters`."""
        return FULL if self.isotropic else COUPLED

    @cached_property
    def mass(self) -> float | np.ndarray:
        """The weights of the free nodes: a number where they are all the same, else one for each unknown."""
        weights = self.grid.free_weights
        return float(weights[0]) if np.ptp(weights) <= 1e-12 * weights[0] else np.tile(weights, 5)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the free nodes: ([mz,] my, mx)."""
        return self.grid.free_shape[3 - self.grid.dimension :]

    def start_names(self, model: LandauDeGennes) -> tuple[str, ...]:
        """The starts that exist; see `starts`."""
        return starts.names(model)

    def start(self, model: LandauDeGennes, name: str) -> np.ndarray:
        """The start of that name, (n,); see `starts`."""
        return starts.make(model, name)

    def read(self, x: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """The axes, the components of Q (5, ...) and the energy density (...) at all nodes."""
        q = self.filled(x)
        density = self.grid.density(self.tensor, q) + self.pointwise(q)
        names = "xyz"[: self.grid.dimension]
        geometry = {name: axis.nodes.copy() for name, axis in zip(names, self.grid.axes, strict=False)}
        return (geometry, q, density) if self.grid.dimension == 3 else (geometry, q[:, 0], density[0])

    def filled(self, x: np.ndarray) -> np.ndarray:
        """Components at all nodes, (5, nz, ny, nx)."""
        q = self.fixed.copy()
        q[(slice(None), *self.grid.free)] = x.reshape(5, *self.grid.free_shape)
        return q

    # --- weak anchoring --------------------------------------------------------------------------------------------------

    @cached_property
    def _weak(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Rapini-Papoular: w W (nz, ny, nx), w W q_b (5, nz, ny, nx), and w W |q_b|^2 (nz, ny, nx) with surface weights w."""
        strength, wanted, square = np.zeros(self.grid.shape), np.zeros_like(self.fixed), np.zeros(self.grid.shape)
        for face, condition, index, number in self.grid.faces():
            if condition.weak:
                weight = condition.strength * self.grid.face_weights(number)
                target = self.grid.wanted(face, self.bulk.order, self.corner)
                strength[index] += weight
                wanted[(slice(None), *index)] += weight * target
                square[index] += weight * (target**2).sum(axis=0)
        return strength, wanted, square

    @cached_property
    def _planar_faces(self) -> list[tuple[int, int, tuple, np.ndarray]]:
        """Axis, position among the free nodes, index among all nodes, and data of each planar-degenerate face."""
        found = []
        for face, condition, index, number in self.grid.faces():
            if condition.planar and condition.strength > 0.0:
                position = self.grid.free_shape[2 - number] - 1 if FACES.index(face) % 2 else 0
                found.append((number, position, index, planar_data(np.eye(3)[number], condition.strength, self.bulk.order)))
        return found

    # --- what the kernels read -------------------------------------------------------------------------------------------

    @cached_property
    def _force_of_fixed(self) -> np.ndarray:
        return self.grid.force(self.tensor, self.fixed)

    @cached_property
    def constant_force(self) -> np.ndarray:
        """b (5, mz, my, mx): the pull of fixed values, of weak anchoring and of the field on the free nodes."""
        field = np.multiply.outer(self.pull, self.grid.weights)
        return (self._weak[1] - self._force_of_fixed + field)[(slice(None), *self.grid.free)]

    def zero_energy(self) -> float:
        """E where all free values are zero."""
        strength, wanted, square = self._weak
        fixed, weights = self.fixed, self.grid.weights
        energy = 0.5 * (fixed * self._force_of_fixed).sum() + (weights * self.pointwise(fixed)).sum()
        energy += (0.5 * strength * (fixed**2).sum(axis=0) - (wanted * fixed).sum(axis=0) + 0.5 * square).sum()
        given = np.ones(self.grid.shape, dtype=bool)
        given[self.grid.free] = False
        for number, _, index, data in self._planar_faces:
            density = planar_density(data, fixed[(slice(None), *index)])
            energy += (self.grid.face_weights(number) * given[index] * density).sum()
        return float(energy)

    def pointwise(self, q: np.ndarray) -> np.ndarray:
        """Bulk and field energy density of components (5, ...)."""
        return self.lambda2 * self.bulk.density(q) - np.einsum("a,a...->...", self.pull, q)

    def parameters(self) -> tuple[np.ndarray, np.ndarray]:
        """``params`` of the kernels; the layout is described in `full_layout`."""
        grid, bulk, scale = self.grid, self.bulk, self.lambda2
        mz, my, mx = grid.free_shape
        x_axis = grid.axes[0]
        header = [self.zero_energy(), scale * bulk.square, scale * bulk.cube, scale * bulk.quartic, 1.0 / x_axis.spacing]
        blocks: list[np.ndarray] = [np.array(header)]
        lines = len(header)
        blocks += [x_axis.weights[grid.free[2]], self._surface(0), self._line(1).ravel(), self._line(2).ravel()]
        ends = sum(map(len, blocks))
        pull, rows = self.constant_force.transpose(1, 2, 0, 3).reshape(mz * my, 5, mx), np.full(mz * my, -1)
        sides = pull[:, :, [0, -1]].copy()
        sides[:, :, 1] *= mx > 1
        blocks.append(sides.ravel())
        start = ends + sides.size
        for row in np.flatnonzero(np.any(pull[:, :, 1:-1], axis=(1, 2))):
            rows[row] = start
            blocks.append(pull[row].ravel())
            start += 5 * mx
        faces = self._planar_faces
        blocks += [data for *_, data in faces]
        targets, factors = self._couplings()
        blocks.append(factors)
        inside = [layout.WRAPPED if x_axis.periodic else layout.FREE] * 2
        for side, face in enumerate(("left", "right")):
            if face in grid.conditions and grid.conditions[face].fixed:
                inside[side] = layout.FIXED
        integers = [
            mz,
            my,
            mx,
            *inside,
            lines,
            ends,
            start + PLANAR_SIZE * len(faces),
            start,
            len(faces),
            len(factors),
            layout.CHUNK,
        ]
        tables = [*self._neighbours(1), *self._neighbours(2), rows, *[np.array(face[:2]) for face in faces], targets]
        return np.concatenate(blocks), np.concatenate([integers, *tables]).astype(np.int64)

    def _surface(self, number: int) -> np.ndarray:
        """Strengths of weak anchoring at the ends of an axis, (free nodes,)."""
        strengths = np.zeros(self.grid.axes[number].n)
        for end, face in ((0, FACES[2 * number]), (-1, FACES[2 * number + 1])):
            if face in self.grid.conditions and self.grid.conditions[face].weak:
                strengths[end] += self.grid.conditions[face].strength
        return strengths[self.grid.free[2 - number]]

    def _line(self, number: int) -> np.ndarray:
        axis, free = self.grid.axes[number], self.grid.free[2 - number]
        columns = [axis.weights[free, None], self._surface(number)[:, None]]
        columns += [stencil(matrix, axis, free) for matrix in (axis.stiffness, axis.slope, axis.slope.T)]
        return np.concatenate(columns, axis=1)

    def _couplings(self) -> tuple[np.ndarray, np.ndarray]:
        """Which derivative of which component pushes which component, and how much, unless there is one elastic constant."""
        kinds = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1))
        along = 3 if self.grid.axes[2].n > 1 else 2
        factors = np.stack([self.tensor[:, :, d, e] * (max(d, e) < along) for d, e in kinds])  # kind, target, source
        kind, source, target = np.nonzero(factors.swapaxes(1, 2) * (not self.isotropic))
        return np.stack([target, 5 * kind + source], axis=1).ravel(), factors[kind, target, source]

    def _neighbours(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper neighbour of each free node along an axis; where there is none, its coefficient is zero."""
        m = self.grid.free_shape[2 - number]
        here = np.arange(m)
        if self.grid.axes[number].periodic:
            return (here - 1) % m, (here + 1) % m
        return np.maximum(here - 1, 0), np.minimum(here + 1, m - 1)

    # --- Hessian and metric ----------------------------------------------------------------------------------------------

    @cached_property
    def _hessian_parts(self) -> tuple[scipy.sparse.csc_array, np.ndarray]:
        """The Hessian less its local part, and where its local 5 x 5 blocks are stored, (5, 5, nodes)."""
        nodes = self.grid.n_free
        strength = scipy.sparse.diags_array(np.tile(self._weak[0][self.grid.free].ravel(), 5))
        constant = self.grid.matrix(self.tensor) + strength
        # Numbers that no sum can cancel keep every entry of the local blocks in the pattern and say where it ends up.
        large = 8.0 * abs(constant).max()
        blocks = large * scipy.sparse.kron(np.ones((5, 5)), scipy.sparse.eye_array(nodes))
        pattern = (constant + blocks).tocsc()
        pattern.sort_indices()
        column = np.repeat(np.arange(5 * nodes), np.diff(pattern.indptr))
        local = np.flatnonzero((pattern.indices - column) % nodes == 0)
        places = np.empty((5, 5, nodes), dtype=np.intp)
        places[pattern.indices[local] // nodes, column[local] // nodes, column[local] % nodes] = local
        pattern.data[local] -= large
        return pattern, places

    def hessian(self, x: np.ndarray) -> scipy.sparse.csc_array:
        """The Hessian at x, sparse with sorted indices; the pattern is the same at every x."""
        constant, places = self._hessian_parts
        q = x.reshape(5, -1)
        local = self.lambda2 * self.grid.free_weights * self.bulk.hessian(q)
        index = np.arange(self.grid.n_free).reshape(self.grid.free_shape)
        for number, position, _, data in self._planar_faces:
            nodes = np.take(index, position, axis=2 - number).ravel()
            weights = np.broadcast_to(self.grid.face_weights(number), self._face_shape(number))[self._free_face(number)].ravel()
            local[:, :, nodes] += weights * planar_hessian(data, q[:, nodes])
        values = constant.data.copy()
        values[places] += local
        return scipy.sparse.csc_array((values, constant.indices, constant.indptr), shape=constant.shape)

    def _face_shape(self, number: int) -> tuple[int, ...]:
        return tuple(1 if place == 2 - number else n for place, n in enumerate(self.grid.shape))

    def _free_face(self, number: int) -> tuple[slice, ...]:
        return tuple(slice(None) if place == 2 - number else s for place, s in enumerate(self.grid.free))

    def preconditioner(self, shift: float) -> BoxOperator:
        """M = -Laplacian + shift in the mass, without couplings of components, with the ends of the lines fixed or free."""
        return BoxOperator([axis_of(self.grid, number) for number in (2, 1, 0)], shift)

    # --- symmetries ------------------------------------------------------------------------------------------------------

    def symmetry(self) -> Symmetry:
        """All maps of space and tensor, signed permutations of the unknowns, that keep the energy."""
        full = np.arange(np.prod(self.grid.shape)).reshape(self.grid.shape)
        number_of = np.full(full.size, -1)
        number_of[full[self.grid.free].ravel()] = np.arange(self.grid.n_free)
        inside = full[self.grid.free].ravel()
        kept, elements = self._kept(), []
        for spatial in self.grid.spatial_maps():
            nodes = number_of[spatial.nodes[inside]]
            for matrix in self._turns(spatial.matrix):
                action = conjugation(matrix)
                if (nodes >= 0).all() and all(_keeps(action, spatial.nodes, array) for array in kept):
                    source = np.abs(action).argmax(axis=1)
                    sign = np.sign(action[np.arange(5), source])
                    permutation = (source[:, None] * self.grid.n_free + nodes).ravel()
                    elements.append((permutation, np.repeat(sign, self.grid.n_free)))
        identity = next(i for i, (p, s) in enumerate(elements) if (np.diff(p) == 1).all() and (s == 1.0).all())
        elements.insert(0, elements.pop(identity))
        return Symmetry(np.array([p for p, _ in elements]), np.array([s for _, s in elements]))

    def _turns(self, spatial: np.ndarray) -> list[np.ndarray]:
        """The matrices R by which Q -> R Q R^T may go along with a map of space; -R does the same as R."""
        upside_down = np.diag([1.0, 1.0, -1.0])
        if not self.isotropic:
            return [spatial] if self.grid.axes[2].n > 1 else [spatial, upside_down @ spatial]
        exchanged = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        return [np.diag([a, b, 1.0]) @ turn for a, b, turn in product((1.0, -1.0), (1.0, -1.0), (np.eye(3), exchanged))]

    def _kept(self) -> list[np.ndarray]:
        """Nodal fields of components that a symmetry must leave as they are, (5, nodes)."""
        nodes = np.prod(self.grid.shape)
        planar = np.zeros_like(self.fixed)
        for _, condition, index, number in self.grid.faces():
            if condition.planar:
                weight = condition.strength * self.grid.face_weights(number)
                planar[(slice(None), *index)] += uniaxial(np.eye(3)[number], 1.0).reshape(5, 1, 1, 1) * weight
        uniform = np.broadcast_to(self.pull.reshape(5, 1), (5, nodes))
        return [array.reshape(5, nodes) for array in (self.fixed, self._weak[1], planar, uniform)]


def _keeps(action: np.ndarray, nodes: np.ndarray, array: np.ndarray) -> bool:
    return bool(np.abs(action @ array[:, nodes] - array).max() <= 1e-12 * (1.0 + np.abs(array).max()))


def axis_of(grid: Grid, number: int) -> tuple[int, float, str]:
    """Free nodes, spacing and the two ends of an axis, for `BoxOperator`."""
    axis, free = grid.axes[number], grid.free[2 - number]
    m = grid.free_shape[2 - number]
    if axis.n == 1:
        return 1, 1.0, "none"
    if axis.periodic:
        return m, axis.spacing, "periodic"
    low, high = free.start > 0, free.stop < axis.n
    ends = ["fixed" if end else "free" for end in (low, high)]
    return m, axis.spacing, ends[0] if low == high else "-".join(ends)
