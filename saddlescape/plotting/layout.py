"""Where the nodes of a pathway map go, in levels. Pure functions from (levels, edges) to positions: no matplotlib, no landscape.

Layered drawing in the manner of Sugiyama: rows of nodes, long edges given a place of their own in every row they pass (so that no
edge runs through a node), rows ordered by barycentres and exchanges so that few edges cross, abscissae by isotonic regression.

References
----------
.. [1] K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of hierarchical system structures",
   IEEE Trans. Syst. Man Cybern. 11 (1981) 109-125.
.. [2] R. E. Barlow et al., "Statistical inference under order restrictions", Wiley 1972 (pool adjacent violators).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

BOX = (1.0, 1.4)
GAP = (0.42, 0.75)

_SWEEPS = 12
_EXCHANGE_LIMIT = 400  # beyond this many edges between rows the exchanges cost more time than they save crossings
_LANE = 0.22


@dataclass(frozen=True, eq=False)
class Layout:
    """Positions in units of a node's width, y upwards.

    Parameters
    ----------
    positions : (N, 2) array
        Centres of the node boxes.
    routes : tuple of (m, 2) arrays
        Way points of each edge, from its upper node to its lower one. In a layered layout the pieces from point
        2k to 2k + 1 lie between two rows, those from 2k + 1 to 2k + 2 pass one.
    rows : tuple of tuple of int
        The nodes of each row from left to right, top row first.
    """

    positions: np.ndarray
    routes: tuple[np.ndarray, ...]
    rows: tuple[tuple[int, ...], ...]


@dataclass
class _Layers:
    """Rows of vertices (nodes, and one lane per edge and passed row) and the segments between neighbouring rows."""

    rows: list[list[int]]
    chains: list[list[int]]
    above: list[list[int]]
    below: list[list[int]]


def layered_layout(
    levels: Sequence[int],
    edges: Sequence[tuple[int, int]],
    *,
    box: tuple[float, float] = BOX,
    gap: tuple[float, float] = GAP,
    widest: int = 10,
) -> Layout:
    """Lay out a graph in levels, the highest on top.

    Parameters
    ----------
    levels : (N,) sequence of int
        Level of each node. The order of the nodes is the order from left to right where the edges do not care.
    edges : sequence of (upper node, lower node)
        An edge within one level is routed straight and does not influence the positions.
    box : (width, height)
        Size of a node.
    gap : (horizontal, vertical)
        Least distance between neighbouring boxes.
    widest : int
        A level of more nodes than this is wrapped into several rows.

    Returns
    -------
    Layout

    Raises
    ------
    ValueError
        If an edge names a node that is not there, or leads upwards.
    """
    for upper, lower in edges:
        if not (0 <= upper < len(levels) and 0 <= lower < len(levels)):
            raise ValueError(f"edges: got {(upper, lower)}, expected pairs of node numbers from 0 to {len(levels) - 1}")
        if levels[upper] < levels[lower]:
            raise ValueError(
                f"edges: {(upper, lower)} leads from level {levels[upper]} up to {levels[lower]}; give the upper node first"
            )
    rows = [[v for v in range(len(levels)) if levels[v] == level] for level in sorted(set(levels), reverse=True)]
    layers = _ordered(_layers(rows, edges, len(levels)))
    if any(len(row) > widest for row in rows):
        layers = _ordered(_layers(_wrapped(layers, len(levels), widest), edges, len(levels)))
    abscissae = _abscissae(layers, len(levels), box[0], gap[0])
    ordinates = np.empty(len(abscissae))
    for number, row in enumerate(layers.rows):
        ordinates[row] = -number * (box[1] + gap[1])
    positions = np.column_stack([abscissae, ordinates])
    visible = tuple(tuple(v for v in row if v < len(levels)) for row in layers.rows)
    return Layout(positions[: len(levels)], _routes(layers.chains, positions, box), visible)


def _wrapped(layers: _Layers, n_nodes: int, widest: int) -> list[list[int]]:
    """Deal the nodes of wide levels over several rows, neighbours into different rows so that edges find gaps between them."""
    rows = []
    for row in layers.rows:
        nodes = [v for v in row if v < n_nodes]
        count = int(np.ceil(np.sqrt(len(nodes) / widest)))
        rows += [nodes[first::count] for first in range(count)]
    return rows


def _layers(rows: list[list[int]], edges: Sequence[tuple[int, int]], n_nodes: int) -> _Layers:
    rows = [list(row) for row in rows]
    row_of = {v: number for number, row in enumerate(rows) for v in row}
    chains = []
    vertices = n_nodes
    for upper, lower in edges:
        lanes = []
        for number in range(row_of[upper] + 1, row_of[lower]):
            rows[number].append(vertices)
            lanes.append(vertices)
            vertices += 1
        chains.append([upper, *lanes, lower])
    above: list[list[int]] = [[] for _ in range(vertices)]
    below: list[list[int]] = [[] for _ in range(vertices)]
    for chain in chains:
        # Wrapping can put the two ends of a level's own edge into any rows: only truly descending segments count.
        if row_of[chain[0]] < row_of[chain[-1]]:
            for v, w in pairwise(chain):
                below[v].append(w)
                above[w].append(v)
    return _Layers(rows, chains, above, below)


def _ordered(layers: _Layers) -> _Layers:
    """Order the rows: sweeps of barycentres down and up, each followed by exchanges of neighbours; the best order seen is kept."""
    best, fewest = [list(row) for row in layers.rows], crossings(layers.rows, layers.below)
    for sweep in range(_SWEEPS):
        if fewest == 0:
            break
        down = sweep % 2 == 0
        towards = layers.above if down else layers.below
        numbers = range(1, len(layers.rows)) if down else range(len(layers.rows) - 2, -1, -1)
        for number in numbers:
            place = _places(layers.rows[number - 1 if down else number + 1])
            own = _places(layers.rows[number])
            layers.rows[number].sort(key=lambda v: _mean([place[w] for w in towards[v]], own[v]))
        _exchange(layers)
        count = crossings(layers.rows, layers.below)
        if count < fewest:
            best, fewest = [list(row) for row in layers.rows], count
    layers.rows = best
    return layers


def _places(row: list[int]) -> dict[int, float]:
    # Centred, so that rows of different length share their middle.
    return {v: i - (len(row) - 1) / 2 for i, v in enumerate(row)}


def _mean(values: list[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise


def _exchange(layers: _Layers) -> None:
    """Exchange neighbours in a row wherever that removes crossings."""
    if sum(map(len, layers.below)) > _EXCHANGE_LIMIT:
        return
    for number, row in enumerate(layers.rows):
        up = _places(layers.rows[number - 1]) if number else {}
        down = _places(layers.rows[number + 1]) if number + 1 < len(layers.rows) else {}
        for i in range(len(row) - 1):
            v, w = row[i], row[i + 1]
            gain = 0
            for place, near in ((up, layers.above), (down, layers.below)):
                gain += sum(int(place[a] > place[b]) - int(place[a] < place[b]) for a in near[v] for b in near[w])
            if gain > 0:
                row[i], row[i + 1] = w, v


def crossings(rows: Sequence[Sequence[int]], below: Sequence[Sequence[int]]) -> int:
    """How many pairs of segments cross between neighbouring rows; ``below[v]`` lists the vertices of the next row joined to v."""
    count = 0
    for upper, lower in pairwise(rows):
        place = {v: i for i, v in enumerate(lower)}
        seen: list[int] = []
        for v in upper:
            ends = sorted(place[w] for w in below[v])
            count += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return count


def _abscissae(layers: _Layers, n_nodes: int, width: float, gap: float) -> np.ndarray:
    x = np.zeros(len(layers.above))
    apart = [_separations(row, n_nodes, width, gap) for row in layers.rows]
    for row, distance in zip(layers.rows, apart, strict=True):
        x[row] = separated(np.zeros(len(row)), distance)
    for sweep in range(_SWEEPS):
        for number in range(len(layers.rows))[:: 1 if sweep % 2 == 0 else -1]:
            row = layers.rows[number]
            wish = np.array([_mean([x[w] for w in layers.above[v] + layers.below[v]], x[v]) for v in row])
            x[row] = separated(wish, apart[number])
    return x - (x[:n_nodes].min(initial=0.0) + x[:n_nodes].max(initial=0.0)) / 2


def _separations(row: list[int], n_nodes: int, width: float, gap: float) -> np.ndarray:
    """Least distances between neighbours of a row. Many lanes share the room of half the row instead of doubling its width."""
    nodes = sum(v < n_nodes for v in row)
    lane = min(_LANE, 0.5 * max(nodes, 1) * (width + gap) / max(len(row) - nodes, 1))
    half = np.array([(width + gap) / 2 if v < n_nodes else lane / 2 for v in row])
    return half[:-1] + half[1:]


def separated(wish: np.ndarray, apart: np.ndarray) -> np.ndarray:
    """The ordered positions nearest to what is wished: minimise sum (x_i - wish_i)^2 with x_{i+1} - x_i >= apart_i.

    Parameters
    ----------
    wish : (m,) array
    apart : (m - 1,) array

    Returns
    -------
    (m,) array
    """
    offset = np.concatenate([[0.0], np.cumsum(apart)])[: len(wish)]
    blocks: list[tuple[float, int]] = []
    for value in wish - offset:
        mean, size = float(value), 1
        while blocks and blocks[-1][0] > mean:
            other, count = blocks.pop()
            mean, size = (mean * size + other * count) / (size + count), size + count
        blocks.append((mean, size))
    return np.repeat([b[0] for b in blocks], [b[1] for b in blocks]) + offset if blocks else offset


def _routes(chains: list[list[int]], positions: np.ndarray, box: tuple[float, float]) -> tuple[np.ndarray, ...]:
    half = box[1] / 2
    leave = _ports(chains, positions, box[0], end=0)
    arrive = _ports(chains, positions, box[0], end=-1)
    routes = []
    for number, chain in enumerate(chains):
        (x0, y0), (x1, y1) = positions[chain[0]], positions[chain[-1]]
        if y0 <= y1:  # both ends in one level
            routes.append(np.array([[x0, y0], [x1, y1]]))
            continue
        points = [(x0 + leave[number], y0 - half)]
        for lane in chain[1:-1]:
            x, y = positions[lane]
            points += [(x, y + half), (x, y - half)]
        routes.append(np.array([*points, (x1 + arrive[number], y1 + half)]))
    return tuple(routes)


def _ports(chains: list[list[int]], positions: np.ndarray, width: float, end: int) -> np.ndarray:
    """Where along a node's side each edge is attached: side by side, in the order of where they go."""
    offsets = np.zeros(len(chains))
    by_node: dict[int, list[int]] = {}
    for number, chain in enumerate(chains):
        by_node.setdefault(chain[end], []).append(number)
    towards = 1 if end == 0 else -2
    for numbers in by_node.values():
        numbers.sort(key=lambda number: (positions[chains[number][towards]][0], number))
        spread = min(0.7 * width, 0.16 * width * (len(numbers) - 1))
        offsets[numbers] = np.linspace(-spread / 2, spread / 2, len(numbers)) if len(numbers) > 1 else 0.0
    return offsets
