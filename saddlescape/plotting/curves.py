"""Spectra of stationary points, convergence of searches, mean square errors of many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from ..results import SearchResult, StationaryPoint, Trajectory
from .style import COLOURS, FONT, axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..landscape.ensemble import Ensemble
    from ..landscape.landscape import Landscape

_SIGNS = {
    "negative": ("#D55E00", "v", "unstable"),
    "zero": ("#000000", "o", "zero"),
    "positive": ("#0072B2", "^", "stable"),
}
_STEP = 0.11


def plot_spectrum(landscape_or_point: Landscape | StationaryPoint, ax: Axes | None = None, *, count: int = 8) -> Axes:
    """The lowest eigenvalues of each stationary point, by sign; equal ones side by side, zero ones as open circles.

    Parameters
    ----------
    landscape_or_point : Landscape or StationaryPoint
    ax : Axes, optional
        Where to draw. Default: the axes of a new figure.
    count : int
        How many eigenvalues of each point to show at most; the negative and zero ones are always shown.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If it is neither a landscape nor a stationary point.
    ValueError
        If the landscape is empty or ``count`` is not positive.
    """
    if count < 1:
        raise ValueError(f"count: got {count!r}, expected a positive integer")
    points, names = _points(landscape_or_point)
    ax = axes_or_new(ax, (max(3.4, 0.55 * len(points) + 1.2), 3.0))
    shown = [point.eigenvalues[: max(count, point.index + point.nullity)] for point in points]
    _scale(ax, np.concatenate(shown), max(point.zero_tolerance for point in points))
    places: dict[str, list[tuple[float, float]]] = {sign: [] for sign in _SIGNS}
    for column, (point, values) in enumerate(zip(points, shown, strict=True)):
        for value, shift in zip(values, _side_by_side(values, ax), strict=True):
            sign = "zero" if abs(value) <= point.zero_tolerance else "negative" if value < 0 else "positive"
            places[sign].append((column + shift, value))
    ax.axhline(0.0, color="0.6", linewidth=0.8, zorder=1)
    for sign, (colour, marker, label) in _SIGNS.items():
        if places[sign]:
            face = "none" if sign == "zero" else colour
            ax.scatter(
                *np.transpose(places[sign]),
                s=22,
                marker=marker,
                facecolors=face,
                edgecolors=colour,
                linewidths=1.0,
                label=label,
                zorder=3,
            )
    ax.set_xticks(range(len(points)), names)
    ax.set_xlim(-0.6, len(points) - 0.4)
    ax.set_ylabel("eigenvalue of the Hessian", fontsize=FONT)
    ax.tick_params(labelsize=FONT)
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, fontsize=FONT, frameon=False, handletextpad=0.2)
    return ax


def _points(landscape_or_point: Any) -> tuple[list[StationaryPoint], list[str]]:
    if isinstance(landscape_or_point, StationaryPoint):
        return [landscape_or_point], [f"index {landscape_or_point.index}"]
    if not hasattr(landscape_or_point, "nodes"):
        raise TypeError(f"landscape_or_point: got {type(landscape_or_point).__name__}, expected a Landscape or a StationaryPoint")
    nodes = sorted(landscape_or_point.nodes, key=lambda node: (node.point.index, node.point.energy, node.id))
    if not nodes:
        raise ValueError(
            "landscape_or_point: the landscape has no nodes yet, so there is nothing to draw; explore or resume it first"
        )
    return [node.point for node in nodes], [f"#{node.id}\nind. {node.point.index}" for node in nodes]


def _scale(ax: Axes, values: np.ndarray, tolerance: float) -> None:
    """Linear where that shows everything, else linear about zero and logarithmic beyond."""
    sizes = np.sort(np.abs(values)[np.abs(values) > tolerance])
    if sizes.size and sizes[-1] > 200.0 * sizes[0]:
        ax.set_yscale("symlog", linthresh=float(sizes[0]))


def _side_by_side(values: np.ndarray, ax: Axes) -> np.ndarray:
    """Shifts that put eigenvalues too near to be told apart beside each other."""
    shifts = np.zeros(len(values))
    near = 0.012 * max(float(np.ptp(values)), 1e-300)
    start = 0
    for stop in range(1, len(values) + 1):
        if stop == len(values) or values[stop] - values[stop - 1] > near:
            shifts[start:stop] = _STEP * (np.arange(stop - start) - (stop - start - 1) / 2)
            start = stop
    return np.clip(shifts, -0.45, 0.45)


def plot_convergence(result: SearchResult | Trajectory, ax: Axes | None = None) -> Axes:
    """Gradient norm (logarithmic, left) and energy (right) along a search.

    Parameters
    ----------
    result : SearchResult or Trajectory
        A result must carry its trajectory.
    ax : Axes, optional
        Where to draw the gradient norm; the energy gets twin axes. Default: the axes of a new figure.

    Returns
    -------
    Axes
        Those of the gradient norm.

    Raises
    ------
    TypeError
        If it is neither a search result nor a trajectory.
    ValueError
        If there is no trajectory.
    """
    path = result.trajectory if isinstance(result, SearchResult) else result
    if path is None:
        raise ValueError("result: this search kept no trajectory; repeat it with search(..., trajectory=True)")
    if not isinstance(path, Trajectory):
        raise TypeError(f"result: got {type(result).__name__}, expected a SearchResult or a Trajectory")
    ax = axes_or_new(ax, (4.2, 2.8))
    steps = np.arange(len(path.energy))
    right = ax.twinx()
    right.plot(steps, path.energy, color="#E69F00", linewidth=1.4)
    # An exact zero has no place on a logarithmic axis.
    norms = np.where(path.gradient_norm > 0.0, path.gradient_norm, np.nan)
    ax.plot(steps, norms, color="#0072B2", linewidth=1.4)
    ax.set_yscale("log")
    ax.set_xlabel("recorded step", fontsize=FONT)
    ax.set_ylabel("gradient norm", fontsize=FONT, color="#0072B2")
    right.set_ylabel("energy", fontsize=FONT, color="#B37700")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in (ax, right):
        axes.tick_params(labelsize=FONT)
    ax.set_zorder(right.get_zorder() + 1)  # the gradient norm is drawn over the energy
    ax.patch.set_visible(False)
    return ax


_MSE = "mean square error"  # the label by which its curves are counted


def plot_mse(
    ensemble: Ensemble,
    ax: Axes | None = None,
    *,
    average: bool = False,
    reference: float | None = None,
    label: str | None = None,
) -> Axes:
    """Mean square error of many searches against the step, on logarithmic axes, with the power of n that was fitted to it.

    Curves drawn into the same axes have different colours.

    Parameters
    ----------
    ensemble : Ensemble
        From `search_many` with a reference.
    ax : Axes, optional
        Where to draw. Default: the axes of a new figure.
    average : bool
        The error of the averages instead of that of the iterates.
    reference : float, optional
        A power of n to compare with: drawn dashed, above the fit.
    label : str, optional
        What stands in the legend before the fitted slope and its 95 % interval. Default: iterates, or averages.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If it is no ensemble.
    ValueError
        If it has no reference, no run succeeded, or there are too few moments to fit a slope.
    """
    if not hasattr(ensemble, "average_errors"):
        raise TypeError(f"ensemble: got {type(ensemble).__name__}, expected the Ensemble that search_many returns")
    slope = ensemble.slope(average=average)
    ax = axes_or_new(ax, (4.2, 3.2))
    colour = COLOURS[sum(line.get_gid() == _MSE for line in ax.lines) % len(COLOURS)]
    ax.plot(ensemble.steps, ensemble.mse(average), color=colour, linewidth=1.0, alpha=0.6, gid=_MSE)

    steps = np.geomspace(slope.first, slope.last, 50)
    fit, turned = slope.factor * steps**slope.slope, steps / np.sqrt(slope.first * slope.last)
    name = label if label is not None else "averages" if average else "iterates"
    text = f"{name}: slope {slope.slope:.2f} ({slope.low:.2f} to {slope.high:.2f})"
    ax.plot(steps, fit, color=colour, linewidth=1.6, label=text)
    # The interval is one of the exponent: a fan about the middle of the fit.
    bounds = [fit * turned ** (bound - slope.slope) for bound in (slope.low, slope.high)]
    ax.fill_between(steps, *bounds, color=colour, alpha=0.25, linewidth=0.0)
    if reference is not None:
        line = 2.0 * fit[0] * (steps / steps[0]) ** reference
        ax.plot(steps, line, color="0.3", linewidth=1.0, linestyle=(0.0, (4.0, 2.5)), label=f"$n^{{{reference:.3g}}}$")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("step n", fontsize=FONT)
    ax.set_ylabel(_MSE, fontsize=FONT)
    ax.tick_params(labelsize=FONT)
    ax.legend(fontsize=FONT, frameon=False)
    return ax
