"""Certificates: index, nullity and eigenpairs against closed forms, and the three ways against each other."""

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse

from saddlescape import as_model
from saddlescape.models import ChafeeInfante, DoubleWells, ModifiedRosenbrock, MuellerBrown, PhaseField, ReducedLandauDeGennes
from saddlescape.numerics.certify import CertificationError, can_be_unstable, certify, quick_index
from saddlescape.numerics.derivatives import Derivatives
from saddlescape.numerics.newton import polish


def plain(model, hessian=None):
    """The same energy without kernels; with the Hessian given, or none."""
    return as_model(model.energy, model.gradient, model.dim, hvp=model.hvp, hessian=hessian, mass=model.mass)


def certified(derivatives, x, **options):
    g = derivatives.gradient(x)
    return certify(derivatives, x, energy=derivatives.energy(x), gradient_norm=derivatives.gradient_norm(g), **options)


def check_pairs(derivatives, point):
    """The eigenpairs are what they say: orthonormal, with the residuals told, ordered."""
    mass, vectors, values = derivatives.mass, point.eigenvectors, point.eigenvalues
    np.testing.assert_allclose((vectors * mass) @ vectors.T, np.eye(len(values)), atol=1e-10)
    residual = derivatives.hvp_rows(point.x, vectors) - values[:, None] * mass * vectors
    sizes = np.sqrt((residual**2 / mass).sum(axis=1))
    np.testing.assert_allclose(sizes, point.residuals, rtol=0.05, atol=1e-12 * np.abs(values).max() + 1e-11)
    assert (values[: point.index] < -point.zero_tolerance).all()
    assert (values[point.index + point.nullity :] > point.zero_tolerance).all()
    assert f"index {point.index}, nullity {point.nullity}" in point.certificate


def cosine(n, amplitude, phase=0.0):
    return amplitude * np.cos(2.0 * np.pi * np.arange(n) / n + phase)


# --- closed forms ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda w: DoubleWells(w), lambda w: plain(DoubleWells(w))], ids=["compiled", "interpreted"])
@pytest.mark.parametrize("x", [(1.0, -1.0, 1.0), (0.0, 1.0, -1.0), (0.0, 1.0, 0.0), (0.0, 0.0, 0.0)])
def test_double_wells(make, x):
    weights, x = np.array([1.0, 2.0, 3.0]), np.array(x)
    derivatives = Derivatives(make(tuple(weights)))
    point = certified(derivatives, x)
    check_pairs(derivatives, point)
    assert (point.index, point.nullity) == (np.count_nonzero(x == 0.0), 0)
    np.testing.assert_allclose(point.eigenvalues, np.sort(np.where(x == 0.0, -4.0, 8.0) * weights), rtol=1e-13)
    assert point.certificate.startswith("dense: all 3 eigenvalues")
    assert point.zero_tolerance == pytest.approx(1e-8 * np.abs(point.eigenvalues).max())


def test_chafee_infante_zero_has_the_index_theory_says():
    for n in (80, 400):
        derivatives = Derivatives(ChafeeInfante(n, 20.0))  # 4^2 < 20 < 5^2
        point = certified(derivatives, np.zeros(n), n_stable=2)
        check_pairs(derivatives, point)
        assert (point.index, point.nullity) == (4, 0)
        h = np.pi / (n + 1)
        exact = 4.0 / h**2 * np.sin(0.5 * h * np.arange(1, 7)) ** 2 - 20.0
        np.testing.assert_allclose(point.eigenvalues, exact, rtol=1e-9)
        assert point.certificate.startswith("dense" if n == 80 else "inertia")


@pytest.mark.parametrize(("lambda2", "index"), [(5.0, 0), (7.0, 1), (15.0, 2), (30.0, 4), (70.0, 8), (100.0, 10)])
def test_wors_index_table(lambda2, index):
    model = ReducedLandauDeGennes(33, lambda2)
    derivatives = Derivatives(model)
    polished = polish(derivatives, model.start("wors"), radius=0.1)
    point = certified(derivatives, polished.x)
    check_pairs(derivatives, point)
    assert (point.index, point.nullity) == (index, 0) == quick_index(derivatives, polished.x, polished)


@pytest.mark.parametrize("lambda2", [30.0, 100.0])
def test_sparse_eigenvalues_are_the_dense_ones(lambda2):
    model = ReducedLandauDeGennes(17, lambda2)
    derivatives = Derivatives(model)
    point = certified(derivatives, polish(derivatives, model.start("wors"), radius=0.1).x, n_stable=3)
    exact = scipy.linalg.eigvalsh(model.hessian(point.x).toarray(), subset_by_index=(0, point.index + 2)) / model.mass
    np.testing.assert_allclose(point.eigenvalues, exact, rtol=1e-9, atol=1e-9)
    assert point.index == np.count_nonzero(exact < 0.0)


def test_wors_spectrum_of_the_literature():
    model = ReducedLandauDeGennes(41, 7.0)
    derivatives = Derivatives(model)
    polished = polish(derivatives, model.start("wors"), radius=0.1)
    point = certified(derivatives, polished.x, n_stable=5)
    np.testing.assert_allclose(point.eigenvalues, [-0.433648, 0.440641, 7.27160, 7.27160, 8.76612, 8.76612], atol=5e-6)


# --- zero modes -----------------------------------------------------------------------------------------------------------


def mexican_hat(n):
    return as_model(
        lambda x: (x @ x - 1.0) ** 2,
        lambda x: 4.0 * (x @ x - 1.0) * x,
        n,
        hvp=lambda x, v: 4.0 * (x @ x - 1.0) * v + 8.0 * (x @ v) * x,
    )


@pytest.mark.parametrize("declared", [False, True])
def test_mexican_hat(declared):
    derivatives = Derivatives(mexican_hat(2))
    start = np.array([0.6, 0.81])
    rotation = np.array([[-start[1], start[0]]]) if declared else None
    polished = polish(derivatives, start, radius=0.3, zero_modes=rotation)
    tangent = np.array([[-polished.x[1], polished.x[0]]]) if declared else None
    point = certified(derivatives, polished.x, zero_modes=tangent)
    assert (point.index, point.nullity) == (0, 1) == quick_index(derivatives, polished.x, polished, tangent)
    np.testing.assert_allclose(point.eigenvalues, [0.0, 8.0], atol=1e-8)
    assert ("declared" in point.certificate) == declared
    top = certified(derivatives, np.zeros(2), zero_modes=np.zeros((1, 2)) if declared else None)
    assert (top.index, top.nullity) == (2, 0)


def test_sphere_of_minima_in_many_dimensions():
    derivatives = Derivatives(mexican_hat(150))
    x = np.random.default_rng(0).standard_normal(150)
    polished = polish(derivatives, x / np.linalg.norm(x) * 1.01, radius=0.3)
    point = certified(derivatives, polished.x)
    assert (point.index, point.nullity) == (0, 149) == quick_index(derivatives, polished.x, polished)


def test_degenerate_point():
    derivatives = Derivatives(as_model(lambda x: x[0] ** 4 + x[1] ** 2, lambda x: np.array([4.0 * x[0] ** 3, 2.0 * x[1]]), 2))
    point = certified(derivatives, np.zeros(2))
    assert (point.index, point.nullity) == (0, 1) and point.degenerate
    quartic = Derivatives(as_model(lambda x: x[0] ** 4, lambda x: 4.0 * x**3, 1, hvp=lambda x, v: 12.0 * x**2 * v))
    assert certified(quartic, np.zeros(1)).nullity == 1


PHASES = [
    ("zero", lambda n: np.zeros((n, n)), 5, 0),
    ("checkerboard", lambda n: cosine(n, 0.42, 0.3)[:, None] + cosine(n, 0.42, 0.1), 2, 2),
    ("stripe", lambda n: np.repeat(cosine(n, 0.68, 0.2)[:, None], n, axis=1), 1, 1),
    ("uniform", lambda n: np.ones((n, n)), 0, 0),
]


@pytest.mark.parametrize(("name", "start", "index", "nullity"), PHASES, ids=[p[0] for p in PHASES])
@pytest.mark.parametrize("way", ["inertia", "block"])
def test_phase_field_by_inertia_and_by_block(name, start, index, nullity, way):
    model = PhaseField(32, 0.02)
    x = start(32).ravel()
    derivatives = Derivatives(model if way == "inertia" else plain(model), model.preconditioner(x))
    polished = polish(derivatives, x, radius=0.3, zero_modes=model.zero_modes(x))
    assert polished.converged, polished.reason
    modes = model.zero_modes(polished.x)
    point = certified(derivatives, polished.x, zero_modes=modes)
    check_pairs(derivatives, point)
    assert point.certificate.startswith(way)
    assert (point.index, point.nullity) == (index, nullity)
    assert quick_index(derivatives, polished.x, polished, modes) == (index, nullity)
    exact = scipy.linalg.eigvalsh(model.hessian(polished.x).toarray(), subset_by_index=(0, index + nullity)) / model.mass
    np.testing.assert_allclose(np.sort(point.eigenvalues), exact, atol=1e-8)


@pytest.mark.parametrize(("name", "start", "index", "nullity"), PHASES, ids=[p[0] for p in PHASES])
def test_followed_frames_tell_points_of_lower_index_from_a_few_products(name, start, index, nullity):
    model = PhaseField(32, 0.02)
    derivatives = Derivatives(plain(model), model.preconditioner(start(32).ravel()))
    x = polish(derivatives, start(32).ravel(), radius=0.3, zero_modes=model.zero_modes(start(32).ravel())).x
    modes = model.zero_modes(x)
    point = certified(derivatives, x, zero_modes=modes)
    noise = np.random.default_rng(3).standard_normal((index + 1, x.size)) / np.sqrt(x.size * model.mass)
    frame = np.concatenate((point.unstable, point.eigenvectors[-1:])) + 0.3 * noise  # the last is stable
    if index:
        assert can_be_unstable(derivatives, x, frame[:index], modes)
    before = derivatives.n_hvp
    assert not can_be_unstable(derivatives, x, frame, modes)
    assert derivatives.n_hvp - before <= 10 * (index + 1)


def test_undeclared_zero_modes_are_found_by_inertia():
    model = PhaseField(32, 0.02)
    x = PHASES[1][1](32).ravel()
    derivatives = Derivatives(model)
    polished = polish(derivatives, x, radius=0.3, zero_modes=model.zero_modes(x))
    point = certified(derivatives, polished.x)
    assert (point.index, point.nullity) == (2, 2) == quick_index(derivatives, polished.x, polished)
    assert "declared" not in point.certificate


def test_lattice_pinning_is_told_in_the_certificate():
    # On 12 x 12 nodes the translation mode of the stripe is far from zero in units of the tolerance, and may be of either sign.
    model = PhaseField(12, 0.02)
    derivatives = Derivatives(model)
    quotients = []
    for phase in (0.0, np.pi / 12.0):
        x = np.repeat(cosine(12, 0.65, phase)[:, None], 12, axis=1).ravel()
        polished = polish(derivatives, x, radius=0.3, zero_modes=model.zero_modes(x))
        modes = model.zero_modes(polished.x)
        declared, undeclared = certified(derivatives, polished.x, zero_modes=modes), certified(derivatives, polished.x)
        assert (declared.index, declared.nullity) == (1, 1) == quick_index(derivatives, polished.x, polished, modes)
        assert "1 declared zero modes projected out, Rayleigh quotients" in declared.certificate
        assert abs(declared.eigenvalues[1]) > 10.0 * declared.zero_tolerance
        assert undeclared.nullity == 0 and undeclared.index == (2 if declared.eigenvalues[1] < 0 else 1)
        quotients.append(declared.eigenvalues[1])
    assert quotients[0] < 0.0 < quotients[1]


def test_what_is_no_zero_mode_is_refused():
    model = PhaseField(32, 0.02)
    derivatives = Derivatives(model)
    noise = np.random.default_rng(0).standard_normal((1, 1024))
    with pytest.raises(CertificationError, match="these are not zero modes at x"):
        certified(derivatives, np.ones(1024), zero_modes=noise)


# --- the three ways -------------------------------------------------------------------------------------------------------


def test_dense_inertia_and_block_agree():
    n = 600
    model = ChafeeInfante(n, 30.0)
    start = 0.9 * np.sin(3 * np.pi * np.arange(1, n + 1) / (n + 1))
    x = polish(Derivatives(model), start, radius=0.5).x
    ways = {
        "dense": Derivatives(plain(model, lambda x: model.hessian(x).toarray())),
        "inertia": Derivatives(model),
        "block": Derivatives(plain(model), model.preconditioner(x)),
    }
    points = {}
    for way, derivatives in ways.items():
        points[way] = certified(derivatives, x, n_stable=3)
        check_pairs(derivatives, points[way])
        assert points[way].certificate.startswith(way) and points[way].index == 2
        np.testing.assert_allclose(points[way].eigenvalues, points["dense"].eigenvalues, rtol=1e-8)


def test_rosenbrock_with_index_five_and_condition_number_4e4():
    model = ModifiedRosenbrock((-5e4,) * 5 + (1.0,) * 995)
    derivatives = Derivatives(model)
    point = certified(derivatives, np.ones(1000))
    assert (point.index, point.nullity) == (5, 0)
    assert point.eigenvalues[0] == pytest.approx(-9.97e4, rel=1e-3)
    assert point.eigenvalues[5] == pytest.approx(2.4988, rel=1e-4)


def test_a_guess_changes_nothing_but_the_work():
    model = ReducedLandauDeGennes(25, 30.0)
    x = polish(Derivatives(model), model.start("wors"), radius=0.1).x
    cold = certified(Derivatives(model), x)
    misleading = np.random.default_rng(1).standard_normal((2, model.dim))
    for guess in (cold.eigenvectors, cold.eigenvectors[2:4], misleading):
        warm = certified(Derivatives(model), x, guess=guess)
        assert (warm.index, warm.nullity) == (cold.index, cold.nullity)
        np.testing.assert_allclose(warm.eigenvalues, cold.eigenvalues, rtol=1e-9)


def test_a_sign_the_residuals_cannot_decide_is_an_error(monkeypatch):
    # Plain LOBPCG on an ill-conditioned operator with no preconditioner runs out of iterations.
    n = 3000
    values = np.concatenate(([-1e-4, 1e-4], np.geomspace(1e-2, 1e7, n - 2)))
    model = as_model(lambda x: 0.5 * x @ (values * x), lambda x: values * x, n, hvp=lambda x, v: values * v)
    with pytest.raises(CertificationError, match=r"signs are not decided by the residuals .* preconditioner"):
        certified(Derivatives(model), np.zeros(n))


@pytest.mark.parametrize(
    ("n", "hessian"), [(2, None), (600, None), (600, lambda x: scipy.sparse.diags_array(np.full(600, np.nan)))]
)
def test_a_hessian_that_is_not_finite_is_an_error(n, hessian):
    model = as_model(lambda x: 0.5 * x @ x, lambda x: x.copy(), n, hvp=lambda x, v: np.full(n, np.nan), hessian=hessian)
    with pytest.raises(CertificationError, match="NaN or infinite at this point"):
        certified(Derivatives(model), np.zeros(n))


def test_hessian_by_dimer_has_a_wider_zero():
    model = MuellerBrown()
    x = np.array([-0.82200156, 0.6243128])
    dimer = Derivatives(as_model(model.energy, model.gradient, 2))
    polished = polish(dimer, x, radius=0.1)
    point = certified(dimer, polished.x)
    exact = certified(Derivatives(model), polished.x)
    assert (point.index, point.nullity) == (1, 0) and polished.gradient_norm < 1e-11
    np.testing.assert_allclose(point.eigenvalues, exact.eigenvalues, rtol=1e-7)
    assert point.zero_tolerance == pytest.approx(1e-6 * np.abs(point.eigenvalues).max(), rel=1e-6)


# --- the quick index ------------------------------------------------------------------------------------------------------


def test_quick_index_makes_no_new_factorisation():
    model = ReducedLandauDeGennes(25, 30.0)
    derivatives = Derivatives(model)
    polished = polish(derivatives, model.start("wors") + 1e-3, radius=0.1)
    made = []

    class Watched(type(model)):
        def hessian(self, x):
            made.append(x)
            return super().hessian(x)

    assert quick_index(Derivatives(Watched(25, 30.0)), polished.x, polished) == (4, 0) and made == []


def test_quick_index_looks_again_where_an_eigenvalue_may_have_changed_sign():
    # The count of another point, where the index differs, is not believed here.
    model = ChafeeInfante(400, 20.0)
    derivatives = Derivatives(model)
    zero = polish(derivatives, np.zeros(400), radius=0.5)
    assert quick_index(derivatives, zero.x, zero) == (4, 0)
    wave = polish(derivatives, 0.9 * np.sin(3 * np.pi * np.arange(1, 401) / 401), radius=0.5)
    assert quick_index(derivatives, wave.x, wave._replace(count=zero.count)) == (2, 0)


def test_the_quick_index_of_a_tiny_system_is_the_certified_one():
    model = MuellerBrown()
    for start, index in (([-0.56, 1.44], 0), ([-0.82, 0.62], 1)):
        derivatives = Derivatives(model)
        polished = polish(derivatives, np.array(start), radius=0.1)
        assert quick_index(derivatives, polished.x, polished) == (index, 0)
        assert certified(derivatives, polished.x).index == index
