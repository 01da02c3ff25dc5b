"""Drivers: which search next, and what is kept."""
