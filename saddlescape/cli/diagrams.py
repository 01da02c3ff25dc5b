"""``follow``, which follows states in a parameter and writes their bifurcation diagram, and what reads such a file."""

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
        draw(diagram, figure, table.measure)
    if not options.quiet:
        print(describe(diagram))
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


def diagram_at(name: str) -> Diagram | None:
    """The diagram in a file, None if it holds no diagram."""
    from .. import Diagram
    from ..store.envelope import DIAGRAM, is_ours

    path = Path(name)
    return Diagram.load(path) if path.is_file() and is_ours(path, DIAGRAM) else None


def draw(diagram: Diagram, figure: Path, measure: str) -> None:
    """Write the picture of a diagram."""
    from ..plotting import plot_bifurcation

    plot_bifurcation(diagram, measure=measure).figure.savefig(figure, dpi=200)


def describe(diagram: Diagram) -> str:
    """A diagram as text: the points at each value asked for, and what happens between."""
    rows = []
    for value in diagram.values.tolist():
        counts = diagram.index_counts(value)
        euler = diagram.euler_characteristic(value)
        rows.append(f"{diagram.parameter} = {value:.8g}: {sum(counts.values())} points by index {counts}, Euler sum {euler}")
    return "\n".join([repr(diagram), *rows, *filter(None, [diagram.report()])])


def summary(diagram: Diagram) -> dict[str, Any]:
    """Everything `saddlescape info --json` prints of a diagram, as JSON-ready values; ``docs/command-line.md`` has the keys."""
    return {
        "model": {"name": diagram.info.name, "params": diagram.info.params, "dim": diagram.info.dim},
        "parameter": diagram.parameter,
        "origin": diagram.origin,
        "values": [
            {
                "value": value,
                "index_counts": {str(index): count for index, count in diagram.index_counts(value).items()},
                "euler": diagram.euler_characteristic(value),
            }
            for value in diagram.values.tolist()
        ],
        "branches": [
            {
                "id": branch.id,
                "node": branch.node,
                "born": branch.born,
                "orbit_size": branch.orbit_size,
                "values": branch.values.tolist(),
                "energies": branch.energies.tolist(),
                "indices": branch.indices.tolist(),
                "ends": [end._asdict() for end in branch.ends],
            }
            for branch in diagram.branches
        ],
        "criticals": [
            {
                "id": critical.id,
                "kind": critical.kind,
                "value": critical.value,
                "bracket": list(critical.bracket),
                "multiplicity": critical.multiplicity,
                "index_below": critical.index_below,
                "index_above": critical.index_above,
                "through": list(critical.through),
                "ending": list(critical.ending),
            }
            for critical in diagram.criticals
        ],
        "notes": list(diagram.notes),
    }
