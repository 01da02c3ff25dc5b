"""The store that stores nothing: the twin of `FileStore` for landscapes that live in memory."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from ..landscape.landscape import Landscape
from ..landscape.records import Commit, Run, Task
from ..results import SearchResult


class MemoryStore:
    """Takes everything a `FileStore` takes, and keeps nothing beyond the landscape itself."""

    path = None

    def begin(self, run: Run, tasks: tuple[Task, ...]) -> None:
        """A run starts, with its first tasks."""

    def end(self, run: Run) -> None:
        """A run ended."""

    def result(self, task_id: int, result: SearchResult) -> None:
        """A search is finished."""

    def commit(self, commit: Commit) -> None:
        """A search is merged."""

    def checkpoint(self, landscape: Landscape, force: bool = False) -> None:
        """Between rounds."""

    def close(self, landscape: Landscape) -> None:
        """The end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing to release."""
