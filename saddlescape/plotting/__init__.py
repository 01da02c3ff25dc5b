"""Pictures of landscapes, states, energies and searches. Every function takes ``ax`` and returns the axes; none needs a display."""

from .contour import plot_contour
from .curves import plot_convergence, plot_mse, plot_spectrum
from .discovery import plot_discovery
from .figure import save_figure
from .pathway import plot_pathway
from .states import plot_state
from .trajectory import plot_conservation, plot_trajectory

__all__ = [
    "plot_conservation",
    "plot_contour",
    "plot_convergence",
    "plot_discovery",
    "plot_mse",
    "plot_pathway",
    "plot_spectrum",
    "plot_state",
    "plot_trajectory",
    "save_figure",
]
