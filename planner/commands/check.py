"""Read a planning folder or workbook: list every fault, and common mistakes in buying capacity.

    planner check my-plan
    planner check inputs.xlsx --json

Exit code 0 if the input is valid, whatever the warnings; 1 if it has faults.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.console.screen import wrapped
from planner.errors import EXIT_PLAN, InputError

if TYPE_CHECKING:
    from planner.schema.case import Case


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("input", type=Path, metavar="FOLDER|FILE.xlsx", help="planning folder or workbook")
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    """Read, and say what was found."""
    from planner.features.catalogue.offer_findings import review
    from planner.features.catalogue.published import catalogue_folder, read_catalogue
    from planner.plan.warnings import warnings_of
    from planner.plan.warnings.prices import UNDATED
    from planner.plan.warnings.uncounted import uncounted_in
    from planner.readers import load
    from planner.verify.figures import trust_that_decides

    try:
        case = load(arguments.input)
    except InputError as error:
        if arguments.json:
            print(json.dumps({"valid": False, "faults": [_plain(fault) for fault in error.faults]}, indent=2))
            return error.exit_code
        raise
    cautions, uncounted = [*warnings_of(case), *trust_that_decides(case)], uncounted_in(case)
    prices = [
        f for f in review(case, read_catalogue(catalogue_folder()), case.settings.horizon.start) if f.code != UNDATED
    ]
    if arguments.json:
        found = {"valid": True, "input_digest": case.digest, "rows": _counts(case), "faults": []}
        told: dict[str, list[Any]] = {"warnings": cautions, "not_counted": uncounted, "prices": prices}
        print(json.dumps({**found, **{name: [_plain(c) for c in listed] for name, listed in told.items()}}, indent=2))
        return EXIT_PLAN

    def say(text: str) -> None:
        print(wrapped(text, sys.stdout))

    say(f"{case.settings.name}: {case.months[0]} to {case.months[1]}; the input is valid")
    say("  " + ", ".join(f"{count:,} {table}" for table, count in _counts(case).items() if count))
    if cautions:
        say(f"{len(cautions)} warning{'s' if len(cautions) > 1 else ''}:")
        for caution in cautions:
            say(f"  {caution.severity}: {caution}")
    else:
        say("no warnings")
    if uncounted:
        say("What the plan will not count, by definition:")
        for caution in uncounted:
            say(f"  {caution.severity}: {caution}")
    if prices:
        say(f"Prices and offers to look at before {case.settings.horizon.start} (planner offers check):")
        for finding in prices:
            say(f"  {finding.code}: {finding}")
    return EXIT_PLAN


def _counts(case: "Case") -> dict[str, int]:
    """Rows of each table; of demand after it is spread over scenarios and months."""
    from planner.schema.case import TABLES

    return {t.name: len(case.demand) if t.name == "demand" else len(case.rows(t.name)) for t in TABLES}


def _plain(item: Any) -> dict[str, Any]:
    return {
        name: None if value is None else str(value) if name == "value" else value for name, value in vars(item).items()
    }
