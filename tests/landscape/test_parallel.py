"""Where searches are carried out changes no number; a worker that dies takes only its own search with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import partial
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from saddlescape import HiSD, Status, as_model, explore, load, resume
from saddlescape.landscape.parallel import one_thread
from saddlescape.landscape.records import Task
from saddlescape.models import Butterfly, DoubleWells, ReducedLandauDeGennes
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


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_a_model_from_a_file_travels_to_executors_of_the_users_own(faulty, kind):
    options = {} if kind is ThreadPoolExecutor else {"mp_context": get_context("spawn")}
    with kind(2, **options) as executor:
        assert digest(explore(faulty(), executor=executor)) == digest(explore(faulty()))


def script(text: str, tmp_path, **environment) -> subprocess.CompletedProcess:
    """A Python script of a user's, run in a folder of its own."""
    path = tmp_path / "script.py"
    path.write_text(dedent(text))
    return subprocess.run(
        [sys.executable, path], cwd=tmp_path, env=os.environ | environment, capture_output=True, text=True, timeout=120
    )


def test_linear_algebra_runs_on_one_thread():
    with one_thread():
        assert {library["num_threads"] for library in threadpool_info()} == {1}


def test_linear_algebra_that_is_loaded_in_a_search_runs_on_one_thread(tmp_path):
    done = script(
        """
        from saddlescape.landscape.parallel import one_thread
        from threadpoolctl import threadpool_info

        with one_thread():
            import scipy.linalg
            import scipy.sparse.linalg
            print({library["num_threads"] for library in threadpool_info()})
        """,
        tmp_path,
        OPENBLAS_NUM_THREADS="2",
    )
    assert done.stdout == "{1}\n", done.stderr


# --- what cannot be sent, and workers that cannot start -------------------------------------------------------------------


def unsendable():
    return as_model(lambda x: float(x @ x), lambda x: 2.0 * x, 2)


def test_a_model_that_cannot_travel_is_refused_before_a_file_is_made(tmp_path):
    options = {"start": (0.5, 0.5), "store": tmp_path / "run.h5"}
    message = r"model: cannot be sent to workers .*top of a module \(no lambdas\); or use workers=1"
    with pytest.raises(TypeError, match=message):
        explore(unsendable(), workers=2, **options)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor, pytest.raises(TypeError, match=message):
        explore(unsendable(), executor=executor, **options)
    assert list(tmp_path.iterdir()) == []
    with ThreadPoolExecutor(2) as executor:  # nothing travels
        assert explore(unsendable(), executor=executor, **options).index_counts() == {0: 1}


def test_a_method_that_cannot_travel_is_refused_before_a_file_is_made(tmp_path):
    class Local(HiSD):
        pass

    with pytest.raises(TypeError, match="method: cannot be sent to workers"):
        explore(Butterfly(), method=Local(), workers=2, store=tmp_path / "run.h5")
    assert list(tmp_path.iterdir()) == []


def test_a_script_without_a_guard_is_told_of_it(tmp_path):
    done = script(
        """
        from saddlescape import explore
        from saddlescape.models import Butterfly

        explore(Butterfly(), workers=2, store="run.h5")
        """,
        tmp_path,
    )
    assert done.returncode == 1
    assert "RuntimeError: workers: the worker processes died before they did anything" in done.stderr
    assert 'if __name__ == "__main__":' in done.stderr.splitlines()[-1]
    assert not (tmp_path / "run.h5").exists()


# --- stopping -------------------------------------------------------------------------------------------------------------


class Staged(Executor):
    """Waits until a whole round is there, then lets ``play(jobs)`` carry it out in a thread; jobs are (future, call)."""

    def __init__(self, size: int, play):
        self.size, self.play = size, play
        self.jobs: list[tuple[Future, partial]] = []
        self.thread: threading.Thread | None = None

    def submit(self, work, /, *arguments):
        future: Future = Future()
        call = partial(work, *arguments)
        if not any(isinstance(argument, Task) for argument in arguments):  # a trial
            future.set_result(call())
            return future
        self.jobs.append((future, call))
        if len(self.jobs) == self.size:
            self.thread = threading.Thread(target=self.play, args=(self.jobs,))
            self.thread.start()
        return future


def press_ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("in_file", [False, True])
def test_a_stop_keeps_what_has_arrived_out_of_order(in_file, tmp_path):
    model, path = DoubleWells((1.0, 1.3, 0.7)), tmp_path / "run.h5" if in_file else None
    landscape = explore(model, store=path, callback=lambda landscape, search: search.task.id == 1)
    tasks = list(landscape.frontier)
    assert len(tasks) >= 5

    def last_three(jobs):
        for future, call in reversed(jobs[-3:]):
            future.set_running_or_notify_cancel()
            future.set_result(call())
        press_ctrl_c()

    executor = Staged(len(tasks), last_three)
    landscape.resume(executor=executor)
    executor.thread.join()
    assert landscape.runs[-1].status == "interrupted"
    assert sorted(landscape.pending) == tasks[-3:] and len(landscape.searches) == 2
    if in_file:
        assert digest(load(path)) == digest(landscape)
    again = LastFirst()
    landscape.resume(executor=again)
    again.thread.shutdown()
    assert set(again.carried_out).isdisjoint(tasks[-3:])
    assert landscape.runs[-1].status == "complete" and not landscape.pending
    assert digest(landscape) == digest(explore(model))
    if in_file:
        assert digest(load(path)) == digest(landscape)


def test_ctrl_c_is_noticed_while_all_workers_are_busy():
    model = DoubleWells((1.0, 1.3, 0.7))
    landscape = explore(model, callback=lambda landscape, search: search.task.id == 1)
    size = len(landscape.frontier)

    def busy(jobs):
        future, call = jobs[0]
        future.set_running_or_notify_cancel()
        press_ctrl_c()
        patience = time.monotonic() + 20.0
        while not all(other.cancelled() for other, _ in jobs[1:]) and time.monotonic() < patience:
            time.sleep(0.01)
        future.set_result(call())

    executor = Staged(size, busy)
    landscape.resume(executor=executor)
    executor.thread.join()
    assert all(future.cancelled() for future, _ in executor.jobs[1:])
    assert len(landscape.searches) == 3  # what had begun is kept
    assert digest(landscape.resume()) == digest(explore(model))


def sleeping_gradient(flag: str, x: np.ndarray) -> np.ndarray:
    """The butterfly's gradient, which takes ten minutes in a worker."""
    if parent_process() is not None:
        Path(flag).touch()
        time.sleep(600.0)
    return Butterfly().gradient(x)


def test_a_second_ctrl_c_does_not_wait_for_workers(tmp_path):
    flag, path, start = tmp_path / "asleep", tmp_path / "run.h5", (0.0, 0.5)
    model = as_model(Butterfly().energy, partial(sleeping_gradient, str(flag)), 2)

    def impatient():
        patience = time.monotonic() + 60.0
        while not flag.exists() and time.monotonic() < patience:
            time.sleep(0.05)
        press_ctrl_c()
        time.sleep(1.0)
        press_ctrl_c()

    user = threading.Thread(target=impatient)
    user.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        explore(model, start, workers=2, store=path)
    user.join()
    assert flag.exists() and time.monotonic() - began < 120.0
    assert active_children() == []
    assert digest(resume(path, model=model)) == digest(explore(model, start))


def test_workers_end_when_their_parent_is_killed(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(
        dedent(
            """
            import os
            import time
            from saddlescape.landscape.parallel import spawned

            if __name__ == "__main__":
                pool = spawned(2)
                pool.submit(time.sleep, 600.0)  # one busy, one idle
                pool.submit(os.getpid).result()
                print(*pool._processes, flush=True)
                time.sleep(600.0)
            """
        )
    )
    with subprocess.Popen([sys.executable, path], stdout=subprocess.PIPE, text=True) as parent:
        # A pipe, not the process table: its end comes when the last process that could write to it is gone.
        workers = [int(word) for word in parent.stdout.readline().split()]
        parent.kill()
        reader = threading.Thread(target=parent.stdout.read, daemon=True)
        reader.start()
        reader.join(timeout=20.0)
        alive = reader.is_alive()
        if alive:
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
    assert len(workers) == 2 and not alive


def test_a_search_that_a_users_pool_interrupted_is_not_recorded():
    model = DoubleWells((1.0, 1.3, 0.7))
    landscape = explore(model, callback=lambda landscape, search: search.task.id == 1)

    def interrupted(jobs):
        # Ctrl-C on a terminal reaches all processes: the workers' searches end with it.
        for future, _ in jobs:
            future.set_running_or_notify_cancel()
        press_ctrl_c()
        for future, call in jobs:
            future.set_result(replace(call(), status=Status.INTERRUPTED, point=None))

    executor = Staged(len(landscape.frontier), interrupted)
    landscape.resume(executor=executor)
    executor.thread.join()
    assert len(landscape.searches) == 2 and not landscape.pending
    assert digest(landscape.resume()) == digest(explore(model))


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
