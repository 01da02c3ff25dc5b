"""Searches with stochastic derivatives: certified where there is an exact gradient, else with an honest error bar."""

from dataclasses import dataclass

import numpy as np
import pytest

from saddlescape import EnergyModel, FunctionValues, HiSD, NoisyModel, SHiSD, Status, as_model, explore, search, search_many
from saddlescape.dynamics.search import connect
from saddlescape.kernels import Kernels, kernel
from saddlescape.models import Butterfly, ChafeeInfante, DoubleWells, MuellerBrown
from saddlescape.models.known import known_points
from saddlescape.numerics.derivatives import Derivatives
from saddlescape.numerics.sampling import Estimates
from saddlescape.parts import Constant, Decaying, DoublingBatch, EigenvectorSearch, Estimated
from saddlescape.stochastic.values import SHORTEST


def saddle(name):
    """The first known point of index 1 that lies on no axis of symmetry."""
    return next(p["x"] for p in known_points(name) if p["index"] == 1 and abs(p["x"][0]) > 0.1)


SADDLE = saddle("Butterfly")
START = SADDLE + 0.1
NOISY = NoisyModel(Butterfly(), 0.2, 0.5)


class Alone(EnergyModel):
    """The stochastic derivatives of another model, and nothing else."""

    def __init__(self, inner, products=True):
        self.inner, self.dim, self.draw = inner, inner.dim, inner.draw
        if products:
            self.stochastic_hvp = inner.stochastic_hvp

    def stochastic_gradient(self, x, sample, out=None):
        return self.inner.stochastic_gradient(x, sample, out)


# --- with an exact gradient -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step", [Estimated(), Decaying(0.5, 20.0), Decaying(0.3, 20.0, 0.8), Constant(0.01)], ids=lambda s: repr(s)
)
@pytest.mark.parametrize("samples", [1, 4, DoublingBatch(100, 16)], ids=["one", "four", "doubling"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_with_an_exact_gradient_the_point_is_certified(step, samples, seed):
    result = search(NOISY, START, SHiSD(1, step, samples=samples), rng=seed)
    assert result.status is Status.CONVERGED and result.estimate is None, result.message
    np.testing.assert_allclose(result.x, SADDLE, atol=2e-8)
    assert result.point.index == 1 and result.gradient_norm < 1e-10


@pytest.mark.parametrize("index", [0, 1, 2, 3, 4, 5, 6])
def test_every_index_of_double_wells(index):
    model = NoisyModel(DoubleWells((1.0, 1.2, 1.5, 1.9, 2.4, 3.0)), 0.5, 1.0)
    target = np.ones(6)
    target[:index] = 0.0
    result = search(model, target + 0.1 * np.cos(np.arange(6.0)), SHiSD(index))
    assert result.success and result.point.index == index, result.message
    np.testing.assert_allclose(result.x, target, atol=1e-12)


@pytest.mark.parametrize("preconditioned", [True, False])
def test_a_field_is_searched_in_its_metric(preconditioned):
    """Chafee-Infante: u = 0 has index 2. In the preconditioner's metric the widest eigenvalue does not limit the step."""
    model = NoisyModel(ChafeeInfante(31, 5.0), 0.02)
    start = 0.1 * np.cos(np.arange(31.0))
    result = search(model, start, SHiSD(2, preconditioned=preconditioned), max_steps=3000)
    assert result.success and result.point.index == 2, result.message
    np.testing.assert_allclose(result.x, 0.0, atol=1e-9)


def test_without_polish_the_exact_gradient_still_decides_when_it_ends():
    result = search(NOISY, START, SHiSD(1), tol=0.02, polish=False)
    assert result.status is Status.CONVERGED and result.point.index == 1
    assert np.linalg.norm(Butterfly().gradient(result.x)) <= 0.02


@pytest.mark.parametrize("trajectory", [False, True])
def test_one_seed_gives_the_same_search(trajectory):
    first, again, other = (
        search(NOISY, START, SHiSD(1), rng=seed, tol=0.01, polish=False, trajectory=trajectory) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first.x, again.x)
    assert first.message == again.message
    assert np.abs(first.x - other.x).max() > 0.0


def test_a_search_for_another_index_ends_there_and_says_so():
    result = search(NOISY, SADDLE + 0.001, SHiSD(1, Constant(1e-6)), tol=10.0, polish=False)
    assert result.status is Status.CONVERGED
    result = search(NOISY, SADDLE, SHiSD(0, Constant(1e-9)), max_steps=20)
    assert result.status is Status.OTHER_INDEX and result.point.index == 1


def test_an_iterate_that_leaves_is_stopped():
    """E = -x^4 - y^2 has no minimum."""
    model = NoisyModel(as_model(lambda x: -(x[0] ** 4) - x[1] ** 2, lambda x: np.array([-4.0 * x[0] ** 3, -2.0 * x[1]]), 2), 0.1)
    result = search(model, np.ones(2), SHiSD(0, Constant(0.1), cap=1.0))
    assert result.status is Status.DIVERGED and np.abs(result.x).max() > 10.0


# --- a known unstable space -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_known_unstable_space_makes_a_min_max_problem(seed):
    """x^2 - y^2 from noisy gradients alone: min over x, max over y."""
    inner = NoisyModel(as_model(lambda x: x[0] ** 2 - x[1] ** 2, lambda x: np.array([2.0 * x[0], -2.0 * x[1]]), 2), 0.5)
    method = SHiSD(1, Decaying(1.0, 10.0), eigen=None)
    result = search(Alone(inner, products=False), np.array([1.0, -2.0]), method, frame=[[0.0, 1.0]], tol=0.1, rng=seed)
    assert result.status is Status.ESTIMATED and result.estimate.index == 1
    assert np.abs(result.x).max() < 0.1
    assert np.abs(result.estimate.x / result.estimate.standard_error).max() < 4.0


def test_an_unknown_unstable_space_is_asked_for():
    with pytest.raises(ValueError, match=r"frame: eigen=None takes the unstable space as known; pass frame \(k, n\)"):
        search(NOISY, START, SHiSD(1, eigen=None))
    assert search(NOISY, np.array([2.0, 2.4]), SHiSD(0, eigen=None)).success  # of index 0 there is none to know


# --- function values alone ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class OneLength(FunctionValues):
    """Its length stays."""

    def refined(self):
        return None


def from_values(model, x, steps, runs=12, size=0.02):
    """Root mean square error of searches with constant steps, at the moments they are looked at: (m,) and (m,)."""
    largest = np.abs(np.linalg.eigvalsh([model.hvp(x, e) for e in np.eye(2)])).max()
    method = SHiSD(1, Constant(size / largest))
    found = search_many(model, runs, method, start=x + 0.1 * x, reference=x, n_steps=steps)
    return found.steps, np.sqrt(found.mse())


@pytest.mark.parametrize("name", ["Butterfly", "MuellerBrown"])
def test_constant_steps_converge_linearly_down_to_a_floor_of_second_order(name):
    model, x = {"Butterfly": Butterfly, "MuellerBrown": MuellerBrown}[name](), saddle(name)
    lengths = np.array([0.02, 0.01, 0.005]) / (1 if name == "Butterfly" else 2)
    floors = []
    for length in lengths:
        steps, errors = from_values(OneLength(model, length), x, 2000)
        floors.append(errors[steps > 1500].mean())
    np.testing.assert_allclose(np.polyfit(np.log(lengths), np.log(floors), 1)[0], 2.0, atol=0.05)
    # Above the floor of the shortest: the same factor a step in the first decades as in the next ones.
    steps, errors = from_values(OneLength(model, 1e-4), x, 1400)
    fallen = np.log10(errors / errors[0])
    rates = [np.polyfit(steps[part], fallen[part], 1)[0] for part in ((fallen > -2.0), (fallen < -2.0) & (fallen > -4.0))]
    assert rates[0] < 0.0 and rates[1] == pytest.approx(rates[0], rel=0.35)


@pytest.mark.parametrize("name", ["Butterfly", "MuellerBrown"])
def test_shorter_lengths_go_below_the_floor_of_the_first(name):
    model, x = {"Butterfly": Butterfly, "MuellerBrown": MuellerBrown}[name](), saddle(name)
    floor = from_values(OneLength(model, 0.02), x, 3000, size=0.1)[1][-1]
    errors = from_values(FunctionValues(model, 0.02), x, 3000, size=0.1)[1]
    assert errors[-1] < 1e-2 * floor


def test_lengths_end_where_round_off_begins():
    method = SHiSD(1, Constant(0.01))
    derivatives = connect(FunctionValues(Butterfly(), 0.02), START, method)
    state = method.begin(derivatives, START, index=1, frame=None, length=None, rng=np.random.default_rng(0))
    lengths = set()
    while state.step < 8000:
        method.advance(derivatives, state, 100, 0.0)
        lengths.add(state.estimates.model.length)
    assert min(lengths) < 4.0 * SHORTEST and len(lengths) >= 5
    assert np.abs(state.estimate - SADDLE).max() < 1e-7


def test_energies_alone_lead_to_a_certified_point_where_there_is_a_gradient():
    result = search(FunctionValues(MuellerBrown(), 1e-3), saddle("MuellerBrown") + 0.02, SHiSD(1))
    assert result.success and result.point.index == 1


# --- stochastic derivatives alone -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("products", [True, False], ids=["products", "gradients alone"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_without_an_exact_gradient_the_end_is_an_estimate(products, seed):
    result = search(Alone(NOISY, products), START, SHiSD(1), tol=0.05, rng=seed)
    estimate = result.estimate
    assert result.status is Status.ESTIMATED and result.success and result.point is None
    assert result.gradient_norm == estimate.gradient_norm <= 0.05
    assert np.linalg.norm(Butterfly().gradient(result.x)) <= 0.05
    np.testing.assert_array_equal(result.x, estimate.x)
    assert np.abs((estimate.x - SADDLE) / estimate.standard_error).max() < 4.0
    assert estimate.index == 1 and estimate.index_confidence > 0.99
    assert "nothing is certified" in result.message and "index 1 with confidence" in result.message


def test_what_the_budget_allows_is_an_estimate_too():
    result = search(Alone(NOISY), START, SHiSD(1), tol=1e-6, max_steps=500)
    assert result.status is Status.MAX_STEPS and not result.success and result.n_steps == 500
    assert result.estimate.index == 1 and np.abs(result.estimate.x - SADDLE).max() < 0.05
    assert result.estimate.gradient_norm > 1e-6


@pytest.mark.parametrize("max_steps", [1, 5, 20, 100, 2000])
def test_every_search_that_made_a_step_has_an_estimate(max_steps):
    """Also where its averages were begun anew shortly before."""
    for seed in range(4):
        result = search(NOISY, START, SHiSD(1), tol=1e-12, polish=False, max_steps=max_steps, rng=seed)
        assert result.status is Status.MAX_STEPS and np.isfinite(result.estimate.standard_error).all()
        np.testing.assert_array_equal(result.x, result.estimate.x)


WELLS = DoubleWells(np.geomspace(1.0, 4.0, 10))
WELLS_SADDLE = np.where(np.isin(np.arange(10), (2, 5)), 0.0, 1.0)
SCHEDULES = [Decaying(0.2, 20.0), Decaying(0.3, 20.0, 0.8), Decaying(0.2, 20.0, 0.6), Constant(0.005), Estimated()]


def scores(model, target, start, index, step, runs, max_steps):
    """Errors of the estimates over their standard errors, and how many gradients at them are within their bounds."""
    found, within = [], 0
    for seed in range(runs):
        result = search(model, start, SHiSD(index, step), tol=1e-12, polish=False, max_steps=max_steps, rng=seed)
        found.append((result.estimate.x - target) / result.estimate.standard_error)
        within += np.linalg.norm(model.gradient(result.estimate.x)) <= result.estimate.gradient_norm
        assert result.estimate.index == index
    return np.array(found), within / runs


@pytest.mark.parametrize("step", SCHEDULES, ids=lambda step: repr(step))
def test_two_standard_errors_cover_nineteen_of_twenty(step):
    """Ten unknowns, 20 runs. Steps with p = 1 leave a part of the way still to go, which the error bar counts: it is cautious."""
    model = NoisyModel(WELLS, 0.5, 1.0)
    start = WELLS_SADDLE + 0.1 * np.cos(np.arange(10.0))
    found, within = scores(model, WELLS_SADDLE, start, 2, step, 20, 1500)
    assert 0.92 <= np.mean(np.abs(found) <= 2.0) <= 1.0
    assert 0.6 <= np.sqrt(np.mean(found**2)) <= 1.15
    assert within >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("step", SCHEDULES, ids=lambda step: repr(step))
@pytest.mark.parametrize("which", ["butterfly", "double wells"])
def test_coverage_over_many_seeds(which, step):
    if which == "butterfly":
        case = NoisyModel(Butterfly(), 1.0, 2.0), SADDLE, START, 1
    else:
        case = NoisyModel(WELLS, 0.5, 1.0), WELLS_SADDLE, WELLS_SADDLE + 0.1 * np.cos(np.arange(10.0)), 2
    found, within = scores(*case, step, 200, 8000)
    assert 0.93 <= np.mean(np.abs(found) <= 2.0) <= 1.0
    assert 0.6 <= np.sqrt(np.mean(found**2)) <= 1.1
    assert within >= 0.94


def test_beyond_a_hundred_unknowns_the_error_bar_is_a_bound():
    model = NoisyModel(DoubleWells(np.linspace(1.0, 2.0, 120)), 0.5)
    target = np.ones(120)
    target[7] = 0.0
    result = search(model, target + 0.05, SHiSD(1, Decaying(0.2, 20.0, 0.7)), tol=1e-12, polish=False, max_steps=1000)
    assert result.estimate.index == 1
    assert np.mean(np.abs(result.estimate.x - target) <= 2.0 * result.estimate.standard_error) > 0.97
    assert result.estimate.standard_error.max() < 0.05


@pytest.mark.parametrize("flat", [0.0, 0.01])
def test_an_eigenvalue_near_zero_has_a_sign_nobody_can_be_sure_of(flat):
    """E = x^2 - y^2 + flat z^2 with noisy products: the third sign is anybody's guess, the others are not."""
    diagonal = np.array([2.0, -2.0, 2.0 * flat])
    inner = as_model(lambda x: 0.5 * diagonal @ x**2, lambda x: diagonal * x, 3, hvp=lambda x, v: diagonal * v)
    result = search(Alone(NoisyModel(inner, 0.1, 1.0)), np.full(3, 0.1), SHiSD(1), tol=1e-6, max_steps=300)
    estimate = result.estimate
    assert estimate.confidence[0] > 0.999 and 0.5 <= estimate.confidence[1] < 0.999
    assert np.abs(estimate.eigenvalues - [-2.0, 2.0 * flat]).max() < 5.0 * estimate.eigenvalue_errors.max()
    assert estimate.index_confidence == pytest.approx(np.prod(estimate.confidence))


def test_a_flat_direction_has_an_error_bar_without_end():
    inner = as_model(lambda x: x[0] ** 2, lambda x: np.array([2.0 * x[0], 0.0]), 2, hvp=lambda x, v: np.array([2.0 * v[0], 0.0]))
    estimate = search(Alone(NoisyModel(inner, 0.1)), np.ones(2), SHiSD(0), tol=1e-6, max_steps=200).estimate
    assert estimate.standard_error[0] < 0.1 and estimate.standard_error[1] > 1e6


@pytest.mark.parametrize(
    "call", [lambda m: search(m, START, HiSD(1)), lambda m: explore(m, START), lambda m: explore(m, START, method=SHiSD())]
)
def test_what_needs_an_exact_gradient_says_so(call):
    with pytest.raises(
        TypeError, match=r"model: got Alone, which has no 'energy'.* its stochastic derivatives alone serve search with SHiSD"
    ):
        call(Alone(NOISY))


# --- bad samples ----------------------------------------------------------------------------------------------------------


class Torn(Alone):
    """Some samples give NaN."""

    def __init__(self, inner, rate, products=True):
        super().__init__(inner, products=False)
        self.draw = lambda rng: (rng.random() < rate, inner.draw(rng))
        if products:
            self.stochastic_hvp = lambda x, v, sample, out=None: (
                np.full(2, np.nan) if sample[0] else inner.stochastic_hvp(x, v, sample[1])
            )

    def stochastic_gradient(self, x, sample, out=None):
        return np.full(2, np.nan) if sample[0] else self.inner.stochastic_gradient(x, sample[1], out)


class TornWithGradient(Torn):
    def energy(self, x):
        return self.inner.energy(x)

    def gradient(self, x, out=None):
        return self.inner.gradient(x, out)


@pytest.mark.parametrize("products", [True, False], ids=["products", "gradients alone"])
@pytest.mark.parametrize("step", [Estimated(), Decaying(0.5, 20.0)], ids=lambda step: repr(step))
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3])
def test_steps_from_bad_samples_are_rejected_and_counted(rate, step, products):
    result = search(Torn(NOISY, rate, products), START, SHiSD(1, step), tol=0.06)
    assert result.status is Status.ESTIMATED, result.message
    rejected = 1.0 - (1.0 - rate) ** 2  # a sweep of the frame with one sample, then a gradient with another
    assert result.n_rejected / result.n_steps == pytest.approx(rejected, abs=4.0 * np.sqrt(rejected / result.n_steps))
    assert np.abs((result.estimate.x - SADDLE) / result.estimate.standard_error).max() < 4.0
    assert result.estimate.index == 1 and result.estimate.index_confidence > 0.99
    certified = search(TornWithGradient(NOISY, rate, products), START, SHiSD(1, step))
    assert certified.status is Status.CONVERGED and certified.n_rejected > 0


@pytest.mark.parametrize("kind", [Torn, TornWithGradient])
@pytest.mark.parametrize(
    "method", [SHiSD(1), SHiSD(0), SHiSD(1, Constant(0.01), EigenvectorSearch(Constant(0.01)))], ids=lambda m: repr(m)
)
def test_bad_samples_alone_end_a_search(kind, method):
    result = search(kind(NOISY, 1.0), START, method)
    assert result.status is Status.NON_FINITE and result.estimate is None and result.n_steps == 0
    np.testing.assert_array_equal(result.x, START)


def test_samples_that_go_bad_on_the_way_end_a_search():
    class Later(Torn):
        def stochastic_gradient(self, x, sample, out=None):
            return super().stochastic_gradient(x, (x[0] < SADDLE[0] + 0.05, sample[1]), out)

    result = search(Later(NOISY, 0.0), START, SHiSD(1, Constant(0.01)))
    assert result.status is Status.NON_FINITE and result.n_rejected == 100 and np.isfinite(result.x).all()


# --- conditions of theory -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "text"),
    [
        (
            Decaying(0.1, 10.0),
            r"step: 2 gamma mu = 0\.\d+ < 1 \(mu = 3\.\d+, .* falls as n\^-0\.\d+ only, .* take gamma of at least 0\.2[78]",
        ),
        (Decaying(10.0, 10.0), r"step: the first step size 1 exceeds 2 / L = 0\.2\d* .* take m of at least 3\d\.?\d*"),
        (Constant(0.5), r"step: the first step size 0\.5 exceeds 2 / L = 0\.2\d* .* take less than 0\.2"),
        (
            Decaying(0.1, 10.0, 0.5),
            r"step: with p = 0\.5 <= 1/2 the squares of the step sizes have no finite sum: take 1/2 < p <= 1",
        ),
    ],
    ids=["slow", "unstable", "constant", "p"],
)
def test_schedules_that_break_a_condition_are_named(step, text):
    model = NoisyModel(Butterfly(), 0.01)
    with pytest.warns(UserWarning, match=text) as caught:
        search(model, SADDLE + 0.01, SHiSD(1, step))
    assert len(caught) == 1 and caught[0].filename == __file__
    with pytest.warns(UserWarning, match=text) as caught:
        search_many(model, 2, SHiSD(1, step), start=SADDLE + 0.01, n_steps=20)
    assert len(caught) == 1 and caught[0].filename == __file__


@pytest.mark.parametrize(
    "step", [Estimated(), Decaying(0.3, 10.0), Decaying(0.3, 10.0, 0.51), Constant(0.1)], ids=lambda step: repr(step)
)
def test_schedules_that_meet_them_are_not(step):
    search(NoisyModel(Butterfly(), 0.01), SADDLE + 0.01, SHiSD(1, step))


WRONG = {
    "index": (lambda: SHiSD(-1), "index: got -1, expected a Morse index, an integer of at least 0"),
    "half an index": (lambda: SHiSD(1.5), "index: got 1.5, expected a Morse index"),
    "step": (lambda: SHiSD(1, 0.1), r"step: got 0.1, expected Decaying\(gamma, m, p\), Constant\(size\) or Estimated\(\)"),
    "eigen": (lambda: SHiSD(1, eigen=Decaying(1.0)), r"eigen: got Decaying.*, expected EigenvectorSearch\(\) or"),
    "samples": (lambda: SHiSD(1, samples=0), r"samples: got 0, expected an integer of at least 1 or DoublingBatch\(\)"),
    "no samples": (lambda: SHiSD(1, samples=True), "samples: got True"),
    "cap": (lambda: SHiSD(1, cap=0.0), "cap: got 0.0, expected a positive number, or None"),
    "gamma": (lambda: Decaying(0.0), "gamma: got 0.0, expected a positive number"),
    "m": (lambda: Decaying(1.0, -1.0), "m: got -1.0, expected a positive number"),
    "p": (lambda: Decaying(1.0, p=0.0), r"p: got 0.0, expected 0 < p <= 1 \(see Constant for p = 0\)"),
    "p above 1": (lambda: Decaying(1.0, p=1.1), "p: got 1.1, expected 0 < p <= 1"),
    "size": (lambda: Constant(-0.1), "size: got -0.1, expected a positive number"),
    "factor": (lambda: Estimated(0.5), "factor: got 0.5, expected more than 1/2"),
    "frame steps": (lambda: EigenvectorSearch(0.1), "step: got 0.1, expected Decaying"),
    "inner": (lambda: EigenvectorSearch(inner=0), "inner: got 0, expected an integer of at least 1"),
    "every": (lambda: DoublingBatch(every=0), "every: got 0, expected an integer of at least 1"),
    "limit": (lambda: DoublingBatch(limit=2.5), "limit: got 2.5, expected an integer of at least 1"),
}


@pytest.mark.parametrize("what", WRONG)
def test_parts_of_the_wrong_kind_are_refused(what):
    make, text = WRONG[what]
    with pytest.raises(ValueError, match=text):
        make()


def test_a_model_without_stochastic_derivatives_is_told_where_to_get_them():
    with pytest.raises(
        TypeError, match=r"model: Butterfly has no draw and no stochastic_gradient.* NoisyModel, RandomQuadrature and"
    ):
        search(Butterfly(), START, SHiSD(1))


@kernel("draw")
def _draw_normal(params, rng, sample):
    for i in range(sample.size):
        sample[i] = rng.standard_normal()


@kernel("stochastic_gradient")
def _noisy_saddle(x, params, sample, out):
    out[0] = -x[0] + 0.1 * sample[0]
    out[1] = 2.0 * x[1] + 0.1 * sample[1]


class CompiledAlone(EnergyModel):
    """E = (2 y^2 - x^2) / 2 by kernels that know its noisy gradient and nothing else."""

    dim = 2
    sample_size = 2
    kernels = Kernels(draw=_draw_normal, stochastic_gradient=_noisy_saddle)


def test_estimates_alone_run_compiled():
    model = CompiledAlone()
    assert not model.deterministic and Estimates(Derivatives(model), model).compiled
    result = search(model, [0.3, -0.2], SHiSD(index=1), tol=0.02)
    assert result.status is Status.ESTIMATED and result.point is None
    assert np.abs(result.estimate.x).max() < 0.02 and result.estimate.index == 1


class Measured(EnergyModel):
    """A saddle at 0 of index 1, known by its gradient with noise alone."""

    dim = 2

    def __init__(self, sigma):
        self.sigma = sigma

    def draw(self, rng):
        return self.sigma * rng.standard_normal(2)

    def stochastic_gradient(self, x, sample, out=None):
        return np.array([x[0] ** 3 - x[0], 0.2 * x[1] + x[0] * x[1]]) + sample


def test_an_estimate_of_another_index_is_no_success():
    found = search(Measured(1e-6), np.zeros(2), SHiSD(index=2), tol=1e-3)
    assert found.status is Status.OTHER_INDEX and not found.success and found.estimate.index == 1


def test_errors_of_eigenvalues_know_the_error_of_the_point():
    """Additive noise cancels in differences with one sample; that x is an average with an error does not."""
    ratios = []
    for seed in range(20):
        estimate = search(Measured(0.3), np.array([0.2, 0.1]), SHiSD(index=1), tol=0.03, rng=seed).estimate
        ratios.append((estimate.eigenvalues[1] - 0.2) / estimate.eigenvalue_errors[1])
    assert 0.2 < np.sqrt(np.mean(np.square(ratios))) < 3.0


def test_estimates_that_are_not_returned_are_an_error():
    class Forgot(Measured):
        def stochastic_gradient(self, x, sample, out=None):
            pass

    with pytest.raises(
        TypeError, match=r"stochastic_gradient: the model returned None and left out as it was; expected shape \(2,\)"
    ):
        search(Forgot(0.1), np.zeros(2), SHiSD(index=1))
