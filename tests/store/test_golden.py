"""Files of every format version still give the numbers they were written with."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from saddlescape.results import Status
from saddlescape.store import digest, read, read_header

DATA = Path(__file__).parents[2] / "data"


def test_format_1(synthetic) -> None:
    path = DATA / "golden_format_1.h5"
    landscape = read(path)
    header = read_header(path)
    assert (header.format_major, header.format_minor, header.state) == (1, 0, "complete")
    assert digest(landscape) == "5902996990aaa75d95b23009e290133619f6af729d1f65e660485fc396679d81"
    # By value too, so that a change of the digest cannot hide a change of the numbers.
    expected = synthetic.golden()
    assert [n.id for n in landscape.nodes] == [n.id for n in expected.nodes]
    for old, new in zip(landscape.points, expected.points, strict=True):
        np.testing.assert_array_equal(old.x, new.x)
        np.testing.assert_array_equal(old.eigenvectors, new.eigenvectors)
        assert (old.index, old.energy, old.certificate) == (new.index, new.energy, new.certificate)
    assert [(e.parent, e.child, e.key, e.kind, e.hits) for e in landscape.edges] == [
        (e.parent, e.child, e.key, e.kind, e.hits) for e in expected.edges
    ]
    assert [s.result.status for s in landscape.searches[:4]] == [Status.CONVERGED] * 3 + [Status.NON_FINITE]
    assert landscape.runs[0].entropy == 2**127 + 1
    assert landscape.runs[0].configuration == {"method": "HiSD()", "tol": 1e-8, "limits": [1, None]}
    assert list(landscape.frontier) == [9]
    assert list(landscape.pending) == [9]
