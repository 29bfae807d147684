"""Re-solving as a whole: what is owed, what is kept, and that the parts agree."""

import datetime as dt
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.errors import StoppedError
from planner.features.resolve.changes import Changes
from planner.features.resolve.resolve import resolve, unlisted, with_owed
from planner.plan.files import write_plan
from planner.plan.finished import Finished, load_finished
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.solve import solve
from tests import builders

OPTIONS = Options(workers=1)
YEAR = [{"offer": "year", "pool": "west-m", "usd_per_unit_hour": 1.0, "term_months": 12}]


def finished(case: Case) -> Finished:
    return Finished(Path("last"), case, solve(case, workers=1))


def tables(requests: float = 10.0, **changes: Any) -> builders.Tables:
    return builders.tables(**{"demand": builders.profile("west", "w", requests), "offers": YEAR, **changes})


def check(changes: Changes) -> None:
    assert math.fsum(c.usd for c in changes.causes) == pytest.approx(changes.change_usd, abs=1e-6)
    for paid, lines in (
        (changes.before, [n.before_usd for n in changes.lines]),
        (changes.after, [n.after_usd for n in changes.lines]),
    ):
        assert math.fsum(lines) == pytest.approx(paid.reserved_usd + paid.sunk_usd)


def test_what_the_last_plan_signed_is_told_and_counted_with_owed() -> None:
    last = finished(builders.case(tables()))  # 10 units for a year from January
    now = builders.case(tables(4.0), start="2027-02-01")
    found = resolve(now, last, OPTIONS)
    check(found.changes)
    assert "10 units of year from 2027-01-01 through 2027-12-31" in found.changes.notes[0]
    assert "--owed" in found.changes.notes[0]
    assert found.plan.totals.total_usd == pytest.approx(4 * 672)
    found = resolve(now, last, OPTIONS, owed_before=dt.date(2027, 2, 1))
    check(found.changes)
    assert found.plan.totals.sunk_usd == pytest.approx(10 * 672)
    assert found.plan.totals.total_usd == pytest.approx(10 * 672)
    assert [line.what for line in found.changes.lines] == ["unchanged"]
    assert found.changes.notes == ("treated as signed: 10 units of year from 2027-01-01 through 2027-12-31",)


def test_units_that_the_folder_lists_are_not_owed_twice() -> None:
    last = finished(builders.case(tables()))
    listed = [{"offer": "year", "units": 7, "start": "2027-01-01", "end": "2028-01-01"}]
    now = builders.case(tables(commitments=listed), start="2027-02-01")
    (rest,) = unlisted(last, now, dt.date(2027, 2, 1))
    assert rest.units == pytest.approx(3)
    assert unlisted(last, now, dt.date(2027, 1, 1)) == ()
    assert sum(c.units for c in with_owed(now, last, (rest,)).commitments) == pytest.approx(10)


def test_an_offer_that_is_gone_or_dearer_is_owed_as_it_was_signed(tmp_path: Path) -> None:
    last = finished(builders.case(tables()))
    dearer = builders.case(tables(offers=[{**YEAR[0], "usd_per_unit_hour": 2.5}]), start="2027-02-01")
    found = resolve(dearer, last, OPTIONS, owed_before=dt.date(2027, 2, 1))
    assert found.plan.totals.sunk_usd == pytest.approx(10 * 672)
    assert found.plan.totals.total_usd == pytest.approx(10 * 672)
    check(found.changes)
    gone = builders.case(tables(pools=[], throughput=[], offers=[]), start="2027-02-01")
    found = resolve(gone, last, OPTIONS, owed_before=dt.date(2027, 2, 1))
    assert found.plan.totals.total_usd == pytest.approx(10 * 672)
    check(found.changes)
    # the case as it was solved reads back from the plan's directory
    write_plan(found.plan, found.case, tmp_path / "plan")
    assert load_finished(tmp_path / "plan").case.digest == found.plan.input_digest


def test_the_same_case_changes_nothing() -> None:
    last = finished(builders.case(tables()))
    changes = resolve(last.case, last, OPTIONS).changes
    assert changes.change_usd == 0
    assert changes.causes == ()
    assert [line.what for line in changes.lines] == ["unchanged"]


def test_kept_at_any_price_is_a_cause_of_its_own() -> None:
    last = finished(builders.case(tables()))
    more = builders.case(tables(12.0))
    found = resolve(more, last, OPTIONS, keep_usd=math.inf)
    check(found.changes)
    # 10 units as before, 2 requests on demand at 3 USD instead of a unit at 1
    assert found.plan.totals.total_usd == pytest.approx((10 + 2 * 3) * 744)
    assert {c.keys: c.usd for c in found.changes.causes} == {
        ("volume",): pytest.approx(2 * 744),
        ("plans",): pytest.approx(2 * 2 * 744),
    }
    kept = found.changes.kept
    assert kept is not None
    assert kept.holds
    assert kept.forgone_usd == pytest.approx(2 * 2 * 744)


def test_nothing_to_keep_is_told() -> None:
    last = finished(builders.case(tables()))
    found = resolve(builders.case(tables(), start="2027-02-01"), last, OPTIONS, keep_usd=5.0)
    assert found.changes.kept is None
    assert any("nothing to keep" in note for note in found.changes.notes)


def test_groups_and_none() -> None:
    last = finished(builders.case(tables()))
    more = builders.case(tables(12.0), headroom=0.1)
    assert resolve(more, last, OPTIONS, detail="none").changes.causes == ()
    groups = resolve(more, last, OPTIONS, detail="groups").changes
    check(groups)
    assert {key for c in groups.causes for key in c.keys} == {"volume", "policy"}
    assert replace(groups, causes=()).change_usd == groups.change_usd


def test_out_of_time_for_the_causes_still_gives_the_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise StoppedError("the time limit ran out")

    monkeypatch.setattr("planner.features.resolve.attribution.find_cost", stopped)
    last = finished(builders.case(tables()))
    found = resolve(builders.case(tables(12.0), headroom=0.2), last, OPTIONS)
    assert found.changes.causes == ()
    assert any("ran out of time" in note for note in found.changes.notes)
    assert found.changes.change_usd > 0
