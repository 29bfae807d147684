"""What the subcommands share: the catalogue, lists in arguments, tables on the terminal."""

import argparse
import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from planner.errors import PlannerError

if TYPE_CHECKING:
    from planner.features.catalogue.published import Catalogue


def folder_of(arguments: argparse.Namespace) -> Path:
    """Folder of the catalogue asked for."""
    from planner.features.catalogue.published import catalogue_folder

    chosen: Path = arguments.catalogue or catalogue_folder()
    return chosen


def catalogue_of(arguments: argparse.Namespace) -> "Catalogue":
    """Read the catalogue asked for."""
    from planner.features.catalogue.published import read_catalogue

    return read_catalogue(folder_of(arguments))


def words(text: str) -> list[str]:
    """Split ``a,b, c``."""
    return [part.strip() for part in text.split(",") if part.strip()]


def day(text: str) -> dt.date:
    """Read a date of the command line."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2027-01-31") from None


def today_of(arguments: argparse.Namespace) -> dt.date:
    """Day given with --today, else the day on the clock."""
    return arguments.today or dt.date.today()


def write_new(path: Path, text: str) -> None:
    """Write beside and rename."""
    from planner.io.atomic import written_beside

    with written_beside(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="")


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; one without rows is left out. Columns of figures stand to the right."""
    if not rows:
        return
    import sys

    from planner.workbook.text_tables import TextTable, bold, console_for

    names = tuple(k for k in range(len(header)) if not all(_is_figure(row[k]) for row in rows))
    table = TextTable(tuple(header), left=0, words=names)
    for row in rows:
        table.add(*row)
    console = console_for(sys.stdout)
    console.print(bold(title))
    table.print(console)
    console.print()


def _is_figure(text: str) -> bool:
    return not text or text[0] in "0123456789-+$." or text == "not confirmed"


def names_known(asked: Sequence[str], known: Sequence[str], what: str) -> None:
    """Raise with the nearest known name if one is not known."""
    from planner.errors import nearest

    wrong = [f"no {what} {name!r} in the catalogue{nearest(name, known)}" for name in asked if name not in known]
    if wrong:
        raise PlannerError("\n".join(wrong))
