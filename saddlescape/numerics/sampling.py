"""Stochastic derivatives: the estimates of a model, counted; means over fixed samples; what eigenvalues can be told from them."""

from __future__ import annotations

from collections.abc import Sequence
from math import erf, sqrt
from typing import Any

import numpy as np

from ..given import blank, filled
from ..model import EnergyModel
from .derivatives import Derivatives


class Estimates:
    """Stochastic derivatives of a model: its own, or by differences with one sample at both ends; every call is counted.

    Parameters
    ----------
    derivatives : Derivatives
        Where calls are counted, and whose metric serves.
    model : EnergyModel
        With ``draw`` and ``stochastic_gradient``.
    """

    def __init__(self, derivatives: Derivatives, model: EnergyModel):
        self.derivatives = derivatives
        self.model = model
        self.has_hvp = hasattr(model, "stochastic_hvp")

    @property
    def compiled(self) -> bool:
        """Whether the stepping functions can run compiled: kernels for the estimates, and no preconditioner but the mass."""
        kernels = self.model.kernels
        ready = kernels is not None and kernels.draw is not None and kernels.stochastic_gradient is not None
        return ready and self.derivatives.preconditioner is None

    def draw(self, rng: np.random.Generator) -> Any:
        """One sample."""
        return self.model.draw(rng)

    def gradient(self, x: np.ndarray, sample: Any, out: np.ndarray | None = None) -> np.ndarray:
        """The estimate of dE/dx that belongs to a sample, (n,)."""
        out = np.empty(x.size) if out is None else out
        self.derivatives.n_gradient += 1
        return filled(self.model.stochastic_gradient(x, sample, blank(out)), out, "stochastic_gradient")

    def hvp(self, x: np.ndarray, v: np.ndarray, sample: Any, out: np.ndarray | None = None) -> np.ndarray:
        """The estimate of H(x) v, (n,); without one of the model's own, by two gradients of the same sample."""
        out = np.empty(x.size) if out is None else out
        self.derivatives.n_hvp += 1
        if self.has_hvp:
            return filled(self.model.stochastic_hvp(x, v, sample, blank(out)), out, "stochastic_hvp")
        return filled(self.derivatives.difference(x, v, lambda y: self.gradient(y, sample)), out, "stochastic_gradient")

    def mean(self, rng: np.random.Generator, size: int) -> SampleMean:
        """The mean over so many fresh samples."""
        return SampleMean(self, [self.draw(rng) for _ in range(size)])


class SampleMean:
    """Derivatives of the energy averaged over fixed samples: deterministic, so that whatever asks for derivatives can use it.

    It has of `Derivatives` what measuring scales and eigenpairs takes.

    Parameters
    ----------
    estimates : Estimates
    samples : sequence
    """

    def __init__(self, estimates: Estimates, samples: Sequence[Any]):
        self.estimates = estimates
        self.samples = samples
        inner = estimates.derivatives
        self.dim, self.mass, self.preconditioner = inner.dim, inner.mass, inner.preconditioner
        self.solve, self.apply = inner.solve, inner.apply

    def gradients(self, x: np.ndarray) -> np.ndarray:
        """The gradient estimates that are finite, (m, n)."""
        return finite_rows([self.estimates.gradient(x, sample) for sample in self.samples])

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Their mean, (n,); NaN where there are none."""
        return _mean(self.gradients(x))

    def hvp(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Mean of the finite estimates of H(x) v, (n,); NaN where there are none."""
        return _mean(finite_rows([self.estimates.hvp(x, v, sample) for sample in self.samples]))

    def hvp_rows(self, x: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """`hvp` of each row of (k, n), (k, n)."""
        return np.array([self.hvp(x, v) for v in rows]).reshape(rows.shape)

    def finite(self, x: np.ndarray) -> bool:
        """Whether there are finite estimates of the gradient and of products at x (n,): else nothing can be measured there."""
        return bool(np.isfinite(self.gradient(x)).all() and np.isfinite(self.hvp(x, np.ones(self.dim))).all())

    def noise(self, x: np.ndarray) -> tuple[float, float]:
        """How the noise of a single gradient estimate at x (n,) moves x: the largest standard deviation of any entry of M^-1 g, and
        the mean |curvature| along these deviations, d.Hd / d.Md; zeros if fewer than two estimates are finite.
        """
        rows = self.gradients(x)
        if len(rows) < 2:
            return 0.0, 0.0
        with np.errstate(over="ignore", invalid="ignore"):  # far out; the search sees by itself that it has got nowhere
            deviations = self.solve(rows - rows.mean(axis=0))
            largest = float(np.std(deviations, axis=0, ddof=1).max())
            squares = float(np.sum(deviations * self.apply(deviations)))
            if not 0.0 < squares < np.inf:
                return 0.0, 0.0
            bend = float(np.sum([abs(np.dot(d, self.hvp(x, d))) for d in deviations])) / squares
        return largest, bend if np.isfinite(bend) else 0.0


def finite_rows(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Those that are finite, (m, n): estimates from bad samples are left out of every mean, as the dynamics rejects them."""
    stacked = np.array(rows)
    return stacked[np.isfinite(stacked).all(axis=1)]


def _mean(rows: np.ndarray) -> np.ndarray:
    return rows.mean(axis=0) if len(rows) else np.full(rows.shape[1], np.nan)


def mean_quotients(
    estimates: Estimates, x: np.ndarray, vectors: np.ndarray, rng: np.random.Generator, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Rayleigh quotients v.Hv of mass-orthonormal rows (m, n) and their standard errors (m,); NaN if fewer than two are finite.

    From fresh samples, independent of those that gave the vectors: eigenvalues of a mean of noisy matrices are pushed apart by the
    noise, quotients with vectors from other samples are not.
    """
    quotients = np.empty((size, len(vectors)))
    for row in quotients:
        sample = estimates.draw(rng)
        row[:] = [np.dot(v, estimates.hvp(x, v, sample)) for v in vectors]
    quotients = finite_rows(quotients)
    if len(quotients) < 2:
        return np.full(len(vectors), np.nan), np.full(len(vectors), np.nan)
    return quotients.mean(axis=0), quotients.std(axis=0, ddof=1) / sqrt(len(quotients))


def sign_confidence(values: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """Probability that the sign of each value (m,) with a normal error is right, (m,); 1/2 where nothing is known."""
    scores = np.abs(values) / np.maximum(errors, 1e-300)
    return np.array([0.5 if np.isnan(score) else 0.5 * (1.0 + erf(score / sqrt(2.0))) for score in scores])
