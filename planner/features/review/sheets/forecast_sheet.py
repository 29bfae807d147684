"""Forecast error: requests by region, workload and month; and what was assumed of a request against what was seen."""

from typing import Any

from planner.features.review.review_tables import Review
from planner.workbook.book import Column, Live, Sheet, print_areas
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
ASSUMED = (
    Column("workload", "Workload", "text:wrap", 20),
    Column("period", "Month", "text", 24),
    Column("figure", "Figure", "text:wrap", 24),
    Column("assumed", "Assumed", "fine", 12),
    Column("seen", "Seen", "fine", 15),
    Column("change", "Change (shares:\nin points)", "percent", 15),
    Column("remark", "", "text", 50),
)


def write(sheet: Sheet, review: Review) -> None:
    """Write both tables."""
    sheet.heading("Forecast error", "For each hour seen. WAPE: sum of absolute errors ÷ actual requests. "
                  "Bias: planned less actual, over actual requests.", len(ERRORS) - 1)  # fmt: skip
    sheet.widths(ERRORS)
    sheet.put(3, 0, "Requests", "section")
    block = sheet.table(4, ERRORS, [_error(r) for r in rows_of(review.errors)], filters=True)
    top = block.last + 3
    sheet.put(top - 1, 0, "Tokens per request and model mix: assumed and actual", "section")
    second = sheet.table(top, ASSUMED, [_assumed(r) for r in rows_of(review.assumptions)])
    areas = print_areas([(0, block.last), (top - 1, second.last)], sum(c.width for c in ERRORS))
    sheet.printed(second.last, len(ERRORS) - 1, freeze=(3, 2), areas=areas)


def _error(r: Any) -> dict[str, Any]:
    actual, planned = float(r.actual_requests), float(r.planned_requests)
    return {
        "region": str(r.region), "workload": str(r.workload), "period": str(r.period), "hours": float(r.hours),
        "actual": actual, "planned": planned, "wape": float(r.wape),
        "bias": Live('=IF({actual}>0,({planned}-{actual})/{actual},"")', planned / actual - 1 if actual > 0 else ""),
        "peak": float(r.peak_actual_rph), "planned_peak": float(r.peak_planned_rph),
        "inside": float(r.scenario_coverage),
    }  # fmt: skip


def _assumed(r: Any) -> dict[str, Any]:
    return {
        "workload": str(r.workload), "period": str(r.period), "figure": str(r.figure).replace("_", " "),
        "assumed": float(r.assumed), "seen": float(r.seen), "change": float(r.change_share), "remark": str(r.remark),
    }  # fmt: skip
