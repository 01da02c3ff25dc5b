"""Merging: what a finished search adds to the landscape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..model import EnergyModel
from ..numerics.certify import CertificationError, certify
from ..numerics.derivatives import Derivatives
from ..numerics.newton import clean_zero_modes
from ..numerics.orbits import align, compose, inverse, orbit_size
from ..results import SearchResult, StationaryPoint, Status
from ..symmetry import Symmetry
from .frontier import Search, departures, stable_pairs_needed
from .landscape import Landscape
from .records import Commit, Edge, Node, SearchRecord, Task


class Match(NamedTuple):
    """The node an end point belongs to.

    Parameters
    ----------
    node : int
        -1 if the point is new.
    element : (1 + a,) array
        End point = element . representative.
    distance : float
        Between the two, mass norm; for a new point the distance to the nearest node that it might have been.
    """

    node: int
    element: np.ndarray
    distance: float


@dataclass(frozen=True, eq=False)
class Merger:
    """Turns search results into commits, in task order. Pure: it reads the landscape and changes nothing.

    Parameters
    ----------
    model : EnergyModel
    symmetry : Symmetry
    searches : tuple of DownwardSearch and UpwardSearch
        What a new node is left by.
    tolerance : float
        Two points are one if their distance modulo the symmetry, in the mass norm, is at most this times their size.
    max_index : int
    method, metric, quench_metric : str
        For the records.
    """

    model: EnergyModel
    symmetry: Symmetry
    searches: tuple[Search, ...]
    tolerance: float
    max_index: int | None
    method: str
    quench: str
    metric: str

    def commit(self, landscape: Landscape, task: Task, result: SearchResult, first_task: int) -> Commit:
        """What this search adds; new tasks are numbered from ``first_task``."""
        method = self.quench if task.kind == "quench" or (task.kind == "start" and task.target == 0) else self.method
        if result.point is None:
            record = SearchRecord(task, replace(result, point=None), -1, self.symmetry.identity, np.nan, method, self.metric)
            return Commit(record, None)
        match = self.match(landscape, result.point)
        node, tasks, new = match.node, (), None
        if node < 0:
            node = len(landscape.nodes)
            try:
                new = Node(node, self._complete(result.point), task.id)
            except CertificationError as error:
                failed = replace(result, status=Status.NOT_CERTIFIED, message=f"{Status.NOT_CERTIFIED.sentence} {error}", point=None)
                record = SearchRecord(task, failed, -1, self.symmetry.identity, np.nan, method, self.metric)
                return Commit(record, None)
            tasks = self.tasks(new, task.run, first_task)
        record = SearchRecord(task, replace(result, point=None), node, match.element, match.distance, method, self.metric)
        return Commit(record, new, self._edges(landscape, record, new), tasks)

    def match(self, landscape: Landscape, point: StationaryPoint) -> Match:
        """The node whose orbit a point lies on."""
        nearest = np.inf
        size = float(np.sqrt(np.sum(point.x**2 * self.model.mass)))
        for node in landscape.nodes:
            other = node.point
            if (other.index, other.nullity) != (point.index, point.nullity):
                continue
            if abs(other.energy - point.energy) > 1e-6 * (abs(other.energy) + abs(point.energy)) + 1e-12:
                continue
            element, distance = align(self.symmetry, point.x, other.x, self.model.mass)
            if distance <= self.tolerance * size + 1e-12:
                return Match(node.id, element, distance)
            nearest = min(nearest, distance)
        return Match(-1, self.symmetry.identity, nearest if np.isfinite(nearest) else np.nan)

    def _complete(self, point: StationaryPoint) -> StationaryPoint:
        """The point with its eigenpairs and what the symmetry says of its orbit."""
        derivatives = Derivatives(self.model)
        modes = self.model.zero_modes(point.x) if hasattr(self.model, "zero_modes") else None
        certified = certify(
            derivatives, point.x, energy=point.energy, gradient_norm=point.gradient_norm, zero_modes=modes,
            guess=point.eigenvectors if len(point.eigenvectors) else None, n_stable=stable_pairs_needed(self.searches),
        )  # fmt: skip
        modes = clean_zero_modes(derivatives, point.x, modes)
        return replace(
            certified,
            orbit_size=orbit_size(self.symmetry, point.x, self.model.mass, self._orbit_tolerance(point.x)),
            orbit_dimension=0 if modes is None else len(modes),
        )

    def _orbit_tolerance(self, x: np.ndarray) -> float:
        return 10.0 * self.tolerance * float(np.sqrt(np.sum(x**2 * self.model.mass))) + 1e-12

    def tasks(self, node: Node, run: int, first_task: int) -> tuple[Task, ...]:
        """The searches that a node asks for."""
        max_index = self.model.dim if self.max_index is None else self.max_index
        found = departures(node.point, self.searches, self.symmetry, self.model.mass, self._orbit_tolerance(node.point.x), max_index)
        return tuple(
            Task(first_task + i, d.kind, node.id, d.direction, d.sign, d.target, d.coefficients, None, run, d.mirror)
            for i, d in enumerate(found)
        )

    def _edges(self, landscape: Landscape, record: SearchRecord, new: Node | None) -> tuple[Edge, ...]:
        task = record.task
        if task.parent < 0:
            return ()
        origin, end = landscape.nodes[task.parent].point, new.point if new is not None else landscape.nodes[record.node].point
        if task.kind == "up":
            if end.index <= origin.index:
                return ()
            parent, child, g = record.node, task.parent, inverse(self.symmetry, record.element)
        else:
            if end.index >= origin.index:
                return ()
            parent, child, g = task.parent, record.node, record.element
        edges = [self._edge(landscape, record, parent, child, g, task.sign, 0)]
        if task.mirror is not None:
            mirrored = compose(self.symmetry, task.mirror, record.element)
            g = inverse(self.symmetry, mirrored) if task.kind == "up" else mirrored
            edges.append(self._edge(landscape, record, parent, child, g, -task.sign, len(edges)))
        return tuple(edges)

    def _edge(self, landscape: Landscape, record: SearchRecord, parent: int, child: int, g: np.ndarray, sign: int, offset: int) -> Edge:
        task = record.task
        kind = {"quench": "quench+" if sign > 0 else "quench-"}.get(task.kind, task.kind)
        same = [e for e in landscape.edges if (e.parent, e.child) == (parent, child)]
        for edge in same:
            if (edge.kind, edge.direction, edge.sign) == (kind, task.direction, sign) and np.array_equal(edge.child_element, g):
                return edge
        return Edge(
            parent, child, g, len(same) + offset, kind, task.direction, sign, record.method, record.metric, task.id, record.result.max_energy
        )
