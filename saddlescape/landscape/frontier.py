"""Which search next: the directions in which a stationary point is left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..given import is_integer
from ..numerics.orbits import Direction, isotropic_directions
from ..results import StationaryPoint
from ..symmetry import Symmetry


@dataclass(frozen=True)
class DownwardSearch:
    """From each point along each unstable direction, both ways, to a lower index.

    The first frame is made of the other unstable eigenvectors.

    Parameters
    ----------
    gap : int
        Search for the ``gap`` next lower indices, not for the next one alone.

    References
    ----------
    Yin, Wang, Chen, Zhang, Zhang, Phys. Rev. Lett. 124 (2020) 090601.
    """

    gap: int = 1

    def __post_init__(self) -> None:
        if not (is_integer(self.gap) and self.gap >= 1):
            raise ValueError(f"gap: got {self.gap!r}, expected an integer of at least 1")


@dataclass(frozen=True)
class UpwardSearch:
    """From each point along its softest stable directions, both ways, to the next higher index.

    Parameters
    ----------
    directions : int
        How many stable eigenvectors to follow, softest first.

    References
    ----------
    Yin, Wang, Chen, Zhang, Zhang, Phys. Rev. Lett. 124 (2020) 090601.
    """

    directions: int = 2

    def __post_init__(self) -> None:
        if not (is_integer(self.directions) and self.directions >= 1):
            raise ValueError(f"directions: got {self.directions!r}, expected an integer of at least 1")


Search = DownwardSearch | UpwardSearch


@dataclass(frozen=True, eq=False)
class Departure:
    """One search to be made from a node: what a Task says of it, before it has a number."""

    kind: str
    direction: int
    sign: int
    target: int
    coefficients: np.ndarray
    mirror: np.ndarray | None


def stable_pairs_needed(searches: tuple[Search, ...]) -> int:
    """How many stable eigenpairs the searches leave a point along, and at least one to show the gap."""
    return max([1, *(search.directions for search in searches if isinstance(search, UpwardSearch))])


def departures(
    point: StationaryPoint,
    searches: tuple[Search, ...],
    symmetry: Symmetry,
    mass: float | np.ndarray,
    tolerance: float,
    max_index: int,
) -> list[Departure]:
    """Every search to be made from a new point, downward ones first.

    A direction that a symmetry of the point reverses is searched one way only; directions that symmetries of the point carry into
    each other are searched once.
    """
    found: list[Departure] = []
    for search in searches:
        if isinstance(search, DownwardSearch):
            found += _downward(point, search, symmetry, mass, tolerance, max_index)
        else:
            found += _upward(point, search, symmetry, mass, tolerance, max_index)
    return found


def _downward(point, search, symmetry, mass, tolerance, max_index) -> list[Departure]:
    index = point.index
    highest = min(index - 1, max_index)
    targets = range(highest, max(highest - search.gap, -1), -1)
    directions = _directions(point, 0, index, symmetry, mass, tolerance)
    kinds = {target: "quench" if index == 1 else "down" for target in targets}
    return [
        Departure(kinds[target], number, sign, target, d.coefficients, d.mirror)
        for target in targets
        for number, d in enumerate(directions)
        for sign in ((1,) if d.mirror is not None else (1, -1))
    ]


def _upward(point, search, symmetry, mass, tolerance, max_index) -> list[Departure]:
    first = point.index + point.nullity
    last = min(first + search.directions, len(point.eigenvalues))
    if point.index + 1 > max_index or last <= first:
        return []
    return [
        Departure("up", number, sign, point.index + 1, d.coefficients, d.mirror)
        for number, d in enumerate(_directions(point, first, last, symmetry, mass, tolerance))
        for sign in ((1,) if d.mirror is not None else (1, -1))
    ]


def _directions(point, first, last, symmetry, mass, tolerance) -> list[Direction]:
    """Directions in the span of some of a point's eigenvectors, in terms of all of them."""
    if symmetry.trivial:
        return [Direction(row, None) for row in np.eye(len(point.eigenvalues))[first:last]]
    part = slice(first, last)
    padded = []
    for d in isotropic_directions(symmetry, point.x, mass, point.eigenvalues[part], point.eigenvectors[part], tolerance):
        coefficients = np.zeros(len(point.eigenvalues))
        coefficients[part] = d.coefficients
        padded.append(Direction(coefficients, d.mirror))
    return padded
