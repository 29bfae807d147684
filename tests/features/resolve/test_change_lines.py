"""Lines of two plans side by side, by hand."""

import datetime as dt
import math
from typing import Any

import pytest

from planner.features.resolve.changes import ChangeLine, as_signed, change_lines, own_name
from planner.plan.plan import Plan
from planner.schema.case import Case
from planner.solver.solve import solve
from tests import builders

OFFERS = [
    {"offer": "month", "pool": "west-m", "usd_per_unit_hour": 1.0},
    {"offer": "year", "pool": "west-m", "usd_per_unit_hour": 0.9, "term_months": 12},
]


def made(purchases: list[tuple[str, str, float]], **options: Any) -> tuple[Case, Plan]:
    """A case and a plan of it with these purchases instead of its own."""
    owed = options.pop("commitments", [])
    case = builders.case(builders.tables(offers=options.pop("offers", OFFERS), commitments=owed), **options)
    plan = solve(case, workers=1)
    rows = [{"offer": o, "period": p, "units": n, "usd": 0.0} for o, p, n in purchases]
    frame = plan.purchases.iloc[:0].astype(object)
    frame = type(frame)(rows, columns=list(plan.purchases.columns))
    return case, type(plan)(**{**plan.__dict__, "purchases": frame})


def told(lines: tuple[ChangeLine, ...]) -> list[tuple[str, str, float, float, str, bool]]:
    return [(n.offer, str(n.start), n.before_units, n.after_units, n.what, n.renews) for n in lines]


def test_the_same_months() -> None:
    old = made([("month", "2027-01", 5), ("month", "2027-02", 5), ("year", "2027-01", 3)], months=2)
    new = made([("month", "2027-01", 7), ("year", "2027-01", 3), ("year", "2027-02", 2)], months=2)
    lines = change_lines(old, new)
    assert told(lines) == [
        ("month", "2027-01-01", 5, 7, "more", False),
        ("year", "2027-01-01", 3, 3, "unchanged", False),
        ("month", "2027-02-01", 5, 0, "dropped", False),
        ("year", "2027-02-01", 0, 2, "new", False),
    ]
    # January has 744 h, February 672 h
    assert [n.before_usd for n in lines] == pytest.approx([5 * 744, 3 * 0.9 * 1416, 5 * 672, 0])
    assert [n.after_usd for n in lines] == pytest.approx([7 * 744, 3 * 0.9 * 1416, 0, 2 * 0.9 * 672])
    assert lines[1].end == dt.date(2028, 1, 1)


def test_the_next_quarter_renews_what_runs_out_and_signed_units_are_lines_of_their_own() -> None:
    old = made([("month", "2027-01", 5), ("month", "2027-03", 4), ("year", "2027-02", 3)], months=3)
    owed = [
        {"offer": "year", "units": 3, "start": "2027-02-01", "end": "2028-02-01"},
        {"offer": "month", "units": 6, "start": "2026-06-01", "end": "2027-06-01"},
    ]
    new = made([("month", "2027-04", 6), ("month", "2027-05", 1)], start="2027-04-01", months=3, commitments=owed)
    assert told(change_lines(old, new)) == [
        ("month", "2026-06-01", 0, 6, "new", False),
        ("month", "2027-01-01", 5, 0, "ending", False),
        ("year", "2027-02-01", 3, 3, "unchanged", False),
        ("month", "2027-04-01", 4, 6, "more", True),
        ("month", "2027-05-01", 0, 1, "new", False),
    ]


def test_what_is_owed_and_runs_out_within_the_months_ends() -> None:
    owed = [{"offer": "month", "units": 6, "start": "2026-06-01", "end": "2027-02-01"}]
    old = made([], months=2, commitments=owed)
    assert told(change_lines(old, old)) == [("month", "2026-06-01", 6, 6, "ending", False)]


def test_an_offer_that_stands_at_the_price_signed_is_the_same_line() -> None:
    old = made([("year", "2027-01", 3)], months=1)
    dearer = [OFFERS[0], {**OFFERS[1], "usd_per_unit_hour": 1.2}, {**OFFERS[1], "offer": "year at 0.9", "max_units": 0}]
    owed = [{"offer": "year at 0.9", "units": 3, "start": "2027-01-01", "end": "2028-01-01"}]
    new = made([], start="2027-02-01", offers=dearer, commitments=owed)
    assert told(change_lines(old, new)) == [("year", "2027-01-01", 3, 3, "unchanged", False)]
    assert as_signed(old[0].offers[1]) == "year at 0.9"
    assert [own_name(o) for o in new[0].offers] == ["month", "year", "year"]


def test_dollars_of_the_lines_are_what_the_totals_say() -> None:
    owed = [{"offer": "month", "units": 6, "start": "2026-06-01", "end": "2027-02-01"}]
    case = builders.case(builders.tables(offers=OFFERS, commitments=owed), months=2)
    plan = solve(case, workers=1)
    lines = change_lines((case, plan), (case, plan))
    paid = plan.totals.reserved_usd + plan.totals.sunk_usd
    assert math.fsum(n.before_usd for n in lines) == pytest.approx(paid)
    assert math.fsum(n.after_usd for n in lines) == pytest.approx(paid)
