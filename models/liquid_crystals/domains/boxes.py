"""Domains with structured grids: nodes, boundary data, and the symmetries of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from saddlescape.given import check_positive, is_integer

from ..discretisation.anchoring import conditions
from ..discretisation.elements import Elements, cut_quadrilaterals
from ..discretisation.full_box import FullBox
from ..discretisation.grid import FACES, Grid
from ..discretisation.lines import Axis
from ..discretisation.reduced_grid import ReducedOnGrid
from .domain import Domain

if TYPE_CHECKING:
    from ..reduced import ReducedLandauDeGennes


class Box(Domain):
    """A box with its middle at the origin: what its subclasses share.

    Lengths are in half edges lambda of the edge along y. The faces are ``left`` and ``right`` (x), ``bottom`` and ``top`` (y), and
    in three dimensions ``back`` and ``front`` (z); periodic axes have none.
    """

    dimension: ClassVar[int] = 2

    def half_edges(self) -> tuple[float, ...]:
        """Half of each edge, along x, y and, in three dimensions, z."""
        raise NotImplementedError

    @property
    def periodic(self) -> str:
        """The letters of the periodic axes."""
        return ""

    @property
    def normals(self) -> dict[str, np.ndarray]:
        """Each face and its outward normal (3,)."""
        found = {}
        for number, axis in enumerate("xyz"[: self.dimension]):
            if axis not in self.periodic:
                for face, sign in zip(FACES[2 * number : 2 * number + 2], (-1.0, 1.0), strict=True):
                    found[face] = sign * np.eye(3)[number]
        return found

    def part_normals(self, n: int) -> dict[str, np.ndarray]:
        """Each face and its outward normal (3,), whatever n."""
        return self.normals

    def check_nodes(self, n: Any) -> int | tuple[int, ...]:
        """Numbers of nodes as a model keeps them.

        Raises
        ------
        ValueError
            If n is neither an integer of at least 5 nor one such integer for each axis.
        """
        each = isinstance(n, (tuple, list))
        if (each and len(n) != self.dimension) or not all(is_integer(count) and count >= 5 for count in (n if each else [n])):
            raise ValueError(
                f"n: got {n!r}, expected an integer of at least 5 (nodes along x, boundary included), or {self.dimension} of them, "
                f"one for each of the axes {', '.join('xyz'[: self.dimension])}"
            )
        return tuple(int(count) for count in n) if each else int(n)

    def counts(self, n: int | tuple[int, ...]) -> tuple[int, ...]:
        """Nodes along each axis: those given, or n along x and the others at a spacing as near to that as fits."""
        if isinstance(n, tuple):
            return n
        halves = self.half_edges()
        wanted = 2.0 * halves[0] / (n if "x" in self.periodic else n - 1)
        links = [max(round(2.0 * half / wanted), 4) for half in halves]
        return tuple(link + (axis not in self.periodic) for axis, link in zip("xyz", links, strict=False))

    def axes(self, n: int | tuple[int, ...]) -> tuple[Axis, Axis, Axis]:
        """The grid lines along x, y, z; in two dimensions a single node along z."""
        found = []
        for axis, half, count in zip("xyz", self.half_edges(), self.counts(n), strict=False):
            periodic = axis in self.periodic
            links = count if periodic else count - 1
            found.append(Axis(np.linspace(-half, half, links + 1)[:count], 2.0 * half / links, periodic))
        if self.dimension == 2:
            found.append(Axis(np.zeros(1), 1.0))
        return tuple(found)

    @property
    def max_corner(self) -> float:
        """Half of the shortest edge."""
        return min(self.half_edges())

    def full_tensor(self, n: int, anchoring: Any, strength: Any, **material: Any) -> FullBox:
        """The discrete full Landau-de Gennes energy; ``material`` as `FullBox` takes it."""
        return FullBox(Grid(self.axes(n), conditions(anchoring, strength, self.normals)), **material)


class Flat(Box):
    """A box in the plane."""

    start_names = ("ring", "uniform", "d", "r")  # of linear elements; see `reduced`

    def angle(self, n: int | tuple[int, int], state: str) -> np.ndarray:
        """Director angle on the boundary for a harmonic guess of a state, (ny, nx), zero inside.

        ``"d"``: 0 on the horizontal and pi/2 on the vertical edges; the director runs along a diagonal. ``"r"``: pi on the top
        edge instead; the director turns by pi from bottom to top.
        """
        values = np.zeros(self.counts(n)[::-1])
        values[:, 0] = values[:, -1] = np.pi / 2
        values[-1, :] = np.pi if state == "r" else 0.0
        values[0, :] = 0.0
        return values

    def discretise(self, n: int | tuple[int, int]) -> Elements:
        """Linear elements on the grid, whose stiffness is the five-point Laplacian; parts "left", "right", "bottom", "top"."""
        nx, ny = self.counts(n)
        index = np.arange(nx * ny).reshape(ny, nx)
        x_axis, y_axis, _ = self.axes(n)
        y, x = np.meshgrid(y_axis.nodes, x_axis.nodes, indexing="ij")
        corners = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1)
        cells, other = cut_quadrilaterals(corners.reshape(-1, 4))
        edges = {"left": index[:, 0], "right": index[:, -1], "bottom": index[0], "top": index[-1]}
        parts = {name: np.stack([line[:-1], line[1:]], axis=1) for name, line in edges.items()}
        maps = [np.diag([-1.0, 1.0]), np.diag([1.0, -1.0])]
        if x_axis.like(y_axis):
            maps.append(np.array([[0.0, 1.0], [1.0, 0.0]]))
        return Elements(np.stack([x.ravel(), y.ravel()], axis=1), cells, parts=parts, maps=maps, other=other)

    def reduced(self, model: ReducedLandauDeGennes, order: float) -> Any:
        """The reduced model by linear elements on the nodes of the grid."""
        if self.periodic:
            return super().reduced(model, order)
        from ..discretisation.reduced_mesh import ReducedOnMesh  # its kernels are compiled when they are first needed

        return ReducedOnMesh(self, self.discretise(model.n), model, order)


class Square(Flat):
    """The square [-1, 1]^2."""

    name = "square"
    start_names = ("wors", "uniform", "d", "r")

    def __new__(cls) -> Square:
        return super().__new__(cls)

    def half_edges(self) -> tuple[float, float]:
        """Half of each edge."""
        return 1.0, 1.0

    def spacing(self, n: int) -> float:
        """Distance of neighbouring nodes, n nodes per edge."""
        return 2.0 / (n - 1)

    def nodes(self, n: int) -> np.ndarray:
        """Coordinates of the nodes along either axis, (n,)."""
        return np.linspace(-1.0, 1.0, n)

    def boundary(self, n: int, corner: float) -> np.ndarray:
        """Boundary data of (P11, P12) for unit order, (2, n, n), axis order [component, iy, ix], zero inside.

        Tangent to the edges: P = (T, 0) on the horizontal and (-T, 0) on the vertical ones. T falls linearly from 1 to 0 within
        ``corner`` of a corner, where the two conditions contradict each other.
        """
        trapezoid = np.minimum(1.0, (1.0 - np.abs(self.nodes(n))) / corner)
        values = np.zeros((2, n, n))
        values[0, 0, :] = values[0, -1, :] = trapezoid
        values[0, 1:-1, 0] = values[0, 1:-1, -1] = -trapezoid[1:-1]
        return values

    def symmetries(self, m: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """Generators of the maps of m x m interior values of (P11, P12) that keep the boundary data.

        Returns
        -------
        list of (permutation, sign)
            Both of shape (2 m^2,), as `saddlescape.Symmetry.generate` takes them. The reflections x -> -x and y -> -y; the
            transposition, which exchanges horizontal and vertical edges and so changes the sign of P11; and the internal flip
            P12 -> -P12, which is independent of the others because the one-constant energy does not couple P to space.
        """
        index = np.arange(2 * m * m).reshape(2, m, m)
        plus = np.ones((2, m, m))
        flip_first = plus.copy()
        flip_first[0] = -1.0
        flip_second = plus.copy()
        flip_second[1] = -1.0
        maps = [(index[:, :, ::-1], plus), (index[:, ::-1, :], plus), (index.swapaxes(1, 2), flip_first), (index, flip_second)]
        return [(permutation.ravel(), sign.ravel()) for permutation, sign in maps]

    def reduced(self, model: ReducedLandauDeGennes, order: float) -> Any:
        """The reduced model on the grid of the square; what its stencil does not know, linear elements on the same nodes do."""
        if model.anchoring == "tangent" and np.isinf(model.strength) and isinstance(model.n, int):
            return ReducedOnGrid(self, model.n, model.lambda2, model.corner, order)
        return super().reduced(model, order)


class Rectangle(Flat):
    """The rectangle [-aspect, aspect] x [-1, 1].

    Parameters
    ----------
    aspect : float
        Edge along x over edge along y, positive.
    periodic : str
        The letters of the periodic axes: ``""``, ``"x"``, ``"y"`` or ``"xy"``.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    """

    name = "rectangle"

    def __new__(cls, aspect: float = 1.0, periodic: str = "") -> Rectangle:
        return super().__new__(cls, _length("aspect", aspect), _axes_of(periodic, "xy"))

    def half_edges(self) -> tuple[float, float]:
        """Half of each edge."""
        return self[1], 1.0

    @property
    def periodic(self) -> str:
        """The letters of the periodic axes."""
        return self[2]


class Cuboid(Box):
    """The cuboid [-aspect, aspect] x [-1, 1] x [-height, height].

    Its lateral faces are left, right, bottom and top (x and y), its horizontal ones back and front (z). Anchoring that is called
    "tangent" for all of them at once means: horizontal and in the plane of each lateral face, back and front free.

    Parameters
    ----------
    aspect : float
        Edge along x over edge along y, positive.
    height : float
        Edge along z over edge along y, positive.
    periodic : str
        The letters of the periodic axes, such as ``"z"`` or ``"xy"``.

    Raises
    ------
    ValueError
        If a parameter is out of its range.
    """

    name = "cuboid"
    dimension = 3

    def __new__(cls, aspect: float = 1.0, height: float = 1.0, periodic: str = "") -> Cuboid:
        return super().__new__(cls, _length("aspect", aspect), _length("height", height), _axes_of(periodic, "xyz"))

    def half_edges(self) -> tuple[float, float, float]:
        """Half of each edge."""
        return self[1], 1.0, self[2]

    def cross_section(self) -> Rectangle:
        """A horizontal slice."""
        return Rectangle(self[1], self[3].replace("z", ""))

    @property
    def periodic(self) -> str:
        """The letters of the periodic axes."""
        return self[3]


def _length(name: str, value: Any) -> float:
    check_positive(name, value, "a positive ratio of edges")
    return float(value)


def _axes_of(value: Any, possible: str) -> str:
    if not isinstance(value, str) or len(set(value)) != len(value) or set(value) - set(possible):
        raise ValueError(f"periodic: got {value!r}, expected letters of {possible!r}, each once; '' is none")
    return "".join(sorted(value))
