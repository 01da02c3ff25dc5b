"""Landscapes from the bottom: trajectories under a ceiling find what lies below it, and quenches alone make edges."""

from __future__ import annotations

import numpy as np
import pytest

from saddlescape import (
    DownwardSearch,
    ECDExplorer,
    EnergyModel,
    GradientFlow,
    Status,
    UpwardSearch,
    explore,
    load,
    resume,
    search,
)
from saddlescape.models import Butterfly, MuellerBrown, ReducedLandauDeGennes, WellChain
from saddlescape.numerics.orbits import align
from saddlescape.store import digest

BARRIER = 106.03467  # out of the deepest minimum of Mueller-Brown


def kinds(landscape, kind):
    return [record for record in landscape.searches if record.task.kind == kind]


def ends_where_it_says(landscape):
    """Follow both sides of every index-1 point by small explicit steps: each must end where an edge says."""
    model, symmetry = landscape.model, landscape.symmetry
    for node in landscape.saddles(1):
        point = landscape.nodes[node].point
        told = [edge for edge in landscape.edges if edge.parent == node]
        assert {edge.kind for edge in told} <= {"quench+", "quench-"} and {edge.sign for edge in told} == {1, -1}
        for edge in told:
            way = 1e-3 * edge.sign * point.eigenvectors[0] / np.abs(point.eigenvectors[0]).max()
            end = search(model, point.x + way, GradientFlow(cap=1e-2), max_steps=10**6).x
            child = landscape.nodes[edge.child].point.x
            assert align(symmetry, end, child, model.mass)[1] <= 1e-6


# --- what is found --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_below_the_barrier_nothing_else_is_found(seed):
    landscape = explore(MuellerBrown(), searches=ECDExplorer(100.0), rng=seed)
    assert landscape.index_counts() == {0: 1} and not landscape.edges
    (path,) = kinds(landscape, "ecd")
    assert path.result.status is Status.COMPLETED and path.result.success
    assert path.result.max_energy <= landscape.points[0].energy + 100.0
    assert path.result.trajectory.x.shape == (0, 2) and "1 basins seen" in path.result.message


@pytest.mark.parametrize("seed", range(4))
def test_above_the_barrier_everything_is_found_from_one_minimum(seed):
    landscape = explore(MuellerBrown(), searches=ECDExplorer(110.0), rng=seed)
    assert landscape.index_counts() == {0: 3, 1: 2} and landscape.euler_characteristic() == 1
    assert len(landscape.edges) == 4
    ends_where_it_says(landscape)
    deepest, *others = landscape.minima()
    assert landscape.barrier(deepest, others[0]) - landscape.points[deepest].energy == pytest.approx(BARRIER, abs=1e-4)
    assert all(record.node >= 0 for record in kinds(landscape, "ridge"))


def test_butterfly_without_its_mirror():
    start = np.array([1.5, 1.5])
    landscape = explore(Butterfly(), start, searches=ECDExplorer(7.0))
    assert landscape.index_counts() == {0: 4, 1: 4}
    ends_where_it_says(landscape)


def test_a_chain_of_wells():
    landscape = explore(WellChain(4), searches=ECDExplorer(5.0, n_steps=2000, max_runs=4), rng=1)
    counts = landscape.index_counts()
    assert counts[0] >= 10 and counts[1] >= 16
    assert len(kinds(landscape, "ecd")) == 4
    ends_where_it_says(landscape)
    # Each minimum is found once, at a sign pattern of its own.
    patterns = {tuple(np.sign(landscape.points[node].x)) for node in landscape.minima()}
    assert len(patterns) == counts[0]


def test_stages_raise_the_ceiling():
    landscape = explore(MuellerBrown(), searches=ECDExplorer(55.0, stages=2))
    paths = kinds(landscape, "ecd")
    base = landscape.points[0].energy
    first, second = (paths[i].task for i in range(2))
    assert [first.parent, first.direction, second.parent, second.direction] == [0, 0, 0, 1]
    np.testing.assert_allclose([first.coefficients[1] - base, second.coefficients[1] - base], [55.0, 110.0], rtol=1e-12)
    assert "1 basins seen" in paths[0].result.message
    assert landscape.index_counts() == {0: 3, 1: 2}
    # Minima above a ceiling wait for the stage that is above them; ceilings are absolute.
    for path in paths:
        floor, ceiling = path.task.coefficients
        energy = landscape.points[path.task.parent].energy
        assert floor < energy < ceiling and ceiling == pytest.approx(base + 55.0 * (path.task.direction + 1), rel=1e-12)


def test_the_floor_follows_a_better_minimum_and_the_ceiling_stays():
    shallow = np.array([-0.05, 0.467])
    landscape = explore(MuellerBrown(), shallow, searches=ECDExplorer(100.0, margin=5.0))
    assert landscape.index_counts() == {0: 3, 1: 2}
    path = kinds(landscape, "ecd")[0]
    assert path.result.max_energy <= path.task.coefficients[1]
    assert f"floor {path.task.coefficients[0]:.10g}" not in path.result.message


def test_it_goes_together_with_the_other_searches():
    alone = explore(Butterfly(), np.array([1.5, 1.5]), searches=ECDExplorer(7.0))
    searches = [ECDExplorer(7.0), DownwardSearch(), UpwardSearch()]
    landscape = explore(Butterfly(), np.array([1.5, 1.5]), searches=searches)
    assert landscape.index_counts() == {0: 4, 1: 4, 2: 1} and landscape.euler_characteristic() == 1
    assert alone.euler_characteristic() == 0
    alone.extend(searches=[DownwardSearch(), UpwardSearch()])
    assert alone.index_counts() == landscape.index_counts()


def test_exploring_on_makes_other_trajectories_with_another_seed_only():
    landscape = explore(MuellerBrown(), searches=ECDExplorer(100.0))
    landscape.extend(searches=ECDExplorer(100.0))
    assert len(kinds(landscape, "ecd")) == 1
    landscape.extend(searches=ECDExplorer(100.0), rng=1)
    assert len(kinds(landscape, "ecd")) == 2
    landscape.extend(searches=ECDExplorer(110.0), rng=1)
    assert landscape.index_counts() == {0: 3, 1: 2}


# --- provenance, bounds ---------------------------------------------------------------------------------------------------


def test_the_record_says_where_a_ridge_comes_from():
    landscape = explore(MuellerBrown(), searches=ECDExplorer(110.0), rng=3)
    for record in kinds(landscape, "ridge"):
        path = landscape.searches[record.task.direction]
        assert path.task.kind == "ecd" and path.task.parent == record.task.parent
        assert path.method.startswith("ECDExplorer(ceiling=110.0, stages=1, n_steps=20000")
        assert (record.task.start == path.result.trajectory.x).all(axis=1).any()
        assert record.task.target == 1 and record.method.startswith("HiSD(")


@pytest.mark.parametrize("tries", [1, 3])
def test_so_many_ridge_points_are_kept_for_a_pair(tries):
    landscape = explore(MuellerBrown(), searches=ECDExplorer(150.0, tries=tries, max_runs=1))
    (path,) = kinds(landscape, "ecd")
    assert len(kinds(landscape, "ridge")) == len(path.result.trajectory.x)
    assert 2 * tries <= len(path.result.trajectory.x) <= 3 * tries  # two neighbouring pairs; the chord may join the third
    assert landscape.index_counts() == {0: 3, 1: 2}


def test_a_failed_trajectory_is_recorded_and_the_run_goes_on(faulty):
    start = np.array([-1.5, 1.5])
    landscape = explore(faulty("raise"), start, searches=ECDExplorer(7.0))
    paths = kinds(landscape, "ecd")
    assert Status.FAILED in {path.result.status for path in paths}
    assert landscape.runs[-1].status == "complete"


# --- the same bits --------------------------------------------------------------------------------------------------------

SMALL = {"searches": [ECDExplorer(110.0, n_steps=4000, stages=2, max_runs=4), DownwardSearch()], "rng": 2}


@pytest.mark.parametrize("count", [2, 3, 5])
def test_a_stopped_run_resumes_to_the_same_bits(count, tmp_path):
    whole = explore(MuellerBrown(), **SMALL)
    assert whole.index_counts() == {0: 3, 1: 2}
    path = tmp_path / "run.h5"
    stopped = explore(MuellerBrown(), store=path, callback=lambda landscape, record: record.task.id + 1 >= count, **SMALL)
    assert digest(load(path)) == digest(stopped)
    assert digest(resume(path)) == digest(load(path)) == digest(whole)


def test_stopped_after_every_search_with_results_waiting(tmp_path):
    path = tmp_path / "run.h5"
    landscape = explore(MuellerBrown(), store=path, callback=lambda *_: True, **SMALL)
    while landscape.frontier:
        landscape = resume(path, callback=lambda *_: True)
    assert digest(landscape) == digest(explore(MuellerBrown(), **SMALL))


@pytest.mark.parametrize("rest", ["frozen", pytest.param("relaxed", marks=pytest.mark.slow)])
def test_workers_change_nothing(rest):
    model, searches = ReducedLandauDeGennes(17, 30.0), ECDExplorer(6.0, n_steps=600, modes=4, rest=rest, max_runs=2)
    alone = explore(model, "d", max_index=1, searches=searches, rng=1)
    assert digest(explore(model, "d", max_index=1, searches=searches, rng=1, workers=2)) == digest(alone)
    assert alone.index_counts()[0] == 6


# --- bad input ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("ceiling", 0.0, "expected a positive number"),
        ("ceiling", -3.0, "expected a positive number"),
        ("ceiling", np.inf, "expected a positive number"),
        ("ceiling", "high", "expected a positive number"),
        ("margin", 0, "or None to take it from the problem"),
        ("step", np.nan, "or None to take it from the problem"),
        ("step", True, "or None to take it from the problem"),
        ("decoherence", -1.0, "or None to take it from the problem"),
        ("eta", 0.5, "expected at least 1"),
        ("stages", 0, "expected an integer of at least 1"),
        ("n_steps", 10.5, "expected an integer of at least 1"),
        ("every", 0, "expected an integer of at least 1"),
        ("every", 30_000, "expected at most n_steps = 20000"),
        ("tries", -1, "expected an integer of at least 1"),
        ("max_runs", None, "expected an integer of at least 1"),
        ("modes", 0, "expected an integer of at least 1"),
        ("modes", "soft", "expected an integer of at least 1, finite directions"),
        ("modes", True, "expected an integer of at least 1, finite directions"),
        ("modes", [1.0, 2.0], "expected an integer of at least 1, finite directions"),
        ("modes", np.full((1, 2), np.nan), "expected an integer of at least 1, finite directions"),
        ("rest", "free", 'expected "frozen" or "relaxed"'),
    ],
)
def test_bad_parameters(name, value, expected):
    with pytest.raises(ValueError, match=rf"{name}: got .*{expected}"):
        ECDExplorer(**{"ceiling": 1.0, name: value})


def test_models_it_cannot_explore():
    with pytest.raises(ValueError, match=r"modes: MuellerBrown has no preconditioner.*modes=None"):
        explore(MuellerBrown(), searches=ECDExplorer(100.0, modes=1))
    with pytest.raises(ValueError, match="modes: got directions of 3 entries, expected 2, the number of unknowns"):
        explore(MuellerBrown(), searches=ECDExplorer(100.0, modes=[[1.0, 0.0, 0.0]]))
    with pytest.raises(ValueError, match="modes: the 2 directions span 1 dimensions only"):
        ECDExplorer(100.0, modes=[[1.0, 2.0], [2.0, 4.0]])
    with pytest.raises(ValueError, match=r'rest: "relaxed" says what becomes of the unknowns that modes leaves out'):
        ECDExplorer(100.0, rest="relaxed")
    with pytest.raises(ValueError, match="modes: got 1000, expected at most 450"):
        explore(ReducedLandauDeGennes(17, 30.0), searches=ECDExplorer(1.0, modes=1000))

    class Estimates(EnergyModel):
        dim = 1

        def stochastic_gradient(self, x, sample, out=None):
            return x

        def draw(self, rng):
            return rng.standard_normal(1)

    with pytest.raises(TypeError, match="ECDExplorer conserves an energy, and Estimates has stochastic estimates alone"):
        ECDExplorer(1.0).require(Estimates())


def test_what_searches_takes():
    with pytest.raises(TypeError, match=r"searches: got 3, expected DownwardSearch\(\)"):
        explore(MuellerBrown(), searches=3)
    with pytest.raises(TypeError, match=r"searches: got <class .*ECDExplorer'>, expected"):
        explore(MuellerBrown(), searches=[ECDExplorer])
    with pytest.raises(ValueError, match="several ECDExplorers, expected one"):
        explore(MuellerBrown(), searches=[ECDExplorer(1.0), ECDExplorer(2.0)])
