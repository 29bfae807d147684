"""Reviews of plans with scenarios, meters and several months."""

import io
from pathlib import Path

import pandas as pd
import pytest

from planner.features.review import review
from planner.features.review.review_files import write_review_workbook
from planner.features.review.review_story import print_review
from planner.features.review.review_tables import ACTUAL, KEEP, LOWER
from planner.schema.case import Case
from planner.solver.solve import solve
from tests import builders
from tests.builders.books import opened
from tests.builders.histories import history_of

JANUARY = 744


def two_scenarios(months: int = 1) -> Case:
    """8 requests an hour, or 12, each with probability 0.5: at 3 USD on demand against 1 USD a unit, 12 units pay."""
    rows = builders.tables(
        scenarios=[{"scenario": "low", "probability": 0.5}, {"scenario": "high", "probability": 0.5}],
        demand=[*builders.profile("west", "w", 8.0, "low"), *builders.profile("west", "w", 12.0, "high")],
    )
    return builders.case(rows, months=months)


def test_one_of_two_scenarios_comes() -> None:
    case = two_scenarios()
    found = review(case, solve(case), history_of(case, 8 / 12))  # the first is high; low came
    assert found.verdicts[0].verdict == LOWER
    assert found.verdicts[0].best_units == pytest.approx(8, abs=0.61)  # steps of a twentieth of 12 units
    assert found.regret.usd == pytest.approx(4 * JANUARY)
    total = found.errors.iloc[-1]
    assert total["bias"] == pytest.approx((10 - 8) / 8)
    assert total["scenario_coverage"] == pytest.approx(1.0)


def test_months_not_seen_keep_their_scenarios() -> None:
    case = two_scenarios(months=2)
    plan = solve(case)
    found = review(case, plan, history_of(case, months=1))  # January came as in the first scenario: high
    assert found.regret.usd == 0
    assert {v.verdict for v in found.verdicts} == {KEEP}
    assert found.regret.months_ahead == ("2027-02",)
    assert set(found.monthly.loc[found.monthly["side"] == ACTUAL, "period"]) == {"2027-01"}


def test_what_two_meters_serve_is_divided_as_their_cost() -> None:
    rows = builders.tables(
        workloads=[{"workload": "w", "input_tokens": 60, "output_tokens": 60}],
        throughput=[
            {"pool": "west-m", "model": "m", "meter": "input", "tokens_per_minute_per_unit": 1, "output_weight": 0},
            {"pool": "west-m", "model": "m", "meter": "output", "tokens_per_minute_per_unit": 1, "input_weight": 0,
             "cached_input_weight": 0},
        ],
        offers=[
            {"offer": "in", "pool": "west-m", "meter": "input", "usd_per_unit_hour": 0.5},
            {"offer": "out", "pool": "west-m", "meter": "output", "usd_per_unit_hour": 1.5},
        ],
    )  # fmt: skip
    case = builders.case(rows)
    found = review(case, solve(case), history_of(case))
    pools = found.pools[found.pools["side"] == ACTUAL].set_index("meter")
    # 10 requests an hour at 3 USD on demand: 30 USD, of which 0.5 / 2 are the input meter's
    assert pools.loc["input", "covered_usd"] == pytest.approx(7.5 * JANUARY)
    assert pools.loc["output", "covered_usd"] == pytest.approx(22.5 * JANUARY)
    assert pools["effective_savings_rate"].tolist() == pytest.approx([1 / 3, 1 / 3])
    assert {v.verdict for v in found.verdicts} == {KEEP}


def test_a_year_of_which_the_first_months_are_seen() -> None:
    """A commitment of two months is judged by both; what is owed from earlier is judged too."""
    rows = builders.tables(
        offers=[
            {"offer": "west-m-2m", "pool": "west-m", "usd_per_unit_hour": 1.0, "term_months": 2, "min_units": 1,
             "unit_step": 1}
        ],
        commitments=[{"offer": "west-m-2m", "units": 4, "start": "2026-12-01", "end": "2027-02-01"}],
    )  # fmt: skip
    case = builders.case(rows, months=2, whole_units=True)
    plan = solve(case)
    found = review(case, plan, history_of(case, 0.5))
    earlier, *bought = found.verdicts
    assert (earlier.owed.new, [v.owed.new for v in bought]) == (False, [True] * len(bought))
    held = {
        name: sum(v.best_units for v in found.verdicts if name in _months(v.owed)) for name in ("2027-01", "2027-02")
    }
    assert held == {"2027-01": 5, "2027-02": 5}
    assert sum(v.saving_usd for v in found.verdicts) == pytest.approx(5 * JANUARY + 5 * 672)


def _months(owed: object) -> list[str]:
    start, end = owed.start, owed.end  # type: ignore[attr-defined]
    return [m for m in ("2027-01", "2027-02") if pd.Timestamp(start) <= pd.Timestamp(m) < pd.Timestamp(end)]


def test_periods_that_are_no_months() -> None:
    """A weekend of three days and the rest of January; a 9-day term covers the weekend and is paid for nine days."""
    rows = builders.tables(
        demand=builders.profile("west", "w", 10.0, period="2027-01-08"),
        offers=[{"offer": "9d", "pool": "west-m", "term_days": 9, "usd_per_unit_hour": 0.5}],
    )
    case = builders.case(rows, cuts="2027-01-08; 2027-01-11")
    plan = solve(case)
    assert plan.totals.total_usd == pytest.approx(10 * 0.5 * 216)
    found = review(case, plan, history_of(case))
    assert found.regret.usd == 0
    assert found.regret.plan_usd == pytest.approx(plan.totals.total_usd)
    (kept,) = found.verdicts
    assert (kept.verdict, kept.price_usd) == (KEEP, pytest.approx(0.5 * 216))
    assert set(found.monthly.loc[found.monthly["side"] == ACTUAL, "period"]) == {"2027-01-08"}
    fewer = review(case, plan, history_of(case, 0.5))
    assert fewer.verdicts[0].verdict == LOWER
    assert fewer.regret.usd == pytest.approx(5 * 0.5 * 216)


def test_periods_that_are_not_shown_are_counted() -> None:
    case = builders.case(builders.tables(offers=[]), months=8)
    found = review(case, solve(case), history_of(case))
    stream = io.StringIO()
    print_review(found, stream)
    table = stream.getvalue().partition("Hours seen")[2]
    assert "\n2 earlier" in table
    assert [name in table for name in ("2027-02", "2027-03", "2027-08")] == [False, True, True]


def test_first_page_ended_commitments_and_the_hours_furthest_above_plan(tmp_path: Path) -> None:
    rows = builders.tables(commitments=[{"offer": "west-m-1m", "units": 4, "start": "2026-12-01", "end": "2027-02-01"}])
    case = builders.case(rows, months=2)
    found = review(case, solve(case), history_of(case, 1.001))  # a thousandth above plan in each of 1,416 hours
    stream = io.StringIO()
    print_review(found, stream)
    assert "ended 2027-01-31" in stream.getvalue()
    write_review_workbook(found, tmp_path / "review.xlsx")
    book = opened(tmp_path / "review.xlsx")
    assert len(book["Review"]._charts) == 1  # nothing to save: the cost of the months
    assert "100 furthest above of 1,416" in book["Hours above plan"]["A2"].value
    assert book["Hours above plan"].max_row == 4 + 100
