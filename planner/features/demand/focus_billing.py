"""FOCUS billing data, 1.0 to 1.4: commitments and money. It counts no tokens, so it makes no history.

Writes ``commitments.csv`` (the input table, to be completed with an offer), ``commitment_hours.csv`` (used and unused
units by charge period) and ``commitments.json``. Column names: the FOCUS specification, and 1.3's contract commitments;
1.0 has no quantity of commitments. Sums of money are over rows as they are, corrections and credits with their sign, in
each billing currency apart. A purchase's cost is not in the effective cost of usage, which carries it amortised.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from planner.errors import Fault, InputError
from planner.features.demand import engine as engines
from planner.features.demand.focus_commitments import BilledCommitment, contract_commitment, used_commitments
from planner.features.demand.formats import moments, numbers
from planner.features.demand.source_files import SourceFile, columns_of_head, fail, list_sources
from planner.io.atomic import write_csv
from planner.io.directory import Kind, replaced

DIRECTORY = Kind(
    key="commitments.json",
    ours=frozenset({"commitments.json", "commitments.csv", "commitment_hours.csv"}),
    foreign=frozenset(),
    signed=frozenset(),
    what="commitments",
)
NEEDED = {"ChargeCategory", "ChargePeriodStart"}
COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
CONTRACT_COLUMNS = {"ContractCommitmentId", "ContractCommitmentQuantity", "ContractCommitmentUnit"}
USAGE_NUMBERS = (*COSTS, "CommitmentDiscountQuantity")
CONTRACT_NUMBERS = ("ContractCommitmentQuantity", "ContractCommitmentCost")
NOT_SAID = "currency not said"


def is_focus(source: str, look: Callable[[Path], SourceFile]) -> bool:
    """Tell a FOCUS export by its header."""
    path = Path(source)
    if not path.is_file():
        return False
    try:
        file = look(path)
    except InputError:
        return False  # the ingest itself will say what is wrong
    return _kind(columns_of_head(file)) is not None


def _kind(columns: Sequence[str]) -> str | None:
    names = set(columns)
    if names >= CONTRACT_COLUMNS:
        return "contracts"
    return "usage" if names >= NEEDED and names & {"BilledCost", "EffectiveCost"} else None


def ingest_focus(sources: list[str], decimal: numbers.Decimal | None = None) -> dict[str, Any]:
    """Read FOCUS files and return the report; ``report["hours"]`` is the use by charge period, a frame.

    Raises
    ------
    InputError
        A file is no FOCUS export; a cell is no number or no time: with row and column.
    """
    files = list_sources(sources)
    commitments: list[BilledCommitment] = []
    usage, rows_read, missing = pd.DataFrame(), 0, []
    for file in files:
        with engines.embedded() as engine, engines.explained(str(file.path)):
            table = engines.in_order(engine, file)
        rows_read += len(table)
        kind = _kind(list(table.columns))
        if kind is None:
            raise fail(file.path, "is no FOCUS export", allowed=", ".join(sorted({*NEEDED, "EffectiveCost"})))
        table = table.astype(object).where(table.notna(), None)
        if kind == "contracts":
            commitments += _contracts(table.drop_duplicates(), file, decimal)
        else:
            usage = _with_new_rows(usage, _checked(table, file, USAGE_NUMBERS, decimal))
    if rows_read == 0:
        raise fail(files[0].path, "has no rows")
    hours, money = pd.DataFrame(), {}
    if not usage.empty:
        money = _money(usage)
        rows = _commitment_rows(usage)
        hours = _hours(rows)
        if commitments and len(rows):
            missing.append(
                "contracts and the discounts that were used are listed apart: keep one row where both are one purchase"
            )
        commitments += used_commitments(rows)
        wanted = (*COSTS[:3], "CommitmentDiscountId", "CommitmentDiscountQuantity")
        absent = [name for name in wanted if name not in usage]
        if absent:
            missing.append(f"not in this export: {', '.join(absent)}")
    missing += _why_not(commitments)
    return {
        "format": "focus",
        "title": "FOCUS billing data",
        "rows_read": rows_read,
        "commitments": [{**c.as_dict(), "in_force": c.in_force} for c in commitments],
        "money": money,
        "missing": [
            "no tokens and no requests: a history needs a usage export",
            "the offer of each commitment: fill in the column offer of commitments.csv",
            *missing,
        ],
        "hours": hours,
    }


def _why_not(commitments: Sequence[BilledCommitment]) -> list[str]:
    """Say which commitments have no units or are not in force, and why: a line a reason."""
    reasons: dict[str, list[str]] = {}
    for one in commitments:
        if one.why:
            reasons.setdefault(one.why, []).append(one.name)
        if not one.in_force:
            said = f"{one.status}: not in force, and left out of commitments.csv"
            reasons.setdefault(said, []).append(one.name)
    return [
        f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}: {why}"
        for why, names in reasons.items()
    ]


def _checked(
    table: pd.DataFrame, file: SourceFile, names: Sequence[str], decimal: Any, halves: Callable[..., Any] | None = None
) -> pd.DataFrame:
    """Return a table whose blanks are None and whose numbers are numbers (NaN: blank); every other cell is a fault.

    ``halves`` tells rows that lack a number they need: a mask.
    """
    shown = table.map(lambda value: None if numbers.is_blank(value) else value)
    there = [name for name in names if name in shown]
    half = shown.index[halves(shown)] if halves else ()
    cells = [
        numbers.TextCell(str(file.path), name, str(text))
        for name in there
        for text in shown[name].dropna().unique()
        if isinstance(text, str) and not text.strip().lstrip("-").isdigit()
    ]
    sign = numbers.settled(cells, decimal, semicolons=";" in file.head.partition("\n")[0], whole=False)
    faults = []
    for name in there:
        values = shown[name].map(
            lambda value: numbers.parsed(value, sign, money=True) if isinstance(value, str) else value
        )
        wrong = shown[name].notna() & values.isna()
        for index in shown.index[wrong][:20]:
            faults.append(
                Fault(str(file.path), "is not a number", row=int(index) + 2, column=name, value=shown.loc[index, name])
            )
        shown[name] = values.astype(float)
    for index in half:
        faults.append(Fault(str(file.path), "is blank, and there is a unit", row=int(index) + 2, column=names[0]))
    if faults:
        raise InputError(faults)
    return shown


def _with_new_rows(there: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """Add the rows of another export; what both have counts once, as often as the one that has it oftener."""
    more = more.assign(_nth=more.groupby(list(more.columns), dropna=False).cumcount())
    return pd.concat([there, more], ignore_index=True).drop_duplicates(ignore_index=True)


def _money(usage: pd.DataFrame) -> dict[str, float]:
    """Sum the costs, in each currency apart; a column that is not there has no sum."""
    currency = usage["BillingCurrency"] if "BillingCurrency" in usage else pd.Series(None, index=usage.index)
    currency = currency.astype(object).fillna(NOT_SAID).astype(str)
    several = len(set(currency)) > 1
    money = {}
    for name, rows in usage.groupby(currency):
        is_use = rows["ChargeCategory"] == "Usage"
        covered = is_use & rows["CommitmentDiscountId"].notna() if "CommitmentDiscountId" in rows else is_use & False
        for label, column, mask in (
            ("billed cost", "BilledCost", is_use | True),
            ("effective cost of usage", "EffectiveCost", is_use),
            ("list cost of usage", "ListCost", is_use),
            ("effective cost of commitments", "EffectiveCost", covered),
            ("credits", "BilledCost", rows["ChargeCategory"] == "Credit"),
            ("adjustments", "BilledCost", rows["ChargeCategory"] == "Adjustment"),
            ("corrections", "BilledCost", rows.get("ChargeClass", pd.Series(None, index=rows.index)) == "Correction"),
        ):
            if column in rows and (mask.any() or "cost" in label):
                money[f"{label} ({name})" if several else label] = float(rows.loc[mask, column].sum())
    return money


def _commitment_rows(usage: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of commitments, named as ``used_commitments`` wants them."""
    blank = pd.Series(None, index=usage.index, dtype=object)
    identity = usage.get("CommitmentDiscountId", blank)
    rows = usage[identity.notna() & usage["ChargeCategory"].isin(("Usage", "Purchase"))]
    given = {
        "id": "CommitmentDiscountId",
        "name": "CommitmentDiscountName",
        "category": "CommitmentDiscountCategory",
        "unit": "CommitmentDiscountUnit",
        "status": "CommitmentDiscountStatus",
        "charge": "ChargeCategory",
        "frequency": "ChargeFrequency",
        "region": "RegionId",
        "currency": "BillingCurrency",
        "quantity": "CommitmentDiscountQuantity",
        "effective_cost": "EffectiveCost",
        "billed_cost": "BilledCost",
    }
    numeric = ("quantity", "effective_cost", "billed_cost")
    found = pd.DataFrame(
        {
            ours: rows.get(name, pd.Series(None, index=rows.index, dtype=float if ours in numeric else object))
            for ours, name in given.items()
        }
    )
    for ours, name in (("start", "ChargePeriodStart"), ("end", "ChargePeriodEnd")):
        texts = rows.get(name, pd.Series(None, index=rows.index, dtype=object))
        found[ours] = moments.parsed(texts.rename(name), "ChargePeriod")
    return found


def _hours(rows: pd.DataFrame) -> pd.DataFrame:
    """Sum used and unused quantity by charge period, commitment and region; a sum with an unknown part is blank."""
    used = rows[rows["charge"] == "Usage"]
    if used.empty:
        return pd.DataFrame()
    names = {
        "start": "ChargePeriodStart",
        "end": "ChargePeriodEnd",
        "id": "CommitmentDiscountId",
        "name": "CommitmentDiscountName",
        "unit": "CommitmentDiscountUnit",
        "region": "RegionId",
    }
    quantity = used["quantity"]
    parts = used.assign(
        used=quantity.where(used["status"] == "Used", 0.0),
        unused=quantity.where(used["status"] == "Unused", 0.0),
        unknown=quantity.isna(),
    )
    sums = parts.groupby(list(names), dropna=False, as_index=False)[
        ["used", "unused", "effective_cost", "unknown"]
    ].sum()
    sums[["used", "unused"]] = sums[["used", "unused"]].mask(sums["unknown"] > 0)
    return sums.drop(columns="unknown").rename(columns={**names, "effective_cost": "EffectiveCost"})


def _contracts(table: pd.DataFrame, file: SourceFile, decimal: Any) -> list[BilledCommitment]:
    shown = _checked(table, file, CONTRACT_NUMBERS, decimal, _half_said)
    blank = pd.Series(None, index=shown.index, dtype=object)

    def text(name: str) -> pd.Series:
        return shown.get(name, blank)

    frame = pd.DataFrame(
        {
            "id": text("ContractCommitmentId").astype(str),
            "name": text("ContractCommitmentDescription"),
            "category": text("ContractCommitmentCategory"),
            "unit": text("ContractCommitmentUnit"),
            "currency": text("BillingCurrency"),
            "status": text("ContractCommitmentLifecycleStatus"),  # 1.4
            "quantity": shown["ContractCommitmentQuantity"],
            "cost": shown.get("ContractCommitmentCost", pd.Series(float("nan"), index=shown.index)),
            "start": moments.parsed(text("ContractCommitmentPeriodStart"), str(file.path)),
            "end": moments.parsed(text("ContractCommitmentPeriodEnd"), str(file.path)),
        }
    )
    return [contract_commitment(row) for row in frame.to_dict("records")]  # type: ignore[arg-type]


def _half_said(shown: pd.DataFrame) -> pd.Series:
    """Tell contracts that have a unit and no quantity, where no category says that this is meant."""
    category = shown.get("ContractCommitmentCategory", pd.Series(None, index=shown.index))
    given = shown["ContractCommitmentQuantity"].map(numbers.is_blank)
    return category.isna() & shown["ContractCommitmentUnit"].notna() & given


def write_commitments(report: dict[str, Any], folder: Path) -> None:
    """Write commitments.csv, commitment_hours.csv (where there is usage of commitments) and commitments.json."""
    table = pd.DataFrame(
        [
            {"offer": "", "units": c["units"], "start": c["start"], "end": c["end"], "note": _note(c)}
            for c in report["commitments"]
            if c["in_force"]
        ],
        columns=["offer", "units", "start", "end", "note"],
    )
    hours = report["hours"]
    told = {name: value for name, value in report.items() if name != "hours"}
    text = json.dumps(told, indent=2, default=str) + "\n"
    with replaced(folder, DIRECTORY) as new:
        write_csv(new / "commitments.csv", table)
        if not hours.empty:
            write_csv(new / "commitment_hours.csv", hours)
        (new / "commitments.json").write_text(text, encoding="utf-8", newline="\n")


def _note(commitment: dict[str, Any]) -> str:
    money = commitment["money"]
    spent = "" if money is None else f", {money:,.2f} {commitment['currency'] or ''} of spend".rstrip()
    return f"{commitment['name']} ({commitment['id']}){spent}"
