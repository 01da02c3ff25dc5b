"""``check-model`` and ``search``: the commands that try a model."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .arguments import model_parameters, say, start_point

if TYPE_CHECKING:
    import numpy as np

    from ..landscape.runfile import RunFile
    from ..model import EnergyModel


def run_check_model(options: argparse.Namespace) -> int:
    """``check-model MODEL``: test derivatives, symmetries and preconditioner."""
    from .. import check_model

    model, _ = _model_of(options)
    report = check_model(model)
    print(report)
    return 0 if report.ok else 1


def run_search(options: argparse.Namespace) -> int:
    """``search MODEL --index K``: search one stationary point, or explore with a method that does."""
    from .. import search
    from ..dynamics.arguments import explores
    from .report import describe_search, search_summary

    model, method, start = _problem(options)
    limits = {"tol": options.tol, "max_steps": options.max_steps}
    given = {key: value for key, value in limits.items() if value is not None}
    if not explores(method):
        if options.index is None:
            raise ValueError("--index: say which Morse index to look for, for instance --index 1")
        method = replace(method, index=options.index)
    elif options.index is not None:
        raise ValueError(f"--index: {type(method).__name__} explores and looks for no index; leave it out")
    result = search(model, start, method, rng=options.seed, **given)
    print(json.dumps(search_summary(result), indent=2, allow_nan=False) if options.json else describe_search(result))
    if not result.success:
        aim = "the trajectory ended early" if explores(method) else f"no stationary point of index {options.index} was reached"
        say(f"{aim}: {result.status.value}")
    return 0 if result.success else 1


def _problem(options: argparse.Namespace) -> tuple[EnergyModel, Any, np.ndarray]:
    """Model, method and start of a search."""
    from .. import HiSD

    model, run = _model_of(options)
    method = HiSD() if run is None else run.build_method()
    if options.start is not None:
        return model, method, start_point(options.start, model)
    start = None if run is None else run.start(model)
    if isinstance(start, list):
        raise ValueError(f"start: {options.model} has {len(start)} starts, a search needs one: choose it with --start")
    if start is None:
        start = model.default_start()
    return model, method, model.start(start) if isinstance(start, str) else start


def _model_of(options: argparse.Namespace) -> tuple[EnergyModel, RunFile | None]:
    """The model that is named, or that of the run file that is."""
    from ..landscape.runfile import read_run_file
    from ..naming import load_model

    if not options.model.endswith(".toml"):
        return load_model(options.model, model_parameters(options.param)), None
    if options.param:
        raise ValueError(f"--param: {options.model} has the parameters already; leave --param out, or name the model itself")
    run = read_run_file(options.model)
    return run.build_model(), run
