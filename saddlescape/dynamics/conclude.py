"""What a stochastic search can say about its end where no exact gradient can."""

from __future__ import annotations

import numpy as np

from ..numerics.derivatives import Derivatives
from ..numerics.sampling import SampleMean, mean_quotients, sign_confidence
from ..results import Estimate
from . import advance_stochastic as stepping
from .scales import rough_lowest
from .stochastic_state import StochasticState, close_chunk, gradient_bound

SAMPLES = 64  # for eigenvectors, and again for the eigenvalues
AROUND = 8  # points that say how eigenvalues vary within the error bar of x
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
    values, errors = mean_quotients(state.estimates, x, vectors, rng, SAMPLES)
    standard_error = _standard_error(state, mean, float(np.abs(values).min()))
    errors = np.hypot(errors, _value_errors(mean, x, vectors, standard_error, rng))
    order = np.argsort(values)
    values, errors = values[order], errors[order]
    return Estimate(
        x=x.copy(),
        standard_error=standard_error,
        gradient_norm=gradient_bound(derivatives, state.tail),
        steps=state.tail.steps,
        index=int(np.count_nonzero(values < 0.0)),
        eigenvalues=values,
        eigenvalue_errors=errors,
        confidence=sign_confidence(values, errors),
    )


def _value_errors(mean: SampleMean, x: np.ndarray, vectors: np.ndarray, error: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How the eigenvalues vary as x (n,) does within its error bar, (m,): standard deviation over a few points around it."""
    reach = np.minimum(error, 1.0 + np.abs(x))  # a flat direction has an error without end
    around = x + reach * rng.standard_normal((AROUND, x.size))
    values = np.array([np.sum(vectors * mean.hvp_rows(near, vectors), axis=1) for near in around])
    spread = np.std(values, axis=0, ddof=1)
    return np.where(np.isfinite(spread), spread, np.inf)


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
