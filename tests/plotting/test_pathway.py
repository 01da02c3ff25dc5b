"""The pathway map: every node is there, nothing overlaps, lines say what was seen."""

import subprocess
import sys
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from saddlescape.plotting import plot_pathway
from saddlescape.plotting.links import route_path
from saddlescape.plotting.pathmap import Link, PathwayMap, captions, merge_edges
from saddlescape.plotting.style import index_style


def collection(ax, label):
    return next(c for c in ax.collections if c.get_label() == label)


def caption_texts(ax) -> list[Text]:
    return [text for text in ax.texts if "ΔE" in text.get_text()]


def frame_boxes(ax) -> list[Bbox]:
    return [path.get_extents(ax.transData) for path in collection(ax, "frames").get_paths()]


def overlap(a: Bbox, b: Bbox) -> bool:
    # Half a pixel of rounding is no overlap.
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 0.5 and min(a.y1, b.y1) - max(a.y0, b.y0) > 0.5


def assert_legible(ax) -> None:
    """No picture or caption covers another, and all lie inside the figure."""
    ax.figure.draw_without_rendering()
    boxes = frame_boxes(ax) + [text.get_window_extent() for text in caption_texts(ax)]
    for a, b in combinations(boxes, 2):
        assert not overlap(a, b)
    whole = ax.figure.bbox
    for box in [*boxes, *(text.get_window_extent() for text in ax.texts), ax.get_legend().get_window_extent()]:
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1 and whole.y0 <= box.y0 and box.y1 <= whole.y1


@pytest.mark.parametrize("vertical", ["index", "energy"])
@pytest.mark.parametrize("kind", ["director", "scalar", "line"])
def test_every_node_is_drawn_as_its_state_and_nothing_overlaps(square, kind, vertical):
    ax = plot_pathway(square(kind), vertical=vertical)
    assert len(caption_texts(ax)) == len(frame_boxes(ax)) == 7
    if kind == "line":
        curves = [c for c in ax.collections if isinstance(c, LineCollection) and len(c.get_segments()) == 7]
        assert curves
    else:
        assert len(ax.images) == 7
    assert_legible(ax)


@pytest.mark.parametrize("vertical", ["index", "energy"])
def test_a_landscape_of_25_states_is_legible(spread, vertical):
    ax = plot_pathway(spread, vertical=vertical)
    assert len(ax.images) == len(caption_texts(ax)) == 25
    assert min(text.get_fontsize() for text in caption_texts(ax)) > 5.5
    assert_legible(ax)


def test_images_lie_exactly_in_their_frames(square):
    ax = plot_pathway(square())
    for image, path in zip(ax.images, collection(ax, "frames").get_paths(), strict=True):
        np.testing.assert_allclose(path.get_extents(ax.transData).extents, image.get_window_extent().extents, rtol=1e-9)


def test_given_axes_are_used_and_their_figure_keeps_its_size(square):
    figure = Figure(figsize=(5.0, 8.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    assert plot_pathway(square(), left) is left
    figure.draw_without_rendering()
    assert not right.has_data() and tuple(figure.get_size_inches()) == (5.0, 8.0)
    boxes = frame_boxes(left) + [text.get_window_extent() for text in caption_texts(left)]
    assert not any(overlap(a, b) for a, b in combinations(boxes, 2))


def test_frames_have_the_colour_of_the_index(square):
    ax = plot_pathway(square())
    from matplotlib.colors import to_rgba

    indices = sorted(
        (energy, index) for index, energy in ((4, 4.3438), (3, 3.8543), (2, 3.6882), (2, 2.3199), (1, 2.0101), (0, 2.0063), (0, 0))
    )
    expected = [to_rgba(index_style(index).colour) for _, index in indices]
    np.testing.assert_array_equal(collection(ax, "frames").get_edgecolors(), expected)


def test_heights_are_proportional_to_energy(square):
    landscape = square()
    scene = PathwayMap.of(landscape, "energy", False, "all")
    energies = np.array([node.point.energy for node in scene.nodes])
    heights = scene.pictures[:, 1]
    np.testing.assert_allclose(heights - heights[0], scene.per_energy * (energies - energies[0]), atol=1e-12)
    ax = plot_pathway(landscape, vertical="energy")
    for tick, label in zip(ax.get_yticks(), ax.get_yticklabels(), strict=True):
        assert (tick - heights[0]) / scene.per_energy == pytest.approx(float(label.get_text()), abs=1e-6)


def test_levels_are_labelled_from_the_highest_index_down(square):
    ax = plot_pathway(square())
    heights = ax.get_yticks()
    assert [label.get_text() for label in ax.get_yticklabels()] == [f"index {k}" for k in (4, 3, 2, 1, 0)]
    assert (np.diff(heights) < 0).all()


def test_parallel_edges_are_one_line_with_their_number(square):
    landscape = square()
    links = merge_edges(landscape, landscape.nodes, "all")
    assert Link(0, 1, "down", 2) in links and Link(4, 5, "quench", 1) in links and len(links) == 13
    counted = [text for text in plot_pathway(landscape).texts if text.get_text() == "2" and text.get_bbox_patch() is not None]
    assert len(counted) == 2


@pytest.mark.parametrize("expand", [False, True])
@pytest.mark.parametrize("vertical", ["index", "energy"])
def test_a_number_stands_on_its_own_line_alone(square, spread, vertical, expand):
    landscape = spread if expand else square()
    landscape.edges += [replace(edge, key=100 + edge.key) for edge in landscape.edges]
    scene = PathwayMap.of(landscape, vertical, False, "all")
    ax = plot_pathway(landscape, vertical=vertical)
    ax.figure.draw_without_rendering()
    paths = [route_path(route, vertical == "index").transformed(ax.transData) for route in scene.layout.routes]
    hits = []
    for text in ax.texts:
        if text.get_text().isdecimal() and text.get_bbox_patch() is not None:
            box = text.get_window_extent()
            hits.append(sum(path.intersects_bbox(box, filled=False) for path in paths))
    assert len(hits) == len(scene.links) and min(hits) == 1
    # Bundles of lines from one picture to its neighbours leave no other place.
    assert np.mean(np.array(hits) > 1) <= 0.1 * expand


def test_the_strongest_kind_names_the_line(wells):
    landscape = wells
    landscape.edges.append(replace(landscape.edges[0], kind="up", key=7))
    assert merge_edges(landscape, landscape.nodes, "all")[0] == Link(0, 1, "quench", 2)


def test_edges_down_leaves_out_what_only_an_upward_search_saw(square):
    assert len(collection(plot_pathway(square()), "links up").get_paths()) == 1
    ax = plot_pathway(square(), edges="down")
    assert len(collection(ax, "links up").get_paths()) == 0
    assert "upward search" not in [text.get_text() for text in ax.get_legend().get_texts()]


def test_captions_say_id_orbit_nullity_and_energy_above_the_lowest(square):
    nodes = square().nodes
    nodes[3] = replace(nodes[3], point=replace(nodes[3].point, nullity=1))
    texts = captions(nodes, [None, "BD", *[None] * 5])
    assert texts[3] == "#3 ×2 null. 1\nΔE 2.32"
    assert texts[0] == "#0\nΔE 4.344"
    assert texts[1] == "#1 BD ×4\nΔE 3.854"
    assert texts[6] == "#6 ×2\nΔE 0"


def test_names_follow_their_states(square, monkeypatch):
    landscape = square()
    monkeypatch.setattr(type(landscape.model), "state_name", lambda model, x: f"S{x[0]:.3f}", raising=False)
    ax = plot_pathway(landscape)
    for node in landscape.nodes:
        (text,) = (text.get_text() for text in caption_texts(ax) if text.get_text().startswith(f"#{node.id} "))
        assert f"S{node.point.x[0]:.3f}" in text


def test_round_off_in_the_energy_is_not_shown(wells):
    nodes = [
        replace(n, point=replace(n.point, energy=n.point.energy + shift))
        for n, shift in zip(wells.nodes, (0, 0, 1e-15), strict=True)
    ]
    assert captions(nodes, [None] * 3)[2].endswith("ΔE 0")


def test_without_its_model_a_landscape_is_drawn_as_discs_and_says_so(square):
    ax = plot_pathway(square(attached=False))
    assert not ax.images and len(caption_texts(ax)) == 7
    assert "attach(model)" in ax.get_legend().get_title().get_text()
    ax.figure.draw_without_rendering()
    extents = [text.get_window_extent() for text in caption_texts(ax)]
    assert not any(overlap(a, b) for a, b in combinations(extents, 2))
    box = ax.get_legend().get_window_extent()
    assert ax.figure.bbox.x0 <= box.x0 and box.x1 <= ax.figure.bbox.x1 and box.y0 >= ax.figure.bbox.y0


def test_plain_vectors_are_discs_without_a_note(wells):
    legend = plot_pathway(wells).get_legend()
    assert legend.get_title().get_text() == "" and [t.get_text() for t in legend.get_texts()] == ["gradient flow"]


def test_expand_draws_the_expanded_landscape(square, spread):
    landscape = square()
    landscape.expand = lambda: spread
    assert len(plot_pathway(landscape, expand=True).images) == 25


def test_equal_energies_can_be_drawn_by_energy(wells):
    wells.nodes = wells.nodes[1:]
    wells.edges = []
    ax = plot_pathway(wells, vertical="energy")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0"] and ax.get_legend() is not None


def test_an_empty_landscape_is_refused(empty):
    with pytest.raises(ValueError, match="no nodes yet"):
        plot_pathway(empty)


@pytest.mark.parametrize("option", [{"vertical": "Index"}, {"edges": "up"}])
def test_an_unknown_choice_is_refused(square, option):
    with pytest.raises(ValueError, match="expected one of"):
        plot_pathway(square(), **option)


def test_an_unknown_keyword_is_refused(square):
    with pytest.raises(TypeError, match="colour"):
        plot_pathway(square(), colour="red")


def test_importing_plotting_needs_no_pyplot():
    code = "import sys, saddlescape.plotting; assert 'matplotlib.pyplot' not in sys.modules and 'h5py' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
