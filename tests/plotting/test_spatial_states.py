"""States in space: plane cuts, three-dimensional pictures."""

import itertools

import numpy as np
import pytest
from matplotlib.collections import TriMesh
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d.art3d import Line3DCollection, Poly3DCollection

from saddlescape.plotting import cut, plot_polarised, plot_state, plot_state_3d
from saddlescape.plotting.pictures import colour_scale, draw_states, fills_its_frame
from saddlescape.plotting.sampling import Plane

from .fields import directed, meshed, spatial


def nodes_of(fields: dict) -> tuple[np.ndarray, np.ndarray]:
    """Right and up coordinates of the nodes of a plane state."""
    return np.meshgrid(fields["x"], fields["y"]) if "x" in fields else tuple(fields["nodes"].T)


@pytest.mark.parametrize("kind", ["grid", "mesh"])
@pytest.mark.parametrize(("axis", "at"), [("z", 0.13), ("y", -0.4), ("x", 0.27), ("x", -1.0), ("y", 1.0), ("z", None)])
def test_a_cut_shows_the_field_in_its_plane(kind, axis, at):
    state = spatial(kind)
    found = cut(state, axis, at)
    right, up = nodes_of(found)
    across = np.full_like(right, 0.0 if at is None else at)
    places = {"x": (across, right, up), "y": (right, across, up), "z": (right, up, across)}[axis]
    assert found["axes"] == {"x": ("y", "z"), "y": ("x", "z"), "z": ("x", "y")}[axis]
    x, y, z = places
    np.testing.assert_allclose(found["order"], 1 + x / 2 + y / 4 + z / 8, atol=1e-9)  # linear, so exact
    np.testing.assert_allclose(found["biaxiality"], found["order"] / 4, atol=1e-9)
    order = {"x": [1, 2, 0], "y": [0, 2, 1], "z": [0, 1, 2]}[axis]
    along = (found["director"] * directed(x, y, z)[..., order]).sum(axis=-1)
    assert np.abs(along).min() > 0.99
    plot_state(found).figure.draw_without_rendering()


@pytest.mark.parametrize(
    ("axis", "at", "area"), [("z", 0.0, 4.0), ("z", 0.2, 4.0), ("x", 0.5, 2.0), ("y", 1.0, 2.0), ("z", -0.5, 4.0)]
)
def test_a_cut_through_tetrahedra_leaves_no_gap(axis, at, area):
    plane = Plane(cut(spatial("mesh"), axis, at))
    corners = plane.fields["nodes"][plane.fields["triangles"]]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    sizes = 0.5 * np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0])
    assert sizes.sum() == pytest.approx(area, rel=1e-3) and sizes.min() > 0.0
    assert len(plane.outline.to_polygons()) == 1


@pytest.mark.parametrize("kind", ["grid", "mesh"])
def test_a_state_in_space_is_drawn_as_its_middle_plane(kind):
    state = spatial(kind)
    ax = plot_state(state)
    shown = ax.images[0].get_array() if kind == "grid" else next(a for a in ax.collections if isinstance(a, TriMesh)).get_array()
    np.testing.assert_allclose(shown, cut(state)["order"])


@pytest.mark.parametrize("kind", ["grid", "mesh"])
def test_a_small_picture_of_a_state_in_space_shows_three_cuts_one_above_the_other(kind):
    state = spatial(kind)
    ax = Figure().add_subplot()
    ax.set(xlim=(4.0, 6.0), ylim=(6.0, 8.0))
    draw_states(ax, [state], np.array([(5.0, 7.0)]), 1.0, colour_scale([state]))
    if kind == "grid":
        shown = [image.get_array() for image in ax.images]
        corners = np.array([[1, -1], [1, 1], [-1, 1]]) * Plane(cut(state)).bounds[:, 1]
        places = [(image.get_transform() - ax.transData).transform(corners) for image in ax.images]
    else:
        meshes = [a for a in ax.collections if isinstance(a, TriMesh)]
        shown = [mesh.get_array() for mesh in meshes]
        places = [np.column_stack([mesh._triangulation.x, mesh._triangulation.y]) for mesh in meshes]
    z = (-1 / 3, 0.0, 1 / 3)  # of a state from -1/2 to 1/2
    for values, height in zip(shown, z, strict=True):
        np.testing.assert_allclose(values, cut(state, "z", height)["order"], atol=1e-9)
    for below, above in itertools.pairwise(places):
        assert below[:, 1].max() < above[:, 1].min()
    whole = np.concatenate(places)
    assert np.abs(whole - [5.0, 7.0]).max() <= 0.93 / 2 + 1e-9
    ax.figure.draw_without_rendering()


def test_a_picture_that_is_not_square_keeps_clear_of_its_frame():
    x, y = np.linspace(-1.25, 1.25, 11), np.linspace(-1.0, 1.0, 9)
    wide = {"kind": "scalar", "x": x, "y": y, "field": np.add.outer(y, x)}
    square = {"kind": "scalar", "x": x, "y": x, "field": np.add.outer(x, x)}
    assert fills_its_frame(square) and not fills_its_frame(wide) and not fills_its_frame(spatial())
    for fields, width in ((square, 1.0), (wide, 0.93)):
        ax = Figure().add_subplot()
        draw_states(ax, [fields], np.zeros((1, 2)), 1.0, colour_scale([fields]))
        extents = ax.images[0].get_window_extent().transformed(ax.transData.inverted()).extents
        np.testing.assert_allclose(extents[[0, 2]], [-width / 2, width / 2])


@pytest.mark.parametrize("kind", ["grid", "mesh"])
def test_three_cuts_their_rods_and_the_lines(kind):
    ax = plot_state_3d(spatial(kind), rods=8)
    by_label = {a.get_label(): a for a in ax.collections}
    assert set(by_label) == {"cuts", "rods", "outlines", "rims", "disclinations"}
    assert isinstance(by_label["cuts"], Poly3DCollection) and isinstance(by_label["rods"], Line3DCollection)
    (loop,) = by_label["disclinations"]._segments3d
    assert np.array_equal(loop[0], loop[-1]) and np.hypot(*np.asarray(loop)[:, :2].T) == pytest.approx(0.5, rel=0.08)
    sticks = np.asarray(by_label["rods"]._segments3d)
    middle, along = sticks.mean(axis=1), sticks[:, 1] - sticks[:, 0]
    assert (np.min(np.abs(middle), axis=1) < 1e-9).all()  # every rod lies on one of the planes through the middle
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    assert np.abs((along * directed(*middle.T)).sum(axis=1)).min() > 0.98
    assert len(ax.figure.axes) == 2
    ax.figure.draw_without_rendering()


def test_rods_behind_another_cut_are_left_out():
    both = count_rods(plot_state_3d(spatial(), cuts={"z": 0.0, "x": 0.0}, rods=10))
    assert count_rods(plot_state_3d(spatial(), cuts={"z": 0.0}, rods=10)) == 100
    assert 100 < both < 100 + 10 * 5


def count_rods(ax) -> int:
    return len(next(a for a in ax.collections if a.get_label() == "rods")._segments3d)


def test_cuts_are_chosen_and_the_lines_can_stand_alone():
    ax = plot_state_3d(spatial(), cuts={"z": 0.25}, colour="biaxiality", colorbar=False)
    faces = np.asarray(next(a for a in ax.collections if a.get_label() == "cuts")._faces)
    assert np.ptp(faces[..., 2]) == 0.0 and faces[0, 0, 2] == 0.25 and len(ax.figure.axes) == 1
    alone = plot_state_3d(spatial(), cuts={})
    assert {a.get_label() for a in alone.collections} == {"rims", "disclinations"} and len(alone.figure.axes) == 1
    given = Figure().add_subplot(projection="3d")
    assert plot_state_3d(spatial(), ax=given) is given


@pytest.mark.parametrize("kind", ["grid", "mesh"])
def test_light_through_a_state_in_space(kind):
    state = spatial(kind)
    n = np.array([1.0, 1.0, 0.0]) / np.sqrt(2.0)
    uniform = {**state, "director": np.broadcast_to(n, state["director"].shape), "order": np.ones_like(state["order"])}
    intensity = plot_polarised(uniform).images[0].get_array()
    np.testing.assert_allclose(intensity[70:90, 70:90], 1.0, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: cut(meshed()), "lies in a plane already"),
        (lambda: cut(spatial(), "w"), "axis: got 'w', expected one of"),
        (lambda: cut(spatial(), "z", 0.7), r"at: got 0.7, expected a number from -0.5 to 0.5, where the domain is along z"),
        (lambda: plot_state_3d(meshed()), "lies in a plane; plot_state draws it"),
        (lambda: plot_state_3d(spatial(), rods=0), "rods: got 0"),
        (lambda: plot_state_3d(spatial(), cuts={"u": 0.0}), "axis: got 'u'"),
        (lambda: plot_state({**spatial(), "director": np.zeros((7, 9, 11, 2))}), r"expected \(7, 9, 11, 3\)"),
        (lambda: plot_state({**spatial(), "disclinations": np.zeros((3, 3))}), r"expected \(k, 4\)"),
        (
            lambda: plot_state({**spatial("mesh"), "nodes": np.zeros((5, 2))}),
            r"fields\['nodes'\]: got shape \(5, 2\), expected \(N, 3\)",
        ),
    ],
)
def test_what_cannot_be_cut_or_drawn_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()
