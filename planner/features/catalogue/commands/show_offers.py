"""Show everything that is known of a model: what a unit serves, prices, quotas, retirement, with source and status.

planner offers show gpt-6-sol
"""

import argparse

from planner.errors import EXIT_PLAN
from planner.features.catalogue.commands.common import catalogue_of, names_known
from planner.features.catalogue.commands.list_offers import show


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    """Print the tables."""
    from planner.features.catalogue.lookup import show_model

    catalogue = catalogue_of(arguments)
    names_known([arguments.model], sorted({m.model for m in catalogue.models}), "model")
    show(show_model(catalogue, arguments.model), arguments.json)
    return EXIT_PLAN
