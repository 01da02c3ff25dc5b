"""Where tasks are carried out: in this process, or on any executor; one thread each, so that results do not depend on it."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import AbstractContextManager, contextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from ..dynamics.state import Method
from ..model import EnergyModel
from ..naming import load_model, model_name, model_parameters
from ..results import SearchResult, StationaryPoint, Status
from .execute import Plan, execute
from .records import Task

NOTICE = 0.2  # seconds after which a wish to stop is noticed while workers are busy

Job = tuple[Task, StationaryPoint | None]
Stop = Callable[[], bool]


@lru_cache(maxsize=1)
def _controller() -> Any:
    # The controller knows only what is loaded by now, and a sparse Hessian loads scipy's own BLAS in the middle of a search.
    import scipy.linalg
    import scipy.sparse.linalg  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread() -> AbstractContextManager:
    """Linear algebra on one thread: reductions must not depend on a thread count."""
    return _controller().limit(limits=1)


@contextmanager
def staffed(model: EnergyModel, method: Method, executor: Executor | None, workers: int) -> Iterator[Serial | Pooled]:
    """Who carries out the tasks; a pool of our own ends with the block, at once if an exception ends it.

    Parameters
    ----------
    model : EnergyModel
    method : Method
    executor : Executor or None
    workers : int
        Used without an executor: 1 for this process.

    Raises
    ------
    TypeError
        If the model or the method cannot be sent to where the tasks are carried out.
    RuntimeError
        If worker processes die before they do anything.
    """
    if executor is None and workers == 1:
        yield Serial(model)
        return
    pooled = Pooled(model, method, workers, executor)
    try:
        yield pooled
    except BaseException:
        pooled.close(at_once=True)
        raise
    pooled.close()


class Serial:
    """Tasks one after the other in this process."""

    def __init__(self, model: EnergyModel):
        self.model = model

    def results(self, plan: Plan, jobs: list[Job], stop: Stop) -> Iterator[tuple[Task, SearchResult]]:
        """Each result as soon as it is there; ends early when ``stop()`` turns true."""
        for task, parent in jobs:
            if stop():
                return
            result = execute(self.model, plan, task, parent, callback=lambda state: stop())
            if result.status is not Status.INTERRUPTED:
                yield task, result


class Pooled:
    """Tasks on an executor: the built-in process pool, or one that the user brings (dask, MPI).

    Parameters
    ----------
    model : EnergyModel
    method : Method
    workers : int
        Processes of the built-in pool.
    executor : Executor or None
        None: the built-in pool.

    Raises
    ------
    TypeError
        If the model or the method cannot be sent to the workers.
    RuntimeError
        If the workers die before they do anything.
    """

    def __init__(self, model: EnergyModel, method: Method, workers: int, executor: Executor | None):
        self.workers = workers
        self.own = executor is None
        if self.own:
            sendable("model", model)
            sendable("method", method)
        self.parcel = packed(model)
        self.executor = spawned(self.workers) if self.own else executor
        try:
            self._try_out("model", self.parcel)
            self._try_out("method", method)
        except BaseException:
            self.close(at_once=True)
            raise

    def _try_out(self, argument: str, value: Any) -> None:
        """Send something to a worker, by whatever means the executor sends things."""
        try:
            self.executor.submit(_received, value).result()
        except BrokenExecutor as error:
            raise RuntimeError(f"{argument}: the worker process that received it died; {_IMPORTABLE}; {_GUARD}") from error
        except Exception as error:
            raise _cannot_travel(argument, error) from error

    def results(self, plan: Plan, jobs: list[Job], stop: Stop) -> Iterator[tuple[Task, SearchResult]]:
        """Each result as soon as it is there, in any order; when ``stop()`` turns true only what has started is waited for.

        When a worker process dies, its tasks are tried again one at a time in a fresh pool, and the one that kills its worker
        again ends with `Status.FAILED`.
        """
        left = {job[0].id: job for job in jobs}
        try:
            futures = {self.executor.submit(_work, self.parcel, plan, *job): job[0] for job in jobs}
            for task, result in self._collect(futures, stop):
                del left[task.id]
                if result.status is not Status.INTERRUPTED:  # Ctrl-C reaches the workers of another's pool too
                    yield task, result
            return
        except BrokenExecutor:
            if not self.own:
                raise
        for job in left.values():
            if stop():
                return
            self.executor.shutdown(wait=False, cancel_futures=True)
            self.executor = spawned(self.workers)
            try:
                result = self.executor.submit(_work, self.parcel, plan, *job).result()
            except BrokenExecutor:
                result = _died(job)
            yield job[0], result

    def _collect(self, futures: dict[Future, Task], stop: Stop) -> Iterator[tuple[Task, SearchResult]]:
        waiting = set(futures)
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=NOTICE, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=lambda future: futures[future].id):
                    yield futures[future], future.result()
                if stop():
                    waiting = {future for future in waiting if not future.cancel()}
        finally:
            for future in waiting:
                future.cancel()

    def close(self, at_once: bool = False) -> None:
        """Shut the pool down, if it is our own; ``at_once``: without waiting for what its workers do."""
        if not self.own:
            return
        if at_once:
            _dismiss(self.executor)
        else:
            self.executor.shutdown(wait=True, cancel_futures=True)


_GUARD = (
    "they import the script that starts them, so what it does must stand under "
    '`if __name__ == "__main__":`, in a file; or use workers=1'
)
_IMPORTABLE = "its class and functions must be importable there, that is defined at the top of a module (no lambdas)"


def spawned(workers: int) -> Executor:
    """A pool of so many worker processes.

    Raises
    ------
    RuntimeError
        If they die before they do anything.
    """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    # Spawned, not forked: a fork copies threads' locks.
    pool = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin_worker)
    try:
        # Workers that cannot even start must not be taken for searches that kill them.
        pool.submit(_received, None).result()
    except BaseException as error:
        _dismiss(pool)
        if isinstance(error, BrokenExecutor):
            raise RuntimeError(f"workers: the worker processes died before they did anything; {_GUARD}") from error
        raise
    return pool


def sendable(argument: str, value: Any) -> None:
    """Check that a value can be sent to worker processes.

    Raises
    ------
    TypeError
        If it cannot.
    """
    try:
        pickle.dumps(value)
    except Exception as error:
        raise _cannot_travel(argument, error) from error


def _cannot_travel(argument: str, error: Exception) -> TypeError:
    return TypeError(
        f"{argument}: cannot be sent to workers ({type(error).__name__}: {error}); {_IMPORTABLE}; or use workers=1 and no executor"
    )


def _dismiss(pool: Executor) -> None:
    """End a process pool without waiting for its searches; the standard library has no public way before Python 3.14."""
    for process in list((pool._processes or {}).values()):
        process.terminate()
    pool.shutdown(wait=True, cancel_futures=True)


class _FromFile(NamedTuple):
    """A model whose class comes from a file, on its way: workers load the file before they unpickle it."""

    module: str
    name: str
    params: dict
    pickled: bytes


def packed(model: EnergyModel) -> EnergyModel | _FromFile:
    """A model as it is sent to workers."""
    name = model_name(model)
    if ":" not in name:
        return model
    return _FromFile(type(model).__module__, name, model_parameters(model), pickle.dumps(model))


def unpacked(parcel: Any) -> Any:
    """The model that `packed` packed, in a worker."""
    if not isinstance(parcel, _FromFile):
        return parcel
    if parcel.module not in sys.modules:
        load_model(parcel.name, parcel.params)
    return pickle.loads(parcel.pickled)


def _died(job: Job) -> SearchResult:
    task, parent = job
    x = task.start if parent is None else parent.x
    message = f"{Status.FAILED.sentence} The worker process died twice at this search (out of memory, or a crash in compiled code)."
    return SearchResult(Status.FAILED, message, None, np.array(x), np.nan, np.nan, task.target)


def _begin_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the driver, which lets workers finish
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A worker waits for its next task with a lock; a driver that was killed leaves nobody who ever releases it.
    import multiprocessing

    multiprocessing.parent_process().join()
    os._exit(1)  # sys.exit ends this thread alone


def _received(parcel: Any) -> None:
    unpacked(parcel)


def _work(parcel: Any, plan: Plan, task: Task, parent: StationaryPoint | None) -> SearchResult:
    with one_thread():
        return execute(unpacked(parcel), plan, task, parent)
