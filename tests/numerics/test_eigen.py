"""Block LOBPCG against spectra known in closed form."""

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy.sparse.linalg import splu

from saddlescape.numerics.eigen import independent_rows, lobpcg, spectral_radius


def laplacian(n):
    """-u'' with Dirichlet conditions on n nodes of spacing 1/(n+1), and its eigenvalues."""
    h = 1.0 / (n + 1)
    matrix = sparse.diags_array([-np.ones(n - 1), 2.0 * np.ones(n), -np.ones(n - 1)], offsets=[-1, 0, 1]) / h**2
    return matrix.tocsc(), 4.0 / h**2 * np.sin(0.5 * np.pi * h * np.arange(1, n + 1)) ** 2


def square_laplacian(n):
    """The five-point Laplacian on n x n nodes: every eigenvalue with k != l is double."""
    line, values = laplacian(n)
    eye = sparse.eye_array(n)
    return (sparse.kron(line, eye) + sparse.kron(eye, line)).tocsc(), np.sort((values[:, None] + values).ravel())


def product(matrix):
    return lambda rows: (matrix @ rows.T).T


def inverse(matrix):
    factor = splu(matrix)
    return lambda rows: factor.solve(np.ascontiguousarray(rows.T)).T


def empty(n):
    return np.empty((0, n))


@pytest.mark.parametrize("n_pairs", [1, 2, 3, 5, 8, 13, 30])
def test_double_eigenvalues_are_all_found(n_pairs):
    matrix, exact = square_laplacian(20)
    pairs = lobpcg(product(matrix), inverse(matrix), 1.0, empty(400), n_pairs)
    assert pairs.converged
    np.testing.assert_allclose(pairs.values, exact[:n_pairs], rtol=1e-12)
    np.testing.assert_allclose(pairs.vectors @ pairs.vectors.T, np.eye(n_pairs), atol=1e-12)
    assert (pairs.residuals <= 1e-8 * exact[n_pairs - 1]).all()


def test_generalised_problem_with_a_mass_vector():
    # H = mass^1/2 A mass^1/2 has the eigenvalues of A in the mass metric, and its vectors divided by mass^1/2.
    matrix, exact = laplacian(200)
    mass = np.random.default_rng(1).uniform(0.2, 5.0, 200)
    root = sparse.diags_array(np.sqrt(mass))
    h = (root @ matrix @ root).tocsc()
    pairs = lobpcg(product(h), inverse(h), mass, empty(200), 4)
    np.testing.assert_allclose(pairs.values, exact[:4], rtol=1e-12)
    np.testing.assert_allclose((pairs.vectors * mass) @ pairs.vectors.T, np.eye(4), atol=1e-12)
    residual = product(h)(pairs.vectors) - pairs.values[:, None] * mass * pairs.vectors
    np.testing.assert_allclose(np.sqrt((residual**2 / mass).sum(axis=1)), pairs.residuals, rtol=1e-3, atol=1e-10)


def test_tight_cluster_and_multiple_eigenvalues():
    exact = np.concatenate(([-3.0, -3.0, -3.0, -1.0, -1.0 + 1e-9, -1.0 + 2e-9], np.linspace(0.5, 100.0, 294)))
    turn = np.linalg.qr(np.random.default_rng(2).standard_normal((300, 300)))[0]
    h = (turn * exact) @ turn.T
    pairs = lobpcg(lambda rows: rows @ h, lambda rows: rows @ ((turn / (exact + 3.5)) @ turn.T), 1.0, empty(300), 7)
    np.testing.assert_allclose(pairs.values, exact[:7], atol=1e-11)


def test_indefinite_preconditioner_of_an_inertia_factor():
    matrix, exact = square_laplacian(15)
    h = (matrix - 120.0 * sparse.eye_array(225)).tocsc()
    n_pairs = int((exact < 120.0).sum()) + 1
    pairs = lobpcg(product(h), inverse(h), 1.0, empty(225), n_pairs)
    np.testing.assert_allclose(pairs.values, exact[:n_pairs] - 120.0, atol=1e-9)


def test_a_good_guess_saves_iterations_and_an_exact_one_needs_none():
    matrix, _ = square_laplacian(20)
    arguments = product(matrix), inverse(matrix), 1.0
    cold = lobpcg(*arguments, empty(400), 4, n_guard=0)
    noise = np.random.default_rng(3).standard_normal((4, 400))
    warm = lobpcg(*arguments, cold.vectors + 1e-6 * noise, 4, n_guard=0)
    exact = lobpcg(*arguments, cold.vectors, 4, n_guard=0, rtol=1e-7)
    assert exact.iterations == 0 < warm.iterations < cold.iterations


def test_one_product_per_active_residual():
    matrix, _ = square_laplacian(20)
    sizes = []

    def counted(rows):
        sizes.append(len(rows))
        return product(matrix)(rows)

    pairs = lobpcg(counted, inverse(matrix), 1.0, empty(400), 5, n_guard=2)
    # One block at the start, one an iteration, one for the images of the result.
    assert len(sizes) == pairs.iterations + 2
    assert sizes[0] == 7 and max(sizes) == 7 and min(sizes[1:-1]) < 7


def test_dependent_rows_in_the_start_are_replaced():
    matrix, exact = laplacian(50)
    block = np.ones((4, 50))
    pairs = lobpcg(product(matrix), inverse(matrix), 1.0, block, 4)
    np.testing.assert_allclose(pairs.values, exact[:4], rtol=1e-12)
    np.testing.assert_array_equal(block, 1.0)


def test_whole_spectrum_of_a_small_matrix():
    matrix, exact = laplacian(6)
    pairs = lobpcg(product(matrix), lambda rows: rows, 1.0, empty(6), 6)
    np.testing.assert_allclose(pairs.values, exact, rtol=1e-12)


def test_outside_gives_the_compression_to_a_complement():
    matrix, exact = laplacian(60)
    k = np.arange(1, 61)
    first = np.sin(np.pi * k / 61)[None]
    first /= np.linalg.norm(first)
    pairs = lobpcg(product(matrix), inverse(matrix), 1.0, first + 0.1, 3, outside=first)
    np.testing.assert_allclose(pairs.values, exact[1:4], rtol=1e-12)
    np.testing.assert_allclose(pairs.vectors @ first.T, 0.0, atol=1e-12)


def test_same_seed_same_bits_and_no_global_state():
    matrix, _ = square_laplacian(12)
    state = np.random.get_state()[1].copy()  # noqa: NPY002 - the global state is looked at because it must not move
    first, second = (lobpcg(product(matrix), inverse(matrix), 1.0, empty(144), 3, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.vectors, second.vectors)
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002


def test_too_few_iterations_are_reported():
    matrix, _ = square_laplacian(20)
    pairs = lobpcg(product(matrix), lambda rows: rows, 1.0, empty(400), 3, max_iterations=3)
    assert not pairs.converged and pairs.iterations == 3


@pytest.mark.parametrize("n_pairs", [0, 7])
def test_number_of_pairs_is_checked(n_pairs):
    matrix, _ = laplacian(6)
    with pytest.raises(ValueError, match=r"n_pairs: got \d, expected 1 to 6"):
        lobpcg(product(matrix), lambda rows: rows, 1.0, empty(6), n_pairs)


def test_spectral_radius_from_below_and_near():
    matrix, exact = square_laplacian(25)
    mass = np.full(625, 0.25)
    found = spectral_radius(product(matrix), mass, 625)
    assert 0.9 * exact[-1] / 0.25 < found <= exact[-1] / 0.25 * (1 + 1e-12)
    assert spectral_radius(lambda rows: -3.0 * rows, 1.0, 10) == pytest.approx(3.0)


def test_independent_rows_drop_what_is_short():
    mass = np.array([1.0, 4.0, 9.0])
    rows = np.array([[1.0, 0.0, 0.0], [1.0, 1e-9, 0.0], [0.0, 0.0, 2.0]])
    basis = independent_rows(rows, mass, 1e-6)
    assert basis.shape == (2, 3)
    np.testing.assert_allclose((basis * mass) @ basis.T, np.eye(2), atol=1e-14)
    np.testing.assert_allclose(basis[:, 1], 0.0, atol=1e-8)
