"""Landscapes that are known exactly, nodes and edges."""

from __future__ import annotations

from itertools import product
from math import comb

import numpy as np
import pytest

from saddlescape import DownwardSearch, Landscape, Status, explore, load_model
from saddlescape.models import Butterfly, ChafeeInfante, DoubleWells, ModifiedRosenbrock, MuellerBrown, PhaseField
from saddlescape.models.known import known_landscape, known_points


def numbered(landscape: Landscape, places: list, tolerance: float = 1e-8) -> list[int]:
    """The node at each place, (n,) each; fails unless nodes and places pair off."""
    points = np.array([point.x for point in landscape.points])
    found = []
    for place in places:
        distances = np.abs(points - np.asarray(place)).max(axis=1)
        assert distances.min() <= tolerance, f"no node at {place}, the nearest is {distances.min():.1e} away"
        found.append(int(distances.argmin()))
    assert sorted(found) == list(range(len(points)))
    return found


def exact(name: str) -> list[dict]:
    """The stationary points of a model to all digits, with energy and index."""
    return known_points(name)


# --- in the plane ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["MuellerBrown", "ModifiedMuellerBrown", "ArctanWells", "HenonHeiles", "Butterfly"])
def test_known_points_are_found_from_the_default_start_by_searching_upward(name):
    known = known_landscape(name)
    landscape = explore(load_model(name, known["parameters"]), upward=True).expand()
    points = exact(name)
    for number, point in zip(numbered(landscape, [p["x"] for p in points]), points, strict=True):
        found = landscape.points[number]
        assert found.index == point["index"] and found.nullity == 0
        assert found.energy == pytest.approx(point["energy"], rel=1e-12, abs=1e-13)
    assert landscape.completeness().applicable == (landscape.info.coercive is True)


def test_mueller_brown_is_connected_as_it_is_known_to_be():
    landscape = explore(MuellerBrown(), upward=True)
    places = [(-0.55822363, 1.44172584), (0.6234994, 0.02803776), (-0.05001082, 0.4666941)]
    places += [(-0.82200156, 0.6243128), (0.21248658, 0.29298833)]
    left, right, middle, high, low = numbered(landscape, places, 2e-8)  # published to eight digits
    assert landscape.minima() == [left, right, middle]
    assert landscape.saddles(1) == [low, high]
    for saddle, ends in ((high, {left, middle}), (low, {middle, right})):
        quenches = [edge for edge in landscape.edges if edge.kind.startswith("quench") and edge.parent == saddle]
        assert {edge.child for edge in quenches} == ends
        assert sorted(edge.kind for edge in quenches) == ["quench+", "quench-"]
        assert set(landscape.children(saddle)) == ends
    assert landscape.barrier(left, middle) == landscape.barrier(left, right) == landscape.points[high].energy
    assert landscape.barrier(middle, right) == landscape.points[low].energy


def test_the_butterfly_from_its_maximum_alone():
    folded = explore(Butterfly())
    landscape = folded.expand()
    assert folded.index_counts() == landscape.index_counts() == {0: 4, 1: 4, 2: 1}
    assert len(folded.nodes) == 6 and len(landscape.nodes) == 9
    upper, lower, side = (2.0303468, 2.40074442), (1.27194472, -0.63357011), (0.95812931, 0.37568283)

    def mirrored(place):
        return (-place[0], place[1])

    places = [(0.0, 0.5), (0.0, 0.0), (0.0, 1.0), side, mirrored(side), upper, mirrored(upper), lower, mirrored(lower)]
    top, origin, one, right, left, upper_right, upper_left, lower_right, lower_left = numbered(landscape, places, 1e-8)
    expected = {(top, saddle) for saddle in (origin, one, right, left)}
    expected |= {(one, upper_right), (one, upper_left), (origin, lower_right), (origin, lower_left)}
    expected |= {(right, upper_right), (right, lower_right), (left, upper_left), (left, lower_left)}
    pairs = [(edge.parent, edge.child) for edge in landscape.edges]
    assert len(pairs) == len(set(pairs)) and set(pairs) == expected
    assert landscape.barrier(upper_right, lower_right) == pytest.approx(landscape.model.energy(landscape.points[right].x))
    assert landscape.barrier(upper_left, lower_right) == pytest.approx(0.0, abs=1e-14)


# --- double wells ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [2, 3, 4, pytest.param(5, marks=pytest.mark.slow), pytest.param(6, marks=pytest.mark.slow)])
def test_double_wells(d):
    landscape = explore(DoubleWells(1.0 + 0.37 * np.arange(d)))
    assert landscape.index_counts() == {k: comb(d, k) * 2 ** (d - k) for k in range(d + 1)}
    places = list(product((-1, 0, 1), repeat=d))
    number = dict(zip(places, numbered(landscape, places, 1e-12), strict=True))
    expected = set()
    for place in places:
        assert landscape.points[number[place]].index == place.count(0)
        for j in range(d):
            if place[j] == 0:
                expected |= {(number[place], number[(*place[:j], side, *place[j + 1 :])]) for side in (-1, 1)}
    pairs = [(edge.parent, edge.child) for edge in landscape.edges]
    assert len(pairs) == len(set(pairs)) == d * 2 * 3 ** (d - 1)
    assert set(pairs) == expected


# --- Chafee-Infante -------------------------------------------------------------------------------------------------------


def interior_zeros(u: np.ndarray) -> int:
    """Sign changes of u (n,) inside the interval."""
    return int(np.count_nonzero(u[1:] * u[:-1] < 0.0))


# n and lam, n^2 < lam < (n + 1)^2. Beside eigenvalues of 60 and more some here are as small as 0.001: interfaces move
# exponentially slowly.
MIDDLE = [(n, n * (n + 1.0)) for n in (1, 2, 3, 4, 5)]
SLOW_INTERFACES = [pytest.param(6, lam, marks=pytest.mark.slow) for lam in (36.2, 39.0, 42.0, 48.0)]


def chafee_infante(n: int, lam: float, gap: int) -> Landscape:
    """The landscape, expanded, its points checked against the theorem of Chafee and Infante."""
    landscape = explore(ChafeeInfante(63, lam), searches=[DownwardSearch(gap=gap)]).expand()
    assert landscape.index_counts() == {**{k: 2 for k in range(n)}, n: 1}
    for point in landscape.points:
        assert point.nullity == 0
        if point.index < n:
            assert interior_zeros(point.x) == point.index
        else:
            assert np.abs(point.x).max() == 0.0
    return landscape


@pytest.mark.parametrize(("n", "lam"), [*MIDDLE, *SLOW_INTERFACES])
def test_chafee_infante_has_every_connection_between_neighbours(n, lam, joined):
    landscape = chafee_infante(n, lam, gap=1)
    index = [point.index for point in landscape.points]
    neighbours = {(i, j) for i, j in product(range(2 * n + 1), repeat=2) if index[i] - index[j] == 1}
    assert neighbours - joined(landscape) == set()
    # Henry: u_j is connected to every +-u_i with i < j, 0 to all, and nothing else is.
    assert all(index[i] > index[j] for i, j in joined(landscape))


@pytest.mark.parametrize(("n", "lam"), [*MIDDLE[1:4], pytest.param(*MIDDLE[4], marks=pytest.mark.slow), SLOW_INTERFACES[0]])
def test_chafee_infante_has_every_connection_with_larger_gaps(n, lam, joined):
    landscape = chafee_infante(n, lam, gap=n)
    index = [point.index for point in landscape.points]
    assert joined(landscape) == {(i, j) for i, j in product(range(2 * n + 1), repeat=2) if index[i] > index[j]}


# --- fields ---------------------------------------------------------------------------------------------------------------


def test_phase_field_modulo_translation(joined):
    landscape = explore(PhaseField(64, 0.02))
    expanded = landscape.expand()
    assert landscape.index_counts() == expanded.index_counts() == {0: 2, 1: 2, 2: 1, 5: 1}
    assert len(expanded.nodes) == 6
    by_index = sorted((p.index, p.nullity, p.orbit_dimension, round(p.energy, 8)) for p in expanded.points)
    assert by_index == [
        (0, 0, 0, 0.0), (0, 0, 0, 0.0), (1, 1, 1, 0.24252057), (1, 1, 1, 0.24252057), (2, 2, 2, 0.24490347), (5, 0, 0, 0.25)
    ]  # fmt: skip
    # chi of circles and tori is 0: two minima and a point of odd index.
    assert landscape.euler_characteristic() == expanded.euler_characteristic() == 1
    assert landscape.completeness().applicable
    for saddle in expanded.saddles(1):
        assert set(expanded.children(saddle)) == set(expanded.minima())
    assert set(expanded.children(expanded.saddles(2)[0])) >= set(expanded.saddles(1))
    assert expanded.barrier(*expanded.minima()) == pytest.approx(0.24252057, abs=5e-9)


def test_modified_rosenbrock_in_a_thousand_dimensions():
    strength = np.ones(1000)
    strength[:5] = -5e4
    start = 1.0 + 0.1 * np.random.default_rng(3).standard_normal(1000)
    landscape = explore(ModifiedRosenbrock(strength), start, callback=lambda landscape, search: True)
    assert [search.result.status for search in landscape.searches] == [Status.CONVERGED]
    point = landscape.points[0]
    assert np.abs(point.x - 1.0).max() < 1e-10
    assert (point.index, point.nullity) == (5, 0)
    assert point.eigenvalues[[0, 4]] == pytest.approx([-9.97e4, -9.83e4], rel=1e-3)
    assert point.eigenvalues[5] == pytest.approx(2.4988, rel=1e-4)
