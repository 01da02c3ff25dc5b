"""The explorer: energy-conserving trajectories under a ceiling that find the basins next to a minimum, and the ridges between."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..given import is_integer, is_number
from ..model import EnergyModel
from ..results import StationaryPoint
from .frontier import Departure

NO_DIRECTION = np.empty(0)


@dataclass(frozen=True)
class ECDExplorer:
    """From each minimum along a frictionless trajectory under an energy ceiling, to the ridges of its basin and beyond.

    The trajectory (`saddlescape.ECDSep`, leapfrog) leaves in a random direction and conserves its energy. Every few steps the point
    it has come to is labelled by the minimum that gradient flow leads to from there; where the label changes, the chord between
    the two points is bisected down to a point on the ridge, and the saddle dynamics of the run looks for the index-1 point from
    there. What it finds is certified and merged as everything else, and left to both sides by gradient flow: those two quenches
    are what makes an edge, whatever basins the trajectory has seen. Minima found so are left in the same way.

    No trajectory rises above its ceiling, so that what is found lies behind barriers below it, up to what bisected chords and the
    saddle dynamics add. A minimum that was not found may still be there: absence of a crossing is evidence, not proof.

    Parameters
    ----------
    ceiling : float
        Energy budget, in the model's units: no point of a trajectory lies higher than this above the first minimum of the
        landscape. Minima that lie higher themselves are left from the stage on whose ceiling is above them.
    stages : int
        Each minimum is left under the ceilings ``ceiling``, ``2 * ceiling``, ... ``stages * ceiling`` one after the other.
    n_steps : int
        Steps of a trajectory, one gradient each.
    every : int
        Steps between two labels.
    margin : float, optional
        The floor of a trajectory lies this far below its minimum, and is lowered to as far below any better point; the ceiling
        stays. A larger one spreads the trajectory more evenly over the energies below the ceiling. Default: 0.3 of its ceiling's
        height above the minimum.
    step : float, optional
        The longest displacement in one step, in the norm of the trajectory (see Notes). Default: 0.3 sqrt(W / (2 eta kappa)) with
        W = ceiling - floor and kappa the largest curvature at the minimum, a seventh of what would be unstable there.
    eta : float
        Power of the excess energy that is conserved, at least 1: a larger one keeps the trajectory lower.
    decoherence : float, optional
        As in `saddlescape.ECDSep`: each step turns the direction at random by about this times sqrt(unknowns). Default: by 0.14, so
        that it is forgotten in about 100 steps.
    modes : int or (m, n) array, optional
        Move along the softest modes of the model's preconditioner alone, this many of them, or along given directions (rows, whose
        span alone matters), each scaled by its curvature at the minimum. Default: all unknowns.
    rest : "frozen" or "relaxed"
        What happens to everything else under ``modes``. Frozen it stays as it is at the minimum until the quench that labels a
        point. Relaxed it follows the point at the lowest energy there is, step by step: the trajectory moves on the energy that is
        left when the rest is minimised out, under which the barrier of a passage is the true one. Each step then costs a few
        gradients and Hessian-vector products.
    tries : int
        How many ridge points are kept for each pair of basins of one trajectory.
    max_runs : int
        At most this many trajectories in a run of `explore` or `extend`.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Notes
    -----
    The conserved energy is shared by all unknowns. On fields a ceiling a little above a barrier is hardly ever spent in one
    direction: give ``modes``, the fewer the softer. Without, the preconditioner is the mass matrix, so that the stiffest mode does
    not set the step, and lengths are measured in its norm; with ``modes`` in the square root of the energy; else in the mass norm.
    The same ``modes`` serve at all minima.

    References
    ----------
    De Luca, Silverstein, arXiv 2201.11137; De Luca, Gatti, Silverstein, arXiv 2306.00352 (the dynamics); Schaefer et al., J. Chem.
    Phys. 140 (2014) 214102, arXiv 1401.8081 (pairs of minima from molecular dynamics as the ends of a path search).
    """

    ceiling: float
    stages: int = 1
    n_steps: int = 20_000
    every: int = 50
    margin: float | None = None
    step: float | None = None
    eta: float = 1.0
    decoherence: float | None = None
    modes: int | list | tuple | None = None
    rest: str = "frozen"
    tries: int = 2
    max_runs: int = 100

    def __post_init__(self) -> None:
        for name, none in (("ceiling", False), ("margin", True), ("step", True), ("decoherence", True), ("eta", False)):
            value = getattr(self, name)
            if not ((none and value is None) or (is_number(value) and 0.0 < value < np.inf)):
                expected = "a positive number" + (", or None to take it from the problem" if none else "")
                raise ValueError(f"{name}: got {value!r}, expected {expected}")
        if self.eta < 1.0:
            raise ValueError(f"eta: got {self.eta!r}, expected at least 1")
        for name in ("stages", "n_steps", "every", "tries", "max_runs"):
            value = getattr(self, name)
            if not (is_integer(value) and value >= 1):
                raise ValueError(f"{name}: got {value!r}, expected an integer of at least 1")
        object.__setattr__(self, "modes", _modes(self.modes))
        if self.rest not in ("frozen", "relaxed"):
            raise ValueError(f'rest: got {self.rest!r}, expected "frozen" or "relaxed"')
        if self.rest == "relaxed" and self.modes is None:
            raise ValueError(
                'rest: "relaxed" says what becomes of the unknowns that modes leaves out, and modes is None; give modes'
            )
        if self.every > self.n_steps:
            raise ValueError(f"every: got {self.every}, expected at most n_steps = {self.n_steps}, or nothing is ever labelled")

    def require(self, model: EnergyModel) -> None:
        """Check that it can explore a model.

        Raises
        ------
        TypeError
            If the model has no exact gradient.
        ValueError
            If it has no preconditioner, or too few unknowns, for ``modes``, or given directions have another length.
        """
        if not model.deterministic:
            raise TypeError(
                f"searches: ECDExplorer conserves an energy, and {type(model).__name__} has stochastic estimates alone; give the "
                "model energy(x) and gradient(x), or leave the explorer out"
            )
        if self.modes is None:
            return
        if isinstance(self.modes, tuple):
            if len(self.modes[0]) != model.dim:
                raise ValueError(
                    f"modes: got directions of {len(self.modes[0])} entries, expected {model.dim}, the number of unknowns"
                )
            return
        if not hasattr(model, "preconditioner"):
            raise ValueError(
                f"modes: {type(model).__name__} has no preconditioner, whose softest modes these are; give it preconditioner(x), "
                "give directions (m, n) as modes, or explore all unknowns with modes=None"
            )
        if self.modes > model.dim:
            raise ValueError(f"modes: got {self.modes}, expected at most {model.dim}, the number of unknowns")

    def departure(self, point: StationaryPoint, base: float, stage: int) -> Departure | None:
        """The trajectory from a minimum in the first stage, of those from ``stage`` (0, 1, ...) on, whose ceiling is above it.

        ``base``: energy of the first minimum of the landscape. None: there is no such stage left.
        """
        for number in range(stage, self.stages):
            ceiling = base + (number + 1) * self.ceiling
            if ceiling > point.energy:
                margin = self.margin if self.margin is not None else 0.3 * (ceiling - point.energy)
                return Departure("ecd", number, 0, 0, np.array([point.energy - margin, ceiling]), None)
        return None


def _modes(modes: Any) -> int | tuple | None:
    """A number of modes as it is, given directions as a tuple of tuples, which is compared and written down like any parameter."""
    if modes is None or (is_integer(modes) and modes >= 1):
        return modes
    rows = np.asarray(modes) if isinstance(modes, (list, tuple, np.ndarray)) else np.empty(0)
    if rows.ndim != 2 or not rows.size or rows.dtype.kind not in "fiu" or not np.isfinite(rows).all():
        got = f"an array of shape {rows.shape}" if isinstance(modes, np.ndarray) else repr(modes)
        raise ValueError(f"modes: got {got}, expected an integer of at least 1, finite directions (m, n), or None for all unknowns")
    rank = int(np.linalg.matrix_rank(rows))
    if rank < len(rows):
        raise ValueError(f"modes: the {len(rows)} directions span {rank} dimensions only; leave out those that depend on others")
    return tuple(tuple(row) for row in rows.astype(float).tolist())
