"""Pictures of landscapes, states, energies and searches. Every function takes ``ax`` and returns the axes; none needs a display."""

from .bifurcation import plot_bifurcation
from .contour import plot_contour
from .curves import plot_convergence, plot_mse, plot_spectrum
from .cuts import cut
from .discovery import plot_discovery
from .figure import save_figure
from .pathway import plot_pathway
from .pathways import plot_pathways
from .spatial import plot_state_3d
from .states import plot_polarised, plot_state
from .trajectory import plot_conservation, plot_trajectory

__all__ = [
    "cut",
    "plot_bifurcation",
    "plot_conservation",
    "plot_contour",
    "plot_convergence",
    "plot_discovery",
    "plot_mse",
    "plot_pathway",
    "plot_pathways",
    "plot_polarised",
    "plot_spectrum",
    "plot_state",
    "plot_state_3d",
    "plot_trajectory",
    "save_figure",
]
