"""Compare a finished plan with what happened: what it cost, what to keep, drop, raise, lower or watch, and why.

    planner review reports/2027-q1 history
    planner review reports/2027-q1 history --map names.yaml --rules rules.yaml -o reports/2027-q1-review

The history is a folder that `planner ingest` wrote (or its history.parquet); hours outside the plan's months are left
out. docs/review.md has the rules. With -o: review.xlsx, review.json, every table as CSV, and charts.
Exit codes: 0 reviewed, 1 wrong use or input.
"""

import argparse
import sys
from pathlib import Path

from planner.console.screen import Progress
from planner.errors import EXIT_PLAN


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("plan", type=Path, metavar="PLAN_DIR", help="directory that planner solve or price wrote")
    parser.add_argument("history", type=Path, metavar="HISTORY", help="history folder, as written by planner ingest")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="directory for the review's files")
    parser.add_argument(
        "--map", type=Path, metavar="FILE", help="YAML: the plan's name for each name in the history (docs/demand.md)"
    )
    parser.add_argument(
        "--waited",
        choices=["served", "arrived"],
        default="served",
        help="what the history's hours are for work that can wait: those that served it, as exports and bills have "
        "them, or those in which it arose (default: served)",
    )
    parser.add_argument(
        "--quiet-hours",
        choices=["auto", "zero", "unknown"],
        default="auto",
        help="hours without any row: zero, unknown, or (auto) zero where silence is usual",
    )
    parser.add_argument("--rules", type=Path, metavar="FILE", help="YAML: thresholds that differ from the defaults")
    parser.add_argument("--json", action="store_true", help="print the review for machines")


def run(arguments: argparse.Namespace) -> int:
    """Read, review, write and print."""
    from planner.features.demand.history import load_history
    from planner.features.demand.names import load_names
    from planner.features.review import review
    from planner.features.review.review_files import OUTPUT, text_of, write_review
    from planner.features.review.review_rules import load_rules
    from planner.features.review.review_story import print_review
    from planner.io.cache import FOLDER
    from planner.io.directory import refuse
    from planner.verify.trusted import trusted

    output: Path | None = arguments.output
    if output is not None:
        refuse(output.resolve(), OUTPUT)
    rules, names = load_rules(arguments.rules), load_names(arguments.map).names
    finished = trusted(arguments.plan)
    history = load_history(arguments.history)
    with Progress("reviewing") as progress:
        found = review(
            finished.case,
            finished.plan,
            history,
            rules=rules,
            names=names,
            arrived=arguments.waited == "arrived",
            quiet_hours=arguments.quiet_hours,
            store=finished.directory.absolute().parent / FOLDER,
            progress=progress,
        )
    if output is not None:
        write_review(found, output)
    if arguments.json:
        print(text_of(found), end="")
        return EXIT_PLAN
    print_review(found, sys.stdout)
    if output is not None:
        print(f"\nwritten to {output}")
    return EXIT_PLAN
