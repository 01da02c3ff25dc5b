"""Follow stationary points in a parameter of their model: `saddlescape.follow`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..given import check_point, is_number, nearest
from ..model import EnergyModel, check_is_model
from ..numerics.alignment import mass_norm
from ..numerics.branching import Limits
from ..numerics.family import Family
from ..numerics.orbits import align
from ..results import StationaryPoint
from .assembling import assemble
from .diagram import Diagram
from .info import ModelInfo
from .landscape import Landscape
from .tracking import Tracker

if TYPE_CHECKING:
    from ..symmetry import Symmetry

_FINEST = 1e-9  # of the range: round-off moves critical values by about this
_SAME = 1e-6  # distance, relative to the size of a state, at which two are one


def follow(
    start: Landscape | StationaryPoint | np.ndarray | Sequence[StationaryPoint | np.ndarray],
    parameter: str | Callable[[float], EnergyModel],
    values: Sequence[float],
    *,
    model: EnergyModel | None = None,
    branches: bool = False,
    symmetry: Symmetry | None = None,
    tolerance: float | None = None,
    max_step: float = 0.1,
) -> Diagram:
    """Follow stationary points in a parameter of the model, and find where they change their index, merge, turn or are born.

    Every state is carried along its branch by pseudo-arclength steps, whose length adapts to how the branch bends and how fast
    Newton's method contracts, and is certified anew at every value asked for. Changes of the Morse index, counted by inertia, and
    turning points are located. Branches that end in one another are recognised, modulo the symmetry; past a fold the other side
    is followed too.

    Parameters
    ----------
    start : Landscape, StationaryPoint, (n,) array, or a sequence of points or arrays
        The states to follow; of a landscape all of them, one for each orbit.
    parameter : str or callable
        Name of a parameter of the model (a field of its dataclass); or ``parameter(value) -> model``, and the states belong to the
        first of the values.
    values : sequence of float
        Where to land, rising or falling. The states are followed from the value of their model to all of these, to both sides if
        need be.
    model : EnergyModel, optional
        The model that the states belong to. Needed unless ``start`` is a landscape or ``parameter`` a function.
    branches : bool
        Whether to follow the branches that leave the critical values found, and those that leave these.
    symmetry : Symmetry, optional
        Group modulo which states are compared. Default: the landscape's or model's; where the model has another one at special
        values (a square among rectangles), the smallest.
    tolerance : float, optional
        Width to which critical values are bracketed. Default: a millionth of the range.
    max_step : float
        Longest step, as a part of the range of values and of the size of a state together.

    Returns
    -------
    Diagram

    Raises
    ------
    TypeError
        If start, model or parameter are of the wrong kind.
    ValueError
        If the model has no such parameter, it is no number or changes the number of unknowns, the model does not exist at one of
        the values, the values are not monotone, or a start is not stationary.

    Notes
    -----
    Two changes of the index that undo each other within one step are not seen, nor is a pair of folds: make ``max_step`` smaller.
    Models need a Hessian as a matrix beyond 500 unknowns.

    References
    ----------
    .. [1] H. B. Keller, in Applications of Bifurcation Theory, ed. P. H. Rabinowitz, Academic Press 1977, 359.
    .. [2] W. Govaerts, Numerical Methods for Bifurcations of Dynamical Equilibria, SIAM 2000, chapters 3 and 4.
    """
    model, points = _starts(start, model, parameter, values)
    values, first = _checked_values(values)
    model_at, name, origin = _family(model, parameter, values, first)
    low, high = min(values.min(), origin), max(values.max(), origin)
    if low == high:
        raise ValueError(
            f"values: got {values.tolist()}, expected at least one value of {name} other than that of the model, {origin}"
        )
    if not (0.0 < max_step <= 1.0):
        raise ValueError(f"max_step: got {max_step!r}, expected a part of the range, above 0 and at most 1")
    tolerance = 1e-6 * (high - low) if tolerance is None else float(tolerance)
    if not tolerance >= _FINEST * (high - low):
        raise ValueError(f"tolerance: got {tolerance!r}, expected a width of {name} of at least {_FINEST * (high - low):.1e}")
    given = symmetry if symmetry is not None else start.symmetry if isinstance(start, Landscape) else None
    group = symmetry if symmetry is not None else _smallest_symmetry(model_at, low, high, origin, given)
    points = [check_point(x, model.dim, f"start[{i}]") for i, x in enumerate(points)]
    nodes = list(range(len(points)))
    if isinstance(start, Landscape) and (group.n_axes, group.order) < (start.symmetry.n_axes, start.symmetry.order):
        nodes, points = _split_orbits(start, group)
    size = max([mass_norm(x, model.mass) for x in points]) or float(np.sqrt(np.sum(np.broadcast_to(model.mass, (model.dim,)))))
    family = Family(model_at, name, origin, float(high - low), size)
    tracker = Tracker(family, group, values, origin, Limits(max_step=max_step, tolerance=tolerance))
    for node, x in zip(nodes, points, strict=True):
        tracker.start(x, node)
    tracker.complete(switch=branches)
    return assemble(tracker, ModelInfo.of(model, group), name)


def _starts(start: Any, model: Any, parameter: Any, values: Any) -> tuple[EnergyModel, list[np.ndarray]]:
    """The model and the states as arrays."""
    if isinstance(start, Landscape):
        if model is not None:
            raise ValueError("model: a landscape brings its own, leave it out; where a file cannot, landscape.attach(model)")
        if not start.nodes:
            raise ValueError("start: the landscape has no points")
        return start.model, [point.x for point in start.points]
    if model is None and callable(parameter) and len(values):
        model = parameter(values[0])
    if model is None:
        raise TypeError("model: got None, expected the model that the states belong to: follow(x, parameter, values, model=model)")
    check_is_model(model)
    several = (
        isinstance(start, (list, tuple)) and len(start) > 0 and (isinstance(start[0], StationaryPoint) or np.ndim(start[0]) > 0)
    )
    states = [state.x if isinstance(state, StationaryPoint) else state for state in (start if several else [start])]
    return model, states


def _checked_values(values: Any) -> tuple[np.ndarray, float]:
    """The values, rising, and the first as they were given."""
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise ValueError(f"values: got {values!r}, expected a sequence of finite numbers")
    array = array.astype(float)
    steps = np.diff(array)
    if not ((steps > 0.0).all() or (steps < 0.0).all()):
        raise ValueError(f"values: got {array.tolist()}, expected them to rise, or to fall, from each to the next")
    return np.sort(array), float(array[0])


def _family(
    model: EnergyModel, parameter: Any, values: np.ndarray, first: float
) -> tuple[Callable[[float], EnergyModel], str, float]:
    """The models by value, the name of the parameter, and its value for the states given."""
    if callable(parameter):
        name = getattr(parameter, "__name__", "value")
        return parameter, "value" if name == "<lambda>" else name, first
    if not isinstance(parameter, str):
        raise TypeError(
            f"parameter: got {type(parameter).__name__}, expected the name of a parameter, or a function from values to models"
        )
    if not dataclasses.is_dataclass(model):
        raise TypeError(
            f"model: {type(model).__name__} is no dataclass, so it has no parameters by name; give a function: "
            "follow(x, lambda value: make_model(value), values)"
        )
    fields = {f.name: getattr(model, f.name) for f in dataclasses.fields(model) if f.init}
    whole = [f.name for f in dataclasses.fields(model) if f.type in ("int", int)]
    numeric = [key for key, value in fields.items() if is_number(value) and key not in whole]
    if parameter not in fields:
        raise ValueError(
            f"parameter: {type(model).__name__} has no {parameter!r}{nearest(parameter, numeric)}; its numbers are "
            f"{numeric}" + ("" if numeric else "; give a function from values to models instead")
        )
    if parameter in whole:
        raise ValueError(
            f"parameter: {parameter} of {type(model).__name__} is an integer, and states are followed in steps as small as need "
            f"be; its continuous parameters are {numeric}"
        )
    if parameter not in numeric:
        raise ValueError(
            f"parameter: {parameter} of {type(model).__name__} is {fields[parameter]!r}, no number; its numbers are {numeric}"
        )

    def model_at(value: float) -> EnergyModel:
        return dataclasses.replace(model, **{parameter: value})

    for value in (*values.tolist(), 0.5 * (fields[parameter] + first) + 1e-3 * (first - fields[parameter])):
        try:
            moved = model_at(value)
        except (TypeError, ValueError) as error:
            raise ValueError(f"parameter: there is no {type(model).__name__} with {parameter} = {value:.6g}: {error}") from error
        if moved.dim != model.dim:
            raise ValueError(
                f"parameter: {parameter} changes the number of unknowns ({model.dim} at {fields[parameter]}, {moved.dim} at "
                f"{value:.6g}); states can only be followed in a parameter that leaves it alone"
            )
    return model_at, parameter, float(fields[parameter])


def _smallest_symmetry(model_at: Any, low: float, high: float, origin: float, given: Symmetry | None) -> Symmetry:
    """The symmetry that holds at all values: special ones may have more."""
    from ..symmetry import Symmetry

    # A value that nobody chose is not special.
    models = [model_at(value) for value in (origin, low, high, low + 0.6180339887 * (high - low))]
    found = [m.symmetry if m.symmetry is not None else Symmetry.generate(m.dim) for m in models]
    return min([given, *found] if given is not None else found, key=lambda group: (group.n_axes, group.order))


def _split_orbits(landscape: Landscape, group: Symmetry) -> tuple[list[int], list[np.ndarray]]:
    """Nodes and states of a landscape, one for each orbit of a group smaller than the landscape's."""
    nodes, states = [], []
    mass = landscape.info.mass
    expanded = landscape.expand()
    for node, orbit in zip(expanded.nodes, expanded.orbits, strict=True):
        close = _SAME * mass_norm(node.point.x, mass)
        known = [x for x in states if align(group, node.point.x, x, mass)[1] <= close]
        if not known:
            nodes.append(orbit)
            states.append(node.point.x)
    return nodes, states
