"""One look for all pictures: a colour and a marker per Morse index, line styles per kind of edge, figures without a display."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.figure import Figure

from ..given import nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe & Ito (2008), "Color universal design": distinguishable with every common colour vision deficiency.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#F0E442")
# Eleven markers against eight colours: the pair repeats only after 88 indices.
_MARKERS = ("o", "s", "^", "D", "v", "p", "h", "<", ">", "8", "H")
# What makes the markers look equally large, and where a number is centred in them (fractions of the marker's size).
_LOOKS = {"^": (1.4, 0.0, -0.13), "v": (1.4, 0.0, 0.13), "<": (1.4, 0.13, 0.0), ">": (1.4, -0.13, 0.0), "D": (0.85, 0.0, 0.0)}

SEQUENTIAL = "viridis"
DIVERGING = "RdBu_r"
BIAXIAL = "magma_r"  # light where uniaxial, almost everywhere, so that black rods are seen
FONT = 8.0


class IndexStyle(NamedTuple):
    """How a Morse index looks: colour, colour of text upon it, marker, the marker's scale and where a number sits in it."""

    colour: str
    text: str
    marker: str
    scale: float
    number: tuple[float, float]


def index_style(index: int) -> IndexStyle:
    """The colour and marker of a Morse index, the same in every picture."""
    colour = COLOURS[index % len(COLOURS)]
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.6
    marker = _MARKERS[index % len(_MARKERS)]
    scale, right, up = _LOOKS.get(marker, (1.0, 0.0, 0.0))
    return IndexStyle(colour, "white" if dark else "black", marker, scale, (right, up))


class EdgeStyle(NamedTuple):
    """How a kind of connection looks, and its name in the legend."""

    width: float
    dashes: str | tuple[float, tuple[float, ...]]
    label: str


# Strongest statement first: where several edges join the same two nodes, the first of these names the line.
EDGE_STYLES = {
    "quench": EdgeStyle(1.5, "solid", "gradient flow"),
    "down": EdgeStyle(0.7, "solid", "downward search"),
    "up": EdgeStyle(0.9, (0.0, (4.0, 2.5)), "upward search"),
}


def choice(value: Any, known: Sequence[str], argument: str) -> None:
    """Refuse a word that is not one of ``known``.

    Raises
    ------
    ValueError
        Naming the argument, what came and what was expected.
    """
    if value not in known:
        raise ValueError(f"{argument}: got {value!r}{nearest(str(value), list(known))}, expected one of {list(known)}")


def axes_or_new(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The axes given, or those of a new figure of ``size`` inches that needs no display and no pyplot."""
    return Figure(figsize=size, layout="constrained").add_subplot() if ax is None else ax
