"""Point defects of a nematic in the plane: how often the director turns around each cell.

P = (P11, P12) turns twice as fast as the director, so a turn of P around a cell is a charge of 1/2. The turn of P along an edge is
taken the short way, once for both cells beside it: the charges of all cells add up to the turn along the boundary, exactly. Where P
(nearly) vanishes on an edge, the short way is a matter of round-off. The cells there are taken together, with their charged
neighbours, and their sum is what is reported, so it does not depend on how the mesh cuts a core. Charges within two edges of each
other are one, and opposite ones cancel.

A wall, a line where P vanishes and across which it changes sign, is no point and has no charge: where it ends at the boundary (the
diagonals of the well order reconstruction solution, the corners of a square, where the boundary data are zero) no turn around it
exists, and nothing is reported for it.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse
from scipy.sparse.csgraph import connected_components

# An edge on which the interpolated |P| falls below this fraction of its maximum is one whose turn is not trusted.
_VANISHES = 1e-3
# Marked cells whose corners are this many edges apart or fewer are one defect: a whole turn within one cell looks like two half
# turns in cells near it, because a triangle cannot tell more.
_REACH = 2
# A director that leans further than this out of the plane, on the mean over the cells of a defect, has escaped: the turn of its
# projection is no defect. It may be anything at the one node where Q vanishes.
_ESCAPED = 0.5


def grid_defects(p: np.ndarray, x: np.ndarray, y: np.ndarray, tilt: np.ndarray | None = None) -> np.ndarray:
    """Point defects on a grid; see `mesh_defects`.

    Parameters
    ----------
    p : (2, ny, nx) array
    x, y : (nx,) and (ny,) arrays
    tilt : (ny, nx) array, optional

    Notes
    -----
    Each cell is cut into four triangles around its centre, where P is the mean of the corners: no diagonal is preferred, so
    mirror images of states have mirror images of defects.
    """
    nodes, triangles = _cut_into_four(x, y)
    p = np.concatenate([p.reshape(2, -1), _cell_means(p).reshape(2, -1)], axis=1)
    if tilt is not None:
        tilt = np.concatenate([tilt.ravel(), _cell_means(tilt).ravel()])
    return mesh_defects(p, nodes, triangles, tilt)


def mesh_defects(p: np.ndarray, nodes: np.ndarray, triangles: np.ndarray, tilt: np.ndarray | None = None) -> np.ndarray:
    """Point defects on a triangulation.

    Parameters
    ----------
    p : (2, N) array
        (P11, P12) at the nodes.
    nodes : (N, 2) array
    triangles : (T, 3) int array
    tilt : (N,) array, optional
        How far the director has turned out of the plane, |n_z|. Default: it lies in the plane.

    Returns
    -------
    (k, 3) array
        Rows x, y, charge, sorted by x, then y; charges are multiples of 1/2. The position is where the linear interpolation of P
        vanishes, the mean over the cells of a defect.
    """
    triangles = np.asarray(triangles)
    corners = p[:, triangles]
    ends = np.stack([triangles, np.roll(triangles, -1, axis=1)])
    turn = _turns(p, *ends)
    direction = np.sign(_signed_areas(nodes, triangles))
    windings = np.rint(direction * turn.sum(axis=1) / (2.0 * np.pi)).astype(int)
    doubtful = _doubtful(p, *ends, turn)
    marked = np.flatnonzero((windings != 0) | doubtful.any(axis=1))
    if not len(marked):
        return np.empty((0, 3))
    label = _clusters(triangles, marked, len(nodes))
    count = label.max() + 1
    charges = np.bincount(label, windings[marked], count)
    open_ended = np.zeros(count, dtype=bool)
    if doubtful.any():
        on_boundary = (doubtful & _boundary_edges(triangles, len(nodes)))[marked].any(axis=1)
        open_ended = np.bincount(label, on_boundary, count) > 0
    escaped = np.zeros(count, dtype=bool)
    if tilt is not None:
        escaped = np.bincount(label, tilt[triangles[marked]].mean(axis=1), count) > _ESCAPED * np.bincount(label)
    # The cells that turn the way of the whole say where it is; where all is round-off, all of them.
    alike = windings[marked] * charges[label] > 0.0
    places = _zeros(corners[:, marked], nodes[triangles[marked]])
    rows = [
        (*places[(label == k) & alike].mean(axis=0), 0.5 * charges[k])
        for k in np.flatnonzero((charges != 0.0) & ~open_ended & ~escaped)
    ]
    return np.array(sorted(rows)).reshape(-1, 3)


def _cut_into_four(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (N, 2) and triangles (T, 3) of a grid with a node more in the centre of each cell."""
    nx, ny = len(x), len(y)
    corner = np.arange(nx * ny).reshape(ny, nx)
    loop = [a.ravel() for a in (corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1])]
    centre = nx * ny + np.arange((nx - 1) * (ny - 1))
    triangles = np.concatenate([np.column_stack([loop[k], loop[(k + 1) % 4], centre]) for k in range(4)])
    places = np.stack(np.meshgrid(x, y))
    return np.concatenate([places.reshape(2, -1), _cell_means(places).reshape(2, -1)], axis=1).T, triangles


def _cell_means(values: np.ndarray) -> np.ndarray:
    return 0.25 * (values[..., :-1, :-1] + values[..., :-1, 1:] + values[..., 1:, :-1] + values[..., 1:, 1:])


def _turns(p: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The turn of P from one end of edges to the other, in [-pi, pi]; reversed edges have the opposite one to the last bit."""
    angle = np.arctan2(p[1], p[0])
    forward = np.where(start < end, 1.0, -1.0)
    turn = forward * (angle[end] - angle[start])
    return forward * (turn - 2.0 * np.pi * np.rint(turn / (2.0 * np.pi)))


def _doubtful(p: np.ndarray, start: np.ndarray, end: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """On which edges |P|, interpolated linearly, comes so near to zero that the turn is not to be trusted."""
    size = np.hypot(*p)
    limit = _VANISHES * size.max(initial=0.0)
    small = size <= limit
    # Between two ends that are not small, a line comes near zero only if it turns by more than a right angle.
    doubtful = (np.abs(turn) > np.pi / 2) | small[start] | small[end]
    doubtful[doubtful] = _least(p, start[doubtful], end[doubtful]) <= limit
    return doubtful


def _least(p: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The least |P| on edges, P interpolated linearly."""
    a, slope = p[:, start], p[:, end] - p[:, start]
    square = (slope**2).sum(axis=0)
    nearest = np.clip(-(a * slope).sum(axis=0) / np.where(square > 0.0, square, 1.0), 0.0, 1.0)
    return np.hypot(*(a + nearest * slope))


def _signed_areas(nodes: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = np.moveaxis(nodes[triangles], 1, 0)
    return (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])


def _boundary_edges(triangles: np.ndarray, n_nodes: int) -> np.ndarray:
    """Which edges (T, 3), from corner k to corner k + 1, belong to one triangle alone."""
    following = np.roll(triangles, -1, axis=1)
    key = np.minimum(triangles, following).astype(np.int64) * n_nodes + np.maximum(triangles, following)
    _, place, count = np.unique(key, return_inverse=True, return_counts=True)
    return count[place].reshape(key.shape) == 1


def _clusters(triangles: np.ndarray, marked: np.ndarray, n_nodes: int) -> np.ndarray:
    """Numbers (m,) of the groups of marked triangles that lie within reach of each other."""
    size = len(triangles)
    incidence = scipy.sparse.csr_array(
        (np.ones(3 * size), (np.repeat(np.arange(size), 3), triangles.ravel())), shape=(size, n_nodes)
    )
    own = reach = incidence[marked]
    for _ in range(_REACH):
        # Corners of triangles -> the triangles around them -> their corners: one edge further.
        reach = (reach @ incidence.T) @ incidence
    return connected_components(reach @ own.T, directed=False)[1]


def _zeros(corners: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Where the linear interpolation of P, corners (2, m, 3), vanishes in triangles with corners (m, 3, 2); (m, 2).

    Where it does not do so inside, the corner of the smallest |P|.
    """
    a, slopes = corners[..., 0], corners[..., 1:] - corners[..., :1]
    determinant = slopes[0, :, 0] * slopes[1, :, 1] - slopes[0, :, 1] * slopes[1, :, 0]
    safe = np.where(determinant == 0.0, 1.0, determinant)
    s = (slopes[0, :, 1] * a[1] - slopes[1, :, 1] * a[0]) / safe
    t = (slopes[1, :, 0] * a[0] - slopes[0, :, 0] * a[1]) / safe
    inside = (determinant != 0.0) & (np.minimum(s, t) >= -1e-9) & (s + t <= 1.0 + 1e-9)
    zero = places[:, 0] + s[:, None] * (places[:, 1] - places[:, 0]) + t[:, None] * (places[:, 2] - places[:, 0])
    weakest = np.hypot(*corners).argmin(axis=1)
    return np.where(inside[:, None], zero, places[np.arange(len(places)), weakest])
