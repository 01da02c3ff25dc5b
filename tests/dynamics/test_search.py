"""The search loop: every way to end, true counts, paths, interrupts, bad input, methods of one's own."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from saddlescape import EnergyModel, GradientFlow, HiSD, Status, as_model, search
from saddlescape.dynamics.search import SearchError
from saddlescape.kernels import Kernels, kernel
from saddlescape.models import Butterfly, DoubleWells, HenonHeiles, MuellerBrown, ReducedLandauDeGennes
from saddlescape.parts import LOBPCG, BarzilaiBorwein, FixedStep, HeavyBall, Nesterov, PowerStep

SADDLE = np.array([-0.82200156, 0.6243128])
NEAR_SADDLE = np.array([-0.75, 0.7])


def plain(model, **replaced):
    """The same energy without kernels or Hessian; single functions can be replaced."""
    functions = {"energy": model.energy, "gradient": model.gradient, "hvp": model.hvp} | replaced
    return as_model(functions["energy"], functions["gradient"], model.dim, hvp=functions["hvp"], mass=model.mass)


def quadratic(*eigenvalues):
    a = np.array(eigenvalues, dtype=float)
    return as_model(lambda x: 0.5 * a @ (x * x), lambda x: a * x, a.size, hvp=lambda x, v: a * v)


class Counting(EnergyModel):
    """Counts the calls that reach another model; offers no kernels."""

    def __init__(self, model, hvp=True):
        self.model, self.dim, self.mass = model, model.dim, model.mass
        self.n_energy = self.n_gradient = self.n_hvp = 0
        if hvp:
            self.hvp = self._counted_hvp

    def energy(self, x):
        self.n_energy += 1
        return self.model.energy(x)

    def gradient(self, x, out=None):
        self.n_gradient += 1
        return self.model.gradient(x, out)

    def energy_gradient(self, x, out):
        self.n_gradient += 1
        return self.model.energy_gradient(x, out)

    def _counted_hvp(self, x, v, out=None):
        self.n_hvp += 1
        return self.model.hvp(x, v, out)


class Preconditioned(Counting):
    """The same with the model's preconditioner."""

    def preconditioner(self, x):
        return self.model.preconditioner(x)


# Kernels that count themselves: params[1] = (energies, gradients, Hessian-vector products). E = sum (x_i^2 - 1)^2 (1 + i / 2).


@kernel("energy")
def _energy(x, params):
    params[1][0] += 1
    total = 0.0
    for i in range(x.size):
        total += (1.0 + 0.5 * i) * (x[i] * x[i] - 1.0) ** 2
    return total


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    params[1][1] += 1
    total = 0.0
    for i in range(x.size):
        w = x[i] * x[i] - 1.0
        out[i] = 4.0 * (1.0 + 0.5 * i) * w * x[i]
        total += (1.0 + 0.5 * i) * w * w
    return total


@kernel("gradient")
def _gradient(x, params, out):
    _energy_gradient(x, params, out)


@kernel("hvp")
def _hvp(x, v, params, out):
    params[1][2] += 1
    for i in range(x.size):
        out[i] = 4.0 * (1.0 + 0.5 * i) * (3.0 * x[i] * x[i] - 1.0) * v[i]


@dataclass(frozen=True, eq=False)
class CountedWells(EnergyModel):
    """Double wells whose compiled kernels count their calls."""

    dim: int
    kernels: ClassVar[Kernels] = Kernels(energy=_energy, energy_gradient=_energy_gradient, gradient=_gradient, hvp=_hvp)

    def _parameters(self):
        return (), (0, 0, 0)


# --- how a search ends ---------------------------------------------------------------------------------------------------


def kink(x):
    return float(np.sqrt(x[0] ** 2 + 1e-30) + x[1] ** 2)


def flat(dim):
    return as_model(lambda x: float(np.sum(x**4)), lambda x: 4.0 * x**3, dim, hvp=lambda x, v: 12.0 * x**2 * v)


def poisoned(model, limit):
    """A model that turns NaN where the first unknown exceeds a limit."""
    return plain(model, energy=lambda x: np.nan if x[0] > limit else model.energy(x))


ENDINGS = {
    Status.CONVERGED: lambda **k: search(MuellerBrown(), NEAR_SADDLE, HiSD(1), **k),
    Status.OTHER_INDEX: lambda **k: search(DoubleWells((1.0, 2.0)), np.array([0.0, 1.0]), HiSD(0), **k),
    Status.MAX_STEPS: lambda **k: search(MuellerBrown(), NEAR_SADDLE, HiSD(1, step=FixedStep(1e-6)), max_steps=50, **k),
    Status.STALLED: lambda **k: search(
        as_model(kink, lambda x: np.array([x[0] / np.sqrt(x[0] ** 2 + 1e-30), 2.0 * x[1]]), 2),
        np.array([0.5, 0.0]), HiSD(0, step=FixedStep(0.37)), **k,
    ),
    Status.DIVERGED: lambda **k: search(HenonHeiles(), np.array([0.3, 1.4]), HiSD(0), **k),
    Status.NON_FINITE: lambda **k: search(poisoned(MuellerBrown(), -0.2), np.array([-0.4, 0.55]), HiSD(0), **k),
    Status.NOT_CERTIFIED: lambda **k: search(flat(2), np.array([0.4, 0.3]), HiSD(0), tol=1e-6, **k),
    Status.INTERRUPTED: lambda **k: search(MuellerBrown(), NEAR_SADDLE, HiSD(1), callback=lambda state: True, **k),
}  # fmt: skip


@pytest.mark.parametrize("status", list(ENDINGS), ids=lambda s: s.value)
def test_every_ending_is_reached_and_says_so(status):
    result = ENDINGS[status]()
    assert result.status is status, result.message
    assert result.message.startswith(status.sentence) and f"after {result.n_steps} steps" in result.message
    assert result.success is (status is Status.CONVERGED)
    assert (result.point is None) is (status not in (Status.CONVERGED, Status.OTHER_INDEX))


@pytest.mark.parametrize("status", list(ENDINGS), ids=lambda s: s.value)
def test_raise_on_failure(status):
    if status is Status.CONVERGED:
        assert ENDINGS[status](raise_on_failure=True).success
        return
    with pytest.raises(SearchError, match=f"^{status.value}: ") as caught:
        ENDINGS[status](raise_on_failure=True)
    assert caught.value.result.status is status


@pytest.mark.parametrize("method", [HiSD(1), HiSD(0), GradientFlow()], ids=["saddle", "minimum", "flow"])
@pytest.mark.parametrize("make", [MuellerBrown, lambda: plain(MuellerBrown())], ids=["compiled", "interpreted"])
def test_what_a_result_says_is_true(make, method):
    model = make()
    result = search(model, NEAR_SADDLE, method)
    assert result.success and result.target_index == method.index
    assert result.energy == pytest.approx(model.energy(result.x), rel=1e-13)
    assert result.gradient_norm == pytest.approx(np.linalg.norm(model.gradient(result.x)), abs=1e-11)
    assert result.point.index == method.index and result.point.x is not result.x
    np.testing.assert_array_equal(result.point.x, result.x)
    assert result.max_energy >= result.energy and result.seconds > 0.0
    hessian = np.array([MuellerBrown().hvp(result.x, e) for e in np.eye(2)])
    np.testing.assert_allclose(result.point.eigenvalues, np.linalg.eigvalsh(hessian), rtol=1e-9)


def test_a_failed_search_tells_where_it_stands():
    model = MuellerBrown()
    result = search(model, NEAR_SADDLE, HiSD(1, step=FixedStep(1e-6)), max_steps=37)
    assert result.status is Status.MAX_STEPS and result.n_steps == 37
    assert result.energy == pytest.approx(model.energy(result.x), rel=1e-13)
    assert result.gradient_norm == pytest.approx(np.linalg.norm(model.gradient(result.x)), rel=1e-12)


def test_a_cycle_without_polish_is_a_stall_and_no_success():
    """A fixed step of exactly 2 / curvature goes back and forth for ever."""
    result = search(quadratic(1.0, 1.0), np.array([1.0, -2.0]), HiSD(0, step=FixedStep(2.0, cap=10.0)), polish=False)
    assert result.status is Status.STALLED and result.point is None
    assert result.gradient_norm == pytest.approx(np.sqrt(5.0))


def test_without_polish_the_tolerance_is_met_by_the_dynamics():
    loose, tight = (search(MuellerBrown(), NEAR_SADDLE, HiSD(1), tol=tol, polish=False) for tol in (1e-2, 1e-9))
    assert loose.success and 1e-9 < loose.gradient_norm <= 1e-2
    assert tight.success and tight.gradient_norm <= 1e-9 and loose.n_steps < tight.n_steps
    polished = search(MuellerBrown(), NEAR_SADDLE, HiSD(1), tol=1e-9)
    assert polished.gradient_norm < 1e-10 and polished.n_steps <= tight.n_steps


@pytest.mark.parametrize("turns", ["energy", "gradient"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_finite_along_the_way(turns, bad):
    """The model breaks down where x > -0.2, between the start and the minimum."""
    model = MuellerBrown()
    broken = {
        "energy": lambda x: bad if x[0] > -0.2 else model.energy(x),
        "gradient": lambda x: np.full(2, bad) if x[0] > -0.2 else model.gradient(x),
    }
    result = search(plain(model, **{turns: broken[turns]}), np.array([-0.4, 0.55]), HiSD(0))
    assert result.status is Status.NON_FINITE and result.point is None and result.n_steps > 0


@pytest.mark.parametrize("method", [HiSD(1), GradientFlow()], ids=["saddle", "flow"])
def test_not_finite_at_the_start(method):
    result = search(poisoned(MuellerBrown(), -5.0), NEAR_SADDLE, method)
    assert result.status is Status.NON_FINITE and result.n_steps == 0
    np.testing.assert_array_equal(result.x, NEAR_SADDLE)


def test_gradient_flow_steps_back_from_a_wall_of_nan():
    """Where a step leaves the domain it is halved: the minimum inside is found."""
    model = MuellerBrown()
    result = search(poisoned(model, 0.0), np.array([-0.25, 0.55]), GradientFlow())
    assert result.success
    np.testing.assert_allclose(result.x, [-0.05001082, 0.4666941], atol=1e-8)


# --- interrupts ----------------------------------------------------------------------------------------------------------


def test_a_callback_sees_the_state_and_ends_the_search():
    seen = []

    def watch(state):
        seen.append((state.x.copy(), state.energy, state.gradient_norm, state.max_energy))
        return len(seen) == 3

    model = MuellerBrown()
    result = search(model, NEAR_SADDLE, HiSD(1, step=FixedStep(1e-6)), callback=watch)
    assert result.status is Status.INTERRUPTED and len(seen) == 3 and result.point is None
    np.testing.assert_array_equal(seen[0][0], NEAR_SADDLE)
    for x, energy, norm, highest in seen:
        assert energy == pytest.approx(model.energy(x), rel=1e-13) and highest >= energy
        assert norm == pytest.approx(np.linalg.norm(model.gradient(x)), rel=1e-12)
    np.testing.assert_array_equal(result.x, seen[-1][0])


def test_a_callback_that_returns_nothing_changes_nothing():
    quiet, watched = (search(MuellerBrown(), NEAR_SADDLE, HiSD(1), callback=callback) for callback in (None, lambda state: None))
    assert watched.success and watched.n_steps == quiet.n_steps
    np.testing.assert_array_equal(watched.x, quiet.x)


@pytest.mark.parametrize("call", [30, 42, 43, 44])
def test_ctrl_c_inside_the_model_is_an_ending(call):
    """The result stands at the last step that was counted, with its own energy and gradient, whichever call was interrupted."""
    model = MuellerBrown()
    calls = []

    def gradient(x):
        calls.append(x.copy())
        if len(calls) == call:
            raise KeyboardInterrupt
        return model.gradient(x)

    method = HiSD(1, step=FixedStep(1e-6))
    result = search(plain(model, gradient=gradient), NEAR_SADDLE, method)
    assert result.status is Status.INTERRUPTED and result.point is None
    assert result.message.startswith(Status.INTERRUPTED.sentence)
    assert result.energy == model.energy(result.x) and result.gradient_norm == pytest.approx(
        np.linalg.norm(model.gradient(result.x))
    )
    undisturbed = search(plain(model), NEAR_SADDLE, method, max_steps=result.n_steps)
    np.testing.assert_array_equal(result.x, undisturbed.x)


def test_ctrl_c_in_the_callback_is_an_ending():
    def callback(state):
        raise KeyboardInterrupt

    result = search(MuellerBrown(), NEAR_SADDLE, HiSD(1, step=FixedStep(1e-6)), callback=callback)
    assert result.status is Status.INTERRUPTED


def test_ctrl_c_before_the_first_step_goes_through():
    """There is no result yet that could be returned."""

    def gradient(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(plain(MuellerBrown(), gradient=gradient), NEAR_SADDLE, HiSD(1))


def test_an_error_of_the_model_goes_through():
    """Only `explore` turns it into a status."""
    model = MuellerBrown()

    def hvp(x, v):
        raise ZeroDivisionError("in the model")

    with pytest.raises(ZeroDivisionError, match="in the model"):
        search(plain(model, hvp=hvp), NEAR_SADDLE, HiSD(1))


# --- counts --------------------------------------------------------------------------------------------------------------

METHODS = {
    "bb": HiSD(2),
    "lobpcg": HiSD(2, LOBPCG()),
    "fixed": HiSD(2, step=FixedStep()),
    "heavy ball": HiSD(2, step=FixedStep(), momentum=HeavyBall(0.5)),
    "nesterov": HiSD(2, step=FixedStep(), momentum=Nesterov()),
    "index 0": HiSD(0),
    "flow": GradientFlow(),
}


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("dim", [4, 9], ids=["exact frame", "following frame"])
@pytest.mark.parametrize("polish", [True, False])
def test_compiled_counts_are_true(method, dim, polish):
    """Against kernels that count themselves."""
    model = CountedWells(dim)
    x0 = np.where(np.arange(dim) < 2, 0.1, 0.9)
    result = search(model, x0, METHODS[method], polish=polish)
    assert result.success, result.message
    assert model.params[1].tolist() == [result.n_energy, result.n_gradient, result.n_hvp]


@pytest.mark.parametrize(("method", "max_steps"), [("bb", 7), ("lobpcg", 3), ("flow", 4)])
def test_compiled_counts_are_true_when_steps_run_out(method, max_steps):
    model = CountedWells(9)
    result = search(model, np.full(9, 0.4), METHODS[method], max_steps=max_steps, polish=False)
    assert result.status is Status.MAX_STEPS and result.n_steps == max_steps
    assert model.params[1].tolist() == [result.n_energy, result.n_gradient, result.n_hvp]


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("hvp", [True, False], ids=["hvp", "dimer"])
def test_interpreted_counts_are_true(method, hvp):
    model = Counting(DoubleWells((1.0, 1.5, 2.0, 2.5)), hvp)
    result = search(model, np.array([0.1, 0.1, 0.9, 0.9]), METHODS[method])
    assert result.success, result.message
    assert (model.n_energy, model.n_gradient) == (result.n_energy, result.n_gradient)
    if hvp:
        assert model.n_hvp == result.n_hvp
    else:
        assert result.n_hvp > 0 and result.n_gradient > 2 * result.n_hvp


@pytest.mark.parametrize("eigen", [PowerStep(), LOBPCG()], ids=lambda part: type(part).__name__)
def test_preconditioned_counts_are_true(eigen):
    inner = ReducedLandauDeGennes(13, 7.0)
    model = Preconditioned(inner)
    x0 = inner.start("wors") + 0.02 * np.cos(np.arange(float(inner.dim)))
    result = search(model, x0, HiSD(1, eigen), tol=1e-6, polish=False)
    assert result.success, result.message
    assert (model.n_energy, model.n_gradient, model.n_hvp) == (result.n_energy, result.n_gradient, result.n_hvp)


@pytest.mark.parametrize("method", list(METHODS))
def test_compiled_and_interpreted_cost_the_same(method):
    """One source: the same steps, the same numbers up to the order of additions, the same counts."""
    model = DoubleWells((1.0, 1.3, 1.7, 2.1, 2.6, 3.2, 3.9))
    x0 = np.array([0.1, -0.1, 0.8, 1.1, -0.9, 1.2, -1.1])
    compiled, interpreted = (search(m, x0, METHODS[method], polish=False) for m in (model, Counting(model)))
    assert compiled.success and compiled.status is interpreted.status
    np.testing.assert_allclose(compiled.x, interpreted.x, atol=1e-10)
    assert compiled.n_steps == interpreted.n_steps
    # Certificates count differently: one from a dense Hessian of the model's own, one from products.
    assert (compiled.n_energy, compiled.n_gradient) == (interpreted.n_energy, interpreted.n_gradient)


@pytest.mark.parametrize("index", [0, 1])
def test_counts_are_true_when_the_search_diverges(index):
    """The last step takes a gradient, and no products at a point that is thrown away."""
    model = CountedWells(4)
    compiled = search(model, np.full(4, 0.4), HiSD(index, step=FixedStep(10.0, cap=300.0)), polish=False)
    counting = Counting(CountedWells(4))
    interpreted = search(counting, np.full(4, 0.4), HiSD(index, step=FixedStep(10.0, cap=300.0)), polish=False)
    assert compiled.status is interpreted.status is Status.DIVERGED
    assert model.params[1].tolist() == [compiled.n_energy, compiled.n_gradient, compiled.n_hvp]
    assert (counting.n_energy, counting.n_gradient, counting.n_hvp) == (
        interpreted.n_energy, interpreted.n_gradient, interpreted.n_hvp,
    )  # fmt: skip
    assert (compiled.n_steps, compiled.n_gradient, compiled.n_hvp) == (
        interpreted.n_steps, interpreted.n_gradient, interpreted.n_hvp,
    )  # fmt: skip


# --- paths, randomness, arguments left alone -----------------------------------------------------------------------------

CASES = {
    "compiled": (MuellerBrown(), NEAR_SADDLE, HiSD(1)),
    "compiled flow": (MuellerBrown(), NEAR_SADDLE, GradientFlow()),
    "interpreted": (plain(Butterfly()), np.array([0.92, 0.35]), HiSD(1, step=FixedStep(), momentum=Nesterov())),
    "preconditioned": (ReducedLandauDeGennes(13, 30.0), ReducedLandauDeGennes(13, 30.0).start("d"), HiSD(0)),
    "following": (CountedWells(9), np.where(np.arange(9) < 2, 0.1, 0.9), HiSD(2, LOBPCG(), BarzilaiBorwein())),
}


@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize("polish", [True, False])
def test_a_trajectory_holds_every_step_and_changes_nothing(case, polish):
    model, x0, method = CASES[case]
    tol = 1e-8 if polish else 1e-6
    bare = search(model, x0, method, polish=polish, tol=tol)
    kept = search(model, x0, method, polish=polish, tol=tol, trajectory=True)
    assert bare.success and bare.trajectory is None
    assert (kept.status, kept.n_steps, kept.n_gradient, kept.n_hvp) == (bare.status, bare.n_steps, bare.n_gradient, bare.n_hvp)
    np.testing.assert_array_equal(kept.x, bare.x)
    path = kept.trajectory
    # The start, every step, and the certified point.
    assert path.x.shape == (kept.n_steps + 2, model.dim) and path.energy.shape == path.gradient_norm.shape == (kept.n_steps + 2,)
    np.testing.assert_array_equal(path.x[0], x0)
    np.testing.assert_array_equal(path.x[-1], kept.x)
    for x, energy, norm in zip(path.x, path.energy, path.gradient_norm, strict=True):
        gradient = model.gradient(np.ascontiguousarray(x))
        assert energy == pytest.approx(model.energy(np.ascontiguousarray(x)), rel=1e-12, abs=1e-13)
        assert norm == pytest.approx(np.sqrt(gradient @ (gradient / model.mass)), rel=1e-9, abs=1e-11)
    assert path.energy.max() <= kept.max_energy + 1e-12 * abs(kept.max_energy)


@pytest.mark.parametrize("case", list(CASES))
def test_searches_are_reproducible_and_leave_everything_alone(case):
    model, x0, method = CASES[case]
    before, keep = np.random.get_state(), x0.copy()  # noqa: NPY002 (the global state is what must not change)
    first, second = search(model, x0, method), search(model, x0, method)
    after = np.random.get_state()  # noqa: NPY002
    assert before[0] == after[0] and before[2:] == after[2:]
    np.testing.assert_array_equal(before[1], after[1])
    np.testing.assert_array_equal(x0, keep)
    np.testing.assert_array_equal(first.x, second.x)
    assert (first.n_steps, first.energy, first.message) == (second.n_steps, second.energy, second.message)


def test_the_generator_passed_in_is_the_one_used():
    model = ReducedLandauDeGennes(13, 7.0)
    x0 = model.start("wors") + 0.02 * np.cos(np.arange(float(model.dim)))
    generator = np.random.default_rng(5)
    runs = [search(model, x0, HiSD(1), rng=rng, polish=False, tol=1e-6).x for rng in (5, np.random.SeedSequence(5), generator, 6)]
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_array_equal(runs[0], runs[2])
    assert generator.bit_generator.state != np.random.default_rng(5).bit_generator.state
    assert np.abs(runs[0] - runs[3]).max() > 0.0
    np.testing.assert_allclose(runs[0], runs[3], atol=1e-5)


def test_x0_may_be_a_list_of_integers_a_slice_or_read_only():
    target = search(DoubleWells((1.0, 2.0)), np.array([0.0, 1.0]), HiSD(1)).x
    frozen = np.array([0.1, 0.9])
    frozen.setflags(write=False)
    for x0 in ([0, 1], np.array([[0.1, 5.0], [0.9, 5.0]])[:, 0], frozen, np.array([0.125, 0.875], dtype=np.float32)):
        np.testing.assert_allclose(search(DoubleWells((1.0, 2.0)), x0, HiSD(1)).x, target, atol=1e-12)


# --- bad input -----------------------------------------------------------------------------------------------------------

X = np.array([0.1, 0.9])
BAD = {
    "too long": (np.zeros(3), HiSD(1), {}, ValueError, r"x0: got shape \(3,\), expected \(2,\)"),
    "a matrix": (np.zeros((1, 2)), HiSD(1), {}, ValueError, r"x0: got shape \(1, 2\), expected \(2,\)"),
    "complex": (X + 0j, HiSD(1), {}, TypeError, "x0: got dtype complex128, expected real numbers"),
    "text": (["a", "b"], HiSD(1), {}, TypeError, "x0: got dtype <U1, expected real numbers"),
    "objects": (np.array([None, 1.0]), HiSD(1), {}, TypeError, "x0: got dtype object"),
    "NaN": (np.array([0.0, np.nan]), HiSD(1), {}, ValueError, "x0: 1 of 2 entries are NaN or infinite, the first at position 1"),
    "infinite": (
        np.array([-np.inf, np.inf]),
        HiSD(1),
        {},
        ValueError,
        "x0: 2 of 2 entries are NaN or infinite, the first at position 0",
    ),
    "index above n": (X, HiSD(3), {}, ValueError, "index: got 3, expected 0 to 2, the number of unknowns"),
    "no index": (X, HiSD(), {}, ValueError, r"method: .* has no index; say which one to look for, for instance HiSD\(index=1\)"),
    "no method": (
        X,
        "HiSD",
        {},
        TypeError,
        r"method: got 'HiSD', which lacks begin, advance, preconditioned; expected HiSD\(index=k\), "
        r"SHiSD\(index=k\), GradientFlow\(\) or an object",
    ),
    "a class": (X, GradientFlow, {}, TypeError, r"method: got the class GradientFlow, expected an object: GradientFlow"),
    "half a method": (X, type("Half", (), {"preconditioned": False, "begin": None})(), {}, TypeError, "method: got .*Half"),
    "tol": (X, HiSD(1), {"tol": 0.0}, ValueError, "tol: got 0.0, expected a positive number"),
    "negative tol": (X, HiSD(1), {"tol": -1e-8}, ValueError, "tol: got -1e-08, expected a positive number"),
    "tol NaN": (X, HiSD(1), {"tol": np.nan}, ValueError, "tol: got nan, expected a positive number"),
    "no steps": (X, HiSD(1), {"max_steps": 0}, ValueError, "max_steps: got 0, expected a positive number"),
    "frame": (X, HiSD(1), {"frame": np.eye(2)}, ValueError, r"frame: got shape \(2, 2\), expected \(1, 2\), one row for each"),
    "frame of one axis": (X, HiSD(1), {"frame": [1.0, 0.0]}, ValueError, r"frame: got shape \(2,\), expected \(1, 2\)"),
    "frame NaN": (X, HiSD(1), {"frame": [[np.nan, 1.0]]}, ValueError, "frame: 1 of its entries are NaN or infinite"),
    "frame complex": (X, HiSD(1), {"frame": [[1j, 1.0]]}, TypeError, "frame: got dtype complex128"),
}


@pytest.mark.parametrize("what", list(BAD))
def test_bad_input_is_one_clear_error(what):
    x0, method, options, error, text = BAD[what]
    with pytest.raises(error, match=text):
        search(DoubleWells((1.0, 2.0)), x0, method, **options)


def test_a_frame_given_as_a_list_serves():
    model = DoubleWells((1.0, 1.3, 1.7, 2.1, 2.6, 3.2, 3.9))
    x0 = np.array([0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9])
    assert search(model, x0, HiSD(1), frame=[[1, 0, 0, 0, 0, 0, 0]]).success
    for rows in (np.zeros((1, 7)), np.ones((2, 7))):
        with pytest.raises(ValueError, match=r"frame: its \d rows"):
            search(model, x0, HiSD(len(rows)), frame=rows)


# --- a method of one's own -----------------------------------------------------------------------------------------------


@dataclass
class ClimbState:
    start: np.ndarray
    x: np.ndarray
    direction: np.ndarray
    gradient_norm: float = np.inf
    energy: float = np.nan
    max_energy: float = -np.inf
    length: float = 0.5
    next_move: float = np.inf
    outcome: int = 0
    patience: int = 100

    def widen(self, length):
        self.length = length


@dataclass(frozen=True)
class Climb:
    """Ascent along the softest direction at the start, descent across it, with a small fixed step."""

    step: float = 0.01
    index: int = 1
    preconditioned: bool = False

    def begin(self, derivatives, x0, *, index, frame, length, rng):
        vectors = np.linalg.eigh(derivatives.hessian(x0))[1] if frame is None else np.asarray(frame).T
        state = ClimbState(x0.copy(), x0.copy(), vectors[:, 0])
        self._measure(derivatives, state)
        return state

    def advance(self, derivatives, state, n_steps, tolerance):
        for done in range(n_steps):
            g = derivatives.gradient(state.x)
            state.x += self.step * (2.0 * np.dot(g, state.direction) * state.direction - g)
            self._measure(derivatives, state)
            if state.gradient_norm <= tolerance:
                return done + 1
        return n_steps

    def _measure(self, derivatives, state):
        g = derivatives.gradient(state.x)
        state.gradient_norm, state.energy = derivatives.gradient_norm(g), derivatives.energy(state.x)
        state.max_energy = max(state.max_energy, state.energy)
        state.next_move = self.step * np.abs(g).max()


@pytest.mark.parametrize("polish", [True, False])
@pytest.mark.parametrize(
    "make", [lambda: DoubleWells((1.0, 2.0)), lambda: plain(DoubleWells((1.0, 2.0)))], ids=["kernels", "plain"]
)
def test_a_method_of_ones_own_finds_a_saddle(make, polish):
    model = make()
    result = search(model, np.array([0.3, 0.8]), Climb(), polish=polish, trajectory=True)
    assert result.success and result.target_index == 1, result.message
    np.testing.assert_allclose(result.x, [0.0, 1.0], atol=1e-8)
    assert len(result.trajectory.x) == result.n_steps + 2 and result.n_energy >= result.n_steps
    slow = search(model, np.array([0.3, 0.8]), Climb(step=1e-5), max_steps=20)
    assert slow.status is Status.MAX_STEPS and slow.n_steps == 20


def test_a_stalled_search_is_rescued_once_and_given_time():
    """After the rescue the gradient falls by 10 % in 50 steps: too slow to be seen at each look, fast for windows of 100 steps."""
    asked = []

    class Slow(Climb):
        def advance(self, derivatives, state, n_steps, tolerance):
            return super().advance(derivatives, state, n_steps, tolerance) if asked else n_steps

        def rescue(self, derivatives, state):
            asked.append(state.x.copy())
            return True

    result = search(DoubleWells((1.0, 2.0)), np.array([0.01, 1.01]), Slow(step=5e-4), polish=False, tol=1e-6)
    assert result.success, result.message
    assert len(asked) == 1 and result.n_steps > 1000
    np.testing.assert_array_equal(asked[0], [0.01, 1.01])


def test_a_method_without_a_way_out_stays_stalled():
    class Stuck(Climb):
        def advance(self, derivatives, state, n_steps, tolerance):
            return n_steps

        def rescue(self, derivatives, state):
            return False

    result = search(DoubleWells((1.0, 2.0)), np.array([0.3, 0.8]), Stuck())
    assert result.status is Status.STALLED and result.n_steps == 600
