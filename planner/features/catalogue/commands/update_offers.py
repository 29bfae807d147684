"""Compare the catalogue with a price file that you have, show the difference, and apply it if you accept.

planner offers update model_prices_and_context_window.json
planner offers update azure-retail-prices.json --catalogue my-catalogue --accept

The file is LiteLLM's price file (on-demand prices), or a JSON answer of the Azure Retail Prices API (unit and
reservation prices). With --accept the changed rows are written with the file's name as source and the date of --as-of.
--catalogue FOLDER is where they are written; a folder that does not exist becomes a copy of the installed catalogue.
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from planner.errors import EXIT_PLAN, PlannerError
from planner.features.catalogue.commands.common import day, folder_of, print_table
from planner.io.together import changed_together, finish

if TYPE_CHECKING:
    from planner.features.catalogue.price_update import Coverage

TABLES = ("on_demand", "prices")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, metavar="PRICES.json")
    parser.add_argument("--accept", action="store_true", help="write the changes")
    parser.add_argument(
        "--as-of", dest="today", type=day, metavar="DATE", help="day on which the prices were true (today)"
    )
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    """Show the difference; write it if accepted."""
    from planner.features.catalogue.commands.common import today_of
    from planner.features.catalogue.price_update import (
        changes,
        coverage,
        more_pages,
        read_prices,
        read_table,
        table_text,
    )
    from planner.features.catalogue.published import ROWS, catalogue_folder

    target = folder_of(arguments)
    finish(target)
    start = target if target.exists() else catalogue_folder()
    read = {name: read_table(start / f"{name}.csv") for name in TABLES}
    told = read_prices(arguments.file)
    tables = {name: rows for name, (_, rows) in read.items()}
    asked = coverage(tables, told)
    found = changes(tables, told, arguments.file.name, today_of(arguments))
    if arguments.json:
        print(json.dumps([vars(change) for change in found], indent=2))
    else:
        header = ["table", "line", "what", "column", "now", "file", "change"]
        lines = [[c.table, str(c.line), c.what, c.column, c.old, c.new, _moved(c.old, c.new)] for c in found]
        print_table(f"{len(found)} price{'s' if len(found) != 1 else ''} differ", header, lines)
        print(_compared(asked, bool(found)))
        for note in more_pages(arguments.file):
            print(f"note: {note}")
    if not found or not arguments.accept:
        if found and not arguments.json:
            print("nothing was written; --accept writes these prices to the catalogue")
        return EXIT_PLAN
    try:
        texts = {name: table_text(header, rows) for name, (header, rows) in read.items()}
        if not target.exists():
            others = (name for name in ROWS if name not in TABLES)
            texts |= {name: (start / f"{name}.csv").read_text(encoding="utf-8") for name in others}
        with changed_together(target, "catalogue") as new:
            for name, text in texts.items():
                (new / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    except PermissionError:
        raise PlannerError(f"{target} may not be written to; name a folder of yours with --catalogue FOLDER") from None
    if not arguments.json:
        print(f"written to {target}")
    return EXIT_PLAN


def _compared(asked: "Coverage", differ: bool) -> str:
    """Say how much was compared, so that "no price differs" is not taken for more than it is."""
    if not asked.compared:
        return f"none of the {asked.of} priced rows is in this file: nothing was compared"
    others = asked.of - asked.compared
    rest = f"; the other {others} are not in it, so nothing is known of them" if others else ""
    return f"{'' if differ else 'no price differs; '}compared {asked.compared} of {asked.of} priced rows{rest}"


def _moved(old: str, new: str) -> str:
    return f"{float(new) / float(old) - 1:+.1%}" if old and float(old) else "new"
