"""Energy-conserving descent: steps a second in two dimensions, a step on a field in gradients, many trajectories at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from timing import duration, in_turns, machine, parser, ratio, table

from saddlescape import BBI, ECDSep, EnergyModel, Isokinetic, SearchResult, Status, search, search_many
from saddlescape.kernels import FLOAT, FUNCTION_TYPES, INT, PARAMS, VECTOR, solver_kernel
from saddlescape.landscape.ensemble import Ensemble
from saddlescape.models import Ackley, MuellerBrown, MultiBasin, ReducedLandauDeGennes

# Floor, ceiling, steps of BBI and of the others, for trajectories in the middle of the landscape.
PLANES = {
    "Mueller-Brown": (MuellerBrown(), -150.0, -36.0, 0.0005, 0.01),
    "multi-basin": (MultiBasin(), -1.0, 44.3, 0.01, 0.05),
    "Ackley": (Ackley(2, 0.02), -0.1, 3.4, 0.01, 0.05),
}
PUBLISHED = BBI(1e-3, step=1e-2, bounce_every=20, n_bounces=1, stall_bounce=750, bounce="uniform")


def repeated(energy_gradient: Any, params: Any, x: np.ndarray, out: np.ndarray, n: int) -> float:
    """The sum of n energies at one point, each with its gradient."""
    total = 0.0
    for _ in range(n):
        total += energy_gradient(x, params, out)
    return total


def methods(floor: float, ceiling: float, bbi_step: float, step: float, **changes: Any) -> dict[str, BBI | ECDSep | Isokinetic]:
    """The three methods, the last two also with the noise that is the default."""
    return {
        "BBI": BBI(floor, step=bbi_step, ceiling=ceiling, **changes),
        "ECDSep": ECDSep(floor, step=step, ceiling=ceiling, decoherence=None, **changes),
        "ECDSep, noise": ECDSep(floor, step=step, ceiling=ceiling, **changes),
        "Isokinetic": Isokinetic(floor, step=step, decoherence=None, **changes),
        "Isokinetic, noise": Isokinetic(floor, step=step, **changes),
    }


def gradients(model: EnergyModel, x: np.ndarray, n: int) -> Callable[[], float]:
    """A function that calls the kernel of energy and gradient n times, at one point."""
    loop = solver_kernel(FLOAT(FUNCTION_TYPES["energy_gradient"], PARAMS, VECTOR, VECTOR, INT))(repeated)
    pointer, params, out = model.kernels.pointers[0], model.params, np.empty(model.dim)
    return lambda: loop(pointer, params, x, out, n)


def trajectory(model: EnergyModel, x: np.ndarray, method: Any, n: int) -> Callable[[], SearchResult]:
    """A function that makes n steps."""
    return lambda: search(model, x, method, max_steps=n, rng=0)


def measured(model: EnergyModel, x: np.ndarray, ways: dict[str, tuple[Any, int]], n: int, repetitions: int) -> list[list]:
    """A row for each method with its number of steps: their time alone and in gradients, timed in turns with n of these."""
    cases = {"gradient": gradients(model, x, n)}
    cases |= {name: trajectory(model, x, method, steps) for name, (method, steps) in ways.items()}
    found = in_turns(cases, repetitions)
    unit = found["gradient"].median / n
    rows = []
    for name in ways:
        result = found[name].value
        step = found[name].median / result.n_steps
        rows.append([
            name, result.n_steps, duration(step), f"{1e-6 / step:.2g}", duration(unit), ratio(step / unit),
            f"{result.descent.max_correction:.0e}",
        ])  # fmt: skip
    return rows


COLUMNS = ["", "steps", "time of a step", "10^6 steps/s", "of a gradient", "step / gradient", "energy off by"]


def planes(repetitions: int, n_steps: int) -> str:
    """Time of a step in two dimensions."""
    rows = []
    for name, (model, *levels) in PLANES.items():
        ways = {f"{name}, {method}": (value, n_steps) for method, value in methods(*levels).items()}
        rows += measured(model, model.default_start(), ways, n_steps, repetitions)
    title = "Two unknowns, compiled: time of a search by its number of steps, and of a gradient kernel called as often"
    return table(title, COLUMNS, rows)


def field(repetitions: int, n: int, n_steps: int) -> str:
    """Time of a step on a field, in the mass (compiled) and in the metric of the preconditioner (interpreted)."""
    model = ReducedLandauDeGennes(n, 30.0)
    x = model.start("d")
    energy = model.energy(x)
    levels = energy - model.dim, energy + 0.05 * model.dim
    ways: dict[str, tuple[Any, int]] = {
        name: (method, n_steps) for name, method in methods(*levels, 0.001, 0.05, preconditioned=False).items()
    }
    for name, method in methods(*levels, 0.001, 0.05).items():
        ways[f"{name}, preconditioned"] = method, max(n_steps // 20, 20)
    rows = measured(model, x, ways, n_steps, repetitions)
    return table(f"Landau-de Gennes {n}x{n}, lambda2 = 30, {model.dim} unknowns", COLUMNS, rows)


def together(repetitions: int, n_runs: int, n_steps: int) -> str:
    """Wall time of many trajectories at once, each until it comes to the floor."""

    def runs(workers: int) -> Ensemble:
        return search_many(MultiBasin(), n_runs, PUBLISHED, n_steps=n_steps, workers=workers, rng=0)

    found = in_turns({"one thread": lambda: runs(1), "two threads": lambda: runs(2)}, repetitions)
    rows = []
    for name, sample in found.items():
        ensemble = sample.value
        ended = ensemble.status.count(Status.FLOOR_REACHED)
        rows.append([
            name, n_runs, f"{ended / n_runs:.0%}", ensemble.n_steps.sum(), duration(sample.median),
            duration(sample.median / ensemble.n_steps.sum()),
        ])  # fmt: skip
    title = f"Multi-basin from (10, -10), BBI as published, to the floor of 0.001, at most {n_steps} steps"
    return table(title, ["", "runs", "at the floor", "steps of all", "time", "time of a step"], rows)


def main() -> None:
    """Print the three tables."""
    quick = parser(__doc__).parse_args().quick
    print(machine(), flush=True)
    print(planes(*((2, 2_000) if quick else (9, 200_000))), flush=True)
    print(field(*((2, 9, 100) if quick else (9, 33, 5_000))), flush=True)
    print(together(*((1, 20, 5_000) if quick else (3, 4_000, 25_000))), flush=True)


if __name__ == "__main__":
    main()
