"""The elastic terms of the full Landau-de Gennes energy on boxes: differences along the links of the grid."""

from .full_layout import (
    CHUNK,
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
    RIGHT,
    STIFF,
    STRIDE,
    SURFACE,
    TABLES,
    WEIGHT,
    inner,
    summing,
)


@inner
def gather(u, row, start, size, params, q):
    """The five components of nodes start .. start + size - 1 of a row that begins at ``row``, with their ghosts, into q."""
    ints = params[1]
    mx, nodes = ints[MX], ints[MZ] * ints[MY] * ints[MX]
    for a in range(5):
        line, target = u[a * nodes + row :][:mx], q[a * STRIDE :][:STRIDE]
        piece, middle = line[start : start + size], target[1 : size + 1]
        for i in range(size):
            middle[i] = piece[i]
        for i in range(size + 1, STRIDE):
            target[i] = 0.0
        if start > 0:
            target[0] = line[start - 1]
        elif ints[LEFT] == FIXED:
            target[0] = 0.0
        else:
            target[0] = line[0] if ints[LEFT] == FREE else line[mx - 1]
        if start + size < mx:
            target[size + 1] = line[start + size]
        elif ints[RIGHT] != FIXED:
            target[size + 1] = line[mx - 1] if ints[RIGHT] == FREE else line[0]


@inner
def scatter(g, z, y, start, size, params, pulled, out):
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


@summing
def pull_energy(q, z, y, start, size, params):
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


@inner
def _link_forces(u, at, lower, upper, back, front, factors, weights, qa, ga, count):
    """ga = the force of the links of ``count`` nodes of one component; factors: along x, here, and at the four other neighbours."""
    along, here, f_lower, f_upper, f_back, f_front = factors
    below, above = u[at + lower :][:count], u[at + upper :][:count]
    behind, ahead = u[at + back :][:count], u[at + front :][:count]
    for i in range(count):
        across = here * qa[i + 1] + f_lower * below[i] + f_upper * above[i] + f_back * behind[i] + f_front * ahead[i]
        ga[i] = along * (2.0 * qa[i + 1] - qa[i] - qa[i + 2]) + weights[i] * across


@inner
def stiff(u, z, y, start, size, params, weights, q, g):
    """g (5 chunks) = the force of the link differences on a chunk of row (z, y) of u, gathered in q, whose ghosts are used up."""
    floats, ints = params
    mz, my, mx = ints[MZ], ints[MY], ints[MX]
    nodes, lines = mz * my * mx, ints[LINES]
    yl = floats[lines + 2 * mx + y * LINE :][:LINE]
    zl = floats[lines + 2 * mx + (my + z) * LINE :][:LINE]
    wy, wz = yl[WEIGHT], zl[WEIGHT]
    here = wz * (yl[STIFF + 1] + yl[SURFACE]) + wy * (zl[STIFF + 1] + zl[SURFACE])
    factors = (wy * wz * floats[INVERSE_HX], here, wz * yl[STIFF], wz * yl[STIFF + 2], wy * zl[STIFF], wy * zl[STIFF + 2])
    lower = (z * my + ints[TABLES + y]) * mx + start
    upper = (z * my + ints[TABLES + my + y]) * mx + start
    back = (ints[TABLES + 2 * my + z] * my + y) * mx + start
    front = (ints[TABLES + 2 * my + mz + z] * my + y) * mx + start
    # What a whole chunk reads beyond the end of its row is used by nobody, but it must be there.
    whole = 4 * nodes + max(upper, lower, front, back) + CHUNK <= u.size
    for a in range(5):
        qa, ga = q[a * STRIDE :][:STRIDE], g[a * CHUNK :][:CHUNK]
        if whole:
            _link_forces(u, a * nodes, lower, upper, back, front, factors, weights, qa, ga, CHUNK)
        else:
            _link_forces(u, a * nodes, lower, upper, back, front, factors, weights, qa, ga, size)
        if start == 0:
            ga[0] += floats[lines + mx] * wy * wz * qa[1]
        if start + size == mx:
            ga[size - 1] += floats[lines + 2 * mx - 1] * wy * wz * qa[size]
        qa[size + 1] = 0.0
