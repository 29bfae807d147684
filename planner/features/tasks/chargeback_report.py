"""Chargeback on the terminal: what each team is charged, by kind of cost and by month; lines of nobody; the total."""

from collections.abc import Sequence
from typing import IO

import pandas as pd

from planner.features.tasks.chargeback import NO_TEAM, OF_NOBODY, SUMS, Chargeback
from planner.plan.plan import HALF_A_CENT_USD
from planner.workbook.report import rows_of
from planner.workbook.text_tables import TextTable, clean, console_for, usd

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
