"""Landau-de Gennes models of confined nematics."""

from .boxes import Cuboid, Rectangle, Square
from .full import LandauDeGennes
from .reduced import ReducedLandauDeGennes

__all__ = ["Cuboid", "LandauDeGennes", "Rectangle", "ReducedLandauDeGennes", "Square"]
