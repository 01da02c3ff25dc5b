"""Compiled kernels: signatures, decorators and pointers.

The only file of the library that knows numba's types. A *kernel* is a plain function of floats and
arrays, written once in the NumPy subset that numba compiles; its undecorated source stays available
as ``kernel.py_func``.

Two kinds exist.

* **Model kernels** (``energy``, ``energy_gradient``, ``gradient``, ``hvp``) have the fixed signatures of
  `SIGNATURES`. All of them take ``params = (float64[::1], int64[::1])``, so a change of a parameter
  never recompiles anything.
* **Solver kernels** take model kernels as first-class function arguments. They are compiled once for
  all models and cached on disk.

A model kernel is handed to a solver kernel as a `KernelPointer`, which costs about 0.5 us a call where
numba's own conversion of a dispatcher costs about 40 us.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numba import njit, types
from numba.core.datamodel.models import ExternalFuncPointerModel
from numba.extending import NativeValue, overload, register_jitable, register_model, unbox

FLOAT = types.float64
INT = types.int64
VECTOR = types.Array(FLOAT, 1, "C")
MATRIX = types.Array(FLOAT, 2, "C")
INDICES = types.Array(INT, 1, "C")
PARAMS = types.Tuple((VECTOR, INDICES))

SIGNATURES = {
    "energy": FLOAT(VECTOR, PARAMS),
    "energy_gradient": FLOAT(VECTOR, PARAMS, VECTOR),
    "gradient": types.void(VECTOR, PARAMS, VECTOR),
    "hvp": types.void(VECTOR, VECTOR, PARAMS, VECTOR),
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


def kernel(role: str) -> Callable[[Callable], Any]:
    """Compile a model kernel with the fixed signature of its role.

    Parameters
    ----------
    role : {"energy", "energy_gradient", "gradient", "hvp"}
        Which kernel this is:

        * ``energy(x, params) -> float``
        * ``energy_gradient(x, params, out) -> float``: dE/dx into ``out`` (n,), returns E
        * ``gradient(x, params, out)``: dE/dx into ``out`` (n,)
        * ``hvp(x, v, params, out)``: Hessian-vector product H(x) v into ``out`` (n,)

        with ``params = (float64[::1], int64[::1])``.

    Raises
    ------
    ValueError
        If the role is not one of the above.
    """
    if role not in SIGNATURES:
        raise ValueError(f"role: got {role!r}, expected one of {', '.join(SIGNATURES)}")

    def decorate(function: Callable) -> Any:
        try:
            return njit(SIGNATURES[role], **_OPTIONS)(function)
        except ImportError:
            # The disk cache was made under another module name (a model file that is run, imported and loaded from a run file has
            # three), which cannot be imported here.
            return njit(SIGNATURES[role], **{**_OPTIONS, "cache": False})(function)

    return decorate


def solver_kernel(signature: Any) -> Callable[[Callable], Any]:
    """Compile a function of layer B or C with an explicit numba signature, cached on disk."""
    return njit(signature, **_OPTIONS)


helper = register_jitable(**_INNER)
"""Mark a function that solver kernels call; it stays a plain Python function for everyone else.

It has to live in the file of those kernels: numba's disk cache looks for changes in the file of the kernel alone.
"""


def compiled_as(loops: Callable) -> Callable[[Callable], Callable]:
    """Give a NumPy function a second body, which solver kernels compile in its place.

    NumPy's array operations run at full speed in the interpreter but take numba up to a second each to compile, and a call
    into BLAS costs more than a whole step in two dimensions; plain loops are the other way round. Like a `helper`, both live
    in the file of the kernels that call them.

    Parameters
    ----------
    loops : callable
        The same function of the same arguments, as loops over scalars.
    """

    def mark(source: Callable) -> Callable:
        overload(source, strict=False, jit_options=_INNER)(lambda *args: loops)
        return source

    return mark


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


@dataclass(frozen=True)
class Kernels:
    """The compiled functions of a model, decorated with `kernel`.

    Parameters
    ----------
    energy, energy_gradient, gradient, hvp : numba dispatchers
        See `kernel` for their signatures.
    """

    energy: Any
    energy_gradient: Any
    gradient: Any
    hvp: Any

    @cached_property
    def pointers(self) -> tuple[KernelPointer, KernelPointer]:
        """``(energy_gradient, hvp)`` as arguments of solver kernels."""
        return (
            KernelPointer(self.energy_gradient, SIGNATURES["energy_gradient"]),
            KernelPointer(self.hvp, SIGNATURES["hvp"]),
        )
