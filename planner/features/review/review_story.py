"""The review in sentences, and on one screen: what the plan cost, what it should have, what to do."""

from __future__ import annotations

from typing import IO

import pandas as pd

from planner.features.review.review_tables import ACTUAL, EXPECTED, KEEP, LEVEL, QUOTA, TOKENS, UNSERVED, Review
from planner.units import counted, last_day
from planner.workbook.report import rows_of
from planner.workbook.text_tables import LOST, TextTable, amount, bold, clean, console_for, percent, show, usd

TWO_FIGURES = (
    "Each line is found by itself, budgets left aside. Verdicts are found together and keep budgets, so that their "
    "savings add up, and leave out what the plan's own forecast would have saved too: where both speak of one offer, "
    "act on the verdict."
)


def headline(review: Review) -> list[str]:
    """First sentences: what was paid against the plan, and the regret."""
    seen = sum(s.hours_seen for s in review.spans)
    whole = sum(s.hours for s in review.spans)
    part = "Every hour" if seen == whole else f"{seen:,} of {whole:,} hours"
    expected = _total(review, EXPECTED)
    paid = review.paid_usd
    more = "more" if paid >= expected else "less"
    told = [
        f"{part} of {span_of(review)} seen. These hours cost {usd(paid)} when served as cheaply as "
        f"possible with the units held: {usd(abs(paid - expected))} {more} than the {usd(expected)} planned for "
        "the same hours."
    ]
    if len(review.contracts):
        told.append("Neither figure has what is paid for spend commitments without being spent: it is owed for their "
                    "whole time and no month of it, and is told below.")  # fmt: skip
    if abs(review.calendar_usd) >= 0.5:
        told.append(f"Of the plan's own figure, {usd(review.calendar_usd)} comes from the calendar: months have five "
                    "of some weekdays, and the plan weights each by days / 7.")  # fmt: skip
    return [*told, regret(review), *of_contracts(review), *_crashes(review)]


def regret(review: Review) -> str:
    """Say the regret in words."""
    r = review.regret
    if r.usd == 0:
        above = (
            f" ({usd(r.above_best_usd)} more than the best of any size, which whole units cost on the forecast too)"
            if r.forecast_usd > 0.5
            else ""
        )
        text = f"Regret: 0, within the gap. No other commitments would have cost less{above}."
    else:
        too = f", of which {usd(r.forecast_usd)} is what whole units cost on the forecast too"
        past = f", {usd(r.tail_usd)} of it counted past these months" if r.tail_usd >= 0.5 else ""
        lost = f", {usd(r.short_usd)} of it not spent on contracts" if r.short_usd >= 0.5 else ""
        cost = f"{usd(r.plan_usd)}{past}{lost}"
        text = (f"Regret: {usd(r.usd)}. On the actual demand, the plan's commitments cost {cost}: "
                f"{usd(r.above_best_usd)} more than the best of any size{too if r.forecast_usd >= 0.5 else ''}."
                )  # fmt: skip
    if r.standby_usd >= 0.5:
        text += (f" Of the plan's cost, {usd(r.standby_usd)} is for unreserved units that headroom and failover "
                 "would have needed beyond the units held.")  # fmt: skip
    if r.broken:
        text += (
            f" On this demand the commitments break {len(r.broken)} rule{'s' * (len(r.broken) != 1)}; both sides are "
            "compared without what is broken."
        )
    if r.months_ahead:
        text += f" What was not seen ({', '.join(r.months_ahead)}) counts as planned."
    return text


def of_contracts(review: Review) -> list[str]:
    """Say of each spend commitment what is spent, what is to come and what will be lost."""
    told = []
    for row in rows_of(review.contracts):
        come = f", and {usd(row.to_come_usd)} is to come as planned" if row.to_come_usd >= 0.5 else ""
        line = (
            f"{clean(str(row.contract), 120)}: {usd(row.spent_usd)} of {usd(row.usd)} was spent in the hours seen"
            f"{come} (the plan had {usd(row.planned_usd)})"
        )
        if row.short_usd < 0.5:
            told.append(f"{line}; nothing will be lost.")
            continue
        best = f"; with the best commitments, {usd(row.best_short_usd)}" if row.short_usd > row.best_short_usd else ""
        told.append(
            f"{line}; {usd(row.short_usd)} will be paid for nothing{best}. Until it is filled, a dollar that "
            "counts for it costs nothing more: regret and verdicts reckon with that."
        )
    return told


def decision(review: Review) -> str:
    """How many commitments get which verdict."""
    counts: dict[str, int] = {}
    for v in review.verdicts:
        counts[v.verdict] = counts.get(v.verdict, 0) + 1
    if not counts:
        return "The plan holds no commitments."
    if set(counts) == {KEEP}:
        return f"Keep all {counts[KEEP]} commitments." if counts[KEEP] > 1 else "Keep the one commitment."
    return (
        "Verdicts: " + ", ".join(f"{n} {name}" for name, n in sorted(counts.items(), key=lambda x: (-x[1], x[0]))) + "."
    )


def span_of(review: Review) -> str:
    """First to last month."""
    months = review.months
    return months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"


def _total(review: Review, side: str) -> float:
    return float(review.monthly.loc[review.monthly["side"] == side, "total_usd"].sum())


def _crashes(review: Review) -> list[str]:
    peaks = review.peaks
    quota = peaks[peaks["kind"] == QUOTA]
    lost = peaks[peaks["kind"] == UNSERVED]
    told = []
    if len(quota):
        hours = quota["hour"].nunique()
        told.append(f"A quota was met in {_hours(hours)} ({_places(quota)}).")
    if len(lost):
        requests = float(lost["unserved_requests"].sum())
        told.append(f"{counted(requests, 'request', ',.0f')} in {_hours(lost['hour'].nunique())} could not be "
            "served with the "
                    f"units held and the quotas ({_places(lost)}).")  # fmt: skip
    return told


def _hours(count: int) -> str:
    return f"{count:,} hour{'s' * (count != 1)}"


def _places(peaks: pd.DataFrame) -> str:
    counts = peaks.groupby(["region", "model"], as_index=False).size()
    counts = counts.sort_values("size", ascending=False, kind="stable")
    rows = counts.head(3).itertuples(index=False, name=None)
    shown = [f"{clean(model, 120)} in {clean(region, 120)}: {n:,}" for region, model, n in rows]
    rest = len(counts) - len(shown)
    return ", ".join(shown) + (f" and {counted(rest, 'more place')}" if rest > 0 else "")


_OVER = "Overflow that a commitment would have served more cheaply"
_MONTHS, _VERDICTS, _PEAKS, _OVERFLOW, _ALERTS, _ERRORS, _NOTES = 6, 14, 6, 5, 5, 8, 6


def print_review(review: Review, stream: IO[str]) -> None:
    """Print what was paid, the verdicts, the peaks and the forecast's error to `stream`."""
    console = console_for(stream)
    console.print(bold(f"{clean(review.name, 80)}: review of {span_of(review)}"))
    for sentence in headline(review):
        console.print(sentence)
    console.print()
    show(console, _months(review))
    console.print()
    console.print(bold(decision(review)))
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
                console.print(TWO_FIGURES)
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
    periods = [s.period for s in review.spans if s.hours_seen]
    if len(periods) > _MONTHS:
        table.add(f"{len(periods) - _MONTHS} earlier", *[""] * (len(heads) - 1))
    for r in rows_of(rows[rows["period"].isin(periods[-_MONTHS:])]):
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
        by = f"ended {last_day(o.end)}" if o.end <= review.until.date() else str(when or "")
        saving = usd(v.saving_usd) if v.saving_usd else "–"
        table.add(
            str(v.number), f"{clean(o.offer.offer, 120)} {o.start}", v.verdict, amount(v.units), amount(v.best_units),
            saving, percent(v.utilisation), by,
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
