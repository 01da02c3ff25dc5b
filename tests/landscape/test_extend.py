"""Growing a landscape that is there: more starts, other indices, other ways; the same as asking for all of it at once."""

from __future__ import annotations

import numpy as np
import pytest

from saddlescape import DownwardSearch, HiSD, UpwardSearch, explore, load, resume
from saddlescape.models import Butterfly, ChafeeInfante, DoubleWells, MuellerBrown, ReducedLandauDeGennes
from saddlescape.parts import FixedStep
from saddlescape.store import StoreError, digest

WELLS = DoubleWells((1.0, 1.3, 0.7))


def same(grown, at_once, counterparts, joined) -> None:
    """Nodes pair off, and the same ones are connected."""
    number = counterparts(grown, at_once)
    assert {(number[i], number[j]) for i, j in joined(grown)} == joined(at_once)


def test_more_starts_later(counterparts, joined):
    high, low = (-0.82, 0.62), (0.21, 0.29)
    landscape = explore(MuellerBrown(), high)
    assert landscape.index_counts() == {0: 2, 1: 1}
    assert landscape.extend(low) is landscape
    same(landscape, explore(MuellerBrown(), [high, low]), counterparts, joined)
    assert [run.status for run in landscape.runs] == ["complete", "complete"]


def test_upward_later(counterparts, joined):
    landscape = explore(MuellerBrown())
    assert landscape.index_counts() == {0: 1}
    landscape.extend(upward=True)
    same(landscape, explore(MuellerBrown(), upward=True), counterparts, joined)
    butterfly = explore(Butterfly(), (1.27, -0.63))
    butterfly.extend(upward=True)
    same(butterfly, explore(Butterfly(), (1.27, -0.63), upward=True), counterparts, joined)


def test_a_larger_max_index_later(counterparts, joined):
    searches = (DownwardSearch(), UpwardSearch(directions=3))
    start = (0.9, 0.9, 0.9)
    landscape = explore(WELLS, start, searches=searches, max_index=1)
    assert landscape.index_counts() == {0: 8, 1: 12}
    landscape.extend(searches=searches, max_index=2)
    assert landscape.index_counts() == {0: 8, 1: 12, 2: 6}
    landscape.extend(searches=searches, max_index=3)
    same(landscape, explore(WELLS, start, searches=searches, max_index=3), counterparts, joined)


def test_a_larger_gap_later(counterparts, joined):
    model = ChafeeInfante(31, 6.0)
    landscape = explore(model)
    landscape.extend(searches=[DownwardSearch(gap=2)])
    same(landscape, explore(model, searches=[DownwardSearch(gap=2)]), counterparts, joined)


def test_nothing_is_searched_twice():
    landscape = explore(Butterfly())
    before = len(landscape.searches)
    landscape.extend()
    again = landscape.searches[before:]
    assert {search.task.kind for search in again} == {"revisit"}
    assert all(search.result.n_gradient == 0 or search.result.n_steps == 0 for search in again)
    assert landscape.index_counts() == explore(Butterfly()).index_counts()
    seen = [
        (s.task.parent, s.task.kind, s.task.direction, s.task.sign, s.task.target) for s in landscape.searches if s.task.parent >= 0
    ]
    downward = [key for key in seen if key[1] in ("down", "quench")]
    assert len(downward) == len(set(downward))


def test_another_method_looks_again():
    landscape = explore(Butterfly())
    counts = landscape.index_counts()
    landscape.extend(method=HiSD(step=FixedStep()))
    assert landscape.index_counts() == counts
    assert len({edge.method for edge in landscape.edges if edge.kind == "down"}) == 2
    assert sorted(e.kind for e in landscape.edges if e.parent == landscape.saddles(1)[0]) == ["quench+", "quench-"]


def test_task_ids_go_on_and_the_seeds_of_runs_differ():
    landscape = explore(Butterfly(), rng=1).extend(upward=True, rng=2)
    assert [search.task.id for search in landscape.searches] == list(range(len(landscape.searches)))
    assert [run.entropy for run in landscape.runs] == [1, 2]
    assert {search.task.run for search in landscape.searches} == {0, 1}


def test_extending_is_reproducible():
    def run(workers):
        return digest(explore(Butterfly(), rng=1).extend((0.3, 0.4), upward=True, rng=2, workers=workers))

    assert run(1) == run(1) == run(2)


# --- in a file ------------------------------------------------------------------------------------------------------------


def test_a_loaded_landscape_grows_in_its_file(tmp_path):
    path = tmp_path / "run.h5"
    explore(MuellerBrown(), store=path)
    landscape = load(path).extend(upward=True)
    assert landscape.index_counts() == {0: 3, 1: 2}
    assert digest(load(path)) == digest(landscape) == digest(explore(MuellerBrown()).extend(upward=True))


def test_an_extension_cut_off_resumes_to_the_same_bits(tmp_path):
    path = tmp_path / "run.h5"
    model = ReducedLandauDeGennes(17, 10.0)
    whole = explore(model).extend(upward=True, max_index=2)
    landscape = explore(model, store=path)
    count = len(landscape.searches)
    landscape.extend(upward=True, max_index=2, callback=lambda landscape, search: search.task.id >= count + 3)
    assert landscape.runs[1].status == "interrupted"
    assert digest(resume(path)) == digest(load(path)) == digest(whole)


def test_a_landscape_in_memory_is_saved_and_grows_on(tmp_path):
    path = tmp_path / "run.h5"
    explore(MuellerBrown()).save(path)
    load(path).extend(upward=True)
    assert load(path).index_counts() == {0: 3, 1: 2}


def test_a_file_that_went_on_elsewhere_is_not_overwritten(tmp_path):
    path = tmp_path / "run.h5"
    explore(MuellerBrown(), store=path)
    stale = load(path)
    load(path).extend(upward=True)
    before = digest(load(path))
    with pytest.raises(ValueError, match="holds another state than this landscape in memory"):
        stale.extend(upward=True)
    assert digest(load(path)) == before


def test_a_second_writer_is_refused_while_the_first_one_writes(tmp_path):
    path = tmp_path / "run.h5"
    explore(MuellerBrown(), store=path)
    refused = []

    def callback(landscape, search):
        with pytest.raises(StoreError) as error:
            resume(path)
        refused.append(str(error.value))

    landscape = load(path).extend((0.21, 0.29), callback=callback)
    assert len(refused) == len(landscape.searches) - len(explore(MuellerBrown()).searches) > 0
    assert all(str(path) in message for message in refused)
    assert digest(load(path)) == digest(landscape)


# --- refused --------------------------------------------------------------------------------------------------------------


def test_an_interrupted_run_is_finished_first():
    landscape = explore(Butterfly(), callback=lambda landscape, search: True)
    with pytest.raises(ValueError, match=r"searches of an interrupted run are left; finish it first with landscape\.resume\(\)"):
        landscape.extend(upward=True)
    landscape.resume().extend(upward=True)
    assert landscape.index_counts() == {0: 4, 1: 4, 2: 1}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"start": (1.0, 2.0, 3.0)}, ValueError, r"start: got shape \(3,\), expected \(2,\)"),
        ({"start": []}, ValueError, "start: got an empty sequence"),
        ({"max_index": 3}, ValueError, "max_index: got 3, expected 0 to 2"),
        ({"rng": "seed"}, TypeError, "rng: got 'seed'"),
        ({"progress": "bar"}, TypeError, "progress: got 'bar', expected True"),
        ({"workers": 0}, ValueError, "workers: got 0"),
        ({"method": HiSD(index=2)}, ValueError, "method: its index is 2"),
    ],
)
def test_a_mistake_changes_nothing(options, error, message, tmp_path):
    landscape = explore(Butterfly(), store=tmp_path / "run.h5")
    before = digest(landscape)
    with pytest.raises(error, match=message):
        landscape.extend(**options)
    assert digest(landscape) == digest(load(tmp_path / "run.h5")) == before
    assert len(landscape.runs) == 1 and not landscape.frontier


def test_points_are_not_moved_by_looking_at_them_again():
    landscape = explore(ReducedLandauDeGennes(17, 20.0))
    before = [(point.x, point.energy, point.index, point.orbit_size) for point in landscape.points]
    landscape.extend(upward=True, max_index=2)
    for (x, energy, index, size), point in zip(before, landscape.points, strict=False):
        assert np.array_equal(point.x, x)
        assert (point.energy, point.index, point.orbit_size) == (energy, index, size)
