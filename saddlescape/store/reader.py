"""Reading a landscape file: check the bytes, parse the HDF5 image, fold what the journal has beyond it. Nothing is written."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import h5py

from ..landscape.landscape import Landscape
from ..landscape.records import Run, Task
from ..results import SearchResult
from . import codec, envelope, snapshot
from .errors import DamagedFileError, ForeignFileError, explained
from .journal import Scan, journal_path, scan
from .snapshot import Header, Snapshot

logger = logging.getLogger(__name__)

# What h5py and the decoders say when a file does not hold what they expect.
PARSING = (KeyError, ValueError, TypeError, IndexError, AttributeError, RuntimeError, OSError, OverflowError)


def read(path: str | os.PathLike[str], *, verify: bool = True) -> Landscape:
    """Read a landscape file, and the journal of a run that still goes on or was cut off.

    Nothing is written, and nothing that the file names is imported or executed.

    Parameters
    ----------
    path : path
    verify : bool
        False reads a file that was edited after it was written, whose SHA-256 is therefore wrong.

    Returns
    -------
    Landscape
        With ``path``, ``recovered`` (searches that were only in the journal) and ``pending`` (searches made but not merged) set.

    Raises
    ------
    MissingFileError, ReadOnlyFileError
        If the file is not there, or may not be read.
    ForeignFileError, TruncatedFileError, DamagedFileError, NewerFormatError
        If it is no landscape file, or not whole, or not readable by this version.
    """
    return fold(Path(path).resolve(), verify)[0].landscape


def read_header(path: str | os.PathLike[str]) -> Header:
    """What a landscape file says of itself: uuid, date, versions, state.

    Raises
    ------
    StoreError
        As for `read`.
    """
    return _read_image(Path(path).resolve(), verify=True).header


def fold(path: Path, verify: bool = True) -> tuple[Snapshot, Scan | None]:
    """A landscape file with its journal folded in, and what was found in the journal (None if there is none).

    Raises
    ------
    StoreError
        As for `read`.
    """
    # The journal first: the file only moves forward, so it then holds everything that this journal no longer does.
    found = scan(path) if path.exists() else None
    image = _read_image(path, verify)
    image.landscape.path = str(path)
    if found is not None:
        _check_journal(path, found, image.header)
        _replay(path, found, image)
    return image, found


def _read_image(path: Path, verify: bool) -> Snapshot:
    with explained(path, "read"), path.open("rb") as handle:
        envelope.check(path, handle, verify)
        try:
            with h5py.File(handle, "r") as file:
                _check_format(path, file)
                return snapshot.decode(file)
        except (ForeignFileError, envelope.NewerFormatError):
            raise
        except PARSING as error:
            raise DamagedFileError(
                f"{path}: damaged, it does not have the layout of format version {envelope.FORMAT_MAJOR} "
                f"({type(error).__name__}: {error}); restore it from a copy, or run the search again"
            ) from error


def _check_format(path: Path, file: h5py.File) -> None:
    if "format" not in file.attrs or bytes(file.attrs["format"]) != envelope.FORMAT.encode():
        raise ForeignFileError(f"{path}: an HDF5 file, but not a landscape file; give the path of a file written by saddlescape")
    envelope.refuse_newer(path, int(file.attrs["format_major"]), int(file.attrs["format_minor"]))


def _check_journal(path: Path, found: Scan, header: Header) -> None:
    if found.damaged:
        logger.warning(
            "%s: %d damaged bytes after byte %d are ignored; the %d records before them are read",
            journal_path(path),
            found.ignored,
            found.length,
            len(found.records),
        )
    if not found.uuid:
        return
    envelope.refuse_newer(journal_path(path), *found.format_version)
    if found.uuid != header.uuid:
        raise ForeignFileError(
            f"{journal_path(path)}: this journal belongs to another landscape ({found.uuid}) than {path.name} ({header.uuid}); "
            "put the file it belongs to back, or move the journal away"
        )
    first = found.last - len(found.records)
    if first > header.last_seq:
        raise DamagedFileError(
            f"{path}: older than its journal, records {header.last_seq + 1} to {first} are missing; "
            "put back the file that belongs to the journal, or move the journal away to use the file as it is"
        )


def _replay(path: Path, found: Scan, image: Snapshot) -> None:
    """Fold the records the file does not have yet; those it has are skipped, so replaying twice changes nothing."""
    for sequence, payload in found.records:
        if sequence <= image.header.last_seq:
            continue
        try:
            apply_record(image.landscape, payload)
        except PARSING as error:
            raise DamagedFileError(
                f"{journal_path(path)}: record {sequence} does not fit the landscape ({type(error).__name__}: {error}); "
                "restore file and journal from a copy, or move the journal away to use the file as it is"
            ) from error


def apply_record(landscape: Landscape, payload: bytes | memoryview) -> None:
    """Fold one journal record into a landscape.

    Raises
    ------
    KeyError, TypeError, ValueError
        If it is no record, or does not fit.
    """
    tree, arrays = codec.open_payload(payload)
    kind = tree["kind"]
    if kind == "result":
        landscape.pending[int(tree["task"])] = codec.decode(SearchResult, tree["result"], arrays)
        landscape.recovered += 1
    elif kind == "commit":
        landscape.apply(codec.decode_commit(tree, arrays, landscape.pending))
    elif kind in ("begin", "end"):
        put_run(landscape, codec.decode(Run, tree["run"], arrays))
        landscape.add_tasks(tuple(codec.decode(Task, task, arrays) for task in tree.get("tasks", ())))
    else:
        raise ValueError(f"kind of record: got {kind!r}, expected result, commit, begin or end")


def put_run(landscape: Landscape, run: Run) -> None:
    """Add a run to a landscape, or put it in the place of the one with its id."""
    for position, known in enumerate(landscape.runs):
        if known.id == run.id:
            landscape.runs[position] = run
            return
    landscape.runs.append(run)
