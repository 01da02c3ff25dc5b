"""Compiled energy and derivatives of the full Landau-de Gennes model on a box, one elastic constant."""

import numpy as np

from saddlescape.kernels import Kernels, kernel

from . import full_coupled, full_layout, full_links, full_nodes, full_passes, full_pointwise
from .full_passes import weighted_gradient, weighted_hvp

_USED = (full_coupled, full_layout, full_links, full_nodes, full_passes, full_pointwise)


@kernel("gradient", uses=_USED)
def _gradient(x, params, out):
    weighted_gradient(x, params, None, None, None, out)


@kernel("energy_gradient", uses=_USED)
def _energy_gradient(x, params, out):
    return weighted_gradient(x, params, None, None, True, out)


@kernel("energy", uses=_USED)
def _energy(x, params):
    return _energy_gradient(x, params, np.empty_like(x))


@kernel("hvp", uses=_USED)
def _hvp(x, v, params, out):
    weighted_hvp(x, v, params, None, None, out)


@kernel("weighted_gradient", uses=_USED)
def _weighted_gradient_kernel(x, params, weights, out):
    weighted_gradient(x, params, None, weights, None, out)


@kernel("weighted_hvp", uses=_USED)
def _weighted_hvp_kernel(x, v, params, weights, out):
    weighted_hvp(x, v, params, None, weights, out)


FULL = Kernels(
    energy=_energy,
    energy_gradient=_energy_gradient,
    gradient=_gradient,
    hvp=_hvp,
    weighted_gradient=_weighted_gradient_kernel,
    weighted_hvp=_weighted_hvp_kernel,
)
