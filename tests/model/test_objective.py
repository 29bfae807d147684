"""Cost terms and scaling: each term prices its own columns, in dollars over the horizon; the scale changes no plan."""

import re

import numpy as np
import pytest

from planner.errors import PlannerError
from planner.model import objective as of_model
from planner.model.columns import Columns, columns_of
from planner.model.objective import (
    TERMS,
    CostTerm,
    egress,
    objective,
    on_demand,
    reserved,
    risk,
    scaled,
    shortfall,
    tail,
    unreserved,
)
from planner.model.program import program_of
from planner.model.reduce.slots import with_kept
from planner.model.sets import Floats, Keep, Sets
from planner.plan.plan import Totals
from planner.solver.scaling import scale_of
from planner.solver.solve import solve
from tests import builders
from tests.builders import one_hour as cases

WEEKS = cases.WEEKS


def all_terms() -> Sets:
    """10 requests in an hour from the east, of 1 GB there; units and unreserved units in the west; a dear scenario."""
    tables = cases.two(
        10,
        0,
        workloads=[cases.workload(extra_bytes_in=1e9 - 240)],
        scenarios=[{"scenario": "dear", "probability": 0.5, "on_demand_price_factor": 2.0},
                   {"scenario": "plain", "probability": 0.5}],
        pools=[{"pool": "west-m", "region": "west", "usd_per_unreserved_unit_hour": 2.0,
                "usd_per_scaled_unit_hour": 4.0, "start_hours": 0.5}],
        throughput=[{"pool": "west-m", "model": "m", "tokens_per_minute_per_unit": 1}],
        offers=[{"offer": "3m", "pool": "west-m", "usd_per_unit_hour": 0.5, "term_months": 3}],
        on_demand=[cases.on_demand("east"), cases.on_demand("west")],
        routes=[{"origin": "east", "destination": "west", "usd_per_gb": 0.1}],
        spend_commitments=[{"contract": "macc", "usd": 1000.0}],
    )  # fmt: skip
    return cases.sets(tables, tail_value=0.75, risk={"weight": 0.5, "level": 0.8})


def test_each_term_by_hand() -> None:
    sets = all_terms()
    at = columns_of(sets)
    # January inside the horizon, February and March (672 + 744 h) counted at a quarter
    assert reserved(sets, at)[at.committed].tolist() == pytest.approx([0.5 * 744])
    assert tail(sets, at)[at.committed].tolist() == pytest.approx([0.5 * 0.25 * (672 + 744)])
    assert unreserved(sets, at)[at.unreserved].tolist() == [[pytest.approx(2.0 * 744)]]
    arcs = sets.arcs.iloc[at.flow_arc]
    factor = np.where(sets.slots["scenario"].to_numpy()[at.flow_slot] == "dear", 2.0, 1.0)
    per_krph = np.where(arcs["reserved"], 0.0, 3000.0) * factor * 0.5 * WEEKS
    assert on_demand(sets, at)[at.flows].tolist() == pytest.approx(per_krph.tolist())
    crossed = np.where(arcs["away"], 1000 * 0.1, 0.0) * 0.5 * WEEKS
    assert egress(sets, at)[at.flows].tolist() == pytest.approx(crossed.tolist())
    weeks = 0.5 * WEEKS  # of each scenario
    assert scaled(sets, at)[at.scaled[at.scaled >= 0]] == pytest.approx(4.0 * weeks)
    assert scaled(sets, at)[at.started[at.started >= 0]] == pytest.approx(0.5 * 4.0 * weeks)
    assert risk(sets, at)[at.over].tolist() == pytest.approx([0.5 * 0.5 * 0.8 / 0.2] * 2)  # weight, probability
    assert risk(sets, at)[at.under].tolist() == pytest.approx([0.5 * 0.5] * 2)
    assert shortfall(sets, at)[at.short].tolist() == [[0.5, 0.5]]  # the probability of each scenario


def test_the_objective_is_the_sum_of_its_terms() -> None:
    sets = all_terms()
    at = columns_of(sets)
    parts = [term.usd(sets, at) for term in TERMS]
    assert objective(sets, at).tolist() == pytest.approx(sum(parts).tolist())
    assert all((part >= 0).all() for part in parts)
    assert not objective(sets, at)[at.deployed].any()


def test_each_term_prices_the_columns_that_it_names() -> None:
    sets = with_kept(all_terms(), Keep(5.0), {("3m", "2027-01"): 1.0})
    at = columns_of(sets)
    held = sets.arcs["reserved"].to_numpy(bool)[at.flow_arc]
    named = {"x": at.committed, "v": at.deployed, "u": at.unreserved[at.unreserved >= 0], "y": at.flows[held],
             "z": at.flows[~held], "more": at.more, "fewer": at.fewer, "short": at.short.ravel(),
             "a": at.scaled[at.scaled >= 0], "g": at.started[at.started >= 0], "over": at.over,
             "under": at.under}  # fmt: skip
    for term in TERMS:
        priced = np.flatnonzero(term.usd(sets, at))
        told = [named[name] for name in re.split(" and |, ", term.prices)]
        assert all(np.isin(columns, priced).any() for columns in told), term.name
        assert np.isin(priced, np.concatenate(told)).all(), term.name


def test_the_parts_of_a_plans_cost_are_the_terms_and_what_is_owed() -> None:
    parts = [term.part for term in TERMS if term.part is not None]
    assert (*parts, "sunk_usd") == Totals.names()


def test_a_term_that_pays_for_what_is_bought_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sets = all_terms()

    def rebate(sets: Sets, at: Columns) -> Floats:
        return -2 * reserved(sets, at) - 2 * tail(sets, at)

    monkeypatch.setattr(of_model, "TERMS", (*TERMS, CostTerm(rebate, "x", "reserved_usd")))
    with pytest.raises(PlannerError, match="rebate"):
        objective(sets, columns_of(sets))


def test_scales_are_powers_of_two_and_numbers_of_order_one() -> None:
    program = program_of(all_terms())
    scale = scale_of(program)
    for values in (scale.column, scale.row, np.array([scale.cost])):
        assert (np.frexp(values)[0] == 0.5).all()
    first = 0
    for rows in program.families:
        factor = scale.row[first : first + rows.count]
        first += rows.count
        largest = np.zeros(rows.count)
        np.maximum.at(largest, rows.row, np.abs(rows.value * scale.column[rows.column] * factor[rows.row]))
        assert ((largest >= 0.5) & (largest <= 2.0)).all()


@pytest.mark.parametrize("money", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("traffic", [1e-3, 1.0, 1e5])
def test_units_of_money_and_traffic_change_no_plan(money: float, traffic: float) -> None:
    shape = [3.0, 10.0, 4.0, 7.0, 7.0, 1.0, 2.0]
    tables = builders.tables(
        demand=builders.profile("west", "w", [n * traffic for n in shape]),
        offers=[{"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.0 * money}],
        on_demand=[cases.on_demand(usd_per_mtok_input=1.7 / 60e-6 * money)],
    )
    plan = solve(builders.case(tables, headroom=0.2), workers=1)
    # with 0.2 reserved headroom a request needs 1.25 units, which pay where used in 1.25 / 1.7 = 5.15 of 7 hours:
    # the second request is asked in 6 of 7 hours, the third in 5
    units = 2.0 / 0.8
    spilled = sum(max(0.0, n - 2.0) for n in shape) * 744 / 7
    assert plan.totals.total_usd == pytest.approx((units * 744 + spilled * 1.7) * money * traffic, rel=1e-9)
    assert plan.proof.status == "optimal"
