"""What a pathway map shows and how large it is, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .fields import Fields, model_of, states_of
from .heights import height_layout
from .layout import Layout, layered_layout
from .pictures import bar_label
from .style import EDGE_STYLES, choice

if TYPE_CHECKING:
    from ..landscape.landscape import Landscape
    from ..landscape.records import Node

# Lengths are in units of the width of a state's picture; a caption has two lines of letters.
CAPTION = 0.38
LETTER = 0.125
TITLE = 0.3
GAP = (0.42, 0.6)
_DISC = 0.56
_PAD = 0.2
_LARGEST_UNIT, _SMALLEST_UNIT = 1.0, 0.66  # inches
_USUAL = (10.0, 9.0)
_WIDEST = 40.0

_MISSING = "The model is not at hand: states are drawn as discs.\nlandscape.attach(model) gives it back."


@dataclass(frozen=True)
class Link:
    """All edges between two nodes, drawn as one line: the kind of the strongest, and how many there are."""

    upper: int
    lower: int
    kind: str
    count: int


class Title(NamedTuple):
    """What is written below a part of a map, and from where to where the part reaches."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, eq=False)
class PathwayMap:
    """A pathway map that knows its proportions.

    Parameters
    ----------
    nodes : list of Node
        By energy; links and layout count in this order.
    captions : list of str
        What is written below each.
    states : list of dict, or None
        One per node; None: nodes are drawn as discs.
    links : list of Link
    layout : Layout
    vertical : {"index", "energy"}
    side : float
        Width of a picture or disc.
    box : (width, height)
        Picture and caption.
    per_energy : float
        Units of length per unit of energy; 0 in levels by index.
    note : str
        What the reader must be told; empty if nothing.
    titles : tuple of Title
        Of the parts of a map, from left to right, where it is made of several.
    """

    nodes: list[Node]
    captions: list[str]
    states: list[Fields] | None
    links: list[Link]
    layout: Layout
    vertical: str
    side: float
    box: tuple[float, float]
    per_energy: float
    note: str
    titles: tuple[Title, ...] = ()

    @classmethod
    def of(cls, landscape: Landscape, vertical: str, expand: bool, edges: str) -> PathwayMap:
        """Collect what is to be drawn and lay it out.

        Raises
        ------
        ValueError
            If the landscape is empty, or an option is unknown.
        """
        choice(vertical, ("index", "energy"), "vertical")
        choice(edges, ("all", "down"), "edges")
        if not landscape.nodes:
            raise ValueError("landscape: it has no nodes yet, so there is nothing to draw; explore or resume it first")
        note = _MISSING if model_of(landscape) is None else ""
        landscape = landscape.expand() if expand else landscape
        nodes = sorted(landscape.nodes, key=lambda node: (node.point.energy, node.id))
        known = dict(zip((node.id for node in landscape.nodes), landscape.state_names(), strict=True))
        names = [known[node.id] for node in nodes]
        states = states_of(landscape, nodes)
        side = 1.0 if states else _DISC
        box = (1.0, side + CAPTION)
        links = merge_edges(landscape, nodes, edges)
        pairs = [(link.upper, link.lower) for link in links]
        per_energy = 0.0
        if vertical == "index":
            layout = layered_layout([node.point.index for node in nodes], pairs, box=box, gap=GAP)
        else:
            heights, per_energy = _heights(nodes, box)
            layout = height_layout(heights, pairs, box=box, gap=GAP, attach=CAPTION / 2)
        return cls(nodes, captions(nodes, names), states, links, layout, vertical, side, box, per_energy, note)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, right, bottom and top of everything drawn, in units."""
        points = np.concatenate([self.layout.positions, *self.layout.routes])
        half, margin = np.array(self.box) / 2, np.array([GAP[0] / 2, _PAD])
        low = np.minimum(self.layout.positions.min(axis=0) - half, points.min(axis=0)) - margin
        high = np.maximum(self.layout.positions.max(axis=0) + half, points.max(axis=0)) + margin
        if self.titles:
            low, high = np.array([self.titles[0].left, low[1] - TITLE]), np.array([self.titles[-1].right, high[1]])
        return low[0], high[0], low[1], high[1]

    @property
    def pictures(self) -> np.ndarray:
        """Centres of the nodes' pictures, (N, 2)."""
        return self.layout.positions + np.array([0.0, CAPTION / 2])

    @property
    def has_bar(self) -> bool:
        """Whether the states have colours that a bar explains."""
        return self.states is not None and bar_label(self.states[0]["kind"]) is not None

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches that show it legibly: large pictures when there are few, smaller ones when there are many."""
        left, right, bottom, top = self.bounds
        wanted = min(_USUAL[0] / (right - left), _USUAL[1] / (top - bottom))
        unit = min(float(np.clip(wanted, _SMALLEST_UNIT, _LARGEST_UNIT)), _WIDEST / (right - left))
        return unit * (right - left), unit * (top - bottom)


def _heights(nodes: list[Node], box: tuple[float, float]) -> tuple[list[float], float]:
    energies = np.array([node.point.energy for node in nodes])
    reach = energies[-1] - energies[0]
    rows = max(3, len({node.point.index for node in nodes}))
    # Many nodes make a wide map; it grows upwards too, or its lines would lie flat upon each other.
    stretch = max(0.8, 0.55 * np.sqrt(len(nodes) / rows))
    per_energy = stretch * rows * (box[1] + GAP[1]) / reach if reach > 0.0 else 0.0
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


def captions(nodes: list[Node], names: list[str | None]) -> list[str]:
    """Two lines for each node: id, name of the state, orbit size, nullity; energy above the lowest."""
    energies = np.array([node.point.energy for node in nodes])
    above = energies - energies.min()
    above[above <= 1e-12 * np.abs(energies).max()] = 0.0
    texts = []
    for node, name, energy in zip(nodes, names, above, strict=True):
        parts = [f"#{node.id}"]
        parts += [name] if name else []
        parts += [f"×{node.point.orbit_size}"] if node.point.orbit_size > 1 else []
        parts += [f"null. {node.point.nullity}"] if node.point.nullity else []
        texts.append(f"{' '.join(parts)}\nΔE {energy:.4g}")
    return texts
