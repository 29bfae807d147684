"""Cost by month: every dollar of the plan in the month it belongs to."""

import numpy as np
import pandas as pd

from planner.plan.metrics.basis import Basis
from planner.plan.metrics.tables import HORIZON, MONTH_COLUMNS

_PARTS = ("reserved_usd", "tail_usd", "unreserved_usd", "on_demand_usd", "egress_usd", "sunk_usd")


def cost_by_month(basis: Basis) -> pd.DataFrame:
    """Columns MONTH_COLUMNS; the rows of the months add up to the HORIZON row, which is the plan's cost."""
    ways, periods = basis.flows.ways, list(basis.names.periods)
    by_month = {
        "reserved_usd": basis.in_force.groupby("period")["reserved_usd"].sum(),
        "tail_usd": basis.in_force.groupby("period")["tail_usd"].sum(),
        "unreserved_usd": basis.balance.groupby("period")["unreserved_usd"].sum(),
        "on_demand_usd": pd.Series(ways["on_demand_usd"].to_numpy(float) @ basis.priced_requests, periods),
        "egress_usd": pd.Series(ways["egress_usd"].to_numpy(float) @ basis.requests, periods),
        "sunk_usd": basis.derived.earlier.groupby("period")["usd"].sum(),
    }
    table = pd.DataFrame({name: by_month[name].reindex(periods).astype(float).fillna(0.0) for name in _PARTS})
    table.loc[HORIZON] = table.to_numpy(float).sum(axis=0)
    table["total_usd"] = np.sum([table[name].to_numpy(float) for name in _PARTS], axis=0)
    return table.rename_axis("period").reset_index()[list(MONTH_COLUMNS)]
