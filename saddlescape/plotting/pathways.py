"""Several pathway maps in a row, to one scale: how a landscape grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from .layout import Layout
from .pathmap import GAP, PathwayMap, Title
from .pathway import add_map_axes, draw_map, figure_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..landscape.landscape import Landscape


def plot_pathways(
    landscapes: Mapping[str, Landscape],
    ax: Axes | None = None,
    *,
    edges: str = "all",
    colorbar: bool = True,
    legend: bool = True,
) -> Axes:
    """Pathway maps side by side, such as those of one model at several values of a parameter.

    Pictures have one size and one colour scale, and states of one Morse index stand on one level.

    Parameters
    ----------
    landscapes : mapping of str to Landscape
        From left to right, by what is written below each; their states are of one kind.
    ax : Axes, optional
        Where to draw. Default: the axes of a new figure, whose size follows from the maps.
    edges, colorbar, legend
        As in `plot_pathway`.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there is no landscape, one is empty, their states are not of one kind, or an option is unknown.
    """
    if not landscapes:
        raise ValueError("landscapes: got none, expected a mapping of titles to landscapes")
    scenes = [PathwayMap.of(landscape, "index", False, edges) for landscape in landscapes.values()]
    kinds = {title: scene.states[0]["kind"] if scene.states else None for title, scene in zip(landscapes, scenes, strict=True)}
    if len(set(kinds.values())) > 1:
        raise ValueError(
            f"landscapes: got states of the kinds {kinds}, expected one kind; where the model is not at hand (None), "
            "landscape.attach(model) gives it back"
        )
    scene = side_by_side(scenes, list(landscapes))
    if ax is None:
        ax = add_map_axes(Figure(figsize=figure_size(scene, colorbar, legend)), scene, colorbar, legend)
    return draw_map(scene, ax, colorbar, legend)


def side_by_side(scenes: Sequence[PathwayMap], texts: Sequence[str]) -> PathwayMap:
    """One map of several in levels by index, each with a title below."""
    levels = [_levels(scene) for scene in scenes]
    common = sorted({level for own in levels for level in own}, key=lambda level: (-level[0], level[1]))
    pitch = scenes[0].box[1] + GAP[1]
    height = {level: -number * pitch for number, level in enumerate(common)}
    firsts = [0, *accumulate(len(scene.nodes) for scene in scenes)]
    edges = [0.0, *accumulate(scene.bounds[1] - scene.bounds[0] for scene in scenes)]

    positions, routes, links = [], [], []
    rows: dict[tuple[int, int], list[int]] = {level: [] for level in common}
    for scene, own, first, left in zip(scenes, levels, firsts, edges, strict=False):
        before = np.array([scene.layout.positions[row[0], 1] for row in scene.layout.rows])
        after = np.array([height[level] for level in own])

        def moved(points: np.ndarray, before=before, after=after, shift=left - scene.bounds[0]) -> np.ndarray:
            nearest = np.abs(points[:, 1:] - before).argmin(axis=1)
            return points + np.column_stack([np.full(len(points), shift), (after - before)[nearest]])

        positions.append(moved(scene.layout.positions))
        routes += [moved(route) for route in scene.layout.routes]
        links += [replace(link, upper=link.upper + first, lower=link.lower + first) for link in scene.links]
        for level, row in zip(own, scene.layout.rows, strict=True):
            rows[level] += [node + first for node in row]

    return replace(
        scenes[0],
        nodes=[node for scene in scenes for node in scene.nodes],
        captions=[text for scene in scenes for text in scene.captions],
        states=[fields for scene in scenes for fields in scene.states] if scenes[0].states else None,
        links=links,
        layout=Layout(np.concatenate(positions), tuple(routes), tuple(tuple(rows[level]) for level in common)),
        note=next((scene.note for scene in scenes if scene.note), ""),
        titles=tuple(Title(text, left, right) for text, left, right in zip(texts, edges, edges[1:], strict=False)),
    )


def _levels(scene: PathwayMap) -> list[tuple[int, int]]:
    """The index of each row, and which of the rows of that index it is."""
    indices = [scene.nodes[row[0]].point.index for row in scene.layout.rows]
    return [(index, indices[:number].count(index)) for number, index in enumerate(indices)]
