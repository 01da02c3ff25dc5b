"""Passes over all nodes of a box that put the terms of the full Landau-de Gennes energy together."""

import numpy as np

from .full_coupled import coupled_force
from .full_layout import BLOCK, CHUNK, E0, MX, MY, MZ, N_FACES, RUN, STRIDE, plain
from .full_planar import planar
from .full_rows import bulk_force, bulk_product, links, node_weights, pull, run_energy


# Arguments that are None are known when a kernel is compiled: what they switch off is left out.
@plain
def weighted_gradient(x, params, coupled, local, energies, out):
    """dE/dx, pointwise terms times ``local`` (nodes,), None: all one; returns E, where ``energies`` is true and ``local`` None.

    ``coupled``: whether there are several elastic constants.
    """
    mz, my, mx = params[1][MZ], params[1][MY], params[1][MX]
    nodes, g, w = mz * my * mx, np.empty(5 * RUN), np.empty(RUN)
    buffers = np.zeros(6 * STRIDE + 7 * CHUNK)
    energy, y = params[0][E0], 0
    while y < my:
        stop = _end_of_block(y, my)
        for z in range(mz):
            at, start = (z * my + y) * mx, 0
            while start < (stop - y) * mx:
                size = _run_size(coupled, start, (stop - y) * mx, mx)
                node_weights(z, y, start, size, params, local, w)
                bulk_force(x, at + start, nodes, size, params, w, g)
                if coupled is None:
                    links(x, z, y, start, size, params, g, out)
                else:
                    coupled_force(x, z, y + start // mx, start % mx, size, params, buffers, g, out)
                if energies:
                    energy += run_energy(x, at + start, nodes, size, params, w, g, out)
                start += size
            for row in range(y, stop):
                energy -= pull(x, z, row, params, out)
        y = stop
    if params[1][N_FACES] > 0:
        energy += planar(x, x[:0], params, local, out)
    return energy


@plain
def weighted_hvp(x, v, params, coupled, local, out):
    """H(x) v, weighted as the gradient."""
    mz, my, mx = params[1][MZ], params[1][MY], params[1][MX]
    nodes, g, w = mz * my * mx, np.empty(5 * RUN), np.empty(RUN)
    buffers = np.zeros(6 * STRIDE + 7 * CHUNK)
    y = 0
    while y < my:
        stop = _end_of_block(y, my)
        for z in range(mz):
            at, start = (z * my + y) * mx, 0
            while start < (stop - y) * mx:
                size = _run_size(coupled, start, (stop - y) * mx, mx)
                node_weights(z, y, start, size, params, local, w)
                bulk_product(x, v, at + start, nodes, size, params, w, g)
                if coupled is None:
                    links(v, z, y, start, size, params, g, out)
                else:
                    coupled_force(v, z, y + start // mx, start % mx, size, params, buffers, g, out)
                start += size
        y = stop
    if params[1][N_FACES] > 0:
        planar(x, v, params, local, out)


@plain
def _end_of_block(y, my):
    """Rows from y on that are taken through all planes together; the first and the last row have other neighbours."""
    return 1 if y == 0 else my if y == my - 1 else min(y + BLOCK, my - 1)


@plain
def _run_size(coupled, start, stop, mx):
    """Nodes of a run; those of several elastic constants end with their row."""
    return min(RUN, stop - start) if coupled is None else min(CHUNK, mx - start % mx)
