"""Gradient flow: the quench that decides which minimum a point belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..numerics.derivatives import DENSE_LIMIT, Derivatives
from ..numerics.inertia import CertificationError, count_inertia
from . import advance
from .scales import FARTHEST, curvature_length
from .state import ArrayState, calls, first_state


@dataclass(eq=False, kw_only=True)
class FlowState(ArrayState):
    """`ArrayState` of a gradient flow.

    Attributes
    ----------
    shift : float or None
        1 / time step of the implicit steps; None while the steps are explicit.
    hessian : (n, n) array, scipy.sparse matrix or None
        That at x, once an implicit step has asked for it: steps that are taken back share it.
    """

    derivatives: Derivatives
    patience: int = 100
    shift: float | None = None
    hessian: Any = None

    @property
    def next_move(self) -> float:
        """The largest change of any unknown that the next step proposes."""
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
        rng: np.random.Generator,
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
            return implicit_steps(derivatives, state, n_steps)
        call = calls(derivatives)
        done = call.flow_steps(call.energy_gradient, *call.rest(state, n_steps))
        if derivatives.compiled:
            derivatives.n_gradient += done
        return done

    def rescue(self, derivatives: Derivatives, state: FlowState) -> bool:
        """Implicit steps from here on, if there is a Hessian to be had."""
        if state.shift is not None or (not derivatives.has_hessian and derivatives.dim > DENSE_LIMIT):
            return False
        # As long as the cap allows: the explicit step may have been halved to nothing, which says little of implicit ones.
        state.shift = float(np.abs(state.g / derivatives.mass).max() / state.floats[advance.CAP])
        return True


def implicit_steps(derivatives: Derivatives, state: FlowState, n_steps: int) -> int:
    """Up to ``n_steps`` linearly implicit Euler steps of x' = -mass^-1 g, those taken back included; returns how many.

    Stops early when the gradient norm meets floats[TOLERANCE] or x is farther than floats[RADIUS] from the start. Where no step
    is short enough to be accepted, the rest of them changes nothing; the outcome is then NON_FINITE if the numbers were not finite.
    """
    x, g, floats, ints = state.x, state.g, state.floats, state.ints
    ints[advance.OUTCOME] = advance.RUNNING
    g_trial = np.empty_like(g)
    energy = norm = 0.0
    for done in range(1, n_steps + 1):
        if np.abs(g / derivatives.mass).max() <= 1e-14 * (1.0 + np.abs(x).max()) * state.shift:
            ints[advance.OUTCOME] = advance.RUNNING if advance.finite(energy, norm) else advance.NON_FINITE
            return n_steps
        step = implicit_step(derivatives, state)
        if step is None or not np.abs(step).max() <= floats[advance.CAP]:
            state.shift *= 4.0
            continue
        energy = derivatives.energy_gradient(x + step, g_trial)
        norm = derivatives.gradient_norm(g_trial)
        if not (advance.finite(energy, norm) and _fell(floats[advance.ENERGY], energy, step, g, g_trial)):
            state.shift *= 4.0
            continue
        x += step
        g[:] = g_trial
        state.hessian = None
        state.shift *= 0.5
        floats[advance.ENERGY], floats[advance.GRADIENT_NORM] = energy, norm
        # What is left to move by is what this metric would propose, not the explicit step.
        floats[advance.STEP] = np.abs(step).max() / max(np.abs(derivatives.solve(g)).max(), 1e-300)
        if norm <= floats[advance.TOLERANCE]:
            ints[advance.OUTCOME] = advance.REACHED
            return done
        if np.abs(x - state.start).max() > floats[advance.RADIUS]:
            ints[advance.OUTCOME] = advance.TOO_FAR
            return done
    return n_steps


def implicit_step(derivatives: Derivatives, state: FlowState) -> np.ndarray | None:
    """-(H + shift mass)^-1 g, (n,); None where that matrix is not positive definite or cannot be factorised.

    Where it is not, the step leads uphill along some direction, and over the ridge that the flow keeps away from.
    """
    if state.hessian is None:
        state.hessian = derivatives.hessian(state.x)
    try:
        count = count_inertia(state.hessian, derivatives.mass, -state.shift)
        return -count.factor.solve(state.g) if count.negative == 0 else None
    except (np.linalg.LinAlgError, RuntimeError, CertificationError):
        return None


def _fell(before: float, after: float, step: np.ndarray, g: np.ndarray, g_trial: np.ndarray) -> bool:
    """Whether a step lowers the energy by a quarter of what the slope promises: half of what the quadratic model does at least."""
    slope = float(np.dot(g, step))
    # At round-off level energies cannot be compared any more; the slope along the step still can: half of it at most is reversed.
    if -slope <= 1e-12 * (abs(before) + abs(after)):
        return slope < 0.0 and float(np.dot(g_trial, step)) <= -0.5 * slope
    return after <= before + 0.25 * slope
