"""What was bought, month by month: units in force, their cost inside the horizon, the counted tail."""

import pandas as pd

from planner.schema.calendar import add_months
from planner.schema.case import Case
from planner.units import HOURS_PER_DAY

MONTH_IN_FORCE_COLUMNS = ("row", "pool", "meter", "period", "units", "reserved_usd", "tail_usd")
_METER = ["pool", "meter", "period"]


def months_in_force(case: Case, purchases: pd.DataFrame) -> pd.DataFrame:
    """Spread each purchase over the months of its term that lie inside the horizon.

    Parameters
    ----------
    purchases : offer, period, units; names that the case knows.

    Returns
    -------
    Columns MONTH_IN_FORCE_COLUMNS, one row a purchase (``row`` is its position) and month. ``tail_usd`` is the counted
    share, 1 - tail_value, of its payments past the horizon, spread over its months inside it in proportion to hours.
    """
    offers = {o.offer: o for o in case.offers}
    periods = case.periods
    first = {p.name: k for k, p in enumerate(periods)}
    counted = 1 - case.settings.policy.tail_value
    rows = []
    for row, (name, period, units) in enumerate(
        purchases[["offer", "period", "units"]].itertuples(index=False, name=None)
    ):
        offer, k = offers[name], first[period]
        inside = periods[k : k + offer.term_months]
        hours = sum(p.hours for p in inside)
        days_beyond = (add_months(periods[k].start, offer.term_months) - periods[-1].end).days
        tail = units * offer.usd_per_unit_hour * max(0, days_beyond) * HOURS_PER_DAY * counted
        rows += [
            (row, offer.pool, offer.meter, p.name, units, units * offer.usd_per_unit_hour * p.hours,
             tail * p.hours / hours)
            for p in inside
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(MONTH_IN_FORCE_COLUMNS))


def unit_balance(case: Case, in_force: pd.DataFrame, earlier: pd.DataFrame, deployments: pd.DataFrame) -> pd.DataFrame:
    """Set what is deployed against what is committed, by pool, meter and period (model.md rule 5).

    Parameters
    ----------
    in_force : from `months_in_force`. earlier : `Derived.earlier`. deployments : pool, meter, period, units.

    Returns
    -------
    Columns pool, meter, period, committed_units (earlier and new), deployed_units, unreserved_units (deployed beyond
    the commitments), usd_per_unit_hour of those (NaN: the pool has no such price), unreserved_usd (0 without a price).
    """
    units: dict[tuple[str, str, str], list[float]] = {}
    for frame, deployed in ((in_force, 0), (earlier, 0), (deployments, 1)):
        for pool, meter, period, n in zip(*(frame[column] for column in (*_METER, "units")), strict=True):
            units.setdefault((pool, meter, period), [0.0, 0.0])[deployed] += n
    rows = [(*key, *amounts) for key, amounts in sorted(units.items())]
    table = pd.DataFrame(rows, columns=[*_METER, "committed_units", "deployed_units"])
    table = table.astype({"committed_units": float, "deployed_units": float})
    price = {p.pool: p.usd_per_unreserved_unit_hour for p in case.pools}
    hours = {p.name: p.hours for p in case.periods}
    table["unreserved_units"] = (table["deployed_units"] - table["committed_units"]).clip(lower=0.0)
    table["usd_per_unit_hour"] = table["pool"].map(price).astype(float)
    table["unreserved_usd"] = (
        table["unreserved_units"] * table["usd_per_unit_hour"].fillna(0.0) * table["period"].map(hours).astype(float)
    )
    return table
