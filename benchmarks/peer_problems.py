"""One problem solved by SaddleScape V1.0; `peer.py` runs this file in a process of its own, because both packages have one name.

    python peer_problems.py CHECKOUT PROBLEM

Prints one line of JSON: seconds of set-up and of the run, points by index, gradients (0: not counted). Methods, step sizes and
starts are those of the examples that V1.0 publishes.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

MUELLER_BROWN = (
    "-200*exp(-(x1-1)**2-10*x2**2) - 100*exp(-x1**2-10*(x2-0.5)**2)"
    " - 170*exp(-6.5*(x1+0.5)**2+11*(x1+0.5)*(x2-1.5)-6.5*(x2-1.5)**2)"
    " + 15*exp(0.7*(x1+1)**2+0.6*(x1+1)*(x2-1)+0.7*(x2-1)**2)"
)
BUTTERFLY = "x1**4 - 1.5*x1**2*x2**2 + x2**4 - 2*x2**3 + x2**2 + x1**2*x2 - 2*x1**2"
DOUBLE_WELLS = "1*(x1**2-1)**2 + 2*(x2**2-1)**2 + 3*(x3**2-1)**2"

PLAIN = {"AutoDiff": True, "Acceleration": "none", "EigenMethod": "euler", "Verbose": False}


class PhaseField:
    """-kappa Lap_h phi - phi + phi^3 on the periodic n x n grid of the unit square; counts its calls."""

    def __init__(self, n: int, kappa: float):
        self.n, self.kappa, self.calls = n, kappa, 0

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """(n^2, 1), as V1.0 wants it."""
        self.calls += 1
        u = np.asarray(x, dtype=float).reshape(self.n, self.n)
        neighbours = np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1)
        return (self.kappa * self.n**2 * (4.0 * u - neighbours) - u + u**3).reshape(-1, 1)

    def same(self, x: np.ndarray, y: np.ndarray) -> bool:
        """Whether two states are translations of each other up to 0.05, at the shift of the largest correlation."""
        u, w = x.reshape(self.n, self.n), y.reshape(self.n, self.n)
        correlation = np.fft.ifft2(np.fft.fft2(u) * np.conj(np.fft.fft2(w))).real
        shift = np.unravel_index(np.argmax(correlation), correlation.shape)
        return bool(np.abs(u - np.roll(w, shift, (0, 1))).max() <= 0.05)


def problems(field: PhaseField) -> dict[str, tuple[dict[str, Any], Callable[[Any], None] | None]]:
    """Settings by problem, and what is done by hand after the run."""
    return {
        "Mueller-Brown": (
            dict(PLAIN, EnergyFunction=MUELLER_BROWN, InitialPoint=np.array([0.15, 0.25]), MaxIndex=1, TimeStep=4e-4, MaxIter=5000,
                 ExactHessian=True, EigenStepSize=1e-7),
            lambda landscape: landscape.RestartFromSaddle(1, np.array([[-0.01], [0.0]]), 1),
        ),
        "butterfly": (
            dict(PLAIN, EnergyFunction=BUTTERFLY, InitialPoint=np.array([0.1, 0.1]), MaxIndex=2, TimeStep=1e-2, MaxIter=10_000,
                 EigenMaxIter=1, EigenCombination="all", PerturbationNumber=1, PerturbationRadius=1e-2),
            None,
        ),
        "double wells, d = 3": (
            dict(PLAIN, EnergyFunction=DOUBLE_WELLS, InitialPoint=np.zeros(3), MaxIndex=3, TimeStep=1e-3, MaxIter=1000,
                 EigenMaxIter=10, EigenCombination="all", PerturbationRadius=1e-2, Acceleration="nesterov", NesterovChoice=2,
                 NesterovRestart=100, Momentum=0.8, BBStep=False),
            None,
        ),
        "phase field 64x64": (
            dict(AutoDiff=False, Grad=field.gradient, InitialPoint=np.zeros(field.n**2), MaxIndex=5, TimeStep=1e-3, MaxIter=2000,
                 Tolerance=1e-4, DimerLength=1e-3, HessianDimerLength=1e-3, EigenStepSize=1e-7, EigenMaxIter=2,
                 EigenCombination="min", EigvecUnified=True, Acceleration="nesterov", NesterovChoice=1, NesterovRestart=200,
                 Momentum=0.8, BBStep=True, SearchArea=1e4, SymmetryCheck=False, MaxIndexGap=3, PerturbationNumber=1,
                 PerturbationRadius=5.0, SameJudgementMethod=field.same, Verbose=False),
            None,
        ),
    }  # fmt: skip


def solve(checkout: Path, problem: str) -> dict[str, Any]:
    """Run V1.0 on a problem."""
    sys.path.insert(0, str(checkout / "saddlescape-1.0"))
    from saddlescape import Landscape

    field = PhaseField(64, 0.02)
    settings, by_hand = problems(field)[problem]
    began = time.perf_counter()
    landscape = Landscape(**settings)
    ready = time.perf_counter()
    landscape.Run()
    if by_hand is not None:
        by_hand(landscape)
    ended = time.perf_counter()
    counts = Counter(int(saddle[2]) for saddle in landscape.SaddleList)
    return {"set_up": ready - began, "run": ended - ready, "counts": sorted(counts.items()), "gradients": field.calls}


def main() -> None:
    """Solve the problem named on the command line."""
    with contextlib.redirect_stdout(io.StringIO()):
        found = solve(Path(sys.argv[1]), sys.argv[2])
    print(json.dumps(found))


if __name__ == "__main__":
    main()
