"""Every benchmark runs with --quick and prints its table. What it measures is not judged here; what it computes is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

CONSERVING = ("BBI", "ECDSep", "ECDSep, noise", "Isokinetic", "Isokinetic, noise")

# The first column of the rows of a quick run, in order.
ROWS = {
    "small_models": [
        *("compiled", "interpreted", "interpreted / compiled", "compiled", "interpreted"),
        *("Mueller-Brown, from its two saddles", "Mueller-Brown, upward from one minimum", "butterfly", "double wells, d = 3"),
    ],
    "start_up": [
        "python -c 'import numpy'",
        "python -c 'import numpy, saddlescape'",
        "explore mueller_brown.toml, kernels from the cache",
    ],
    "iterations": [
        *("WORS 17x17, lambda2 = 7, index 1", "frame by LOBPCG sweeps", "plain"),
        *("WORS 17x17, lambda2 = 30, index 4", "frame by LOBPCG sweeps", "plain"),
        *("Rosenbrock d = 40, index 5", "frame by LOBPCG sweeps"),
    ],
    "fields": ["LdG 9x9, with file", "LdG 13x13, with file", "phase field 16x16, in memory"] * 2,
    "kernels": ["phase field 16x16 gradient", "phase field 16x16 hvp", "LdG 17x17 gradient", "LdG 17x17 hvp"],
    "liquid_crystals": [
        *("8^3 gradient", "8^3 hvp", "8^3, L2 gradient", "8^3, L2 hvp", "9x9", "17x17"),
        *("6^3, rotated state", "6^3, saddle beside it"),
    ],
    "meshes": [
        *("hexagon n = 9 gradient", "hexagon n = 9 hvp", "disk n = 9 gradient", "disk n = 9 hvp"),
        *("hexagon", "hexagon", "disk", "disk"),
    ],
    "workers": ["this process", "two workers, started for the run", "two workers that are running already"],
    "memory": ["phase field 16x16"],
    "stochastic": [
        *("0.5 / (n + 10)", "0.5 / (n + 10)", "1 / (n + 20)", "1 / (n + 20)"),
        *("0.1 / (n + 10)", "0.3 / (n + 10)^0.8", "0.2 / (n + 10)^0.6", "0.01"),
        *("compiled", "interpreted", "interpreted / compiled", "one thread", "two threads"),
        *("q = 0.5", "q = 0.5", "q = 0.1", "q = 0.1"),
    ],
    "energy_conserving": [
        *(f"{name}, {method}" for name in ("Mueller-Brown", "multi-basin", "Ackley") for method in CONSERVING),
        *(method + metric for metric in ("", ", preconditioned") for method in CONSERVING),
        *("one thread", "two threads"),
    ],
    "escape": [
        f"{name}, {region}"
        for name in ("Butterfly", "MuellerBrown", "ModifiedMuellerBrown")
        for region in ("all", "convex", "stalled", "crossing")
    ],
    "explorers": [
        *("explorer, ceiling 3 barriers", "explorer, ceiling 5 barriers", "explorer, ceiling 10 barriers"),
        *("explorer, each unknown alone, 3 barriers", "random restarts"),
        *("basin hopping, moves of 0.5, T = 0.5", "basin hopping, moves of 1, T = 0.5"),
        *("Langevin, T = 0.15", "Langevin, T = 0.5"),
        *("explorer, ceiling 1.05 barriers", "explorer, ceiling 1.5 barriers", "explorer, ceiling 3 barriers", "random restarts"),
        *("basin hopping, moves of 0.3, T = 0.5", "basin hopping, moves of 0.6, T = 0.5"),
        *("Langevin, T = 0.15", "Langevin, T = 0.3"),
        *("explorer, 3 relaxed modes, 1.5 barriers", "explorer, 8 frozen modes, 5 barriers"),
        *("explorer, all unknowns, 75 barriers", "random restarts"),
        *("basin hopping, moves of 0.54, T = 0.5", "basin hopping, moves of 1.6, T = 0.5"),
        *("Langevin, T = 0.15", "Langevin, T = 0.5"),
    ],
}
SUPPORT = {"timing", "peer", "peer_problems"}

# A stand-in with the interface that peer_problems.py uses: it "finds" two minima and a saddle, and talks as it does.
PEER = """
class Landscape:
    def __init__(self, **settings):
        self.start, self.SaddleList = settings["InitialPoint"], []

    def Run(self):
        print("Start running:")
        self.SaddleList += [[0, self.start, 1, None, [-1]], [1, self.start, 0, None, [0]]]

    def RestartFromSaddle(self, number, perturbation, index):
        assert number == 1 and perturbation.shape == (2, 1) and index == 1
        self.SaddleList.append([2, self.start, 0, None, [1]])
"""


def run(name, *words, code=0):
    environment = {**os.environ, "MPLBACKEND": "agg"}
    command = [sys.executable, "-W", "error", BENCHMARKS / f"{name}.py", "--quick", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def table_rows(text):
    """Cells of the rows of all tables, their headers left out."""
    found, lines = [], text.splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("| ") and not following.startswith("|-"):
            found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


@pytest.mark.parametrize("name", ROWS)
def test_every_benchmark_prints_its_tables(name):
    out = run(name)
    assert re.match(r"machine: \d+ cores, .*Python .*, numpy .*, scipy .*, numba ", out)
    rows = table_rows(out)
    assert [row[0] for row in rows] == ROWS[name]
    assert all(cell != "" for row in rows for cell in row[2:])
    CONTENT.get(name, lambda rows: None)(rows)


def small_models_are_complete(rows):
    assert [row[2] for row in rows[5:]] == 2 * ["{0: 3, 1: 2}"] + ["{0: 4, 1: 4, 2: 1}", "{0: 8, 1: 12, 2: 6, 3: 1}"]


def the_saddle_is_reached(rows):
    """Preconditioned steps reach the WORS from every perturbed start, in far fewer steps than plain ones."""
    for default, sweeps, plain in (rows[:3], rows[3:6]):
        assert [default[1], sweeps[1], plain[1]] == ["2 of 2", "2 of 2", "1 of 1"]
        assert 20 * float(default[2]) < float(plain[2])


def fields_add_up(rows):
    assert [row[4] for row in rows[:3]] == ["1", "1", "1"]
    for row in rows[3:]:
        assert sum(int(share.removesuffix(" %")) for share in row[1:-1]) == pytest.approx(100, abs=3)
    assert rows[5][5] == "0 %"  # no file


def workers_change_nothing(rows):
    assert [row[3] for row in rows] == ["yes", "yes", "yes"]


def errors_fall_as_predicted(rows):
    """Twenty runs know a slope to a tenth or so; every one of them stays at its saddle."""
    for row in rows[:8]:
        assert float(row[2]) == pytest.approx(float(row[4]), abs=0.2)
        assert float(row[7]) == 1.0


def memory_stays_small(rows):
    """Once the code is loaded, a field of 256 unknowns needs a few MiB, and the imports are no part of it."""
    assert float(rows[0][5]) >= float(rows[0][6]) >= 0.0
    assert float(rows[0][6]) < 50.0


def regions_are_what_they_are_called(rows):
    """Plain HiSD with short steps fails from where it stalls, by definition, and elsewhere some searches end at a saddle."""
    for everywhere, _, stalled, crossing in (rows[first : first + 4] for first in (0, 4, 8)):
        assert int(everywhere[1]) > int(stalled[1]) > 0
        assert int(crossing[1]) > 0 and stalled[2] == "0 %"
        assert float(everywhere[2].removesuffix(" %")) > 20.0


def energies_are_conserved(rows):
    """Every step of every method, and threads change no trajectory."""
    assert all(float(row[6]) < 0.1 for row in rows[:25])
    assert [int(row[1]) for row in rows[:25]] == 15 * [2000] + 5 * [100] + 5 * [20]
    assert rows[25][1:4] == rows[26][1:4] and int(rows[25][2].removesuffix("%")) > 30


def budgets_are_kept(rows):
    """No more minima than there are; where all were found, within the budget; saddles from the explorer alone."""
    for row, (total, budget) in zip(rows, [(8, 3000)] * 9 + [(3, 3000)] * 8 + [(2, 2000)] * 8, strict=True):
        assert 1.0 <= float(row[1]) <= total
        complete = row[2] != "0 of 1"
        assert complete == (float(row[1]) == total)
        assert not complete or float(row[2].removeprefix("1 of 1, ")) <= budget
        assert (row[3] == "-") == (not row[0].startswith("explorer"))
    assert [rows[i][1] for i in (4, 12)] == ["8.0", "3.0"]  # random restarts, from the right box


CONTENT = {
    "energy_conserving": energies_are_conserved,
    "explorers": budgets_are_kept,
    "escape": regions_are_what_they_are_called,
    "small_models": small_models_are_complete,
    "iterations": the_saddle_is_reached,
    "fields": fields_add_up,
    "stochastic": errors_fall_as_predicted,
    "workers": workers_change_nothing,
    "memory": memory_stays_small,
}


def test_the_peer_is_run_from_a_checkout(tmp_path):
    (tmp_path / "saddlescape-1.0").mkdir()
    (tmp_path / "saddlescape-1.0" / "saddlescape.py").write_text(PEER)
    (row,) = table_rows(run("peer", str(tmp_path)))
    assert (row[0], row[1], row[5]) == ("Mueller-Brown", "{0: 2, 1: 1}", "{0: 3, 1: 2}")


def test_a_peer_that_fails_is_one_clear_error(tmp_path):
    assert "expected a folder with saddlescape-1.0 in it" in run("peer", str(tmp_path), code=2)
    (tmp_path / "saddlescape-1.0").mkdir()
    (tmp_path / "saddlescape-1.0" / "saddlescape.py").write_text("import no_such_package")
    message = run("peer", str(tmp_path), code=1)
    assert "ModuleNotFoundError: No module named 'no_such_package'" in message and "--python" in message


def test_a_peer_that_takes_too_long_is_left(tmp_path):
    (tmp_path / "saddlescape-1.0").mkdir()
    (tmp_path / "saddlescape-1.0" / "saddlescape.py").write_text("import time\ntime.sleep(600)")
    (row,) = table_rows(run("peer", str(tmp_path), "--limit", "0.5"))
    assert row[4] == "over 500 ms" and row[8].startswith("over ")


def test_every_script_has_a_test_and_a_line_in_the_readme():
    scripts = {path.stem for path in BENCHMARKS.glob("*.py")}
    assert scripts == set(ROWS) | SUPPORT
    readme = (BENCHMARKS / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}.py" in readme for name in scripts - {"timing"})
