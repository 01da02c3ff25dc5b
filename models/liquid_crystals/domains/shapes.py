"""Plane domains with meshes made on the spot, each mapped exactly to itself by the group of its shape."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from saddlescape.given import is_number

from ..discretisation.anchoring import facet_conditions
from ..discretisation.elements import Elements, cut_quadrilaterals
from .domain import Domain

if TYPE_CHECKING:
    from ..discretisation.full_mesh import FullOnMesh
    from ..discretisation.reduced_mesh import ReducedOnMesh
    from ..reduced import ReducedLandauDeGennes

REFLECTION = np.diag([1.0, -1.0])
"""y -> -y."""


class Meshed(Domain):
    """A domain that is discretised by linear elements."""

    start_names: ClassVar[tuple[str, ...]] = ("ring", "uniform")
    dimension: ClassVar[int] = 2

    def discretise(self, n: int) -> Elements:
        """The mesh whose size n sets."""
        return _discretised(self, n)

    def _mesh(self, n: int) -> Elements:
        raise NotImplementedError

    def part_normals(self, n: int) -> dict[str, np.ndarray]:
        """Each part of the boundary with a vector (3,) that says, by not being along z, whether it has a tangent direction."""
        mesh = self.discretise(n)
        return dict.fromkeys(mesh.parts, np.eye(3)[0 if mesh.dimension == 2 else 2])

    def check_anchoring(self, n: int, anchoring: Any, strength: Any) -> None:
        """Raise ValueError if a surface in space is to be tangent, or the whole boundary is free."""
        facet_conditions(anchoring, strength, self.discretise(n))

    def full_tensor(self, n: int, anchoring: Any, strength: Any, **material: Any) -> FullOnMesh:
        """The discrete full Landau-de Gennes energy; ``material`` as `FullOnMesh` takes it."""
        from ..discretisation.full_mesh import FullOnMesh

        mesh = self.discretise(n)
        starts = self.start_names[:2]  # guesses by the angle at the boundary are of the reduced model alone
        return FullOnMesh(mesh, facet_conditions(anchoring, strength, mesh), starts=starts, **material)

    def reduced(self, model: ReducedLandauDeGennes, order: float) -> ReducedOnMesh:
        """The reduced model on this domain; |P| = ``order`` on the boundary."""
        from ..discretisation.reduced_mesh import ReducedOnMesh  # its kernels are compiled when they are first needed

        mesh = self.discretise(model.n)
        return ReducedOnMesh(self, mesh, model, order)


@lru_cache(maxsize=8)
def _discretised(domain: Meshed, n: int) -> Elements:
    # One mesh serves all the models that a landscape or a continuation makes.
    return domain._mesh(n)


class Polygon(Meshed):
    """The regular polygon of k edges of length one, the lowest of them horizontal; n nodes per edge.

    A tangent director without defects inside turns by 2 pi / k at k - 2 corners and by 2 pi / k - pi at the other two. Which two
    names a start, stationary only almost: of the hexagon "para", "meta" and "ortho", of the square "d" and "r", of the others
    "pair-1", "pair-2", ... by how many edges they are apart.

    Parameters
    ----------
    k : int
        3 to 8. ``Polygon(4)`` is a square on a triangulation: lengths are in edges, not in half edges as for `Square`.

    Raises
    ------
    ValueError
        If k is out of range.
    """

    name = "polygon"
    max_corner = 0.5
    _pairs: ClassVar[dict[int, tuple[str, ...]]] = {4: ("r", "d"), 6: ("ortho", "meta", "para")}

    def __new__(cls, k: int) -> Polygon:
        if not (isinstance(k, (int, np.integer)) and 3 <= k <= 8):
            raise ValueError(f"k: got {k!r}, expected a number of edges from 3 to 8")
        return super().__new__(cls, int(k))

    def _mesh(self, n: int) -> Elements:
        k = self[1]
        corners = 0.5 / np.sin(np.pi / k) * _circle(k, -0.5 * np.pi - np.pi / k)
        nodes, cells = _sectors(corners, n - 1)
        turn = 2.0 * np.pi / k
        rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        return Elements(nodes, cells, maps=[rotation, -REFLECTION])

    @property
    def pairs(self) -> tuple[str, ...]:
        """Names of the states without defects inside, by the distance of their two special corners: 1, 2, ... edges."""
        k = self[1]
        return self._pairs.get(k, tuple(f"pair-{apart}" for apart in range(1, k // 2 + 1)))

    @property
    def start_names(self) -> tuple[str, ...]:
        """The named starts."""
        return ("wors" if self[1] == 4 else "ring", "uniform", *self.pairs)

    def angle(self, n: int, name: str) -> np.ndarray:
        """Director angle at the boundary, (N,), zero inside; 0 on the lowest edge, at a corner the mean of its edges."""
        k = self[1]
        turns = np.full(k, 2.0 * np.pi / k)  # at the first corner of each edge
        turns[[0, 1 + self.pairs.index(name)]] -= np.pi
        edges = np.concatenate([[0.0], np.cumsum(turns[1:])])
        on_edges = np.repeat(edges[:, None], n - 1, axis=1)
        on_edges[:, 0] -= 0.5 * turns
        values = np.zeros(len(self.discretise(n).nodes))
        values[-on_edges.size :] = on_edges.ravel()
        return values


def Triangle() -> Polygon:
    """The equilateral triangle of unit edge."""
    return Polygon(3)


def Pentagon() -> Polygon:
    """The regular pentagon of unit edge."""
    return Polygon(5)


def Hexagon() -> Polygon:
    """The regular hexagon of unit edge."""
    return Polygon(6)


class Ellipse(Meshed):
    """The ellipse with half axes ``aspect`` along x and 1 along y; n nodes on the short axis.

    Parameters
    ----------
    aspect : float
        At least 1.

    Raises
    ------
    ValueError
        If it is less.
    """

    name = "ellipse"

    def __new__(cls, aspect: float) -> Ellipse:
        return super().__new__(cls, number("aspect", aspect, 1.0, np.inf, "the long half axis over the short one, at least 1"))

    def _mesh(self, n: int) -> Elements:
        levels = n // 2
        nodes, cells = _sectors(_circle(6, 0.0), levels)
        # The hexagons around the centre become circles, their nodes evenly spaced.
        level = np.concatenate([[0.0], np.repeat(np.arange(1, levels + 1), 6 * np.arange(1, levels + 1))])
        place = np.concatenate([[0.0], *(np.arange(6 * m) / (6 * m) for m in range(1, levels + 1))])
        nodes = level[:, None] / levels * np.stack([np.cos(2 * np.pi * place), np.sin(2 * np.pi * place)], axis=1)
        return Elements(nodes * [self[1], 1.0], cells, maps=[REFLECTION, -REFLECTION])


class Disk(Meshed):
    """The disk of radius one on rings of nodes, so that every rotation by one node is exact; n nodes on a diameter.

    No node sits at the centre: the rings have the radii h / 2, 3 h / 2, ..., 1.
    """

    name = "disk"

    def __new__(cls) -> Disk:
        return super().__new__(cls)

    def _mesh(self, n: int) -> Elements:
        rings = n // 2
        radii = (np.arange(rings) + 0.5) / (rings - 0.5)
        size = _nodes_on_ring(1.0 / (rings - 0.5))
        hole = 0.5 * size * np.sin(2.0 * np.pi / size) * radii[0] ** 2
        return _rings(radii, size, {"boundary": rings - 1}, hole)


class Annulus(Meshed):
    """The ring between a circle of radius ``inner`` and one of radius 1, on rings of nodes as the disk.

    The parts of its boundary are "inner" and "outer". As on the disk, n sets the distance 2 / (n - 1) of nodes on a diameter.

    Parameters
    ----------
    inner : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If it is not.
    """

    name = "annulus"

    def __new__(cls, inner: float) -> Annulus:
        return super().__new__(cls, number("inner", inner, 0.0, 1.0, "a radius between 0 and 1", strict=True))

    def _mesh(self, n: int) -> Elements:
        spacing = 2.0 / (n - 1)
        gaps = max(2, round((1.0 - self[1]) / spacing))
        return _rings(np.linspace(self[1], 1.0, gaps + 1), _nodes_on_ring(spacing), {"inner": 0, "outer": gaps}, 0.0)


def number(name: str, value: Any, low: float, high: float, expected: str, strict: bool = False) -> float:
    if not (is_number(value) and np.isfinite(value) and (low < value < high if strict else low <= value <= high)):
        raise ValueError(f"{name}: got {value!r}, expected {expected}")
    return float(value)


def _circle(k: int, start: float) -> np.ndarray:
    """k points evenly spaced on the unit circle, (k, 2)."""
    angle = start + 2.0 * np.pi * np.arange(k) / k
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _sectors(corners: np.ndarray, levels: int) -> tuple[np.ndarray, np.ndarray]:
    """The triangles between the centre and each edge of a polygon, cut into levels^2 similar ones.

    Nodes come level by level from the centre outwards, k * l of them on level l: a mesh of small bandwidth.
    """
    k = len(corners)
    first = 1 + k * np.arange(levels + 1) * (np.arange(levels + 1) - 1) // 2
    first[0] = 0
    nodes, cells = [np.zeros((1, 2))], []
    for level in range(1, levels + 1):
        steps = np.arange(level)[:, None] / level
        edges = [corners[j] * (1.0 - steps) + corners[(j + 1) % k] * steps for j in range(k)]
        nodes.append(np.concatenate(edges) * (level / levels))
        outer, inner = k * level, max(1, k * (level - 1))
        for j in range(k):
            out = first[level] + (j * level + np.arange(level + 1)) % outer
            within = first[level - 1] + (j * (level - 1) + np.arange(level)) % inner
            cells.append(np.stack([within, out[:-1], out[1:]], axis=1))
            cells.append(np.stack([within[:-1], out[1:-1], within[1:]], axis=1))
    return np.concatenate(nodes), np.concatenate(cells)


def _nodes_on_ring(spacing: float) -> int:
    """How many nodes a ring has: about this far apart at radius 1, a multiple of 4."""
    return 4 * max(2, round(0.5 * np.pi / spacing))


def _rings(radii: np.ndarray, size: int, parts: dict[str, int], hole: float) -> Elements:
    """Rings of nodes, the quadrilaterals between them cut along both diagonals; parts by the number of their ring."""
    nodes = (radii[:, None, None] * _circle(size, 0.0)).reshape(-1, 2)
    index = np.arange(len(nodes)).reshape(-1, size)
    after = np.roll(index, -1, axis=1)
    cells, other = cut_quadrilaterals(np.stack([index[:-1], index[1:], after[1:], after[:-1]], axis=-1).reshape(-1, 4))
    facets = {name: np.stack([index[ring], after[ring]], axis=1) for name, ring in parts.items()}
    return Elements(nodes, cells, parts=facets, maps=[REFLECTION], other=other, ring=size, hole=hole)
