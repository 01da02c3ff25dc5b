"""Planar-degenerate anchoring: the energy of Fournier and Galatola, any direction in the plane of the boundary alike."""

from __future__ import annotations

import numpy as np

from ..tensors import BASIS


def planar_data(normal: np.ndarray, strength: float, order: float) -> np.ndarray:
    """Strength, matrix (25), vector (5), constant and 2/3 s^2 of W/2 [|Q~ - P Q~ P|^2 + (|Q~|^2 - s^2)^2 / (4 s^2)].

    Q~ = Q + s I / 3 and P = I - nu nu: the first term is (Q_nn + s/3)^2 plus twice the squares of the two Q_nt.
    """
    along = np.einsum("aij,i,j->a", BASIS, normal, normal)
    images = BASIS @ normal
    matrix = 2.0 * images @ images.T - np.outer(along, along)
    return np.array([strength, *matrix.ravel(), *(order / 3.0 * along), order**2 / 18.0, 2.0 / 3.0 * order**2])


def planar_density(data: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Energy per area (...) of a planar-degenerate face at components q (5, ...)."""
    matrix, vector, constant, square = data[1:26].reshape(5, 5), data[26:31], data[31], data[32]
    excess = (q * q).sum(axis=0) - square
    quadratic = 0.5 * np.einsum("a...,ab,b...->...", q, matrix, q) + np.einsum("a,a...->...", vector, q) + constant
    return data[0] * (quadratic + excess**2 / (12.0 * square))


def planar_hessian(data: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Second derivatives (5, 5, nodes) of `planar_density` at components q (5, nodes)."""
    excess = (q * q).sum(axis=0) - data[32]
    isotropic = np.eye(5)[:, :, None] * excess + 2.0 * q[:, None] * q[None]
    return data[0] * (data[1:26].reshape(5, 5, 1) + isotropic / (3.0 * data[32]))
