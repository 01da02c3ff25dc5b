"""One task carried out: a pure function of the model, the parent point, the task and its seed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..dynamics.flow import GradientFlow
from ..dynamics.scales import curvature_length, departure, rough_lowest
from ..dynamics.search import Limits, connect, run
from ..dynamics.state import Method
from ..model import EnergyModel
from ..numerics.derivatives import Derivatives
from ..results import SearchResult, StationaryPoint, Status
from .explorer import ECDExplorer
from .records import Task
from .wander import wander

logger = logging.getLogger(__name__)

COUNTED = 20  # up to how many unstable directions of a start are counted where nobody said how many to expect
ABOVE = 3.0  # a downward search that rises above its parent by this many times its first descent is lost


@dataclass(frozen=True)
class Plan:
    """What every task of a run has in common.

    Parameters
    ----------
    method : Method
        For every index but 0 from an index-1 saddle.
    quench : GradientFlow
        From index-1 saddles down.
    limits : Limits
    entropy : int
        Seed of the run; each task spawns its own stream from it.
    max_index : int or None
        Highest index a start is searched for.
    explorer : ECDExplorer or None
        How trajectories are made.
    """

    method: Method
    quench: GradientFlow
    limits: Limits
    entropy: int
    max_index: int | None
    explorer: ECDExplorer | None = None


def execute(model: EnergyModel, plan: Plan, task: Task, parent: StationaryPoint | None, callback: Any = None) -> SearchResult:
    """Carry out one task. An exception of the model becomes a result with `Status.FAILED`: the run goes on.

    Raises
    ------
    MemoryError
        Not the model's fault, and not a property of the search.
    """
    try:
        if task.kind in ("start", "revisit", "ridge"):
            return _from_start(model, plan, task, parent.x if task.start is None else task.start, callback)
        if task.kind == "ecd":
            stop = (lambda: False) if callback is None else (lambda: bool(callback(None)))
            return wander(model, plan.explorer, plan.quench, parent, task.coefficients, _rng(plan, task), stop)
        return _from_node(model, plan, task, parent, callback)
    except MemoryError:
        raise
    except Exception as error:
        logger.warning("search %d (%s to index %d from node %d) failed: %s", task.id, task.kind, task.target, task.parent, error)
        logger.debug("its traceback", exc_info=True)
        x = task.start if parent is None else parent.x
        message = f"{Status.FAILED.sentence} {type(error).__name__}: {error}"
        return SearchResult(Status.FAILED, message, None, np.array(x), np.nan, np.nan, task.target)


def _rng(plan: Plan, task: Task) -> np.random.Generator:
    """The random stream of a task; the two sides of a search made again share one, so that they are two sides."""
    key = (task.run, task.id) if not task.noise else (task.run, task.parent, task.direction, task.sign + 1, task.target)
    return np.random.default_rng(np.random.SeedSequence(plan.entropy, spawn_key=key))


def _from_start(model: EnergyModel, plan: Plan, task: Task, x0: np.ndarray, callback: Any) -> SearchResult:
    """From a given point: stay if it is stationary, else go to the index of its Hessian (target -1) or to the one asked for."""
    method = plan.quench if task.target == 0 else plan.method
    derivatives = connect(model, x0, method)
    length = curvature_length(derivatives, x0, derivatives.solve(derivatives.gradient(x0)))
    rng = _rng(plan, task)
    index, frame = (task.target, None) if task.target >= 0 else _unstable(derivatives, x0, plan.max_index, rng)
    return run(derivatives, x0, method, index, plan.limits, frame=frame, length=length, rng=rng, callback=callback, stay=True)


def _unstable(derivatives: Derivatives, x0: np.ndarray, max_index: int | None, rng: np.random.Generator):
    """The index of the Hessian at a start, up to ``max_index``, and the eigenvectors that belong to it, (index, n)."""
    limit = min(derivatives.dim, COUNTED if max_index is None else max_index)
    if limit == 0:
        return 0, None
    values, vectors = rough_lowest(derivatives, x0, limit, rng)
    index = int(np.count_nonzero(values < 0.0))
    if max_index is None and index == limit < derivatives.dim:
        logger.warning(
            "the Hessian at a start has at least %d unstable directions, and %d is the highest index searched for from there; "
            "give max_index to look higher",
            index,
            limit,
        )
    return index, vectors[:index]


def _from_node(model: EnergyModel, plan: Plan, task: Task, parent: StationaryPoint, callback: Any) -> SearchResult:
    method = plan.quench if task.kind == "quench" else plan.method
    if task.noise and hasattr(method, "careful"):
        method = method.careful()
    c = task.coefficients
    v = task.sign * (c @ parent.eigenvectors[: c.size])
    derivatives = connect(model, parent.x, method)
    scale = departure(derivatives, parent.x, v, float(c**2 @ parent.eigenvalues[: c.size]))
    distance = scale.near if task.kind == "quench" else scale.turning
    frame = None
    if task.kind == "down":
        frame = _complement(c[: parent.index])[: task.target] @ parent.unstable
    elif task.kind == "up":
        frame = np.concatenate([parent.unstable, v[None]])
    step = distance * v
    length = scale.turning * np.abs(v).max()
    rng = _rng(plan, task) if task.noise or getattr(method, "draws", True) else None
    if task.noise:
        random = derivatives.solve(rng.standard_normal(model.dim))  # smooth, where there is a preconditioner
        random -= np.dot(v * derivatives.mass, random) / np.dot(v * derivatives.mass, v) * v
        step += task.noise * np.abs(step).max() / np.abs(random).max() * random
    x0, ceiling = parent.x + step, np.inf
    if task.kind == "down":
        ceiling = parent.energy + ABOVE * abs(parent.energy - derivatives.energy(x0))
    return run(
        derivatives, x0, method, task.target, plan.limits,
        frame=frame, length=length, rng=rng, callback=callback, ceiling=ceiling, rescue=task.kind != "up",
    )  # fmt: skip


def _complement(c: np.ndarray) -> np.ndarray:
    """An orthonormal basis (m - 1, m) of the complement of a unit vector (m,), each row near a unit vector and in their order."""
    leading = int(np.argmax(np.abs(c)))
    rows = np.delete(np.eye(c.size), leading, axis=0)
    if np.abs(np.delete(c, leading)).max(initial=0.0) == 0.0:
        return rows
    q, r = np.linalg.qr(np.concatenate([c[None], rows]).T)
    return (q * np.sign(np.diag(r))).T[1:]
