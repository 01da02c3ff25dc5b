"""explore(): robust starts, arguments, reproducibility, plug-in methods and groups, certified nodes."""

from __future__ import annotations

import io
import logging
import sys
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from saddlescape import (
    DownwardSearch,
    EnergyModel,
    GradientFlow,
    HiSD,
    Landscape,
    Status,
    Symmetry,
    UpwardSearch,
    as_model,
    explore,
    load,
    resume,
    search,
)
from saddlescape.landscape.progress import ProgressBar
from saddlescape.models import Butterfly, DoubleWells, MuellerBrown, PhaseField, ReducedLandauDeGennes
from saddlescape.parts import FixedStep, Nesterov
from saddlescape.store import digest

# --- robust to the start --------------------------------------------------------------------------------------------------

BOXES = {Butterfly: ((-2.0, 2.0), (-1.5, 2.5)), MuellerBrown: ((-1.5, 1.2), (-0.3, 1.9))}
COUNTS = {Butterfly: {0: 4, 1: 4, 2: 1}, MuellerBrown: {0: 3, 1: 2}}


def random_starts(model, number: int) -> np.ndarray:
    """Uniform in the model's box, (number, 2)."""
    lower, upper = np.array(BOXES[model]).T
    return np.random.default_rng(12).uniform(lower, upper, (number, 2))


@pytest.mark.parametrize("model", [Butterfly, MuellerBrown])
@pytest.mark.parametrize("number", [*range(5), *(pytest.param(i, marks=pytest.mark.slow) for i in range(5, 30))])
def test_one_call_finds_everything_from_a_random_start(model, number):
    landscape = explore(model(), random_starts(model, 30)[number], upward=True)
    assert landscape.index_counts() == COUNTS[model]
    assert landscape.euler_characteristic() == 1
    assert all(np.isfinite(point.x).all() for point in landscape.points)


def test_the_same_nodes_from_any_start_and_seed(counterparts):
    landscapes = [explore(Butterfly(), x, upward=True, rng=seed) for seed, x in enumerate(random_starts(Butterfly, 3))]
    for other in landscapes[1:]:
        counterparts(landscapes[0], other)


def test_several_starts_at_once_replace_the_search_upward(counterparts):
    saddles = [(-0.82, 0.62), (0.21, 0.29)]
    counterparts(explore(MuellerBrown(), saddles), explore(MuellerBrown(), upward=True))
    counterparts(explore(MuellerBrown(), np.array(saddles)), explore(MuellerBrown(), upward=True))


# --- the same seed, the same numbers --------------------------------------------------------------------------------------


def test_a_seed_is_an_int_a_seed_sequence_or_a_generator():
    def run(rng):
        return digest(explore(Butterfly(), upward=True, rng=rng))

    assert run(7) == run(7) == run(np.int64(7))
    assert run(7) != run(8)  # the seed itself is part of the landscape
    assert run(np.random.SeedSequence(7)) == run(np.random.SeedSequence(7))
    assert run(np.random.default_rng(7)) == run(np.random.default_rng(7))
    assert run(None) == run(0)


def test_different_seeds_find_the_same_square(counterparts):
    first, second = (explore(ReducedLandauDeGennes(17, 20.0), rng=seed) for seed in (1, 2))
    counterparts(first, second)


def test_the_global_random_state_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    explore(Butterfly(), upward=True)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_the_start_is_not_changed():
    start = np.array([0.3, 0.4])
    explore(Butterfly(), start, upward=True)
    assert start.tolist() == [0.3, 0.4]


# --- what a node and an edge are worth ------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", [Butterfly(), MuellerBrown(), DoubleWells((1.0, 1.3, 0.7)), PhaseField(24, 0.03)])
def test_every_node_is_certified(model):
    landscape = explore(model, upward=model.dim == 2)
    assert landscape.nodes
    for point in landscape.points:
        hessian = np.array([model.hvp(point.x, e) for e in np.eye(model.dim)]) / model.mass
        dense = np.linalg.eigvalsh(hessian)
        assert point.index == int((dense < -point.zero_tolerance).sum())
        assert point.nullity == int((np.abs(dense) <= point.zero_tolerance).sum())
        assert point.gradient_norm == pytest.approx(np.sqrt(np.sum(model.gradient(point.x) ** 2 / model.mass)), abs=1e-14)
        size = np.sqrt(np.sum(point.x**2 * model.mass)) + np.sqrt(np.sum(model.mass * np.ones(model.dim)))
        assert point.gradient_norm <= 100.0 * np.finfo(float).eps * np.abs(dense).max() * size
        assert point.energy == model.energy(point.x)
        assert str(point.index) in point.certificate


@pytest.mark.parametrize(
    "model", [Butterfly(), MuellerBrown(), DoubleWells((1.0, 1.3, 0.7)), ReducedLandauDeGennes(17, 30.0), PhaseField(24, 0.03)]
)
def test_index_1_saddles_have_both_their_downhill_connections(model):
    landscape = explore(model, upward=model.dim == 2)
    assert landscape.saddles(1)
    for saddle in landscape.saddles(1):
        kinds = [edge.kind for edge in landscape.edges if edge.parent == saddle and edge.kind.startswith("quench")]
        assert sorted(kinds) == ["quench+", "quench-"]
    for edge in landscape.edges:
        parent, child = landscape.points[edge.parent], landscape.points[edge.child]
        assert parent.index > child.index
        assert edge.kind in ("down", "up", "quench+", "quench-")
        assert edge.method.startswith("GradientFlow(" if edge.kind.startswith("quench") else "HiSD(")
        assert edge.metric == ("preconditioned" if hasattr(model, "preconditioner") else "mass")
        assert edge.max_energy >= child.energy
        if edge.kind.startswith("quench"):
            assert child.energy < parent.energy


# --- what the caller chooses ----------------------------------------------------------------------------------------------


def test_max_index_bounds_the_searches():
    # All three directions: from a minimum of three wells two of them leave some saddles out of reach below index 2.
    searches = (DownwardSearch(), UpwardSearch(directions=3))
    landscape = explore(DoubleWells((1.0, 1.3, 0.7)), (0.9, 0.9, 0.9), searches=searches, max_index=1)
    assert landscape.index_counts() == {0: 8, 1: 12}
    assert max(search.task.target for search in landscape.searches) == 1
    everything = explore(DoubleWells((1.0, 1.3, 0.7)), (0.9, 0.9, 0.9), upward=True)
    assert everything.index_counts() == {0: 8, 1: 12, 2: 6, 3: 1}


def test_a_saddle_above_max_index_is_left_downward_to_what_was_asked_for():
    landscape = explore(DoubleWells((1.0, 1.3, 0.7)), max_index=1)
    assert landscape.points[0].index == 3
    assert {s.task.target for s in landscape.searches if s.task.kind == "down"} <= {0, 1}


def test_named_starts_and_points_go_together():
    model = ReducedLandauDeGennes(17, 10.0)
    landscape = explore(model, ["wors", model.start("wors")])
    assert landscape.index_counts() == {0: 2, 1: 2, 2: 1}
    assert [s.node for s in landscape.searches if s.task.kind == "start"] == [0, 0, 0, 0]


@pytest.mark.parametrize("method", [HiSD(step=FixedStep()), HiSD(preconditioned=False)])
def test_other_methods_find_the_same(method, counterparts):
    landscape = explore(Butterfly(), method=method)
    counterparts(landscape, explore(Butterfly()))
    assert any(edge.method.startswith("HiSD(") and edge.kind == "down" for edge in landscape.edges)


class Own:
    """A method of a user: descends the reflected gradient with exact eigenvectors and short steps."""

    preconditioned = False

    def begin(self, derivatives, x0, *, index, frame, length, rng):
        state = OwnState(x0.copy(), index, 0.1 if length is None else length, x0.copy())
        state.look(derivatives)
        return state

    def advance(self, derivatives, state, n_steps, tolerance):
        for step in range(n_steps):
            if state.gradient_norm <= tolerance:
                return step
            state.x = state.x - state.next_move * state.d / max(np.abs(state.d).max(), 1e-300)
            state.look(derivatives)
        return n_steps


@dataclass
class OwnState:
    x: np.ndarray
    index: int
    length: float
    start: np.ndarray
    patience: int = 50
    energy: float = 0.0
    max_energy: float = -np.inf
    gradient_norm: float = 0.0
    next_move: float = 0.0
    outcome: int = 0

    def widen(self, length):
        self.length = length

    def look(self, derivatives):
        g = np.empty_like(self.x)
        self.energy = derivatives.energy_gradient(self.x, g)
        self.max_energy = max(self.max_energy, self.energy)
        self.gradient_norm = float(np.linalg.norm(g))
        values, vectors = np.linalg.eigh(np.array([derivatives.hvp(self.x, e) for e in np.eye(self.x.size)]))
        signs = np.where(np.arange(self.x.size) < self.index, -1.0, 1.0)
        self.d = vectors @ (signs / np.maximum(np.abs(values), 1.0) * (vectors.T @ g))
        self.next_move = min(0.3 * np.abs(self.d).max(), 0.1 * self.length)


def test_a_method_of_the_users_own_plugs_in(counterparts):
    landscape = explore(Butterfly(), method=Own())
    counterparts(landscape, explore(Butterfly()))
    down = [edge for edge in landscape.edges if edge.kind == "down"]
    assert down and all("Own" in edge.method for edge in down)
    assert landscape.runs[0].configuration["method"]["name"].endswith("Own")


def test_symmetry_by_a_users_function():
    mirror = Symmetry.by_matching(2, lambda x, y: y if abs(x[0] - y[0]) <= abs(x[0] + y[0]) else y * (-1.0, 1.0))
    landscape = explore(Butterfly(), symmetry=mirror)
    assert landscape.index_counts() == {0: 2, 1: 3, 2: 1}
    assert "user's function" in landscape.info.symmetry
    declared = explore(Butterfly())
    key = [(p.index, round(p.energy, 9)) for p in landscape.points]
    assert sorted(key) == sorted((p.index, round(p.energy, 9)) for p in declared.points)


@dataclass(frozen=True)
class PinnedRing(EnergyModel):
    """(r^2 - 1)^2 + 0.02 r^4 cos 4 theta: a circle of minima that a lattice pins at four of them, with four saddles between."""

    dim: ClassVar[int] = 2
    coercive: ClassVar[bool] = True

    def energy(self, z):
        x, y = z
        return (x * x + y * y - 1) ** 2 + 0.02 * (x**4 - 6 * x * x * y * y + y**4)

    def gradient(self, z, out=None):
        x, y = z
        out = np.empty(2) if out is None else out
        radial = 4 * (x * x + y * y - 1)
        out[:] = radial * x + 0.08 * (x**3 - 3 * x * y * y), radial * y + 0.08 * (y**3 - 3 * x * x * y)
        return out

    def zero_modes(self, z):
        return np.array([[-z[1], z[0]]]) if np.linalg.norm(z) > 0.1 else np.empty((0, 2))


@dataclass(frozen=True)
class Unpinned(PinnedRing):
    """The same, with the rotations that the lattice only approximates."""

    symmetry: ClassVar[Symmetry] = Symmetry.by_matching(
        2, lambda x, y: np.linalg.norm(y) * x / max(np.linalg.norm(x), 1e-9), tolerance=0.05
    )


def test_a_group_that_a_discretisation_only_approximates_makes_one_orbit_of_its_pinned_points():
    landscape = explore(Unpinned(), np.array([0.0, 0.0]), rng=0)
    assert [(p.index, p.nullity, p.orbit_dimension) for p in landscape.points] == [(2, 0, 0), (0, 1, 1)]
    ring = landscape.points[1]
    assert ring.gradient_norm < 1e-10  # exactly stationary, not only up to what the lattice pins
    assert np.linalg.norm(ring.x) == pytest.approx(1.0, abs=0.02)
    assert landscape.completeness().applicable and landscape.euler_characteristic() == 1
    assert "matching within 0.05" in landscape.info.symmetry
    assert landscape.expand().points == landscape.points


def test_without_the_tolerance_each_pinned_point_is_a_state_of_its_own():
    landscape = explore(PinnedRing(), np.array([0.0, 0.0]), rng=0)
    assert landscape.index_counts()[2] == 1 and len(landscape.points) > 3


def test_without_the_symmetry_every_copy_is_found_by_itself(counterparts):
    landscape = explore(Butterfly(), symmetry=Symmetry.generate(2))
    assert [point.orbit_size for point in landscape.points] == [1] * 9
    folded = explore(Butterfly()).expand()
    assert sorted(tuple(p.x.round(9) + 0.0) for p in landscape.points) == sorted(tuple(p.x.round(9) + 0.0) for p in folded.points)


def test_plain_functions_without_hessian_vector_products(counterparts):
    butterfly = Butterfly()
    model = as_model(butterfly.energy, butterfly.gradient, 2, coercive=True)
    landscape = explore(model, (0.0, 0.5))
    assert landscape.index_counts() == {0: 4, 1: 4, 2: 1}
    assert landscape.completeness().applicable and landscape.euler_characteristic() == 1


def test_the_callback_sees_every_search_and_may_end_the_run():
    seen = []
    landscape = explore(Butterfly(), callback=lambda landscape, search: seen.append((len(landscape.nodes), search.task.id)))
    assert [task for _, task in seen] == list(range(len(landscape.searches)))
    assert [nodes for nodes, _ in seen] == sorted(nodes for nodes, _ in seen)
    assert landscape.runs[0].status == "complete" and not landscape.frontier
    cut = explore(Butterfly(), callback=lambda landscape, search: search.task.id == 3)
    assert cut.runs[0].status == "interrupted" and cut.frontier
    assert [s.task.id for s in cut.searches] == [0, 1, 2, 3]


def test_progress_is_told_of_every_search_and_closed():
    class Progress:
        updates, closed = 0, 0

        def update(self, landscape: Landscape) -> None:
            self.updates += 1
            assert len(landscape.searches) == self.updates

        def close(self) -> None:
            self.closed += 1

    progress = Progress()
    landscape = explore(Butterfly(), progress=progress)
    assert progress.updates == len(landscape.searches) and progress.closed == 1


def test_a_search_that_ends_at_another_index_keeps_its_node():
    landscape = explore(ReducedLandauDeGennes(17, 20.0))
    other = [s for s in landscape.searches if s.result.status is Status.OTHER_INDEX]
    assert other
    for s in other:
        assert s.node >= 0 and landscape.points[s.node].index != s.task.target


# --- arguments that make no sense -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("progress", [True, False, None])
def test_progress_true_is_the_bar_of_the_command_line(progress, monkeypatch, tmp_path):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    def told() -> str:
        """What the terminal has got since it was last asked."""
        text = sys.stderr.getvalue()
        monkeypatch.setattr("sys.stderr", Terminal())
        return text

    monkeypatch.setattr("sys.stderr", Terminal())
    landscape = explore(
        Butterfly(), store=tmp_path / "run.h5", progress=progress, callback=lambda landscape, search: search.task.id == 3
    )
    texts = [told()]
    resume(tmp_path / "run.h5", progress=progress)
    texts.append(told())
    landscape = explore(Butterfly(), progress=progress, callback=lambda landscape, search: search.task.id == 3)
    told()
    landscape.resume(progress=progress)
    texts.append(told())
    landscape.extend(upward=True, progress=progress)
    texts.append(told())
    assert all(("searches |" in text) if progress else text == "" for text in texts)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"start": (1.0, 2.0, 3.0)}, ValueError, r"start: got shape \(3,\), expected \(2,\)"),
        ({"start": [(1.0, 2.0), (1.0, 2.0, 3.0)]}, ValueError, r"start\[1\]: got shape \(3,\), expected \(2,\)"),
        ({"start": (np.nan, 2.0)}, ValueError, "start: 1 of 2 entries are NaN or infinite, the first at position 0"),
        ({"start": (0.0, np.inf)}, ValueError, "start: 1 of 2 entries are NaN or infinite, the first at position 1"),
        ({"start": np.array([1j, 2.0])}, TypeError, "start: got dtype complex128, expected real numbers"),
        ({"start": []}, ValueError, "start: got an empty sequence, expected at least one point or name"),
        ({"max_index": 3}, ValueError, "max_index: got 3, expected 0 to 2, the number of unknowns"),
        ({"max_index": -1}, ValueError, "max_index: got -1, expected 0 to 2"),
        ({"max_index": 1.5}, ValueError, "max_index: got 1.5, expected 0 to 2"),
        ({"method": "HiSD"}, TypeError, "method: got 'HiSD', which lacks begin, advance, preconditioned; expected HiSD"),
        ({"method": HiSD(index=1)}, ValueError, "method: its index is 1"),
        ({"method": GradientFlow()}, ValueError, "method: its index is 0"),
        ({"searches": "ECDExplorer"}, TypeError, r"searches: got 'ECDExplorer', expected DownwardSearch"),
        ({"searches": ["downward"]}, TypeError, r"searches: got 'downward', expected DownwardSearch"),
        ({"merge_tolerance": 0.0}, ValueError, "merge_tolerance: got 0.0, expected a positive number"),
        ({"merge_tolerance": float("nan")}, ValueError, "merge_tolerance: got nan, expected a positive number"),
        ({"workers": 0}, ValueError, "workers: got 0, expected an integer of at least 1"),
        ({"workers": 1.5}, ValueError, "workers: got 1.5, expected an integer of at least 1"),
        ({"rng": "seed"}, TypeError, "rng: got 'seed', expected a non-negative int, a SeedSequence or a Generator"),
        ({"rng": -1}, TypeError, "rng: got -1, expected a non-negative int"),
        (
            {"progress": "bar"},
            TypeError,
            r"progress: got 'bar', expected True, or an object with update\(landscape\) and close\(\)",
        ),
        ({"progress": ProgressBar}, TypeError, r"progress: got <class .*, expected True, or an object"),
    ],
)
def test_arguments_are_checked(arguments, error, message, tmp_path):
    with pytest.raises(error, match=message):
        explore(Butterfly(), store=tmp_path / "run.h5", **arguments)
    assert list(tmp_path.iterdir()) == []  # a mistake in the call leaves no file behind


def test_a_model_without_a_default_start_asks_for_one():
    butterfly = Butterfly()
    with pytest.raises(ValueError, match=r"has no default start: pass start=\.\.\. \(an array of shape \(2,\)\)"):
        explore(as_model(butterfly.energy, butterfly.gradient, 2))


def test_what_is_no_model_is_refused():
    with pytest.raises(TypeError, match="model"):
        explore("Butterfly")


def test_searches_are_checked_when_they_are_made():
    with pytest.raises(ValueError, match="gap: got 0, expected an integer of at least 1"):
        DownwardSearch(gap=0)
    with pytest.raises(ValueError, match="directions: got 0, expected an integer of at least 1"):
        UpwardSearch(directions=0)


@pytest.mark.parametrize("number", [1.5, True, "2", None])
def test_numbers_of_searches_are_integers(number):
    for make in (DownwardSearch, UpwardSearch, Nesterov):
        with pytest.raises(ValueError, match=f"got {number!r}, expected an integer of at least 1"):
            make(number)


def test_numpy_integers_are_integers(tmp_path):
    plain = explore(
        Butterfly(),
        max_index=2,
        searches=[DownwardSearch(2), UpwardSearch(1)],
        method=HiSD(step=FixedStep(), momentum=Nesterov(50)),
    )
    landscape = explore(
        Butterfly(),
        max_index=np.int64(2),
        searches=[DownwardSearch(np.int32(2)), UpwardSearch(np.uint8(1))],
        method=HiSD(step=FixedStep(), momentum=Nesterov(np.int64(50))),
        workers=np.int64(1),
        store=tmp_path / "run.h5",
    )
    assert digest(load(tmp_path / "run.h5")) == digest(landscape) == digest(plain)


@pytest.mark.parametrize(
    ("lacking", "message"),
    [
        ({"preconditioned"}, "which lacks preconditioned; expected"),
        ({"begin", "preconditioned"}, "which lacks begin, preconditioned; expected"),
        ({"advance"}, "which lacks advance; expected"),
    ],
)
def test_a_method_that_lacks_something_is_told_what(lacking, message):
    members = {name: value for name, value in vars(Own).items() if name not in lacking}
    method = type("Incomplete", (), members)()
    with pytest.raises(TypeError, match=f"method: got .*Incomplete.* {message}"):
        explore(Butterfly(), method=method)
    with pytest.raises(TypeError, match=message):
        search(Butterfly(), np.zeros(2), method)


def test_a_class_is_no_method():
    with pytest.raises(TypeError, match=r"method: got the class HiSD, expected an object: HiSD\(\.\.\.\)"):
        explore(Butterfly(), method=HiSD)


class Watching(Own):
    """Keeps the frames and random streams that it is given."""

    def __init__(self):
        self._frames, self._streams = [], []

    def begin(self, derivatives, x0, **options):
        self._frames.append(options["frame"])
        self._streams.append(options["rng"])
        return super().begin(derivatives, x0, **options)


def test_a_start_is_left_with_the_unstable_directions_found_there():
    model, x, method = DoubleWells((1.0, 1.3, 0.7)), np.array([0.1, 0.9, -0.2]), Watching()
    explore(model, x, method=method, callback=lambda landscape, search: True)
    (frame,) = method._frames
    hessian = np.array([model.hvp(x, e) for e in np.eye(3)])
    values = np.linalg.eigvalsh(hessian)
    assert frame.shape == (2, 3) and values[1] < 0.0 < values[2]
    assert np.diag(frame @ hessian @ frame.T) == pytest.approx(values[:2])


def test_every_search_has_a_stream_of_its_own_unless_the_method_draws_nothing():
    method = Watching()
    explore(DoubleWells((1.0, 1.3)), method=method)
    drawn = [stream.random() for stream in method._streams]
    assert len(set(drawn)) == len(drawn) > 4
    thrifty = Watching()
    thrifty.draws = False
    explore(DoubleWells((1.0, 1.3)), method=thrifty)
    assert [stream is None for stream in thrifty._streams] == [number > 0 for number in range(len(drawn))]  # all but the start's


@pytest.mark.parametrize(("dim", "options", "warned"), [(22, {}, True), (22, {"max_index": 20}, False), (20, {}, False)])
def test_unstable_directions_of_a_start_beyond_the_twentieth_are_warned_of(dim, options, warned, caplog):
    with caplog.at_level(logging.WARNING, logger="saddlescape"):
        explore(DoubleWells(np.linspace(0.7, 1.3, dim)), np.full(dim, 0.1), callback=lambda landscape, search: True, **options)
    assert [("at least 20 unstable directions" in message) for message in caplog.messages] == [True] * warned


def test_a_point_of_explore_is_what_a_search_for_it_finds():
    model = ReducedLandauDeGennes(17, 20.0)
    landscape = explore(model)
    for point in landscape.points:
        again = search(model, point.x, HiSD(index=point.index))
        assert again.status is Status.CONVERGED
        assert np.abs(again.x - point.x).max() < 1e-10


def test_a_misspelt_start_is_answered_with_the_near_one():
    with pytest.raises(ValueError, match=r"start: .*'wros'.*did you mean 'wors'"):
        explore(ReducedLandauDeGennes(17, 10.0), "wros")
