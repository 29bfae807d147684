"""What follows from a case by plain arithmetic (model.md section 2): loads, prices, data of a request.

Nothing here is shared with the programme: the audit must not repeat its slips.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from planner.schema.capacity import SHARED_DEPLOYMENT, OnDemand, Throughput
from planner.schema.case import Case
from planner.schema.workloads import Workload
from planner.units import BYTES_PER_GB, MINUTES_PER_HOUR, TOKENS_PER_MTOK

LOAD_COLUMNS = (
    "workload", "pool", "meter", "model", "region", "deployment", "units_per_request", "usable_share",
)  # fmt: skip
OPTION_COLUMNS = (
    "workload", "region", "model", "option", "on_demand_usd", "quota_per_request", "tokens_per_request", "guaranteed",
)  # fmt: skip
TRAVEL_COLUMNS = ("workload", "origin", "region", "egress_usd", "gb_in", "gb_out", "in_usd", "out_usd")
EARLIER_COLUMNS = ("pool", "meter", "period", "units", "usd")
SLOT_COLUMNS = ("scenario", "period", "weeks", "price_factor")


@dataclass(frozen=True)
class Derived:
    """Derived quantities of one case. A "request" in a name is one request per hour.

    loads : one row a workload, pool, meter and model of the workload's mix. deployment ("*" in a shared pool),
        units_per_request (what one request per hour takes, bursts included), usable_share (1 - reserved_headroom).
    options : one row a workload, region, model of its mix and on-demand option. on_demand_usd (of one request, before
        the scenario's factor), quota_per_request (tokens per minute that one request per hour counts on the quota,
        bursts included), tokens_per_request (all tokens, unweighted), guaranteed.
    travel : one row a workload, origin and region that may serve it (route and residency). egress_usd, gb_in and
        gb_out of one request, and the two parts of its price: in_usd (of the request) and out_usd (of the answer);
        all 0 at home.
    earlier : units in force from earlier commitments by pool, meter and period (only where there are any), and what
        they cost in it (USD).
    slots : one row a scenario and period. weeks: how often each hour of the week is expected (probability x weeks of
        the month); price_factor of on demand.
    """

    loads: pd.DataFrame
    options: pd.DataFrame
    travel: pd.DataFrame
    earlier: pd.DataFrame
    slots: pd.DataFrame

    @classmethod
    def of(cls, case: Case) -> "Derived":
        """Derive them all; build it once for a case and pass it on."""
        return cls(_loads(case), _options(case), _travel(case), _earlier(case), _slots(case))

    @cached_property
    def units_per_request(self) -> dict[tuple[str, str, str, str], float]:
        """Units per request/hour by (workload, pool, meter, model)."""
        return _dictionary(self.loads, ["workload", "pool", "meter", "model"], "units_per_request")

    @cached_property
    def quota_per_request(self) -> dict[tuple[str, str, str, str], float]:
        """Tokens per minute on the quota per request/hour by (workload, region, model, option)."""
        return _dictionary(self.options, ["workload", "region", "model", "option"], "quota_per_request")

    @cached_property
    def on_demand_usd(self) -> dict[tuple[str, str, str, str], float]:
        """USD of one request on demand by (workload, region, model, option), before the scenario's factor."""
        return _dictionary(self.options, ["workload", "region", "model", "option"], "on_demand_usd")

    @cached_property
    def egress_usd(self) -> dict[tuple[str, str, str], float]:
        """USD of egress of one request by (workload, origin, region); only pairs that may be used."""
        return _dictionary(self.travel, ["workload", "origin", "region"], "egress_usd")

    @cached_property
    def earlier_units(self) -> dict[tuple[str, str, str], float]:
        """Units of earlier commitments in force by (pool, meter, period)."""
        return _dictionary(self.earlier, ["pool", "meter", "period"], "units")

    @property
    def sunk_usd(self) -> float:
        """What earlier commitments still cost inside the horizon, USD."""
        return float(self.earlier["usd"].sum())


def request_tokens(w: Workload, hit_rate: float) -> tuple[float, float, float, float]:
    """Fresh, cached, written and output tokens of one request."""
    return (
        w.input_tokens * (1 - hit_rate - w.cache_write_rate),
        w.input_tokens * hit_rate,
        w.input_tokens * w.cache_write_rate,
        w.output_tokens,
    )


def gigabytes(w: Workload) -> tuple[float, float]:
    """Size a request and its answer: GB in, GB out."""
    return (
        (w.input_tokens * w.bytes_per_token + w.extra_bytes_in) / BYTES_PER_GB,
        (w.output_tokens * w.bytes_per_token + w.extra_bytes_out) / BYTES_PER_GB,
    )


def _dictionary(frame: pd.DataFrame, keys: list[str], value: str) -> dict[Any, float]:
    return dict(zip(frame[keys].itertuples(index=False, name=None), frame[value].tolist(), strict=True))


def _units_per_request(w: Workload, t: Throughput) -> float:
    fresh, cached, written, out = request_tokens(w, w.cache_hit_rate)
    write_weight = t.input_weight if t.cache_write_weight is None else t.cache_write_weight
    weighted = fresh * t.input_weight + cached * t.cached_input_weight + written * write_weight + out * t.output_weight
    return w.burst_factor * weighted / (MINUTES_PER_HOUR * t.tokens_per_minute_per_unit)


def _on_demand(w: Workload, option: OnDemand) -> tuple[float, float, float]:
    """USD, tokens per minute on the quota, and tokens of one request."""
    hit = w.cache_hit_rate if w.on_demand_cache_hit_rate is None else w.on_demand_cache_hit_rate
    fresh, cached, written, out = request_tokens(w, hit)
    plain = option.usd_per_mtok_input
    cached_usd = plain if option.usd_per_mtok_cached_input is None else option.usd_per_mtok_cached_input
    write_usd = plain if option.usd_per_mtok_cache_write is None else option.usd_per_mtok_cache_write
    usd = fresh * plain + cached * cached_usd + written * write_usd + out * option.usd_per_mtok_output
    counted = fresh + written + cached * option.quota_cached_weight + out * option.quota_output_weight
    return usd / TOKENS_PER_MTOK, w.burst_factor * counted / MINUTES_PER_HOUR, fresh + cached + written + out


def _loads(case: Case) -> pd.DataFrame:
    workloads, pools = {w.workload: w for w in case.workloads}, {p.pool: p for p in case.pools}
    rows = []
    for t in case.throughput:
        pool = pools[t.pool]
        deployment = SHARED_DEPLOYMENT if pool.shared_hourly else t.model
        for m in case.mix:
            if m.model == t.model:
                w = workloads[m.workload]
                usable = 1 - case.reserved_headroom(w)
                rows.append((w.workload, t.pool, t.meter, t.model, pool.region, deployment,
                             _units_per_request(w, t), usable))  # fmt: skip
    return pd.DataFrame(rows, columns=list(LOAD_COLUMNS))


def _options(case: Case) -> pd.DataFrame:
    workloads = {w.workload: w for w in case.workloads}
    rows = []
    for option in case.on_demand:
        for m in case.mix:
            if m.model == option.model:
                usd, quota, tokens = _on_demand(workloads[m.workload], option)
                rows.append((m.workload, option.region, option.model, option.option,
                             usd, quota, tokens, option.guaranteed))  # fmt: skip
    return pd.DataFrame(rows, columns=list(OPTION_COLUMNS))


def _travel(case: Case) -> pd.DataFrame:
    names = [r.region for r in case.regions]
    rows = []
    for w in case.workloads:
        gb_in, gb_out = gigabytes(w)
        for origin in names:
            for region in names:
                if not case.may_serve(w, origin, region):
                    continue
                if origin == region:
                    rows.append((w.workload, origin, region, 0.0, 0.0, 0.0, 0.0, 0.0))
                    continue
                there = case.route[origin, region]
                back = case.route.get((region, origin), there)
                in_usd, out_usd = gb_in * there.usd_per_gb, gb_out * back.usd_per_gb
                rows.append((w.workload, origin, region, in_usd + out_usd, gb_in, gb_out, in_usd, out_usd))
    return pd.DataFrame(rows, columns=list(TRAVEL_COLUMNS))


def _earlier(case: Case) -> pd.DataFrame:
    offers = {o.offer: o for o in case.offers}
    units: dict[tuple[str, str, str], float] = {}
    usd: dict[tuple[str, str, str], float] = {}
    for c in case.commitments:
        offer = offers[c.offer]
        for period in case.periods:
            if c.start <= period.start and c.end >= period.end:
                key = offer.pool, offer.meter, period.name
                units[key] = units.get(key, 0.0) + c.units
                usd[key] = usd.get(key, 0.0) + c.units * offer.usd_per_unit_hour * period.hours
    return pd.DataFrame([(*key, n, usd[key]) for key, n in units.items()], columns=list(EARLIER_COLUMNS))


def _slots(case: Case) -> pd.DataFrame:
    rows = [
        (s.scenario, p.name, s.probability * p.weeks, s.on_demand_price_factor)
        for s in case.scenarios
        for p in case.periods
    ]
    return pd.DataFrame(rows, columns=list(SLOT_COLUMNS))
