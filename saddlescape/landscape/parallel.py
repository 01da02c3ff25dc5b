"""Where tasks are carried out: in this process, or on any executor; one thread each, so that results do not depend on it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, as_completed
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any

import numpy as np

from ..model import EnergyModel, load_model, model_name, model_parameters
from ..results import SearchResult, StationaryPoint, Status
from .execute import Plan, execute
from .records import Task

Job = tuple[Task, StationaryPoint | None]
Stop = Callable[[], bool]


@lru_cache(maxsize=1)
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread() -> AbstractContextManager:
    """Linear algebra on one thread: reductions must not depend on a thread count."""
    return _controller().limit(limits=1)


class Serial:
    """Tasks one after the other in this process."""

    def __init__(self, model: EnergyModel, plan: Plan):
        self.model, self.plan = model, plan

    def results(self, jobs: list[Job], stop: Stop) -> Iterator[tuple[Task, SearchResult]]:
        """Each result as soon as it is there; ends early when ``stop()`` turns true."""
        for task, parent in jobs:
            if stop():
                return
            result = execute(self.model, self.plan, task, parent, callback=lambda state: stop())
            if result.status is not Status.INTERRUPTED:
                yield task, result

    def close(self) -> None:
        """Nothing to close."""


class Pooled:
    """Tasks on an executor: the built-in process pool, or one that the user brings (dask, MPI)."""

    def __init__(self, model: EnergyModel, plan: Plan, workers: int, executor: Executor | None):
        self.model, self.plan, self.workers = model, plan, workers
        self.own = executor is None
        self.executor = self._pool() if self.own else executor

    def _pool(self) -> Executor:
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        # Spawned, not forked: a fork copies threads' locks. A model from a file is loaded under its one canonical name first.
        name = model_name(self.model)
        source = (name, model_parameters(self.model)) if ":" in name else None
        return ProcessPoolExecutor(
            self.workers, mp_context=multiprocessing.get_context("spawn"), initializer=_begin_worker, initargs=(source,)
        )

    def results(self, jobs: list[Job], stop: Stop) -> Iterator[tuple[Task, SearchResult]]:
        """Each result as soon as it is there, in any order; ends early when ``stop()`` turns true.

        When a worker process dies, its tasks are tried again one at a time in a fresh pool, and the one that kills its worker
        again ends with `Status.FAILED`.
        """
        left = {job[0].id: job for job in jobs}
        try:
            futures = {self.executor.submit(_work, self.model, self.plan, *job): job for job in jobs}
            yield from self._collect(futures, left, stop)
        except BrokenExecutor:
            if not self.own:
                raise
        for task_id, job in list(left.items()):
            if stop():
                return
            self.executor.shutdown(wait=False, cancel_futures=True)
            self.executor = self._pool()
            try:
                yield job[0], self.executor.submit(_work, self.model, self.plan, *job).result()
            except BrokenExecutor:
                yield job[0], _died(job)
            del left[task_id]

    def _collect(self, futures: dict[Future, Job], left: dict[int, Job], stop: Stop) -> Iterator[tuple[Task, SearchResult]]:
        try:
            for future in as_completed(futures):
                task = futures[future][0]
                result = future.result()
                del left[task.id]
                yield task, result
                if stop():
                    left.clear()
                    return
        finally:
            for future in futures:
                future.cancel()

    def close(self) -> None:
        """Shut the pool down, if it is our own."""
        if self.own:
            self.executor.shutdown(wait=True, cancel_futures=True)


def _died(job: Job) -> SearchResult:
    task, parent = job
    x = task.start if parent is None else parent.x
    message = f"{Status.FAILED.sentence} The worker process died twice at this search (out of memory, or a crash in compiled code)."
    return SearchResult(Status.FAILED, message, None, np.array(x), np.nan, np.nan, task.target)


def _begin_worker(source: tuple[str, dict] | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the driver, which lets workers finish
    if source is not None:
        load_model(*source)


def _work(model: EnergyModel, plan: Plan, task: Task, parent: StationaryPoint | None) -> SearchResult:
    with one_thread():
        return execute(model, plan, task, parent)
