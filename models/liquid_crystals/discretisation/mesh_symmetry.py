"""Which maps of a mesh and of the Q-tensor keep the energy of the full model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.fft

from saddlescape.symmetry import Symmetry

from ..tensors import conjugation
from .elements import Elements

_SAME = 1e-9  # boundary data of size one that differ by less are the same
_PROBED = 20
_UPSIDE_DOWN = np.diag([1.0, 1.0, -1.0])


def rotations_of_rings(mesh: Elements, fields: Sequence[np.ndarray]) -> np.ndarray | None:
    """Axes that turn with the rings of a mesh: at each node the matrix from its own components to those of the laboratory.

    Parameters
    ----------
    mesh : Elements
    fields : sequence of (5, N) arrays
        What must be the same along each ring.

    Returns
    -------
    (N, 5, 5) array, or None where there are no rings, or the fields do not turn with them
    """
    if mesh.ring is None:
        return None
    angle = np.arctan2(mesh.nodes[:, 1], mesh.nodes[:, 0])[: mesh.ring]
    cos, sin, zero = np.cos(angle), np.sin(angle), np.zeros(angle.size)
    turns = np.stack([[cos, -sin, zero], [sin, cos, zero], [zero, zero, zero + 1.0]]).transpose(2, 0, 1)
    along = np.array([conjugation(turn) for turn in turns])
    axes = np.tile(along, (len(mesh.nodes) // mesh.ring, 1, 1))
    for field in fields:
        own = np.einsum("nba,bn->an", axes, field).reshape(5, -1, mesh.ring)
        if np.abs(own - own[:, :, :1]).max() > _SAME * (1.0 + np.abs(own).max()):
            return None
    return axes


def rotation_of_rings(x: np.ndarray, size: int) -> np.ndarray:
    """The direction in which a shift along all rings of ``size`` nodes moves x (n,): (1, n)."""
    wave = 1j * np.arange(size // 2 + 1.0)
    if size % 2 == 0:
        wave[-1] = 0.0  # the shortest wave of a real field has no direction to move in
    return scipy.fft.irfft(wave * scipy.fft.rfft(x.reshape(-1, size)), n=size).reshape(1, -1)


def mesh_symmetry(
    mesh: Elements,
    free: np.ndarray,
    axes: np.ndarray | None,
    kept: Sequence[np.ndarray],
    surface: np.ndarray,
    isotropic: bool,
) -> Symmetry:
    """The symmetry of the full model on a mesh.

    Parameters
    ----------
    mesh : Elements
    free : (N,) int array
        The free nodes.
    axes : (all nodes, 5, 5) array, or None
        See `rotations_of_rings`.
    kept : sequence of (5, all nodes) arrays
        Fields of tensors, in the axes of the laboratory, that a symmetry leaves as they are.
    surface : (all nodes,) array
        Strengths of weak anchoring.
    isotropic : bool
        Whether one elastic constant leaves the tensor independent of space: then any matrix of the group of the domain may go with
        any map, else only its own. In the plane the mirror image upside down goes with both.
    """
    n_nodes = len(mesh.nodes)
    place = np.full(n_nodes, -1)
    place[free] = np.arange(free.size)
    maps = _maps(mesh)
    matrices = [matrix for _, matrix in maps]
    fields = np.concatenate([kept, [np.vstack([surface, np.zeros((4, n_nodes))])]])
    fields /= 1.0 + np.abs(fields).max(axis=(1, 2), keepdims=True)
    probe = np.flatnonzero(np.abs(fields[:-1]).max(axis=(0, 1)) > _SAME)[:_PROBED]  # most matrices are refused by a few nodes
    permutations, actions = [], []
    for permutation, own in maps:
        if (place[permutation[free]] < 0).any() or np.abs(fields[-1, 0, permutation] - fields[-1, 0]).max() > _SAME:
            continue
        found: list[np.ndarray] = []
        for matrix in matrices if isotropic else [own]:
            for turn in (matrix, _UPSIDE_DOWN @ matrix) if mesh.dimension == 2 else (matrix,):
                action = conjugation(turn)
                if not (_keeps(action, permutation, fields[:-1], probe) and _keeps(action, permutation, fields[:-1])):
                    continue
                local = _in_own_axes(action, permutation, axes)
                if local is not None and not any(np.abs(local - known).max() < _SAME for known in found):
                    found.append(local)
        permutations += [place[permutation[free]]] * len(found)
        actions += found
    # All maps with all matrices were tried: those that keep the energy are a group, the identity first.
    nodes = np.array(permutations)
    components = nodes[:, None, :] + free.size * np.arange(5)[:, None]
    grid = None if axes is None else (mesh.ring,)
    unknowns = components.reshape(len(nodes), -1)
    return Symmetry(unknowns, np.ones(unknowns.shape), grid, mixing=np.array(actions))


def _keeps(action: np.ndarray, permutation: np.ndarray, fields: np.ndarray, nodes: np.ndarray | slice = slice(None)) -> bool:
    """Whether fields (k, 5, N) of size one are the same at some nodes after a map of space and an action (5, 5) on components."""
    return bool(np.abs(action @ fields[:, :, permutation[nodes]] - fields[:, :, nodes]).max(initial=0.0) <= _SAME)


def _maps(mesh: Elements) -> list[tuple[np.ndarray, np.ndarray]]:
    """All maps of a mesh onto itself that are known: the node carried to each node (N,), and R (3, 3)."""
    identity = (np.arange(len(mesh.nodes)), np.eye(3))
    if not mesh.generators:
        return [identity]
    found = [identity]
    for permutation, matrix in found:  # the list grows while it is read
        for p, m in mesh.generators:
            image = m @ matrix
            if not any(np.abs(image - known).max() < 1e-6 for _, known in found):
                found.append((permutation[p], image))
    return found


def _in_own_axes(action: np.ndarray, permutation: np.ndarray, axes: np.ndarray | None) -> np.ndarray | None:
    """The matrix as it acts on components in the axes of the nodes; None if that differs from node to node."""
    if axes is None:
        return action
    local = axes.swapaxes(1, 2) @ action @ axes[permutation]
    return local[0] if np.abs(local - local[0]).max() <= _SAME else None
