"""Starts for searches on boxes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...spectral import BoxOperator
from ..tensors import uniaxial
from .symmetric import symmetric_minimum

if TYPE_CHECKING:
    from ..full import LandauDeGennes

LATERAL = ("left", "right", "bottom", "top")


def names(model: LandauDeGennes) -> tuple[str, ...]:
    """The starts that exist for the domain and the anchoring of a model."""
    grid = model.discrete.grid
    directors = [grid.conditions[face].director if face in grid.conditions else None for face in LATERAL]
    if any(director is None or director[2] != 0.0 for director in directors):
        return ("uniform",)
    # Exchanging x and y must exchange the directors, along the axes, of faces that meet.
    exchanged = [abs(director[0]) for director in directors]
    square = grid.axes[0].like(grid.axes[1]) and exchanged in ([0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0])
    alike = len({grid.conditions[face].strength for face in LATERAL}) == 1 and not any(model.field)
    return ("wors", "d", "r", "uniform") if square and alike else ("d", "r", "uniform")


def make(model: LandauDeGennes, name: str) -> np.ndarray:
    """The start of that name, (n,)."""
    grid, order = model.discrete.grid, model.order
    if name == "uniform":
        easy = [condition.director for condition in grid.conditions.values() if condition.director is not None]
        director = np.array(easy[0] if easy else (1.0, 0.0, 0.0))
        return np.repeat(uniaxial(director, order), grid.n_free)
    if model.domain.dimension == 3:
        flat = cross_section(model)
        layer = flat.discrete.filled(flat.start(name))
        layers = np.broadcast_to(layer, (5, *grid.shape))
        return np.ascontiguousarray(layers[(slice(None), *grid.free)]).ravel()
    if name == "wors":
        return _wors(model)
    angle = _harmonic_angle(model, turned=name == "r")
    director = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=-1)
    layer = uniaxial(director, order)[:, None]
    return np.ascontiguousarray(layer[(slice(None), *grid.free)]).ravel()


def cross_section(model: LandauDeGennes) -> LandauDeGennes:
    """The two-dimensional model of a horizontal slice through a cuboid."""

    def of_lateral(value: Any) -> Any:
        pairs = isinstance(value, tuple) and all(isinstance(item, tuple) for item in value)
        return tuple(pair for pair in value if pair[0] in LATERAL) if pairs else value

    return replace(
        model,
        n=model.n[:2] if isinstance(model.n, tuple) else model.n,
        domain=model.domain.cross_section(),
        anchoring=of_lateral(model.anchoring),
        strength=of_lateral(model.strength),
    )


def _wors(model: LandauDeGennes) -> np.ndarray:
    # |y| - |x| is positive towards the horizontal edges and changes sign across the diagonals, in the width of a domain wall.
    grid, order = model.discrete.grid, model.order
    x, y = grid.axes[0].nodes, grid.axes[1].nodes
    distance = (np.abs(y[:, None]) - np.abs(x[None, :])) / np.sqrt(2.0)
    wall = np.tanh(np.sqrt(0.5 * model.lambda2) * 0.5 * order * distance)
    if grid.conditions["bottom"].director[0] == 0.0:
        wall = -wall
    guess = np.zeros((5, *grid.shape))
    guess[0], guess[2] = order / np.sqrt(2.0) * wall, -order / np.sqrt(6.0)
    return symmetric_minimum(model, guess[(slice(None), *grid.free)].ravel())


def _harmonic_angle(model: LandauDeGennes, *, turned: bool) -> np.ndarray:
    """A director angle (ny, nx) that is harmonic between the edges; ``turned``: by pi from bottom to top."""
    grid = model.discrete.grid
    edges = {face: np.arctan2(*grid.conditions[face].director[1::-1]) % np.pi for face in LATERAL}
    edges["top"] += np.pi * turned
    angle = np.zeros(grid.shape[1:])
    for face, index in (("left", np.s_[:, 0]), ("right", np.s_[:, -1]), ("bottom", np.s_[0]), ("top", np.s_[-1])):
        between = 0.5 * (edges["bottom"] + edges["top"])
        upright = face in ("left", "right")
        angle[index] = edges[face] + np.pi * round((between - edges[face]) / np.pi) * upright
    x_axis, y_axis = grid.axes[:2]
    lines = [(axis.n - 2, axis.spacing, "fixed") for axis in (y_axis, x_axis)]
    force = y_axis.stiffness @ angle * x_axis.weights + y_axis.weights[:, None] * (angle @ x_axis.stiffness)
    angle[1:-1, 1:-1] -= BoxOperator(lines, 0.0).solve(force[1:-1, 1:-1].ravel()).reshape(y_axis.n - 2, x_axis.n - 2)
    return angle
