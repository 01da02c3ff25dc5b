"""Newton's method and the full spectrum for a handful of unknowns, compiled over a model's kernels.

The rules by which Newton's method goes on or ends are here too: `polish` applies the same ones to large systems.
"""

from functools import lru_cache

import numpy as np

from ..kernels import FUNCTION_TYPES, INT, MATRIX, PARAMS, VECTOR, KernelPointer, function_type, helper, solver_kernel, types
from .jacobi import jacobi_eigh

TINY = 12
"""Up to this dimension Jacobi rotations beat a call of LAPACK."""

GO_ON, REACHED, STAGNATED, NO_CONTRACTION, NOT_FINITE, LEFT, MAX_STEPS = range(7)
CONTRACTION = 0.5
EPS = np.finfo(float).eps

# numbers[...]: what comes in, what comes out
RADIUS, TOL, ZERO, ENERGY, NORM, LENGTH, PREVIOUS, SPECTRAL_RADIUS, DISTANCE = range(9)
N_NUMBERS = 9


@helper
def judge_step(length, previous, norm, accepted):
    """Whether a true Newton step may be taken: ``norm`` is the gradient norm before it, ``accepted`` its round-off level."""
    if length <= CONTRACTION * previous:  # False for NaN
        return GO_ON
    if norm <= accepted:
        return STAGNATED
    return NO_CONTRACTION if length < np.inf else NOT_FINITE


@helper
def judge_trial(displacement, radius, trial_norm, norm, round_off, accepted):
    """Whether to go on from the end of a step, where the gradient norm is ``trial_norm``."""
    if displacement > radius:
        return LEFT
    if not trial_norm < np.inf:
        return NOT_FINITE
    if trial_norm <= round_off:
        return REACHED
    if trial_norm > CONTRACTION * norm and norm <= accepted:
        return STAGNATED
    return GO_ON


@helper
def fill_spectrum(hvp, eigh, params, x, mass, scaled, values, vectors):
    """Eigenvalues (n,) and vectors (n, n), as mass-orthonormal rows, of H v = lambda mass v at x."""
    n = x.size
    unit = np.zeros(n)
    image = np.empty(n)
    for i in range(n):
        unit[i] = 1.0
        hvp(x, unit, params, image)
        unit[i] = 0.0
        for j in range(n):
            scaled[i, j] = image[j] / np.sqrt(mass[i] * mass[j])
    for i in range(n):
        for j in range(i):
            scaled[i, j] = 0.5 * (scaled[i, j] + scaled[j, i])
            scaled[j, i] = scaled[i, j]
    found, turn = eigh(scaled)
    for i in range(n):
        values[i] = found[i]
        for j in range(n):
            vectors[i, j] = turn[j, i] / np.sqrt(mass[j])


def spectrum(hvp, eigh, params, x, mass, values, vectors, residuals):
    """The spectrum at x with the residuals |H v - lambda mass v| in the dual norm, (n,)."""
    n = x.size
    image = np.empty(n)
    fill_spectrum(hvp, eigh, params, x, mass, np.empty((n, n)), values, vectors)
    for i in range(n):
        hvp(x, vectors[i], params, image)
        square = 0.0
        for j in range(n):
            difference = image[j] - values[i] * mass[j] * vectors[i, j]
            square += difference * difference / mass[j]
        residuals[i] = np.sqrt(square)
    return n


def newton(energy_gradient, hvp, eigh, params, start, mass, max_steps, x, values, vectors, numbers):
    """Newton's method from ``start`` (n,) to ``x`` (n,); returns ``(outcome, n_steps, n_spectra)``.

    The spectrum of the last Newton step is left in ``values`` and ``vectors``, the rest in ``numbers``.
    """
    n = x.size
    scaled = np.empty((n, n))
    gradient, trial_gradient, step, trial, at = np.empty(n), np.empty(n), np.empty(n), np.empty(n), start.copy()
    x[:] = start
    energy = energy_gradient(x, params, gradient)
    norm = np.sqrt(np.sum(gradient * gradient / mass))
    length, previous = 0.0, np.inf
    outcome = GO_ON if norm < np.inf else NOT_FINITE
    done = n_spectra = 0
    while outcome == GO_ON:
        if done == max_steps:
            outcome = MAX_STEPS
            break
        fill_spectrum(hvp, eigh, params, x, mass, scaled, values, vectors)
        n_spectra += 1
        at[:] = x
        radius = max(-values[0], values[n - 1])
        step[:] = 0.0
        for i in range(n):
            if abs(values[i]) > numbers[ZERO] * radius:
                along = 0.0
                for j in range(n):
                    along += vectors[i, j] * gradient[j]
                for j in range(n):
                    step[j] -= along / values[i] * vectors[i, j]
        length = np.sqrt(np.sum(step * step * mass))
        size = np.sqrt(np.sum(x * x * mass)) + numbers[RADIUS] * np.sqrt(np.sum(mass))
        round_off = EPS * radius * size
        accepted = max(1e3 * round_off, numbers[TOL])
        numbers[SPECTRAL_RADIUS] = radius
        outcome = judge_step(length, previous, norm, accepted)
        if outcome != GO_ON:
            break
        trial[:] = x + step
        done += 1
        trial_energy = energy_gradient(trial, params, trial_gradient)
        trial_norm = np.sqrt(np.sum(trial_gradient * trial_gradient / mass))
        outcome = judge_trial(np.abs(trial - start).max(), numbers[RADIUS], trial_norm, norm, round_off, accepted)
        if outcome == LEFT or outcome == NOT_FINITE:
            break
        if outcome != STAGNATED or trial_norm < norm:
            previous, norm, energy = length, trial_norm, trial_energy
            x[:] = trial
            gradient[:] = trial_gradient
    numbers[ENERGY], numbers[NORM], numbers[LENGTH], numbers[PREVIOUS] = energy, norm, length, previous
    numbers[DISTANCE] = np.abs(x - at).max()
    return outcome, done, n_spectra


@lru_cache(maxsize=1)
def compiled():
    """``(newton, spectrum, eigh)`` compiled, from the disk cache where it has them."""
    pairs = types.Tuple((VECTOR, MATRIX))(MATRIX)
    energy_gradient, hvp, eigh = FUNCTION_TYPES["energy_gradient"], FUNCTION_TYPES["hvp"], function_type(pairs)
    outcome = types.UniTuple(INT, 3)
    return (
        solver_kernel(outcome(energy_gradient, hvp, eigh, PARAMS, VECTOR, VECTOR, INT, VECTOR, VECTOR, MATRIX, VECTOR))(newton),
        solver_kernel(INT(hvp, eigh, PARAMS, VECTOR, VECTOR, VECTOR, MATRIX, VECTOR))(spectrum),
        KernelPointer(solver_kernel(pairs)(jacobi_eigh), pairs),
    )
