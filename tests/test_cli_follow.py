"""``saddlescape follow``: a run file with a table [follow], its report, its files, its refusals."""

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
    write(folder, MODEL + '[output]\nfile = "states.h5"\n' + FOLLOW + 'figure = "diagram.png"\n')
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
