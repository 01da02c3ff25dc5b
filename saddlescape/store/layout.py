"""The columns of format version 1: which field of which record goes where, with its units and its name in words."""

from __future__ import annotations

from .tables import Column

_ENERGY = "energy of the model"
_LENGTH = "unknowns of the model"
_GRADIENT = "energy / mass norm of the unknowns"
_CURVATURE = "energy / squared mass norm of the unknowns"

POINT = (
    Column("x", "position", _LENGTH, "position of the representative of the orbit"),
    Column("energy", "real", _ENERGY, "energy"),
    Column("gradient_norm", "real", _GRADIENT, "norm of the gradient in the mass inner product"),
    Column("index", "integer", "1", "Morse index"),
    Column("nullity", "integer", "1", "number of zero eigenvalues"),
    Column("eigenvalues", "vector", _CURVATURE, "lowest eigenvalues of H v = lambda mass v, ascending"),
    Column("residuals", "vector", _GRADIENT, "residual norms of the eigenpairs"),
    Column("eigenvectors", "rows", "1 / mass norm of the unknowns", "eigenvectors as rows, orthonormal in the mass inner product"),
    Column("certificate", "text", "text", "how the Morse index was counted"),
    Column("zero_tolerance", "real", _CURVATURE, "eigenvalues up to this size count as zero"),
    Column("orbit_size", "integer", "1", "number of points (connected components) of the orbit"),
    Column("orbit_dimension", "integer", "1", "dimension of the orbit under continuous symmetries"),
)

NODE = (
    Column("id", "integer", "1", "node id"),
    Column("found_by", "integer", "1", "id of the search that found it first"),
    Column("hits", "integer", "1", "number of searches that ended on its orbit"),
)

EDGE = (
    Column("parent", "integer", "1", "node id of the end of higher index"),
    Column("child", "integer", "1", "node id of the end of lower index"),
    Column("child_element", "vector", "1", "group element g: the connection ends at g . child"),
    Column("key", "integer", "1", "distinguishes parallel edges"),
    Column("kind", "text", "text", "down, up, quench+ or quench-"),
    Column("direction", "integer", "1", "number of the direction it left along"),
    Column("sign", "integer", "1", "side it left to"),
    Column("method", "text", "text", "method that moved the point"),
    Column("metric", "text", "text", "metric of the dynamics: mass or preconditioned"),
    Column("search", "integer", "1", "id of the search that saw it first"),
    Column("max_energy", "real", _ENERGY, "highest energy along the path"),
    Column("hits", "integer", "1", "number of searches that saw it"),
)

TASK = (
    Column("id", "integer", "1", "id of task and search, and key of its random stream"),
    Column("kind", "text", "text", "start, revisit, down, up, quench, ecd or ridge"),
    Column("parent", "integer", "1", "node id it leaves from; -1: a start"),
    Column(
        "direction",
        "integer",
        "1",
        "number of the direction it leaves along; -1: a start; of ecd the stage, of ridge the id of its ecd",
    ),
    Column("sign", "integer", "1", "side it leaves to; 0: a start, ecd or ridge"),
    Column("target", "integer", "1", "Morse index asked for"),
    Column("coefficients", "vector", "1", "the direction in terms of the eigenvectors of the parent; of ecd floor and ceiling"),
    Column("start", "start", _LENGTH, "where a start or ridge begins"),
    Column("run", "integer", "1", "id of the run it belongs to"),
    Column("mirror", "vector", "1", "group element that reverses the direction"),
    Column("noise", "real", "1", "relative size of a random perturbation of the start"),
)

SEARCH = (
    Column("node", "integer", "1", "node id it ended on; -1: none"),
    Column("element", "vector", "1", "group element g: it ended at g . representative"),
    Column("merge_distance", "real", "mass norm of the unknowns", "distance to g . representative; NaN: no node or a new one"),
    Column("method", "text", "text", "method that moved the point"),
    Column("metric", "text", "text", "metric of the dynamics: mass or preconditioned"),
)

RESULT = (
    Column("status", "text", "text", "how the search ended"),
    Column("message", "text", "text", "one sentence with its numbers"),
    Column("x", "position", _LENGTH, "last position"),
    Column("energy", "real", _ENERGY, "energy at the last position"),
    Column("gradient_norm", "real", _GRADIENT, "norm of the gradient at the last position"),
    Column("target_index", "integer", "1", "Morse index asked for"),
    Column("n_steps", "integer", "1", "steps of the dynamics"),
    Column("n_energy", "integer", "1", "calls of the energy"),
    Column("n_gradient", "integer", "1", "calls of the gradient"),
    Column("n_hvp", "integer", "1", "calls of the Hessian-vector product"),
    Column("max_energy", "real", _ENERGY, "highest energy along the path"),
    Column("seconds", "real", "s", "wall time"),
    Column("trajectory", "trajectory", "1", "path of the search in /trajectories; of ecd its ridge points"),
)

RUN = (
    Column("id", "integer", "1", "run id"),
    Column("started", "text", "text", "when it started, UTC"),
    Column("ended", "text", "text", "when it ended, UTC; empty while it runs"),
    Column("status", "text", "text", "running, complete or interrupted"),
    Column("configuration", "text", "text", "method, searches, limits and tolerances as JSON"),
    Column("entropy", "text", "text", "seed entropy, a decimal integer"),
    Column("command", "text", "text", "explore or extend"),
)

FRONTIER = (Column("state", "text", "text", "todo; done: made but not yet merged, see /pending"),)

PENDING = (
    Column("task", "integer", "1", "id of the task it belongs to"),
    Column("point", "integer", "1", "row of its point in /pending/points; -1: none"),
)
