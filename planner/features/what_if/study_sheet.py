"""The sheets of study.xlsx: every case beside the plan as it stands, and the order lines that differ."""

from collections.abc import Mapping

from planner.features.what_if.study import Answer, Study, differences
from planner.plan.plan import UNIT_PARTS
from planner.workbook.book import LINE_POINTS, Block, Column, Live, Sheet, Value, chart_title, grid
from planner.workbook.sheets.cost_bars import cost_bars, rare_parts, total_of
from planner.workbook.text_tables import lines_of

NAME, LINES = "What if", "Lines"
TOP = 20  # below the chart
CASES = (
    Column("name", "Case", "text:wrap", 26),
    Column("total", "Total\nUSD", "usd", 13),
    Column("difference", "Against as\nit stands, USD", "usd", 14),
    Column("share", "Against as\nit stands", "percent", 12),
    Column("sign", "To sign\nUSD", "usd", 13),
    Column("reserved", "Reserved\nUSD", "usd", 13),
    Column("on_demand", "On demand\nUSD", "usd", 13),
    Column("egress", "Egress\nUSD", "cents", 12),
    Column("coverage", "Coverage", "percent", 11),
    Column("margin", "Least\nmargin", "percent", 11),
    Column("change", "What is changed", "text:wrap", 48),
)
DIFFERENT = (
    Column("case", "Case", "text:wrap", 26),
    Column("offer", "Offer", "text:wrap", 30),
    Column("region", "Region", "text", 18),
    Column("period", "From", "text", 11),
    Column("before", "Units as\nit stands", "units", 12),
    Column("units", "Units", "units", 12),
    Column("usd_before", "Whole term as\nit stands, USD", "usd", 15),
    Column("usd", "Whole term\nUSD", "usd", 13),
)


def write(sheet: Sheet, study: Study) -> None:
    """Write the cases, with a chart of what each costs."""
    text = "Every case is a plan of its own: the cheapest for the folder with that change, proved and audited."
    sheet.heading("What if", text, len(CASES) - 1)
    sheet.widths(CASES)
    possible = [answer for answer in study.answers if answer.possible]
    block = sheet.table(
        TOP, _columns(study), [_row(study, answer, sheet.name) for answer in possible], empty="No case has a plan."
    )
    if possible:
        alt = "Bars of the cost of the plan in each case, divided into its parts."
        cost_bars(sheet, block, top=3, reserved="reserved", title="Cost of the plan in each case", alt=alt)
    if "tail" in block.columns and len(possible) > 1:
        _frontier(sheet, block)
    last = block.last
    for answer in study.answers:
        if not answer.possible:
            last = _without_plan(sheet, answer, last + 2)
    sheet.printed(last, len(CASES) - 1, freeze=(3, 1))


def _without_plan(sheet: Sheet, answer: Answer, top: int) -> int:
    """Say that a case has no plan, and why, a row for each line; return the last row."""
    width = sum(column.width for column in CASES)
    sheet.merged(top, 0, len(CASES) - 1, f"{answer.change.name}: no plan", "alert")
    lines = answer.problem.splitlines()
    for row, line in enumerate(lines, top + 1):
        sheet.raw.set_row(row, LINE_POINTS * lines_of(line, width) + 3)
        sheet.merged(row, 0, len(CASES) - 1, line, "aside")
    return top + len(lines)


def _columns(study: Study) -> tuple[Column, ...]:
    """Columns of the cases; with what the dearest scenarios cost where there are several, and rare parts."""
    tail = Column("tail", "Dearest\nscenarios, USD", "usd", 15)
    return (*CASES, *([] if all(answer.tail_usd is None for answer in study.answers) else [tail]), *_rare(study))


def _rare(study: Study) -> tuple[Column, ...]:
    parts = [answer.parts for answer in study.answers if answer.parts is not None]
    return rare_parts({name: [of.get(name, 0.0) for of in parts] for name in ("scaled_usd", "shortfall_usd")})


def _frontier(sheet: Sheet, block: Block) -> None:
    """Draw expected cost against what the dearest scenarios cost, a point for each case."""
    chart = sheet.book.chart("scatter")
    total, tail = block.columns["total"], block.columns["tail"]
    chart.add_series({
        "name": "Cases",
        "categories": [sheet.name, block.first, total, block.last, total],
        "values": [sheet.name, block.first, tail, block.last, tail],
        "marker": {"type": "circle", "size": 7},
    })  # fmt: skip
    chart.set_title(chart_title("Expected cost and cost of the dearest scenarios"))
    chart.set_x_axis(grid("Expected cost, USD", num_format="$#,##0"))
    chart.set_y_axis(grid("Dearest scenarios, USD", num_format="$#,##0"))
    chart.set_legend({"none": True})
    alt = "Points, one for each case: its expected cost and the mean cost of its dearest scenarios."
    sheet.raw.insert_chart(block.last + 3, 0, chart, {"description": alt, "object_position": 1})


def write_lines(sheet: Sheet, study: Study) -> None:
    """Write the order lines of each case that differ from the plan as it stands."""
    text = "Units bought by offer and month in each case, beside the plan as it stands."
    sheet.heading("Lines that differ", text, len(DIFFERENT) - 1)
    sheet.widths(DIFFERENT)
    rows: list[Mapping[str, Value]] = [
        {"case": answer.change.name, "offer": d.offer, "region": d.region, "period": d.period,
         "before": d.units_before, "units": d.units, "usd_before": d.usd_before, "usd": d.usd}
        for answer in study.cases if answer.possible for d in differences(study.base, answer)
    ]  # fmt: skip
    block = sheet.table(3, DIFFERENT, rows, filters=True, empty="No line differs.")
    sheet.printed(block.last, len(DIFFERENT) - 1, repeat=3, freeze=(4, 1))


def _row(study: Study, answer: Answer, sheet: str) -> dict[str, Value]:
    """One case; the plan as it stands is the first row where it has a plan, and differences refer to it."""
    assert answer.total_usd is not None
    assert answer.parts is not None
    parts, rare = answer.parts, _rare(study)
    apart = {f"{column.key}_usd" for column in rare}
    row: dict[str, Value] = {
        "name": answer.change.name,
        "sign": answer.to_sign_usd,
        "reserved": sum(parts[name] for name in UNIT_PARTS if name not in apart),
        **{column.key: parts[f"{column.key}_usd"] for column in rare},
        "on_demand": parts["on_demand_usd"],
        "egress": parts["egress_usd"],
        "total": Live(total_of(rare), answer.total_usd),
        "coverage": answer.coverage,
        "margin": answer.least_margin,
        "change": str(answer.change),
        "tail": answer.tail_usd,
    }
    base = study.base.total_usd
    if base is not None:
        first = f"'{sheet}'!$B${TOP + 2}"
        more = answer.total_usd - base
        row["difference"] = Live(f"={{total}}-{first}", more)
        row["share"] = Live(f"=IF({first}>0,{{difference}}/{first},0)", more / base if base > 0 else 0.0)
    return row
