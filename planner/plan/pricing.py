"""Re-pricing: what purchases, deployments and dispatch cost, from these tables and the case alone."""

import numpy as np
import pandas as pd

from planner.errors import AuditError
from planner.plan.commitments import months_in_force, unit_balance
from planner.plan.derived import Derived
from planner.plan.flows import WAY, Floats, Flows, Names
from planner.plan.plan import Totals
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK


def price(
    case: Case,
    purchases: pd.DataFrame,
    deployments: pd.DataFrame,
    dispatch: pd.DataFrame,
    derived: Derived | None = None,
) -> Totals:
    """Cost over the horizon, USD (model.md section 5).

    Parameters
    ----------
    purchases, deployments, dispatch : tables with the columns of results.plan; millions of rows of dispatch are fine.
    derived : of this case, if the caller has it.

    Raises
    ------
    AuditError : a table names what the case does not know or does not allow.
    """
    derived = Derived.of(case) if derived is None else derived
    names = Names.of(case, derived)
    flows, unknown = Flows.of(case, derived, names, dispatch, names.slots(dispatch))
    if len(unknown):
        row = dispatch.iloc[int(unknown[0])].to_dict()
        raise AuditError(f"dispatch: {len(unknown)} rows name what the input does not know, the first is {row}")
    for row in flows.ways[flows.ways["fault"] != ""].to_dict("records"):
        way = ", ".join(f"{name} {row[name]}" for name in WAY)
        raise AuditError(f"dispatch: {way}: {row['fault']}")
    known = {o.offer for o in case.offers}
    for name, period in zip(purchases["offer"], purchases["period"], strict=True):
        if name not in known or period not in names.periods:
            raise AuditError(f"purchases: the input knows no offer {name!r} in {period}")
    return totals(case, derived, flows, purchases, deployments)


def totals(case: Case, derived: Derived, flows: Flows, purchases: pd.DataFrame, deployments: pd.DataFrame) -> Totals:
    """Add up the parts; all names are known."""
    in_force = months_in_force(case, purchases)
    paid, crossed = flow_usd(derived, flows)
    return Totals(
        reserved_usd=float(in_force["reserved_usd"].sum()),
        tail_usd=float(in_force["tail_usd"].sum()),
        unreserved_usd=float(unit_balance(case, in_force, derived.earlier, deployments)["unreserved_usd"].sum()),
        on_demand_usd=float(paid.sum()),
        egress_usd=float(crossed.sum()),
        sunk_usd=derived.sunk_usd,
    )


def flow_usd(derived: Derived, flows: Flows) -> tuple[Floats, Floats]:
    """Price each way over the horizon, expected USD: on demand, and egress (arrays by way)."""
    weeks = derived.slots["weeks"].to_numpy(float)[flows.place // HOURS_PER_WEEK]
    factor = derived.slots["price_factor"].to_numpy(float)[flows.place // HOURS_PER_WEEK]
    count = len(flows.ways)
    requests = np.bincount(flows.way, flows.rph * weeks, count)
    at_price = np.bincount(flows.way, flows.rph * weeks * factor, count)
    paid = at_price * flows.ways["on_demand_usd"].to_numpy(float)
    return paid, requests * flows.ways["egress_usd"].to_numpy(float)
