"""The bulk energy of a Q-tensor at one node, and its derivatives, for compiled kernels.

q = (p, s, r, t, u) are the components of Q in the basis of `tensors`; ``bulk`` holds the weights of tr Q^2, tr Q^3 and (tr Q^2)^2.
"""

import numpy as np
from numba import njit

_inner = njit(cache=True, nogil=True, error_model="numpy", forceinline=True)

CUBIC = np.sqrt(1.5)
MIXED = 1.5 * np.sqrt(2.0)


@_inner
def bulk_density(q, bulk):
    """The bulk energy."""
    p, s, r, t, u = q
    square = p * p + s * s + r * r + t * t + u * u
    cube = CUBIC * r * (r * r / 3.0 - p * p - s * s + 0.5 * (t * t + u * u)) + MIXED * (0.5 * p * (t * t - u * u) + s * t * u)
    return (bulk[0] + bulk[2] * square) * square - bulk[1] * cube


@_inner
def bulk_slopes(q, bulk):
    """Its derivative, five numbers."""
    p, s, r, t, u = q
    scale = 2.0 * bulk[0] + 4.0 * bulk[2] * (p * p + s * s + r * r + t * t + u * u)
    c = bulk[1]
    return (
        scale * p - c * (0.5 * MIXED * (t * t - u * u) - 2.0 * CUBIC * r * p),
        scale * s - c * (MIXED * t * u - 2.0 * CUBIC * r * s),
        scale * r - c * CUBIC * (r * r - p * p - s * s + 0.5 * (t * t + u * u)),
        scale * t - c * (CUBIC * r * t + MIXED * (p * t + s * u)),
        scale * u - c * (CUBIC * r * u + MIXED * (s * t - p * u)),
    )


@_inner
def bulk_product(q, v, bulk):
    """Its second derivative along v, five numbers."""
    p, s, r, t, u = q
    a, b, d, e, f = v
    scale = 2.0 * bulk[0] + 4.0 * bulk[2] * (p * p + s * s + r * r + t * t + u * u)
    twice = 8.0 * bulk[2] * (p * a + s * b + r * d + t * e + u * f)
    c = bulk[1]
    return (
        scale * a + twice * p - c * (MIXED * (t * e - u * f) - 2.0 * CUBIC * (r * a + p * d)),
        scale * b + twice * s - c * (MIXED * (t * f + u * e) - 2.0 * CUBIC * (r * b + s * d)),
        scale * d + twice * r - c * CUBIC * (2.0 * (r * d - p * a - s * b) + t * e + u * f),
        scale * e + twice * t - c * (CUBIC * (r * e + t * d) + MIXED * (p * e + t * a + s * f + u * b)),
        scale * f + twice * u - c * (CUBIC * (r * f + u * d) + MIXED * (s * e + t * b - p * f - u * a)),
    )
