"""Merging: what a finished search adds to the landscape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..model import EnergyModel
from ..numerics.alignment import mass_norm
from ..numerics.certify import CertificationError, certify
from ..numerics.derivatives import Derivatives
from ..numerics.newton import clean_zero_modes
from ..numerics.orbits import align, compose, inverse, orbit_size
from ..results import SearchResult, StationaryPoint, Status
from ..symmetry import Symmetry
from .explorer import ECDExplorer
from .frontier import Departure, DownwardSearch, Search, departures, stable_pairs_needed
from .landscape import Landscape
from .records import Commit, Edge, Node, SearchRecord, Task

NOISE = 0.1  # see Task.noise


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
    explorer : ECDExplorer or None
        What a new minimum is left by besides; index-1 points are then left downward in any case.
    tolerance : float
        Two points are one if their distance modulo the symmetry, in the mass norm, is at most this times their size, beyond what
        their gradient norms leave open (`position_error`).
    max_index : int or None
    method, careful, quench, exploring : str
        What moves the points, as text for the records: searches, those made again, gradient flow, and trajectories.
    metric : str
        "mass" or "preconditioned".
    """

    model: EnergyModel
    symmetry: Symmetry
    searches: tuple[Search, ...]
    explorer: ECDExplorer | None
    tolerance: float
    max_index: int | None
    method: str
    careful: str
    quench: str
    exploring: str
    metric: str

    def commit(self, landscape: Landscape, task: Task, result: SearchResult, first_task: int) -> Commit:
        """What this search adds; new tasks are numbered from ``first_task``."""
        if result.point is None:
            record = self._record(task, result, Match(-1, self.symmetry.identity, np.nan))
            follow = self._explored if task.kind == "ecd" else self._again
            return Commit(record, None, (), follow(landscape, task, result, -1, first_task))
        match = self.match(landscape, result.point)
        revisited = task.kind == "revisit" and match.node == task.parent
        again = self._again(landscape, task, result, match.node, first_task)
        if match.node >= 0 and not revisited:
            record = self._record(task, result, match)
            return Commit(record, None, self._edges(landscape, record, landscape.nodes[match.node].point), again)
        try:
            if revisited:
                old = landscape.nodes[match.node]
                node = replace(old, point=self._complete(old.point), hits=old.hits + 1)
            else:
                node = Node(len(landscape.nodes), self._complete(result.point), task.id)
        except CertificationError as error:
            message = f"{Status.NOT_CERTIFIED.sentence} {error}"
            failed = replace(result, status=Status.NOT_CERTIFIED, message=message)
            return Commit(self._record(task, failed, Match(-1, self.symmetry.identity, np.nan)), None)
        record = self._record(task, result, Match(node.id, match.element, match.distance))
        tasks = again + self._tasks(landscape, node, task.run, first_task + len(again))
        return Commit(record, node, self._edges(landscape, record, node.point), tasks)

    def _again(self, landscape: Landscape, task: Task, result: SearchResult, node: int, task_id: int) -> tuple[Task, ...]:
        """A downward search that found nothing, came too low or back to its parent is made again, with more care and from beside.

        The last two happen in the invariant subspace of a symmetric direction.
        """
        point = result.point
        missed = point is None or point.index + point.nullity < task.target or node == task.parent
        if task.kind != "down" or task.noise or not missed:
            return ()
        # Where no declared symmetry fixes the parent, nothing says that the branches on the two sides are images of each other.
        parent = landscape.nodes[task.parent].point
        fixed = self.symmetry.match is None and parent.orbit_size < self.symmetry.order
        symmetric = self.symmetry.grid is not None or fixed
        sides = (NOISE,) if symmetric else (NOISE, -NOISE)
        return tuple(replace(task, id=task_id + i, mirror=None, noise=noise) for i, noise in enumerate(sides))

    def _explored(self, landscape: Landscape, task: Task, result: SearchResult, _: int, task_id: int) -> tuple[Task, ...]:
        """A search for each ridge point of a trajectory, and the next trajectory from its minimum, under a higher ceiling."""
        ridges = () if result.trajectory is None else result.trajectory.x
        tasks = [
            Task(task_id + i, "ridge", task.parent, task.id, 0, 1, np.empty(0), x.copy(), task.run) for i, x in enumerate(ridges)
        ]
        for d in self._trajectories(landscape, landscape.nodes[task.parent], task.run, task.direction + 1):
            tasks.append(
                Task(task_id + len(tasks), d.kind, task.parent, d.direction, d.sign, d.target, d.coefficients, None, task.run)
            )
        return tuple(tasks)

    def _trajectories(self, landscape: Landscape, node: Node, run: int, stage: int) -> list[Departure]:
        """The trajectory that a minimum is to be left by next, from this stage on; none if the run has made all it may."""
        if self.explorer is None or node.point.index > 0:
            return []
        tasks = [*(search.task for search in landscape.searches), *landscape.frontier.values()]
        if sum(task.kind == "ecd" and task.run == run for task in tasks) >= self.explorer.max_runs:
            return []
        base = next((other.point.energy for other in landscape.nodes if other.point.index == 0), node.point.energy)
        found = self.explorer.departure(node.point, base, stage)
        return [] if found is None else [found]

    def _record(self, task: Task, result: SearchResult, match: Match) -> SearchRecord:
        method = self._method(task.kind, task.target, task.noise)
        return SearchRecord(task, replace(result, point=None), match.node, match.element, match.distance, method, self.metric)

    def _method(self, kind: str, target: int, noise: float = 0.0) -> str:
        if kind == "ecd":
            return self.exploring
        if kind == "quench" or (kind == "start" and target == 0):
            return self.quench
        return self.careful if noise else self.method

    def match(self, landscape: Landscape, point: StationaryPoint) -> Match:
        """The node whose orbit a point lies on."""
        nearest = np.inf
        # Energies only rule out; round-off in them is that of the largest one.
        tolerance = max(self.tolerance, self.symmetry.tolerance)
        scale = max([abs(point.energy), *(abs(node.point.energy) for node in landscape.nodes)])
        for node in landscape.nodes:
            other = node.point
            if (other.index, other.nullity) != (point.index, point.nullity):
                continue
            error = position_error(point, other)
            energy_error = float(np.abs(other.eigenvalues).max(initial=0.0)) * error**2
            if abs(other.energy - point.energy) > max(1e-6, self.symmetry.tolerance) * scale + energy_error:
                continue
            element, distance = align(self.symmetry, point.x, other.x, self.model.mass)
            if distance <= tolerance * mass_norm(point.x, self.model.mass) + error:
                return Match(node.id, element, distance)
            nearest = min(nearest, distance)
        return Match(-1, self.symmetry.identity, nearest if np.isfinite(nearest) else np.nan)

    def _complete(self, point: StationaryPoint) -> StationaryPoint:
        """The point with its eigenpairs and what the symmetry says of its orbit."""
        # Without a matrix the eigenpairs are found by iteration, which needs the metric.
        iterates = not hasattr(self.model, "hessian") and hasattr(self.model, "preconditioner")
        derivatives = Derivatives(self.model, self.model.preconditioner(point.x) if iterates else None)
        modes = derivatives.zero_modes(point.x)
        certified = certify(
            derivatives, point.x, energy=point.energy, gradient_norm=point.gradient_norm, zero_modes=modes,
            guess=point.eigenvectors if len(point.eigenvectors) else None, n_stable=stable_pairs_needed(self.searches),
        )  # fmt: skip
        if (certified.index, certified.nullity) != (point.index, point.nullity):
            raise CertificationError(
                f"two counts disagree: index {point.index}, nullity {point.nullity} ({point.certificate}) against "
                f"index {certified.index}, nullity {certified.nullity} ({certified.certificate})"
            )
        modes = clean_zero_modes(derivatives, point.x, modes)
        return replace(
            certified,
            orbit_size=orbit_size(self.symmetry, point.x, self.model.mass, self._orbit_tolerance(certified)),
            orbit_dimension=0 if modes is None else len(modes),
        )

    def _orbit_tolerance(self, point: StationaryPoint) -> float:
        return 10.0 * self.tolerance * mass_norm(point.x, self.model.mass) + position_error(point, point)

    def _tasks(self, landscape: Landscape, node: Node, run: int, first_task: int) -> tuple[Task, ...]:
        """The searches that a node asks for and that were not made before."""
        max_index = self.model.dim if self.max_index is None else self.max_index
        searches = self.searches
        if self.explorer is not None and node.point.index == 1 and not any(isinstance(s, DownwardSearch) for s in searches):
            searches = (DownwardSearch(), *searches)
        found = departures(node.point, searches, self.symmetry, self.model.mass, self._orbit_tolerance(node.point), max_index)
        found += self._trajectories(landscape, node, run, 0)
        entropy = landscape.runs[run].entropy
        made = {
            (s.task.kind, s.task.direction, s.task.sign, s.task.target, s.method)
            for s in landscape.searches
            # From another seed a trajectory is another one.
            if s.task.parent == node.id and (s.task.kind != "ecd" or landscape.runs[s.task.run].entropy == entropy)
        }
        new = [d for d in found if (d.kind, d.direction, d.sign, d.target, self._method(d.kind, d.target)) not in made]
        return tuple(
            Task(first_task + i, d.kind, node.id, d.direction, d.sign, d.target, d.coefficients, None, run, d.mirror)
            for i, d in enumerate(new)
        )

    def _edges(self, landscape: Landscape, record: SearchRecord, end: StationaryPoint) -> tuple[Edge, ...]:
        task = record.task
        if task.kind in ("start", "revisit", "ridge"):
            return ()
        origin = landscape.nodes[task.parent].point
        if task.kind == "up":
            if end.index <= origin.index:
                return ()
            parent, child, g = record.node, task.parent, inverse(self.symmetry, record.element)
        else:
            if end.index >= origin.index:
                return ()
            parent, child, g = task.parent, record.node, record.element
        highest = max(record.result.max_energy, origin.energy, end.energy)
        first = self._edge(landscape, record, parent, child, g, task.sign, highest, ())
        if task.mirror is None:
            return (first,)
        mirrored = compose(self.symmetry, task.mirror, record.element)
        g = inverse(self.symmetry, mirrored) if task.kind == "up" else mirrored
        return first, self._edge(landscape, record, parent, child, g, -task.sign, highest, (first,))

    def _edge(
        self,
        landscape: Landscape,
        record: SearchRecord,
        parent: int,
        child: int,
        g: np.ndarray,
        sign: int,
        highest: float,
        beside: tuple[Edge, ...],
    ) -> Edge:
        """The edge of one search; one that was seen before comes back as it is, to be counted up. ``beside``: its mirror image."""
        task = record.task
        kind = {"quench": "quench+" if sign > 0 else "quench-"}.get(task.kind, task.kind)
        same = landscape.edges_between(parent, child)
        for edge in same:
            way = (edge.kind, edge.direction, edge.sign, edge.method)
            if way == (kind, task.direction, sign, record.method) and np.array_equal(edge.child_element, g):
                return edge
        key = 1 + max((edge.key for edge in (*same, *beside)), default=-1)
        return Edge(parent, child, g, key, kind, task.direction, sign, record.method, record.metric, task.id, highest)

    def failed(self, task: Task, result: SearchResult, message: str) -> Commit:
        """What is kept of a search whose end could not be merged: that it failed, and why."""
        result = replace(result, status=Status.FAILED, message=message)
        return Commit(self._record(task, result, Match(-1, self.symmetry.identity, np.nan)), None)


def position_error(a: StationaryPoint, b: StationaryPoint) -> float:
    """How far apart two approximations of one point may be, given their gradients: |g| / min |lambda|, with a factor of 100.

    The eigenvalues are those of ``b``; zero modes move a point without a gradient and do not count.
    """
    sizes = np.abs(b.eigenvalues)
    sizes = sizes[sizes > b.zero_tolerance]
    return 100.0 * (a.gradient_norm + b.gradient_norm) / float(sizes.min()) if sizes.size else 0.0
