"""High-index saddle dynamics: the right saddle, linear rates, orthonormal frames, reflection, and how many steps it takes."""

from itertools import product

import numpy as np
import pytest
import scipy.linalg

from saddlescape import HiSD, Status, as_model, search
from saddlescape.dynamics import advance
from saddlescape.dynamics.hisd import orthonormal_frame
from saddlescape.dynamics.scales import FLAT
from saddlescape.dynamics.search import connect
from saddlescape.models import Butterfly, DoubleWells, ModifiedRosenbrock, MuellerBrown, ReducedLandauDeGennes
from saddlescape.models.known import known_points
from saddlescape.numerics.derivatives import Derivatives
from saddlescape.parts import LOBPCG, BarzilaiBorwein, FixedStep, HeavyBall, Nesterov, PowerStep

EIGEN = (PowerStep(), LOBPCG())
STEPS = ((BarzilaiBorwein(), None), (FixedStep(), None), (FixedStep(), HeavyBall(0.8)), (FixedStep(), Nesterov()))
COMBINATIONS = [
    pytest.param(e, s, m, p, id="-".join([type(e).__name__, type(s).__name__, type(m).__name__, "M" if p else "plain"]))
    for e, (s, m), p in product(EIGEN, STEPS, (True, False))
]


def saddle(name, index):
    """The first known point of that index."""
    return next(p["x"] for p in known_points(name) if p["index"] == index)


def quadratic(eigenvalues, mass=1.0):
    """E = 1/2 sum lambda_i x_i^2, without kernels: the dynamics runs in the interpreter."""
    a = np.array(eigenvalues, dtype=float)
    return as_model(
        lambda x: 0.5 * a @ (x * x), lambda x: a * x, a.size, hvp=lambda x, v: a * v, hessian=lambda x: np.diag(a), mass=mass
    )


def smooth_noise(model, rng):
    """Smooth field on the interior nodes of a liquid-crystal model, zero on the boundary, maximum 1, (n,)."""
    m = model.interior
    modes = np.arange(1, 7)
    waves = np.sin(np.pi * np.outer(modes, np.arange(1, m + 1)) / (m + 1))
    weights = rng.standard_normal((2, 6, 6)) / (modes[:, None] ** 2 + modes**2)
    noise = np.einsum("cab,ay,bx->cyx", weights, waves, waves).ravel()
    return noise / np.abs(noise).max()


def lowest(model, k):
    """The k lowest eigenvectors at the WORS by shift-invert Lanczos, (k, n)."""
    from scipy.sparse.linalg import eigsh

    return eigsh(model.hessian(model.start("wors")) / model.mass, k, sigma=-3.0 * model.lambda2, v0=np.ones(model.dim))[1].T


def near_wors(model, modes, rng):
    """WORS + 5 % smooth noise + a step along each unstable mode, both of 5 % of its maximum."""
    wors = model.start("wors")
    size = 0.05 * np.abs(wors).max()
    x = wors + size * smooth_noise(model, rng)
    for v in modes:
        x += size * rng.choice((-1.0, 1.0)) * v / np.abs(v).max()
    return x


# --- every combination of parts finds the right saddle -------------------------------------------------------------------


def problems():
    rosenbrock = ModifiedRosenbrock.with_leading(7, 2, -1000.0)
    landau = ReducedLandauDeGennes(17, 7.0)
    return {
        "mueller-brown": (MuellerBrown(), saddle("MuellerBrown", 1), 1, 0.03),
        "butterfly": (Butterfly(), saddle("Butterfly", 1), 1, 0.1),
        "double wells": (DoubleWells((1.0, 1.2, 1.5, 1.9, 2.4, 3.0)), np.array([0.0, 1.0, 0.0, -1.0, 0.0, 1.0]), 3, 0.15),
        "rosenbrock": (rosenbrock, np.ones(7), 2, 0.01),
        "landau-de gennes": (landau, landau.start("wors"), 1, None),
    }


@pytest.mark.parametrize("name", list(problems()))
@pytest.mark.parametrize(("eigen", "step", "momentum", "preconditioned"), COMBINATIONS)
def test_every_combination_finds_the_saddle_it_starts_near(name, eigen, step, momentum, preconditioned):
    model, target, index, size = problems()[name]
    rng = np.random.default_rng(1)
    x0 = near_wors(model, lowest(model, index), rng) if size is None else target + size * rng.uniform(-1.0, 1.0, target.size)
    result = search(model, x0, HiSD(index, eigen, step, momentum, preconditioned))
    assert result.status is Status.CONVERGED, result.message
    np.testing.assert_allclose(result.x, target, atol=2e-8)
    assert result.point.index == index and result.point.unstable.shape == (index, model.dim)


@pytest.mark.parametrize(("eigen", "step", "momentum", "preconditioned"), COMBINATIONS)
def test_the_dynamics_alone_meets_the_tolerance(eigen, step, momentum, preconditioned):
    """Without Newton's method: the last digit is the dynamics' own."""
    target = saddle("Butterfly", 1)
    method = HiSD(1, eigen, step, momentum, preconditioned)
    result = search(Butterfly(), target + np.array([0.05, -0.08]), method, tol=1e-10, polish=False)
    assert result.success and result.gradient_norm <= 1e-10
    assert np.abs(result.x - target).max() < 1e-10


@pytest.mark.parametrize("index", range(7))
def test_every_index_of_double_wells(index):
    model = DoubleWells((1.0, 1.2, 1.5, 1.9, 2.4, 3.0))
    target = np.ones(6)
    target[:index] = 0.0
    result = search(model, target + 0.1 * np.cos(np.arange(6.0)), HiSD(index))
    assert result.success and result.point.index == index
    np.testing.assert_allclose(result.x, target, atol=1e-12)


# --- linear rates near a saddle ------------------------------------------------------------------------------------------

EIGENVALUES = np.array([-3.0, -0.7, 0.5, 1.3, 4.0])


def observed_rate(result, window):
    """Geometric mean of the contraction of the gradient over the last steps."""
    norms = result.trajectory.gradient_norm[:-1]
    return (norms[-1] / norms[-1 - window]) ** (1.0 / window)


@pytest.mark.parametrize("step", [0.05, 0.2, 0.3, 0.45])
def test_fixed_step_contracts_by_the_slowest_mode(step):
    """Reflected, the linearisation at a saddle is I - step |H|: contraction max |1 - step |lambda||."""
    method = HiSD(2, step=FixedStep(step, cap=1e3))
    result = search(quadratic(EIGENVALUES), np.ones(5), method, tol=1e-10, polish=False, trajectory=True)
    assert result.success
    theory = np.abs(1.0 - step * np.abs(EIGENVALUES)).max()
    assert observed_rate(result, 10) == pytest.approx(theory, rel=1e-3)


def test_fixed_step_beyond_the_stability_limit_diverges():
    method = HiSD(2, step=FixedStep(1.01 * 2.0 / np.abs(EIGENVALUES).max(), cap=1e3))
    result = search(quadratic(EIGENVALUES), np.ones(5), method, polish=False)
    assert result.status is Status.DIVERGED


def test_contraction_takes_place_in_the_metric_of_the_mass():
    """With mass m the modes are those of H v = lambda m v: the same step contracts by max |1 - step |lambda_i| / m_i|."""
    mass = np.array([2.0, 0.5, 4.0, 1.0, 8.0])
    method = HiSD(2, step=FixedStep(0.4, cap=1e3))
    result = search(quadratic(EIGENVALUES, mass), np.ones(5), method, tol=1e-10, polish=False, trajectory=True)
    assert result.success
    assert observed_rate(result, 10) == pytest.approx(np.abs(1.0 - 0.4 * np.abs(EIGENVALUES) / mass).max(), rel=1e-3)


ILL_CONDITIONED = np.concatenate([[-50.0, -1.0], np.geomspace(0.5, 100.0, 8)])


def test_heavy_ball_reaches_its_optimal_rate():
    """step 4 / (sqrt L + sqrt mu)^2, momentum ((sqrt kappa - 1) / (sqrt kappa + 1))^2: rate (sqrt kappa - 1) / (sqrt kappa + 1)."""
    small, large = np.abs(ILL_CONDITIONED).min(), np.abs(ILL_CONDITIONED).max()
    rate = (np.sqrt(large / small) - 1.0) / (np.sqrt(large / small) + 1.0)
    step = FixedStep(4.0 / (np.sqrt(large) + np.sqrt(small)) ** 2, cap=1e3)
    model = quadratic(ILL_CONDITIONED)
    result = search(model, np.ones(10), HiSD(2, LOBPCG(), step, HeavyBall(rate**2)), tol=1e-10, polish=False, trajectory=True)
    assert result.success
    # The optimum is a double root: the error falls like n rate^n, which the norms of 100 steps do not tell from 1.01 rate.
    assert observed_rate(result, 100) == pytest.approx(rate, rel=0.02)
    assert observed_rate(result, 100) < np.abs(1.0 - 2.0 / (small + large) * small)


def test_accelerated_searches_need_fewer_steps():
    """Condition number 200: plain steps pay kappa, momentum and Barzilai-Borwein about its root."""
    model, x0 = quadratic(ILL_CONDITIONED), np.ones(10)
    methods = {
        "fixed": HiSD(2, step=FixedStep(cap=1e3)),
        "heavy ball": HiSD(2, step=FixedStep(cap=1e3), momentum=HeavyBall(0.75)),
        "nesterov": HiSD(2, step=FixedStep(cap=1e3), momentum=Nesterov()),
        "bb": HiSD(2, step=BarzilaiBorwein(cap=1e3)),
    }
    results = {name: search(model, x0, method, tol=1e-6, polish=False) for name, method in methods.items()}
    assert all(r.success for r in results.values())
    steps = {name: r.n_steps for name, r in results.items()}
    assert steps["heavy ball"] < steps["fixed"] / 3 and steps["nesterov"] < steps["fixed"] / 3 and steps["bb"] < steps["fixed"] / 8


# --- the frame and the reflected field -----------------------------------------------------------------------------------


@pytest.mark.parametrize("eigen", EIGEN, ids=lambda part: type(part).__name__)
@pytest.mark.parametrize("preconditioned", [True, False])
def test_frames_stay_orthonormal_in_the_metric(eigen, preconditioned):
    model = ReducedLandauDeGennes(17, 30.0)
    x0 = near_wors(model, lowest(model, 4), np.random.default_rng(3))
    method = HiSD(4, eigen, preconditioned=preconditioned)
    metric = connect(model, x0, method)
    seen = []

    def watch(state):
        images = metric.apply(state.frame)
        scale = np.abs(images).max()
        seen.append((np.abs(state.frame @ images.T - np.eye(4)).max(), np.abs(state.metric_frame - images).max() / scale))

    result = search(model, x0, method, tol=1e-9, polish=False, callback=watch)
    assert result.success and len(seen) > 5
    assert np.max(seen) < 1e-11


def reflected_field(model, method, frame=None):
    """x -> d, the direction of the dynamics, with the frame started from ``frame``."""

    def field(x):
        derivatives = connect(model, x, method)
        rng = np.random.default_rng(0)
        return method.begin(derivatives, x, index=method.index, frame=frame, length=1.0, rng=rng).d

    return field


def jacobian(field, x, length):
    rows = [(field(x + length * e) - field(x - length * e)) / (2.0 * length) for e in np.eye(x.size)]
    return np.array(rows).T


@pytest.mark.parametrize("name", ["mueller-brown", "butterfly", "double wells"])
def test_at_its_saddle_the_reflected_field_contracts_in_every_direction(name):
    """The Jacobian of d at an index-k saddle has the eigenvalues -|lambda_i| of the Hessian."""
    model, target, index, _ = problems()[name]
    target = search(model, target, HiSD(index)).x
    hessian = np.array([model.hvp(target, e) for e in np.eye(model.dim)])
    expected = np.sort(-np.abs(np.linalg.eigvalsh(hessian)))
    measured = np.linalg.eigvals(jacobian(reflected_field(model, HiSD(index)), target, 1e-5))
    np.testing.assert_allclose(np.sort(measured.real), expected, rtol=1e-6)
    np.testing.assert_allclose(measured.imag, 0.0, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("eigen", EIGEN, ids=lambda part: type(part).__name__)
def test_the_preconditioned_field_contracts_by_the_eigenvalues_of_the_pencil(eigen):
    """With a metric M the eigenvalues are -|lambda_i| of H v = lambda M v."""
    model = ReducedLandauDeGennes(9, 30.0)
    wors = model.start("wors")
    hessian = model.hessian(wors).toarray()
    metric = model.preconditioner(wors).apply(np.eye(model.dim))
    values, vectors = scipy.linalg.eigh(hessian, metric)
    k = int((values < 0.0).sum())
    method = HiSD(k, eigen)
    measured = np.linalg.eigvals(jacobian(reflected_field(model, method, vectors.T[:k].copy()), wors, 1e-5))
    np.testing.assert_allclose(np.sort(measured.real), np.sort(-np.abs(values)), rtol=1e-5, atol=1e-6)


def test_one_frame_update_lowers_the_rayleigh_quotients():
    """From a random frame both updates go down, and LOBPCG's Rayleigh-Ritz over more directions goes at least as far."""
    model = ReducedLandauDeGennes(17, 30.0)
    wors = model.start("wors")
    derivatives = Derivatives(model, model.preconditioner(wors))
    rows = np.random.default_rng(0).standard_normal((4, model.dim))
    frame, _ = orthonormal_frame(derivatives, rows)
    before = np.trace(frame @ derivatives.hvp_rows(wors, frame).T)
    after = {}
    for eigen in EIGEN:
        method = HiSD(4, eigen)
        state = method.begin(derivatives, wors, index=4, frame=rows, length=1.0, rng=np.random.default_rng(0))
        method.advance(derivatives, state, 1, 0.0)
        after[type(eigen).__name__] = np.trace(state.frame @ derivatives.hvp_rows(state.x, state.frame).T)
    assert after["LOBPCG"] <= after["PowerStep"] < before


def test_orthonormal_frame_refuses_dependent_rows():
    derivatives = Derivatives(DoubleWells((1.0, 2.0, 3.0)))
    rows = np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0]])
    with pytest.raises(ValueError, match="frame: its 2 rows span only 1 dimensions"):
        orthonormal_frame(derivatives, rows)
    with pytest.raises(ValueError, match="frame: its 2 rows are all zero"):
        orthonormal_frame(derivatives, np.zeros((2, 3)))


def test_the_frame_guess_is_used():
    """A frame that spans the true unstable directions is kept: the first direction is the exact reflection."""
    model = ReducedLandauDeGennes(9, 30.0)
    x = model.start("wors") + 1e-3 * smooth_noise(model, np.random.default_rng(0))
    values, vectors = np.linalg.eigh(model.hessian(x).toarray() / model.mass)
    k = int((values < 0.0).sum())
    derivatives = Derivatives(model)
    method = HiSD(k, preconditioned=False)
    state = method.begin(derivatives, x, index=k, frame=vectors.T[:k], length=1.0, rng=np.random.default_rng(0))
    g = derivatives.gradient(x)
    expected = (-g + 2.0 * vectors[:, :k] @ (vectors[:, :k].T @ g)) / model.mass
    np.testing.assert_allclose(state.d, expected, atol=1e-9 * np.abs(expected).max())
    assert state.outcome == advance.RUNNING


# --- flat and uniform Hessians, and a search that is rescued --------------------------------------------------------------


@pytest.mark.parametrize("method", [HiSD(1), HiSD(1, LOBPCG()), HiSD(1, step=FixedStep())], ids=["power", "lobpcg", "fixed"])
def test_a_hessian_of_one_negative_eigenvalue(method):
    """At the maximum of equal wells H = -4: the spectrum has no width."""
    result = search(DoubleWells((1.0,) * 5), np.zeros(5), method)
    assert result.status is Status.OTHER_INDEX and result.point.index == 5


@pytest.mark.parametrize("method", [HiSD(1), HiSD(1, LOBPCG()), HiSD(1, step=FixedStep())], ids=["power", "lobpcg", "fixed"])
def test_a_hessian_that_vanishes_is_no_error(method):
    """E = x_0 + ... + x_4 has no stationary point; the frame of a zero Hessian is any."""
    model = as_model(lambda x: float(x.sum()), np.ones_like, 5, hvp=lambda x, v: 0.0 * v)
    result = search(model, np.zeros(5), method)
    assert result.status in (Status.DIVERGED, Status.STALLED), result.message


def test_rescues_make_steps_stable_then_long_again_then_implicit():
    model = ReducedLandauDeGennes(9, 30.0)
    derivatives = Derivatives(model, model.preconditioner(model.start("wors")))
    x0 = model.start("wors") + 0.1 * smooth_noise(model, np.random.default_rng(0))
    method = HiSD(2)
    state = method.begin(derivatives, x0, index=2, frame=None, length=1.0, rng=np.random.default_rng(0))
    method.advance(derivatives, state, 5, 0.0)
    assert state.patience == 25
    assert method.rescue(derivatives, state)
    fixed = state.floats[advance.STEP]
    largest = scipy.linalg.eigh(model.hessian(state.x).toarray(), derivatives.apply(np.eye(model.dim)), eigvals_only=True)
    assert 0.9 <= fixed * np.abs(largest).max() <= 1.02
    method.advance(derivatives, state, 5, 0.0)
    assert state.floats[advance.STEP] == fixed and state.patience == 100
    assert method.rescue(derivatives, state)
    assert np.isinf(state.floats[[advance.SHORT, advance.SHORTER]]).all() and state.patience == 100
    method.advance(derivatives, state, 5, 0.0)
    assert state.floats[advance.STEP] != fixed and state.shift is None
    assert method.rescue(derivatives, state) and state.patience == 25
    assert state.shift == pytest.approx(np.abs(state.g / model.mass).max() / state.floats[advance.CAP])
    assert not method.rescue(derivatives, state)


def test_a_rescue_where_the_hessian_vanishes():
    derivatives = Derivatives(as_model(lambda x: float(x.sum()), np.ones_like, 5, hvp=lambda x, v: 0.0 * v))
    method = HiSD(1)
    state = method.begin(derivatives, np.zeros(5), index=1, frame=None, length=1.0, rng=np.random.default_rng(0))
    assert method.rescue(derivatives, state) and state.floats[advance.STEP] == FLAT


# --- fields: work that does not grow with refinement, and the numbers the library promises -------------------------------


def test_preconditioned_steps_do_not_grow_with_refinement():
    steps = []
    for n in (17, 33, 65):
        model = ReducedLandauDeGennes(n, 7.0)
        counts, modes = [], lowest(model, 1)
        for seed in range(3):
            result = search(model, near_wors(model, modes, np.random.default_rng(seed)), HiSD(1), tol=1e-6, polish=False)
            assert result.success and np.abs(result.x - model.start("wors")).max() < 1e-4
            counts.append(result.n_steps)
        steps.append(np.median(counts))
    assert steps[2] <= 1.25 * steps[0] and max(steps) <= 30


def wors_steps(lambda2, k, seeds):
    """Steps of the search for the WORS at 41 x 41 by the dynamics alone, one number for each seed."""
    model = ReducedLandauDeGennes(41, lambda2)
    counts, modes = [], lowest(model, k)
    for seed in seeds:
        result = search(model, near_wors(model, modes, np.random.default_rng(seed)), HiSD(k), tol=1e-6, polish=False)
        assert result.success and np.abs(result.x - model.start("wors")).max() < 1e-4
        # One gradient and k products a step; the start costs the first frame and the scales once.
        assert result.n_gradient == result.n_steps + 1 and result.n_hvp <= k * result.n_steps + 150
        counts.append(result.n_steps)
    return counts


def test_wors_at_lambda2_7_in_thirty_steps():
    assert np.median(wors_steps(7.0, 1, range(5))) <= 30


def test_wors_at_lambda2_30_in_sixty_steps():
    assert np.median(wors_steps(30.0, 4, range(5))) <= 60


@pytest.mark.slow
@pytest.mark.parametrize(("lambda2", "index", "most"), [(7.0, 1, 30), (30.0, 4, 60)])
def test_wors_steps_over_twenty_seeds(lambda2, index, most):
    assert np.median(wors_steps(lambda2, index, range(20))) <= most


def rosenbrock_steps(seeds):
    """Steps of the search for x* of the ill-conditioned Rosenbrock function, d = 1000 and index 5, by the dynamics alone."""
    model = ModifiedRosenbrock.with_leading(1000, 5, -5e4)
    counts = []
    for seed in seeds:
        x0 = 1.0 + 0.1 * np.random.default_rng(seed).standard_normal(1000)
        result = search(model, x0, HiSD(5), tol=1e-6, polish=False)
        assert result.success and np.abs(result.x - 1.0).max() < 1e-4, result.message
        counts.append(result.n_steps)
    return counts


def test_rosenbrock_in_a_thousand_dimensions_in_thirty_steps():
    assert np.median(rosenbrock_steps(range(20))) <= 30


# --- parts refuse what makes no sense ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: HiSD(index=-1), "index: got -1, expected a Morse index"),
        (lambda: HiSD(index=1.5), "index: got 1.5, expected a Morse index, an integer"),
        (lambda: HiSD(eigen=BarzilaiBorwein()), r"eigen: got .*expected LOBPCG\(\) or PowerStep\(\)"),
        (lambda: HiSD(step="bb"), r"step: got 'bb', expected BarzilaiBorwein\(\) or FixedStep\(\)"),
        (lambda: HiSD(momentum=0.9), "momentum: got 0.9, expected .* or None"),
        (lambda: HiSD(momentum=HeavyBall()), "momentum: Barzilai-Borwein steps .* use step=FixedStep"),
    ],
)
def test_methods_of_wrong_parts(make, text):
    with pytest.raises(ValueError, match=text):
        make()
