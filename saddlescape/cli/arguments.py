"""Reading what was typed: values of options, model parameters, starts, names of files."""

from __future__ import annotations

import argparse
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from ..landscape.landscape import Landscape
    from ..model import EnergyModel

FIGURES = (".png", ".pdf", ".svg")


def say(line: str) -> None:
    """One line for the person at the terminal, on stderr."""
    print(f"saddlescape: {line}", file=sys.stderr)


def model_parameters(pairs: list[str]) -> dict[str, Any]:
    """``["n=33", "lambda2=30.0"]`` as keyword arguments; the values are TOML, as in a run file."""
    parameters = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        try:
            if not (equals and key.isidentifier()):
                raise ValueError("no key")
            parameters[key] = tomllib.loads(f"value = {value}")["value"]
        except ValueError:
            expected = "expected key=value with a TOML value such as n=33, s=[1.0, 2.0], flag=true or 'kind=\"disk\"'"
            raise ValueError(f"--param: got {pair!r}, {expected}") from None
    return parameters


def model_like(name: str, landscape: Landscape) -> EnergyModel:
    """The model of that name, with the parameters that a landscape remembers, and in the source that it was in."""
    from ..naming import load_again

    return load_again(name, landscape.info.name, landscape.info.params)


def start_point(words: list[str], model: EnergyModel) -> np.ndarray:
    """A start from the command line: numbers, the name of a start, or a NumPy file."""
    import numpy as np

    if len(words) == 1 and words[0].endswith(".npy"):
        try:
            return np.load(words[0], allow_pickle=False)
        except FileNotFoundError:
            raise FileNotFoundError(f"--start: the file {words[0]} does not exist") from None
        except (ValueError, EOFError):  # of pickles NumPy says how to load them unsafely, which is no way out
            raise ValueError(f"--start: {words[0]} is no NumPy file of numbers; write one with numpy.save(name, x)") from None
    try:
        return np.array([float(word) for word in words])
    except ValueError:
        if len(words) > 1:
            raise ValueError(f"--start: got {' '.join(words)!r}, expected numbers, one name of a start, or one .npy file") from None
        return model.start(words[0])


def figure_path(name: str) -> Path:
    """The path of a picture that can be written."""
    # Checked before the run: a picture that cannot be written should not be found out after a night of computing.
    path = Path(name)
    if path.suffix.lower() not in FIGURES:
        raise ValueError(f"figure: got {name!r}, expected a name ending in one of {', '.join(FIGURES)}")
    return file_to_write(path)


def file_to_write(path: Path) -> Path:
    """The path itself, if its folder exists and it is none."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, expected the name of a file to write")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: the folder {path.parent} does not exist; make it first")
    return path


def positive(text: str) -> int:
    """An integer of at least 1, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected an integer of at least 1")
    return int(text)


def natural(text: str) -> int:
    """An integer of at least 0, for argparse."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"got {text!r}, expected an integer of at least 0")
    return int(text)


def tolerance(text: str) -> float:
    """A positive finite number, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"got {text!r}, expected a positive number")
    return value
