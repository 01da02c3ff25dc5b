"""Run files: what they say is what is run, and every mistake is named."""

from pathlib import Path

import numpy as np
import pytest

from saddlescape import (
    DownwardSearch,
    ECDExplorer,
    FunctionValues,
    HiSD,
    NoisyModel,
    RandomQuadrature,
    SHiSD,
    UpwardSearch,
)
from saddlescape.landscape.runfile import read_run_file
from saddlescape.models import MuellerBrown, ReducedLandauDeGennes
from saddlescape.parts import (
    LOBPCG,
    BarzilaiBorwein,
    Constant,
    Decaying,
    DoublingBatch,
    EigenvectorSearch,
    Estimated,
    FixedStep,
    HeavyBall,
    PowerStep,
)
from saddlescape.symmetry import Symmetry

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def run_file(tmp_path):
    def write(text, name="run.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_the_example_of_the_design_is_read_as_it_stands():
    run = read_run_file(EXAMPLES / "ldg_square.toml")
    model = run.build_model()
    assert (type(model).__name__, model.n, model.lambda2, model.corner) == ("ReducedLandauDeGennes", 33, 30.0, 0.1)
    assert (run.explore.max_index, run.explore.upward, run.explore.workers, run.explore.seed) == (4, False, 1, 0)
    assert run.start(model) == "wors"
    assert run.build_method() == HiSD()
    assert (run.store, run.output.figure) == (Path("ldg_square.h5"), "ldg_square.png")


def test_only_the_model_is_needed(run_file):
    run = read_run_file(run_file('[model]\nname = "MuellerBrown"\n'))
    assert run.start(run.build_model()) is None
    assert run.explore.max_index is None and run.explore.seed == 0 and run.output.figure is None
    assert run.store == Path("run.h5")
    assert run.build_method() == HiSD()


@pytest.mark.parametrize("eigen", [LOBPCG(), PowerStep()], ids=repr)
@pytest.mark.parametrize("step", [BarzilaiBorwein(), FixedStep()], ids=repr)
def test_parts_are_names(run_file, eigen, step):
    method = f'[method]\nname = "HiSD"\neigen = "{type(eigen).__name__}"\nstep = "{type(step).__name__}"\npreconditioned = false\n'
    built = read_run_file(run_file('[model]\nname = "MuellerBrown"\n' + method)).build_method()
    assert built == HiSD(eigen=eigen, step=step, preconditioned=False)


def test_parts_are_tables(run_file):
    method = '[method]\nname = "HiSD"\nstep = {name = "FixedStep", size = 1}\nmomentum = {name = "HeavyBall", momentum = 0.5}\n'
    built = read_run_file(run_file('[model]\nname = "MuellerBrown"\n' + method)).build_method()
    assert built == HiSD(step=FixedStep(1.0), momentum=HeavyBall(0.5))


SHISD = '[method]\nname = "SHiSD"\n'
SHISD_PARTS = {
    "": SHiSD(),
    'step = "Estimated"': SHiSD(step=Estimated()),
    'step = {name = "Decaying", gamma = 0.5, p = 0.8}': SHiSD(step=Decaying(0.5, p=0.8)),
    'step = {name = "Constant", size = 1}\ncap = 0.1': SHiSD(step=Constant(1.0), cap=0.1),
    "samples = 8\npreconditioned = false": SHiSD(samples=8, preconditioned=False),
    'samples = {name = "DoublingBatch", every = 100}': SHiSD(samples=DoublingBatch(every=100)),
    'eigen = {name = "EigenvectorSearch", inner = 5, step = {name = "Decaying", gamma = 0.3, p = 0.7}}': SHiSD(
        eigen=EigenvectorSearch(step=Decaying(0.3, p=0.7), inner=5)
    ),
}


@pytest.mark.parametrize("text", SHISD_PARTS)
def test_the_stochastic_method_is_built_from_its_parts(run_file, text):
    built = read_run_file(run_file(f'[model]\nname = "MuellerBrown"\n{SHISD}{text}\n')).build_method()
    assert built == SHISD_PARTS[text]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ('name = "NoisyModel"\ngradient_noise = 2\nhessian_noise = 0.5', NoisyModel(MuellerBrown(), 2.0, 0.5)),
        ('name = "FunctionValues"\nlength = 1e-3', FunctionValues(MuellerBrown(), 1e-3)),
    ],
    ids=["noise", "function values"],
)
def test_a_stochastic_model_is_made_from_the_model(run_file, table, expected):
    path = run_file(f'[model]\nname = "MuellerBrown"\n[stochastic]\n{table}\n{SHISD}')
    assert read_run_file(path).build_model() == expected


def test_a_field_takes_random_quadrature(run_file):
    text = (
        '[model]\nname = "ReducedLandauDeGennes"\nn = 9\nlambda2 = 7.0\n[stochastic]\nname = "RandomQuadrature"\nfraction = 0.25\n'
    )
    run = read_run_file(run_file(text + SHISD + '[explore]\nstart = "wors"\n'))
    model = run.build_model()
    assert model == RandomQuadrature(ReducedLandauDeGennes(9, 7.0), 0.25) and run.start(model) == "wors"


def test_function_values_need_no_gradient(run_file):
    source = "from saddlescape.model import EnergyModel\nfrom dataclasses import dataclass\n"
    source += "@dataclass(frozen=True)\nclass Bowl(EnergyModel):\n    dim: int = 3\n"
    source += "    def energy(self, x):\n        return float(x @ x)\n"
    path = run_file(f'[model]\nname = "values.py:Bowl"\n[stochastic]\nname = "FunctionValues"\n{SHISD}')
    path.with_name("values.py").write_text(source)
    model = read_run_file(path).build_model()
    assert isinstance(model, FunctionValues) and not model.deterministic


@pytest.mark.parametrize(
    ("text", "expected"), [("[0.5, -1]", [0.5, -1.0]), ("[[0.5, -1], [2, 3.0]]", [[0.5, -1.0], [2.0, 3.0]])], ids=["one", "several"]
)
def test_starts_are_points(run_file, text, expected):
    run = read_run_file(run_file(f'[model]\nname = "MuellerBrown"\n[explore]\nstart = {text}\n'))
    start = run.start(run.build_model())
    np.testing.assert_array_equal(start, expected)
    assert all(point.dtype == np.float64 for point in np.atleast_2d(start))
    assert isinstance(start, list) == isinstance(expected[0], list)


def test_a_model_file_is_found_beside_the_run_file(run_file, monkeypatch):
    source = "from saddlescape.model import EnergyModel\nfrom dataclasses import dataclass\n"
    source += "@dataclass(frozen=True)\nclass Bowl(EnergyModel):\n    dim: int = 3\n"
    source += "    def energy(self, x):\n        return 0.0\n    def gradient(self, x, out=None):\n        return 0.0 * x\n"
    path = run_file('[model]\nname = "bowl.py:Bowl"\ndim = 5\n')
    path.with_name("bowl.py").write_text(source)
    monkeypatch.chdir(path.parent.parent)
    assert read_run_file(path).build_model().dim == 5


MODEL = '[model]\nname = "MuellerBrown"\n'
MISTAKES = {
    "not TOML": ("[model\n", ["run.toml", "not a valid TOML file", "line 1"]),
    "no model": ("[explore]\n", ["run.toml", "[model] is missing"]),
    "no model name": ('[model]\nnam = "MuellerBrown"\n', ["run.toml: [model]", "'name' is missing", "'nam' a misspelling"]),
    "table misspelt": (MODEL + "[explroe]\n", ["run.toml", "unknown table [explroe]", "did you mean 'explore'"]),
    "table that is a value": ("explore = 3\n" + MODEL, ["explore", "3 (integer)", "expected a table"]),
    "key misspelt": (MODEL + "[explore]\nmax_indx = 4\n", ["run.toml: [explore]", "'max_indx'", "did you mean 'max_index'"]),
    "output key misspelt": (MODEL + '[output]\nfil = "a.h5"\n', ["run.toml: [output]", "'fil'", "did you mean 'file'"]),
    "a text for a number": (MODEL + '[explore]\nmax_index = "4"\n', ["[explore] max_index", "'4' (string)", "an integer"]),
    "a boolean for a number": (MODEL + "[explore]\nworkers = true\n", ["[explore] workers", "true (boolean)", "at least 1"]),
    "a number for a boolean": (MODEL + "[explore]\nupward = 1\n", ["[explore] upward", "1 (integer)", "true or false"]),
    "no workers": (MODEL + "[explore]\nworkers = 0\n", ["[explore] workers", "0 (integer)", "at least 1"]),
    "a start of texts": (MODEL + '[explore]\nstart = ["a"]\n', ["[explore] start", "(array)", "the name of a start"]),
    "ragged starts": (MODEL + "[explore]\nstart = [[1.0], 2.0]\n", ["[explore] start", "(array)"]),
    "method misspelt": (MODEL + '[method]\nname = "HISD"\n', ["[method] name", "'HISD'", "did you mean 'HiSD'"]),
    "method without a name": (MODEL + "[method]\npreconditioned = true\n", ["[method]", "'name' is missing"]),
    "source misspelt": (MODEL + '[stochastic]\nname = "NoisyModl"\n' + SHISD, ["[stochastic] name", "did you mean 'NoisyModel'"]),
    "source without a name": (MODEL + "[stochastic]\ngradient_noise = 1\n" + SHISD, ["[stochastic]", "'name' is missing"]),
    "noise that would be ignored": (
        MODEL + '[stochastic]\nname = "NoisyModel"\n',
        ["[stochastic] HiSD takes exact derivatives", 'name = "SHiSD"'],
    ),
    "an index": (MODEL + '[method]\nname = "HiSD"\nindex = 2\n', ["[method] index", "max_index"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_of_form_are_named(run_file, mistake):
    text, words = MISTAKES[mistake]
    with pytest.raises(ValueError) as caught:
        read_run_file(run_file(text))
    message = str(caught.value)
    assert [word for word in words if word not in message] == []


BUILD_MISTAKES = {
    "model misspelt": ('[model]\nname = "MulerBrown"\n', ["run.toml: [model]", "'MulerBrown'", "did you mean 'MuellerBrown'"]),
    "parameter misspelt": (
        '[model]\nname = "ReducedLandauDeGennes"\nn = 9\nlamda2 = 30.0\n',
        ["run.toml: [model]", "'lamda2'", "did you mean 'lambda2'"],
    ),
    "parameter missing": ('[model]\nname = "ReducedLandauDeGennes"\nn = 9\n', ["run.toml: [model]", "lambda2"]),
    "method key misspelt": (MODEL + '[method]\nname = "HiSD"\nstp = "FixedStep"\n', ["[method]", "'stp'", "did you mean 'step'"]),
    "part misspelt": (
        MODEL + '[method]\nname = "HiSD"\nstep = "BarzilaiBorwin"\n',
        ["[method] step", "did you mean 'BarzilaiBorwein'"],
    ),
    "key of a part misspelt": (
        MODEL + '[method]\nname = "HiSD"\nstep = {name = "FixedStep", siz = 0.1}\n',
        ["[method] step = FixedStep", "'siz'", "did you mean 'size'"],
    ),
    "a number for a switch": (
        MODEL + '[method]\nname = "HiSD"\npreconditioned = 1\n',
        ["[method] preconditioned", "1 (integer)", "true or false"],
    ),
    "a text for a size": (
        MODEL + '[method]\nname = "HiSD"\nstep = {name = "FixedStep", size = "small"}\n',
        ["[method] step = FixedStep: size", "'small' (string)", "a number"],
    ),
    "parts that do not go together": (MODEL + '[method]\nname = "HiSD"\nmomentum = "HeavyBall"\n', ["run.toml: [method] momentum"]),
    "a part in the wrong place": (
        MODEL + '[method]\nname = "HiSD"\nstep = "Nesterov"\n',
        ["[method] step", "Nesterov", "BarzilaiBorwein or FixedStep"],
    ),
    "a step below zero": (
        MODEL + '[method]\nname = "HiSD"\nstep = {name = "FixedStep", size = -1.0}\n',
        ["[method] step", "size", "-1"],
    ),
    "key of a source misspelt": (
        MODEL + '[stochastic]\nname = "NoisyModel"\ngradient_nose = 1.0\n' + SHISD,
        ["[stochastic]", "'gradient_nose'", "did you mean 'gradient_noise'"],
    ),
    "a model inside the source": (
        MODEL + '[stochastic]\nname = "NoisyModel"\nmodel = "Butterfly"\n' + SHISD,
        ["[stochastic] unknown key 'model'", "gradient_noise, hessian_noise"],
    ),
    "a text for noise": (
        MODEL + '[stochastic]\nname = "NoisyModel"\ngradient_noise = "some"\n' + SHISD,
        ["[stochastic] gradient_noise", "'some' (string)", "a number"],
    ),
    "noise below zero": (MODEL + '[stochastic]\nname = "NoisyModel"\ngradient_noise = -1\n' + SHISD, ["[stochastic]", "-1"]),
    "no field for quadrature": (
        MODEL + '[stochastic]\nname = "RandomQuadrature"\n' + SHISD,
        ["[stochastic]", "MuellerBrown has no n_nodes"],
    ),
    "a part without its number": (
        MODEL + SHISD + 'step = "Decaying"\n',
        ["[method] step = Decaying: gamma must be given", '{name = "Decaying", gamma = ...}'],
    ),
    "a part of a part misspelt": (
        MODEL + SHISD + 'eigen = {name = "EigenvectorSearch", step = {name = "Decaing", gamma = 1.0}}\n',
        ["[method] eigen = EigenvectorSearch: step", "did you mean 'Decaying'"],
    ),
    "a fraction of a sample": (
        MODEL + SHISD + "samples = 1.5\n",
        ["[method] samples", "1.5 (float)", "an integer or DoublingBatch"],
    ),
    "start misspelt": (
        '[model]\nname = "ReducedLandauDeGennes"\nn = 9\nlambda2 = 5.0\n[explore]\nstart = "wor"\n',
        ["run.toml: [explore]", "'wor'", "did you mean 'wors'"],
    ),
}


@pytest.mark.parametrize("mistake", BUILD_MISTAKES)
def test_mistakes_of_content_are_named(run_file, mistake):
    text, words = BUILD_MISTAKES[mistake]
    run = read_run_file(run_file(text))
    with pytest.raises(ValueError) as caught:
        run.start(run.build_model())
        run.build_method()
    message = str(caught.value)
    assert [word for word in words if word not in message] == []
    assert message.count("did you mean") <= 1


def test_missing_files_are_named(run_file, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.toml does not exist"):
        read_run_file(tmp_path / "nowhere.toml")
    run = read_run_file(run_file('[model]\nname = "nowhere.py:Bowl"\n'))
    with pytest.raises(FileNotFoundError, match=r"run.toml: \[model\] name: model file .*nowhere.py does not exist"):
        run.build_model()


def test_every_example_builds():
    for path in sorted(EXAMPLES.glob("*.toml")):
        run = read_run_file(path)
        model = run.build_model()
        assert model.dim > 0 and isinstance(model.symmetry, Symmetry | None)
        assert run.build_method().index is None
        run.start(model)


# --- searches -------------------------------------------------------------------------------------------------------------


def searches_of(run_file, text):
    return read_run_file(run_file(f'[model]\nname = "MuellerBrown"\n[explore]\n{text}\n')).build_searches()


def test_searches_are_names_and_tables(run_file):
    assert searches_of(run_file, "seed = 1") is None
    text = (
        'searches = ["DownwardSearch", {name = "UpwardSearch", directions = 3}, {name = "ECDExplorer", ceiling = 110, stages = 2}]'
    )
    assert searches_of(run_file, text) == (DownwardSearch(), UpwardSearch(3), ECDExplorer(110.0, stages=2))


SEARCH_MISTAKES = {
    'searches = "ECDExplorer"': r"\[explore\] searches: got 'ECDExplorer' \(string\), expected an array of names and tables",
    "searches = [{ceiling = 1.0}]": r"\[explore\] searches: got .*, expected an array of names and tables",
    'searches = ["ECDExplorer"]': r"\[explore\] ECDExplorer ceiling must be given: \{name = \"ECDExplorer\", ceiling = \.\.\.\}",
    'searches = ["DownSearch"]': r"\[explore\] searches: got 'DownSearch'.*DownwardSearch.*expected some of",
    'searches = [{name = "ECDExplorer", ceiling = 1.0, mode = 4}]': r"\[explore\] ECDExplorer unknown key 'mode'.*modes",
    'searches = [{name = "ECDExplorer", ceiling = -1.0}]': r"\[explore\] ECDExplorer ceiling: got -1.0, expected a positive number",
    'searches = [{name = "ECDExplorer", ceiling = "high"}]': r"\[explore\] ECDExplorer ceiling: got 'high' .*expected a number",
    'upward = true\nsearches = ["DownwardSearch"]': r"\[explore\] upward: the searches are given one by one; add \"UpwardSearch\"",
}


@pytest.mark.parametrize("text", SEARCH_MISTAKES)
def test_mistakes_in_searches_are_named(run_file, text):
    with pytest.raises(ValueError, match=SEARCH_MISTAKES[text]):
        searches_of(run_file, text)
