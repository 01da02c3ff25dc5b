"""Round domains in space: their meshes, the radial hedgehog, and families of rotated states that are one orbit."""

import numpy as np
import pytest
from scipy.integrate import solve_bvp
from scipy.linalg import eigh
from scipy.spatial.transform import Rotation

from saddlescape import HiSD, explore, search
from saddlescape.models import LandauDeGennes
from saddlescape.models.liquid_crystals import Ball, Cylinder, tensors
from saddlescape.models.liquid_crystals.discretisation.anchoring import FacetCondition
from saddlescape.models.liquid_crystals.discretisation.rotations import SIGNIFICANT, rotation_generators


def ball(n, lambda2, **arguments):
    return LandauDeGennes(n, lambda2, domain=Ball(), anchoring="homeotropic", **arguments)


def mass_norm(model, x):
    return float(np.sqrt(x * x @ model.mass))


# --- meshes ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("domain", "volume"),
    [(Ball(), 4 / 3 * np.pi), (Ball(2.0), 8 / 3 * np.pi), (Cylinder(0.5), np.pi)],
    ids=repr,
)
def test_volumes_converge_at_second_order(domain, volume):
    errors = np.array([volume - domain.discretise(n).weights.sum() for n in (5, 9, 17)])
    np.testing.assert_allclose(errors[:-1] / errors[1:], 4.0, rtol=0.2)


def test_the_parts_of_a_cylinder_are_its_side_and_its_ends():
    mesh = Cylinder(0.75).discretise(9)
    assert list(mesh.parts) == ["side", "back", "front"]
    areas = {name: facets.areas.sum() for name, facets in mesh.parts.items()}
    assert areas["back"] == pytest.approx(areas["front"], rel=1e-12)
    assert areas["front"] == pytest.approx(np.pi, rel=0.02)
    assert areas["side"] == pytest.approx(2 * np.pi * 1.5, rel=0.02)
    np.testing.assert_allclose(mesh.parts["back"].normals, [[0, 0, -1]] * len(mesh.parts["back"].areas), atol=1e-12)
    np.testing.assert_allclose(mesh.parts["side"].normals[:, 2], 0.0, atol=1e-12)
    # Where the side meets an end there is an edge, and nowhere else.
    height, radius = np.abs(mesh.nodes[mesh.corners, 2]), np.linalg.norm(mesh.nodes[mesh.corners, :2], axis=1)
    np.testing.assert_allclose(height, 0.75)
    np.testing.assert_allclose(radius, 1.0)
    assert len(Ball().discretise(9).corners) == 0


# --- the radial hedgehog --------------------------------------------------------------------------------------------------


def hedgehog(model):
    """s(r) of Q = s (r r - I/3) in the ball of radius one, from s'' + 2 s' / r - 6 s / r^2 = 3/2 lambda2 f'(s), and its energy."""
    bulk, scale, first = model.discrete.bulk, model.lambda2, 1e-4

    def right_side(r, y):
        slope = 4 / 3 * bulk.square * y[0] - 2 / 3 * bulk.cube * y[0] ** 2 + 16 / 9 * bulk.quartic * y[0] ** 3
        return np.array([y[1], -2 * y[1] / r + 6 * y[0] / r**2 + 1.5 * scale * slope])

    def ends(inner, outer):
        return np.array([inner[1] - 2 * inner[0] / first, outer[0] - bulk.order])

    r = np.linspace(first, 1.0, 400)
    solution = solve_bvp(right_side, ends, r, bulk.order * np.array([r**2, 2 * r]), tol=1e-8, max_nodes=100_000)
    assert solution.success
    r = np.linspace(first, 1.0, 20_001)
    s, slope = solution.sol(r)
    density = bulk.square * 2 / 3 * s**2 - bulk.cube * 2 / 9 * s**3 + bulk.quartic * 4 / 9 * s**4
    energy = 4 * np.pi * np.trapezoid((slope**2 / 3 + 2 * s**2 / r**2 + scale * density) * r**2, r)
    return lambda r: solution.sol(np.maximum(r, first))[0], energy


def test_the_radial_hedgehog_converges_to_the_solution_of_its_equation_at_second_order():
    errors, energies = [], []
    for n in (5, 9, 13):
        model = ball(n, 20.0)
        nodes, q = model.discrete.mesh.nodes, model.discrete.filled(model.start("radial"))
        s, energy = hedgehog(model)
        r = np.linalg.norm(nodes, axis=1)
        exact = tensors.uniaxial(nodes / np.maximum(r, 1e-12)[:, None], s(r))
        errors.append(np.sqrt(((q - exact) ** 2).sum(axis=0) @ model.discrete.mesh.weights))
        energies.append(model.energy(model.start("radial")) - energy)
    spacings = np.array([1 / 2, 1 / 4, 1 / 6])
    for values in (errors, energies):
        orders = np.diff(np.log(values)) / np.diff(np.log(spacings))
        assert orders[-1] == pytest.approx(2.0, abs=0.4)
    assert errors[-1] < 0.03


def quintet(model):
    """The six lowest eigenvalues at the radial hedgehog."""
    scale = 1.0 / np.sqrt(model.mass)
    hessian = model.hessian(model.start("radial")).toarray() * scale * scale[:, None]
    return eigh(hessian, eigvals_only=True, subset_by_index=[0, 5])


@pytest.mark.parametrize(
    ("lambda2", "temperature", "index"),
    [(20.0, -9.0, 0), (40.0, -9.0, 5), (60.0, -2.0, 0), (60.0, -7.0, 5)],
)
def test_the_hedgehog_loses_its_stability_to_five_directions_at_once(lambda2, temperature, index):
    """A larger ball, or a lower temperature: a multiplet of angular momentum two crosses zero; the mesh keeps it whole."""
    values = quintet(ball(7, lambda2, temperature=temperature))
    assert np.count_nonzero(values < 0.0) == index
    np.testing.assert_allclose(values[:5], values[0], rtol=1e-6)
    assert values[5] > values[0] + 1.0


def test_strong_planar_anchoring_is_certified():
    """The metric knows the anchoring, or softening the zero modes would blow them up."""
    model = LandauDeGennes(7, 20.0, domain=Ball(), anchoring="planar-degenerate", strength=20.0)
    result = search(model, model.start("uniform"), HiSD(0), rng=0)
    assert result.point is not None and result.point.nullity >= 2, result.message


# --- which rotations keep the energy --------------------------------------------------------------------------------------

NONE, Z, ALL = np.empty((0, 3)), np.eye(3)[2:], np.eye(3)


@pytest.mark.parametrize(
    ("axes", "kinds", "field", "isotropic", "number"),
    [
        (ALL, ["homeotropic"], (0, 0, 0), True, 3),
        (ALL, ["homeotropic"], (0, 0, 1), False, 1),
        (ALL, [(0.0, 0.0, 1.0)], (0, 0, 0), True, 4),  # space as it likes, the tensor about the director
        (ALL, [(0.0, 0.0, 1.0)], (0, 0, 0), False, 1),
        (Z, ["planar-degenerate", "free"], (0, 0, 0), False, 1),
        (Z, ["homeotropic", (1.0, 0.0, 0.0)], (0, 0, 0), False, 0),
        (Z, ["homeotropic", (1.0, 0.0, 0.0)], (0, 0, 0), True, 0),
        (Z, [(1.0, 0.0, 0.0), "free"], (0, 0, 0), True, 2),  # space about z, the tensor about x
        (NONE, ["homeotropic"], (0, 0, 0), True, 0),
    ],
)
def test_rotations_that_keep_boundary_and_field(axes, kinds, field, isotropic, number):
    conditions = {str(i): FacetCondition(kind, np.inf) for i, kind in enumerate(kinds)}
    generators = rotation_generators(axes, conditions, np.array(field, float), isotropic)
    assert generators.shape == (number, 2, 3)


def smooth(model, turn=None, about_z=False):
    """A point of a smooth field without symmetry, or of the field turned by a rotation, (n,)."""
    turn = np.eye(3) if turn is None else turn
    mesh = model.discrete.mesh
    r = mesh.nodes @ turn  # rows of R^-1 x
    bump = (1.0 - (r**2).sum(axis=1)) if not about_z else (1.0 - (r[:, :2] ** 2).sum(axis=1)) * (0.64 - r[:, 2] ** 2)
    inner = np.stack([1.0 + r[:, 0], r[:, 1] - 0.5, 0.3 + r[:, 0] * r[:, 2]], axis=1)
    axis = r * [1.0, 1.0, 0.0] if about_z else r
    q = tensors.components(inner[:, :, None] * inner[:, None]) * bump + tensors.components(axis[:, :, None] * axis[:, None])
    return model.discrete.packed(tensors.conjugation(turn) @ q)


@pytest.mark.parametrize(
    ("domain", "axis"), [(Ball(), (0.5, 0.3, -0.6)), (Ball(1.5), (0, 0, 0.8)), (Cylinder(0.8), (0, 0, 0.8))], ids=repr
)
def test_a_turned_field_is_found_again_within_the_tolerance(domain, axis):
    distances = []
    for n in (5, 9):
        model = LandauDeGennes(n, 5.0, domain=domain, anchoring="homeotropic", strength=1.0)
        turn = Rotation.from_rotvec(axis).as_matrix()
        about_z = domain != Ball()
        x, y = smooth(model, turn, about_z), smooth(model, about_z=about_z)
        assert mass_norm(model, x - y) > 0.2 * mass_norm(model, x)
        distances.append(mass_norm(model, x - model.symmetry.match(x, y)) / mass_norm(model, x))
        assert distances[-1] < model.symmetry.tolerance
    assert distances[1] < 0.5 * distances[0]


def test_a_rotation_moves_a_field_as_a_small_turn_does():
    errors = []
    for n in (7, 13):
        model = LandauDeGennes(n, 5.0, domain=Ball(), anchoring="homeotropic", strength=1.0)
        rotations = model.discrete._rotations
        moves, estimates = rotations._moves(model.discrete.filled(smooth(model)))
        for (a, b), move, estimate in zip(rotations._generators, moves, estimates, strict=True):
            np.testing.assert_allclose(a, b)
            ahead, behind = (smooth(model, Rotation.from_rotvec(t * a).as_matrix()) for t in (1e-4, -1e-4))
            exact = (ahead - behind) / 2e-4
            errors.append(mass_norm(model, move - exact) / mass_norm(model, exact))
            assert mass_norm(model, move - exact) < SIGNIFICANT * mass_norm(model, estimate)
    coarse, fine = np.array(errors).reshape(2, 3)
    assert (fine < 0.12).all() and (fine < 0.5 * coarse).all()


def test_the_radial_hedgehog_has_no_zero_modes():
    for n in (5, 7, 9):
        assert ball(n, 60.0).zero_modes(ball(n, 60.0).start("radial")).shape == (0, ball(n, 60.0).dim)


# --- the landscape --------------------------------------------------------------------------------------------------------


def families(landscape):
    return [(point.index, point.nullity, point.orbit_dimension) for point in landscape.points]


@pytest.mark.parametrize("lambda2", [60.0, pytest.param(30.0, marks=pytest.mark.slow)])
def test_the_landscape_of_a_ball_has_each_family_once(lambda2):
    """The hedgehog, and two families of axially symmetric states: whatever way their axis points, they are one node each.

    At lambda2 = 30 the split core has only just left the hedgehog.
    """
    landscape = explore(ball(7, lambda2), rng=0)
    assert families(landscape) == [(5, 0, 0), (0, 2, 2), (2, 2, 2)]
    completeness = landscape.completeness()
    assert not completeness.applicable and "spheres" in completeness.message
    for point in landscape.points:
        assert point.gradient_norm < 1e-10  # each is an exact stationary point of the discrete energy


@pytest.mark.slow
def test_the_landscape_of_a_ball_is_the_same_on_a_finer_mesh():
    assert families(explore(ball(9, 60.0), rng=0)) == [(5, 0, 0), (0, 2, 2), (2, 2, 2)]


@pytest.mark.slow
def test_a_ball_too_large_for_factorisations_is_searched_and_certified_without():
    model = ball(13, 60.0)
    assert model.dim == 16_555 and not hasattr(model, "hessian")
    x = model.start("radial")
    assert search(model, x, HiSD(5)).point.index == 5
    around = x + 0.3 * np.random.default_rng(0).standard_normal(x.size)
    found = search(model, around, HiSD(0)).point
    assert (found.index, found.nullity) == (0, 2) and found.gradient_norm < 1e-10
    assert found.certificate.startswith("block: LOBPCG")
