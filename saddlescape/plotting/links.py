"""The connections of a pathway map as lines, with their numbers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.path import Path

from .pathmap import LETTER, PathwayMap
from .style import EDGE_STYLES, index_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 65
_LABEL = np.array([0.1, 0.08])  # half a number and a little air, in units of a picture's width
_FRACTIONS = 0.5 + 0.025 * np.array([sign * step for step in range(16) for sign in (1, -1)])[1:]  # the middle of a line first


def draw_links(scene: PathwayMap, ax: Axes, unit: float) -> None:
    """Draw every link in the colour of its upper node, ``unit`` inches long per unit of length."""
    paths = [route_path(route, scene.vertical == "index") for route in scene.layout.routes]
    for kind, style in EDGE_STYLES.items():
        chosen = [i for i, link in enumerate(scene.links) if link.kind == kind]
        lines = PathCollection(
            [paths[i] for i in chosen],
            facecolors="none",
            edgecolors=[index_style(scene.nodes[scene.links[i].upper].point.index).colour for i in chosen],
            linewidths=style.width * min(1.0, unit / 0.7),
            linestyles=[style.dashes],
            zorder=1.5,
            label=f"links {kind}",
        )
        ax.add_collection(lines, autolim=False)
    _draw_counts(scene, ax, unit)


def route_path(route: np.ndarray, layered: bool) -> Path:
    """A route (m, 2) as a path: between rows S-shaped and past them straight, or as it is."""
    if not layered or len(route) % 2:
        return Path(route)
    vertices, codes = [route[0]], [Path.MOVETO]
    for k in range(0, len(route), 2):
        start, end = route[k], route[k + 1]
        lean = np.array([0.0, 0.45 * (start[1] - end[1])])
        vertices += [start - lean, end + lean, end]
        codes += [Path.CURVE4] * 3
        if k + 2 < len(route):
            vertices.append(route[k + 2])
            codes.append(Path.LINETO)
    return Path(vertices, codes)


def _draw_counts(scene: PathwayMap, ax: Axes, unit: float) -> None:
    """How many edges a line stands for, written upon it at a place of its own."""
    traces = [_trace(route, scene.vertical == "index") for route in scene.layout.routes]
    points = np.concatenate([np.empty((0, 2)), *(piece for pieces in traces for piece in pieces)])
    owners = np.repeat(np.arange(len(traces)), [sum(map(len, pieces)) for pieces in traces])
    taken = np.empty((0, 2))
    half = np.array(scene.box) / 2 + 0.1
    letter = 72 * unit * LETTER * 0.75
    back = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"}
    for number, link in enumerate(scene.links):
        if link.count == 1:
            continue
        last = traces[number][-1]  # of a route between rows the piece that ends at the lower node
        places = last[np.round(_FRACTIONS * (len(last) - 1)).astype(int)]
        apart = (np.abs(places[:, None] - taken) > (0.24, 0.16)).any(axis=2).all(axis=1)
        clear = (np.abs(places[:, None] - scene.layout.positions) > half).any(axis=2).all(axis=1)
        place = places[np.argmax(4 * apart + 2 * clear + _room(places, points[owners != number]))]
        taken = np.vstack([taken, place])
        ax.text(*place, str(link.count), fontsize=letter, color="0.25", ha="center", va="center", zorder=1.7, bbox=back)


def _room(places: np.ndarray, points: np.ndarray) -> np.ndarray:
    """How far labels at some places are from the points of other lines: 1 where they hide none of them, 0 upon one."""
    near = points[((points > places.min(axis=0) - _LABEL) & (points < places.max(axis=0) + _LABEL)).all(axis=1)]
    return np.min(np.max(np.abs(places[:, None] - near) / _LABEL, axis=2), axis=1, initial=1.0)


def _trace(route: np.ndarray, layered: bool) -> list[np.ndarray]:
    """The pieces of a route as `route_path` draws it, each as points (p, 2) that lie close together."""
    if not layered or len(route) % 2:
        return [route]
    t = np.linspace(0.0, 1.0, _POINTS)[:, None]
    # A Bezier curve whose control points lean by 0.45 of the height.
    curved = np.hstack([3 * t**2 - 2 * t**3, 1.35 * t - 1.05 * t**2 + 0.7 * t**3])
    return [start + (t if k % 2 else curved) * (end - start) for k, (start, end) in enumerate(pairwise(route))]
