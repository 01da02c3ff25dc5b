"""Parts and their ranges; the public room of parts."""

import dataclasses

import pytest

import saddlescape.parts
from saddlescape.parts import LOBPCG, BarzilaiBorwein, FixedStep, HeavyBall, Nesterov, PowerStep

ALL = (LOBPCG, BarzilaiBorwein, FixedStep, HeavyBall, Nesterov, PowerStep)


@pytest.mark.parametrize("part", ALL)
def test_parts_are_values(part):
    assert part() == part() and hash(part()) == hash(part())
    assert part.__name__ in saddlescape.parts.__all__
    with pytest.raises(TypeError, match="unexpected keyword"):
        part(sice=1.0)
    for field in dataclasses.fields(part):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part(), field.name, 1.0)


@pytest.mark.parametrize(("part", "name"), [(PowerStep, "size"), (BarzilaiBorwein, "cap"), (FixedStep, "size"), (FixedStep, "cap")])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan")])
def test_sizes_are_positive(part, name, value):
    with pytest.raises(ValueError, match=f"{name}: got {value!r}, expected a positive number, or None to take it from the problem"):
        part(**{name: value})
    assert getattr(part(**{name: 0.25}), name) == 0.25


@pytest.mark.parametrize("value", [-0.1, 1.0, 1.5, float("nan")])
def test_momentum_is_less_than_one(value):
    with pytest.raises(ValueError, match=f"momentum: got {value!r}, expected 0 <= momentum < 1"):
        HeavyBall(value)


@pytest.mark.parametrize("value", [0, -3, 1.5, True])
def test_nesterov_restarts_after_at_least_one_step(value):
    with pytest.raises(ValueError, match=f"restart: got {value}, expected an integer of at least 1"):
        Nesterov(value)
