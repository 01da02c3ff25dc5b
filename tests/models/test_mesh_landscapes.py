"""Landscapes on meshes: known counts, exact orbits, and convergence to the continuum."""

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.sparse.linalg

from saddlescape import GradientFlow, HiSD, explore, load, resume, search
from saddlescape.models.liquid_crystals import Annulus, Disk, Hexagon, Polygon, ReducedLandauDeGennes
from saddlescape.models.liquid_crystals.reduced import ORDER


def relaxed(model, x):
    """The stationary point that Newton's method finds, (n,)."""
    for _ in range(20):
        gradient = model.gradient(x)
        if np.abs(gradient).max() < 1e-12:
            return x
        options = {"SymmetricMode": True}  # several times faster than the default on large meshes
        factors = scipy.sparse.linalg.splu(model.hessian(x), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
        x = x - factors.solve(gradient)
    raise AssertionError("Newton's method did not converge")


def lowest(model, x, count):
    mass = scipy.sparse.diags_array(model.mass).tocsc()
    below = -(model.lambda2 * ORDER**2 + 1.0)  # no eigenvalue of the Hessian is lower
    return np.sort(scipy.sparse.linalg.eigsh(model.hessian(x), count, M=mass, sigma=below)[0])


def orbits(landscape):
    """Index and size of every orbit, in order."""
    return sorted((point.index, point.orbit_size) for point in landscape.points)


# --- hexagon ------------------------------------------------------------------------------------------------------------------

ONE, SEVEN = [(0, 1)], [(0, 3), (1, 3), (2, 1)]  # ring; Para x 3, BD x 3, ring
THIRTEEN = [(0, 3), (1, 6), (2, 1), (2, 3)]
slow = pytest.mark.slow


@pytest.mark.parametrize(
    ("n", "lambda2", "expected"),
    [
        (9, 5.0, ONE),
        (9, 20.0, SEVEN),
        (13, 40.0, SEVEN),
        pytest.param(33, 5.0, ONE, marks=slow),
        pytest.param(33, 12.0, SEVEN, marks=slow),
        pytest.param(33, 20.0, SEVEN, marks=slow),
        pytest.param(33, 40.0, SEVEN, marks=slow),
        pytest.param(33, 70.0, SEVEN, marks=slow),
        pytest.param(25, 100.0, THIRTEEN, marks=slow),
        pytest.param(25, 150.0, THIRTEEN, marks=slow),
    ],
)
def test_landscape_of_the_hexagon(n, lambda2, expected):
    landscape = explore(ReducedLandauDeGennes(n, lambda2, domain=Hexagon()))
    assert orbits(landscape) == expected
    assert landscape.euler_characteristic() == 1


@pytest.mark.parametrize("n", [17, pytest.param(33, marks=slow), pytest.param(65, marks=slow)])
def test_the_ring_of_the_hexagon_gets_index_two_at_10_26(n):
    def eigenvalue(lambda2):
        model = ReducedLandauDeGennes(n, lambda2, domain=Hexagon())
        values = lowest(model, model.default_start(), 3)
        assert values[1] - values[0] < 1e-9 < values[2] - values[1]  # double by symmetry
        return values[0]

    assert scipy.optimize.brentq(eigenvalue, 9.5, 11.0, xtol=1e-3) == pytest.approx(10.26, abs=0.05)


def test_a_landscape_of_the_hexagon_is_stored_resumed_and_spread_out(tmp_path):
    path = tmp_path / "hexagon.h5"
    model = ReducedLandauDeGennes(7, 20.0, domain=Hexagon())
    whole = explore(model, store=path)
    assert load(path).model == model
    assert orbits(resume(path)) == orbits(whole)
    expanded = whole.expand()
    assert len(expanded.nodes) == 7
    for node, point in zip(expanded.nodes, expanded.points, strict=True):
        assert np.abs(model.gradient(point.x)).max() < 1e-10
        assert model.energy(point.x) == pytest.approx(whole.points[expanded.orbits[node.id]].energy, rel=1e-12)
    minima = [point.x for point in expanded.points if point.index == 0]
    distances = [np.linalg.norm(a - b) for i, a in enumerate(minima) for b in minima[:i]]
    assert min(distances) > 1.0
    saddles = [node.id for node in expanded.nodes if node.point.index == 1]
    assert all(len(expanded.children(i)) == 2 for i in saddles)  # each joins two of the three


# --- the square by triangles ------------------------------------------------------------------------------------------------------


def square(n, lambda2):
    """The square [-1, 1]^2 in units of its edge: the energy is the same, lambda^2 four times as large."""
    return ReducedLandauDeGennes(n, 4.0 * lambda2, 0.05, Polygon(4))


@pytest.mark.parametrize(
    ("n", "lambda2"),
    [(15, 15.0), pytest.param(33, 15.0, marks=slow), pytest.param(21, 30.0, marks=slow), pytest.param(33, 30.0, marks=slow)],
)
def test_the_square_by_triangles_has_the_landscape_of_the_grid(n, lambda2):
    on_grid = explore(ReducedLandauDeGennes(n, lambda2), max_index=4)
    by_triangles = explore(square(n, lambda2), max_index=4)
    assert orbits(on_grid) == orbits(by_triangles)
    assert by_triangles.euler_characteristic() == 1


def differences(model):
    """Energies of R and WORS above D."""
    base = model.energy(relaxed(model, model.start("d")))
    return np.array([model.energy(relaxed(model, model.start("r"))), model.energy(model.start("wors"))]) - base


@pytest.mark.parametrize("sizes", [(11, 21, 41), pytest.param((21, 41, 81, 161), marks=slow)], ids=str)
def test_energy_differences_on_the_square_converge_at_second_order(sizes):
    found = np.array([differences(square(n, 30.0)) for n in sizes])
    steps = np.abs(np.diff(found, axis=0))
    slopes = np.log2(steps[:-1] / steps[1:])
    np.testing.assert_allclose(slopes, 2.0, atol=0.25 if sizes[0] < 21 else 0.1)
    limits = found[-1] + (found[-1] - found[-2]) / 3.0
    np.testing.assert_allclose(limits, [2.0090, 4.3439], atol=1e-3)  # of the grid, n = 161, extrapolated alike


# --- disk and annulus -------------------------------------------------------------------------------------------------------------


def radial_energy(lambda2):
    """Energy of the radial state on the unit disk from its ordinary differential equation, P = f(r) in turning axes."""

    def right(r, y):
        return np.stack([y[1], 4.0 * y[0] / r**2 - y[1] / r + lambda2 * (y[0] ** 2 - ORDER**2) * y[0]])

    start = 1e-4  # f is proportional to r^2 at the centre
    r = np.linspace(start, 1.0, 200)
    guess = np.stack([ORDER * r**2, 2.0 * ORDER * r])
    ends = scipy.integrate.solve_bvp(right, lambda a, b: np.array([a[1] - 2.0 * a[0] / start, b[0] - ORDER]), r, guess, tol=1e-6)
    assert ends.success
    r = np.linspace(start, 1.0, 20001)
    f, slope = ends.sol(r)
    density = 0.5 * slope**2 + 2.0 * (f / r) ** 2 + 0.25 * lambda2 * (f**2 - ORDER**2) ** 2
    return 2.0 * np.pi * np.trapezoid(density * r, r)


def test_the_radial_state_converges_to_its_differential_equation():
    exact = radial_energy(20.0)
    errors = []
    for n in (20, 40, 80):
        model = ReducedLandauDeGennes(n, 20.0, domain=Disk(), anchoring="homeotropic")
        errors.append(abs(model.energy(model.default_start()) - exact))
    slopes = np.diff(np.log(errors)) / np.diff(np.log([19.0, 39.0, 79.0]))
    np.testing.assert_allclose(slopes, -2.0, atol=0.15)
    assert errors[-1] < 0.01 * exact


@pytest.mark.parametrize("anchoring", ["homeotropic", "tangent"])
@pytest.mark.parametrize(
    ("n", "lambda2"), [(16, 3.0), (16, 20.0), pytest.param(32, 20.0, marks=slow), pytest.param(41, 60.0, marks=slow)]
)
def test_the_states_of_a_disk(n, lambda2, anchoring):
    landscape = explore(ReducedLandauDeGennes(n, lambda2, domain=Disk(), anchoring=anchoring))
    assert landscape.euler_characteristic() == 1
    found = sorted((p.index, p.nullity, p.orbit_size) for p in landscape.points)
    if lambda2 < 5.0:
        assert found == [(0, 0, 1)]
        return
    # The radial state with its double unstable direction, and one circle of planar polar states: two defects on a diameter.
    assert found == [(0, 1, 1), (2, 0, 1)]
    planar, radial = (landscape.points[landscape.minima()[0]], landscape.points[landscape.saddles(2)[0]])
    assert radial.eigenvalues[:2] == pytest.approx(radial.eigenvalues[0], rel=1e-9)
    fields = landscape.model.unpack(planar.x)
    low = fields["nodes"][fields["order"] < 0.5 * ORDER]
    along = np.linalg.svd(low - low.mean(axis=0), full_matrices=False)[1]
    assert along[0] > 2.0 * along[1]
    assert fields["order"][np.argmin(np.linalg.norm(fields["nodes"], axis=1))] > 0.5 * ORDER


def test_planar_states_found_at_any_angle_are_one():
    model = ReducedLandauDeGennes(16, 20.0, domain=Disk(), anchoring="homeotropic")
    planar = search(model, model.start("uniform"), GradientFlow()).point.x
    # Turned by fractions of the spacing they are still one state, and its zero mode is no direction to search along.
    starts = [model.symmetry.apply(np.array([0.0, shift]), planar) for shift in (0.0, 0.3, 7.5, 11.9)]
    landscape = explore(model, starts, max_index=0)
    assert [(p.index, p.nullity, p.orbit_size) for p in landscape.points] == [(0, 1, 1)]


def test_a_landscape_of_the_disk_is_stored_resumed_and_spread_out(tmp_path):
    path = tmp_path / "disk.h5"
    model = ReducedLandauDeGennes(12, 20.0, domain=Disk(), anchoring="homeotropic")
    whole = explore(model, store=path)
    assert load(path).model == model
    assert orbits(resume(path)) == orbits(whole) == [(0, 1), (2, 1)]
    assert orbits(whole.expand()) == orbits(whole)  # a circle of states is one component


def test_twisted_states_of_an_annulus_are_mirror_images():
    # Tangent inside, homeotropic outside: the director turns by a quarter to the left or to the right.
    kinds = {"inner": "tangent", "outer": "homeotropic"}
    landscape = explore(ReducedLandauDeGennes(17, 70.0, domain=Annulus(0.4), anchoring=kinds))
    assert landscape.euler_characteristic() == 1
    found = [(p.index, p.nullity, p.orbit_size) for p in landscape.points]
    assert found.count((0, 0, 2)) == 1
    # What is not invariant under rotations has walls or defects somewhere: circles of states, never isolated ones.
    twisted = [p for p in landscape.points if p.nullity == 0]
    for point in twisted:
        rings = point.x.reshape(2, -1, *landscape.symmetry.grid)
        np.testing.assert_allclose(rings, np.broadcast_to(rings[..., :1], rings.shape), atol=1e-9)
    assert len(twisted) < len(found)


# --- anchoring and preconditioner -------------------------------------------------------------------------------------------------


def test_weak_anchoring_tends_to_strong():
    strong = ReducedLandauDeGennes(9, 20.0, domain=Hexagon())
    limit = strong.energy(strong.default_start())
    gaps = []
    for strength in (1e2, 1e3, 1e4):
        weak = ReducedLandauDeGennes(9, 20.0, domain=Hexagon(), strength=strength)
        assert weak.dim > strong.dim
        gaps.append(limit - weak.energy(weak.default_start()))
    assert gaps[0] > 0.0
    np.testing.assert_allclose(np.log10(np.array(gaps[:-1]) / gaps[1:]), 1.0, atol=0.2)


def test_no_anchoring_to_speak_of_leaves_the_uniform_state():
    model = ReducedLandauDeGennes(9, 20.0, domain=Hexagon(), anchoring=0.3, strength=1e-3)
    x = relaxed(model, model.start("uniform"))
    fields = model.unpack(x)
    np.testing.assert_allclose(fields["order"], ORDER, atol=1e-3)


@pytest.mark.parametrize("sizes", [(9, 17, 33), pytest.param((33, 65), marks=slow)], ids=str)
def test_steps_do_not_grow_with_refinement(sizes):
    medians = []
    for n in sizes:
        model = ReducedLandauDeGennes(n, 20.0, domain=Hexagon())
        nodes, counts = model._form.mesh.nodes[model._form.free], []
        for seed in range(8):
            a, b, c, d = np.random.default_rng(seed).uniform(-1.0, 1.0, 4)
            bump = np.exp(-3.0 * ((nodes - 0.3 * np.array([a, b])) ** 2).sum(axis=1))  # the same start on every mesh
            x = model.start("para") + 0.3 * np.concatenate([c * bump, d * bump])
            result = search(model, x, HiSD(0), tol=1e-6, polish=False)
            assert result.success
            counts.append(result.n_steps)
        medians.append(np.median(counts))
    assert max(medians) <= 1.3 * medians[0]
