"""Forecast: how wrong the forecast of each series was on weeks of the past that it had not seen."""

from collections.abc import Iterator

from planner.readers.forecast_accuracy import ALL, SeriesAccuracy
from planner.workbook import proof_story
from planner.workbook.book import Column, Live, Sheet
from planner.workbook.report import Report

NAME = "Forecast"
TOP = 3

COLUMNS = (
    Column("region", "Region", "text:wrap", 18),
    Column("workload", "Workload", "text:wrap", 20),
    Column("model", "Model of\nthe forecast", "text:wrap", 17),
    Column("weeks", "History\nweeks", "number", 9),
    Column("trials", "Trials", "count", 8),
    Column("ahead", "Weeks ahead\nin a trial", "count", 12),
    Column("wape", "Error\n(WAPE)", "percent", 9),
    Column("naive", "Error of last\nweek repeated", "percent", 13),
    Column("better", "Better by", "percent", 9),
    Column("bias", "Bias", "percent", 8),
    Column("p90", "Hours at or\nbelow p90", "percent", 11),
    Column("band", "Hours in\np10 to p90", "percent", 11),
    Column("pinball_p10", "Pinball loss\np10", "percent", 11),
    Column("pinball_p50", "Pinball loss\np50", "percent", 11),
    Column("pinball_p90", "Pinball loss\np90", "percent", 11),
)

_MEANINGS = (
    "Error (WAPE): the sum of what each hour was off by, over the sum of the demand. Bias: the same with its sign; "
    "above 0 the forecast was too high.",
    "Better by: 1 - error / error of the last week repeated. Below 0 that simple forecast would have been better.",
    "Hours at or below p90: 90 % is right. Fewer: demand is less certain than the forecast said; more: it said too "
    "much. Hours in p10 to p90: 80 % is right.",
    "Pinball loss: what a quantile was off by, too low and too high weighed as the quantile asks, over the demand.",
)


def write(sheet: Sheet, report: Report) -> None:
    """Write the sheet; the report has an accuracy table."""
    accuracy = report.forecast
    assert accuracy is not None
    text = (
        "How wrong the forecast was on your own history: from each of several weeks of the past it forecast weeks that "
        "it had not seen. As planner forecast left it in forecast/accuracy.csv; demand edited since is not in it."
    )
    last = len(COLUMNS) - 1
    sheet.heading("Forecast", text, last)
    sheet.widths(COLUMNS)
    block = sheet.table(TOP, COLUMNS, [_record(row) for row in accuracy.series], empty="Nothing could be read.")
    row = block.last + 2
    for words, style in _remarks(report):
        sheet.merged(row, 0, last, words, style)
        row += 1
    sheet.printed(row - 1, last, repeat=TOP, freeze=(TOP + 1, 2))


def _record(row: SeriesAccuracy) -> dict[str, float | int | str | Live | None]:
    together = row.region == ALL and row.workload == ALL
    better: Live | None = None
    if row.wape is not None and row.wape_seasonal_naive:
        better = Live("=IF({naive}>0,1-{wape}/{naive},0)", 1 - row.wape / row.wape_seasonal_naive)
    return {
        "region": "all series" if together else row.region,
        "workload": "together" if together else row.workload,
        "model": row.model,
        "weeks": row.weeks_of_history,
        "trials": row.origins,
        "ahead": row.weeks_ahead,
        "wape": row.wape,
        "naive": row.wape_seasonal_naive,
        "better": better,
        "bias": row.bias,
        "p90": row.coverage_p90,
        "band": row.coverage_p10_p90,
        "pinball_p10": row.pinball_p10,
        "pinball_p50": row.pinball_p50,
        "pinball_p90": row.pinball_p90,
    }


def _remarks(report: Report) -> Iterator[tuple[str, str]]:
    """Yield what cannot be told, then what the figures mean: text and style."""
    accuracy = report.forecast
    assert accuracy is not None
    for fault in accuracy.faults:
        yield fault, "alert"
    told, agrees = proof_story.bill(report)
    if told:
        yield told, "line" if agrees else "alert"
    for bet in report.bets:
        yield str(bet), "alert"
    untried = [f"{row.region} {row.workload}" for row in accuracy.series if row.origins == 0]
    if untried:
        said = "Too little history to try the forecast on; its futures are wide by assumption"
        yield f"{said}: {', '.join(untried)}.", "line"
    known = {(row.region, row.workload) for row in accuracy.series}
    asked = report.case.demand[["region", "workload"]].drop_duplicates()
    others = [f"{r} {w}" for r, w in sorted(asked.itertuples(index=False, name=None)) if (r, w) not in known]
    if others and known:
        yield f"Demand of this plan that has no measured forecast: {', '.join(others)}.", "line"
    for meaning in _MEANINGS:
        yield meaning, "aside"
