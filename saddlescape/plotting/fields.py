"""What a state is for the pictures: named arrays over a line, a grid or a mesh, as ``model.unpack(x)`` returns them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..landscape.landscape import Landscape
    from ..landscape.records import Node
    from ..model import EnergyModel

Fields = Mapping[str, Any]

_VALUES = {"director": "order", "scalar": "field", "line": "field"}
# The names of a geometry, and how many coordinates a node has.
_MESHES = {"triangles": 2, "tetrahedra": 3}


def check_fields(fields: Any) -> Fields:
    """Refuse what cannot be drawn.

    Raises
    ------
    TypeError
        If it is not a mapping.
    ValueError
        If its kind is unknown, an array is missing or of the wrong shape, or a mesh names nodes that are not there.
    """
    if not isinstance(fields, Mapping):
        raise TypeError(
            f"fields: got {type(fields).__name__}, expected the dict that model.unpack(x) returns, or a Landscape and a node"
        )
    kind = fields.get("kind")
    if kind not in _VALUES:
        raise ValueError(f"fields['kind']: got {kind!r}, expected one of {list(_VALUES)}; `unpack` of the model sets it")
    mesh = next((name for name in _MESHES if name in fields), None) if kind == "director" else None
    needed = ["nodes", mesh] if mesh else ["x"] if kind == "line" else ["x", "y"]
    needed += ["director", "order"] if kind == "director" else ["field"]
    missing = [name for name in needed if name not in fields]
    if missing:
        instead = "" if mesh or kind != "director" else ", or nodes with triangles or tetrahedra instead of x and y"
        raise ValueError(f"fields: a state of kind {kind!r} needs {needed}{instead}, missing: {missing}")
    shape = _mesh_shape(fields, mesh) if mesh else _grid_shape(fields, kind)
    _check_shape(fields, _VALUES[kind], shape)
    if kind == "director":
        flat = len(shape) < 3 and mesh != "tetrahedra"
        if np.shape(fields["director"]) not in [(*shape, d) for d in ((2, 3) if flat else (3,))]:
            _refuse_shape(fields, "director", (*shape, "2 or 3") if flat else (*shape, 3))
        if "biaxiality" in fields:
            _check_shape(fields, "biaxiality", shape)
        for name, columns in (("defects", 3), ("disclinations", 4)):
            if name in fields and (np.ndim(fields[name]) != 2 or np.shape(fields[name])[1] != columns):
                _refuse_shape(fields, name, ("k", columns))
    return fields


def is_spatial(fields: Fields) -> bool:
    """Whether the state fills space and is drawn by its cuts."""
    return "tetrahedra" in fields or ("z" in fields and "nodes" not in fields)


def _grid_shape(fields: Fields, kind: str) -> tuple[int, ...]:
    axes = {"line": "x", "scalar": "yx", "director": "zyx" if "z" in fields else "yx"}[kind]
    return tuple(len(fields[name]) for name in axes)


def _mesh_shape(fields: Fields, mesh: str) -> tuple[int]:
    nodes, cells, dimension = np.asarray(fields["nodes"]), np.asarray(fields[mesh]), _MESHES[mesh]
    if nodes.ndim != 2 or nodes.shape[1] != dimension:
        _refuse_shape(fields, "nodes", ("N", dimension))
    if cells.ndim != 2 or cells.shape[1] != dimension + 1 or not len(cells):
        _refuse_shape(fields, mesh, ("at least 1", dimension + 1))
    if cells.min() < 0 or cells.max() >= len(nodes):
        raise ValueError(
            f"fields[{mesh!r}]: got node numbers from {cells.min()} to {cells.max()}, expected 0 to {len(nodes) - 1}, rows of nodes"
        )
    return (len(nodes),)


def _check_shape(fields: Fields, name: str, shape: tuple[int, ...]) -> None:
    if np.shape(fields[name]) != shape:
        _refuse_shape(fields, name, shape)


def _refuse_shape(fields: Fields, name: str, shape: tuple[Any, ...]) -> None:
    expected = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
    end = "" if name in ("nodes", *_MESHES) or "k" in shape else " to match " + ("nodes" if "nodes" in fields else "x and y")
    raise ValueError(f"fields[{name!r}]: got shape {np.shape(fields[name])}, expected {expected}{end}")


def model_of(landscape: Landscape) -> EnergyModel | None:
    """The landscape's model; None where it is a user's own and was not attached (it is never imported from a file)."""
    try:
        return landscape.model
    except ValueError:
        return None


def states_of(landscape: Landscape, nodes: Sequence[Node]) -> list[Fields] | None:
    """The named fields of nodes; None where the model is not at hand or its points are plain vectors.

    Raises
    ------
    ValueError, TypeError
        If the model's ``unpack`` returns something that cannot be drawn.
    """
    unpack = getattr(model_of(landscape), "unpack", None)
    return None if unpack is None else [check_fields(unpack(node.point.x)) for node in nodes]


def resolved(fields_or_landscape: Any, node: int | None) -> Fields:
    """The fields of a node of a landscape, or what is itself fields; checked.

    Raises
    ------
    TypeError
        If it is neither a mapping nor a landscape, or a landscape comes without ``node``.
    ValueError
        If the landscape's model is missing or describes its points by no field, or the fields are incomplete.
    IndexError
        If the landscape has no such node.
    """
    if not hasattr(fields_or_landscape, "nodes"):
        return check_fields(fields_or_landscape)
    landscape = fields_or_landscape
    if node is None:
        raise TypeError("node: a landscape has many states; pass the id of one, as in plot_state(landscape, node)")
    if not 0 <= node < len(landscape.nodes):
        raise IndexError(f"node: got {node}, expected an id from 0 to {len(landscape.nodes) - 1}")
    model = landscape.model  # raises ValueError with the way out where the model is missing
    if getattr(model, "unpack", None) is None:
        raise ValueError(
            f"node: the points of {type(model).__name__} are plain vectors; give the model `unpack(x)` to see them as fields"
        )
    return check_fields(model.unpack(landscape.nodes[node].point.x))
