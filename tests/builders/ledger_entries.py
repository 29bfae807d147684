"""Entries of a ledger."""

import datetime as dt

from planner.features.ledger.chain import Entry

HASHES = {name: digit * 64 for name, digit in (("input", "a"), ("plan", "b"))}


def entry(number: int, previous: str, by: str = "Ada") -> Entry:
    return Entry(
        entry=number, previous=previous, date=dt.date(2026, 11, 25), by=by, note=None, plan="q1", directory="q1",
        first_month="2027-01", last_month="2027-03", status="optimal", input_sha256=HASHES["input"],
        plan_sha256=HASHES["plan"], total_usd=100.5, committed_horizon_usd=50.0, committed_term_usd=200.0, bought=(),
        files={"plan.json": HASHES["plan"]},
    )  # fmt: skip
