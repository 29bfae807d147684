"""Loads, prices and data of a request, by plain arithmetic (docs/model.md, "What follows from the input").

Nothing here is shared with the programme: the audit must not repeat its slips.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.plan.frames import FLAG, NUMBER, TEXT, WHOLE, Field, Frame, Ints
from planner.schema.capacity import SHARED_DEPLOYMENT, OnDemand, Throughput
from planner.schema.case import Case
from planner.schema.workloads import Workload
from planner.units import BYTES_PER_GB, HOURS_PER_WEEK, MINUTES_PER_HOUR, TOKENS_PER_MTOK

Floats = npt.NDArray[np.float64]

LOADS = Frame("loads", "one row for each workload, pool, meter and model of the workload's mix", (
    Field("workload", TEXT, "workload"),
    Field("pool", TEXT, "pool"),
    Field("meter", TEXT, "what the pool's units count"),
    Field("model", TEXT, "model"),
    Field("region", TEXT, "region of the pool"),
    Field("deployment", TEXT, "the model; `*` in a pool whose units move by the hour"),
    Field("units_per_request", NUMBER, "what one request per hour takes, bursts included", "units per request/hour"),
    Field("usable_share", NUMBER, "1 - reserved_headroom", "share"),
))  # fmt: skip
OPTIONS = Frame("options", "one row for each workload, region, model of its mix and on-demand option", (
    Field("workload", TEXT, "workload"),
    Field("region", TEXT, "region"),
    Field("model", TEXT, "model"),
    Field("option", TEXT, "on-demand option"),
    Field("on_demand_usd", NUMBER, "one request, before the scenario's factor", "USD"),
    Field("quota_per_request", NUMBER, "what one request per hour counts on the quota, bursts included",
          "tokens/minute per request/hour"),
    Field("tokens_per_request", NUMBER, "all tokens, unweighted", "tokens"),
    Field("guaranteed", FLAG, "counts as guaranteed"),
    Field("latest_hours", WHOLE, "how many hours after it arises a request may still be handed to it", "hours"),
))  # fmt: skip
TRAVEL = Frame("travel", "one row for each workload, origin and region that may serve it (route and residency)", (
    Field("workload", TEXT, "workload"),
    Field("origin", TEXT, "region where the demand arises"),
    Field("region", TEXT, "region where it is served"),
    Field("egress_usd", NUMBER, "data of one request and its answer; 0 at home", "USD"),
    Field("gb_in", NUMBER, "data of one request; 0 at home", "GB"),
    Field("gb_out", NUMBER, "data of its answer; 0 at home", "GB"),
    Field("in_usd", NUMBER, "part of egress_usd: the request", "USD"),
    Field("out_usd", NUMBER, "part of egress_usd: the answer", "USD"),
))  # fmt: skip
EARLIER = Frame("earlier", "one row for each pool, meter and month with units of earlier commitments", (
    Field("pool", TEXT, "pool"),
    Field("meter", TEXT, "what its units count"),
    Field("period", TEXT, "month"),
    Field("units", NUMBER, "in force", "units"),
    Field("usd", NUMBER, "what they cost in the month", "USD"),
))  # fmt: skip
SLOTS = Frame("slots", "one row for each scenario and month", (
    Field("scenario", TEXT, "scenario"),
    Field("period", TEXT, "month"),
    Field("weeks", NUMBER, "how often each hour of the week is expected: probability x weeks of the month", "weeks"),
    Field("price_factor", NUMBER, "of on-demand prices", "ratio"),
    Field("probability", NUMBER, "of the scenario", "share"),
))  # fmt: skip


@dataclass(frozen=True)
class Derived:
    """Derived quantities of one case. A "request" in a name is one request per hour.

    Its tables are LOADS, OPTIONS, TRAVEL, EARLIER and SLOTS of this file.
    """

    loads: pd.DataFrame
    options: pd.DataFrame
    travel: pd.DataFrame
    earlier: pd.DataFrame
    slots: pd.DataFrame
    price_times: Floats | None = None  # on-demand options x hours of the week of each period; None: all are 1

    @classmethod
    def of(cls, case: Case) -> "Derived":
        """Derive them all; build it once for a case and pass it on."""
        return cls(_loads(case), _options(case), _travel(case), _earlier(case), _slots(case), _price_times(case))

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

    def hour_times(self, period: Ints, hour: Ints, quota: Ints) -> Floats:
        """Product of the price factors of an option (a row of case.on_demand; -1: none) in hours of periods."""
        if self.price_times is None:
            return np.ones(len(quota))
        return np.where(quota >= 0, self.price_times[quota, period * HOURS_PER_WEEK + hour], 1.0)

    @cached_property
    def _scenario_factor(self) -> Floats:
        """Factor of on-demand prices by scenario and month, in the order of the slots."""
        return self.slots["price_factor"].to_numpy(float)

    def price_factors(self, place: Ints, quota: Ints) -> Floats:
        """Return what the price of an option (a row of case.on_demand; -1: none) is multiplied by in slots.

        The scenario's factor, and every row of price_factors that applies.
        """
        factor: Floats = self._scenario_factor[place // HOURS_PER_WEEK]
        if self.price_times is None:
            return factor
        return factor * np.where(quota >= 0, self.price_times[quota, place % self.price_times.shape[1]], 1.0)

    @property
    def sunk_usd(self) -> float:
        """What earlier commitments still cost inside the horizon, USD."""
        return float(self.earlier["usd"].sum())


def _price_times(case: Case) -> Floats | None:
    """Multiply the price factors of each on-demand option, hour by hour of each period."""
    if not case.price_factors or not case.on_demand:
        return None
    times = np.ones((len(case.on_demand), len(case.periods), HOURS_PER_WEEK))
    for row in case.price_factors:
        for q, option in enumerate(case.on_demand):
            if row.applies_to(option.region, option.model, option.option):
                for period in case.factor_periods(row):
                    times[q, period, list(row.hours)] *= row.factor
    return times.reshape(len(case.on_demand), -1)


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
    return LOADS.of(rows)


def _options(case: Case) -> pd.DataFrame:
    workloads = {w.workload: w for w in case.workloads}
    rows = []
    for option in case.on_demand:
        for m in case.mix:
            if m.model == option.model:
                latest = case.latest_hours(workloads[m.workload], option)
                if latest < 0:  # too slow for this work
                    continue
                usd, quota, tokens = _on_demand(workloads[m.workload], option)
                rows.append((m.workload, option.region, option.model, option.option,
                             usd, quota, tokens, option.guaranteed, latest))  # fmt: skip
    return OPTIONS.of(rows)


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
    return TRAVEL.of(rows)


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
    return EARLIER.of([(*key, n, usd[key]) for key, n in units.items()])


def _slots(case: Case) -> pd.DataFrame:
    rows = [
        (s.scenario, p.name, s.probability * p.weeks, s.on_demand_price_factor, s.probability)
        for s in case.scenarios
        for p in case.periods
    ]
    return SLOTS.of(rows)
