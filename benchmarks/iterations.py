"""Steps of the dynamics alone, without a polish: the reduced Landau-de Gennes WORS, and the modified Rosenbrock function."""

from __future__ import annotations

from statistics import median

import numpy as np
from scipy.sparse.linalg import eigsh
from timing import duration, machine, parser, table

from saddlescape import EnergyModel, HiSD, search
from saddlescape.models import ModifiedRosenbrock, ReducedLandauDeGennes
from saddlescape.parts import LOBPCG, FixedStep

TOLERANCE = 1e-6  # of the gradient, in the mass norm
MAX_STEPS = 60_000
NOISE = 0.05  # largest perturbation, relative to the largest unknown
WAVES = 4  # smooth: at most this many half waves per edge


def smooth(model: ReducedLandauDeGennes, rng: np.random.Generator) -> np.ndarray:
    """Random sine waves that vanish on the boundary, (n,), largest value 1."""
    nodes = np.arange(1, model.interior + 1) / (model.interior + 1)
    waves = np.sin(np.pi * np.outer(np.arange(1, WAVES + 1), nodes))
    field = np.einsum("cpq,pi,qj->cij", rng.standard_normal((2, WAVES, WAVES)), waves, waves).ravel()
    return field / np.abs(field).max()


def wors_starts(model: ReducedLandauDeGennes, index: int, n_seeds: int) -> list[np.ndarray]:
    """The WORS with smooth noise and a step along a random combination of its unstable modes, each 5 % of its maximum."""
    point = search(model, model.start("wors"), HiSD(index=index), raise_on_failure=True).point
    size = NOISE * np.abs(point.x).max()
    starts = []
    for seed in range(n_seeds):
        rng = np.random.default_rng(seed)
        mode = rng.standard_normal(index) @ point.unstable
        starts.append(point.x + size * smooth(model, rng) + size * mode / np.abs(mode).max())
    return starts


def rosenbrock_starts(model: ModifiedRosenbrock, n_seeds: int) -> list[np.ndarray]:
    """x* + 0.1 times a standard normal vector."""
    return [1.0 + 0.1 * np.random.default_rng(seed).standard_normal(model.dim) for seed in range(n_seeds)]


def plain(model: ReducedLandauDeGennes, index: int) -> HiSD:
    """HiSD as it was first published, with nearly the largest fixed step that is stable at the WORS, 2 / (largest eigenvalue)."""
    largest = eigsh(model.hessian(model.start("wors")), k=1, which="LA", return_eigenvectors=False)[0] / model.mass
    return HiSD(index=index, preconditioned=False, step=FixedStep(size=1.9 / largest))


def row(name: str, model: EnergyModel, starts: list[np.ndarray], method: HiSD) -> list:
    """One search from each start; medians over them."""
    results = [
        search(model, x0, method, tol=TOLERANCE, max_steps=MAX_STEPS, polish=False, rng=seed) for seed, x0 in enumerate(starts)
    ]
    steps = [r.n_steps for r in results]
    return [
        name, f"{sum(r.success for r in results)} of {len(results)}", f"{median(steps):g}", f"{min(steps)}-{max(steps)}",
        f"{median(r.n_gradient for r in results):g}", f"{median(r.n_hvp for r in results):g}",
        duration(median(r.seconds for r in results)),
    ]  # fmt: skip


def main() -> None:
    """Print the table."""
    quick = parser(__doc__).parse_args().quick
    print(machine(), flush=True)
    n, dim, n_seeds, n_plain = (17, 40, 2, 1) if quick else (41, 1000, 20, 3)
    rows = []
    for lambda2, index in ((7.0, 1), (30.0, 4)):
        model = ReducedLandauDeGennes(n, lambda2)
        starts = wors_starts(model, index, n_seeds)
        rows.append(row(f"WORS {n}x{n}, lambda2 = {lambda2:g}, index {index}", model, starts, HiSD(index=index)))
        rows.append(row("  frame by LOBPCG sweeps", model, starts, HiSD(index=index, eigen=LOBPCG())))
        rows.append(row("  plain", model, starts[:n_plain], plain(model, index)))
    rosenbrock = ModifiedRosenbrock.with_leading(dim, 5, -5e4)
    starts = rosenbrock_starts(rosenbrock, n_seeds)
    rows.append(row(f"Rosenbrock d = {dim}, index 5", rosenbrock, starts, HiSD(index=5)))
    rows.append(row("  frame by LOBPCG sweeps", rosenbrock, starts, HiSD(index=5, eigen=LOBPCG())))
    columns = ["HiSD() from a perturbed saddle", "reached", "steps", "from-to", "gradients", "HVPs", "time"]
    title = (
        f"Steps to |g| < {TOLERANCE:g} without polish, medians over the seeds; HVPs and time with first frame and certificate\n"
        f"plain: no preconditioner, fixed step 1.9 / (largest eigenvalue), at most {MAX_STEPS} steps"
    )
    print(table(title, columns, rows))


if __name__ == "__main__":
    main()
