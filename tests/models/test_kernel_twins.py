"""Compiled kernels against plain NumPy twins, written from the formulas.

A twin returns E and dE/dx and takes complex points: its Hessian-vector products are complex steps of its gradient, which are
exact to round-off, and its gradient is compared with complex steps of its energy, so that no twin is trusted unchecked.
"""

from functools import partial

import numpy as np
import pytest

from saddlescape import load_model
from saddlescape.models.iris import measurements, membership

STEP = 1e-30


def mueller_brown(x, modified=False):
    a = np.array([-200.0, -100.0, -170.0, 15.0])
    quadratic = np.array([[[-1, 0], [0, -10]], [[-1, 0], [0, -10]], [[-6.5, 5.5], [5.5, -6.5]], [[0.7, 0.3], [0.3, 0.7]]])
    d = x - np.array([[1, 0], [0, 0.5], [-0.5, 1.5], [-1, 1]])
    terms = a * np.exp(np.einsum("ji,jik,jk->j", d, quadratic, d))
    energy, gradient = terms.sum(), 2.0 * np.einsum("j,jik,jk->i", terms, quadratic, d)
    if modified:
        r = x - np.array([-0.5582, 1.4417])
        phase, envelope = x[0] * x[1], 500.0 * np.exp(-0.1 * (r @ r))
        energy = energy + envelope * np.sin(phase)
        gradient = gradient + envelope * (np.cos(phase) * x[::-1] - 0.2 * np.sin(phase) * r)
    return energy, gradient


def butterfly(z):
    x, y = z
    energy = x**4 - 1.5 * x**2 * y**2 + y**4 - 2 * y**3 + y**2 + x**2 * y - 2 * x**2
    return energy, np.array([4 * x**3 - 3 * x * y**2 + 2 * x * y - 4 * x, -3 * x**2 * y + 4 * y**3 - 6 * y**2 + 2 * y + x**2])


def ackley(x, dim, coefficient):
    r, waves = np.sqrt((x**2).sum() / dim), np.cos(2 * np.pi * x).sum() / dim
    energy = -20 * np.exp(-coefficient * r) - np.exp(waves) + 20 + np.e
    gradient = 20 * coefficient * np.exp(-coefficient * r) * x / (dim * r)
    return energy, gradient + np.exp(waves) * 2 * np.pi * np.sin(2 * np.pi * x) / dim


def multi_basin(x):
    centres, rates, depths = np.array([[-2, -2], [2, 2]]), np.array([0.4, 0.8]), np.array([1, 1 - 2.75e-6])
    d = x - centres
    squares = (d**2).sum(axis=1)
    wells = depths * np.exp(-rates * squares)
    energy = 1 - wells.sum() + 1e-3 * squares.prod()
    return energy, 2 * (rates * wells) @ d + 2e-3 * squares[::-1] @ d


def disc_equation(x, n, waves):
    h = 1 / (n + 0.5)
    r, edges = (np.arange(n) + 0.5) * h, np.arange(n + 1) * h
    padded = np.concatenate([x, [np.sin(waves) ** 2]])
    flux = np.concatenate([[0], edges[1:] * np.diff(padded) / h])
    f = np.sin(waves * r**2) ** 4 - 4 * waves * np.sin(2 * waves * r**2) - 8 * waves**2 * r**2 * np.cos(2 * waves * r**2)
    weighted = 2 * np.pi * h * r * (-np.diff(flux) / (r * h) + x**2 - f)
    energy = (weighted**2 / (2 * np.pi * h * r)).sum() / 2
    scaled = np.concatenate([weighted / r, [0]])  # the transposed differences, and the weight that the circle has not
    gradient = -np.diff(np.concatenate([[0], edges[1:] * np.diff(scaled) / h])) / h + 2 * x * weighted
    return energy, gradient


def zakharov(x, dim):
    weights = np.arange(1, dim + 1) / 2
    s = weights @ x
    return (x**2).sum() + s**2 + s**4, 2 * x + (2 * s + 4 * s**3) * weights


def double_wells(x, weights):
    c = np.array(weights)
    return (c * (x**2 - 1) ** 2).sum(), 4 * c * (x**3 - x)


def arctan_wells(x, M, alpha):
    matrix = np.array(M)
    return x @ matrix @ x / 2 - alpha * np.arctan(x - 5).sum(), matrix @ x - alpha / (1 + (x - 5) ** 2)


def henon_heiles(z):
    x, y = z
    return (x**2 + y**2) / 2 + x**2 * y - y**3 / 3, np.array([x + 2 * x * y, y + x**2 - y**2])


def modified_rosenbrock(x, s):
    s, angle = np.array(s), np.arctan(x - 1)
    residual = x[1:] - x[:-1] ** 2
    energy = (100 * residual**2 + (1 - x[:-1]) ** 2).sum() + (s * angle**2).sum()
    gradient = 2 * s * angle / (1 + (x - 1) ** 2)
    gradient[:-1] += -400 * x[:-1] * residual - 2 * (1 - x[:-1])
    gradient[1:] += 200 * residual
    return energy, gradient


# Means of terms: over the rows given.


def linear_network(x, inputs, outputs, hidden, balance, rows=slice(None)):
    inputs, outputs = np.array(inputs), np.array(outputs)[rows]
    values, vectors = np.linalg.eigh(inputs.T @ inputs / len(inputs))
    z = (inputs @ vectors @ np.diag(values**-0.5) @ vectors.T)[rows]
    w1, w2 = x[: hidden * z.shape[1]].reshape(hidden, -1), x[hidden * z.shape[1] :].reshape(-1, hidden)
    errors, excess = z @ w1.T @ w2.T - outputs, w1 @ w1.T - w2.T @ w2
    energy = 0.5 * (errors**2).sum() / len(z) + 0.25 * balance * (excess**2).sum()
    first = w2.T @ errors.T @ z / len(z) + balance * excess @ w1
    second = errors.T @ (z @ w1.T) / len(z) - balance * w2 @ excess
    return energy, np.concatenate([first.ravel(), second.ravel()])


def tanh_network(x, hidden, decay, features, species, rows=slice(None)):
    z, y = measurements(features)[rows], membership(species)[rows]
    w, b, u, c = np.split(x, np.cumsum([hidden * z.shape[1], hidden, hidden * y.shape[1]]))
    w, u = w.reshape(hidden, -1), u.reshape(-1, hidden)
    answers = np.tanh(z @ w.T + b)
    errors = answers @ u.T + c - y
    slopes = errors @ u * (1 - answers**2)
    parts = [slopes.T @ z, slopes.sum(axis=0), errors.T @ answers, errors.sum(axis=0)]
    energy = 0.5 * (errors**2).sum() / len(z) + 0.5 * decay * (x**2).sum()
    return energy, np.concatenate([part.ravel() for part in parts]) / len(z) + decay * x


def robust_regression(x, cutoff, decay, features, target, rows=slice(None)):
    z = np.column_stack([measurements(features), np.ones(150)])[rows]
    r = z @ x - measurements([target])[rows, 0]
    energy = 0.5 * (r**2 / (1 + r**2 / cutoff**2)).mean() + 0.5 * decay * (x**2).sum()
    return energy, (r / (1 + r**2 / cutoff**2) ** 2) @ z / len(z) + decay * x


def well_chain(x, dim, tilt, coupling):
    stretch = np.diff(x)
    energy = ((x**2 - 1) ** 2).sum() + tilt * x.sum() + coupling * (stretch**2).sum()
    pull = np.concatenate([[0.0], stretch]) - np.concatenate([stretch, [0.0]])
    return energy, 4 * x * (x**2 - 1) + tilt + 2 * coupling * pull


ROWS = np.random.default_rng(8).standard_normal((12, 5))
FINITE_SUMS = {
    "LinearNetwork": (
        linear_network,
        {"inputs": ROWS[:, :3].tolist(), "outputs": ROWS[:, 3:].tolist(), "hidden": 2, "balance": 0.7},
        (-2.0, 2.0),
    ),
    "RobustRegression": (
        robust_regression,
        {"cutoff": 0.4, "decay": 0.05, "features": ("petal width", "sepal width"), "target": "petal length"},
        (-2.0, 2.0),
    ),
    "TanhNetwork": (
        tanh_network,
        {"hidden": 3, "decay": 0.02, "features": ("petal width", "sepal width"), "species": ("virginica", "setosa")},
        (-2.0, 2.0),
    ),
}

TWINS = {
    **FINITE_SUMS,
    "Ackley": (ackley, {"dim": 3, "coefficient": 0.02}, (-4.0, 4.0)),
    "ArctanWells": (arctan_wells, {"M": ((0.8, -0.2, 0.1), (-0.2, 0.5, 0.3), (0.1, 0.3, 0.9)), "alpha": 4.5}, (0.0, 10.0)),
    "Butterfly": (butterfly, {}, (-2.5, 2.5)),
    "DiscEquation": (disc_equation, {"n": 12, "waves": 3.0}, (-1.0, 1.0)),
    "DoubleWells": (double_wells, {"weights": (1.0, 0.3, 2.0, 5.0)}, (-2.0, 2.0)),
    "HenonHeiles": (henon_heiles, {}, (-1.5, 1.5)),
    "ModifiedMuellerBrown": (lambda x: mueller_brown(x, modified=True), {}, (-2.0, 2.0)),
    "ModifiedRosenbrock": (modified_rosenbrock, {"s": (-500.0, 3.0, 0.0, 1.0, -2.0, 40.0)}, (-2.0, 3.0)),
    "MuellerBrown": (mueller_brown, {}, (-2.0, 2.0)),
    "MultiBasin": (multi_basin, {}, (-4.0, 4.0)),
    "WellChain": (well_chain, {"dim": 5, "tilt": 0.3, "coupling": 0.2}, (-1.5, 1.5)),
    "Zakharov": (zakharov, {"dim": 10}, (-2.0, 2.0)),
}


@pytest.fixture(params=TWINS)
def case(request):
    """The model, its twin, and 20 pairs of a point and a direction."""
    function, arguments, interval = TWINS[request.param]
    model = load_model(request.param, arguments)
    rng = np.random.default_rng(7)
    pairs = [(rng.uniform(*interval, model.dim), rng.standard_normal(model.dim)) for _ in range(20)]
    return model, lambda x: function(x, **arguments), pairs


def compiled(function):
    return function


def interpreted(function):
    return function.py_func


modes = pytest.mark.parametrize("mode", [compiled, interpreted])


def close(value, expected):
    np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


def test_twins_are_consistent(case):
    _, twin, pairs = case
    for x, v in pairs:
        slope = twin(x + 1j * STEP * v)[0].imag / STEP
        assert slope == pytest.approx(twin(x)[1] @ v, rel=1e-9, abs=1e-9)


@modes
def test_energy_and_gradient(case, mode):
    model, twin, pairs = case
    energy_gradient, gradient = mode(model.kernels.energy_gradient), mode(model.kernels.gradient)
    for x, _ in pairs:
        expected_energy, expected_gradient = twin(x)
        # A sum near zero has the round-off of its terms: 1e-12 of 1 besides 1e-12 of the sum.
        assert mode(model.kernels.energy)(x, model.params) == pytest.approx(expected_energy, rel=1e-12, abs=1e-12)
        out = np.empty(model.dim)
        assert energy_gradient(x, model.params, out) == pytest.approx(expected_energy, rel=1e-12, abs=1e-12)
        close(out, expected_gradient)
        out.fill(np.nan)
        gradient(x, model.params, out)
        close(out, expected_gradient)


@modes
def test_hvp(case, mode):
    model, twin, pairs = case
    for x, v in pairs:
        out = np.empty(model.dim)
        mode(model.kernels.hvp)(x, v, model.params, out)
        close(out, twin(x + 1j * STEP * v)[1].imag / STEP)


@modes
@pytest.mark.parametrize("name", FINITE_SUMS)
def test_estimates_are_those_of_their_rows(name, mode):
    function, arguments, interval = FINITE_SUMS[name]
    model = load_model(name, {**arguments, "batch": 4})
    rng = np.random.default_rng(9)
    for _ in range(10):
        x, v, out = rng.uniform(*interval, model.dim), rng.standard_normal(model.dim), np.empty(model.dim)
        sample = model.draw(rng)
        twin = partial(function, **arguments, rows=sample.astype(int))
        mode(model.kernels.stochastic_gradient)(x, model.params, sample, out)
        close(out, twin(x)[1])
        mode(model.kernels.stochastic_hvp)(x, v, model.params, sample, out)
        close(out, twin(x + 1j * STEP * v)[1].imag / STEP)
