"""Compiled energy and derivatives of the reduced Landau-de Gennes model on a mesh: rows of a sparse matrix.

P is a complex number p + i q at each of N free nodes, and the elastic form a Hermitian matrix A: real where P is written in the
axes of the laboratory, complex where every node has axes of its own, as on a disk, whose rotations are then shifts.
"""

import numpy as np
from numba import njit

from saddlescape.kernels import Kernels, kernel

# params[0]: lambda^2, c^2, E(0); weights (N); pull of the boundary (2 N); real and, if complex, imaginary part of the entries.
# params[1]: N, number of entries, whether complex; row starts (N + 1); columns.
_FLOATS, _INTS = 3, 3


def pack(matrix, weights, pull, lambda2, c2, zero_energy):
    """The parameters of the kernels.

    Parameters
    ----------
    matrix : (N, N) scipy.sparse.csr_array
        Hermitian.
    weights : (N,) array
    pull : (2, N) array
    lambda2, c2, zero_energy : float
    """
    is_complex = np.iscomplexobj(matrix.data)
    entries = [matrix.data.real, matrix.data.imag] if is_complex else [matrix.data]
    floats = np.concatenate([[lambda2, c2, zero_energy], weights, pull.ravel(), *entries])
    return floats, np.concatenate([[weights.size, matrix.nnz, is_complex], matrix.indptr, matrix.indices])


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _unpack(params):
    """Weights (N), pull (2 N), real and imaginary part of the entries, row starts (N + 1), columns."""
    floats, ints = params
    n, entries = ints[0], ints[1]
    weights = floats[_FLOATS : _FLOATS + n]
    pull = floats[_FLOATS + n : _FLOATS + 3 * n]
    real = floats[_FLOATS + 3 * n : _FLOATS + 3 * n + entries]
    imaginary = floats[_FLOATS + 3 * n + entries :]
    starts = ints[_INTS : _INTS + n + 1]
    return weights, pull, real, imaginary, starts, ints[_INTS + n + 1 :]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _row(p, q, real, imaginary, columns, start, stop):
    """The entries start to stop of A, one row, times p + i q: real and imaginary part."""
    sum_p, sum_q = 0.0, 0.0
    if imaginary.size == 0:
        for k in range(start, stop):
            j = np.uintp(columns[k])  # unsigned, or every access asks whether the index counts from the end
            sum_p += real[k] * p[j]
            sum_q += real[k] * q[j]
    else:
        for k in range(start, stop):
            j = np.uintp(columns[k])
            sum_p += real[k] * p[j] - imaginary[k] * q[j]
            sum_q += real[k] * q[j] + imaginary[k] * p[j]
    return sum_p, sum_q


# Where no weights are given, numba leaves out the branches that ask for them.
@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _weighted_gradient(x, params, factors, out):
    """dE/dx = A P - pull + w lambda^2 (|P|^2 - c^2) P, this last term at each node times its factor (N,); None: all are one."""
    weights, pull, real, imaginary, starts, columns = _unpack(params)
    lambda2, c2, n = params[0][0], params[0][1], weights.size
    p, q, out_p, out_q = x[:n], x[n:], out[:n], out[n:]
    for i in range(n):
        sum_p, sum_q = _row(p, q, real, imaginary, columns, starts[i], starts[i + 1])
        scale = lambda2 * weights[i] if factors is None else lambda2 * weights[i] * factors[i]
        bulk = scale * (p[i] * p[i] + q[i] * q[i] - c2)
        out_p[i] = sum_p - pull[i] + bulk * p[i]
        out_q[i] = sum_q - pull[n + i] + bulk * q[i]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _weighted_hvp(x, v, params, factors, out):
    """H(x) v, weighted as the gradient."""
    weights, _, real, imaginary, starts, columns = _unpack(params)
    lambda2, c2, n = params[0][0], params[0][1], weights.size
    p, q, a, b, out_a, out_b = x[:n], x[n:], v[:n], v[n:], out[:n], out[n:]
    for i in range(n):
        sum_a, sum_b = _row(a, b, real, imaginary, columns, starts[i], starts[i + 1])
        scale = lambda2 * weights[i] if factors is None else lambda2 * weights[i] * factors[i]
        bulk = scale * (p[i] * p[i] + q[i] * q[i] - c2)
        twice = 2.0 * scale * (p[i] * a[i] + q[i] * b[i])
        out_a[i] = sum_a + bulk * a[i] + twice * p[i]
        out_b[i] = sum_b + bulk * b[i] + twice * q[i]


@kernel("gradient")
def _gradient(x, params, out):
    _weighted_gradient(x, params, None, out)


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    # 1/2 (g - pull).x is the quadratic part and half the bulk term's x: what is missing of the quartic is - w lambda^2 / 4 |P|^4.
    _gradient(x, params, out)
    weights, pull = _unpack(params)[:2]
    n, energy = weights.size, params[0][2]
    for i in range(n):
        square = x[i] * x[i] + x[n + i] * x[n + i]
        energy += 0.5 * ((out[i] - pull[i]) * x[i] + (out[n + i] - pull[n + i]) * x[n + i])
        energy -= 0.25 * params[0][0] * weights[i] * square * square
    return energy


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


REDUCED_ON_MESH = Kernels(
    energy=_energy,
    energy_gradient=_energy_gradient,
    gradient=_gradient,
    hvp=_hvp,
    weighted_gradient=_weighted_gradient_kernel,
    weighted_hvp=_weighted_hvp_kernel,
)
