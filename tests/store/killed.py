"""A writer that is killed, again and again: ``killed.py FOLDER time SEED KILLS`` or ``killed.py FOLDER calls FIRST STRIDE``.

Each life is a forked process with a file of its own, FOLDER/N.h5, and FOLDER/N.ack, a line for everything acknowledged to it.
``time`` kills it after a random time; ``calls`` makes life N kill itself just before its N-th system call, for N = FIRST,
FIRST + STRIDE, ... until one lives to the end.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import synthetic
from synthetic import COUNT, DIM, SEED

CALLS = ("open", "pwrite", "fsync", "replace", "rename", "unlink", "ftruncate")


def live(folder: Path, number: int) -> None:
    """One run from beginning to end."""
    acknowledged = os.open(folder / f"{number}.ack", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    store, landscape = synthetic.begun(folder / f"{number}.h5", SEED, DIM)
    os.write(acknowledged, b"created\n")
    synthetic.drive(store, landscape, SEED, COUNT, acknowledge=lambda line: os.write(acknowledged, line.encode() + b"\n"))
    synthetic.finish(store, landscape)
    os.write(acknowledged, b"closed\n")


def die_at(call: int) -> None:
    """Make every system call of the store count, and the given one the last."""
    left = call

    def counted(function):
        def wrapper(*arguments, **options):
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return function(*arguments, **options)

        return wrapper

    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))


def child(folder: Path, number: int, call: int | None) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            if call is not None:
                die_at(call)
            live(folder, number)
            code = 0
        finally:
            os._exit(code)
    return pid


def killed_in_time(folder: Path, seed: int, kills: int) -> None:
    chance = random.Random(seed)
    for number in range(kills):
        pid = child(folder, number, None)
        time.sleep(chance.uniform(0.0, 0.25))
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def killed_at_calls(folder: Path, first: int, stride: int) -> int:
    for number in itertools.count(first, stride):
        _, status = os.waitpid(child(folder, number, number), 0)
        if not os.WIFSIGNALED(status):
            return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    place, mode, one, two = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    sys.exit(killed_in_time(place, one, two) if mode == "time" else killed_at_calls(place, one, two))
