"""Director, order and biaxiality from the components of Q."""

import numpy as np
import pytest

from saddlescape.models.liquid_crystals.states.reading import (
    biaxiality,
    director_and_order,
    embedded,
    in_plane,
    read_planar,
    read_tensor,
    tilt,
)
from saddlescape.models.liquid_crystals.tensors import components, conjugation, matrices, uniaxial


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def directors(rng, shape):
    n = rng.normal(size=(*shape, 3))
    return n / np.linalg.norm(n, axis=-1, keepdims=True)


def test_a_uniaxial_state_is_read_back(rng):
    n, s = directors(rng, (4, 5)), rng.uniform(0.1, 2.0, (4, 5))
    director, order = director_and_order(uniaxial(n, s))
    np.testing.assert_allclose(order, s, rtol=1e-13)
    np.testing.assert_allclose(np.abs((director * n).sum(axis=-1)), 1.0, rtol=1e-13)
    again, _ = director_and_order(uniaxial(-n, s))
    np.testing.assert_allclose(again, director, atol=1e-13)  # n and -n are one state, drawn one way


def test_order_is_never_negative(rng):
    assert (director_and_order(np.zeros((5, 3)))[1] == 0.0).all()
    oblate = uniaxial(directors(rng, (20,)), -1.0)
    np.testing.assert_allclose(director_and_order(oblate)[1], 0.5)


def test_biaxiality_agrees_with_its_definition(rng):
    q = rng.normal(size=(5, 6, 7))
    tensors = matrices(q)
    second = np.einsum("...ij,...ji->...", tensors, tensors)
    third = np.einsum("...ij,...jk,...ki->...", tensors, tensors, tensors)
    np.testing.assert_allclose(biaxiality(q), 1.0 - 6.0 * third**2 / second**3, atol=1e-13)


def test_biaxiality_of_known_states(rng):
    assert biaxiality(uniaxial(directors(rng, (50,)), rng.uniform(-1, 1, 50))).max() < 1e-14
    np.testing.assert_allclose(biaxiality(components(np.diag([1.0, 0.0, -1.0]))), 1.0)
    assert (biaxiality(np.zeros((5, 2))) == 0.0).all()
    tiny = 1e-120 * components(np.diag([1.0, 0.0, -1.0]))  # |Q|^6 underflows
    np.testing.assert_allclose(biaxiality(tiny), 1.0)


def test_what_is_read_does_not_depend_on_the_axes(rng):
    q = rng.normal(size=(5, 30))
    rotation, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    turned = conjugation(rotation) @ q
    np.testing.assert_allclose(biaxiality(turned), biaxiality(q), atol=1e-13)
    director, order = director_and_order(q)
    turned_director, turned_order = director_and_order(turned)
    np.testing.assert_allclose(turned_order, order, rtol=1e-12)
    np.testing.assert_allclose(np.abs((turned_director * (director @ rotation.T)).sum(axis=-1)), 1.0, rtol=1e-12)


def test_the_reduced_tensor_is_embedded(rng):
    p = rng.normal(size=(2, 8))
    q = embedded(p, -0.2)
    tensor = matrices(q)[3]
    np.testing.assert_allclose(
        tensor, [[p[0, 3] + 0.2, p[1, 3], 0.0], [p[1, 3], -p[0, 3] + 0.2, 0.0], [0.0, 0.0, -0.4]], atol=1e-15
    )
    np.testing.assert_allclose(in_plane(q), p, rtol=1e-15)


def test_reduced_and_full_reading_agree(rng):
    x, y = np.linspace(-1, 1, 9), np.linspace(-1, 1, 7)
    p, q3 = rng.normal(size=(2, 7, 9)), -0.3
    density = rng.normal(size=(7, 9))
    reduced = read_planar(p, q3, {"x": x, "y": y}, density)
    full = read_tensor(embedded(p, q3), {"x": x, "y": y}, density)
    np.testing.assert_allclose(full["S"], reduced["S"], rtol=1e-12)
    np.testing.assert_array_equal(full["biaxiality"], reduced["biaxiality"])
    np.testing.assert_array_equal(full["defects"], reduced["defects"])
    along = (full["director"][..., :2] * reduced["director"]).sum(axis=-1)
    np.testing.assert_allclose(np.abs(along), 1.0, rtol=1e-12)
    np.testing.assert_array_equal(full["energy_density"], density)


def test_tilt_tells_turned_from_exchanged():
    turned = uniaxial(np.array([np.sin(0.2), 0.0, np.cos(0.2)]), 1.0)
    assert tilt(turned) == pytest.approx(np.cos(0.2))
    exchanged = components(np.diag([-0.2, -0.3, 0.5]))  # n along z, but no axis has turned
    assert tilt(exchanged) == 0.0
