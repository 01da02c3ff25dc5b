"""The laws of energy-conserving descent, in numbers alone: what is conserved, and by how much a force changes a momentum.

M is the metric, p the momentum, |p|^2 = p.M^-1 p, D = F(x) - floor the excess energy, D_c that of the ceiling, n the number of
unknowns. What is conserved, and how a point moves under a kick by g = dF/dx at x:

    BBI          H = sqrt(D (D + |p|^2)) = D_c          p' = -1/2 (D/D_c + D_c/D) g    x' = (D/D_c) M^-1 p            (1)
    separable    H = D^eta (1 + |p|^2) = D_c^eta        p' = -(eta/D) g                x' = 2 M^-1 p / (1 + |p|^2)    (2)
    isokinetic   |p| = 1      p' = -(eta/2) (n/(n-1)) (1 - p (M^-1 p).) g/D            x' = M^-1 p                    (3)

(De Luca, Silverstein, arXiv 2201.11137; De Luca, Gatti, Silverstein, arXiv 2306.00352; Robnik, De Luca, Silverstein, Seljak,
arXiv 2212.08549). Excess energies enter as logarithms, or as ratios of two of them: powers of them would overflow.
"""

from math import exp, expm1, log1p, sqrt

from ..kernels import inlined

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
