"""Landau-de Gennes models of confined nematics."""

from .boxes import Cuboid, Rectangle, Square
from .full import LandauDeGennes
from .reduced import ReducedLandauDeGennes
from .shapes import Annulus, Disk, Ellipse, Hexagon, Pentagon, Polygon, Triangle

__all__ = [
    "Annulus",
    "Cuboid",
    "Disk",
    "Ellipse",
    "Hexagon",
    "LandauDeGennes",
    "Pentagon",
    "Polygon",
    "Rectangle",
    "ReducedLandauDeGennes",
    "Square",
    "Triangle",
]
