"""The house: what an import costs, where the models are found, what a distribution contains."""

import configparser
import importlib.metadata
import multiprocessing
import pickle
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import saddlescape
from saddlescape.models import MuellerBrown

ROOT = Path(__file__).parent.parent


def python(code, **options):
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120, **options)
    return done.stdout.strip()


def test_the_import_pulls_in_nothing_heavy():
    heavy = ["numba", "scipy", "matplotlib", "h5py", "networkx", "tqdm"]
    assert python(f"import sys, saddlescape; print([name for name in {heavy} if name in sys.modules])") == "[]"


def test_the_models_package_imports_no_model():
    assert python("import sys, saddlescape.models; print('numba' in sys.modules)") == "False"


def test_the_import_adds_little_time_to_numpy():
    code = "import time, numpy; begin = time.perf_counter(); import saddlescape; print(time.perf_counter() - begin)"
    # The best of a few: a busy machine slows an import down, nothing speeds it up.
    assert min(float(python(code)) for _ in range(5)) < 0.05


def test_every_public_name_can_be_had():
    for name in saddlescape.__all__:
        assert getattr(saddlescape, name) is not None
    assert set(saddlescape.__all__) <= set(dir(saddlescape))
    with pytest.raises(AttributeError, match="explroe"):
        _ = saddlescape.explroe


def test_every_model_can_be_had():
    for name in saddlescape.models.__all__:
        model = getattr(saddlescape.models, name)
        assert issubclass(model, saddlescape.EnergyModel) and model.__name__ == name
    with pytest.raises(AttributeError, match="MulerBrown"):
        _ = saddlescape.models.MulerBrown


def test_the_models_are_those_of_the_checkout():
    assert Path(saddlescape.models.__file__) == ROOT / "models" / "__init__.py"


def test_the_models_are_found_from_any_folder(tmp_path):
    code = "from saddlescape.models import MuellerBrown; print(MuellerBrown().dim)"
    assert python(code, cwd=tmp_path) == "2"


def test_a_model_travels_to_a_spawned_process():
    model, x = MuellerBrown(), np.array([-0.558, 1.442])
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(model.energy, x).result(timeout=120) == model.energy(x)
    assert pickle.loads(pickle.dumps(model)) == model


def test_the_version_is_the_same_everywhere():
    version = saddlescape.__version__
    assert importlib.metadata.version("saddlescape") == version
    citation = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert (citation[1], newest[1]) == (version, version)


def _setup():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    return setup


def test_every_package_is_listed():
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in ROOT.glob("saddlescape/**/__init__.py")}
    found |= {".".join(("saddlescape", *path.parent.relative_to(ROOT).parts)) for path in ROOT.glob("models/**/__init__.py")}
    assert set(_setup()["options"]["packages"].split()) == found


def test_every_data_file_is_packaged():
    patterns = _setup()["options.package_data"]["saddlescape.models"].replace(",", " ").split()
    packaged = {path for pattern in patterns for path in (ROOT / "models").glob(pattern)}
    data = {
        path for path in (ROOT / "models").rglob("*") if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".py"
    }
    assert data == packaged and data
    assert not [path for path in (ROOT / "saddlescape").rglob("*") if path.suffix not in ("", ".py", ".pyc", ".nbi", ".nbc")]
