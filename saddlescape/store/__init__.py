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
    "read_diagram": "diagrams",
    "save_diagram": "diagrams",
    "digest": "fingerprint",
    "StoreError": "errors",
}

__all__ = ["FileStore", "MemoryStore", "StoreError", "digest", "read", "read_diagram", "read_header", "save", "save_diagram"]

if TYPE_CHECKING:
    from .diagrams import read_diagram, save_diagram
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
