"""What changed from one plan to the next, and why, on a terminal or in a pipe."""

from __future__ import annotations

import math
from typing import IO

from planner.features.resolve import changes as story
from planner.features.resolve.changes import UNCHANGED, Changes
from planner.workbook.text import amount, clean, usd
from planner.workbook.text_tables import LOST, TextTable, bold, console_for, show

_LINES, _BROKEN = 20, 6


def print_changes(changes: Changes, stream: IO[str]) -> None:
    """Print the lines that change, the causes of the change of cost, and the result of keeping the last plan."""
    console = console_for(stream)
    console.print(bold(story.heading(changes)))
    console.print(story.change(changes))
    console.print()
    show(console, _lines(changes))
    same = [line for line in changes.lines if line.what == UNCHANGED]
    if same:
        units = amount(math.fsum(line.after_units for line in same))
        console.print(f"Unchanged: {len(same)} line{'s' if len(same) > 1 else ''}, {units} units.")
    if changes.causes:
        console.print()
        show(console, _causes(changes))
        console.print(story.exactness(changes), style="dim")
    if changes.kept is not None:
        console.print()
        kept_is, free = story.keeping(changes.kept)
        console.print(kept_is)
        for what in changes.kept.broken[:_BROKEN]:
            console.print(f"- {clean(str(what), 300)}", style=LOST)
        if len(changes.kept.broken) > _BROKEN:
            console.print(f"- and {len(changes.kept.broken) - _BROKEN} more in changes.json")
        console.print(free)
    for note in changes.notes:
        console.print()
        console.print(f"Note: {clean(note, 1000)}.")


def _lines(changes: Changes) -> TextTable | str:
    moved = [line for line in changes.lines if line.what != UNCHANGED]
    if not moved:
        return "No line changes."
    table = TextTable(("Offer", "Region", "From", "Last plan", "This plan", "Change", "What"), left=2, words=(2, 6))
    ranked = sorted(moved, key=lambda n: -abs(n.after_usd - n.before_usd))[:_LINES]
    for line in sorted(ranked, key=lambda n: (n.start, n.region, n.offer, n.end)):
        table.add(
            clean(line.offer, 60), clean(line.region, 40), f"{line.start}", amount(line.before_units),
            amount(line.after_units), _signed(line.after_units - line.before_units), story.what(line),
        )  # fmt: skip
    if len(moved) > _LINES:
        table.add(f"and {len(moved) - _LINES} smaller ones", "", "", "", "", "", "")
    return table


def _signed(units: float) -> str:
    return amount(units) if units <= 0 else f"+{amount(units)}"


def _causes(changes: Changes) -> TextTable:
    table = TextTable(("Why the cost changed", "USD", "What it covers"), words=(2,))
    for cause in changes.causes:
        table.add(cause.name, usd(cause.usd, 2), cause.meaning)
    total = math.fsum(cause.usd for cause in changes.causes)
    table.add("All causes", usd(total, 2), "", style="bold")
    return table
