"""The inner stepping functions, written once: compiled for models with kernels, interpreted for all others.

Everything here stays in the NumPy subset that numba compiles. `energy_gradient`, `hvp` and `solve` are function arguments; compiled
they are kernels, interpreted they are bound methods with the same signatures. State lives in arrays that are updated in place.

Notation: M is the metric (the preconditioner, or the mass), X the frame of k rows, M-orthonormal, g = dE/dx and

    d = -M^-1 g + 2 X^T (X g)                                                                                   (1)

the reflected, preconditioned direction (Yin, Zhang, Zhang, SIAM J. Sci. Comput. 41 (2019) A3576; M: Huang, Su, Zhang, Zhao, arXiv 2603.25390).
"""

from functools import lru_cache

import numpy as np

from ..kernels import FUNCTION_TYPES, INDICES, INT, MATRIX, PARAMS, VECTOR, KernelPointer, function_type, helper, solver_kernel, types
from ..numerics.jacobi import jacobi_eigh

# floats[...]: what a method sets, and what moves with the state
TOLERANCE, CAP, STEP, FRAME_STEP, MOMENTUM, RADIUS, ENERGY, GRADIENT_NORM, MAX_ENERGY = range(9)
# ints[...]
STEP_RULE, MOMENTUM_RULE, RESTART, SINCE_RESTART, FRAME_RULE, ROWS, OUTCOME = range(7)
N_FLOATS, N_INTS = 9, 7

FIXED, BARZILAI_BORWEIN = 0, 1
EXACT, SWEEP, POWER = 0, 1, 2
NO_MOMENTUM, HEAVY_BALL, NESTEROV = 0, 1, 2
RUNNING, REACHED, NON_FINITE, TOO_FAR = 0, 1, 2, 3

DEPENDENT = 1e-10  # relative eigenvalue of the Gram matrix below which a direction is dropped


@helper
def inverse_root(eigh, gram):
    """Coefficients (r, m) that turn m rows with this Gram matrix into r <= m orthonormal ones; dependent directions are dropped."""
    weights, vectors = eigh(gram)
    first = 0
    while weights[first] <= DEPENDENT * weights[-1]:
        first += 1
    return np.ascontiguousarray((vectors[:, first:] / np.sqrt(weights[first:])).T)


@helper
def ritz(eigh, basis, images, metric_images, k, orthonormal):
    """Lowest k Ritz vectors of (H, M) in the span of the rows of ``basis``: values (k,) and coefficients (k, m)."""
    small = np.dot(basis, images.T)
    small = 0.5 * (small + small.T)
    if orthonormal:
        values, rotation = eigh(small)
        return values[:k], np.ascontiguousarray(rotation[:, :k].T)
    root = inverse_root(eigh, np.dot(basis, metric_images.T))
    values, rotation = eigh(np.dot(root, np.dot(small, root.T)))
    return values[:k], np.dot(np.ascontiguousarray(rotation[:, :k].T), root)


@helper
def power_step(hvp, eigh, params, x, frame, metric_frame, basis, images, metric_images, orthonormal):
    """Rayleigh-Ritz over the basis (the trial block, or all of R^n): new frame; returns its residuals H X - theta M X, (k, n)."""
    k = frame.shape[0]
    for i in range(basis.shape[0]):
        hvp(x, basis[i], params, images[i])
    values, c = ritz(eigh, basis, images, metric_images, k, orthonormal)
    frame[:] = np.dot(c, basis)
    metric_frame[:] = np.dot(c, metric_images)
    return np.dot(c, images) - values.reshape(k, 1) * metric_frame


@helper
def sweep(hvp, solve, eigh, params, metric, x, frame, metric_frame, basis, images, metric_images, ints):
    """One sweep of LOBPCG: Rayleigh-Ritz over the frame X, its preconditioned residuals W and its last change P."""
    k = frame.shape[0]
    for i in range(k):
        hvp(x, frame[i], params, images[i])
    values, c = ritz(eigh, frame, images[:k], metric_frame, k, True)
    basis[:k] = np.dot(c, frame)
    metric_images[:k] = np.dot(c, metric_frame)
    images[:k] = np.dot(c, images[:k])
    residuals = images[:k] - values.reshape(k, 1) * metric_images[:k]
    inside = np.dot(residuals, basis[:k].T)
    residuals -= np.dot(inside, metric_images[:k])
    directions = solve(residuals, metric)
    sizes = np.sqrt(np.sum(directions * residuals, axis=1)).reshape(k, 1) + 1e-300
    basis[k : 2 * k] = directions / sizes
    metric_images[k : 2 * k] = residuals / sizes
    m = ints[ROWS]
    for i in range(k, m):
        hvp(x, basis[i], params, images[i])
    values, c = ritz(eigh, basis[:m], images[:m], metric_images[:m], k, False)
    frame[:] = np.dot(c, basis[:m])
    metric_frame[:] = np.dot(c, metric_images[:m])
    change = np.ascontiguousarray(c[:, k:])
    change = change / (np.sqrt(np.sum(change * change, axis=1)).reshape(k, 1) + 1e-300)
    basis[2 * k :] = np.dot(change, basis[k:m])
    metric_images[2 * k :] = np.dot(change, metric_images[k:m])
    ints[ROWS] = 3 * k


@helper
def refresh(hvp, solve, eigh, params, metric, x, g, frame, metric_frame, basis, images, metric_images, floats, ints):
    """Frame at a new point, then direction (1) and its image under M."""
    k = frame.shape[0]
    rows = np.empty((1, x.size))
    rows[0] = g
    if k == 0:
        return -solve(rows, metric)[0], -g
    if ints[FRAME_RULE] == SWEEP:
        sweep(hvp, solve, eigh, params, metric, x, frame, metric_frame, basis, images, metric_images, ints)
        solved = solve(rows, metric)
    else:
        exact = ints[FRAME_RULE] == EXACT
        residuals = power_step(hvp, eigh, params, x, frame, metric_frame, basis, images, metric_images, exact)
        solved = solve(rows if exact else np.concatenate((rows, residuals)), metric)
        if not exact:
            basis[:] = frame - floats[FRAME_STEP] * solved[1:]
            metric_images[:] = metric_frame - floats[FRAME_STEP] * residuals
            c = inverse_root(eigh, np.dot(basis, metric_images.T))
            basis[:] = np.dot(c, basis)
            metric_images[:] = np.dot(c, metric_images)
    along = 2.0 * np.dot(frame, g)
    return np.dot(along, frame) - solved[0], np.dot(along, metric_frame) - g


def saddle_steps(
    energy_gradient, hvp, solve, eigh, params, metric, mass, n_steps, start, x, last, g, d, md, frame, metric_frame, basis, images, metric_images, floats, ints
):
    """Up to ``n_steps`` steps of (preconditioned) high-index saddle dynamics; returns how many were made.

    ``x`` is where derivatives are taken, ``last`` the iterate before it (momentum). Stops early when the gradient norm meets
    floats[TOLERANCE], when something is not finite, or when x is farther than floats[RADIUS] from ``start``.
    """
    for done in range(n_steps):
        size = floats[STEP]
        largest = np.abs(d).max()
        if size * largest > floats[CAP]:
            size = floats[CAP] / largest
        move = size * d
        if ints[MOMENTUM_RULE] == HEAVY_BALL:
            move += floats[MOMENTUM] * (x - last)
            last[:] = x
        elif ints[MOMENTUM_RULE] == NESTEROV:
            iterate = x + move
            if np.dot(md, iterate - last) < 0.0 or ints[SINCE_RESTART] >= ints[RESTART]:
                ints[SINCE_RESTART] = 0
            weight = ints[SINCE_RESTART] / (ints[SINCE_RESTART] + 3.0)
            ints[SINCE_RESTART] += 1
            move = move + weight * (iterate - last)
            last[:] = iterate
        x += move
        energy = energy_gradient(x, params, g)
        norm = np.sqrt(np.sum(g * g / mass))
        floats[ENERGY] = energy
        floats[GRADIENT_NORM] = norm
        if not (np.isfinite(energy) and np.isfinite(norm)):
            ints[OUTCOME] = NON_FINITE
            return done + 1
        floats[MAX_ENERGY] = max(floats[MAX_ENERGY], energy)
        if np.abs(x - start).max() > floats[RADIUS]:
            ints[OUTCOME] = TOO_FAR
            return done + 1
        d_new, md_new = refresh(hvp, solve, eigh, params, metric, x, g, frame, metric_frame, basis, images, metric_images, floats, ints)
        if ints[STEP_RULE] == BARZILAI_BORWEIN:
            change = md_new - md
            curvature = np.dot(d_new - d, change)
            if curvature > 0.0:
                floats[STEP] = abs(np.dot(move, change)) / curvature
        d[:] = d_new
        md[:] = md_new
        if norm <= floats[TOLERANCE]:
            ints[OUTCOME] = REACHED
            return done + 1
    ints[OUTCOME] = RUNNING
    return n_steps


def flow_steps(energy_gradient, solve, params, metric, mass, n_steps, start, x, g, floats, ints):
    """Up to ``n_steps`` steps of displacement-capped gradient flow dx/dt = -M^-1 g; returns how many gradients were taken.

    Explicit Euler. A step is taken back and halved unless the energy falls by half of what the slope promises, so that it never
    passes the minimum along its own direction: on a quadratic energy that is exactly step <= 1/curvature.
    """
    trial = np.empty_like(x)
    g_trial = np.empty_like(g)
    rows = np.empty((1, x.size))
    rows[0] = g
    d = -solve(rows, metric)[0]
    for done in range(n_steps):
        largest = np.abs(d).max()
        size = floats[STEP]
        if size * largest > floats[CAP]:
            size = floats[CAP] / largest
        trial[:] = x + size * d
        energy = energy_gradient(trial, params, g_trial)
        norm = np.sqrt(np.sum(g_trial * g_trial / mass))
        slope = np.dot(g, d)
        # At round-off level energies cannot be compared any more; the gradient along the direction still can.
        resolved = -size * slope > 1e-12 * (abs(floats[ENERGY]) + abs(energy))
        fell = energy <= floats[ENERGY] + 0.5 * size * slope if resolved else np.dot(g_trial, d) <= 0.0
        if not (np.isfinite(energy) and np.isfinite(norm) and fell):
            floats[STEP] = 0.5 * size
            if floats[STEP] * largest < 1e-14 * (1.0 + np.abs(x).max()):
                ints[OUTCOME] = NON_FINITE if not (np.isfinite(energy) and np.isfinite(norm)) else RUNNING
                return done + 1
            continue
        x[:] = trial
        g[:] = g_trial
        floats[STEP] = max(1.2 * size, floats[STEP])
        floats[ENERGY] = energy
        floats[GRADIENT_NORM] = norm
        if norm <= floats[TOLERANCE]:
            ints[OUTCOME] = REACHED
            return done + 1
        if np.abs(x - start).max() > floats[RADIUS]:
            ints[OUTCOME] = TOO_FAR
            return done + 1
        rows[0] = g
        d = -solve(rows, metric)[0]
    ints[OUTCOME] = RUNNING
    return n_steps


def by_mass(rows, metric):
    """M^-1 applied to rows (m, n) where M is the mass (n,)."""
    return rows / metric


@lru_cache(maxsize=1)
def compiled():
    """The stepping functions compiled (from the disk cache where it has them): ``(saddle_steps, flow_steps, by_mass, eigh)``."""
    rows = MATRIX(MATRIX, VECTOR)
    pairs = types.Tuple((VECTOR, MATRIX))(MATRIX)
    energy_gradient, hvp = FUNCTION_TYPES["energy_gradient"], FUNCTION_TYPES["hvp"]
    arrays = (VECTOR,) * 6 + (MATRIX,) * 5 + (VECTOR, INDICES)
    return (
        solver_kernel(INT(energy_gradient, hvp, function_type(rows), function_type(pairs), PARAMS, VECTOR, VECTOR, INT, *arrays))(saddle_steps),
        solver_kernel(INT(energy_gradient, function_type(rows), PARAMS, VECTOR, VECTOR, INT, VECTOR, VECTOR, VECTOR, VECTOR, INDICES))(flow_steps),
        KernelPointer(solver_kernel(rows)(by_mass), rows),
        KernelPointer(solver_kernel(pairs)(jacobi_eigh), pairs),
    )
