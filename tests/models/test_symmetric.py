"""The points that a group leaves where they are, and the stationary point among them."""

import numpy as np
import pytest

from saddlescape.models import ReducedLandauDeGennes
from saddlescape.models.liquid_crystals import Disk, Hexagon, Triangle
from saddlescape.models.liquid_crystals.discretisation.symmetric import fixed_space
from saddlescape.symmetry import Symmetry

GROUPS = {
    "signs": Symmetry.generate(5, [([1, 0, 2, 3, 4], -1.0), ([0, 1, 3, 2, 4], [1.0, 1.0, 1.0, 1.0, -1.0])]),
    "square": ReducedLandauDeGennes(7, 10.0).symmetry,
    "hexagon": ReducedLandauDeGennes(5, 10.0, domain=Hexagon()).symmetry,
    "triangle": ReducedLandauDeGennes(6, 10.0, domain=Triangle()).symmetry,
    "disk": ReducedLandauDeGennes(7, 10.0, domain=Disk()).symmetry,
}


@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_the_fixed_space_is_the_range_of_the_mean_over_the_group(group):
    basis = fixed_space(group).toarray()
    shifts = np.arange(float(group.grid[0])) if group.grid is not None else [None]
    elements = [[d] if s is None else [d, s] for d in range(group.order) for s in shifts]
    mean = np.mean([group.apply(np.array(g, dtype=float), np.eye(group.dim)).T for g in elements], axis=0)
    np.testing.assert_allclose(mean @ basis, basis, atol=1e-13)
    assert basis.shape[1] == np.linalg.matrix_rank(mean, tol=1e-8)
    products = basis.T @ basis
    np.testing.assert_allclose(products, np.diag(np.diag(products)), atol=1e-13)


@pytest.mark.parametrize("domain", [Hexagon(), Triangle(), Disk()], ids=repr)
def test_the_symmetric_state_is_stationary_and_has_every_symmetry(domain):
    model = ReducedLandauDeGennes(9, 30.0, domain=domain)
    x = model.default_start()
    assert np.abs(model.gradient(x)).max() < 1e-13
    images = model.symmetry.images(x)
    np.testing.assert_allclose(images, np.broadcast_to(x, images.shape), atol=1e-12)
    if model.symmetry.grid is not None:
        np.testing.assert_allclose(x.reshape(-1, *model.symmetry.grid).std(axis=1), 0.0, atol=1e-12)
