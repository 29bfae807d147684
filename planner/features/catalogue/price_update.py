"""New prices from a file that the buyer has: shown as a diff, applied only when accepted."""

import csv
import datetime as dt
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.errors import Fault, InputError
from planner.units import TOKENS_PER_MTOK

LARGEST_FILE_BYTES = 200_000_000
PRICES = ("usd_per_mtok_input", "usd_per_mtok_cached_input", "usd_per_mtok_cache_write", "usd_per_mtok_output")
_LITELLM = ("input_cost_per_token", "cache_read_input_token_cost", "cache_creation_input_token_cost",
            "output_cost_per_token")  # fmt: skip
_ENDINGS = {"standard": "", "batch": "_batches"}  # of LiteLLM's names, where they are not the option's
_TIMES = re.compile(r"global list price x ([0-9.]+)")
_AZURE_UNIT = re.compile(r"Provisioned Managed (Global|Data Zone|Regional) Unit")
_AZURE_TYPE = {"Global": "global", "Data Zone": "datazone", "Regional": "regional"}
_AZURE_TERM = {"1 Month": "1 month", "1 Year": "1 year"}

Cells = dict[str, str]


@dataclass(frozen=True)
class PriceChange:
    """One cell that a file says is different now."""

    table: str
    line: int  # of the table's file, header = 1
    what: str
    column: str
    old: str
    new: str


def read_table(path: Path) -> tuple[list[str], list[Cells]]:
    """Header and rows of a catalogue table as text."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        return list(reader.fieldnames or ()), [dict(row) for row in reader]


def table_text(header: list[str], rows: list[Cells]) -> str:
    """Give a table as CSV text."""
    out = io.StringIO()
    writer = csv.DictWriter(out, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@dataclass(frozen=True)
class Coverage:
    """How much of a catalogue a price file speaks about: priced rows compared, of all of that table."""

    compared: int
    of: int


def read_prices(path: Path) -> dict[str, Any] | list[Any]:
    """Read a price file: LiteLLM's JSON, or the JSON of the Azure Retail Prices API (its Items).

    Raises
    ------
    InputError
        The file is not JSON, holds no prices, or its prices are not in US dollars, as the catalogue's are.
    """
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise InputError([Fault(path.name, "is too large for a price file")])
        told = json.loads(path.read_text(encoding="utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise InputError([Fault(path.name, "is not JSON", allowed=_ALLOWED)]) from None
    items = told.get("Items", told) if isinstance(told, dict) else told
    _need_usd(path, told, items)
    if isinstance(items, list) and items and all(isinstance(i, dict) and "meterName" in i for i in items):
        return items
    if isinstance(items, dict) and any(isinstance(v, dict) and _LITELLM[0] in v for v in items.values()):
        return items
    raise InputError([Fault(path.name, "holds no prices that can be read", allowed=_ALLOWED)])


def more_pages(path: Path) -> tuple[str, ...]:
    """Say so where an answer of the Azure Retail Prices API announces a page that is not in the file."""
    told = json.loads(path.read_text(encoding="utf-8-sig"))
    if isinstance(told, dict) and told.get("NextPageLink"):
        return (f"{path.name} is one page: NextPageLink says that more prices follow; fetch them too",)
    return ()


def _need_usd(path: Path, told: Any, items: Any) -> None:
    """Refuse prices in another currency: a catalogue is in US dollars, and nothing converts them."""
    given = [told.get("BillingCurrency")] if isinstance(told, dict) else []
    given += [item.get("currencyCode") for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    others = sorted({str(code) for code in given if code and str(code).strip().upper() != "USD"})
    if others:
        message = "holds prices in another currency than the catalogue's"
        raise InputError(
            [Fault(path.name, message, value=", ".join(others), allowed="USD: ask with currencyCode='USD'")]
        )


_ALLOWED = "LiteLLM's model_prices_and_context_window.json, or a JSON answer of the Azure Retail Prices API"


def changes(
    tables: dict[str, list[Cells]], told: dict[str, Any] | list[Any], source: str, as_of: dt.date
) -> list[PriceChange]:
    """Apply a price file to the tables `on_demand` and `prices` (in place); return what changed, table by table."""
    found: list[PriceChange] = []
    if isinstance(told, dict):
        found += _litellm(tables["on_demand"], told)
    else:
        found += _azure(tables["prices"], told)
    for table, line in sorted({(c.table, c.line) for c in found}):
        row = tables[table][line - 2]
        row["source"], row["as_of"] = source, as_of.isoformat()
        if row["status"] != "derived":  # LiteLLM quotes the providers; the Azure Retail Prices API is one
            row["status"] = "confirmed" if isinstance(told, list) else "third-party"
    return found


def coverage(tables: dict[str, list[Cells]], told: dict[str, Any] | list[Any]) -> Coverage:
    """Count the priced rows that a price file speaks about; without it, `no price differs` may mean nothing at all."""
    if isinstance(told, list):
        rows = [row for row in tables["prices"] if (row["provider"], row["product"]) == ("azure", "ptu")]
        named = {id(row) for _, price in _unit_prices(told) for row in rows if _is_of(row, price)}
        return Coverage(len(named), len(rows))
    rows = [row for row in tables["on_demand"] if row["price_key"]]
    return Coverage(sum(1 for row in rows if any(value is not None for value in _told_prices(row, told))), len(rows))


def _same(old: str, new: float) -> bool:
    return bool(old) and abs(float(old) - new) <= 1e-9 * max(1.0, abs(new))


def _set(table: str, k: int, *, row: Cells, what: str, column: str, value: float) -> Iterator[PriceChange]:
    if not _same(row[column], value):
        old, row[column] = row[column], f"{value:.10g}"
        yield PriceChange(table, k + 2, what, column, old, row[column])


def _price(entry: Any, key: str) -> float | None:
    value = entry.get(key) if isinstance(entry, dict) else None
    if isinstance(value, str):  # some entries write 1e-06 as text
        try:
            value = float(value)
        except ValueError:
            return None
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1
    return float(value) * TOKENS_PER_MTOK if good and value is not None else None


def _litellm(rows: list[Cells], told: dict[str, Any]) -> list[PriceChange]:
    """Rows with a price_key are compared; then those derived from a global list price follow it."""
    found: list[PriceChange] = []
    for k, row in enumerate(rows):
        for column, value in zip(PRICES, _told_prices(row, told), strict=True):
            if value is not None:
                found += _set("on_demand", k, row=row, what=_named(row), column=column, value=round(value, 8))
    changed = {c.line for c in found}
    for line in changed:  # a price that moved is no longer the promotional one
        row = rows[line - 2]
        row["promo_until"] = row["list_usd_per_mtok_input"] = row["list_usd_per_mtok_output"] = ""
    base = {(r["provider"], r["model"]): (k, r) for k, r in enumerate(rows)
            if r["deployment_type"] == "global" and r["option"] == "standard"}  # fmt: skip
    for k, row in enumerate(rows):
        times = _TIMES.search(row["note"])
        line, parent = base.get((row["provider"], row["model"]), (-2, row))
        if row["status"] == "derived" and times and line + 2 in changed:
            for column in PRICES:
                if parent[column]:
                    value = round(float(parent[column]) * float(times[1]), 8)
                    found += _set("on_demand", k, row=row, what=_named(row), column=column, value=value)
    return found


def _told_prices(row: Cells, told: dict[str, Any]) -> list[float | None]:
    """Return LiteLLM's prices of a row, in the order of ``PRICES`` [USD per million tokens]; None where it has none."""
    entry = told.get(row["price_key"]) if row["price_key"] else None
    ending = _ENDINGS.get(row["option"], f"_{row['option']}")
    return [_price(entry, name + ending) for name in _LITELLM]


def _named(row: Cells) -> str:
    parts = (row["provider"], row["model"], row["deployment_type"], row["zone"], row["region"], row["option"])
    return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class _UnitPrice:
    """What an item of the Azure Retail Prices API says of a unit."""

    deployment_type: str
    region: str
    term: str


def _unit_prices(items: list[Any]) -> Iterator[tuple[float, _UnitPrice]]:
    """Yield the unit prices among the items [USD an hour, or for the whole term]."""
    for item in items:
        unit = _AZURE_UNIT.search(str(item.get("meterName", "")))
        price = item.get("retailPrice")
        if unit is None or not isinstance(price, int | float) or isinstance(price, bool) or price < 0:
            continue
        term = _AZURE_TERM.get(str(item.get("reservationTerm", "")))
        if term is None and (
            item.get("type", "Consumption") != "Consumption" or item.get("unitOfMeasure", "1 Hour") != "1 Hour"
        ):
            continue
        yield float(price), _UnitPrice(_AZURE_TYPE[unit[1]], str(item.get("armRegionName", "")), term or "hour")


def _is_of(row: Cells, price: _UnitPrice) -> bool:
    asked = ("azure", "ptu", price.deployment_type, price.term)
    return (row["provider"], row["product"], row["deployment_type"], row["term"]) == asked and (
        row["region"] == price.region or (price.deployment_type == "global" and not row["region"])
    )


def _azure(rows: list[Cells], items: list[Any]) -> list[PriceChange]:
    """Price rows of Azure units, by deployment type, region and term."""
    found: list[PriceChange] = []
    for usd, price in _unit_prices(items):
        for k, row in enumerate(rows):
            if _is_of(row, price):
                what = " ".join(
                    part for part in ("azure ptu", price.deployment_type, row["region"], row["term"]) if part
                )
                found += _set("prices", k, row=row, what=what, column="fee_usd", value=usd)
    return found
