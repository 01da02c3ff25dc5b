"""The frame of high-index saddle dynamics in the inner loop: where it lies among the rows, and how it follows x.

M is the metric (the preconditioner, or the mass), X the frame of k rows, M-orthonormal.
"""

from math import sqrt

import numpy as np

from ..kernels import helper
from .primitives import X, add_rows, as_rows, combine, dot, filled, gram, product, scale_rows, solve, symmetrize

# rows[...] of a search: g; the iterate before x (momentum); d and M d; scratch space; then `blocks`
G, LAST, D, MD, MOVE, CHANGE, METRIC_CHANGE, N_VECTORS = range(2, 10)

DEPENDENT = 1e-10  # relative eigenvalue of the Gram matrix below which a direction is dropped


@helper
def blocks(k, m):
    """Where the blocks begin in ``rows`` for k frame vectors and a basis of m rows, and last the number of rows.

    They are the frame X and M X (k rows each); ``dual``: residuals H X - theta M X and, behind them, g (k + 1); ``primal``: the
    same times M^-1 (k + 1); the basis that the frame is looked for in, its images under H and under M (m each).
    """
    frame = N_VECTORS
    dual = frame + 2 * k
    basis = dual + 2 * k + 2
    return frame, frame + k, dual, dual + k + 1, basis, basis + m, basis + 2 * m, basis + 3 * m


@helper
def products(hvp, params, rows, a, m, out):
    """The m rows from out = H times the m rows from a."""
    for i in range(m):
        hvp(rows[X], rows[a + i], params, rows[out + i])


@helper
def inverse_root(eigh, squares):
    """Coefficients (r, m) that turn m rows with this Gram matrix into r <= m orthonormal ones; dependent directions are dropped."""
    weights, vectors = eigh(squares)
    m = weights.size
    first = 0
    while first < m - 1 and weights[first] <= DEPENDENT * weights[m - 1]:
        first += 1
    factors = np.empty(m - first)
    for i in range(first, m):  # not positive: M is not, and NaN ends the search
        factors[i - first] = 1.0 / sqrt(weights[i]) if weights[i] > 0.0 else np.nan
    return as_rows(vectors, first, factors)


@helper
def rayleigh_ritz(hvp, eigh, params, rows, k, m, basis, images, metric_images, frame, metric_frame, residuals):
    """The k lowest Ritz vectors X in an M-orthonormal basis of m rows, and the residuals H X - theta M X.

    The images of X replace the first k images.
    """
    products(hvp, params, rows, basis, m, images)
    small = gram(rows, basis, images, m)
    symmetrize(small)
    values, rotation = eigh(small)
    one, shifts = filled(1.0, k), np.empty(k)
    for i in range(k):
        shifts[i] = -values[i]
    c = as_rows(rotation, 0, one)
    combine(rows, c, basis, frame)
    combine(rows, c, metric_images, metric_frame)
    combine(rows, c, images, residuals)
    scale_rows(rows, one, residuals, images)
    add_rows(rows, shifts, metric_frame, residuals)


@helper
def descend(eigh, rows, k, m, size):
    """The next trial block: one step of descent on the Rayleigh quotients, M-orthonormalised.

    A step so long that the block comes out dependent is not made: the trial block is then the frame.
    """
    frame, metric_frame, dual, primal, basis, _, metric_images, _ = blocks(k, m)
    back, one = filled(-size, k), filled(1.0, k)
    scale_rows(rows, back, primal, primal)
    add_rows(rows, one, frame, primal)
    scale_rows(rows, back, dual, dual)
    add_rows(rows, one, metric_frame, dual)
    c = inverse_root(eigh, gram(rows, primal, dual, k))
    if c.shape[0] < k:
        scale_rows(rows, one, frame, basis)
        scale_rows(rows, one, metric_frame, metric_images)
    else:
        combine(rows, c, primal, basis)
        combine(rows, c, dual, metric_images)


@helper
def lowest(eigh, rows, k, m, basis, images, metric_images):
    """Coefficients (k, m) of the lowest k Ritz vectors of (H, M) in the span of m rows."""
    small = gram(rows, basis, images, m)
    symmetrize(small)
    root = inverse_root(eigh, gram(rows, basis, metric_images, m))
    if root.shape[0] < k:  # rounding is all that is left: the first k rows, the old frame, are kept
        kept = np.zeros((k, m))
        for i in range(k):
            kept[i, i] = 1.0
        return kept
    transposed = as_rows(root, 0, filled(1.0, m))
    _, rotation = eigh(product(product(root, small), transposed))
    return product(as_rows(rotation, 0, filled(1.0, k)), root)


@helper
def sweep(hvp, eigh, params, metric, rows, k, width):
    """One sweep of LOBPCG: Rayleigh-Ritz over the frame X, its preconditioned residuals W and (width 3 k) its last change P."""
    frame, metric_frame, dual, primal, basis, images, metric_images, _ = blocks(k, 3 * k)
    rayleigh_ritz(hvp, eigh, params, rows, k, k, frame, images, metric_frame, basis, metric_images, dual)
    combine(rows, gram(rows, dual, basis, k), metric_images, primal)
    add_rows(rows, filled(-1.0, k), primal, dual)
    solve(metric, rows, dual, k + 1, primal)
    lengths = np.empty(k)
    for i in range(k):  # a residual that vanishes is dropped as dependent
        square = dot(rows, primal + i, dual + i)
        lengths[i] = 1.0 / sqrt(square) if square > 0.0 else 0.0
    scale_rows(rows, lengths, primal, basis + k)
    scale_rows(rows, lengths, dual, metric_images + k)
    products(hvp, params, rows, basis + k, width - k, images + k)
    c = lowest(eigh, rows, k, width, basis, images, metric_images)
    combine(rows, c, basis, frame)
    combine(rows, c, metric_images, metric_frame)
    for i in range(k):  # the change is what came from outside the old frame
        for j in range(k):
            c[i, j] = 0.0
    combine(rows, c, basis, primal)
    combine(rows, c, metric_images, dual)
    for i in range(k):
        square = dot(rows, primal + i, dual + i)
        lengths[i] = 1.0 / sqrt(square) if square > 0.0 else 0.0
    scale_rows(rows, lengths, primal, basis + 2 * k)
    scale_rows(rows, lengths, dual, metric_images + 2 * k)
