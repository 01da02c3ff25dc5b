"""A state as a picture: director fields, heat maps, profiles. Small ones for pathway maps, a large one on request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.image import AxesImage

from .style import DIVERGING, FONT, SEQUENTIAL, axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..landscape.landscape import Landscape
    from ..landscape.records import Node
    from ..model import EnergyModel

Fields = Mapping[str, Any]

_NEEDED = {"director": ("x", "y", "director", "order"), "scalar": ("x", "y", "field"), "line": ("x", "field")}
_BARS = {"director": "order parameter", "scalar": "field"}
_SHOWN = {"director": "order", "scalar": "field", "line": "field"}


def check_fields(fields: Any) -> Fields:
    """Refuse what `plot_state` cannot draw.

    Raises
    ------
    TypeError
        If it is not a mapping.
    ValueError
        If its kind is unknown, or an array is missing or of the wrong shape.
    """
    if not isinstance(fields, Mapping):
        raise TypeError(
            f"fields: got {type(fields).__name__}, expected the dict that model.unpack(x) returns, or a Landscape and a node"
        )
    kind = fields.get("kind")
    if kind not in _NEEDED:
        raise ValueError(f"fields['kind']: got {kind!r}, expected one of {list(_NEEDED)}; `unpack` of the model sets it")
    missing = [name for name in _NEEDED[kind] if name not in fields]
    if missing:
        raise ValueError(f"fields: a state of kind {kind!r} needs {list(_NEEDED[kind])}, missing: {missing}")
    shape = (len(fields["x"]),) if kind == "line" else (len(fields["y"]), len(fields["x"]))
    for name in {"order", "field"} & set(_NEEDED[kind]):
        _check_shape(fields, name, shape)
    if kind == "director":
        _check_shape(fields, "director", (*shape, 2))
    return fields


def _check_shape(fields: Fields, name: str, shape: tuple[int, ...]) -> None:
    if np.shape(fields[name]) != shape:
        raise ValueError(f"fields[{name!r}]: got shape {np.shape(fields[name])}, expected {shape} to match x and y")


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


def colour_scale(states: Sequence[Fields]) -> ScalarMappable:
    """One colour scale for several states of one kind: the same colour means the same number in all of them.

    Order parameters start at 0 (a defect), signed fields are centred at 0 and use a diverging map.
    """
    kind = states[0]["kind"]
    values = [np.asarray(fields[_SHOWN[kind]], dtype=float) for fields in states]
    low, high = min(float(np.nanmin(v)) for v in values), max(float(np.nanmax(v)) for v in values)
    if kind == "director":
        return ScalarMappable(Normalize(0.0, high if high > 0.0 else 1.0), SEQUENTIAL)
    if low < 0.0 < high or low == high:
        reach = max(abs(low), abs(high)) or 1.0
        return ScalarMappable(Normalize(-reach, reach), DIVERGING)
    return ScalarMappable(Normalize(low, high), SEQUENTIAL)


def bar_label(kind: str) -> str | None:
    """What the colour bar of a kind of state measures; None where the kind has no colours."""
    return _BARS.get(kind)


def draw_states(ax: Axes, states: Sequence[Fields], centres: np.ndarray, size: float, scale: ScalarMappable) -> None:
    """Draw small pictures of states of one kind into one axes.

    Parameters
    ----------
    ax : Axes
    states : sequence of dict
        As `EnergyModel.unpack` returns them.
    centres : (m, 2) array
        Where, in data coordinates of equal scale.
    size : float
        Longer side of a picture.
    scale : ScalarMappable
        From `colour_scale`.
    """
    if states[0]["kind"] == "line":
        _draw_lines(ax, states, centres, size, scale.norm.vmin, scale.norm.vmax)
        return
    rods = []
    for fields, centre in zip(states, centres, strict=True):
        place = _Frame(fields, centre, size)
        _add_image(ax, fields, place.extent, scale)
        if fields["kind"] == "director":
            rods.append(place.apply(_rods(fields, 9)))
    if rods:
        ax.add_collection(LineCollection(np.concatenate(rods), colors="black", linewidths=0.7, zorder=3.1), autolim=False)


class _Frame:
    """The map from the domain of a field to a box of given centre and size that keeps the proportions of the domain."""

    def __init__(self, fields: Fields, centre: np.ndarray, size: float):
        bounds = np.array([_bounds(fields["x"]), _bounds(fields["y"])])
        spans = bounds[:, 1] - bounds[:, 0]
        self.scale = size / spans.max()
        self.shift = np.asarray(centre) - self.scale * bounds.mean(axis=1)
        self.extent = (self.scale * bounds + self.shift[:, None]).ravel()

    def apply(self, segments: np.ndarray) -> np.ndarray:
        return self.scale * segments + self.shift


def _bounds(grid: np.ndarray) -> tuple[float, float]:
    # A pixel is centred on its node: the picture reaches half a spacing further.
    grid = np.asarray(grid, dtype=float)
    half = (grid[-1] - grid[0]) / max(len(grid) - 1, 1) / 2
    return grid[0] - half, grid[-1] + half


def _add_image(ax: Axes, fields: Fields, extent: np.ndarray, scale: ScalarMappable) -> None:
    image = AxesImage(
        ax, cmap=scale.cmap, norm=scale.norm, interpolation="bilinear", origin="lower", extent=tuple(extent), zorder=3
    )
    image.set_data(np.asarray(fields[_SHOWN[fields["kind"]]], dtype=float))
    image.set_clip_path(ax.patch)
    ax.add_artist(image)


def _rods(fields: Fields, count: int) -> np.ndarray:
    """Headless rods along the director, (m, 2, 2), evenly spaced, ``count`` along the longer edge.

    A director has no sign, so what is interpolated is S (2 n n - 1), by its two independent components. Where the order
    parameter is below 2 % of its maximum the director has no meaning and no rod is drawn.
    """
    x, y = np.asarray(fields["x"], dtype=float), np.asarray(fields["y"], dtype=float)
    order, director = np.asarray(fields["order"], dtype=float), np.asarray(fields["director"], dtype=float)
    spacing = max(abs(x[-1] - x[0]), abs(y[-1] - y[0])) / count
    rows, columns = _fractions(y, spacing), _fractions(x, spacing)
    along = _sampled(order * (director[..., 0] ** 2 - director[..., 1] ** 2), rows, columns)
    across = _sampled(order * 2 * director[..., 0] * director[..., 1], rows, columns)
    angle = 0.5 * np.arctan2(across, along)
    centre = np.stack(np.meshgrid(x[0] + columns * (x[-1] - x[0]), y[0] + rows * (y[-1] - y[0])), axis=-1)
    half = 0.42 * spacing * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    seen = np.hypot(along, across) > 0.02 * np.nanmax(order)
    return np.stack([centre - half, centre + half], axis=-2)[seen]


def _fractions(grid: np.ndarray, spacing: float) -> np.ndarray:
    count = max(1, round(abs(grid[-1] - grid[0]) / spacing))
    return (np.arange(count) + 0.5) / count


def _sampled(values: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Bilinear interpolation of values (ny, nx) at fractions of the two edges, (rows, columns)."""
    for axis, fractions in enumerate((rows, columns)):
        place = fractions * (values.shape[axis] - 1)
        low = np.minimum(place.astype(int), values.shape[axis] - 2)
        weight = np.expand_dims(place - low, 1 - axis)
        values = (1 - weight) * values.take(low, axis) + weight * values.take(low + 1, axis)
    return values


def _draw_lines(ax: Axes, states: Sequence[Fields], centres: np.ndarray, size: float, low: float, high: float) -> None:
    curves, zeros = [], []
    for fields, centre in zip(states, centres, strict=True):
        x, u = np.asarray(fields["x"], dtype=float), np.asarray(fields["field"], dtype=float)
        across = (x - x[0]) / (x[-1] - x[0]) - 0.5
        curves.append(
            np.column_stack([centre[0] + 0.94 * size * across, centre[1] + 0.86 * size * ((u - low) / (high - low) - 0.5)])
        )
        if low < 0.0 < high:
            level = centre[1] + 0.86 * size * (-low / (high - low) - 0.5)
            zeros.append([(centre[0] - 0.47 * size, level), (centre[0] + 0.47 * size, level)])
    ax.add_collection(LineCollection(zeros, colors="0.75", linewidths=0.6, zorder=3.1), autolim=False)
    ax.add_collection(LineCollection(curves, colors="black", linewidths=1.2, zorder=3.2), autolim=False)


def plot_state(
    fields_or_landscape: Fields | Landscape,
    node: int | None = None,
    ax: Axes | None = None,
    *,
    colorbar: bool = True,
    rods: int = 24,
) -> Axes:
    """One state, large.

    Parameters
    ----------
    fields_or_landscape : dict or Landscape
        What ``model.unpack(x)`` returns, of kind "director", "scalar" or "line"; or a landscape, with ``node``.
    node : int, optional
        Which node of the landscape.
    ax : Axes, optional
        Where to draw. Default: the axes of a new figure.
    colorbar : bool
        Whether to add a colour bar (not for lines).
    rods : int
        How many director rods along the longer edge of the domain.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If the first argument is neither a mapping nor a landscape, or a landscape comes without ``node``.
    ValueError
        If the landscape's model is missing or describes its points by no field, or the fields are incomplete.
    IndexError
        If the landscape has no such node.
    """
    if rods < 1:
        raise ValueError(f"rods: got {rods!r}, expected a positive integer")
    fields = check_fields(_resolved(fields_or_landscape, node))
    ax = axes_or_new(ax, (3.6, 3.0))
    ax.tick_params(labelsize=FONT)
    ax.set_xlabel("x", fontsize=FONT)
    if fields["kind"] == "line":
        ax.axhline(0.0, color="0.75", linewidth=0.8)
        ax.plot(fields["x"], fields["field"], color="black", linewidth=1.4)
        ax.set_ylabel("u", fontsize=FONT)
        return ax
    scale = colour_scale([fields])
    extent = np.array([*_bounds(fields["x"]), *_bounds(fields["y"])])
    _add_image(ax, fields, extent, scale)
    ax.set(xlim=extent[:2], ylim=extent[2:], aspect="equal")
    ax.set_ylabel("y", fontsize=FONT)
    if fields["kind"] == "director":
        ax.add_collection(LineCollection(_rods(fields, rods), colors="black", linewidths=0.9, zorder=3.1), autolim=False)
    if colorbar:
        bar = ax.figure.colorbar(scale, ax=ax)
        bar.set_label(bar_label(fields["kind"]), fontsize=FONT)
        bar.ax.tick_params(labelsize=FONT)
    return ax


def _resolved(fields_or_landscape: Any, node: int | None) -> Any:
    if not hasattr(fields_or_landscape, "nodes"):
        return fields_or_landscape
    landscape = fields_or_landscape
    if node is None:
        raise TypeError("node: a landscape has many states; pass the id of one, plot_state(landscape, node)")
    if not 0 <= node < len(landscape.nodes):
        raise IndexError(f"node: got {node}, expected an id from 0 to {len(landscape.nodes) - 1}")
    model = landscape.model  # raises ValueError with the way out where the model is missing
    if getattr(model, "unpack", None) is None:
        raise ValueError(
            f"node: the points of {type(model).__name__} are plain vectors; give the model `unpack(x)` to see them as fields"
        )
    return model.unpack(landscape.nodes[node].point.x)
