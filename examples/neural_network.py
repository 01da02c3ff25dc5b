"""Saddles of the loss of a small neural network, from mini-batches: how high they lie, by Morse index.

python examples/neural_network.py
"""

import numpy as np

from saddlescape import SHiSD, search
from saddlescape.models import TanhNetwork
from saddlescape.parts import Constant

N_STARTS = 8
SPREAD = 0.5  # standard deviation of the weights that a search starts with


def main():
    model = TanhNetwork(batch=50)  # 9 weights; each step sees 50 of the 150 flowers
    found = {}
    for index in range(3):
        for seed in range(N_STARTS):
            start = model.default_start() + SPREAD * np.random.default_rng(seed).standard_normal(model.dim)
            result = search(model, start, SHiSD(index=index, step=Constant(0.2)), rng=seed, max_steps=4_000)
            if result.success:  # the average was near enough for Newton's method, and the point is certified
                point = result.point
                found.setdefault((point.index, round(point.energy, 6)), []).append(point)

    print("index  loss      lowest eigenvalues             found")
    for (index, loss), points in sorted(found.items()):
        values = " ".join(f"{value:+.5f}" for value in points[0].eigenvalues[:3])
        print(f"{index:5}  {loss:.6f}  {values}  {len(points)} times")
    print(f"{sum(map(len, found.values()))} of {3 * N_STARTS} searches ended at a certified point of the index they looked for")


if __name__ == "__main__":
    main()
