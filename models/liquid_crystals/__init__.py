"""Landau-de Gennes models of confined nematics."""

from .boxes import Square
from .reduced import ReducedLandauDeGennes

__all__ = ["ReducedLandauDeGennes", "Square"]
