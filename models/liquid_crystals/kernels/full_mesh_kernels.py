"""Compiled energy and derivatives of the full Landau-de Gennes model on a mesh: rows of a sparse matrix.

The entries of the matrix are numbers, the same for all five components, or 5 x 5 matrices: where elastic constants couple the
components, or where the components of each node are written in axes of its own.
"""

import numpy as np
from numba import njit

from saddlescape.kernels import Kernels, kernel

from . import full_pointwise
from .full_pointwise import PLANAR_SIZE, bulk_density, bulk_product, bulk_slopes, planar_node

# floats: E at q = 0, the weights of tr Q^2, tr Q^3 and (tr Q^2)^2; weights (N); pull (5 N); entries, numbers or 5 x 5 matrices;
# `PLANAR_SIZE` numbers for each planar-degenerate node.
# ints: N, number of entries, how many numbers an entry has, number of planar-degenerate nodes; row starts (N + 1); columns; nodes.
_FLOATS, _INTS = 4, 4

# Not cached on their own: the kernels made of them are, and these know when a file they use has changed.
_inner = njit(nogil=True, error_model="numpy", forceinline=True)


def pack(bulk, zero_energy, weights, pull, matrix, planar_nodes, planar_data):
    """The parameters of the kernels.

    Parameters
    ----------
    bulk : (3,) sequence
        The weights of tr Q^2, tr Q^3 and (tr Q^2)^2, lambda2 included.
    zero_energy : float
    weights : (N,) array
    pull : (5, N) array
    matrix : (N, N) scipy.sparse.csr_array, or (5 N, 5 N) scipy.sparse.bsr_array with blocks (5, 5)
    planar_nodes : (k,) int array
    planar_data : (k, 33) array
    """
    size = matrix.data.size // matrix.indices.size
    floats = [[zero_energy, *bulk], weights, pull.ravel(), matrix.data.ravel(), planar_data.ravel()]
    header = [weights.size, matrix.indices.size, size, planar_nodes.size]
    return np.concatenate(floats), np.concatenate([header, matrix.indptr, matrix.indices, planar_nodes])


@_inner
def _unpack(params):
    """Weights (N), pull (5 N), entries, row starts (N + 1), columns."""
    floats, ints = params
    n, entries = ints[0], ints[1]
    weights, pull = floats[_FLOATS:][:n], floats[_FLOATS + n :][: 5 * n]
    values = floats[_FLOATS + 6 * n :][: entries * ints[2]]
    return weights, pull, values, ints[_INTS:][: n + 1], ints[_INTS + n + 1 :][:entries]


@_inner
def _row(u, n, values, size, columns, start, stop):
    """One row of the matrix, entries start to stop, times u (5 N): five numbers."""
    p, s, r, t, w = 0.0, 0.0, 0.0, 0.0, 0.0
    u0, u1, u2, u3, u4 = u[:n], u[n : 2 * n], u[2 * n : 3 * n], u[3 * n : 4 * n], u[4 * n :]
    if size == 1:
        for k in range(start, stop):
            j, value = np.uintp(columns[k]), values[k]  # unsigned, or every access asks whether the index counts from the end
            p += value * u0[j]
            s += value * u1[j]
            r += value * u2[j]
            t += value * u3[j]
            w += value * u4[j]
    else:
        for k in range(start, stop):
            j, m = np.uintp(columns[k]), values[25 * k :][:25]
            a, b, c, d, e = u0[j], u1[j], u2[j], u3[j], u4[j]
            p += m[0] * a + m[1] * b + m[2] * c + m[3] * d + m[4] * e
            s += m[5] * a + m[6] * b + m[7] * c + m[8] * d + m[9] * e
            r += m[10] * a + m[11] * b + m[12] * c + m[13] * d + m[14] * e
            t += m[15] * a + m[16] * b + m[17] * c + m[18] * d + m[19] * e
            w += m[20] * a + m[21] * b + m[22] * c + m[23] * d + m[24] * e
    return p, s, r, t, w


@njit(nogil=True, error_model="numpy")
def _planar(x, v, params, factors, out):
    """The planar-degenerate nodes: adds their force at x to out, or with v (not empty) their second derivative along v.

    Returns their energy at x.
    """
    floats, ints = params
    n, count = ints[0], ints[3]
    nodes = ints[_INTS + n + 1 + ints[1] :]
    first, energy = _FLOATS + 6 * n + ints[1] * ints[2], 0.0
    for place in range(count):
        at, data = nodes[place], floats[first + PLANAR_SIZE * place :][:PLANAR_SIZE]
        w = data[0] if factors is None else data[0] * factors[at]
        energy += planar_node(x, v, at, n, w, data, out)
    return energy


# Where no factors are given, numba leaves out the branches that ask for them.
@_inner
def _weighted_gradient(x, params, factors, out):
    """dE/dx = A q - pull + the slopes of the bulk, these at each node times its factor (N,), None: all are one; returns E."""
    weights, pull, values, starts, columns = _unpack(params)
    bulk, n, size = params[0][1:4], params[1][0], params[1][2]
    energy = params[0][0]
    for i in range(n):
        force = _row(x, n, values, size, columns, starts[i], starts[i + 1])
        q = (x[i], x[n + i], x[2 * n + i], x[3 * n + i], x[4 * n + i])
        weight = weights[i] if factors is None else weights[i] * factors[i]
        slopes = bulk_slopes(q, bulk)
        energy += weight * bulk_density(q, bulk)
        for a in range(5):
            energy += q[a] * (0.5 * force[a] - pull[a * n + i])
            out[a * n + i] = force[a] - pull[a * n + i] + weight * slopes[a]
    if params[1][3] > 0:
        energy += _planar(x, x[:0], params, factors, out)
    return energy


@_inner
def _weighted_hvp(x, v, params, factors, out):
    """H(x) v, weighted as the gradient."""
    weights, _, values, starts, columns = _unpack(params)
    bulk, n, size = params[0][1:4], params[1][0], params[1][2]
    for i in range(n):
        force = _row(v, n, values, size, columns, starts[i], starts[i + 1])
        q = (x[i], x[n + i], x[2 * n + i], x[3 * n + i], x[4 * n + i])
        along = (v[i], v[n + i], v[2 * n + i], v[3 * n + i], v[4 * n + i])
        weight = weights[i] if factors is None else weights[i] * factors[i]
        product = bulk_product(q, along, bulk)
        for a in range(5):
            out[a * n + i] = force[a] + weight * product[a]
    if params[1][3] > 0:
        _planar(x, v, params, factors, out)


@kernel("gradient", uses=(full_pointwise,))
def _gradient(x, params, out):
    _weighted_gradient(x, params, None, out)


@kernel("energy_gradient", uses=(full_pointwise,))
def _energy_gradient(x, params, out):
    return _weighted_gradient(x, params, None, out)


@kernel("energy", uses=(full_pointwise,))
def _energy(x, params):
    return _energy_gradient(x, params, np.empty_like(x))


@kernel("hvp", uses=(full_pointwise,))
def _hvp(x, v, params, out):
    _weighted_hvp(x, v, params, None, out)


@kernel("weighted_gradient", uses=(full_pointwise,))
def _weighted_gradient_kernel(x, params, weights, out):
    _weighted_gradient(x, params, weights, out)


@kernel("weighted_hvp", uses=(full_pointwise,))
def _weighted_hvp_kernel(x, v, params, weights, out):
    _weighted_hvp(x, v, params, weights, out)


FULL_ON_MESH = Kernels(
    energy=_energy,
    energy_gradient=_energy_gradient,
    gradient=_gradient,
    hvp=_hvp,
    weighted_gradient=_weighted_gradient_kernel,
    weighted_hvp=_weighted_hvp_kernel,
)
