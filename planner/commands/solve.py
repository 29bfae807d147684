"""Find the cheapest plan of a planning folder, audit it, and write it with its workbook.

    planner solve data/quickstart
    planner solve inputs.xlsx -o reports/2027-q1 --gap 1e-3 --time-limit 60

Writes plan.json, dispatch.parquet and plan.xlsx (and what `planner verify` needs) into the output directory.
Exit codes: 0 plan, 1 wrong use or input, 2 no plan exists, 3 stopped before a plan.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from planner.console.arguments import (
    TimeLimit,
    configure_outputs,
    count,
    folder_name,
    previous_of,
    refuse_unusable,
    share,
    time_limit,
    write_outputs,
)
from planner.console.screen import Progress
from planner.errors import EXIT_PLAN, InfeasibleError, PlannerError, StoppedError

if TYPE_CHECKING:
    from planner.plan.finished import Finished
    from planner.plan.reading import Reading
    from planner.plan.rules_cost import Nothing, RulesCost
    from planner.solver.find import Options


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("input", type=Path, metavar="FOLDER|FILE.xlsx", help="planning folder or workbook")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="where to write (default: reports/<plan name>)"
    )
    parser.add_argument(
        "--solver", default="highs", metavar="NAME", help="highs, cbc, or any solver that PuLP supports"
    )
    parser.add_argument(
        "--time-limit",
        type=time_limit,
        default=TimeLimit(None),
        metavar="SECONDS",
        help="for the whole command: the search stops in time for audit and files, for which at most half of it is "
        "kept: where these take longer it ends later (--no-workbook helps), and rather than end without a plan it may "
        "take up to four times as long for a rough one; why no plan exists may take a quarter more. Without a limit a "
        "search of whole units ends, once it has a plan, after as long again as that took, two minutes at least (five "
        "times as long where its gap is above 1 %%). The plan says what gap is left, and where there is one it is no "
        "dearer than the last plan, that of --previous or else of the output directory, where its purchases still "
        "keep every rule",
    )
    parser.add_argument("--gap", type=share, default=1e-4, help="relative gap accepted for whole units (default 1e-4)")
    parser.add_argument(
        "--workers", type=count, metavar="N",
        help="threads (default: all cores); the plan is the same, unless time ends the search",
    )  # fmt: skip
    parser.add_argument("--fresh", action="store_true", help="neither read nor write cached answers")
    parser.add_argument("--mix", action="store_true", help="also study other model mixes (planner mix): sheet Mix")
    parser.add_argument(
        "--rules-cost", action=argparse.BooleanOptionalAction,
        help="what each rule costs: found in whole units (many times as long), or not at all; without either, for "
        "units of any size where that is quick",
    )  # fmt: skip
    configure_outputs(parser)
    parser.add_argument("--json", action="store_true", help="print the result for machines")


def run(arguments: argparse.Namespace) -> int:
    """Read, solve, audit, write and print."""
    from planner.console.signing_nothing import no_dearer_than_nothing
    from planner.features.catalogue.retiring import retiring
    from planner.features.ledger.evidence import refuse_signed
    from planner.features.mix import mix_sheet
    from planner.features.mix.mix_study import DEFAULT_TARGETS, mix_study, tiers_of
    from planner.features.resolve.keep import PART_FOR_LAST, no_dearer
    from planner.features.tasks import cost_per_task_sheet
    from planner.io.cache import FOLDER
    from planner.plan.plan import Status
    from planner.plan.warnings.lost_mix import mixes_that_cannot_be_kept
    from planner.readers import load
    from planner.readers.forecast_accuracy import read_accuracy
    from planner.solver.find import Options
    from planner.solver.solve import audited
    from planner.solver.starts import Starts
    from planner.verify.figures import figures_of
    from planner.workbook.report import Report

    limit: TimeLimit = arguments.time_limit
    limit.reading()
    case = load(arguments.input)
    limit.reading_done(len(case.demand))
    directory = arguments.output or Path("reports") / folder_name(case.settings.name)
    refuse_unusable(directory, arguments.export)
    refuse_signed(directory)
    previous = previous_of(arguments)
    before = arguments.previous or directory
    last = None if limit.seconds is None else _last_plan(before)
    if arguments.mix:
        tiers_of(case)
        if arguments.no_workbook:
            raise PlannerError("--mix adds a sheet to plan.xlsx: leave out --no-workbook, or use planner mix")
    store = None if arguments.fresh else directory.absolute().parent / FOLDER
    options = Options(arguments.gap, None, arguments.workers, arguments.solver, store, starts=Starts(),
                      until=limit.search_until())  # fmt: skip
    try:
        with Progress() as progress:
            searching = replace(options, tell=progress.searched)
            reading = audited(case, searching if last is None else searching.share(1 / (1 - PART_FOR_LAST)), progress)
            if limit.seconds is None and reading.plan.proof.status is Status.GAP:
                last = _last_plan(before)
            reading, stays = (reading, False) if last is None else no_dearer(reading, last, options)
    except InfeasibleError as error:
        if not arguments.json:
            error.next_step = (
                f"planner what-if {arguments.input} --make-it-fit finds each single change that is enough, "
            )
            error.next_step += "and what the plan then costs."
            error.next_step = "\n".join([*map(str, mixes_that_cannot_be_kept(case)), error.next_step])
            raise
        print(json.dumps(error.document(), indent=2, ensure_ascii=False))
        return error.exit_code
    left = replace(options, until=limit.figures_until())
    searched = reading
    reading, nothing = no_dearer_than_nothing(searched, left)
    rules = _rules_cost(arguments, reading, left, limit, nothing)
    report = Report(
        figures_of(reading, audited=True, deadline=limit.figures_until()),
        previous,
        read_accuracy(arguments.input),
        arguments.notice_days,
        rules,
        retiring=retiring(case, reading.plan),
    )
    extra = cost_per_task_sheet.sheets_for(case)
    if arguments.mix:
        extra.append(mix_sheet.sheet_of(mix_study(case, DEFAULT_TARGETS, left, Progress, as_is=report.plan)))
    write_outputs(arguments, report, directory, extra)
    if arguments.json:
        print((directory / "plan.json").read_text(encoding="utf-8"), end="")
    else:
        from planner.workbook.terminal import print_report

        print_report(report, sys.stdout)
        print(f"\nwritten to {directory}")
    proof = report.plan.proof
    if limit.seconds is None and proof.status is Status.GAP:
        gap = proof.gap if proof.tree_gap is None else proof.tree_gap
        print(
            f"The search ended by itself with a gap of {gap:.2%} (planner solve --help says when). "
            "--time-limit SECONDS lets it go on for as long as that.",
            file=sys.stderr,
        )
    if stays and last is not None and reading is searched:
        print(f"The search ended before it found a plan cheaper than the purchases of the last plan, "
              f"{last.directory}: they stand.", file=sys.stderr)  # fmt: skip
    return EXIT_PLAN


def _last_plan(directory: Path) -> "Finished | None":
    """Read the plan that the new one must not be dearer than; None: there is none that can be read."""
    from planner.verify.trusted import trusted

    try:
        return trusted(directory)
    except PlannerError:
        return None


def _rules_cost(
    arguments: argparse.Namespace,
    reading: "Reading",
    options: "Options",
    limit: TimeLimit,
    nothing: "Nothing | None",
) -> "RulesCost":
    """Find what each rule costs, and signing nothing, in what is left of the time limit."""
    from planner.features.what_if.rules_cost_study import BUDGET_SECONDS, nothing_if_quick, rules_cost
    from planner.plan.rules_cost import Nothing, RulesCost

    whole = bool(arguments.rules_cost)
    why = "Not worked out: the time limit ran out. planner solve FOLDER --rules-cost without --time-limit does it."
    try:
        if limit.is_spent:
            raise StoppedError("the time limit ran out")
        if arguments.rules_cost is False:
            why = "Not worked out: planner solve without --no-rules-cost says what each rule costs."
            return RulesCost((), nothing or nothing_if_quick(reading.case, options), skipped=why)
        with Progress("without each rule") as progress:
            budget = None if whole else BUDGET_SECONDS
            return rules_cost(reading, options, progress, whole=whole, budget_seconds=budget, nothing=nothing)
    except StoppedError:
        return RulesCost((), nothing or Nothing(None, tried=False), skipped=why)
