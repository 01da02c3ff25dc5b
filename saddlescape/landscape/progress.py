"""Progress of a run: a protocol of two methods, a bar for terminals, plain lines for everything else."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TextIO, runtime_checkable

if TYPE_CHECKING:
    from .landscape import Landscape


@runtime_checkable
class Progress(Protocol):
    """What `saddlescape.explore` and `saddlescape.resume` take as ``progress``, besides True and False.

    A driver calls ``update(landscape)`` after every search it has merged, in task order, and ``close()`` once at the end,
    whatever the end was. Neither may change the landscape.
    """

    def update(self, landscape: Landscape) -> None:
        """One more search is done: ``len(landscape.searches)`` are, ``len(landscape.frontier)`` are left."""

    def close(self) -> None:
        """The run is over."""


class Found:
    """What was found for how much: points by index (symmetric copies counted) against the gradients of all searches."""

    def __init__(self) -> None:
        self._seen = 0
        self._gradients = 0

    def __call__(self, landscape: Landscape) -> str:
        """``"points by index 0:6 1:8 2:1 in 1234 gradients"``; searches that were seen before are not added up again."""
        self._gradients += sum(search.result.n_gradient for search in landscape.searches[self._seen :])
        self._seen = len(landscape.searches)
        points = " ".join(f"{index}:{count}" for index, count in landscape.index_counts().items()) or "none"
        return f"points by index {points} in {self._gradients} gradients"


class ProgressBar:
    """A bar on a terminal: searches done and left, rate, points by index against gradients.

    Parameters
    ----------
    stream : text file
        Where the bar is drawn.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._bar = None
        self._found = Found()

    def update(self, landscape: Landscape) -> None:
        """Redraw the bar, at most ten times a second."""
        done, left = len(landscape.searches), len(landscape.frontier)
        if self._bar is None:
            self._bar = self._open(max(done - 1, 0))
        self._bar.total = done + left
        self._bar.set_postfix_str(self._found(landscape), refresh=False)
        self._bar.update(done - self._bar.n)

    def _open(self, done: int):
        from tqdm import tqdm

        # `initial` keeps the searches of an earlier, resumed run out of the rate.
        return tqdm(
            initial=done,
            total=done,
            file=self._stream,
            unit=" searches",
            dynamic_ncols=True,
            bar_format="{n_fmt} of {total_fmt} searches |{bar:20}| {rate_fmt}{postfix}",
        )

    def close(self) -> None:
        """Leave the last state of the bar on the screen."""
        if self._bar is not None:
            self._bar.refresh()
            self._bar.close()


class ProgressLines:
    """Plain lines for log files and pipes: at most one every few seconds.

    Parameters
    ----------
    write : callable
        ``write(line)`` receives each line, without its end.
    interval : float
        Seconds between lines.
    clock : callable
        Returns seconds; a test passes its own.
    """

    def __init__(self, write: Callable[[str], None], interval: float = 5.0, clock: Callable[[], float] = time.monotonic):
        self._write = write
        self._interval = interval
        self._clock = clock
        self._begun: tuple[float, int] | None = None
        self._written = 0.0
        self._found = Found()

    def update(self, landscape: Landscape) -> None:
        """Write a line if the last one is old enough."""
        now, done = self._clock(), len(landscape.searches)
        if self._begun is None:
            self._begun = (now, done)
            self._written = now
        if now - self._written >= self._interval:
            self._written = now
            rate = (done - self._begun[1]) / (now - self._begun[0])
            self._write(f"{done} searches done, {len(landscape.frontier)} left, {rate:.3g} per second, {self._found(landscape)}")

    def close(self) -> None:
        """Nothing is left to write: the caller reports the end."""


def progress_to(stream: TextIO, interval: float = 5.0) -> ProgressBar | ProgressLines:
    """A bar if the stream is a terminal, plain lines if not.

    Parameters
    ----------
    stream : text file
    interval : float
        Seconds between plain lines.
    """
    if stream.isatty():
        return ProgressBar(stream)

    def write(line: str) -> None:
        stream.write(line + "\n")
        stream.flush()

    return ProgressLines(write, interval)
