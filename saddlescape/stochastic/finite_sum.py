"""Energies that are means of many terms, estimated by mini-batches."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from ..given import blank, filled
from ..kernels import kernel
from ..model import EnergyModel

N_TERMS, _REPLACEMENT, OWN = range(3)
"""The integer parameters of the kernels: the number of terms, whether rows may repeat; those of a subclass begin at ``OWN``."""


@kernel("draw")
def draw_rows(params, rng, sample):
    """The numbers of the terms in one mini-batch, as floats: the kernel ``draw`` of every `FiniteSum`.

    Without replacement: Floyd's algorithm (R. W. Floyd, Comm. ACM 30 (1987) 754), one random number for each row.
    """
    n_terms, replacement = params[1][N_TERMS], params[1][_REPLACEMENT]
    for i in range(sample.size):
        last = n_terms - 1 if replacement else n_terms - sample.size + i
        row = float(rng.integers(0, last + 1))
        if not replacement:
            repeated = False
            for k in range(i):  # without a way out, so that it runs in vector registers
                repeated |= sample[k] == row
            if repeated:
                row = float(last)
        sample[i] = row


class FiniteSum(EnergyModel):
    r"""An energy that is the mean of many terms, estimated from a few of them drawn at random.

    .. math:: E(x) = \frac1N \sum_{i=1}^N E_i(x)

    Derive a frozen dataclass with ``dim``, ``n_terms`` and the mean of any given terms:

    * ``batch_energy(x, rows) -> float``,
    * ``batch_gradient(x, rows, out=None) -> (n,)``,
    * ``batch_hvp(x, v, rows, out=None) -> (n,)``, optional: differences of gradients take its place,

    ``rows`` being an int array of term numbers, 0 to N - 1. What depends on no data, a weight decay say, is added to all three.
    Energy, gradient and product are those of all rows, their stochastic estimates those of a sample.

    A compiled subclass gives ``kernels`` instead, with `draw_rows` as ``draw``, and its parameters by ``_own_parameters``: the
    floats, and the integers that kernels find from ``params[1][OWN]`` on (before them ``params[1][N_TERMS]``). Its sample holds
    the row numbers as floats.

    Attributes
    ----------
    n_terms : int
        Number of terms N.
    batch : int
        How many terms a sample has; a field of the subclass, like ``replacement``.
    replacement : bool
        Whether a term may come twice in a sample. Without (the default) the estimates are less noisy by the factor
        (N - batch) / (N - 1) in variance.

    Raises
    ------
    ValueError
        If ``batch`` is not a positive integer, or larger than the data without replacement.
    """

    n_terms: int
    batch: int = 1
    replacement: bool = False

    def __post_init__(self) -> None:
        for name, value in (("n_terms", self.n_terms), ("batch", self.batch)):
            if not isinstance(value, (int, np.integer)) or value < 1:
                raise ValueError(f"{name}: got {value!r}, expected a positive integer")
        if self.batch > self.n_terms and not self.replacement:
            raise ValueError(
                f"batch: got {self.batch} of {self.n_terms} terms, expected at most all of them; "
                "with replacement=True a sample may be larger"
            )

    @property
    def sample_size(self) -> int:
        """Length of a sample: one row number for each term of the batch."""
        return self.batch

    def _own_parameters(self) -> tuple[Any, Any]:
        return (), ()

    def _parameters(self) -> tuple[Any, Any]:
        floats, integers = self._own_parameters()
        return floats, [self.n_terms, int(self.replacement), *integers]

    @cached_property
    def _all_rows(self) -> np.ndarray:
        return np.arange(self.n_terms)

    def batch_energy(self, x: np.ndarray, rows: np.ndarray) -> float:
        """Mean of the terms with these numbers at x (n,); rows (b,) int array."""
        raise NotImplementedError(_MISSING.format(type(self).__name__, "batch_energy(x, rows)"))

    def batch_gradient(self, x: np.ndarray, rows: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Derivative (n,) of the mean of the terms with these numbers."""
        raise NotImplementedError(_MISSING.format(type(self).__name__, "batch_gradient(x, rows, out=None)"))

    def energy(self, x: np.ndarray) -> float:
        """E(x) for x (n,), all terms."""
        return super().energy(x) if self.kernels is not None else float(self.batch_energy(x, self._all_rows))

    def gradient(self, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """dE/dx (n,) at x (n,), all terms."""
        return super().gradient(x, out) if self.kernels is not None else self._mean_gradient(x, self._all_rows, out)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """The row numbers of one sample, (batch,), as floats."""
        sample = np.empty(self.batch)
        draw_rows(self.params, rng, sample)
        return sample

    def stochastic_gradient(self, x: np.ndarray, sample: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """The mean of dE_i/dx over the terms of a sample, (n,)."""
        if self.kernels is not None:
            return self._gradient_estimate("stochastic_gradient")(x, sample, out)
        return self._mean_gradient(x, sample.astype(np.intp), out)

    def __getattr__(self, name: str) -> Any:
        # Products are there if the subclass has them, by its kernels or by batch_hvp; else differences of gradients serve.
        if name in ("hvp", "stochastic_hvp") and self.kernels is None and hasattr(type(self), "batch_hvp"):
            return self._all_hvp if name == "hvp" else self._sampled_hvp
        return super().__getattr__(name)

    def _all_hvp(self, x: np.ndarray, v: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        return self._mean_hvp(x, v, self._all_rows, out)

    def _sampled_hvp(self, x: np.ndarray, v: np.ndarray, sample: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        return self._mean_hvp(x, v, sample.astype(np.intp), out)

    def _mean_gradient(self, x: np.ndarray, rows: np.ndarray, out: np.ndarray | None) -> np.ndarray:
        out = np.empty(self.dim) if out is None else out
        return filled(self.batch_gradient(x, rows, blank(out)), out, "batch_gradient")

    def _mean_hvp(self, x: np.ndarray, v: np.ndarray, rows: np.ndarray, out: np.ndarray | None) -> np.ndarray:
        out = np.empty(self.dim) if out is None else out
        return filled(self.batch_hvp(x, v, rows, blank(out)), out, "batch_hvp")


_MISSING = "{} has neither kernels nor {}: give it the mean of the terms with these row numbers"
