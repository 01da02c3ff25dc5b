"""A landscape in short: as plain data for programs, as text for people."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..naming import model_text
from ..results import Status

if TYPE_CHECKING:
    from ..landscape.landscape import Landscape
    from ..landscape.records import Edge, Node
    from ..results import Descent, Estimate, SearchResult, StationaryPoint

_HEAD = 4  # eigenvalues shown of each point
_SHORT = 8  # unknowns up to which a point is written out


def summary(landscape: Landscape) -> dict[str, Any]:
    """Everything `saddlescape info --json` prints, as JSON-ready values.

    Returns
    -------
    dict
        With the keys that ``docs/command-line.md`` documents. Numbers that are not finite are None, since JSON has no NaN.
    """
    info, completeness = landscape.info, landscape.completeness()
    return {
        "file": landscape.path,
        "model": {
            "name": info.name,
            "params": _all_finite(info.params),
            "params_sha256": info.params_sha256,
            "source_sha256": info.source_sha256,
            "dim": info.dim,
            "symmetry": info.symmetry,
            "coercive": info.coercive,
        },
        "index_counts": {str(index): count for index, count in landscape.index_counts().items()},
        "euler": {"sum": completeness.euler, "applicable": completeness.applicable, "message": completeness.message},
        "nodes": [_node(node, name) for node, name in zip(landscape.nodes, landscape.state_names(), strict=True)],
        "edges": [_edge(edge) for edge in landscape.edges],
        "searches": {
            "done": len(landscape.searches),
            "left": len(landscape.frontier),
            "unmerged": len(landscape.pending),
            "recovered": landscape.recovered,
            "by_status": searches_by_status(landscape),
        },
        "runs": [
            {
                "id": run.id,
                "command": run.command,
                "started": run.started,
                "ended": run.ended,
                "status": run.status,
                "configuration": run.configuration,
                "entropy": run.entropy,
            }
            for run in landscape.runs
        ],
    }


def searches_by_status(landscape: Landscape) -> dict[str, int]:
    """How many searches ended in each way, the most frequent first."""
    return dict(Counter(search.result.status.value for search in landscape.searches).most_common())


def _node(node: Node, name: str | None) -> dict[str, Any]:
    return {"id": node.id, "name": name, **_point(node.point), "found_by": node.found_by, "hits": node.hits}


def _point(point: StationaryPoint) -> dict[str, Any]:
    return {
        "index": point.index,
        "nullity": point.nullity,
        "energy": _finite(point.energy),
        "gradient_norm": _finite(point.gradient_norm),
        "eigenvalues": [_finite(value) for value in point.eigenvalues],
        "orbit_size": point.orbit_size,
        "orbit_dimension": point.orbit_dimension,
        "certificate": point.certificate,
    }


def _edge(edge: Edge) -> dict[str, Any]:
    return {
        "parent": edge.parent,
        "child": edge.child,
        "key": edge.key,
        "kind": edge.kind,
        "direction": edge.direction,
        "sign": edge.sign,
        "method": edge.method,
        "metric": edge.metric,
        "max_energy": _finite(edge.max_energy),
        "hits": edge.hits,
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _all_finite(value: Any) -> Any:
    """A JSON-ready value with None for every number in it that is not finite."""
    if isinstance(value, dict):
        return {key: _all_finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_all_finite(item) for item in value]
    return _finite(value) if isinstance(value, float) else value


def describe(landscape: Landscape, rows: int | None = None) -> str:
    """A landscape as text: header, table of nodes, table of edges, searches by status, what the Euler sum says.

    Parameters
    ----------
    landscape : Landscape
    rows : int, optional
        The most rows of each table; a line says how many were left out. None: all.
    """
    sections = [_header(landscape)]
    if landscape.nodes:
        sections.append(_nodes_table(landscape, rows))
    if landscape.edges:
        sections.append(_edges_table(landscape, rows))
    sections.append(_ending(landscape))
    return "\n\n".join(sections)


def outcome(landscape: Landscape) -> str:
    """Two lines: how many points of which index, and how complete they may be."""
    return f"{_sizes(landscape)}\n{landscape.completeness().message}"


def _sizes(landscape: Landscape) -> str:
    counts = landscape.index_counts()
    return (
        f"{_counted(sum(counts.values()), 'point')} by index {counts} in {_counted(len(landscape.nodes), 'orbit')}, "
        f"{_counted(len(landscape.edges), 'edge')}, {_counted(len(landscape.searches), 'search')}"
    )


def search_summary(result: SearchResult) -> dict[str, Any]:
    """Everything `saddlescape search --json` prints, as JSON-ready values; ``point`` is None if none was found."""
    point = result.point
    return {
        "status": result.status.value,
        "success": result.success,
        "message": result.message,
        "target_index": result.target_index,
        "steps": result.n_steps,
        "energies": result.n_energy,
        "gradients": result.n_gradient,
        "hvps": result.n_hvp,
        "seconds": result.seconds,
        "x": [_finite(value) for value in result.x],
        "gradient_norm": _finite(result.gradient_norm),
        "rejected": result.n_rejected,
        "point": None if point is None else _point(point),
        "estimate": None if result.estimate is None else _estimate(result.estimate),
        "descent": None if result.descent is None else _descent(result.descent),
    }


def _descent(descent: Descent) -> dict[str, Any]:
    return {
        "best_x": descent.best_x.tolist(),
        "best_energy": _finite(descent.best_energy),
        "floor": _finite(descent.floor),
        "ceiling": _finite(descent.ceiling),
        "bounces": descent.n_bounces,
        "lowered": descent.n_lowered,
        "max_correction": _finite(descent.max_correction),
        "seed": descent.seed.entropy,
    }


def _estimate(estimate: Estimate) -> dict[str, Any]:
    return {
        "standard_error": [_finite(value) for value in estimate.standard_error],
        "gradient_norm": _finite(estimate.gradient_norm),
        "steps": estimate.steps,
        "index": estimate.index,
        "index_confidence": _finite(estimate.index_confidence),
        "eigenvalues": [_finite(value) for value in estimate.eigenvalues],
        "eigenvalue_errors": [_finite(value) for value in estimate.eigenvalue_errors],
    }


def describe_search(result: SearchResult) -> str:
    """A search as text: how it ended, its point or what is known of it, what it cost."""
    point, estimate, descent = result.point, result.estimate, result.descent
    lines = [result.message if point is None and estimate is None and descent is None else result.status.sentence]
    if point is not None:
        if point.x.size <= _SHORT:
            lines.append(f"x              {' '.join(f'{value:.12g}' for value in point.x)}")
        lines += [
            f"energy         {point.energy:.12g}",
            f"gradient norm  {point.gradient_norm:.1e}",
            f"Morse index    {point.index}, nullity {point.nullity}",
            f"eigenvalues    {_head(point.eigenvalues)}",
            f"certificate    {point.certificate}",
        ]
    elif estimate is not None:
        lines += _estimate_lines(estimate)
    elif descent is not None:
        lines += _descent_lines(descent, result)
    lines.append(
        f"cost           {_counted(result.n_steps, 'step')}, {_counted(result.n_gradient, 'gradient')}, "
        f"{_counted(result.n_hvp, 'Hessian-vector product')}, {result.seconds:.3g} s"
    )
    return "\n".join(lines)


def _estimate_lines(estimate: Estimate) -> list[str]:
    errors, values = estimate.standard_error, zip(estimate.eigenvalues, estimate.eigenvalue_errors, strict=True)
    lines = [f"average        of the last {_counted(estimate.steps, 'step')}; nothing is certified"]
    if estimate.x.size <= _SHORT:
        lines.append("x              " + " ".join(_measured(*pair) for pair in zip(estimate.x, errors, strict=True)))
    else:
        lines.append(f"standard error {errors.max():.1e} at most, of each unknown")
    return [
        *lines,
        f"gradient norm  at most {estimate.gradient_norm:.1e} (95 %)",
        f"Morse index    {estimate.index} with confidence {estimate.index_confidence:.3f}",
        f"eigenvalues    {' '.join(_measured(*pair) for pair in values)}",
    ]


def _descent_lines(descent: Descent, result: SearchResult) -> list[str]:
    lines = [f"best x         {' '.join(f'{value:.12g}' for value in descent.best_x)}"] if descent.best_x.size <= _SHORT else []
    ceiling = f"ceiling {descent.ceiling:.6g}" if math.isfinite(descent.ceiling) else "no ceiling"
    return [
        *lines,
        f"best energy    {descent.best_energy:.12g}, {descent.best_energy - descent.floor:.3g} above the floor; {ceiling}",
        f"highest        {result.max_energy:.6g}; last {result.energy:.6g}",
        f"steps          {_counted(descent.n_bounces, 'bounce')}, {result.n_rejected} rejected, largest energy correction "
        f"{descent.max_correction:.1e}",
        f"seed           {descent.seed.entropy}",
    ]


def _measured(value: float, error: float) -> str:
    """A number as far as its error lets it be known."""
    digits = max(0, 1 - math.floor(math.log10(error))) if 0.0 < error < math.inf else 6
    return f"{value:.{min(digits, 12)}f} +- {error:.1g}"


def _header(landscape: Landscape) -> str:
    info = landscape.info
    first = f"{model_text(info.name, info.params)}, {_counted(info.dim, 'unknown')}, symmetry: {info.symmetry}"
    return "\n".join([*([str(landscape.path)] if landscape.path else []), first, _sizes(landscape)])


def _nodes_table(landscape: Landscape, rows: int | None) -> str:
    nodes = sorted(landscape.nodes, key=lambda node: (node.point.index, node.point.energy, node.id))
    known = dict(zip((node.id for node in landscape.nodes), landscape.state_names(), strict=True))
    named = any(known.values())  # a column only where there is something in it
    cells = [
        (
            str(node.point.index),
            str(node.id),
            *([known[node.id] or ""] if named else []),
            f"{node.point.energy:.10g}",
            str(node.point.nullity),
            str(node.point.orbit_size),
            f"{node.point.gradient_norm:.1e}",
            str(node.hits),
            _head(node.point.eigenvalues),
        )
        for node in nodes
    ]
    names = ("index", "node", *(["state"] if named else []), "energy", "nullity", "orbit", "gradient", "hits", "lowest eigenvalues")
    return _table(names, cells, rows, "node")


def _edges_table(landscape: Landscape, rows: int | None) -> str:
    edges = sorted(landscape.edges, key=lambda e: (-landscape.nodes[e.parent].point.index, e.parent, e.child, e.kind, e.key))
    cells = [
        (
            f"{e.parent} -> {e.child}",
            f"{landscape.nodes[e.parent].point.index} -> {landscape.nodes[e.child].point.index}",
            e.kind,
            f"{'-' if e.sign < 0 else '+'}v{e.direction + 1}",
            f"{e.max_energy:.10g}",
            str(e.hits),
        )
        for e in edges
    ]
    return _table(("edge", "index", "kind", "along", "highest energy", "hits"), cells, rows, "edge")


def _table(names: Sequence[str], cells: Iterable[Sequence[str]], rows: int | None, thing: str) -> str:
    cells = list(cells)
    shown = cells if rows is None else cells[:rows]
    widths = [max(len(row[i]) for row in [names, *shown]) for i in range(len(names))]
    lines = ["  ".join(text.rjust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in [names, *shown]]
    if len(shown) < len(cells):
        lines.append(f"... and {_counted(len(cells) - len(shown), f'more {thing}')}")
    return "\n".join(lines)


def _head(eigenvalues: Sequence[float]) -> str:
    return " ".join(f"{value:.6g}" for value in eigenvalues[:_HEAD]) + (" ..." if len(eigenvalues) > _HEAD else "")


def _ending(landscape: Landscape) -> str:
    statuses = ", ".join(f"{count} {status}" for status, count in searches_by_status(landscape).items()) or "none"
    lines = [f"searches: {statuses}"]
    uncertain = [search.result.message for search in landscape.searches if search.result.status is Status.NOT_CERTIFIED]
    if uncertain:
        lines.append(f"the first that is not certified: {uncertain[0]}")
    waiting = len(landscape.frontier)
    if waiting:
        lines.append(f"unfinished: {_counted(waiting, 'search')} left, of which {len(landscape.pending)} made but not merged")
    if landscape.recovered:
        lines.append(f"recovered from the journal: {_counted(landscape.recovered, 'search')}")
    return "\n".join([*lines, landscape.completeness().message])


def _counted(count: int, thing: str) -> str:
    plural = thing + ("es" if thing.endswith("ch") else "s")
    return f"{count} {thing if count == 1 else plural}"
