"""Print the input tables: every column with its unit, what a blank cell means, what is allowed.

planner schema                  every table, and the keys of plan.yaml
planner schema throughput       one of them
planner schema --markdown       as the documentation has it
"""

import argparse
import json
import sys

from planner.errors import EXIT_PLAN, EXIT_WRONG


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("table", nargs="?", metavar="TABLE", help="one table, or `plan` for plan.yaml; default: all")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for machines")
    form.add_argument("--markdown", action="store_true", help="for documentation")


def run(arguments: argparse.Namespace) -> int:
    """Print the tables."""
    from planner.errors import nearest
    from planner.schema.describe import as_markdown, as_plain, as_text, parts

    known = parts()
    if arguments.table is not None and arguments.table not in known:
        hint = nearest(arguments.table, known) or f"; there are {', '.join(known)}"
        print(f"there is no table {arguments.table!r}{hint}", file=sys.stderr)
        return EXIT_WRONG
    chosen = [part for name, part in known.items() if arguments.table in (None, name)]
    if arguments.json:
        print(json.dumps({part.name: as_plain(part) for part in chosen}, indent=2))
    elif arguments.markdown:
        print("\n\n".join(map(as_markdown, chosen)))
    else:
        print("\n\n".join(map(as_text, chosen)))
        print("\nEvery table may also have the columns source, as_of and note: they are kept and shown.")
    return EXIT_PLAN
