"""Q-tensors: symmetric traceless 3 x 3 matrices by their five components in a Frobenius-orthonormal basis.

q = (q1, ..., q5) stands for Q = sum_a q_a BASIS[a], so that |Q|^2 = tr Q^2 = |q|^2: Q is traceless and symmetric whatever q is.
A director of a nematic is an axis, n and -n are the same; a uniaxial state is Q = s (n n - I / 3).
"""

from __future__ import annotations

import numpy as np

BASIS = np.zeros((5, 3, 3))
"""diag(1, -1, 0) / sqrt 2, then xy, then diag(-1, -1, 2) / sqrt 6, xz, yz; (5, 3, 3)."""
BASIS[0] = np.diag([1.0, -1.0, 0.0]) / np.sqrt(2.0)
BASIS[2] = np.diag([-1.0, -1.0, 2.0]) / np.sqrt(6.0)
for _a, _i, _j in ((1, 0, 1), (3, 0, 2), (4, 1, 2)):
    BASIS[_a, _i, _j] = BASIS[_a, _j, _i] = 1.0 / np.sqrt(2.0)
BASIS.flags.writeable = False


def matrices(components: np.ndarray) -> np.ndarray:
    """Q (..., 3, 3) of components (5, ...)."""
    return np.einsum("a...,aij->...ij", components, BASIS)


def components(matrices: np.ndarray) -> np.ndarray:
    """Components (5, ...) of the symmetric traceless part of matrices (..., 3, 3)."""
    return np.einsum("...ij,aij->a...", matrices, BASIS)


def uniaxial(director: np.ndarray, s: float | np.ndarray) -> np.ndarray:
    """Components (5, ...) of s (n n - I / 3).

    Parameters
    ----------
    director : (..., 3) array
        Unit vectors n; their sign does not matter.
    s : float or (...) array
        3/2 times the largest eigenvalue of Q where it is positive.
    """
    return s * components(director[..., :, None] * director[..., None, :])


def nearest_uniaxial(components: np.ndarray, s: float) -> np.ndarray:
    """Components (5, ...) of the s (n n - I / 3), s positive, that is nearest to a Q-tensor of components (5, ...)."""
    return uniaxial(np.linalg.eigh(matrices(components))[1][..., -1], s)


def conjugation(orthogonal: np.ndarray) -> np.ndarray:
    """The orthogonal matrix (5, 5) by which Q -> R Q R^T acts on components, for R (3, 3) orthogonal."""
    return components(orthogonal @ BASIS @ orthogonal.T)
