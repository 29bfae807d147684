"""Spend commitments: what is spent on each, month by month, what will be lost, and what that means for each offer."""

from typing import Any

from planner.workbook import contract_story, story
from planner.workbook.book import Block, Column, Live, Sheet, print_areas
from planner.workbook.report import Report, rows_of
from planner.workbook.text_tables import lines_of

NAME = "Spend commitments"
TOP = 3

CONTRACTS = (
    Column("contract", "Contract", "text:wrap", 24),
    Column("months", "Months", "text:wrap", 18),
    Column("asked", "To be spent\nUSD", "usd", 14),
    Column("on_demand", "Spent on\ndemand, USD", "usd", 14),
    Column("units", "Spent on\nunits, USD", "usd", 14),
    Column("spent", "Spent\nUSD", "usd", 14),
    Column("lost", "Will be lost\nexpected, USD", "usd", 14, total=True),
    Column("most", "In the worst\nscenario, USD", "usd", 14),
    Column("chance", "Probability\nof a loss", "percent", 12),
)
MONTHS = (
    Column("contract", "Contract", "text:wrap", 24),
    Column("month", "Month", "text", 18),
    Column("on_demand", "Spent on\ndemand, USD", "usd", 14),
    Column("units", "Spent on\nunits, USD", "usd", 14),
    Column("spent", "Spent so far\nUSD", "usd", 14),
    Column("left", "Still to spend\nUSD", "usd", 14),
    Column("lost", "Will be lost\nUSD", "usd", 14),
)
OFFERS = (
    Column("offer", "Offer", "text:wrap", 24),
    Column("contracts", "Counts for", "text:wrap", 18),
    Column("before", "Break-even\nutilisation", "percent", 14),
    Column("held", "A dollar on\nunits saves", "cents", 14),
    Column("paid", "A dollar on\ndemand saves", "cents", 14),
    Column("meanwhile", "Break-even\nmeanwhile", "text:wrap", 14),
)


def write(sheet: Sheet, report: Report) -> Block:
    """Write the sheet; returns where the table of the contracts stands."""
    text = (
        "Expected over scenarios. What is not spent is paid all the same: it is lost, and counted in the plan's cost "
        "in the last month of the contract. Discounts of a contract are in the prices."
    )
    sheet.heading(NAME, text, len(CONTRACTS) - 1)
    sheet.widths(CONTRACTS)
    metrics = report.metrics
    block = sheet.table(TOP, CONTRACTS, [_contract(row) for row in rows_of(metrics.spend)])
    top = block.total_row + 3
    sheet.put(top - 1, 0, "Drawdown by month", "section")
    months = sheet.table(top, MONTHS, [_month(row) for row in rows_of(metrics.drawdown)])
    top = months.last + 3
    sheet.put(top - 1, 0, "What this means for each offer", "section")
    for line in contract_story.while_money_must_be_spent(report):
        sheet.merged(top, 0, len(CONTRACTS) - 1, line, "line")
        sheet.raw.set_row(top, 14 * lines_of(line, 140))
        top += 1
    none = "No offer's break-even moves." if contract_story.worth_is_known(report) else "Left out: see above."
    worth = [_offer(row) for row in contract_story.worth_meanwhile(report)]
    offers = sheet.table(top + 1, OFFERS, worth, empty=none)
    parts = [(0, block.total_row), (block.total_row + 2, months.last), (months.last + 2, offers.last + 1)]
    areas = print_areas(parts, sum(c.width for c in CONTRACTS))
    sheet.printed(offers.last + 1, len(CONTRACTS) - 1, freeze=(TOP + 1, 1), areas=areas)  # no table without its head
    return block


def _contract(row: Any) -> dict[str, Any]:
    first, last = str(row.first_period), str(row.last_period)
    return {
        "contract": str(row.contract), "months": first if first == last else f"{first} to {last}",
        "asked": float(row.usd), "on_demand": float(row.on_demand_usd), "units": float(row.units_usd),
        "spent": Live("={on_demand}+{units}", float(row.on_demand_usd + row.units_usd)),
        "lost": float(row.lost_usd), "most": float(row.most_lost_usd), "chance": float(row.probability_lost),
    }  # fmt: skip


def _month(row: Any) -> dict[str, Any]:
    return {
        "contract": str(row.contract), "month": str(row.period), "on_demand": float(row.on_demand_usd),
        "units": float(row.units_usd), "spent": float(row.spent_usd), "left": float(row.left_usd),
        "lost": float(row.lost_usd),
    }  # fmt: skip


def _offer(row: Any) -> dict[str, Any]:
    return {
        "offer": str(row.offer), "contracts": str(row.contracts), "before": float(row.break_even_utilisation),
        "held": float(row.saved_per_unit_usd), "paid": float(row.saved_per_on_demand_usd),
        "meanwhile": story.break_even_words(float(row.break_even_meanwhile)),
    }  # fmt: skip
