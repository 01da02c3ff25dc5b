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

DIM, COUNT, SEED = 3, 20, 5


def lives(folder: Path, mode: str, seed: int = 0, kills: int = 0) -> list[int]:
    """Let the writer be killed; the numbers of its lives that got as far as acknowledging the file."""
    script = Path(__file__).with_name("killed.py")
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run([sys.executable, script, folder, mode, str(seed), str(kills)], check=True, env=environment)
    return sorted(int(ack.stem) for ack in folder.glob("*.ack") if "created" in ack.read_text())


def survives(synthetic, folder: Path, number: int) -> None:
    path = folder / f"{number}.h5"
    acknowledged = (folder / f"{number}.ack").read_text().split("\n")[:-1]
    with h5py.File(path, "r") as file:
        assert file.attrs["format_major"] == 1
    left = digest_of_file = read(path)
    merged = [search.task.id for search in left.searches]
    assert merged == list(range(len(merged)))
    expected = synthetic.grown(SEED, DIM, len(merged))
    work = list(synthetic.commits(SEED, DIM, COUNT))
    expected.pending = {i: work[i][0] for i in left.pending}
    assert digest(digest_of_file) == digest(expected)
    for line in acknowledged:
        if match := re.fullmatch(r"(result|commit) (\d+)", line):
            kept = set(merged) if match[1] == "commit" else set(merged) | set(left.pending)
            assert int(match[2]) in kept, f"{line} was acknowledged and is lost"
    store, landscape = FileStore.reopen(path)
    assert digest(landscape) == digest(left)
    synthetic.drive(store, landscape, SEED, COUNT)
    synthetic.finish(store, landscape)
    whole = read(path)
    assert digest(whole) == digest(synthetic.grown(SEED, DIM, COUNT))
    assert whole.runs[-1].status == "complete"
    assert sorted(p.name for p in folder.glob(f"{number}.h5*")) == [path.name]


def test_killed_at_random_moments(synthetic, tmp_path: Path) -> None:
    numbers = lives(tmp_path, "time", seed=1, kills=16)
    assert len(numbers) >= 8
    for number in numbers:
        survives(synthetic, tmp_path, number)


@pytest.mark.slow
def test_killed_at_200_random_moments(synthetic, tmp_path: Path) -> None:
    numbers = lives(tmp_path, "time", seed=2, kills=240)
    assert len(numbers) >= 150
    for number in numbers:
        survives(synthetic, tmp_path, number)


@pytest.mark.slow
def test_killed_at_every_system_call(synthetic, tmp_path: Path) -> None:
    numbers = lives(tmp_path, "calls")
    # 40 records, 5 checkpoints and more: a scenario that meets fewer calls has stopped testing anything.
    assert len(numbers) > 100
    for number in numbers:
        survives(synthetic, tmp_path, number)
