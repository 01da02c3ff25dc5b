"""Energy-conserving descent on the functions it was published with, and below and above a barrier.

python examples/energy_conserving.py [RUNS]
"""

import sys
import warnings

import numpy as np

from saddlescape import BBI, ECDSep, GradientFlow, plotting, search, search_many
from saddlescape.models import Ackley, MuellerBrown, Zakharov


def zakharov():
    """As published: the energy falls by 40 orders of magnitude, without friction, because motion slows down near the floor."""
    with warnings.catch_warnings():
        # On the first steps down from 6e5 the published step is too long to conserve the energy, and saddlescape says so.
        warnings.simplefilter("ignore")
        result = search(Zakharov(10), np.ones(10), BBI(1e-22, step=0.0026036721489343054), max_steps=2500)
    print(f"Zakharov: {result.energy:.1e} after {result.n_steps} steps")


def ackley(n_runs):
    """A shallow funnel under a lattice of minima: chaos and bounces carry a trajectory on until it finds the tip."""
    model = Ackley(2, coefficient=0.02)
    ceiling = model.energy(model.default_start()) + 2.0
    methods = {
        "BBI, as published": BBI(
            1e-4, step=0.009649484068918336, ceiling=ceiling, bounce_every=20, n_bounces=4, stall_bounce=100, bounce="uniform"
        ),
        "ECDSep": ECDSep(1e-4, step=0.05, ceiling=ceiling),
    }
    for name, method in methods.items():
        runs = search_many(model, n_runs, method, n_steps=20_000, level=5e-4, rng=0, workers=2)
        print(f"Ackley, {name}: {runs.success.sum()} of {n_runs} runs came below 5e-4 within 20000 steps")


def barrier():
    """From the lowest minimum of Mueller-Brown, whose barrier is 106.03: a ceiling below it, and one above."""
    model = MuellerBrown()
    minimum = search(model, model.default_start(), GradientFlow()).point
    for budget in (100.0, 150.0):
        method = ECDSep(minimum.energy - 1.0, ceiling=minimum.energy + budget, step=0.01)
        result = search(model, minimum.x, method, max_steps=20_000, rng=1, trajectory=True)
        ends = [search(model, x, GradientFlow()).energy for x in result.trajectory.x[::200]]
        visited = np.unique(np.round(ends, 4))
        print(f"Mueller-Brown, ceiling +{budget:g}: minima at {', '.join(f'{energy:.4f}' for energy in visited)}")
    axes = plotting.plot_trajectory(result)
    axes.figure.savefig("energy_conserving.png", dpi=150)


if __name__ == "__main__":
    zakharov()
    ackley(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
    barrier()
