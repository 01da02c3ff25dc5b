"""A straight line through Fisher's iris data by a loss that forgives outliers: several lines are locally best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numba import njit

from saddlescape.kernels import Kernels, kernel
from saddlescape.stochastic import FiniteSum, finite_sum
from saddlescape.stochastic.finite_sum import N_TERMS, OWN, draw_rows

from .iris import FEATURES, N_FLOWERS, check_names, measurements

# params[0]: cutoff^2, decay, then features and target of each flower; params[1][OWN]: number of features d.
# x: slopes (d), intercept.


@njit(nogil=True, error_model="numpy")
def _along(x, data, constant):
    """x_1 z_1 + ... + x_d z_d + constant x_(d+1)."""
    total = constant * x[x.size - 1]
    for i in range(x.size - 1):
        total += x[i] * data[i]
    return total


@njit(nogil=True, error_model="numpy")
def _batch_gradient(x, params, sample, out):
    """The loss over the rows of a sample (None: over all), with its gradient in ``out``."""
    floats, integers = params
    d, c2, decay = integers[OWN], floats[0], floats[1]
    count = integers[N_TERMS] if sample is None else sample.size
    out[:] = 0.0
    loss = norm = 0.0
    for k in range(count):
        row = k if sample is None else int(sample[k])
        data = floats[2 + row * (d + 1) :]
        error = _along(x, data, 1.0) - data[d]
        q = 1.0 / (1.0 + error * error / c2)
        loss += error * error * q
        slope = error * q * q
        for i in range(d):
            out[i] += slope * data[i]
        out[d] += slope
    for i in range(x.size):
        out[i] = out[i] / count + decay * x[i]
        norm += x[i] * x[i]
    return 0.5 * (loss / count + decay * norm)


@njit(nogil=True, error_model="numpy")
def _batch_hvp(x, v, params, sample, out):
    """The derivative of `_batch_gradient` along v."""
    floats, integers = params
    d, c2, decay = integers[OWN], floats[0], floats[1]
    count = integers[N_TERMS] if sample is None else sample.size
    out[:] = 0.0
    for k in range(count):
        row = k if sample is None else int(sample[k])
        data = floats[2 + row * (d + 1) :]
        square = (_along(x, data, 1.0) - data[d]) ** 2 / c2
        change = (1.0 - 3.0 * square) / (1.0 + square) ** 3 * _along(v, data, 1.0)
        for i in range(d):
            out[i] += change * data[i]
        out[d] += change
    for i in range(x.size):
        out[i] = out[i] / count + decay * v[i]


@kernel("energy", uses=(finite_sum,))
def _energy(x, params):
    return _batch_gradient(x, params, None, np.empty_like(x))


@kernel("energy_gradient", uses=(finite_sum,))
def _energy_gradient(x, params, out):
    return _batch_gradient(x, params, None, out)


@kernel("gradient", uses=(finite_sum,))
def _gradient(x, params, out):
    _batch_gradient(x, params, None, out)


@kernel("hvp", uses=(finite_sum,))
def _hvp(x, v, params, out):
    _batch_hvp(x, v, params, None, out)


@kernel("stochastic_gradient", uses=(finite_sum,))
def _stochastic_gradient(x, params, sample, out):
    _batch_gradient(x, params, sample, out)


@kernel("stochastic_hvp", uses=(finite_sum,))
def _stochastic_hvp(x, v, params, sample, out):
    _batch_hvp(x, v, params, sample, out)


@dataclass(frozen=True)
class RobustRegression(FiniteSum):
    r"""One measurement of the iris flowers as a linear function of others, by the loss of Geman and McClure.

    .. math:: E = \frac{1}{2N} \sum_{i=1}^N \frac{r_i^2}{1 + r_i^2 / c^2} + \frac\mu2 |x|^2, \quad r_i = w \cdot z_i + b - y_i

    with x = (w, b); all measurements of the N = 150 flowers are scaled to mean 0 and variance 1. A flower far off the line costs
    c^2 / 2 at most, so several lines may be locally best: by default one through all flowers, which falls, one through setosa
    alone, and one through the two other species, which rises. The decay mu > 0 makes the energy coercive.

    Parameters
    ----------
    cutoff : float
        c, in standard deviations of the target.
    batch : int
        Flowers in a sample.
    decay : float
        mu.
    features : tuple of str
        Which of `FEATURES` are given, d of them.
    target : str
        The one that they are to predict.
    replacement : bool
        Whether a flower may come twice in a sample.

    Attributes
    ----------
    box : ((float, float), (float, float))
        Ranges of slope and intercept that show the whole landscape of one feature.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    References
    ----------
    .. [1] S. Geman, D. E. McClure, Bull. Int. Stat. Inst. 52 (1987) 5: the loss.
    .. [2] R. A. Fisher, Annals of Eugenics 7 (1936) 179: the data.
    """

    cutoff: float = 0.5
    batch: int = 10
    decay: float = 0.001
    features: tuple[str, ...] = ("sepal width",)
    target: str = "petal length"
    replacement: bool = False

    box: ClassVar[tuple[tuple[float, float], tuple[float, float]]] = ((-1.6, 1.8), (-1.8, 1.4))
    n_terms: ClassVar[int] = N_FLOWERS
    coercive: ClassVar[bool] = True
    kernels: ClassVar[Kernels] = Kernels(
        energy=_energy,
        energy_gradient=_energy_gradient,
        gradient=_gradient,
        hvp=_hvp,
        draw=draw_rows,
        stochastic_gradient=_stochastic_gradient,
        stochastic_hvp=_stochastic_hvp,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("cutoff", "decay"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name}: got {value!r}, expected a positive number")
        object.__setattr__(self, "features", check_names("features", self.features, FEATURES))
        others = tuple(name for name in FEATURES if name not in self.features)
        if self.target not in others:
            raise ValueError(f"target: got {self.target!r}, expected one of {others}, which are not among the features")

    @property
    def dim(self) -> int:
        """Number of unknowns: a slope for each feature, and the intercept."""
        return len(self.features) + 1

    def _own_parameters(self) -> tuple[Any, Any]:
        data = measurements((*self.features, self.target))
        return np.concatenate([[self.cutoff**2, self.decay], data.ravel()]), [len(self.features)]

    def default_start(self) -> np.ndarray:
        """The least-squares fit, (d + 1,): where all flowers count alike."""
        data = measurements((*self.features, self.target))
        return np.append(np.linalg.lstsq(data[:, :-1], data[:, -1])[0], 0.0)
