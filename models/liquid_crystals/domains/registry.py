"""The domains of the liquid-crystal models by name."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

from .boxes import Cuboid, Rectangle, Square
from .domain import Domain
from .mesh import Mesh
from .shapes import Annulus, Disk, Ellipse, Hexagon, Pentagon, Polygon, Triangle
from .solids import Ball, Cylinder

DOMAINS: dict[str, type[Domain]] = {
    domain.name: domain for domain in (Square, Rectangle, Cuboid, Polygon, Ellipse, Disk, Annulus, Ball, Cylinder, Mesh)
}


# Polygons that have a name of their own.
_POLYGONS = {"triangle": Triangle, "pentagon": Pentagon, "hexagon": Hexagon}


def as_domain(value: Any) -> Domain:
    """The domain that ``value`` is or names.

    Parameters
    ----------
    value : Domain, str, sequence or mapping
        A domain, its name, the list it was written as, its name and its parameters, or a mapping with its ``name`` and parameters.

    Raises
    ------
    ValueError
        If there is no such domain, or its parameters are out of their range.
    """
    if isinstance(value, Domain):
        return value
    words, named = [value], {}
    if isinstance(value, Mapping):
        named = dict(value)
        words = [named.pop("name", None)]
    elif isinstance(value, (tuple, list)):
        words = list(value)
    name, *parameters = words or [None]
    makers = {**DOMAINS, **_POLYGONS}
    if not (isinstance(name, str) and name in makers):
        raise ValueError(
            f"domain: got {value!r}, expected one of {list(makers)}, with parameters "
            'as in ["rectangle", 1.25] or {name = "rectangle", aspect = 1.25}'
        )
    try:
        return makers[name](*parameters, **named)
    except TypeError:
        known = list(signature(makers[name]).parameters)
        raise ValueError(
            f"domain: got {value!r}, with too many, too few or unknown parameters for {makers[name].__name__}, expected "
            f"{', '.join(known) if known else 'none'}"
        ) from None
