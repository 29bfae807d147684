"""Check the offers of a planning folder: what is old, promotional, near its end, or not confirmed.

Prices older than 90 days, promotions that end inside a term, models that retire, figures that are not confirmed,
reservations that hold no capacity.

planner offers check my-plan
planner offers check my-plan --today 2027-01-15 --json

Exit code 0 whatever is found; 1 if the folder has faults.
"""

import argparse
import json
from pathlib import Path

from planner.errors import EXIT_PLAN
from planner.features.catalogue.commands.common import catalogue_of, day, today_of


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("input", type=Path, metavar="FOLDER|FILE.xlsx", help="planning folder or workbook")
    parser.add_argument("--today", type=day, metavar="DATE", help="count ages from this day")
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    """Print the findings."""
    from planner.features.catalogue.offer_findings import review
    from planner.readers import load

    findings = review(load(arguments.input), catalogue_of(arguments), today_of(arguments))
    if arguments.json:
        print(json.dumps([vars(finding) for finding in findings], indent=2))
        return EXIT_PLAN
    print(f"{arguments.input}: {len(findings)} thing{'s' if len(findings) != 1 else ''} to look at")
    for finding in findings:
        print(f"  {finding.code}: {finding}")
    return EXIT_PLAN
