"""All ways that a case allows, for the programme that is stated flow by flow."""

import numpy as np
import pandas as pd

from planner.plan.derived import Derived
from planner.plan.flows import Names
from planner.schema.case import Case


def every_way(case: Case, derived: Derived, names: Names) -> pd.DataFrame:
    """All ways that the case allows, with need, mix row, quota, prices and data."""
    held = derived.loads[["workload", "model", "region", "pool"]].drop_duplicates().rename(columns={"pool": "supply"})
    bought = derived.options.rename(columns={"option": "supply"})
    both = pd.concat([held.assign(reserved=True), bought.assign(reserved=False)], ignore_index=True)
    both["guaranteed"] = both["reserved"] | both["guaranteed"].eq(True)
    deadline = both["workload"].map({w.workload: w.deadline_hours for w in case.workloads})
    both["latest_hours"] = both["latest_hours"].fillna(deadline).astype(int)
    both = both.fillna({"on_demand_usd": 0.0, "quota_per_request": 0.0})
    ways = derived.travel.merge(both, on=["workload", "region"])
    quota = {key: k for k, key in enumerate(names.quotas)}
    keys = zip(ways["region"], ways["model"], ways["supply"], ways["reserved"], strict=True)
    ways["quota"] = np.array([-1 if pool else quota[r, m, s] for r, m, s, pool in keys], dtype=np.int64)
    mix = {(m.workload, m.model): k for k, m in enumerate(case.mix)}
    ways["mix"] = np.array([mix[key] for key in zip(ways["workload"], ways["model"], strict=True)], dtype=np.int64)
    ways["need"] = names.needs(ways["origin"], ways["workload"])
    return ways
