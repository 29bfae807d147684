"""review.json and the tables of a review: plain values, the same bytes for the same review."""

import datetime as dt
import math
from dataclasses import fields
from typing import Any

import pandas as pd

from planner.features.review.tables import Review, Verdict
from planner.plan.expiries import Expiry
from planner.plan.files import rounded

TABLES = ("monthly", "pools", "commitments", "overflow", "peaks", "errors", "assumptions", "tasks")


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
