"""Passes over all nodes of a box that put the terms of the full Landau-de Gennes energy together."""

import numpy as np

from .full_coupled import coupled_force
from .full_layout import BLOCK, CHUNK, E0, MX, MY, MZ, N_FACES, STRIDE, outer
from .full_links import gather, pull_energy, scatter, stiff
from .full_nodes import bulk_force, bulk_product, chunk_energy, planar, pointwise


# Arguments that are None are known when a kernel is compiled: what they switch off is left out.
@outer
def weighted_gradient(x, params, coupled, local, energies, out):
    """dE/dx, pointwise terms times ``local`` (nodes,), None: all one; returns E where ``energies`` is not None.

    ``coupled``: whether there are several elastic constants.
    """
    mz, my, mx = params[1][MZ], params[1][MY], params[1][MX]
    q, g, w = np.zeros(5 * STRIDE), np.zeros(5 * CHUNK), np.zeros(3 * CHUNK)
    scaled, along, buffer = w[CHUNK:], w[2 * CHUNK :], np.zeros(2 * STRIDE)
    energy = params[0][E0]
    for block in range(0, my, BLOCK):
        for z in range(mz):
            for y in range(block, min(block + BLOCK, my)):
                for start in range(0, mx, CHUNK):
                    size = min(CHUNK, mx - start)
                    gather(x, (z * my + y) * mx, start, size, params, q)
                    pointwise(z, y, start, size, params, local, w)
                    if coupled is not None:
                        coupled_force(x, z, y, start, size, params, along, q, g, buffer)
                    else:
                        stiff(x, z, y, start, size, params, along, q, g)
                    if energies is not None:
                        energy += chunk_energy(q, g, params, w) - pull_energy(q, z, y, start, size, params)
                    bulk_force(q, params, w, w if local is None else scaled, g)
                    scatter(g, z, y, start, size, params, 1.0, out)
    if params[1][N_FACES] > 0:
        energy += planar(x, x[:0], params, local, out)
    return energy


@outer
def weighted_hvp(x, v, params, coupled, local, out):
    """H(x) v, weighted as the gradient."""
    mz, my, mx = params[1][MZ], params[1][MY], params[1][MX]
    q, p, g, w = np.zeros(5 * STRIDE), np.zeros(5 * STRIDE), np.zeros(5 * CHUNK), np.zeros(3 * CHUNK)
    scaled, along, buffer = w[CHUNK:], w[2 * CHUNK :], np.zeros(2 * STRIDE)
    for block in range(0, my, BLOCK):
        for z in range(mz):
            for y in range(block, min(block + BLOCK, my)):
                for start in range(0, mx, CHUNK):
                    size = min(CHUNK, mx - start)
                    gather(x, (z * my + y) * mx, start, size, params, q)
                    gather(v, (z * my + y) * mx, start, size, params, p)
                    pointwise(z, y, start, size, params, local, w)
                    if coupled is not None:
                        coupled_force(v, z, y, start, size, params, along, p, g, buffer)
                    else:
                        stiff(v, z, y, start, size, params, along, p, g)
                    bulk_product(q, p, params, w if local is None else scaled, g)
                    scatter(g, z, y, start, size, params, 0.0, out)
    if params[1][N_FACES] > 0:
        planar(x, v, params, local, out)
