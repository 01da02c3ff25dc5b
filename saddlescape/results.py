"""What a search returns: status, stationary point, search result."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

_NOT_STORED = {"stored": False}  # of a single search; landscapes and their files do without


class Status(Enum):
    """How a search ended. ``status.sentence`` says it in one human sentence."""

    CONVERGED = "converged"
    OTHER_INDEX = "other-index"
    ESTIMATED = "estimated"
    MAX_STEPS = "max-steps"
    STALLED = "stalled"
    DIVERGED = "diverged"
    NON_FINITE = "non-finite"
    NOT_CERTIFIED = "not-certified"
    INTERRUPTED = "interrupted"
    FAILED = "failed"
    COMPLETED = "completed"
    FLOOR_REACHED = "floor-reached"
    STEP_TOO_LARGE = "step-too-large"

    @property
    def sentence(self) -> str:
        """One human sentence about this status."""
        return _SENTENCES[self]


_SENTENCES = {
    Status.CONVERGED: "The search converged to a certified stationary point of the index asked for.",
    Status.OTHER_INDEX: "The search converged to a stationary point of another index than asked for.",
    Status.ESTIMATED: "The search met its tolerance with 95 % confidence; without an exact gradient nothing is certified.",
    Status.MAX_STEPS: "The search used up its steps before it met its tolerance.",
    Status.STALLED: "The search stopped making progress before it met its tolerance.",
    Status.DIVERGED: "The search went too far from its start, or too high above the point it left.",
    Status.NON_FINITE: "The energy or gradient turned non-finite along the search.",
    Status.NOT_CERTIFIED: "The search met its tolerance, but the Morse index of the point is not certain.",
    Status.INTERRUPTED: "The search was interrupted by the user.",
    Status.FAILED: "The search was ended by an error of the model or of a worker process.",
    Status.COMPLETED: "The trajectory made all its steps.",
    Status.FLOOR_REACHED: "The trajectory came to a point whose energy is at the floor or below it.",
    Status.STEP_TOO_LARGE: "The trajectory could not go on: steps led above the ceiling, however short they were made.",
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
class Estimate:
    """Where a stochastic search puts the stationary point, and how sure it is: an average, not a certified point.

    Parameters
    ----------
    x : (n,) array
        Average of the iterates over the last half of the search (Polyak-Ruppert).
    standard_error : (n,) array
        Of each entry of ``x``: sqrt(diag(H^-1 C H^-1) / steps) with C the covariance of a step's gradient estimate, and what the
        mean gradient says of the way still to go; beyond 100 unknowns the bound with min |lambda| in the place of H.
    gradient_norm : float
        At most this, with 95 % confidence: norm of the mean gradient estimate plus two standard errors.
    steps : int
        How many steps were averaged.
    index : int
        How many of the eigenvalues below are negative.
    eigenvalues, eigenvalue_errors : (m,) arrays
        The lowest eigenvalues of H v = lambda mass v at ``x``, one more than the index asked for (if there are so many), and their
        standard errors: Rayleigh quotients over fresh samples.
    confidence : (m,) array
        The probability that the sign of each is right.

    References
    ----------
    Polyak, Juditsky, SIAM J. Control Optim. 30 (1992) 838.
    """

    x: np.ndarray
    standard_error: np.ndarray
    gradient_norm: float
    steps: int
    index: int
    eigenvalues: np.ndarray
    eigenvalue_errors: np.ndarray
    confidence: np.ndarray

    @property
    def index_confidence(self) -> float:
        """Probability that all these signs are right, the errors being independent."""
        return float(np.prod(self.confidence))

    def __str__(self) -> str:
        largest = float(self.standard_error.max())
        pairs = zip(self.eigenvalues, self.eigenvalue_errors, strict=True)
        values = ", ".join(f"{value:.4g} +- {error:.1g}" for value, error in pairs)
        return (
            f"average of the last {self.steps} steps, every entry within a standard error of {largest:.1e}, |g| <= "
            f"{self.gradient_norm:.1e} (95 %); index {self.index} with confidence {self.index_confidence:.3f} from lowest "
            f"eigenvalues {values}"
        )


@dataclass(frozen=True, eq=False)
class Descent:
    """What an energy-conserving trajectory went through, and what it takes to go on as if it had never ended.

    Parameters
    ----------
    best_x : (n,) array
        The point of lowest energy on the way.
    best_energy : float
    floor, ceiling : float
        Those in force at the end; the ceiling is infinite where there is none.
    n_bounces : int
        Steps that drew a new direction.
    n_lowered : int
        How often the floor was lowered because it was reached.
    max_correction : float
        The largest relative error of the conserved energy that a step left to be corrected; see `EnergyConserving`.
    kicked : float
        The part of the steps whose kick was larger than the momentum.
    momentum : (n,) array
        The momentum p at the end.
    carried : (2, n) array
        The momentum that the next step begins with, and M^-1 times it: of a leapfrog its last kick is still due.
    due : float
        The time of that kick.
    counters : tuple of int
        Steps since the last noise, the last fixed bounce and the last best point, and the number of fixed bounces.
    stall_energy : float
        The best energy that stall bounces compare with.
    random_state : dict
        State of the random stream at the end.
    seed : SeedSequence or None
        What that stream was seeded with.
    """

    best_x: np.ndarray
    best_energy: float
    floor: float
    ceiling: float
    n_bounces: int
    n_lowered: int
    max_correction: float
    kicked: float
    momentum: np.ndarray
    carried: np.ndarray
    due: float
    counters: tuple[int, ...]
    stall_energy: float
    random_state: dict[str, Any] = field(repr=False)
    seed: Any = None

    def __str__(self) -> str:
        ceiling = f", ceiling {self.ceiling:.10g}" if np.isfinite(self.ceiling) else ""
        lowered = f" (lowered {self.n_lowered} times)" if self.n_lowered else ""
        return (
            f"best energy {self.best_energy:.10g} over the floor {self.floor:.10g}{lowered}{ceiling}; {self.n_bounces} bounces, "
            f"largest energy correction {self.max_correction:.1e}; seed {getattr(self.seed, 'entropy', 'not known')}"
        )


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The path of a search, as far as it was asked for.

    Parameters
    ----------
    x : (s, n) array
        Positions, the start first.
    energy, gradient_norm : (s,) arrays
    energy_error : (s,) array or None
        Of a method that conserves an energy: by how much each step left that wrong, relative, before it was corrected; NaN where
        the trajectory ended.
    """

    x: np.ndarray
    energy: np.ndarray
    gradient_norm: np.ndarray
    energy_error: np.ndarray | None = field(default=None, metadata=_NOT_STORED)


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
        Where the search puts the point, whatever the status: its last position, of a stochastic method the average.
    energy, gradient_norm : float
        At ``x``; the norm is taken in the mass inner product.
    target_index : int
        The index asked for.
    n_steps, n_energy, n_gradient, n_hvp : int
        Steps of the dynamics and calls of the model, stochastic estimates, polish and certificate included.
    max_energy : float
        The highest energy seen along the path.
    seconds : float
        Wall time.
    trajectory : Trajectory or None
        Only if asked for.
    estimate : Estimate or None
        Of a stochastic search whose point was not certified: where it is, with its error bar.
    n_rejected : int
        Steps that were rejected: of a stochastic search because an estimate was not finite, of an energy-conserving trajectory
        because they led above the ceiling.
    descent : Descent or None
        Of an energy-conserving trajectory: best point, bounces, energy corrections, and what it takes to go on.
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
    n_rejected: int = field(default=0, metadata=_NOT_STORED)
    estimate: Estimate | None = field(default=None, metadata=_NOT_STORED)
    descent: Descent | None = field(default=None, metadata=_NOT_STORED)

    @property
    def success(self) -> bool:
        """Whether the search ended as asked for: at a certified point of the index asked for, or, without an exact gradient, at an
        estimate that met the tolerance; a trajectory that explores: after all its steps, or at its floor.
        """
        return self.status in (Status.CONVERGED, Status.ESTIMATED, Status.COMPLETED, Status.FLOOR_REACHED)
