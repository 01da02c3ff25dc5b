"""Names and parameters of models: how a model travels, how a file remembers it, and how a named one is loaded."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import importlib.util
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .given import nearest
from .model import EnergyModel, check_is_model

_SHIPPED = "saddlescape.models"
_SOURCES = "saddlescape.stochastic"  # models made from another one
_IN_MEMORY = "saddlescape.model.FunctionModel"  # what `as_model` makes
FROM_PYTHON = "no file holds its functions, so go on from Python: make it again and call saddlescape.resume(path, model=...)"
_SHOWN = 40  # characters of a value in a line for people


def model_name(model: EnergyModel) -> str:
    """The import path of a shipped or installed model, or ``path/file.py:Class`` of one loaded from a file."""
    cls = type(model)
    source = getattr(sys.modules.get(cls.__module__), "__saddlescape_file__", None)
    if source is not None:
        return f"{source}:{cls.__qualname__}"
    for package in (_SHIPPED, _SOURCES):
        if cls.__module__.startswith(package + "."):
            return f"{package}.{cls.__qualname__}"
    return f"{cls.__module__}.{cls.__qualname__}"


def model_parameters(model: EnergyModel) -> dict[str, Any]:
    """The dataclass fields of a model as JSON-ready values; functions are named, not stored.

    A model that this one is made from becomes ``{"name": ..., "params": ...}``.
    """
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
    if isinstance(value, EnergyModel):
        name = model_name(value)
        # No file remembers the folders of a machine.
        return {"name": Path(name).name if ":" in name else name, "params": model_parameters(value)}
    return f"<{getattr(value, '__qualname__', type(value).__name__)}>"


def model_text(name: str, params: Mapping[str, Any]) -> str:
    """A model and its parameters as a short line for people."""
    return f"{name}({', '.join(f'{key}={shortened(value)}' for key, value in params.items())})"


def shortened(value: Any) -> str:
    """A parameter, as `model_parameters` gives it, as a short text for people."""
    if _names_model(value):  # the model that this one is made from
        return model_text(value["name"], value["params"])
    text = str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def differences(given: Any, made: Any, name: str = "") -> list[tuple[str, str, str]]:
    """Where two values of `model_parameters` differ: name, and what stands there in each, shortened; of a list the first entry."""
    if given == made:
        return []
    if _names_model(given) and _names_model(made) and given["name"] == made["name"]:
        return differences(given["params"], made["params"], name)
    if isinstance(given, Mapping) and isinstance(made, Mapping):
        prefix = f"{name}." if name else ""
        missing = "<none>"
        return [
            found
            for key in dict.fromkeys([*given, *made])
            for found in differences(given.get(key, missing), made.get(key, missing), f"{prefix}{key}")
        ]
    both = isinstance(given, list) and isinstance(made, list) and len(given) == len(made)
    if both and max(len(str(given)), len(str(made))) > _SHOWN:  # the difference could be in what is cut off
        first = next(i for i, (a, b) in enumerate(zip(given, made, strict=True)) if a != b)
        return differences(given[first], made[first], f"{name}[{first}]")
    return [(name, shortened(given), shortened(made))]


def is_in_memory(name: str) -> bool:
    """Whether a model of that name is one of `as_model`, which only the program that made it can make again."""
    return name == _IN_MEMORY


def is_shipped(name: str, params: Mapping[str, Any]) -> bool:
    """Whether a model is the library's own, with all that it is made from: those alone are rebuilt from a file."""
    inner = [value for value in params.values() if _names_model(value)]
    own = name.startswith((_SHIPPED + ".", _SOURCES + "."))
    return own and all(is_shipped(value["name"], value["params"]) for value in inner)


def outside_name(model: EnergyModel) -> str | None:
    """The name of the model, or of the one it is made from, that a file cannot rebuild; None if the library has all of it."""
    if is_shipped(model_name(model), model_parameters(model)):
        return None
    if model_name(model).startswith(_SOURCES + "."):
        return outside_name(model.model)
    return model_name(model)


def _names_model(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"name", "params"}


def load_again(name: str, made_with: str, params: Mapping[str, Any]) -> EnergyModel:
    """The model that a file remembers as ``made_with`` and ``params``, its class taken from where ``name`` says.

    Of a source made from another model, ``name`` is that of the inner model: nothing that the file itself names is imported, unless
    it is the library's own.

    Raises
    ------
    ValueError
        If the names are of different classes, or a parameter is a model that is not shipped; and as `load_model`.
    """
    inner = {key: value for key, value in params.items() if _names_model(value)}
    if made_with.startswith(_SOURCES + "."):
        built = {key: load_again(name, value["name"], value["params"]) for key, value in inner.items()}
        return load_model(made_with, {**params, **built})
    if not is_in_memory(made_with):
        _model_class(name, Path("."))  # a misspelt name is no other model: say that there is none of that name
    check_class(name, made_with)
    foreign = [value["name"] for value in inner.values() if not is_shipped(value["name"], value["params"])]
    if foreign:
        raise ValueError(f"model: {foreign[0]} is not shipped and is never imported from a file; name it by path/file.py:Class")
    return load_model(name, params)


def check_class(name: str, made_with: str) -> None:
    """Check that two names, as `load_model` takes them, are of one class, wherever it comes from.

    Raises
    ------
    ValueError
        If they are not.
    """
    if is_in_memory(made_with) and not is_in_memory(name):
        raise ValueError(f"model: got {name}, but this landscape was made with a model of as_model; {FROM_PYTHON}")
    given, made = (text.rpartition(":")[2].rpartition(".")[2] for text in (name, made_with))
    if given != made:
        raise ValueError(f"model: got {name}, but this landscape was made with {made_with}; pass that model")


def load_model(name: str, params: Mapping[str, Any] | None = None, *, base: str | Path = ".") -> EnergyModel:
    """Build a model from its name and parameters.

    Parameters
    ----------
    name : str
        ``"MuellerBrown"`` (a shipped model), ``"package.module.Class"`` (an installed one) or ``"path/file.py:Class"``
        (a file; its code is run).
    params : mapping, optional
        Keyword arguments of the model; ``{"name": ..., "params": ...}`` is a model in its turn.
    base : path, optional
        Folder that a relative file path is relative to.

    Raises
    ------
    ValueError
        If there is no such model, or a parameter is unknown; near names are suggested.
    TypeError
        If what was built is no model.
    FileNotFoundError
        If the file does not exist.
    ImportError
        If the file or module cannot be imported; the message quotes why.
    """
    model = build_model(name, params, base=base)
    check_is_model(model, estimates=True)
    return model


def build_model(name: str, params: Mapping[str, Any] | None = None, *, base: str | Path = ".") -> Any:
    """As `load_model`, but what was built is not checked: a source may need less of the model it is made from."""
    cls = _model_class(name, Path(base))
    params = dict(params or {})
    known = [f.name for f in dataclasses.fields(cls) if f.init] if dataclasses.is_dataclass(cls) else list(params)
    for key in params:
        if key not in known:
            raise ValueError(f"model parameter {key!r} is unknown to {cls.__name__}{nearest(key, known)}; it takes {known}")
    _check_numbers(cls, params)
    params = {k: build_model(v["name"], v["params"], base=base) if _names_model(v) else v for k, v in params.items()}
    try:
        return cls(**params)
    except TypeError as error:
        raise ValueError(f"model {name!r} could not be built from {params}: {error}") from error


def _check_numbers(cls: type, params: Mapping[str, Any]) -> None:
    """Refuse texts, switches and tables where a number belongs, which no model should have to expect."""
    kinds = {"int": "an integer", "float": "a number"}
    for f in dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ():
        kind = f.type if isinstance(f.type, str) else getattr(f.type, "__name__", "")
        if kind in kinds and isinstance(params.get(f.name), (str, bool, Mapping)):
            raise ValueError(f"model parameter {f.name!r}: got {params[f.name]!r}, expected {kinds[kind]}")


def _model_class(name: str, base: Path) -> type:
    if ":" in name or name.endswith(".py"):
        path, cls_name = name.rpartition(":")[::2] if ":" in name else (name, "")
        return _class_of(_load_file(base / path), cls_name, name, path)
    module_name, _, cls_name = name.rpartition(".")
    if module_name not in ("", _SHIPPED):
        try:
            module = importlib.import_module(module_name)
        except Exception as error:
            raise ImportError(f"model {name!r}: {_not_imported(module_name, error)}") from error
        return _class_of(module, cls_name, name, module_name)
    shipped = importlib.import_module(_SHIPPED)
    if cls_name not in shipped.__all__:
        raise ValueError(
            f"model {name!r} is not shipped{nearest(cls_name, shipped.__all__)}; shipped are {sorted(shipped.__all__)}; "
            "a model of your own is named path/file.py:Class"
        )
    return getattr(shipped, cls_name)


def _class_of(module: Any, cls_name: str, name: str, source: str) -> type:
    """A class of a module; for the message the name that was asked for and where the module came from."""
    found = getattr(module, cls_name, None)
    if isinstance(found, type):
        return found
    # Its own alone, or those of its submodules if it is a package: what it imports is no model of its.
    home = module.__name__
    classes = [
        k
        for k, v in vars(module).items()
        if isinstance(v, type) and issubclass(v, EnergyModel) and f"{v.__module__}.".startswith(f"{home}.") and v is not EnergyModel
    ]
    there = f"its models are {classes}" if classes else "it defines no subclass of EnergyModel"
    if not cls_name:
        raise ValueError(f"model {name!r}: the name of the class is missing, expected {source}:Class; {there}")
    if found is not None:
        raise ValueError(f"model {name!r}: {cls_name} is no class but of type {type(found).__name__}; {there}")
    raise ValueError(f"model {name!r}: {source} has no class {cls_name!r}{nearest(cls_name, classes)}; {there}")


def _not_imported(source: Any, error: BaseException) -> str:
    return f"{source} could not be imported: {type(error).__name__}: {error}"


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
    except BaseException as error:
        del sys.modules[canonical]
        if not isinstance(error, Exception):  # Ctrl-C
            raise
        raise ImportError(f"model file {_not_imported(path, error)}") from error
    return module


def parameters_as_made(model: EnergyModel, made: Mapping[str, Any]) -> dict[str, Any]:
    """The `model_parameters` to compare with those that something was made with, ``made``.

    What the class has got since does not count where the model has its default.
    """
    params = model_parameters(model)
    if params.keys() <= made.keys():
        return params
    defaults = {f.name: _plain(f.default) for f in dataclasses.fields(model) if f.default is not dataclasses.MISSING}
    return {key: value for key, value in params.items() if key in made or key not in defaults or value != defaults[key]}


def parameters_digest(model: EnergyModel, params: Mapping[str, Any]) -> str:
    """SHA-256 of the model's name and of parameters of it, hexadecimal.

    Of a model that is not shipped the class name alone counts: the same file has other names when it is run, imported or loaded.
    """
    name = model_name(model)
    text = json.dumps([name if name.startswith(_SHIPPED) else type(model).__qualname__, params], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def source_digest(model: EnergyModel) -> str:
    """SHA-256 of the file that defines the model's class, hexadecimal; empty if there is none (a notebook cell, say)."""
    path = getattr(sys.modules.get(type(model).__module__), "__file__", None)
    try:
        return "" if path is None else hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""
