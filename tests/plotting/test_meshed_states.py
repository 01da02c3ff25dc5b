"""Director fields on meshes, defects, polarised light."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection, TriMesh
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from saddlescape.plotting import plot_polarised, plot_state
from saddlescape.plotting.pictures import colour_scale as scale_of
from saddlescape.plotting.pictures import defect_handles, draw_states
from saddlescape.plotting.sampling import Plane, rods
from saddlescape.plotting.states import transmitted

from .fields import disk, meshed


def artists(ax, kind, label=None):
    return [a for a in ax.get_children() if type(a) is kind and label in (None, a.get_label())]


def test_a_mesh_is_shaded_outlined_and_filled_with_rods():
    fields = meshed(order=lambda x, y: 1 + x)
    ax = plot_state(fields, rods=12)
    (shading,) = artists(ax, TriMesh)
    np.testing.assert_array_equal(shading.get_array(), fields["order"])
    assert shading.norm.vmin == 0.0 and shading.norm.vmax == 2.0
    (border,) = artists(ax, PathPatch)
    assert np.hypot(*border.get_path().vertices.T) == pytest.approx(1.0)
    (drawn,) = artists(ax, LineCollection)
    assert drawn.get_clip_path() is not None
    ax.figure.draw_without_rendering()


def test_rods_fill_the_domain_and_lie_along_the_director():
    drawn = rods(Plane(meshed()), 12)
    middle, along = drawn.mean(axis=1), drawn[:, 1] - drawn[:, 0]
    assert (np.hypot(*middle.T) < 1.0).all()
    assert len(drawn) == pytest.approx(np.pi / 4 * 144, rel=0.08)
    np.testing.assert_allclose(np.arctan2(along[:, 1], along[:, 0]), 0.4)


def test_rods_between_nodes_follow_a_director_without_a_sign():
    fields = meshed(lambda x, y: 0.5 * np.arctan2(y, x), lambda x, y: np.hypot(x, y))
    signs = np.random.default_rng(0).choice([-1.0, 1.0], len(fields["order"]))
    flipped = {**fields, "director": fields["director"] * signs[:, None]}
    np.testing.assert_allclose(rods(Plane(flipped), 9), rods(Plane(fields), 9), atol=1e-12)
    drawn = rods(Plane(fields), 9)
    middle, along = drawn.mean(axis=1), drawn[:, 1] - drawn[:, 0]
    angle = 0.5 * np.arctan2(middle[:, 1], middle[:, 0])
    off = np.angle(np.exp(2j * (np.arctan2(along[:, 1], along[:, 0]) - angle))) / 2
    assert np.abs(off[np.hypot(*middle.T) > 0.3]).max() < 0.02


@pytest.mark.parametrize("lean", [0.0, 0.7, np.pi / 2])
def test_a_director_out_of_the_plane_is_foreshortened(lean):
    fields = meshed()
    n = np.array([np.cos(lean), 0.0, np.sin(lean)])
    drawn = rods(Plane({**fields, "director": np.broadcast_to(n, (len(fields["order"]), 3))}), 10)
    length = np.hypot(*(drawn[:, 1] - drawn[:, 0]).T)
    np.testing.assert_allclose(length, 0.84 * 0.2 * max(np.cos(lean), 0.08))


def test_the_outline_of_an_annulus_has_two_loops():
    nodes, triangles = disk()
    outer = triangles[(np.hypot(*nodes.T)[triangles] > 0.3).all(axis=1)]
    outer[::2] = outer[::2, ::-1]  # whichever way the triangles turn
    used, numbers = np.unique(outer, return_inverse=True)
    fields = meshed()
    ring = {
        "kind": "director",
        "nodes": nodes[used],
        "triangles": numbers.reshape(-1, 3),
        "director": fields["director"][used],
        "order": fields["order"][used],
    }
    loops = Plane(ring).outline.to_polygons()
    areas = sorted(abs(0.5 * np.sum(a[:-1, 0] * a[1:, 1] - a[1:, 0] * a[:-1, 1])) for a in loops)
    assert len(areas) == 2
    radius = np.hypot(*nodes[used].T).min()
    assert areas == pytest.approx([np.pi * radius**2, np.pi], rel=0.05)
    assert (np.hypot(*rods(Plane(ring), 20).mean(axis=1).T) > 0.95 * radius).all()


@pytest.mark.parametrize("where", ["large", "small"])
def test_defects_are_marked_by_shape_and_colour(where):
    defects = np.array([(0.3, 0.2, 0.5), (-0.4, 0.0, -0.5), (0.0, -0.5, 1.0)])
    fields = meshed(defects=defects)
    if where == "large":
        ax = plot_state(fields)
        texts = [text.get_text() for text in ax.get_legend().get_texts()]
        assert texts == ["charge +1", "charge +1/2", "charge −1/2"]
        place = np.eye(2), np.zeros(2)
    else:
        ax = Figure().add_subplot()
        draw_states(ax, [fields], np.array([(5.0, 7.0)]), 1.0, scale_of([fields]))
        place = 0.93 / 2 * np.eye(2), np.array([5.0, 7.0])
    (positive,) = artists(ax, PathCollection, "positive defects")
    (negative,) = artists(ax, PathCollection, "negative defects")
    (whole,) = artists(ax, PathCollection, "whole turns")
    for marks, expected in ((positive, defects[[0, 2]]), (negative, defects[[1]]), (whole, defects[[2]])):
        boxes = [path.get_extents() for path in marks.get_paths()]
        centres = np.array([[(b.x0 + b.x1) / 2, (b.y0 + b.y1) / 2] for b in boxes])
        np.testing.assert_allclose(centres, expected[:, :2] @ place[0] + place[1], atol=0.03)
    assert len(negative.get_paths()[0].vertices) == 4 and len(positive.get_paths()[0].vertices) > 10
    assert tuple(positive.get_facecolor()[0]) != tuple(negative.get_facecolor()[0])
    # A millimetre at least in a picture three centimetres wide.
    assert positive.get_paths()[0].get_extents().width * 30.0 >= 1.0 * np.ptp(ax.get_xlim() if where == "large" else [0, 1])
    ax.figure.draw_without_rendering()


def test_without_defects_there_is_no_legend():
    assert plot_state(meshed(defects=np.empty((0, 3)))).get_legend() is None
    assert plot_state(meshed(defects=np.array([(0.0, 0.0, 0.5)])), legend=False).get_legend() is None
    assert defect_handles([meshed()]) == []


def test_biaxiality_has_a_scale_of_its_own():
    fields = meshed(biaxiality=np.linspace(0.0, 0.3, len(disk()[0])))
    ax = plot_state(fields, colour="biaxiality")
    (shading,) = artists(ax, TriMesh)
    np.testing.assert_array_equal(shading.get_array(), fields["biaxiality"])
    assert (shading.norm.vmin, shading.norm.vmax) == (0.0, 1.0) and shading.cmap.name == "magma_r"
    assert "β²" in ax.figure.axes[1].get_ylabel()
    with pytest.raises(ValueError, match="colour: got 'biaxiality', but these states have no such array"):
        plot_state(meshed(), colour="biaxiality")
    with pytest.raises(ValueError, match=r"colour: got 'biaxality' \(.*biaxiality"):
        plot_state(fields, colour="biaxality")


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 4, 1.2])
@pytest.mark.parametrize("polariser", [0.0, 0.5])
def test_one_layer_between_crossed_polarisers(angle, polariser):
    n = np.array([np.cos(angle), np.sin(angle)])
    for order, phase in ((1.0, np.pi), (0.6, 2.0)):
        found = transmitted([order * np.outer(n, n)], polariser, phase)
        assert found == pytest.approx(np.sin(2 * (angle - polariser)) ** 2 * np.sin(phase * order / 2) ** 2, abs=1e-14)


def test_a_twisted_slab_guides_light_round():
    # Mauguin: a quarter turn over many wavelengths takes the polarisation with it, and the analyser lets it pass.
    angles = np.linspace(0.0, np.pi / 2, 400)
    layers = [np.outer(n, n) for n in np.column_stack([np.cos(angles), np.sin(angles)])]
    assert transmitted(layers, 0.0, 60.0) > 0.99
    assert transmitted(layers[:1] * 400, 0.0, 60.0) < 1e-20


def test_light_through_a_uniform_disk():
    ax = plot_polarised(meshed(lambda x, y: 0.0 * x + np.pi / 4))
    assert np.max(ax.images[0].get_array()) == pytest.approx(1.0)
    assert ax.images[0].get_array()[120, 120] == pytest.approx(1.0)
    dark = plot_polarised(meshed(lambda x, y: 0.0 * x + np.pi / 4), polariser=np.pi / 4)
    assert np.max(dark.images[0].get_array()) < 1e-20
    half = plot_polarised(meshed(lambda x, y: 0.0 * x + np.pi / 4), retardation=np.pi / 2, colorbar=False)
    assert half.images[0].get_array()[120, 120] == pytest.approx(0.5) and len(half.figure.axes) == 1
    isotropic = plot_polarised(meshed(order=lambda x, y: 0.0 * x))
    assert np.max(isotropic.images[0].get_array()) == 0.0
    ax.figure.draw_without_rendering()


def test_only_directors_turn_light():
    with pytest.raises(ValueError, match="got 'line', expected 'director'"):
        plot_polarised({"kind": "line", "x": np.arange(3.0), "field": np.zeros(3)})


NODES, TRIANGLES = disk()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"nodes": NODES[:, :1]}, r"fields\['nodes'\]: got shape \(469, 1\), expected \(N, 2\)"),
        ({"triangles": TRIANGLES[:, :2]}, r"fields\['triangles'\]: got shape .* expected \(at least 1, 3\)"),
        ({"triangles": TRIANGLES + 1}, r"fields\['triangles'\]: got node numbers from 1 to 469, expected 0 to 468"),
        ({"order": np.ones(3)}, r"fields\['order'\]: got shape \(3,\), expected \(469,\) to match nodes"),
        ({"director": np.ones((469, 4))}, r"expected \(469, 2 or 3\)"),
        ({"biaxiality": np.ones(5)}, r"fields\['biaxiality'\]: got shape \(5,\)"),
        ({"defects": np.ones(3)}, r"fields\['defects'\]: got shape \(3,\), expected \(k, 3\)"),
    ],
)
def test_meshes_that_do_not_fit_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        plot_state({**meshed(), **change})


def test_what_is_missing_is_said_with_the_alternative():
    fields = meshed()
    del fields["triangles"]
    with pytest.raises(ValueError, match=r"missing: \['x', 'y'\]") as caught:
        plot_state(fields)
    assert "or nodes with triangles or tetrahedra instead of x and y" in str(caught.value)
    fields = meshed()
    del fields["nodes"]
    with pytest.raises(ValueError, match=r"missing: \['nodes'\]"):
        plot_state(fields)
