"""Groups of a witness, spread over the slots that they cover."""

import numpy as np
import pandas as pd

from planner.plan.flows import Flows
from planner.plan.stress_cases import Witness


def test_groups_add_up_in_the_slots_that_they_cover() -> None:
    """Place 0 covers slots 0 and 2, place 1 slot 2, place 2 none: slot 2 gets both."""
    nothing = np.zeros(0, np.int64)
    flows = Flows(pd.DataFrame(), pd.DataFrame(), nothing, nothing, np.zeros(0))
    witness = Witness(flows, np.array([2, 0, 2]), np.array([1, 0, 0]), np.zeros(3, np.int64))
    found = witness.over_slots(np.array([[1.0, 10.0, 100.0], [0.0, 0.0, 5.0]]), 3)
    assert found.tolist() == [[1.0, 0.0, 11.0], [0.0, 0.0, 0.0]]
