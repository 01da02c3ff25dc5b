"""Every example runs as its first lines say, and finds what is known."""

import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from saddlescape import Diagram, load
from saddlescape.cli import main

EXAMPLES = Path(__file__).parent.parent / "examples"

# {index: points}, orbits; see the sources in the docstrings of the models.
KNOWN = {
    "ldg_anisotropic": ({0: 2, 1: 2, 2: 1}, 3),
    "ldg_annulus": ({0: 1, 2: 1, 4: 1}, 3),  # circles of states, but for the last
    "ldg_cuboid": ({0: 2, 1: 4, 2: 4, 3: 2, 4: 1}, 6),
    "ldg_disk": ({0: 1, 2: 1}, 2),  # a circle of states, and one
    "ldg_hexagon": ({0: 3, 1: 3, 2: 1}, 3),
    "ldg_rectangle": ({0: 2, 1: 4, 2: 6, 3: 4, 4: 1}, 9),
    "ldg_square": ({0: 6, 1: 8, 2: 6, 3: 4, 4: 1}, 7),
    "ldg_stochastic": ({0: 2, 1: 1}, 2),
    "mueller_brown": ({0: 3, 1: 2}, 5),
    "phase_field": ({0: 2, 1: 2, 2: 1, 5: 1}, 4),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One folder for all: later examples read what earlier ones wrote."""
    return tmp_path_factory.mktemp("examples")


def script(name, folder, *words):
    environment = {**os.environ, "MPLBACKEND": "agg"}
    command = [sys.executable, "-W", "error", EXAMPLES / name, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", KNOWN)
def test_run_files_find_what_is_known(name, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert main(["explore", str(EXAMPLES / f"{name}.toml")]) == 0
    points, orbits = KNOWN[name]
    out = capsys.readouterr().out
    assert f"by index {points} in {orbits} orbits" in out and f"wrote {name}.h5 and {name}.png" in out
    landscape = load(folder / f"{name}.h5")
    assert (landscape.index_counts(), len(landscape.nodes), landscape.euler_characteristic()) == (points, orbits, 1)
    assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_search_one(folder):
    out = script("search_one.py", folder)
    assert "StationaryPoint(index=1, nullity=0, energy=-72.24894011" in out
    assert (folder / "search_one.png").stat().st_size > 0


def test_stochastic_saddle(folder):
    out = script("stochastic_saddle.py", folder, "12")
    found = [(float(slope), float(low), float(high)) for slope, low, high in re.findall(r"slope (\S+) \((\S+) to (\S+)\)", out)]
    assert len(found) == 3 and out.count("100% stayed") == 3
    for (slope, low, high), predicted in zip(found, (-1.0, -0.715, 0.0), strict=True):
        assert slope == pytest.approx(predicted, abs=0.2) and low < slope < high
    assert (folder / "stochastic_saddle.png").read_bytes().startswith(b"\x89PNG")


def test_energy_conserving(folder):
    lines = script("energy_conserving.py", folder, "20").splitlines()
    assert re.fullmatch(r"Zakharov: \S+e-1[678] after 2500 steps", lines[0])
    assert all(re.match(r"Ackley, .*: [1-9]\d* of 20 runs", line) for line in lines[1:3])
    assert lines[3].endswith("minima at -146.6995")
    assert lines[4].endswith("minima at -146.6995, -108.1667, -80.7678")
    assert (folder / "energy_conserving.png").read_bytes().startswith(b"\x89PNG")


def test_neural_network(folder):
    rows = [line.split() for line in script("neural_network.py", folder).splitlines()[1:-1]]
    found = {(int(index), float(loss)) for index, loss, *_ in rows}
    # All values of index 0 to 2, by `explore`; a search may end at any of its index.
    known = {(0, 0.265463), (1, 0.411844), (1, 0.429925), (1, 0.431601), (2, 0.432998), (2, 0.446581)}
    assert found <= known and {index for index, _ in found} == {0, 1, 2}


def test_bottom_up_landscape(folder):
    out = script("bottom_up_landscape.py", folder)
    assert "ceiling +100: points by index {0: 1}" in out and "ceiling +110: points by index {0: 3, 1: 2}" in out
    assert out.count(": 106.0347") == 2
    assert "ceiling +15: points by index {0: 6, 1: 8}" in out
    assert "and upward from there: {0: 6, 1: 8, 2: 6, 3: 4, 4: 1}, Euler sum 1" in out
    assert (folder / "bottom_up_ldg.png").stat().st_size > 0


def test_droplet(folder):
    lines = script("droplet.py", folder, "7").splitlines()
    families = [re.fullmatch(r"  energy (\S+): index (\d), nullity (\d)", line).groups() for line in lines[1:4]]
    assert [(int(index), int(nullity)) for _, index, nullity in families] == [(5, 0), (0, 2), (2, 2)]
    energies = [float(energy) for energy, _, _ in families]
    assert energies[1] < energies[2] < energies[0]  # the ring, the split core, the hedgehog
    assert [int(re.search(r"index (\d)", line).group(1)) for line in lines[5:]] == [5, 5, 5, 0, 0]
    assert (folder / "droplet.png").read_bytes().startswith(b"\x89PNG")


def test_own_model(folder):
    out = script("own_model.py", folder)
    assert out.count("no check failed") == 2
    assert "Himmelblau: 9 points by index {0: 4, 1: 4, 2: 1}, 9 orbits" in out
    assert "FunctionModel: 9 points by index {0: 4, 1: 4, 2: 1}, 4 orbits" in out


def test_own_model_on_the_command_line(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    model = f"{EXAMPLES / 'own_model.py'}:Himmelblau"
    assert main(["check-model", model, "--param", "a=10.0"]) == 0
    assert main(["search", model, "--index", "2"]) == 0
    assert "-0.27084" in capsys.readouterr().out  # the maximum of Himmelblau's function, (-0.270845, -0.923039)


def test_plot_saved(folder):
    out = script("plot_saved.py", folder, "mueller_brown.h5")
    assert "5 points by index {0: 3, 1: 2}" in out
    assert (folder / "mueller_brown.energy.png").stat().st_size > 0
    with h5py.File(folder / "mueller_brown.h5") as file:
        np.testing.assert_allclose(
            np.sort(file["nodes/energy"][:]), [-146.69951721, -108.16672412, -80.76781813, -72.24894011, -40.66484351], atol=1e-8
        )


def test_square_landscapes(folder):
    out = script("square_landscapes.py", folder)
    assert out.splitlines() == [
        "lambda2 = 7: {0: 2, 1: 1}, Euler sum 1",
        "lambda2 = 10: {0: 2, 1: 2, 2: 1}, Euler sum 1",
        "lambda2 = 15: {0: 2, 1: 2, 2: 1}, Euler sum 1",
        "lambda2 = 20: {0: 2, 1: 2, 2: 4, 3: 4, 4: 1}, Euler sum 1",
        "lambda2 = 30: {0: 6, 1: 8, 2: 6, 3: 4, 4: 1}, Euler sum 1",
        "lambda2 = 40: {0: 6, 1: 8, 2: 8, 3: 6, 4: 2, 5: 2, 6: 1}, Euler sum 1",
    ]
    assert (folder / "square_landscapes.png").read_bytes().startswith(b"\x89PNG")


def test_bifurcation_diagram(folder):
    out = script("bifurcation_diagram.py", folder)
    assert "lambda2 from 5 to 40, 10 branches, 8 critical values" in out and "lost" not in out
    assert "lambda2 = 30: {0: 6, 1: 8, 2: 6, 3: 4, 4: 1}, Euler sum 1" in out and out.count("Euler sum 1\n") == 7
    diagram = Diagram.load(folder / "bifurcation_diagram.h5")
    # The names of the example belong to these: by index at 40, and by copies.
    named = {0: (6, 1), 1: (0, 2), 2: (3, 2), 7: (0, 4), 9: (1, 8)}
    assert {i: (int(diagram.branches[i].indices[-1]), diagram.branches[i].orbit_size) for i in named} == named
    assert (folder / "bifurcation_diagram.png").read_bytes().startswith(b"\x89PNG")


def test_every_example_has_a_test():
    tested = {
        "bifurcation_diagram.py",
        "bottom_up_landscape.py",
        "droplet.py",
        "energy_conserving.py",
        "neural_network.py",
        "own_model.py",
        "plot_saved.py",
        "search_one.py",
        "square_landscapes.py",
        "stochastic_saddle.py",
        *(f"{name}.toml" for name in KNOWN),
    }
    assert {path.name for path in EXAMPLES.iterdir() if path.is_file()} == tested
