"""Domains as run files write them: by name, list or table, with words that help where they are wrong."""

import pytest

from saddlescape.models import LandauDeGennes, ReducedLandauDeGennes
from saddlescape.models.liquid_crystals import Annulus, Cuboid, Hexagon, Pentagon, Rectangle, Square, Triangle
from saddlescape.models.liquid_crystals.domains.registry import as_domain


@pytest.mark.parametrize(
    ("written", "domain"),
    [
        ("square", Square()),
        (["hexagon"], Hexagon()),
        ("pentagon", Pentagon()),
        ({"name": "triangle"}, Triangle()),
        ({"name": "rectangle", "aspect": 1.25}, Rectangle(1.25)),
        ({"name": "cuboid", "height": 0.5, "periodic": "z"}, Cuboid(height=0.5, periodic="z")),
        ({"name": "annulus", "inner": 0.4}, Annulus(0.4)),
    ],
)
def test_a_domain_is_a_name_a_list_or_a_table(written, domain):
    found = as_domain(written)
    assert found == domain and type(found) is type(domain)
    assert ReducedLandauDeGennes(9, 5.0, domain={"name": "square"}) == ReducedLandauDeGennes(9, 5.0)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("Square", r"got 'Square', expected one of \['square', 'rectangle'"),
        ({"aspect": 1.25}, r"got {'aspect': 1\.25}, expected one of"),
        ([], r"got \[\], expected one of .*rectangle"),
        ({"name": "rectangle", "ratio": 1.25}, "too many, too few or unknown parameters for Rectangle, expected aspect, periodic"),
        (["hexagon", 2], "too many, too few or unknown parameters for Hexagon, expected none"),
        (["ellipse"], "too many, too few or unknown parameters for Ellipse, expected aspect"),
    ],
)
def test_a_wrong_domain_is_told_what_there_is(written, message):
    with pytest.raises(ValueError, match=f"domain: .*{message}"):
        as_domain(written)


@pytest.mark.parametrize("domain", [Rectangle(1.25, "x"), Cuboid()])
def test_the_reduced_model_says_which_model_takes_a_domain(domain):
    with pytest.raises(
        ValueError, match=r"domain: got .*, expected one in the plane without periodic axes; LandauDeGennes, the full model"
    ):
        ReducedLandauDeGennes(9, 5.0, domain=domain)


def test_a_field_of_words_is_refused():
    with pytest.raises(ValueError, match=r"field: got \['a', 0, 0\], expected 3 finite numbers"):
        LandauDeGennes(9, 5.0, field=["a", 0, 0])


def test_starts_of_the_full_model_on_a_polygon_are_what_they_are_called():
    model = LandauDeGennes(9, 30.0, domain="hexagon")
    assert model.start_names == ("ring", "uniform")
    assert model.state_name(model.start("ring")) == "Ring"
    with pytest.raises(ValueError, match=r"no start named 'para'; it knows \['ring', 'uniform'\]"):
        model.start("para")
