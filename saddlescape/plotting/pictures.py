"""How one state is painted: its colours, director rods, defects, at its own place or small at another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection, PathCollection, TriMesh
from matplotlib.colors import Normalize
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from matplotlib.tri import Triangulation

from .cuts import cut
from .fields import Fields, is_spatial
from .sampling import Plane, rods
from .style import BIAXIAL, DIVERGING, SEQUENTIAL, choice

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("order", "biaxiality")
_LABELS = {"order": "order parameter", "biaxiality": "biaxiality β²", "field": "field"}
_SHOWN = {"scalar": "field", "line": "field"}
# Vermillion discs and blue triangles (a defect of charge -1/2 looks alike along three axes) differ in shape, hue and brightness.
_POSITIVE, _NEGATIVE = "#D55E00", "#56B4E9"
DISCLINATION = _POSITIVE
# Radius of a mark, in parts of the longer edge: a millimetre in a picture of 3 cm.
_MARK = 0.034
# What lies outside a small picture of a mesh, so that its outline clears the frame.
_INSET = 0.93
# How an oblique view shifts and shortens what lies behind.
_SLANT, _DEPTH = 0.15, 0.42


def colour_scale(states: Sequence[Fields], colour: str = "order") -> ScalarMappable:
    """One colour scale for several states of one kind: the same colour means the same number in all of them.

    Order parameters start at 0 (a defect), biaxiality goes from 0 to 1, signed fields are centred at 0 and use a diverging map.

    Raises
    ------
    ValueError
        If ``colour`` is neither "order" nor "biaxiality", or the states do not have it.
    """
    choice(colour, COLOURS, "colour")
    name = _SHOWN.get(states[0]["kind"], colour)
    if any(name not in fields for fields in states):
        raise ValueError(f"colour: got {colour!r}, but these states have no such array; `unpack` of their model gives none")
    if name == "biaxiality":
        return ScalarMappable(Normalize(0.0, 1.0), BIAXIAL)
    values = [np.asarray(fields[name], dtype=float) for fields in states]
    low, high = min(float(np.nanmin(v)) for v in values), max(float(np.nanmax(v)) for v in values)
    if name == "order":
        return ScalarMappable(Normalize(0.0, high if high > 0.0 else 1.0), SEQUENTIAL)
    if low < 0.0 < high or low == high:
        reach = max(abs(low), abs(high)) or 1.0
        return ScalarMappable(Normalize(-reach, reach), DIVERGING)
    return ScalarMappable(Normalize(low, high), SEQUENTIAL)


def bar_label(kind: str, colour: str = "order") -> str | None:
    """What the colour bar of a kind of state measures; None where the kind has no colours."""
    return None if kind == "line" else _LABELS[_SHOWN.get(kind, colour)]


def fills_its_frame(fields: Fields) -> bool:
    """Whether a small picture reaches the frame around it on all sides, as an image of a square grid does."""
    if fields["kind"] == "line" or "nodes" in fields or is_spatial(fields):
        return False
    width, height = np.ptp(Plane(fields).bounds, axis=1)
    return bool(np.isclose(width, height))


def draw_states(
    ax: Axes, states: Sequence[Fields], centres: np.ndarray, size: float, scale: ScalarMappable, colour: str = "order"
) -> None:
    """Draw small pictures of states of one kind into one axes.

    Parameters
    ----------
    ax : Axes
    states : sequence of dict
        As `EnergyModel.unpack` returns them. Of a state in space three cuts across z are shown, one above the other.
    centres : (m, 2) array
        Where, in data coordinates of equal scale.
    size : float
        Longer side of a picture.
    scale : ScalarMappable
        From `colour_scale`.
    colour : str
        As for `colour_scale`.
    """
    if states[0]["kind"] == "line":
        _draw_lines(ax, states, centres, size, scale.norm.vmin, scale.norm.vmax)
        return
    for fields, centre in zip(states, centres, strict=True):
        if is_spatial(fields):
            pieces, count = _plates(fields), 6
        else:
            pieces, count = [(Plane(fields), Affine2D())], 9
        corners = np.concatenate([place.transform(_corners(plane)) for plane, place in pieces])
        low, high = corners.min(axis=0), corners.max(axis=0)
        stretch = size / (high - low).max() * (1.0 if fills_its_frame(fields) else _INSET)
        onto = Affine2D().scale(stretch).translate(*(np.asarray(centre) - stretch * (low + high) / 2))
        for plane, place in pieces:
            draw_plane(ax, plane, scale, colour, count, 0.7, place + onto)


def _corners(plane: Plane) -> np.ndarray:
    (left, right), (bottom, top) = plane.bounds
    return np.array([(left, bottom), (right, bottom), (right, top), (left, top)])


def _plates(fields: Fields) -> list[tuple[Plane, Affine2D]]:
    """Three cuts across z of a state in space, and where an oblique view of the three puts them, the lowest first."""
    z = np.asarray(fields["nodes"], dtype=float)[:, 2] if "nodes" in fields else np.asarray(fields["z"], dtype=float)
    planes = [Plane(cut(fields, "z", z.min() + share * np.ptp(z))) for share in (1 / 6, 1 / 2, 5 / 6)]
    apart = 1.06 * _DEPTH * max(np.ptp(plane.bounds[1]) for plane in planes)
    oblique = np.array([(1.0, _SLANT, 0.0), (0.0, _DEPTH, 0.0), (0.0, 0.0, 1.0)])
    return [(plane, Affine2D(oblique).translate(0.0, number * apart)) for number, plane in enumerate(planes)]


def draw_plane(
    ax: Axes, plane: Plane, scale: ScalarMappable, colour: str, count: int, width: float, place: Affine2D | None = None
) -> None:
    """Colours, rods (``count`` along the longer edge, ``width`` points thick), outline and defects of one state.

    ``place`` says where its own coordinates go in those of the axes; default: nowhere else.
    """
    place = Affine2D() if place is None else place
    fields = plane.fields
    _add_colours(ax, plane, np.asarray(fields[_SHOWN.get(fields["kind"], colour)], dtype=float), scale, place)
    if fields["kind"] != "director":
        return
    pieces = place.transform(rods(plane, count).reshape(-1, 2)).reshape(-1, 2, 2)
    lines = LineCollection(pieces, colors="black", linewidths=width, capstyle="round", zorder=3.1, label="rods")
    ax.add_collection(lines, autolim=False)
    if plane.outline is not None:
        border = PathPatch(plane.outline.transformed(place), facecolor="none", edgecolor="black", linewidth=width, zorder=3.15)
        ax.add_artist(border)
        lines.set_clip_path(border)
    if len(fields.get("defects", ())):
        _add_defects(ax, np.asarray(fields["defects"], dtype=float), _MARK * np.ptp(plane.box, axis=1).max(), place)


def defect_handles(states: Sequence[Fields]) -> list[Line2D]:
    """What a legend says about the defects of states: one entry for each charge that occurs."""
    charges = sorted({float(charge) for fields in states for *_, charge in fields.get("defects", ())}, reverse=True)
    return [
        Line2D(
            [],
            [],
            color=(colour := _POSITIVE if charge > 0 else _NEGATIVE),
            marker="o" if charge > 0 else "v",
            markersize=5,
            markerfacecolor=colour if abs(charge) < 1 else "white",
            markeredgewidth=1.0 if abs(charge) < 1 else 2.0,
            linestyle="none",
            label=f"charge {_charge_text(charge)}",
        )
        for charge in charges
    ]


def _charge_text(charge: float) -> str:
    size = f"{abs(charge):.0f}" if charge % 1.0 == 0.0 else f"{abs(2 * charge):.0f}/2"
    return ("+" if charge > 0 else "−") + size


def _add_colours(ax: Axes, plane: Plane, values: np.ndarray, scale: ScalarMappable, place: Affine2D) -> None:
    if plane.meshed:
        corners = place.transform(np.asarray(plane.fields["nodes"], dtype=float))
        mesh = TriMesh(Triangulation(*corners.T, plane.fields["triangles"]), cmap=scale.cmap, norm=scale.norm, zorder=3)
        mesh.set_array(values)
        mesh.set_rasterized(True)  # as the images of grids: thousands of triangles would make vector files slow
        ax.add_collection(mesh, autolim=False)
        return
    extent = tuple(plane.bounds.ravel())
    image = AxesImage(ax, cmap=scale.cmap, norm=scale.norm, interpolation="bilinear", origin="lower", extent=extent, zorder=3)
    image.set_data(values)
    image.set_transform(place + ax.transData)
    image.set_clip_path(ax.patch)
    ax.add_artist(image)


def _add_defects(ax: Axes, defects: np.ndarray, radius: float, place: Affine2D) -> None:
    """Marks with a white rim; a charge of a whole turn or more is larger and has a white centre."""
    corners = np.array([(np.sin(a), np.cos(a)) for a in np.pi * np.array([1 / 3, 1, 5 / 3, 1 / 3])])
    shapes = {1.0: Path.unit_circle(), -1.0: Path(1.25 * corners, closed=True)}
    for sign, face, label in ((1.0, _POSITIVE, "positive defects"), (-1.0, _NEGATIVE, "negative defects")):
        chosen = defects[defects[:, 2] * sign > 0.0]
        whole = np.abs(chosen[:, 2]) >= 1.0
        for some, size, colour, rim in ((chosen, 1.0, face, 0.8), (chosen[whole], 0.5, "white", 0.0)):
            paths = [
                Affine2D().scale(size * radius * (1.5 if abs(charge) >= 1.0 else 1.0)).translate(x, y).transform_path(shapes[sign])
                for x, y, charge in some
            ]
            if paths:
                marks = PathCollection(
                    [place.transform_path(path) for path in paths],
                    facecolors=colour,
                    edgecolors="white",
                    linewidths=rim,
                    zorder=3.3,
                    label=label if rim else "whole turns",
                )
                ax.add_collection(marks, autolim=False)


def _draw_lines(ax: Axes, states: Sequence[Fields], centres: np.ndarray, size: float, low: float, high: float) -> None:
    curves, zeros = [], []
    for fields, centre in zip(states, centres, strict=True):
        x, u = np.asarray(fields["x"], dtype=float), np.asarray(fields["field"], dtype=float)
        across = (x - x[0]) / (x[-1] - x[0]) - 0.5
        curves.append(
            np.column_stack([centre[0] + 0.94 * size * across, centre[1] + 0.86 * size * ((u - low) / (high - low) - 0.5)])
        )
        if low < 0.0 < high:
            level = centre[1] + 0.86 * size * (-low / (high - low) - 0.5)
            zeros.append([(centre[0] - 0.47 * size, level), (centre[0] + 0.47 * size, level)])
    ax.add_collection(LineCollection(zeros, colors="0.75", linewidths=0.6, zorder=3.1), autolim=False)
    ax.add_collection(LineCollection(curves, colors="black", linewidths=1.2, zorder=3.2), autolim=False)
