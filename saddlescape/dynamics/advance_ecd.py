"""The inner stepping functions of energy-conserving descent, compiled for models with kernels, interpreted for all others.

As in `saddlescape.dynamics.advance`, whose primitives serve here too, all vectors of a trajectory are rows of one array. M is the
metric, p the momentum, |p|^2 = p.M^-1 p, D = F(x) - floor the excess energy, D_c that of the ceiling, n the number of unknowns.
What is conserved, and how a point moves under a kick by g = dF/dx at x:

    BBI          H = sqrt(D (D + |p|^2)) = D_c          p' = -1/2 (D/D_c + D_c/D) g    x' = (D/D_c) M^-1 p            (1)
    separable    H = D^eta (1 + |p|^2) = D_c^eta        p' = -(eta/D) g                x' = 2 M^-1 p / (1 + |p|^2)    (2)
    isokinetic   |p| = 1      p' = -(eta/2) (n/(n-1)) (1 - p (M^-1 p).) g/D            x' = M^-1 p                    (3)

(De Luca, Silverstein, arXiv 2201.11137; De Luca, Gatti, Silverstein, arXiv 2306.00352; Robnik, De Luca, Silverstein, Seljak,
arXiv 2212.08549). Excess energies enter as logarithms, or as ratios of two of them: powers of them would overflow.
"""

from functools import lru_cache
from math import exp, expm1, log1p, sqrt

import numpy as np

from ..kernels import FUNCTION_TYPES, GENERATOR, INDICES, INT, MATRIX, PARAMS, VECTOR, compiled_as, helper, solver_kernel
from . import advance
from .advance import NON_FINITE, RUNNING, X, dot, largest, scale, solve

# ints[OUTCOME] besides those of `advance`: a step led to the floor or below it; steps fail however short they are
FLOOR_REACHED, TOO_LARGE = 4, 5

BBI, SEPARABLE, ISOKINETIC = 0, 1, 2  # ints[KIND]

# floats[...]: what a method sets, and what moves with the state
STEP, ETA, FLOOR, CEILING, MARGIN, NOISE, ENERGY, BEST_ENERGY, STALL_ENERGY, MAX_ENERGY, MAX_CORRECTION = range(11)
# ints[...]; LEAPFROG: 0 for the published Euler form; RESCALE: whether p is brought back to the conserved energy before each step;
# NOISE_EVERY: steps between two changes of direction by noise; ADAPT: a floor that was reached is lowered to MARGIN below the
# point; BOUNCE_EVERY, STALL_BOUNCE: 0 for none; SINCE_...: steps since the last noise, fixed bounce, best point; FIXED: how many
# bounces were of that kind; KICKED: how many kicks were larger than the momentum
KIND, LEAPFROG, RESCALE, NOISE_EVERY, BOXED, ADAPT, UNIFORM, BOUNCE_EVERY, MAX_BOUNCES, STALL_BOUNCE, OUTCOME = range(11)
SINCE_NOISE, SINCE_BOUNCE, SINCE_BEST, FIXED, BOUNCES, REJECTED, GRADIENTS, KICKED, ADAPTED = range(11, 20)
N_FLOATS, N_INTS = 11, 20

# rows[...] behind START and X of `advance`: g and M^-1 g, p and M^-1 p; the same at the point a step tries; noise and M^-1 times
# it; the best point; the box
G, IMAGE_G, P, V, TRIAL, TRIAL_G, TRIAL_IMAGE_G, TRIAL_P, TRIAL_V, NOISE_P, NOISE_V, BEST, LOWER, UPPER, N_ROWS = range(2, 17)

MAX_HALVINGS = 40  # of a step that fails, before the trajectory is given up
ROUNDING = 1e-12  # relative excess over the ceiling that is round-off
LARGEST_EXPONENT = 690.0  # of what is still a float64


def _mix(rows, first, a, second, b, m, out):
    for row in range(m):
        for col in range(rows.shape[1]):
            rows[out + row, col] = first * rows[a + row, col] + second * rows[b + row, col]


@compiled_as(_mix)
def mix(rows, first, a, second, b, m, out):
    """The m rows from out = first * those from a + second * those from b. One pass: compiled, each call costs as much as a few."""
    rows[out : out + m] = first * rows[a : a + m] + second * rows[b : b + m]


@helper
def lengths(rows, floats, ints):
    """|p|^2 as it is, and as the conserved energy has it at x; and the relative error of that energy."""
    have = dot(rows, P, V)
    if ints[KIND] == ISOKINETIC:
        return have, 1.0, have - 1.0
    excess = floats[ENERGY] - floats[FLOOR]
    total = floats[CEILING] - floats[FLOOR]
    room = (floats[CEILING] - floats[ENERGY]) / excess
    if ints[KIND] == BBI:
        return have, (total + excess) * room, sqrt(excess * (excess + have)) / total - 1.0
    want = room if floats[ETA] == 1.0 else expm1(min(floats[ETA] * log1p(room), LARGEST_EXPONENT))
    return have, want, (have - want) / (1.0 + want)


@helper
def conserve(rows, floats, ints):
    """Give p the length that belongs to the conserved energy at x, and note by how much the energy was off; returns |p|^2."""
    have, want, error = lengths(rows, floats, ints)
    if have == 0.0 or ints[KIND] == ISOKINETIC:
        return have
    floats[MAX_CORRECTION] = max(floats[MAX_CORRECTION], abs(error))
    if not ints[RESCALE]:
        return have
    want = max(want, 0.0)
    mix(rows, sqrt(want / have), P, 0.0, P, 2, P)
    return want


@helper
def kick(rows, floats, ints, excess, gradient, momentum, time):
    """Trial momentum = a momentum (row) after the force of a gradient (row) over a time; returns |change|^2.

    Behind either row is the one of M^-1 times it.
    """
    squared = dot(rows, gradient, gradient + 1)
    if ints[KIND] == ISOKINETIC:
        n = rows.shape[1]
        size = sqrt(squared)
        along = -dot(rows, momentum, gradient + 1) / size if size > 0.0 else 0.0
        # The exact flow of (3) at fixed g: rapidity a towards -g, here with exp(-a), which cannot overflow.
        rapidity = time * size * floats[ETA] * n / (2.0 * excess * (n - 1))
        decay = exp(-rapidity)
        towards = (1.0 - decay) * (1.0 + decay + along * (1.0 - decay)) / size if size > 0.0 else 0.0
        mix(rows, 2.0 * decay, momentum, -towards, gradient, 2, TRIAL_P)
        length = dot(rows, TRIAL_P, TRIAL_V)
        if length > 0.0:
            mix(rows, 1.0 / sqrt(length), TRIAL_P, 0.0, TRIAL_P, 2, TRIAL_P)
        else:  # straight against so large a force that nothing is left: it turns round
            mix(rows, -1.0, momentum, 0.0, momentum, 2, TRIAL_P)
        return rapidity * rapidity
    if ints[KIND] == BBI:
        ratio = excess / (floats[CEILING] - floats[FLOOR])
        strength = 0.5 * time * (ratio + 1.0 / ratio)
    else:
        strength = time * floats[ETA] / excess
    mix(rows, 1.0, momentum, -strength, gradient, 2, TRIAL_P)
    return strength * strength * squared


@helper
def drift(rows, floats, ints, time):
    """Move the trial point along the trial momentum over a time."""
    if ints[KIND] == BBI:
        time *= (floats[ENERGY] - floats[FLOOR]) / (floats[CEILING] - floats[FLOOR])
    elif ints[KIND] == SEPARABLE:
        time *= 2.0 / (1.0 + dot(rows, TRIAL_P, TRIAL_V))
    mix(rows, 1.0, X, time, TRIAL_V, 1, TRIAL)
    if ints[BOXED]:
        reflect(rows)


def _reflect(rows):
    for col in range(rows.shape[1]):
        width = rows[UPPER, col] - rows[LOWER, col]
        beyond = rows[TRIAL, col] - rows[LOWER, col]
        if beyond < 0.0 or beyond > width:
            beyond = beyond % (2.0 * width)
            if beyond > width:
                beyond = 2.0 * width - beyond
                rows[TRIAL_P, col] = -rows[TRIAL_P, col]
                rows[TRIAL_V, col] = -rows[TRIAL_V, col]
            rows[TRIAL, col] = rows[LOWER, col] + beyond


@compiled_as(_reflect)
def reflect(rows):
    """Fold the trial point back into the box at its walls, and turn the momentum where it was reflected an odd number of times."""
    width = rows[UPPER] - rows[LOWER]
    beyond = rows[TRIAL] - rows[LOWER]
    outside = (beyond < 0.0) | (beyond > width)
    beyond[outside] = beyond[outside] % (2.0 * width[outside])
    turned = beyond > width
    beyond[turned] = 2.0 * width[turned] - beyond[turned]
    rows[TRIAL, outside] = rows[LOWER, outside] + beyond[outside]
    rows[TRIAL_P, turned] *= -1.0
    rows[TRIAL_V, turned] *= -1.0


def _gaussian(metric, rows, rng):
    for col in range(rows.shape[1]):
        rows[NOISE_P, col] = rng.standard_normal() * sqrt(metric[col])
        rows[NOISE_V, col] = rows[NOISE_P, col] / metric[col]


@compiled_as(_gaussian)
def gaussian(metric, rows, rng):
    """A random momentum with |z|^2 about n, and M^-1 times it: isotropic where the metric is the mass.

    Of a preconditioner only M and M^-1 are known, no root. There z is white, so that the soft modes are turned most, and scaled to
    |z|^2 = n.
    """
    z = rng.standard_normal(rows.shape[1])
    if metric.preconditioner is None:
        rows[NOISE_P] = z * np.sqrt(metric.mass)
        rows[NOISE_V] = rows[NOISE_P] / metric.mass
        return
    image = metric.solve(z)
    factor = np.sqrt(z.size / np.dot(z, image))
    rows[NOISE_P] = factor * z
    rows[NOISE_V] = factor * image


def _cube(metric, rows, rng):
    for col in range(rows.shape[1]):
        rows[NOISE_P, col] = (rng.random() - 0.5) * sqrt(metric[col])
        rows[NOISE_V, col] = rows[NOISE_P, col] / metric[col]


@compiled_as(_cube)
def cube(metric, rows, rng):
    """A random momentum from a cube, as published: not isotropic."""
    rows[NOISE_P] = (rng.random(rows.shape[1]) - 0.5) * np.sqrt(metric.mass)
    rows[NOISE_V] = rows[NOISE_P] / metric.mass


@helper
def turn(rows, along, across):
    """Give p the direction of along * p/|p| + across * z, and keep its length."""
    squared = dot(rows, P, V)
    if squared == 0.0:
        return
    mix(rows, along, P, across * sqrt(squared), NOISE_P, 2, P)
    mix(rows, sqrt(squared / dot(rows, P, V)), P, 0.0, P, 2, P)


@helper
def bounced(metric, rows, floats, ints, rng):
    """Whether this step is a bounce: then p has a new direction, drawn at random, and x stays where it is.

    Bounces come every BOUNCE_EVERY steps, MAX_BOUNCES times, and where the best energy has not fallen for STALL_BOUNCE steps.
    """
    fixed = ints[BOUNCE_EVERY] > 0 and ints[FIXED] < ints[MAX_BOUNCES] and ints[SINCE_BOUNCE] >= ints[BOUNCE_EVERY]
    if not (fixed or (ints[STALL_BOUNCE] > 0 and ints[SINCE_BEST] >= ints[STALL_BOUNCE])):
        ints[SINCE_BOUNCE] += 1
        ints[SINCE_BEST] += 1
        if floats[ENERGY] < floats[STALL_ENERGY]:
            floats[STALL_ENERGY] = floats[ENERGY]
            ints[SINCE_BEST] = 0
        return False
    if fixed:
        ints[FIXED] += 1
        ints[SINCE_BOUNCE] = 0
    ints[SINCE_BEST] = 0
    ints[BOUNCES] += 1
    if ints[UNIFORM]:
        cube(metric, rows, rng)
    else:
        gaussian(metric, rows, rng)
    turn(rows, 0.0, 1.0)
    return True


@helper
def attempt(energy_gradient, params, rows, floats, ints, squared, time):
    """Rows TRIAL...: where a step over a time leads, up to its second kick; returns the energy there.

    The kick is weighed against the momentum that it meets (|p|^2: squared): where it is the larger one, little is left of that.
    """
    first = 0.5 * time if ints[LEAPFROG] else time
    if kick(rows, floats, ints, floats[ENERGY] - floats[FLOOR], G, P, first) > squared:
        ints[KICKED] += 1
    drift(rows, floats, ints, time)
    ints[GRADIENTS] += 1
    return energy_gradient(rows[TRIAL], params, rows[TRIAL_G])


@helper
def accept(metric, rows, floats, ints, energy, time):
    """Take the trial point; returns whether the trajectory goes on, which it does not from a floor that it has reached."""
    solve(metric, rows, TRIAL_G, 1, TRIAL_IMAGE_G)
    if energy < floats[BEST_ENERGY]:
        floats[BEST_ENERGY] = energy
        scale(rows, 1.0, TRIAL, BEST)
    floats[MAX_ENERGY] = max(floats[MAX_ENERGY], energy)
    below = not energy > floats[FLOOR]
    if below and ints[ADAPT]:
        floats[FLOOR] = energy - floats[MARGIN]
        ints[ADAPTED] += 1
    if ints[LEAPFROG] and energy > floats[FLOOR]:
        kick(rows, floats, ints, energy - floats[FLOOR], TRIAL_G, TRIAL_P, 0.5 * time)
    floats[ENERGY] = energy
    mix(rows, 1.0, TRIAL, 0.0, TRIAL, TRIAL - X, X)
    if below and ints[ADAPT]:
        # The ceiling stays, so there is more energy to go round now: no error of the step.
        noted = floats[MAX_CORRECTION]
        conserve(rows, floats, ints)
        floats[MAX_CORRECTION] = noted
    return not below or ints[ADAPT] == 1


@helper
def step(energy_gradient, params, metric, rows, floats, ints, squared):
    """One step from |p|^2 = squared, halved as long as it leads too high or where nothing is finite; returns how it ended.

    A step that fails leaves the state as it was.
    """
    time = floats[STEP]
    highest = floats[CEILING] + ROUNDING * (floats[CEILING] - floats[FLOOR])
    for _ in range(MAX_HALVINGS):
        energy = attempt(energy_gradient, params, rows, floats, ints, squared, time)
        good = largest(rows, TRIAL_G) < np.inf and abs(energy) < np.inf
        if good and energy <= highest:
            return RUNNING if accept(metric, rows, floats, ints, energy, time) else FLOOR_REACHED
        ints[REJECTED] += 1
        time *= 0.5
    return TOO_LARGE if good else NON_FINITE


def ecd_steps(energy_gradient, params, metric, n_steps, rows, floats, ints, rng):
    """Up to ``n_steps`` steps and bounces of energy-conserving descent; returns how many were made."""
    ints[OUTCOME] = RUNNING
    for done in range(n_steps):
        if bounced(metric, rows, floats, ints, rng):
            continue
        squared = conserve(rows, floats, ints)
        ints[OUTCOME] = step(energy_gradient, params, metric, rows, floats, ints, squared)
        if ints[OUTCOME] == FLOOR_REACHED:
            return done + 1
        if ints[OUTCOME] != RUNNING:
            return done
        if floats[NOISE] > 0.0:
            ints[SINCE_NOISE] += 1
            if ints[SINCE_NOISE] >= ints[NOISE_EVERY]:
                ints[SINCE_NOISE] = 0
                gaussian(metric, rows, rng)
                turn(rows, 1.0, floats[NOISE])
    return n_steps


@lru_cache(maxsize=1)
def compiled():
    """The stepping function compiled (from the disk cache where it has it)."""
    signature = INT(FUNCTION_TYPES["energy_gradient"], PARAMS, VECTOR, INT, MATRIX, VECTOR, INDICES, GENERATOR)
    return solver_kernel(signature, uses=(advance,), allocates=False)(ecd_steps)
