"""Landau-de Gennes models of confined nematics."""

from .domains.boxes import Cuboid, Rectangle, Square
from .domains.mesh import Mesh
from .domains.shapes import Annulus, Disk, Ellipse, Hexagon, Pentagon, Polygon, Triangle
from .domains.solids import Ball, Cylinder
from .full import LandauDeGennes
from .reduced import ReducedLandauDeGennes
from .states.export import export_state

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
