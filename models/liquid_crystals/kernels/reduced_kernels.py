"""Compiled energy and derivatives of the reduced Landau-de Gennes model on an m x m interior grid."""

import numpy as np
from numba import njit

from saddlescape.kernels import Kernels, kernel

# params[0]: h^2, lambda^2, c^2, E(0), then the pull of the boundary (2 m^2); params[1]: m.
_HEADER = 4


@njit(cache=True, nogil=True, error_model="numpy")
def _minus_laplacian(u, m, out):
    """out = -h^2 Lap_h u on m x m interior nodes with zeros around, u and out (m^2,)."""
    for row in range(0, m * m, m):
        line, result = u[row : row + m], out[row : row + m]
        result[0] = 4.0 * line[0] - line[1]
        for i in range(1, m - 1):
            result[i] = 4.0 * line[i] - line[i - 1] - line[i + 1]
        result[m - 1] = 4.0 * line[m - 1] - line[m - 2]
    # The neighbours above and below lie m entries away: two long loops without a branch.
    inner = m * m - m
    low_in, high_in, low_out, high_out = u[:inner], u[m:], out[:inner], out[m:]
    for i in range(inner):
        low_out[i] -= high_in[i]
    for i in range(inner):
        high_out[i] -= low_in[i]


# Where no weights are given, numba leaves out the branches that ask for them: the same source compiles to the plain derivatives,
# inlined by force, because a call in between costs a tenth on small grids.
@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _weighted_gradient(x, params, weights, out):
    """dE/dx = -h^2 Lap_h P - boundary + h^2 lambda^2 (|P|^2 - c^2) P, this last term at each node times its weight (m^2,).

    Weights of None are all one.
    """
    floats, m = params[0], params[1][0]
    area = m * m
    scale, c2 = floats[0] * floats[1], floats[2]
    p, q, out_p, out_q = x[:area], x[area:], out[:area], out[area:]
    _minus_laplacian(p, m, out_p)
    _minus_laplacian(q, m, out_q)
    pull_p, pull_q = floats[_HEADER : _HEADER + area], floats[_HEADER + area :]
    for i in range(area):
        weight = scale if weights is None else scale * weights[i]
        bulk = weight * (p[i] * p[i] + q[i] * q[i] - c2)
        out_p[i] += bulk * p[i] - pull_p[i]
        out_q[i] += bulk * q[i] - pull_q[i]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _weighted_hvp(x, v, params, weights, out):
    """H(x) v, weighted as the gradient."""
    floats, m = params[0], params[1][0]
    area = m * m
    scale, c2 = floats[0] * floats[1], floats[2]
    p, q, a, b, out_a, out_b = x[:area], x[area:], v[:area], v[area:], out[:area], out[area:]
    _minus_laplacian(a, m, out_a)
    _minus_laplacian(b, m, out_b)
    for i in range(area):
        weight = scale if weights is None else scale * weights[i]
        bulk = weight * (p[i] * p[i] + q[i] * q[i] - c2)
        twice = 2.0 * weight * (p[i] * a[i] + q[i] * b[i])
        out_a[i] += bulk * a[i] + twice * p[i]
        out_b[i] += bulk * b[i] + twice * q[i]


@kernel("gradient")
def _gradient(x, params, out):
    _weighted_gradient(x, params, None, out)


# The order of this one sum is left to the compiler: in vector registers it is four times faster.
@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc"})
def _energy_above_zero(x, gradient, params):
    """E(x) - E(0) from the gradient at x.

    With g = A x - b + bulk, the quadratic part 1/2 x.A x - b.x is 1/2 (g - b).x less half the bulk term, and the quartic part then
    leaves -(h^2 lambda^2 / 4) |P|^4: no second pass over the stencil.
    """
    floats, m = params[0], params[1][0]
    area = m * m
    quarter = 0.25 * floats[0] * floats[1]
    p, q, gradient_p, gradient_q = x[:area], x[area:], gradient[:area], gradient[area:]
    pull_p, pull_q = floats[_HEADER : _HEADER + area], floats[_HEADER + area :]
    energy = 0.0
    for i in range(area):
        square = p[i] * p[i] + q[i] * q[i]
        energy += 0.5 * ((gradient_p[i] - pull_p[i]) * p[i] + (gradient_q[i] - pull_q[i]) * q[i]) - quarter * square * square
    return energy


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    _gradient(x, params, out)
    return params[0][3] + _energy_above_zero(x, out, params)


@kernel("energy")
def _energy(x, params):
    return _energy_gradient(x, params, np.empty_like(x))


@kernel("hvp")
def _hvp(x, v, params, out):
    _weighted_hvp(x, v, params, None, out)


@kernel("weighted_gradient")
def _weighted_gradient_kernel(x, params, weights, out):
    _weighted_gradient(x, params, weights, out)


@kernel("weighted_hvp")
def _weighted_hvp_kernel(x, v, params, weights, out):
    _weighted_hvp(x, v, params, weights, out)


REDUCED = Kernels(
    energy=_energy,
    energy_gradient=_energy_gradient,
    gradient=_gradient,
    hvp=_hvp,
    weighted_gradient=_weighted_gradient_kernel,
    weighted_hvp=_weighted_hvp_kernel,
)
