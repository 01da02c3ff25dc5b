"""The stepping functions of energy-conserving descent: compiled, interpreted and as the equations say."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from saddlescape import BBI, ECDSep, EnergyModel, Isokinetic
from saddlescape.dynamics import advance_ecd as stepping
from saddlescape.dynamics import ecd_laws as laws
from saddlescape.dynamics import ecd_rows
from saddlescape.dynamics.ecd_rows import IMAGES, LOWER, UPPER, G, P, X
from saddlescape.dynamics.ecd_state import make_steps
from saddlescape.dynamics.search import connect
from saddlescape.models import DoubleWells, MuellerBrown, MultiBasin

WEIGHTS = (1.0, 1.3, 1.7, 2.2, 2.6)
START = np.array([0.3, -0.9, 1.2, -0.2, 0.7])
FLOOR, CEILING = -1.0, 9.0
SPD = np.diag([2.0, 0.7, 1.5, 3.0, 1.1]) + 0.2 * np.cos(np.subtract.outer(np.arange(5), np.arange(5)))
DIRECTION = (0.3, -1.0, 0.4, 0.8, 0.1)

METHODS = {
    "leapfrog": ECDSep(FLOOR, step=0.02, ceiling=CEILING, eta=1.5, decoherence=0.1, direction=DIRECTION),
    "euler": ECDSep(FLOOR, step=0.02, ceiling=CEILING, eta=1.0, decoherence=0.1, form="euler", direction=DIRECTION),
    "isokinetic": Isokinetic(FLOOR, step=0.02, eta=2.0, decoherence=0.1, direction=DIRECTION),
    "bbi": BBI(FLOOR, step=0.02, ceiling=CEILING, bounce_every=7, n_bounces=3, stall_bounce=11, direction=DIRECTION),
}
WITHOUT_NOISE = {
    "leapfrog": ECDSep(FLOOR, step=0.01, ceiling=CEILING, eta=1.5, decoherence=None, direction=DIRECTION),
    "isokinetic": Isokinetic(FLOOR, step=0.01, eta=2.0, decoherence=None, direction=DIRECTION),
    "euler": ECDSep(FLOOR, step=0.01, ceiling=CEILING, eta=1.5, decoherence=None, form="euler", direction=DIRECTION),
    "bbi": BBI(FLOOR, step=0.01, ceiling=CEILING, direction=DIRECTION),
}


@dataclass(frozen=True)
class HeavyWells(DoubleWells):
    """Double wells in an inner product of its own."""

    @property
    def mass(self):
        return np.linspace(0.5, 2.3, self.dim)


@dataclass(frozen=True)
class LightWells(DoubleWells):
    """Double wells whose inner product is another one, the same in all unknowns."""

    mass: ClassVar[float] = 0.4


class Plain(EnergyModel):
    """The energy of another model, without kernels, and with a dense metric if there is one."""

    def __init__(self, model, metric=None):
        self.model, self.dim, self.mass, self.energy = model, model.dim, model.mass, model.energy
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


def begun(model, method, x0=START, seed=0):
    """Derivatives, and a trajectory at its start."""
    derivatives = connect(model, x0, method)
    return derivatives, method.begin(derivatives, x0, index=0, frame=None, length=None, rng=np.random.default_rng(seed))


# --- compiled and interpreted ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "copies"), [(HeavyWells, 1), (LightWells, 1), (LightWells, 25)], ids=["heavy", "light", "many"])
@pytest.mark.parametrize("box", [None, (-1.3, 1.3)], ids=["open", "box"])
@pytest.mark.parametrize("name", METHODS)
def test_compiled_and_interpreted_steps_are_the_same(name, box, kind, copies):
    """Also of 125 unknowns, more than one vector register and one random number hold, with noise of another kind."""
    levels = {level: copies * getattr(METHODS[name], level) for level in ("floor", "ceiling") if hasattr(METHODS[name], level)}
    method = type(METHODS[name])(**{**vars(METHODS[name]), "box": box, "direction": copies * DIRECTION, **levels})
    model = kind(copies * WEIGHTS)
    pairs = [begun(m, method, np.tile(START, copies)) for m in (model, Plain(model))]
    assert pairs[0][0].compiled and not pairs[1][0].compiled
    for derivatives, state in pairs:
        assert make_steps(derivatives, state, 60) == 60
    (compiled_derivatives, compiled), (interpreted_derivatives, interpreted) = pairs
    kept = slice(0, UPPER + 1)  # behind them only the interpreter keeps images
    np.testing.assert_allclose(compiled.rows[kept], interpreted.rows[kept], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(compiled.carried, interpreted.carried, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(compiled.momentum, interpreted.momentum, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(np.delete(compiled.floats, laws.WEIGHT), np.delete(interpreted.floats, laws.WEIGHT), rtol=1e-7)
    np.testing.assert_array_equal(compiled.ints, interpreted.ints)
    assert compiled.rng.bit_generator.state == interpreted.rng.bit_generator.state
    assert compiled_derivatives.n_gradient == interpreted_derivatives.n_gradient


# --- the equations --------------------------------------------------------------------------------------------------------


def velocity(method, d, total, p, inverse):
    if isinstance(method, BBI):
        return d / total * (inverse @ p)
    return inverse @ p if isinstance(method, Isokinetic) else 2.0 * (inverse @ p) / (1.0 + p @ inverse @ p)


def force(method, d, total, p, g, inverse):
    if isinstance(method, BBI):
        return -0.5 * (d / total + total / d) * g
    if isinstance(method, ECDSep):
        return -method.eta / d * g
    n = g.size
    return -0.5 * method.eta * n / (n - 1) / d * (g - p * (p @ inverse @ g))


def flow(model, method, x, p, time, inverse):
    """The exact motion, by a fine integration of equations (1) to (3)."""
    n, total = x.size, CEILING - FLOOR

    def rate(t, y):
        d, g = model.energy(y[:n]) - FLOOR, model.gradient(y[:n].copy())
        return np.concatenate([velocity(method, d, total, y[n:], inverse), force(method, d, total, y[n:], g, inverse)])

    y = solve_ivp(rate, (0.0, time), np.concatenate([x, p]), rtol=1e-11, atol=1e-12).y[:, -1]
    return y[:n], y[n:]


@pytest.mark.parametrize("metric", ["mass", "preconditioner"])
@pytest.mark.parametrize(("name", "order"), [("leapfrog", 2), ("isokinetic", 2), ("euler", 1), ("bbi", 1)])
def test_trajectories_converge_to_the_flow_of_the_equations(name, order, metric):
    base = HeavyWells(WEIGHTS)
    model, m = (base, np.diag(base.mass)) if metric == "mass" else (Plain(base, SPD), SPD)
    method, errors = WITHOUT_NOISE[name], []
    for refinement in (1, 2, 4):
        derivatives, state = begun(model, type(method)(**{**vars(method), "step": method.step / refinement}))
        if refinement == 1:
            goal, _ = flow(base, method, state.x.copy(), state.momentum.copy(), 50 * method.step, np.linalg.inv(m))
        make_steps(derivatives, state, 50 * refinement)
        errors.append(np.abs(state.x - goal).max())
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    np.testing.assert_allclose(orders, order, atol=0.25)


@pytest.mark.parametrize("metric", ["mass", "preconditioner"])
def test_bbi_steps_are_the_published_ones(metric):
    """Rescaling, kick with the old x, drift with the old excess energy."""
    base = HeavyWells(WEIGHTS)
    model, m = (base, np.diag(base.mass)) if metric == "mass" else (Plain(base, SPD), SPD)
    inverse, method, total = np.linalg.inv(m), WITHOUT_NOISE["bbi"], CEILING - FLOOR
    derivatives, state = begun(model, method)
    x, p = state.x.copy(), state.momentum.copy()
    for _ in range(30):
        d, g = base.energy(x) - FLOOR, base.gradient(x)
        p *= np.sqrt(d * ((total / d) ** 2 - 1.0) / (p @ inverse @ p))
        p -= 0.5 * method.step * (d / total + total / d) * g
        x = x + method.step * d / total * inverse @ p
        make_steps(derivatives, state, 1)
        np.testing.assert_allclose(state.x, x, rtol=0, atol=1e-11)
        np.testing.assert_allclose(state.momentum, p, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("form", ["leapfrog", "euler"])
def test_separable_steps_are_those_of_the_equations_with_their_noise(form):
    base = HeavyWells(WEIGHTS)
    method = METHODS[form]
    derivatives, state = begun(base, method)
    rng, total, m = np.random.default_rng(0), CEILING - FLOOR, base.mass
    x, p = state.x.copy(), state.momentum.copy()
    for step in range(30):
        if step > 0:  # noise after each step
            length = np.sqrt(p @ (p / m))
            u = p / length + 0.1 * np.sqrt(m) * rng.standard_normal(5)
            p = length * u / np.sqrt(u @ (u / m))
        p *= np.sqrt(((total / (base.energy(x) - FLOOR)) ** method.eta - 1.0) / (p @ (p / m)))
        first = 0.5 if form == "leapfrog" else 1.0
        p = p - first * method.step * method.eta / (base.energy(x) - FLOOR) * base.gradient(x)
        x = x + method.step * 2.0 * (p / m) / (1.0 + p @ (p / m))
        if form == "leapfrog":
            p = p - 0.5 * method.step * method.eta / (base.energy(x) - FLOOR) * base.gradient(x)
        make_steps(derivatives, state, 1)
        np.testing.assert_allclose(state.x, x, rtol=0, atol=1e-10)
        np.testing.assert_allclose(state.momentum, p, rtol=0, atol=1e-9)


def test_isokinetic_kicks_are_the_exact_flow_at_a_fixed_force():
    """u <- [u + e (sinh a + (u.e)(cosh a - 1))] / [cosh a + (u.e) sinh a], e = -g/|g|."""
    model = DoubleWells(WEIGHTS)
    _, state = begun(model, WITHOUT_NOISE["isokinetic"])
    g, u, n = state.g.copy(), state.momentum.copy(), 5

    def kicked(u, excess, time):
        state.floats[laws.ENERGY] = FLOOR + excess
        strength, half = laws.force(state.floats, state.ints, n, g @ g)
        keep, push, cancelled = laws.kick(state.floats, state.ints, u @ g, g @ g, strength, half, time)
        return keep * u + push * g, cancelled

    step = WITHOUT_NOISE["isokinetic"].step
    for time in (0.5 * step, step, 1.0, 30.0):
        a = time * np.linalg.norm(g) * 2.0 * n / (2.0 * 3.0 * (n - 1))
        e = -g / np.linalg.norm(g)
        expected = (u + e * (np.sinh(a) + (u @ e) * (np.cosh(a) - 1.0))) / (np.cosh(a) + (u @ e) * np.sinh(a))
        found, cancelled = kicked(u, 3.0, time)
        np.testing.assert_allclose(found, expected, atol=1e-12)
        assert not cancelled
    np.testing.assert_allclose(kicked(u, 1e-9, 1e9)[0], -g / np.linalg.norm(g), atol=1e-12)
    uphill = g / np.linalg.norm(g)  # straight uphill, where the formula is 0 / 0
    assert np.linalg.norm(kicked(uphill, 1e-9, 1e9)[0]) == pytest.approx(1.0)
    assert kicked(uphill, 3.0, 7.0 / (np.linalg.norm(g) * 2.0 * n / (2.0 * 3.0 * (n - 1))))[1]


@pytest.mark.parametrize("step", [0.05, 0.5, 5.0])
@pytest.mark.parametrize("model", [DoubleWells(WEIGHTS), Plain(DoubleWells(WEIGHTS))], ids=["compiled", "interpreted"])
def test_a_step_straight_uphill_has_its_length(model, step):
    """There the kick leaves nothing of the momentum but what rounding leaves: its length must be measured, not computed."""
    uphill = model.gradient(START)
    method = Isokinetic(model.energy(START) - 1e-2, step=step, eta=2.0, decoherence=None, direction=uphill)
    derivatives, state = begun(model, method)
    rate = np.linalg.norm(uphill) * 2.0 * 5 / (2.0 * 1e-2 * 4)
    assert rate * 0.5 * step > 10.0
    assert make_steps(derivatives, state, 1) == 1 and state.n_rejected == 0
    assert np.linalg.norm(state.x - START) == pytest.approx(step, rel=1e-9)


@pytest.mark.parametrize("name", ["leapfrog", "isokinetic"])
def test_leapfrogs_run_backwards(name):
    model = DoubleWells(WEIGHTS)
    derivatives, state = begun(model, WITHOUT_NOISE[name])
    state.ints[laws.RESCALE] = 0
    make_steps(derivatives, state, 200)
    state.rows[P] = state.rows[P + IMAGES] = -state.momentum
    state.floats[laws.DUE] = 0.0
    make_steps(derivatives, state, 200)
    np.testing.assert_allclose(state.x, START, atol=1e-9)


# --- what is conserved ----------------------------------------------------------------------------------------------------


def test_the_energy_error_of_a_leapfrog_is_of_second_order():
    """Acceptance test 5: multi-basin, floor -0.1, 20000 steps; 1.8e-6 and 1.8e-4."""
    errors = []
    for step in (0.01, 0.1):
        derivatives, state = begun(MultiBasin(), ECDSep(-0.1, step=step, decoherence=None), MultiBasin().default_start())
        state.ints[laws.RESCALE] = 0
        make_steps(derivatives, state, 20_000)
        errors.append(state.floats[laws.MAX_CORRECTION])
    assert errors[1] / errors[0] == pytest.approx(100.0, rel=0.02)
    assert errors[0] == pytest.approx(1.83e-6, rel=0.02)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("metric", [None, SPD], ids=["mass", "preconditioner"])
def test_every_step_starts_at_the_conserved_energy(name, metric):
    model = Plain(DoubleWells(WEIGHTS), metric)
    derivatives, state = begun(model, METHODS[name])
    for _ in range(50):
        make_steps(derivatives, state, 1)
        assert state.floor < state.energy <= state.ceiling
        floats, ints = state.floats, state.ints
        found = ecd_rows.products(state.metric, 1.0, state.rows, 0)
        strength, half = laws.force(floats, ints, 5, found[2])
        keep, push, squared, along, late = stepping.conserve(
            state.metric, state.rows, floats, ints, 0, *found, strength, half, state.rng
        )
        p, v = keep * state.rows[[P, P + IMAGES]] + push * state.rows[[G, G + IMAGES]]
        assert abs(laws.misfit(floats, ints, p @ v, laws.wanted(floats, ints))) < 1e-12
        assert (squared, along) == (pytest.approx(p @ v, abs=1e-11), pytest.approx(v @ state.g, abs=1e-11))
        assert late == 0.0 or (name == "isokinetic" and late == 0.5 * METHODS[name].step)
        np.testing.assert_allclose(v, derivatives.solve(p), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("left", [1e-3, 1e-7, 1e-12])
def test_a_kick_that_leaves_hardly_a_momentum_conserves_the_energy(left):
    """Near the ceiling a particle turns round; what is left of the momentum is then a difference of nearly equal numbers."""
    _, state = begun(Plain(DoubleWells(WEIGHTS)), WITHOUT_NOISE["leapfrog"])
    rows, floats, ints = state.rows, state.floats, state.ints
    found = ecd_rows.products(state.metric, 1.0, rows, 0)
    floats[laws.DUE] = 0.005
    strength, half = laws.force(floats, ints, 5, found[2])
    rows[P] = rows[P + IMAGES] = 0.005 * strength * state.g + left * np.array(DIRECTION)
    found = ecd_rows.products(state.metric, 1.0, rows, 0)
    keep, push, squared, along, _ = stepping.conserve(state.metric, rows, floats, ints, 0, *found, strength, half, state.rng)
    p = keep * rows[P] + push * state.g
    assert p @ p == pytest.approx(squared, rel=1e-9) == laws.wanted(floats, ints)
    assert p @ state.g == pytest.approx(along, rel=1e-9)
    cosine = p @ DIRECTION / np.linalg.norm(p) / np.linalg.norm(DIRECTION)
    assert cosine == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("method", [ECDSep(-150.0, step=0.01, ceiling=-36.0), Isokinetic(-150.0, step=0.01)])
def test_the_step_bounds_the_displacement(method):
    derivatives, state = begun(MuellerBrown(), method, np.array([-0.5, 1.4]))
    for _ in range(500):
        before = state.x.copy()
        make_steps(derivatives, state, 1)
        assert np.linalg.norm(state.x - before) <= 0.01 * (1.0 + 1e-12)


# --- directions and walls -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 10])
def test_gaussian_bounces_are_isotropic_and_those_of_the_cube_are_not(n):
    """Fourth moments of an isotropic direction are 3 / (n (n + 2)); the published cube has 0.95, 0.90, 0.73 of that."""
    ratio = {}
    for bounce in ("gaussian", "uniform"):
        method = BBI(-1.0, step=0.1, ceiling=20.0, bounce_every=1, bounce=bounce)
        _, state = begun(Plain(DoubleWells((1.0,) * n)), method, np.full(n, 0.5))
        derivatives, vectors = connect(Plain(DoubleWells((1.0,) * n)), np.ones(n), method), []
        for _ in range(20_000):
            state.ints[laws.SINCE_BOUNCE] = 1
            assert stepping.bounced(derivatives, state.rows, state.floats, state.ints, 0, 1.0, state.rng)
            vectors.append(state.momentum / np.linalg.norm(state.momentum))
        ratio[bounce] = np.mean(np.array(vectors) ** 4) * n * (n + 2) / 3.0
    assert ratio["gaussian"] == pytest.approx(1.0, abs=0.02)
    assert ratio["uniform"] == pytest.approx({2: 0.95, 3: 0.90, 10: 0.73}[n], abs=0.02)


def test_noise_turns_by_its_size_and_keeps_the_length():
    model = Plain(DoubleWells((1.0,) * 50))
    method = ECDSep(-1.0, step=1e-9, ceiling=60.0, decoherence=0.02, direction=(1.0,) * 50)
    angles = []
    for seed in range(200):
        derivatives, state = begun(model, method, np.full(50, 0.5), seed)
        before = state.momentum / np.linalg.norm(state.momentum)
        make_steps(derivatives, state, 2)  # it is turned before the second
        angles.append(np.arccos(before @ state.momentum / np.linalg.norm(state.momentum)))
    assert np.mean(angles) == pytest.approx(0.02 * np.sqrt(49), rel=0.05)


@pytest.mark.parametrize("n", [100, 101])
def test_directions_are_forgotten_as_fast_with_rarer_noise(n):
    """The mean cosine after 10 steps is (1 + nu^2 n)^-5, turned in each of them or (more than 100 unknowns) once by as much."""
    model = Plain(DoubleWells((1.0,) * n))
    method = ECDSep(-1.0, step=1e-9, ceiling=2.0 * n, decoherence=0.05, direction=(1.0,) * n)
    cosines = []
    for seed in range(300):
        derivatives, state = begun(model, method, np.full(n, 0.5), seed)
        assert state.ints[laws.NOISE_EVERY] == (1 if n == 100 else 10)
        before = state.momentum / np.linalg.norm(state.momentum)
        make_steps(derivatives, state, 11)  # the last of them begins with the tenth turn
        cosines.append(before @ state.momentum / np.linalg.norm(state.momentum))
    assert np.mean(cosines) == pytest.approx((1.0 + 0.05**2 * n) ** -5.0, abs=0.02)


@pytest.mark.parametrize("draw", [ecd_rows.signs, ecd_rows.gaussian])
def test_noise_has_the_covariance_of_the_mass(draw):
    """70 unknowns take three random numbers for their signs, the last one in part."""
    model, n, count = Plain(HeavyWells(14 * WEIGHTS)), 70, 4000
    derivatives, state = begun(model, Isokinetic(-100.0, step=0.1), np.tile(START, 14))
    drawn = np.empty((count, n))
    for row in drawn:
        draw(derivatives, 1.0, state.rows, state.rng)
        row[:] = state.rows[ecd_rows.NOISE_P] / np.sqrt(model.mass)
    assert np.abs(drawn.mean(axis=0)).max() < 5.0 / np.sqrt(count)
    assert np.abs(drawn.T @ drawn / count - np.eye(n)).max() < 8.0 / np.sqrt(count)
    if draw is ecd_rows.signs:
        assert set(np.unique(drawn.round(12))) == {-1.0, 1.0}


def test_walls_fold_positions_and_turn_momenta():
    _, state = begun(Plain(DoubleWells(WEIGHTS)), METHODS["leapfrog"])
    rows = state.rows
    rows[LOWER], rows[UPPER] = -1.0, 1.0
    for reflect in (ecd_rows.reflect, ecd_rows._reflect):
        rows[X] = [0.5, 1.25, -1.25, 3.25, -5.5]
        rows[P] = rows[P + IMAGES] = [1.0, 1.0, -1.0, 1.0, -1.0]
        reflect(rows, 0)
        np.testing.assert_allclose(rows[X], [0.5, 0.75, -0.75, -0.75, -0.5])
        np.testing.assert_allclose(rows[P], [1.0, -1.0, 1.0, 1.0, 1.0])
