"""A run that was stopped, interrupted or killed ends with the landscape of a run that was not, bit for bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from saddlescape import DownwardSearch, ECDExplorer, HiSD, NoisyModel, SHiSD, Symmetry, as_model, explore, load, resume
from saddlescape.landscape.progress import ProgressBar
from saddlescape.models import Butterfly, DoubleWells, MuellerBrown, ReducedLandauDeGennes
from saddlescape.parts import BarzilaiBorwein
from saddlescape.store import FileStore, StoreError, digest

WELLS = DoubleWells((1.0, 1.3, 0.7))


def after(number: int):
    """A callback that ends the run after so many searches."""
    return lambda landscape, search: search.task.id + 1 >= number


@pytest.mark.parametrize("searches", [1, 2, 5, 17, 40])
def test_a_stopped_run_resumes_to_the_same_bits(searches, tmp_path):
    whole = explore(WELLS, rng=4)
    path = tmp_path / "run.h5"
    stopped = explore(WELLS, store=path, rng=4, callback=after(searches))
    assert stopped.runs[0].status == load(path).runs[0].status == "interrupted"
    assert digest(load(path)) == digest(stopped)
    assert len(stopped.searches) == searches and stopped.frontier
    assert digest(stopped) != digest(whole)
    landscape = resume(path)
    assert digest(landscape) == digest(load(path)) == digest(whole)
    assert [run.status for run in load(path).runs] == ["complete"]


def test_a_run_may_be_stopped_after_every_search(tmp_path):
    whole = explore(Butterfly(), upward=True)
    path = tmp_path / "run.h5"
    landscape = explore(Butterfly(), upward=True, store=path, callback=after(1))
    lives = 1
    while landscape.frontier:
        landscape = resume(path, callback=lambda landscape, search: True)
        lives += 1
    assert lives == len(whole.searches)
    assert digest(landscape) == digest(whole)


def test_a_noisy_model_is_rebuilt_from_its_file(tmp_path):
    path = tmp_path / "run.h5"
    model, options = NoisyModel(MuellerBrown(), 5.0), {"max_index": 1, "method": SHiSD(), "rng": 4}
    starts = [np.array([0.2, 0.3]), np.array([-0.8, 0.6])]
    whole = explore(model, starts, **options)
    explore(model, starts, store=path, callback=after(2), **options)
    landscape = resume(path)
    assert landscape.model == model
    assert digest(landscape) == digest(load(path)) == digest(whole)


def test_a_stopped_run_in_memory_resumes_too():
    landscape = explore(WELLS, callback=after(9))
    assert landscape.resume() is landscape
    assert digest(landscape) == digest(explore(WELLS))
    assert landscape.runs[0].status == "complete"
    assert digest(landscape.resume()) == digest(explore(WELLS))  # nothing left to do


def test_other_workers_may_finish(tmp_path):
    model = ReducedLandauDeGennes(17, 10.0)
    explore(model, store=tmp_path / "run.h5", callback=after(3))
    assert digest(resume(tmp_path / "run.h5", workers=2)) == digest(explore(model))


def test_resuming_a_finished_run_does_nothing(tmp_path):
    whole = explore(Butterfly(), store=tmp_path / "run.h5")
    before = (tmp_path / "run.h5").read_bytes()
    assert digest(resume(tmp_path / "run.h5")) == digest(whole)
    assert digest(load(tmp_path / "run.h5")) == digest(whole)
    assert len(before) == (tmp_path / "run.h5").stat().st_size


def test_what_is_not_there_cannot_be_resumed(tmp_path):
    with pytest.raises(StoreError, match=r"none\.h5"):
        resume(tmp_path / "none.h5")


# --- interrupted ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_between_searches_end_the_run_politely(number, tmp_path, caplog):
    handler = signal.getsignal(number)

    def interrupt(landscape, search):
        if search.task.id == 7:
            os.kill(os.getpid(), number)

    landscape = explore(WELLS, store=tmp_path / "run.h5", callback=interrupt)
    assert landscape.runs[0].status == "interrupted"
    assert len(landscape.searches) >= 8 and landscape.frontier
    assert signal.getsignal(number) is handler
    assert [message.partition(":")[0] for message in caplog.messages] == ["stopping"]
    assert digest(resume(tmp_path / "run.h5")) == digest(explore(WELLS))


def test_a_program_that_handles_sigterm_keeps_its_handler(tmp_path, caplog):
    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append(True))
    try:
        landscape = explore(WELLS, callback=lambda landscape, search: signal.raise_signal(signal.SIGTERM))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert landscape.runs[0].status == "complete" and len(heard) == len(landscape.searches) and not caplog.messages


class Interrupting:
    """The butterfly's gradient; at one call it presses Ctrl-C, so many times."""

    def __init__(self, at: int, times: int = 1):
        self.left, self.times = at, times

    def __call__(self, x: np.ndarray) -> np.ndarray:
        self.left -= 1
        if self.left == 0:
            for _ in range(self.times):
                os.kill(os.getpid(), signal.SIGINT)
        return Butterfly().gradient(x)


def plain_butterfly(gradient):
    return as_model(Butterfly().energy, gradient, 2, coercive=True)


@pytest.mark.parametrize("at", [60, 200, 500])
def test_ctrl_c_in_a_search_drops_that_search_alone(at, tmp_path):
    start, never = (0.0, 0.5), 10**9
    whole = explore(plain_butterfly(Interrupting(never)), start)
    cut = explore(plain_butterfly(Interrupting(at)), start, store=tmp_path / "run.h5")
    assert cut.runs[0].status == "interrupted"
    assert 0 < len(cut.frontier)
    assert [s.result.status for s in cut.searches] == [s.result.status for s in whole.searches[: len(cut.searches)]]
    model = plain_butterfly(Interrupting(never))
    assert digest(resume(tmp_path / "run.h5", model=model)) == digest(whole)


def test_a_second_ctrl_c_interrupts_at_once_and_loses_nothing(tmp_path):
    start, never = (0.0, 0.5), 10**9
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        explore(plain_butterfly(Interrupting(300, times=2)), start, store=tmp_path / "run.h5")
    assert signal.getsignal(signal.SIGINT) is handler
    assert load(tmp_path / "run.h5").searches
    model = plain_butterfly(Interrupting(never))
    assert digest(resume(tmp_path / "run.h5", model=model)) == digest(explore(model, start))


def test_ctrl_c_with_workers(tmp_path):
    model = ReducedLandauDeGennes(17, 10.0)

    def interrupt(landscape, search):
        if search.task.id == 2:
            os.kill(os.getpid(), signal.SIGINT)

    landscape = explore(model, store=tmp_path / "run.h5", workers=2, callback=interrupt)
    assert landscape.runs[0].status == "interrupted"
    assert digest(resume(tmp_path / "run.h5")) == digest(explore(model))


def test_a_run_cut_off_between_its_last_search_and_its_end_is_ended(tmp_path, monkeypatch):
    path = tmp_path / "run.h5"

    def killed(*_):
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(FileStore, "end", killed)
        explore(WELLS, store=path)
    cut_off = load(path)
    assert not cut_off.frontier and cut_off.runs[0].status == "running"
    assert resume(path).runs[0].status == load(path).runs[0].status == "complete"
    assert digest(load(path)) == digest(explore(WELLS))


# --- killed ---------------------------------------------------------------------------------------------------------------


def killed(path: Path, model: str, kills: int, longest: float) -> list[int]:
    """Let one run be killed at random moments (see killed_run.py); how many searches were in the file after each kill."""
    script = Path(__file__).with_name("killed_run.py")
    arguments = [sys.executable, script, path, model, "1", str(kills), str(longest)]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [int(number) for number in done.stdout.split()]


TRAJECTORIES = [ECDExplorer(110.0, n_steps=6000, stages=2, max_runs=6), DownwardSearch()]  # those of killed_run.py


@pytest.mark.parametrize(
    ("model", "reference", "kills", "longest"),
    [
        ("trajectories", MuellerBrown(), 10, 0.03),
        ("wells", DoubleWells((1.0, 1.3, 0.7, 1.9)), 20, 0.02),
        pytest.param("square", ReducedLandauDeGennes(17, 20.0), 6, 0.05, marks=pytest.mark.slow),
        pytest.param("many wells", DoubleWells((1.0, 1.3, 0.7, 1.9, 1.6)), 200, 0.01, marks=pytest.mark.slow),
    ],
)
def test_a_run_killed_at_random_moments_ends_with_the_same_bits(model, reference, kills, longest, tmp_path):
    path = tmp_path / "run.h5"
    kept = killed(path, model, kills, longest)
    assert len(kept) == kills
    assert kept == sorted(kept)  # what one life has acknowledged the next ones keep
    assert len(set(kept)) >= kills // 4  # lives that got on
    landscape = resume(path)
    assert landscape.runs[0].status == "complete"
    searches = TRAJECTORIES if model == "trajectories" else None
    assert digest(landscape) == digest(load(path)) == digest(explore(reference, searches=searches, rng=3))
    assert sorted(p.name for p in tmp_path.glob("run*")) == ["run.h5"]


# --- what a file cannot bring back ----------------------------------------------------------------------------------------


def test_a_model_in_memory_must_be_passed_again(tmp_path):
    path, start = tmp_path / "run.h5", (0.0, 0.5)
    model = as_model(Butterfly().energy, Butterfly().gradient, 2)
    explore(model, start, store=path, callback=after(3))
    with pytest.raises(ValueError, match=r"belongs to saddlescape.model.FunctionModel, which is not shipped and is never imported"):
        resume(path)
    with pytest.raises(ValueError, match=r"model: got saddlescape.models.Butterfly.*but this landscape was made with"):
        resume(path, model=Butterfly())
    assert digest(resume(path, model=model)) == digest(explore(model, start))


def test_a_model_from_a_file_must_be_passed_again(faulty, tmp_path):
    path = tmp_path / "run.h5"
    explore(faulty(), store=path, callback=after(3))
    with pytest.raises(ValueError, match=r"faulty\.py:Faulty, which is not shipped and is never imported from a file"):
        resume(path)
    assert digest(resume(path, model=faulty())) == digest(explore(faulty()))


def test_another_model_or_parameter_is_refused(tmp_path):
    path = tmp_path / "run.h5"
    explore(WELLS, store=path, callback=after(3))
    with pytest.raises(
        ValueError, match=r"model: got saddlescape.models.DoubleWells with .*1\.4.*but this landscape was made with"
    ):
        resume(path, model=DoubleWells((1.0, 1.4, 0.7)))
    with pytest.raises(
        ValueError, match=r"with weights = \[1.0\], dim = 1, but .* made with weights = \[1.0, 1.3, 0.7\], dim = 3; pass"
    ):
        resume(path, model=DoubleWells((1.0,)))
    message = "model: got saddlescape.models.Butterfly, but this landscape was made with saddlescape.models.DoubleWells; pass that"
    with pytest.raises(ValueError, match=message):
        resume(path, model=Butterfly())
    with pytest.raises(TypeError, match="model: got the class DoubleWells, expected an object"):
        resume(path, model=DoubleWells)
    for progress in ("bar", 1, ProgressBar):
        with pytest.raises(TypeError, match=r"progress: got .*, expected True, or an object"):
            resume(path, progress=progress)
    assert digest(resume(path, model=WELLS)) == digest(explore(WELLS))


def test_a_symmetry_of_the_users_own_must_be_passed_again(tmp_path):
    path, none = tmp_path / "run.h5", Symmetry.generate(2)
    explore(Butterfly(), symmetry=none, store=path, callback=after(3))
    with pytest.raises(ValueError, match="symmetry: got order 2, but this landscape was made with none; pass the same symmetry"):
        resume(path)
    assert digest(resume(path, symmetry=none)) == digest(explore(Butterfly(), symmetry=none))


class Own:
    """HiSD under another name; its repr has its address in memory."""

    preconditioned = True

    def __init__(self, cap=0.4):
        self.cap = np.float64(cap)
        self.weights = np.array([cap, 1.0])
        self._hisd = HiSD(step=BarzilaiBorwein(cap))

    def begin(self, derivatives, x0, **options):
        return self._hisd.begin(derivatives, x0, **options)

    def advance(self, derivatives, state, n_steps, tolerance):
        return self._hisd.advance(derivatives, state, n_steps, tolerance)


@dataclass(frozen=True)
class OwnData(Own):
    """The same as a dataclass."""

    cap: float = 0.4
    _hisd: HiSD = field(init=False, default=HiSD())


def test_a_method_of_the_users_own_must_be_passed_again(tmp_path):
    path = tmp_path / "run.h5"
    explore(WELLS, method=Own(), store=path, callback=after(3))
    with pytest.raises(ValueError, match=r"method: this run used .*Own, which is not the library's own; pass method="):
        resume(path)
    with pytest.raises(ValueError, match=r"method: got .*but this run was made with"):
        resume(path, method=HiSD())
    assert digest(resume(path, method=Own())) == digest(explore(WELLS, method=Own()))
    assert len(load(path).nodes) == 27


@pytest.mark.parametrize("own", [Own, OwnData])
def test_a_method_of_the_users_own_is_known_by_its_parameters(own, tmp_path):
    path = tmp_path / "run.h5"
    explore(WELLS, method=own(0.3), store=path, callback=after(3))
    with pytest.raises(ValueError, match=r"method: got .*'cap': 0.4.*but this run was made with .*'cap': 0.3"):
        resume(path, method=own(0.4))
    assert digest(resume(path, method=own(0.3))) == digest(explore(WELLS, method=own(0.3)))
    assert any(f"{own.__qualname__}(" in search.method and "cap=0.3" in search.method for search in load(path).searches)


def test_the_files_of_failed_resumes_are_not_left_locked(tmp_path):
    path = tmp_path / "run.h5"
    explore(WELLS, store=path, callback=after(3))
    for _ in range(3):
        with pytest.raises(ValueError, match="model"):
            resume(path, model=Butterfly())
    with pytest.raises(ValueError, match="workers: got 0"):
        resume(path, workers=0)
    assert resume(path).runs[0].status == "complete"
