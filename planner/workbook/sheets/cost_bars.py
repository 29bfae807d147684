"""The chart of what a row costs, divided into reserved, by the hour (where units run so), on demand and egress."""

from planner.workbook.book import Block, Sheet, axis, chart_title, grid
from planner.workbook.theme import BLUE, GREEN, ORANGE, SKY


def cost_bars(sheet: Sheet, block: Block, *, top: int, reserved: str, title: str, alt: str) -> None:
    """Draw a bar for each row of `block`, whose columns are name, `reserved`, on_demand and egress (USD)."""
    chart = sheet.book.chart("bar", "stacked")
    for key, name, colour in ((reserved, "Reserved", BLUE), ("scaled", "By the hour", SKY),
                              ("on_demand", "On demand", ORANGE), ("egress", "Egress", GREEN)):  # fmt: skip
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
