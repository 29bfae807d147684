"""The plan's tables for machines: CSV or Parquet, with purchases as FOCUS rows."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from planner.io.atomic import write_csv
from planner.io.directory import Kind, replaced
from planner.plan.manifest import NO_PLACE
from planner.plan.metrics.metric_tables import Metrics
from planner.plan.orders import OrderLine, cash_table, order_lines
from planner.schema.contracts import SpendCommitment
from planner.schema.settings import add_months
from planner.units import HOURS_PER_DAY, counted
from planner.workbook.report import Report

UNIT = "Unit-Hours"
CURRENCY = "USD"


def focus_purchases(report: Report) -> pd.DataFrame:
    """Return the monthly purchase charges of every commitment over its whole term (FOCUS 1.2)."""
    rows = []
    for line in order_lines(report.case, report.plan):
        if line.upfront_usd > 0:
            rows.append(_upfront_charge(report, line))
        rows += [_charge(report, line, *part) for part in _by_calendar_month(line)]
    return pd.DataFrame(rows, columns=list(_CHARGE_COLUMNS))


def _by_calendar_month(line: OrderLine) -> Iterator[tuple[dt.date, dt.date]]:
    """Cut a term at each first of a month, as `cash_table` does: what is billed for each month."""
    start = line.start
    while start < line.end:
        after = min(add_months(start.replace(day=1), 1), line.end)
        yield start, after
        start = after


def focus_contract_commitments(report: Report) -> pd.DataFrame:
    """Return each commitment, also to spend, as a row of FOCUS 1.3's Contract Commitment dataset."""
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
    rows += [_to_spend(report, contract) for contract in report.case.spend_commitments]
    return pd.DataFrame(rows, columns=list(_COMMITMENT_COLUMNS))


def _to_spend(report: Report, contract: SpendCommitment) -> dict[str, Any]:
    """Lay out a spend commitment: an amount of money over its periods inside the horizon, without units."""
    counted = report.case.contract_periods(contract)
    start, end = (_moment(day) for day in (report.case.periods[counted[0]].start, report.case.periods[counted[-1]].end))
    regions = contract.counted_regions
    where = "all regions" if regions is None else ", ".join(sorted(regions))
    what = [name for name, counts in (("on demand", contract.counts_on_demand), ("reserved", contract.counts_reserved))
            if counts]  # fmt: skip
    return {
        "ContractCommitmentId": f"{report.plan.name}/{contract.contract}",
        "ContractId": contract.contract,
        "ContractPeriodStart": start,
        "ContractPeriodEnd": end,
        "ContractCommitmentPeriodStart": start,
        "ContractCommitmentPeriodEnd": end,
        "ContractCommitmentDescription": f"{contract.usd:,.2f} {CURRENCY} to be spent {' and '.join(what)} in {where}",
        "ContractCommitmentType": "Spend commitment",
        "ContractCommitmentCategory": "Spend",
        "ContractCommitmentUnit": None,
        "ContractCommitmentQuantity": None,
        "ContractCommitmentCost": contract.usd,
        "BillingCurrency": CURRENCY,
    }


def _charge(report: Report, line: OrderLine, start: dt.date, end: dt.date) -> dict[str, Any]:
    unit_hours = line.units * (end - start).days * HOURS_PER_DAY
    offer = line.offer
    listed = offer.usd_per_unit_hour if offer.list_usd_per_unit_hour is None else offer.list_usd_per_unit_hour
    cost = unit_hours * offer.usd_per_unit_hour
    month = start.replace(day=1)
    return {
        "BilledCost": cost,
        "BillingCurrency": CURRENCY,
        "BillingPeriodStart": _moment(month),
        "BillingPeriodEnd": _moment(add_months(month, 1)),
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


def _upfront_charge(report: Report, line: OrderLine) -> dict[str, Any]:
    """Lay out what is due on the first day: a charge of its own, once, of the calendar month of that day."""
    each = line.offer.upfront_usd_per_unit
    return _charge(report, line, line.start, line.end) | {
        "BilledCost": line.upfront_usd,
        "ChargeDescription": f"{_description(line)}: upfront",
        "ChargeFrequency": "One-Time",
        "ContractedCost": line.upfront_usd,
        "ContractedUnitPrice": each,
        "ListCost": line.upfront_usd,
        "ListUnitPrice": each,
        "PricingQuantity": line.units,
        "PricingUnit": "Units",
    }


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
    return f"{counted(line.units, 'unit', 'g')} of {line.offer.pool} in {line.region} for {line.offer.term_text}"


def _moment(day: dt.date) -> str:
    return f"{day:%Y-%m-%d}T00:00:00Z"


FORMATS = ("csv", "parquet")
Format = Literal["csv", "parquet"]


def write_tables(report: Report, directory: str | Path, format: Format = "csv") -> list[Path]:
    """Write every table of the plan and of its metrics, one file each, as a whole; returns the files.

    Parameters
    ----------
    directory : made if absent; tables that are there are replaced, in either format.
    format : csv (UTF-8, blank for no value) or parquet.

    Raises
    ------
    PlannerError : the directory is of another kind.
    """
    if format not in FORMATS:
        raise ValueError(f"format is {format!r}; allowed: {', '.join(FORMATS)}")
    found = tables(report)
    names = [f"{name}.{format}" for name in found]
    kind = Kind(
        key=names[0],
        ours=frozenset(f"{name}.{ending}" for name in found for ending in FORMATS),
        foreign=NO_PLACE,
        signed=frozenset(),
        what="exported tables",
    )
    with replaced(directory, kind) as new:
        for name, table in zip(names, found.values(), strict=True):
            if format == "csv":
                write_csv(new / name, table)
            else:
                table.to_parquet(new / name, index=False)
    return [Path(directory) / name for name in names]


def tables(report: Report) -> Mapping[str, pd.DataFrame]:
    """All tables by file name."""
    plan, metrics = report.plan, report.metrics
    found: dict[str, pd.DataFrame] = {
        "purchase_order": purchase_order(report),
        "cash": cash_table(report.lines),
        "expiries": expiries(report),
        "deployments": plan.deployments,
        "dispatch": plan.dispatch,
        "scaled_units": plan.scaled_units,
        "rents": plan.rents,
        "stress_rents": plan.stress_rents,
        "focus_purchases": focus_purchases(report),
        "focus_contract_commitments": focus_contract_commitments(report),
    }
    for entry in fields(Metrics):
        value = getattr(metrics, entry.name)
        if isinstance(value, pd.DataFrame):
            found[f"metrics_{entry.name}"] = value
    if report.waited is not None:
        found["waited"], found["idle"] = report.waited.workloads, report.waited.idle
    found["metrics_tasks"] = metrics.tasks.table
    found["cautions"] = pd.DataFrame({"caution": list(metrics.cautions)}, dtype="str")
    return found


def purchase_order(report: Report) -> pd.DataFrame:
    """Return the lines of the purchase order, with the columns that the order's reader knows."""
    names = ["offer", "period", "units", "usd_per_unit_hour", "upfront_usd_per_unit", "provider", "region", "pool",
             "meter", "models", "term_months", "term_days", "start", "end", "term_usd", "horizon_usd"]  # fmt: skip
    rows = [
        (n.offer.offer, n.period, n.units, n.offer.usd_per_unit_hour, n.offer.upfront_usd_per_unit, n.provider,
         n.region, n.offer.pool, n.offer.meter, ";".join(n.models),
         n.offer.term_months if n.offer.term_days is None else None, n.offer.term_days,
         n.start.isoformat(), n.end.isoformat(), n.term_usd, n.horizon_usd)
        for n in report.lines
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=names).astype({"term_months": "Int64", "term_days": "Int64"})


def expiries(report: Report) -> pd.DataFrame:
    """Return the calendar of expiries: a row for each commitment, by its end.

    lapse_usd_per_month is blank where there is no on-demand price to compare with.
    """
    names = ["decide", "end", "start", "offer", "product", "pool", "meter", "region", "new", "units",
             "usd_per_unit_hour", "usd_per_month", "before_units", "after_units", "coverage_before", "coverage_after",
             "lapse_usd_per_month", "month"]  # fmt: skip
    rows = [
        (e.decide.isoformat(), e.owed.end.isoformat(), e.owed.start.isoformat(), e.owed.offer.offer,
         e.owed.offer.product, e.owed.offer.pool, e.owed.offer.meter, e.owed.region, e.owed.new, e.owed.units,
         e.owed.usd_per_unit_hour, e.usd_per_month, e.before_units, e.after_units, e.coverage_before,
         e.coverage_after, e.lapse_usd_per_month if e.priced else None, e.month)
        for e in report.calendar.expiries
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=names).astype({"lapse_usd_per_month": float})
