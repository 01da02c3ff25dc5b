from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure

from saddlescape import as_model, follow
from saddlescape.models import ChafeeInfante
from saddlescape.plotting import plot_bifurcation
from saddlescape.plotting.style import index_style


@pytest.fixture(scope="module")
def waves():
    model = ChafeeInfante(15, 0.5)
    return follow(model.start("zero"), "lam", [0.5, 2.0, 6.0], model=model, branches=True)


def pieces(ax):
    """Lines of branches by branch and index."""
    found = {}
    for line in ax.lines:
        words = str(line.get_gid()).split()
        if words[0] == "branch":
            found[int(words[1]), int(words[3])] = line
    return found


def amplitude(x):
    return float(np.abs(x).max())


@pytest.mark.parametrize("measure", ["energy", "excess", amplitude])
def test_every_index_of_every_branch_has_its_line(waves, measure):
    ax = plot_bifurcation(waves, measure=measure)
    drawn = pieces(ax)
    assert set(drawn) == {(0, 0), (0, 1), (0, 2), (1, 0), (2, 1)}
    for (branch, index), line in drawn.items():
        assert line.get_color() == index_style(index).colour
        assert (line.get_linestyle() == "-") == (index == 0)  # solid where stable, dashed where not
        values = line.get_xdata()
        assert (np.diff(values) >= 0.0).all()
        first, last = waves.branches[branch].values[[0, -1]]
        assert first - 1e-9 <= values.min() <= values.max() <= last + 1e-9
    # The pieces of one branch meet at its critical values.
    for low, high, critical in (((0, 0), (0, 1), waves.criticals[0]), ((0, 1), (0, 2), waves.criticals[1])):
        assert drawn[low].get_xdata()[-1] == drawn[high].get_xdata()[0] == pytest.approx(critical.value, abs=1e-5)
    ax.figure.draw_without_rendering()


def test_curves_go_through_the_samples(waves):
    for measure, exact in (("energy", lambda b: b.energies), (amplitude, lambda b: np.array([amplitude(x) for x in b.x]))):
        drawn = pieces(plot_bifurcation(waves, measure=measure))
        branch = waves.branches[1]
        line = drawn[1, 0]
        spread = np.ptp(exact(branch))
        np.testing.assert_allclose(np.interp(branch.values, *line.get_data()), exact(branch), atol=0.01 * spread)
    # The energy above that of the lowest branch is exact where states were landed on.
    drawn = pieces(plot_bifurcation(waves, measure="excess"))
    exact = waves.branches[0].at(6.0).energy - waves.branches[1].at(6.0).energy
    assert drawn[0, 2].get_ydata()[-1] == pytest.approx(exact, rel=1e-6) and abs(drawn[1, 0].get_ydata()[-1]) < 1e-12


def test_critical_values_are_marked_and_written(waves):
    ax = plot_bifurcation(waves)
    marks = [line for line in ax.lines if line.get_gid() == "critical"]
    assert [line.get_xdata()[0] for line in marks] == [c.value for c in waves.criticals]
    assert [text.get_text() for text in ax.texts] == [f"{c.value:.5g}" for c in waves.criticals]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["index 0, stable", "index 1", "index 2", "pitchfork"]
    bare = plot_bifurcation(waves, criticals=False, legend=False)
    assert not bare.texts and bare.get_legend() is None


def test_names_stand_apart(waves):
    ax = plot_bifurcation(waves, names={0: "zero", 1: "one", 2: "two", 9: "nothing"}, criticals=False)
    ax.figure.draw_without_rendering()
    boxes = sorted((text.get_window_extent() for text in ax.texts), key=lambda box: box.y0)
    assert {text.get_text() for text in ax.texts} == {"zero", "one", "two"}
    assert all(low.y1 <= high.y0 + 1.0 for low, high in pairwise(boxes))


def test_lost_branches_and_folds_are_marked():
    def model_at(p):
        scale = 1.0 if p > 0.3 else np.nan
        return as_model(lambda x: scale * float(x[0] ** 2) / 2, lambda x: scale * x, 1)

    lost = follow(np.zeros(1), model_at, [1.0, 0.1])
    ax = plot_bifurcation(lost, names={0: "it"})
    assert "lost" in [text.get_text() for text in ax.get_legend().get_texts()]

    def hysteresis(b):
        return as_model(lambda x: float(x[0] ** 4 / 4 - x[0] ** 2 / 2 + b * x[0]), lambda x: np.array([x[0] ** 3 - x[0] + b]), 1)

    loop = follow(np.array([1.32471796]), hysteresis, [-1.0, 1.0])
    ax = plot_bifurcation(loop, measure=lambda x: x[0])
    assert "fold" in [text.get_text() for text in ax.get_legend().get_texts()] and ax.get_ylabel() == "measure"
    ends = [pieces(ax)[branch, index].get_data() for branch, index in ((0, 0), (1, 1), (2, 0))]
    # One curve without gaps: each piece begins where another ends.
    assert ends[0][0][-1] == pytest.approx(ends[1][0][-1], abs=1e-6) and ends[0][1][-1] == pytest.approx(ends[1][1][-1], abs=1e-3)


def test_given_axes_are_used_and_wrong_input_is_named(waves):
    ax = Figure().add_subplot()
    assert plot_bifurcation(waves, ax) is ax and ax.get_xlabel() == "lam"
    with pytest.raises(TypeError, match="got str, expected the Diagram that follow returns"):
        plot_bifurcation("waves")
    with pytest.raises(ValueError, match=r"measure: got 'energi' \(did you mean 'energy'\?\)"):
        plot_bifurcation(waves, measure="energi")
