"""States in files that ParaView opens."""

import sys

import numpy as np
import pytest

from saddlescape.models import ChafeeInfante, LandauDeGennes, ReducedLandauDeGennes
from saddlescape.models.liquid_crystals import Cuboid, Hexagon, export_state

meshio = pytest.importorskip("meshio", reason="files of states need the extra 'meshes'")


@pytest.mark.parametrize("ending", [".vtu", ".vtk", ".xdmf"])
@pytest.mark.parametrize(
    ("model", "start", "cell"),
    [
        (ReducedLandauDeGennes(9, 10.0), "d", "quad"),
        (ReducedLandauDeGennes(5, 10.0, domain=Hexagon()), "ring", "triangle"),
        (LandauDeGennes(7, 10.0, domain=Cuboid(height=0.5)), "d", "hexahedron"),
    ],
    ids=["square", "hexagon", "cuboid"],
)
def test_a_file_holds_the_state(tmp_path, model, start, cell, ending):
    x = model.start(start)
    landscape = tmp_path / "state.h5"
    landscape.write_bytes(b"found in a long night")
    export_state(model, x, tmp_path / f"state{ending}")
    assert landscape.read_bytes() == b"found in a long night"
    mesh, fields = meshio.read(tmp_path / f"state{ending}"), model.unpack(x)
    assert [block.type for block in mesh.cells] == [cell]
    np.testing.assert_allclose(mesh.point_data["order"], fields["order"].ravel())
    director = fields["director"].reshape(len(mesh.points), -1)
    np.testing.assert_allclose(mesh.point_data["director"][:, : director.shape[1]], director)
    for name in ("S", "biaxiality", "energy_density"):
        np.testing.assert_allclose(mesh.point_data[name], fields[name].ravel(), atol=1e-15)
    size = _sizes(mesh.points[mesh.cells[0].data], cell).sum()
    assert size == pytest.approx({"quad": 4.0, "triangle": 1.5 * np.sqrt(3.0), "hexahedron": 4.0}[cell])


def _sizes(corners, cell):
    """Areas or volumes, negative for cells whose corners are in the wrong order."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, {"quad": 3, "triangle": 2, "hexahedron": 3}[cell]] - corners[:, 0]
    if cell == "hexahedron":
        return np.einsum("ci,ci->c", np.cross(first, second), corners[:, 4] - corners[:, 0])
    return np.cross(first, second)[:, 2] * (0.5 if cell == "triangle" else 1.0)


def test_what_cannot_be_written_is_refused(tmp_path, monkeypatch):
    model = ReducedLandauDeGennes(9, 10.0)
    with pytest.raises(ValueError, match=r"path: got .*state\.stl', expected a name that ends in one of \['\.vtu'"):
        export_state(model, model.start("d"), tmp_path / "state.stl")
    with pytest.raises(ValueError, match=r"x: got shape \(3,\), expected \(98,\)"):
        export_state(model, np.zeros(3), tmp_path / "state.vtu")
    line = ChafeeInfante(5, 3.0)
    with pytest.raises(ValueError, match="ChafeeInfante, whose states have no director"):
        export_state(line, np.zeros(5), tmp_path / "state.vtu")
    monkeypatch.setitem(sys.modules, "meshio", None)
    with pytest.raises(ImportError, match=r"saddlescape\[meshes\]"):
        export_state(model, model.start("d"), tmp_path / "state.vtu")
