"""Gradient flow: the quench that decides which minimum a point belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..numerics.derivatives import Derivatives
from . import advance
from .scales import FARTHEST, curvature_length
from .state import ArrayState, calls, first_state


@dataclass(eq=False)
class FlowState(ArrayState):
    """`ArrayState` of a gradient flow."""

    derivatives: Derivatives

    @property
    def next_move(self) -> float:
        """The largest change of any unknown that the next step proposes."""
        return float(self.floats[advance.STEP] * np.abs(self.derivatives.solve(self.g)).max())


@dataclass(frozen=True)
class GradientFlow:
    """Displacement-capped gradient flow x' = -M^-1 g, energy falling in every step.

    Unlike Barzilai-Borwein or L-BFGS it stays in the basin it starts in; quench edges and barriers rest on it.

    Parameters
    ----------
    cap : float, optional
        Largest change of any unknown in one step. Default: a quarter of the length over which the curvature changes at the start.
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

    def __post_init__(self) -> None:
        if self.cap is not None and not self.cap > 0:
            raise ValueError(f"cap: got {self.cap!r}, expected a positive length, or None to take it from the problem")

    def begin(
        self, derivatives: Derivatives, x0: np.ndarray, *, index: int, frame: np.ndarray | None, length: float | None, rng: np.random.Generator
    ) -> FlowState:
        """See `saddlescape.dynamics.state.Method`."""
        if index != 0:
            raise ValueError(f"index: got {index}, but gradient flow finds minima only; use HiSD")
        base = first_state(derivatives, x0, radius=FARTHEST * (1.0 + np.abs(x0).max()))
        state = FlowState(**vars(base), derivatives=derivatives)
        if state.outcome == advance.NON_FINITE:
            return state
        direction = derivatives.solve(state.g)
        state.length = curvature_length(derivatives, x0, direction) if length is None else length
        state.floats[advance.CAP] = self.cap if self.cap is not None else 0.25 * state.length
        largest = np.abs(direction).max()
        state.floats[advance.STEP] = state.floats[advance.CAP] / largest if largest > 0.0 else 1.0
        return state

    def advance(self, derivatives: Derivatives, state: FlowState, n_steps: int, tolerance: float) -> int:
        """See `saddlescape.dynamics.state.Method`."""
        call = calls(derivatives)
        state.floats[advance.TOLERANCE] = tolerance
        done = call.flow_steps(
            call.energy_gradient, call.params, call.metric, call.mass, n_steps, state.start, state.x, state.g, state.floats, state.ints
        )
        if derivatives.compiled:
            derivatives.n_gradient += done
        return done
