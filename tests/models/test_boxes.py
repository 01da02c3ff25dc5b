"""Boxes, what their faces ask for, and the transforms that make their Laplacians diagonal."""

import json
import pickle
from itertools import product

import numpy as np
import pytest
import scipy.sparse

from saddlescape.models import LandauDeGennes, spectral
from saddlescape.models.liquid_crystals import Cuboid, Rectangle, Square, tensors
from saddlescape.models.liquid_crystals.discretisation.lines import Axis
from saddlescape.models.liquid_crystals.discretisation.planar import planar_data, planar_density, planar_hessian
from saddlescape.models.liquid_crystals.domains.registry import as_domain
from saddlescape.models.spectral import BoxOperator
from saddlescape.naming import load_model, model_name, model_parameters

# --- domains -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("domain", [Square(), Rectangle(1.25), Rectangle(2.0, "yx"), Cuboid(), Cuboid(1.0, 0.5, "z")])
def test_domains_are_read_back_from_lists_and_pickles(domain):
    assert as_domain(json.loads(json.dumps(list(domain)))) == domain == pickle.loads(pickle.dumps(domain))
    assert eval(repr(domain), {type(domain).__name__: type(domain)}) == domain


def test_nodes_may_be_given_along_each_axis():
    model = LandauDeGennes([9, 7], 5.0, domain=Rectangle(1.5))
    assert model.n == (9, 7) and model.dim == 5 * 7 * 5
    assert model == LandauDeGennes((9, 7), 5.0, domain=["rectangle", 1.5])
    assert LandauDeGennes((9, 7, 5), 5.0, domain=Cuboid()).dim == 5 * 7 * 5 * 5
    with pytest.raises(ValueError, match=r"n: got \(9, 7, 5\), expected an integer of at least 5 .*, or 2 of them"):
        LandauDeGennes((9, 7, 5), 5.0, domain=Rectangle(1.5))


def test_spacings_are_as_equal_as_the_edges_allow():
    axes = Cuboid(1.25, 0.62).axes(26)
    assert [axis.n for axis in axes] == [26, 21, 13]
    assert [axis.spacing for axis in axes] == pytest.approx([0.1, 0.1, 1.24 / 12])
    assert [axis.n for axis in Rectangle(1.0, "x").axes(20)[:2]] == [20, 21]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Rectangle(0.0), r"aspect: got 0\.0, expected a positive ratio"),
        (lambda: Rectangle("wide"), "aspect: got 'wide'"),
        (lambda: Cuboid(1.0, -2.0), r"height: got -2\.0"),
        (lambda: Rectangle(1.0, "z"), "periodic: got 'z', expected letters of 'xy'"),
        (lambda: Cuboid(1.0, 1.0, "xx"), "periodic: got 'xx'"),
        (lambda: LandauDeGennes(9, 1.0, domain=["cuboid", 1.0, 1.0, "", 3]), "too many, too few or unknown parameters for Cuboid"),
        (lambda: LandauDeGennes(4, 1.0), "n: got 4, expected an integer of at least 5"),
        (lambda: LandauDeGennes(9, 0.0), r"lambda2: got 0\.0"),
        (lambda: LandauDeGennes(9, 1.0, B=-1.0), r"B: got -1\.0"),
        (lambda: LandauDeGennes(9, 1.0, C=float("inf")), "C: got inf"),
        (lambda: LandauDeGennes(9, 1.0, temperature=1.2), r"temperature: got 1\.2, expected at most 9/8"),
        (lambda: LandauDeGennes(9, 1.0, corner=1.5), r"corner: got 1\.5, expected a length in \(0, 1\]"),
        (lambda: LandauDeGennes(9, 1.0, corner=0.7, domain=Rectangle(0.6)), r"corner: got 0\.7, expected a length in \(0, 0\.6\]"),
        (lambda: LandauDeGennes(9, 1.0, field=(1.0, 2.0)), r"field: got \(1\.0, 2\.0\), expected 3 finite numbers"),
        (lambda: LandauDeGennes(9, 1.0, field="up"), "field: got 'up'"),
        (lambda: LandauDeGennes(9, 1.0, anchoring="planar"), "anchoring: got 'planar', expected one of"),
        (lambda: LandauDeGennes(9, 1.0, anchoring=(0, 0, 0)), r"anchoring: got \(0, 0, 0\), expected one of .* or a director"),
        (lambda: LandauDeGennes(9, 1.0, anchoring={"left": "tangent"}), "anchoring: got nothing for .*'right', 'bottom', 'top'"),
        (lambda: LandauDeGennes(9, 1.0, anchoring={"front": "tangent"}), r"anchoring: got the parts \['front'\], expected parts"),
        (lambda: LandauDeGennes(9, 1.0, strength=-1.0), r"strength: got -1\.0, expected W lambda / L1, not negative"),
        (lambda: LandauDeGennes(9, 1.0, strength={"left": float("nan")}), "strength of 'left': got nan"),
        (lambda: LandauDeGennes(9, 1.0, strength={"floor": 1.0}), r"strength: got the parts \['floor'\]"),
        (lambda: LandauDeGennes(9, 1.0, anchoring="planar-degenerate"), "'left' is planar-degenerate, which is always weak"),
        (
            lambda: LandauDeGennes(5, 1.0, domain="cuboid", anchoring=dict.fromkeys(Cuboid().normals, "tangent")),
            "anchoring: got 'tangent' for 'back', a face with no tangent direction of its own",
        ),
    ],
)
def test_bad_input_is_named(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_anchoring_travels_as_json():
    anchoring = {"top": (0.0, 1.0, 2.0), "left": "free", "bottom": "homeotropic", "right": "planar-degenerate"}
    model = LandauDeGennes(7, 3.0, anchoring=anchoring, strength={"right": 2, "bottom": np.inf})
    again = load_model(model_name(model), json.loads(json.dumps(model_parameters(model))))
    assert again == model and hash(again) == hash(model)
    assert dict(model.anchoring) == anchoring


# --- faces ---------------------------------------------------------------------------------------------------------------


def test_boundary_values_of_the_square_are_the_published_ones():
    model = LandauDeGennes(41, 7.0)
    q = tensors.matrices(model.discrete.filled(np.zeros(model.dim)))[0]
    t = np.linspace(-1.0, 1.0, 41)
    ramp = np.minimum(1.0, (1.0 - np.abs(t)) / 0.1)
    s = model.order
    np.testing.assert_allclose(q[0], s / 3 * ramp[:, None, None] * np.diag([2.0, -1.0, -1.0]), atol=1e-14)
    np.testing.assert_allclose(q[:, -1], s / 3 * ramp[:, None, None] * np.diag([-1.0, 2.0, -1.0]), atol=1e-14)


def test_faces_that_agree_meet_without_a_defect():
    model = LandauDeGennes(9, 7.0, anchoring=(1.0, 1.0, 0.0))
    values = model.discrete.filled(np.zeros(model.dim))
    assert np.sqrt((values**2).sum(axis=0))[0, 0, 0] == pytest.approx(np.sqrt(2.0 / 3.0) * model.order)
    x = model.start("uniform")
    assert np.abs(model.gradient(x)).max() < 1e-13  # the uniform state fits


def test_a_cuboid_is_tangent_around_and_free_above_and_below():
    model = LandauDeGennes(7, 7.0, domain=Cuboid())
    assert model.discrete.grid.free_shape == (7, 5, 5)
    anchoring = dict.fromkeys(model.domain.normals, "tangent") | {"back": "free", "front": "free"}
    by_name = LandauDeGennes(7, 7.0, domain=Cuboid(), anchoring=anchoring)
    x = np.random.default_rng(0).standard_normal(model.dim)
    assert model.energy(x) == by_name.energy(x)


@pytest.mark.parametrize("normal", np.eye(3), ids="xyz")
def test_planar_degenerate_energy_is_zero_exactly_for_directors_in_the_plane(normal):
    s, data = 1.4, planar_data(normal, 3.0, 1.4)
    angles = np.linspace(0.0, np.pi, 7)
    first, second = np.eye(3)[normal == 0.0]
    directors = np.cos(angles)[:, None] * first + np.sin(angles)[:, None] * second
    np.testing.assert_allclose(planar_density(data, tensors.uniaxial(directors, s)), 0.0, atol=1e-14)
    rng = np.random.default_rng(0)
    assert (planar_density(data, rng.normal(size=(5, 200))) > 0.0).all()
    tilted = np.cos(0.3) * first + np.sin(0.3) * normal
    assert planar_density(data, tensors.uniaxial(tilted, s)) > 1e-3
    # Written with matrices: W/2 [|Q~ - P Q~ P|^2 + (|Q~|^2 - s^2)^2 / (4 s^2)].
    q = rng.normal(size=5)
    shifted = tensors.matrices(q) + s / 3 * np.eye(3)
    projected = (np.eye(3) - np.outer(normal, normal)) @ shifted @ (np.eye(3) - np.outer(normal, normal))
    expected = 1.5 * (((shifted - projected) ** 2).sum() + ((shifted**2).sum() - s**2) ** 2 / (4 * s**2))
    assert planar_density(data, q) == pytest.approx(expected, rel=1e-13)


def test_planar_degenerate_energy_has_the_curvature_of_its_strength():
    """A change of order costs W/2 |dQ|^2, and a turn out of the plane W/2 |dQ|^2: the same as Rapini-Papoular."""
    s, data = 1.4, planar_data(np.eye(3)[2], 3.0, 1.4)
    hessian = planar_hessian(data, tensors.uniaxial(np.eye(3)[:1], s))[:, :, 0]
    values, vectors = np.linalg.eigh(hessian)
    assert values[0] == pytest.approx(0.0, abs=1e-13)  # the turn in the plane
    turn = tensors.components(np.outer(np.eye(3)[0], np.eye(3)[2]) + np.outer(np.eye(3)[2], np.eye(3)[0])) / np.sqrt(2.0)
    assert turn @ hessian @ turn == pytest.approx(3.0)
    assert np.abs(vectors[1, 0]) == pytest.approx(1.0)


# --- lines and transforms ------------------------------------------------------------------------------------------------

ENDS = ("fixed", "free", "fixed-free", "free-fixed", "periodic")


def line_matrices(n, spacing, ends):
    """Stiffness and weights of the free nodes of a line."""
    low, high = (int(e == "fixed") for e in (ends.split("-") * 2)[:2])
    total = n + low + high
    axis = Axis(spacing * np.arange(total), spacing, ends == "periodic")
    inside = slice(low, total - high)
    return axis.stiffness.toarray()[inside, inside], axis.weights[inside]


@pytest.fixture(params=["dense", "fast"])
def limit(request, monkeypatch):
    """Products with dense matrices, or SciPy's transforms."""
    if request.param == "fast":
        monkeypatch.setattr(spectral, "DENSE_TRANSFORM_LIMIT", {1: 0, 2: 0})


@pytest.mark.parametrize("ends", [*product(ENDS, repeat=2), ("free", "periodic", "fixed"), ("periodic", "fixed-free", "periodic")])
def test_box_operator_is_the_shifted_laplacian_and_its_inverse(ends, limit):
    sizes, spacings = (5, 4, 6)[: len(ends)], (0.3, 0.5, 0.2)[: len(ends)]
    lines = [line_matrices(n, h, e) for n, h, e in zip(sizes, spacings, ends, strict=True)]
    total = scipy.sparse.csr_array((np.prod(sizes),) * 2)
    for place in [None, *range(len(ends))]:
        factor = np.ones((1, 1))
        for other, (stiffness, weights) in enumerate(lines):
            factor = scipy.sparse.kron(factor, stiffness if other == place else np.diag(weights))
        total = total + (0.7 if place is None else 1.0) * factor
    operator = BoxOperator(list(zip(sizes, spacings, ends, strict=True)), 0.7)
    rows = np.random.default_rng(0).standard_normal((2, 3 * np.prod(sizes)))  # three fields in each of two rows
    expected = (total @ rows.reshape(6, -1).T).T.reshape(rows.shape)
    np.testing.assert_allclose(operator.apply(rows), expected, atol=1e-12 * np.abs(expected).max())
    np.testing.assert_allclose(operator.solve(expected), rows, atol=1e-11)
    out = np.empty_like(rows[0])
    assert operator.solve(expected[0], out) is out
    np.testing.assert_allclose(out, rows[0], atol=1e-11)


def test_a_laplacian_without_a_fixed_end_needs_a_shift():
    with pytest.raises(ValueError, match="larger shift"):
        BoxOperator([(5, 0.1, "free"), (5, 0.1, "periodic")], 0.0)


@pytest.mark.parametrize("periodic", [False, True])
def test_slopes_and_stiffness_integrate_exactly_what_they_should(periodic):
    axis = Axis(np.linspace(0.0, 1.0, 9)[: 8 if periodic else 9], 0.125, periodic)
    v = np.random.default_rng(0).standard_normal(axis.n)
    ends = 0.0 if periodic else v[-1] ** 2 - v[0] ** 2
    assert 2.0 * v @ axis.slope @ v == pytest.approx(ends, abs=1e-14)  # the integral of (v^2)'
    if not periodic:
        assert axis.nodes @ axis.stiffness @ axis.nodes == pytest.approx(1.0)
        assert axis.nodes @ axis.slope @ axis.nodes == pytest.approx(0.5)
