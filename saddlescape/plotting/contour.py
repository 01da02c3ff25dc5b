"""The energy of a model of two unknowns as a contour map, with its stationary points, connections and trajectories."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps, patheffects
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator

from ..model import check_is_model
from ..results import Trajectory
from .style import EDGE_STYLES, FONT, axes_or_new, index_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..landscape.landscape import Landscape
    from ..model import EnergyModel

# What lies above the levels is grey: it must not look like the highest of them.
_ENERGY = colormaps["cividis"].with_extremes(over="0.9")

Box = tuple[tuple[float, float], tuple[float, float]]


def plot_contour(
    model: EnergyModel,
    ax: Axes | None = None,
    *,
    box: Box | None = None,
    landscape: Landscape | None = None,
    trajectories: Iterable[np.ndarray | Trajectory] = (),
    levels: int = 28,
    resolution: int = 161,
    quantile: float = 0.6,
    colorbar: bool = True,
    legend: bool = True,
) -> Axes:
    """Filled contours of an energy of two unknowns.

    Parameters
    ----------
    model : EnergyModel
        Of ``dim`` 2.
    ax : Axes, optional
        Where to draw. Default: the axes of a new figure.
    box : ((xmin, xmax), (ymin, ymax)), optional
        What to show. Default: the model's ``box``, widened to hold every stationary point of ``landscape``.
    landscape : Landscape, optional
        Its stationary points, symmetric copies too, are drawn with the colour and marker of their index, its edges as straight
        lines.
    trajectories : iterable of (s, 2) array or Trajectory
        Paths to draw; a white disc marks where each begins, a black one where it ends.
    levels : int
        About how many contour levels.
    resolution : int
        Grid points along each axis.
    quantile : float
        Energies above this quantile of the grid (and above every stationary point) are left grey: steep walls do not eat the
        levels.
    colorbar, legend : bool

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If ``model`` is not a model.
    ValueError
        If the model has not two unknowns, there is no box, or an argument is out of range.
    """
    check_is_model(model)
    if model.dim != 2:
        raise ValueError(
            f"model: got {type(model).__name__} with {model.dim} unknowns, expected 2; "
            "plot_pathway draws landscapes of any dimension"
        )
    for name, value, least in (("levels", levels, 2), ("resolution", resolution, 8)):
        if value < least:
            raise ValueError(f"{name}: got {value!r}, expected an integer of at least {least}")
    if not 0.0 < quantile <= 1.0:
        raise ValueError(f"quantile: got {quantile!r}, expected a number above 0 and up to 1")
    paths = [_checked_path(path) for path in trajectories]
    if landscape is not None and any(point.orbit_size > 1 for point in landscape.points):
        landscape = landscape.expand()
    points = np.array([point.x for point in landscape.points]).reshape(-1, 2) if landscape is not None else np.empty((0, 2))
    box = _box(model, box, points)
    x, y = (np.linspace(*side, resolution) for side in box)
    energy = _energies(model, x, y)
    ax = axes_or_new(ax, (4.6, 3.9))
    _draw_energy(ax, x, y, energy, contour_levels(energy, [model.energy(point) for point in points], levels, quantile), colorbar)
    if landscape is not None:
        _draw_landscape(ax, landscape)
    _draw_paths(ax, paths)
    ax.set(xlim=box[0], ylim=box[1])
    ax.set_xlabel("x", fontsize=FONT)
    ax.set_ylabel("y", fontsize=FONT)
    ax.tick_params(labelsize=FONT)
    if legend and ax.get_legend_handles_labels()[0]:
        _draw_legend(ax)
    return ax


def contour_levels(energy: np.ndarray, stationary: list[float], count: int, quantile: float) -> np.ndarray:
    """Evenly spaced levels from the lowest energy to the quantile, or to a little above the highest stationary point.

    Parameters
    ----------
    energy : (ny, nx) array
        NaN where it is not finite.
    stationary : list of float
    count : int
    quantile : float

    Returns
    -------
    (m,) array
        Round numbers; m is about ``count``.
    """
    low = min(float(np.nanmin(energy)), *stationary) if stationary else float(np.nanmin(energy))
    high = float(np.nanquantile(energy, quantile))
    if stationary:
        high = max(high, max(stationary) + 0.15 * (max(stationary) - low))
    return MaxNLocator(count).tick_values(low, high if high > low else low + 1.0)


def _checked_path(path: Any) -> np.ndarray:
    x = np.asarray(path.x if isinstance(path, Trajectory) else path, dtype=float)
    if x.ndim != 2 or x.shape[1] != 2:
        raise ValueError(f"trajectories: got one of shape {x.shape}, expected (s, 2) arrays or Trajectory")
    return x


def _box(model: EnergyModel, box: Box | None, points: np.ndarray) -> np.ndarray:
    if box is not None:
        box = np.asarray(box, dtype=float)
        if box.shape != (2, 2) or not np.isfinite(box).all() or not (box[:, 0] < box[:, 1]).all():
            raise ValueError(f"box: got {box.tolist()}, expected ((xmin, xmax), (ymin, ymax)) with finite, ascending bounds")
        return box
    known = getattr(model, "box", None)
    if known is None and len(points) == 0:
        raise ValueError(
            f"box: {type(model).__name__} names none, so pass box=((xmin, xmax), (ymin, ymax)) or a landscape with points"
        )
    ranges = [np.asarray(known, dtype=float)] if known is not None else []
    if len(points):
        low, high = points.min(axis=0), points.max(axis=0)
        pad = (0.08 if known is not None else 0.3) * np.maximum(high - low, (high - low).max() or 1.0)
        ranges.append(np.column_stack([low - pad, high + pad]))
    return np.column_stack([np.min([r[:, 0] for r in ranges], axis=0), np.max([r[:, 1] for r in ranges], axis=0)])


def _energies(model: EnergyModel, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    values = np.array([[model.energy(np.array([a, b])) for a in x] for b in y])
    values[~np.isfinite(values)] = np.nan
    if np.isnan(values).all():
        raise ValueError("box: the energy is finite nowhere in it; pass another box")
    return values


def _draw_energy(ax: Axes, x: np.ndarray, y: np.ndarray, energy: np.ndarray, levels: np.ndarray, colorbar: bool) -> None:
    extend = "max" if np.nanmax(energy) > levels[-1] else "neither"
    masked = np.ma.masked_invalid(energy)
    filled = ax.contourf(x, y, masked, levels, cmap=_ENERGY, extend=extend)
    ax.contour(x, y, masked, levels, colors="white", linestyles="solid", linewidths=0.3, alpha=0.5)
    if colorbar:
        bar = ax.figure.colorbar(filled, ax=ax)
        ticks = MaxNLocator(7).tick_values(levels[0], levels[-1])
        bar.set_ticks(ticks[(ticks >= levels[0]) & (ticks <= levels[-1])])
        bar.set_label("energy", fontsize=FONT)
        bar.ax.tick_params(labelsize=FONT)


def _draw_landscape(ax: Axes, landscape: Landscape) -> None:
    # One line for each pair of points, in the style of its strongest connection: lines on top of each other look like none of them.
    order = list(EDGE_STYLES)
    pairs: dict[tuple[int, int], int] = {}
    for edge in landscape.edges:
        ends = (edge.parent, edge.child)
        pairs[ends] = min(pairs.get(ends, len(order)), order.index(edge.kind.rstrip("+-")))
    for rank, style in enumerate(EDGE_STYLES.values()):
        segments = [[landscape.nodes[i].point.x for i in ends] for ends, strongest in pairs.items() if strongest == rank]
        if segments:
            lines = LineCollection(segments, colors="white", linewidths=style.width, linestyles=[style.dashes], zorder=2)
            lines.set_path_effects([patheffects.Stroke(linewidth=style.width + 1.2, foreground="0.15"), patheffects.Normal()])
            ax.add_collection(lines, autolim=False)
    for index in landscape.index_counts():
        style = index_style(index)
        points = np.array([point.x for point in landscape.points if point.index == index])
        ax.scatter(
            *points.T,
            s=42,
            c=style.colour,
            marker=style.marker,
            edgecolors="white",
            linewidths=0.9,
            zorder=3,
            label=f"index {index}",
        )


def _draw_paths(ax: Axes, paths: list[np.ndarray]) -> None:
    halo = [patheffects.Stroke(linewidth=2.2, foreground="white"), patheffects.Normal()]
    for number, path in enumerate(paths):
        ax.plot(*path.T, color="black", linewidth=1.1, zorder=2.5, path_effects=halo, label="trajectory" if number == 0 else None)
        # White begins, black ends, above the point it may have reached.
        ax.plot(*path[0], color="white", marker="o", markersize=4, markeredgecolor="black", zorder=2.6)
        ax.plot(*path[-1], color="black", marker="o", markersize=4, markeredgecolor="white", markeredgewidth=0.7, zorder=3.1)


def _draw_legend(ax: Axes) -> None:
    # Below the axes, where it hides no stationary point.
    ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=4, fontsize=FONT, frameon=False, handletextpad=0.3, columnspacing=1.2
    )
