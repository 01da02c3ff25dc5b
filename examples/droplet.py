"""A nematic droplet with homeotropic anchoring: the radial hedgehog, and what it splits into where the droplet is cold.

Every state but the hedgehog has an axis that may point anywhere: such a family of rotated states is one node of the landscape, with
the nullity that the rotations give it.

python examples/droplet.py [NODES ON A DIAMETER]
"""

import sys

import numpy as np
from matplotlib.figure import Figure

from saddlescape import HiSD, explore, plotting, search
from saddlescape.models import LandauDeGennes
from saddlescape.models.liquid_crystals import Ball

LAMBDA2 = 60.0
TEMPERATURES = (-9.0, -7.0, -5.0, -3.0, -1.0)  # reduced: the nematic-isotropic transition is at 1


def droplet(n, temperature):
    return LandauDeGennes(n, LAMBDA2, domain=Ball(), anchoring="homeotropic", temperature=temperature)


def hedgehog(n, temperature):
    """The certified index of the radial hedgehog, and its lowest eigenvalue."""
    model = droplet(n, temperature)
    point = search(model, model.start("radial"), HiSD(5)).point
    return point.index, point.eigenvalues[0]


def upright(fields):
    """The fields of an axially symmetric state, turned so that its axis is z."""
    n = fields["director"]
    mean = np.einsum("k,ki,kj->ij", fields["order"], n, n)
    values, vectors = np.linalg.eigh(mean)
    axis = 2 if values[2] - values[1] > values[1] - values[0] else 0  # the eigenvalue that stands alone
    turn = np.roll(vectors, 2 - axis, axis=1)
    return {**fields, "nodes": fields["nodes"] @ turn, "director": n @ turn}


def main():
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    landscape = explore(droplet(n, TEMPERATURES[0]), rng=0)
    print(f"Droplet at lambda^2 = {LAMBDA2:g}, temperature {TEMPERATURES[0]:g}: {len(landscape.points)} families of states")
    figure = Figure(figsize=(3.6 * (len(landscape.points) + 1), 3.4), layout="constrained")
    axes = figure.subplots(1, len(landscape.points) + 1)
    for node, (point, ax) in enumerate(zip(landscape.points, axes, strict=False)):
        print(f"  energy {point.energy:.3f}: index {point.index}, nullity {point.nullity}")
        fields = landscape.model.unpack(point.x)
        plotting.plot_state(plotting.cut(upright(fields) if point.nullity else fields, "y"), ax=ax, colour="biaxiality")
        ax.set_title(f"node {node}: index {point.index}, nullity {point.nullity}", fontsize=9)

    print("The radial hedgehog on the way to warmer droplets")
    rows = [hedgehog(n, temperature) for temperature in TEMPERATURES]
    for temperature, (index, lowest) in zip(TEMPERATURES, rows, strict=True):
        print(f"  temperature {temperature:4g}: index {index}, lowest eigenvalue {lowest:7.3f}")
    axes[-1].plot(TEMPERATURES, [lowest for _, lowest in rows], "o-", color="black")
    axes[-1].axhline(0.0, color="0.75", linewidth=0.8)
    axes[-1].set(xlabel="reduced temperature", ylabel="lowest eigenvalue of the hedgehog")
    figure.savefig("droplet.png", dpi=150)


if __name__ == "__main__":
    main()
