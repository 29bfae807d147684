"""Summary: two printed pages, of which the first says what to sign and the second what it rests on."""

import math
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from planner.plan.metrics.metric_tables import HORIZON
from planner.workbook import contract_story, proof_story, rules_story, scaled_story, story, waiting_story
from planner.workbook.book import Block, Column, Live, Sheet, axis, chart_title, grid, plain_number
from planner.workbook.order_columns import term_cell
from planner.workbook.report import Report, rows_of
from planner.workbook.sheets.beyond_commitments import nothing_to_buy
from planner.workbook.sheets.purchase_order import AS_PLANNED, EDITED
from planner.workbook.sheets.unit_data import UnitData
from planner.workbook.text_tables import clean, lines_of
from planner.workbook.theme import BLUE, GREY

NAME = "Summary"
_LAST = 6  # last printed column
_ACROSS, _ACROSS_BOLD = 128, 112  # characters across the page, and of bold or larger ones
_BUY = 8  # lines shown; the order has all of them
_RISKS = 6
_SCENARIOS = 10
_BARS = 5  # that have room for their names in any case
_MONTHS = 6

STRATEGIES = (
    Column("name", "Strategy", "text:wrap", 26),
    Column("units", "Units\nUSD", "usd", 15),
    Column("on_demand", "On demand\nUSD", "usd", 15),
    Column("egress", "Egress\nUSD", "usd", 12),
    Column("total", "Total\nUSD", "usd", 15),
    Column("saving", "Saving against\nthe first", "percent", 14),
    Column("note", "", "text:wrap", 30),
)
BUY = (
    Column("offer", "What to buy", "text:wrap", 26),
    Column("region", "Region", "text:wrap"),
    Column("units", "Units", "units"),
    Column("term", "Term\nmonths", "count"),
    Column("start", "Start", "date"),
    Column("term_usd", "Whole term\nUSD", "usd"),
    Column("reason", "Reason", "text:wrap", 30),
)


SCENARIOS = (
    Column("scenario", "What each scenario costs", "text:wrap", 26),
    Column("probability", "Probability", "percent"),
    Column("usd", "Cost\nUSD", "usd"),
    Column("more", "Against\nexpected", "usd"),
    Column("tail", "", "text"),
)


@dataclass(frozen=True)
class Sources:
    """Tables on other sheets that the summary adds up."""

    order: Block | None
    held: Block
    on_demand: Block
    egress: Block
    units: UnitData
    reasons: list[str]
    short: str = ""  # the cell of the shortfall of spend commitments; blank: there are none
    run: str = ""  # the cell of what units by the hour cost; blank: none run


def write(sheet: Sheet, report: Report, sources: Sources) -> None:
    """Write the page."""
    subtitle = (
        f"Reservation plan for {report.horizon} · input {report.plan.input_digest[:12]} · figures as of {report.dated}"
    )
    sheet.heading(clean(report.plan.name, 90), subtitle, _LAST)
    sheet.raw.set_row(1, 16)
    sheet.widths(STRATEGIES)
    strategies = 11
    plan_row = strategies + len(story.ways(report))
    _decision(sheet, report, sources.order, plan_row, strategies + 1)
    _figures(sheet, report, sources.order, plan_row)
    _strategies(sheet, report, sources, strategies)
    top = plan_row + 2
    between = story.from_one_saving_to_the_other(report)
    if between:
        sheet.merged(top, 0, _LAST, between, "line")
        sheet.raw.set_row(top, 14 * lines_of(between, _ACROSS))
        top += 1
    top += _chart(sheet, strategies + 1, plan_row, top)
    second_page = top = _what_to_buy(sheet, report, sources, top)
    top = _months(sheet, report, top)
    top = _scenarios(sheet, report, top)
    if report.rules is not None:
        top = _lines(sheet, top, "What the rules cost", rules_story.rule_lines(report), "")
    if hourly := scaled_story.scaled_lines(report):
        top = _lines(sheet, top, "Units that run by the hour", hourly, "")
    if report.waited is not None:
        top = _lines(sheet, top, "Work that can wait", waiting_story.waiting_lines(report), "")
    top = _lines(sheet, top, "Key risks", story.risks(report)[:_RISKS], _more_risks(report))
    top = _lines(sheet, top, "Proof", proof_story.proof(report), "")
    broken = story.banner(report)
    last = _broken(sheet, top, broken) if broken else _approval(sheet, top)
    pages = [(0, second_page - 1), (second_page, last)]
    sheet.printed(last, _LAST, portrait=True, pages=len(pages), areas=pages)
    sheet.raw.activate()


def _decision(sheet: Sheet, report: Report, order: Block | None, plan_row: int, first_row: int) -> None:
    """Two sentences that follow the units, and whether they were edited."""
    sheet.put(2, 0, "Decision", "section")
    broken = story.banner(report)
    sheet.merged(3, 0, _LAST, " ".join(broken[:2]) if broken else what_to_sign(report, order),
                 "alert" if broken else "lead")  # fmt: skip
    costs = what_it_costs(report, f"$E${plan_row + 1}", f"$E${first_row + 1}")
    sheet.merged(4, 0, _LAST, costs, "lead")
    first = " ".join(broken[:2]) if broken else shown_text(what_to_sign(report, order))
    for row, text in ((3, first), (4, shown_text(costs))):
        sheet.raw.set_row(row, 15 * lines_of(text, _ACROSS_BOLD))
    if order is not None:
        sheet.merged(5, 0, _LAST, as_planned(order), "note")


def _figures(sheet: Sheet, report: Report, order: Block | None, plan_row: int) -> None:
    """Six figures in a row."""
    k = story.kpis(report)
    signed = sum(n.term_usd for n in report.lines)
    total = report.plan.totals.total_usd
    base = story.compared_with(report)
    saved: Any = None
    if base is not None:  # less than half a dollar is shown as 0, not as -0
        gain, by = base.usd - total, f"$E${12 + 1}-$E${plan_row + 1}"
        saved = Live(f"=IF(ABS({by})<0.5,0,{by})", gain if abs(gain) >= 0.5 else 0.0)
    tiles: list[tuple[str, Any, str]] = [
        ("Cost of the plan", Live(f"=$E${plan_row + 1}", total), "usd:big"),
        ("Saving", saved, "usd:big"),
        ("Signed for", Live(f"={order.total('term_usd')}", signed) if order is not None else 0.0, "usd:big"),
        ("Coverage", k["coverage"], "percent:big"),
        ("Utilisation", k["utilisation"], "percent:big"),
        ("Vacancy", k["vacancy"], "percent:big"),
        ("Effective savings rate", k["effective_savings_rate"], "percent:big"),
    ]
    for column, (label, value, style) in enumerate(tiles):
        sheet.put(7, column, label, "key")
        sheet.raw.write_comment(7, column, story.DEFINITIONS[label], {"x_scale": 1.6})
        sheet.put(8, column, value, style)
    sheet.raw.set_row(8, 22)


def _strategies(sheet: Sheet, report: Report, sources: Sources, top: int) -> None:
    sheet.put(top - 1, 0, "Ways to serve the same usage", "section")
    ways = story.ways(report)
    base = f"$E${top + 2}"
    first_total = ways[0].total_usd
    records: list[dict[str, Any]] = []
    for way in ways:
        record = _plan_row(report, sources) if way is ways[-1] else _strategy_row(way)
        known = record["total"] is not None and math.isfinite(first_total) and first_total > 0
        saving = round(1 - plain_number(record["total"]) / first_total, 12) + 0.0 if known else 0.0
        record["saving"] = Live(f"=1-{{total}}/{base}", saving) if known else None
        note = clean(way.note, 600)
        record["note"] = note if way.possible else f"Not possible: {note}" if note else "Not possible"
        records.append({"name": way.name, **record})
    sheet.table(top, _columns(report), records)


def _columns(report: Report) -> tuple[Column, ...]:
    """Columns of the strategies; units by the hour, and what spend commitments fall short of, stand with the units."""
    header = "Units and\nshortfall, USD" if report.case.spend_commitments else "Units of every\nkind, USD"
    if not report.case.spend_commitments and not report.sells_by_the_hour:
        return STRATEGIES
    return tuple(replace(c, header=header) if c.key == "units" else c for c in STRATEGIES)


def _strategy_row(way: story.Way) -> dict[str, Any]:
    if not math.isfinite(way.total_usd):
        return {"units": None, "on_demand": None, "egress": None, "total": None}
    parts = {"units": way.units_usd, "on_demand": way.on_demand_usd, "egress": way.egress_usd}
    return {**parts, "total": Live("={units}+{on_demand}+{egress}", sum(parts.values()))}


def _plan_row(report: Report, sources: Sources) -> dict[str, Any]:
    """Return the plan's own row: everything from the detail sheets, so that it follows edited units."""
    t, order, units = report.plan.totals, sources.order, sources.units
    parts = ["0"]
    if order is not None:
        parts += [order.total("horizon_usd"), order.total("tail_usd")]
    if report.months:
        parts += [sources.held.total("beyond_usd"), sources.held.total("earlier_usd"), units.more_beyond]
    served = [sources.on_demand.total("usd")] if len(report.metrics.on_demand) else ["0"]
    data = sources.egress.total("usd") if t.egress_usd else "0"
    if sources.short:
        parts.append(sources.short)
    own = t.reserved_usd + t.tail_usd + t.unreserved_usd + t.sunk_usd + t.shortfall_usd + t.scaled_usd
    if sources.run:
        parts.append(sources.run)
    return {
        "units": Live("=" + "+".join(parts), own),
        "on_demand": Live("=" + "+".join([*served, units.more_on_demand]), t.on_demand_usd),
        "egress": Live(f"={data}", t.egress_usd),
        "total": Live("={units}+{on_demand}+{egress}", own + t.on_demand_usd + t.egress_usd),
    }


def _chart(sheet: Sheet, first: int, last: int, top: int) -> int:
    """Draw a bar a strategy; returns the rows that it covers."""
    chart = sheet.book.chart("bar")
    count = last - first + 1
    chart.add_series({
        "name": "Total cost, USD",
        "categories": [sheet.name, first, 0, last, 0],
        "values": [sheet.name, first, 4, last, 4],
        "points": [{"fill": {"color": BLUE if k == count - 1 else GREY}} for k in range(count)],
        "gap": 45,
        "data_labels": {"value": True, "num_format": "$#,##0", "font": {"size": 9}},
    })  # fmt: skip
    chart.set_title(chart_title("Total cost of each strategy"))
    chart.set_x_axis(grid("USD", num_format="$#,##0", min=0))
    more = max(0, count - _BARS)  # else every second bar would go without its name, whatever the interval
    names = {"interval_unit": 1} if more else {}
    chart.set_y_axis(axis("", reverse=True, crossing="max", **names))
    chart.set_legend({"none": True})
    chart.set_size({"width": 895, "height": 235 + 40 * more})
    alt = "Bars of the total cost of each way to serve the usage, from signing nothing to the plan."
    sheet.raw.insert_chart(top, 0, chart, {"x_offset": 2, "y_offset": 2, "description": alt, "object_position": 1})
    return 12 + 2 * more


def _what_to_buy(sheet: Sheet, report: Report, sources: Sources, top: int) -> int:
    order = sources.order
    records: list[dict[str, Any]] = []
    shown, _ = story.largest(report, _BUY)
    for line in shown:
        k = report.lines.index(line)
        assert order is not None
        records.append({
            "offer": line.offer.offer, "region": line.region, "units": Live(f"={order.cell('units', k)}", line.units),
            "term": term_cell(line.offer), "start": line.start,
            "term_usd": Live(f"={order.cell('term_usd', k)}", line.term_usd), "reason": sources.reasons[k],
        })  # fmt: skip
    block = sheet.table(top, BUY, records, empty=nothing_to_buy(report))
    rest = len(report.lines) - len(records)
    if rest > 0:
        sheet.put(block.last + 1, 0, f"and {rest} more, smaller, on the sheet Purchase order", "note")
    return block.last + 2 + (rest > 0)


def _months(sheet: Sheet, report: Report, top: int) -> int:
    """Cost by month, where there are few; the sheet Cost per task has them all."""
    frame = report.metrics.months[report.metrics.months["period"] != HORIZON]
    if len(frame) > _MONTHS:
        return top
    records: list[dict[str, Any]] = []
    for row in rows_of(frame):
        units = float(row.reserved_usd) + float(row.tail_usd) + float(row.unreserved_usd) + float(row.sunk_usd)
        units += float(row.shortfall_usd) + float(row.scaled_usd)
        parts = {"units": units, "on_demand": float(row.on_demand_usd), "egress": float(row.egress_usd)}
        total = Live("={units}+{on_demand}+{egress}", sum(parts.values()))
        records.append({"name": str(row.period), **parts, "total": total})
    columns = [replace(c, header="By month, as planned" if c.key == "name" else c.header, total=c.key != "name")
               for c in _columns(report)[:5]]  # fmt: skip
    return sheet.table(top, columns, records).total_row + 2


def _scenarios(sheet: Sheet, report: Report, top: int) -> int:
    """Cost of each scenario, where there are several, the expected cost and with a weight on risk the worst tail."""
    rows = contract_story.scenario_rows(report)
    if not rows:
        return top
    risk, total = report.plan.risk, report.plan.totals.total_usd
    records: list[dict[str, Any]] = [
        {"scenario": row.scenario, "probability": row.probability, "usd": row.usd, "more": row.dearer_usd,
         "tail": "worst tail" if row.in_tail and risk is not None else ""}
        for row in rows[:_SCENARIOS]
    ]  # fmt: skip
    if rest := rows[_SCENARIOS:]:
        chance = sum(row.probability for row in rest)
        records.append({"scenario": f"and {len(rest)} cheaper ones", "probability": chance})
    records.append({"scenario": "Expected", "probability": 1.0, "usd": total})
    if risk is not None:
        records.append({
            "scenario": "Worst tail, on average", "probability": 1 - report.case.settings.policy.risk.level,
            "usd": risk.cvar_usd, "more": risk.cvar_usd - total,
        })  # fmt: skip
    top = sheet.table(top, SCENARIOS, records).last + 1
    for line in contract_story.scenario_lines(report):
        sheet.merged(top, 0, _LAST, line, "line")
        sheet.raw.set_row(top, 14 * (1 + len(line) // 150))
        top += 1
    return top + 1


def _more_risks(report: Report) -> str:
    rest = len(story.risks(report)) - _RISKS
    return f"{rest} more on the sheet Warnings." if rest > 0 else ""


def _lines(sheet: Sheet, top: int, title: str, lines: list[str], after: str) -> int:
    sheet.put(top, 0, title, "section")
    for line in [*lines, after] if after else lines:
        top += 1
        sheet.merged(top, 0, _LAST, line, "line")
        sheet.raw.set_row(top, 14 * lines_of(line, _ACROSS))
    return top + 2


def _broken(sheet: Sheet, top: int, lines: list[str]) -> int:
    """Stand where the approval would: a plan that breaks a rule has none."""
    for k, line in enumerate(lines):
        sheet.merged(top + k, 0, _LAST, line, "alert")
        sheet.raw.set_row(top + k, 14 * lines_of(line, _ACROSS_BOLD))
    return top + len(lines) - 1


def _approval(sheet: Sheet, top: int) -> int:
    sheet.put(top, 0, "Approval", "section")
    for k, label in enumerate(("Prepared by", "Reviewed by", "Approved by", "Date")):
        column = (0, 2, 4, 6)[k]
        sheet.put(top + 1, column, label, "key")
        if column < 6:
            sheet.put(top + 1, column + 1, None, "key")
        sheet.put(top + 3, column, None, "blank_line")
        if column < 6 and k < 3:
            sheet.put(top + 3, column, None, "blank_line")
    sheet.raw.set_row(top + 2, 18)
    return top + 3


def what_to_sign(report: Report, order: Block | None) -> str | Live:
    """How many commitments, and what they are worth over their terms."""
    if order is None:
        return story.decision(report)[0]
    bought = f"SUMPRODUCT(--({order.range('units')}>0))"
    end = story.due_upfront(report) + story.by_the_hour(report) + story.the_rest(report)
    count, worth = len(report.lines), fixed(sum(n.term_usd for n in report.lines))
    formula = (
        f'="Sign "&{bought}&" commitment"&IF({bought}=1,"","s")&" worth $"&FIXED({order.total("term_usd")},0)&'
        f'" over "&IF({bought}=1,"its term","their terms")&"{end}"'
    )
    terms = "its term" if count == 1 else "their terms"
    return Live(formula, f"Sign {count} commitment{'s' * (count != 1)} worth ${worth} over {terms}{end}")


def what_it_costs(report: Report, total: str, alternative: str) -> str | Live:
    """Cost of the plan (cell `total`) against what the saving is against (cell `alternative`)."""
    usd, base = report.plan.totals.total_usd, story.compared_with(report)
    if base is None:
        return story.decision(report)[1]
    start = "The plan costs $"
    share = f"1-{total}/{alternative}"
    note, further = base.note.replace('"', '""'), story.without_signing(report)
    formula = (
        f'="{start}"&FIXED({total},0)&" for {report.horizon}, "&IF(ABS({share})<{story.SAME},"as much as",'
        f'FIXED(100*ABS({share}),1)&" % "&IF({total}<={alternative},"less","more")&" than")&'
        f'" {base.name} ($"&FIXED({alternative},0)&"{note}).{further}"'
    )
    saved = 1 - usd / base.usd
    words = f"{fixed(100 * abs(saved), 1)} % {'less' if saved > 0 else 'more'} than"
    words = words if abs(saved) >= story.SAME else "as much as"
    told = f"{start}{fixed(usd)} for {report.horizon}, {words} {base.name} (${fixed(base.usd)}{base.note}).{further}"
    return Live(formula, told)


def shown_text(cell: str | Live) -> str:
    """Return the text that a cell shows now."""
    return str(cell.value) if isinstance(cell, Live) else cell


def as_planned(order: Block) -> Live:
    """Say whether the units are still those of the plan."""
    changed = f"SUMPRODUCT(ABS({order.range('units')}-{order.range('planned')}))>0.000001"
    return Live(f'=IF({changed},"{EDITED}","{AS_PLANNED}")', AS_PLANNED)


def fixed(value: float, digits: int = 0) -> str:
    """Return what FIXED shows: halves go away from zero."""
    step = Decimal(1).scaleb(-digits)
    return f"{Decimal(repr(float(value))).quantize(step, ROUND_HALF_UP):,}"
