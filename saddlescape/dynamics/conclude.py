"""What a stochastic search can say about its end where no exact gradient can."""

from __future__ import annotations

import numpy as np

from ..numerics.derivatives import Derivatives
from ..numerics.sampling import SampleMean, signed_values
from ..results import Estimate
from . import advance_stochastic as stepping
from .scales import rough_lowest
from .stochastic_state import StochasticState, close_chunk, gradient_bound

SAMPLES = 64  # for eigenvectors, and again for the eigenvalues
DENSE = 100  # up to this dimension the error bar uses the whole Hessian


def conclude(derivatives: Derivatives, state: StochasticState, index: int) -> Estimate | None:
    """The estimate that a search ends with; None if it made no step, or where nothing finite can be measured."""
    if state.ints[stepping.ADDED]:
        close_chunk(derivatives, state)
    if not state.tail.chunks:
        return None
    x, rng = state.estimate, state.rng
    mean = state.estimates.mean(rng, SAMPLES)
    if not mean.finite(x):
        return None
    m = min(index + 1, x.size)
    vectors = rough_lowest(mean, x, m, rng)[1]
    found = signed_values(state.estimates, x, vectors, rng, SAMPLES)
    order = np.argsort(found.values)
    values = found.values[order]
    return Estimate(
        x=x.copy(),
        standard_error=_standard_error(state, mean, float(np.abs(values).min())),
        gradient_norm=gradient_bound(derivatives, state.tail),
        steps=state.tail.steps,
        index=int(np.count_nonzero(values < 0.0)),
        eigenvalues=values,
        eigenvalue_errors=found.errors[order],
        confidence=found.confidence[order],
    )


def _standard_error(state: StochasticState, mean: SampleMean, slowest: float) -> np.ndarray:
    """sqrt(diag(H^-1 C H^-1) / steps), and beside it what the mean gradient says of the way still to go, H^-1 mean g; (n,)."""
    x, tail = state.estimate, state.tail
    draws = int(state.ints[stepping.DRAWS])
    if state.ints[stepping.DOUBLE_EVERY]:
        draws = max(1, draws // 2)  # the tail may have begun with fewer
    gradients = mean.gradients(x)
    deviations = (gradients - gradients.mean(axis=0)) / np.sqrt(max(len(gradients) - 1, 1))
    if x.size <= DENSE:
        hessian = mean.hvp_rows(x, np.eye(x.size))
        values, vectors = np.linalg.eigh(0.5 * (hessian + hessian.T))
        # So that a flat direction has an error without end, not an undefined one.
        smallest = max(np.finfo(float).eps * np.abs(values).max(), np.finfo(float).tiny)
        inverse = vectors / np.where(np.abs(values) < smallest, smallest, values) @ vectors.T
        noise, drift = inverse @ deviations.T, inverse @ tail.mean("g")
    else:
        scale = slowest * np.broadcast_to(mean.mass, x.size)
        noise, drift = (deviations / scale).T, tail.mean("g") / scale
    return np.sqrt(np.sum(noise**2, axis=1) / (draws * tail.steps) + drift**2)
