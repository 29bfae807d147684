"""Hours in which demand hit a limit; overflow that a unit would serve more cheaply."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from planner.features.review.actual import Actual
from planner.features.review.cases import hour_of
from planner.features.review.review_rules import Rules
from planner.features.review.review_tables import LEVEL, OVERFLOW, PEAKS, QUOTA, REQUESTS, TOKENS, UNSERVED
from planner.features.review.served import ServedMonth
from planner.plan.flows import Floats, as_it_arose
from planner.plan.metrics.basis import Basis
from planner.plan.pool_months import PoolMonth
from planner.schema.capacity import Offer
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK


def overflow(case: Case, months: Sequence[tuple[PoolMonth, float]], least_usd: float) -> pd.DataFrame:
    """Find for each pool the offer, months and units that would have saved most: columns OVERFLOW.

    Parameters
    ----------
    months : each pool in each month with hours seen, and how many hours that is. least_usd : savings below are left
        out. An offer whose term is longer than the months reviewed counts with the months that were (`runs_on`).
    """
    rows = []
    meters = sorted({(m.region, m.pool, m.meter) for m, _ in months})
    for region, pool, meter in meters:
        own = sorted(
            ((m, hours) for m, hours in months if (m.pool, m.meter) == (pool, meter)), key=lambda x: x[0].start
        )
        best: tuple[float, tuple[object, ...]] | None = None
        for offer in case.offers:
            if (offer.pool, offer.meter) != (pool, meter):
                continue
            for first in range(len(own)):
                end = offer.term_end(own[first][0].start)
                term = [(m, hours) for m, hours in own[first:] if m.end <= end]
                if not term:
                    continue
                units, served, cost = _best(offer, term, case.settings.policy.whole_units)
                row = (pool, meter, region, offer.offer, term[0][0].period, term[-1][0].period, units, served, cost,
                       served - cost, term[-1][0].end < end)  # fmt: skip
                if units > 0 and served - cost >= max(least_usd, 1e-9) and (best is None or served - cost > best[0]):
                    best = served - cost, row
        if best is not None:
            rows.append(best[1])
    table = OVERFLOW.of(rows)
    return table.sort_values(["saving_usd", "pool", "meter"], ascending=[False, True, True], ignore_index=True)


def _best(offer: Offer, term: Sequence[tuple[PoolMonth, float]], whole: bool) -> tuple[float, float, float]:
    """Units of an offer that save most over some months, what they serve at on-demand prices, and what they cost."""
    over = np.concatenate([np.maximum(m.wanted_units - m.level_units, 0.0) for m, _ in term])
    value = np.concatenate([m.usd_per_unit for m, _ in term])
    price = offer.usd_per_hour(term[0][0].start) * sum(hours for _, hours in term)
    best = 0.0, 0.0, 0.0
    for n in _sizes(offer, over, whole):
        served, cost = float((np.minimum(over, n) * value).sum()), n * price
        if served - cost > best[1] - best[2] + 1e-9:
            best = n, served, cost
    return best


def _sizes(offer: Offer, over: Floats, whole: bool) -> list[float]:
    """Sizes worth a look: the kinks of the curve, or the offer's sizes next to them."""
    most = np.inf if offer.max_units is None else offer.max_units
    kinks = np.unique(over[over > 0])
    if whole and offer.unit_step > 0:
        steps = (kinks - offer.min_units) / offer.unit_step
        near = np.unique(np.maximum(np.concatenate([np.floor(steps), np.ceil(steps)]), 0.0))
        kinks = offer.min_units + near * offer.unit_step
    elif whole:
        kinks = np.maximum(kinks, offer.min_units)
    return [float(n) for n in np.unique(kinks) if 0 < n <= most]


def peaks(case: Case, actual: Actual, months: Sequence[tuple[ServedMonth, Basis]], rules: Rules) -> pd.DataFrame:
    """List the hours, by time: columns PEAKS.

    Met quota: what is left for on demand, after reserved units and the cheapest routes, takes at least
    `met_quota_share` of a quota (tokens a minute, bursts included). Unserved: neither units nor quotas in reach could
    serve it (requests an hour). Above plan: a workload asked in a region for more than in the planned month's
    highest hour of any scenario (requests an hour).
    """
    parts = [table for served, basis in months for table in (_quotas(served, basis, rules), _unserved(served))]
    parts.append(_levels(case, actual, rules))
    parts = [p for p in parts if len(p)]
    if not parts:
        return PEAKS.empty()
    table = pd.concat(parts, ignore_index=True).reindex(columns=list(PEAKS.columns))
    return table.sort_values(["hour", "kind", "region", "model", "workload"], ignore_index=True, na_position="last")


def _quotas(served: ServedMonth, basis: Basis, rules: Rules) -> pd.DataFrame:
    limits = np.array([np.inf if q.tokens_per_minute_quota is None else q.tokens_per_minute_quota
                       for q in basis.case.on_demand])  # fmt: skip
    ways, flows, slots = basis.flows.ways, basis.flows, basis.names.slot_count
    load = flows.sums(ways["quota"].to_numpy(np.int64), len(limits), slots, ways["quota_per_request"].to_numpy(float))
    q, slot = np.nonzero((load >= rules.met_quota_share * limits[:, None]) & (load > 0))
    unserved = served.unserved.groupby(["hour", "region", "model"])["requests"].sum()
    scenarios = np.array(basis.names.scenarios, dtype=object)[slot // HOURS_PER_WEEK]
    hours = hour_of(served.case, pd.Series(scenarios), pd.Series(slot % HOURS_PER_WEEK))
    options = [basis.case.on_demand[k] for k in q.tolist()]
    table = pd.DataFrame(
        {
            "kind": QUOTA,
            "hour": hours,
            "region": [o.region for o in options],
            "model": [o.model for o in options],
            "workload": "",
            "option": [o.option for o in options],
            "found": load[q, slot],
            "limit": limits[q],
            "unit": TOKENS,
        }
    )
    keys = zip(table["hour"], table["region"], table["model"], strict=True)
    table["unserved_requests"] = [float(unserved.get(key, 0.0)) for key in keys]
    table["share"] = table["found"] / table["limit"]
    return table


def _unserved(served: ServedMonth) -> pd.DataFrame:
    """List what could not be served, with what was asked of the same model and workload in the hour."""
    lost = served.unserved
    if lost.empty:
        return lost
    flows = as_it_arose(served.plan.dispatch)
    kept = flows.assign(hour=hour_of(served.case, flows["scenario"], flows["hour_of_week"]), region=flows["origin"])
    keys = ["hour", "region", "workload", "model"]
    kept = kept.astype({"region": object, "model": object, "workload": object})
    sums = kept.groupby(keys, as_index=False)["requests_per_hour"].sum()
    table = lost.astype({"region": object, "model": object}).merge(sums, on=keys, how="left")
    could = table["requests_per_hour"].fillna(0.0)
    return table.assign(
        kind=UNSERVED, option="", found=could + table["requests"], limit=could, unit=REQUESTS,
        share=(could + table["requests"]) / could.where(could > 0), unserved_requests=table["requests"],
    )  # fmt: skip


def _levels(case: Case, actual: Actual, rules: Rules) -> pd.DataFrame:
    keys = ["region", "workload", "period"]
    demand = case.demand.astype(dict.fromkeys(keys, object))
    level = (
        demand.groupby(keys, as_index=False)[["requests_per_hour"]].max().rename(columns={"requests_per_hour": "limit"})
    )
    came = actual.rows.groupby(["hour", *keys], as_index=False)["requests"].sum()
    table = came.merge(level, on=keys, how="left").fillna({"limit": 0.0})
    table = table[table["requests"] > rules.level_share * table["limit"] * (1 + 1e-9) + 1e-9]
    found = table["requests"].to_numpy(float)
    return pd.DataFrame(
        {
            "kind": LEVEL, "hour": table["hour"], "region": table["region"], "model": "",
            "workload": table["workload"], "option": "", "found": found, "limit": table["limit"],
            "share": found / table["limit"].where(table["limit"] > 0), "unserved_requests": 0.0,
            "unit": REQUESTS,
        }
    )  # fmt: skip
