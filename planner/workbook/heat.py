"""Heat maps of a week: 7 rows (days) by 24 columns (hours), with the colours explained."""

from planner.units import HOURS_PER_DAY
from planner.workbook.book import Sheet


def hours_header(sheet: Sheet, row: int, first: int) -> None:
    """Write the hours of the day, 00 to 23."""
    for hour in range(HOURS_PER_DAY):
        sheet.put(row, first + hour, f"{hour:02d}", "hour")


def heat_map(
    sheet: Sheet, first_row: int, *, first: int, last_row: int, last: int, colours: tuple[str, str, str]
) -> None:
    """Colour cells from 0 (light) to the highest value (dark), one hue."""
    low, middle, high = colours
    scale = {"type": "3_color_scale", "min_type": "num", "min_value": 0, "mid_type": "percent", "mid_value": 50,
             "min_color": low, "mid_color": middle, "max_color": high}  # fmt: skip
    sheet.raw.conditional_format(first_row, first, last_row, last, scale)
