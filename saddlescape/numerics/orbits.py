"""Symmetry at a point: how many copies it has, what leaves it where it is, and along which directions to leave it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cmp_to_key

import numpy as np

from ..symmetry import Symmetry
from .alignment import align, alignments, compose, inverse, mass_norm

__all__ = ["Direction", "align", "alignments", "compose", "inverse", "isotropic_directions", "orbit_size", "stabiliser"]

_SAME = 1e-4  # unit vectors with an inner product this near to one are the same; eigenvectors are known better than that
_MAX_SPACES = 256  # fixed-point spaces enumerated for one eigenspace


@dataclass(frozen=True, eq=False)
class Direction:
    """A direction to leave a stationary point along.

    Parameters
    ----------
    coefficients : (m,) array
        In terms of the eigenvectors, rows of (m, n).
    mirror : (1 + a,) array or None
        A group element that fixes the point and reverses the direction, if there is one: the search to the other side is then
        the image of the search to this one.
    """

    coefficients: np.ndarray
    mirror: np.ndarray | None


def orbit_size(symmetry: Symmetry, x: np.ndarray, mass: float | np.ndarray, tolerance: float) -> int:
    """Number of connected components of the orbit of a point: its discrete images that no translation carries into each other.

    Parameters
    ----------
    symmetry : Symmetry
    x : (n,) array
    mass : float or (n,) array
    tolerance : float
        Points this near to each other in the mass norm are the same.

    Notes
    -----
    By the orbit-stabiliser theorem, order of the group over the number of elements that fix x; rounded, should the tolerance
    cut through images that are nearly the same. One for a symmetry known only through `Symmetry.match`.
    """
    if symmetry.trivial or symmetry.match is not None:
        return 1
    _, distances = alignments(symmetry, x, x, mass)
    fixing = max(1, np.count_nonzero(distances <= tolerance))
    return max(1, round(symmetry.order / fixing))


def stabiliser(symmetry: Symmetry, x: np.ndarray, mass: float | np.ndarray, tolerance: float) -> np.ndarray:
    """The group elements that leave a point where it is.

    Parameters
    ----------
    symmetry : Symmetry
    x : (n,) array
    mass : float or (n,) array
    tolerance : float
        How far, in the mass norm, an element may move x.

    Returns
    -------
    elements : (e, 1 + a) array
        The identity first. On periodic grids every discrete element that fixes x modulo translations comes with its aligning
        shift, alone and combined with the translations by half periods that fix x; other periods of x are not listed.
    """
    elements, distances = alignments(symmetry, x, x, mass)
    elements = elements[distances <= tolerance]
    if symmetry.grid is None:
        return elements if len(elements) else symmetry.identity[None]
    halves = [s for s in symmetry.half_periods if mass_norm(x - symmetry.translate(x, s), mass) <= tolerance]
    combined = np.repeat(elements, len(halves), axis=0)
    combined[:, 1:] = (combined[:, 1:] + np.tile(halves, (len(elements), 1))) % np.array(symmetry.grid)
    return combined


def isotropic_directions(
    symmetry: Symmetry,
    x: np.ndarray,
    mass: float | np.ndarray,
    eigenvalues: np.ndarray,
    eigenvectors: np.ndarray,
    tolerance: float,
    degeneracy: float = 1e-6,
) -> list[Direction]:
    """Directions to leave a stationary point along: eigenvectors, adapted to the symmetry where an eigenvalue is multiple.

    Parameters
    ----------
    symmetry : Symmetry
    x : (n,) array
        The stationary point.
    mass : float or (n,) array
    eigenvalues : (m,) array
        Ascending.
    eigenvectors : (m, n) array
        Rows, orthonormal in the mass inner product. A multiple eigenvalue given in part keeps the eigenvectors it is given with.
    tolerance : float
        As in `stabiliser`.
    degeneracy : float
        Neighbouring eigenvalues closer than this, relative to the largest magnitude among them, are one multiple eigenvalue.

    Returns
    -------
    directions : list of Direction
        By eigenvalue: unit vectors whose sign does not depend on the signs of the eigenvectors. A simple eigenvalue gives its
        eigenvector. The eigenspace of a multiple one is a representation of the stabiliser of x: it gives the one-dimensional
        fixed-point spaces of subgroups, one of each set that the stabiliser permutes, and eigenvectors in addition as far as the
        directions and their images do not span the eigenspace (all of them where there are no such lines).

    Raises
    ------
    ValueError
        If the shapes of eigenvalues and eigenvectors do not fit.

    Notes
    -----
    One-dimensional fixed-point spaces are where the equivariant branching lemma promises branches, and where paths of high
    symmetry leave. At most 256 fixed-point spaces are enumerated for one eigenspace.

    References
    ----------
    .. [1] M. Golubitsky, I. Stewart, D. G. Schaeffer, Singularities and Groups in Bifurcation Theory II, Springer 1988, XIII.3.
    """
    eigenvalues = np.asarray(eigenvalues, dtype=float)
    if eigenvalues.ndim != 1 or eigenvectors.shape != (eigenvalues.size, x.size):
        raise ValueError(
            f"eigenvectors: got shape {eigenvectors.shape} for {eigenvalues.size} eigenvalues and {x.size} unknowns, "
            f"expected ({eigenvalues.size}, {x.size})"
        )
    if eigenvalues.size == 0:
        return []
    elements = stabiliser(symmetry, x, mass, tolerance)
    movers = _unit_translations(symmetry, x, mass, tolerance)
    action = _representation(symmetry, elements, eigenvectors, mass)
    moving = _representation(symmetry, movers, eigenvectors, mass)
    borders = np.flatnonzero(np.diff(eigenvalues) > degeneracy * np.abs(eigenvalues).max()) + 1
    directions = []
    for cluster in np.split(np.arange(eigenvalues.size), borders):
        block = np.ix_(range(len(elements)), cluster, cluster)
        moving_block = moving[np.ix_(range(len(movers)), cluster, cluster)]
        point = _Isotropy(symmetry, x, mass, tolerance, elements, action[block], moving_block, eigenvectors[cluster])
        for local in point.directions():
            coefficients = np.zeros(eigenvalues.size)
            coefficients[cluster] = local
            directions.append(Direction(coefficients, point.mirror(local)))
    return directions


def _unit_translations(symmetry: Symmetry, x: np.ndarray, mass: float | np.ndarray, tolerance: float) -> np.ndarray:
    """Translations by one spacing along axes in which x is constant, (t, 1 + a): they generate what `stabiliser` samples."""
    units = np.eye(1 + symmetry.n_axes)[1:]
    fixing = [u for u in units if mass_norm(x - symmetry.apply(u, x), mass) <= tolerance]
    return np.array(fixing).reshape(-1, 1 + symmetry.n_axes)


def _representation(symmetry: Symmetry, elements: np.ndarray, vectors: np.ndarray, mass: float | np.ndarray) -> np.ndarray:
    """Matrices (e, m, m) of the elements in the basis of the vectors (m, n): ``<v_i, g v_j>``."""
    weighted = vectors * mass
    matrices = [weighted @ symmetry.apply(element, vectors).T for element in elements]
    return np.array(matrices).reshape(-1, len(vectors), len(vectors))


class _Isotropy:
    """One eigenspace, of dimension k, as a representation of the stabiliser of a point.

    Parameters
    ----------
    elements : (e, 1 + a) array
        The stabiliser.
    action : (e, k, k) array
        Its matrices in the basis of the eigenvectors.
    moving : (t, k, k) array
        Matrices of further elements that fix the point, see `_unit_translations`.
    vectors : (k, n) array
        The eigenvectors.
    """

    def __init__(
        self,
        symmetry: Symmetry,
        x: np.ndarray,
        mass: float | np.ndarray,
        tolerance: float,
        elements: np.ndarray,
        action: np.ndarray,
        moving: np.ndarray,
        vectors: np.ndarray,
    ):
        self.symmetry, self.x, self.mass, self.tolerance, self.vectors = symmetry, x, mass, tolerance, vectors
        self.dimension = len(vectors)
        # An eigenspace only partly given (the last of a truncated list) is not mapped to itself: such elements do not count.
        invariant = np.abs(action @ action.transpose(0, 2, 1) - np.eye(self.dimension)).max(axis=(1, 2)) < 1e-3
        self.elements, action = elements[invariant], action[invariant]
        _, first = np.unique(np.round(action.reshape(len(action), -1), 3) + 0.0, axis=0, return_index=True)
        self.action, self.distinct = action, action[np.sort(first)]
        self.generators = np.concatenate([self.distinct, moving])

    def directions(self) -> list[np.ndarray]:
        """Unit vectors (k,) along the lines chosen, oriented."""
        lines = self._lines()
        lines.sort(key=cmp_to_key(self._compare))
        chosen: list[np.ndarray] = []
        for line in lines:
            if not any(self._related(line, other) for other in chosen):
                chosen.append(line)
        for vector in np.eye(self.dimension):
            if not self._spans(chosen, vector):
                chosen.append(self._oriented(vector))
        return chosen

    def mirror(self, u: np.ndarray) -> np.ndarray | None:
        """An element that fixes the point and maps the direction u (k,) to -u."""
        reversing = np.flatnonzero(u @ (self.action @ u).T < _SAME - 1.0)
        if reversing.size:
            return self.elements[reversing[0]]
        return self._carrying(u, -u)

    def _lines(self) -> list[np.ndarray]:
        """The one-dimensional fixed-point spaces: those of single elements, and their intersections."""
        spaces: list[np.ndarray] = []  # orthogonal projections onto them
        for projection in _fixed_spaces(0.5 * (self.distinct + self.distinct.transpose(0, 2, 1))):
            _include(spaces, projection)
        for i, first in enumerate(spaces):  # the list grows while it is read
            if np.trace(first) < 1.5:
                continue
            for second in spaces[:i]:
                if np.trace(second) > 1.5:
                    _include(spaces, _fixed_spaces(0.5 * (first + second)[None])[0])
        lines = [projection for projection in spaces if 0.5 < np.trace(projection) < 1.5]
        return [self._oriented(np.linalg.eigh(projection)[1][:, -1]) for projection in lines]

    def _oriented(self, u: np.ndarray) -> np.ndarray:
        # The first of the entries of largest magnitude, equal up to rounding, is made positive.
        w = u @ self.vectors
        size = np.abs(w)
        return u if w[np.argmax(size > size.max() * (1.0 - 1e-6))] > 0.0 else -u

    def _compare(self, u: np.ndarray, v: np.ndarray) -> int:
        """Order of lines that does not depend on the basis of the eigenspace: more symmetric first, then by their entries."""
        isotropy = [int(np.count_nonzero((self.distinct @ w) @ w > 1.0 - _SAME)) for w in (u, v)]
        if isotropy[0] != isotropy[1]:
            return isotropy[1] - isotropy[0]
        first, second = u @ self.vectors, v @ self.vectors
        differing = np.flatnonzero(np.abs(first - second) > 1e-6 * np.abs(first).max())
        return 0 if differing.size == 0 else -1 if first[differing[0]] > second[differing[0]] else 1

    def _related(self, u: np.ndarray, v: np.ndarray) -> bool:
        """Whether an element of the stabiliser carries one line to the other."""
        if (np.abs((self.distinct @ v) @ u) > 1.0 - _SAME).any():
            return True
        return self._carrying(v, u) is not None or self._carrying(v, -u) is not None

    def _carrying(self, u: np.ndarray, v: np.ndarray) -> np.ndarray | None:
        """An element, with any translation, that fixes the point and maps u to v."""
        if self.symmetry.grid is None:
            return None  # all elements have been looked at
        element, distance = align(self.symmetry, v @ self.vectors, u @ self.vectors, self.mass)
        moved = mass_norm(self.x - self.symmetry.apply(element, self.x), self.mass)
        return element if distance**2 < 2.0 * _SAME and moved <= self.tolerance else None

    def _spans(self, directions: list[np.ndarray], vector: np.ndarray) -> bool:
        """Whether a vector lies in the invariant subspace that the directions generate."""
        if not directions:
            return False
        basis = _orthonormal(np.array(directions))
        for _ in range(self.dimension):
            images = np.einsum("gij,bj->gbi", self.generators, basis).reshape(-1, self.dimension)
            basis = _orthonormal(np.concatenate([basis, images]))
        return bool(np.sum((basis @ vector) ** 2) > 1.0 - _SAME)


def _fixed_spaces(symmetric: np.ndarray) -> np.ndarray:
    """Projections (e, k, k) onto the eigenvalue 1 of symmetric matrices (e, k, k) of norm at most one."""
    values, vectors = np.linalg.eigh(symmetric)
    kept = vectors * (values > 1.0 - _SAME)[:, None, :]
    return kept @ kept.transpose(0, 2, 1)


def _include(spaces: list[np.ndarray], projection: np.ndarray) -> None:
    new = np.trace(projection) > 0.5 and all(np.abs(projection - known).max() > 1e-3 for known in spaces)
    if new and len(spaces) < _MAX_SPACES:
        spaces.append(projection)


def _orthonormal(rows: np.ndarray) -> np.ndarray:
    _, sizes, basis = np.linalg.svd(rows, full_matrices=False)
    return basis[sizes > 1e-2 * sizes[0]]
