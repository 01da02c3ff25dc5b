"""The energy along a trajectory, with what bounds it."""

import numpy as np
import pytest

from saddlescape import BBI, ECDSep, GradientFlow, Isokinetic, plotting, search
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


@pytest.mark.parametrize("form", ["leapfrog", "euler"])
def test_what_the_steps_left_of_the_conserved_energy(form):
    """The errors are those that the method corrects and reports; a leapfrog's go with the step to the third, Euler's squared."""
    largest = {}
    for step in (0.004, 0.002):
        method = ECDSep(-150.0, step=step, ceiling=-36.0, form=form, decoherence=None)
        result = search(MuellerBrown(), START, method, max_steps=int(8.0 / step), rng=0, trajectory=True)
        errors = result.trajectory.energy_error
        assert errors.shape == result.trajectory.energy.shape and abs(errors[0]) < 1e-12
        assert np.abs(errors[:-1]).max() == pytest.approx(result.descent.max_correction, rel=1e-12)
        largest[step] = np.abs(errors).max()
    assert largest[0.004] / largest[0.002] == pytest.approx(8.0 if form == "leapfrog" else 4.0, rel=0.3)
    ax = plotting.plot_conservation(result)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), 1.0 + errors)
    dots, dashed = ax.figure.axes[1].lines
    assert np.nanmax(dots.get_ydata()) == dashed.get_ydata()[0] == largest[0.002]
    ax.figure.canvas.draw()


def test_the_end_at_a_floor_has_no_error_to_tell():
    method = ECDSep(-140.0, step=0.01, ceiling=-36.0)
    result = search(MuellerBrown(), START, method, rng=0, max_steps=3000, trajectory=True)
    assert result.status.value == "floor-reached" and np.isnan(result.trajectory.energy_error[-1])
    plotting.plot_conservation(result).figure.canvas.draw()


def test_a_trajectory_over_the_contour_map():
    result = search(MuellerBrown(), START, ECDSep(-150.0, step=0.01, ceiling=-36.0), max_steps=400, rng=0, trajectory=True)
    ax = plotting.plot_contour(MuellerBrown(), trajectories=[result.trajectory], resolution=24)
    np.testing.assert_array_equal(np.transpose(ax.lines[0].get_data()), result.trajectory.x)


@pytest.mark.parametrize("draw", [plotting.plot_trajectory, plotting.plot_conservation])
def test_other_searches_and_results_without_a_path_are_refused(draw):
    with pytest.raises(TypeError, match="expected the SearchResult of ECDSep"):
        draw(search(MuellerBrown(), START, GradientFlow(), trajectory=True))
    with pytest.raises(ValueError, match="kept no trajectory"):
        draw(search(MuellerBrown(), START, Isokinetic(-150.0, step=0.01), max_steps=5))
