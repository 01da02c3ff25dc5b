"""MINRES: symmetric indefinite systems from products alone."""

from __future__ import annotations

import numpy as np

from .derivatives import Derivatives


def minres(
    d: Derivatives, x: np.ndarray, right: np.ndarray, modes: np.ndarray | None, tol: float, max_iterations: int = 2000
) -> np.ndarray:
    """Solve H(x) s = right by preconditioned MINRES; H may be indefinite.

    Parameters
    ----------
    d : Derivatives
        Its ``solve`` is the preconditioner.
    x, right : (n,) arrays
    modes : (m, n) array or None
        Mass-orthonormal; ``right`` must be in the complement of ``mass * modes``, and s is kept in theirs.
    tol : float
        The residual is reduced by this factor, in the norm of the inverse preconditioner.
    max_iterations : int

    References
    ----------
    C. C. Paige, M. A. Saunders, SIAM J. Numer. Anal. 12 (1975) 617.
    """
    dual = None if modes is None else modes * d.mass

    def precondition(r: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        if modes is not None:
            r = r - (modes @ r) @ dual
        z = d.solve(r)
        if modes is not None:
            z = z - (dual @ z) @ modes
        return r, z, float(np.sqrt(max(np.dot(r, z), 0.0)))

    s = np.zeros_like(right)
    v_old, v = np.zeros_like(right), right
    w_old, w = np.zeros_like(right), np.zeros_like(right)
    v, z, gamma = precondition(v)
    gamma_old, eta, target = 1.0, gamma, tol * gamma
    sine_old = sine = 0.0
    cosine_old = cosine = 1.0
    for _ in range(max_iterations):
        if abs(eta) <= target or gamma == 0.0:
            break
        z = z / gamma
        image = d.hvp(x, z)
        delta = float(np.dot(image, z))
        v_new, z_new, gamma_new = precondition(image - (delta / gamma) * v - (gamma / gamma_old) * v_old)
        a0 = cosine * delta - cosine_old * sine * gamma
        a1 = float(np.hypot(a0, gamma_new))
        a2 = sine * delta + cosine_old * cosine * gamma
        a3 = sine_old * gamma
        if a1 == 0.0:  # the Krylov space is exhausted by a singular H
            break
        cosine_old, cosine, sine_old, sine = cosine, a0 / a1, sine, gamma_new / a1
        w_old, w = w, (z - a3 * w_old - a2 * w) / a1
        s += cosine * eta * w
        eta = -sine * eta
        v_old, v, z, gamma_old, gamma = v, v_new, z_new, gamma, gamma_new
    return s
