"""Headroom and failover: each stress case, its worst hour, what it makes the plan pay; and where its load goes."""

import math
from typing import Any

from planner.plan.why import stress_usd
from planner.workbook.book import Block, Column, Live, Sheet, axis, chart_title, grid
from planner.workbook.report import Report, hour_text, rows_of, text_of
from planner.workbook.theme import BLUE

NAME, WORKLOADS_NAME, LOAD_NAME = "Headroom and failover", "Workload margins", "Stress load"
TOP = 3

COLUMNS = (
    Column("case", "Stress case", "text:wrap", 30),
    Column("lost", "Region lost", "text:wrap", 18),
    Column("hour", "Binding hour\n(UTC)", "text", 18),
    Column("period", "Month", "text", 20),
    Column("scenario", "Scenario", "text:wrap", 12),
    Column("need", "Need, requests\nper hour", "count", 13),
    Column("reserved", "By reserved\nunits", "count", 12),
    Column("on_demand", "On demand", "count", 12),
    Column("capacity", "Capacity, requests\nper hour", "count", 15),
    Column("margin", "Margin", "percent", 10),
    Column("binds", "Makes the\nplan buy", "text", 10),
    Column("paid", "Units it pays for\nUSD", "usd", 15, total=True),
)
FEWEST = Column("fewest", "Unserved, at\nleast, per hour", "count", 16)  # where a case is broken
BELOW = (
    "A margin below 0: by so much would all demand have to be cut alike. Unserved: the fewest requests that go "
    "unserved, whichever they are, where those that can be served are not cut."
)
WORKLOADS = (
    Column("workload", "Workload", "text:wrap", 26),
    Column("case", "Stress case", "text:wrap", 30),
    Column("margin", "It alone may\ngrow by", "percent", 14),
    Column("hour", "Binding hour\n(UTC)", "text", 18),
    Column("period", "Month", "text", 12),
    Column("scenario", "Scenario", "text:wrap", 14),
)
LOAD = (
    Column("case", "Stress case", "text:wrap", 30),
    Column("region", "Served in", "text:wrap", 18),
    Column("model", "Model", "text:wrap", 18),
    Column("supply", "By", "text:wrap", 20),
    Column("rph", "Requests\nper hour", "count", 12),
    Column("share", "Share of\nthe need", "percent", 13),
)


def write(sheet: Sheet, report: Report) -> Block:
    """Write the sheet; returns where the table of cases stands."""
    policy = report.case.settings.policy
    text = (
        "Each case must be served in every hour with what stands. Margin: how far all demand may grow before an hour "
        "cannot be served, with this plan's own units; the hour is the one where that happens first. Capacity is blank "
        "where on demand has no quota. "
        "Units it pays for: deployed units at the shadow price that this case puts on them, the part of the "
        "commitments that this rule is the reason for."
    )
    if not policy.failover.enabled:
        text += " Failover is switched off in this plan."
    columns: tuple[Column, ...] = COLUMNS
    if (report.metrics.stress["margin_share"] < 0).any():
        after = COLUMNS.index(next(c for c in COLUMNS if c.key == "margin")) + 1
        columns = (*COLUMNS[:after], FEWEST, *COLUMNS[after:])
    sheet.heading("Headroom and failover", text, len(columns) - 1)
    if columns is not COLUMNS:
        sheet.merged(TOP - 1, 0, len(columns) - 1, BELOW, "subtitle")
        sheet.raw.set_row(TOP - 1, 28)
    sheet.widths(columns)
    paid = stress_usd(report.reading)
    ranked = report.metrics.stress.sort_values("margin_share", kind="stable")  # as on the terminal; not known: last
    rows = [_record(row, paid) for row in rows_of(ranked)]
    block = sheet.table(TOP, columns, rows, empty=report.without_margins)
    top = block.total_row + 2
    if rows:
        _chart(sheet, block, top, broken=len(columns) > len(COLUMNS))
        top += 16
    sheet.printed(top if rows else block.last, len(columns) - 1, freeze=(TOP + 1, 1))
    return block


def write_load(sheet: Sheet, report: Report) -> None:
    """Write where the load of each case's worst hour goes."""
    text = "Where the requests of each stress case are served in its worst hour."
    sheet.heading(LOAD_NAME, text, len(LOAD) - 1)
    sheet.widths(LOAD)
    load = sheet.table(TOP, LOAD, _load(report), empty="Nothing to show.")
    sheet.printed(load.last, len(LOAD) - 1, repeat=TOP, freeze=(TOP + 1, 1))


def _record(row: Any, paid: dict[str, float]) -> dict[str, Any]:
    capacity, need = float(row.capacity_rph), float(row.need_rph)
    finite = math.isfinite(capacity)
    margin = capacity / need - 1 if finite and need > 0 else ""
    return {
        "case": str(row.case),
        "lost": text_of(row.failed_region),
        "hour": hour_text(row.hour_of_week),
        "period": text_of(row.period),
        "scenario": text_of(row.scenario),
        "need": need,
        "reserved": float(row.reserved_rph),
        "on_demand": float(row.on_demand_rph),
        "capacity": capacity if finite else None,
        "margin": Live('=IF(AND(ISNUMBER({capacity}),{need}>0),{capacity}/{need}-1,"")', margin),
        "fewest": float(row.unserved_rph),
        "binds": bool(row.sets_units),
        "paid": paid.get(str(row.case), 0.0),
    }


def write_workloads(sheet: Sheet, report: Report) -> None:
    """Write how far each workload alone may grow until a stress case breaks."""
    text = (
        "How far the demand of one workload may grow, the others as they are, until a stress case can no longer be "
        "served; the smallest first. Blank: no limit. A case that is broken has none to give."
    )
    sheet.heading(WORKLOADS_NAME, text, len(WORKLOADS) - 1)
    sheet.widths(WORKLOADS)
    rows: list[dict[str, Any]] = [
        {"workload": str(r.workload), "case": str(r.case), "margin": float(r.margin_share) + 0.0,
         "hour": hour_text(r.hour_of_week), "period": text_of(r.period), "scenario": text_of(r.scenario)}
        for r in rows_of(report.metrics.workload_margins)
    ]  # fmt: skip
    empty = "None: there is no stress case, or too many to look at each workload."
    block = sheet.table(TOP, WORKLOADS, rows, empty=empty)
    sheet.printed(block.last, len(WORKLOADS) - 1, repeat=TOP, freeze=(TOP + 1, 1))


def _load(report: Report) -> list[dict[str, Any]]:
    rows = report.metrics.stress_load.sort_values(["case", "requests_per_hour"], ascending=[True, False], kind="stable")
    return [
        {"case": str(r.case), "region": str(r.region), "model": str(r.model), "supply": str(r.supply),
         "rph": float(r.requests_per_hour), "share": float(r.share)}
        for r in rows_of(rows)
    ]  # fmt: skip


def _chart(sheet: Sheet, block: Block, top: int, *, broken: bool) -> None:
    chart = sheet.book.chart("bar")
    chart.add_series({
        "name": "Margin",
        "categories": [sheet.name, block.first, 0, block.last, 0],
        "values": [sheet.name, block.first, block.columns["margin"], block.last, block.columns["margin"]],
        "fill": {"color": BLUE},
        "gap": 60,
        "data_labels": {"value": True, "num_format": "0.0%", "font": {"size": 9}},
    })  # fmt: skip
    chart.set_title(chart_title("Margin of each stress case"))
    chart.set_x_axis(grid("Growth of demand that can be served", num_format="0%", **({} if broken else {"min": 0})))
    chart.set_y_axis(axis("", reverse=True, crossing="max", **({"label_position": "low"} if broken else {})))
    chart.set_legend({"none": True})
    chart.set_size({"width": 1000, "height": 290})
    alt = "Bars of how far demand may grow before each stress case cannot be served."
    sheet.raw.insert_chart(top, 0, chart, {"x_offset": 4, "y_offset": 4, "description": alt, "object_position": 1})
