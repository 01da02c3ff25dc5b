"""Models by name and from a file, and back."""

from dataclasses import replace

import numpy as np
import pytest

from saddlescape import NoisyModel, load_model
from saddlescape.landscape.info import ModelInfo
from saddlescape.models import DoubleWells, MuellerBrown, ReducedLandauDeGennes
from saddlescape.naming import differences, load_again, model_name, model_parameters, outside_name, parameters_digest

SOURCE = """
from dataclasses import dataclass

import numpy as np

from saddlescape.model import EnergyModel


@dataclass(frozen=True)
class Bowl(EnergyModel):
    stiffness: float = 1.0
    dim: int = 2

    def energy(self, x):
        return 0.5 * self.stiffness * float(x @ x)

    def gradient(self, x, out=None):
        out = np.empty(self.dim) if out is None else out
        out[:] = self.stiffness * x
        return out


class NoModel:
    pass
"""


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "bowl.py"
    path.write_text(SOURCE)
    return path


def test_shipped_models_load_by_name():
    assert isinstance(load_model("MuellerBrown"), MuellerBrown)
    assert isinstance(load_model("saddlescape.models.MuellerBrown"), MuellerBrown)
    assert load_model("DoubleWells", {"weights": [1.0, 2.0]}) == DoubleWells((1.0, 2.0))


def test_a_model_is_loaded_from_a_file(model_file):
    model = load_model(f"{model_file}:Bowl", {"stiffness": 3.0})
    assert model.energy(np.array([1.0, 1.0])) == 3.0
    assert model_name(model) == f"{model_file.resolve()}:Bowl"
    assert load_model("bowl.py:Bowl", base=model_file.parent) == load_model(f"{model_file}:Bowl")
    # One module per file, however often it is loaded: its kernels would be compiled twice otherwise.
    assert type(load_model(f"{model_file}:Bowl")) is type(model)


def test_name_and_parameters_build_the_model_again(model_file):
    for model in (load_model(f"{model_file}:Bowl", {"stiffness": 2.5}), DoubleWells((1.0, 2.5))):
        again = load_model(model_name(model), model_parameters(model))
        assert again == model and type(again) is type(model)
        assert digest_of(again) == digest_of(model)
    assert digest_of(DoubleWells((1.0, 2.0))) != digest_of(DoubleWells((2.0, 1.0)))


def digest_of(model):
    return parameters_digest(model, model_parameters(model))


def test_a_landscape_outlives_new_parameters_with_defaults():
    """One made before its model had a parameter goes on with the default of it, and with nothing else."""
    old = {"n": 9, "lambda2": 5.0, "corner": 0.1, "domain": ["square"]}
    info = replace(
        ModelInfo.of(ReducedLandauDeGennes(9, 5.0), None),
        params=old,
        params_sha256=parameters_digest(ReducedLandauDeGennes(9, 5.0), old),
    )
    info.check(ReducedLandauDeGennes(9, 5.0))
    with pytest.raises(ValueError, match=r"with strength = 3.0, .*but this landscape was made with strength = <none>"):
        info.check(ReducedLandauDeGennes(9, 5.0, strength=3.0))
    with pytest.raises(ValueError, match=r"with lambda2 = 6.0, but this landscape was made with lambda2 = 5.0; pass"):
        info.check(ReducedLandauDeGennes(9, 6.0))


def test_a_broken_file_leaves_no_half_loaded_module(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("raise RuntimeError('half way')")
    for _ in range(2):
        with pytest.raises(ImportError, match=r"model file .*broken\.py could not be imported: RuntimeError: half way"):
            load_model(f"{path}:Bowl")
    path.write_text(SOURCE)
    assert load_model(f"{path}:Bowl").dim == 2


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("PhaseField", {"n": 16, "kappa": "0.02"}, "model parameter 'kappa': got '0.02', expected a number"),
        ("PhaseField", {"n": True, "kappa": 0.02}, "model parameter 'n': got True, expected an integer"),
        ("MulerBrown", {}, r"model 'MulerBrown' is not shipped \(did you mean 'MuellerBrown'\?\)"),
        ("saddlescape.models.Nonsense", {}, "a model of your own is named path/file.py:Class"),
        (
            "DoubleWells",
            {"weigths": [1.0]},
            r"'weigths' is unknown to DoubleWells \(did you mean 'weights'\?\); it takes \['weights'\]",
        ),
        ("DoubleWells", {}, r"model 'DoubleWells' could not be built from \{\}: .*weights"),
    ],
)
def test_load_model_suggests_what_may_be_meant(name, parameters, message):
    with pytest.raises(ValueError, match=message):
        load_model(name, parameters)


def test_load_model_says_what_a_file_has(model_file):
    with pytest.raises(FileNotFoundError, match=r"none\.py does not exist"):
        load_model(f"{model_file.parent / 'none.py'}:Bowl")
    with pytest.raises(ValueError, match=r"has no class 'Bow' \(did you mean 'Bowl'\?\); its models are \['Bowl'\]"):
        load_model(f"{model_file}:Bow")
    for name in (str(model_file), f"{model_file}:"):
        with pytest.raises(
            ValueError, match=r"the name of the class is missing, expected .*bowl\.py:Class; its models are \['Bowl'\]"
        ):
            load_model(name)
    with pytest.raises(ValueError, match="dataclass is no class but of type function"):
        load_model(f"{model_file}:dataclass")
    with pytest.raises(TypeError, match="model: got NoModel, which has no 'dim'"):
        load_model(f"{model_file}:NoModel")


def test_imported_classes_are_no_models_of_a_file(tmp_path):
    path = tmp_path / "object.py"
    path.write_text(
        "from saddlescape import FiniteSum, NoisyModel\nfrom saddlescape.models import Butterfly\nmodel = Butterfly()\n"
    )
    with pytest.raises(ValueError, match="model is no class but of type Butterfly; it defines no subclass of EnergyModel"):
        load_model(f"{path}:model")


def test_what_differs_between_parameters_is_named_and_short():
    made = {"weights": list(range(1000)), "kind": "disk", "model": {"name": "Bowl", "params": {"stiffness": 2.0}}}
    given = {"weights": [*range(999), -1], "kind": "disk", "model": {"name": "Bowl", "params": {"stiffness": 3.0}}}
    assert differences(made, made) == []
    assert differences(given, made) == [("weights[999]", "-1", "999"), ("model.stiffness", "3.0", "2.0")]
    ((name, here, there),) = differences({"weights": [1.0]}, {"weights": made["weights"]})
    assert (name, here) == ("weights", "[1.0]") and len(there) == 40
    assert differences({"a": 1}, {}) == [("a", "1", "<none>")]


def test_load_model_says_why_a_module_cannot_be_imported(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "halved_by_zero.py").write_text("half = 1 / 0")
    (tmp_path / "without_models.py").write_text("half = 1 / 2")
    with pytest.raises(ImportError, match=r"model 'halved_by_zero\.Half': .* could not be imported: ZeroDivisionError"):
        load_model("halved_by_zero.Half")
    with pytest.raises(ImportError, match=r"nowhere could not be imported: ModuleNotFoundError: No module named 'nowhere'"):
        load_model("nowhere.Half")
    with pytest.raises(ValueError, match="without_models has no class 'Half'; it defines no subclass of EnergyModel"):
        load_model("without_models.Half")


def test_a_source_is_built_again_around_a_model_that_is_named(model_file):
    model = NoisyModel(load_model(f"{model_file}:Bowl", {"stiffness": 2.0}), 0.5)
    assert outside_name(model) == model_name(model.model) and outside_name(NoisyModel(MuellerBrown())) is None
    again = load_again(f"{model_file}:Bowl", model_name(model), model_parameters(model))
    assert again == model
    with pytest.raises(ValueError, match=r"got MuellerBrown, but this landscape was made with bowl\.py:Bowl"):
        load_again("MuellerBrown", model_name(model), model_parameters(model))


def test_what_a_file_names_inside_a_model_is_not_imported(model_file):
    parameters = {"stiffness": {"name": "evil.py:Payload", "params": {}}}
    with pytest.raises(ValueError, match=r"evil\.py:Payload is not shipped and is never imported from a file"):
        load_again(f"{model_file}:Bowl", "bowl.py:Bowl", parameters)
