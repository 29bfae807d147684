"""Billing rows that hold token quantities: AWS's CUR 2.0 and Azure's cost exports.

Each row is a kind of tokens of one model in one period; its kind is told by the meter's name, its size by the unit.
Column names: AWS's CUR 2.0 table dictionary and Azure's cost details reference. There is no count of requests. Rows
that are no tokens (compute, images, tax) are left out and counted; an unknown meter of tokens is refused.
"""

import re
from dataclasses import dataclass
from typing import Any

import pandas as pd

from planner.errors import Fault, InputError
from planner.features.demand.batch_marks import BATCH
from planner.features.demand.engine import in_order
from planner.features.demand.formats import moments, numbers
from planner.features.demand.formats.cells import flat_name
from planner.features.demand.formats.format import ExportReading, Format, Inputs, rows_to_frame
from planner.units import SECONDS_PER_HOUR, counted

# the first that fits; meters abbreviate: "Inp" for input, "cchd" for cached
KINDS = (
    ("written_tokens", re.compile(r"cache.?write|cache.?creation|cch.?wr", re.IGNORECASE)),
    ("cached_tokens", re.compile(r"cache.?read|cached?.?(?:inp|input)|cchd|cch.?inp|cd.?inp", re.IGNORECASE)),
    ("output_tokens", re.compile(r"out(?:put|pt|p)?(?![a-z])|completion|generated", re.IGNORECASE)),
    ("input_tokens", re.compile(r"inp?(?:ut)?(?![a-z])|prompt", re.IGNORECASE)),
)
TOKENS = re.compile(r"token", re.IGNORECASE)
BATCHES = re.compile(r"(?<![a-z])batch(?![a-z])", re.IGNORECASE)
SCALES = {"k": 1e3, "m": 1e6, "b": 1e9}
SCALE = re.compile(r"^\s*([\d.,]*)\s*([kmb]?)(?:illion)?\b\s*(?:tokens?|units?)?\s*$", re.IGNORECASE)
DROP = re.compile(
    r"[\s_/-]*(?:cache[\s_-]?(?:read|write|creation)|cached|cchd|input|output|inp|outp?|opt|tokens?|token-?count|count|glbl|global"
    r"|regnl|regional|rgnl|dzone|data ?zone|dz|batch|on-?demand|custom-model|1k|1m)(?![a-z])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Bill:
    """Columns of one provider's bill, names in order of trust."""

    start: tuple[str, ...]
    end: tuple[str, ...]
    meter: tuple[str, ...]
    quantity: tuple[str, ...]
    unit: tuple[str, ...]
    region: tuple[str, ...]
    is_ours: re.Pattern[str]  # of the row's service, product or meter
    service: tuple[str, ...]
    workload: tuple[str, ...]


AWS = Bill(
    start=("line_item_usage_start_date", "lineItem/UsageStartDate"),
    end=("line_item_usage_end_date", "lineItem/UsageEndDate"),
    meter=("line_item_usage_type", "lineItem/UsageType"),
    quantity=("line_item_usage_amount", "lineItem/UsageAmount"),
    unit=("pricing_unit", "pricing/unit"),
    region=("product_region_code", "product_region", "product/regionCode", "product/region"),
    is_ours=re.compile(r"bedrock", re.IGNORECASE),
    service=("line_item_product_code", "product_servicecode", "lineItem/ProductCode", "product_product_name"),
    workload=("line_item_usage_account_id", "lineItem/UsageAccountId"),
)
AZURE = Bill(
    start=("Date", "UsageDateTime", "UsageDate"),
    end=(),
    meter=("MeterName", "Meter"),
    quantity=("Quantity", "UsageQuantity", "ConsumedQuantity"),
    unit=("UnitOfMeasure", "Unit"),
    region=("ResourceLocation", "MeterRegion", "ResourceLocationNormalized"),
    is_ours=re.compile(r"openai|cognitive|foundry|ai services", re.IGNORECASE),
    service=("MeterCategory", "MeterSubCategory", "ProductName", "ServiceName", "ConsumedService"),
    workload=("ResourceName", "ResourceId", "ResourceGroup"),
)


def reader(bill: Bill) -> Any:
    """Return the reader of a provider's bill."""

    def read(inputs: Inputs) -> ExportReading:
        rows: list[dict[str, Any]] = []
        left, unknown, notes = 0, [], []
        for file in inputs.files:
            table = in_order(inputs.engine, file)
            mine = {flat_name(str(name)): str(name) for name in table.columns}
            need = {"start": bill.start, "meter": bill.meter, "quantity": bill.quantity, "unit": bill.unit}
            found = {ours: _first(names, mine) for ours, names in need.items()}
            lacking = [names[0] for ours, names in need.items() if found[ours] is None]
            if lacking:
                shown = ", ".join(map(str, table.columns))
                raise InputError(
                    [Fault(str(file.path), "lacks columns of this bill", column=", ".join(lacking), allowed=shown)]
                )
            ours = {name: str(value) for name, value in found.items()}
            mask = _ours(table, mine, bill)
            cells = [
                numbers.TextCell(str(file.path), ours["quantity"], str(t))
                for t in table[ours["quantity"]].dropna().unique()
                if isinstance(t, str) and not t.strip().isdigit() and not numbers.is_blank(t)
            ]
            sign = numbers.settled(
                cells, inputs.names.decimal, semicolons=";" in file.head.partition("\n")[0], whole=False
            )
            start, end = _periods(table, mine, ours, bill, str(file.path))
            region, workload = _first(bill.region, mine), _first(bill.workload, mine)
            for index in range(len(table)):
                meter = str(table[ours["meter"]].iloc[index])
                measure = next((name for name, pattern in KINDS if pattern.search(meter)), None)
                if not mask[index] or not (TOKENS.search(meter) or measure):
                    left += 1
                    continue
                if measure is None:
                    unknown.append(meter)
                    continue
                quantity = table[ours["quantity"]].iloc[index]
                value = (
                    numbers.parsed(quantity, sign) if isinstance(quantity, str) or quantity is None else float(quantity)
                )
                scale = _scale(str(table[ours["unit"]].iloc[index]), meter)
                if value is None or scale is None:
                    name, text = (
                        (ours["quantity"], quantity)
                        if value is None
                        else (ours["unit"], table[ours["unit"]].iloc[index])
                    )
                    said = "is not a number" if value is None else "is no unit of tokens that is known"
                    raise InputError(
                        [Fault(str(file.path), said, row=index + 2, column=name, value=text, allowed="1K, 1M, tokens")]
                    )
                rows.append(
                    {
                        "epoch": None if pd.isna(start.iloc[index]) else start.iloc[index].timestamp(),
                        "bucket_hours": _length(start.iloc[index], end.iloc[index]),
                        measure: round(value * scale, 3),
                        "model": _model(meter),
                        "region": _text(table, region, index),
                        "workload": _workload(_text(table, workload, index), meter),
                        "filename": file.path.name,
                    }
                )
        if unknown:
            raise InputError(
                [
                    Fault(
                        inputs.place,
                        "has meters of tokens whose kind is not known",
                        value=", ".join(sorted(set(unknown))[:5]),
                    )
                ]
            )
        if not rows:
            raise InputError([Fault(inputs.place, f"has no rows of tokens among {left:,} billing rows")])
        if left:
            notes.append(f"{counted(left, 'row of another charge is', ',', 'rows of other charges are')} left out")
        frame = rows_to_frame(rows, ("model", "region", "workload", "filename"))
        key = ["epoch", "bucket_hours", "model", "region", "workload", "filename"]
        counts = [n for n in ("input_tokens", "cached_tokens", "written_tokens", "output_tokens") if n in frame]
        frame = frame.groupby(key, dropna=False, as_index=False)[counts].sum(min_count=1)
        for name in counts:  # a bill has no row where nothing was used
            frame[name] = frame[name].fillna(0.0)
        return ExportReading(inputs.lazy(frame.assign(skip=0)), (), tuple(notes), may_tell_minutes=False,
                       how=("tokens are the quantity times the unit, its kind as the meter's name says",))  # fmt: skip

    return read


def _workload(name: str | None, meter: str) -> str | None:
    """Workload of a row: of its own where the meter is one of batch requests."""
    return f"{name or _model(meter)}{BATCH}" if BATCHES.search(meter) else name


def _first(names: tuple[str, ...], mine: dict[str, str]) -> str | None:
    return next((mine[flat_name(name)] for name in names if flat_name(name) in mine), None)


def _ours(table: pd.DataFrame, mine: dict[str, str], bill: Bill) -> list[bool]:
    columns = [mine[flat_name(n)] for n in (*bill.service, *bill.meter) if flat_name(n) in mine]
    text = table[columns].fillna("").astype(str).agg(" ".join, axis=1) if columns else pd.Series("", index=table.index)
    return list(text.map(lambda value: bill.is_ours.search(value) is not None))


def _periods(
    table: pd.DataFrame, mine: dict[str, str], ours: dict[str, str], bill: Bill, place: str
) -> tuple[pd.Series, pd.Series]:
    def blank_free(name: str) -> pd.Series:
        return table[name].where(~table[name].map(numbers.is_blank), None).rename(name)

    start = moments.parsed(blank_free(ours["start"]), place)
    ending = _first(bill.end, mine)
    return start, moments.parsed(blank_free(ending), place) if ending else start + pd.Timedelta(days=1)


def _length(start: Any, end: Any) -> float:
    hours = (end - start).total_seconds() / SECONDS_PER_HOUR if pd.notna(start) and pd.notna(end) else 24.0
    return hours if hours > 0 else 24.0


def _scale(unit: str, meter: str) -> float | None:
    """Return the tokens in one of a unit: 1K, 1M, 1000, tokens; None if the unit is no count of tokens."""
    found = SCALE.match(unit)
    if found is None or not (found[1] or found[2] or re.search("token|unit", unit, re.IGNORECASE)):
        return None
    count = numbers.parsed(found[1] or "1")
    return None if count is None else count * SCALES.get(found[2].lower(), 1.0)


def _model(meter: str) -> str:
    """Return the model in a meter's name: what is left without the kind, the region's code and the place."""
    name = re.sub(r"^[A-Z]{2,4}\d?(?:-[A-Z]{2,4}\d)?-", "", meter) if re.match(r"^[A-Z]{2,4}\d-", meter) else meter
    return DROP.sub("", name).strip(" -_/") or meter


def _text(table: pd.DataFrame, name: str | None, index: int) -> str | None:
    value = None if name is None else table[name].iloc[index]
    return None if numbers.is_blank(value) else str(value)


CUR = Format(
    name="aws_cur",
    title="AWS Cost and Usage Report (CUR 2.0): Bedrock's rows of tokens",
    finest="one hour (as the report was made)",
    cached_in_input=False,
    read=reader(AWS),
    signs=(
        ("line_item_usage_start_date", "line_item_usage_type", "line_item_usage_amount"),
        ("lineItem/UsageStartDate", "lineItem/UsageType", "lineItem/UsageAmount"),
    ),
    rows=None,
    repeats="rows of one meter and period are parts, which add up",
    region="region",
    workload="workload",
    model="model",
    lacks=("no count of requests: tokens only",),
)
COST_DETAILS = Format(
    name="azure_cost",
    title="Azure cost export: the rows that hold token quantities",
    finest="one day",
    cached_in_input=False,
    read=reader(AZURE),
    signs=(
        ("MeterName", "UnitOfMeasure", "Quantity", "Date"),
        ("Meter", "UnitOfMeasure", "Quantity", "UsageDate"),
        ("MeterName", "UnitOfMeasure", "Quantity", "UsageDateTime"),
    ),
    rows=None,
    repeats="rows of one meter and day are parts, which add up",
    region="region",
    workload="workload",
    model="model",
    lacks=("no count of requests: tokens only", "no hour: it gives level and growth, never the shape of a week"),
)
