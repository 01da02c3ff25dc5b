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
        raise FileExistsError(f"{path} exists already: go on with it by adding --resume, or replace it by adding --overwrite")
    model, method, searches = run.build_model(), run.build_method(), run.build_searches()
    workers = run.explore.workers if options.workers is None else options.workers
    again = _explore_again(options)
    begun = load(path) if options.resume and path.exists() else None
    if begun is not None and begun.runs:
        _check_same(run, begun.runs[-1], path, model, method, searches)
        return _go_on(path, begun.unfinished, model, workers, figure, again, options)

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

    return _run(drive, path, figure, again, options)


def run_resume(options: argparse.Namespace) -> int:
    """``resume FILE.h5``: go on with a run from where its file stands."""
    from .. import load

    begun = load(options.file)
    model = None if options.model is None else model_like(options.model, begun)
    again = _resume_again(options, model)
    workers = 1 if options.workers is None else options.workers
    return _go_on(Path(options.file), begun.unfinished, model, workers, None, again, options)


def _go_on(
    path: Path,
    unfinished: bool,
    model: EnergyModel | None,
    workers: int,
    figure: Path | None,
    again: list[str],
    options: argparse.Namespace,
) -> int:
    from .. import resume

    if not (unfinished or options.quiet):
        print(f"nothing was left to do: the run of {path} was complete")
    return _run(lambda: resume(path, model=model, workers=workers, progress=_progress(options)), path, figure, again, options)


def _run(drive: Callable[[], Landscape], path: Path, figure: Path | None, again: list[str], options: argparse.Namespace) -> int:
    """Let a driver do its work, then report and draw what it found; ``again`` is what to type if it is interrupted."""
    from .report import outcome, searches_by_status

    try:
        landscape = drive()
    except KeyboardInterrupt:
        return _interrupted(again)
    if landscape.runs[-1].status == "interrupted":
        return _interrupted(again)
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


def _explore_again(options: argparse.Namespace) -> list[str]:
    # Not `resume`: the run file knows the model, the workers and the figure.
    command = ["saddlescape", "explore", options.run, "--resume"]
    if options.output is not None:
        command += ["-o", options.output]
    return command + _workers_again(options)


def _resume_again(options: argparse.Namespace, model: EnergyModel | None) -> list[str]:
    from ..naming import outside_name

    command = ["saddlescape", "resume", options.file]
    # Only shipped models are rebuilt from a file, so the command to type has to name any other.
    outside = None if model is None else outside_name(model)
    if outside is not None:
        command += ["--model", outside]
    return command + _workers_again(options)


def _workers_again(options: argparse.Namespace) -> list[str]:
    return [] if options.workers is None else ["--workers", str(options.workers)]


def _interrupted(again: list[str]) -> int:
    say(f"interrupted; every finished search is kept, go on by: {shlex.join(again)}")
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
