"""The inner stepping functions, written once: compiled for models with kernels, interpreted for all others.

`energy_gradient`, `hvp` and `eigh` are function arguments: kernels when compiled, Python functions with the same signatures in the
interpreter. The algebra goes through a few primitives, each of them NumPy in the interpreter and loops when compiled. They are in
this file because numba's disk cache looks for changes in the file of a kernel alone.

All vectors of a search are rows of one array ``rows`` (n_rows, n), updated in place; functions name them by their numbers. Not many
arrays, because numba compiles functions of many arrays slowly and takes 0.1 us to receive each.

Notation: M is the metric (the preconditioner, or the mass), X the frame of k rows, M-orthonormal, g = dE/dx and

    d = -M^-1 g + 2 X^T (X g)                                                                                   (1)

the reflected, preconditioned direction (Yin, Zhang, Zhang, SIAM J. Sci. Comput. 41 (2019) A3576; M: Huang, Su, Zhang, Zhao,
arXiv 2603.25390).
"""

from functools import lru_cache
from math import sqrt

import numpy as np
from scipy.linalg.lapack import dsyevd

from ..kernels import FUNCTION_TYPES, INDICES, INT, MATRIX, PARAMS, VECTOR, compiled_as, function_type, helper, solver_kernel
from ..numerics.jacobi import EIGH, compiled_eigh

# floats[...]: what a method sets, and what moves with the state
TOLERANCE, CAP, STEP, FRAME_STEP, MOMENTUM, RADIUS, ENERGY, GRADIENT_NORM, MAX_ENERGY, SHORT, SHORTER = range(11)
# ints[...]; WIDTH: how many rows of the basis are in use
STEP_RULE, MOMENTUM_RULE, RESTART, SINCE_RESTART, FRAME_RULE, WIDTH, OUTCOME, FRAME_ROWS, BASIS_ROWS = range(9)
N_FLOATS, N_INTS = 11, 9

# rows[...]: the start; x, where derivatives are taken; g; the iterate before x (momentum); d and M d; scratch space; then `blocks`
START, X, G, LAST, D, MD, MOVE, CHANGE, METRIC_CHANGE, N_VECTORS = range(10)
# rows[...] of the gradient flow
TRIAL, G_TRIAL, CLIMB, N_FLOW = 3, 4, 5, 6

FIXED, BARZILAI_BORWEIN = 0, 1
EXACT, SWEEP, POWER = 0, 1, 2
NO_MOMENTUM, HEAVY_BALL, NESTEROV = 0, 1, 2
RUNNING, REACHED, NON_FINITE, TOO_FAR = 0, 1, 2, 3

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


def _dot(rows, a, b):
    total = 0.0
    for col in range(rows.shape[1]):
        total += rows[a, col] * rows[b, col]
    return total


@compiled_as(_dot)
def dot(rows, a, b):
    """Product of two rows."""
    return np.dot(rows[a], rows[b])


def _largest(rows, a):
    result = 0.0
    for col in range(rows.shape[1]):
        size = abs(rows[a, col])
        if not size <= result:  # also where it is NaN
            result = size
            if not size < np.inf:
                break
    return result


@compiled_as(_largest)
def largest(rows, a):
    """The largest |entry| of a row."""
    return np.abs(rows[a]).max()


def _dual_norm(rows, a, mass):
    total = 0.0
    for col in range(rows.shape[1]):
        total += rows[a, col] * rows[a, col] / mass[col]
    return sqrt(total)


@compiled_as(_dual_norm)
def dual_norm(rows, a, mass):
    """Norm of a gradient g in the mass inner product, sqrt(sum g_i^2 / mass_i)."""
    return np.sqrt(np.sum(rows[a] * rows[a] / mass))


def _scale(rows, factor, a, out):
    for col in range(rows.shape[1]):
        rows[out, col] = factor * rows[a, col]


@compiled_as(_scale)
def scale(rows, factor, a, out):
    """Row out = factor * row a."""
    np.multiply(factor, rows[a], out=rows[out])


def _add(rows, factor, a, out):
    for col in range(rows.shape[1]):
        rows[out, col] += factor * rows[a, col]


@compiled_as(_add)
def add(rows, factor, a, out):
    """Add factor * row a to row out."""
    rows[out] += rows[a] if factor == 1.0 else factor * rows[a]


def _gram(rows, a, b, m):
    out = np.empty((m, m))
    for i in range(m):
        for j in range(m):
            total = 0.0
            for col in range(rows.shape[1]):
                total += rows[a + i, col] * rows[b + j, col]
            out[i, j] = total
    return out


@compiled_as(_gram)
def gram(rows, a, b, m):
    """All products of the m rows from a with the m rows from b, (m, m)."""
    return np.dot(rows[a : a + m], rows[b : b + m].T)


def _combine(rows, c, a, out):
    for i in range(c.shape[0]):
        for col in range(rows.shape[1]):
            rows[out + i, col] = 0.0
        for j in range(c.shape[1]):
            for col in range(rows.shape[1]):
                rows[out + i, col] += c[i, j] * rows[a + j, col]


@compiled_as(_combine)
def combine(rows, c, a, out):
    """Write the combinations c (r, m) of the m rows from a into the r other rows from out."""
    np.dot(c, rows[a : a + c.shape[1]], out=rows[out : out + c.shape[0]])


def _scale_rows(rows, factors, a, out):
    for i in range(factors.size):
        for col in range(rows.shape[1]):
            rows[out + i, col] = factors[i] * rows[a + i, col]


@compiled_as(_scale_rows)
def scale_rows(rows, factors, a, out):
    """The m rows from out = the m rows from a times the factors (m,)."""
    m = factors.size
    np.multiply(factors[:, None], rows[a : a + m], out=rows[out : out + m])


def _add_rows(rows, factors, a, out):
    for i in range(factors.size):
        for col in range(rows.shape[1]):
            rows[out + i, col] += factors[i] * rows[a + i, col]


@compiled_as(_add_rows)
def add_rows(rows, factors, a, out):
    """Add the m rows from a times the factors (m,) to the m rows from out."""
    m = factors.size
    rows[out : out + m] += factors[:, None] * rows[a : a + m]


def _solve(metric, rows, a, m, out):
    for i in range(m):
        for col in range(rows.shape[1]):
            rows[out + i, col] = rows[a + i, col] / metric[col]


@compiled_as(_solve)
def solve(metric, rows, a, m, out):
    """The m rows from out = M^-1 times the m rows from a. The metric has ``solve(rows)``; compiled, it is the mass (n,)."""
    rows[out : out + m] = metric.solve(rows[a : a + m])


def _product(a, b):
    out = np.zeros((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            for col in range(b.shape[1]):
                out[i, col] += a[i, j] * b[j, col]
    return out


@compiled_as(_product)
def product(a, b):
    """Product of two small matrices."""
    return np.dot(a, b)


def _as_rows(columns, first, factors):
    out = np.empty((factors.size, columns.shape[0]))
    for i in range(factors.size):
        for j in range(columns.shape[0]):
            out[i, j] = factors[i] * columns[j, first + i]
    return out


@compiled_as(_as_rows)
def as_rows(columns, first, factors):
    """Columns of a small matrix (m, m) from the first on, times the factors (r,), as rows (r, m)."""
    return np.ascontiguousarray((columns[:, first : first + factors.size] * factors).T)


def _symmetrize(a):
    for i in range(a.shape[0]):
        for j in range(i):
            a[i, j] = 0.5 * (a[i, j] + a[j, i])
            a[j, i] = a[i, j]


@compiled_as(_symmetrize)
def symmetrize(a):
    """Replace a small matrix (m, m) by its symmetric part."""
    a[:] = 0.5 * (a + a.T)


@helper
def filled(value, m):
    """The same factor for m rows, (m,)."""
    out = np.empty(m)
    for i in range(m):
        out[i] = value
    return out


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
def finite(energy, norm):
    """Whether energy and gradient norm are numbers."""
    return abs(energy) < np.inf and norm < np.inf


@helper
def farther(radius, rows, scratch):
    """Whether x has left the ball (max-norm) around the start."""
    scale(rows, 1.0, X, scratch)
    add(rows, -1.0, START, scratch)
    return largest(rows, scratch) > radius


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
        solver_kernel(INT(energy_gradient, hvp, eigh, *state))(saddle_steps),
        solver_kernel(INT(energy_gradient, *state))(flow_steps),
        compiled_eigh(),
    )
