"""Spreading a landscape over its symmetric copies: landscapes that are known exactly."""

import math

import numpy as np
import pytest

from saddlescape.landscape.expand import barrier, expand, to_networkx
from saddlescape.landscape.info import ModelInfo
from saddlescape.landscape.landscape import Landscape
from saddlescape.landscape.records import Edge, Node
from saddlescape.model import as_model
from saddlescape.results import StationaryPoint
from saddlescape.symmetry import Symmetry


def make_node(number, x, energy, index, orbit_size, vectors=None, orbit_dimension=0):
    x = np.asarray(x, dtype=float)
    vectors = np.eye(x.size)[:2] if vectors is None else vectors
    values = np.array([-1.0 if i < index else 1.0 for i in range(len(vectors))])
    point = StationaryPoint(
        x, energy, 1e-15, index, orbit_dimension, values, vectors, np.zeros(len(values)), "dense", 1e-9, orbit_size, orbit_dimension
    )
    return Node(number, point, number)


def make_edge(parent, child, element, key=0, kind="down", sign=1, search=0):
    return Edge(parent, child, np.array(element, dtype=float), key, kind, 0, sign, "HiSD", "mass", search, 1.0)


def make_landscape(symmetry, nodes, edges, mass=1.0, energy=None, gradient=None):
    model = as_model(
        energy or (lambda x: 0.0), gradient or np.zeros_like, symmetry.dim, mass=mass, symmetry=symmetry, coercive=True
    )
    landscape = Landscape(ModelInfo.of(model, symmetry), model, symmetry)
    landscape.nodes, landscape.edges = nodes, edges
    return landscape


def number_of(symmetry, permutation, signs):
    """Which discrete element a signed permutation is."""
    same = (symmetry.permutations == permutation).all(axis=1) & (symmetry.signs == signs).all(axis=1)
    return float(np.flatnonzero(same)[0])


@pytest.fixture
def wells():
    """(x^2 - 1)^2 + (y^2 - 1)^2 modulo the symmetries of the square: one maximum, four saddles, four minima."""
    square = Symmetry.generate(2, [([1, 0], 1.0), ([0, 1], [-1.0, 1.0])])
    mirror = number_of(square, [0, 1], [1.0, -1.0])
    nodes = [
        make_node(0, (0.0, 0.0), 2.0, 2, 1),
        make_node(1, (1.0, 0.0), 1.0, 1, 4, np.array([[0.0, 1.0], [1.0, 0.0]])),
        make_node(2, (1.0, 1.0), 0.0, 0, 4),
    ]
    edges = [
        make_edge(0, 1, [0.0], search=1),
        make_edge(1, 2, [0.0], 0, "quench+", 1, search=2),
        make_edge(1, 2, [mirror], 1, "quench-", -1, search=2),
    ]

    def energy(x):
        return float(np.sum((x**2 - 1.0) ** 2))

    return make_landscape(square, nodes, edges, energy=energy, gradient=lambda x: 4.0 * x * (x**2 - 1.0))


def test_the_four_wells_spread_out_to_nine_points_and_twelve_edges(wells):
    expanded = expand(wells)
    assert expanded.orbits == [0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert expanded.index_counts() == wells.index_counts() == {0: 4, 1: 4, 2: 1}
    assert expanded.euler_characteristic() == 1
    positions = {tuple(np.round(p.x).astype(int) + 0) for p in expanded.points}
    assert positions == {(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1)}
    ends = sorted((e.parent, e.child) for e in expanded.edges)
    assert len(ends) == len(set(ends)) == 12
    for edge in expanded.edges:
        # Neighbours in the lattice of points differ in the one entry that was zero.
        difference = expanded.points[edge.child].x - expanded.points[edge.parent].x
        assert sorted(np.abs(difference)) == pytest.approx([0.0, 1.0])
    for saddle in expanded.saddles(1):
        assert sorted(e.kind for e in expanded.edges if e.parent == saddle) == ["quench+", "quench-"]


def test_copies_are_stationary_with_the_eigenvectors_moved_along(wells):
    expanded = expand(wells)
    for i, point in enumerate(expanded.points):
        representative = wells.points[expanded.orbits[i]]
        assert point.x == pytest.approx(wells.symmetry.apply(expanded.elements[i], representative.x))
        assert np.abs(wells.model.gradient(point.x)).max() == 0.0
        assert wells.model.energy(point.x) == pytest.approx(point.energy)
        hessian = np.diag(12.0 * point.x**2 - 4.0)
        signs = np.sign(np.einsum("ki,ij,kj->k", point.eigenvectors, hessian, point.eigenvectors))
        assert (signs == np.sign(point.eigenvalues)).all()


def test_expanding_twice_changes_nothing(wells):
    once = expand(wells)
    twice = expand(once)
    assert [p.x.tolist() for p in twice.points] == [p.x.tolist() for p in once.points]
    assert [(e.parent, e.child, e.key) for e in twice.edges] == [(e.parent, e.child, e.key) for e in once.edges]


def test_expand_does_not_touch_the_landscape(wells):
    before = [(e.parent, e.child, e.key) for e in wells.edges], [n.point.x.tolist() for n in wells.nodes]
    expand(wells)
    assert before == ([(e.parent, e.child, e.key) for e in wells.edges], [n.point.x.tolist() for n in wells.nodes])


def test_both_sides_of_a_saddle_may_lead_to_the_same_copy():
    flip = Symmetry.generate(2, [([0, 1], [1.0, -1.0])])
    nodes = [make_node(0, (1.0, 0.0), 1.0, 1, 1), make_node(1, (0.0, 0.0), 0.0, 0, 1)]
    edges = [make_edge(0, 1, [0.0], 0, "quench+", 1, 5), make_edge(0, 1, [1.0], 1, "quench-", -1, 5)]
    expanded = expand(make_landscape(flip, nodes, edges))
    assert [(e.parent, e.child, e.kind) for e in expanded.edges] == [(0, 1, "quench+"), (0, 1, "quench-")]


def test_a_group_given_by_matching_has_no_copies_to_make(wells):
    matched = Symmetry.by_matching(2, lambda x, y: y)
    landscape = make_landscape(matched, wells.nodes[:1], [])
    expanded = expand(landscape)
    assert expanded.orbits == [0]
    assert expanded.points[0] is landscape.points[0]


def test_orbit_sizes_that_do_not_fit_the_group_are_named(wells):
    wells.nodes[1] = make_node(1, (1.0, 0.0), 1.0, 1, 3)
    with pytest.raises(ValueError, match="node 1: an orbit of 3 copies does not fit a group of order 8"):
        expand(wells)
    wells.nodes[1] = make_node(1, (0.3, 0.1), 1.0, 1, 2)
    with pytest.raises(ValueError, match="node 1: the 4 elements that fix it best are no group"):
        expand(wells)


def test_translations_stay_and_nodes_are_components():
    n = 12
    angle = 2.0 * np.pi * np.arange(n) / n
    chain = Symmetry.generate(n, [(-np.arange(n) % n, 1.0), (np.arange(n), -1.0)], grid=(n,))
    flip = number_of(chain, np.arange(n), -np.ones(n))
    reflection = number_of(chain, -np.arange(n) % n, np.ones(n))
    lopsided = np.cos(angle) + 0.3 * np.sin(2.0 * angle) + 0.1
    nodes = [
        make_node(0, np.zeros(n), 3.0, 3, 1),
        make_node(1, lopsided, 2.0, 1, 4, orbit_dimension=1),
        make_node(2, np.ones(n), 0.0, 0, 2),
    ]
    edges = [
        make_edge(0, 1, [reflection, 2.5], search=1),
        make_edge(1, 2, [0.0, 0.0], 0, "quench+", 1, 2),
        make_edge(1, 2, [flip, 0.0], 1, "quench-", -1, 3),
    ]
    landscape = make_landscape(chain, nodes, edges, mass=1.0 / n)
    expanded = expand(landscape)
    assert expanded.orbits == [0, 1, 1, 1, 1, 2, 2]
    assert expanded.symmetry.grid == (n,) and expanded.symmetry.order == 1
    assert len(expanded.edges) == 4 + 4 + 4
    original = [np.linalg.norm(nodes[e.parent].point.x - chain.apply(e.child_element, nodes[e.child].point.x)) for e in edges]
    for edge in expanded.edges:
        # The group moves both ends of an edge together: their distance stays.
        end = expanded.symmetry.apply(edge.child_element, expanded.points[edge.child].x)
        distance = np.linalg.norm(expanded.points[edge.parent].x - end)
        kind = {"down": 0, "quench+": 1, "quench-": 2}[edge.kind]
        assert distance == pytest.approx(original[kind], rel=1e-9)


# --- barriers -------------------------------------------------------------------------------------------------------------


def make_barriers():
    """Minima 0, 1, 2, 3; saddles 4 (0-1, energy 1), 5 (1-2, energy 3), 6 (0-2, energy 2); 3 is reached by a down edge only."""
    energies = {0: 0.0, 1: 0.1, 2: 0.2, 3: 0.3, 4: 1.0, 5: 3.0, 6: 2.0}
    nodes = [make_node(i, (float(i), 0.0), e, 0 if i < 4 else 1, 1) for i, e in energies.items()]
    pairs = [(4, 0, "quench+"), (4, 1, "quench-"), (5, 1, "quench+"), (5, 2, "quench-"), (6, 0, "quench+"), (6, 2, "quench-")]
    edges = [make_edge(p, c, [0.0], 0, kind, search=i) for i, (p, c, kind) in enumerate(pairs)]
    edges.append(make_edge(4, 3, [0.0], 0, "down", search=9))
    return make_landscape(Symmetry.generate(2), nodes, edges)


def test_barrier_is_the_lowest_highest_saddle():
    landscape = make_barriers()
    assert barrier(landscape, 0, 1) == 1.0
    assert barrier(landscape, 1, 2) == 2.0  # over 0: lower than the direct saddle at 3
    assert barrier(landscape, 2, 1) == 2.0
    assert barrier(landscape, 1, 1) == 0.1


def test_barrier_is_infinite_without_quench_edges():
    assert barrier(make_barriers(), 0, 3) == math.inf


def test_barrier_between_copies_needs_the_expanded_landscape(wells):
    expanded = expand(wells)
    minima = expanded.minima()
    assert {barrier(expanded, i, j) for i in minima for j in minima if i != j} == {1.0}
    assert barrier(wells, 2, 2) == 0.0


def test_barrier_refuses_what_is_no_minimum():
    with pytest.raises(ValueError, match=r"end: node 4 has Morse index 1, expected a minimum, one of \[0, 1, 2, 3\]"):
        barrier(make_barriers(), 0, 4)
    with pytest.raises(IndexError, match="node: got 9, expected an id from 0 to 6"):
        barrier(make_barriers(), 9, 0)


# --- networkx -------------------------------------------------------------------------------------------------------------


def test_to_networkx_has_plain_values(wells):
    graph = to_networkx(wells)
    assert graph.number_of_nodes() == 3
    assert sorted(graph.edges(keys=True)) == [(0, 1, 0), (1, 2, 0), (1, 2, 1)]
    assert graph.nodes[1] == {
        "name": "",
        "index": 1,
        "nullity": 0,
        "energy": 1.0,
        "orbit_size": 4,
        "gradient_norm": 1e-15,
        "certificate": "dense",
    }
    assert graph.edges[1, 2, 1]["kind"] == "quench-"
    for _, _, attributes in graph.edges(data=True):
        element = attributes.pop("element")
        assert type(element) is list and all(type(value) is float for value in element)
        assert all(type(value) in (int, float, str) for value in attributes.values())
