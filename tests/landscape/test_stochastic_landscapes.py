"""Landscapes from noisy derivatives: the deterministic ones, every point certified, whatever the noise and the seed."""

import numpy as np
import pytest

from saddlescape import FunctionValues, NoisyModel, SHiSD, explore, load, resume
from saddlescape.models import Butterfly, DoubleWells, MuellerBrown


def counterparts(landscape, reference):
    """For each node of the one the number of the same node of the other."""
    assert len(landscape.points) == len(reference.points)
    places = np.array([point.x for point in reference.points])
    found = []
    for point in landscape.points:
        distances = np.abs(places - point.x).max(axis=1)
        found.append(int(distances.argmin()))
        assert distances.min() < 1e-8 and point.index == reference.points[found[-1]].index
    assert sorted(found) == list(range(len(places)))
    return found


def edges(landscape, numbers, kinds=""):
    return sorted((numbers[e.parent], numbers[e.child], e.kind) for e in landscape.edges if e.kind.startswith(kinds))


@pytest.mark.parametrize("noise", [(0.3, 0.5), (1.0, 2.0)], ids=["small", "large"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_butterfly_from_its_maximum(noise, seed):
    """Nine points from one, and every connection."""
    reference = explore(Butterfly())
    landscape = explore(NoisyModel(Butterfly(), *noise), method=SHiSD(), rng=seed)
    numbers = counterparts(landscape, reference)
    assert landscape.expand().index_counts() == {0: 4, 1: 4, 2: 1}
    assert edges(landscape, numbers) == edges(reference, range(len(numbers)))
    assert landscape.completeness().euler == 1


@pytest.mark.parametrize("noise", [(2.0, 5.0), (20.0, 50.0)], ids=["small", "large"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_mueller_brown_upward_from_a_minimum(noise, seed):
    """Noise of about a tenth of the steepest gradient that searches meet; quenches are deterministic."""
    reference = explore(MuellerBrown(), upward=True)
    landscape = explore(NoisyModel(MuellerBrown(), *noise), method=SHiSD(), upward=True, rng=seed)
    numbers = counterparts(landscape, reference)
    assert landscape.index_counts() == {0: 3, 1: 2}
    assert edges(landscape, numbers, "quench") == edges(reference, range(5), "quench")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_double_wells_in_three_dimensions(seed):
    weights = (1.0, 1.37, 1.74)
    landscape = explore(NoisyModel(DoubleWells(weights), 0.5, 1.0), method=SHiSD(), rng=seed)
    assert landscape.index_counts() == {0: 8, 1: 12, 2: 6, 3: 1}
    counterparts(landscape, explore(DoubleWells(weights)))


def test_the_butterfly_from_function_values():
    landscape = explore(FunctionValues(Butterfly(), 1e-3), method=SHiSD())
    counterparts(landscape, explore(Butterfly()))


def test_processes_and_files_change_no_number(tmp_path):
    """A model made from a shipped one is rebuilt from the file, in this process and in others."""
    model = NoisyModel(Butterfly(), 0.3, 0.5)
    alone = explore(model, method=SHiSD(), rng=4, store=tmp_path / "alone.h5")
    shared = explore(model, method=SHiSD(), rng=4, workers=2)
    for other in (shared, load(tmp_path / "alone.h5"), resume(tmp_path / "alone.h5")):
        assert edges(other, range(6)) == edges(alone, range(6))
        for mine, its in zip(alone.points, other.points, strict=True):
            np.testing.assert_array_equal(mine.x, its.x)
    assert resume(tmp_path / "alone.h5").model == model
