"""Of the plans within a cost, the best in another way: against every subset of lines, and the literal programme."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import highspy
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.model.index_tables import sets_of
from planner.model.program import LinearProgram, literal_program
from planner.model.reduce.slots import Line, with_kept, with_most
from planner.model.sets import Keep, Sets
from planner.plan.orders import order_lines
from planner.plan.plan import Plan
from planner.schema.case import Case
from planner.solver.common_master import Aim
from planner.solver.find import Kept, Options, find_if_any
from planner.solver.highs import highs_model, quiet_highs, set_options
from planner.solver.nearly import Least, least_within
from planner.solver.scaling import scale_of
from planner.solver.session import sunk_usd
from tests.builders.random_tables import cases, whole_cases, with_money

EXACT = Options(gap=1e-9, workers=1)
SHARE = 0.05
LINES = 8  # most in a case of which every subset is tried


def literal(program: LinearProgram, cost: np.ndarray, most_usd: float | None = None) -> float | None:
    """Least value of some costs over the literal integer programme, within a cost in USD; None: no plan."""
    scale = scale_of(program)
    lp = highs_model(program, scale)
    lp.col_cost_ = cost * scale.column
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(whole)] for whole in program.columns.integer]
    h = quiet_highs()
    set_options(h, mip_rel_gap=0.0, mip_abs_gap=0.0, mip_feasibility_tolerance=1e-9)
    h.passModel(lp)
    if most_usd is not None:
        used = np.flatnonzero(program.cost).astype(np.int32)
        usd = (program.cost * scale.column)[used]
        size = float(np.abs(usd).max(initial=0.0)) or 1.0
        h.addRow(-highspy.kHighsInf, most_usd / size, len(used), used, usd / size)
    h.run()
    if h.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return float(h.getInfo().objective_function_value)


def lines_of(case: Case) -> list[Line]:
    sets = sets_of(case)
    return [(str(o), sets.periods[int(p)]) for o, p in zip(sets.purchases["offer"], sets.purchases["period"])]


def value_of(case: Case, aim: Aim, plan: Plan, last: Mapping[Line, float]) -> float:
    lines = order_lines(case, plan)
    if aim is Aim.CHANGES:
        units = {(line.offer.offer, line.period): line.units for line in lines}
        return sum(abs(units.get(line, 0.0) - n) for line, n in last.items())
    return float(len(lines)) if aim is Aim.LINES else sum(line.term_usd for line in lines)


def found_by_planner(case: Case, best: Plan, aim: Aim, last: Mapping[Line, float] = {}) -> Least:
    def price(units: Mapping[Line, float]) -> tuple[Plan, float] | None:
        if aim is Aim.CHANGES:
            options = replace(EXACT, kept=Kept(Keep(0.0, limited=True), last, dict(units)))
        else:
            options = replace(EXACT, most=dict(units))
        plan = find_if_any(case, options)
        return None if plan is None else (plan, value_of(case, aim, plan, last))

    kept = Kept(Keep(0.0), last) if aim is Aim.CHANGES else None
    most = best.judged_usd * (1 + SHARE)
    return least_within(case, most, aim, price, EXACT, kept, value_of(case, aim, best, last))


def literal_least(case: Case, most_usd: float, weights: Mapping[Line, float]) -> float:
    """Least sum of weights times units over the plans within a cost."""
    program = literal_program(sets_of(case), sized=True)
    cost = np.zeros(program.columns.count)
    cost[program.columns.committed] = [weights[line] for line in lines_of(case)]
    found = literal(program, cost, most_usd)
    assert found is not None
    return found


def signed_per_unit(case: Case) -> dict[Line, float]:
    start = {p.name: p.start for p in case.periods}
    offers = {o.offer: o for o in case.offers}
    return {(o, p): offers[o].usd_per_hour(start[p]) * offers[o].term_hours(start[p]) for o, p in lines_of(case)}


def fewest_by_enumeration(sets: Sets, lines: list[Line], most_usd: float) -> int:
    """Try every subset of lines, small ones first, by the literal programme."""
    for count in range(len(lines) + 1):
        for some in combinations(lines, count):
            program = literal_program(with_most(sets, dict.fromkeys(some, np.inf)), sized=True)
            usd = literal(program, program.cost)
            if usd is not None and usd <= most_usd * (1 + 1e-7):
                return count
    raise AssertionError("no subset of the lines has a plan")


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(whole_cases(), cases(months=1, whole=True), cases(months=2)), st.booleans())
def test_every_aim_against_the_literal_programme(case: Case, money: bool) -> None:
    if money:
        case = with_money(case)
    best = find_if_any(case, EXACT)
    if best is None or best.judged_usd < 1:
        return
    most = best.judged_usd * (1 + SHARE)
    inside = most - sunk_usd(case)

    signed = found_by_planner(case, best, Aim.SIGNED)
    assert signed.proved
    literal_usd = literal_least(case, inside, signed_per_unit(case))
    assert signed.value == pytest.approx(literal_usd, rel=2e-4, abs=0.01)
    assert signed.bound <= literal_usd * (1 + 1e-6) + 1e-6

    lines = lines_of(case)
    if len(lines) <= LINES:
        fewest = found_by_planner(case, best, Aim.LINES)
        assert fewest.proved
        assert fewest.value == fewest_by_enumeration(sets_of(case), lines, inside)

    last = {line: 5.0 * (k % 3) for k, line in enumerate(lines)}
    changed = found_by_planner(case, best, Aim.CHANGES, last)
    program = literal_program(with_kept(sets_of(case), Keep(0.0), last), sized=True)
    cost = np.zeros(program.columns.count)
    cost[program.columns.more] = cost[program.columns.fewer] = 1.0
    literal_units = literal(program, cost, inside)
    assert literal_units is not None
    assert changed.proved
    assert changed.value == pytest.approx(literal_units, rel=2e-4, abs=2e-4)
