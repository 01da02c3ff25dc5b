"""What a state is in the words of the field: director, scalar order, biaxiality, defects, from the components of Q at nodes.

A *geometry* says where the nodes are, by the names that `unpack` returns: the axes ``x``, ``y`` (``z``) of a grid, with arrays of
shape (ny, nx) or (nz, ny, nx); or ``nodes`` (N, d) with ``triangles`` (T, 3) in the plane or ``tetrahedra`` (T, 4) in space, with
arrays of shape (N,).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..tensors import matrices
from .defects import grid_defects, mesh_defects
from .disclinations import grid_lines, mesh_lines

Geometry = Mapping[str, np.ndarray]


def director_and_order(q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The principal axis of Q and its eigenvalue.

    Parameters
    ----------
    q : (5, ...) array
        Components in the basis of `tensors`.

    Returns
    -------
    director : (..., 3) array
        Unit eigenvector n of the largest eigenvalue. n and -n are the same; of the two the one whose last component that is not
        zero is positive. Any unit vector where that eigenvalue is multiple.
    order : (...) array
        S = 3/2 times the largest eigenvalue: s where Q = s (n n - I / 3) with s > 0; never negative, 0 where Q = 0.
    """
    values, vectors = np.linalg.eigh(matrices(q))
    director = vectors[..., :, 2]
    last = np.where(
        director[..., 2] != 0.0, director[..., 2], np.where(director[..., 1] != 0.0, director[..., 1], director[..., 0])
    )
    return director * np.where(last < 0.0, -1.0, 1.0)[..., None], np.maximum(1.5 * values[..., 2], 0.0)


def biaxiality(q: np.ndarray) -> np.ndarray:
    """beta^2 = 1 - 6 (tr Q^3)^2 / (tr Q^2)^3 of components (5, ...), (...) array.

    0 where two eigenvalues are equal, 1 where one of them is 0. At Q = 0 the fraction is 0/0, and the limit depends on the
    direction: it is set to 0, because an isotropic point has no two axes that differ.

    References
    ----------
    P. Kaiser, W. Wiese, S. Hess, J. Non-Equilib. Thermodyn. 17 (1992) 153.
    """
    size = np.sqrt((q**2).sum(axis=0))
    unit = q / np.where(size > 0.0, size, 1.0)  # beta^2 does not depend on |Q|, whose sixth power may underflow
    a, b, c, d, e = unit / np.sqrt([2.0, 2.0, 6.0, 2.0, 2.0]).reshape(5, *([1] * (q.ndim - 1)))
    # det of [[a - c, b, d], [b, -a - c, e], [d, e, 2 c]]; tr Q^3 is three times it where tr Q = 0.
    determinant = 2.0 * c * (c**2 - a**2 - b**2) - (a - c) * e**2 + 2.0 * b * d * e + (a + c) * d**2
    return np.where(size > 0.0, np.clip(1.0 - 54.0 * determinant**2, 0.0, 1.0), 0.0)


def embedded(p: np.ndarray, q3: float) -> np.ndarray:
    """Components (5, ...) of Q = [[P11 - q3, P12, 0], [P12, -P11 - q3, 0], [0, 0, 2 q3]] for P (2, ...)."""
    q = np.zeros((5, *p.shape[1:]))
    q[:2] = np.sqrt(2.0) * p
    q[2] = np.sqrt(6.0) * q3
    return q


def in_plane(q: np.ndarray) -> np.ndarray:
    """(P11, P12) = ((Qxx - Qyy) / 2, Qxy), (2, ...), of components (5, ...)."""
    return q[:2] / np.sqrt(2.0)


def read_planar(p: np.ndarray, q3: float, geometry: Geometry, energy_density: np.ndarray) -> dict[str, Any]:
    """The fields of a state of a reduced model, whose director lies in the plane.

    Parameters
    ----------
    p : (2, ...) array
        P at the nodes of the geometry.
    q3 : float
        The frozen out-of-plane component, see `embedded`.
    geometry : mapping
        Of a plane domain.
    energy_density : (...) array

    Returns
    -------
    dict
        ``kind`` "director"; the geometry; ``director`` (..., 2); ``order`` (...), |P|; ``S`` (...), 3/2 of the largest in-plane
        eigenvalue; ``biaxiality`` (...); ``energy_density`` (...); ``defects`` (k, 3), see `defects`.
    """
    order = np.hypot(p[0], p[1])
    angle = 0.5 * np.arctan2(p[1], p[0])
    return {
        "kind": "director",
        **geometry,
        "director": np.stack([np.cos(angle), np.sin(angle)], axis=-1),
        "order": order,
        "S": 1.5 * (order - q3),
        "biaxiality": biaxiality(embedded(p, q3)),
        "energy_density": energy_density,
        "defects": point_defects(embedded(p, q3), geometry),
    }


def read_tensor(q: np.ndarray, geometry: Geometry, energy_density: np.ndarray) -> dict[str, Any]:
    """The fields of a state of the full Q-tensor model.

    Parameters
    ----------
    q : (5, ...) array
        Q at the nodes of the geometry.
    geometry : mapping
        Of a domain in the plane or in space.
    energy_density : (...) array

    Returns
    -------
    dict
        ``kind`` "director"; the geometry; ``director`` (..., 3); ``order`` and ``S`` (...), the same numbers; ``biaxiality``
        (...); ``energy_density`` (...). In the plane ``defects`` (k, 3), see `defects`; in space ``disclinations`` (m, 4), see
        `disclinations`.
    """
    director, order = director_and_order(q)
    fields = {
        "kind": "director",
        **geometry,
        "director": director,
        "order": order,
        "S": order,
        "biaxiality": biaxiality(q),
        "energy_density": energy_density,
    }
    if "tetrahedra" in geometry:
        fields["disclinations"] = mesh_lines(q, geometry["nodes"], geometry["tetrahedra"])
    elif "z" in geometry:
        fields["disclinations"] = grid_lines(q, geometry["x"], geometry["y"], geometry["z"])
    else:
        fields["defects"] = point_defects(q, geometry)
    return fields


def point_defects(q: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Point defects (k, 3) of components (5, ...) in a plane domain; see `defects`."""
    find = mesh_defects if "triangles" in geometry else grid_defects
    places = [geometry[name] for name in (("nodes", "triangles") if "triangles" in geometry else ("x", "y"))]
    return find(in_plane(q), *places, tilt(q))


def tilt(q: np.ndarray) -> np.ndarray:
    """|n_z| (...) where the director has turned out of the plane, 0 elsewhere, of components (5, ...).

    Turned, not exchanged: where an eigenvalue of an axis in the plane falls below that of the axis across it, as it may in the core
    of a defect, (Qxz, Qyz) stays below the part of Q in the plane.
    """
    leaning = np.hypot(q[3], q[4]) >= np.hypot(q[0], q[1])
    turned = np.zeros(q.shape[1:])
    turned[leaning] = np.abs(director_and_order(q[:, leaning])[0][..., 2])
    return turned
