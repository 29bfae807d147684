"""The margin of a stress case: the largest uniform growth of demand that the plan's own units still serve.

In one slot τ, with stressed demand d[c] of each class of origins, the least share s of everything that stands (units
and the quotas that count) that serves it is a linear programme:

    s(d) = min s     Σ_way y = d[c]     y[model] within its shares     load of each unit and quota ≤ s · what stands

Every row is homogeneous, so demand may grow to 1/s(d) times itself, and the margin of the case is the least of
1/s − 1 over all slots. No bisection, and few programmes, for s is convex, monotone and homogeneous:

- prices μ of one slot bound every other from below, s(d') ≥ μ·d': they lead to the slot that binds;
- s(d') ≤ s(d) · max d'/d: slots of like shape are settled by one;
- the envelope of a group (the largest demand of each class) needs at least what each of its slots needs: a group whose
  envelope needs no more than the binding slot is settled whole, any other is cut in two.

Growth of one workload alone, the others as they are, is the programme max t with t · d[c] for the classes of that
workload and s = 1. It is bounded from above by prices, t ≤ (1 − μ·d[others]) / μ·d[own], and settled by envelopes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from planner.plan.audit.capacity_check import deployed_units
from planner.plan.audit.findings import BROKEN, TOLERANCE
from planner.plan.flows import Names
from planner.plan.reading import Reading
from planner.plan.stress_cases import LOAD_COLUMNS, Margin, StressCase, WorkloadMargin
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK
from planner.verify.linear import INF, Entries, Floats, Ints, Programme
from planner.verify.stress_proof import Reach, mix_entries, parts_of, reach_of

EQUAL = 1e-7  # relative: shares that count as equal
_ALMOST = 0.98  # growth that may be 1 but for rounding
_ROOM = 1e-7  # relative: what the binding slot may take more when it is routed, where rounding needs it
MOST_WORKLOAD_MARGINS = 500  # workloads x cases x kinds of months: beyond it single workloads are not looked at


def margins_of(
    reading: Reading, units: Floats | None = None, *, workloads: bool = True, asked: "Sequence[Asked] | None" = None
) -> tuple[Margin, ...]:
    """Find the margin of every stress case of a plan.

    Parameters
    ----------
    reading : the case and the plan; of the plan only the deployments are looked at.
    units : deployments x periods; None: the plan's. workloads : also of each workload alone.
    asked : `asked_of` the reading, if the caller has it.

    Returns
    -------
    One margin a stress case, in the order of `reading.stress_cases`.
    """
    names = reading.names
    asked = asked_of(reading) if asked is None else asked
    units = deployed_units(names, reading.plan.deployments) if units is None else units
    kinds = len(np.unique(units, axis=1).T) if units.size else 1
    each = workloads and len(names.workloads) * len(reading.stress_cases) * kinds <= MOST_WORKLOAD_MARGINS
    return tuple(_margin(reading, of_case, units, each) for of_case in asked)


def broken_cases(reading: Reading, asked: "Sequence[Asked]", units: Floats) -> list[str]:
    """Name the stress cases that some units (deployments x periods) do not serve, as `margins_of` would find.

    Only slots that need more than what stands are looked for, so that mostly a programme or two a part are solved.
    """
    return [of_case.stressed.name for of_case in asked if _is_broken(reading, of_case, units)]


@dataclass(frozen=True)
class Asked:
    """What a stress case asks for, whatever units stand: demand by class and slot, and the ways of each part."""

    stressed: StressCase
    reach: Reach
    wanted: Floats
    layouts: "tuple[tuple[Ints, _Layout], ...]"


def asked_of(reading: Reading) -> tuple[Asked, ...]:
    """Work out what every stress case asks for, in the order of `reading.stress_cases`."""
    found = []
    for stressed in reading.stress_cases:
        reach = reach_of(reading.case, reading.derived, reading.names, stressed)
        wanted = reach.class_demand(reading.demand * stressed.need_factor[:, None])
        found.append(Asked(stressed, reach, wanted, _layouts(reading, stressed, reach, wanted)))
    return tuple(found)


def _layouts(
    reading: Reading, stressed: StressCase, reach: Reach, wanted: Floats
) -> "tuple[tuple[Ints, _Layout], ...]":
    case, names = reading.case, reading.names
    return tuple(
        (part, _Layout.of(case, names, stressed, reach, part)) for part in parts_of(reach) if wanted[part].any()
    )


def _is_broken(reading: Reading, asked: Asked, units: Floats) -> bool:
    best = _Worst(-1, 1.0)
    for server in _servers(reading.names, asked, units):
        server.worst(best)
        if best.share * _ALMOST >= 1:
            return True
    return best.slot >= 0 and 1 / best.share < 1 - BROKEN and not _within_tolerance(reading, asked, units)


def _margin(reading: Reading, of_case: Asked, units: Floats, each: bool) -> Margin:
    names, stressed, reach, wanted = reading.names, of_case.stressed, of_case.reach, of_case.wanted
    asked = wanted.sum(axis=0)
    if not asked.any():
        return Margin(stressed, -1, 0.0, float("nan"), pd.DataFrame(columns=list(LOAD_COLUMNS)))
    servers = list(_servers(names, of_case, units))
    best = _Worst(int(np.argmax(asked)), 0.0)
    for server in servers:
        server.worst(best)
    growth = np.inf if best.share <= 0 else 0.0 if np.isinf(best.share) else 1 / best.share
    if _ALMOST < growth < 1 and _within_tolerance(reading, of_case, units):
        growth = 1.0
    workloads = tuple(_workloads(names, reach, servers, growth)) if each else ()
    load = pd.concat([s.load(best.slot) for s in servers if best.slot in s.slots] or [_no_load()], ignore_index=True)
    keys = [name for name in LOAD_COLUMNS if name != "requests_per_hour"]
    summed = load.groupby(keys, as_index=False)[["requests_per_hour"]].sum()
    return Margin(stressed, best.slot, float(asked[best.slot]), growth, summed[list(LOAD_COLUMNS)], workloads)


def _servers(names: Names, asked: Asked, units: Floats) -> "Iterator[_MarginServer]":
    """One programme a part and kind of month (months in which the same units stand)."""
    period, wanted = np.arange(names.slot_count) // HOURS_PER_WEEK % len(names.periods), asked.wanted
    for part, layout in asked.layouts:
        standing = units[layout.deployments]
        kinds, of_period = np.unique(standing, axis=1, return_inverse=True)
        for kind in range(kinds.shape[1]):
            slots = np.flatnonzero((of_period.reshape(-1) == kind)[period])
            slots = slots[wanted[np.ix_(part, slots)].sum(axis=0) > 0]
            if len(slots):
                yield _MarginServer(layout, kinds[:, kind], wanted[np.ix_(part, slots)], slots)


def _within_tolerance(reading: Reading, asked: Asked, units: Floats) -> bool:
    """Whether the case holds by the audit's tolerance: units are rounded when they are written."""
    quota_tpm = asked.stressed.quota_tpm
    wider = replace(asked.stressed, quota_tpm=quota_tpm * (1 + TOLERANCE) + TOLERANCE * (quota_tpm > 0))
    wide = replace(asked, stressed=wider, layouts=_layouts(reading, wider, asked.reach, asked.wanted))
    best = _Worst(-1, 0.0)
    for server in _servers(reading.names, wide, units * (1 + TOLERANCE) + TOLERANCE):
        server.worst(best)
    return best.share <= 1 + TOLERANCE


@dataclass
class _Worst:
    """The slot that needs the largest share of what stands, so far."""

    slot: int
    share: float

    def beaten_by(self, share: float) -> bool:
        return share > self.share * (1 + EQUAL) + 1e-12


@dataclass(frozen=True)
class _Layout:
    """Ways of one part of a stress case, by position.

    of_class : class (position in the part) of each way. workload : of each class. at, way, amount : loads on things,
    which are `deployments` first and then quotas, in units or tokens/minute per request/hour. quota_tpm : what counts
    of each quota. shares, share_lower, share_upper : rows of the mix. table : of each way, LOAD_COLUMNS but the last.
    """

    of_class: Ints
    workload: Ints
    deployments: Ints
    quota_tpm: Floats
    at: Ints
    way: Ints
    amount: Floats
    shares: Entries
    share_lower: Floats
    share_upper: Floats
    table: pd.DataFrame

    @classmethod
    def of(cls, case: Case, names: Names, stressed: StressCase, reach: Reach, part: Ints) -> "_Layout":
        position = np.full(len(reach.workload), -1, np.int64)
        position[part] = np.arange(len(part))
        ways = reach.ways[position[reach.ways["class"].to_numpy(int)] >= 0]
        column = np.full(len(reach.ways), -1, np.int64)
        column[ways["way"].to_numpy(int)] = np.arange(len(ways))
        of_class = position[ways["class"].to_numpy(int)]
        things, at, way, amount = [], [], [], []
        first = 0
        for table, name in ((reach.loads, "units_per_request"), (reach.counted, "quota_per_request")):
            own = column[table["way"].to_numpy(int)]
            used = own >= 0
            thing, number = np.unique(table["at"].to_numpy(int)[used], return_inverse=True)
            things.append(thing.astype(np.int64))
            at.append(number.reshape(-1) + first)
            way.append(own[used])
            amount.append(table[name].to_numpy(float)[used])
            first += len(thing)
        limited = np.zeros(len(ways), bool)
        limited[way[1]] = True
        shares, lower, upper = mix_entries(case, names, reach.workload[part], ways["model"].to_numpy(), of_class)
        table = ways[["region", "model", "supply", "reserved"]].reset_index(drop=True)
        return cls(
            of_class=of_class, workload=reach.workload[part], deployments=things[0],
            quota_tpm=stressed.quota_tpm[things[1]], at=np.concatenate(at).astype(np.int64),
            way=np.concatenate(way).astype(np.int64), amount=np.concatenate(amount), shares=shares, share_lower=lower,
            share_upper=upper, table=table.assign(unlimited=~table["reserved"].to_numpy(bool) & ~limited),
        )  # fmt: skip


@dataclass
class _MarginServer:
    """The programme of a part in the months in which the same units stand; only demand changes from solve to solve.

    Columns: requests of each way, then s, then t. Rows: classes, mix, things that stand.
    """

    layout: _Layout
    units: Floats
    wanted: Floats  # classes x slots, requests per hour
    slots: Ints
    prices: list[Floats] = field(default_factory=list)  # of classes: shares of what stands per request/hour

    def __post_init__(self) -> None:
        at = self.layout
        self.scale = float(self.wanted.max())
        ways, classes = len(at.of_class), len(at.workload)
        self.s, self.t = ways, ways + 1
        standing = np.concatenate([self.units, at.quota_tpm])
        nothing = standing <= 0
        first = classes + len(at.share_lower)
        size = np.where(nothing, 1.0, standing)
        things = np.arange(len(standing))
        parts = [
            Entries(at.of_class, np.arange(ways), np.ones(ways)),
            Entries(at.shares.row + classes, at.shares.column, at.shares.value),
            Entries(first + at.at, at.way, at.amount * self.scale / size[at.at]),
            Entries(first + things, np.full(len(things), self.s), np.where(nothing, 0.0, -1.0)),
        ]
        upper = np.full(ways + 2, INF)
        used = at.amount > 0
        upper[at.way[used & nothing[at.at]]] = 0.0
        upper[self.t] = 0.0
        cost = np.zeros(ways + 2)
        cost[self.s] = 1.0
        blank = np.zeros(classes)
        self.programme = Programme(
            cost, upper,
            np.concatenate([blank, at.share_lower, np.full(len(things), -INF)]),
            np.concatenate([blank, at.share_upper, np.zeros(len(things))]),
            Entries.joined(parts),
        )  # fmt: skip

    def worst(self, best: _Worst) -> None:
        """Put the slot in place of the worst so far that needs a larger share of what stands."""
        wanted = self.wanted
        lower, upper = np.zeros(len(self.slots)), np.full(len(self.slots), np.inf)
        solved = np.zeros(len(self.slots), bool)
        k = int(np.argmax(wanted.sum(axis=0)))
        while not solved[k]:
            share, price = self.least_share(wanted[:, k])
            solved[k] = True
            if best.beaten_by(share):
                best.slot, best.share = int(self.slots[k]), share
            if np.isinf(share):
                return
            self.prices.append(price)
            lower = np.maximum(lower, price @ wanted)
            times = _times(wanted, wanted[:, k])
            upper = np.minimum(upper, np.where(np.isinf(times), np.inf, share * np.nan_to_num(times, posinf=0.0)))
            rest = np.where(solved, -1.0, lower)
            k = int(np.argmax(rest))
            if not best.beaten_by(rest[k]):
                break
        todo = [np.flatnonzero(~solved & (upper > best.share * (1 + EQUAL)))]
        while todo:
            group = todo.pop()
            group = group[upper[group] > best.share * (1 + EQUAL)]
            if not len(group):
                continue
            envelope = wanted[:, group].max(axis=1)
            share, _ = self.least_share(envelope)
            if not best.beaten_by(share):
                continue
            if len(group) == 1:
                best.slot, best.share = int(self.slots[group[0]]), share
                continue
            todo += _halves(wanted, group)

    def least_share(self, demand: Floats) -> tuple[float, Floats]:
        """Return s of a demand by class (requests/hour), and what one more request/hour of each class adds to it."""
        classes = np.arange(len(demand))
        self.programme.row_bounds(classes, demand / self.scale, demand / self.scale)
        share = self.programme.solve()
        return share, self.programme.prices()[classes] / self.scale

    def least_growth(self, own: Ints, best: tuple[float, int]) -> tuple[float, int]:
        """Return the least growth (and its slot) of some classes alone over all slots, if less than the best so far.

        Every slot must be served as it is: growth of everything is at least 1.
        """
        others = np.setdiff1d(np.arange(len(self.layout.workload)), own)
        busy = np.flatnonzero(self.wanted[own].sum(axis=0) > 0)
        if not len(busy):
            return best
        self._alone(True)
        try:
            growth, slot = best
            upper = np.full(len(busy), np.inf)
            for price in self.prices:
                upper = np.minimum(upper, _bound(price, self.wanted[:, busy], own, others))
            tried: set[int] = set()
            while len(tried) < len(busy):
                left = np.array([np.inf if k in tried else upper[k] for k in range(len(busy))])
                k = int(np.argmin(left)) if np.isfinite(left).any() else int(np.argmax(
                    [-1.0 if j in tried else self.wanted[own, busy[j]].sum() for j in range(len(busy))]))  # fmt: skip
                if tried and left[k] >= growth * (1 - EQUAL):
                    break
                tried.add(k)
                found, ray = self._growth(self.wanted[:, busy[k]], own)
                if found < growth * (1 - EQUAL):
                    growth, slot = found, int(self.slots[busy[k]])
                if ray is not None:
                    upper = np.minimum(upper, _bound(ray, self.wanted[:, busy], own, others))
            todo = [busy[[k for k in range(len(busy)) if k not in tried]]]
            while todo:
                group = todo.pop()
                if not len(group):
                    continue
                found, _ = self._growth(self.wanted[:, group].max(axis=1), own)
                if found >= growth * (1 - EQUAL):
                    continue
                if len(group) == 1:
                    growth, slot = found, int(self.slots[group[0]])
                    continue
                todo += _halves(self.wanted, group)
            return growth, slot
        finally:
            self._alone(False)

    def _growth(self, demand: Floats, own: Ints) -> tuple[float, Floats | None]:
        """Return the largest t, and prices that bound other slots: 1 = Σ π · what stands (None: t has no limit)."""
        classes = np.arange(len(demand))
        fixed = demand / self.scale
        for c in classes.tolist():
            self.programme.entry(c, self.t, -float(fixed[c]) if c in own else 0.0)
        fixed = np.where(np.isin(classes, own), 0.0, fixed)
        self.programme.row_bounds(classes, fixed, fixed)
        growth = -self.programme.solve()
        if growth == -np.inf:  # what the others ask for cannot be served beside it
            return 0.0, None
        if growth >= _NO_LIMIT:
            return np.inf, None
        price = self.programme.prices()[classes] / self.scale
        value = float(price[own] @ demand[own]) * growth + float(np.delete(price, own) @ np.delete(demand, own))
        return growth, price / value if value > 0 else None

    def _alone(self, alone: bool) -> None:
        """Switch between growth of everything (least s) and growth of some classes (most t, s = 1)."""
        columns = np.array([self.s, self.t])
        if alone:
            self.programme.column_bounds(columns, np.array([1.0, 0.0]), np.array([1.0, _NO_LIMIT]))
            self.programme.costs(columns, np.array([0.0, -1.0]))
        else:
            self.programme.column_bounds(columns, np.zeros(2), np.array([INF, 0.0]))
            self.programme.costs(columns, np.array([1.0, 0.0]))

    def load(self, slot: int) -> pd.DataFrame:
        """Route a slot's demand, or as much of it as can be served, with the most on reserved units: LOAD_COLUMNS."""
        demand = self.wanted[:, int(np.flatnonzero(self.slots == slot)[0])]
        share, _ = self.least_share(demand)
        if np.isinf(share):
            return _no_load()
        served = demand * min(1.0, 1 / share if share > 0 else 1.0)
        ways = np.arange(len(self.layout.of_class))
        bought = (~self.layout.table["reserved"].to_numpy(bool)).astype(float)
        self.programme.costs(np.append(ways, self.s), np.append(bought, 0.0))
        classes = np.arange(len(demand))
        self.programme.row_bounds(classes, served / self.scale, served / self.scale)
        for standing in (1.0, 1.0 + _ROOM):
            self.programme.column_bounds(np.array([self.s]), np.full(1, standing), np.full(1, standing))
            if np.isfinite(self.programme.solve()):
                break
        rph = np.maximum(self.programme.values()[ways], 0.0) * self.scale
        return self.layout.table.assign(requests_per_hour=rph)[rph > self.scale * 1e-9][list(LOAD_COLUMNS)]


_NO_LIMIT = 1e6  # growth that counts as endless


def _workloads(names: Names, reach: Reach, servers: list[_MarginServer], growth: float) -> Iterator[WorkloadMargin]:
    """Growth of each workload that asks for something, alone; where the case is broken there is none to give."""
    if growth < 1 - EQUAL:
        return
    for number, name in enumerate(names.workloads):
        best, asks = (np.inf, -1), False
        for server in servers:
            own = np.flatnonzero(server.layout.workload == number)
            if len(own) and server.wanted[own].any():
                best, asks = server.least_growth(own, best), True
        if asks:
            yield WorkloadMargin(name, max(1.0, best[0]), best[1])


def _bound(price: Floats, wanted: Floats, own: Ints, others: Ints) -> Floats:
    """Bound growth of some classes in each slot from above."""
    mine = price[own] @ wanted[own]
    found: Floats = np.full(len(mine), np.inf)
    np.divide(1 - price[others] @ wanted[others], mine, out=found, where=mine > 1e-15)
    return found


def _times(wanted: Floats, demand: Floats) -> Floats:
    """How many times a demand by class covers each slot's: the largest ratio of a class."""
    ratio = np.zeros(wanted.shape)
    np.divide(wanted, demand[:, None], out=ratio, where=demand[:, None] > 0)
    ratio[(demand[:, None] <= 0) & (wanted > 0)] = np.inf
    found: Floats = ratio.max(axis=0)
    return found


def _halves(wanted: Floats, group: Ints) -> list[Ints]:
    """Cut a group of slots in two, by the class in which they differ most."""
    inside = wanted[:, group]
    widest = int(np.argmax(inside.max(axis=1) - inside.min(axis=1)))
    order = group[np.argsort(-inside[widest], kind="stable")]
    half = len(order) // 2
    return [order[half:], order[:half]]


def _no_load() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=object) for name in LOAD_COLUMNS[:-1]} | {
        LOAD_COLUMNS[-1]: pd.Series(dtype=float)})  # fmt: skip
