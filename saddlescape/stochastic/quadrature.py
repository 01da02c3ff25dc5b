"""Fields whose local term is evaluated on a random part of the nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..kernels import Kernels, estimate_at, hvp_estimate_at, kernel
from ..model import EnergyModel
from . import wrapped
from .wrapped import ADDRESSES, WEIGHTED_GRADIENT, WEIGHTED_HVP, Wrapped, check_inner, inner, wrapper_kernels

_ADDRESSES = (*ADDRESSES, "weighted_gradient", "weighted_hvp")
_KEPT = 2 + len(_ADDRESSES)  # where the integer parameters say how many nodes are kept


@kernel("draw")
def _draw(params, rng, sample):
    """Selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2 S): exactly so many nodes, all subsets alike."""
    nodes, left = sample.size, params[1][_KEPT]
    weight = nodes / left
    for i in range(nodes):
        if rng.random() * (nodes - i) < left:
            sample[i] = weight
            left -= 1
        else:
            sample[i] = 0.0


@kernel("stochastic_gradient", uses=(wrapped,))
def _stochastic_gradient(x, params, sample, out):
    estimate_at(params[1][WEIGHTED_GRADIENT])(x, inner(params), sample, out)


@kernel("stochastic_hvp", uses=(wrapped,))
def _stochastic_hvp(x, v, params, sample, out):
    hvp_estimate_at(params[1][WEIGHTED_HVP])(x, v, inner(params), sample, out)


@dataclass(frozen=True)
class RandomQuadrature(Wrapped):
    """A field whose stochastic derivatives take the elastic part exactly and the local term on a random part of the nodes.

    Parameters
    ----------
    model : EnergyModel
        A field with ``n_nodes`` and the kernels ``weighted_gradient`` and ``weighted_hvp``, or methods of these names:
        ``weighted_gradient(x, weights, out=None)`` is dE/dx with the local term at each node times its weight (nodes,).
    fraction : float
        Part q of the nodes, 0 < q <= 1: exactly round(q nodes) of them (at least one), drawn without replacement, each with
        weight nodes / round(q nodes).

    Raises
    ------
    TypeError
        If ``model`` is no model, or one without weighted derivatives.
    ValueError
        If the fraction is out of its range.
    """

    model: EnergyModel
    fraction: float = 0.5

    compiled: ClassVar[Kernels] = wrapper_kernels(_draw, _stochastic_gradient, _stochastic_hvp)
    addresses: ClassVar[tuple[str, ...]] = _ADDRESSES

    def __post_init__(self) -> None:
        check_inner("model", self.model)
        for name in ("n_nodes", "weighted_gradient", "weighted_hvp"):
            if not hasattr(self.model, name):
                raise TypeError(
                    f"model: {type(self.model).__name__} has no {name}; random quadrature needs a field whose local term can be "
                    "weighted, such as PhaseField or ReducedLandauDeGennes"
                )
        if not 0 < self.fraction <= 1:
            raise ValueError(f"fraction: got {self.fraction!r}, expected the part of the nodes that is kept, in (0, 1]")

    @property
    def sample_size(self) -> int:
        """Length of a sample: one weight for each node."""
        return self.model.n_nodes

    @property
    def kept(self) -> int:
        """How many nodes a sample keeps."""
        return max(1, round(self.fraction * self.sample_size))

    def _own_parameters(self) -> tuple[list[float], list[int]]:
        return [], [self.kept]

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """The weights of one sample, (nodes,)."""
        weights = np.empty(self.sample_size)
        _draw((np.empty(0), np.full(_KEPT + 1, self.kept)), rng, weights)
        return weights

    def stochastic_gradient(self, x: np.ndarray, sample: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """dE/dx with the local term at the sampled nodes only, (n,)."""
        return self.model.weighted_gradient(x, sample, out)

    def stochastic_hvp(self, x: np.ndarray, v: np.ndarray, sample: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """H(x) v with the local term at the sampled nodes only, (n,)."""
        return self.model.weighted_hvp(x, v, sample, out)
