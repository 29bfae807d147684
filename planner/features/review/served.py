"""One month as it happened, served by what is held as cheaply as possible: what the month cost at best.

Held are the commitments in force, earlier and bought, and the units that the plan deploys beyond them; nothing else is
for sale. Units are divided among models in any size, month by month. Stress cases are not asked (nobody lost a region
for the review), nor guaranteed shares (a history does not say who waited). What neither units nor quotas can serve
is *unserved*: it is taken out of the demand and listed, with origin, workload, model and hour.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from planner.features.order.order import as_owed, without_stress
from planner.features.review.actual import Actual, as_seen
from planner.features.review.cases import SPLIT, any_size, at_calendar_hours, hour_of, with_demand
from planner.plan.derived import Derived
from planner.plan.flows import as_it_arose
from planner.plan.plan import Plan
from planner.plan.pricing import months_in_force, price, unit_balance
from planner.schema.capacity import Commitment, Offer, OnDemand
from planner.schema.case import Case
from planner.schema.settings import Period
from planner.schema.workloads import Mix
from planner.solver.find import Options, find_plan

UNSERVED_OPTION = f"not{SPLIT}served"
_DEAR = 100.0  # times the dearest token on demand: nothing is left unserved to save money
_SPARE = 1e-7  # of what is left, so that it can be served in spite of rounding
_KEYS = ["region", "workload", "scenario", "period", "hour_of_week"]


@dataclass(frozen=True)
class ServedMonth:
    """A month's case and plan, its slots real hours; and what could not be served.

    case : demand is what was served. unserved : hour (UTC), region (origin), workload, model, requests.
    """

    period: Period
    case: Case
    plan: Plan
    unserved: pd.DataFrame


def held(case: Case, plan: Plan) -> Case:
    """Return the case with all that the plan holds as earlier commitments, and nothing for sale."""
    owed = as_owed(case, plan.purchases)
    balance = unit_balance(case, months_in_force(case, plan.purchases), Derived.of(case).earlier, plan.deployments)
    beyond = balance[(balance["unreserved_units"] > 1e-9) & (balance["usd_per_unit_hour"].notna())]
    periods = {p.name: p for p in case.periods}
    offers: dict[str, Offer] = {}
    extra = []
    for row in beyond.to_dict("records"):
        name = f"{row['pool']}, {row['meter']}, by the hour"
        offers[name] = Offer(offer=name, pool=row["pool"], meter=row["meter"], max_units=0.0,
                             usd_per_unit_hour=row["usd_per_unit_hour"])  # fmt: skip
        span = periods[row["period"]]
        extra.append(Commitment(offer=name, units=row["unreserved_units"], start=span.start, end=span.end))
    pools = tuple(p.model_copy(update={"usd_per_unreserved_unit_hour": None}) for p in case.pools)
    commitments = (*owed.commitments, *extra)
    return replace(owed, pools=pools, offers=(*owed.offers, *offers.values()), commitments=commitments)


def serve_month(case: Case, actual: Actual, period: Period, options: Options) -> ServedMonth:
    """Serve a month's actual demand; `case` is what is held (`held`)."""
    month = at_calendar_hours(case, actual, period)
    found = find_plan(always_servable(any_size(without_stress(month))), options)
    flows = found.dispatch
    lost = flows["supply"] == UNSERVED_OPTION
    unserved = as_it_arose(_named(flows[lost]))
    unserved = unserved.assign(hour=hour_of(month, unserved["scenario"], unserved["hour_of_week"]))
    told = unserved.drop(columns="region").rename(columns={"origin": "region", "requests_per_hour": "requests"})
    told = told[["hour", "region", "workload", "model", "requests"]].sort_values(
        ["hour", "region", "workload", "model"], ignore_index=True
    )
    back = _joined(case, month, actual, as_it_arose(_named(flows[~lost])))
    served = replace(found, dispatch=_named(flows[~lost]), input_digest=back.digest)
    totals = price(back, served.purchases, served.deployments, served.dispatch, scaled_units=served.scaled_units)
    return ServedMonth(period, back, replace(served, totals=totals), told)


def cut(case: Case, dispatch: pd.DataFrame) -> tuple[Case, float]:
    """Take what a plan leaves unserved out of a case's demand; returns the rest and the expected requests cut."""
    dispatch = as_it_arose(dispatch)
    lost = dispatch[dispatch["supply"] == UNSERVED_OPTION].drop(columns="region").rename(columns={"origin": "region"})
    if lost.empty:
        return case, 0.0
    cuts = lost.astype(dict.fromkeys(_KEYS[:4], object)).groupby(_KEYS)["requests_per_hour"].sum()
    keys = pd.MultiIndex.from_frame(case.demand[_KEYS].astype(dict.fromkeys(_KEYS[:4], object)))
    missing = cuts.reindex(keys).fillna(0.0).to_numpy(float)
    left = case.demand["requests_per_hour"].to_numpy(float) - missing
    left = np.where(missing > 0, left * (1 - _SPARE), left)
    weeks = {(s.scenario, p.name): s.probability * p.weeks for s in case.scenarios for p in case.periods}
    weight = [weeks[s, p] for s, p in zip(case.demand["scenario"], case.demand["period"], strict=True)]
    return with_demand(case, case.demand.assign(requests_per_hour=np.maximum(left, 0.0))), float(missing @ weight)


def always_servable(case: Case) -> Case:
    """Return the case with a way to leave any demand unserved, dearer than any other (for cases without stress)."""
    prices = [
        usd
        for o in case.on_demand
        for usd in (o.usd_per_mtok_input, o.usd_per_mtok_cache_write or 0.0, o.usd_per_mtok_output)
    ]
    dear = _DEAR * (1.0 + max(prices, default=0.0))
    lost = tuple(
        OnDemand(region=r.region, model=m.model, option=UNSERVED_OPTION, guaranteed=True, usd_per_mtok_input=dear,
                 usd_per_mtok_output=dear)
        for r in case.regions
        for m in case.models
    )  # fmt: skip
    options = sorted({o.option for o in case.on_demand})  # what is left unserved has no price that factors change
    factors = tuple(
        f.model_copy(update={"option": option})
        for f in case.price_factors
        for option in ([f.option] if f.option is not None else options)
    )
    return replace(case, on_demand=(*case.on_demand, *lost), price_factors=factors)


def _named(flows: pd.DataFrame) -> pd.DataFrame:
    """Flows with the plan's names of workloads."""
    names = {name: name.split(SPLIT)[0] for name in flows["workload"].astype(object).unique()}
    return flows.assign(workload=flows["workload"].astype(object).map(names)).reset_index(drop=True)


def _joined(case: Case, month: Case, actual: Actual, served: pd.DataFrame) -> Case:
    """Return the month's case with the plan's workloads, and the served demand."""
    rows = actual.rows[actual.rows["period"] == month.periods[0].name]
    known = {(m.workload, m.model) for m in case.mix}
    seen = {(w.workload.split(SPLIT)[0], w.workload.split(SPLIT)[1]) for w in month.workloads}
    extra = tuple(Mix(workload=w, model=m) for w, m in sorted(seen - known))
    mix = tuple(sorted((*case.mix, *extra), key=lambda m: (m.workload, m.model)))
    demand = served.drop(columns="region").rename(columns={"origin": "region"})
    demand = demand.astype(dict.fromkeys(_KEYS[:4], object)).groupby(_KEYS, as_index=False)[["requests_per_hour"]].sum()
    whole = replace(case, only=month.only, scenarios=month.scenarios, workloads=as_seen(case, rows), mix=mix)
    return with_demand(whole, demand)
