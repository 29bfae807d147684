"""Cost per task as it was: by workload and month, beside the plan's; alerts with their driver."""

from typing import Any

from planner.features.review.review_tables import PLANNED, Review
from planner.workbook.book import Column, Live, Sheet
from planner.workbook.report import rows_of

NAME = "Cost per task"
COLUMNS = (
    Column("workload", "Workload", "text:wrap", 26),
    Column("period", "Month", "text", 11),
    Column("planned_tasks", "Tasks\nplanned", "count", 14),
    Column("tasks", "Actual\ntasks", "count", 14),
    Column("planned_usd", "Cost planned\nUSD", "usd", 14),
    Column("usd", "Cost\nUSD", "usd", 14, total=True),
    Column("planned_task", "Per task\nplanned, USD", "price", 14),
    Column("task", "Per task\nUSD", "price", 14),
    Column("change", "Change", "percent", 10),
)


def write(sheet: Sheet, review: Review) -> None:
    """Write the alerts, then a row a workload and month."""
    sheet.heading("Cost per task", "Months of which nearly all hours were seen. Both sides pay for what is held "
                  "in the month at its price; planned hours are weighted by days / 7.", len(COLUMNS) - 1)  # fmt: skip
    sheet.widths(COLUMNS)
    row = 3
    for alert in review.alerts:
        sheet.raw.set_row(row, 30)
        sheet.merged(row, 0, len(COLUMNS) - 1, alert.sentence, "alert")
        row += 1
    if not review.alerts:
        sheet.put(row, 0, "No task became more expensive while its volume was flat.", "aside")
        row += 1
    block = sheet.table(row + 1, COLUMNS, _rows(review), empty="No month was seen in full.")
    sheet.printed(block.total_row, len(COLUMNS) - 1)


def _rows(review: Review) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for r in rows_of(review.tasks):
        record = found.setdefault(
            (str(r.workload), str(r.period)), {"workload": str(r.workload), "period": str(r.period)}
        )
        word = "planned_" if r.side == PLANNED else ""
        tasks, usd = float(r.tasks), float(r.total_usd)
        record[f"{word}tasks"], record[f"{word}usd"] = tasks, usd
        formula = f"=IF({{{word}tasks}}>0,{{{word}usd}}/{{{word}tasks}},0)"
        record[f"{word}task"] = Live(formula, usd / tasks if tasks > 0 else 0.0)
    for record in found.values():
        if "task" in record and "planned_task" in record and record["planned_task"].value > 0:
            change = record["task"].value / record["planned_task"].value - 1
            record["change"] = Live("={task}/{planned_task}-1", change)
    return list(found.values())
