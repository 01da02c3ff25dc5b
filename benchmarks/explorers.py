"""Minima found on the same budget of calls: ECDExplorer, random restarts, basin hopping and overdamped Langevin dynamics.

Counted is every call of the model: a gradient, with or without the energy, an energy alone and a Hessian-vector product are one
each. Restarts, hopping and Langevin dynamics quench by L-BFGS-B (scipy), as fast as it gets; the explorer labels by gradient
flow, since it has to know basins, and its saddles come from the same budget. Every method has a few settings, the same for all
seeds, and starts, if it starts somewhere, at the same minimum. Minima are counted up to the symmetry of the model.

Random restarts need a box to begin in: one around all minima, which nobody has to begin with. Temperatures of Langevin dynamics and
basin hopping, and ceilings, are in units of the barrier out of the first minimum, which nobody has either.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import basinhopping, minimize
from timing import machine, parser, table

from saddlescape import ECDExplorer, EnergyModel, GradientFlow, explore, search
from saddlescape.models import MuellerBrown, ReducedLandauDeGennes, WellChain
from saddlescape.numerics.derivatives import Derivatives
from saddlescape.numerics.orbits import align
from saddlescape.symmetry import Symmetry

SAME = 1e-3  # of its size, within which a point is a minimum that is known
EVERY = 50  # steps of Langevin dynamics between two quenches
STABLE = 0.1  # Langevin step, in units of 1 / largest curvature in the metric at the first minimum


class Problem(NamedTuple):
    """What is explored: a model, the barrier out of its first minimum, how many minima it has, and points in a box around them."""

    name: str
    model: EnergyModel
    start: np.ndarray
    barrier: float
    n_minima: int
    draw: Callable[[np.random.Generator], np.ndarray]


class Spent(Exception):
    """The budget is used up."""


class Purse:
    """A budget of calls of a model, and the minima that were found with it: ``found`` has how much was spent when each was.

    Parameters
    ----------
    problem : Problem
    budget : int
    """

    def __init__(self, problem: Problem, budget: int):
        self.problem, self.budget = problem, budget
        self.spent = 0
        self.found: list[int] = []
        self._ends: list[tuple[np.ndarray, bool]] = []  # ends of quenches, and whether they are minima
        self._symmetry = problem.model.symmetry or Symmetry.generate(problem.model.dim)

    def value(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy and gradient at x (n,), for one."""
        if self.spent >= self.budget:
            raise Spent
        self.spent += 1
        gradient = np.empty(x.size)
        with np.errstate(over="ignore", invalid="ignore"):
            return self.problem.model.energy_gradient(np.ascontiguousarray(x), gradient), gradient

    def quench(self, x: np.ndarray) -> None:
        """Descend from x (n,) and note the minimum."""
        self.note(minimize(self.value, x, jac=True, method="L-BFGS-B", options={"gtol": 1e-4}).x)

    def note(self, x: np.ndarray) -> None:
        """Note the minimum that x (n,) is close to, unless it is known or none; what it takes to tell is not counted."""
        if any(self._near(x, end) for end, _ in self._ends):
            return
        with np.errstate(over="ignore", invalid="ignore"):  # a quench may end far out, where energies overflow: that is no minimum
            result = search(self.problem.model, x, GradientFlow())
        end = result.x if result.success else x
        if not any(self._near(end, other) for other, _ in self._ends):
            self._ends.append((end, result.success))
            if result.success:
                self.found.append(self.spent)

    def _near(self, a: np.ndarray, b: np.ndarray) -> bool:
        mass = self.problem.model.mass
        size = SAME * np.sqrt(np.sum(mass * (1.0 + b * b)))
        return align(self._symmetry, a, b, mass)[1] <= size


class Method(NamedTuple):
    """A way to find minima, with its setting in words."""

    name: str
    run: Callable[[Purse, np.random.Generator], Any]


# --- the methods ----------------------------------------------------------------------------------------------------------


def restarts(purse: Purse, rng: np.random.Generator) -> None:
    """Quench after quench from random points."""
    while True:
        purse.quench(purse.problem.draw(rng))


def hopping(stepsize: float, heat: float) -> Callable[[Purse, np.random.Generator], None]:
    """Basin hopping of scipy, at a temperature of ``heat`` barriers, with moves of any unknown by up to ``stepsize``."""

    def run(purse: Purse, rng: np.random.Generator) -> None:
        options = {"method": "L-BFGS-B", "jac": True, "options": {"gtol": 1e-4}}
        basinhopping(
            purse.value,
            purse.problem.start,
            niter=10**9,
            T=heat * purse.problem.barrier,
            stepsize=stepsize,
            minimizer_kwargs=options,
            callback=lambda x, energy, accepted: purse.note(x),
            rng=rng,
        )

    return run


class Metric:
    """The preconditioner of a model as a matrix (the identity without one), for noise of the covariance M^-1."""

    def __init__(self, model: EnergyModel, x: np.ndarray):
        self.model, self.x = model, x

    @cached_property
    def inverse_root(self) -> np.ndarray:
        """M^-1/2, (n, n)."""
        if not hasattr(self.model, "preconditioner"):
            return np.eye(self.model.dim)
        inverse = self.model.preconditioner(self.x).solve(np.eye(self.model.dim))
        values, vectors = np.linalg.eigh(0.5 * (inverse + inverse.T))
        return (vectors * np.sqrt(values)) @ vectors.T

    @cached_property
    def largest_curvature(self) -> float:
        """The largest eigenvalue of M^-1/2 H M^-1/2 at x."""
        hessian = Derivatives(self.model).hvp_rows(self.x, np.eye(self.model.dim))
        return float(np.linalg.eigvalsh(self.inverse_root @ (0.5 * (hessian + hessian.T)) @ self.inverse_root)[-1])


def langevin(heat: float) -> Callable[[Purse, np.random.Generator], None]:
    """x' = -M^-1 g + sqrt(2 T) M^-1/2 noise, Euler steps, a quench every 50 of them, at a temperature of ``heat`` barriers."""

    def run(purse: Purse, rng: np.random.Generator) -> None:
        problem = purse.problem
        metric = Metric(problem.model, problem.start)
        root = metric.inverse_root
        step = STABLE / metric.largest_curvature
        size = np.sqrt(2.0 * heat * problem.barrier * step)
        x = problem.start.copy()
        while True:
            for _ in range(EVERY):
                _, gradient = purse.value(x)
                x = x + root @ (size * rng.standard_normal(x.size) - step * (root @ gradient))
            purse.quench(x)

    return run


def explorer(axes: np.ndarray | None = None, **options: Any) -> Callable[[Purse, np.random.Generator], int]:
    """Trajectories under a ceiling of ``ceiling`` barriers; the result is the number of index-1 points found besides.

    With ``axes`` (m, n) in turns along each of these directions alone. When nothing new is found, all minima are left again from
    another seed.
    """

    def run(purse: Purse, rng: np.random.Generator) -> int:
        problem = purse.problem
        ceiling = options["ceiling"] * problem.barrier
        modes = [{}] if axes is None else [{"modes": axis[None]} for axis in axes]
        explorers = [ECDExplorer(**{**options, "ceiling": ceiling, "max_runs": 10**6}, **mode) for mode in modes]

        def calls(landscape) -> list[int]:
            return [s.result.n_energy + s.result.n_gradient + s.result.n_hvp for s in landscape.searches]

        def enough(landscape, _=None) -> bool:
            return sum(calls(landscape)) >= purse.budget

        seed = int(rng.integers(2**32))
        landscape = explore(problem.model, problem.start, max_index=1, searches=explorers[0], callback=enough, rng=seed)
        turn, known = 0, 0
        while not enough(landscape):
            turn += 1
            if turn % len(explorers) == 0:
                seed, known = seed + (len(landscape.nodes) == known), len(landscape.nodes)
            landscape.extend(searches=explorers[turn % len(explorers)], max_index=1, callback=enough, rng=seed)
        spent = np.cumsum(calls(landscape))
        inside = [node for node in landscape.nodes if spent[node.found_by] <= purse.budget]
        purse.found = [int(spent[node.found_by]) for node in inside if node.point.index == 0]
        return sum(node.point.index == 1 for node in inside)

    return run


# --- the problems ---------------------------------------------------------------------------------------------------------


def chain(n: int) -> tuple[Problem, list[Method]]:
    """Wells on a line, from the deepest minimum."""
    model = WellChain(n)
    start = search(model, model.default_start(), GradientFlow()).x
    problem = Problem(f"chain of {n} wells", model, start, 1.269, 2**n, lambda rng: rng.uniform(-1.5, 1.5, n))
    short = {"n_steps": 500, "every": 25}
    return problem, [
        Method("explorer, ceiling 3 barriers", explorer(ceiling=3.0, **short)),
        Method("explorer, ceiling 5 barriers", explorer(ceiling=5.0, **short)),
        Method("explorer, ceiling 10 barriers", explorer(ceiling=10.0, **short)),
        Method("explorer, each unknown alone, 3 barriers", explorer(np.eye(n), ceiling=3.0, n_steps=200, every=20, rest="relaxed")),
        *others(0.5, 1.0, heats=(0.15, 0.5)),
    ]


def mueller_brown() -> tuple[Problem, list[Method]]:
    """From the deepest of three minima."""
    model = MuellerBrown()
    low, high = np.array(model.box).T
    start = search(model, model.default_start(), GradientFlow()).x
    problem = Problem("Mueller-Brown", model, start, 106.03, 3, lambda rng: rng.uniform(low, high))
    return problem, [
        Method("explorer, ceiling 1.05 barriers", explorer(ceiling=1.05, n_steps=500, every=25)),
        Method("explorer, ceiling 1.5 barriers", explorer(ceiling=1.5, n_steps=500, every=25)),
        Method("explorer, ceiling 3 barriers", explorer(ceiling=3.0, n_steps=500, every=25)),
        *others(0.3, 0.6, heats=(0.15, 0.3)),
    ]


def square(n: int) -> tuple[Problem, list[Method]]:
    """The nematic square at lambda^2 = 30, from a diagonal state; the other orbit is that of the rotated ones."""
    model = ReducedLandauDeGennes(n, 30.0)
    start = search(model, model.start("d"), GradientFlow()).x
    root = Metric(model, start).inverse_root
    size = float(np.sqrt(np.mean(start**2)))

    def draw(rng: np.random.Generator) -> np.ndarray:
        smooth = root @ rng.standard_normal(model.dim)
        return smooth * (size / np.sqrt(np.mean(smooth**2)))

    problem = Problem(f"nematic square {n}x{n}", model, start, 2.0, 2, draw)
    short = {"n_steps": 500}
    return problem, [
        Method("explorer, 3 relaxed modes, 1.5 barriers", explorer(ceiling=1.5, modes=3, rest="relaxed", **short)),
        Method("explorer, 8 frozen modes, 5 barriers", explorer(ceiling=5.0, modes=8, **short)),
        Method("explorer, all unknowns, 75 barriers", explorer(ceiling=75.0, **short)),
        *others(size, 3.0 * size, heats=(0.15, 0.5)),
    ]


def others(*stepsizes: float, heats: tuple[float, float]) -> list[Method]:
    """The methods that have no ceiling."""
    return [
        Method("random restarts", restarts),
        *(
            Method(f"basin hopping, moves of {stepsize:.2g}, T = {heat:g}", hopping(stepsize, heat))
            for stepsize, heat in zip(stepsizes, (0.5, 0.5), strict=True)
        ),
        *(Method(f"Langevin, T = {heat:g}", langevin(heat)) for heat in heats),
    ]


# --- the table ------------------------------------------------------------------------------------------------------------


def row(problem: Problem, method: Method, budgets: list[int], n_seeds: int) -> list[str]:
    """Minima after each budget, mean over seeds; the calls until all were found, in the median; index-1 points at the end."""
    found, whole, saddles = [], [], []
    for seed in range(n_seeds):
        purse = Purse(problem, budgets[-1])
        rng = np.random.default_rng(seed)
        try:
            saddles.append(method.run(purse, rng))
        except Spent:
            saddles.append(None)
        found.append([sum(spent <= budget for spent in purse.found) for budget in budgets])
        whole.append(purse.found[problem.n_minima - 1] if len(purse.found) >= problem.n_minima else np.inf)
    means = [f"{mean:.1f}" for mean in np.mean(found, axis=0)]
    median = float(np.median(whole))
    all_of_them = f"{np.isfinite(whole).sum()} of {n_seeds}" + (f", {median:.0f}" if np.isfinite(median) else "")
    return [method.name, *means, all_of_them, "-" if saddles[0] is None else f"{np.mean(saddles):.1f}"]


def main() -> None:
    """Print the tables."""
    quick = parser(__doc__.splitlines()[0]).parse_args().quick
    print(machine(), flush=True)
    problems = [chain(3), mueller_brown(), square(9)] if quick else [chain(6), mueller_brown(), square(17)]
    budgets = [[3000], [3000], [2000]] if quick else [[5000, 20_000, 100_000], [1000, 5000, 50_000], [3000, 10_000, 50_000]]
    n_seeds = 1 if quick else 5
    for (problem, methods), limits in zip(problems, budgets, strict=True):
        columns = ["method", *(f"after {limit}" for limit in limits), "all, calls (median)", "index-1 points"]
        rows = [row(problem, method, limits, n_seeds) for method in methods]
        print(table(f"{problem.name}: minima found, of {problem.n_minima}; mean of {n_seeds} seeds", columns, rows), flush=True)


if __name__ == "__main__":
    main()
