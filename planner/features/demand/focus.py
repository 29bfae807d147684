"""FOCUS 1.2/1.3 billing data: commitments and money. It counts no tokens, so it makes no history.

Writes ``commitments.csv`` (model.md's table, to be completed with an offer), ``commitment_hours.csv`` (used and unused
units by hour) and ``commitments.json``. Column names: FOCUS specification 1.2, and 1.3's contract commitments.
Utilisation = used / (used + unused) quantity over the usage charges; purchases are left out of it, as the specification
asks, and so is a purchase's cost where usage carries it amortised.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from planner.errors import Fault, InputError
from planner.features.demand import engine as engines
from planner.features.demand.atomic import replace_file
from planner.features.demand.clock import moment_of
from planner.features.demand.files import SourceFile, fail, list_sources

USAGE_COLUMNS = {"ChargeCategory", "ChargePeriodStart", "EffectiveCost", "CommitmentDiscountId"}
CONTRACT_COLUMNS = {"ContractCommitmentId", "ContractCommitmentQuantity", "ContractCommitmentUnit"}
NUMBERS = (
    "BilledCost",
    "EffectiveCost",
    "ListCost",
    "ContractedCost",
    "CommitmentDiscountQuantity",
    "ConsumedQuantity",
)


def is_focus(source: str, look: Callable[[Path], SourceFile]) -> bool:
    """Tell a FOCUS export by its header."""
    path = Path(source)
    if not path.is_file():
        return False
    try:
        file = look(path)
    except InputError:
        return False  # the ingest itself will say what is wrong
    if file.kind == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            names = set(pq.read_schema(path).names)
        except (pa.ArrowException, OSError):
            return False
    else:
        names = {name.strip().strip('"') for name in file.head.partition("\n")[0].split(",")}
    return names >= USAGE_COLUMNS or names >= CONTRACT_COLUMNS


def ingest_focus(sources: list[str], folder: Path) -> dict[str, Any]:
    """Read FOCUS files, write what they know of commitments into ``folder``, and return the report."""
    files = list_sources(sources)
    commitments: list[dict[str, Any]] = []
    hours, usage, rows_read = pd.DataFrame(), pd.DataFrame(), 0
    for file in files:
        with engines.embedded() as engine, engines.explained(str(file.path)):
            table = engines.tabular(engine, [file]).to_pandas()
        rows_read += len(table)
        if set(table.columns) >= CONTRACT_COLUMNS:
            commitments += _contracts(table, file.path)
        elif set(table.columns) >= USAGE_COLUMNS:
            usage = _with_new_rows(usage, table)
        else:
            raise fail(file.path, "is no FOCUS export", allowed=", ".join(sorted(USAGE_COLUMNS)))
    if rows_read == 0:
        raise fail(files[0].path, "has no rows")
    money: dict[str, float] = {}
    missing = [
        "no tokens and no requests: a history needs a usage export",
        "the offer of each commitment: fill in the column offer of commitments.csv",
    ]
    if not usage.empty:
        hours, money = _usage(usage)
        if commitments and not hours.empty:
            told = (
                "contracts and the discounts that were used are listed apart: keep one row where both are one purchase"
            )
            missing.append(told)
        commitments += _used_commitments(hours)
    report = {
        "format": "focus",
        "title": "FOCUS billing data",
        "rows_read": rows_read,
        "commitments": commitments,
        "money": money,
        "missing": missing,
    }
    _write(folder, commitments, hours, report)
    return report


def _with_new_rows(there: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """Add the rows of another export; what both have counts once, as often as the one that has it oftener."""
    more = more.assign(_nth=more.groupby(list(more.columns), dropna=False).cumcount())
    return pd.concat([there, more], ignore_index=True).drop_duplicates(ignore_index=True)


def _usage(table: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, float]]:
    for name in NUMBERS:
        table[name] = pd.to_numeric(
            table[name] if name in table else pd.Series(0.0, index=table.index), errors="coerce"
        ).fillna(0.0)
    use = table[table["ChargeCategory"] == "Usage"]
    covered = use[use["CommitmentDiscountId"].fillna("") != ""]
    money = {
        "billed cost": float(table["BilledCost"].sum()),
        "effective cost of usage": float(use["EffectiveCost"].sum()),
        "list cost of usage": float(use["ListCost"].sum()),
        "effective cost of commitments": float(covered["EffectiveCost"].sum()),
    }
    if covered.empty:
        return pd.DataFrame(), money
    keys = ["ChargePeriodStart", "CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountUnit", "RegionId"]
    for name in keys:
        covered = covered.assign(**{name: covered.get(name, pd.Series("", index=covered.index)).fillna("")})
    status = covered["CommitmentDiscountStatus"].fillna("")
    quantity = covered["CommitmentDiscountQuantity"]
    hours = (
        covered.assign(used=quantity.where(status == "Used", 0.0), unused=quantity.where(status == "Unused", 0.0))
        .groupby(keys, as_index=False)[["used", "unused", "EffectiveCost"]]
        .sum()
    )
    start, end = (
        pd.to_datetime(covered.reindex(columns=[name])[name], utc=True, errors="coerce", format="ISO8601")
        for name in ("ChargePeriodStart", "ChargePeriodEnd")
    )
    seconds = float((end - start).dt.total_seconds().median())
    hours.attrs["hours"] = seconds / 3600 if seconds > 0 else 1.0
    return hours, money


def _used_commitments(hours: pd.DataFrame) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if hours.empty:
        return found
    length = hours.attrs.get("hours", 1.0)
    for identity, group in hours.groupby("CommitmentDiscountId"):
        bought = group["used"] + group["unused"]
        found.append(
            {
                "id": str(identity),
                "name": str(group["CommitmentDiscountName"].iloc[0] or identity),
                "unit": str(group["CommitmentDiscountUnit"].iloc[0]).removesuffix("-Hours"),
                "units": round(float(bought.median() / length), 6),
                "region": str(group["RegionId"].iloc[0]),
                "utilisation": float(group["used"].sum() / bought.sum()) if bought.sum() else None,
                "effective_cost": float(group["EffectiveCost"].sum()),
                "start": None,
                "end": None,
            }
        )
    return found


def _contracts(table: pd.DataFrame, path: Path) -> list[dict[str, Any]]:
    found = []
    _check_numbers(table, path, ("ContractCommitmentQuantity", "ContractCommitmentCost"))
    for row in table.to_dict("records"):
        start = moment_of(row.get("ContractCommitmentPeriodStart"))
        end = moment_of(row.get("ContractCommitmentPeriodEnd"))
        unit, quantity = str(row["ContractCommitmentUnit"]), _number(row["ContractCommitmentQuantity"])
        hours = (end - start).total_seconds() / 3600 if start and end else None
        hourly = unit.lower().endswith(("-hours", " hours")) and hours
        found.append(
            {
                "id": row["ContractCommitmentId"],
                "name": row.get("ContractCommitmentDescription") or row["ContractCommitmentId"],
                "unit": unit.removesuffix("-Hours") if hourly else unit,
                "units": quantity / hours if hourly and hours else quantity,
                "region": None,
                "utilisation": None,
                "effective_cost": _number(row.get("ContractCommitmentCost")),
                "start": None if start is None else f"{start:%Y-%m-%d}",
                "end": None if end is None else f"{end:%Y-%m-%d}",
            }
        )
    return found


def _check_numbers(table: pd.DataFrame, path: Path, columns: tuple[str, ...]) -> None:
    faults = []
    for name in columns:
        given = table[name] if name in table else pd.Series(dtype=object)
        wrong = pd.to_numeric(given, errors="coerce").abs().map(lambda value: not value < float("inf"))
        if name != columns[0]:  # only the first must be given
            wrong &= given.notna() & (given != "")
        for index, value in given[wrong].items():
            faults.append(Fault(str(path), "is not a number", row=int(str(index)) + 2, column=name, value=value))
    if faults:
        raise InputError(faults)


def _number(value: Any) -> float:
    """Return a checked cell as a number; blank is 0."""
    number = pd.to_numeric(pd.Series([value]), errors="coerce").fillna(0.0)
    return float(number.iloc[0])


def _write(folder: Path, commitments: list[dict[str, Any]], hours: pd.DataFrame, report: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.DataFrame(
        [
            {"offer": "", "units": c["units"], "start": c["start"], "end": c["end"], "note": f"{c['name']} ({c['id']})"}
            for c in commitments
        ],
        columns=["offer", "units", "start", "end", "note"],
    )
    replace_file(folder / "commitments.csv", lambda path: table.to_csv(path, index=False))
    if not hours.empty:
        replace_file(folder / "commitment_hours.csv", lambda path: hours.to_csv(path, index=False))
    text = json.dumps(report, indent=2, default=str) + "\n"
    replace_file(folder / "commitments.json", lambda path: path.write_text(text, encoding="utf-8"))
