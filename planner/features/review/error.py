"""How wrong the forecast was, and what was assumed of requests against what was seen.

Over the hours seen, with a the requests of an hour and f the plan's for that hour of the week (its scenarios' mean):

    WAPE = Σ |a − f| / Σ a        bias = Σ (f − a) / Σ a   (above 0: the forecast was too high)

Where the plan has several scenarios, `scenario_coverage` is the share of hours between the lowest and the highest.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from planner.features.demand.forecast.one_series import bias, wape
from planner.features.review.actual import Actual, as_seen
from planner.features.review.review_rules import Rules
from planner.features.review.review_tables import ACTUAL, ASSUMPTIONS, ERRORS, PLANNED, TASK_COSTS
from planner.features.review.served import ServedMonth
from planner.features.tasks import Alert, AlertRule, Movement, alerts, task_costs, why_moved
from planner.plan.metrics.task_costs import NOBODY, TaskCosts
from planner.plan.plan import Plan
from planner.schema.case import Case
from planner.schema.workloads import Workload

ALL = "all"
_KEYS = ["region", "workload"]
_FIGURES = ("input_tokens", "output_tokens", "cache_hit_rate", "cache_write_rate", "on_demand_cache_hit_rate")


def forecast_error(case: Case, actual: Actual) -> pd.DataFrame:
    """Errors by region, workload and month, and their sums (ALL): columns ERRORS."""
    hourly = _laid_out(case, actual)
    rows = []
    periods = [*actual.months, ALL]
    pairs = sorted(set(zip(hourly["region"], hourly["workload"], strict=True)))
    for region, workload in [*pairs, (ALL, ALL)]:
        own = hourly if region == ALL else hourly[(hourly["region"] == region) & (hourly["workload"] == workload)]
        for period in periods:
            part = own if period == ALL else own[own["period"] == period]
            rows.append((region, workload, period, *_measures(part, several=len(case.scenarios) > 1)))
    return ERRORS.of(rows)


def _measures(part: pd.DataFrame, several: bool) -> tuple[float, ...]:
    part = part.groupby("hour")[["actual", "planned", "low", "high"]].sum()
    a, f = part["actual"].to_numpy(float), part["planned"].to_numpy(float)
    inside = (a >= part["low"].to_numpy(float) - 1e-9) & (a <= part["high"].to_numpy(float) + 1e-9)
    return (float(len(part)), float(a.sum()), float(f.sum()), wape(a, f), bias(a, f), float(a.max(initial=0.0)),
            float(f.max(initial=0.0)), float(inside.mean()) if several and len(part) else float("nan"))  # fmt: skip


def _laid_out(case: Case, actual: Actual) -> pd.DataFrame:
    """Every hour seen of every region and workload that the plan or the history has: actual and planned requests."""
    probability = {s.scenario: s.probability for s in case.scenarios}
    demand = case.demand.astype(dict.fromkeys(["region", "workload", "scenario", "period"], object))
    keys = [*_KEYS, "period", "hour_of_week"]
    wide = demand.set_index([*keys, "scenario"])["requests_per_hour"].unstack("scenario").fillna(0.0)  # noqa: PD010
    wide = wide.reindex(columns=list(probability)).fillna(0.0)
    planned = pd.DataFrame(
        {
            "planned": wide.to_numpy(float) @ np.array(list(probability.values())),
            "low": wide.min(axis=1).to_numpy(float),
            "high": wide.max(axis=1).to_numpy(float),
        },
        index=wide.index,
    ).reset_index()
    pairs = pd.concat([planned[_KEYS], actual.rows[_KEYS]]).drop_duplicates()
    table = actual.seen.merge(pairs, how="cross").merge(planned, on=keys, how="left")
    came = (
        actual.rows.groupby(["hour", *_KEYS], as_index=False)[["requests"]].sum().rename(columns={"requests": "actual"})
    )
    table = table.merge(came, on=["hour", *_KEYS], how="left")
    return table.fillna({"planned": 0.0, "low": 0.0, "high": 0.0, "actual": 0.0})


def assumptions(case: Case, plan: Plan, actual: Actual) -> pd.DataFrame:
    """Token lengths, cache rates, peak minutes and mix by workload, assumed and seen: columns ASSUMPTIONS."""
    rows: list[tuple[object, ...]] = []
    for period in actual.months:
        came = actual.rows[actual.rows["period"] == period]
        seen = {w.workload: w for w in as_seen(case, came)}
        for w in case.workloads:
            if w.workload in set(came["workload"]):
                rows += [_row(w, seen[w.workload], period, name) for name in _FIGURES if getattr(w, name) is not None]
        rows += _mix(case, plan, came, period)
    return ASSUMPTIONS.of(rows)


def _row(w: Workload, seen: Workload, period: str, name: str) -> tuple[object, ...]:
    assumed, found = float(getattr(w, name)), float(getattr(seen, name))
    change = found / assumed - 1 if assumed > 0 else float("nan") if found > 0 else 0.0
    remark = (
        "changed with the rate on reserved units: a history does not separate the two"
        if name.startswith("on_d")
        else ""
    )
    return w.workload, period, name, assumed, found, change, remark


def _mix(case: Case, plan: Plan, came: pd.DataFrame, period: str) -> list[tuple[object, ...]]:
    """Each model's share of a workload's requests: as the plan serves it, and as it was."""
    probability = {s.scenario: s.probability for s in case.scenarios}
    flows = plan.dispatch[plan.dispatch["period"] == period]
    expected = flows["requests_per_hour"] * flows["scenario"].astype(object).map(probability).astype(float)
    planned = expected.groupby([flows["workload"].astype(object), flows["model"].astype(object)]).sum()
    seen = came.groupby(["workload", "model"])["requests"].sum()
    bounds = {(m.workload, m.model): m for m in case.mix}
    rows: list[tuple[object, ...]] = []
    for workload, model in sorted(set(planned.index) | set(seen.index)):
        if workload not in set(came["workload"]):
            continue
        of_plan, of_came = _share(planned, workload, model), _share(seen, workload, model)
        bound = bounds.get((workload, model))
        remark = ""
        if bound is None:
            remark = "the plan's mix does not list the model"
        elif not bound.min_share - 1e-3 <= of_came <= bound.max_share + 1e-3:
            remark = f"outside the allowed {bound.min_share:.0%} to {bound.max_share:.0%}"
        rows.append((workload, period, f"share of {model}", of_plan, of_came, of_came - of_plan, remark))
    return rows


def _share(table: pd.Series, workload: str, model: str) -> float:
    total = (
        float(table.get(workload, pd.Series(dtype=float)).sum()) if workload in table.index.get_level_values(0) else 0.0
    )
    return float(table.get((workload, model), 0.0)) / total if total > 0 else 0.0


def tasks_of(
    owned: Case, plan: Plan, actual: Actual, months: Sequence[ServedMonth], rules: Rules
) -> tuple[pd.DataFrame, tuple[Alert, ...]]:
    """Return what tasks cost by workload and month (TASK_COSTS), and the alerts, the dearest first.

    Compared are each month with the one before it, the last with the first, and each with the plan.
    """
    whole = {s.period for s in actual.spans if s.share >= rules.whole_month_share}
    planned = task_costs(owned, replace(plan, purchases=plan.purchases.iloc[:0]))
    came = {s.period.name: task_costs(s.case, s.plan) for s in months if s.period.name in whole}
    parts = [_table(planned, PLANNED, tuple(came)), *(_table(costs, ACTUAL, (name,)) for name, costs in came.items())]
    table = pd.concat(parts, ignore_index=True)
    table = table.sort_values(["workload", "period", "side"], ascending=[True, True, False], ignore_index=True)
    rule = AlertRule(rules.alert_rise_share, rules.alert_flat_share, rules.alert_usd)
    return table[list(TASK_COSTS.columns)], alerts(_movements(planned, came), rule)


def _table(costs: TaskCosts, side: str, periods: tuple[str, ...]) -> pd.DataFrame:
    table = costs.by("workload", "period")
    table = table[table["period"].isin(periods) & (table["workload"] != NOBODY) & (table["tasks"] > 0)]
    return table.assign(side=side)[list(TASK_COSTS.columns)]


def _movements(planned: TaskCosts, came: dict[str, TaskCosts]) -> list[Movement]:
    names = list(came)
    pairs = [*pairwise(names), *([(names[0], names[-1])] if len(names) > 2 else [])]
    moved = [why_moved(came[a], came[b], a, b, labels=(a, b)) for a, b in pairs]
    return moved + [why_moved(planned, came[n], n, n, labels=(f"the plan for {n}", n)) for n in names]
