"""One writer per landscape file: a lock file beside it that says who writes."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from pathlib import Path
from typing import Any

from .errors import LockedFileError, explained
from .journal import write_all


class Lock:
    """The right to write a landscape file, held until `release`.

    The lock is the *content* of ``run.h5.lock`` (pid, host, and when the process began, so that a reused pid is not taken for the
    owner), not an operating-system lock: those are inherited by forked workers and outlive a killed driver. An operating-system
    lock only guards the moment in which the content is read and written.

    Parameters
    ----------
    path : Path
        The landscape file.

    Raises
    ------
    LockedFileError
        If a living process, or one on another host, writes the file.
    ReadOnlyFileError, MissingFileError, StoreError
        If the lock file cannot be made.
    """

    def __init__(self, path: Path):
        self._place = path.with_name(path.name + ".lock")
        self._content = _describe(os.getpid())
        with explained(path, "lock"):
            descriptor = self._open()
            try:
                owner = _parse(os.pread(descriptor, 4096, 0))
                if owner is not None and _alive(owner):
                    raise LockedFileError(_refusal(path, self._place, owner))
                os.ftruncate(descriptor, 0)
                write_all(descriptor, json.dumps(self._content).encode(), 0)
            finally:
                os.close(descriptor)

    def _open(self) -> int:
        """The lock file, held by `flock` until it is closed."""
        while True:
            descriptor = os.open(self._place, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                # Its owner may have removed the file between the two calls; a lock without a name protects nothing.
                if os.stat(self._place).st_ino == os.fstat(descriptor).st_ino:
                    return descriptor
            except FileNotFoundError:
                pass
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def release(self) -> None:
        """Give the right back. Does nothing if somebody took the lock file away."""
        if not self._place.exists():
            return
        descriptor = self._open()
        try:
            if _parse(os.pread(descriptor, 4096, 0)) == self._content:
                os.unlink(self._place)
        finally:
            os.close(descriptor)


def _describe(pid: int) -> dict[str, Any]:
    return {"pid": pid, "host": socket.gethostname(), "began": _began(pid)}


def _began(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty where the system does not tell, or nothing but its corpse is left."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    status = text.rpartition(")")[2].split()
    return "" if status[0] == "Z" else status[19]


def _parse(content: bytes) -> dict[str, Any] | None:
    """The owner a lock file names; None if it names none (its writer was killed before it could)."""
    try:
        owner = json.loads(content)
        return {"pid": int(owner["pid"]), "host": str(owner["host"]), "began": str(owner["began"])}
    except (ValueError, KeyError, TypeError):
        return None


def _alive(owner: dict[str, Any]) -> bool:
    if owner["host"] != socket.gethostname():
        return True  # cannot be known from here
    try:
        os.kill(owner["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return owner["began"] == _began(owner["pid"])


def _refusal(path: Path, place: Path, owner: dict[str, Any]) -> str:
    where = "this host" if owner["host"] == socket.gethostname() else f"host {owner['host']}"
    message = f"{path}: process {owner['pid']} on {where} is writing this file; wait for it or stop it, or write to another file"
    if owner["host"] != socket.gethostname():
        message += f" (if that process has ended, delete {place})"
    return message
