"""Write a small planning folder to start from: example figures, explained, that solve as they stand.

    planner init my-plan              a folder of CSV tables with plan.yaml and a README
    planner init my-plan --xlsx       the same tables as a workbook, my-plan.xlsx

Nothing that exists is ever overwritten.
"""

import argparse
from pathlib import Path

from planner.errors import EXIT_PLAN, PlannerError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("target", type=Path, metavar="DIR", help="folder to make (or the workbook, with --xlsx)")
    parser.add_argument("--xlsx", action="store_true", help="write a workbook with a sheet for each table")


def run(arguments: argparse.Namespace) -> int:
    """Write it, and say what to do next."""
    if arguments.xlsx:
        target = arguments.target
        target = target if target.suffix == ".xlsx" else target.with_name(target.name + ".xlsx")
        _write_workbook(target)
        print(f"wrote {target}: open it, begin with the sheet Start")
    else:
        target = arguments.target
        _write_folder(target)
        print(f"wrote {target}: begin with {target / 'README.md'}")
    print(f"next: planner check {target}, then planner solve {target}")
    return EXIT_PLAN


def _write_folder(target: Path) -> None:
    """Copy the starter's files into a new or empty folder."""
    from planner.io.together import changed_together, finish
    from planner.readers.starter import STARTER

    if target.exists() and not target.is_dir():
        raise PlannerError(f"{target} is a file; name a new folder")
    if target.is_dir():
        finish(target)
        if any(target.iterdir()):
            raise PlannerError(f"{target} is not empty, and nothing is overwritten; name a new folder")
    with changed_together(target, "starter") as new:
        for source in sorted(STARTER.iterdir()):
            if source.suffix in (".csv", ".yaml", ".md"):
                (new / source.name).write_bytes(source.read_bytes())


def _write_workbook(target: Path) -> None:
    """Write the starter's tables as the input workbook."""
    import csv

    from planner.io.atomic import sweep
    from planner.readers import load
    from planner.readers.starter import STARTER
    from planner.workbook.input_workbook import write_input_workbook

    sweep(target.parent)
    if target.exists():
        raise PlannerError(f"{target} exists, and nothing is overwritten; name a new file")
    tables = {}
    for path in STARTER.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            tables[path.stem] = list(csv.DictReader(file))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_input_workbook(tables, load(STARTER).settings, target)
