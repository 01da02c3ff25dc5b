"""The reduced Landau-de Gennes model on meshes: plain NumPy twins, exact elements, exact symmetries."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse

from saddlescape import check_model, explore
from saddlescape.models.liquid_crystals import (
    Annulus,
    Disk,
    Ellipse,
    Hexagon,
    Polygon,
    Rectangle,
    ReducedLandauDeGennes,
    Square,
    Triangle,
)
from saddlescape.models.liquid_crystals.reduced import ORDER

SHAPES = [Triangle(), Polygon(4), Polygon(5), Hexagon(), Polygon(8), Ellipse(1.5), Disk(), Annulus(0.4)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=repr)
MODELS = [
    ReducedLandauDeGennes(6, 20.0, 0.3, domain=Hexagon()),
    ReducedLandauDeGennes(7, 30.0, domain=Ellipse(1.3), anchoring="homeotropic"),
    ReducedLandauDeGennes(6, 25.0, domain=Triangle(), anchoring="tangent", strength=3.0),
    ReducedLandauDeGennes(7, 20.0, domain=Disk(), anchoring="homeotropic"),
    ReducedLandauDeGennes(9, 20.0, domain=Disk(), anchoring=0.7),
    ReducedLandauDeGennes(9, 20.0, domain=Annulus(0.3), anchoring={"inner": "free", "outer": "tangent"}),
    ReducedLandauDeGennes(9, 20.0, domain=Annulus(0.3), anchoring={"inner": 0.3, "outer": "tangent"}, strength=5.0),
    ReducedLandauDeGennes(6, 20.0, anchoring={"left": "free", "right": "free", "top": 0.0, "bottom": "homeotropic"}),
]
every_model = pytest.mark.parametrize("model", MODELS, ids=str)


def random_point(model, seed=0):
    return np.random.default_rng(seed).standard_normal(model.dim)


def twin_stiffness(nodes, cells):
    """From the gradients of the barycentric coordinates, cell by cell, (N, N); and the lumped mass (N,)."""
    size = nodes.shape[1] + 1
    stiffness, mass = np.zeros((len(nodes), len(nodes))), np.zeros(len(nodes))
    for cell in cells:
        matrix = np.concatenate([np.ones((size, 1)), nodes[cell]], axis=1)
        gradients = np.linalg.inv(matrix)[1:].T
        volume = abs(np.linalg.det(matrix)) / (2.0 if size == 3 else 6.0)
        stiffness[np.ix_(cell, cell)] += volume * gradients @ gradients.T
        mass[cell] += volume / size
    return stiffness, mass


def mesh_of(model):
    return model.domain.discretise(model.n)


# --- elements -----------------------------------------------------------------------------------------------------------------


@every_shape
def test_elements_equal_the_plain_numpy_twin(shape):
    mesh = shape.discretise(7)
    pairs = [twin_stiffness(mesh.nodes, cells) for cells in (mesh.cells, mesh.other) if cells is not None]
    stiffness, mass = (np.mean(part, axis=0) for part in zip(*pairs, strict=True))
    if mesh.hole:
        mass[: mesh.ring] += mesh.hole / mesh.ring
    np.testing.assert_allclose(mesh.stiffness.toarray(), stiffness, atol=1e-12)
    np.testing.assert_allclose(mesh.weights, mass, rtol=1e-12)
    np.testing.assert_array_equal(mesh.stiffness.toarray(), mesh.stiffness.toarray().T)


@every_shape
def test_linear_fields_have_exact_energies_and_no_forces_inside(shape):
    mesh = shape.discretise(8)
    slope = np.array([0.7, -1.3])
    u = mesh.nodes @ slope + 0.2
    volume = mesh.weights.sum() - mesh.hole
    assert u @ mesh.stiffness @ u == pytest.approx(volume * slope @ slope, rel=1e-12)
    for a in range(2):
        for b in range(2):
            assert mesh.nodes[:, a] @ mesh.product(a, b) @ mesh.nodes[:, b] == pytest.approx(volume, rel=1e-12)
    boundary = np.unique(np.concatenate([facets.nodes.ravel() for facets in mesh.parts.values()]))
    inside = np.setdiff1d(np.arange(len(mesh.nodes)), boundary)
    if mesh.hole:
        inside = inside[inside >= mesh.ring]
    assert np.abs((mesh.stiffness @ u)[inside]).max() < 1e-12
    if not mesh.hole:
        np.testing.assert_allclose(mesh.elastic_density(u[None]), 0.5 * slope @ slope, rtol=1e-11)


AREAS = {Triangle(): np.sqrt(3) / 4, Hexagon(): 1.5 * np.sqrt(3), Polygon(4): 1.0}


@pytest.mark.parametrize("shape", AREAS, ids=repr)
def test_polygons_have_unit_edges_and_their_areas(shape):
    mesh = shape.discretise(6)
    facets = mesh.parts["boundary"]
    assert mesh.weights.sum() == pytest.approx(AREAS[shape], rel=1e-12)
    assert len(mesh.corners) == shape[1]
    np.testing.assert_allclose(facets.areas, 0.2, rtol=1e-12)
    assert mesh.surface_weights("boundary").sum() == pytest.approx(shape[1], rel=1e-12)


@pytest.mark.parametrize(("shape", "area"), [(Disk(), np.pi), (Annulus(0.5), 0.75 * np.pi), (Ellipse(2.0), 2.0 * np.pi)], ids=repr)
def test_areas_of_round_shapes_converge_at_second_order(shape, area):
    errors = [area - shape.discretise(n).weights.sum() for n in (11, 21, 41)]
    ratios = np.array(errors[:-1]) / errors[1:]
    np.testing.assert_allclose(ratios, 4.0, rtol=0.25)


@every_shape
def test_normals_point_out_of_the_domain(shape):
    mesh = shape.discretise(8)
    for facets in mesh.parts.values():
        np.testing.assert_allclose(np.linalg.norm(facets.normals, axis=1), 1.0, rtol=1e-12)
    # The divergence theorem for the field x: its flux is twice the area.
    flux = sum(
        (facets.areas * np.einsum("fi,fi->f", facets.normals, mesh.nodes[facets.nodes].mean(axis=1))).sum()
        for facets in mesh.parts.values()
    )
    assert flux == pytest.approx(2.0 * mesh.weights.sum(), rel=1e-12)


@every_shape
def test_meshes_are_mapped_to_themselves_by_the_group_of_the_shape(shape):
    mesh = shape.discretise(7)
    stiffness = mesh.stiffness.toarray()
    assert len(mesh.generators) > 0
    for permutation, r in mesh.generators:
        np.testing.assert_array_equal(np.sort(permutation), np.arange(len(mesh.nodes)))
        np.testing.assert_allclose(mesh.nodes[permutation] @ r[:2, :2].T, mesh.nodes, atol=1e-13)
        np.testing.assert_allclose(stiffness[np.ix_(permutation, permutation)], stiffness, atol=1e-12)
        np.testing.assert_allclose(mesh.weights[permutation], mesh.weights, rtol=1e-12)


def test_the_square_by_elements_is_the_five_point_laplacian_and_the_trapezoid_rule():
    n = 7
    mesh = Square().discretise(n)
    line = scipy.sparse.diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(n - 2, n - 2))
    inside = np.arange(n * n).reshape(n, n)[1:-1, 1:-1].ravel()
    stiffness = mesh.stiffness[inside][:, inside]
    np.testing.assert_allclose(stiffness.toarray(), scipy.sparse.kronsum(line, line).toarray(), atol=1e-14)
    trapezoid = np.outer(*[np.r_[0.5, np.ones(n - 2), 0.5]] * 2) * (2.0 / (n - 1)) ** 2
    np.testing.assert_allclose(mesh.weights, trapezoid.ravel(), rtol=1e-13)


# --- the model ----------------------------------------------------------------------------------------------------------------


def laboratory(model, x):
    """P at all nodes, (N,) complex, in the axes of the laboratory: read through `unpack`."""
    fields = model.unpack(x)
    director = fields["director"]
    return fields["order"] * (director[:, 0] + 1j * director[:, 1]) ** 2


def twin_energy(model, x):
    """E by the twin of the elements, the facets, and the boundary values that `unpack` gives."""
    mesh, p = mesh_of(model), laboratory(model, x)
    pairs = [twin_stiffness(mesh.nodes, cells) for cells in (mesh.cells, mesh.other) if cells is not None]
    stiffness = np.mean([k for k, _ in pairs], axis=0)
    energy = 0.5 * (p.conj() @ stiffness @ p).real
    energy += mesh.weights @ (0.25 * model.lambda2 * (np.abs(p) ** 2 - ORDER**2) ** 2)
    return energy


@every_model
def test_energy_equals_the_plain_numpy_twin(model):
    x = random_point(model)
    expected = twin_energy(model, x)
    if np.isfinite(model.strength):
        # P_b is what infinitely strong anchoring holds the nodes at.
        mesh, p = mesh_of(model), laboratory(model, x)
        strong = type(model)(model.n, model.lambda2, model.corner, model.domain, model.anchoring)
        data = laboratory(strong, np.zeros(strong.dim))
        surface = sum(mesh.surface_weights(part) for part in mesh.parts)
        expected += 0.5 * model.strength * surface @ np.abs(p - data) ** 2
    assert model.energy(x) == pytest.approx(expected, rel=1e-12)
    assert model.energy_gradient(x, np.empty(model.dim)) == pytest.approx(expected, rel=1e-12)


@every_model
def test_derivatives_are_those_of_the_energy(model):
    # The energy is a quartic along a line: fourth-order central differences are exact but for round-off.
    x, v = random_point(model), random_point(model, 1)
    for function, derivative in ((model.energy, model.gradient(x) @ v), (model.gradient, model.hvp(x, v))):
        near, far = function(x + v) - function(x - v), function(x + 2 * v) - function(x - 2 * v)
        np.testing.assert_allclose(derivative, (8.0 * near - far) / 12.0, atol=1e-11 * np.abs(far).max())


@every_model
def test_interpreted_kernels_give_the_compiled_numbers(model):
    x, v, out = random_point(model), random_point(model, 1), np.empty(model.dim)
    weights = np.random.default_rng(2).uniform(0.0, 3.0, model.n_nodes)
    assert model.kernels.energy.py_func(x, model.params) == pytest.approx(model.energy(x), rel=1e-12)
    for name, arguments in {
        "gradient": (x,),
        "hvp": (x, v),
        "weighted_gradient": (x, weights),
        "weighted_hvp": (x, v, weights),
    }.items():
        compiled = getattr(model, name)(*arguments)
        given = list(arguments)
        given.insert(len(given) - name.startswith("weighted"), model.params)
        getattr(model.kernels, name).py_func(*given, out)
        np.testing.assert_allclose(out, compiled, rtol=1e-12, atol=1e-13)


@every_model
def test_weights_scale_the_local_term_alone(model):
    x, v = random_point(model), random_point(model, 1)
    weights = np.random.default_rng(2).uniform(0.0, 3.0, model.n_nodes)
    p = x.reshape(2, -1)
    local = model.lambda2 * model.mass.reshape(2, -1) * ((p**2).sum(axis=0) - ORDER**2) * p
    expected = model.gradient(x) + ((weights - 1.0) * local).ravel()
    np.testing.assert_allclose(model.weighted_gradient(x, weights), expected, atol=1e-12 * np.abs(expected).max())
    near, far = (model.weighted_gradient(x + t * v, weights) - model.weighted_gradient(x - t * v, weights) for t in (1, 2))
    np.testing.assert_allclose(model.weighted_hvp(x, v, weights), (8.0 * near - far) / 12.0, atol=1e-12 * np.abs(far).max())
    np.testing.assert_array_equal(model.weighted_gradient(x, np.ones(model.n_nodes)), model.gradient(x))


@every_model
def test_hessian_is_the_matrix_of_hvp_with_one_pattern(model):
    x = random_point(model)
    hessian, other = model.hessian(x), model.hessian(np.zeros(model.dim))
    dense = np.array([model.hvp(x, v) for v in np.eye(model.dim)])
    np.testing.assert_allclose(hessian.toarray(), dense, atol=1e-13 * np.abs(dense).max())
    assert hessian.format == "csc" and hessian.has_sorted_indices
    np.testing.assert_array_equal(hessian.indices, other.indices)
    np.testing.assert_array_equal(hessian.indptr, other.indptr)


@every_model
def test_every_check_of_the_model_passes(model):
    report = check_model(model)
    assert report.ok, str(report)


@every_model
def test_preconditioner_is_the_elastic_form_and_its_inverse(model):
    rows, shift = np.random.default_rng(0).standard_normal((3, model.dim)), 1.7
    zero = np.zeros(model.dim)
    bulk = model.mass * (shift + model.lambda2 * ORDER**2)
    expected = (model.hessian(zero) @ rows.T).T + bulk * rows
    operator = model.preconditioner(zero, shift)
    np.testing.assert_allclose(operator.apply(rows), expected, atol=1e-11 * np.abs(expected).max())
    np.testing.assert_allclose(operator.solve(expected), rows, atol=1e-10)
    out = np.empty(model.dim)
    assert operator.solve(expected[1], out) is out
    np.testing.assert_allclose(out, rows[1], atol=1e-10)
    with pytest.raises(ValueError, match="larger shift"):
        model.preconditioner(zero, shift=-1e4)


def test_the_square_by_elements_has_the_energy_of_the_grid():
    # Tangent on every edge, but named one by one, so that the grid's own stencil does not serve.
    parts = dict.fromkeys(("left", "right", "bottom", "top"), "tangent")
    grid, mesh = ReducedLandauDeGennes(9, 20.0), ReducedLandauDeGennes(9, 20.0, anchoring=parts)
    x = random_point(grid)
    assert type(grid._form) is not type(mesh._form)
    assert mesh.energy(x) == pytest.approx(grid.energy(x), rel=1e-12)
    np.testing.assert_allclose(mesh.gradient(x), grid.gradient(x), atol=1e-12)
    assert mesh.symmetry.order == grid.symmetry.order == 16


ORDERS = {Triangle(): 6, Polygon(4): 16, Polygon(5): 10, Hexagon(): 12, Polygon(8): 16, Ellipse(1.5): 4, Disk(): 2, Annulus(0.4): 2}


@every_shape
def test_the_group_has_the_order_of_the_shape(shape):
    model = ReducedLandauDeGennes(6, 20.0, domain=shape)
    assert model.symmetry.order == ORDERS[shape]
    assert (model.symmetry.grid is not None) == (shape[0] in ("disk", "annulus"))


def test_a_uniform_anchoring_leaves_every_map_of_the_domain_and_the_flip():
    # Data along one axis are kept by the identity and by the reflection at that axis, whatever happens to space.
    model = ReducedLandauDeGennes(5, 20.0, domain=Hexagon(), anchoring=0.4)
    assert model.symmetry.order == 24


@pytest.mark.parametrize("model", [m for m in MODELS if m.symmetry.grid is not None], ids=str)
def test_rotations_of_a_disk_are_shifts(model):
    x = random_point(model)
    for shift in range(1, model.symmetry.grid[0], 5):
        image = model.symmetry.apply(np.array([0.0, shift]), x)
        assert model.energy(image) == pytest.approx(model.energy(x), rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"anchoring": "planar"}, "anchoring: got 'planar'"),
        ({"anchoring": "free"}, "anchoring: the whole boundary is free"),
        ({"anchoring": {"wall": "tangent"}}, "anchoring: got .* expected one kind for each part of the boundary: .'boundary'"),
        ({"strength": -1.0}, "strength: got -1.0, expected a positive number"),
        ({"corner": 0.6}, r"corner: got 0.6, expected a length in \(0, 0.5\]"),
        ({"domain": ["polygon", 2]}, "k: got 2"),
        ({"domain": ["polygon"]}, "too many, too few or unknown parameters"),
        ({"domain": ["annulus", 1.0]}, "inner: got 1.0"),
        ({"domain": ["ellipse", 0.5]}, "aspect: got 0.5"),
        ({"n": 3}, "n: got 3"),
    ],
)
def test_bad_parameters_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ReducedLandauDeGennes(**{"n": 7, "lambda2": 10.0, "domain": Hexagon(), **arguments})


def test_a_rectangle_of_equal_edges_is_the_square():
    square, rectangle = ReducedLandauDeGennes(9, 20.0), ReducedLandauDeGennes(9, 20.0, domain=Rectangle(1.0))
    x = 0.5 * np.random.default_rng(0).normal(size=square.dim)
    assert rectangle.energy(x) == pytest.approx(square.energy(x), rel=1e-12)
    assert rectangle.symmetry.order == square.symmetry.order == 16
    for name in ("d", "r"):
        np.testing.assert_allclose(rectangle.start(name), square.start(name), atol=1e-9)
    assert explore(ReducedLandauDeGennes((13, 11), 20.0, domain=Rectangle(1.25))).euler_characteristic() == 1


@every_shape
@pytest.mark.parametrize("anchoring", ["tangent", "homeotropic", 0.4])
def test_every_start_fits_the_boundary(shape, anchoring):
    model = ReducedLandauDeGennes(8, 20.0, domain=shape, anchoring=anchoring)
    for name in model.start_names:
        x = model.start(name)
        assert np.isfinite(x).all() and x.shape == (model.dim,)
        if name not in ("ring", "wors", "uniform"):
            # |P| = c everywhere, and no jump but at the corners: the elastic energy is that of a smooth angle.
            np.testing.assert_allclose(np.hypot(*x.reshape(2, -1)), ORDER, rtol=1e-12)
            assert model.energy(x) < model.energy(-x)
    assert ("pair-1" in model.start_names) == (shape[:1] == ("polygon",) and shape[1] in (3, 5, 8) and anchoring != 0.4)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "skfem", None)
    with pytest.raises(ImportError, match=r"need the package skfem: pip install 'saddlescape\[meshes\]'"):
        ReducedLandauDeGennes(19, 20.0, domain=Polygon(7))


def test_the_square_needs_no_packages_for_meshes():
    code = (
        "import sys; from saddlescape.models import ReducedLandauDeGennes; ReducedLandauDeGennes(9, 10.0).default_start(); "
        "print([name for name in ('skfem', 'meshio') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
