"""Along which directions a point is left, how far, and to which index."""

from __future__ import annotations

import numpy as np
import pytest

from saddlescape import DownwardSearch, Symmetry, UpwardSearch, explore
from saddlescape.landscape.frontier import departures, stable_pairs_needed
from saddlescape.models import DoubleWells, ReducedLandauDeGennes
from saddlescape.results import StationaryPoint


def point(eigenvalues, x=None, nullity=0) -> StationaryPoint:
    """A point at x with the unit vectors as eigenvectors."""
    eigenvalues = np.array(eigenvalues, dtype=float)
    n = eigenvalues.size
    index = int((eigenvalues < 0.0).sum())
    x = np.arange(1.0, n + 1.0) if x is None else np.array(x, dtype=float)
    return StationaryPoint(x, 0.0, 0.0, index, nullity, eigenvalues, np.eye(n), np.zeros(n), "dense", 1e-9)


def left(at: StationaryPoint, *searches, symmetry=None, max_index=None) -> list[tuple]:
    """(kind, direction, sign, target) of each departure."""
    symmetry = Symmetry.generate(at.x.size) if symmetry is None else symmetry
    max_index = at.x.size if max_index is None else max_index
    return [(d.kind, d.direction, d.sign, d.target) for d in departures(at, searches, symmetry, 1.0, 1e-6, max_index)]


def test_downward_along_each_unstable_direction_both_ways():
    assert left(point([-2.0, -1.0, 3.0]), DownwardSearch()) == [
        ("down", 0, 1, 1),
        ("down", 0, -1, 1),
        ("down", 1, 1, 1),
        ("down", 1, -1, 1),
    ]


def test_saddles_of_index_1_are_quenched():
    assert left(point([-2.0, 1.0]), DownwardSearch()) == [("quench", 0, 1, 0), ("quench", 0, -1, 0)]


def test_minima_are_not_left_downward():
    assert left(point([1.0, 2.0]), DownwardSearch(gap=5)) == []


def test_a_gap_asks_for_the_next_lower_indices():
    assert [d[3] for d in left(point([-3.0, -2.0, -1.0]), DownwardSearch(gap=2))] == [2] * 6 + [1] * 6
    assert [d[3] for d in left(point([-3.0, -2.0, -1.0]), DownwardSearch(gap=9))] == [2] * 6 + [1] * 6 + [0] * 6
    # Only an index-1 saddle is quenched: the others move by the method to index 0.
    assert {d[0] for d in left(point([-3.0, -2.0, -1.0]), DownwardSearch(gap=9))} == {"down"}


def test_max_index_bounds_the_targets():
    at = point([-4.0, -3.0, -2.0, -1.0])
    assert {d[3] for d in left(at, DownwardSearch(), max_index=1)} == {1}
    assert {d[3] for d in left(at, DownwardSearch(gap=2), max_index=2)} == {2, 1}
    assert left(point([-1.0, 1.0, 2.0]), UpwardSearch(), max_index=1) == []
    assert {d[3] for d in left(point([-1.0, 1.0, 2.0]), UpwardSearch(), max_index=2)} == {2}


def test_upward_along_the_softest_stable_directions_past_the_zero_modes():
    at = point([-1.0, 0.0, 0.5, 1.0, 2.0], nullity=1)
    symmetry = Symmetry.generate(5)
    found = departures(at, (UpwardSearch(directions=2),), symmetry, 1.0, 1e-6, 5)
    assert [(d.kind, d.direction, d.sign, d.target) for d in found] == [
        ("up", 0, 1, 2),
        ("up", 0, -1, 2),
        ("up", 1, 1, 2),
        ("up", 1, -1, 2),
    ]
    assert [int(np.flatnonzero(d.coefficients)[0]) for d in found] == [2, 2, 3, 3]
    assert len(left(point([1.0, 2.0]), UpwardSearch(directions=7))) == 4  # there are no more directions than unknowns


def test_downward_comes_before_upward():
    kinds = [d[0] for d in left(point([-1.0, 1.0]), DownwardSearch(), UpwardSearch())]
    assert kinds == ["quench"] * 2 + ["up"] * 2
    assert left(point([-1.0, 1.0])) == []


def test_a_direction_that_a_symmetry_reverses_is_searched_one_way():
    # x2 -> -x2 fixes (1, 0) and turns the second unit vector around.
    flip = Symmetry.generate(2, [([0, 1], [1.0, -1.0])])
    found = departures(point([-2.0, -1.0], x=(1.0, 0.0)), (DownwardSearch(),), flip, 1.0, 1e-6, 2)
    assert [(d.direction, d.sign) for d in found] == [(0, 1), (0, -1), (1, 1)]
    assert [d.mirror is None for d in found] == [True, True, False]
    assert np.array_equal(flip.apply(found[2].mirror, np.array([0.0, 1.0])), [0.0, -1.0])
    # Away from the mirror line it does not fix the point.
    assert len(left(point([-2.0, -1.0], x=(1.0, 0.3)), DownwardSearch(), symmetry=flip)) == 4


def test_equivalent_directions_of_a_multiple_eigenvalue_are_searched_once():
    """At the centre of the square the double eigenvalue has two kinds of directions: along the sides and along the diagonals."""
    square = Symmetry.generate(2, [([1, 0], 1.0), ([0, 1], [-1.0, 1.0])])
    found = departures(point([-1.0, -1.0], x=(0.0, 0.0)), (DownwardSearch(),), square, 1.0, 1e-6, 2)
    assert all(d.sign == 1 and d.mirror is not None for d in found)
    directions = sorted(tuple(np.sort(np.abs(d.coefficients)).round(12)) for d in found)
    assert directions == [(0.0, 1.0), (round(0.5**0.5, 12), round(0.5**0.5, 12))]


def test_stable_pairs_that_the_searches_need():
    assert stable_pairs_needed((DownwardSearch(),)) == 1
    assert stable_pairs_needed((DownwardSearch(), UpwardSearch(directions=4))) == 4


def test_the_default_finds_the_equal_wells_whose_unstable_eigenvalues_are_multiple():
    landscape = explore(DoubleWells((1.0, 1.0, 1.0)))
    assert landscape.index_counts() == {0: 8, 1: 12, 2: 6, 3: 1}


def test_the_wors_is_left_by_fewer_searches_than_directions():
    """Symmetry saves work: far fewer searches than 25 points have unstable directions, both ways."""
    landscape = explore(ReducedLandauDeGennes(17, 30.0))
    everything = sum(2 * point.index * point.orbit_size for point in landscape.points)
    assert len(landscape.searches) < everything / 2


@pytest.mark.parametrize("gap", [1, 2])
def test_every_task_is_made_exactly_once(gap):
    landscape = explore(DoubleWells((1.0, 1.3, 0.7)), searches=[DownwardSearch(gap=gap)])
    keys = [(s.task.parent, s.task.direction, s.task.sign, s.task.target) for s in landscape.searches if s.task.parent >= 0]
    expected = [
        (node.id, direction, sign, target)
        for node in landscape.nodes
        for target in range(node.point.index - 1, max(node.point.index - gap, 0) - 1, -1)
        for direction in range(node.point.index)
        for sign in (1, -1)
    ]
    assert sorted(keys) == sorted(expected)
