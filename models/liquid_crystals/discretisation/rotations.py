"""Rotations of a nematic in a round domain: symmetries of its energy that a mesh of space only approximates.

An exact stationary point of the discrete energy stands for the whole family of its rotated copies: the mesh pins the family at a
few of them. How a rotation moves a state, and which rotation brings one state nearest to another, is found by interpolation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial

import numpy as np
import scipy.linalg
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from saddlescape.symmetry import Symmetry

from ..tensors import BASIS, components, conjugation
from .anchoring import FacetCondition
from .elements import Elements

SIGNIFICANT = 2.7
"""A direction counts as moving a state if, its stiff part taken out, it is this many times the estimated error of the slopes. The
ratio came out at most 2.4 where the state is in truth invariant (radial hedgehogs on 5 to 13 nodes, lambda2 from 10 to 1000; 0.9
and falling with the mesh at lambda2 = 60), and from 3 on where it is not (ring and split core in a ball, 7 and 9 nodes)."""

TOLERANCE = 2.0
"""Times h^2: how far, relative to their size, two points of one family may be from each other after the best rotation."""

_TURN = np.array(
    [[[0, 0, 0], [0, 0, -1], [0, 1, 0]], [[0, 0, 1], [0, 0, 0], [-1, 0, 0]], [[0, -1, 0], [1, 0, 0], [0, 0, 0]]], float
)
_TENSOR_TURN = np.array([components(turn @ BASIS - BASIS @ turn) for turn in _TURN])  # (3, 5, 5): dQ = [W, Q]
_FIRST_TURN = 0.5  # radians: about a single axis, the search for the best rotation starts at least this near to it, on either side
_ROUNDING = 1e-6  # relative to a state: motions smaller than this are round-off
_REFINED = 3  # starts from which it is made
_STEPS, _SMALLEST_STEP, _GAIN = 20, 1e-3, 1e-3  # of Gauss-Newton's method: radians, and what of the distance a step must save
_CELLS_NEAR = 24  # whose middles are nearest to a point: the cell that holds it is one of them


def rotation_generators(
    revolution: np.ndarray, conditions: Mapping[str, FacetCondition], field: np.ndarray, isotropic: bool
) -> np.ndarray:
    """The infinitesimal rotations of space and of the tensor that keep the energy of a continuous nematic.

    Parameters
    ----------
    revolution : (k, 3) array
        Orthonormal axes about which the domain turns into itself: none, one, or all three.
    conditions : mapping of str to FacetCondition
        What holds the nematic at each part of the boundary.
    field : (3,) array
    isotropic : bool
        Whether one elastic constant leaves the tensor independent of space.

    Returns
    -------
    (m, 2, 3) array
        Orthonormal pairs (a, b): x turns about a while Q turns about b.
    """
    acting = [c.kind for c in conditions.values() if c.kind != "free" and c.strength > 0.0]
    fixed_vectors = [np.array(kind) for kind in acting if not isinstance(kind, str)] + [np.array(field)]
    together = not isotropic or any(isinstance(kind, str) for kind in acting)
    across = np.eye(3) - revolution.T @ revolution
    rows = [np.hstack([across, np.zeros((3, 3))])]
    rows += [np.hstack([np.zeros((3, 3)), np.einsum("aij,j->ia", _TURN, v)]) for v in fixed_vectors]
    if together:
        rows.append(np.hstack([np.eye(3), -np.eye(3)]))
    return scipy.linalg.null_space(np.vstack(rows), rcond=1e-9).T.reshape(-1, 2, 3)


class Rotations:
    """The rotations that a mesh approximates, acting on the components of Q at its nodes.

    Parameters
    ----------
    mesh : Elements
        Of a domain in space.
    free : (N,) int array
        The nodes whose values are unknown.
    filled : callable
        ``filled(x)``: the components (5, all nodes) of a point.
    generators : (m, 2, 3) array
        See `rotation_generators`.
    mass : (n,) array
        The inner product.
    """

    def __init__(
        self,
        mesh: Elements,
        free: np.ndarray,
        filled: Callable[[np.ndarray], np.ndarray],
        generators: np.ndarray,
        mass: np.ndarray,
    ):
        self._mesh, self._free, self._filled, self._generators, self._mass = mesh, free, filled, generators, mass

    # --- how a rotation moves a state ------------------------------------------------------------------------------------

    def zero_modes(self, exact: Symmetry, x: np.ndarray, softened: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Orthonormal directions (k, n) in which rotations move a state, without those that are errors of discretisation.

        ``softened(modes)`` takes out of rows (k, n) what is stiff: errors are rough, and the modes soft. In a ball the part of the
        state that the icosahedron leaves alone is taken to be radial, which is true up to angular momentum six: so a state that
        has only just left the hedgehog is told from it.
        """
        q = self._filled(x)
        if len(self._generators) == 3:
            q = q - self._filled(exact.images(x).mean(axis=0))
        moves, errors = self._moves(q)
        moves = softened(moves)
        squares, combinations = np.linalg.eigh((moves * self._mass) @ moves.T)
        noise = np.sqrt(((combinations.T @ errors) ** 2) @ self._mass)
        sizes = np.sqrt(np.maximum(squares, 0.0))
        kept = sizes > np.maximum(SIGNIFICANT * noise, _ROUNDING * self._distance(x, np.zeros(x.size)))
        return combinations.T[kept] @ moves / sizes[kept, None]

    def _moves(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How the generators move the field q (5, all nodes), (m, n), and an estimate of the errors of that, (m, n).

        A rotated field is Q' = R Q(R^T x) R^T, so that dQ = [W_b, Q] - (a x r) . grad Q. Slopes are means over the cells
        around each node; smoothing them once more changes them by about as much as they are wrong.
        """
        slopes = self._mesh.slopes(q)
        rough = self._mesh.smoothed(slopes) - slopes
        turned = np.einsum("mi,iab,bn->man", self._generators[:, 1], _TENSOR_TURN, q)
        velocity = np.einsum("mi,idj,nj->mnd", self._generators[:, 0], _TURN, self._mesh.nodes)
        moves, errors = turned - np.einsum("mnd,dan->man", velocity, slopes), np.einsum("mnd,dan->man", velocity, rough)
        return tuple(rows[:, :, self._free].reshape(len(self._generators), -1) for rows in (moves, errors))

    # --- which rotation brings a state nearest to another -----------------------------------------------------------------

    def symmetry(self, exact: Symmetry) -> Symmetry:
        """The group with these rotations in it.

        Parameters
        ----------
        exact : Symmetry
            The maps that the mesh has itself.
        """
        return exact.with_matching(partial(self.nearest, exact), TOLERANCE * self._spacing**2)

    @property
    def _spacing(self) -> float:
        """The mean distance of nodes, from the volume that each has."""
        return float(np.mean(self._mesh.weights) ** (1.0 / 3.0))

    def nearest(self, exact: Symmetry, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The rotated copy of y nearest to x, both (n,): among its images under the exact maps, each then turned further."""
        images = exact.images(y)
        fields = [self._filled(image) for image in images]
        copies = [(q, np.eye(6), image) for q, image in zip(fields, images, strict=True)]
        for turn in self._first_turns(exact):
            located = self._located(turn)
            copies += [(q, turn, self._rotated(q, turn, located)) for q in fields]
        starts = [(self._distance(x, moved), number, q, turn, moved) for number, (q, turn, moved) in enumerate(copies)]
        starts.sort(key=lambda start: start[:2])
        found = [self._refined(x, q, turn, distance, moved) for distance, _, q, turn, moved in starts[:_REFINED]]
        return min(found, key=lambda pair: pair[0])[1]

    def _distance(self, x: np.ndarray, y: np.ndarray) -> float:
        return float(np.sqrt(((x - y) ** 2) @ self._mass))

    def _first_turns(self, exact: Symmetry) -> list[np.ndarray]:
        """Where to start besides the exact maps: about a single axis, turns by fractions of the angle between these."""
        if len(self._generators) > 1:
            return []
        between = 2.0 * np.pi / max(map(_period, exact.permutations))
        number = int(np.ceil(between / _FIRST_TURN))
        length = np.abs(self._generators[0]).max()  # of each half of the pair (a, b) that is not zero
        return [self._turn(np.array([between * k / number / length])) for k in range(1, number)]

    def _turn(self, amounts: np.ndarray) -> np.ndarray:
        """The rotations of space and of the tensor, in one matrix (6, 6), by amounts (m,) of the generators."""
        a, b = np.einsum("m,mki->ki", amounts, self._generators)
        return scipy.linalg.block_diag(Rotation.from_rotvec(a).as_matrix(), Rotation.from_rotvec(b).as_matrix())

    def _refined(
        self, x: np.ndarray, q: np.ndarray, turn: np.ndarray, distance: float, moved: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Gauss-Newton's method for the rotation of the field q (5, all nodes) nearest to x, from one of them."""
        for _ in range(_STEPS):
            moves, errors = self._moves(self._filled(moved))
            # Damped by the errors: where a rotation moves the state by no more than these, it is not to be used.
            matrix = (moves * self._mass) @ moves.T + SIGNIFICANT**2 * (errors * self._mass) @ errors.T
            step, before = np.linalg.lstsq(matrix, (moves * self._mass) @ (x - moved))[0], distance
            while np.abs(step).max() > _SMALLEST_STEP:
                trial_turn = self._turn(step) @ turn
                trial = self._rotated(q, trial_turn, self._located(trial_turn))
                if (trial_distance := self._distance(x, trial)) < distance:
                    turn, distance, moved = trial_turn, trial_distance, trial
                    break
                step = 0.5 * step
            if distance > (1.0 - _GAIN) * before:
                break
        return distance, moved

    def _rotated(self, q: np.ndarray, turn: np.ndarray, located: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """The point x (n,) of the field q (5, all nodes) rotated; ``located``: where from, see `_located`."""
        corners, shares = located
        values = np.einsum("anc,nc->an", q[:, corners], shares)
        return (conjugation(turn[3:, 3:]) @ values).ravel()

    @cached_property
    def _cells(self) -> tuple[cKDTree, np.ndarray, np.ndarray]:
        """A tree of the middles of the cells, their first corners (T, 3), and the matrices (T, 3, 3) to barycentric coordinates."""
        corners = self._mesh.nodes[self._mesh.cells]
        edges = (corners[:, 1:] - corners[:, :1]).swapaxes(1, 2)
        return cKDTree(corners.mean(axis=1)), corners[:, 0], np.linalg.inv(edges)

    def _located(self, turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where a rotation takes the free nodes from: the nodes (N, 4) of the cell there, and their shares (N, 4) in the point.

        A point outside the mesh, under a curved boundary, is given to the face next to it.
        """
        tree, origins, inverses = self._cells
        points = self._mesh.nodes[self._free] @ turn[:3, :3]  # rows x^T R = (R^-1 x)^T
        near = tree.query(points, min(_CELLS_NEAR, len(origins)))[1]
        shares = np.einsum("nkij,nkj->nki", inverses[near], points[:, None] - origins[near])
        shares = np.concatenate([1.0 - shares.sum(axis=2, keepdims=True), shares], axis=2)
        best = shares.min(axis=2).argmax(axis=1)
        rows = np.arange(len(points))
        shares = np.maximum(shares[rows, best], 0.0)
        return self._mesh.cells[near[rows, best]], shares / shares.sum(axis=1, keepdims=True)


def _period(permutation: np.ndarray) -> int:
    """How often a permutation is applied until everything is back in its place."""
    image, period = permutation, 1
    while not (image == np.arange(permutation.size)).all():
        image, period = permutation[image], period + 1
    return period
