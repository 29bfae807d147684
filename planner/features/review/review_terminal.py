"""The review on one screen: readable on a terminal and, without colour, in a pipe or a log."""

from __future__ import annotations

from typing import IO

from planner.features.review import review_story as story
from planner.features.review.review_tables import ACTUAL, EXPECTED, KEEP, LEVEL, TOKENS, Review
from planner.workbook.report import rows_of
from planner.workbook.text_tables import LOST, TextTable, amount, bold, clean, console_for, percent, show, usd

_OVER = "Overflow that a commitment would have served more cheaply"
_MONTHS, _VERDICTS, _PEAKS, _OVERFLOW, _ALERTS, _ERRORS, _NOTES = 4, 14, 6, 5, 5, 8, 6


def print_review(review: Review, stream: IO[str]) -> None:
    """Print what was paid, the verdicts, the peaks and the forecast's error to `stream`."""
    console = console_for(stream)
    console.print(bold(f"{clean(review.name, 80)}: review of {story.span_of(review)}"))
    for sentence in story.headline(review):
        console.print(sentence)
    console.print()
    show(console, _months(review))
    console.print()
    console.print(bold(story.decision(review)))
    if review.verdicts:
        show(console, _verdicts(review))
        for v in [v for v in review.verdicts if v.verdict != KEEP][:_VERDICTS]:
            console.print(f"- {v.number}: {clean(' '.join(v.evidence), 600)}")
    for title, table in (
        (_OVER, _overflow(review)),
        ("Hours that hit a limit, the worst", _peaks(review)),
        ("The forecast", _errors(review)),
    ):
        if table is not None:
            console.print()
            console.print(bold(title))
            show(console, table)
            if title == _OVER and review.verdicts:
                console.print(story.TWO_FIGURES)
    for title, lines in (
        ("Cost per task", [a.sentence for a in review.alerts][:_ALERTS]),
        ("Rules that these commitments break on the actual demand", [str(w) for w in review.regret.broken[:_NOTES]]),
        ("Notes", list(review.notes)[:_NOTES]),
    ):
        if lines:
            console.print()
            console.print(bold(title))
            for line in lines:
                console.print(f"- {clean(line, 400)}", style=LOST if title.startswith("Rules") else None)


def _months(review: Review) -> TextTable:
    hourly = bool(review.monthly["scaled_usd"].any())
    heads = ("Hours seen", "", "Reserved", *(["By the hour"] if hourly else []), "On demand", "Total", "Utilisation",
             "Coverage", "Effective savings rate")  # fmt: skip
    table = TextTable(heads, left=2)
    rows = review.monthly[review.monthly["side"].isin([EXPECTED, ACTUAL])]
    for r in rows_of(rows[rows["period"].isin([s.period for s in review.spans if s.hours_seen][-_MONTHS:])]):
        side = "planned" if r.side == EXPECTED else "actual"
        figures = (r.utilisation, r.coverage, r.effective_savings_rate)
        table.add(str(r.period), side, usd(r.capacity_usd), *([usd(r.scaled_usd)] if hourly else []),
                             usd(r.on_demand_usd), usd(r.total_usd), *(percent(float(f)) for f in figures))  # fmt: skip
    return table


def _verdicts(review: Review) -> TextTable:
    table = TextTable(("", "Commitment", "Verdict", "Units", "Best", "Saving", "Utilisation", "Decide by"), left=3)
    decide = {(e.owed.offer.offer, e.owed.start, e.owed.end, e.owed.units): e.decide for e in review.calendar.expiries}
    for v in review.verdicts[:_VERDICTS]:
        o = v.owed
        when = decide.get((o.offer.offer, o.start, o.end, o.units))
        saving = usd(v.saving_usd) if v.saving_usd else "–"
        table.add(
            str(v.number), f"{clean(o.offer.offer, 120)} {o.start}", v.verdict, amount(v.units), amount(v.best_units),
            saving, percent(v.utilisation), f"{when}" if when else "",
        )  # fmt: skip
    rest = len(review.verdicts) - _VERDICTS
    if rest > 0:
        table.add("", f"and {rest} more", "", "", "", "", "", "")
    return table


def _overflow(review: Review) -> TextTable | None:
    if review.overflow.empty:
        return None
    table = TextTable(("Offer", "Months", "Units", "On demand", "Committed", "Saving"), left=2)
    for r in rows_of(review.overflow.head(_OVERFLOW)):
        months = str(r.first_period) if r.first_period == r.last_period else f"{r.first_period} to {r.last_period}"
        table.add(clean(r.offer, 120), months + (", term runs on" if r.runs_on else ""), amount(r.units),
                             usd(r.on_demand_usd), usd(r.commitment_usd), usd(r.saving_usd))  # fmt: skip
    return table


def _peaks(review: Review) -> TextTable | None:
    peaks = review.peaks
    if peaks.empty:
        return None
    crashed = peaks[peaks["kind"] != LEVEL]  # hours above the plan that were served are on the sheet only
    if crashed.empty:
        return None
    worst = crashed.sort_values("share", ascending=False, kind="stable", na_position="first").head(_PEAKS)
    table = TextTable(("Hour (UTC)", "Kind", "Region", "Model or workload", "Actual", "Limit", "Per"), left=4)
    for r in rows_of(worst):
        what = clean(r.model or r.workload, 120)
        table.add(f"{r.hour:%Y-%m-%d %H:00}", str(r.kind), clean(r.region, 120), what, f"{r.found:,.0f}",
                             f"{r.limit:,.0f}", "minute" if r.unit == TOKENS else "hour")  # fmt: skip
    return table


def _errors(review: Review) -> TextTable | None:
    errors = review.errors[review.errors["period"] == "all"]
    if errors.empty:
        return None
    table = TextTable(("Region", "Workload", "Actual", "Planned", "WAPE", "Bias", "Peak", "of plan"), left=2)
    ranked = errors.sort_values("actual_requests", ascending=False, kind="stable")
    for r in rows_of(ranked.head(_ERRORS)):
        table.add(clean(r.region, 120), clean(r.workload, 120), f"{r.actual_requests:,.0f}",
                             f"{r.planned_requests:,.0f}", percent(float(r.wape)), percent(float(r.bias)),
                             f"{r.peak_actual_rph:,.0f}", f"{r.peak_planned_rph:,.0f}")  # fmt: skip
    return table
