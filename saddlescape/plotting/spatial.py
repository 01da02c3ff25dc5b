"""A state that fills space as a picture in three dimensions: cuts through it, director rods on them, disclination lines."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d.art3d import Line3DCollection, Poly3DCollection

from .cuts import AXES, cut
from .fields import Fields, is_spatial, resolved
from .pictures import DISCLINATION, bar_label, colour_scale
from .sampling import Plane, rod_axes
from .style import FONT

if TYPE_CHECKING:
    from mpl_toolkits.mplot3d import Axes3D

    from ..landscape.landscape import Landscape


# Of each round of smoothing of a line, so many of its points; a short loop must not shrink to nothing.
_POINTS_PER_ROUND = 8
_MOST_ROUNDS = 40


def plot_state_3d(
    fields_or_landscape: Fields | Landscape,
    node: int | None = None,
    ax: Axes3D | None = None,
    *,
    cuts: Mapping[str, float] | None = None,
    colour: str = "order",
    colorbar: bool = True,
    rods: int = 10,
) -> Axes3D:
    """One state in space: cuts with director rods, and its disclination lines, seen through the cuts.

    Parameters
    ----------
    fields_or_landscape, node
        As for `plot_state`; a state of kind "director" over x, y and z, or over tetrahedra.
    ax : Axes3D, optional
        Where to draw. Default: the axes of a new figure.
    cuts : mapping of axis to number, optional
        Where to cut normal to which axes, such as ``{"z": 0.5}``; ``{}`` for the lines alone. Default: through the middle, normal
        to each of the three axes.
    colour, colorbar
        As for `plot_state`.
    rods : int
        How many director rods along the longer edge of a cut.

    Returns
    -------
    Axes3D

    Raises
    ------
    TypeError, IndexError
        As for `plot_state`.
    ValueError
        As for `plot_state`; also if the state does not fill space, or a cut misses it.
    """
    if rods < 1:
        raise ValueError(f"rods: got {rods!r}, expected a positive integer")
    fields = resolved(fields_or_landscape, node)
    if not is_spatial(fields):
        raise ValueError("fields: this state lies in a plane; plot_state draws it")
    bounds = _bounds(fields)
    planes = dict(zip(AXES, bounds.mean(axis=1), strict=True)) if cuts is None else cuts
    sections = [_Section(axis, at, Plane(cut(fields, axis, at))) for axis, at in planes.items()]
    if ax is None:
        ax = Figure(figsize=(4.4, 3.8), layout="constrained").add_subplot(projection="3d", proj_type="ortho")
    ax.computed_zorder = False
    _dress(ax, bounds)
    scale = colour_scale([fields], colour)
    if sections:
        _draw_sections(ax, sections, scale, colour, rods)
    _draw_disclinations(ax, fields)
    if colorbar and sections:
        bar = ax.figure.colorbar(scale, ax=ax, shrink=0.6, pad=0.12)
        bar.set_label(bar_label("director", colour), fontsize=FONT)
        bar.ax.tick_params(labelsize=FONT)
    return ax


class _Section:
    """A cut at its place in space."""

    def __init__(self, axis: str, at: float, plane: Plane):
        self.axes, self.at, self.plane = list(AXES[axis]), float(at), plane

    def lifted(self, points: np.ndarray, across: np.ndarray | float) -> np.ndarray:
        """Vectors (..., 3) in space of those (..., 2) in the plane and the component across it."""
        out = np.empty((*points.shape[:-1], 3))
        out[..., self.axes[0]], out[..., self.axes[1]], out[..., self.axes[2]] = points[..., 0], points[..., 1], across
        return out

    def faces(self, colour: str) -> tuple[np.ndarray, np.ndarray]:
        """Polygons (f, 3 or 4, 3) and the value of each, (f,)."""
        fields = self.plane.fields
        values = np.asarray(fields[colour], dtype=float).ravel()
        if self.plane.meshed:
            nodes, corners = np.asarray(fields["nodes"]), np.asarray(fields["triangles"])
        else:
            nodes = np.stack(np.meshgrid(fields["x"], fields["y"]), axis=-1).reshape(-1, 2)
            number = np.arange(values.size).reshape(len(fields["y"]), len(fields["x"]))
            corners = np.stack([number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]], axis=-1).reshape(-1, 4)
        return self.lifted(nodes[corners], self.at), values[corners].mean(axis=1)

    def sticks(self, count: int) -> np.ndarray:
        """Director rods in space, (m, 2, 3)."""
        middle, along, spacing = rod_axes(self.plane, count)
        middle, half = self.lifted(middle, self.at), 0.42 * spacing * self.lifted(along[:, :2], along[:, 2])
        return np.stack([middle - half, middle + half], axis=-2)

    def outline(self) -> np.ndarray:
        """The boundary in short pieces, (m, 2, 3)."""
        path = self.plane.outline
        if path is None:
            (left, right), (bottom, top) = self.plane.box
            corners = np.array([(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)])
            loops = [np.concatenate([np.linspace(a, b, 33) for a, b in itertools.pairwise(corners)])]
        else:
            loops = path.to_polygons()
        return np.concatenate([self.lifted(np.stack([loop[:-1], loop[1:]], axis=1), self.at) for loop in loops])

    def hides(self, points: np.ndarray, towards: np.ndarray) -> np.ndarray:
        """Whether this section lies between points (m, 3) and an eye far away in a direction."""
        gap = self.at - points[:, self.axes[2]]
        if abs(towards[self.axes[2]]) < 1e-9:
            return np.zeros(len(points), dtype=bool)
        ahead = gap / towards[self.axes[2]]
        hit = (points + ahead[:, None] * towards)[:, self.axes[:2]]
        (left, right), (bottom, top) = self.plane.box
        inside = (hit[:, 0] > left) & (hit[:, 0] < right) & (hit[:, 1] > bottom) & (hit[:, 1] < top)
        if self.plane.outline is not None:
            inside &= self.plane.outline.contains_points(hit)
        return inside & (ahead > 1e-9 * np.ptp(self.plane.box))


def _bounds(fields: Fields) -> np.ndarray:
    """((xmin, xmax), (ymin, ymax), (zmin, zmax)) of the nodes."""
    if "tetrahedra" in fields:
        nodes = np.asarray(fields["nodes"], dtype=float)
        return np.column_stack([nodes.min(axis=0), nodes.max(axis=0)])
    return np.array([(np.min(fields[name]), np.max(fields[name])) for name in "xyz"])


def _draw_sections(ax: Axes3D, sections: list[_Section], scale: ScalarMappable, colour: str, count: int) -> None:
    # One collection for all cuts: matplotlib sorts faces by depth only within a collection.
    faces, values = zip(*(section.faces(colour) for section in sections), strict=True)
    colours = scale.to_rgba(np.concatenate(values))
    polygons = [polygon for part in faces for polygon in part]
    ax.add_collection3d(Poly3DCollection(polygons, facecolors=colours, edgecolors=colours, linewidths=0.3, zorder=1, label="cuts"))
    # Sorted by depth, lines and faces would cut each other to pieces: rods lie on top, those behind another cut are left out.
    elevation, azimuth = np.deg2rad([ax.elev, ax.azim])
    towards = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    for label, colour, width in (("rods", "black", 0.8), ("outlines", "0.25", 0.6)):
        pieces = []
        for section in sections:
            found = section.sticks(count) if label == "rods" else section.outline()
            hidden = [other.hides(found.mean(axis=1), towards) for other in sections if other is not section]
            pieces.append(found[~np.any(hidden, axis=0)] if hidden else found)
        ax.add_collection3d(Line3DCollection(np.concatenate(pieces), colors=colour, linewidths=width, zorder=2, label=label))


def _draw_disclinations(ax: Axes3D, fields: Fields) -> None:
    rows = np.asarray(fields.get("disclinations", np.empty((0, 4))), dtype=float)
    lines = [rows[rows[:, 3] == number, :3] for number in np.unique(rows[:, 3])]
    lines = [_smooth(line) for line in lines if len(line) > 1]
    if lines:
        for colour, width, label in (("white", 4.0, "rims"), (DISCLINATION, 2.2, "disclinations")):
            drawn = Line3DCollection(
                lines, colors=colour, linewidths=width, capstyle="round", joinstyle="round", zorder=3, label=label
            )
            ax.add_collection3d(drawn)


def _smooth(line: np.ndarray) -> np.ndarray:
    """A line (m, 3) without the zigzag of the cells it was found in: its points are known to a part of a cell."""
    closed = len(line) > 3 and np.array_equal(line[0], line[-1])
    for _ in range(min(len(line) // _POINTS_PER_ROUND, _MOST_ROUNDS)):
        before, after = (line[-2:-1], line[1:2]) if closed else (line[:1], line[-1:])
        padded = np.concatenate([before, line, after])
        mean = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
        line = mean if closed else np.concatenate([line[:1], mean[1:-1], line[-1:]])
    return line


def _dress(ax: Axes3D, bounds: np.ndarray) -> None:
    ax.set(xlim=bounds[0], ylim=bounds[1], zlim=bounds[2])
    ax.set_box_aspect(np.ptp(bounds, axis=1))
    for name in AXES:
        getattr(ax, f"set_{name}label")(name, fontsize=FONT)
        getattr(ax, f"{name}axis").set_major_locator(MaxNLocator(4))
    ax.tick_params(labelsize=FONT)
