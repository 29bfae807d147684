"""Sign a plan: write what it commits to as earlier commitments, and an entry into the ledger.

    planner accept reports/2027-q1 --into plans/2027-q2 --by "A. Buyer" --note "PO 4711"
    planner accept reports/2027-q1

The next folder gets a row in commitments.csv for each purchase, and for each earlier commitment that still runs; and
closed offers, pools and models where it lacks them. Without --into the rows go to commitments.csv in PLAN_DIR. Rows
that are there stay as they are, and nothing is owed twice. The entry's hash, the head, belongs on the purchase order:
`planner ledger --head HASH` then shows whether the ledger still is what was signed.
"""

import argparse
import datetime as dt
import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from planner.console.arguments import day
from planner.errors import EXIT_PLAN, PlannerError
from planner.units import counted

if TYPE_CHECKING:
    from planner.features.ledger.accept import Accepted
    from planner.plan.orders import Owed


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("plan", type=Path, metavar="PLAN_DIR", help="directory that planner solve or price wrote")
    parser.add_argument(
        "--into", type=Path, metavar="NEXT_FOLDER", help="next planning folder: the commitments are written there"
    )
    parser.add_argument("--ledger", type=Path, metavar="FILE", help="default: ledger.jsonl beside PLAN_DIR")
    parser.add_argument("--by", metavar="NAME", help="who signs (default: the login name)")
    parser.add_argument("--date", type=day, metavar="YYYY-MM-DD", help="when (default: today)")
    parser.add_argument("--note", metavar="TEXT", help="such as the number of the purchase order")
    parser.add_argument("--json", action="store_true", help="print the entry for machines")


def run(arguments: argparse.Namespace) -> int:
    """Check, sign, write and print."""
    from planner.features.ledger.accept import Signature, accept
    from planner.features.ledger.evidence import LEDGER
    from planner.features.tasks.cost_per_task_sheet import sheets_for
    from planner.workbook.as_written import not_compared_in_words, report_findings
    from planner.workbook.text_tables import clean

    directory: Path = arguments.plan
    beside = directory.parent if directory.name not in ("", "..") else directory.resolve().parent
    ledger = arguments.ledger or beside / LEDGER
    by = clean(arguments.by if arguments.by is not None else _login(), 200).strip()
    if not by:
        raise PlannerError("who signs is blank: give --by NAME")
    note = clean(arguments.note, 2000).strip() if arguments.note is not None else None
    signature = Signature(by, arguments.date or dt.date.today(), note or None)
    done = accept(directory, ledger, signature, arguments.into, partial(report_findings, sheets=sheets_for))
    if arguments.json:
        print(json.dumps(_plain(done, not_compared_in_words(directory)), indent=2, ensure_ascii=False))
        return EXIT_PLAN
    _tell(done, ledger, directory)
    return EXIT_PLAN


def _login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise PlannerError("nobody is logged in by name here: give --by NAME") from None


def _tell(done: "Accepted", ledger: Path, directory: Path) -> None:
    from planner.plan.manifest import WORKBOOK
    from planner.plan.orders import SHOWN_DIGITS
    from planner.units import last_day
    from planner.workbook.as_written import not_compared_in_words
    from planner.workbook.text_tables import amount, clean, usd

    entry = done.entry
    if done.signed:
        print(f"{clean(entry.plan, 80)}, {entry.first_month} to {entry.last_month}: signed by {entry.by} on "
              f"{entry.date}, entry {entry.entry} of {ledger}")  # fmt: skip
    else:
        print(f"{clean(entry.plan, 80)}: already signed by {entry.by} on {entry.date} (entry {entry.entry}); "
              "only its commitments were written")  # fmt: skip
    lines = len(entry.bought)
    print(f"  {lines} purchase{'' if lines == 1 else 's'}, {usd(entry.committed_term_usd, 2)} over "
          f"{'its term' if lines == 1 else 'their terms'}, of "
          f"which {usd(entry.committed_horizon_usd, 2)} in these months; the plan costs "
          f"{usd(entry.total_usd, 2)}")  # fmt: skip
    print(
        f"  proved again from its prices: no plan for this input is cheaper by more than {usd(done.above_best_usd, 2)}"
    )
    for o in done.added:
        kind = "" if o.new else ", bought earlier"
        print(
            f"  + {clean(o.offer.offer, 120)}: {counted(amount(o.units), 'unit')}, {o.start} through "
            f"{last_day(o.end)}{kind}"
        )
    if done.written is not None:
        there = f", {len(done.there)} were already there" if done.there else ""
        count = len(done.added)
        print(f"  {count} commitment{'' if count == 1 else 's'} written to {done.written}{there}")
    if done.ended:
        print(f"  {len(done.ended)} left out: they end before the months of {done.written} begin")
    apart = not_compared_in_words(directory)
    for text in (*done.notes, *([apart] if apart else [])):
        print(f"  note: {text}")
    printed = "" if apart or not (directory / WORKBOOK).is_file() else f", as on the purchase order of {WORKBOOK}"
    print(f"order {entry.order_sha256[:SHOWN_DIGITS]}{printed}")
    print(f"head {entry.sha256}")
    print("Write the head on the purchase order: planner ledger --head HASH checks the ledger against it.")


def _plain(done: "Accepted", apart: str) -> dict[str, object]:
    def told(part: "tuple[Owed, ...]") -> list[dict[str, object]]:
        return [{"offer": o.offer.offer, "units": o.units, "start": str(o.start), "end": str(o.end), "new": o.new}
                for o in part]  # fmt: skip

    entry = {**done.entry.model_dump(mode="json"), "sha256": done.entry.sha256,
             "order_sha256": done.entry.order_sha256}  # fmt: skip
    return {"entry": entry, "signed": done.signed, "written": str(done.written) if done.written else None,
            "added": told(done.added), "there": told(done.there), "ended": told(done.ended),
            "notes": [*done.notes, *([apart] if apart else [])], "above_best_usd": done.above_best_usd}  # fmt: skip
