"""Energy along an energy-conserving trajectory."""

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
    if not isinstance(result, SearchResult) or result.descent is None:
        raise TypeError(f"result: got {type(result).__name__}, expected the SearchResult of ECDSep, Isokinetic or BBI")
    if result.trajectory is None:
        raise ValueError("result: this search kept no trajectory; repeat it with search(..., trajectory=True)")
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
