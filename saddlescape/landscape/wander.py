"""A trajectory under a ceiling carried out: labels along it, ridge points where they change."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from ..dynamics.basins import Basins, Ridge
from ..dynamics.ecd import ECDSep
from ..dynamics.flow import GradientFlow
from ..dynamics.relaxed import RelaxedSubspace
from ..dynamics.scales import curvature_range
from ..dynamics.search import connect
from ..dynamics.subspace import Subspace, given_modes, soft_modes
from ..model import EnergyModel
from ..numerics.derivatives import Derivatives
from ..results import SearchResult, StationaryPoint, Status, Trajectory
from .explorer import ECDExplorer

STABLE = 0.3  # of sqrt(W / (2 eta kappa)), about a seventh of the step that is unstable around the minimum: it is steeper higher up
PRECISION = 1e-5  # of the height of the ceiling above the floor, to which everything else is relaxed
TURN = 0.14  # by about this angle a trajectory is turned at random in each step: it forgets its direction in 100


def wander(
    model: EnergyModel,
    explorer: ECDExplorer,
    flow: GradientFlow,
    minimum: StationaryPoint,
    levels: np.ndarray,
    rng: np.random.Generator,
    stop: Callable[[], bool],
) -> SearchResult:
    """One trajectory from a minimum, between the levels (floor, ceiling) of its energy.

    Returns
    -------
    SearchResult
        Its trajectory is made of the ridge points alone, rounded to the single precision in which files keep them.
    """
    began = time.perf_counter()
    derivatives = connect(model, minimum.x, flow)
    walk = Walk(explorer, derivatives, minimum, levels, rng)
    watch = Watch(explorer, Basins(derivatives, flow))
    finished = watch.follow(walk.path(), minimum.x, stop)
    status = walk.ended or (Status.COMPLETED if finished else Status.INTERRUPTED)
    low, median, high = np.quantile(watch.energies or [minimum.energy], [0.0, 0.5, 1.0]) - minimum.energy
    message = (
        f"{status.sentence} Ceiling {levels[1]:.10g}, floor {walk.state.floor:.10g}, steps of {walk.method.step:.3g}: "
        f"{len(watch.energies)} points, {low:.4g} to {high:.4g} above the minimum, half of them below {median:.4g}; "
        f"{len(watch.basins.minima)} basins seen, the last new one after {watch.last_new} gradients, {watch.changes} changes "
        f"between them, {len(watch.ridges)} ridge points kept; "
        f"{derivatives.n_gradient} gradients and {derivatives.n_hvp} Hessian-vector products."
    )
    x, energy = walk.here()
    norm = derivatives.gradient_norm(derivatives.gradient(x))
    return SearchResult(
        status, message, None, x, energy, norm, 1, walk.n_steps, derivatives.n_energy, derivatives.n_gradient, derivatives.n_hvp,
        walk.state.max_energy, time.perf_counter() - began, _kept(derivatives, watch.ridges),
    )  # fmt: skip


def _kept(derivatives: Derivatives, ridges: list[Ridge]) -> Trajectory:
    """The ridge points as a search result carries them: what is left of them in a file must be what memory has."""
    x = np.array([ridge.x for ridge in ridges]).reshape(-1, derivatives.dim).astype(np.float32).astype(np.float64)
    gradients = np.empty_like(x)
    energies = [derivatives.energy_gradient(point, g) for point, g in zip(x, gradients, strict=True)]
    return Trajectory(x, np.array(energies, dtype=float), np.array([derivatives.gradient_norm(g) for g in gradients], dtype=float))


class Walk:
    """A trajectory on all unknowns, or on a plane of a few directions.

    Parameters
    ----------
    explorer : ECDExplorer
    derivatives : Derivatives
        Of the model.
    minimum : StationaryPoint
    levels : (floor, ceiling)
    rng : Generator
    """

    def __init__(
        self,
        explorer: ECDExplorer,
        derivatives: Derivatives,
        minimum: StationaryPoint,
        levels: np.ndarray,
        rng: np.random.Generator,
    ):
        self.explorer = explorer
        floor, ceiling = (float(level) for level in levels)
        self.plane, start = None, minimum.x
        self.derivatives = flat = derivatives
        if explorer.modes is not None:
            rows = _directions(derivatives, minimum.x, explorer.modes)
            self.plane, start = Subspace(derivatives, minimum.x, rows), np.zeros(len(rows))
            self.derivatives = flat = Derivatives(self.plane)
            if explorer.rest == "relaxed":
                self.plane = RelaxedSubspace(derivatives, minimum.x, rows, PRECISION * (ceiling - floor), rng.spawn(1)[0])
                self.derivatives = Derivatives(self.plane)
        step, turn = explorer.step, explorer.decoherence
        if step is None:
            curvature = curvature_range(flat, start)[1]  # relaxing everything else only makes it less
            step = STABLE * float(np.sqrt((ceiling - floor) / (2.0 * explorer.eta * curvature)))
        turn = TURN / float(np.sqrt(start.size)) if turn is None else turn
        # A better point than the minimum lowers the floor: what was chosen is how high the trajectory may go.
        self.method = ECDSep("adapt", margin=minimum.energy - floor, ceiling=ceiling, step=step, eta=explorer.eta, decoherence=turn)
        self.state = self.method.begin(self.derivatives, start, index=0, frame=None, length=None, rng=rng)
        self.ended = self.state.ended
        self.n_steps = 0

    def here(self) -> tuple[np.ndarray, float]:
        """The point on all unknowns (n,), and its energy."""
        x = self.state.x.copy() if self.plane is None else self.plane.point(self.state.x)
        return x, self.state.energy

    def path(self) -> Iterator[tuple[np.ndarray, float]]:
        """Where it is every few steps, until it ends."""
        while self.n_steps < self.explorer.n_steps and self.ended is None:
            left = self.explorer.n_steps - self.n_steps
            self.n_steps += self.method.advance(self.derivatives, self.state, min(self.explorer.every, left), 0.0)
            self.ended = self.state.ended
            yield self.here()


def _directions(derivatives: Derivatives, x: np.ndarray, modes: int | tuple) -> np.ndarray:
    """The rows (m, n) that a trajectory from the minimum x (n,) moves along."""
    return given_modes(derivatives, x, np.array(modes)) if isinstance(modes, tuple) else soft_modes(derivatives, x, modes)


@dataclass(eq=False)
class Watch:
    """What was seen along a path.

    Parameters
    ----------
    explorer : ECDExplorer
    basins : Basins
    ridges : list of Ridge
        At most ``explorer.tries`` for each pair of basins.
    energies : list of float
        At the points that were looked at.
    changes : int
        How often the label changed.
    last_new : int
        The gradients that had been spent when a basin was last seen for the first time.
    """

    explorer: ECDExplorer
    basins: Basins
    ridges: list[Ridge] = field(default_factory=list)
    energies: list[float] = field(default_factory=list)
    changes: int = 0
    last_new: int = 0

    def follow(self, path: Iterator[tuple[np.ndarray, float]], before: np.ndarray, stop: Callable[[], bool]) -> bool:
        """Follow a path from the minimum ``before`` (n,) to its end; False if ``stop()`` turned true before that."""
        label = self.basins.add(before)
        for x, energy in path:
            if stop():
                return False
            self.energies.append(energy)
            known = len(self.basins.minima)
            now = self.basins.label(x)
            if len(self.basins.minima) > known:
                self.last_new = self.basins.derivatives.n_gradient
            if now < 0:  # no basin
                continue
            if now != label:
                self.changes += 1
                self._cross(before, x, (label, now))
            before, label = x, now
        return True

    def _cross(self, a: np.ndarray, b: np.ndarray, basins: tuple[int, int]) -> None:
        """Keep the ridge point between two points in these basins, unless there are enough of that pair."""
        if self._enough(basins):
            return
        ridge = self.basins.bisect(a, b, basins)
        if ridge is not None and not self._enough(ridge.basins):
            self.ridges.append(ridge)

    def _enough(self, basins: tuple[int, int]) -> bool:
        return Counter(frozenset(ridge.basins) for ridge in self.ridges)[frozenset(basins)] >= self.explorer.tries
