"""What each team is charged for a plan, month by month; what nobody used stands on a line of its own.

    planner chargeback reports/2027-q1
    planner chargeback reports/2027-q1 --by team,cost_centre
    planner chargeback reports/2027-q1 --csv charges.csv --focus focus.csv

A workload names its team, and a cost centre, in the table workloads. All lines add up to the plan's cost
(docs/chargeback.md has the rule). --csv has a row for each charge of a workload, model, region and month; --focus the
same as FOCUS 1.2 rows with the team in Tags. Exit codes: 0 printed, 1 wrong use or input.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.console.arguments import some_of
from planner.errors import EXIT_PLAN

if TYPE_CHECKING:
    from planner.features.tasks.chargeback import Chargeback

KEYS = ("team", "cost_centre", "workload", "model", "region")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("plan", type=Path, metavar="PLAN_DIR", help="directory that planner solve or price wrote")
    parser.add_argument(
        "--by", type=some_of(KEYS), default=("team",), metavar="KEYS",
        help=f"what a row of the table is: {', '.join(KEYS)}, joined by commas (default team)",
    )  # fmt: skip
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write every charge as a table")
    parser.add_argument("--focus", type=Path, metavar="FILE", help="write the charges as FOCUS 1.2 rows (CSV)")
    parser.add_argument("--json", action="store_true", help="print every figure for machines")


def run(arguments: argparse.Namespace) -> int:
    """Read, charge, write and print."""
    from planner.features.tasks.chargeback import chargeback
    from planner.features.tasks.chargeback_report import print_chargeback
    from planner.features.tasks.focus_charges import focus_charges
    from planner.io.atomic import write_csv
    from planner.verify.trusted import trusted

    here = trusted(arguments.plan)
    found = chargeback(here.case, here.plan)
    written = []
    if arguments.csv is not None:
        write_csv(arguments.csv, found.table)
        written.append(arguments.csv)
    if arguments.focus is not None:
        write_csv(arguments.focus, focus_charges(found))
        written.append(arguments.focus)
    if arguments.json:
        print(json.dumps(_document(found, arguments.by), indent=2, ensure_ascii=False))
        return EXIT_PLAN
    print_chargeback(found, arguments.by, sys.stdout)
    if written:
        print(f"\nwritten to {' and '.join(map(str, written))}")
    return EXIT_PLAN


def _document(found: "Chargeback", by: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": found.basis.plan.name,
        "months": list(found.months),
        "total_usd": found.total_usd,
        "by": _records(found.of_teams(*by)),
        "by_month": _records(found.of_teams(*by, "period")),
        "nobody": _records(found.of_nobody()),
        "nobody_by_month": _records(found.of_nobody("period")),
        "charges": _records(found.table),
    }


def _records(frame: Any) -> list[dict[str, Any]]:
    """Rows for JSON; null where a name or figure is not there."""
    rows = frame.astype(object).to_dict("records")
    return [{key: None if value != value or value == "" else value for key, value in row.items()} for row in rows]
