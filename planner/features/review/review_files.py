"""Writing a review: review.json, the workbook, the page with its charts."""

import datetime as dt
import json
import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from planner.features.review.review_story import span_of
from planner.features.review.review_tables import ACTUAL, DROP, EXPECTED, LOWER, RAISE, Review, Verdict
from planner.features.review.sheets import above_plan_sheet as review_above
from planner.features.review.sheets import drawdown_sheet as review_drawdown
from planner.features.review.sheets import expiries_sheet as review_expiries
from planner.features.review.sheets import forecast_sheet as review_forecast
from planner.features.review.sheets import months_sheet as review_months
from planner.features.review.sheets import peaks_sheet as review_peaks
from planner.features.review.sheets import requests_sheet as review_requests
from planner.features.review.sheets import rules_sheet as review_rules
from planner.features.review.sheets import summary_sheet as review_summary
from planner.features.review.sheets import tasks_sheet as review_tasks
from planner.io.atomic import write_csv, write_text, written_beside
from planner.io.directory import Kind, replaced
from planner.plan.expiries import Expiry
from planner.plan.files import rounded
from planner.plan.manifest import NO_PLACE
from planner.workbook.book import new_book
from planner.workbook.svg import BarLook, Series, bars, columns
from planner.workbook.text_tables import clean
from planner.workbook.theme import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION

_COLOUR = {DROP: VERMILION, LOWER: ORANGE, RAISE: GREEN}


CHARTS = ("months", "verdicts")


def charts(review: Review) -> Mapping[str, str]:
    """Every chart by file name, without its ending."""
    return dict(zip(CHARTS, (_months(review), _verdicts(review)), strict=True))


def _months(review: Review) -> str:
    rows = review.monthly[review.monthly["side"].isin([EXPECTED, ACTUAL])]
    labels = [f"{p} {'plan' if s == EXPECTED else 'actual'}" for p, s in zip(rows["period"], rows["side"], strict=True)]
    series = [
        Series(name, colour, tuple(rows[column].tolist()))
        for name, column, colour in (("Held", "capacity_usd", BLUE), ("By the hour", "scaled_usd", GREEN),
                                     ("On demand", "on_demand_usd", ORANGE), ("Egress", "egress_usd", SKY))
        if column != "scaled_usd" or rows[column].any()
    ]  # fmt: skip
    return columns(labels, series, alt="Cost of each month, planned for the hours seen and actual", legend=True)


def _verdicts(review: Review) -> str:
    found = sorted((v for v in review.verdicts if v.verdict in _COLOUR), key=lambda v: (-v.saving_usd, v.number))
    rows = [(f"{v.verdict}: {clean(v.name, 60)}", v.saving_usd, _COLOUR[v.verdict]) for v in found]
    return bars(rows, alt="What other units of each commitment would have saved", width=900, look=BarLook(left=330))


TABLES = ("monthly", "pools", "commitments", "overflow", "peaks", "errors", "assumptions", "tasks", "contracts")


def document(review: Review) -> dict[str, Any]:
    """Lay out review.json: shares 0-1, USD; null where a figure is not defined."""
    regret = review.regret
    found = {
        "name": review.name,
        "months": list(review.months),
        "until": review.until.isoformat(),
        "seen": [{"period": s.period, "hours_seen": s.hours_seen, "hours": s.hours} for s in review.spans],
        "paid_usd": review.paid_usd,
        "calendar_usd": review.calendar_usd,
        "regret": {
            "usd": regret.usd,
            "plan_usd": regret.plan_usd,
            "best_usd": regret.best_usd,
            "above_best_usd": regret.above_best_usd,
            "forecast_usd": regret.forecast_usd,
            "standby_usd": regret.standby_usd,
            "rules_kept": regret.rules_kept,
            "broken": [str(what) for what in regret.broken],
            "unserved_requests": regret.unserved_requests,
            "months_ahead": list(regret.months_ahead),
            "short_usd": regret.short_usd,
            "best_short_usd": regret.best_short_usd,
        },
        "verdicts": [_verdict(v) for v in review.verdicts],
        "alerts": [{**{f.name: _plain(getattr(a, f.name)) for f in fields(a)}, "sentence": a.sentence}
                   for a in review.alerts],
        "expiries": [_expiry(e) for e in review.calendar.expiries],
        "notes": list(review.notes),
        "rules": review.rules.model_dump(),
        **{name: _records(getattr(review, name)) for name in TABLES},
    }  # fmt: skip
    plain: dict[str, Any] = rounded(found)
    return plain


def tables(review: Review) -> dict[str, pd.DataFrame]:
    """Every table by file name."""
    found = {"verdicts": pd.DataFrame([_flat(_verdict(v)) for v in review.verdicts])}
    found |= {name: getattr(review, name) for name in TABLES}
    found["alerts"] = pd.DataFrame([{"alert": a.sentence} for a in review.alerts], columns=["alert"])
    found["expiries"] = pd.DataFrame([_expiry(e) for e in review.calendar.expiries])
    return found


def _verdict(v: Verdict) -> dict[str, Any]:
    owed = v.owed
    return {
        "commitment": v.number, "offer": owed.offer.offer, "pool": owed.offer.pool, "meter": owed.offer.meter,
        "region": owed.region, "bought_by_plan": owed.new, "start": owed.start.isoformat(), "end": owed.end.isoformat(),
        "verdict": v.verdict, "units": v.units, "best_units": v.best_units, "saving_usd": v.saving_usd, "usd": v.usd,
        "price_usd_per_unit": v.price_usd, "step_units": v.step_units, "last_unit_usd": v.last_unit_usd,
        "next_unit_usd": v.next_unit_usd, "utilisation": v.utilisation, "planned_utilisation": v.planned_utilisation,
        "seen_share": v.seen_share, "evidence": list(v.evidence),
    }  # fmt: skip


def _flat(verdict: dict[str, Any]) -> dict[str, Any]:
    return {**verdict, "evidence": " ".join(verdict["evidence"])}


def _expiry(e: Expiry) -> dict[str, Any]:
    owed = e.owed
    return {
        "offer": owed.offer.offer, "pool": owed.offer.pool, "region": owed.region, "units": owed.units,
        "start": owed.start.isoformat(), "end": owed.end.isoformat(), "decide": e.decide.isoformat(),
        "before_units": e.before_units, "after_units": e.after_units, "usd_per_month": e.usd_per_month,
    }  # fmt: skip


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): _plain(v) for k, v in row.items()} for row in frame.astype(object).to_dict("records")]


def _plain(value: object) -> object:
    if isinstance(value, (pd.Timestamp, dt.date)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return None if value is pd.NA or value is pd.NaT else value


SHEETS = (
    (review_summary, BLUE),
    (review_expiries, BLUE),
    (review_months, GREEN),
    (review_peaks, GREEN),
    (review_above, GREEN),
    (review_tasks, GREEN),
    (review_forecast, ORANGE),
    (review_requests, ORANGE),
    (review_drawdown, ORANGE),
    (review_rules, GREY),
)


def write_review_workbook(review: Review, path: str | Path) -> None:
    """Write the workbook beside its name, then rename it."""
    with written_beside(path) as beside:
        book = new_book(str(beside), review.name, review.until.date(), f"Review of {span_of(review)}", "review")
        for module, colour in SHEETS:
            if module is review_drawdown and review.contracts.empty:
                continue
            module.write(book.add_sheet(module.NAME, colour), review)
        book.close()


REVIEW, WORKBOOK = "review.json", "review.xlsx"


def text_of(review: Review) -> str:
    """Lay out review.json as text."""
    return json.dumps(document(review), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


OUTPUT = Kind(
    key=REVIEW,
    ours=frozenset({REVIEW, WORKBOOK, *(f"{name}.csv" for name in ("verdicts", *TABLES, "alerts", "expiries")),
                    *(f"{name}.svg" for name in CHARTS)}),
    foreign=NO_PLACE,
    signed=frozenset(),
    what="a review",
)  # fmt: skip


def write_review(review: Review, directory: Path) -> None:
    """Write every file into a directory, as a whole.

    Raises
    ------
    PlannerError : the directory is of another kind.
    """
    with replaced(directory, OUTPUT) as new:
        for name, table in tables(review).items():
            write_csv(new / f"{name}.csv", table)
        for name, chart in charts(review).items():
            write_text(new / f"{name}.svg", chart)
        write_review_workbook(review, new / WORKBOOK)
        write_text(new / REVIEW, text_of(review))
