"""What can be wrong with a landscape file: one exception per cause, each naming the file and the way out."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StoreError(OSError):
    """Something is wrong with a landscape file, its journal or its lock; the parent of all errors of the store."""


class MissingFileError(StoreError, FileNotFoundError):
    """There is no such file."""


class ExistingFileError(StoreError, FileExistsError):
    """A file is in the way and was not to be overwritten."""


class ForeignFileError(StoreError):
    """The file is no landscape file, or its journal belongs to another one."""


class TruncatedFileError(StoreError):
    """The file is shorter than it was written."""


class DamagedFileError(StoreError):
    """The bytes of the file are not the ones that were written, or make no landscape."""


class NewerFormatError(StoreError):
    """The file has a newer major format version than this library reads."""


class ReadOnlyFileError(StoreError, PermissionError):
    """The file or its folder cannot be read or written."""


class LockedFileError(StoreError):
    """Another process, or another store of this process, writes the file."""


class DiskFullError(StoreError):
    """No room was left for a record or a checkpoint."""


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NO_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextmanager
def explained(path: Path, doing: str) -> Iterator[None]:
    """Turn an `OSError` of the operating system into one that names the file, what went wrong and the way out.

    Parameters
    ----------
    path : Path
        The file the user knows, not the temporary or journal beside it.
    doing : str
        What was being attempted, as in "write a checkpoint of".

    Raises
    ------
    DiskFullError, ReadOnlyFileError, MissingFileError, StoreError
    """
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        raise _translated(path, doing, error) from error


def _translated(path: Path, doing: str, error: OSError) -> StoreError:
    reason = error.strerror or str(error)
    if error.errno in _NO_ROOM:
        kind = DiskFullError
        message = (
            f"no room to {doing} it ({reason}); every search acknowledged so far is still in the file and its journal: "
            "free some space, then resume"
        )
    elif error.errno in _NO_PERMISSION:
        kind = ReadOnlyFileError
        message = f"not allowed to {doing} it ({reason}); change the permissions of the file and its folder, or choose another path"
    elif error.errno in (errno.ENOENT, errno.ENOTDIR):
        kind = MissingFileError
        message = f"cannot {doing} it ({reason}); check the path, its folder must exist"
    elif error.errno == errno.EISDIR:
        kind = ForeignFileError
        message = f"cannot {doing} it ({reason}); give the path of a landscape file inside it"
    else:
        kind = StoreError
        message = f"cannot {doing} it ({reason}); check the path and the disk, then try again"
    translated = kind(f"{path}: {message}")
    translated.errno = error.errno
    return translated
