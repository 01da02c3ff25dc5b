"""Bifurcation diagrams: states against a parameter, stable ones solid, unstable ones dashed in the colour of their index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from .style import FONT, axes_or_new, choice, index_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..landscape.diagram import Branch, Diagram

_DASHES = (0.0, (3.2, 1.6))
_DENSE = 12  # points drawn for each sample
_CLOSE = 1e-4  # of the range: nearer samples are one to a smooth curve
_MARKERS = {"pitchfork": "o", "transcritical": "X", "multiple": "D", "fold": ">", "meeting": "o"}
_LABELS = {"multiple": "several eigenvalues", "meeting": "end"}
_LOST = "x"

Measure = str | Callable[[np.ndarray], float]


def plot_bifurcation(
    diagram: Diagram,
    ax: Axes | None = None,
    *,
    measure: Measure = "energy",
    names: Mapping[int, str] | None = None,
    legend: bool = True,
    criticals: bool = True,
) -> Axes:
    """The bifurcation diagram: one curve for each branch, solid where it is stable, dashed where it is not.

    Parameters
    ----------
    diagram : Diagram
        From `saddlescape.follow`.
    ax : Axes, optional
        Where to draw. Default: the axes of a new figure.
    measure : {"energy", "excess"} or callable
        What stands upwards: the energy, the energy above that of the lowest branch at the same value, or ``measure(x) -> float`` of
        a state x (n,).
    names : mapping of int to str, optional
        Names of branches by id, written at their ends.
    legend : bool
    criticals : bool
        Whether to write critical values above the axes; they are marked in any case.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError, ValueError
        If it is no diagram, or the measure is not one of those above.
    """
    if not hasattr(diagram, "criticals"):
        raise TypeError(f"diagram: got {type(diagram).__name__}, expected the Diagram that follow returns")
    if not callable(measure):
        choice(measure, ("energy", "excess"), "measure")
    ax = axes_or_new(ax, (5.2, 3.6))
    curves = _curves(diagram, measure)
    for branch, (values, heights) in zip(diagram.branches, curves, strict=True):
        _draw_branch(ax, branch, values, heights)
    kinds = _draw_criticals(ax, diagram, curves, criticals)
    ax.set_xlabel(diagram.parameter, fontsize=FONT)
    ax.set_ylabel(_measure_label(measure), fontsize=FONT)
    ax.tick_params(labelsize=FONT)
    ax.margins(x=0.02)
    if names:
        _write_names(ax, diagram, curves, names)
    if legend:
        _draw_legend(ax, diagram, kinds)
    return ax


def _measure_label(measure: Measure) -> str:
    if callable(measure):
        name = getattr(measure, "__name__", "measure")
        return "measure" if name == "<lambda>" else name.replace("_", " ")
    return {"energy": "energy", "excess": "energy above the lowest"}[measure]


Curve = tuple[np.ndarray, np.ndarray]


def _curves(diagram: Diagram, measure: Measure) -> list[Curve]:
    """For each branch the points of a smooth curve through its samples: values and heights."""
    from scipy.interpolate import PchipInterpolator

    if callable(measure):
        heights = [np.array([float(measure(x)) for x in branch.x]) for branch in diagram.branches]
    else:
        heights = [branch.energies for branch in diagram.branches]
    everything = np.concatenate(heights)
    width = np.ptp(np.concatenate([branch.values for branch in diagram.branches])) or 1.0
    height = np.ptp(everything) or 1.0
    curves = []
    for branch, own in zip(diagram.branches, heights, strict=True):
        kept = _spread(branch.values, _CLOSE * width)
        values, own = branch.values[kept], own[kept]
        if len(values) < 2:
            curves.append((values, own))
            continue
        if not callable(measure):  # smooth in the parameter up to the ends, also where the state is not
            dense = np.concatenate([np.linspace(a, b, _DENSE, endpoint=False) for a, b in pairwise(values)])
            dense = np.append(dense, values[-1])
            curves.append((dense, _smooth(values, own)(dense)))
            continue
        # Upright at a fold or pitchfork: smooth in its length.
        length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(values) / width, np.diff(own) / height))])
        dense = np.linspace(0.0, length[-1], _DENSE * len(values))
        curves.append((PchipInterpolator(length, values)(dense), PchipInterpolator(length, own)(dense)))
    return _above_lowest(curves) if measure == "excess" else curves


def _spread(values: np.ndarray, least: float) -> np.ndarray:
    """Positions of samples at least so far apart, both ends among them."""
    kept = [0]
    for i in range(1, len(values)):
        if values[i] - values[kept[-1]] > least:
            kept.append(i)
    if kept[-1] != len(values) - 1:
        kept[-1 if len(kept) > 1 else len(kept) :] = [len(values) - 1]
    return np.array(kept)


def _smooth(values: np.ndarray, heights: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    from scipy.interpolate import CubicSpline, PchipInterpolator

    return CubicSpline(values, heights) if len(values) > 3 else PchipInterpolator(values, heights)


def _above_lowest(curves: list[Curve]) -> list[Curve]:
    """Heights above the lowest curve at the same value."""
    above = []
    for values, heights in curves:
        others = [np.where((values >= v[0]) & (values <= v[-1]), _at(v, h, values), np.inf) for v, h in curves if len(v) > 1]
        above.append((values, heights - np.min([heights, *others], axis=0)))
    return above


def _at(values: np.ndarray, heights: np.ndarray, where: np.ndarray) -> np.ndarray:
    return _smooth(values, heights)(np.clip(where, values[0], values[-1]))


def _draw_branch(ax: Axes, branch: Branch, values: np.ndarray, heights: np.ndarray) -> None:
    """The pieces of one index each; where the index changes, the pieces share a point."""
    jumps = np.flatnonzero(np.diff(branch.indices)) + 1
    borders = [values[0] - 1.0, *branch.values[jumps], values[-1] + 1.0]
    for low, high, index in zip(borders, borders[1:], branch.indices[[0, *jumps]], strict=False):
        inner = (values > low) & (values < high)
        ends = [v for v in (low, high) if values[0] <= v <= values[-1]]
        x = np.sort(np.concatenate([values[inner], ends]))
        y = np.interp(x, values, heights)
        ax.plot(
            x,
            y,
            color=index_style(int(index)).colour,
            linewidth=1.8 if index == 0 else 1.2,
            linestyle="solid" if index == 0 else _DASHES,
            zorder=3 if index == 0 else 2,
            gid=f"branch {branch.id} index {index}",
        )


def _draw_criticals(ax: Axes, diagram: Diagram, curves: list[Curve], written: bool) -> set[str]:
    """Markers on the branches, dotted lines and numbers at the values; returns the kinds that there are."""
    kinds = set()
    for critical in diagram.criticals:
        kinds.add(critical.kind)
        for number in (*critical.through, *critical.ending)[:1]:
            values, heights = curves[number]
            style = {"marker": _MARKERS[critical.kind], "markersize": 4.5, "color": "white", "markeredgecolor": "black"}
            at = np.interp(critical.value, values, heights)
            ax.plot([critical.value], [at], linestyle="none", zorder=5, gid="critical", **style)
        ax.axvline(critical.value, color="0.75", linewidth=0.6, linestyle=(0.0, (1.0, 1.5)), zorder=1)
    if written:
        _write_values(ax, sorted({c.value for c in diagram.criticals}))
    for branch, (values, heights) in zip(diagram.branches, curves, strict=True):
        for end, place in zip(branch.ends, (0, -1), strict=True):
            if end.kind == "lost":
                kinds.add("lost")
                ax.plot([values[place]], [heights[place]], marker=_LOST, color="black", markersize=5.0, linestyle="none", zorder=5)
    return kinds


def _write_values(ax: Axes, values: list[float]) -> None:
    """Numbers above the axes, moved apart where they would overlap."""
    if not values:
        return
    low, high = ax.get_xlim()
    places = _apart(np.array(values), 0.032 * (high - low), low, high)
    transform = ax.get_xaxis_transform()
    for value, place in zip(values, places, strict=True):
        ax.plot([value, place], [1.0, 1.035], color="0.6", linewidth=0.6, transform=transform, clip_on=False, zorder=1)
        ax.text(place, 1.045, f"{value:.5g}", rotation=90, ha="center", va="bottom", fontsize=FONT - 1.5, transform=transform)
    ax.set_xlim(low, high)


def _apart(wished: np.ndarray, least: float, low: float, high: float) -> np.ndarray:
    """Rising places at least so far apart, near the wished ones; the whole is moved to fit between low and high if it can."""
    places = np.array(wished, dtype=float)
    for _ in range(200):
        gaps = least - np.diff(places)
        tight = gaps > 1e-9 * least
        if not tight.any():
            break
        push = np.where(tight, 0.5 * gaps, 0.0)
        places[:-1] -= push
        places[1:] += push
    return places + max(0.0, low - places[0]) - max(0.0, places[-1] - high)


def _write_names(ax: Axes, diagram: Diagram, curves: list[Curve], names: Mapping[int, str]) -> None:
    """Names at the ends of branches on the right, moved apart where they would overlap."""
    chosen = sorted((number for number in names if 0 <= number < len(curves)), key=lambda n: curves[n][1][-1])
    if not chosen:
        return
    low, high = ax.get_ylim()
    extent = ax.get_window_extent().height / ax.figure.dpi * 72.0 or 200.0
    places = _apart(np.array([curves[n][1][-1] for n in chosen]), 1.25 * FONT / extent * (high - low), low, high)
    right = max(curves[n][0][-1] for n in chosen)
    for number, place in zip(chosen, places, strict=True):
        values, heights = curves[number]
        at_right = values[-1] >= right - 1e-6 * abs(right)
        ax.annotate(
            names[number],
            (values[-1], heights[-1]),
            (1.02, place) if at_right else (4.0, 4.0),
            textcoords=ax.get_yaxis_transform() if at_right else "offset points",
            fontsize=FONT,
            color=index_style(int(diagram.branches[number].indices[-1])).colour,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": "0.7", "linewidth": 0.5, "shrinkA": 0.0, "shrinkB": 0.0} if at_right else None,
        )


def _draw_legend(ax: Axes, diagram: Diagram, kinds: set[str]) -> None:
    handles = []
    for index in sorted({int(i) for branch in diagram.branches for i in branch.indices}):
        dashes, text = ("solid", "index 0, stable") if index == 0 else (_DASHES, f"index {index}")
        width = 1.8 if index == 0 else 1.2
        handles.append(Line2D([], [], color=index_style(index).colour, linestyle=dashes, linewidth=width, label=text))
    for kind in (k for k in _MARKERS if k in kinds):
        label = _LABELS.get(kind, kind)
        handles.append(
            Line2D(
                [], [], linestyle="none", marker=_MARKERS[kind], markersize=4.5, color="white", markeredgecolor="black", label=label
            )
        )
    if "lost" in kinds:
        handles.append(Line2D([], [], linestyle="none", marker=_LOST, color="black", markersize=5.0, label="lost"))
    ax.legend(handles=handles, fontsize=FONT - 1, handlelength=2.6, framealpha=0.85, edgecolor="none")
