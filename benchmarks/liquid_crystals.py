"""The full Landau-de Gennes model: kernels against copies, steps against the grid, and a saddle in a cuboid."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import numpy as np
from timing import duration, in_turns, machine, parser, ratio, table

from saddlescape import GradientFlow, HiSD, search
from saddlescape.models import LandauDeGennes


def cuboid(n: int, **material: float) -> LandauDeGennes:
    """A cube of nearly n^3 free nodes, tangent around, free above and below."""
    return LandauDeGennes(n + 2, 30.0, domain=("cuboid", 1.0, (n - 1) / (n + 1)), **material)


def kernel_rows(name: str, model: LandauDeGennes, repetitions: int) -> list[list]:
    """Gradient and product against a copy that reads and writes as much, in one thread, and two at once in two threads."""
    rng = np.random.default_rng(0)
    rows = []
    with ThreadPoolExecutor(2) as pool:
        for derivative, arrays in (("gradient", 2), ("hvp", 3)):
            moved = model.dim * arrays // 2
            sets = [[rng.standard_normal(model.dim) for _ in range(3)] for _ in range(2)]
            copies = [(rng.standard_normal(moved), np.empty(moved)) for _ in range(2)]

            def kernel(number: int, derivative: str = derivative, sets: list = sets) -> None:
                x, v, out = sets[number]
                model.gradient(x, out) if derivative == "gradient" else model.hvp(x, v, out)

            def copy(number: int, copies: list = copies) -> None:
                source, target = copies[number]
                np.copyto(target, source)

            def both(function: Callable[[int], None]) -> None:
                list(pool.map(function, (0, 1)))

            found = in_turns(
                {
                    "kernel": lambda kernel=kernel: kernel(0),
                    "copy": lambda copy=copy: copy(0),
                    "two kernels": lambda kernel=kernel: both(kernel),
                    "two copies": lambda copy=copy: both(copy),
                },
                repetitions,
            )
            best = {case: min(sample.seconds) for case, sample in found.items()}
            rows.append([
                f"{name} {derivative}", f"{16 * moved / 2**20:.0f} MiB", duration(best["kernel"]), duration(best["copy"]),
                ratio(best["kernel"] / best["copy"]), ratio(best["two kernels"] / best["two copies"]),
            ])  # fmt: skip
    return rows


def step_row(n: int, starts: int) -> list:
    """Steps of the dynamics alone to |g| < 1e-6, from perturbed rotated states to a saddle of index 1."""
    model = LandauDeGennes(n, 15.0)
    steps, found = [], 0
    for seed in range(starts):
        result = search(model, perturbed(model, seed), HiSD(index=1), tol=1e-6, max_steps=3000, polish=False)
        steps.append(result.n_steps)
        found += result.gradient_norm < 1e-6
    return [f"{n}x{n}", model.dim, f"{median(steps):g}", f"{min(steps)}-{max(steps)}", f"{found} of {starts}"]


def perturbed(model: LandauDeGennes, seed: int) -> np.ndarray:
    """The boundary distortion of a diagonal state: a few long waves that do not depend on the grid, (n,)."""
    rng = np.random.default_rng(seed)
    grid = model.discrete.grid
    x, y = (np.pi * (axis.nodes[1:-1] + 1.0) / 2.0 for axis in grid.axes[:2])
    waves = [np.sin((j + 1) * y)[:, None] * np.sin((i + 1) * x) for j in range(3) for i in range(3)]
    noise = np.einsum("aw,wyx->ayx", 0.1 * rng.standard_normal((5, 9)), np.array(waves))
    return model.start("wors") + noise.ravel()


def cuboid_rows(n: int) -> list[list]:
    """A stable state and the saddle of index 1 beside it, found and certified."""
    model = cuboid(n)
    rotated, diagonal = model.start("r"), model.start("d")
    rows = []
    for name, method, start in (
        ("rotated state", GradientFlow(), rotated),
        ("saddle beside it", HiSD(index=1), 0.75 * rotated + 0.25 * diagonal),
    ):
        began = time.perf_counter()
        result = search(model, start, method)
        seconds = time.perf_counter() - began
        index = result.point.index if result.point is not None else "none"
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)
        rows.append([
            f"{n}^3, {name}", model.dim, index, f"{result.energy:.5f}", result.n_steps, result.n_hvp, duration(seconds),
            f"{memory:.2f} GiB",
        ])  # fmt: skip
    return rows


def main() -> None:
    """Print the three tables."""
    quick = parser(__doc__).parse_args().quick
    print(machine())
    rows = []
    for n in (8,) if quick else (64, 128):
        rows += kernel_rows(f"{n}^3", cuboid(n), 2 if quick else 9)
        rows += kernel_rows(f"{n}^3, L2", cuboid(n, L2=0.5), 2 if quick else 5)
    columns = ["kernel", "reads + writes", "time", "copy", "kernel / copy", "two at once / two copies"]
    print(table("Kernels of the full model against copying as many bytes, best of the repetitions", columns, rows))
    rows = [step_row(n, 2 if quick else 9) for n in ((9, 17) if quick else (33, 65, 129, 257))]
    columns = ["square", "unknowns", "steps, median", "from-to", "arrived"]
    print(table("Steps to |g| < 1e-6, index 1, lambda2 = 15, by the dynamics alone", columns, rows))
    rows = [row for n in ((6,) if quick else (24, 48)) for row in cuboid_rows(n)]
    columns = ["cuboid, state", "unknowns", "index", "energy", "steps", "HVPs", "time", "peak memory"]
    print(table("Certified states of a cuboid, lambda2 = 30", columns, rows))


if __name__ == "__main__":
    main()
