"""The plan's tables for machines: CSV or Parquet, with purchases as FOCUS rows."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Literal

import pandas as pd

from planner.io.atomic import written_beside
from planner.io.shown import without_formulas
from planner.plan.metrics.tables import Metrics
from planner.workbook.focus import focus_contract_commitments, focus_purchases
from planner.workbook.report import Report

FORMATS = ("csv", "parquet")
Format = Literal["csv", "parquet"]


def write_tables(report: Report, directory: str | Path, format: Format = "csv") -> list[Path]:
    """Write every table of the plan and of its metrics, one file each; returns the files.

    Parameters
    ----------
    directory : made if absent; files of the same names are replaced.
    format : csv (UTF-8, blank for no value) or parquet.
    """
    if format not in FORMATS:
        raise ValueError(f"format is {format!r}; allowed: {', '.join(FORMATS)}")
    written = []
    for name, table in tables(report).items():
        path = Path(directory) / f"{name}.{format}"
        with written_beside(path) as beside:
            if format == "csv":
                without_formulas(table).to_csv(beside, index=False, lineterminator="\n")
            else:
                table.to_parquet(beside, index=False)
        written.append(path)
    return written


def tables(report: Report) -> Mapping[str, pd.DataFrame]:
    """All tables by file name."""
    plan, metrics = report.plan, report.metrics
    found: dict[str, pd.DataFrame] = {
        "purchase_order": purchase_order(report),
        "expiries": expiries(report),
        "deployments": plan.deployments,
        "dispatch": plan.dispatch,
        "rents": plan.rents,
        "stress_rents": plan.stress_rents,
        "focus_purchases": focus_purchases(report),
        "focus_contract_commitments": focus_contract_commitments(report),
    }
    for entry in fields(Metrics):
        value = getattr(metrics, entry.name)
        if isinstance(value, pd.DataFrame):
            found[f"metrics_{entry.name}"] = value
    found["metrics_tasks"] = metrics.tasks.table
    found["cautions"] = pd.DataFrame({"caution": list(metrics.cautions)}, dtype="str")
    return found


def purchase_order(report: Report) -> pd.DataFrame:
    """Return the lines of the purchase order, with the columns that the order's reader knows."""
    names = ["offer", "period", "units", "usd_per_unit_hour", "provider", "region", "pool", "meter", "models",
             "term_months", "start", "end", "term_usd", "horizon_usd"]  # fmt: skip
    rows = [
        (n.offer.offer, n.period, n.units, n.offer.usd_per_unit_hour, n.provider, n.region, n.offer.pool, n.offer.meter,
         ";".join(n.models), n.offer.term_months, n.start.isoformat(), n.end.isoformat(), n.term_usd, n.horizon_usd)
        for n in report.lines
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=names)


def expiries(report: Report) -> pd.DataFrame:
    """Return the calendar of expiries: a row for each commitment, by its end."""
    names = ["decide", "end", "start", "offer", "product", "pool", "meter", "region", "new", "units",
             "usd_per_unit_hour", "usd_per_month", "before_units", "after_units", "coverage_before", "coverage_after",
             "lapse_usd_per_month", "month"]  # fmt: skip
    rows = [
        (e.decide.isoformat(), e.owed.end.isoformat(), e.owed.start.isoformat(), e.owed.offer.offer,
         e.owed.offer.product, e.owed.offer.pool, e.owed.offer.meter, e.owed.region, e.owed.new, e.owed.units,
         e.owed.offer.usd_per_unit_hour, e.usd_per_month, e.before_units, e.after_units, e.coverage_before,
         e.coverage_after, e.lapse_usd_per_month, e.month)
        for e in report.calendar.expiries
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=names)
