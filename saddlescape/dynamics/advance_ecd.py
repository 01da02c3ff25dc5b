"""The inner stepping functions of energy-conserving descent, compiled for models with kernels, interpreted for all others.

As in `saddlescape.dynamics.advance`, all vectors of a trajectory are rows of one array; `saddlescape.dynamics.ecd_rows` has them
and the passes over them, `saddlescape.dynamics.ecd_laws` the equations.
"""

from functools import lru_cache
from math import sqrt

import numpy as np

from ..kernels import FUNCTION_TYPES, GENERATOR, INDICES, INT, MATRIX, NONE, PARAMS, VECTOR, inlined, solver_kernel
from . import ecd_laws, ecd_rows, primitives
from .ecd_laws import (
    ADAPT,
    ADAPTED,
    BBI,
    BEST_ENERGY,
    BOUNCE_EVERY,
    BOUNCES,
    BOXED,
    CANCELLED,
    CEILING,
    DUE,
    ENERGY,
    FIXED,
    FLOOR,
    FLOOR_REACHED,
    GRADIENTS,
    ISOKINETIC,
    KICKED,
    KIND,
    LEAPFROG,
    MARGIN,
    MAX_BOUNCES,
    MAX_CORRECTION,
    MAX_ENERGY,
    NOISE,
    NOISE_EVERY,
    OUTCOME,
    REJECTED,
    RESCALE,
    SEPARABLE,
    SIGNS,
    SINCE_BEST,
    SINCE_BOUNCE,
    SINCE_NOISE,
    STALL_BOUNCE,
    STALL_ENERGY,
    STEP,
    TOO_LARGE,
    UNIFORM,
    WEIGHT,
    force,
    kick,
    misfit,
    settled,
    wanted,
)
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

MAX_HALVINGS = 40  # of a step that fails, before the trajectory is given up
ROUNDING = 1e-12  # relative excess over the ceiling that is round-off


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
    measured = noisy or (have < CANCELLED * squared and not isokinetic)
    if noisy:
        ints[SINCE_NOISE] = 0
        if ints[SIGNS]:
            signs(metric, floats[WEIGHT], rows, rng)
        else:
            gaussian(metric, floats[WEIGHT], rows, rng)
    if measured:
        across = floats[NOISE] * sqrt(have) if noisy else 0.0
        have, along = turn(metric, floats[WEIGHT], rows, at, keep, push, across)
        floats[DUE] = 0.0
    factor = sqrt(want / have) if have > 0.0 else 1.0
    if measured:
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
def arrive(metric, rows, floats, ints, at, found, energy, time):
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


@inlined
def stride(energy_gradient, params, metric, rows, floats, ints, at, begun, slope, strength, half):
    """A step to the other point, halved as long as it leads too high or where nothing is finite.

    Returns how it ended, the energy there, the time it took, and the `products` there.
    """
    time = floats[STEP]
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
                return RUNNING, energy, time, found
        elif good:
            good = dot(rows, SPAN - at + G, SPAN - at + G) < np.inf
        ints[REJECTED] += 1
        time *= 0.5
    return TOO_LARGE if good else NON_FINITE, 0.0, 0.0, (0.0, 0.0, 0.0)


def ecd_steps(energy_gradient, params, metric, n_steps, rows, floats, ints, rng):
    """Up to ``n_steps`` steps and bounces of energy-conserving descent; returns how many were made.

    One that fails leaves the point as it was.
    """
    ints[OUTCOME] = RUNNING
    at, unsaved, done = 0, False, 0
    found = products(metric, floats[WEIGHT], rows, at)
    while done < n_steps and ints[OUTCOME] == RUNNING:
        if bounced(metric, rows, floats, ints, at, found[0], rng):
            found = products(metric, floats[WEIGHT], rows, at)
            done += 1
            continue
        slope = found[2]
        strength, half = force(floats, ints, rows.shape[1], slope)
        begun = conserve(metric, rows, floats, ints, at, found[0], found[1], slope, strength, half, rng)
        ints[OUTCOME], energy, time, there = stride(
            energy_gradient, params, metric, rows, floats, ints, at, begun, slope, strength, half
        )
        if ints[OUTCOME] != RUNNING:
            break
        unsaved = note_best(rows, floats, at, energy, unsaved)
        at = SPAN - at
        going, found = arrive(metric, rows, floats, ints, at, there, energy, time)
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
    return solver_kernel(signature, uses=(primitives, ecd_rows, ecd_laws), allocates=False)(ecd_steps)
