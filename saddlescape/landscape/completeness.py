"""How complete a landscape may be: what the Euler characteristic says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .landscape import Landscape


@dataclass(frozen=True)
class Completeness:
    """What the Euler characteristic says.

    Parameters
    ----------
    applicable : bool
    euler : int
        Sum of (-1)^index chi(orbit) over the points found.
    message : str
        One sentence.
    """

    applicable: bool
    euler: int
    message: str

    @classmethod
    def of(cls, landscape: Landscape) -> Completeness:
        """What is known of missing points, or why nothing is."""
        euler = landscape.euler_characteristic()
        if not landscape.nodes:
            return cls(False, euler, "No stationary point has been found yet.")
        if landscape.frontier:
            return cls(False, euler, f"The run was interrupted: {len(landscape.frontier)} searches are left; resume it.")
        if any(p.degenerate for p in landscape.points):
            return cls(
                False, euler, "Euler check not applicable: a point is degenerate (zero modes that no declared symmetry explains)."
            )
        if any(p.orbit_dimension == 2 for p in landscape.points) and "translations" not in landscape.info.symmetry:
            return cls(False, euler, "Euler check not applicable: of rotations, orbits of dimension two may be spheres or not.")
        if landscape.info.coercive is not True:
            why = (
                "the energy is not coercive"
                if landscape.info.coercive is False
                else "the model does not say whether its energy is coercive"
            )
            return cls(False, euler, f"Euler check not applicable: {why}.")
        if euler == 1:
            return cls(True, euler, "Euler sum 1, as a complete landscape has (necessary, not sufficient).")
        return cls(True, euler, f"Euler sum {euler} instead of 1: points are missing.")
