"""Newton's method and the full spectrum for a handful of unknowns, compiled over a model's kernels.

The rules by which Newton's method goes on or ends are here too: `polish` applies the same ones to large systems.
"""

from functools import lru_cache
from math import sqrt

import numpy as np

from ..kernels import FUNCTION_TYPES, INT, MATRIX, PARAMS, VECTOR, function_type, helper, solver_kernel, types
from .jacobi import EIGH, compiled_eigh

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
def dual_norm(g, mass):
    """Norm of a gradient g (n,), sqrt(sum g_i^2 / mass_i)."""
    total = 0.0
    for i in range(g.size):
        total += g[i] * g[i] / mass[i]
    return sqrt(total)


@helper
def norm_of(v, mass):
    """Norm of a displacement v (n,), sqrt(sum mass_i v_i^2)."""
    total = 0.0
    for i in range(v.size):
        total += v[i] * v[i] * mass[i]
    return sqrt(total)


@helper
def apart(a, b):
    """Distance of two points (n,) in the max-norm."""
    largest = 0.0
    for i in range(a.size):
        largest = max(largest, abs(a[i] - b[i]))
    return largest


@helper
def copy(a, out):
    """Write a (n,) into out."""
    for i in range(a.size):
        out[i] = a[i]


@helper
def fill_spectrum(hvp, eigh, params, x, mass, scaled, values, vectors):
    """Eigenvalues (n,) and vectors (n, n), as mass-orthonormal rows, of H v = lambda mass v at x."""
    n = x.size
    unit, image = np.zeros(n), np.empty(n)
    for i in range(n):
        unit[i] = 1.0
        hvp(x, unit, params, image)
        unit[i] = 0.0
        for j in range(n):
            scaled[i, j] = image[j] / sqrt(mass[i] * mass[j])
    for i in range(n):
        for j in range(i):
            scaled[i, j] = 0.5 * (scaled[i, j] + scaled[j, i])
            scaled[j, i] = scaled[i, j]
    found, turn = eigh(scaled)
    for i in range(n):
        values[i] = found[i]
        for j in range(n):
            vectors[i, j] = turn[j, i] / sqrt(mass[j])


def spectrum(hvp, eigh, params, x, mass, values, vectors, residuals):
    """The spectrum at x with the residuals |H v - lambda mass v| in the dual norm, (n,)."""
    n = x.size
    image = np.empty(n)
    fill_spectrum(hvp, eigh, params, x, mass, np.empty((n, n)), values, vectors)
    for i in range(n):
        hvp(x, vectors[i], params, image)
        for j in range(n):
            image[j] -= values[i] * mass[j] * vectors[i, j]
        residuals[i] = dual_norm(image, mass)
    return n


@helper
def newton_step(gradient, values, vectors, smallest, step):
    """Write -H^+ g into the step (n,): eigenvalues up to ``smallest`` in size count as zero."""
    n = gradient.size
    for j in range(n):
        step[j] = 0.0
    for i in range(n):
        if abs(values[i]) > smallest:
            along = 0.0
            for j in range(n):
                along += vectors[i, j] * gradient[j]
            for j in range(n):
                step[j] -= along / values[i] * vectors[i, j]


def newton(energy_gradient, hvp, eigh, params, start, mass, max_steps, x, values, vectors, numbers):
    """Newton's method from ``start`` (n,) to ``x`` (n,); returns ``(outcome, n_steps, n_spectra)``.

    The spectrum of the last Newton step is left in ``values`` and ``vectors``, the rest in ``numbers``.
    """
    n = x.size
    scaled = np.empty((n, n))
    gradient, trial_gradient, step, trial, at = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    total_mass = 0.0
    for i in range(n):
        x[i] = at[i] = start[i]
        total_mass += mass[i]
    energy = energy_gradient(x, params, gradient)
    norm = dual_norm(gradient, mass)
    length, previous = 0.0, np.inf
    outcome = GO_ON if norm < np.inf else NOT_FINITE
    done = n_spectra = 0
    while outcome == GO_ON:
        if done == max_steps:
            outcome = MAX_STEPS
            break
        fill_spectrum(hvp, eigh, params, x, mass, scaled, values, vectors)
        n_spectra += 1
        copy(x, at)
        radius = max(-values[0], values[n - 1])
        newton_step(gradient, values, vectors, numbers[ZERO] * radius, step)
        length = norm_of(step, mass)
        round_off = EPS * radius * (norm_of(x, mass) + numbers[RADIUS] * sqrt(total_mass))
        accepted = max(1e3 * round_off, numbers[TOL])
        numbers[SPECTRAL_RADIUS] = radius
        outcome = judge_step(length, previous, norm, accepted)
        if outcome != GO_ON:
            break
        for i in range(n):
            trial[i] = x[i] + step[i]
        done += 1
        trial_energy = energy_gradient(trial, params, trial_gradient)
        trial_norm = dual_norm(trial_gradient, mass)
        outcome = judge_trial(apart(trial, start), numbers[RADIUS], trial_norm, norm, round_off, accepted)
        if outcome == LEFT or outcome == NOT_FINITE:
            break
        if outcome != STAGNATED or trial_norm < norm:
            previous, norm, energy = length, trial_norm, trial_energy
            copy(trial, x)
            copy(trial_gradient, gradient)
    numbers[ENERGY], numbers[NORM], numbers[LENGTH], numbers[PREVIOUS] = energy, norm, length, previous
    numbers[DISTANCE] = apart(x, at)
    return outcome, done, n_spectra


@lru_cache(maxsize=1)
def compiled():
    """``(newton, spectrum, eigh)`` compiled, from the disk cache where it has them."""
    energy_gradient, hvp, eigh = FUNCTION_TYPES["energy_gradient"], FUNCTION_TYPES["hvp"], function_type(EIGH)
    outcome = types.UniTuple(INT, 3)
    return (
        solver_kernel(outcome(energy_gradient, hvp, eigh, PARAMS, VECTOR, VECTOR, INT, VECTOR, VECTOR, MATRIX, VECTOR))(newton),
        solver_kernel(INT(hvp, eigh, PARAMS, VECTOR, VECTOR, VECTOR, MATRIX, VECTOR))(spectrum),
        compiled_eigh(),
    )
