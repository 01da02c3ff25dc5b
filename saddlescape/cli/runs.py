"""``explore`` and ``resume``: the commands that write a landscape file."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import figure_path, file_to_write, model_like, say

if TYPE_CHECKING:
    from ..landscape.landscape import Landscape
    from ..landscape.progress import Progress
    from ..landscape.records import Run
    from ..landscape.runfile import RunFile
    from ..model import EnergyModel


def run_explore(options: argparse.Namespace) -> int:
    """``explore RUN.toml``: find the landscape that a run file describes."""
    from .. import load
    from ..landscape.runfile import read_run_file

    run = read_run_file(options.run)
    path = file_to_write(Path(options.output) if options.output is not None else run.store)
    figure = None if run.output.figure is None else figure_path(run.output.figure)
    if path.exists() and not (options.resume or options.overwrite):
        raise FileExistsError(
            f"{path} exists already: go on with it by `saddlescape resume {path}`, or replace it by adding --overwrite"
        )
    model, method, searches = run.build_model(), run.build_method(), run.build_searches()
    workers = run.explore.workers if options.workers is None else options.workers
    begun = load(path).runs if options.resume and path.exists() else []
    if begun:
        _check_same(run, begun[-1], path, model, method, searches)
        return _go_on(path, model, workers, figure, options)

    start = run.start(model)
    if options.overwrite or path.exists():  # what exists here has no run in it: its process was killed before it began one
        _remove(path, model)

    def drive() -> Landscape:
        from .. import explore

        return explore(
            model,
            start,
            max_index=run.explore.max_index,
            method=method,
            searches=searches,
            upward=run.explore.upward,
            store=path,
            workers=workers,
            rng=run.explore.seed,
            progress=_progress(options),
        )

    return _run(drive, model, path, figure, options)


def run_resume(options: argparse.Namespace) -> int:
    """``resume FILE.h5``: go on with a run from where its file stands."""
    from .. import load

    path = Path(options.file)
    model = None if options.model is None else model_like(options.model, load(path))
    return _go_on(path, model, 1 if options.workers is None else options.workers, None, options)


def _go_on(path: Path, model: EnergyModel | None, workers: int, figure: Path | None, options: argparse.Namespace) -> int:
    from .. import resume

    return _run(lambda: resume(path, model=model, workers=workers, progress=_progress(options)), model, path, figure, options)


def _run(
    drive: Callable[[], Landscape], model: EnergyModel | None, path: Path, figure: Path | None, options: argparse.Namespace
) -> int:
    """Let a driver do its work, then report and draw what it found."""
    from .report import outcome, searches_by_status

    try:
        landscape = drive()
    except KeyboardInterrupt:
        return _interrupted(path, model)
    if landscape.runs[-1].status == "interrupted":
        return _interrupted(path, model)
    if not landscape.nodes:
        raise ValueError(
            f"no stationary point was found; searches by status: {searches_by_status(landscape)}; see `saddlescape info {path}`"
        )
    if figure is not None:
        from ..plotting import save_figure

        save_figure(landscape, figure)
    if not options.quiet:
        print(outcome(landscape))
        print(f"wrote {path}" + (f" and {figure}" if figure is not None else ""))
    return 0


def _check_same(run: RunFile, begun: Run, path: Path, model: EnergyModel, method: Any, searches: Any) -> None:
    """A run goes on with the settings it was begun with, so a run file that was changed since must not seem to be obeyed."""
    from ..landscape.arguments import configure
    from ..landscape.explore import MERGE_TOLERANCE

    made = {**begun.configuration, "seed": begun.entropy}
    asked = configure(model, run.explore.max_index, method, searches, run.explore.upward, MERGE_TOLERANCE)
    asked["seed"] = run.explore.seed
    for key, value in asked.items():
        if value != made[key]:
            raise ValueError(
                f"--resume: {run.path} asks for {key} = {value}, but {path} was begun with {made[key]}; "
                f"go on as it was begun by `saddlescape resume {path}`, or begin again with --overwrite"
            )


def _interrupted(path: Path, model: EnergyModel | None) -> int:
    from ..naming import outside_name

    command = ["saddlescape", "resume", str(path)]
    # Only shipped models are rebuilt from a file, so the command to type has to name any other.
    outside = None if model is None else outside_name(model)
    if outside is not None:
        command += ["--model", outside]
    say(f"interrupted; every finished search is kept, go on by: {shlex.join(command)}")
    return 130


def _progress(options: argparse.Namespace) -> Progress | None:
    if options.quiet:
        return None
    from ..landscape.progress import progress_to

    return progress_to(sys.stderr)


def _remove(path: Path, model: EnergyModel) -> None:
    """Take a landscape file away with its journal. The store refuses where somebody writes it, or where it is no landscape file."""
    from ..landscape.info import ModelInfo
    from ..landscape.landscape import Landscape
    from ..store import FileStore

    empty = Landscape(ModelInfo.of(model, model.symmetry))
    FileStore.create(path, empty, overwrite=True).close(empty)
    path.unlink()
