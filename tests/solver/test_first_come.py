"""First come, first served: pairs of hours from what is taken and served, by hand and at random."""

import numpy as np
import pytest

from planner.solver.ties import matched


def test_what_arises_first_is_served_first() -> None:
    # 10 arise in hour 0, 5 in hour 1; 6 are served in hour 0, 9 in hour 2: 4 of the first and all of the second wait
    took = np.zeros(168)
    took[:2] = 10.0, 5.0
    flow, arrived, amount = matched(took, np.array([0, 2]), np.array([6.0, 9.0]), 2)
    assert list(zip(flow.tolist(), arrived.tolist(), amount.tolist())) == [(0, 0, 6.0), (1, 0, 4.0), (1, 1, 5.0)]


def test_two_flows_of_an_hour_share_its_work_one_after_the_other() -> None:
    took = np.zeros(168)
    took[0] = 10.0
    flow, arrived, amount = matched(took, np.array([0, 0]), np.array([7.0, 3.0]), 0)
    assert (flow.tolist(), arrived.tolist(), amount.tolist()) == ([0, 1], [0, 0], [7.0, 3.0])


def test_the_week_goes_round() -> None:
    # 8 arise in the last hour of the week, served half in the first hour and half in the second of the next
    took = np.zeros(168)
    took[167] = 8.0
    flow, arrived, amount = matched(took, np.array([0, 1]), np.array([4.0, 4.0]), 2)
    assert (flow.tolist(), arrived.tolist(), amount.tolist()) == ([0, 1], [167, 167], [4.0, 4.0])


def test_nothing_waits_that_need_not() -> None:
    took = np.arange(168.0)
    hours = np.arange(168)
    flow, arrived, amount = matched(took, hours, took, 24)
    assert (hours[flow] == arrived).all()
    assert amount == pytest.approx(took[1:])


@pytest.mark.parametrize("seed", range(20))
def test_any_schedule_of_pairs_is_matched_again_within_its_deadline(seed: int) -> None:
    random = np.random.default_rng(seed)
    latest = int(random.integers(0, 168))
    took = random.uniform(0, 10, 168) * (random.random(168) < 0.4)
    served = np.zeros(168)
    for hour, amount in enumerate(took):  # each hour's work in three parts, at random hours before its deadline
        for late in random.integers(0, latest + 1, 3):
            served[(hour + late) % 168] += amount / 3
    hours = np.flatnonzero(served)
    flow, arrived, amount = matched(took, hours, served[hours], latest)
    assert np.bincount(arrived, amount, 168) == pytest.approx(took, abs=1e-9)
    assert np.bincount(hours[flow], amount, 168) == pytest.approx(served, abs=1e-9)
    assert (((hours[flow] - arrived) % 168) <= latest).all()
