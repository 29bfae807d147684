"""Two contracts count the same dollar: then units that run by the hour may be worth running for nothing.

A week of January 2027 counts 31/7 times. 10 requests in hour 0 cost 3 USD each on demand, 93/7 x 10 = 132.857 USD over
the month; a unit that runs by the hour serves one for 2 USD. Both contracts ask for 500 USD of on-demand spend. A plan
without waste pays 500 twice, less what it spends once: 1,000 - 88.571. A dollar spent for nothing saves two of
shortfall, so the best plan spends 500 and nothing is short.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from planner.plan.audit import audit
from planner.schema.case import Case
from planner.solver import component
from planner.solver.certificate import certify
from planner.solver.solve import solve
from tests import builders

WEEKS = 31 / 7
OFFER = {"offer": "1m", "pool": "west-m", "usd_per_unit_hour": 0.005}


def sold(risk: bool = False, offers: Sequence[dict[str, Any]] = (), **pool: float | None) -> Case:
    """With ``risk``: in a scenario of 0.5, 60 requests, and a weight on the dearer half."""
    asked = {"low": 10.0, "high": 60.0} if risk else {"base": 10.0}
    return builders.case(
        builders.tables(
            demand=[
                {"region": "west", "workload": "w", "scenario": name, "hour_of_week": 0, "requests_per_hour": requests}
                for name, requests in asked.items()
            ],
            scenarios=[{"scenario": name, "probability": 1 / len(asked)} for name in asked],
            pools=[{"pool": "west-m", "region": "west", "usd_per_scaled_unit_hour": 2.0, **pool}],
            offers=list(offers),
            spend_commitments=[{"contract": name, "usd": 500.0, "counts_reserved": False} for name in ("one", "two")],
        ),
        **({"risk": {"weight": 0.5, "level": 0.5}} if risk else {}),
    )


def test_units_run_for_nothing_where_a_dollar_counts_twice() -> None:
    plan = solve(sold())
    assert plan.totals.total_usd == pytest.approx(500.0)
    assert plan.proof.bound_usd == pytest.approx(500.0)


@pytest.mark.parametrize("start_hours", [0.25, 2.0])
def test_starts_that_nothing_needs_are_spent_on_units_that_run(start_hours: float) -> None:
    case = sold(start_hours=start_hours)
    plan = solve(case)
    assert plan.totals.total_usd == pytest.approx(500.0)
    assert audit(case, plan) == []


@pytest.mark.parametrize("risk", [False, True])
def test_units_that_no_demand_needs_are_run_to_be_spent(risk: bool) -> None:
    """The unit is in east, where there is no demand: its dollars count twice all the same.

    With a weight on risk, and one scenario as likely as the other, nothing changes: both cost 500 USD.
    """
    names = ("low", "high") if risk else ("base",)
    case = builders.case(
        builders.two_regions(
            demand=[
                {"region": "west", "workload": "w", "scenario": name, "hour_of_week": 0, "requests_per_hour": 10.0}
                for name in names
            ],
            scenarios=[{"scenario": name, "probability": 1 / len(names)} for name in names],
            pools=[{"pool": "east-m", "region": "east", "usd_per_scaled_unit_hour": 2.0},
                   {"pool": "west-m", "region": "west"}],
            offers=[],
            routes=[],
            spend_commitments=[{"contract": name, "usd": 500.0, "counts_reserved": False} for name in ("one", "two")],
        ),
        **({"risk": {"weight": 0.5, "level": 0.5}} if risk else {}),
    )  # fmt: skip
    plan = solve(case)
    assert plan.totals.total_usd == pytest.approx(500.0)
    assert plan.proof.bound_usd == pytest.approx(500.0)


def test_what_a_pool_may_run_limits_what_can_be_spent() -> None:
    """Of 0.1 units 168 hours can be paid a week, 0.1 x 168 x 2 x 31/7 = 148.80 USD, beside 132.857 on demand."""
    plan = solve(sold(max_scaled_units=0.1))
    spent = 0.1 * 168 * 2 * WEEKS + 10 * 3 * WEEKS
    assert plan.totals.total_usd == pytest.approx(spent + 2 * (500 - spent))
    assert plan.proof.bound_usd == pytest.approx(plan.totals.total_usd)


@pytest.mark.parametrize(
    ("risk", "pool", "offers"),
    [
        (False, {}, []),
        (False, {"start_hours": 2.0}, []),
        (True, {"start_hours": 2.0}, []),
        (False, {"usd_per_scaled_unit_hour": None}, [OFFER]),
    ],
    ids=["merged hours", "starts", "risk", "offers"],
)
def test_prices_that_are_a_hair_too_high_prove_what_the_bound_says(
    risk: bool, pool: dict[str, Any], offers: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 1 + 1e-8 times the prices every hour earns money; the audit in `solve` charges it, or raises."""

    def high(program: Any, duals: Any, cuts: Any, usd: float) -> Any:
        return certify(program, np.asarray(duals) * (1 + 1e-8), cuts, usd)

    monkeypatch.setattr(component, "certify", high)
    plan = solve(sold(risk, offers, **pool))
    assert plan.proof.bound_usd == pytest.approx(plan.judged_usd, rel=1e-5)
    assert plan.proof.bound_usd < plan.judged_usd
    weights = plan.certificate[plan.certificate["kind"].isin(["risk_floor", "risk_cap"])]["price"]
    assert len(weights) == 2 * risk
    assert (weights <= 0.5 * 0.5).all()  # weight times probability: a risk can mean no more
