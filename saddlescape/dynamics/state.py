"""What every method's state offers the loop, and the calls that connect it to a model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from ..model import EnergyModel
from ..numerics.derivatives import Derivatives
from . import advance, primitives


@runtime_checkable
class Method(Protocol):
    """What `search` and `explore` ask of a method; `HiSD` and `GradientFlow` are examples, a user's own is another.

    Attributes
    ----------
    preconditioned : bool
        Whether the model's preconditioner serves as the metric.

    Notes
    -----
    Members that a method may have besides these; without them it still serves:

    index : int or None
        The Morse index to look for. `search` needs it to be a number; `explore` hands its own to ``begin``.
    rescue(derivatives, state) -> bool
        Called when a search has stalled, to go on in a slower and safer way: returns whether there is one. It may be called again.
    stochastic : bool
        Whether stochastic derivatives alone will do; `search` then takes a model that has no others.
    require(model)
        Raises TypeError where the method cannot move points of a model.
    conclude(derivatives, state, index) -> Estimate or None
        What can be said of the end of a search that was not certified.
    draws : bool
        False: with a frame given, or for index 0, nothing is drawn, and ``rng`` may be None. Seeding a stream takes as long as
        twenty steps of a small model.
    explores : bool
        True: it does not converge, and is asked for all its steps. It then has ``summary(state) -> Descent``, its ``index`` is 0,
        and its state has ``ended``, the `Status` that says why it cannot go on, None while it can, ``trouble``, a text on it, and
        ``energy_error``, by how much the last step left the conserved energy wrong.
    careful() -> Method
        The method for searches that are made again because they missed: the same, with more effort spent on the frame.
    """

    preconditioned: bool

    def begin(
        self,
        derivatives: Derivatives,
        x0: np.ndarray,
        *,
        index: int,
        frame: np.ndarray | None,
        length: float | None,
        rng: np.random.Generator | None,
    ) -> State:
        """Prepare a search for a point of the given index from x0 (n,).

        ``frame`` (index, n): where the unstable directions are looked for first, or None; ``length``: distance (max-norm) over
        which the energy is known to be simple, or None to measure it.
        """

    def advance(self, derivatives: Derivatives, state: State, n_steps: int, tolerance: float) -> int:
        """Make up to ``n_steps`` steps, stopping once the gradient norm is at most ``tolerance``; returns how many were made."""


class State(Protocol):
    """Where a search stands. All of it is read by the loop, none of it is written there.

    Attributes
    ----------
    start, x : (n,) arrays
        Where the search began, and where it is.
    energy, gradient_norm, max_energy : float
        E(x); the norm of dE/dx in the mass inner product; the highest energy so far.
    length : float
        Distance (max-norm) over which the energy is simple.
    next_move : float
        The largest change of any unknown that the next step proposes: Newton's method is tried where it is small beside ``length``.
    outcome : int
        `advance.RUNNING`, ``REACHED``, ``NON_FINITE`` or ``TOO_FAR`` (0 to 3), how the last steps ended.
    patience : int
        Steps over which the search has to make progress; six times as many without any are a stall.

    Notes
    -----
    Members that a state may have besides these:

    estimate : (n,) array
        Where the point is looked for, if not at ``x``: an average of iterates, say. ``energy`` and ``gradient_norm`` belong to it.
    check_every : int
        Steps until the loop should look again.
    n_rejected : int
        Steps that were rejected.
    """

    x: np.ndarray
    gradient_norm: float
    energy: float
    max_energy: float
    length: float
    next_move: float
    start: np.ndarray
    outcome: int
    patience: int

    def widen(self, length: float) -> None:
        """The search has gone far: ``length`` is its scale from here on."""


@dataclass(eq=False, kw_only=True)
class RowState:
    """What all states share whose vectors are rows of one array.

    Attributes
    ----------
    rows : (n_rows, n) array
        All vectors of the search, contiguous.
    """

    rows: np.ndarray

    @property
    def start(self) -> np.ndarray:
        """Where the search began, (n,)."""
        return self.rows[primitives.START]

    @property
    def x(self) -> np.ndarray:
        """Where it stands, (n,); a view, as all of these."""
        return self.rows[advance.X]


@dataclass(eq=False, kw_only=True)
class ArrayState(RowState):
    """State of the built-in methods: arrays that the stepping functions update in place.

    Attributes
    ----------
    rows : (n_rows, n) array
        All vectors of the search, contiguous.
    floats, ints : arrays
        Numbers that move with the state; `saddlescape.dynamics.advance` names their places, and the rows.
    calls : Calls
        What steps are made with.
    length : float
        Distance (max-norm) over which the energy is simple around the start, or an eighth of the way gone since, if that is more.
    own_cap : bool
        Whether the displacement cap is the user's.
    shift : float or None
        1 / time step of implicit steps; None while the steps are explicit.
    last_move : float
        The largest change of any unknown in the last implicit step.
    hessian : (n, n) array, scipy.sparse matrix or None
        That at x, once an implicit step has asked for it: steps that are taken back share it.
    """

    floats: np.ndarray
    ints: np.ndarray
    calls: Calls
    length: float
    own_cap: bool = False
    shift: float | None = None
    last_move: float = 0.0
    hessian: Any = None

    def widen(self, length: float) -> None:
        """Take a larger length as the scale, and the displacement cap with it unless the user set it."""
        if not self.own_cap:
            self.floats[advance.CAP] *= length / self.length
        self.length = length

    @property
    def g(self) -> np.ndarray:
        """dE/dx at x, (n,)."""
        return self.rows[advance.G]

    @property
    def energy(self) -> float:
        """E(x)."""
        return float(self.floats[advance.ENERGY])

    @property
    def gradient_norm(self) -> float:
        """Norm of dE/dx in the mass inner product."""
        return float(self.floats[advance.GRADIENT_NORM])

    @property
    def max_energy(self) -> float:
        """The highest energy so far."""
        return float(self.floats[advance.MAX_ENERGY])

    @property
    def outcome(self) -> int:
        """advance.RUNNING, REACHED, NON_FINITE or TOO_FAR."""
        return int(self.ints[advance.OUTCOME])


def first_state(derivatives: Derivatives, x0: np.ndarray, radius: float, n_rows: int) -> ArrayState:
    """Arrays at the start, energy and gradient evaluated."""
    rows = np.zeros((n_rows, x0.size))
    rows[primitives.START] = rows[advance.X] = x0
    floats, ints = np.zeros(advance.N_FLOATS), np.zeros(advance.N_INTS, dtype=np.int64)
    floats[advance.ENERGY] = floats[advance.MAX_ENERGY] = derivatives.energy_gradient(rows[advance.X], rows[advance.G])
    floats[advance.GRADIENT_NORM] = derivatives.gradient_norm(rows[advance.G])
    floats[advance.RADIUS] = radius
    if not (np.isfinite(floats[advance.ENERGY]) and np.isfinite(floats[advance.GRADIENT_NORM])):
        ints[advance.OUTCOME] = advance.NON_FINITE
    return ArrayState(rows=rows, floats=floats, ints=ints, calls=calls(derivatives), length=0.0)


class Calls(NamedTuple):
    """What connects the stepping functions to a model: compiled pointers, or bound methods in the interpreter.

    The metric is an object with ``solve(rows)``; compiled, it is the mass (n,).
    """

    saddle_steps: Callable[..., int]
    flow_steps: Callable[..., int]
    energy_gradient: Any
    hvp: Any
    eigh: Any
    params: Any
    metric: Any
    mass: np.ndarray

    def rest(self, state: ArrayState, n_steps: int) -> tuple:
        """The arguments of a stepping function behind the functions of the model."""
        return self.params, self.metric, self.mass, n_steps, state.rows, state.floats, state.ints


def interpreted(derivatives: Derivatives) -> Calls:
    """The stepping functions in the interpreter over any model; every call is counted by ``derivatives``."""
    return Calls(
        advance.saddle_steps,
        advance.flow_steps,
        lambda x, params, out: derivatives.energy_gradient(x, out),
        lambda x, v, params, out: derivatives.hvp(x, v, out),
        advance.finite_eigh,
        None,
        derivatives,
        derivatives.mass_vector,
    )


def compiled(derivatives: Derivatives) -> Calls:
    """The stepping functions compiled, over the kernels of a model without a preconditioner."""
    saddle_steps, flow_steps, eigh = advance.compiled()
    energy_gradient, hvp = derivatives.model.kernels.pointers
    mass = derivatives.mass_vector
    return Calls(saddle_steps, flow_steps, energy_gradient, hvp, eigh, derivatives.model.params, mass, mass)


def calls(derivatives: Derivatives) -> Calls:
    """Compiled where possible, else interpreted."""
    return compiled(derivatives) if derivatives.compiled else interpreted(derivatives)


def connect(model: EnergyModel, x0: np.ndarray, method: Method) -> Derivatives:
    """The model's derivatives, with its preconditioner built at x0 if the method wants it."""
    wanted = getattr(method, "preconditioned", False) and hasattr(model, "preconditioner")
    return Derivatives(model, model.preconditioner(x0) if wanted else None)
