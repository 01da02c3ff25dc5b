"""The table ``[follow]`` of a run file."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..given import is_integer
from .build import SWITCH, TEXT, Kind, is_point

_VALUES = Kind("an array of numbers, [5.0, 10.0, 20.0]", is_point)
_NUMBER = Kind("a positive number", lambda v: (is_integer(v) or isinstance(v, float)) and v > 0)
_MEASURES = Kind('"energy" or "excess"', lambda v: v in ("energy", "excess"))
_STATES = Kind('"landscape" or "start"', lambda v: v in ("landscape", "start"))


@dataclass(frozen=True)
class FollowTable:
    """``[follow]``: arguments of `saddlescape.follow`, for ``saddlescape follow``.

    Parameters
    ----------
    parameter : str
        Name of a parameter of the model.
    values : list of float
        Where to land.
    states : str
        "landscape": those of the landscape file that ``explore`` writes; "start": the starts of ``[explore]``, which must be
        stationary.
    branches : bool
        Whether to follow what leaves the critical values.
    tolerance, max_step : float or None
        As in `saddlescape.follow`; None: its defaults.
    file : str or None
        The diagram's file; None: the run file's name with the ending ``_follow.h5``.
    figure : str or None
        Its picture; None: no picture.
    measure : str
        What stands upwards in the picture: "energy", or "excess", the energy above that of the lowest branch.
    """

    parameter: str = field(default="", metadata={"kind": TEXT})
    values: list = field(default_factory=list, metadata={"kind": _VALUES})
    states: str = field(default="landscape", metadata={"kind": _STATES})
    branches: bool = field(default=False, metadata={"kind": SWITCH})
    tolerance: float | None = field(default=None, metadata={"kind": _NUMBER})
    max_step: float | None = field(default=None, metadata={"kind": _NUMBER})
    file: str | None = field(default=None, metadata={"kind": TEXT})
    figure: str | None = field(default=None, metadata={"kind": TEXT})
    measure: str = field(default="energy", metadata={"kind": _MEASURES})
