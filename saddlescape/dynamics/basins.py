"""Which basin of attraction a point lies in, and where the straight way between two points crosses from one into another."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..numerics.alignment import align, mass_norm
from ..numerics.derivatives import Derivatives
from ..results import Status
from ..symmetry import Symmetry
from .flow import GradientFlow
from .search import Limits, run

NOWHERE, BETWEEN = -1, -2  # labels of points from which the flow found no stationary point, or one that is no minimum
MAX_STEPS = 10_000  # of the flow, for one label
SAME = 1e-4  # two quenches of one minimum agree far better than this on average, relative to 1 + max|x|
CLOSE = 1e-3  # a chord is bisected until it is this short, relative to what it was; every further halving costs a label


class Ridge(NamedTuple):
    """A point between two basins.

    Parameters
    ----------
    x : (n,) array
    basins : (int, int)
        Labels of the two sides, as `Basins.label` gives them.
    """

    x: np.ndarray
    basins: tuple[int, int]


class Basins:
    """The minima that gradient flow was seen to lead to, each with a label, its position in the order of discovery.

    Labels come from displacement-capped gradient flow alone: faster minimisers jump over ridges, and a wrong label is a wrong edge.
    Images under a discrete symmetry have basins of their own; minima that translations carry into each other lie in one valley.

    Parameters
    ----------
    derivatives : Derivatives
        Of the model, connected for ``flow``.
    flow : GradientFlow

    Attributes
    ----------
    minima : list of (n,) arrays
    """

    def __init__(self, derivatives: Derivatives, flow: GradientFlow):
        self.derivatives = derivatives
        self.flow = flow
        self.minima: list[np.ndarray] = []
        self._along = _along_valleys(derivatives.model.symmetry, derivatives.dim)

    def add(self, x: np.ndarray) -> int:
        """The label of a minimum (n,), a new one if it was not met before."""
        mass = self.derivatives.mass
        size = SAME * (1.0 + np.abs(x).max()) * mass_norm(np.ones(x.size), mass)
        for label, minimum in enumerate(self.minima):
            if align(self._along, x, minimum, mass)[1] <= size:
                return label
        self.minima.append(x)
        return len(self.minima) - 1

    def label(self, x: np.ndarray) -> int:
        """The label of the minimum that the flow from x (n,) leads to; `NOWHERE` or `BETWEEN` if to none."""
        result = run(self.derivatives, x, self.flow, 0, Limits(max_steps=MAX_STEPS), rng=None)
        if result.status is Status.INTERRUPTED:
            raise KeyboardInterrupt  # not this search's to swallow
        if result.status is Status.OTHER_INDEX:
            return BETWEEN
        return self.add(result.x) if result.status is Status.CONVERGED else NOWHERE

    def bisect(self, a: np.ndarray, b: np.ndarray, basins: tuple[int, int]) -> Ridge | None:
        """A point on the chord from a to b (n,), which lie in the two basins, where the label changes.

        The sides of the change need not be the basins of the ends: a chord may cross a third. None where the flow lost its way.
        """
        left, right = basins
        end = CLOSE * np.abs(b - a).max()
        while np.abs(b - a).max() > end:
            middle = 0.5 * (a + b)
            label = self.label(middle)
            if label == NOWHERE:
                return None
            if label == BETWEEN:
                return Ridge(middle, (left, right))
            if label == left:
                a = middle
            else:
                b, right = middle, label
        return Ridge(0.5 * (a + b), (left, right))


def _along_valleys(symmetry: Symmetry | None, dim: int) -> Symmetry:
    """The part of a group that moves points along valleys: its translations; where these are not known apart, all of it."""
    if symmetry is not None and symmetry.match is not None:
        return symmetry
    return Symmetry.generate(dim, grid=None if symmetry is None else symmetry.grid)
