"""Plane cuts through states that fill space: again states, over a grid or a triangulation."""

from __future__ import annotations

from typing import Any

import numpy as np

from .fields import Fields, check_fields, is_spatial
from .style import choice

# Coordinates in the plane of a cut, the first one drawn to the right, and the one across.
AXES = {"x": (1, 2, 0), "y": (0, 2, 1), "z": (0, 1, 2)}
_NAMES = "xyz"


def cut(fields: Fields, axis: str = "z", at: float | None = None) -> dict[str, Any]:
    """The state in a plane normal to an axis.

    Parameters
    ----------
    fields : dict
        A state in space: kind "director" with axes ``x``, ``y``, ``z``, or ``nodes`` and ``tetrahedra``.
    axis : {"x", "y", "z"}
        The axis the plane is normal to.
    at : float, optional
        Where the plane meets it. Default: the middle of the domain.

    Returns
    -------
    dict
        Kind "director" over a grid ``x``, ``y`` or a triangulation ``nodes``, ``triangles``, whose coordinates are called ``axes``;
        ``director`` (..., 3) has its component across the plane last. ``order`` and, if it was there, ``biaxiality`` are
        interpolated linearly.

    Raises
    ------
    ValueError
        If the state does not fill space, there is no such axis, or the plane misses the domain.
    """
    choice(axis, tuple(AXES), "axis")
    if not is_spatial(check_fields(fields)):
        raise ValueError("fields: this state lies in a plane already; cut needs x, y and z, or nodes with tetrahedra")
    order = AXES[axis]
    across = np.asarray(fields[axis] if "tetrahedra" not in fields else np.asarray(fields["nodes"])[:, order[2]], dtype=float)
    low, high = float(across.min()), float(across.max())
    at = (low + high) / 2 if at is None else float(at)
    if not low <= at <= high:
        raise ValueError(f"at: got {at}, expected a number from {low:.6g} to {high:.6g}, where the domain is along {axis}")
    arrays = {name: np.asarray(fields[name], dtype=float) for name in ("order", "biaxiality") if name in fields}
    director = np.asarray(fields["director"], dtype=float)[..., list(order)]
    arrays["tensor"] = arrays["order"][..., None, None] * director[..., :, None] * director[..., None, :]
    make = _mesh_cut if "tetrahedra" in fields else _grid_cut
    geometry, arrays = make(fields, arrays, order, at)
    return {
        "kind": "director",
        "axes": tuple(_NAMES[k] for k in order[:2]),
        **geometry,
        "director": np.linalg.eigh(arrays.pop("tensor"))[1][..., -1],
        **arrays,
    }


def _grid_cut(fields: Fields, arrays: dict, order: tuple[int, int, int], at: float) -> tuple[dict, dict]:
    right, up, across = (np.asarray(fields[_NAMES[k]], dtype=float) for k in order)
    number = int(np.clip(np.searchsorted(across, at) - 1, 0, len(across) - 2))
    weight = (at - across[number]) / (across[number + 1] - across[number])
    # Arrays are stored [iz, iy, ix]: what is left after a cut has the coordinate drawn upwards first in every case.
    axis = 2 - order[2]
    found = {name: (1 - weight) * a.take(number, axis) + weight * a.take(number + 1, axis) for name, a in arrays.items()}
    return {"x": right, "y": up}, found


def _mesh_cut(fields: Fields, arrays: dict, order: tuple[int, int, int], at: float) -> tuple[dict, dict]:
    """March through the tetrahedra: the plane meets each in a triangle or a quadrangle."""
    nodes = np.asarray(fields["nodes"], dtype=float)[:, list(order)]
    tetrahedra = np.asarray(fields["tetrahedra"])
    size = np.ptp(nodes, axis=0).max()
    height = nodes[:, 2] - at
    height[np.abs(height) < 1e-9 * size] = 0.0
    # The plane may lie in the top face of the domain, where nothing is above it.
    above = height >= 0.0 if height.min() < 0.0 else height > 0.0
    corners = [_polygons(tetrahedra, above, count) for count in (1, 2, 3)]
    edges = np.concatenate([part.reshape(-1, 2) for part in corners])
    edges, place = np.unique(np.sort(edges, axis=1), axis=0, return_inverse=True)
    low, high = edges.T
    weight = height[low] / (height[low] - height[high])
    found = {name: _between(a, low, high, weight) for name, a in arrays.items()}
    points = _between(nodes[:, :2], low, high, weight)
    # Where the plane meets a node, all edges to it give the same point.
    _, first, same = np.unique(np.round(points / (1e-7 * size)), axis=0, return_index=True, return_inverse=True)
    triangles = same.ravel()[place.ravel()].reshape(-1, 3)
    a, b, c = np.moveaxis(points[first][triangles], 1, 0)
    area = np.abs((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0]))
    return {"nodes": points[first], "triangles": triangles[area > 1e-12 * size**2]}, {name: a[first] for name, a in found.items()}


def _polygons(tetrahedra: np.ndarray, above: np.ndarray, count: int) -> np.ndarray:
    """Triangles (t, 3, 2) whose corners are mesh edges cut by the plane, of the tetrahedra with ``count`` nodes above it."""
    chosen = tetrahedra[above[tetrahedra].sum(axis=1) == count]
    # Nodes above first: then the corners of each kind are the same columns.
    chosen = np.take_along_axis(chosen, np.argsort(~above[chosen], axis=1, kind="stable"), axis=1)
    if count == 2:
        loop = [(0, 2), (0, 3), (1, 3), (1, 2)]
        parts = [[loop[0], loop[1], loop[2]], [loop[0], loop[2], loop[3]]]
    else:
        parts = [[(0, 1), (0, 2), (0, 3)]] if count == 1 else [[(0, 3), (1, 3), (2, 3)]]
    return np.concatenate([chosen[:, np.array(part)] for part in parts])


def _between(values: np.ndarray, low: np.ndarray, high: np.ndarray, weight: np.ndarray) -> np.ndarray:
    weight = weight.reshape(-1, *([1] * (values.ndim - 1)))
    return (1 - weight) * values[low] + weight * values[high]
