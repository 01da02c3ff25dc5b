"""Landscapes made by hand: seven orbits of a square well, a phase field, a profile, plain vectors."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from saddlescape.landscape.info import ModelInfo
from saddlescape.landscape.landscape import Landscape
from saddlescape.landscape.records import Edge, Node
from saddlescape.model import EnergyModel
from saddlescape.results import StationaryPoint

GRID = np.linspace(-1.0, 1.0, 17)


@dataclass(frozen=True)
class Pictured(EnergyModel):
    """An energy |x|^2 / 2 of four unknowns whose points are shown as fields of one kind."""

    kind: str = "director"
    dim: int = 4

    def energy(self, x):
        return 0.5 * float(x @ x)

    def gradient(self, x, out=None):
        return np.array(x) if out is None else np.copyto(out, x)

    def unpack(self, x):
        u, v = np.meshgrid(GRID, GRID)
        wave = x[0] * u + x[1] * v + x[2] * np.cos(np.pi * u) + x[3] * np.cos(np.pi * v)
        if self.kind == "line":
            return {"kind": "line", "x": GRID, "field": np.sin(np.pi * (1 + np.round(x[0])) * (GRID + 1) / 2)}
        if self.kind == "scalar":
            return {"kind": "scalar", "x": GRID, "y": GRID, "field": wave}
        director = np.stack([np.cos(wave), np.sin(wave)], axis=-1)
        return {
            "kind": "director",
            "x": GRID,
            "y": GRID,
            "director": director,
            "order": 1 - 0.9 * np.exp(-5 * (u**2 + v**2)),
            "energy_density": u,
        }


@dataclass(frozen=True)
class Plain(EnergyModel):
    """A quartic of two unknowns, shown as contours and its points as discs: minima (+-1, 0), a saddle at the origin."""

    dim: int = 2
    box = ((-1.6, 1.6), (-1.2, 1.2))

    def energy(self, x):
        return float((x[0] ** 2 - 1) ** 2 + x[1] ** 2)

    def gradient(self, x, out=None):
        return np.array([4 * x[0] * (x[0] ** 2 - 1), 2 * x[1]])


def point(index: int, energy: float, x: np.ndarray, orbit_size: int = 1, nullity: int = 0) -> StationaryPoint:
    eigenvalues = np.concatenate([-np.arange(index, 0, -1.0), np.zeros(nullity), [1.0, 1.0, 2.5]])
    m = eigenvalues.size
    return StationaryPoint(
        np.asarray(x, dtype=float),
        energy,
        1e-12,
        index,
        nullity,
        eigenvalues,
        np.zeros((m, len(x))),
        np.zeros(m),
        "by hand",
        1e-8,
        orbit_size,
    )


def build(model: EnergyModel, points: list[StationaryPoint], edges: list[tuple[int, int, str]], attached: bool = True) -> Landscape:
    landscape = Landscape(ModelInfo.of(model, None), model if attached else None)
    landscape.nodes = [Node(i, p, i) for i, p in enumerate(points)]
    for key, (parent, child, kind) in enumerate(edges):
        landscape.edges.append(Edge(parent, child, np.zeros(1), key, kind, 0, 1, "HiSD()", "mass", key, float("nan")))
    return landscape


# Index, energy above D, orbit size: the reduced Landau-de Gennes square at lambda^2 = 30.
SQUARE = ((4, 4.3438, 1), (3, 3.8543, 4), (2, 3.6882, 4), (2, 2.3199, 2), (1, 2.0101, 8), (0, 2.0063, 4), (0, 0.0, 2))
SQUARE_EDGES = (
    (0, 1, "down"), (0, 1, "down"), (0, 2, "down"), (0, 3, "down"), (1, 2, "down"), (1, 3, "down"), (1, 4, "down"),
    (2, 4, "down"), (2, 4, "down"), (3, 4, "up"), (2, 5, "down"), (3, 6, "down"), (4, 5, "quench+"), (4, 6, "quench-"),
    (0, 6, "down"),
)  # fmt: skip


def square_points(spread: bool) -> list[StationaryPoint]:
    rng = np.random.default_rng(5)
    found = []
    for index, energy, size in SQUARE:
        for _ in range(size if spread else 1):
            found.append(point(index, energy, rng.uniform(-1, 1, 4), 1 if spread else size))
    return found


@pytest.fixture
def square() -> Callable[..., Landscape]:
    """Seven orbits of a square well; ``kind`` says what its states look like."""

    def make(kind: str = "director", attached: bool = True) -> Landscape:
        return build(Pictured(kind), square_points(False), list(SQUARE_EDGES), attached)

    return make


@pytest.fixture
def spread() -> Landscape:
    """The same landscape, all 25 points: every connection of neighbouring orbits spread over the copies."""
    points = square_points(True)
    starts = np.concatenate([[0], np.cumsum([size for *_, size in SQUARE])])
    edges = []
    for parent, child, kind in SQUARE_EDGES:
        copies = max(SQUARE[parent][2], SQUARE[child][2])
        for i in range(copies):
            a, b = starts[parent] + i * SQUARE[parent][2] // copies, starts[child] + i * SQUARE[child][2] // copies
            edges.append((int(a), int(b), kind))
    return build(Pictured("director"), points, edges)


@pytest.fixture
def wells() -> Landscape:
    """A saddle between two minima in the plane."""
    points = [point(1, 1.0, [0.0, 0.0]), point(0, 0.0, [1.0, 0.0]), point(0, 0.0, [-1.0, 0.0])]
    return build(Plain(), points, [(0, 1, "quench+"), (0, 2, "quench-")])


@pytest.fixture
def empty() -> Landscape:
    return build(Plain(), [], [])
