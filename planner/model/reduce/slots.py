"""Equal slots are one slot.

Two slots of one period with the same on-demand prices and the same demand of every need have the same rows and, weeks
apart, the same costs. Given any solution, the mean of the two slots' flows (weighted by weeks) is feasible in both, for
the rows are convex, and costs the same. So the optimum keeps its value when they are merged and their weeks are added;
and a merged solution, used in both, is a solution of the literal programme. The same holds for a stress case, whose
demand is a multiple of the slot's. Seen by Malloovia for hours of equal load.

Where a family has rows on flows that tell scenarios apart, equal slots of one scenario are merged only; also where it
is left out, for its prices tell them apart too.

Where a family has rows on flows and does not claim this, every slot stays, also those without demand: its rows then
see the hours as they are. Where work waits across hours, whole weeks that are equal hour by hour are merged: the same
argument holds for weeks.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planner.model import program
from planner.model.columns import Columns, columns_of, counted_twice
from planner.model.constraints.scaled import START, START_LIMIT
from planner.model.constraints.waiting import BACKLOG, DEADLINE
from planner.model.family import Reduction
from planner.model.objective import objective
from planner.model.sets import Bools, Floats, Ints, Keep, Sets
from planner.model.structure import refusing
from planner.model.waiting import Weeks, waits


def merge_slots(sets: Sets) -> Sets:
    """Merge slots of equal period, prices and demand; drop those without demand. `members`: what each stands for.

    All slots stay where some family refuses it.
    """
    refused = refusing(sets, Reduction.SLOTS)
    if refused and set(refused) <= {BACKLOG.name, DEADLINE.name, START.name, START_LIMIT.name}:
        return _merge_weeks(sets)
    if refused:
        return replace(sets, members=tuple(np.arange(len(sets.slots)).reshape(-1, 1)))
    used = np.flatnonzero((sets.demand > 0).any(axis=0) | _runs_to_be_spent(sets)[sets.slot_period])
    return _merged(sets, _told(sets)[used], used)


def _told(sets: Sets) -> Floats:
    """Tell what makes slots alike: period, prices, the demand of every need, whether caps on what is expected count it.

    The scenario too, where rows tell it apart.
    """
    slots, apart = sets.slots, bool(refusing(replace(sets, left_out=()), Reduction.SCENARIOS))
    future = sets.slot_future if apart else np.zeros(len(slots))
    prices = [slots["price_factor"].to_numpy(float), hour_kinds(sets), slots["weeks"].to_numpy(float) > 0]
    return np.column_stack([future, slots["period"].to_numpy(float), *prices, sets.demand.T])


def hour_kinds(sets: Sets) -> Ints:
    """Give slots whose hours have the same price factors, of every option, the same number."""
    if not len(sets.price_times):
        return np.zeros(len(sets.slots), np.int64)
    _, kind = np.unique(sets.price_times, axis=0, return_inverse=True)
    found: Ints = kind.ravel()[sets.slots["hour_prices"].to_numpy(int)]
    return found


def _runs_to_be_spent(sets: Sets) -> Bools:
    """Periods in which units may run by the hour though nothing is asked: what they cost counts for several contracts.

    Array periods.
    """
    sold = np.isfinite(sets.meters["usd_per_scaled_unit_hour"].to_numpy(float))
    found: Bools = counted_twice(sets)[sold].any(axis=0)
    return found


def _merge_weeks(sets: Sets) -> Sets:
    """Merge weeks of equal period, prices and demand in every hour, for work waits across hours; drop those without."""
    weeks = Weeks.of(sets)
    first = np.unique(weeks.first)
    hours = np.arange(int(weeks.length.max(initial=0)))
    if len(sets.slots) != len(first) * len(hours):
        return replace(sets, members=tuple(np.arange(len(sets.slots)).reshape(-1, 1)))
    asked = (sets.demand > 0).any(axis=0).reshape(len(first), -1).any(axis=1)
    asked |= _runs_to_be_spent(sets)[sets.slot_period[first]]
    _, week = np.unique(_told(sets).reshape(len(first), -1), axis=0, return_inverse=True)
    used = (first[asked][:, None] + hours).ravel()
    key = np.column_stack([np.repeat(week.ravel()[asked], len(hours)), np.tile(hours, int(asked.sum()))])
    return _merged(sets, key, used)


def _merged(sets: Sets, key: NDArray[Any], used: Ints) -> Sets:
    """Merge the used slots of equal keys, in the order of time."""
    _, first, group = np.unique(key, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")  # keep the order of time
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    group = rank[group.ravel()]
    members = (
        tuple(used[np.flatnonzero(group == k)] for k in range(len(order)))
        if len(order) < len(used)
        else tuple(used[k : k + 1] for k in range(len(used)))
    )
    keep = used[first[order]]
    slots = sets.slots.iloc[keep].reset_index(drop=True)
    weeks = np.zeros(len(keep))
    np.add.at(weeks, group, sets.slots["weeks"].to_numpy(float)[used])
    return replace(sets, slots=slots.assign(weeks=weeks), demand=sets.demand[:, keep], members=members)


Line = tuple[str, str]  # offer, period


def with_kept(sets: Sets, keep: Keep, units: Mapping[Line, float], limit: Mapping[Line, float] | None = None) -> Sets:
    """Charge changes against ``units``; with ``limit``, allow no more changes than its sum over a component's lines.

    Lines of ``units`` that are not for sale are left out; purchases that it does not name are free.
    """
    lines = [(str(o), sets.periods[int(p)]) for o, p in zip(sets.purchases["offer"], sets.purchases["period"])]
    return replace(
        sets,
        keep=keep,
        purchases=sets.purchases.assign(
            kept_units=np.array([units.get(line, np.nan) for line in lines], dtype=float),
            limit_units=np.array([(limit or {}).get(line, 0.0) for line in lines], dtype=float),
        ),
    )


def with_most(sets: Sets, most: Mapping[Line, float] | None) -> Sets:
    """Sell no more units than ``most`` says of each line; of what it does not name, none. None: as the sets say."""
    if most is None:
        return sets
    lines = [(str(o), sets.periods[int(p)]) for o, p in zip(sets.purchases["offer"], sets.purchases["period"])]
    top = np.array([most.get(line, 0.0) for line in lines], dtype=float)
    sold = top > 0
    bought = sets.purchases.assign(max_units=np.minimum(sets.purchases["max_units"].to_numpy(float), top))
    return replace(sets, purchases=bought[sold].reset_index(drop=True), paid_usd=sets.paid_usd[sold])


TINY = 1e-9  # GB per month


def prune(sets: Sets) -> Sets:
    """Take out of the priced programme the arcs that no optimum needs."""
    arcs = sets.arcs
    kept = arcs["priced"].to_numpy(bool) & ~_barred(sets)
    if not refusing(sets, Reduction.ARCS):
        kept &= ~_dominated(sets, kept)
    pruned = replace(sets, arcs=arcs.assign(priced=kept))
    return replace(pruned, arcs=pruned.arcs.assign(at_once=_at_once(pruned))) if waits(sets) else pruned


def _at_once(sets: Sets) -> Bools:
    """Arcs of work that can wait whose flows gain nothing by waiting: they may serve it when it arises.

    In every hour of a week they cost the same, no row of a single hour counts them but those of the hour of arrival,
    and a row over many hours counts each alike: moving a flow to the hour of arrival keeps every row and the cost. Read
    from costs and entries, also of families that are stated of the whole only.
    """
    arcs = sets.arcs.assign(at_once=False)
    at = columns_of(replace(sets, arcs=arcs))
    counted = ~_flat(sets, at)
    for family in program.FAMILIES:
        if family.by_arrival:
            continue
        rows = family.rows(replace(sets, left_out=()), at)
        used = np.flatnonzero((rows.value != 0) & (rows.column >= at.flow_first))
        flow = rows.column[used] - at.flow_first
        if "slot" in rows.index:
            counted[at.flow_arc[flow]] = True
        elif len(flow):
            counted |= unlike_hours(sets, at, row=rows.row[used], flow=flow, value=rows.value[used])
    at_once: Bools = (arcs["latest_hours"].to_numpy(int) > 0) & arcs["priced"].to_numpy(bool) & ~counted
    return at_once


def _flat(sets: Sets, at: Columns) -> Bools:
    """Whether an arc costs the same in every hour of a week in which it may be used."""
    cost = objective(sets, at)[at.flows]
    return ~unlike_hours(sets, at, row=np.zeros(len(cost), np.int64), flow=np.arange(len(cost)), value=cost)


def unlike_hours(sets: Sets, at: Columns, *, row: Ints, flow: Ints, value: Floats) -> Bools:
    """Arcs whose flows some row does not count alike in every hour of a week; entries of flows, one row each."""
    weeks = sets.slots["weeks"].to_numpy(float)
    each = np.divide(1.0, weeks, out=np.zeros_like(weeks), where=weeks > 0)
    week = at.flow_arc * len(weeks) + Weeks.of(sets).first[at.flow_slot]  # of each flow: its arc and week
    _, week = np.unique(week, return_inverse=True)
    hours = np.bincount(week)
    per_week = value * each[at.flow_slot[flow]]
    _, group = np.unique(row * (len(hours) + 1) + week[flow], return_inverse=True)
    group = group.ravel()
    low, high = np.full(len(group), np.inf), np.full(len(group), -np.inf)
    np.minimum.at(low, group, per_week)
    np.maximum.at(high, group, per_week)
    unlike = (high - low)[group] > FLAT * np.abs(per_week)
    unlike |= np.bincount(group)[group] < hours[week[flow]]
    found = np.zeros(len(sets.arcs), bool)
    found[at.flow_arc[flow[unlike]]] = True
    return found


FLAT = 1e-12  # relative: rounding of a price


def at_home(sets: Sets) -> Sets:
    """Leave the row of a share of 0 out: `prune` takes the ways that it closes, so it ties no part to another.

    Where demand of a need counts in some slots and in others does not (a scenario of probability 0), the row stays.
    """
    if not _stays(sets):
        return sets
    counts = sets.slots["weeks"].to_numpy(float) > 0
    weighs, free = (np.any(sets.demand[:, slots] > 0, axis=1) for slots in (counts, ~counts))
    both: Bools = np.asarray(weighs & free, bool)
    if both[sets.arcs["need"].to_numpy(int)[sets.arcs["away"].to_numpy(bool)]].any():
        return sets
    return replace(sets, at_home=True, max_away_share=None)


def without_closed_ways(sets: Sets) -> Sets:
    """Take the ways out of the priced programme whose row `at_home` left out; parts are split before: stress uses them.

    `prune` does that too.
    """
    if not sets.at_home:
        return sets
    return replace(sets, arcs=sets.arcs.assign(priced=sets.arcs["priced"].to_numpy(bool) & ~_counted_away(sets)))


def _stays(sets: Sets) -> bool:
    """Whether no request may be served away from its origin."""
    share = None if "cross_region_share" in sets.left_out else sets.max_away_share
    return sets.at_home or (share is not None and share <= 0)


def _counted_away(sets: Sets) -> Bools:
    """Arcs to another region of needs whose demand counts, all of it, in what is expected."""
    uncounted: Bools = np.any(sets.demand[:, sets.slots["weeks"].to_numpy(float) <= 0] > 0, axis=1)
    found: Bools = sets.arcs["away"].to_numpy(bool) & ~uncounted[sets.arcs["need"].to_numpy(int)]
    return found


def _barred(sets: Sets) -> Bools:
    """Arcs that a quota, share or cap of 0 closes; what does not count in an expected value is not closed by one."""
    arcs = sets.arcs
    quota = np.append(sets.quotas["tokens_per_minute"].to_numpy(float), np.inf)[arcs["quota"].to_numpy(int)]
    barred = (quota <= 0) & (sets.quota_load > 0)
    if _stays(sets):
        barred |= _counted_away(sets)
    caps = sets.caps.iloc[:0] if "egress" in sets.left_out else sets.caps
    closed = {(o, s) for o, s, cap in caps.itertuples(index=False) if cap < TINY}
    if closed:
        ends = list(zip(arcs["origin"], arcs["region"]))
        there = np.array([pair in closed for pair in ends]) & (arcs["gb_in"] > 0).to_numpy()
        back = np.array([(s, o) in closed for o, s in ends]) & (arcs["gb_out"] > 0).to_numpy()
        barred |= (there | back) & _counted_away(sets)
    return np.asarray(barred, bool)


def _contracts(sets: Sets) -> tuple[int, Ints]:
    """Most contracts that one on-demand dollar counts for, and a number that tells which count the spend of an arc."""
    if sets.spend is None:
        return 0, np.zeros(len(sets.arcs), np.int64)
    counted = sets.spend.of_regions(sets.spend.on_demand, sets.arcs["region"])
    every = np.moveaxis(counted, 1, 0).reshape(len(sets.arcs), -1)
    _, kind = np.unique(every, axis=0, return_inverse=True)
    return int(counted.sum(axis=0).max(initial=0)), kind.ravel()


def _dominated(sets: Sets, kept: Bools) -> Bools:
    arcs = sets.arcs
    dominated = np.zeros(len(arcs), bool)
    if not len(sets.slots):
        return dominated
    quota = np.append(sets.quotas["tokens_per_minute"].to_numpy(float), np.inf)[arcs["quota"].to_numpy(int)]
    unlimited = kept & ~arcs["reserved"].to_numpy(bool) & np.isinf(quota)
    if not unlimited.any():
        return dominated
    factors = sets.slots["price_factor"].to_numpy(float)
    _, first_slot = np.unique(hour_kinds(sets), return_index=True)
    arc, kind = (axis.ravel() for axis in np.indices((len(arcs), len(first_slot))))
    hourly = sets.hour_times(arc, first_slot[kind])
    usd = (arcs["usd"].to_numpy(float)[arc] * hourly).reshape(len(arcs), -1)  # arcs x kinds of hour
    egress = arcs["egress_usd"].to_numpy(float)[:, None]
    most, counted = _contracts(sets)
    least = min(factors.min(), factors.max() * (1 - most))  # what is spent on a contract may be worth its price
    low, high = least * usd + egress, factors.max() * usd + egress  # linear in the factor: the ends decide
    away, sure = arcs["away"].to_numpy(bool), arcs["guaranteed"].to_numpy(bool)
    region = arcs["region"].to_numpy(object)
    late, flat = arcs["latest_hours"].to_numpy(int), np.ones(len(arcs), bool)
    if waits(sets):  # a flow that waits may be served earlier instead, where the price of no hour is lower
        flat = _flat(sets, columns_of(sets))
    for rows in arcs.groupby(["need", "model"], sort=False).indices.values():
        for b in rows[unlimited[rows]]:
            if dominated[b]:
                continue
            cheaper = ((low[b] <= low[rows]) & (high[b] <= high[rows])).all(axis=1)
            equal = ((low[b] == low[rows]) & (high[b] == high[rows])).all(axis=1)
            alike = counted[rows] == counted[b]  # else the one may be worth its price, the other not
            cheaper &= alike | (np.maximum(low[b], high[b]) <= np.minimum(low[rows], high[rows])).all(axis=1)
            in_time = (late[b] >= late[rows]) | (flat[b] & flat[rows])
            fits = in_time & (sure[b] | ~sure[rows]) & ((not away[b]) | (region[rows] == region[b]))
            first = ~(equal & unlimited[rows]) | (rows > b)
            dominated[rows[cheaper & fits & first & (rows != b)]] = True
    return dominated
