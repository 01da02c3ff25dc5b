"""The pathway map: every node drawn as the state it is, in levels by Morse index or at the height of its energy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator

from .layout import Layout, height_layout, layered_layout
from .states import Fields, bar_label, colour_scale, draw_states, model_of, states_of
from .style import EDGE_STYLES, FONT, choice, index_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..landscape.landscape import Landscape
    from ..landscape.records import Node

# Lengths are in units of the width of a state's picture; a caption has two lines.
_CAPTION = 0.38
_GAP = (0.42, 0.75)
_BADGE = 0.2
_DISC = 0.44
_LETTER = 0.125
_PAD = 0.15
# Margins of a figure of our own, in inches.
_LEFT, _RIGHT, _TOP, _LINE = 0.72, 0.12, 0.08, 0.2
_BAR_ROOM = 0.62
_NARROWEST, _WIDEST = 3.4, 40.0


@dataclass(frozen=True)
class Link:
    """All edges between two nodes, drawn as one line: the kind of the strongest, and how many there are."""

    upper: int
    lower: int
    kind: str
    count: int


@dataclass(frozen=True, eq=False)
class PathwayMap:
    """A pathway map that knows its proportions before it is drawn; `plot_pathway` makes and draws one.

    Parameters
    ----------
    nodes : list of Node
        By energy; links and layout count in this order.
    states : list of dict, or None
        One per node; None: nodes are drawn as marked discs.
    note : str
        What the reader must be told; empty if nothing.
    """

    nodes: list[Node]
    states: list[Fields] | None
    links: list[Link]
    layout: Layout
    vertical: str
    side: float
    box: tuple[float, float]
    per_energy: float
    note: str

    @classmethod
    def of(cls, landscape: Landscape, vertical: str, expand: bool, edges: str) -> PathwayMap:
        """Collect what is to be drawn and lay it out."""
        choice(vertical, ("index", "energy"), "vertical")
        choice(edges, ("all", "down"), "edges")
        if not landscape.nodes:
            raise ValueError("landscape: it has no nodes yet, so there is nothing to draw; explore or resume it first")
        landscape = landscape.expand() if expand else landscape
        nodes = sorted(landscape.nodes, key=lambda node: (node.point.energy, node.id))
        states = states_of(landscape, nodes)
        missing = model_of(landscape) is None
        note = "model not at hand: states are drawn as discs (landscape.attach(model) shows them)" if missing else ""
        side = 1.0 if states else _DISC
        box = (1.0 if states else 0.9, side + _CAPTION)
        links = merge_edges(landscape, nodes, edges)
        pairs = [(link.upper, link.lower) for link in links]
        per_energy = 0.0
        if vertical == "index":
            layout = layered_layout([node.point.index for node in nodes], pairs, box=box, gap=_GAP)
        else:
            heights, per_energy = _heights(nodes, box)
            layout = height_layout(heights, pairs, box=box, gap=_GAP)
        return cls(nodes, states, links, layout, vertical, side, box, per_energy, note)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of everything drawn, in units."""
        points = np.concatenate([self.layout.positions, *self.layout.routes])
        half = np.array(self.box) / 2
        low = np.minimum(self.layout.positions.min(axis=0) - half, points.min(axis=0)) - (_GAP[0] / 2, _PAD)
        high = np.maximum(self.layout.positions.max(axis=0) + half, points.max(axis=0)) + (_GAP[0] / 2, _PAD)
        return low[0], high[0], low[1], high[1]

    @property
    def pictures(self) -> np.ndarray:
        """Centres of the nodes' pictures, (N, 2)."""
        return self.layout.positions + (0.0, _CAPTION / 2)

    @property
    def has_bar(self) -> bool:
        """Whether the states have colours that a bar explains."""
        return self.states is not None and bar_label(self.states[0]["kind"]) is not None

    def unit(self) -> float:
        """Inches per unit in a figure of our own: legible when few, smaller when many."""
        left, right, _, _ = self.bounds
        smallest = 0.66 if self.states else 0.6
        return min(float(np.clip(10.0 / (right - left), smallest, 1.05)), _WIDEST / (right - left))

    def figure_size(self, colorbar: bool, legend: bool) -> tuple[float, float]:
        """Width and height in inches of a figure that fits, margins included."""
        left, right, bottom, top = self.bounds
        unit = self.unit()
        width = max((right - left) * unit + _LEFT + _RIGHT + _BAR_ROOM * (colorbar and self.has_bar), _NARROWEST)
        return width, (top - bottom) * unit + _TOP + _LINE * (0.5 + (self._legend_rows(width) if legend else 0))

    def _legend_rows(self, width: float) -> int:
        entries = len(self._handles())
        columns = self._legend_columns(width)
        return -(-entries // columns) + bool(self.note)

    def _legend_columns(self, width: float) -> int:
        return max(1, min(len(self._handles()), int(width / 1.45)))

    def _handles(self) -> list[Line2D]:
        kinds = {link.kind for link in self.links}
        handles = [
            Line2D([], [], color="0.3", linewidth=style.width, linestyle=style.dashes, label=style.label)
            for kind, style in EDGE_STYLES.items()
            if kind in kinds
        ]
        if self.vertical == "energy":
            for index in sorted({node.point.index for node in self.nodes}):
                style = index_style(index)
                handles.append(Line2D([], [], color=style.colour, marker=style.marker, linestyle="none", label=f"index {index}"))
        return handles

    # --- drawing --------------------------------------------------------------------------------------------------------

    def axes(self, colorbar: bool, legend: bool) -> Axes:
        """Axes in a figure of our own. The margins are exact, so the pictures have just the size they were laid out for."""
        width, height = self.figure_size(colorbar, legend)
        below = _LINE * (0.5 + (self._legend_rows(width) if legend else 0))
        right = _RIGHT + _BAR_ROOM * (colorbar and self.has_bar)
        figure = Figure(figsize=(width, height))
        return figure.add_axes((_LEFT / width, below / height, 1 - (_LEFT + right) / width, 1 - (below + _TOP) / height))

    def draw(self, ax: Axes, colorbar: bool, legend: bool) -> Axes:
        """Draw everything into ``ax``."""
        unit = self._fit(ax)
        self._draw_axis(ax)
        self._draw_links(ax, unit)
        scale = None
        if self.states:
            scale = colour_scale(self.states)
            draw_states(ax, self.states, self.pictures, self.side, scale)
            self._draw_frames(ax)
        self._draw_badges(ax, unit)
        self._draw_captions(ax, unit)
        if colorbar and self.has_bar:
            self._draw_bar(ax, scale, unit)
        if legend:
            self._draw_legend(ax)
        return ax

    def _fit(self, ax: Axes) -> float:
        """Set limits and aspect; returns inches per unit."""
        left, right, bottom, top = self.bounds
        extent = ax.get_window_extent()
        width, height = extent.width / ax.figure.dpi, extent.height / ax.figure.dpi
        unit = min(width / (right - left), height / (top - bottom))
        # Room to spare is shared by both sides instead of shrinking the axes.
        spare = max(0.0, width / unit - (right - left)) / 2
        ax.set(xlim=(left - spare, right + spare), ylim=(bottom, top), aspect="equal")
        return unit

    def _draw_axis(self, ax: Axes) -> None:
        ax.set_xticks([])
        ax.spines[["top", "right", "bottom"]].set_visible(False)
        if self.vertical == "energy":
            reach = self.nodes[-1].point.energy - self.nodes[0].point.energy
            ticks = [tick for tick in MaxNLocator(6).tick_values(0.0, reach) if -1e-9 <= tick <= reach * (1 + 1e-9)] if reach else [0.0]
            base = self.pictures[0][1]
            ax.yaxis.set_major_locator(FixedLocator([base + self.per_energy * tick for tick in ticks]))
            ax.yaxis.set_major_formatter(FixedFormatter([f"{tick:.6g}" for tick in ticks]))
            ax.tick_params(labelsize=FONT)
            ax.set_ylabel("energy above the lowest", fontsize=FONT)
            return
        ax.spines["left"].set_visible(False)
        levels: dict[int, list[float]] = {}
        for row in self.layout.rows:
            levels.setdefault(self.nodes[row[0]].point.index, []).append(self.pictures[row[0]][1])
        ax.yaxis.set_major_locator(FixedLocator([float(np.mean(heights)) for heights in levels.values()]))
        ax.yaxis.set_major_formatter(FixedFormatter([f"index {index}" for index in levels]))
        ax.tick_params(left=False, labelsize=FONT + 1)
        self._draw_bands(ax, levels)

    def _draw_bands(self, ax: Axes, levels: dict[int, list[float]]) -> None:
        above, below = self.side / 2 + 0.1, self.side / 2 + _CAPTION + 0.06
        for heights in levels.values():
            ax.axhspan(min(heights) - below, max(heights) + above, color="0.955", linewidth=0, zorder=0)

    def _draw_links(self, ax: Axes, unit: float) -> None:
        curved = self.vertical == "index"
        paths = [route_path(route, curved) for route in self.layout.routes]
        for kind, style in EDGE_STYLES.items():
            chosen = [i for i, link in enumerate(self.links) if link.kind == kind]
            colours = [index_style(self.nodes[self.links[i].upper].point.index).colour for i in chosen]
            ax.add_collection(
                PathCollection(
                    [paths[i] for i in chosen],
                    facecolors="none",
                    edgecolors=colours,
                    linewidths=style.width * min(1.0, unit / 0.7),
                    linestyles=[style.dashes],
                    zorder=1.5,
                    label=f"links {kind}",
                ),
                autolim=False,
            )
        self._draw_counts(ax, paths, unit)

    def _draw_counts(self, ax: Axes, paths: list[Path], unit: float) -> None:
        """How many edges a line stands for, written upon it at a place of its own."""
        taken: list[np.ndarray] = [] if self.vertical == "index" else list(self.layout.positions)
        reach = [np.array([0.2, 0.14])] * 0 if self.vertical == "index" else [np.array(self.box) / 2 + 0.1] * len(taken)
        for link, path in zip(self.links, paths, strict=True):
            if link.count == 1:
                continue
            places = _along(path)
            free = [p for p in places if all((np.abs(p - q) > r).any() for q, r in zip(taken, reach, strict=True))]
            place = (free or places)[0]
            taken.append(place)
            reach.append(np.array([0.24, 0.16]))
            ax.text(
                *place,
                str(link.count),
                fontsize=72 * unit * _LETTER * 0.75,
                color="0.25",
                ha="center",
                va="center",
                zorder=1.7,
                bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none"},
            )

    def _draw_frames(self, ax: Axes) -> None:
        half = self.side / 2
        corners = half * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -1)])
        frames = [centre + corners for centre in self.pictures]
        colours = [index_style(node.point.index).colour for node in self.nodes]
        backs = ["white"] * len(frames)
        ax.add_collection(
            LineCollection(frames, colors=colours, linewidths=1.4, facecolors="none", capstyle="projecting", zorder=3.5), autolim=False
        )
        ax.add_collection(PathCollection([Path(f) for f in frames], facecolors=backs, linewidths=0, zorder=2.5), autolim=False)

    def _draw_badges(self, ax: Axes, unit: float) -> None:
        """The marker of the index with its number: in the corner of a picture, or instead of one."""
        size = _BADGE if self.states else _DISC
        corner = (-0.5 * self.side, 0.5 * self.side) if self.states else (0.0, 0.0)
        places = self.pictures + corner
        letter = 72 * unit * (_LETTER * 0.8 if self.states else _LETTER)
        for index in sorted({node.point.index for node in self.nodes}):
            style = index_style(index)
            chosen = places[[node.point.index == index for node in self.nodes]]
            # A bare polygon hides less of a picture than a disc but must still hold a number.
            ax.scatter(*chosen.T, s=(72 * unit * size) ** 2, c=style.colour, marker=style.marker, edgecolors="white", linewidths=0.6, zorder=4)
            for place in chosen:
                ax.text(*place, str(index), fontsize=letter, color=style.text, ha="center", va="center_baseline", zorder=4.1)

    def _draw_captions(self, ax: Axes, unit: float) -> None:
        lowest = self.nodes[0].point.energy
        scale = max(abs(lowest), abs(self.nodes[-1].point.energy))
        for node, (x, y) in zip(self.nodes, self.pictures, strict=True):
            ax.text(
                x,
                y - self.side / 2 - 0.05,
                caption(node, lowest, scale),
                fontsize=72 * unit * _LETTER,
                linespacing=1.1,
                ha="center",
                va="top",
                zorder=4,
            )

    def _draw_bar(self, ax: Axes, scale, unit: float) -> None:
        width = ax.get_window_extent().width / ax.figure.dpi
        bar = ax.inset_axes((1 + 0.06 / width, 0.0, 0.1 / width, min(1.0, 1.8 * unit / 1.0 / (ax.get_window_extent().height / ax.figure.dpi))))
        ax.figure.colorbar(scale, cax=bar).set_label(bar_label(self.states[0]["kind"]), fontsize=FONT - 1)
        bar.tick_params(labelsize=FONT - 1)

    def _draw_legend(self, ax: Axes) -> None:
        handles = self._handles()
        if not handles and not self.note:
            return
        ax.legend(
            handles=handles,
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            borderaxespad=0.3,
            ncols=self._legend_columns(ax.figure.get_figwidth()),
            fontsize=FONT,
            title=self.note or None,
            title_fontsize=FONT - 1,
            frameon=False,
        )


def _heights(nodes: list[Node], box: tuple[float, float]) -> tuple[list[float], float]:
    energies = np.array([node.point.energy for node in nodes])
    reach = energies[-1] - energies[0]
    rows = max(3, len({node.point.index for node in nodes}))
    per_energy = rows * (box[1] + _GAP[1]) / reach if reach > 0.0 else 0.0
    return (per_energy * (energies - energies[0])).tolist(), float(per_energy)


def merge_edges(landscape: Landscape, nodes: list[Node], edges: str) -> list[Link]:
    """Parallel edges as one link each, in the order they were found; ``nodes`` gives the numbering."""
    number = {node.id: i for i, node in enumerate(nodes)}
    kinds: dict[tuple[int, int], list[str]] = {}
    for edge in landscape.edges:
        if edge.kind == "up" and edges == "down":
            continue
        kinds.setdefault((number[edge.parent], number[edge.child]), []).append(edge.kind.rstrip("+-"))
    return [Link(a, b, min(found, key=list(EDGE_STYLES).index), len(found)) for (a, b), found in kinds.items()]


def caption(node: Node, lowest: float, scale: float) -> str:
    """Two lines below a node: id, orbit size, nullity; energy above the lowest (``scale``: the largest energy, for what counts as zero)."""
    point = node.point
    parts = [f"#{node.id}"]
    parts += [f"×{point.orbit_size}"] if point.orbit_size > 1 else []
    parts += [f"null. {point.nullity}"] if point.nullity else []
    above = point.energy - lowest
    return f"{' '.join(parts)}\nΔE {0.0 if above <= 1e-12 * scale else above:.4g}"


def route_path(route: np.ndarray, curved: bool) -> Path:
    """A route (m, 2) as a path: S-shaped between rows and straight past them, or straight all the way."""
    if not curved:
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


def _along(path: Path) -> list[np.ndarray]:
    """Places for a label along the last piece of a path, the middle first."""
    fractions = np.array([0.5, 0.35, 0.65, 0.25, 0.75])[:, None]
    if path.codes is None:
        a, b = path.vertices[0], path.vertices[-1]
        return list(a + fractions * (b - a))
    a, b, c, d = path.vertices[-4:]
    rest = 1 - fractions
    return list(rest**3 * a + 3 * rest**2 * fractions * b + 3 * rest * fractions**2 * c + fractions**3 * d)


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

    A frame and a badge in the colour of its Morse index surround each state. The caption gives the node's id, how many symmetric
    copies it stands for, its nullity if any, and its energy above the lowest. Lines have the colour of the upper node: thick for
    gradient flow from an index-1 saddle, thin for a downward search, dashed where only an upward search saw the connection; a number
    on a line counts the edges it stands for.

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
    ax = scene.axes(colorbar, legend) if ax is None else ax
    return scene.draw(ax, colorbar, legend)
