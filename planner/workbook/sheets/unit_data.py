"""Unit data (hidden): what lets units be edited. For each pool and month with a purchase, the hours and what they want.

Fewer units send the hours above the new level to on demand at the pool's average on-demand price (or, where the pool
sells units beyond commitments, to that price); more units take overflow back. It is an estimate of the change only: at
the plan's own units the change is 0 and every figure is the plan's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from xlsxwriter.utility import xl_col_to_name

from planner.plan.pool_months import PoolMonth
from planner.workbook.book import Block, Column, Live, Sheet

NAME = "Unit data"
_DIGITS = 6

COLUMNS = (
    Column("pool_no", "Pool\nno.", "count", 7),
    Column("start", "Month", "date", 11),
    Column("hours", "Hours", "count", 9),
    Column("planned", "In force,\nas planned", "units", 11),
    Column("now", "In force\nnow", "units", 11),
    Column("beyond", "Beyond commitments,\nas planned", "units", 14),
    Column("beyond_price", "Price of those\nUSD/unit-hour", "price", 12),
    Column("beyond_now", "Beyond commitments\nnow", "units", 14),
    Column("level", "Level,\nas planned", "units", 11),
    Column("level_now", "Level\nnow", "units", 11),
    Column("served", "Served by units, at\non-demand price, as planned", "cents", 18),
    Column("above", "Wanted above the\nlevel, as planned, USD", "cents", 16),
    Column("above_now", "Wanted above the\nlevel now, USD", "cents", 16),
    Column("more_on_demand", "Change of on\ndemand, USD", "cents", 14, total=True),
    Column("more_beyond", "Change of units beyond\ncommitments, USD", "cents", 16, total=True),
    Column("per_unit", "Served per unit, at\non-demand price, USD", "price", 16),
)
_BEYOND_NOW = "=IF(ISNUMBER({beyond_price}),MAX(0,{beyond}-({now}-{planned})),0)"
_PER_UNIT = "=IF({level_now}>0,({served}-{more_on_demand})/{level_now},0)"
_SLOTS = len(COLUMNS) + 1  # first column of the hours


@dataclass(frozen=True)
class UnitData:
    """Where the estimate stands; None where nothing is bought."""

    block: Block | None

    @property
    def more_on_demand(self) -> str:
        """Formula of the change of on-demand cost against the plan, USD."""
        return "0" if self.block is None else self.block.total("more_on_demand")

    @property
    def more_beyond(self) -> str:
        """Formula of the change of the cost of units beyond commitments, USD."""
        return "0" if self.block is None else self.block.total("more_beyond")

    def usage_per_unit(self) -> str:
        """Return the formula (with the order's columns as placeholders) of what one unit serves, at on-demand price."""
        assert self.block is not None
        b = self.block
        return (
            f"SUMIFS({b.range('per_unit')},{b.range('pool_no')},{{pool_no}},"
            f'{b.range("start")},">="&{{start}},{b.range("start")},"<="&{{last_month}})'
        )


def write(sheet: Sheet, months: Sequence[tuple[int, PoolMonth, str]]) -> UnitData:
    """Write the sheet; `months` has each pool-month with the pool's number and the formula of its units in force."""
    sheet.put(
        0, 0, "Unit data: lets the units of the purchase order be edited. Nothing here is to be typed over.", "note"
    )
    if not months:
        sheet.put(2, 0, "Nothing is bought.", "note")
        return UnitData(None)
    first = 4 + len(months) + 4
    records: list[dict[str, Any]] = []
    for k, (number, month, now) in enumerate(months):
        wanted, usd = np.round(month.wanted_units, _DIGITS), np.round(month.usd_per_unit, _DIGITS)
        w, a = (_span(_SLOTS + 2 * k + j, first, max(len(wanted), 1)) for j in range(2))
        level = month.level_units
        above = _above(wanted, usd, level)
        records.append({
            "pool_no": number, "start": month.start, "hours": month.hours,
            "planned": month.in_force_units, "now": Live(f"={now}", month.in_force_units),
            "beyond": month.unreserved_units, "beyond_price": month.unreserved_usd_per_unit_hour,
            "beyond_now": Live(_BEYOND_NOW, month.unreserved_units),
            "level": Live("={planned}+{beyond}", level), "level_now": Live("={now}+{beyond_now}", level),
            "served": month.served_usd,
            "above": Live(f"=SUMPRODUCT(({w}>{{level}})*({w}-{{level}})*{a})", above),
            "above_now": Live(f"=SUMPRODUCT(({w}>{{level_now}})*({w}-{{level_now}})*{a})", above),
            "more_on_demand": Live("={above_now}-{above}", 0.0),
            "more_beyond": Live("=IF(ISNUMBER({beyond_price}),({beyond_now}-{beyond})*{beyond_price}*{hours},0)", 0.0),
            "per_unit": Live(_PER_UNIT, month.served_usd_per_unit),
        })  # fmt: skip
        for j, values in enumerate((wanted, usd)):
            column = _SLOTS + 2 * k + j
            sheet.put(first - 2, column, f"pool {number}, {month.period}", "key")
            sheet.put(first - 1, column, ("units wanted", "USD per unit")[j], "key")
            sheet.down(first, column, values.tolist())
    sheet.widths(COLUMNS)
    return UnitData(sheet.table(3, COLUMNS, records))


def _above(wanted: npt.NDArray[np.float64], usd: npt.NDArray[np.float64], level: float) -> float:
    """On-demand price of what is wanted above a level."""
    return float(((wanted > level) * (wanted - level) * usd).sum())


def _span(column: int, first: int, count: int) -> str:
    name = xl_col_to_name(column, True)
    return f"{name}${first + 1}:{name}${first + count}"
