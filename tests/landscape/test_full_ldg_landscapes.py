"""The full Landau-de Gennes model: its landscapes and indices are those of the reduced model; saddles in three dimensions."""

import numpy as np
import pytest

from saddlescape import GradientFlow, HiSD, explore, search
from saddlescape.models import LandauDeGennes, ReducedLandauDeGennes
from saddlescape.numerics.certify import certify
from saddlescape.numerics.derivatives import Derivatives
from saddlescape.numerics.newton import polish

COUNTS = {7: {0: 2, 1: 1}, 15: {0: 2, 1: 2, 2: 1}}


@pytest.mark.parametrize("lambda2", COUNTS)
def test_landscape_of_the_square_is_the_reduced_one(lambda2):
    landscape = explore(LandauDeGennes(17, float(lambda2)), "wors")
    assert landscape.index_counts() == COUNTS[lambda2]
    assert landscape.euler_characteristic() == 1
    reduced = explore(ReducedLandauDeGennes(17, float(lambda2)), "wors")
    assert sorted((p.index, p.orbit_size) for p in landscape.points) == sorted((p.index, p.orbit_size) for p in reduced.points)


@pytest.mark.parametrize("lambda2", [20.0, 30.0])
def test_index_in_the_full_model_is_the_reduced_index(lambda2):
    n = 21
    reduced, full = ReducedLandauDeGennes(n, lambda2), LandauDeGennes(n, lambda2)
    points = explore(reduced, "wors").points
    assert len(points) == {20.0: 5, 30.0: 7}[lambda2]
    derivatives = Derivatives(full)
    for point in points:
        lifted = np.zeros((5, full.n_nodes))
        lifted[:2], lifted[2] = np.sqrt(2.0) * point.x.reshape(2, -1), -full.order / np.sqrt(6.0)
        end = polish(derivatives, lifted.ravel(), radius=0.1)
        assert end.converged and end.displacement < 1e-8
        found = certify(derivatives, end.x, energy=end.energy, gradient_norm=end.gradient_norm)
        assert (found.index, found.nullity) == (point.index, 0)


def saddle_beside_the_rotated_state(n):
    """The rotated state of a cube and the saddle towards the diagonal state."""
    model = LandauDeGennes(n, 30.0, domain=("cuboid", 1.0, 1.0))
    rotated, diagonal = model.start("r"), model.start("d")
    stable = search(model, rotated, GradientFlow())
    return model, stable, search(model, 0.75 * rotated + 0.25 * diagonal, HiSD(index=1))


def test_a_saddle_in_three_dimensions_is_certified_without_a_factorisation():
    model, stable, saddle = saddle_beside_the_rotated_state(14)
    assert model.dim > 8000 and not hasattr(model, "hessian")
    assert stable.success and stable.point.index == 0
    assert saddle.success and saddle.point.index == 1
    assert stable.energy < saddle.energy < stable.energy + 0.05
    assert saddle.point.certificate.startswith("block") and saddle.gradient_norm < 1e-10


def test_small_cuboids_are_certified_by_a_factorisation():
    model = LandauDeGennes(9, 30.0, domain=("cuboid", 1.0, 1.0))
    with_matrix = search(model, model.start("d"), GradientFlow()).point
    assert with_matrix.certificate.startswith("inertia")
    assert with_matrix.index == 0


@pytest.mark.slow
def test_steps_in_a_cuboid_do_not_grow_with_refinement():
    found = {n: saddle_beside_the_rotated_state(n) for n in (26, 50)}
    for _, stable, saddle in found.values():
        assert (stable.point.index, saddle.point.index) == (0, 1)
    for k in (1, 2):
        assert found[50][k].n_steps <= 1.3 * found[26][k].n_steps
