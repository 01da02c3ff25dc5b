"""Elastic terms of several constants on boxes: differences along two axes, which couple the components."""

from .full_layout import (
    CHUNK,
    COUPLINGS,
    FIXED,
    FREE,
    INVERSE_HX,
    LEFT,
    LENGTH,
    LINE,
    LINES,
    MX,
    MY,
    MZ,
    N_COUPLINGS,
    N_FACES,
    RIGHT,
    RUN,
    SLOPE,
    STIFF,
    STRIDE,
    SURFACE,
    TABLES,
    TURNED,
    WEIGHT,
    WRAPPED,
    inner,
)


@inner
def _gather(u, row, start, size, params, q):
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
def _combined(u, at, rows, factors, start, size, mx, ends, sign, d):
    """d (with ghosts) = a combination of a row with its lower and upper neighbour along another axis.

    Beyond free ends of the row lies ``sign`` times the outermost value: 1 for slopes of it, -1 for their transpose.
    """
    first, last = max(start - 1, 0), min(start + size + 1, mx)
    lower, here, upper = u[at + rows[0] :][:mx], u[at + rows[1] :][:mx], u[at + rows[2] :][:mx]
    target = d[first - start + 1 :][: last - first]
    f0, f1, f2 = factors
    for i in range(last - first):
        target[i] = f0 * lower[first + i] + f1 * here[first + i] + f2 * upper[first + i]
    if start == 0:
        d[0] = 0.0 if ends[0] == FIXED else sign * d[1]
        if ends[0] == WRAPPED:
            d[0] = f0 * lower[mx - 1] + f1 * here[mx - 1] + f2 * upper[mx - 1]
    if start + size == mx:
        d[size + 1] = 0.0 if ends[1] == FIXED else sign * d[size]
        if ends[1] == WRAPPED:
            d[size + 1] = f0 * lower[0] + f1 * here[0] + f2 * upper[0]


@inner
def _derivative(kind, u, at, z, y, start, size, params, weights, q, d, e):
    """e = one of the nine second differences of a component, kinds 0 to 8: xx, yy, zz, xy, yx, xz, zx, yz, zy.

    The first letter of a mixed one is the axis whose slope is transposed.
    """
    floats, ints = params
    mz, my, mx = ints[MZ], ints[MY], ints[MX]
    lines, ends = ints[LINES] + 2 * mx, (ints[LEFT], ints[RIGHT])
    yl, zl = floats[lines + y * LINE :][:LINE], floats[lines + (my + z) * LINE :][:LINE]
    ys = (ints[TABLES + y], y, ints[TABLES + my + y])
    zs = (ints[TABLES + 2 * my + z], z, ints[TABLES + 2 * my + mz + z])
    rows_y = ((z * my + ys[0]) * mx, (z * my + y) * mx, (z * my + ys[2]) * mx)
    rows_z = ((zs[0] * my + y) * mx, (z * my + y) * mx, (zs[2] * my + y) * mx)
    wy, wz = yl[WEIGHT], zl[WEIGHT]
    if kind == 0:
        factor = wy * wz * floats[INVERSE_HX]
        for i in range(params[1][LENGTH]):
            e[i] = factor * (2.0 * q[i + 1] - q[i] - q[i + 2])
    elif kind < 3:
        line, rows, across = (yl, rows_y, wz) if kind == 1 else (zl, rows_z, wy)
        _combined(u, at, rows, (line[STIFF], line[STIFF + 1], line[STIFF + 2]), start, size, mx, ends, 0.0, d)
        for i in range(params[1][LENGTH]):
            e[i] = across * weights[i] * d[i + 1]
    elif kind < 7:
        line, rows, across = (yl, rows_y, wz) if kind < 5 else (zl, rows_z, wy)
        # Transposed along x: slope of the other axis, then minus the slope along x; else the other way round.
        turned = kind == 3 or kind == 5
        s = SLOPE if turned else TURNED
        sign = -1.0 if turned else 1.0
        _combined(u, at, rows, (line[s], line[s + 1], line[s + 2]), start, size, mx, ends, sign, d)
        for i in range(params[1][LENGTH]):
            e[i] = 0.5 * sign * across * (d[i + 2] - d[i])
    else:
        s_y, s_z = (TURNED, SLOPE) if kind == 7 else (SLOPE, TURNED)
        for i in range(params[1][LENGTH]):
            e[i] = 0.0
        for k in range(3):
            for j in range(3):
                factor = yl[s_y + j] * zl[s_z + k]
                if factor != 0.0:
                    line_jk = u[at + (zs[k] * my + ys[j]) * mx + start :][:size]
                    for i in range(size):
                        e[i] += factor * weights[i] * line_jk[i]


@inner
def coupled_force(u, z, y, start, size, params, buffers, g, out):
    """out = g (5 runs) + the elastic force on a chunk of row (z, y) of u; buffers: 6 STRIDE + 7 CHUNK numbers.

    Loops over buffers run over the whole chunk: what comes out beyond the end of the row is used by nobody.
    """
    floats, ints = params
    mz, my, mx = ints[MZ], ints[MY], ints[MX]
    nodes, lines, row = mz * my * mx, ints[LINES], (z * my + y) * mx
    yl = floats[lines + 2 * mx + y * LINE :][:LINE]
    zl = floats[lines + 2 * mx + (my + z) * LINE :][:LINE]
    wy, wz = yl[WEIGHT], zl[WEIGHT]
    surface = wz * yl[SURFACE] + wy * zl[SURFACE]
    q, d, e = buffers[: 5 * STRIDE], buffers[5 * STRIDE :][:STRIDE], buffers[6 * STRIDE :][:CHUNK]
    weights, force = buffers[6 * STRIDE + CHUNK :][:CHUNK], buffers[6 * STRIDE + 2 * CHUNK :][: 5 * CHUNK]
    along = floats[lines + start :][:size]
    for i in range(size):
        weights[i] = along[i]
    _gather(u, row, start, size, params, q)
    for a in range(5):
        qa, fa = q[a * STRIDE :][:STRIDE], force[a * CHUNK :][:CHUNK]
        for i in range(ints[LENGTH]):
            fa[i] = surface * weights[i] * qa[i + 1]
        if start == 0:
            fa[0] += floats[lines + mx] * wy * wz * qa[1]
        if start + size == mx:
            fa[size - 1] += floats[lines + 2 * mx - 1] * wy * wz * qa[size]
    table, known = TABLES + 2 * (my + mz) + mz * my + 2 * ints[N_FACES], -1
    for entry in range(ints[N_COUPLINGS]):
        target, source = ints[table + 2 * entry], ints[table + 2 * entry + 1]
        kind, b = source // 5, source % 5
        if source != known:
            _derivative(kind, u, b * nodes, z, y, start, size, params, weights, q[b * STRIDE :][:STRIDE], d, e)
            known = source
        factor, fa = floats[ints[COUPLINGS] + entry], force[target * CHUNK :][:CHUNK]
        for i in range(ints[LENGTH]):
            fa[i] += factor * e[i]
    for a in range(5):
        local, fa, goal = g[a * RUN :][:size], force[a * CHUNK :][:CHUNK], out[a * nodes + row + start :][:size]
        for i in range(size):
            goal[i] = local[i] + fa[i]
