"""What goes into a file comes out of it, bit for bit."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from saddlescape.results import Status
from saddlescape.store import FileStore, MemoryStore, digest, read, read_header, save


def same(a: object, b: object) -> bool:
    """Equal in type, and in every bit except those of NaN."""
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.shape == b.shape and b.dtype == np.float64 and a.tobytes() == b.tobytes()
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    return type(a) is type(b) and (a == b or (a != a and b != b)) and str(a) == str(b)


def assert_same(a, b) -> None:
    for name in ("nodes", "edges", "searches", "frontier", "pending", "runs"):
        assert same(getattr(a, name), getattr(b, name)), name
    assert digest(a) == digest(b)


def awkward(synthetic):
    """A landscape with every number that is easily lost."""
    dim = synthetic.AWKWARD.size
    landscape = synthetic.grown(3, dim, 13)
    node = landscape.nodes[0]
    point = replace(node.point, x=synthetic.AWKWARD, energy=-0.0, eigenvalues=np.empty(0), residuals=np.empty(0))
    point = replace(point, eigenvectors=np.empty((0, dim)), certificate="", index=0)
    landscape.nodes[0] = replace(node, point=point)
    search = landscape.searches[1]
    made = replace(search.result, x=synthetic.AWKWARD[::-1].copy(), message="λ² = 30 \n\t„quoted“", status=Status.STALLED)
    landscape.searches[1] = replace(search, result=made, merge_distance=5e-324)
    landscape.pending[99] = synthetic.result(np.random.default_rng(0), dim, found=False)
    landscape.pending[98] = synthetic.result(np.random.default_rng(1), dim)
    return landscape


def test_a_file_keeps_every_bit(synthetic, path: Path) -> None:
    landscape = awkward(synthetic)
    save(landscape, path)
    loaded = read(path)
    assert_same(landscape, loaded)
    assert same(landscape.info, loaded.info)
    assert (loaded.path, loaded.recovered) == (str(path), 0)


def test_a_journal_keeps_every_bit(synthetic, path: Path) -> None:
    store, landscape = synthetic.begun(path, 1, 4)
    for made, commit in synthetic.commits(1, 4, 12):
        store.result(commit.search.task.id, made)
        store.commit(commit)
        landscape.apply(commit)
    late = synthetic.result(np.random.default_rng(0), 4, trajectory=True)
    store.result(40, late)
    landscape.pending[40] = late
    loaded = read(path)
    assert_same(landscape, loaded)
    assert loaded.recovered == 13
    store.close(landscape)
    from_file = read(path)
    assert digest(from_file) == digest(landscape)
    assert from_file.recovered == 0
    # A result that waits for its merge keeps its point whole: merging it later must not depend on the interruption.
    assert same(from_file.pending[40].point, late.point)


def test_what_merging_changed_in_a_result_is_kept(synthetic, path: Path) -> None:
    store, landscape = synthetic.begun(path, 1, 4)
    ((made, commit),) = synthetic.commits(1, 4, 1)
    altered = replace(commit.search.result, status=Status.OTHER_INDEX, n_steps=7, x=np.arange(4.0), max_energy=2.5)
    commit = replace(commit, search=replace(commit.search, result=altered))
    store.result(0, made)
    store.commit(commit)
    landscape.apply(commit)
    assert_same(landscape, read(path))
    store.close(landscape)
    assert_same(landscape, read(path))


def test_a_commit_brings_its_result_along_if_nobody_recorded_it(synthetic, path: Path) -> None:
    store, landscape = synthetic.begun(path, 1, 4)
    ((_, commit),) = synthetic.commits(1, 4, 1)
    store.commit(commit)
    landscape.apply(commit)
    assert_same(landscape, read(path))
    store.close(landscape)


def test_trajectories_come_back_in_single_precision(synthetic, path: Path) -> None:
    landscape = synthetic.grown(1, 5, 9, trajectories=True)
    huge = replace(landscape.searches[0].result.trajectory, x=np.full((3, 5), 1e300))
    first = landscape.searches[0]
    landscape.searches[0] = replace(first, result=replace(first.result, trajectory=huge))
    save(landscape, path)
    loaded = read(path)
    assert digest(loaded) == digest(landscape)
    for old, new in zip(landscape.searches, loaded.searches, strict=True):
        a, b = old.result.trajectory, new.result.trajectory
        if a is None:
            assert b is None
        elif old is not landscape.searches[0]:
            np.testing.assert_array_equal(b.x, a.x.astype(np.float32))
            np.testing.assert_array_equal(b.energy, a.energy)
    assert np.isinf(loaded.searches[0].result.trajectory.x).all()


@pytest.mark.parametrize("coercive", [True, False, None])
def test_the_model_is_remembered(synthetic, path: Path, coercive: bool | None) -> None:
    landscape = synthetic.grown(1, 3, 4)
    weights = np.random.default_rng(0).standard_normal((40, 200)).tolist()
    params = {"weights": weights, "counts": list(range(9000)), "mixed": [1, 2.5, None], "name": "wörs", "flag": False}
    mass = np.array([0.1, 0.2, 0.3])
    landscape.info = replace(landscape.info, mass=mass, params=params, coercive=coercive, scaling="E / K")
    save(landscape, path)
    info = read(path).info
    assert same(info, landscape.info)
    assert json.dumps(info.params) == json.dumps(params)


def test_parameters_that_fit_nowhere_are_refused(synthetic, path: Path) -> None:
    landscape = synthetic.grown(1, 3, 1)
    landscape.info = replace(landscape.info, params={"text": "x" * 100_000})
    with pytest.raises(ValueError, match=r"model parameters: 1000.. characters.*expected at most 60000"):
        save(landscape, path)
    assert list(path.parent.iterdir()) == []


def test_both_stores_take_the_same_calls(synthetic, path: Path) -> None:
    landscape = synthetic.Landscape(synthetic.model_info(3))
    store = MemoryStore()
    synthetic.begin(store, landscape, 1)
    synthetic.drive(store, landscape, 1, 6)
    synthetic.finish(store, landscape)
    other, kept = synthetic.begun(path, 1, 3)
    with other:
        synthetic.drive(other, kept, 1, 6)
        synthetic.finish(other, kept)
    assert_same(landscape, read(path))
    public = {name for name in vars(FileStore) if not name.startswith("_")} - {"create", "reopen"}
    assert public <= {name for name in vars(MemoryStore) if not name.startswith("_")}


def test_the_digest_sees_numbers_but_not_dates(synthetic) -> None:
    def fresh():
        return synthetic.grown(1, 3, 8)

    base = digest(fresh())
    other = fresh()
    other.runs[0] = synthetic.ENDED
    slow = other.searches[0]
    other.searches[0] = replace(slow, result=replace(slow.result, seconds=1e6))
    assert digest(other) == base
    changed = fresh()
    point = changed.nodes[1].point
    x = point.x.copy()
    x[2] = np.nextafter(x[2], np.inf)
    changed.nodes[1] = replace(changed.nodes[1], point=replace(point, x=x))
    assert digest(changed) != base
    for name, value in (("hits", 5), ("kind", "up"), ("max_energy", 0.25)):
        changed = fresh()
        changed.edges[0] = replace(changed.edges[0], **{name: value})
        assert digest(changed) != base
    changed = fresh()
    changed.frontier.clear()
    assert digest(changed) != base


def test_the_layout_explains_itself(synthetic, path: Path) -> None:
    save(awkward(synthetic), path)
    with h5py.File(path, "r") as file:
        assert bytes(file.attrs["format"]) == b"saddlescape-landscape"
        assert (file.attrs["format_major"], file.attrs["format_minor"]) == (1, 0)
        assert {"uuid", "created_utc", "writer", "libraries", "state", "last_seq"} <= set(file.attrs)
        groups = {"model", "runs", "nodes", "eigenvectors", "edges", "searches", "trajectories", "frontier", "derived", "pending"}
        assert set(file) == groups
        visited = []

        def visit(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Dataset):
                visited.append(name)
                assert item.attrs["units"] and item.attrs["long_name"], name
                assert h5py.check_vlen_dtype(item.dtype) is None, name

        file.visititems(visit)
        assert len(visited) > 80
        assert file["nodes/x"].shape == (len(file["nodes/id"]), synthetic.AWKWARD.size)
        assert file["eigenvectors/rows"].shape[0] == file["nodes/eigenvectors_count"][()].sum()


def test_the_user_block_seals_the_file(synthetic, path: Path) -> None:
    save(synthetic.grown(1, 3, 4), path)
    data = path.read_bytes()
    lines = data[:512].rstrip(b"\0").decode().splitlines()
    assert lines[0] == "saddlescape-landscape 1.0"
    assert lines[1] == f"sha256 {hashlib.sha256(data[512:]).hexdigest()}"
    assert lines[2] == f"bytes {len(data)}"


def test_fields_that_compress_are_compressed(synthetic, path: Path) -> None:
    landscape = synthetic.grown(1, 4000, 6)
    smooth = np.tile(np.linspace(0, 1, 50), (6, 80))
    noisy = path.with_name("noisy.h5")
    save(landscape, noisy)
    landscape.nodes = [replace(n, point=replace(n.point, eigenvectors=smooth)) for n in landscape.nodes]
    save(landscape, path)
    with h5py.File(path, "r") as file, h5py.File(noisy, "r") as other:
        assert (file["eigenvectors/rows"].compression, file["eigenvectors/rows"].shuffle) == ("gzip", True)
        assert file["eigenvectors/rows"].id.get_storage_size() < 0.2 * file["eigenvectors/rows"].nbytes
        assert other["eigenvectors/rows"].compression is None
    assert_same(landscape, read(path))


def test_the_header_can_be_read_alone(synthetic, path: Path) -> None:
    store, landscape = synthetic.begun(path, 1, 3)
    synthetic.drive(store, landscape, 1, 2)
    synthetic.finish(store, landscape)
    header = read_header(path)
    assert header.state == "complete"
    assert header.uuid == store.header.uuid
    assert header.libraries["h5py"] == h5py.__version__
    assert header.last_seq == 6  # begin, two results, two commits, end


def test_the_light_names_import_no_hdf5() -> None:
    code = "import sys; from saddlescape.store import MemoryStore, digest, StoreError; sys.exit('h5py' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
