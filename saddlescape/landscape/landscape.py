"""The solution landscape: stationary points, the connections between them, and what is known of its completeness."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..model import EnergyModel, check_is_model
from ..naming import FROM_PYTHON, is_in_memory, is_shipped, load_model
from ..results import SearchResult, StationaryPoint
from .completeness import Completeness
from .info import ModelInfo
from .records import Commit, Edge, Node, Run, SearchRecord, Task

if TYPE_CHECKING:
    import networkx

    from ..symmetry import Symmetry


class Landscape:
    """A solution landscape: one representative per symmetry orbit, and edges that carry group elements.

    Made by `saddlescape.explore`, `saddlescape.resume` and `saddlescape.load`; the constructor makes an empty one.

    Parameters
    ----------
    info : ModelInfo
    model : EnergyModel, optional
        Kept if given; see `model`.
    symmetry : Symmetry, optional
        The group modulo which points are merged. Default: the model's.

    Attributes
    ----------
    nodes : list of Node
    edges : list of Edge
    searches : list of SearchRecord
    frontier : dict of int to Task
        Searches not yet made.
    pending : dict of int to SearchResult
        Searches made but not yet merged: what waited for its turn when a run was stopped or cut off.
    runs : list of Run
    path : str or None
        The file it came from or goes to.
    recovered : int
        How many searches were replayed from the journal when it was loaded.
    """

    def __init__(self, info: ModelInfo, model: EnergyModel | None = None, symmetry: Symmetry | None = None):
        self.info = info
        self._model = model
        self._symmetry = symmetry
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self._index: tuple[int, dict[tuple[int, int], list[int]]] = (0, {})
        self.searches: list[SearchRecord] = []
        self.frontier: dict[int, Task] = {}
        self.pending: dict[int, SearchResult] = {}
        self.runs: list[Run] = []
        self.path: str | None = None
        self.recovered = 0

    # --- growing --------------------------------------------------------------------------------------------------------

    def add_tasks(self, tasks: tuple[Task, ...]) -> None:
        """Put searches on the frontier."""
        self.frontier.update((task.id, task) for task in tasks)

    def apply(self, commit: Commit) -> None:
        """Take in one merged search: the only way a landscape grows."""
        search = commit.search
        self.frontier.pop(search.task.id, None)
        self.pending.pop(search.task.id, None)
        self.searches.append(search)
        if commit.new_node is not None:
            self.nodes[commit.new_node.id : commit.new_node.id + 1] = [commit.new_node]
        elif search.node >= 0:
            node = self.nodes[search.node]
            self.nodes[search.node] = replace(node, hits=node.hits + 1)
        for edge in commit.edges:
            self._add_edge(edge)
        self.add_tasks(commit.new_tasks)

    def _add_edge(self, edge: Edge) -> None:
        for position in self._places(edge.parent, edge.child):
            seen = self.edges[position]
            if seen.key == edge.key:
                self.edges[position] = replace(seen, hits=seen.hits + 1)
                return
        self.edges.append(edge)

    def _places(self, parent: int, child: int) -> list[int]:
        """Positions of the edges between two nodes, from an index that follows the list as it grows."""
        indexed, places = self._index
        if indexed > len(self.edges):
            indexed, places = 0, {}
        for position in range(indexed, len(self.edges)):
            edge = self.edges[position]
            places.setdefault((edge.parent, edge.child), []).append(position)
        self._index = len(self.edges), places
        return places.get((parent, child), [])

    def edges_between(self, parent: int, child: int) -> list[Edge]:
        """The edges from a parent to a child, in the order in which they were found."""
        return [self.edges[position] for position in self._places(parent, child)]

    def extend(self, start: Any = None, **options: Any) -> Landscape:
        """Search on: from more starts, to other indices, in other ways.

        The landscape grows in place, in its file too if it has one. Every node is left anew in the ways asked for, except in those
        in which it was left before.

        Parameters
        ----------
        start : str, (n,) array, or a sequence of them, optional
            More starts. Default: none.
        **options
            ``max_index, method, searches, upward, executor, workers, rng, progress, callback, merge_tolerance`` as in
            `saddlescape.explore`.

        Returns
        -------
        Landscape
            Itself.

        Raises
        ------
        ValueError
            If an interrupted run is not finished yet, or the file holds another state; also as for `saddlescape.explore`.
        """
        from .explore import extend

        return extend(self, start, **options)

    def resume(self, **options: Any) -> Landscape:
        """Finish an interrupted run, in the landscape's file too if it has one.

        Parameters
        ----------
        **options
            ``method`` (one that is not the library's own), ``executor, workers, progress, callback`` as in `saddlescape.explore`.
        """
        from .explore import go_on

        return go_on(self, **options)

    @property
    def unfinished(self) -> bool:
        """Whether `resume` has something to do: searches are left, or the run was cut off between the last one and its end."""
        return bool(self.frontier) or any(run.status == "running" for run in self.runs[-1:])

    @property
    def next_task(self) -> int:
        """The id of the next task to be made; ids are never reused."""
        return len(self.searches) + len(self.frontier)

    # --- reading --------------------------------------------------------------------------------------------------------

    @property
    def points(self) -> list[StationaryPoint]:
        """The stationary points, one per orbit, by node id."""
        return [node.point for node in self.nodes]

    @property
    def model(self) -> EnergyModel:
        """The energy model; a shipped one is rebuilt from its name and parameters on first use.

        Raises
        ------
        ValueError
            If the file names a model that is not shipped: attach yours with `attach`.
        """
        if self._model is None:
            if not is_shipped(self.info.name, self.info.params):
                way_out = "attach your model with landscape.attach(model) (command line: --model path/file.py:Class)"
                if is_in_memory(self.info.name):
                    way_out = f"{FROM_PYTHON}, or landscape.attach(model)"
                raise ValueError(
                    f"model: this landscape belongs to {self.info.name}, which is not shipped and is never imported from a file; "
                    + way_out
                )
            self._model = load_model(self.info.name, self.info.params)
        return self._model

    def attach(self, model: EnergyModel, symmetry: Symmetry | None = None) -> Landscape:
        """Give a loaded landscape its model back; returns the landscape.

        Raises
        ------
        TypeError
            If it is no model.
        ValueError
            If name, parameters or dimension differ from the model the landscape was made with.
        """
        check_is_model(model)
        self.info.check(model)
        self._model = model
        self._symmetry = symmetry if symmetry is not None else self._symmetry
        return self

    @property
    def symmetry(self) -> Symmetry:
        """The group modulo which points are merged (the trivial group if there is none)."""
        if self._symmetry is None:
            from ..symmetry import Symmetry

            declared = self.model.symmetry
            self._symmetry = declared if declared is not None else Symmetry.generate(self.info.dim)
        return self._symmetry

    def minima(self) -> list[int]:
        """Ids of the minima, by energy."""
        return self.saddles(0)

    def saddles(self, index: int) -> list[int]:
        """Ids of the points of one Morse index, by energy."""
        found = [node.id for node in self.nodes if node.point.index == index]
        return sorted(found, key=lambda i: (self.nodes[i].point.energy, i))

    def children(self, node: int) -> list[int]:
        """Ids of the points of lower index connected to a node."""
        self._check_node(node)
        return sorted({edge.child for edge in self.edges if edge.parent == node})

    def parents(self, node: int) -> list[int]:
        """Ids of the points of higher index connected to a node."""
        self._check_node(node)
        return sorted({edge.parent for edge in self.edges if edge.child == node})

    def _check_node(self, node: int) -> None:
        if not 0 <= node < len(self.nodes):
            raise IndexError(f"node: got {node}, expected an id from 0 to {len(self.nodes) - 1}")

    def state_names(self) -> list[str | None]:
        """What the model calls each node's state, by node id.

        None where the model knows no name, has no ``state_name``, or is a user's own that was not attached.
        """
        try:
            name = getattr(self.model, "state_name", None)
        except ValueError:
            name = None
        return [None if name is None else name(point.x) for point in self.points]

    def barrier(self, i: int, j: int) -> float:
        """Minimax energy between two minima over quench edges: the highest saddle on the best path, on the model's energy scale.

        Parameters
        ----------
        i, j : int
            Ids of minima. On a landscape of orbits the path joins some copy of one to some copy of the other; see `expand`.

        Returns
        -------
        float
            ``inf`` if no path of quench edges joins them.

        Raises
        ------
        IndexError, ValueError
            If an id is out of range or no minimum.
        """
        from .expand import barrier

        return barrier(self, i, j)

    def expand(self) -> Landscape:
        """The landscape with every symmetric copy of every point as a node of its own, and every image of every edge."""
        from .expand import expand

        return expand(self)

    def to_networkx(self) -> networkx.MultiDiGraph:
        """A networkx graph: nodes and keyed edges with plain Python attributes."""
        from .expand import to_networkx

        return to_networkx(self)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the landscape to an HDF5 file; a landscape file that is there already is replaced, any other file is not.

        Raises
        ------
        saddlescape.store.StoreError
            If it cannot be written.
        """
        from ..store import save

        save(self, path)

    def index_counts(self) -> dict[int, int]:
        """How many points (components of critical orbits) there are of each index, symmetric copies counted."""
        counts: Counter[int] = Counter()
        for point in self.points:
            counts[point.index] += point.orbit_size
        return dict(sorted(counts.items()))

    def euler_characteristic(self) -> int:
        """Sum of (-1)^index chi over the critical orbits found: chi is 1 for a point, 0 for a circle or torus.

        It is 1 for the complete landscape of a coercive energy with non-degenerate critical orbits; see `completeness`.
        """
        return sum((-1) ** p.index * p.orbit_size for p in self.points if p.orbit_dimension == 0)

    def completeness(self) -> Completeness:
        """What the Euler characteristic says about missing points."""
        return Completeness.of(self)

    def __repr__(self) -> str:
        counts, name = self.index_counts(), self.info.name.rpartition(".")[2]
        return (
            f"Landscape({name}: {sum(counts.values())} points by index {counts}, {len(self.nodes)} orbits, "
            f"{len(self.edges)} edges, Euler sum {self.euler_characteristic()}"
            + (f", {len(self.frontier)} searches left)" if self.frontier else ")")
        )
