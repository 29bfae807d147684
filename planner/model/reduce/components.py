"""Parts that nothing ties together are programmes of their own.

Rows tie columns together; what is tied is read from the assembled rows. Two origin-workloads that share no row have
none in common under stress either, where the same arcs, deployments and quotas are used. So the programme is a sum of
programmes, and the optimum is the sum of their optima.

The rows are assembled on a skeleton: one slot a period, in which everything is asked for. So no tie is missed, and none
costs more than the tables. A family whose rows tell slots apart in another way spans everything.

Months are parts too: a component falls apart into groups of periods that no purchase and no row spans. A purchase
stands in the rows of all periods in which it is in force, so it ties them.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from planner.model.columns import Columns, columns_of, kept_purchases
from planner.model.family import Family, Spans
from planner.model.objective import CostTerm, terms_of
from planner.model.program import families_of
from planner.model.rows import Rows
from planner.model.sets import Bools, Ints, Sets

ADDS_UP = 1e-9  # relative: rounding of sums
LARGE = 1e6  # units: a largest size for rows that are only compared


def spanning(sets: Sets) -> list[Family]:
    """Return the families with rows that tie more than a slot or a meter: left out at first, and checked at the end.

    Rows on sizes count too: they are there only where units are whole.
    """
    return _with_rows(sets, [f for f in families_of(sets) if f.spans in (Spans.PERIOD, Spans.EVERYTHING)])


def _with_rows(sets: Sets, families: Sequence[Family]) -> list[Family]:
    """Return the families that state some row.

    A family that claims something of its rows is stated twice, cheaply: without flows, and with those of a skeleton. Of
    one that says nothing of itself all rows are stated: they may be there for the flows of one hour only.
    """
    silent = [family for family in families if not family.allows]
    told = [family for family in families if family.allows]
    few = _few(sets) if told else ()
    counts = np.sum([[rows.count for rows in _stated(some, told)] for some in few], axis=0) if told else []
    found = {family.name for family, count in zip(told, counts) if count}
    found |= {family.name for family, rows in zip(silent, _stated(sets, silent)) if rows.count}
    return [family for family in families if family.name in found]


def split(sets: Sets) -> list[Sets]:
    """Split into components, in the order of their first need; pools that no need can reach make one more.

    Everything is one component where a family or cost term that spans everything has rows or prices, or where the rows
    of the parts do not add up to those of the whole.
    """
    count_needs, count_meters = len(sets.needs), len(sets.meters)
    families = families_of(sets)
    if _priced_as_a_whole(sets) or _with_rows(sets, [f for f in families if f.spans is Spans.EVERYTHING]):
        return [_part(sets, np.ones(count_needs, bool), np.ones(count_meters, bool))]
    bones = skeleton(sets)
    at = columns_of(bones)
    node = _nodes(bones, at)
    pairs = [_ties(family.rows(bones, at), node) for family in families if family.spans is not Spans.PART]
    root = _roots(count_needs + count_meters, np.concatenate([np.empty((0, 2), np.int64), *pairs]))
    parts = [_part(sets, root[:count_needs] == r, root[count_needs:] == r) for r in dict.fromkeys(root.tolist())]
    local = [family for family in families if family.spans is Spans.METER]
    if len(parts) > 1 and not _add_up(local, sets, parts):
        return [_part(sets, np.ones(count_needs, bool), np.ones(count_meters, bool))]
    return parts


def split_periods(part: Sets) -> list[Sets]:
    """Split a component into groups of periods, in the order of time; one where a row of unknown reach ties them."""
    count, families = len(part.periods), families_of(part)
    wide = [family for family in families if family.spans is Spans.EVERYTHING]
    if count < 2 or _priced_as_a_whole(part) or _with_rows(part, wide):
        return [part]
    bones = skeleton(part)
    at = columns_of(bones)
    node = _begin_of(bones, at)
    root = _roots(count, np.concatenate([_ties(family.rows(bones, at), node) for family in families]))
    if not root.any():
        return [part]
    months = [_of_periods(part, root == r) for r in dict.fromkeys(root.tolist())]
    local = [family for family in families if family.spans is Spans.METER]
    return months if _add_up(local, part, months) else [part]


def parts_to_solve(sets: Sets) -> list[Sets]:
    """Return the parts, months apart, in which something has to be decided: some need, or a row that asks for more."""
    return [month for part in split(sets) if len(part.needs) or _asks(part) for month in split_periods(part)]


def _asks(part: Sets) -> bool:
    """Whether a plan that does nothing breaks a row."""
    at = columns_of(part)
    stated = [family.rows(part, at) for family in families_of(part)]
    return any(bool((rows.lower > 0).any() or (rows.upper < 0).any()) for rows in stated)


def skeleton(sets: Sets) -> Sets:
    """Return the sets with one slot a period, in which each need asks for its most (1 krph where that is nothing)."""
    period = sets.slots["period"].to_numpy(int)
    found, first = np.unique(period, return_index=True)
    most = np.array([sets.demand[:, period == p].max(axis=1) for p in found]).reshape(len(found), len(sets.needs)).T
    return replace(
        sets,
        slots=sets.slots.iloc[first].reset_index(drop=True),
        demand=np.where(most > 0, most, 1.0),
        members=tuple(first[k : k + 1] for k in range(len(first))),
    )


def _stated(sets: Sets, families: Sequence[Family]) -> list[Rows]:
    """Assemble the rows of some families on all slots, size rules included."""
    if not families:
        return []
    at = columns_of(sets, sets.has_size_rules)
    return [family.rows(sets, at) for family in families]


def _priced_as_a_whole(sets: Sets) -> bool:
    """Whether a cost term that may look at everything prices something; all flows are stated only of silent terms."""
    wide = [term for term in terms_of(sets) if term.spans in (Spans.PERIOD, Spans.EVERYTHING)]
    told, silent = [term for term in wide if term.allows], [term for term in wide if not term.allows]
    stated = [(_few(sets), told), ((sets,), silent)]
    return any(_prices(some, terms) for each, terms in stated if terms for some in each)


def _prices(sets: Sets, terms: Sequence[CostTerm]) -> bool:
    """Whether some of the terms price a column of the sets."""
    at = columns_of(sets, sets.has_size_rules)
    return any(bool(term.usd(sets, at).any()) for term in terms)


def _few(sets: Sets) -> tuple[Sets, Sets]:
    """Return the sets without flows, and with those of a skeleton."""
    return replace(sets, arcs=sets.arcs.assign(priced=False)), skeleton(sets)


def _nodes(sets: Sets, at: Columns) -> Ints:
    """Node of each column: its need, or (after the needs) its meter."""
    node = np.empty(at.count, np.int64)
    meter = len(sets.needs) + np.arange(len(sets.meters))
    bought = meter[sets.purchases["meter_row"].to_numpy(int)]
    node[at.committed] = bought
    node[at.deployed] = meter[sets.deployments["meter_row"].to_numpy(int)][:, None]
    priced = at.unreserved >= 0
    node[at.unreserved[priced]] = np.broadcast_to(meter[:, None], priced.shape)[priced]
    node[at.more] = node[at.fewer] = bought[kept_purchases(sets)]
    for columns in (at.taken, at.backlog, at.credit):
        node[columns[columns >= 0]] = np.broadcast_to(at.queues.need[:, None], columns.shape)[columns >= 0]
    of_part = meter[sets.deployments["meter_row"].to_numpy(int)][:, None]
    for columns in (at.scaled, at.started):
        node[columns[columns >= 0]] = np.broadcast_to(of_part, columns.shape)[columns >= 0]
    node[at.flows] = sets.arcs["need"].to_numpy(int)[at.flow_arc]
    return node


def periods_of(sets: Sets, at: Columns) -> Ints:
    """Period of each column; -1 of those of no period: purchases, what follows from them, and their sizes."""
    period = np.full(at.count, -1)
    number = np.arange(len(sets.periods))
    period[at.deployed] = number
    priced = at.unreserved >= 0
    period[at.unreserved[priced]] = np.broadcast_to(number, priced.shape)[priced]
    for columns in (at.size_on, at.size_steps):
        there = columns >= 0
        period[columns[there]] = period[at.sized[there]]
    period[at.hours_first :] = sets.slot_period[at.hour_slots]
    return period


def _begin_of(sets: Sets, at: Columns) -> Ints:
    """Period of each column: of a purchase its first."""
    period, start = periods_of(sets, at), sets.purchases["period"].to_numpy(int)
    period[at.committed] = start
    period[at.more] = period[at.fewer] = start[kept_purchases(sets)]
    return period


def _ties(rows: Rows, node: Ints) -> Ints:
    """Pairs of nodes that stand in one row: its lowest with each."""
    of_entry = node[rows.column]
    lowest = np.full(rows.count, np.iinfo(np.int64).max)
    np.minimum.at(lowest, rows.row, of_entry)
    return np.unique(np.column_stack([lowest[rows.row], of_entry]), axis=0)


def _roots(count: int, pairs: Ints) -> Ints:
    """Lowest node that each node is tied to."""
    parent = list(range(count))

    def find(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for a, b in np.unique(pairs, axis=0).tolist():
        low, high = sorted((find(a), find(b)))
        parent[high] = low
    return np.array([find(k) for k in range(count)], dtype=np.int64)


def _add_up(families: Sequence[Family], whole: Sets, parts: Sequence[Sets]) -> bool:
    """Whether the rows and prices of the parts are, in number and sums, those of the whole (without flows)."""
    told = np.array([_sums(families, part) for part in (whole, *parts)])
    return bool(np.allclose(told[0], told[1:].sum(axis=0), rtol=ADDS_UP, atol=ADDS_UP))


def _sums(families: Sequence[Family], sets: Sets) -> list[float]:
    sums: list[float] = []
    bare = replace(sets, arcs=sets.arcs.assign(priced=False))
    any_size = np.full(len(sets.purchases) + len(sets.deployments) * len(sets.periods), LARGE)  # not as demand has it
    at = columns_of(bare, sets.has_size_rules, any_size)
    for rows in (family.rows(bare, at) for family in families):
        bounds = [bound[np.isfinite(bound)] for bound in (rows.lower, rows.upper)]
        sums += [rows.count, *(float(b.sum()) for b in bounds), *(float(np.abs(b).sum()) for b in bounds)]
        sums.append(float(rows.value.sum()))
    return [*sums, *(float(term.usd(bare, at).sum()) for term in terms_of(sets))]


def _part(sets: Sets, needs: Bools, meters: Bools) -> Sets:
    """Keep some needs and meters with all that belongs to them, renumbered."""
    need_of, meter_of = _renumber(needs), _renumber(meters)
    arc_kept = needs[sets.arcs["need"].to_numpy(int)] if len(sets.arcs) else np.zeros(0, bool)
    arc_of = _renumber(arc_kept)
    deployment_kept = (
        meters[sets.deployments["meter_row"].to_numpy(int)] if len(sets.deployments) else np.zeros(0, bool)
    )
    deployment_of = _renumber(deployment_kept)
    quota_kept = np.zeros(len(sets.quotas), bool)
    arcs = sets.arcs[arc_kept].reset_index(drop=True)
    quota = arcs["quota"].to_numpy(int)
    quota_kept[quota[quota >= 0]] = True
    quota_of = np.append(_renumber(quota_kept), -1)
    loads = sets.loads[arc_kept[sets.loads["arc"].to_numpy(int)]].reset_index(drop=True)
    bought_kept = meters[sets.purchases["meter_row"].to_numpy(int)]
    bought = sets.purchases[bought_kept].reset_index(drop=True)
    workloads = set(sets.needs.loc[needs, "workload"])
    return replace(
        sets,
        needs=sets.needs[needs].reset_index(drop=True),
        demand=sets.demand[needs],
        shares=sets.shares[sets.shares["workload"].isin(workloads)].reset_index(drop=True),
        arcs=arcs.assign(need=need_of[arcs["need"].to_numpy(int)], quota=quota_of[quota]),
        loads=loads.assign(
            arc=arc_of[loads["arc"].to_numpy(int)], deployment=deployment_of[loads["deployment"].to_numpy(int)]
        ),
        deployments=sets.deployments[deployment_kept]
        .assign(meter_row=meter_of[sets.deployments["meter_row"].to_numpy(int)[deployment_kept]])
        .reset_index(drop=True),
        meters=sets.meters[meters].reset_index(drop=True),
        earlier=sets.earlier[meters],
        quotas=sets.quotas[quota_kept].reset_index(drop=True),
        price_times=sets.price_times[:, quota_kept],
        quota_load=sets.quota_load[arc_kept],
        purchases=bought.assign(meter_row=meter_of[bought["meter_row"].to_numpy(int)]),
        paid_usd=sets.paid_usd[bought_kept],
        caps=_caps_of(sets, arcs),
        cases=tuple(case.of_needs(needs) for case in sets.cases),
    )


def _of_periods(sets: Sets, periods: Bools) -> Sets:
    """Keep some periods with their slots and purchases, renumbered; no purchase reaches into another period."""
    number, of_slot = _renumber(periods), sets.slot_period
    bought_kept = periods[sets.purchases["period"].to_numpy(int)]
    slots, bought, spend = periods[of_slot], sets.purchases[bought_kept], sets.spend
    start = number[bought["period"].to_numpy(int)]
    return replace(
        sets,
        periods=tuple(name for name, kept in zip(sets.periods, periods) if kept),
        period_hours=sets.period_hours[periods],
        slots=sets.slots[slots].assign(period=number[of_slot[slots]]).reset_index(drop=True),
        demand=sets.demand[:, slots],
        earlier=sets.earlier[:, periods],
        purchases=bought.assign(
            period=start, last_period=start + (bought["last_period"] - bought["period"]).to_numpy(int)
        ).reset_index(drop=True),
        paid_usd=sets.paid_usd[bought_kept][:, periods],
        cases=tuple(case.of_periods(periods) for case in sets.cases),
        spend=None
        if spend is None
        else replace(spend, on_demand=spend.on_demand[..., periods], reserved=spend.reserved[..., periods]),
        of_whole=sets.in_whole(np.flatnonzero(slots)),
    )


def _caps_of(sets: Sets, arcs: pd.DataFrame) -> pd.DataFrame:
    """Caps that some arcs can use, there or back."""
    used = arcs.loc[arcs["away"], ["origin", "region"]]
    pairs = {*zip(used["origin"], used["region"]), *zip(used["region"], used["origin"])}
    kept = [pair in pairs for pair in zip(sets.caps["origin"], sets.caps["destination"])]
    return sets.caps[np.array(kept, dtype=bool)].reset_index(drop=True)


def _renumber(kept: Bools) -> Ints:
    """Give each kept row its new number (others: meaningless)."""
    number: Ints = np.cumsum(kept) - 1
    return number
