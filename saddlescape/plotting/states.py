"""A state as a large picture: director field, heat map or profile, and between crossed polarisers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import PathPatch

from .cuts import cut
from .fields import Fields, is_spatial, resolved
from .pictures import bar_label, colour_scale, defect_handles, draw_plane
from .sampling import Plane
from .style import FONT, axes_or_new

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..landscape.landscape import Landscape

_PIXELS = 240
_LAYERS = 48


def plot_state(
    fields_or_landscape: Fields | Landscape,
    node: int | None = None,
    ax: Axes | None = None,
    *,
    colour: str = "order",
    colorbar: bool = True,
    legend: bool = True,
    rods: int = 24,
) -> Axes:
    """One state, large.

    Parameters
    ----------
    fields_or_landscape : dict or Landscape
        What ``model.unpack(x)`` returns, of kind "director", "scalar" or "line"; or a landscape, with ``node``. Of a state in space
        the middle plane across z is drawn; `cut` gives any other plane, `plot_state_3d` draws the whole.
    node : int, optional
        Which node of the landscape.
    ax : Axes, optional
        Where to draw. Default: the axes of a new figure.
    colour : {"order", "biaxiality"}
        What the colours of a director field measure.
    colorbar : bool
        Whether to add a colour bar (not for lines).
    legend : bool
        Whether to explain the marks of defects, where there are any.
    rods : int
        How many director rods along the longer edge of the domain. A director that leans out of the plane is foreshortened.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If the first argument is neither a mapping nor a landscape, or a landscape comes without ``node``.
    ValueError
        If the landscape's model is missing or describes its points by no field, the fields are incomplete, or an option is unknown.
    IndexError
        If the landscape has no such node.
    """
    if rods < 1:
        raise ValueError(f"rods: got {rods!r}, expected a positive integer")
    fields = resolved(fields_or_landscape, node)
    if fields["kind"] == "line":
        ax = _labelled(axes_or_new(ax, (3.6, 3.0)), ("x", "u"))
        ax.axhline(0.0, color="0.75", linewidth=0.8)
        ax.plot(fields["x"], fields["field"], color="black", linewidth=1.4)
        return ax
    plane = Plane(cut(fields) if is_spatial(fields) else fields)
    scale = colour_scale([plane.fields], colour)
    ax = _axes_of(plane, ax)
    draw_plane(ax, plane, scale, colour, rods, 0.9)
    handles = defect_handles([plane.fields])
    if legend and handles:
        ax.legend(handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(handles), fontsize=FONT, frameon=False)
    if colorbar:
        _add_bar(ax, scale, bar_label(fields["kind"], colour))
    return ax


def plot_polarised(
    fields_or_landscape: Fields | Landscape,
    node: int | None = None,
    ax: Axes | None = None,
    *,
    polariser: float = 0.0,
    retardation: float = np.pi,
    colorbar: bool = True,
) -> Axes:
    """What a state looks like in light along z between crossed polarisers.

    Parameters
    ----------
    fields_or_landscape, node, ax, colorbar
        As for `plot_state`; kind "director". A state in space is looked through from one side to the other.
    polariser : float
        Angle of the polariser from the x axis, in radians; the analyser is normal to it.
    retardation : float
        Phase delta between the two polarisations, in radians, of the light that passes the domain where the director lies in
        the plane and the order is the highest of this state: 2 pi d (n_e - n_o) / wavelength.

    Returns
    -------
    Axes
        With the transmitted fraction I / I0, from 0 (black) to 1.

    Raises
    ------
    TypeError, ValueError, IndexError
        As for `plot_state`; ValueError too if the state has no director.

    Notes
    -----
    One layer transmits I / I0 = sin^2(2 (phi - polariser)) sin^2(delta / 2), phi the angle of the director's projection. To first
    order in the anisotropy delta is proportional to the order and to 1 - n_z^2. A state in space is cut into 48 layers, whose Jones
    matrices are multiplied. Rays are straight: no diffraction, refraction or reflection.

    References
    ----------
    .. [1] M. Born, E. Wolf, "Principles of Optics", 7th ed., Cambridge 1999, section 15.4.
    .. [2] R. Ondris-Crawford et al., J. Appl. Phys. 69 (1991) 6380.
    """
    fields = resolved(fields_or_landscape, node)
    if fields["kind"] != "director":
        raise ValueError(f"fields['kind']: got {fields['kind']!r}, expected 'director': only a director turns polarised light")
    layers = [Plane(layer) for layer in _layers(fields)]
    shown = max(layers, key=lambda plane: np.prod(np.ptp(plane.bounds, axis=1)))
    points, _ = shown.lattice(_PIXELS)
    tensors = [np.nan_to_num(plane.tensor(points)) for plane in layers]
    intensity = transmitted(tensors, polariser, retardation / np.max(fields["order"]))
    ax = _axes_of(shown, ax)
    extent = tuple(shown.box.ravel())
    image = ax.imshow(intensity, cmap="gray", norm=Normalize(0.0, 1.0), origin="lower", extent=extent, zorder=3)
    if shown.outline is not None:
        border = ax.add_artist(PathPatch(shown.outline, facecolor="none", edgecolor="black", linewidth=0.9, zorder=3.1))
        image.set_clip_path(border)
    if colorbar:
        _add_bar(ax, image, "transmitted I / I₀")
    return ax


def transmitted(tensors: list[np.ndarray], polariser: float, phase: float) -> np.ndarray:
    """I / I0 (...) behind layers, order times n n (..., d, d) of each, that delay by ``phase`` in all per unit of order."""
    total = np.broadcast_to(np.eye(2, dtype=complex), (*tensors[0].shape[:-2], 2, 2))
    for tensor in tensors:
        # In the frame of the polarisers; a retarder is cos(delta / 2) + i sin(delta / 2) times the reflection at its axis.
        a, b = tensor[..., 0, 0] - tensor[..., 1, 1], 2.0 * tensor[..., 0, 1]
        size = np.hypot(a, b)
        angle = np.arctan2(b, a) - 2.0 * polariser
        half = 0.5 * phase / len(tensors) * size
        jones = np.empty((*size.shape, 2, 2), dtype=complex)
        jones[..., 0, 0] = np.cos(half) + 1j * np.sin(half) * np.cos(angle)
        jones[..., 1, 1] = np.cos(half) - 1j * np.sin(half) * np.cos(angle)
        jones[..., 0, 1] = jones[..., 1, 0] = 1j * np.sin(half) * np.sin(angle)
        total = jones @ total
    return np.abs(total[..., 1, 0]) ** 2


def _layers(fields: Fields) -> list[Fields]:
    if not is_spatial(fields):
        return [fields]
    z = np.asarray(fields["z"] if "tetrahedra" not in fields else np.asarray(fields["nodes"])[:, 2], dtype=float)
    heights = z.min() + (np.arange(_LAYERS) + 0.5) / _LAYERS * (z.max() - z.min())
    return [cut(fields, "z", height) for height in heights]


def _axes_of(plane: Plane, ax: Axes | None) -> Axes:
    ax = _labelled(axes_or_new(ax, (3.6, 3.0)), plane.fields.get("axes", ("x", "y")))
    margin = 0.03 * np.ptp(plane.bounds, axis=1).max() if plane.meshed else 0.0
    ax.set(xlim=plane.bounds[0] + [-margin, margin], ylim=plane.bounds[1] + [-margin, margin], aspect="equal")
    return ax


def _labelled(ax: Axes, names: tuple[str, str]) -> Axes:
    ax.tick_params(labelsize=FONT)
    ax.set_xlabel(names[0], fontsize=FONT)
    ax.set_ylabel(names[1], fontsize=FONT)
    return ax


def _add_bar(ax: Axes, scale: ScalarMappable, label: str) -> None:
    bar = ax.figure.colorbar(scale, ax=ax)
    bar.set_label(label, fontsize=FONT)
    bar.ax.tick_params(labelsize=FONT)
