"""What a command that makes a plan can write besides plan.json: workbook, web page, tables for machines."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from planner.console.arguments import days
from planner.errors import PlannerError

if TYPE_CHECKING:
    from planner.features.mix.mix_tables import MixStudy
    from planner.features.resolve.changes import Changes
    from planner.plan.metrics import Metrics
    from planner.plan.plan import Plan
    from planner.schema.accuracy import ForecastAccuracy
    from planner.schema.case import Case

WORKBOOK, PAGE = "plan.xlsx", "plan.html"


def configure_outputs(parser: argparse.ArgumentParser, previous: bool = True) -> None:
    """Declare the options, the same for every command (``previous``: unless another one names the last plan)."""
    parser.add_argument("--no-workbook", action="store_true", help=f"write no {WORKBOOK}")
    if previous:
        parser.add_argument(
            "--previous", type=Path, metavar="DIR", help="directory of the last signed plan: the sheet Changes compares"
        )
    parser.add_argument(
        "--notice-days", type=days, default=30, metavar="N",
        help="days before its end by which a commitment is to be decided on (default 30)",
    )  # fmt: skip
    parser.add_argument("--html", action="store_true", help=f"also write the summary as one web page, {PAGE}")
    parser.add_argument("--export", type=Path, metavar="DIR", help="also write every table for machines to DIR")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv", help="of the tables (default csv)")


def refuse_signed(directory: Path) -> None:
    """Refuse to write over a plan that was signed (`planner accept`), before any work is done."""
    from planner.features.ledger.evidence import signature_of

    if (directory / "plan.json").exists() and (entry := signature_of(directory)) is not None:
        raise PlannerError(
            f"{directory} holds the plan that {entry.by} signed on {entry.date}, and it stays as it is: "
            "write somewhere else with -o DIR"
        )


def previous_of(arguments: argparse.Namespace) -> Plan | None:
    """Read the plan to compare with, before anything long begins.

    Raises
    ------
    InputError
        if its files cannot be read.
    """
    if arguments.previous is None:
        return None
    from planner.plan.files import read_plan

    return read_plan(arguments.previous)


def write_outputs(
    arguments: argparse.Namespace,
    case: Case,
    plan: Plan,
    metrics: Metrics,
    directory: Path,
    previous: Plan | None,
    accuracy: ForecastAccuracy | None = None,
    mix: MixStudy | None = None,
    changes: Changes | None = None,
) -> None:
    """Write what was asked for into `directory`, and tables into the directory of --export.

    For the workbook: `accuracy` is how good the forecast of the demand was (planner.readers.accuracy), `mix` what a
    shift of the model mix is worth, `changes` what has changed since the last plan, and why.
    """
    if not arguments.no_workbook:
        from planner.workbook.workbook import write_workbook

        write_workbook(
            case, plan, metrics, directory / WORKBOOK, previous, accuracy, arguments.notice_days, mix, changes
        )
    if arguments.html:
        from planner.workbook.html import write_html

        write_html(case, plan, metrics, directory / PAGE)
    if arguments.export is not None:
        from planner.workbook.export import write_tables

        write_tables(case, plan, metrics, arguments.export, arguments.format)
