"""Gradient flow: the basin an accurate integration of x' = -g ends in, energy falling in every step."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from saddlescape import GradientFlow, HiSD, Status, as_model, search
from saddlescape.models import DoubleWells, MuellerBrown, ReducedLandauDeGennes
from saddlescape.models.known import known_points

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
