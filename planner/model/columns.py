"""Columns: each decision declared once, with its index, bounds, unit and meaning (docs/model.md, "What is decided")."""

from dataclasses import dataclass

import numpy as np

from planner.model.sets import Bools, Floats, Ints, Sets
from planner.model.waiting import Queues, Reach, Weeks, queues_of, reach_of, served_peaks


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Where each decision stands among the columns of the programme (all are >= 0).

    sized : columns (x or v) whose size rules hold here; empty where units need not be whole.
    size_low, size_step, size_top : their min_units, unit_step (0: any) and largest sensible size.
    size_on : 0/1 column "more than nothing" of each sized column, -1 where min_units is 0.
    size_steps : whole number of unit_steps above min_units, -1 where the step is 0.
    size_follows : whether a sized column is whole by itself in some optimum once the others are (`_follows`).
    committed : x[purchase], units committed at the start of a period under an offer. Array purchases.
    deployed : v[deployment, period], units. Array deployments x periods.
    unreserved : u[meter, period], units beyond the commitments; -1 where the pool has no such price.
        Array meters x periods.
    more, fewer : units above and below those of the last plan, one each a kept purchase (`constraints.keep`).
    hours_first : number of the first column that is decided by the hour: those of queues, then flows.
    taken, backlog, credit : of work that can wait (`model.waiting`): arrivals that a queue takes, work that waits, work
        served before its last hour (krph); -1 where there is none. Arrays queues x slots.
    scaled, started : units that run by the hour, and of them those that start (`constraints.scaled`); -1 where there
        is none. Arrays deployments x slots.
    queues, reach : the queues, and in which slots they take, serve and hold work.
    short : USD of each contract that stay unspent in each scenario, contracts x scenarios (`constraints.spend`); -1
        where the scenario has no probability. No rows where the family is left out or there is no contract.
    threshold : the cost from which a scenario counts as dear (`constraints.risk`): one column, or none without risk.
    over, under : USD that each scenario costs above and below it; -1 where it has no probability. Array scenarios.
    flow_first : number of the first flow column; flows are the last columns.
    flow_arc, flow_slot : arc and slot of each flow: y where the arc is reserved, z where it is on demand (krph).
    flow_case : -1; in the literal programme, the number of the stress case whose flow it is.
    upper : upper bound of each column.
    """

    committed: Ints
    deployed: Ints
    unreserved: Ints
    more: Ints
    fewer: Ints
    hours_first: int
    taken: Ints
    backlog: Ints
    credit: Ints
    scaled: Ints
    started: Ints
    queues: Queues
    reach: Reach
    short: Ints
    threshold: Ints
    over: Ints
    under: Ints
    flow_first: int
    flow_arc: Ints
    flow_slot: Ints
    flow_case: Ints
    upper: Floats
    sized: Ints
    size_low: Floats
    size_step: Floats
    size_top: Floats
    size_on: Ints
    size_steps: Ints
    size_follows: Bools

    @property
    def integer(self) -> Bools:
        """Whether each column must be a whole number."""
        whole = np.zeros(self.count, bool)
        whole[self.size_on[self.size_on >= 0]] = True
        whole[self.size_steps[self.size_steps >= 0]] = True
        return whole

    @property
    def searched(self) -> Bools:
        """Whether a search must see to it that a column is whole: those that follow the others are left out."""
        whole = self.integer
        whole[self.size_steps[self.size_follows]] = False
        return whole

    @property
    def count(self) -> int:
        """Number of columns."""
        return self.flow_first + len(self.flow_arc)

    @property
    def hour_slots(self) -> Ints:
        """Slot of each column that is decided by the hour, from `hours_first` on."""
        slot = np.concatenate([np.full(self.flow_first - self.hours_first, -1), self.flow_slot])
        for columns in (self.taken, self.backlog, self.credit, self.scaled, self.started):
            queue, at = np.nonzero(columns >= 0)
            slot[columns[queue, at] - self.hours_first] = at
        return slot

    def flow_numbers(self, sets: Sets) -> Ints:
        """Column of each flow, array arcs x slots; -1: none."""
        found = np.full((len(sets.arcs), len(sets.slots)), -1, dtype=np.int64)
        found[self.flow_arc, self.flow_slot] = self.flows
        return found

    @property
    def flows(self) -> Ints:
        """Column numbers of all flows."""
        return np.arange(self.flow_first, self.count)


def columns_of(sets: Sets, sized: bool = False, largest: Floats | None = None) -> Columns:
    """Give each decision its number: committed, deployed, unreserved, changes, sizes, then flows (arc and slot in use).

    With ``sized``, and where the policy asks for whole units, the size rules of x and v get their columns; ``largest``
    is then the largest size of each x and v (`largest_sizes` if None).
    """
    periods, purchases = len(sets.periods), len(sets.purchases)
    committed = np.arange(purchases)
    deployed = purchases + np.arange(len(sets.deployments) * periods).reshape(-1, periods)
    first = purchases + deployed.size
    has_price = np.isfinite(sets.meters["usd_per_unreserved_unit_hour"].to_numpy(float))
    unreserved = np.full((len(sets.meters), periods), -1)
    unreserved[has_price] = first + np.arange(has_price.sum() * periods).reshape(-1, periods)
    first += int(has_price.sum()) * periods
    more = first + np.arange(len(kept_purchases(sets)))
    fewer = more + len(more)
    first += 2 * len(more)
    short, threshold, over, under, first = _joint(sets, first)
    bought, part = sets.purchases, sets.deployments
    low = np.concatenate([bought["min_units"].to_numpy(float), np.repeat(part["min_units"].to_numpy(float), periods)])
    step = np.concatenate([bought["unit_step"].to_numpy(float), np.repeat(part["unit_step"].to_numpy(float), periods)])
    low = np.where(low == step, 0.0, low)  # 0, step, 2 step, ... needs no switch
    rules = np.flatnonzero((low > 0) | (step > 0)) if sized and sets.whole_units else np.empty(0, np.int64)
    top, follows = np.zeros(len(low)), np.zeros(len(low), bool)
    if len(rules):
        top = largest_sizes(sets) if largest is None else largest
        follows[: len(bought)] = _follows(sets)
    low, step = low[rules], step[rules]
    on, steps = np.full(len(rules), -1), np.full(len(rules), -1)
    on[low > 0] = first + np.arange((low > 0).sum())
    first += int((low > 0).sum())
    steps[step > 0] = first + np.arange((step > 0).sum())
    first += int((step > 0).sum())
    hours_first = first
    queues = queues_of(sets)
    reach = reach_of(sets, queues)
    taken, backlog, credit = (np.full(reach.takes.shape, -1) for _ in range(3))
    for columns, where in ((taken, reach.takes), (backlog, reach.holds), (credit, reach.holds)):
        columns[where] = first + np.arange(where.sum())
        first += int(where.sum())
    usable = _usable(sets, queues, reach)
    runs, starts = _runs(sets, usable)
    scaled, started = np.full(runs.shape, -1), np.full(runs.shape, -1)
    for columns, where in ((scaled, runs), (started, starts)):
        columns[where] = first + np.arange(where.sum())
        first += int(where.sum())
    arc, slot = np.nonzero(usable)
    upper = np.full(first + len(arc), np.inf)
    upper[committed] = largest_purchase(sets)
    upper[on[low > 0]] = 1.0
    top = top[rules]
    upper[steps[step > 0]] = np.maximum(np.floor((top - low)[step > 0] / step[step > 0] + 1e-9), 0.0)
    return Columns(
        committed=committed,
        deployed=deployed,
        unreserved=unreserved,
        more=more,
        fewer=fewer,
        hours_first=hours_first,
        taken=taken,
        backlog=backlog,
        credit=credit,
        scaled=scaled,
        started=started,
        queues=queues,
        reach=reach,
        short=short,
        threshold=threshold,
        over=over,
        under=under,
        flow_first=first,
        flow_arc=arc,
        flow_slot=slot,
        flow_case=np.full(len(arc), -1),
        upper=upper,
        sized=rules,
        size_low=low,
        size_step=step,
        size_top=top,
        size_on=on,
        size_steps=steps,
        size_follows=follows[rules],
    )


def _runs(sets: Sets, usable: Bools) -> tuple[Bools, Bools]:
    """Whether units of a deployment may run by the hour in a slot, and start in it: arrays deployments x slots.

    Where some flow may load them; where a start costs something, in all of that week: they may run on through a lull.
    Where what is spent counts for several contracts, always: they may run to be spent.
    """
    meter = sets.deployments["meter_row"].to_numpy(int)
    sold = np.isfinite(sets.meters["usd_per_scaled_unit_hour"].to_numpy(float))[meter]
    runs = np.zeros((len(meter), len(sets.slots)), bool)
    starts = np.zeros_like(runs)
    if not sold.any():
        return runs, starts
    part, arc = sets.loads["deployment"].to_numpy(int), sets.loads["arc"].to_numpy(int)
    mine = sold[part]
    np.logical_or.at(runs, part[mine], usable[arc[mine]])
    runs |= sold[:, None] & counted_twice(sets)[meter][:, sets.slot_period]
    cold = sold & (sets.meters["start_hours"].to_numpy(float)[meter] > 0)
    weeks, week = np.unique(Weeks.of(sets).first, return_inverse=True)
    for d in np.flatnonzero(cold):
        asked = np.zeros(len(weeks), bool)
        np.logical_or.at(asked, week, runs[d])
        runs[d] = starts[d] = asked[week]
    return runs, starts


def counted_twice(sets: Sets) -> Bools:
    """Whether what units by the hour cost counts for several contracts, meters x periods."""
    if sets.spend is None:
        return np.zeros((len(sets.meters), len(sets.periods)), bool)
    counts = sets.spend.of_regions(sets.spend.on_demand, sets.meters["region"])
    found: Bools = counts.sum(axis=0) > 1
    return found


def _joint(sets: Sets, first: int) -> tuple[Ints, Ints, Ints, Ints, int]:
    """Give the columns that belong to no part of the case their numbers; also the first number after them."""
    likely = np.flatnonzero(sets.chance > 0)
    contracts = 0 if sets.spend is None or "spend" in sets.left_out else len(sets.spend.contracts)
    short = np.full((contracts, len(sets.chances)), -1)
    short[:, likely] = first + np.arange(contracts * len(likely)).reshape(contracts, len(likely))
    first += contracts * len(likely)
    none = np.empty(0, np.int64)
    if sets.risk is None or "risk" in sets.left_out:
        return short, none, none, none, first
    over, under = np.full(len(sets.chances), -1), np.full(len(sets.chances), -1)
    over[likely] = first + 1 + np.arange(len(likely))
    under[likely] = first + 1 + len(likely) + np.arange(len(likely))
    return short, np.array([first]), over, under, first + 1 + 2 * len(likely)


def _follows(sets: Sets) -> Bools:
    """Purchases whose whole sizes follow from those of the deployments, so that no search need branch on them.

    With v fixed, the x of a meter stand in the rows of rule 5 alone, each in consecutive months: such a matrix is
    totally unimodular (interval matrices, Veinott and Wagner 1962). If every x may be any multiple of one step s, and
    all v and earlier commitments are multiples of s, every vertex has x in multiples of s. Any other row on x breaks
    this: the search for whole units then refuses it.
    """
    bought, part = sets.purchases, sets.deployments
    low, step = bought["min_units"].to_numpy(float), bought["unit_step"].to_numpy(float)
    meter, of_part = bought["meter_row"].to_numpy(int), part["meter_row"].to_numpy(int)
    follows = np.zeros(len(bought), bool)
    for m in np.unique(meter):
        mine, parts = meter == m, of_part == m
        s = step[mine].max()
        any_multiple = (step[mine] == s) & ((low[mine] == 0) | (low[mine] == s))
        rest = np.concatenate([part["min_units"].to_numpy(float)[parts], part["unit_step"].to_numpy(float)[parts],
                               sets.earlier[m]])  # fmt: skip
        stepped = bool((part["unit_step"].to_numpy(float)[parts] > 0).all())
        follows[mine] = s > 0 and stepped and bool(any_multiple.all()) and bool((np.mod(rest, s or 1.0) == 0).all())
    return follows


def largest_sizes(sets: Sets) -> Floats:
    """Largest sensible size of each x, then each v: more is useless in every slot and stress case.

    A deployment never needs more than carries all its needs at their peaks together, stressed or with headroom, rounded
    up to its size grid; a purchase never more than all deployments of its meter. Lowering a larger one to this keeps
    every rule and lowers the cost; but a kept purchase may be as large as it was, for less is a change. What is spent
    on a contract saves a dollar of shortfall for each dollar at most, unless it counts for several contracts: then a
    purchase may be as large as fills every contract by itself (`filling`).
    """
    arc = sets.loads["arc"].to_numpy(int)
    need = sets.arcs["need"].to_numpy(int)[arc]
    factor = 1 / sets.needs["usable"].to_numpy(float)
    for case in sets.cases:
        factor = np.maximum(factor, case.demand_scale)
    peak = served_peaks(sets) * factor
    part = sets.loads["deployment"].to_numpy(int)
    # a need counts once a deployment, at its heaviest arc
    pair = part * len(sets.needs) + need
    heaviest = np.zeros(len(sets.deployments) * len(sets.needs))
    np.maximum.at(heaviest, pair, sets.loads["units"].to_numpy(float) * peak[need])
    most = heaviest.reshape(len(sets.deployments), len(sets.needs)).sum(axis=1) * (1 + 1e-9)
    v = _on_grid(most, sets.deployments["min_units"].to_numpy(float), sets.deployments["unit_step"].to_numpy(float))
    by_meter = np.zeros(len(sets.meters))
    np.add.at(by_meter, sets.deployments["meter_row"].to_numpy(int), v)
    bought = sets.purchases
    x = _on_grid(
        by_meter[bought["meter_row"].to_numpy(int)],
        bought["min_units"].to_numpy(float),
        bought["unit_step"].to_numpy(float),
    )
    kept = kept_purchases(sets)
    x[kept] = np.maximum(x[kept], bought["kept_units"].to_numpy(float)[kept]) if len(kept) else x[kept]
    x = np.maximum(x, filling(sets)[0])
    return np.concatenate([np.minimum(x, largest_purchase(sets)), np.repeat(v, len(sets.periods))])


def filling(sets: Sets) -> tuple[Floats, Floats]:
    """Units of each x and u that fill every contract that they count for, where spend counts for several; else 0.

    Arrays purchases, and meters x periods.
    """
    x, u = np.zeros(len(sets.purchases)), np.zeros((len(sets.meters), len(sets.periods)))
    if sets.spend is None or not sets.spend.twice:
        return x, u
    counted = sets.spend.of_regions(sets.spend.reserved, sets.meters["region"])
    hourly = sets.meters["usd_per_unreserved_unit_hour"].fillna(0.0).to_numpy(float)[:, None] * sets.period_hours
    for usd, own in zip(sets.spend.usd, counted):
        paid = (sets.paid_usd * own[sets.purchases["meter_row"].to_numpy(int)]).sum(axis=1)
        step = sets.purchases["min_units"].to_numpy(float) + sets.purchases["unit_step"].to_numpy(float)
        x = np.maximum(x, np.divide(max(usd, 0.0), paid, out=np.zeros(len(x)), where=paid > 0) * (1 + 1e-9) + step)
        price = hourly * own
        u = np.maximum(u, np.divide(max(usd, 0.0), price, out=np.zeros(u.shape), where=price > 0) * (1 + 1e-9))
    return x, u


def affordable_sizes(sets: Sets, at: Columns, cost: Floats, usd: float) -> tuple[Floats, Floats]:
    """Largest x, then v (as `largest_sizes`), and largest u of any plan that costs no more than ``usd``.

    ``cost`` : USD of a unit of each column; none is negative, so each purchase costs no more than the plan. What is
    deployed is committed or paid by the hour. inf where a purchase costs nothing and has no max_units. Holds whatever
    the families of constraints are.
    """

    def units(price: Floats) -> Floats:
        found: Floats = np.divide(usd, price, out=np.full(price.shape, np.inf), where=price > 0)
        return found

    bought = sets.purchases
    x = np.minimum(units(cost[at.committed]), largest_purchase(sets))
    kept = kept_purchases(sets)
    if len(kept):
        x[kept] = np.minimum(x[kept], bought["kept_units"].to_numpy(float)[kept] + units(cost[at.more]))
    u = np.where(at.unreserved >= 0, units(cost[at.unreserved]), 0.0)
    have = sets.earlier + u
    for n, meter, start, last in zip(x, bought["meter_row"], bought["period"], bought["last_period"]):
        have[meter, start : last + 1] += n
    v = have[sets.deployments["meter_row"].to_numpy(int)]
    return np.concatenate([x, v.ravel()]), u


def kept_purchases(sets: Sets) -> Ints:
    """Return the purchases that the last plan could have too: their units are compared with it."""
    if sets.keep is None:
        return np.empty(0, np.int64)
    return np.flatnonzero(np.isfinite(sets.purchases["kept_units"].to_numpy(float)))


def sizes_beside(size: Floats, low: Floats, step: Floats) -> tuple[Floats, Floats]:
    """Return the sizes next to some amounts, below and above: 0, or ``low`` plus steps; without a step, any from it."""
    small = size < low * (1 - 1e-9)
    steps = np.divide(np.maximum(size - low, 0.0), step, out=np.zeros(len(size)), where=step > 0)
    down = np.where(step > 0, low + np.floor(steps + 1e-9) * step, size)
    up = np.where((step > 0) & (steps - np.floor(steps + 1e-9) > 1e-9), down + step, down)
    return np.where(small, 0.0, down), np.where(small, np.where(size > 0, low, 0.0), up)


def _on_grid(size: Floats, low: Floats, step: Floats) -> Floats:
    """Smallest size on the grid {low + k step} (any from low where step is 0) that is not below ``size``."""
    steps = np.where(step > 0, np.ceil((size - low) / np.where(step > 0, step, 1.0)) * step, size - low)
    found: Floats = low + np.maximum(steps, 0.0)
    return found


def _usable(sets: Sets, queues: Queues, reach: Reach) -> Bools:
    """Whether an arc may carry a priced flow in a slot: it is priced, and its need has demand, or work that waits."""
    need = sets.arcs["need"].to_numpy(int)
    usable: Bools = (sets.demand[need] > 0) & sets.arcs["priced"].to_numpy(bool)[:, None]
    queue = queues.of_arc
    usable[queue >= 0] = reach.serves[queue[queue >= 0]]
    return usable


def largest_purchase(sets: Sets) -> Floats:
    """Lower max_units of each purchase to its size grid if units are whole: min + step * floor((max - min)/step)."""
    top = sets.purchases["max_units"].to_numpy(float).copy()
    if sets.whole_units:
        low, step = sets.purchases["min_units"].to_numpy(float), sets.purchases["unit_step"].to_numpy(float)
        grid = np.isfinite(top) & (step > 0)
        top[grid] = low[grid] + step[grid] * np.floor((top[grid] - low[grid]) / step[grid] + 1e-9)
    return top
