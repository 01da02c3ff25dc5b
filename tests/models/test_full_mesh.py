"""The full Landau-de Gennes model on meshes against plain NumPy, the grid, the reduced model and known energies."""

import numpy as np
import pytest

from saddlescape import check_model
from saddlescape.models import LandauDeGennes, ReducedLandauDeGennes
from saddlescape.models.liquid_crystals import Annulus, Ball, Cylinder, Disk, Ellipse, Hexagon, Square, Triangle, tensors
from saddlescape.models.liquid_crystals.discretisation.anchoring import facet_conditions
from saddlescape.models.liquid_crystals.discretisation.boundary import nodal_normals
from saddlescape.models.liquid_crystals.discretisation.factorised import FactorisedOperator, MultigridOperator
from saddlescape.models.liquid_crystals.discretisation.full_mesh import FullOnMesh
from saddlescape.models.liquid_crystals.material import Bulk, elastic_tensor
from saddlescape.numerics.certify import certify
from saddlescape.numerics.derivatives import Derivatives
from saddlescape.numerics.newton import polish

STEP = 1e-30
CASES = {
    "hexagon": {"n": 5, "domain": Hexagon()},
    "hexagon, several constants": {"n": 5, "domain": Hexagon(), "L2": 0.7, "L3": -0.4, "field": (1.0, 0.5, 2.0)},
    "weak triangle": {"n": 5, "domain": Triangle(), "strength": 3.0, "L3": 0.5, "temperature": -2.0},
    "ellipse": {"n": 7, "domain": Ellipse(1.4), "anchoring": (1.0, 0.0, 2.0), "B": 1.0, "C": 2.0},
    "rings": {"n": 7, "domain": Disk(), "anchoring": "homeotropic"},
    "rings, several constants": {"n": 7, "domain": Disk(), "L2": 0.6, "L3": 0.3, "field": (0.0, 0.0, 1.5)},
    "planar rings": {
        "n": 7,
        "domain": Annulus(0.4),
        "anchoring": {"inner": "planar-degenerate", "outer": "homeotropic"},
        "strength": {"inner": 4.0, "outer": 2.5},
        "L2": -0.2,
    },
    "rings that are not even": {"n": 7, "domain": Disk(), "anchoring": (1.0, 0.3, 0.0), "L3": 0.4},
    "ball": {"n": 5, "domain": Ball(), "anchoring": "homeotropic"},
    "planar ball": {
        "n": 5,
        "domain": Ball(),
        "anchoring": "planar-degenerate",
        "strength": 3.0,
        "L2": 0.5,
        "L3": 0.8,
        "field": (0.0, 1.0, 1.0),
    },
    "weak spheroid": {"n": 5, "domain": Ball(1.5), "anchoring": "homeotropic", "strength": 2.0},
    "cylinder": {
        "n": 5,
        "domain": Cylinder(0.8),
        "anchoring": {"side": "planar-degenerate", "back": (0.0, 1.0, 0.0), "front": "free"},
        "strength": {"side": 2.0},
        "L2": 0.3,
    },
}
every_case = pytest.mark.parametrize("model", [LandauDeGennes(lambda2=11.0, **case) for case in CASES.values()], ids=CASES)


def random_point(model, seed=0, size=1.0):
    return size * np.random.default_rng(seed).standard_normal(model.dim)


def close(value, expected):
    np.testing.assert_allclose(value, expected, rtol=1e-11, atol=1e-11 * np.abs(expected).max())


# --- an independent twin: cell by cell, matrices Q ------------------------------------------------------------------------


def twin(model, x, weights=None):
    """E and dE/dx of complex points; ``weights`` (free nodes,) multiply bulk and planar-degenerate terms."""
    discrete, mesh = model.discrete, model.discrete.mesh
    free, d, n_nodes = discrete.free, model.discrete.mesh.dimension, len(model.discrete.mesh.nodes)
    axes = np.broadcast_to(np.eye(5), (n_nodes, 5, 5)) if discrete.axes is None else discrete.axes
    q = discrete.fixed.astype(complex)
    q[:, free] = np.einsum("nab,bn->an", axes[free], x.reshape(5, -1))
    factor = np.ones(n_nodes)
    if weights is not None:
        factor[free] = weights
    tensor, force, energy, volumes = elastic_tensor(model.L2, model.L3), np.zeros_like(q), 0.0, np.zeros(n_nodes)
    cuts = [mesh.cells] if mesh.other is None else [mesh.cells, mesh.other]
    for cell in np.concatenate(cuts):
        matrix = np.concatenate([np.ones((d + 1, 1)), mesh.nodes[cell]], axis=1)
        volume = abs(np.linalg.det(matrix)) / (2.0 if d == 2 else 6.0) / len(cuts)
        slopes = np.zeros((d + 1, 3))
        slopes[:, :d] = np.linalg.inv(matrix)[1:].T
        stress = np.einsum("abde,be->ad", tensor, q[:, cell] @ slopes)
        energy = energy + 0.5 * volume * (stress * (q[:, cell] @ slopes)).sum()
        force[:, cell] += volume * stress @ slopes.T
        volumes[cell] += volume / (d + 1)
    if mesh.hole:
        volumes[: mesh.ring] += mesh.hole / mesh.ring
    matrix, a = tensors.matrices(q), model.temperature * model.B**2 / (27 * model.C)
    square = np.trace(matrix @ matrix, axis1=1, axis2=2)
    cube = np.trace(matrix @ matrix @ matrix, axis1=1, axis2=2)
    h = np.array(model.field)
    bulk = model.lambda2 * (a / (4 * model.C) * square - model.B / (6 * model.C) * cube + square**2 / 8)
    energy = energy + (volumes * (factor * bulk - 0.5 * np.einsum("nij,i,j->n", matrix, h, h))).sum()
    slope = a / (2 * model.C) * matrix - model.B / (2 * model.C) * matrix @ matrix + 0.5 * square[:, None, None] * matrix
    pull = 0.5 * tensors.components(np.outer(h, h))[:, None]
    force += volumes * (factor * model.lambda2 * tensors.components(slope) - pull)
    for node in np.flatnonzero(discrete.surface):
        away = q[:, node] - discrete.wanted[:, node] / discrete.surface[node]
        energy = energy + 0.5 * discrete.surface[node] * (away**2).sum()
        force[:, node] += discrete.surface[node] * away
    for part, condition in discrete.conditions.items():
        if condition.kind != "planar-degenerate":
            continue
        for node, normal in zip(*nodal_normals(mesh, part), strict=True):
            w, s = condition.strength * mesh.surface_weights(part)[node] * factor[node], model.order
            shifted, projector = matrix[node] + s / 3 * np.eye(3), np.eye(3) - np.outer(normal, normal)
            off, excess = shifted - projector @ shifted @ projector, (shifted * shifted).sum() - s**2
            energy = energy + 0.5 * w * ((off * off).sum() + excess**2 / (4 * s**2))
            force[:, node] += w * tensors.components(off + excess * shifted / (2 * s**2))
    return energy, np.einsum("nba,bn->an", axes[free], force[:, free]).ravel()


@every_case
def test_the_twin_is_consistent(model):
    x, v = random_point(model), random_point(model, 1)
    assert twin(model, x + 1j * STEP * v)[0].imag / STEP == pytest.approx(twin(model, x)[1].real @ v, rel=1e-9)


@every_case
def test_kernels_equal_the_plain_numpy_twin(model):
    x, v = random_point(model), random_point(model, 1)
    energy, gradient = twin(model, x)
    out = np.empty(model.dim)
    assert model.energy(x) == pytest.approx(energy.real, rel=1e-12)
    assert model.energy_gradient(x, out) == pytest.approx(energy.real, rel=1e-12)
    close(out, gradient.real)
    close(model.gradient(x), gradient.real)
    close(model.hvp(x, v), twin(model, x + 1j * STEP * v)[1].imag / STEP)
    weights = np.random.default_rng(2).uniform(0.0, 3.0, model.n_nodes)
    close(model.weighted_gradient(x, weights), twin(model, x, weights)[1].real)
    close(model.weighted_hvp(x, v, weights), twin(model, x + 1j * STEP * v, weights)[1].imag / STEP)


@pytest.mark.parametrize("case", ["hexagon", "planar rings"])
def test_interpreted_kernels_give_the_compiled_numbers(case):
    model = LandauDeGennes(lambda2=11.0, **CASES[case])
    x, v, out = random_point(model), random_point(model, 1), np.empty(model.dim)
    assert model.kernels.energy_gradient.py_func(x, model.params, out) == pytest.approx(model.energy(x), rel=1e-13)
    close(out, model.gradient(x))
    model.kernels.hvp.py_func(x, v, model.params, out)
    close(out, model.hvp(x, v))


@every_case
def test_all_members_are_consistent(model):
    """Taylor slopes of every derivative, the Hessian, the preconditioner, the symmetries."""
    report = check_model(model)
    assert report.ok, report
    x = random_point(model)
    np.testing.assert_array_equal(model.hessian(x).indices, model.hessian(0 * x).indices)


# --- known energies -------------------------------------------------------------------------------------------------------


def without_anchoring(domain, n, **arguments):
    """All nodes free: anchoring of strength zero."""
    return LandauDeGennes(n, 1.0, domain=domain, anchoring="homeotropic", strength=0.0, **arguments)


SLOPES = {  # dk ni at n = x, [k, i]
    "splay": np.outer([0, 1, 0], [0, 1, 0]),
    "twist": np.outer([0, 0, 1], [0, 1, 0]),
    "bend": np.outer([1, 0, 0], [0, 1, 0]),
}


@pytest.mark.parametrize("domain", [Ball(), Cylinder(0.7)], ids=repr)
@pytest.mark.parametrize("name", SLOPES)
def test_pure_distortions_have_their_frank_energies(domain, name):
    """Of affine fields Q whose slopes are those of s (n n - I/3), elements are exact: s^2 V times half the Frank constant."""
    s, L2, L3 = 1.3, 0.8, -0.3
    gradient = s * (SLOPES[name][:, :, None] * np.eye(3)[0] + np.eye(3)[0][:, None] * SLOPES[name][:, None, :])  # [k, i, j]
    plain, other = without_anchoring(domain, 5), without_anchoring(domain, 5, L2=L2, L3=L3)
    mesh = plain.discrete.mesh
    q = tensors.components(np.einsum("kij,nk->nij", gradient, mesh.nodes))
    K = {"splay": 2 + L2 + L3, "twist": 2.0, "bend": 2 + L2 + L3}[name] * s**2
    volume = mesh.weights.sum()
    assert mesh.elastic_density(q, elastic_tensor(L2, L3)) @ mesh.weights == pytest.approx(0.5 * K * volume, rel=1e-11)
    change = other.energy(other.discrete.packed(q)) - plain.energy(plain.discrete.packed(q))
    assert change == pytest.approx(0.5 * (K - 2 * s**2) * volume, rel=1e-10, abs=1e-10)


@pytest.mark.parametrize(("L2", "L3"), [(0.0, 0.0), (0.8, -0.3)])
def test_the_square_cut_into_triangles_is_the_grid(L2, L3):
    anchoring = {"left": (1.0, 0.3, 0.5), "right": (1.0, 0.3, 0.5), "bottom": "planar-degenerate", "top": "free"}
    model = LandauDeGennes(7, 9.0, L2=L2, L3=L3, anchoring=anchoring, strength={"bottom": 2.0}, field=(0.5, 0.0, 1.0))
    mesh = Square().discretise(7)
    on_mesh = FullOnMesh(
        mesh, facet_conditions(model.anchoring, model.strength, mesh), tensor=elastic_tensor(L2, L3),
        bulk=Bulk.of(model.temperature, model.B, model.C), lambda2=9.0, field=np.array(model.field), corner=0.1, starts=(),
    )  # fmt: skip
    x, v, out = random_point(model), random_point(model, 1), np.empty(model.dim)
    parameters = on_mesh.parameters()
    assert on_mesh.kernels.energy_gradient(x, parameters, out) == pytest.approx(model.energy(x), rel=1e-12)
    close(out, model.gradient(x))
    on_mesh.kernels.hvp(x, v, parameters, out)
    close(out, model.hvp(x, v))


def test_planar_degenerate_anchoring_costs_nothing_in_the_plane_and_half_s_squared_along_the_normal():
    energies = {}
    for strength in (1.0, 3.0):
        model = LandauDeGennes(5, 1.0, domain=Ball(), anchoring="planar-degenerate", strength=strength)
        mesh, s = model.discrete.mesh, model.order
        nodes, normals = nodal_normals(mesh, "boundary")
        tangents = np.cross(normals, np.random.default_rng(0).standard_normal(normals.shape))
        tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
        for name, directors in (("tangent", tangents), ("normal", normals)):
            q = np.zeros((5, len(mesh.nodes)))
            q[:, nodes] = tensors.uniaxial(directors, s)
            energies[name, strength] = model.energy(model.discrete.packed(q))
    area = mesh.surface_weights("boundary").sum()
    assert energies["tangent", 3.0] == pytest.approx(energies["tangent", 1.0], rel=1e-12)
    assert energies["normal", 3.0] - energies["normal", 1.0] == pytest.approx(0.5 * 2.0 * s**2 * area, rel=1e-12)


def test_boundary_values_are_those_of_the_director():
    for kind in ("homeotropic", "tangent"):
        model = LandauDeGennes(7, 5.0, domain=Disk(), anchoring=kind)
        nodes = model.discrete.mesh.nodes[-model.discrete.mesh.ring :]
        x, y = nodes.T / np.linalg.norm(nodes, axis=1)
        n = np.stack([x, y, 0 * x] if kind == "homeotropic" else [-y, x, 0 * x], axis=1)
        np.testing.assert_allclose(model.discrete.fixed[:, -len(nodes) :], tensors.uniaxial(n, model.order), atol=1e-12)


# --- symmetry -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["rings", "rings, several constants", "planar rings"])
def test_rotations_of_rings_are_exact(case):
    model = LandauDeGennes(lambda2=11.0, **CASES[case])
    x, group = random_point(model), model.symmetry
    for steps in (1.0, 3.0):
        moved = group.translate(x, np.array([steps]))
        assert model.energy(moved) == pytest.approx(model.energy(x), rel=1e-13)
        # The same as turning points and tensors in the axes of the laboratory.
        angle = 2 * np.pi * steps / model.discrete.mesh.ring
        turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
        turned = tensors.conjugation(turn) @ model.discrete.filled(x)
        ring = model.discrete.mesh.ring
        rolled = np.roll(turned.reshape(5, -1, ring), int(steps), axis=2).reshape(5, -1)
        np.testing.assert_allclose(model.discrete.filled(moved), rolled, atol=1e-12)


@pytest.mark.parametrize(
    ("case", "order"),
    [
        ({"domain": Hexagon()}, 24),  # 12 of the hexagon, and z -> -z
        ({"domain": Hexagon(), "L2": 0.5}, 24),
        ({"domain": Triangle(), "L2": 0.5}, 12),
        ({"domain": Ellipse(1.5), "L2": 0.5, "anchoring": "homeotropic"}, 8),
        ({"domain": Disk(), "anchoring": "homeotropic", "L2": 0.5}, 4),  # beside the rotations: a reflection, and z -> -z
        ({"domain": Ball(), "anchoring": "homeotropic"}, 120),
        ({"domain": Ball(), "anchoring": "homeotropic", "L3": 0.5}, 120),
        ({"domain": Ball(1.5), "anchoring": "homeotropic", "L3": 0.5}, 8),
        ({"domain": Cylinder(), "anchoring": "homeotropic", "L2": 0.5}, 32),
    ],
    ids=str,
)
def test_order_of_the_group(case, order):
    assert LandauDeGennes(5, 10.0, **case).symmetry.order == order


# --- states ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["ring", "uniform"])
def test_states_of_the_hexagon_have_the_index_of_the_reduced_model(state):
    """At the temperature where the third component is constant, in-plane states of the reduced model are those of the full one."""
    reduced, full = ReducedLandauDeGennes(7, 20.0, domain=Hexagon()), LandauDeGennes(7, 20.0, domain=Hexagon())
    found = polish(Derivatives(reduced), reduced.start(state), radius=5.0) if state == "ring" else descended(reduced)
    p = found.x.reshape(2, -1)
    out_of_plane = np.full(p.shape[1], -full.order / np.sqrt(6.0))
    x = np.concatenate([*np.sqrt(2.0) * p, out_of_plane, np.zeros(2 * p.shape[1])])
    d = Derivatives(full)
    norm = d.gradient_norm(full.gradient(x))
    if state == "uniform":
        assert norm < 1e-8
    indices = []
    for derivatives, point in ((Derivatives(reduced), found.x), (d, polish(d, x, radius=1.0).x)):
        indices.append(certify(derivatives, point, energy=0.0, gradient_norm=0.0).index)
    assert indices[0] == indices[1] == (2 if state == "ring" else 0)


def descended(model):
    from saddlescape import search
    from saddlescape.dynamics.flow import GradientFlow

    return search(model, model.start("uniform"), GradientFlow(), rng=0).point


# --- operators ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "error"), [(FactorisedOperator, 1e-12), (MultigridOperator, 1e-6)])
@pytest.mark.parametrize("turned", [False, True])
def test_solve_and_apply_are_inverse(kind, error, turned):
    mesh = Ball().discretise(9)
    inside = np.setdiff1d(np.arange(len(mesh.nodes)), mesh.parts["boundary"].nodes)
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.standard_normal((inside.size, 5, 5)))[0] if turned else None
    operator = kind(mesh.stiffness[inside][:, inside], axes)
    rows = rng.standard_normal((3, 5 * inside.size))
    np.testing.assert_allclose(operator.apply(operator.solve(rows)), rows, atol=error * np.abs(rows).max())
    out = np.empty(5 * inside.size)
    operator.solve(operator.apply(rows[0]), out=out)
    np.testing.assert_allclose(out, rows[0], atol=100 * error)
    products = operator.solve(rows) @ rows.T
    np.testing.assert_allclose(products, products.T, atol=error * np.abs(products).max())


def test_a_surface_in_space_has_no_tangent_and_a_free_boundary_is_refused():
    with pytest.raises(ValueError, match="'tangent' for 'boundary', a surface in space"):
        LandauDeGennes(5, 10.0, domain=Ball())
    with pytest.raises(ValueError, match="whole boundary is free"):
        LandauDeGennes(5, 10.0, domain=Ball(), anchoring="free")
