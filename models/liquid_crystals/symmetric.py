"""The stationary point that has every symmetry of its model."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from scipy.sparse.linalg import splu

from saddlescape.model import EnergyModel
from saddlescape.symmetry import Symmetry

MAX_STEPS = 100


def fixed_space(symmetry: Symmetry) -> scipy.sparse.csc_array:
    """A basis of the points that every discrete element leaves where they are.

    Returns
    -------
    (n, q) sparse array
        Entries +-1: column j spreads one free number over an orbit of unknowns.
    """
    permutations, signs = symmetry.permutations, symmetry.signs
    unknowns = np.arange(symmetry.dim)
    # An unknown that some element maps to minus itself is zero.
    free = ~((permutations == unknowns) & (signs < 0)).any(axis=0)
    element = permutations.argmin(axis=0)
    representative, sign = permutations[element, unknowns], signs[element, unknowns]
    _, column = np.unique(representative[free], return_inverse=True)
    return scipy.sparse.csc_array((sign[free], (unknowns[free], column)), shape=(symmetry.dim, column.max() + 1))


def symmetric_minimum(model: EnergyModel, x: np.ndarray) -> np.ndarray:
    """Minimise the energy among the points with the full symmetry of the model.

    A minimum there is stationary in the whole space (principle of symmetric criticality), whatever its index: directions
    that break the symmetry do not exist for the iteration.

    Parameters
    ----------
    model : EnergyModel
        With a sparse ``hessian`` and a ``symmetry``.
    x : (n,) array
        Initial guess.

    Returns
    -------
    (n,) array
        Its gradient is at round-off.

    Raises
    ------
    ArithmeticError
        If Newton's method does not converge.

    References
    ----------
    R. S. Palais, Comm. Math. Phys. 69 (1979) 19.
    """
    basis = fixed_space(model.symmetry)
    weights = basis.power(2).sum(axis=0)
    y = (basis.T @ x) / weights
    mass = basis.power(2).T @ np.broadcast_to(model.mass, model.dim)
    gradient = np.empty(model.dim)
    energy = model.energy_gradient(basis @ y, gradient)
    reduced = basis.T @ gradient
    damping = 0.0
    for _ in range(MAX_STEPS):
        hessian = basis.T @ model.hessian(basis @ y) @ basis
        step = splu((hessian + scipy.sparse.diags_array(damping * mass)).tocsc()).solve(-reduced)
        trial = y + step
        trial_energy = model.energy_gradient(basis @ trial, gradient)
        trial_reduced = basis.T @ gradient
        # Close to the end round-off hides the decrease of the energy: there the gradient decides.
        close = np.abs(step).max() < 1e-6
        shrinks = np.linalg.norm(trial_reduced) < np.linalg.norm(reduced)
        if close and not shrinks:
            return basis @ y
        if step @ reduced < 0.0 and (close or trial_energy < energy):
            y, energy, reduced = trial, trial_energy, trial_reduced
            damping = damping / 8.0 if damping > 1.0 else 0.0
        else:
            damping = max(8.0 * damping, 8.0)
    raise ArithmeticError(f"the symmetric stationary point of {model} was not found in {MAX_STEPS} Newton steps: refine the grid")
