"""Which end points are one point: the margin of the tolerance, orbits, edges seen again, and pure commits."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from saddlescape import Landscape, Status, explore
from saddlescape.landscape.explore import MERGE_TOLERANCE
from saddlescape.models import Butterfly, DoubleWells, MuellerBrown, PhaseField, ReducedLandauDeGennes
from saddlescape.numerics.orbits import align
from saddlescape.store import digest

MODELS = [Butterfly(), MuellerBrown(), DoubleWells((1.0, 1.3, 0.7)), ReducedLandauDeGennes(17, 30.0), PhaseField(24, 0.03)]


def found(model) -> Landscape:
    return explore(model, upward=model.dim == 2)


def size(landscape: Landscape, x: np.ndarray) -> float:
    return float(np.sqrt(np.sum(x**2 * landscape.info.mass)))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_the_tolerance_has_a_wide_margin_on_both_sides(model):
    """Points found again are a thousand times nearer than the tolerance, other points a thousand times farther."""
    landscape = found(model)
    again = [
        search for search in landscape.searches if search.node >= 0 and search.task.id != landscape.nodes[search.node].found_by
    ]
    assert again
    for search in again:
        limit = MERGE_TOLERANCE * size(landscape, landscape.points[search.node].x) + 1e-12
        assert search.merge_distance <= 1e-3 * limit
    for i, one in enumerate(landscape.points):
        for other in landscape.points[:i]:
            _, distance = align(landscape.symmetry, one.x, other.x, landscape.info.mass)
            assert distance >= 1e3 * MERGE_TOLERANCE * max(size(landscape, one.x), size(landscape, other.x))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_a_search_records_where_on_the_orbit_it_ended(model):
    landscape = found(model)
    for search in landscape.searches:
        if search.node < 0:
            assert search.result.status not in (Status.CONVERGED, Status.OTHER_INDEX)
            assert np.isnan(search.merge_distance)
            continue
        image = landscape.symmetry.apply(search.element, landscape.points[search.node].x)
        distance = np.sqrt(np.sum((search.result.x - image) ** 2 * landscape.info.mass))
        assert distance <= 1e-8 * (1.0 + size(landscape, image))
        if search.task.id != landscape.nodes[search.node].found_by:
            assert distance == pytest.approx(search.merge_distance, rel=1e-6, abs=1e-14)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_hits_count_the_searches_that_saw_it(model):
    landscape = found(model)
    ended = Counter(search.node for search in landscape.searches if search.node >= 0)
    assert [node.hits for node in landscape.nodes] == [ended[node.id] for node in landscape.nodes]
    keys = [(edge.parent, edge.child, edge.key) for edge in landscape.edges]
    assert len(keys) == len(set(keys))
    edges = sum(edge.hits for edge in landscape.edges)
    seen = 0
    for search in landscape.searches:
        if search.task.parent >= 0 and search.node >= 0:
            origin, end = landscape.points[search.task.parent].index, landscape.points[search.node].index
            if (end > origin) if search.task.kind == "up" else (end < origin):
                seen += 1 if search.task.mirror is None else 2
    assert edges == seen


def test_a_tolerance_that_is_too_wide_merges_what_is_not_one():
    """The four minima have the norm 1.41; neighbours are 2 apart, opposite ones 2.83."""
    model = DoubleWells((1.0, 1.0))
    assert len(explore(model, merge_tolerance=1.4).minima()) == 4
    assert len(explore(model, merge_tolerance=2.1).minima()) == 1


def test_points_of_different_index_or_energy_are_never_one():
    landscape = explore(DoubleWells((1.0, 1.3)), merge_tolerance=100.0)
    # Within one energy the four minima fall together; the two pairs of saddles lie at different heights.
    assert landscape.index_counts() == {0: 1, 1: 2, 2: 1}


def test_orbit_sizes_are_the_number_of_copies():
    landscape = explore(ReducedLandauDeGennes(17, 30.0))
    group = landscape.symmetry
    for point in landscape.points:
        images = np.array([group.apply(np.array([float(d)]), point.x) for d in range(group.order)])
        distinct: list[np.ndarray] = []
        for image in images:
            if all(np.abs(image - other).max() > 1e-3 for other in distinct):
                distinct.append(image)
        assert point.orbit_size == len(distinct)


def test_commits_applied_in_order_rebuild_the_landscape():
    commits = []

    class Keeping(Landscape):
        def apply(self, commit):
            commits.append(commit)
            super().apply(commit)

    whole = explore(Butterfly(), upward=True)
    landscape = explore(Butterfly(), upward=True, callback=lambda landscape, search: True)
    landscape.__class__ = Keeping
    first = Landscape(landscape.info, landscape.model)
    first.runs = [replace(run) for run in landscape.runs]
    first.nodes, first.edges = list(landscape.nodes), list(landscape.edges)
    first.searches, first.frontier = list(landscape.searches), dict(landscape.frontier)
    landscape.resume()
    assert commits
    for commit in commits:
        first.apply(commit)
    assert digest(first) == digest(landscape) == digest(whole)
