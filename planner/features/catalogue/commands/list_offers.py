"""List the products that providers sell, with unit and terms, and the models of each tier.

planner offers list
planner offers list --provider azure --json
"""

import argparse
import json

from planner.errors import EXIT_PLAN
from planner.features.catalogue.commands.common import catalogue_of, names_known, print_table


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--provider", metavar="NAME", help="only this provider")
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    """Print the tables."""
    from planner.features.catalogue.lookup import all_products

    catalogue = catalogue_of(arguments)
    if arguments.provider:
        names_known([arguments.provider], [p.provider for p in catalogue.providers], "provider")
    show(all_products(catalogue, arguments.provider), arguments.json)
    return EXIT_PLAN


def show(tables: list[tuple[str, list[str], list[list[str]]]], as_json: bool) -> None:
    """Print tables as text, or as lists of objects."""
    if as_json:
        print(
            json.dumps({t: [dict(zip(head, row, strict=True)) for row in rows] for t, head, rows in tables}, indent=2)
        )
        return
    for title, header, rows in tables:
        print_table(title, header, rows)
