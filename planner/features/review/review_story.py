"""The review in sentences: what the plan cost, what it should have, what to do."""

import pandas as pd

from planner.features.review.review_tables import EXPECTED, KEEP, QUOTA, UNSERVED, Review
from planner.workbook.report import rows_of
from planner.workbook.text_tables import clean, usd

TWO_FIGURES = (
    "Each line is found by itself. Verdicts are found together, so that their savings add up, and leave out what the "
    "plan's own forecast would have saved too: where both speak of one offer, act on the verdict."
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
            f" On this demand the commitments break {len(r.broken)} rules; both sides are compared without those rules."
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
        told.append(f"A quota was met in {hours:,} hours ({_places(quota)}).")
    if len(lost):
        requests = float(lost["unserved_requests"].sum())
        told.append(f"{requests:,.0f} requests in {lost['hour'].nunique():,} hours could not be served with the "
                    f"units held and the quotas ({_places(lost)}).")  # fmt: skip
    return told


def _places(peaks: pd.DataFrame) -> str:
    counts = peaks.groupby(["region", "model"], as_index=False).size()
    counts = counts.sort_values("size", ascending=False, kind="stable")
    rows = counts.head(3).itertuples(index=False, name=None)
    shown = [f"{clean(model, 120)} in {clean(region, 120)}: {n:,}" for region, model, n in rows]
    rest = len(counts) - len(shown)
    return ", ".join(shown) + (f" and {rest} more places" if rest > 0 else "")
