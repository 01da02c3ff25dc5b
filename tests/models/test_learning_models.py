"""The learning models: the closed forms of the linear network, and landscapes found completely."""

from itertools import combinations, product

import numpy as np
import pytest

from saddlescape import check_model, explore
from saddlescape.models import LinearNetwork, RobustRegression, TanhNetwork
from saddlescape.models.iris import FEATURES, FILE, SPECIES, measurements, membership
from saddlescape.numerics.alignment import align


def hessian(model, x):
    return np.array([model.hvp(x, e) for e in np.eye(model.dim)])


def morse(model, x):
    return int((np.linalg.eigvalsh(hessian(model, x)) < -1e-9).sum())


def newton_points(model, starts):
    """Stationary points that damped Newton's method comes to."""
    for x in starts:
        for _ in range(80):
            values, vectors = np.linalg.eigh(hessian(model, x))
            step = vectors @ ((vectors.T @ model.gradient(x)) / np.where(np.abs(values) < 1e-6, 1e-6, values))
            x = x - step * min(1.0, 0.5 / np.linalg.norm(step))
            if np.linalg.norm(step) < 1e-11 or np.abs(x).max() > 50.0:
                break
        if np.abs(model.gradient(x)).max() < 1e-10 and np.abs(x).max() < 50.0:
            yield x


# --- data -----------------------------------------------------------------------------------------------------------------


def test_iris_data_are_the_published_ones():
    """Summary of the raw numbers as in the literature, and the two rows that some copies have wrong."""
    raw = np.genfromtxt(FILE, delimiter=",", skip_header=1, usecols=range(4))
    assert raw.shape == (150, 4)
    np.testing.assert_allclose(raw.mean(axis=0), [5.843, 3.057, 3.758, 1.199], atol=5e-4)
    np.testing.assert_allclose(raw.std(axis=0, ddof=1), [0.828, 0.436, 1.765, 0.762], atol=5e-4)
    np.testing.assert_array_equal(raw[[34, 37]], [[4.9, 3.1, 1.5, 0.2], [4.9, 3.6, 1.4, 0.1]])


def test_measurements_are_standardised_and_memberships_are_signs():
    z, y = measurements(FEATURES), membership(SPECIES)
    np.testing.assert_allclose(z.mean(axis=0), 0.0, atol=1e-13)
    np.testing.assert_allclose(z.std(axis=0), 1.0, rtol=1e-13)
    np.testing.assert_array_equal(y.sum(axis=0), [-50.0] * 3)
    np.testing.assert_array_equal(y.sum(axis=1), [-1.0] * 150)
    np.testing.assert_array_equal(measurements(["petal width"])[:, 0], z[:, 3])


# --- the linear network against its theory --------------------------------------------------------------------------------


def network(d, p, q, balance=1.0, seed=0, **options):
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((20, d)) @ rng.standard_normal((d, d))
    outputs = inputs @ rng.standard_normal((d, q)) + rng.standard_normal((20, q))
    return LinearNetwork(inputs, outputs, p, balance=balance, **options)


def subsets(model):
    rank = model.singular_values.size
    return [chosen for k in range(min(model.hidden, rank) + 1) for chosen in combinations(range(rank), k)]


SIZES = [(3, 1, 3), (3, 2, 3), (4, 2, 3), (2, 3, 2), (5, 3, 4)]


@pytest.mark.parametrize("balance", [0.0, 1.0])
@pytest.mark.parametrize(("d", "p", "q"), SIZES)
def test_every_subset_is_critical_with_the_index_of_the_theory(d, p, q, balance):
    """4, 7, 7, 4 and 15 points, each against all eigenvalues of its Hessian."""
    model = network(d, p, q, balance)
    rank = model.singular_values.size
    for chosen in subsets(model):
        x = model.critical_point(chosen)
        eigenvalues = np.linalg.eigvalsh(hessian(model, x))
        tolerance = 1e-10 * np.abs(eigenvalues).max()
        assert np.abs(model.gradient(x)).max() < 1e-12 * (1.0 + np.abs(eigenvalues).max())
        assert np.count_nonzero(eigenvalues < -tolerance) == model.theoretical_index(chosen)
        assert model.energy(x) == pytest.approx(model.theoretical_energy(chosen), rel=1e-12)
        flat = len(model.zero_modes(x)) + (p - len(chosen)) * (d + q - 2 * rank)
        assert np.count_nonzero(np.abs(eigenvalues) <= tolerance) == flat


@pytest.mark.parametrize("balance", [0.0, 1.0])
def test_zero_modes_are_flat_and_as_many_as_the_group_moves(balance):
    model = network(3, 3, 3, balance)
    for chosen in subsets(model):
        x, k = model.critical_point(chosen), len(chosen)
        modes = model.zero_modes(x)
        assert len(modes) == (9 - (3 - k) ** 2 if balance == 0 else 3 - (3 - k) * (2 - k) // 2)
        np.testing.assert_allclose(modes @ modes.T, np.eye(len(modes)), atol=1e-12)
        assert np.abs(hessian(model, x) @ modes.T).max(initial=0.0) < 1e-11


def test_the_energy_is_the_distance_to_the_least_squares_map():
    model = network(3, 2, 4, balance=0.0)
    u, sizes, v = model._triples
    x = np.random.default_rng(1).standard_normal(model.dim)
    w1, w2 = x[:6].reshape(2, 3), x[6:].reshape(4, 2)
    rest = model.theoretical_energy(()) - 0.5 * (sizes**2).sum()
    assert model.energy(x) == pytest.approx(rest + 0.5 * ((w2 @ w1 - u * sizes @ v) ** 2).sum(), rel=1e-12)


def test_the_nearest_image_undoes_a_rotation():
    model, rng = network(3, 3, 2), np.random.default_rng(2)
    y = rng.standard_normal(model.dim)
    rotation = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    w1, w2 = model._split(y)
    x = np.concatenate([(rotation @ w1).ravel(), (w2 @ rotation.T).ravel()])
    assert model.energy(x) == pytest.approx(model.energy(y), rel=1e-12)
    np.testing.assert_allclose(model.symmetry.match(x, y), x, atol=1e-12)


@pytest.mark.parametrize(("d", "p", "q"), [(3, 1, 3), (3, 2, 3), (2, 3, 2)])
def test_its_landscape_is_the_one_of_the_theory(d, p, q):
    """Downward from zero: one orbit for each subset, no more, with its energy and index."""
    model = network(d, p, q)
    landscape = explore(model)
    found = sorted((point.index, round(point.energy, 8)) for point in landscape.points)
    assert found == sorted((model.theoretical_index(s), round(model.theoretical_energy(s), 8)) for s in subsets(model))
    if model.coercive:
        assert landscape.completeness().applicable and landscape.euler_characteristic() == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": [1.0, 2.0]}, r"inputs: got shape \(2,\), expected rows of numbers"),
        ({"inputs": [[1.0], [float("nan")]]}, "inputs: got entries that are NaN or infinite"),
        ({"outputs": [[1.0]]}, "outputs: got 1 rows for 2 inputs, expected one for each"),
        ({"inputs": [[1.0, 2.0], [2.0, 4.0]]}, "inputs: 2 rows of 2 numbers are linearly dependent and cannot be whitened"),
        ({"inputs": [[1.0, 2.0, 0.0], [0.0, 4.0, 1.0]]}, "inputs: 2 rows of 3 numbers are linearly dependent"),
        ({"hidden": 0}, "hidden: got 0, expected a positive integer"),
        ({"balance": -1.0}, "balance: got -1.0, expected a number of at least 0"),
        ({"batch": 3}, "batch: got 3 of 2 terms"),
    ],
)
def test_wrong_parameters_of_the_linear_network(change, message):
    with pytest.raises(ValueError, match=message):
        LinearNetwork(**{"inputs": [[1.0], [2.0]], "outputs": [[1.0], [3.0]], "hidden": 1, **change})


@pytest.mark.parametrize("subset", [(0, 0), (3,), (-1,), (0, 1, 2)])
def test_a_subset_names_singular_values(subset):
    with pytest.raises(ValueError, match=r"subset: got .*, expected at most 2 \(hidden units\) different numbers .* 0 to 2"):
        network(3, 2, 3).critical_point(subset)


# --- the tanh network -----------------------------------------------------------------------------------------------------


def test_the_landscape_of_the_tanh_network():
    landscape = explore(TanhNetwork(), upward=True)
    assert landscape.index_counts() == {0: 8, 1: 12, 2: 9, 3: 4}
    assert len(landscape.points) == 7
    assert landscape.completeness().applicable and landscape.euler_characteristic() == 1


def test_one_hidden_unit_without_much_decay():
    landscape = explore(TanhNetwork(1, decay=0.01), upward=True)
    assert landscape.index_counts() == {0: 6, 1: 7, 2: 2}
    assert landscape.euler_characteristic() == 1


@pytest.mark.slow
@pytest.mark.parametrize(("model", "trials"), [(TanhNetwork(), 1000), (TanhNetwork(1, decay=0.01), 1000)], ids=str)
def test_newton_finds_no_other_point(model, trials):
    known = explore(model, upward=True).points
    rng = np.random.default_rng(0)
    starts = (model.default_start() + rng.uniform(0.2, 3.0) * rng.standard_normal(model.dim) for _ in range(trials))
    hits = np.zeros(len(known), int)
    for x in newton_points(model, starts):
        distances = [align(model.symmetry, point.x, x, 1.0)[1] for point in known]
        assert min(distances) < 1e-6, f"a stationary point of index {morse(model, x)}, E = {model.energy(x)}"
        hits[np.argmin(distances)] += 1
    assert hits.min() > 0


def test_its_start_is_stationary():
    for model in (TanhNetwork(), TanhNetwork(3, species=SPECIES)):
        assert np.abs(model.gradient(model.default_start())).max() < 1e-14


@pytest.mark.parametrize(("hidden", "order"), [(1, 2), (2, 8), (3, 48), (4, 384)])
def test_order_of_its_group(hidden, order):
    assert TanhNetwork(hidden).symmetry.order == order


def test_assignment_finds_the_nearest_image_among_all():
    small, rng = TanhNetwork(3, species=("setosa", "virginica")), np.random.default_rng(3)
    for _ in range(20):
        x, y = rng.standard_normal((2, small.dim))
        element, distance = align(small.symmetry, x, y, 1.0)
        image = small._nearest_image(x, y)
        assert np.linalg.norm(x - image) == pytest.approx(distance, rel=1e-12)
        np.testing.assert_array_equal(image, small.symmetry.apply(element, y))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": 2.5}, "hidden: got 2.5, expected a positive integer"),
        ({"decay": 0.0}, "decay: got 0.0, expected a positive number; without it the energy is not coercive"),
        ({"features": ("petal",)}, r"features: got \('petal',\), expected one or more of \('sepal length'"),
        ({"species": ()}, r"species: got \(\), expected one or more of \('setosa'"),
        ({"batch": 151}, "batch: got 151 of 150 terms"),
    ],
)
def test_wrong_parameters_of_the_tanh_network(change, message):
    with pytest.raises(ValueError, match=message):
        TanhNetwork(**change)


# --- robust regression ----------------------------------------------------------------------------------------------------


def test_the_landscape_of_robust_regression():
    """Seven points, and Newton's method from a grid of starts comes to no other one."""
    model = RobustRegression()
    landscape = explore(model, upward=True)
    assert landscape.index_counts() == {0: 3, 1: 3, 2: 1}
    assert landscape.euler_characteristic() == 1
    for (low, high), values in zip(model.box, np.transpose([point.x for point in landscape.points]), strict=True):
        assert low < values.min() and values.max() < high
    for x in newton_points(model, map(np.array, product(np.linspace(-3.0, 3.0, 15), repeat=2))):
        assert min(np.linalg.norm(x - point.x) for point in landscape.points) < 1e-6


def test_its_minima_are_lines_that_fall_lie_flat_and_rise():
    slopes = sorted(point.x[0] for point in explore(RobustRegression(), upward=True).points if point.index == 0)
    np.testing.assert_allclose(slopes, [-0.7295, -0.0641, 0.3682], atol=1e-4)


def test_far_flowers_cost_no_more_than_the_cutoff():
    model = RobustRegression(cutoff=0.3, decay=1e-12)
    assert model.energy(np.array([0.0, 1e5])) == pytest.approx(0.5 * 0.3**2 + 0.5e-12 * 1e10, rel=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cutoff": 0.0}, "cutoff: got 0.0, expected a positive number"),
        ({"decay": float("nan")}, "decay: got nan, expected a positive number"),
        (
            {"target": "sepal width"},
            r"target: got 'sepal width', expected one of \('sepal length', 'petal length', 'petal width'\)",
        ),
    ],
)
def test_wrong_parameters_of_robust_regression(change, message):
    with pytest.raises(ValueError, match=message):
        RobustRegression(**change)


@pytest.mark.parametrize(
    "model", [network(3, 2, 3, batch=5), TanhNetwork(), TanhNetwork(5), RobustRegression()], ids=lambda m: type(m).__name__
)
def test_check_model_passes(model):
    report = check_model(model)
    assert report.ok, str(report)
    assert report["stochastic_gradient is unbiased"].status == report["stochastic_hvp is unbiased"].status == "passed"
