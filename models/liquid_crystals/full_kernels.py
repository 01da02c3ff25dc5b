"""Compiled energy and derivatives of the full Landau-de Gennes model on a box, one elastic constant.

The five components of a row of free nodes (a chunk of it, where it is long) are gathered in a buffer with a ghost on either side,
so that no loop over nodes has a branch; distances within a buffer are known when it is compiled, or nothing would be vectorised.
The layout of the parameters is that of `FullBox.parameters`.
"""

import numpy as np
from numba import njit

from saddlescape.kernels import Kernels, kernel

CHUNK = 128
STRIDE = CHUNK + 2
BLOCK = 16  # rows of a plane that are taken through all planes: their neighbours stay in the cache

# floats: E at q = 0, the weights of tr Q^2, tr Q^3 and (tr Q^2)^2, the five of the field, 1 / hx; then blocks at the offsets that
# the integers name.
E0, SQUARE, CUBE, QUARTIC, FIELD, INVERSE_HX = 0, 1, 2, 3, 4, 9
# integers: nodes along z, y, x; what lies beyond the ends of a row; offsets of the blocks; number of planar-degenerate faces; then
# neighbours along y and z, where the pull of each row is, and the faces.
MZ, MY, MX, LEFT, RIGHT, LINES, ENDS, TENSORS, FACES, N_FACES, TABLES = range(11)
FIXED, FREE, WRAPPED = 0, 1, 2
LINE = (
    11  # numbers per node along y or z: weight, surface, stiffness and both slopes at the lower neighbour, here, at the upper one
)
WEIGHT, SURFACE, STIFF, SLOPE, TURNED = 0, 1, 2, 5, 8
FACE_SIZE = 33  # strength, the 5 x 5 matrix, the vector, the constant and 2/3 s^2 of a planar-degenerate face

_CUBIC = np.sqrt(1.5)
_MIXED = 1.5 * np.sqrt(2.0)

_inner = njit(cache=True, nogil=True, error_model="numpy", forceinline=True)


@_inner
def _gather(u, row, start, size, params, q):
    """The five components of nodes start .. start + size - 1 of a row that begins at ``row``, with their ghosts, into q."""
    ints = params[1]
    mx, nodes = ints[MX], ints[MZ] * ints[MY] * ints[MX]
    for a in range(5):
        line, target = u[a * nodes + row :][:mx], q[a * STRIDE :][:STRIDE]
        piece, middle = line[start : start + size], target[1 : size + 1]
        for i in range(size):
            middle[i] = piece[i]
        if start > 0:
            target[0] = line[start - 1]
        elif ints[LEFT] == FIXED:
            target[0] = 0.0
        else:
            target[0] = line[0] if ints[LEFT] == FREE else line[mx - 1]
        if start + size < mx:
            target[size + 1] = line[start + size]
        elif ints[RIGHT] == FIXED:
            target[size + 1] = 0.0
        else:
            target[size + 1] = line[mx - 1] if ints[RIGHT] == FREE else line[0]


@_inner
def _stiff(u, z, y, start, size, params, q, g):
    """g (5 chunks) = the force of the link differences on a chunk of row (z, y) of u, gathered in q."""
    floats, ints = params
    mz, my, mx = ints[MZ], ints[MY], ints[MX]
    nodes, tables = mz * my * mx, TABLES
    lines = ints[LINES]
    weights = floats[lines + start :][:size]
    yl = floats[lines + 2 * mx + y * LINE :][:LINE]
    zl = floats[lines + 2 * mx + (my + z) * LINE :][:LINE]
    wy, wz = yl[WEIGHT], zl[WEIGHT]
    along = wy * wz * floats[INVERSE_HX]
    here = wz * (yl[STIFF + 1] + yl[SURFACE]) + wy * (zl[STIFF + 1] + zl[SURFACE])
    low_y, high_y, low_z, high_z = wz * yl[STIFF], wz * yl[STIFF + 2], wy * zl[STIFF], wy * zl[STIFF + 2]
    below = (z * my + ints[tables + y]) * mx + start
    above = (z * my + ints[tables + my + y]) * mx + start
    back = (ints[tables + 2 * my + z] * my + y) * mx + start
    front = (ints[tables + 2 * my + mz + z] * my + y) * mx + start
    for a in range(5):
        at = a * nodes
        qa, ga = q[a * STRIDE :][: size + 2], g[a * CHUNK :][:size]
        line_b, line_a = u[at + below :][:size], u[at + above :][:size]
        line_k, line_f = u[at + back :][:size], u[at + front :][:size]
        for i in range(size):
            across = here * qa[i + 1] + low_y * line_b[i] + high_y * line_a[i] + low_z * line_k[i] + high_z * line_f[i]
            ga[i] = along * (2.0 * qa[i + 1] - qa[i] - qa[i + 2]) + weights[i] * across
        if start == 0:
            ga[0] += floats[lines + mx] * wy * wz * qa[1]
        if start + size == mx:
            ga[size - 1] += floats[lines + 2 * mx - 1] * wy * wz * qa[size]


@_inner
def _cubic_slopes(p, s, r, t, u):
    """d tr Q^3 / dq at q = (p, s, r, t, u)."""
    return (
        _MIXED * 0.5 * (t * t - u * u) - 2.0 * _CUBIC * r * p,
        _MIXED * t * u - 2.0 * _CUBIC * r * s,
        _CUBIC * (r * r - p * p - s * s + 0.5 * (t * t + u * u)),
        _CUBIC * r * t + _MIXED * (p * t + s * u),
        _CUBIC * r * u + _MIXED * (s * t - p * u),
    )


@_inner
def _bulk_force(q, params, weights, local, size, g):
    """g += the force of the bulk and of the field; ``weights`` of the trapezoid rule, ``local`` further ones of the bulk alone."""
    floats = params[0]
    square, cube, quartic = 2.0 * floats[SQUARE], floats[CUBE], 4.0 * floats[QUARTIC]
    f0, f1, f2, f3, f4 = floats[FIELD], floats[FIELD + 1], floats[FIELD + 2], floats[FIELD + 3], floats[FIELD + 4]
    for i in range(size):
        p, s, r = q[i + 1], q[STRIDE + i + 1], q[2 * STRIDE + i + 1]
        t, u = q[3 * STRIDE + i + 1], q[4 * STRIDE + i + 1]
        w = weights[i]
        b = w if local is None else w * local[i]
        c0, c1, c2, c3, c4 = _cubic_slopes(p, s, r, t, u)
        scale, c = b * (square + quartic * (p * p + s * s + r * r + t * t + u * u)), b * cube
        g[i] += scale * p - c * c0 - w * f0
        g[CHUNK + i] += scale * s - c * c1 - w * f1
        g[2 * CHUNK + i] += scale * r - c * c2 - w * f2
        g[3 * CHUNK + i] += scale * t - c * c3 - w * f3
        g[4 * CHUNK + i] += scale * u - c * c4 - w * f4


@_inner
def _bulk_product(q, v, params, weights, local, size, g):
    """g += the second derivative of the bulk at q along v; both gathered, weighted as in `_bulk_force`."""
    floats = params[0]
    square, cube, quartic = 2.0 * floats[SQUARE], floats[CUBE], 4.0 * floats[QUARTIC]
    for i in range(size):
        p, s, r = q[i + 1], q[STRIDE + i + 1], q[2 * STRIDE + i + 1]
        t, u = q[3 * STRIDE + i + 1], q[4 * STRIDE + i + 1]
        vp, vs, vr = v[i + 1], v[STRIDE + i + 1], v[2 * STRIDE + i + 1]
        vt, vu = v[3 * STRIDE + i + 1], v[4 * STRIDE + i + 1]
        b = weights[i] if local is None else weights[i] * local[i]
        c = b * cube
        scale = b * (square + quartic * (p * p + s * s + r * r + t * t + u * u))
        twice = 2.0 * b * quartic * (p * vp + s * vs + r * vr + t * vt + u * vu)
        g[i] += scale * vp + twice * p - c * (_MIXED * (t * vt - u * vu) - 2.0 * _CUBIC * (r * vp + p * vr))
        g[CHUNK + i] += scale * vs + twice * s - c * (_MIXED * (t * vu + u * vt) - 2.0 * _CUBIC * (r * vs + s * vr))
        g[2 * CHUNK + i] += scale * vr + twice * r - c * _CUBIC * (2.0 * (r * vr - p * vp - s * vs) + t * vt + u * vu)
        g[3 * CHUNK + i] += scale * vt + twice * t - c * (_CUBIC * (r * vt + t * vr) + _MIXED * (p * vt + t * vp + s * vu + u * vs))
        g[4 * CHUNK + i] += scale * vu + twice * u - c * (_CUBIC * (r * vu + u * vr) + _MIXED * (s * vt + t * vs - p * vu - u * vp))


@_inner
def _scatter(g, z, y, start, size, params, pulled, out):
    """The chunk of the force into out, less the pull of the fixed boundary where ``pulled`` is one."""
    floats, ints = params
    mz, my, mx = ints[MZ], ints[MY], ints[MX]
    nodes, row = mz * my * mx, z * my + y
    dense = ints[TABLES + 2 * (my + mz) + row]
    for a in range(5):
        ga, target = g[a * CHUNK :][:size], out[a * nodes + row * mx + start :][:size]
        if dense >= 0:
            pull = floats[dense + a * mx + start :][:size]
            for i in range(size):
                target[i] = ga[i] - pulled * pull[i]
        else:
            for i in range(size):
                target[i] = ga[i]
            if start == 0:
                target[0] -= pulled * floats[ints[ENDS] + 10 * row + 2 * a]
            if start + size == mx:
                target[size - 1] -= pulled * floats[ints[ENDS] + 10 * row + 2 * a + 1]


# The order of these sums is left to the compiler: in vector registers they are several times faster.
@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc"})
def _chunk_energy(q, g, params, weights, size):
    """Bulk and field energy of a chunk, and half its quadratic energy; g: the force of the quadratic part."""
    floats = params[0]
    square, cube, quartic = floats[SQUARE], floats[CUBE], floats[QUARTIC]
    f0, f1, f2, f3, f4 = floats[FIELD], floats[FIELD + 1], floats[FIELD + 2], floats[FIELD + 3], floats[FIELD + 4]
    energy = 0.0
    for i in range(size):
        p, s, r = q[i + 1], q[STRIDE + i + 1], q[2 * STRIDE + i + 1]
        t, u = q[3 * STRIDE + i + 1], q[4 * STRIDE + i + 1]
        force = p * g[i] + s * g[CHUNK + i] + r * g[2 * CHUNK + i] + t * g[3 * CHUNK + i] + u * g[4 * CHUNK + i]
        norm = p * p + s * s + r * r + t * t + u * u
        third = _CUBIC * r * (r * r / 3.0 - p * p - s * s + 0.5 * (t * t + u * u)) + _MIXED * (
            0.5 * p * (t * t - u * u) + s * t * u
        )
        bulk = (square + quartic * norm) * norm - cube * third - (f0 * p + f1 * s + f2 * r + f3 * t + f4 * u)
        energy += 0.5 * force + weights[i] * bulk
    return energy


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc"})
def _pull_energy(q, z, y, start, size, params):
    """The work of the pull of the fixed boundary on a chunk."""
    floats, ints = params
    mz, my, mx = ints[MZ], ints[MY], ints[MX]
    row = z * my + y
    dense, work = ints[TABLES + 2 * (my + mz) + row], 0.0
    for a in range(5):
        qa = q[a * STRIDE + 1 :][:size]
        if dense >= 0:
            pull = floats[dense + a * mx + start :][:size]
            for i in range(size):
                work += pull[i] * qa[i]
        else:
            if start == 0:
                work += floats[ints[ENDS] + 10 * row + 2 * a] * qa[0]
            if start + size == mx:
                work += floats[ints[ENDS] + 10 * row + 2 * a + 1] * qa[size - 1]
    return work


@njit(cache=True, nogil=True, error_model="numpy")
def planar(x, v, params, local, out):
    """The planar-degenerate faces: adds their force at x to out, or with v (not empty) their second derivative along v.

    Returns their energy at x.
    """
    floats, ints = params
    sizes = (ints[MZ], ints[MY], ints[MX])
    nodes = sizes[0] * sizes[1] * sizes[2]
    table = TABLES + 2 * (sizes[1] + sizes[0]) + sizes[0] * sizes[1]
    lines, energy = ints[LINES], 0.0
    q, dq = np.empty(5), np.zeros(5)
    for face in range(ints[N_FACES]):
        axis, position = ints[table + 2 * face], ints[table + 2 * face + 1]
        data = floats[ints[FACES] + FACE_SIZE * face :][:FACE_SIZE]
        matrix, vector, order = data[1:26], data[26:31], data[32]
        last_z, last_y, last_x = sizes
        first_z = first_y = first_x = 0
        if axis == 0:
            first_x, last_x = position, position + 1
        elif axis == 1:
            first_y, last_y = position, position + 1
        else:
            first_z, last_z = position, position + 1
        for z in range(first_z, last_z):
            for y in range(first_y, last_y):
                for i in range(first_x, last_x):
                    w = data[0]
                    if axis != 0:
                        w *= floats[lines + i]
                    if axis != 1:
                        w *= floats[lines + 2 * sizes[2] + y * LINE]
                    if axis != 2:
                        w *= floats[lines + 2 * sizes[2] + (sizes[1] + z) * LINE]
                    at = (z * sizes[1] + y) * sizes[2] + i
                    if local is not None:
                        w *= local[at]
                    square, along = -order, 0.0
                    for a in range(5):
                        q[a] = x[a * nodes + at]
                        square += q[a] * q[a]
                        if v.size:
                            dq[a] = v[a * nodes + at]
                            along += q[a] * dq[a]
                    # The energy density is 1/2 q.Mq + m.q + constant + (|q|^2 - 2/3 s^2)^2 / (8 s^2), with 2/3 s^2 = order.
                    energy += w * (data[31] + square * square / (12.0 * order))
                    for a in range(5):
                        push = 0.0
                        for b in range(5):
                            push += matrix[5 * a + b] * (dq[b] if v.size else q[b])
                        if v.size:
                            push += (square * dq[a] + 2.0 * along * q[a]) / (3.0 * order)
                        else:
                            energy += w * q[a] * (0.5 * push + vector[a])
                            push += vector[a] + square * q[a] / (3.0 * order)
                        out[a * nodes + at] += w * push
    return energy


@_inner
def _node_weights(z, y, start, size, params, w):
    """Weights of the trapezoid rule on a chunk of row (z, y), into w."""
    floats, ints = params
    mx, lines = ints[MX], ints[LINES]
    along = floats[lines + start :][:size]
    across = floats[lines + 2 * mx + y * LINE + WEIGHT] * floats[lines + 2 * mx + (ints[MY] + z) * LINE + WEIGHT]
    for i in range(size):
        w[i] = across * along[i]


@_inner
def _weighted_gradient(x, params, local, energies, out):
    """dE/dx, pointwise terms times ``local`` (nodes,), None: all one; returns E where ``energies`` is not None."""
    mz, my, mx = params[1][MZ], params[1][MY], params[1][MX]
    q, g, w = np.empty(5 * STRIDE), np.empty(5 * CHUNK), np.empty(CHUNK)
    energy = params[0][E0]
    for block in range(0, my, BLOCK):
        for z in range(mz):
            for y in range(block, min(block + BLOCK, my)):
                row = (z * my + y) * mx
                for start in range(0, mx, CHUNK):
                    size = min(CHUNK, mx - start)
                    _gather(x, row, start, size, params, q)
                    _node_weights(z, y, start, size, params, w)
                    _stiff(x, z, y, start, size, params, q, g)
                    if energies is not None:
                        energy += _chunk_energy(q, g, params, w, size) - _pull_energy(q, z, y, start, size, params)
                    _bulk_force(q, params, w, None if local is None else local[row + start :], size, g)
                    _scatter(g, z, y, start, size, params, 1.0, out)
    if params[1][N_FACES] > 0:
        energy += planar(x, x[:0], params, local, out)
    return energy


@_inner
def _weighted_hvp(x, v, params, local, out):
    """H(x) v, weighted as the gradient."""
    mz, my, mx = params[1][MZ], params[1][MY], params[1][MX]
    q, p, g, w = np.empty(5 * STRIDE), np.empty(5 * STRIDE), np.empty(5 * CHUNK), np.empty(CHUNK)
    for block in range(0, my, BLOCK):
        for z in range(mz):
            for y in range(block, min(block + BLOCK, my)):
                row = (z * my + y) * mx
                for start in range(0, mx, CHUNK):
                    size = min(CHUNK, mx - start)
                    _gather(x, row, start, size, params, q)
                    _gather(v, row, start, size, params, p)
                    _node_weights(z, y, start, size, params, w)
                    _stiff(v, z, y, start, size, params, p, g)
                    _bulk_product(q, p, params, w, None if local is None else local[row + start :], size, g)
                    _scatter(g, z, y, start, size, params, 0.0, out)
    if params[1][N_FACES] > 0:
        planar(x, v, params, local, out)


@kernel("gradient")
def _gradient(x, params, out):
    _weighted_gradient(x, params, None, None, out)


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    return _weighted_gradient(x, params, None, True, out)


@kernel("energy")
def _energy(x, params):
    return _energy_gradient(x, params, np.empty_like(x))


@kernel("hvp")
def _hvp(x, v, params, out):
    _weighted_hvp(x, v, params, None, out)


@kernel("weighted_gradient")
def _weighted_gradient_kernel(x, params, weights, out):
    _weighted_gradient(x, params, weights, None, out)


@kernel("weighted_hvp")
def _weighted_hvp_kernel(x, v, params, weights, out):
    _weighted_hvp(x, v, params, weights, out)


FULL = Kernels(
    energy=_energy,
    energy_gradient=_energy_gradient,
    gradient=_gradient,
    hvp=_hvp,
    weighted_gradient=_weighted_gradient_kernel,
    weighted_hvp=_weighted_hvp_kernel,
)
