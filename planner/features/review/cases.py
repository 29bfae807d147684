"""The actuals as cases, so that every study and figure works on them.

`at_planning_weights`: the plan's case with the demand that came. All occurrences of an hour of the week in a month
together weigh days / 7, as in the plan: its demand is their mean. Hours not seen are as planned.

`at_calendar_hours`: one month, each real hour exactly once. A scenario stands for each seven days of the month with
probability 7 / days, so that the weight of its slots, probability x days / 7, is 1; its slots beyond the month's end
are empty (so that the probabilities of the five add up to more than 1; nothing of the future is weighed with them).
Each pair of a workload and a model is a workload of its own here: the mix is the one that happened, hour by hour.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from planner.features.review.actual import Actual
from planner.features.review.tokens import as_seen
from planner.schema.calendar import Period
from planner.schema.case import BASE_SCENARIO, DEMAND_COLUMNS, Case
from planner.schema.workloads import Mix, Scenario, Workload
from planner.units import DAYS_PER_WEEK, HOURS_PER_DAY, HOURS_PER_WEEK

SPLIT = "\x1f"  # between workload and model; no name of an input has it
DIGITS = 9  # of a mean request per hour: what adding up shares of models rounds away
_SLOT = ["period", "hour_of_week"]


def any_size(case: Case) -> Case:
    """Return the case without size rules: units of any size."""
    return with_policy(case, whole_units=False)


def with_policy(case: Case, **changes: object) -> Case:
    """Return the case with some of its policy changed."""
    policy = case.settings.policy.model_copy(update=changes)
    return replace(case, settings=case.settings.model_copy(update={"policy": policy}))


def at_planning_weights(case: Case, actual: Actual) -> Case:
    """Return the plan's case with the demand, token lengths and cache rates that were seen."""
    seen = actual.seen.groupby(_SLOT, as_index=False)[["hour"]].count().rename(columns={"hour": "times"})
    sums = actual.rows.groupby(["region", "workload", *_SLOT], as_index=False)["requests"].sum()
    sums = sums.merge(seen, on=_SLOT)
    sums["requests_per_hour"] = (sums["requests"] / sums["times"]).round(DIGITS)
    whole = len(seen) == len(case.periods) * HOURS_PER_WEEK
    scenarios = _one(case) if whole else case.scenarios
    came = pd.concat([sums.assign(scenario=s.scenario) for s in scenarios], ignore_index=True)
    rest = case.demand.iloc[:0]
    if not whole:
        known = set(zip(seen["period"], seen["hour_of_week"], strict=True))
        slots = zip(case.demand["period"], case.demand["hour_of_week"], strict=True)
        rest = case.demand[[slot not in known for slot in slots]]
    demand = pd.concat([came[list(DEMAND_COLUMNS)], rest.astype(dict.fromkeys(DEMAND_COLUMNS[:4], object))])
    workloads = as_seen(case, actual.rows)
    return with_demand(replace(case, scenarios=scenarios, workloads=workloads), demand)


def at_calendar_hours(case: Case, actual: Actual, period: Period) -> Case:
    """Return one month as it happened; workloads are named workload + SPLIT + model."""
    rows = actual.rows[actual.rows["period"] == period.name]
    days = (period.end - period.start).days
    hour = ((pd.DatetimeIndex(rows["hour"]) - pd.Timestamp(period.start, tz="UTC")) // pd.Timedelta(hours=1)).to_numpy()
    block = hour // HOURS_PER_WEEK
    weeks = -(-days // DAYS_PER_WEEK)
    blocks = [f"days {7 * k + 1}-{min(7 * k + 7, days)}" for k in range(weeks)]
    scenarios = tuple(Scenario(scenario=name, probability=DAYS_PER_WEEK / days) for name in blocks)
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
    horizon = case.settings.horizon.model_copy(update={"start": period.start, "months": 1})
    month = replace(
        case,
        settings=case.settings.model_copy(update={"horizon": horizon}),
        scenarios=scenarios,
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


def _one(case: Case) -> tuple[Scenario, ...]:
    """One scenario: what happened. Prices on demand are those that the plan expected."""
    if len(case.scenarios) == 1:
        return case.scenarios
    factor = sum(s.probability * s.on_demand_price_factor for s in case.scenarios)
    return (Scenario(scenario=BASE_SCENARIO, probability=1.0, on_demand_price_factor=factor),)


def _split(w: Workload, model: str) -> Workload:
    return w.model_copy(update={"workload": w.workload + SPLIT + model, "guaranteed_share": 0.0})
