"""An energy on a plane through one point: the model with all but a few of its directions frozen."""

from __future__ import annotations

import numpy as np

from ..model import EnergyModel
from ..numerics.derivatives import Derivatives
from ..numerics.eigen import independent_rows, lobpcg

SOFTEST = 1e-3  # a mode softer than this, relative to the stiffest one taken, is scaled as if it were not


class Subspace(EnergyModel):
    """E(origin + c . basis) as a function of the coordinates c (m,).

    Parameters
    ----------
    derivatives : Derivatives
        Of the model on all unknowns; they count its calls.
    origin : (n,) array
    basis : (m, n) array
    """

    def __init__(self, derivatives: Derivatives, origin: np.ndarray, basis: np.ndarray):
        self.dim = len(basis)
        self.derivatives = derivatives
        self.origin = origin
        self.basis = basis

    def point(self, c: np.ndarray) -> np.ndarray:
        """The point (n,) with these coordinates (m,)."""
        return self.origin + c @ self.basis

    def energy(self, c: np.ndarray) -> float:
        """E at the point with coordinates c (m,)."""
        return self.derivatives.energy(self.point(c))

    def gradient(self, c: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """dE/dc (m,)."""
        return np.matmul(self.basis, self.derivatives.gradient(self.point(c)), out=out)

    def energy_gradient(self, c: np.ndarray, out: np.ndarray) -> float:
        """E, with dE/dc written into ``out`` (m,)."""
        full = np.empty(self.derivatives.dim)
        energy = self.derivatives.energy_gradient(self.point(c), full)
        np.matmul(self.basis, full, out=out)
        return energy


def soft_modes(derivatives: Derivatives, x: np.ndarray, m: int) -> np.ndarray:
    """The m lowest modes of the preconditioner, (m, n), each as long as it may be for one unit of energy around a minimum x (n,).

    Row i is v_i sqrt(2 / h_i) with M v_i = mu_i mass v_i and h_i = v_i.H(x) v_i: in coordinates along the rows the energy is about
    |c|^2 above the minimum, equally stiff in all of them.
    """
    # The solver has the exact inverse for a preconditioner: a few sweeps, which settle on clusters of equal values.
    pairs = lobpcg(derivatives.apply, derivatives.solve, derivatives.mass, np.empty((0, x.size)), m, rtol=1e-6)
    curvatures = np.einsum("ij,ij->i", pairs.vectors, derivatives.hvp_rows(x, pairs.vectors))
    return _scaled(pairs.vectors, curvatures)


def given_modes(derivatives: Derivatives, x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The span of independent rows (m, n) in the directions, (m, n), in which the Hessian at a minimum x (n,) is diagonal on it.

    They are mass-orthogonal, and each is as long as it may be for one unit of energy, as those of `soft_modes`.
    """
    basis = independent_rows(rows, derivatives.mass, 0.0)
    projected = basis @ derivatives.hvp_rows(x, basis).T
    curvatures, turn = np.linalg.eigh(0.5 * (projected + projected.T))
    return _scaled(turn.T @ basis, curvatures)


def _scaled(rows: np.ndarray, curvatures: np.ndarray) -> np.ndarray:
    return rows * np.sqrt(2.0 / np.maximum(curvatures, SOFTEST * curvatures.max()))[:, None]
