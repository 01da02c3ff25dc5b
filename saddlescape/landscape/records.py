"""What a landscape is made of: tasks, searches, edges. Plain data, shared by the drivers and the store."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..results import SearchResult, StationaryPoint


@dataclass(frozen=True, eq=False)
class Task:
    """One search to be made.

    Parameters
    ----------
    id : int
        Position in the order of all tasks; also the key of its spawned random stream, and the id of its search.
    kind : str
        "start" (from a given point), "revisit" (from a node that a new run is to leave in other ways), "down", "up", "quench"
        (gradient flow from an index-1 saddle), "ecd" (a trajectory under a ceiling), "ridge" (from a ridge point on one).
    parent : int
        Node id the search leaves from, -1 for a start.
    direction : int
        Number of the direction it leaves along, -1 for a start or revisit; of a trajectory its stage, counted from 0; of a ridge
        the id of the trajectory.
    sign : int
        +1 or -1; 0 for whatever leaves along no eigenvector.
    target : int
        The index asked for; -1: that of the Hessian at the start.
    coefficients : (m,) array
        The direction in terms of the parent's eigenvectors; of a trajectory floor and ceiling; else empty.
    start : (n,) array or None
        Where a start or a ridge begins; everything else begins at its parent.
    run : int
        Which run (call of explore, extend) it belongs to.
    mirror : (1 + a,) array or None
        A symmetry that fixes the parent and reverses the direction; the search of the opposite sign is then its image and is
        not run.
    noise : float
        Size of a random perturbation of the start relative to the step along the direction: it leaves the invariant subspace of a
        symmetric direction. Negative: to the other side.
    """

    id: int
    kind: str
    parent: int
    direction: int
    sign: int
    target: int
    coefficients: np.ndarray
    start: np.ndarray | None = None
    run: int = 0
    mirror: np.ndarray | None = None
    noise: float = 0.0


@dataclass(frozen=True, eq=False)
class Edge:
    """A connection that was seen: from ``parent`` (higher index) to ``element . child`` (lower index).

    Parameters
    ----------
    parent, child : int
        Node ids.
    child_element : (1 + a,) array
        The group element g such that the search from the parent's representative ended at (or started from) g . child.
    key : int
        Distinguishes parallel edges.
    kind : str
        "down", "up" (found going from child to parent), "quench+", "quench-".
    direction, sign : int
        Which eigenvector of the node it left from, and its side.
    method : str
        The method that moved the point, as text.
    metric : str
        "mass" or "preconditioned".
    search : int
        Id of the search; several edges may come from one (mirror images).
    max_energy : float
        The highest energy along the path.
    hits : int
        How many searches saw it.
    """

    parent: int
    child: int
    child_element: np.ndarray
    key: int
    kind: str
    direction: int
    sign: int
    method: str
    metric: str
    search: int
    max_energy: float
    hits: int = 1


@dataclass(frozen=True, eq=False)
class Node:
    """A point of the landscape with how it was found.

    Parameters
    ----------
    id : int
    point : StationaryPoint
        The representative of its orbit.
    found_by : int
        Id of the search that found it first.
    hits : int
        How many searches ended on its orbit.
    """

    id: int
    point: StationaryPoint
    found_by: int
    hits: int = 1


@dataclass(frozen=True, eq=False)
class SearchRecord:
    """A search that was made, failures too.

    Parameters
    ----------
    task : Task
    result : SearchResult
    node : int
        Id of the node it ended on, -1 for none.
    element : (1 + a,) array
        The group element g with end point = g . representative.
    merge_distance : float
        Distance between the end point and g . representative in the mass norm; NaN where there is no node or the node is new.
    method, metric : str
        As in `Edge`.
    """

    task: Task
    result: SearchResult
    node: int
    element: np.ndarray
    merge_distance: float
    method: str
    metric: str


@dataclass(frozen=True, eq=False)
class Commit:
    """What merging one search changed. Applying the commits of a run in order rebuilds the landscape from nothing.

    Parameters
    ----------
    search : SearchRecord
        Its ``result.point`` is dropped; ``node`` says where it ended.
    new_node : Node or None
        If the end point was new, or a revisited node whose eigenpairs were computed further.
    edges : tuple of Edge
        Edges that are new, or seen again (same parent, child and key: hits counted up).
    new_tasks : tuple of Task
        What the new node adds to the frontier, and searches that are to be made again.
    """

    search: SearchRecord
    new_node: Node | None
    edges: tuple[Edge, ...] = ()
    new_tasks: tuple[Task, ...] = ()


@dataclass(frozen=True, eq=False)
class Run:
    """One call of explore or extend.

    Parameters
    ----------
    id : int
    started : str
        UTC, ISO 8601.
    ended : str
        Empty while it runs.
    status : str
        "running", "complete", "interrupted".
    configuration : dict
        JSON-ready: method, quench, searches, max_index, merge_tolerance.
    entropy : int
        Seed entropy.
    command : str
        "explore" or "extend".
    """

    id: int
    started: str
    ended: str
    status: str
    configuration: dict
    entropy: int
    command: str = "explore"
