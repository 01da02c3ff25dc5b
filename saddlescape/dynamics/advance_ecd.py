"""The inner stepping functions of energy-conserving descent, compiled for models with kernels, interpreted for all others.

As in `saddlescape.dynamics.advance`, all vectors of a trajectory are rows of one array; `saddlescape.dynamics.ecd_rows` has them
and the passes over them. M is the metric, p the momentum, |p|^2 = p.M^-1 p, D = F(x) - floor the excess energy, D_c that of the
ceiling, n the number of unknowns.
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

from ..kernels import FUNCTION_TYPES, GENERATOR, INDICES, INT, MATRIX, NONE, PARAMS, VECTOR, inlined, solver_kernel
from . import ecd_rows, primitives
from .ecd_rows import (
    BEST,
    SPAN,
    G,
    combine,
    copy_point,
    cube,
    gaussian,
    lengthen,
    move,
    products,
    reflect,
    signs,
    solve_gradient,
    turn,
)
from .primitives import NON_FINITE, RUNNING, X, dot, scale

# ints[OUTCOME] besides those of `primitives`: a step led to the floor or below it; steps fail however short they are
FLOOR_REACHED, TOO_LARGE = 4, 5

BBI, SEPARABLE, ISOKINETIC = 0, 1, 2  # ints[KIND]

# floats[...]: what a method sets, and what moves with the state. DUE: the time of the kick that is still due at the point: that of
# a leapfrog's second half, put off to share its pass over the rows with the next step's first. WEIGHT: see `ecd_rows`
STEP, ETA, FLOOR, CEILING, MARGIN, NOISE, ENERGY, BEST_ENERGY, STALL_ENERGY, MAX_ENERGY, MAX_CORRECTION, DUE, WEIGHT = range(13)
# ints[...]; LEAPFROG: 0 for the published Euler form; RESCALE: whether p is brought back to the conserved energy before each step;
# NOISE_EVERY: steps between two changes of direction by noise; SIGNS: whether that noise is made of signs; ADAPT: a floor that was
# reached is lowered to MARGIN below the point; UNIFORM: bounces from a cube; BOUNCE_EVERY, STALL_BOUNCE: 0 for none; SINCE_...:
# steps since the last noise, fixed bounce, best point; FIXED: how many bounces were of that kind; KICKED: how many kicks were
# larger than the momentum
KIND, LEAPFROG, RESCALE, NOISE_EVERY, SIGNS, BOXED, ADAPT, UNIFORM, BOUNCE_EVERY, MAX_BOUNCES, STALL_BOUNCE, OUTCOME = range(12)
SINCE_NOISE, SINCE_BOUNCE, SINCE_BEST, FIXED, BOUNCES, REJECTED, GRADIENTS, KICKED, ADAPTED = range(12, 21)
N_FLOATS, N_INTS = 13, 21

MAX_HALVINGS = 40  # of a step that fails, before the trajectory is given up
ROUNDING = 1e-12  # relative excess over the ceiling that is round-off
LARGEST_EXPONENT = 690.0  # of what is still a float64
CANCELLED = 1e-4  # relative |p|^2 of a sum below which it is measured, not computed, and
NOTHING = 1e-12  # below which rounding is all that is left of it


@inlined
def wanted(floats, ints):
    """|p|^2 as the conserved energy has it at x."""
    if ints[KIND] == ISOKINETIC:
        return 1.0
    excess = floats[ENERGY] - floats[FLOOR]
    room = (floats[CEILING] - floats[ENERGY]) / excess
    if ints[KIND] == BBI:
        return max((floats[CEILING] - floats[FLOOR] + excess) * room, 0.0)
    return max(room if floats[ETA] == 1.0 else expm1(min(floats[ETA] * log1p(room), LARGEST_EXPONENT)), 0.0)


@inlined
def misfit(floats, ints, have, want):
    """The relative error of the conserved energy where |p|^2 is have."""
    if ints[KIND] == ISOKINETIC:
        return have - 1.0
    if ints[KIND] == BBI:
        excess = floats[ENERGY] - floats[FLOOR]
        return sqrt(excess * (excess + have)) / (floats[CEILING] - floats[FLOOR]) - 1.0
    return (have - want) / (1.0 + want)


@inlined
def force(floats, ints, n, slope):
    """By how much a kick changes the momentum per time: the factor of g, or (isokinetic) the rapidity.

    Of the latter also exp(-rapidity) of half a step, the usual kick.
    """
    excess = floats[ENERGY] - floats[FLOOR]
    if ints[KIND] == ISOKINETIC:
        rate = sqrt(slope) * floats[ETA] * n / (2.0 * excess * (n - 1.0))
        return rate, exp(-rate * (0.5 * floats[STEP]))
    if ints[KIND] == BBI:
        ratio = excess / (floats[CEILING] - floats[FLOOR])
        return 0.5 * (ratio + 1.0 / ratio), 0.0
    return floats[ETA] / excess, 0.0


@inlined
def kick(floats, ints, along, slope, strength, half, time):
    """The factors of p and g in the momentum after a time, and whether its length is one left by cancellation; see `force`."""
    if ints[KIND] != ISOKINETIC:
        return 1.0, -time * strength, False
    if slope == 0.0:
        return 1.0, 0.0, False
    # The exact flow of (3) at fixed g: rapidity towards -g, here with exp(-rapidity), which cannot overflow.
    if time == 0.5 * floats[STEP]:
        decay = half
    elif time == floats[STEP]:
        decay = half * half
    else:
        decay = exp(-strength * time)
    size = sqrt(slope)
    keep, push = 2.0 * decay, -(1.0 - decay) * (1.0 + decay - along / size * (1.0 - decay)) / size
    squares = keep * keep + push * push * slope
    squared = squares + 2.0 * keep * push * along
    if squared <= NOTHING * squares:  # straight against so large a force, it turns round
        return -1.0, 0.0, False
    length = sqrt(squared)
    return keep / length, push / length, squared < CANCELLED * squares


@inlined
def settled(floats, ints, squared, along, slope, strength, half):
    """Factors of p and g in the momentum after the kick that is due, its |p|^2 and its p.M^-1 g; from the `products` before it."""
    first = 1.0 / sqrt(squared) if ints[KIND] == ISOKINETIC else 1.0
    squared *= first * first
    along *= first
    if floats[DUE] == 0.0:
        return first, 0.0, squared, along
    keep, push, _ = kick(floats, ints, along, slope, strength, half, floats[DUE])
    squared = 1.0 if ints[KIND] == ISOKINETIC else max(squared + 2.0 * push * along + push * push * slope, 0.0)
    return keep * first, push, squared, keep * along + push * slope


@inlined
def conserve(metric, rows, floats, ints, at, squared, along, slope, strength, half, rng):
    """What a step begins with: the kick that is due, noise, and the length that belongs to the conserved energy at x.

    Returns factors of p and g in that momentum, its |p|^2 and p.M^-1 g, and the time of a kick that is left to share the one that
    follows. By how much the energy was off is noted.
    """
    isokinetic = ints[KIND] == ISOKINETIC
    noisy = floats[NOISE] > 0.0 and ints[SINCE_NOISE] >= ints[NOISE_EVERY]
    if isokinetic and not noisy:  # the flow of one force, longer
        length = sqrt(squared)
        return 1.0 / length, 0.0, 1.0, along / length, floats[DUE]
    keep, push, have, along = settled(floats, ints, squared, along, slope, strength, half)
    want = wanted(floats, ints)
    if have > 0.0 and not isokinetic:
        floats[MAX_CORRECTION] = max(floats[MAX_CORRECTION], abs(misfit(floats, ints, have, want)))
    if have == 0.0 or not ints[RESCALE]:
        want = have
    if noisy:
        ints[SINCE_NOISE] = 0
        if ints[SIGNS]:
            signs(metric, floats[WEIGHT], rows, rng)
        else:
            gaussian(metric, floats[WEIGHT], rows, rng)
        have, along = turn(metric, floats[WEIGHT], rows, at, keep, push, floats[NOISE] * sqrt(have))
        floats[DUE] = 0.0
    factor = sqrt(want / have) if have > 0.0 else 1.0
    if noisy:
        lengthen(rows, at, factor)
        return 1.0, 0.0, want, along * factor, 0.0
    return keep * factor, push * factor, want, along * factor, 0.0


@inlined
def bounced(metric, rows, floats, ints, at, squared, rng):
    """Whether this step is a bounce: then p has a new direction, drawn at random, and x stays where it is.

    Bounces come every BOUNCE_EVERY steps, MAX_BOUNCES times, and where the best energy has not fallen for STALL_BOUNCE steps. They
    belong to Euler steps, in which no kick is ever due.
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
        cube(metric, floats[WEIGHT], rows, rng)
    else:
        gaussian(metric, floats[WEIGHT], rows, rng)
    if squared > 0.0:
        drawn, _ = turn(metric, floats[WEIGHT], rows, at, 0.0, 0.0, 1.0)
        lengthen(rows, at, sqrt(squared / drawn))
    return True


@inlined
def attempt(energy_gradient, params, metric, rows, floats, ints, at, begun, slope, strength, half, time):
    """The other point: where a step over a time leads, up to its second kick; returns the energy there.

    The kick is weighed against the momentum that it meets: where it is the larger one, little is left of that.
    """
    keep, push, squared, along, late = begun
    first = 0.5 * time if ints[LEAPFROG] else time
    same, added, cancelled = kick(floats, ints, along, slope, strength, half, late + first)
    if ints[KIND] == ISOKINETIC:
        large = strength * first > 1.0
    else:
        large = added * added * slope > squared
    if large:
        ints[KICKED] += 1
    if ints[KIND] == BBI:
        time *= (floats[ENERGY] - floats[FLOOR]) / (floats[CEILING] - floats[FLOOR])
    elif ints[KIND] == SEPARABLE:
        time *= 2.0 / (1.0 + max(squared + 2.0 * added * along + added * added * slope, 0.0))
    keep, push = same * keep, same * push + added
    if cancelled:
        length = sqrt(combine(metric, floats[WEIGHT], rows, at, keep, push, SPAN - at))
        keep /= length
        push /= length
    move(metric, floats[WEIGHT], rows, at, keep, push, time)
    if ints[BOXED]:
        reflect(rows, SPAN - at)
    ints[GRADIENTS] += 1
    return energy_gradient(rows[SPAN - at + X], params, rows[SPAN - at + G])


@inlined
def arrive(metric, rows, floats, ints, at, found, energy, time, rng):
    """Be at the point at, with the `products` found there; returns whether the trajectory goes on, and the products.

    It does not go on from a floor that it has reached.
    """
    floats[MAX_ENERGY] = max(floats[MAX_ENERGY], energy)
    floats[ENERGY] = energy
    ints[SINCE_NOISE] += 1
    floats[DUE] = 0.5 * time if ints[LEAPFROG] else 0.0
    if energy > floats[FLOOR]:
        return True, found
    if not ints[ADAPT]:
        floats[DUE] = 0.0
        return False, found
    floats[FLOOR] = energy - floats[MARGIN]
    ints[ADAPTED] += 1
    if ints[KIND] == ISOKINETIC:
        return True, found
    # The ceiling stays, so there is more energy to go round now: no error of the step.
    squared, along, slope = found
    strength, half = force(floats, ints, rows.shape[1], slope)
    keep, push, have, _ = settled(floats, ints, squared, along, slope, strength, half)
    factor = sqrt(wanted(floats, ints) / have) if ints[RESCALE] and have > 0.0 else 1.0
    combine(metric, floats[WEIGHT], rows, at, factor * keep, factor * push, at)
    floats[DUE] = 0.0
    return True, products(metric, floats[WEIGHT], rows, at)


@inlined
def note_best(rows, floats, at, energy, unsaved):
    """The point at is left for one of this energy. The best one is copied only where the energy rises from it."""
    better = energy < floats[BEST_ENERGY]
    if unsaved and not better:
        scale(rows, 1.0, at + X, BEST)
    if better:
        floats[BEST_ENERGY] = energy
    return better


def ecd_steps(energy_gradient, params, metric, n_steps, rows, floats, ints, rng):
    """Up to ``n_steps`` steps and bounces of energy-conserving descent; returns how many were made.

    A step is halved as long as it leads too high or where nothing is finite. One that fails leaves the point as it was.
    """
    ints[OUTCOME] = RUNNING
    at, unsaved, done = 0, False, 0
    found = products(metric, floats[WEIGHT], rows, at)
    while done < n_steps and ints[OUTCOME] == RUNNING:
        if bounced(metric, rows, floats, ints, at, found[0], rng):
            found = products(metric, floats[WEIGHT], rows, at)
            done += 1
            continue
        slope, time = found[2], floats[STEP]
        strength, half = force(floats, ints, rows.shape[1], slope)
        begun = conserve(metric, rows, floats, ints, at, found[0], found[1], slope, strength, half, rng)
        highest = floats[CEILING] + ROUNDING * (floats[CEILING] - floats[FLOOR])
        good = False
        for _ in range(MAX_HALVINGS):
            energy = attempt(energy_gradient, params, metric, rows, floats, ints, at, begun, slope, strength, half, time)
            good = abs(energy) < np.inf
            if good and energy <= highest:
                solve_gradient(metric, rows, SPAN - at)
                found = products(metric, floats[WEIGHT], rows, SPAN - at)
                good = found[2] < np.inf
                if good:
                    break
            elif good:
                good = dot(rows, SPAN - at + G, SPAN - at + G) < np.inf
            ints[REJECTED] += 1
            time *= 0.5
        else:
            ints[OUTCOME] = TOO_LARGE if good else NON_FINITE
            break
        unsaved = note_best(rows, floats, at, energy, unsaved)
        at = SPAN - at
        going, found = arrive(metric, rows, floats, ints, at, found, energy, time, rng)
        done += 1
        if not going:
            ints[OUTCOME] = FLOOR_REACHED
    if unsaved:
        scale(rows, 1.0, at + X, BEST)
    if at > 0:
        copy_point(rows, at)
    return done


@lru_cache(maxsize=2)
def compiled(uniform):
    """The stepping function compiled (from the disk cache where it has it), for a uniform mass, or one of every unknown."""
    metric = NONE if uniform else VECTOR
    signature = INT(FUNCTION_TYPES["energy_gradient"], PARAMS, metric, INT, MATRIX, VECTOR, INDICES, GENERATOR)
    return solver_kernel(signature, uses=(primitives, ecd_rows), allocates=False)(ecd_steps)
