"""``info``, ``plot`` and ``export``: the commands that read a landscape file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .arguments import figure_path, file_to_write, model_like

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
    """``plot FILE.h5 -o FIGURE``: draw the pathway map, or how the landscape was found."""
    from .. import load
    from ..plotting import plot_discovery, save_figure

    figure = figure_path(options.output)
    landscape = load(options.file)
    if options.discovery:
        if options.expand:
            raise ValueError("--expand: --discovery counts every symmetric copy as it is; leave --expand out")
        plot_discovery(landscape).figure.savefig(figure, dpi=200.0)
        print(f"wrote {figure}")
        return 0
    if options.model is not None:
        landscape.attach(model_like(options.model, landscape))

    save_figure(landscape, figure, vertical="energy" if options.energy else "index", expand=options.expand)
    print(f"wrote {figure}")
    return 0


def run_export(options: argparse.Namespace) -> int:
    """``export FILE.h5 -o FILE``: write GraphML, JSON or CSV."""
    from .. import load
    from ..landscape.export import export

    written = export(load(options.file), file_to_write(Path(options.output)), options.format)
    print(f"wrote {' and '.join(map(str, written))}")
    return 0
