"""Pointwise terms of the full Landau-de Gennes energy on boxes: bulk, field, planar-degenerate faces."""

from .full_layout import (
    CHUNK,
    CUBE,
    FACES,
    FIELD,
    LENGTH,
    LINE,
    LINES,
    MX,
    MY,
    MZ,
    N_FACES,
    QUARTIC,
    SQUARE,
    STRIDE,
    TABLES,
    WEIGHT,
    inner,
    plain,
    summing,
)
from .full_pointwise import PLANAR_SIZE, cube_product, cube_slopes, planar_node, trace_of_cube


@inner
def pointwise(z, y, start, size, params, local, w):
    """Into w (3 chunks): weights of the trapezoid rule on a chunk of row (z, y), these times ``local``, and those along x alone."""
    floats, ints = params
    mx, lines = ints[MX], ints[LINES]
    along = floats[lines + start :][:size]
    across = floats[lines + 2 * mx + y * LINE + WEIGHT] * floats[lines + 2 * mx + (ints[MY] + z) * LINE + WEIGHT]
    plain, scaled, line = w[:CHUNK], w[CHUNK:][:CHUNK], w[2 * CHUNK :][:CHUNK]
    for i in range(size):
        line[i] = along[i]
    for i in range(size, CHUNK):
        line[i] = 0.0
    for i in range(params[1][LENGTH]):
        plain[i] = across * line[i]
    if local is not None:
        factors = local[(z * ints[MY] + y) * mx + start :][:size]
        for i in range(size):
            scaled[i] = plain[i] * factors[i]


@inner
def bulk_force(q, params, weights, local, g):
    """g += the force of the bulk and of the field; ``weights`` of the trapezoid rule, ``local``: of the bulk."""
    floats = params[0]
    square, cube, quartic = 2.0 * floats[SQUARE], floats[CUBE], 4.0 * floats[QUARTIC]
    f0, f1, f2, f3, f4 = floats[FIELD], floats[FIELD + 1], floats[FIELD + 2], floats[FIELD + 3], floats[FIELD + 4]
    for i in range(params[1][LENGTH]):
        p, s, r = q[i + 1], q[STRIDE + i + 1], q[2 * STRIDE + i + 1]
        t, u = q[3 * STRIDE + i + 1], q[4 * STRIDE + i + 1]
        w, b = weights[i], local[i]
        c0, c1, c2, c3, c4 = cube_slopes(p, s, r, t, u)
        scale, c = b * (square + quartic * (p * p + s * s + r * r + t * t + u * u)), b * cube
        g[i] += scale * p - c * c0 - w * f0
        g[CHUNK + i] += scale * s - c * c1 - w * f1
        g[2 * CHUNK + i] += scale * r - c * c2 - w * f2
        g[3 * CHUNK + i] += scale * t - c * c3 - w * f3
        g[4 * CHUNK + i] += scale * u - c * c4 - w * f4


@inner
def bulk_product(q, v, params, weights, g):
    """g += the second derivative of the bulk at q along v, both gathered."""
    floats = params[0]
    square, cube, quartic = 2.0 * floats[SQUARE], floats[CUBE], 4.0 * floats[QUARTIC]
    for i in range(params[1][LENGTH]):
        p, s, r = q[i + 1], q[STRIDE + i + 1], q[2 * STRIDE + i + 1]
        t, u = q[3 * STRIDE + i + 1], q[4 * STRIDE + i + 1]
        vp, vs, vr = v[i + 1], v[STRIDE + i + 1], v[2 * STRIDE + i + 1]
        vt, vu = v[3 * STRIDE + i + 1], v[4 * STRIDE + i + 1]
        b = weights[i]
        c = b * cube
        scale = b * (square + quartic * (p * p + s * s + r * r + t * t + u * u))
        twice = 2.0 * b * quartic * (p * vp + s * vs + r * vr + t * vt + u * vu)
        c0, c1, c2, c3, c4 = cube_product(p, s, r, t, u, vp, vs, vr, vt, vu)
        g[i] += scale * vp + twice * p - c * c0
        g[CHUNK + i] += scale * vs + twice * s - c * c1
        g[2 * CHUNK + i] += scale * vr + twice * r - c * c2
        g[3 * CHUNK + i] += scale * vt + twice * t - c * c3
        g[4 * CHUNK + i] += scale * vu + twice * u - c * c4


@summing
def chunk_energy(q, g, params, weights):
    """Bulk and field energy of a chunk, and half its quadratic energy; g: the force of the quadratic part."""
    floats = params[0]
    square, cube, quartic = floats[SQUARE], floats[CUBE], floats[QUARTIC]
    f0, f1, f2, f3, f4 = floats[FIELD], floats[FIELD + 1], floats[FIELD + 2], floats[FIELD + 3], floats[FIELD + 4]
    energy = 0.0
    for i in range(params[1][LENGTH]):
        p, s, r = q[i + 1], q[STRIDE + i + 1], q[2 * STRIDE + i + 1]
        t, u = q[3 * STRIDE + i + 1], q[4 * STRIDE + i + 1]
        force = p * g[i] + s * g[CHUNK + i] + r * g[2 * CHUNK + i] + t * g[3 * CHUNK + i] + u * g[4 * CHUNK + i]
        norm = p * p + s * s + r * r + t * t + u * u
        third = trace_of_cube(p, s, r, t, u)
        bulk = (square + quartic * norm) * norm - cube * third - (f0 * p + f1 * s + f2 * r + f3 * t + f4 * u)
        energy += 0.5 * force + weights[i] * bulk
    return energy


@plain
def planar(x, v, params, local, out):
    """The planar-degenerate faces: adds their force at x to out, or with v (not empty) their second derivative along v.

    Returns their energy at x.
    """
    floats, ints = params
    sizes = (ints[MZ], ints[MY], ints[MX])
    nodes = sizes[0] * sizes[1] * sizes[2]
    table = TABLES + 2 * (sizes[1] + sizes[0]) + sizes[0] * sizes[1]
    lines, energy = ints[LINES], 0.0
    for face in range(ints[N_FACES]):
        axis, position = ints[table + 2 * face], ints[table + 2 * face + 1]
        data = floats[ints[FACES] + PLANAR_SIZE * face :][:PLANAR_SIZE]
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
                    energy += planar_node(x, v, at, nodes, w, data, out)
    return energy
