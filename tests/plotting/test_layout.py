"""Positions of the nodes of a pathway map: no overlaps, few crossings, edges beside nodes, the same every time."""

from itertools import combinations

import numpy as np
import pytest
from scipy.optimize import isotonic_regression

from saddlescape.plotting.heights import height_layout, hits_box
from saddlescape.plotting.layout import BOX, GAP, crossings, layered_layout, separated


def random_graph(seed: int, counts: tuple[int, ...]) -> tuple[list[int], list[tuple[int, int]]]:
    """Levels 0, 1, ... of the sizes given; every node joined to two nodes of the next level and one of any lower one."""
    rng = np.random.default_rng(seed)
    levels = [level for level, count in enumerate(counts) for _ in range(count)]
    edges = set()
    for v, level in enumerate(levels):
        below = [w for w, other in enumerate(levels) if other == level - 1]
        lower = [w for w, other in enumerate(levels) if other < level]
        if lower:
            edges |= {(v, int(w)) for w in [*rng.choice(below, min(2, len(below)), replace=False), rng.choice(lower)]}
    return levels, sorted(edges)


def assert_no_overlap(positions: np.ndarray) -> None:
    for a, b in combinations(positions, 2):
        assert (np.abs(a - b) >= np.array(BOX) - 1e-9).any()


COUNTS = [(1,), (2, 1), (6, 8, 6, 4, 1), (2, 2, 1, 2, 1), (25, 12, 3), (1, 0, 3)]


@pytest.mark.parametrize("counts", COUNTS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_layered_boxes_do_not_overlap_and_no_edge_runs_through_a_node(counts, seed):
    levels, edges = random_graph(seed, tuple(c for c in counts if c))
    layout = layered_layout(levels, edges)
    assert_no_overlap(layout.positions)
    assert sorted(v for row in layout.rows for v in row) == list(range(len(levels)))
    for (upper, lower), route in zip(edges, layout.routes, strict=True):
        # Ends are attached to the lower side of the upper node and the upper side of the lower one.
        np.testing.assert_allclose(route[[0, -1], 1], layout.positions[[upper, lower], 1] + np.array([-0.5, 0.5]) * BOX[1])
        assert (np.abs(route[[0, -1], 0] - layout.positions[[upper, lower], 0]) <= BOX[0] / 2).all()
        others = np.delete(layout.positions, [upper, lower], axis=0)
        assert not hits_box(route[:-1, None], route[1:, None], others, BOX).any()


def test_levels_are_stacked_with_the_highest_on_top():
    levels, edges = random_graph(3, (6, 8, 6, 4, 1))
    y = layered_layout(levels, edges).positions[:, 1]
    for a, b in combinations(range(len(levels)), 2):
        assert np.sign(y[a] - y[b]) == np.sign(levels[a] - levels[b])


def test_layouts_are_deterministic():
    levels, edges = random_graph(4, (6, 8, 6, 4, 1))
    first, second = layered_layout(levels, edges), layered_layout(levels, edges)
    np.testing.assert_array_equal(first.positions, second.positions)
    heights = np.array(levels) * 1.1
    np.testing.assert_array_equal(height_layout(heights, edges).positions, height_layout(heights, edges).positions)


def test_a_wide_level_is_wrapped_into_two_rows():
    levels, edges = random_graph(5, (18, 4))
    rows = layered_layout(levels, edges, widest=10).rows
    assert [len(row) for row in rows] == [4, 9, 9]


@pytest.mark.parametrize("seed", range(5))
def test_a_forest_given_in_any_order_is_drawn_without_crossings(seed):
    # Three trees of depth two, their nodes shuffled within each level.
    rng = np.random.default_rng(seed)
    middle, leaves = rng.permutation(6) + 3, rng.permutation(12) + 9
    levels = [2] * 3 + [1] * 6 + [0] * 12
    edges = [(i // 2, int(m)) for i, m in enumerate(middle)] + [(int(middle[i // 2]), int(w)) for i, w in enumerate(leaves)]
    layout = layered_layout(levels, edges, widest=12)
    below = [[b for a, b in edges if a == v] for v in range(21)]
    assert crossings([list(range(3)), list(range(3, 9)), list(range(9, 21))], below) > 0
    assert crossings(layout.rows, below) == 0


@pytest.mark.parametrize("seed", range(3))
def test_crossings_are_counted_as_by_their_definition(seed):
    rng = np.random.default_rng(seed)
    upper, lower = list(range(6)), list(rng.permutation(7) + 6)
    below = [sorted(int(w) for w in rng.choice(lower, 3, replace=False)) for _ in upper]
    place = {int(v): i for i, v in enumerate(lower)}
    segments = [(a, place[b]) for a in upper for b in below[a]]
    expected = sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(segments, 2))
    assert crossings([upper, lower], below) == expected


def test_the_order_of_a_dense_graph_has_fewer_crossings_than_the_given_one():
    levels, edges = random_graph(6, (10, 10))
    below = [[b for a, b in edges if a == v] for v in range(20)]
    given = crossings([list(range(10, 20)), list(range(10))], below)
    assert crossings(layered_layout(levels, edges).rows, below) < given / 2


def test_separated_positions_are_the_projection_onto_the_constraints():
    np.testing.assert_allclose(separated(np.zeros(2), np.ones(1)), [-0.5, 0.5])
    rng = np.random.default_rng(7)
    wish, apart = rng.normal(size=20), rng.uniform(0, 0.3, 19)
    offset = np.concatenate([[0.0], np.cumsum(apart)])
    np.testing.assert_allclose(separated(wish, apart), isotonic_regression(wish - offset).x + offset, atol=1e-12)


@pytest.mark.parametrize("edges", [[(0, 2)], [(-1, 0)]])
def test_an_edge_to_a_node_that_is_not_there_is_refused(edges):
    with pytest.raises(ValueError, match="expected pairs of node numbers from 0 to 1"):
        layered_layout([1, 0], edges)


def test_an_edge_upwards_is_refused():
    with pytest.raises(ValueError, match="give the upper node first"):
        layered_layout([0, 1], [(0, 1)])


def test_an_edge_within_a_level_is_drawn_straight():
    layout = layered_layout([0, 0], [(0, 1)])
    np.testing.assert_array_equal(layout.routes[0], layout.positions)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_given_heights_are_kept_and_boxes_do_not_overlap(seed):
    levels, edges = random_graph(seed, (6, 8, 6, 4, 1))
    heights = np.random.default_rng(seed).normal(levels, 0.4) * 1.5
    layout = height_layout(heights, edges)
    np.testing.assert_array_equal(layout.positions[:, 1], heights)
    assert_no_overlap(layout.positions)
    assert layout.positions[:, 0].min() == pytest.approx(-layout.positions[:, 0].max())
    for (a, b), route in zip(edges, layout.routes, strict=True):
        np.testing.assert_allclose(route[[0, -1]], layout.positions[[a, b]], atol=1e-12)


def test_edges_end_where_they_are_attached():
    layout = height_layout([0.0, 3.0], [(1, 0)], attach=0.2)
    np.testing.assert_allclose(layout.routes[0][[0, -1]], [[0.0, 3.2], [0.0, 0.2]])


def test_a_line_bends_around_a_node_in_its_way():
    # Three nodes of one height side by side: wherever the middle one stands, the outer two are joined around it.
    layout = height_layout([0.0, 0.0, 0.0], [(0, 1), (1, 2), (0, 2)])
    middle = int(np.argsort(layout.positions[:, 0])[1])
    around = next(r for (a, b), r in zip([(0, 1), (1, 2), (0, 2)], layout.routes, strict=True) if middle not in (a, b))
    assert not (np.abs(around - layout.positions[middle]) < np.array(BOX) / 2).all(axis=1).any()
    assert np.ptp(around[:, 1]) > BOX[1] / 2


@pytest.mark.parametrize(
    ("start", "end", "hit"),
    [
        ((-2, 0), (2, 0), True),
        ((-2, 0), (-1, 0), False),
        ((-2, 2), (2, 2), False),
        ((0, -2), (0, 2), True),
        ((-2, 1.6), (1.6, -2), True),
        ((0.6, -2), (0.6, 2), False),
    ],
)
def test_lines_and_boxes(start, end, hit):
    assert hits_box(np.array(start, float), np.array(end, float), np.zeros(2), (1.0, 1.0)) == hit


def test_an_empty_graph_has_an_empty_layout():
    layout = layered_layout([], [])
    assert layout.positions.shape == (0, 2) and layout.rows == () and GAP[0] > 0
