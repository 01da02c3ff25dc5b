"""Points found against gradients spent."""

import numpy as np
import pytest

from saddlescape import ECDExplorer, explore, load
from saddlescape.models import Butterfly, MuellerBrown
from saddlescape.plotting import plot_discovery


def staircases(ax):
    return {line.get_label(): np.transpose(line.get_data()) for line in ax.lines}


def test_the_staircases_end_at_what_is_known_and_rise_where_it_was_found(tmp_path):
    path = tmp_path / "run.h5"
    landscape = explore(MuellerBrown(), searches=ECDExplorer(150.0, n_steps=4000), rng=3, store=path)
    ax = plot_discovery(load(path))
    found = staircases(ax)
    assert set(found) == {"minima (index 0)", "index 1"}
    total = sum(search.result.n_gradient for search in landscape.searches)
    assert found["minima (index 0)"][-1].tolist() == [total, 3] and found["index 1"][-1].tolist() == [total, 2]
    spent = np.cumsum([search.result.n_gradient for search in landscape.searches])
    for node in landscape.saddles(1):
        steps = found["index 1"]
        place = np.flatnonzero(steps[:, 0] == spent[landscape.nodes[node].found_by])[0]
        assert steps[place, 1] > steps[place - 1, 1]
    ax.figure.canvas.draw()


def test_symmetric_copies_count():
    landscape = explore(Butterfly(), upward=True)
    found = staircases(plot_discovery(landscape))
    assert [steps[-1, 1] for steps in found.values()] == list(landscape.index_counts().values())


def test_several_landscapes_share_colours_and_have_dashes_of_their_own():
    landscape = explore(MuellerBrown(), upward=True)
    ax = plot_discovery(landscape, label="upward")
    assert plot_discovery(landscape, ax, label="again") is ax
    lines = {line.get_label(): line for line in ax.lines}
    first, second = lines["upward: index 1"], lines["again: index 1"]
    assert first.get_color() == second.get_color() and first.get_linestyle() != second.get_linestyle()


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(TypeError, match="landscape: got int, expected a Landscape"):
        plot_discovery(3)
    landscape = explore(MuellerBrown(), callback=lambda *_: True)
    landscape.nodes.clear()
    with pytest.raises(ValueError, match="landscape: it has no points"):
        plot_discovery(landscape)
