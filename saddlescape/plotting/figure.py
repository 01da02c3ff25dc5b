"""The figure that goes with a landscape file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from .contour import plot_contour
from .pathway import PathwayMap
from .states import model_of

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
    scene = PathwayMap.of(landscape, vertical, expand, edges)
    model = model_of(landscape)
    if model is None or model.dim != 2:
        ax = scene.draw(scene.axes(colorbar=True, legend=True), colorbar=True, legend=True)
        ax.figure.savefig(path, dpi=dpi)
        return
    width, height = scene.figure_size(colorbar=True, legend=True)
    figure = Figure(figsize=(width + _CONTOUR[0], max(height, _CONTOUR[1])), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(width, _CONTOUR[0]))
    scene.draw(left, colorbar=True, legend=True)
    plot_contour(model, right, landscape=landscape)
    figure.savefig(path, dpi=dpi)
