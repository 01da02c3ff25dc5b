"""Labels of basins are those of the gradient flow, and bisected chords end on ridges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from saddlescape import GradientFlow, explore
from saddlescape.dynamics.basins import BETWEEN, NOWHERE, Basins
from saddlescape.dynamics.search import connect
from saddlescape.dynamics.subspace import Subspace, soft_modes
from saddlescape.models import DoubleWells, HenonHeiles, MuellerBrown, PhaseField, ReducedLandauDeGennes
from saddlescape.numerics.derivatives import Derivatives


def basins(model):
    return Basins(connect(model, np.zeros(model.dim), GradientFlow()), GradientFlow())


def test_labels_are_those_of_the_exact_flow():
    model, found = MuellerBrown(), basins(MuellerBrown())
    for x in np.random.default_rng(1).uniform([-1.5, -0.3], [1.2, 1.9], (60, 2)):
        label = found.label(x)
        end = solve_ivp(lambda t, y: -model.gradient(y), (0.0, 2.0), x, method="LSODA", rtol=1e-8, atol=1e-10).y[:, -1]
        assert np.argmin([np.linalg.norm(minimum - end) for minimum in found.minima]) == label
    assert len(found.minima) == 3


def test_no_label_where_the_flow_leads_nowhere():
    assert basins(HenonHeiles()).label(np.array([0.5, 3.0])) == NOWHERE  # the energy falls without bound there


def test_a_point_on_a_ridge_belongs_to_no_basin():
    found = basins(DoubleWells((1.0, 1.3)))
    assert found.label(np.array([0.0, 0.7])) == BETWEEN
    assert not found.minima
    ridge = found.bisect(np.array([-0.75, 0.8]), np.array([0.75, 0.8]), (0, 1))
    np.testing.assert_array_equal(ridge.x, [0.0, 0.8])


def test_a_chord_is_bisected_down_to_the_ridge():
    found = basins(DoubleWells((1.0, 1.3)))
    a, b = np.array([-0.9, 0.8]), np.array([0.7, 0.9])
    ridge = found.bisect(a, b, (found.label(a), found.label(b)))
    assert abs(ridge.x[0]) <= 1e-3 * 1.6  # the ridge is the line x = 0
    assert ridge.basins == (0, 1)
    # Through a third basin: the ridge is the one that the basins say.
    far = np.array([1.0, -0.6])
    ridge = found.bisect(a, far, (found.label(a), found.label(far)))
    sides = [found.minima[label] for label in ridge.basins]
    assert np.count_nonzero(np.sign(sides[0]) != np.sign(sides[1])) == 1


def test_translates_of_a_state_lie_in_one_valley():
    landscape = explore(PhaseField(16, 0.03), max_index=1)
    model = landscape.model
    found = basins(model)
    for node in landscape.minima():
        x = landscape.nodes[node].point.x
        assert found.label(x) == found.label(np.roll(x.reshape(16, 16), (3, 5), (0, 1)).ravel())
    assert len(found.minima) == len(landscape.minima())


def test_the_energy_on_soft_modes_is_that_of_the_model():
    model = ReducedLandauDeGennes(17, 30.0)
    derivatives = connect(model, model.start("d"), GradientFlow())
    found = Basins(derivatives, GradientFlow())
    minimum = found.minima[found.label(model.start("d"))]
    rows = soft_modes(derivatives, minimum, 6)
    plane = Subspace(derivatives, minimum, rows)
    # Each row is as long as it may be for one unit of energy, and a mode of the preconditioner.
    np.testing.assert_allclose([0.5 * row @ model.hessian(minimum) @ row for row in rows], 1.0, rtol=1e-8)
    images = derivatives.apply(rows)
    quotients = np.einsum("ij,ij->i", rows, images) / np.einsum("ij,ij->i", rows, rows)
    np.testing.assert_allclose(images, quotients[:, None] * rows, atol=1e-5 * np.abs(images).max())
    c, v = np.random.default_rng(0).standard_normal((2, 6))
    assert plane.energy(c) == model.energy(minimum + c @ rows)
    slope = (plane.energy(c + 1e-5 * v) - plane.energy(c - 1e-5 * v)) / 2e-5
    out = np.empty(6)
    assert plane.energy_gradient(c, out) == pytest.approx(plane.energy(c), rel=1e-14)
    assert out @ v == pytest.approx(slope, rel=1e-7)
    np.testing.assert_array_equal(plane.gradient(c), out)
    assert Derivatives(plane).dim == 6
