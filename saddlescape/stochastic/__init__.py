"""Sources of stochastic derivatives: noise, mini-batches, random quadrature, function values alone.

Each is a model like any other: it keeps the deterministic members of the model it is made from, and adds ``draw(rng) -> sample``,
``stochastic_gradient(x, sample, out=None)`` and ``stochastic_hvp(x, v, sample, out=None)``, unbiased estimates. One sample serves
any number of estimates, both ends of a finite difference among them.
"""

from .finite_sum import FiniteSum
from .noise import NoisyModel
from .quadrature import RandomQuadrature
from .values import FunctionValues

__all__ = ["FiniteSum", "FunctionValues", "NoisyModel", "RandomQuadrature"]
