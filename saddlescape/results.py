"""What a search returns: status, stationary point, search result."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np


class Status(Enum):
    """How a search ended. ``status.sentence`` says it in one human sentence."""

    CONVERGED = "converged"
    OTHER_INDEX = "other-index"
    MAX_STEPS = "max-steps"
    STALLED = "stalled"
    DIVERGED = "diverged"
    NON_FINITE = "non-finite"
    NOT_CERTIFIED = "not-certified"
    INTERRUPTED = "interrupted"
    FAILED = "failed"

    @property
    def sentence(self) -> str:
        """One human sentence about this status."""
        return _SENTENCES[self]


_SENTENCES = {
    Status.CONVERGED: "The search converged to a certified stationary point of the index asked for.",
    Status.OTHER_INDEX: "The search converged to a certified stationary point, but of another index than asked for.",
    Status.MAX_STEPS: "The search used up its steps before it met its tolerance.",
    Status.STALLED: "The search stopped making progress before it met its tolerance.",
    Status.DIVERGED: "The search went too far from its start, or too high above the point it left.",
    Status.NON_FINITE: "The energy or gradient turned non-finite along the search.",
    Status.NOT_CERTIFIED: "The search met its tolerance, but the Morse index of the point could not be certified.",
    Status.INTERRUPTED: "The search was interrupted by the user.",
    Status.FAILED: "The search was ended by an error of the model or of a worker process.",
}


@dataclass(frozen=True, eq=False)
class StationaryPoint:
    """A stationary point with its certified Morse index.

    Parameters
    ----------
    x : (n,) array
        Where it is.
    energy : float
        E(x), in the model's units.
    gradient_norm : float
        Norm of the gradient in the mass inner product: sqrt(sum g_i^2 / mass_i).
    index : int
        Morse index: the number of eigenvalues below ``-zero_tolerance``.
    nullity : int
        The number of eigenvalues within ``zero_tolerance`` of zero.
    eigenvalues : (m,) array
        The lowest eigenvalues of H v = lambda mass v, ascending; at least ``index + nullity`` of them, except
        right after a search whose certificate came from an inertia count.
    eigenvectors : (m, n) array
        The eigenvectors that belong to them, as rows, orthonormal in the mass inner product.
    residuals : (m,) array
        |H v - lambda mass v| of each pair, in the norm of ``gradient_norm``.
    certificate : str
        How the index was counted, with its numbers, for a person to read.
    zero_tolerance : float
        Eigenvalues up to this size count as zero.
    orbit_size : int
        How many points (for continuous groups: connected components) the point stands for.
    orbit_dimension : int
        Dimension of its orbit under the declared continuous symmetries; 0 for an isolated point.
    """

    x: np.ndarray
    energy: float
    gradient_norm: float
    index: int
    nullity: int
    eigenvalues: np.ndarray
    eigenvectors: np.ndarray
    residuals: np.ndarray
    certificate: str
    zero_tolerance: float
    orbit_size: int = 1
    orbit_dimension: int = 0

    @property
    def unstable(self) -> np.ndarray:
        """The unstable eigenvectors, (index, n), orthonormal in the mass inner product."""
        return self.eigenvectors[: self.index]

    @property
    def degenerate(self) -> bool:
        """Whether it has more zero modes than its declared continuous symmetry explains."""
        return self.nullity > self.orbit_dimension

    def __repr__(self) -> str:
        return (
            f"StationaryPoint(index={self.index}, nullity={self.nullity}, energy={self.energy:.10g}, "
            f"gradient_norm={self.gradient_norm:.1e}, orbit_size={self.orbit_size}, dim={self.x.size})"
        )


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The path of a search, as far as it was asked for.

    Parameters
    ----------
    x : (s, n) array
        Positions, the start first.
    energy, gradient_norm : (s,) arrays
    """

    x: np.ndarray
    energy: np.ndarray
    gradient_norm: np.ndarray


@dataclass(frozen=True, eq=False)
class SearchResult:
    """What one search found, and what it cost.

    Parameters
    ----------
    status : Status
    message : str
        One sentence with the numbers of this search.
    point : StationaryPoint or None
        The certified point; None unless the status is CONVERGED or OTHER_INDEX.
    x : (n,) array
        The last position, whatever the status.
    energy, gradient_norm : float
        At ``x``; the norm is taken in the mass inner product.
    target_index : int
        The index asked for.
    n_steps, n_energy, n_gradient, n_hvp : int
        Steps of the dynamics and calls of the model, polish and certificate included.
    max_energy : float
        The highest energy seen along the path.
    seconds : float
        Wall time.
    trajectory : Trajectory or None
        Only if asked for.
    """

    status: Status
    message: str
    point: StationaryPoint | None
    x: np.ndarray
    energy: float
    gradient_norm: float
    target_index: int
    n_steps: int = 0
    n_energy: int = 0
    n_gradient: int = 0
    n_hvp: int = 0
    max_energy: float = float("nan")
    seconds: float = 0.0
    trajectory: Trajectory | None = field(default=None, repr=False)

    @property
    def success(self) -> bool:
        """Whether the search converged to a certified point of the index asked for."""
        return self.status is Status.CONVERGED
