"""Bulk and elastic energy of a nematic: closed forms."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from saddlescape.models import LandauDeGennes
from saddlescape.models.liquid_crystals import tensors
from saddlescape.models.liquid_crystals.material import (
    Bulk,
    check_elastic,
    elastic_tensor,
    frank_constants,
    from_frank,
    trace_of_cube,
)

TURN = Rotation.from_rotvec([0.4, -0.9, 0.3]).as_matrix()


def random_q(shape=(5,), seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# --- bulk ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [-9.0, -1.0, 0.0, 0.5, 1.0, 1.1])
def test_the_nematic_state_is_the_minimum_among_uniaxial_ones(temperature):
    bulk = Bulk.of(temperature, 3.0, 2.0)
    director = np.array([0.0, 0.6, 0.8])
    s = np.linspace(0.8 * bulk.order, 1.2 * bulk.order, 4001)
    energies = bulk.density(tensors.uniaxial(director, 1.0)[:, None] * s)
    assert s[energies.argmin()] == pytest.approx(bulk.order, rel=1e-3)
    # f(s) = A s^2 / (6 C) - B s^3 / (27 C) + s^4 / 18
    a, ratio = temperature * (3.0 / 2.0) ** 2 / 27.0, 3.0 / 2.0
    np.testing.assert_allclose(energies, a * s**2 / 6 - ratio * s**3 / 27 + s**4 / 18, rtol=1e-12, atol=1e-14)


def test_order_at_the_usual_temperature_is_b_over_c():
    assert Bulk.of(-9.0, 0.64e4, 0.35e4).order == pytest.approx(0.64 / 0.35, rel=1e-15)


def test_isotropic_and_nematic_state_have_equal_energy_at_the_transition():
    bulk = Bulk.of(1.0, 3.0, 2.0)
    assert bulk.density(tensors.uniaxial(np.array([1.0, 0.0, 0.0]), bulk.order)) == pytest.approx(0.0, abs=1e-15)


def test_bulk_hessian_at_its_minimum_in_closed_form():
    """Two turns of the director cost nothing; order: f'' per |dQ|^2; two biaxial directions: B s / (2 C)."""
    bulk = Bulk.of(-9.0, 0.64e4, 0.35e4)
    q = tensors.uniaxial(np.array([0.0, 0.6, 0.8]), bulk.order)
    s, a, ratio = bulk.order, 108.0 * bulk.square / 27.0, 6.0 * bulk.cube
    along = (a / 3 - 2 * ratio * s / 9 + 2 * s**2 / 3) / (2.0 / 3.0)  # d2f/ds2 over |dQ/ds|^2
    expected = np.sort([0.0, 0.0, along, ratio * s / 2, ratio * s / 2])
    np.testing.assert_allclose(np.linalg.eigvalsh(bulk.hessian(q)), expected, atol=1e-14)


def test_bulk_does_not_know_directions():
    bulk, q = Bulk.of(-3.0, 1.0, 2.0), random_q((5, 8))
    turned = tensors.conjugation(TURN) @ q
    np.testing.assert_allclose(bulk.density(turned), bulk.density(q), rtol=1e-13)
    np.testing.assert_allclose(trace_of_cube(q), np.trace(np.linalg.matrix_power(tensors.matrices(q), 3), axis1=1, axis2=2))


def test_bulk_hessian_is_the_second_derivative():
    bulk, q, v = Bulk.of(-3.0, 1.0, 2.0), random_q(), random_q(seed=1)
    # The energy is a quartic: its fourth-order difference is exact.
    f = [bulk.density(q + t * v) for t in (-2.0, -1.0, 0.0, 1.0, 2.0)]
    second = (-f[0] + 16 * f[1] - 30 * f[2] + 16 * f[3] - f[4]) / 12
    assert v @ bulk.hessian(q) @ v == pytest.approx(second, rel=1e-12)


# --- elasticity ----------------------------------------------------------------------------------------------------------


def elastic_density(gradient, L2=0.0, L3=0.0):
    """Written with indices: L1 dk Qij dk Qij / 2 + L2 dj Qij dk Qik / 2 + L3 dk Qij dj Qik / 2; gradient[k, i, j] = dk Qij."""
    first = np.einsum("kij,kij->", gradient, gradient)
    second = np.einsum("jij,kik->", gradient, gradient)
    third = np.einsum("kij,jik->", gradient, gradient)
    return 0.5 * (first + L2 * second + L3 * third)


@pytest.mark.parametrize(("L2", "L3"), [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (-0.3, 0.7)])
def test_the_elastic_tensor_is_the_energy_with_indices(L2, L3):
    slopes = random_q((5, 3))
    gradient = np.einsum("ak,aij->kij", slopes, tensors.BASIS)
    by_tensor = 0.5 * np.einsum("abde,ad,be->", elastic_tensor(L2, L3), slopes, slopes)
    assert by_tensor == pytest.approx(elastic_density(gradient, L2, L3), rel=1e-13)


@pytest.mark.parametrize(("L2", "L3"), [(0.0, 0.0), (0.8, 0.0), (0.0, 0.8), (-0.3, 0.7)])
def test_pure_splay_twist_and_bend_have_their_frank_energies(L2, L3):
    """K/2 (div n)^2, K/2 (n . curl n)^2, K/2 |n x curl n|^2 with unit distortion, of Q = s (n n - I/3)."""
    s = 1.3
    n = np.array([1.0, 0.0, 0.0])
    y, z = np.eye(3)[1], np.eye(3)[2]
    slopes = {  # dk ni at a point, [k, i]
        "splay": np.outer(y, y),  # div n = 1, no curl
        "twist": np.outer(z, y),  # n = (cos z, sin z, 0): n . curl n = -1
        "bend": np.outer(n, y),  # along n: |n x curl n| = 1
    }
    K = dict(zip(("splay", "twist", "bend"), frank_constants(s, L2, L3), strict=True))
    for name, slope in slopes.items():
        gradient = s * (slope[:, :, None] * n + n[:, None] * slope[:, None, :])
        assert elastic_density(gradient, L2, L3) == pytest.approx(0.5 * K[name], rel=1e-13), name


def test_frank_constants_by_formula():
    assert frank_constants(2.0, 0.5, 0.25) == pytest.approx((4.0 * 2.75, 8.0, 4.0 * 2.75))


def test_elastic_eigenvalues_bound_the_constants():
    for L2, L3 in ((0.0, 0.0), (0.9, -0.4), (-0.5, 1.5)):
        values = np.linalg.eigvalsh(elastic_tensor(L2, L3).transpose(0, 2, 1, 3).reshape(15, 15))
        expected = np.sort([1 + L3] * 7 + [1 - L3 / 2] * 5 + [1 + 5 / 3 * L2 + L3 / 6] * 3)
        np.testing.assert_allclose(values, expected, atol=1e-13)
        check_elastic(L2, L3)


@pytest.mark.parametrize(("L2", "L3", "message"), [
    (0.0, -1.0, "L3: got -1.0, expected -1 < L3 < 2"),
    (0.0, 2.5, "L3: got 2.5"),
    (-0.6, 0.0, "L2: got -0.6, expected more than -3/5 - L3/10 = -0.6"),
    (np.nan, 0.0, "L2: got nan"),
])  # fmt: skip
def test_constants_without_a_lower_bound_are_refused(L2, L3, message):
    with pytest.raises(ValueError, match=message):
        LandauDeGennes(9, 10.0, L2=L2, L3=L3)


# --- from physical constants ---------------------------------------------------------------------------------------------

MBBA = {"A": -(0.64e4**2) / (3 * 0.35e4), "B": 0.64e4, "C": 0.35e4}


def test_from_constants_scales_them():
    model = LandauDeGennes.from_constants(9, 1e-7, **MBBA, L1=4e-11, L2=2e-11, strength=2e-4, corner=0.2)
    assert model.lambda2 == pytest.approx(2 * 0.35e4 * 1e-14 / 4e-11)
    assert (model.temperature, model.L2, model.L3) == pytest.approx((-9.0, 0.5, 0.0))
    assert (model.strength, model.corner) == pytest.approx((2e-4 * 1e-7 / 4e-11, 0.2))


def test_from_frank_inverts_the_formulas():
    model = LandauDeGennes.from_frank(9, 1e-7, **MBBA, K11=8e-12, K22=4e-12, K33=8e-12)
    s = model.order
    L1 = 4e-12 / (2 * s**2)
    assert model.lambda2 == pytest.approx(2 * 0.35e4 * 1e-14 / L1)
    assert frank_constants(s, model.L2, model.L3) == pytest.approx(np.array([8e-12, 4e-12, 8e-12]) / L1)
    assert from_frank(8e-12, 4e-12, 8e-12, s) == pytest.approx((L1, 2 * L1, 0.0))


def test_unequal_splay_and_bend_are_refused_with_the_reason():
    with pytest.raises(ValueError, match=r"K33: got 9e-12 beside K11 = 8e-12, .* L4 .* unbounded below"):
        LandauDeGennes.from_frank(9, 1e-7, **MBBA, K11=8e-12, K22=4e-12, K33=9e-12)
    with pytest.raises(ValueError, match=r"K22: got 4e-11 beside K11 = 6e-12, expected less than K11 / 0\.7"):
        LandauDeGennes.from_frank(9, 1e-7, **MBBA, K11=6e-12, K22=4e-11, K33=6e-12)
    with pytest.raises(ValueError, match=r"K22: got -1\.0"):
        LandauDeGennes.from_frank(9, 1e-7, **MBBA, K11=1.0, K22=-1.0, K33=1.0)
    with pytest.raises(ValueError, match=r"L4: got 1e-12.* unbounded below"):
        LandauDeGennes.from_constants(9, 1e-7, **MBBA, L1=4e-11, L4=1e-12)
    with pytest.raises(ValueError, match="L1: got 0"):
        LandauDeGennes.from_constants(9, 1e-7, **MBBA, L1=0.0)
