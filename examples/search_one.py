"""One search for one saddle: its path, its certificate, its cost.

python examples/search_one.py
"""

import numpy as np

from saddlescape import HiSD, plotting, search
from saddlescape.models import MuellerBrown


def main():
    model = MuellerBrown()
    result = search(model, np.array([0.15, 0.35]), HiSD(index=1), rng=0, trajectory=True)

    print(result.message)
    print(result.point)
    print("eigenvalues ", result.point.eigenvalues)
    print("unstable    ", result.point.unstable)
    print("certificate ", result.point.certificate)
    print(f"cost         {result.n_steps} steps, {result.n_gradient} gradients, {result.n_hvp} Hessian-vector products")

    axes = plotting.plot_contour(model, trajectories=[result.trajectory])
    axes.figure.savefig("search_one.png", dpi=150)


if __name__ == "__main__":
    main()
