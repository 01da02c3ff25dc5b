"""One run that is killed, again and again, until it is done: ``killed_run.py FILE MODEL SEED KILLS LONGEST``.

MODEL is one of MODELS. Each life is a forked process that begins the run or resumes it, and is killed with SIGKILL at a random
moment, at most LONGEST seconds after its birth or, as often, after its first search; until KILLS have hit or the run is complete.
Printed is after each kill how many searches the file has then, -1 for no file.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from pathlib import Path

from saddlescape import DownwardSearch, ECDExplorer, explore, load, resume
from saddlescape.models import DoubleWells, MuellerBrown, ReducedLandauDeGennes

EXPLORER = [ECDExplorer(110.0, n_steps=6000, stages=2, max_runs=6), DownwardSearch()]
MODELS = {
    "wells": DoubleWells((1.0, 1.3, 0.7, 1.9)),
    "many wells": DoubleWells((1.0, 1.3, 0.7, 1.9, 1.6)),
    "square": ReducedLandauDeGennes(17, 20.0),
    "trajectories": MuellerBrown(),
}
SEARCHES = {"trajectories": EXPLORER}


def live(path: Path, model: str, tell: int) -> None:
    """Begin the run, or go on with it, with a byte to the pipe ``tell`` after each search."""

    def callback(landscape, search):
        os.write(tell, b".")

    if path.exists():
        resume(path, callback=callback)
    else:
        explore(MODELS[model], searches=SEARCHES.get(model), store=path, rng=3, callback=callback)


def born(path: Path, model: str) -> tuple[int, int]:
    """A life: its process, and a pipe that can be read when it has made its first search, or has ended."""
    hear, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            live(path, model, tell)
            code = 0
        finally:
            os._exit(code)
    os.close(tell)
    return pid, hear


def main(path: Path, model: str, seed: int, kills: int, longest: float) -> None:
    warm = path.with_name("warm.h5")  # what is compiled or imported once is not worth being killed in
    explore(MODELS[model], searches=SEARCHES.get(model), store=warm, callback=lambda landscape, search: True)
    resume(warm, callback=lambda landscape, search: True)
    chance = random.Random(seed)
    while kills and not complete(path):
        pid, hear = born(path, model)
        if chance.random() < 0.5:
            os.read(hear, 1)
        time.sleep(chance.uniform(0.0, longest))
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        os.close(hear)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status):
            sys.exit("a life ended with an error")
        if os.WIFSIGNALED(status):
            kills -= 1
            print(len(load(path).searches) if path.exists() else -1)


def complete(path: Path) -> bool:
    return path.exists() and load(path).runs[-1].status == "complete"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
