"""Egress by pair of regions, and on demand by region and model against its quota."""

import numpy as np
import pandas as pd

from planner.plan.audit.service import away_share, data_sent
from planner.plan.metrics.basis import Basis, ratio
from planner.plan.metrics.metric_tables import EGRESS, HORIZON, ON_DEMAND
from planner.units import HOURS_PER_WEEK


def egress(basis: Basis) -> pd.DataFrame:
    """List data and cost on each ordered pair of regions by period, then HORIZON: columns EGRESS."""
    names, ways = basis.names, basis.flows.ways
    gb = data_sent(names, basis.derived, basis.flows)
    usd = data_sent(names, basis.derived, basis.flows, ("in_usd", "out_usd"))
    index = {name: k for k, name in enumerate(names.regions)}
    requests = np.zeros(gb.shape)
    away = ways["away"].to_numpy(bool)
    np.add.at(requests, (ways["origin"].map(index).to_numpy(int)[away], ways["region"].map(index).to_numpy(int)[away]),
              basis.requests[away])  # fmt: skip
    cap = {(r.origin, r.destination): r.max_gb_per_month for r in basis.case.routes if r.max_gb_per_month is not None}
    rows = []
    for o, d in zip(*np.nonzero(gb.sum(axis=2) + requests.sum(axis=2)), strict=True):
        pair = names.regions[o], names.regions[d]
        limit = cap.get(pair, np.nan)
        rows += [
            (*pair, period, requests[o, d, p], gb[o, d, p], limit, _used(gb[o, d, p], limit), usd[o, d, p])
            for p, period in enumerate(names.periods)
        ]
        whole = float(gb[o, d].sum())
        rows.append((*pair, HORIZON, requests[o, d].sum(), whole, limit,
                     _used(whole, limit * len(names.periods)), usd[o, d].sum()))  # fmt: skip
    return EGRESS.of(rows)


def _used(gb: float, cap: float) -> float:
    return float(gb / cap) if cap > 0 else float("nan")


def share_away(basis: Basis) -> float:
    """Share of requests served outside their origin; NaN without requests."""
    away, every = away_share(basis.derived, basis.flows)
    return away / every if every > 0 else float("nan")


def on_demand(basis: Basis) -> pd.DataFrame:
    """List requests, tokens, cost and the busiest slot of each on-demand option: columns ON_DEMAND."""
    names, ways, quotas = basis.names, basis.flows.ways, len(basis.names.quotas)
    of = ways["quota"].to_numpy(int)
    own = of >= 0
    sums = {}
    for name, amount in (
        ("requests", basis.requests.sum(axis=1)),
        ("tokens", basis.requests.sum(axis=1) * ways["tokens_per_request"].to_numpy(float)),
        ("usd", basis.priced_requests.sum(axis=1) * ways["on_demand_usd"].to_numpy(float)),
    ):
        sums[name] = np.bincount(of[own], amount[own], quotas).astype(float)
    load = basis.flows.sums(of, quotas, names.slot_count, ways["quota_per_request"].to_numpy(float))
    peak, slot = load.max(axis=1, initial=0.0), load.argmax(axis=1)
    block, hour = np.divmod(slot, HOURS_PER_WEEK)
    scenario, period = np.divmod(block, len(names.periods))
    used = peak > 0
    limit = np.array(
        [np.nan if q.tokens_per_minute_quota is None else q.tokens_per_minute_quota for q in basis.case.on_demand],
        float,
    )
    table = pd.DataFrame(list(names.quotas), columns=["region", "model", "option"]).assign(
        **sums,
        peak_tokens_per_minute=peak,
        tokens_per_minute_quota=limit,
        peak_share_of_quota=ratio(peak, limit),
        peak_scenario=pd.Series(np.array(names.scenarios, dtype=object)[scenario]).where(used),
        peak_period=pd.Series(np.array(names.periods, dtype=object)[period]).where(used),
        peak_hour_of_week=np.where(used, hour, np.nan),
    )
    return table[list(ON_DEMAND.columns)]
