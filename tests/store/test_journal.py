"""The journal: torn at any byte, damaged, folded twice, read while it is written."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from saddlescape.store import FileStore, digest, errors, read
from saddlescape.store import journal as journal_module
from saddlescape.store.journal import frame, journal_path, scan


def written(synthetic, path: Path, count: int) -> list[int]:
    """A run left open with ``count`` merged searches; the length of its journal after each."""
    store, landscape = synthetic.begun(path, 1, 3)
    lengths = [journal_path(path).stat().st_size]
    for made, commit in synthetic.commits(1, 3, count):
        store.result(commit.search.task.id, made)
        store.commit(commit)
        landscape.apply(commit)
        lengths.append(journal_path(path).stat().st_size)
    store._release()
    return lengths


def test_a_torn_record_is_ignored_wherever_it_is_torn(synthetic, path: Path) -> None:
    lengths = written(synthetic, path, 3)
    whole = journal_path(path).read_bytes()
    without, complete = digest(synthetic.grown(1, 3, 2)), digest(synthetic.grown(1, 3, 3))
    counts, ends = [], []
    for length in range(lengths[2], lengths[3] + 1):
        journal_path(path).write_bytes(whole[:length])
        found = scan(path)
        counts.append(len(found.records))
        ends.append(found.length)
        assert not found.damaged
        assert found.length + found.ignored == length
    # Begin and two searches; then the result of the third, in between; its commit only with the very last byte.
    assert sorted(set(counts)) == [5, 6, 7] and counts == sorted(counts) and counts.count(7) == 1
    for length, expected in ((lengths[2], without), (ends[-2] - 1, without), (lengths[3] - 1, None), (lengths[3], complete)):
        journal_path(path).write_bytes(whole[:length])
        left = read(path)
        assert list(left.pending) == ([2] if expected is None else [])
        left.pending.clear()
        assert digest(left) == (expected or without)


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_the_next_record_replaces_a_torn_one(synthetic, path: Path, cut: int) -> None:
    lengths = written(synthetic, path, 3)
    with journal_path(path).open("r+b") as handle:
        handle.truncate(lengths[3] - cut)
    store, landscape = FileStore.reopen(path)
    synthetic.drive(store, landscape, 1, 6)
    left = read(path)
    assert digest(left) == digest(landscape) == digest(synthetic.grown(1, 3, 6))
    synthetic.finish(store, landscape)


def test_a_flipped_bit_ends_the_journal_there(synthetic, path: Path, caplog) -> None:
    lengths = written(synthetic, path, 4)
    whole = bytearray(journal_path(path).read_bytes())
    prefixes = {digest(synthetic.grown(1, 3, n)) for n in range(5)}
    for position in range(0, len(whole), 11):
        damaged = whole.copy()
        damaged[position] ^= 0x10
        journal_path(path).write_bytes(damaged)
        assert scan(path).length <= position
        if position % 297:
            continue
        left = read(path)
        assert len(left.searches) == sum(position >= length for length in lengths[1:])
        left.pending.clear()
        if position >= lengths[0]:
            assert digest(left) in prefixes
    assert any("damaged bytes" in record.message for record in caplog.records)


def test_a_damaged_journal_is_kept_aside_and_the_rest_goes_on(synthetic, path: Path, caplog) -> None:
    lengths = written(synthetic, path, 4)
    damaged = bytearray(journal_path(path).read_bytes())
    damaged[lengths[2] + 40] ^= 1
    journal_path(path).write_bytes(damaged)
    with caplog.at_level(logging.WARNING):
        store, landscape = FileStore.reopen(path)
    assert len(landscape.searches) == 2
    kept = path.with_name("run.h5.journal.damaged")
    assert kept.read_bytes() == bytes(damaged)
    assert str(kept) in caplog.text
    synthetic.drive(store, landscape, 1, 5)
    synthetic.finish(store, landscape)
    assert digest(read(path)) == digest(synthetic.grown(1, 3, 5))


def test_replaying_twice_changes_nothing(synthetic, path: Path) -> None:
    written(synthetic, path, 5)
    old = journal_path(path).read_bytes()
    store, landscape = FileStore.reopen(path)
    store.checkpoint(landscape, force=True)
    store._release()
    # As if killed between the file and its journal: the folded records are still there.
    journal_path(path).write_bytes(old)
    left = read(path)
    assert (left.recovered, digest(left)) == (0, digest(synthetic.grown(1, 3, 5)))
    store, landscape = FileStore.reopen(path)
    synthetic.drive(store, landscape, 1, 8)
    assert digest(read(path)) == digest(synthetic.grown(1, 3, 8))
    synthetic.finish(store, landscape)


def test_a_reader_sees_a_whole_state_at_every_moment(synthetic, path: Path) -> None:
    states = {digest(synthetic.grown(1, 3, n)) for n in range(13)}
    seen = []

    def look(_line: str) -> None:
        left = read(path)
        left.pending.clear()
        seen.append(digest(left))

    store, landscape = synthetic.begun(path, 1, 3)
    synthetic.drive(store, landscape, 1, 12, every=3, acknowledge=look)
    synthetic.finish(store, landscape)
    assert set(seen) <= states
    assert len(set(seen)) == 13


def test_a_reader_between_file_and_journal_of_a_checkpoint(synthetic, path: Path, monkeypatch) -> None:
    """The journal is read first: a checkpoint between the two reads must not take records away."""
    written(synthetic, path, 3)
    found = scan(path)
    store, landscape = FileStore.reopen(path)
    synthetic.drive(store, landscape, 1, 5)
    store.checkpoint(landscape, force=True)
    monkeypatch.setattr("saddlescape.store.reader.scan", lambda _: found)
    assert digest(read(path)) == digest(landscape)
    synthetic.finish(store, landscape)


def test_records_with_a_gap_before_them_are_refused(synthetic, path: Path) -> None:
    written(synthetic, path, 2)
    old = path.with_name("old.h5")
    shutil.copy(path, old)
    store, landscape = FileStore.reopen(path)
    store.checkpoint(landscape, force=True)
    synthetic.drive(store, landscape, 1, 3, every=100)
    store._release()
    shutil.copy(old, path)
    with pytest.raises(errors.DamagedFileError, match="older than its journal, records 1 to 5 are missing"):
        read(path)


def test_a_journal_of_another_file_is_refused(synthetic, path: Path) -> None:
    written(synthetic, path, 2)
    other = path.with_name("other.h5")
    written(synthetic, other, 1)
    shutil.copy(journal_path(path), journal_path(other))
    with pytest.raises(errors.ForeignFileError, match=r"other\.h5\.journal: this journal belongs to another landscape"):
        read(other)
    with pytest.raises(errors.ForeignFileError):
        FileStore.reopen(other)
    assert not other.with_name("other.h5.lock").exists()


def test_a_record_that_does_not_fit_is_an_error(synthetic, path: Path) -> None:
    from saddlescape.store.codec import encode

    lengths = written(synthetic, path, 1)
    with journal_path(path).open("ab") as handle:
        handle.write(frame(scan(path).last + 1, encode("dance")))
    assert journal_path(path).stat().st_size > lengths[-1]
    with pytest.raises(errors.DamagedFileError, match=r"record 4 does not fit.*'dance'"):
        read(path)


def test_the_file_is_rebuilt_in_linear_total_cost(synthetic, path: Path, monkeypatch) -> None:
    from saddlescape.store import writer

    monkeypatch.setattr(writer, "_FOLD_MINIMUM", 1 << 16)
    sizes = []
    replaced = writer.FileStore._replace_file

    def counted(self, block: bytes, image: bytes) -> None:
        sizes.append(len(image))
        replaced(self, block, image)

    monkeypatch.setattr(writer.FileStore, "_replace_file", counted)
    store, landscape = synthetic.begun(path, 1, 500)
    for made, commit in synthetic.commits(1, 500, 120):
        store.result(commit.search.task.id, made)
        store.commit(commit)
        landscape.apply(commit)
        store.checkpoint(landscape)
    synthetic.finish(store, landscape)
    assert 4 < len(sizes) < 15
    assert sum(sizes) < 4 * sizes[-1]
    assert digest(read(path)) == digest(synthetic.grown(1, 500, 120))


def test_records_reach_the_disk_every_few_seconds(synthetic, path: Path, monkeypatch) -> None:
    synced, now = [], [100.0]
    monkeypatch.setattr(journal_module.time, "monotonic", lambda: now[0])
    store, _ = synthetic.begun(path, 1, 3)
    monkeypatch.setattr(journal_module.os, "fsync", synced.append)
    for number, (made, _) in enumerate(synthetic.commits(1, 3, 20)):
        now[0] += 0.5
        store.result(number, made)
    assert 20 * 0.5 / journal_module.SYNC_SECONDS - 2 <= len(synced) <= 20 * 0.5 / journal_module.SYNC_SECONDS
    monkeypatch.undo()
    store._release()
