"""Review: what the plan said, what happened, what it cost, and what to do with each commitment."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from planner.features.demand.history import History
from planner.features.demand.series import QuietHours
from planner.features.review.actual import Actual, Names, actual_of
from planner.features.review.cases import with_room_at_the_calendar
from planner.features.review.error import assumptions, forecast_error, tasks_of
from planner.features.review.hindsight import Hindsight, look_back
from planner.features.review.peaks import overflow, peaks
from planner.features.review.review_rules import Rules
from planner.features.review.review_tables import (
    ACTUAL,
    COMMITMENTS,
    EXPECTED,
    MONTHLY,
    PLANNED,
    POOLS,
    Counted,
    Review,
)
from planner.features.review.served import ServedMonth, held, serve_month
from planner.features.review.verdicts import lines_of, verdicts
from planner.plan.expiries import calendar_of
from planner.plan.flows import Floats
from planner.plan.metrics.basis import Basis
from planner.plan.plan import Plan
from planner.plan.pool_months import pool_months
from planner.plan.reading import Reading
from planner.schema.case import Case
from planner.solver.find import Options

_SIDES = {PLANNED: 0, EXPECTED: 1, ACTUAL: 2}


def review(
    case: Case,
    plan: Plan,
    history: History,
    *,
    rules: Rules | None = None,
    names: Names | None = None,
    arrived: bool = False,
    quiet_hours: QuietHours = "auto",
    store: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Review:
    """Set a finished plan against what happened.

    Parameters
    ----------
    case, plan : as `load_finished` gives them.
    history : hourly rows; those outside the plan's months are left out, with a note.
    rules : thresholds; None: the defaults.
    names : what the history's regions, workloads and models are called in the plan.
    arrived : the history has the hours in which work that can wait arose; False: those that served it (`arrivals`).
    quiet_hours : what hours without any row are: zero, unknown, or (auto) zero where silence is usual.
    store : folder that keeps answers of the solver; None: none is kept.
    progress : called with (steps done, all steps).

    Raises
    ------
    InputError : the history names what the plan does not know, or lies outside its months.
    """
    rules = rules or Rules()
    actual = actual_of(case, history, names, None if arrived else plan, quiet_hours)
    periods = [p for p in case.periods if p.name in actual.months]
    step = _steps(progress, len(periods) + 3 + 2 * len(lines_of(case, plan)))
    options = Options(store=store)
    months = []
    owned = held(case, plan)
    for period in periods:
        room = with_room_at_the_calendar(case, plan, {period.name}, alone=True)
        served = serve_month(held(room, plan), actual, period, options)
        months.append((served, Basis.of(Reading(served.case, served.plan))))
        step()
    monthly, pools = _figures(case, plan, actual, months)
    past = look_back(case, plan, actual, options, step)
    judged = verdicts(case, plan, actual, past, pools, rules, step)
    seen = {s.period: float(s.hours_seen) for s in actual.spans}
    pool_hours = [(m, seen[served.period.name]) for served, basis in months for m in pool_months(basis.reading)]
    tasks, alerts = tasks_of(owned, plan, actual, [served for served, _ in months], rules)
    last = actual.seen["hour"].max() + pd.Timedelta(hours=1)
    return Review(
        name=plan.name,
        months=tuple(p.name for p in case.periods),
        until=last.to_pydatetime(),
        rules=rules,
        spans=actual.spans,
        notes=(*actual.notes, *_of_contracts(case, past)),
        regret=past.regret,
        verdicts=judged,
        monthly=monthly,
        pools=pools,
        commitments=_by_commitment(case, plan, pools),
        overflow=overflow(case, pool_hours, rules.overflow_usd),
        peaks=peaks(case, actual, months, rules),
        errors=forecast_error(case, actual),
        assumptions=assumptions(case, plan, actual),
        tasks=tasks,
        contracts=past.contracts,
        alerts=alerts,
        calendar=calendar_of(case, plan, rules.notice_days),
        calendar_usd=_calendar_usd(monthly, actual),
    )


def _of_contracts(case: Case, past: Hindsight) -> list[str]:
    """Say where spend commitments are no part of what is shown."""
    if not case.spend_commitments:
        return []
    names = ", ".join(c.contract for c in case.spend_commitments)
    if len(past.contracts):
        return [
            f"the cost of a month leaves out what is paid for {names} without being spent, and serves the month as if "
            "nothing had to be spent; regret and verdicts count it"
        ]
    asked = sum(c.usd for c in case.spend_commitments)
    return [
        f"some demand could not be served, and what is left of it keeps no mix: what is not spent on {names}, up to "
        f"${asked:,.0f}, is no part of regret and verdicts"
    ]


def _steps(progress: Callable[[int, int], None] | None, total: int) -> Callable[[], None]:
    done = [0]

    def step() -> None:
        done[0] += 1
        if progress is not None:
            progress(min(done[0], total), total)

    return step


def _figures(
    case: Case, plan: Plan, actual: Actual, months: list[tuple[ServedMonth, Basis]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Cost and use of every month and pool: planned, expected at the hours seen, actual."""
    basis = Basis.of(Reading(case, plan))
    planned, expected = Counted.planned(basis), _expected(basis, actual)
    by_month, by_pool = [], []
    for side, counted in ((PLANNED, planned), (EXPECTED, expected)):
        table, pools = counted.months(side), counted.pools(side)
        if side == EXPECTED:
            table = table[table["period"].isin(actual.months)]
            pools = pools[pools["period"].isin(actual.months)]
        by_month.append(table)
        by_pool.append(pools)
    hours = {s.period: float(s.hours_seen) for s in actual.spans}
    for served, own in months:
        counted = Counted(own, own.weeks, np.array([hours[served.period.name]]))
        by_month.append(counted.months(ACTUAL, np.array([float(served.unserved["requests"].sum())])))
        by_pool.append(counted.pools(ACTUAL))
    order = {p.name: k for k, p in enumerate(case.periods)}
    return (
        _sorted(by_month, ["period"], order)[list(MONTHLY.columns)],
        _sorted(by_pool, ["pool", "meter", "period"], order)[list(POOLS.columns)],
    )


def _sorted(parts: list[pd.DataFrame], keys: list[str], order: dict[str, int]) -> pd.DataFrame:
    table = pd.concat([p for p in parts if len(p)] or parts[:1], ignore_index=True)
    rank = table.assign(_period=table["period"].map(order), _side=table["side"].map(_SIDES))
    by = ["_period" if k == "period" else k for k in keys]
    return rank.sort_values([*by, "_side"], ignore_index=True).drop(columns=["_period", "_side"])


def _expected(basis: Basis, actual: Actual) -> Counted:
    """Lay out the plan at the hours of the calendar that were seen: each slot as often as its hour of the week was."""
    probability = np.array([s.probability for s in basis.case.scenarios])
    times = np.array([actual.counts(p.name) for p in basis.case.periods])
    count: Floats = (probability[:, None, None] * times[None, :, :]).ravel()
    return Counted(basis, count, times.sum(axis=1))


def _calendar_usd(monthly: pd.DataFrame, actual: Actual) -> float:
    """Tell what months seen whole cost as planned at the calendar's hours, above the plan's weights, USD."""
    whole = [s.period for s in actual.spans if s.hours_seen == s.hours]
    own = monthly[monthly["period"].isin(whole)]
    by_side = own.groupby("side")["total_usd"].sum()
    return float(by_side.get(EXPECTED, 0.0) - by_side.get(PLANNED, 0.0))


def _by_commitment(case: Case, plan: Plan, pools: pd.DataFrame) -> pd.DataFrame:
    """Each commitment's part of its pool, by units, in each month: columns COMMITMENTS."""
    rows = []
    for k, line in enumerate(lines_of(case, plan), start=1):
        offer = line.owed.offer
        own = pools[(pools["pool"] == offer.pool) & (pools["meter"] == offer.meter)]
        own = own[own["period"].isin(line.periods)].copy()
        share = line.owed.units / own["units"]
        for name in ("units", "capacity_unit_hours", "used_unit_hours", "covered_usd", "coverage"):
            own[name] = own[name] * share
        hours = own["capacity_unit_hours"] / own["units"]
        own["usd"] = line.owed.units * line.owed.usd_per_unit_hour * hours
        covered = own["covered_usd"].where(own["covered_usd"] > 0)
        own["effective_savings_rate"] = 1 - own["usd"] / covered
        rows.append(own.assign(commitment=k, offer=offer.offer))
    table = pd.concat(rows, ignore_index=True) if rows else COMMITMENTS.empty()
    return table[list(COMMITMENTS.columns)]
