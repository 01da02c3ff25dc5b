"""Landscapes from files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .landscape import Landscape


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
