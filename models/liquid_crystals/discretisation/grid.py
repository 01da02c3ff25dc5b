"""Boxes as grids: nodes, the faces and what they ask for, the quadratic form, and the symmetries that keep all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import permutations, product
from math import prod
from typing import NamedTuple

import numpy as np
import scipy.sparse

from ..tensors import uniaxial
from .anchoring import Condition
from .lines import Axis

FACES = ("left", "right", "bottom", "top", "back", "front")


class Spatial(NamedTuple):
    """A map of the box onto itself: the node that it carries to each node (nodes,), and the orthogonal matrix (3, 3) of it."""

    nodes: np.ndarray
    matrix: np.ndarray


class Grid:
    """The nodes of a box, axis order [iz, iy, ix], with the conditions on its faces.

    Parameters
    ----------
    axes : tuple of 3 Axis
        Along x, y, z; that along z is a single node in two dimensions.
    conditions : mapping
        Face and its condition; faces of periodic axes have none.
    """

    def __init__(self, axes: tuple[Axis, Axis, Axis], conditions: Mapping[str, Condition]):
        self.axes = axes
        self.conditions = dict(conditions)
        self.shape = tuple(axis.n for axis in reversed(axes))
        self.free = tuple(self._free(number) for number in (2, 1, 0))
        self.free_shape = tuple(len(range(*s.indices(n))) for s, n in zip(self.free, self.shape, strict=True))

    def _free(self, number: int) -> slice:
        low, high = FACES[2 * number : 2 * number + 2]
        first = int(low in self.conditions and self.conditions[low].fixed)
        last = int(high in self.conditions and self.conditions[high].fixed)
        return slice(first, self.axes[number].n - last)

    @property
    def dimension(self) -> int:
        """2 where the axis along z is a single node, else 3."""
        return 2 if self.axes[2].n == 1 else 3

    @property
    def n_free(self) -> int:
        """Number of free nodes."""
        return prod(self.free_shape)

    @cached_property
    def weights(self) -> np.ndarray:
        """Weights of the trapezoid rule at all nodes, (nz, ny, nx)."""
        wx, wy, wz = (axis.weights for axis in self.axes)
        return wz[:, None, None] * wy[:, None] * wx

    @cached_property
    def free_weights(self) -> np.ndarray:
        """Weights at the free nodes, (nodes,)."""
        return np.ascontiguousarray(self.weights[self.free]).ravel()

    # --- what the faces ask for ------------------------------------------------------------------------------------------

    def faces(self) -> Iterator[tuple[str, Condition, tuple, int]]:
        """Each face with its condition, its index into node arrays (nz, ny, nx), and the number of its axis."""
        for face, condition in self.conditions.items():
            number, high = divmod(FACES.index(face), 2)
            index: list = [slice(None)] * 3
            index[2 - number] = slice(-1, None) if high else slice(0, 1)
            yield face, condition, tuple(index), number

    def face_weights(self, number: int) -> np.ndarray:
        """Weights of the surface integral over the faces of an axis, broadcastable to them."""
        lines = [axis.weights for axis in self.axes]
        lines[number] = np.ones(1)
        return lines[2][:, None, None] * lines[1][:, None] * lines[0]

    def wanted(self, face: str, order: float, corner: float) -> np.ndarray:
        """Components of the boundary field of a face that has one, (5, nodes of the face along z, y, x).

        Where the field of an adjacent face has another director, the order falls linearly to zero within ``corner``.
        """
        director = np.array(self.conditions[face].director)
        taper = np.ones((1, 1, 1))
        for number, axis in enumerate(self.axes):
            if number == FACES.index(face) // 2 or axis.n == 1:
                continue
            ramp = np.ones(axis.n)
            for end, other in ((0, FACES[2 * number]), (-1, FACES[2 * number + 1])):
                adjacent = self.conditions.get(other)
                if adjacent is not None and adjacent.director is not None and abs(director @ adjacent.director) < 1.0 - 1e-12:
                    ramp = np.minimum(ramp, np.abs(axis.nodes - axis.nodes[end]) / corner)
            taper = np.minimum(taper, ramp.reshape([-1 if 2 - place == number else 1 for place in range(3)]))
        return uniaxial(director, order).reshape(5, 1, 1, 1) * taper

    def fixed_values(self, order: float, corner: float) -> np.ndarray:
        """The given values on the faces with strong anchoring, zero elsewhere, (5, nz, ny, nx)."""
        values = np.zeros((5, *self.shape))
        for face, condition, index, _ in self.faces():
            if condition.fixed:
                values[(slice(None), *index)] = self.wanted(face, order, corner)
        return values

    # --- the quadratic form ----------------------------------------------------------------------------------------------

    def terms(self, tensor: np.ndarray) -> Iterator[tuple[np.ndarray, tuple]]:
        """The quadratic form as products: matrices (5, 5) of components and three matrices of the lines along z, y, x.

        The energy is the mean over the corners of each cell of 1/2 K[a, b, d, e] (d_d q_a) (d_e q_b) with the differences along
        the three links that meet there, so it is bounded wherever K is positive. Summed over the cells, products of two
        differences along one axis become ``Axis.stiffness``, those along two axes products of ``Axis.slope``.
        """
        along = [number for number in range(3) if self.axes[number].n > 1]
        for d, e in product(along, along):
            lines = [scipy.sparse.diags_array(axis.weights, format="csr") for axis in self.axes]
            if d == e:
                lines[d] = self.axes[d].stiffness
            else:
                lines[d], lines[e] = self.axes[d].slope.T.tocsr(), self.axes[e].slope
            if np.any(tensor[:, :, d, e]):
                yield tensor[:, :, d, e], (lines[2], lines[1], lines[0])

    def force(self, tensor: np.ndarray, q: np.ndarray) -> np.ndarray:
        """The derivative of the quadratic form at q (5, nz, ny, nx), at all nodes."""
        total = np.zeros_like(q)
        for matrix, lines in self.terms(tensor):
            image = q
            for place, line in enumerate(lines):
                moved = np.moveaxis(image, place + 1, 0)
                image = np.moveaxis((line @ moved.reshape(len(moved), -1)).reshape(moved.shape), 0, place + 1)
            total += np.einsum("ab,b...->a...", matrix, image)
        return total

    def matrix(self, tensor: np.ndarray) -> scipy.sparse.csr_array:
        """The quadratic form on the free nodes, (5 nodes, 5 nodes) sparse."""
        n = 5 * self.n_free
        total = scipy.sparse.csr_array((n, n))
        for components, lines in self.terms(tensor):
            z, y, x = (line[s, s] for line, s in zip(lines, self.free, strict=True))
            total = total + scipy.sparse.kron(scipy.sparse.csr_array(components), scipy.sparse.kron(z, scipy.sparse.kron(y, x)))
        return total.tocsr()

    # --- symmetries ------------------------------------------------------------------------------------------------------

    def spatial_maps(self) -> list[Spatial]:
        """The maps of the nodes onto themselves by reflections and exchanges of the axes that do not tilt z."""
        index = np.arange(prod(self.shape)).reshape(self.shape)
        found = []
        for order, flips in product(permutations(range(3)), product((False, True), repeat=3)):
            if order[2] != 2 or not all(self.axes[i].like(self.axes[j]) for i, j in enumerate(order)):
                continue
            image = index.transpose([2 - order[2 - place] for place in range(3)])
            matrix = np.zeros((3, 3))
            for i, j in enumerate(order):
                matrix[i, j] = -1.0 if flips[i] else 1.0
                if flips[i]:
                    image = np.take(image, self.axes[i].flipped(), axis=2 - i)
            if self.axes[2].n > 1 or not flips[2]:
                found.append(Spatial(image.ravel(), matrix))
        return found

    def density(self, tensor: np.ndarray, q: np.ndarray) -> np.ndarray:
        """Elastic energy density at the nodes (nz, ny, nx) of q (5, nz, ny, nx): the mean over the corners of cells at each."""
        along = [number for number in range(3) if self.axes[number].n > 1]
        corners = list(product((0, 1), repeat=len(along)))
        total = np.zeros(self.shape)
        count = np.zeros(self.shape)
        for sides in corners:
            gradient, inside = np.zeros((3, *q.shape)), np.ones(self.shape)
            for number, side in zip(along, sides, strict=True):
                place, axis = 2 - number, self.axes[number]
                shift = -1 if side else 1
                difference = (np.roll(q, shift, axis=place + 1) - q) / (shift * -axis.spacing)
                gradient[number] = difference
                if not axis.periodic:
                    edge = np.arange(axis.n) != (axis.n - 1 if side else 0)
                    inside = inside * edge.reshape([-1 if p == place else 1 for p in range(3)])
            total += inside * 0.5 * np.einsum("abde,da...,eb...->...", tensor, gradient, gradient)
            count += inside
        return total / count
