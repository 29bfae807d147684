"""The share of each stress case that given units can serve."""

import pytest

from planner.solver.find import Options
from planner.solver.stress_shares import HALVINGS, shares_served
from tests import builders

TO = 2**-HALVINGS


def test_each_case_is_asked_beside_those_before_it_and_the_month_that_serves_least_decides() -> None:
    # 10 requests/hour in each region, and each may lose the other: east has 20 units throughout, west 20 in January,
    # 14 in February and 12 in March, and loses east: 12 of 20. The loss of west is served whole
    units = {("east", "2027-01-01", "2027-04-01"): 20.0, ("west", "2027-01-01", "2027-02-01"): 20.0,
             ("west", "2027-02-01", "2027-03-01"): 14.0, ("west", "2027-03-01", "2027-04-01"): 12.0}  # fmt: skip
    owed = [{"offer": f"{region}-m-1m", "units": count, "start": start, "end": end}
            for (region, start, end), count in units.items()]  # fmt: skip
    rows = builders.two_regions(on_demand=[], commitments=owed)
    case = builders.case(rows, months=3, failover={"enabled": True}).nothing_for_sale()
    assert shares_served(case, Options(workers=1)) == {None: 1.0, "east": pytest.approx(0.6, abs=TO), "west": 1.0}


def test_what_fits_is_asked_for_in_whole() -> None:
    rows = builders.two_regions(on_demand=[], commitments=[
        {"offer": f"{region}-m-1m", "units": 20.0, "start": "2027-01-01", "end": "2027-02-01"}
        for region in ("east", "west")
    ])  # fmt: skip
    case = builders.case(rows, failover={"enabled": True}).nothing_for_sale()
    assert shares_served(case, Options(workers=1)) == {None: 1.0, "east": 1.0, "west": 1.0}
