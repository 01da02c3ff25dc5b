"""The connections of a pathway map as lines, with their numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.path import Path

from .pathmap import LETTER, PathwayMap
from .style import EDGE_STYLES, index_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
    taken = np.empty((0, 2))
    half = np.array(scene.box) / 2 + 0.1
    letter = 72 * unit * LETTER * 0.75
    back = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"}
    for link, route in zip(scene.links, scene.layout.routes, strict=True):
        if link.count == 1:
            continue
        places = _label_places(route)
        apart = (np.abs(places[:, None] - taken) > (0.24, 0.16)).any(axis=2).all(axis=1)
        clear = (np.abs(places[:, None] - scene.layout.positions) > half).any(axis=2).all(axis=1)
        place = places[np.argmax(2 * apart + clear)]
        taken = np.vstack([taken, place])
        ax.text(*place, str(link.count), fontsize=letter, color="0.25", ha="center", va="center", zorder=1.7, bbox=back)


def _label_places(route: np.ndarray) -> np.ndarray:
    """Places for a label on a route (m, 2), the best first: about the middle of its last piece between rows."""
    fractions = np.array([0.5, 0.4, 0.6, 0.32, 0.68, 0.25, 0.75])
    if len(route) % 2:
        return route[np.round(fractions * (len(route) - 1)).astype(int)]
    start, end = route[-2], route[-1]
    along = 3 * fractions**2 - 2 * fractions**3  # the abscissa of the S-shaped piece, nearly
    return np.column_stack([start[0] + along * (end[0] - start[0]), start[1] + fractions * (end[1] - start[1])])
