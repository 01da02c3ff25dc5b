"""Passes over all nodes of a box that put the terms of the full Landau-de Gennes energy together."""

import numpy as np

from .full_coupled import coupled_force
from .full_layout import BLOCK, CHUNK, E0, MX, MY, MZ, N_FACES, RUN, STRIDE, outer, plain
from .full_planar import planar
from .full_rows import bulk_force, bulk_product, links, node_weights, pull, run_energy


# Arguments that are None are known when a kernel is compiled: what they switch off is left out.
@outer
def weighted_gradient(x, params, coupled, local, energies, out):
    """dE/dx, pointwise terms times ``local`` (nodes,), None: all one; returns E where ``energies`` is not None.

    ``coupled``: whether there are several elastic constants.
    """
    mz, my, mx = params[1][MZ], params[1][MY], params[1][MX]
    nodes, g, w, buffers = mz * my * mx, np.empty(5 * RUN), np.empty(RUN), np.zeros(6 * STRIDE + 7 * CHUNK)
    energy, blocks = params[0][E0], number_of_blocks(my, mx)
    for block in range(blocks):
        first, rows = rows_of_block(block, blocks, my, mx)
        for z in range(mz):
            for number in range(number_of_runs(rows, mx, coupled)):
                start, size = nodes_of_run(number, rows, mx, coupled)
                at = (z * my + first) * mx + start
                node_weights(z, first, start, size, params, local, w)
                bulk_force(x, at, nodes, size, params, w, g)
                if coupled is None:
                    links(x, z, first, start, size, params, g, out)
                else:
                    coupled_force(x, z, first + start // mx, start % mx, size, params, buffers, g, out)
                if energies is not None:
                    energy += run_energy(x, at, nodes, size, params, w, g, out)
            energy -= pull(x, z, first, rows, params, out)
    if params[1][N_FACES] > 0:
        energy += planar(x, x[:0], params, local, out)
    return energy


@outer
def weighted_hvp(x, v, params, coupled, local, out):
    """H(x) v, weighted as the gradient."""
    mz, my, mx = params[1][MZ], params[1][MY], params[1][MX]
    nodes, g, w, buffers = mz * my * mx, np.empty(5 * RUN), np.empty(RUN), np.zeros(6 * STRIDE + 7 * CHUNK)
    blocks = number_of_blocks(my, mx)
    for block in range(blocks):
        first, rows = rows_of_block(block, blocks, my, mx)
        for z in range(mz):
            for number in range(number_of_runs(rows, mx, coupled)):
                start, size = nodes_of_run(number, rows, mx, coupled)
                node_weights(z, first, start, size, params, local, w)
                bulk_product(x, v, (z * my + first) * mx + start, nodes, size, params, w, g)
                if coupled is None:
                    links(v, z, first, start, size, params, g, out)
                else:
                    coupled_force(v, z, first + start // mx, start % mx, size, params, buffers, g, out)
    if params[1][N_FACES] > 0:
        planar(x, v, params, local, out)


# The first and the last row of a plane are blocks of their own: their neighbours are others.


@plain
def number_of_blocks(my, mx):
    """How many blocks of rows a plane has."""
    size = max(BLOCK // mx, 1)
    return 1 if my == 1 else 2 + (my - 2 + size - 1) // size


@plain
def rows_of_block(block, blocks, my, mx):
    """First row and number of rows of a block."""
    size = max(BLOCK // mx, 1)
    first = min(max(1 + (block - 1) * size, 0), my - 1)
    return first, (my if block == blocks - 1 else min(1 + block * size, my - 1)) - first


@plain
def number_of_runs(rows, mx, coupled):
    """How many runs the rows of a block take; those of several elastic constants end with their row."""
    return (rows * mx + RUN - 1) // RUN if coupled is None else rows * ((mx + CHUNK - 1) // CHUNK)


@plain
def nodes_of_run(number, rows, mx, coupled):
    """First node, from the beginning of the block, and number of nodes of a run."""
    if coupled is None:
        return number * RUN, min(RUN, rows * mx - number * RUN)
    row, chunk = divmod(number, (mx + CHUNK - 1) // CHUNK)
    return row * mx + chunk * CHUNK, min(CHUNK, mx - chunk * CHUNK)
