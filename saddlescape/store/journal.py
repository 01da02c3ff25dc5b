"""The journal beside a landscape file: append-only frames, each acknowledged when it is with the operating system.

A frame is ``crc32, length, sequence number`` (little-endian ``u4, u8, u8``) and the payload; the checksum covers length, number
and payload. The first frame names the landscape file (by uuid) and carries the sequence number the file had reached when the
journal was begun; those after it count up by one. What follows the first frame that does not check is ignored.

SIGKILL loses nothing that was acknowledged. The journal reaches the disk at most `SYNC_SECONDS` after a record when records keep
coming, and at every checkpoint; a power cut may cost the records since then.
"""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .codec import encode, open_payload
from .errors import explained

SYNC_SECONDS = 2.0

_FRAME = struct.Struct("<IQQ")
_CHECKED = struct.Struct("<QQ")


def journal_path(path: Path) -> Path:
    """Where the journal of a landscape file lies."""
    return path.with_name(path.name + ".journal")


def frame(sequence: int, payload: bytes) -> bytes:
    """A payload with its frame around it."""
    crc = zlib.crc32(payload, zlib.crc32(_CHECKED.pack(len(payload), sequence)))
    return _FRAME.pack(crc, len(payload), sequence) + payload


def write_all(descriptor: int, data: bytes | memoryview, offset: int) -> None:
    """Write all of ``data`` at an offset; the operating system may take it in pieces."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view = view[written:]
        offset += written


def sync_directory(folder: Path) -> None:
    """Bring a rename inside a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class Scan:
    """What a journal holds, up to its first bad frame.

    Parameters
    ----------
    uuid : str
        Of the landscape file it belongs to; empty for a journal without a single good frame.
    format_version : tuple of int
    records : tuple of (int, memoryview)
        Sequence numbers and payloads.
    last : int
        The last sequence number.
    length : int
        Bytes up to the end of the last good frame.
    ignored : int
        Bytes after it.
    damaged : bool
        Whether those are more than a last frame that was still being written.
    """

    uuid: str = ""
    format_version: tuple[int, int] = (0, 0)
    records: tuple[tuple[int, memoryview], ...] = ()
    last: int = -1
    length: int = 0
    ignored: int = 0
    damaged: bool = False


def _frames(data: memoryview) -> Iterator[tuple[int, memoryview, int]]:
    offset, expected = 0, None
    while offset + _FRAME.size <= len(data):
        crc, length, sequence = _FRAME.unpack_from(data, offset)
        start, end = offset + _FRAME.size, offset + _FRAME.size + length
        if end > len(data) or zlib.crc32(data[start:end], zlib.crc32(data[offset + 4 : start])) != crc:
            return
        if expected is not None and sequence != expected:
            return
        yield sequence, data[start:end], end
        offset, expected = end, sequence + 1


def _is_torn(rest: memoryview) -> bool:
    if len(rest) < _FRAME.size:
        return True
    return _FRAME.size + _FRAME.unpack_from(rest)[1] > len(rest)


def scan(path: Path) -> Scan | None:
    """Read the journal of a landscape file; None if there is none.

    Parameters
    ----------
    path : Path
        The landscape file.
    """
    with explained(path, "read the journal of"):
        try:
            data = memoryview(journal_path(path).read_bytes())
        except FileNotFoundError:
            return None
    frames = list(_frames(data))
    if not frames:
        return Scan(ignored=len(data), damaged=True)
    head, _ = open_payload(frames[0][1])
    length = frames[-1][2]
    return Scan(
        uuid=head.get("uuid", ""),
        format_version=tuple(head.get("format", (0, 0))),
        records=tuple((number, body) for number, body, _ in frames[1:]),
        last=frames[-1][0],
        length=length,
        ignored=len(data) - length,
        damaged=not _is_torn(data[length:]),
    )


class Journal:
    """The journal of a landscape file, open for appending.

    Parameters
    ----------
    path : Path
        The landscape file.
    descriptor : int
        The journal, open for writing.
    sequence : int
        Number of its last record.
    length : int
        Bytes up to the end of its last record.
    """

    def __init__(self, path: Path, descriptor: int, sequence: int, length: int):
        self._path = path
        self._descriptor = descriptor
        self.sequence = sequence
        self.length = length
        self._synced_at = time.monotonic()

    @classmethod
    def begin(cls, path: Path, uuid: str, format_version: tuple[int, int], sequence: int) -> Journal:
        """Put a fresh journal in place of the old one, for the records after ``sequence``.

        The name always points to a whole journal, and a reader that has the old one open keeps it.

        Raises
        ------
        DiskFullError, ReadOnlyFileError, StoreError
        """
        data = frame(sequence, encode("journal", uuid=uuid, format=list(format_version)))
        place = journal_path(path)
        fresh = place.with_name(place.name + ".tmp")
        with explained(path, "begin a journal for"):
            descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
            try:
                write_all(descriptor, data, 0)
                os.fsync(descriptor)
                os.replace(fresh, place)
                sync_directory(place.parent)
            except BaseException:
                os.close(descriptor)
                fresh.unlink(missing_ok=True)
                raise
        return cls(path, descriptor, sequence, len(data))

    @classmethod
    def reopen(cls, path: Path, found: Scan) -> Journal:
        """Go on after the last good record of a journal.

        Raises
        ------
        ReadOnlyFileError, StoreError
        """
        with explained(path, "append to the journal of"):
            descriptor = os.open(journal_path(path), os.O_RDWR)
            os.ftruncate(descriptor, found.length)
        return cls(path, descriptor, found.last, found.length)

    def append(self, payload: bytes) -> None:
        """Add a record; on return it is with the operating system, and a kill cannot lose it.

        Raises
        ------
        DiskFullError, StoreError
            The record is then not in the journal; those before it are, and more can be appended.
        """
        data = frame(self.sequence + 1, payload)
        due = time.monotonic() - self._synced_at > SYNC_SECONDS
        with explained(self._path, "append a record to the journal of"):
            # At a position, not at the end: what an interrupted append left behind is written over by the next one.
            try:
                write_all(self._descriptor, data, self.length)
                if due:
                    os.fsync(self._descriptor)
            except BaseException:
                os.ftruncate(self._descriptor, self.length)
                raise
        self.sequence += 1
        self.length += len(data)
        if due:
            self._synced_at = time.monotonic()

    def close(self) -> None:
        """Close it; the file stays."""
        os.close(self._descriptor)
