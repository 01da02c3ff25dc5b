"""Eigenvalues of tiny symmetric matrices inside compiled loops."""

from functools import lru_cache
from math import sqrt

import numpy as np

from ..kernels import MATRIX, VECTOR, KernelPointer, helper, solver_kernel, types

EIGH = types.Tuple((VECTOR, MATRIX))(MATRIX)
"""Signature of `jacobi_eigh`."""


@helper
def rotate(a, vectors, p, q):
    """The rotation of rows and columns p and q that makes a[p, q] vanish, applied to a and, by columns, to the vectors."""
    m = a.shape[0]
    tau = (a[q, q] - a[p, p]) / (2.0 * a[p, q])
    t = 1.0 / (abs(tau) + sqrt(1.0 + tau * tau))
    if tau < 0.0:
        t = -t
    c = 1.0 / sqrt(1.0 + t * t)
    s = t * c
    for i in range(m):
        aip, aiq = a[i, p], a[i, q]
        a[i, p] = c * aip - s * aiq
        a[i, q] = s * aip + c * aiq
        vip, viq = vectors[i, p], vectors[i, q]
        vectors[i, p] = c * vip - s * viq
        vectors[i, q] = s * vip + c * viq
    for i in range(m):
        api, aqi = a[p, i], a[q, i]
        a[p, i] = c * api - s * aqi
        a[q, i] = s * api + c * aqi


@helper
def sort(values, vectors):
    """Put the values in ascending order, and the columns of the vectors with them."""
    m = values.size
    for j in range(1, m):
        place = j
        while place > 0 and values[place - 1] > values[place]:
            values[place - 1], values[place] = values[place], values[place - 1]
            for i in range(m):
                vectors[i, place - 1], vectors[i, place] = vectors[i, place], vectors[i, place - 1]
            place -= 1


def jacobi_eigh(matrix):
    """Eigenvalues (m,), ascending, and eigenvectors (m, m), as columns, of a symmetric matrix (m, m): cyclic Jacobi rotations.

    NaN where an entry of the matrix is NaN or infinite.

    For the compiled stepping functions alone, where m is a handful: a call into LAPACK costs more than a whole step there (measured
    on a 2 x 2 matrix: 0.05 us against 1.7 us) and seconds of compile time. Interpreted code uses numpy.linalg.eigh.

    References
    ----------
    Golub and Van Loan, Matrix Computations, 4th ed., section 8.5.
    """
    m = matrix.shape[0]
    a, vectors, values = np.empty((m, m)), np.empty((m, m)), np.empty(m)
    for i in range(m):
        for j in range(m):
            a[i, j] = matrix[i, j]
            vectors[i, j] = 1.0 if i == j else 0.0
    for _ in range(50):
        off = total = 0.0
        for i in range(m):
            total += a[i, i] * a[i, i]
            for j in range(i + 1, m):
                off += a[i, j] * a[i, j]
        if not 1e-32 * total < off < np.inf:  # also ends on NaN
            break
        for p in range(m - 1):
            for q in range(p + 1, m):
                if a[p, q] != 0.0:
                    rotate(a, vectors, p, q)
    for i in range(m):
        values[i] = a[i, i] if off + total < np.inf else np.nan
    sort(values, vectors)
    return values, vectors


@lru_cache(maxsize=1)
def compiled_eigh():
    """`jacobi_eigh` compiled, as an argument of solver kernels; they are handed it, so that it is compiled once for all of them."""
    return KernelPointer(solver_kernel(EIGH)(jacobi_eigh), EIGH)
