"""Fresh processes: importing the library, and the run file examples/mueller_brown.toml with warm and with empty kernel cache."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from timing import duration, in_turns, machine, parser, table

RUN_FILE = Path(__file__).resolve().parents[1] / "examples" / "mueller_brown.toml"


class Processes:
    """Fresh processes in a folder, all with one environment."""

    def __init__(self, folder: str, environment: Mapping[str, str]):
        self.folder = folder
        self.environment = environment
        self._numbers = count()

    def python(self, *words: str) -> None:
        """Run the interpreter to its end."""
        subprocess.run([sys.executable, *words], cwd=self.folder, env=self.environment, check=True)

    def explore(self) -> None:
        """The run file, into a new file and a picture."""
        self.python("-m", "saddlescape.cli", "explore", str(RUN_FILE), "--quiet", "-o", f"{next(self._numbers)}.h5")


def main() -> None:
    """Print the table."""
    quick = parser(__doc__).parse_args().quick
    print(machine(), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        # Compiling takes long: a quick run uses the cache that is there.
        environment = dict(os.environ) if quick else {**os.environ, "NUMBA_CACHE_DIR": os.path.join(folder, "cache")}
        fresh = Processes(folder, environment)
        began = time.perf_counter()
        fresh.explore()
        first = time.perf_counter() - began
        found = in_turns(
            {
                "python -c 'import numpy'": lambda: fresh.python("-c", "import numpy"),
                "python -c 'import numpy, saddlescape'": lambda: fresh.python("-c", "import numpy, saddlescape"),
                "explore mueller_brown.toml, kernels from the cache": fresh.explore,
            },
            1 if quick else 7,
            warm_up=not quick,
        )
    rows = [[name, duration(sample.median)] for name, sample in found.items()]
    if not quick:
        rows.append(["explore mueller_brown.toml, empty cache (once)", duration(first)])
    print(table("Wall time of a fresh process; explore writes the file and the picture", ["process", "time"], rows))


if __name__ == "__main__":
    main()
