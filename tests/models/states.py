"""Analytic states of nematics: directors with defects of known charge, place and shape."""

import numpy as np
from scipy.spatial import Delaunay

from saddlescape.models.liquid_crystals.tensors import uniaxial

AXIS = np.linspace(-1.0, 1.0, 33)


def plane_grid() -> np.ndarray:
    """(2, 33, 33) coordinates x, y."""
    return np.stack(np.meshgrid(AXIS, AXIS))


def plane_mesh(seed: int = 3, count: int = 900) -> tuple[np.ndarray, np.ndarray]:
    """An unstructured triangulation of the square: nodes (N, 2), triangles (T, 3) of either orientation."""
    rng = np.random.default_rng(seed)
    edge = np.linspace(-1.0, 1.0, 31)[:-1]
    ring = np.concatenate([np.column_stack([s * edge, np.full(30, -s)]) for s in (1.0, -1.0)])
    inside = rng.uniform(-0.97, 0.97, (count, 2))
    nodes = np.concatenate([ring, ring[:, ::-1] * [-1.0, 1.0], inside])
    triangles = Delaunay(nodes).simplices
    triangles[::3] = triangles[::3, ::-1]
    return nodes, triangles


def planar(places: np.ndarray, defects, core: float = 0.0, phase: float = 0.3) -> np.ndarray:
    """P (2, ...) at places (2, ...) of a director at angle sum charge * phi + phase; |P| falls to 0 within cores of that size."""
    turn, order = np.full(places.shape[1:], 2.0 * phase), np.ones(places.shape[1:])
    for x, y, charge in defects:
        right, up = places[0] - x, places[1] - y
        turn = turn + 2.0 * charge * np.arctan2(up, right)
        if core:
            order = order * np.tanh(np.hypot(right, up) / core)
    return order * np.stack([np.cos(turn), np.sin(turn)])


def ring(places: np.ndarray, radius: float) -> np.ndarray:
    """Components (5, ...) at places (..., 3) of a radial hedgehog split into a disclination loop in the plane z = 0."""
    distance, z = np.hypot(places[..., 0], places[..., 1]), places[..., 2]
    angle = 0.5 * (np.arctan2(z, distance - radius) + np.arctan2(z, distance + radius))
    outward = places * [1.0, 1.0, 0.0] / np.maximum(distance, 1e-300)[..., None]
    return uniaxial(np.cos(angle)[..., None] * outward + np.sin(angle)[..., None] * [0.0, 0.0, 1.0], 1.0)


def line(places: np.ndarray, x: float, y: float) -> np.ndarray:
    """Components (5, ...) at places (..., 3) of a straight disclination of charge 1/2 along z."""
    angle = 0.5 * np.arctan2(places[..., 1] - y, places[..., 0] - x)
    return uniaxial(np.stack([np.cos(angle), np.sin(angle), 0.0 * angle], axis=-1), 1.0)


def box(nx: int = 18, ny: int = 16, nz: int = 14) -> tuple[list[np.ndarray], np.ndarray]:
    """Axes x, y, z of a grid and its nodes (nz, ny, nx, 3)."""
    axes = [np.linspace(-1.0, 1.0, n) for n in (nx, ny, nz)]
    return axes, np.stack(np.meshgrid(*axes[::-1], indexing="ij")[::-1], axis=-1)


def ball_mesh(count: int = 3000, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Nodes (N, 3) and tetrahedra (T, 4) of a convex body, unstructured."""
    nodes = np.random.default_rng(seed).uniform(-1.0, 1.0, (count, 3))
    return nodes, Delaunay(nodes).simplices
