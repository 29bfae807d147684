"""Sheet Chargeback: what each team is charged, by month and kind of cost, and the lines that no team is charged for.

Only where some workload names its team or cost centre.
"""

from typing import Any

from planner.features.tasks.chargeback import OF_NOBODY, SUMS, Chargeback, chargeback_of
from planner.features.tasks.chargeback_report import named
from planner.plan.metrics.basis import Basis
from planner.schema.case import Case
from planner.workbook.book import Block, Column, ExtraSheet, Live, Recomputed, Sheet
from planner.workbook.report import Report, rows_of
from planner.workbook.sheets import egress_sheet
from planner.workbook.theme import GREEN

NAME = "Chargeback"
TOP = 4
_KINDS = (
    Column("used", "Used\nUSD", "usd", 13, total=True),
    Column("kept", "Kept for\nfailover, USD", "usd", 13, total=True),
    Column("by_the_hour", "Units by\nthe hour, USD", "usd", 13, total=True),
    Column("on_demand", "On demand\nUSD", "usd", 13, total=True),
    Column("egress", "Egress\nUSD", "cents", 12, total=True),
    Column("nobody", "Of no team\nUSD", "usd", 13, total=True),
    Column("total", "Total\nUSD", "usd", 14, total=True),
)
TEAMS = (
    Column("team", "Team", "text:wrap", 26),
    Column("cost_centre", "Cost centre", "text:wrap", 18),
    Column("period", "Month", "text", 12),
    *_KINDS,
)
WORKLOADS = (
    Column("team", "Team", "text:wrap", 26),
    Column("workload", "Workload", "text:wrap", 18),
    Column("period", "Month", "text", 12),
    *(column for column in _KINDS if column.key != "nobody"),
)
_RULE = (
    "Used: unit-hours that requests take, at what a unit-hour in force costs. Kept for failover: units that no request "
    "takes, but the loss of a region in that hour would. Idle units, money of contracts that is not spent and payments "
    "past the horizon are on lines of their own: no team is charged for them. docs/chargeback.md has the rule."
)


def write(sheet: Sheet, report: Report) -> list[Recomputed]:
    """Fill the sheet; its total is the plan's cost."""
    found = chargeback_of(Basis.of(report.reading))
    teams: tuple[Column, ...] = TEAMS
    workloads: tuple[Column, ...] = WORKLOADS
    if not found.by_the_hour:
        teams, workloads = (tuple(c for c in columns if c.key != "by_the_hour") for columns in (teams, workloads))
    sheet.heading(NAME, _RULE, len(teams) - 1)
    sheet.raw.set_row(1, 42)
    sheet.widths(teams)
    sheet.put(TOP - 1, 0, "By team and month", "section")
    by_team = sheet.table(TOP, teams, [*_teams(found), *_nobody(found)], filters=True)
    top = by_team.total_row + 3
    sheet.put(top - 1, 0, "By workload and month", "section")
    by_workload = sheet.table(top, workloads, _rows(found, "team", "workload"))
    sheet.printed(by_workload.total_row, len(teams) - 1, freeze=(TOP - 1, 1), areas=_areas(by_team, by_workload))
    total = report.plan.totals.total_usd
    return [Recomputed("Total cost, by team", NAME, by_team.total("total"), found.total_usd, total)]


def _areas(by_team: Block, by_workload: Block) -> list[tuple[int, int]]:
    return [(0, by_team.total_row), (by_workload.first - 2, by_workload.total_row)]


def _teams(found: Chargeback) -> list[dict[str, Any]]:
    return _rows(found, "team", "cost_centre")


def _rows(found: Chargeback, *keys: str) -> list[dict[str, Any]]:
    table = found.of_teams(*keys, "period")
    last = table["team"] == ""  # those without a team after the others
    rows = []
    for row in rows_of(table.assign(last=last).sort_values(["last", *keys, "period"], kind="stable")):
        parts = {name.removesuffix("_usd"): float(getattr(row, name)) for name in SUMS}
        if not found.by_the_hour:
            del parts["by_the_hour"]
        total = Live("=" + "+".join(f"{{{key}}}" for key in parts), sum(parts.values()))
        names = {key: named(key, getattr(row, key)) for key in keys}
        rows.append({**names, "period": str(row.period), **parts, "total": total})
    return rows


def _nobody(found: Chargeback) -> list[dict[str, Any]]:
    """Give idle, unspent and past the horizon a row for each month, under the teams."""
    rows = []
    for row in rows_of(found.of_nobody("period")):
        usd = float(row.usd)
        if row.charge in OF_NOBODY and usd:
            rows.append({"team": str(row.charge).capitalize(), "period": str(row.period), "nobody": usd,
                         "total": Live("={nobody}", usd)})  # fmt: skip
    return rows


def sheets_for(case: Case) -> list[ExtraSheet]:
    """Return the sheet where a workload names its team or cost centre, else nothing."""
    if not any(w.team or w.cost_centre for w in case.workloads):
        return []
    return [ExtraSheet(NAME, GREEN, egress_sheet.NAME, write)]
