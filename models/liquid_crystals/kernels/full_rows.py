"""Passes over runs of consecutive nodes of a box: links and bulk of the full Landau-de Gennes energy.

A run goes on from row to row of a plane. Loops over it take the node before and the node behind for the neighbours along x, and
what they make of the first and the last node of a row is then written anew: short loops of their own cost more than the arithmetic.
"""

from .full_layout import (
    CUBE,
    ENDS,
    FIXED,
    FREE,
    INVERSE_HX,
    LEFT,
    LINE,
    LINES,
    MX,
    MY,
    MZ,
    QUARTIC,
    RIGHT,
    RUN,
    SQUARE,
    STIFF,
    SURFACE,
    TABLES,
    WEIGHT,
    inner,
    summing,
)
from .full_pointwise import cube_product, cube_slopes


@inner
def node_weights(z, y, start, size, params, local, w):
    """w = weights of the trapezoid rule times ``local`` (nodes,), None: one; ``start``: nodes of the run before the first."""
    floats, ints = params
    mx, lines = ints[MX], ints[LINES]
    across = floats[lines + 2 * mx + y * LINE + WEIGHT] * floats[lines + 2 * mx + (ints[MY] + z) * LINE + WEIGHT]
    along = floats[lines + mx // 2] * across
    if local is None:
        for i in range(size):
            w[i] = along
    else:
        factors = local[(z * ints[MY] + y) * mx + start :][:size]
        for i in range(size):
            w[i] = along * factors[i]
    for end in (0, mx - 1):
        ratio = floats[lines + end] / floats[lines + mx // 2]
        if ratio != 1.0:
            for i in range((end - start) % mx, size, mx):
                w[i] *= ratio


@inner
def bulk_force(x, at, nodes, size, params, weights, g):
    """g (5 runs) = the force of the bulk at nodes at .. at + size - 1."""
    floats = params[0]
    square, cube, quartic = 2.0 * floats[SQUARE], floats[CUBE], 4.0 * floats[QUARTIC]
    x0, x1, x2 = x[at:][:size], x[nodes + at :][:size], x[2 * nodes + at :][:size]
    x3, x4 = x[3 * nodes + at :][:size], x[4 * nodes + at :][:size]
    for i in range(size):
        p, s, r, t, u = x0[i], x1[i], x2[i], x3[i], x4[i]
        c0, c1, c2, c3, c4 = cube_slopes(p, s, r, t, u)
        scale, c = weights[i] * (square + quartic * (p * p + s * s + r * r + t * t + u * u)), weights[i] * cube
        g[i] = scale * p - c * c0
        g[RUN + i] = scale * s - c * c1
        g[2 * RUN + i] = scale * r - c * c2
        g[3 * RUN + i] = scale * t - c * c3
        g[4 * RUN + i] = scale * u - c * c4


@inner
def bulk_product(x, v, at, nodes, size, params, weights, g):
    """g (5 runs) = the second derivative of the bulk at x along v."""
    floats = params[0]
    square, cube, quartic = 2.0 * floats[SQUARE], floats[CUBE], 4.0 * floats[QUARTIC]
    # With the direction where the result will be there are few enough arrays for the compiler to ask whether they overlap.
    for a in range(5):
        direction, target = v[a * nodes + at :][:size], g[a * RUN :][:size]
        for i in range(size):
            target[i] = direction[i]
    x0, x1, x2 = x[at:][:size], x[nodes + at :][:size], x[2 * nodes + at :][:size]
    x3, x4 = x[3 * nodes + at :][:size], x[4 * nodes + at :][:size]
    for i in range(size):
        p, s, r, t, u = x0[i], x1[i], x2[i], x3[i], x4[i]
        vp, vs, vr, vt, vu = g[i], g[RUN + i], g[2 * RUN + i], g[3 * RUN + i], g[4 * RUN + i]
        c0, c1, c2, c3, c4 = cube_product(p, s, r, t, u, vp, vs, vr, vt, vu)
        b = weights[i]
        scale, c = b * (square + quartic * (p * p + s * s + r * r + t * t + u * u)), b * cube
        twice = 2.0 * b * quartic * (p * vp + s * vs + r * vr + t * vt + u * vu)
        g[i] = scale * vp + twice * p - c * c0
        g[RUN + i] = scale * vs + twice * s - c * c1
        g[2 * RUN + i] = scale * vr + twice * r - c * c2
        g[3 * RUN + i] = scale * vt + twice * t - c * c3
        g[4 * RUN + i] = scale * vu + twice * u - c * c4


@summing
def run_energy(x, at, nodes, size, params, weights, g, out):
    """Half the quadratic energy plus the bulk energy of a run.

    out: the force of both, g: that of the bulk. With S2, S3, S4 the terms of the bulk, q.g = 2 S2 + 3 S3 + 4 S4, so that
    S2 + S3 + S4 = (q.g + S2 - S4) / 3.
    """
    square, quartic = params[0][SQUARE], params[0][QUARTIC]
    x0, x1, x2 = x[at:][:size], x[nodes + at :][:size], x[2 * nodes + at :][:size]
    x3, x4 = x[3 * nodes + at :][:size], x[4 * nodes + at :][:size]
    f0, f1, f2 = out[at:][:size], out[nodes + at :][:size], out[2 * nodes + at :][:size]
    f3, f4 = out[3 * nodes + at :][:size], out[4 * nodes + at :][:size]
    energy = 0.0
    for i in range(size):
        p, s, r, t, u = x0[i], x1[i], x2[i], x3[i], x4[i]
        norm = p * p + s * s + r * r + t * t + u * u
        work = p * f0[i] + s * f1[i] + r * f2[i] + t * f3[i] + u * f4[i]
        local = p * g[i] + s * g[RUN + i] + r * g[2 * RUN + i] + t * g[3 * RUN + i] + u * g[4 * RUN + i]
        energy += 0.5 * work + (weights[i] * (square - quartic * norm) * norm - 0.5 * local) / 3.0
    return energy


@inner
def _run_of_links(u, at, first, size, steps, factors, g, out):
    """out = g + the force of the links of nodes at + first .. at + size - 1 of one component, as if all were inside their row."""
    lower, upper, back, front = steps
    along, here, f_lower, f_upper, f_back, f_front = factors
    count = size - first
    start = at + first
    left, middle, right = u[start - 1 :][:count], u[start:][:count], u[start + 1 :][:count]
    below, above = u[start + lower :][:count], u[start + upper :][:count]
    behind, ahead = u[start + back :][:count], u[start + front :][:count]
    local, target = g[first:][:count], out[start:][:count]
    for i in range(count):
        across = f_lower * below[i] + f_upper * above[i] + f_back * behind[i] + f_front * ahead[i]
        target[i] = local[i] + (here * middle[i] + across - along * (left[i] + right[i]))


@inner
def links(u, z, y, start, size, params, g, out):
    """out = g (5 runs) + the force of the link differences on a run, ``start`` nodes after the beginning of row (z, y)."""
    floats, ints = params
    mz, my, mx = ints[MZ], ints[MY], ints[MX]
    nodes, lines = mz * my * mx, ints[LINES]
    yl = floats[lines + 2 * mx + y * LINE :][:LINE]
    zl = floats[lines + 2 * mx + (my + z) * LINE :][:LINE]
    wy, wz = yl[WEIGHT], zl[WEIGHT]
    along = wy * wz * floats[INVERSE_HX]
    here = wz * (yl[STIFF + 1] + yl[SURFACE]) + wy * (zl[STIFF + 1] + zl[SURFACE])
    steps = (
        (ints[TABLES + y] - y) * mx,
        (ints[TABLES + my + y] - y) * mx,
        (ints[TABLES + 2 * my + z] - z) * my * mx,
        (ints[TABLES + 2 * my + mz + z] - z) * my * mx,
    )
    w = floats[lines + mx // 2]
    lower, upper, back, front = wz * yl[STIFF], wz * yl[STIFF + 2], wy * zl[STIFF], wy * zl[STIFF + 2]
    factors = (along, 2.0 * along + w * here, w * lower, w * upper, w * back, w * front)
    row = (z * my + y) * mx + start
    for a in range(5):
        at = a * nodes + row
        # The first and the last node of all have no neighbour in memory.
        first, last = int(at == 0), int(at + size == 5 * nodes)
        _run_of_links(u, at, first, size - last, steps, factors, g[a * RUN :][:size], out)
    inside = row > 0 and row + size < nodes
    for end in range(2 if mx > 1 else 1):
        place = (mx - 1) * end
        weight, surface = floats[lines + place], floats[lines + mx + place] * wy * wz
        condition, other = (ints[RIGHT], 1 - mx) if end else (ints[LEFT], mx - 1)
        beyond = 1 if end else -1
        if mx > 1 and inside and weight == w and surface == 0.0:
            for a in range(5):
                for i in range((place - start) % mx, size, mx):
                    at = a * nodes + row + i
                    out[at] += along * (u[at + beyond] - _beyond(u, at, other, condition))
            continue
        for a in range(5):
            for i in range((place - start) % mx, size, mx):
                at = a * nodes + row + i
                q = u[at]
                left = u[at - 1] if place > 0 else _beyond(u, at, mx - 1, ints[LEFT])
                right = u[at + 1] if place < mx - 1 else _beyond(u, at, 1 - mx, ints[RIGHT])
                across = here * q + lower * u[at + steps[0]] + upper * u[at + steps[1]]
                across += back * u[at + steps[2]] + front * u[at + steps[3]]
                out[at] = g[a * RUN + i] + along * (2.0 * q - left - right) + weight * across + surface * q


@inner
def _beyond(u, at, other, condition):
    """What lies beyond the end of a row at ``at``: zero, the last value again, or that at the other end, ``other`` nodes away."""
    return 0.0 if condition == FIXED else u[at] if condition == FREE else u[at + other]


@inner
def pull(x, z, first, rows, params, out):
    """Takes the pull of the fixed boundary on rows (z, first) .. (z, first + rows - 1) from out, and returns its work."""
    floats, ints = params
    mz, my, mx = ints[MZ], ints[MY], ints[MX]
    nodes, work = mz * my * mx, 0.0
    for row in range(z * my + first, z * my + first + rows):
        dense, sides = ints[TABLES + 2 * (my + mz) + row], ints[ENDS] + 10 * row
        for a in range(5):
            at = a * nodes + row * mx
            if dense >= 0:
                for i in range(mx):
                    out[at + i] -= floats[dense + a * mx + i]
                    work += floats[dense + a * mx + i] * x[at + i]
            else:
                left, right, last = floats[sides + 2 * a], floats[sides + 2 * a + 1], at + mx - 1
                out[at] -= left
                out[last] -= right
                work += left * x[at] + right * x[last]
    return work
