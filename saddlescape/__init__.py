"""Certified solution landscapes of energy models: every stationary point it can find, with its Morse index and connections."""

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

__version__ = "0.3.0"

# The models live beside the package in a checkout and inside it once installed. Python then finds `saddlescape.models` in both,
# also in worker processes and when pytest runs in the checkout.
_here = Path(__file__).parent
if not (_here / "models").is_dir() and (_here.parent / "models" / "__init__.py").is_file():
    __path__.append(str(_here.parent))

_HOME = {
    "EnergyModel": "model",
    "as_model": "model",
    "load_model": "naming",
    "check_model": "numerics.check",
    "Symmetry": "symmetry",
    "NoisyModel": "stochastic",
    "FiniteSum": "stochastic",
    "RandomQuadrature": "stochastic",
    "FunctionValues": "stochastic",
    "BBI": "dynamics.ecd",
    "ECDSep": "dynamics.ecd",
    "Isokinetic": "dynamics.ecd",
    "GradientFlow": "dynamics.flow",
    "HiSD": "dynamics.hisd",
    "SHiSD": "dynamics.shisd",
    "search": "dynamics.search",
    "search_many": "landscape.ensemble",
    "stochastic_eigenvectors": "dynamics.eigenvectors",
    "Estimate": "results",
    "SearchResult": "results",
    "StationaryPoint": "results",
    "Status": "results",
    "Landscape": "landscape.landscape",
    "explore": "landscape.explore",
    "DownwardSearch": "landscape.frontier",
    "UpwardSearch": "landscape.frontier",
    "ECDExplorer": "landscape.explorer",
    "Diagram": "landscape.diagram",
    "follow": "landscape.follow",
    "load": "landscape.files",
    "resume": "landscape.files",
}

__all__ = ["__version__", "models", "parts", "plotting", *_HOME]

if TYPE_CHECKING:
    from .dynamics.ecd import BBI, ECDSep, Isokinetic
    from .dynamics.eigenvectors import stochastic_eigenvectors
    from .dynamics.flow import GradientFlow
    from .dynamics.hisd import HiSD
    from .dynamics.search import search
    from .dynamics.shisd import SHiSD
    from .landscape.diagram import Diagram
    from .landscape.ensemble import search_many
    from .landscape.explore import explore
    from .landscape.explorer import ECDExplorer
    from .landscape.files import load, resume
    from .landscape.follow import follow
    from .landscape.frontier import DownwardSearch, UpwardSearch
    from .landscape.landscape import Landscape
    from .model import EnergyModel, as_model
    from .naming import load_model
    from .numerics.check import check_model
    from .results import Estimate, SearchResult, StationaryPoint, Status
    from .stochastic import FiniteSum, FunctionValues, NoisyModel, RandomQuadrature
    from .symmetry import Symmetry


def __getattr__(name: str) -> Any:
    # Names are imported when first used, so that importing the package costs nothing.
    if name in _HOME:
        value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    elif name in ("models", "parts", "plotting"):
        value = import_module(f".{name}", __name__)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
