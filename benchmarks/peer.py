"""The same problems with SaddleScape V1.0, from a checkout of https://github.com/HiSDpackage/saddlescape, and the ratios."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from timing import duration, machine, parser, ratio, table

from saddlescape import Landscape, explore
from saddlescape.models import Butterfly, DoubleWells, MuellerBrown, PhaseField

# From the same starts; where V1.0 is helped by a restart or begins at the highest index asked for, this library searches upward.
OURS: dict[str, Callable[[], Landscape]] = {
    "Mueller-Brown": lambda: explore(MuellerBrown(), np.array([0.15, 0.25]), upward=True),
    "butterfly": lambda: explore(Butterfly(), np.array([0.1, 0.1]), upward=True),
    "double wells, d = 3": lambda: explore(DoubleWells([1.0, 2.0, 3.0]), np.zeros(3)),
    "phase field 64x64": lambda: explore(PhaseField(64, 0.02), "zero"),
}
LONG = "phase field 64x64"  # 22 minutes for V1.0, where the others take seconds


def peer(python: str, checkout: Path, problem: str, limit: float) -> dict | None:
    """What `peer_problems.py` found, None if it took longer than ``limit`` seconds."""
    command = [python, str(Path(__file__).with_name("peer_problems.py")), str(checkout), problem]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=limit, check=False, env={**os.environ, "MPLBACKEND": "agg"}
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode != 0:
        reason = done.stderr.strip().rpartition("\n")[2]
        sys.exit(f"SaddleScape V1.0 failed on {problem}: {reason}\nGive an interpreter that has its requirements by --python.")
    return json.loads(done.stdout)


def compare(problem: str, python: str, checkout: Path, limit: float, repetitions: int) -> list:
    """A row: both solve the problem in turns."""
    ours = OURS[problem]
    ours()  # loads the compiled kernels
    theirs, seconds = [], []
    for _ in range(repetitions):
        theirs.append(peer(python, checkout, problem, limit))
        began = time.perf_counter()
        landscape = ours()
        seconds.append(time.perf_counter() - began)
        if theirs[-1] is None:
            break
    here = median(seconds)
    mine = [landscape.index_counts(), sum(record.result.n_gradient for record in landscape.searches), duration(here)]
    if theirs[-1] is None:
        return [problem, "", "", "", f"over {duration(limit)}", *mine, f"over {ratio(limit / here)}"]
    run, set_up = (median(found[part] for found in theirs) for part in ("run", "set_up"))
    last = theirs[-1]
    return [problem, dict(last["counts"]), last["gradients"] or "", duration(set_up), duration(run), *mine, ratio(run / here)]


def main() -> None:
    """Print the table."""
    arguments = parser(__doc__)
    arguments.add_argument("checkout", type=Path, help="folder of the checkout, with saddlescape-1.0 in it")
    arguments.add_argument("--python", default=sys.executable, help="interpreter with the requirements of V1.0 (default: this one)")
    arguments.add_argument("--long", action="store_true", help="the phase field too")
    arguments.add_argument("--limit", type=float, help="seconds V1.0 may take for one problem (default: 120, with --long 3600)")
    given = arguments.parse_args()
    if not (given.checkout / "saddlescape-1.0").is_dir():
        arguments.error(f"checkout: got {given.checkout}, expected a folder with saddlescape-1.0 in it")
    limit = given.limit if given.limit is not None else 3600.0 if given.long else 120.0
    print(machine(), flush=True)
    names = [name for name in OURS if given.long or name != LONG]
    rows = [
        compare(name, given.python, given.checkout.resolve(), limit, 1 if given.quick or name == LONG else 5)
        for name in names[: 1 if given.quick else None]
    ]
    columns = ["landscape", "V1.0 by index", "gradients", "set-up", "run", "here by index", "gradients", "time", "run / time"]
    title = "SaddleScape V1.0 (run: what follows its set-up) against this library (time: everything, certificates included)"
    print(table(title, columns, rows))


if __name__ == "__main__":
    main()
