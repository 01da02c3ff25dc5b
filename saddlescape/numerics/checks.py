"""The single checks that `saddlescape.check_model` runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..given import as_number
from ..model import EnergyModel
from .derivatives import DENSE_LIMIT, Derivatives
from .taylor import Slope, energy_rounding, energy_slope, gradient_slope

_N_DIRECTIONS = 3
_N_DRAWS = 400
_MAX_ELEMENTS = 32


@dataclass(frozen=True)
class CheckResult:
    """One thing that was checked.

    Parameters
    ----------
    name : str
    status : str
        "passed", "failed" or "not applicable".
    measured : float
    expected : str
        What the number should be.
    detail : str
        What helps to find the mistake.
    """

    name: str
    status: str
    measured: float
    expected: str
    detail: str = ""


@dataclass(frozen=True)
class Subject:
    """What is checked, and where."""

    model: EnergyModel
    derivatives: Derivatives
    x: np.ndarray
    rng: np.random.Generator

    def direction(self) -> np.ndarray:
        """A random direction (n,) with entries of order one."""
        return self.rng.standard_normal(self.x.size)


def _at_most(name: str, measured: float, limit: float, detail: str = "") -> CheckResult:
    # "not >" would let NaN pass
    status = "passed" if measured <= limit else "failed"
    return CheckResult(name, status, float(measured), f"at most {limit:g}", detail)


def _absent(name: str, what: str) -> CheckResult:
    return CheckResult(name, "not applicable", np.nan, "", f"the model has no {what}")


def _relative(difference: np.ndarray, *sizes: np.ndarray) -> float:
    size = max(np.abs(s).max(initial=0.0) for s in sizes)
    largest = np.abs(difference).max(initial=0.0)
    return float(largest / size) if size > 0.0 else float(largest)


# --- values ---------------------------------------------------------------------------------------------------------------


def _values(s: Subject) -> Iterator[CheckResult]:
    """The energy is a finite number, the gradient a finite vector, ``out`` is filled, ``energy_gradient`` agrees."""
    energy, gradient = as_number(s.model.energy(s.x), "energy"), np.array(s.model.gradient(s.x))
    yield CheckResult("energy is a finite number", "passed" if np.isfinite(energy) else "failed", energy, "finite")
    good = gradient.shape == s.x.shape and bool(np.isfinite(gradient).all())
    wrong = "" if good else f"got shape {gradient.shape} with {int(np.sum(~np.isfinite(gradient)))} entries that are not finite"
    yield CheckResult(
        "gradient is a finite vector", "passed" if good else "failed", gradient.size, f"{s.x.size} finite entries", wrong
    )
    out = np.full(s.x.size, np.nan)
    s.model.gradient(s.x, out=out)
    yield _at_most("gradient fills out", _relative(out - gradient, gradient), 1e-12)
    out = np.full(s.x.size, np.nan)
    value = as_number(s.model.energy_gradient(s.x, out), "energy_gradient")
    yield _at_most("energy_gradient agrees: gradient", _relative(out - gradient, gradient), 1e-10)
    rounding = energy_rounding(s.derivatives, s.x, s.direction())
    yield _at_most("energy_gradient agrees: energy", abs(value - energy), max(1e-10 * abs(energy), 100.0 * rounding))


def _mass(s: Subject) -> Iterator[CheckResult]:
    mass = np.asarray(s.model.mass, dtype=float)
    shaped = mass.shape in ((), s.x.shape)
    good = shaped and bool((np.isfinite(mass) & (mass > 0.0)).all())
    detail = "" if shaped else f"got shape {mass.shape}, expected () or {s.x.shape}"
    yield CheckResult("mass is positive", "passed" if good else "failed", float(mass.min()), "positive and finite", detail)


# --- derivatives ----------------------------------------------------------------------------------------------------------


def _order(name: str, slopes: list[Slope], detail: Callable[[], str]) -> CheckResult:
    order = min(slope.order for slope in slopes) if not any(np.isnan(slope.order) for slope in slopes) else np.nan
    passed = order >= 1.8
    return CheckResult(name, "passed" if passed else "failed", order, "Taylor remainder of order 2", "" if passed else detail())


def _gradient(s: Subject) -> Iterator[CheckResult]:
    slopes = [energy_slope(s.derivatives, s.x, s.direction()) for _ in range(_N_DIRECTIONS)]
    yield _order("gradient is the energy's", slopes, lambda: _worst_component(s))


def _worst_component(s: Subject) -> str:
    """Where gradient and central differences of the energy disagree most."""
    components = np.arange(s.x.size)
    if s.x.size > DENSE_LIMIT:
        components = np.sort(s.rng.choice(components, DENSE_LIMIT, replace=False))
    gradient, step = s.derivatives.gradient(s.x), 1e-5 * (1.0 + np.abs(s.x).max())
    differences = np.empty(components.size)
    for number, i in enumerate(components):
        e = np.zeros(s.x.size)
        e[i] = step
        differences[number] = (s.derivatives.energy(s.x + e) - s.derivatives.energy(s.x - e)) / (2.0 * step)
    errors = np.abs(gradient[components] - differences)
    worst = int(np.argmax(errors))
    wrong = int(np.count_nonzero(~(errors <= 1e-3 * np.abs(differences).max())))
    return (
        f"{wrong} of {components.size} components differ; worst is component {components[worst]}: gradient "
        f"{gradient[components[worst]]:.6g}, central difference of the energy {differences[worst]:.6g}"
    )


def _hvp(s: Subject) -> Iterator[CheckResult]:
    if not hasattr(s.model, "hvp"):
        instead = "products with the Hessian" if s.derivatives.has_hessian else "differences of gradients"
        yield _absent("hvp is the gradient's", f"hvp: {instead} take its place")
        return
    slopes = [gradient_slope(s.derivatives, s.x, s.direction()) for _ in range(_N_DIRECTIONS)]
    yield _order("hvp is the gradient's", slopes, lambda: "the product differs from the change of the gradient")
    u, v = s.direction(), s.direction()
    product_u, product_v = np.array(s.model.hvp(s.x, u)), np.array(s.model.hvp(s.x, v))
    size = np.linalg.norm(u) * np.linalg.norm(product_v)
    yield _at_most("hvp is symmetric", abs(u @ product_v - v @ product_u) / max(size, 1e-300), 1e-10, "u.Hv - v.Hu, relative")
    out = np.full(s.x.size, np.nan)
    s.model.hvp(s.x, v, out=out)
    yield _at_most("hvp fills out", _relative(out - product_v, product_v), 1e-12)


def _hessian(s: Subject) -> Iterator[CheckResult]:
    if not s.derivatives.has_hessian:
        yield _absent("hessian agrees with hvp", "hessian")
        return
    hessian = s.model.hessian(s.x)
    if hessian.shape != (s.x.size, s.x.size):
        yield CheckResult(
            "hessian agrees with hvp", "failed", np.nan, f"shape ({s.x.size}, {s.x.size})", f"got shape {hessian.shape}"
        )
        return
    v = s.direction()
    # Without an hvp there are differences of gradients to compare with, which are good to about five digits less.
    exact = hasattr(s.model, "hvp")
    product, limit = (s.derivatives.hvp(s.x, v), 1e-10) if exact else (s.derivatives.difference(s.x, v), 1e-5)
    detail = "" if exact else "with differences of gradients, for want of an hvp"
    yield _at_most("hessian agrees with hvp", _relative(hessian @ v - product, product), limit, detail)
    asymmetry = abs(hessian - hessian.T).max() / max(abs(hessian).max(), 1e-300)
    yield _at_most("hessian is symmetric", asymmetry, 1e-10)


# --- stochastic estimates -------------------------------------------------------------------------------------------------


def _stochastic(s: Subject) -> Iterator[CheckResult]:
    for name, arguments in (("stochastic_gradient", ()), ("stochastic_hvp", (s.direction(),))):
        if not (hasattr(s.model, "draw") and hasattr(s.model, name)):
            yield _absent(f"{name} is unbiased", "draw" if not hasattr(s.model, "draw") else name)
            continue
        exact = s.derivatives.hvp(s.x, *arguments) if arguments else s.derivatives.gradient(s.x)
        estimate = getattr(s.model, name)
        draws = np.array([np.array(estimate(s.x, *arguments, s.model.draw(s.rng))) for _ in range(_N_DRAWS)])
        yield _scored(f"{name} is unbiased", draws - exact, 1e-9 * np.abs(exact).max())


def _scored(name: str, deviations: np.ndarray, rounding: float) -> CheckResult:
    """Whether deviations (draws, n) are zero on average; ``rounding`` is what their mean may be off by in any case."""
    errors = deviations.std(axis=0, ddof=1) / np.sqrt(len(deviations)) + rounding
    scores = np.abs(deviations.mean(axis=0)) / errors
    # The largest of n standard normal numbers is about sqrt(2 log n); four more are not an accident.
    limit = np.sqrt(2.0 * np.log(deviations.shape[1])) + 4.0
    detail = f"standard errors of the mean of {len(deviations)} draws, component {int(np.argmax(scores))}"
    return _at_most(name, scores.max(), round(limit, 2), detail)


def _estimates_alone(s: Subject) -> Iterator[CheckResult]:
    """Of a model without an exact gradient: finite estimates, and products that are on average the change of the gradients."""
    samples = [s.model.draw(s.rng) for _ in range(_N_DRAWS)]
    rows = np.array([np.array(s.model.stochastic_gradient(s.x, sample)) for sample in samples])
    good = rows.shape == (_N_DRAWS, s.x.size) and bool(np.isfinite(rows).all())
    wrong = "" if good else f"got shape {rows.shape[1:]} with {int(np.sum(~np.isfinite(rows)))} entries that are not finite"
    name = "stochastic_gradient is a finite vector"
    yield CheckResult(name, "passed" if good else "failed", rows[0].size, f"{s.x.size} finite entries", wrong)
    name = "stochastic_hvp is the change of stochastic_gradient"
    if not hasattr(s.model, "stochastic_hvp"):
        yield _absent(name, "stochastic_hvp: differences of gradients take its place")
        return
    v = s.direction()
    step = 1e-4 * (1.0 + np.abs(s.x).max()) / np.abs(v).max()
    ends = [[np.array(s.model.stochastic_gradient(s.x + side * step * v, sample)) for side in (1.0, -1.0)] for sample in samples]
    products = np.array([np.array(s.model.stochastic_hvp(s.x, v, sample)) for sample in samples])
    changes = np.array([(plus - minus) / (2.0 * step) for plus, minus in ends])
    yield _scored(name, products - changes, 1e-6 * max(np.abs(changes).max(), 1.0))


# --- symmetry -------------------------------------------------------------------------------------------------------------


def _symmetry(s: Subject) -> Iterator[CheckResult]:
    symmetry = s.model.symmetry
    if symmetry is None or symmetry.trivial:
        yield _absent("symmetry keeps the energy", "symmetry")
        return
    energy = s.derivatives.energy(s.x)
    limit = max(1e-10 * abs(energy), 100.0 * energy_rounding(s.derivatives, s.x, s.direction()))
    if symmetry.match is not None and not symmetry.tolerance:
        image = symmetry.match(s.x + 0.1 * s.direction(), s.x)
        yield _at_most("symmetry keeps the energy", abs(s.derivatives.energy(image) - energy), limit, "of the matched image")
        return
    elements = _sampled_elements(s, symmetry)
    images = [np.ascontiguousarray(symmetry.apply(element, s.x)) for element in elements]
    changes = np.array([abs(s.derivatives.energy(image) - energy) for image in images])
    yield _at_most("symmetry keeps the energy", changes.max(), limit, f"element {elements[np.argmax(changes)].tolist()}")
    gradient = s.derivatives.gradient(s.x)
    pairs = list(zip(elements, images, strict=True))
    errors = np.array([_relative(s.derivatives.gradient(y) - symmetry.apply(g, gradient), gradient) for g, y in pairs])
    yield _at_most("symmetry maps gradients", errors.max(), 1e-8, f"element {elements[np.argmax(errors)].tolist()}")
    mass = np.broadcast_to(np.asarray(s.model.mass, dtype=float), s.x.shape)
    moved = [symmetry.translate(mass[symmetry.permutations[int(g[0])]], g[1:]) for g in elements]
    if symmetry.mixing is not None:  # components that turn into each other weigh the same
        moved.append(np.tile(mass[: mass.size // symmetry.mixing.shape[1]], symmetry.mixing.shape[1]))
    yield _at_most("symmetry keeps the mass", max(_relative(image - mass, mass) for image in moved), 1e-10)


def _sampled_elements(s: Subject, symmetry: Any) -> list[np.ndarray]:
    """Up to 32 elements; translations by whole spacings, along which a grid is exactly symmetric."""
    numbers = np.arange(symmetry.order)
    if symmetry.order > _MAX_ELEMENTS:
        numbers = np.sort(s.rng.choice(numbers, _MAX_ELEMENTS, replace=False))
    sizes = np.array(symmetry.grid if symmetry.grid is not None else (), dtype=int)
    return [np.concatenate([[float(d)], np.floor(s.rng.uniform(size=sizes.size) * sizes)]) for d in numbers]


def _zero_modes(s: Subject) -> Iterator[CheckResult]:
    modes = np.asarray(s.model.zero_modes(s.x)) if hasattr(s.model, "zero_modes") else np.empty((0, s.x.size))
    if len(modes) == 0:
        yield _absent("energy is constant along zero_modes", "zero_modes here")
        return
    gradient = s.derivatives.gradient(s.x)
    sizes = np.linalg.norm(modes, axis=1) * np.linalg.norm(gradient)
    symmetry = s.model.symmetry
    limit = max(
        1e-3, symmetry.tolerance if symmetry is not None else 0.0
    )  # a group that is only approximated moves a little uphill
    cosine = np.max(np.abs(modes @ gradient) / sizes)
    yield _at_most("energy is constant along zero_modes", cosine, limit, "cosine with the gradient")


# --- preconditioner and kernels -------------------------------------------------------------------------------------------


def _preconditioner(s: Subject) -> Iterator[CheckResult]:
    if not hasattr(s.model, "preconditioner"):
        yield _absent("preconditioner is symmetric positive definite", "preconditioner")
        return
    preconditioner = s.model.preconditioner(s.x)
    rows = np.array([s.direction() for _ in range(_N_DIRECTIONS)])
    applied = np.array([np.array(preconditioner.apply(v)) for v in rows])
    forms = rows @ applied.T
    asymmetry = np.abs(forms - forms.T).max() / np.abs(forms).max()
    lowest = np.linalg.eigvalsh(0.5 * (forms + forms.T))[0]
    spd = asymmetry <= 1e-10 and lowest > 0.0
    yield CheckResult(
        "preconditioner is symmetric positive definite",
        "passed" if spd else "failed",
        lowest,
        "positive",
        f"asymmetry {asymmetry:.1e}",
    )
    back = np.array([np.array(preconditioner.solve(v)) for v in applied])
    yield _at_most("preconditioner: solve undoes apply", _relative(back - rows, rows), 1e-8)
    together = np.array(preconditioner.apply(rows)), np.array(preconditioner.solve(applied))
    errors = _relative(together[0] - applied, applied), _relative(together[1] - back, back)
    yield _at_most("preconditioner takes rows (k, n)", max(errors), 1e-10)


def _kernels(s: Subject) -> Iterator[CheckResult]:
    if s.model.kernels is None or not s.model.deterministic:
        yield _absent("kernels agree with methods", "kernels")
        return
    kernels, params, v = s.model.kernels, s.model.params, s.direction()
    gradient, combined, product = np.empty((3, s.x.size))
    kernels.gradient(s.x, params, gradient)
    energy = kernels.energy_gradient(s.x, params, combined)
    kernels.hvp(s.x, v, params, product)
    expected, expected_product = s.derivatives.gradient(s.x), s.derivatives.hvp(s.x, v)
    rounding = energy_rounding(s.derivatives, s.x, v)
    values = np.array([kernels.energy(s.x, params), energy])
    worst = max(
        _relative(gradient - expected, expected),
        _relative(combined - expected, expected),
        _relative(product - expected_product, expected_product),
        np.abs(values - s.model.energy(s.x)).max() * 1e-10 / max(1e-10 * np.abs(values).max(), 100.0 * rounding),
    )
    yield _at_most("kernels agree with methods", worst, 1e-10)


def _stochastic_kernels(s: Subject) -> Iterator[CheckResult]:
    """From generators in the same state, kernels and methods draw one sample, and estimate the same from it."""
    model, kernels = s.model, s.model.kernels
    if kernels is None or kernels.draw is None:
        yield _absent("stochastic kernels agree with methods", "stochastic kernels")
        return
    seed, sample = int(s.rng.integers(2**62)), np.full(model.sample_size, np.nan)
    kernels.draw(model.params, np.random.default_rng(seed), sample)
    drawn = np.asarray(model.draw(np.random.default_rng(seed)))
    if drawn.shape != sample.shape:
        yield CheckResult(
            "kernels draw what draw does", "failed", drawn.size, f"{sample.size} numbers (sample_size)", f"got shape {drawn.shape}"
        )
        return
    yield _at_most("kernels draw what draw does", _relative(drawn - sample, sample), 1e-12, "from the same generator")
    worst, v = 0.0, s.direction()
    for name, arguments in (("stochastic_gradient", (s.x,)), ("stochastic_hvp", (s.x, v))):
        if getattr(kernels, name) is not None:
            expected, out = np.array(getattr(model, name)(*arguments, sample)), np.full(s.x.size, np.nan)
            getattr(kernels, name)(*arguments, model.params, sample, out)
            worst = max(worst, _relative(out - expected, expected))
    yield _at_most("stochastic kernels agree with methods", worst, 1e-10, "for the same sample")


CHECKS: dict[str, Callable[[Subject], Iterator[CheckResult]]] = {
    "values": _values,
    "mass": _mass,
    "gradient": _gradient,
    "hvp": _hvp,
    "hessian": _hessian,
    "stochastic estimates": _stochastic,
    "symmetry": _symmetry,
    "zero_modes": _zero_modes,
    "preconditioner": _preconditioner,
    "kernels": _kernels,
    "stochastic kernels": _stochastic_kernels,
}
"""The groups of checks, in the order of the report."""

ESTIMATE_CHECKS: dict[str, Callable[[Subject], Iterator[CheckResult]]] = {
    "mass": _mass,
    "stochastic estimates": _estimates_alone,
    "preconditioner": _preconditioner,
}
"""Those of a model that has stochastic derivatives alone."""
