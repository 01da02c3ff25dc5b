"""High-index saddle dynamics, plain, accelerated and preconditioned."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..numerics.derivatives import Derivatives
from . import advance
from .frames import inverse_root
from .implicit import Trial, begin_implicit, implicit_steps
from .scales import FARTHEST, FLAT, curvature_length, curvature_range, rough_lowest, stable_step
from .state import ArrayState, first_state
from .steps import LOBPCG, BarzilaiBorwein, FixedStep, HeavyBall, Nesterov, PowerStep, check_index

SMALL = 12  # up to this dimension a full frame costs little more than its k vectors
# Steps that a rescued search gets to make progress in, to its end: with fewer, those along slow interfaces are given up again.
RESCUED_PATIENCE = 100
IMPLICIT_PATIENCE = 25  # implicit steps double in length; each costs a factorisation


@dataclass(eq=False, kw_only=True)
class SaddleState(ArrayState):
    """`ArrayState` with the frame: see `saddlescape.dynamics.advance.saddle_steps`.

    Attributes
    ----------
    patience : int
        Steps over which the search has to make progress.
    rescues : int
        How often it has changed its ways.
    """

    patience: int
    rescues: int = 0

    def _block(self, number: int, n_rows: int) -> np.ndarray:
        first = advance.blocks(int(self.ints[advance.FRAME_ROWS]), int(self.ints[advance.BASIS_ROWS]))[number]
        return self.rows[first : first + n_rows]

    @property
    def frame(self) -> np.ndarray:
        """The frame X, (k, n): orthonormal in the metric, in the mass where steps are implicit."""
        return self._block(0, self.ints[advance.FRAME_ROWS])

    @property
    def metric_frame(self) -> np.ndarray:
        """Its image under the metric, (k, n)."""
        return self._block(1, self.ints[advance.FRAME_ROWS])

    @property
    def basis(self) -> np.ndarray:
        """What the frame is looked for in, (m, n)."""
        return self._block(4, self.ints[advance.BASIS_ROWS])

    @property
    def metric_basis(self) -> np.ndarray:
        """Its image under the metric, (m, n)."""
        return self._block(6, self.ints[advance.BASIS_ROWS])

    @property
    def d(self) -> np.ndarray:
        """The direction of the next step, (n,)."""
        return self.rows[advance.D]

    @property
    def md(self) -> np.ndarray:
        """Its image under the metric, (n,)."""
        return self.rows[advance.MD]

    @property
    def next_move(self) -> float:
        """The largest change of any unknown that the next step proposes; of an implicit one, what the last step made."""
        if self.shift is not None:
            return self.last_move
        return float(self.floats[advance.STEP] * np.abs(self.d).max())


@dataclass(frozen=True)
class HiSD:
    """High-index saddle dynamics: gradient descent reflected in a frame that follows the k lowest eigenvectors.

    x' = -M^-1 g + 2 X^T (X g), with X (k, n) orthonormal in the metric M. Near an index-k saddle this is gradient descent on a
    positive definite problem, so that Barzilai-Borwein steps, momentum and preconditioning work as they do for minimisation.

    A search that stalls is continued in other ways before it is given up (Barzilai-Borwein steps only, for they may go round in
    circles): first with fixed steps of the stable size, 1 / max |lambda| where it stands; where those crawl, with Barzilai-Borwein
    steps again; and where the Hessian is to be had as a matrix, with linearly implicit steps in the mass metric, whose length
    doubles for as long as the direction at their end is about that at their beginning. `explore` makes a downward search that
    missed its index again with ``careful()``: the same method with the frame by `LOBPCG`.

    Parameters
    ----------
    index : int, optional
        The Morse index to look for. Default: what the driver asks for.
    eigen : PowerStep or LOBPCG
        How the frame follows. Where the dimension is at most 12 and at most 3 k, and there is no preconditioner, the frame is
        exact instead: the eigenvectors of the whole Hessian, from n products a step.
    step : BarzilaiBorwein or FixedStep
        How long a step is.
    momentum : HeavyBall, Nesterov or None
        What a step keeps of the one before; with `FixedStep` only, because Barzilai-Borwein sizes assume plain steps.
    preconditioned : bool
        Use the model's preconditioner as the metric, if it has one (p-HiSD).

    Raises
    ------
    ValueError
        If the index is not an integer of at least 0, a part is of the wrong kind, or momentum comes with Barzilai-Borwein steps.

    References
    ----------
    Yin, Zhang, Zhang, SIAM J. Sci. Comput. 41 (2019) A3576 (HiSD); Luo, Zheng, Zhang, arXiv 2310.04656 (momentum);
    Huang, Su, Zhang, Zhao, arXiv 2603.25390 (preconditioning).
    """

    index: int | None = None
    eigen: PowerStep | LOBPCG = PowerStep()
    step: BarzilaiBorwein | FixedStep = BarzilaiBorwein()
    momentum: HeavyBall | Nesterov | None = None
    preconditioned: bool = True

    draws = False

    def __post_init__(self) -> None:
        check_index(self.index)
        for name, kinds in (
            ("eigen", (LOBPCG, PowerStep)),
            ("step", (BarzilaiBorwein, FixedStep)),
            ("momentum", (HeavyBall, Nesterov, type(None))),
        ):
            if not isinstance(getattr(self, name), kinds):
                expected = " or ".join("None" if kind is type(None) else f"{kind.__name__}()" for kind in kinds)
                raise ValueError(f"{name}: got {getattr(self, name)!r}, expected {expected}")
        if self.momentum is not None and isinstance(self.step, BarzilaiBorwein):
            raise ValueError(
                "momentum: Barzilai-Borwein steps assume plain steps between two points; use step=FixedStep() with momentum"
            )

    def begin(
        self,
        derivatives: Derivatives,
        x0: np.ndarray,
        *,
        index: int,
        frame: np.ndarray | None,
        length: float | None,
        rng: np.random.Generator | None,
    ) -> SaddleState:
        """See `saddlescape.dynamics.state.Method`."""
        n, k, sweeps = x0.size, index, isinstance(self.eigen, LOBPCG)
        exact = 3 * k >= n and n <= SMALL and derivatives.preconditioner is None
        m = n if exact else 3 * k if sweeps else k
        base = first_state(derivatives, x0, radius=FARTHEST * (1.0 + np.abs(x0).max()), n_rows=advance.blocks(k, m)[-1])
        state = SaddleState(**vars(base), patience=self._patience(derivatives, exact))
        state.rows[advance.LAST] = x0
        state.ints[advance.FRAME_ROWS], state.ints[advance.BASIS_ROWS] = k, m
        if state.outcome == advance.NON_FINITE:
            return state
        if exact:
            root = np.sqrt(derivatives.mass)
            state.basis.flat[:: n + 1], state.metric_basis.flat[:: n + 1] = 1.0 / root, root
            state.ints[advance.FRAME_RULE] = advance.EXACT
        elif k:
            block = frame if frame is not None else rough_lowest(derivatives, x0, k, rng)[1]
            state.frame[:], state.metric_frame[:] = orthonormal_frame(derivatives, block)
            state.basis[:k], state.metric_basis[:k] = state.frame, state.metric_frame
            state.ints[advance.FRAME_RULE] = advance.SWEEP if sweeps else advance.POWER
            state.ints[advance.WIDTH] = 2 * k
        state.own_cap = self.step.cap is not None
        self._set_sizes(derivatives, state, length)
        return state

    def _patience(self, derivatives: Derivatives, exact: bool) -> int:
        """Steps over which a search has to make progress; see `saddlescape.dynamics.search`."""
        if isinstance(self.step, FixedStep):
            return 1000
        return 25 if exact or derivatives.preconditioner is not None else 100

    def _set_sizes(self, derivatives: Derivatives, state: SaddleState, length: float | None) -> None:
        floats, ints = state.floats, state.ints
        state.length = curvature_length(derivatives, state.x, derivatives.solve(state.g)) if length is None else length
        floats[advance.CAP] = self.step.cap if self.step.cap is not None else 0.5 * state.length
        fixed = isinstance(self.step, FixedStep)
        asked = self.step.size if fixed else None
        frame_size = self.eigen.size if isinstance(self.eigen, PowerStep) else None
        if (fixed and asked is None) or (ints[advance.FRAME_RULE] == advance.POWER and frame_size is None and state.frame.size):
            low, high = curvature_range(derivatives, state.x)
            asked = stable_step(max(-low, high)) if asked is None else asked
            # Over the width of the spectrum, not over its radius: all but the lowest components of the frame must shrink. The
            # estimate has no width where all eigenvalues agree.
            frame_size = stable_step(max(high - low, high, -low)) if frame_size is None else frame_size
        floats[advance.FRAME_STEP] = frame_size if frame_size is not None else 0.0
        floats[advance.SHORT] = floats[advance.SHORTER] = np.inf
        if isinstance(self.momentum, HeavyBall):
            ints[advance.MOMENTUM_RULE], floats[advance.MOMENTUM] = advance.HEAVY_BALL, self.momentum.momentum
        elif isinstance(self.momentum, Nesterov):
            ints[advance.MOMENTUM_RULE], ints[advance.RESTART] = advance.NESTEROV, self.momentum.restart
        ints[advance.STEP_RULE] = advance.FIXED if fixed else advance.BARZILAI_BORWEIN
        self.advance(derivatives, state, 0, 0.0)
        floats[advance.STEP] = asked if fixed else _first_step(derivatives, state)

    def careful(self) -> HiSD:
        """The same method with the most faithful frame: three products a step instead of one."""
        return replace(self, eigen=LOBPCG())

    def rescue(self, derivatives: Derivatives, state: SaddleState) -> bool:
        """Fixed steps of the stable size, then long ones again, then implicit ones, where there is a Hessian to be had."""
        if isinstance(self.step, FixedStep) or state.rescues == 3:
            return False
        state.rescues += 1
        if state.rescues == 3:
            state.patience = IMPLICIT_PATIENCE
            return begin_implicit(derivatives, state)
        state.patience = RESCUED_PATIENCE
        if state.rescues == 2:
            state.ints[advance.STEP_RULE] = advance.BARZILAI_BORWEIN
            # The short steps remembered are those of before the first rescue.
            state.floats[advance.SHORT] = state.floats[advance.SHORTER] = np.inf
            return True
        low, high = curvature_range(derivatives, state.x)
        state.ints[advance.STEP_RULE] = advance.FIXED
        state.floats[advance.STEP] = stable_step(max(-low, high))
        return True

    def advance(self, derivatives: Derivatives, state: SaddleState, n_steps: int, tolerance: float) -> int:
        """See `saddlescape.dynamics.state.Method`."""
        state.floats[advance.TOLERANCE] = tolerance
        if state.shift is not None:
            return implicit_steps(derivatives, state, n_steps, state.frame, _consistent)
        call = state.calls
        first_products = int(state.ints[advance.WIDTH if state.ints[advance.FRAME_RULE] == advance.SWEEP else advance.BASIS_ROWS])
        done = call.saddle_steps(call.energy_gradient, call.hvp, call.eigh, *call.rest(state, n_steps))
        if derivatives.compiled:
            derivatives.n_gradient += done
            # A product for each row of the basis, except at a last point that is thrown away before the frame gets there.
            thrown_away = state.outcome in (advance.NON_FINITE, advance.TOO_FAR)
            derivatives.n_hvp += (done - thrown_away) * int(state.ints[advance.BASIS_ROWS])
            derivatives.n_hvp += first_products if n_steps == 0 else 0
        return done


def orthonormal_frame(derivatives: Derivatives, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (k, n) with the same span, orthonormal in the metric, and their images under it."""
    metric_rows = derivatives.apply(rows)
    gram = rows @ metric_rows.T
    if not np.trace(gram) > 0.0:
        raise ValueError(f"frame: its {rows.shape[0]} rows are all zero")
    c = inverse_root(np.linalg.eigh, gram)
    if c.shape[0] < rows.shape[0]:
        raise ValueError(f"frame: its {rows.shape[0]} rows span only {c.shape[0]} dimensions")
    return c @ rows, c @ metric_rows


def _first_step(derivatives: Derivatives, state: SaddleState) -> float:
    """1 / |Rayleigh quotient| of the first direction, in the metric; `FLAT` where that is 0."""
    along = np.dot(state.d, state.md)
    if along == 0.0:
        return FLAT
    curvature = abs(float(np.dot(state.d, derivatives.hvp(state.x, state.d))))
    return along / curvature if curvature > 1e-12 * along else FLAT


def _consistent(derivatives: Derivatives, state: SaddleState, trial: Trial) -> bool:
    """Whether the step that the same matrix would make from the end of a step is about that step again, or the rest of it.

    Natural monotonicity (Deuflhard, Newton Methods for Nonlinear Problems, 2004, section 3.1.4), for dynamics without an energy
    that falls: in a linear field that contracts the next step lies between 0 and this one; half as much again may be nonlinear.
    """
    change = trial.system.step(trial.g) - trial.step
    return derivatives.norm(change) <= 1.5 * derivatives.norm(trial.step)
