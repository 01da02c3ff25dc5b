"""The layers of the library: arrows only downwards, and a room for each heavy dependency. The imports are read, not run."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# A contracts, B mathematics, C methods, D drivers, E surfaces; a file may import its own layer and those below.
LAYERS = {
    "model": "A",
    "given": "A",
    "naming": "A",
    "results": "A",
    "symmetry": "A",
    "kernels": "A",
    "stochastic": "A",
    "numerics": "B",
    "dynamics": "C",
    "parts": "C",
    "landscape": "D",
    "store": "D",
    "plotting": "E",
    "cli": "E",
}
ROOMS = {"numba": "kernels", "h5py": "store", "matplotlib": "plotting"}  # who alone may import what
MODELS_MAY_IMPORT = {
    "saddlescape.given",
    "saddlescape.kernels",
    "saddlescape.model",
    "saddlescape.symmetry",
    "saddlescape.results",
    "saddlescape.stochastic",
}
MODELS_MAY_USE = {"numba", "numpy", "scipy"} | set(sys.stdlib_module_names)
LIQUID_CRYSTALS_MAY_USE = MODELS_MAY_USE | {"skfem", "meshio", "pyamg"}


def sources(folder, package):
    """Module name and source of every file, (name, is_package, text)."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        parts = [package, *path.relative_to(ROOT / folder).with_suffix("").parts]
        is_package = parts[-1] == "__init__"
        yield ".".join(parts[:-1] if is_package else parts), is_package, path.read_text(encoding="utf-8")


def imported(module, is_package, text):
    """Full names of all modules and names that a file imports, wherever in it."""
    here = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*here[: len(here) - node.level + 1]] if node.level else []
            base += node.module.split(".") if node.module else []
            yield from (".".join([*base, alias.name]) for alias in node.names)


def room(module):
    """The first name below the package: file or folder of the library a module lives in."""
    return module.split(".")[1] if "." in module else ""


def library_faults(module, is_package, text):
    """What a file of saddlescape/ imports or calls against the rules."""
    own = room(module)
    for name in imported(module, is_package, text):
        top = name.split(".")[0]
        if top in ROOMS and own != ROOMS[top]:
            yield f"{module} imports {name}: only {ROOMS[top]} may know {top}"
        if top != "saddlescape":
            continue
        other = room(name)
        if other == "models":
            yield f"{module} imports {name}: the library never imports the models"
        elif own in LAYERS and other not in LAYERS and LAYERS[own] != "E" and other != "__version__":
            yield f"{module} imports {name}: only surfaces may use the public names, others import from where it is defined"
        elif own in LAYERS and other in LAYERS and LAYERS[other] > LAYERS[own]:
            yield f"{module} (layer {LAYERS[own]}) imports {name} (layer {LAYERS[other]})"
    if own != "cli":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                yield f"{module}:{node.lineno} prints: only cli may"


def model_faults(module, is_package, text):
    """What a file of models/ imports against the rules."""
    usable = LIQUID_CRYSTALS_MAY_USE if module.startswith("saddlescape.models.liquid_crystals") else MODELS_MAY_USE
    for name in imported(module, is_package, text):
        top = name.split(".")[0]
        if top == "saddlescape":
            if not name.startswith("saddlescape.models.") and ".".join(name.split(".")[:2]) not in MODELS_MAY_IMPORT:
                yield f"{module} imports {name}: models import only {sorted(MODELS_MAY_IMPORT)}"
        elif top not in usable:
            yield f"{module} imports {name}: models import only the standard library, numba, numpy and scipy"


@pytest.mark.parametrize("source", list(sources("saddlescape", "saddlescape")), ids=lambda source: source[0])
def test_the_library_keeps_its_layers(source):
    assert list(library_faults(*source)) == []


@pytest.mark.parametrize("source", list(sources("models", "saddlescape.models")), ids=lambda source: source[0])
def test_models_know_only_the_contracts(source):
    assert list(model_faults(*source)) == []


def test_every_file_has_a_layer():
    rooms = {room(module) for module, _, _ in sources("saddlescape", "saddlescape")} - {""}
    assert rooms == set(LAYERS)


@pytest.mark.parametrize(
    ("module", "is_package", "text"),
    [
        ("saddlescape.model", False, "from .numerics.derivatives import Derivatives"),
        ("saddlescape.numerics.eigen", False, "def f():\n    from ..dynamics import advance"),
        ("saddlescape.numerics", True, "from ..landscape import records"),
        ("saddlescape.dynamics.hisd", False, "import saddlescape.store.reader"),
        ("saddlescape.store.writer", False, "from ..plotting.style import COLOURS"),
        ("saddlescape.landscape.explore", False, "from .. import search"),
        ("saddlescape.landscape.explore", False, "from ..models import MuellerBrown"),
        ("saddlescape.numerics.eigen", False, "from numba import njit"),
        ("saddlescape.landscape.files", False, "import h5py"),
        ("saddlescape.cli.files", False, "import matplotlib.pyplot as plt"),
        ("saddlescape.plotting.style", False, "print('hello')"),
    ],
)
def test_the_rules_catch_what_they_forbid(module, is_package, text):
    assert len(list(library_faults(module, is_package, text))) == 1


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("saddlescape.models.own", "from saddlescape import search"),
        ("saddlescape.models.own", "from saddlescape.numerics.derivatives import Derivatives"),
        ("saddlescape.models.own", "from ..landscape import explore"),
        ("saddlescape.models.own", "import skfem"),
        ("saddlescape.models.liquid_crystals.square", "import torch"),
    ],
)
def test_the_rules_catch_what_models_must_not_know(module, text):
    assert len(list(model_faults(module, False, text))) == 1


def test_the_rules_allow_what_is_meant():
    assert not list(library_faults("saddlescape.cli.runs", False, "from .. import explore\nprint(explore)"))
    assert not list(
        library_faults("saddlescape.dynamics.search", False, "from ..numerics import eigen\nfrom ..model import EnergyModel")
    )
    assert not list(
        model_faults("saddlescape.models.own", False, "from saddlescape.kernels import kernel\nfrom .spectral import x")
    )


def test_reading_the_contracts_and_a_landscape_imports_nothing_heavy():
    heavy = ["numba", "matplotlib", "h5py", "networkx", "scipy"]
    code = (
        "import sys; from saddlescape import EnergyModel, Landscape, StationaryPoint, Symmetry, as_model, load_model; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
