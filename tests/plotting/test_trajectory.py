"""The energy along a trajectory, with what bounds it."""

import numpy as np
import pytest

from saddlescape import BBI, GradientFlow, Isokinetic, plotting, search
from saddlescape.models import MuellerBrown

START = np.array([-0.5, 1.4])


def test_floor_ceiling_bounces_and_best_point_are_shown():
    method = BBI(-150.0, step=0.0005, ceiling=-36.0, bounce_every=100)
    result = search(MuellerBrown(), START, method, max_steps=1000, rng=0, trajectory=True)
    ax = plotting.plot_trajectory(result)
    lines = {line.get_label(): line for line in ax.lines}
    assert {"floor", "ceiling", f"{result.descent.n_bounces} bounces"} < set(lines)
    assert lines["floor"].get_ydata()[0] == -150.0 and lines["ceiling"].get_ydata()[0] == -36.0
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), result.trajectory.energy)
    best = next(line for label, line in lines.items() if label.startswith("best"))
    assert best.get_ydata()[0] == result.descent.best_energy


def test_a_trajectory_without_a_ceiling_shows_none():
    result = search(MuellerBrown(), START, Isokinetic(-150.0, step=0.01), max_steps=50, rng=0, trajectory=True)
    assert "ceiling" not in [line.get_label() for line in plotting.plot_trajectory(result).lines]


def test_other_searches_and_results_without_a_path_are_refused():
    with pytest.raises(TypeError, match="expected the SearchResult of ECDSep"):
        plotting.plot_trajectory(search(MuellerBrown(), START, GradientFlow(), trajectory=True))
    with pytest.raises(ValueError, match="kept no trajectory"):
        plotting.plot_trajectory(search(MuellerBrown(), START, Isokinetic(-150.0, step=0.01), max_steps=5))
