"""The parts a method is built from: how the frame follows, how long a step is, what momentum it carries.

All sizes default to the problem's own scales; a number overrides them.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..given import check_positive, is_integer


def check_index(index: object) -> None:
    """Check the Morse index of a method, or None where the driver gives it.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if not (index is None or (is_integer(index) and index >= 0)):
        raise ValueError(f"index: got {index!r}, expected a Morse index, an integer of at least 0")


def _whole(name: str, value: object) -> None:
    if not (is_integer(value) and value >= 1):
        raise ValueError(f"{name}: got {value!r}, expected an integer of at least 1")


def check_size(name: str, value: float | None) -> None:
    """Check a size that may be left to the problem (None).

    Raises
    ------
    ValueError
        If it is not positive.
    """
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
        check_size("size", self.size)


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
        check_size("cap", self.cap)


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
        check_size("size", self.size)
        check_size("cap", self.cap)


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
        _whole("restart", self.restart)


# --- stochastic dynamics --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Decaying:
    """Step sizes gamma / (n + m)^p: with 1/2 < p <= 1 their sum diverges and the sum of their squares does not.

    Near a saddle with mu = min |lambda| and L = max |lambda| the mean square error falls as n^-min(1, 2 gamma mu) for p = 1, as
    n^-p for p < 1; the first step gamma / m^p has to be less than 2 / L. Both are checked where a search is made, with a warning.

    Parameters
    ----------
    gamma : float
    m : float
        Larger: shorter first steps, which keep the iterate in its basin.
    p : float
        0 < p <= 1; up to 1/2 noise is not averaged out, and a warning says so.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    gamma: float
    m: float = 10.0
    p: float = 1.0

    def __post_init__(self) -> None:
        check_positive("gamma", self.gamma)
        check_positive("m", self.m)
        if not 0 < self.p <= 1:
            raise ValueError(f"p: got {self.p!r}, expected 0 < p <= 1 (see Constant for p = 0)")


@dataclass(frozen=True)
class Constant:
    """The same step size throughout: with noise the iterate ends up wandering around the saddle, its average does not.

    Parameters
    ----------
    size : float
    """

    size: float

    def __post_init__(self) -> None:
        check_positive("size", self.size)


@dataclass(frozen=True)
class Estimated:
    """Step sizes from the problem: constant while the iterate travels, then gamma / (n + m) with gamma = factor / mu.

    The constant is 1 / L, or less where the noise would carry the iterate out of its basin: such that its stationary spread is a
    tenth of the length over which the curvature changes by half. Travelling has ended when successive moves point, on average,
    against each other (Pflug's criterion); mu = min |lambda| is then estimated from the index + 1 lowest eigenvalues of the mean
    of a few sampled Hessians, and m makes the first decaying step as long as the constant one.

    Parameters
    ----------
    factor : float
        gamma mu; more than 1/2 for the full rate, and 1 is optimal where mu is known exactly.

    References
    ----------
    Pflug, Stoch. Models 6 (1990) 297; Chee, Toulis, AISTATS (2018).
    """

    factor: float = 2.0

    def __post_init__(self) -> None:
        if not self.factor > 0.5:
            raise ValueError(f"factor: got {self.factor!r}, expected more than 1/2: below that errors fall more slowly than 1/n")


@dataclass(frozen=True)
class EigenvectorSearch:
    """Frame by the stochastic eigenvector search: each vector by steps of Oja's kind, deflated by those before it.

    v_i' = v_i - b(n) (M^-1 H(x; w) v_i - sum_{j <= i} v_j (v_j . H(x; w) v_i)), then orthonormalised, i = 1 to k in turn, with a
    fresh sample w each sweep. See also `saddlescape.stochastic_eigenvectors`, which runs it at a fixed point.

    Parameters
    ----------
    step : Decaying, Constant or Estimated
        Step sizes b(n). Default: half of 1 / (width of the spectrum) while the iterate travels, then decaying as n^-0.7.
    inner : int
        Sweeps for each step of the saddle search; the frame goes on from where it was (warm start).

    References
    ----------
    Shi, Zhang, Du, arXiv 2510.14144, Algorithm 4.1.
    """

    step: Decaying | Constant | Estimated = Estimated()
    inner: int = 1

    def __post_init__(self) -> None:
        check_schedule_type("step", self.step)
        _whole("inner", self.inner)


@dataclass(frozen=True)
class DoublingBatch:
    """The number of samples that a step averages, doubled again and again.

    Parameters
    ----------
    every : int
        Steps between two doublings.
    limit : int
        The most samples of one step.
    """

    every: int = 1000
    limit: int = 256

    def __post_init__(self) -> None:
        _whole("every", self.every)
        _whole("limit", self.limit)


def check_schedule_type(name: str, schedule: object) -> None:
    """Check that something is a step-size schedule.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not isinstance(schedule, (Decaying, Constant, Estimated)):
        raise ValueError(f"{name}: got {schedule!r}, expected Decaying(gamma, m, p), Constant(size) or Estimated()")
