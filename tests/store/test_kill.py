"""SIGKILL at any moment: nothing acknowledged is lost, the file stays whole, and going on ends where no kill would have."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from saddlescape.store import FileStore, digest, read


def lives(folder: Path, mode: str, first: int, second: int) -> list[int]:
    """Let the writer be killed (see killed.py); the numbers of its lives."""
    script = Path(__file__).with_name("killed.py")
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([sys.executable, script, folder, mode, str(first), str(second)], check=True, env=environment)
    return sorted(int(ack.stem) for ack in folder.glob("*.ack"))


def survives(synthetic, folder: Path, number: int) -> bool:
    """Check what a life left behind, and go on with it; False if it ended before anything was acknowledged."""
    path, acknowledged = folder / f"{number}.h5", (folder / f"{number}.ack").read_text().split("\n")[:-1]
    if not acknowledged:
        assert not path.exists() or read(path).nodes == []
        return False
    with h5py.File(path, "r") as file:
        assert file.attrs["format_major"] == 1
    left = read(path)
    merged = [search.task.id for search in left.searches]
    assert merged == list(range(len(merged)))
    expected = synthetic.grown(synthetic.SEED, synthetic.DIM, len(merged))
    work = list(synthetic.commits(synthetic.SEED, synthetic.DIM, synthetic.COUNT))
    expected.pending = {i: work[i][0] for i in left.pending}
    assert digest(left) == digest(expected)
    for line in acknowledged:
        if match := re.fullmatch(r"(result|commit) (\d+)", line):
            kept = set(merged) if match[1] == "commit" else set(merged) | set(left.pending)
            assert int(match[2]) in kept, f"{line} was acknowledged and is lost"
    store, landscape = FileStore.reopen(path)
    assert digest(landscape) == digest(left)
    synthetic.drive(store, landscape, synthetic.SEED, synthetic.COUNT)
    synthetic.finish(store, landscape)
    whole = read(path)
    assert digest(whole) == digest(synthetic.grown(synthetic.SEED, synthetic.DIM, synthetic.COUNT))
    assert whole.runs[-1].status == "complete"
    assert sorted(p.name for p in folder.glob(f"{number}.h5*")) == [path.name]
    return True


def test_killed_at_random_moments(synthetic, tmp_path: Path) -> None:
    assert sum(survives(synthetic, tmp_path, number) for number in lives(tmp_path, "time", 1, 10)) >= 5


def test_killed_at_some_system_calls(synthetic, tmp_path: Path) -> None:
    assert sum(survives(synthetic, tmp_path, number) for number in lives(tmp_path, "calls", 5, 17)) >= 6


@pytest.mark.slow
def test_killed_at_200_random_moments(synthetic, tmp_path: Path) -> None:
    assert sum(survives(synthetic, tmp_path, number) for number in lives(tmp_path, "time", 2, 260)) >= 200


@pytest.mark.slow
def test_killed_at_every_system_call(synthetic, tmp_path: Path) -> None:
    # 40 records, 6 checkpoints and more: fewer calls would mean that the scenario has stopped testing them.
    assert sum(survives(synthetic, tmp_path, number) for number in lives(tmp_path, "calls", 0, 1)) > 100
