"""``follow``: the command that follows states in a parameter and writes their bifurcation diagram."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import figure_path, file_to_write

if TYPE_CHECKING:
    from ..landscape.diagram import Diagram
    from ..landscape.landscape import Landscape
    from ..landscape.runfile import RunFile


def run_follow(options: argparse.Namespace) -> int:
    """``follow RUN.toml``: follow the states of a run file in a parameter."""
    from .. import follow
    from ..landscape.runfile import read_run_file

    run = read_run_file(options.run)
    table = run.follow
    if table is None:
        raise ValueError(f'{run.path}: the table [follow] is missing; it needs parameter = "..." and values = [...]')
    name = options.output if options.output is not None else table.file
    path = file_to_write(Path(name) if name is not None else Path(f"{run.path.stem}_follow.h5"))
    figure = None if table.figure is None else figure_path(table.figure)
    given: dict[str, Any] = {k: getattr(table, k) for k in ("tolerance", "max_step") if getattr(table, k) is not None}
    if table.states == "landscape":
        start: Any = _landscape(run)
    else:
        given["model"] = run.build_model()
        start = _starts(run, given["model"])
    diagram = follow(start, table.parameter, table.values, branches=table.branches, **given)

    diagram.save(path)
    if figure is not None:
        from ..plotting import plot_bifurcation

        plot_bifurcation(diagram).figure.savefig(figure, dpi=200)
    if not options.quiet:
        print(_described(diagram))
        print(f"wrote {path}" + (f" and {figure}" if figure is not None else ""))
    return 0


def _landscape(run: RunFile) -> Landscape:
    from .. import load

    if not run.store.exists():
        raise FileNotFoundError(
            f"{run.store} does not exist: find the landscape first by `saddlescape explore {run.path}`, or follow the start "
            'alone by states = "start" under [follow]'
        )
    landscape = load(run.store)
    return landscape.attach(run.build_model())


def _starts(run: RunFile, model: Any) -> Any:
    start = run.start(model)
    if isinstance(start, str):
        return model.start(start)
    return model.default_start() if start is None else start


def _described(diagram: Diagram) -> str:
    rows = []
    for value in diagram.values.tolist():
        counts = diagram.index_counts(value)
        euler = diagram.euler_characteristic(value)
        rows.append(f"{diagram.parameter} = {value:.8g}: {sum(counts.values())} points by index {counts}, Euler sum {euler}")
    return "\n".join([repr(diagram), *rows, *filter(None, [diagram.report()])])
