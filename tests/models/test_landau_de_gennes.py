"""The full Landau-de Gennes model on boxes against plain NumPy, its symmetries, and its checked numbers."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from saddlescape import check_model
from saddlescape.models import LandauDeGennes
from saddlescape.models.liquid_crystals import tensors
from saddlescape.models.liquid_crystals.discretisation.anchoring import conditions
from saddlescape.models.liquid_crystals.material import elastic_tensor

STEP = 1e-30

CASES = {
    "square": {"n": 7},
    "square, several constants": {"n": 6, "L2": 0.7, "L3": -0.4, "temperature": -1.5, "field": (1.0, 0.5, 2.0)},
    "rectangle": {"n": 70, "domain": ("rectangle", 7.0), "corner": 0.5, "B": 1.0, "C": 2.0},
    "rectangle, periodic": {"n": 9, "domain": ("rectangle", 1.4, "x"), "L3": 0.9, "anchoring": "homeotropic"},
    "free square": {"n": 6, "anchoring": "free", "L2": 2.0, "L3": 1.1},
    "weak square": {"n": 6, "strength": 3.0, "L2": -0.3},
    "weak and planar": {
        "n": 7,
        "domain": ("rectangle", 1.2),
        "anchoring": {"left": "planar-degenerate", "right": "homeotropic", "bottom": (1.0, 2.0, 0.5), "top": "free"},
        "strength": {"left": 4.0, "right": 2.5},
    },
    "planar everywhere": {"n": 5, "domain": ("cuboid", 1.0, 1.0), "anchoring": "planar-degenerate", "strength": 2.0},
    "cuboid": {"n": 6, "domain": ("cuboid", 1.3, 0.8)},
    "cuboid, several constants": {
        "n": 6,
        "domain": ("cuboid", 1.0, 1.2),
        "L2": 0.4,
        "L3": 0.8,
        "anchoring": {
            "left": "tangent",
            "right": "homeotropic",
            "bottom": "free",
            "top": "planar-degenerate",
            "back": (0.0, 1.0, 1.0),
            "front": "planar-degenerate",
        },
        "strength": {"right": 2.0, "top": 3.0, "front": 1.5},
    },
    "periodic cuboid": {"n": 5, "domain": ("cuboid", 1.0, 1.0, "xyz"), "L2": -0.2, "L3": 0.5},
    "layer": {"n": 5, "domain": ("cuboid", 1.0, 0.9, "xy"), "L3": 0.5, "anchoring": {"back": "homeotropic", "front": (1, 0, 0)}},
}
every_case = pytest.mark.parametrize("model", [LandauDeGennes(lambda2=11.0, **case) for case in CASES.values()], ids=CASES)


def random_point(model, seed=0, size=1.0):
    return size * np.random.default_rng(seed).standard_normal(model.dim)


# --- an independent twin: corners of cells, matrices Q -------------------------------------------------------------------


def geometry(model):
    """Node coordinates along x, y, z, spacings, and whether each axis is periodic."""
    periodic, halves = model.domain.periodic, model.domain.half_edges()
    wanted = 2 * halves[0] / (model.n - ("x" not in periodic))
    lines, spacings = [], []
    for letter, half in zip("xyz", halves, strict=False):
        links = max(round(2 * half / wanted), 4)
        nodes = -half + 2 * half / links * np.arange(links + 1)
        lines.append(nodes[:-1] if letter in periodic else nodes)
        spacings.append(2 * half / links)
    return lines, spacings, [letter in periodic for letter in "xyz"[: len(halves)]]


def place(dimension, axis):
    """Where an axis is among the array axes [iz, iy, ix]."""
    return dimension - 1 - axis


def boundary(model):
    """The strong values (5, ...) and where they are, and for each weak face its index, condition and wanted values."""
    lines, _, _ = geometry(model)
    d, shape = len(lines), [len(line) for line in reversed(lines)]
    faces = ("left", "right", "bottom", "top", "back", "front")
    found = conditions(model.anchoring, model.strength, model.domain.normals)
    values, strong, weak = np.zeros((5, *shape)), np.zeros(shape, dtype=bool), []
    for face, condition in found.items():
        axis, high = divmod(faces.index(face), 2)
        index = [slice(None)] * d
        index[place(d, axis)] = slice(-1, None) if high else slice(0, 1)
        wanted = None
        if condition.director is not None:
            taper = np.ones([1] * d)
            for other in set(range(d)) - {axis}:
                for side in (0, 1):
                    neighbour = found.get(faces[2 * other + side])
                    if neighbour is None or neighbour.director is None:
                        continue
                    if not np.allclose(np.cross(neighbour.director, condition.director), 0.0):
                        distance = np.abs(lines[other] - lines[other][-side])
                        ramp = np.minimum(distance / model.corner, 1.0)
                        taper = np.minimum(taper, ramp.reshape([-1 if place(d, other) == p else 1 for p in range(d)]))
            matrix = model.order * (np.outer(condition.director, condition.director) - np.eye(3) / 3)
            wanted = tensors.components(matrix).reshape(5, *[1] * d) * taper
        if condition.fixed:
            values[(slice(None), *index)] = wanted
            strong[tuple(index)] = True
        elif condition.strength > 0.0:
            weak.append((axis, tuple(index), condition, wanted))
    return values, strong, weak


def twin(model, x, weights=None):
    """E and dE/dx of complex points; ``weights`` (nodes,) multiply bulk and planar-degenerate terms."""
    lines, spacings, periodic = geometry(model)
    d = len(lines)
    values, strong, weak = boundary(model)
    q = values.astype(complex)
    q[:, ~strong] = x.reshape(5, -1)
    factor = np.ones(strong.shape)
    if weights is not None:
        factor[~strong] = weights
    force, energy = np.zeros_like(q), 0.0
    tensor = elastic_tensor(model.L2, model.L3)
    for sides in product((0, 1), repeat=d):  # the corner of a cell that lies at these sides of a node
        inside = np.ones(strong.shape, dtype=bool)
        gradient, ahead = np.zeros((3, *q.shape), dtype=complex), {}
        for axis, side in enumerate(sides):
            p, step = place(d, axis), 1 - 2 * side
            ahead[axis] = step
            gradient[axis] = step * (np.roll(q, -step, axis=p + 1) - q) / spacings[axis]
            if not periodic[axis]:
                last = np.zeros(strong.shape, dtype=bool)
                np.moveaxis(last, p, 0)[0 if side else -1] = True
                inside &= ~last
        gradient *= inside
        stress = np.einsum("abde,eb...->da...", tensor, gradient) * np.prod(spacings) / 2**d
        energy = energy + 0.5 * (stress * gradient).sum()
        for axis, step in ahead.items():
            flux = step * stress[axis] / spacings[axis]
            force += np.roll(flux, step, axis=place(d, axis) + 1) - flux
    areas = [np.full(len(line), h) * (1.0 if p else np.r_[0.5, np.ones(len(line) - 2), 0.5])
             for line, h, p in zip(lines, spacings, periodic, strict=True)]  # fmt: skip

    def area(without=None):
        total = np.ones([1] * d)
        for axis, line in enumerate(areas):
            if axis != without:
                total = total * line.reshape([-1 if place(d, axis) == p else 1 for p in range(d)])
        return total

    matrix, a = tensors.matrices(q), model.temperature * model.B**2 / (27 * model.C)
    square = (matrix @ matrix).trace(axis1=-2, axis2=-1)
    cube = (matrix @ matrix @ matrix).trace(axis1=-2, axis2=-1)
    scale, h = model.lambda2, np.array(model.field)
    bulk = scale * (a / (4 * model.C) * square - model.B / (6 * model.C) * cube + square**2 / 8)
    energy = energy + (area() * (factor * bulk - 0.5 * np.einsum("...ij,i,j->...", matrix, h, h))).sum()
    slope = a / (2 * model.C) * matrix - model.B / (2 * model.C) * matrix @ matrix + 0.5 * square[..., None, None] * matrix
    force += area() * (factor * scale * tensors.components(slope) - 0.5 * tensors.components(np.outer(h, h)).reshape(5, *[1] * d))
    for axis, index, condition, wanted in weak:
        part, w = (slice(None), *index), area(without=axis) * condition.strength
        if not condition.planar:
            energy = energy + (0.5 * w * (q[part] - wanted) ** 2).sum()
            force[part] += w * (q[part] - wanted)
            continue
        w, s = w * factor[index], model.order
        shifted, projector = matrix[index] + s / 3 * np.eye(3), np.eye(3) - np.outer(np.eye(3)[axis], np.eye(3)[axis])
        off = shifted - projector @ shifted @ projector
        excess = (shifted * shifted).sum(axis=(-2, -1)) - s**2
        energy = energy + (0.5 * w * ((off * off).sum(axis=(-2, -1)) + excess**2 / (4 * s**2))).sum()
        force[part] += w * tensors.components(off + excess[..., None, None] * shifted / (2 * s**2))
    return energy, force[:, ~strong].ravel()


def close(value, expected):
    np.testing.assert_allclose(value, expected, rtol=1e-11, atol=1e-11 * np.abs(expected).max())


@every_case
def test_the_twin_is_consistent(model):
    x, v = random_point(model), random_point(model, 1)
    gradient = twin(model, x)[1]
    assert twin(model, x + 1j * STEP * v)[0].imag / STEP == pytest.approx(gradient.real @ v, rel=1e-9)


@every_case
def test_kernels_equal_the_plain_numpy_twin(model):
    x, v = random_point(model), random_point(model, 1)
    energy, gradient = twin(model, x)
    out = np.empty(model.dim)
    assert model.energy(x) == pytest.approx(energy.real, rel=1e-12)
    assert model.energy_gradient(x, out) == pytest.approx(energy.real, rel=1e-12)
    close(out, gradient.real)
    np.testing.assert_allclose(model.gradient(x), out, rtol=1e-12, atol=1e-13)
    close(model.hvp(x, v), twin(model, x + 1j * STEP * v)[1].imag / STEP)
    weights = np.random.default_rng(2).uniform(0.0, 3.0, model.n_nodes)
    close(model.weighted_gradient(x, weights), twin(model, x, weights)[1].real)
    close(model.weighted_hvp(x, v, weights), twin(model, x + 1j * STEP * v, weights)[1].imag / STEP)


@pytest.mark.parametrize("case", ["square", "square, several constants", "weak and planar"])
def test_interpreted_kernels_give_the_compiled_numbers(case):
    model = LandauDeGennes(lambda2=11.0, **CASES[case])
    x, v, out = random_point(model), random_point(model, 1), np.empty(model.dim)
    assert model.kernels.energy_gradient.py_func(x, model.params, out) == pytest.approx(model.energy(x), rel=1e-13)
    close(out, model.gradient(x))
    model.kernels.hvp.py_func(x, v, model.params, out)
    close(out, model.hvp(x, v))


@every_case
def test_all_members_are_consistent(model):
    report = check_model(model)
    assert report.ok, report
    x = random_point(model)
    np.testing.assert_array_equal(model.hessian(x).indices, model.hessian(0 * x).indices)


@every_case
def test_unpacked_energy_density_holds_the_energy(model):
    x = random_point(model, size=0.5)
    fields = model.unpack(x)
    lines, spacings, periodic = geometry(model)
    total = fields["energy_density"]
    for line, spacing, wraps in zip(lines, spacings, periodic, strict=True):  # x is the last axis, then y, then z
        ends = np.ones(len(line)) if wraps else np.r_[0.5, np.ones(len(line) - 2), 0.5]
        total = total @ (ends * spacing)
    assert total == pytest.approx(replace(model, strength=no_weak(model)).energy(x), rel=1e-11)
    np.testing.assert_allclose((fields["director"] ** 2).sum(axis=-1), 1.0, rtol=1e-12)


def no_weak(model):
    """The same fixed faces, the weak ones without strength."""
    found = conditions(model.anchoring, model.strength, model.domain.normals)
    if isinstance(model.anchoring, str):
        return np.inf if any(condition.fixed for condition in found.values()) or not found else 0.0
    return {face: np.inf if condition.fixed else 0.0 for face, condition in found.items()}


# --- symmetry ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("case", "order"),
    [
        ({}, 32),  # 8 of the square, 4 independent of it: P12 -> -P12, and the two off-plane components together
        ({"L2": 0.5}, 16),  # 8 of the square and z -> -z
        ({"L3": 0.5, "field": (1.0, 0.0, 0.0)}, 8),
        ({"domain": ("rectangle", 1.5)}, 16),
        ({"domain": ("cuboid", 1.0, 0.8)}, 64),
        ({"domain": ("cuboid", 1.0, 0.8), "L2": 0.5}, 16),
        ({"anchoring": "free"}, 64),  # the tensor turns as it likes, also without space
    ],
)
def test_order_of_the_group(case, order):
    assert LandauDeGennes(5, 10.0, **case).symmetry.order == order


@every_case
def test_symmetries_keep_the_energy_and_are_distinct(model):
    group, x = model.symmetry, random_point(model)
    images = group.signs * x[group.permutations]
    assert len({image.tobytes() for image in images}) == group.order
    energy = model.energy(x)
    assert [model.energy(image) for image in images] == pytest.approx([energy] * group.order, rel=1e-12)
