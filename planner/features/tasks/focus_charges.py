"""Chargeback as FOCUS 1.2 rows: usage with the team in Tags, beside the purchases of `planner solve --export`.

EffectiveCost is what is charged: an upfront price spread over its term, nothing past the horizon. BilledCost is what is
invoiced as it is used (on demand, egress, units by the hour or beyond commitments); what commitments cost is billed by
their purchase rows, whose EffectiveCost is 0. So both sums hold in the two files together.
"""

import datetime as dt
import json
from typing import Any

import pandas as pd

from planner.features.tasks.chargeback import (
    BY_HOUR,
    EGRESS,
    IDLE,
    KEPT,
    ON_DEMAND,
    TAIL,
    UNSPENT,
    USED,
    Chargeback,
)  # fmt: skip
from planner.workbook.report import rows_of

UNIT_HOURS, REQUESTS = "Unit-Hours", "Requests"
COLUMNS = (
    "BilledCost", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd", "ChargeCategory", "ChargeDescription",
    "ChargeFrequency", "ChargePeriodStart", "ChargePeriodEnd", "CommitmentDiscountCategory",
    "CommitmentDiscountStatus", "CommitmentDiscountType", "ConsumedQuantity", "ConsumedUnit", "ContractedCost",
    "EffectiveCost", "ListCost", "PricingCategory", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName",
    "RegionId", "RegionName", "ServiceCategory", "ServiceName", "SkuId", "SkuMeter", "Tags",
)  # fmt: skip
_STATUS = {USED: "Used", KEPT: "Unused", IDLE: "Unused", UNSPENT: "Unused"}
_PRICING = {USED: "Committed", KEPT: "Committed", IDLE: "Committed", UNSPENT: "Committed", BY_HOUR: "Dynamic",
            ON_DEMAND: "Standard", EGRESS: "Standard"}  # fmt: skip


def focus_charges(found: Chargeback) -> pd.DataFrame:
    """Return every charge inside the horizon as a row: columns COLUMNS, blank where FOCUS wants null."""
    case = found.basis.case
    periods = {p.name: (_moment(p.start), _moment(p.end), _month(p.start)) for p in case.periods}
    provider = {r.region: r.provider for r in case.regions}
    product: dict[str, str | None] = {}
    for offer in case.offers:
        product.setdefault(offer.pool, offer.product)
    rows: list[dict[str, Any]] = []
    for row in rows_of(found.table[found.table["charge"] != TAIL]):
        start, end, month = periods[row.period]
        seller, unit = provider.get(row.region), _unit(row)
        rows.append({
            "BilledCost": float(row.billed_usd),
            "BillingCurrency": "USD",
            "BillingPeriodStart": month[0],
            "BillingPeriodEnd": month[1],
            "ChargeCategory": "Usage",
            "ChargeDescription": _description(row),
            "ChargeFrequency": "Usage-Based",
            "ChargePeriodStart": start,
            "ChargePeriodEnd": end,
            "CommitmentDiscountCategory": "Spend" if row.charge == UNSPENT else "Usage" if row.meter else None,
            "CommitmentDiscountStatus": _STATUS.get(row.charge),
            "CommitmentDiscountType": "Reservation" if row.charge in (USED, KEPT, IDLE) else None,
            "ConsumedQuantity": _quantity(row) if row.charge in (USED, BY_HOUR, ON_DEMAND) else None,
            "ConsumedUnit": unit if row.charge in (USED, BY_HOUR, ON_DEMAND) else None,
            "ContractedCost": float(row.usd),
            "EffectiveCost": float(row.usd),
            "ListCost": float(row.usd),
            "PricingCategory": _PRICING[row.charge],
            "PricingQuantity": _quantity(row),
            "PricingUnit": unit,
            "ProviderName": seller,
            "PublisherName": seller,
            "RegionId": row.region or None,
            "RegionName": row.region or None,
            "ServiceCategory": "Networking" if row.charge == EGRESS else "AI and Machine Learning",
            "ServiceName": product.get(row.supply) or row.supply or None,
            "SkuId": row.model or None,
            "SkuMeter": row.meter or None,
            "Tags": json.dumps(_tags(found, row), ensure_ascii=False),
        })  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    scaled = frame["PricingCategory"] == "Dynamic"
    frame.loc[scaled, "CommitmentDiscountCategory"] = None  # units by the hour are no commitment
    return frame


def _tags(found: Chargeback, row: Any) -> dict[str, str]:
    tags = {"plan": found.basis.plan.name, "charge": row.charge, "team": row.team, "cost_centre": row.cost_centre,
            "workload": row.workload}  # fmt: skip
    return {key: value for key, value in tags.items() if value}


def _unit(row: Any) -> str | None:
    if row.unit_hours == row.unit_hours:
        return UNIT_HOURS
    return REQUESTS if row.requests == row.requests else None


def _quantity(row: Any) -> float | None:
    value = row.unit_hours if row.unit_hours == row.unit_hours else row.requests
    return float(value) if value == value else None


def _description(row: Any) -> str:
    of = " ".join(part for part in (row.model if row.model != "*" else "", row.supply) if part)
    return f"{row.charge}: {of or 'contracts'}{f' for {row.workload}' if row.workload else ''}"


def _moment(day: dt.date) -> str:
    return f"{day:%Y-%m-%d}T00:00:00Z"


def _month(day: dt.date) -> tuple[str, str]:
    first = day.replace(day=1)
    return _moment(first), _moment((first + dt.timedelta(days=32)).replace(day=1))
