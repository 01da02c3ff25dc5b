"""What a search is given, checked before anything is computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..model import EnergyModel
from .state import Method


def explores(method: Any) -> bool:
    """Whether a method does not converge but makes all its steps, as those of energy-conserving descent do."""
    return getattr(method, "explores", False)


def generator(rng: Any, method: Any) -> np.random.Generator:
    """The random stream that ``rng`` means; None: that of seed 0, for a method that explores that of a fresh seed.

    Searches that converge are repeated by default; of a chaotic trajectory one seed says little, so that it is another each time.
    """
    if rng is None:
        rng = np.random.SeedSequence() if explores(method) else 0
    return np.random.default_rng(rng)


def check_method(method: Any, builtin: str, model: EnergyModel) -> None:
    """Check that something is a `Method` and can move points of this model; ``builtin``: which of the library's own would do.

    Raises
    ------
    TypeError
        If it is not, or cannot; the message names what is lacking.
    """
    if isinstance(method, type):
        raise TypeError(f"method: got the class {method.__name__}, expected an object: {method.__name__}(...)")
    lacking = [name for name in ("begin", "advance", "preconditioned") if not hasattr(method, name)]
    if lacking:
        raise TypeError(
            f"method: got {method!r}, which lacks {', '.join(lacking)}; expected {builtin} or an object with begin(), advance() "
            "and preconditioned (whether the model's preconditioner serves as its metric)"
        )
    if hasattr(method, "require"):
        method.require(model)


def check_target(method: Method, model: EnergyModel) -> int:
    """The index that a method looks for in a model.

    Raises
    ------
    ValueError
        If it has none, or one that the model cannot have.
    """
    index = getattr(method, "index", None)
    if index is None:
        example = f"{type(method).__name__}(index=1)"
        raise ValueError(f"method: {method!r} has no index; say which one to look for, for instance {example}")
    if not 0 <= index <= model.dim:
        raise ValueError(f"index: got {index}, expected 0 to {model.dim}, the number of unknowns")
    return index


def checked_frame(frame: Any, index: int, dim: int) -> np.ndarray:
    """A frame (index, dim) in float64.

    Raises
    ------
    TypeError, ValueError
        If it is not made of real, finite numbers, or its shape is wrong.
    """
    rows = np.array(frame)
    if rows.shape != (index, dim):
        raise ValueError(f"frame: got shape {rows.shape}, expected ({index}, {dim}), one row for each unstable direction")
    if rows.dtype.kind not in "fiu":
        raise TypeError(f"frame: got dtype {rows.dtype}, expected real numbers (float64)")
    if not np.isfinite(rows).all():
        raise ValueError(f"frame: {np.count_nonzero(~np.isfinite(rows))} of its entries are NaN or infinite")
    return rows.astype(float)
