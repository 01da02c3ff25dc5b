"""The stochastic eigenvector search at a fixed point, as a method of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..given import check_point
from ..model import EnergyModel, check_is_model
from ..numerics.derivatives import Derivatives
from ..numerics.sampling import Estimates
from . import advance_stochastic as stepping
from .hisd import orthonormal_frame
from .primitives import NON_FINITE
from .schedules import FRAME_DECAY, SAMPLES, rough_sizes, schedule_numbers
from .shisd import check_stochastic
from .steps import Constant, Decaying, Estimated, check_schedule_type
from .stochastic_state import empty_state, make_steps


@dataclass(frozen=True, eq=False)
class Eigenvectors:
    """What the stochastic eigenvector search found.

    Parameters
    ----------
    vectors : (k, n) array
        Orthonormal in the metric, by rising eigenvalue.
    values, errors : (k,) arrays
        Mean of v.H(x; w) v over the last half of the sweeps, and its standard error; eigenvalues of H v = lambda M v.
    n_steps, n_rejected : int
        Sweeps made, and those rejected because a product was not finite.
    """

    vectors: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    n_steps: int
    n_rejected: int


def stochastic_eigenvectors(
    model: EnergyModel,
    x: np.ndarray,
    k: int,
    *,
    step: Decaying | Constant | Estimated | None = None,
    n_steps: int = 10_000,
    start: np.ndarray | None = None,
    preconditioned: bool = True,
    rng: Any = None,
    callback: Callable[[int, np.ndarray], Any] | None = None,
) -> Eigenvectors:
    """Find the eigenvectors of the k lowest eigenvalues of the Hessian at a point from stochastic Hessian-vector products.

    For i = 1 to k in turn, with one fresh sample w for the sweep: v_i' = v_i - b(n) (M^-1 H(x; w) v_i - sum_{j <= i} v_j
    (v_j . H(x; w) v_i)), then orthonormal to v_1 ... v_{i-1}. This is Oja's rule with the sign reversed; each vector is deflated
    by those before it. Their span converges where the k-th and the next eigenvalue differ, single vectors where theirs do.

    Parameters
    ----------
    model : EnergyModel
        With ``draw`` and ``stochastic_gradient``, and best with ``stochastic_hvp``.
    x : (n,) array
    k : int
        How many, 1 to n.
    step : Decaying, Constant or Estimated, optional
        Step sizes b(n). Default: from the width of the spectrum, decaying as n^-0.7.
    n_steps : int
        Sweeps; each takes k products.
    start : (k, n) array, optional
        Default: random rows.
    preconditioned : bool
        Use the model's preconditioner as the metric M, if it has one; else M is the mass.
    rng : int, SeedSequence or Generator, optional
        Default: seed 0.
    callback : callable, optional
        ``callback(sweeps, vectors)`` at the end of each chunk of sweeps, an eighth of the last power of two.

    Returns
    -------
    Eigenvectors

    Raises
    ------
    TypeError, ValueError
        If the model is not stochastic, or an argument is not what it should be.
    ArithmeticError
        If no products are finite, or a hundred in a row are not.

    References
    ----------
    Shi, Zhang, Du, arXiv 2510.14144, Algorithm 4.1; Oja, J. Math. Biol. 15 (1982) 267.
    """
    check_is_model(model, estimates=True)
    check_stochastic(model)
    x = check_point(x, model.dim, "x")
    if not isinstance(k, (int, np.integer)) or not 1 <= k <= model.dim:
        raise ValueError(f"k: got {k!r}, expected 1 to {model.dim}, the number of unknowns")
    if not isinstance(n_steps, (int, np.integer)) or n_steps < 1:
        raise ValueError(f"n_steps: got {n_steps!r}, expected an integer of at least 1")
    schedule = Estimated() if step is None else step
    check_schedule_type("step", schedule)
    rng = np.random.default_rng(0 if rng is None else rng)
    wanted = preconditioned and hasattr(model, "preconditioner")
    derivatives = Derivatives(model, model.preconditioner(x) if wanted else None)
    state = empty_state(Estimates(derivatives, model), x, k, rng)
    rows = rng.standard_normal((k, model.dim)) if start is None else np.array(start, dtype=float)
    if rows.shape != (k, model.dim):
        raise ValueError(f"start: got shape {rows.shape}, expected ({k}, {model.dim}), one row for each vector")
    state.frame[:], state.metric_frame[:] = orthonormal_frame(derivatives, rows)
    constant = 1.0
    if isinstance(schedule, Estimated):
        mean = state.estimates.mean(rng, SAMPLES)
        if not mean.finite(x):
            raise ArithmeticError(f"of {SAMPLES} samples none gives a finite stochastic Hessian-vector product at x")
        constant = rough_sizes(mean, x, k, rows, 1.0, rng).frame
    state.floats[stepping.FRAME_GAMMA : stepping.FRAME_POWER + 1] = schedule_numbers(schedule, constant, FRAME_DECAY)
    state.floats[stepping.DIMER] = derivatives.half_length(x)
    state.ints[stepping.HAS_HVP] = state.estimates.has_hvp
    while state.step < n_steps:
        if state.step <= n_steps // 2:
            first, rejected = state.step, state.n_rejected
            state.quotients[:] = 0.0
        make_steps("eigenvector", state, min(state.check_every, n_steps - state.step))
        if state.outcome == NON_FINITE:
            raise ArithmeticError(f"{stepping.MAX_REJECTED} stochastic Hessian-vector products in a row were not finite")
        if callback is not None:
            callback(state.step, state.frame.copy())
    count = max(state.step - first - (state.n_rejected - rejected), 1)
    values, squares = state.quotients / count
    errors = np.sqrt(np.maximum(squares - values**2, 0.0) / count)
    return Eigenvectors(state.frame.copy(), values, errors, state.step, state.n_rejected)
