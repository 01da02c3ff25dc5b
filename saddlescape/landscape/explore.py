"""From an energy model to its solution landscape."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dynamics.describe import describe, rebuild
from ..dynamics.hisd import HiSD
from ..dynamics.schedules import warn_unstable
from ..dynamics.search import Limits
from ..dynamics.state import Method
from ..model import EnergyModel, check_is_model
from ..symmetry import Symmetry
from .arguments import Start, check_workers, configure, entropy_of, progress_of, starting_points, warn_of_wrong_gradient
from .driver import Driver, new_run
from .execute import Plan
from .explorer import ECDExplorer
from .frontier import DownwardSearch, Search, UpwardSearch
from .info import ModelInfo
from .landscape import Landscape
from .merge import Merger
from .parallel import Pooled, Serial, staffed
from .records import Run, SearchRecord, Task

if TYPE_CHECKING:
    from .progress import Progress

MERGE_TOLERANCE = 1e-5
LONG = 100  # characters of a parameter written out


def explore(
    model: EnergyModel,
    start: Start = None,
    *,
    max_index: int | None = None,
    method: Method | None = None,
    searches: Search | ECDExplorer | Iterable[Search | ECDExplorer] | None = None,
    upward: bool = False,
    symmetry: Symmetry | None = None,
    store: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    executor: Executor | None = None,
    workers: int = 1,
    rng: Any = None,
    progress: Progress | bool | None = None,
    callback: Callable[[Landscape, SearchRecord], bool | None] | None = None,
    merge_tolerance: float = MERGE_TOLERANCE,
) -> Landscape:
    """Find the solution landscape of an energy: stationary points, certified Morse indices, connections.

    Each start is taken as it is if it is a stationary point; else a point of the index of its Hessian and a minimum are searched
    for from there. Every new point is then left along each of its unstable directions, both ways (downward search), index-1
    saddles by gradient flow to both sides, and with ``upward`` along its softest stable directions too.

    Parameters
    ----------
    model : EnergyModel
    start : str, (n,) array, or a sequence of them, optional
        Where to begin; a text is the name of one of the model's starts. Default: the model's default start.
    max_index : int, optional
        The highest index searched for. Default: the index of the start, which is counted up to 20 (a warning is logged when it
        may be more: then give ``max_index``), or with ``upward`` as high as it goes.
    method : Method
        Moves the point. Default: ``HiSD()``, preconditioned where the model has a preconditioner.
    searches : DownwardSearch, UpwardSearch, ECDExplorer, or an iterable of them
        How points are left. Default: ``DownwardSearch()``, and ``UpwardSearch()`` with ``upward``.
    upward : bool
        Search upward as well.
    symmetry : Symmetry, optional
        The group modulo which points are merged. Default: the model's.
    store : path, optional
        The landscape file to write while the run goes on. Default: memory alone.
    overwrite : bool
        Whether a landscape file that is there already may be replaced.
    executor : concurrent.futures.Executor, optional
        Carries out the searches (dask, MPI). Default: this process, or a pool of ``workers`` processes.
    workers : int
        Worker processes. Their number changes no number of the result. Each imports the script that calls `explore`, so with
        more than one the script's own work must stand under ``if __name__ == "__main__":``; model and method must be
        importable there (no lambdas).
    rng : int, SeedSequence or Generator, optional
        Seed. Default: 0.
    progress : bool or Progress, optional
        True: a bar on stderr (plain lines where that is no terminal); or an object with ``update(landscape)`` and ``close()``, see
        `saddlescape.landscape.progress`. Default: none.
    callback : callable, optional
        ``callback(landscape, search)`` after each merged search; a true return value ends the run politely.
    merge_tolerance : float
        Two points are one if their distance modulo the symmetry (mass norm) is at most this times the norm of x.

    Returns
    -------
    Landscape
        Its last run has status "interrupted" if Ctrl-C or the callback ended it; it can be extended or resumed then.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it should be; with workers or an executor also if model or method cannot be sent to them.
    RuntimeError
        If the worker processes die before they do anything.
    saddlescape.store.StoreError
        If the file cannot be written; what was written before is kept.

    References
    ----------
    Yin, Wang, Chen, Zhang, Zhang, Phys. Rev. Lett. 124 (2020) 090601.
    """
    check_is_model(model)
    landscape = Landscape(ModelInfo.of(model, symmetry if symmetry is not None else model.symmetry), model, symmetry)
    entropy = entropy_of(rng)
    check_workers(workers)
    progress = progress_of(progress)
    configuration = configure(model, max_index, method, searches, upward, merge_tolerance)
    points = starting_points(model, start)
    warn_of_wrong_gradient(model, points[0])
    method = HiSD() if method is None else method
    warn_unstable(method, model, points[0])
    with staffed(model, method, executor, workers) as runner, _new_store(store, landscape, overwrite) as keeper:
        begin(landscape, keeper, configuration, entropy, start_tasks(points, 0, 0))
        return work_off(landscape, keeper, method, runner, progress, callback)


def extend(
    landscape: Landscape,
    start: Start = None,
    *,
    max_index: int | None = None,
    method: Method | None = None,
    searches: Search | ECDExplorer | Iterable[Search | ECDExplorer] | None = None,
    upward: bool = False,
    executor: Executor | None = None,
    workers: int = 1,
    rng: Any = None,
    progress: Progress | bool | None = None,
    callback: Callable[[Landscape, SearchRecord], bool | None] | None = None,
    merge_tolerance: float = MERGE_TOLERANCE,
) -> Landscape:
    """Search on from a landscape: from more starts, to other indices, in other ways; see `Landscape.extend`."""
    if landscape.frontier:
        raise ValueError(
            f"landscape: {len(landscape.frontier)} searches of an interrupted run are left; finish it first with "
            "landscape.resume() or saddlescape.resume(path)"
        )
    model = landscape.model
    entropy = entropy_of(rng)
    check_workers(workers)
    progress = progress_of(progress)
    configuration = configure(model, max_index, method, searches, upward, merge_tolerance)
    points = [] if start is None else starting_points(model, start)
    run = len(landscape.runs)
    first = landscape.next_task
    tasks = start_tasks(points, first, run) + tuple(
        Task(first + 2 * len(points) + node.id, "revisit", node.id, -1, 0, node.point.index, np.empty(0), None, run)
        for node in landscape.nodes
    )
    method = HiSD() if method is None else method
    with staffed(model, method, executor, workers) as runner, _store_of(landscape) as keeper:
        begin(landscape, keeper, configuration, entropy, tasks)
        return work_off(landscape, keeper, method, runner, progress, callback)


def go_on(landscape: Landscape, method=None, executor=None, workers=1, progress=None, callback=None) -> Landscape:
    """Finish an interrupted run of a landscape in memory, in its file too if it has one; see `Landscape.resume`."""
    if not landscape.unfinished:
        return landscape
    with _store_of(landscape) as keeper:
        return drive(landscape, keeper, method, executor, workers, progress, callback)


def _store_of(landscape: Landscape) -> Any:
    """The store of a landscape's own file, reopened; memory if it has none."""
    from ..store import FileStore, MemoryStore, digest

    if landscape.path is None:
        return MemoryStore()
    store, stored = FileStore.reopen(landscape.path)
    if digest(stored) != digest(landscape):
        with store:
            raise ValueError(
                f"landscape: {landscape.path} holds another state than this landscape in memory (it went on elsewhere); "
                "load it again"
            )
    return store


def start_tasks(points: list[np.ndarray], first: int, run: int) -> tuple[Task, ...]:
    """For each point a search to the index of its Hessian (target -1) and one down (target 0)."""
    return tuple(
        Task(first + 2 * i + j, "start", -1, -1, 0, target, np.empty(0), point, run)
        for i, point in enumerate(points)
        for j, target in enumerate((-1, 0))
    )


def _new_store(path: str | os.PathLike[str] | None, landscape: Landscape, overwrite: bool) -> Any:
    from ..store import FileStore, MemoryStore

    return MemoryStore() if path is None else FileStore.create(path, landscape, overwrite=overwrite)


def begin(landscape: Landscape, keeper: Any, configuration: dict, entropy: int, tasks: tuple[Task, ...]) -> None:
    """Open a new run on a landscape with its first tasks."""
    run = new_run(landscape, configuration, entropy)
    landscape.runs.append(run)
    landscape.add_tasks(tasks)
    keeper.begin(run, tasks)


def drive(landscape: Landscape, keeper: Any, method: Method | None, executor, workers, progress, callback) -> Landscape:
    """Finish the landscape's last run; ``method`` is needed only if it is not the library's own."""
    check_workers(workers)
    progress = progress_of(progress)
    made_with = landscape.runs[-1].configuration["method"]
    method = rebuild(made_with) if method is None else method
    if describe(method) != made_with:
        raise ValueError(f"method: got {describe(method)}, but this run was made with {made_with}")
    with staffed(landscape.model, method, executor, workers) as runner:
        return work_off(landscape, keeper, method, runner, progress, callback)


def work_off(landscape: Landscape, keeper: Any, method: Method, runner: Serial | Pooled, progress, callback) -> Landscape:
    """Work off the frontier of the landscape's last run, whose method this is."""
    run: Run = landscape.runs[-1]
    settings = run.configuration
    model, symmetry = landscape.model, landscape.symmetry
    kinds = {kind.__name__: kind for kind in (DownwardSearch, UpwardSearch, ECDExplorer)}
    searches = [kinds[s["name"]](**{k: v for k, v in s.items() if k != "name"}) for s in settings["searches"]]
    explorer = next((search for search in searches if isinstance(search, ECDExplorer)), None)
    exploring = next((_text(s) for s in settings["searches"] if s["name"] == ECDExplorer.__name__), "")
    quench = rebuild(settings["quench"])
    max_index = settings["max_index"]
    plan = Plan(method, quench, Limits(), run.entropy, max_index, explorer)
    metric = "preconditioned" if method.preconditioned and hasattr(model, "preconditioner") else "mass"
    merger = Merger(
        model,
        symmetry,
        tuple(search for search in searches if search is not explorer),
        explorer,
        settings["merge_tolerance"],
        max_index,
        _text(settings["method"]),
        _text(describe(method.careful() if hasattr(method, "careful") else method)),
        _text(settings["quench"]),
        exploring,
        metric,
    )
    return Driver(landscape, merger, plan, runner, keeper, progress, callback).run()


def _text(description: Any) -> str:
    """A method as one readable line; every record has it, so of a long array its digest alone."""
    if not isinstance(description, dict):
        text = str(description)
        if isinstance(description, list) and len(text) > LONG:
            return f"<{len(description)} rows, sha256 {hashlib.sha256(text.encode()).hexdigest()[:12]}>"
        return text
    parts = [f"{key}={_text(value)}" for key, value in description.items() if key != "name" and value is not None]
    return f"{description.get('name', '')}({', '.join(parts)})"
