"""Sheet What the rules cost: the cheapest plan without each rule, beside the plan."""

from collections.abc import Mapping

from planner.plan.rules_cost import RulesCost
from planner.workbook.book import Column, Sheet, Value
from planner.workbook.rules_story import unmeasured_words
from planner.workbook.text_tables import usd

NAME = "What the rules cost"
TOP = 3
COLUMNS = (
    Column("rule", "If this rule were changed", "text:wrap", 52),
    Column("total", "Cost of the\ncheapest plan, USD", "usd", 18),
    Column("saves", "Saves\nUSD", "usd", 15),
    Column("sign", "To sign\nUSD", "usd", 14),
    Column("less", "Less to sign\nUSD", "usd", 15),
    Column("note", "", "text:wrap", 40),
)


def write(sheet: Sheet, found: RulesCost) -> None:
    """Write the rules, the dearest first."""
    text = (
        "Each line is the case solved again, exactly, with one rule changed and everything else as it is. Lines do not "
        "add up: without one rule another may decide. A difference within the gap that was asked counts as none."
    )
    if found.any_size:
        text += (
            " Units may be of any size in all of them, so each is compared with the cheapest plan of that kind: "
            f"{usd(found.total_usd)}, of which {usd(found.to_sign_usd)} to sign. The line Units of any size alone is "
            "compared with this plan: it is what whole units cost."
        )
    sheet.heading(NAME, text, len(COLUMNS) - 1)
    sheet.raw.set_row(1, 42)
    sheet.widths(COLUMNS)
    rows: list[Mapping[str, Value]] = [
        {"rule": r.rule[:1].upper() + r.rule[1:], "total": r.total_usd, "saves": r.saves_usd, "sign": r.to_sign_usd,
         "less": r.less_to_sign_usd,
         "note": unmeasured_words(r.unmeasured) if r.unmeasured else ""}
        for r in found.rules
    ]  # fmt: skip
    block = sheet.table(TOP, COLUMNS, rows, empty="No rule could be left out.")
    sheet.printed(block.last, len(COLUMNS) - 1, freeze=(TOP + 1, 1))
