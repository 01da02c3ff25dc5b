"""Planar-degenerate faces of the full Landau-de Gennes energy on boxes."""

from .full_layout import FACES, LINE, LINES, MX, MY, MZ, N_FACES, TABLES, plain
from .full_pointwise import PLANAR_SIZE, planar_node


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
