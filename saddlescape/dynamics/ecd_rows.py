"""The vectors of a trajectory of energy-conserving descent, rows of one array, and the few passes over them that a step makes.

Passes are what a step on a field costs besides its gradient, so that each does all that it can. They have two bodies, as
those of `saddlescape.dynamics.primitives`. Compiled, M^-1 is ``weight`` (the inverse mass of all unknowns, or 1) times
``metric``, None or the inverse masses (n,); interpreted, ``metric`` has ``solve(rows)``, and M^-1 times a row is kept `IMAGES` rows
behind it.
"""

from math import sqrt

import numpy as np

from ..kernels import compiled_as
from .primitives import X

# rows[...] behind START and X of `primitives`: g and p there; the same of the point that a step tries, SPAN rows behind, which
# becomes the current one without being copied; a random momentum; the best point; the box; then images of some of them under M^-1
G, P, TRIAL, TRIAL_G, TRIAL_P, NOISE_P, BEST, LOWER, UPPER = range(2, 11)
SPAN, IMAGES, N_ROWS = TRIAL - X, 9, 17

BITS = 32  # signs that are taken from one random number


def _products(metric, weight, rows, at):
    squared = along = slope = 0.0
    for col in range(rows.shape[1]):
        factor = 1.0 if metric is None else metric[col]
        p, g = rows[at + P, col], rows[at + G, col]
        squared += factor * (p * p)
        along += factor * (p * g)
        slope += factor * (g * g)
    return weight * squared, weight * along, weight * slope


@compiled_as(_products, reorder=True, inline=True)
def products(metric, weight, rows, at):
    """|p|^2, p.M^-1 g and |g|^2 of the point at."""
    p, g, image_p, image_g = rows[at + P], rows[at + G], rows[at + P + IMAGES], rows[at + G + IMAGES]
    return np.dot(p, image_p), np.dot(p, image_g), np.dot(g, image_g)


def _move(metric, weight, rows, at, keep, push, time):
    to = SPAN - at
    time *= weight
    for col in range(rows.shape[1]):
        factor = time if metric is None else time * metric[col]
        p = keep * rows[at + P, col] + push * rows[at + G, col]
        rows[to + P, col] = p
        rows[to + X, col] = rows[at + X, col] + factor * p


@compiled_as(_move, reorder=True, inline=True)
def move(metric, weight, rows, at, keep, push, time):
    """Momentum keep * p + push * g and, along it over a time, position of the point that a step tries from the point at."""
    to = SPAN - at
    factors = np.array((push, keep))  # of rows G and P, one behind the other
    for image in (0, IMAGES):
        np.dot(factors, rows[at + G + image : at + P + image + 1], out=rows[to + P + image])
    x = rows[to + X]
    np.multiply(time, rows[to + P + IMAGES], out=x)
    x += rows[at + X]


def _combine(metric, weight, rows, at, keep, push, out):
    squared = 0.0
    for col in range(rows.shape[1]):
        factor = 1.0 if metric is None else metric[col]
        p = keep * rows[at + P, col] + push * rows[at + G, col]
        rows[out + P, col] = p
        squared += factor * (p * p)
    return weight * squared


@compiled_as(_combine, reorder=True, inline=True)
def combine(metric, weight, rows, at, keep, push, out):
    """Write keep * p + push * g of the point at as the momentum of the point out; returns its |p|^2."""
    rows[out + P :: IMAGES][:2] = keep * rows[at + P :: IMAGES][:2] + push * rows[at + G :: IMAGES][:2]
    return np.dot(rows[out + P], rows[out + P + IMAGES])


def _turn(metric, weight, rows, at, keep, push, across):
    squared = along = 0.0
    for col in range(rows.shape[1]):
        factor = 1.0 if metric is None else metric[col]
        g = rows[at + G, col]
        p = keep * rows[at + P, col] + push * g + across * rows[NOISE_P, col]
        rows[at + P, col] = p
        squared += factor * (p * p)
        along += factor * (p * g)
    return weight * squared, weight * along


@compiled_as(_turn, reorder=True, inline=True)
def turn(metric, weight, rows, at, keep, push, across):
    """Replace p by keep * p + push * g + across * z; returns its |p|^2 and p.M^-1 g."""
    pair = rows[at + P :: IMAGES][:2]
    pair *= keep
    pair += push * rows[at + G :: IMAGES][:2]
    pair += across * rows[NOISE_P::IMAGES][:2]
    return np.dot(pair[0], pair[1]), np.dot(pair[0], rows[at + G + IMAGES])


def _lengthen(rows, at, factor):
    for col in range(rows.shape[1]):
        rows[at + P, col] *= factor


@compiled_as(_lengthen, inline=True)
def lengthen(rows, at, factor):
    """Multiply the momentum by a factor."""
    rows[at + P :: IMAGES][:2] *= factor


def _solve_gradient(metric, rows, at):
    pass


@compiled_as(_solve_gradient, inline=True)
def solve_gradient(metric, rows, at):
    """M^-1 g of the point at, unless g is not finite; compiled, the mass is at hand wherever it is needed."""
    g = rows[at + G]
    rows[at + G + IMAGES] = metric.solve(g) if np.dot(g, g) < np.inf else g


def _copy_point(rows, at):
    for row in range(X, X + SPAN):
        for col in range(rows.shape[1]):
            rows[row, col] = rows[at + row, col]


@compiled_as(_copy_point, inline=True)
def copy_point(rows, at):
    """Copy the point at, with gradient and momentum, to where the point is looked for between the calls."""
    rows[X : X + SPAN] = rows[at + X : at + X + SPAN]
    rows[[G + IMAGES, P + IMAGES]] = rows[[at + G + IMAGES, at + P + IMAGES]]


def _reflect(rows, to):
    for col in range(rows.shape[1]):
        width = rows[UPPER, col] - rows[LOWER, col]
        beyond = rows[to + X, col] - rows[LOWER, col]
        if beyond < 0.0 or beyond > width:
            beyond = beyond % (2.0 * width)
            if beyond > width:
                beyond = 2.0 * width - beyond
                rows[to + P, col] = -rows[to + P, col]
            rows[to + X, col] = rows[LOWER, col] + beyond


@compiled_as(_reflect, inline=True)
def reflect(rows, to):
    """Fold a point back into the box at its walls, and turn the momentum where it was reflected an odd number of times."""
    width = rows[UPPER] - rows[LOWER]
    beyond = rows[to + X] - rows[LOWER]
    outside = (beyond < 0.0) | (beyond > width)
    beyond[outside] = beyond[outside] % (2.0 * width[outside])
    turned = beyond > width
    beyond[turned] = 2.0 * width[turned] - beyond[turned]
    rows[to + X, outside] = rows[LOWER, outside] + beyond[outside]
    rows[to + P, turned] *= -1.0
    rows[to + P + IMAGES, turned] *= -1.0


def _gaussian(metric, weight, rows, rng):
    for col in range(rows.shape[1]):
        rows[NOISE_P, col] = rng.standard_normal() / sqrt(weight if metric is None else metric[col])


@compiled_as(_gaussian, inline=True)
def gaussian(metric, weight, rows, rng):
    """A random momentum z with |z|^2 about n, isotropic where the metric is the mass; see `keep_random`."""
    keep_random(metric, rows, rng.standard_normal(rows.shape[1]))


def _signs(metric, weight, rows, rng):
    for first in range(0, rows.shape[1], BITS):
        word = int(rng.random() * 2.0**BITS)
        part = rows[NOISE_P, first : first + BITS]  # counted from 0, which the compiler knows to be no negative index
        for bit in range(part.size):
            inverse = weight if metric is None else metric[first + bit]
            part[bit] = (2.0 * ((word >> bit) & 1) - 1.0) / sqrt(inverse)


@compiled_as(_signs, inline=True)
def signs(metric, weight, rows, rng):
    """A random momentum z with |z|^2 = n from independent signs: the covariance of normal numbers for a fraction of their time.

    Of many unknowns, its projections are as good as normal.
    """
    n = rows.shape[1]
    words = (rng.random(-(-n // BITS)) * 2.0**BITS).astype(np.int64)
    keep_random(metric, rows, 2.0 * ((words[:, None] >> np.arange(BITS)) & 1).ravel()[:n] - 1.0)


def _cube(metric, weight, rows, rng):
    for col in range(rows.shape[1]):
        rows[NOISE_P, col] = (rng.random() - 0.5) / sqrt(weight if metric is None else metric[col])


@compiled_as(_cube, inline=True)
def cube(metric, weight, rows, rng):
    """A random momentum from a cube, as published: not isotropic."""
    keep_random(metric, rows, rng.random(rows.shape[1]) - 0.5)


def keep_random(metric, rows, z):
    """Make a momentum of random numbers z (n,) with the unit matrix as their covariance.

    Of a preconditioner only M and M^-1 are known, no root. There z is white, so that the soft modes are turned most, and scaled to
    |z|^2 = n.
    """
    if metric.preconditioner is None:
        rows[NOISE_P] = z * np.sqrt(metric.mass)
        rows[NOISE_P + IMAGES] = rows[NOISE_P] / metric.mass
        return
    image = metric.solve(z)
    factor = np.sqrt(z.size / np.dot(z, image))
    rows[NOISE_P] = factor * z
    rows[NOISE_P + IMAGES] = factor * image
