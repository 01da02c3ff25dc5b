"""Mueller-Brown, butterfly, 27-point double well: time per step, and whole certified landscapes in memory."""

from __future__ import annotations

import numpy as np
from timing import duration, in_turns, machine, parser, ratio, table

from saddlescape import HiSD, as_model, explore, search
from saddlescape.models import Butterfly, DoubleWells, MuellerBrown
from saddlescape.parts import FixedStep

START = np.array([0.15, 0.25])  # on the slope of the lower saddle
BESIDE = np.array([-0.8, 0.6])  # the same of the higher one

# SaddleScape V1.0 on a 2-core machine: its examples as they are published, the first one with the restart that it places by hand.
# Quoted, not measured here: `peer.py` measures them again, in turns with this library.
QUOTED = {
    "Mueller-Brown, from its two saddles": 0.20,
    "Mueller-Brown, upward from one minimum": 0.20,
    "butterfly": 0.73,
    "double wells, d = 3": 11.1,
}


def over_functions(model):
    """The same energy without kernels, so that the solver's inner loop runs in the interpreter."""
    return as_model(model.energy, model.gradient, model.dim, hvp=model.hvp)


def steps(repetitions: int, n_steps: int) -> str:
    """Time of a step, with a fixed step so small that a search is still on its way after ``n_steps``."""
    model = MuellerBrown()
    crawl = HiSD(index=1, step=FixedStep(size=0.05 / n_steps))

    def crawling(model, n_steps):
        return lambda: search(model, START, crawl, tol=1e-300, max_steps=n_steps, polish=False).n_steps

    found = in_turns(
        {"compiled": crawling(model, n_steps), "interpreted": crawling(over_functions(model), max(n_steps // 50, 10))}, repetitions
    )
    per_step = {name: sample.median / sample.value for name, sample in found.items()}
    rows = [[name, sample.value, duration(per_step[name])] for name, sample in found.items()]
    rows.append(["interpreted / compiled", "", ratio(per_step["interpreted"] / per_step["compiled"])])
    title = "Mueller-Brown, index 1, fixed steps: time of a search by its number of steps"
    return table(title, ["", "steps", "time of a step"], rows)


def searches(repetitions: int) -> str:
    """A whole search() with the defaults, to round-off and with its certificate."""
    model = MuellerBrown()
    method = HiSD(index=1)
    cases = {"compiled": model, "interpreted": over_functions(model)}
    found = in_turns({name: lambda m=m: search(m, START, method) for name, m in cases.items()}, repetitions)
    rows = [
        [name, s.value.status.value, s.value.n_steps, s.value.n_gradient, f"{s.value.gradient_norm:.0e}", duration(s.median)]
        for name, s in found.items()
    ]
    return table("Mueller-Brown, one search() for the index-1 saddle", ["", "status", "steps", "gradients", "norm", "time"], rows)


def landscapes(repetitions: int) -> str:
    """Whole landscapes, certified, in memory."""
    cases = {
        "Mueller-Brown, from its two saddles": lambda: explore(MuellerBrown(), [START, BESIDE]),
        "Mueller-Brown, upward from one minimum": lambda: explore(MuellerBrown(), upward=True),
        "butterfly": lambda: explore(Butterfly()),
        "double wells, d = 3": lambda: explore(DoubleWells([1.0, 2.0, 3.0])),
    }
    found = in_turns(cases, repetitions)
    rows = []
    for name, sample in found.items():
        landscape, counts, quoted = sample.value, sample.value.index_counts(), QUOTED[name]
        rows.append([
            name, sum(counts.values()), counts, len(landscape.searches), duration(sample.median), duration(quoted),
            ratio(quoted / sample.median),
        ])  # fmt: skip
    columns = ["whole landscape", "points", "by index", "searches", "time", "V1.0, quoted", "quoted / time"]
    title = "Certified landscapes after warm-up, in memory (quoted: SaddleScape V1.0, from another run; peer.py measures it)"
    return table(title, columns, rows)


def main() -> None:
    """Print the three tables."""
    quick = parser(__doc__).parse_args().quick
    print(machine())
    print(steps(2 if quick else 7, 2_000 if quick else 100_000))
    print(searches(3 if quick else 101))
    print(landscapes(1 if quick else 21))


if __name__ == "__main__":
    main()
