"""The README does what it says: its Python is run, its commands are parsed, its links lead somewhere."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from saddlescape import HiSD, Landscape, SHiSD
from saddlescape.cli.parser import build_parser
from saddlescape.landscape.info import ModelInfo
from saddlescape.landscape.runfile import read_run_file
from saddlescape.models import MuellerBrown
from saddlescape.parts import Decaying, EigenvectorSearch
from saddlescape.store import save

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted((ROOT / "docs").glob("*.md"))


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_the_python_of_the_readme_runs(tmp_path):
    script = tmp_path / "readme.py"
    # One script, in order: later snippets read what earlier ones wrote.
    script.write_text("\n".join(blocks(ROOT / "README.md", "python")), encoding="utf-8")
    environment = {**os.environ, "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-W", "error", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "{0: 6, 1: 8, 2: 6, 3: 4, 4: 1}"
    assert "Euler sum 1" in lines[1]
    assert any("9 points" in line for line in lines)
    assert any("certified stationary point of the index asked for" in line and "Index 1" in line for line in lines)
    for name in ("first.h5", "first.png", "energies.png"):
        assert (tmp_path / name).stat().st_size > 0


def test_the_first_landscape_is_fifteen_lines():
    first = blocks(ROOT / "README.md", "python")[0]
    assert len([line for line in first.splitlines() if line]) <= 15


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_shown_exist(page):
    shown = [line for block in blocks(page, "") for line in block.splitlines() if line.startswith("saddlescape ")]
    for line in shown:
        words = shlex.split(line, comments=True)[1:]
        if words != ["--version"]:
            assert callable(build_parser().parse_args(words).command)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


def test_the_two_commands_stand_on_lines_of_their_own():
    commands = re.findall(r"^python3 -m venv .*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [command.rsplit("&& ", 1)[1] for command in commands] == [
        ".venv/bin/saddlescape explore examples/ldg_square.toml",
        ".venv/bin/python -m pytest",
    ]


@pytest.mark.parametrize("guide", ["domains", "following", "liquid-crystals", "models", "states", "stochastic"])
def test_the_python_of_the_guides_runs(guide, tmp_path):
    script = tmp_path / "guide.py"
    script.write_text("\n".join(blocks(ROOT / "docs" / f"{guide}.md", "python")), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", script], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_run_file_of_the_guide_is_valid(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(blocks(ROOT / "docs" / "command-line.md", "toml")[0], encoding="utf-8")
    run = read_run_file(path)
    assert run.start(run.build_model()) == "wors" and run.build_method() == HiSD()
    path.write_text(blocks(ROOT / "docs" / "command-line.md", "toml")[1], encoding="utf-8")
    run = read_run_file(path)
    assert run.start(run.build_model()) == "wors" and run.build_model().fraction == 0.5
    eigen = EigenvectorSearch(Decaying(0.3, p=0.7), inner=3)
    assert run.build_method() == SHiSD(eigen=eigen, cap=0.1)
    path.write_text(blocks(ROOT / "docs" / "command-line.md", "toml")[2], encoding="utf-8")
    assert read_run_file(path).follow.parameter == "lambda2"


@pytest.mark.parametrize("guide", ["domains", "liquid-crystals"])
def test_the_run_files_of_the_liquid_crystals_are_valid(guide, tmp_path):
    shown = blocks(ROOT / "docs" / f"{guide}.md", "toml")
    assert len(shown) == 1 and len([line for line in shown[0].splitlines() if line]) <= 20
    path = tmp_path / "run.toml"
    path.write_text(shown[0], encoding="utf-8")
    run = read_run_file(path)
    model = run.build_model()
    run.start(model)
    assert model.dim > 0


def test_every_dataset_of_a_file_is_documented(tmp_path):
    landscape = Landscape(ModelInfo.of(MuellerBrown(), None))
    save(landscape, tmp_path / "empty.h5")
    described = (ROOT / "docs" / "file-format.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^\| `/(\w*)` \|(.*)\|$", described, re.MULTILINE))
    sections["frontier"] += sections["searches"]
    undocumented = []
    with h5py.File(tmp_path / "empty.h5") as file:
        assert {name for name in sections if name} == set(file)
        undocumented += [name for name in file.attrs if f"`{name}`" not in sections[""]]
        undocumented += [name for name in file["model"].attrs if f"`{name}`" not in sections["model"]]
        for group in set(file) - {"pending"}:
            undocumented += [f"{group}/{name}" for name in file[group] if f"`{name}`" not in sections[group]]
    assert undocumented == []
