"""The explorer along a few directions: soft modes of a field or given ones, with everything else frozen or relaxed."""

import json

import numpy as np
import pytest

from saddlescape import DownwardSearch, ECDExplorer, UpwardSearch, explore, load, resume
from saddlescape.landscape.runfile import read_run_file
from saddlescape.models import MuellerBrown, ReducedLandauDeGennes
from saddlescape.store import digest

ACROSS = [[1.0, -1.0]]  # along the valleys of Mueller-Brown, about
SQUARE_BARRIER = 2.0  # from a diagonal state to a rotated one, lambda^2 = 30


def trajectories(landscape):
    return [record for record in landscape.searches if record.task.kind == "ecd"]


# --- everything else relaxed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("ceiling", "counts"), [(105.9, {0: 1}), (106.3, {0: 3, 1: 2})])
def test_with_the_rest_relaxed_one_direction_knows_the_barrier(ceiling, counts):
    """The barrier is 106.03. A trajectory under it never leaves its basin; one a little above crosses, along a single line."""
    explorer = ECDExplorer(ceiling, modes=ACROSS, rest="relaxed", n_steps=2000)
    landscape = explore(MuellerBrown(), searches=explorer, rng=1)
    assert landscape.index_counts() == counts
    for path in trajectories(landscape):
        assert path.result.max_energy <= path.task.coefficients[1]
    frozen = ECDExplorer(ceiling, modes=ACROSS, n_steps=2000)
    assert explore(MuellerBrown(), searches=frozen, rng=1).index_counts() == {0: 1}


def test_two_relaxed_modes_of_a_field_find_what_frozen_ones_do_not():
    model, options = ReducedLandauDeGennes(17, 30.0), {"n_steps": 1500, "modes": 2, "max_runs": 1}
    found = {}
    for rest, budget in (("frozen", 6.0), ("relaxed", SQUARE_BARRIER - 0.2), ("relaxed", SQUARE_BARRIER + 0.5)):
        explorer = ECDExplorer(budget, rest=rest, **options)
        landscape = explore(model, "d", max_index=1, searches=explorer, rng=0)
        found[rest, budget] = landscape.index_counts()
    assert found["frozen", 6.0][0] == 2  # the two diagonal states, and nothing of the rotated ones
    assert found["relaxed", SQUARE_BARRIER - 0.2] == {0: 2}
    complete = found["relaxed", SQUARE_BARRIER + 0.5]
    assert (complete[0], complete[1]) == (6, 8)


# --- given directions -----------------------------------------------------------------------------------------------------


def test_given_directions_survive_a_file_and_a_stop(tmp_path):
    directions = np.array([[1.0, -1.0], [0.2, 0.1]])
    settings = {"searches": ECDExplorer(110.0, modes=directions, rest="relaxed", n_steps=2000, max_runs=3), "rng": 2}
    whole = explore(MuellerBrown(), **settings)
    assert whole.index_counts() == {0: 3, 1: 2}
    path = tmp_path / "run.h5"
    explore(MuellerBrown(), store=path, callback=lambda landscape, record: record.task.id >= 2, **settings)
    assert digest(resume(path)) == digest(load(path)) == digest(whole)
    (stored,) = load(path).runs[0].configuration["searches"]
    assert stored["modes"] == directions.tolist()


def test_records_tell_long_directions_apart_by_their_digest():
    rng = np.random.default_rng(0)
    model, landscape = ReducedLandauDeGennes(9, 30.0), None
    for seed in range(2):
        explorer = ECDExplorer(0.1, n_steps=50, modes=rng.standard_normal((2, model.dim)), max_runs=1)
        if landscape is None:
            landscape = explore(model, "d", max_index=1, searches=explorer)
        else:
            landscape.extend(searches=explorer, max_index=1)
        assert len(trajectories(landscape)) == seed + 1
    methods = [path.method for path in trajectories(landscape)]
    assert all("modes=<2 rows, sha256 " in method and len(method) < 300 for method in methods) and methods[0] != methods[1]


def test_directions_in_a_run_file(tmp_path):
    path = tmp_path / "run.toml"
    search = '{name = "ECDExplorer", ceiling = 110.0, modes = [[1.0, -1.0]], rest = "relaxed"}'
    path.write_text(f'[model]\nname = "MuellerBrown"\n[explore]\nsearches = [{search}]\n')
    (explorer,) = read_run_file(path).build_searches()
    assert explorer == ECDExplorer(110.0, modes=np.array(ACROSS), rest="relaxed") and hash(explorer)
    path.write_text(path.read_text().replace("[[1.0, -1.0]]", '"soft"'))
    with pytest.raises(ValueError, match=r"ECDExplorer modes: got 'soft' \(string\), expected an integer or an array"):
        read_run_file(path).build_searches()
    configuration = explore(MuellerBrown(), searches=ECDExplorer(1.0, modes=ACROSS, n_steps=50)).runs[0].configuration
    assert json.loads(json.dumps(configuration)) == configuration


# --- fields ---------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("modes", "ceiling"), [(4, 15.0), (8, 15.0), (8, 40.0)])
def test_the_nematic_square_from_the_diagonal_state_alone(modes, ceiling):
    searches = ECDExplorer(ceiling, n_steps=6000, modes=modes)
    landscape = explore(ReducedLandauDeGennes(33, 30.0), "d", max_index=1, searches=searches)
    assert landscape.index_counts() == {0: 6, 1: 8}
    landscape.extend(searches=[DownwardSearch(), UpwardSearch(directions=4)], max_index=4)
    assert landscape.index_counts() == {0: 6, 1: 8, 2: 6, 3: 4, 4: 1}


@pytest.mark.slow
def test_the_preconditioner_as_the_mass_matrix():
    landscape = explore(ReducedLandauDeGennes(33, 30.0), "d", max_index=1, searches=ECDExplorer(500.0, n_steps=6000))
    assert landscape.index_counts()[0] == 6
