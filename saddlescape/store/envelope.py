"""The first 512 bytes of a file: its format version, size and SHA-256, checked before the HDF5 library parses anything.

The HDF5 format calls this space the user block and skips it. It holds three lines of text, then zeros::

    saddlescape-landscape 1.0
    sha256 <hexadecimal digest of everything after the 512 bytes>
    bytes <size of the whole file>

A file of a bifurcation diagram has the same with the word ``saddlescape-diagram``.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

from . import probe
from .errors import DamagedFileError, ForeignFileError, NewerFormatError, TruncatedFileError

FORMAT = "saddlescape-landscape"
DIAGRAM = "saddlescape-diagram"
FORMAT_MAJOR = 1
FORMAT_MINOR = 0
USER_BLOCK = 512

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SEAL = re.compile(rb"(saddlescape-[a-z]+) (\d{1,6})\.(\d{1,6})\nsha256 ([0-9a-f]{64})\nbytes (\d{1,19})\n\0+")
_PROBE_SECONDS = 120


def seal(image: bytes, format: str = FORMAT) -> bytes:
    """The user block for an HDF5 image, (512,) bytes."""
    digest = hashlib.sha256(image).hexdigest()
    text = f"{format} {FORMAT_MAJOR}.{FORMAT_MINOR}\nsha256 {digest}\nbytes {USER_BLOCK + len(image)}\n"
    return text.encode().ljust(USER_BLOCK, b"\0")


def refuse_newer(path: Path, major: int, minor: int) -> None:
    """Raise `NewerFormatError` if a format version is newer than what this library reads."""
    if major > FORMAT_MAJOR:
        raise NewerFormatError(
            f"{path}: format version {major}.{minor} is newer than {FORMAT_MAJOR}.{FORMAT_MINOR}, the newest that "
            "this saddlescape reads; update saddlescape"
        )


def is_ours(path: Path, format: str = FORMAT) -> bool:
    """Whether a file begins like one of a format."""
    with path.open("rb") as handle:
        return handle.read(len(format)) == format.encode()


def noun(format: str) -> str:
    """What a file of a format holds, in words."""
    return {FORMAT: "landscape", DIAGRAM: "diagram"}[format]


def check(path: Path, handle: BinaryIO, verify: bool = True, format: str = FORMAT) -> None:
    """Check that the bytes of an open file are those that were written, before HDF5 sees them.

    Parameters
    ----------
    path : Path
        For the messages.
    handle : binary file
    verify : bool
        False accepts a file that was edited after it was written, if HDF5 survives reading it in another process.
    format : str
        What the file is expected to hold.

    Raises
    ------
    ForeignFileError, TruncatedFileError, DamagedFileError, NewerFormatError
    """
    handle.seek(0)
    block = handle.read(USER_BLOCK)
    size = os.fstat(handle.fileno()).st_size
    match = _SEAL.fullmatch(block)
    what = f"{noun(format)} file"
    if match is not None:
        if match[1] != format.encode():
            raise ForeignFileError(f"{path}: not a {what} but one of format {match[1].decode()}; {_OTHER}")
        refuse_newer(path, int(match[2]), int(match[3]))
        if not verify:
            return _probe(path)
        return _check_sealed(path, handle, match[4].decode(), int(match[5]), size)
    if size < USER_BLOCK and block[: len(format)] == format.encode()[: len(block)]:
        raise TruncatedFileError(
            f"{path}: truncated, only {size} bytes are left of the {USER_BLOCK} a {what} begins with; {_RESTORE}"
        )
    if not _has_signature(handle, block, size):
        raise ForeignFileError(f"{path}: not a {what} (not even HDF5); give the path of a file written by saddlescape")
    return _probe(path)


_RESTORE = "restore it from a copy, or run the search again"
_OTHER = "landscapes are read by saddlescape.load, diagrams by saddlescape.Diagram.load"
_EDITED = "(if you edited it yourself: saddlescape.load(path, verify=False))"


def _check_sealed(path: Path, handle: BinaryIO, digest: str, expected: int, size: int) -> None:
    if size < expected:
        raise TruncatedFileError(f"{path}: truncated, {size} of {expected} bytes are left; {_RESTORE}")
    if size > expected:
        raise DamagedFileError(
            f"{path}: damaged, {size - expected} bytes follow the {expected} that were written; {_RESTORE} {_EDITED}"
        )
    handle.seek(USER_BLOCK)
    if hashlib.file_digest(handle, "sha256").hexdigest() != digest:
        raise DamagedFileError(f"{path}: damaged, its SHA-256 is not the one it was written with; {_RESTORE} {_EDITED}")


def _has_signature(handle: BinaryIO, block: bytes, size: int) -> bool:
    """HDF5 files begin at byte 0, 512, 1024, 2048, ..."""
    if block.startswith(_SIGNATURE):
        return True
    offset = USER_BLOCK
    while offset < size:
        handle.seek(offset)
        if handle.read(len(_SIGNATURE)) == _SIGNATURE:
            return True
        offset *= 2
    return False


def _probe(path: Path) -> None:
    """Let another process read every dataset, so that a crash of the HDF5 library is an error message here."""
    command = [sys.executable, "-P", probe.__file__, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=_PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise DamagedFileError(f"{path}: damaged, HDF5 was still reading it after {_PROBE_SECONDS} s; {_RESTORE}") from None
    if done.returncode < 0:
        raise DamagedFileError(f"{path}: damaged, the HDF5 library crashed reading it (signal {-done.returncode}); {_RESTORE}")
    if done.returncode > 0:
        reason = done.stderr.strip().rpartition("\n")[2] or f"exit status {done.returncode}"
        raise DamagedFileError(f"{path}: damaged or truncated, HDF5 cannot read it ({reason}); {_RESTORE}")
