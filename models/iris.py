"""Fisher's iris data, the bundled measurements that the learning models fit; see data/README.md for their source."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

FEATURES = ("sepal length", "sepal width", "petal length", "petal width")
SPECIES = ("setosa", "versicolor", "virginica")
N_FLOWERS = 150

FILE = Path(__file__).with_name("iris.csv")


@cache
def _flowers() -> tuple[np.ndarray, np.ndarray]:
    rows = [line.split(",") for line in FILE.read_text(encoding="utf-8").split("\n")[1:] if line]
    lengths = np.array([row[:4] for row in rows], dtype=float)
    return (lengths - lengths.mean(axis=0)) / lengths.std(axis=0), np.array([row[4] for row in rows])


def measurements(features: Sequence[str]) -> np.ndarray:
    """Some of the measurements, each shifted and scaled to mean 0 and variance 1, (150, len(features))."""
    return _flowers()[0][:, [FEATURES.index(name) for name in features]]


def membership(species: Sequence[str]) -> np.ndarray:
    """For each of these species +1 where a flower belongs to it and -1 where not, (150, len(species))."""
    return np.where(_flowers()[1][:, None] == np.array(species), 1.0, -1.0)


def check_names(argument: str, names: Sequence[str], known: tuple[str, ...]) -> tuple[str, ...]:
    """Names of features or species as a tuple.

    Raises
    ------
    ValueError
        If there are none, one is not known, or one comes twice.
    """
    names = (names,) if isinstance(names, str) else tuple(names)
    if not names or len(set(names)) < len(names) or not set(names) <= set(known):
        raise ValueError(f"{argument}: got {names}, expected one or more of {known}, each at most once")
    return names
