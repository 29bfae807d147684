"""When work that waited arose: a history has the hours in which requests were served, a plan lets them wait.

The requests of a workload that can wait, served in an hour of the calendar, are put back to the hours in which the plan
lets what it serves in that hour of the week arise, in the plan's shares (by origin, workload, model and period,
expected over scenarios). So a history of exactly what the plan serves is exactly the demand it was made for. They stay
in the hour that served them where the plan serves nothing of theirs in it, and where the hour before lies outside the
period or was not seen: a share of a request is put where there is a figure to hold it against.
"""

import pandas as pd

from planner.features.demand.history import SERIES, TOKENS
from planner.features.demand.series import hour_of_week
from planner.plan.frames import ARRIVED
from planner.plan.plan import Plan
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK

_KEY = ["region", "workload", "model", "period", "hour_of_week"]


def waits_of(case: Case, plan: Plan) -> pd.DataFrame:
    """List how late the plan serves work that can wait: _KEY (hour that serves it), late (hours), share of the key."""
    waits = [w.workload for w in case.workloads if w.can_wait]
    table = plan.dispatch
    if not waits or ARRIVED not in table:
        return pd.DataFrame(columns=[*_KEY, "late", "share"])
    own = table[table["workload"].isin(waits)]
    chance = own["scenario"].astype(object).map({s.scenario: s.probability for s in case.scenarios}).astype(float)
    late = (own["hour_of_week"] - own[ARRIVED]) % HOURS_PER_WEEK
    origin = own.drop(columns="region").rename(columns={"origin": "region"})
    flows = origin[_KEY].astype(dict.fromkeys(_KEY[:-1], object)).assign(
        late=late.astype("int64"), weight=own["requests_per_hour"] * chance
    )  # fmt: skip
    flows = flows.groupby([*_KEY, "late"], as_index=False)[["weight"]].sum()
    flows = flows[flows["weight"] > 0]
    whole = flows.groupby(_KEY)["weight"].transform("sum")
    return flows.assign(share=flows["weight"] / whole)[[*_KEY, "late", "share"]]


def as_they_arose(case: Case, plan: Plan, rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Put rows of a history (hour, period, SERIES, requests, TOKENS) back to when they arose; returns notes too.

    rows : hours of the calendar in the plan's months, in the plan's names.
    """
    waits = waits_of(case, plan)
    if waits.empty:
        return rows, []
    seen = set(rows["hour"])
    starts = {p.name: pd.Timestamp(p.start, tz="UTC") for p in case.periods}
    rows = rows.assign(hour_of_week=hour_of_week(pd.DatetimeIndex(rows["hour"])))
    both = rows.merge(waits, on=_KEY, how="left").fillna({"late": 0.0, "share": 1.0})
    before = both["hour"] - pd.to_timedelta(both["late"].astype("int64"), unit="h")
    there = (before >= both["period"].map(starts)) & before.isin(seen)
    both["hour"] = before.where(there, both["hour"])
    amounts = ["requests", *TOKENS]
    both[amounts] = both[amounts].mul(both["share"], axis=0)
    moved = both.loc[there & (both["late"] > 0)]
    found = both.groupby(["hour", "period", *SERIES], as_index=False)[amounts].sum(min_count=1)
    if moved.empty:
        return found, []
    names = ", ".join(sorted(set(moved["workload"])))
    return found, [
        f"{names} can wait: {float(moved['requests'].sum()):,.0f} requests were put back from the hours that served "
        "them to those in which the plan lets them arise (--waited arrived, if the history has these already)"
    ]
