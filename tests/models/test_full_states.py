"""States of the full Landau-de Gennes model: checked numbers, limits, and order of convergence."""

import numpy as np
import pytest
import scipy.sparse.linalg

from saddlescape import GradientFlow, search
from saddlescape.models import LandauDeGennes, ReducedLandauDeGennes
from saddlescape.models.liquid_crystals import tensors
from saddlescape.models.liquid_crystals.material import elastic_tensor


def lowest(model, x, count):
    values = scipy.sparse.linalg.eigsh(model.hessian(x), count, sigma=-2.0 * model.lambda2 * model.mass)[0]
    return np.sort(values) / model.mass


def test_wors_spectrum():
    model = LandauDeGennes(41, 7.0)
    x = model.start("wors")
    assert np.abs(model.gradient(x)).max() < 1e-13
    expected = [-0.43364468, 0.44064374, 5.28155, 5.28155, 7.27161, 7.27161]
    np.testing.assert_allclose(lowest(model, x, 6), expected, atol=1e-5)
    np.testing.assert_allclose(lowest(model, x, 2), expected[:2], atol=1e-7)


@pytest.mark.parametrize(("mode", "critical"), [(0, 6.4186), (1, 7.7521), (2, 18.655)])
def test_wors_bifurcations(mode, critical):
    def eigenvalue(lambda2):
        model = LandauDeGennes(41, lambda2)
        return lowest(model, model.start("wors"), 4)[mode]

    below, above = eigenvalue(critical - 5e-3), eigenvalue(critical + 5e-3)
    assert above < 0.0 < below


def test_wors_of_a_cuboid_is_that_of_its_cross_section():
    flat, model = LandauDeGennes(17, 7.0), LandauDeGennes(17, 7.0, domain=("cuboid", 1.0, 0.5))
    x = model.start("wors")
    assert np.abs(model.gradient(x)).max() < 1e-13
    assert model.energy(x) == pytest.approx(flat.energy(flat.start("wors")), rel=1e-12)  # its height is one


def test_homeotropic_walls_turn_the_director_of_tangent_ones():
    tangent, homeotropic = LandauDeGennes(17, 10.0), LandauDeGennes(17, 10.0, anchoring="homeotropic")
    for name in ("wors", "d", "r"):
        energies = [model.energy(model.start(name)) for model in (tangent, homeotropic)]
        assert energies[0] == pytest.approx(energies[1], rel=1e-12)


def test_reduced_states_are_states_of_the_full_model():
    """Q = [P, q3 frozen] solves the full equations at this temperature; the full energy is twice the reduced one."""
    reduced, full = ReducedLandauDeGennes(17, 30.0), LandauDeGennes(17, 30.0)
    x = search(reduced, reduced.start("r"), GradientFlow()).x
    lifted = np.zeros((5, full.n_nodes))
    lifted[:2], lifted[2] = np.sqrt(2.0) * x.reshape(2, -1), -full.order / np.sqrt(6.0)
    lifted = lifted.ravel()
    assert np.abs(full.gradient(lifted)).max() < 1e-11
    difference = [model.energy(point) - model.energy(model.start("wors")) for model, point in ((reduced, x), (full, lifted))]
    assert difference[1] == pytest.approx(2.0 * difference[0], rel=1e-10)


def test_strong_anchoring_is_the_limit_of_weak_anchoring():
    def deviation(strength):
        model = LandauDeGennes(17, 10.0, strength=strength)
        fixed = LandauDeGennes(17, 10.0)
        return abs(model.energy(model.start("wors")) - fixed.energy(fixed.start("wors")))

    far, near = deviation(1e4), deviation(1e5)
    assert near < 1e-2 * abs(LandauDeGennes(17, 10.0).energy(LandauDeGennes(17, 10.0).start("wors")))
    assert far / near == pytest.approx(10.0, rel=0.1)


def test_gradient_is_of_second_order():
    """Smooth fields against the Euler-Lagrange expression, several constants; away from the boundary."""
    errors, sizes = [], [9, 17, 33]
    for n in sizes:
        model = LandauDeGennes(n, 10.0, domain=("cuboid", 1.0, 1.0), L2=0.4, L3=0.3, anchoring="free")
        z, y, x = np.meshgrid(*[np.linspace(-1.0, 1.0, n)] * 3, indexing="ij")
        k = np.random.default_rng(3).normal(size=(5, 3))
        phase = np.einsum("ad,d...->a...", k, np.stack([x, y, z]))
        q = np.sin(phase)
        tensor = elastic_tensor(0.4, 0.3)
        second = -np.einsum("abde,bd,be->ab", tensor, k, k)  # of sin: minus the frequencies squared
        elastic = -np.einsum("ab,b...->a...", second, q)
        bulk = model.discrete.bulk
        matrix = tensors.matrices(q)
        slope = (
            2 * bulk.square * q - 3 * bulk.cube * tensors.components(matrix @ matrix) + 4 * bulk.quartic * (q * q).sum(axis=0) * q
        )
        exact = elastic + 10.0 * slope
        error = model.gradient(q.ravel()).reshape(q.shape) / model.discrete.grid.weights - exact
        inside = np.maximum.reduce([np.abs(x), np.abs(y), np.abs(z)]) < 0.7
        errors.append(np.abs(error[:, inside]).max())
    assert np.polyfit(np.log(np.array(sizes) - 1), np.log(errors), 1)[0] == pytest.approx(-2.0, abs=0.15)
