"""What following states in a parameter gives: branches, critical values, and the diagram that they make."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..results import StationaryPoint
from .info import ModelInfo

_MULTIPLE = {2: "double", 3: "triple"}


class End(NamedTuple):
    """How a branch ends.

    Parameters
    ----------
    kind : str
        "range" (the first or last value), "critical" (it merges there, or turns back in a fold), "lost" (it goes on, but could not
        be followed).
    critical : int
        Id of the critical value, -1 if there is none.
    reason : str
        Of a lost branch, why.
    """

    kind: str
    critical: int = -1
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Branch:
    """One state as a function of the parameter, from one end to the other; where a curve of states turns back, another begins.

    Samples are in the order of rising values. Where the index changes there is a sample, with the index above it.

    Parameters
    ----------
    id : int
    node : int
        The node of the landscape that it comes from, or the number of the start; -1 of a branch found on the way.
    born : int
        Id of the critical value at which it was found, -1 of a start.
    orbit_size : int
        How many symmetric copies it stands for.
    values, energies, gradient_norms : (m,) arrays
    indices : (m,) int array
        Morse indices, counted by inertia.
    x : (m, n) array
    criticals : (m,) int array
        For each sample, the id of the critical value that it stands on, -1 for none.
    landed : (k,) array
        The values asked for at which the branch exists.
    points : tuple of StationaryPoint
        Certified, one for each of them.
    ends : (End, End)
        At the lowest and the highest value.
    """

    id: int
    node: int
    born: int
    orbit_size: int
    values: np.ndarray
    energies: np.ndarray
    gradient_norms: np.ndarray
    indices: np.ndarray
    x: np.ndarray
    criticals: np.ndarray
    landed: np.ndarray
    points: tuple[StationaryPoint, ...]
    ends: tuple[End, End]

    def at(self, value: float) -> StationaryPoint | None:
        """The certified point at one of the values asked for; None where the branch does not exist."""
        for landed, point in zip(self.landed, self.points, strict=True):
            if landed == value:
                return point
        return None

    def __repr__(self) -> str:
        runs = [int(i) for k, i in enumerate(self.indices) if k == 0 or i != self.indices[k - 1]]
        return (
            f"Branch({self.id}: from {self.values[0]:.6g} ({self.ends[0].kind}) to {self.values[-1]:.6g} ({self.ends[1].kind}), "
            f"index {' -> '.join(map(str, runs))}, orbit_size={self.orbit_size})"
        )


@dataclass(frozen=True, eq=False)
class Critical:
    """A value at which branches change their index, meet or end.

    Parameters
    ----------
    id : int
    kind : str
        "pitchfork" (a simple eigenvalue, odd under a symmetry or without a quadratic term), "transcritical", "multiple" (several
        eigenvalues at once), "fold" (two branches end in each other), "meeting" (branches end in one that was not followed).
    value : float
    bracket : (low, high)
        It lies between: the index was counted at both ends; of a fold, the branches reach one end and by their tangents not the
        other.
    multiplicity : int
        How many eigenvalues vanish.
    index_below, index_above : int
        Morse index at lower and higher values of the branches that go through; -1 if none does.
    x : (n,) array
        The state there.
    vectors : (multiplicity, n) array
        Critical eigenvectors, orthonormal in the mass inner product.
    through, ending : tuple of int
        Ids of the branches that go through, and of those that end there.
    """

    id: int
    kind: str
    value: float
    bracket: tuple[float, float]
    multiplicity: int
    index_below: int
    index_above: int
    x: np.ndarray
    vectors: np.ndarray
    through: tuple[int, ...]
    ending: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Diagram:
    """The bifurcation diagram of a model; made by `saddlescape.follow`.

    Parameters
    ----------
    info : ModelInfo
        The model at ``origin``.
    parameter : str
        Name of the parameter.
    origin : float
        Its value for the states that were given.
    values : (k,) array
        The values asked for, rising.
    branches : tuple of Branch
        By id.
    criticals : tuple of Critical
        By id; their values rise.
    notes : tuple of str
        What went wrong on the way and belongs to no end of a branch.
    """

    info: ModelInfo
    parameter: str
    origin: float
    values: np.ndarray
    branches: tuple[Branch, ...]
    criticals: tuple[Critical, ...]
    notes: tuple[str, ...] = ()

    def at(self, value: float) -> list[StationaryPoint]:
        """The certified points at one of the values asked for, by branch.

        Raises
        ------
        ValueError
            If it is none of them.
        """
        self._check_value(value)
        return [point for branch in self.branches if (point := branch.at(value)) is not None]

    def index_counts(self, value: float) -> dict[int, int]:
        """How many points of each index there are at one of the values asked for, symmetric copies counted."""
        counts: Counter[int] = Counter()
        for point in self.at(value):
            counts[point.index] += point.orbit_size
        return dict(sorted(counts.items()))

    def euler_characteristic(self, value: float) -> int:
        """Sum of (-1)^index over the points at one of the values asked for; see `saddlescape.Landscape.euler_characteristic`."""
        return sum((-1) ** p.index * p.orbit_size for p in self.at(value) if p.orbit_dimension == 0)

    def _check_value(self, value: float) -> None:
        if value not in self.values:
            raise ValueError(f"value: got {value!r}, expected one of the values that were asked for, {self.values.tolist()}")

    @property
    def lost(self) -> list[Branch]:
        """The branches that could not be followed to an end of their own."""
        return [branch for branch in self.branches if any(end.kind == "lost" for end in branch.ends)]

    def report(self) -> str:
        """What happens at each critical value, which branches merge or are lost, and the notes: a line for each."""
        low, high = self.values[0], self.values[-1]
        return "\n".join(self._lines()) or f"no critical value for {self.parameter} from {low:.8g} to {high:.8g}"

    def _lines(self) -> Iterator[str]:
        for critical in self.criticals:
            low, high = critical.bracket
            yield f"{self.parameter} = {critical.value:.8g} in [{low:.8g}, {high:.8g}]: {self._event(critical)}"
        for branch in self.branches:
            for end, value, side in zip(branch.ends, branch.values[[0, -1]], ("below", "above"), strict=True):
                if end.kind == "lost":
                    yield f"branch {branch.id} is lost {side} {self.parameter} = {value:.8g}: {end.reason}"
        yield from self.notes

    def _event(self, critical: Critical) -> str:
        said = []
        kind = critical.kind
        if kind == "multiple":
            kind = f"{_MULTIPLE.get(critical.multiplicity, f'{critical.multiplicity}-fold')} eigenvalue"
        for number in critical.through:
            said.append(f"branch {number} changes its index from {critical.index_below} to {critical.index_above}")
        for side, position in (("above", 0), ("below", 1)):
            merging = [self._named(b, position) for b in critical.ending if self.branches[b].ends[position].critical == critical.id]
            if merging and kind == "fold" and len(merging) == 2:
                said.append(f"{merging[0]} and {merging[1]}, existing {side} it only, end in each other")
            elif merging:
                s = "s" if len(merging) == 1 else ""
                into = f"merge{s} into branch {critical.through[0]}" if critical.through else f"end{s} there"
                said.append(f"{' and '.join(merging)}, existing {side} it only, {into}")
        return f"{kind}: {'; '.join(said)}"

    def _named(self, number: int, position: int) -> str:
        branch = self.branches[number]
        copies = f", {branch.orbit_size} copies" if branch.orbit_size > 1 else ""
        return f"branch {number} (index {branch.indices[0 if position == 0 else -1]}{copies})"

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write every sample of every branch as a row: branch, node, value, energy, index, gradient norm, critical, landed.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        header = ["branch", "node", self.parameter, "energy", "index", "orbit_size", "gradient_norm", "critical", "landed"]
        with Path(path).open("w", newline="", encoding="utf-8") as handle:
            writer = csv.writer(handle)
            writer.writerow(header)
            for b in self.branches:
                rows = zip(b.values, b.energies, b.indices, b.gradient_norms, b.criticals, strict=True)
                for value, energy, index, norm, critical in rows:
                    numbers = [float(value), float(energy), int(index), b.orbit_size, float(norm)]
                    known = int(critical) if critical >= 0 else ""
                    writer.writerow([b.id, b.node, *numbers, known, int(value in b.landed)])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the diagram to an HDF5 file of its own, which `Diagram.load` reads.

        Raises
        ------
        saddlescape.store.StoreError
            If it cannot be written, or a file that is no diagram is in the way.
        """
        from ..store import save_diagram

        save_diagram(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Diagram:
        """Read a diagram from its file; nothing that the file names is imported.

        Raises
        ------
        saddlescape.store.StoreError
            If it is missing, damaged, or no diagram.
        """
        from ..store import read_diagram

        return read_diagram(path)

    def __repr__(self) -> str:
        low, high = min(self.values[0], self.origin), max(self.values[-1], self.origin)
        lost = f", {len(self.lost)} lost" if self.lost else ""
        return (
            f"Diagram({self.info.name.rpartition('.')[2]}: {self.parameter} from {low:.6g} to {high:.6g}, "
            f"{len(self.branches)} branches{lost}, {len(self.criticals)} critical values)"
        )
