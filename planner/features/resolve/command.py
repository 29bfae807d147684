"""Solve a planning folder again against the last plan: what changes line by line, and why the cost changed.

    planner resolve next-quarter --against reports/2027-q1
    planner resolve data/quickstart --against reports/quickstart-2027-q1 --keep 50 -o reports/mid-quarter

The change of cost is attributed to its causes (volume, shape, mix, cache rate, token lengths, prices, offers, policy,
expiries, calendar) by solving the mixtures of old and new; the causes add up to it. Writes the plan like
`planner solve`, and changes.json. Exit codes: 0 plan, 1 wrong use or input, 2 no plan exists, 3 stopped before a plan.
"""

import argparse
import math
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from planner.console.arguments import (
    TimeLimit,
    configure_outputs,
    count,
    day,
    folder_name,
    refuse_unusable,
    share,
    time_limit,
    write_outputs,
)
from planner.console.screen import Progress
from planner.errors import EXIT_PLAN, PlannerError


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("input", type=Path, metavar="FOLDER|FILE.xlsx", help="planning folder or workbook as it is now")
    parser.add_argument("--against", type=Path, required=True, metavar="PLAN_DIR", help="directory of the last plan")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="where to write (default: reports/<plan name>, or "
        "reports/<plan name>-resolved where the last plan is there)"
    )  # fmt: skip
    parser.add_argument(
        "--owed", nargs="?", type=day, const=True, metavar="DATE",
        help="treat purchases of the last plan that start before DATE (default: the first day planned) as signed, "
        "unless the folder's commitments list them",
    )  # fmt: skip
    parser.add_argument(
        "--keep", type=dollars, metavar="USD",
        help="what each changed unit must save, in dollars; inf: change only what must change",
    )  # fmt: skip
    parser.add_argument(
        "--causes", choices=("auto", "each", "groups", "none"), default="auto",
        help="each: every cause by itself (2^n plans for n that differ); groups: demand, prices, offers, policy, "
        "expiries; auto (default): each if no more than 8 differ",
    )  # fmt: skip
    parser.add_argument(
        "--solver", default="highs", metavar="NAME", help="highs, cbc, or any solver that PuLP supports"
    )
    parser.add_argument(
        "--time-limit", type=time_limit, default=TimeLimit(None), metavar="SECONDS", help="for the whole command"
    )
    parser.add_argument("--gap", type=share, default=1e-4, help="relative gap accepted for whole units (default 1e-4)")
    parser.add_argument(
        "--workers", type=count, metavar="N",
        help="threads (default: all cores); the plan is the same, unless time ends the search",
    )  # fmt: skip
    parser.add_argument("--fresh", action="store_true", help="neither read nor write cached answers")
    configure_outputs(parser, previous=False)
    parser.add_argument("--json", action="store_true", help="print changes.json")


def run(arguments: argparse.Namespace) -> int:
    """Read both, solve, compare, attribute, write and print."""
    from planner.console.signing_nothing import only_nothing
    from planner.features.catalogue.retiring import retiring
    from planner.features.ledger.evidence import refuse_signed
    from planner.features.resolve import change_reasons
    from planner.features.resolve.changes import write_changes
    from planner.features.resolve.resolve import resolve
    from planner.features.tasks import cost_per_task_sheet
    from planner.io.cache import FOLDER
    from planner.plan.manifest import CHANGES
    from planner.plan.reading import Reading
    from planner.readers import load
    from planner.readers.forecast_accuracy import read_accuracy
    from planner.solver.find import Options
    from planner.verify.figures import figures_of
    from planner.verify.trusted import trusted
    from planner.workbook.report import Report

    limit: TimeLimit = arguments.time_limit
    limit.reading()
    last = trusted(arguments.against)
    case = load(arguments.input)
    limit.reading_done(len(case.demand))
    directory = _directory(arguments, folder_name(case.settings.name))
    refuse_unusable(directory, arguments.export)
    refuse_signed(directory)
    owed = case.settings.horizon.start if arguments.owed is True else arguments.owed
    with tempfile.TemporaryDirectory() as scratch, Progress() as solving:
        options = Options(
            arguments.gap,
            None,
            arguments.workers,
            arguments.solver,
            Path(scratch) if arguments.fresh else directory.absolute().parent / FOLDER,
            until=limit.search_until(),
            tell=solving.searched,
        )
        found = resolve(
            case,
            last,
            options,
            owed_before=owed,
            keep_usd=arguments.keep,
            detail=arguments.causes,
            on_solve=solving,
            on_cause=solving.named("combinations of old and new"),
        )
        nothing = only_nothing(found.case, replace(options, until=limit.figures_until()))
    metrics = figures_of(Reading(found.case, found.plan), audited=True, deadline=limit.figures_until())
    report = Report(metrics, last.plan, read_accuracy(arguments.input), arguments.notice_days, nothing,
                    retiring=retiring(found.case, found.plan))  # fmt: skip
    sheets = [*cost_per_task_sheet.sheets_for(found.case), change_reasons.sheet_of(found.changes)]
    also = {CHANGES: lambda path: write_changes(found.changes, found.plan, path)}
    write_outputs(arguments, report, directory, sheets, also)
    if arguments.json:
        print((directory / CHANGES).read_text(encoding="utf-8"), end="")
    else:
        from planner.features.resolve.change_reasons import print_changes
        from planner.workbook.terminal import print_report

        print_report(report, sys.stdout)
        print()
        print_changes(found.changes, sys.stdout)
        print(f"\nwritten to {directory}")
    return EXIT_PLAN


def _directory(arguments: argparse.Namespace, name: str) -> Path:
    """Tell where to write: never over the last plan."""
    last = arguments.against.resolve()
    if arguments.output is None:
        usual = Path("reports") / name
        return usual if usual.resolve() != last else usual.with_name(f"{name}-resolved")
    chosen: Path = arguments.output
    if chosen.resolve() == last:
        raise PlannerError(
            f"{chosen} holds the last plan, which is never overwritten: write somewhere else with -o DIR"
        )
    return chosen


def dollars(text: str) -> float:
    """Read dollars from 0, or inf."""
    try:
        value = float(text.strip().removeprefix("$"))
    except ValueError:
        value = math.nan
    if math.isnan(value) or value < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is neither dollars from 0 nor inf")
    return value
