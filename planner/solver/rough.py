"""Rough plans of all parts before any part takes the time: what there is where the time ends first.

A plan of a part in a fraction of the time: hours of like demand are served alike.

Slots of one period and price factor fall into a few groups. In a group every need n is routed in the same shares: its
flow over an arc in slot τ is f · d[n,τ] / D[n], where D[n] is its largest demand in the group. With f as the decision,

    cost of f  =  Σ_τ (price of the arc in τ) · d[n,τ] / D[n],          loads, quotas and caps  ≤  those of f,

for no demand exceeds D. So a programme with a slot a group, demand D and these prices has only plans of the part, at
their true cost; all on demand at home is one of them. It is the plan where the time ends before there is a better one.
Work that can wait is served when it arises, and no unit runs by the hour.

Any prices prove a bound (`solver.certificate`): those of the groups, spread over their slots by weeks, with the most
for each need that the ways' prices allow.

Which of two plans of the same parts is the better one, and how near one is to what is proved.
"""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from planner.errors import StoppedError
from planner.model.columns import columns_of
from planner.model.objective import objective
from planner.model.program import LinearProgram, program_of
from planner.model.reduce.slot_means import SlotMeans, halved, numbered, one_slot_each
from planner.model.reduce.slots import hour_kinds, merge_slots, prune
from planner.model.rows import Rows
from planner.model.sets import Floats, Ints, Sets, Tolls
from planner.model.waiting import waits
from planner.solver.certificate import certify, price_table
from planner.solver.component import OF_PROOF, ComponentPlan, plan_of
from planner.solver.continuous import LinearSolve, open_program, solve_linear
from planner.solver.highs import Clock
from planner.solver.parallel import on_all_cores
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
    slots = sets.slots
    prices = slots["price_factor"].to_numpy(float), hour_kinds(sets)
    return halved(sets, numbered(slots["period"].to_numpy(int), *prices), depth)


def _grouped(fine: Sets, group_of: Ints, groups: int) -> tuple[Sets, Floats]:
    """Make a slot of each group, of its largest demand and true prices; and d / D of each need and slot."""
    demand = np.zeros((len(fine.needs), groups))
    np.maximum.at(demand.T, group_of, fine.demand.T)
    top = demand[:, group_of]
    share = np.divide(fine.demand, top, out=np.zeros_like(top), where=top > 0)
    weeks = fine.slots["weeks"].to_numpy(float)
    sets = one_slot_each(fine, group_of, demand)
    all_weeks = sets.slots["weeks"].to_numpy(float)
    mean = np.zeros_like(demand)
    np.add.at(mean.T, group_of, (share * weeks).T)
    mean = np.divide(mean, all_weeks, out=np.zeros_like(mean), where=all_weeks > 0)
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
    number = own.flow_numbers(coarse.sets)
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
    price = SlotMeans.of(program, coarse, group_of).duals(duals)
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


ROUNDING = 1e-8  # relative: what tolerances of 1e-9 let a plan cost less than it should


def better(plans: list[ComponentPlan], others: list[ComponentPlan]) -> list[ComponentPlan]:
    """Choose the cheaper plan; of two that cost the same, the one of which more is proved, else that signs for less."""
    usd, other = cost_usd(plans), cost_usd(others)
    same = ROUNDING * max(abs(usd), abs(other))
    if abs(usd - other) > same:
        return others if other < usd else plans
    more = bound_usd(others) - bound_usd(plans)
    return others if more > same or (more >= -same and signed_usd(others) < signed_usd(plans)) else plans


FEW_FLOWS = 20_000  # of a case that is searched once more as one programme, for the plan that signs for least


def may_sign_less(plans: Sequence[ComponentPlan]) -> bool:
    """Whether whole units that cost as much may sign for less: money must be spent anyway, so a unit may cost nothing.

    Prices tell of no such plan, and parts by themselves do not meet it; all of a small case in one programme do.
    """
    due = any(bool((plan.prices["kind"] == "spend_floor").any()) for plan in plans)
    flows = sum(len(plan.sets.arcs) * len(plan.sets.slots) for plan in plans)
    whole = any(plan.sets.has_size_rules for plan in plans)
    return due and whole and flows <= FEW_FLOWS and signed_usd(plans) > 0


def signed_usd(plans: Sequence[ComponentPlan]) -> float:
    """Add up what plans sign for inside the horizon."""
    return float(sum(p.sets.purchases["committed_usd_per_unit"].to_numpy(float) @ p.committed for p in plans))


def bound_usd(plans: Sequence[ComponentPlan]) -> float:
    """Add up what is proved of the cost of any plans of the parts."""
    return float(np.sum([plan.tree_bound_usd for plan in plans]))


def cost_usd(plans: Sequence[ComponentPlan]) -> float:
    """Add up what plans cost."""
    return float(np.sum([plan.usd for plan in plans]))


def closed(plans: Sequence[ComponentPlan], gap: float) -> bool:
    """Whether plans are as near to what is proved as is asked."""
    usd = cost_usd(plans)
    return usd - bound_usd(plans) <= gap * abs(usd)


def cheaper(found: ComponentPlan | None, rough: ComponentPlan | None) -> ComponentPlan | None:
    """Return the cheaper plan, with what was proved by the finer search: its bounds, and every price of its proof."""
    if found is None or rough is None or found.usd <= rough.usd + ROUNDING * abs(rough.usd):
        return found
    return replace(rough, **{name: getattr(found, name) for name in OF_PROOF})


# times the time left that plans which serve all hours alike may take, rather than there being no plan: each by the
# clock, all together by this process's processor time, so that a busy machine ends with a plan too, later
OVERTIME = 4.0
HURRY = 0.8  # share of the time left that the first rough plans may take
ENOUGH = 15.0  # times what the first rough plans took: then there is time for better than finer ones


def rough_plans(parts: Sequence[Sets], clock: Clock, workers: int | None) -> dict[int, ComponentPlan]:
    """Find a rough plan of every part, by its identity, before any part takes the time: finer where there is little.

    Where the time would not do for all parts, those that are left are served alike in all hours. Rather than that there
    is no plan, these may take longer.
    """
    found: dict[int, ComponentPlan] = {}
    left = allowed = clock.left()
    enough_s = time.process_time() + OVERTIME * allowed * (workers or os.cpu_count() or 1)
    for depth in (DEPTH, FINER):
        begun, finished = time.monotonic(), [0]

        def plan(part: Sets, depth: int = depth, begun: float = begun, finished: list[int] = finished) -> (
            ComponentPlan | None
        ):  # fmt: skip
            try:
                now, done = time.monotonic(), finished[0]
                hurry = HURRY * max(clock.deadline - now, 0.0)
                short = done > 0 and (now - begun) / done * (len(parts) - done) > hurry
                if not short or depth != DEPTH:
                    with suppress(StoppedError):
                        clock.left()  # before a part is stated in vain
                        return coarse_plan(part, replace(clock), depth)
                if depth != DEPTH or time.process_time() > enough_s:
                    return None
                return coarse_plan(part, Clock(time.monotonic() + OVERTIME * allowed), 0)
            except StoppedError:
                return None
            finally:
                finished[0] += 1

        for part, one in zip(parts, on_all_cores(plan, parts, workers)):
            before = found.get(id(part))
            if one is not None and (before is None or one.usd < before.usd):
                found[id(part)] = one
        before_s, left = left, clock.deadline - time.monotonic()
        if left <= 0 or left > ENOUGH * (before_s - left):
            break
    return found
