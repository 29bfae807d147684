"""A dispatch in the hours in which its requests arose."""

import pandas as pd

from planner.plan.flows import as_it_arose


def test_hours_of_arrival_take_the_place_of_hours_of_service() -> None:
    served = pd.DataFrame({"hour_of_week": [2, 3], "arrived_hour_of_week": [0, 3], "requests_per_hour": [1.0, 2.0]})
    assert as_it_arose(served)["hour_of_week"].tolist() == [0, 3]
    assert served["hour_of_week"].tolist() == [2, 3]  # the table itself stays


def test_where_nothing_can_wait_they_are_the_same() -> None:
    served = pd.DataFrame({"hour_of_week": [2, 3], "requests_per_hour": [1.0, 2.0]})
    assert as_it_arose(served) is served
