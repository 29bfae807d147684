"""Audit: the plan's totals recomputed by formula from the detail sheets, and its rules re-checked, each with a tick."""

from collections.abc import Sequence
from typing import Any

from planner.features.resolve.change_reasons import TOTAL_NAMES
from planner.workbook.book import Column, Live, Sheet
from planner.workbook.report import Report
from planner.workbook.sheets.audit_rules import Blocks, Rule, rules

NAME = "Audit"
TOP = 4
_CENT = 0.005  # USD: what rounding may leave
_RELATIVE = 1e-9

SUMS = (
    Column("what", "Figure", "text:wrap", 54),
    Column("where", "Recomputed from", "text:wrap", 40),
    Column("sheet", "Sheets\nsay", "cents", 18),
    Column("plan", "The plan\nsays", "cents", 18),
    Column("difference", "Difference", "cents", 13),
    Column("tick", "Agrees", "tick", 9),
)
RULES = (
    Column("what", "Rule", "text:wrap", 54),
    Column("where", "Looked at", "text:wrap", 40),
    Column("sheet", "Cases\nlooked at", "count", 18),
    Column("plan", "Broken", "count", 18),
    Column("difference", "", "text", 13),
    Column("tick", "Holds", "tick", 9),
)


def write(sheet: Sheet, report: Report, blocks: Blocks, fits: Sequence[bool]) -> None:
    """Write the sheet; `fits` says whether each line of the order is of a size that is sold."""
    text = (
        "Totals are recomputed by formula from the detail sheets and set against the plan as solved; rules are "
        "re-checked on the figures shown. Before this was written, planner re-priced the plan and re-checked every "
        "rule hour by hour."
    )
    sheet.heading("Audit", text, len(SUMS) - 1)
    sheet.widths(SUMS)
    sheet.put(TOP - 1, 0, "Totals", "section")
    sums = [_sum(*row) for row in _totals(report, blocks)]
    block = sheet.table(TOP, SUMS, sums)
    top = block.last + 3
    sheet.put(top - 1, 0, "Rules", "section")
    checked = sheet.table(top, RULES, [_rule(rule) for rule in rules(report, blocks, fits)])
    top = checked.last + 2
    for k, (label, value) in enumerate((
        ("Input", f"SHA-256 {report.plan.input_digest}"),
        ("Horizon", report.horizon),
        ("Bound", f"{report.plan.proof.bound_usd:,.2f} USD, status {report.plan.proof.status}"),
    )):  # fmt: skip
        sheet.put(top + k, 0, label, "key")
        sheet.put(top + k, 1, value, "plain")
    sheet.printed(top + 3, len(SUMS) - 1)


def _totals(report: Report, b: Blocks) -> list[tuple[str, str, str, float, float]]:
    """(figure, where, formula, its value, what the plan says)."""
    t, rows = report.plan.totals, []
    if b.order is not None:
        units, price, hours = b.order.range("planned"), b.order.range("price"), b.order.range("hours_horizon")
        where, tail = "Purchase order, units as planned", b.order.range("hours_tail")
        rows.append((TOTAL_NAMES["reserved_usd"], where, f"SUMPRODUCT({units},{price},{hours})",
                     sum(n.horizon_usd for n in report.lines), t.reserved_usd))  # fmt: skip
        rows.append((TOTAL_NAMES["tail_usd"], where, f"SUMPRODUCT({units},{price},{tail})", t.tail_usd, t.tail_usd))
    if report.months:
        rows.append((TOTAL_NAMES["unreserved_usd"], "Reservations", b.held.total("beyond_usd"),
                     sum(m.unreserved_usd for m in report.months), t.unreserved_usd))  # fmt: skip
        rows.append((TOTAL_NAMES["sunk_usd"], "Reservations", b.held.total("earlier_usd"),
                     sum(m.earlier_usd for m in report.months), t.sunk_usd))  # fmt: skip
    if len(report.metrics.on_demand):
        rows.append((TOTAL_NAMES["on_demand_usd"], "On demand", b.on_demand.total("usd"),
                     float(report.metrics.on_demand["usd"].sum()), t.on_demand_usd))  # fmt: skip
    if b.egress.last >= b.egress.first and t.egress_usd:
        rows.append((TOTAL_NAMES["egress_usd"], "Egress", b.egress.total("usd"), t.egress_usd, t.egress_usd))
    for name, block in (("month", b.by_month), ("workload", b.by_workload), ("model", b.by_model)):
        rows.append((f"Total cost, by {name}", "Cost per task", block.total("total"), t.total_usd, t.total_usd))
    return rows


def _sum(what: str, where: str, formula: str, value: float, plan: float) -> dict[str, Any]:
    difference = value - plan
    within = f"ABS({{difference}})<={_CENT}+{_RELATIVE!r}*ABS({{plan}})"
    good = abs(difference) <= _CENT + _RELATIVE * abs(plan)
    return {
        "what": what, "where": where, "sheet": Live(f"={formula}", value), "plan": plan,
        "difference": Live("={sheet}-{plan}", difference), "tick": Live(f'=IF({within},"✓","✗")', "✓" if good else "✗"),
    }  # fmt: skip


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "what": rule.what, "where": rule.where, "sheet": Live(f"={rule.cases}", rule.count),
        "plan": Live(f"={rule.broken}", rule.wrong), "tick": Live('=IF({plan}=0,"✓","✗")', "✗" if rule.wrong else "✓"),
    }  # fmt: skip
