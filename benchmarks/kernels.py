"""The kernels of the field models against a copy of the same bytes and against plain NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from timing import duration, in_turns, machine, parser, ratio, table

from saddlescape import EnergyModel
from saddlescape.models import PhaseField, ReducedLandauDeGennes


class Twin(NamedTuple):
    """A gradient and a Hessian-vector product in plain NumPy."""

    gradient: Callable[[np.ndarray], np.ndarray]
    hvp: Callable[[np.ndarray, np.ndarray], np.ndarray]


def phase_field_twin(model: PhaseField) -> Twin:
    """kappa h^2 (-Lap_h u) + h^2 u (u^2 - 1) with periodic shifts."""
    shape = (model.n, model.n)

    def stiff(u: np.ndarray) -> np.ndarray:
        return model.kappa * (4.0 * u - sum(np.roll(u, shift, axis) for axis in (0, 1) for shift in (1, -1)))

    def gradient(x: np.ndarray) -> np.ndarray:
        u = x.reshape(shape)
        return (stiff(u) + model.mass * u * (u * u - 1.0)).ravel()

    def hvp(x: np.ndarray, v: np.ndarray) -> np.ndarray:
        u, w = x.reshape(shape), v.reshape(shape)
        return (stiff(w) + model.mass * (3.0 * u * u - 1.0) * w).ravel()

    return Twin(gradient, hvp)


def landau_de_gennes_twin(model: ReducedLandauDeGennes) -> Twin:
    """-h^2 Lap_h P + h^2 lambda2 (|P|^2 - c^2) P; what the boundary adds is the gradient at P = 0."""
    shape = (2, model.interior, model.interior)
    boundary = model.gradient(np.zeros(model.dim)).reshape(shape)
    scale = model.mass * model.lambda2
    c2 = model.params[0][2]

    def stiff(p: np.ndarray) -> np.ndarray:
        out = 4.0 * p
        out[:, 1:] -= p[:, :-1]
        out[:, :-1] -= p[:, 1:]
        out[:, :, 1:] -= p[:, :, :-1]
        out[:, :, :-1] -= p[:, :, 1:]
        return out

    def gradient(x: np.ndarray) -> np.ndarray:
        p = x.reshape(shape)
        return (boundary + stiff(p) + scale * ((p * p).sum(axis=0) - c2) * p).ravel()

    def hvp(x: np.ndarray, v: np.ndarray) -> np.ndarray:
        p, w = x.reshape(shape), v.reshape(shape)
        return (stiff(w) + scale * (((p * p).sum(axis=0) - c2) * w + 2.0 * (p * w).sum(axis=0) * p)).ravel()

    return Twin(gradient, hvp)


def compare(name: str, model: EnergyModel, twin: Twin, arrays: dict[str, int], repetitions: int, seconds: float) -> list[list]:
    """A row for each derivative; ``arrays`` says how many vectors (n,) it reads and writes."""
    rng = np.random.default_rng(0)
    x, v, out = rng.standard_normal(model.dim), rng.standard_normal(model.dim), np.empty(model.dim)
    calls = {
        "gradient": (lambda: model.gradient(x, out), lambda: twin.gradient(x)),
        "hvp": (lambda: model.hvp(x, v, out), lambda: twin.hvp(x, v)),
    }
    rows = []
    for derivative, (kernel, plain) in calls.items():
        np.testing.assert_allclose(kernel(), plain(), rtol=1e-9, atol=1e-12)
        moved = 8 * model.dim * arrays[derivative]
        source = rng.standard_normal(moved // 16)  # read once, written once
        target = np.empty_like(source)
        cases = {"kernel": kernel, "copy": lambda s=source, t=target: np.copyto(t, s), "NumPy": plain}
        found = _per_call(cases, repetitions, seconds)
        rows.append([
            f"{name} {derivative}", f"{moved / 2**20:.2f} MiB", duration(found["kernel"]), f"{moved / found['kernel'] / 1e9:.1f}",
            f"{moved / found['copy'] / 1e9:.1f}", ratio(found["kernel"] / found["copy"]), ratio(found["NumPy"] / found["kernel"]),
        ])  # fmt: skip
    return rows


def _per_call(cases: dict[str, Callable], repetitions: int, seconds: float) -> dict[str, float]:
    """Seconds per call, each repetition a loop of about ``seconds``."""
    loops = {}
    for name, function in cases.items():
        once = min(in_turns({name: function}, 5)[name].seconds)
        loops[name] = max(int(seconds / once), 1)

    def looped(name: str) -> Callable[[], None]:
        def loop() -> None:
            function = cases[name]
            for _ in range(loops[name]):
                function()

        return loop

    found = in_turns({name: looped(name) for name in cases}, repetitions)
    return {name: sample.median / loops[name] for name, sample in found.items()}


def main() -> None:
    """Print the table."""
    quick = parser(__doc__).parse_args().quick
    print(machine())
    repetitions, seconds = (2, 1e-3) if quick else (9, 2e-2)
    rows = []
    for n in (16,) if quick else (64, 512):
        model = PhaseField(n, 0.02)
        rows += compare(f"phase field {n}x{n}", model, phase_field_twin(model), {"gradient": 2, "hvp": 3}, repetitions, seconds)
    for n in (17,) if quick else (33, 257):
        model = ReducedLandauDeGennes(n, 30.0)
        # The gradient also reads what the boundary adds.
        arrays = {"gradient": 3, "hvp": 3}
        rows += compare(f"LdG {n}x{n}", model, landau_de_gennes_twin(model), arrays, repetitions, seconds)
    columns = ["kernel", "reads + writes", "time", "GB/s", "copy GB/s", "kernel / copy", "NumPy / kernel"]
    print(table("Kernels, called from Python, against copying as many bytes and against NumPy", columns, rows))


if __name__ == "__main__":
    main()
