"""Averages over the tail of a stochastic search, kept in chunks so that the tail can move on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

SHORTEST = 16  # steps of a chunk at first; later an eighth of the last power of two


def chunk_end(n: int) -> int:
    """Where the chunk that holds step n (counted from 0) ends: chunks grow with n, so that the tail always has 8 to 16 of them."""
    size = max(SHORTEST, (1 << max(n, 1).bit_length() - 1) // 8)
    return (n // size + 1) * size


class Chunk(NamedTuple):
    """Means over successive steps.

    Parameters
    ----------
    first, size : int
        Its first step, and how many there are.
    x, g : (n,) arrays
        Means of the iterates and of the gradient estimates.
    squares : float
        Mean of |g|^2, in the dual norm.
    aligned, moved : float
        Sums of the products of successive moves, and of their squares, in the metric.
    """

    first: int
    size: int
    x: np.ndarray
    g: np.ndarray
    squares: float
    aligned: float
    moved: float

    @property
    def oscillating(self) -> bool:
        """Whether each move takes back most of the one before: steps too long for the curvature. Noise alone does much less."""
        return self.aligned < -0.5 * self.moved


class Tail:
    """The chunks of about the last half of the steps since averages were begun anew.

    Attributes
    ----------
    since : int
        The first step that counts.
    """

    def __init__(self) -> None:
        self.since = 0
        self.chunks: list[Chunk] = []

    def restart(self, step: int) -> None:
        """Begin anew from this step."""
        self.since = step
        self.chunks.clear()

    def add(self, chunk: Chunk) -> None:
        """Take a finished chunk, and let go of those before the last half."""
        self.chunks.append(chunk)
        end = chunk.first + chunk.size
        middle = self.since + (end - self.since) // 2
        while self.chunks[0].first + self.chunks[0].size <= middle:
            del self.chunks[0]

    @property
    def steps(self) -> int:
        """How many steps are averaged."""
        return sum(chunk.size for chunk in self.chunks)

    def mean(self, name: str) -> np.ndarray | float:
        """Mean over the tail of ``x``, ``g`` or ``squares``."""
        sizes = np.array([chunk.size for chunk in self.chunks])
        return np.dot(sizes / sizes.sum(), np.array([getattr(chunk, name) for chunk in self.chunks]))

    def spread(self) -> float:
        """How far the mean position may be from where it is going (max-norm): two standard errors by chunks, and the drift."""
        if len(self.chunks) < 4:
            return np.inf
        count, x = len(self.chunks), np.array([chunk.x for chunk in self.chunks])
        weights = np.array([chunk.size for chunk in self.chunks])[:, None] / self.steps
        variance = np.sum((weights * (x - np.sum(weights * x, axis=0))) ** 2, axis=0) * count / (count - 1)
        half = count // 2
        drift = np.abs(x[half:].mean(axis=0) - x[:half].mean(axis=0)).max()
        return float(drift + 2.0 * np.sqrt(variance.max()))

    def resting(self) -> bool:
        """Whether successive moves point, on average, against each other (Pflug, Stoch. Models 6 (1990) 297)."""
        return len(self.chunks) >= 4 and sum(chunk.aligned for chunk in self.chunks) < 0.0
