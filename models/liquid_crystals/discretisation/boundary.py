"""Anchoring: what the boundary of a domain asks of the director, and the data that follow at its nodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .anchoring import KINDS as ANY_KIND
from .elements import Elements

KINDS = tuple(kind for kind in ANY_KIND if kind != "planar-degenerate")
"""What an anchoring of the reduced model may be called: in the plane "planar-degenerate" is "tangent". A number is the angle of a
fixed director."""

Anchoring = str | float | tuple[tuple[str, "str | float"], ...]


def as_anchoring(value: Any) -> Anchoring:
    """An anchoring in the form in which a model keeps it.

    Parameters
    ----------
    value : str, float, or mapping of str to these
        A kind or an angle for the whole boundary, or one for each part of it; pairs (part, kind) are a mapping too.

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    if isinstance(value, Mapping):
        value = tuple(value.items())
    if isinstance(value, (tuple, list)):
        try:
            return tuple(sorted((str(part), _kind(kind)) for part, kind in value))
        except TypeError:
            pass
    return _kind(value)


def _kind(value: Any) -> str | float:
    if isinstance(value, str) and value in KINDS:
        return value
    if isinstance(value, (int, float, np.number)) and not isinstance(value, bool) and np.isfinite(value):
        return float(value)
    raise ValueError(
        f"anchoring: got {value!r}, expected one of {list(KINDS)}, an angle of the director in radians, or one of these for each "
        "part of the boundary: {'inner': 'homeotropic', 'outer': 'free'}"
    )


def kinds_by_part(anchoring: Anchoring, parts: Any) -> dict[str, str | float]:
    """The kind of anchoring of every part.

    Raises
    ------
    ValueError
        If parts are unknown or missing.
    """
    if not isinstance(anchoring, tuple):
        return dict.fromkeys(parts, anchoring)
    kinds = dict(anchoring)
    if set(kinds) != set(parts):
        raise ValueError(f"anchoring: got {kinds}, expected one kind for each part of the boundary: {list(parts)}")
    return kinds


def planar_axes(kind: str | float, normals: np.ndarray) -> np.ndarray:
    """(cos 2 theta, sin 2 theta) of the director that a kind of anchoring asks for at facets of these normals (F, 2), (F, 2)."""
    if isinstance(kind, float):
        return np.broadcast_to([np.cos(2.0 * kind), np.sin(2.0 * kind)], normals.shape)
    x, y = normals.T
    along_normal = np.stack([x * x - y * y, 2.0 * x * y], axis=1)
    return along_normal if kind == "homeotropic" else -along_normal


def nodal_data(
    mesh: Elements, values: Mapping[str, np.ndarray], corner: float, nearest: Callable[[np.ndarray], np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Boundary data at nodes, from data at the facets of the anchored parts.

    A node has the mean of its facets, brought back to what they may be, because a curved boundary turns from one to the next. Only
    at corners, where the conditions of two edges contradict each other, is it the mean itself, to which the data fall linearly
    within the distance ``corner``.

    Parameters
    ----------
    mesh : Elements
    values : mapping of str to (F, m) array
        By part.
    corner : float
    nearest : callable, optional
        Takes means (j, m), returns the possible data nearest to them. Default: the means, brought back to the size of the data.

    Returns
    -------
    nodes : (k,) int array
    data : (k, m) array
    """
    facets = np.concatenate([mesh.parts[part].nodes for part in values])
    size = facets.shape[1]
    given = np.repeat(np.concatenate(list(values.values())), size, axis=0)
    nodes, place, count = np.unique(facets.ravel(), return_inverse=True, return_counts=True)
    mean = np.zeros((nodes.size, given.shape[1]))
    np.add.at(mean, place, given)
    mean /= count[:, None]
    sizes = np.bincount(place, np.linalg.norm(given, axis=1)) / count
    length = np.linalg.norm(mean, axis=1)
    is_corner = np.isin(nodes, mesh.corners)
    smooth = ~is_corner & (length > 0.0)
    data = mean.copy()
    data[smooth] = mean[smooth] * (sizes[smooth] / length[smooth])[:, None] if nearest is None else nearest(mean[smooth])
    for i in np.flatnonzero(is_corner):
        distance = np.linalg.norm(mesh.nodes[nodes] - mesh.nodes[nodes[i]], axis=1)
        near = ~is_corner & (distance < corner)
        share = (distance[near] / corner)[:, None]
        data[near] = share * data[near] + (1.0 - share) * mean[i]
    return nodes, data


def nodal_normals(mesh: Elements, part: str) -> tuple[np.ndarray, np.ndarray]:
    """The nodes (k,) of a part of the boundary, and unit normals (k, 3) there, the mean of those of the facets by their size."""
    facets = mesh.parts[part]
    d = mesh.dimension
    nodes, place = np.unique(facets.nodes.ravel(), return_inverse=True)
    normals = np.zeros((nodes.size, 3))
    np.add.at(normals[:, :d], place, np.repeat(facets.normals * facets.areas[:, None], d, axis=0))
    return nodes, normals / np.linalg.norm(normals, axis=1, keepdims=True)
