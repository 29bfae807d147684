"""What providers sell: list it, build the offer tables of a folder from it, check them, and find where they pay off.

    planner offers list
    planner offers show gpt-6-sol
    planner offers build my-plan --provider azure --regions eastus2,swedencentral --models gpt-6-sol
    planner offers check my-plan
    planner offers breakeven my-plan
    planner offers update model_prices_and_context_window.json

Every figure has its source, date and status: confirmed, third-party or derived. What is not known is blank.
"""

import argparse
import importlib
from pathlib import Path

SUBCOMMANDS = {
    "list": "products, terms and models that are sold",
    "show": "everything that is known of a model",
    "build": "write regions, models, pools, throughput, offers, on_demand and routes of a planning folder",
    "check": "old prices, expiring promotions, retirements and unconfirmed figures in a planning folder",
    "update": "compare on-demand and unit prices with a price file of yours; apply with --accept",
    "breakeven": "break-even utilisation of each offer, for a folder or for the catalogue",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the subcommands."""
    subparsers = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, line in SUBCOMMANDS.items():
        module = importlib.import_module(f"planner.features.catalogue.commands.{name}_offers")
        sub = subparsers.add_parser(
            name, help=line, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        sub.add_argument("--catalogue", type=Path, metavar="FOLDER", help="another catalogue than the one installed")
        module.configure(sub)
        sub.set_defaults(module=module)


def run(arguments: argparse.Namespace) -> int:
    """Run the subcommand."""
    code: int = arguments.module.run(arguments)
    return code
