"""Gradient flow: the quench that decides which minimum a point belongs to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..numerics.derivatives import DENSE_LIMIT, Derivatives
from . import advance
from .scales import FARTHEST, curvature_length
from .state import ArrayState, calls, first_state


@dataclass(eq=False, kw_only=True)
class FlowState(ArrayState):
    """`ArrayState` of a gradient flow.

    Attributes
    ----------
    shift : float
        1 / time step of the implicit steps; 0 while the steps are explicit.
    """

    derivatives: Derivatives
    patience: int = 100
    shift: float = 0.0

    @property
    def next_move(self) -> float:
        """The largest change of any unknown that the next step proposes."""
        return float(self.floats[advance.STEP] * np.abs(self.derivatives.solve(self.g)).max())


@dataclass(frozen=True)
class GradientFlow:
    """Displacement-capped gradient flow x' = -M^-1 g, energy falling in every step.

    Unlike Barzilai-Borwein or L-BFGS it stays in the basin it starts in; quench edges and barriers rest on it. Steps are
    explicit; where the flow is so slow that they get nowhere (metastable states), they become linearly implicit in the mass
    metric, if the model has a Hessian: (H + mass / dt) s = -g with a time step dt that grows as the displacement cap and the
    fall of the energy allow.

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
        if state.shift:
            return implicit_steps(derivatives, state, n_steps, tolerance)
        call = calls(derivatives)
        state.floats[advance.TOLERANCE] = tolerance
        done = call.flow_steps(
            call.energy_gradient,
            call.params,
            call.metric,
            call.mass,
            n_steps,
            state.rows,
            state.floats,
            state.ints,
        )
        if derivatives.compiled:
            derivatives.n_gradient += done
        return done

    def rescue(self, derivatives: Derivatives, state: FlowState) -> bool:
        """Implicit steps from here on, if there is a Hessian to be had."""
        if state.shift or (not derivatives.has_hessian and derivatives.dim > DENSE_LIMIT):
            return False
        state.shift = 1.0 / state.floats[advance.STEP]
        return True


def implicit_steps(derivatives: Derivatives, state: FlowState, n_steps: int, tolerance: float) -> int:
    """Up to ``n_steps`` linearly implicit Euler steps of x' = -mass^-1 g; returns how many were made."""
    x, g, floats = state.x, state.g, state.floats
    g_trial = np.empty_like(g)
    for done in range(n_steps):
        step = -shifted_solve(derivatives, x, state.shift, g)
        slope = float(np.dot(g, step))
        trial = x + step
        energy = derivatives.energy_gradient(trial, g_trial)
        fell = slope < 0.0 and (energy < floats[advance.ENERGY] or -slope < 1e-12 * abs(energy))
        if not (fell and np.abs(step).max() <= floats[advance.CAP]):
            state.shift *= 4.0
            continue
        state.shift *= 0.5
        x[:], g[:] = trial, g_trial
        floats[advance.ENERGY], floats[advance.GRADIENT_NORM] = energy, derivatives.gradient_norm(g)
        # What is left to move by is what this metric would propose, not the explicit step.
        floats[advance.STEP] = np.abs(step).max() / max(np.abs(derivatives.solve(g)).max(), 1e-300)
        if floats[advance.GRADIENT_NORM] <= tolerance:
            state.ints[advance.OUTCOME] = advance.REACHED
            return done + 1
    return n_steps


def shifted_solve(derivatives: Derivatives, x: np.ndarray, shift: float, r: np.ndarray) -> np.ndarray:
    """(H(x) + shift mass)^-1 r, (n,)."""
    hessian = derivatives.hessian(x)
    mass = np.broadcast_to(derivatives.mass, x.shape)
    if isinstance(hessian, np.ndarray):
        return np.linalg.solve(hessian + shift * np.diag(mass), r)
    import scipy.sparse as sparse
    from scipy.sparse.linalg import splu

    return splu((hessian + shift * sparse.diags_array(mass)).tocsc(), permc_spec="MMD_AT_PLUS_A").solve(r)
