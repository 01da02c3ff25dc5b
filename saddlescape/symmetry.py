"""Declaration of the symmetries of an energy: which maps of ``x`` leave E unchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

_SAME = 1e-9  # matrices that differ by less are products of the same elements, up to rounding


@dataclass(frozen=True, eq=False)
class Symmetry:
    """A symmetry group: signed permutations of the unknowns or rotations of a field, and periodic translations of a grid.

    A group element is a vector ``(d, s_1, ..., s_a)`` of floats, (1 + a,): apply the discrete element number ``d``
    (``signs[d] * x[permutations[d]]``, then ``mixing[d] @ x.reshape(c, -1)``), then translate by ``s`` grid spacings along the
    ``a`` periodic axes. The discrete elements must be closed under composition (`generate` closes them), element 0 is the
    identity, and each must map translations to translations.

    Parameters
    ----------
    permutations : (G, n) int array
    signs : (G, n) float array of +-1
    grid : tuple of int, or None
        Shape of the periodic grid along which translations leave the energy unchanged; the unknowns are
        ``x.reshape(-1, *grid)``. None: no continuous part.
    match : callable, or None
        For groups this class cannot express: ``match(x, y) -> (n,) array``, the image of ``y`` under the group that is
        nearest to ``x``. It decides which points are copies of each other; orbit sizes are then not known and count as one. The
        elements above, as far as there are any, are a part of the group and say which directions from a point are alike.
    mixing : (G, c, c) float array, or None
        Orthogonal matrices that act on the c components at every node of a field ``x.reshape(c, -1)``, where a map of space turns
        them into each other. Each permutation is then one of the nodes, the same for every component, and all signs are 1.
    tolerance : float
        With ``match``, where a discretisation only approximates the group: how far, relative to their size, two points may be
        from being copies and still stand for one orbit. Stationary points of the discrete energy are then isolated, and the
        directions in which the group moves them (``zero_modes``) have small eigenvalues, not zero, that count as nullity.

    Raises
    ------
    ValueError
        If the arrays do not describe signed permutations of the same unknowns, or permutations of nodes with orthogonal matrices.
    """

    permutations: np.ndarray
    signs: np.ndarray
    grid: tuple[int, ...] | None = None
    match: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    mixing: np.ndarray | None = None
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        permutations = np.ascontiguousarray(self.permutations, dtype=np.intp)
        signs = np.ascontiguousarray(self.signs, dtype=float)
        if permutations.ndim != 2 or signs.shape != permutations.shape:
            raise ValueError(
                f"permutations and signs: got shapes {permutations.shape} and {signs.shape}, expected twice the same (G, n)"
            )
        n = permutations.shape[1]
        _check_values(permutations, signs)
        if not ((permutations[0] == np.arange(n)).all() and (signs[0] == 1.0).all()):
            raise ValueError("permutations and signs: row 0 must be the identity; `Symmetry.generate` puts it there")
        if self.grid is not None and n % int(np.prod(self.grid)):
            raise ValueError(f"grid: got {self.grid}, whose size does not divide the number of unknowns {n}")
        object.__setattr__(self, "permutations", permutations)
        object.__setattr__(self, "signs", signs)
        if not self.tolerance >= 0.0 or (self.tolerance > 0.0 and self.match is None):
            raise ValueError(f"tolerance: got {self.tolerance!r}, expected at least 0, and 0 for a group without `match`")
        if self.mixing is not None:
            object.__setattr__(self, "mixing", _checked_mixing(self.mixing, permutations, signs))

    @classmethod
    def generate(
        cls,
        n: int,
        generators: Iterable[tuple[np.ndarray, np.ndarray | float]] = (),
        grid: tuple[int, ...] | None = None,
    ) -> Symmetry:
        """Close a set of maps under composition.

        Parameters
        ----------
        n : int
            Number of unknowns.
        generators : iterable of (permutation, sign) or of (permutation, matrix)
            ``(g x)_i = sign_i x[permutation_i]``; the permutation has shape (n,), the sign shape (n,) or (). With an orthogonal
            matrix of shape (c, c) instead, the permutation is one of the n / c nodes of a field of c components:
            ``(g x).reshape(c, -1) = matrix @ x.reshape(c, -1)[:, permutation]``. All generators are of one kind.
        grid : tuple of int, or None
            See the class.

        Raises
        ------
        ValueError
            If a generator is no such map of n unknowns.
        """
        given = [_checked_generator(number, generator, n) for number, generator in enumerate(generators)]
        sizes = {len(matrix) for _, _, matrix in given} or {1}
        if len(sizes) > 1:
            raise ValueError(
                f"generators: got matrices for {sorted(sizes)} components (a sign counts as one), expected all of one kind; "
                "write a sign as that multiple of the identity"
            )
        components = sizes.pop()
        elements = [(np.arange(n), np.ones(n), np.eye(components))]
        seen: dict[bytes, list[np.ndarray]] = {}
        _is_new(elements[0], seen)
        for permutation, sign, matrix in elements:  # the list grows while it is read: breadth-first closure
            for p, s, m in given:
                image = (permutation[p], s * sign[p], m @ matrix)
                if _is_new(image, seen):
                    elements.append(image)
        permutations, signs, matrices = (np.array(column) for column in zip(*elements, strict=True))
        return cls(permutations, signs, grid, mixing=matrices if components > 1 else None)

    @classmethod
    def by_matching(cls, n: int, match: Callable[[np.ndarray, np.ndarray], np.ndarray], tolerance: float = 0.0) -> Symmetry:
        """A group known only through ``match(x, y)``, the image of ``y`` nearest to ``x``, both (n,), within a ``tolerance``."""
        return cls(np.arange(n)[None], np.ones((1, n)), None, match, tolerance=tolerance)

    def with_matching(self, match: Callable[[np.ndarray, np.ndarray], np.ndarray], tolerance: float) -> Symmetry:
        """A larger group that a discretisation approximates: ``match(x, y)`` as in the class, within a relative tolerance."""
        return replace(self, match=match, tolerance=tolerance)

    @property
    def dim(self) -> int:
        """Number of unknowns n."""
        return self.permutations.shape[1]

    @property
    def order(self) -> int:
        """Number of discrete elements G."""
        return self.permutations.shape[0]

    @property
    def n_axes(self) -> int:
        """Number of periodic axes with continuous translations."""
        return 0 if self.grid is None else len(self.grid)

    @property
    def identity(self) -> np.ndarray:
        """The identity element, (1 + a,)."""
        return np.zeros(1 + self.n_axes)

    @property
    def trivial(self) -> bool:
        """Whether the identity is all there is."""
        return self.order == 1 and self.grid is None and self.match is None

    def apply(self, element: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Apply a group element (1 + a,) to vectors x (..., n)."""
        d = int(element[0])
        image = self.signs[d] * x[..., self.permutations[d]]
        if self.mixing is not None:
            image = (self.mixing[d] @ image.reshape(*x.shape[:-1], len(self.mixing[d]), -1)).reshape(x.shape)
        return self.translate(image, element[1:])

    def images(self, x: np.ndarray) -> np.ndarray:
        """The images (G, n) of x (n,) under all discrete elements."""
        images = x[self.permutations]
        images *= self.signs
        if self.mixing is None:
            return images
        return (self.mixing @ images.reshape(self.order, self.mixing.shape[1], -1)).reshape(images.shape)

    def translate(self, x: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """Translate x (..., n) by ``shift`` (a,) grid spacings; fractions by trigonometric interpolation."""
        if self.grid is None:
            return x
        shape = x.shape
        axes = tuple(range(-self.n_axes, 0))
        grids = x.reshape(*shape[:-1], -1, *self.grid)
        if np.array_equal(shift, np.round(shift)):
            return np.roll(grids, tuple(int(s) for s in shift), axis=axes).reshape(shape)
        spectrum = np.fft.rfftn(grids, axes=axes) * self._phase(shift)
        return np.fft.irfftn(spectrum, s=self.grid, axes=axes).reshape(shape)

    def _phase(self, shift: np.ndarray) -> np.ndarray:
        phase = np.ones(1)
        for axis, size in enumerate(self.grid):
            last = axis == self.n_axes - 1
            frequency = np.fft.rfftfreq(size) if last else np.fft.fftfreq(size)
            factor = np.exp(-2j * np.pi * frequency * shift[axis])
            if size % 2 == 0:  # the Nyquist mode of a real signal has no direction to move in
                factor[size // 2] = np.cos(np.pi * shift[axis])
            phase = phase[..., None] * factor
        return phase[0]

    @cached_property
    def half_periods(self) -> np.ndarray:
        """Translations by half a period along each set of axes, (2**a, a): the sample of the continuous part that isotropy uses."""
        if self.grid is None:
            return np.zeros((1, 0))
        halves = [(0.0, size / 2) for size in self.grid]
        return np.stack(np.meshgrid(*halves, indexing="ij"), axis=-1).reshape(-1, self.n_axes)


def _is_new(element: tuple[np.ndarray, np.ndarray, np.ndarray], seen: dict[bytes, list[np.ndarray]]) -> bool:
    """Whether an element was not met before; it is remembered."""
    permutation, sign, matrix = element
    known = seen.setdefault(permutation.astype(np.intp).tobytes() + np.ascontiguousarray(sign).tobytes(), [])
    if any(np.abs(matrix - other).max() < _SAME for other in known):
        return False
    known.append(matrix)
    return True


def _checked_generator(number: int, generator: Any, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A permutation (n,), its signs (n,) and its matrix, (1, 1) with signs. Closing a group of anything else may never end."""
    where = f"generators[{number}]"
    try:
        given, sign = generator
    except (TypeError, ValueError):
        raise ValueError(
            f"{where}: got {generator!r}, expected a pair (permutation, sign) or a pair (permutation, matrix)"
        ) from None
    permutation, signs = np.asarray(given, dtype=np.intp), np.asarray(sign, dtype=float)
    if signs.ndim == 2:
        return _checked_matrix(where, permutation, signs, n)
    if permutation.shape != (n,):
        raise ValueError(f"{where}: got a permutation of shape {permutation.shape}, expected ({n},), one entry for each unknown")
    if signs.shape not in ((), (n,)):
        raise ValueError(f"{where}: got signs of shape {signs.shape}, expected ({n},), or one number for all unknowns")
    _check_values(permutation, signs, f"{where}, ")
    return permutation, np.broadcast_to(signs, (n,)), np.eye(1)


def _checked_matrix(where: str, permutation: np.ndarray, matrix: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    components = len(matrix)
    if n % components or permutation.shape != (n // components,):
        raise ValueError(
            f"{where}: got a permutation of shape {permutation.shape} and a matrix of shape {matrix.shape}, expected one entry for "
            f"each node: {n} unknowns over the number of components"
        )
    _check_values(permutation, np.ones(1), f"{where}, ")
    _check_orthogonal(matrix, f"{where}, matrix")
    offsets = np.arange(components)[:, None] * permutation.size
    return (permutation + offsets).ravel(), np.ones(n), matrix


def _checked_mixing(mixing: Any, permutations: np.ndarray, signs: np.ndarray) -> np.ndarray:
    order, n = permutations.shape
    mixing = np.ascontiguousarray(mixing, dtype=float)
    components = mixing.shape[-1]
    if mixing.shape != (order, components, components) or n % components:
        raise ValueError(
            f"mixing: got shape {mixing.shape}, expected ({order}, c, c), one matrix for each permutation, with c dividing {n}"
        )
    _check_orthogonal(mixing, "mixing")
    if np.abs(mixing[0] - np.eye(components)).max() > _SAME:
        raise ValueError("mixing: matrix 0 must be the identity; `Symmetry.generate` puts it there")
    nodes = permutations.reshape(order, components, -1)
    if not ((nodes == nodes[:, :1] + np.arange(components)[:, None] * nodes.shape[-1]).all() and (signs == 1.0).all()):
        raise ValueError("mixing: each permutation must be the same for all components and all signs 1; see `Symmetry.generate`")
    return mixing


def _check_orthogonal(matrices: np.ndarray, name: str) -> None:
    if matrices.shape[-1] != matrices.shape[-2] or not (
        np.abs(matrices @ matrices.swapaxes(-1, -2) - np.eye(matrices.shape[-2])).max() < _SAME
    ):
        raise ValueError(f"{name}: got {matrices.tolist()}, expected orthogonal (c, c)")


def _check_values(permutations: np.ndarray, signs: np.ndarray, where: str = "") -> None:
    if not (np.sort(permutations, axis=-1) == np.arange(permutations.shape[-1])).all():
        raise ValueError(f"{where}permutations: every row must hold each of 0 .. n-1 once")
    if not (np.abs(signs) == 1.0).all():
        raise ValueError(f"{where}signs: every entry must be +1 or -1")
