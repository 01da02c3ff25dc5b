"""A landscape seen otherwise: spread out over its symmetric copies, by its barriers, as a networkx graph."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..numerics.orbits import align, alignments, compose
from ..symmetry import Symmetry
from .landscape import Landscape
from .records import Edge, Node

if TYPE_CHECKING:
    import networkx


class ExpandedLandscape(Landscape):
    """A landscape with every symmetric copy of every point as a node of its own; made by `expand`.

    Translations, if there are any, remain its symmetry: a node then stands for one connected component of an orbit.

    Attributes
    ----------
    orbits : list of int
        For each node, the id of its orbit: the node of the landscape it was made from.
    elements : list of (1 + a,) arrays
        For each node, the group element g with node = g . representative of the orbit.
    """

    def __init__(self, landscape: Landscape):
        group = landscape.symmetry
        remaining = Symmetry.generate(group.dim, grid=group.grid) if group.match is None else group
        super().__init__(
            replace(landscape.info, symmetry="none" if remaining.trivial else "translations"), landscape._model, remaining
        )
        self.runs = list(landscape.runs)
        self.orbits: list[int] = []
        self.elements: list[np.ndarray] = []


class _Copies:
    """The copies of one point: cosets of its stabiliser, in the order of the lowest discrete element of each.

    Attributes
    ----------
    representatives : list of int
        The lowest discrete element of each coset.
    coset : (G,) int array
        Which coset each discrete element belongs to.
    exact : (G, 1 + a) array
        For each discrete element one with a translation such that it maps the point exactly to the copy made by the
        representative of its coset.
    """

    def __init__(self, symmetry: Symmetry, node: Node, mass: float | np.ndarray):
        count, remainder = divmod(symmetry.order, node.point.orbit_size)
        if remainder or count == 0:
            raise ValueError(
                f"node {node.id}: an orbit of {node.point.orbit_size} copies does not fit a group of order {symmetry.order}; "
                "was the landscape made with another symmetry?"
            )
        elements, distances = alignments(symmetry, node.point.x, node.point.x, mass)
        # The size of the orbit says how many elements fix the point; no tolerance is needed to say which.
        fixing = elements[np.sort(np.argsort(distances, kind="stable")[:count])]
        self.representatives: list[int] = []
        self.coset = np.full(symmetry.order, -1)
        self.exact = np.empty((symmetry.order, symmetry.identity.size))
        for d in range(symmetry.order):
            if self.coset[d] >= 0:
                continue
            members = [compose(symmetry, _discrete(symmetry, d), element) for element in fixing]
            numbers = [int(member[0]) for member in members]
            if len(set(numbers)) < count or (self.coset[numbers] >= 0).any():
                raise ValueError(f"node {node.id}: the {count} elements that fix it best are no group; is its orbit size right?")
            self.coset[numbers] = len(self.representatives)
            self.exact[numbers] = members
            self.representatives.append(d)


def _discrete(symmetry: Symmetry, d: int) -> np.ndarray:
    element = symmetry.identity
    element[0] = d
    return element


def expand(landscape: Landscape) -> ExpandedLandscape:
    """Spread a landscape out: every symmetric copy of a point becomes a node, every image of an edge an edge.

    Parameters
    ----------
    landscape : Landscape

    Returns
    -------
    expanded : ExpandedLandscape
        Its nodes are grouped by orbit, orbits in their old order, the representative first. Its searches are not repeated.

    Raises
    ------
    ValueError
        If the sizes of the orbits do not fit the symmetry group, or the model is not at hand (see `Landscape.model`).

    Notes
    -----
    The copies of a point p are the cosets of its stabiliser. The edge p -> h . c has the images g . p -> g h . c for all g of the
    group; those that connect the same two copies are one. Where one search gave several edges, each the mirror image of the
    other, their images coincide and are counted once.
    """
    expanded = ExpandedLandscape(landscape)
    if landscape.symmetry.match is not None:
        expanded.nodes, expanded.edges = list(landscape.nodes), list(landscape.edges)
        expanded.orbits = [node.id for node in landscape.nodes]
        expanded.elements = [landscape.symmetry.identity for _ in landscape.nodes]
        return expanded
    group, mass = landscape.symmetry, landscape.info.mass
    copies = [_Copies(group, node, mass) for node in landscape.nodes]
    first = np.cumsum([0] + [len(c.representatives) for c in copies])
    for node, own in zip(landscape.nodes, copies, strict=True):
        for d in own.representatives:
            expanded.nodes.append(_copied_node(group, node, d, len(expanded.nodes)))
            expanded.orbits.append(node.id)
            expanded.elements.append(_discrete(group, d))
    expanded.edges = _copied_edges(landscape.edges, group, copies, first)
    return expanded


def _copied_node(group: Symmetry, node: Node, d: int, number: int) -> Node:
    element = _discrete(group, d)
    point = replace(
        node.point,
        x=group.apply(element, node.point.x),
        eigenvectors=group.apply(element, node.point.eigenvectors),
        orbit_size=1,
    )
    return replace(node, id=number, point=point)


def _copied_edges(edges: list[Edge], group: Symmetry, copies: list[_Copies], first: np.ndarray) -> list[Edge]:
    found: dict[tuple[int, int, int], int] = {}
    images: list[tuple[tuple[int, int, int], Edge]] = []
    for d in range(group.order):
        for number, edge in enumerate(edges):
            parent, child = copies[edge.parent], copies[edge.child]
            reached = compose(group, parent.exact[d], edge.child_element)
            coset = child.coset[int(reached[0])]
            ends = int(first[edge.parent] + parent.coset[d]), int(first[edge.child] + coset)
            # Seen already under another element: this edge is the image of one that is there.
            if found.setdefault((edge.search, *ends), d) != d:
                continue
            element = np.zeros(reached.size)
            if group.grid is not None:
                # Both move the representative to the same copy, up to this translation.
                element[1:] = (reached[1:] - child.exact[int(reached[0])][1:]) % np.array(group.grid)
            images.append(((number, *ends), replace(edge, parent=ends[0], child=ends[1], child_element=element)))
    return [edge for _, edge in sorted(images, key=lambda image: image[0])]


def distances(landscape: Landscape, x: np.ndarray) -> np.ndarray:
    """How far a state is from each node; see `Landscape.distances`."""
    x = np.asarray(x, dtype=float)
    if x.shape != (landscape.info.dim,):
        raise ValueError(f"x: got shape {x.shape}, expected ({landscape.info.dim},), a state of {landscape.info.name}")
    return np.array([align(landscape.symmetry, x, point.x, landscape.info.mass)[1] for point in landscape.points])


def barrier(landscape: Landscape, start: int, end: int) -> float:
    """Energy of the highest saddle on the best path between two minima.

    Parameters
    ----------
    landscape : Landscape
        Its nodes stand for orbits: the path leads from some copy of one minimum to some copy of the other, unless the
        landscape has been expanded.
    start, end : int
        Ids of two minima.

    Returns
    -------
    energy : float
        On the energy scale of the model, not relative to a minimum; infinite if no quench edges connect the two.

    Raises
    ------
    IndexError
        If an id does not exist.
    ValueError
        If a node is not a minimum.
    """
    for name, i in (("start", start), ("end", end)):
        landscape._check_node(i)
        index = landscape.nodes[i].point.index
        if index != 0:
            raise ValueError(f"{name}: node {i} has Morse index {index}, expected a minimum, one of {landscape.minima()}")
    energies = [point.energy for point in landscape.points]
    if start == end:
        return energies[start]
    basin = list(range(len(energies)))

    def root(i: int) -> int:
        while basin[i] != i:
            basin[i] = basin[basin[i]]
            i = basin[i]
        return i

    quenches = [edge for edge in landscape.edges if edge.kind in ("quench+", "quench-")]
    # Kruskal: basins merge in the order of the saddles that join them, and the first to join these two is the minimax.
    for edge in sorted(quenches, key=lambda edge: energies[edge.parent]):
        basin[root(edge.parent)] = root(edge.child)
        if root(start) == root(end):
            return energies[edge.parent]
    return math.inf


def to_networkx(landscape: Landscape) -> networkx.MultiDiGraph:
    """The landscape as a networkx graph, with plain Python values as attributes.

    Parameters
    ----------
    landscape : Landscape

    Returns
    -------
    graph : networkx.MultiDiGraph
        Nodes are node ids, with name (what the model calls the state, else empty), index, nullity, energy, orbit_size,
        gradient_norm and certificate. Edges lead from the higher to
        the lower point and have the key of the landscape's edge, with kind, direction, sign, method, metric, search, hits,
        max_energy and element (a list: the group element g with end point g . child).
    """
    import networkx

    graph = networkx.MultiDiGraph(model=landscape.info.name)
    for node, name in zip(landscape.nodes, landscape.state_names(), strict=True):
        point = node.point
        graph.add_node(
            node.id,
            name=name or "",
            index=int(point.index),
            nullity=int(point.nullity),
            energy=float(point.energy),
            orbit_size=int(point.orbit_size),
            gradient_norm=float(point.gradient_norm),
            certificate=str(point.certificate),
        )
    for edge in landscape.edges:
        graph.add_edge(
            edge.parent,
            edge.child,
            key=int(edge.key),
            kind=str(edge.kind),
            direction=int(edge.direction),
            sign=int(edge.sign),
            method=str(edge.method),
            metric=str(edge.metric),
            search=int(edge.search),
            hits=int(edge.hits),
            max_energy=float(edge.max_energy),
            element=[float(value) for value in edge.child_element],
        )
    return graph
