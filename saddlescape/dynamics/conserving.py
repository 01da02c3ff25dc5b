"""What the methods of energy-conserving descent have in common: frictionless trajectories above a floor of the energy."""

from __future__ import annotations

import logging
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

import numpy as np

from ..given import check_point, check_positive
from ..model import EnergyModel
from ..numerics.derivatives import Derivatives
from ..results import Descent, SearchResult
from . import ecd_laws as laws
from . import ecd_rows
from .ecd_state import FEW, NOISE_EVERY, DescentState, empty_state, go_on, make_steps, set_out, summary

log = logging.getLogger(__name__)

ADAPT = "adapt"


@dataclass(frozen=True)
class EnergyConserving:
    """What the methods of energy-conserving descent have in common: a frictionless particle above a floor of the energy.

    With D = E(x) - floor, the particle is the slower, or its stay the longer, the smaller D is, so that its time average is
    concentrated at low energies; nothing else draws it there, and it never comes to rest. Such a method explores: `search` makes
    ``max_steps`` steps with it, polishes nothing, and reports the best point in `SearchResult.descent`.

    Parameters
    ----------
    floor : float or "adapt"
        An energy that the trajectory should not reach, in the model's units: a little below the lowest energy there is. The lower
        it lies, the less does the trajectory care for low energies. "adapt": ``margin`` below the energy of the start, and again
        ``margin`` below any point that reaches it; the ceiling stays where it is. Else a point at the floor ends the trajectory.
    step : float
        Length of a step, see the methods.
    margin : float, optional
        Needed with ``floor="adapt"``: an energy.
    box : sequence of (low, high), optional
        A range for every unknown, or one for all, at whose walls trajectories are reflected.
    direction : (n,) sequence, optional
        The first direction. Default: downhill; at a stationary point one drawn at random.
    preconditioned : bool
        Measure momenta in the metric of the model's preconditioner, if it has one, not in the mass: on fields the step is then not
        set by the stiffest mode. The directions of noise and bounces are white there, which turns the soft modes most; the exact
        stationary measure needs isotropic noise, as it is in the mass.

    Notes
    -----
    The conserved energy is restored after each step by a factor on the momentum; what it has to correct is reported as
    ``descent.max_correction``, relative (of `ECDSep` for D^eta (1 + |p|^2)). A step that leads above the ceiling, or to energies
    that are not finite, is taken back and halved, 40 times at most. There must be an exact gradient: with noise in it nothing is
    conserved.
    """

    floor: float | str
    _: KW_ONLY
    step: float
    margin: float | None = None
    box: list | tuple | None = None
    direction: list | tuple | None = None
    preconditioned: bool = True

    index: ClassVar[int] = 0  # what a result says was asked for: trajectories that explore ask for no index
    explores: ClassVar[bool] = True
    kind: ClassVar[int]

    def __post_init__(self) -> None:
        if isinstance(self.floor, str) and self.floor != ADAPT:
            raise ValueError(f'floor: got {self.floor!r}, expected an energy or "adapt"')
        if not isinstance(self.floor, str) and not np.isfinite(self.floor):
            raise ValueError(f'floor: got {self.floor!r}, expected a finite energy or "adapt"')
        check_positive("step", self.step)
        if (self.floor == ADAPT) != (self.margin is not None):
            raise ValueError(
                f'margin: got {self.margin!r} with floor={self.floor!r}; floor="adapt" needs a margin, an energy, and a fixed '
                "floor takes none"
            )
        if self.margin is not None:
            check_positive("margin", self.margin)
        if self.box is not None:
            object.__setattr__(self, "box", _box(self.box))
        if self.direction is not None:
            direction = np.asarray(self.direction)
            direction = check_point(direction, direction.size, "direction")
            if not direction.any():
                raise ValueError("direction: all its entries are 0, expected a direction, or None to go downhill")
            object.__setattr__(self, "direction", tuple(direction.tolist()))

    def require(self, model: EnergyModel) -> None:
        """Check that a model has an exact gradient; TypeError if not."""
        if not model.deterministic:
            raise TypeError(
                f"model: {type(model).__name__} has stochastic derivatives alone, with which no energy is conserved; use SHiSD, or "
                "give it an energy and a gradient (of one fixed batch, say)"
            )

    def begin(
        self,
        derivatives: Derivatives,
        x0: np.ndarray,
        *,
        index: int,
        frame: np.ndarray | None,
        length: float | None,
        rng: np.random.Generator,
    ) -> DescentState:
        """See `saddlescape.dynamics.state.Method`."""
        state = self._prepared(derivatives, x0, rng)
        if state.ended is None:
            self._bound(state)
            set_out(derivatives, state, self.direction)
        return state

    def advance(self, derivatives: Derivatives, state: DescentState, n_steps: int, tolerance: float) -> int:
        """See `saddlescape.dynamics.state.Method`; there is no tolerance to meet."""
        lowered = state.ints[laws.ADAPTED]
        done = make_steps(derivatives, state, n_steps)
        if state.ints[laws.ADAPTED] > lowered:
            log.info("floor: a point at it was found, it now is %.10g", state.floor)
        return done

    def summary(self, state: DescentState) -> Descent:
        """What the trajectory went through."""
        return summary(state)

    def after(self, result: SearchResult) -> Continued:
        """This method to go on where a search with it ended: ``search(model, result.x, method.after(result))``.

        The two together are what one search of as many steps would have been, to the last bit; its random stream goes on too, so
        that ``rng`` is not used.

        Raises
        ------
        ValueError
            If the result is of another method.
        """
        if result.descent is None:
            raise ValueError("result: it has no descent, expected the result of a search with an energy-conserving method")
        return Continued(self, result.x, result.descent)

    def _prepared(self, derivatives: Derivatives, x0: np.ndarray, rng: np.random.Generator) -> DescentState:
        """Arrays at x0 with the parameters of the method in them."""
        state = empty_state(derivatives, x0, rng)
        floats, ints, rows = state.floats, state.ints, state.rows
        ints[laws.KIND] = self.kind
        floats[laws.STEP], floats[laws.CEILING] = self.step, np.inf
        if self.floor == ADAPT:
            floats[laws.MARGIN], ints[laws.ADAPT] = self.margin, 1
        if self.direction is not None and len(self.direction) != x0.size:
            raise ValueError(f"direction: got {len(self.direction)} entries, expected {x0.size}")
        if self.box is not None:
            self._enclose(derivatives, x0, rows)
            ints[laws.BOXED] = 1
        return state

    def _enclose(self, derivatives: Derivatives, x0: np.ndarray, rows: np.ndarray) -> None:
        if derivatives.preconditioner is not None:
            raise ValueError("box: the preconditioner couples the unknowns, which walls cannot reflect; use preconditioned=False")
        walls = np.array(self.box)
        if walls.ndim == 2 and len(walls) != x0.size:
            raise ValueError(f"box: got {len(walls)} ranges, expected {x0.size}, one for each unknown, or one (low, high) for all")
        rows[ecd_rows.LOWER], rows[ecd_rows.UPPER] = walls.T if walls.ndim == 2 else walls
        outside = np.flatnonzero((x0 < rows[ecd_rows.LOWER]) | (x0 > rows[ecd_rows.UPPER]))
        if outside.size:
            raise ValueError(f"box: x0 lies outside of it, in {outside.size} unknowns, the first at position {outside[0]}")

    def _bound(self, state: DescentState) -> None:
        """Set floor and ceiling, and check that the start lies between them."""
        here = state.energy
        floor = here - self.margin if self.floor == ADAPT else self.floor
        if not floor < here:
            raise ValueError(
                f"floor: {floor:.10g} is not below the energy of the start, {here:.10g}; give a lower floor, or "
                'floor="adapt" with a margin'
            )
        state.floats[laws.FLOOR] = floor
        if self.kind == laws.ISOKINETIC:
            return
        ceiling = here if self.ceiling is None else self.ceiling
        if ceiling < here:
            raise ValueError(f"ceiling: {ceiling:.10g} is below the energy of the start, {here:.10g}; give a higher one")
        still = state.gradient_norm == 0.0
        if still and ceiling == here:
            raise ValueError(
                f"ceiling: the start is stationary and its energy {here:.10g} is the ceiling, so nothing would move; give a "
                "higher one"
            )
        state.floats[laws.CEILING] = ceiling

    def _add_noise(self, derivatives: Derivatives, state: DescentState) -> None:
        if self.decoherence is None:
            return
        n = derivatives.dim
        every = 1 if derivatives.preconditioner is None and n <= FEW else NOISE_EVERY
        state.ints[laws.NOISE_EVERY] = every
        state.ints[laws.SIGNS] = n > FEW
        # A turn multiplies the mean cosine with the old direction by (1 + nu^2 n)^(-1/2): one turn as so many smaller ones.
        growth = np.expm1(min(every * np.log1p(self.decoherence**2 * n), laws.LARGEST_EXPONENT))
        state.floats[laws.NOISE] = np.sqrt(growth / n)


@dataclass(frozen=True)
class Continued:
    """An energy-conserving method that begins where a trajectory ended; see `EnergyConserving.after`."""

    method: EnergyConserving
    x: np.ndarray
    descent: Descent

    def __getattr__(self, name: str) -> Any:
        if name == "method":  # not there yet: a copy is being made
            raise AttributeError(name)
        return getattr(self.method, name)

    def begin(self, derivatives: Derivatives, x0: np.ndarray, **arguments: Any) -> DescentState:
        """See `saddlescape.dynamics.state.Method`."""
        if not np.array_equal(x0, self.x):
            raise ValueError("x0: the trajectory to go on with ended elsewhere; pass result.x")
        state = self.method._prepared(derivatives, x0, arguments["rng"])
        go_on(state, self.descent)
        return state


def _box(box: Any) -> tuple:
    walls = np.asarray(box, dtype=float)
    if walls.ndim not in (1, 2) or walls.shape[-1:] != (2,) or not walls.size:
        raise ValueError(f"box: got {box!r}, expected (low, high) for every unknown, or one such pair for all")
    if not (np.isfinite(walls).all() and (walls[..., 0] < walls[..., 1]).all()):
        raise ValueError(f"box: got {box!r}, expected finite ranges with low < high")
    return tuple(tuple(pair) for pair in walls.tolist()) if walls.ndim == 2 else tuple(walls.tolist())
