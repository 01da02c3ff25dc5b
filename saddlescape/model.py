"""The model contract: what an energy is, and how plain functions become one."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .given import as_number, blank, check_dim, filled, nearest, returned

if TYPE_CHECKING:
    from .kernels import Kernels
    from .symmetry import Symmetry


_GRADIENT_ESTIMATES = ("stochastic_gradient", "weighted_gradient")
_HVP_ESTIMATES = ("stochastic_hvp", "weighted_hvp")


class EnergyModel:
    """An energy E on R^n: subclass it as a small frozen dataclass of parameters.

    A model has ``dim`` and either ``kernels`` (compiled functions, with ``params``) or its own ``energy`` and ``gradient``.
    Points ``x`` are one-dimensional, float64, C-contiguous, and never modified by a model.

    Optional members, found by name; leave out what you do not have:

    * ``hvp(x, v, out=None) -> (n,)``: Hessian-vector product. Missing: products with ``hessian(x)`` if there is one, else central
      differences of gradients (dimer).
    * ``hessian(x)``: dense (n, n) array or ``scipy.sparse`` matrix (CSC preferred), symmetric.
    * ``preconditioner(x) -> object`` with ``solve(r, out=None)`` = M^-1 r and ``apply(v, out=None)`` = M v, M symmetric positive
      definite; both accept (n,) or rows (k, n).
    * ``zero_modes(x) -> (m, n)``: generators of the continuous symmetries at x.
    * ``draw(rng) -> sample``, ``stochastic_gradient(x, sample, out=None)``, ``stochastic_hvp(x, v, sample, out=None)``: unbiased
      estimates; one sample serves any number of them. Kernels of these names do, with ``sample_size``, the length of a sample.
      Missing ``stochastic_hvp``: differences of gradients with one sample at both ends. A model may have these alone, without
      ``energy`` and ``gradient``: it can be searched (`SHiSD`), and what is found is an estimate with its error bar.
    * ``unpack(x) -> dict``: named arrays for plotting, see `saddlescape.plotting`.
    * ``state_name(x) -> str | None``: what the field calls a state; pathway maps, ``info`` and exports show it.
    * ``start(name) -> (n,)`` and ``default_start() -> (n,)``; ``start_names`` lists the names.

    Attributes
    ----------
    dim : int
        Number of unknowns n.
    mass : float or (n,) array
        The inner product in which gradient norms, frames and eigenvalues are reported. Default 1.
    symmetry : Symmetry or None
    coercive : bool or None
        Whether E grows without bound in every direction, so that the Euler check applies; None: not known.
    kernels : Kernels or None
    """

    dim: int
    mass: float | np.ndarray = 1.0
    symmetry: Symmetry | None = None
    coercive: bool | None = None
    kernels: Kernels | None = None
    start_names: tuple[str, ...] = ()
    sample_size: int = 0

    @property
    def deterministic(self) -> bool:
        """Whether there is an exact gradient, not stochastic estimates alone."""
        return getattr(self.kernels, "gradient", None) is not None or type(self).gradient is not EnergyModel.gradient

    def _parameters(self) -> tuple[Any, Any]:
        """The parameters of the kernels: a sequence of floats and a sequence of ints."""
        return (), ()

    @cached_property
    def params(self) -> tuple[np.ndarray, np.ndarray]:
        """What the kernels receive: ``(float64[::1], int64[::1])``."""
        floats, integers = self._parameters()
        return (
            np.ascontiguousarray(floats, dtype=np.float64).ravel(),
            np.ascontiguousarray(integers, dtype=np.int64).ravel(),
        )

    def energy(self, x: np.ndarray) -> float:
        """E(x) for x (n,)."""
        return self.kernels.energy(x, self.params)

    def gradient(self, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """dE/dx (n,) at x (n,)."""
        out = np.empty(self.dim) if out is None else out
        self.kernels.gradient(x, self.params, out)
        return out

    def energy_gradient(self, x: np.ndarray, out: np.ndarray) -> float:
        """E(x), with dE/dx written into ``out`` (n,)."""
        if getattr(self.kernels, "energy_gradient", None) is not None:
            return self.kernels.energy_gradient(x, self.params, out)
        filled(self.gradient(x, blank(out)), out, "gradient")
        return as_number(self.energy(x), "energy")

    def __getattr__(self, name: str) -> Any:
        # What comes with the kernels must look absent without them, so that something else takes over.
        if name in ("hvp", "draw", *_GRADIENT_ESTIMATES, *_HVP_ESTIMATES) and getattr(self.kernels, name, None) is not None:
            if name in _GRADIENT_ESTIMATES:
                return self._gradient_estimate(name)
            return self._hvp_estimate(name) if name in _HVP_ESTIMATES else getattr(self, f"_compiled_{name}")
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def _compiled_hvp(self, x: np.ndarray, v: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        out = np.empty(self.dim) if out is None else out
        self.kernels.hvp(x, v, self.params, out)
        return out

    def _compiled_draw(self, rng: np.random.Generator) -> np.ndarray:
        sample = np.empty(self.sample_size)
        self.kernels.draw(self.params, rng, sample)
        return sample

    def _gradient_estimate(self, role: str) -> Callable[..., np.ndarray]:
        def estimate(x: np.ndarray, sample: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
            out = np.empty(self.dim) if out is None else out
            getattr(self.kernels, role)(x, self.params, sample, out)
            return out

        return estimate

    def _hvp_estimate(self, role: str) -> Callable[..., np.ndarray]:
        def estimate(x: np.ndarray, v: np.ndarray, sample: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
            out = np.empty(self.dim) if out is None else out
            getattr(self.kernels, role)(x, v, self.params, sample, out)
            return out

        return estimate

    def default_start(self) -> np.ndarray:
        """Where a search starts when no start is given, (n,)."""
        raise ValueError(f"{type(self).__name__} has no default start: pass start=... (an array of shape ({self.dim},))")

    def start(self, name: str) -> np.ndarray:
        """The start called ``name``, (n,)."""
        near = nearest(name, list(self.start_names))
        raise ValueError(f"start: {type(self).__name__} knows no start named {name!r}{near}; it knows {list(self.start_names)}")

    def __getstate__(self) -> dict[str, Any]:
        # Only the parameters travel: what was derived from them is rebuilt where the model arrives.
        if dataclasses.is_dataclass(self):
            return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


@dataclasses.dataclass(frozen=True, eq=False)
class FunctionModel(EnergyModel):
    """An energy given by plain functions; see `as_model`."""

    dim: int
    energy_function: Callable[[np.ndarray], float]
    gradient_function: Callable[[np.ndarray], np.ndarray]
    hvp_function: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    hessian_function: Callable[[np.ndarray], Any] | None = None
    mass: float | np.ndarray = 1.0
    symmetry: Symmetry | None = None
    coercive: bool | None = None

    def energy(self, x: np.ndarray) -> float:
        """E(x) for x (n,)."""
        return as_number(self.energy_function(x), "energy")

    def gradient(self, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """dE/dx (n,) at x (n,)."""
        return returned(self.gradient_function(x), out, self.dim, "gradient")

    def __getattr__(self, name: str) -> Any:
        if name == "hvp" and self.hvp_function is not None:
            return self._hvp
        if name == "hessian" and self.hessian_function is not None:
            return self.hessian_function
        raise AttributeError(f"this model has no {name!r}: pass it to as_model")

    def _hvp(self, x: np.ndarray, v: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        return returned(self.hvp_function(x, v), out, self.dim, "hvp")


def as_model(
    energy: Callable[[np.ndarray], float],
    gradient: Callable[[np.ndarray], np.ndarray],
    dim: int,
    *,
    hvp: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
    hessian: Callable[[np.ndarray], Any] | None = None,
    mass: float | np.ndarray = 1.0,
    symmetry: Symmetry | None = None,
    coercive: bool | None = None,
) -> EnergyModel:
    """Make a model from plain functions.

    Parameters
    ----------
    energy : callable
        ``energy(x) -> float`` for x (n,).
    gradient : callable
        ``gradient(x) -> (n,)``, dE/dx.
    dim : int
        Number of unknowns n.
    hvp : callable, optional
        ``hvp(x, v) -> (n,)``, the Hessian-vector product. Without it: products with ``hessian(x)`` if that is given, else
        central differences of gradients.
    hessian : callable, optional
        ``hessian(x)``, dense (n, n) or ``scipy.sparse``.
    mass, symmetry, coercive
        See `EnergyModel`.

    Raises
    ------
    TypeError
        If a function is not callable.
    ValueError
        If ``dim`` is not a positive integer.

    Notes
    -----
    A landscape file remembers such a model by name only: to resume, pass the model again. To run on several worker
    processes the functions must be importable (defined at the top of a module, no lambdas).
    """
    for name, function in (("energy", energy), ("gradient", gradient), ("hvp", hvp), ("hessian", hessian)):
        if not (callable(function) or (function is None and name in ("hvp", "hessian"))):
            raise TypeError(f"{name}: got {type(function).__name__}, expected a function")
    check_dim(dim)
    return FunctionModel(int(dim), energy, gradient, hvp, hessian, mass, symmetry, coercive)


_NEEDED = ("dim", "energy", "gradient", "energy_gradient", "mass", "symmetry", "coercive", "kernels")
# How the library calls what a model computes.
_CALLED = {
    "energy": "x",
    "gradient": "x, out=None",
    "energy_gradient": "x, out",
    "hvp": "x, v, out=None",
    "hessian": "x",
    "preconditioner": "x",
    "zero_modes": "x",
    "draw": "rng",
    "stochastic_gradient": "x, sample, out=None",
    "stochastic_hvp": "x, v, sample, out=None",
}


def check_is_model(model: Any, *, estimates: bool = False) -> None:
    """Check at the door that something is a model, before it fails deep inside a search; nothing is evaluated.

    Parameters
    ----------
    model : anything
    estimates : bool
        Whether a model with stochastic derivatives alone will do.

    Raises
    ------
    TypeError
        If it is a class, lacks a member, or a function of it does not take the arguments it will be called with.
    ValueError
        If ``dim`` is not a positive integer.
    """
    if isinstance(model, type):
        raise TypeError(f"model: got the class {model.__name__}, expected an object: {model.__name__}(...)")
    stochastic = isinstance(model, EnergyModel) and hasattr(model, "draw") and hasattr(model, "stochastic_gradient")
    for name in _NEEDED:
        if stochastic and estimates and name in ("energy", "gradient", "energy_gradient"):
            continue
        if (
            not hasattr(model, name)
            or _needs_kernels(model, name)
            or (stochastic and name == "gradient" and not model.deterministic)
        ):
            way_out = (
                "its stochastic derivatives alone serve search with SHiSD, which gives an estimate and certifies nothing"
                if stochastic
                else "as_model makes one from plain functions"
            )
            raise TypeError(
                f"model: got {type(model).__name__}, which has no {name!r}, expected an EnergyModel with dim, and with "
                f"energy(x) and gradient(x, out=None) or kernels; {way_out}"
            )
    check_dim(model.dim)
    for name, arguments in _CALLED.items():
        if hasattr(model, name):
            _check_call(model, name, arguments)


def _needs_kernels(model: Any, name: str) -> bool:
    """Whether a member is the base class's, which asks the kernels, and there are none."""
    inherited = getattr(getattr(model, name), "__func__", None)
    return inherited in (EnergyModel.energy, EnergyModel.gradient) and getattr(model.kernels, name, None) is None


def _check_call(model: Any, name: str, arguments: str) -> None:
    try:
        signature = inspect.signature(getattr(model, name))
    except ValueError:  # some functions written in C do not tell
        return
    try:
        signature.bind(*arguments.split(", "))
    except TypeError:
        filling = ", with the result written into out where one is given" if "out" in arguments else ""
        raise TypeError(
            f"model: got {type(model).__name__} with {name}{signature}, expected {name}({arguments}){filling}"
        ) from None
