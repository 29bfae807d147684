"""Forecast error: requests planned and actual, by region, workload and month."""

from typing import Any

from planner.features.review.review_tables import Review
from planner.workbook.book import Column, Live, Sheet
from planner.workbook.report import rows_of

NAME = "Forecast error"
ERRORS = (
    Column("region", "Region", "text:wrap", 20),
    Column("workload", "Workload", "text:wrap", 24),
    Column("period", "Month", "text", 24),
    Column("hours", "Hours", "count", 12),
    Column("actual", "Actual\nrequests", "count", 15),
    Column("planned", "Requests\nplanned", "count", 15),
    Column("wape", "WAPE", "percent", 10),
    Column("bias", "Bias (above 0:\nplanned too high)", "percent", 16),
    Column("peak", "Actual\npeak hour", "count", 12),
    Column("planned_peak", "Peak hour\nplanned", "count", 12),
    Column("inside", "Within the\nscenarios", "percent", 11),
)
TOP = 3


def write(sheet: Sheet, review: Review) -> None:
    """Write the table."""
    sheet.heading("Forecast error", "For each hour seen. WAPE: sum of absolute errors ÷ actual requests. "
                  "Bias: planned less actual, over actual requests.", len(ERRORS) - 1)  # fmt: skip
    sheet.widths(ERRORS)
    block = sheet.table(TOP, ERRORS, [_error(r) for r in rows_of(review.errors)], filters=True)
    sheet.printed(block.last, len(ERRORS) - 1, repeat=TOP, freeze=(TOP + 1, 2))


def _error(r: Any) -> dict[str, Any]:
    actual, planned = float(r.actual_requests), float(r.planned_requests)
    return {
        "region": str(r.region), "workload": str(r.workload), "period": str(r.period), "hours": float(r.hours),
        "actual": actual, "planned": planned, "wape": float(r.wape),
        "bias": Live('=IF({actual}>0,({planned}-{actual})/{actual},"")', planned / actual - 1 if actual > 0 else ""),
        "peak": float(r.peak_actual_rph), "planned_peak": float(r.peak_planned_rph),
        "inside": float(r.scenario_coverage),
    }  # fmt: skip
