"""Rows of one array, and the passes over them that all stepping functions share.

Each pass is NumPy in the interpreter and loops when compiled. numba's disk cache looks for changes in the file of a kernel alone:
kernels that use this module name it, see `saddlescape.kernels.kernel`.
"""

from math import sqrt

import numpy as np

from ..kernels import compiled_as, helper

# rows[...] of every search: the start; x, where derivatives are taken
START, X = 0, 1

RUNNING, REACHED, NON_FINITE, TOO_FAR = 0, 1, 2, 3  # how steps ended


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
def finite(energy, norm):
    """Whether energy and gradient norm are numbers."""
    return abs(energy) < np.inf and norm < np.inf


@helper
def farther(radius, rows, scratch):
    """Whether x has left the ball (max-norm) around the start."""
    scale(rows, 1.0, X, scratch)
    add(rows, -1.0, START, scratch)
    return largest(rows, scratch) > radius
