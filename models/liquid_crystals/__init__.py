"""Landau-de Gennes models of confined nematics."""
