"""The stepping functions: compiled equals interpreted, and both equal the formulas."""

import itertools
from types import SimpleNamespace

import numpy as np
import pytest
import scipy.linalg

from saddlescape.dynamics import advance, frames, primitives
from saddlescape.dynamics.flow import GradientFlow
from saddlescape.dynamics.hisd import HiSD, SaddleState
from saddlescape.dynamics.state import first_state
from saddlescape.kernels import KernelPointer
from saddlescape.models import Butterfly, ChafeeInfante, DoubleWells, MuellerBrown
from saddlescape.numerics.derivatives import Derivatives
from saddlescape.numerics.jacobi import EIGH, compiled_eigh, jacobi_eigh
from saddlescape.parts import LOBPCG, BarzilaiBorwein, FixedStep, HeavyBall, Nesterov, PowerStep

WELLS = DoubleWells(tuple(1.0 + 0.2 * i for i in range(13)))  # too large for an exact frame


class Interpreted(Derivatives):
    """Derivatives of a model with kernels that are used from the interpreter all the same."""

    compiled = False


def begin(model, method, index, x0, derivatives=Derivatives, preconditioner=None):
    d = derivatives(model, preconditioner)
    return d, method.begin(d, x0, index=index, frame=None, length=None, rng=np.random.default_rng(1))


# --- one source, two ways to run it ---------------------------------------------------------------------------------------

PARTS = [(BarzilaiBorwein(), None), *itertools.product([FixedStep()], [None, HeavyBall(0.5), Nesterov(5)])]
STARTS = [
    (MuellerBrown(), np.array([-0.7, 0.7]), (0, 1, 2)),
    (Butterfly(), np.array([0.3, 0.7]), (1,)),
    (WELLS, np.random.default_rng(7).uniform(-0.8, 0.8, 13), (0, 1, 3)),
    (ChafeeInfante(20, 10.0), np.random.default_rng(8).uniform(-0.5, 0.5, 20), (2,)),
]
CASES = [
    pytest.param(model, x0, HiSD(eigen=eigen, step=step, momentum=momentum, preconditioned=False), k,
                 id="-".join(type(part).__name__ for part in (model, eigen, step, momentum)) + f"-{k}")
    for model, x0, indices in STARTS for k in indices for eigen in (PowerStep(), LOBPCG()) for step, momentum in PARTS
]  # fmt: skip


@pytest.mark.parametrize(("model", "x0", "method", "k"), CASES)
def test_compiled_equals_interpreted(model, x0, method, k):
    (d_a, a), (d_b, b) = begin(model, method, k, x0), begin(model, method, k, x0, Interpreted)
    for _ in range(12):
        assert method.advance(d_a, a, 1, 1e-13) == method.advance(d_b, b, 1, 1e-13) == 1
        # Rounding differs (sums by BLAS, eigenvectors by LAPACK) and grows with every step.
        np.testing.assert_allclose(a.x, b.x, rtol=1e-9, atol=1e-9)
        assert a.energy == pytest.approx(b.energy, rel=1e-9, abs=1e-9)
        np.testing.assert_array_equal(a.ints, b.ints)
        if a.outcome != advance.RUNNING:
            break
    assert (d_a.n_gradient, d_a.n_hvp) == (d_b.n_gradient, d_b.n_hvp)


@pytest.mark.parametrize("n_steps", [1, 7])
def test_a_chunk_is_as_good_as_single_steps(n_steps):
    x0, method = STARTS[2][1], HiSD(eigen=LOBPCG())
    d, whole = begin(WELLS, method, 3, x0)
    _, parts = begin(WELLS, method, 3, x0)
    assert method.advance(d, whole, 2 * n_steps, 0.0) == 2 * n_steps
    for _ in range(2):
        method.advance(d, parts, n_steps, 0.0)
    np.testing.assert_array_equal(whole.rows, parts.rows)
    np.testing.assert_array_equal(whole.floats, parts.floats)


@pytest.mark.parametrize("model", [MuellerBrown(), WELLS], ids=lambda m: type(m).__name__)
def test_the_flow_compiled_equals_interpreted(model):
    x0 = STARTS[0][1] if model.dim == 2 else STARTS[2][1]
    (d_a, a), (d_b, b) = begin(model, GradientFlow(), 0, x0), begin(model, GradientFlow(), 0, x0, Interpreted)
    for _ in range(60):
        GradientFlow().advance(d_a, a, 1, 1e-9)
        GradientFlow().advance(d_b, b, 1, 1e-9)
        np.testing.assert_allclose(a.rows[: advance.TRIAL], b.rows[: advance.TRIAL], rtol=1e-11, atol=1e-11)
        np.testing.assert_array_equal(a.ints, b.ints)


# --- the primitives -------------------------------------------------------------------------------------------------------

PRIMITIVES = {
    "dot": (1, 4),
    "largest": (3,),
    "dual_norm": (2, np.linspace(1.0, 2.0, 6)),
    "scale": (-1.5, 1, 4),
    "add": (0.3, 1, 4),
    "gram": (0, 4, 3),
    "combine": (np.arange(6.0).reshape(2, 3), 0, 4),
    "scale_rows": (np.array([2.0, -1.0]), 1, 5),
    "add_rows": (np.array([2.0, -1.0]), 1, 5),
}


@pytest.mark.parametrize("name", PRIMITIVES)
def test_loops_and_numpy_do_the_same(name):
    a = np.random.default_rng(3).standard_normal((8, 6))
    b = a.copy()
    numpy, loops = getattr(primitives, name)(a, *PRIMITIVES[name]), getattr(primitives, "_" + name)(b, *PRIMITIVES[name])
    np.testing.assert_allclose(a, b, rtol=1e-14, atol=1e-14)
    if numpy is not None:
        np.testing.assert_allclose(numpy, loops, rtol=1e-13)


def test_loops_and_numpy_do_the_same_on_small_matrices_and_solves():
    rng, mass = np.random.default_rng(4), np.linspace(1.0, 2.0, 6)
    m, c, factors = rng.standard_normal((4, 4)), rng.standard_normal((3, 4)), np.array([2.0, 0.5, -1.0])
    np.testing.assert_allclose(primitives._product(c, m), primitives.product(c, m), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(primitives._as_rows(m, 1, factors), primitives.as_rows(m, 1, factors), rtol=1e-15)
    a, b = m.copy(), m.copy()
    primitives.symmetrize(a)
    primitives._symmetrize(b)
    np.testing.assert_allclose(a, b, rtol=1e-15)
    rows = rng.standard_normal((8, 6))
    other = rows.copy()
    primitives.solve(SimpleNamespace(solve=lambda r: r / mass), rows, 1, 3, 4)
    primitives._solve(mass, other, 1, 3, 4)
    np.testing.assert_allclose(rows, other, rtol=1e-15)


@pytest.mark.parametrize("place", [0, 2, 5])
def test_the_largest_entry_is_nan_where_one_is(place):
    rows = np.ones((1, 6))
    rows[0, place] = np.nan
    assert np.isnan(primitives.largest(rows, 0)) and np.isnan(primitives._largest(rows, 0))


# --- Jacobi's method ------------------------------------------------------------------------------------------------------


def matrices():
    rng = np.random.default_rng(11)
    for m in (1, 2, 3, 6, 12):
        a = rng.standard_normal((m, m))
        yield a + a.T
        yield (a + a.T) * 10.0 ** rng.uniform(-8.0, 8.0)
    yield np.diag([3.0, -1.0, 2.0, -1.0])  # equal eigenvalues, no rotation at all
    q = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    yield q @ np.diag([-2.0, 1.0, 1.0, 1.0, 7.0]) @ q.T
    yield np.zeros((3, 3))


@pytest.mark.parametrize("matrix", list(matrices()), ids=lambda a: f"{len(a)}x{len(a)}")
def test_jacobi_against_lapack(matrix):
    matrix = 0.5 * (matrix + matrix.T)
    before = matrix.copy()
    values, vectors = jacobi_eigh(matrix)
    np.testing.assert_array_equal(matrix, before)
    scale = max(np.abs(matrix).max(), 1e-300)
    np.testing.assert_allclose(values, np.linalg.eigh(matrix)[0], rtol=0.0, atol=1e-14 * len(matrix) * scale)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(len(matrix)), atol=1e-14 * len(matrix))
    np.testing.assert_allclose(matrix @ vectors, vectors * values, atol=2e-14 * len(matrix) * scale)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_not_finite_has_eigenvalues_that_are_not(wrong):
    bad = np.array([[1.0, wrong], [wrong, 2.0]])
    for values, vectors in (jacobi_eigh(bad), advance.finite_eigh(bad)):
        assert np.isnan(values).all() and vectors.shape == (2, 2)
    np.testing.assert_array_equal(advance.finite_eigh(np.diag([2.0, 1.0]))[0], [1.0, 2.0])
    assert isinstance(compiled_eigh(), KernelPointer) and compiled_eigh()._numba_type_.sig == EIGH


def test_coefficients_of_an_orthonormal_basis_leave_dependent_rows_out():
    rng = np.random.default_rng(5)
    rows = rng.standard_normal((3, 7))
    rows = np.concatenate((rows, rows[:1] - 2.0 * rows[2:], rows[1:2]))
    c = frames.inverse_root(np.linalg.eigh, rows @ rows.T)
    assert c.shape == (3, 5)
    np.testing.assert_allclose((c @ rows) @ (c @ rows).T, np.eye(3), atol=1e-10)


def test_a_metric_that_is_not_positive_ends_in_nan():
    assert np.isnan(frames.inverse_root(np.linalg.eigh, -np.eye(2))).all()
    assert np.isnan(frames.inverse_root(np.linalg.eigh, np.zeros((1, 1)))).all()


# --- a step against the formulas ------------------------------------------------------------------------------------------


class Quartic:
    """E = x.A x / 2 + sum x^4 / 4 with a metric M that is not diagonal: derivatives and preconditioner."""

    def __init__(self, n=8):
        rng = np.random.default_rng(21)
        q = np.linalg.qr(rng.standard_normal((n, n)))[0]
        self.A = q @ np.diag(np.linspace(-3.0, 6.0, n)) @ q.T
        b = rng.standard_normal((n, n))
        self.M = np.eye(n) + 0.2 * b @ b.T
        self.dim, self.mass, self.kernels = n, 1.0, None

    def energy_gradient(self, x, out):
        out[:] = self.A @ x + x**3
        return 0.5 * x @ self.A @ x + 0.25 * np.sum(x**4)

    def gradient(self, x, out):
        self.energy_gradient(x, out)

    def hessian(self, x):
        return self.A + np.diag(3.0 * x * x)

    def hvp(self, x, v, out):
        out[:] = self.hessian(x) @ v

    def solve(self, r):
        return np.linalg.solve(self.M, r.T).T

    def apply(self, v):
        return v @ self.M

    def g(self, x):
        return self.A @ x + x**3

    def frame(self, x, k):
        """The exact frame: k lowest eigenvectors of H v = lambda M v, M-orthonormal, as columns."""
        return scipy.linalg.eigh(self.hessian(x), self.M)[1][:, :k]

    def direction(self, x, V):
        """-M^-1 g + 2 V V^T g (ALGORITHMS: p-HiSD)."""
        return -np.linalg.solve(self.M, self.g(x)) + 2.0 * V @ (V.T @ self.g(x))


def state_of(quartic, x, V, rule=advance.EXACT, step_rule=advance.FIXED, step=0.05):
    """A saddle search at x with the frame V (columns) and everything else as its method would set it."""
    d = Derivatives(quartic, quartic)
    k, n = V.shape[1], quartic.dim
    m = {advance.EXACT: n, advance.POWER: k, advance.SWEEP: 3 * k}[rule]
    base = first_state(d, x, radius=100.0, n_rows=advance.blocks(k, m)[-1])
    state = SaddleState(**vars(base), patience=100)
    state.rows[advance.LAST] = x
    state.ints[[advance.FRAME_ROWS, advance.BASIS_ROWS, advance.FRAME_RULE, advance.WIDTH]] = k, m, rule, 2 * k
    state.ints[advance.STEP_RULE] = step_rule
    state.floats[[advance.STEP, advance.CAP, advance.FRAME_STEP]] = step, np.inf, 0.1
    state.floats[[advance.SHORT, advance.SHORTER]] = np.inf
    state.frame[:], state.metric_frame[:] = V.T, V.T @ quartic.M
    if rule == advance.EXACT:
        state.basis[:] = np.linalg.inv(np.linalg.cholesky(quartic.M))
        state.metric_basis[:] = state.basis @ quartic.M
    else:
        state.basis[:k], state.metric_basis[:k] = state.frame, state.metric_frame
    state.d[:] = quartic.direction(x, V)
    state.md[:] = quartic.M @ state.d
    return d, state


def steps(d, state, n_steps=1):
    """The interpreted stepping function, as `HiSD.advance` calls it."""
    q = d.model
    return advance.saddle_steps(
        lambda x, params, out: d.energy_gradient(x, out), lambda x, v, params, out: q.hvp(x, v, out), advance.finite_eigh, None,
        q, np.ones(q.dim), n_steps, state.rows, state.floats, state.ints,
    )  # fmt: skip


@pytest.fixture
def quartic():
    return Quartic()


X0 = np.random.default_rng(31).uniform(-1.0, 1.0, 8)


@pytest.mark.parametrize("k", [0, 1, 3])
def test_steps_are_those_of_preconditioned_saddle_dynamics(quartic, k):
    d, state = state_of(quartic, X0, quartic.frame(X0, k))
    x = X0.copy()
    for _ in range(4):
        x = x + 0.05 * quartic.direction(x, quartic.frame(x, k))
        assert steps(d, state) == 1
        np.testing.assert_allclose(state.x, x, rtol=1e-12, atol=1e-12)
        V = quartic.frame(x, k)
        np.testing.assert_allclose(state.d, quartic.direction(x, V), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(state.md, quartic.M @ state.d, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(state.frame.T @ state.frame, V @ V.T, atol=1e-10)
        np.testing.assert_allclose(state.g, quartic.g(x), rtol=1e-12)
        assert state.gradient_norm == pytest.approx(np.linalg.norm(quartic.g(x)), rel=1e-12)


def test_momentum_of_the_heavy_ball(quartic):
    d, state = state_of(quartic, X0, quartic.frame(X0, 2))
    state.ints[advance.MOMENTUM_RULE], state.floats[advance.MOMENTUM] = advance.HEAVY_BALL, 0.7
    before, x = X0.copy(), X0.copy()
    for _ in range(5):
        before, x = x, x + 0.05 * quartic.direction(x, quartic.frame(x, 2)) + 0.7 * (x - before)
        steps(d, state)
        np.testing.assert_allclose(state.x, x, rtol=1e-11, atol=1e-11)


def test_momentum_of_nesterov(quartic):
    restart = 4
    d, state = state_of(quartic, X0, quartic.frame(X0, 2))
    state.ints[[advance.MOMENTUM_RULE, advance.RESTART]] = advance.NESTEROV, restart
    w, before, n = X0.copy(), X0.copy(), 0  # w: where derivatives are taken
    restarted = []
    for count in range(12):
        direction = quartic.direction(w, quartic.frame(w, 2))
        x = w + 0.05 * direction
        if direction @ quartic.M @ (x - before) < 0.0 or n >= restart:
            n = 0
            restarted.append(count)
        w, before, n = x + n / (n + 3.0) * (x - before), x, n + 1
        steps(d, state)
        np.testing.assert_allclose(state.x, w, rtol=1e-10, atol=1e-10)
    assert restarted[0] == restart and len(restarted) >= 2


def test_barzilai_borwein_steps_by_their_formulas(quartic):
    k = 3
    d, state = state_of(quartic, X0, quartic.frame(X0, k), step_rule=advance.BARZILAI_BORWEIN, step=0.2)
    x, short, used = X0.copy(), [], set()
    for _ in range(10):
        size, old = state.floats[advance.STEP], quartic.direction(x, quartic.frame(x, k))
        steps(d, state)
        s = size * old
        x = x + s
        y = quartic.direction(x, quartic.frame(x, k)) - old
        bb1, bb2 = s @ quartic.M @ s / abs(s @ quartic.M @ y), abs(s @ quartic.M @ y) / (y @ quartic.M @ y)
        short.append(bb2)
        used.add(2.0 * bb2 < bb1)
        assert state.floats[advance.STEP] == pytest.approx(min(short[-3:]) if 2.0 * bb2 < bb1 else bb1, rel=1e-8)
    assert used == {True, False}


def test_no_unknown_moves_by_more_than_the_cap(quartic):
    d, state = state_of(quartic, X0, quartic.frame(X0, 1), step=10.0)
    state.floats[advance.CAP] = 0.01
    steps(d, state)
    moved = state.x - X0
    assert np.abs(moved).max() == pytest.approx(0.01, rel=1e-12)
    direction = quartic.direction(X0, quartic.frame(X0, 1))
    np.testing.assert_allclose(moved / np.abs(moved).max(), direction / np.abs(direction).max(), rtol=1e-10)


def test_a_power_step_is_descent_on_the_rayleigh_quotients(quartic):
    k, tau = 3, 0.1
    start = np.linalg.qr(np.random.default_rng(41).standard_normal((8, k)))[0]
    V = start @ np.linalg.inv(np.linalg.cholesky(start.T @ quartic.M @ start)).T
    d, state = state_of(quartic, X0, V, rule=advance.POWER, step=1e-300)  # x stays
    H, span = quartic.hessian(X0), V
    for _ in range(5):
        steps(d, state)
        np.testing.assert_allclose(
            state.frame.T @ state.frame, span @ np.linalg.solve(span.T @ quartic.M @ span, span.T), atol=1e-10
        )
        np.testing.assert_allclose(state.frame @ quartic.M @ state.frame.T, np.eye(k), atol=1e-12)
        np.testing.assert_allclose(state.metric_frame, state.frame @ quartic.M, atol=1e-12)
        X = state.frame.T
        span = X - tau * (np.linalg.solve(quartic.M, H @ X) - X @ (X.T @ H @ X))


@pytest.mark.parametrize("tau", [1e9, 1e12])
def test_a_power_step_too_long_to_tell_its_directions_apart_is_not_made(quartic, tau):
    """Where tau times one residual dwarfs the other vector, a block of two would have one direction; the frame keeps its two."""
    M, eigenvectors = quartic.M, quartic.frame(X0, 8)
    start = np.array([eigenvectors[:, 0] + 0.3 * eigenvectors[:, 5], eigenvectors[:, 1]]).T
    V = start @ np.linalg.inv(np.linalg.cholesky(start.T @ M @ start)).T
    d, state = state_of(quartic, X0, V, rule=advance.POWER, step=1e-300)  # x stays
    state.floats[advance.FRAME_STEP] = tau
    for _ in range(3):
        steps(d, state)
        np.testing.assert_allclose(state.basis @ M @ state.basis.T, np.eye(2), atol=1e-10)
        np.testing.assert_allclose(state.metric_basis, state.basis @ M, atol=1e-9)
        np.testing.assert_allclose(state.frame.T @ state.frame, V @ V.T, atol=1e-9)


def test_a_sweep_is_rayleigh_ritz_over_frame_residuals_and_changes(quartic):
    k = 2
    V = quartic.frame(X0 + 0.7, k)
    d, state = state_of(quartic, X0, V, rule=advance.SWEEP, step=1e-300)  # x stays
    H, M = quartic.hessian(X0), quartic.M
    X, P = V, np.empty((8, 0))
    for _ in range(3):
        steps(d, state)
        W = np.linalg.solve(M, H @ X) - X @ (X.T @ H @ X)
        S = np.concatenate((X, W, P), axis=1)
        S = scipy.linalg.orth(S, rcond=1e-9)
        values, c = scipy.linalg.eigh(S.T @ H @ S, S.T @ M @ S)
        new = S @ c[:, :k]
        P = new - X @ (X.T @ M @ new)
        X = new
        np.testing.assert_allclose(np.linalg.eigvalsh(state.frame @ H @ state.frame.T), values[:k], rtol=1e-8)
        np.testing.assert_allclose(state.frame.T @ state.frame, X @ X.T, atol=1e-6)


# --- how a chunk ends -----------------------------------------------------------------------------------------------------


def test_a_chunk_ends_where_the_gradient_meets_the_tolerance(quartic):
    d, state = state_of(quartic, X0, quartic.frame(X0, 1), step_rule=advance.BARZILAI_BORWEIN)
    state.floats[advance.TOLERANCE] = 1e-3
    done = steps(d, state, 500)
    assert state.outcome == advance.REACHED and done < 500
    assert np.linalg.norm(quartic.g(state.x)) <= 1e-3 and d.n_gradient == 1 + done
    np.testing.assert_allclose(state.d, quartic.direction(state.x, quartic.frame(state.x, 1)), atol=1e-9)


def test_a_chunk_ends_when_x_is_too_far_or_not_finite(quartic):
    d, state = state_of(quartic, X0, quartic.frame(X0, 8), step=0.2)  # a maximum that is not there
    state.floats[advance.RADIUS] = 2.0
    steps(d, state, 100)
    assert state.outcome == advance.TOO_FAR and np.abs(state.x - X0).max() > 2.0
    d, state = state_of(quartic, X0, quartic.frame(X0, 1))
    quartic.energy_gradient = lambda x, out: np.nan
    assert steps(d, state, 100) == 1 and state.outcome == advance.NON_FINITE
    assert state.max_energy == pytest.approx(Quartic().energy_gradient(X0, np.empty(8)))


# --- gradient flow --------------------------------------------------------------------------------------------------------


def flow(d, state, n_steps=1, metric=None):
    mass = np.broadcast_to(d.mass, d.dim)
    return advance.flow_steps(
        lambda x, params, out: d.energy_gradient(x, out), None, metric if metric is not None else d, mass, n_steps,
        state.rows, state.floats, state.ints,
    )  # fmt: skip


@pytest.mark.parametrize("model", [MuellerBrown(), Butterfly(), WELLS], ids=lambda m: type(m).__name__)
def test_energy_falls_in_every_accepted_step(model):
    x0 = STARTS[2][1] if model.dim == 13 else np.array([-0.7, 0.7])
    d, state = begin(model, GradientFlow(), 0, x0)
    state.floats[advance.STEP] *= 100.0  # far too long: has to be halved
    rejected = 0
    for _ in range(300):
        x, energy = state.x.copy(), state.energy
        GradientFlow().advance(d, state, 1, 1e-6)
        assert state.energy == pytest.approx(model.energy(state.x), rel=1e-13, abs=1e-13)
        if np.array_equal(state.x, x):
            rejected += 1
        else:
            assert state.energy - energy < 1e-12 * abs(energy)  # at round-off the gradient decides
        if state.outcome == advance.REACHED:
            break
    assert state.outcome == advance.REACHED and rejected > 0


@pytest.mark.parametrize("step", [1e-3, 1.0, 1e3])
def test_steps_on_a_quadratic_are_at_most_one_over_the_curvature(step):
    curvatures = np.array([1.0, 7.0, 50.0])

    def energy_gradient(x, params, out):
        out[:] = curvatures * x
        return 0.5 * np.dot(curvatures, x * x)

    rows, floats, ints = np.zeros((advance.N_FLOW, 3)), np.zeros(advance.N_FLOATS), np.zeros(advance.N_INTS, dtype=np.int64)
    rows[advance.X] = rows[primitives.START] = 1.0, -2.0, 0.5
    floats[[advance.CAP, advance.RADIUS, advance.STEP]] = np.inf, 100.0, step
    floats[advance.ENERGY] = energy_gradient(rows[advance.X], None, rows[advance.G])
    euclidean, accepted = SimpleNamespace(solve=lambda r: r), 0
    for _ in range(60):
        x, g = rows[advance.X].copy(), rows[advance.G].copy()
        advance.flow_steps(energy_gradient, None, euclidean, np.ones(3), 1, rows, floats, ints)
        moved = rows[advance.X] - x
        if moved.any():
            accepted += 1
            size = -np.dot(moved, g) / np.dot(g, g)
            np.testing.assert_allclose(moved, -size * g, rtol=1e-9, atol=1e-15)
            assert size <= np.dot(g, g) / np.dot(g, curvatures * g) * (1.0 + 1e-9)
    assert accepted > 20 and floats[advance.ENERGY] < 0.2  # of 20.75


def test_the_flow_follows_the_metric(quartic):
    d = Derivatives(quartic, quartic)
    state = first_state(d, X0, radius=100.0, n_rows=advance.N_FLOW)
    state.floats[[advance.STEP, advance.CAP]] = 1e-3, np.inf
    assert flow(d, state) == 1
    np.testing.assert_allclose(state.x, X0 - 1e-3 * np.linalg.solve(quartic.M, quartic.g(X0)), rtol=1e-13)
    assert state.floats[advance.STEP] == pytest.approx(1.2e-3)


def test_the_flow_ends_too_far_away_and_where_nothing_is_finite():
    d = Derivatives(Butterfly())
    state = first_state(d, np.array([0.3, 0.7]), radius=1e-3, n_rows=advance.N_FLOW)
    state.floats[[advance.STEP, advance.CAP]] = 1.0, 0.01
    flow(d, state, 50)
    assert state.outcome == advance.TOO_FAR
    state = first_state(d, np.array([0.3, 0.7]), radius=1.0, n_rows=advance.N_FLOW)
    state.floats[[advance.STEP, advance.CAP]] = 1.0, 0.01
    d.energy_gradient = lambda x, out: np.nan
    flow(d, state, 200)
    assert state.outcome == advance.NON_FINITE
    np.testing.assert_array_equal(state.x, [0.3, 0.7])
