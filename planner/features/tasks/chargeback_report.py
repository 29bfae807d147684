"""Chargeback on the terminal and as a sheet: what each team is charged, by kind of cost and by month."""

from collections.abc import Sequence
from typing import IO, Any

import pandas as pd

from planner.features.tasks.chargeback import NO_TEAM, OF_NOBODY, SUMS, Chargeback, chargeback_of
from planner.plan.metrics.basis import Basis
from planner.plan.plan import HALF_A_CENT_USD
from planner.schema.case import Case
from planner.workbook.book import Block, Column, ExtraSheet, Live, Recomputed, Sheet
from planner.workbook.report import Report, rows_of
from planner.workbook.sheets import egress_sheet
from planner.workbook.text_tables import TextTable, clean, console_for, usd
from planner.workbook.theme import GREEN

HEADS = {"team": "Team", "cost_centre": "Cost centre", "workload": "Workload", "model": "Model", "region": "Region"}
_KINDS = {"used_usd": "Used", "kept_usd": "Kept for\nfailover", "by_the_hour_usd": "By the\nhour",
          "on_demand_usd": "On demand", "egress_usd": "Egress"}  # fmt: skip
_MONTHS = 4


def print_chargeback(found: Chargeback, keys: Sequence[str], stream: IO[str]) -> None:
    """Print what is charged by `keys` (of HEADS), first by kind of cost, then by month."""
    console = console_for(stream)
    months = found.months
    span = months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"
    console.print(f"{clean(found.basis.plan.name, 80)}: chargeback, {span}\n")
    _by_kind(found, keys).print(console)
    if len(months) > 1:
        console.print()
        _by_month(found, keys).print(console)
    if not any(w.team for w in found.basis.case.workloads):
        console.print("\nNo workload names its team: fill in the column team of the table workloads.")


def named(key: str, name: object) -> str:
    """Return a name as reports show it."""
    return str(name) or (NO_TEAM if key == "team" else "–")


def _by_kind(found: Chargeback, keys: Sequence[str]) -> TextTable:
    rows = _no_team_last(found.of_teams(*keys), keys)
    shown = [name for name in SUMS if name != "by_the_hour_usd" or found.by_the_hour]
    heads = [*(HEADS[key] for key in keys), *(_KINDS[name] for name in shown), "Total"]
    table = TextTable(tuple(heads), left=len(keys), caption="USD over all months")
    for row in rows_of(rows):
        names = [named(key, getattr(row, key)) for key in keys]
        table.add(*names, *(usd(float(getattr(row, name))) for name in shown), usd(float(row.total_usd)))
    blank = [""] * (len(keys) - 1 + len(shown))
    own = {row.charge: float(row.usd) for row in rows_of(found.of_nobody())}
    for charge in _lines(own):
        table.add(charge.capitalize(), *blank, usd(own[charge]))
    sums = [usd(float(rows[name].sum())) for name in shown]
    table.add("Total", *[""] * (len(keys) - 1), *sums, usd(found.total_usd), style="bold")
    return table


def _by_month(found: Chargeback, keys: Sequence[str]) -> TextTable:
    months = found.months if len(found.months) <= _MONTHS else (found.months[0], *found.months[1 - _MONTHS :])
    table = TextTable((*(HEADS[key] for key in keys), *months, "all months"), left=len(keys))
    by_month = _no_team_last(found.of_teams(*keys, "period"), keys)
    for name, rows in by_month.groupby(list(keys), sort=False):
        amount = dict(zip(rows["period"], rows["total_usd"], strict=True))
        shown = [usd(float(amount.get(month, 0.0))) for month in months]
        table.add(*(named(key, part) for key, part in zip(keys, name)), *shown, usd(float(rows["total_usd"].sum())))
    lines = found.of_nobody("period")
    blank = [""] * (len(keys) - 1)
    for charge in _lines({row.charge: float(row.usd) for row in rows_of(found.of_nobody())}):
        own = lines[lines["charge"] == charge]
        amount = dict(zip(own["period"], own["usd"], strict=True))
        shown = [usd(float(amount.get(month, 0.0))) for month in months]
        table.add(charge.capitalize(), *blank, *shown, usd(float(own["usd"].sum())))
    total = found.table.groupby("period")["usd"].sum()
    shown = [usd(float(total.get(month, 0.0))) for month in months]
    table.add("Total", *blank, *shown, usd(found.total_usd), style="bold")
    return table


def _no_team_last(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    return rows.sort_values(list(keys), key=lambda names: names.where(names != "", "\U0010ffff"), kind="stable")


def _lines(own: dict[str, float]) -> list[str]:
    """Return the lines of nobody that hold at least half a cent; idle is always shown."""
    return [charge for charge in OF_NOBODY if charge in own and (charge == "idle" or own[charge] >= HALF_A_CENT_USD)]


NAME = "Chargeback"
TOP = 4
_KIND_COLUMNS = (
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
    *_KIND_COLUMNS,
)
WORKLOADS = (
    Column("team", "Team", "text:wrap", 26),
    Column("workload", "Workload", "text:wrap", 18),
    Column("period", "Month", "text", 12),
    *(column for column in _KIND_COLUMNS if column.key != "nobody"),
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
