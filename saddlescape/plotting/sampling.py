"""Fields of directors between their nodes. A director has no sign, so what is interpolated is order times n n."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from matplotlib.path import Path
from matplotlib.tri import Triangulation

from .fields import Fields


class Plane:
    """A plane domain of a state: where it is, its outline, and its fields at any point.

    Parameters
    ----------
    fields : dict
        Checked, over a grid ``x``, ``y`` or a triangulation ``nodes``, ``triangles``.
    """

    def __init__(self, fields: Fields):
        self.fields = fields
        self.meshed = "triangles" in fields

    @cached_property
    def triangulation(self) -> Triangulation:
        """Of a mesh."""
        return Triangulation(*np.asarray(self.fields["nodes"], dtype=float).T, self.fields["triangles"])

    @cached_property
    def bounds(self) -> np.ndarray:
        """((left, right), (bottom, top)) of what is drawn; pixels of a grid are centred on its nodes."""
        if self.meshed:
            nodes = np.asarray(self.fields["nodes"], dtype=float)
            return np.column_stack([nodes.min(axis=0), nodes.max(axis=0)])
        return np.array([_pixel_bounds(self.fields["x"]), _pixel_bounds(self.fields["y"])])

    @cached_property
    def box(self) -> np.ndarray:
        """((left, right), (bottom, top)) of the nodes."""
        if self.meshed:
            return self.bounds
        return np.array([np.asarray(self.fields[name], dtype=float)[[0, -1]] for name in ("x", "y")])

    @cached_property
    def outline(self) -> Path | None:
        """The boundary of a mesh; None for a grid, which fills its bounds."""
        if not self.meshed:
            return None
        triangulation = self.triangulation
        # Counterclockwise, so that the boundary edges of a loop follow each other.
        triangles = np.where(_clockwise(triangulation)[:, None], triangulation.triangles[:, ::-1], triangulation.triangles)
        edges = np.concatenate([triangles[:, [k, (k + 1) % 3]] for k in range(3)])
        _, place, count = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True, return_counts=True)
        following: dict[int, list[int]] = {}
        for start, end in edges[count[place.ravel()] == 1].tolist():
            following.setdefault(start, []).append(end)
        nodes, loops = np.asarray(self.fields["nodes"], dtype=float), []
        for start in list(following):
            while following[start]:
                loop = [start]
                while following[loop[-1]]:
                    loop.append(following[loop[-1]].pop())
                loops.append(Path(nodes[loop], closed=True))
        return Path.make_compound_path(*loops)

    def lattice(self, count: int) -> tuple[np.ndarray, float]:
        """Evenly spaced points (rows, columns, 2) of the box, ``count`` along its longer edge, and their spacing."""
        spans = np.abs(self.box[:, 1] - self.box[:, 0])
        spacing = float(spans.max()) / count
        x, y = (low + span_fractions(high - low, spacing) * (high - low) for low, high in self.box)
        return np.stack(np.meshgrid(x, y), axis=-1), spacing

    def tensor(self, points: np.ndarray) -> np.ndarray:
        """order times n n at points (rows, columns, 2) of a lattice: (rows, columns, d, d), NaN outside the domain."""
        director = np.asarray(self.fields["director"], dtype=float)
        values = np.asarray(self.fields["order"], dtype=float)[..., None, None] * director[..., :, None] * director[..., None, :]
        if self.meshed:
            return self._interpolated(values, points)
        places = (_places(self.fields["y"], points[:, 0, 1]), _places(self.fields["x"], points[0, :, 0]))
        return _bilinear(values, *places)

    def _interpolated(self, values: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Linear interpolation of values (N, ...) on the mesh at points (..., 2), NaN outside."""
        x, y = self.triangulation.x, self.triangulation.y
        found = self.triangulation.get_trifinder()(points[..., 0], points[..., 1])
        a, b, c = np.moveaxis(self.triangulation.triangles[found], -1, 0)
        area = (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a])
        right, up = points[..., 0] - x[a], points[..., 1] - y[a]
        second = (right * (y[c] - y[a]) - up * (x[c] - x[a])) / area
        third = (up * (x[b] - x[a]) - right * (y[b] - y[a])) / area
        weights = np.stack([1.0 - second - third, second, third]).reshape(3, *found.shape, *([1] * (values.ndim - 1)))
        out = weights[0] * values[a] + weights[1] * values[b] + weights[2] * values[c]
        out[found < 0] = np.nan
        return out


def rod_axes(plane: Plane, count: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Where rods go, evenly spaced with ``count`` along the longer edge, and how they lie.

    Where the order parameter is below 2 % of its maximum the director has no meaning and there is no rod.

    Returns
    -------
    middles : (m, 2) array
    directors : (m, 2) or (m, 3) array
        Unit vectors.
    spacing : float
    """
    points, spacing = plane.lattice(count)
    tensor = plane.tensor(points)
    inside = np.isfinite(tensor[..., 0, 0])
    values, vectors = np.linalg.eigh(tensor[inside])
    seen = values[:, -1] - values[:, -2] > 0.02 * np.nanmax(plane.fields["order"])
    return points[inside][seen], vectors[seen, :, -1], spacing


def rods(plane: Plane, count: int) -> np.ndarray:
    """Headless rods along the director, (m, 2, 2); see `rod_axes`.

    A director that leans out of the plane is seen foreshortened, one normal to it as a dot.
    """
    middles, directors, spacing = rod_axes(plane, count)
    along = directors[:, :2] * np.where(directors[:, :1] < 0.0, -1.0, 1.0)  # from left to right: one sign has to be drawn
    length = np.hypot(along[:, 0], along[:, 1])
    shown = np.maximum(length, _DOT) / np.where(length > 0.0, length, 1.0)
    half = 0.42 * spacing * along * shown[:, None]
    return np.stack([middles - half, middles + half], axis=-2)


# The length of a rod seen from its end, as a fraction of a whole one.
_DOT = 0.08


def span_fractions(span: float, spacing: float) -> np.ndarray:
    """Midpoints of equal parts, about as long as ``spacing``, as fractions of a span."""
    count = max(1, round(abs(span) / spacing))
    return (np.arange(count) + 0.5) / count


def _clockwise(triangulation: Triangulation) -> np.ndarray:
    x, y = triangulation.x[triangulation.triangles], triangulation.y[triangulation.triangles]
    return (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) < (y[:, 1] - y[:, 0]) * (x[:, 2] - x[:, 0])


def _pixel_bounds(grid: np.ndarray) -> tuple[float, float]:
    grid = np.asarray(grid, dtype=float)
    half = (grid[-1] - grid[0]) / max(len(grid) - 1, 1) / 2
    return grid[0] - half, grid[-1] + half


def _places(grid: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values as fractional positions in a grid that may descend."""
    grid = np.asarray(grid, dtype=float)
    order = np.argsort(grid)
    return np.interp(values, grid[order], order.astype(float))


def _bilinear(values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Values (ny, nx, ...) at fractional rows and columns."""
    for axis, place in enumerate((rows, columns)):
        low = np.minimum(place.astype(int), max(values.shape[axis] - 2, 0))
        weight = (place - low).reshape([-1 if k == axis else 1 for k in range(values.ndim)])
        high = np.minimum(low + 1, values.shape[axis] - 1)
        values = (1 - weight) * values.take(low, axis) + weight * values.take(high, axis)
    return values
