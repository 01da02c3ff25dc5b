"""Where an energy-conserving trajectory stands, how one begins, and the calls that connect it to a model."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..numerics.derivatives import Derivatives
from ..results import Descent, SearchResult, Status
from . import advance_ecd as stepping
from . import ecd_laws as laws
from . import ecd_rows
from .ecd_rows import BEST, IMAGES, NOISE_P, G, P
from .primitives import NON_FINITE, RUNNING, START, X
from .state import RowState

NOISE_EVERY = 10  # steps, under a preconditioner, where noise costs a solve, and with more unknowns than
FEW = 100  # where as many normal random numbers take longer than a gradient, so that noise is made of signs
VANISHING = 1e-8  # gradient times 1 + max|x|, relative to the excess energy, below which it has no direction to speak of
ROUGH = 0.1  # relative error of a conserved energy that deserves a warning
_ENDINGS = {
    RUNNING: None,
    NON_FINITE: Status.NON_FINITE,
    laws.FLOOR_REACHED: Status.FLOOR_REACHED,
    laws.TOO_LARGE: Status.STEP_TOO_LARGE,
}


@dataclass(eq=False, kw_only=True)
class DescentState(RowState):
    """Where an energy-conserving trajectory stands; see `saddlescape.dynamics.state.State` for what the loop reads.

    Attributes
    ----------
    rows, floats, ints : arrays
        What the stepping function updates in place, see `saddlescape.dynamics.advance_ecd`.
    mass : (n,) array
    metric : None, (n,) array or Derivatives
        What the stepping function knows of M, see `saddlescape.dynamics.ecd_rows`.
    rng : Generator
        The stream of noise and bounces.
    seed : SeedSequence or None
        What the stream was seeded with, if it was.
    """

    floats: np.ndarray
    ints: np.ndarray
    mass: np.ndarray
    metric: Any
    rng: np.random.Generator
    seed: Any = None
    check_every: int = 1000
    length: float = np.inf
    next_move: float = np.inf
    patience: int = np.iinfo(np.int64).max

    @property
    def g(self) -> np.ndarray:
        """dE/dx at x, (n,)."""
        return self.rows[G]

    @property
    def carried(self) -> np.ndarray:
        """The momentum that steps go on from, its last kick still due, and M^-1 times it, (2, n); a copy."""
        image = self.rows[P + IMAGES] if isinstance(self.metric, Derivatives) else self.rows[P] / self.mass
        return np.array([self.rows[P], image])

    @property
    def _settled(self) -> tuple[np.ndarray, float]:
        """The momentum at x (n,), and its |p|^2."""
        (p, v), g, floats, ints = self.carried, self.g, self.floats, self.ints
        if floats[laws.DUE] == 0.0:
            return p, np.dot(p, v)
        w = self.rows[G + IMAGES] if isinstance(self.metric, Derivatives) else g / self.mass
        found = np.dot(p, v), np.dot(v, g), np.dot(g, w)
        keep, push, squared, _ = laws.settled(floats, ints, *found, *laws.force(floats, ints, g.size, found[2]))
        return keep * p + push * g, squared

    @property
    def momentum(self) -> np.ndarray:
        """The momentum, (n,)."""
        return self._settled[0]

    @property
    def best_x(self) -> np.ndarray:
        """The point of lowest energy so far, (n,)."""
        return self.rows[BEST]

    @property
    def energy(self) -> float:
        """E(x)."""
        return float(self.floats[laws.ENERGY])

    @property
    def best_energy(self) -> float:
        """The lowest energy so far."""
        return float(self.floats[laws.BEST_ENERGY])

    @property
    def max_energy(self) -> float:
        """The highest energy so far."""
        return float(self.floats[laws.MAX_ENERGY])

    @property
    def floor(self) -> float:
        """The floor in force."""
        return float(self.floats[laws.FLOOR])

    @property
    def ceiling(self) -> float:
        """The ceiling in force, infinite where there is none."""
        return float(self.floats[laws.CEILING])

    @property
    def gradient_norm(self) -> float:
        """Norm of dE/dx in the mass inner product."""
        return float(np.sqrt(np.dot(self.g, self.g / self.mass)))

    @property
    def outcome(self) -> int:
        """How the last steps ended, see `saddlescape.dynamics.advance_ecd`."""
        return int(self.ints[laws.OUTCOME])

    @property
    def ended(self) -> Status | None:
        """Why the trajectory cannot go on; None where it can."""
        return _ENDINGS[self.outcome]

    @property
    def trouble(self) -> str:
        """What a person needs to know about a step that failed; empty if none did."""
        if self.ended not in (Status.STEP_TOO_LARGE, Status.NON_FINITE) or not self.n_rejected:
            return ""
        step, part = self.floats[laws.STEP], (self.energy - self.floor) / (self.ceiling - self.floor)
        return (
            f"A step of {step:g} was halved {stepping.MAX_HALVINGS} times, from an energy at {part:.3g} of the way from the "
            "floor to the ceiling"
        )

    @property
    def n_rejected(self) -> int:
        """How many steps were rejected and halved."""
        return int(self.ints[laws.REJECTED])

    @property
    def energy_error(self) -> float:
        """By how much the conserved energy is off here, relative (of `ECDSep` the error of D^eta (1 + |p|^2))."""
        want = laws.wanted(self.floats, self.ints)
        return float(laws.misfit(self.floats, self.ints, self._settled[1], want))

    def widen(self, length: float) -> None:
        """Lengths mean nothing to a trajectory that does not converge."""


def empty_state(derivatives: Derivatives, x0: np.ndarray, rng: np.random.Generator) -> DescentState:
    """Arrays at x0 (n,), energy and gradient evaluated, without a momentum."""
    rows = np.zeros((ecd_rows.N_ROWS, x0.size))
    rows[START] = rows[X] = rows[BEST] = x0
    floats, ints = np.zeros(laws.N_FLOATS), np.zeros(laws.N_INTS, dtype=np.int64)
    energy = derivatives.energy_gradient(rows[X], rows[G])
    floats[[laws.ENERGY, laws.BEST_ENERGY, laws.MAX_ENERGY]] = energy
    floats[laws.STALL_ENERGY] = np.inf
    floats[laws.ETA] = floats[laws.WEIGHT] = 1.0
    ints[laws.RESCALE] = ints[laws.NOISE_EVERY] = 1
    metric = derivatives
    if derivatives.compiled:
        uniform = isinstance(derivatives.mass, float)
        metric = None if uniform else 1.0 / derivatives.mass
        floats[laws.WEIGHT] = 1.0 / derivatives.mass if uniform else 1.0
    state = DescentState(
        rows=rows,
        floats=floats,
        ints=ints,
        mass=derivatives.mass_vector,
        metric=metric,
        rng=rng,
        seed=getattr(rng.bit_generator, "seed_seq", None),
        check_every=max(1000, 20_000 // x0.size) if derivatives.compiled else 20,  # a look costs 10 us
    )
    if not (np.isfinite(energy) and np.isfinite(state.gradient_norm)):
        ints[laws.OUTCOME] = NON_FINITE
        return state
    rows[G + IMAGES] = derivatives.solve(rows[G])
    return state


def set_out(derivatives: Derivatives, state: DescentState, direction: tuple[float, ...] | None) -> None:
    """Give the momentum its first direction: the one given, else downhill, else (at a stationary point) one drawn at random."""
    rows, floats = state.rows, state.floats
    excess = floats[laws.ENERGY] - floats[laws.FLOOR]
    if direction is not None:
        v = np.array(direction)
        p = derivatives.apply(v)
    elif state.gradient_norm * (1.0 + np.abs(state.x).max()) > VANISHING * excess:
        p, v = -rows[G], -rows[G + IMAGES]
    else:
        ecd_rows.gaussian(derivatives, 1.0, rows, state.rng)
        p, v = rows[NOISE_P], rows[NOISE_P + IMAGES]
    size = np.sqrt(laws.wanted(floats, state.ints) / np.dot(p, v))
    rows[P], rows[P + IMAGES] = size * p, size * v


def go_on(state: DescentState, descent: Descent) -> None:
    """Set a state at the end of another trajectory to go on as that one would have."""
    state.rows[P], state.rows[P + IMAGES] = descent.carried
    state.rows[BEST] = descent.best_x
    state.floats[laws.BEST_ENERGY] = descent.best_energy
    state.floats[[laws.STALL_ENERGY, laws.DUE]] = descent.stall_energy, descent.due
    state.floats[[laws.FLOOR, laws.CEILING]] = descent.floor, descent.ceiling
    state.ints[laws.SINCE_NOISE : laws.FIXED + 1] = descent.counters
    state.rng = np.random.Generator(getattr(np.random, descent.random_state["bit_generator"])())
    state.rng.bit_generator.state = descent.random_state
    state.seed = descent.seed


def make_steps(derivatives: Derivatives, state: DescentState, n_steps: int) -> int:
    """Up to ``n_steps`` steps and bounces; returns how many were made."""
    arrays = (n_steps, state.rows, state.floats, state.ints, state.rng)
    if not derivatives.compiled:
        return stepping.ecd_steps(lambda x, params, out: derivatives.energy_gradient(x, out), None, state.metric, *arrays)
    model, before = derivatives.model, int(state.ints[laws.GRADIENTS])
    steps = stepping.compiled(state.metric is None)
    done = steps(model.kernels.pointers[0], model.params, state.metric, *arrays)
    derivatives.n_gradient += int(state.ints[laws.GRADIENTS]) - before
    return done


def summary(state: DescentState) -> Descent:
    """What a trajectory went through, and what it takes to go on."""
    ints, floats = state.ints, state.floats
    return Descent(
        best_x=state.best_x.copy(),
        best_energy=state.best_energy,
        floor=state.floor,
        ceiling=state.ceiling,
        n_bounces=int(ints[laws.BOUNCES]),
        n_lowered=int(ints[laws.ADAPTED]),
        max_correction=float(floats[laws.MAX_CORRECTION]),
        kicked=int(ints[laws.KICKED]) / max(int(ints[laws.GRADIENTS]), 1),
        momentum=state.momentum,
        carried=state.carried,
        due=float(floats[laws.DUE]),
        counters=tuple(ints[laws.SINCE_NOISE : laws.FIXED + 1].tolist()),
        stall_energy=float(floats[laws.STALL_ENERGY]),
        random_state=state.rng.bit_generator.state,
        seed=state.seed,
    )


def warn_rough(result: SearchResult) -> None:
    """Warn where a trajectory hardly conserved its energy, or was none of a frictionless particle: its steps were too long."""
    descent = result.descent
    if descent is None or result.n_steps == 0:
        return
    # At a floor that minima lie below forces are without bound, so that no step is short enough; that floor is reported.
    floored = result.status is Status.FLOOR_REACHED or descent.n_lowered > 0
    if descent.max_correction > ROUGH and not floored:
        warnings.warn(
            f"step: one step left the conserved energy wrong by {descent.max_correction:.2g} (relative), more than {ROUGH}; take "
            "shorter ones",
            stacklevel=3,
        )
    if descent.kicked > 0.5:
        warnings.warn(
            f"step: in {descent.kicked:.0%} of the steps the force changed the momentum by more than its length, so this was "
            "gradient descent with Polyak's step size, not frictionless motion; take shorter steps, or a lower floor",
            stacklevel=3,
        )
