"""The one place where derivatives come from, and where their calls are counted."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from ..given import as_number, blank, filled
from ..model import EnergyModel

DENSE_LIMIT = 500
"""No dense (n, n) matrix is formed above this dimension."""


class Derivatives:
    """Derivatives of one model: analytic where the model has them, else by dimer; every call is counted.

    Hessian-vector products are the model's ``hvp``, else products with its ``hessian``, else central differences of gradients.

    Parameters
    ----------
    model : EnergyModel
    preconditioner : object with ``solve`` and ``apply``, or None
        The metric M, built once per search and frozen. None: M is the mass.
    dimer_length : float
        Half length of the central difference that replaces a missing ``hvp``, relative to 1 + max|x|.

    Attributes
    ----------
    n_energy, n_gradient, n_hvp, n_hessian : int
        Calls so far. A Hessian-vector product by dimer counts as one ``hvp`` and two gradients; one with the model's Hessian as one
        ``hvp``, and the first at each point as a ``hessian`` besides.
    mass : float or (n,) array
        The inner product of norms, frames and eigenvalues.
    """

    def __init__(self, model: EnergyModel, preconditioner: Any = None, dimer_length: float = 1e-5):
        self.model = model
        self.dim = int(model.dim)
        mass = model.mass
        self.mass = float(mass) if np.ndim(mass) == 0 else np.asarray(mass, dtype=float)
        self.preconditioner = preconditioner
        self.dimer_length = dimer_length
        self.n_energy = self.n_gradient = self.n_hvp = self.n_hessian = 0
        self._hvp = getattr(model, "hvp", None)
        self._zero_modes = getattr(model, "zero_modes", None)
        self.has_hessian = hasattr(model, "hessian")
        self._last: tuple[np.ndarray, Any] | None = None  # where products with the Hessian were last wanted, and the Hessian there

    @cached_property
    def mass_vector(self) -> np.ndarray:
        """The mass of every unknown, (n,); writable, for compiled functions take no read-only array."""
        return np.full(self.dim, self.mass) if isinstance(self.mass, float) else self.mass.copy()

    @property
    def compiled(self) -> bool:
        """Whether the solver's inner functions can run compiled: kernels, and no preconditioner but the mass."""
        return getattr(self.model.kernels, "energy_gradient", None) is not None and self.preconditioner is None

    def energy_gradient(self, x: np.ndarray, out: np.ndarray) -> float:
        """E(x), with dE/dx written into ``out`` (n,)."""
        self.n_gradient += 1
        return as_number(self.model.energy_gradient(x, out), "energy_gradient")

    def energy(self, x: np.ndarray) -> float:
        """E(x)."""
        self.n_energy += 1
        return as_number(self.model.energy(x), "energy")

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """dE/dx (n,)."""
        out = np.empty(self.dim)
        self.n_gradient += 1
        return filled(self.model.gradient(x, blank(out)), out, "gradient")

    def hvp(self, x: np.ndarray, v: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """H(x) v, (n,)."""
        out = np.empty(self.dim) if out is None else out
        self.n_hvp += 1
        if self._hvp is not None:
            return filled(self._hvp(x, v, blank(out)), out, "hvp")
        if self.has_hessian:
            # A step asks for several products at one point; its array is the same at the next one, so the values are compared.
            if self._last is None or not np.array_equal(self._last[0], x):
                self._last = x.copy(), self.hessian(x)
            return filled(self._last[1] @ v, out, "hessian(x) @ v")
        return filled(self.difference(x, v), out, "gradient")

    def half_length(self, x: np.ndarray) -> float:
        """Half length of a dimer at x (n,) along a vector of max-norm 1."""
        return self.dimer_length * (1.0 + float(np.abs(x).max()))

    def difference(self, x: np.ndarray, v: np.ndarray, gradient: Callable[[np.ndarray], np.ndarray] | None = None) -> np.ndarray:
        """H(x) v by dimer, (n,): the central difference of two gradients, the model's unless another ``gradient`` is given."""
        gradient = self.gradient if gradient is None else gradient
        length = self.half_length(x) / max(np.abs(v).max(), 1e-300)
        plus, minus = gradient(x + length * v), gradient(x - length * v)
        return (plus - minus) / (2.0 * length)

    def hvp_rows(self, x: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """H(x) applied to each row of (k, n); returns (k, n)."""
        out = np.empty_like(rows)
        for v, h in zip(rows, out, strict=True):
            self.hvp(x, v, h)
        return out

    def hessian(self, x: np.ndarray) -> Any:
        """The Hessian at x: the model's own (dense or sparse), else dense from n products.

        Raises
        ------
        ValueError
            If the model's has another shape, or it has no ``hessian`` and n exceeds `DENSE_LIMIT`.
        """
        if self.has_hessian:
            self.n_hessian += 1
            hessian = self.model.hessian(x)
            if np.shape(hessian) != (self.dim, self.dim):
                raise ValueError(f"hessian: the model returned shape {np.shape(hessian)}, expected ({self.dim}, {self.dim})")
            return hessian
        if self.dim > DENSE_LIMIT:
            raise ValueError(
                f"dim: {self.dim} unknowns are too many for a dense Hessian (limit {DENSE_LIMIT}); give the model hessian(x)"
            )
        rows = self.hvp_rows(x, np.eye(self.dim))
        return 0.5 * (rows + rows.T)

    def zero_modes(self, x: np.ndarray) -> np.ndarray | None:
        """The model's generators of continuous symmetries at x, (m, n); None if it declares none."""
        return None if self._zero_modes is None else self._zero_modes(x)

    def free_modes(self, x: np.ndarray) -> np.ndarray | None:
        """The zero modes along which a stationary point can be moved; None where the discretisation pins it."""
        symmetry = getattr(self.model, "symmetry", None)
        return None if symmetry is not None and symmetry.tolerance > 0.0 else self.zero_modes(x)

    def solve(self, r: np.ndarray) -> np.ndarray:
        """M^-1 r for r (n,) or rows (k, n)."""
        return r / self.mass if self.preconditioner is None else self.preconditioner.solve(r)

    def apply(self, v: np.ndarray) -> np.ndarray:
        """M v for v (n,) or rows (k, n)."""
        return v * self.mass if self.preconditioner is None else self.preconditioner.apply(v)

    def gradient_norm(self, g: np.ndarray) -> float:
        """Norm of a gradient (n,) in the mass inner product, sqrt(sum g_i^2 / mass_i)."""
        with np.errstate(over="ignore", invalid="ignore"):  # far out a norm may overflow; the search sees that it is not finite
            return float(np.sqrt(np.dot(g, g / self.mass)))

    def norm(self, v: np.ndarray) -> float:
        """Norm of a displacement (n,) in the mass inner product, sqrt(sum mass_i v_i^2)."""
        return float(np.sqrt(np.dot(v, v * self.mass)))
