"""Cost per task: by month, by workload and by model, its parts, month by month why it moved, and alerts."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from planner.features.tasks import AlertRule, Movement, alerts, chargeback_report, month_by_month, trend
from planner.features.tasks.task_formula import FACTORS, LABEL
from planner.plan.metrics.metric_tables import HORIZON
from planner.plan.metrics.task_costs import NOBODY
from planner.schema.case import Case
from planner.workbook.book import (
    Block,
    Column,
    ExtraSheet,
    Live,
    Recomputed,
    Sheet,
    axis,
    block_at,
    chart_title,
    grid,
    print_areas,
)
from planner.workbook.report import Report, rows_of
from planner.workbook.sheets import egress_sheet
from planner.workbook.sheets.cost_bars import cost_bars
from planner.workbook.text_tables import percent
from planner.workbook.theme import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION

MONTH_BY_MONTH = (
    Column("name", "Workload", "text:wrap", 26),
    Column("period", "Month", "text", 15),
    Column("tasks", "Tasks", "count", 14),
    Column("total", "Total\nUSD", "usd", 14, total=True),
    Column("task_usd", "Per task\nUSD", "price", 13),
    Column("change", "Against the\nmonth before", "percent", 14),
    Column("index", "First month\n= 100", "number", 14),
)
_COLOURS = (BLUE, ORANGE, GREEN, VERMILION, SKY, GREY)  # the chart shows as many workloads, the dearest
_CHART_ROWS, _WIDE = 16, 13
_SPAN = 25  # characters of two periods that are no months, which the second column holds below
_LONG = 18  # rows of a table that leave room for a chart on its page
LEAST_SHOWN_USD = 5e-7  # half of the last decimal shown


def _write_months(
    sheet: Sheet, report: Report, detail: Block, top: int, width: float
) -> tuple[list[tuple[int, int]], int]:
    """Write below row `top`; returns the first and last row of what stands on a page together, and the last column.

    A single month has nothing to compare with.
    """
    if len(report.case.periods) < 2:
        return [], 0
    first = top
    sheet.put(top, 0, "Cost per task, month by month", "section")
    months = sheet.table(top + 1, MONTH_BY_MONTH, _months(report, detail, top + 1))
    _chart(sheet, report, months)
    top = months.total_row + _CHART_ROWS + 3
    second = top
    sheet.put(top, 0, "Why the cost per task changed, USD", "section")
    movements = month_by_month(report.metrics.tasks)
    used = {str(f) for m in movements for f in m.effects["factor"]}
    factors = [f for f in FACTORS if f in used]
    columns = (
        Column("name", "Workload", "text:wrap", 26),
        Column("span", "Months", "text:wrap", _SPAN if report.case.settings.horizon.cuts else 20),
        Column("before", "Before", "price", 14),
        *(Column(f, LABEL[f][:1].upper() + LABEL[f][1:], "price", 14) for f in factors),
        Column("after", "After", "price", 14),
    )
    last = len(columns) - 1
    if last >= 9:
        sheet.raw.set_column(9, last, _WIDE)
    moved = sheet.table(top + 1, columns, _moved(movements, factors), empty="No workload has tasks in two months.")
    top = alerts_top = moved.last + 2
    found = alerts(movements)
    rule = AlertRule()
    text = f"Alerts: a task costs at least {percent(rule.rise_share, 0)} more"
    sheet.put(top, 0, f"{text}, while volume changed by at most {percent(rule.flat_share, 0)}", "section")
    for k, alert in enumerate(found):
        sheet.raw.set_row(top + 1 + k, 28)
        sheet.merged(top + 1 + k, 0, max(last, 8), alert.sentence, "alert")
    if not found:
        sheet.put(top + 1, 0, "None.", "note")
    chart = [(first, second - 1)]
    if months.total_row - first > _LONG:  # the chart below it would be cut by the end of the page
        chart = [(first, months.total_row), (months.total_row + 1, second - 1)]
    why = [(second, alerts_top - 1), (alerts_top, top + max(1, len(found)))]
    return [*chart, *print_areas(why, width, [0, len(found)])], max(last, 8)


def _months(report: Report, detail: Block, top: int) -> list[dict[str, Any]]:
    """Give each workload and month a row; its total is the sum of its cells in the table by workload, model, month."""
    frame = report.metrics.costs.sort_values(["workload", "model", "period"])
    cells: dict[tuple[str, str], list[str]] = {}
    for k, row in enumerate(rows_of(frame)):
        cells.setdefault((str(row.workload), str(row.period)), []).append(detail.cell("total", k))
    found = rows_of(trend(report.metrics.tasks))
    here, first = block_at(NAME, top, MONTH_BY_MONTH, len(found)), 0
    rows: list[dict[str, Any]] = []
    for k, row in enumerate(found):
        again = k > 0 and found[k - 1].workload == row.workload
        first = first if again else k
        record: dict[str, Any] = {
            "name": str(row.workload),
            "period": str(row.period),
            "tasks": float(row.tasks),
            "total": Live("=" + "+".join(cells[str(row.workload), str(row.period)]), float(row.total_usd)),
            "task_usd": Live("=IF({tasks}>0,{total}/{tasks},0)", float(row.usd_per_task)),
            "index": _over(
                here.cell("task_usd", first),
                "ROUND(100*{task_usd}/{base},6)",
                round(100 * (1 + row.since_first_share), 6),
            ),
        }
        if again:
            record["change"] = _over(
                here.cell("task_usd", k - 1), "ROUND({task_usd}/{base}-1,8)", round(float(row.change_share), 8)
            )
        rows.append(record)
    return rows


def _over(base: str, formula: str, value: float) -> Live:
    """Divide by the cell `base`; 0 where it is 0."""
    return Live(f"=IF({base}>0,{formula.replace('{base}', base)},0)", 0.0 if value != value else float(value))


def _moved(movements: Sequence[Movement], factors: list[str]) -> list[dict[str, Any]]:
    rows = []
    for movement in movements:
        effect = {(row.workload, row.factor): float(row.usd_per_task) for row in rows_of(movement.effects)}
        for row in rows_of(movement.workloads):
            before, after = float(row.usd_per_task_before), float(row.usd_per_task_after)
            if row.workload == NOBODY or before != before or after != after:
                continue
            parts = _shown({f: effect.get((row.workload, f)) for f in factors})
            formula = "={before}" + "".join(f"+{{{f}}}" for f in factors)
            span = f"{movement.before} → {movement.after}"
            rows.append({"name": str(row.workload), "span": span, "before": before, **parts,
                         "after": Live(formula, after)})  # fmt: skip
    return rows


def _shown(effects: dict[str, float | None]) -> dict[str, float | None]:
    """Add what would be shown as -$0.000000 to the largest effect, so that the sum stays as shown."""
    known = {factor: usd for factor, usd in effects.items() if usd is not None}
    largest = max(known, key=lambda factor: abs(known[factor]), default="")
    small = [factor for factor, usd in known.items() if abs(usd) < LEAST_SHOWN_USD and factor != largest]
    total = sum(known[factor] for factor in (*small, *([largest] if largest else [])))
    moved = {largest: total if abs(total) >= LEAST_SHOWN_USD else 0.0} if largest else {}
    return {**effects, **dict.fromkeys(small, 0.0), **moved}


def _chart(sheet: Sheet, report: Report, block: Block) -> None:
    """Lines of the dearest workloads' cost of a task, the first month being 100."""
    chart = sheet.book.chart("line")
    names = [str(row.workload) for row in rows_of(trend(report.metrics.tasks))]
    usd = report.metrics.by_workload.set_index("workload")["total_usd"]
    shown = sorted(sorted(set(names)), key=lambda name: -float(usd[name]))[: len(_COLOURS)]
    longest = max(names, key=names.count)
    at = {name: (block.first + names.index(name), block.first + names.index(name) + names.count(name) - 1)
          for name in names}  # fmt: skip
    for name, colour in zip(shown, _COLOURS):
        first, last = at[name]
        months = at[longest]
        chart.add_series({
            "name": [sheet.name, first, block.columns["name"]],
            "categories": [sheet.name, months[0], block.columns["period"], months[1], block.columns["period"]],
            "values": [sheet.name, first, block.columns["index"], last, block.columns["index"]],
            "line": {"color": colour, "width": 2},
            "marker": {"type": "circle", "size": 5, "fill": {"color": colour}, "border": {"color": colour}},
        })  # fmt: skip
    chart.set_title(chart_title("Cost per task by month, the first month = 100"))
    chart.set_x_axis(axis(""))
    chart.set_y_axis(grid("", num_format="0"))
    chart.set_size({"width": 1000, "height": 300})
    alt = "Lines of the cost per task of each workload by month, the first month being 100."
    options = {"x_offset": 4, "y_offset": 8, "description": alt, "object_position": 1}
    sheet.raw.insert_chart(block.total_row + 1, 0, chart, options)


NAME = "Cost per task"
TOP = 21  # below the chart

_PARTS = (
    Column("capacity", "Reserved\nUSD", "usd", 14, total=True),
    Column("on_demand", "On demand\nUSD", "usd", 14, total=True),
    Column("egress", "Egress\nUSD", "cents", 13, total=True),
    Column("total", "Total\nUSD", "usd", 14, total=True),
)
WORKLOADS = (
    Column("name", "Workload", "text:wrap", 26),
    Column("requests", "Requests", "count", 19, total=True),
    *_PARTS,
    Column("per_thousand", "Per thousand\nrequests, USD", "cents", 14),
    Column("per_task", "Requests\nper task", "units", 12),
    Column("task_usd", "Per task\nUSD", "price", 12),
)
HOURLY = Column("scaled", "By the hour\nUSD", "usd", 13, total=True)  # only where units run by the hour
SHORT = Column(
    "shortfall", "Unspent\ncommitments\nUSD", "usd", 14, total=True
)  # only where there are spend commitments
DETAIL_NAME, DETAIL_TOP = "Cost by model and month", 3
DETAILS = (
    Column("name", "Workload", "text:wrap", 26),
    Column("model", "Model", "text:wrap", 22),
    Column("period", "Month", "text", 12),
    Column("requests", "Requests", "count", 15, total=True),
    *_PARTS,
    Column("per_thousand", "Per thousand\nrequests, USD", "cents", 14),
)
MONTHS = (
    Column("name", "Month", "text", 26),
    Column("reserved", "New\ncommitments\nUSD", "usd", 15, total=True),
    Column("tail", "Counted past\nthe horizon\nUSD", "usd", 14, total=True),
    Column("unreserved", "Beyond\ncommitments\nUSD", "usd", 14, total=True),
    Column("sunk", "Earlier\ncommitments\nUSD", "usd", 13, total=True),
    Column("on_demand", "On demand\nUSD", "usd", 14, total=True),
    Column("egress", "Egress\nUSD", "cents", 14, total=True),
    Column("total", "Total\nUSD", "usd", 12, total=True),
)


def write(sheet: Sheet, report: Report) -> tuple[Recomputed, ...]:
    """Write the sheet; returns the sums of its tables, for the audit."""
    text = "Cost by month, workload and model. The cost of units is borne by the requests that use them."
    sheet.heading("Cost per task", text, len(WORKLOADS) - 1)
    parts = _with(report, _PARTS)
    second = replace(WORKLOADS[1], width=_SPAN) if report.case.settings.horizon.cuts else WORKLOADS[1]
    workloads = (WORKLOADS[0], second, *parts, *WORKLOADS[2 + len(_PARTS) :])
    sheet.widths(workloads)
    metrics = report.metrics
    sheet.put(TOP - 1, 0, "By month", "section")
    months = metrics.months[metrics.months["period"] != HORIZON]
    by_month = sheet.table(TOP, columns := _with(report, MONTHS), [_month(row, columns) for row in rows_of(months)])
    top = by_month.total_row + 3
    sheet.put(top - 1, 0, "By workload", "section")
    by_workload = sheet.table(top, workloads, _rows(rows_of(metrics.by_workload), "workload", parts))
    top = by_workload.total_row + 3
    sheet.put(top - 1, 0, "By model", "section")
    models = (Column("name", "Model", "text:wrap", 26), *workloads[1:-2])
    by_model = sheet.table(top, models, _rows(rows_of(metrics.by_model), "model", parts))
    alt = "Bars of the cost of each workload, divided into what it is spent on."
    cost_bars(
        sheet, by_workload, top=3, reserved="capacity", title="Cost of each workload, and what it is spent on", alt=alt
    )
    detail = block_at(DETAIL_NAME, DETAIL_TOP, _with(report, DETAILS), len(_details(report, parts)))
    width = sum(c.width for c in workloads)
    by_months, last_column = _write_months(sheet, report, detail, by_model.total_row + 2, width)
    heads = [0, by_workload.first - 2, by_model.first - 2]  # rows in which a table's title stands
    ends = [by_month.total_row, by_workload.total_row, by_model.total_row]
    blocks = [*zip(heads, ends, strict=True), *by_months]
    areas = print_areas(blocks, width)
    sheet.printed(blocks[-1][1], max(len(workloads) - 1, last_column), freeze=(3, 1), areas=areas)
    total_usd = report.plan.totals.total_usd
    return tuple(
        Recomputed(f"Total cost, by {name}", NAME, block.total("total"), total_usd, total_usd)
        for name, block in (("month", by_month), ("workload", by_workload), ("model", by_model))
    )


def write_detail(sheet: Sheet, report: Report) -> tuple[Recomputed, ...]:
    """Write each workload, model and month: a long table, on a sheet of its own, so that every page has its header."""
    text = "Cost of each workload by model and month. The cost of units is borne by the requests that use them."
    columns = _with(report, DETAILS)
    sheet.heading(DETAIL_NAME, text, len(columns) - 1)
    sheet.widths(columns)
    block = sheet.table(DETAIL_TOP, columns, _details(report, _with(report, _PARTS)))
    sheet.printed(block.total_row, len(columns) - 1, repeat=DETAIL_TOP, freeze=(DETAIL_TOP + 1, 3))
    return ()


def _with(report: Report, columns: Sequence[Column]) -> tuple[Column, ...]:
    """Return the columns of a table with those that only some plans have, before on demand."""
    more = [HOURLY] if report.plan.totals.scaled_usd else []
    if report.plan.totals.shortfall_usd and any(c.key == "sunk" for c in columns):
        more.append(SHORT)
    at = next(k for k, c in enumerate(columns) if c.key == "on_demand")
    return (*columns[:at], *more, *columns[at:])


def _sum(row: Any, columns: Sequence[Column]) -> tuple[dict[str, float], Live]:
    """Parts of a row's cost, and their sum as a formula."""
    keys = [c.key for c in columns if c.key not in ("name", "total")]
    parts = {key: float(getattr(row, f"{key}_usd")) for key in keys}
    return parts, Live("=" + "+".join(f"{{{key}}}" for key in keys), sum(parts.values()))


def _month(row: Any, columns: Sequence[Column]) -> dict[str, Any]:
    parts, total = _sum(row, columns)
    return {"name": str(row.period), **parts, "total": total}


def _parts(row: Any, columns: Sequence[Column]) -> dict[str, Any]:
    parts, whole = _sum(row, columns)
    total, requests = sum(parts.values()), float(row.requests)
    per_thousand = 1000 * total / requests if requests > 0 else 0.0
    return {
        "requests": requests,
        **parts,
        "total": whole,
        "per_thousand": Live("=IF({requests}>0,1000*{total}/{requests},0)", per_thousand),
    }


def _rows(rows: Any, key: str, parts: Sequence[Column]) -> list[dict[str, Any]]:
    found = []
    for row in rows:
        record = {"name": str(getattr(row, key)), **_parts(row, parts)}
        if key == "workload":
            per_task = float(row.requests_per_task)
        if key == "workload" and per_task == per_task:  # what nobody asked for has no tasks
            record |= {
                "per_task": per_task,
                "task_usd": Live("={per_thousand}*{per_task}/1000", record["per_thousand"].value * per_task / 1000),
            }
        found.append(record)
    return found


def _details(report: Report, parts: Sequence[Column]) -> Sequence[dict[str, Any]]:
    frame = report.metrics.costs
    frame = frame[frame["period"] != HORIZON].sort_values(["workload", "model", "period"])
    return [
        {"name": str(r.workload), "model": str(r.model), "period": str(r.period), **_parts(r, parts)}
        for r in rows_of(frame)
    ]


SHEETS = (
    ExtraSheet(NAME, GREEN, egress_sheet.NAME, write),
    ExtraSheet(DETAIL_NAME, GREEN, egress_sheet.NAME, write_detail),
)


def sheets_for(case: Case) -> list[ExtraSheet]:
    """Return the sheets of tasks that a case's workbook gets: cost per task, and Chargeback where a team is named."""
    return [*SHEETS, *chargeback_report.sheets_for(case)]
