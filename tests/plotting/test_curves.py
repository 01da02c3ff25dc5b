from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from saddlescape.landscape.ensemble import Ensemble
from saddlescape.plotting import plot_convergence, plot_mse, plot_spectrum
from saddlescape.results import SearchResult, Status, Trajectory


def by_label(ax) -> dict:
    return {c.get_label(): np.asarray(c.get_offsets()) for c in ax.collections}


def test_eigenvalues_are_sorted_by_sign(square):
    landscape = square()
    landscape.nodes[3] = replace(
        landscape.nodes[3], point=replace(landscape.nodes[3].point, eigenvalues=np.array([-2.0, -1.0, 1e-12, 3.0]), nullity=1)
    )
    ax = plot_spectrum(landscape)
    drawn = by_label(ax)
    assert len(drawn["unstable"]) == sum(node.point.index for node in landscape.nodes)
    assert len(drawn["zero"]) == 1 and drawn["zero"][0, 1] == 1e-12
    assert (drawn["unstable"][:, 1] < 0).all() and (drawn["stable"][:, 1] > 0).all()
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels[0] == "#6\nind. 0" and labels[-1] == "#0\nind. 4"


def test_equal_eigenvalues_stand_side_by_side(wells):
    stable = by_label(plot_spectrum(wells.nodes[1].point))["stable"]
    double = stable[stable[:, 1] == 1.0]
    assert len(double) == 2 and np.ptp(double[:, 0]) > 0.05


def test_all_negative_eigenvalues_are_shown_however_few_are_asked_for(square):
    assert len(by_label(plot_spectrum(square().nodes[0].point, count=1))["unstable"]) == 4


def test_a_wide_range_is_shown_on_a_symmetric_logarithm(wells):
    point = replace(wells.nodes[0].point, eigenvalues=np.array([-1e5, 2.5, 1805.0]))
    ax = plot_spectrum(point)
    assert ax.get_yscale() == "symlog"
    ax.figure.draw_without_rendering()


def test_given_axes_are_used(wells):
    ax = Figure().add_subplot()
    assert plot_spectrum(wells, ax) is ax
    path = Trajectory(np.zeros((3, 2)), np.arange(3.0), np.array([1.0, 0.1, 0.0]))
    other = Figure().add_subplot()
    assert plot_convergence(path, other) is other


def test_wrong_input_is_named(empty, wells):
    with pytest.raises(ValueError, match="no nodes yet"):
        plot_spectrum(empty)
    with pytest.raises(TypeError, match="expected a Landscape or a StationaryPoint"):
        plot_spectrum(np.zeros(3))
    with pytest.raises(ValueError, match="count"):
        plot_spectrum(wells, count=0)


def test_convergence_shows_norm_and_energy_against_the_step():
    norms, energies = 10.0 ** -np.arange(5), np.linspace(1, 0, 5)
    trajectory = Trajectory(np.zeros((5, 2)), energies, norms)
    result = SearchResult(Status.CONVERGED, "", None, np.zeros(2), 0.0, 1e-4, 1, trajectory=trajectory)
    ax = plot_convergence(result)
    right = next(other for other in ax.figure.axes if other is not ax)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), norms)
    np.testing.assert_array_equal(right.lines[0].get_ydata(), energies)
    assert ax.get_yscale() == "log" and right.get_yscale() == "linear"
    ax.figure.draw_without_rendering()


def test_an_exact_zero_does_not_break_the_logarithm():
    ax = plot_convergence(Trajectory(np.zeros((2, 2)), np.zeros(2), np.array([1.0, 0.0])))
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [1.0, np.nan])
    ax.figure.draw_without_rendering()


def test_a_search_without_trajectory_is_refused():
    result = SearchResult(Status.FAILED, "", None, np.zeros(2), 0.0, 0.0, 0)
    with pytest.raises(ValueError, match="kept no trajectory"):
        plot_convergence(result)
    with pytest.raises(TypeError, match="expected a SearchResult"):
        plot_convergence([1, 2])


@pytest.fixture
def ensemble():
    """Eight runs whose mean square error is 2 / n, that of their averages 1 / n."""
    steps = np.geomspace(10, 10_000, 30).astype(int)
    errors = np.sqrt(2.0 / steps) * np.ones((8, 1))
    nothing = np.zeros((8, 2))
    return Ensemble(
        nothing, nothing, [Status.MAX_STEPS] * 8, np.full(8, -1), np.full(8, 10_000), steps, errors, errors / np.sqrt(2.0),
        np.ones(8, dtype=bool), np.zeros(8),
    )  # fmt: skip


def test_mean_square_errors_are_shown_with_the_fitted_power(ensemble):
    ax = plot_mse(ensemble, reference=-1.0)
    assert ax.get_xscale() == ax.get_yscale() == "log"
    curve, fit, reference = ax.lines
    np.testing.assert_allclose(curve.get_ydata() * curve.get_xdata(), 2.0)
    np.testing.assert_allclose(fit.get_ydata() * fit.get_xdata(), 2.0)
    np.testing.assert_allclose(reference.get_ydata() * reference.get_xdata(), 4.0)
    assert fit.get_xdata()[0] == pytest.approx(316, abs=1) and fit.get_xdata()[-1] == pytest.approx(10_000)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["iterates: slope -1.00 (-1.00 to -1.00)", "$n^{-1}$"]
    ax.figure.draw_without_rendering()


def test_the_band_is_the_interval_of_the_slope(ensemble):
    rng = np.random.default_rng(0)
    noisy = replace(ensemble, errors=ensemble.errors * rng.lognormal(0.0, 0.3, ensemble.errors.shape))
    slope = noisy.slope()
    (band,) = plot_mse(noisy).collections
    corners = band.get_paths()[0].vertices
    at_last = np.unique(np.round(np.log(corners[np.isclose(corners[:, 0], slope.last), 1]), 9))
    half = 0.5 * np.log(slope.last / slope.first)
    assert np.ptp(at_last) == pytest.approx((slope.high - slope.low) * half)


def test_curves_in_the_same_axes_differ_in_colour(ensemble):
    ax = plot_mse(ensemble, Figure().add_subplot(), reference=-1.0)
    assert plot_mse(ensemble, ax, average=True, label="half") is ax
    assert ax.lines[0].get_color() == ax.lines[1].get_color() != ax.lines[3].get_color()
    np.testing.assert_allclose(ax.lines[3].get_ydata() * ax.lines[3].get_xdata(), 1.0)
    assert ax.get_legend().get_texts()[-1].get_text() == "half: slope -1.00 (-1.00 to -1.00)"


def test_mean_square_errors_need_an_ensemble_with_a_reference(ensemble):
    with pytest.raises(TypeError, match="expected the Ensemble"):
        plot_mse([1.0])
    with pytest.raises(ValueError, match="pass reference"):
        plot_mse(replace(ensemble, errors=np.empty((0, 0))))
