"""The reduced model on the grid of a box with strong anchoring: five-point Laplacian, trapezoid rule."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from saddlescape.kernels import Kernels
from saddlescape.symmetry import Symmetry

from ...spectral import SineOperator, dirichlet_eigenvalues
from ..kernels.reduced_kernels import REDUCED
from .hessians import LocalHessian, quartic_blocks
from .symmetric import symmetric_minimum

if TYPE_CHECKING:
    from ..domains.boxes import Square
    from ..reduced import ReducedLandauDeGennes


class ReducedOnGrid:
    """Strong tangent anchoring on the n x n nodes of a square; the m x m = (n - 2) x (n - 2) interior ones are free.

    Parameters
    ----------
    domain : Square
    n : int
    lambda2, corner : float
    order : float
        c.
    """

    kernels: Kernels = REDUCED
    start_names: tuple[str, ...] = ("wors", "d", "r")

    def __init__(self, domain: Square, n: int, lambda2: float, corner: float, order: float):
        self.domain, self.n, self.lambda2, self.order = domain, n, lambda2, order
        self.mass = domain.spacing(n) ** 2
        self.shape = (n - 2, n - 2)
        self._boundary = order * domain.boundary(n, corner)

    @cached_property
    def _weights(self) -> np.ndarray:
        """Weights of the trapezoid rule at the nodes, (n, n)."""
        line = np.full(self.n, self.domain.spacing(self.n))
        line[[0, -1]] *= 0.5
        return np.outer(line, line)

    def parameters(self) -> tuple[np.ndarray, list[int]]:
        """The parameters of the kernels."""
        boundary = self._boundary
        pull = boundary[:, 1:-1, :-2] + boundary[:, 1:-1, 2:] + boundary[:, :-2, 1:-1] + boundary[:, 2:, 1:-1]
        zero_energy = float((self._weights * self._density(boundary)).sum())
        return np.concatenate([[self.mass, self.lambda2, self.order**2, zero_energy], pull.ravel()]), [self.n - 2]

    def _density(self, fields: np.ndarray) -> np.ndarray:
        """Energy density at the nodes, (n, n), of P (2, n, n), boundary included; the trapezoid rule over it is E."""
        h = self.domain.spacing(self.n)
        squares = _squared_slope(fields, h) + _squared_slope(fields.swapaxes(1, 2), h).T
        return 0.5 * squares + 0.25 * self.lambda2 * ((fields**2).sum(axis=0) - self.order**2) ** 2

    @cached_property
    def _hessian(self) -> LocalHessian:
        m = self.n - 2
        line = scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(m, m))
        return LocalHessian(scipy.sparse.kron(np.eye(2), scipy.sparse.kronsum(line, line)), 2)

    def hessian(self, x: np.ndarray) -> scipy.sparse.csc_array:
        """The Hessian at x."""
        return self._hessian.at(quartic_blocks(x.reshape(2, -1), self.mass * self.lambda2, self.order**2))

    def preconditioner(self, shift: float) -> SineOperator:
        """h^2 (-Lap_h + shift)."""
        return SineOperator(dirichlet_eigenvalues(self.n - 2, 2) + self.mass * shift)

    @cached_property
    def symmetry(self) -> Symmetry:
        """The symmetries of the domain and the internal flip P12 -> -P12; order 16 on the square."""
        m = self.n - 2
        return Symmetry.generate(2 * m * m, self.domain.symmetries(m))

    def start(self, model: ReducedLandauDeGennes, name: str) -> np.ndarray:
        """``"wors"``: stationary to round-off. ``"d"``, ``"r"``: |P| = c with a harmonic director angle, not stationary."""
        if name == "wors":
            return self._wors(model)
        angle = self._harmonic(self.domain.angle(self.n, name))
        return self.order * np.concatenate([np.cos(2.0 * angle), np.sin(2.0 * angle)], axis=None)

    def _wors(self, model: ReducedLandauDeGennes) -> np.ndarray:
        # |y| - |x| is positive towards the horizontal edges and changes sign across the diagonals, in the width of a domain wall.
        t = self.domain.nodes(self.n)[1:-1]
        distance = (np.abs(t[:, None]) - np.abs(t[None, :])) / np.sqrt(2.0)
        wall = self.order * np.tanh(np.sqrt(0.5 * self.lambda2) * self.order * distance)
        return symmetric_minimum(model, np.concatenate([wall, np.zeros_like(wall)], axis=None))

    def _harmonic(self, boundary: np.ndarray) -> np.ndarray:
        """The discrete harmonic function (m, m) with boundary values (n, n)."""
        pull = boundary[1:-1, :-2] + boundary[1:-1, 2:] + boundary[:-2, 1:-1] + boundary[2:, 1:-1]
        return SineOperator(dirichlet_eigenvalues(self.n - 2, 2)).solve(pull.ravel()).reshape(pull.shape)

    def fields(self, x: np.ndarray) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
        """Where the nodes are, boundary included, P there (2, n, n), and the energy density (n, n)."""
        fields = self._boundary.copy()
        fields[:, 1:-1, 1:-1] = x.reshape(2, *self.shape)
        nodes = self.domain.nodes(self.n)
        return {"x": nodes, "y": nodes.copy()}, fields, self._density(fields)


def _squared_slope(fields: np.ndarray, h: float) -> np.ndarray:
    """|dP/dx|^2 at the nodes (n, n) of P (2, n, n) along the last axis: the mean over the one or two links of each node."""
    links = (np.diff(fields) ** 2).sum(axis=0) / h**2
    padded = np.pad(links, ((0, 0), (1, 1)), mode="edge")
    return 0.5 * (padded[:, :-1] + padded[:, 1:])
