"""A planning folder as plain Python numbers, for the literal models.

It has the formulas of docs/model.md, "What follows from the input", one by one.

It reads through the planner's reader, so that both sides start from the same validated tables, and shares nothing else
with it. Requests are counted in thousands an hour, as any modeller would scale them.
"""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from planner.readers import load
from planner.schema.capacity import SHARED_DEPLOYMENT, OnDemand, Throughput
from planner.schema.case import DEMAND_COLUMNS, Case
from planner.schema.settings import add_months
from planner.schema.workloads import Workload

K = 1000.0
HOURS_PER_WEEK = 168
Need = tuple[str, str]  # origin, workload
Part = tuple[str, str, str]  # pool, meter, model: a deployment
Option = tuple[str, str, str]  # region, model, option


@dataclass(frozen=True)
class Slot:
    """A scenario's hour of the week in a month, and how often it occurs, weighed by probability."""

    number: int
    scenario: str
    period: str
    hour: int
    weeks: float
    price_factor: float

    @property
    def key(self) -> tuple[str, str, int]:
        return self.scenario, self.period, self.hour


@dataclass(frozen=True)
class Way:
    """A way to serve a need: by a pool (`units` on its deployments) or by an on-demand option; per 1000 requests."""

    number: int
    origin: str
    workload: str
    model: str
    region: str
    usd: float
    egress_usd: float
    gb_in: float
    gb_out: float
    guaranteed: bool
    units: tuple[tuple[Part, float], ...] = ()
    option: Option | None = None
    tokens_per_minute: float = 0.0

    @property
    def away(self) -> bool:
        return self.origin != self.region


@dataclass(frozen=True)
class Purchase:
    """An offer bought at the start of a month; USD a unit, with the counted tail and inside the horizon."""

    pool: str
    meter: str
    periods: tuple[str, ...]
    usd: float
    committed_usd: float
    min_units: float
    unit_step: float
    max_units: float | None


class Facts:
    """What both literal models read, from a folder."""

    def __init__(self, folder: Path) -> None:
        case = load(folder)
        policy = case.settings.policy
        self.scenarios, self.periods = case.scenarios, case.periods
        self.hours = {p.name: p.hours for p in case.periods}
        self.demand = _demand(case)
        self.ways = _ways(case, self.demand)
        self.mix: dict[str, dict[str, tuple[float, float]]] = defaultdict(dict)
        for m in case.mix:
            self.mix[m.workload][m.model] = (m.min_share, m.max_share)
        self.usable = {w.workload: 1 - case.reserved_headroom(w) for w in case.workloads}
        self.headroom = {w.workload: case.headroom(w) for w in case.workloads}
        self.keep = {w.workload: case.failover_share(w) for w in case.workloads}
        self.sure_share = {w.workload: w.guaranteed_share for w in case.workloads}
        self.quota = {(q.region, q.model, q.option): q.tokens_per_minute_quota for q in case.on_demand}
        self.unreserved_usd = {p.pool: p.usd_per_unreserved_unit_hour for p in case.pools}
        self.purchases = _purchases(case)
        self.parts = _parts(case)
        self.failing = [r.region for r in case.regions if r.fails] if policy.failover.enabled else []
        self.trust = policy.failover.on_demand_trust
        self.whole_units = policy.whole_units
        self.budget_usd = policy.max_commitment_usd
        self.max_away_share = policy.egress.max_cross_region_share
        self.gb_cap = {
            (r.origin, r.destination): r.max_gb_per_month for r in case.routes if r.max_gb_per_month is not None
        }
        self.earlier: dict[tuple[str, str, str], float] = defaultdict(float)
        self.sunk_usd = 0.0
        offers = {o.offer: o for o in case.offers}
        for c in case.commitments:
            for period in case.periods:
                if case.commitment_in_force(c, period):
                    offer = offers[c.offer]
                    self.earlier[offer.pool, offer.meter, period.name] += c.units
                    self.sunk_usd += c.units * offer.usd_per_unit_hour * period.hours
        self._codes: dict[str, int] = {}

    def slots(self) -> list[Slot]:
        """All slots: scenarios x months x 168 hours."""
        found: list[Slot] = []
        for s in self.scenarios:
            for p in self.periods:
                for hour in range(HOURS_PER_WEEK):
                    weeks = s.probability * p.weeks
                    found.append(Slot(len(found), s.scenario, p.name, hour, weeks, s.on_demand_price_factor))
        return found

    def code(self, *names: str) -> str:
        """A short name for rows and columns: PuLP would take `a-b` and `a_b` for one name."""
        return "_".join(str(self._codes.setdefault(name, len(self._codes))) for name in names)


def _demand(case: Case) -> dict[Need, dict[tuple[str, str, int], float]]:
    demand: dict[Need, dict[tuple[str, str, int], float]] = {}
    for o, w, s, p, hour, requests in zip(*(case.demand[name].tolist() for name in DEMAND_COLUMNS)):
        demand.setdefault((o, w), defaultdict(float))[s, p, hour] = requests / K
    return demand


def _tokens(w: Workload, on_demand: bool) -> tuple[float, float, float, float]:
    """Fresh, cached, written and output tokens of a request."""
    hit = w.cache_hit_rate
    if on_demand and w.on_demand_cache_hit_rate is not None:
        hit = w.on_demand_cache_hit_rate
    n = w.input_tokens
    return n * (1 - hit - w.cache_write_rate), n * hit, n * w.cache_write_rate, w.output_tokens


def _units(w: Workload, t: Throughput) -> float:
    """Units per 1000 requests an hour."""
    fresh, cached, written, out = _tokens(w, False)
    write = t.input_weight if t.cache_write_weight is None else t.cache_write_weight
    weighted = fresh * t.input_weight + cached * t.cached_input_weight + written * write + out * t.output_weight
    return K * w.burst_factor * weighted / (60 * t.tokens_per_minute_per_unit)


def _paid(w: Workload, q: OnDemand) -> tuple[float, float]:
    """USD, and tokens a minute that count on the quota, of 1000 requests (an hour)."""
    fresh, cached, written, out = _tokens(w, True)
    hit = q.usd_per_mtok_input if q.usd_per_mtok_cached_input is None else q.usd_per_mtok_cached_input
    write = q.usd_per_mtok_input if q.usd_per_mtok_cache_write is None else q.usd_per_mtok_cache_write
    usd = fresh * q.usd_per_mtok_input + cached * hit + written * write + out * q.usd_per_mtok_output
    counted = fresh + written + cached * q.quota_cached_weight + out * q.quota_output_weight
    return K * usd / 1e6, K * w.burst_factor * counted / 60


def _ways(case: Case, demand: dict[Need, dict[tuple[str, str, int], float]]) -> dict[Need, list[Way]]:
    of = {w.workload: w for w in case.workloads}
    pools = {p.pool: p for p in case.pools}
    models: dict[str, list[str]] = defaultdict(list)
    for m in case.mix:
        models[m.workload].append(m.model)
    supplies: dict[tuple[str, str], dict[str, list[Throughput]]] = defaultdict(lambda: defaultdict(list))
    for t in case.throughput:
        supplies[pools[t.pool].region, t.model][t.pool].append(t)
    options: dict[tuple[str, str], list[OnDemand]] = defaultdict(list)
    for q in case.on_demand:
        options[q.region, q.model].append(q)
    found: dict[Need, list[Way]] = {need: [] for need in demand}
    number = 0
    for (o, name), ways in found.items():
        w = of[name]
        gb_in = K * (w.input_tokens * w.bytes_per_token + w.extra_bytes_in) / 1e9
        gb_out = K * (w.output_tokens * w.bytes_per_token + w.extra_bytes_out) / 1e9
        for s in (r.region for r in case.regions if case.may_serve(w, o, r.region)):
            egress = 0.0
            if o != s:
                there = case.route[o, s].usd_per_gb
                back = case.route[s, o].usd_per_gb if (s, o) in case.route else there
                egress = gb_in * there + gb_out * back
            for model in models[name]:
                place = (o, name, model, s)
                for pool, rows in supplies[s, model].items():
                    part = SHARED_DEPLOYMENT if pools[pool].shared_hourly else model
                    units = tuple(((pool, t.meter, part), _units(w, t)) for t in rows)
                    ways.append(Way(number, *place, 0.0, egress, gb_in, gb_out, True, units))
                    number += 1
                for q in options[s, model]:
                    usd, counted = _paid(w, q)
                    option = (s, model, q.option)
                    ways.append(Way(number, *place, usd, egress, gb_in, gb_out, q.guaranteed, (), option, counted))
                    number += 1
    return found


def _parts(case: Case) -> dict[tuple[str, str], dict[str, tuple[float, float]]]:
    """Deployments of each pool and meter, with min_units and unit_step."""
    shared = {p.pool: p.shared_hourly for p in case.pools}
    found: dict[tuple[str, str], dict[str, tuple[float, float]]] = defaultdict(dict)
    for t in case.throughput:
        if shared[t.pool]:
            found[t.pool, t.meter][SHARED_DEPLOYMENT] = (0.0, 0.0)
        else:
            found[t.pool, t.meter][t.model] = (t.min_units, t.unit_step)
    return found


def _purchases(case: Case) -> list[Purchase]:
    periods, tail = case.periods, case.settings.policy.tail_value
    found = []
    for o in case.offers:
        for k, period in enumerate(periods):
            held = periods[k : k + o.term_months]
            inside = sum(p.hours for p in held)
            beyond = max(0, (add_months(period.start, o.term_months) - periods[-1].end).days) * 24
            names = tuple(p.name for p in held)
            price = o.usd_per_unit_hour
            counted = price * (inside + (1 - tail) * beyond)
            found.append(
                Purchase(o.pool, o.meter, names, counted, price * inside, o.min_units, o.unit_step, o.max_units)
            )
    return found
