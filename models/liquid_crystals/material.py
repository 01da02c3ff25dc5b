"""What a nematic is made of: its bulk energy, its elastic constants, and the Frank constants that belong to them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from saddlescape.given import is_number

from .tensors import BASIS

B_MBBA, C_MBBA = 0.64e4, 0.35e4
"""B and C of MBBA-like constants, N/m^2."""

CLEARING = 9.0 / 8.0
"""Reduced temperature above which the bulk energy has no minimum with nematic order."""


class Bulk(NamedTuple):
    """square tr Q^2 - cube tr Q^3 + quartic (tr Q^2)^2, the bulk energy in units of lambda2.

    Attributes
    ----------
    square, cube, quartic : float
        A / (4 C), B / (6 C), 1 / 8.
    order : float
        s of the nematic state Q = s (n n - I / 3) of least energy.
    """

    square: float
    cube: float
    quartic: float
    order: float

    @classmethod
    def of(cls, temperature: float, B: float, C: float) -> Bulk:
        """From the reduced temperature 27 A C / B^2 and B, C in any one unit."""
        ratio = B / C
        order = 0.25 * ratio * (1.0 + np.sqrt(1.0 - 8.0 * temperature / 9.0))
        return cls(temperature * ratio**2 / 108.0, ratio / 6.0, 0.125, float(order))

    def density(self, q: np.ndarray) -> np.ndarray:
        """The energy (...) of components q (5, ...)."""
        square = (q * q).sum(axis=0)
        return (self.square + self.quartic * square) * square - self.cube * trace_of_cube(q)

    def hessian(self, q: np.ndarray) -> np.ndarray:
        """Second derivatives (5, 5, ...) at components q (5, ...)."""
        square = (q * q).sum(axis=0)
        isotropic = 2.0 * self.square + 4.0 * self.quartic * square
        shape = (5, 5) + (1,) * (q.ndim - 1)
        cubic = np.einsum("abc,c...->ab...", CUBIC, q)
        return np.eye(5).reshape(shape) * isotropic + 8.0 * self.quartic * q[:, None] * q[None] - 6.0 * self.cube * cubic


CUBIC = np.einsum("aij,bjk,cki->abc", BASIS, BASIS, BASIS)
CUBIC = (CUBIC + CUBIC.transpose(1, 0, 2)) / 2.0
"""tr Q^3 = sum_abc CUBIC[a, b, c] q_a q_b q_c, symmetric in all three, (5, 5, 5)."""
CUBIC.flags.writeable = False


def trace_of_cube(q: np.ndarray) -> np.ndarray:
    """tr Q^3 (...) of components q (5, ...)."""
    return np.einsum("abc,a...,b...,c...->...", CUBIC, q, q, q)


def elastic_tensor(L2: float = 0.0, L3: float = 0.0) -> np.ndarray:
    """K (5, 5, 3, 3) of the energy density 1/2 K[a, b, d, e] (d_d q_a) (d_e q_b), in units of L1.

    1/2 dk Qij dk Qij + L2/2 dj Qij dk Qik + L3/2 dk Qij dj Qik.
    """
    one = np.einsum("ab,de->abde", np.eye(5), np.eye(3))
    divergence = np.einsum("aid,bie->abde", BASIS, BASIS)
    return one + L2 * divergence + L3 * divergence.swapaxes(2, 3)


def is_isotropic(tensor: np.ndarray) -> bool:
    """Whether an elastic tensor is that of one constant, which does not couple the components to space."""
    return np.array_equal(tensor, elastic_tensor())


def check_elastic(L2: float, L3: float) -> None:
    """Raise ValueError unless the elastic energy is positive for every gradient of Q.

    The gradients (15 numbers) split into three irreducible parts, on which the form has the eigenvalues 1 + L3, 1 - L3 / 2 and
    1 + 5/3 L2 + L3 / 6 in units of L1.

    References
    ----------
    L. Longa, D. Monselesan, H.-R. Trebin, Liquid Crystals 2 (1987) 769.
    """
    for name, value in (("L2", L2), ("L3", L3)):
        if not (is_number(value) and np.isfinite(value)):
            raise ValueError(f"{name}: got {value!r}, expected a finite number, in units of L1")
    if not -1.0 < L3 < 2.0:
        raise ValueError(f"L3: got {L3!r}, expected -1 < L3 < 2 in units of L1; else the energy is unbounded below")
    if not L2 > -0.6 - 0.1 * L3:
        raise ValueError(
            f"L2: got {L2!r}, expected more than -3/5 - L3/10 = {-0.6 - 0.1 * L3:g} in units of L1; else it is unbounded"
        )


def frank_constants(order: float, L2: float = 0.0, L3: float = 0.0) -> tuple[float, float, float]:
    """Splay, twist and bend constants K11, K22, K33 of the director, in units of L1, at order s.

    K11 = K33 = s^2 (2 + L2 + L3), K22 = 2 s^2.
    """
    splay = order**2 * (2.0 + L2 + L3)
    return splay, 2.0 * order**2, splay


def from_frank(K11: float, K22: float, K33: float, order: float) -> tuple[float, float, float]:
    """L1, L2, L3 of Frank constants in any unit, at order s; L3, which they leave open, is zero.

    Raises
    ------
    ValueError
        If a constant is not positive, K33 is not K11, or K22 is so large that the energy is unbounded below.
    """
    for name, value in (("K11", K11), ("K22", K22), ("K33", K33)):
        if not (np.isfinite(value) and value > 0.0):
            raise ValueError(f"{name}: got {value!r}, expected a positive number")
    if abs(K33 - K11) > 1e-9 * K11:
        raise ValueError(
            f"K33: got {K33:g} beside K11 = {K11:g}, expected the same: only the cubic elastic term with L4 tells splay from bend, "
            f"and {UNBOUNDED}; give their mean for both"
        )
    if not 0.7 * K22 < K11:  # L2 > -3/5 L1
        raise ValueError(
            f"K22: got {K22:g} beside K11 = {K11:g}, expected less than K11 / 0.7 = {K11 / 0.7:g}; else it is unbounded"
        )
    L1 = K22 / (2.0 * order**2)
    return L1, (K11 - K22) / order**2, 0.0


UNBOUNDED = "with it the energy is unbounded below (Ball and Majumdar 2010)"
"""Why L4 is refused."""
