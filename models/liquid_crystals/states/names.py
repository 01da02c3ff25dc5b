"""Names that the literature gives to states, recognised by the symmetries that fix them and by their defects.

A name is given where both agree with the published description, else none: a state without a name may well have one elsewhere.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from ..tensors import conjugation
from .defects import grid_defects
from .reading import Geometry, in_plane, point_defects, tilt

# Maps that agree to this fraction of the largest |P| fix the state: symmetric states agree to round-off on symmetric meshes.
_SAME = 1e-3
# A centre with more than this part of the order at the edges is ordered.
_ORDERED = 0.5
# How far from the centre, in parts of the distance to the boundary, a defect still sits there.
_AT_CENTRE = 0.1
# |n_z| of a director that stands rather across the plane than in it.
_ACROSS = 0.7


def state_name(domain: tuple, anchoring: Any, q: np.ndarray, geometry: Geometry) -> str | None:
    """The name of a state in a plane domain, if it has one that is known here.

    Parameters
    ----------
    domain : Domain
    anchoring : str or other
        Of the whole boundary.
    q : (5, ...) array
        Components of Q at all nodes.
    geometry : mapping
        Where they are, see `reading`.

    Returns
    -------
    str or None
        In the square and in polygons of five or more edges with tangent anchoring, in the disk with homeotropic anchoring: see
        `square_name`, `polygon_name`, `disk_name`.
    """
    kind = (domain[0], anchoring if isinstance(anchoring, str) else None)
    flat = np.abs(q[3:]).max() <= _SAME * np.abs(q).max()
    if kind == ("disk", "homeotropic"):
        escaped = not flat and float(tilt(q).max()) > _ACROSS
        name = disk_name(point_defects(q, geometry), escaped) if flat or escaped else None
        turn = np.pi if name == "Planar polar" else np.pi / 2
        return name if name and _fixed_by(_rotation(turn), q, geometry["nodes"]) else None
    if not flat:
        return None
    if kind == ("square", "tangent"):
        n = round(np.sqrt(q[0].size))
        return square_name(in_plane(q).reshape(2, n, n))
    if kind == ("polygon", "tangent") and domain[1] >= 5:
        defects = point_defects(q, geometry)
        name = polygon_name(domain[1], defects)
        return name if name and _fixed_by(_element(name, domain[1], defects), q, geometry["nodes"]) else None
    return None


def _element(name: str, corners: int, defects: np.ndarray) -> np.ndarray:
    """The matrix (2, 2) of a symmetry of the polygon that fixes the states of a name."""
    if name in ("Ortho", "Meta"):  # the mirror between both defects
        return _rotation(2.0 * np.arctan2(*defects[:, 1::-1].sum(axis=0))) @ np.diag([1.0, -1.0])
    return _rotation(2.0 * np.pi / corners if name == "Ring" else np.pi)


def square_name(p: np.ndarray) -> str | None:
    """The name of a state in a square well with tangent anchoring.

    Parameters
    ----------
    p : (2, n, n) array
        (P11, P12) at all nodes, axis order [component, iy, ix].

    Returns
    -------
    str or None
        * ``"WORS"``, well order reconstruction solution: P12 = 0 and P11 = 0 on both diagonals.
        * ``"BD"``, boundary distortion: P12 = 0, and two walls, near one pair of opposite edges.
        * ``"D"``, diagonal: P12 has one sign; both diagonals are mirrors.
        * ``"R"``, rotated: between one pair of opposite edges the director turns by pi; no defects, and the centre is ordered.

    References
    ----------
    .. [1] S. Kralj, A. Majumdar, Proc. R. Soc. A 470 (2014) 20140276 (WORS).
    .. [2] M. Robinson, C. Luo, P. E. Farrell, R. Erban, A. Majumdar, Liquid Crystals 44 (2017) 2267 (D, R).
    .. [3] J. Yin, Y. Wang, J. Z. Y. Chen, P. Zhang, L. Zhang, Phys. Rev. Lett. 124 (2020) 090601 (all, and how they connect).
    """
    horizontal, vertical, diagonal = p[:, :, ::-1], p[:, ::-1, :], p.swapaxes(1, 2) * np.array([-1.0, 1.0])[:, None, None]
    flip = np.array([1.0, -1.0])[:, None, None]
    if _same(p, p * flip):
        if not (_same(p, horizontal) and _same(p, vertical)):
            return None
        if _same(p, diagonal):
            return "WORS"
        return "BD" if sorted(_sign_changes(line) for line in _middle_lines(p[0])) == [0, 2] else None
    if all(_same(p, image) for image in (horizontal, vertical, diagonal)):
        inner = p[1, 1:-1, 1:-1]
        return "D" if (inner > 0.0).all() or (inner < 0.0).all() else None
    if (_same(p, horizontal) and _same(p, vertical * flip)) or (_same(p, vertical) and _same(p, horizontal * flip)):
        return "R" if _is_rotated(p) else None
    return None


def _is_rotated(p: np.ndarray) -> bool:
    lines = _middle_lines(p)
    turned = np.allclose(sorted(_turn(line) for line in lines), [0.0, 1.0], atol=0.05)
    order = np.hypot(*lines[0])
    # A saddle with a wall through the centre turns alike; at larger wells the wall ends in two defects.
    ordered = order[order.size // 2] > _ORDERED * order[0]
    axis = np.linspace(-1.0, 1.0, p.shape[1])
    return bool(turned and ordered and not len(grid_defects(p, axis, axis)))


def polygon_name(corners: int, defects: np.ndarray) -> str | None:
    """The name of a state in a regular polygon with tangent anchoring, about the origin, edges of length 1, the lowest horizontal.

    Parameters
    ----------
    corners : int
        How many, K, 5 or more.
    defects : (k, 3) array
        Rows x, y, charge, see `defects`.

    Returns
    -------
    str or None
        ``"Ring"``: one defect of charge +1 at the centre. Two defects of charge +1/2, nearest to corners that are K/2 apart:
        ``"Para"``; next to each other: ``"Ortho"``; next but one: ``"Meta"``. Two of charge +1/2, nearest to the middles of
        opposite edges: ``"BD"``.

    References
    ----------
    .. [1] Y. Han, A. Majumdar, L. Zhang, SIAM J. Appl. Math. 80 (2020) 1678.
    .. [2] Y. Han, J. Yin, P. Zhang, A. Majumdar, L. Zhang, Nonlinearity 34 (2021) 2048.
    """
    centre = _AT_CENTRE / (2.0 * np.sin(np.pi / corners))
    distances = np.hypot(*defects[:, :2].T)
    if len(defects) == 1:
        return "Ring" if defects[0, 2] == 1.0 and distances[0] < centre else None
    if len(defects) != 2 or (defects[:, 2] != 0.5).any() or (distances < centre).any():
        return None
    # From the lowest edge, in units of the angle between neighbouring corners: its middle is 0, the next corner 1/2.
    places = np.arctan2(defects[:, 0], -defects[:, 1]) * corners / (2.0 * np.pi)
    halves = np.rint(2.0 * places).astype(int)
    apart = abs(int(halves[1] - halves[0]))
    apart = min(apart, 2 * corners - apart)
    if (halves % 2 == 0).all():
        return "BD" if apart == corners else None
    if (halves % 2 == 1).all():
        return "Para" if apart == corners else {2: "Ortho", 4: "Meta"}.get(apart)
    return None


def disk_name(defects: np.ndarray, escaped: bool = False) -> str | None:
    """The name of a state in a disk of radius 1 about the origin with homeotropic anchoring.

    Parameters
    ----------
    defects : (k, 3) array
        Rows x, y, charge, see `defects`.
    escaped : bool
        Whether the director turns out of the plane; else it lies in it.

    Returns
    -------
    str or None
        ``"Radial"`` (planar radial): one defect of charge +1 at the centre, the director in the plane. ``"Planar polar"``: two of
        charge +1/2 opposite to each other. ``"Escaped radial"``: no defect, the director turns out of the plane.

    References
    ----------
    Y. Hu, Y. Qu, P. Zhang, Commun. Comput. Phys. 19 (2016) 354.
    """
    if escaped:
        return "Escaped radial" if len(defects) == 0 else None
    if len(defects) == 1:
        return "Radial" if defects[0, 2] == 1.0 and np.hypot(*defects[0, :2]) < _AT_CENTRE else None
    if len(defects) == 2 and (defects[:, 2] == 0.5).all() and np.hypot(*defects[:, :2].sum(axis=0)) < _AT_CENTRE:
        return "Planar polar"
    return None


def _rotation(angle: float) -> np.ndarray:
    return np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])


def _fixed_by(element: np.ndarray, q: np.ndarray, nodes: np.ndarray) -> bool:
    """Whether an orthogonal matrix (2, 2) maps nodes (N, 2) to nodes and the state q (5, N) to itself."""
    distance, image = cKDTree(nodes).query(nodes @ element.T)
    if distance.max() > _SAME * np.ptp(nodes):
        return False
    in_space = np.eye(3)
    in_space[:2, :2] = element
    return _same(q[:, image], conjugation(in_space) @ q)


def _same(p: np.ndarray, image: np.ndarray) -> bool:
    return bool(np.abs(p - image).max() <= _SAME * np.abs(p).max())


def _middle_lines(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values (..., n, n) along the two lines through the middles of opposite edges, (..., n) each."""
    n = values.shape[-1]
    low, high = (n - 1) // 2, n // 2
    return (values[..., low, :] + values[..., high, :]) / 2.0, (values[..., low] + values[..., high]) / 2.0


def _sign_changes(line: np.ndarray) -> int:
    return int(np.count_nonzero(np.diff(np.sign(line[line != 0.0]))))


def _turn(line: np.ndarray) -> float:
    """Turns of P (2, n) along a line, without their sign: one turn of P is half a turn of the director."""
    angle = np.unwrap(np.arctan2(line[1], line[0]))
    return float(abs(angle[-1] - angle[0]) / (2.0 * np.pi))
