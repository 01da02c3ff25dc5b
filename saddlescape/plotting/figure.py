"""The figure that goes with a landscape file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from .contour import plot_contour
from .fields import model_of
from .pathmap import PathwayMap
from .pathway import add_map_axes, draw_map, figure_size, plot_pathway

if TYPE_CHECKING:
    from ..landscape.landscape import Landscape

_FORMATS = (".png", ".pdf", ".svg")
_CONTOUR = (4.4, 3.8)


def save_figure(
    landscape: Landscape,
    path: str | Path,
    *,
    vertical: str = "index",
    expand: bool = False,
    edges: str = "all",
    dpi: float = 200.0,
) -> None:
    """Write the pathway map of a landscape, beside the contour map where the energy has two unknowns.

    Parameters
    ----------
    landscape : Landscape
    path : path
        Ends in .png, .pdf or .svg.
    vertical, expand, edges
        As in `plot_pathway`.
    dpi : float
        Dots per inch of a PNG, and of the pictures inside a PDF.

    Raises
    ------
    ValueError
        If the landscape is empty, or the ending of the path is not one of those above.
    """
    path = Path(path)
    if path.suffix.lower() not in _FORMATS:
        raise ValueError(f"path: got {str(path)!r}, expected a name that ends in one of {list(_FORMATS)}")
    model = model_of(landscape)
    if model is None or model.dim != 2:
        plot_pathway(landscape, vertical=vertical, expand=expand, edges=edges).figure.savefig(path, dpi=dpi)
        return
    scene = PathwayMap.of(landscape, vertical, expand, edges)
    width, height = figure_size(scene)
    whole, high = width + _CONTOUR[0], max(height, _CONTOUR[1])
    figure = Figure(figsize=(whole, high))
    draw_map(scene, add_map_axes(figure, scene))
    # Margins in inches: 0.65 for the ordinate, 0.2 at the right, 0.8 below for abscissa and legend, 0.15 above.
    below = (high - _CONTOUR[1]) / 2 + 0.8
    right = figure.add_axes(((width + 0.65) / whole, below / high, (_CONTOUR[0] - 0.85) / whole, (_CONTOUR[1] - 0.95) / high))
    plot_contour(model, right, landscape=landscape)
    figure.savefig(path, dpi=dpi)
