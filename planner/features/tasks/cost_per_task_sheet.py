"""Cost per task: cost by month, by workload and by model, and which part is reserved, on demand and egress."""

from collections.abc import Sequence
from typing import Any

from planner.features.tasks import months_table as cost_per_task_months
from planner.plan.metrics.tables import HORIZON
from planner.workbook.book import Column, Live, Sheet
from planner.workbook.extra_sheets import ExtraSheet, Recomputed
from planner.workbook.report import Report, rows_of
from planner.workbook.sheets import egress
from planner.workbook.sheets.cost_bars import cost_bars
from planner.workbook.theme import GREEN

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
    Column("requests", "Requests", "count", 15, total=True),
    *_PARTS,
    Column("per_thousand", "Per thousand\nrequests, USD", "cents", 14),
    Column("per_task", "Requests of\na task", "units", 12),
    Column("task_usd", "Per task\nUSD", "price", 12),
)
MODELS = (Column("name", "Model", "text:wrap", 26), *WORKLOADS[1:7])
MONTHS = (
    Column("name", "Month", "text", 26),
    Column("reserved", "New commitments\nUSD", "usd", 15, total=True),
    Column("tail", "Counted past the\nmonths, USD", "usd", 14, total=True),
    Column("unreserved", "Beyond commit-\nments, USD", "usd", 14, total=True),
    Column("sunk", "Earlier commit-\nments, USD", "usd", 13, total=True),
    Column("on_demand", "On demand\nUSD", "usd", 14, total=True),
    Column("egress", "Egress\nUSD", "cents", 14, total=True),
    Column("total", "Total\nUSD", "usd", 12, total=True),
)


def write(sheet: Sheet, report: Report) -> tuple[Recomputed, ...]:
    """Write the sheet; returns the sums of its tables, for the audit."""
    text = "What a month, a workload and a model cost. The cost of units goes to the requests that use them."
    sheet.heading("Cost per task", text, len(WORKLOADS) - 1)
    sheet.widths(WORKLOADS)
    metrics = report.metrics
    sheet.put(TOP - 1, 0, "By month", "section")
    months = metrics.months[metrics.months["period"] != HORIZON]
    by_month = sheet.table(TOP, MONTHS, [_month(row) for row in rows_of(months)])
    top = by_month.total_row + 3
    sheet.put(top - 1, 0, "By workload", "section")
    by_workload = sheet.table(top, WORKLOADS, _rows(rows_of(metrics.by_workload), "workload"))
    top = by_workload.total_row + 3
    sheet.put(top - 1, 0, "By model", "section")
    by_model = sheet.table(top, MODELS, _rows(rows_of(metrics.by_model), "model"))
    alt = "Bars of the cost of each workload, divided into reserved, on demand and egress."
    cost_bars(sheet, by_workload, 3, "capacity", "Cost of each workload, and what it is spent on", alt)
    top = by_model.total_row + 2
    sheet.put(top, 0, "By workload, model and month", "section")
    columns = (
        Column("name", "Workload", "text:wrap", 26),
        Column("model", "Model", "text:wrap", 15),
        *_PARTS,
        Column("period", "Month", "text", 14),
        Column("requests", "Requests", "count", 12, total=True),
        Column("per_thousand", "Per thousand\nrequests, USD", "cents", 12),
    )
    detail = sheet.table(top + 1, columns, _details(report))
    last_row, last_column = cost_per_task_months.write(sheet, report, detail, detail.total_row + 2)
    sheet.printed(last_row, max(len(WORKLOADS) - 1, last_column), freeze=(3, 1))
    total_usd = report.plan.totals.total_usd
    return tuple(
        Recomputed(f"Total cost, by {name}", NAME, block.total("total"), total_usd, total_usd)
        for name, block in (("month", by_month), ("workload", by_workload), ("model", by_model))
    )


def _month(row: Any) -> dict[str, Any]:
    parts = {
        key: float(getattr(row, f"{key}_usd"))
        for key in ("reserved", "tail", "unreserved", "sunk", "on_demand", "egress")
    }
    total = Live("={reserved}+{tail}+{unreserved}+{sunk}+{on_demand}+{egress}", sum(parts.values()))
    return {"name": str(row.period), **parts, "total": total}


def _parts(row: Any) -> dict[str, Any]:
    parts = {key: float(getattr(row, f"{key}_usd")) for key in ("capacity", "on_demand", "egress")}
    total, requests = sum(parts.values()), float(row.requests)
    per_thousand = 1000 * total / requests if requests > 0 else 0.0
    return {
        "requests": requests,
        **parts,
        "total": Live("={capacity}+{on_demand}+{egress}", total),
        "per_thousand": Live("=IF({requests}>0,1000*{total}/{requests},0)", per_thousand),
    }


def _rows(rows: Any, key: str) -> list[dict[str, Any]]:
    found = []
    for row in rows:
        record = {"name": str(getattr(row, key)), **_parts(row)}
        if key == "workload":
            per_task = float(row.requests_per_task)
            record |= {
                "per_task": per_task,
                "task_usd": Live("={per_thousand}*{per_task}/1000", record["per_thousand"].value * per_task / 1000),
            }
        found.append(record)
    return found


def _details(report: Report) -> Sequence[dict[str, Any]]:
    frame = report.metrics.costs
    frame = frame[frame["period"] != HORIZON].sort_values(["workload", "model", "period"])
    return [
        {"name": str(r.workload), "model": str(r.model), "period": str(r.period), **_parts(r)} for r in rows_of(frame)
    ]


SHEET = ExtraSheet(NAME, GREEN, egress.NAME, write)
