"""The field models against plain NumPy, closed forms and published numbers."""

import json
import pickle

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse.linalg
import scipy.special

from saddlescape import BBI, ECDSep, GradientFlow, search
from saddlescape.models import ChafeeInfante, DiscEquation, PhaseField, ReducedLandauDeGennes
from saddlescape.models.liquid_crystals import Square
from saddlescape.models.liquid_crystals.reduced import ORDER
from saddlescape.naming import load_model, model_name, model_parameters

MODELS = [
    ReducedLandauDeGennes(5, 20.0),
    ReducedLandauDeGennes(10, 30.0, corner=0.4),
    ReducedLandauDeGennes(13, 7.0),
    PhaseField(4, 0.3),
    PhaseField(9, 0.02),
    ChafeeInfante(2, 5.0),
    ChafeeInfante(17, 30.0),
]
every_model = pytest.mark.parametrize("model", MODELS, ids=str)

# What multiplies mass * identity in the Hessian at x = 0.
BULK_AT_ZERO = {
    ReducedLandauDeGennes: lambda model: -model.lambda2 * ORDER**2,
    PhaseField: lambda model: -1.0,
    ChafeeInfante: lambda model: -model.lam,
}


def random_point(model, seed=0, size=1.0):
    return size * np.random.default_rng(seed).standard_normal(model.dim)


def slope(sizes, errors):
    return np.polyfit(np.log(sizes), np.log(errors), 1)[0]


# --- independent twins: energy and gradient written with nodes, links and weights -----------------------------------------------


def padded(model, x):
    """All nodal values, (components, ...), and the trapezoid weights, of a field model with boundary nodes."""
    if isinstance(model, ChafeeInfante):
        return np.pad(x, 1)[None], np.r_[0.5, np.ones(model.n), 0.5] * model.mass
    n = model.n
    t = np.linspace(-1.0, 1.0, n)
    ramp = np.array([min(1.0, (1.0 - abs(s)) / model.corner) for s in t])
    fields = np.zeros((2, n, n))
    fields[0, [0, -1], :] = ORDER * ramp
    fields[0, 1:-1, [0, -1]] = -ORDER * ramp[1:-1]
    fields[:, 1:-1, 1:-1] = x.reshape(2, n - 2, n - 2)
    line = np.r_[0.5, np.ones(n - 2), 0.5]
    return fields, np.outer(line, line) * model.mass


def twin_energy(model, x):
    if isinstance(model, PhaseField):
        phi = x.reshape(model.n, model.n)
        links = sum(((np.roll(phi, -1, axis) - phi) ** 2).sum() for axis in (0, 1))
        return 0.5 * model.kappa * links + model.mass * (0.25 * (1.0 - phi**2) ** 2).sum()
    fields, weights = padded(model, x)
    if isinstance(model, ChafeeInfante):
        links = (np.diff(fields[0]) ** 2).sum() / model.mass
        return 0.5 * links + 0.25 * model.lam * (weights * (1.0 - fields[0] ** 2) ** 2).sum()
    across = np.r_[0.5, np.ones(model.n - 2), 0.5]  # links along an edge of the square border on one cell only
    links = (np.diff(fields, axis=2) ** 2 * across[:, None]).sum() + (np.diff(fields, axis=1) ** 2 * across).sum()
    return 0.5 * links + 0.25 * model.lambda2 * (weights * ((fields**2).sum(axis=0) - ORDER**2) ** 2).sum()


def twin_gradient(model, x):
    """Mass times the discrete Euler-Lagrange expression."""
    if isinstance(model, PhaseField):
        phi = x.reshape(model.n, model.n)
        laplacian = sum(np.roll(phi, shift, axis) - phi for axis in (0, 1) for shift in (1, -1)) / model.mass
        return model.mass * (-model.kappa * laplacian + phi**3 - phi).ravel()
    fields, _ = padded(model, x)
    if isinstance(model, ChafeeInfante):
        return model.mass * (-np.diff(fields[0], 2) / model.mass**2 - model.lam * (x - x**3))
    laplacian = (np.diff(fields, 2, axis=2)[:, 1:-1, :] + np.diff(fields, 2, axis=1)[:, :, 1:-1]) / model.mass
    inner = fields[:, 1:-1, 1:-1]
    return model.mass * (-laplacian + model.lambda2 * ((inner**2).sum(axis=0) - ORDER**2) * inner).ravel()


@every_model
def test_energy_and_gradient_equal_the_plain_numpy_twin(model):
    x = random_point(model)
    out = np.empty(model.dim)
    expected = twin_energy(model, x)
    assert model.energy(x) == pytest.approx(expected, rel=1e-12)
    assert model.energy_gradient(x, out) == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(out, twin_gradient(model, x), atol=1e-12 * np.abs(out).max())
    np.testing.assert_array_equal(model.gradient(x), out)


@every_model
def test_interpreted_kernels_give_the_compiled_numbers(model):
    x, v = random_point(model), random_point(model, 1)
    out = np.empty(model.dim)
    assert model.kernels.energy.py_func(x, model.params) == pytest.approx(model.energy(x), rel=1e-13)
    assert model.kernels.energy_gradient.py_func(x, model.params, out) == pytest.approx(model.energy(x), rel=1e-13)
    np.testing.assert_allclose(out, model.gradient(x), rtol=1e-12, atol=1e-14)
    model.kernels.hvp.py_func(x, v, model.params, out)
    np.testing.assert_allclose(out, model.hvp(x, v), rtol=1e-12, atol=1e-14)


@every_model
def test_taylor_remainders_have_orders_two_and_three(model):
    x, v = random_point(model), random_point(model, 1)
    energy, linear, quadratic = model.energy(x), model.gradient(x) @ v, 0.5 * v @ model.hvp(x, v)
    steps = np.geomspace(1e-1, 1e-2, 5)
    first = [abs(model.energy(x + t * v) - energy - t * linear) for t in steps]
    steps_small = np.geomspace(3e-2, 3e-3, 5)
    second = [abs(model.energy(x + t * v) - energy - t * linear - t * t * quadratic) for t in steps_small]
    assert slope(steps, first) == pytest.approx(2.0, abs=0.2)
    assert slope(steps_small, second) == pytest.approx(3.0, abs=0.2)


@every_model
def test_hvp_is_the_derivative_of_the_gradient(model):
    # The energy is a quartic: fourth-order central differences of its gradient are exact but for round-off.
    x, v = random_point(model), random_point(model, 1)
    near = model.gradient(x + v) - model.gradient(x - v)
    far = model.gradient(x + 2 * v) - model.gradient(x - 2 * v)
    expected = (8.0 * near - far) / 12.0
    np.testing.assert_allclose(model.hvp(x, v), expected, atol=1e-12 * np.abs(expected).max())


@every_model
def test_hessian_is_the_matrix_of_hvp_with_one_pattern(model):
    x = random_point(model)
    hessian = model.hessian(x)
    dense = np.array([model.hvp(x, v) for v in np.eye(model.dim)])
    np.testing.assert_allclose(hessian.toarray(), dense, atol=1e-13 * np.abs(dense).max())
    np.testing.assert_array_equal(hessian.toarray(), hessian.toarray().T)
    other = model.hessian(np.zeros(model.dim))
    assert hessian.format == "csc"
    columns = np.split(hessian.indices, hessian.indptr[1:-1])
    assert all((np.diff(rows) > 0).all() for rows in columns)
    np.testing.assert_array_equal(hessian.indices, other.indices)
    np.testing.assert_array_equal(hessian.indptr, other.indptr)
    np.testing.assert_array_equal(model.hessian(x).data, hessian.data)  # no call leaves a trace in the next


@every_model
def test_points_are_not_modified(model):
    x, v = random_point(model), random_point(model, 1)
    before = x.copy(), v.copy()
    model.energy(x), model.gradient(x), model.hvp(x, v), model.hessian(x), model.unpack(x), model.preconditioner(x).solve(v)
    np.testing.assert_array_equal(x, before[0])
    np.testing.assert_array_equal(v, before[1])


# --- random quadrature: the local term at each node times a weight ----------------------------------------------------------------

weighted = pytest.mark.parametrize("model", [m for m in MODELS if m.kernels.weighted_gradient is not None], ids=str)


@weighted
def test_weights_of_one_give_the_same_bits(model):
    x, v, ones = random_point(model), random_point(model, 1), np.ones(model.n_nodes)
    np.testing.assert_array_equal(model.weighted_gradient(x, ones), model.gradient(x))
    np.testing.assert_array_equal(model.weighted_hvp(x, v, ones), model.hvp(x, v))


@weighted
@pytest.mark.parametrize("mode", [lambda kernel: kernel, lambda kernel: kernel.py_func], ids=["compiled", "interpreted"])
def test_weighted_derivatives_equal_the_plain_numpy_twin(model, mode):
    x, v = random_point(model), random_point(model, 1)
    weights = np.random.default_rng(2).uniform(0.0, 3.0, model.n_nodes)
    fields = x.reshape(-1, model.n_nodes)  # all components of a node share its weight
    strength, order = (1.0, 1.0) if isinstance(model, PhaseField) else (model.lambda2, ORDER)
    local = model.mass * strength * ((fields**2).sum(axis=0) - order**2) * fields
    expected = twin_gradient(model, x) + ((weights - 1.0) * local).ravel()
    out = np.empty(model.dim)
    mode(model.kernels.weighted_gradient)(x, model.params, weights, out)
    np.testing.assert_allclose(out, expected, atol=1e-12 * np.abs(expected).max())
    # The weighted gradient is a cubic as well: these differences are exact but for round-off.
    near, far = (model.weighted_gradient(x + t * v, weights) - model.weighted_gradient(x - t * v, weights) for t in (1, 2))
    expected = (8.0 * near - far) / 12.0
    mode(model.kernels.weighted_hvp)(x, v, model.params, weights, out)
    np.testing.assert_allclose(out, expected, atol=1e-12 * np.abs(expected).max())


# --- symmetry -------------------------------------------------------------------------------------------------------------------


@every_model
def test_symmetry_leaves_the_energy_and_turns_the_gradient(model):
    group = model.symmetry
    x = random_point(model)
    energy, gradient = model.energy(x), model.gradient(x)
    images = set()
    for element in range(group.order):
        g = group.identity
        g[0] = element
        image = group.apply(g, x)
        images.add(image.tobytes())
        assert model.energy(image) == pytest.approx(energy, rel=1e-13)
        np.testing.assert_allclose(model.gradient(image), group.apply(g, gradient), atol=1e-12 * np.abs(gradient).max())
    assert group.order == len(images) == (4 if isinstance(model, ChafeeInfante) else 16)


def test_phase_field_is_invariant_under_grid_translations():
    model = PhaseField(9, 0.02)
    x = random_point(model)
    shifted = model.symmetry.apply(np.array([0.0, 2.0, 5.0]), x)
    assert model.energy(shifted) == pytest.approx(model.energy(x), rel=1e-13)
    np.testing.assert_array_equal(shifted.reshape(9, 9), np.roll(x.reshape(9, 9), (2, 5), axis=(0, 1)))


# --- preconditioners ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model", [*MODELS, ReducedLandauDeGennes(104, 30.0), PhaseField(33, 0.01), ChafeeInfante(300, 30.0)], ids=str
)
def test_preconditioner_is_the_shifted_laplacian_and_its_inverse(model):
    zero = np.zeros(model.dim)
    shift = 1.7
    operator = model.preconditioner(zero, shift=shift)
    rows = np.random.default_rng(0).standard_normal((3, model.dim))
    stiffness = model.hessian(zero) @ rows.T - model.mass * BULK_AT_ZERO[type(model)](model) * rows.T
    expected = stiffness.T + shift * model.mass * rows
    np.testing.assert_allclose(operator.apply(rows), expected, atol=1e-11 * np.abs(expected).max())
    np.testing.assert_allclose(operator.solve(expected), rows, atol=1e-9)
    np.testing.assert_allclose(operator.apply(rows[1]), expected[1], atol=1e-11 * np.abs(expected).max())
    out = np.empty(model.dim)
    assert operator.solve(expected[2], out) is out
    np.testing.assert_allclose(out, rows[2], atol=1e-9)
    assert (np.einsum("kn,kn->k", rows, operator.solve(rows)) > 0.0).all()


@every_model
def test_preconditioner_that_is_not_positive_is_refused(model):
    with pytest.raises(ValueError, match="larger shift"):
        model.preconditioner(np.zeros(model.dim), shift=-1e4)


# --- discretisation -------------------------------------------------------------------------------------------------------------


def test_chafee_infante_spectrum_at_zero():
    n, lam = 40, 30.0
    model = ChafeeInfante(n, lam)
    spectrum = np.linalg.eigvalsh(model.hessian(model.default_start()).toarray()) / model.mass
    k = np.arange(1, n + 1)
    np.testing.assert_allclose(spectrum, 4.0 / model.mass**2 * np.sin(k * model.mass / 2) ** 2 - lam, atol=1e-10 * spectrum.max())
    assert (spectrum < 0.0).sum() == 5  # 5^2 < 30 < 6^2


@pytest.mark.parametrize("branch", [1, 2, 3])
def test_chafee_infante_exact_solutions_are_stationary_to_second_order(branch):
    # u = sqrt(2 m / (1 + m)) sn(b t | m), b = 2 branch K(m) / pi, lam = b^2 (1 + m).
    lam = 12.0

    def frequency(m):
        return 2.0 * branch * scipy.special.ellipk(m) / np.pi

    m = scipy.optimize.brentq(lambda m: frequency(m) ** 2 * (1.0 + m) - lam, 1e-9, 1.0 - 1e-12, xtol=1e-15)
    sizes, residuals = np.array([40, 80, 160, 320]), []
    for n in sizes:
        model = ChafeeInfante(n, lam)
        t = np.linspace(0.0, np.pi, n + 2)[1:-1]
        u = np.sqrt(2.0 * m / (1.0 + m)) * scipy.special.ellipj(frequency(m) * t, m)[0]
        residuals.append(np.abs(model.gradient(u)).max() / model.mass)
    assert slope(sizes + 1, residuals) == pytest.approx(-2.0, abs=0.1)


def test_chafee_infante_energy_of_a_sine():
    lam = 7.0
    exact = np.pi / 4 + lam / 4 * 3 * np.pi / 8
    sizes = np.array([20, 40, 80])
    errors = [abs(ChafeeInfante(n, lam).energy(np.sin(np.linspace(0, np.pi, n + 2)[1:-1])) - exact) for n in sizes]
    assert slope(sizes + 1, errors) == pytest.approx(-2.0, abs=0.02)


@pytest.mark.parametrize(("n", "kappa"), [(16, 0.02), (24, 0.004), (15, 0.011)])
def test_phase_field_index_of_zero_in_closed_form(n, kappa):
    model = PhaseField(n, kappa)
    sines = np.sin(np.pi * np.arange(n) / n) ** 2
    expected = (4.0 * kappa * n**2 * (sines[:, None] + sines[None, :]) < 1.0).sum()
    spectrum = np.linalg.eigvalsh(model.hessian(model.default_start()).toarray())
    assert (spectrum < 0.0).sum() == expected
    assert model.energy(model.default_start()) == pytest.approx(0.25, rel=1e-14)


def test_phase_field_main_case_has_index_five_at_zero():
    sines = np.sin(np.pi * np.arange(64) / 64) ** 2
    assert (0.02 * 4 * 64**2 * (sines[:, None] + sines[None, :]) < 1).sum() == 5
    model = PhaseField(64, 0.02)
    lowest = scipy.sparse.linalg.eigsh(model.hessian(model.start("zero")), 9, sigma=-2.0 * model.mass)[0] / model.mass
    assert (lowest < 0.0).sum() == 5


def test_phase_field_converges_to_the_continuum():
    kappa, sizes = 0.02, np.array([16, 32, 64])
    energies, residuals = [], []
    for n in sizes:
        model = PhaseField(n, kappa)
        wave = np.tile(np.cos(2 * np.pi * np.arange(n) / n), (n, 1))
        exact = ((4 * np.pi**2 * kappa - 1.0) * wave + wave**3).ravel()
        energies.append(abs(model.energy(wave.ravel()) - (kappa * np.pi**2 + 3 / 32)))
        residuals.append(np.abs(model.gradient(wave.ravel()) / model.mass - exact).max())
    assert slope(sizes, energies) == pytest.approx(-2.0, abs=0.05)
    assert slope(sizes, residuals) == pytest.approx(-2.0, abs=0.05)


def test_landau_de_gennes_gradient_converges_to_the_euler_lagrange_equation():
    lambda2, sizes, errors = 20.0, np.array([17, 33, 65]), []
    for n in sizes:
        model = ReducedLandauDeGennes(n, lambda2)
        t = model.domain.nodes(n)[1:-1]
        y, x = np.meshgrid(t, t, indexing="ij")
        fields = np.stack([np.sin(x) * np.cos(2 * y), np.exp(0.5 * x) * y])
        laplacian = np.stack([-5.0 * fields[0], 0.25 * fields[1]])
        exact = -laplacian + lambda2 * ((fields**2).sum(axis=0) - ORDER**2) * fields
        error = model.gradient(fields.ravel()).reshape(fields.shape) / model.mass - exact
        inside = np.maximum(np.abs(x), np.abs(y)) < 0.8  # away from the boundary, whose data this field does not take
        errors.append(np.abs(error[:, inside]).max())
    assert slope(sizes - 1, errors) == pytest.approx(-2.0, abs=0.1)


# --- the square well: published and checked numbers ------------------------------------------------------------------------------


def lowest(model, x, count):
    hessian = model.hessian(x)
    below = -(model.lambda2 * ORDER**2 + 1.0) * model.mass  # no eigenvalue of the Hessian is lower
    return np.sort(scipy.sparse.linalg.eigsh(hessian, count, sigma=below)[0]) / model.mass


def relaxed(model, name):
    x = model.start(name)
    for _ in range(12):
        x = x - scipy.sparse.linalg.spsolve(model.hessian(x), model.gradient(x))
    assert np.abs(model.gradient(x)).max() < 1e-12
    return x


@pytest.mark.parametrize(("n", "lambda2"), [(6, 5.0), (33, 1.0), (33, 30.0), (40, 100.0)])
def test_wors_is_stationary_and_has_every_symmetry(n, lambda2):
    model = ReducedLandauDeGennes(n, lambda2)
    x = model.default_start()
    assert np.abs(model.gradient(x)).max() < 1e-14
    p, q = x.reshape(2, n - 2, n - 2)
    assert not q.any()
    assert not np.diagonal(p).any() and not np.diagonal(p[::-1]).any()
    assert p[-1, (n - 2) // 2] > 0.0 > p[(n - 2) // 2, -1]
    images = model.symmetry.signs * x[model.symmetry.permutations]
    np.testing.assert_array_equal(images, np.broadcast_to(x, images.shape))
    x[:] = 0.0
    assert model.start("wors").any()  # every caller has a copy of its own


def test_wors_spectrum():
    model = ReducedLandauDeGennes(41, 7.0)
    expected = [-0.433648, 0.440641, 7.27160, 7.27160, 8.76612, 8.76612]
    np.testing.assert_allclose(lowest(model, model.start("wors"), 6)[:2], expected[:2], atol=1e-6)
    np.testing.assert_allclose(lowest(model, model.start("wors"), 6)[2:], expected[2:], atol=5e-6)


@pytest.mark.parametrize("n", [33, pytest.param(41, marks=pytest.mark.slow), pytest.param(81, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("lambda2", "index"), [(5, 0), (6.3, 0), (7, 1), (8, 2), (18, 2), (20, 4), (30, 4), (70, 8), (100, 10)])
def test_wors_index(n, lambda2, index):
    model = ReducedLandauDeGennes(n, float(lambda2))
    assert (lowest(model, model.start("wors"), 14) < 0.0).sum() == index


@pytest.mark.parametrize(("mode", "critical"), [(0, 6.418), (1, 7.752), (2, 18.66)])
def test_wors_bifurcations(mode, critical):
    def eigenvalue(lambda2):
        model = ReducedLandauDeGennes(41, lambda2)
        return lowest(model, model.start("wors"), 4)[mode]

    found = scipy.optimize.brentq(eigenvalue, critical - 0.3, critical + 0.3, xtol=1e-4)
    assert found == pytest.approx(critical, abs=6e-3)


def test_energies_above_the_diagonal_state():
    model = ReducedLandauDeGennes(49, 30.0)
    diagonal, rotated = relaxed(model, "d"), relaxed(model, "r")
    ground = model.energy(diagonal)
    assert model.energy(rotated) - ground == pytest.approx(2.0063, abs=1e-4)
    assert model.energy(model.start("wors")) - ground == pytest.approx(4.3438, abs=1e-4)
    assert lowest(model, diagonal, 1)[0] == pytest.approx(2.682, abs=1e-3)
    assert lowest(model, rotated, 1)[0] == pytest.approx(0.391, abs=1e-3)
    np.testing.assert_allclose(lowest(model, model.start("wors"), 4), [-15.680, -10.040, -5.931, -5.931], atol=1e-3)


def test_energies_on_the_coarser_grid_agree():
    model = ReducedLandauDeGennes(33, 30.0)
    ground = model.energy(relaxed(model, "d"))
    assert model.energy(relaxed(model, "r")) - ground == pytest.approx(2.0063, rel=3e-3)
    assert model.energy(model.start("wors")) - ground == pytest.approx(4.3438, rel=3e-3)


# --- zero modes -----------------------------------------------------------------------------------------------------------------


def stripe(n, kappa):
    """The stationary state of period 1 along x, by Newton's method among even profiles with a shift symmetry."""
    line = 2.0 * np.eye(n) - np.roll(np.eye(n), 1, axis=0) - np.roll(np.eye(n), -1, axis=0)
    profile = 0.8 * np.cos(2 * np.pi * np.arange(n) / n)
    for _ in range(20):
        residual = kappa * n**2 * line @ profile + profile**3 - profile
        jacobian = kappa * n**2 * line + np.diag(3.0 * profile**2 - 1.0)
        profile = profile - np.linalg.pinv(jacobian, rcond=1e-6) @ residual
    return np.tile(profile, (n, 1)).ravel()


@pytest.mark.parametrize("n", [32, 33, 64])
def test_zero_mode_of_a_stripe_is_the_kernel_of_its_hessian(n):
    model = PhaseField(n, 0.02)
    x = stripe(n, 0.02)
    assert np.abs(model.gradient(x)).max() / model.mass < 1e-12
    (mode,) = model.zero_modes(x)
    assert mode @ mode * model.mass == pytest.approx(1.0, rel=1e-12)
    assert np.linalg.norm(model.hessian(x) @ mode) / np.sqrt(model.mass) < 1e-10
    if n == 64:
        assert model.energy(x) == pytest.approx(0.24252057, abs=1e-8)


def test_zero_modes_count_the_directions_that_move_a_field():
    n = 24
    model = PhaseField(n, 0.02)
    t = 2 * np.pi * np.arange(n) / n
    rng = np.random.default_rng(0)
    assert model.zero_modes(model.start("zero")).shape == (0, n * n)
    assert model.zero_modes(1.0 + 1e-12 * rng.standard_normal(n * n)).shape == (0, n * n)
    diagonal = np.cos(t[:, None] + t[None, :]).ravel()
    assert model.zero_modes(diagonal).shape == (1, n * n)
    waves = 0.1 * np.cos(t)[:, None] + 0.3 * np.cos(t)[None, :]
    modes = model.zero_modes(waves.ravel())
    np.testing.assert_allclose(modes @ modes.T * model.mass, np.eye(2), atol=1e-12)
    # They span the derivatives of the two waves.
    for derivative in (np.sin(t)[:, None] + 0.0 * t, np.sin(t)[None, :] + 0.0 * t[:, None]):
        d = derivative.ravel()
        np.testing.assert_allclose(modes.T @ (modes @ d) * model.mass, d, atol=1e-12)


# --- fields for people ------------------------------------------------------------------------------------------------------------


def test_unpacked_director_holds_the_boundary_and_the_energy():
    model = ReducedLandauDeGennes(21, 30.0)
    x = random_point(model, size=0.3)
    fields = model.unpack(x)
    assert fields["kind"] == "director"
    area = np.trapezoid(np.trapezoid(fields["energy_density"], fields["x"], axis=1), fields["y"])
    assert area == pytest.approx(model.energy(x), rel=1e-12)
    director, order = fields["director"], fields["order"]
    np.testing.assert_allclose((director**2).sum(axis=-1), 1.0, rtol=1e-14)
    p, q = x.reshape(2, 19, 19)
    inner = director[1:-1, 1:-1]
    np.testing.assert_allclose(order[1:-1, 1:-1] * (inner[..., 0] ** 2 - inner[..., 1] ** 2), p, atol=1e-14)
    np.testing.assert_allclose(order[1:-1, 1:-1] * 2 * inner[..., 0] * inner[..., 1], q, atol=1e-14)
    assert abs(director[0, 10] @ [1.0, 0.0]) == pytest.approx(1.0)  # along the horizontal edges
    assert abs(director[10, 0] @ [0.0, 1.0]) == pytest.approx(1.0)  # along the vertical ones
    assert order[0, 10] == pytest.approx(ORDER)
    assert fields["S"][0, 10] == pytest.approx(0.64 / 0.35)  # B / C
    assert order[0, 0] == order[-1, 0] == 0.0


def test_unpacked_scalar_and_line():
    model = PhaseField(8, 0.02)
    x = random_point(model)
    fields = model.unpack(x)
    assert fields["kind"] == "scalar" and fields["x"].shape == fields["y"].shape == (8,)
    np.testing.assert_array_equal(fields["field"], x.reshape(8, 8))
    line = ChafeeInfante(5, 3.0).unpack(np.arange(5.0))
    assert line["kind"] == "line" and line["x"][-1] == pytest.approx(np.pi)
    np.testing.assert_array_equal(line["field"], [0, 0, 1, 2, 3, 4, 0])


@every_model
def test_field_shapes_split_the_unknowns(model):
    assert sum(int(np.prod(shape)) for shape in model.field_shapes.values()) == model.dim


# --- parameters ---------------------------------------------------


@every_model
def test_a_model_travels_by_pickle_and_by_its_parameters(model):
    model.symmetry, model.hessian(np.zeros(model.dim)), model.default_start()
    data = pickle.dumps(model)
    assert len(data) < 1000  # nothing derived goes along
    assert pickle.loads(data) == model
    assert load_model(model_name(model), json.loads(json.dumps(model_parameters(model)))) == model


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ReducedLandauDeGennes(4, 7.0), "n: got 4, expected an integer of at least 5"),
        (lambda: ReducedLandauDeGennes(33.0, 7.0), "n: got 33.0"),
        (lambda: ReducedLandauDeGennes(33, -1.0), "lambda2: got -1.0"),
        (lambda: ReducedLandauDeGennes(33, 7.0, corner=0.0), "corner: got 0.0"),
        (lambda: ReducedLandauDeGennes(33, 7.0, domain="torus"), "domain: got 'torus'"),
        (lambda: ReducedLandauDeGennes(33, 7.0, domain=3), "domain: got 3"),
        (lambda: PhaseField(3, 0.02), "n: got 3"),
        (lambda: PhaseField(8, float("nan")), "kappa: got nan"),
        (lambda: ChafeeInfante(1, 2.0), "n: got 1"),
        (lambda: ChafeeInfante(8, 0.0), "lam: got 0.0"),
    ],
)
def test_bad_parameters_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@every_model
def test_an_unknown_start_is_refused(model):
    with pytest.raises(ValueError, match="no start named 'wros'"):
        model.start("wros")
    for name in model.start_names:
        assert model.start(name).shape == (model.dim,)


def test_the_domain_may_be_named():
    assert ReducedLandauDeGennes(9, 5.0, domain="square") == ReducedLandauDeGennes(9, 5.0, domain=Square())


# --- the equation on the disc ---------------------------------------------------------------------------------------------


def test_solutions_on_the_disc_are_of_second_order():
    """The discrete solution near sin^2(20 r^2) is off by 0.043, 0.0106, 0.0026 at n = 100, 200, 400."""
    errors = []
    for n in (100, 200, 400):
        model = DiscEquation(n)
        result = search(model, model.exact(), GradientFlow())
        assert result.success and result.energy < 1e-10
        errors.append(np.abs(result.x - model.exact()).max())
    np.testing.assert_allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2.0, atol=0.1)


@pytest.mark.parametrize("method", [BBI(-1e-3, step=0.2), ECDSep(-1e-3, step=30.0, decoherence=None)], ids=["bbi", "sep"])
def test_energy_conserving_descent_solves_the_equation_on_the_disc(method):
    """In the metric of the squared Laplacian, from the constant that the circle has: E falls from 2.6e6 to 1e-5 and 8e-5."""
    model = DiscEquation(200)
    result = search(model, model.default_start(), method, max_steps=2000)
    assert result.descent.best_energy < 1e-2 < 1e6 < model.energy(model.default_start())
    assert np.abs(result.descent.best_x - model.exact()).max() < 0.02
