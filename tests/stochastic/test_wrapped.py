"""Models made from another one: all its members, compiled without compiling anything for the pair, sent, stored and rebuilt."""

import json
import pickle

import numpy as np
import pytest

from saddlescape import FunctionValues, HiSD, NoisyModel, RandomQuadrature, as_model, check_model, load_model, search
from saddlescape.models import (
    ArctanWells,
    Butterfly,
    DoubleWells,
    ModifiedRosenbrock,
    MuellerBrown,
    PhaseField,
    ReducedLandauDeGennes,
)
from saddlescape.naming import model_name, model_parameters

INNER = [
    MuellerBrown(),
    DoubleWells((1.0, 0.3, 2.0)),
    ArctanWells(((0.8, -0.2), (-0.2, 0.5)), 5.0),
    ModifiedRosenbrock((-5.0,) * 4),
]
SOURCES = [
    pytest.param(lambda m: NoisyModel(m, 0.7), id="noise"),
    pytest.param(lambda m: NoisyModel(m, 0.7, 1.3), id="noise on both"),
    pytest.param(lambda m: FunctionValues(m, 0.03), id="values"),
    pytest.param(lambda m: NoisyModel(FunctionValues(NoisyModel(m, 2.0), 0.03), 0.7, 1.3), id="three deep"),
]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("inner", INNER, ids=lambda m: type(m).__name__)
def test_kernels_are_the_methods(inner, source):
    """The same samples from the same stream, the same estimates from the same sample, the inner model's own derivatives."""
    model, kernels = source(inner), source(inner).kernels
    streams = np.random.default_rng(3), np.random.default_rng(3)
    points = np.random.default_rng(1)
    sample, out = np.empty(model.sample_size), np.empty(model.dim)
    for _ in range(5):
        x, v = 0.7 * points.standard_normal((2, model.dim))
        kernels.draw(model.params, streams[0], sample)
        np.testing.assert_array_equal(sample, model.draw(streams[1]))
        kernels.stochastic_gradient(x, model.params, sample, out)
        np.testing.assert_allclose(out, model.stochastic_gradient(x, sample), rtol=1e-11, atol=1e-10)
        kernels.stochastic_hvp(x, v, model.params, sample, out)
        expected = model.stochastic_hvp(x, v, sample)
        np.testing.assert_allclose(out, expected, rtol=1e-8, atol=1e-9 * max(1.0, np.abs(expected).max()))
        # To the bit: nothing of the model changes.
        assert kernels.energy(x, model.params) == model.energy(x) == inner.energy(x)
        assert kernels.energy_gradient(x, model.params, out) == inner.energy_gradient(x, np.empty(model.dim))
        np.testing.assert_array_equal(out, model.gradient(x))
        kernels.gradient(x, model.params, out)
        np.testing.assert_array_equal(out, inner.gradient(x))
        kernels.hvp(x, v, model.params, out)
        np.testing.assert_array_equal(out, inner.hvp(x, v))


@pytest.mark.parametrize("source", SOURCES)
def test_estimates_write_into_the_array_given(source):
    model, rng = source(Butterfly()), np.random.default_rng(0)
    x, v, w = np.array([0.3, 0.4]), np.array([1.0, -2.0]), model.draw(rng)
    out = np.empty(2)
    assert model.stochastic_gradient(x, w, out) is out
    np.testing.assert_array_equal(out, model.stochastic_gradient(x, w))
    assert model.stochastic_hvp(x, v, w, out) is out
    np.testing.assert_array_equal(out, model.stochastic_hvp(x, v, w))


@pytest.mark.parametrize("source", SOURCES[:3])
def test_models_of_plain_functions_work_interpreted(source):
    inner = Butterfly()
    plain = as_model(inner.energy, inner.gradient, 2, hvp=inner.hvp)
    interpreted, compiled = source(plain), source(inner)
    assert interpreted.kernels is None and compiled.kernels is not None and interpreted.deterministic
    assert interpreted.sample_size == compiled.sample_size
    x, v = np.array([0.3, 0.4]), np.array([1.0, -2.0])
    samples = [m.draw(np.random.default_rng(0)) for m in (interpreted, compiled)]
    np.testing.assert_array_equal(*samples)
    np.testing.assert_array_equal(*[m.stochastic_gradient(x, samples[0]) for m in (interpreted, compiled)])
    np.testing.assert_array_equal(*[m.stochastic_hvp(x, v, samples[0]) for m in (interpreted, compiled)])


@pytest.mark.parametrize("source", SOURCES[:3])
@pytest.mark.parametrize("inner", [ReducedLandauDeGennes(9, 30.0), PhaseField(8, 0.02)], ids=lambda m: type(m).__name__)
def test_all_members_of_a_field_are_kept(inner, source):
    model, x = source(inner), np.sin(np.arange(float(inner.dim)))
    assert (model.dim, model.mass, model.symmetry, model.coercive) == (inner.dim, inner.mass, inner.symmetry, inner.coercive)
    assert model.start_names == inner.start_names
    np.testing.assert_array_equal(model.default_start(), inner.default_start())
    for name in inner.start_names:
        np.testing.assert_array_equal(model.start(name), inner.start(name))
    assert np.abs(model.hessian(x) - inner.hessian(x)).max() == 0.0
    np.testing.assert_array_equal(model.preconditioner(x).solve(x), inner.preconditioner(x).solve(x))
    assert hasattr(model, "zero_modes") == hasattr(inner, "zero_modes")
    mine, own = model.unpack(x), inner.unpack(x)
    assert mine.keys() == own.keys()
    for name in own:
        np.testing.assert_array_equal(mine[name], own[name])
    with pytest.raises(ValueError, match=f"start: {type(inner).__name__} knows no start named 'nowhere'"):
        model.start("nowhere")


def test_what_the_model_lacks_is_lacking():
    model = NoisyModel(as_model(lambda x: 0.5 * x @ x, lambda x: x, 3))
    for name in ("hvp", "hessian", "preconditioner", "zero_modes", "unpack", "stochastic_hvp", "no_such_member"):
        assert not hasattr(model, name)


@pytest.mark.parametrize("source", SOURCES)
def test_derivatives_pass_the_check(source):
    report = check_model(source(Butterfly()), np.array([0.3, 0.4]))
    assert report.ok, report


@pytest.mark.parametrize("source", SOURCES)
def test_a_deterministic_search_takes_no_notice(source):
    x0 = np.array([-0.8, 0.6])
    mine, own = (search(m, x0, HiSD(1)) for m in (source(MuellerBrown()), MuellerBrown()))
    np.testing.assert_array_equal(mine.x, own.x)
    assert mine.n_steps == own.n_steps


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("inner", [MuellerBrown(), DoubleWells((1.0, 0.3, 2.0))], ids=lambda m: type(m).__name__)
def test_pickled_and_rebuilt_models_are_equal(inner, source):
    model = source(inner)
    _ = model.params, model.kernels  # derived, and of this process: addresses do not travel
    sent = pickle.dumps(model)
    assert b"params" not in sent
    stored = json.loads(json.dumps(model_parameters(model)))
    x, w = np.full(inner.dim, 0.3), model.draw(np.random.default_rng(0))
    for copy in (pickle.loads(sent), load_model(model_name(model), stored)):
        assert copy == model and hash(copy) == hash(model)
        np.testing.assert_array_equal(copy.stochastic_gradient(x, w), model.stochastic_gradient(x, w))


def test_a_source_of_a_model_from_a_file_is_rebuilt(tmp_path):
    (tmp_path / "bowl.py").write_text(
        "from dataclasses import dataclass\nfrom saddlescape import EnergyModel\n\n\n"
        "@dataclass(frozen=True)\nclass Bowl(EnergyModel):\n    stiffness: float = 1.0\n    dim = 2\n\n"
        "    def energy(self, x):\n        return 0.5 * self.stiffness * x @ x\n\n"
        "    def gradient(self, x, out=None):\n        import numpy as np\n\n"
        "        return np.multiply(self.stiffness, x, out=out)\n"
    )
    inner = {"name": "bowl.py:Bowl", "params": {"stiffness": 3.0}}
    model = load_model("saddlescape.stochastic.NoisyModel", {"model": inner, "gradient_noise": 0.5}, base=tmp_path)
    assert model.energy(np.ones(2)) == 3.0 and model.gradient_noise == 0.5
    assert model_parameters(model)["model"] == inner


@pytest.mark.parametrize("source", [NoisyModel, FunctionValues, RandomQuadrature])
@pytest.mark.parametrize(("what", "got"), [(MuellerBrown, "the class MuellerBrown"), (lambda x: x, "function"), (None, "NoneType")])
def test_what_is_no_model_is_refused(source, what, got):
    with pytest.raises(TypeError, match=f"model: got {got}, expected an energy model; see as_model for plain functions"):
        source(what)
