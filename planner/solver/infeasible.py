"""Why no plan exists: elastic re-solves that find what cannot be met, where, when and by how much.

First the rules that have a price (1-7, 9) with every limit made elastic; if they can be met, each stress case, slot by
slot, with all the units that the offers, sizes apart, allow; if those can be met too, it is the rules together.
"""

from collections.abc import Sequence

import numpy as np

from planner.model.constraints import budget, deployment
from planner.model.program import LinearProgram, program_of
from planner.model.reduce.slots import merge_slots
from planner.model.sets import Floats, Sets
from planner.schema.case import Case
from planner.solver.highs import Clock, Session
from planner.solver.linear import open_component, solve_linear
from planner.solver.scaling import deployment_peaks, need_peaks
from planner.solver.shortfall import Shortfall, describe
from planner.solver.stress import StressCaseProblem

SHORT = 1e-6  # share of a limit or a peak that counts as a shortfall
SHOWN = 20


def explain(case: Case, parts: Sequence[Sets], clock: Clock) -> str:
    """Say in words what cannot be met, the worst first."""
    found: list[Shortfall] = []
    for part in parts:
        sets = merge_slots(part)
        found += _priced(sets, clock) or _stressed(sets, clock) or _together(sets, clock)
    found.sort(key=lambda s: -s.share)
    lines = [describe(s) for s in found]
    shown = [f"  {line}" for line in lines[:SHOWN]]
    if len(lines) > SHOWN:
        shown.append(f"  ... and {len(lines) - SHOWN} more")
    heading = f"No plan of '{case.settings.name}' exists; nothing was written. What cannot be met, worst first:"
    return "\n".join([heading, *shown])


def _priced(sets: Sets, clock: Clock) -> list[Shortfall]:
    """Shortfalls of the rules without stress: least unserved demand and excess over limits."""
    program = program_of(sets)
    session = Session(program, clock)
    session.set_costs(np.zeros(program.columns.count))
    peak, slots = need_peaks(sets), len(sets.slots)
    balance = program.family("balance")
    need, slot = balance.index["need"], balance.index["slot"]
    first = program.first_row("balance")
    row_of = {int(key): k for k, key in enumerate(need * slots + slot)}
    entries: list[list[tuple[int, float]]] = [[(first + k, 1.0)] for k in range(balance.count)]
    cost = list(10.0 / peak[need])
    meaning: list[tuple[str, int]] = [("unserved", k) for k in range(balance.count)]
    low = sets.shares["min_share"].to_numpy(float)
    for family, relief in (("mix", low), ("guaranteed", sets.needs["guaranteed_share"].to_numpy(float))):
        rows, start = program.family(family), program.first_row(family)
        share = rows.index["share"] if family == "mix" else rows.index["need"]
        for k, key in enumerate((rows.index["need"] * slots + rows.index["slot"]).tolist()):
            if relief[share[k]] > 0:
                entries[row_of[key]].append((start + k, float(relief[share[k]])))
    sure = program.family("guaranteed")
    for k in range(sure.count):
        entries.append([(program.first_row("guaranteed") + k, 1.0)])
        cost.append(1.0 / peak[sure.index["need"][k]])
        meaning.append(("guaranteed", k))
    stated = {rows.family: rows for rows in program.families}
    for family in ("egress", "cross_region_share", "budget"):
        if family not in stated:
            continue
        rows = program.family(family)
        for k in range(rows.count):
            entries.append([(program.first_row(family) + k, -1.0)])
            cost.append(1.0 / max(float(rows.upper[k]), 1e-3))
            meaning.append((family, k))
    values = session.solve_with_slack(np.array(cost), entries)
    worst = [
        _priced_shortfall(program, kind, k, float(v)) for (kind, k), v, c in zip(meaning, values, cost) if v * c > SHORT
    ]
    return worst


def _priced_shortfall(program: LinearProgram, kind: str, k: int, amount: float) -> Shortfall:
    sets = program.sets
    if kind in ("unserved", "guaranteed"):
        rows = program.family("balance" if kind == "unserved" else "guaranteed")
        need, slot = int(rows.index["need"][k]), int(rows.index["slot"][k])
        return Shortfall.of_need(sets, kind, need, slot, amount, float(sets.demand[need, slot]))
    rows = program.family(kind)
    limit = float(rows.upper[k])
    where = {}
    if kind == "egress":
        cap = sets.caps.iloc[int(rows.index["cap"][k])]
        where = {"origin": cap["origin"], "region": cap["destination"], "period": sets.periods[rows.index["period"][k]]}
    return Shortfall(kind, amount / max(limit, 1e-3), amount, limit, **where)


def _stressed(sets: Sets, clock: Clock) -> list[Shortfall]:
    """Shortfalls of stress cases in single slots, with as many units as can be had at any price."""
    found = []
    peaks, units = need_peaks(sets), deployment_peaks(sets)
    most = _most_units(sets, clock)
    for number in range(len(sets.cases)):
        problem = StressCaseProblem(sets, number, peaks, units, clock)
        short = {}
        for t in range(len(sets.slots)):
            problem.set_units(most[:, sets.slot_period[t]])
            if problem.unserved(problem.demand[:, t]) > SHORT:
                short[t] = problem.short_by_class()
        if not short:
            continue
        worst = max(short, key=lambda t: float((short[t] / problem.class_scale).sum()))
        for c in np.flatnonzero(short[worst] > SHORT * problem.class_scale):
            members = np.flatnonzero(problem.net.class_of == c)
            need = int(members[np.argmax(sets.demand[members, worst])])
            found.append(
                Shortfall.of_need(
                    sets, sets.cases[number].name, need, worst, float(short[worst][c]),
                    float(problem.demand[c, worst]), origins=[str(sets.needs["origin"][m]) for m in members],
                    usable=problem.net.arcs[problem.net.arc_class == c], hours=len(short),
                )
            )  # fmt: skip
    return found


def _most_units(sets: Sets, clock: Clock) -> Floats:
    """Units that each deployment could have if it alone were bought, deployments x periods (a relaxation of rule 5)."""
    bare = program_of(sets, False, (deployment.FAMILY, budget.FAMILY))
    session = Session(bare, clock)
    most = np.zeros(bare.columns.deployed.shape)
    cap = deployment_peaks(sets) * len(sets.needs) * 1e3
    for d, p in np.ndindex(most.shape):
        cost = np.zeros(bare.columns.count)
        column = bare.columns.deployed[d, p : p + 1]
        cost[column] = -1.0
        session.set_column_bounds(column, np.zeros(1), cap[d : d + 1])
        session.set_costs(cost)
        session.solve()
        most[d, p] = session.values()[column[0]]
        session.set_column_bounds(column, np.zeros(1), np.full(1, np.inf))
    return most


def _together(sets: Sets, clock: Clock) -> list[Shortfall]:
    """Every rule can be met alone: say what the budget would have to be, or that sizes and limits clash."""
    if sets.budget_usd is not None:
        solve = open_component(sets.without(["budget", "cross_region_share", "egress"]), clock)
        cost = np.zeros(solve.program.columns.count)
        cost[solve.program.columns.committed] = sets.purchases["committed_usd_per_unit"].to_numpy(float)
        solve.session.set_costs(cost)
        if solve_linear(solve):
            least = solve.session.objective()
            if least > sets.budget_usd:
                return [
                    Shortfall(
                        "budget", least / max(sets.budget_usd, 1e-9) - 1, least - sets.budget_usd, sets.budget_usd
                    )
                ]
    return [Shortfall("together", 1.0, 0.0, 0.0)]
