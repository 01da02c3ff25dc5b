"""The inner stepping functions, written once: compiled for models with kernels, interpreted for all others.

`energy_gradient`, `hvp` and `eigh` are function arguments: kernels when compiled, Python functions with the same signatures in
the interpreter. The algebra goes through a few primitives, each of them NumPy in the interpreter and loops when compiled. State
lives in arrays that are updated in place.

Notation: M is the metric (the preconditioner, or the mass), X the frame of k rows, M-orthonormal, g = dE/dx and

    d = -M^-1 g + 2 X^T (X g)                                                                                   (1)

the reflected, preconditioned direction (Yin, Zhang, Zhang, SIAM J. Sci. Comput. 41 (2019) A3576; M: Huang, Su, Zhang, Zhao,
arXiv 2603.25390).
"""

from functools import lru_cache
from math import sqrt

import numpy as np

from ..kernels import FUNCTION_TYPES, INDICES, INT, MATRIX, PARAMS, VECTOR, compiled_as, function_type, helper, solver_kernel
from ..numerics.jacobi import EIGH, compiled_eigh

# floats[...]: what a method sets, and what moves with the state
TOLERANCE, CAP, STEP, FRAME_STEP, MOMENTUM, RADIUS, ENERGY, GRADIENT_NORM, MAX_ENERGY, SHORT, SHORTER = range(11)
# ints[...]
STEP_RULE, MOMENTUM_RULE, RESTART, SINCE_RESTART, FRAME_RULE, ROWS, OUTCOME = range(7)
N_FLOATS, N_INTS = 11, 7

FIXED, BARZILAI_BORWEIN = 0, 1
EXACT, SWEEP, POWER = 0, 1, 2
NO_MOMENTUM, HEAVY_BALL, NESTEROV = 0, 1, 2
RUNNING, REACHED, NON_FINITE, TOO_FAR = 0, 1, 2, 3

DEPENDENT = 1e-10  # relative eigenvalue of the Gram matrix below which a direction is dropped


def _dot(a, b):
    total = 0.0
    for i in range(a.size):
        total += a[i] * b[i]
    return total


@compiled_as(_dot)
def dot(a, b):
    """a . b of vectors (n,)."""
    return np.dot(a, b)


def _largest(a):
    result = 0.0
    for i in range(a.size):
        size = abs(a[i])
        if not size <= result:  # NaN is the largest of all, and stays so
            result = size
            if size != size:
                break
    return result


@compiled_as(_largest)
def largest(a):
    """The largest |entry| of a vector (n,)."""
    return np.abs(a).max()


def _dual_norm(g, mass):
    total = 0.0
    for i in range(g.size):
        total += g[i] * g[i] / mass[i]
    return sqrt(total)


@compiled_as(_dual_norm)
def dual_norm(g, mass):
    """Norm of a gradient g (n,) in the mass inner product, sqrt(sum g_i^2 / mass_i)."""
    return np.sqrt(np.sum(g * g / mass))


def _scale(factor, a, out):
    for i in range(a.size):
        out[i] = factor * a[i]


@compiled_as(_scale)
def scale(factor, a, out):
    """Write factor * a into out, vectors (n,)."""
    np.multiply(factor, a, out=out)


def _add(factor, a, out):
    for i in range(a.size):
        out[i] += factor * a[i]


@compiled_as(_add)
def add(factor, a, out):
    """Add factor * a to out, vectors (n,)."""
    out += a if factor == 1.0 else factor * a


def _gram(a, b):
    out = np.empty((a.shape[0], b.shape[0]))
    for i in range(a.shape[0]):
        for j in range(b.shape[0]):
            total = 0.0
            for col in range(a.shape[1]):
                total += a[i, col] * b[j, col]
            out[i, j] = total
    return out


@compiled_as(_gram)
def gram(a, b):
    """All products of the rows of a (r, n) with those of b (m, n): (r, m)."""
    return np.dot(a, b.T)


def _combine(c, rows, out):
    for i in range(c.shape[0]):
        for col in range(rows.shape[1]):
            out[i, col] = 0.0
        for j in range(rows.shape[0]):
            for col in range(rows.shape[1]):
                out[i, col] += c[i, j] * rows[j, col]


@compiled_as(_combine)
def combine(c, rows, out):
    """Write the combinations c (r, m) of rows (m, n) into out (r, n), which shares no memory with them."""
    np.dot(c, rows, out=out)


def _as_rows(columns, first, last):
    out = np.empty((last - first, columns.shape[0]))
    for i in range(first, last):
        for j in range(columns.shape[0]):
            out[i - first, j] = columns[j, i]
    return out


@compiled_as(_as_rows)
def as_rows(columns, first, last):
    """Some columns of a small matrix (m, m) as rows (last - first, m)."""
    return np.ascontiguousarray(columns[:, first:last].T)


def _symmetrize(a):
    for i in range(a.shape[0]):
        for j in range(i):
            a[i, j] = 0.5 * (a[i, j] + a[j, i])
            a[j, i] = a[i, j]


@compiled_as(_symmetrize)
def symmetrize(a):
    """Replace a small matrix (m, m) by its symmetric part."""
    a[:] = 0.5 * (a + a.T)


def _solve(metric, rows, out):
    for i in range(rows.shape[0]):
        for col in range(rows.shape[1]):
            out[i, col] = rows[i, col] / metric[col]


@compiled_as(_solve)
def solve(metric, rows, out):
    """Write M^-1 rows (m, n) into out. The metric is an object with ``solve(rows)``; compiled, the mass (n,)."""
    out[:] = metric.solve(rows)


@helper
def inverse_length(square):
    """Factor that gives a row with this squared length the length 1, and 0 for one that vanishes: it is dropped as dependent."""
    return 1.0 / sqrt(square) if square > 0.0 else 0.0


@helper
def inverse_root(eigh, products):
    """Coefficients (r, m) that turn m rows with this Gram matrix into r <= m orthonormal ones; dependent directions are dropped."""
    weights, vectors = eigh(products)
    m = weights.size
    first = 0
    while first < m - 1 and weights[first] <= DEPENDENT * weights[m - 1]:
        first += 1
    c = as_rows(vectors, first, m)
    for i in range(m - first):
        weight = weights[first + i]
        scale(1.0 / sqrt(weight) if weight > 0.0 else np.nan, c[i], c[i])  # not positive: M is not, and NaN ends the search
    return c


@helper
def ritz(eigh, basis, images, metric_images, k, orthonormal):
    """Lowest k Ritz vectors of (H, M) in the span of the rows of ``basis``: values (at least k) and coefficients (k, m)."""
    small = gram(basis, images)
    symmetrize(small)
    if orthonormal:
        values, rotation = eigh(small)
        return values, as_rows(rotation, 0, k)
    root = inverse_root(eigh, gram(basis, metric_images))
    half = np.empty(root.shape)
    combine(root, small, half)
    values, rotation = eigh(gram(half, root))
    c = np.empty((k, root.shape[1]))
    combine(as_rows(rotation, 0, k), root, c)
    return values, c


@helper
def rayleigh_ritz(hvp, eigh, params, x, frame, metric_frame, basis, images, metric_images, residuals):
    """The k lowest Ritz vectors X in an M-orthonormal basis (a block, or all of R^n), residuals H X - theta M X; returns theta."""
    for i in range(basis.shape[0]):
        hvp(x, basis[i], params, images[i])
    values, c = ritz(eigh, basis, images, metric_images, frame.shape[0], True)
    combine(c, basis, frame)
    combine(c, metric_images, metric_frame)
    combine(c, images, residuals)
    for i in range(frame.shape[0]):
        add(-values[i], metric_frame[i], residuals[i])
    return values


@helper
def power_step(eigh, frame, metric_frame, basis, metric_images, residuals, directions, size):
    """One step of descent on the Rayleigh quotients, M-orthonormalised: the next trial block."""
    for i in range(frame.shape[0]):
        scale(-size, directions[i], directions[i])
        add(1.0, frame[i], directions[i])
        scale(-size, residuals[i], residuals[i])
        add(1.0, metric_frame[i], residuals[i])
    c = inverse_root(eigh, gram(directions, residuals))
    combine(c, directions, basis)
    combine(c, residuals, metric_images)


@helper
def search_directions(metric, basis, metric_images, residuals, directions):
    """Append the preconditioned residuals W, orthogonal to the k Ritz vectors and of length 1, to the basis."""
    k = residuals.shape[0]
    combine(gram(residuals, basis[:k]), metric_images[:k], directions)
    for i in range(k):
        add(-1.0, directions[i], residuals[i])
    solve(metric, residuals, directions)
    for i in range(k):
        factor = inverse_length(dot(directions[i], residuals[i]))
        scale(factor, directions[i], basis[k + i])
        scale(factor, residuals[i], metric_images[k + i])


@helper
def sweep(hvp, eigh, params, metric, x, frame, metric_frame, basis, images, metric_images, residuals, directions, m):
    """One sweep of LOBPCG: Rayleigh-Ritz over the frame X, its preconditioned residuals W and, if m = 3 k, its last change P."""
    k = frame.shape[0]
    values = rayleigh_ritz(hvp, eigh, params, x, basis[:k], metric_images[:k], frame, images[:k], metric_frame, residuals)
    for i in range(k):
        scale(1.0, residuals[i], images[i])
        add(values[i], metric_images[i], images[i])
    search_directions(metric, basis, metric_images, residuals, directions)
    for i in range(k, m):
        hvp(x, basis[i], params, images[i])
    values, c = ritz(eigh, basis[:m], images[:m], metric_images[:m], k, False)
    combine(c, basis[:m], frame)
    combine(c, metric_images[:m], metric_frame)
    for i in range(k):  # the change is what came from outside the old frame
        for j in range(k):
            c[i, j] = 0.0
        scale(inverse_length(dot(c[i], c[i])), c[i], c[i])
    combine(c, basis[:m], directions)
    combine(c, metric_images[:m], residuals)
    for i in range(k):
        scale(1.0, directions[i], basis[2 * k + i])
        scale(1.0, residuals[i], metric_images[2 * k + i])


@helper
def refresh(hvp, eigh, params, metric, x, g, d, md, frame, metric_frame, basis, images, metric_images, scratch, floats, ints):
    """Frame at a new point, then direction (1) in ``d`` (n,) and its image under M in ``md`` (n,); ``scratch`` is (2 k + 2, n)."""
    k = frame.shape[0]
    rule = ints[FRAME_RULE]
    dual, primal = scratch[: k + 1], scratch[k + 1 :]
    residuals, directions = dual[1:], primal[1:]
    scale(1.0, g, dual[0])
    if k > 0 and rule == SWEEP:
        sweep(hvp, eigh, params, metric, x, frame, metric_frame, basis, images, metric_images, residuals, directions, ints[ROWS])
        ints[ROWS] = 3 * k
    elif k > 0:
        rayleigh_ritz(hvp, eigh, params, x, frame, metric_frame, basis, images, metric_images, residuals)
    if k > 0 and rule == POWER:
        solve(metric, dual, primal)
        power_step(eigh, frame, metric_frame, basis, metric_images, residuals, directions, floats[FRAME_STEP])
    else:
        solve(metric, dual[:1], primal[:1])
    scale(-1.0, primal[0], d)
    scale(-1.0, g, md)
    for i in range(k):
        along = 2.0 * dot(frame[i], g)
        add(along, frame[i], d)
        add(along, metric_frame[i], md)


@helper
def accelerate(x, last, md, move, change, floats, ints):
    """Add momentum to the move (n,), in place; ``last`` becomes the iterate that the next step looks back to."""
    if ints[MOMENTUM_RULE] == NO_MOMENTUM:
        return
    scale(1.0, x, change)
    if ints[MOMENTUM_RULE] == HEAVY_BALL:
        add(-1.0, last, change)
        scale(1.0, x, last)
        add(floats[MOMENTUM], change, move)
    else:
        add(1.0, move, change)
        add(-1.0, last, change)
        if dot(md, change) < 0.0 or ints[SINCE_RESTART] >= ints[RESTART]:
            ints[SINCE_RESTART] = 0
        add(1.0, change, last)
        add(ints[SINCE_RESTART] / (ints[SINCE_RESTART] + 3.0), change, move)
        ints[SINCE_RESTART] += 1


@helper
def finite(energy, norm):
    """Whether energy and gradient norm are numbers."""
    return abs(energy) < np.inf and norm < np.inf


@helper
def farther(radius, x, start, difference):
    """Whether x has left the ball (max-norm) around the start; ``difference`` (n,) is overwritten."""
    scale(1.0, x, difference)
    add(-1.0, start, difference)
    return largest(difference) > radius


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


def saddle_steps(
    energy_gradient,
    hvp,
    eigh,
    params,
    metric,
    mass,
    n_steps,
    start,
    x,
    last,
    g,
    d,
    md,
    frame,
    metric_frame,
    basis,
    images,
    metric_images,
    floats,
    ints,
):
    """Up to ``n_steps`` steps of (preconditioned) high-index saddle dynamics; returns how many were made.

    ``x`` is where derivatives are taken, ``last`` the iterate before it (momentum). Stops early when the gradient norm meets
    floats[TOLERANCE], when something is not finite, or when x is farther than floats[RADIUS] from ``start``.
    """
    vectors, scratch = np.empty((3, x.size)), np.empty((2 * frame.shape[0] + 2, x.size))
    move, change, metric_change = vectors[0], vectors[1], vectors[2]
    ints[OUTCOME] = RUNNING
    for done in range(1, n_steps + 1):
        size, longest = floats[STEP], largest(d)
        if size * longest > floats[CAP]:
            size = floats[CAP] / longest
        scale(size, d, move)
        accelerate(x, last, md, move, change, floats, ints)
        add(1.0, move, x)
        floats[ENERGY] = energy_gradient(x, params, g)
        floats[GRADIENT_NORM] = dual_norm(g, mass)
        if not finite(floats[ENERGY], floats[GRADIENT_NORM]):
            ints[OUTCOME] = NON_FINITE
            return done
        floats[MAX_ENERGY] = max(floats[MAX_ENERGY], floats[ENERGY])
        if farther(floats[RADIUS], x, start, change):
            ints[OUTCOME] = TOO_FAR
            return done
        length = size * size * dot(d, md)
        scale(-1.0, d, change)
        scale(-1.0, md, metric_change)
        refresh(hvp, eigh, params, metric, x, g, d, md, frame, metric_frame, basis, images, metric_images, scratch, floats, ints)
        add(1.0, d, change)
        add(1.0, md, metric_change)
        curvature = dot(change, metric_change)
        along = dot(move, metric_change)
        if ints[STEP_RULE] == BARZILAI_BORWEIN and curvature > 0.0 and along != 0.0:
            floats[STEP] = next_size(along, length, curvature, floats)
        if floats[GRADIENT_NORM] <= floats[TOLERANCE]:
            ints[OUTCOME] = REACHED
            return done
    return n_steps


def flow_steps(energy_gradient, params, metric, mass, n_steps, start, x, g, floats, ints):
    """Up to ``n_steps`` steps of displacement-capped gradient flow dx/dt = -M^-1 g; returns how many gradients were taken.

    Explicit Euler. A step is taken back and halved unless the energy falls by half of what the slope promises, so that it never
    passes the minimum along its own direction: on a quadratic energy that is exactly step <= 1/curvature.
    """
    scratch = np.empty((4, x.size))
    trial, g_trial, dual, primal = scratch[0], scratch[1], scratch[2:3], scratch[3:]
    climb = primal[0]  # M^-1 g
    ints[OUTCOME] = RUNNING
    scale(1.0, g, dual[0])
    solve(metric, dual, primal)
    for done in range(1, n_steps + 1):
        size, longest = floats[STEP], largest(climb)
        if size * longest > floats[CAP]:
            size = floats[CAP] / longest
        scale(1.0, x, trial)
        add(-size, climb, trial)
        energy = energy_gradient(trial, params, g_trial)
        norm = dual_norm(g_trial, mass)
        gain = size * dot(g, climb)
        # At round-off level energies cannot be compared any more; the gradient along the direction still can.
        if gain > 1e-12 * (abs(floats[ENERGY]) + abs(energy)):
            fell = energy <= floats[ENERGY] - 0.5 * gain
        else:
            fell = dot(g_trial, climb) >= 0.0
        if not (fell and finite(energy, norm)):
            floats[STEP] = 0.5 * size
            if floats[STEP] * longest < 1e-14 * (1.0 + largest(x)):
                ints[OUTCOME] = RUNNING if finite(energy, norm) else NON_FINITE
                return done
            continue
        scale(1.0, trial, x)
        scale(1.0, g_trial, g)
        floats[STEP] = max(1.2 * size, floats[STEP])
        floats[ENERGY] = energy
        floats[GRADIENT_NORM] = norm
        if norm <= floats[TOLERANCE]:
            ints[OUTCOME] = REACHED
            return done
        if farther(floats[RADIUS], x, start, trial):
            ints[OUTCOME] = TOO_FAR
            return done
        scale(1.0, g, dual[0])
        solve(metric, dual, primal)
    return n_steps


@lru_cache(maxsize=1)
def compiled():
    """The stepping functions compiled (from the disk cache where it has them): ``(saddle_steps, flow_steps, eigh)``."""
    energy_gradient, hvp, eigh = FUNCTION_TYPES["energy_gradient"], FUNCTION_TYPES["hvp"], function_type(EIGH)
    arrays = (VECTOR,) * 6 + (MATRIX,) * 5 + (VECTOR, INDICES)
    return (
        solver_kernel(INT(energy_gradient, hvp, eigh, PARAMS, VECTOR, VECTOR, INT, *arrays))(saddle_steps),
        solver_kernel(INT(energy_gradient, PARAMS, VECTOR, VECTOR, INT, VECTOR, VECTOR, VECTOR, VECTOR, INDICES))(flow_steps),
        compiled_eigh(),
    )


def finite_eigh(matrix):
    """numpy.linalg.eigh, with NaN instead of an exception where the matrix has some: as the compiled one has it."""
    if np.isfinite(matrix).all():
        return np.linalg.eigh(matrix)
    return np.full(len(matrix), np.nan), np.full(matrix.shape, np.nan)
