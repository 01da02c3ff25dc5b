"""The driver: rounds of tasks, results into the journal as they arrive, merging in task order."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ..results import SearchResult, Status
from .execute import Plan
from .landscape import Landscape
from .merge import Merger
from .parallel import Pooled, Serial, one_thread
from .progress import Progress
from .records import Commit, Run, SearchRecord, Task

logger = logging.getLogger(__name__)

ROUND = 32  # tasks chosen together; it must not depend on the number of workers


def now() -> str:
    """UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(eq=False)
class Driver:
    """Works off the frontier of a landscape.

    Parameters
    ----------
    landscape : Landscape
        With its last run begun and its tasks on the frontier.
    merger : Merger
    plan : Plan
    runner : Serial or Pooled
    store : MemoryStore or FileStore
    progress : Progress or None
    callback : callable or None
        ``callback(landscape, search)`` after every merged search; a true return value ends the run politely.
    """

    landscape: Landscape
    merger: Merger
    plan: Plan
    runner: Serial | Pooled
    store: Any
    progress: Progress | None
    callback: Callable[[Landscape, SearchRecord], bool | None] | None

    def run(self) -> Landscape:
        """Work until the frontier is empty, or until Ctrl-C, SIGTERM or the callback asks to stop; what is done is kept."""
        landscape = self.landscape
        try:
            with one_thread(), _interruptible() as stop:
                while landscape.frontier and not stop():
                    self._round(stop)
                    self.store.checkpoint(landscape)
        finally:
            if self.progress is not None:
                self.progress.close()
        status = "interrupted" if landscape.frontier else "complete"
        landscape.runs[-1] = replace(landscape.runs[-1], ended=now(), status=status)
        self.store.end(landscape.runs[-1])
        self.store.close(landscape)
        return landscape

    def _round(self, stop: _Stop) -> None:
        landscape = self.landscape
        tasks = [landscape.frontier[i] for i in sorted(landscape.frontier)[:ROUND]]
        jobs = [
            (task, landscape.nodes[task.parent].point if task.parent >= 0 else None)
            for task in tasks
            if task.id not in landscape.pending
        ]
        turn = self._merge_ready(tasks, 0, stop)
        for task, result in self.runner.results(self.plan, jobs, stop):
            self.store.result(task.id, result)
            landscape.pending[task.id] = result  # what waits for its turn when the run is stopped is merged when it is resumed
            turn = self._merge_ready(tasks, turn, stop)

    def _merge_ready(self, tasks: list[Task], turn: int, stop: _Stop) -> int:
        """Merge what has arrived, in task order and without gaps; returns whose turn is next."""
        pending = self.landscape.pending
        while turn < len(tasks) and tasks[turn].id in pending:
            self._merge(tasks[turn], pending[tasks[turn].id], stop)
            turn += 1
        return turn

    def _merge(self, task: Task, result: SearchResult, stop: _Stop) -> None:
        landscape = self.landscape
        commit = self._commit(task, result)
        self.store.commit(commit)
        landscape.apply(commit)
        if self.progress is not None:
            self.progress.update(landscape)
        if self.callback is not None and self.callback(landscape, commit.search):
            stop.request()

    def _commit(self, task: Task, result: SearchResult) -> Commit:
        """What a search adds; an exception of the model or of a user's symmetry makes it one that failed: the run goes on."""
        try:
            return self.merger.commit(self.landscape, task, result, self.landscape.next_task)
        except MemoryError:
            raise
        except Exception as error:
            logger.warning("search %d could not be merged: %s", task.id, error)
            logger.debug("its traceback", exc_info=True)
            message = f"{Status.FAILED.sentence} Its end could not be merged: {type(error).__name__}: {error}"
            return self.merger.failed(task, result, message)


class _Stop:
    """A wish to stop, from a signal or a callback; calling it says whether there is one."""

    def __init__(self) -> None:
        self._requested = False
        self._unsaid = False

    def __call__(self) -> bool:
        if self._unsaid:
            self._unsaid = False
            logger.warning("stopping: searches that workers have begun are finished first; Ctrl-C again stops at once")
        return self._requested

    def request(self, *_: Any) -> None:
        """Ask for a polite stop; a second signal interrupts at once."""
        if self._requested and _:
            raise KeyboardInterrupt
        self._requested = True
        self._unsaid = bool(_)  # said at the next look: a handler that writes may cut into a line that is being written


@contextmanager
def _interruptible():
    """Ctrl-C and SIGTERM as a wish to stop between steps, so that no record is cut in two."""
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {signal.SIGINT: signal.signal(signal.SIGINT, stop.request)}
    # Batch schedulers send SIGTERM; a program that handles it already has its own way to end.
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        before[signal.SIGTERM] = signal.signal(signal.SIGTERM, stop.request)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def new_run(landscape: Landscape, configuration: dict, entropy: int) -> Run:
    """The record of a run that begins now."""
    command = "extend" if landscape.runs else "explore"
    return Run(len(landscape.runs), now(), "", "running", configuration, entropy, command)
