"""The periodic translation that carries one field onto another: correlation on the grid, then Newton between its points."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..symmetry import Symmetry

_PEAKS = 4  # peaks of one correlation that are refined; more than one only where samples do not decide which is the highest


class Correlation(NamedTuple):
    """Inner products of a field with all translates of others.

    Attributes
    ----------
    values : (G, \\*grid) array
        ``<x, T_s y_d>`` at integer shifts s, in the mass inner product.
    spectra : (G, q) complex array
        Fourier coefficients c with ``<x, T_s y_d> = Re sum_q c_q exp(i k_q . s)`` at any shift (Nyquist modes left out).
    wave_vectors : (q, a) array
        The k above, in radians per grid spacing.
    slack : (G,) array
        By how much the highest value between the grid points can exceed the highest one on them.
    """

    values: np.ndarray
    spectra: np.ndarray
    wave_vectors: np.ndarray
    slack: np.ndarray


def correlate(symmetry: Symmetry, x: np.ndarray, images: np.ndarray, mass: float | np.ndarray) -> Correlation:
    """Correlate x (n,) with the translates of each row of ``images`` (G, n)."""
    grid, axes = symmetry.grid, tuple(range(-symmetry.n_axes, 0))
    weighted = np.fft.rfftn((mass * x).reshape(-1, *grid), axes=axes)
    spectra = np.fft.rfftn(images.reshape(images.shape[0], -1, *grid), axes=axes)
    products = np.einsum("f...,gf...->g...", weighted, spectra.conj())
    values = np.fft.irfftn(products, s=grid, axes=axes)
    wave_vectors, weights = _half_spectrum(grid)
    coefficients = products.reshape(images.shape[0], -1) * (weights / np.prod(grid))
    # Taylor at the true peak, which is at most half a spacing off a grid point on each axis: it is higher by at most
    # 1/2 sum_q |c_q| (|k_q|_1 / 2)^2.
    slack = np.abs(coefficients) @ (np.abs(wave_vectors).sum(axis=1) ** 2) / 8.0
    return Correlation(values, coefficients, wave_vectors, slack)


def _half_spectrum(grid: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Wave vectors (q, a) of a real transform, and how often each counts: twice, once (its own conjugate), never (Nyquist)."""
    frequencies = [np.fft.fftfreq(size) for size in grid[:-1]] + [np.fft.rfftfreq(grid[-1])]
    mesh = np.stack(np.meshgrid(*frequencies, indexing="ij"), axis=-1)
    weights = np.where(mesh[..., -1] == 0.0, 1.0, 2.0)
    weights[(np.abs(mesh) == 0.5).any(axis=-1)] = 0.0
    return 2.0 * np.pi * mesh.reshape(-1, len(grid)), weights.ravel()


def candidate_shifts(correlation: Correlation, d: int, scale: float) -> list[np.ndarray]:
    """Shifts (a,) among which the best translation of image d is found: peaks on the grid, each followed by its refinement.

    Parameters
    ----------
    scale : float
        Product of the norms of the two fields: the size of the largest possible correlation.
    """
    values = correlation.values[d]
    rounding = 1e-12 * scale
    peak = values >= values.max() - correlation.slack[d] - rounding
    for axis in range(values.ndim):
        for step in (1, -1):
            peak &= values >= np.roll(values, step, axis=axis) - rounding
    positions = np.flatnonzero(peak)
    # A field that is constant along a direction gives ridges: one point of each level stands for them.
    levels = np.round((values.max() - values.ravel()[positions]) / max(1e-9 * scale, np.finfo(float).tiny))
    _, first = np.unique(levels, return_index=True)
    shifts = []
    for position in positions[first[:_PEAKS]]:
        start = np.array(np.unravel_index(position, values.shape), dtype=float)
        shifts += [start, _refine(correlation.spectra[d], correlation.wave_vectors, start) % np.array(values.shape)]
    return shifts


def _refine(coefficients: np.ndarray, wave_vectors: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Newton ascent of ``Re sum_q c_q exp(i k_q . s)`` from a grid point, steps of at most half a spacing."""
    size = np.abs(coefficients)
    kept = size > 1e-16 * size.max(initial=0.0)
    coefficients, wave_vectors = coefficients[kept], wave_vectors[kept]
    steepest = np.abs(coefficients) @ (wave_vectors**2).sum(axis=1)
    shift = start
    for _ in range(20):
        terms = coefficients * np.exp(1j * (wave_vectors @ shift))
        slope = -wave_vectors.T @ terms.imag
        curvatures, axes = np.linalg.eigh(-(wave_vectors.T * terms.real) @ wave_vectors)
        curved = np.abs(curvatures) > 1e-9 * steepest  # no step along a direction in which the field is constant
        step = axes[:, curved] @ ((axes.T @ slope)[curved] / np.abs(curvatures[curved]))
        step /= max(1.0, 2.0 * np.abs(step).max(initial=0.0))
        shift = shift + step
        if np.abs(step).max(initial=0.0) < 1e-12:
            break
    return shift
