"""Contracts, scenarios, units by the hour and work that can wait, in sentences: Summary, terminal and page agree."""

from dataclasses import dataclass

import pandas as pd

from planner.plan.metrics.metric_tables import HORIZON
from planner.plan.pool_months import PoolMonth
from planner.plan.rules_cost import Deadlines
from planner.plan.waited import Waited
from planner.schema.capacity import TOKENS_METER
from planner.units import hour_label
from planner.workbook.report import Report, rows_of
from planner.workbook.story import SAME, break_even_words
from planner.workbook.text_tables import amount, clean, joined, percent, usd

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
    parts = []
    for pool, months in ranked[:_POOLS]:
        most = amount(max(m.unreserved_units for m in months))
        paid = usd(sum(m.unreserved_usd for m in months))
        many = f" in {len(months)} months" if len(months) > 1 else f" in {months[0].period}"
        parts.append(f"{'up to ' if len(months) > 1 else ''}{most} units of {clean(pool, 120)}{many} ({paid})")
    rest = f", and {len(ranked) - _POOLS} more pools" if len(ranked) > _POOLS else ""
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
            f"{clean(str(row.pool), 120)}, {what}: up to {amount(float(row.peak_units))} units at once ("
            f"{_busiest(report, deployment)} UTC), {hours:,.0f} unit-hours in {_hours(report, deployment)} hours of "
            f"the week, {usd(paid)}{cold}"
        )
        same = float(row.on_demand_equivalent_usd)
        if same == same and same > 0:
            told += f"; on demand the same requests would cost {usd(same)}"
        lines.append(f"{told}.")
    if len(rows) > _SHOWN:
        lines.append(f"And {len(rows) - _SHOWN} more deployments, {usd(sum(r.scaled_usd for r in rows[_SHOWN:]))}.")
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


TRIFLE = 0.0005  # of what is deployed of a pool
NAMED_POOLS = 3


def waiting_lines(report: Report) -> list[str]:
    """Say how much work waits, what that saves, what longer deadlines would, and what is still idle."""
    found = report.waited
    if found is None:
        return []
    if found.waited_share > 0:
        mean, most = found.mean_hours_waited, found.longest_hours_waited
        lines = [
            f"{percent(found.waited_share)} of the requests that can wait do, {mean:.1f} hours on average and "
            f"{most:.0f} at most."
        ]
    else:
        lines = ["Nothing waits: every request that could is served in the hour in which it arises."]
    lines += _deadline_lines(report)
    return lines + _idle_lines(found)


def _idle_lines(found: Waited) -> list[str]:
    """Name the pools with idle units, the idlest share first; units of different pools are never added up."""
    if not len(found.idle):
        return []
    table = found.idle.assign(share=found.idle["idle_unit_hours"] / found.idle["unit_hours"])
    table = table[table["share"] > TRIFLE].sort_values(["share", "pool", "meter"], ascending=[False, True, True])
    if not len(table):
        return ["No deployed unit is idle in any hour, beside the headroom."]
    named = [
        f"{hours:,.0f} unit-hours of {pool}{'' if meter == TOKENS_METER else f', {meter}'} ({percent(share)} of "
        "what is deployed)"
        for share, pool, meter, hours in table[["share", "pool", "meter", "idle_unit_hours"]].to_numpy()
    ]
    return [f"Still idle, beside the headroom: {joined(named, NAMED_POOLS)}. More work that can wait could use them."]


def _deadline_lines(report: Report) -> list[str]:
    """Say what other deadlines would cost."""
    rules = report.rules
    if rules is None or not rules.waiting:
        return []
    lines, least = [], 1e-6 * abs(rules.total_usd)
    now = rules.with_deadlines(Deadlines.NONE)
    if now is not None and now.total_usd is None:
        lines.append("Without waiting there is no plan: served as it arises, the same work does not fit.")
    elif now is not None and now.total_usd is not None:
        saves = now.total_usd - rules.total_usd
        sizes = ", for units of any size" if rules.any_size else ""
        lines.append(
            f"Waiting saves {usd(saves)}: served in the hour in which it arises, the same work would make the cheapest "
            f"plan cost {usd(now.total_usd)}, not {usd(rules.total_usd)}{sizes}."
            if saves > max(0.005, least)
            else f"Waiting saves nothing{sizes}: served in the hour in which it arises, the same work costs no more."
        )
    more = []
    for deadlines, words in ((Deadlines.TWICE, "twice as long"), (Deadlines.WEEK, "of a week")):
        longer = rules.with_deadlines(deadlines)
        if longer is not None and longer.total_usd is not None:
            saves = rules.total_usd - longer.total_usd
            more.append((words, saves if saves > max(0.005, least) else 0.0))
    if more and all(saves <= 0 for _, saves in more):
        lines.append("Longer deadlines would save nothing.")
    elif more:
        said = " and ".join(f"{usd(saves)} if they were {words}" for words, saves in more)
        lines.append(f"Longer deadlines would save {said}.")
    return lines


_SHOWN = 6
_NOTHING_USD = 0.005


def while_money_must_be_spent(report: Report) -> list[str]:
    """Say of each spend commitment what is spent, what will be lost, and what a dollar is worth meanwhile."""
    lines = []
    for row in rows_of(report.metrics.spend):
        name = clean(str(row.contract), 120)
        told = f"{name}: {usd(row.spent_usd)} of {usd(row.usd)} will be spent"
        if row.lost_usd > _NOTHING_USD:
            worst = f", {usd(row.most_lost_usd)} in the worst scenario" if row.most_lost_usd > row.lost_usd + 1 else ""
            told += f"; {usd(row.lost_usd)} is expected to be paid for nothing{worst}"
        else:
            told += "; nothing will be lost"
        saved = float(row.saved_per_usd)
        if saved > _NOTHING_USD:
            costs = "nothing: it" if 1 - saved <= _NOTHING_USD else f"{usd(1 - saved, 2)} only: the rest"
            told += f". One more dollar spent on it costs {costs} would be paid anyway"
        lines.append(f"{told}.")
    for row in rows_of(report.metrics.meanwhile):
        if abs(row.break_even_meanwhile - row.break_even_utilisation) > SAME:
            now = break_even_words(float(row.break_even_meanwhile))
            lines.append(
                f"{clean(str(row.offer), 120)} breaks even at {percent(row.break_even_utilisation)} of its capacity; "
                f"while money must be spent anyway, {now}."
            )
    return lines


@dataclass(frozen=True)
class ScenarioRow:
    """A scenario and what the plan costs in it; `dearer_usd` than expected; whether it is part of the worst tail."""

    scenario: str
    probability: float
    usd: float
    dearer_usd: float
    in_tail: bool


def scenario_rows(report: Report) -> list[ScenarioRow]:
    """Return the likely scenarios, the dearest first; none where there is one only."""
    expected = report.plan.totals.total_usd
    rows = [
        ScenarioRow(str(row.scenario), float(row.probability), float(row.usd), _or_none(float(row.usd) - expected),
                    bool(row.in_tail))
        for row in rows_of(report.metrics.scenarios)
        if row.probability > 0
    ]  # fmt: skip
    return rows if len(rows) > 1 else []


def signed_usd(usd_more: float) -> str:
    """Show a difference with its sign; a dash where there is none."""
    return "–" if usd_more == 0 else f"{'+' if usd_more > 0 else '-'}{usd(abs(usd_more))}"


def _or_none(usd: float) -> float:
    """Return an amount; what would be shown as -0.00 is 0."""
    return usd if abs(usd) >= _NOTHING_USD else 0.0


def scenario_lines(report: Report) -> list[str]:
    """Say with a weight on risk what the dearest scenarios cost on average, and what was minimised."""
    rows, risk, policy = scenario_rows(report), report.plan.risk, report.case.settings.policy.risk
    if not rows or risk is None:
        return []
    dearest = [clean(row.scenario, 120) for row in rows if row.in_tail]
    names = joined(dearest[:_SHOWN]) + (f" and {len(dearest) - _SHOWN} more" if len(dearest) > _SHOWN else "")
    return [
        f"Worst tail: the dearest {percent(1 - policy.level)} of the probability ({names}) cost {usd(risk.cvar_usd)} "
        f"on average, weighed {percent(policy.weight)} against the expected {usd(report.plan.totals.total_usd)}: "
        f"{usd(risk.objective_usd)} is what was minimised."
    ]
