"""Landscapes from files."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..dynamics.state import Method
    from ..model import EnergyModel
    from ..symmetry import Symmetry
    from .landscape import Landscape
    from .progress import Progress
    from .records import SearchRecord


def load(path: str | os.PathLike[str], *, verify: bool = True) -> Landscape:
    """Load a landscape from its file, also while a run still writes it or after one was killed.

    Searches that are only in the journal beside the file (``run.h5.journal``) are folded in memory. Nothing is written, no lock is
    taken, and nothing that the file names is imported or executed: a shipped model is rebuilt when `Landscape.model` is first
    used, any other must be attached.

    Parameters
    ----------
    path : path
    verify : bool
        False accepts a file that was edited after it was written, whose SHA-256 is therefore wrong.

    Returns
    -------
    Landscape
        ``path`` is set; ``recovered`` says how many searches came from the journal; ``pending`` holds searches that were made but
        not merged yet. Numbers are those that were written, bit for bit; trajectories come back in single precision.

    Raises
    ------
    saddlescape.store.StoreError
        An `OSError`. Its subclasses in `saddlescape.store.errors` say whether the file is missing, read-protected, no landscape
        file, truncated, damaged, or of a newer format version; the message names the file, what is wrong and the way out.

    Examples
    --------
    >>> landscape = load("ldg_square.h5")  # doctest: +SKIP
    >>> landscape.index_counts()  # doctest: +SKIP
    {0: 6, 1: 8, 2: 6, 3: 4, 4: 1}
    """
    from ..store import read  # h5py takes 0.2 s to import; only who loads a file pays it

    return read(path, verify=verify)


def resume(
    path: str | os.PathLike[str],
    *,
    model: EnergyModel | None = None,
    symmetry: Symmetry | None = None,
    method: Method | None = None,
    executor: Executor | None = None,
    workers: int = 1,
    progress: Progress | bool | None = None,
    callback: Callable[[Landscape, SearchRecord], bool | None] | None = None,
) -> Landscape:
    """Go on with a run from where its file stands, to the same landscape as if it had never stopped.

    Parameters
    ----------
    path : path
        A file that `saddlescape.explore` has written, also one whose run was killed.
    model, symmetry, method
        What cannot be rebuilt from the file: a model that is not shipped, a symmetry other than the model's own, a method of
        your own.
    executor, workers, progress, callback
        As in `saddlescape.explore`.

    Returns
    -------
    Landscape
        Unchanged if nothing was left to do; ``recovered`` says how many searches came from the journal.

    Raises
    ------
    ValueError
        If the file belongs to another model, symmetry or method, or needs one that was not given.
    saddlescape.store.StoreError
        As for `load`, and if another process writes the file.
    """
    from ..store import FileStore
    from .explore import drive

    store, landscape = FileStore.reopen(path)
    with store:
        bind(landscape, model, symmetry)
        if not landscape.unfinished:
            return landscape
        return drive(landscape, store, method, executor, workers, progress, callback)


def bind(landscape: Landscape, model: EnergyModel | None, symmetry: Symmetry | None) -> None:
    """Give a landscape from a file its model and symmetry back, and check that they are those it was made with.

    Raises
    ------
    ValueError
        If they are not, or the model is not shipped and was not given.
    """
    from .info import ModelInfo

    landscape.attach(landscape.model if model is None else model, symmetry)
    made_with, given = landscape.info.symmetry, ModelInfo.of(landscape.model, landscape.symmetry).symmetry
    if made_with != given:
        raise ValueError(f"symmetry: got {given}, but this landscape was made with {made_with}; pass the same symmetry=... as then")
