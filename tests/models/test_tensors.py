"""Q-tensors by components: an isometry onto the symmetric traceless matrices."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from saddlescape.models.liquid_crystals import tensors


@pytest.fixture
def q():
    return np.random.default_rng(3).normal(size=(5, 4))


def test_basis_is_orthonormal_symmetric_and_traceless():
    assert np.einsum("aij,bij->ab", tensors.BASIS, tensors.BASIS) == pytest.approx(np.eye(5), abs=1e-15)
    assert np.trace(tensors.BASIS, axis1=1, axis2=2) == pytest.approx(0.0, abs=1e-15)
    assert np.array_equal(tensors.BASIS, tensors.BASIS.swapaxes(1, 2))


def test_components_invert_matrices(q):
    assert tensors.components(tensors.matrices(q)) == pytest.approx(q, abs=1e-15)


def test_uniaxial_has_its_director_and_order():
    director = np.random.default_rng(4).normal(size=(6, 3))
    director /= np.linalg.norm(director, axis=1, keepdims=True)
    matrices = tensors.matrices(tensors.uniaxial(director, 1.3))
    assert matrices == pytest.approx(1.3 * (director[:, :, None] * director[:, None, :] - np.eye(3) / 3), abs=1e-14)
    assert np.array_equal(tensors.uniaxial(-director, 1.3), tensors.uniaxial(director, 1.3))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_conjugation_is_orthogonal_and_acts_on_components(q, sign):
    turn = sign * Rotation.from_rotvec([0.3, -1.0, 0.7]).as_matrix()
    action = tensors.conjugation(turn)
    assert action @ action.T == pytest.approx(np.eye(5), abs=1e-14)
    assert tensors.matrices(action @ q) == pytest.approx(turn @ tensors.matrices(q) @ turn.T, abs=1e-14)
