"""How a landscape was found: points known against the gradients that had been spent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .style import FONT, axes_or_new, index_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..landscape.landscape import Landscape


def plot_discovery(landscape: Landscape, ax: Axes | None = None, *, label: str | None = None) -> Axes:
    """Points found against gradients spent, one staircase for each Morse index: how fast basins and saddles come.

    The gradients are those of all searches in the order in which they were merged, failed ones too, whatever their number of
    workers; a point counts with all its symmetric copies from the search that found it first. Landscapes drawn into the same axes
    share the colours of their indices: give each a ``label``, and it gets dashes of its own.

    Parameters
    ----------
    landscape : Landscape
    ax : Axes, optional
        Where to draw. Default: the axes of a new figure.
    label : str, optional
        What stands in the legend before the index.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If it is no landscape.
    ValueError
        If it is empty, or carries no searches (that of `Landscape.expand`).
    """
    if not (hasattr(landscape, "nodes") and hasattr(landscape, "searches")):
        raise TypeError(f"landscape: got {type(landscape).__name__}, expected a Landscape")
    if not landscape.nodes or not landscape.searches:
        raise ValueError("landscape: it has no points, or not the searches that found them; draw the landscape that was explored")
    spent = np.concatenate([[0], np.cumsum([search.result.n_gradient for search in landscape.searches])])
    order = {search.task.id: place for place, search in enumerate(landscape.searches)}
    ax = axes_or_new(ax, (4.8, 3.0))
    before = len({line.get_gid() for line in ax.lines})  # landscapes in these axes
    name = f"{label}: " if label else ""
    for index in landscape.index_counts():
        found = np.zeros(len(spent))
        for node in landscape.nodes:
            if node.point.index == index:
                found[order[node.found_by] + 1] += node.point.orbit_size
        text = f"{name}{_NAMES.get(index, f'index {index}')}"
        style = index_style(index)
        (line,) = ax.step(spent, np.cumsum(found), where="post", color=style.colour, linewidth=1.4, label=text)
        line.set(linestyle=_DASHES[before % len(_DASHES)], gid=f"landscape {before}")
    ax.set_xlim(left=0.0)
    ax.set_ylim(bottom=0.0)
    ax.set_xlabel("gradients", fontsize=FONT)
    ax.set_ylabel("points found", fontsize=FONT)
    ax.tick_params(labelsize=FONT)
    ax.legend(fontsize=FONT, frameon=False)
    return ax


_NAMES = {0: "minima (index 0)"}
_DASHES = ("solid", (0.0, (4.0, 2.0)), (0.0, (1.0, 1.5)), (0.0, (6.0, 1.5, 1.0, 1.5)))
