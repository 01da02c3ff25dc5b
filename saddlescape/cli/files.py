"""``info``, ``plot`` and ``export``: the commands that read a landscape file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .arguments import EXPORTS, figure_path, in_existing_folder, model_like

ROWS = 60  # rows of a table that still fit into a look


def run_info(options: argparse.Namespace) -> int:
    """``info FILE.h5``: say what a landscape file holds."""
    from .. import load
    from .report import describe, summary

    landscape = load(options.file)
    if options.json:
        print(json.dumps(summary(landscape), indent=2, allow_nan=False))
    else:
        print(describe(landscape, None if options.all else ROWS))
    return 0


def run_plot(options: argparse.Namespace) -> int:
    """``plot FILE.h5 -o FIGURE``: draw the pathway map."""
    from .. import load
    from ..plotting import save_figure

    figure = figure_path(options.output)
    landscape = load(options.file)
    if options.model is not None:
        landscape.attach(model_like(options.model, landscape))

    save_figure(landscape, figure, vertical="energy" if options.energy else "index", expand=options.expand)
    print(f"wrote {figure}")
    return 0


def run_export(options: argparse.Namespace) -> int:
    """``export FILE.h5 -o FILE``: write GraphML, JSON or CSV."""
    from .. import load
    from ..landscape.export import export

    target = Path(options.output)
    form = target.suffix.lstrip(".").lower() if options.format is None else options.format
    if form not in EXPORTS:
        raise ValueError(f"-o: cannot tell the format from {target.name!r}; add --format with one of {', '.join(EXPORTS)}")
    in_existing_folder(target)
    export(load(options.file), target, form)
    print(f"wrote {target}")
    return 0
