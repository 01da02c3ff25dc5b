"""What a domain of the liquid-crystal models is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from saddlescape.given import is_number

if TYPE_CHECKING:
    from ..reduced import ReducedLandauDeGennes


class Domain(tuple):
    """A domain is the tuple of its name and its parameters.

    So it can be written into a run file or a landscape file, as ``["rectangle", 1.25]``, and is read back by `as_domain`, see
    `saddlescape.models.liquid_crystals.domains.registry`. A subclass has a ``name`` and takes and checks the parameters in
    ``__new__``.

    Attributes
    ----------
    name : str
    max_corner : float
        Half the shortest edge: the longest distance from a corner within which boundary data may be changed.
    """

    name: ClassVar[str]
    max_corner: ClassVar[float] = 1.0

    def __new__(cls, *parameters: Any) -> Domain:
        return super().__new__(cls, (cls.name, *parameters))

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self[1:]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self[1:]))})"

    def check_corner(self, corner: float) -> None:
        """Refuse a distance from corners that is no length or is longer than half an edge.

        Raises
        ------
        ValueError
            If corner is not in (0, `max_corner`].
        """
        if not (is_number(corner) and 0 < corner <= self.max_corner):
            raise ValueError(
                f"corner: got {corner!r}, expected a length in (0, {self.max_corner:g}], at most half of the shortest edge"
            )

    def check_nodes(self, n: Any) -> int | tuple[int, ...]:
        """A number of nodes as a model keeps it.

        Raises
        ------
        ValueError
            If n is not an integer of at least 5.
        """
        if not isinstance(n, (int, np.integer)) or n < 5:
            raise ValueError(f"n: got {n!r}, expected an integer of at least 5 (nodes per edge, boundary included)")
        return int(n)

    def check_anchoring(self, n: int, anchoring: Any, strength: Any) -> None:
        """Refuse what this domain cannot have, of an anchoring and strengths that are well-formed.

        Raises
        ------
        ValueError
        """

    def reduced(self, model: ReducedLandauDeGennes, order: float) -> Any:
        """The reduced model on this domain: kernels, derivatives, symmetry and starts for its discretisation.

        Parameters
        ----------
        model : ReducedLandauDeGennes
            Its parameters.
        order : float
            |P| in the bulk and on the boundary.

        Raises
        ------
        ValueError
            If the domain is for the full model alone.
        """
        raise ValueError(
            f"domain: got {self!r}, expected one in the plane without periodic axes; LandauDeGennes, the full model, takes this one"
        )
