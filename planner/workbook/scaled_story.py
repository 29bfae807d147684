"""What the reports say of units bought or run by the hour: how many, when, what they cost, what on demand would."""

import pandas as pd

from planner.plan.metrics.metric_tables import HORIZON
from planner.plan.pool_months import PoolMonth
from planner.units import counted, hour_label
from planner.workbook.report import Report, rows_of
from planner.workbook.text_tables import amount, clean, percent, usd

_SHOWN, _POOLS, _FEW_UNITS = 4, 3, 1e-6


def beyond_commitments(report: Report) -> list[str]:
    """Name the units that are bought by the hour, pool by pool; empty: there are none."""
    by_pool: dict[str, list[PoolMonth]] = {}
    for month in report.months:
        if month.unreserved_units > _FEW_UNITS:
            by_pool.setdefault(month.pool, []).append(month)
    if not by_pool:
        return []
    ranked = sorted(by_pool.items(), key=lambda item: -sum(m.unreserved_usd for m in item[1]))
    parts, spans = [], "periods" if report.case.settings.horizon.cuts else "months"
    for pool, months in ranked[:_POOLS]:
        most = amount(max(m.unreserved_units for m in months))
        paid = usd(sum(m.unreserved_usd for m in months))
        many = f" in {len(months)} {spans}" if len(months) > 1 else f" in {months[0].period}"
        parts.append(
            f"{'up to ' if len(months) > 1 else ''}{counted(most, 'unit')} of {clean(pool, 120)}{many} ({paid})"
        )
    rest = f", and {counted(len(ranked) - _POOLS, 'more pool')}" if len(ranked) > _POOLS else ""
    total = usd(sum(m.unreserved_usd for months in by_pool.values() for m in months))
    return [f"Beyond commitments, units bought by the hour cost {total}: {', '.join(parts)}{rest}."]


def scaled_lines(report: Report) -> list[str]:
    """Say of each deployment what runs by the hour, the dearest first; empty: no pool sells such units."""
    if not report.sells_by_the_hour:
        return []
    frame = report.metrics.scaled
    rows = rows_of(frame[frame["period"] == HORIZON].sort_values("scaled_usd", ascending=False, kind="stable"))
    if not rows:
        return ["None runs: reserved units and on demand serve every hour at a lower cost."]
    lines = []
    for row in rows[:_SHOWN]:
        hours, paid = float(row.unit_hours), float(row.scaled_usd)
        deployment = row.pool, row.meter, row.model
        what = "all models" if row.model == "*" else clean(str(row.model), 120)
        cold = ""
        if row.start_unit_hours > 0:
            share = row.start_unit_hours / (hours + row.start_unit_hours)
            cold = f", {percent(share)} of it for cold starts"
        told = (
            f"{clean(str(row.pool), 120)}, {what}: up to {counted(amount(float(row.peak_units)), 'unit')} at once ("
            f"{_busiest(report, deployment)} UTC), {hours:,.0f} unit-hours in "
            f"{counted(_hours(report, deployment), 'hour')} of "
            f"the week, {usd(paid)}{cold}"
        )
        same = float(row.on_demand_equivalent_usd)
        if same == same and same > 0:
            told += f"; on demand the same requests would cost {usd(same)}"
        lines.append(f"{told}.")
    if len(rows) > _SHOWN:
        lines.append(
            f"And {counted(len(rows) - _SHOWN, 'more deployment')}, {usd(sum(r.scaled_usd for r in rows[_SHOWN:]))}."
        )
    requests = float(report.metrics.coverage["requests"].sum())
    served = float(report.metrics.coverage["scaled_requests"].sum())
    if requests > 0 and served > 0:
        share = percent(served / requests)
        lines.append(f"They serve {share} of all requests, which count as neither reserved nor on demand.")
    return lines


def _busiest(report: Report, deployment: tuple[str, str, str]) -> str:
    """First hour of the week with the most units."""
    own = _own(report, deployment)
    return hour_label(int(own["hour_of_week"].to_numpy(int)[own["units"].to_numpy(float).argmax()]))


def _hours(report: Report, deployment: tuple[str, str, str]) -> int:
    """Count the hours of the week in which any run, in some month and scenario."""
    return int(_own(report, deployment)["hour_of_week"].nunique())


def _own(report: Report, deployment: tuple[str, str, str]) -> pd.DataFrame:
    table = report.plan.scaled_units
    pool, meter, model = deployment
    return table[(table["pool"] == pool) & (table["meter"] == meter) & (table["model"] == model)]
