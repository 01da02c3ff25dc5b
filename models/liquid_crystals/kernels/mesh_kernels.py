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
def _local_terms(params):
    """Weights (N,) and pull of the boundary (2 N,)."""
    floats, n = params[0], params[1][0]
    return floats[_FLOATS : _FLOATS + n], floats[_FLOATS + n : _FLOATS + 3 * n]


# The row sums have a loop of their own: together with the local terms they ran at a third of the speed.
@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _elastic(x, params, out):
    """out = A P, both components of a node while its row is read; x, out (2 N,)."""
    floats, ints = params
    n, entries = ints[0], ints[1]
    first = _FLOATS + 3 * n
    real, imaginary = floats[first : first + entries], floats[first + entries :]
    starts, columns = ints[_INTS : _INTS + n + 1], ints[_INTS + n + 1 :]
    p, q, out_p, out_q = x[:n], x[n:], out[:n], out[n:]
    # Unsigned columns, or every access asks whether the index counts from the end.
    if ints[2] == 0:
        for i in range(n):
            sum_p, sum_q = 0.0, 0.0
            for k in range(starts[i], starts[i + 1]):
                j = np.uintp(columns[k])
                sum_p += real[k] * p[j]
                sum_q += real[k] * q[j]
            out_p[i], out_q[i] = sum_p, sum_q
    else:
        for i in range(n):
            sum_p, sum_q = 0.0, 0.0
            for k in range(starts[i], starts[i + 1]):
                j = np.uintp(columns[k])
                sum_p += real[k] * p[j] - imaginary[k] * q[j]
                sum_q += real[k] * q[j] + imaginary[k] * p[j]
            out_p[i], out_q[i] = sum_p, sum_q


# Where no weights are given, numba leaves out the branches that ask for them.
@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _weighted_gradient(x, params, factors, out):
    """dE/dx = A P - pull + w lambda^2 (|P|^2 - c^2) P, this last term at each node times its factor (N,); None: all are one."""
    _elastic(x, params, out)
    weights, pull = _local_terms(params)
    lambda2, c2, n = params[0][0], params[0][1], weights.size
    p, q, out_p, out_q = x[:n], x[n:], out[:n], out[n:]
    for i in range(n):
        scale = lambda2 * weights[i] if factors is None else lambda2 * weights[i] * factors[i]
        bulk = scale * (p[i] * p[i] + q[i] * q[i] - c2)
        out_p[i] += bulk * p[i] - pull[i]
        out_q[i] += bulk * q[i] - pull[n + i]


@njit(cache=True, nogil=True, error_model="numpy", forceinline=True)
def _weighted_hvp(x, v, params, factors, out):
    """H(x) v, weighted as the gradient."""
    _elastic(v, params, out)
    weights, _ = _local_terms(params)
    lambda2, c2, n = params[0][0], params[0][1], weights.size
    p, q, a, b, out_a, out_b = x[:n], x[n:], v[:n], v[n:], out[:n], out[n:]
    for i in range(n):
        scale = lambda2 * weights[i] if factors is None else lambda2 * weights[i] * factors[i]
        bulk = scale * (p[i] * p[i] + q[i] * q[i] - c2)
        twice = 2.0 * scale * (p[i] * a[i] + q[i] * b[i])
        out_a[i] += bulk * a[i] + twice * p[i]
        out_b[i] += bulk * b[i] + twice * q[i]


@kernel("gradient")
def _gradient(x, params, out):
    _weighted_gradient(x, params, None, out)


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    # 1/2 (g - pull).x is the quadratic part and half the bulk term's x: what is missing of the quartic is - w lambda^2 / 4 |P|^4.
    _gradient(x, params, out)
    weights, pull = _local_terms(params)
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
