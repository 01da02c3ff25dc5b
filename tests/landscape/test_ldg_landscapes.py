"""The reduced Landau-de Gennes landscape on the square: the table, energies, eigenvalues and connections."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from saddlescape import GradientFlow, Landscape, Status, explore, search
from saddlescape.models import ReducedLandauDeGennes
from saddlescape.numerics.orbits import compose, stabiliser

# lambda^2: points by index, and orbits as (index, size).
TABLE = {
    5: ({0: 1}, [(0, 1)]),
    7: ({0: 2, 1: 1}, [(0, 2), (1, 1)]),
    10: ({0: 2, 1: 2, 2: 1}, [(0, 2), (1, 2), (2, 1)]),
    15: ({0: 2, 1: 2, 2: 1}, [(0, 2), (1, 2), (2, 1)]),
    20: ({0: 2, 1: 2, 2: 4, 3: 4, 4: 1}, [(0, 2), (1, 2), (2, 4), (3, 4), (4, 1)]),
    30: ({0: 6, 1: 8, 2: 6, 3: 4, 4: 1}, [(0, 2), (0, 4), (1, 8), (2, 2), (2, 4), (3, 4), (4, 1)]),
}
# At lambda^2 = 30 on 49 x 49: (index, size): energy above D, lowest eigenvalues.
STATES = {
    (0, 2): (0.0, [2.682]),
    (0, 4): (2.0063, [0.391]),
    (1, 8): (2.0101, [-0.801]),
    (2, 2): (2.3199, [-5.955, -3.837]),
    (2, 4): (3.6882, []),
    (3, 4): (3.8543, []),
    (4, 1): (4.3438, [-15.680, -10.040, -5.931, -5.931]),
}


@cache
def square(n: int, lambda2: float) -> Landscape:
    """The landscape from the WORS alone."""
    return explore(ReducedLandauDeGennes(n, float(lambda2)), "wors")


def orbits(landscape: Landscape) -> list[tuple[int, int]]:
    """Index and size of each orbit, sorted."""
    return sorted((point.index, point.orbit_size) for point in landscape.points)


@pytest.mark.parametrize(
    ("n", "lambda2"),
    [*((33, lambda2) for lambda2 in TABLE), *(pytest.param(49, lambda2, marks=pytest.mark.slow) for lambda2 in (15, 30))],
)
def test_the_table(n, lambda2):
    landscape = square(n, lambda2)
    counts, sizes = TABLE[lambda2]
    assert landscape.index_counts() == counts
    assert orbits(landscape) == sizes
    assert landscape.euler_characteristic() == 1
    assert landscape.completeness().applicable
    for point in landscape.points:
        # The gradient is a sum of terms of the size of the Hessian's norm, about 8 / h^2 in the mass norm, times |x|.
        scale = 8.0 / (2.0 / (n - 1)) ** 2 * np.sqrt(np.sum(point.x**2 * landscape.info.mass))
        assert point.gradient_norm <= 100.0 * np.finfo(float).eps * scale
        assert point.nullity == 0


@pytest.mark.parametrize(("n", "tolerance", "spectral"), [(33, 3e-3, 2e-2), pytest.param(49, 1e-4, 4e-4, marks=pytest.mark.slow)])
def test_energies_and_eigenvalues_at_30(n, tolerance, spectral):
    points = {(point.index, point.orbit_size): point for point in square(n, 30).points}
    ground = points[0, 2].energy
    for state, (energy, eigenvalues) in STATES.items():
        assert points[state].energy - ground == pytest.approx(energy, rel=tolerance, abs=1e-12)
        # Tabulated to three decimals; the small ones are differences, which the grid moves by more than the energies.
        assert points[state].eigenvalues[: len(eigenvalues)] == pytest.approx(eigenvalues, rel=spectral, abs=6e-4)
        assert (points[state].eigenvalues[: state[0]] < 0.0).all() and points[state].eigenvalues[state[0]] > 0.0


@pytest.mark.parametrize("lambda2", [20, 30])
def test_indices_agree_with_dense_eigenvalues(lambda2):
    landscape = square(17, lambda2)
    model = landscape.model
    assert len(landscape.nodes) == len(TABLE[lambda2][1])
    for point in landscape.points:
        dense = np.linalg.eigvalsh(model.hessian(point.x).toarray()) / model.mass
        assert int((dense < 0.0).sum()) == point.index
        assert point.eigenvalues == pytest.approx(dense[: point.eigenvalues.size], abs=1e-6 * np.abs(dense).max())


# --- connections ----------------------------------------------------------------------------------------------------------


def leaving(landscape: Landscape, edge) -> np.ndarray:
    """The direction an edge leaves its node's representative along, (n,); that of a mirrored edge is the reverse."""
    coefficients = landscape.searches[edge.search].task.coefficients
    return edge.sign * (coefficients @ landscape.points[edge.parent].eigenvectors[: coefficients.size])


def test_gradient_flow_ends_at_the_copy_that_the_edge_names():
    landscape = square(33, 30)
    model, group = landscape.model, landscape.symmetry
    quenches = [edge for edge in landscape.edges if edge.kind.startswith("quench")]
    saddles = landscape.saddles(1)
    assert sorted((edge.parent, edge.kind) for edge in quenches) == sorted((s, k) for s in saddles for k in ("quench+", "quench-"))
    for edge in quenches:
        v = leaving(landscape, edge)
        start = landscape.points[edge.parent].x + 0.02 / np.abs(v).max() * v
        # Without the preconditioner: another metric, and yet the same basin.
        end = search(model, start, GradientFlow(preconditioned=False))
        assert end.status is Status.CONVERGED
        named = group.apply(edge.child_element, landscape.points[edge.child].x)
        assert np.abs(end.point.x - named).max() < 1e-8


def test_a_search_keeps_the_symmetry_it_starts_with():
    """Dynamics commute with the group: what fixes a point and a simple direction also fixes where the search along it ends."""
    landscape = square(33, 20)
    group, mass = landscape.symmetry, landscape.info.mass
    checked = 0
    straight = [edge for edge in landscape.edges if not landscape.searches[edge.search].task.noise]
    for edge in straight:
        parent, v = landscape.points[edge.parent], leaving(landscape, edge)
        end = group.apply(edge.child_element, landscape.points[edge.child].x)
        for element in stabiliser(group, parent.x, mass, 1e-6):
            if np.abs(group.apply(element, v) - v).max() < 1e-6 * np.abs(v).max():
                assert np.abs(group.apply(element, end) - end).max() < 1e-7
                checked += element[0] != 0
    assert checked >= len(straight) >= len(landscape.nodes)


def test_mirrored_edges_leave_to_the_other_side():
    landscape = square(33, 30)
    group = landscape.symmetry
    by_search: dict[int, list] = {}
    for edge in landscape.edges:
        by_search.setdefault(edge.search, []).append(edge)
    mirrored = [edges for edges in by_search.values() if landscape.searches[edges[0].search].task.mirror is not None]
    assert mirrored
    for edges in mirrored:
        seen, image = edges
        mirror = landscape.searches[seen.search].task.mirror
        parent = landscape.points[seen.parent].x
        v = leaving(landscape, seen)
        assert group.apply(mirror, parent) == pytest.approx(parent, abs=1e-9)
        assert group.apply(mirror, v) == pytest.approx(-v, abs=1e-6 * np.abs(v).max())
        assert (seen.parent, seen.child, seen.sign) == (image.parent, image.child, -image.sign)
        child = landscape.points[seen.child].x
        ends = [group.apply(edge.child_element, child) for edge in edges]
        assert ends[1] == pytest.approx(group.apply(mirror, ends[0]), abs=1e-9)


def test_the_whole_landscape_at_30():
    folded = square(33, 30)
    landscape = folded.expand()
    assert len(landscape.nodes) == sum(point.orbit_size for point in folded.points) == 25
    assert landscape.index_counts() == folded.index_counts()
    for point in landscape.points:
        assert folded.model.energy(point.x) == pytest.approx(point.energy, rel=1e-12)
    for saddle in landscape.saddles(1):  # each J joins a D and an R
        quenched = [e.child for e in landscape.edges if e.parent == saddle and e.kind.startswith("quench")]
        assert sorted(folded.points[landscape.orbits[child]].orbit_size for child in quenched) == [2, 4]
    ground, excited = (next(i for i, p in enumerate(folded.points) if (p.index, p.orbit_size) == key) for key in ((0, 2), (0, 4)))
    assert folded.barrier(ground, excited) - folded.points[ground].energy == pytest.approx(2.0101, rel=3e-3)


def test_the_group_carries_nodes_to_nodes_and_edges_to_edges(joined):
    landscape = square(33, 30).expand()
    group, points = square(33, 30).symmetry, np.array([point.x for point in landscape.points])
    pairs = joined(landscape)
    for d in range(group.order):
        distances = np.abs(group.apply(np.array([float(d)]), points)[:, None] - points[None]).max(axis=2)
        image = distances.argmin(axis=1)
        assert distances.min(axis=1).max() < 1e-8
        assert sorted(image) == list(range(25))
        assert {(image[i], image[j]) for i, j in pairs} == pairs


def test_composed_elements_act_one_after_the_other():
    """What edges of an expanded landscape rest on."""
    landscape = square(17, 20)
    group, x = landscape.symmetry, landscape.points[-1].x
    for d, e in ((3, 5), (9, 2), (15, 14)):
        outer, inner = np.array([float(d)]), np.array([float(e)])
        assert np.array_equal(group.apply(compose(group, outer, inner), x), group.apply(outer, group.apply(inner, x)))
