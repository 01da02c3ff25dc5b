"""What the drivers are given, checked before anything is computed or written."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..dynamics.arguments import check_method, explores
from ..dynamics.describe import describe
from ..dynamics.flow import GradientFlow
from ..dynamics.hisd import HiSD
from ..given import check_point, is_integer
from ..model import EnergyModel
from ..numerics.check import gradient_consistent
from .explorer import ECDExplorer
from .frontier import DownwardSearch, UpwardSearch
from .progress import Progress, progress_to

Start = str | np.ndarray | Sequence[np.ndarray] | Sequence[str] | None


def configure(model, max_index, method, searches, upward, merge_tolerance) -> dict:
    """The settings of a run, checked, as JSON-ready values."""
    if max_index is not None and not (is_integer(max_index) and 0 <= max_index <= model.dim):
        raise ValueError(f"max_index: got {max_index}, expected 0 to {model.dim}, the number of unknowns, or None")
    method = HiSD() if method is None else method
    check_method(method, "HiSD(), SHiSD()", model)
    if explores(method):
        raise TypeError(
            f"method: {type(method).__name__} explores and reaches no stationary points, expected HiSD() or SHiSD(); use it with "
            "search"
        )
    if getattr(method, "index", None) is not None:
        raise ValueError(
            f"method: its index is {method.index}, but a landscape asks for another index in every search; leave it out"
        )
    if searches is None:
        searches = (DownwardSearch(), UpwardSearch()) if upward else (DownwardSearch(),)
    searches = _checked_searches(searches, model)
    if not merge_tolerance > 0:
        raise ValueError(f"merge_tolerance: got {merge_tolerance!r}, expected a positive number")
    return {
        "max_index": None if max_index is None else int(max_index),
        "method": describe(method),
        "quench": describe(GradientFlow(preconditioned=method.preconditioned)),
        "searches": [{"name": type(s).__name__, **{key: _plain(value) for key, value in vars(s).items()}} for s in searches],
        "merge_tolerance": float(merge_tolerance),
    }


def _checked_searches(searches: Any, model: EnergyModel) -> tuple:
    kinds = (DownwardSearch, UpwardSearch, ECDExplorer)
    searches = (searches,) if isinstance(searches, kinds) else searches
    if isinstance(searches, str) or not isinstance(searches, Iterable):
        raise TypeError(
            f"searches: got {searches!r}, expected DownwardSearch(), UpwardSearch(), ECDExplorer(...) or several of them"
        )
    searches = tuple(searches)
    for search in searches:
        if not isinstance(search, kinds):
            raise TypeError(f"searches: got {search!r}, expected DownwardSearch(), UpwardSearch() and ECDExplorer(...)")
        if isinstance(search, ECDExplorer):
            search.require(model)
    if sum(isinstance(search, ECDExplorer) for search in searches) > 1:
        raise ValueError(
            "searches: got several ECDExplorers, expected one; give it more stages, or explore on with "
            "landscape.extend(searches=ECDExplorer(...))"
        )
    return searches


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):  # given directions, row by row
        return [_plain(entry) for entry in value]
    return value.item() if isinstance(value, np.generic) else value


def starting_points(model: EnergyModel, start: Start) -> list[np.ndarray]:
    """The starts as points (n,), checked."""
    if start is None:
        return [check_point(model.default_start(), model.dim, "default_start()")]
    if isinstance(start, str):
        return [check_point(model.start(start), model.dim, f"start {start!r}")]
    if (isinstance(start, np.ndarray) and start.ndim == 1) or not isinstance(start, (list, tuple, np.ndarray)):
        return [check_point(start, model.dim, "start")]
    if len(start) == 0:
        raise ValueError("start: got an empty sequence, expected at least one point or name")
    if np.ndim(start[0]) == 0 and not isinstance(start[0], str):
        return [check_point(start, model.dim, "start")]
    return [check_point(model.start(s) if isinstance(s, str) else s, model.dim, f"start[{i}]") for i, s in enumerate(start)]


def check_workers(workers: Any) -> None:
    """Check a number of worker processes."""
    if not (is_integer(workers) and workers >= 1):
        raise ValueError(f"workers: got {workers!r}, expected an integer of at least 1")


def progress_of(progress: Any) -> Progress | None:
    """The progress meant by what was given: True is what the command line shows, False and None are silence."""
    if progress is None or progress is False:
        return None
    if progress is True:
        return progress_to(sys.stderr)
    if isinstance(progress, type) or not isinstance(progress, Progress):
        raise TypeError(f"progress: got {progress!r}, expected True, or an object with update(landscape) and close()")
    return progress


def entropy_of(rng: Any) -> int:
    """The number that seeds a run, from whatever was given as ``rng``."""
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    if isinstance(rng, np.random.SeedSequence):
        return int(rng.generate_state(1, np.uint64)[0] >> np.uint64(1))
    if rng is None or (isinstance(rng, (int, np.integer)) and rng >= 0):
        return int(rng or 0)
    raise TypeError(f"rng: got {rng!r}, expected a non-negative int, a SeedSequence or a Generator")


def warn_of_wrong_gradient(model: EnergyModel, x: np.ndarray) -> None:
    """Warn the caller of `saddlescape.explore` of a gradient that is not the energy's near x (n,)."""
    consistent, ratio = gradient_consistent(model, x)
    if not consistent:
        warnings.warn(
            f"the gradient of {type(model).__name__} does not belong to its energy (slope of the energy / gradient = "
            f"{ratio:.6g} near the start); run check_model(model)",
            stacklevel=3,
        )
