"""One axis of a box as a grid line: weights, differences, and the two ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse


@dataclass(frozen=True, eq=False)
class Axis:
    """Nodes along one axis of a box.

    Parameters
    ----------
    nodes : (n,) array
        Coordinates, equally spaced. A single node: the fields do not depend on this axis.
    spacing : float
    periodic : bool
        The last node is then a spacing short of the first one again.
    """

    nodes: np.ndarray
    spacing: float
    periodic: bool = False

    @property
    def n(self) -> int:
        """Number of nodes."""
        return len(self.nodes)

    @cached_property
    def weights(self) -> np.ndarray:
        """Weights of the trapezoid rule, (n,)."""
        if self.n == 1:
            return np.ones(1)
        weights = np.full(self.n, self.spacing)
        if not self.periodic:
            weights[[0, -1]] *= 0.5
        return weights

    @cached_property
    def _difference(self) -> scipy.sparse.csr_array:
        """Value at the end of a link less that at its beginning, (links, n)."""
        n = self.n
        if n == 1:
            return scipy.sparse.csr_array((1, 1))
        forward = scipy.sparse.diags_array([-1.0, 1.0], offsets=[0, 1], shape=(n, n)).tolil()
        if self.periodic:
            forward[n - 1, 0] = 1.0
        return forward.tocsr() if self.periodic else forward.tocsr()[:-1]

    @cached_property
    def stiffness(self) -> scipy.sparse.csr_array:
        """T (n, n): u.T u is the integral of u'^2, by link differences."""
        return (self._difference.T @ self._difference / self.spacing).tocsr()

    @cached_property
    def slope(self) -> scipy.sparse.csr_array:
        """S (n, n): v.S u is the integral of v u', by link means and link differences."""
        return (0.5 * abs(self._difference).T @ self._difference).tocsr()

    def flipped(self) -> np.ndarray:
        """The node that a reflection carries to each node, (n,)."""
        return -np.arange(self.n) % self.n if self.periodic else np.arange(self.n)[::-1]

    def like(self, other: Axis) -> bool:
        """Whether the other axis has the same nodes."""
        return self.n == other.n and self.periodic == other.periodic and np.array_equal(self.nodes, other.nodes)


def stencil(matrix: scipy.sparse.csr_array, axis: Axis, free: slice) -> np.ndarray:
    """The entries of a matrix (n, n) of one line at the lower neighbour, here and at the upper neighbour, (free nodes, 3).

    Neighbours that are not free count as zero, and so do those beyond the ends.
    """
    dense = matrix.toarray()[free, free]
    m = len(dense)
    here = np.arange(m)
    result = np.zeros((m, 3))
    for column, step in enumerate((-1, 0, 1)):
        neighbour = here + step
        inside = (neighbour >= 0) & (neighbour < m) | (axis.periodic and m > 1)
        result[inside, column] = dense[here[inside], neighbour[inside] % m]
    return result
