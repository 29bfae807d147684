"""How far a plan carries, in figures: on the terminal, as a table for machines, and as a sheet of study.xlsx."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from planner.features.what_if.case_factors import DEMAND
from planner.features.what_if.how_far import FACTORS, LEAST, MOST, MOST_GROWTH, NEARLY, HowFar, Reach
from planner.workbook.book import LINE_POINTS, Column, Sheet, Value
from planner.workbook.text_tables import TextTable, clean, joined, lines_of, percent, usd

if TYPE_CHECKING:
    from rich.console import Console

TABLE, NAME = "study_how_far.csv", "How far"
COLUMNS = ("number", "scale", "compared_with", "fits_until_growth_share", "best_from_share", "best_to_share",
           "nearly_best_from_share", "nearly_best_to_share",
           *(f"regret_usd_at_{factor:g}" for factor in FACTORS))  # fmt: skip
COMPARED = "the cheapest plan for units of any size"
TITLE = f"How far the plan carries, against {COMPARED}"


def document_of(far: HowFar) -> dict[str, Any]:
    """Return it as study.json holds it; a growth without a limit is null."""
    return {
        "plan_usd": far.plan_usd,
        "compared_with": COMPARED,
        "regret_usd": far.regret_usd,
        "reaches": [
            {**asdict(r), "fits_until": None if r.fits_until is None or math.isinf(r.fits_until) else r.fits_until,
             "regrets": [{"factor": f, "usd": u} for f, u in r.regrets]}
            for r in far.reaches
        ],
    }  # fmt: skip


def how_far_from(item: dict[str, Any]) -> HowFar | None:
    """Read it back from study.json; None where it was written before ranges that are nearly best were."""
    if any("nearly_from" not in reach for reach in item["reaches"]):
        return None
    return HowFar(
        float(item["plan_usd"]),
        float(item["regret_usd"]),
        tuple(
            Reach(
                name=str(r["name"]), kind=str(r["kind"]), key=str(r["key"]),
                fits_until=math.inf if r["kind"] == DEMAND and r["fits_until"] is None else r["fits_until"],
                best_from=r["best_from"], best_to=r["best_to"],
                nearly_from=r["nearly_from"], nearly_to=r["nearly_to"],
                regrets=tuple((float(p["factor"]), p["usd"]) for p in r["regrets"]),
                sampled=bool(r.get("sampled", False)),
            )
            for r in item["reaches"]
        ),
    )  # fmt: skip


def how_far_table(far: HowFar) -> pd.DataFrame:
    """One row a number: columns COLUMNS. Shares are moves from today, 0.1 being 10 % more; blank: no end was found."""
    rows = []
    for r in far.reaches:
        fits = None if r.fits_until is None or math.isinf(r.fits_until) else r.fits_until - 1
        ends = [None if e is None else e - 1 for e in (r.best_from, r.best_to, r.nearly_from, r.nearly_to)]
        rows.append((r.name, r.key, COMPARED, fits, *ends, *(u for _, u in r.regrets)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def move(factor: float) -> str:
    """Show a factor as a move: +12.5 %, -10.0 %."""
    share = factor - 1
    return f"{'+' if round(share, 4) > 0 else ''}{percent(share)}"


def fits_in_words(r: Reach) -> str:
    """Say how far demand may grow until the plan's own units no longer serve it."""
    if r.fits_until is None:
        return ""
    return f"{move(MOST_GROWTH)} and more" if math.isinf(r.fits_until) else move(r.fits_until)


def ends_in_words(start: float | None, end: float | None) -> tuple[str, str]:
    """Return both ends of a range of factors; None: it goes on."""
    return (f"{move(LEAST)} and less" if start is None else move(start),
            f"{move(MOST)} and more" if end is None else move(end))  # fmt: skip


def regret_in_words(value: float | None) -> str:
    """Show what staying costs more; where these purchases serve it no longer, say so."""
    return "no plan" if value is None else usd(value)


def sentences(far: HowFar) -> list[str]:
    """Say what the columns mean, and what was compared with what."""
    found = [
        "One number moves at a time, the purchases stay, everything else is decided anew as well as it can be.",
        "Fits until: growth up to which the plan's own units and every contract serve all of it in every stress case.",
        "Staying costs more: against the cheapest plan of units of any size, so no plan saves more than that.",
    ]
    if far.regret_usd > max(0.01, 1e-6 * far.plan_usd):
        found.append(
            f"Today it is {usd(far.regret_usd)}, which is rounding to whole units. Best from ... to is the range in "
            "which it is no more than that (to 0.05 % of the number, and 0.01 % of the plan's cost): within it, no "
            "plan saves more, in whole units or not. Beyond it, one of units of any size does; one in whole units may "
            "not."
        )
        found.append(
            f"Nearly best is the range in which it is at most {percent(NEARLY, 0)} of the plan's cost more than it is "
            "today: within it, there is little reason to change."
        )
    else:
        found.append(
            "Best from ... to is the range in which no other plan is cheaper (to 0.05 % of the number, and 0.01 % of "
            f"the plan's cost), nearly best that in which none saves more than {percent(NEARLY, 0)} of the plan's cost."
        )
    if sampled := [r.name for r in far.reaches if r.sampled]:
        found.append(
            f"Of {joined(sampled)}, only moves of 10, 25 and 50 % were compared, and ends looked for between two of "
            "them: a plan that is cheaper only in between is not seen."
        )
    return found


def print_how_far(console: Console, far: HowFar) -> None:
    """Print it; of what staying costs more, the moves that are likely."""
    console.print(f"\n{TITLE}", style="bold")
    shown = [factor for factor in FACTORS if abs(factor - 1) < 0.3]
    costs = [f"staying costs\nmore at {move(f)}" if f == shown[0] else f"at {move(f)}" for f in shown]
    table = TextTable(("Number", "fits\nuntil", "best\nfrom", "to", "nearly best\nfrom", "to", *costs))
    for r in far.reaches:
        table.add(
            clean(r.name, 60), fits_in_words(r), *ends_in_words(r.best_from, r.best_to),
            *ends_in_words(r.nearly_from, r.nearly_to),
            *(regret_in_words(u) for f, u in r.regrets if f in shown),
        )  # fmt: skip
    table.print(console)
    for line in sentences(far):
        console.print(f"- {line}", soft_wrap=True)


SHEET = (
    Column("name", "Number", "text:wrap", 30),
    Column("fits", "Fits\nuntil", "text:wrap", 11),
    Column("from", "Best\nfrom", "text:wrap", 11),
    Column("to", "Best\nto", "text:wrap", 11),
    Column("nearly_from", "Nearly best\nfrom", "text:wrap", 12),
    Column("nearly_to", "Nearly best\nto", "text:wrap", 12),
    *(
        Column(
            f"at{f:g}",
            f"{'Staying costs' if f == FACTORS[0] else ''}\n{'more at ' if f == FACTORS[0] else 'at '}{move(f)}",
            "usd",
            17 if f == FACTORS[0] else 12,
        )
        for f in FACTORS
    ),
)


def write_how_far(sheet: Sheet, far: HowFar) -> None:
    """Write the sheet."""
    last = len(SHEET) - 1
    first, *others = sentences(far)
    sheet.heading(TITLE, first, last)
    top = 2
    for line in others:
        sheet.raw.set_row(top, LINE_POINTS * lines_of(line, sum(column.width for column in SHEET)) + 3)
        sheet.merged(top, 0, last, line, "aside")
        top += 1
    sheet.widths(SHEET)
    rows: list[Mapping[str, Value]] = []
    for r in far.reaches:
        low, high = ends_in_words(r.best_from, r.best_to)
        nearly = ends_in_words(r.nearly_from, r.nearly_to)
        rows.append({"name": r.name, "fits": fits_in_words(r), "from": low, "to": high,
                     "nearly_from": nearly[0], "nearly_to": nearly[1],
                     **{f"at{f:g}": "no plan" if u is None else u for f, u in r.regrets}})  # fmt: skip
    block = sheet.table(top + 1, SHEET, rows, empty="Nothing can move.")
    sheet.printed(block.last, last, repeat=top + 1, freeze=(top + 2, 1))
