"""The Mueller-Brown surface and its modification with a fourth, deeper structure: the standard 2D tests of saddle searches."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, exp, sin
from typing import ClassVar

import numpy as np
from numba import njit

from saddlescape.kernels import Kernels, kernel
from saddlescape.model import EnergyModel

# E(x, y) = sum_j A_j exp(a_j (x - X_j)^2 + b_j (x - X_j)(y - Y_j) + c_j (y - Y_j)^2)
_AMPLITUDE = (-200.0, -100.0, -170.0, 15.0)
_XX = (-1.0, -1.0, -6.5, 0.7)
_XY = (0.0, 0.0, 11.0, 0.6)
_YY = (-10.0, -10.0, -6.5, 0.7)
_CENTRE_X = (1.0, 0.0, -0.5, -1.0)
_CENTRE_Y = (0.0, 0.5, 1.5, 1.0)

# The modification adds W sin(x y) exp(-r ((x - P)^2 + (y - Q)^2)).
_WAVE = 500.0
_RATE = 0.1
_WAVE_X = -0.5582
_WAVE_Y = 1.4417


@njit(nogil=True, error_model="numpy")
def _exponentials(x, y):
    """E, E_x, E_y of the four exponentials."""
    energy = energy_x = energy_y = 0.0
    for j in range(4):
        dx = x - _CENTRE_X[j]
        dy = y - _CENTRE_Y[j]
        term = _AMPLITUDE[j] * exp(_XX[j] * dx * dx + _XY[j] * dx * dy + _YY[j] * dy * dy)
        energy += term
        energy_x += term * (2.0 * _XX[j] * dx + _XY[j] * dy)
        energy_y += term * (_XY[j] * dx + 2.0 * _YY[j] * dy)
    return energy, energy_x, energy_y


@njit(nogil=True, error_model="numpy")
def _exponentials_curvature(x, y):
    """E_xx, E_xy, E_yy of the four exponentials."""
    xx = xy = yy = 0.0
    for j in range(4):
        dx = x - _CENTRE_X[j]
        dy = y - _CENTRE_Y[j]
        slope_x = 2.0 * _XX[j] * dx + _XY[j] * dy
        slope_y = _XY[j] * dx + 2.0 * _YY[j] * dy
        term = _AMPLITUDE[j] * exp(_XX[j] * dx * dx + _XY[j] * dx * dy + _YY[j] * dy * dy)
        xx += term * (slope_x * slope_x + 2.0 * _XX[j])
        xy += term * (slope_x * slope_y + _XY[j])
        yy += term * (slope_y * slope_y + 2.0 * _YY[j])
    return xx, xy, yy


@njit(nogil=True, error_model="numpy")
def _wave(x, y):
    """E, E_x, E_y of the modification."""
    dx = x - _WAVE_X
    dy = y - _WAVE_Y
    envelope = _WAVE * exp(-_RATE * (dx * dx + dy * dy))
    s = envelope * sin(x * y)
    c = envelope * cos(x * y)
    return s, c * y - 2.0 * _RATE * dx * s, c * x - 2.0 * _RATE * dy * s


@njit(nogil=True, error_model="numpy")
def _wave_curvature(x, y):
    """E_xx, E_xy, E_yy of the modification, with p, q the logarithmic slopes of the envelope."""
    dx = x - _WAVE_X
    dy = y - _WAVE_Y
    envelope = _WAVE * exp(-_RATE * (dx * dx + dy * dy))
    s = envelope * sin(x * y)
    c = envelope * cos(x * y)
    p = -2.0 * _RATE * dx
    q = -2.0 * _RATE * dy
    xx = s * (p * p - 2.0 * _RATE - y * y) + 2.0 * p * y * c
    xy = s * (p * q - x * y) + c * (1.0 + p * x + q * y)
    yy = s * (q * q - 2.0 * _RATE - x * x) + 2.0 * q * x * c
    return xx, xy, yy


@kernel("energy")
def _energy(x, params):
    return _exponentials(x[0], x[1])[0]


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    energy, out[0], out[1] = _exponentials(x[0], x[1])
    return energy


@kernel("gradient")
def _gradient(x, params, out):
    _, out[0], out[1] = _exponentials(x[0], x[1])


@kernel("hvp")
def _hvp(x, v, params, out):
    xx, xy, yy = _exponentials_curvature(x[0], x[1])
    out[0] = xx * v[0] + xy * v[1]
    out[1] = xy * v[0] + yy * v[1]


@kernel("energy")
def _modified_energy(x, params):
    return _exponentials(x[0], x[1])[0] + _wave(x[0], x[1])[0]


@kernel("energy_gradient")
def _modified_energy_gradient(x, params, out):
    energy, energy_x, energy_y = _exponentials(x[0], x[1])
    wave, wave_x, wave_y = _wave(x[0], x[1])
    out[0] = energy_x + wave_x
    out[1] = energy_y + wave_y
    return energy + wave


@kernel("gradient")
def _modified_gradient(x, params, out):
    _modified_energy_gradient(x, params, out)


@kernel("hvp")
def _modified_hvp(x, v, params, out):
    xx, xy, yy = _exponentials_curvature(x[0], x[1])
    wave_xx, wave_xy, wave_yy = _wave_curvature(x[0], x[1])
    out[0] = (xx + wave_xx) * v[0] + (xy + wave_xy) * v[1]
    out[1] = (xy + wave_xy) * v[0] + (yy + wave_yy) * v[1]


@dataclass(frozen=True, eq=True)
class MuellerBrown(EnergyModel):
    r"""The Mueller-Brown surface: three minima and two index-1 saddles.

    .. math:: E(x, y) = \sum_{j=1}^4 A_j \exp(a_j (x - X_j)^2 + b_j (x - X_j)(y - Y_j) + c_j (y - Y_j)^2)

    Energies are without the factor 1/2 that some codes carry. No stationary point lies above both saddles, so a downward
    search from one start cannot find all five: search upward too, or give several starts.

    Attributes
    ----------
    box : ((float, float), (float, float))
        Ranges of x and y that show the whole landscape.

    References
    ----------
    K. Mueller, L. D. Brown, Theoret. Chim. Acta 53, 75-93 (1979), eq. 5.
    """

    dim: ClassVar[int] = 2
    box: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-1.5, 1.2), (-0.3, 1.9))
    # Three exponents are negative definite: their terms die out. The fourth is positive definite and A_4 > 0: E -> +inf.
    coercive: ClassVar[bool] = True
    kernels: ClassVar[Kernels] = Kernels(energy=_energy, energy_gradient=_energy_gradient, gradient=_gradient, hvp=_hvp)

    def default_start(self) -> np.ndarray:
        """Near the deepest minimum, (2,)."""
        return np.array([-0.558, 1.442])


@dataclass(frozen=True, eq=True)
class ModifiedMuellerBrown(EnergyModel):
    r"""The Mueller-Brown surface plus a wave, which deepens one minimum and lifts one saddle.

    .. math:: E(x, y) = E_{MB}(x, y) + 500 \sin(x y) \exp(-0.1 (x + 0.5582)^2 - 0.1 (y - 1.4417)^2)

    Attributes
    ----------
    box : ((float, float), (float, float))
        Ranges of x and y that show the whole landscape.

    References
    ----------
    K. Mueller, L. D. Brown, Theoret. Chim. Acta 53, 75-93 (1979), eq. 5, for the first part.
    """

    dim: ClassVar[int] = 2
    box: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-3.2, 1.3), (-0.6, 3.2))
    # As for MuellerBrown: the wave is bounded.
    coercive: ClassVar[bool] = True
    kernels: ClassVar[Kernels] = Kernels(
        energy=_modified_energy, energy_gradient=_modified_energy_gradient, gradient=_modified_gradient, hvp=_modified_hvp
    )

    def default_start(self) -> np.ndarray:
        """Near the deepest minimum, (2,)."""
        return np.array([-0.8, 1.352])
