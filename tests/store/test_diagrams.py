"""Diagrams in files of their own: bit for bit, refused when damaged, and never in the place of something else."""

from __future__ import annotations

import dataclasses
import os

import h5py
import numpy as np
import pytest

from saddlescape import Diagram, as_model, follow, load
from saddlescape.landscape.info import ModelInfo
from saddlescape.landscape.landscape import Landscape
from saddlescape.models import ChafeeInfante, MuellerBrown
from saddlescape.store import errors, save
from saddlescape.store.envelope import DIAGRAM, seal


@pytest.fixture(scope="module")
def diagram():
    model = ChafeeInfante(15, 0.5)
    return follow(model.start("zero"), "lam", [0.5, 2.0, 6.0], model=model, branches=True)


@pytest.fixture
def saved(diagram, tmp_path):
    path = tmp_path / "diagram.h5"
    diagram.save(path)
    return path


def same(a, b):
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def test_what_was_saved_comes_back(diagram, saved):
    assert same(Diagram.load(saved), diagram)
    with h5py.File(saved) as file:
        assert file["criticals/value"][:] == pytest.approx([c.value for c in diagram.criticals])
        assert {dataset.attrs["units"] for dataset in file["samples"].values()} and file.attrs["format"] == DIAGRAM.encode()


def test_lost_branches_and_notes_come_back(tmp_path):
    def model_at(p):
        scale = 1.0 if p > 0.3 else np.nan
        return as_model(lambda x: scale * float(x[0] ** 2) / 2, lambda x: scale * x, 1)

    lost = dataclasses.replace(follow(np.zeros(1), model_at, [1.0, 0.1]), notes=("something was noted",))
    lost.save(tmp_path / "lost.h5")
    back = Diagram.load(tmp_path / "lost.h5")
    assert same(back, lost) and back.report() == lost.report() and not back.criticals


def test_a_diagram_replaces_a_diagram_and_nothing_else(diagram, saved, tmp_path):
    os.chmod(saved, 0o640)
    diagram.save(saved)
    assert same(Diagram.load(saved), diagram) and saved.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["diagram.h5"]
    other = tmp_path / "notes.txt"
    other.write_text("precious")
    with pytest.raises(errors.ForeignFileError, match="not a diagram and will not be replaced"):
        diagram.save(other)
    landscape = tmp_path / "landscape.h5"
    save(Landscape(ModelInfo.of(MuellerBrown(), None)), landscape)
    with pytest.raises(errors.ForeignFileError, match="not a diagram"):
        diagram.save(landscape)
    with pytest.raises(errors.ForeignFileError, match="not a landscape file and will not be replaced"):
        save(Landscape(ModelInfo.of(MuellerBrown(), None)), saved)
    os.chmod(saved, 0o440)
    with pytest.raises(errors.ReadOnlyFileError, match="read-only"):
        diagram.save(saved)
    assert other.read_text() == "precious" and same(Diagram.load(saved), diagram)


def test_the_two_kinds_of_files_are_told_apart(saved, tmp_path):
    with pytest.raises(errors.ForeignFileError, match=r"not a landscape file but one of format saddlescape-diagram.*Diagram\.load"):
        load(saved)
    landscape = tmp_path / "landscape.h5"
    save(Landscape(ModelInfo.of(MuellerBrown(), None)), landscape)
    with pytest.raises(errors.ForeignFileError, match=r"not a diagram file but one of format saddlescape-landscape"):
        Diagram.load(landscape)
    with pytest.raises(errors.MissingFileError, match="cannot read it"):
        Diagram.load(tmp_path / "nothing.h5")


def test_damage_is_found(saved):
    raw = bytearray(saved.read_bytes())
    saved.write_bytes(raw[:-10])
    with pytest.raises(errors.TruncatedFileError, match="truncated"):
        Diagram.load(saved)
    saved.write_bytes(raw[:100])
    with pytest.raises(errors.TruncatedFileError, match="a diagram file begins with"):
        Diagram.load(saved)
    raw[len(raw) // 2] ^= 1
    saved.write_bytes(raw)
    with pytest.raises(errors.DamagedFileError, match="SHA-256"):
        Diagram.load(saved)


def test_a_sealed_file_with_another_layout_is_damaged(saved, tmp_path):
    with h5py.File("image", "w", driver="core", backing_store=False) as file:
        file.create_group("model")
        file.flush()
        image = file.id.get_file_image()
    saved.write_bytes(seal(image, DIAGRAM) + image)
    with pytest.raises(errors.DamagedFileError, match="not have the layout of a diagram"):
        Diagram.load(saved)
    saved.write_bytes(seal(image, DIAGRAM).replace(b"diagram 1.0", b"diagram 2.0") + image)
    with pytest.raises(errors.NewerFormatError, match=r"2\.0 is newer"):
        Diagram.load(saved)
