"""The sheet of trade-off curves in study.xlsx: for each curve its chart, what it means, its stretches, its dots."""

from collections.abc import Mapping, Sequence

from planner.features.what_if.curve import Curve, Stretch, stretches_of
from planner.features.what_if.curve_files import drawn, moved_in_words, sentences, title
from planner.workbook.book import Column, Sheet, Value, chart_title, grid, print_areas
from planner.workbook.theme import BLUE, ORANGE

NAME = "Curves"
MOST = 40  # stretches of a curve in the sheet; all of them are in study_curves.csv
CHART_ROWS = 18
STRETCHES = (
    Column("first", "From", "text", 14),
    Column("last", "To", "text", 14),
    Column("usd_first", "Cost at its\nstart, USD", "usd", 14),
    Column("usd_last", "Cost at its\nend, USD", "usd", 14),
    Column("step", "One step costs\nUSD a month", "cents", 16),
    Column("step_last", "At its end\nUSD a month", "cents", 16),
    Column("moved", "Units that move most", "text:wrap", 52),
)
RISK = (*STRETCHES[:-1], Column("expected", "Expected\ncost, USD", "usd", 14),
        Column("tail", "Dearest\nscenarios, USD", "usd", 16))  # fmt: skip
DOTS = (
    Column("value", "In whole\nunits at", "text", 14),
    Column("usd", "Cost\nUSD", "usd", 14),
    Column("bound", "No plan costs\nless, USD", "usd", 14),
    Column("above", "Above the\ncurve, USD", "usd", 14),
)
DRAWN = (Column("x", "Value", "plain", 12), Column("y", "USD", "usd", 12))
FAR = 10  # first column of what the charts are drawn from


def write_curves(sheet: Sheet, curves: Sequence[Curve]) -> None:
    """Write every curve, one below the other."""
    text = "What the cheapest plan costs as one number of the input moves, everything else as it is."
    last = len(STRETCHES) - 1
    sheet.heading("Trade-off curves", text, last)
    sheet.widths(STRETCHES)
    top = 3
    blocks: list[tuple[int, int]] = []
    for curve in curves:
        blocks += _curve(sheet, curve, top)
        top = blocks[-1][1] + 3
    blocks[:1] = [(0, blocks[0][1])] if blocks else []
    sheet.printed(top - 3, last, areas=print_areas(blocks, sum(column.width for column in STRETCHES)))


def _curve(sheet: Sheet, curve: Curve, top: int) -> list[tuple[int, int]]:
    """Write one curve; first and last row of what no page should cut: the curve, and its whole units."""
    last = len(STRETCHES) - 1
    sheet.merged(top, 0, last, title(curve), "title")
    row = top + 1
    for line in sentences(curve):
        sheet.raw.set_row(row, 28)
        sheet.merged(row, 0, last, line, "aside")
        row += 1
    if curve.points:
        _chart(sheet, curve, row)
        row += CHART_ROWS + 1
    columns = RISK if any(s.tail_usd is not None for s in stretches_of(curve)) else STRETCHES
    block = sheet.table(row, columns, [_row(curve, s) for s in stretches_of(curve, MOST)], empty="No plan.")
    blocks = [(top, block.last)]
    if curve.dots:
        row = block.last + 2
        rows: list[Mapping[str, Value]] = []
        for dot in curve.dots:
            line_usd = curve.usd(dot.value)
            rows.append({"value": curve.parameter.show(dot.value), "usd": dot.usd, "bound": dot.bound_usd,
                         "above": None if line_usd is None else dot.usd - line_usd})  # fmt: skip
        blocks.append((row, sheet.table(row, DOTS, rows).last))
    return blocks


def _row(curve: Curve, s: Stretch) -> dict[str, Value]:
    show = curve.parameter.show
    return {"first": show(s.first.value), "last": show(s.last.value), "usd_first": s.first.usd, "usd_last": s.last.usd,
            "step": s.slope_usd[0], "step_last": s.slope_usd[1], "moved": moved_in_words(s, 4),
            "expected": s.expected_usd, "tail": s.tail_usd}  # fmt: skip


def _chart(sheet: Sheet, curve: Curve, top: int) -> None:
    """Draw the curve as lines and the plans in whole units as dots, from figures to the right of the page."""
    chart = sheet.book.chart("scatter", "straight")
    at, row = FAR, top
    for number, piece in enumerate(drawn(curve)):
        block = sheet.table(row, DRAWN, [{"x": x, "y": y} for x, y in piece], at=at)
        place = [sheet.name, block.first, at, block.last, at]
        chart.add_series({"name": "Units of any size" if number == 0 else f"Units of any size {number + 1}",
                          "categories": place, "values": [sheet.name, block.first, at + 1, block.last, at + 1],
                          "line": {"color": BLUE, "width": 2}, "marker": {"type": "none"}})  # fmt: skip
        at += 2
    if curve.dots:
        block = sheet.table(row, DRAWN, [{"x": d.value, "y": d.usd} for d in curve.dots], at=at)
        chart.add_series({"name": "Whole units", "categories": [sheet.name, block.first, at, block.last, at],
                          "values": [sheet.name, block.first, at + 1, block.last, at + 1], "line": {"none": True},
                          "marker": {"type": "circle", "size": 7, "fill": {"color": ORANGE},
                                     "border": {"color": ORANGE}}})  # fmt: skip
    p = curve.parameter
    share = p.step == 0.01 and "×" not in p.show(1.0)
    chart.set_title(chart_title(f"Cost of the cheapest plan against {p.name}"))
    chart.set_x_axis(grid(p.name, min=p.first, max=p.last, num_format="0 %" if share else "#,##0.##"))
    chart.set_y_axis(grid("USD", num_format="$#,##0"))
    chart.set_size({"width": 1000, "height": 340})
    alt = f"The cost of the cheapest plan against {p.name}: a line for units of any size, dots for whole units."
    sheet.raw.insert_chart(top, 0, chart, {"x_offset": 4, "y_offset": 4, "description": alt, "object_position": 1})
