"""Words and conversions that every floor uses."""

import re
from pathlib import Path

import pytest

import planner
from planner.units import counted

# a number in braces before a plural: `counted` writes both, also where it is 1
PLURAL = re.compile(r"\{[^{}]+\} (?:more )?(?:units|rows|lines|cells|pools|deployments|places)\b(?!/)")
NEVER_ONE = (  # limits, a share, names, and what is told of several only
    "each of its last {told_units", ".0%} more units", "rows over all scenarios", "MOST_DEMAND_ROWS",
    "of_file > 1", "{regions} pools", "MOST_SHEET_ROWS", "MOST_ROWS", "{times} rows", "for {len(self.heads)} columns",
)  # fmt: skip


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (counted(1, "unit"), "1 unit"),
        (counted(2, "unit"), "2 units"),
        (counted(0, "row"), "0 rows"),
        (counted(1.0, "unit", "g"), "1 unit"),
        (counted(0.5, "unit", "g"), "0.5 units"),
        (counted(1.4, "day", ".0f"), "1 day"),
        (counted(1200, "hour", ","), "1,200 hours"),
        (counted("1", "unit"), "1 unit"),
        (counted(1, "row is", many="rows are"), "1 row is"),
        (counted(3, "row is", many="rows are"), "3 rows are"),
    ],
)
def test_what_reads_as_one_is_singular(told: str, text: str) -> None:
    assert told == text


def test_nowhere_stands_a_number_before_a_plural_that_is_not_counted() -> None:
    root = Path(planner.__file__).parent
    lines = [(path, line) for path in root.rglob("*.py") for line in path.read_text(encoding="utf-8").splitlines()]
    found = [
        f"{path.relative_to(root)}: {line.strip()}"
        for path, line in lines
        if (at := PLURAL.search(line))
        and "counted(" not in at.group()
        and 'f"' in line
        and not any(said in line for said in NEVER_ONE)
    ]
    assert found == []
