"""Linearly implicit saddle dynamics: rates, what is taken back, and interfaces that explicit steps take for ever over."""

import numpy as np
import pytest
import scipy.sparse as sparse

from saddlescape import HiSD, Status, as_model, search
from saddlescape.dynamics import advance
from saddlescape.models import ChafeeInfante
from saddlescape.numerics.derivatives import Derivatives

DENSE, SPARSE = np.asarray, sparse.csc_array


def quadratic(eigenvalues, convert=DENSE):
    """E = 1/2 sum lambda_i x_i^2 with its Hessian."""
    a = np.array(eigenvalues, dtype=float)
    return as_model(
        lambda x: 0.5 * a @ (x * x),
        lambda x: a * x,
        a.size,
        hvp=lambda x, v: a * v,
        hessian=lambda x: convert(np.diag(a)),
        mass=2.0,
    )


def implicit(model, x0, index, shift, cap=10.0):
    """Saddle dynamics at x0 whose steps are implicit from the first on."""
    derivatives, method = Derivatives(model), HiSD(index)
    x0 = np.array(x0, dtype=float)
    state = method.begin(derivatives, x0, index=index, frame=np.eye(index, x0.size), length=1.0, rng=np.random.default_rng(0))
    state.shift, state.floats[advance.CAP] = shift, cap
    return lambda n_steps, tolerance=0.0: method.advance(derivatives, state, n_steps, tolerance), state


@pytest.mark.parametrize(
    ("n", "convert", "error"), [(6, DENSE, 1e-12), (6, SPARSE, 1e-12), (150, DENSE, 1e-12), (150, SPARSE, 1e-3)]
)
def test_every_direction_contracts_by_its_eigenvalue(n, convert, error):
    """x_i is divided by 1 + dt |lambda_i|, uphill in the frame and downhill outside, and dt doubles."""
    a = np.concatenate(([-3.0, -1e-3], np.geomspace(1e-3, 50.0, n - 2)))
    steps, state = implicit(quadratic(a, convert), np.ones(n), 2, 8.0)
    expected = np.ones(n)
    for shift in (8.0, 4.0, 2.0):
        assert state.shift == shift and steps(1) == 1
        before, expected = expected, expected / (1.0 + np.abs(a / 2.0) / shift)
        np.testing.assert_allclose(state.x, expected, rtol=error)
        assert state.next_move == pytest.approx(np.abs(expected - before).max(), rel=error)
    np.testing.assert_allclose(2.0 * state.frame @ state.frame.T, np.eye(2), atol=1e-12)


def test_no_step_runs_uphill_outside_the_frame():
    """With two negative eigenvalues and one frame vector the step has to be short: 1 / dt above the other."""
    steps, state = implicit(quadratic([-6.0, -2.0, 10.0]), [0.1, 0.1, 0.1], 1, 0.3)
    before = 0.1
    for _ in range(40):
        steps(1)
        assert state.x[1] >= before and state.shift >= 0.5
        before = state.x[1]
    assert before > 1.0 and abs(state.x[0]) < 0.01


def test_a_step_at_whose_end_the_direction_is_reversed_is_taken_back():
    """Across the kink of E = |x0| + x1^2 / 2 - x2^2 / 2, which the Hessian says nothing of."""
    model = as_model(
        lambda x: abs(x[0]) + 0.5 * x[1] ** 2 - 0.5 * x[2] ** 2,
        lambda x: np.array([np.sign(x[0]), x[1], -x[2]]),
        3,
        hessian=lambda x: np.diag([0.0, 1.0, -1.0]),
    )
    steps, state = implicit(model, [0.5, 0.0, 0.0], 1, 1.2)
    assert steps(1) == 1
    assert state.x[0] == 0.5 and state.shift == 4.8  # 1 / 1.2 would lead across
    assert steps(1) == 1
    assert state.x[0] == pytest.approx(0.5 - 1.0 / 4.8) and state.shift == 2.4


def test_a_saddle_is_reached_and_the_cap_is_kept():
    steps, state = implicit(quadratic([-1e-4, 1e-5, 1e6]), [3.0, 2.0, 1.0], 1, 1e-8, cap=0.5)
    path = [state.x.copy()]
    for _ in range(200):
        steps(1, 1e-12)
        path.append(state.x.copy())
        if state.outcome == advance.REACHED:
            break
    assert state.outcome == advance.REACHED
    assert np.abs(np.diff(path, axis=0)).max() <= 0.5


@pytest.mark.parametrize("n", [63, 127])
def test_an_interface_finds_its_place(n):
    """One interface off the middle: the saddle in the middle has eigenvalues of -0.0005 and 72."""
    model = ChafeeInfante(n, 48.0)
    t, slope = model.mass * np.arange(1, n + 1), np.sqrt(24.0)
    start = np.tanh(slope * t) * np.tanh(slope * (1.2 - t)) * np.tanh(slope * (np.pi - t))
    result = search(model, start, HiSD(1))
    assert result.status is Status.CONVERGED, result.message
    assert -1e-3 < result.point.eigenvalues[0] < 0.0 and result.point.eigenvalues[1] > 60.0
    np.testing.assert_allclose(result.x, -result.x[::-1], atol=1e-6)
