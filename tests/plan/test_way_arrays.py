"""Ways as arrays: needs without ways among those with some, and what each loads."""

import numpy as np

from planner.plan.audit.linear_rule import Way
from planner.plan.audit.way_arrays import WayArrays


def way(usd: float, *loads: tuple[int, float, float]) -> Way:
    return Way(
        origin=0, region=0, model=0, usd=usd, egress_usd=0.0, gb_in=0.0, gb_out=0.0, away=False, sure=True, quota=-1,
        tokens_per_minute=0.0, loads=loads, latest_hours=0, barred=False,
    )  # fmt: skip


def test_the_least_of_each_need_that_has_an_able_way() -> None:
    # needs 0, 2 and 4 (the last) have no way; of need 3 no way is able
    found = WayArrays.of({1: [way(5.0), way(3.0), way(2.0)], 3: [way(1.0)]}, 5)
    assert found.need.tolist() == [1, 1, 1, 3]
    able = np.array([True, True, False, False])
    assert found.least_by_need(found.usd, able).tolist() == [np.inf, 3.0, np.inf, np.inf, np.inf]
    assert found.least_by_need(found.usd, ~able).tolist() == [np.inf, 2.0, np.inf, 1.0, np.inf]
    assert WayArrays.of({}, 2).least_by_need(np.empty(0), np.empty(0, np.bool_)).tolist() == [np.inf, np.inf]


def test_what_ways_load_meter_by_meter() -> None:
    # the second way loads two meters, the first none
    found = WayArrays.of({0: [way(1.0), way(2.0, (4, 0.5, 0.7), (6, 0.2, 0.7)), way(3.0, (5, 0.1, 1.0))]}, 1)
    first, second = found.loads
    assert (first.way.tolist(), first.deployment.tolist(), first.units.tolist()) == ([1, 2], [4, 5], [0.5, 0.1])
    assert (second.way.tolist(), second.deployment.tolist(), second.usable.tolist()) == ([1], [6], [0.7])
