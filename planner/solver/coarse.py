"""A plan of a part in a fraction of the time: hours of like demand are served alike.

Slots of one period and price factor fall into a few groups. In a group every need n is routed in the same shares: its
flow over an arc in slot τ is f · d[n,τ] / D[n], where D[n] is its largest demand in the group. With f as the decision,

    cost of f  =  Σ_τ (price of the arc in τ) · d[n,τ] / D[n],          loads, quotas and caps  ≤  those of f,

for no demand exceeds D. So a programme with a slot a group, demand D and these prices has only plans of the part, at
their true cost; all on demand at home is one of them. It is the plan where the time ends before there is a better one.
Work that can wait is served when it arises, and no unit runs by the hour.

Any prices prove a bound (`solver.certificate`): those of the groups, spread over their slots by weeks, with the most
for each need that the ways' prices allow.
"""

from dataclasses import replace

import numpy as np

from planner.errors import StoppedError
from planner.model.columns import columns_of
from planner.model.objective import objective
from planner.model.program import LinearProgram, program_of
from planner.model.reduce.project_stress import slot_tree
from planner.model.reduce.slots import hour_kinds, merge_slots, prune
from planner.model.rows import Rows
from planner.model.sets import Floats, Ints, Sets, Tolls
from planner.model.waiting import waits
from planner.solver.certificate import certify, price_table
from planner.solver.component import ComponentPlan, plan_of
from planner.solver.continuous import LinearSolve, open_program, solve_linear
from planner.solver.highs import Clock
from planner.solver.scaling import need_peaks
from planner.solver.stress_search import Cut, Routing, Separator
from planner.solver.whole import solve_whole

DEPTH, FINER = 3, 5  # halvings: 1 s, 3 s where the whole takes 8 s; 19 %, 5 % dearer (measured)
ROUGH = 0.01  # gap of its whole units
CANDIDATES = 12  # where units rounded up are no plan
DEAR = 1.05  # times the least for units of any size: where rounding costs more, no units at all are tried too


def coarse_plan(part: Sets, clock: Clock, depth: int = DEPTH) -> ComponentPlan | None:
    """Find a plan that serves hours of like demand alike; None: there is none, which says nothing of others.

    ``depth`` : halvings of the slots of a period and price: 2^depth groups.
    """
    whole_choice = prune(merge_slots(part))
    hourly = (columns_of(whole_choice).scaled >= 0).any()
    fine = replace(
        whole_choice,
        arcs=whole_choice.arcs.assign(at_once=True),  # what could wait is served at once
        meters=whole_choice.meters.assign(usd_per_scaled_unit_hour=np.nan),  # no unit runs by the hour
    )
    group_of = _groups(fine, depth)
    groups = int(group_of.max(initial=-1)) + 1
    if 2 * groups > len(fine.slots) or fine.keep is not None:
        return None
    sets, share = _grouped(fine, group_of, groups)
    program = program_of(fine)
    solve = open_program(_over_slots(program_of(sets), program, group_of, share), clock)
    if not solve.separator.stranded():
        solve.add(solve.separator.without_units(lent=True))
    if not solve_linear(solve):
        return None
    duals, values = solve.session.row_duals(), solve.session.values()
    if part.has_size_rules:
        least = solve.session.objective()
        whole = solve_whole(solve, ROUGH, clock, rounds=0)  # deployments rounded up, then purchases
        if whole is not None and not np.isfinite(whole.usd) and solve_linear(solve):
            whole = solve_whole(solve, ROUGH, clock, rounds=CANDIDATES)
        if whole is None or not np.isfinite(whole.usd):
            return None
        values = whole.values
        if whole.usd > DEAR * least:
            values = _without_units(solve, values, whole.usd)
    found = _expanded(solve.program, program, group_of, share, values)
    price = _spread(solve.program, program, group_of, duals)
    usd = float(program.cost @ found)
    literal, proof = program, price
    if waits(fine) or hourly:
        literal = program_of(whole_choice)
        proof = _prices_of(literal, program, price)
    certificate = certify(literal, proof, [], usd)
    table = price_table(literal, certificate, [], [], part)
    real = LinearSolve(program, solve.session, _OfGroups(solve.separator, group_of))
    try:
        return plan_of(
            real, found, usd=usd, tree_bound=certificate.bound_usd, certificate=certificate, duals=price, prices=table
        )
    except ArithmeticError:  # some rule looks at single hours
        return None


def _without_units(solve: LinearSolve, values: Floats, usd: float) -> Floats:
    """Values of the plan that buys and deploys nothing, if there is one that costs less; else those given."""
    at, session = solve.program.columns, solve.session
    units = np.concatenate([at.committed, at.deployed.ravel(), at.unreserved[at.unreserved >= 0]])
    none = np.zeros(len(units))
    session.set_column_bounds(units, none, none)
    try:
        if session.solve() and session.objective() < usd:
            return session.values()
    except StoppedError:
        pass
    finally:
        session.set_column_bounds(units, none, at.upper[units])
    return values


def _prices_of(literal: LinearProgram, program: LinearProgram, price: Floats) -> Floats:
    """Prices of rows by their names, for the programme in which work waits; those that only it has: 0.

    No price of an hour's demand is too low for a bound: the certificate lowers it to what the hours ahead allow.
    """
    found = []
    for rows, own in zip(literal.families, program.families):
        names, first = list(rows.index), program.first_row(own.family)
        known = {key: k for k, key in enumerate(zip(*(own.index[name].tolist() for name in names)))}
        if names:
            at = [known.get(key, -1) for key in zip(*(rows.index[name].tolist() for name in names))]
        else:
            at = list(range(rows.count)) if rows.count == own.count else [-1] * rows.count
        mine = np.append(price[first : first + own.count], 0.0)
        found.append(mine[np.array(at, dtype=np.int64)])
    return np.concatenate(found) if found else np.zeros(0)


class _OfGroups(Separator):
    """The stress cases of the groups: what routes the largest demand of a group routes each of its slots."""

    def __init__(self, groups: Separator, group_of: Ints) -> None:
        self.groups, self.group_of = groups, group_of

    def routings(self, deployed: Floats) -> tuple[list[Cut], list[Routing]]:
        """Routings that prove every case, by groups; rows where there is none."""
        cuts, found = self.groups.routings(deployed)
        return cuts, [replace(one, slots=np.flatnonzero(np.isin(self.group_of, one.slots))) for one in found]


def _groups(sets: Sets, depth: int) -> Ints:
    """Group of each slot: those of one period and equal prices, halved a few times by demand."""
    group_of = np.full(len(sets.slots), -1)
    scaled = sets.demand / need_peaks(sets)[:, None]
    first = 0
    prices = sets.slots.assign(kind=hour_kinds(sets))
    for rows in prices.groupby(["period", "price_factor", "kind"], sort=True).indices.values():
        tree, todo = slot_tree(scaled, np.asarray(rows, np.int64)), [0]
        for _ in range(depth):
            halves = [(tree.left[node], tree.right[node]) if tree.left[node] >= 0 else (node,) for node in todo]
            todo = [int(child) for pair in halves for child in pair]
        for node in todo:
            group_of[tree.slots(node)] = first
            first += 1
    return group_of


def _grouped(fine: Sets, group_of: Ints, groups: int) -> tuple[Sets, Floats]:
    """Make a slot of each group, of its largest demand and true prices; and d / D of each need and slot."""
    demand = np.zeros((len(fine.needs), groups))
    np.maximum.at(demand.T, group_of, fine.demand.T)
    top = demand[:, group_of]
    share = np.divide(fine.demand, top, out=np.zeros_like(top), where=top > 0)
    weeks = fine.slots["weeks"].to_numpy(float)
    all_weeks = np.bincount(group_of, weeks, groups)
    mean = np.zeros_like(demand)
    np.add.at(mean.T, group_of, (share * weeks).T)
    mean = np.divide(mean, all_weeks, out=np.zeros_like(mean), where=all_weeks > 0)
    _, first = np.unique(group_of, return_index=True)
    slots = fine.slots.iloc[first].reset_index(drop=True).assign(weeks=all_weeks)
    members = tuple(np.concatenate([fine.members[t] for t in np.flatnonzero(group_of == g)]) for g in range(groups))
    sets = replace(fine, slots=slots, demand=demand, members=members)
    bare = program_of(replace(sets, whole_units=False), families=())
    full = np.zeros((len(sets.arcs), groups))
    full[bare.columns.flow_arc, bare.columns.flow_slot] = objective(sets, bare.columns)[bare.columns.flow_first :]
    need = sets.arcs["need"].to_numpy(int)
    units = (np.zeros(len(sets.purchases)), np.zeros((len(sets.deployments), len(sets.periods))))
    none = np.zeros((len(sets.deployments), groups))
    tolls = Tolls(*units, np.zeros((len(sets.meters), len(sets.periods))), -full * (1 - mean[need]), none, none)
    return replace(sets, tolls=tolls), share


def _over_slots(coarse: LinearProgram, program: LinearProgram, group_of: Ints, share: Floats) -> LinearProgram:
    """Take rows that add up slots from the real programme: an entry of f is the sum over its slots, times d / D."""
    own, at = coarse.columns, program.columns
    number = np.zeros((len(coarse.sets.arcs), len(coarse.sets.slots)), dtype=np.int64)
    number[own.flow_arc, own.flow_slot] = own.flows
    column, factor = np.arange(at.count), np.ones(at.count)
    column[at.flow_first :] = number[at.flow_arc, group_of[at.flow_slot]]
    factor[at.flow_first :] = share[program.sets.arcs["need"].to_numpy(int)[at.flow_arc], at.flow_slot]
    families = []
    for mine, rows in zip(coarse.families, program.families):
        if "slot" in rows.index or not (rows.column >= at.flow_first).any():
            families.append(mine)
            continue
        key, entry = np.unique(rows.row * own.count + column[rows.column], return_inverse=True)
        value = np.bincount(entry, rows.value * factor[rows.column], len(key)).astype(float)
        families.append(Rows(rows.family, rows.index, rows.lower, rows.upper, key // own.count, key % own.count, value))
    return replace(coarse, families=tuple(families))


def _expanded(coarse: LinearProgram, program: LinearProgram, group_of: Ints, share: Floats, values: Floats) -> Floats:
    """Values of the real columns: units as they are, flows in proportion to demand."""
    at, own = program.columns, coarse.columns
    flow = np.zeros((len(coarse.sets.arcs), len(coarse.sets.slots)))
    flow[own.flow_arc, own.flow_slot] = np.maximum(values[own.flow_first :], 0.0)
    found = np.zeros(at.count)
    found[: at.flow_first] = values[: own.flow_first]
    need = program.sets.arcs["need"].to_numpy(int)[at.flow_arc]
    found[at.flow_first :] = flow[at.flow_arc, group_of[at.flow_slot]] * share[need, at.flow_slot]
    return found


def _spread(coarse: LinearProgram, program: LinearProgram, group_of: Ints, duals: Floats) -> Floats:
    """Prices of the real rows: a group's by weeks; of each need the most that its ways allow."""
    weeks = program.sets.slots["weeks"].to_numpy(float)
    all_weeks = np.bincount(group_of, weeks)
    part = np.divide(weeks, all_weeks[group_of], out=np.zeros_like(weeks), where=all_weeks[group_of] > 0)
    price, first = np.zeros(program.row_count), 0
    for rows, of in zip(program.families, coarse.families):
        own = coarse.first_row(of.family)
        found = duals[own : own + of.count]
        if "slot" in rows.index:
            keys = sorted(set(rows.index) - {"slot"})
            known = {
                key: k for k, key in enumerate(zip(*(of.index[n].tolist() for n in keys), of.index["slot"].tolist()))
            }
            group = group_of[rows.index["slot"]]
            at = np.array([known.get(key, -1) for key in zip(*(rows.index[n].tolist() for n in keys), group.tolist())])
            if len(at):
                price[first : first + rows.count] = np.where(
                    at >= 0, np.append(found, 0.0)[at] * part[rows.index["slot"]], 0.0
                )
        elif rows.count == of.count:
            price[first : first + rows.count] = found
        first += rows.count
    balance, begin = program.family("balance"), program.first_row("balance")
    price[begin : begin + balance.count] = 0.0
    row, column, value = program.entries()
    reduced = program.cost - np.bincount(column, value * price[row], program.columns.count)
    flows = column >= program.columns.flow_first
    mine = flows & (row >= begin) & (row < begin + balance.count)
    most = np.full(balance.count, np.inf)
    np.minimum.at(most, row[mine] - begin, reduced[column[mine]])
    price[begin : begin + balance.count] = np.where(np.isfinite(most), most, 0.0)
    return price
