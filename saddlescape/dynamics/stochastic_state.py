"""Where a stochastic search stands, and the calls that connect it to a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..numerics.derivatives import Derivatives
from ..numerics.sampling import Estimates
from . import advance_stochastic as stepping
from .averages import Chunk, Tail, chunk_end
from .primitives import NON_FINITE, START, X
from .state import RowState

# The loop tries Newton's method where the next move is small beside the length over which the energy is simple. An average may be
# five times as far off: its error is at random, no sign of a path that leads on, and what is found is certified.
TRUSTED = 0.2
PATIENCE = 1000  # steps over which a search has to make progress


@dataclass(eq=False, kw_only=True)
class StochasticState(RowState):
    """Where a stochastic search stands; see `saddlescape.dynamics.state.State` for what the loop reads.

    Attributes
    ----------
    estimates : Estimates
        The stochastic derivatives.
    rng : Generator
        The stream of the samples.
    rows, floats, ints, quotients, sample : arrays
        What the stepping functions update in place, see `saddlescape.dynamics.advance_stochastic`.
    tail : Tail
        Averages over the last half of the steps.
    estimate : (n,) array
        Mean of the iterates over the tail.
    energy, gradient_norm, max_energy : float
        At the estimate, where the model has exact ones; else NaN, and the bound on the gradient norm that holds with 95 %.
    measured : (n,) array or None
    measured_at : int
        Where, and at which step, estimated step sizes were last measured.
    slowest : float
        The smallest |eigenvalue| that they were measured with.
    """

    estimates: Estimates
    rng: np.random.Generator
    floats: np.ndarray
    ints: np.ndarray
    quotients: np.ndarray
    sample: Any
    length: float = 1.0
    own_cap: bool = False
    tail: Tail = field(default_factory=Tail)
    estimate: np.ndarray
    energy: float = np.nan
    gradient_norm: float = np.inf
    max_energy: float = np.nan
    patience: int = PATIENCE
    measured: np.ndarray | None = None
    measured_at: int = 0
    slowest: float = 0.0

    @property
    def frame(self) -> np.ndarray:
        """The frame X, (k, n)."""
        first = stepping.blocks(0)[0]
        return self.rows[first : first + self.quotients.shape[1]]

    @property
    def metric_frame(self) -> np.ndarray:
        """Its image under the metric, (k, n)."""
        first = stepping.blocks(self.quotients.shape[1])[1]
        return self.rows[first : first + self.quotients.shape[1]]

    @property
    def outcome(self) -> int:
        """How the last steps ended."""
        return int(self.ints[stepping.OUTCOME])

    @property
    def n_rejected(self) -> int:
        """How many steps were rejected because an estimate was not finite."""
        return int(self.ints[stepping.REJECTED])

    @property
    def step(self) -> int:
        """How many steps have been made."""
        return int(self.ints[stepping.STEP])

    @property
    def next_move(self) -> float:
        """A fifth of how far the estimate may be from where it is going (max-norm)."""
        return TRUSTED * self.tail.spread()

    @property
    def check_every(self) -> int:
        """Steps to the end of the chunk, where averages are looked at."""
        return chunk_end(self.step) - self.step

    def widen(self, length: float) -> None:
        """Take a larger length as the scale, and the displacement cap with it unless the user set it."""
        if not self.own_cap:
            self.floats[stepping.CAP] *= length / self.length
        self.length = length


def empty_state(estimates: Estimates, x0: np.ndarray, k: int, rng: np.random.Generator) -> StochasticState:
    """Arrays for a frame of k rows at x0 (n,); sizes are still to be set."""
    rows = np.zeros((stepping.blocks(k)[-1], x0.size))
    rows[START] = rows[X] = x0
    ints = np.zeros(stepping.N_INTS, dtype=np.int64)
    ints[stepping.FRAME_ROWS] = k
    return StochasticState(
        estimates=estimates,
        rng=rng,
        rows=rows,
        floats=np.zeros(stepping.N_FLOATS),
        ints=ints,
        quotients=np.zeros((2, k)),
        sample=np.empty(estimates.model.sample_size) if estimates.compiled else None,
        estimate=x0.copy(),
    )


def make_steps(kind: str, state: StochasticState, n_steps: int) -> int:
    """Up to ``n_steps`` steps ("saddle") or sweeps at a fixed point ("eigenvector"); returns how many were made."""
    estimates, which = state.estimates, ("saddle", "eigenvector").index(kind)
    derivatives = estimates.derivatives
    mass = derivatives.mass_vector
    arrays = (state.rows, state.floats, state.ints, state.quotients)
    counters = [stepping.GRADIENTS, stepping.PRODUCTS]
    before = state.ints[counters]
    if estimates.compiled:
        model = estimates.model
        function = stepping.compiled()[which]
        done = function(*model.kernels.stochastic_pointers, model.params, mass, mass, n_steps, *arrays, state.sample, state.rng)
        derivatives.n_gradient += int(state.ints[counters[0]] - before[0])
    else:
        function = (stepping.saddle_steps, stepping.eigenvector_steps)[which]
        done = function(*_interpreted(estimates), mass, n_steps, *arrays, None, state.rng)
    # Interpreted, the estimates count themselves, but nobody else sees products that are differences of gradients.
    if estimates.compiled or not estimates.has_hvp:
        derivatives.n_hvp += int(state.ints[counters[1]] - before[1])
    return done


def close_chunk(derivatives: Derivatives, state: StochasticState) -> None:
    """Move the sums since the last chunk into the tail, and look where the search stands."""
    added = int(state.ints[stepping.ADDED])
    if added:
        sums = state.rows[[stepping.SUM_X, stepping.SUM_G]] / added
        squares, aligned, moved = state.floats[[stepping.SQUARES, stepping.ALIGNED, stepping.MOVED]].tolist()
        state.tail.add(Chunk(state.step - added, added, sums[0], sums[1], squares / added, aligned, moved))
        state.estimate = state.tail.mean("x")
    state.rows[[stepping.SUM_X, stepping.SUM_G]] = 0.0
    state.floats[[stepping.SQUARES, stepping.ALIGNED, stepping.MOVED]] = 0.0
    state.ints[stepping.ADDED] = 0
    look(derivatives, state)


def begin_anew(state: StochasticState) -> None:
    """Drop the averages, and what they said of the gradient: a search must not end on estimates that are no longer those in use."""
    state.tail.restart(state.step)
    if not state.estimates.derivatives.model.deterministic:
        state.gradient_norm = np.inf


def look(derivatives: Derivatives, state: StochasticState) -> None:
    """Energy and gradient norm at the estimate, exact where the model has them, else a bound that holds with 95 % confidence."""
    if not derivatives.model.deterministic:
        if state.tail.chunks:
            state.gradient_norm = gradient_bound(derivatives, state.tail)
        return
    gradient = np.empty_like(state.estimate)
    state.energy = derivatives.energy_gradient(state.estimate, gradient)
    state.gradient_norm = derivatives.gradient_norm(gradient)
    state.max_energy = max(state.max_energy, state.energy) if np.isfinite(state.max_energy) else state.energy
    if not (np.isfinite(state.energy) and np.isfinite(state.gradient_norm)):
        state.ints[stepping.OUTCOME] = NON_FINITE


def gradient_bound(derivatives: Derivatives, tail: Tail) -> float:
    """Norm of the mean gradient estimate over the tail plus two standard errors."""
    norm = derivatives.gradient_norm(tail.mean("g"))
    variance = max(tail.mean("squares") - norm**2, 0.0)
    return norm + 2.0 * float(np.sqrt(variance / tail.steps))


def _interpreted(estimates: Estimates) -> tuple:
    """The arguments of a stepping function that connect it to any model; the sample in use is kept here, whatever it is."""
    held: list[Any] = [None]

    def draw(params: Any, rng: np.random.Generator, sample: Any) -> None:
        held[0] = estimates.draw(rng)

    def gradient(x: np.ndarray, params: Any, sample: Any, out: np.ndarray) -> None:
        estimates.gradient(x, held[0], out)

    def hvp(x: np.ndarray, v: np.ndarray, params: Any, sample: Any, out: np.ndarray) -> None:
        estimates.hvp(x, v, held[0], out)

    return draw, gradient, hvp, None, estimates.derivatives
