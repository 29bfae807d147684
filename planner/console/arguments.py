"""Argument types shared by commands, and where a command may write."""

import argparse
import datetime as dt
import math
import re
from pathlib import Path

from planner.errors import PlannerError
from planner.plan.manifest import NO_PLACE

MOST_DAYS = 3650


def positive(text: str) -> float:
    """Read a number above 0."""
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0")
    return value


def share(text: str) -> float:
    """Read a share from 0 to below 1."""
    value = _number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share from 0 to below 1, such as 1e-4")
    return value


def count(text: str) -> int:
    """Read a whole number from 1."""
    value = _number(text)
    if value < 1 or value != int(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(value)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return value


def folder_name(name: str) -> str:
    """Turn a plan's name into a folder name: letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:80] or "plan"


def refuse_unusable(directory: Path, tables: Path | None = None) -> None:
    """Refuse an output directory that is a file, before any work is done; and tables that would go into a plan's."""
    if tables is not None and tables.resolve().is_relative_to(directory.resolve()):
        said = f"--export {tables} lies inside {directory}, the plan's own directory: a plan has no other files in it"
        raise PlannerError(f"{said}; give --export a directory of its own")
    for name in sorted(NO_PLACE):
        if tables is not None and (tables / name).exists():
            raise PlannerError(f"--export {tables} holds {name}: give --export a directory of its own")
    for path in (directory, *directory.parents):
        if path.exists():
            if not path.is_dir():
                raise PlannerError(f"cannot write into {directory}: {path} is a file, not a directory")
            return


def days(text: str) -> int:
    """Read a whole number of days from 0, up to ten years."""
    value = _number(text)
    if not 0 <= value <= MOST_DAYS or value != int(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of days from 0 to {MOST_DAYS}")
    return int(value)


def day(text: str) -> dt.date:
    """Read a date such as 2027-01-31."""
    try:
        return dt.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2027-01-31") from None
