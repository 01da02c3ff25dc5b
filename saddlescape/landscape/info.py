"""What a landscape remembers of its model."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..model import EnergyModel
from ..naming import check_class, differences, model_name, model_parameters, parameters_as_made, parameters_digest, source_digest

if TYPE_CHECKING:
    from ..symmetry import Symmetry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class ModelInfo:
    """What a landscape remembers of its model; enough to check that a model given later is the same.

    Parameters
    ----------
    name : str
        Import path, or ``file.py:Class``.
    params : dict
        JSON-ready parameters.
    params_sha256 : str
        Digest of name and parameters.
    dim : int
        Number of unknowns.
    mass : float or (n,) array
    coercive : bool or None
    symmetry : str
        For people: order of the group, periodic axes.
    field_shapes : dict
        Name and shape of each field in x, in order; empty for a plain vector.
    units : str
    scaling : str
        How the energy was made dimensionless, in words.
    source_sha256 : str
        Digest of the file that defines the model; empty where there is none.
    """

    name: str
    params: dict
    params_sha256: str
    dim: int
    mass: float | np.ndarray
    coercive: bool | None
    symmetry: str
    field_shapes: dict = field(default_factory=dict)
    units: str = "dimensionless"
    scaling: str = ""
    source_sha256: str = ""

    @classmethod
    def of(cls, model: EnergyModel, symmetry: Symmetry | None) -> ModelInfo:
        """Describe a model."""
        text = "none"
        if symmetry is not None and not symmetry.trivial:
            text = f"order {symmetry.order}"
            text += f", translations of {symmetry.grid}" if symmetry.grid is not None else ""
            if symmetry.match is not None:
                text += f", by matching within {symmetry.tolerance:.2g}" if symmetry.tolerance else ", by a user's function"
        name, params = model_name(model), model_parameters(model)
        return cls(
            Path(name).name if ":" in name else name,  # no file remembers the folders of a machine
            params,
            parameters_digest(model, params),
            int(model.dim),
            model.mass,
            model.coercive,
            text,
            dict(getattr(model, "field_shapes", {})),
            getattr(model, "units", "dimensionless"),
            getattr(model, "scaling", ""),
            source_digest(model),
        )

    def check(self, model: EnergyModel) -> None:
        """Check that a model is the one described; a changed source is only logged.

        Raises
        ------
        ValueError
            If name, parameters or dimension differ.
        """
        check_class(model_name(model), self.name)
        params = parameters_as_made(model, self.params)
        if parameters_digest(model, params) != self.params_sha256 or model.dim != self.dim:
            raise ValueError(self._mismatch(model))
        if source_digest(model) != self.source_sha256:
            logger.warning("the file that defines %s has changed since this landscape was made", self.name)

    def _mismatch(self, model: EnergyModel) -> str:
        # Only what differs: parameters may be whole data sets.
        found = differences(parameters_as_made(model, self.params), self.params)
        if model.dim != self.dim:
            found.append(("dim", str(model.dim), str(self.dim)))
        given, made = (", ".join(f"{entry[0]} = {entry[side]}" for entry in found) for side in (1, 2))
        if not found:
            given, made = "its parameters", "others"
        return f"model: got {model_name(model)} with {given}, but this landscape was made with {made}; pass the same model as then"
