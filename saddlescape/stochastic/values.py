"""Derivatives estimated from function values alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import ClassVar

import numpy as np

from ..kernels import Kernels, energy_at, helper, kernel
from ..model import EnergyModel
from . import wrapped
from .wrapped import ENERGY, Wrapped, check_inner, inner, wrapper_kernels

SHORTEST = 1e-5
"""Below this length round-off in second differences outweighs what a shorter one gains."""


@kernel("draw")
def _draw(params, rng, sample):
    for i in range(sample.size):
        sample[i] = rng.standard_normal()


@helper
def _slope(x, params, sample, point, along, far):
    """[f(x + far along + l r) - f(x + far along - l r)] / (2 l) with r the sample; ``point`` (n,) is scratch space."""
    length = params[0][0]
    for i in range(x.size):
        point[i] = x[i] + far * along[i] + length * sample[i]
    above = energy_at(params[1][ENERGY])(point, inner(params))
    for i in range(x.size):
        point[i] = x[i] + far * along[i] - length * sample[i]
    return (above - energy_at(params[1][ENERGY])(point, inner(params))) / (2.0 * length)


@kernel("stochastic_gradient", uses=(wrapped,))
def _stochastic_gradient(x, params, sample, out):
    slope = _slope(x, params, sample, out, sample, 0.0)
    for i in range(x.size):
        out[i] = slope * sample[i]


@kernel("stochastic_hvp", uses=(wrapped,))
def _stochastic_hvp(x, v, params, sample, out):
    norm = 0.0
    for i in range(v.size):
        norm += v[i] * v[i]
    norm = sqrt(norm)
    far = params[0][0] / norm
    ahead = _slope(x, params, sample, out, v, far)
    behind = _slope(x, params, sample, out, v, -far)
    for i in range(x.size):
        out[i] = (ahead - behind) / (2.0 * far) * sample[i]


@dataclass(frozen=True)
class FunctionValues(Wrapped):
    """Stochastic derivatives from values of the energy alone, for models whose gradient is out of reach.

    With r standard normal and a length l,

        F(x, r, l) = [E(x + l r) - E(x - l r)] / (2 l) r        estimates the gradient (two values),
        [F(x + l v, r, l) - F(x - l v, r, l)] / (2 l)           the Hessian times a unit vector v (four values);

    unbiased for E smoothed by a Gaussian of width l, the second one up to O(l^2): for the difference of the smoothed gradients
    over 2 l. The stationary points of the smoothed E lie O(l^2) away. At them F vanishes with the slope of E up to O(l^2): noise
    dies out by itself, so a constant step converges linearly down to that floor. Saddle dynamics shortens l (see `refined`) where
    it has come to rest.

    Parameters
    ----------
    model : EnergyModel
        Only its energy is asked for by the dynamics. Where it has a gradient as well, that serves for polish and certificate.
    length : float
        The length l, in units of x.

    Raises
    ------
    TypeError
        If ``model`` is no model.
    ValueError
        If the length is not positive.

    References
    ----------
    Derivative-free saddle dynamics, arXiv 2601.02650.
    """

    model: EnergyModel
    length: float = 1e-2

    compiled: ClassVar[Kernels] = wrapper_kernels(_draw, _stochastic_gradient, _stochastic_hvp)

    def __post_init__(self) -> None:
        check_inner("model", self.model)
        if not (np.isfinite(self.length) and self.length > 0):
            raise ValueError(f"length: got {self.length!r}, expected a positive number, in units of x")

    @property
    def sample_size(self) -> int:
        """Length of a sample: the direction r (n,)."""
        return self.dim

    def _own_parameters(self) -> tuple[list[float], list[int]]:
        return [float(self.length)], []

    def refined(self) -> FunctionValues | None:
        """The same with a quarter of the length, whose bias is a sixteenth; None where round-off would outweigh that."""
        shorter = 0.25 * self.length
        return replace(self, length=shorter) if shorter >= SHORTEST else None

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """A random direction r (n,)."""
        return rng.standard_normal(self.dim)

    def _slope(self, x: np.ndarray, r: np.ndarray) -> float:
        return (self.model.energy(x + self.length * r) - self.model.energy(x - self.length * r)) / (2.0 * self.length)

    def stochastic_gradient(self, x: np.ndarray, sample: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """F(x, r, l), (n,)."""
        return np.multiply(self._slope(x, sample), sample, out=out)

    def stochastic_hvp(self, x: np.ndarray, v: np.ndarray, sample: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """The difference of F along v, (n,)."""
        far = self.length / float(np.linalg.norm(v))
        bend = (self._slope(x + far * v, sample) - self._slope(x - far * v, sample)) / (2.0 * far)
        return np.multiply(bend, sample, out=out)
