"""`check_model` must pass what is right and name what is wrong."""

import numpy as np
import pytest

from saddlescape import NoisyModel, RandomQuadrature, check_model
from saddlescape.model import EnergyModel, as_model
from saddlescape.models import (
    Butterfly,
    ChafeeInfante,
    DoubleWells,
    MuellerBrown,
    PhaseField,
    ReducedLandauDeGennes,
    RobustRegression,
    TanhNetwork,
)
from saddlescape.numerics.check import gradient_consistent
from saddlescape.numerics.derivatives import Derivatives
from saddlescape.numerics.taylor import remainder_slope
from saddlescape.symmetry import Symmetry

COUPLING = np.array([[2.0, 0.5, 0.0], [0.5, -1.0, 0.3], [0.0, 0.3, 1.5]])


class Diagonal:
    """The preconditioner of a quartic model."""

    def __init__(self, entries):
        self.entries = np.asarray(entries)

    def solve(self, r, out=None):
        return np.divide(r, self.entries, out=out)

    def apply(self, v, out=None):
        return np.multiply(v, self.entries, out=out)


class Quartic(EnergyModel):
    """sum x^4 / 4 + x.A x / 2, whole and correct; the tests break one member each."""

    dim = 3
    mass = 0.5
    symmetry = Symmetry.generate(3, [([0, 1, 2], -1.0)])

    def energy(self, x):
        return float(0.25 * np.sum(x**4) + 0.5 * x @ COUPLING @ x)

    def gradient(self, x, out=None):
        return self._given(x**3 + COUPLING @ x, out)

    def hvp(self, x, v, out=None):
        return self._given(3.0 * x**2 * v + COUPLING @ v, out)

    def hessian(self, x):
        return np.diag(3.0 * x**2) + COUPLING

    def preconditioner(self, x):
        return Diagonal([2.0, 3.0, 4.0])

    def draw(self, rng):
        return rng.standard_normal(3)

    def stochastic_gradient(self, x, sample, out=None):
        return self._given(self.gradient(x) + 0.1 * sample, out)

    def stochastic_hvp(self, x, v, sample, out=None):
        return self._given(self.hvp(x, v) * (1.0 + 0.1 * sample), out)

    def _given(self, value, out):
        if out is None:
            return value
        out[:] = value
        return out


def failed_names(model, **options):
    return [check.name for check in check_model(model, **options).failures]


# --- what is right passes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model",
    [
        Quartic(),
        MuellerBrown(),
        Butterfly(),
        DoubleWells((1.0, 2.0, 3.0)),
        ChafeeInfante(15, 10.0),
        PhaseField(16, 0.02),
        ReducedLandauDeGennes(9, 10.0),
        TanhNetwork(),
        NoisyModel(Butterfly(), 0.3, 0.2),
        RandomQuadrature(ReducedLandauDeGennes(9, 10.0), 0.5),
    ],
    ids=lambda model: type(model).__name__,
)
def test_correct_models_pass(model):
    report = check_model(model)
    assert report.ok, str(report)
    assert report["gradient is the energy's"].measured == pytest.approx(2.0, abs=0.2)


def test_the_report_is_the_same_for_the_same_seed():
    assert str(check_model(Quartic(), rng=3)) == str(check_model(Quartic(), rng=np.random.default_rng(3)))


def test_every_member_of_the_quartic_is_checked():
    report = check_model(Quartic())
    absent = [check.name for check in report.checks if check.status == "not applicable"]
    assert absent == [
        "energy is constant along zero_modes",
        "kernels agree with methods",
        "stochastic kernels agree with methods",
    ]
    assert "Quartic, 3 unknowns: no check failed" in str(report)


def test_what_a_model_lacks_is_not_applicable():
    report = check_model(as_model(lambda x: float(x @ x), lambda x: 2.0 * x, 2))
    assert report.ok
    assert report["hvp is the gradient's"].status == "not applicable"
    assert report["symmetry keeps the energy"].detail == "the model has no symmetry"
    with pytest.raises(KeyError, match="no check is named hvp; there are: energy is a finite number, "):
        report["hvp"]


def test_a_linear_energy_passes_with_a_remainder_of_rounding():
    report = check_model(as_model(lambda x: float(x.sum()), np.ones_like, 3))
    assert report.ok and report["gradient is the energy's"].measured == np.inf


# --- what is wrong is caught and named ------------------------------------------------------------------------------------


def wrong_gradient(change):
    def gradient(self, x, out=None):
        return self._given(change(x**3 + COUPLING @ x), out)

    return type("Wrong", (Quartic,), {"gradient": gradient})()


@pytest.mark.parametrize(
    "change",
    [lambda g: -g, lambda g: 2.0 * g, lambda g: g * (1.0 + 1e-5), lambda g: g * np.array([1.0, 1.0, 1.001])],
    ids=["sign", "factor two", "one part in 1e5", "one component by 0.1 %"],
)
def test_a_wrong_gradient_is_caught(change):
    report = check_model(wrong_gradient(change))
    wrong = report["gradient is the energy's"]
    assert wrong.status == "failed"
    assert wrong.measured == pytest.approx(1.0, abs=0.1)
    assert "checks FAILED" in str(report)


def test_a_wrong_component_is_named():
    wrong = check_model(wrong_gradient(lambda g: g * np.array([1.0, -1.0, 1.0])))["gradient is the energy's"]
    assert "1 of 3 components differ; worst is component 1" in wrong.detail


def test_a_wrong_component_among_many_is_caught():
    weights = 1.0 + np.arange(600.0)
    model = as_model(lambda x: float(weights @ np.cos(x)), lambda x: -weights * np.sin(x) * (np.arange(600) != 77), 600)
    assert failed_names(model) == ["gradient is the energy's"]


def test_a_wrong_hvp_is_caught():
    class Wrong(Quartic):
        def hvp(self, x, v, out=None):
            return self._given(2.0 * x**2 * v + COUPLING @ v, out)

    assert failed_names(Wrong()) == ["hvp is the gradient's", "hessian agrees with hvp"]


def test_an_unsymmetric_hvp_is_caught():
    class Wrong(Quartic):
        def hvp(self, x, v, out=None):
            return self._given(3.0 * x**2 * v + np.triu(COUPLING) @ v, out)

    assert "hvp is symmetric" in failed_names(Wrong())


def test_a_wrong_or_unsymmetric_hessian_is_caught():
    class Wrong(Quartic):
        def hessian(self, x):
            return np.diag(3.0 * x**2) + np.triu(COUPLING)

    class Misshapen(Quartic):
        def hessian(self, x):
            return np.eye(2)

    assert failed_names(Wrong()) == ["hessian agrees with hvp", "hessian is symmetric"]
    assert check_model(Misshapen())["hessian agrees with hvp"].detail == "got shape (2, 2)"


def test_biased_stochastic_estimates_are_caught():
    class BiasedGradient(Quartic):
        def stochastic_gradient(self, x, sample, out=None):
            return self._given(self.gradient(x) + 0.1 * sample + np.array([0.0, 0.0, 0.05]), out)

    class BiasedProduct(Quartic):
        def stochastic_hvp(self, x, v, sample, out=None):
            return self._given(self.hvp(x, v) * (1.0 + 0.1 * sample**2), out)

    report = check_model(BiasedGradient())
    assert [check.name for check in report.failures] == ["stochastic_gradient is unbiased"]
    bias = report["stochastic_gradient is unbiased"]
    # Off by 0.05 where 400 draws of noise 0.1 have a mean good to 0.005: ten standard errors.
    assert bias.measured == pytest.approx(10.0, abs=3.0)
    assert f"{bias.measured:.3g}, expected at most 5.48; standard errors of the mean of 400 draws, component 2" in str(report)
    assert failed_names(BiasedProduct()) == ["stochastic_hvp is unbiased"]


def test_a_broken_symmetry_is_caught_with_its_element():
    class Wrong(Quartic):
        symmetry = Symmetry.generate(3, [([2, 1, 0], 1.0)])

    report = check_model(Wrong())
    assert [check.name for check in report.failures] == ["symmetry keeps the energy", "symmetry maps gradients"]
    assert report["symmetry keeps the energy"].detail == "element [1.0]"


def test_a_broken_translation_is_caught():
    chain = Symmetry.generate(8, grid=(8,))
    weights = 1.0 + 1e-3 * np.arange(8)
    model = as_model(lambda x: float(weights @ x**4), lambda x: 4.0 * weights * x**3, 8, symmetry=chain)
    assert "symmetry keeps the energy" in failed_names(model)


def test_a_symmetry_that_permutes_unequal_masses_is_caught():
    swap = Symmetry.generate(2, [([1, 0], 1.0)])
    model = as_model(lambda x: float(x @ x), lambda x: 2.0 * x, 2, symmetry=swap, mass=np.array([1.0, 2.0]))
    assert failed_names(model) == ["symmetry keeps the mass"]


def test_a_matching_function_that_changes_the_energy_is_caught():
    def circle(stretch):
        return Symmetry.by_matching(2, lambda x, y: stretch * np.linalg.norm(y) * x / np.linalg.norm(x))

    for stretch, wrong in ((1.0, []), (1.01, ["symmetry keeps the energy"])):
        assert failed_names(as_model(lambda x: float(x @ x), lambda x: 2.0 * x, 2, symmetry=circle(stretch))) == wrong


@pytest.mark.parametrize("entries", [[2.0, -3.0, 4.0], [2.0, 0.0, 4.0]])
def test_a_preconditioner_that_is_not_positive_is_caught(entries):
    class Wrong(Quartic):
        def preconditioner(self, x):
            return Diagonal(entries)

    assert any(name.startswith("preconditioner") for name in failed_names(Wrong()))


def test_a_preconditioner_whose_solve_is_not_its_inverse_is_caught():
    class Half(Diagonal):
        def solve(self, r, out=None):
            return 0.5 * r / self.entries

    class Wrong(Quartic):
        def preconditioner(self, x):
            return Half([2.0, 3.0, 4.0])

    assert failed_names(Wrong()) == ["preconditioner: solve undoes apply"]


@pytest.mark.parametrize("mass", [-1.0, 0.0, np.nan, np.array([1.0, 2.0])])
def test_a_wrong_mass_is_caught(mass):
    model = as_model(lambda x: float(x @ x), lambda x: 2.0 * x, 3, mass=mass)
    assert "mass is positive" in failed_names(model)


def test_zero_modes_along_which_the_energy_changes_are_caught():
    class Rotating(EnergyModel):
        dim = 2

        def energy(self, x):
            return float((x @ x - 1.0) ** 2)

        def gradient(self, x, out=None):
            out = np.empty(2) if out is None else out
            out[:] = 4.0 * (x @ x - 1.0) * x
            return out

        def zero_modes(self, x):
            return np.array([[-x[1], x[0]]])

    class Wrong(Rotating):
        def zero_modes(self, x):
            return np.array([[x[1], x[0]]])

    assert check_model(Rotating())["energy is constant along zero_modes"].status == "passed"
    assert failed_names(Wrong()) == ["energy is constant along zero_modes"]


def test_a_model_that_changes_the_point_is_caught():
    class Wrong(Quartic):
        def hvp(self, x, v, out=None):
            x[1] += 1e-9
            return super().hvp(x, v, out)

    report = check_model(Wrong())
    assert report["hvp: x unchanged"].status == "failed"
    assert report["gradient is the energy's"].status == "passed"


def test_an_out_argument_that_is_not_filled_is_caught():
    class Wrong(Quartic):
        def gradient(self, x, out=None):
            return x**3 + COUPLING @ x

    assert "gradient fills out" in failed_names(Wrong())


def test_kernels_that_differ_from_the_methods_are_caught():
    class Wrong(MuellerBrown):
        def hvp(self, x, v, out=None):
            out = super()._compiled_hvp(x, v, out)
            out *= 1.5
            return out

    assert "kernels agree with methods" in failed_names(Wrong())


def test_stochastic_kernels_that_differ_from_the_methods_are_caught():
    class OtherSample(RobustRegression):
        def draw(self, rng):
            return np.roll(super().draw(rng), 1)

    class ShortSample(RobustRegression):
        def draw(self, rng):
            return super().draw(rng)[1:]

    class OtherGradient(RobustRegression):
        def stochastic_gradient(self, x, sample, out=None):
            return super().stochastic_gradient(x, sample[1:], out)  # unbiased as well, but of one row less

    assert failed_names(OtherSample()) == ["kernels draw what draw does"]
    assert failed_names(ShortSample()) == ["kernels draw what draw does"]
    assert check_model(ShortSample())["kernels draw what draw does"].detail == "got shape (9,)"
    assert failed_names(OtherGradient()) == ["stochastic kernels agree with methods"]


def test_non_finite_values_fail():
    report = check_model(as_model(lambda x: float("nan"), lambda x: np.full(2, np.inf), 2))
    assert report["energy is a finite number"].status == "failed"
    assert report["gradient is a finite vector"].status == "failed"
    assert report["gradient is the energy's"].status == "failed"


def test_an_energy_that_is_an_array_is_named():
    report = check_model(as_model(lambda x: x**2, lambda x: 2.0 * x, 2))
    assert report["values"].detail == "TypeError: energy: the model returned an array of shape (2,), expected a number (float)"


def test_an_exception_of_the_model_is_quoted():
    class Wrong(Quartic):
        def hvp(self, x, v, out=None):
            raise ZeroDivisionError("no product today")

    report = check_model(Wrong())
    assert report["hvp"].detail == "ZeroDivisionError: no product today"
    assert report["gradient is the energy's"].status == "passed"


def test_wrong_input_is_refused():
    with pytest.raises(TypeError, match="model: got float, which has no 'dim', expected an EnergyModel"):
        check_model(1.0)
    with pytest.raises(ValueError, match=r"x: got shape \(2,\), expected \(3,\)"):
        check_model(Quartic(), x=[0.0, 1.0])
    with pytest.raises(ValueError, match="x: 1 of 3 entries are NaN or infinite"):
        check_model(Quartic(), x=[0.0, 1.0, np.nan])
    with pytest.raises(TypeError, match="x: got dtype complex128"):
        check_model(Quartic(), x=np.zeros(3, complex))


# --- the parts ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1.0, 2.0, 3.0])
def test_remainder_slope_is_the_order(order):
    slope = remainder_slope(lambda t: 3.0 * t**order, 1e-17, 1.0)
    assert slope.order == pytest.approx(order, abs=1e-10)


def test_remainder_slope_sees_a_small_first_order_error_below_a_large_second_order():
    assert remainder_slope(lambda t: t**2 + 1e-6 * t, 1e-16, 1.0).order == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("rng", range(5))
def test_gradient_consistent_tells_right_from_wrong(rng):
    for model in (Quartic(), MuellerBrown(), PhaseField(16, 0.02), ReducedLandauDeGennes(9, 10.0)):
        x = np.full(model.dim, 0.3)
        consistent, ratio = gradient_consistent(model, x, rng)
        assert consistent and ratio == pytest.approx(1.0, abs=1e-5)
    x = np.array([0.3, -0.4, 0.5])
    assert gradient_consistent(wrong_gradient(lambda g: -g), x, rng) == (False, pytest.approx(-1.0, rel=1e-5))
    assert gradient_consistent(Derivatives(wrong_gradient(lambda g: 2.0 * g)), x, rng) == (False, pytest.approx(2.0, rel=1e-5))


def test_gradient_consistent_looks_beside_a_stationary_point():
    assert gradient_consistent(Quartic(), np.zeros(3)) == (True, pytest.approx(1.0, abs=1e-5))
    assert not gradient_consistent(wrong_gradient(lambda g: -g), np.zeros(3))[0]


def test_gradient_consistent_of_a_constant_cannot_be_told():
    consistent, ratio = gradient_consistent(as_model(lambda x: 5.0, np.zeros_like, 2), np.zeros(2))
    assert consistent and np.isnan(ratio)


# --- stochastic estimates alone -------------------------------------------------------------------------------------------


class Measured(EnergyModel):
    """Estimates of the gradient of |x|^4 / 4 without energy or gradient: the noise is one number that scales everything."""

    dim = 3
    bias = 0.0

    def draw(self, rng):
        return 1.0 + 0.3 * rng.standard_normal()

    def stochastic_gradient(self, x, sample, out=None):
        return sample * np.dot(x, x) * x

    def stochastic_hvp(self, x, v, sample, out=None):
        return (sample + self.bias) * (np.dot(x, x) * v + 2.0 * np.dot(x, v) * x)


def test_estimates_alone_are_held_against_each_other():
    report = check_model(Measured())
    assert report.ok, report
    assert report["stochastic_hvp is the change of stochastic_gradient"].measured < 1.0


def test_products_that_are_no_change_of_the_gradient_are_caught():
    class Biased(Measured):
        bias = 0.1

    report = check_model(Biased())
    assert [check.name for check in report.failures] == ["stochastic_hvp is the change of stochastic_gradient"]


def test_a_gradient_estimate_of_the_wrong_shape_is_caught():
    class Short(Measured):
        def stochastic_gradient(self, x, sample, out=None):
            return sample * x[:2]

    assert "stochastic_gradient is a finite vector" in failed_names(Short())
