"""No family of constraints can be forgotten: each binds in some random case, and planner's plan is the literal optimum.

The literal programme has every rule with all its flows, nothing reduced, solved by HiGHS's own branch and bound. The
families of `tests.builders.foreign_families` exist only here: what planner makes of them is right, or refused.
"""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from scipy.sparse import csc_array

from planner.errors import AuditError, InfeasibleError, PlannerError
from planner.model import objective, program
from planner.model.columns import Columns, columns_of
from planner.model.family import SETTINGS, Cell, Family, Reduction, Spans
from planner.model.index_tables import sets_of
from planner.model.program import FAMILIES, STRESS_FAMILIES, literal_program, program_of
from planner.model.reduce.components import split
from planner.model.reduce.slots import merge_slots, with_kept
from planner.model.rows import Rows, Term, joined
from planner.model.sets import Keep, Sets
from planner.model.structure import columns_named, lowering_hurts
from planner.model.waiting import waits
from planner.plan.audit import audit, rules
from planner.plan.audit.linear_rule import LinearRule
from planner.plan.audit.rules import CHECKED, RULES
from planner.plan.flows import Names
from planner.plan.pricing import price
from planner.schema.case import DEMAND_COLUMNS, Case
from planner.solver import partition
from planner.solver.find import Options, find_if_any, find_plan
from planner.solver.highs import Clock, Session
from planner.solver.infeasible import apply, shortfall_of
from planner.solver.limits import LimitChange, limits_of
from planner.solver.solve import solve
from tests import builders
from tests.builders.foreign_families import FOREIGN, FOREIGN_TERMS, least_spend, one_row, stressed_on_demand, two_months
from tests.builders.literal_optimum import TINY_GAP, literal_usd, right
from tests.builders.one_hour import on_demand, one, two, workload
from tests.builders.random_tables import whole_cases, with_money
from tests.builders.solved import solved


def drawn(count: int) -> list[Case]:
    """The same random cases in every run: continuous and in whole units, one scenario and two."""
    found: list[Case] = []

    @settings(max_examples=count, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(whole_cases())
    def collect(case: Case) -> None:
        if len(case.demand):
            found.append(case)

    collect()
    return found


def capped() -> Case:
    """East is served in the west as far as a cap allows."""
    return builders.case(
        two(
            10,
            10,
            workloads=[workload(extra_bytes_in=5e8)],
            on_demand=[on_demand("east"), on_demand("west", usd_per_mtok_input=2e3)],
            routes=[{"origin": "east", "destination": "west", "max_gb_per_month": 5}],
            pools=[],
            throughput=[],
            offers=[],
        ),
        failover={"enabled": False},
    )


def sure() -> Case:
    """On demand is cheap and not guaranteed; two fifths of the requests ask for more."""
    return builders.case(
        two(10, 10, workloads=[workload(guaranteed_share=0.4)], on_demand=[on_demand(r) for r in ("east", "west")])
    )


@pytest.fixture(scope="module")
def some_cases() -> list[Case]:
    tight = two_months(False, max_commitment_usd=10_000)
    random = drawn(6)
    return [*random, *map(with_money, random[-2:]), capped(), tight, sure(), *(each.case for each in solved())]


def binding(sets: Sets) -> set[str]:
    """Families of the literal programme of which some row has a price at the optimum for units of any size."""
    literal = literal_program(sets)
    session = Session(literal, Clock())
    if not session.solve():
        return set()
    price, found = np.abs(session.row_duals()), set()
    for rows in literal.families:
        first = literal.first_row(rows.family)
        if (price[first : first + rows.count] > 1e-6).any():
            found.add(rows.family)
    sized = literal_program(sets, sized=True)
    return found | ({"size_low", "size_top"} if len(sized.columns.sized) else set())


def test_every_family_binds_in_some_case_and_every_plan_is_the_literal_optimum(some_cases: list[Case]) -> None:
    bound = {name for case in some_cases for name in binding(sets_of(case))}
    for case in some_cases:
        assert right(case)
        kept = with_kept(sets_of(case), Keep(5.0, limited=True), *_last(sets_of(case)))
        bound |= binding(kept)
    assert {family.name for family in (*FAMILIES, *STRESS_FAMILIES)} <= bound


def _last(sets: Sets) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], float]]:
    lines = [(str(o), sets.periods[int(p)]) for o, p in zip(sets.purchases["offer"], sets.purchases["period"])]
    return dict.fromkeys(lines, 1.0), dict.fromkeys(lines, 1.0)


def test_the_audit_has_every_check_that_is_named() -> None:
    for name in CHECKED.values():
        module, _, function = name.partition(".")
        assert callable(getattr(import_module(f"planner.plan.audit.{module}"), function)), name


def test_every_family_is_checked_by_the_audit() -> None:
    named = {*CHECKED, *(rule.__name__ for rule in RULES)}
    assert {family.name for family in (*FAMILIES, *STRESS_FAMILIES)} <= named, "state it in plan/audit/rules"
    assert len({family.name for family in (*FAMILIES, *STRESS_FAMILIES)}) == len(FAMILIES) + len(STRESS_FAMILIES)


def breach(rows: Rows, values: np.ndarray) -> float:
    """The most by which some row is broken."""
    is_ = np.bincount(rows.row, rows.value * values[rows.column], rows.count)
    return float(np.maximum(rows.lower - is_, is_ - rows.upper).max(initial=-np.inf))


def spans_what_it_says(family: Family, sets: Sets) -> bool:
    """Whether the rows tie no more than the family says, by their entries."""
    at = columns_of(sets)
    rows = family.rows(sets, at)
    flow = rows.column >= at.flow_first
    place = sets.slots["period"].to_numpy(int)[at.flow_slot] if family.spans is Spans.PERIOD else at.flow_slot
    meter = np.full(at.count, -1)
    meter[at.committed] = sets.purchases["meter_row"]
    meter[at.deployed] = sets.deployments["meter_row"].to_numpy(int)[:, None]

    def single(row: np.ndarray, values: np.ndarray) -> bool:
        return len(np.unique(np.column_stack([row, values]), axis=0)) == len(np.unique(row))

    if family.spans in (Spans.SLOT, Spans.PERIOD):
        bought = columns_named(at, "committed")[rows.column].any()
        return single(rows.row[flow], place[rows.column[flow] - at.flow_first]) and not bought
    if family.spans is Spans.WEEK:
        week = (
            sets.slots["period"].to_numpy(int)
            + len(sets.periods) * np.unique(sets.slots["scenario"], return_inverse=True)[1]
        )
        of_flow = sets.arcs["need"].to_numpy(int)[at.flow_arc] * (week.max() + 1) + week[at.flow_slot]
        return single(rows.row[flow], of_flow[rows.column[flow] - at.flow_first]) and bool(
            (~flow <= (rows.column >= at.hours_first)).all()
        )
    if family.spans is Spans.METER:
        own = meter[rows.column] >= 0
        return not flow.any() and single(rows.row[own], meter[rows.column[own]])
    return True


def merges_as_it_says(family: Family, sets: Sets, random: np.random.Generator) -> bool:
    """Whether values are as good in equal slots apart as in the one slot that stands for them."""
    merged = merge_slots(sets)
    at, one = columns_of(sets), columns_of(merged)
    values = random.uniform(0, 2, one.count)
    slot_of = np.full(len(sets.slots), -1)
    for k, members in enumerate(merged.members):
        slot_of[members] = k
    apart = np.zeros(at.count)
    apart[: at.hours_first] = values[: one.hours_first]
    number = np.full((len(sets.arcs), len(merged.slots)), -1)
    number[one.flow_arc, one.flow_slot] = one.flows
    flows = np.full((len(sets.arcs), len(sets.slots)), -1)
    flows[at.flow_arc, at.flow_slot] = at.flows
    by_hour = [(getattr(at, name), getattr(one, name)) for name in ("taken", "backlog", "credit", "scaled", "started")]
    for many, few in (*by_hour, (flows, number)):
        row, slot = np.nonzero((many >= 0) & (slot_of >= 0))
        column = few[row, slot_of[slot]]
        apart[many[row, slot]] = np.where(column >= 0, values[column], 0.0)
    return breach(family.rows(sets, at), apart) == pytest.approx(
        breach(family.rows(merged, one), values), rel=1e-9, abs=1e-9
    )


def twins(case: Case) -> Case:
    """The same case, in which each scenario is two that are alike: what happens in one may happen in either."""
    halves = [
        s.model_copy(update={"scenario": name, "probability": s.probability / 2})
        for s in case.scenarios
        for name in (s.scenario, f"{s.scenario} too")
    ]
    names = [s.scenario for s in halves]
    demand = [case.demand.assign(scenario=case.demand["scenario"].astype(str) + end) for end in ("", " too")]
    both = pd.concat(demand)
    both = both.assign(scenario=pd.Categorical(both["scenario"], categories=names))
    return replace(case, scenarios=tuple(halves), demand=both.sort_values(list(DEMAND_COLUMNS), ignore_index=True))


def moves_as_it_says(family: Family, sets: Sets) -> bool:
    """Whether no row is the worse for a flow that moves to on demand without limit, as `slots.prune` lets it move."""
    at, arcs = columns_of(sets), sets.arcs
    rows = family.rows(sets, at)
    entries = csc_array((rows.value, (rows.row, rows.column)), shape=(rows.count, at.count))
    column = np.full((len(arcs), len(sets.slots)), -1)
    column[at.flow_arc, at.flow_slot] = at.flows
    quota = np.append(sets.quotas["tokens_per_minute"].to_numpy(float), np.inf)[arcs["quota"].to_numpy(int)]
    sure, away, region = (arcs[name].to_numpy() for name in ("guaranteed", "away", "region"))
    capped, floored = np.isfinite(rows.upper), np.isfinite(rows.lower)
    for group in arcs.groupby(["need", "model"], sort=False).indices.values():
        for b in group[~arcs["reserved"].to_numpy(bool)[group] & np.isinf(quota[group])]:
            fits = (sure[b] | ~sure[group]) & ((not away[b]) | (region[group] == region[b])) & (group != b)
            for a in group[fits]:
                both = (column[a] >= 0) & (column[b] >= 0)
                more = entries[:, column[b][both]] - entries[:, column[a][both]]
                row, value = more.tocoo().row, more.tocoo().data
                if ((value > 1e-12) & capped[row] | (value < -1e-12) & floored[row]).any():
                    return False
    return True


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_rows_are_what_their_family_declares(family: Family, some_cases: list[Case]) -> None:
    """In random cases, and in the case in which the family binds: elsewhere it may have no rows."""
    random = np.random.default_rng(0)
    own = [each.case for each in solved() if each.family == family.name]
    stated = 0
    for case in [*some_cases[:3], *own, *map(twins, own or some_cases[:1]), *filter(can_wait, some_cases)]:
        sets = with_kept(sets_of(case), Keep(5.0, limited=True), *_last(sets_of(case)))
        assert is_as_declared(family, sets, random)
        stated += family.rows(sets, columns_of(sets, sets.has_size_rules)).count
    assert stated, "no case states a row of it"


def can_wait(case: Case) -> bool:
    """Whether work of a case can wait."""
    return case.work_can_wait


def is_as_declared(family: Family, sets: Sets, random: np.random.Generator) -> bool:
    """Whether a family's rows are what it says, and each reduction that it allows may be used."""
    assert spans_what_it_says(family, sets)
    if Reduction.SLOTS in family.allows:  # and scenarios, where no family refuses it
        assert merges_as_it_says(family, sets, random)
    priced = ("spend", "risk")  # that prices count too, `slots.prune` takes into account
    if Reduction.ARCS in family.allows and family.name not in priced and not waits(sets):
        assert moves_as_it_says(family, sets)
    at = columns_of(sets)
    rows = family.rows(sets, at)
    if Reduction.FOLLOWS in family.allows and family.spans is not Spans.METER:
        assert not columns_named(at, "committed")[rows.column].any()
    sizes = ("reserved", "deployment", "keep", "size_low", "spend")  # what `largest_sizes` takes into account
    if Reduction.SIZES in family.allows and family.name not in sizes:
        assert not lowering_hurts(rows, columns_named(at, "capacity"))
    return True


@pytest.mark.parametrize("family", [f for f in FAMILIES if isinstance(f.relaxed_by, Cell)], ids=lambda f: f.name)
def test_a_familys_cell_moves_its_bounds_as_it_says(family: Family, some_cases: list[Case]) -> None:
    """A tenth more in the cell, by the schema: each bound moves by what the elastic programme counts for it."""
    moved = 0
    for case in [*some_cases, with_limits()]:
        sets = sets_of(case)
        given = replace(program_of(sets), families=(family.rows(sets, columns_of(sets)),))
        alone = sets.without(f.name for f in FAMILIES if f.name != family.name)
        known = limits_of(alone, replace(given, sets=alone))
        for k, limit in enumerate(known.limits):
            if limit.rule != family.name or not limit.has:
                continue
            more = shortfall_of(case, sets, LimitChange(limit, 0.1 * limit.has))
            then = sets_of(apply(case, [more]))
            rows, after = given.families[0], family.rows(then, columns_of(then))
            bounds = [np.where(np.isfinite(r.lower), r.lower, r.upper) for r in (rows, after)]
            mine = known.row[known.limit == k]
            expected = np.zeros(rows.count)
            expected[mine] = -known.value[known.limit == k] * 0.1 * limit.has
            assert bounds[1] - bounds[0] == pytest.approx(expected, rel=1e-6, abs=1e-9), limit
            moved += len(mine)
    assert moved, "no case has such a cell"


def with_limits() -> Case:
    """Two regions with every limit that a buyer sets."""
    tables = two(
        10,
        10,
        workloads=[workload(guaranteed_share=0.5)],
        on_demand=[on_demand(r, tokens_per_minute_quota=50) for r in ("east", "west")],
        routes=[{"origin": "east", "destination": "west", "max_gb_per_month": 5}],
    )
    return builders.case(tables, max_commitment_usd=9000, egress={"max_cross_region_share": 0.25})


@pytest.mark.parametrize("family", [f for f in FAMILIES if f.of_demand], ids=lambda f: f.name)
def test_bounds_that_are_parts_of_the_demand_grow_with_it(family: Family, some_cases: list[Case]) -> None:
    for case in some_cases:
        asked = case.demand.assign(requests_per_hour=2 * case.demand["requests_per_hour"])
        once, twice = (sets_of(c) for c in (case, replace(case, demand=asked)))
        rows, more = (family.rows(sets, columns_of(sets)) for sets in (once, twice))
        assert more.lower == pytest.approx(2 * rows.lower)
        assert more.upper == pytest.approx(2 * rows.upper)


def test_a_wrong_declaration_is_seen(some_cases: list[Case]) -> None:
    wrong = replace(FOREIGN["ramp"], spans=Spans.SLOT, allows=frozenset({Reduction.SLOTS}))
    random = np.random.default_rng(0)
    tried = [sets_of(case) for case in some_cases[:3]]
    assert not all(spans_what_it_says(wrong, sets) for sets in tried)
    assert not all(merges_as_it_says(wrong, sets, random) for sets in tried)
    apart = replace(FOREIGN["alike_in_scenarios"], allows=frozenset({Reduction.SLOTS, Reduction.SCENARIOS}))
    assert not all(merges_as_it_says(apart, sets_of(twins(case)), random) for case in some_cases[:3])

    def at_home(sets: Sets, at: Columns) -> Rows:
        flows = at.flows[~sets.arcs["away"].to_numpy(bool)[at.flow_arc]]
        return one_row("at_home", -np.inf, 1.0, (flows, np.ones(len(flows))))

    assert not moves_as_it_says(replace(apart, rows=at_home), sets_of(two_months(False)))


def test_cost_terms_price_parts_as_they_price_the_whole(some_cases: list[Case]) -> None:
    for case in some_cases:
        sets = with_kept(sets_of(case), Keep(5.0), _last(sets_of(case))[0])
        parts = split(sets)
        for term in objective.TERMS:
            whole = term.usd(sets, columns_of(sets))
            apart = [term.usd(part, columns_of(part)) for part in parts]
            assert np.sort(whole) == pytest.approx(np.sort(np.concatenate(apart)), rel=1e-12), term.name


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """State some families more."""
    return lambda *families: monkeypatch.setattr(program, "FAMILIES", (*FAMILIES, *families))


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("whole_units", [False, True])
@pytest.mark.parametrize("name", FOREIGN)
def test_a_family_that_says_nothing_comes_out_right(
    name: str, whole_units: bool, large: bool, state: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the safe defaults only: parts, slots, sizes, whole units, certificate and ties, against the literal one.

    ``large`` : every part is large enough to be solved by its slots' means.
    """
    if large:
        monkeypatch.setattr(partition, "LARGE", 0)
        monkeypatch.setattr(partition, "DEPTH", 0)
    if name in ("few_purchases", "even_split") and not whole_units:  # free routes even out continuous units
        return
    case = two_months(whole_units)
    free = literal_usd(case)
    state(FOREIGN[name])
    want = literal_usd(case)
    assert free is not None
    assert want is not None
    assert want > free * (1 + 1e-6), f"{name} does not bind"
    plan = find_plan(case, Options(gap=TINY_GAP))
    assert plan.totals.total_usd == pytest.approx(want, rel=1e-6)
    assert plan.proof.bound_usd <= want * (1 + 1e-7)
    assert str(plan.proof.status) == "optimal"
    assert audit(case, plan) == []


@pytest.mark.parametrize("name", FOREIGN)
def test_a_family_that_says_nothing_comes_out_right_where_work_can_wait(name: str, state: Callable[..., None]) -> None:
    """Rows of hours, of weeks and of everything: they refuse what would not respect them."""
    case = two_months(False)
    case = replace(case, workloads=tuple(w.model_copy(update={"deadline_hours": 5}) for w in case.workloads))
    state(FOREIGN[name])
    assert right(case)


@pytest.mark.parametrize("whole_units", [False, True])
@pytest.mark.parametrize("name", FOREIGN_TERMS)
def test_a_cost_term_that_says_nothing_comes_out_right(
    name: str, whole_units: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "order_fee" and not whole_units:  # units of any size have no switches
        return
    case = two_months(whole_units)
    free = find_plan(case, Options(gap=TINY_GAP))
    monkeypatch.setattr(objective, "TERMS", (*objective.TERMS, FOREIGN_TERMS[name]))
    want = literal_usd(case)
    assert want is not None
    assert want > free.totals.total_usd * (1 + 1e-6), f"{name} does not cost anything"
    plan = find_plan(case, Options(gap=TINY_GAP))
    assert plan.totals.total_usd == pytest.approx(want, rel=1e-6)
    assert plan.proof.bound_usd <= want * (1 + 1e-7)
    assert str(plan.proof.status) == "optimal"
    assert "totals" in {finding.rule for finding in audit(case, plan)}, "a term that nobody prices again is refused"


def test_every_cost_term_is_priced_again(some_cases: list[Case]) -> None:
    """Each part of the cost is more than nothing in some case, and a wrong one is found."""
    paid = set()
    for case in [*some_cases[:3], sure(), dear(), lost(), by_the_hour()]:
        plan = find_if_any(case)
        if plan is None:
            continue
        again = price(case, plan.purchases, plan.deployments, plan.dispatch, scaled_units=plan.scaled_units)
        assert plan.totals.parts() == pytest.approx(again.parts(), rel=1e-9, abs=1e-9)
        for name, usd in plan.totals.parts().items():
            if usd > 1.0:
                paid.add(name)
                wrong = replace(plan, totals=replace(plan.totals, **{name: usd * 0.99}))
                assert any(name in finding.message for finding in audit(case, wrong)), name
    assert {term.part for term in objective.TERMS if term.part is not None} <= paid


def by_the_hour() -> Case:
    """Units run by the hour."""
    return next(each.case for each in solved() if each.family == "start")


def lost() -> Case:
    """More is promised than all requests cost on demand, 10 · 93 / 7 USD: 67.14 USD are lost."""
    case = next(each.case for each in solved() if each.family == "spend")
    return replace(case, spend_commitments=(case.spend_commitments[0].model_copy(update={"usd": 200.0}),))


def dear() -> Case:
    """East is served in the west by a unit of a long term, and by units paid by the hour."""
    tables = two(
        10,
        0,
        workloads=[workload(extra_bytes_in=1e9)],
        pools=[{"pool": "west-m", "region": "west", "usd_per_unreserved_unit_hour": 1.5}],
        throughput=[{"pool": "west-m", "model": "m", "tokens_per_minute_per_unit": 1}],
        offers=[{"offer": "3m", "pool": "west-m", "usd_per_unit_hour": 0.5, "term_months": 3, "max_units": 4}],
        on_demand=[on_demand("west", usd_per_mtok_input=1e9)],
        routes=[{"origin": "east", "destination": "west", "usd_per_gb": 0.1}],
    )
    return builders.case(tables, tail_value=0.5, failover={"enabled": False})


def spend(case: Case, names: Names) -> LinearRule:
    """The least spend of the tests as the audit states it, in plain arithmetic from the case."""
    weights = [
        (0, o.offer, p.name, o.usd_per_unit_hour * sum(q.hours for q in case.periods[k : k + o.term_months]))
        for o in case.offers
        for k, p in enumerate(case.periods)
    ]
    return LinearRule("spend_at_least", "USD", [{}], [LEAST_USD[0]], [np.inf], bought=weights)


LEAST_USD = [0.0]


def two_islands(whole_units: bool) -> Case:
    """Two regions without routes, 10 requests an hour each in hour 0: on demand is far cheaper than a unit."""
    return builders.case(
        two(10, 10, routes=[], regions=[{"region": r, "fails": False} for r in ("east", "west")]),
        whole_units=whole_units,
    )


@pytest.mark.parametrize("whole_units", [False, True])
@pytest.mark.parametrize("usd", [7440.0, 20000.0])
def test_least_spend_is_met_once_not_once_a_part(
    usd: float, whole_units: bool, state: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unit costs 744 USD a month and serves an hour a week of one request: 31/7 x 3 USD = 13.29 USD on demand.

    Without the rule nothing is committed: 2 x 10 x 13.29 = 265.71 USD. With it, what must be spent buys units, 744 USD
    each, and each of the first 20 saves 13.29 USD: it is spent once, wherever it is, not once in each region.
    """
    case = two_islands(whole_units)
    state(least_spend(usd))
    monkeypatch.setattr(rules, "RULES", (spend,))
    LEAST_USD[0] = usd
    plan = solve(case)
    units = usd / 744
    saved = min(units, 20.0) * 31 / 7 * 3
    assert plan.totals.reserved_usd == pytest.approx(usd)
    assert plan.totals.total_usd == pytest.approx(usd + 20 * 31 / 7 * 3 - saved)
    assert str(plan.proof.status) == "optimal"
    kinds = set(plan.certificate["kind"])
    assert "spend_at_least_floor" in kinds


def test_a_price_of_a_rule_that_the_check_does_not_know_is_refused_in_words(state: Callable[..., None]) -> None:
    state(least_spend(7440.0))
    with pytest.raises(AuditError, match="spend_at_least_floor, a rule that this check does not know"):
        solve(two_islands(False))


def test_a_rule_on_stress_flows_that_is_not_projected_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """10 requests an hour stressed to 20 by headroom, half of them on demand at most: 10 units, 744 USD each.

    Nothing else asks for them. Half of each stays spare in ordinary use, so they save 5 requests on demand.
    """
    case = builders.case(one(10, on_demand=[on_demand("west")]), headroom=0.5)
    rule = stressed_on_demand(0.5)
    without = literal_usd(case)
    monkeypatch.setattr(program, "STRESS_FAMILIES", (*STRESS_FAMILIES, rule))
    want = literal_usd(case)
    assert (want or 0) - (without or 0) == pytest.approx(10 * 744 - 5 * 31 / 7 * 3)
    with pytest.raises(PlannerError, match="stressed_on_demand: a rule of the stress cases"):
        find_plan(case)
    claimed = replace(rule, allows=frozenset({Reduction.RAYS}))
    monkeypatch.setattr(program, "STRESS_FAMILIES", (*STRESS_FAMILIES, claimed))
    with pytest.raises(AssertionError):  # a wrong claim is seen against the literal programme
        right(case)


def test_a_rule_on_stress_flows_without_rows_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    case = builders.case(one(10, on_demand=[]), headroom=0.5)
    monkeypatch.setattr(program, "STRESS_FAMILIES", (*STRESS_FAMILIES, stressed_on_demand(0.5)))
    assert right(case)


def test_where_a_foreign_rule_cannot_be_met_the_reasons_name_it(state: Callable[..., None]) -> None:
    def rows(sets: Sets, at: Columns) -> Rows:
        return one_row("most_spend", -np.inf, -1.0, (at.committed, np.ones(len(at.committed))))

    state(Family("most_spend", "10", rows, "USD"))
    with pytest.raises(InfeasibleError, match="rule most_spend: its limit -1 is 1 too small; 0 is enough"):
        solve(two_islands(False))


def test_a_foreign_rule_of_many_rows_is_told_by_the_row(state: Callable[..., None]) -> None:
    """On demand may be 0.003 krph at most in the first hour of the east, and at least 0.001 in that of the west.

    Without units, 10 requests an hour of each have nowhere else to go: 0.007 more in the east; the west is served.
    """

    def rows(sets: Sets, at: Columns) -> Rows:
        need = sets.arcs["need"].to_numpy(int)[at.flow_arc]
        index, bounds = {"need": np.arange(2)}, (np.array([-np.inf, 0.001]), np.array([0.003, np.inf]))
        where = {"need": need, "slot": np.zeros(len(need), np.int64)}
        return joined("narrow", {**index, "slot": np.zeros(2, np.int64)}, bounds, [Term(where, at.flows, 1.0)])

    state(Family("narrow", "10", rows, "USD"))
    case = replace(two_islands(False), pools=(), throughput=(), offers=())
    with pytest.raises(InfeasibleError) as error:
        solve(case)
    assert str(error.value).splitlines()[1] == (
        "  rule narrow (east, w, base, 2027-01, hour 0): its limit 0.003 is 0.007 too small; 0.01 is enough "
        "(Mon 00:00 UTC in 2027-01)"
    )


def test_an_answer_that_is_not_enough_once_it_is_in_the_input_is_not_given(state: Callable[..., None]) -> None:
    """Twice the budget must be spent: the same cell bounds the spend from both sides, and no more of it helps."""

    def rows(sets: Sets, at: Columns) -> Rows:
        usd = 2 * (sets.budget_usd or 0.0)
        return one_row("spend_twice", usd, np.inf, (at.committed, sets.purchases["committed_usd_per_unit"]))

    budget = Cell(SETTINGS, "policy.max_commitment_usd", "USD", per_unit=lambda sets, rows: np.full(rows.count, 2.0))
    state(Family("spend_twice", "10", rows, "USD", relaxed_by=budget))
    case = two_islands(False)
    policy = case.settings.policy.model_copy(update={"max_commitment_usd": 20000.0})
    limited = replace(case, settings=case.settings.model_copy(update={"policy": policy}))
    with pytest.raises(InfeasibleError, match="The reason was not found"):
        solve(limited)
