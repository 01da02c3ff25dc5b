"""The pointwise energies of a Q-tensor at one node, and their derivatives, for the compiled kernels of boxes and meshes.

(p, s, r, t, u) are the components of Q in the basis of `tensors`; ``bulk`` holds the weights of tr Q^2, tr Q^3 and (tr Q^2)^2.
"""

import numpy as np
from numba import njit

PLANAR_SIZE = 33
"""Numbers of a planar-degenerate node or face: strength, a matrix (5, 5), a vector (5), a constant and 2/3 s^2."""

# Not cached on their own: the kernels made of them are, and these know when a file they use has changed.
_inner = njit(nogil=True, error_model="numpy", fastmath={"contract"}, forceinline=True)

_CUBIC = np.sqrt(1.5)
_MIXED = 1.5 * np.sqrt(2.0)


@_inner
def trace_of_cube(p, s, r, t, u):
    """tr Q^3."""
    return _CUBIC * r * (r * r / 3.0 - p * p - s * s + 0.5 * (t * t + u * u)) + _MIXED * (0.5 * p * (t * t - u * u) + s * t * u)


@_inner
def cube_slopes(p, s, r, t, u):
    """Its derivative, five numbers."""
    return (
        _MIXED * 0.5 * (t * t - u * u) - 2.0 * _CUBIC * r * p,
        _MIXED * t * u - 2.0 * _CUBIC * r * s,
        _CUBIC * (r * r - p * p - s * s + 0.5 * (t * t + u * u)),
        _CUBIC * r * t + _MIXED * (p * t + s * u),
        _CUBIC * r * u + _MIXED * (s * t - p * u),
    )


@_inner
def cube_product(p, s, r, t, u, vp, vs, vr, vt, vu):
    """Its second derivative along (vp, vs, vr, vt, vu), five numbers."""
    return (
        _MIXED * (t * vt - u * vu) - 2.0 * _CUBIC * (r * vp + p * vr),
        _MIXED * (t * vu + u * vt) - 2.0 * _CUBIC * (r * vs + s * vr),
        _CUBIC * (2.0 * (r * vr - p * vp - s * vs) + t * vt + u * vu),
        _CUBIC * (r * vt + t * vr) + _MIXED * (p * vt + t * vp + s * vu + u * vs),
        _CUBIC * (r * vu + u * vr) + _MIXED * (s * vt + t * vs - p * vu - u * vp),
    )


@_inner
def bulk_density(q, bulk):
    """The bulk energy at q = (p, s, r, t, u)."""
    p, s, r, t, u = q
    square = p * p + s * s + r * r + t * t + u * u
    return (bulk[0] + bulk[2] * square) * square - bulk[1] * trace_of_cube(p, s, r, t, u)


@_inner
def bulk_slopes(q, bulk):
    """Its derivative, five numbers."""
    p, s, r, t, u = q
    scale = 2.0 * bulk[0] + 4.0 * bulk[2] * (p * p + s * s + r * r + t * t + u * u)
    c0, c1, c2, c3, c4 = cube_slopes(p, s, r, t, u)
    c = bulk[1]
    return scale * p - c * c0, scale * s - c * c1, scale * r - c * c2, scale * t - c * c3, scale * u - c * c4


@_inner
def bulk_product(q, v, bulk):
    """Its second derivative along v, five numbers."""
    p, s, r, t, u = q
    a, b, d, e, f = v
    scale = 2.0 * bulk[0] + 4.0 * bulk[2] * (p * p + s * s + r * r + t * t + u * u)
    twice = 8.0 * bulk[2] * (p * a + s * b + r * d + t * e + u * f)
    c0, c1, c2, c3, c4 = cube_product(p, s, r, t, u, a, b, d, e, f)
    c = bulk[1]
    return (
        scale * a + twice * p - c * c0,
        scale * b + twice * s - c * c1,
        scale * d + twice * r - c * c2,
        scale * e + twice * t - c * c3,
        scale * f + twice * u - c * c4,
    )


@_inner
def planar_node(x, v, at, nodes, w, data, out):
    """A planar-degenerate node: adds its force at x to out, or with v (not empty) its second derivative along v.

    Returns its energy at x, 1/2 q.Mq + m.q + constant + (|q|^2 - 2/3 s^2)^2 / (8 s^2), times w, where q_a = x[a nodes + at].
    """
    order = data[32]
    square, along = -order, 0.0
    for a in range(5):
        q = x[a * nodes + at]
        square += q * q
        if v.size:
            along += q * v[a * nodes + at]
    energy = w * (data[31] + square * square / (12.0 * order))
    for a in range(5):
        q, push = x[a * nodes + at], 0.0
        for b in range(5):
            push += data[1 + 5 * a + b] * (v[b * nodes + at] if v.size else x[b * nodes + at])
        if v.size:
            push += (square * v[a * nodes + at] + 2.0 * along * q) / (3.0 * order)
        else:
            energy += w * q * (0.5 * push + data[26 + a])
            push += data[26 + a] + square * q / (3.0 * order)
        out[a * nodes + at] += w * push
    return energy
