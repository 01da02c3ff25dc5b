"""Two worker processes against one, on the Landau-de Gennes square."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from timing import duration, in_turns, machine, parser, ratio, table

from saddlescape import explore
from saddlescape.models import ReducedLandauDeGennes
from saddlescape.store import digest


def main() -> None:
    """Print the table."""
    quick = parser(__doc__).parse_args().quick
    print(machine())
    n, repetitions = (13, 1) if quick else (65, 3)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as running:

        def run(**how):
            return lambda: explore(ReducedLandauDeGennes(n, 30.0), "wors", max_index=4, **how)

        found = in_turns(
            {
                "this process": run(),
                "two workers, started for the run": run(workers=2),
                "two workers that are running already": run(executor=running),
            },
            repetitions,
        )
    one = found["this process"]
    rows = [
        [name, duration(s.median), ratio(one.median / s.median), "yes" if digest(s.value) == digest(one.value) else "no"]
        for name, s in found.items()
    ]
    columns = ["searches in", "time", "speed-up", "same landscape"]
    print(table(f"LdG {n}x{n}, lambda2 = 30, {len(one.value.searches)} searches, in memory", columns, rows))


if __name__ == "__main__":
    main()
