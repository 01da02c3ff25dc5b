"""What users and their functions give, checked where it comes in: points, values, words."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np


def check_point(x: Any, dim: int, argument: str = "x0") -> np.ndarray:
    """A private float64 copy of a point, (dim,).

    Raises
    ------
    TypeError
        If it is not made of real numbers.
    ValueError
        If its shape is wrong or an entry is not finite.
    """
    array = np.asarray(x)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{argument}: got dtype {array.dtype}, expected real numbers (float64)")
    if array.shape != (dim,):
        raise ValueError(f"{argument}: got shape {array.shape}, expected ({dim},)")
    array = np.array(array, dtype=np.float64, order="C")
    if not np.isfinite(array).all():
        bad = np.flatnonzero(~np.isfinite(array))
        raise ValueError(f"{argument}: {bad.size} of {dim} entries are NaN or infinite, the first at position {bad[0]}")
    return array


def is_integer(value: Any) -> bool:
    """Whether a value is an integer, of Python or NumPy, and not a truth value."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a value is a real number, of Python or NumPy, and not a truth value."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def check_positive(name: str, value: Any, expected: str = "a positive number") -> None:
    """Check a parameter; `ValueError` if it is not a positive, finite number."""
    if not (is_number(value) and 0.0 < value < np.inf):
        raise ValueError(f"{name}: got {value!r}, expected {expected}")


def check_dim(dim: Any) -> None:
    """Check a number of unknowns; `ValueError` if it is none."""
    if not isinstance(dim, (int, np.integer)) or dim < 1:
        raise ValueError(f"dim: got {dim!r}, expected a positive integer")


def filled(value: np.ndarray | None, out: np.ndarray, name: str) -> np.ndarray:
    """``out`` with the value in it, also where a user's function returned a new array and left ``out`` alone.

    Raises
    ------
    TypeError
        If the function returned nothing and filled nothing: ``out`` is still as `blank` left it.
    ValueError
        If the shapes differ.
    """
    if value is None and out.size and (out == _BLANK).all():
        raise TypeError(
            f"{name}: the model returned None and left out as it was; expected shape {out.shape}: return an array, or fill out"
        )
    if value is not None and value is not out:
        if np.shape(value) != out.shape:
            raise ValueError(f"{name}: the model returned shape {np.shape(value)}, expected {out.shape}")
        out[:] = value
    return out


_BLANK = -1.2345678901234567e-300


def blank(out: np.ndarray) -> np.ndarray:
    """``out``, marked as not filled yet; see `filled`."""
    out.fill(_BLANK)
    return out


def as_number(value: Any, name: str) -> float:
    """The value of a user's energy as a float.

    Raises
    ------
    TypeError
        If it is not a real number: an array of one entry is none, for it is mostly a sum that was forgotten.
    """
    if isinstance(value, float):
        return value
    if np.ndim(value) == 0 and not isinstance(value, str) and not np.iscomplexobj(value):
        with contextlib.suppress(TypeError):  # None, say
            return float(value)
    got = f"an array of shape {np.shape(value)}" if np.ndim(value) else repr(value)
    raise TypeError(f"{name}: the model returned {got}, expected a number (float)")


def returned(value: Any, out: np.ndarray | None, dim: int, argument: str) -> np.ndarray:
    """What a plain function returned as an array (dim,), in ``out`` if there is one."""
    value = np.asarray(value, dtype=float)
    if value.shape != (dim,):
        raise ValueError(f"{argument}: the function returned shape {value.shape}, expected ({dim},)")
    if out is None:
        return value
    out[:] = value
    return out


def nearest(word: str, known: list[str]) -> str:
    """A suggestion ``" (did you mean 'x'?)"`` for a misspelt word, or the empty string."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""
