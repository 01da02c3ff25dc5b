"""Linearly implicit steps, for searches that explicit ones take too long over: interfaces that move exponentially slowly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..numerics.derivatives import Derivatives
from ..numerics.eigen import lobpcg
from ..numerics.inertia import Bordered, CertificationError, DenseSpectrum, count_inertia
from ..numerics.newton import as_dense, has_matrix, is_dense
from . import advance
from .primitives import finite
from .state import ArrayState


class System(NamedTuple):
    """The matrix of an implicit step at one point, factorised: |H| + shift mass on the frame, H + shift mass on its complement.

    Parameters
    ----------
    frame : (k, n) array
        The k lowest eigenvectors of H v = lambda mass v there, mass-orthonormal.
    values : (k,) array
        Their eigenvalues.
    complement : Bordered
    shift : float
        1 / time step.
    """

    frame: np.ndarray
    values: np.ndarray
    complement: Bordered
    shift: float

    def step(self, g: np.ndarray) -> np.ndarray:
        """The step (n,) that the gradient g (n,) asks for: uphill in the frame, downhill outside of it."""
        uphill = (self.frame @ g) / (np.abs(self.values) + self.shift)
        return uphill @ self.frame - self.complement.solve(g[None])[0]


class Trial(NamedTuple):
    """The end of a step that has not been accepted yet.

    Parameters
    ----------
    system : System
    step : (n,) array
    energy : float
    g : (n,) array
        dE/dx there.
    """

    system: System
    step: np.ndarray
    energy: float
    g: np.ndarray


def begin_implicit(derivatives: Derivatives, state: ArrayState) -> bool:
    """Implicit steps from here on, if there is a Hessian to be had; returns whether there is."""
    if not has_matrix(derivatives):
        return False
    state.last_move = state.next_move
    # As long as the cap allows: the explicit step may have been halved to nothing, which says little of implicit ones.
    state.shift = float(np.abs(state.g / derivatives.mass).max() / state.floats[advance.CAP])
    return True


def implicit_steps(
    derivatives: Derivatives,
    state: ArrayState,
    n_steps: int,
    frame: np.ndarray,
    accepts: Callable[[Derivatives, ArrayState, Trial], bool],
) -> int:
    """Up to ``n_steps`` linearly implicit Euler steps in the mass metric, those taken back included; returns how many.

    The time step doubles with every step that is accepted. It is divided by four where `System` has no step, where that is longer
    than the displacement cap, and where ``accepts(derivatives, state, trial)`` is false. ``frame`` (k, n) is updated in place;
    k = 0: gradient flow.

    Stops early when the gradient norm meets floats[TOLERANCE] or x is farther than floats[RADIUS] from the start. Where no step
    is short enough to be accepted, the rest of them changes nothing; the outcome is then NON_FINITE if the numbers were not finite.
    """
    x, g, floats, ints = state.x, state.g, state.floats, state.ints
    ints[advance.OUTCOME] = advance.RUNNING
    g_trial = np.empty_like(g)
    energy = norm = 0.0
    for done in range(1, n_steps + 1):
        if np.abs(g / derivatives.mass).max() <= 1e-14 * (1.0 + np.abs(x).max()) * state.shift:
            ints[advance.OUTCOME] = advance.RUNNING if finite(energy, norm) else advance.NON_FINITE
            return n_steps
        system = _system(derivatives, state, frame)
        step = None if system is None else system.step(g)
        if step is None or not np.abs(step).max() <= floats[advance.CAP]:
            state.shift *= 4.0
            continue
        energy = derivatives.energy_gradient(x + step, g_trial)
        norm = derivatives.gradient_norm(g_trial)
        if not (finite(energy, norm) and accepts(derivatives, state, Trial(system, step, energy, g_trial))):
            state.shift *= 4.0
            continue
        x += step
        g[:] = g_trial
        state.hessian = None
        state.shift *= 0.5
        state.last_move = float(np.abs(step).max())
        floats[advance.ENERGY], floats[advance.GRADIENT_NORM] = energy, norm
        floats[advance.MAX_ENERGY] = max(floats[advance.MAX_ENERGY], energy)
        if norm <= floats[advance.TOLERANCE]:
            ints[advance.OUTCOME] = advance.REACHED
            return done
        if np.abs(x - state.start).max() > floats[advance.RADIUS]:
            ints[advance.OUTCOME] = advance.TOO_FAR
            return done
    return n_steps


def _system(derivatives: Derivatives, state: ArrayState, frame: np.ndarray) -> System | None:
    """The matrix of a step, with the frame brought to x; None where it is not positive definite or cannot be factorised.

    Where it is not, the step leads uphill along a direction outside the frame, and over a ridge that the dynamics keeps away from.
    """
    mass = derivatives.mass
    if state.hessian is None:
        state.hessian = derivatives.hessian(state.x)
    try:
        count = count_inertia(state.hessian, mass, -state.shift)
        values, frame[:] = _lowest(state.hessian, mass, frame, count.factor)
        complement = Bordered(count.factor, frame if len(frame) else None, mass)
    except (np.linalg.LinAlgError, RuntimeError, CertificationError):
        return None
    return System(frame, values, complement, state.shift) if count.negative == complement.removed else None


def _lowest(hessian: Any, mass: float | np.ndarray, frame: np.ndarray, factor: Any) -> tuple[np.ndarray, np.ndarray]:
    """The lowest eigenpairs of H v = lambda mass v, values (k,) and vectors (k, n): all but exact, from the frame before (k, n)."""
    k = len(frame)
    if k == 0:
        return np.empty(0), frame
    if is_dense(hessian):
        spectrum = DenseSpectrum(as_dense(hessian), mass)
        return spectrum.values[:k], spectrum.vectors[:k]
    pairs = lobpcg(lambda rows: (hessian @ rows.T).T, factor.solve, mass, frame, k, rtol=1e-3, max_iterations=20)
    return pairs.values, pairs.vectors
