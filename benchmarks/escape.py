"""Index-1 searches from regions where deterministic saddle dynamics has a hard time: HiSD and, with noise of several sizes, SHiSD.

A search succeeds if it ends at a certified index-1 saddle, whichever, within the budget of steps; Newton's method finishes all
searches alike, once they are near. The starts, on grids over the model's box:

* all: the nodes of a grid;
* convex: those where the lowest eigenvalue of the Hessian is positive, so that the direction to climb is not an unstable one;
* stalled: those from which plain HiSD with the short step below does not succeed. Its own column is 0 there by definition;
* crossing: nodes of a finer grid where the two eigenvalues differ by less than a fifth of the larger |eigenvalue|, so that the
  direction turns quickly. In the plane eigenvalues cross at single points, which a coarse grid misses.

Plain HiSD: the short step is a fifth of 1 / L, L the largest |eigenvalue| at the start and at the model's index-1 saddles; the
stable step is 1 / L at the start. Default HiSD: Barzilai-Borwein steps, with its rescues. SHiSD: additive noise on every entry of
gradient and Hessian, of standard deviation s times the median of their |entries| over the nodes that lie below the highest known
stationary point, with the same short step (s = 0 shows what the frame alone does: it follows by Oja's rule, and is exact for HiSD),
and with estimated steps.
"""

from __future__ import annotations

import numpy as np
from timing import machine, parser, table

from saddlescape import EnergyModel, HiSD, NoisyModel, SHiSD, search_many
from saddlescape.models import Butterfly, ModifiedMuellerBrown, MuellerBrown
from saddlescape.models.known import known_points
from saddlescape.parts import Constant, FixedStep

NOISE = (0.0, 0.03, 0.1, 0.3, 1.0)
ESTIMATED = 0.1  # noise of the searches with estimated steps
CLOSE = 0.2
FINE = 161  # nodes per axis of the finer grid
SHORT = 0.2


def hessian(model: EnergyModel, x: np.ndarray) -> np.ndarray:
    """From its products with the unit vectors, (n, n)."""
    return np.array([model.hvp(x, e) for e in np.eye(model.dim)])


def grid(model: EnergyModel, size: int) -> np.ndarray:
    """The nodes of a grid over the model's box, (size^2, 2)."""
    axes = [np.linspace(low, high, size) for low, high in model.box]
    return np.array(np.meshgrid(*axes)).reshape(2, -1).T.copy()


def crossings(model: EnergyModel, most: int) -> np.ndarray:
    """Nodes of the finer grid where the eigenvalues nearly cross, thinned out to at most so many, (R, 2)."""
    nodes = grid(model, FINE)
    values = np.array([np.linalg.eigvalsh(hessian(model, x)) for x in nodes])
    chosen = np.flatnonzero(values[:, 1] - values[:, 0] < CLOSE * np.abs(values).max(axis=1))
    return nodes[chosen[:: -(-chosen.size // most)]]


def succeeded(model: EnergyModel, x: np.ndarray, method: HiSD | SHiSD, n_steps: int, repetitions: int = 1) -> float:
    """Part of the searches from x (n,) that succeeded."""
    return search_many(model, repetitions, method, start=x, n_steps=n_steps, polish=True).success_fraction


def noisy_models(model: EnergyModel, starts: np.ndarray, highest: float) -> dict[float, NoisyModel]:
    """The model with noise of each size; ``highest``: energy up to which derivatives set the scale."""
    low = [x for x in starts if model.energy(x) <= highest]
    slope = float(np.median([np.abs(model.gradient(x)) for x in low]))
    bend = float(np.median([np.abs(hessian(model, x)) for x in low]))
    return {s: NoisyModel(model, s * slope, s * bend) for s in (*NOISE, ESTIMATED)}


def rows(model: EnergyModel, size: int, most: int, n_steps: int, repetitions: int) -> list[list]:
    """The success of every method in every region."""
    name, starts = type(model).__name__, grid(model, size)
    known = known_points(name)
    least = max(np.abs(np.linalg.eigvalsh(hessian(model, p["x"]))).max() for p in known if p["index"] == 1)
    noisy = noisy_models(model, starts, max(p["energy"] for p in known))
    coarse = len(starts)
    starts = np.concatenate([starts, crossings(model, most)])
    values = np.array([np.linalg.eigvalsh(hessian(model, x)) for x in starts])
    found = []
    for x, sizes in zip(starts, np.abs(values).max(axis=1), strict=True):
        short = SHORT / max(least, sizes)
        deterministic = HiSD(1, step=FixedStep(size=short)), HiSD(1, step=FixedStep()), HiSD(1)
        stochastic = [(noisy[s], SHiSD(1, Constant(short))) for s in NOISE] + [(noisy[ESTIMATED], SHiSD(1))]
        found.append(
            [succeeded(model, x, method, n_steps) for method in deterministic]
            + [succeeded(source, x, method, n_steps, repetitions) for source, method in stochastic]
        )
    columns = np.transpose(found)
    on_grid = np.arange(len(starts)) < coarse
    regions = {
        "all": on_grid,
        "convex": on_grid & (values[:, 0] > 0.0),
        "stalled": on_grid & (columns[0] == 0.0),
        "crossing": ~on_grid,
    }
    return [
        [f"{name}, {region}", np.count_nonzero(chosen), *(percent(column[chosen]) for column in columns)]
        for region, chosen in regions.items()
    ]


def percent(parts: np.ndarray) -> str:
    """Their mean."""
    return f"{100.0 * parts.mean():.0f} %" if parts.size else "-"


def main() -> None:
    """Print the table."""
    quick = parser(__doc__.splitlines()[0]).parse_args().quick
    print(machine(), flush=True)
    size, most, n_steps, repetitions = (5, 4, 300, 1) if quick else (21, 60, 5000, 2)
    models = Butterfly(), MuellerBrown(), ModifiedMuellerBrown()
    found = [row for model in models for row in rows(model, size, most, n_steps, repetitions)]
    columns = ["region", "starts", "short steps", "stable steps", "default"]
    columns += [*(f"SHiSD s = {s:g}" for s in NOISE), f"estimated, s = {ESTIMATED:g}"]
    print(table(f"searches that end at a certified index-1 saddle within {n_steps} steps", columns, found))


if __name__ == "__main__":
    main()
