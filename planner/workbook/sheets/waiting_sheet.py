"""Work that can wait: what waiting saves and longer deadlines would, who waits for how long, capacity still idle."""

from planner.plan.rules_cost import Deadlines
from planner.plan.waited import Waited
from planner.workbook import waiting_story
from planner.workbook.book import Column, Sheet
from planner.workbook.report import Report, rows_of

NAME = "Work that can wait"
_LAST = 7
_CENTS = 2  # decimals: what is left of two costs that are the same is not shown as -$0

DEADLINES = (
    Column("what", "If deadlines were other", "text:wrap", 34),
    Column("total", "Cost of the\ncheapest plan, USD", "usd", 18),
    Column("less", "Less than\nthe plan, USD", "usd", 15),
    Column("sign", "To sign\nUSD", "usd", 15),
)
WORKLOADS = (
    Column("workload", "Workload", "text:wrap", 34),
    Column("deadline", "Deadline\nhours", "count", 18),
    Column("requests", "Requests", "count", 15),
    Column("waited", "of which\nwait", "percent", 15),
    Column("mean", "Mean wait of\nthose, hours", "number", 14),
    Column("longest", "Longest wait\nhours", "count", 13),
    Column("reserved", "Served by\nreserved units", "percent", 15),
    Column("slow", "Handed to an option\nthat takes hours", "percent", 18),
)
IDLE = (
    Column("pool", "Pool", "text:wrap", 34),
    Column("meter", "Meter", "text", 18),
    Column("hours", "Unit-hours\ndeployed", "number", 15),
    Column("used", "of which used", "percent", 15),
    Column("idle", "Idle\nunit-hours", "number", 14),
    Column("week", "Hours a week\na tenth idle", "count", 13),
)
WORDS = {
    Deadlines.NONE: "Served in the hour in which it arises",
    Deadlines.TWICE: "Every deadline twice as long",
    Deadlines.WEEK: "Every deadline a week",
}


def write(sheet: Sheet, report: Report, found: Waited) -> None:
    """Write the three tables one below the other."""
    sheet.heading(NAME, " ".join(waiting_story.waiting_lines(report)), _LAST)
    sheet.raw.set_row(1, 42)
    sheet.widths(WORKLOADS)
    sheet.put(3, 0, "What waiting saves, and longer deadlines would", "section")
    why = "Not worked out: planner solve --rules-cost." if report.rules is None or report.rules.skipped else ""
    costs = () if report.rules is None else report.rules.waiting
    rows = [
        {"what": WORDS[c.deadlines], "total": c.total_usd, "sign": c.to_sign_usd if c.total_usd is not None else None,
         "less": None if c.total_usd is None else round(report.rules.total_usd - c.total_usd, _CENTS) + 0.0}
        for c in costs if report.rules is not None
    ]  # fmt: skip
    block = sheet.table(4, DEADLINES, rows, empty=why or "Nothing was tried.")
    row = block.last + 1
    if any(c.total_usd is None for c in costs):
        sheet.merged(row, 0, _LAST, "Blank: there is no such plan; some hour has not the capacity.", "note")
        row += 1
    sheet.put(row + 1, 0, "Who waits, over the plan's months", "section")
    block = sheet.table(row + 2, WORKLOADS, [
        {"workload": r.workload, "deadline": r.deadline_hours, "requests": r.requests,
         "waited": _share(r.waited_requests, r.requests), "mean": r.mean_hours_waited,
         "longest": r.longest_hours_waited, "slow": _share(r.slow_requests, r.requests),
         "reserved": _share(r.reserved_requests, r.requests)}
        for r in rows_of(found.workloads)
    ], empty="Nothing.")  # fmt: skip
    row = block.last + 2
    sheet.put(row, 0, "Reserved capacity that is still idle", "section")
    block = sheet.table(row + 1, IDLE, [
        {"pool": r.pool, "meter": r.meter, "hours": r.unit_hours, "used": _share(r.used_unit_hours, r.unit_hours),
         "idle": r.idle_unit_hours, "week": r.idle_hours_of_week}
        for r in rows_of(found.idle)
    ], empty="No units are deployed.")  # fmt: skip
    sheet.printed(block.last, _LAST, pages=1)


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole > 0 else None
