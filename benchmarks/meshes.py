"""The Landau-de Gennes model on meshes: kernels against SciPy's sparse product, and steps as the mesh is refined."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse
from timing import duration, in_turns, machine, parser, ratio, table

from saddlescape import HiSD, search
from saddlescape.models import ReducedLandauDeGennes
from saddlescape.models.liquid_crystals import Disk, Hexagon
from saddlescape.models.liquid_crystals.domains.domain import Domain


def against_scipy(name: str, model: ReducedLandauDeGennes, repetitions: int, loops: int) -> list[list]:
    """A row for each derivative: its time and that of one product of SciPy with the elastic form of both components."""
    rng = np.random.default_rng(0)
    x, v, out = rng.standard_normal(model.dim), rng.standard_normal(model.dim), np.empty(model.dim)
    # At P = 0 the Hessian is the elastic form less a multiple of the mass: what couples the components there is zero.
    elastic = scipy.sparse.csr_array(model.hessian(np.zeros(model.dim)))
    elastic.eliminate_zeros()

    def looped(function: Callable) -> Callable[[], None]:
        def loop() -> None:
            for _ in range(loops):
                function()

        return loop

    calls = {"gradient": lambda: model.gradient(x, out), "hvp": lambda: model.hvp(x, v, out), "SciPy": lambda: elastic @ x}
    found = {key: sample.median / loops for key, sample in in_turns({k: looped(f) for k, f in calls.items()}, repetitions).items()}
    return [
        [f"{name} {key}", model.n_nodes, duration(found[key]), duration(found["SciPy"]), ratio(found[key] / found["SciPy"])]
        for key in ("gradient", "hvp")
    ]


def steps(name: str, domain: Domain, sizes: tuple[int, ...], seeds: int, **options: str) -> list[list]:
    """A row for each mesh: steps to a minimum from the same starts, the uniform state and a smooth bump."""
    rows = []
    for n in sizes:
        model = ReducedLandauDeGennes(n, 20.0, domain=domain, **options)
        fields = model.unpack(np.zeros(model.dim))
        nodes = fields["nodes"][fields["order"] == 0.0]  # the free ones
        starts = [bumped(model, nodes, seed) for seed in range(seeds)]
        counts = [search(model, x, HiSD(0), tol=1e-6, polish=False).n_steps for x in starts]
        rows.append([name, n, model.dim, f"{np.median(counts):g}", f"{min(counts)}-{max(counts)}"])
    return rows


def bumped(model: ReducedLandauDeGennes, nodes: np.ndarray, seed: int) -> np.ndarray:
    """The uniform state with a bump at a random place, the same function of space on every mesh."""
    place, height = np.random.default_rng(seed).uniform(-0.3, 0.3, (2, 2))
    bump = np.exp(-3.0 * ((nodes - place) ** 2).sum(axis=1))
    return model.start("uniform") + np.concatenate([height[0] * bump, height[1] * bump])


def main() -> None:
    """Print the tables."""
    quick = parser(__doc__).parse_args().quick
    print(machine())
    rows = []
    for n, loops in ((9, 10),) if quick else ((33, 400), (257, 4)):
        rows += against_scipy(f"hexagon n = {n}", ReducedLandauDeGennes(n, 30.0, domain=Hexagon()), 2 if quick else 9, loops)
        rows += against_scipy(f"disk n = {n}", ReducedLandauDeGennes(n, 30.0, domain=Disk()), 2 if quick else 9, loops)
    columns = ["kernel", "free nodes", "time", "SciPy product", "kernel / product"]
    print(table("Kernels against a product of SciPy with the sparse elastic form", columns, rows))
    sizes, seeds = ((5, 9), 2) if quick else ((17, 33, 65, 129), 20)
    rows = steps("hexagon", Hexagon(), sizes, seeds)
    rows += steps("disk", Disk(), sizes, seeds, anchoring="homeotropic")
    print(
        table(
            "Preconditioned steps to |g| < 1e-6 at a minimum, lambda2 = 20", ["domain", "n", "unknowns", "median", "from-to"], rows
        )
    )


if __name__ == "__main__":
    main()
