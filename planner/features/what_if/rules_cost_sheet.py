"""The sheet What the rules cost: the cheapest plan without each rule, beside the plan."""

from collections.abc import Mapping

from planner.plan.rules_cost import RulesCost
from planner.workbook.book import Column, Sheet, Value
from planner.workbook.extra_sheets import ExtraSheet, Recomputed
from planner.workbook.report import Report
from planner.workbook.sheets import why
from planner.workbook.theme import ORANGE

NAME = "What the rules cost"
TOP = 3
COLUMNS = (
    Column("rule", "If this rule were changed", "text:wrap", 52),
    Column("total", "Cost of the\ncheapest plan, USD", "usd", 18),
    Column("saves", "Less than\nthe plan, USD", "usd", 15),
    Column("sign", "To sign\nUSD", "usd", 14),
    Column("less", "Less to sign\nthan the plan, USD", "usd", 15),
    Column("note", "", "text:wrap", 40),
)


def sheet_of(found: RulesCost) -> ExtraSheet:
    """Return the sheet."""

    def fill(sheet: Sheet, report: Report) -> list[Recomputed]:
        write(sheet, found)
        return []

    return ExtraSheet(NAME, ORANGE, why.HOURS_NAME, fill)


def write(sheet: Sheet, found: RulesCost) -> None:
    """Write the rules, the dearest first."""
    text = (
        "Each line is the case solved again, exactly, with one rule changed and everything else as it is. Lines do not "
        "add up: without one rule another may decide. A difference within the gap that was asked counts as none."
    )
    sheet.heading(NAME, text, len(COLUMNS) - 1)
    sheet.widths(COLUMNS)
    rows: list[Mapping[str, Value]] = [
        {"rule": r.rule[:1].upper() + r.rule[1:], "total": r.total_usd, "saves": r.saves_usd, "sign": r.to_sign_usd,
         "less": r.less_to_sign_usd,
         "note": f"{r.unmeasured} is the default: nobody has measured or set it" if r.unmeasured else ""}
        for r in found.rules
    ]  # fmt: skip
    block = sheet.table(TOP, COLUMNS, rows, empty="No rule could be left out.")
    sheet.printed(block.last, len(COLUMNS) - 1, freeze=(TOP + 1, 1))
