"""Sentences about what changed from one plan to the next: the same on the terminal and in the workbook."""

import math

from planner.features.resolve.changes import ENDING, Changes, Keeping, Line
from planner.workbook.text import amount, clean, usd


def heading(changes: Changes) -> str:
    """Name the last plan."""
    first, last = changes.previous_horizon
    months = first if first == last else f"{first} to {last}"
    return f"Against {clean(changes.previous_name, 60)} ({months}, input {changes.previous_digest[:12]})"


def change(changes: Changes) -> str:
    """Say what both plans cost."""
    before, after, by = changes.before.total_usd, changes.after.total_usd, changes.change_usd
    told = f"The last plan costs {usd(before, 2)}, this one {usd(after, 2)}: "
    if round(by, 2) == 0:
        return told + "the same."
    share = f" ({abs(by) / before * 100:.1f} %)" if before > 0 else ""
    return f"{told}{usd(abs(by), 2)}{share} {'more' if by > 0 else 'less'}."


def what(line: Line) -> str:
    """Say what becomes of a line."""
    if line.what == ENDING:
        return f"ends {line.end}"
    if line.renews:
        return f"renewed, {line.what}"
    return f"owed, {line.what}" if line.owed else line.what


def exactness(changes: Changes) -> str:
    """Say how exact the causes are."""
    told = "The causes add up to the change exactly, whatever order they are taken in (Shapley value"
    told += f", {changes.solves} mixtures of old and new)." if changes.solves else ")."
    if changes.exact_to_usd > 0:
        told += f" Each alone is exact to {usd(changes.exact_to_usd, 2)}: the gap asked of whole units."
    return told


def keeping(kept: Keeping) -> tuple[str, str]:
    """Say what keeping the last plan's purchases gave, and what the plan that is free to move would do."""
    changed, free = (f"{amount(units)} units" for units in (kept.changed_units, kept.free_changed_units))
    if not math.isinf(kept.usd_per_unit):
        kept_is = f"A unit moves only for {usd(kept.usd_per_unit, 2)} or more: {changed} change."
    elif kept.holds and not kept.broken:
        kept_is = "The last plan's purchases still hold, and are kept."
    else:
        kept_is = f"The last plan's purchases no longer hold; {changed} had to change."
    less = f"{usd(kept.forgone_usd, 2)} less" if kept.forgone_usd >= 0.005 else "no less"
    return kept_is, f"Free to move, the plan would change {free} and cost {less}."
