"""Disclination lines of a nematic in space: where the director comes back as its opposite around the faces of cells.

Carry n around a face so that it turns by less than a right angle along each edge: it comes back as n or as -n. In the second case a
disclination of half a turn pierces the face. Every edge of a cell belongs to two of its faces, so an even number of its faces is
pierced, always: lines pass through cells from face to face, and end at the boundary of the domain or close. (Whole turns are no
lines in space: they unwind. A point defect is a loop no larger than the cells around it, or nothing.)

Where the two largest eigenvalues are equal over a surface, as on the walls of the well order reconstruction solution, or Q vanishes
in a region, the director is a matter of round-off. A small constant tensor added to Q decides there, everywhere alike, and moves
lines by a small part of their cores only. At the boundary Q may vanish where two parts of it contradict each other, as on the edges
of a box: a line along such an edge has no turn around it and is not reported.
"""

from __future__ import annotations

import numpy as np

from ..tensors import matrices, uniaxial

# Relative to the largest |Q|: what decides where Q does not, and what is as good as no Q.
_SMALL = 1e-4
_DECIDES = uniaxial(np.array([1.0, 2.0, 3.0]) / np.sqrt(14.0), 1.0)


def grid_lines(q: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Disclination lines on a grid.

    Parameters
    ----------
    q : (5, nz, ny, nx) array
        Components of Q.
    x, y, z : (nx,), (ny,) and (nz,) arrays

    Returns
    -------
    (m, 4) array
        Rows x, y, z, number of the line: its points in order, the longest line first. A closed line repeats its first point.
    """
    director = _directors(q)
    signs = []
    for axis in range(3):
        ahead, behind = _halves(director, axis)
        signs.append(np.where((ahead * behind).sum(axis=-1) < 0.0, -1, 1).astype(np.int8))
    shape = np.array(q.shape[1:])
    faces = [_grid_faces(signs, axis, shape) for axis in range(3)]
    corners, cells = (np.concatenate(parts) for parts in zip(*faces, strict=True))
    contradictory = _void(q)
    contradictory[1:-1, 1:-1, 1:-1] = False
    clear = ~contradictory.ravel()[corners].any(axis=1)
    corners, cells = corners[clear], cells[clear]
    nodes = np.stack(np.meshgrid(z, y, x, indexing="ij")[::-1], axis=-1).reshape(-1, 3)
    # Corners go around the face; its coordinates run from -1/2 to 1/2.
    local = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    zero = np.clip(_zeros(q.reshape(5, -1), director.reshape(-1, 3), corners, local), -0.5, 0.5)
    around = nodes[corners]
    points = around.mean(axis=1) + sum(zero[:, k, None] * (around[:, 1 + k] - around[:, k]) for k in range(2))
    return _lines(points, cells)


def mesh_lines(q: np.ndarray, nodes: np.ndarray, tetrahedra: np.ndarray) -> np.ndarray:
    """Disclination lines on a mesh of tetrahedra; see `grid_lines`.

    Parameters
    ----------
    q : (5, N) array
    nodes : (N, 3) array
    tetrahedra : (T, 4) int array
    """
    director = _directors(q)
    triples = np.array([(1, 2, 3), (0, 2, 3), (0, 1, 3), (0, 1, 2)])
    faces = np.sort(np.asarray(tetrahedra), axis=1)[:, triples].reshape(-1, 3)
    a, b, c = np.moveaxis(director[faces], 1, 0)
    returns = [np.where((u * v).sum(axis=-1) < 0.0, -1, 1) for u, v in ((a, b), (b, c), (a, c))]
    contradictory = _void(q)
    if contradictory.any():
        outside, count = np.unique(faces, axis=0, return_counts=True)
        contradictory &= np.isin(np.arange(len(nodes)), outside[count == 1])
    pierced = np.flatnonzero((np.prod(returns, axis=0) < 0) & ~contradictory[faces].any(axis=1))
    corners, place = np.unique(faces[pierced], axis=0, return_inverse=True)
    cells = np.full((len(corners), 2), -1)
    cells[place.ravel(), 0] = pierced // 4  # either of the two cells
    cells[place.ravel()[::-1], 1] = pierced[::-1] // 4  # the other, or the same one again at the boundary
    cells[cells[:, 0] == cells[:, 1], 1] = -1
    local = np.array([(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)])
    zero = _zeros(q, director, corners, local)
    weights = np.clip(np.column_stack([1.0 - zero.sum(axis=1), zero]), 0.0, None)
    weights /= weights.sum(axis=1, keepdims=True)
    return _lines(np.einsum("fc,fci->fi", weights, nodes[corners].reshape(-1, 3, 3)), cells)


def _directors(q: np.ndarray) -> np.ndarray:
    decides = _SMALL * _largest(q) * _DECIDES.reshape(5, *([1] * (q.ndim - 1)))
    return np.linalg.eigh(matrices(q + decides))[1][..., :, 2]


def _largest(q: np.ndarray) -> float:
    """The largest |Q|."""
    return float(np.sqrt((q**2).sum(axis=0).max(initial=0.0)))


def _void(q: np.ndarray) -> np.ndarray:
    """Where Q (5, ...) vanishes."""
    return np.sqrt((q**2).sum(axis=0)) <= _SMALL * _largest(q)


def _halves(values: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Values without the last and without the first along an axis."""
    size = values.shape[axis]
    return values.take(range(1, size), axis), values.take(range(size - 1), axis)


def _grid_faces(signs: list[np.ndarray], axis: int, shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pierced faces of a grid normal to an axis: corners (f, 4), numbers of the cells on both sides (f, 2), -1 outside."""
    first, second = (other for other in range(3) if other != axis)
    ahead, behind = _halves(signs[first], second)
    right, left = _halves(signs[second], first)
    where = np.argwhere(ahead * behind * right * left < 0)
    steps = np.zeros((4, 3), dtype=int)
    steps[[1, 2], first] = steps[[2, 3], second] = 1
    corners = np.ravel_multi_index(np.moveaxis(where[:, None, :] + steps, -1, 0), shape)
    below = where.copy()
    below[:, axis] -= 1
    cells = [
        np.where((cell[:, axis] >= 0) & (cell[:, axis] < shape[axis] - 1), np.ravel_multi_index(cell.T, shape - 1, mode="clip"), -1)
        for cell in (below, where)
    ]
    return corners, np.column_stack(cells)


def _zeros(q: np.ndarray, director: np.ndarray, corners: np.ndarray, local: np.ndarray) -> np.ndarray:
    """Where, in the local coordinates of faces, the two axes that the director turns between have equal eigenvalues; (f, 2).

    The plane in which it turns is that of the two principal axes of sum n n over the corners. In it Q is a vector of two numbers,
    as P is for a reduced model; it is interpolated linearly.
    """
    around = director[corners]
    plane = np.linalg.eigh(np.einsum("fci,fcj->fij", around, around))[1][..., 1:]
    inside = np.einsum("fia,fcij,fjb->fcab", plane, matrices(q[:, corners]), plane)
    p = np.stack([(inside[..., 0, 0] - inside[..., 1, 1]) / 2.0, inside[..., 0, 1]], axis=-1)
    fit = np.linalg.pinv(np.column_stack([np.ones(len(local)), local])) @ p
    slopes = np.moveaxis(fit[:, 1:], 1, 2)
    determinant = np.linalg.det(slopes)
    steep = np.abs(determinant) > 1e-12 * (slopes**2).sum(axis=(1, 2))
    zero = np.broadcast_to(local.mean(axis=0), (len(corners), 2)).copy()
    zero[steep] = np.linalg.solve(slopes[steep], -fit[steep, 0, :, None])[..., 0]
    return zero


def _lines(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Chain pierced faces (f, 3) through the cells (f, 2) on their sides."""
    members: dict[int, list[int]] = {}
    for face, sides in enumerate(cells.tolist()):
        for cell in sides:
            if cell >= 0:
                members.setdefault(cell, []).append(face)
    links: list[list[int]] = [[] for _ in points]
    for faces in members.values():
        for a, b in _pairs(points, faces):
            links[a].append(b)
            links[b].append(a)
    chains = []
    unseen = [True] * len(points)
    # Ends first: what is left when they are done are loops.
    for start in sorted(range(len(points)), key=lambda face: len(links[face])):
        if unseen[start]:
            chains.append(_chain(start, links, unseen))
    chains.sort(key=len, reverse=True)
    rows = [np.column_stack([points[chain], np.full(len(chain), float(number))]) for number, chain in enumerate(chains)]
    return np.concatenate(rows) if rows else np.empty((0, 4))


def _pairs(points: np.ndarray, faces: list[int]) -> list[tuple[int, int]]:
    """The pierced faces of a cell in pairs, the nearest ones first: where two lines pass one cell, they do not cross in it."""
    left, found = list(faces), []
    while len(left) > 1:
        a, b = min(
            ((a, b) for i, a in enumerate(left) for b in left[i + 1 :]),
            key=lambda pair: np.sum((points[pair[0]] - points[pair[1]]) ** 2),
        )
        found.append((a, b))
        left = [face for face in left if face not in (a, b)]
    return found


def _chain(start: int, links: list[list[int]], unseen: list[bool]) -> list[int]:
    chain = [start]
    unseen[start] = False
    while True:
        ahead = [face for face in links[chain[-1]] if unseen[face]]
        if not ahead:
            break
        chain.append(ahead[0])
        unseen[ahead[0]] = False
    return [*chain, start] if len(chain) > 2 and start in links[chain[-1]] else chain
