"""Every shipped model through the same tests: a new model is tested by adding a line to `CASES`."""

import copy
import dataclasses
import json
import pickle

import numpy as np
import pytest

import saddlescape.models
from saddlescape import EnergyModel, load_model
from saddlescape.naming import model_name, model_parameters
from saddlescape.numerics.derivatives import DENSE_LIMIT

OPTIONAL = ("hessian", "preconditioner", "symmetry", "unpack", "zero_modes")
FIELD = ("hessian", "preconditioner", "symmetry", "unpack")
STOCHASTIC = ("LinearNetwork", "RobustRegression", "TanhNetwork")

# Eight rows of a linear map and what it does not explain.
_ROWS = np.random.default_rng(5).standard_normal((8, 5))
DATA = {"inputs": _ROWS[:, :3].tolist(), "outputs": (_ROWS[:, 3:] + _ROWS[:, :2] * [2.0, 1.0]).tolist()}

# Name of the model, its arguments, and which of the `OPTIONAL` members it must have.
CASES = {
    "Ackley": ("Ackley", {"dim": 3}, ()),
    "Ackley-shallow": ("Ackley", {"dim": 2, "coefficient": 0.02}, ()),
    "ArctanWells": ("ArctanWells", {"M": [[0.8, -0.2, 0.0], [-0.2, 0.5, 0.1], [0.0, 0.1, 0.7]], "alpha": 4.0}, ("hessian",)),
    "Butterfly": ("Butterfly", {}, ("symmetry",)),
    "ChafeeInfante": ("ChafeeInfante", {"n": 30, "lam": 5.5}, FIELD),
    "DiscEquation": ("DiscEquation", {"n": 30, "waves": 4.0}, ("hessian", "preconditioner")),
    "DoubleWells": ("DoubleWells", {"weights": [1.0, 1.5, 2.25]}, ("hessian",)),
    "DoubleWells-sparse": ("DoubleWells", {"weights": [1.0 + 0.01 * j for j in range(100)]}, ("hessian",)),
    "HenonHeiles": ("HenonHeiles", {}, ("symmetry",)),
    "LandauDeGennes": ("LandauDeGennes", {"n": 9, "lambda2": 10.0}, FIELD),
    "LandauDeGennes-cuboid": (
        "LandauDeGennes",
        {"n": 5, "lambda2": 10.0, "domain": ["cuboid", 1.0, 0.8], "temperature": -2.0, "field": [0.0, 0.0, 3.0]},
        FIELD,
    ),
    "LandauDeGennes-weak": (
        "LandauDeGennes",
        {
            "n": 7,
            "lambda2": 10.0,
            "domain": ["rectangle", 1.3],
            "anchoring": {"left": "planar-degenerate", "right": "homeotropic", "bottom": [1, 0, 1], "top": "free"},
            "strength": {"left": 3.0, "right": 2.0},
            "L2": 0.5,
            "L3": -0.2,
        },
        FIELD,
    ),
    "LinearNetwork": ("LinearNetwork", {**DATA, "hidden": 1, "batch": 3}, ("symmetry", "zero_modes")),
    "LinearNetwork-rotations": ("LinearNetwork", {**DATA, "hidden": 2, "batch": 8}, ("symmetry", "zero_modes")),
    "ModifiedMuellerBrown": ("ModifiedMuellerBrown", {}, ()),
    "ModifiedRosenbrock": ("ModifiedRosenbrock", {"s": [-500.0] * 5 + [1.0] * 45}, ("hessian", "preconditioner")),
    "MuellerBrown": ("MuellerBrown", {}, ()),
    "MultiBasin": ("MultiBasin", {}, ("symmetry",)),
    "PhaseField": ("PhaseField", {"n": 16, "kappa": 0.02}, (*FIELD, "zero_modes")),
    "ReducedLandauDeGennes": ("ReducedLandauDeGennes", {"n": 17, "lambda2": 10.0}, FIELD),
    "RobustRegression": ("RobustRegression", {"cutoff": 1.0, "features": ["sepal width", "sepal length"]}, ()),
    "TanhNetwork": ("TanhNetwork", {}, ("symmetry",)),
    "TanhNetwork-large": ("TanhNetwork", {"hidden": 5, "species": ["setosa", "versicolor", "virginica"]}, ("symmetry",)),
    "Zakharov": ("Zakharov", {"dim": 10}, ("hessian", "symmetry")),
}


@pytest.fixture(params=CASES)
def model(request):
    name, arguments, _ = CASES[request.param]
    return getattr(saddlescape.models, name)(**arguments)


def with_member(member):
    """Run a test only for the models that must have an optional member."""
    return pytest.mark.parametrize("model", [case for case in CASES if member in CASES[case][2]], indirect=True)


@pytest.fixture
def rng():
    return np.random.default_rng(20)


@pytest.fixture
def x(model, rng):
    """A generic point near the default start, (n,)."""
    return model.default_start() + 0.1 * rng.standard_normal(model.dim)


def direction(rng, n):
    v = rng.standard_normal(n)
    return v / np.abs(v).max()


def slope(remainder):
    """Order of a remainder r(h) as h -> 0, from a straight line through log r against log h."""
    steps = 10.0 ** np.array([-2.0, -2.5, -3.0])
    return np.polyfit(np.log(steps), np.log([remainder(h) for h in steps]), 1)[0]


def test_every_shipped_model_is_tested():
    assert {name for name, _, _ in CASES.values()} == set(saddlescape.models.__all__)


@pytest.mark.parametrize("case", CASES)
def test_optional_members(case):
    name, arguments, expected = CASES[case]
    model = getattr(saddlescape.models, name)(**arguments)
    assert {member for member in OPTIONAL if getattr(model, member, None) is not None} == set(expected)


# --- shapes and arrays ---------------------------------------------------------------------------------------------------


def test_shapes_and_types(model, x, rng):
    assert isinstance(model, EnergyModel)
    assert isinstance(model.energy(x), float)
    for result in (model.gradient(x), model.hvp(x, direction(rng, model.dim))):
        assert result.shape == (model.dim,) and result.dtype == np.float64 and result.flags.c_contiguous


def test_out_is_filled_and_returned(model, x, rng):
    v = direction(rng, model.dim)
    for call in (lambda out=None: model.gradient(x, out), lambda out=None: model.hvp(x, v, out)):
        out = np.full(model.dim, np.nan)
        assert call(out) is out
        np.testing.assert_array_equal(out, call())


def test_energy_gradient_is_energy_and_gradient(model, x):
    out = np.full(model.dim, np.nan)
    assert model.energy_gradient(x, out) == pytest.approx(model.energy(x), rel=1e-12)
    np.testing.assert_allclose(out, model.gradient(x), rtol=0, atol=1e-12 * np.abs(out).max())


def test_arguments_are_not_modified(model, x, rng):
    v = direction(rng, model.dim)
    x_before, v_before = x.copy(), v.copy()
    model.energy(x)
    model.energy_gradient(x, np.empty(model.dim))
    model.gradient(x)
    model.hvp(x, v)
    if hasattr(model, "hessian"):
        model.hessian(x)
    if hasattr(model, "preconditioner"):
        metric = model.preconditioner(x)
        metric.apply(v)
        metric.solve(v)
    np.testing.assert_array_equal(x, x_before)
    np.testing.assert_array_equal(v, v_before)


def test_default_start_is_a_fresh_point(model):
    start = model.default_start()
    assert start.shape == (model.dim,) and start.dtype == np.float64 and start.flags.c_contiguous
    assert np.isfinite(start).all()
    before = start.copy()
    start += 1.0
    np.testing.assert_array_equal(model.default_start(), before)


def test_named_starts(model):
    for name in model.start_names:
        start = model.start(name)
        assert start.shape == (model.dim,) and np.isfinite(model.energy(start))
    with pytest.raises(ValueError, match="no-such-start"):
        model.start("no-such-start")


def test_mass_is_positive(model):
    assert np.shape(model.mass) in ((), (model.dim,))
    assert np.min(model.mass) > 0


@with_member("unpack")
def test_unpack_names_arrays(model, x):
    fields = model.unpack(x)
    assert fields.pop("kind") in ("director", "scalar", "line")
    assert fields
    for name, field in fields.items():
        assert np.isfinite(np.asarray(field)).all(), name


# --- derivatives ---------------------------------------------------------------------------------------------------------


def test_taylor_slope_of_the_energy(model, x, rng):
    v = direction(rng, model.dim)
    energy, change = model.energy(x), model.gradient(x) @ v
    assert slope(lambda h: abs(model.energy(x + h * v) - energy - h * change)) == pytest.approx(2.0, abs=0.15)


def test_taylor_slope_of_the_gradient(model, x, rng):
    v = direction(rng, model.dim)
    gradient, change = model.gradient(x), model.hvp(x, v)
    assert slope(lambda h: np.linalg.norm(model.gradient(x + h * v) - gradient - h * change)) == pytest.approx(2.0, abs=0.15)


def test_hvp_is_linear_and_symmetric(model, x, rng):
    u, v = direction(rng, model.dim), direction(rng, model.dim)
    hu, hv = model.hvp(x, u), model.hvp(x, v)
    scale = np.linalg.norm(hu) * np.linalg.norm(v)
    assert u @ hv == pytest.approx(v @ hu, abs=1e-12 * scale)
    np.testing.assert_allclose(model.hvp(x, 2.0 * u - 3.0 * v), 2.0 * hu - 3.0 * hv, rtol=0, atol=1e-12 * scale)


@with_member("hessian")
def test_hessian_is_symmetric_and_agrees_with_hvp(model, x, rng):
    hessian = model.hessian(x)
    assert hessian.shape == (model.dim, model.dim)
    assert not isinstance(hessian, np.ndarray) or model.dim <= DENSE_LIMIT
    scale = abs(hessian).max()
    assert abs(hessian - hessian.T).max() <= 1e-13 * scale
    for _ in range(3):
        v = direction(rng, model.dim)
        np.testing.assert_allclose(hessian @ v, model.hvp(x, v), rtol=0, atol=1e-12 * scale)


# --- parameters ----------------------------------------------------------------------------------------------------------


def test_kernel_parameters(model):
    floats, integers = model.params
    for array, dtype in ((floats, np.float64), (integers, np.int64)):
        assert array.dtype == dtype and array.ndim == 1 and array.flags.c_contiguous


def test_is_a_frozen_dataclass_of_parameters(model):
    assert dataclasses.is_dataclass(model)
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.dim = 3
    assert not {f.name for f in dataclasses.fields(model)} & {"kernels", "symmetry", "coercive", "mass", "start_names"}


def test_name_and_json_parameters_rebuild_it(model):
    text = json.dumps(model_parameters(model))
    again = load_model(model_name(model), json.loads(text))
    assert again == model and hash(again) == hash(model)
    assert again.dim == model.dim


@pytest.mark.parametrize("twin", [lambda m: pickle.loads(pickle.dumps(m)), copy.deepcopy], ids=["pickle", "deepcopy"])
def test_copies_are_equal(model, x, twin):
    energy, gradient = model.energy(x), model.gradient(x)  # whatever the model caches is there before it is copied
    other = twin(model)
    assert type(other) is type(model) and other == model and other.dim == model.dim
    assert other.energy(x) == energy
    np.testing.assert_array_equal(other.gradient(x), gradient)


# --- symmetry and metric -------------------------------------------------------------------------------------------------


@with_member("symmetry")
def test_symmetry_leaves_the_energy_unchanged(model, x, rng):
    symmetry = model.symmetry
    assert symmetry.dim == model.dim and not symmetry.trivial
    energy, gradient = model.energy(x), model.gradient(x)
    for number in range(symmetry.order):
        # Whole grid spacings: a discrete energy is only invariant under these.
        shifts = rng.integers(0, 7, symmetry.n_axes)
        element = np.concatenate([[number], shifts]).astype(float)
        image = symmetry.apply(element, x)
        assert model.energy(image) == pytest.approx(energy, rel=1e-11)
        np.testing.assert_allclose(
            model.gradient(image), symmetry.apply(element, gradient), rtol=0, atol=1e-11 * np.abs(gradient).max()
        )


@with_member("symmetry")
def test_symmetry_elements_are_distinct_maps(model, x):
    symmetry = model.symmetry
    images = np.array([symmetry.apply(np.concatenate([[d], symmetry.identity[1:]]), x) for d in range(symmetry.order)])
    distances = np.linalg.norm(images[:, None] - images[None], axis=-1) + np.eye(symmetry.order)
    assert distances.min() > 1e-6


@with_member("preconditioner")
def test_preconditioner_is_symmetric_positive_definite(model, x, rng):
    metric = model.preconditioner(x)
    u, v = direction(rng, model.dim), direction(rng, model.dim)
    mu, mv = metric.apply(u), metric.apply(v)
    assert u @ mu > 0 and v @ mv > 0 and v @ metric.solve(v) > 0
    assert u @ mv == pytest.approx(v @ mu, abs=1e-11 * np.linalg.norm(mu) * np.linalg.norm(v))


@with_member("preconditioner")
def test_preconditioner_solve_inverts_apply(model, x, rng):
    metric = model.preconditioner(x)
    v = direction(rng, model.dim)
    np.testing.assert_allclose(metric.solve(metric.apply(v)), v, rtol=0, atol=1e-9)
    np.testing.assert_allclose(metric.apply(metric.solve(v)), v, rtol=0, atol=1e-9)


@with_member("preconditioner")
@pytest.mark.parametrize("member", ["apply", "solve"])
def test_preconditioner_takes_rows_and_out(model, x, rng, member):
    operator = getattr(model.preconditioner(x), member)
    rows = rng.standard_normal((3, model.dim))
    images = operator(rows)
    assert images.shape == rows.shape
    np.testing.assert_allclose(images, [operator(row) for row in rows], rtol=0, atol=1e-12 * np.abs(images).max())
    for argument in (rows, rows[0]):
        out = np.full_like(argument, np.nan)
        assert operator(argument, out) is out
        np.testing.assert_array_equal(out, operator(argument))


# --- stochastic derivatives ----------------------------------------------------------------------------------------------

stochastic = pytest.mark.parametrize("model", [c for c in CASES if c.split("-")[0] in STOCHASTIC], indirect=True)


@stochastic
def test_the_mean_over_single_terms_is_exact(model, x, rng):
    v = direction(rng, model.dim)
    samples = np.arange(float(model.n_terms))[:, None]
    gradients = [model.stochastic_gradient(x, sample) for sample in samples]
    products = [model.stochastic_hvp(x, v, sample) for sample in samples]
    np.testing.assert_allclose(np.mean(gradients, axis=0), model.gradient(x), rtol=0, atol=1e-12 * np.abs(gradients).max())
    np.testing.assert_allclose(np.mean(products, axis=0), model.hvp(x, v), rtol=0, atol=1e-12 * np.abs(products).max())


@stochastic
def test_a_sample_of_all_terms_is_exact(model, x, rng):
    v, sample = direction(rng, model.dim), rng.permutation(np.arange(float(model.n_terms)))
    gradient, product = model.gradient(x), model.hvp(x, v)
    np.testing.assert_allclose(model.stochastic_gradient(x, sample), gradient, rtol=0, atol=1e-12 * np.abs(gradient).max())
    np.testing.assert_allclose(model.stochastic_hvp(x, v, sample), product, rtol=0, atol=1e-12 * np.abs(product).max())


@stochastic
def test_the_product_of_a_sample_is_the_derivative_of_its_gradient(model, x, rng):
    v, sample = direction(rng, model.dim), model.draw(rng)
    gradient, change = model.stochastic_gradient(x, sample), model.stochastic_hvp(x, v, sample)
    remainder = slope(lambda h: np.linalg.norm(model.stochastic_gradient(x + h * v, sample) - gradient - h * change))
    assert remainder == pytest.approx(2.0, abs=0.15)


@stochastic
def test_kernels_draw_as_the_method_does(model):
    sample = np.empty(model.sample_size)
    model.kernels.draw(model.params, np.random.default_rng(3), sample)
    np.testing.assert_array_equal(model.draw(np.random.default_rng(3)), sample)


# --- continuous symmetries -----------------------------------------------------------------------------------------------


def newton(model, x):
    """A stationary point near x; steps of least norm, which do not run along nearly flat directions."""
    for _ in range(20):
        hessian = np.array([model.hvp(x, e) for e in np.eye(model.dim)])
        x = x - np.linalg.lstsq(hessian, model.gradient(x), rcond=1e-6)[0]
    return x, hessian


def wave(model):
    """One period along the first of two periodic axes, (n,)."""
    rows, columns = model.symmetry.grid
    return np.repeat(np.cos(2.0 * np.pi * np.arange(rows) / rows), columns)


@pytest.mark.parametrize("model", ["PhaseField"], indirect=True)
def test_zero_modes_are_flat_directions(model):
    stationary, hessian = newton(model, wave(model))
    assert np.abs(stationary).max() > 0.1, "Newton's method fell on the trivial state, which no translation moves"
    modes = np.asarray(model.zero_modes(stationary))
    assert modes.ndim == 2 and modes.shape[1] == model.dim
    modes = modes[np.linalg.norm(modes, axis=1) > 1e-8 * np.linalg.norm(stationary)]
    assert len(modes) == 1, "a stripe is moved by one of the two translations"
    rayleigh = np.abs(np.linalg.norm(hessian @ modes.T, axis=0) / np.linalg.norm(modes, axis=1))
    # The next eigenvalue is about 5e-3 of the largest: this is well below it.
    assert rayleigh.max() < 1e-4 * np.linalg.norm(hessian, 2)
