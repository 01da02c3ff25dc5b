"""Peak memory of the phase-field landscape, above what the imports take."""

from __future__ import annotations

import subprocess
import sys

from timing import machine, parser, table

# A process of its own for each size: a peak never falls. Nothing heavy is imported in this one, because a new process
# starts with the peak of the one that started it.
CHILD = """
import resource, sys
from saddlescape import explore
from saddlescape.models import PhaseField

def peak():
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return usage / 2**20 if sys.platform == "darwin" else usage / 2**10

imports = peak()
explore(PhaseField(8, 0.02))
loaded = peak()
landscape = explore(PhaseField(int(sys.argv[1]), 0.02))
print(imports, loaded, peak(), sum(landscape.index_counts().values()))
"""


def main() -> None:
    """Print the table."""
    quick = parser(__doc__).parse_args().quick
    print(machine())
    rows = []
    for n in (16,) if quick else (32, 64, 128):
        done = subprocess.run([sys.executable, "-c", CHILD, str(n)], capture_output=True, text=True, check=True)
        imports, loaded, peak, points = (float(word) for word in done.stdout.split())
        megabytes = (imports, loaded, peak, peak - imports, peak - loaded)
        rows.append([f"phase field {n}x{n}", f"{points:g}", *(f"{size:.0f}" for size in megabytes)])
    columns = ["landscape", "points", "imports", "first use", "peak", "peak - imports", "peak - first use"]
    title = "Peak memory in MiB; first use: after an 8x8 landscape, which loads kernels and all other code"
    print(table(title, columns, rows))


if __name__ == "__main__":
    main()
