"""A model that retires inside a commitment's term is told with what is paid from that day on."""

import datetime as dt

import pytest

from planner.features.catalogue.retiring import REMEDY, outlived
from planner.solver.find import find_plan
from planner.verify.figures import metrics_of
from planner.workbook import story
from planner.workbook.report import Report
from tests import builders

GONE = dt.date(2027, 1, 11)  # 21 of January's 31 days are left


def test_what_is_paid_from_the_day_on_and_who_can_use_the_units_then() -> None:
    rows = builders.tables(
        models=[{"model": "m"}, {"model": "n"}],
        regions=[{"region": "west", "provider": "azure"}],
        mix=[{"workload": "w", "model": "m"}, {"workload": "w", "model": "n"}],
        throughput=[{"pool": "west-m", "model": m, "tokens_per_minute_per_unit": 1} for m in ("m", "n")],
        offers=[{"offer": "west-m-1m", "pool": "west-m", "usd_per_unit_hour": 2.0}],
        commitments=[{"offer": "west-m-1m", "units": 3, "start": "2027-01-01", "end": "2027-02-01"}],
    )
    case = builders.case(rows)
    plan = find_plan(case)
    units = 3 + float(plan.purchases["units"].sum())
    (told,) = outlived(case, plan, {("azure", "m"): GONE, ("aws", "n"): GONE})
    assert told == (
        f"m retires on 2027-01-11, before west-m-1m ends: ${units * 2 * 21 * 24:,.0f} is paid for the units from that "
        "day on, and until then only n can use the units."
    )
    both = outlived(case, plan, {("azure", "m"): GONE, ("azure", "n"): GONE})
    assert [text.split(" retires")[0] for text in both] == ["m", "n"]
    assert "no other model in mix can use the units of west-m until then" in both[0]
    assert outlived(case, plan, {("azure", "m"): dt.date(2027, 2, 1)}) == ()  # the day after the last one
    report = Report(metrics_of(case, plan), retiring=both)
    assert story.risks(report)[:2] == list(both)
    assert both[0].remedy == REMEDY


@pytest.mark.parametrize("end", ["2027-01-11", "2027-01-05"])
def test_a_commitment_that_ends_by_then_is_not_told(end: str) -> None:
    rows = builders.tables(
        regions=[{"region": "west", "provider": "azure"}],
        commitments=[{"offer": "west-m-1m", "units": 3, "start": "2026-12-01", "end": end}],
    )
    case = builders.case(rows).nothing_for_sale()
    assert outlived(case, find_plan(case), {("azure", "m"): GONE}) == ()
