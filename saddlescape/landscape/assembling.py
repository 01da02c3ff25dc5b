"""What a tracker found, put down as a diagram."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ..numerics.certify import CertificationError, certify
from ..numerics.continuation import CurvePoint
from ..numerics.criticals import Crossing, Turning
from ..numerics.newton import clean_zero_modes
from ..results import StationaryPoint
from .diagram import Branch, Critical, Diagram, End
from .info import ModelInfo

if TYPE_CHECKING:
    from .tracking import Tracker

_QUADRATIC = 1e-6  # smaller, a quadratic term is none: the crossing is a pitchfork


@dataclass(eq=False)
class Growing:
    """A branch as it is found; samples by rising value."""

    id: int
    node: int
    born: int
    copies: int
    samples: list[CurvePoint]
    marks: dict[CurvePoint, int] = field(default_factory=dict)  # samples on a critical value: its id
    ends: list[End] = field(default_factory=lambda: [End("range"), End("range")])


@dataclass(eq=False)
class Meeting:
    """A critical value as it is found."""

    id: int
    value: float
    x: np.ndarray
    crossing: Crossing | None = None
    turning: Turning | None = None
    through: list[int] = field(default_factory=list)
    ending: list[tuple[int, int]] = field(default_factory=list)  # branch, position of its end
    indices: tuple[int, int] = (-1, -1)  # below and above it, of what goes through
    left: bool = False  # whether what leaves it has been followed

    @property
    def is_fold(self) -> bool:
        return self.crossing is None and self.turning is not None and self.turning.is_fold


def assemble(tracker: Tracker, info: ModelInfo, name: str) -> Diagram:
    """The diagram of what a tracker found: states certified at the values asked for, critical values named and in their order."""
    order = sorted(tracker.meetings, key=lambda meeting: meeting.value)
    number = {meeting.id: i for i, meeting in enumerate(order)}
    branches = tuple(_branch(tracker, branch, number) for branch in tracker.branches)
    criticals = tuple(_critical(tracker, i, meeting) for i, meeting in enumerate(order))
    return Diagram(info, name, tracker.origin, tracker.values, branches, criticals, tuple(tracker.notes))


def _branch(tracker: Tracker, branch: Growing, number: dict[int, int]) -> Branch:
    samples = branch.samples
    points, landed = [], []
    guess = None
    tips = [sample for sample, end in zip((samples[0], samples[-1]), branch.ends, strict=True) if end.kind == "critical"]
    for sample in samples:
        if sample.value in tracker.values and sample not in tips:
            point = _certified(tracker, sample, guess, branch)
            if point is not None:
                guess = point.eigenvectors
                points.append(point)
                landed.append(sample.value)
    ends = [end._replace(critical=number[end.critical]) if end.critical >= 0 else end for end in branch.ends]
    return Branch(
        branch.id,
        branch.node,
        number.get(branch.born, -1),
        branch.copies,
        np.array([s.value for s in samples]),
        np.array([s.energy for s in samples]),
        np.array([s.gradient_norm for s in samples]),
        np.array([s.index for s in samples]),
        np.array([s.x for s in samples]),
        np.array([number.get(branch.marks.get(s, -1), -1) for s in samples]),
        np.array(landed),
        tuple(points),
        (ends[0], ends[1]),
    )


def _certified(tracker: Tracker, sample: CurvePoint, guess: np.ndarray | None, branch: Growing) -> StationaryPoint | None:
    d = tracker.family.at(sample.value)
    modes = d.zero_modes(sample.x)
    try:
        point = certify(d, sample.x, energy=sample.energy, gradient_norm=sample.gradient_norm, guess=guess, zero_modes=modes)
    except CertificationError as error:
        tracker.notes.append(f"branch {branch.id} at {tracker.family.name} = {sample.value:.8g} is not certified: {error}")
        return None
    modes = clean_zero_modes(d, sample.x, modes)
    return replace(point, orbit_size=branch.copies, orbit_dimension=0 if modes is None else len(modes))


def _critical(tracker: Tracker, number: int, meeting: Meeting) -> Critical:
    crossing, turning = meeting.crossing, meeting.turning
    if crossing is None:
        vector, mass = turning.point.tangent.x, tracker.family.at(turning.point.value).mass
        vectors = (vector / np.sqrt(np.sum(vector * mass * vector)))[None]
        bracket, kind = turning.bracket, "fold" if turning.is_fold else "meeting"
    else:
        bracket, vectors, kind = crossing.bracket, crossing.vectors, _kind(tracker, crossing)
    ending = tuple(branch for branch, _ in meeting.ending)
    return Critical(
        number, kind, meeting.value, bracket, len(vectors), *meeting.indices, meeting.x, vectors, tuple(meeting.through), ending
    )


def _kind(tracker: Tracker, crossing: Crossing) -> str:
    if len(crossing.vectors) > 1:
        return "multiple"
    if tracker.directions(crossing)[0].mirror is not None:
        return "pitchfork"
    d = tracker.family.at(crossing.point.value)
    x, vector = crossing.point.x, crossing.vectors[0]
    vector = vector / tracker.family.length(vector, 0.0)
    # Third derivative of the energy along the eigenvector, against what the eigenvalue changes by over the whole range.
    step = 1e-4 * vector
    cubic = float(step @ (d.hvp(x + step, vector) - d.hvp(x - step, vector))) / 2e-8
    change = abs(crossing.slope) * tracker.family.span * float(np.sum(vector * d.mass * vector))
    return "pitchfork" if abs(cubic) <= _QUADRATIC * change else "transcritical"
