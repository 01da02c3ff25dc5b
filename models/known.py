"""Stationary points known beforehand, kept as data beside the models: references for tests and examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

_FILE = Path(__file__).with_name("known_points.json")


def known_landscape(name: str) -> dict[str, Any]:
    """What is known of a model's landscape.

    Parameters
    ----------
    name : str
        Name of the model's class.

    Returns
    -------
    dict
        ``parameters`` (keyword arguments of the model), ``source`` (where the numbers come from) and ``points``, a list of
        dicts with ``index`` and, as far as known, ``x`` (n,), ``energy`` (or ``energy_above_lowest``, where only differences
        do not depend on the discretisation), ``nullity``, ``orbit_size``, ``lowest_eigenvalues`` and ``label``.

    Raises
    ------
    ValueError
        If nothing is known of that model.
    """
    landscapes = json.loads(_FILE.read_text(encoding="utf-8"))
    if name not in landscapes:
        raise ValueError(f"name: got {name!r}, expected a model with known points: {', '.join(landscapes)}")
    landscape = landscapes[name]
    for point in landscape["points"]:
        if "x" in point:
            point["x"] = np.array(point["x"], dtype=float)
    return landscape


def known_points(name: str) -> list[dict[str, Any]]:
    """The points of `known_landscape`."""
    return known_landscape(name)["points"]
