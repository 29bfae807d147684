"""An alert: a task became dearer while volume was flat; with its driver."""

import pytest

from planner.features.tasks import AlertRule, alerts, why_moved
from planner.features.tasks import task_formula as f
from tests.builders.task_plans import flow, january


def test_the_driver_is_named() -> None:
    """12 units instead of 10: 3.60 USD a task instead of 3.20, over 3,720 tasks 1,488 USD; volume as it was."""
    (alert,) = alerts([why_moved(january(), january(units=12.0), labels=("plan", "actual"))])
    assert (alert.workload, alert.driver) == ("w", f.UTILISATION)
    assert (alert.rise_share, alert.volume_share, alert.usd) == pytest.approx((0.125, 0.0, 1_488))
    assert alert.sentence == (
        "w: a task costs 12.5 % more in actual than in plan ($3.200 → $3.600, $1,488.00 in total) while volume "
        "changed by +0.0 %. Driver: utilisation, +$0.4000 per task "
        "(utilisation 80.0 % → 66.7 %)."
    )


def test_the_largest_of_two_drivers() -> None:
    """On demand twice as dear adds 1.20 USD, units at 0.80 USD take 0.40 away."""
    after = january(on_demand={"usd_per_mtok_input": 1e5}, units=11.0)
    (alert,) = alerts([why_moved(january(), after)])
    assert (alert.driver, alert.driver_usd_per_task) == (f.PRICE, pytest.approx(1.2))


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (AlertRule(), 1),
        (AlertRule(rise_share=0.12), 1),
        (AlertRule(rise_share=0.13), 0),
        (AlertRule(least_usd=1_487.0), 1),
        (AlertRule(least_usd=1_489.0), 0),
    ],
)
def test_thresholds(rule: AlertRule, found: int) -> None:
    assert len(alerts([why_moved(january(), january(units=12.0))], rule)) == found


def test_volume_must_be_flat() -> None:
    grown = january(units=20.0, flows=(flow("west-m", 8.8), flow("standard", 2.2)))  # 10 % more
    movement = why_moved(january(), grown)
    assert alerts([movement]) == ()
    assert len(alerts([movement], AlertRule(flat_share=0.11))) == 1


def test_a_task_that_costs_less_is_no_alert() -> None:
    assert alerts([why_moved(january(units=12.0), january())]) == ()
