"""The commands and their options."""

from __future__ import annotations

import argparse
from typing import Any

from .. import __version__
from . import diagrams, files, models, runs
from .arguments import FIGURES, natural, positive, tolerance


def build_parser() -> argparse.ArgumentParser:
    """The parser of ``saddlescape``; parsed options carry their command as ``command``."""
    parser = argparse.ArgumentParser(
        prog="saddlescape",
        description="Solution landscapes of energy models: stationary points with certified Morse indices, and their connections.",
    )
    parser.add_argument("--version", action="version", version=f"saddlescape {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--traceback", action="store_true", help="show where an error came from")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, command: Any, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", parents=[common])
        sub.set_defaults(command=command)
        return sub

    _add_run_commands(add)
    _add_reading_commands(add)
    _add_model_commands(add)
    return parser


def _add_run_commands(add: Any) -> None:
    run = add("explore", runs.run_explore, "find the landscape that a run file describes")
    run.add_argument("run", metavar="RUN.toml", help="the run file")
    run.add_argument("-o", "--output", metavar="FILE.h5", help="the landscape file (default: the run file's)")
    existing = run.add_mutually_exclusive_group()
    existing.add_argument("--resume", action="store_true", help="go on if the landscape file exists")
    existing.add_argument("--overwrite", action="store_true", help="replace the landscape file if it exists")
    resume = add("resume", runs.run_resume, "go on with a run from where its file stands")
    resume.add_argument("file", metavar="FILE.h5", help="the landscape file")
    resume.add_argument("--model", metavar="path/file.py:Class", help="the model, if it is not a shipped one")
    follow = add("follow", diagrams.run_follow, "follow the states of a run file in a parameter: their bifurcation diagram")
    follow.add_argument("run", metavar="RUN.toml", help="the run file, with a table [follow]")
    follow.add_argument("-o", "--output", metavar="FILE.h5", help="the diagram's file (default: the run file's)")
    follow.add_argument("-q", "--quiet", action="store_true", help="no report")
    for sub in (run, resume):
        sub.add_argument("--workers", type=positive, metavar="N", help="worker processes; the result does not depend on them")
        sub.add_argument("-q", "--quiet", action="store_true", help="no progress and no report")


def _add_reading_commands(add: Any) -> None:
    info = add("info", files.run_info, "say what a file holds, of a landscape or of a bifurcation diagram")
    info.add_argument("--json", action="store_true", help="as JSON, keys as documented in docs/command-line.md")
    info.add_argument("--all", action="store_true", help=f"whole tables, also beyond {files.ROWS} rows")
    plot = add("plot", files.run_plot, "draw a landscape file, as a pathway map or how it was found, or a bifurcation diagram")
    plot.add_argument("-o", "--output", required=True, metavar="FIGURE", help=f"the picture, {', '.join(FIGURES)}")
    picture = plot.add_mutually_exclusive_group()
    picture.add_argument("--energy", action="store_true", help="energy instead of Morse index upwards")
    picture.add_argument("--discovery", action="store_true", help="points found against gradients spent instead of the map")
    plot.add_argument("--expand", action="store_true", help="draw every symmetric copy")
    plot.add_argument("--excess", action="store_true", help="of a bifurcation diagram: energies above that of the lowest branch")
    plot.add_argument("--model", metavar="path/file.py:Class", help="the model, if it is not a shipped one")
    export = add("export", files.run_export, "write a landscape file as GraphML, JSON or CSV, a bifurcation diagram as CSV")
    export.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="the file to write; CSV is two: NAME.csv becomes NAME_nodes.csv and NAME_edges.csv",
    )
    export.add_argument("--format", help="graphml, json or csv, whatever the ending of the file (default: by its ending)")
    for sub in (info, plot, export):
        sub.add_argument("file", metavar="FILE.h5", help="the file")


def _add_model_commands(add: Any) -> None:
    check = add("check-model", models.run_check_model, "test the derivatives, symmetries and preconditioner of a model")
    check.add_argument("model", metavar="MODEL", help="name of a shipped model, path/file.py:Class, or a run file")
    search = add("search", models.run_search, "search one stationary point of a given Morse index")
    search.add_argument("model", metavar="MODEL", help="name of a shipped model, path/file.py:Class, or a run file")
    search.add_argument("--index", type=natural, metavar="K", help="the Morse index to look for, unless the method explores")
    search.add_argument("--start", nargs="+", metavar="START", help="numbers, the name of a start, or a .npy file")
    search.add_argument("--tol", type=tolerance, help="gradient norm, in the mass norm, to reach")
    search.add_argument("--max-steps", type=positive, metavar="N", help="give up after so many steps")
    search.add_argument(
        "--seed", type=natural, metavar="N", help="seed of the random numbers (default: 0; of a method that explores a new one)"
    )
    search.add_argument("--json", action="store_true", help="as JSON, keys as documented in docs/command-line.md")
    for sub in (check, search):
        sub.add_argument(
            "--param", action="append", default=[], metavar="KEY=VALUE", help="a parameter of the model; repeat as needed"
        )
