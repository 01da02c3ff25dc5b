"""Whether a path may be written: what is in the way is never lost unasked."""

from __future__ import annotations

import os
from pathlib import Path

from .envelope import is_ours
from .errors import ExistingFileError, ForeignFileError, ReadOnlyFileError, explained
from .journal import journal_path


def make_room(path: Path, overwrite: bool) -> None:
    """Refuse to lose what is there, or take the old journal away so that it cannot meet the new file.

    Raises
    ------
    ForeignFileError, ExistingFileError, ReadOnlyFileError, StoreError
    """
    journal = journal_path(path)
    with explained(path, "create"):
        occupied = path.exists() and path.stat().st_size > 0
        if occupied and not is_ours(path):
            raise ForeignFileError(f"{path}: this file is not a landscape file and will not be replaced; choose another path")
        if (occupied or journal.exists()) and not overwrite:
            what = "there is a landscape file already" if occupied else f"the journal {journal.name} of an earlier run is there"
            raise ExistingFileError(f"{path}: {what}; resume it, choose another path, or pass overwrite=True to replace it")
        if occupied:
            check_writable(path)
        journal.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Refuse a file that is not to be written.

    Raises
    ------
    ReadOnlyFileError
    """
    # A rename would replace a file that forbids writing, and the superuser is refused nothing: so the mode is read.
    if not path.stat().st_mode & 0o222 or not os.access(path, os.W_OK):
        raise ReadOnlyFileError(f"{path}: the file is read-only; make it writable (chmod u+w), or copy it and resume the copy")
