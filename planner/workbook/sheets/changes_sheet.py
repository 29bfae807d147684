"""Changes: against the last plan if one is given, else against today's commitments.

`planner resolve` hands in a sheet of this name with the reasons, which then stands in its place.
"""

from dataclasses import replace
from typing import Any

from planner.plan.plan import Plan, Totals
from planner.workbook.book import Column, Live, Sheet
from planner.workbook.report import TOTAL_NAMES, Report, rows_of
from planner.workbook.text_tables import name_width

NAME = "Changes"
_LAST = 8
_SAME = 1e-6  # units


def write(sheet: Sheet, report: Report) -> None:
    """Write the comparison."""
    if report.previous is None:
        _against_today(sheet, report)
    else:
        _against_plan(sheet, report, report.previous)


def _against_today(sheet: Sheet, report: Report) -> None:
    """Each offer under which units are held today or bought now."""
    case = report.case
    sheet.heading(
        "Changes", "Against the commitments that are in force when the plan begins. No earlier plan was given.", _LAST
    )
    first, last = case.periods[0], case.periods[-1]
    today: dict[str, float] = {}
    ends: dict[str, list[Any]] = {}
    kept: dict[str, float] = {}
    for c in case.commitments:
        if case.commitment_in_force(c, first):
            today[c.offer] = today.get(c.offer, 0.0) + c.units
            ends.setdefault(c.offer, []).append(c.end)
        if case.commitment_in_force(c, last):
            kept[c.offer] = kept.get(c.offer, 0.0) + c.units
    bought: dict[str, float] = {}
    lasting: dict[str, float] = {}
    order = {p.name: k for k, p in enumerate(case.periods)}
    for row in rows_of(report.plan.purchases):
        offer = next(o for o in case.offers if o.offer == row.offer)
        bought[offer.offer] = bought.get(offer.offer, 0.0) + float(row.units)
        if order[last.name] in case.covered(offer, order[str(row.period)]):
            lasting[offer.offer] = lasting.get(offer.offer, 0.0) + float(row.units)
    regions = {p.pool: p.region for p in case.pools}
    rows: list[dict[str, Any]] = []
    for offer in sorted(case.offers, key=lambda o: (regions[o.pool], o.pool, o.offer)):
        name = offer.offer
        if name not in today and name not in bought:
            continue
        before, new = today.get(name, 0.0), bought.get(name, 0.0)
        after = kept.get(name, 0.0) + lasting.get(name, 0.0)
        rows.append({
            "region": regions[offer.pool], "pool": offer.pool, "offer": name,
            "before": before, "ends": min(ends[name]) if name in ends else None, "new": new, "after": after,
            "change": Live("={after}-{before}", after - before), "what": _what(before, new, after),
        })  # fmt: skip
    columns = (
        Column("region", "Region", "text:wrap", name_width(regions.values(), 16)),
        Column("pool", "Pool", "text:wrap", 22),
        Column("offer", "Offer", "text:wrap", 30),
        Column("before", f"In force on\n{first.start}, units", "units", 13, total=True),
        Column("ends", "First of them ends\n(first day after)", "date", 18),
        Column("new", "Bought in\nthis plan, units", "units", 14, total=True),
        Column("after", f"In force in\n{last.name}, units", "units", 14, total=True),
        Column("change", "Change\nunits", "units", 11, total=True),
        Column("what", "What happens", "text:wrap", 30),
    )
    sheet.widths(columns)
    block = sheet.table(3, columns, rows, empty="Nothing is in force today and nothing is bought.")
    sheet.printed(block.total_row, _LAST, repeat=3, freeze=(4, 3))


def _what(before: float, new: float, after: float) -> str:
    """Name what becomes of an offer's units between the plan's first and last month."""
    if before <= 0:
        return "new" if after > 0 else "new, and ends within the plan"
    if after <= 0:
        return "ends"
    if abs(after - before) < _SAME:
        return "renewed" if new > 0 else "runs on"
    return "more" if after > before else "fewer"


def _against_plan(sheet: Sheet, report: Report, previous: Plan) -> None:
    """Purchases and cost of the last plan beside those of this one."""
    now = report.plan
    sheet.heading("Changes", f"Against the plan {previous.name} (input {previous.input_digest[:12]}).", _LAST)
    columns = (
        Column("offer", "Offer", "text:wrap", 40),
        Column("period", "Start", "text", 11),
        Column("before", "Last plan\nunits", "units", 12, total=True),
        Column("after", "This plan\nunits", "units", 12, total=True),
        Column("change", "Change\nunits", "units", 12, total=True),
        Column("before_usd", "Last plan, in its\nmonths, USD", "usd", 16, total=True),
        Column("after_usd", "This plan, in its\nmonths, USD", "usd", 16, total=True),
        Column("change_usd", "Change\nUSD", "usd", 14, total=True),
        Column("what", "What happens", "text", 18),
    )
    sheet.widths(columns)
    old, new = _bought(previous), _bought(now)
    rows: list[dict[str, Any]] = []
    for key in sorted(old.keys() | new.keys(), key=lambda k: (k[1], k[0])):
        (u0, c0), (u1, c1) = old.get(key, (0.0, 0.0)), new.get(key, (0.0, 0.0))
        same = abs(u1 - u0) < _SAME
        what = (
            "unchanged"
            if same
            else "new"
            if key not in old
            else "dropped"
            if key not in new
            else "more"
            if u1 > u0
            else "fewer"
        )
        rows.append({
            "offer": key[0], "period": key[1], "before": u0, "after": u1, "change": Live("={after}-{before}", u1 - u0),
            "before_usd": c0, "after_usd": c1, "change_usd": Live("={after_usd}-{before_usd}", c1 - c0), "what": what,
        })  # fmt: skip
    block = sheet.table(3, columns, rows, empty="Neither plan buys anything.")
    top = block.total_row + 2
    sheet.put(top, 0, "Cost", "section")
    names = ("Part of the cost", "", "Last plan\nUSD", "This plan\nUSD", "Change\nUSD")
    shown = [
        replace(c, header=name, style="usd" if c.total else "text") for c, name in zip(columns, names, strict=False)
    ]
    parts: list[dict[str, Any]] = []
    for name in Totals.names():
        before, after = getattr(previous.totals, name), getattr(now.totals, name)
        parts.append({"offer": TOTAL_NAMES[name], "before": before, "after": after,
                      "change": Live("={after}-{before}", after - before)})  # fmt: skip
    cost = sheet.table(top + 1, shown, parts)
    sheet.printed(cost.total_row, _LAST, repeat=3, freeze=(4, 1))


def _bought(plan: Plan) -> dict[tuple[str, str], tuple[float, float]]:
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for row in rows_of(plan.purchases):
        key = str(row.offer), str(row.period)
        units, usd = found.get(key, (0.0, 0.0))
        found[key] = units + float(row.units), usd + float(row.usd)
    return found
