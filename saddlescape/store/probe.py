"""Read every object of an HDF5 file: run as a script, in a process whose crash harms nobody. Needs nothing but h5py."""

from __future__ import annotations

import sys


def read_everything(path: str) -> None:
    """Read all attributes and datasets of an HDF5 file.

    Raises
    ------
    OSError, RuntimeError, ValueError, TypeError, KeyError, MemoryError
        Whatever HDF5 and h5py say of bad bytes.
    """
    import h5py

    def visit(_name: str, item: h5py.Group | h5py.Dataset) -> None:
        dict(item.attrs)
        if isinstance(item, h5py.Dataset):
            item[()]

    with h5py.File(path, "r") as file:
        dict(file.attrs)
        file.visititems(visit)


if __name__ == "__main__":
    read_everything(sys.argv[1])
