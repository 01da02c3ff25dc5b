"""``info``, ``plot`` and ``export``: the commands that read a file, of a landscape or of a bifurcation diagram."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from . import diagrams
from .arguments import figure_path, file_to_write, model_like

ROWS = 60  # rows of a table that still fit into a look


def run_info(options: argparse.Namespace) -> int:
    """``info FILE.h5``: say what a landscape file holds."""
    from .. import load
    from .report import describe, summary

    diagram = diagrams.diagram_at(options.file)
    if diagram is not None:
        print(json.dumps(diagrams.summary(diagram), indent=2, allow_nan=False) if options.json else diagrams.describe(diagram))
        return 0
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
    diagram = diagrams.diagram_at(options.file)
    if diagram is not None:
        for name in ("energy", "expand", "model"):
            if getattr(options, name):
                raise ValueError(f"--{name}: {options.file} holds a bifurcation diagram, of which only --excess can be said")
        diagrams.draw(diagram, figure, "excess" if options.excess else "energy")
        print(f"wrote {figure}")
        return 0
    if options.excess:
        raise ValueError(f"--excess: {options.file} holds no bifurcation diagram; of a pathway map --energy can be said")
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

    path = file_to_write(Path(options.output))
    diagram = diagrams.diagram_at(options.file)
    if diagram is not None:
        if (options.format or path.suffix[1:]).lower() != "csv":
            raise ValueError(f"--format: {options.file} holds a bifurcation diagram, which is exported as csv")
        diagram.to_csv(path)
        print(f"wrote {path}")
        return 0
    written = export(load(options.file), path, options.format)
    print(f"wrote {' and '.join(map(str, written))}")
    return 0
