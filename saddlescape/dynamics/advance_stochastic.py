"""The inner stepping functions of stochastic saddle dynamics, compiled for models with kernels, interpreted for all others.

As in `saddlescape.dynamics.advance`, all vectors of a search are rows of one array. M is the
metric, X the frame of k rows, M-orthonormal; w is a random sample, g(x; w) and H(x; w) v the estimates that belong to it. A step is

    x' = x + a(n) d,   d = -M^-1 g(x; w) + 2 X^T (X g(x; w))                                                         (1)

after one or more sweeps of the stochastic eigenvector search, for i = 1 to k in turn,

    v_i' = v_i - b(n) (M^-1 H(x; w) v_i - sum_{j <= i} v_j (v_j . H(x; w) v_i)),   then orthonormal to v_1 ... v_{i-1}    (2)

(Shi, Zhang, Du, arXiv 2510.14144; M as in Huang, Su, Zhang, Zhao, arXiv 2603.25390).
"""

from functools import lru_cache
from math import sqrt

import numpy as np

from ..kernels import FUNCTION_TYPES, GENERATOR, INDICES, INT, MATRIX, PARAMS, VECTOR, helper, solver_kernel
from . import primitives
from .primitives import NON_FINITE, RUNNING, TOO_FAR, X, add, dot, dual_norm, farther, largest, scale, solve

# floats[...]: a(n) = GAMMA / (n - SINCE + OFFSET)^POWER, and the same for b(n) of the frame; what moves with the state
GAMMA, OFFSET, POWER, FRAME_GAMMA, FRAME_OFFSET, FRAME_POWER, CAP, RADIUS, DIMER, ALIGNED, MOVED, SQUARES = range(12)
# ints[...]; SINCE: the step from which schedules count (negative: not yet); DRAWS: samples that a step averages
# ADDED: steps in the sums; GRADIENTS, PRODUCTS: estimates so far
FRAME_ROWS, STEP, SINCE, SWEEPS, DRAWS, DOUBLE_EVERY, MAX_DRAWS, OUTCOME, REJECTED, REJECTED_RUNNING, HAS_HVP = range(11)
ADDED, GRADIENTS, PRODUCTS = range(11, 14)
N_FLOATS, N_INTS = 12, 14

# rows[...] behind START and X of `primitives`: g; d and M d; the last move; sums of x and of g since they were cleared; scratch
# space; then `blocks`
G, D, MD, MOVE, SUM_X, SUM_G, SCRATCH, SCRATCH_2, N_VECTORS = range(2, 11)

MAX_REJECTED = 100  # so many steps rejected in a row end a search


@helper
def blocks(k):
    """Where in ``rows`` X, M X, H X and M^-1 H X begin (k rows each; a sweep leaves residuals there), and the number of rows."""
    return N_VECTORS, N_VECTORS + k, N_VECTORS + 2 * k, N_VECTORS + 3 * k, N_VECTORS + 4 * k


@helper
def decayed(gamma, offset, power, n):
    """gamma / (n + offset)^power."""
    if power == 0.0:
        return gamma
    return gamma / (n + offset) if power == 1.0 else gamma * (n + offset) ** -power


@helper
def product(gradient, hvp, params, rows, floats, ints, sample, v, out):
    """Row out = the estimate of H times row v; without a kernel for it, by two gradients of the same sample."""
    ints[PRODUCTS] += 1
    if ints[HAS_HVP]:
        hvp(rows[X], rows[v], params, sample, rows[out])
        return
    length = floats[DIMER] / largest(rows, v)
    ints[GRADIENTS] += 2
    scale(rows, 1.0, X, SCRATCH)
    add(rows, length, v, SCRATCH)
    gradient(rows[SCRATCH], params, sample, rows[out])
    add(rows, -2.0 * length, v, SCRATCH)
    gradient(rows[SCRATCH], params, sample, rows[SCRATCH_2])
    add(rows, -1.0, SCRATCH_2, out)
    scale(rows, 0.5 / length, out, out)


@helper
def sweep(draw, gradient, hvp, params, metric, rows, floats, ints, quotients, sample, rng, size):
    """One sweep (2) over the frame with a fresh sample; returns whether it was made: products that are not finite leave the frame.

    ``quotients`` (2, k): sums of the quotients v_i.H v_i and of their squares.
    """
    k = ints[FRAME_ROWS]
    frame, metric_frame, images, primal, _ = blocks(k)
    draw(params, rng, sample)
    for i in range(k):
        product(gradient, hvp, params, rows, floats, ints, sample, frame + i, images + i)
        if not largest(rows, images + i) < np.inf:
            return False
    for i in range(k):
        quotient = dot(rows, frame + i, images + i)
        quotients[0, i] += quotient
        quotients[1, i] += quotient * quotient
        # Residuals, not products, go through M^-1: else the round-off in M X would grow as exp(b v.H v n) where v.H v > 0.
        add(rows, -quotient, metric_frame + i, images + i)
    solve(metric, rows, images, k, primal)
    for i in range(k):
        add(rows, -size, primal + i, frame + i)
        add(rows, -size, images + i, metric_frame + i)
        # What (2) subtracts for j < i goes here too.
        for j in range(i):
            along = dot(rows, frame + i, metric_frame + j)
            add(rows, -along, frame + j, frame + i)
            add(rows, -along, metric_frame + j, metric_frame + i)
        length = 1.0 / sqrt(dot(rows, frame + i, metric_frame + i))
        scale(rows, length, frame + i, frame + i)
        scale(rows, length, metric_frame + i, metric_frame + i)
    return True


@helper
def estimate(draw, gradient, params, rows, ints, sample, rng):
    """Row G = the mean of the gradient estimates of as many samples as a step averages."""
    draw(params, rng, sample)
    gradient(rows[X], params, sample, rows[G])
    draws = ints[DRAWS]
    ints[GRADIENTS] += draws
    for _ in range(1, draws):
        draw(params, rng, sample)
        gradient(rows[X], params, sample, rows[SCRATCH])
        add(rows, 1.0, SCRATCH, G)
    if draws > 1:
        scale(rows, 1.0 / draws, G, G)


@helper
def direct(metric, rows, k):
    """Direction (1) and its image under M."""
    frame, metric_frame, _, _, _ = blocks(k)
    solve(metric, rows, G, 1, D)
    scale(rows, -1.0, D, D)
    scale(rows, -1.0, G, MD)
    for i in range(k):
        along = 2.0 * dot(rows, frame + i, G)
        add(rows, along, frame + i, D)
        add(rows, along, metric_frame + i, MD)


@helper
def reject(ints):
    """Count a step or sweep whose estimates are not finite; returns whether there were too many in a row."""
    ints[REJECTED] += 1
    ints[REJECTED_RUNNING] += 1
    return ints[REJECTED_RUNNING] >= MAX_REJECTED


def saddle_steps(draw, gradient, hvp, params, metric, mass, n_steps, rows, floats, ints, quotients, sample, rng):
    """Up to ``n_steps`` steps of stochastic saddle dynamics; returns how many were made.

    A step whose estimates are not finite is rejected and counted. Stops early when 100 in a row are, or when x is farther than
    floats[RADIUS] from the start.
    """
    ints[OUTCOME] = RUNNING
    k = ints[FRAME_ROWS]
    for done in range(1, n_steps + 1):
        n = ints[STEP] - ints[SINCE] if ints[SINCE] >= 0 else 0
        ints[STEP] += 1
        if ints[DOUBLE_EVERY] > 0 and ints[STEP] % ints[DOUBLE_EVERY] == 0:
            ints[DRAWS] = min(2 * ints[DRAWS], ints[MAX_DRAWS])
        size = decayed(floats[FRAME_GAMMA], floats[FRAME_OFFSET], floats[FRAME_POWER], n)
        good = True
        for _ in range(ints[SWEEPS]):
            good = sweep(draw, gradient, hvp, params, metric, rows, floats, ints, quotients, sample, rng, size)
            if not good:
                break
        if good:
            estimate(draw, gradient, params, rows, ints, sample, rng)
            good = largest(rows, G) < np.inf
        if not good:
            if reject(ints):
                ints[OUTCOME] = NON_FINITE
                return done
            continue
        ints[REJECTED_RUNNING] = 0
        direct(metric, rows, k)
        floats[SQUARES] += dual_norm(rows, G, mass) ** 2
        size = decayed(floats[GAMMA], floats[OFFSET], floats[POWER], n)
        longest = largest(rows, D)
        if size * longest > floats[CAP]:
            size = floats[CAP] / longest
        # Successive moves point the same way while x travels, and on average against each other once noise is all that moves it.
        floats[ALIGNED] += size * dot(rows, MD, MOVE)
        floats[MOVED] += size * size * dot(rows, MD, D)
        scale(rows, size, D, MOVE)
        add(rows, 1.0, MOVE, X)
        add(rows, 1.0, X, SUM_X)
        add(rows, 1.0, G, SUM_G)
        ints[ADDED] += 1
        if farther(floats[RADIUS], rows, SCRATCH):
            ints[OUTCOME] = TOO_FAR
            return done
    return n_steps


def eigenvector_steps(draw, gradient, hvp, params, metric, mass, n_steps, rows, floats, ints, quotients, sample, rng):
    """Up to ``n_steps`` sweeps of the stochastic eigenvector search (2) at a fixed x; returns how many were made."""
    ints[OUTCOME] = RUNNING
    for done in range(1, n_steps + 1):
        size = decayed(floats[FRAME_GAMMA], floats[FRAME_OFFSET], floats[FRAME_POWER], ints[STEP])
        ints[STEP] += 1
        if sweep(draw, gradient, hvp, params, metric, rows, floats, ints, quotients, sample, rng, size):
            ints[REJECTED_RUNNING] = 0
        elif reject(ints):
            ints[OUTCOME] = NON_FINITE
            return done
    return n_steps


@lru_cache(maxsize=1)
def compiled():
    """The stepping functions compiled (from the disk cache where it has them): ``(saddle_steps, eigenvector_steps)``."""
    roles = [FUNCTION_TYPES[role] for role in ("draw", "stochastic_gradient", "stochastic_hvp")]
    signature = INT(*roles, PARAMS, VECTOR, VECTOR, INT, MATRIX, VECTOR, INDICES, MATRIX, VECTOR, GENERATOR)
    make = solver_kernel(signature, uses=(primitives,))
    return make(saddle_steps), make(eigenvector_steps)
