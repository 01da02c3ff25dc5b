"""The inner stepping functions, written once: compiled for models with kernels, interpreted for all others.

`energy_gradient`, `hvp` and `eigh` are function arguments: kernels when compiled, Python functions with the same signatures in the
interpreter. The algebra goes through a few `saddlescape.dynamics.primitives`, each of them NumPy in the interpreter and loops when
compiled; `saddlescape.dynamics.frames` follows the frame.

All vectors of a search are rows of one array ``rows`` (n_rows, n), updated in place; functions name them by their numbers. Not many
arrays, because numba compiles functions of many arrays slowly and takes 0.1 us to receive each.

Notation: M is the metric (the preconditioner, or the mass), X the frame of k rows, M-orthonormal, g = dE/dx and

    d = -M^-1 g + 2 X^T (X g)                                                                                   (1)

the reflected, preconditioned direction (Yin, Zhang, Zhang, SIAM J. Sci. Comput. 41 (2019) A3576; M: Huang, Su, Zhang, Zhao,
arXiv 2603.25390).
"""

from functools import lru_cache

import numpy as np
from scipy.linalg.lapack import dsyevd

from ..kernels import FUNCTION_TYPES, INDICES, INT, MATRIX, PARAMS, VECTOR, function_type, helper, solver_kernel
from ..numerics.jacobi import EIGH, compiled_eigh
from . import frames, primitives
from .frames import CHANGE, LAST, MD, METRIC_CHANGE, MOVE, D, G, blocks, descend, rayleigh_ritz, sweep
from .primitives import NON_FINITE, REACHED, RUNNING, TOO_FAR, X, add, dot, dual_norm, farther, finite, largest, scale, solve

# floats[...]: what a method sets, and what moves with the state
TOLERANCE, CAP, STEP, FRAME_STEP, MOMENTUM, RADIUS, ENERGY, GRADIENT_NORM, MAX_ENERGY, SHORT, SHORTER = range(11)
# ints[...]; WIDTH: how many rows of the basis are in use
STEP_RULE, MOMENTUM_RULE, RESTART, SINCE_RESTART, FRAME_RULE, WIDTH, OUTCOME, FRAME_ROWS, BASIS_ROWS = range(9)
N_FLOATS, N_INTS = 11, 9

# rows[...] of the gradient flow, behind START, X and G
TRIAL, G_TRIAL, CLIMB, N_FLOW = 3, 4, 5, 6

FIXED, BARZILAI_BORWEIN = 0, 1
EXACT, SWEEP, POWER = 0, 1, 2
NO_MOMENTUM, HEAVY_BALL, NESTEROV = 0, 1, 2


@helper
def refresh(hvp, eigh, params, metric, rows, floats, ints):
    """Frame at a new point, then direction (1) and its image under M."""
    k, m, rule = ints[FRAME_ROWS], ints[BASIS_ROWS], ints[FRAME_RULE]
    frame, metric_frame, dual, primal, basis, images, metric_images, _ = blocks(k, m)
    scale(rows, 1.0, G, dual + k)
    if rule == SWEEP:
        sweep(hvp, eigh, params, metric, rows, k, ints[WIDTH])
        ints[WIDTH] = m
    else:
        if k > 0:
            rayleigh_ritz(hvp, eigh, params, rows, k, m, basis, images, metric_images, frame, metric_frame, dual)
        solve(metric, rows, dual, k + 1, primal)
        if rule == POWER:
            descend(eigh, rows, k, m, floats[FRAME_STEP])
    scale(rows, -1.0, primal + k, D)
    scale(rows, -1.0, G, MD)
    for i in range(k):
        along = 2.0 * dot(rows, frame + i, G)
        add(rows, along, frame + i, D)
        add(rows, along, metric_frame + i, MD)


@helper
def accelerate(rows, floats, ints):
    """Add momentum to the move; LAST becomes the iterate that the next step looks back to."""
    if ints[MOMENTUM_RULE] == NO_MOMENTUM:
        return
    scale(rows, 1.0, X, CHANGE)
    if ints[MOMENTUM_RULE] == HEAVY_BALL:
        add(rows, -1.0, LAST, CHANGE)
        scale(rows, 1.0, X, LAST)
        add(rows, floats[MOMENTUM], CHANGE, MOVE)
    else:
        add(rows, 1.0, MOVE, CHANGE)
        add(rows, -1.0, LAST, CHANGE)
        if dot(rows, MD, CHANGE) < 0.0 or ints[SINCE_RESTART] >= ints[RESTART]:
            ints[SINCE_RESTART] = 0
        add(rows, 1.0, CHANGE, LAST)
        add(rows, ints[SINCE_RESTART] / (ints[SINCE_RESTART] + 3.0), CHANGE, MOVE)
        ints[SINCE_RESTART] += 1


@helper
def next_size(along, length, curvature, floats):
    """The next step size by adaptive Barzilai-Borwein (ABBmin) from the last move s and the change y of the direction (metric).

    The long step BB1 = <s, s> / |<s, y>|; where the short one, BB2 = |<s, y>| / <y, y>, is less than half of it, the shortest of
    the last three short ones (Frassoldati, Zanni, Zanghirati, J. Ind. Manag. Optim. 4 (2008) 299).
    """
    short = abs(along) / curvature
    shortest = min(short, floats[SHORT], floats[SHORTER])
    floats[SHORTER] = floats[SHORT]
    floats[SHORT] = short
    return shortest if 2.0 * abs(along) * short < length else length / abs(along)


def saddle_steps(energy_gradient, hvp, eigh, params, metric, mass, n_steps, rows, floats, ints):
    """Up to ``n_steps`` steps of (preconditioned) high-index saddle dynamics; returns how many were made.

    Stops early when the gradient norm meets floats[TOLERANCE], when something is not finite, or when x is farther than
    floats[RADIUS] from the start. No steps: frame and direction at the start.
    """
    ints[OUTCOME] = RUNNING
    if n_steps == 0:
        refresh(hvp, eigh, params, metric, rows, floats, ints)
    for done in range(1, n_steps + 1):
        size, longest = floats[STEP], largest(rows, D)
        if size * longest > floats[CAP]:
            size = floats[CAP] / longest
        scale(rows, size, D, MOVE)
        accelerate(rows, floats, ints)
        add(rows, 1.0, MOVE, X)
        floats[ENERGY] = energy_gradient(rows[X], params, rows[G])
        floats[GRADIENT_NORM] = dual_norm(rows, G, mass)
        if not finite(floats[ENERGY], floats[GRADIENT_NORM]):
            ints[OUTCOME] = NON_FINITE
            return done
        floats[MAX_ENERGY] = max(floats[MAX_ENERGY], floats[ENERGY])
        if farther(floats[RADIUS], rows, CHANGE):
            ints[OUTCOME] = TOO_FAR
            return done
        length = size * size * dot(rows, D, MD)
        scale(rows, -1.0, D, CHANGE)
        scale(rows, -1.0, MD, METRIC_CHANGE)
        refresh(hvp, eigh, params, metric, rows, floats, ints)
        add(rows, 1.0, D, CHANGE)
        add(rows, 1.0, MD, METRIC_CHANGE)
        curvature, along = dot(rows, CHANGE, METRIC_CHANGE), dot(rows, MOVE, METRIC_CHANGE)
        if ints[STEP_RULE] == BARZILAI_BORWEIN and curvature > 0.0 and along != 0.0:
            floats[STEP] = next_size(along, length, curvature, floats)
        if floats[GRADIENT_NORM] <= floats[TOLERANCE]:
            ints[OUTCOME] = REACHED
            return done
    return n_steps


def flow_steps(energy_gradient, params, metric, mass, n_steps, rows, floats, ints):
    """Up to ``n_steps`` steps of displacement-capped gradient flow dx/dt = -M^-1 g; returns how many gradients were taken.

    Explicit Euler. A step is taken back and halved unless the energy falls by half of what the slope promises, so that it never
    passes the minimum along its own direction: on a quadratic energy that is exactly step <= 1/curvature.
    """
    ints[OUTCOME] = RUNNING
    solve(metric, rows, G, 1, CLIMB)
    for done in range(1, n_steps + 1):
        size, longest = floats[STEP], largest(rows, CLIMB)
        if size * longest > floats[CAP]:
            size = floats[CAP] / longest
        scale(rows, 1.0, X, TRIAL)
        add(rows, -size, CLIMB, TRIAL)
        energy = energy_gradient(rows[TRIAL], params, rows[G_TRIAL])
        norm = dual_norm(rows, G_TRIAL, mass)
        gain = size * dot(rows, G, CLIMB)
        # At round-off level energies cannot be compared any more; the gradient along the direction still can.
        if gain > 1e-12 * (abs(floats[ENERGY]) + abs(energy)):
            fell = energy <= floats[ENERGY] - 0.5 * gain
        else:
            fell = dot(rows, G_TRIAL, CLIMB) >= 0.0
        if not (fell and finite(energy, norm)):
            floats[STEP] = 0.5 * size
            if floats[STEP] * longest < 1e-14 * (1.0 + largest(rows, X)):
                ints[OUTCOME] = RUNNING if finite(energy, norm) else NON_FINITE
                return done
            continue
        scale(rows, 1.0, TRIAL, X)
        scale(rows, 1.0, G_TRIAL, G)
        floats[STEP] = max(1.2 * size, floats[STEP])
        floats[ENERGY] = energy
        floats[GRADIENT_NORM] = norm
        if norm <= floats[TOLERANCE]:
            ints[OUTCOME] = REACHED
            return done
        if farther(floats[RADIUS], rows, TRIAL):
            ints[OUTCOME] = TOO_FAR
            return done
        solve(metric, rows, G, 1, CLIMB)
    return n_steps


def finite_eigh(matrix):
    """Eigenvalues and eigenvectors by LAPACK, or NaN instead of an exception where the matrix has some: as the compiled one has it.

    Called directly, dsyevd takes half the time of numpy.linalg.eigh on the small matrices of a frame.
    """
    if np.isfinite(matrix.sum()):
        values, vectors, info = dsyevd(matrix, lower=1)
        if info == 0:
            return values, vectors
    return np.full(len(matrix), np.nan), np.full(matrix.shape, np.nan)


@lru_cache(maxsize=1)
def compiled():
    """The stepping functions compiled (from the disk cache where it has them): ``(saddle_steps, flow_steps, eigh)``."""
    energy_gradient, hvp, eigh = FUNCTION_TYPES["energy_gradient"], FUNCTION_TYPES["hvp"], function_type(EIGH)
    state = (PARAMS, VECTOR, VECTOR, INT, MATRIX, VECTOR, INDICES)
    return (
        solver_kernel(INT(energy_gradient, hvp, eigh, *state), uses=(primitives, frames))(saddle_steps),
        solver_kernel(INT(energy_gradient, *state), uses=(primitives,))(flow_steps),
        compiled_eigh(),
    )
