"""Compiled kernels: signatures, decorators and pointers.

The only file of the library that knows numba's types. A *kernel* is a plain function of floats and
arrays, written once in the NumPy subset that numba compiles; its undecorated source stays available
as ``kernel.py_func``.

Two kinds exist.

* **Model kernels** (``energy``, ``energy_gradient``, ``gradient``, ``hvp``, and of stochastic models ``draw``,
  ``stochastic_gradient``, ``stochastic_hvp``) have the fixed signatures of `SIGNATURES`. All of them take
  ``params = (float64[::1], int64[::1])``, so a change of a parameter never recompiles anything.
* **Solver kernels** take model kernels as first-class function arguments. They are compiled once for
  all models and cached on disk.

A model kernel is handed to a solver kernel as a `KernelPointer`, which costs about 0.5 us a call where
numba's own conversion of a dispatcher costs about 40 us.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from types import ModuleType
from typing import Any

from numba import njit, types
from numba.core.caching import NullCache
from numba.core.compiler_lock import global_compiler_lock
from numba.core.datamodel.models import ExternalFuncPointerModel
from numba.extending import NativeValue, intrinsic, overload, register_jitable, register_model, unbox

FLOAT = types.float64
INT = types.int64
VECTOR = types.Array(FLOAT, 1, "C")
MATRIX = types.Array(FLOAT, 2, "C")
INDICES = types.Array(INT, 1, "C")
PARAMS = types.Tuple((VECTOR, INDICES))
GENERATOR = types.npy_rng
NONE = types.none

_GRADIENT_ESTIMATE = types.void(VECTOR, PARAMS, VECTOR, VECTOR)
_HVP_ESTIMATE = types.void(VECTOR, VECTOR, PARAMS, VECTOR, VECTOR)

SIGNATURES = {
    "energy": FLOAT(VECTOR, PARAMS),
    "energy_gradient": FLOAT(VECTOR, PARAMS, VECTOR),
    "gradient": types.void(VECTOR, PARAMS, VECTOR),
    "hvp": types.void(VECTOR, VECTOR, PARAMS, VECTOR),
    "draw": types.void(PARAMS, GENERATOR, VECTOR),
    "stochastic_gradient": _GRADIENT_ESTIMATE,
    "stochastic_hvp": _HVP_ESTIMATE,
    "weighted_gradient": _GRADIENT_ESTIMATE,
    "weighted_hvp": _HVP_ESTIMATE,
}
"""The fixed signatures of model kernels, by role."""


class KernelType(types.ExternalFunctionPointer):
    """The type of a compiled function with a given signature, as an argument of solver kernels.

    numba's own ``FunctionType`` looks its address up by calling back into Python for every argument of every call, and
    compiles that look-up again at every place where the function is called. Here a `KernelPointer` brings the address.

    Parameters
    ----------
    signature : numba signature
    """

    def __init__(self, signature: Any):
        super().__init__(signature, None)

    def __reduce__(self) -> tuple:
        return KernelType, (self.sig,)


register_model(KernelType)(ExternalFuncPointerModel)


@unbox(KernelType)
def _address_of(kernel_type: KernelType, pointer: Any, c: Any) -> NativeValue:
    number = c.pyapi.object_getattr_string(pointer, "address")
    address = c.pyapi.long_as_voidptr(number)
    c.pyapi.decref(number)
    return NativeValue(c.builder.bitcast(address, c.context.get_function_pointer_type(kernel_type)))


function_type = KernelType
"""The type of a first-class function argument with a given signature."""

FUNCTION_TYPES = {role: function_type(signature) for role, signature in SIGNATURES.items()}
"""First-class function types of the model kernels, for the signatures of solver kernels."""

_OPTIONS = {"cache": True, "nogil": True, "error_model": "numpy"}
_INNER = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}  # called by compiled functions only: nobody needs another entry


def _dispatcher(function: Callable, uses: tuple[ModuleType, ...], allocates: bool = True) -> Any:
    dispatcher = njit(**_OPTIONS, _nrt=allocates)(function)
    if uses:
        # The disk cache takes a kernel for unchanged as long as its own file is; the files it takes functions from count too.
        index = dispatcher._cache._cache_file
        stats = [os.stat(module.__file__) for module in uses]
        index._source_stamp = (index._source_stamp, *((stat.st_mtime, stat.st_size) for stat in stats))
    return dispatcher


def _compiled_when_used(dispatcher: Any, signature: Any) -> Any:
    """The dispatcher, which compiles itself with the signature, and with no other, when it is first called or pointed to."""
    compile_with = dispatcher.compile

    def compile_once(_: Any = None) -> None:
        with global_compiler_lock:
            if not dispatcher._can_compile:
                return
            try:
                compile_with(signature)
            except ImportError:
                # The disk cache was made under another module name (a model file that is run, imported and loaded from a run file
                # has three), which cannot be imported here.
                dispatcher._cache = NullCache()
                compile_with(signature)
            dispatcher.disable_compile()

    def compile_and_take_again(*_: Any) -> Any:
        compile_once()
        return dispatcher

    dispatcher.compile, dispatcher._compile_for_args = compile_once, compile_and_take_again
    return dispatcher


def kernel(role: str, uses: tuple[ModuleType, ...] = ()) -> Callable[[Callable], Any]:
    """Compile a model kernel with the fixed signature of its role, when it is first used.

    Parameters
    ----------
    role : str
        Which kernel this is:

        * ``energy(x, params) -> float``
        * ``energy_gradient(x, params, out) -> float``: dE/dx into ``out`` (n,), returns E
        * ``gradient(x, params, out)``: dE/dx into ``out`` (n,)
        * ``hvp(x, v, params, out)``: Hessian-vector product H(x) v into ``out`` (n,)
        * ``draw(params, rng, sample)``: one random sample from the NumPy ``Generator`` into ``sample`` (m,), float64
        * ``stochastic_gradient(x, params, sample, out)``: the estimate of dE/dx that belongs to a sample, into ``out`` (n,)
        * ``stochastic_hvp(x, v, params, sample, out)``: the estimate of H(x) v, into ``out`` (n,)
        * ``weighted_gradient(x, params, weights, out)``, ``weighted_hvp(x, v, params, weights, out)``: of a field, dE/dx and
          H(x) v with the local term at each quadrature node times its weight; weights (nodes,) of one give the exact ones

        with ``params = (float64[::1], int64[::1])``.
    uses : tuple of modules
        Other modules whose compiled functions it calls: a change in their files compiles it anew, as one in its own does.

    Raises
    ------
    ValueError
        If the role is not one of the above.
    """
    if role not in SIGNATURES:
        raise ValueError(f"role: got {role!r}, expected one of {', '.join(SIGNATURES)}")

    return lambda function: _compiled_when_used(_dispatcher(function, uses), SIGNATURES[role])


def solver_kernel(signature: Any, uses: tuple[ModuleType, ...] = (), allocates: bool = True) -> Callable[[Callable], Any]:
    """Compile a function of layer B or C with an explicit numba signature, cached on disk; ``uses`` as in `kernel`.

    ``allocates=False``: neither it nor what it calls makes an array. Then no references are counted either, which takes a third of
    a step in two dimensions.
    """

    def decorate(function: Callable) -> Any:
        dispatcher = _dispatcher(function, uses, allocates)
        dispatcher.compile(signature)
        dispatcher.disable_compile()
        return dispatcher

    return decorate


helper = register_jitable(**_INNER)
"""Mark a function that solver kernels call; it stays a plain Python function for everyone else.

Where it lives in another file than those kernels, they name its module among what they use, see `kernel`.
"""

inlined = register_jitable(**_INNER, forceinline=True)
"""A `helper` that takes the place of each of its calls: for short steps of few calls, of which a third can be the calls.

Not for what is called at many places, which then takes long to compile.
"""


def compiled_as(loops: Callable, *, reorder: bool = False, inline: bool = False) -> Callable[[Callable], Callable]:
    """Give a NumPy function a second body, which solver kernels compile in its place.

    NumPy's array operations run at full speed in the interpreter but take numba up to a second each to compile, and a call
    into BLAS costs more than a whole step in two dimensions; plain loops are the other way round.

    Parameters
    ----------
    loops : callable
        The same function of the same arguments, as loops over scalars.
    reorder : bool
        Leave the order of its sums, and whether a product is rounded before it is added, to the compiler: vector registers then
        hold several partial sums. Results depend on the processor in their last digits.
    inline : bool
        As `inlined`.
    """
    options = {**_INNER, "fastmath": {"reassoc", "contract"}} if reorder else _INNER
    if inline:
        options = {**options, "forceinline": True}

    def mark(source: Callable) -> Callable:
        overload(source, strict=False, jit_options=options)(lambda *args: loops)
        return source

    return mark


@lru_cache(maxsize=1)
def _absent_products() -> KernelPointer:
    return KernelPointer(kernel("stochastic_hvp")(_nothing), SIGNATURES["stochastic_hvp"])


def _nothing(x, v, params, sample, out):
    pass


class KernelPointer:
    """A compiled function as a first-class function argument, its address looked up once.

    Parameters
    ----------
    dispatcher : numba dispatcher
        What `kernel` or `solver_kernel` returned.
    signature : numba signature
        One it was compiled for.
    """

    def __init__(self, dispatcher: Any, signature: Any):
        compiled = dispatcher.get_compile_result(signature)
        self._keep_alive = compiled.library
        self._numba_type_ = KernelType(signature)
        self.address = compiled.library.get_pointer_to_function(compiled.fndesc.llvm_cfunc_wrapper_name)


def _kernel_at(role: str) -> Any:
    kernel_type = FUNCTION_TYPES[role]

    @intrinsic
    def kernel_at(typing_context: Any, address: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.inttoptr(args[0], context.get_function_pointer_type(kernel_type))

        return kernel_type(types.int64), generate

    return kernel_at


gradient_at, hvp_at, energy_at = _kernel_at("gradient"), _kernel_at("hvp"), _kernel_at("energy")
energy_gradient_at = _kernel_at("energy_gradient")
estimate_at, hvp_estimate_at = _kernel_at("stochastic_gradient"), _kernel_at("stochastic_hvp")
"""Inside a kernel, ``gradient_at(address)`` and its like are the kernel at an address (an int64 among the parameters).

So one model can be made from another without compiling anything for the pair: see `saddlescape.stochastic`.
"""


@dataclass(frozen=True)
class Kernels:
    """The compiled functions of a model, decorated with `kernel`.

    Parameters
    ----------
    energy, energy_gradient, gradient, hvp : numba dispatchers
        See `kernel` for their signatures. All four, or none where there are stochastic estimates alone.
    draw, stochastic_gradient : numba dispatchers, optional
        Of a stochastic model; it also has ``sample_size``.
    stochastic_hvp : numba dispatcher, optional
        Without it: differences of stochastic gradients, with one sample at both ends.
    weighted_gradient, weighted_hvp : numba dispatchers, optional
        Of a field; see `saddlescape.stochastic.RandomQuadrature`.
    """

    energy: Any = None
    energy_gradient: Any = None
    gradient: Any = None
    hvp: Any = None
    draw: Any = None
    stochastic_gradient: Any = None
    stochastic_hvp: Any = None
    weighted_gradient: Any = None
    weighted_hvp: Any = None

    def pointer(self, role: str) -> KernelPointer:
        """The kernel with this role as an argument of solver kernels."""
        return KernelPointer(getattr(self, role), SIGNATURES[role])

    @cached_property
    def pointers(self) -> tuple[KernelPointer, KernelPointer]:
        """``(energy_gradient, hvp)`` as arguments of solver kernels."""
        return self.pointer("energy_gradient"), self.pointer("hvp")

    @cached_property
    def stochastic_pointers(self) -> tuple[KernelPointer, KernelPointer, KernelPointer]:
        """``(draw, stochastic_gradient, stochastic_hvp)`` as arguments of solver kernels.

        The last does nothing where the model has none; it must not be called then.
        """
        products = self.pointer("stochastic_hvp") if self.stochastic_hvp is not None else _absent_products()
        return self.pointer("draw"), self.pointer("stochastic_gradient"), products
