"""Landscapes from the bottom: all that lies below an energy ceiling, from one minimum and without a saddle of high index.

A frictionless trajectory leaves the minimum under the ceiling. Where it crosses from one basin into another, the saddle dynamics
takes over. On a field the energy is shared by all unknowns: there the trajectory moves along a few soft modes.

python examples/bottom_up_landscape.py
"""

from saddlescape import DownwardSearch, ECDExplorer, UpwardSearch, explore, plotting
from saddlescape.models import MuellerBrown, ReducedLandauDeGennes


def cost(landscape):
    return sum(search.result.n_gradient for search in landscape.searches)


def main():
    print("Mueller-Brown from its deepest minimum; the barrier out of it is 106.03")
    for ceiling in (100.0, 110.0):
        landscape = explore(MuellerBrown(), searches=ECDExplorer(ceiling), rng=0)
        print(f"  ceiling +{ceiling:g}: points by index {landscape.index_counts()}, {cost(landscape)} gradients")
    deepest, *others = landscape.minima()
    for node in others:
        barrier = landscape.barrier(deepest, node) - landscape.points[deepest].energy
        print(f"  barrier to the minimum at {landscape.points[node].x.round(3)}: {barrier:.4f}")
    plotting.save_figure(landscape, "bottom_up_mueller_brown.png")

    print("Nematic square at lambda^2 = 30 from a diagonal state, along the 4 softest modes")
    model = ReducedLandauDeGennes(33, 30.0)
    explorer = ECDExplorer(15.0, n_steps=2000, modes=4, tries=1, max_runs=1)
    landscape = explore(model, "d", max_index=1, searches=explorer, rng=0)
    print(f"  ceiling +15: points by index {landscape.index_counts()}, {cost(landscape)} gradients")
    landscape.extend(searches=[DownwardSearch(), UpwardSearch(directions=4)], max_index=4)
    print(f"  and upward from there: {landscape.index_counts()}, Euler sum {landscape.euler_characteristic()}")
    plotting.save_figure(landscape, "bottom_up_ldg.png")


if __name__ == "__main__":
    main()
