import pytest

from saddlescape.plotting.style import axes_or_new, choice, index_style


def test_an_index_has_a_look_of_its_own():
    looks = {(index_style(k).colour, index_style(k).marker) for k in range(88)}
    assert len(looks) == 88
    assert len({index_style(k).colour for k in range(8)}) == 8


def test_a_number_stands_out_from_its_badge():
    assert index_style(0).text == "white" and index_style(7).text == "black"  # on blue, on yellow


def test_a_misspelt_choice_is_corrected():
    with pytest.raises(
        ValueError, match=r"vertical: got 'enrgy' \(did you mean 'energy'\?\), expected one of \['index', 'energy'\]"
    ):
        choice("enrgy", ("index", "energy"), "vertical")


def test_new_axes_have_the_size_asked_for():
    assert tuple(axes_or_new(None, (3.0, 2.0)).figure.get_size_inches()) == (3.0, 2.0)
