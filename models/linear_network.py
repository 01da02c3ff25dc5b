"""A linear network with one hidden layer: every critical point of its loss is known in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from saddlescape.kernels import Kernels
from saddlescape.stochastic import FiniteSum
from saddlescape.symmetry import Symmetry

from .linear_network_kernels import LINEAR

_LARGEST = 250_000
_ZERO = 1e-6
"""A generator is no zero mode where it moves x by less than this, relative to x."""


@dataclass(frozen=True)
class LinearNetwork(FiniteSum):
    r"""The loss of a linear network with one hidden layer, whose critical points are all known.

    .. math:: E = \frac{1}{2N} \sum_{i=1}^N |W_2 W_1 z_i - y_i|^2 + \frac{c}{4} |W_1 W_1^T - W_2^T W_2|_F^2

    with x = (W1, W2), row-major, and whitened inputs z = C^(-1/2) (input), C = (1/N) sum input input^T. The first term is then
    |W2 W1 - M|_F^2 / 2 and a constant, M = (1/N) sum y z^T the least-squares map.

    Parameters
    ----------
    inputs : (N, d) array or nested sequence of float
        They are whitened here, not centred; at most 250 000 numbers: they are kept whole in every file that remembers the model.
    outputs : (N, q) array or nested sequence of float
        What the network is to answer; of the same limit.
    hidden : int
        Hidden units p.
    batch : int
        Rows in a sample.
    replacement : bool
        Whether a row may come twice in a sample.
    balance : float
        c, at least 0. Positive, it changes neither the critical values nor the indices, but of the critical points W2 W1 alone
        determines up to an invertible A, as (A W1, W2 A^-1), it keeps the balanced ones: one orbit of rotations. With 0 the
        orbits are unbounded: no symmetry is declared, and a landscape would hold many points of each.

    Raises
    ------
    ValueError
        If a parameter is out of its range, shapes do not fit, or the inputs are linearly dependent.

    Notes
    -----
    Let M = sum_j sigma_j u_j v_j^T with distinct sigma_j > 0. For each set I of at most p of its singular triples the restriction
    W2 W1 = sum_I sigma_j u_j v_j^T is critical [1]_ (`critical_point`). Its index is
    ``sum_{i in I} #{j not in I: sigma_j > sigma_i} + (p - |I|) #{j not in I}``: the energy falls where a hidden unit turns to
    a larger singular triple, or an idle one to any. For c > 0 there are no others: where the gradient (G1, G2) vanishes,
    0 = G1 W1^T - W2^T G2 = c ((W1 W1^T)^2 - (W2^T W2)^2), hence W1 W1^T = W2^T W2. Besides the zero modes of the rotations a
    point has (p - |I|) (d + q - 2 rank M) null directions.

    ``coercive`` tells whether the Euler check applies: for c > 0 and p <= 2. The orbits of more hidden units are neither points
    nor tori, and the sum does not know their Euler characteristics.

    References
    ----------
    .. [1] P. Baldi, K. Hornik, Neural Networks 2 (1989) 53.
    """

    inputs: Sequence[Sequence[float]]
    outputs: Sequence[Sequence[float]]
    hidden: int
    batch: int = 1
    replacement: bool = False
    balance: float = 1.0

    kernels: ClassVar[Kernels] = LINEAR

    def __post_init__(self) -> None:
        for name in ("inputs", "outputs"):
            array = np.array(getattr(self, name), dtype=float)
            if array.ndim != 2 or not 1 <= array.size <= _LARGEST:
                raise ValueError(f"{name}: got shape {array.shape}, expected rows of numbers, at most {_LARGEST} in all")
            if not np.isfinite(array).all():
                raise ValueError(f"{name}: got entries that are NaN or infinite, expected finite numbers")
            object.__setattr__(self, name, tuple(tuple(row) for row in array.tolist()))
        if len(self.outputs) != len(self.inputs):
            raise ValueError(f"outputs: got {len(self.outputs)} rows for {len(self.inputs)} inputs, expected one for each")
        super().__post_init__()
        if not isinstance(self.hidden, (int, np.integer)) or self.hidden < 1:
            raise ValueError(f"hidden: got {self.hidden!r}, expected a positive integer")
        if not (np.isfinite(self.balance) and self.balance >= 0):
            raise ValueError(f"balance: got {self.balance!r}, expected a number of at least 0")
        sizes = np.linalg.svd(np.array(self.inputs), compute_uv=False)
        if self.n_terms < self._widths[0] or sizes[-1] <= 1e-10 * sizes[0]:
            raise ValueError(
                f"inputs: {self.n_terms} rows of {self._widths[0]} numbers are linearly dependent and cannot be whitened; "
                "leave out columns, or give more rows"
            )

    @property
    def n_terms(self) -> int:
        """Number of terms N, one for each row of the data."""
        return len(self.inputs)

    @property
    def _widths(self) -> tuple[int, int, int]:
        """Inputs d, hidden units p, outputs q."""
        return len(self.inputs[0]), self.hidden, len(self.outputs[0])

    @property
    def dim(self) -> int:
        """Number of unknowns, p (d + q)."""
        d, p, q = self._widths
        return p * (d + q)

    @property
    def field_shapes(self) -> dict[str, tuple[int, ...]]:
        """How x splits into named fields: W1 (p, d), W2 (q, p)."""
        d, p, q = self._widths
        return {"W1": (p, d), "W2": (q, p)}

    @property
    def coercive(self) -> bool:
        """Whether the Euler check applies, see Notes."""
        return self.balance > 0 and self.hidden <= 2

    @cached_property
    def _whitened(self) -> np.ndarray:
        inputs = np.array(self.inputs)
        values, vectors = np.linalg.eigh(inputs.T @ inputs / len(inputs))
        return inputs @ (vectors / np.sqrt(values)) @ vectors.T

    @cached_property
    def _triples(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """u (q, r), sigma (r,), v^T (r, d): the singular triples of the least-squares map that are not zero."""
        u, sizes, v = np.linalg.svd(np.array(self.outputs).T @ self._whitened / self.n_terms, full_matrices=False)
        rank = int(np.count_nonzero(sizes > 1e-12 * sizes[0]))
        return u[:, :rank], sizes[:rank], v[:rank]

    @property
    def singular_values(self) -> np.ndarray:
        """sigma (r,) of the least-squares map, descending, without zeros; subsets count them from 0."""
        return self._triples[1].copy()

    def _own_parameters(self) -> tuple[Any, Any]:
        data = np.hstack([self._whitened, np.array(self.outputs)])
        return np.concatenate([[self.balance], data.ravel()]), self._widths

    def _split(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        d, p, q = self._widths
        return x[: p * d].reshape(p, d), x[p * d :].reshape(q, p)

    # --- closed forms --------------------------------------------------------------------------------------------------

    def _checked(self, subset: Sequence[int]) -> list[int]:
        chosen = [int(j) for j in subset]
        rank = self.singular_values.size
        if len(set(chosen)) < len(chosen) or not set(chosen) <= set(range(rank)) or len(chosen) > self.hidden:
            raise ValueError(
                f"subset: got {tuple(subset)}, expected at most {self.hidden} (hidden units) different numbers of singular values, "
                f"0 to {rank - 1}"
            )
        return chosen

    def critical_point(self, subset: Sequence[int]) -> np.ndarray:
        """The balanced critical point whose map is the least-squares map restricted to some of its singular triples.

        Parameters
        ----------
        subset : sequence of int
            Which of `singular_values`; at most p.

        Returns
        -------
        (n,) array

        Raises
        ------
        ValueError
            If the subset names one twice or one that is not there, or has more than p.
        """
        chosen = self._checked(subset)
        d, p, q = self._widths
        u, sizes, v = self._triples
        first, second = np.zeros((p, d)), np.zeros((q, p))
        root = np.sqrt(sizes[chosen])
        first[: len(chosen)] = root[:, None] * v[chosen]
        second[:, : len(chosen)] = u[:, chosen] * root
        return np.concatenate([first.ravel(), second.ravel()])

    def theoretical_index(self, subset: Sequence[int]) -> int:
        """The Morse index of that point by the formula in the Notes; ``subset`` and errors as in `critical_point`."""
        chosen, sizes = self._checked(subset), self.singular_values
        others = np.delete(sizes, chosen)
        below = sum(int(np.count_nonzero(others > sizes[i])) for i in chosen)
        return below + (self.hidden - len(chosen)) * others.size

    def theoretical_energy(self, subset: Sequence[int]) -> float:
        """The energy of that point: what the singular triples left out and the least-squares fit leave unexplained."""
        chosen, sizes = self._checked(subset), self.singular_values
        return 0.5 * (float(np.sum(np.square(self.outputs))) / self.n_terms - float(np.sum(sizes[chosen] ** 2)))

    # --- symmetry ------------------------------------------------------------------------------------------------------

    @cached_property
    def symmetry(self) -> Symmetry | None:
        """Rotations of the hidden units, O(p); none is declared without balance, see the class."""
        if self.balance == 0:
            return None
        if self.hidden == 1:
            return Symmetry.generate(self.dim, [(np.arange(self.dim), -1.0)])
        return Symmetry.by_matching(self.dim, self._nearest_image)

    def _nearest_image(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(R W1, W2 R^T) of y (n,) that is nearest to x (n,): the orthogonal Procrustes problem."""
        (x1, x2), (y1, y2) = self._split(x), self._split(y)
        u, _, v = np.linalg.svd(x1 @ y1.T + x2.T @ y2)
        rotation = u @ v
        return np.concatenate([(rotation @ y1).ravel(), (y2 @ rotation.T).ravel()])

    def zero_modes(self, x: np.ndarray) -> np.ndarray:
        """The directions in which the group moves x, (m, n), orthonormal: rotations, or without balance all of GL(p).

        A generator G moves x by (G W1, -W2 G); hidden units that are zero are not moved into each other.
        """
        w1, w2 = self._split(x)
        p = self.hidden
        generators = np.eye(p * p).reshape(p * p, p, p)
        if self.balance > 0:
            generators = np.array([np.sqrt(0.5) * (g - g.T) for g in generators[np.triu(np.ones((p, p), bool), 1).ravel()]])
        moves = np.array([np.concatenate([(g @ w1).ravel(), -(w2 @ g).ravel()]) for g in generators]).reshape(-1, self.dim)
        _, sizes, modes = np.linalg.svd(moves, full_matrices=False)
        return modes[sizes > _ZERO * np.linalg.norm(x)]

    def default_start(self) -> np.ndarray:
        """All weights zero, (n,): the critical point of the empty subset, with the highest index."""
        return np.zeros(self.dim)
