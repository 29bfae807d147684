"""The share of each stress case that given units can serve, in the best way to deploy them."""

import pytest

from planner.solver.find import Options
from planner.solver.least_break import least_break
from tests import builders

ONE = Options(workers=1)


def test_each_month_is_asked_for_what_it_can_serve() -> None:
    # 10 requests/hour in each region, and each may lose the other: east has 20 units throughout, west 20 in January,
    # 14 in February and 12 in March, and loses east: 14 and 12 of 20. The loss of west is served in whole
    units = {("east", "2027-01-01", "2027-04-01"): 20.0, ("west", "2027-01-01", "2027-02-01"): 20.0,
             ("west", "2027-02-01", "2027-03-01"): 14.0, ("west", "2027-03-01", "2027-04-01"): 12.0}  # fmt: skip
    owed = [{"offer": f"{region}-m-1m", "units": count, "start": start, "end": end}
            for (region, start, end), count in units.items()]  # fmt: skip
    rows = builders.two_regions(on_demand=[], commitments=owed)
    case = builders.case(rows, months=3, failover={"enabled": True}).nothing_for_sale()
    found = least_break(case, ONE)
    both = ("east", "west")
    asked = {("east", origin, "w", "2027-02"): 0.7 for origin in both}
    asked |= {("east", origin, "w", "2027-03"): 0.6 for origin in both}
    assert found.shares == pytest.approx(asked, abs=1e-6)
    assert found.proved


def test_what_fits_is_asked_for_in_whole() -> None:
    rows = builders.two_regions(on_demand=[], commitments=[
        {"offer": f"{region}-m-1m", "units": 20.0, "start": "2027-01-01", "end": "2027-02-01"}
        for region in ("east", "west")
    ])  # fmt: skip
    case = builders.case(rows, failover={"enabled": True}).nothing_for_sale()
    assert least_break(case, ONE).shares == {}


def test_of_sizes_the_division_is_found_that_breaks_least() -> None:
    # if east is lost, west asks 10 units of m and 6 of n and has 16. Sizes are 5, 8, 11 ...: 8 and 8 serve 80 % of m's
    # work, 11 and 5 serve 5 / 6 of n's: the least break. East has 20, as 11 and 8: enough for the loss of west
    found = least_break(builders.two_models_on_sizes((20.0, 16.0)).nothing_for_sale(), ONE)
    expected = {("east", origin, name, "2027-01"): 5 / 6 for origin in ("east", "west") for name in ("w", "v")}
    assert found.shares == pytest.approx(expected, abs=1e-6)
    assert found.proved


def test_where_sizes_take_too_long_units_of_any_size_answer_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    # as above, without any time for sizes: 16 units of any size serve all of 10 + 6, and east's 20 are enough too
    monkeypatch.setattr("planner.solver.least_break.MOST_SECONDS", 0.0)
    found = least_break(builders.two_models_on_sizes((20.0, 16.0)).nothing_for_sale(), ONE)
    assert not found.shares
    assert not found.proved


def test_the_worst_of_all_stress_cases_is_the_least_and_the_others_keep_what_they_can() -> None:
    # 10 in each region, three regions with 13, 14 and 20 units: the loss of c leaves 27 of 30, of b 33, of a 34
    rows = builders.tables(
        regions=[{"region": r} for r in "abc"],
        demand=[row for r in "abc" for row in builders.profile(r, "w", 10.0)],
        pools=[{"pool": r, "region": r} for r in "abc"],
        throughput=[{"pool": r, "model": "m", "tokens_per_minute_per_unit": 1} for r in "abc"],
        offers=[{"offer": r, "pool": r, "usd_per_unit_hour": 1.0} for r in "abc"],
        on_demand=[],
        routes=[{"origin": o, "destination": d} for o in "abc" for d in "abc" if o != d],
        commitments=[{"offer": r, "units": n, "start": "2027-01-01", "end": "2027-02-01"}
                     for r, n in zip("abc", (13.0, 14.0, 20.0), strict=True)],
    )  # fmt: skip
    found = least_break(builders.case(rows, failover={"enabled": True}).nothing_for_sale(), ONE)
    assert found.shares == pytest.approx({("c", origin, "w", "2027-01"): 0.9 for origin in "abc"}, abs=1e-6)
