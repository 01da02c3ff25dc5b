"""Landau-de Gennes models of confined nematics."""

from .domains import Square
from .reduced import ReducedLandauDeGennes

__all__ = ["ReducedLandauDeGennes", "Square"]
