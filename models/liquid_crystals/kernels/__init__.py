"""Compiled energies and derivatives."""
