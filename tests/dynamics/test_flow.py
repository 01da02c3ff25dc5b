"""Gradient flow: the basin an accurate integration of x' = -g ends in, energy falling in every step."""

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy.integrate import solve_ivp

from saddlescape import GradientFlow, HiSD, Status, as_model, search
from saddlescape.dynamics import advance
from saddlescape.models import DoubleWells, MuellerBrown, ReducedLandauDeGennes
from saddlescape.models.known import known_points
from saddlescape.numerics.derivatives import Derivatives

MINIMA = np.array([p["x"] for p in known_points("MuellerBrown") if p["index"] == 0])
AWAY = 1e-3  # starts nearer than this to a separatrix may go either way


def basin(x):
    """Which minimum x is near, or -1."""
    distances = np.linalg.norm(MINIMA - x, axis=1)
    return int(distances.argmin()) if distances.min() < 0.05 else -1


def minus_gradient(t, flat):
    """x' = -g of Mueller-Brown for many points at once, from its published formula."""
    x, y = flat.reshape(-1, 2).T[:, :, None] - np.array([[1.0, 0.0, -0.5, -1.0], [0.0, 0.5, 1.5, 1.0]])[:, None, :]
    a, b, c = np.array([-1.0, -1.0, -6.5, 0.7]), np.array([0.0, 0.0, 11.0, 0.6]), np.array([-10.0, -10.0, -6.5, 0.7])
    # Trial steps that the integrator takes back may go far out, where the exponential would overflow.
    growth = np.exp(np.minimum(a * x * x + b * x * y + c * y * y, 20.0))
    terms = np.array([-200.0, -100.0, -170.0, 15.0]) * growth
    return -np.stack([(terms * (2.0 * a * x + b * y)).sum(axis=1), (terms * (b * x + 2.0 * c * y)).sum(axis=1)], axis=1).ravel()


def test_ends_in_the_basin_of_the_flow():
    """Compared with an accurate integration, where the four neighbours of a start agree about its basin."""
    starts = np.array(np.meshgrid(np.linspace(-1.4, 1.1, 8), np.linspace(-0.2, 1.8, 7))).reshape(2, -1).T
    around = AWAY * np.array([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    cloud = (starts[:, None, :] + around).ravel()
    path = solve_ivp(minus_gradient, (0.0, 0.4), cloud, method="DOP853", rtol=1e-8, atol=1e-9, t_eval=[0.4])
    ends = np.array([basin(x) for x in path.y[:, -1].reshape(-1, 2)]).reshape(-1, 5)
    clear = (ends == ends[:, :1]).all(axis=1)
    assert clear.sum() >= 50 and set(ends[clear, 0]) == {0, 1, 2}
    for x0, expected in zip(starts[clear], ends[clear, 0], strict=True):
        result = search(MuellerBrown(), x0, GradientFlow())
        assert result.success and result.point.index == 0, result.message
        assert basin(result.x) == expected, f"from {x0}: {result.x}"


@pytest.mark.parametrize("make", [MuellerBrown, lambda: ReducedLandauDeGennes(17, 30.0)], ids=["compiled", "preconditioned"])
def test_energy_falls_in_every_step(make):
    model = make()
    x0 = np.array([-1.2, 0.2]) if model.dim == 2 else model.start("r") + 0.1 * np.sin(np.arange(float(model.dim)))
    result = search(model, x0, GradientFlow(), tol=1e-6, polish=False, trajectory=True)
    assert result.success
    energies = result.trajectory.energy
    rises = np.diff(energies)
    assert rises.max() <= 1e-13 * np.abs(energies).max() and (rises < 0.0).sum() > 0.5 * rises.size
    assert result.max_energy == energies[0]


@pytest.mark.parametrize("cap", [0.3, 0.01, 0.0005])
def test_no_step_is_longer_than_the_cap(cap):
    result = search(MuellerBrown(), np.array([-1.2, 0.2]), GradientFlow(cap=cap), trajectory=True, tol=1e-6, polish=False)
    assert result.success
    assert np.abs(np.diff(result.trajectory.x, axis=0)).max() <= cap * (1.0 + 1e-12)


def test_follows_the_flow_from_a_saddle():
    """The two sides of a saddle flow to the two minima it connects."""
    for saddle, ends in ((1, ("middle", "upper")), (0, ("middle", "lower"))):
        known = sorted((p for p in known_points("MuellerBrown") if p["index"] == 1), key=lambda p: p["energy"])[saddle]
        point = search(MuellerBrown(), known["x"], HiSD(1)).point
        reached = {basin(search(MuellerBrown(), point.x + 0.02 * s * point.unstable[0], GradientFlow()).x) for s in (1.0, -1.0)}
        names = {"upper": basin([-0.558, 1.442]), "middle": basin([-0.05, 0.467]), "lower": basin([0.623, 0.028])}
        assert reached == {names[e] for e in ends}


def test_never_passes_the_minimum_of_a_quadratic():
    """On a quadratic the accepted steps are at most 1 / curvature along the direction: a parabola is descended from one side."""
    model = as_model(lambda x: 2.0 * x[0] ** 2, lambda x: 4.0 * x, 1, hvp=lambda x, v: 4.0 * v)
    result = search(model, np.array([3.0]), GradientFlow(), tol=1e-10, polish=False, trajectory=True)
    assert result.success
    assert (result.trajectory.x[:, 0] >= -1e-14).all()


def test_stays_in_its_well_in_any_dimension():
    signs = np.random.default_rng(0).choice((-1.0, 1.0), 6)
    result = search(DoubleWells((1.0, 1.2, 1.5, 1.9, 2.4, 3.0)), 0.05 * signs, GradientFlow())
    np.testing.assert_allclose(result.x, signs, atol=1e-12)


def test_a_start_on_a_saddle_stays_and_is_told_so():
    result = search(DoubleWells((1.0, 2.0)), np.array([0.0, 1.0]), GradientFlow())
    assert result.status is Status.OTHER_INDEX and result.point.index == 1


def test_finds_minima_only():
    flow = GradientFlow()
    assert flow.index == 0
    with pytest.raises(TypeError):
        GradientFlow(index=1)
    with pytest.raises(ValueError, match="index: got 1, but gradient flow finds minima only; use HiSD"):
        flow.begin(None, np.zeros(2), index=1, frame=None, length=None, rng=None)


@pytest.mark.parametrize("cap", [0.0, -1.0, float("nan")])
def test_refuses_a_cap_that_is_not_positive(cap):
    with pytest.raises(ValueError, match=r"cap: got .*, expected a positive length, or None"):
        GradientFlow(cap=cap)


# --- implicit steps ------------------------------------------------------------------------------------------------------


def ridge(convert=np.asarray, energy=None, gradient=None, hessian=None):
    """E = 50 x0^2 - x1^2 / 2 + x1^4 / 4: two basins, x1 > 0 and x1 < 0, minima at x1 = +-1."""
    return as_model(
        energy or (lambda x: 50.0 * x[0] ** 2 - 0.5 * x[1] ** 2 + 0.25 * x[1] ** 4),
        gradient or (lambda x: np.array([100.0 * x[0], x[1] ** 3 - x[1]])),
        2,
        hessian=hessian or (lambda x: convert(np.diag([100.0, 3.0 * x[1] ** 2 - 1.0]))),
    )


def implicit(model, x0, shift, tolerance=0.0):
    """A gradient flow at x0 whose steps are implicit from the first on."""
    derivatives = Derivatives(model)
    state = GradientFlow().begin(derivatives, np.array(x0), index=0, frame=None, length=1.0, rng=None)
    state.shift = shift
    state.floats[advance.TOLERANCE] = tolerance
    return derivatives, state


def implicit_steps(derivatives, state, n_steps):
    """As a flow makes them: returns how many, those taken back included."""
    return GradientFlow().advance(derivatives, state, n_steps, state.floats[advance.TOLERANCE])


@pytest.mark.parametrize("convert", [np.asarray, sparse.csc_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("shift", [1e-6, 0.1, 0.5, 0.9, 0.96, 0.98, 5.0])
def test_an_implicit_step_does_not_cross_a_ridge(convert, shift):
    """With H + shift mass indefinite Newton's step runs uphill, towards the ridge and over it, while the energy falls."""
    derivatives, state = implicit(ridge(convert), [0.1, 0.1], shift, tolerance=1e-10)
    energies, before = [state.energy], 0.1
    for _ in range(200):
        implicit_steps(derivatives, state, 1)
        assert state.x[1] >= before - 1e-12  # x1' = x1 - x1^3 grows up to 1
        energies.append(state.energy)
        before = min(state.x[1], 1.0)
        if state.outcome == advance.REACHED:
            break
    assert state.outcome == advance.REACHED
    np.testing.assert_allclose(state.x, [0.0, 1.0], atol=1e-9)
    assert np.diff(energies).max() <= 1e-15


def test_implicit_steps_follow_the_flow():
    """Steps with dt and with dt / 2 differ from the exact path of x' = -x by errors of first order."""
    model = as_model(lambda x: 0.5 * x @ x, lambda x: x.copy(), 2, hessian=lambda x: np.eye(2))
    errors = []
    for n in (40, 80):
        derivatives, state = implicit(model, [1.0, -0.5], n)
        for _ in range(n):
            state.shift = float(n)
            implicit_steps(derivatives, state, 1)
        errors.append(np.abs(state.x - np.exp(-1.0) * np.array([1.0, -0.5])).max())
    assert 1.8 < errors[0] / errors[1] < 2.2


def test_a_hessian_serves_all_steps_tried_at_a_point():
    calls = []

    def hessian(x):
        calls.append(x.copy())
        return np.diag([100.0, 3.0 * x[1] ** 2 - 1.0])

    derivatives, state = implicit(ridge(hessian=hessian), [0.1, 0.1], 1e-6, tolerance=1e-8)
    tried = sum(implicit_steps(derivatives, state, 1) for _ in range(60) if state.outcome != advance.REACHED)
    assert state.outcome == advance.REACHED
    assert len(np.unique(calls, axis=0)) == len(calls) < tried - 5


def wall(x):
    """The energy of `ridge`, not finite beyond x1 = 0.5."""
    return 50.0 * x[0] ** 2 - 0.5 * x[1] ** 2 + 0.25 * x[1] ** 4 if x[1] < 0.5 else np.nan


def test_implicit_steps_end_at_a_wall_of_nan():
    derivatives, state = implicit(ridge(energy=wall), [0.1, 0.1], 2.0)
    assert implicit_steps(derivatives, state, 400) == 400
    assert state.outcome == advance.NON_FINITE
    assert 0.4 < state.x[1] < 0.5 and state.energy == wall(state.x) and np.isfinite(state.gradient_norm)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csc_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_hessian_that_cannot_be_factorised_is_no_way_on(convert, wrong):
    """Nothing is raised and no shift grows for ever: where no step is short enough, none is tried any more."""
    derivatives, state = implicit(ridge(hessian=lambda x: convert(np.full((2, 2), wrong))), [0.1, 0.1], 1.0)
    for _ in range(2):
        assert implicit_steps(derivatives, state, 1000) == 1000
        assert state.outcome == advance.RUNNING and state.shift < 1e20 and derivatives.n_gradient == 1
    np.testing.assert_array_equal(state.x, [0.1, 0.1])


def test_a_flow_that_no_step_helps_is_a_stall():
    """With a gradient of the wrong sign the energy rises along every step, explicit or implicit."""
    model = ridge(gradient=lambda x: -np.array([100.0 * x[0], x[1] ** 3 - x[1]]))
    result = search(model, [0.1, 0.1], GradientFlow(), polish=False, max_steps=5000)
    assert result.status is Status.STALLED and result.n_steps < 5000
    np.testing.assert_allclose(result.x, 0.1, atol=1e-9)


def test_implicit_steps_end_too_far_away():
    model = as_model(lambda x: -x[0], lambda x: np.array([-1.0, 0.0]), 2, hessian=lambda x: np.zeros((2, 2)))
    derivatives, state = implicit(model, [0.0, 0.0], 1.0)
    state.floats[advance.RADIUS] = 3.0
    done = implicit_steps(derivatives, state, 100)
    assert state.outcome == advance.TOO_FAR and done < 100 and 3.0 < state.x[0] <= 3.25 + 1e-12
    state.floats[advance.RADIUS] = 1e3
    assert implicit_steps(derivatives, state, 2) == 2 and state.outcome == advance.RUNNING


def test_a_rescued_flow_reaches_a_minimum_that_explicit_steps_crawl_to():
    """Curvatures 1e8 and 1: explicit steps need some 1e8 steps, implicit ones a few, on the side of the ridge it starts on."""
    model = as_model(
        lambda x: 0.5e8 * x[0] ** 2 - 0.5 * x[1] ** 2 + 0.25 * x[1] ** 4,
        lambda x: np.array([1e8 * x[0], x[1] ** 3 - x[1]]),
        2,
        hvp=lambda x, v: np.array([1e8 * v[0], (3.0 * x[1] ** 2 - 1.0) * v[1]]),
    )
    result = search(model, [1e-3, -0.1], GradientFlow(), tol=1e-9, polish=False, max_steps=5000)
    assert result.success, result.message
    np.testing.assert_allclose(result.x, [0.0, -1.0], atol=1e-8)
