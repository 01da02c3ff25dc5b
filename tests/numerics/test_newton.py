"""Newton's method: order of convergence, trust radius, any index, three ways to solve."""

import numpy as np
import pytest
import scipy.sparse as sparse

from saddlescape import as_model
from saddlescape.models import ChafeeInfante, DoubleWells, MuellerBrown, PhaseField
from saddlescape.numerics import tiny
from saddlescape.numerics.derivatives import Derivatives
from saddlescape.numerics.minres import minres
from saddlescape.numerics.newton import clean_zero_modes, polish

MUELLER_BROWN = [
    ((-0.55822363, 1.44172584), -146.69951721, 0),
    ((0.6234994, 0.02803776), -108.16672412, 0),
    ((-0.05001082, 0.4666941), -80.76781813, 0),
    ((-0.82200156, 0.6243128), -40.66484351, 1),
    ((0.21248658, 0.29298833), -72.24894011, 1),
]


def plain(model):
    """The same energy without kernels, Hessian or preconditioner."""
    return as_model(model.energy, model.gradient, model.dim, hvp=model.hvp, mass=model.mass)


def mexican_hat():
    return as_model(
        lambda x: (x @ x - 1.0) ** 2,
        lambda x: 4.0 * (x @ x - 1.0) * x,
        2,
        hvp=lambda x, v: 4.0 * (x @ x - 1.0) * v + 8.0 * (x @ v) * x,
    )


@pytest.mark.parametrize("make", [MuellerBrown, lambda: plain(MuellerBrown())], ids=["compiled", "interpreted"])
@pytest.mark.parametrize(("x", "energy", "index"), MUELLER_BROWN)
def test_mueller_brown_points(make, x, energy, index):
    polished = polish(Derivatives(make()), np.array(x) + 1e-3, radius=0.1)
    assert polished.converged and polished.reason.startswith("gradient at round-off")
    np.testing.assert_allclose(polished.x, x, atol=1e-8)
    assert polished.energy == pytest.approx(energy, abs=1e-8)
    assert polished.gradient_norm < 1e-11 and polished.count.negative == index
    assert polished.displacement == pytest.approx(1e-3, rel=1e-3)


def test_compiled_and_interpreted_take_the_same_steps():
    start = np.array([-0.80, 0.63])
    compiled, interpreted = (polish(Derivatives(m), start, radius=0.1) for m in (MuellerBrown(), plain(MuellerBrown())))
    assert compiled.n_steps == interpreted.n_steps
    np.testing.assert_allclose(compiled.x, interpreted.x, atol=1e-14)
    np.testing.assert_allclose(compiled.count.factor.values, interpreted.count.factor.values, rtol=1e-12)
    # One source: the compiled function, run by the interpreter, gives the same numbers.
    model, numbers, x = MuellerBrown(), np.zeros(tiny.N_NUMBERS), np.empty(2)
    numbers[:3] = 0.1, 0.0, 1e-8
    energy_gradient, hvp = model.kernels.energy_gradient, model.kernels.hvp
    outcome = tiny.newton(
        energy_gradient, hvp, np.linalg.eigh, model.params, start, np.ones(2), 40, x, np.empty(2), np.empty((2, 2)), numbers
    )
    assert outcome[:2] == (tiny.REACHED, compiled.n_steps)
    np.testing.assert_allclose(x, compiled.x, atol=1e-14)


@pytest.mark.parametrize("make", [MuellerBrown, lambda: plain(MuellerBrown())], ids=["compiled", "interpreted"])
def test_convergence_is_quadratic(make):
    exact = polish(Derivatives(make()), np.array(MUELLER_BROWN[3][0]), radius=0.1).x
    errors = [np.hypot(0.02, 0.03)]
    for n_steps in (1, 2, 3):
        polished = polish(Derivatives(make()), exact + np.array([0.02, -0.03]), radius=0.1, max_steps=n_steps)
        errors.append(np.linalg.norm(polished.x - exact))
        assert not polished.converged and f"{n_steps} steps used up" in polished.reason
    assert (np.array(errors[1:]) < 10.0 * np.array(errors[:-1]) ** 2).all() and errors[-1] < 1e-8


def test_order_of_convergence_in_one_dimension():
    # Newton's error for (x^2 - 1)^2 at x = 1 is 3/2 e^2 to leading order.
    for error in (1e-2, 1e-3, 1e-4):
        for model in (DoubleWells((1.0,)), plain(DoubleWells((1.0,)))):
            x = polish(Derivatives(model), np.array([1.0 + error]), radius=0.1, max_steps=1).x
            assert x[0] - 1.0 == pytest.approx(1.5 * error**2, rel=3.0 * error)


@pytest.mark.parametrize("index", range(4))
def test_any_index_of_a_double_well(index):
    model = DoubleWells((1.0, 2.0, 3.0))
    exact = np.where(np.arange(3) < index, 0.0, 1.0)
    polished = polish(Derivatives(model), exact + 0.02, radius=0.1)
    assert polished.converged and polished.count.negative == index
    np.testing.assert_allclose(polished.x, exact, atol=1e-14)


def test_start_is_not_modified_and_calls_are_counted():
    derivatives, start = Derivatives(MuellerBrown()), np.array([-0.56, 1.44])
    polished = polish(derivatives, start, radius=0.1)
    np.testing.assert_array_equal(start, [-0.56, 1.44])
    assert derivatives.n_gradient == polished.n_steps + 1
    assert derivatives.n_hvp == 2 * polished.n_steps


@pytest.mark.parametrize("make", [MuellerBrown, lambda: plain(MuellerBrown())], ids=["compiled", "interpreted"])
def test_trust_radius_is_respected(make):
    exact = np.array(MUELLER_BROWN[0][0])
    polished = polish(Derivatives(make()), exact + 0.05, radius=0.01)
    assert not polished.converged and "left the trust radius 1.00e-02" in polished.reason
    assert polished.displacement <= 0.01
    assert polish(Derivatives(make()), exact + 0.05, radius=0.1).converged


@pytest.mark.parametrize("make", [MuellerBrown, lambda: plain(MuellerBrown())], ids=["compiled", "interpreted"])
def test_no_contraction_is_reported(make):
    # Far from every stationary point Newton's steps do not shrink; a huge radius lets it find out.
    polished = polish(Derivatives(make()), np.array([-1.4, -0.25]), radius=1e3)
    assert not polished.converged and "no contraction" in polished.reason


def test_a_degenerate_point_contracts_too_slowly():
    model = as_model(lambda x: x[0] ** 4 + x[1] ** 2, lambda x: np.array([4.0 * x[0] ** 3, 2.0 * x[1]]), 2)
    polished = polish(Derivatives(model), np.array([0.1, 0.1]), radius=1.0)
    assert not polished.converged and "no contraction" in polished.reason


def test_numbers_that_are_not_finite_are_reported():
    model = as_model(lambda x: np.nan, lambda x: np.full(2, np.nan), 2, hvp=lambda x, v: v)
    polished = polish(Derivatives(model), np.zeros(2), radius=1.0)
    assert not polished.converged and "not finite" in polished.reason and polished.n_steps == 0

    def positive(x):
        return np.where(x > 0.0, x, np.nan)

    # x - log x, whose gradient is undefined where the first step leads.
    model = as_model(lambda x: x[0] - np.log(positive(x[0])), lambda x: 1.0 - 1.0 / positive(x), 1, hvp=lambda x, v: v / x**2)
    polished = polish(Derivatives(model), np.array([2.5]), radius=10.0)
    assert not polished.converged and "not finite" in polished.reason


def test_stationary_start_converges_without_moving():
    polished = polish(Derivatives(plain(DoubleWells((1.0, 1.0)))), np.zeros(2), radius=0.1)
    assert polished.converged and polished.gradient_norm == 0.0 and polished.count.negative == 2


def test_tolerance_accepts_a_gradient_that_no_longer_falls():
    def noisy(x):
        return x + 1e-7 * np.sin(1e9 * x)

    model = as_model(lambda x: 0.5 * x @ x, noisy, 3, hvp=lambda x, v: v)
    start = np.array([0.1, 0.2, 0.3])
    assert not polish(Derivatives(model), start, radius=1.0).converged
    assert polish(Derivatives(model), start, radius=1.0, tol=1e-6).converged


def test_circle_of_minima_without_declared_zero_modes():
    polished = polish(Derivatives(mexican_hat()), np.array([0.6, 0.81]), radius=0.3)
    assert polished.converged
    # The step is orthogonal to the circle: the angle stays.
    np.testing.assert_allclose(polished.x, np.array([0.6, 0.81]) / np.hypot(0.6, 0.81), atol=1e-3)


def chafee_infante(n):
    model = ChafeeInfante(n, 20.0)
    return model, 0.9 * np.sin(3 * np.pi * np.arange(1, n + 1) / (n + 1))


def test_dense_sparse_and_krylov_agree():
    found = []
    for make in (lambda m: m, plain):
        for n in (400, 600):
            model, start = chafee_infante(n)
            derivatives = Derivatives(make(model), model.preconditioner(start) if make is plain else None)
            polished = polish(derivatives, start, radius=0.5)
            assert polished.converged, polished.reason
            found.append(polished)
    sparse_400, sparse_600, dense_400, krylov_600 = found
    np.testing.assert_allclose(dense_400.x, sparse_400.x, atol=1e-11)
    np.testing.assert_allclose(krylov_600.x, sparse_600.x, atol=1e-11)
    assert dense_400.count.negative == sparse_400.count.negative == sparse_600.count.negative == 2
    assert krylov_600.count is None


def test_a_factorisation_is_reused():
    model, start = chafee_infante(600)
    made = []

    class Counted(type(model)):
        def hessian(self, x):
            made.append(x)
            return super().hessian(x)

    polished = polish(Derivatives(Counted(600, 20.0)), start, radius=0.5)
    assert polished.converged and len(made) < polished.n_steps
    assert polished.count_distance == np.abs(polished.x - made[-1]).max()


def test_translations_are_kept_out_of_the_step():
    model = PhaseField(32, 0.02)
    wave = np.cos(2.0 * np.pi * np.arange(32) / 32.0 + 0.3)
    start = 0.68 * np.repeat(wave, 32)
    modes = model.zero_modes(start)
    polished = polish(Derivatives(model), start, radius=0.2, zero_modes=modes)
    assert polished.converged and polished.gradient_norm < 1e-12
    assert np.abs((polished.x - start) @ (modes * model.mass).T).max() < 1e-9


def test_pinning_force_of_a_coarse_lattice_is_told():
    model = PhaseField(12, 0.02)
    start = 0.65 * np.repeat(np.cos(2.0 * np.pi * np.arange(12) / 12.0 + 0.1), 12)
    polished = polish(Derivatives(model), start, radius=0.2, zero_modes=model.zero_modes(start))
    assert polished.converged and "left along the zero modes" in polished.reason
    assert 1e-9 < polished.gradient_norm < 1e-5


def test_zero_modes_that_vanish_are_dropped():
    model = PhaseField(16, 0.02)
    derivatives = Derivatives(model)
    x = np.zeros(256)
    assert clean_zero_modes(derivatives, x, None) is None
    assert clean_zero_modes(derivatives, x, 1e-13 * np.random.default_rng(0).standard_normal((2, 256))) is None
    wave = np.repeat(np.sin(2.0 * np.pi * np.arange(16) / 16.0), 16)
    basis = clean_zero_modes(derivatives, x, np.array([3.0 * wave, wave + 1e-12]))
    assert basis.shape == (1, 256) and derivatives.norm(basis[0]) == pytest.approx(1.0)


def test_minres_solves_an_indefinite_system():
    rng = np.random.default_rng(3)
    values = np.concatenate((-np.geomspace(1.0, 30.0, 20), np.geomspace(0.5, 200.0, 180)))
    turn = np.linalg.qr(rng.standard_normal((200, 200)))[0]
    h, right = (turn * values) @ turn.T, rng.standard_normal(200)
    model = as_model(lambda x: 0.5 * x @ h @ x, lambda x: h @ x, 200, hvp=lambda x, v: h @ v)
    derivatives = Derivatives(model)
    for tol in (1e-2, 1e-6, 1e-10):
        s = minres(derivatives, np.zeros(200), right, None, tol)
        assert np.linalg.norm(h @ s - right) <= 1.01 * tol * np.linalg.norm(right)


def test_minres_in_a_complement():
    rng = np.random.default_rng(4)
    root = rng.standard_normal((30, 30))
    mass = rng.uniform(0.5, 2.0, 30)
    h = root + root.T
    model = as_model(lambda x: 0.5 * x @ h @ x, lambda x: h @ x, 30, hvp=lambda x, v: h @ v, mass=mass)
    modes = rng.standard_normal((2, 30))
    modes = np.linalg.inv(np.linalg.cholesky((modes * mass) @ modes.T)) @ modes
    right = rng.standard_normal(30)
    right -= (modes @ right) @ (modes * mass)
    s = minres(Derivatives(model), np.zeros(30), right, modes, 1e-12)
    residual = h @ s - right
    np.testing.assert_allclose(residual - (modes @ residual) @ (modes * mass), 0.0, atol=1e-9)
    np.testing.assert_allclose((modes * mass) @ s, 0.0, atol=1e-12)


def test_a_matrix_that_cannot_be_factorised_is_a_reason(monkeypatch):
    monkeypatch.setattr("saddlescape.numerics.inertia.DENSE_LIMIT", 100)
    rng = np.random.default_rng(0)
    h = sparse.random_array((200, 200), density=0.015, rng=rng, data_sampler=rng.standard_normal)
    h = h + h.T
    h = (h - sparse.diags_array(h.diagonal())).tocsc()
    model = as_model(lambda x: 0.5 * x @ (h @ x), lambda x: h @ x, 200, hessian=lambda x: h)
    polished = polish(Derivatives(model), np.ones(200), radius=10.0)
    assert not polished.converged and "unstable" in polished.reason


@pytest.mark.parametrize("n", [2, 600])
def test_products_that_are_not_finite_are_a_reason(n):
    model = as_model(lambda x: 0.5 * x @ x, lambda x: x.copy(), n, hvp=lambda x, v: np.full(n, np.nan))
    polished = polish(Derivatives(model), np.ones(n), radius=10.0)
    assert not polished.converged and ("NaN" in polished.reason or "not finite" in polished.reason)


@pytest.mark.parametrize("radius", [0.0, -1.0, np.nan])
def test_radius_is_checked(radius):
    with pytest.raises(ValueError, match=r"radius: got .*, expected a positive max-norm distance"):
        polish(Derivatives(MuellerBrown()), np.zeros(2), radius=radius)
