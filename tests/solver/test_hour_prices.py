"""On-demand prices by hour and period, by hand and against the literal oracle.

10 requests an hour take 10 units, or cost 3 USD each on demand; January 2027 has 744 hours, a third of them at night.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.errors import InfeasibleError, InputError
from planner.features.resolve.causes import CAUSES
from planner.features.resolve.hybrid import Hybrids
from planner.features.review import review
from planner.features.review.review_tables import KEEP
from planner.plan.audit import audit
from planner.plan.reading import Reading
from planner.plan.warnings import warnings_of
from planner.readers import load
from planner.schema.case import Case
from planner.schema.contracts import PriceFactor, hours_of
from planner.solver.solve import solve
from planner.verify import deep
from planner.verify.figures import metrics_of
from tests import builders
from tests.builders.histories import history_of
from tests.builders.literal_optimum import literal_usd
from tests.builders.one_hour import on_demand
from tests.builders.random_tables import whole_cases
from tests.oracle.generate import generate
from tests.oracle.reference import disagreements

NIGHT = ";".join(f"{24 * day}-{24 * day + 7}" for day in range(7))
HOURS, DAYS, NIGHTS = 744, 496, 248


def priced(*factors: dict[str, Any], options: list[dict[str, Any]] | None = None, **more: Any) -> Case:
    """The smallest case without anything to buy, with price factors."""
    rows = builders.tables(price_factors=list(factors), on_demand=options or [on_demand()], offers=[])
    return builders.case(rows | more.pop("tables", {}), **more)


def night(factor: float, **where: Any) -> dict[str, Any]:
    return {"hours_of_week": NIGHT, "factor": factor, **where}


def test_hours_and_periods_multiply() -> None:
    assert solve(priced(night(0.5))).totals.total_usd == pytest.approx(30 * (DAYS + 0.5 * NIGHTS))
    both = priced(night(0.5), {"factor": 0.8, "period": "2027-02"}, months=2)
    february = 0.8 * (448 + 0.5 * 224)
    assert solve(both).totals.total_usd == pytest.approx(30 * (DAYS + 0.5 * NIGHTS + february))


def test_rows_apply_where_they_say_and_with_the_scenario_s_factor() -> None:
    other = night(0.0, option="batch")
    scenarios = [{"scenario": "s", "probability": 1.0, "on_demand_price_factor": 2.0}]
    case = priced(night(0.5, region="west", model="m", option="standard"), other,
                  options=[on_demand(), on_demand(option="batch", usd_per_mtok_input=1e6)],
                  tables={"scenarios": scenarios})  # fmt: skip
    # batch costs 60 USD by day and nothing at night
    assert solve(case).totals.total_usd == pytest.approx(60 * DAYS)


def test_an_option_that_is_dear_on_average_serves_its_cheap_hours() -> None:
    """Hours of equal demand and other prices are not one; an option is not pruned for its dear hours."""
    flat = on_demand(option="flat", usd_per_mtok_input=1e6 / 60)  # 1 USD a request
    case = priced(night(0.1, option="standard"), options=[on_demand(), flat])
    plan = solve(case)
    assert plan.totals.total_usd == pytest.approx(10 * (DAYS * 1.0 + NIGHTS * 0.3))
    assert audit(case, plan) == []
    assert plan.proof.bound_usd == pytest.approx(plan.totals.total_usd, rel=1e-9)
    reading = Reading(case, plan)
    assert deep.search(case, reading.derived, reading.names)[0] == pytest.approx(plan.totals.total_usd)


@pytest.mark.parametrize(("usd", "bought"), [(2.05, 10.0), (2.15, 0.0)])
def test_a_unit_is_worth_what_its_hours_are(usd: float, bought: float) -> None:
    # always used: (16 x 3 + 8 x 0.3) / 24 = 2.10 USD an hour
    offer = {"offer": "o", "pool": "west-m", "usd_per_unit_hour": usd}
    case = priced(night(0.1), tables={"offers": [offer]})
    plan = solve(case)
    assert plan.purchases["units"].sum() == pytest.approx(bought)
    metrics = metrics_of(case, plan)
    assert metrics.months["total_usd"].iloc[-1] == pytest.approx(plan.totals.total_usd)
    assert metrics.tasks.table["total_usd"].sum() == pytest.approx(plan.totals.total_usd)
    strategies = metrics.strategies.set_index("strategy")["total_usd"]
    assert strategies["all on demand"] == pytest.approx(30 * (DAYS + 0.1 * NIGHTS))
    offers = metrics.break_even.set_index("offer")
    assert offers.loc["o", "break_even_utilisation"] == pytest.approx(usd / 2.1)


def test_a_review_counts_them_and_leaves_nothing_unserved_for_nothing() -> None:
    offer = {"offer": "o", "pool": "west-m", "usd_per_unit_hour": 1.5, "max_units": 6}
    case = priced({"factor": 0.0, "hours_of_week": "0"}, night(0.5), tables={"offers": [offer]})
    plan = solve(case)
    found = review(case, plan, history_of(case))
    assert found.regret.usd == 0
    assert {v.verdict for v in found.verdicts} == {KEEP}
    assert found.monthly["unserved_requests"].sum() == 0
    actual = found.monthly.set_index("side").loc["actual"]
    # calendar: January 2027 has four Mondays 00:00, free; the other nights at half price
    assert actual["on_demand_usd"] == pytest.approx(4 * 3 * (DAYS + 0.5 * (NIGHTS - 4)))


def test_they_are_a_cause_of_their_own_group() -> None:
    assert [c for c in CAUSES if Hybrids(priced(), priced(night(0.5))).differ(c)] == ["on_demand_prices"]
    moved = Hybrids(priced({"factor": 0.5, "period": "2027-01"}), priced(start="2027-02-01"))
    assert [f.period for f in moved.case({"calendar"}).price_factors] == ["2027-02"]


@pytest.mark.parametrize(
    ("factor", "said"),
    [
        ({"factor": -0.5}, "price_factors.csv, row 2, column factor: must not be negative"),
        ({"factor": 1, "hours_of_week": "0-168"}, "column hours_of_week: '0-168' is no range of hours of the week"),
        ({"factor": 1, "hours_of_week": "7-0;x"}, "'7-0' is no range of hours"),
        ({"factor": 1, "period": "2027-05"}, "column period: '2027-05' is not a period of the horizon"),
        ({"factor": 1, "option": "standrd"}, "no row of on_demand has the option 'standrd'; did you mean 'standard'"),
        ({"factor": 1, "model": "n"}, "there is no model 'n'"),
    ],
)
def test_faults(tmp_path: Path, factor: dict[str, Any], said: str) -> None:
    folder = builders.write_folder(builders.tables(price_factors=[factor]), tmp_path / "in")
    with pytest.raises(InputError) as error:
        load(folder)
    assert said in str(error.value)


def test_a_row_that_changes_nothing_is_warned_about() -> None:
    codes = [
        c.code
        for c in warnings_of(priced({"factor": 0.5, "model": "n"}, tables={"models": [{"model": "m"}, {"model": "n"}]}))
    ]
    assert "idle-price-factor" in codes
    assert hours_of("5; 0-2;4") == (0, 1, 2, 4, 5)


@pytest.mark.parametrize(
    ("features", "months", "seed"),
    [("prices", 1, 1), ("prices,scenarios,terms,whole,pools,quota", 2, 3), ("prices,cuts,spend,egress,scenarios", 1, 5),
     ("prices,batch,whole,guaranteed", 1, 7)],
)  # fmt: skip
def test_random_folders(features: str, months: int, seed: int, tmp_path: Path) -> None:
    generate(tmp_path / "in", seed, regions=2, workloads=2, models=2, months=months, features=features)
    assert disagreements(tmp_path / "in", tmp_path / "out") == []


def test_nothing_on_demand_has_no_prices_by_hour() -> None:
    tables = builders.tables(on_demand=[], price_factors=[{"factor": 0.5}])
    assert solve(builders.case(tables)).totals.total_usd == pytest.approx(10 * HOURS)


@settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(whole_cases(), st.sampled_from((0.0, 0.5, 3.0)), st.sampled_from((0.0, 7.0)), st.booleans())
def test_reductions_know_prices_by_hour_and_upfront(case: Case, factor: float, upfront: float, odd: bool) -> None:
    """Against the literal programme: one hour in three is cheaper or dearer, in a region or all."""
    where = {"region": case.regions[0].region, "period": "2027-02"} if odd else {}
    case = replace(
        case,
        price_factors=(PriceFactor(hours_of_week="1", factor=factor, **where),),
        offers=tuple(o.model_copy(update={"upfront_usd_per_unit": upfront}) for o in case.offers),
    )
    literal = literal_usd(case)
    if literal is None:
        with pytest.raises(InfeasibleError):
            solve(case, gap=1e-8)
    else:
        assert solve(case, gap=1e-8).totals.total_usd == pytest.approx(literal, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("usd", "most", "needed", "verdict"), [
    (2.0, None, 2.0 / 3, "pays"),  # signed in January alone, where a full unit saves 3 USD an hour
    (2.0, 0, 2.0 / 3, "pays"),  # none is sold: in January, where it would pay best
    (3.3, None, 1.1, "never"),  # not even there
])  # fmt: skip
def test_an_offer_breaks_even_in_the_months_in_which_it_is_in_force(
    usd: float, most: float | None, needed: float, verdict: str
) -> None:
    offers = [{"offer": "o", "pool": "west-m", "usd_per_unit_hour": usd, "max_units": most}]
    cut = {
        "factor": 0.3,
        "period": "2027-02",
    }  # 0.90 USD an hour from February on: 2 USD cost more than both months' mean
    case = priced(cut, months=2, tables={"offers": offers})
    plan = solve(case)
    assert set(plan.purchases["period"]) == ({"2027-01"} if usd < 3 and most is None else set())
    found = metrics_of(case, plan)
    assert list(found.break_even["break_even_utilisation"]) == pytest.approx([needed])
    assert list(found.break_even["verdict"]) == [verdict]
    assert not any("never breaks even" in text for text in found.cautions)
    assert any("Can never pay" in text for text in found.cautions) == (verdict == "never")
