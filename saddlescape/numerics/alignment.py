"""The action of a symmetry group on points: which copy is nearest, and how elements combine."""

from __future__ import annotations

import numpy as np

from ..symmetry import Symmetry
from .shifts import candidate_shifts, correlate

_TIE = 1e-8  # distances that differ by less, relative to the norms of the points, are equal up to rounding


def align(symmetry: Symmetry, x: np.ndarray, y: np.ndarray, mass: float | np.ndarray = 1.0) -> tuple[np.ndarray, float]:
    """The group element that brings one point nearest to another.

    Parameters
    ----------
    symmetry : Symmetry
    x, y : (n,) arrays
    mass : float or (n,) array
        The inner product of the distance; invariant under the group.

    Returns
    -------
    element : (1 + a,) array
        The g that minimises ``|x - g . y|``. Among equally near copies (up to rounding) the one with the lowest discrete element.
    distance : float
        ``|x - g . y|`` in the mass norm.

    Notes
    -----
    Translations are found by FFT correlation over the whole grid and refined between its points by Newton's method on the
    trigonometric interpolation, so that copies that differ by a fraction of a spacing are recognised; the shift lies in
    ``[0, size)`` along each axis. A field whose finest wave is the grid's own (Nyquist) cannot be moved by a fraction and is
    compared at integer shifts.
    With `Symmetry.match` the element is the identity and the distance is the one to the matched image.
    """
    if symmetry.match is not None:
        return symmetry.identity, mass_norm(x - symmetry.match(x, y), mass)
    if symmetry.trivial:
        return symmetry.identity, mass_norm(x - y, mass)
    size = mass_norm(x, mass) + mass_norm(y, mass)
    rounding = _TIE * size
    images = symmetry.images(y)
    if symmetry.grid is None:
        products = images @ (mass * x)
        # |x - g y|^2 = |x|^2 + |y|^2 - 2 <x, g y> finds all that tie; the distance itself is formed without cancellation.
        near = np.flatnonzero(products >= products.max() - rounding * size)
        elements = near[:, None].astype(float)
        distances = np.array([mass_norm(x - images[d], mass) for d in near])
    else:
        elements, distances = _translated(symmetry, x, images, mass, rounding)
    chosen = int(np.argmax(distances <= distances.min() + rounding))
    return elements[chosen], float(distances[chosen])


def alignments(symmetry: Symmetry, x: np.ndarray, y: np.ndarray, mass: float | np.ndarray = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """For every discrete element, the translation that brings the image of y nearest to x.

    Returns
    -------
    elements : (G, 1 + a) array
    distances : (G,) array
        ``|x - g . y|`` in the mass norm.
    """
    images = symmetry.images(y)
    if symmetry.grid is None:
        differences = x - images
        return np.arange(float(symmetry.order))[:, None], np.sqrt(np.einsum("gi,gi->g", differences, mass * differences))
    return _translated(symmetry, x, images, mass, None)


def _translated(
    symmetry: Symmetry, x: np.ndarray, images: np.ndarray, mass: float | np.ndarray, enough: float | None
) -> tuple[np.ndarray, np.ndarray]:
    """The best translation of each image (G, n) onto x (n,), and its distance.

    With ``enough``, images that cannot be the nearest are left out, and nothing is tried once one is that near.
    """
    correlation = correlate(symmetry, x, images, mass)
    peaks = correlation.values.reshape(symmetry.order, -1).max(axis=1)
    scale = mass_norm(x, mass) * mass_norm(images[0], mass)
    hopeful = np.ones(symmetry.order, bool) if enough is None else peaks + correlation.slack >= peaks.max() - 1e-12 * scale
    elements, distances = [], []
    for d in np.flatnonzero(hopeful):
        tried = candidate_shifts(correlation, d, scale)
        lengths = np.array([mass_norm(x - symmetry.translate(images[d], shift), mass) for shift in tried])
        # The first within rounding: an integer shift comes before its refinement, and moves the field exactly.
        best = int(np.argmax(lengths <= lengths.min() + _TIE * np.sqrt(scale)))
        elements.append(np.concatenate([[d], tried[best]]))
        distances.append(lengths[best])
        if enough is not None and distances[-1] <= enough:
            break
    return np.array(elements), np.array(distances)


def mass_norm(v: np.ndarray, mass: float | np.ndarray) -> float:
    """Norm of a displacement (n,) in the mass inner product."""
    return float(np.sqrt(np.dot(v, v * mass)))


def compose(symmetry: Symmetry, outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """The element (1 + a,) that acts like ``inner`` followed by ``outer``.

    Raises
    ------
    ValueError
        If the discrete elements are not closed under composition.
    """
    if symmetry.trivial:
        return symmetry.identity
    a, b = int(outer[0]), int(inner[0])
    permutation = symmetry.permutations[b][symmetry.permutations[a]]
    matrix = None if symmetry.mixing is None else symmetry.mixing[a] @ symmetry.mixing[b]
    d = _number_of(symmetry, permutation, symmetry.signs[a] * symmetry.signs[b][symmetry.permutations[a]], matrix)
    # T_s D_a T_t D_b = T_(s + R_a t) D_a D_b
    return np.concatenate([[d], _wrapped(symmetry, outer[1:] + _turned(symmetry, a, inner[1:]))])


def inverse(symmetry: Symmetry, element: np.ndarray) -> np.ndarray:
    """The element (1 + a,) that undoes ``element``.

    Raises
    ------
    ValueError
        If the discrete elements are not closed under inversion.
    """
    if symmetry.trivial:
        return symmetry.identity
    a = int(element[0])
    permutation = np.argsort(symmetry.permutations[a])
    d = _number_of(symmetry, permutation, symmetry.signs[a][permutation], None if symmetry.mixing is None else symmetry.mixing[a].T)
    return np.concatenate([[d], _wrapped(symmetry, -_turned(symmetry, d, element[1:]))])


def _number_of(symmetry: Symmetry, permutation: np.ndarray, signs: np.ndarray, matrix: np.ndarray | None) -> int:
    # One column rules out most of the group before whole rows are compared.
    likely = np.flatnonzero((symmetry.permutations[:, 0] == permutation[0]) & (symmetry.signs[:, 0] == signs[0]))
    same = (symmetry.permutations[likely] == permutation).all(axis=1) & (symmetry.signs[likely] == signs).all(axis=1)
    if matrix is not None:
        same &= np.abs(symmetry.mixing[likely] - matrix).max(axis=(1, 2)) < 1e-6  # products of rounded matrices
    if not same.any():
        raise ValueError(
            "symmetry: its elements are not closed under composition; build it with Symmetry.generate, which closes them"
        )
    return int(likely[np.argmax(same)])


def _turned(symmetry: Symmetry, d: int, shift: np.ndarray) -> np.ndarray:
    """R_d shift, where R_d is defined by D_d T_s = T_(R_d s) D_d."""
    if symmetry.grid is None:
        return shift
    sizes = np.array(symmetry.grid)
    steps = np.ravel_multi_index(np.eye(len(sizes), dtype=np.intp) % sizes, symmetry.grid)
    reached = np.unravel_index(symmetry.permutations[d][[0, *steps]] % sizes.prod(), symmetry.grid)
    # (D x)_j = x_p(j) with p(j) = A j + b, hence A R = 1
    columns = (np.array(reached)[:, 1:] - np.array(reached)[:, :1] + sizes[:, None] // 2) % sizes[:, None] - sizes[:, None] // 2
    return np.linalg.solve(columns.astype(float), shift)


def _wrapped(symmetry: Symmetry, shift: np.ndarray) -> np.ndarray:
    if symmetry.grid is None:
        return shift
    nearest = np.round(shift)  # whole spacings stay whole, or 0 comes out as a full period less rounding
    return np.where(np.abs(shift - nearest) < 1e-9, nearest, shift) % np.array(symmetry.grid)
