"""What the tests of the landscape drivers share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from saddlescape import Landscape, load_model
from saddlescape.numerics.orbits import align

# The butterfly without its mirror, in plain Python: every point and edge is found by a search of its own. Beyond x = 1.2,
# y = 1, on the way to the upper right minimum, it misbehaves as its parameter says.
_FAULTY = '''
import os
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from saddlescape import EnergyModel


@dataclass(frozen=True)
class Faulty(EnergyModel):
    """The butterfly with a fault."""

    fault: str = "none"
    flag: str = ""

    dim: ClassVar[int] = 2
    coercive: ClassVar[bool] = True

    def energy(self, x):
        a, b = x
        return float(a**4 - 1.5 * a**2 * b**2 + b**4 - 2 * b**3 + b**2 + a**2 * b - 2 * a**2)

    def gradient(self, x, out=None):
        a, b = x
        g = np.array([4 * a**3 - 3 * a * b**2 + 2 * a * b - 4 * a, -3 * a**2 * b + 4 * b**3 - 6 * b**2 + 2 * b + a**2])
        if a > 1.2 and b > 1.0:
            g = self._misbehave(g)
        if out is None:
            return g
        out[:] = g
        return out

    def _misbehave(self, g):
        if self.fault == "raise":
            raise ZeroDivisionError("the mesh is tangled")
        if self.fault == "nan":
            return g * np.nan
        if self.fault == "exit" or (self.fault == "exit once" and not os.path.exists(self.flag)):
            open(self.flag, "w").close()
            os._exit(1)
        return g

    def default_start(self):
        return np.array([0.0, 0.5])
'''


@pytest.fixture
def faulty(tmp_path: Path) -> Callable:
    """``faulty(fault)``: a butterfly from a file, which misbehaves around its upper right minimum."""
    path = tmp_path / "faulty.py"
    path.write_text(dedent(_FAULTY))

    def make(fault: str = "none"):
        return load_model(f"{path}:Faulty", {"fault": fault, "flag": str(tmp_path / "died")})

    return make


@pytest.fixture
def counterparts() -> Callable:
    """``counterparts(a, b)``: for each node of landscape a the node of b on the same orbit; fails unless they pair off."""

    def pair(a: Landscape, b: Landscape) -> list[int]:
        found = []
        for node in a.nodes:
            size = 1.0 + np.sqrt(np.sum(node.point.x**2 * a.info.mass))
            distances = [align(a.symmetry, node.point.x, other.x, a.info.mass)[1] for other in b.points]
            near = [i for i, distance in enumerate(distances) if distance <= 1e-7 * size]
            assert len(near) == 1, f"node {node.id} ({node.point}) has {len(near)} counterparts"
            assert b.points[near[0]].index == node.point.index
            found.append(near[0])
        assert sorted(found) == list(range(len(b.nodes)))
        return found

    return pair


@pytest.fixture
def joined() -> Callable:
    """``joined(a)``: the pairs (parent, child) of a landscape's edges, as a set."""
    return lambda landscape: {(edge.parent, edge.child) for edge in landscape.edges}
