"""Bad files, full disks, second writers: one clear error each, and nothing lost."""

from __future__ import annotations

import errno
import json
import os
import resource
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from saddlescape.landscape.files import load
from saddlescape.store import FileStore, StoreError, digest, envelope, errors, journal, read, save


@pytest.fixture
def saved(synthetic, path: Path) -> Path:
    save(synthetic.grown(1, 3, 6), path)
    return path


def refused(kind: type[StoreError], path: Path, *words: str) -> str:
    """The message of the one error that reading and reopening a file give; only reading where that starts a process."""
    with pytest.raises(kind) as caught:
        load(path)
    if path.is_file() and not path.read_bytes().startswith(b"\x89HDF"):
        with pytest.raises(kind):
            FileStore.reopen(path)
    message = str(caught.value)
    assert path.name in message
    for word in words:
        assert word in message
    assert not path.with_name(path.name + ".lock").exists()
    return message


# --- bad files ------------------------------------------------------------------------------------------------------------


def test_missing(path: Path) -> None:
    refused(errors.MissingFileError, path, "check the path")
    with pytest.raises(FileNotFoundError):
        load(path)


def test_a_folder(tmp_path: Path) -> None:
    refused(errors.ForeignFileError, tmp_path, "directory")


@pytest.mark.parametrize("content", [b"", b"id,energy\n1,2\n", b"\0" * 4096, b"PK\x03\x04" * 300])
def test_not_hdf5(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    kind = errors.TruncatedFileError if not content else errors.ForeignFileError
    refused(kind, path, "landscape file")
    assert path.read_bytes() == content


def test_another_hdf5_file(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(5)
    refused(errors.ForeignFileError, path, "an HDF5 file, but not a landscape file")


def test_truncated_anywhere(saved: Path) -> None:
    whole = saved.read_bytes()
    for length in (1, 21, 100, 511, 512, 513, 2000, len(whole) // 2, len(whole) - 1):
        saved.write_bytes(whole[:length])
        refused(errors.TruncatedFileError, saved, "truncated", str(length))


def test_a_flipped_bit_anywhere_is_noticed_or_harmless(saved: Path) -> None:
    whole, expected = saved.read_bytes(), digest(read(saved))
    for position in [25, 40, 60, 98, *range(512, len(whole), len(whole) // 40)]:
        damaged = bytearray(whole)
        damaged[position] ^= 0x04
        saved.write_bytes(damaged)
        if position >= 512:
            with pytest.raises(errors.DamagedFileError, match="SHA-256"):
                read(saved)
        else:
            try:
                assert digest(read(saved)) == expected
            except errors.DamagedFileError:
                pass  # a hexadecimal digit that became another one


def test_something_behind_the_end(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes() + b"more")
    refused(errors.DamagedFileError, saved, "4 bytes follow")


def test_a_newer_version_names_both(saved: Path) -> None:
    data = saved.read_bytes().replace(b"saddlescape-landscape 1.0\n", b"saddlescape-landscape 3.2\n", 1)
    saved.write_bytes(data)
    refused(errors.NewerFormatError, saved, "3.2", "1.0", "update saddlescape")


def test_a_newer_version_without_a_seal(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[512:])
    with h5py.File(saved, "r+") as file:
        file.attrs["format_major"] = np.int64(2)
    refused(errors.NewerFormatError, saved, "2.0", "1.0")


def test_an_unsealed_file_is_read_after_another_process_survived_it(saved: Path) -> None:
    expected = digest(read(saved))
    saved.write_bytes(saved.read_bytes()[512:])
    assert digest(read(saved)) == expected


def test_an_edited_file_is_read_only_on_request(saved: Path) -> None:
    expected = digest(read(saved))
    with h5py.File(saved, "r+") as file:
        file["derived"]["tree"] = np.arange(3)
    message = refused(errors.StoreError, saved)
    assert ("bytes follow" in message or "SHA-256" in message) and "saddlescape.load(path, verify=False)" in message
    assert digest(read(saved, verify=False)) == expected
    assert digest(load(saved, verify=False)) == expected


def test_a_crash_of_the_hdf5_library_is_an_error_message(saved: Path, tmp_path: Path, monkeypatch) -> None:
    crash = tmp_path / "crash.py"
    crash.write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    saved.write_bytes(saved.read_bytes()[512:])
    monkeypatch.setattr(envelope.probe, "__file__", str(crash))
    refused(errors.DamagedFileError, saved, "crashed", "signal 11")


def test_hostile_bytes_without_a_seal(saved: Path) -> None:
    image = bytearray(saved.read_bytes()[512:])
    image[40:400] = b"\xff" * 360
    saved.write_bytes(image)
    refused(errors.DamagedFileError, saved, "HDF5 cannot read it")


@pytest.mark.parametrize("missing", ["nodes/x", "edges/parent", "frontier", "model/mass"])
def test_a_file_without_a_part(saved: Path, missing: str) -> None:
    saved.write_bytes(saved.read_bytes()[512:])
    with h5py.File(saved, "r+") as file:
        del file[missing]
    refused(errors.DamagedFileError, saved, "does not have the layout")


def test_pointers_that_lead_nowhere(saved: Path) -> None:
    saved.write_bytes(saved.read_bytes()[512:])
    with h5py.File(saved, "r+") as file:
        file["nodes/eigenvectors_count"][0] = 10**9
    refused(errors.DamagedFileError, saved, "eigenvectors_count")


def test_nothing_the_file_names_is_executed(synthetic, path: Path) -> None:
    landscape = synthetic.grown(1, 3, 2)
    trap = path.with_name("executed_on_load.py")
    trap.write_text("raise SystemExit('executed')")
    landscape.info = replace(landscape.info, name=f"{trap}:Model")
    save(landscape, path)
    assert load(path).info.name.endswith("executed_on_load.py:Model")
    assert not any("executed_on_load" in name for name in sys.modules)


# --- files in the way -----------------------------------------------------------------------------------------------------


def test_a_landscape_file_is_not_overwritten_unasked(synthetic, saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(errors.ExistingFileError, match="resume it, choose another path, or pass overwrite=True"):
        FileStore.create(saved, synthetic.grown(2, 3, 1))
    assert saved.read_bytes() == before
    save(synthetic.grown(2, 3, 1), saved)
    assert digest(read(saved)) == digest(synthetic.grown(2, 3, 1))


def test_a_file_that_is_not_ours_is_never_overwritten(synthetic, path: Path) -> None:
    path.write_text("precious")
    with pytest.raises(errors.ForeignFileError, match="will not be replaced"):
        FileStore.create(path, synthetic.grown(2, 3, 1), overwrite=True)
    with pytest.raises(errors.ForeignFileError):
        save(synthetic.grown(2, 3, 1), path)
    assert path.read_text() == "precious"


def test_a_journal_left_behind_is_not_overwritten_unasked(synthetic, path: Path) -> None:
    store, _ = synthetic.begun(path, 1, 3)
    store._release()
    path.unlink()
    with pytest.raises(errors.ExistingFileError, match=r"run\.h5\.journal of an earlier run"):
        FileStore.create(path, synthetic.grown(2, 3, 1))
    save(synthetic.grown(2, 3, 1), path)
    assert digest(read(path)) == digest(synthetic.grown(2, 3, 1))


def test_an_empty_file_is_no_obstacle(synthetic, path: Path) -> None:
    path.touch()
    FileStore.create(path, synthetic.grown(2, 3, 1)).close(synthetic.grown(2, 3, 1))
    assert digest(read(path)) == digest(synthetic.grown(2, 3, 1))


def test_no_such_folder(synthetic, tmp_path: Path) -> None:
    with pytest.raises(errors.MissingFileError, match="its folder must exist"):
        FileStore.create(tmp_path / "nowhere" / "run.h5", synthetic.grown(2, 3, 1))


# --- read-only ------------------------------------------------------------------------------------------------------------


def test_a_read_only_file_is_read_but_not_resumed(synthetic, saved: Path) -> None:
    saved.chmod(0o444)
    assert digest(read(saved)) == digest(synthetic.grown(1, 3, 6))
    with pytest.raises(errors.ReadOnlyFileError, match="the file is read-only; make it writable"):
        FileStore.reopen(saved)
    with pytest.raises(PermissionError):
        save(synthetic.grown(1, 3, 1), saved)
    assert digest(read(saved)) == digest(synthetic.grown(1, 3, 6))


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_read_only_folder(synthetic, saved: Path, monkeypatch, code: int) -> None:
    opened = os.open

    def forbidding(name, flags, *arguments, **options):
        if flags & os.O_CREAT:
            raise OSError(code, os.strerror(code), str(name))
        return opened(name, flags, *arguments, **options)

    monkeypatch.setattr(os, "open", forbidding)
    with pytest.raises(errors.ReadOnlyFileError, match="change the permissions of the file and its folder"):
        FileStore.reopen(saved)
    with pytest.raises(errors.ReadOnlyFileError):
        FileStore.create(saved.with_name("other.h5"), synthetic.grown(1, 3, 1))
    assert digest(read(saved)) == digest(synthetic.grown(1, 3, 6))


# --- two writers ----------------------------------------------------------------------------------------------------------


def test_a_second_writer_is_refused(synthetic, path: Path) -> None:
    store, landscape = synthetic.begun(path, 1, 3)
    with pytest.raises(errors.LockedFileError, match=f"process {os.getpid()} on this host is writing this file"):
        FileStore.reopen(path)
    with pytest.raises(errors.LockedFileError):
        save(landscape, path)
    code = "import sys; from saddlescape.store import FileStore; FileStore.reopen(sys.argv[1])"
    other = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert "LockedFileError" in other.stderr
    synthetic.drive(store, landscape, 1, 3)
    synthetic.finish(store, landscape)
    assert digest(read(path)) == digest(synthetic.grown(1, 3, 3))
    FileStore.reopen(path)[0].close(landscape)


def lock_of(path: Path, **owner) -> Path:
    lock = path.with_name(path.name + ".lock")
    lock.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "began": "", **owner}))
    return lock


def test_the_lock_of_a_dead_process_is_taken_over(saved: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for owner in ({"pid": gone.pid}, {"began": "1"}):  # the second: our own pid, of a process before us
        lock = lock_of(saved, **owner)
        store, landscape = FileStore.reopen(saved)
        assert json.loads(lock.read_text())["pid"] == os.getpid()
        store.close(landscape)
        assert not lock.exists()


def test_a_lock_without_an_owner_is_taken_over(saved: Path) -> None:
    saved.with_name("run.h5.lock").touch()
    store, landscape = FileStore.reopen(saved)
    store.close(landscape)


def test_a_lock_of_another_host_is_respected(saved: Path) -> None:
    lock = lock_of(saved, host="elsewhere", pid=1)
    with pytest.raises(errors.LockedFileError, match=r"process 1 on host elsewhere.*delete .*run\.h5\.lock"):
        FileStore.reopen(saved)
    assert lock.exists()


# --- full disk ------------------------------------------------------------------------------------------------------------


class SmallDisk:
    """Lets no file grow beyond a number of bytes."""

    def __init__(self, size: int):
        self.size = size

    def __enter__(self) -> None:
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.size, self.before[1]))

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


def test_no_room_for_a_record(synthetic, path: Path) -> None:
    store, landscape = synthetic.begun(path, 1, 3)
    synthetic.drive(store, landscape, 1, 3, every=100)
    made = list(synthetic.commits(1, 3, 4))[3][0]
    length = path.with_name("run.h5.journal").stat().st_size
    with SmallDisk(length + 100), pytest.raises(errors.DiskFullError, match=r"run\.h5: no room to append.*free some space"):
        store.result(3, made)
    assert path.with_name("run.h5.journal").stat().st_size == length
    assert digest(read(path)) == digest(landscape)
    synthetic.drive(store, landscape, 1, 6)
    synthetic.finish(store, landscape)
    assert digest(read(path)) == digest(synthetic.grown(1, 3, 6))


def test_no_room_for_a_checkpoint(synthetic, path: Path) -> None:
    store, landscape = synthetic.begun(path, 1, 3)
    synthetic.drive(store, landscape, 1, 5, every=100)
    before = path.read_bytes()
    with SmallDisk(20_000), pytest.raises(errors.DiskFullError, match=r"run\.h5: no room to write a checkpoint"):
        store.checkpoint(landscape, force=True)
    assert path.read_bytes() == before
    assert sorted(p.name for p in path.parent.iterdir()) == ["run.h5", "run.h5.journal", "run.h5.lock"]
    assert digest(read(path)) == digest(landscape)
    with SmallDisk(20_000), pytest.raises(errors.DiskFullError):
        store.close(landscape)
    store, landscape = FileStore.reopen(path)
    synthetic.drive(store, landscape, 1, 7)
    synthetic.finish(store, landscape)
    assert digest(read(path)) == digest(synthetic.grown(1, 3, 7))


@pytest.mark.parametrize("call", ["fsync", "pwrite", "replace"])
def test_an_error_in_any_call_of_a_checkpoint(synthetic, path: Path, monkeypatch, call: str) -> None:
    store, landscape = synthetic.begun(path, 1, 3)
    synthetic.drive(store, landscape, 1, 5, every=100)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(errors.DiskFullError, match="No space left on device"):
            store.checkpoint(landscape, force=True)
    assert digest(read(path)) == digest(landscape)
    synthetic.drive(store, landscape, 1, 8)
    synthetic.finish(store, landscape)
    assert digest(read(path)) == digest(synthetic.grown(1, 3, 8))


def test_no_room_for_a_new_file(synthetic, path: Path) -> None:
    with SmallDisk(2_000), pytest.raises(errors.DiskFullError):
        FileStore.create(path, synthetic.grown(1, 3, 1))
    assert list(path.parent.iterdir()) == []


# --- misuse ---------------------------------------------------------------------------------------------------------------


def test_a_landscape_that_lacks_a_commit_is_not_folded(synthetic, path: Path) -> None:
    store, landscape = synthetic.begun(path, 1, 3)
    ((_, commit),) = synthetic.commits(1, 3, 1)
    store.commit(commit)
    with pytest.raises(ValueError, match="got 0 merged searches, expected the 1"):
        store.checkpoint(landscape, force=True)
    # Closing after an interrupt at this moment keeps what was acknowledged.
    store.close(landscape)
    assert digest(read(path)) == digest(synthetic.grown(1, 3, 1))
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_links_and_permissions_survive_a_checkpoint(synthetic, tmp_path: Path) -> None:
    target, link = tmp_path / "target.h5", tmp_path / "link.h5"
    link.symlink_to(target)
    store, landscape = synthetic.begun(link, 1, 3)
    target.chmod(0o640)
    synthetic.drive(store, landscape, 1, 5)
    synthetic.finish(store, landscape)
    assert link.is_symlink() and target.stat().st_mode & 0o777 == 0o640
    assert digest(read(link)) == digest(read(target)) == digest(landscape)


def test_an_unsynced_record_is_not_acknowledged(synthetic, path: Path, monkeypatch) -> None:
    store, landscape = synthetic.begun(path, 1, 3)
    ((made, commit),) = synthetic.commits(1, 3, 1)
    store.result(0, made)

    def failing(_descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(journal, "SYNC_SECONDS", -1.0)
        patch.setattr(os, "fsync", failing)
        with pytest.raises(StoreError, match="Input/output error"):
            store.commit(commit)
    assert list(read(path).pending) == [0]
    store.commit(commit)
    landscape.apply(commit)
    assert digest(read(path)) == digest(landscape)
    store.close(landscape)


def test_a_closed_store_takes_nothing(synthetic, saved: Path) -> None:
    store, landscape = FileStore.reopen(saved)
    store.close(landscape)
    store.close(landscape)
    with pytest.raises(ValueError, match="this store is closed"):
        store.end(synthetic.ENDED)
    with pytest.raises(ValueError, match="this store is closed"):
        store.checkpoint(landscape, force=True)


def test_an_exception_leaves_the_journal_to_the_next(synthetic, path: Path) -> None:
    store, landscape = synthetic.begun(path, 1, 3)
    with pytest.raises(KeyboardInterrupt), store:
        synthetic.drive(store, landscape, 1, 3)
        ((_, commit),) = list(synthetic.commits(1, 3, 4))[3:]
        store.commit(commit)
        raise KeyboardInterrupt
    assert path.with_name("run.h5.journal").exists()
    store, landscape = FileStore.reopen(path)
    assert digest(landscape) == digest(synthetic.grown(1, 3, 4))
    store.close(landscape)
