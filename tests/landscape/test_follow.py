"""Following states: critical values known exactly, states that merge as the tables say, nothing that disappears in silence."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import pytest

from saddlescape import EnergyModel, Symmetry, as_model, explore, follow
from saddlescape.landscape import tracking
from saddlescape.models import ChafeeInfante, LandauDeGennes, MuellerBrown, PhaseField, ReducedLandauDeGennes
from saddlescape.models.liquid_crystals import Rectangle
from saddlescape.numerics.branching import Limits
from saddlescape.numerics.family import Family

# Points by index of the nematic square; 2003.07643 and the docstring of the model have the states.
LDG = {
    5.0: {0: 1},
    7.0: {0: 2, 1: 1},
    10.0: {0: 2, 1: 2, 2: 1},
    15.0: {0: 2, 1: 2, 2: 1},
    20.0: {0: 2, 1: 2, 2: 4, 3: 4, 4: 1},
    30.0: {0: 6, 1: 8, 2: 6, 3: 4, 4: 1},
}


@dataclasses.dataclass(frozen=True)
class Quartic(EnergyModel):
    """E = x^4/4 - a x^2/2 + b x, without a declared symmetry."""

    a: float = 1.0
    b: float = 0.0
    label: str = ""

    dim: ClassVar[int] = 1

    def energy(self, x):
        return float(x[0] ** 4 / 4 - self.a * x[0] ** 2 / 2 + self.b * x[0])

    def gradient(self, x, out=None):
        return np.array([x[0] ** 3 - self.a * x[0] + self.b])


@dataclasses.dataclass(frozen=True)
class Circle(EnergyModel):
    """E = x^3/3 + (p^2 - 1) x: stationary on the circle x^2 + p^2 = 1."""

    p: float

    dim: ClassVar[int] = 1

    def energy(self, x):
        return float(x[0] ** 3 / 3 + (self.p**2 - 1) * x[0])

    def gradient(self, x, out=None):
        return np.array([x[0] ** 2 + self.p**2 - 1])


@dataclasses.dataclass(frozen=True)
class Wells(EnergyModel):
    """Two double wells of depths 1 and a: they can be exchanged where a = 1 only."""

    a: float

    dim: ClassVar[int] = 2
    coercive: ClassVar[bool] = True

    @property
    def symmetry(self):
        flips = [([0, 1], [-1.0, 1.0]), ([0, 1], [1.0, -1.0])]
        return Symmetry.generate(2, flips + ([([1, 0], 1.0)] if self.a == 1.0 else []))

    def energy(self, x):
        return float(((x**2 - 1) ** 2) @ [1.0, self.a]) / 4

    def gradient(self, x, out=None):
        return (x**3 - x) * [1.0, self.a]


def values_of(diagram, kind=None):
    return [c.value for c in diagram.criticals if kind in (None, c.kind)]


# --- exact diagrams -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [[0.5, 2.0, 5.0, 10.0, 20.0], [20.0, 10.0, 5.0, 2.0, 0.5]])
@pytest.mark.parametrize("origin", [0.5, 7.0, 20.0])
def test_chafee_infante_from_any_side(way, origin):
    model = ChafeeInfante(31, origin)
    diagram = follow(model.start("zero"), "lam", way, model=model, branches=True)
    h = np.pi / 32
    exact = 4 / h**2 * np.sin(np.arange(1, 5) * h / 2) ** 2
    assert values_of(diagram, "pitchfork") == pytest.approx(exact, abs=1e-7) and len(diagram.criticals) == 4
    for critical, k in zip(diagram.criticals, range(4), strict=True):
        low, high = critical.bracket
        assert low < exact[k] < high < low + 2.1e-5
        assert (critical.index_below, critical.index_above, critical.multiplicity) == (k, k + 1, 1)
        assert len(critical.through) == len(critical.ending) == 1
    for value, pairs in zip(sorted(way), range(5), strict=True):
        assert diagram.index_counts(value) == {**{i: 2 for i in range(pairs)}, pairs: 1}
        assert diagram.euler_characteristic(value) == 1
        assert all(point.gradient_norm < 1e-10 for point in diagram.at(value))
    assert not diagram.lost and not diagram.notes


def test_a_branch_is_followed_away_and_back():
    model = ChafeeInfante(31, 0.5)
    there = follow(model.start("zero"), "lam", [0.5, 6.0], model=model, branches=True)
    (born,) = [b for b in there.branches if b.indices[-1] == 0 and b.born >= 0]
    back = follow(born.at(6.0), "lam", [6.0, 0.5], model=dataclasses.replace(model, lam=6.0))
    (critical,) = back.criticals
    assert critical.kind == "meeting" and critical.value == pytest.approx(there.criticals[0].value, abs=1e-7)
    assert back.branches[0].ends[0].kind == "critical" and back.branches[0].ends[1].kind == "range"
    assert "branch 0 (index 0, 2 copies), existing above it only, ends there" in back.report()
    quiet = follow(model.start("zero"), "lam", [0.5, 0.6], model=model)
    assert quiet.report() == "no critical value for lam from 0.5 to 0.6"
    # With the zero state beside it the report names what it merges into.
    both = follow([born.at(6.0), np.zeros(31)], "lam", [6.0, 0.5], model=dataclasses.replace(model, lam=6.0))
    assert "branch 0 (index 0, 2 copies), existing above it only, merges into branch 1" in both.report()
    assert both.at(0.5)[0].index == 0 and len(both.at(0.5)) == 1


def test_what_a_lonely_branch_merges_into_is_found():
    model = ChafeeInfante(31, 6.0)
    u1 = follow(np.zeros(31), "lam", [0.5, 6.0], model=dataclasses.replace(model, lam=0.5), branches=True).branches[1].at(6.0)
    diagram = follow(u1, "lam", [0.5, 6.0], model=model, branches=True)
    assert diagram.index_counts(6.0) == {0: 2, 1: 2, 2: 1} and diagram.index_counts(0.5) == {0: 1}


def test_a_hysteresis_loop_is_followed_past_both_folds():
    diagram = follow(np.array([1.0]), "b", [-1.0, -0.1, 0.1, 1.0], model=Quartic())
    fold = 2 / (3 * np.sqrt(3))
    assert values_of(diagram, "fold") == pytest.approx([-fold, fold], abs=1e-8) and len(diagram.criticals) == 2
    assert [diagram.index_counts(v) for v in diagram.values] == [{0: 1}, {0: 2, 1: 1}, {0: 2, 1: 1}, {0: 1}]
    assert "branch 0 (index 0) and branch 1 (index 1), existing below it only, end in each other" in diagram.report()
    assert [b.indices[1] for b in diagram.branches] == [0, 1, 0]
    assert not diagram.lost


def test_an_isolated_loop_closes():
    around = follow(np.array([np.sqrt(0.75)]), "p", [-2.0, 0.0, 2.0], model=Circle(0.5))
    assert values_of(around, "fold") == pytest.approx([-1.0, 1.0], abs=1e-8)
    assert len(around.branches) == 2 and all(len(c.ending) == 2 for c in around.criticals) and not around.lost
    assert around.index_counts(0.0) == {0: 1, 1: 1} and around.index_counts(2.0) == {}


def test_both_sides_of_a_fold_are_one_critical_value():
    # Followed from both of its states: nothing is followed twice.
    roots = np.sort(np.roots([1.0, 0.0, -1.0, 0.05]).real)
    diagram = follow([np.array([r]) for r in roots], "a", [1.0, 0.5, -1.0], model=Quartic(b=0.05))
    assert len(diagram.branches) == 3 and len(diagram.criticals) == 1
    assert diagram.criticals[0].value == pytest.approx(3 * (0.05 / 2) ** (2 / 3), abs=1e-8)
    assert diagram.index_counts(-1.0) == {0: 1} and diagram.index_counts(0.5) == {0: 2, 1: 1}


def test_an_undeclared_pitchfork_has_two_branches():
    diagram = follow(np.array([1.0]), "a", [1.0, 0.5, -1.0], model=Quartic())
    assert len(diagram.branches) == 2 and diagram.criticals[0].kind == "meeting"  # through zero to the mirror image
    whole = follow(np.array([0.0]), "a", [-1.0, 0.5, 1.0], model=Quartic(a=-1.0), branches=True)
    assert [c.kind for c in whole.criticals] == ["pitchfork"] and len(whole.branches) == 3
    for branch in whole.branches[1:]:
        np.testing.assert_allclose(branch.x[:, 0] ** 2, branch.values, atol=3e-4)


def test_a_value_asked_for_may_be_critical():
    for values in ([-1.0, 0.0, 1.0], [1.0, 0.0, -1.0]):
        diagram = follow(np.zeros(1), "a", values, model=Quartic(a=values[0]), branches=True)
        assert len(diagram.branches) == 3 and [c.kind for c in diagram.criticals] == ["pitchfork"]
        through = diagram.branches[diagram.criticals[0].through[0]]
        assert list(through.landed) == [-1.0, 0.0, 1.0] and through.criticals[list(through.values).index(0.0)] == 0
        assert (np.diff(through.indices) >= 0).all() and through.indices[[0, -1]].tolist() == [0, 1]
    beginning = follow(np.zeros(1), "a", [0.0, 1.0], model=Quartic(a=0.0), branches=True)
    assert beginning.index_counts(1.0) == {0: 2, 1: 1}


def test_a_circle_of_states_that_nobody_declared_is_followed():
    def hat(a):
        return as_model(lambda x: float((x @ x - a) ** 2) / 4, lambda x: (x @ x - a) * x, 2)

    diagram = follow(np.array([0.6, 0.8]), hat, [1.0, 0.5, -1.0])
    assert [(p.index, p.nullity) for p in diagram.at(0.5)] == [(0, 1), (0, 1)] and diagram.at(-1.0) == []  # it and its opposite
    assert values_of(diagram, "meeting") == pytest.approx([0.0], abs=1e-8) and not diagram.lost


def test_a_parameter_is_followed_to_where_it_ends():
    def model_at(w):
        if w < 0.0:
            raise ValueError("w: negative")
        return as_model(lambda x: float(x[0] ** 3 / 3 - (w + 0.01) * x[0]), lambda x: np.array([x[0] ** 2 - w - 0.01]), 1)

    diagram = follow(np.array([np.sqrt(1.01)]), model_at, [1.0, 0.0])
    assert diagram.at(0.0)[0].x[0] == pytest.approx(0.1, abs=1e-12) and not diagram.lost


def test_a_transcritical_crossing_is_told_from_a_pitchfork():
    def model_at(a):
        return as_model(lambda x: float(x[0] ** 3 / 3 - a * x[0] ** 2 / 2), lambda x: np.array([x[0] ** 2 - a * x[0]]), 1)

    diagram = follow(np.zeros(1), model_at, [-1.0, 0.5, 1.0], branches=True)
    assert [c.kind for c in diagram.criticals] == ["transcritical"] and diagram.criticals[0].value == pytest.approx(0.0, abs=1e-9)
    assert diagram.parameter == "model_at" and diagram.origin == -1.0
    assert [diagram.index_counts(v) for v in diagram.values] == 3 * [{0: 1, 1: 1}]


def test_the_index_of_the_uniform_phase_is_exact():
    n = 16
    model = PhaseField(n, 0.02)
    diagram = follow(model.start("zero"), "kappa", [0.03, 0.02, 0.01, 0.004], model=model)
    waves = 4 * n**2 * np.sin(np.pi * np.arange(n) / n) ** 2
    laplacian = np.sort((waves[:, None] + waves).ravel())
    for value in diagram.values:
        assert list(diagram.index_counts(value)) == [np.count_nonzero(value * laplacian < 1.0)]
    inside = [1 / w for w in np.unique(np.round(laplacian[1:], 9)) if 0.004 < 1 / w < 0.03]
    assert values_of(diagram) == pytest.approx(sorted(inside), abs=1e-9)
    assert [c.multiplicity for c in diagram.criticals] == [np.sum(np.abs(1 / laplacian[1:] - v) < 1e-6) for v in sorted(inside)]


def check_phases(diagram):
    assert diagram.index_counts(0.02) == {0: 2, 1: 2, 2: 1, 5: 1} and diagram.index_counts(0.03) == {0: 2, 1: 1}
    assert all(diagram.euler_characteristic(v) == 1 for v in diagram.values) and not diagram.lost and not diagram.notes
    assert sorted((p.index, p.nullity, p.orbit_dimension) for p in diagram.at(0.02)) == [(0, 0, 0), (1, 1, 1), (2, 2, 2), (5, 0, 0)]
    (critical,) = diagram.criticals
    assert (critical.kind, critical.multiplicity, len(critical.ending)) == ("multiple", 4, 2)


def test_states_with_zero_modes_are_found():
    model = PhaseField(16, 0.03)
    check_phases(follow([model.start("zero"), model.start("one")], "kappa", [0.03, 0.02], model=model, branches=True))


def test_a_state_between_the_grid_points_is_followed():
    model = PhaseField(16, 0.02)
    diagram = follow(model.start("zero"), "kappa", [0.03, 0.02], model=dataclasses.replace(model, kappa=0.03), branches=True)
    (stripe,) = [p for p in diagram.at(0.02) if p.orbit_dimension == 1]
    moved = model.symmetry.translate(stripe.x, np.array([0.37, 0.21]))
    again = follow([moved, stripe], "kappa", [0.02, 0.024, 0.03], model=model)
    assert again.notes == ("state 1 is a copy of state 0 and was not followed again",) and not again.lost
    assert again.at(0.024)[0].orbit_dimension == again.at(0.024)[0].nullity == 1
    assert again.criticals[0].value == pytest.approx(diagram.criticals[0].value, rel=1e-6)


@pytest.mark.slow
def test_states_with_zero_modes_are_followed():
    landscape = explore(PhaseField(32, 0.02), "zero")
    diagram = follow(landscape, "kappa", [0.03, 0.02, 0.015])
    check_phases(diagram)
    assert diagram.index_counts(0.015) == diagram.index_counts(0.02)


# --- the nematic square ---------------------------------------------------------------------------------------------------


def test_critical_values_of_the_wors():
    model = ReducedLandauDeGennes(41, 5.0)
    diagram = follow(model.start("wors"), "lambda2", [5.0, 32.0], model=model, tolerance=1e-4)
    assert values_of(diagram) == pytest.approx([6.418, 7.752, 18.66, 30.72], abs=0.005)
    assert [c.multiplicity for c in diagram.criticals] == [1, 1, 2, 1]
    assert [c.kind for c in diagram.criticals] == ["pitchfork", "pitchfork", "multiple", "pitchfork"]
    assert [(c.index_below, c.index_above) for c in diagram.criticals] == [(0, 1), (1, 2), (2, 4), (4, 5)]
    assert all(c.bracket[1] - c.bracket[0] <= 1e-4 for c in diagram.criticals)
    assert "double eigenvalue: branch 0 changes its index from 2 to 4" in diagram.report()


@pytest.mark.slow
def test_critical_values_of_the_wors_in_the_full_model():
    model = LandauDeGennes(41, 5.0)
    diagram = follow(model.start("wors"), "lambda2", [5.0, 25.0], model=model)
    assert values_of(diagram) == pytest.approx([6.4186, 7.7521, 18.655], abs=0.005)
    assert [(c.multiplicity, c.index_below, c.index_above) for c in diagram.criticals] == [(1, 0, 1), (1, 1, 2), (2, 2, 4)]


def check_square(diagram):
    for value in diagram.values:
        assert diagram.index_counts(value) == LDG[value] and diagram.euler_characteristic(value) == 1
    assert not diagram.lost and not diagram.notes
    assert values_of(diagram) == pytest.approx([6.4163475, 7.7482776, 18.635824, 20.779131, 28.516293], abs=1e-5)
    # R is no minimum below 28.5, where J merges into it; below 20.8 it has merged into BD.
    assert diagram.criticals[4].kind == diagram.criticals[3].kind == "pitchfork"
    assert (diagram.criticals[4].index_below, diagram.criticals[4].index_above) == (1, 0)
    assert [len(c.ending) for c in diagram.criticals] == [1, 1, 2, 1, 1]


def test_a_coarse_nematic_square_grows_from_one_state():
    model = ReducedLandauDeGennes(17, 5.0)
    diagram = follow(model.start("wors"), "lambda2", sorted(LDG), model=model, branches=True)
    assert {float(v): diagram.index_counts(v) for v in diagram.values} == LDG and not diagram.lost and not diagram.notes


@pytest.mark.slow
def test_the_nematic_square_grows_from_one_state():
    model = ReducedLandauDeGennes(33, 5.0)
    check_square(follow(model.start("wors"), "lambda2", sorted(LDG), model=model, branches=True))


@pytest.mark.slow
def test_the_nematic_square_shrinks_to_one_state():
    landscape = explore(ReducedLandauDeGennes(33, 30.0), "wors", max_index=4, rng=0)
    diagram = follow(landscape, "lambda2", sorted(LDG, reverse=True))
    check_square(diagram)
    assert [b.node for b in diagram.branches] == list(range(7))
    report = diagram.report()
    for branch, point in zip(diagram.branches[1:], landscape.points[1:], strict=True):
        assert f"branch {branch.id} (index {branch.indices[0]}, {point.orbit_size} copies)" in report
    assert report.count("existing above it only") == 5
    assert report.count("merge") == 5


@pytest.mark.slow
def test_the_landscape_at_lambda2_50_is_complete():
    # No fold pair sits there: two orbits of 8, born at a double eigenvalue, have an eigenvalue of +-0.0046.
    model = ReducedLandauDeGennes(33, 5.0)
    diagram = follow(model.start("wors"), "lambda2", [5.0, 30.0, 40.0, 45.0, 50.0], model=model, branches=True, max_step=0.05)
    assert all(diagram.euler_characteristic(v) == 1 for v in diagram.values) and not values_of(diagram, "fold")
    assert diagram.index_counts(50.0) == {0: 6, 1: 16, 2: 22, 3: 24, 4: 16, 5: 4, 6: 1}
    nearest = sorted((float(np.abs(p.eigenvalues).min()), p.orbit_size) for p in diagram.at(50.0))
    assert [value for value, _ in nearest[:2]] == pytest.approx([0.0046, 0.0046], abs=1e-4)
    assert [copies for _, copies in nearest[:2]] == [8, 8] and nearest[2][0] > 0.1


# --- symmetry -------------------------------------------------------------------------------------------------------------


def test_the_proportions_of_a_well_are_followed():
    """The mass of the nodes changes with the aspect ratio; the landscapes at both ends are what exploring there finds."""

    def well(aspect):
        return ReducedLandauDeGennes((13, 13), 20.0, domain=Rectangle(aspect))

    start = explore(well(1.5))
    diagram = follow(start, well, [1.5, 1.1])
    assert diagram.euler_characteristic(1.5) == diagram.euler_characteristic(1.1) == 1
    assert diagram.index_counts(1.5) == start.index_counts()
    assert all(critical.bracket[0] <= critical.value <= critical.bracket[1] for critical in diagram.criticals)
    for critical in diagram.criticals:
        mass = well(critical.value).mass
        np.testing.assert_allclose((critical.vectors * mass) @ critical.vectors.T, np.eye(len(critical.vectors)), atol=1e-3)


def test_orbits_split_where_the_symmetry_is_special():
    landscape = explore(Wells(1.0), [0.0, 0.0])
    assert sorted(p.orbit_size for p in landscape.points) == [1, 4, 4]
    diagram = follow(landscape, "a", [1.0, 2.0])
    assert sorted(b.orbit_size for b in diagram.branches) == [1, 2, 2, 4]
    assert diagram.index_counts(1.0) == diagram.index_counts(2.0) == {0: 4, 1: 4, 2: 1}
    saddles = [b for b in diagram.branches if b.indices[0] == 1]
    assert {b.node for b in saddles} == {next(i for i, p in enumerate(landscape.points) if p.index == 1)}
    assert len({round(b.energies[-1], 6) for b in saddles}) == 2


# --- what goes wrong ------------------------------------------------------------------------------------------------------


def test_a_lost_state_is_reported():
    def model_at(p):
        scale = 1.0 if p > 0.3 else np.nan
        return as_model(lambda x: scale * float(x[0] ** 2) / 2, lambda x: scale * x, 1)

    diagram = follow(np.zeros(1), model_at, [1.0, 0.5, 0.1])
    assert diagram.lost == list(diagram.branches) and diagram.at(0.1) == [] and diagram.index_counts(0.5) == {0: 1}
    assert diagram.report().startswith("branch 0 is lost below model_at = 0.3") and "not finite" in diagram.report()


@pytest.fixture
def two_states():
    """A tracker of a double well, and what belongs to its two minima."""
    family = Family(lambda a: Quartic(a), "a", 1.0, 1.0, 1.0)
    tracker = tracking.Tracker(family, Symmetry.generate(1), np.array([1.0, 1.5, 2.0]), 1.0, Limits())
    return tracker, np.array([-1.0]), np.array([1.0])


def test_a_branch_that_came_upon_another_is_followed_again(two_states, monkeypatch):
    tracker, first, second = two_states
    honest, steps = tracking.trace, []

    def jumping(family, point, goal, targets, limits, project):
        steps.append(limits.max_step)
        wrong = point.x[0] > 0.0 and limits.max_step > 0.05
        if wrong:
            point = tracker.started[0].point  # as if a step had ended on the other branch
        return honest(family, point, goal, targets, limits, project)

    monkeypatch.setattr(tracking, "trace", jumping)
    tracker.start(first, 0)
    tracker.start(second, 1)
    tracker.complete(False)
    assert [b.samples[-1].x[0] for b in tracker.branches] == pytest.approx([-np.sqrt(2), np.sqrt(2)])
    assert steps == [0.1, 0.1, 0.1 / 8, 0.1 / 8] and all(b.ends[1].kind == "range" for b in tracker.branches)


def test_a_branch_that_cannot_be_kept_apart_is_lost(two_states, monkeypatch):
    tracker, first, second = two_states
    honest = tracking.trace
    monkeypatch.setattr(
        tracking, "trace", lambda f, point, *rest: honest(f, tracker.started[0].point if tracker.started else point, *rest)
    )
    tracker.start(first, 0)
    tracker.start(second, 1)
    tracker.complete(False)
    assert tracker.branches[1].ends[1].kind == "lost"
    assert "at 1.5 it is the same state as the branch of state 0" in tracker.branches[1].ends[1].reason
    assert max(s.value for s in tracker.branches[1].samples) < 1.5 and tracker.branches[0].ends[1].kind == "range"


def test_a_copy_is_not_followed_twice():
    model = ChafeeInfante(15, 4.5)
    u1 = follow(np.zeros(15), "lam", [0.5, 4.5], model=dataclasses.replace(model, lam=0.5), branches=True).branches[1].at(4.5)
    diagram = follow([u1, -u1.x, u1.x[::-1].copy()], "lam", [4.5, 6.0], model=model)
    assert len(diagram.branches) == 1 and diagram.branches[0].orbit_size == 2
    assert diagram.notes[0] == "state 1 is a copy of state 0 and was not followed again" and len(diagram.notes) == 2


WELL = Quartic()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"parameter": "c"}, ValueError, r"Quartic has no 'c'; its numbers are \['a', 'b'\]"),
        ({"parameter": "label"}, ValueError, "label of Quartic is '', no number"),
        ({"parameter": 3}, TypeError, "got int, expected the name of a parameter, or a function"),
        ({"model": None}, TypeError, "model: got None"),
        ({"values": []}, ValueError, "expected a sequence of finite numbers"),
        ({"values": [1.0, np.nan]}, ValueError, "expected a sequence of finite numbers"),
        ({"values": [1.0, 2.0, 1.5]}, ValueError, "to rise, or to fall"),
        ({"values": [1.0]}, ValueError, "other than that of the model, 1.0"),
        ({"start": np.array([0.9])}, ValueError, "state 0 is not stationary at a = 1; the nearest stationary point"),
        ({"start": np.zeros(2)}, ValueError, r"start\[0\]: got shape \(2,\)"),
        ({"tolerance": 0.0}, ValueError, "tolerance: got 0.0"),
        ({"max_step": 2.0}, ValueError, "max_step: got 2.0"),
        ({"model": as_model(WELL.energy, WELL.gradient, 1), "parameter": "dim"}, ValueError, "dim of FunctionModel is an integer"),
        ({"model": MuellerBrown(), "parameter": "lam", "start": np.zeros(2)}, ValueError, "its numbers are"),
    ],
)
def test_errors_name_the_way_out(change, error, message):
    given = {"start": np.array([1.0]), "parameter": "a", "values": [1.0, 2.0], "model": WELL} | change
    with pytest.raises(error, match=message):
        follow(given.pop("start"), given.pop("parameter"), given.pop("values"), **given)


def test_parameters_that_change_the_unknowns_are_refused():
    model = ChafeeInfante(15, 4.5)
    with pytest.raises(ValueError, match=r"n of ChafeeInfante is an integer.*continuous parameters are \['lam'\]"):
        follow(np.zeros(15), "n", [15, 31], model=model)
    with pytest.raises(ValueError, match=r"no ChafeeInfante with lam = -1: lam: got -1\.0, expected a positive number"):
        follow(np.zeros(15), "lam", [4.5, -1.0], model=model)
    with pytest.raises(ValueError, match=r"16 unknowns at 15\.5\d* and 15 at the start"):
        follow(np.zeros(15), lambda n: ChafeeInfante(round(n), 0.5), [15.0, 16.0])


def test_a_landscape_brings_its_model():
    landscape = explore(Wells(1.0), [0.0, 0.0])
    with pytest.raises(ValueError, match="a landscape brings its own"):
        follow(landscape, "a", [1.0, 2.0], model=Wells(1.0))


# --- the record -----------------------------------------------------------------------------------------------------------


def test_samples_rise_and_change_their_index_at_critical_values_only():
    model = ChafeeInfante(31, 10.0)
    diagram = follow(model.start("zero"), "lam", [0.5, 5.0, 20.0], model=model, branches=True)
    for branch in diagram.branches:
        assert (np.diff(branch.values) > 0.0).all()
        for place in np.flatnonzero(np.diff(branch.indices)) + 1:
            critical = diagram.criticals[branch.criticals[place]]
            assert branch.id in critical.through and critical.bracket[0] <= branch.values[place] <= critical.bracket[1]
        for x, value, energy in zip(branch.x, branch.values, branch.energies, strict=True):
            assert ChafeeInfante(31, value).energy(x) == pytest.approx(energy, rel=1e-6)
    assert [b.id for b in diagram.branches] == list(range(5)) and [c.id for c in diagram.criticals] == list(range(4))
    with pytest.raises(ValueError, match="one of the values that were asked for"):
        diagram.at(3.0)
    assert diagram.branches[0].at(3.0) is None
    assert "lam from 0.5 to 20, 5 branches, 4 critical values" in repr(diagram)
    assert repr(diagram.branches[0]) == "Branch(0: from 0.5 (range) to 20 (range), index 0 -> 1 -> 2 -> 3 -> 4, orbit_size=1)"


def test_the_table_has_every_sample(tmp_path):
    model = ChafeeInfante(15, 0.5)
    diagram = follow(model.start("zero"), "lam", [0.5, 3.0], model=model, branches=True)
    diagram.to_csv(tmp_path / "table.csv")
    table = np.genfromtxt(tmp_path / "table.csv", delimiter=",", names=True)
    assert len(table) == sum(len(b.values) for b in diagram.branches)
    np.testing.assert_array_equal(table["lam"], np.concatenate([b.values for b in diagram.branches]))
    np.testing.assert_array_equal(table["energy"], np.concatenate([b.energies for b in diagram.branches]))
    assert table["landed"].sum() == 3 and set(table["critical"][~np.isnan(table["critical"])]) == {0}
