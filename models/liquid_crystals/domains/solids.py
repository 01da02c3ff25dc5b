"""Domains in space with meshes of tetrahedra made on the spot, each mapped exactly to itself by the group of its shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..discretisation.elements import Elements, boundary_facets
from ..discretisation.symmetric_mesh import group_of, kuhn_cells, mirrored, reflection
from .shapes import Meshed, number

GOLDEN = 0.5 * (1.0 + np.sqrt(5.0))
# The middle of a face, of an edge of it, and a vertex of an icosahedron.
_ICOSAHEDRON = np.array([[GOLDEN, 0.0, 1.0 + 2.0 * GOLDEN], [0.0, 0.0, GOLDEN], [0.0, 1.0, GOLDEN]])
_SIDES = 8  # of the polygon whose rings become the circles of a cylinder


class Solid(Meshed):
    """A domain in space."""

    dimension = 3

    def check_nodes(self, n: Any) -> int:
        """A number of nodes as a model keeps it.

        Raises
        ------
        ValueError
            If n is not an odd integer of at least 5.
        """
        if not isinstance(n, (int, np.integer)) or n < 5 or n % 2 == 0:
            raise ValueError(f"n: got {n!r}, expected an odd integer of at least 5: the nodes on a diameter, the centre among them")
        return int(n)


class Ball(Solid):
    """The ball of radius one, or the spheroid x^2 + y^2 + (z / aspect)^2 <= 1; n nodes on a diameter.

    The mesh of a ball has all 120 symmetries of the icosahedron, so that the cost of turning a state is small.

    Parameters
    ----------
    aspect : float
        Half axis along z, positive: prolate above 1, oblate below.

    Raises
    ------
    ValueError
        If it is not positive.
    """

    name = "ball"
    start_names = ("radial", "uniform")

    def __new__(cls, aspect: float = 1.0) -> Ball:
        return super().__new__(cls, number("aspect", aspect, 0.0, np.inf, "a positive half axis", strict=True))

    def _mesh(self, n: int) -> Elements:
        levels = n // 2
        corners = _ICOSAHEDRON / np.linalg.norm(_ICOSAHEDRON, axis=1, keepdims=True)
        walls = [reflection(np.cross(corners[a], corners[b])) for a, b in ((0, 1), (0, 2), (1, 2))]
        steps, cells = kuhn_cells((levels,) * 3, lambda p: (p[..., 0] >= p[..., 1]) & (p[..., 1] >= p[..., 2]))
        i, j, k = steps.T
        directions = np.stack([i - j, j - k, k], axis=1) @ corners
        sizes = np.linalg.norm(directions, axis=1, keepdims=True)
        points = directions / np.where(sizes > 0.0, sizes, 1.0) * (i / levels)[:, None]
        nodes, cells = mirrored(points, cells, group_of(walls))
        if self[1] != 1.0:
            # What is left of the symmetry: mirrors along the axes, of which two edges of the icosahedron are.
            walls = [np.diag(signs) for signs in ((-1.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, -1.0))]
        revolution = np.eye(3) if self[1] == 1.0 else np.eye(3)[2:]
        return Elements(nodes * [1.0, 1.0, self[1]], cells, maps=walls, revolution=revolution)


class Cylinder(Solid):
    """The cylinder x^2 + y^2 <= 1, |z| <= height; n nodes on a diameter.

    The parts of its boundary are "side", "back" and "front", the disks at z = -height and z = height.

    Parameters
    ----------
    height : float
        Half its length over its radius, positive.

    Raises
    ------
    ValueError
        If it is not positive.
    """

    name = "cylinder"
    start_names = ("symmetric", "uniform")

    def __new__(cls, height: float = 1.0) -> Cylinder:
        return super().__new__(cls, number("height", height, 0.0, np.inf, "a positive height", strict=True))

    def _mesh(self, n: int) -> Elements:
        levels = n // 2
        layers = max(1, round(self[1] * levels))
        half = np.pi / _SIDES
        steps, cells = kuhn_cells((levels, levels, layers), lambda p: p[..., 0] >= p[..., 1])
        i, j, k = steps.T
        angle = half * j / np.maximum(i, 1)
        radius = i / levels
        points = np.stack([radius * np.cos(angle), radius * np.sin(angle), self[1] * k / layers], axis=1)
        walls = [np.diag([1.0, -1.0, 1.0]), reflection(np.array([-np.sin(half), np.cos(half), 0.0])), np.diag([1.0, 1.0, -1.0])]
        nodes, cells = mirrored(points, cells, group_of(walls))
        return Elements(nodes, cells, parts=self._parts(nodes, cells), maps=walls, revolution=np.eye(3)[2:])

    def _parts(self, nodes: np.ndarray, cells: np.ndarray) -> dict[str, np.ndarray]:
        facets, _ = boundary_facets(cells)
        height = nodes[facets, 2]
        rounding = 1e-9 * self[1]
        back, front = ((np.abs(height - end) < rounding).all(axis=1) for end in (-self[1], self[1]))
        return {"side": facets[~(back | front)], "back": facets[back], "front": facets[front]}
