"""The chart of what a row costs: reserved, on demand, egress, and by the hour and shortfall where there are any."""

from collections.abc import Mapping, Sequence

from planner.workbook.book import Block, Column, Sheet, axis, chart_title, grid
from planner.workbook.theme import BLUE, GREEN, ORANGE, SKY, VERMILION

RARE = (
    Column("scaled", "By the hour\nUSD", "usd", 13),
    Column("shortfall", "Shortfall\nUSD", "usd", 13),
)  # parts of the cost that few plans have: the part scaled_usd is of the column scaled


def rare_parts(usd: Mapping[str, Sequence[float]]) -> tuple[Column, ...]:
    """Columns of those rare parts of the cost that some plan has; ``usd`` : of each part, in every plan."""
    return tuple(column for column in RARE if any(usd[f"{column.key}_usd"]))


def total_of(rare: Sequence[Column]) -> str:
    """State the formula of a total: the parts that every plan has, and some rare ones."""
    return "=" + "+".join(f"{{{key}}}" for key in ("reserved", *(c.key for c in rare), "on_demand", "egress"))


def cost_bars(sheet: Sheet, block: Block, *, top: int, reserved: str, title: str, alt: str) -> None:
    """Draw a bar for each row of `block`: columns name, `reserved`, on_demand, egress, maybe those of RARE (USD)."""
    chart = sheet.book.chart("bar", "stacked")
    parts = (
        (reserved, "Reserved", BLUE),
        ("scaled", "By the hour", SKY),
        ("shortfall", "Shortfall", VERMILION),
        ("on_demand", "On demand", ORANGE),
        ("egress", "Egress", GREEN),
    )
    for key, name, colour in parts:
        if key not in block.columns:
            continue
        column = block.columns[key]
        chart.add_series({
            "name": name,
            "categories": [sheet.name, block.first, block.columns["name"], block.last, block.columns["name"]],
            "values": [sheet.name, block.first, column, block.last, column],
            "fill": {"color": colour},
            "gap": 60,
        })  # fmt: skip
    chart.set_title(chart_title(title))
    chart.set_x_axis(grid("USD", num_format="$#,##0", min=0))
    chart.set_y_axis(axis("", reverse=True, crossing="max"))
    chart.set_size({"width": 1000, "height": 300})
    sheet.raw.insert_chart(top, 0, chart, {"x_offset": 4, "y_offset": 4, "description": alt, "object_position": 1})
