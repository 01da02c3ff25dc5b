"""The stationary point that has every symmetry of its model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse
from scipy.sparse.linalg import splu

from saddlescape.model import EnergyModel
from saddlescape.symmetry import Symmetry

MAX_STEPS = 100


def fixed_space(symmetry: Symmetry) -> scipy.sparse.csc_array:
    """A basis of the points that every element of a group leaves where they are.

    Returns
    -------
    (n, q) sparse array
        Orthogonal columns: each spreads one free number over an orbit of unknowns; with entries +-1 where no matrices mix the
        components.
    """
    if symmetry.grid is not None:
        # What no translation changes is one number for each copy of the grid, and the discrete elements act on these numbers.
        size = int(np.prod(symmetry.grid))
        copies = Symmetry(symmetry.permutations[:, ::size] // size, symmetry.signs[:, ::size], mixing=symmetry.mixing)
        return scipy.sparse.kron(fixed_space(copies), np.ones((size, 1)), format="csc")
    components = 1 if symmetry.mixing is None else symmetry.mixing.shape[1]
    n_nodes = symmetry.dim // components
    permutations = symmetry.permutations[:, :n_nodes]
    nodes = np.arange(n_nodes)
    element = permutations.argmin(axis=0)
    representative = permutations[element, nodes]
    orbits, orbit = np.unique(representative, return_inverse=True)
    # At a node that some elements leave where it is, the field is what their matrices leave as it is: their mean projects onto it.
    fixing = permutations[:, orbits] == orbits
    projections = np.zeros((orbits.size, components, components))
    for g in range(symmetry.order):
        projections[fixing[g]] += _matrices(symmetry, np.full(n_nodes, g))[orbits[fixing[g]]]
    values, vectors = np.linalg.eigh(projections / fixing.sum(axis=0)[:, None, None])
    spread = _matrices(symmetry, element) @ vectors[orbit]  # (node, component, free number of its orbit)
    kept = values > 0.5
    column = np.cumsum(kept).reshape(kept.shape) - 1
    node, which = np.nonzero(kept[orbit])
    rows = node[:, None] + n_nodes * np.arange(components)
    columns = np.broadcast_to(column[orbit[node], which][:, None], rows.shape)
    entries = spread[node, :, which]
    return scipy.sparse.csc_array((entries.ravel(), (rows.ravel(), columns.ravel())), shape=(symmetry.dim, int(kept.sum())))


def _matrices(symmetry: Symmetry, element: np.ndarray) -> np.ndarray:
    """What the elements (N,), one for each node, do to the components there, (N, c, c)."""
    if symmetry.mixing is not None:
        return symmetry.mixing[element]
    return symmetry.signs[element, np.arange(element.size)][:, None, None]


def symmetric_minimum(
    model: EnergyModel, x: np.ndarray, hessian: Callable[[np.ndarray], scipy.sparse.sparray] | None = None
) -> np.ndarray:
    """Minimise the energy among the points with the full symmetry of the model.

    A minimum there is stationary in the whole space (principle of symmetric criticality), whatever its index: directions
    that break the symmetry do not exist for the iteration.

    Parameters
    ----------
    model : EnergyModel
        With a ``symmetry``.
    x : (n,) array
        Initial guess.
    hessian : callable, optional
        ``hessian(x)``, sparse; default: the model's.

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
    hessian = model.hessian if hessian is None else hessian
    basis = fixed_space(model.symmetry)
    weights = basis.power(2).sum(axis=0)
    y = (basis.T @ x) / weights
    mass = basis.power(2).T @ np.broadcast_to(model.mass, x.shape)
    gradient = np.empty(model.dim)
    energy = model.energy_gradient(basis @ y, gradient)
    reduced = basis.T @ gradient
    damping = 0.0
    for _ in range(MAX_STEPS):
        matrix = basis.T @ hessian(basis @ y) @ basis
        step = splu((matrix + scipy.sparse.diags_array(damping * mass)).tocsc()).solve(-reduced)
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
