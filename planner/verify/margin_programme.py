"""The programme of a margin: what of everything that stands one part of a stress case needs, slot by slot.

The mathematics stand in `verify.growth_margins`.
"""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from planner.plan.flows import Names
from planner.plan.stress_cases import LOAD_COLUMNS, StressCase
from planner.schema.case import Case
from planner.verify.linear import INF, Entries, Floats, Ints, Programme
from planner.verify.stress_proof import Reach, mix_entries

EQUAL = 1e-7  # relative: shares that count as equal
_ROOM = 1e-7  # relative: what the binding slot may take more when it is routed, where rounding needs it


@dataclass
class Worst:
    """The slot that needs the largest share of what stands, so far."""

    slot: int
    share: float

    def beaten_by(self, share: float) -> bool:
        """Tell whether a share is larger by more than rounding."""
        return share > self.share * (1 + EQUAL) + 1e-12


@dataclass(frozen=True)
class Layout:
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
    def of(cls, case: Case, names: Names, stressed: StressCase, reach: Reach, part: Ints) -> "Layout":
        """Lay out the ways of one part of a stress case."""
        ways, column, of_class = reach.of_part(part)
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
class MarginServer:
    """The programme of a part in the months in which the same units stand; only demand changes from solve to solve.

    Columns: requests of each way, then s, then t. Rows: classes, mix, things that stand.
    """

    layout: Layout
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

    def worst(self, best: Worst) -> None:
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
            return no_load()
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

    def fewest_unserved(self, slot: int) -> float:
        """Return the fewest requests per hour of a slot that go unserved, whichever they are. Ends other uses."""
        demand = self.wanted[:, int(np.flatnonzero(self.slots == slot)[0])]
        ways, classes = np.arange(len(self.layout.of_class)), np.arange(len(demand))
        self.programme.costs(np.append(ways, self.s), np.append(np.full(len(ways), -1.0), 0.0))
        self.programme.column_bounds(np.array([self.s]), np.ones(1), np.ones(1))
        self.programme.row_bounds(classes, np.zeros(len(demand)), demand / self.scale)
        return max(0.0, float(demand.sum()) + self.programme.solve() * self.scale)


_NO_LIMIT = 1e6  # growth that counts as endless


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


def no_load() -> pd.DataFrame:
    """Return a table of load without rows."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in LOAD_COLUMNS[:-1]} | {
        LOAD_COLUMNS[-1]: pd.Series(dtype=float)})  # fmt: skip
