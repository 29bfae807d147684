"""List the products that providers sell, with unit and terms, and the models of each tier.

planner offers list
planner offers list --provider azure --json
"""

import argparse
import json

from planner.errors import EXIT_PLAN
from planner.features.catalogue.commands.common import catalogue_of, names_known, print_table

_SIDE_BY_SIDE = (("input", "cached", "write", "output"), ("min", "step"))
_ONLY_JSON = ("pool per", "meters")


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
    sources: dict[tuple[str, ...], int] = {}
    for title, header, rows in tables:
        cells = [dict(zip(header, row, strict=True)) for row in rows]
        print_table(*_narrow(title, [_shortened(cell, sources) for cell in cells]))
    print_table("Sources", ["no.", "as of", "source"], [[f"[{n}]", *source] for source, n in sources.items()])


def _shortened(row: dict[str, str], sources: dict[tuple[str, ...], int]) -> dict[str, str]:
    """Leave out what only --json shows, number the source, and put small figures side by side."""
    found = {name: value for name, value in row.items() if name not in _ONLY_JSON}
    if {"as of", "source"} <= found.keys():
        source = found.pop("as of"), found.pop("source")
        found["status"] = f"{found['status']} [{sources.setdefault(source, len(sources) + 1)}]"
    for parts in _SIDE_BY_SIDE:
        if set(parts) <= found.keys():
            joined = " / ".join(found.pop(part) or "–" for part in parts)
            status = found.pop("status")
            found |= {" / ".join(parts): joined, "status": status}
    return found


def _narrow(title: str, rows: list[dict[str, str]]) -> tuple[str, list[str], list[list[str]]]:
    """Say once, beside the title, what is the same in every row."""
    if not rows:
        return title, [], []
    same = {name: value for name, value in rows[0].items() if all(row[name] == value for row in rows)}
    kept = [name for name in rows[0] if len(rows) == 1 or name not in same]
    told = ", ".join(f"{name} {value}" for name, value in same.items() if value) if len(rows) > 1 else ""
    return f"{title}, all: {told}" if told else title, kept, [[row[name] for name in kept] for row in rows]
