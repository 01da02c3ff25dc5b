"""Energy along an energy-conserving trajectory, and how well the conserved one was kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from ..results import SearchResult
from .style import FONT, axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_trajectory(result: SearchResult, ax: Axes | None = None) -> Axes:
    """Energy along a trajectory of energy-conserving descent, with its floor and ceiling, its bounces and its best point.

    Parameters
    ----------
    result : SearchResult
        Of `ECDSep`, `Isokinetic` or `BBI`, with its trajectory.
    ax : Axes, optional
        Where to draw. Default: the axes of a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If it is no result of such a method.
    ValueError
        If there is no trajectory.
    """
    _check(result)
    x, energy, descent = result.trajectory.x, result.trajectory.energy, result.descent
    ax = axes_or_new(ax, (4.8, 2.8))
    ax.plot(np.arange(len(energy)), energy, color="#0072B2", linewidth=0.9, zorder=2)
    levels = [("floor", descent.floor, "#009E73"), ("ceiling", descent.ceiling, "#D55E00")]
    for label, value, colour in levels:
        if np.isfinite(value):
            ax.axhline(value, color=colour, linewidth=1.2, linestyle=(0.0, (4.0, 2.5)), label=label, zorder=1)
    bounces = np.flatnonzero((x[1:] == x[:-1]).all(axis=1))  # a bounce is a step that stays where it is
    if bounces.size:
        ax.plot(bounces, energy[bounces], "o", color="0.2", markersize=2.5, label=f"{bounces.size} bounces", zorder=3)
    best = int(np.argmin(energy))
    ax.plot(best, energy[best], "*", color="#E69F00", markersize=9, label=f"best {energy[best]:.5g}", zorder=4)
    ax.set_xlabel("step", fontsize=FONT)
    ax.set_ylabel("energy", fontsize=FONT)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.tick_params(labelsize=FONT)
    ax.legend(fontsize=FONT, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, handletextpad=0.4)
    return ax


def plot_conservation(result: SearchResult, ax: Axes | None = None) -> Axes:
    """The conserved quantity along a trajectory of energy-conserving descent, in units of its value, and its error.

    Each step leaves an error, which is corrected before the next: drawn is what the steps left, linearly (left) and its size on a
    logarithmic axis (right), with the largest as a dashed line.

    Parameters
    ----------
    result : SearchResult
        Of `ECDSep` (D^eta (1 + |p|^2) is conserved), `Isokinetic` (|p|^2) or `BBI` (sqrt(D (D + |p|^2))), with its trajectory.
    ax : Axes, optional
        Where to draw the quantity; its error gets twin axes. Default: the axes of a new figure.

    Returns
    -------
    Axes
        Those of the quantity.

    Raises
    ------
    TypeError
        If it is no result of such a method.
    ValueError
        If there is no trajectory.
    """
    _check(result)
    errors = result.trajectory.energy_error
    ax = axes_or_new(ax, (4.8, 2.8))
    right = ax.twinx()
    steps, sizes = np.arange(len(errors)), np.abs(errors)
    # An exact zero has no place on a logarithmic axis.
    right.plot(steps, np.where(sizes > 0.0, sizes, np.nan), ".", color="#E69F00", markersize=1.5, zorder=1)
    largest = np.nanmax(sizes)
    if largest > 0.0:
        right.axhline(largest, color="#D55E00", linewidth=1.0, linestyle=(0.0, (4.0, 2.5)), label=f"largest {largest:.1e}")
        right.legend(fontsize=FONT, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    right.set_yscale("log")
    ax.plot(steps, 1.0 + errors, color="#0072B2", linewidth=0.9)
    ax.set_xlabel("step", fontsize=FONT)
    ax.set_ylabel("conserved quantity / its value", fontsize=FONT, color="#0072B2")
    right.set_ylabel("|error| left by the step", fontsize=FONT, color="#B37700")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    for axes in (ax, right):
        axes.tick_params(labelsize=FONT)
    ax.set_zorder(right.get_zorder() + 1)  # the quantity is drawn over its error
    ax.patch.set_visible(False)
    return ax


def _check(result: SearchResult) -> None:
    if not isinstance(result, SearchResult) or result.descent is None:
        raise TypeError(f"result: got {type(result).__name__}, expected the SearchResult of ECDSep, Isokinetic or BBI")
    if result.trajectory is None:
        raise ValueError("result: this search kept no trajectory; repeat it with search(..., trajectory=True)")
