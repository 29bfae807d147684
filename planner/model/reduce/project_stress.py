"""Stress cases without flows and hours: rows on deployed units alone.

A stress case asks, slot by slot, whether *some* routing serves the stressed demand within the units v. By LP duality
(Gale 1957, Hoffman 1960 for networks; Farkas in general, with mixes and meters) that is so if and only if every ray
(μ, π, ν, σ) with

    μ[o,w] + m[w,i]  ≤  Σ_d ρ[arc,d] · π[d] + κ[arc] · ν[quota]      for every usable arc,      π, ν, σ ≥ 0

    m[w,i] = σlo[i] − Σ_j lo[j]·σlo[j] − σup[i] + Σ_j up[j]·σup[j]   (mix bounds of the case's workload)

satisfies      Σ_d π[d] · v[d,p]  ≥  Σ_{o,w} μ[o,w] · d[o,w,τ] − Σ_k ν[k] · quota[k] · trust.

The set of rays does not depend on the slot, so one ray gives one row a period, with the largest right-hand side over
its slots: neither flows nor hours are left. Rows are generated as they are violated (solver.stress finds the rays); at
the end every slot is proved by a routing, so the optimum is that of the literal programme.

Origins of one workload with the same usable arcs are one class: a routing of their sum, split in proportion, serves
each.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planner.errors import PlannerError
from planner.model import program
from planner.model.bounded_shares import bounded_shares, models_of_workload
from planner.model.columns import columns_of
from planner.model.constraints.stress_rows import stress_columns
from planner.model.family import Reduction
from planner.model.sets import Bools, Floats, Ints, Sets, StressScale

ROUNDING = 1e-12  # every row is weakened by this share of its terms, so that rounding can never make it cut too deep


@dataclass(frozen=True)
class StressNetwork:
    """One stress case on the sets of a component: who may be served by what while the case lasts.

    class_of : class of each need. arcs : a row of `sets.arcs` for each usable arc of a class; arc_class : its class.
    load_arc, load_deployment, load_units : units per krph. limit_arc, limit_quota, limit_tpm : tokens/minute per krph
    on quotas that limit; quota_tpm : what is left of each quota (inf: none).
    share_arc, share_low, share_high : row among the bounded shares of each arc (-1: none) and their bounds;
    share_class, share_model : class and model of each such row. A bounded share is one of a class.
    """

    case: StressScale
    class_of: Ints
    classes: int
    arcs: Ints
    arc_class: Ints
    load_arc: Ints
    load_deployment: Ints
    load_units: Floats
    limit_arc: Ints
    limit_quota: Ints
    limit_tpm: Floats
    quota_tpm: Floats
    share_arc: Ints
    share_class: Ints
    share_low: Floats
    share_high: Floats
    share_model: tuple[str, ...]

    def stranded(self) -> Ints:
        """Needs that nothing can serve while the case lasts."""
        reached = np.zeros(self.classes, bool)
        reached[self.arc_class] = True
        asks = self.case.demand_scale > 0
        if self.case.asked is not None:
            asks = asks & (self.case.asked > 0).any(axis=1)
        return np.flatnonzero(~reached[self.class_of] & asks)

    def class_demand(self, demand: Floats, period: int | Ints) -> Floats:
        """Stressed demand by class (krph) of demand by need in a period, or by need and slot with each one's period."""
        total = np.zeros((self.classes, *demand.shape[1:]))
        np.add.at(total, self.class_of, demand * self.case.factor(period))
        return total


@dataclass(frozen=True)
class StressRay:
    """A ray of one case: Σ units[d] · v[d, period] ≥ class_value · demand[class] − quota_usd, for every slot."""

    case: int
    units: Floats  # π, one for each deployment
    class_value: Floats  # μ, one for each class
    quota: Floats  # ν, one for each quota
    low: Floats  # σlo, one for each bounded share of a class
    high: Floats  # σup
    quota_value: float  # Σ ν · quota · trust

    def scaled(self, factor: float) -> "StressRay":
        """Return the same row, multiplied."""
        return StressRay(
            self.case, self.units * factor, self.class_value * factor, self.quota * factor,
            self.low * factor, self.high * factor, self.quota_value * factor,
        )  # fmt: skip

    def need(self, class_demand: Floats) -> Floats:
        """Right-hand side for each slot (columns of class_demand)."""
        need: Floats = self.class_value @ class_demand - self.quota_value
        return need


@dataclass(frozen=True)
class NetworkTables:
    """What the networks of all stress cases of some sets have in common, as plain arrays.

    way : number of each arc's (workload, model, region, supply). region, reserved, need, quota : of each arc.
    workload : number of each need's. share : bounded share of each arc (-1: none). bounds : rows of `shares` that
    bound, by number of the workload. low, high, model : of each row of `shares`.
    """

    way: Ints
    region: NDArray[np.object_]
    reserved: Bools
    need: Ints
    quota: Ints
    workload: Ints
    share: Ints
    bounds: dict[int, Ints]
    low: Floats
    high: Floats
    model: NDArray[np.object_]


def refuse_others(sets: Sets) -> None:
    """Refuse rules of the stress cases that the rays above do not have: a plan found by them might break those.

    Raises
    ------
    PlannerError : a family on stress flows has rows, and does not claim to be among those projected here.
    """
    silent = [family for family in program.STRESS_FAMILIES if Reduction.RAYS not in family.allows]
    at = stress_columns(sets, columns_of(sets)) if silent else None
    names = [family.name for family in silent if at is not None and family.rows(sets, at).count]
    if names:
        raise PlannerError(
            f"{', '.join(names)}: a rule of the stress cases that the search does not know (model.reduce.stress), so "
            "no plan can be trusted to keep it. Nothing was written. Leave it blank in the input"
        )


def network_tables(sets: Sets) -> NetworkTables:
    """Gather what the networks of all stress cases share.

    Raises
    ------
    PlannerError : see `refuse_others`.
    """
    refuse_others(sets)
    a, shares = sets.arcs, sets.shares
    share, low, high = bounded_shares(sets)
    names, workload = np.unique(sets.needs["workload"].to_numpy(object), return_inverse=True)
    bound = ((low > 0) & (models_of_workload(sets) > 1)) | (high < 1)
    number: dict[tuple[str, ...], int] = {}
    ways = [
        number.setdefault(way, len(number)) for way in zip(*(a[n] for n in ("workload", "model", "region", "supply")))
    ]
    of_share = shares["workload"].to_numpy(object)
    return NetworkTables(
        way=np.array(ways, dtype=np.int64),
        region=a["region"].to_numpy(object),
        reserved=a["reserved"].to_numpy(bool),
        need=a["need"].to_numpy(int),
        quota=a["quota"].to_numpy(int),
        workload=workload,
        share=share,
        bounds={k: np.flatnonzero(bound & (of_share == name)) for k, name in enumerate(names)},
        low=low,
        high=high,
        model=shares["model"].to_numpy(object),
    )


def network(sets: Sets, case: StressScale, tables: NetworkTables | None = None) -> StressNetwork:
    """Build the network of a stress case: arcs outside the failed region, needs of equal reach merged."""
    t = network_tables(sets) if tables is None else tables
    usable = np.ones(len(t.way), bool) if case.failed is None else np.asarray(t.region != case.failed, bool)
    if case.quota_scale <= 0:
        usable = usable & t.reserved
    reach = np.zeros((len(sets.needs), t.way.max(initial=-1) + 1), bool)
    reach[t.need[usable], t.way[usable]] = True
    pattern = np.column_stack([t.workload, reach])
    _, first, class_of = np.unique(pattern, axis=0, return_index=True, return_inverse=True)
    class_of = class_of.ravel()
    representative = np.zeros(len(sets.needs), bool)
    representative[first] = True
    arcs = np.flatnonzero(usable & representative[t.need])
    number = np.full(len(t.way), -1)
    number[arcs] = np.arange(len(arcs))
    arc_class = class_of[t.need[arcs]]
    load_arc = number[sets.loads["arc"].to_numpy(int)]
    kept = load_arc >= 0
    quota_tpm = sets.quotas["tokens_per_minute"].to_numpy(float) * (case.quota_scale if case.quota_scale > 0 else 1.0)
    quota = t.quota[arcs]
    limited = np.flatnonzero((quota >= 0) & np.isfinite(np.append(quota_tpm, np.inf)[quota]))
    # a bounded share without a usable arc still bounds the others (its own share is then 0)
    bounded = [(c, k) for c, need in enumerate(first) for k in t.bounds[int(t.workload[need])]]
    rows = np.array([k for _, k in bounded], dtype=np.int64)
    position = np.full((len(first), len(t.low) + 1), -1)  # the last column: no bounded share
    position[[c for c, _ in bounded], rows] = np.arange(len(bounded))
    return StressNetwork(
        case=case,
        class_of=class_of,
        classes=len(first),
        arcs=arcs,
        arc_class=arc_class,
        load_arc=load_arc[kept],
        load_deployment=sets.loads["deployment"].to_numpy(int)[kept],
        load_units=sets.loads["units"].to_numpy(float)[kept],
        limit_arc=limited,
        limit_quota=quota[limited],
        limit_tpm=sets.quota_load[arcs[limited]],
        quota_tpm=quota_tpm,
        share_arc=position[arc_class, t.share[arcs]],
        share_class=np.array([c for c, _ in bounded], dtype=np.int64),
        share_low=t.low[rows],
        share_high=t.high[rows],
        share_model=tuple(t.model[rows]),
    )


def ray_of(net: StressNetwork, case: int, *, units: Floats, quota: Floats, low: Floats, high: Floats) -> StressRay:
    """Make a valid ray from any prices: μ is set to the most that the arcs' rule allows, rounding against the row.

    ``units`` (π) by deployment, ``quota`` (ν) by quota, ``low`` and ``high`` (σ) by bounded share; negative: 0.
    """
    pi, nu = np.maximum(units, 0.0), np.maximum(quota, 0.0)
    lo, hi = np.maximum(low, 0.0), np.maximum(high, 0.0)
    price = np.zeros(len(net.arcs))
    np.add.at(price, net.load_arc, net.load_units * pi[net.load_deployment])
    np.add.at(price, net.limit_arc, net.limit_tpm * nu[net.limit_quota])
    by_class = np.zeros(net.classes)
    np.add.at(by_class, net.share_class, net.share_high * hi - net.share_low * lo)
    bonus = by_class[net.arc_class]
    size = price + np.abs(bonus)
    own = net.share_arc >= 0
    bonus[own] += (lo - hi)[net.share_arc[own]]
    size[own] += (lo + hi)[net.share_arc[own]]
    value = np.full(net.classes, np.inf)
    np.minimum.at(value, net.arc_class, price - bonus - ROUNDING * size)
    value[np.isinf(value)] = 0.0  # a class without a usable arc: `StressNetwork.stranded` tells
    finite_quota = np.where(nu > 0, nu * np.where(np.isfinite(net.quota_tpm), net.quota_tpm, 0.0), 0.0).sum()
    return StressRay(case, pi, value, nu, lo, hi, float(finite_quota * (1 + ROUNDING)))


@dataclass(frozen=True)
class SlotTree:
    """Slots of one period in groups of like demand: a binary tree over a permutation of them.

    Node k holds slots order[first[k]:last[k]]; its halves are left[k] and right[k] (-1 in a leaf of one slot).
    """

    order: Ints
    first: Ints
    last: Ints
    left: Ints
    right: Ints

    def slots(self, node: int) -> Ints:
        """Slots of a node."""
        return self.order[self.first[node] : self.last[node]]

    def envelope(self, node: int, demand: Floats) -> Floats:
        """Largest demand of each need over the node's slots (krph)."""
        top: Floats = demand[:, self.slots(node)].max(axis=1)
        return top


def slot_tree(demand: Floats, slots: Ints) -> SlotTree:
    """Split slots again and again at the median of the need whose demand varies most.

    A routing of a node's envelope (the largest demand of each need over its slots) serves every slot of the node:
    scaled down need by need it keeps each mix and lowers each load. So large groups of quiet slots are proved at once.
    """
    order = slots.copy()
    first, last, left, right = [0], [len(order)], [-1], [-1]
    todo = [0]
    while todo:
        node = todo.pop()
        a, b = first[node], last[node]
        if b - a <= 1:
            continue
        inside = demand[:, order[a:b]]
        widest = int(np.argmax(inside.max(axis=1) - inside.min(axis=1)))
        order[a:b] = order[a:b][np.argsort(-inside[widest], kind="stable")]
        middle = (a + b) // 2
        for name, (low, high) in ((left, (a, middle)), (right, (middle, b))):
            name[node] = len(first)
            first.append(low)
            last.append(high)
            left.append(-1)
            right.append(-1)
            todo.append(name[node])
    return SlotTree(order, *(np.array(x, dtype=np.int64) for x in (first, last, left, right)))
