"""What a command that makes a plan can write besides plan.json: workbook, web page, tables for machines."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from planner.console.arguments import days
from planner.plan.manifest import PAGE, WORKBOOK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from planner.plan.plan import Plan
    from planner.workbook.book import ExtraSheet
    from planner.workbook.report import Report


def configure_outputs(parser: argparse.ArgumentParser, previous: bool = True) -> None:
    """Declare the options, the same for every command (``previous``: unless another one names the last plan)."""
    parser.add_argument("--no-workbook", action="store_true", help=f"write no {WORKBOOK}")
    if previous:
        parser.add_argument(
            "--previous", type=Path, metavar="DIR", help="directory of the last signed plan: the sheet Changes compares"
        )
    parser.add_argument(
        "--notice-days", type=days, default=30, metavar="N",
        help="days before its end by which to decide on a commitment (default 30)",
    )  # fmt: skip
    parser.add_argument("--html", action="store_true", help=f"also write the summary as one web page, {PAGE}")
    parser.add_argument("--export", type=Path, metavar="DIR", help="also write every table for machines to DIR")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv", help="of the tables (default csv)")
    parser.set_defaults(written=())  # what to tell of if we are stopped (cli)


def previous_of(arguments: argparse.Namespace) -> Plan | None:
    """Read the plan to compare with, before anything long begins.

    Raises
    ------
    InputError, AuditError
        if its files cannot be read, or do not hold.
    """
    if arguments.previous is None:
        return None
    from planner.verify.trusted import trusted

    return trusted(arguments.previous).plan


def write_outputs(
    arguments: argparse.Namespace,
    report: Report,
    directory: Path,
    extra: Sequence[ExtraSheet] = (),
    also: Mapping[str, Callable[[Path], object]] | None = None,
) -> None:
    """Write the plan with all that was asked for into `directory`, as a whole; then tables into that of --export.

    extra : sheets that features hand in to the workbook.
    also : files that features add to the directory, by name, each with what writes it.
    """
    files = dict(also or {})
    if arguments.html:
        from planner.workbook.html import write_html

        files[PAGE] = lambda path: write_html(report, path)
    write_report(
        report, directory, extra, files, workbook=not arguments.no_workbook,
        done=lambda: setattr(arguments, "written", (directory,)),
    )  # fmt: skip
    if arguments.export is not None:
        from planner.workbook.export import write_tables

        write_tables(report, arguments.export, arguments.format)
        arguments.written = (directory, arguments.export)


def write_report(
    report: Report, directory: Path, extra: Sequence[ExtraSheet] = (),
    also: Mapping[str, Callable[[Path], object]] | None = None, *, workbook: bool = True,
    done: Callable[[], None] | None = None,
) -> None:  # fmt: skip
    """Write a plan with its workbook into a directory, as a whole: what `planner solve` writes.

    ``done`` is called once it is in place.
    """
    from planner.plan.files import write_plan
    from planner.plan.metrics import summary_of

    files = dict(also or {})
    if workbook:
        from planner.workbook.plan_workbook import write_workbook

        files[WORKBOOK] = lambda path: write_workbook(report, path, extra)
    write_plan(report.plan, report.case, directory, summary_of(report.metrics), files, done)
