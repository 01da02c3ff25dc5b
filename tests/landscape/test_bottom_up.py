"""Whole landscapes from one minimum: from whichever it is, and exactly what lies below each ceiling."""

import itertools

import numpy as np
import pytest

from saddlescape import ECDExplorer, explore
from saddlescape.models import MuellerBrown, WellChain

MINIMA = {
    "deepest": [-0.558223634633024, 1.441725841804669],
    "middle": [0.623499404930877, 0.028037758528686],
    "shallow": [-0.050010822998206, 0.466694104871972],
}

# --- Mueller-Brown --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
@pytest.mark.parametrize("minimum", MINIMA)
def test_mueller_brown_is_complete_from_any_one_minimum(minimum, seed):
    """The highest barrier is that out of the deepest minimum, 106.03: a ceiling above it will do from all three."""
    landscape = explore(MuellerBrown(), np.array(MINIMA[minimum]), searches=ECDExplorer(110.0), rng=seed)
    assert landscape.index_counts() == {0: 3, 1: 2} and landscape.euler_characteristic() == 1
    np.testing.assert_allclose(landscape.points[0].x, MINIMA[minimum], rtol=1e-12)


@pytest.mark.parametrize(
    ("minimum", "ceiling", "counts"),
    [  # barriers: from the middle one 35.9 to the shallow one, 67.5 to the deepest; from the shallow one 8.5 and 40.1
        ("middle", 30.0, {0: 1}),
        ("middle", 45.0, {0: 2, 1: 1}),
        ("middle", 75.0, {0: 3, 1: 2}),
        ("shallow", 30.0, {0: 2, 1: 1}),
        ("shallow", 45.0, {0: 3, 1: 2}),
    ],
)
def test_each_ceiling_floods_what_it_reaches(minimum, ceiling, counts):
    landscape = explore(MuellerBrown(), np.array(MINIMA[minimum]), searches=ECDExplorer(ceiling), rng=0)
    assert landscape.index_counts() == counts


# --- a chain of wells, all of whose points are known ----------------------------------------------------------------------


class Known:
    """Minima and index-1 saddles of a chain: sign patterns, 0 for the well that is crossed, with points and energies."""

    def __init__(self, model):
        self.model = model
        self.energy = {}
        for pattern in itertools.product((-1, 0, 1), repeat=model.dim):
            x = np.array(pattern, dtype=float)
            for _ in range(30):
                x = x - np.linalg.solve(model.hessian(x), model.gradient(x))
            assert np.linalg.norm(model.gradient(x)) < 1e-12 and self.pattern(x) == pattern
            assert np.count_nonzero(np.linalg.eigvalsh(model.hessian(x)) < 0.0) == pattern.count(0)
            self.energy[pattern] = model.energy(x)

    @staticmethod
    def pattern(x):
        return tuple(int(sign) for sign in np.where(np.abs(x) < 0.5, 0.0, np.sign(x)))

    def flooded(self, ceiling):
        """Minima and saddles that can be reached from the deepest minimum without rising above the ceiling."""
        first = (-1,) * self.model.dim
        minima, saddles, todo = {first}, set(), [first]
        while todo:
            here = todo.pop()
            for i in range(self.model.dim):
                saddle, there = ((*here[:i], sign, *here[i + 1 :]) for sign in (0, -here[i]))
                if self.energy[saddle] - self.energy[first] > ceiling:
                    continue
                saddles.add(saddle)
                if there not in minima:
                    minima.add(there)
                    todo.append(there)
        return minima, saddles


def along_every_axis(model, ceiling):
    """Trajectories along one unknown at a time, the others relaxed, until nothing new is found."""
    landscape, known = None, 0
    while landscape is None or len(landscape.nodes) > known:
        known = 0 if landscape is None else len(landscape.nodes)
        for axis in np.eye(model.dim):
            explorer = ECDExplorer(ceiling, n_steps=200, every=20, modes=axis[None], rest="relaxed", tries=1, max_runs=1000)
            if landscape is None:
                landscape = explore(model, max_index=1, searches=explorer)
            else:
                landscape.extend(max_index=1, searches=explorer)
    return landscape


def found(landscape, known, index):
    return {known.pattern(point.x) for point in landscape.points if point.index == index}


@pytest.mark.parametrize(
    ("dim", "ceiling", "counts"),
    [
        (3, 1.2, (1, 0)),
        (3, 1.3, (3, 2)),
        (3, 1.6, (4, 3)),
        (3, 2.0, (8, 12)),
        pytest.param(6, 1.3, (3, 2), marks=pytest.mark.slow),
        pytest.param(6, 1.4, (7, 6), marks=pytest.mark.slow),
        pytest.param(6, 2.0, (12, 14), marks=pytest.mark.slow),
        pytest.param(6, 2.4, (31, 50), marks=pytest.mark.slow),
        pytest.param(6, 4.0, (64, 192), marks=pytest.mark.slow),
    ],
)
def test_a_chain_is_flooded_exactly_up_to_each_ceiling(dim, ceiling, counts):
    """What is found is what enumeration says can be reached: no minimum and no saddle less, and none more."""
    known = Known(WellChain(dim))
    minima, saddles = known.flooded(ceiling)
    assert (len(minima), len(saddles)) == counts
    landscape = along_every_axis(known.model, ceiling)
    assert found(landscape, known, 0) == minima and found(landscape, known, 1) == saddles


@pytest.mark.slow
def test_on_all_unknowns_of_a_chain_the_energy_is_shared():
    """A ceiling far above all barriers finds everything; one a little above the lowest is hardly ever spent on one well."""
    known = Known(WellChain(6))
    high = explore(known.model, max_index=1, searches=ECDExplorer(6.0, n_steps=10_000, max_runs=8), rng=0)
    assert len(found(high, known, 0)) == 64 and len(found(high, known, 1)) >= 150
    low = explore(known.model, max_index=1, searches=ECDExplorer(1.4, n_steps=10_000), rng=0)
    assert len(found(low, known, 0)) < len(known.flooded(1.4)[0])
