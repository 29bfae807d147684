"""List the signed plans and check that neither the ledger nor the plans were changed since.

    planner ledger                         reports/ledger.jsonl
    planner ledger reports/ledger.jsonl --head 9f2c41d07a3e

Each entry holds the hash of the one before, so an entry that was edited, removed, inserted or moved is detected.
Entries cut off at the end, or a ledger that was emptied, show as long as a signed plan lies beside the ledger: its
directory names its entry. What the files cannot show: all of them rewritten with new hashes, or removed together. The
head that was noted elsewhere when a plan was signed, such as on its purchase order, shows that too: --head HASH.
Exit codes: 0 nothing was changed, 1 something was (it says which entry and what), or the ledger cannot be read.
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from planner.errors import EXIT_PLAN, EXIT_WRONG, PlannerError

if TYPE_CHECKING:
    from planner.features.ledger.chain import Entry, Ledger

_SHORT = 12  # digits of a hash that are shown, and the fewest that --head takes


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("ledger", type=Path, nargs="?", default=Path("reports") / "ledger.jsonl", metavar="FILE",
                        help="default: reports/ledger.jsonl")  # fmt: skip
    parser.add_argument("--head", metavar="HASH", help="hash noted when a plan was signed (at least 12 digits)")
    parser.add_argument("--json", action="store_true", help="for machines")


def run(arguments: argparse.Namespace) -> int:
    """Read, check, list."""
    from planner.features.ledger.chain import read_ledger, torn_line
    from planner.features.ledger.evidence import changed, unlisted
    from planner.plan.orders import SHOWN_DIGITS

    path: Path = arguments.ledger
    if not path.exists() and (beside := unlisted(path, ())):
        raise PlannerError("\n".join([f"{path}: there is no such ledger, but plans beside it state that it lists them; "
                                      "look for it:", *(f"  {what}" for what in beside)]))  # fmt: skip
    ledger = read_ledger(path)
    plans = {k: changed(entry, path) for k, entry in enumerate(ledger.entries)}
    found = list(ledger.faults)
    if ledger.torn is not None:
        found.append(torn_line(path, ledger))
    for k, entry in enumerate(ledger.entries):
        found += [f"entry {entry.entry}: {entry.directory}: {what}" for what in plans[k]]
    found += unlisted(path, ledger.entries)
    anchor = _anchor(arguments.head, ledger)
    if anchor is not None and not anchor[0]:
        found.append(anchor[1])
    if arguments.json:
        entries = [{**e.model_dump(mode="json"), "sha256": e.sha256, "plan_files": _state(plans[k])}
                   for k, e in enumerate(ledger.entries)]  # fmt: skip
        print(json.dumps({"ledger": str(path), "head": ledger.head, "whole": not found, "faults": found,
                          "entries": entries}, indent=2, ensure_ascii=False))  # fmt: skip
        return EXIT_WRONG if found else EXIT_PLAN
    _list(ledger.entries, plans)
    if anchor is not None and anchor[0]:
        print(anchor[1])
    if found:
        print(f"{path}: something was changed:")
        for what in found:
            print(f"  {what}")
        return EXIT_WRONG
    count = len(ledger.entries)
    print(f"{path}: {count} entr{'y' if count == 1 else 'ies'}, the chain is intact")
    for e in ledger.entries:
        print(f"entry {e.entry}: order {e.order_sha256[:SHOWN_DIGITS]}")
    if ledger.entries:
        print(f"head {ledger.head}")
    if arguments.head is None:
        print("To detect entries cut off at the end, compare with a hash noted elsewhere: --head HASH.")
    return EXIT_PLAN


def _anchor(head: str | None, ledger: "Ledger") -> tuple[bool, str] | None:
    """Look for the hash that was noted when a plan was signed."""
    if head is None:
        return None
    wanted = head.strip().lower()
    if len(wanted) < _SHORT or not set(wanted) <= set("0123456789abcdef"):
        return False, f"--head {head!r} is not a hash: give at least {_SHORT} of its digits (0-9, a-f)"
    entry = ledger.find(wanted)
    if entry is None:
        return (
            False,
            f"no entry has the hash {wanted[:_SHORT]}...: the ledger was cut off, rewritten, or is another one",
        )
    if ledger.faults:
        return False, f"{wanted[:_SHORT]}... is the hash of entry {entry.entry}, but the chain is broken"
    since = len(ledger.entries) - entry.entry
    later = f"; {since} signed since" if since else ", the last"
    return (
        True,
        f"{wanted[:_SHORT]}... is the hash of entry {entry.entry}{later}: everything up to it is as it was signed",
    )


def _state(changes: list[str]) -> str | list[str]:
    return changes or "as signed"


def _list(entries: "tuple[Entry, ...]", plans: dict[int, list[str]]) -> None:
    """Print the entries as a table."""
    import sys

    from planner.workbook.text_tables import LOST, Styled, TextTable, console_for, usd

    if not entries:
        return
    first: dict[str, int] = {}
    heads = ("No.", "Date", "By", "Plan", "Months", "Lines", "Whole terms", "Plan costs", "Hash", "Files")
    table = TextTable(heads, left=0, words=(1, 2, 3, 4, 8, 9))
    for k, e in enumerate(entries):
        again = first.setdefault(e.plan_sha256, e.entry)
        state = _state(plans[k])
        told = state if isinstance(state, str) else "changed or gone"
        files = told if again == e.entry else f"{told}; signs entry {again}'s plan too"
        table.add(
            str(e.entry), str(e.date), e.by, e.plan, f"{e.first_month} to {e.last_month}", str(len(e.bought)),
            usd(e.committed_term_usd), usd(e.total_usd), e.sha256[:_SHORT],
            files if isinstance(state, str) else Styled(files, LOST),
        )  # fmt: skip
    table.print(console_for(sys.stdout))
