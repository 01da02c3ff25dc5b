"""The command line: what people type. This package is the only place of the library that prints.

Exit codes: 0 all is well; 1 an error, said in one line on stderr; 2 wrong usage; 130 interrupted, with what to type to go on.
Every command imports what it needs when it runs, so that ``saddlescape --help`` answers at once and ``info`` never waits for
numba.
"""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .arguments import say
from .parser import build_parser

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after ``saddlescape``. Default: those of this process.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    SystemExit
        After ``--help`` and ``--version`` (code 0), and on wrong usage (code 2).
    """
    options = build_parser().parse_args(argv)
    try:
        with warnings.catch_warnings(), _log_shown(options.traceback):
            warnings.showwarning = _show_warning
            code = options.command(options)
            sys.stdout.flush()
            return code
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    except BrokenPipeError:  # the reader of a pipe (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if options.traceback:
            raise
        say(f"error: {_one_line(error)}")
        return 1


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, (ValueError, TypeError, OSError, ImportError)) and text:
        return text
    return f"{type(error).__name__}: {text} (--traceback shows where)"


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    say(f"warning: {' '.join(str(message).split())}")


class _Lines(logging.Handler):
    """What the library logs as single lines; why a search failed is in the file, so its traceback is shown only on request."""

    def __init__(self, traceback: bool):
        super().__init__(logging.WARNING)
        self._traceback = traceback

    def emit(self, record: logging.LogRecord) -> None:
        reason = f": {record.exc_info[1]}" if record.exc_info else ""
        say(f"{record.levelname.lower()}: {' '.join((record.getMessage() + reason).split())}")
        if self._traceback and record.exc_info:
            sys.stderr.write(logging.Formatter().formatException(record.exc_info) + "\n")


@contextmanager
def _log_shown(traceback: bool) -> Iterator[None]:
    logger, lines = logging.getLogger("saddlescape"), _Lines(traceback)
    logger.addHandler(lines)
    try:
        yield
    finally:
        logger.removeHandler(lines)
