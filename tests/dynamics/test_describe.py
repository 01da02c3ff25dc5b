"""Methods as JSON-ready values and back."""

import json
from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest

from saddlescape import GradientFlow, HiSD
from saddlescape.dynamics.describe import describe, rebuild
from saddlescape.parts import LOBPCG, BarzilaiBorwein, FixedStep, HeavyBall, Nesterov, PowerStep

EIGEN = (PowerStep(), PowerStep(0.1), LOBPCG())
STEPS = (
    (BarzilaiBorwein(), None),
    (BarzilaiBorwein(0.2), None),
    (FixedStep(), None),
    (FixedStep(1e-3, 0.5), HeavyBall(0.95)),
    (FixedStep(0.1), Nesterov(50)),
)
METHODS = [HiSD(k, e, s, m, p) for k, e, (s, m), p in product((None, 0, 3), EIGEN, STEPS, (True, False))]
METHODS += [GradientFlow(), GradientFlow(0.01, False)]


@dataclass(frozen=True)
class Drift:
    """A method that is not the library's own."""

    rate: float = 0.5


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_round_trip_through_json(method):
    back = rebuild(json.loads(json.dumps(describe(method))))
    assert back == method and type(back) is type(method)


def test_names_and_parameters_are_written_out():
    assert describe(GradientFlow(0.5)) == {"name": "GradientFlow", "cap": 0.5, "preconditioned": True}
    assert describe(HiSD(2, momentum=None))["step"] == {"name": "BarzilaiBorwein", "cap": None}


def test_numpy_numbers_become_plain_ones():
    method = HiSD(np.int64(2), step=FixedStep(np.float64(0.1)), momentum=Nesterov(np.int64(7)))
    assert rebuild(json.loads(json.dumps(describe(method)))) == HiSD(2, step=FixedStep(0.1), momentum=Nesterov(7))


def test_a_method_of_ones_own_is_named_and_not_rebuilt():
    description = json.loads(json.dumps(describe(Drift(0.25))))
    assert description["name"].endswith("Drift") and 0.25 in description.values()
    with pytest.raises(
        ValueError, match=r"method: this run used .*Drift, which is not the library's own; pass method=\.\.\. to go on"
    ):
        rebuild(description)
    with pytest.raises(ValueError, match=r"Drift.*pass method="):
        rebuild(describe(HiSD(1)) | {"eigen": description})


def test_a_subclass_is_not_mistaken_for_its_base():
    class Slower(HiSD):
        pass

    with pytest.raises(ValueError, match="Slower"):
        rebuild(describe(Slower(1)))
