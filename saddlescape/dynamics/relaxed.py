"""An energy on a plane through one point, with all other directions relaxed instead of frozen."""

from __future__ import annotations

import numpy as np

from ..numerics.derivatives import Derivatives
from ..numerics.eigen import independent_rows
from .subspace import Subspace

FORCING = 0.1  # by how much conjugate gradients reduce the residual of one Newton step
MAX_PRODUCTS = 100  # of the Hessian in a Newton step
MAX_STEPS = 30  # of Newton's method; from the last point of a trajectory one to three do
MAX_HALVINGS = 30
ROUNDING = 1e-14  # of an energy
ENOUGH = 1e-4  # of the slope's promise, by which a Newton step has to lower the energy


class RelaxedSubspace(Subspace):
    """E*(c), the lowest energy at origin + c . basis + y over all y that are mass-orthogonal to the basis.

    The minimum over y is the one that is reached from that of the point before, so that E* is followed along one branch. Its
    gradient is basis . dE/dx at the relaxed point (the envelope theorem), its Hessian the Schur complement: where the rest is
    stable, the stationary points of E* are those of E, of the same energies and indices. At a fold of the branch the point falls
    to another one.

    Parameters
    ----------
    derivatives, origin, basis
        See `Subspace`; the metric of ``derivatives`` is the one in which the rest is relaxed.
    precision : float
        An energy: r . M^-1 r is at most this at a relaxed point, r being the gradient along the rest. E* is then known to about
        half of it.
    rng : Generator, optional
        For a displacement of the rest in every step, as large as the precision leaves open: without it a symmetric point stays
        symmetric, where the rest has long become unstable.
    """

    def __init__(
        self,
        derivatives: Derivatives,
        origin: np.ndarray,
        basis: np.ndarray,
        precision: float,
        rng: np.random.Generator | None = None,
    ):
        super().__init__(derivatives, origin, basis)
        self.precision = precision
        self.rng = rng
        self._frame = independent_rows(basis, derivatives.mass, 0.0)
        self._dual = self._frame * derivatives.mass
        self._c, self._x = np.zeros(self.dim), origin.copy()  # the last relaxed point
        self._energy, self._gradient = np.nan, np.empty(0)

    def point(self, c: np.ndarray) -> np.ndarray:
        """The relaxed point (n,) with these coordinates (m,); ArithmeticError if the rest cannot be relaxed there."""
        if not self._relax(c):
            raise ArithmeticError('rest: it could not be relaxed, the energy has no minimum there or is not finite; take "frozen"')
        return self._x.copy()

    def energy(self, c: np.ndarray) -> float:
        """E* at the coordinates c (m,); infinite if the rest could not be relaxed there."""
        return self._energy if self._relax(c) else np.inf

    def gradient(self, c: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """dE*/dc (m,)."""
        out = np.empty(self.dim) if out is None else out
        self.energy_gradient(c, out)
        return out

    def energy_gradient(self, c: np.ndarray, out: np.ndarray) -> float:
        """E*, with dE*/dc written into ``out`` (m,)."""
        if not self._relax(c):
            out[:] = np.inf
            return np.inf
        np.matmul(self.basis, self._gradient, out=out)
        return self._energy

    def _relax(self, c: np.ndarray) -> bool:
        """Move the last relaxed point to these coordinates; False, and it stays, if the rest cannot be relaxed there."""
        if self._gradient.size and np.array_equal(c, self._c):
            return True
        d, x = self.derivatives, self._x + (c - self._c) @ self.basis + self._noise()
        gradient = np.empty(d.dim)
        energy = d.energy_gradient(x, gradient)
        for _ in range(MAX_STEPS):
            if not (np.isfinite(energy) and np.isfinite(gradient).all()):
                return False
            force, image, squared = self._along_rest(gradient)
            if squared <= self.precision:
                self._c, self._x, self._energy, self._gradient = c.copy(), x, energy, gradient
                return True
            moved = self._descended(x, energy, force, *self._newton(x, force, image, squared))
            if moved is None:
                return False
            x, energy, gradient = moved
        return False

    def _descended(
        self, x: np.ndarray, energy: float, force: np.ndarray, way: np.ndarray, convex: bool
    ) -> tuple[np.ndarray, float, np.ndarray] | None:
        """The point (n,) along a step where the energy is low enough, with energy and gradient there; None if it does not fall.

        A step is halved until it is good; where the energy is not convex nothing says how long one should be, and it is doubled as
        long as that is better.
        """
        slope = float(np.dot(force, way))
        for _ in range(MAX_HALVINGS):
            gradient = np.empty(x.size)
            lower = self.derivatives.energy_gradient(x + way, gradient)
            # Close to the minimum the promise is less than the round-off of the energy.
            if lower <= energy + ENOUGH * slope + ROUNDING * abs(energy):
                break
            way, slope = 0.5 * way, 0.5 * slope
        else:
            return None
        for _ in range(0 if convex else MAX_HALVINGS):
            farther = np.empty(x.size)
            still = self.derivatives.energy_gradient(x + 2.0 * way, farther)
            if not still < lower:
                break
            way, lower, gradient = 2.0 * way, still, farther
        return x + way, lower, gradient

    def _noise(self) -> np.ndarray | float:
        """A random displacement (n,) along the rest, as large as the precision leaves open."""
        if self.rng is None or self.dim == self.origin.size:
            return 0.0
        _, image, squared = self._along_rest(self.rng.standard_normal(self.origin.size))
        return np.sqrt(self.precision / squared) * image

    def _along_rest(self, gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """The part r of a gradient (n,) along the rest, M^-1 r along it too, and r . M^-1 r."""
        force = gradient - (self._frame @ gradient) @ self._dual
        image = self.derivatives.solve(force)
        image -= (self._dual @ image) @ self._frame
        return force, image, float(np.dot(force, image))

    def _newton(self, x: np.ndarray, force: np.ndarray, image: np.ndarray, squared: float) -> tuple[np.ndarray, bool]:
        """A Newton step (n,) along the rest by conjugate gradients, cut off where the energy is not convex; and whether it was."""
        step, direction, enough = np.zeros_like(x), -image, FORCING**2 * squared
        for _ in range(MAX_PRODUCTS):
            bent = self.derivatives.hvp(x, direction)
            curvature = float(np.dot(direction, bent))
            if curvature <= 0.0:
                return (step if step.any() else direction), False
            size = squared / curvature
            step += size * direction
            force, image, left = self._along_rest(force + size * bent)
            if left <= enough:
                break
            direction = -image + (left / squared) * direction
            squared = left
        return step, True
