"""Pathway maps in a row: one scale, one level for each index, every landscape below its own title."""

import numpy as np
import pytest

from saddlescape.plotting import plot_pathways
from saddlescape.plotting.pathmap import GAP, PathwayMap
from saddlescape.plotting.pathways import side_by_side

from .test_pathway import assert_legible, caption_texts, frame_boxes


@pytest.fixture
def row(square):
    """A landscape without its states of index 2 and 3 between two whole ones."""
    small = square()
    small.nodes = [node for node in small.nodes if node.point.index in (0, 1, 4)]
    small.edges = [edge for edge in small.edges if {edge.parent, edge.child} <= {node.id for node in small.nodes}]
    return {"first": square(), "small": small, "last": square()}


def test_a_row_is_legible_with_its_titles_in_order(row):
    ax = plot_pathways(row)
    assert len(caption_texts(ax)) == len(frame_boxes(ax)) == 7 + 4 + 7
    assert_legible(ax)
    titles = [text for text in ax.texts if text.get_text() in row]
    assert [text.get_text() for text in titles] == list(row)
    assert np.all(np.diff([text.get_position()[0] for text in titles]) > 1.0)


def test_one_index_is_one_level_and_maps_keep_their_shape(row):
    parts = [PathwayMap.of(landscape, "index", False, "all") for landscape in row.values()]
    whole = side_by_side(parts, list(row))
    heights = {node.point.index: set() for node in whole.nodes}
    for node, (_, y) in zip(whole.nodes, whole.layout.positions, strict=True):
        heights[node.point.index].add(round(float(y), 9))
    assert all(len(found) == 1 for found in heights.values())
    levels = np.array([heights[index].pop() for index in sorted(heights)])
    np.testing.assert_allclose(np.diff(levels), parts[0].box[1] + GAP[1])
    first = 0
    for part, title in zip(parts, whole.titles, strict=True):
        own = whole.layout.positions[first : first + len(part.nodes), 0]
        np.testing.assert_allclose(own - title.left, part.layout.positions[:, 0] - part.bounds[0])
        assert (own > title.left).all() and (own < title.right).all()
        first += len(part.nodes)


def test_lines_join_the_nodes_they_joined(row):
    parts = [PathwayMap.of(landscape, "index", False, "all") for landscape in row.values()]
    whole = side_by_side(parts, list(row))
    half = whole.box[1] / 2
    assert len(whole.links) == sum(len(part.links) for part in parts)
    for link, route in zip(whole.links, whole.layout.routes, strict=True):
        upper, lower = whole.layout.positions[[link.upper, link.lower]]
        assert route[0, 1] == pytest.approx(upper[1] - half) and abs(route[0, 0] - upper[0]) <= 0.5
        assert route[-1, 1] == pytest.approx(lower[1] + half) and abs(route[-1, 0] - lower[0]) <= 0.5
    sorted_rows = sorted(node for level in whole.layout.rows for node in level)
    assert sorted_rows == list(range(len(whole.nodes)))


def test_what_cannot_stand_in_one_row_is_refused(square, wells):
    with pytest.raises(ValueError, match="landscapes: got none"):
        plot_pathways({})
    with pytest.raises(ValueError, match=r"'b': 'line'.*expected one kind"):
        plot_pathways({"a": square(), "b": square("line")})
    with pytest.raises(ValueError, match=r"'b': None.*attach\(model\)"):
        plot_pathways({"a": square(), "b": square(attached=False)})


def test_plain_vectors_are_discs_in_a_row_too(wells):
    ax = plot_pathways({"a": wells, "b": wells})
    assert len(caption_texts(ax)) == 6 and not ax.images
