"""Stochastic high-index saddle dynamics."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from ..model import EnergyModel
from ..numerics.derivatives import Derivatives
from ..numerics.sampling import Estimates, SampleMean
from ..results import Estimate
from . import advance_stochastic as stepping
from .averages import chunk_end
from .conclude import conclude
from .hisd import orthonormal_frame
from .primitives import NON_FINITE
from .scales import FARTHEST, curvature_length
from .schedules import FRAME_DECAY, SAMPLES, Sizes, constant_sizes, lowest, rough_sizes, schedule_numbers
from .steps import Constant, Decaying, DoublingBatch, EigenvectorSearch, Estimated, check_index, check_schedule_type, check_size
from .stochastic_state import PATIENCE, StochasticState, begin_anew, close_chunk, empty_state, look, make_steps

FIRST_SWEEPS = 100  # of the eigenvector search before the first step
MEASURED_EVERY = 256  # steps after which they are measured again in any case, and then whenever the steps have doubled
FAR = 0.5  # distance, relative to the length over which the energy is simple, after which step sizes are measured again
FRAME_SAFETY = 0.5  # on the way to a saddle the spectrum gets wider; too long steps turn the frame to the highest eigenvectors
SHORT_STEP = 0.05  # steps shorter than this part of the stable size are counted as so much less than one


@dataclass(frozen=True)
class SHiSD:
    """Stochastic high-index saddle dynamics: saddles from unbiased estimates of gradients and Hessian-vector products.

    x' = x + a(n) (-M^-1 g + 2 X^T (X g)) with g a gradient estimate and X the frame of the index's unstable directions, which the
    stochastic eigenvector search follows. What is reported is the mean of the iterates over the last half of the steps. Where the
    model has an exact gradient too, Newton's method takes over as soon as that mean is near enough, and the point is certified;
    where it has none, the result is an estimate with its error bar (`SearchResult.estimate`).

    Parameters
    ----------
    index : int, optional
        The Morse index to look for. Default: what the driver asks for.
    step : Estimated, Decaying or Constant
        Step sizes a(n).
    eigen : EigenvectorSearch or None
        How the frame follows. None: the unstable space is known, the frame given to `search` stays as it is.
    samples : int or DoublingBatch
        How many samples a step averages its gradient over.
    cap : float, optional
        Largest change of any unknown in one step. Default: half the length over which the curvature changes by half at the start.
        It keeps rare samples from throwing the iterate out, and is never reached near a saddle.
    preconditioned : bool
        Use the model's preconditioner as the metric, if it has one. On fields the plain form takes O(h^-2) steps.

    Raises
    ------
    ValueError
        If a part is of the wrong kind or a number out of range.

    References
    ----------
    Shi, Zhang, Du, arXiv 2510.14144; M as in Huang, Su, Zhang, Zhao, arXiv 2603.25390; averages: Polyak, Juditsky, SIAM J.
    Control Optim. 30 (1992) 838.
    """

    index: int | None = None
    step: Estimated | Decaying | Constant = Estimated()
    eigen: EigenvectorSearch | None = EigenvectorSearch()
    samples: int | DoublingBatch = 1
    cap: float | None = None
    preconditioned: bool = True

    stochastic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_index(self.index)
        check_schedule_type("step", self.step)
        if not isinstance(self.eigen, (EigenvectorSearch, type(None))):
            raise ValueError(f"eigen: got {self.eigen!r}, expected EigenvectorSearch() or, for a known unstable space, None")
        whole = isinstance(self.samples, (int, np.integer)) and not isinstance(self.samples, bool) and self.samples >= 1
        if not (whole or isinstance(self.samples, DoublingBatch)):
            raise ValueError(f"samples: got {self.samples!r}, expected an integer of at least 1 or DoublingBatch()")
        check_size("cap", self.cap)

    def require(self, model: EnergyModel) -> None:
        """Check that a model has stochastic derivatives; TypeError if not."""
        check_stochastic(model)

    def begin(
        self,
        derivatives: Derivatives,
        x0: np.ndarray,
        *,
        index: int,
        frame: np.ndarray | None,
        length: float | None,
        rng: np.random.Generator,
    ) -> StochasticState:
        """See `saddlescape.dynamics.state.Method`."""
        if self.eigen is None and index and frame is None:
            raise ValueError("frame: eigen=None takes the unstable space as known; pass frame (k, n), its directions as rows")
        state = empty_state(Estimates(derivatives, derivatives.model), x0, index, rng)
        state.floats[stepping.RADIUS] = FARTHEST * (1.0 + np.abs(x0).max())
        look(derivatives, state)
        mean = state.estimates.mean(rng, SAMPLES)
        if not mean.finite(x0):
            state.ints[stepping.OUTCOME] = NON_FINITE
            return state
        state.length = curvature_length(mean, x0, mean.solve(mean.gradient(x0))) if length is None else length
        sizes = self._measured(mean, x0, index, frame, state.length, rng)
        if index:
            state.frame[:], state.metric_frame[:] = orthonormal_frame(derivatives, sizes.vectors if frame is None else frame)
        self._prepare(state, sizes)
        if state.ints[stepping.SWEEPS]:
            make_steps("eigenvector", state, FIRST_SWEEPS)
            state.ints[stepping.STEP] = 0
        return state

    def _measured(self, mean: SampleMean, x0: np.ndarray, index: int, frame: np.ndarray | None, length: float, rng) -> Sizes:
        """What is measured at the start: step sizes where they are not given, a first frame where there is none."""
        eigen = None if self.eigen is None else self.eigen.step
        if isinstance(self.step, Estimated) or (index > 0 and isinstance(eigen, Estimated)):
            return rough_sizes(mean, x0, index, frame, length, rng)
        return Sizes(vectors=lowest(mean, x0, index, None, rng)[1] if index and frame is None else np.empty((0, 0)))

    def _prepare(self, state: StochasticState, sizes: Sizes) -> None:
        floats, ints = state.floats, state.ints
        state.own_cap = self.cap is not None
        floats[stepping.CAP] = self.cap if self.cap is not None else 0.5 * state.length
        floats[stepping.DIMER] = state.estimates.derivatives.half_length(state.x)
        ints[stepping.HAS_HVP] = state.estimates.has_hvp
        ints[stepping.SINCE] = -1 if isinstance(self.step, Estimated) else 0
        ints[stepping.SWEEPS] = self.eigen.inner if self.eigen is not None and state.frame.size else 0
        self._set_sizes(state, state.x, sizes)
        growing = isinstance(self.samples, DoublingBatch)
        ints[stepping.DRAWS] = 1 if growing else self.samples
        ints[stepping.DOUBLE_EVERY] = self.samples.every if growing else 0
        ints[stepping.MAX_DRAWS] = self.samples.limit if growing else self.samples

    def _set_sizes(self, state: StochasticState, x: np.ndarray, sizes: Sizes) -> None:
        floats = state.floats
        floats[stepping.GAMMA : stepping.POWER + 1] = schedule_numbers(self.step, sizes.step)
        if self.eigen is not None:
            constant = FRAME_SAFETY * sizes.frame
            floats[stepping.FRAME_GAMMA : stepping.FRAME_POWER + 1] = schedule_numbers(self.eigen.step, constant, FRAME_DECAY)
        if isinstance(self.step, Estimated):  # short steps take more of them to get anywhere
            state.patience = int(PATIENCE * max(1.0, SHORT_STEP / (sizes.step * sizes.largest)))
        state.measured, state.measured_at, state.slowest = np.array(x), state.step, sizes.slowest

    def careful(self) -> SHiSD:
        """The same method with three times as many sweeps of the eigenvector search."""
        return self if self.eigen is None else replace(self, eigen=replace(self.eigen, inner=3 * self.eigen.inner))

    def advance(self, derivatives: Derivatives, state: StochasticState, n_steps: int, tolerance: float) -> int:
        """See `saddlescape.dynamics.state.Method`."""
        done = 0
        while done < n_steps:
            done += make_steps("saddle", state, min(n_steps - done, state.check_every))
            if state.outcome != 0:
                break
            if state.step == chunk_end(state.step - 1):
                close_chunk(derivatives, state)
                self._adapt(state)
        return done

    def conclude(self, derivatives: Derivatives, state: StochasticState, index: int) -> Estimate | None:
        """What can be said of the end of a search that was not certified; None if it ended before there was any average."""
        return conclude(derivatives, state, index)

    def _adapt(self, state: StochasticState) -> None:
        """What changes at the end of a chunk.

        Estimated steps are measured again when the iterate has gone far, halved where they are too long, and decay once it has
        come to rest; estimates are refined then, if they can be.
        """
        if not state.tail.chunks:
            return
        last = state.tail.chunks[-1]
        if isinstance(self.step, Estimated):
            far = np.abs(last.x - state.measured).max() > FAR * state.length
            # Noise that dies out on the way to a saddle, as that of function values does, lets steps grow.
            if state.ints[stepping.SINCE] < 0 and (far or state.step >= max(2 * state.measured_at, MEASURED_EVERY)):
                self._measure_again(state, last.x)
            if last.oscillating:
                state.floats[stepping.GAMMA] *= 0.5
                return
        if not state.tail.resting():
            return
        refined = getattr(state.estimates.model, "refined", lambda: None)()
        if refined is not None:
            state.estimates = Estimates(state.estimates.derivatives, refined)
            begin_anew(state)
            return
        if state.ints[stepping.SINCE] >= 0:
            return
        mean = state.estimates.mean(state.rng, SAMPLES)
        if not mean.finite(state.estimate):
            return  # the next samples will be better
        sizes = rough_sizes(mean, state.estimate, state.quotients.shape[1], state.frame.copy(), state.length, state.rng)
        constant = state.floats[stepping.GAMMA]
        gamma = self.step.factor / sizes.slowest
        state.floats[stepping.GAMMA : stepping.POWER + 1] = gamma, gamma / constant, 1.0
        state.ints[stepping.SINCE] = state.step
        begin_anew(state)

    def _measure_again(self, state: StochasticState, x: np.ndarray) -> None:
        mean = state.estimates.mean(state.rng, SAMPLES)
        if mean.finite(x):
            self._set_sizes(state, x, constant_sizes(mean, x, state.length, state.slowest))


def check_stochastic(model: EnergyModel) -> None:
    """Check that a model has stochastic derivatives.

    Raises
    ------
    TypeError
        If it has not.
    """
    lacking = [name for name in ("draw", "stochastic_gradient") if not hasattr(model, name)]
    if lacking:
        raise TypeError(
            f"model: {type(model).__name__} has no {' and no '.join(lacking)}, which stochastic saddle dynamics needs; NoisyModel, "
            "RandomQuadrature and FunctionValues make a stochastic model of any other, or use HiSD"
        )
