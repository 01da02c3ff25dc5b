"""Replacing a file at once: at every moment the old or the new one is there, whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .journal import sync_directory, write_all


def temporary_beside(path: Path) -> Path:
    """Where the new file is made before it takes the place of the old one."""
    return path.with_name(path.name + ".tmp")


def replace_file(path: Path, block: bytes, image: bytes) -> None:
    """Put a file of ``block`` and ``image`` in the place of the one at ``path``, whose permissions it keeps.

    Raises
    ------
    OSError
        The old file is then as it was.
    """
    temporary = temporary_beside(path)
    try:
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
        try:
            if path.exists():
                os.fchmod(descriptor, stat.S_IMODE(path.stat().st_mode))
            write_all(descriptor, block, 0)
            write_all(descriptor, image, len(block))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)
