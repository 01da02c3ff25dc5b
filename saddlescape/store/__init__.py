"""The landscape file: one HDF5 file, a journal beside it while a run goes on, one writer.

The names below are imported when first used: a landscape in memory needs no h5py.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOME = {
    "FileStore": "writer",
    "save": "writer",
    "MemoryStore": "memory",
    "read": "reader",
    "read_header": "reader",
    "digest": "fingerprint",
    "StoreError": "errors",
}

__all__ = ["FileStore", "MemoryStore", "StoreError", "digest", "read", "read_header", "save"]

if TYPE_CHECKING:
    from .errors import StoreError
    from .fingerprint import digest
    from .memory import MemoryStore
    from .reader import read, read_header
    from .writer import FileStore, save


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
