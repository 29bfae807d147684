"""Where the time limit ends a search, the plan is no dearer than the last one; what is proved is the search's own."""

import json
import math
import time
from dataclasses import replace
from pathlib import Path

import pytest

from planner.cli import main
from planner.errors import StoppedError
from planner.features.resolve.keep import no_dearer
from planner.features.resolve.resolve import resolve
from planner.plan.finished import Finished
from planner.plan.plan import Plan, Status
from planner.plan.reading import Reading
from planner.readers import load
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.highs import Clock
from planner.solver.solve import solve
from tests import builders

HOURS = 744


def asking(requests: float) -> Case:
    """10 requests an hour take 10 units at 1 USD an hour; on demand a request is 3 USD."""
    rows = builders.tables()
    return builders.case(rows | {"demand": [{**row, "requests_per_hour": requests} for row in rows["demand"]]})


def cut_short(case: Case) -> Plan:
    """All on demand, as of a search that proved the cheapest plan's bound and found nothing better."""
    best = solve(case)
    dear = solve(replace(case, offers=tuple(o.model_copy(update={"max_units": 0.0}) for o in case.offers)))
    gap = 1 - best.proof.bound_usd / dear.totals.total_usd
    return replace(best, totals=dear.totals, purchases=dear.purchases, deployments=dear.deployments,
                   dispatch=dear.dispatch, stress_slots=dear.stress_slots, stress_dispatch=dear.stress_dispatch,
                   proof=replace(best.proof, status=Status.GAP, gap=gap))  # fmt: skip


def finished(case: Case) -> Finished:
    return Finished(Path("last"), case, solve(case))


def test_the_last_plan_of_the_same_input_stands() -> None:
    case = asking(10)
    found, stays = no_dearer(Reading(case, cut_short(case)), finished(case), Options())
    assert stays
    assert found.plan.totals.total_usd == pytest.approx(10 * HOURS)
    assert found.plan.proof.status == Status.OPTIMAL  # the search's own bound is that plan's cost


def test_its_purchases_stand_where_the_input_has_changed() -> None:
    """11 requests: 10 units as before and 1 on demand are 10 + 3; all on demand is 33; 11 units would be 11."""
    case = asking(11)
    found, stays = no_dearer(Reading(case, cut_short(case)), finished(asking(10)), Options())
    assert stays
    assert found.plan.purchases["units"].tolist() == [10]
    assert found.plan.totals.total_usd == pytest.approx(13 * HOURS)
    assert found.plan.proof.bound_usd == pytest.approx(11 * HOURS)
    assert found.plan.proof.gap == pytest.approx(2 / 13)
    assert found.plan.proof.status == Status.GAP


def test_a_dearer_last_plan_a_proved_plan_and_no_time_change_nothing() -> None:
    case, last = asking(10), finished(asking(40))
    last_dear = no_dearer(Reading(case, cut_short(case)), last, Options())  # 40 units cost more than 30 on demand
    assert not last_dear[1]
    assert last_dear[0].plan.totals.total_usd == pytest.approx(30 * HOURS)
    best = Reading(case, solve(case))
    assert no_dearer(best, finished(asking(9)), Options()) == (best, False)
    cut = Reading(case, cut_short(case))
    assert no_dearer(cut, finished(asking(9)), Options(until=time.monotonic())) == (cut, False)


def test_a_last_plan_that_is_none_of_this_case_is_not_taken() -> None:
    case, last = asking(10), finished(asking(10))
    spoilt = replace(last, plan=replace(last.plan, dispatch=last.plan.dispatch.iloc[:-1]))
    cut = Reading(case, cut_short(case))
    assert no_dearer(cut, spoilt, Options()) == (cut, False)


def test_resolve_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    case = asking(11)
    short = Reading(case, cut_short(case))
    monkeypatch.setattr("planner.features.resolve.resolve.audited", lambda *_: short)
    found = resolve(case, finished(asking(10)), Options(), detail="none")
    assert found.plan.purchases["units"].tolist() == [10]
    assert any("the last plan's purchases: they stand" in note for note in found.changes.notes)


def clock(options: Options) -> Clock:
    return Clock.of(options.time_limit_seconds, options.until)


def test_searches_share_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """100 s for 4 searches: 25 s, then a third of the 90 that are left; one search of its own limit keeps to both."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    options = Options(until=100.0)
    assert clock(options.share(4)).deadline == pytest.approx(25.0)
    now[0] = 10.0
    assert clock(options.share(3)).deadline == pytest.approx(40.0)
    assert clock(options.share(1 / 0.8)).deadline == pytest.approx(10.0 + 0.8 * 90)
    assert clock(replace(options, time_limit_seconds=5.0)).deadline == pytest.approx(15.0)
    now[0] = 200.0
    with pytest.raises(StoppedError):
        clock(options.share(2)).left()
    assert clock(Options().share(3)).deadline == math.inf


def test_a_plan_with_a_gap_is_no_dearer_than_the_last_without_a_time_limit_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """10 units serve 10 requests at 1 USD an hour each; a search that ended early left all of them on demand at 3."""
    builders.write_folder(builders.tables(), tmp_path / "in")
    command = ["solve", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--no-workbook", "--fresh"]
    assert main(command) == 0

    case = load(tmp_path / "in")
    found = Reading(case, cut_short(case))

    def ended(case: Case, options: Options, progress: object) -> Reading:
        return found

    monkeypatch.setattr("planner.solver.solve.audited", ended)
    assert main(command) == 0
    assert json.loads((tmp_path / "out" / "plan.json").read_text())["total_usd"] == pytest.approx(10 * HOURS)
    assert "they stand" in capsys.readouterr().err
    assert main([*command, "-o", str(tmp_path / "new")]) == 0
    assert json.loads((tmp_path / "new" / "plan.json").read_text())["total_usd"] == pytest.approx(30 * HOURS)
    assert "ended by itself with a gap" in capsys.readouterr().err
