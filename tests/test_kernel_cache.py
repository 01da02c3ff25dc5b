"""The disk cache of kernels: a kernel is compiled anew when a file it takes functions from changes, and only then."""

import importlib
import sys

import numpy as np
import pytest

from saddlescape.kernels import SIGNATURES, kernel

FACTORS = """
from saddlescape.kernels import helper

@helper
def factor(x):
    return {factor} * x[0]
"""

KERNELS = """
from saddlescape.kernels import FLOAT, PARAMS, VECTOR, kernel, solver_kernel

from . import factors
from .factors import factor

@kernel("energy", uses=(factors,))
def energy(x, params):
    return factor(x)

@solver_kernel(FLOAT(VECTOR, PARAMS), uses=(factors,))
def solver(x, params):
    return 2.0 * factor(x)
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """``package(factor)`` writes a package in which a kernel uses a function of another file, and imports it anew."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # Python's own cache is not the subject, and looks at whole seconds
    folder = tmp_path / "cached_kernels"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "kernels.py").write_text(KERNELS)

    def load(factor=None):
        if factor is not None:
            (folder / "factors.py").write_text(FACTORS.format(factor=factor))
        for name in [name for name in sys.modules if name.startswith("cached_kernels")]:
            del sys.modules[name]
        importlib.invalidate_caches()
        return importlib.import_module("cached_kernels.kernels")

    yield load
    for name in [name for name in sys.modules if name.startswith("cached_kernels")]:
        del sys.modules[name]


def hits(dispatcher):
    return sum(dispatcher.stats.cache_hits.values())


def test_a_change_in_a_file_that_a_kernel_uses_compiles_it_anew(package):
    x, params = np.array([1.5]), (np.empty(0), np.empty(0, dtype=np.int64))
    first = package("3.0")
    assert (first.energy(x, params), first.solver(x, params)) == (4.5, 9.0)
    again = package()
    assert (again.energy(x, params), again.solver(x, params)) == (4.5, 9.0)
    assert hits(again.energy) == hits(again.solver) == 1
    changed = package("5.25")
    assert (changed.energy(x, params), changed.solver(x, params)) == (7.875, 15.75)
    assert hits(changed.energy) == hits(changed.solver) == 0


def test_a_kernel_is_compiled_when_it_is_used_and_with_its_signature_alone(package):
    energy, params = package("3.0").energy, (np.empty(0), np.empty(0, dtype=np.int64))
    assert not energy.signatures
    assert energy(np.array([1.5]), params) == 4.5
    assert energy.nopython_signatures == [SIGNATURES["energy"]]
    with pytest.raises(TypeError, match="No matching definition"):
        energy(np.array([1]), params)


def test_a_kernel_whose_first_point_does_not_match_is_not_compiled_for_it(package):
    energy = package("3.0").energy
    with pytest.raises(TypeError, match="No matching definition"):
        energy(np.array([1]), (np.empty(0), np.empty(0, dtype=np.int64)))
    assert energy.nopython_signatures == [SIGNATURES["energy"]]


def test_an_unknown_role_is_named():
    with pytest.raises(ValueError, match="role: got 'gradiant', expected one of energy, energy_gradient, gradient, hvp, draw"):
        kernel("gradiant")
