import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from saddlescape.model import as_model
from saddlescape.plotting import plot_contour
from saddlescape.plotting.contour import contour_levels
from saddlescape.plotting.style import index_style
from saddlescape.results import Trajectory


def markers(ax) -> dict:
    return {c.get_label(): c for c in ax.collections if str(c.get_label()).startswith("index")}


def test_points_have_the_look_of_their_index_and_edges_join_them(wells):
    ax = plot_contour(wells.model, landscape=wells, resolution=31)
    found = markers(ax)
    np.testing.assert_array_equal(found["index 1"].get_offsets(), [[0.0, 0.0]])
    np.testing.assert_array_equal(found["index 0"].get_offsets(), [[1.0, 0.0], [-1.0, 0.0]])
    for k in (0, 1):
        assert tuple(found[f"index {k}"].get_facecolors()[0]) == to_rgba(index_style(k).colour)
    lines = next(c for c in ax.collections if isinstance(c, LineCollection))
    np.testing.assert_array_equal(lines.get_segments(), [[[0, 0], [1, 0]], [[0, 0], [-1, 0]]])
    ax.figure.draw_without_rendering()


def test_symmetric_copies_are_drawn_too(wells):
    from dataclasses import replace

    collapsed = type(wells)(wells.info, wells._model)
    collapsed.nodes = [wells.nodes[0], replace(wells.nodes[1], point=replace(wells.nodes[1].point, orbit_size=2))]
    collapsed.expand = lambda: wells
    assert len(markers(plot_contour(wells.model, landscape=collapsed, resolution=11))["index 0"].get_offsets()) == 2


def test_given_axes_are_used_and_show_the_box(wells):
    ax = Figure().add_subplot()
    assert plot_contour(wells.model, ax, box=((-1, 1), (-0.5, 0.5)), resolution=11, colorbar=False) is ax
    assert ax.get_xlim() == (-1.0, 1.0) and ax.get_ylim() == (-0.5, 0.5) and len(ax.figure.axes) == 1


def test_the_box_is_widened_to_hold_every_point(wells):
    wells.nodes[2].point.x[:] = [-5.0, 3.0]
    ax = plot_contour(wells.model, landscape=wells, resolution=11)
    assert ax.get_xlim()[0] < -5.0 and ax.get_xlim()[1] >= 1.6 and ax.get_ylim()[1] > 3.0


def test_steep_walls_do_not_eat_the_levels():
    energy = np.concatenate([np.linspace(0, 1, 900), np.full(100, 1e6)]).reshape(20, 50)
    levels = contour_levels(energy, [0.0, 1.5], 20, 0.6)
    assert levels[0] <= 0.0 and 1.5 < levels[-1] < 2.0 and 10 <= levels.size <= 25
    assert contour_levels(np.zeros((3, 3)), [], 5, 0.6).size > 1


def test_trajectories_are_drawn_from_their_start_to_their_end(wells):
    path = np.array([[1.0, 1.0], [0.5, 0.2], [1.0, 0.0]])
    ax = plot_contour(wells.model, trajectories=[path, Trajectory(path[::-1], np.zeros(3), np.zeros(3))], resolution=11)
    drawn = [line.get_xydata() for line in ax.lines]
    np.testing.assert_array_equal(drawn[0], path)
    np.testing.assert_array_equal(drawn[1], path[:1])
    np.testing.assert_array_equal(drawn[2], path[-1:])
    np.testing.assert_array_equal(drawn[3], path[::-1])
    assert [ax.lines[i].get_color() for i in (1, 2)] == ["white", "black"]
    assert all(line.get_marker() == "o" for line in (ax.lines[1], ax.lines[2]))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["trajectory"]


def test_where_the_energy_is_not_finite_nothing_is_filled():
    model = as_model(lambda x: np.log(x[0]) if x[0] > 0 else np.nan, lambda x: x, 2)
    ax = plot_contour(model, box=((-1, 1), (-1, 1)), resolution=21)
    filled = next(c for c in ax.collections if c.get_array() is not None)
    assert all((path.vertices[:, 0] > 0).all() for path in filled.get_paths() if len(path.vertices))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"box": ((1, -1), (0, 1))}, "ascending"),
        ({"box": (0, 1)}, "box"),
        ({"levels": 1}, "levels"),
        ({"resolution": 2}, "resolution"),
        ({"quantile": 0.0}, "quantile"),
        ({"trajectories": [np.zeros(3)]}, "trajectories"),
    ],
)
def test_wrong_arguments_are_named(wells, options, words):
    with pytest.raises(ValueError, match=words):
        plot_contour(wells.model, **options)


def test_only_two_unknowns_can_be_drawn(square):
    with pytest.raises(ValueError, match="4 unknowns, expected 2"):
        plot_contour(square().model)


def test_a_model_without_a_box_needs_one():
    model = as_model(lambda x: float(x @ x), lambda x: 2 * x, 2)
    with pytest.raises(ValueError, match="names none"):
        plot_contour(model)
    with pytest.raises(ValueError, match="finite nowhere"):
        plot_contour(as_model(lambda x: np.inf, lambda x: x, 2), box=((0, 1), (0, 1)), resolution=8)
