"""Changes after `planner resolve`: why the cost changed, cause by cause, its parts, and every line of both plans."""

from __future__ import annotations

import math
from typing import IO, Any

from planner.features.resolve import changes as story
from planner.features.resolve.changes import UNCHANGED, Cause, Changes
from planner.plan.plan import Totals
from planner.units import counted
from planner.workbook.book import Block, Column, ExtraSheet, Live, Recomputed, Sheet, axis, chart_title, grid
from planner.workbook.report import TOTAL_NAMES, Report
from planner.workbook.sheets.changes_sheet import NAME
from planner.workbook.text_tables import LOST, TextTable, amount, bold, clean, console_for, show, usd
from planner.workbook.theme import BLUE, GREEN, ORANGE, VERMILION

LAST = 10  # last printed column
_CHART_ROWS, _CHART_WIDTH, _ROW_PIXELS = 17, 1000, 20
_HELPERS = 12  # first column of what the chart is drawn from, beyond the printed page

LINES = (
    Column("offer", "Offer", "text:wrap", 38),
    Column("region", "Region", "text:wrap", 16),
    Column("start", "From", "date", 14),
    Column("end", "To (first\nday after)", "date", 12),
    Column("before", "Last plan\nunits", "units", 12, total=True),
    Column("after", "This plan\nunits", "units", 12, total=True),
    Column("change", "Change\nunits", "units", 12, total=True),
    Column("before_usd", "Last plan, in its\nmonths, USD", "usd", 16, total=True),
    Column("after_usd", "This plan, in its\nmonths, USD", "usd", 16, total=True),
    Column("change_usd", "Change\nUSD", "usd", 14, total=True),
    Column("what", "What happens", "text", 24),
)
STEPS = (
    Column("name", "From the last plan to this one", "text:wrap", 38),
    Column("usd", "USD", "cents", 16),
    Column("running", "Cost so far\nUSD", "usd", 14),
    Column("meaning", "What it covers", "text:muted", 12),
)
DRAWN = (
    Column("total", "Drawn:\nplan", "usd:muted", 12),
    Column("base", "below", "usd:muted", 12),
    Column("up", "more", "usd:muted", 12),
    Column("down", "less", "usd:muted", 12),
)
PARTS = (
    Column("name", "Part of the cost", "text:wrap", 38),
    Column("before", "Last plan\nUSD", "usd", 16, total=True),
    Column("after", "This plan\nUSD", "usd", 14, total=True),
    Column("change", "Change\nUSD", "usd", 12, total=True),
)


def sheet_of(changes: Changes) -> ExtraSheet:
    """Return the sheet Changes with the reasons, for the plan's workbook."""

    def fill(sheet: Sheet, report: Report) -> tuple[Recomputed, ...]:
        write(sheet, changes)
        return ()

    return ExtraSheet(NAME, ORANGE, NAME, fill)


def write(sheet: Sheet, changes: Changes) -> None:
    """Write the causes with their chart, the parts of the cost, and the lines."""
    sheet.heading("Changes", f"{story.heading(changes)}. {story.change(changes)}", LAST)
    sheet.widths(LINES)
    sheet.widths(DRAWN, _HELPERS)
    row = _causes(sheet, changes, 3) if changes.causes else 3
    for text in _sentences(changes):
        sheet.merged(row, 0, LAST, clean(text, 1000), "line")
        sheet.raw.set_row(row, 15 * max(1, math.ceil(len(text) / 190)))
        row += 1
    sheet.put(row + 1, 0, "Parts of the cost", "section")
    parts = sheet.table(row + 2, PARTS, [_part(changes, name) for name in Totals.names()])
    sheet.put(parts.total_row + 2, 0, "Line by line", "section")
    top = parts.total_row + 3
    lines = sheet.table(top, LINES, _lines(changes), empty="Neither plan holds or buys anything.")
    end = lines.total_row + 1 if changes.lines else lines.total_row
    sheet.put(end, 0, "Lines are new and earlier commitments: the first and last parts above.", "aside")
    sheet.printed(end, LAST, freeze=(3, 1))


def _causes(sheet: Sheet, changes: Changes, top: int) -> int:
    """Write the steps from the last plan's cost to this one's; returns the row below all of it."""
    sheet.put(top, 0, "Why the cost changed", "section")
    block = sheet.table(top + 1, STEPS, _steps(changes))
    _drawn(sheet, block, changes)
    first, last = block.first + 1, block.last - 1
    usd, running = (_column(block, key) for key in ("usd", "running"))
    change = math.fsum(cause.usd for cause in changes.causes)
    sheet.put(block.last + 1, 0, "All causes", "text:bold")
    sheet.put(block.last + 1, 1, Live(f"=SUM({usd}{first + 1}:{usd}{last + 1})", change), "cents:bold")
    off = f"{running}{block.last + 1}-{running}{block.last}"
    says = "they add up to the change" if abs(change - changes.change_usd) < 0.005 else "THEY DO NOT ADD UP"
    check = f'=IF(ABS({off})<0.005,"they add up to the change","THEY DO NOT ADD UP")'
    sheet.put(block.last + 1, 2, Live(check, says), "aside")
    _waterfall(sheet, block, changes, block.last + 3)
    return block.last + 3 + _CHART_ROWS


def _column(block: Block, key: str) -> str:
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[block.columns[key]]


def _steps(changes: Changes) -> list[dict[str, Any]]:
    """List the last plan, each cause and this plan; the running cost is a formula, this plan's a number of its own."""
    before, after = changes.before.total_usd, changes.after.total_usd
    rows: list[dict[str, Any]] = [{"name": "The last plan", "running": before}]
    cost = before
    for k, cause in enumerate(_ranked(changes)):
        cost += cause.usd
        above = 5 + k + 1  # row, counted from 1, of the step before
        rows.append({"name": cause.name, "usd": cause.usd, "meaning": cause.meaning,
                     "running": Live(f"=C{above}+{{usd}}", cost)})  # fmt: skip
    rows.append({"name": "This plan", "running": after})
    return rows


def _ranked(changes: Changes) -> list[Cause]:
    """Causes as they are shown: what costs more first, so that the cost so far is never below both plans' costs."""
    return sorted(changes.causes, key=lambda cause: -cause.usd)


def _drawn(sheet: Sheet, block: Block, changes: Changes) -> None:
    """Write what the chart is drawn from, as formulas of the table."""
    rows: list[dict[str, Any]] = []
    cost = changes.before.total_usd
    for k in range(block.last - block.first + 1):
        n = block.first + k + 1
        if 0 < k < block.last - block.first:
            usd = _ranked(changes)[k - 1].usd
            rows.append({
                "base": Live(f"=MIN(C{n - 1},C{n})", min(cost, cost + usd)),
                "up": Live(f"=MAX(B{n},0)", max(usd, 0.0)),
                "down": Live(f"=MAX(-B{n},0)", max(-usd, 0.0)),
            })  # fmt: skip
            cost += usd
        else:
            rows.append({"total": Live(f"=C{n}", changes.after.total_usd if k else changes.before.total_usd)})
    sheet.table(block.first - 1, DRAWN, rows, at=_HELPERS)


def _waterfall(sheet: Sheet, block: Block, changes: Changes, row: int) -> None:
    chart = sheet.book.chart("column", "stacked")
    series = (
        ("total", "Plan", BLUE),
        ("base", "", None),
        ("up", "Costs more", VERMILION),
        ("down", "Costs less", GREEN),
    )
    for k, (_, name, colour) in enumerate(series):
        fill: dict[str, Any] = {"none": True} if colour is None else {"color": colour}
        chart.add_series({
            "name": name or "below",
            "categories": [sheet.name, block.first, 0, block.last, 0],
            "values": [sheet.name, block.first, _HELPERS + k, block.last, _HELPERS + k],
            "fill": fill,
            "border": {"none": True},
            "gap": 40,
        })  # fmt: skip
    chart.set_title(chart_title("From the last plan's cost to this one's"))
    chart.set_x_axis(axis("", text_axis=True))
    floor = _floor(changes)
    told = "USD (the axis begins above 0)" if floor > 0 else "USD"
    chart.set_y_axis(grid(told, num_format="$#,##0", min=floor))
    chart.set_legend({"position": "none"})
    chart.set_size({"width": _CHART_WIDTH, "height": (_CHART_ROWS - 1) * _ROW_PIXELS})
    alt = "Columns: the last plan's cost, what each cause adds or takes away, and this plan's cost."
    sheet.raw.insert_chart(row, 0, chart, {"x_offset": 4, "y_offset": 4, "description": alt, "object_position": 1})


def _floor(changes: Changes) -> float:
    """Where the axis of the chart begins: at 0, or so that the steps can be seen where they are small."""
    low = min(changes.before.total_usd, changes.after.total_usd)
    high = changes.before.total_usd + math.fsum(max(cause.usd, 0.0) for cause in changes.causes)
    start = low - (high - low)
    if start <= 0:
        return 0.0
    step = 10 ** math.floor(math.log10(max(high - low, 1.0)))
    return float(math.floor(start / step) * step)


def _sentences(changes: Changes) -> list[str]:
    told = [story.exactness(changes)] if changes.causes else []
    if changes.kept is not None:
        kept_is, free = story.keeping(changes.kept)
        told += [kept_is, *(f"Broken: {text}" for text in changes.kept.broken), free]
    return [*told, *changes.notes]


def _part(changes: Changes, name: str) -> dict[str, Any]:
    before, after = getattr(changes.before, name), getattr(changes.after, name)
    change = Live("={after}-{before}", after - before)
    return {"name": TOTAL_NAMES[name], "before": before, "after": after, "change": change}


def _lines(changes: Changes) -> list[dict[str, Any]]:
    return [
        {
            "offer": line.offer,
            "region": line.region,
            "start": line.start,
            "end": line.end,
            "before": line.before_units,
            "after": line.after_units,
            "change": Live("={after}-{before}", line.after_units - line.before_units),
            "before_usd": line.before_usd,
            "after_usd": line.after_usd,
            "change_usd": Live("={after_usd}-{before_usd}", line.after_usd - line.before_usd),
            "what": story.what(line),
        }
        for line in changes.lines
    ]


_LINES, _BROKEN = 20, 6


def print_changes(changes: Changes, stream: IO[str]) -> None:
    """Print the lines that change, the causes of the change of cost, and the result of keeping the last plan."""
    console = console_for(stream)
    console.print(bold(story.heading(changes)))
    console.print(story.change(changes))
    console.print()
    show(console, _change_table(changes))
    same = [line for line in changes.lines if line.what == UNCHANGED]
    if same:
        units = amount(math.fsum(line.after_units for line in same))
        console.print(f"Unchanged: {counted(len(same), 'line')}, {counted(units, 'unit')}.")
    if changes.causes:
        console.print()
        show(console, _cause_table(changes))
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


def _change_table(changes: Changes) -> TextTable | str:
    moved = [line for line in changes.lines if line.what != UNCHANGED]
    if not moved:
        return "No line changes."
    table = TextTable(("Offer", "Region", "From", "Last plan", "This plan", "Change", "What"), left=2, words=(2, 6))
    ranked = sorted(moved, key=lambda n: -abs(n.after_usd - n.before_usd))[:_LINES]
    for line in sorted(ranked, key=lambda n: (n.start, n.region, n.offer, n.end)):
        table.add(
            clean(line.offer, 120), clean(line.region, 120), f"{line.start}", amount(line.before_units),
            amount(line.after_units), _signed(line.after_units - line.before_units), story.what(line),
        )  # fmt: skip
    if len(moved) > _LINES:
        table.add(f"and {len(moved) - _LINES} smaller ones", "", "", "", "", "", "")
    return table


def _signed(units: float) -> str:
    return amount(units) if units <= 0 else f"+{amount(units)}"


def _cause_table(changes: Changes) -> TextTable:
    table = TextTable(("Why the cost changed", "USD", "What it covers"), words=(2,))
    for cause in changes.causes:
        table.add(cause.name, usd(cause.usd, 2), cause.meaning)
    total = math.fsum(cause.usd for cause in changes.causes)
    table.add("All causes", usd(total, 2), "", style="bold")
    return table
