"""Commitments in FOCUS billing data: how many units, from when to when, and how much of them was used.

A quantity is counted in unit-hours (``PTU-Hours``, or FOCUS's own unit of time, ``Hours``), so that a rate of units is
the quantity over the length of its charge period. Rows of one commitment may have several lengths (hours, days) and lie
in several regions: at every moment, the units are the sum of the rates of the rows that cover it. The commitment's
units are the median of that over time.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from planner.units import SECONDS_PER_HOUR, counted

HOURS_OF_UNIT = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0, "hr": 1.0, "day": 24.0, "week": 168.0}
TIMED = re.compile(r"^(?P<unit>.*?)[\s\-_/]*(?P<time>second|minute|hour|hr|day|week)s?$", re.IGNORECASE)
SHORTEST_TERM_HOURS = 27 * 24.0
SPEND = "spend"


@dataclass(frozen=True)
class BilledCommitment:
    """One commitment as billing data has it.

    ``units`` is blank where it is not known, or where the commitment is one of money; ``why`` then says so.
    ``utilisation`` is used / (used + unused) quantity [share]. ``money`` is what was committed to [currency].
    """

    id: str
    name: str
    unit: str
    units: float | None = None
    region: str | None = None
    utilisation: float | None = None
    effective_cost: float | None = None
    money: float | None = None
    currency: str | None = None
    start: str | None = None
    end: str | None = None
    status: str | None = None
    why: str = ""

    @property
    def in_force(self) -> bool:
        """Tell whether something is owed: a commitment that was cancelled, replaced or only proposed is not."""
        return self.status is None or self.status in ("Active", "Exhausted")

    def as_dict(self) -> dict[str, Any]:
        """Return the commitment as the report stores it."""
        return asdict(self)


def unit_and_hours(text: str | None) -> tuple[str, float | None]:
    """Return the unit's own name and the hours in one of it: (PTU, 1) for ``PTU-Hours``; hours None: no time in it."""
    found = TIMED.match((text or "").strip())
    if found is None:
        return (text or "").strip(), None
    return found["unit"].strip() or "unit", HOURS_OF_UNIT[found["time"].lower()]


def used_commitments(rows: pd.DataFrame) -> list[BilledCommitment]:
    """Return the commitments of usage and purchase rows.

    Parameters
    ----------
    rows : those with a commitment: ``id``, ``name``, ``category``, ``unit``, ``status`` [text or None], ``charge``
        (Usage or Purchase), ``frequency``, ``region``, ``currency``, ``quantity``, ``effective_cost``, ``billed_cost``
        [numbers, NaN: unknown], ``start`` and ``end`` of the charge period [UTC].
    """
    found = []
    for identity, group in rows.groupby("id", sort=False):
        used = group[group["charge"] == "Usage"]
        bought = group[group["charge"] == "Purchase"]
        name = next(iter(group["name"].dropna()), identity)
        unit, hours = unit_and_hours(next(iter(group["unit"].dropna()), None))
        term = _is_term(bought)
        currencies = sorted({str(value) for value in group["currency"].dropna()})
        one = BilledCommitment(
            id=str(identity),
            name=str(name),
            unit=unit,
            region=_regions(used if len(used) else bought),
            effective_cost=_sum(used["effective_cost"]) if len(currencies) < 2 else None,
            currency=", ".join(currencies) or None,
            utilisation=_utilisation(used),
            start=_day(bought["start"].min()) if term else None,
            end=_day(bought["end"].max()) if term else None,
        )
        found.append(_with_units(one, used, bought, hours, _is_money(group, currencies)))
    return found


def _is_term(bought: pd.DataFrame) -> bool:
    """Tell whether the charge periods of purchases are the commitment's term: no monthly fees, no single day."""
    if bought.empty or (bought["frequency"].fillna("").str.lower() == "recurring").any():
        return False
    return bool((bought["end"].max() - bought["start"].min()).total_seconds() >= SHORTEST_TERM_HOURS * SECONDS_PER_HOUR)


def _with_units(
    one: BilledCommitment, used: pd.DataFrame, bought: pd.DataFrame, hours: float | None, money: bool
) -> BilledCommitment:
    values = asdict(one)
    if money:
        values |= {"money": _sum(bought["billed_cost"]) if len(bought) else None}
        return BilledCommitment(**values | {"why": "a commitment of money: it has no units"})
    known = used[used["quantity"].notna()]
    if len(known) < len(used):
        without = f"{len(used) - len(known)} of {len(used)} usage rows have no CommitmentDiscountQuantity"
        return BilledCommitment(**values | {"why": f"units are not known: {without}"})
    of_use = _rate(known, hours)
    of_purchase, why = _bought_rate(bought, hours)
    units = of_use if of_use is not None else of_purchase
    if of_use is not None and of_purchase is not None and abs(of_use - of_purchase) > 0.01 * max(of_use, of_purchase):
        why = f"usage tells {counted(of_use, 'unit', 'g')}, the purchase {of_purchase:g}: the usage is taken"
    elif of_use is not None:
        why = ""
    elif units is None and not why:
        why = "units are not known: there is no quantity, or no length of its period"
    return BilledCommitment(**values | {"units": units, "why": why})


def _bought_rate(bought: pd.DataFrame, hours: float | None) -> tuple[float | None, str]:
    """Return the units that purchases tell, and why they are not known where they are not."""
    known = bought[bought["quantity"].notna()]
    if bought.empty:
        return None, ""
    if known.empty:
        return None, "units are not known: the purchase has no CommitmentDiscountQuantity"
    span = (known["end"].max() - known["start"].min()).total_seconds() / SECONDS_PER_HOUR
    once = (known["frequency"].fillna("").str.lower() == "one-time").any()
    if hours is not None and once and span < SHORTEST_TERM_HOURS:
        return None, "units are not known: the purchase is for a term, and its charge period is shorter"
    return _rate(known, hours), ""


def _rate(rows: pd.DataFrame, hours: float | None) -> float | None:
    """Return the median over time of the sum of the rows' rates [units]."""
    lengths = (rows["end"] - rows["start"]).dt.total_seconds() / SECONDS_PER_HOUR
    rows, lengths = rows[lengths > 0], lengths[lengths > 0]
    if rows.empty:
        return None
    rates = rows["quantity"] * (hours if hours is not None else np.nan) / lengths
    if hours is None:
        rates = rows["quantity"].astype(float)  # a count that lasts as long as its period
    moments = pd.concat([rows["start"], rows["end"]])
    steps = pd.DataFrame(
        {
            "at": [stamp.timestamp() for stamp in moments],
            "rate": np.concatenate([rates, -rates]),
            "rows": np.concatenate([np.ones(len(rates)), -np.ones(len(rates))]),
        }
    )
    line = steps.groupby("at").sum().cumsum()
    length = np.append(np.diff(line.index.to_numpy()), 0.0)
    there = line["rows"].to_numpy() > 0.5
    units, weight = line["rate"].to_numpy()[there], length[there]
    order = np.argsort(units, kind="stable")
    half = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
    return round(float(units[order][min(half, len(units) - 1)]), 6)


def _utilisation(used: pd.DataFrame) -> float | None:
    status = used["status"].fillna("")
    counted = used[status.isin(("Used", "Unused"))]
    total = counted["quantity"].sum(min_count=1)
    if counted["quantity"].isna().any() or not total > 0:
        return None
    return float(counted.loc[counted["status"] == "Used", "quantity"].sum() / total)


def _is_money(group: pd.DataFrame, currencies: Sequence[str]) -> bool:
    """Tell a commitment to spend, by its category or by a unit that is a currency."""
    units = {str(value).upper() for value in group["unit"].dropna()}
    return bool((group["category"].fillna("").str.lower() == SPEND).any() or units & {*currencies, "USD", "EUR"})


def _regions(rows: pd.DataFrame) -> str | None:
    named = sorted({str(value) for value in rows["region"].dropna()})
    return None if not named else named[0] if len(named) == 1 else f"several ({', '.join(named)})"


def _day(moment: Any) -> str | None:
    return None if pd.isna(moment) else f"{moment + pd.Timedelta(seconds=59):%Y-%m-%d}"  # 23:59:59 ends a day


def _sum(values: pd.Series) -> float | None:
    total = values.sum(min_count=1)
    return None if pd.isna(total) else float(total)


def contract_commitment(row: dict[str, Any]) -> BilledCommitment:
    """Return one row of FOCUS 1.3's Contract Commitment dataset.

    Parameters
    ----------
    row : ``id``, ``name``, ``category``, ``unit``, ``currency``, ``status`` [text or None], ``quantity``,
        ``cost`` [number, NaN: blank], ``start``, ``end`` [UTC or NaT].
    """
    row = {name: None if name != "quantity" and pd.isna(value) else value for name, value in row.items()}
    start, end = row["start"], row["end"]
    unit, hours = unit_and_hours(row["unit"])
    quantity = None if pd.isna(row["quantity"]) else float(row["quantity"])
    cost = row["cost"]
    money = (row["category"] or "").lower() == SPEND or (
        row["category"] is None and quantity is None and not row["unit"]
    )
    units, why = quantity, ""
    if money:
        units, why = None, "a commitment of money: it has no units"
    elif quantity is None:
        why = "units are not known: ContractCommitmentQuantity is blank"
    elif hours is not None:
        length = (end - start).total_seconds() / SECONDS_PER_HOUR if start is not None and end is not None else 0.0
        length = float(np.ceil(length * 3600 / 60) * 60 / 3600)  # 23:59:59 is the end of a day
        units = round(quantity * hours / length, 6) if length > 0 else None
        why = "" if length > 0 else f"units are not known: {row['unit']} without the period's start and end"
    return BilledCommitment(
        id=row["id"],
        name=row["name"] or row["id"],
        unit=unit,
        units=units,
        effective_cost=cost,
        money=cost if money else None,
        currency=row["currency"],
        start=_day(start),
        end=_day(end),
        status=row["status"],
        why=why,
    )
