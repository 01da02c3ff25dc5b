"""States for other programs: VTK and XDMF files, as ParaView reads them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from saddlescape.model import EnergyModel

from ..discretisation.elements import require
from .reading import Geometry

FORMATS = (".vtu", ".vtk", ".xdmf")
_DATA = ("director", "order", "S", "biaxiality", "energy_density")


def export_state(model: EnergyModel, x: np.ndarray, path: str | os.PathLike[str]) -> None:
    """Write a state of a liquid crystal to a file that ParaView opens; one that is there is replaced.

    Parameters
    ----------
    model : EnergyModel
        A liquid-crystal model, whose ``unpack`` gives a director.
    x : (n,) array
        The state.
    path : path
        Ends in .vtu, .vtk or .xdmf.

    Raises
    ------
    ValueError
        If the ending is another, x has the wrong shape, or the model has no director.
    ImportError
        If meshio is not installed: ``pip install 'saddlescape[meshes]'``.

    Notes
    -----
    Nodes are in space, with z = 0 for domains in the plane; cells are triangles, quadrangles, tetrahedra or hexahedra. Data at
    nodes: director (3 components; glyphs without arrow heads show it), order, S, biaxiality, energy_density.
    """
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"path: got {str(path)!r}, expected a name that ends in one of {list(FORMATS)}")
    if np.shape(x) != (model.dim,):
        raise ValueError(f"x: got shape {np.shape(x)}, expected ({model.dim},), a state of the model")
    fields = model.unpack(x) if hasattr(model, "unpack") else {}
    if fields.get("kind") != "director":
        raise ValueError(f"model: got {type(model).__name__}, whose states have no director; expected a liquid-crystal model")
    meshio = require("meshio")
    points, kind, cells = _mesh(fields)
    data = {name: np.asarray(fields[name], dtype=float) for name in _DATA if name in fields}
    director = data["director"].reshape(len(points), -1)
    data = {name: array.ravel() for name, array in data.items()}
    data["director"] = np.pad(director, ((0, 0), (0, 3 - director.shape[1])))
    # By default XDMF puts its arrays into an .h5 file beside it, whose name may be that of a landscape.
    inline = {"data_format": "XML"} if path.suffix.lower() == ".xdmf" else {}
    meshio.Mesh(points, [(kind, cells)], point_data=data).write(path, **inline)


def _mesh(geometry: Geometry) -> tuple[np.ndarray, str, np.ndarray]:
    """Nodes (N, 3), meshio's name of the cells, and their corners."""
    for name, kind in (("triangles", "triangle"), ("tetrahedra", "tetra")):
        if name in geometry:
            nodes = np.asarray(geometry["nodes"])
            return np.pad(nodes, ((0, 0), (0, 3 - nodes.shape[1]))), kind, np.asarray(geometry[name])
    axes = [np.asarray(geometry[name]) if name in geometry else np.zeros(1) for name in "zyx"]
    points = np.stack(np.meshgrid(*axes, indexing="ij")[::-1], axis=-1).reshape(-1, 3)
    number = np.arange(len(points)).reshape([len(axis) for axis in axes])
    loop = [number[:, :-1, :-1], number[:, :-1, 1:], number[:, 1:, 1:], number[:, 1:, :-1]]
    if "z" not in geometry:
        return points, "quad", np.stack(loop, axis=-1).reshape(-1, 4)
    corners = [layer[:-1] for layer in loop] + [layer[1:] for layer in loop]
    return points, "hexahedron", np.stack(corners, axis=-1).reshape(-1, 8)
