"""The actuals as cases, so that every study and figure works on them.

`at_the_hours_that_were` and `planned_at_the_calendar`: the whole horizon, for regret and verdicts. Each real hour of a
month of which something was seen counts once: a scenario stands for each seven days of the month with probability
7 / days, so that the weight of its slots, probability x days / 7, is 1; its slots beyond the month's end are empty.
Hours not seen are as planned, in every scenario of the plan; months not seen have the plan's own weights. These hours
carry the dollars. Headroom and failover are asked, as in the plan, of the mean week: of a second copy of each workload,
in scenarios of probability 0. (No plan keeps a third of its capacity free *above* a month's single busiest hour.)
Weeks that were seen belong to every future, those that were not to a scenario of the plan each: rules and prices that
add up a scenario (spend commitments, risk) add up these futures.

`at_calendar_hours`: one month, each real hour exactly once. Each pair of a workload and a model is a workload of its
own here: the mix is the one that happened, hour by hour.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from planner.features.demand.series import hour_of_week
from planner.features.review.actual import Actual, as_seen
from planner.plan.audit.service import away_share, data_sent
from planner.plan.plan import Plan
from planner.plan.reading import Reading
from planner.schema.case import DEMAND_COLUMNS, Case, Futures
from planner.schema.settings import Period
from planner.schema.workloads import Mix, Scenario, Workload
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY, HOURS_PER_WEEK

SPLIT = "\x1f"  # between workload and model; no name of an input has it
ROUNDING = 1e-9  # of a cap, so that what meets it does not break it
DIGITS = 9  # of a mean request per hour: what adding up shares of models rounds away
_SLOT = ["period", "hour_of_week"]


def any_size(case: Case) -> Case:
    """Return the case without size rules: units of any size."""
    return case.with_policy(whole_units=False)


def with_room_at_the_calendar(case: Case, plan: Plan, months: Collection[str], *, alone: bool) -> Case:
    """Return the case with caps on what crosses regions no tighter than the plan itself needs at the calendar's hours.

    A share of all requests, and GB a month, hold in the plan on average over its equal weeks. The calendar has other
    weekdays, and one month alone may send more than its part: without this, a history equal to the forecast would break
    a rule that the plan keeps. ``months`` are taken at the calendar's hours; the others at the plan's weeks, or, with
    ``alone``, not at all.
    """
    egress = case.settings.policy.egress
    capped = [r for r in case.routes if r.max_gb_per_month is not None]
    if egress.max_cross_region_share is None and not capped:
        return case
    reading = Reading(case, plan)
    names, flows = reading.names, reading.dispatch[0]
    of = {p.name: np.array(p.occurrences) / p.weeks if p.name in months else np.full(HOURS_PER_WEEK, float(not alone))
          for p in case.periods}  # fmt: skip
    times = np.concatenate([of[name] for name in names.periods])
    flows = replace(flows, rph=flows.rph * times[flows.place % len(times)])
    away, every = away_share(reading.derived, flows)
    if egress.max_cross_region_share is not None and every > 0:
        share = min(1.0, max(egress.max_cross_region_share, away / every * (1 + ROUNDING)))
        case = case.with_policy(egress=egress.model_copy(update={"max_cross_region_share": share}))
    sent = data_sent(names, reading.derived, flows)
    at = {name: k for k, name in enumerate(names.regions)}
    lifted = {
        (r.origin, r.destination): max(r.max_gb_per_month or 0.0, most * (1 + ROUNDING))
        for r in capped
        if (most := float(sent[at[r.origin], at[r.destination]].max())) > 0
    }
    routes = tuple(
        r.model_copy(update={"max_gb_per_month": lifted.get((r.origin, r.destination), r.max_gb_per_month)})
        for r in case.routes
    )
    return replace(case, routes=routes)


def at_the_hours_that_were(case: Case, actual: Actual) -> Case:
    """Return the plan's case with the demand, token lengths and cache rates that were seen, hour by hour."""
    scenarios, demand, of = _unseen(case, actual, actual.seen)
    expected = sum(s.probability * s.on_demand_price_factor for s in case.scenarios)
    for period in case.periods:
        if period.name not in actual.months:
            continue
        rows = actual.rows[actual.rows["period"] == period.name]
        rows = rows.groupby(["hour", "region", "workload", "hour_of_week"], as_index=False)[["requests"]].sum()
        block = _hour_of_month(period, rows["hour"]) // HOURS_PER_WEEK
        names = _blocks(period)
        weight = DAYS_PER_WEEK / _days(period)
        scenarios += [_weighted(n, weight, expected) for n in names]
        came = rows[["region", "workload", "hour_of_week"]].assign(
            scenario=np.array(names, dtype=object)[block],
            period=period.name,
            requests_per_hour=rows["requests"].round(DIGITS),
        )
        demand.append(came)
    seen = replace(case, workloads=as_seen(case, actual.rows))
    return replace(_with_rules(seen, scenarios, demand, _mean_weeks(case, actual)), futures=_futures(case, of))


def planned_at_the_calendar(case: Case, actual: Actual) -> Case:
    """Return the plan's case at the same hours: what the forecast had for each of them."""
    scenarios, demand, of = _unseen(case, actual, actual.seen.iloc[:0])
    return replace(_with_rules(case, scenarios, demand, (case.scenarios, case.demand)), futures=_futures(case, of))


WHAT_HAPPENED = "what happened"


def _futures(case: Case, of_scenario: Mapping[str, str]) -> Futures:
    """Tell what may happen: the plan's scenarios in hours not seen, after the one thing that did in those seen."""
    if not of_scenario:
        return Futures(((WHAT_HAPPENED, 1.0),), {})
    return Futures(tuple((s.scenario, s.probability) for s in case.scenarios if s.probability > 0), of_scenario)


def _unseen(
    case: Case, actual: Actual, seen: pd.DataFrame
) -> tuple[list[Scenario], list[pd.DataFrame], dict[str, str]]:
    """Return scenarios and demand of the hours that are not in ``seen``, as planned, and the plan's scenario of each.

    Months of which nothing was seen keep the plan's scenarios and weights; of the others, the weeks that lack the same
    hours are one scenario for each of the plan's.
    """
    plan = case.demand.astype(dict.fromkeys(DEMAND_COLUMNS[:4], object))
    likely = [s for s in case.scenarios if s.probability > 0]
    scenarios: list[Scenario] = []
    demand: list[pd.DataFrame] = []
    of: dict[str, str] = {}
    for period in case.periods:
        own = plan[plan["period"] == period.name]
        if period.name not in actual.months:
            demand.append(own[own["scenario"].isin([s.scenario for s in likely])])
            continue
        hours = pd.date_range(period.start, period.end, freq="h", inclusive="left", tz="UTC")
        open_hours = hours[~hours.isin(seen["hour"])]
        masks = np.zeros((len(_blocks(period)), HOURS_PER_WEEK), dtype=bool)
        masks[_hour_of_month(period, open_hours) // HOURS_PER_WEEK, hour_of_week(open_hours)] = True
        for mask in np.unique(masks[masks.any(axis=1)], axis=0):
            weeks = np.flatnonzero((masks == mask).all(axis=1))
            rows = own[mask[own["hour_of_week"].to_numpy(np.int64)]]
            for s in likely:
                kind = "" if len(case.scenarios) == 1 else f" {s.scenario}"
                name = f"{_blocks(period)[weeks[0]]}{kind} as planned"
                weight = s.probability * len(weeks) * DAYS_PER_WEEK / _days(period)
                factor = s.on_demand_price_factor
                scenarios.append(_weighted(name, weight, factor))
                of[name] = s.scenario
                demand.append(rows[rows["scenario"] == s.scenario].assign(scenario=name))
    if len(actual.months) < len(case.periods):
        scenarios = [*likely, *scenarios]
        of |= {s.scenario: s.scenario for s in likely}
    return scenarios, demand, of


def _mean_weeks(case: Case, actual: Actual) -> tuple[tuple[Scenario, ...], pd.DataFrame]:
    """Return scenarios and demand of the actual mean week, month by month; hours of the week not seen as planned."""
    seen = actual.seen.groupby(_SLOT, as_index=False)[["hour"]].count().rename(columns={"hour": "times"})
    sums = actual.rows.groupby(["region", "workload", *_SLOT], as_index=False)["requests"].sum()
    sums = sums.merge(seen, on=_SLOT)
    sums["requests_per_hour"] = (sums["requests"] / sums["times"]).round(DIGITS)
    whole = len(seen) == len(case.periods) * HOURS_PER_WEEK
    scenarios = case.scenarios[:1] if whole else case.scenarios
    came = pd.concat([sums.assign(scenario=s.scenario) for s in scenarios], ignore_index=True)
    rest = case.demand.iloc[:0]
    if not whole:
        known = set(zip(seen["period"], seen["hour_of_week"], strict=True))
        slots = zip(case.demand["period"], case.demand["hour_of_week"], strict=True)
        rest = case.demand[np.array([slot not in known for slot in slots], dtype=bool)]
    return scenarios, pd.concat([came[list(DEMAND_COLUMNS)], rest.astype(dict.fromkeys(DEMAND_COLUMNS[:4], object))])


def _with_rules(
    case: Case,
    scenarios: Sequence[Scenario],
    demand: Sequence[pd.DataFrame],
    rules: tuple[Sequence[Scenario], pd.DataFrame],
) -> Case:
    """Return the case with hours that carry the dollars, and weeks of probability 0 that carry the stress cases."""
    hours = tuple(
        w.model_copy(
            update={
                "workload": w.workload + SPLIT + "hours",
                "headroom": 0.0,
                "failover_share": 0.0,
                "reserved_headroom": case.reserved_headroom(w),
            }
        )
        for w in case.workloads
    )
    mix = tuple(m.model_copy(update={"workload": m.workload + SPLIT + "hours"}) for m in case.mix)
    weeks = tuple(s.model_copy(update={"scenario": f"{s.scenario}{SPLIT}rules", "probability": 0.0}) for s in rules[0])
    dollars = pd.concat([d[list(DEMAND_COLUMNS)] for d in demand], ignore_index=True)
    dollars["workload"] = dollars["workload"].astype(object) + SPLIT + "hours"
    stressed = rules[1].astype(dict.fromkeys(DEMAND_COLUMNS[:4], object))
    stressed = stressed.assign(scenario=stressed["scenario"] + SPLIT + "rules")
    whole = replace(case, scenarios=(*scenarios, *weeks), workloads=(*case.workloads, *hours), mix=(*case.mix, *mix))
    return with_demand(whole, pd.concat([dollars, stressed[list(DEMAND_COLUMNS)]], ignore_index=True))


def _weighted(name: str, weight: float, price_factor: float = 1.0) -> Scenario:
    """Return a scenario of a weight that is no probability: above 1 in a period shorter than a week."""
    likely = Scenario(scenario=name, probability=min(1.0, weight), on_demand_price_factor=price_factor)
    return likely.model_copy(update={"probability": weight})


def _days(period: Period) -> int:
    return (period.end - period.start).days


def _blocks(period: Period) -> list[str]:
    """Name the weeks of a month, from its first day; the last is cut by its end."""
    days = _days(period)
    weeks = -(-days // DAYS_PER_WEEK)
    return [f"{period.name} days {7 * k + 1}-{min(7 * k + 7, days)}" for k in range(weeks)]


def _hour_of_month(period: Period, hours: pd.Series | pd.DatetimeIndex) -> np.ndarray:
    """Return the hours since the month's first."""
    since = pd.DatetimeIndex(hours) - pd.Timestamp(period.start, tz="UTC")
    return np.asarray((since // pd.Timedelta(hours=1)).to_numpy(), dtype=np.int64)


def at_calendar_hours(case: Case, actual: Actual, period: Period) -> Case:
    """Return one month as it happened; workloads are named workload + SPLIT + model."""
    rows = actual.rows[actual.rows["period"] == period.name]
    block = _hour_of_month(period, rows["hour"]) // HOURS_PER_WEEK
    blocks = _blocks(period)
    scenarios = tuple(_weighted(name, DAYS_PER_WEEK / _days(period)) for name in blocks)
    demand = pd.DataFrame(
        {
            "region": rows["region"].to_numpy(object),
            "workload": (rows["workload"] + SPLIT + rows["model"]).to_numpy(object),
            "scenario": np.array(blocks, dtype=object)[block],
            "period": period.name,
            "hour_of_week": rows["hour_of_week"].to_numpy(np.int64),
            "requests_per_hour": rows["requests"].to_numpy(float),
        }
    )
    pairs = sorted(set(zip(rows["workload"], rows["model"], strict=True)))
    of = {w.workload: w for w in as_seen(case, rows)}
    month = replace(
        case,
        only=period,
        spend_commitments=(),  # what a contract asks for is not asked of one month
        scenarios=scenarios,
        futures=_futures(case, {}),  # no week is a risk: all of them came
        workloads=tuple(_split(of[w], m) for w, m in pairs),
        mix=tuple(Mix(workload=w + SPLIT + m, model=m) for w, m in pairs),
    )
    return with_demand(month, demand)


def with_demand(case: Case, demand: pd.DataFrame) -> Case:
    """Return the case with other demand (columns DEMAND_COLUMNS), in canonical order and types."""
    table = demand[demand["requests_per_hour"] > 0].copy()
    names = {
        "region": [r.region for r in case.regions],
        "workload": [w.workload for w in case.workloads],
        "scenario": [s.scenario for s in case.scenarios],
        "period": [p.name for p in case.periods],
    }
    for column, known in names.items():
        table[column] = pd.Categorical(table[column].astype(object), categories=known)
    table = table.astype({"hour_of_week": "int64", "requests_per_hour": "float64"})
    table = table.sort_values(["region", "workload", "scenario", "period", "hour_of_week"], ignore_index=True)
    return replace(case, demand=table[list(DEMAND_COLUMNS)])


def hour_of(case: Case, scenario: pd.Series, hour_of_week: pd.Series) -> pd.Series:
    """Start of each slot's hour (UTC) in a month of `at_calendar_hours`."""
    start = pd.Timestamp(case.periods[0].start, tz="UTC")
    block = scenario.astype(object).map({s.scenario: k for k, s in enumerate(case.scenarios)}).astype("int64")
    first = start.day_of_week * HOURS_PER_DAY
    offset = (hour_of_week.astype("int64") - first) % HOURS_PER_WEEK + HOURS_PER_WEEK * block
    return start + pd.to_timedelta(offset, unit="h")


def _split(w: Workload, model: str) -> Workload:
    return w.model_copy(update={"workload": w.workload + SPLIT + model, "guaranteed_share": 0.0})
