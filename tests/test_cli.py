"""The command line: reports, refusals, exit codes, progress."""

import io
import json
import math
import re
import subprocess
import sys
from dataclasses import replace

import networkx
import numpy as np
import pytest

from saddlescape import Landscape, Status, __version__, as_model, explore, load
from saddlescape.cli import main
from saddlescape.cli.report import describe, describe_search, outcome, summary
from saddlescape.landscape.info import ModelInfo
from saddlescape.landscape.progress import Progress, ProgressBar, ProgressLines, progress_to
from saddlescape.landscape.records import Commit, Edge, Node, SearchRecord, Task
from saddlescape.models import MuellerBrown
from saddlescape.results import Estimate, SearchResult, StationaryPoint
from saddlescape.store import save


def commit(number, index, energy, edges=(), left=0):
    """A search that found a new point, by hand."""
    task = Task(number, "start", -1, -1, 0, index, np.empty(0), start=np.zeros(2))
    point = StationaryPoint(
        np.array([0.5, energy]), energy, 1e-13, index, 0, np.array([-1.0] * index + [2.0] * (2 - index)), np.eye(2), np.zeros(2),
        "dense: all 2 eigenvalues", 1e-8,
    )  # fmt: skip
    result = SearchResult(Status.CONVERGED, "Found.", None, point.x, energy, 1e-13, index, n_gradient=10)
    record = SearchRecord(task, result, number, np.zeros(1), math.nan, "HiSD()", "mass")
    tasks = tuple(Task(1000 + 10 * number + i, "down", number, 0, 1, 0, np.ones(1)) for i in range(left))
    return Commit(record, Node(number, point, number), tuple(edges), tasks)


@pytest.fixture
def landscape():
    """Two minima and the saddle between them: the smallest landscape there is."""
    made = Landscape(ModelInfo.of(MuellerBrown(), None))
    made.apply(commit(0, 1, 0.25))
    for number, sign in ((1, 1), (2, -1)):
        edge = Edge(0, number, np.zeros(1), 0, "down", 0, sign, "HiSD()", "mass", number, math.nan)
        made.apply(commit(number, 0, -0.5 * number, [edge]))
    return made


def run(*words):
    """Exit code of a command, in this process."""
    return main([str(word) for word in words])


# --- reports ----------------------------------------------------------------------------------------------------------------


def test_the_summary_is_plain_json_with_the_documented_keys(landscape):
    data = json.loads(json.dumps(summary(landscape), allow_nan=False))
    assert set(data) == {"file", "model", "index_counts", "euler", "nodes", "edges", "searches", "runs"}
    assert data["index_counts"] == {"0": 2, "1": 1}
    assert data["euler"] == {"sum": 1, "applicable": True, "message": landscape.completeness().message}
    assert data["model"]["name"] == "saddlescape.models.MuellerBrown" and data["model"]["dim"] == 2
    assert [node["energy"] for node in data["nodes"]] == [0.25, -0.5, -1.0]
    assert [(edge["parent"], edge["child"], edge["sign"]) for edge in data["edges"]] == [(0, 1, 1), (0, 2, -1)]
    assert data["edges"][0]["max_energy"] is None
    assert data["searches"] == {"done": 3, "left": 0, "unmerged": 0, "recovered": 0, "by_status": {"converged": 3}}


def test_the_report_shows_every_point_and_edge(landscape):
    lines = describe(landscape).splitlines()
    nodes = [line.split()[:3] for line in lines[lines.index(next(line for line in lines if "eigenvalues" in line)) + 1 :][:3]]
    assert nodes == [["0", "2", "-1"], ["0", "1", "-0.5"], ["1", "0", "0.25"]]
    assert sum(line.split()[:3] == ["0", "->", "1"] for line in lines) == 1
    assert "searches: 3 converged" in lines
    assert lines[-1] == "Euler sum 1, as a complete landscape has (necessary, not sufficient)."


class Pinned(MuellerBrown):
    """Claims that nothing changes along x."""

    def zero_modes(self, x):
        return np.array([[1.0, 0.0]])


def test_the_report_says_why_a_point_is_not_certified():
    failed = explore(Pinned(), max_index=0)
    assert {search.result.status for search in failed.searches} == {Status.NOT_CERTIFIED}
    line = next(line for line in describe(failed).splitlines() if line.startswith("the first that is not certified"))
    assert line.endswith("these are not zero modes at x.")


def test_states_with_names_are_called_by_them(landscape, monkeypatch):
    assert "state" not in describe(landscape).split("\n\n")[1]
    assert [node["name"] for node in summary(landscape)["nodes"]] == [None] * 3
    monkeypatch.setattr(MuellerBrown, "state_name", lambda model, x: "deep" if model.energy(x) < -140 else None, raising=False)
    landscape.nodes[2] = replace(landscape.nodes[2], point=replace(landscape.nodes[2].point, x=np.array([-0.55822363, 1.44172584])))
    table = describe(landscape).split("\n\n")[1].splitlines()
    assert table[0].split()[:3] == ["index", "node", "state"]
    assert table[1].split()[:3] == ["0", "2", "deep"] and "deep" not in table[2] + table[3]
    assert [node["name"] for node in summary(landscape)["nodes"]] == [None, None, "deep"]
    assert landscape.to_networkx().nodes[2]["name"] == "deep"


def test_long_tables_are_cut_and_say_so(landscape):
    text = describe(landscape, rows=1)
    assert "... and 2 more nodes" in text and "... and 1 more edge\n" in text
    assert "more" not in describe(landscape, rows=3)


def test_the_outcome_counts(landscape):
    assert outcome(landscape).splitlines()[0] == "3 points by index {0: 2, 1: 1} in 3 orbits, 2 edges, 3 searches"


def test_an_empty_landscape_can_be_reported():
    empty = Landscape(ModelInfo.of(MuellerBrown(), None))
    assert describe(empty).splitlines()[-1] == "No stationary point has been found yet."
    assert json.loads(json.dumps(summary(empty)))["nodes"] == []


# --- progress ---------------------------------------------------------------------------------------------------------------


def test_lines_come_at_most_every_interval():
    now, lines = [0.0], []
    progress = ProgressLines(lines.append, interval=5.0, clock=lambda: now[0])
    growing = Landscape(ModelInfo.of(MuellerBrown(), None))
    for number in range(21):
        growing.apply(commit(number, number % 2, 0.1 * number, left=2 if number == 0 else 0))
        progress.update(growing)
        now[0] += 1.0
    progress.close()
    assert [line.split(" searches")[0] for line in lines] == ["6", "11", "16", "21"]
    assert lines[-1] == "21 searches done, 2 left, 1 per second, points by index 0:11 1:10 in 210 gradients"


def test_a_bar_counts_what_is_done_and_left(landscape):
    landscape.apply(commit(3, 1, 0.5, left=2))
    stream = io.StringIO()
    bar = ProgressBar(stream)
    bar.update(landscape)
    bar.close()
    last = stream.getvalue().split("\r")[-1]
    assert "4 of 6 searches" in last and "points by index 0:2 1:2 in 40 gradients" in last


def test_a_terminal_gets_a_bar_and_a_pipe_gets_lines():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    assert isinstance(progress_to(Terminal()), ProgressBar)
    assert isinstance(progress_to(io.StringIO()), ProgressLines)
    assert isinstance(progress_to(io.StringIO()), Progress)


def test_progress_that_never_began_can_be_closed():
    stream = io.StringIO()
    ProgressBar(stream).close()
    assert stream.getvalue() == ""


# --- usage and errors -------------------------------------------------------------------------------------------------------


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as ended:
        run("--version")
    assert ended.value.code == 0 and capsys.readouterr().out == f"saddlescape {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("explroe", "run.toml"),
        ("explore",),
        ("explore", "run.toml", "--workers", "0"),
        ("explore", "run.toml", "--resume", "--overwrite"),
        ("search", "MuellerBrown", "--index", "-1"),
        ("search", "MuellerBrown", "--index", "1", "--tol", "nan"),
        ("plot", "run.h5"),
        ("export", "run.h5"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_code_2(words, capsys):
    with pytest.raises(SystemExit) as ended:
        run(*words)
    assert ended.value.code == 2 and "usage: saddlescape" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("explore", "nowhere.toml"), "nowhere.toml does not exist"),
        (("info", "nowhere.h5"), "nowhere.h5"),
        (("resume", "nowhere.h5"), "nowhere.h5"),
        (("plot", "nowhere.h5", "-o", "figure.txt"), "'figure.txt', expected a name ending in one of .png, .pdf, .svg"),
        (("export", "nowhere.h5", "-o", "graph.json"), "nowhere.h5"),
        (("check-model", "MulerBrown"), "did you mean 'MuellerBrown'"),
        (("check-model", "ReducedLandauDeGennes", "--param", "n"), "'n', expected key=value"),
        (("search", "MuellerBrown", "--index", "1", "--start", "nowhere"), "no start named 'nowhere'"),
        (("search", "MuellerBrown", "--index", "1", "--start", "0.1", "b"), "'0.1 b', expected numbers"),
        (("search", "MuellerBrown", "--index", "1", "--start", "0.1"), "got shape (1,), expected (2,)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_an_error_is_one_line_and_code_1(words, expected, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*words) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("saddlescape: error: ") and captured.err.count("\n") == 1
    assert expected in captured.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("search", "MuellerBrown", "--index", "1", "--start", "nowhere.npy"), "--start: the file nowhere.npy does not exist"),
        (("search", "MuellerBrown", "--index", "1", "--start", "run.toml.npy"), "run.toml.npy is no NumPy file of numbers"),
        (("explore", "run.toml", "-o", "nowhere/run.h5"), "nowhere/run.h5: the folder nowhere does not exist; make it first"),
        (("plot", "run.h5", "-o", "nowhere/map.png"), "nowhere/map.png: the folder nowhere does not exist; make it first"),
        (("plot", "run.h5", "-o", "folder.png"), "folder.png is a folder, expected the name of a file to write"),
        (("export", "run.h5", "-o", "nowhere/map.json"), "nowhere/map.json: the folder nowhere does not exist; make it first"),
        (("export", "run.h5", "-o", "map"), "format: got '' by the ending of map, expected one of"),
        (("check-model", "own.py"), "name of the class is missing, expected own.py:Class; its models are ['Wells']"),
        (("check-model", "broken.py:Wells"), "broken.py could not be imported: ModuleNotFoundError: No module named 'nowhere'"),
        (("explore", "broken.toml"), "broken.toml: [model] model file"),
        (
            ("resume", "run.h5", "--model", "own.py:Wells"),
            "got own.py:Wells, but this landscape was made with saddlescape.models",
        ),
        (("plot", "run.h5", "-o", "map.png", "--model", "own.py:Wells"), "got own.py:Wells, but this landscape was made with"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_is_wrong_with_a_file_is_one_line_and_code_1(words, expected, capsys, workplace, landscape):
    save(landscape, "run.h5")
    (workplace / "folder.png").mkdir()
    (workplace / "run.toml.npy").write_text(RUN_FILE)
    (workplace / "own.py").write_text(OWN_MODEL + "# a source, and so a module, of its own")
    (workplace / "broken.py").write_text("import nowhere")
    (workplace / "broken.toml").write_text('[model]\nname = "broken.py:Wells"\n')
    before = sorted(workplace.iterdir())
    assert run(*words) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("saddlescape: error: ") and captured.err.count("\n") == 1
    assert expected in captured.err
    assert sorted(path for path in workplace.iterdir() if path.suffix not in (".journal", "")) == [p for p in before if p.suffix]


def test_a_traceback_is_shown_on_request():
    with pytest.raises(FileNotFoundError, match="nowhere"):
        run("explore", "nowhere.toml", "--traceback")


def test_help_imports_nothing_heavy():
    code = "import sys\ntry:\n  from saddlescape.cli import main; main(['explore', '--help'])\nexcept SystemExit: pass\n"
    code += "print([name for name in ('numpy', 'scipy', 'numba', 'matplotlib', 'h5py', 'tqdm') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


# --- one search -------------------------------------------------------------------------------------------------------------


def test_a_search_finds_a_known_saddle(capsys):
    assert run("search", "MuellerBrown", "--index", "1", "--start", "0.15", "0.35", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    np.testing.assert_allclose(found["x"], [0.21248658, 0.29298833], atol=1e-8)
    assert (found["success"], found["status"], found["point"]["index"]) == (True, "converged", 1)
    assert found["point"]["energy"] == pytest.approx(-72.24894011, abs=1e-8)


def test_a_search_reads_for_people(capsys):
    assert run("search", "MuellerBrown", "--index", "1", "--start", "0.15", "0.35") == 0
    text = capsys.readouterr().out
    assert "0.2124865" in text and "Morse index    1, nullity 0" in text and "certificate" in text


def test_a_search_takes_parameters_and_a_saved_start(capsys, tmp_path):
    np.save(tmp_path / "start.npy", [0.01, 0.99, -0.98])
    words = (
        "search",
        "DoubleWells",
        "--param",
        "weights=[1.0, 2.0, 3.0]",
        "--index",
        1,
        "--start",
        tmp_path / "start.npy",
        "--json",
    )
    assert run(*words) == 0
    np.testing.assert_allclose(json.loads(capsys.readouterr().out)["x"], [0.0, 1.0, -1.0], atol=1e-10)


def test_a_search_takes_model_start_and_method_from_a_run_file(capsys, tmp_path):
    path = tmp_path / "run.toml"
    path.write_text('[model]\nname = "ChafeeInfante"\nn = 31\nlam = 5.0\n[explore]\nstart = "zero"\n')
    assert run("search", path, "--index", 2, "--json") == 0
    assert json.loads(capsys.readouterr().out)["point"]["index"] == 2
    assert run("search", path, "--index", 2, "--param", "n=3") == 1
    path.write_text('[model]\nname = "MuellerBrown"\n[explore]\nstart = [[0.0, 0.0], [1.0, 1.0]]\n')
    assert run("search", path, "--index", 1) == 1
    assert "2 starts" in capsys.readouterr().err


def test_a_search_that_fails_is_code_1(capsys):
    assert run("search", "MuellerBrown", "--index", "1", "--start", "-0.5", "0.5", "--max-steps", "1", "--json") == 1
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert (found["success"], found["status"], found["point"]) == (False, "max-steps", None)
    assert captured.err == "saddlescape: no stationary point of index 1 was reached: max-steps\n"


def test_a_trajectory_explores_as_a_run_file_says(capsys, tmp_path):
    path = tmp_path / "run.toml"
    method = '[method]\nname = "ECDSep"\nfloor = -150\nceiling = -36.7\nstep = 0.01\nbox = [[-1.5, 1.2], [-0.3, 1.9]]\n'
    path.write_text('[model]\nname = "MuellerBrown"\n' + method)
    assert run("search", path, "--max-steps", 2000, "--seed", 0, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["status"], found["steps"], found["point"], found["descent"]["floor"]) == ("completed", 2000, None, -150.0)
    np.testing.assert_allclose(found["descent"]["best_energy"], -146.6995, atol=1e-3)
    assert found["descent"]["seed"] == 0
    assert run("search", path, "--max-steps", 2000, "--seed", 3) == 0
    out = capsys.readouterr().out
    assert "ceiling -36.7" in out and "seed           3\n" in out
    assert run("search", path, "--index", 1) == 1
    assert "leave it out" in capsys.readouterr().err
    assert run("explore", path) == 1
    assert "ECDSep explores" in capsys.readouterr().err
    path.write_text('[model]\nname = "MuellerBrown"\n' + method.replace("-150", '"lowest"'))
    assert run("search", path) == 1
    assert """floor: got 'lowest', expected an energy or "adapt\"""" in capsys.readouterr().err


def test_a_search_needs_an_index_unless_it_explores(capsys):
    assert run("search", "MuellerBrown") == 1
    assert "--index: say which" in capsys.readouterr().err


NOISY = '[model]\nname = "MuellerBrown"\n[stochastic]\nname = "NoisyModel"\ngradient_noise = 5.0\n[method]\nname = "SHiSD"\n'


def test_a_noisy_search_ends_at_a_certified_point(capsys, tmp_path):
    path = tmp_path / "noisy.toml"
    path.write_text(NOISY)
    assert run("search", path, "--index", 1, "--start", 0.15, 0.35, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    np.testing.assert_allclose(found["x"], [0.21248658, 0.29298833], atol=1e-8)
    assert (found["point"]["index"], found["estimate"], found["rejected"]) == (1, None, 0)


VALUES = """
from dataclasses import dataclass

import numpy as np

from saddlescape import EnergyModel


@dataclass(frozen=True)
class Saddle(EnergyModel):
    dim: int = 2

    def energy(self, x):
        return float((x[0] ** 2 - 1) ** 2 + 2 * x[1] ** 2)

    def default_start(self):
        return np.array([0.1, 0.1])
"""


@pytest.fixture
def values(tmp_path, monkeypatch):
    """A folder with a run file for a model that has nothing but an energy, whose saddle is the origin."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "values.py").write_text(VALUES)
    text = '[model]\nname = "values.py:Saddle"\n[stochastic]\nname = "FunctionValues"\n[method]\nname = "SHiSD"\n'
    (tmp_path / "values.toml").write_text(text)


@pytest.mark.usefixtures("values")
def test_a_search_without_a_gradient_prints_its_estimate(capsys):
    words = "search", "values.toml", "--index", 1, "--tol", 1e-4
    assert run(*words) == 0
    text = capsys.readouterr().out
    assert "nothing is certified" in text and "Morse index    1 with confidence 1.000" in text
    assert re.search(r"^x              -?0\.0+\d+ \+- \S+e-\d+ ", text, re.MULTILINE)
    assert run(*words, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    estimate = found["estimate"]
    assert (found["status"], found["point"], estimate["index"]) == ("estimated", None, 1)
    assert np.abs(found["x"]).max() < 1e-3 and np.max(estimate["standard_error"]) < 1e-3
    assert len(estimate["eigenvalues"]) == len(estimate["eigenvalue_errors"]) == 2


@pytest.mark.usefixtures("values")
def test_what_needs_a_gradient_says_so(capsys):
    assert run("explore", "values.toml") == 1
    assert "FunctionValues, which has no 'gradient'" in capsys.readouterr().err


@pytest.mark.usefixtures("values")
def test_estimates_alone_are_checked_against_each_other(capsys):
    assert run("check-model", "values.toml") == 0
    assert "ok      stochastic_hvp is the change of stochastic_gradient" in capsys.readouterr().out


def test_an_estimate_of_many_unknowns_is_summed_up():
    n = 20
    estimate = Estimate(np.zeros(n), np.full(n, 2e-4), 1e-3, 100, 1, np.array([-1.0, 2.0]), np.array([0.1, 0.03]), np.ones(2))
    result = SearchResult(Status.MAX_STEPS, "", None, estimate.x, math.nan, 1e-3, 1, estimate=estimate)
    text = describe_search(result)
    assert "standard error 2.0e-04 at most" in text and "eigenvalues    -1.00 +- 0.1 2.000 +- 0.03" in text


def test_check_model_takes_a_run_file(capsys, tmp_path):
    path = tmp_path / "noisy.toml"
    path.write_text(NOISY.replace("5.0", "5.0\nhessian_noise = 1.0"))
    assert run("check-model", path) == 0
    out = capsys.readouterr().out
    assert all(f"ok      {name} is unbiased" in out for name in ("stochastic_gradient", "stochastic_hvp"))
    assert run("check-model", path, "--param", "n=3") == 1


# --- a whole run ------------------------------------------------------------------------------------------------------------

RUN_FILE = '[model]\nname = "MuellerBrown"\n[explore]\nupward = true\n[output]\nfile = "run.h5"\n'

# The saddle-maximum-minima landscape of two double wells, in plain Python; STOP_AFTER gradients it is interrupted from inside.
OWN_MODEL = """
import os
import signal
from dataclasses import dataclass

import numpy as np

from saddlescape import EnergyModel

calls = 0


@dataclass(frozen=True)
class Wells(EnergyModel):
    dim: int = 2
    coercive = True

    def energy(self, x):
        return float(np.sum((x**2 - 1) ** 2 * (1.0, 1.5)))

    def gradient(self, x, out=None):
        global calls
        calls += 1
        if calls == int(os.environ.get("STOP_AFTER", "0")):
            signal.raise_signal(signal.SIGINT)
        out = np.empty(2) if out is None else out
        out[:] = 4 * x * (x**2 - 1) * (1.0, 1.5)
        return out

    def default_start(self):
        return np.array([0.05, -0.05])
"""


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder with a run file, and nothing else."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.toml").write_text(RUN_FILE)
    return tmp_path


def numbers(path):
    """Every number of a landscape that does not depend on the clock."""
    data = summary(load(path))
    return data["nodes"], data["edges"], data["index_counts"]


def test_explore_writes_what_info_tells(workplace, capsys):
    assert run("explore", "run.toml") == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines()[0].startswith("5 points by index {0: 3, 1: 2} in 5 orbits")
    assert captured.out.splitlines()[1].startswith("Euler sum 1") and captured.out.splitlines()[2] == "wrote run.h5"
    assert captured.err == ""  # too quick for a line of progress
    assert {path.name for path in workplace.iterdir()} == {"run.toml", "run.h5"}

    assert run("info", "run.h5", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["index_counts"] == {"0": 3, "1": 2} and data["euler"]["sum"] == 1
    assert (data["searches"]["left"], data["runs"][-1]["status"]) == (0, "complete")
    assert run("info", "run.h5") == 0
    assert "MuellerBrown" in capsys.readouterr().out


def test_a_hexagon_is_described_in_a_run_file(workplace, capsys):
    parameters = 'n = 7\nlambda2 = 20.0\ndomain = ["polygon", 6]\nanchoring = {boundary = "tangent"}\n'
    (workplace / "run.toml").write_text(f'[model]\nname = "ReducedLandauDeGennes"\n{parameters}[output]\nfile = "run.h5"\n')
    assert run("explore", "run.toml") == 0
    assert "7 points by index {0: 3, 1: 3, 2: 1} in 3 orbits" in capsys.readouterr().out
    assert run("info", "run.h5", "--json") == 0
    params = json.loads(capsys.readouterr().out)["model"]["params"]
    assert params["strength"] is None  # infinite, which JSON cannot say
    assert run("resume", "run.h5", "--quiet") == 0


def test_a_noisy_landscape_is_found_and_told(workplace, capsys):
    (workplace / "run.toml").write_text(NOISY + "[explore]\nstart = [[0.2, 0.3], [-0.8, 0.6]]\nmax_index = 1\n")
    assert run("explore", "run.toml") == 0
    assert "5 points by index {0: 3, 1: 2}" in capsys.readouterr().out
    assert run("info", "run.h5") == 0
    told = "saddlescape.stochastic.NoisyModel(model=saddlescape.models.MuellerBrown(), gradient_noise=5.0, hessian_noise=0.0)"
    assert told in capsys.readouterr().out
    assert run("resume", "run.h5", "--quiet") == 0


def test_a_stochastic_method_without_samples_is_refused_before_a_file_is_made(workplace, capsys):
    (workplace / "run.toml").write_text('[model]\nname = "MuellerBrown"\n[method]\nname = "SHiSD"\n')
    assert run("explore", "run.toml") == 1
    assert "MuellerBrown has no draw and no stochastic_gradient" in capsys.readouterr().err
    assert not (workplace / "run.h5").exists()


def test_an_existing_file_is_kept_unless_told(workplace, capsys):
    assert run("explore", "run.toml", "--quiet") == 0
    before = (workplace / "run.h5").read_bytes()
    assert run("explore", "run.toml") == 1
    message = capsys.readouterr().err
    assert "run.h5 exists already" in message and "adding --resume" in message and "--overwrite" in message
    assert run("explore", "run.toml", "--resume", "--quiet") == 0
    assert (workplace / "run.h5").read_bytes()[:20] == before[:20]
    known, first = numbers("run.h5"), load("run.h5").runs[0]
    assert run("explore", "run.toml", "--overwrite", "--quiet") == 0
    assert numbers("run.h5") == known and load("run.h5").runs[0].started >= first.started
    assert len(load("run.h5").runs) == 1


@pytest.mark.parametrize("change", ["seed = 1", "max_index = 1", '[method]\nname = "HiSD"\nstep = "FixedStep"'])
def test_resume_does_not_pretend_to_obey_a_changed_run_file(workplace, capsys, change):
    assert run("explore", "run.toml", "--quiet") == 0
    (workplace / "run.toml").write_text(RUN_FILE.replace("upward = true", f"upward = true\n{change}"))
    assert run("explore", "run.toml", "--resume") == 1
    message = capsys.readouterr().err
    assert "run.toml asks for" in message and "saddlescape resume run.h5" in message and "--overwrite" in message


def test_overwrite_replaces_landscape_files_only(workplace, capsys):
    (workplace / "run.h5").write_text("my thesis")
    assert run("explore", "run.toml", "--overwrite") == 1
    assert (workplace / "run.h5").read_text() == "my thesis"
    assert "run.h5" in capsys.readouterr().err


def test_resume_begins_where_there_is_nothing(workplace):
    assert run("explore", "run.toml", "--resume", "--quiet", "-o", "other.h5") == 0
    assert len(load("other.h5").nodes) == 5 and not (workplace / "run.h5").exists()


def test_a_run_that_was_killed_before_it_began_can_be_begun(workplace):
    save(Landscape(ModelInfo.of(MuellerBrown(), None)), "run.h5")
    assert run("explore", "run.toml", "--resume", "--quiet") == 0
    assert len(load("run.h5").nodes) == 5


def test_a_finished_run_can_be_plotted_and_exported(workplace, capsys):
    assert run("explore", "run.toml", "--quiet") == 0
    assert run("plot", "run.h5", "-o", "map.png", "--energy", "--expand") == 0
    assert run("plot", "run.h5", "-o", "map.svg") == 0
    assert run("plot", "run.h5", "-o", "found.png", "--discovery") == 0
    assert (workplace / "found.png").read_bytes().startswith(b"\x89PNG")
    assert run("plot", "run.h5", "-o", "found.png", "--discovery", "--expand") == 1
    assert "leave --expand out" in capsys.readouterr().err
    assert (workplace / "map.png").read_bytes().startswith(b"\x89PNG") and "<svg" in (workplace / "map.svg").read_text()
    for form in ("graphml", "json"):
        assert run("export", "run.h5", "-o", f"graph.{form}") == 0
    assert run("export", "run.h5", "-o", "graph.txt", "--format", "json") == 0
    assert (workplace / "graph.txt").read_text() == (workplace / "graph.json").read_text()
    assert len(networkx.read_graphml(workplace / "graph.graphml")) == 5
    assert run("export", "run.h5", "-o", "graph.csv") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "wrote graph_nodes.csv and graph_edges.csv"
    assert len((workplace / "graph_nodes.csv").read_text().splitlines()) == 6
    assert run("export", "run.h5", "-o", "map.dat", "--format", "CSV") == 0
    assert capsys.readouterr().out == "wrote map_nodes.dat and map_edges.dat\n"
    assert (workplace / "map_nodes.dat").read_text() == (workplace / "graph_nodes.csv").read_text()
    assert run("export", "run.h5", "-o", "graph.dot") == 1
    assert "'dot' by the ending of graph.dot, expected one of ['graphml', 'json', 'csv']" in capsys.readouterr().err


def test_an_interrupted_run_says_how_to_go_on_and_loses_nothing(workplace, monkeypatch, capsys):
    (workplace / "wells.py").write_text(OWN_MODEL)
    (workplace / "run.toml").write_text('[model]\nname = "wells.py:Wells"\n[explore]\nmax_index = 2\n')
    assert run("explore", "run.toml", "--quiet", "-o", "whole.h5") == 0
    module = next(
        module for name, module in sys.modules.items() if name.startswith("saddlescape_file_") and name.endswith("_wells")
    )
    monkeypatch.setenv("STOP_AFTER", str(module.calls // 2))
    module.calls = 0
    assert run("explore", "run.toml", "--quiet") == 130
    command = "saddlescape explore run.toml --resume"
    stopping, last = capsys.readouterr().err.splitlines()
    assert stopping.startswith("saddlescape: warning: stopping: ")
    assert last == f"saddlescape: interrupted; every finished search is kept, go on by: {command}"
    half = load("run.h5")
    assert half.runs[-1].status == "interrupted" and 0 < len(half.searches) < len(load("whole.h5").searches)

    monkeypatch.delenv("STOP_AFTER")
    assert run("resume", "run.h5") == 1
    assert "--model path/file.py:Class" in capsys.readouterr().err
    assert run("resume", "run.h5", "--model", "wells.py:Wells", "--quiet") == 0
    assert numbers("run.h5") == numbers("whole.h5")
    assert load("run.h5").index_counts() == {0: 4, 1: 4, 2: 1}


def test_a_run_that_goes_on_by_its_run_file_draws_its_figure(workplace, capsys):
    (workplace / "run.toml").write_text(RUN_FILE + 'figure = "map.svg"\n')
    explore(MuellerBrown(), upward=True, store="run.h5", rng=0, callback=lambda landscape, search: True)
    assert run("explore", "run.toml", "--resume") == 0
    assert capsys.readouterr().out.endswith("wrote run.h5 and map.svg\n") and (workplace / "map.svg").exists()
    assert run("resume", "run.h5") == 0
    assert capsys.readouterr().out.startswith("nothing was left to do: the run of run.h5 was complete\n5 points")


def test_a_landscape_of_plain_functions_is_resumed_from_python(workplace, capsys):
    (workplace / "own.py").write_text("from saddlescape import NoisyModel, as_model\nmodel = as_model(abs, abs, 2)\n")
    inner = MuellerBrown()
    model, start = as_model(inner.energy, inner.gradient, 2), inner.default_start()
    explore(model, start, store="run.h5", callback=lambda landscape, search: True)
    for words in ((), ("--model", "own.py:model"), ("--model", "MuellerBrown")):
        assert run("resume", "run.h5", *words) == 1
        assert "call saddlescape.resume(path, model=...)" in capsys.readouterr().err


def test_a_model_of_ones_own_inside_a_source_is_named_to_go_on(workplace, monkeypatch, capsys):
    (workplace / "wells.py").write_text(OWN_MODEL + "\n\nNOISY = True\n")  # not the source, and thus the module, of other tests
    (workplace / "run.toml").write_text(NOISY.replace("MuellerBrown", "wells.py:Wells") + "[explore]\nmax_index = 1\n")
    monkeypatch.setenv("STOP_AFTER", "50")
    assert run("explore", "run.toml", "--quiet") == 130
    assert capsys.readouterr().err.endswith("go on by: saddlescape explore run.toml --resume\n")
    module = next(m for m in sys.modules.values() if getattr(m, "__saddlescape_file__", "") == str(workplace / "wells.py"))
    module.calls = 0
    assert run("resume", "run.h5", "--model", "wells.py:Wells", "--quiet") == 130
    assert capsys.readouterr().err.endswith(f"go on by: saddlescape resume run.h5 --model {workplace / 'wells.py'}:Wells\n")
    monkeypatch.delenv("STOP_AFTER")
    assert run("resume", "run.h5", "--model", "wells.py:Walls") == 1
    assert "wells.py has no class 'Walls' (did you mean 'Wells'?); its models are ['Wells']" in capsys.readouterr().err
    assert run("resume", "run.h5", "--model", "walls.py:Wells") == 1
    assert "walls.py does not exist" in capsys.readouterr().err
    assert run("resume", "run.h5", "--model", "wells.py:Wells", "--quiet") == 0
    assert not load("run.h5").frontier


def test_worker_processes_load_a_model_file_and_change_nothing(workplace):
    (workplace / "wells.py").write_text(OWN_MODEL)
    (workplace / "run.toml").write_text('[model]\nname = "wells.py:Wells"\n[explore]\nmax_index = 2\n')
    assert run("explore", "run.toml", "--quiet", "-o", "one.h5") == 0
    assert run("explore", "run.toml", "--quiet", "-o", "two.h5", "--workers", "2") == 0
    assert numbers("two.h5") == numbers("one.h5")


def test_a_failed_search_is_one_line_unless_asked(workplace, capsys):
    source = OWN_MODEL.replace("signal.raise_signal(signal.SIGINT)", 'raise ZeroDivisionError("no weight")').replace(
        'int(os.environ.get("STOP_AFTER", "0"))', "30"
    )
    (workplace / "broken.py").write_text(source)
    (workplace / "run.toml").write_text('[model]\nname = "broken.py:Wells"\n[explore]\nmax_index = 2\n')
    assert run("explore", "run.toml", "--quiet") == 0
    failed = [line for line in capsys.readouterr().err.splitlines() if "no weight" in line]
    assert len(failed) == 1 and failed[0].startswith("saddlescape: warning: search ")
    assert Status.FAILED in {search.result.status for search in load("run.h5").searches}


def test_a_run_that_finds_nothing_is_an_error(workplace, capsys):
    source = OWN_MODEL.replace("np.sum((x**2 - 1) ** 2 * (1.0, 1.5))", "x[0]").replace(
        "4 * x * (x**2 - 1) * (1.0, 1.5)", "(1.0, 0.0)"
    )
    (workplace / "slope.py").write_text(source)
    (workplace / "run.toml").write_text('[model]\nname = "slope.py:Wells"\n[explore]\nmax_index = 0\n')
    assert run("explore", "run.toml", "--quiet") == 1
    assert "no stationary point was found" in capsys.readouterr().err.splitlines()[-1]


def test_a_picture_that_cannot_be_written_is_refused_before_the_run(workplace, capsys):
    (workplace / "run.toml").write_text(RUN_FILE + 'figure = "nowhere/run.png"\n')
    assert run("explore", "run.toml") == 1
    assert "the folder nowhere does not exist" in capsys.readouterr().err
    assert not (workplace / "run.h5").exists()
