"""Compiled energy and derivatives of the full Landau-de Gennes model on a box, of one elastic constant and of several."""

import numpy as np

from saddlescape.kernels import Kernels, kernel

from . import full_coupled, full_layout, full_passes, full_planar, full_pointwise, full_rows
from .full_passes import weighted_gradient, weighted_hvp

_USED = (full_coupled, full_layout, full_passes, full_planar, full_pointwise, full_rows)


def _kernels(coupled):
    """The kernels; ``coupled``: True for several elastic constants, None for one."""

    @kernel("energy_gradient", uses=_USED)
    def energy_gradient(x, params, out):
        return weighted_gradient(x, params, coupled, None, True, out)

    @kernel("gradient", uses=_USED)
    def gradient(x, params, out):
        weighted_gradient(x, params, coupled, None, None, out)

    @kernel("energy", uses=_USED)
    def energy(x, params):
        return energy_gradient(x, params, np.empty_like(x))

    @kernel("hvp", uses=_USED)
    def hvp(x, v, params, out):
        weighted_hvp(x, v, params, coupled, None, out)

    @kernel("weighted_gradient", uses=_USED)
    def weighted_gradient_kernel(x, params, weights, out):
        weighted_gradient(x, params, coupled, weights, None, out)

    @kernel("weighted_hvp", uses=_USED)
    def weighted_hvp_kernel(x, v, params, weights, out):
        weighted_hvp(x, v, params, coupled, weights, out)

    return Kernels(
        energy=energy,
        energy_gradient=energy_gradient,
        gradient=gradient,
        hvp=hvp,
        weighted_gradient=weighted_gradient_kernel,
        weighted_hvp=weighted_hvp_kernel,
    )


FULL, COUPLED = _kernels(None), _kernels(True)
