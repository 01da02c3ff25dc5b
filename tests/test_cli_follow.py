"""``saddlescape follow``: a run file with a table [follow], its report, its files, its refusals."""

import json
from pathlib import Path

import pytest

from saddlescape import Diagram
from saddlescape.cli import main
from saddlescape.landscape.runfile import read_run_file

MODEL = '[model]\nname = "ChafeeInfante"\nn = 15\nlam = 6.0\n'
FOLLOW = '[follow]\nparameter = "lam"\nvalues = [0.5, 2.0, 6.0]\n'


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder, text):
    (folder / "run.toml").write_text(text)


def test_a_landscape_is_explored_then_followed(folder, capsys):
    write(folder, MODEL + '[output]\nfile = "states.h5"\n' + FOLLOW + 'figure = "diagram.png"\nmeasure = "excess"\n')
    assert main(["follow", "run.toml"]) == 1
    assert "states.h5 does not exist: find the landscape first by `saddlescape explore run.toml`" in capsys.readouterr().err
    assert main(["explore", "run.toml", "-q"]) == 0
    assert main(["follow", "run.toml"]) == 0
    out = capsys.readouterr().out
    assert "lam from 0.5 to 6, 3 branches, 2 critical values" in out
    assert "lam = 6: 5 points by index {0: 2, 1: 2, 2: 1}, Euler sum 1" in out and "lam = 0.5: 1 points by index {0: 1}" in out
    assert "existing above it only, merges into branch" in out
    assert out.endswith("wrote run_follow.h5 and diagram.png\n")
    assert len(Diagram.load("run_follow.h5").branches) == 3
    assert (folder / "diagram.png").read_bytes().startswith(b"\x89PNG")


def test_a_start_is_followed_with_what_leaves_it(folder, capsys):
    extra = 'states = "start"\nbranches = true\ntolerance = 1e-3\nmax_step = 0.05\nfile = "d.h5"\n'
    write(folder, MODEL + FOLLOW + extra)
    assert main(["follow", "run.toml", "-q"]) == 0
    assert capsys.readouterr().out == ""
    diagram = Diagram.load("d.h5")
    assert diagram.index_counts(6.0) == {0: 2, 1: 2, 2: 1}
    assert 1e-5 < max(c.bracket[1] - c.bracket[0] for c in diagram.criticals) <= 1e-3
    assert main(["follow", "run.toml", "-q", "-o", "e.h5"]) == 0 and (folder / "e.h5").exists()
    write(folder, MODEL + '[explore]\nstart = "zero"\n' + FOLLOW + 'states = "start"\n')
    assert main(["follow", "run.toml", "-q"]) == 0


@pytest.fixture
def diagram_file(folder, capsys):
    write(folder, MODEL + FOLLOW + 'states = "start"\nbranches = true\nfile = "d.h5"\n')
    assert main(["follow", "run.toml"]) == 0
    return capsys.readouterr().out.replace("wrote d.h5\n", "")


def test_a_diagram_is_read_drawn_and_exported(diagram_file, folder, capsys):
    assert main(["info", "d.h5"]) == 0
    assert capsys.readouterr().out == diagram_file
    assert main(["info", "d.h5", "--json"]) == 0
    data, diagram = json.loads(capsys.readouterr().out), Diagram.load("d.h5")
    described = (Path(__file__).parent.parent / "docs" / "command-line.md").read_text(encoding="utf-8")
    assert all(f"`{key}`" in described for key in (*data, *data["branches"][0], *data["criticals"][0], *data["values"][0]))
    assert [c["value"] for c in data["criticals"]] == [c.value for c in diagram.criticals]
    assert data["values"][-1] == {"value": 6.0, "index_counts": {"0": 2, "1": 2, "2": 1}, "euler": 1}
    assert [b["indices"] for b in data["branches"]] == [b.indices.tolist() for b in diagram.branches]
    assert main(["plot", "d.h5", "-o", "d.svg", "--excess"]) == 0 and "above the lowest" in (folder / "d.svg").read_text()
    assert main(["export", "d.h5", "-o", "d.csv"]) == 0 and (folder / "d.csv").read_text().startswith("branch,node,lam,energy")
    assert capsys.readouterr().out == "wrote d.svg\nwrote d.csv\n"


def test_what_a_diagram_does_not_have_is_refused(diagram_file, folder, capsys):
    for words, message in (
        (["plot", "d.h5", "-o", "d.png", "--expand"], "--expand: d.h5 holds a bifurcation diagram"),
        (["export", "d.h5", "-o", "d.graphml"], "holds a bifurcation diagram, which is exported as csv"),
        (["resume", "d.h5"], "not a landscape file but one of format saddlescape-diagram"),
    ):
        assert main(words) == 1 and message in capsys.readouterr().err
    assert main(["explore", "run.toml", "-q"]) == 0
    assert main(["plot", "run.h5", "-o", "d.png", "--excess"]) == 1
    assert "--excess: run.h5 holds no bifurcation diagram" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MODEL, "the table [follow] is missing"),
        (MODEL + '[follow]\nparameter = "lam"\n', "[follow] the key 'values' is missing"),
        (MODEL + "[follow]\nvalues = [1.0]\n", "[follow] the key 'parameter' is missing"),
        (MODEL + FOLLOW + "branch = true\n", "[follow] unknown key 'branch' (did you mean 'branches'?)"),
        (MODEL + FOLLOW + 'states = "all"\n', '[follow] states: got \'all\' (string), expected "landscape" or "start"'),
        (MODEL + FOLLOW + "tolerance = -1.0\n", "[follow] tolerance: got -1.0 (float), expected a positive number"),
        (MODEL + FOLLOW.replace('"lam"', '"lamda"') + 'states = "start"\n', "has no 'lamda' (did you mean 'lam'?)"),
        (MODEL + FOLLOW + 'states = "start"\nfigure = "x.txt"\n', "figure: got 'x.txt'"),
    ],
)
def test_mistakes_are_named(folder, capsys, text, message):
    write(folder, text)
    assert main(["follow", "run.toml"]) == 1
    assert message in capsys.readouterr().err and [path.name for path in folder.iterdir()] == ["run.toml"]


def test_exploring_ignores_the_table(folder):
    write(folder, MODEL + FOLLOW)
    run = read_run_file("run.toml")
    assert run.follow.values == [0.5, 2.0, 6.0] and run.follow.states == "landscape"
    assert main(["explore", "run.toml", "-q"]) == 0
