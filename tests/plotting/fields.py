"""Director fields over grids, meshes and in space."""

import numpy as np
from matplotlib.tri import Triangulation
from scipy.spatial import Delaunay


def disk(rings: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and triangles of the unit disk."""
    nodes = [np.zeros((1, 2))]
    for k in range(1, rings + 1):
        angle = 2.0 * np.pi * np.arange(6 * k) / (6 * k)
        nodes.append(k / rings * np.column_stack([np.cos(angle), np.sin(angle)]))
    nodes = np.concatenate(nodes)
    return nodes, Triangulation(*nodes.T).triangles


def meshed(angle=lambda x, y: 0.0 * x + 0.4, order=None, **more) -> dict:
    """A director at a given angle on the disk."""
    nodes, triangles = disk()
    turn = angle(*nodes.T)
    director = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    return {
        "kind": "director",
        "nodes": nodes,
        "triangles": triangles,
        "director": director,
        "order": np.ones(len(nodes)) if order is None else order(*nodes.T),
        **more,
    }


def directed(x, y, z) -> np.ndarray:
    """A director that varies in all directions, (..., 3)."""
    lean, turn = 0.6 + 0.3 * z + 0.2 * x, 0.5 + 0.4 * y - 0.3 * x
    return np.stack([np.sin(lean) * np.cos(turn), np.sin(lean) * np.sin(turn), np.cos(lean)], axis=-1)


def spatial(kind: str = "grid", n: int = 11) -> dict:
    """A state in the box [-1, 1] x [-1, 1] x [-0.5, 0.5] whose order is 1 + x / 2 + y / 4 + z / 8."""
    axes = {"x": np.linspace(-1, 1, n), "y": np.linspace(-1, 1, n - 2), "z": np.linspace(-0.5, 0.5, n - 4)}
    places = np.stack(np.meshgrid(*(axes[name] for name in "zyx"), indexing="ij")[::-1], axis=-1)
    geometry = axes
    if kind == "mesh":
        places = places.reshape(-1, 3)
        # A little disorder inside: without it a Delaunay mesh of a grid has flat tetrahedra.
        inside = (np.abs(places) < [0.99, 0.99, 0.49]).all(axis=1)
        places[inside] += np.random.default_rng(0).uniform(-0.02, 0.02, (inside.sum(), 3))
        cells = Delaunay(places, qhull_options="QJ").simplices
        volumes = np.abs(np.linalg.det(places[cells[:, 1:]] - places[cells[:, :1]]))
        geometry = {"nodes": places, "tetrahedra": cells[volumes > 1e-9]}
    x, y, z = np.moveaxis(places, -1, 0)
    order = 1 + x / 2 + y / 4 + z / 8
    loop = 0.5 * np.exp(2j * np.pi * np.arange(13) / 12)
    lines = np.column_stack([loop.real, loop.imag, np.zeros(13), np.zeros(13)])
    lines[-1] = lines[0]
    return {
        "kind": "director",
        **geometry,
        "director": directed(x, y, z),
        "order": order,
        "biaxiality": order / 4,
        "disclinations": lines,
    }
