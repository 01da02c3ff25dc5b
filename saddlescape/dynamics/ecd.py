"""Energy-conserving descent: separable, isokinetic, and as first published."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

import numpy as np

from ..given import check_positive
from ..numerics.derivatives import Derivatives
from . import ecd_laws as laws
from .conserving import ADAPT, EnergyConserving
from .ecd_state import DescentState


@dataclass(frozen=True)
class ECDSep(EnergyConserving):
    """Energy-conserving descent, separable form: D^eta (1 + |p|^2) is conserved.

    x' = 2 M^-1 p / (1 + |p|^2), p' = -(eta / D) g. The speed is at most 1, so that no step is longer than ``step``, in whatever
    units the energy is: the energy times a factor, with floor and ceiling, gives the same trajectory. The time average has the
    density D^(-eta n/2) (1 - (D / D_c)^eta)^((n-2)/2), D_c being the ceiling's D.

    Parameters
    ----------
    floor, step, margin, box, direction, preconditioned
        See `EnergyConserving`; ``step`` is the largest displacement of a step, in the norm of the metric.
    ceiling : float, optional
        The energy above which the trajectory never rises: a barrier budget. Default: the energy of the start, where it is then at
        rest. Near a stationary point give one.
    eta : float
        At least 1: how strongly low energies are preferred.
    decoherence : float or None
        nu: every step the direction p/|p| becomes that of p/|p| + nu z with z normal, a turn by about nu sqrt(n). For a length L
        over which the direction is forgotten, nu = sqrt((e^(2 step/L) - 1) / n). With more than 100 unknowns, where normal numbers
        cost more than a step, z has entries of 1 and -1, whose projections are as good as normal; there, and under a
        preconditioner, the direction is changed every 10 steps, by as much as 10 changes do. None: no noise, and a symmetric start
        stays symmetric.
    form : "leapfrog" or "euler"
        Leapfrog is of second order; symplectic Euler steps are the published ones.

    Raises
    ------
    ValueError
        If an argument is out of range; at the start of a search if floor, energy of the start and ceiling are not in this order.

    References
    ----------
    De Luca, Gatti, Silverstein, arXiv 2306.00352.
    """

    _: KW_ONLY
    ceiling: float | None = None
    eta: float = 1.0
    decoherence: float | None = 0.01
    form: str = "leapfrog"

    kind: ClassVar[int] = laws.SEPARABLE

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_ceiling(self)
        _check_eta(self.eta)
        if self.decoherence is not None:
            check_positive("decoherence", self.decoherence, "a positive number, or None for no noise")
        if self.form not in ("leapfrog", "euler"):
            raise ValueError(f'form: got {self.form!r}, expected "leapfrog" or "euler"')

    def _prepared(self, derivatives: Derivatives, x0: np.ndarray, rng: np.random.Generator) -> DescentState:
        state = super()._prepared(derivatives, x0, rng)
        state.ints[laws.LEAPFROG] = self.form == "leapfrog"
        state.floats[laws.ETA] = self.eta
        self._add_noise(derivatives, state)
        return state


@dataclass(frozen=True)
class Isokinetic(EnergyConserving):
    """Isokinetic (q = 1) form of energy-conserving descent: constant speed, no ceiling.

    A step has the length ``step``, whatever the energy; what turns it is -(eta/2) (n/(n-1)) grad log D. The time average has the
    density D^(-eta n/2). Kicks are exact, steps a leapfrog. At least two unknowns.

    Parameters
    ----------
    floor, step, margin, box, direction, preconditioned
        See `EnergyConserving`; ``step`` is the length of every step, in the norm of the metric. Nothing but a box bounds the
        energy.
    eta, decoherence
        As in `ECDSep`.

    Raises
    ------
    ValueError
        If an argument is out of range; at the start of a search if the floor is not below its energy.

    References
    ----------
    Robnik, De Luca, Silverstein, Seljak, arXiv 2212.08549; q = 1: Silverstein, Kunin, Shyam, arXiv 2601.22257.
    """

    _: KW_ONLY
    eta: float = 1.0
    decoherence: float | None = 0.01

    kind: ClassVar[int] = laws.ISOKINETIC

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_eta(self.eta)
        if self.decoherence is not None:
            check_positive("decoherence", self.decoherence, "a positive number, or None for no noise")

    def _prepared(self, derivatives: Derivatives, x0: np.ndarray, rng: np.random.Generator) -> DescentState:
        if x0.size < 2:
            raise ValueError("dim: Isokinetic needs at least 2 unknowns, for on a line it cannot turn; use ECDSep")
        state = super()._prepared(derivatives, x0, rng)
        state.ints[laws.LEAPFROG] = 1
        state.floats[laws.ETA] = self.eta
        self._add_noise(derivatives, state)
        return state


@dataclass(frozen=True)
class BBI(EnergyConserving):
    """Energy-conserving descent in its first, Born-Infeld form: sqrt(D (D + |p|^2)) is conserved, as published.

    x' = (D / D_c) M^-1 p, p' = -1/2 (D / D_c + D_c / D) g, in Euler steps; the squared speed is at most D. Where the directions are
    not mixed by chaos alone, bounces do it. The time average has the density D^(-n/2) (1 - (D / D_c)^2)^((n-2)/2).

    Parameters
    ----------
    floor, margin, box, direction, preconditioned
        See `EnergyConserving`.
    step : float
        Time step: no displacement is longer than step sqrt(D), so that it depends on the units of the energy; below
        2 / sqrt(largest curvature).
    ceiling : float, optional
        As in `ECDSep`.
    bounce_every : int, optional
        Draw a new direction after so many steps. None: never.
    n_bounces : int, optional
        How often at most. None: without limit.
    stall_bounce : int, optional
        Draw a new direction when the best energy has not fallen for so many steps. None: never.
    bounce : "gaussian" or "uniform"
        Directions that are isotropic, or from a cube as published.

    Raises
    ------
    ValueError
        If an argument is out of range; at the start of a search if floor, energy of the start and ceiling are not in this order.

    References
    ----------
    De Luca, Silverstein, arXiv 2201.11137.
    """

    _: KW_ONLY
    ceiling: float | None = None
    bounce_every: int | None = None
    n_bounces: int | None = None
    stall_bounce: int | None = None
    bounce: str = "gaussian"

    kind: ClassVar[int] = laws.BBI

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_ceiling(self)
        for name, least in (("bounce_every", 1), ("n_bounces", 0), ("stall_bounce", 1)):
            value = getattr(self, name)
            whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
            if value is not None and not (whole and value >= least):
                off = "no limit" if name == "n_bounces" else "none"
                raise ValueError(f"{name}: got {value!r}, expected an integer of at least {least}, or None for {off}")
        if self.n_bounces is not None and self.bounce_every is None:
            raise ValueError("n_bounces: limits the bounces of bounce_every, which is None; give both or neither")
        if self.bounce not in ("gaussian", "uniform"):
            raise ValueError(f'bounce: got {self.bounce!r}, expected "gaussian" or, as published, "uniform"')

    def _prepared(self, derivatives: Derivatives, x0: np.ndarray, rng: np.random.Generator) -> DescentState:
        if self.bounce == "uniform" and derivatives.preconditioner is not None:
            raise ValueError('bounce: "uniform" knows no preconditioner; use "gaussian", or preconditioned=False')
        state = super()._prepared(derivatives, x0, rng)
        state.ints[laws.BOUNCE_EVERY] = self.bounce_every or 0
        state.ints[laws.MAX_BOUNCES] = np.iinfo(np.int64).max if self.n_bounces is None else self.n_bounces
        state.ints[laws.STALL_BOUNCE] = self.stall_bounce or 0
        state.ints[laws.UNIFORM] = self.bounce == "uniform"
        return state


def _check_eta(eta: float) -> None:
    if not (eta >= 1 and np.isfinite(eta)):
        raise ValueError(f"eta: got {eta!r}, expected a number of at least 1")


def _check_ceiling(method: ECDSep | BBI) -> None:
    if method.ceiling is None:
        return
    if not np.isfinite(method.ceiling):
        raise ValueError(f"ceiling: got {method.ceiling!r}, expected a finite energy, or None for that of the start")
    if method.floor != ADAPT and not method.ceiling > method.floor:
        raise ValueError(f"ceiling: {method.ceiling!r} is not above the floor, {method.floor!r}")
