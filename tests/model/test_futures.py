"""What may happen, where a scenario is only a part of it: slots that belong to one future, or to all of them."""

from dataclasses import replace

import numpy as np

from planner.model.index_tables import sets_of
from planner.model.sets import EVERY_FUTURE
from planner.schema.case import Futures
from tests import builders
from tests.builders.one_hour import hours


def test_a_slot_of_every_future_is_spread_over_those_that_may_happen() -> None:
    # weeks that were seen are in each future; those to come are high or low; what has no probability is no future
    names = ("high", "low", "seen")
    tables = builders.tables(
        scenarios=[{"scenario": name, "probability": p} for name, p in zip(names, (0.3, 0.2, 0.5))],
        demand=[row for name in names for row in hours("west", "w", 1.0, scenario=name)],
    )
    futures = Futures((("high", 0.6), ("low", 0.4), ("none", 0.0)), {"high": "high", "low": "low"})
    sets = sets_of(replace(builders.case(tables), futures=futures))
    first = [int(np.flatnonzero(sets.slots["scenario"] == name)[0]) for name in names]
    assert sets.slot_future[first].tolist() == [0, 1, EVERY_FUTURE]
    assert sets.slot_chance[first].tolist() == [0.6, 0.4, 1.0]
    place, future = sets.in_futures(np.array([first[2], first[1]]))
    assert list(zip(place.tolist(), future.tolist())) == [(1, 1), (0, 0), (0, 1)]
