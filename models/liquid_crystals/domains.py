"""The domains of the liquid-crystal models by name."""

from __future__ import annotations

from typing import Any

from .boxes import Cuboid, Rectangle, Square
from .domain import Domain
from .mesh import Mesh
from .shapes import Annulus, Disk, Ellipse, Polygon
from .solids import Ball, Cylinder

DOMAINS: dict[str, type[Domain]] = {
    domain.name: domain for domain in (Square, Rectangle, Cuboid, Polygon, Ellipse, Disk, Annulus, Ball, Cylinder, Mesh)
}


def as_domain(value: Any) -> Domain:
    """The domain that ``value`` is or names.

    Parameters
    ----------
    value : Domain, str or sequence
        A domain, its name, or the list it was written as: its name and its parameters.

    Raises
    ------
    ValueError
        If there is no such domain, or its parameters are out of their range.
    """
    name, *parameters = value if isinstance(value, (tuple, list)) else (value,)
    if not (isinstance(name, str) and name in DOMAINS):
        raise ValueError(
            f"domain: got {value!r}, expected one of {[known.__name__ for known in DOMAINS.values()]} or {list(DOMAINS)}"
        )
    try:
        return DOMAINS[name](*parameters)
    except TypeError:
        raise ValueError(f"domain: got {value!r}, with too many or too few parameters for {DOMAINS[name].__name__}") from None
