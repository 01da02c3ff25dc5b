"""What holds a nematic at the boundary: kinds of anchoring, their strength, and the director they ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from .elements import Elements

KINDS = ("tangent", "homeotropic", "free", "planar-degenerate")


class Condition(NamedTuple):
    """The condition on one part of the boundary.

    Attributes
    ----------
    director : tuple of 3 floats, or None
        The easy axis; None where every direction is as good, or every one in the plane of the boundary.
    planar : bool
        Planar-degenerate (Fournier-Galatola): any direction in the plane of the boundary.
    strength : float
        W lambda / L1; infinite: the boundary values are fixed.
    """

    director: tuple[float, ...] | None
    planar: bool
    strength: float

    @property
    def fixed(self) -> bool:
        """Whether the values of Q are given."""
        return self.director is not None and np.isinf(self.strength)

    @property
    def weak(self) -> bool:
        """Whether values of Q other than the easy ones cost energy (Rapini-Papoular)."""
        return self.director is not None and np.isfinite(self.strength)


class FacetCondition(NamedTuple):
    """The condition on a part of the boundary of a mesh, which may be curved.

    Attributes
    ----------
    kind : str or tuple of 3 floats
        As `as_anchoring` keeps it.
    strength : float
        W lambda / L1; infinite: the boundary values are fixed.
    """

    kind: Any
    strength: float

    @property
    def fixed(self) -> bool:
        """Whether the values of Q are given."""
        return self.kind not in ("free", "planar-degenerate") and np.isinf(self.strength)

    @property
    def weak(self) -> bool:
        """Whether values of Q other than the easy ones cost energy (Rapini-Papoular)."""
        return self.kind not in ("free", "planar-degenerate") and np.isfinite(self.strength)


def directors(kind: Any, normals: np.ndarray) -> np.ndarray:
    """The easy axes (F, 3) of a kind of anchoring that has them, at facets with these normals (F, 2) or (F, 3)."""
    full = np.zeros((len(normals), 3))
    full[:, : normals.shape[1]] = normals
    if kind == "homeotropic":
        return full
    if kind == "tangent":
        return np.stack([-full[:, 1], full[:, 0], full[:, 2]], axis=1)
    return np.broadcast_to(np.array(kind) / np.linalg.norm(kind), full.shape)


def facet_conditions(anchoring: Any, strength: Any, mesh: Elements) -> dict[str, FacetCondition]:
    """The condition on each part of the boundary of a mesh; the other arguments as for `conditions`.

    Raises
    ------
    ValueError
        If a surface in space is to be tangent, or the whole boundary is free.
    """
    kinds = dict(anchoring) if _is_pairs(anchoring) else dict.fromkeys(mesh.parts, anchoring)
    strengths = dict(strength) if _is_pairs(strength) else dict.fromkeys(mesh.parts, strength)
    for part, kind in kinds.items():
        if kind == "tangent" and mesh.dimension == 3:
            raise ValueError(
                f"anchoring: got 'tangent' for {part!r}, a surface in space, which has no one tangent direction; expected "
                "'homeotropic', 'planar-degenerate', 'free' or a director (3 numbers)"
            )
    if all(kind == "free" for kind in kinds.values()):
        raise ValueError("anchoring: the whole boundary is free, so that any uniform director is a solution; anchor a part of it")
    return {part: FacetCondition(kinds[part], strengths.get(part, np.inf)) for part in mesh.parts}


def conditions(anchoring: Any, strength: Any, normals: Mapping[str, np.ndarray]) -> dict[str, Condition]:
    """The condition on each part of a boundary made of flat parts.

    Parameters
    ----------
    anchoring, strength
        As `as_anchoring` and `as_strength` return them.
    normals : mapping
        Part and its outward normal (3,).
    """
    found = {}
    for part, normal in normals.items():
        kind = dict(anchoring)[part] if _is_pairs(anchoring) else anchoring
        # Where one name is given for all parts, a horizontal face has no tangent direction of its own and is left free.
        upright = np.abs(normal[:2]).max() == 0.0
        if kind == "tangent" and upright and not _is_pairs(anchoring):
            kind = "free"
        value = dict(strength).get(part, np.inf) if _is_pairs(strength) else strength
        if kind == "planar-degenerate":
            found[part] = Condition(None, True, value)
        elif kind == "free":
            found[part] = Condition(None, False, 0.0)
        else:
            found[part] = Condition(_director(kind, normal), False, value)
    return found


def _director(kind: Any, normal: np.ndarray) -> tuple[float, ...]:
    if kind == "homeotropic":
        vector = normal
    elif kind == "tangent":
        vector = np.array([-normal[1], normal[0], 0.0])
    else:
        vector = np.array(kind)
    return tuple((vector / np.linalg.norm(vector)).tolist())


def as_anchoring(value: Any, normals: Mapping[str, np.ndarray]) -> Any:
    """A kind for all parts, or pairs (part, kind), checked and hashable.

    Parameters
    ----------
    value : str, 3 numbers, mapping or sequence of pairs
    normals : mapping
        Part and its outward normal (3,).

    Raises
    ------
    ValueError
        If a part or a kind is not known, a part is missing, or a horizontal face is to be tangent.
    """
    if not (isinstance(value, Mapping) or _is_pairs(value)):
        return _as_kind(value, "anchoring")
    given = dict(value)
    _check_parts("anchoring", given, normals)
    if missing := [part for part in normals if part not in given]:
        raise ValueError(f"anchoring: got nothing for {missing}, expected a kind for each of {list(normals)}; 'free' is one")
    for part, kind in given.items():
        if kind == "tangent" and np.abs(normals[part][:2]).max() == 0.0:
            raise ValueError(
                f"anchoring: got 'tangent' for {part!r}, a face with no tangent direction of its own; expected a director "
                "(3 numbers), 'planar-degenerate', 'homeotropic' or 'free'"
            )
    return tuple((part, _as_kind(given[part], f"anchoring of {part!r}")) for part in normals)


def _as_kind(value: Any, where: str) -> Any:
    if isinstance(value, str) and value in KINDS:
        return value
    if _are_numbers(value) and len(value) == 3 and np.isfinite(value).all() and any(value):
        return tuple(float(number) for number in value)
    raise ValueError(f"{where}: got {value!r}, expected one of {list(KINDS)} or a director (3 numbers, not all zero)")


def as_strength(value: Any, anchoring: Any, normals: Mapping[str, np.ndarray]) -> Any:
    """A strength for all parts, or pairs (part, strength); parts that are left out are strong. Checked and hashable.

    Raises
    ------
    ValueError
        If a part is not known, a strength is negative, or planar-degenerate anchoring, which has no fixed values, is to be strong.
    """
    if isinstance(value, Mapping) or _is_pairs(value):
        given = dict(value)
        _check_parts("strength", given, normals)
        result: Any = tuple((part, _as_number(given[part], f"strength of {part!r}")) for part in normals if part in given)
    else:
        result = _as_number(value, "strength")
    for part, condition in conditions(anchoring, result, normals).items():
        if condition.planar and np.isinf(condition.strength):
            raise ValueError(
                f"strength: got {value!r}, but {part!r} is planar-degenerate, which is always weak; expected a finite number "
                f"for it, such as strength={{{part!r}: 10.0}}"
            )
    return result


def _as_number(value: Any, where: str) -> float:
    if not isinstance(value, Real) or isinstance(value, bool) or not value >= 0.0:
        raise ValueError(f"{where}: got {value!r}, expected W lambda / L1, not negative; inf is strong anchoring")
    return float(value)


def _check_parts(argument: str, given: Mapping[str, Any], normals: Mapping[str, np.ndarray]) -> None:
    if unknown := [part for part in given if part not in normals]:
        raise ValueError(f"{argument}: got the parts {unknown}, expected parts of this domain: {list(normals)}")


def _is_pairs(value: Any) -> bool:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return False
    return all(isinstance(item, Sequence) and not isinstance(item, str) and len(item) == 2 for item in value)


def _are_numbers(value: Any) -> bool:
    if not isinstance(value, (Sequence, np.ndarray)) or isinstance(value, str):
        return False
    return all(isinstance(number, Real) and not isinstance(number, bool) for number in value)
