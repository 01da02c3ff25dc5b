"""The stepping functions of stochastic saddle dynamics: compiled, interpreted and as the equations say."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pytest

from saddlescape import EnergyModel, NoisyModel, SHiSD, as_model
from saddlescape.dynamics import advance_stochastic as stepping
from saddlescape.dynamics.search import connect
from saddlescape.dynamics.stochastic_state import make_steps
from saddlescape.kernels import Kernels
from saddlescape.models import Butterfly, DoubleWells
from saddlescape.parts import Constant, Decaying, DoublingBatch, EigenvectorSearch
from saddlescape.stochastic import noise
from saddlescape.stochastic.wrapped import wrapper_kernels

WEIGHTS = (1.0, 1.3, 1.7, 2.2, 2.6)


@dataclass(frozen=True)
class HeavyWells(DoubleWells):
    """Double wells in an inner product of its own."""

    @property
    def mass(self):
        return np.linspace(0.5, 2.3, self.dim)


@dataclass(frozen=True)
class GradientsAlone(NoisyModel):
    """Noisy gradients, and no stochastic Hessian-vector products: they are differences with one sample."""

    compiled: ClassVar[Kernels] = wrapper_kernels(noise._draw, noise._stochastic_gradient, None)

    @property
    def stochastic_hvp(self):
        raise AttributeError("stochastic_hvp")


class Plain(EnergyModel):
    """The same samples and estimates as another model, without kernels."""

    def __init__(self, model, metric=None):
        self.model, self.dim, self.mass, self.draw = model, model.dim, model.mass, model.draw
        self.energy, self.hvp = model.energy, model.hvp
        self.stochastic_gradient = model.stochastic_gradient
        if hasattr(model, "stochastic_hvp"):
            self.stochastic_hvp = model.stochastic_hvp
        if metric is not None:
            self.preconditioner = lambda x: Dense(metric)

    def gradient(self, x, out=None):
        return self.model.gradient(x, out)


class Dense:
    """A dense symmetric positive definite metric."""

    def __init__(self, matrix):
        self.matrix, self.inverse = matrix, np.linalg.inv(matrix)

    def apply(self, v, out=None):
        return v @ self.matrix

    def solve(self, r, out=None):
        return r @ self.inverse


def begun(model, method, x0, *, seed=0, frame=None):
    """A search at its start."""
    derivatives = connect(model, x0, method)
    rng = np.random.default_rng(seed)
    return method.begin(derivatives, x0, index=method.index, frame=frame, length=1.0, rng=rng)


def saddle(index):
    """Of double wells, with a little beside it."""
    return np.concatenate([np.zeros(index), np.ones(len(WEIGHTS) - index)]) + 0.1 * np.cos(np.arange(float(len(WEIGHTS))))


# --- compiled and interpreted ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("samples", [1, 3, DoublingBatch(50, 4)], ids=["one", "three", "doubling"])
@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize("kind", [NoisyModel, GradientsAlone])
def test_compiled_and_interpreted_steps_are_the_same(kind, index, samples):
    model = kind(HeavyWells(WEIGHTS), 0.5, 0.7)
    method = SHiSD(index, Decaying(0.2, 8.0, 0.9), EigenvectorSearch(Decaying(0.1, 10.0, 0.7), 2), samples)
    states = [begun(m, method, saddle(index)) for m in (model, Plain(model))]
    assert states[0].estimates.compiled and not states[1].estimates.compiled
    for state in states:
        assert make_steps("saddle", state, 300) == 300
    compiled, interpreted = states
    np.testing.assert_allclose(compiled.rows[: stepping.SCRATCH], interpreted.rows[: stepping.SCRATCH], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(compiled.frame, interpreted.frame, rtol=0, atol=1e-8)
    np.testing.assert_allclose(compiled.quotients, interpreted.quotients, rtol=1e-8)
    np.testing.assert_array_equal(compiled.ints[: stepping.GRADIENTS], interpreted.ints[: stepping.GRADIENTS])
    assert compiled.rng.bit_generator.state == interpreted.rng.bit_generator.state
    calls = [(s.estimates.derivatives.n_gradient, s.estimates.derivatives.n_hvp) for s in states]
    assert calls[0] == calls[1]


@pytest.mark.parametrize("kind", [NoisyModel, GradientsAlone])
def test_compiled_and_interpreted_sweeps_are_the_same(kind):
    model = kind(HeavyWells(WEIGHTS), 0.5, 0.7)
    method = SHiSD(3, Constant(0.01), EigenvectorSearch(Decaying(0.3, 10.0, 0.7)))
    states = [begun(m, method, np.ones(5), frame=np.eye(5)[:3] + 0.2) for m in (model, Plain(model))]
    for state in states:
        assert make_steps("eigenvector", state, 300) == 300
    np.testing.assert_allclose(states[0].frame, states[1].frame, rtol=0, atol=1e-8)
    np.testing.assert_allclose(states[0].quotients, states[1].quotients, rtol=1e-8)


# --- the equations --------------------------------------------------------------------------------------------------------


def twin_sweep(frame, b, products, metric):
    """Equation (2) with the rows of X in turn; products(v) = H(x; w) v, metric M (n, n)."""
    new = np.empty((0, frame.shape[1]))
    for v in frame:
        hv = products(v)
        moved = v - b * (np.linalg.solve(metric, hv) - sum(u * (u @ hv) for u in [*new, v]))
        moved = moved - sum((u * (u @ metric @ moved) for u in new), np.zeros(v.size))
        new = np.vstack([new, moved / np.sqrt(moved @ metric @ moved)])
    return new


def twin_step(x, frame, a, g, metric):
    """Equation (1)."""
    return x + a * (-np.linalg.solve(metric, g) + 2.0 * frame.T @ (frame @ g))


SPD = np.diag([2.0, 0.7, 1.5, 3.0, 1.1]) + 0.2 * np.cos(np.subtract.outer(np.arange(5), np.arange(5)))


@pytest.mark.parametrize("metric", ["mass", "preconditioner"])
@pytest.mark.parametrize("index", [0, 1, 2, 3])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_steps_are_those_of_the_equations(index, metric, seed):
    model = NoisyModel(HeavyWells(WEIGHTS), 0.5, 0.7)
    m = np.diag(model.mass) if metric == "mass" else SPD
    method = SHiSD(index, Decaying(0.2, 8.0, 0.9), EigenvectorSearch(Decaying(0.3, 10.0, 0.7), 2), samples=2, cap=1e3)
    state = begun(model if metric == "mass" else Plain(model, SPD), method, saddle(index), seed=seed)
    assert state.estimates.compiled == (metric == "mass")
    rng, x, frame = np.random.default_rng(0), state.x.copy(), state.frame.copy()
    rng.bit_generator.state = state.rng.bit_generator.state
    for n in range(20):
        for _ in range(2 if index else 0):
            w = model.draw(rng)
            frame = twin_sweep(frame, 0.3 / (n + 10.0) ** 0.7, lambda v, x=x, w=w: model.stochastic_hvp(x, v, w), m)
        g = np.mean([model.stochastic_gradient(x, model.draw(rng)) for _ in range(2)], axis=0)
        x = twin_step(x, frame, 0.2 / (n + 8.0) ** 0.9, g, m)
        make_steps("saddle", state, 1)
        np.testing.assert_allclose(state.x, x, rtol=0, atol=1e-12)
        np.testing.assert_allclose(state.frame, frame, rtol=0, atol=1e-12)


def test_the_displacement_cap_cuts_a_step_to_its_length():
    model = NoisyModel(DoubleWells(WEIGHTS), 0.0)
    state = begun(model, SHiSD(0, Constant(1.0), cap=1e-3), saddle(0))
    before, g = state.x.copy(), model.gradient(state.x)
    make_steps("saddle", state, 1)
    np.testing.assert_allclose(state.x - before, -1e-3 * g / np.abs(g).max(), rtol=1e-12)


def test_sums_are_those_of_the_steps():
    """Sums of iterates and gradient estimates, of |g|^2 in the dual norm, and of the products of successive moves."""
    model = NoisyModel(HeavyWells(WEIGHTS), 0.5, 0.7)
    method = SHiSD(1, Constant(0.02), EigenvectorSearch(Constant(0.02)))
    together, alone = (begun(model, method, saddle(1)) for _ in range(2))
    make_steps("saddle", together, 40)
    x, g, moves = [], [], [np.zeros(5)]
    for _ in range(40):
        before = alone.x.copy()
        make_steps("saddle", alone, 1)
        x.append(alone.x.copy())
        g.append(alone.rows[stepping.G].copy())
        moves.append(alone.x - before)
    np.testing.assert_allclose(together.rows[stepping.SUM_X], np.sum(x, axis=0), rtol=1e-12)
    np.testing.assert_allclose(together.rows[stepping.SUM_G], np.sum(g, axis=0), rtol=1e-10)
    assert together.floats[stepping.SQUARES] == pytest.approx(np.sum(np.square(g) / model.mass))
    aligned = sum(np.sum(before * model.mass * after) for before, after in pairwise(moves))
    assert together.floats[stepping.ALIGNED] == pytest.approx(aligned, rel=1e-9)
    assert together.floats[stepping.MOVED] == pytest.approx(sum(np.sum(model.mass * move**2) for move in moves), rel=1e-9)


# --- frames ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["mass", "preconditioner"])
@pytest.mark.parametrize("at", [0.0, 1.0], ids=["maximum", "minimum"])
def test_frames_stay_orthonormal_in_the_metric(metric, at):
    """For thousands of steps, whatever the sign of the eigenvalues that the frame follows."""
    model = NoisyModel(HeavyWells(WEIGHTS), 0.5, 2.0)
    m = np.diag(model.mass) if metric == "mass" else SPD
    state = begun(model if metric == "mass" else Plain(model, SPD), SHiSD(3, Constant(0.01)), np.full(5, at))
    state.floats[stepping.FRAME_GAMMA : stepping.FRAME_POWER + 1] = 0.02, 1.0, 0.0
    make_steps("eigenvector", state, 2000)
    np.testing.assert_allclose(state.frame @ m @ state.frame.T, np.eye(3), atol=1e-10)
    np.testing.assert_allclose(state.metric_frame, state.frame @ m, atol=1e-10)


# --- without noise --------------------------------------------------------------------------------------------------------

EIGENVALUES = np.array([-3.0, -0.7, 0.5, 1.3, 4.0])


def quadratic(mass=1.0):
    """E = 1/2 sum lambda_i x_i^2, interpreted."""
    a = EIGENVALUES
    return as_model(lambda x: 0.5 * a @ (x * x), lambda x: a * x, a.size, hvp=lambda x, v: a * v, mass=mass)


@pytest.mark.parametrize("size", [0.05, 0.2, 0.45])
@pytest.mark.parametrize("mass", [1.0, np.array([2.0, 0.5, 4.0, 1.0, 8.0])], ids=["unit", "vector"])
def test_without_noise_each_mode_contracts_by_its_own_factor(size, mass):
    """Constant steps and the true unstable space are plain HiSD by Euler's method: x_i(n) = (1 - a |lambda_i| / m_i)^n x_i(0)."""
    method = SHiSD(2, Constant(size), EigenvectorSearch(Constant(0.05)), cap=1e3)
    state = begun(NoisyModel(quadratic(mass), 0.0), method, np.ones(5), frame=np.eye(5)[:2])
    make_steps("saddle", state, 30)
    np.testing.assert_allclose(state.x, (1.0 - size * np.abs(EIGENVALUES) / mass) ** 30, rtol=1e-9, atol=1e-14)


def test_without_noise_decaying_steps_multiply_their_factors():
    state = begun(NoisyModel(quadratic(), 0.0), SHiSD(2, Decaying(0.9, 3.0, 0.8), None, cap=1e3), np.ones(5), frame=np.eye(5)[:2])
    make_steps("saddle", state, 25)
    factors = 1.0 - np.multiply.outer(0.9 / (np.arange(25) + 3.0) ** 0.8, np.abs(EIGENVALUES))
    np.testing.assert_allclose(state.x, factors.prod(axis=0), rtol=1e-9, atol=1e-14)


def test_near_a_saddle_the_error_falls_by_the_slowest_mode():
    """Butterfly, frame followed from a wrong start: contraction 1 - a mu in the end."""
    model, a = Butterfly(), 0.05
    target = np.array([0.0, 1.0])
    eigenvalues = np.linalg.eigvalsh([model.hvp(target, e) for e in np.eye(2)])
    method = SHiSD(1, Constant(a), EigenvectorSearch(Constant(0.1)))
    state = begun(NoisyModel(model, 0.0), method, target + np.array([0.05, -0.05]), frame=np.array([[1.0, 1.0]]))
    make_steps("saddle", state, 100)
    before = np.linalg.norm(state.x - target)
    make_steps("saddle", state, 20)
    factor = (np.linalg.norm(state.x - target) / before) ** (1.0 / 20)
    assert factor == pytest.approx(np.abs(1.0 - a * np.abs(eigenvalues)).max(), rel=1e-3)


# --- samples --------------------------------------------------------------------------------------------------------------


def test_batches_double_up_to_their_limit():
    model = NoisyModel(DoubleWells(WEIGHTS), 1.0)
    state = begun(model, SHiSD(0, Constant(1e-3), samples=DoublingBatch(every=10, limit=6)), saddle(0))
    assert state.ints[stepping.DRAWS] == 1
    for end, draws in ((9, 1), (10, 2), (19, 2), (20, 4), (30, 6), (100, 6)):
        make_steps("saddle", state, end - state.step)
        assert state.ints[stepping.DRAWS] == draws
    assert state.ints[stepping.GRADIENTS] == 9 * 1 + 10 * 2 + 10 * 4 + 71 * 6


def test_steps_average_their_samples():
    """The spread of an iterate with constant steps falls as one over the samples of a step."""
    model = NoisyModel(DoubleWells(WEIGHTS), 0.3)
    spread = []
    for samples in (1, 4, 16):
        state = begun(model, SHiSD(0, Constant(0.02), samples=samples), np.ones(5))
        positions = []
        for _ in range(2000):
            make_steps("saddle", state, 5)
            positions.append(state.x.copy())
        spread.append(np.var(positions, axis=0).mean())
    np.testing.assert_allclose([spread[0] / spread[1], spread[1] / spread[2]], 4.0, rtol=0.15)
