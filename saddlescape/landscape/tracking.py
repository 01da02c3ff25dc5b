"""From traced branches to a diagram: which critical values are one, which branches end in which, what is still to be followed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ..numerics.alignment import mass_norm
from ..numerics.branching import Limits, Traced, trace
from ..numerics.continuation import CurvePoint, StepFailed, correct, fixed, landing
from ..numerics.criticals import Crossing, leave
from ..numerics.family import Family
from ..numerics.orbits import Direction, align, isotropic_directions, orbit_size, stabiliser
from ..symmetry import Symmetry
from .assembling import Growing, Meeting
from .diagram import End

_MOVED = 1e-3  # a start may be this far from stationary, relatively
_CLOSE = 1e-5  # an element fixes a state that it moves by less, relatively
_LOOSE = 1e-2  # the same, of a state known only roughly
_ASIDE = 0.01  # of the range: where a branch through a critical value is looked for
_WHOLE = 1e-6  # of a spacing: a translation this near to whole spacings is one by those
_SAME = 1e-6  # relative distance at which two states of one value are one
_SAME_CRITICAL = 0.02  # of two critical states: where branches meet they are known less well
_SAME_VALUE = 1e-7  # of the range: to this a turning point is known
_MAX_BRANCHES = 200
_AGAIN = 8.0  # how much shorter the steps are where two branches came together


class _Arms(NamedTuple):
    """A state of the origin with what was traced from it, to the sides that there are."""

    point: CurvePoint
    node: int
    traced: dict[float, Traced]


class Tracker:
    """Follows states of a family and puts their branches together.

    Parameters
    ----------
    family : Family
    symmetry : Symmetry
        Modulo which states are compared.
    values : (k,) array
        Rising.
    origin : float
        The value of the states that are given.
    limits : Limits
    """

    def __init__(self, family: Family, symmetry: Symmetry, values: np.ndarray, origin: float, limits: Limits):
        self.family, self.symmetry, self.values, self.origin, self.limits = family, symmetry, values, origin, limits
        self.low, self.high = min(values.min(), origin), max(values.max(), origin)
        self.mass = family.at(origin).mass
        self.targets = sorted({*values.tolist(), origin})
        self.started: list[_Arms] = []
        self.branches: list[Growing] = []
        self.meetings: list[Meeting] = []
        self.notes: list[str] = []

    # --- following --------------------------------------------------------------------------------------------------------

    def start(self, x: np.ndarray, node: int) -> None:
        """Follow a state of the origin to both sides.

        Raises
        ------
        ValueError
            If it is not stationary.
        """
        where = f"{self.family.name} = {self.origin:.6g}"
        try:
            point = correct(self.family, x, self.origin, fixed(self.family))
        except StepFailed as failure:
            raise ValueError(f"start: state {node} is not stationary at {where}: {failure}") from None
        moved = self.family.length(point.x - x, 0.0)
        if moved > _MOVED:
            raise ValueError(
                f"start: state {node} is not stationary at {where}; the nearest stationary point is {moved:.1e} of its size away: "
                "search it first (saddlescape.search)"
            )
        for other in self.started:
            if self._same(point, other.point):
                self.notes.append(f"state {node} is a copy of state {other.node} and was not followed again")
                return
        self.started.append(_Arms(point, node, self._trace(point, (-1.0, 1.0), self.limits)))

    def _trace(self, point: CurvePoint, sides: tuple[float, ...], limits: Limits) -> dict[float, Traced]:
        project = self._projection(point.x, _CLOSE * mass_norm(point.x, self.mass))
        goals = {side: self.high if side > 0.0 else self.low for side in sides}
        return {
            side: trace(self.family, point, goal, self.targets, limits, project)
            for side, goal in goals.items()
            if goal != point.value
        }

    def _projection(self, x: np.ndarray, close: float) -> Callable[[np.ndarray], np.ndarray] | None:
        """The mean over the elements that leave x where it is to round-off; None if that is the identity alone."""
        symmetry = self.symmetry
        elements = stabiliser(symmetry, x, self.mass, close)
        # Translations by fractions of a spacing interpolate: they are no symmetries to round-off.
        elements = elements[(np.abs(elements - np.round(elements)) < _WHOLE).all(axis=1)].round()
        if len(elements) < 2:
            return None
        return lambda y: np.mean([symmetry.apply(element, y) for element in elements], axis=0)

    def _apart(self, x: np.ndarray, y: np.ndarray) -> float:
        """Distance modulo the symmetry, in units of the size of a state."""
        return align(self.symmetry, x, y, self.mass)[1] / self.family.size

    def _same(self, a: CurvePoint, b: CurvePoint) -> bool:
        """Whether two points of one value are one state, up to the symmetry."""
        # Energies only rule out, which is cheap; round-off in them is that of the largest one.
        scale = max(abs(a.energy), abs(b.energy), *(abs(arms.point.energy) for arms in self.started))
        return a.index == b.index and abs(a.energy - b.energy) <= _SAME * scale and self._apart(a.x, b.x) <= _SAME

    # --- taking in --------------------------------------------------------------------------------------------------------

    def _add(self, point: CurvePoint, node: int, born: int, traced: dict[float, Traced]) -> Growing:
        """A branch from a point and what was traced from it."""
        copies = orbit_size(self.symmetry, point.x, self.mass, _CLOSE * mass_norm(point.x, self.mass))
        branch = Growing(len(self.branches), node, born, copies, [replace(point, system=None)])
        self.branches.append(branch)
        for side, arm in traced.items():
            self._take_in(branch, side, arm)
        return branch

    def _take_in(self, branch: Growing, side: float, arm: Traced) -> None:
        position = 1 if side > 0.0 else 0
        samples = arm.samples[1:]
        for crossing in arm.crossings:
            meeting = self._meeting(crossing.value, crossing.point.x)
            if meeting.crossing is None:
                meeting.crossing, meeting.value, meeting.x = crossing, crossing.value, crossing.point.x
                meeting.indices = (crossing.before, crossing.after)[:: int(side)]
            meeting.through.append(branch.id)
            low, high = crossing.bracket
            inside = [sample for sample in samples if low <= sample.value <= high]  # a value asked for may be the critical one
            samples = [sample for sample in samples if sample not in inside]
            for sample in inside or [crossing.point]:
                marked = replace(sample, system=None, index=meeting.indices[1])
                branch.marks[marked] = meeting.id
                samples.append(marked)
        branch.samples = sorted((*branch.samples, *samples), key=lambda s: s.value)
        if arm.lost:
            branch.ends[position] = End("lost", reason=arm.lost)
        if arm.turning is not None:
            meeting = self._meeting(arm.turning.value, arm.turning.point.x)
            meeting.turning = arm.turning if meeting.turning is None else meeting.turning
            self._end(branch, position, meeting, arm.turning.point)

    def _end(self, branch: Growing, position: int, meeting: Meeting, at: CurvePoint) -> None:
        """Let a branch end at a meeting."""
        branch.ends[position] = End("critical", meeting.id)
        meeting.ending.append((branch.id, position))
        near = branch.samples[-position]
        value = max(at.value, near.value) if position else min(at.value, near.value)
        sample = replace(at, system=None, index=near.index, value=value)
        branch.marks[sample] = meeting.id
        branch.samples.insert(len(branch.samples) * position, sample)

    def _meeting(self, value: float, x: np.ndarray) -> Meeting:
        """The critical value known for this state, or a new one."""
        near = 2.0 * self.limits.tolerance + _SAME_VALUE * self.family.span
        for meeting in self.meetings:
            if abs(meeting.value - value) <= near and self._apart(x, meeting.x) <= _SAME_CRITICAL:
                return meeting
        self.meetings.append(Meeting(len(self.meetings), value, x))
        return self.meetings[-1]

    # --- branches that came together --------------------------------------------------------------------------------------

    def _separate(self) -> None:
        """Distinct states do not become one at a value that nobody chose: follow both anew with shorter steps, else say so."""
        shorter = replace(self.limits, max_step=self.limits.max_step / _AGAIN)
        arms = list(self.started)
        for first, second in combinations(range(len(arms)), 2):
            for side in arms[first].traced:
                if self._together(arms[first].traced[side].samples[1:], arms[second].traced[side].samples[1:]) is None:
                    continue
                for i in (first, second):
                    arms[i].traced.update(self._trace(arms[i].point, (side,), shorter))
                value = self._together(arms[first].traced[side].samples[1:], arms[second].traced[side].samples[1:])
                if value is not None:
                    other = arms[first].node
                    reason = f"at {value:.8g} it is the same state as the branch of state {other}; one of the two left its way"
                    arms[second].traced[side] = _cut(arms[second].traced[side], value, reason)
        for arm in arms:
            self._add(arm.point, arm.node, -1, arm.traced)

    def _together(self, a: list[CurvePoint], b: list[CurvePoint]) -> float | None:
        """The first value landed on, in the order of b, at which two branches are in the same state."""
        known = {sample.value: sample for sample in a if sample.value in self.targets}
        for sample in b:
            other = known.get(sample.value)
            if other is not None and self._same(other, sample):
                return sample.value
        return None

    # --- what is still to be followed -------------------------------------------------------------------------------------

    def complete(self, switch: bool) -> None:
        """Put the branches together; follow the other sides of turning points and, with ``switch``, what leaves critical values."""
        self._separate()
        waiting = list(self.meetings)
        while waiting:
            for meeting in waiting:
                if len(self.branches) >= _MAX_BRANCHES:
                    where = f"{self.family.name} = {meeting.value:.8g}"
                    self.notes.append(f"there are {_MAX_BRANCHES} branches: what leaves {where} was not followed")
                    continue
                if meeting.turning is not None and len(meeting.ending) == 1:
                    self._past(meeting)
                if switch and not meeting.through and not meeting.is_fold:
                    self._parent(meeting)
                if switch and meeting.crossing is not None:
                    self._switch(meeting)
                meeting.left = True
            waiting = [meeting for meeting in self.meetings if not meeting.left]

    def _past(self, meeting: Meeting) -> None:
        """The other side of a turning point, unless it is the image of the first."""
        before, after = meeting.turning.before, meeting.turning.after
        if self._apart(before.x, after.x) > 0.1 * self.family.length(before.x - after.x, 0.0):
            self._grow_from(meeting, after)

    def _parent(self, meeting: Meeting) -> None:
        """The branch in which others end, where it was not followed: through the middle between the two sides of their end."""
        turning = meeting.turning
        middle = 0.5 * (turning.before.x + turning.after.x)
        project = self._projection(middle, _LOOSE * mass_norm(middle, self.mass) + _LOOSE * self.family.size)
        aside = _ASIDE * self.family.span * (1.0 if meeting.ending[0][1] else -1.0)
        value = meeting.value + aside
        value = value if self.low <= value <= self.high else meeting.value - aside
        try:
            point = correct(self.family, middle if project is None else project(middle), value, fixed(self.family), project=project)
        except StepFailed as failure:
            self.notes.append(f"the branch that goes through {self.family.name} = {meeting.value:.8g} was not found: {failure}")
            return
        traced = self._trace(point, (-1.0, 1.0), self.limits)
        if not any(self._known(arm) for arm in traced.values()):
            self._add(point, -1, meeting.id, traced)

    def _switch(self, meeting: Meeting) -> None:
        """The branches that leave a crossing along its critical eigenvectors, adapted to the symmetry where there are several."""
        crossing = meeting.crossing
        for direction in self.directions(crossing):
            vector = direction.coefficients @ crossing.vectors
            for sign in (1.0,) if direction.mirror is not None else (1.0, -1.0):
                aside = crossing.point.x + 0.01 * sign * vector / self.family.length(vector, 0.0)
                project = self._projection(aside, 1e-5 * self.family.size)
                try:
                    point = leave(self.family, crossing, sign * vector, project)
                except StepFailed as failure:
                    where = f"{self.family.name} = {meeting.value:.8g}"
                    self.notes.append(f"a branch that leaves {where} was not found: {failure}")
                    continue
                self._grow_from(meeting, point)

    def directions(self, crossing: Crossing) -> list[Direction]:
        """Along which branches leave a crossing."""
        mass = self.family.at(crossing.point.value).mass  # in which the vectors are orthonormal
        close = _CLOSE * mass_norm(crossing.point.x, mass)
        same = np.ones(len(crossing.vectors))  # all vanish: one eigenvalue
        return isotropic_directions(self.symmetry, crossing.point.x, mass, same, crossing.vectors, close)

    def _grow_from(self, meeting: Meeting, point: CurvePoint) -> None:
        """Follow a branch away from a meeting, unless it is known."""
        if not self.low <= point.value <= self.high or any(self._on(self.branches[b], point) for b, _ in meeting.ending):
            return
        side = 1.0 if point.tangent.value > 0.0 else -1.0
        traced = self._trace(point, (side,), self.limits)
        if not traced or self._known(traced[side]):
            return
        branch = self._add(point, -1, meeting.id, traced)
        at = meeting.turning.point if meeting.crossing is None else meeting.crossing.point
        self._end(branch, 0 if side > 0.0 else 1, meeting, at)

    def _on(self, branch: Growing, point: CurvePoint) -> bool:
        """Whether a point lies on a branch, up to the symmetry."""
        values = [sample.value for sample in branch.samples]
        place = int(np.searchsorted(values, point.value))
        if not 0 < place < len(values):
            return False
        try:
            there = landing(self.family, branch.samples[place - 1], branch.samples[place], point.value)
        except StepFailed:
            return False
        return self._same(there, point)

    def _known(self, arm: Traced) -> bool:
        """Whether a branch in hand is in the same state at a value landed on."""
        return any(self._together(branch.samples, arm.samples[1:]) is not None for branch in self.branches)


def _cut(traced: Traced, value: float, reason: str) -> Traced:
    """A trace up to before a value."""
    start = traced.samples[0].value
    reach = abs(value - start)
    samples = [sample for sample in traced.samples if abs(sample.value - start) < reach]
    return Traced(samples, [c for c in traced.crossings if abs(c.value - start) < reach], None, reason)
