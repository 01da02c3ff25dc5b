"""Inertia counts against dense eigenvalues."""

import numpy as np
import pytest
import scipy.linalg
import scipy.sparse as sparse

from saddlescape.numerics.inertia import Bordered, CertificationError, DenseSpectrum, SparseFactor, count_inertia, sparse_norm


def random_symmetric(rng, n, density):
    a = sparse.random_array((n, n), density=min(1.0, density), rng=rng, data_sampler=rng.standard_normal)
    return (a + a.T).tocsc()


def chain(n):
    """A path whose diagonal is zero: no pivot to begin with; eigenvalues 2 cos(pi k / (n + 1))."""
    return sparse.diags_array([np.ones(n - 1), np.ones(n - 1)], offsets=[-1, 1]).tocsc()


@pytest.mark.parametrize("kind", ["plain", "dominant", "hollow"])
def test_counts_of_random_indefinite_matrices(kind, monkeypatch):
    monkeypatch.setattr("saddlescape.numerics.inertia.DENSE_LIMIT", 0)  # so that nothing but the elimination answers
    rng = np.random.default_rng(["plain", "dominant", "hollow"].index(kind))
    for _ in range(100):
        n = int(rng.integers(2, 70))
        matrix = random_symmetric(rng, n, 3.0 / n)
        if kind == "dominant":
            matrix = (matrix + sparse.diags_array(4.0 * rng.choice([-1.0, 1.0], n))).tocsc()
        if kind == "hollow":
            matrix = (matrix - sparse.diags_array(matrix.diagonal())).tocsc()
        mass = rng.uniform(0.5, 2.0, n)
        exact = scipy.linalg.eigh(matrix.toarray(), np.diag(mass), eigvals_only=True)
        for shift in (-0.37, 0.013, 0.9):  # at 0.013 pivots are small, and grow
            assert count_inertia(matrix, mass, shift).negative == np.count_nonzero(exact < shift)


def test_a_large_hollow_matrix_is_turned_until_it_can_be_eliminated():
    # n above the dense limit, so that only the elimination can answer; every pivot of the original matrix is zero.
    n = 800
    count = count_inertia(chain(n), 1.0)
    assert isinstance(count.factor, SparseFactor)
    assert count.negative == n // 2
    right = np.random.default_rng(0).standard_normal((3, n))
    np.testing.assert_allclose((chain(n) @ count.factor.solve(right).T).T, right, atol=1e-6)


def test_random_hollow_blocks_are_turned_too():
    rng = np.random.default_rng(8)
    blocks = [a + a.T for a in (np.triu(rng.choice([-1.0, 1.0], (18, 18)), 1) for _ in range(30))]
    count = count_inertia(sparse.block_diag(blocks).tocsc(), 1.0)
    assert "plane rotations" in count.text
    assert count.negative == sum(np.count_nonzero(np.linalg.eigvalsh(block) < 0.0) for block in blocks)


def test_exactly_singular_matrix_is_counted_after_a_named_shift():
    n = 700
    off = -np.ones(n - 1)
    graph_laplacian = sparse.diags_array([off, np.r_[1.0, 2.0 * np.ones(n - 2), 1.0], off], offsets=[-1, 0, 1])
    assert [count_inertia(graph_laplacian, 1.0, shift).negative for shift in (-1e-6, 1e-6)] == [0, 1]
    with_empty_rows = sparse.block_diag([graph_laplacian, sparse.csc_array((2, 2))])
    assert "further shift" in count_inertia(with_empty_rows, 1.0).text
    assert [count_inertia(with_empty_rows, 1.0, shift).negative for shift in (-1e-6, 1e-6)] == [0, 3]


def test_dense_and_sparse_agree_and_solve():
    rng = np.random.default_rng(5)
    matrix = (random_symmetric(rng, 60, 0.05) + sparse.diags_array(rng.uniform(1, 3, 60) * rng.choice([-1, 1], 60))).tocsc()
    mass, right = rng.uniform(0.5, 2.0, 60), rng.standard_normal((4, 60))
    dense, thin = count_inertia(matrix.toarray(), mass), count_inertia(matrix, mass)
    assert isinstance(dense.factor, DenseSpectrum) and dense.negative == thin.negative
    np.testing.assert_allclose(dense.factor.solve(right), np.linalg.solve(matrix.toarray(), right.T).T, atol=1e-11)
    np.testing.assert_allclose(thin.factor.solve(right[0]), dense.factor.solve(right[0]), atol=1e-11)


def test_norm_is_a_bound_and_tight_for_a_laplacian():
    n = 50
    matrix = sparse.diags_array([-np.ones(n - 1), 2.0 * np.ones(n), -np.ones(n - 1)], offsets=[-1, 0, 1]).tocsc()
    assert sparse_norm(matrix, 0.5) == pytest.approx(8.0)
    assert sparse_norm(matrix, np.full(n, 0.5)) == pytest.approx(8.0)
    rng = np.random.default_rng(6)
    matrix, mass = random_symmetric(rng, n, 0.1), rng.uniform(0.1, 3.0, n)
    exact = scipy.linalg.eigh(matrix.toarray(), np.diag(mass), eigvals_only=True)
    assert np.abs(exact).max() <= sparse_norm(matrix, mass)


@pytest.mark.parametrize("shift", [-1.0, -1e-3, 1e-3, 0.7])
def test_inertia_on_a_complement(shift):
    rng = np.random.default_rng(7)
    n, m = 40, 3
    h = rng.standard_normal((n, n))
    h, mass = h + h.T, rng.uniform(0.5, 2.0, n)
    modes = np.linalg.qr(rng.standard_normal((n, m)))[0].T / np.sqrt(mass)
    exact = DenseSpectrum(h, mass, modes)
    np.testing.assert_allclose((exact.vectors * mass) @ modes.T, 0.0, atol=1e-12)
    count = count_inertia(sparse.csc_array(h), mass, shift)
    bordered = Bordered(count.factor, modes, mass)
    assert count.negative - bordered.removed == np.count_nonzero(exact.values < shift)
    right = rng.standard_normal((2, n))
    expected = ((right @ exact.vectors.T) / (exact.values - shift)) @ exact.vectors
    np.testing.assert_allclose(bordered.solve(right), expected, atol=1e-9)


def test_an_elimination_that_stays_unstable_is_an_error(monkeypatch):
    rng = np.random.default_rng(0)
    matrix = random_symmetric(rng, 200, 0.015)
    matrix = (matrix - sparse.diags_array(matrix.diagonal())).tocsc()
    assert count_inertia(matrix, 1.0).text.endswith("of the dense H below 0.00e+00")  # small enough for the dense way out
    monkeypatch.setattr("saddlescape.numerics.inertia.DENSE_LIMIT", 100)
    with pytest.raises(CertificationError, match=r"unstable .* after rotations; another shift may work"):
        count_inertia(matrix, 1.0)
