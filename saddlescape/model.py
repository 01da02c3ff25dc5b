"""The model contract: what an energy is, how plain functions become one, how a named one is loaded."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .kernels import Kernels
    from .symmetry import Symmetry


class EnergyModel:
    """An energy E on R^n: subclass it as a small frozen dataclass of parameters.

    A model has ``dim`` and either ``kernels`` (compiled functions, with ``params``) or its own ``energy`` and ``gradient``.
    Points ``x`` are one-dimensional, float64, C-contiguous, and never modified by a model.

    Optional members, found by name; leave out what you do not have:

    * ``hvp(x, v, out=None) -> (n,)``: Hessian-vector product. Missing: central differences of gradients (dimer).
    * ``hessian(x)``: dense (n, n) array or ``scipy.sparse`` matrix (CSC preferred), symmetric.
    * ``preconditioner(x) -> object`` with ``solve(r, out=None)`` = M^-1 r and ``apply(v, out=None)`` = M v, M symmetric positive
      definite; both accept (n,) or rows (k, n).
    * ``zero_modes(x) -> (m, n)``: generators of the continuous symmetries at x.
    * ``draw(rng) -> sample``, ``stochastic_gradient(x, sample, out=None)``, ``stochastic_hvp(x, v, sample, out=None)``: unbiased
      estimates.
    * ``unpack(x) -> dict``: named arrays for plotting, see `saddlescape.plotting`.
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
        if self.kernels is not None:
            return self.kernels.energy_gradient(x, self.params, out)
        filled(self.gradient(x, out), out, "gradient")
        return self.energy(x)

    def __getattr__(self, name: str) -> Any:
        # hvp comes with the kernels; without them it must look absent, so that the dimer takes over.
        if name == "hvp" and type(self).kernels is not None:
            return self._compiled_hvp
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def _compiled_hvp(self, x: np.ndarray, v: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        out = np.empty(self.dim) if out is None else out
        self.kernels.hvp(x, v, self.params, out)
        return out

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
        return float(self.energy_function(x))

    def gradient(self, x: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """dE/dx (n,) at x (n,)."""
        return _returned(self.gradient_function(x), out, self.dim, "gradient")

    def __getattr__(self, name: str) -> Any:
        if name == "hvp" and self.hvp_function is not None:
            return self._hvp
        if name == "hessian" and self.hessian_function is not None:
            return self.hessian_function
        raise AttributeError(f"this model has no {name!r}: pass it to as_model")

    def _hvp(self, x: np.ndarray, v: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        return _returned(self.hvp_function(x, v), out, self.dim, "hvp")


def filled(value: np.ndarray | None, out: np.ndarray, name: str) -> np.ndarray:
    """``out`` with the value in it, also where a user's function returned a new array and left ``out`` alone."""
    if value is not None and value is not out:
        if np.shape(value) != out.shape:
            raise ValueError(f"{name}: the model returned shape {np.shape(value)}, expected {out.shape}")
        out[:] = value
    return out


def _returned(value: Any, out: np.ndarray | None, dim: int, argument: str) -> np.ndarray:
    value = np.asarray(value, dtype=float)
    if value.shape != (dim,):
        raise ValueError(f"{argument}: the function returned shape {value.shape}, expected ({dim},)")
    if out is None:
        return value
    out[:] = value
    return out


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
        ``hvp(x, v) -> (n,)``, the Hessian-vector product. Without it: central differences of gradients.
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
    if not isinstance(dim, (int, np.integer)) or dim < 1:
        raise ValueError(f"dim: got {dim!r}, expected a positive integer")
    return FunctionModel(int(dim), energy, gradient, hvp, hessian, mass, symmetry, coercive)


def check_point(x: Any, dim: int, argument: str = "x0") -> np.ndarray:
    """A private float64 copy of a point, (dim,).

    Raises
    ------
    TypeError
        If it is not made of real numbers.
    ValueError
        If its shape is wrong or an entry is not finite.
    """
    array = np.asarray(x)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{argument}: got dtype {array.dtype}, expected real numbers (float64)")
    if array.shape != (dim,):
        raise ValueError(f"{argument}: got shape {array.shape}, expected ({dim},)")
    array = np.array(array, dtype=np.float64, order="C")
    if not np.isfinite(array).all():
        bad = np.flatnonzero(~np.isfinite(array))
        raise ValueError(f"{argument}: {bad.size} of {dim} entries are NaN or infinite, the first at position {bad[0]}")
    return array


# --- names and parameters: how a model travels and how a file remembers it -----------------------------------------------

_SHIPPED = "saddlescape.models"


def model_name(model: EnergyModel) -> str:
    """The import path of a shipped or installed model, or ``path/file.py:Class`` of one loaded from a file."""
    cls = type(model)
    source = getattr(sys.modules.get(cls.__module__), "__saddlescape_file__", None)
    if source is not None:
        return f"{source}:{cls.__qualname__}"
    if cls.__module__.startswith(_SHIPPED + "."):
        return f"{_SHIPPED}.{cls.__qualname__}"
    return f"{cls.__module__}.{cls.__qualname__}"


def model_parameters(model: EnergyModel) -> dict[str, Any]:
    """The dataclass fields of a model as JSON-ready values; functions are named, not stored."""
    if not dataclasses.is_dataclass(model):
        return {}
    return {f.name: _plain(getattr(model, f.name)) for f in dataclasses.fields(model) if f.init}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return f"<{getattr(value, '__qualname__', type(value).__name__)}>"


def load_model(name: str, params: Mapping[str, Any] | None = None, *, base: str | Path = ".") -> EnergyModel:
    """Build a model from its name and parameters.

    Parameters
    ----------
    name : str
        ``"MuellerBrown"`` (a shipped model), ``"package.module.Class"`` (an installed one) or ``"path/file.py:Class"``
        (a file; its code is run).
    params : mapping, optional
        Keyword arguments of the model.
    base : path, optional
        Folder that a relative file path is relative to.

    Raises
    ------
    ValueError
        If there is no such model, or a parameter is unknown; near names are suggested.
    FileNotFoundError
        If the file does not exist.
    """
    cls = _model_class(name, Path(base))
    params = dict(params or {})
    known = [f.name for f in dataclasses.fields(cls) if f.init] if dataclasses.is_dataclass(cls) else list(params)
    for key in params:
        if key not in known:
            raise ValueError(f"model parameter {key!r} is unknown to {cls.__name__}{nearest(key, known)}; it takes {known}")
    try:
        return cls(**params)
    except TypeError as error:
        raise ValueError(f"model {name!r} could not be built from {params}: {error}") from error


def nearest(word: str, known: list[str]) -> str:
    """A suggestion ``": did you mean 'x'?"`` for a misspelt word, or the empty string."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _model_class(name: str, base: Path) -> type:
    if ":" in name:
        path, _, cls_name = name.rpartition(":")
        module = _load_file(base / path)
        if not hasattr(module, cls_name):
            classes = [k for k, v in vars(module).items() if isinstance(v, type) and issubclass(v, EnergyModel)]
            raise ValueError(f"model {name!r}: {path} has no class {cls_name!r}{nearest(cls_name, classes)}; it has {classes}")
        return getattr(module, cls_name)
    module_name, _, cls_name = name.rpartition(".")
    if module_name in ("", _SHIPPED):
        shipped = importlib.import_module(_SHIPPED)
        if cls_name not in shipped.__all__:
            raise ValueError(
                f"model {name!r} is not shipped{nearest(cls_name, shipped.__all__)}; shipped are {sorted(shipped.__all__)}; "
                "a model of your own is named path/file.py:Class"
            )
        return getattr(shipped, cls_name)
    return getattr(importlib.import_module(module_name), cls_name)


def _load_file(path: Path) -> Any:
    path = path.resolve()
    if not path.is_file():
        raise FileNotFoundError(f"model file {path} does not exist")
    # One canonical module name per source, here, in every worker and wherever the file is moved: numba's disk cache is keyed by it.
    canonical = f"saddlescape_file_{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}_{path.stem}"
    if canonical in sys.modules:
        return sys.modules[canonical]
    spec = importlib.util.spec_from_file_location(canonical, path)
    module = importlib.util.module_from_spec(spec)
    module.__saddlescape_file__ = str(path)
    sys.modules[canonical] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[canonical]
        raise
    return module


def parameters_digest(model: EnergyModel) -> str:
    """SHA-256 of the model's name and parameters, hexadecimal.

    Of a model that is not shipped the class name alone counts: the same file has other names when it is run, imported or loaded.
    """
    name = model_name(model)
    text = json.dumps([name if name.startswith(_SHIPPED) else type(model).__qualname__, model_parameters(model)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def source_digest(model: EnergyModel) -> str:
    """SHA-256 of the file that defines the model's class, hexadecimal; empty if there is none (a notebook cell, say)."""
    path = getattr(sys.modules.get(type(model).__module__), "__file__", None)
    try:
        return "" if path is None else hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""
