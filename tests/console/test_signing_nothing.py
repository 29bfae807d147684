"""A search that ended early is held against signing nothing, by hand: 10 requests an hour at 0.6 USD on demand."""

from dataclasses import replace

import pandas as pd
import pytest

from planner.console.signing_nothing import no_dearer_than_nothing
from planner.features.order import order
from planner.plan.plan import Status
from planner.plan.reading import Reading
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.solve import audited
from tests import builders

HOURS = 31 * 24  # January 2027
ALONE = Options(workers=1)


def cheap_on_demand() -> Case:
    """A unit serves a request an hour for 1 USD, on demand 0.6 USD: nothing is worth buying."""
    rows = builders.tables(on_demand=[{"region": "west", "model": "m", "usd_per_mtok_input": 10_000.0,
                                       "usd_per_mtok_output": 0.0}])  # fmt: skip
    return builders.case(rows)


def ended_early(case: Case, more_usd: float = 100.0) -> Reading:
    """As if the search had ended with a plan that costs more than the optimum."""
    plan = audited(case, ALONE).plan
    dearer = replace(plan.totals, reserved_usd=plan.totals.reserved_usd + more_usd)
    return Reading(case, replace(plan, totals=dearer, proof=replace(plan.proof, status=Status.GAP, gap=0.01)))


def test_no_plan_costs_more_than_signing_nothing() -> None:
    case = cheap_on_demand()
    found, nothing = no_dearer_than_nothing(ended_early(case), ALONE)
    assert nothing is not None
    assert found.plan.totals.total_usd == pytest.approx(10 * 0.6 * HOURS)
    assert nothing.total_usd == pytest.approx(found.plan.totals.total_usd)
    assert found.plan.proof.status is Status.OPTIMAL  # the bound that the search proved stands


def test_a_plan_that_is_cheaper_or_optimal_stays() -> None:
    case = builders.case(builders.tables())  # 3 USD on demand: 10 units for 1 USD are cheaper
    early = ended_early(case)
    found, nothing = no_dearer_than_nothing(early, ALONE)
    assert found is early
    assert nothing is not None
    assert nothing.total_usd == pytest.approx(30 * HOURS)
    assert no_dearer_than_nothing(audited(case, ALONE), ALONE)[1] is None  # not tried


def test_an_order_is_never_told_to_cost_less_than_the_best_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    case = builders.case(builders.tables())
    lines = audited(case, ALONE).plan.purchases.assign(usd_per_unit_hour=1.0)
    monkeypatch.setattr(order, "audited", lambda *_: ended_early(case, 1_000.0))
    other = pd.concat([lines, lines.assign(units=1.0)])  # a unit more than the optimum: not the same purchases
    priced = order.price_order(case, other, ALONE)
    assert priced.plan.totals.total_usd == pytest.approx(11 * HOURS)
    assert priced.best.totals.total_usd == pytest.approx(11 * HOURS)  # not 10 * HOURS + 1,000
