"""The parts a method is built from: how the frame follows, how long a step is, what momentum it carries.

All sizes default to the problem's own scales; a number overrides them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


def _positive(name: str, value: float | None) -> None:
    if value is not None and not value > 0:
        raise ValueError(f"{name}: got {value!r}, expected a positive number, or None to take it from the problem")


@dataclass(frozen=True)
class LOBPCG:
    """Frame by one sweep of the locally optimal block preconditioned conjugate gradient method a step.

    Three Hessian-vector products per frame vector and step (frame, residuals, last change), no step size: images of older vectors
    are not reused, because the Hessian has changed since. It follows more faithfully than `PowerStep` and costs three times as
    much: searches that are made again use it (`HiSD.careful`). In small dimension the frame is exact, see `HiSD`.

    References
    ----------
    Knyazev, SIAM J. Sci. Comput. 23 (2001) 517.
    """


@dataclass(frozen=True)
class PowerStep:
    """Frame by one step of (preconditioned) gradient descent on the Rayleigh quotients, then Rayleigh-Ritz inside the frame.

    One Hessian-vector product per frame vector and step. In small dimension the frame is exact, see `HiSD`.

    Parameters
    ----------
    size : float, optional
        Step size tau. Default: 1 / (width of the spectrum of the Hessian in the metric, estimated at the start; if all of it has
        one sign, its largest absolute value), and 1 where the Hessian vanishes. A step so long that the frame would lose a
        direction to round-off is left out.

    References
    ----------
    Yin, Zhang, Zhang, SIAM J. Sci. Comput. 41 (2019) A3576.
    """

    size: float | None = None

    def __post_init__(self) -> None:
        _positive("size", self.size)


@dataclass(frozen=True)
class BarzilaiBorwein:
    """Adaptive Barzilai-Borwein steps (ABBmin) from the last changes of position and of the *reflected* direction, in the metric.

    The long step <dx, dx> / |<dx, dd>|, or, where the short one |<dx, dd>| / <dd, dd> is less than half of it, the shortest of the
    last three short ones. Measured on the reduced Landau-de Gennes square (41 x 41, lambda2 = 30, index 4): a median of 46
    iterations, 70 with short steps alone.

    Parameters
    ----------
    cap : float, optional
        Largest change of any unknown in one step. Default: half the length over which the curvature along the first direction
        changes by half (in `explore`, half the distance to the turning point of the slope); it grows to 1/16 of the way gone, if
        that is more. A cap given here stays as it is.

    References
    ----------
    Barzilai and Borwein, IMA J. Numer. Anal. 8 (1988) 141; Frassoldati, Zanni, Zanghirati, J. Ind. Manag. Optim. 4 (2008) 299.
    """

    cap: float | None = None

    def __post_init__(self) -> None:
        _positive("cap", self.cap)


@dataclass(frozen=True)
class FixedStep:
    """The same step size throughout (explicit Euler).

    Parameters
    ----------
    size : float, optional
        Default: 1 / (largest |eigenvalue| of the Hessian in the metric, estimated at the start), and 1 where the Hessian vanishes.
    cap : float, optional
        Largest change of any unknown in one step; default as in `BarzilaiBorwein`.
    """

    size: float | None = None
    cap: float | None = None

    def __post_init__(self) -> None:
        _positive("size", self.size)
        _positive("cap", self.cap)


@dataclass(frozen=True)
class HeavyBall:
    """Polyak's heavy ball: adds ``momentum`` times the last displacement.

    References
    ----------
    Luo, Zheng, Zhang, arXiv 2310.04656.
    """

    momentum: float = 0.9

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum: got {self.momentum!r}, expected 0 <= momentum < 1")


@dataclass(frozen=True)
class Nesterov:
    """Nesterov's extrapolation with weight n / (n + 3).

    Parameters
    ----------
    restart : int
        n starts again from 0 after this many steps, and whenever the extrapolation points against the direction.

    References
    ----------
    Luo, Zheng, Zhang, arXiv 2310.04656; O'Donoghue and Candes, Found. Comput. Math. 15 (2015) 715.
    """

    restart: int = 200

    def __post_init__(self) -> None:
        if not isinstance(self.restart, (int, np.integer)) or isinstance(self.restart, bool) or self.restart < 1:
            raise ValueError(f"restart: got {self.restart!r}, expected an integer of at least 1")
