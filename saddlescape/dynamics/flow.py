"""Gradient flow: the quench that decides which minimum a point belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..numerics.derivatives import Derivatives
from . import advance
from .implicit import Trial, begin_implicit, implicit_steps
from .scales import FARTHEST, curvature_length
from .state import ArrayState, first_state


@dataclass(eq=False, kw_only=True)
class FlowState(ArrayState):
    """`ArrayState` of a gradient flow."""

    derivatives: Derivatives
    patience: int = 100

    @property
    def next_move(self) -> float:
        """The largest change of any unknown that the next step proposes; of an implicit one, what the last step made."""
        if self.shift is not None:
            return self.last_move
        return float(self.floats[advance.STEP] * np.abs(self.derivatives.solve(self.g)).max())


@dataclass(frozen=True)
class GradientFlow:
    """Displacement-capped gradient flow x' = -M^-1 g, energy falling in every step.

    Unlike Barzilai-Borwein or L-BFGS it stays in the basin it starts in; quench edges and barriers rest on it. Steps are
    explicit; where the flow is so slow that they get nowhere (metastable states), they become linearly implicit in the mass
    metric, if there is a Hessian to be had: (H + mass / dt) s = -g. The time step dt doubles with every step that is accepted
    and is divided by four where H + mass / dt is not positive definite (such a step could cross a ridge), the step is longer than
    the displacement cap, or the energy falls by less than half of what the quadratic model promises.

    Parameters
    ----------
    cap : float, optional
        Largest change of any unknown in one step. Default: a quarter of the length over which the curvature along the gradient
        changes by half (in `explore`, a quarter of the distance to the turning point of the slope); it grows to 1/32 of the way
        gone, if that is more. A cap given here stays as it is.
    preconditioned : bool
        Flow in the metric of the model's preconditioner, if it has one, else in the mass.

    Raises
    ------
    ValueError
        If the cap is not positive, or another index than 0 is asked for.
    """

    cap: float | None = None
    preconditioned: bool = True

    index = 0
    draws = False

    def __post_init__(self) -> None:
        if self.cap is not None and not self.cap > 0:
            raise ValueError(f"cap: got {self.cap!r}, expected a positive length, or None to take it from the problem")

    def begin(
        self,
        derivatives: Derivatives,
        x0: np.ndarray,
        *,
        index: int,
        frame: np.ndarray | None,
        length: float | None,
        rng: np.random.Generator | None,
    ) -> FlowState:
        """See `saddlescape.dynamics.state.Method`."""
        if index != 0:
            raise ValueError(f"index: got {index}, but gradient flow finds minima only; use HiSD")
        base = first_state(derivatives, x0, radius=FARTHEST * (1.0 + np.abs(x0).max()), n_rows=advance.N_FLOW)
        state = FlowState(**vars(base), derivatives=derivatives)
        state.own_cap = self.cap is not None
        if state.outcome == advance.NON_FINITE:
            return state
        direction = derivatives.solve(state.g)
        state.length = curvature_length(derivatives, x0, direction) if length is None else length
        cap = 0.25 * state.length
        state.floats[advance.CAP] = self.cap if self.cap is not None else cap
        # Over the same way as with the cap of the problem a gradient may well stay as it is.
        state.patience = int(np.ceil(state.patience * max(1.0, cap / state.floats[advance.CAP])))
        largest = np.abs(direction).max()
        state.floats[advance.STEP] = state.floats[advance.CAP] / largest if largest > 0.0 else 1.0
        return state

    def advance(self, derivatives: Derivatives, state: FlowState, n_steps: int, tolerance: float) -> int:
        """See `saddlescape.dynamics.state.Method`."""
        state.floats[advance.TOLERANCE] = tolerance
        if state.shift is not None:
            return implicit_steps(derivatives, state, n_steps, np.empty((0, derivatives.dim)), _fell)
        call = state.calls
        done = call.flow_steps(call.energy_gradient, *call.rest(state, n_steps))
        if derivatives.compiled:
            derivatives.n_gradient += done
        return done

    def rescue(self, derivatives: Derivatives, state: FlowState) -> bool:
        """Implicit steps from here on, if there is a Hessian to be had."""
        return state.shift is None and begin_implicit(derivatives, state)


def _fell(derivatives: Derivatives, state: FlowState, trial: Trial) -> bool:
    """Whether a step lowers the energy by a quarter of what the slope promises: half of what the quadratic model does at least."""
    before, after = state.energy, trial.energy
    slope = float(np.dot(state.g, trial.step))
    # At round-off level energies cannot be compared any more; the slope along the step still can: half of it at most is reversed.
    if -slope <= 1e-12 * (abs(before) + abs(after)):
        return slope < 0.0 and float(np.dot(trial.g, trial.step)) <= -0.5 * slope
    return after <= before + 0.25 * slope
