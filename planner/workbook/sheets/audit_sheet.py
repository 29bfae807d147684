"""Audit: the plan's totals recomputed by formula from the detail sheets, and its rules re-checked, each with a tick."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from planner.plan.metrics.metric_tables import HORIZON
from planner.workbook.book import Block, Column, Live, Recomputed, Sheet
from planner.workbook.report import TOTAL_NAMES, Report, rows_of

_SLACK = 1e-6  # relative and absolute: what a solver's tolerance may leave
_PLUS = "*(1+0.000001)+0.000001"


@dataclass(frozen=True)
class Blocks:
    """Where the detail tables stand; None where nothing is bought."""

    order: Block | None
    held: Block
    on_demand: Block
    egress: Block
    stress: Block
    contracts: Block | None = None  # None: there are no spend commitments
    hourly: Block | None = None  # None: no pool sells units that run by the hour


@dataclass(frozen=True)
class Rule:
    """A rule: how many cases were looked at and how many break it, as formulas and as numbers."""

    what: str
    where: str
    cases: str
    count: int
    broken: str
    wrong: int


def rules(report: Report, blocks: Blocks, fits: Sequence[bool]) -> list[Rule]:
    """List the rules that this plan's figures can show; `fits` says whether each line is of a size that is sold."""
    found = [Rule(str(rule), "Every hour, by the audit", "1", 1, "1", 1) for rule in report.metrics.broken]
    found += [*_order(report, blocks.order, fits), *_held(report, blocks.held)]
    if len(report.metrics.on_demand):
        pairs = [(r.peak_tokens_per_minute, r.tokens_per_minute_quota) for r in rows_of(report.metrics.on_demand)]
        found.append(_limit("On-demand peaks stay within their quotas", blocks.on_demand, "peak", "quota", pairs))
    egress = report.metrics.egress[report.metrics.egress["period"] != HORIZON]
    if len(egress):
        pairs = [(r.gb, r.max_gb_per_month) for r in rows_of(egress)]
        found.append(_limit("Egress stays within its caps", blocks.egress, "gb", "cap", pairs))
    if len(report.metrics.stress):
        pairs = [(r.need_rph, r.capacity_rph) for r in rows_of(report.metrics.stress)]
        finite = [(need, capacity) for need, capacity in pairs if capacity != float("inf")]
        what = "Stress cases with a finite capacity can be served in their worst hour"
        found.append(_limit(what, blocks.stress, "need", "capacity", finite))
    return found


def _order(report: Report, order: Block | None, fits: Sequence[bool]) -> list[Rule]:
    if order is None:
        return []
    found, policy = [], report.case.settings.policy
    if policy.whole_units:
        count = f"ROWS({order.range('fits')})"
        what = "Units are sizes that the offer sells"
        found.append(Rule(what, order.sheet, count, len(fits), f"{count}-{order.total('fits')}", fits.count(False)))
    budget = policy.max_commitment_usd
    if budget is not None:
        over = sum(line.horizon_usd for line in report.lines) > budget * (1 + _SLACK) + _SLACK
        broken = f"IF({order.total('horizon_usd')}>{budget!r}{_PLUS},1,0)"
        found.append(Rule(f"New commitments stay within {budget:,.0f} USD", order.sheet, "1", 1, broken, int(over)))
    signed = policy.max_commitment_whole_term_usd
    if signed is not None:
        over = sum(line.term_usd for line in report.lines) > signed * (1 + _SLACK) + _SLACK
        broken = f"IF({order.total('term_usd')}>{signed!r}{_PLUS},1,0)"
        what = f"New commitments cost at most {signed:,.0f} USD over their whole terms"
        found.append(Rule(what, order.sheet, "1", 1, broken, int(over)))
    return found


def _held(report: Report, held: Block) -> list[Rule]:
    months = report.months
    if not months:
        return []
    deployed, force, beyond, peak = (held.range(key) for key in ("deployed", "force", "beyond", "peak"))
    count = f"ROWS({deployed})"
    more = sum(_over(m.deployed_units, m.in_force_units + m.unreserved_units) for m in months)
    fuller = sum(_over(m.peak_used_units, m.deployed_units) for m in months)
    return [
        Rule("No more is deployed than is in force, or bought beyond commitments", held.sheet, count, len(months),
             f"SUMPRODUCT(--({deployed}>({force}+{beyond}){_PLUS}))", more),
        Rule("The peak hour, headroom kept, fits what is deployed", held.sheet, count, len(months),
             f"SUMPRODUCT(--({peak}>{deployed}{_PLUS}))", fuller),
    ]  # fmt: skip


def _limit(what: str, block: Block, value: str, limit: str, pairs: Sequence[tuple[float, float]]) -> Rule:
    """Return the rule that no value of a table is above its limit, where it has one (NaN: none)."""
    values, limits = block.range(value), block.range(limit)
    given = [(a, b) for a, b in pairs if b == b]
    broken = f"SUMPRODUCT(ISNUMBER({limits})*({values}>{limits}{_PLUS}))"
    return Rule(what, block.sheet, f"COUNT({limits})", len(given), broken, sum(_over(a, b) for a, b in given))


def _over(value: float, limit: float) -> bool:
    return bool(value > limit * (1 + _SLACK) + _SLACK)


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


def write(sheet: Sheet, report: Report, blocks: Blocks, fits: Sequence[bool], more: Sequence[Recomputed] = ()) -> None:
    """Write the sheet.

    Parameters
    ----------
    fits : whether each line of the order is of a size that is sold. more : sums of sheets that features handed in.
    """
    text = (
        "Totals are recomputed by formula from the detail sheets and set against the plan as solved; rules are "
        "re-checked on the figures shown. Before this was written, planner re-priced the plan and re-checked every "
        "rule hour by hour."
    )
    sheet.heading("Audit", text, len(SUMS) - 1)
    sheet.widths(SUMS)
    sheet.put(TOP - 1, 0, "Totals", "section")
    sums = [_sum(row) for row in (*_totals(report, blocks), *more)]
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


def _totals(report: Report, b: Blocks) -> list[Recomputed]:
    t, rows = report.plan.totals, []
    if b.order is not None:
        price = b.order.range("each" if "each" in b.order.columns else "price")
        units, hours = b.order.range("planned"), b.order.range("hours_horizon")
        where, tail = "Purchase order, units as planned", b.order.range("hours_tail")
        in_months = sum(n.horizon_usd for n in report.lines)
        rows.append(Recomputed(TOTAL_NAMES["reserved_usd"], where, f"SUMPRODUCT({units},{price},{hours})", in_months,
                               t.reserved_usd))  # fmt: skip
        rows.append(Recomputed(TOTAL_NAMES["tail_usd"], where, f"SUMPRODUCT({units},{price},{tail})", t.tail_usd,
                               t.tail_usd))  # fmt: skip
    if report.months:
        beyond, earlier = (sum(getattr(m, key) for m in report.months) for key in ("unreserved_usd", "earlier_usd"))
        rows.append(Recomputed(TOTAL_NAMES["unreserved_usd"], "Reservations", b.held.total("beyond_usd"), beyond,
                               t.unreserved_usd))  # fmt: skip
        rows.append(Recomputed(TOTAL_NAMES["sunk_usd"], "Reservations", b.held.total("earlier_usd"), earlier,
                               t.sunk_usd))  # fmt: skip
    if len(report.metrics.on_demand):
        served = float(report.metrics.on_demand["usd"].sum())
        rows.append(Recomputed(TOTAL_NAMES["on_demand_usd"], "On demand", b.on_demand.total("usd"), served,
                               t.on_demand_usd))  # fmt: skip
    if b.egress.last >= b.egress.first and t.egress_usd:
        rows.append(Recomputed(TOTAL_NAMES["egress_usd"], "Egress", b.egress.total("usd"), t.egress_usd, t.egress_usd))
    if b.contracts is not None:
        rows.append(Recomputed(TOTAL_NAMES["shortfall_usd"], "Spend commitments", b.contracts.total("lost"),
                               float(report.metrics.spend["lost_usd"].sum()), t.shortfall_usd))  # fmt: skip
    if b.hourly is not None and len(report.metrics.scaled):
        rows.append(Recomputed(TOTAL_NAMES["scaled_usd"], "Units by the hour", b.hourly.total("usd"), t.scaled_usd,
                               t.scaled_usd))  # fmt: skip
    return rows


def _sum(row: Recomputed) -> dict[str, Any]:
    difference = row.value - row.plan
    within = f"ABS({{difference}})<={_CENT}+{_RELATIVE!r}*ABS({{plan}})"
    good = abs(difference) <= _CENT + _RELATIVE * abs(row.plan)
    return {
        "what": row.what, "where": row.where, "sheet": Live(f"={row.formula}", row.value), "plan": row.plan,
        "difference": Live("=ROUND({sheet}-{plan},6)", round(difference, 6) + 0.0),
        "tick": Live(f'=IF({within},"✓","✗")', "✓" if good else "✗"),
    }  # fmt: skip


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "what": rule.what, "where": rule.where, "sheet": Live(f"={rule.cases}", rule.count),
        "plan": Live(f"={rule.broken}", rule.wrong), "tick": Live('=IF({plan}=0,"✓","✗")', "✗" if rule.wrong else "✓"),
    }  # fmt: skip
