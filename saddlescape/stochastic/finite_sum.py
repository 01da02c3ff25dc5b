"""Energies that are means of many terms, estimated by mini-batches."""

from ..model import EnergyModel


class FiniteSum(EnergyModel):
    pass
