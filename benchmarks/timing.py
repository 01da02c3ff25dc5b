"""What every benchmark needs: repetitions taken in turns, the machine in one line, tables."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Any, NamedTuple


class Sample(NamedTuple):
    """Seconds of a case over its repetitions, and what its last call returned."""

    seconds: tuple[float, ...]
    value: Any

    @property
    def median(self) -> float:
        """The middle one of the repetitions."""
        return statistics.median(self.seconds)


def in_turns(cases: Mapping[str, Callable[[], Any]], repetitions: int, *, warm_up: bool = True) -> dict[str, Sample]:
    """Time every case once, then every case again, and so on: what slows the machine down slows all of them down.

    Parameters
    ----------
    cases : mapping
        Name and function without arguments.
    repetitions : int
        At least 1.
    warm_up : bool
        Call every case once before, untimed.
    """
    if warm_up:
        for function in cases.values():
            function()
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    values = {}
    for _ in range(repetitions):
        for name, function in cases.items():
            began = time.perf_counter()
            values[name] = function()
            seconds[name].append(time.perf_counter() - began)
    return {name: Sample(tuple(seconds[name]), values[name]) for name in cases}


def machine() -> str:
    """Cores, load and versions. Nothing is imported for it, so that asking costs no memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "numba"))
    return (
        f"machine: {cores} cores, {platform.machine()} {platform.system()}, load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, {versions}"
    )


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A table as Markdown, the first column left and the others right aligned."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(line[j]) for line in [list(columns), *cells]) for j in range(len(columns))]

    def line(words: Sequence[str]) -> str:
        first, *others = (f"{word:{'>' if j else '<'}{widths[j]}}" for j, word in enumerate(words))
        return "| " + " | ".join([first, *others]) + " |"

    rule = "|" + "|".join("-" * (width + 2) if j == 0 else "-" * (width + 1) + ":" for j, width in enumerate(widths)) + "|"
    return "\n".join(["", title, "", line(columns), rule, *map(line, cells)])


def duration(seconds: float) -> str:
    """Seconds with a fitting unit and three digits."""
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def ratio(value: float) -> str:
    """A ratio with two digits, or as an integer from 100 on."""
    return f"{value:.0f}" if value >= 100 else f"{value:.2g}"


def parser(description: str) -> argparse.ArgumentParser:
    """The parser that all benchmarks share: ``--quick``."""
    found = argparse.ArgumentParser(description=description)
    found.add_argument("--quick", action="store_true", help="small sizes, few repetitions: shows that it works, measures nothing")
    return found
