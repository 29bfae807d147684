"""One component from its sets to its plan: linear programme, whole units, certificate, routings of the stress cases.

Starts that an optimum pays for and does not need, as units that run: money that must be spent on contracts.

Where what units by the hour cost counts for several contracts, a dollar spent for nothing saves more than a dollar of
shortfall. The programme then may start more than what runs asks for, at the same price as running idle. A plan states
what runs, and what starts follows: so the same money is spent on units that run, all week or in every other hour. What
`max_scaled_units` leaves no room for is not spent.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from planner.errors import PlannerError
from planner.model.columns import Columns, counted_twice
from planner.model.constraints.scaled import started_units
from planner.model.family import Reduction
from planner.model.program import LinearProgram, program_of
from planner.model.reduce.slots import merge_slots, prune
from planner.model.sets import Floats, Ints, Sets
from planner.model.structure import breaks, prices_on_sizes, refusing, rules_on_sizes
from planner.model.waiting import Weeks
from planner.solver.certificate import Certificate, WitnessArrays, certify, price_table, witness_of
from planner.solver.continuous import LinearSolve, open_program, solve_linear
from planner.solver.deployed import deploy_paid, deploy_spent, purchases_and_deployments
from planner.solver.highs import Clock, set_options
from planner.solver.joint import cost_settled, joint_columns, settle_joint
from planner.solver.scaling import column_scale
from planner.solver.single import solve_sizes
from planner.solver.starts import Starts
from planner.solver.ties import choose_by_rule, equal_offers_by_rule, flow_totals, served_sooner, served_work

WASTED = 1e-7  # of what a week's units cost: starts above it are no rounding
HALVINGS = 100


def run_to_spend(sets: Sets, at: Columns, values: Floats, units: Floats) -> Floats:
    """Let more units run by the hour, so that they cost what the optimum spends on them.

    values : of all columns. units : that run, deployments x slots.
    """
    meter = sets.deployments["meter_row"].to_numpy(int)
    twice = counted_twice(sets)[meter][:, sets.slot_period] & (at.started >= 0)
    if not twice.any():
        return units
    hours = sets.meters["start_hours"].to_numpy(float)[meter]
    asked = np.where(at.started >= 0, values[at.started], 0.0)
    wasted = np.where(twice, np.maximum(asked - started_units(sets, units), 0.0), 0.0)
    pool = sets.meters["pool"].to_numpy(object)[meter]
    most = sets.meters["max_scaled_units"].fillna(np.inf).to_numpy(float)[meter]
    first, found = Weeks.of(sets).first, units.copy()
    for start in np.unique(first):
        week = np.flatnonzero(first == start)
        for d in np.flatnonzero(wasted[:, week].any(axis=1)):
            now = _hours_paid(found[d, week], hours[d])
            more = hours[d] * float(wasted[d, week].sum())
            if more > WASTED * max(now, 1.0):
                top = most[d] - found[pool == pool[d]][:, week].sum(axis=0) + found[d, week]
                found[d, week] = _raised(found[d, week], top, start_hours=hours[d], paid=now + more)
    return found


def _hours_paid(units: Floats, start_hours: float) -> float:
    """Unit-hours paid in a week, starts included."""
    return float(units.sum() + start_hours * np.maximum(units - np.roll(units, 1), 0.0).sum())


def _raised(units: Floats, top: Floats, *, start_hours: float, paid: float) -> Floats:
    """Raise units up to ``top`` until so many unit-hours are paid, or as many as can be."""
    even = np.arange(len(units)) % 2 == 0

    def level(height: float, hours: Floats | np.ndarray) -> Floats:
        return np.where(hours, np.maximum(units, np.minimum(top, height)), units)

    highest = float(np.minimum(top, units + paid).max())
    shapes = [np.ones(len(units), bool), even, ~even]
    ends = [_hours_paid(level(highest, shape), start_hours) for shape in shapes]
    enough = [k for k, end in enumerate(ends) if end >= paid]
    if not enough:
        return level(highest, shapes[int(np.argmax(ends))])
    return _level_that_pays(lambda height: level(height, shapes[enough[0]]), highest, start_hours, paid)


def _level_that_pays(shape: Callable[[float], Floats], highest: float, start_hours: float, paid: float) -> Floats:
    """Find the height at which so many unit-hours are paid, by halving: what is paid changes without jumps."""
    low, high = 0.0, highest
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if _hours_paid(shape(middle), start_hours) < paid:
            low = middle
        else:
            high = middle
    return shape(high)


HIGHS = "highs"
DUST = 1e-10  # of the largest load: units that run by the hour below it are rounding
SHARP = 1e-7  # relative: a linear optimum whose certificate leaves more open is solved on with finer costs


@dataclass(frozen=True)
class Decided:
    """Decisions of a component (natural units of Sets), over its merged slots.

    committed : units by purchase. deployed : units, deployments x periods. flow_arc, flow_arrived, flow_slot, flow :
        krph, non-zero; the slot in which the work arose, and the one that serves it. scaled : units that run by the
        hour, deployments x slots.
    """

    sets: Sets
    committed: Floats
    deployed: Floats
    flow_arc: Ints
    flow_arrived: Ints
    flow_slot: Ints
    flow: Floats
    scaled: Floats


@dataclass(frozen=True)
class ComponentPlan(Decided):
    """What was decided for a component, and how good it is.

    usd, bound_usd, tree_bound_usd : cost, the certificate's bound, the branch-and-bound's claim (bound_usd where no
        units are whole).
    rent_deployment, rent_slot, rent : duals of rule 4, USD per unit.
    stress_case, stress_period, stress_slot, stress_usd, stress_units : rows of rule 8 with a dual (USD per unit of
        the right-hand side) and their coefficients (rows x deployments). Both are those of the continuous
        programme, also where units are whole: only there do they add up to the prices.
    witness : routings that prove the stress cases. prices : the certificate's prices, named (solver.prices).
    """

    usd: float
    bound_usd: float
    tree_bound_usd: float
    rent_deployment: Ints
    rent_slot: Ints
    rent: Floats
    stress_case: Ints
    stress_period: Ints
    stress_slot: Ints
    stress_usd: Floats
    stress_units: Floats
    witness: WitnessArrays
    prices: pd.DataFrame


OF_PROOF = ("bound_usd", "tree_bound_usd", "prices", "rent_deployment", "rent_slot", "rent", "stress_case",
            "stress_period", "stress_slot", "stress_usd", "stress_units")  # fmt: skip


def reduced_program(part: Sets) -> LinearProgram:
    """State a component's programme: equal slots merged, arcs that no optimum needs left out."""
    return program_of(prune(merge_slots(part)))


def begin_component(
    part: Sets, clock: Clock, program: LinearProgram | None = None, starts: Starts | None = None
) -> LinearSolve | None:
    """Find a component's optimum for units of any size; None where no plan exists.

    ``program`` : its reduced one. ``starts`` : optima to start from, to which this one is added.
    """
    solve = open_program(reduced_program(part) if program is None else program, clock)
    if starts is not None:
        starts.begin(part, solve)
    if not solve_linear(solve):
        return None
    if starts is not None:
        starts.keep(part, solve)
    return solve


def any_plan(part: Sets, clock: Clock) -> bool:
    """Whether a component has a plan for units of any size, whatever it costs.

    Where nothing costs anything, presolve leaves a half to a twelfth of the time (measured).
    """
    program = reduced_program(part)
    solve = open_program(program, clock)
    solve.session.set_costs(np.zeros(program.columns.count))
    set_options(solve.session.highs, presolve="on")
    return solve_linear(solve)


def decided(solve: LinearSolve) -> Decided:
    """Decisions of the last optimum of a linear programme."""
    return decided_as(solve.program, solve.session.values())


def decided_as(program: LinearProgram, values: Floats) -> Decided:
    """Decisions that some values of the columns are."""
    at = program.columns
    flow = values[at.flow_first :]
    used = np.flatnonzero(flow > 0)
    return Decided(
        program.sets,
        values[at.committed],
        np.maximum(values[at.deployed], 0.0),
        at.flow_arc[used],
        at.flow_slot[used],  # rows that span parts do not ask when work arose
        at.flow_slot[used],
        flow[used],
        np.where(at.scaled >= 0, np.maximum(values[at.scaled], 0.0), 0.0),
    )


def finish_component(part: Sets, solve: LinearSolve, gap: float, solver: str = HIGHS) -> ComponentPlan | None:
    """Prove the optimum, find whole units within the relative gap, choose among equals; None where no plan exists.

    Another solver than HiGHS finds the plan by itself; the certificate comes from HiGHS's duals all the same. A plan
    that is found before the time is over is finished without looking at the clock.
    """
    clock, program = solve.session.clock, solve.program
    usd, duals = solve.session.objective(), solve.session.row_duals()
    certificate = certify(program, duals, solve.cuts, usd)
    if usd - certificate.bound_usd > SHARP * usd and solve.session.sharpen() and solve_linear(solve):
        usd, duals = solve.session.objective(), solve.session.row_duals()
        certificate = certify(program, duals, solve.cuts, usd)
    networks = [problem.net for problem in solve.separator.problems]
    prices = price_table(program, certificate, solve.cuts, networks, part)
    tree_bound = certificate.bound_usd
    if solver != HIGHS:
        from planner.solver.other_solvers import solve_with_pulp

        wanted = refusing(part, Reduction.SIZES) if part.has_size_rules else ()
        if wanted:
            raise PlannerError(
                f"--solver {solver}: with whole units and the rule {', '.join(wanted)}, only highs can bound the sizes"
            )
        found = solve_with_pulp(solve, solver, gap if part.has_size_rules else 0.0, clock)
        if found is None:
            return None
        usd, values = found.usd, found.values
        tree_bound = found.bound_usd if part.has_size_rules else tree_bound
    elif part.has_size_rules:
        whole = solve_sizes(solve, gap, clock)
        if whole is None:
            return None
        usd, tree_bound = whole.usd, whole.bound_usd
        counted = rules_on_sizes(program.sets) or prices_on_sizes(program.sets)
        values = whole.values if counted else equal_offers_by_rule(solve, whole.values)
    else:
        values = choose_by_rule(solve)
    clock.deadline = np.inf
    if part.has_size_rules and len(joint_columns(program.columns)):
        values, usd = _spent(solve, values, usd)
    try:
        return plan_of(
            solve, values, usd=usd, tree_bound=tree_bound, certificate=certificate, duals=duals, prices=prices
        )
    except ArithmeticError:
        if solver == HIGHS:
            raise
        from planner.solver.other_solvers import routed

        usd, values = routed(solve, values)  # its digits are too few for all rows to be kept
        return plan_of(
            solve, values, usd=usd, tree_bound=tree_bound, certificate=certificate, duals=duals, prices=prices
        )


def _spent(solve: LinearSolve, values: Floats, usd: float) -> tuple[Floats, float]:
    """Deploy what a plan in whole units pays for beyond commitments: values of all columns, and what they cost (USD).

    What is then left to spend, or spent too much, may be made up for by what has no sizes.
    """
    program, session, cost = solve.program, solve.session, partial(cost_settled, solve.program)
    found = [deploy_spent(program, values), deploy_spent(program, values, cost)]
    if found[0] is values:
        return values, usd
    for one in found[:]:
        columns, lower, upper = purchases_and_deployments(program, one)
        session.set_column_bounds(columns, lower, upper)
        try:
            if solve_linear(solve):
                other = session.values()
                other[columns[lower > 0]] = one[columns[lower > 0]]
                found.append(other)
        finally:
            session.set_column_bounds(columns, np.zeros(len(columns)), program.columns.upper[columns])
    best = min(found, key=cost)
    return best, cost(best)


def plan_of(
    solve: LinearSolve, values: Floats, *, usd: float, tree_bound: float, certificate: Certificate, duals: Floats,
    prices: pd.DataFrame,
) -> ComponentPlan:  # fmt: skip
    """Make a component's plan of the values of its columns, with the routings that prove its stress cases.

    Raises
    ------
    ArithmeticError : the values break a row, or a stress case is not served.
    """
    program, at = solve.program, solve.program.columns
    committed = np.maximum(values[at.committed], 0.0)
    scale = column_scale(program.sets, at)
    values = served_sooner(program, np.maximum(values, 0.0), scale, solve.session.clock)
    work = served_work(program.sets, at, values)
    values[at.flow_first :] = flow_totals(at, work, len(program.sets.slots))
    joint = len(joint_columns(at)) > 0
    if joint:
        values = deploy_spent(program, values, partial(cost_settled, program))
    final = deploy_paid(program, values)
    scaled = _run_by_hour(program, final)
    if breaks(program, final, scale, Reduction.SIZES):  # a rule that more units would break
        final = values
        scaled = _run_by_hour(program, final)
    deployed = final[at.deployed]
    if joint:
        final = settle_joint(program.sets, at, final)
    wrong = breaks(program, final, scale)
    if wrong:
        raise ArithmeticError(f"a plan that HiGHS calls optimal breaks rows of {', '.join(wrong)}")
    cuts, routings = solve.separator.routings(deployed)
    if cuts:
        raise ArithmeticError("a stress case that was served is not: the solver's tolerance was met, ours was not")
    rows = program.family("reserved")
    first = program.first_row("reserved")
    rent = np.maximum(-duals[first : first + rows.count], 0.0)
    paying = np.flatnonzero(rent)
    stress = duals[program.row_count :]
    binding = [(cut, float(usd)) for cut, usd in zip(solve.cuts, stress) if usd > 0]
    return ComponentPlan(
        sets=program.sets,
        committed=committed,
        deployed=deployed,
        flow_arc=work.arc,
        flow_arrived=work.arrived,
        flow_slot=work.slot,
        flow=work.flow,
        scaled=scaled,
        usd=usd,
        bound_usd=certificate.bound_usd,
        tree_bound_usd=tree_bound,
        rent_deployment=rows.index["deployment"][paying],
        rent_slot=rows.index["slot"][paying],
        rent=rent[paying],
        stress_case=np.array([cut.case for cut, _ in binding], dtype=np.int64),
        stress_period=np.array([cut.period for cut, _ in binding], dtype=np.int64),
        stress_slot=np.array([cut.slot for cut, _ in binding], dtype=np.int64),
        stress_usd=np.array([usd for _, usd in binding]),
        stress_units=np.array([cut.units for cut, _ in binding]).reshape(len(binding), len(program.sets.deployments)),
        witness=witness_of(routings),
        prices=prices,
    )


def _run_by_hour(program: LinearProgram, final: Floats) -> Floats:
    """Run what the deployed units cannot serve, and what the optimum runs besides: kept warm, or spent on a contract.

    ``final`` : values of all columns; those of these units are set. Returns units, deployments x slots.
    """
    sets, at = program.sets, program.columns
    if not (at.scaled >= 0).any():
        return np.zeros(at.scaled.shape)
    rows = program.family("reserved")
    loads = np.where(rows.column >= at.flow_first, rows.value * final[rows.column], 0.0)
    need = np.zeros(at.scaled.shape)
    need[rows.index["deployment"], rows.index["slot"]] = np.bincount(rows.row, loads, rows.count)
    units = np.maximum(need - final[at.deployed][:, sets.slot_period], 0.0)
    warm = np.where(at.scaled >= 0, final[at.scaled], 0.0)  # also what runs only to be spent on a contract
    units = np.maximum(units, np.where(warm > DUST * need.max(initial=0.0), warm, 0.0))
    units = np.where((at.scaled >= 0) & (units > DUST * need.max(initial=0.0)), units, 0.0)
    units = run_to_spend(sets, at, final, units)
    final[at.scaled[at.scaled >= 0]] = units[at.scaled >= 0]
    final[at.started[at.started >= 0]] = started_units(sets, units)[at.started >= 0]
    return units
