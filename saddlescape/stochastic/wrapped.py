"""What the sources made from another model share."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ..kernels import Kernels, energy_at, energy_gradient_at, gradient_at, helper, hvp_at, kernel
from ..model import EnergyModel

# Integer parameters of a wrapper: how many floats and integers come before those of the inner model, the addresses of its kernels,
# then the wrapper's own ones.
ENERGY, ENERGY_GRADIENT, GRADIENT, HVP, WEIGHTED_GRADIENT, WEIGHTED_HVP = range(2, 8)
ADDRESSES = ("energy", "energy_gradient", "gradient", "hvp")


@helper
def inner(params):
    """The parameters of the inner model."""
    return params[0][params[1][0] :], params[1][params[1][1] :]


@kernel("energy")
def _energy(x, params):
    return energy_at(params[1][ENERGY])(x, inner(params))


@kernel("energy_gradient")
def _energy_gradient(x, params, out):
    return energy_gradient_at(params[1][ENERGY_GRADIENT])(x, inner(params), out)


@kernel("gradient")
def _gradient(x, params, out):
    gradient_at(params[1][GRADIENT])(x, inner(params), out)


@kernel("hvp")
def _hvp(x, v, params, out):
    hvp_at(params[1][HVP])(x, v, inner(params), out)


def wrapper_kernels(draw: Any, stochastic_gradient: Any, stochastic_hvp: Any) -> Kernels:
    """The kernels of a wrapper: those of the inner model, called by their addresses, and the stochastic ones given."""
    return Kernels(_energy, _energy_gradient, _gradient, _hvp, draw, stochastic_gradient, stochastic_hvp)


class Wrapped(EnergyModel):
    """A model made from another one, ``model``: it has all its members, and those that a subclass adds.

    The kernels of a subclass call those of the inner model by their addresses, so nothing is compiled for the pair.
    """

    model: EnergyModel

    compiled: ClassVar[Kernels]
    addresses: ClassVar[tuple[str, ...]] = ADDRESSES

    @property
    def dim(self) -> int:
        """Number of unknowns n."""
        return self.model.dim

    @property
    def mass(self) -> float | np.ndarray:
        """The inner product."""
        return self.model.mass

    @property
    def symmetry(self) -> Any:
        """The group modulo which points are merged."""
        return self.model.symmetry

    @property
    def coercive(self) -> bool | None:
        """Whether the Euler check applies."""
        return self.model.coercive

    @property
    def start_names(self) -> tuple[str, ...]:
        """The names of the starts."""
        return self.model.start_names

    def default_start(self) -> np.ndarray:
        """Where a search starts when no start is given, (n,)."""
        return self.model.default_start()

    def start(self, name: str) -> np.ndarray:
        """The start called ``name``, (n,)."""
        return self.model.start(name)

    def energy(self, x: np.ndarray) -> float:
        """E(x) for x (n,)."""
        return self.model.energy(x)

    def gradient(self, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """dE/dx (n,) at x (n,)."""
        return self.model.gradient(x, out)

    def energy_gradient(self, x: np.ndarray, out: np.ndarray) -> float:
        """E(x), with dE/dx written into ``out`` (n,)."""
        return self.model.energy_gradient(x, out)

    @property
    def deterministic(self) -> bool:
        """Whether the inner model has an exact gradient."""
        return self.model.deterministic

    @cached_property
    def kernels(self) -> Kernels | None:
        """Compiled functions, where the inner model has them."""
        inner = self.model.kernels
        available = inner is not None and all(getattr(inner, role) is not None for role in self.addresses)
        return self.compiled if available else None

    def _own_parameters(self) -> tuple[list[float], list[int]]:
        return [], []

    def _parameters(self) -> tuple[Any, Any]:
        floats, integers = self._own_parameters()
        addresses = [self.model.kernels.pointer(role).address for role in self.addresses]
        own = [len(floats), 2 + len(addresses) + len(integers), *addresses, *integers]
        return np.concatenate([floats, self.model.params[0]]), np.concatenate([own, self.model.params[1]]).astype(np.int64)

    def __getattr__(self, name: str) -> Any:
        # What is not defined here is the inner model's; names with underscores are asked for while an object is still being made.
        if name.startswith("_") or "model" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return getattr(self.model, name)


def check_inner(argument: str, model: Any) -> None:
    """Check that a source is made from a model.

    Raises
    ------
    TypeError
        If it is not.
    """
    if not isinstance(model, EnergyModel):
        got = f"the class {model.__name__}" if isinstance(model, type) else f"{type(model).__name__}"
        raise TypeError(f"{argument}: got {got}, expected an energy model; see as_model for plain functions")
