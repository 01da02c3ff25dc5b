"""Models that misbehave in the middle of a run: the search fails, typed and recorded, and the run goes on."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from saddlescape import Status, Symmetry, as_model, check_model, explore, load, resume
from saddlescape.models import Butterfly, ReducedLandauDeGennes
from saddlescape.store import digest


@pytest.mark.parametrize(
    ("fault", "status", "message"),
    [("raise", Status.FAILED, "ZeroDivisionError: the mesh is tangled"), ("nan", Status.NON_FINITE, "turned non-finite")],
)
def test_a_model_that_fails_somewhere_loses_only_what_lies_there(faulty, fault, status, message, tmp_path):
    landscape = explore(faulty(fault), store=tmp_path / "run.h5")
    bad = [search for search in landscape.searches if search.result.status is status]
    assert len(bad) == 2  # (0, 1) and the right saddle are left towards the upper right minimum
    for search in bad:
        assert search.task.kind == "quench"
        assert message in search.result.message
        assert search.result.point is None and search.node == -1
    assert landscape.index_counts() == {0: 3, 1: 4, 2: 1}
    assert landscape.euler_characteristic() == 0
    assert "points are missing" in landscape.completeness().message
    assert landscape.runs[0].status == "complete"
    assert all(np.isfinite(point.x).all() for point in landscape.points)
    assert digest(load(tmp_path / "run.h5")) == digest(landscape)


@pytest.mark.parametrize("fault", ["raise", "nan"])
def test_what_fails_in_a_worker_fails_as_it_does_here(faulty, fault):
    assert digest(explore(faulty(fault), workers=2)) == digest(explore(faulty(fault)))


@pytest.mark.parametrize("fault", ["raise", "nan"])
def test_a_run_with_failures_resumes_to_the_same_bits(faulty, fault, tmp_path):
    path = tmp_path / "run.h5"
    explore(faulty(fault), store=path, callback=lambda landscape, search: search.task.id == 8)
    assert digest(resume(path, model=faulty(fault))) == digest(explore(faulty(fault)))


def test_what_a_failing_search_raised_is_logged_with_its_traceback(faulty, caplog):
    with caplog.at_level(logging.DEBUG, logger="saddlescape"):
        explore(faulty("raise"))
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 2
    assert all("the mesh is tangled" in record.getMessage() and not record.exc_info for record in warnings)
    # The traceback is for who asks: workers would print it into the middle of the progress.
    details = [record for record in caplog.records if record.levelno == logging.DEBUG and record.exc_info]
    assert [record.exc_info[0] for record in details] == [ZeroDivisionError, ZeroDivisionError]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_model_that_is_never_finite_leaves_an_empty_landscape(value):
    model = as_model(lambda x: value, lambda x: np.full(2, value), 2)
    landscape = explore(model, (0.5, 0.5))
    assert landscape.nodes == [] and landscape.runs[0].status == "complete"
    assert {search.result.status for search in landscape.searches} <= {Status.NON_FINITE, Status.FAILED}
    assert not landscape.completeness().applicable


def test_an_energy_without_stationary_points_ends():
    slope = np.array([1.0, 2.0])
    landscape = explore(as_model(lambda x: float(slope @ x), lambda x: slope.copy(), 2), (0.5, 0.5))
    assert landscape.nodes == [] and landscape.runs[0].status == "complete"
    assert {search.result.status for search in landscape.searches} <= {Status.DIVERGED, Status.STALLED, Status.MAX_STEPS}


def test_an_energy_unbounded_below_keeps_what_it_has():
    # A well at the origin with an exit over the saddle at x = 1.
    def energy(x):
        return float(3.0 * x[0] ** 2 - 2.0 * x[0] ** 3 + x[1] ** 2)

    def gradient(x):
        return np.array([6.0 * x[0] - 6.0 * x[0] ** 2, 2.0 * x[1]])

    landscape = explore(as_model(energy, gradient, 2), (1.0, 0.0))
    assert landscape.index_counts() == {0: 1, 1: 1}
    assert sorted(s.result.status.value for s in landscape.searches if s.task.kind == "quench") == ["converged", "diverged"]


def test_a_constant_energy_is_all_degenerate():
    landscape = explore(as_model(lambda x: 1.0, np.zeros_like, 2), (0.5, 0.5))
    assert [(point.index, point.nullity) for point in landscape.points] == [(0, 2)]
    assert not landscape.completeness().applicable


def test_a_gradient_that_is_not_the_energys_is_warned_of_once():
    butterfly = Butterfly()
    model = as_model(butterfly.energy, lambda x: 0.5 * butterfly.gradient(x), 2)
    with pytest.warns(UserWarning, match=r"does not belong to its energy.*run check_model\(model\)") as warned:
        explore(model, [(0.3, 0.4), (0.1, 0.2)], upward=True)
    assert len(warned) == 1
    assert warned[0].filename == __file__
    assert not check_model(model).ok


@pytest.mark.parametrize("model", [Butterfly(), ReducedLandauDeGennes(17, 10.0)])
def test_a_sound_model_is_not_warned_of(model, recwarn):
    explore(model)
    assert not recwarn.list


def test_a_gradient_of_the_wrong_shape_is_named():
    model = as_model(Butterfly().energy, lambda x: np.zeros(3), 2)
    with pytest.raises(ValueError, match=r"gradient: the function returned shape \(3,\), expected \(2,\)"):
        explore(model, (0.0, 0.5))


class Matching:
    """The trivial symmetry by a user's function, which raises for the upper right minimum when told to."""

    def __init__(self, fault: type[BaseException] | None = None):
        self.fault = fault

    def __call__(self, x, y):
        if self.fault is not None and x[0] > 1.2 and x[1] > 1.0:
            raise self.fault("cannot be compared")
        return y


@pytest.mark.parametrize("fault", [np.linalg.LinAlgError, ZeroDivisionError])
def test_what_fails_in_merging_loses_that_search_alone(fault, tmp_path, caplog):
    path = tmp_path / "run.h5"
    whole = explore(Butterfly(), symmetry=Symmetry.by_matching(2, Matching()))
    with caplog.at_level(logging.WARNING, logger="saddlescape"):
        landscape = explore(Butterfly(), symmetry=Symmetry.by_matching(2, Matching(fault)), store=path)
    # The first search to get there has nothing to be compared with; the second has.
    (bad,) = (search for search in landscape.searches if search.result.status is Status.FAILED)
    assert bad.node == -1 and bad.result.point is None
    assert f"{fault.__name__}: cannot be compared" in bad.result.message
    assert [record.getMessage() for record in caplog.records] == [f"search {bad.task.id} could not be merged: cannot be compared"]
    assert landscape.index_counts() == whole.index_counts() == {0: 4, 1: 4, 2: 1}
    assert [edge.search for edge in whole.edges if edge.search != bad.task.id] == [edge.search for edge in landscape.edges]
    assert landscape.runs[0].status == "complete" and len(landscape.searches) == len(whole.searches)
    assert digest(load(path)) == digest(landscape)


def test_running_out_of_memory_ends_the_run_and_loses_nothing(tmp_path):
    def gradient(x):
        if x[0] > 1.2 and x[1] > 1.0:
            raise MemoryError
        return Butterfly().gradient(x)

    for name, model, symmetry in (
        ("search", as_model(Butterfly().energy, gradient, 2), None),
        ("merging", Butterfly(), Symmetry.by_matching(2, Matching(MemoryError))),
    ):
        path = tmp_path / f"{name}.h5"
        with pytest.raises(MemoryError):
            explore(model, (0.0, 0.5), symmetry=symmetry, store=path)
        assert load(path).searches
        assert Status.FAILED not in {search.result.status for search in load(path).searches}


def test_a_fault_of_the_users_callback_is_the_users_to_see(tmp_path):
    path = tmp_path / "run.h5"

    def callback(landscape, search):
        if search.task.id == 4:
            raise RuntimeError("a fault of mine")

    with pytest.raises(RuntimeError, match="a fault of mine"):
        explore(Butterfly(), store=path, callback=callback)
    assert len(load(path).searches) == 5
    assert digest(resume(path)) == digest(explore(Butterfly()))
