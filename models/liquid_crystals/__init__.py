"""Landau-de Gennes models of confined nematics."""

from .boxes import Cuboid, Rectangle, Square
from .export import export_state
from .full import LandauDeGennes
from .mesh import Mesh
from .reduced import ReducedLandauDeGennes
from .shapes import Annulus, Disk, Ellipse, Hexagon, Pentagon, Polygon, Triangle

__all__ = [
    "Annulus",
    "Cuboid",
    "Disk",
    "Ellipse",
    "Hexagon",
    "LandauDeGennes",
    "Mesh",
    "Pentagon",
    "Polygon",
    "Rectangle",
    "ReducedLandauDeGennes",
    "Square",
    "Triangle",
    "export_state",
]
