"""Declaration of the symmetries of an energy: which maps of ``x`` leave E unchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Symmetry:
    """A symmetry group: signed permutations of the unknowns, and periodic translations of a grid.

    A group element is a vector ``(d, s_1, ..., s_a)`` of floats, (1 + a,): apply the discrete element number ``d``
    (``signs[d] * x[permutations[d]]``), then translate by ``s`` grid spacings along the ``a`` periodic axes.
    The discrete elements must be closed under composition (`generate` closes them), element 0 is the identity, and each must map
    translations to translations.

    Parameters
    ----------
    permutations : (G, n) int array
    signs : (G, n) float array of +-1
    grid : tuple of int, or None
        Shape of the periodic grid along which translations leave the energy unchanged; the unknowns are
        ``x.reshape(-1, *grid)``. None: no continuous part.
    match : callable, or None
        For groups this class cannot express: ``match(x, y) -> (n,) array``, the image of ``y`` under the group that is
        nearest to ``x``. Used instead of the elements above; orbit sizes are then not known and count as one.

    Raises
    ------
    ValueError
        If the arrays do not describe signed permutations of the same unknowns.
    """

    permutations: np.ndarray
    signs: np.ndarray
    grid: tuple[int, ...] | None = None
    match: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None

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

    @classmethod
    def generate(
        cls,
        n: int,
        generators: Iterable[tuple[np.ndarray, np.ndarray | float]] = (),
        grid: tuple[int, ...] | None = None,
    ) -> Symmetry:
        """Close a set of signed permutations under composition.

        Parameters
        ----------
        n : int
            Number of unknowns.
        generators : iterable of (permutation, sign)
            ``(g x)_i = sign_i x[permutation_i]``; the permutation has shape (n,), the sign shape (n,) or ().
        grid : tuple of int, or None
            See the class.

        Raises
        ------
        ValueError
            If a generator is no signed permutation of n unknowns.
        """
        identity = (np.arange(n), np.ones(n))
        given = [_checked_generator(number, generator, n) for number, generator in enumerate(generators)]
        elements = [identity]
        seen = {identity[0].tobytes() + identity[1].tobytes()}
        for permutation, sign in elements:  # the list grows while it is read: breadth-first closure
            for p, s in given:
                image = (permutation[p], s * sign[p])
                key = image[0].astype(np.intp).tobytes() + np.ascontiguousarray(image[1]).tobytes()
                if key not in seen:
                    seen.add(key)
                    elements.append(image)
        return cls(np.array([p for p, _ in elements]), np.array([s for _, s in elements]), grid)

    @classmethod
    def by_matching(cls, n: int, match: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Symmetry:
        """A group known only through ``match(x, y)``: the image of ``y`` nearest to ``x``, both (n,)."""
        return cls(np.arange(n)[None], np.ones((1, n)), None, match)

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
        return self.translate(image, element[1:]) if self.grid is not None else image

    def translate(self, x: np.ndarray, shift: np.ndarray) -> np.ndarray:
        """Translate x (..., n) by ``shift`` (a,) grid spacings; fractions by trigonometric interpolation."""
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


def _checked_generator(number: int, generator: Any, n: int) -> tuple[np.ndarray, np.ndarray]:
    """A permutation (n,) and its signs (n,). Closing a group of anything else may never end."""
    where = f"generators[{number}]"
    try:
        given, sign = generator
    except (TypeError, ValueError):
        raise ValueError(f"{where}: got {generator!r}, expected a pair (permutation, sign)") from None
    permutation, signs = np.asarray(given, dtype=np.intp), np.asarray(sign, dtype=float)
    if permutation.shape != (n,):
        raise ValueError(f"{where}: got a permutation of shape {permutation.shape}, expected ({n},), one entry for each unknown")
    if signs.shape not in ((), (n,)):
        raise ValueError(f"{where}: got signs of shape {signs.shape}, expected ({n},), or one number for all unknowns")
    _check_values(permutation, signs, f"{where}, ")
    return permutation, np.broadcast_to(signs, (n,))


def _check_values(permutations: np.ndarray, signs: np.ndarray, where: str = "") -> None:
    if not (np.sort(permutations, axis=-1) == np.arange(permutations.shape[-1])).all():
        raise ValueError(f"{where}permutations: every row must hold each of 0 .. n-1 once")
    if not (np.abs(signs) == 1.0).all():
        raise ValueError(f"{where}signs: every entry must be +1 or -1")
