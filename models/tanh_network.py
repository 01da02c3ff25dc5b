"""A network with one hidden layer on Fisher's iris data: a small loss landscape with exact symmetries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import tanh
from typing import Any, ClassVar

import numpy as np
import scipy.optimize
from numba import njit

from saddlescape.kernels import Kernels, kernel
from saddlescape.stochastic import FiniteSum, finite_sum
from saddlescape.stochastic.finite_sum import N_TERMS, OWN, draw_rows
from saddlescape.symmetry import Symmetry

from .iris import FEATURES, N_FLOWERS, SPECIES, check_names, measurements, membership

_LARGEST_GROUP = 4
"""Up to this many hidden units all 2^p p! symmetries are listed, at most 384."""

# params[0]: decay, then inputs and targets of each flower; params[1] from OWN on: inputs d, hidden units p, outputs q.
# x: W (p, d), b (p), U (q, p), c (q); the network's answer is U tanh(W z + b) + c.


@njit(nogil=True, error_model="numpy")
def _layers(x, params):
    """W (p, d), b (p,), U (q, p), c (q,) in x."""
    d, p, q = params[1][OWN], params[1][OWN + 1], params[1][OWN + 2]
    first, second = p * d + p, p * d + p + q * p
    return x[: p * d].reshape(p, d), x[p * d : first], x[first:second].reshape(q, p), x[second:]


@njit(nogil=True, error_model="numpy")
def _batch_gradient(x, params, sample, out):
    """The loss over the rows of a sample (None: over all), with its gradient in ``out``."""
    floats, integers = params
    d, p, q = integers[OWN], integers[OWN + 1], integers[OWN + 2]
    count = integers[N_TERMS] if sample is None else sample.size
    w, b, u, c = _layers(x, params)
    out_w, out_b, out_u, out_c = _layers(out, params)
    out[:] = 0.0
    answer, back = np.empty(p), np.empty(p)
    squares = 0.0
    for k in range(count):
        row = k if sample is None else int(sample[k])
        data = floats[1 + row * (d + q) :]
        for j in range(p):
            argument = b[j]
            for i in range(d):
                argument += w[j, i] * data[i]
            answer[j], back[j] = tanh(argument), 0.0
        for o in range(q):
            error = c[o] - data[d + o]
            for j in range(p):
                error += u[o, j] * answer[j]
            squares += error * error
            out_c[o] += error
            for j in range(p):
                out_u[o, j] += error * answer[j]
                back[j] += error * u[o, j]
        for j in range(p):
            slope = back[j] * (1.0 - answer[j] * answer[j])
            out_b[j] += slope
            for i in range(d):
                out_w[j, i] += slope * data[i]
    weight, decay = 1.0 / count, floats[0]
    norm = 0.0
    for i in range(x.size):
        out[i] = weight * out[i] + decay * x[i]
        norm += x[i] * x[i]
    return 0.5 * (weight * squares + decay * norm)


@njit(nogil=True, error_model="numpy")
def _batch_hvp(x, v, params, sample, out):
    """The derivative of `_batch_gradient` along v; primes in the comments are derivatives along v."""
    floats, integers = params
    d, p, q = integers[OWN], integers[OWN + 1], integers[OWN + 2]
    count = integers[N_TERMS] if sample is None else sample.size
    w, b, u, c = _layers(x, params)
    v_w, v_b, v_u, v_c = _layers(v, params)
    out_w, out_b, out_u, out_c = _layers(out, params)
    out[:] = 0.0
    answer, answer_v, back, back_v = np.empty(p), np.empty(p), np.empty(p), np.empty(p)
    for k in range(count):
        row = k if sample is None else int(sample[k])
        data = floats[1 + row * (d + q) :]
        for j in range(p):
            argument, change = b[j], v_b[j]
            for i in range(d):
                argument += w[j, i] * data[i]
                change += v_w[j, i] * data[i]
            answer[j] = tanh(argument)
            answer_v[j] = (1.0 - answer[j] * answer[j]) * change
            back[j] = back_v[j] = 0.0
        for o in range(q):
            error, error_v = c[o] - data[d + o], v_c[o]
            for j in range(p):
                error += u[o, j] * answer[j]
                error_v += v_u[o, j] * answer[j] + u[o, j] * answer_v[j]
            out_c[o] += error_v
            for j in range(p):
                out_u[o, j] += error_v * answer[j] + error * answer_v[j]
                back[j] += error * u[o, j]
                back_v[j] += error_v * u[o, j] + error * v_u[o, j]
        for j in range(p):
            slope_v = back_v[j] * (1.0 - answer[j] * answer[j]) - 2.0 * back[j] * answer[j] * answer_v[j]
            out_b[j] += slope_v
            for i in range(d):
                out_w[j, i] += slope_v * data[i]
    weight, decay = 1.0 / count, floats[0]
    for i in range(x.size):
        out[i] = weight * out[i] + decay * v[i]


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
class TanhNetwork(FiniteSum):
    r"""The loss of a network with one hidden layer, which tells iris species by their measurements.

    .. math:: E = \frac{1}{2N} \sum_{i=1}^N |U \tanh(W z_i + b) + c - y_i|^2 + \frac\mu2 |x|^2

    with x = (W, b, U, c), matrices row-major; z_i are measurements of N = 150 flowers, scaled to mean 0 and variance 1, and the
    entries of y_i +1 where a flower belongs to a species and -1 where not. Weight decay, mu > 0, makes the energy coercive and
    its points isolated.

    Parameters
    ----------
    hidden : int
        Hidden units p.
    batch : int
        Flowers in a sample.
    decay : float
        mu.
    features : tuple of str
        Which of `FEATURES` are the inputs, d of them.
    species : tuple of str
        Which of `SPECIES` have an output, q of them. The default, one between the other two, takes two hidden units.
    replacement : bool
        Whether a flower may come twice in a sample.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    Hidden units can change places, and both signs of one can be flipped: 2^p p! symmetries, listed up to p = 4; beyond, the
    nearest image of a point is found by assignment, and the sizes of orbits are not counted.

    References
    ----------
    .. [1] R. A. Fisher, Annals of Eugenics 7 (1936) 179: the data.
    """

    hidden: int = 2
    batch: int = 10
    decay: float = 0.04
    features: tuple[str, ...] = ("petal length", "petal width")
    species: tuple[str, ...] = ("versicolor",)
    replacement: bool = False

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
        if not isinstance(self.hidden, (int, np.integer)) or self.hidden < 1:
            raise ValueError(f"hidden: got {self.hidden!r}, expected a positive integer")
        if not (np.isfinite(self.decay) and self.decay > 0):
            raise ValueError(f"decay: got {self.decay!r}, expected a positive number; without it the energy is not coercive")
        object.__setattr__(self, "features", check_names("features", self.features, FEATURES))
        object.__setattr__(self, "species", check_names("species", self.species, SPECIES))

    @property
    def dim(self) -> int:
        """Number of unknowns, p (d + 1) + q (p + 1)."""
        return sum(int(np.prod(shape)) for shape in self.field_shapes.values())

    @property
    def field_shapes(self) -> dict[str, tuple[int, ...]]:
        """How x splits into named fields: W (p, d), b (p,), U (q, p), c (q,)."""
        d, p, q = len(self.features), self.hidden, len(self.species)
        return {"W": (p, d), "b": (p,), "U": (q, p), "c": (q,)}

    def _own_parameters(self) -> tuple[Any, Any]:
        data = np.hstack([measurements(self.features), membership(self.species)])
        return np.concatenate([[self.decay], data.ravel()]), [len(self.features), self.hidden, len(self.species)]

    @cached_property
    def symmetry(self) -> Symmetry:
        """Permutations and sign flips of the hidden units."""
        if self.hidden > _LARGEST_GROUP:
            return Symmetry.by_matching(self.dim, self._nearest_image)
        number, generators = np.arange(self.dim), []
        units = [self._unit(number, j) for j in range(self.hidden)]
        for unit in units:
            sign = np.ones(self.dim)
            sign[unit] = -1.0
            generators.append((number, sign))
        for one, other in pairwise(units):
            swapped = number.copy()
            swapped[one], swapped[other] = other, one
            generators.append((swapped, 1.0))
        return Symmetry.generate(self.dim, generators)

    def _unit(self, x: np.ndarray, j: int) -> np.ndarray:
        """The weights of one hidden unit, (d + 1 + q,): a row of W, an entry of b, a column of U."""
        d, p, q = len(self.features), self.hidden, len(self.species)
        return np.concatenate([x[j * d : (j + 1) * d], x[p * d + j : p * d + j + 1], x[p * (d + 1) : p * (d + 1 + q)][j::p]])

    def _nearest_image(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The image of y (n,) that is nearest to x (n,): which unit goes where is a linear assignment."""
        units = [self._unit(y, j) for j in range(self.hidden)]
        products = np.array([[self._unit(x, i) @ unit for unit in units] for i in range(self.hidden)])
        _, chosen = scipy.optimize.linear_sum_assignment(-np.abs(products))
        image, number = y.copy(), np.arange(self.dim)
        for i, j in enumerate(chosen):
            image[self._unit(number, i)] = units[j] if products[i, j] >= 0.0 else -units[j]
        return image

    def default_start(self) -> np.ndarray:
        """All weights zero but c, the mean of the targets over 1 + mu: stationary, and fixed by every symmetry, (n,)."""
        start = np.zeros(self.dim)
        start[-len(self.species) :] = membership(self.species).mean(axis=0) / (1.0 + self.decay)
        return start
