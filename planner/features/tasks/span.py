"""What the cost of tasks is made of in a span of months, how it runs over the months, and how far it spreads."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from planner.errors import Fault, InputError
from planner.plan.flows import WAY, Bools, Floats
from planner.plan.frames import NUMBER, TEXT, Field, Frame, Ints
from planner.plan.metrics.metric_tables import HORIZON
from planner.plan.metrics.task_costs import NOBODY, TaskCosts, way_capacity_usd
from planner.schema.case import Case
from planner.schema.workloads import Workload
from planner.units import BYTES_PER_GB, MINUTES_PER_HOUR, TOKENS_PER_MTOK

Key = tuple[str, ...]


@dataclass(frozen=True)
class Keyed:
    """A table: `keys` name its rows, each of `columns` has a value (or a row of values) for each key."""

    keys: tuple[Key, ...]
    columns: Mapping[str, Floats]

    @cached_property
    def place(self) -> dict[Key, int]:
        """Row of each key."""
        return {key: k for k, key in enumerate(self.keys)}

    def rows_of(self, keys: Iterable[Key]) -> Ints:
        """Row of each of the keys; -1: none."""
        place = self.place
        return np.array([place.get(key, -1) for key in keys], dtype=np.int64)

    def take(self, name: str, rows: Ints, missing: float = np.nan) -> Floats:
        """Values of a column at rows of `rows_of`; `missing` where there is no row."""
        column = self.columns[name]
        filler = np.full((1, *column.shape[1:]), missing)
        found: Floats = np.concatenate([column, filler])[rows]
        return found

    def where(self, kept: Bools) -> "Keyed":
        """Rows for which `kept` is true."""
        keys = tuple(key for key, keep in zip(self.keys, kept.tolist(), strict=True) if keep)
        return Keyed(keys, {name: column[kept] for name, column in self.columns.items()})


def codes(keys: Sequence[Key]) -> tuple[Ints, int]:
    """Give distinct keys numbers; returns the number of each key, and how many there are."""
    seen: dict[Key, int] = {}
    found = np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)
    return found, len(seen)


@dataclass(frozen=True)
class Span:
    """Tables by key, so that spans of different plans can be laid side by side.

    plan, period : what it is of. hours : of the span. nobody_usd : cost of capacity where there are no requests at all.
    workloads (workload) : requests, usd (attributed), and what a request is: _OF_WORKLOAD.
    flows (origin, workload, model, region, supply) : requests, reserved (1 or 0), price_factor (mean over scenarios).
    loads (those and meter) : unit_hours used, and inverse: unit-hours paid for one used (1 / utilisation).
    accounts (pool, meter, deployment) : usd_per_unit_hour, and inverse over all that use it (NaN: none does).
    standby (workload, pool, meter, deployment) : unit_hours that serve nothing in their month, at usd_per_unit_hour.
    prices (region, model, option) : token_usd: of a fresh, cached, written and output token.
    weights (pool, model, meter) : weights: of the same tokens, and unit_hours_per_token.
    routes (origin, region) : usd_per_gb: of a request's data and of its answer's.
    """

    plan: str
    period: str
    hours: float
    nobody_usd: float
    workloads: Keyed
    flows: Keyed
    loads: Keyed
    accounts: Keyed
    standby: Keyed
    prices: Keyed
    weights: Keyed
    routes: Keyed


def span_of(costs: TaskCosts, period: str = HORIZON) -> Span:
    """Add up a plan's tables over a month, or over the HORIZON.

    Raises
    ------
    InputError : the plan has no such month.
    """
    basis, capacity, months = costs.basis, costs.capacity, costs.months
    if period != HORIZON and period not in months:
        raise InputError([Fault(basis.plan.name, "no such month", None, "period", period, ", ".join(months))])
    own = slice(None) if period == HORIZON else slice(months.index(period), months.index(period) + 1)

    def over(amount: Floats) -> Floats:
        total: Floats = amount[..., own].sum(axis=-1)
        return total

    ways, rows = basis.flows.ways, basis.flows.loads
    requests, priced = over(basis.requests), over(basis.priced_requests)
    way_keys: list[Key] = list(zip(*(ways[name].tolist() for name in WAY), strict=True))
    flows = Keyed(tuple(way_keys), {
        "requests": requests,
        "reserved": ways["reserved"].to_numpy(float),
        "price_factor": _ratio(priced, requests),
    })  # fmt: skip
    way, deployment = rows["way"].to_numpy(int), rows["deployment"].to_numpy(int)
    unit_hours, used = over(capacity.unit_hours), np.zeros(len(capacity.accounts))
    used[: len(basis.names.deployments)] = over(basis.used_unit_hours + basis.scaled_used_unit_hours)
    price, inverse = np.nan_to_num(_ratio(over(capacity.usd), unit_hours)), _ratio(unit_hours, used)
    hours = requests[way] * rows["units_per_request"].to_numpy(float)
    paid = _ratio(over(capacity.used_usd), hours * price[deployment])
    loads = Keyed(
        tuple((*way_keys[k], capacity.accounts[d][1]) for k, d in zip(way.tolist(), deployment.tolist())),
        {"unit_hours": hours, "inverse": np.where(np.isnan(paid), inverse[deployment], paid)},
    )
    by_month = np.nan_to_num(_ratio(capacity.usd, capacity.unit_hours))
    kept_usd = over(capacity.standby_unit_hours * by_month[:, None, :])
    kept = np.where(kept_usd > 0, _ratio(kept_usd, price[:, None]), over(capacity.standby_unit_hours))
    held, owner = np.nonzero(kept)
    standby = tuple((basis.names.workloads[w], *capacity.accounts[a]) for a, w in zip(held.tolist(), owner.tolist()))
    accounts = Keyed(tuple(capacity.accounts), {"usd_per_unit_hour": price, "inverse": inverse})
    return Span(
        plan=basis.plan.name,
        period=period,
        hours=float(basis.hours[own].sum()),
        nobody_usd=float(over(capacity.nobody_usd)),
        workloads=_workloads(costs, requests, over),
        flows=flows.where(requests > 0),
        loads=loads.where(hours > 0),
        accounts=accounts.where((unit_hours > 0) | (used > 0)),
        standby=Keyed(standby, {"unit_hours": kept[held, owner]}),
        prices=_prices(basis.case),
        weights=_weights(basis.case),
        routes=_routes(basis.case),
    )


def _ratio(part: Floats, whole: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(whole > 0, np.divide(part, whole), np.nan)
    return found


def _workloads(costs: TaskCosts, requests: Floats, over: Callable[[Floats], Floats]) -> Keyed:
    case, basis = costs.basis.case, costs.basis
    ways, number = basis.flows.ways, {name: k for k, name in enumerate(basis.names.workloads)}
    way = np.array([number[name] for name in ways["workload"]], dtype=np.int64)
    usd = over(way_capacity_usd(basis, costs.capacity)) + ways["egress_usd"].to_numpy(float) * requests
    usd += ways["on_demand_usd"].to_numpy(float) * over(basis.priced_requests)
    columns = {name: np.array([told(w) for w in case.workloads]) for name, told in _OF_WORKLOAD.items()}
    columns["requests"] = np.bincount(way, requests, len(number)).astype(float)
    columns["usd"] = np.bincount(way, usd, len(number)).astype(float)
    return Keyed(tuple((w.workload,) for w in case.workloads), columns)


_OF_WORKLOAD: dict[str, Callable[[Workload], object]] = {
    "requests_per_task": lambda w: float(w.requests_per_task),
    "tokens": lambda w: (float(w.input_tokens), float(w.output_tokens)),
    # cache rates: read by reserved units, read on demand, written
    "rates": lambda w: (
        w.cache_hit_rate,
        w.cache_hit_rate if w.on_demand_cache_hit_rate is None else w.on_demand_cache_hit_rate,
        w.cache_write_rate,
    ),
    "burst": lambda w: float(w.burst_factor),
    "gb_per_token": lambda w: w.bytes_per_token / BYTES_PER_GB,
    "extra_gb": lambda w: (w.extra_bytes_in / BYTES_PER_GB, w.extra_bytes_out / BYTES_PER_GB),
}


def _prices(case: Case) -> Keyed:
    rows = [
        [(q.usd_per_mtok_input if usd is None else usd) / TOKENS_PER_MTOK
         for usd in (q.usd_per_mtok_input, q.usd_per_mtok_cached_input, q.usd_per_mtok_cache_write,
                     q.usd_per_mtok_output)]
        for q in case.on_demand
    ]  # fmt: skip
    keys = tuple((q.region, q.model, q.option) for q in case.on_demand)
    return Keyed(keys, {"token_usd": np.array(rows, dtype=float).reshape(len(keys), 4)})


def _weights(case: Case) -> Keyed:
    rows = [
        (t.input_weight, t.cached_input_weight,
         t.input_weight if t.cache_write_weight is None else t.cache_write_weight, t.output_weight)
        for t in case.throughput
    ]  # fmt: skip
    keys = tuple((t.pool, t.model, t.meter) for t in case.throughput)
    per_token = [1 / (MINUTES_PER_HOUR * t.tokens_per_minute_per_unit) for t in case.throughput]
    return Keyed(keys, {
        "weights": np.array(rows, dtype=float).reshape(len(keys), 4),
        "unit_hours_per_token": np.array(per_token, dtype=float),
    })  # fmt: skip


def _routes(case: Case) -> Keyed:
    usd = {(r.region, r.region): (0.0, 0.0) for r in case.regions}
    for (origin, region), there in case.route.items():
        if origin != region:
            usd[origin, region] = there.usd_per_gb, case.route.get((region, origin), there).usd_per_gb
    return Keyed(tuple(usd), {"usd_per_gb": np.array(list(usd.values()), dtype=float)})


_WORKLOAD = Field("workload", TEXT, "workload")
_PER_TASK = Field("usd_per_task", NUMBER, "cost of a task", "USD")
TREND = Frame("trend", "cost of a workload's task in each month with tasks", (
    _WORKLOAD, Field("period", TEXT, "month"), Field("tasks", NUMBER, "tasks", "tasks"),
    Field("total_usd", NUMBER, "cost", "USD"), _PER_TASK,
    Field("change_usd", NUMBER, "against the month before; NaN: it is the first", "USD"),
    Field("change_share", NUMBER, "the same, over the month before", "share"),
    Field("since_first_usd", NUMBER, "against the first month", "USD"),
    Field("since_first_share", NUMBER, "the same, over the first month", "share"),
))  # fmt: skip
SPREAD = Frame("spread", "how the cost of a workload's task differs over months, origins, regions or models", (
    _WORKLOAD, Field("over", TEXT, "month, origin, region or model"), _PER_TASK,
    Field("lowest", TEXT, "where a task costs least"), Field("lowest_usd", NUMBER, "what it costs there", "USD"),
    Field("highest", TEXT, "where it costs most"), Field("highest_usd", NUMBER, "what it costs there", "USD"),
    Field("deviation_usd", NUMBER, "standard deviation, weighted by tasks", "USD"),
    Field("variation", NUMBER, "deviation over the mean", "share"),
))  # fmt: skip
OVER = {"month": "period", "origin": "origin", "region": "region", "model": "model"}


def trend(costs: TaskCosts) -> pd.DataFrame:
    """Cost of a task by month, against the month before and against the first: columns TREND.

    Only months with tasks have a row; the month before is the last that had some.
    """
    table = costs.by("workload", "period")
    table = table[(table["workload"] != NOBODY) & (table["tasks"] > 0)].reset_index(drop=True)
    usd = table.groupby("workload")["usd_per_task"]
    last, first = usd.shift(1), usd.transform("first")
    found = table.assign(
        change_usd=table["usd_per_task"] - last,
        change_share=_change(table["usd_per_task"], last),
        since_first_usd=table["usd_per_task"] - first,
        since_first_share=_change(table["usd_per_task"], first),
    )
    return found[list(TREND.columns)]


def spread(costs: TaskCosts) -> pd.DataFrame:
    """How the cost of a workload's task differs between months, origins, regions and models: columns SPREAD.

    deviation_usd : standard deviation, weighted by tasks; variation: that over usd_per_task, the mean. lowest and
    highest name the month, origin, region or model.
    """
    rows = []
    for over, key in OVER.items():
        table = costs.by("workload", key)
        table = table[(table["workload"] != NOBODY) & (table["tasks"] > 0)]
        for workload, own in table.groupby("workload"):
            usd, tasks = own["usd_per_task"].to_numpy(float), own["tasks"].to_numpy(float)
            names = own[key].to_numpy(object)
            mean = float(np.average(usd, weights=tasks))
            deviation = float(np.sqrt(np.average((usd - mean) ** 2, weights=tasks)))
            low, high = int(np.argmin(usd)), int(np.argmax(usd))
            rows.append((str(workload), over, mean, str(names[low]), float(usd[low]), str(names[high]),
                         float(usd[high]), deviation, deviation / mean if mean > 0 else float("nan")))  # fmt: skip
    found = SPREAD.of(rows)
    return found.sort_values("workload", kind="stable", ignore_index=True)


def _change(value: pd.Series, base: pd.Series) -> pd.Series:
    return value / base.where(base > 0) - 1
