"""Two energy models of your own: one with compiled kernels, one from plain functions.

Run this file, or use the compiled model from the command line:
    saddlescape check-model examples/own_model.py:Himmelblau
    saddlescape search examples/own_model.py:Himmelblau --index 1 --start 0 3
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from saddlescape import EnergyModel, Symmetry, as_model, check_model, explore
from saddlescape.kernels import Kernels, kernel

# --- 1. Compiled: numba kernels with fixed signatures -------------------------------------------------------------------------
# Himmelblau's function E = (x^2 + y - a)^2 + (x + y^2 - b)^2, with a and b in params[0].


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    u = x[0] * x[0] + x[1] - params[0][0]
    v = x[0] + x[1] * x[1] - params[0][1]
    out[0] = 4.0 * x[0] * u + 2.0 * v
    out[1] = 2.0 * u + 4.0 * x[1] * v
    return u * u + v * v


@kernel("energy")
def _energy(x, params):
    u = x[0] * x[0] + x[1] - params[0][0]
    v = x[0] + x[1] * x[1] - params[0][1]
    return u * u + v * v


@kernel("gradient")
def _gradient(x, params, out):
    _energy_gradient(x, params, out)


@kernel("hvp")
def _hvp(x, v, params, out):
    mixed = 4.0 * (x[0] + x[1])
    out[0] = (12.0 * x[0] * x[0] + 4.0 * x[1] - 4.0 * params[0][0] + 2.0) * v[0] + mixed * v[1]
    out[1] = mixed * v[0] + (12.0 * x[1] * x[1] + 4.0 * x[0] - 4.0 * params[0][1] + 2.0) * v[1]


@dataclass(frozen=True)
class Himmelblau(EnergyModel):
    """Himmelblau's function: for a = 11 and b = 7 four minima, four saddles and one maximum."""

    a: float = 11.0
    b: float = 7.0

    dim: ClassVar[int] = 2
    coercive: ClassVar[bool] = True
    box: ClassVar[tuple] = ((-5.5, 5.5), (-5.5, 5.5))
    kernels: ClassVar[Kernels] = Kernels(energy=_energy, energy_gradient=_energy_gradient, gradient=_gradient, hvp=_hvp)

    def _parameters(self):
        return (self.a, self.b), ()

    def default_start(self):
        return np.array([-0.27, -0.92])


# --- 2. Plain functions: anything that computes an energy and its gradient ----------------------------------------------------
# Two double wells joined by a spring of stiffness c: E = sum_i (x_i^2 - 1)^2 / 4 + c (x_1 - x_2)^2 / 2.

STIFFNESS = 0.1


def wells_energy(x):
    return float(np.sum((x**2 - 1) ** 2) / 4 + STIFFNESS * (x[0] - x[1]) ** 2 / 2)


def wells_gradient(x):
    return x**3 - x + STIFFNESS * (x - x[::-1])


def coupled_wells():
    # E(-x) = E(x), and the two wells can be exchanged: symmetric copies are then found once and counted by orbit.
    symmetry = Symmetry.generate(2, [([0, 1], -1), ([1, 0], 1)])
    return as_model(wells_energy, wells_gradient, dim=2, symmetry=symmetry, coercive=True)


def main():
    himmelblau = Himmelblau()
    print(check_model(himmelblau))
    print(explore(himmelblau, max_index=2))

    wells = coupled_wells()
    print(check_model(wells))
    print(explore(wells, np.zeros(2), max_index=2))


if __name__ == "__main__":
    main()
