import pytest
from matplotlib.image import imread

from saddlescape.plotting import save_figure


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_the_figure_of_a_landscape_is_written(square, tmp_path, suffix):
    path = tmp_path / f"map.{suffix}"
    save_figure(square(), path, dpi=60)
    assert path.stat().st_size > 1000
    assert path.read_bytes().startswith({"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[suffix])


def test_an_energy_of_two_unknowns_is_shown_beside_its_map(wells, tmp_path):
    save_figure(wells, tmp_path / "both.png", dpi=100)
    wells.info = wells.info.__class__(**{**vars(wells.info), "name": "somebody.elses.Model"})
    wells._model = None
    save_figure(wells, tmp_path / "map.png", dpi=100)
    both, alone = imread(tmp_path / "both.png"), imread(tmp_path / "map.png")
    assert both.shape[1] - alone.shape[1] == pytest.approx(440, abs=2)


def test_options_reach_the_map(square, tmp_path):
    with pytest.raises(ValueError, match="vertical"):
        save_figure(square(), tmp_path / "a.png", vertical="up")


@pytest.mark.parametrize("name", ["map.gif", "map"])
def test_an_unknown_ending_is_refused(square, tmp_path, name):
    with pytest.raises(ValueError, match="ends in one of"):
        save_figure(square(), tmp_path / name)


def test_an_empty_landscape_is_refused_and_leaves_no_file(empty, tmp_path):
    with pytest.raises(ValueError, match="no nodes yet"):
        save_figure(empty, tmp_path / "map.png")
    assert not list(tmp_path.iterdir())
