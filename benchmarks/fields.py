"""Whole landscapes of fields: the 25-point Landau-de Gennes square with its file, the periodic phase field in memory."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

from timing import duration, in_turns, machine, parser, table

from saddlescape import Landscape, explore
from saddlescape.models import PhaseField, ReducedLandauDeGennes

PARTS = ("dynamics", "polish", "certificate", "merge", "file", "other")


@contextmanager
def stopwatch() -> Iterator[Counter]:
    """Seconds spent in each part of a landscape, what a part spends in another one not counted."""
    from saddlescape.dynamics import search
    from saddlescape.landscape import merge, parallel
    from saddlescape.store.writer import FileStore

    places = [(parallel, "execute", "dynamics"), (search, "polish", "polish"), (merge.Merger, "commit", "merge")]
    places += [(search, "quick_index", "certificate"), (search, "certify", "certificate"), (merge, "certify", "certificate")]
    places += [(FileStore, name, "file") for name in ("_write", "begin", "result", "commit", "checkpoint", "end", "close")]
    spent: Counter = Counter()
    inside = [0.0]  # for each open call: seconds that calls within it have taken

    def timed(function: Callable, part: str) -> Callable:
        @wraps(function)
        def call(*args: Any, **keywords: Any) -> Any:
            inside.append(0.0)
            began = time.perf_counter()
            try:
                return function(*args, **keywords)
            finally:
                seconds = time.perf_counter() - began
                spent[part] += seconds - inside.pop()
                inside[-1] += seconds

        return call

    with ExitStack() as stack:
        for owner, name, part in places:
            stack.enter_context(patch.object(owner, name, timed(getattr(owner, name), part)))
        began = time.perf_counter()
        yield spent
        spent["other"] = time.perf_counter() - began - inside[0]


def costs(name: str, seconds: float, landscape: Landscape) -> list:
    """What a landscape took; gradients and Hessian-vector products are those of its searches."""
    results = [record.result for record in landscape.searches]
    counts = landscape.index_counts()
    return [
        name, sum(counts.values()), counts, len(landscape.nodes), landscape.euler_characteristic(), len(results),
        sum(r.n_gradient for r in results), sum(r.n_hvp for r in results), duration(seconds),
    ]  # fmt: skip


def main() -> None:
    """Print the table of costs and the table of parts."""
    quick = parser(__doc__).parse_args().quick
    print(machine())
    sizes, n, repetitions = ((9, 13), 16, 1) if quick else ((33, 49), 64, 7)
    numbers = count()
    with tempfile.TemporaryDirectory() as folder:

        def square(n: int) -> Landscape:
            return explore(ReducedLandauDeGennes(n, 30.0), "wors", max_index=4, store=Path(folder, f"{next(numbers)}.h5"))

        cases = {f"LdG {n}x{n}, with file": lambda n=n: square(n) for n in sizes}
        cases[f"phase field {n}x{n}, in memory"] = lambda: explore(PhaseField(n, 0.02))
        found = in_turns(cases, repetitions)
        shares = []
        for name, function in cases.items():
            with stopwatch() as spent:
                function()
            total = sum(spent.values())
            shares.append([name, *(f"{100 * spent[part] / total:.0f} %" for part in PARTS), duration(total)])
    columns = ["landscape, one worker", "points", "by index", "orbits", "Euler", "searches", "gradients", "HVPs", "time"]
    print(table("Certified landscapes after warm-up", columns, [costs(name, s.median, s.value) for name, s in found.items()]))
    print(table("Where the time goes (one run under the stopwatch)", ["landscape", *PARTS, "time"], shares))


if __name__ == "__main__":
    main()
