"""The file store: one journal record per event, the landscape file rebuilt when the journal has grown."""

from __future__ import annotations

import logging
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from ..landscape.landscape import Landscape
from ..landscape.records import Commit, Run, Task
from ..results import SearchResult
from . import envelope, snapshot
from .access import check_writable, make_room
from .atomic import replace_file, temporary_beside
from .codec import encode, encode_commit
from .envelope import FORMAT_MAJOR, FORMAT_MINOR, seal
from .errors import MissingFileError, explained
from .journal import Journal, Scan, journal_path
from .lock import Lock
from .reader import fold
from .snapshot import Header

logger = logging.getLogger(__name__)

# The file is rebuilt when the journal has outgrown it, so all rebuilds together write at most about twice the final file;
# a journal below the minimum is replayed in milliseconds.
_FOLD_FRACTION = 1.0
_FOLD_MINIMUM = 1 << 20

_VERSION = (FORMAT_MAJOR, FORMAT_MINOR)


class FileStore:
    """Keeps a landscape in a file while it grows. Made by `create` and `reopen`; one writer at a time.

    What a method acknowledges by returning survives SIGKILL. A power cut may cost the records of the last seconds, see `journal`.
    As a context manager it closes itself; after an exception the journal is left to be folded by the next `reopen`.

    Attributes
    ----------
    path : Path
    header : Header
        Of the file as it was written last.
    """

    def __init__(self, path: Path, lock: Lock, landscape: Landscape, header: Header):
        self.path = path
        self.header = header
        self._lock = lock
        self._landscape = landscape
        self._pending = dict(landscape.pending)
        self._n_merged = len(landscape.searches)
        self._journal: Journal | None = None
        self._size = 0

    # --- opening ----------------------------------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: str | os.PathLike[str], landscape: Landscape, *, overwrite: bool = False) -> FileStore:
        """Begin a new file, and write the landscape into it at once.

        Parameters
        ----------
        path : path
        landscape : Landscape
            Empty, or one that is to grow further. Its ``path`` is set.
        overwrite : bool
            Whether a landscape file that is there already may be replaced, with its journal.

        Raises
        ------
        ExistingFileError, ForeignFileError
            If a file is in the way: one that may not be replaced, or one that is no landscape file.
        LockedFileError, ReadOnlyFileError, MissingFileError, DiskFullError, StoreError
        """
        path = Path(path).resolve()  # a link is followed, not replaced
        lock = Lock(path)
        try:
            make_room(path, overwrite)
            landscape.path = str(path)
            store = cls(path, lock, landscape, Header())
            store._write(landscape, 0)
        except BaseException:
            lock.release()
            raise
        return store

    @classmethod
    def reopen(cls, path: str | os.PathLike[str]) -> tuple[FileStore, Landscape]:
        """Go on with a file: take the lock and fold the journal.

        Returns
        -------
        store : FileStore
        landscape : Landscape
            With ``recovered`` and ``pending`` set, see `read`.

        Raises
        ------
        LockedFileError, ReadOnlyFileError, DiskFullError
        StoreError
            As for `read`.
        """
        path = Path(path).resolve()  # a link is followed, not replaced
        if not path.exists():
            raise MissingFileError(f"{path}: there is no such file; check the path, or start a new run")
        check_writable(path)
        lock = Lock(path)
        try:
            (landscape, header), found = fold(path)
            store = cls(path, lock, landscape, header)
            store._size = path.stat().st_size
            temporary_beside(store.path).unlink(missing_ok=True)
            store._open_journal(found)
        except BaseException:
            lock.release()
            raise
        if landscape.recovered:
            logger.info("%s: %d searches recovered from the journal", path, landscape.recovered)
        return store, landscape

    def _open_journal(self, found: Scan | None) -> None:
        if found is None or (not found.damaged and found.last < self.header.last_seq):
            # Closed politely, or a power cut took unsynced records that the file has: nothing in it is needed any more.
            self._journal = Journal.begin(self.path, self.header.uuid, _VERSION, self.header.last_seq)
        elif found.damaged:
            kept = journal_path(self.path).with_suffix(".journal.damaged")
            with explained(self.path, "keep a copy of the damaged journal of"):
                shutil.copyfile(journal_path(self.path), kept)
            logger.warning("%s: the damaged journal is kept as %s", self.path, kept)
            self._write(self._landscape, max(self.header.last_seq, found.last))
        else:
            self._journal = Journal.reopen(self.path, found)

    # --- recording --------------------------------------------------------------------------------------------------------

    def begin(self, run: Run, tasks: tuple[Task, ...]) -> None:
        """Record that a run starts, with its first tasks on the frontier.

        Raises
        ------
        DiskFullError, StoreError
        """
        self._append(encode("begin", run=run, tasks=tuple(tasks)))

    def end(self, run: Run) -> None:
        """Record a run whose status changed.

        Raises
        ------
        DiskFullError, StoreError
        """
        self._append(encode("end", run=run))

    def result(self, task_id: int, result: SearchResult) -> None:
        """Record a finished search the moment it arrives, in any order of tasks.

        Raises
        ------
        DiskFullError, StoreError
            The search is then not recorded; everything before it is.
        """
        self._append(encode("result", task=int(task_id), result=result))
        self._pending[task_id] = result

    def commit(self, commit: Commit) -> None:
        """Record what merging a search changed.

        Raises
        ------
        DiskFullError, StoreError
            The commit is then not recorded; everything before it is.
        """
        task_id = commit.search.task.id
        if task_id not in self._pending:
            self.result(task_id, commit.search.result)
        self._append(encode_commit(commit, self._pending[task_id]))
        self._n_merged += 1
        del self._pending[task_id]

    def _append(self, payload: bytes) -> None:
        if self._journal is None:
            raise ValueError(f"{self.path}: this store is closed; go on with FileStore.reopen")
        self._journal.append(payload)

    # --- folding ----------------------------------------------------------------------------------------------------------

    def checkpoint(self, landscape: Landscape, force: bool = False) -> None:
        """Fold the journal into the file if it has outgrown it, or if ``force``; the file is whole at every moment.

        Parameters
        ----------
        landscape : Landscape
            With every commit applied.
        force : bool

        Raises
        ------
        DiskFullError, ReadOnlyFileError, StoreError
            File and journal are then as they were.
        ValueError
            If the landscape lacks a commit.
        """
        if self._journal is None:
            raise ValueError(f"{self.path}: this store is closed; go on with FileStore.reopen")
        if force or self._journal.length > max(_FOLD_MINIMUM, _FOLD_FRACTION * self._size):
            if len(landscape.searches) != self._n_merged:
                merged = len(landscape.searches)
                raise ValueError(f"landscape: got {merged} merged searches, expected the {self._n_merged} that were committed")
            self._write(landscape, self._journal.sequence)

    def _write(self, landscape: Landscape, sequence: int) -> None:
        """File first, journal second: killed in between, the old journal holds nothing but records to skip."""
        header = replace(self.header, last_seq=sequence)
        image = snapshot.encode(landscape, self._pending, header)
        self._replace_file(seal(image), image)
        self.header = header
        self._size = envelope.USER_BLOCK + len(image)
        fresh = Journal.begin(self.path, header.uuid, _VERSION, sequence)
        if self._journal is not None:
            self._journal.close()
        self._journal = fresh

    def _replace_file(self, block: bytes, image: bytes) -> None:
        with explained(self.path, "write a checkpoint of"):
            replace_file(self.path, block, image)

    # --- closing ----------------------------------------------------------------------------------------------------------

    def close(self, landscape: Landscape) -> None:
        """Fold everything into the file, drop the journal and give the lock back. Closing twice does nothing.

        Parameters
        ----------
        landscape : Landscape

        Raises
        ------
        DiskFullError, ReadOnlyFileError, StoreError
            The journal then stays, for the next `reopen`; the lock is given back.
        """
        if self._journal is None:
            return
        try:
            if len(landscape.searches) != self._n_merged:
                # An interrupt came between a commit and its merging in memory; what counts is what was acknowledged.
                landscape = fold(self.path)[0].landscape
                self._pending = landscape.pending
            if self._journal.sequence > self.header.last_seq:
                self._write(landscape, self._journal.sequence)
            with explained(self.path, "remove the journal of"):
                journal_path(self.path).unlink()
        finally:
            self._release()

    def _release(self) -> None:
        self._journal.close()
        self._journal = None
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.close(self._landscape)
        elif self._journal is not None:
            # The landscape in memory may be behind the journal after an exception; the journal is not.
            self._release()


def save(landscape: Landscape, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
    """Write a landscape into a file of its own; its ``path`` is set.

    Parameters
    ----------
    landscape : Landscape
    path : path
    overwrite : bool
        Whether a landscape file that is there already may be replaced. Any other file never is.

    Raises
    ------
    ExistingFileError, ForeignFileError, LockedFileError, ReadOnlyFileError, MissingFileError, DiskFullError, StoreError
        As for `FileStore.create`.
    """
    FileStore.create(path, landscape, overwrite=overwrite).close(landscape)
