"""Find the cheapest plan of a planning folder, audit it, and write it with its workbook.

    planner solve data/quickstart
    planner solve inputs.xlsx -o reports/2027-q1 --gap 1e-3 --time-limit 60

Writes plan.json, dispatch.parquet and plan.xlsx (and what `planner verify` needs) into the output directory.
Exit codes: 0 plan, 1 wrong use or input, 2 no plan exists, 3 stopped before a plan.
"""

import argparse
import json
import sys
from pathlib import Path

from planner.console.arguments import count, folder_name, positive, refuse_unusable, share
from planner.console.outputs import configure_outputs, previous_of, write_outputs
from planner.console.progress import Progress
from planner.errors import EXIT_PLAN, InfeasibleError, PlannerError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("input", type=Path, metavar="FOLDER|FILE.xlsx", help="planning folder or workbook")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="where to write (default: reports/<plan name>)"
    )
    parser.add_argument(
        "--solver", default="highs", metavar="NAME", help="highs, cbc, or any solver that PuLP supports"
    )
    parser.add_argument("--time-limit", type=positive, metavar="SECONDS", help="stop the search after this long")
    parser.add_argument("--gap", type=share, default=1e-4, help="relative gap accepted for whole units (default 1e-4)")
    parser.add_argument("--workers", type=count, metavar="N", help="threads (default: all cores); the plan is the same")
    parser.add_argument("--fresh", action="store_true", help="neither read nor write cached answers")
    parser.add_argument("--mix", action="store_true", help="also study other model mixes (planner mix): sheet Mix")
    parser.add_argument(
        "--rules-cost", action="store_true",
        help="also solve without each rule, and with nothing signed, to show what each costs (several times as long)",
    )  # fmt: skip
    configure_outputs(parser)
    parser.add_argument("--json", action="store_true", help="print the result for machines")


def run(arguments: argparse.Namespace) -> int:
    """Read, solve, audit, write, and tell."""
    from planner.features.ledger.evidence import refuse_signed
    from planner.features.mix import mix_sheet
    from planner.features.mix.mix_study import DEFAULT_TARGETS, mix_study, tiers_of
    from planner.features.tasks import cost_per_task_sheet
    from planner.features.what_if import rules_cost_sheet
    from planner.features.what_if.rules_cost import rules_cost
    from planner.io.cache import FOLDER
    from planner.readers import load
    from planner.readers.forecast_accuracy import read_accuracy
    from planner.solver.find import Options
    from planner.solver.solve import audited
    from planner.verify.figures import figures_of
    from planner.workbook.report import Report

    case = load(arguments.input)
    directory = arguments.output or Path("reports") / folder_name(case.settings.name)
    refuse_unusable(directory)
    refuse_signed(directory)
    previous = previous_of(arguments)
    if arguments.mix:
        tiers_of(case)
        if arguments.no_workbook:
            raise PlannerError("--mix adds a sheet to plan.xlsx: leave out --no-workbook, or use planner mix")
    store = None if arguments.fresh else directory.absolute().parent / FOLDER
    options = Options(arguments.gap, arguments.time_limit, arguments.workers, arguments.solver, store)
    try:
        with Progress() as progress:
            reading = audited(case, options, progress)
    except InfeasibleError as error:
        if not arguments.json:
            raise
        print(json.dumps(error.document(), indent=2, ensure_ascii=False))
        return error.exit_code
    rules = None
    if arguments.rules_cost:
        with Progress("without each rule") as progress:
            rules = rules_cost(reading, options, progress)
    report = Report(
        figures_of(reading, audited=True), previous, read_accuracy(arguments.input), arguments.notice_days, rules
    )
    extra = [cost_per_task_sheet.SHEET]
    if rules is not None:
        extra.append(rules_cost_sheet.sheet_of(rules))
    if arguments.mix:
        extra.append(mix_sheet.sheet_of(mix_study(case, DEFAULT_TARGETS, options, Progress, as_is=report.plan)))
    write_outputs(arguments, report, directory, extra)
    if arguments.json:
        print((directory / "plan.json").read_text(encoding="utf-8"), end="")
    else:
        from planner.workbook.terminal import print_report

        print_report(report, sys.stdout)
        print(f"\nwritten to {directory}")
    return EXIT_PLAN
