"""Stochastic saddle dynamics: orders of convergence on the butterfly, time of a step, a field by random quadrature."""

from __future__ import annotations

import warnings

import numpy as np
from iterations import wors_starts
from timing import duration, in_turns, machine, parser, ratio, table

from saddlescape import EnergyModel, HiSD, NoisyModel, RandomQuadrature, SHiSD, as_model, search, search_many
from saddlescape.landscape.ensemble import Ensemble
from saddlescape.models import Butterfly, MuellerBrown, ReducedLandauDeGennes
from saddlescape.parts import Constant, Decaying, EigenvectorSearch

SADDLE = np.array([0.95812931, 0.37568283])  # of index 1, with min |lambda| = MU
MU = 3.574
AWAY = 0.1  # from the saddle, in a random direction: where a run starts
SCHEDULES = (Decaying(0.5), Decaying(1.0, 20.0), Decaying(0.1), Decaying(0.3, p=0.8), Decaying(0.2, p=0.6), Constant(0.01))
ONCE_AND_OFTEN = SCHEDULES[:2]  # also with five sweeps of the eigenvector search a step
FRAME = Decaying(0.3, p=0.7)  # step sizes of that search


def written(schedule: Decaying | Constant) -> str:
    """A schedule as a formula."""
    if isinstance(schedule, Constant):
        return f"{schedule.size:g}"
    power = "" if schedule.p == 1.0 else f"^{schedule.p:g}"
    return f"{schedule.gamma:g} / (n + {schedule.m:g}){power}"


def predicted(schedule: Decaying | Constant) -> str:
    """The exponent of n that theory predicts for the mean square error."""
    if isinstance(schedule, Constant):
        return "0"
    return f"{-min(1.0, 2.0 * schedule.gamma * MU) if schedule.p == 1.0 else -schedule.p:.2f}"


def butterfly(schedule: Decaying | Constant, inner: int, n_runs: int, n_steps: int, workers: int = 2) -> Ensemble:
    """Runs from beside the saddle, with additive noise of size 1 on the gradient and 2 on the Hessian."""
    directions = np.random.default_rng(1).standard_normal((n_runs, 2))
    starts = SADDLE + AWAY * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    model = NoisyModel(Butterfly(), 1.0, 2.0)
    method = SHiSD(index=1, step=schedule, eigen=EigenvectorSearch(FRAME, inner))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some schedules are here because they break the conditions of theory
        return search_many(model, starts, method, n_steps=n_steps, reference=SADDLE, workers=workers)


def at(ensemble: Ensemble, n: int, average: bool = False) -> str:
    """The mean square error at the moment nearest to n steps."""
    return f"{ensemble.mse(average)[np.argmin(np.abs(ensemble.steps - n))]:.2g}"


def orders(n_runs: int, n_steps: int) -> str:
    """Slopes of the mean square error, measured and predicted."""
    rows = []
    for schedule in SCHEDULES:
        for inner in (1, 5) if schedule in ONCE_AND_OFTEN else (1,):
            runs = butterfly(schedule, inner, n_runs, n_steps)
            slope = runs.slope()
            rows.append([
                written(schedule), inner, f"{slope.slope:.2f}", f"{slope.low:.2f} to {slope.high:.2f}", predicted(schedule),
                at(runs, n_steps // 2), at(runs, n_steps // 2, average=True), f"{runs.success_fraction:.4g}",
            ])  # fmt: skip
    title = (
        f"Butterfly, saddle with mu = {MU:g}, noise 1 on the gradient and 2 on the Hessian; {n_runs} runs of {n_steps} steps\n"
        f"frame: {written(FRAME)}; slope with its 95 % interval; staying: ended near the saddle"
    )
    half = f"n = {n_steps // 2}"
    columns = ["a(n)", "sweeps", "slope", "interval", "predicted", f"MSE, {half}", f"of the average, {half}", "staying"]
    return table(title, columns, rows)


def steps(repetitions: int, n_steps: int) -> str:
    """Time of a step on Mueller-Brown."""
    exact = MuellerBrown()
    start = np.array([0.21248658, 0.29298833])
    plain = as_model(exact.energy, exact.gradient, exact.dim, hvp=exact.hvp)
    method = SHiSD(index=1, step=Constant(1e-5), eigen=EigenvectorSearch(Constant(1e-5)))

    def walk(model: EnergyModel, n_steps: int):
        noisy = NoisyModel(model, 1.0, 1.0)
        return lambda: search(noisy, start, method, tol=1e-300, max_steps=n_steps, polish=False).n_steps

    found = in_turns({"compiled": walk(exact, n_steps), "interpreted": walk(plain, max(n_steps // 50, 100))}, repetitions)
    per_step = {name: sample.median / sample.value for name, sample in found.items()}
    rows = [[name, sample.value, duration(per_step[name])] for name, sample in found.items()]
    rows.append(["interpreted / compiled", "", ratio(per_step["interpreted"] / per_step["compiled"])])
    return table("Mueller-Brown, index 1: time of a search by its number of steps", ["", "steps", "time of a step"], rows)


def together(repetitions: int, n_runs: int, n_steps: int) -> str:
    """Wall time of many runs at once."""
    threads = {"one thread": 1, "two threads": 2}
    cases = {name: lambda w=w: butterfly(SCHEDULES[0], 1, n_runs, n_steps, w) for name, w in threads.items()}
    found = in_turns(cases, repetitions)
    rows = [[name, n_runs, n_steps, duration(s.median), duration(s.median / n_runs / n_steps)] for name, s in found.items()]
    return table("Butterfly, runs at once", ["", "runs", "steps of each", "time", "time of a step"], rows)


def field(n: int, n_steps: int, n_seeds: int) -> str:
    """The WORS by random quadrature, in the metric of the preconditioner and in that of the mass."""
    model = ReducedLandauDeGennes(n, 7.0)
    wors = search(model, model.start("wors"), HiSD(index=1), raise_on_failure=True).x
    starts = np.array(wors_starts(model, 1, n_seeds))
    ways = {
        "preconditioned": SHiSD(index=1, step=Decaying(15.0, 60.0), eigen=EigenvectorSearch(inner=3)),
        "plain": SHiSD(index=1, step=Decaying(1.2, 3000.0), preconditioned=False),
    }
    rows = []
    for fraction in (0.5, 0.1):
        for name, method in ways.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the plain steps are as long as they may be
                source = RandomQuadrature(model, fraction)
                runs = search_many(source, starts, method, n_steps=n_steps, reference=wors, radius=np.inf)
            slope = runs.slope(50, n_steps).slope
            errors = at(runs, 50), at(runs, n_steps), at(runs, n_steps, average=True)
            rows.append([f"q = {fraction:g}", name, written(method.step), *errors, f"{slope:.2f}"])
    title = (
        f"Landau-de Gennes {n}x{n}, lambda2 = 7, WORS (index 1) by random quadrature of a part q of the nodes; {n_seeds} seeds\n"
        "starts: smooth noise and a step along the unstable mode, 5 % each; MSE: squared distance in the mass norm"
    )
    columns = ["", "metric", "a(n)", "MSE, n = 50", f"MSE, n = {n_steps}", f"of the average, n = {n_steps}", "slope"]
    return table(title, columns, rows)


def main() -> None:
    """Print the four tables."""
    quick = parser(__doc__).parse_args().quick
    print(machine(), flush=True)
    print(orders(*((20, 2_000) if quick else (400, 20_000))), flush=True)
    print(steps(*((2, 2_000) if quick else (7, 200_000))), flush=True)
    print(together(1 if quick else 3, *((8, 500) if quick else (400, 20_000))), flush=True)
    print(field(*((9, 200, 2) if quick else (25, 4_000, 6))), flush=True)


if __name__ == "__main__":
    main()
