"""Landscapes of random numbers: what the store is given, without a solver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from saddlescape.landscape.info import ModelInfo
from saddlescape.landscape.landscape import Landscape
from saddlescape.landscape.records import Commit, Edge, Node, Run, SearchRecord, Task
from saddlescape.results import SearchResult, StationaryPoint, Status, Trajectory
from saddlescape.store import FileStore

DIM, COUNT, SEED = 3, 20, 5
AWKWARD = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 1 / 3])


def model_info(dim: int, mass: float | np.ndarray = 0.25) -> ModelInfo:
    params = {"n": dim, "weights": [0.1, 1 / 3], "flag": True, "nothing": None}
    return ModelInfo("saddlescape.models.Synthetic", params, "ab" * 32, dim, mass, None, "order 2", {"field": (dim,)}, "J", "none")


def stationary_point(rng: np.random.Generator, dim: int, m: int) -> StationaryPoint:
    return StationaryPoint(
        x=rng.standard_normal(dim),
        energy=float(rng.standard_normal()),
        gradient_norm=1e-14,
        index=min(1, m),
        nullity=0,
        eigenvalues=np.sort(rng.standard_normal(m)),
        eigenvectors=rng.standard_normal((m, dim)),
        residuals=rng.random(m),
        certificate="dense eigenvalues, gap 0.1, „ü“",
        zero_tolerance=1e-8,
        orbit_size=int(rng.integers(1, 9)),
        orbit_dimension=0,
    )


def result(rng: np.random.Generator, dim: int, found: bool = True, trajectory: bool = False) -> SearchResult:
    path = Trajectory(rng.standard_normal((3, dim)), rng.standard_normal(3), rng.random(3)) if trajectory else None
    return SearchResult(
        status=Status.CONVERGED if found else Status.NON_FINITE,
        message="converged in 12 steps" if found else "energy turned NaN",
        point=stationary_point(rng, dim, int(rng.integers(1, 4))) if found else None,
        x=rng.standard_normal(dim),
        energy=float(rng.standard_normal()) if found else float("nan"),
        gradient_norm=1e-12 if found else float("inf"),
        target_index=1,
        n_steps=int(rng.integers(100)),
        n_energy=3,
        n_gradient=40,
        n_hvp=41,
        max_energy=float(rng.standard_normal()),
        seconds=float(rng.random()),
        trajectory=path,
    )


def task(rng: np.random.Generator, number: int, dim: int) -> Task:
    if number == 0:
        return Task(0, "start", -1, -1, 0, 2, np.empty(0), start=rng.standard_normal(dim))
    mirror = np.array([1.0, 0.5]) if number % 3 == 0 else None
    return Task(number, "down", 0, number, (-1) ** number, 1, rng.standard_normal(number % 4), mirror=mirror)


def commits(seed: int, dim: int, count: int, trajectories: bool = False) -> Iterator[tuple[SearchResult, Commit]]:
    """What a driver would record, search by search; every fourth fails, every third ends on a known node."""
    rng = np.random.default_rng(seed)
    current = task(rng, 0, dim)
    n_nodes = 0
    for number in range(count):
        found = number % 4 != 3
        new = found and (number % 3 != 2)
        made = result(rng, dim, found, trajectories and number % 2 == 0)
        follower = task(rng, number + 1, dim)
        node = n_nodes if new else (0 if found else -1)
        record = SearchRecord(
            task=current,
            result=SearchResult(**{**{name: getattr(made, name) for name in made.__dataclass_fields__}, "point": None}),
            node=node,
            element=np.array([0.0, 0.25]),
            merge_distance=float("nan") if new or not found else 1e-9,
            method="HiSD(index=1)",
            metric="preconditioned",
        )
        edges = (Edge(0, node, np.array([1.0, 0.0]), number % 2, "down", 1, -1, "HiSD", "mass", number, 0.5),) if node > 0 else ()
        commit = Commit(record, Node(node, made.point, number) if new else None, edges, (follower,))
        n_nodes += new
        yield made, commit
        current = follower


RUN = Run(0, "2026-01-01T00:00:00+00:00", "", "running", {"method": "HiSD()", "tol": 1e-8, "limits": [1, None]}, 2**127 + 1)
ENDED = Run(0, RUN.started, "2026-01-01T00:01:00+00:00", "complete", RUN.configuration, RUN.entropy)


def first_task(seed: int, dim: int) -> Task:
    return task(np.random.default_rng(seed), 0, dim)


def grown(seed: int, dim: int, count: int, trajectories: bool = False) -> Landscape:
    """The landscape those commits make."""
    landscape = Landscape(model_info(dim))
    landscape.runs.append(RUN)
    landscape.add_tasks((first_task(seed, dim),))
    for _, commit in commits(seed, dim, count, trajectories):
        landscape.apply(commit)
    return landscape


def begun(path: Path, seed: int, dim: int) -> tuple[FileStore, Landscape]:
    """A new file in which a run has just begun."""
    landscape = Landscape(model_info(dim))
    store = FileStore.create(path, landscape)
    begin(store, landscape, seed)
    return store, landscape


def begin(store: FileStore, landscape: Landscape, seed: int) -> None:
    tasks = (first_task(seed, landscape.info.dim),)
    store.begin(RUN, tasks)
    landscape.runs.append(RUN)
    landscape.add_tasks(tasks)


def drive(
    store: FileStore,
    landscape: Landscape,
    seed: int,
    count: int,
    every: int = 4,
    acknowledge: Callable[[str], None] = lambda line: None,
) -> None:
    """Do what is left of ``count`` searches: the next result always arrives before the last one is merged."""
    work = list(commits(seed, landscape.info.dim, count))
    for number in range(len(landscape.searches), count):
        for ahead in range(number, min(number + 2, count)):
            if ahead not in known_results(landscape):
                made = work[ahead][0]
                store.result(ahead, made)
                landscape.pending[ahead] = made
                acknowledge(f"result {ahead}")
        commit = work[number][1]
        store.commit(commit)
        acknowledge(f"commit {number}")
        landscape.apply(commit)
        if number % every == every - 1:
            store.checkpoint(landscape, force=True)


def known_results(landscape: Landscape) -> set[int]:
    return set(landscape.pending) | {search.task.id for search in landscape.searches}


def finish(store: FileStore, landscape: Landscape) -> None:
    store.end(ENDED)
    landscape.runs[-1] = ENDED
    store.close(landscape)


def golden() -> Landscape:
    """The landscape in data/golden_format_1.h5: numbers that need no random stream, so that they never change."""
    landscape = Landscape(model_info(6, np.arange(1.0, 7.0) / 7))
    landscape.runs.append(ENDED)
    x = AWKWARD
    for i in range(3):
        vectors = np.outer(np.arange(1.0, i + 2), np.arange(6.0)) / 3
        point = StationaryPoint(
            x * (i + 1), -i / 3, 1e-15, i, 0, -np.arange(1.0, i + 2), vectors, np.full(i + 1, 1e-16), f"node {i}", 1e-9, i + 1
        )
        landscape.nodes.append(Node(i, point, i, i + 2))
    landscape.edges.append(Edge(2, 1, np.array([3.0, 0.5]), 0, "down", 1, -1, "HiSD", "mass", 1, 0.1))
    landscape.edges.append(Edge(1, 0, np.array([1.0, 0.0]), 1, "quench+", 0, 1, "GradientFlow", "mass", 2, float("nan"), 3))
    for i in range(4):
        status = Status.NON_FINITE if i == 3 else Status.CONVERGED
        path = Trajectory(np.full((2, 6), i / 4), np.arange(2.0), np.ones(2)) if i == 1 else None
        made = SearchResult(status, f"search {i}", None, x[::-1].copy(), i / 7, float("inf"), 1, i, 2, 3, 4, -i / 9, 0.5, path)
        origin = Task(i, "down" if i else "start", i - 1, i, 1, 1, np.arange(float(i)), x.copy() if i == 0 else None)
        landscape.searches.append(SearchRecord(origin, made, i if i < 3 else -1, np.array([0.0, 0.0]), i / 11, "HiSD", "mass"))
    landscape.add_tasks((Task(9, "quench", 1, 0, -1, 0, np.ones(1), mirror=np.array([1.0, 0.0])),))
    landscape.pending[9] = SearchResult(Status.OTHER_INDEX, "late", landscape.nodes[0].point, x, 0.5, 0.0, 0, max_energy=0.75)
    return landscape
