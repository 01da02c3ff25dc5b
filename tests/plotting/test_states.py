import numpy as np
import pytest
from matplotlib.figure import Figure

from saddlescape.plotting import plot_state
from saddlescape.plotting.pictures import colour_scale
from saddlescape.plotting.sampling import Plane, rods

GRID = np.linspace(-1.0, 1.0, 21)


def director_field(angle: np.ndarray, order: np.ndarray) -> dict:
    return {"kind": "director", "x": GRID, "y": GRID, "director": np.stack([np.cos(angle), np.sin(angle)], axis=-1), "order": order}


def rods_of(fields: dict, count: int) -> np.ndarray:
    return rods(Plane(fields), count)


@pytest.mark.parametrize("kind", ["director", "scalar", "line"])
def test_a_node_is_drawn_as_its_fields_are(square, kind):
    landscape = square(kind)
    ax = plot_state(landscape, 2)
    fields = landscape.model.unpack(landscape.nodes[2].point.x)
    if kind == "line":
        np.testing.assert_array_equal(ax.lines[-1].get_ydata(), fields["field"])
    else:
        np.testing.assert_array_equal(ax.images[0].get_array(), fields["order" if kind == "director" else "field"])
    ax.figure.draw_without_rendering()


def test_given_axes_are_used_and_the_colour_bar_is_optional(square):
    ax = Figure().add_subplot()
    assert plot_state(square(), 0, ax, colorbar=False) is ax
    assert len(ax.figure.axes) == 1
    assert len(plot_state(square(), 0).figure.axes) == 2


def test_rods_lie_along_a_uniform_director():
    angle = np.full((21, 21), 0.3)
    drawn = rods_of(director_field(angle, np.ones((21, 21))), 6)
    assert drawn.shape == (36, 2, 2)
    along = drawn[:, 1] - drawn[:, 0]
    np.testing.assert_allclose(np.arctan2(along[:, 1], along[:, 0]), 0.3)
    assert np.hypot(*along.T) == pytest.approx(0.84 * 2 / 6)


def test_a_director_has_no_sign():
    rng = np.random.default_rng(1)
    u, v = np.meshgrid(GRID, GRID)
    fields = director_field(0.5 * np.arctan2(v, u + 0.013), np.hypot(u, v))  # a defect of charge 1/2: no continuous sign exists
    flipped = {**fields, "director": fields["director"] * rng.choice([-1.0, 1.0], (21, 21, 1))}
    np.testing.assert_allclose(rods_of(fields, 9), rods_of(flipped, 9), atol=1e-12)


def test_no_rod_is_drawn_where_there_is_no_order():
    order = np.ones((21, 21))
    order[:, :11] = 0.0
    drawn = rods_of(director_field(np.zeros((21, 21)), order), 8)
    assert len(drawn) == 32 and (drawn[..., 0] > 0).all()


def test_one_scale_holds_all_states():
    low, high = ({"kind": "scalar", "x": GRID, "y": GRID, "field": np.full((21, 21), value)} for value in (-0.2, 0.7))
    assert (colour_scale([low, high]).norm.vmin, colour_scale([low, high]).norm.vmax) == (-0.7, 0.7)
    assert colour_scale([low, high]).cmap.name == "RdBu_r"
    positive = {**high, "field": 0.1 + np.abs(np.outer(GRID, GRID))}
    assert colour_scale([positive]).cmap.name == "viridis"
    assert colour_scale([director_field(np.zeros((21, 21)), np.full((21, 21), 0.4))]).norm.vmin == 0.0


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        (3, TypeError, "expected the dict that model.unpack"),
        ({"x": GRID}, ValueError, "fields\\['kind'\\]: got None"),
        ({"kind": "scalar", "x": GRID}, ValueError, "missing: \\['y', 'field'\\]"),
        ({"kind": "scalar", "x": GRID, "y": GRID[:5], "field": np.zeros((21, 5))}, ValueError, "expected \\(5, 21\\)"),
        ({"kind": "line", "x": GRID, "field": np.zeros(3)}, ValueError, "expected \\(21,\\)"),
        (
            {**director_field(np.zeros((21, 21)), np.ones((21, 21))), "director": np.zeros((21, 21))},
            ValueError,
            "expected \\(21, 21, 2 or 3\\)",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(fields, error, words):
    with pytest.raises(error, match=words):
        plot_state(fields)


def test_a_landscape_needs_a_node_a_model_and_fields(square, wells):
    with pytest.raises(TypeError, match="node"):
        plot_state(square())
    with pytest.raises(IndexError, match="from 0 to 6"):
        plot_state(square(), 7)
    with pytest.raises(ValueError, match="attach"):
        plot_state(square(attached=False), 0)
    with pytest.raises(ValueError, match="plain vectors"):
        plot_state(wells, 0)


def test_rods_must_be_positive(square):
    with pytest.raises(ValueError, match="rods"):
        plot_state(square(), 0, rods=0)
