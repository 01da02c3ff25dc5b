"""How the solution landscape of a nematic in a square well grows with the well, from 3 points to 33.

python examples/square_landscapes.py
"""

from saddlescape import explore, plotting
from saddlescape.models import ReducedLandauDeGennes


def main():
    landscapes = {}
    for lambda2 in (7.0, 10.0, 15.0, 20.0, 30.0, 40.0):
        landscape = explore(ReducedLandauDeGennes(n=33, lambda2=lambda2), "wors", rng=0)
        print(f"lambda2 = {lambda2:g}: {landscape.index_counts()}, Euler sum {landscape.euler_characteristic()}")
        landscapes[rf"$\lambda^2 = {lambda2:g}$"] = landscape
    plotting.plot_pathways(landscapes).figure.savefig("square_landscapes.png", dpi=200)


if __name__ == "__main__":
    main()
