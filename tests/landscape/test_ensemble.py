"""Many searches at once: orders of convergence beside theory, averages, and results that depend on nothing but the seed."""

from dataclasses import replace

import numpy as np
import pytest

from saddlescape import EnergyModel, HiSD, NoisyModel, SHiSD, Status, search_many
from saddlescape.landscape.ensemble import Ensemble
from saddlescape.models import Butterfly, ChafeeInfante, DoubleWells, MuellerBrown
from saddlescape.models.known import known_points
from saddlescape.parts import Constant, Decaying, EigenvectorSearch, Estimated

SADDLE = next(p["x"] for p in known_points("Butterfly") if p["index"] == 1 and p["x"][0] > 0.5)
NOISY = NoisyModel(Butterfly(), 1.0, 2.0)
MU = 3.57400697  # smallest |eigenvalue| at the saddle
FRAME = Decaying(0.3, 10.0, 0.7)
WORKERS = 2


def runs(count, step, n_steps, *, inner=1, away=(0.05, 0.05), seed=0):
    """Searches for the butterfly's saddle from nearby."""
    method = SHiSD(1, step, EigenvectorSearch(FRAME, inner))
    return search_many(NOISY, count, method, start=SADDLE + away, reference=SADDLE, n_steps=n_steps, rng=seed, workers=WORKERS)


# --- rates ----------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def slowly():
    """200 runs with steps 0.2 / (n + 10)^0.6; their tails end with a chunk, and are the last half."""
    return runs(200, Decaying(0.2, 10.0, 0.6), 8192)


def test_the_mean_square_error_falls_at_the_rate_of_theory(slowly):
    for found, rate in ((runs(200, Decaying(0.5, 10.0), 6000), -1.0), (slowly, -0.6)):
        slope = found.slope()
        assert slope.slope == pytest.approx(rate, abs=0.1) and slope.low < slope.slope < slope.high
        assert found.success_fraction >= 0.99 and set(found.status) == {Status.MAX_STEPS}


# Schedule, exponent, mean square error at n = 10 000 measured with independent code.
TABLE = [
    (Decaying(0.5, 10.0), -1.0, 1.26e-5),
    (Decaying(1.0, 20.0), -1.0, 2.4e-5),
    (Decaying(0.1, 10.0), -0.715, 1.15e-4),
    (Decaying(0.3, 10.0, 0.8), -0.8, 4.0e-5),
    (Decaying(0.2, 10.0, 0.6), -0.6, 1.7e-4),
    (Constant(0.01), 0.0, 2.1e-3),
]


@pytest.mark.slow
@pytest.mark.parametrize("inner", [1, 5])
@pytest.mark.parametrize(("step", "rate", "error"), TABLE, ids=lambda value: str(value) if isinstance(value, float) else "")
@pytest.mark.filterwarnings("ignore:step. 2 gamma mu")
def test_the_table_of_rates(step, rate, error, inner):
    found = runs(400, step, 20_000, inner=inner, away=(0.1, -0.1))  # short steps remember where they began
    assert found.slope().slope == pytest.approx(rate, abs=0.1)
    assert found.mse()[np.searchsorted(found.steps, 10_000)] == pytest.approx(error, rel=0.25)
    assert found.success_fraction >= 0.99


def constants(model, x):
    """Smallest and largest |eigenvalue|."""
    sizes = np.abs(np.linalg.eigvalsh([model.hvp(x, e) for e in np.eye(x.size)]))
    return sizes.min(), sizes.max()


@pytest.mark.slow
@pytest.mark.parametrize("which", ["Mueller-Brown", "double wells"])
@pytest.mark.parametrize(("factor", "p"), [(1.0, 1.0), (2.0, 1.0), (1.0, 0.8), (1.0, 0.6)])
def test_rates_at_other_saddles(which, factor, p):
    """gamma scaled by the saddle's own mu: index 1 of Mueller-Brown, index 2 of double wells in 12 dimensions."""
    if which == "Mueller-Brown":
        x = next(point["x"] for point in known_points("MuellerBrown") if point["index"] == 1)
        model, index, start = NoisyModel(MuellerBrown(), 20.0, 50.0), 1, x + 0.01
    else:
        x = np.ones(12)
        x[[3, 7]] = 0.0
        model, index, start = NoisyModel(DoubleWells(np.linspace(1.0, 2.1, 12)), 1.0, 1.0), 2, x + 0.05
    mu, largest = constants(model, x)
    m = max(10.0, 2.0 * factor * largest / mu)
    method = SHiSD(index, Decaying(factor / mu * m ** (p - 1.0), m, p), EigenvectorSearch(Decaying(3.0 / largest, 10.0, 0.7)))
    found = search_many(model, 200, method, start=start, reference=x, n_steps=20_000, workers=WORKERS)
    assert found.slope().slope == pytest.approx(-p, abs=0.1)
    assert found.success_fraction >= 0.99


@pytest.mark.slow
def test_too_small_a_factor_gives_the_slower_rate_of_theory():
    """2 gamma mu = 0.5 at the Mueller-Brown saddle: the exponent of the slowest mode."""
    x = next(point["x"] for point in known_points("MuellerBrown") if point["index"] == 1)
    model = NoisyModel(MuellerBrown(), 20.0, 50.0)
    mu, largest = constants(model, x)
    method = SHiSD(1, Decaying(0.25 / mu), EigenvectorSearch(Decaying(3.0 / largest, 10.0, 0.7)))
    with pytest.warns(UserWarning, match=r"2 gamma mu = 0\.\d+ < 1"):
        found = search_many(model, 200, method, start=x + 0.01, reference=x, n_steps=20_000, workers=WORKERS)
    assert found.slope().slope == pytest.approx(-0.5, abs=0.1)


# --- estimated steps ------------------------------------------------------------------------------------------------------


def test_estimated_steps_reach_the_full_rate():
    found = search_many(NOISY, 120, SHiSD(1), start=SADDLE + 0.05, reference=SADDLE, n_steps=6000, workers=WORKERS)
    assert found.slope(first=1000).slope == pytest.approx(-1.0, abs=0.15)
    # With gamma = 2 / mu the error is at most that of theory for the slowest mode, gamma^2 / (2 gamma mu - 1) each.
    assert found.mse()[-1] < 1.3 * 2 * (2.0 / MU) ** 2 / 3.0 / 6000
    assert found.success_fraction >= 0.98


@pytest.mark.parametrize("noise", [0.1, 10.0, 100.0])
def test_estimated_steps_never_diverge(noise):
    """Even where a single gradient estimate is all noise."""
    model = NoisyModel(Butterfly(), noise, noise)
    found = search_many(model, 30, SHiSD(1), start=SADDLE + 0.1, reference=SADDLE, n_steps=2000, workers=WORKERS)
    assert set(found.status) == {Status.MAX_STEPS} and np.isfinite(found.x).all()
    assert found.success_fraction >= (1.0 if noise < 1.0 else 0.5)


# --- averages -------------------------------------------------------------------------------------------------------------


def test_averages_have_the_covariance_of_theory(slowly):
    """Polyak and Ruppert: H^-1 C H^-1 / steps for p < 1, whatever the schedule; a little less for a finite memory."""
    n, half = 8192, 4096
    hessian = np.array([Butterfly().hvp(SADDLE, e) for e in np.eye(2)])
    values, vectors = np.linalg.eigh(hessian)
    errors = (slowly.average - SADDLE) @ vectors
    memory = 0.2 / (0.75 * n) ** 0.6 * np.abs(values) * half  # of an autoregressive process, in steps over the length of the tail
    expected = 1.0 / (values**2 * half) * (1.0 - 1.0 / memory)
    scores = errors**2 / expected
    assert scores.mean() == pytest.approx(1.0, abs=4.0 * np.sqrt(2.0 / scores.size))
    assert abs(np.corrcoef(errors.T)[0, 1]) < 4.0 / np.sqrt(200)
    assert slowly.slope(average=True).slope == pytest.approx(-1.0, abs=0.15)


def test_averages_of_constant_steps_converge_where_the_iterates_do_not():
    found = runs(80, Constant(0.01), 6000)
    assert abs(found.slope().slope) < 0.1 and found.slope(average=True).slope == pytest.approx(-1.0, abs=0.2)
    np.testing.assert_allclose(found.mse()[found.steps > 1000].mean(), 2.1e-3, rtol=0.1)


# --- seeds and workers ----------------------------------------------------------------------------------------------------


def same(first, second):
    for name in ("x", "average", "index", "n_steps", "steps", "errors", "average_errors", "success"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    return first.status == second.status


@pytest.mark.parametrize("rng", [7, np.random.SeedSequence(7)], ids=["int", "SeedSequence"])
def test_threads_change_no_number(rng):
    arguments = dict(start=SADDLE + 0.1, reference=SADDLE, n_steps=300)
    first = search_many(NOISY, 10, SHiSD(1), rng=7, **arguments)
    second = search_many(NOISY, 10, SHiSD(1), rng=rng, workers=2, **arguments)
    assert same(first, second)
    other = search_many(NOISY, 10, SHiSD(1), rng=8, **arguments)
    assert np.abs(first.x - other.x).max() > 0.0
    assert len({tuple(x) for x in first.x}) == 10


def test_a_run_has_the_same_stream_however_many_there_are():
    few, many = (search_many(NOISY, r, SHiSD(1), start=SADDLE + 0.1, n_steps=200, rng=3) for r in (3, 5))
    np.testing.assert_array_equal(few.x, many.x[:3])


def test_processes_change_no_number():
    """A preconditioner makes the runs interpreted: they go to processes."""
    model = NoisyModel(ChafeeInfante(7, 5.0), 0.1, 0.1)
    arguments = dict(start=0.1 * np.cos(np.arange(7.0)), reference=np.zeros(7), n_steps=40)
    assert same(*(search_many(model, 6, SHiSD(2), workers=w, **arguments) for w in (1, 2)))


def test_starts_of_ones_own_and_certified_ends():
    """Without a reference success is a certified saddle, and each run says of which index."""
    starts = np.array([p["x"] for p in known_points("Butterfly")]) + 0.02
    found = search_many(NOISY, starts, SHiSD(1), n_steps=3000, polish=True)
    at_saddles = np.array([p["index"] == 1 for p in known_points("Butterfly")])
    assert found.success[at_saddles].all() and (found.index[at_saddles] == 1).all()
    assert (found.index[found.success] == 1).all() and (found.n_steps <= 3000).all()
    for x in found.average[found.success]:
        assert np.abs(Butterfly().gradient(x)).max() < 1e-9
    with pytest.raises(ValueError, match="reference: search_many was given none, so there are no errors"):
        found.mse()


def test_deterministic_methods_run_as_well():
    found = search_many(Butterfly(), 4, HiSD(1), start=SADDLE + 0.05, reference=SADDLE, polish=True, n_steps=500)
    assert found.success_fraction == 1.0 and set(found.status) == {Status.CONVERGED} and set(found.index) == {1}
    np.testing.assert_array_equal(found.x, found.x[[0, 0, 0, 0]])


# --- slopes ---------------------------------------------------------------------------------------------------------------


def ensemble(errors, steps, success=None):
    """Errors (R, m) alone."""
    errors = np.asarray(errors, dtype=float)
    count = len(errors)
    none = np.zeros((count, 1))
    status = [Status.MAX_STEPS] * count
    success = np.ones(count, dtype=bool) if success is None else success
    return Ensemble(
        none, none, status, np.full(count, -1), np.zeros(count), np.asarray(steps), errors, 0.1 * errors, success, np.zeros(count)
    )


@pytest.mark.parametrize("power", [-1.0, -0.5, 0.3])
def test_the_slope_of_a_power_is_its_exponent(power):
    steps = np.arange(10, 2000, 7)
    sizes = np.array([1.0, 2.0, 3.0])
    found = ensemble(np.sqrt(sizes[:, None] * 5.0 * steps**power), steps)
    slope = found.slope()
    np.testing.assert_allclose([slope.slope, slope.low, slope.high], power, atol=1e-12)
    assert slope.factor == pytest.approx(10.0) and slope.last == steps[-1] and slope.first == int(steps[-1] / 10**1.5)
    assert found.slope(average=True).factor == pytest.approx(0.1)
    np.testing.assert_allclose(found.mse(), 10.0 * steps**power)


def test_the_confidence_interval_covers_the_exponent():
    """Of 60 ensembles of 50 runs with independent errors."""
    rng, steps = np.random.default_rng(0), np.unique(np.geomspace(10, 1000, 30).astype(int))
    covered = 0
    for _ in range(60):
        runs_ = np.sqrt(rng.chisquare(2, size=(50, 1)) * rng.lognormal(sigma=0.5, size=(50, steps.size)) / steps)
        slope = ensemble(runs_, steps).slope(first=10)
        covered += slope.low <= -1.0 <= slope.high
    assert covered / 60 >= 0.85  # 95 %, the binomial's spread, and a bootstrap of 50


def test_runs_that_left_are_counted_and_left_out():
    errors = np.full((4, 50), 0.1)
    errors[3] = 10.0
    found = ensemble(errors, np.arange(1, 51), success=np.array([True, True, True, False]))
    np.testing.assert_allclose(found.mse(), 0.01)
    assert found.success_fraction == 0.75
    with pytest.raises(ValueError, match="no run ended within the radius of the reference"):
        replace(found, success=np.zeros(4, dtype=bool)).mse()
    with pytest.raises(ValueError, match="first, last: only 2 moments lie between 10 and 11, expected 3 or more"):
        found.slope(10, 11)


def test_success_is_the_end_within_the_radius():
    far = search_many(NOISY, 5, SHiSD(1, Constant(1e-6)), start=SADDLE + 1.0, reference=SADDLE, n_steps=50)
    assert far.success_fraction == 0.0
    wide = search_many(NOISY, 5, SHiSD(1, Constant(1e-6)), start=SADDLE + 1.0, reference=SADDLE, radius=3.0, n_steps=50)
    assert wide.success_fraction == 1.0


# --- bad input ------------------------------------------------------------------------------------------------------------


class Estimated2(EnergyModel):
    """Stochastic derivatives alone."""

    dim = 2

    def draw(self, rng):
        return rng.standard_normal(2)

    def stochastic_gradient(self, x, sample, out=None):
        return np.add(x, sample, out=out)


BAD = {
    "none": ((0, SHiSD(1)), {}, ValueError, "starts_or_n: got 0, expected at least one run"),
    "a point": ((SADDLE, SHiSD(1)), {}, ValueError, r"starts_or_n: got shape \(2,\), expected \(R, 2\), a start for each run"),
    "NaN": (([[0.0, np.nan]], SHiSD(1)), {}, ValueError, r"starts_or_n\[0\]: 1 of 2 entries are NaN"),
    "both": (([[0.0, 0.0]], SHiSD(1)), {"start": SADDLE}, ValueError, "start: the starts are given already"),
    "index": ((2, SHiSD()), {}, ValueError, "method: .* has no index"),
    "method": ((2, "SHiSD"), {}, TypeError, "method: got 'SHiSD', which lacks begin"),
    "n_steps": ((2, SHiSD(1)), {"n_steps": 0}, ValueError, "n_steps: got 0, expected an integer of at least 1"),
    "workers": ((2, SHiSD(1)), {"workers": 1.5}, ValueError, "workers: got 1.5, expected an integer of at least 1"),
    "radius": ((2, SHiSD(1)), {"radius": 1.0}, ValueError, "radius: got 1.0, expected a positive distance from a reference"),
    "reference": ((2, SHiSD(1)), {"reference": np.ones(3)}, ValueError, r"reference: got shape \(3,\), expected \(2,\)"),
    "frame": ((2, SHiSD(1)), {"frame": np.eye(2)}, ValueError, r"frame: got shape \(2, 2\), expected \(1, 2\)"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_input_is_one_clear_error(what):
    arguments, options, error, text = BAD[what]
    with pytest.raises(error, match=text):
        search_many(NOISY, *arguments, **options)


def test_models_that_cannot_do_it_are_refused():
    with pytest.raises(TypeError, match="model: Butterfly has no draw and no stochastic_gradient"):
        search_many(Butterfly(), 2, SHiSD(1), start=SADDLE)
    with pytest.raises(ValueError, match="polish: Estimated2 has no exact gradient to polish with; use polish=False"):
        search_many(Estimated2(), 2, SHiSD(0), start=SADDLE, polish=True)
    with pytest.raises(TypeError, match="model: got Estimated2, which has no 'energy'"):
        search_many(Estimated2(), 2, HiSD(0), start=SADDLE)
    found = search_many(Estimated2(), 2, SHiSD(0, Estimated()), start=SADDLE, n_steps=100)
    assert set(found.status) == {Status.MAX_STEPS}
