"""Where searches are carried out changes no number; a worker that dies takes only its own search with it."""

from __future__ import annotations

import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

import pytest
from threadpoolctl import threadpool_info

from saddlescape import Status, explore
from saddlescape.landscape.parallel import one_thread
from saddlescape.landscape.records import Task
from saddlescape.models import Butterfly, ReducedLandauDeGennes
from saddlescape.store import digest


@pytest.mark.parametrize(
    ("model", "options"),
    [(Butterfly(), {"upward": True}), (ReducedLandauDeGennes(17, 20.0), {"start": "wors"})],
    ids=["plane", "field"],
)
def test_one_worker_and_two_give_the_same_bits(model, options):
    assert digest(explore(model, workers=2, rng=5, **options)) == digest(explore(model, workers=1, rng=5, **options))


def test_a_process_pool_of_the_users_own():
    expected = digest(explore(ReducedLandauDeGennes(17, 10.0)))
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        assert digest(explore(ReducedLandauDeGennes(17, 10.0), executor=executor)) == expected
        assert executor.submit(abs, -1).result() == 1  # left open: it is the user's


def test_a_thread_pool_of_the_users_own():
    expected = digest(explore(Butterfly(), upward=True))
    with ThreadPoolExecutor(3) as executor:
        assert digest(explore(Butterfly(), upward=True, executor=executor)) == expected


class LastFirst(Executor):
    """Carries out the tasks of each round from the last to the first, in a thread of its own."""

    def __init__(self):
        self.waiting: list[tuple[Future, tuple]] = []
        self.carried_out: list[int] = []
        self.thread = ThreadPoolExecutor(1)

    def submit(self, work, /, *arguments):
        future: Future = Future()
        self.waiting.append((future, (work, *arguments)))
        self.thread.submit(self._next)
        return future

    def _next(self):
        time.sleep(0.005)  # the round is submitted by then
        future, (work, *arguments) = self.waiting.pop()
        if future.set_running_or_notify_cancel():
            self.carried_out += [argument.id for argument in arguments if isinstance(argument, Task)]
            future.set_result(work(*arguments))


def test_results_that_arrive_in_another_order_are_merged_in_task_order():
    executor, merged = LastFirst(), []
    landscape = explore(
        Butterfly(), upward=True, executor=executor, callback=lambda landscape, search: merged.append(search.task.id)
    )
    executor.thread.shutdown()
    assert executor.carried_out != sorted(executor.carried_out)
    assert merged == sorted(executor.carried_out)
    assert digest(landscape) == digest(explore(Butterfly(), upward=True))


def test_a_model_from_a_file_travels_to_workers(faulty):
    landscape = explore(faulty(), workers=2)
    assert landscape.index_counts() == {0: 4, 1: 4, 2: 1}
    assert digest(landscape) == digest(explore(faulty()))


def test_linear_algebra_runs_on_one_thread():
    with one_thread():
        assert {library["num_threads"] for library in threadpool_info()} == {1}


# --- workers that die -----------------------------------------------------------------------------------------------------


def test_a_search_that_kills_its_worker_fails_and_the_rest_goes_on(faulty):
    landscape = explore(faulty("exit"), workers=2)
    failed = [search for search in landscape.searches if search.result.status is Status.FAILED]
    assert 1 <= len(failed) <= 2  # the searches towards the upper right minimum
    for search in failed:
        assert search.node == -1 and search.result.point is None
        assert "worker process died" in search.result.message
    assert landscape.index_counts() == {0: 3, 1: 4, 2: 1}
    assert landscape.runs[-1].status == "complete"


def test_a_worker_that_dies_once_changes_nothing(faulty):
    landscape = explore(faulty("exit once"), workers=2)
    assert landscape.index_counts() == {0: 4, 1: 4, 2: 1}
    assert digest(landscape) == digest(explore(faulty("exit once")))  # the flag exists by now
    assert Status.FAILED not in {search.result.status for search in landscape.searches}


def test_a_pool_of_the_users_own_that_breaks_is_said_to_be_broken(faulty):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor, pytest.raises(BrokenProcessPool):
        explore(faulty("exit"), executor=executor)
