"""The bifurcation diagram of a nematic in a square well, from the one state of a small well.

python examples/bifurcation_diagram.py
"""

from matplotlib.figure import Figure

from saddlescape import follow, plotting
from saddlescape.models import ReducedLandauDeGennes

# By id, in the order in which they are found: what leaves the first critical value of the first state, and so on.
NAMES = {0: "WORS", 1: "D", 2: "BD", 7: "R", 9: "J"}


def main():
    model = ReducedLandauDeGennes(n=33, lambda2=5.0)
    diagram = follow(model.start("wors"), "lambda2", [5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 40.0], model=model, branches=True)

    print(diagram)
    print(diagram.report())
    for value in diagram.values:
        print(f"lambda2 = {value:g}: {diagram.index_counts(value)}, Euler sum {diagram.euler_characteristic(value)}")

    def order_in_the_centre(x):
        return model.unpack(x)["order"][model.n // 2, model.n // 2]

    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    plotting.plot_bifurcation(diagram, left, measure="excess", names=NAMES)
    plotting.plot_bifurcation(diagram, right, measure=order_in_the_centre, names=NAMES, legend=False)
    for axes in (left, right):
        axes.set_xlabel(r"$\lambda^2$")
    figure.savefig("bifurcation_diagram.png", dpi=200)
    diagram.save("bifurcation_diagram.h5")
    diagram.to_csv("bifurcation_diagram.csv")


if __name__ == "__main__":
    main()
