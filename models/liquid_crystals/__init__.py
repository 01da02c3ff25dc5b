"""Landau-de Gennes models of confined nematics."""

from .boxes import Cuboid, Rectangle, Square
from .export import export_state
from .full import LandauDeGennes
from .mesh import Mesh
from .reduced import ReducedLandauDeGennes
from .shapes import Annulus, Disk, Ellipse, Hexagon, Pentagon, Polygon, Triangle
from .solids import Ball, Cylinder

__all__ = [
    "Annulus",
    "Ball",
    "Cuboid",
    "Cylinder",
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
