"""Where the nodes of a pathway map go when their heights are given by energy. Pure functions, as in `layout`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .layout import BOX, GAP, Layout

_CLEAR = 0.1
_OPTIONS = 16
_PASSES = 3
_POINTS = 97
_BENDS = (0.0, 0.3, -0.3, 0.6, -0.6, 0.9, -0.9, 1.3, -1.3)


def height_layout(
    heights: Sequence[float],
    edges: Sequence[tuple[int, int]],
    *,
    box: tuple[float, float] = BOX,
    gap: tuple[float, float] = GAP,
    attach: float = 0.0,
) -> Layout:
    """Lay out a graph whose ordinates are given (an energy), choosing abscissae without overlaps.

    Nodes are placed one by one from the lowest up, each at the free place where its edges are short and run through no other node.

    Parameters
    ----------
    heights : (N,) sequence of float
        Ordinates in units of a node's width.
    edges : sequence of (node, node)
    box, gap
        As in `layered_layout`.
    attach : float
        How far above the centre of a box its edges end.

    Returns
    -------
    Layout
        With routes of an odd number of points from node to node, straight or bent around other nodes, and one row per node.
    """
    y = np.asarray(heights, dtype=float)
    x = np.zeros(len(y))
    ends = np.array(edges, dtype=int).reshape(-1, 2)
    placed = np.zeros(len(y), dtype=bool)
    for _ in range(_PASSES):  # after the first pass every node sees all others
        for v in np.lexsort((np.arange(len(y)), y)):
            placed[v] = False
            x[v] = _best_place(v, x, y, ends, placed, box, gap[0], attach)
            placed[v] = True
    x = x - (x.min(initial=0.0) + x.max(initial=0.0)) / 2
    positions = np.column_stack([x, y])
    order = np.lexsort((x, -y))
    routes = tuple(_bent(a, b, positions, box, attach) for a, b in edges)
    return Layout(positions, routes, tuple((int(v),) for v in order))


def _bent(a: int, b: int, positions: np.ndarray, box: tuple[float, float], attach: float) -> np.ndarray:
    """A line between two nodes as (m, 2) points, bent no more than it takes to avoid the other nodes."""
    t = np.linspace(0.0, 1.0, _POINTS)[:, None]
    start, end = positions[[a, b]] + np.array([0.0, attach])
    others = np.delete(positions, [a, b], axis=0)
    across = np.array([start[1] - end[1], end[0] - start[0]])
    across /= np.hypot(*across) or 1.0
    best, fewest = start + t * (end - start), None
    for bend in _BENDS:
        points = start + t * (end - start) + 4.0 * t * (1.0 - t) * bend * across
        inside = (np.abs(points[:, None] - others) < np.asarray(box) / 2).all(axis=2)
        count = int(inside.any(axis=0).sum())
        if fewest is None or count < fewest:
            best, fewest = points, count
        if fewest == 0:
            break
    return best


def _best_place(v, x, y, ends, placed, box, gap, attach) -> float:
    """The cheapest free abscissa for node v beside the nodes placed so far."""
    joined = np.unique(ends[(ends == v).any(axis=1)])
    joined = joined[placed[joined]]
    wish = float(x[joined].mean()) if joined.size else 0.0
    beside = x[placed & (np.abs(y - y[v]) < box[1] + _CLEAR)]
    pitch = box[0] + gap
    steps = pitch * np.array([-1.5, -1.0, 1.0, 1.5])
    options = np.concatenate([[wish], wish + steps, (beside[:, None] + steps).ravel()])
    free = options[(np.abs(options[:, None] - beside) >= pitch - 1e-9).all(axis=1)]
    near = sorted(free.tolist(), key=lambda o: (round(abs(o - wish), 9), o))[:_OPTIONS]
    drawn = ends[placed[ends].all(axis=1)]
    positions = np.column_stack([x, y])
    costs = [_cost(np.array([o, y[v]]), wish, joined, drawn, placed, positions, box, attach) for o in near]
    return near[int(np.argmin(np.round(costs, 9)))]


def _cost(here, wish, joined, drawn, placed, positions, box, attach) -> float:
    """Distance from the wish and from the middle, and a fine for every edge that would run through a node."""
    others = np.flatnonzero(placed)
    own, other = (m.ravel() for m in np.meshgrid(joined, others, indexing="ij"))
    own, other = own[own != other], other[own != other]
    up = np.array([0.0, attach])
    fine = hits_box(here + up, positions[own] + up, positions[other], box).sum()
    fine += hits_box(positions[drawn[:, 0]] + up, positions[drawn[:, 1]] + up, here, box).sum()
    return abs(here[0] - wish) + 0.1 * abs(here[0]) + 3.0 * float(fine)


def hits_box(start: np.ndarray, end: np.ndarray, centre: np.ndarray, box: tuple[float, float]) -> np.ndarray:
    """Whether straight lines meet the inside of boxes (slab test).

    Parameters
    ----------
    start, end, centre : (..., 2) arrays
        Ends of the lines and centres of the boxes, broadcast against each other.
    box : (width, height)

    Returns
    -------
    (...) bool array
    """
    half = np.asarray(box) / 2
    start, step, centre = np.broadcast_arrays(start, np.asarray(end, dtype=float) - start, centre)
    level = step == 0.0
    safe = np.where(level, 1.0, step)
    bounds = np.sort(np.stack([(centre - half - start) / safe, (centre + half - start) / safe]), axis=0)
    inside = np.abs(start - centre) < half
    entry = np.where(level, np.where(inside, 0.0, np.inf), bounds[0]).max(axis=-1)
    leave = np.where(level, np.where(inside, 1.0, -np.inf), bounds[1]).min(axis=-1)
    return np.maximum(entry, 0.0) < np.minimum(leave, 1.0)
