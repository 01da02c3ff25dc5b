"""Domains read from mesh files, checked before anything is computed on them."""

from __future__ import annotations

import contextlib
import hashlib
import io
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, reverse_cuthill_mckee

from ..discretisation.elements import Elements, boundary_facets, require
from .shapes import Meshed

_TAGS = ("gmsh:physical", "medit:ref")
_CELLS = {"triangle": ("line", 2), "tetra": ("triangle", 3)}  # cells, their facets, and the dimension they fill


class Mesh(Meshed):
    """A domain from a mesh file: triangles of a plane domain or tetrahedra of one in space, in any format that meshio reads.

    Every facet of the boundary carries a tag (in Gmsh: a physical group of curves, or of surfaces in space); the parts of the
    boundary have the names of the tags, or their numbers where they have no names. A model on it takes ``n=2``: its nodes are
    those of the file. Lengths are in units of the file.

    Parameters
    ----------
    path : str or Path
        Relative to the working directory.
    digest : str, optional
        SHA-256 of the file, which a landscape remembers: another file under the same name is refused.

    Raises
    ------
    ValueError
        If there is no such file, it cannot be read, it is not the one remembered, or its mesh is no domain: elements that are
        inverted, flat, of second order or not connected, nodes without elements, a boundary without tags.
    ImportError
        If meshio is not installed.
    """

    name = "mesh"
    max_corner: ClassVar[float] = np.inf
    start_names = ("harmonic", "uniform")

    def __new__(cls, path: str | Path, digest: str | None = None) -> Mesh:
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise ValueError(f"path: got {str(path)!r}, which cannot be read ({error.strerror}), expected a mesh file") from None
        found = hashlib.sha256(content).hexdigest()
        if digest is not None and digest != found:
            raise ValueError(
                f"path: got {str(path)!r} with the digest {found[:12]}..., expected {str(digest)[:12]}...: the file has changed; "
                "put the old one back, or begin a new landscape"
            )
        mesh = super().__new__(cls, str(path), found)
        mesh.discretise(2)
        return mesh

    def check_nodes(self, n: Any) -> int:
        """Refuse any n but 2: the nodes are those of the file, two on each edge of an element."""
        if n != 2:
            raise ValueError(f"n: got {n!r}, expected 2: a mesh from a file has the nodes of the file; refine it there")
        return 2

    def _mesh(self, n: int) -> Elements:
        return _read(self[1])


def _read(path: str) -> Elements:
    where = f"mesh file {path!r}"
    given = _parsed(path, where)
    cell = next((kind for kind in ("tetra", "triangle") if any(block.type == kind for block in given.cells)), None)
    if cell is None:
        kinds = sorted({block.type for block in given.cells})
        raise ValueError(f"{where}: got elements {kinds}, expected triangles or tetrahedra of first order")
    facet, dimension = _CELLS[cell]
    other = sorted({block.type for block in given.cells} - {cell, facet, "line", "vertex"})
    if other:
        raise ValueError(f"{where}: got elements {other} beside {cell}, expected {cell} alone, of first order")
    points = np.asarray(given.points, dtype=float)
    if dimension == 2 and points.shape[1] == 3:
        if np.ptp(points[:, 2]) > 1e-9 * np.ptp(points):
            raise ValueError(f"{where}: got triangles in space, expected triangles of a plane domain (z constant), or tetrahedra")
        points = points[:, :2]
    cells = np.concatenate([block.data for block in given.cells if block.type == cell]).astype(np.intp)
    _check_cells(where, points, cells)
    parts = _parts(where, given, facet, dimension, cells)
    # Neighbours in space become neighbours in memory.
    pairs = np.concatenate([cells[:, [i, j]] for i in range(dimension + 1) for j in range(dimension + 1)])
    graph = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(points),) * 2).tocsr()
    order = reverse_cuthill_mckee(graph, symmetric_mode=True).astype(np.intp)
    place = np.argsort(order)
    return Elements(points[order], place[cells], parts={name: place[facets] for name, facets in parts.items()})


def _parsed(path: str, where: str) -> Any:
    meshio = require("meshio")
    said = io.StringIO()
    try:
        # What meshio cannot read it prints about, and then it exits.
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            return meshio.read(path)
    except (Exception, SystemExit) as error:
        text = " ".join(said.getvalue().split()) or f"{type(error).__name__}: {error}"
        raise ValueError(
            f"{where}: cannot be read: is it whole, and of the format that its name says? meshio says: {text}"
        ) from None


def _check_cells(where: str, points: np.ndarray, cells: np.ndarray) -> None:
    if not np.isfinite(points).all():
        raise ValueError(f"{where}: got coordinates that are not finite")
    unused = np.setdiff1d(np.arange(len(points)), cells)
    if unused.size:
        raise ValueError(
            f"{where}: {unused.size} nodes belong to no element, the first is number {unused[0]}; save the elements of the domain "
            "and their nodes alone"
        )
    edges = points[cells[:, 1:]] - points[cells[:, :1]]
    volumes = np.linalg.det(edges)
    flat = np.abs(volumes) <= 1e-12 * np.linalg.norm(edges, axis=2).max(axis=1) ** points.shape[1]
    if flat.any():
        raise ValueError(f"{where}: element {np.argmax(flat)} is flat ({flat.sum()} are), expected elements of positive size")
    inverted = volumes < 0.0
    if inverted.any() and not inverted.all():
        few = inverted if inverted.sum() <= len(cells) // 2 else ~inverted
        raise ValueError(
            f"{where}: element {np.argmax(few)} is inverted ({few.sum()} of {len(cells)} are): its nodes run the other way round "
            "than those of the rest, as where elements overlap"
        )
    facets = np.sort(np.concatenate([np.delete(cells, i, axis=1) for i in range(cells.shape[1])]), axis=1)
    _, place, count = np.unique(facets, axis=0, return_inverse=True, return_counts=True)
    if count.max() > 2:
        raise ValueError(f"{where}: {count.max()} elements meet in one facet, expected two, or one at the boundary")
    owner = np.tile(np.arange(len(cells)), cells.shape[1])
    incidence = coo_array((np.ones(owner.size), (owner, place.ravel())), shape=(len(cells), count.size)).tocsr()
    pieces, _ = connected_components(incidence @ incidence.T, directed=False)
    if pieces > 1:
        raise ValueError(
            f"{where}: its elements are not connected, they form {pieces} pieces that share no facet; "
            "expected one domain, with nodes that are not doubled"
        )


def _parts(where: str, given: Any, facet: str, dimension: int, cells: np.ndarray) -> dict[str, np.ndarray]:
    """The facets of each part of the boundary."""
    tags = next((given.cell_data[key] for key in _TAGS if key in given.cell_data), None)
    way_out = "give each a tag (Gmsh: a Physical Curve, or a Physical Surface in space)"
    boundary, _ = boundary_facets(cells)
    blocks = [i for i, block in enumerate(given.cells) if block.type == facet]
    if tags is None or not blocks:
        raise ValueError(f"{where}: none of the {len(boundary)} facets of its boundary has a tag; {way_out}")
    facets = np.concatenate([given.cells[i].data for i in blocks]).astype(np.intp)
    numbers = np.concatenate([np.asarray(tags[i]) for i in blocks]).astype(int)
    names = {int(number): name for name, (number, of) in given.field_data.items() if of == dimension - 1}
    known = {tuple(row) for row in np.sort(boundary, axis=1).tolist()}
    tagged: dict[tuple[int, ...], int] = {}
    for row, number in zip(np.sort(facets, axis=1).tolist(), numbers.tolist(), strict=True):
        if number != 0:
            if tuple(row) not in known:
                raise ValueError(f"{where}: a facet with the tag {names.get(number, number)} is no part of the boundary")
            if tagged.setdefault(tuple(row), number) != number:
                raise ValueError(f"{where}: a facet has two tags, {names.get(tagged[tuple(row)])} and {names.get(number)}")
    if len(tagged) < len(known):
        raise ValueError(f"{where}: {len(known) - len(tagged)} of the {len(known)} facets of its boundary have no tag; {way_out}")
    parts: dict[str, list[tuple[int, ...]]] = {}
    for row, number in tagged.items():
        parts.setdefault(names.get(number, str(number)), []).append(row)
    return {name: np.array(rows) for name, rows in sorted(parts.items())}
