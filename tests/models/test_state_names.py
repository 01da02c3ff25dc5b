"""Known states are called by their names, others are not."""

import numpy as np
import pytest

from saddlescape import explore
from saddlescape.models import LandauDeGennes, ReducedLandauDeGennes
from saddlescape.models.liquid_crystals import Disk, Hexagon, Rectangle, Square
from saddlescape.models.liquid_crystals.states.names import disk_name, polygon_name, state_name
from saddlescape.models.liquid_crystals.states.reading import embedded
from saddlescape.models.liquid_crystals.tensors import uniaxial

from .states import AXIS, planar, plane_grid


def named(landscape):
    """Pairs of points and the names of their states."""
    return list(zip(landscape.points, landscape.state_names(), strict=True))


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(ReducedLandauDeGennes(33, 30.0), id="reduced"),
        pytest.param(LandauDeGennes(33, 30.0), id="full", marks=pytest.mark.slow),
    ],
)
def test_the_states_of_the_square(model):
    landscape = explore(model, "wors", max_index=4, rng=0)
    known = {(point.index, point.orbit_size): name for point, name in named(landscape)}
    assert known == {(0, 2): "D", (0, 4): "R", (1, 8): None, (2, 2): "BD", (2, 4): None, (3, 4): None, (4, 1): "WORS"}
    assert sorted(name for name in landscape.expand().state_names() if name) == ["BD"] * 2 + ["D"] * 2 + ["R"] * 4 + ["WORS"]


def test_wors_and_diagonal_states_of_a_small_square():
    model = ReducedLandauDeGennes(17, 12.0)
    landscape = explore(model, "wors", rng=0)
    by_index = {point.index: name for point, name in named(landscape)}
    assert by_index == {0: "D", 1: "BD", 2: "WORS"}
    assert model.state_name(model.start("r")) == "R"  # the harmonic guess has its symmetry and its turn
    rng = np.random.default_rng(0)
    assert model.state_name(rng.normal(size=model.dim)) is None


def test_a_saddle_that_turns_like_r_is_not_r():
    # Of index 2 at lambda^2 = 20: the director turns by pi between two edges, across a wall through the centre.
    landscape = explore(ReducedLandauDeGennes(17, 20.0), "wors", max_index=4, rng=0)
    assert {name for point, name in named(landscape) if point.index > 1} == {
        None,
        "WORS",
    }


def test_the_states_of_the_hexagon():
    landscape = explore(ReducedLandauDeGennes(13, 30.0, domain=Hexagon()), "ring", rng=0)
    found = sorted((point.index, name, point.orbit_size) for point, name in named(landscape))
    assert found == [(0, "Para", 3), (1, "BD", 3), (2, "Ring", 1)]


def test_the_states_of_the_disk():
    model = ReducedLandauDeGennes(21, 30.0, domain=Disk(), anchoring="homeotropic")
    landscape = explore(model, "ring", rng=0)
    assert {name for _, name in named(landscape)} == {"Radial", "Planar polar"}
    tangent = ReducedLandauDeGennes(21, 30.0, domain=Disk())
    assert tangent.state_name(tangent.start("ring")) is None


@pytest.mark.parametrize(
    ("corners", "apart", "name"), [(6, 1, "Ortho"), (6, 2, "Meta"), (6, 3, "Para"), (5, 2, "Meta"), (8, 3, None)]
)
@pytest.mark.parametrize("shift", [0, 1, 2])
def test_pairs_of_defects_near_corners(corners, apart, name, shift):
    angle = -np.pi / 2 + np.pi / corners * (1 + 2 * (shift + np.array([0, apart])))
    defects = np.column_stack([0.7 * np.cos(angle), 0.7 * np.sin(angle), [0.5, 0.5]])
    assert polygon_name(corners, defects) == name
    assert polygon_name(corners, defects * [1, 1, -1]) is None


@pytest.mark.parametrize(("apart", "name"), [(1, "Ortho"), (2, "Meta"), (3, "Para")])
def test_defects_alone_are_no_name(apart, name):
    model = ReducedLandauDeGennes(13, 30.0, domain=Hexagon())
    nodes = model.unpack(model.start("ring"))["nodes"]
    geometry = {key: model.unpack(model.start("ring"))[key] for key in ("nodes", "triangles")}
    angle = np.pi / 3 * np.array([1, 1 + apart])
    q = embedded(planar(nodes.T, [(0.6 * np.cos(a), 0.6 * np.sin(a), 0.5) for a in angle], 0.3, 0.0), -0.3)
    # On the mirror between both defects the director lies along it.
    assert state_name(Hexagon(), "tangent", q, geometry) == name
    assert state_name(Hexagon(), "tangent", q * (1.0 + 0.1 * nodes @ [0.3, 0.7]), geometry) is None


def test_other_defects_have_no_name():
    assert polygon_name(6, np.empty((0, 3))) is None
    assert polygon_name(6, np.array([[0.0, 0.0, -1.0]])) is None
    assert polygon_name(6, np.array([[0.0, 0.5, 0.5], [0.02, 0.0, 0.5]])) is None
    edge_and_corner = np.array([[0.0, -0.6, 0.5], [0.7, 0.0, 0.5]])
    assert polygon_name(6, edge_and_corner) is None
    assert disk_name(np.array([[0.5, 0.0, 0.5], [0.0, 0.5, 0.5]])) is None
    assert disk_name(np.empty((0, 3)), escaped=True) == "Escaped radial"


def test_escaped_and_tilted_states():
    geometry = {"nodes": plane_grid().reshape(2, -1).T, "triangles": _triangles()}
    x, y = geometry["nodes"].T
    distance = np.hypot(x, y)
    lean = np.pi / 2 * np.minimum(distance, 1.0)
    outward = np.stack([x, y]) / np.maximum(distance, 1e-300)
    escaped = uniaxial(np.stack([*(np.sin(lean) * outward), np.cos(lean)], axis=-1), 1.0)
    assert state_name(Disk(), "homeotropic", escaped, geometry) == "Escaped radial"
    assert state_name(Disk(), "tangent", escaped, geometry) is None
    leaning = embedded(planar(plane_grid(), []), -0.3)
    leaning[3] = 0.4
    assert state_name(Square(), "tangent", leaning, {"x": AXIS, "y": AXIS}) is None
    assert state_name(Rectangle(1.5), "tangent", leaning, {"x": AXIS, "y": AXIS}) is None


def _triangles():
    number = np.arange(33 * 33).reshape(33, 33)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]))
    return np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
