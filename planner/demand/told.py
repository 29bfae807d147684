"""What `planner ingest` says on the terminal, and the moments it reads from the command line."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from planner.demand.history import VALUES, History
from planner.errors import Fault, InputError


def moment(text: str | None, option: str) -> dt.datetime | None:
    """Read a moment; UTC where it has no offset."""
    if text is None:
        return None
    try:
        value = dt.datetime.fromisoformat(text)
    except ValueError:
        raise InputError([Fault(option, "is not a moment", value=text, allowed="2027-01-31T00:00Z")]) from None
    return value if value.tzinfo else value.replace(tzinfo=dt.UTC)


def window(text: str | None) -> tuple[dt.datetime, dt.datetime] | None:
    """Read START/END."""
    if text is None:
        return None
    start, _, end = text.partition("/")
    first, last = moment(start, "--window"), moment(end or None, "--window")
    if first is None or last is None or last <= first:
        raise InputError(
            [Fault("--window", "is not a span", value=text, allowed="2027-01-01T00:00Z/2027-02-01T00:00Z")]
        )
    return first, last


def tell_history(history: History, folder: Path) -> None:
    """Print what was read, what is missing, and what each rule did."""
    report = history.report
    print(f"{report['title']}: {report['rows_read']:,} rows read, {report['first_hour']} to {report['last_hour']}")
    for name in VALUES:
        total = report["totals"][name]
        print(f"  {name:<15} {'not in this export' if total is None else f'{total:,.0f}'}")
    for text in report["missing"]:
        print(f"missing: {text}")
    for text in report["notes"]:
        print(f"note: {text}")
    for finding in report["findings"]:
        print(f"{finding['action']}: {finding['count']:,} {finding['rule']}: {finding['meaning']}")
        if finding["examples"]:
            print(f"    such as {finding['examples'][0]}")
    print(f"history of {report['history_rows']:,} rows in {folder}")


def tell_commitments(report: Mapping[str, Any], folder: Path) -> None:
    """Print what a FOCUS export holds of commitments and money."""
    print(f"{report['title']}: {report['rows_read']:,} rows read")
    for item in report["commitments"]:
        used = item.get("utilisation")
        shown = "" if used is None else f", utilisation {used:.1%}"
        print(f"  {item['name']}: {item['units']:g} {item['unit']}{shown}")
    for name, value in report["money"].items():
        print(f"  {name:<28} {value:,.2f}")
    for text in report["missing"]:
        print(f"missing: {text}")
    print(f"commitments in {folder}")
