"""Load a landscape file, look at it, draw it; then read the same file with h5py alone.

python examples/plot_saved.py mueller_brown.h5
"""

import sys
from pathlib import Path

import h5py

from saddlescape import load, plotting


def draw(path):
    landscape = load(path)
    print(landscape)
    print(landscape.completeness().message)
    for index in landscape.index_counts():
        for node in landscape.saddles(index):
            point = landscape.points[node]
            print(f"index {index}  node {node}  energy {point.energy:.6f}  -> {landscape.children(node)}")

    axes = plotting.plot_pathway(landscape, vertical="energy")
    axes.figure.savefig(path.with_suffix(".energy.png"), dpi=150)


def read_plainly(path):
    with h5py.File(path, "r") as file:
        nodes, edges = file["nodes"], file["edges"]
        print("energies", nodes["energy"][:])
        print("indices ", nodes["index"][:])
        print("edges   ", list(zip(edges["parent"][:].tolist(), edges["child"][:].tolist(), strict=True)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python plot_saved.py FILE.h5")
    draw(Path(sys.argv[1]))
    read_plainly(Path(sys.argv[1]))
