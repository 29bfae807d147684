"""Price a purchase order as edited by procurement: its units and prices as they stand, the rest decided again.

    planner price data/quickstart reports/quickstart-2027-q1/plan.xlsx -o reports/as-ordered

Units of 0, blank units, struck and deleted lines are not bought. Says what the order costs against the optimum, and
every rule that it breaks, and writes the plan with its workbook.
Exit codes: 0 priced and every rule kept, 1 wrong use or input, 2 demand cannot be served with these units, 4 priced and
written, but the order breaks a rule: it is not to be signed.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from planner.console.arguments import (
    TimeLimit,
    configure_outputs,
    folder_name,
    previous_of,
    refuse_unusable,
    share,
    time_limit,
    write_outputs,
)
from planner.console.screen import Progress
from planner.errors import EXIT_BROKEN, EXIT_PLAN

PLANS = 2  # the order's and the optimum


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("input", type=Path, metavar="FOLDER|FILE.xlsx", help="planning folder or workbook")
    parser.add_argument("order", type=Path, metavar="PLAN.xlsx", help="workbook of the plan, its purchase order edited")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="where to write (default: reports/<name>-ordered)"
    )
    parser.add_argument("--gap", type=share, default=1e-4, help="relative gap accepted for whole units (default 1e-4)")
    parser.add_argument(
        "--time-limit", type=time_limit, default=TimeLimit(None), metavar="SECONDS", help="for the whole command"
    )
    configure_outputs(parser)
    parser.add_argument("--json", action="store_true", help="print the result for machines")


def run(arguments: argparse.Namespace) -> int:
    """Read the order, price it, compare it with the optimum, write it."""
    from planner.console.signing_nothing import only_nothing
    from planner.features.catalogue.retiring import retiring
    from planner.features.ledger.evidence import refuse_signed
    from planner.features.order.order import price_order, priced_in_words
    from planner.features.order.order_reader import read_purchase_order
    from planner.features.tasks import cost_per_task_sheet
    from planner.io.cache import FOLDER
    from planner.readers import load
    from planner.readers.forecast_accuracy import read_accuracy
    from planner.solver.find import Options
    from planner.workbook.report import Report
    from planner.workbook.terminal import print_report

    limit: TimeLimit = arguments.time_limit
    limit.reading()
    case = load(arguments.input)
    limit.reading_done(len(case.demand), PLANS)
    order = read_purchase_order(arguments.order)
    directory = arguments.output or Path("reports") / f"{folder_name(case.settings.name)}-ordered"
    refuse_unusable(directory, arguments.export)
    refuse_signed(directory)
    previous = previous_of(arguments)
    store = directory.absolute().parent / FOLDER
    with Progress("pricing") as progress:
        options = Options(arguments.gap, store=store, until=limit.search_until(), tell=progress.searched)
        priced = price_order(case, order, options, progress)
        nothing = only_nothing(priced.case, replace(options, until=limit.figures_until()))
    best = priced.best
    metrics = priced.metrics
    compared = previous if previous is not None else best
    accuracy = read_accuracy(arguments.input)
    report = Report(metrics, compared, accuracy, arguments.notice_days, nothing, least_break=priced.least,
                    retiring=retiring(priced.case, priced.plan))  # fmt: skip
    write_outputs(arguments, report, directory, cost_per_task_sheet.sheets_for(priced.case))
    ordered, optimum = priced.plan.totals.total_usd, best.totals.total_usd
    if arguments.json:
        result = {"ordered_usd": ordered, "optimum_usd": optimum, "over_optimum_usd": ordered - optimum,
                  "broken": [str(rule) for rule in priced.broken],
                  "least_break": priced.least if priced.broken else None}  # fmt: skip
        print(json.dumps(result, indent=2))
        return EXIT_BROKEN if priced.broken else EXIT_PLAN
    for line in priced_in_words(priced):
        print(line)
    print()
    print_report(report, sys.stdout)
    print(f"\nwritten to {directory}")
    return EXIT_BROKEN if priced.broken else EXIT_PLAN
