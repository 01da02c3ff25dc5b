"""Orders of convergence of stochastic saddle dynamics: what the step sizes do to the error at a saddle of the butterfly.

python examples/stochastic_saddle.py [RUNS]
"""

import sys
import warnings

import numpy as np

from saddlescape import NoisyModel, SHiSD, plotting, search_many
from saddlescape.models import Butterfly
from saddlescape.parts import Constant, Decaying

SADDLE = np.array([0.95812931, 0.37568283])  # of index 1; the smallest |eigenvalue| of its Hessian is MU
MU = 3.574

# What theory predicts for the mean square error: n^-min(1, 2 gamma MU), and no end to it with a constant step.
SCHEDULES = {
    "0.5 / (n + 10)": (Decaying(0.5), -1.0),
    "0.1 / (n + 10)": (Decaying(0.1), -2 * 0.1 * MU),
    "0.01": (Constant(0.01), 0.0),
}


def main(n_runs):
    model = NoisyModel(Butterfly(), gradient_noise=1.0, hessian_noise=2.0)
    axes = None
    for label, (step, predicted) in SCHEDULES.items():
        with warnings.catch_warnings():
            # 2 gamma MU < 1 gives less than the full rate, and saddlescape says so: here that is the point.
            warnings.simplefilter("ignore")
            runs = search_many(model, n_runs, SHiSD(index=1, step=step), start=SADDLE + 0.07, reference=SADDLE, workers=2)
        slope = runs.slope()
        print(
            f"a(n) = {label:<14}  slope {slope.slope:+.2f} ({slope.low:+.2f} to {slope.high:+.2f}), predicted {predicted:+.2f}; "
            f"mean square error {runs.mse()[-1]:.1e}, of the averages {runs.mse(average=True)[-1]:.1e}; "
            f"{runs.success_fraction:.0%} stayed"
        )
        axes = plotting.plot_mse(runs, axes, label=label)
    axes.figure.savefig("stochastic_saddle.png", dpi=150)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
