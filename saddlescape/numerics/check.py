"""Checking a model: do its members tell one consistent story?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..given import check_point
from ..model import EnergyModel, check_is_model
from ..naming import model_name
from .checks import CHECKS, ESTIMATE_CHECKS, CheckResult, Subject
from .derivatives import Derivatives

__all__ = ["CheckResult", "ModelReport", "check_model", "gradient_consistent"]


@dataclass(frozen=True)
class ModelReport:
    """What `check_model` found. ``print(report)`` shows it as a table.

    Parameters
    ----------
    model : str
        Name of the model.
    dim : int
        Its number of unknowns.
    checks : tuple of CheckResult
    """

    model: str
    dim: int
    checks: tuple[CheckResult, ...]

    @property
    def ok(self) -> bool:
        """Whether no check failed."""
        return not self.failures

    @property
    def failures(self) -> tuple[CheckResult, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.status == "failed")

    def __getitem__(self, name: str) -> CheckResult:
        for check in self.checks:
            if check.name == name:
                return check
        raise KeyError(f"no check is named {name}; there are: {', '.join(check.name for check in self.checks)}")

    def __str__(self) -> str:
        count = len(self.failures)
        verdict = "no check failed" if self.ok else f"{count} of {len(self.checks)} checks FAILED"
        width = max(len(check.name) for check in self.checks)
        lines = [f"{self.model}, {self.dim} unknowns: {verdict}"]
        for check in self.checks:
            mark = {"passed": "ok", "failed": "FAILED", "not applicable": "-"}[check.status]
            number = f"{check.measured:.3g}, expected {check.expected}" if check.status != "not applicable" else "not applicable"
            lines.append(f"  {mark:<6}  {check.name:<{width}}  {number}" + (f"; {check.detail}" if check.detail else ""))
        return "\n".join(lines)


def check_model(model: EnergyModel, x: Any = None, rng: Any = 0) -> ModelReport:
    """Check that the members of a model are consistent: derivatives, symmetries, preconditioner, stochastic estimates.

    Parameters
    ----------
    model : EnergyModel
    x : (n,) array, optional
        Where. Should not be a stationary point, where much is zero and errors hide. Default: near the model's default start, or at
        random for a model without one.
    rng : int, SeedSequence or Generator
        For directions and samples.

    Returns
    -------
    report : ModelReport
        ``report.ok``, ``report.checks``, ``report.failures``; ``print(report)``.

    Raises
    ------
    TypeError
        If ``model`` is not a model, one of its functions takes other arguments, or ``x`` is not made of real numbers.
    ValueError
        If ``model.dim`` is not a positive integer, ``x`` has the wrong shape, or an entry of it is not finite.

    Notes
    -----
    An exception raised by the model fails the check in which it is raised, and is quoted in the report.
    """
    check_is_model(model, estimates=True)
    generator = np.random.default_rng(rng)
    point = _generic_point(model, generator) if x is None else check_point(x, model.dim, "x")
    subject = Subject(model, Derivatives(model), point, generator)
    # Without an exact gradient there is nothing to hold the estimates against but each other.
    checks = CHECKS if model.deterministic else ESTIMATE_CHECKS
    results = [result for name, check in checks.items() for result in _guarded(name, check, subject)]
    return ModelReport(model_name(model), int(model.dim), tuple(results))


def _guarded(name: str, check: Callable[[Subject], Iterator[CheckResult]], subject: Subject) -> list[CheckResult]:
    results: list[CheckResult] = []
    before = subject.x.copy()
    try:
        with np.errstate(all="ignore"):  # what is not finite fails a check; a warning about it would only be in the way
            results.extend(check(subject))
    except Exception as error:  # whatever a user's model raises belongs in the report
        results.append(CheckResult(name, "failed", np.nan, "no exception", f"{type(error).__name__}: {error}"))
    if not np.array_equal(before, subject.x):
        changed = int(np.count_nonzero(before != subject.x))
        results.append(
            CheckResult(f"{name}: x unchanged", "failed", changed, "0 entries", "the model modifies the point it is given")
        )
        subject.x[:] = before
    return results


def _generic_point(model: EnergyModel, rng: np.random.Generator) -> np.ndarray:
    """A point near the default start at which nothing vanishes by symmetry, (n,)."""
    noise = rng.standard_normal(model.dim)
    if type(model).default_start is EnergyModel.default_start:
        return noise
    start = check_point(model.default_start(), model.dim, "default_start()")
    symmetry = model.symmetry
    if symmetry is not None and symmetry.grid is not None:
        # On a grid the continuum's identities hold for smooth fields only.
        axes = tuple(range(-symmetry.n_axes, 0))
        spectrum = np.fft.rfftn(noise.reshape(-1, *symmetry.grid), axes=axes)
        frequencies = np.meshgrid(
            *[np.fft.fftfreq(size, 1.0 / size) for size in symmetry.grid[:-1]],
            np.fft.rfftfreq(symmetry.grid[-1], 1.0 / symmetry.grid[-1]),
            indexing="ij",
        )
        spectrum[..., np.max(np.abs(frequencies), axis=0) > 2.0] = 0.0
        noise = np.fft.irfftn(spectrum, s=symmetry.grid, axes=axes).ravel()
        noise /= np.sqrt(np.mean(noise**2))
    return start + 0.1 * (1.0 + np.abs(start).max()) * noise


def gradient_consistent(model: EnergyModel | Derivatives, x: np.ndarray, rng: Any = 0) -> tuple[bool, float]:
    """Whether the gradient is the energy's: a cheap check, for a warning; `check_model` is the thorough one.

    Parameters
    ----------
    model : EnergyModel or Derivatives
    x : (n,) array
        Near where; a stationary point will do.
    rng : int, SeedSequence or Generator

    Returns
    -------
    consistent : bool
    ratio : float
        Directional derivative by the gradient over the one by central difference of the energy (two energies): 1 if all is
        well. NaN if it cannot be told, because both are within rounding of zero or not finite; that counts as consistent.
    """
    derivatives = model if isinstance(model, Derivatives) else Derivatives(model)
    generator = np.random.default_rng(rng)
    size = 1.0 + np.abs(x).max()
    near = x + 1e-2 * size * generator.uniform(-1.0, 1.0, x.size)
    gradient = derivatives.gradient(near)
    if not np.isfinite(gradient).all():
        return True, float("nan")
    # Along the gradient for a large signal, and a random part lest a wrong component be missed.
    v = gradient / max(np.abs(gradient).max(), 1e-300) + generator.uniform(-1.0, 1.0, x.size)
    step = 1e-5 * size / max(1.0, np.sqrt(x.size) / 10.0)
    energies = derivatives.energy(near + step * v), derivatives.energy(near - step * v)
    by_energy = (energies[0] - energies[1]) / (2.0 * step)
    by_gradient = float(gradient @ v)
    rounding = 1e3 * np.finfo(float).eps * max(map(abs, energies)) / step
    if not np.isfinite([by_energy, by_gradient]).all() or max(abs(by_energy), abs(by_gradient)) <= rounding:
        return True, float("nan")
    consistent = abs(by_gradient - by_energy) <= 1e-3 * max(abs(by_energy), abs(by_gradient)) + rounding
    return bool(consistent), float(by_gradient / by_energy) if by_energy else float("inf")
