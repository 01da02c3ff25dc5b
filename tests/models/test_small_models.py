"""The small models against their exactly known landscapes."""

from itertools import product
from math import comb

import numpy as np
import pytest

from saddlescape import load_model
from saddlescape.models import ArctanWells, Butterfly, DoubleWells, HenonHeiles, ModifiedRosenbrock, MuellerBrown
from saddlescape.models.known import known_landscape, known_points

KNOWN = ("ArctanWells", "Butterfly", "HenonHeiles", "ModifiedMuellerBrown", "MuellerBrown")


def hessian(model, x):
    return np.array([model.hvp(x, e) for e in np.eye(model.dim)])


def index(model, x):
    return int((np.linalg.eigvalsh(hessian(model, x)) < 0).sum())


def find(points, *x):
    """The known point at x, to the 8 digits it is published with."""
    return next(p for p in points if np.abs(p["x"] - x).max() < 1e-8)


# --- points known to all digits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", KNOWN)
def test_known_points_are_stationary_with_their_energy_and_index(name):
    landscape = known_landscape(name)
    model = load_model(name, landscape["parameters"])
    for point in landscape["points"]:
        x = point["x"]
        curvature = hessian(model, x)
        # The Newton step is the distance to the true point.
        assert np.abs(np.linalg.solve(curvature, model.gradient(x))).max() < 1e-12
        assert model.energy(x) == pytest.approx(point["energy"], rel=1e-13, abs=1e-14)
        assert int((np.linalg.eigvalsh(curvature) < 0).sum()) == point["index"]


@pytest.mark.parametrize("name", KNOWN)
def test_euler_sum(name):
    model = load_model(name, known_landscape(name)["parameters"])
    # Henon-Heiles falls to minus infinity in three directions: 1 - 3.
    assert sum((-1) ** p["index"] for p in known_points(name)) == (1 if model.coercive else -2)


@pytest.mark.parametrize("name", KNOWN)
def test_newton_finds_no_other_point(name):
    """Newton's method from a grid of starts ends at known points only, and at all of them."""
    points = known_points(name)
    model = load_model(name, known_landscape(name)["parameters"])
    (left, right), (bottom, top) = getattr(model, "box", ((-5.0, 15.0), (-5.0, 15.0)))
    found = set()
    for x in product(np.linspace(left, right, 23), np.linspace(bottom, top, 23)):
        x = np.array(x)
        for _ in range(60):
            step = np.linalg.solve(hessian(model, x), model.gradient(x))
            x -= step / max(1.0, 2.0 * np.linalg.norm(step))
            if not np.abs(x).max() < 20.0 or np.abs(step).max() < 1e-13:
                break
        if np.abs(x).max() < 20.0 and np.abs(step).max() < 1e-9:
            distances = [np.linalg.norm(x - p["x"]) for p in points]
            assert min(distances) < 1e-8, f"a stationary point at {x}, E = {model.energy(x)}"
            found.add(int(np.argmin(distances)))
    assert found == set(range(len(points)))


@pytest.mark.parametrize(
    ("name", "x", "energy", "morse"),
    [
        ("MuellerBrown", (-0.55822363, 1.44172584), -146.69951721, 0),
        ("MuellerBrown", (0.6234994, 0.02803776), -108.16672412, 0),
        ("MuellerBrown", (-0.05001082, 0.4666941), -80.76781813, 0),
        ("MuellerBrown", (-0.82200156, 0.6243128), -40.66484351, 1),
        ("MuellerBrown", (0.21248658, 0.29298833), -72.24894011, 1),
        ("ModifiedMuellerBrown", (-0.79951902, 1.35179716), -554.781, 0),
        ("ModifiedMuellerBrown", (0.65017654, -0.04285104), -109.905, 0),
        ("ModifiedMuellerBrown", (0.06601893, 0.18404094), -59.853, 1),
        ("ModifiedMuellerBrown", (-2.62804577, 1.78697257), 390.459, 1),
        ("ModifiedMuellerBrown", (-2.67992423, 2.76803816), -80.01809, 0),
        ("Butterfly", (0.0, 0.5), 0.0625, 2),
        ("Butterfly", (0.0, 0.0), 0.0, 1),
        ("Butterfly", (0.0, 1.0), 0.0, 1),
        ("Butterfly", (0.95812931, 0.37568283), None, 1),
        ("Butterfly", (2.0303468, 2.40074442), -5.68480298, 0),
        ("Butterfly", (1.27194472, -0.63357011), -1.54623109, 0),
    ],
)
def test_published_numbers(name, x, energy, morse):
    point = find(known_points(name), *x)
    assert point["index"] == morse
    if energy is not None:
        digits = len(str(energy).partition(".")[2])
        assert point["energy"] == pytest.approx(energy, rel=0, abs=0.51 * 10.0**-digits)


def test_known_points_of_an_unknown_model():
    with pytest.raises(ValueError, match=r"name: got 'Butterflies'.*Butterfly"):
        known_points("Butterflies")


def test_known_orbits_of_the_square_add_up():
    orbits = known_points("ReducedLandauDeGennes")
    counts = {k: sum(p["orbit_size"] for p in orbits if p["index"] == k) for k in range(5)}
    assert counts == {0: 6, 1: 8, 2: 6, 3: 4, 4: 1}
    assert sum((-1) ** k * count for k, count in counts.items()) == 1


def test_known_phase_field_index_in_closed_form():
    parameters = known_landscape("PhaseField")["parameters"]
    n, kappa = parameters["n"], parameters["kappa"]
    wave = 4.0 * n**2 * np.sin(np.pi * np.arange(n) / n) ** 2
    uniform = max(known_points("PhaseField"), key=lambda p: p["energy"])
    assert uniform["index"] == int((kappa * (wave[:, None] + wave) < 1.0).sum())


# --- Butterfly and Henon-Heiles: orbits under the declared mirror --------------------------------------------------------


@pytest.mark.parametrize(("model", "orbits"), [(Butterfly(), 6), (HenonHeiles(), 3)])
def test_mirror_images_are_known_points(model, orbits):
    points = known_points(type(model).__name__)
    images = [find(points, *model.symmetry.apply(np.array([1.0]), p["x"])) for p in points]
    on_axis = sum(image is point for image, point in zip(images, points, strict=True))
    assert on_axis + (len(points) - on_axis) // 2 == orbits
    assert all(image["index"] == point["index"] for image, point in zip(images, points, strict=True))


def test_henon_heiles_saddles_lie_at_one_sixth():
    saddles = [p for p in known_points("HenonHeiles") if p["index"] == 1]
    assert [HenonHeiles().energy(p["x"]) for p in saddles] == pytest.approx([1 / 6] * 3, rel=1e-14)
    np.testing.assert_allclose([np.linalg.norm(p["x"]) for p in saddles], 1.0, rtol=1e-14)


def test_henon_heiles_is_invariant_under_rotations_by_a_third():
    model, rng = HenonHeiles(), np.random.default_rng(3)
    c, s = -0.5, np.sqrt(0.75)
    rotation = np.array([[c, -s], [s, c]])
    for x in rng.uniform(-1.0, 1.0, (10, 2)):
        assert model.energy(rotation @ x) == pytest.approx(model.energy(x), rel=1e-12, abs=1e-14)


def test_default_starts_lie_beside_known_points():
    """Newton's method started there needs no luck: it stays within 0.3 and keeps the index."""
    for name in KNOWN:
        model = load_model(name, known_landscape(name)["parameters"])
        start = model.default_start()
        nearest = min(known_points(name), key=lambda p: np.linalg.norm(p["x"] - start))
        assert np.linalg.norm(nearest["x"] - start) < 0.3
        assert index(model, start) == nearest["index"]


# --- double wells --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [1, 2, 3, 4, 5, 6])
def test_double_wells_have_three_to_the_d_points(d):
    model = DoubleWells(1.0 + 0.3 * np.arange(d))
    counts = np.zeros(d + 1, dtype=int)
    for x in product((-1.0, 0.0, 1.0), repeat=d):
        x = np.array(x)
        assert not model.gradient(x).any()
        zero = int((x == 0.0).sum())
        assert model.energy(x) == pytest.approx(sum(c for c, value in zip(model.weights, x, strict=True) if value == 0.0))
        assert index(model, x) == zero
        counts[zero] += 1
    assert counts.tolist() == [comb(d, k) * 2 ** (d - k) for k in range(d + 1)]
    assert counts.sum() == 3**d
    assert model.symmetry is None


def test_double_wells_hessian_is_sparse_when_large():
    small, large = DoubleWells(np.ones(64)), DoubleWells(np.ones(65))
    assert isinstance(small.hessian(np.zeros(64)), np.ndarray)
    assert large.hessian(np.zeros(65)).nnz == 65


# --- modified Rosenbrock -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dim", "count", "strength", "expected"), [(7, 5, -5e4, 5), (7, 5, -500.0, 3), (7, 3, -500.0, 2), (1000, 5, -5e4, 5)]
)
def test_rosenbrock_index(dim, count, strength, expected):
    model = ModifiedRosenbrock.with_leading(dim, count, strength)
    x = np.ones(dim)
    assert not model.gradient(x).any()
    assert model.energy(x) == 0.0
    assert (np.linalg.eigvalsh(model.hessian(x).toarray()) < 0).sum() == expected


def test_rosenbrock_spectrum():
    eigenvalues = np.linalg.eigvalsh(ModifiedRosenbrock.with_leading(1000, 5, -5e4).hessian(np.ones(1000)).toarray())
    np.testing.assert_allclose(eigenvalues[[0, 4]], [-9.97e4, -9.83e4], rtol=5e-4)
    np.testing.assert_allclose(eigenvalues[[5, -1]], [2.4988, 1804.0], rtol=2e-5)
    assert np.abs(eigenvalues).max() / np.abs(eigenvalues).min() == pytest.approx(4e4, rel=0.01)


@pytest.mark.parametrize("dim", [2, 7, 1000])
def test_rosenbrock_preconditioner_is_gauss_newton_plus_the_size_of_the_rest(dim):
    model = ModifiedRosenbrock.with_leading(dim, min(dim, 5), -5e4)
    x = 1.0 + 0.1 * np.random.default_rng(0).standard_normal(dim)
    # The Jacobian of the residuals 10 sqrt(2) (x_{i+1} - x_i^2) and sqrt(2) (1 - x_i), whose squares halved make up the energy.
    squares = np.sqrt(200.0) * (np.eye(dim)[1:] - 2.0 * np.diag(x)[:-1])
    linear = np.sqrt(2.0) * np.eye(dim)[:-1]
    step = 1e-5
    curvature = [
        s * (np.arctan(t + step) ** 2 - 2.0 * np.arctan(t) ** 2 + np.arctan(t - step) ** 2) / step**2
        for s, t in zip(model.s, x - 1.0, strict=True)
    ]
    expected = squares.T @ squares + linear.T @ linear + np.diag(np.abs(curvature))
    np.testing.assert_allclose(model.preconditioner(x).apply(np.eye(dim)), expected, atol=1e-5 * np.abs(expected).max())


def test_rosenbrock_preconditioner_tames_the_condition_number():
    """At x* the eigenvalues of M^-1 H are near -1 (five of them) and 1: the residuals vanish there, and Gauss-Newton is exact."""
    model = ModifiedRosenbrock.with_leading(200, 5, -5e4)
    x = np.ones(200)
    scaled = np.linalg.eigvals(model.preconditioner(x).solve(model.hessian(x).toarray())).real
    assert (scaled < 0).sum() == 5
    assert np.abs(scaled).max() / np.abs(scaled).min() < 1.1


# --- coercivity ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*KNOWN, "DoubleWells"])
def test_coercive_energies_grow_in_every_direction(name):
    model = load_model(name, {"weights": (1.0, 2.0)} if name == "DoubleWells" else {})
    angles = np.linspace(0.0, 2.0 * np.pi, 720, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    lowest = [min(model.energy(radius * x) for x in circle) for radius in (10.0, 20.0, 30.0)]
    assert (lowest[0] < lowest[1] < lowest[2] and lowest[2] > 0) == model.coercive


def test_rosenbrock_grows_along_its_valley():
    model = ModifiedRosenbrock((-5e4, -5e4))
    for side in (1.0, -1.0):
        floor = [model.energy(np.array([t, t * t])) for t in side * np.array([1e3, 2e3, 4e3])]
        assert 0 < floor[0] < floor[1] < floor[2]
    assert model.coercive


def test_arctan_wells_are_coercive_when_m_is_positive_definite():
    assert ArctanWells().coercive
    assert not ArctanWells(((1.0, 2.0), (2.0, 1.0))).coercive
    assert not ArctanWells(((1.0, 1.0), (1.0, 1.0))).coercive


# --- parameters ----------------------------------------------------------------------------------------------------------


def test_parameters_are_plain_and_hashable():
    assert ArctanWells(np.array([[1.0, 0.0], [0.0, 2.0]]), 3) == ArctanWells([[1, 0], [0, 2]], 3.0)
    assert hash(ArctanWells(np.eye(2))) == hash(ArctanWells(((1.0, 0.0), (0.0, 1.0))))
    assert DoubleWells(np.array([1.0, 2.0])) == DoubleWells((1, 2))
    assert DoubleWells((1, 2)) != DoubleWells((2, 1))
    assert ModifiedRosenbrock([1, 2]) == ModifiedRosenbrock((1.0, 2.0))
    assert MuellerBrown() == MuellerBrown()


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: DoubleWells(()), "weights: got an empty sequence"),
        (lambda: DoubleWells((1.0, -2.0)), "weights: got -2.0 at position 1, expected positive"),
        (lambda: DoubleWells((np.nan,)), "weights: got nan at position 0"),
        (lambda: ArctanWells([[1.0, 2.0]]), r"M: got shape \(1, 2\), expected a square matrix"),
        (lambda: ArctanWells(np.eye(501)), r"M: got shape \(501, 501\)"),
        (lambda: ArctanWells([[1.0, 2.0], [0.0, 1.0]]), "M: got a matrix that differs from its transpose by up to 2"),
        (lambda: ArctanWells([[np.inf]]), "M: got entries that are NaN or infinite"),
        (lambda: ArctanWells(alpha=np.inf), "alpha: got inf, expected a finite number"),
        (lambda: ModifiedRosenbrock((1.0,)), "s: got 1 factors, expected .* at least 2"),
        (lambda: ModifiedRosenbrock((1.0, np.inf)), "s: got inf at position 1"),
        (lambda: ModifiedRosenbrock.with_leading(3, 4, -1.0), "count: got 4, expected 0 to dim = 3"),
    ],
)
def test_bad_parameters_are_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()
