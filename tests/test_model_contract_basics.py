"""Models from plain functions, points that are checked at the door, and the base class."""

import pickle

import numpy as np
import pytest

from saddlescape import EnergyModel, HiSD, as_model, check_model, explore, plotting, search
from saddlescape.given import check_point
from saddlescape.models import DoubleWells, MuellerBrown


def energy(x):
    return float(np.sum(x**4))


def gradient(x):
    return 4.0 * x**3


# --- as_model -------------------------------------------------------------------------------------------------------------


def test_as_model_wraps_plain_functions():
    model = as_model(energy, gradient, 3, hvp=lambda x, v: 12.0 * x**2 * v, hessian=lambda x: np.diag(12.0 * x**2), coercive=True)
    x, v, out = np.array([1.0, -2.0, 0.5]), np.array([1.0, 1.0, -1.0]), np.empty(3)
    assert isinstance(model, EnergyModel) and model.dim == 3 and model.coercive is True
    assert model.energy(x) == 17.0625
    assert model.gradient(x, out) is out and out == pytest.approx([4.0, -32.0, 0.5])
    assert model.energy_gradient(x, out) == 17.0625
    assert model.hvp(x, v) == pytest.approx(model.hessian(x) @ v)
    assert model.hvp(x, v, out) is out


def test_what_is_not_given_is_absent():
    model = as_model(energy, gradient, 3)
    for name in ("hvp", "hessian", "draw", "preconditioner"):
        assert not hasattr(model, name)
    with pytest.raises(AttributeError, match="this model has no 'hvp': pass it to as_model"):
        _ = model.hvp
    with pytest.raises(ValueError, match=r"FunctionModel has no default start: pass start=... \(an array of shape \(3,\)\)"):
        model.default_start()


def test_as_model_takes_a_gradient_as_a_list():
    assert as_model(lambda x: 0.0, lambda x: [1, 2], 2).gradient(np.zeros(2)) == pytest.approx([1.0, 2.0])


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((1.0, gradient, 2), {}, TypeError, "energy: got float, expected a function"),
        ((energy, None, 2), {}, TypeError, "gradient: got NoneType, expected a function"),
        ((energy, gradient, 2), {"hvp": 3}, TypeError, "hvp: got int, expected a function"),
        ((energy, gradient, 0), {}, ValueError, "dim: got 0, expected a positive integer"),
        ((energy, gradient, 2.0), {}, ValueError, "dim: got 2.0, expected a positive integer"),
    ],
)
def test_as_model_names_the_wrong_argument(arguments, options, error, message):
    with pytest.raises(error, match=message):
        as_model(*arguments, **options)


def test_a_gradient_of_the_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r"gradient: the function returned shape \(2,\), expected \(3,\)"):
        as_model(energy, lambda x: np.zeros(2), 3).gradient(np.zeros(3))


def test_models_of_importable_functions_can_be_pickled():
    model = pickle.loads(pickle.dumps(as_model(np.sum, np.ones_like, 2)))
    assert model.energy(np.array([1.0, 2.0])) == 3.0


# --- check_point ----------------------------------------------------------------------------------------------------------


def test_check_point_makes_a_private_copy():
    given = np.arange(3.0)
    point = check_point(given, 3)
    point[0] = 7.0
    assert given[0] == 0.0
    assert check_point([1, 2, 3], 3).dtype == np.float64
    assert check_point(np.zeros((6, 2))[:, 0], 6).flags.c_contiguous


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ([1.0, 2.0], ValueError, r"x0: got shape \(2,\), expected \(3,\)"),
        ([[1.0, 2.0, 3.0]], ValueError, r"x0: got shape \(1, 3\), expected \(3,\)"),
        ([1.0, np.nan, np.inf], ValueError, "x0: 2 of 3 entries are NaN or infinite, the first at position 1"),
        (np.zeros(3, complex), TypeError, r"x0: got dtype complex128, expected real numbers \(float64\)"),
        (["a", "b", "c"], TypeError, "x0: got dtype"),
        (None, TypeError, "x0: got dtype object"),
        ([True, False, True], TypeError, "x0: got dtype bool"),
    ],
)
def test_check_point_says_what_is_wrong(x, error, message):
    with pytest.raises(error, match=message):
        check_point(x, 3)
    with pytest.raises(error, match=message.replace("x0", "start")):
        check_point(x, 3, "start")


# --- check_is_model -------------------------------------------------------------------------------------------------------


class Parts:
    """What a model may be put together from, right and wrong."""

    def energy(self, x):
        return float(x @ x)

    def gradient(self, x, out=None):
        return np.copyto(np.empty(2) if out is None else out, 2.0 * x)

    def short_gradient(self, x):
        return 2.0 * x

    def array_energy(self, x):
        return x**2


def built(*bases, **members):
    """An object of a class named Bowl."""
    return type("Bowl", bases or (EnergyModel,), members)()


RIGHT = {"dim": 2, "energy": Parts.energy, "gradient": Parts.gradient}
NO_MODELS = {
    "a class": (MuellerBrown, TypeError, r"model: got the class MuellerBrown, expected an object: MuellerBrown\(\.\.\.\)"),
    "a name": ("MuellerBrown", TypeError, "model: got str, which has no 'dim', expected an EnergyModel"),
    "no dim": (built(**{**RIGHT, "__annotations__": {}, "dim": property()}), TypeError, "model: got Bowl, which has no 'dim'"),
    "a wrong dim": (built(**{**RIGHT, "dim": 2.0}), ValueError, "dim: got 2.0, expected a positive integer"),
    "no gradient": (
        built(dim=2, energy=Parts.energy),
        TypeError,
        r"Bowl, which has no 'gradient', expected .* gradient\(x, out=None\)",
    ),
    "no energy": (built(dim=2, gradient=Parts.gradient), TypeError, "Bowl, which has no 'energy'"),
    "no model": (built(object, **RIGHT), TypeError, "Bowl, which has no 'energy_gradient', expected an EnergyModel"),
    "a gradient without out": (
        built(**{**RIGHT, "gradient": Parts.short_gradient}),
        TypeError,
        r"Bowl with gradient\(x\), expected gradient\(x, out=None\), with the result written into out where one is given",
    ),
    "a short product": (
        built(**RIGHT, hvp=Parts.gradient),
        TypeError,
        r"Bowl with hvp\(x, out=None\), expected hvp\(x, v, out=None\)",
    ),
    "a long Hessian": (built(**RIGHT, hessian=lambda self, x, v: None), TypeError, r"hessian\(x, v\), expected hessian\(x\)$"),
}


@pytest.mark.parametrize(("model", "error", "message"), NO_MODELS.values(), ids=NO_MODELS)
def test_every_entrance_refuses_what_is_no_model(model, error, message):
    entrances = (
        lambda: explore(model, [0.1, 0.2]),
        lambda: search(model, [0.1, 0.2], HiSD(1)),
        lambda: check_model(model),
        lambda: plotting.plot_contour(model),
    )
    for enter in entrances:
        with pytest.raises(error, match=message):
            enter()


@pytest.mark.parametrize("model", [built(**{**RIGHT, "energy": Parts.array_energy}), as_model(lambda x: x**2, gradient, 2)])
def test_an_energy_that_is_no_number_is_refused_at_once(model):
    message = r"energy: the model returned an array of shape \(2,\), expected a number \(float\)"
    for enter in (lambda: explore(model, [0.1, 0.2]), lambda: search(model, [0.1, 0.2], HiSD(1))):
        with pytest.raises(TypeError, match=message):
            enter()


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1.0), np.array(1.0)])
def test_numbers_of_all_kinds_are_energies(value):
    assert as_model(lambda x: value, gradient, 2).energy(np.zeros(2)) == 1.0


@pytest.mark.parametrize(
    ("value", "got"),
    [(None, "None"), (1j, "1j"), ("1.0", "'1.0'"), (np.complex128(1j), ".*1j.*"), (np.ones(1), "an array of shape .1,.")],
)
def test_what_is_no_number_is_named(value, got):
    with pytest.raises(TypeError, match=f"energy: the model returned {got}, expected a number"):
        as_model(lambda x: value, gradient, 2).energy(np.zeros(2))


# --- the base class -------------------------------------------------------------------------------------------------------


def test_the_least_a_model_needs():
    class Least(EnergyModel):
        dim = 2

        def energy(self, x):
            return float(x @ x)

        def gradient(self, x, out=None):
            out = np.empty(2) if out is None else out
            out[:] = 2.0 * x
            return out

    model, out = Least(), np.empty(2)
    assert model.energy_gradient(np.array([1.0, 2.0]), out) == 5.0
    assert out == pytest.approx([2.0, 4.0])
    assert model.mass == 1.0 and model.symmetry is None and model.kernels is None and not hasattr(model, "hvp")
    with pytest.raises(ValueError, match=r"start: Least knows no start named 'top'; it knows \[\]"):
        model.start("top")


def test_a_compiled_model_has_its_products_from_its_kernels():
    model = MuellerBrown()
    x, v, out = np.array([0.1, 0.4]), np.array([1.0, -2.0]), np.empty(2)
    step = 1e-5
    difference = (model.gradient(x + step * v) - model.gradient(x - step * v)) / (2.0 * step)
    assert model.hvp(x, v) == pytest.approx(difference, rel=1e-7)
    assert model.hvp(x, v, out) is out


def test_only_parameters_travel_when_a_model_is_pickled():
    model = DoubleWells((1.0, 2.0))
    assert model.params[0] == pytest.approx([1.0, 2.0])
    assert set(model.__getstate__()) == {"weights"}
    again = pickle.loads(pickle.dumps(model))
    assert again == model and again.energy(np.zeros(2)) == 3.0
