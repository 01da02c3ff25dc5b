"""Additive noise on the derivatives of any model."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from ..kernels import Kernels, gradient_at, hvp_at, kernel
from ..model import EnergyModel
from . import wrapped
from .wrapped import GRADIENT, HVP, Wrapped, check_inner, inner, wrapper_kernels


@kernel("draw")
def _draw(params, rng, sample):
    for i in range(sample.size):
        sample[i] = rng.standard_normal()


@kernel("stochastic_gradient", uses=(wrapped,))
def _stochastic_gradient(x, params, sample, out):
    gradient_at(params[1][GRADIENT])(x, inner(params), out)
    for i in range(out.size):
        out[i] += params[0][0] * sample[i]


@kernel("stochastic_hvp", uses=(wrapped,))
def _stochastic_hvp(x, v, params, sample, out):
    hvp_at(params[1][HVP])(x, v, inner(params), out)
    n = out.size
    if sample.size == n:
        return
    a, b = sample[n : 2 * n], sample[2 * n :]
    along_a = along_b = 0.0
    for i in range(n):
        along_a += a[i] * v[i]
        along_b += b[i] * v[i]
    size = params[0][1] * sqrt(0.5)
    for i in range(n):
        out[i] += size * (a[i] * along_b + b[i] * along_a)


@dataclass(frozen=True)
class NoisyModel(Wrapped):
    """A model whose derivatives are measured with additive noise.

    The gradient comes with independent Gaussian noise on every entry; the Hessian with the symmetric matrix
    s (a b^T + b a^T) / sqrt(2), a and b standard normal: its entries have mean zero and standard deviation s (sqrt(2) s on the
    diagonal) and are uncorrelated, as those of the Gaussian orthogonal ensemble, but it takes 2 n random numbers instead of
    n (n + 1) / 2, in any dimension.

    Parameters
    ----------
    model : EnergyModel
        Its exact derivatives remain those of the noisy model, for polish and certificate.
    gradient_noise : float
        Standard deviation of each entry of the gradient, in units of dE/dx.
    hessian_noise : float
        Standard deviation s of the entries of the Hessian.

    Raises
    ------
    TypeError
        If ``model`` is no model.
    ValueError
        If a standard deviation is negative or not finite.
    """

    model: EnergyModel
    gradient_noise: float = 1.0
    hessian_noise: float = 0.0

    compiled: ClassVar[Kernels] = wrapper_kernels(_draw, _stochastic_gradient, _stochastic_hvp)

    def __post_init__(self) -> None:
        check_inner("model", self.model)
        for name in ("gradient_noise", "hessian_noise"):
            value = getattr(self, name)
            if not isinstance(value, (int, float, np.number)) or not 0 <= value < np.inf:
                raise ValueError(f"{name}: got {value!r}, expected a standard deviation, a number of at least 0")

    @property
    def sample_size(self) -> int:
        """Length of a sample: the noise of the gradient (n,), then a (n,) and b (n,) if the Hessian is noisy."""
        return self.dim if self.hessian_noise == 0 else 3 * self.dim

    def _own_parameters(self) -> tuple[list[float], list[int]]:
        return [float(self.gradient_noise), float(self.hessian_noise)], []

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """The standard normal numbers of one sample, (sample_size,)."""
        return rng.standard_normal(self.sample_size)

    def stochastic_gradient(self, x: np.ndarray, sample: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """dE/dx with noise, (n,)."""
        out = np.empty(self.dim) if out is None else out
        out[:] = self.model.gradient(x)
        out += self.gradient_noise * sample[: self.dim]
        return out

    @property
    def stochastic_hvp(self):
        """``stochastic_hvp(x, v, sample, out=None) -> (n,)``, where the inner model has products; else differences serve."""
        if not hasattr(self.model, "hvp"):
            raise AttributeError(f"{type(self.model).__name__} has no hvp to which noise could be added")
        return self._noisy_hvp

    def _noisy_hvp(self, x: np.ndarray, v: np.ndarray, sample: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        out = np.empty(self.dim) if out is None else out
        out[:] = self.model.hvp(x, v)
        if self.hessian_noise:
            a, b = sample[self.dim :].reshape(2, -1)
            out += self.hessian_noise * sqrt(0.5) * (np.dot(b, v) * a + np.dot(a, v) * b)
        return out
