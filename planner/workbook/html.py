"""The summary as one self-contained web page with its charts, for mail and wikis: no script, no request to anywhere."""

import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from planner.io.atomic import written_beside
from planner.plan.hours import served_weeks
from planner.plan.metrics.tables import HORIZON
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY, WEEKDAYS
from planner.workbook import story
from planner.workbook.report import Report, hour_text, rows_of, text_of
from planner.workbook.svg import Series, areas, bars, columns
from planner.workbook.text import amount, clean, percent, usd
from planner.workbook.theme import BLUE, FONT, GREEN, GREY, INK, MUTED, ORANGE, RULE, SHADE, SKY

_STYLE = f"""
body {{ font: 14px/1.5 {FONT}, Helvetica, sans-serif; color: {INK}; max-width: 820px;
  margin: 2em auto; padding: 0 1em; }}
h1 {{ font-size: 24px; margin: 0; }} h2 {{ font-size: 16px; color: {BLUE}; margin: 1.8em 0 .4em; }}
p.lead {{ font-size: 16px; }} .muted {{ color: {MUTED}; }}
table {{ border-collapse: collapse; width: 100%; }}
th {{ background: {SHADE}; text-align: left; border-bottom: 1px solid {INK}; padding: 4px 8px; }}
td {{ border-bottom: 1px dotted {RULE}; padding: 4px 8px; vertical-align: top; }}
.n {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
tr.sum td {{ font-weight: bold; border-top: 1px solid {INK}; border-bottom: 1px solid {INK}; }}
dl {{ display: flex; flex-wrap: wrap; gap: .4em 2em; margin: 1em 0; }} dt {{ color: {MUTED}; font-size: 12px; }}
dd {{ margin: 0; font-size: 20px; font-weight: bold; }} dl div {{ min-width: 100px; }}
@media print {{ body {{ margin: 0; max-width: none; }} h2 {{ break-after: avoid; }}
  table, svg {{ break-inside: avoid; }} }}
"""
_MONTH_PARTS = (
    ("Units", BLUE, ("reserved_usd", "tail_usd", "unreserved_usd", "sunk_usd")),
    ("On demand", ORANGE, ("on_demand_usd",)),
    ("Egress", GREEN, ("egress_usd",)),
)


def write_html(report: Report, path: str | Path) -> None:
    """Write the page (UTF-8); it is written beside and renamed."""
    with written_beside(path) as beside:
        beside.write_text(_page(report), encoding="utf-8")


def _page(report: Report) -> str:
    title = _text(f"{report.plan.name}: reservation plan for {report.horizon}")
    first, second = story.decision(report)
    parts = [
        f"<h1>{_text(report.plan.name)}</h1>",
        f'<p class="muted">{_text(story.dated(report))}</p>',
        f'<p class="lead">{_text(first)} {_text(second)}</p>',
        _figures(report),
        "<h2>Four ways to serve the same usage</h2>",
        _strategies(report),
        "<h2>What to buy</h2>",
        _buy(report),
        "<h2>Cost by month</h2>",
        _months(report),
        *_week(report),
        "<h2>Headroom and failover</h2>",
        _stress(report),
        "<h2>Key risks</h2>",
        _list(story.risks(report)),
        "<h2>Proof</h2>",
        _list(story.proof(report)),
    ]
    body = "\n".join(parts)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _text(value: object) -> str:
    return escape(clean(value))


def _list(lines: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{_text(line)}</li>" for line in lines) + "</ul>"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]], left: int, *, total: bool = False) -> str:
    """Lay out a table whose first `left` columns are text; with `total`, the last row is a sum."""
    kind = ["" if k < left else ' class="n"' for k in range(len(headers))]
    head = "".join(f"<th{kind[k]}>{_text(header)}</th>" for k, header in enumerate(headers))
    body = ""
    for r, row in enumerate(rows):
        last = ' class="sum"' if total and r == len(rows) - 1 else ""
        body += f"<tr{last}>" + "".join(f"<td{kind[k]}>{_text(cell)}</td>" for k, cell in enumerate(row)) + "</tr>\n"
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>"


def _figures(report: Report) -> str:
    k, total = story.kpis(report), report.plan.totals.total_usd
    saving = story.all_on_demand_usd(report) - total
    tiles = [("Cost of the plan", usd(total))]
    if math.isfinite(saving):
        tiles.append(("Saving", usd(saving)))
    tiles.append(("Signed for", usd(sum(line.term_usd for line in report.lines))))
    names = (("Coverage", "coverage"), ("Utilisation", "utilisation"), ("Vacancy", "vacancy"),
             ("Effective savings rate", "effective_savings_rate"))  # fmt: skip
    tiles += [(label, percent(k[key])) for label, key in names]
    return "<dl>" + "".join(f"<div><dt>{_text(a)}</dt><dd>{_text(b)}</dd></div>" for a, b in tiles) + "</dl>"


def _strategies(report: Report) -> str:
    rows = rows_of(report.metrics.strategies)
    known = [row for row in rows if math.isfinite(float(row.total_usd))]
    drawn = [
        (str(r.strategy)[:1].upper() + str(r.strategy)[1:], float(r.total_usd), BLUE if r is rows[-1] else GREY)
        for r in known
    ]
    notes = [
        f"{r.strategy} is not possible: {r.note}" if r.note else f"{r.strategy} is not possible"
        for r in rows
        if not r.possible
    ]
    chart = bars(drawn, alt="Total cost of each strategy, USD")
    return chart + (f'<p class="muted">{_text("; ".join(notes))}.</p>' if notes else "")


def _buy(report: Report) -> str:
    if not report.lines:
        return "<p>Nothing: on demand and today's commitments serve this usage.</p>"
    rows = [
        (
            n.offer.offer,
            n.region,
            amount(n.units),
            str(n.offer.term_months),
            str(n.start),
            f"{n.offer.usd_per_unit_hour:,.4g}",
            usd(n.term_usd),
        )
        for n in report.lines
    ]
    rows.append(("Total", "", "", "", "", "", usd(sum(n.term_usd for n in report.lines))))
    headers = ("Offer", "Region", "Units", "Months", "Start", "USD/unit-hour", "Whole term")
    return _table(headers, rows, 2, total=True)


def _months(report: Report) -> str:
    frame = report.metrics.months[report.metrics.months["period"] != HORIZON]
    labels = [str(name) for name in frame["period"]]
    series = [
        Series(name, colour, tuple(float(v) for v in frame[list(parts)].sum(axis=1)))
        for name, colour, parts in _MONTH_PARTS
    ]
    return columns(labels, series, alt="Cost of each month, USD: units, on demand, egress")


def _week(report: Report) -> list[str]:
    weeks = served_weeks(report.reading)
    if not weeks:
        return []
    week = max(weeks, key=lambda w: sum(w.demand_rph))
    chart = areas(
        [Series("Reserved", SKY, tuple(week.reserved_rph)), Series("On demand", ORANGE, tuple(week.on_demand_rph))],
        Series("Reserved capacity at the hour's mix", INK, tuple(week.capacity_rph)),
        [(day * HOURS_PER_DAY, WEEKDAYS[day]) for day in range(DAYS_PER_WEEK)],
        alt="Requests per hour over the week (UTC), by reserved units and on demand",
    )
    where = _text(f"{week.model} in {week.region}, {week.period}")
    return [
        f"<h2>The busiest deployment: {where}</h2>",
        '<p class="muted">Requests per hour, hour of the week in UTC.</p>',
        chart,
    ]


def _stress(report: Report) -> str:
    rows = [_stress_row(row) for row in rows_of(report.metrics.stress)]
    if not rows:
        return "<p>No stress cases.</p>"
    return _table(("Stress case", "Worst hour (UTC)", "Need/hour", "Capacity/hour", "Margin"), rows, 2)


def _stress_row(row: Any) -> tuple[str, ...]:
    capacity = float(row.capacity_rph)
    finite = math.isfinite(capacity)
    return (
        str(row.case),
        f"{text_of(row.period)} {hour_text(row.hour_of_week)}",
        f"{float(row.need_rph):,.0f}",
        f"{capacity:,.0f}" if finite else "no limit",
        percent(float(row.margin_share)) if finite else "–",
    )
