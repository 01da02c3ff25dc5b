"""The pathway map: every node drawn as the state it is, in levels by Morse index or at the height of its energy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator

from .links import draw_links
from .pathmap import CAPTION, LETTER, PathwayMap
from .pictures import bar_label, colour_scale, defect_handles, draw_states, fills_its_frame
from .style import EDGE_STYLES, FONT, index_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable

    from ..landscape.landscape import Landscape

# In units of the width of a state's picture.
_BADGE = 0.2
# Margins of a figure of our own, a line of the legend and the room of a colour bar, in inches.
_LEFT, _RIGHT, _TOP, _LINE, _BAR = 0.72, 0.12, 0.08, 0.2, 0.62
_NARROWEST = 2.7


def plot_pathway(
    landscape: Landscape,
    ax: Axes | None = None,
    *,
    vertical: str = "index",
    expand: bool = False,
    edges: str = "all",
    colorbar: bool = True,
    legend: bool = True,
) -> Axes:
    """The pathway map of a landscape, every node drawn as the state it is.

    A frame and a badge in the colour of its Morse index surround each state. The caption gives the node's id, the name of the state
    where the model knows one, how many symmetric copies it stands for, its nullity if any, and its energy above the lowest. Lines
    have the colour of the upper node: thick for gradient flow from an index-1 saddle, thin for a downward search, dashed where only
    an upward search saw the connection; a number on a line counts the edges it stands for.

    Parameters
    ----------
    landscape : Landscape
    ax : Axes, optional
        Where to draw. Default: the axes of a new figure, whose size follows from the map.
    vertical : {"index", "energy"}
        Levels by Morse index, the highest on top; or heights by energy.
    expand : bool
        Whether to spread symmetric copies out instead of collapsing them to one node with its orbit size.
    edges : {"all", "down"}
        "down" leaves out connections that only an upward search saw.
    colorbar, legend : bool
        Whether to explain the colours of the states and the lines.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If the landscape is empty, or an option is not one of those above.

    Notes
    -----
    Where the landscape's model is not at hand (a model of the user's own, loaded from a file), nodes are drawn as discs, and the
    legend says so.
    """
    scene = PathwayMap.of(landscape, vertical, expand, edges)
    if ax is None:
        ax = add_map_axes(Figure(figsize=figure_size(scene, colorbar, legend)), scene, colorbar, legend)
    return draw_map(scene, ax, colorbar, legend)


def figure_size(scene: PathwayMap, colorbar: bool = True, legend: bool = True) -> tuple[float, float]:
    """Width and height in inches of a figure for the map, margins included."""
    width = max(scene.size[0], _NARROWEST)
    return width + _LEFT + _right(scene, colorbar), scene.size[1] + _TOP + _foot(scene, width, legend)


def _right(scene: PathwayMap, colorbar: bool) -> float:
    return _RIGHT + _BAR * (colorbar and scene.has_bar)


def _foot(scene: PathwayMap, width: float, legend: bool) -> float:
    """Room for the legend below axes of a width, in inches."""
    if not legend:
        return _LINE / 2
    entries = len(_handles(scene))
    lines = (scene.note.count("\n") + 1 if scene.note else 0) + -(-entries // _legend_columns(entries, width))
    return _LINE * (0.5 + lines)


def _legend_columns(entries: int, width: float) -> int:
    return max(1, min(entries, int(width / 1.3)))


def add_map_axes(figure: Figure, scene: PathwayMap, colorbar: bool = True, legend: bool = True) -> Axes:
    """Axes for a map in the left part of a figure, with exact margins: pictures and letters get the size they were laid out for."""
    width = max(scene.size[0], _NARROWEST)
    whole, height = figure.get_size_inches()
    below = _foot(scene, width, legend)
    above = (height - below - scene.size[1] - _TOP) / 2  # a neighbour may need a higher figure
    return figure.add_axes((_LEFT / whole, (below + above) / height, width / whole, scene.size[1] / height))


def draw_map(scene: PathwayMap, ax: Axes, colorbar: bool = True, legend: bool = True) -> Axes:
    """Draw a map into ``ax``; letters are as large as the pictures allow."""
    unit = _fit(scene, ax)
    _draw_axis(scene, ax)
    draw_links(scene, ax, unit)
    if scene.states:
        scale = colour_scale(scene.states)
        _draw_frames(scene, ax)
        draw_states(ax, scene.states, scene.pictures, scene.side, scale)
        if colorbar and scene.has_bar:
            _draw_bar(scene, ax, scale)
    _draw_badges(scene, ax, unit)
    _draw_captions(scene, ax, unit)
    _draw_titles(scene, ax, unit)
    if legend:
        _draw_legend(scene, ax)
    return ax


def _inches(ax: Axes) -> tuple[float, float]:
    extent = ax.get_window_extent()
    return extent.width / ax.figure.dpi, extent.height / ax.figure.dpi


def _fit(scene: PathwayMap, ax: Axes) -> float:
    """Set limits and aspect; returns inches per unit."""
    left, right, bottom, top = scene.bounds
    width, height = _inches(ax)
    unit = min(width / (right - left), height / (top - bottom))
    # Room to spare goes to both sides instead of shrinking the axes.
    spare = max(0.0, width / unit - (right - left)) / 2
    ax.set(xlim=(left - spare, right + spare), ylim=(bottom, top), aspect="equal")
    return unit


def _draw_axis(scene: PathwayMap, ax: Axes) -> None:
    ax.set_xticks([])
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    if scene.vertical == "energy":
        reach = scene.nodes[-1].point.energy - scene.nodes[0].point.energy
        ticks = MaxNLocator(6).tick_values(0.0, reach) if reach > 0.0 else np.zeros(1)
        ticks = ticks[(ticks >= 0.0) & (ticks <= reach)]
        ax.yaxis.set_major_locator(FixedLocator(scene.pictures[0][1] + scene.per_energy * ticks))
        ax.yaxis.set_major_formatter(FixedFormatter([f"{tick:.6g}" for tick in ticks]))
        ax.tick_params(labelsize=FONT)
        ax.set_ylabel("energy above the lowest", fontsize=FONT)
        return
    ax.spines["left"].set_visible(False)
    levels: dict[int, list[float]] = {}
    for row in scene.layout.rows:
        levels.setdefault(scene.nodes[row[0]].point.index, []).append(scene.pictures[row[0]][1])
    ax.yaxis.set_major_locator(FixedLocator([float(np.mean(heights)) for heights in levels.values()]))
    ax.yaxis.set_major_formatter(FixedFormatter([f"index {index}" for index in levels]))
    ax.tick_params(left=False, labelsize=FONT + 1)
    for heights in levels.values():  # a band behind each level
        below = min(heights) - scene.side / 2 - CAPTION - 0.06
        ax.axhspan(below, max(heights) + scene.side / 2 + 0.1, color="0.955", linewidth=0, zorder=0)


def _draw_frames(scene: PathwayMap, ax: Axes) -> None:
    corners = scene.side / 2 * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)])
    frames = PathCollection(
        [Path(centre + corners, closed=True) for centre in scene.pictures],
        facecolors="white",
        edgecolors=[index_style(node.point.index).colour for node in scene.nodes],
        linewidths=2.8 if fills_its_frame(scene.states[0]) else 1.4,  # an image covers the inner half
        zorder=2.9,
        label="frames",
    )
    ax.add_collection(frames, autolim=False)


def _draw_badges(scene: PathwayMap, ax: Axes, unit: float) -> None:
    """The marker of the index with its number: in the corner of a picture, or instead of one."""
    size = _BADGE if scene.states else scene.side / 1.4  # the largest marker fills the side
    places = scene.pictures + (scene.side * np.array([-0.5, 0.5]) if scene.states else 0.0)
    letter = 72 * unit * LETTER * (0.8 if scene.states else 1.0)
    for index in sorted({node.point.index for node in scene.nodes}):
        style = index_style(index)
        chosen = places[[node.point.index == index for node in scene.nodes]]
        area = (72 * unit * size * style.scale) ** 2
        ax.scatter(*chosen.T, s=area, c=style.colour, marker=style.marker, edgecolors="white", linewidths=0.6, zorder=4)
        for place in chosen + size * style.scale * np.array(style.number):
            ax.text(*place, str(index), fontsize=letter, color=style.text, ha="center", va="center_baseline", zorder=4.1)


def _draw_captions(scene: PathwayMap, ax: Axes, unit: float) -> None:
    # Lines to and from a node at the height of its energy may pass behind its caption.
    back = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"} if scene.vertical == "energy" else None
    for text, (x, y) in zip(scene.captions, scene.pictures, strict=True):
        ax.text(
            x,
            y - scene.side / 2 - 0.05,
            text,
            fontsize=72 * unit * LETTER,
            linespacing=1.1,
            ha="center",
            va="top",
            zorder=2.2,
            bbox=back,
        )


def _draw_titles(scene: PathwayMap, ax: Axes, unit: float) -> None:
    bottom = scene.bounds[2]
    for number, title in enumerate(scene.titles):
        if number:  # a gap in the bands between two parts
            ax.axvspan(title.left - 0.05, title.left + 0.05, color="white", linewidth=0, zorder=0.5)
        place = ((title.left + title.right) / 2, bottom + 0.08)
        ax.text(*place, title.text, fontsize=72 * unit * LETTER * 1.3, ha="center", va="bottom", zorder=2.2)


def _draw_bar(scene: PathwayMap, ax: Axes, scale: ScalarMappable) -> None:
    width, height = _inches(ax)
    bar = ax.inset_axes((1 + 0.06 / width, 0.0, 0.1 / width, min(1.0, 1.8 / height)))
    ax.figure.colorbar(scale, cax=bar).set_label(bar_label(scene.states[0]["kind"]), fontsize=FONT - 1)
    bar.tick_params(labelsize=FONT - 1)


def _handles(scene: PathwayMap) -> list[Line2D]:
    kinds = {link.kind for link in scene.links}
    handles = [
        Line2D([], [], color="0.3", linewidth=style.width, linestyle=style.dashes, label=style.label)
        for kind, style in EDGE_STYLES.items()
        if kind in kinds
    ]
    if scene.vertical == "energy":  # the levels are not labelled there
        for index in sorted({node.point.index for node in scene.nodes}):
            style = index_style(index)
            handles.append(Line2D([], [], color=style.colour, marker=style.marker, linestyle="none", label=f"index {index}"))
    return handles + defect_handles(scene.states or ())


def _draw_legend(scene: PathwayMap, ax: Axes) -> None:
    handles = _handles(scene)
    if not handles and not scene.note:
        return
    legend = ax.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        borderaxespad=0.3,
        ncols=_legend_columns(len(handles), _inches(ax)[0]),
        fontsize=FONT,
        title=scene.note or None,
        title_fontsize=FONT - 1,
        frameon=False,
    )
    legend.get_title().set_multialignment("center")
