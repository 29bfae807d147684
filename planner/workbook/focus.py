"""Purchases as rows of the FinOps Open Cost and Usage Specification (FOCUS).

``focus_purchases``: FOCUS 1.2 charges of category Purchase, one row for each month of each commitment's term: what the
bills will say. ``focus_contract_commitments``: the dataset Contract Commitment of FOCUS 1.3, one row a commitment.
Costs are what the plan expects to be billed; `EffectiveCost` is 0 on purchases, for it belongs to the usage they cover.
"""

import datetime as dt
import json
from typing import Any

import pandas as pd

from planner.plan.orders import OrderLine, order_lines
from planner.schema.settings import add_months
from planner.units import HOURS_PER_DAY
from planner.workbook.report import Report

UNIT = "Unit-Hours"
CURRENCY = "USD"


def focus_purchases(report: Report) -> pd.DataFrame:
    """Return the monthly purchase charges of every commitment over its whole term (FOCUS 1.2)."""
    rows = []
    for line in order_lines(report.case, report.plan):
        for month in range(line.offer.term_months):
            rows.append(_charge(report, line, add_months(line.start, month), add_months(line.start, month + 1)))
    return pd.DataFrame(rows, columns=list(_CHARGE_COLUMNS))


def focus_contract_commitments(report: Report) -> pd.DataFrame:
    """Return each commitment as a row of FOCUS 1.3's Contract Commitment dataset."""
    rows = []
    for line in order_lines(report.case, report.plan):
        start, end = _moment(line.start), _moment(line.end)
        rows.append({
            "ContractCommitmentId": _identifier(report, line),
            "ContractId": report.plan.name,
            "ContractPeriodStart": start,
            "ContractPeriodEnd": end,
            "ContractCommitmentPeriodStart": start,
            "ContractCommitmentPeriodEnd": end,
            "ContractCommitmentDescription": _description(line),
            "ContractCommitmentType": "Reservation",
            "ContractCommitmentCategory": "Usage",
            "ContractCommitmentUnit": UNIT,
            "ContractCommitmentQuantity": line.units * line.hours_term,
            "ContractCommitmentCost": line.term_usd,
            "BillingCurrency": CURRENCY,
        })  # fmt: skip
    return pd.DataFrame(rows, columns=list(_COMMITMENT_COLUMNS))


def _charge(report: Report, line: OrderLine, start: dt.date, end: dt.date) -> dict[str, Any]:
    unit_hours = line.units * (end - start).days * HOURS_PER_DAY
    offer = line.offer
    listed = offer.usd_per_unit_hour if offer.list_usd_per_unit_hour is None else offer.list_usd_per_unit_hour
    cost = unit_hours * offer.usd_per_unit_hour
    return {
        "BilledCost": cost,
        "BillingCurrency": CURRENCY,
        "BillingPeriodStart": _moment(start),
        "BillingPeriodEnd": _moment(end),
        "ChargeCategory": "Purchase",
        "ChargeDescription": _description(line),
        "ChargeFrequency": "Recurring",
        "ChargePeriodStart": _moment(start),
        "ChargePeriodEnd": _moment(end),
        "CommitmentDiscountCategory": "Usage",
        "CommitmentDiscountId": _identifier(report, line),
        "CommitmentDiscountName": offer.offer,
        "CommitmentDiscountQuantity": unit_hours,
        "CommitmentDiscountType": "Reservation",
        "CommitmentDiscountUnit": UNIT,
        "ContractedCost": cost,
        "ContractedUnitPrice": offer.usd_per_unit_hour,
        "EffectiveCost": 0.0,
        "ListCost": unit_hours * listed,
        "ListUnitPrice": listed,
        "PricingCategory": "Standard",
        "PricingQuantity": unit_hours,
        "PricingUnit": UNIT,
        "ProviderName": line.provider,
        "PublisherName": line.provider,
        "RegionId": line.region,
        "RegionName": line.region,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": offer.product or offer.pool,
        "SkuId": offer.pool,
        "SkuMeter": offer.meter,
        "SkuPriceId": offer.offer,
        "Tags": json.dumps({"plan": report.plan.name, "input": report.case.digest[:16]}, ensure_ascii=False),
    }  # fmt: skip


_CHARGE_COLUMNS = (
    "BilledCost", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd", "ChargeCategory", "ChargeDescription",
    "ChargeFrequency", "ChargePeriodStart", "ChargePeriodEnd", "CommitmentDiscountCategory", "CommitmentDiscountId",
    "CommitmentDiscountName", "CommitmentDiscountQuantity", "CommitmentDiscountType", "CommitmentDiscountUnit",
    "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "ListCost", "ListUnitPrice", "PricingCategory",
    "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName", "RegionId", "RegionName", "ServiceCategory",
    "ServiceName", "SkuId", "SkuMeter", "SkuPriceId", "Tags",
)  # fmt: skip
_COMMITMENT_COLUMNS = (
    "ContractCommitmentId", "ContractId", "ContractPeriodStart", "ContractPeriodEnd", "ContractCommitmentPeriodStart",
    "ContractCommitmentPeriodEnd", "ContractCommitmentDescription", "ContractCommitmentType",
    "ContractCommitmentCategory", "ContractCommitmentUnit", "ContractCommitmentQuantity", "ContractCommitmentCost",
    "BillingCurrency",
)  # fmt: skip


def _identifier(report: Report, line: OrderLine) -> str:
    return f"{report.plan.name}/{line.offer.offer}/{line.period}"


def _description(line: OrderLine) -> str:
    months = line.offer.term_months
    return f"{line.units:g} units of {line.offer.pool} in {line.region} for {months} month{'s' if months != 1 else ''}"


def _moment(day: dt.date) -> str:
    return f"{day:%Y-%m-%d}T00:00:00Z"
