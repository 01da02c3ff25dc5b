"""Simplicial meshes that are exactly symmetric under a reflection group: one fundamental cell, refined and mirrored.

A fundamental cell is the set of integer points that satisfy some order relations, such as n >= i >= j >= k >= 0 for a simplex.
Kuhn's triangulation of the cubes of the lattice respects every such relation, and its trace on a wall depends on the wall alone:
mirror images fit together. A map then takes the integer points to where they are in space.

References
----------
H. W. Kuhn, IBM J. Res. Dev. 4 (1960) 518; H. Freudenthal, Ann. Math. 43 (1942) 580.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import permutations

import numpy as np
from scipy.spatial import cKDTree

_LARGEST_GROUP = 1000
_ROUNDING = 1e-9  # relative to the size of the mesh: points nearer than this are one


def kuhn_cells(extents: Sequence[int], inside: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Kuhn's triangulation of a part of the integer lattice.

    Parameters
    ----------
    extents : sequence of int, (d,)
        The lattice runs from 0 to these, both included.
    inside : callable
        Takes integer points (..., d), returns which belong to the part, (...). A union of Kuhn's simplices.

    Returns
    -------
    points : (p, d) int array
    cells : (t, d + 1) int array
        Rows of ``points``.
    """
    d = len(extents)
    corners = np.stack(np.meshgrid(*[np.arange(extent) for extent in extents], indexing="ij"), axis=-1).reshape(-1, d)
    paths = np.array(
        [np.vstack([np.zeros((1, d), int), np.cumsum(np.eye(d, dtype=int)[list(p)], axis=0)]) for p in permutations(range(d))]
    )
    simplices = (corners[:, None, None, :] + paths).reshape(-1, d + 1, d)
    simplices = simplices[inside(simplices).all(axis=1)]
    points, number = np.unique(simplices.reshape(-1, d), axis=0, return_inverse=True)
    return points, number.reshape(-1, d + 1)


def group_of(generators: Sequence[np.ndarray]) -> np.ndarray:
    """The finite group of orthogonal matrices (G, d, d) that some of them (d, d) generate, the identity first.

    Raises
    ------
    ValueError
        If they generate more than 1000 elements.
    """
    elements = [np.eye(len(generators[0]))]
    for element in elements:  # the list grows while it is read
        for generator in generators:
            image = generator @ element
            if not any(np.abs(image - known).max() < 1e-6 for known in elements):
                elements.append(image)
        if len(elements) > _LARGEST_GROUP:
            raise ValueError(f"generators: they generate no finite group of at most {_LARGEST_GROUP} elements")
    return np.array(elements)


def reflection(normal: np.ndarray) -> np.ndarray:
    """The reflection (d, d) in the plane through the origin that is normal to a vector (d,)."""
    normal = normal / np.linalg.norm(normal)
    return np.eye(normal.size) - 2.0 * np.outer(normal, normal)


def mirrored(points: np.ndarray, cells: np.ndarray, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All images of a fundamental cell, joined, with every cell positively oriented.

    Parameters
    ----------
    points : (p, d) array
    cells : (t, d + 1) int array
    group : (G, d, d) array

    Returns
    -------
    points : (N, d) array
    cells : (G t, d + 1) int array
    """
    images = (points @ group.swapaxes(1, 2)).reshape(-1, points.shape[1])
    size = np.abs(points).max()
    near = cKDTree(images).query_ball_point(images, _ROUNDING * size, return_sorted=True)
    first = np.array([found[0] for found in near])
    kept, number = np.unique(first, return_inverse=True)
    shifts = len(points) * np.arange(len(group))
    joined = number[(cells[None] + shifts[:, None, None]).reshape(-1, cells.shape[1])]
    joined_points = images[kept]
    edges = joined_points[joined[:, 1:]] - joined_points[joined[:, :1]]
    turned = np.linalg.det(edges) < 0.0
    joined[turned, :2] = joined[turned, 1::-1]
    return joined_points, joined


def permutations_of(points: np.ndarray, group: np.ndarray) -> np.ndarray:
    """How the elements of a group permute the nodes of a mesh: (G, N), ``R points[i] = points[permutation[i]]``.

    Raises
    ------
    ValueError
        If an element maps a node to none.
    """
    size = np.abs(points).max()
    distances, found = cKDTree(points).query(points @ group.swapaxes(1, 2))
    if distances.max() > 1e3 * _ROUNDING * size:
        raise ValueError(
            f"group: an element moves a node to {distances.max():.2e} from the nearest one; the mesh is not symmetric under it"
        )
    return found
