"""Landau-de Gennes models of confined nematics."""

from .boxes import Square
from .mesh import Mesh
from .reduced import ReducedLandauDeGennes
from .shapes import Annulus, Disk, Ellipse, Hexagon, Pentagon, Polygon, Triangle

__all__ = ["Annulus", "Disk", "Ellipse", "Hexagon", "Mesh", "Pentagon", "Polygon", "ReducedLandauDeGennes", "Square", "Triangle"]
