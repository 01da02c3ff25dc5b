"""Domains with structured grids: nodes, boundary data, and the symmetries of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .domain import Domain
from .elements import Elements, cut_quadrilaterals
from .reduced_grid import ReducedOnGrid

if TYPE_CHECKING:
    from .reduced import ReducedLandauDeGennes


class Square(Domain):
    """The square [-1, 1]^2."""

    name = "square"
    start_names = ("wors", "uniform", "d", "r")  # of linear elements; see `reduced`

    def __new__(cls) -> Square:
        return super().__new__(cls)

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

    def angle(self, n: int, state: str) -> np.ndarray:
        """Director angle on the boundary for a harmonic guess of a state, (n, n), zero inside.

        ``"d"``: 0 on the horizontal and pi/2 on the vertical edges; the director runs along a diagonal. ``"r"``: pi on the top
        edge instead; the director turns by pi from bottom to top.
        """
        values = np.zeros((n, n))
        values[:, 0] = values[:, -1] = np.pi / 2
        values[-1, :] = np.pi if state == "r" else 0.0
        values[0, :] = 0.0
        return values

    def discretise(self, n: int) -> Elements:
        """Linear elements on the grid, whose stiffness is the five-point Laplacian; parts "left", "right", "bottom", "top"."""
        index = np.arange(n * n).reshape(n, n)
        y, x = np.meshgrid(self.nodes(n), self.nodes(n), indexing="ij")
        corners = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1)
        cells, other = cut_quadrilaterals(corners.reshape(-1, 4))
        edges = {"left": index[:, 0], "right": index[:, -1], "bottom": index[0], "top": index[-1]}
        parts = {name: np.stack([line[:-1], line[1:]], axis=1) for name, line in edges.items()}
        maps = [np.diag([-1.0, 1.0]), np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [1.0, 0.0]])]
        return Elements(np.stack([x.ravel(), y.ravel()], axis=1), cells, parts=parts, maps=maps, other=other)

    def reduced(self, model: ReducedLandauDeGennes, order: float) -> Any:
        """The reduced model on the grid of the square; what its stencil does not know, linear elements on the same nodes do."""
        if model.anchoring == "tangent" and np.isinf(model.strength):
            return ReducedOnGrid(self, model.n, model.lambda2, model.corner, order)
        from .reduced_mesh import ReducedOnMesh  # its kernels are compiled when they are first needed

        return ReducedOnMesh(self, self.discretise(model.n), model, order)
