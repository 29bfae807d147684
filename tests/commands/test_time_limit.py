"""--time-limit: the search leaves room for what comes after, and what there is no time for is left out in words."""

import io
import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

import planner
from planner.console.arguments import MOST, TimeLimit
from planner.io.digest import sealed
from planner.model.index_tables import sets_of
from planner.model.reduce.components import parts_to_solve
from planner.plan.reading import Reading
from planner.solver.component import begin_component, finish_component
from planner.solver.find import Options, _plan
from planner.solver.highs import Clock
from planner.solver.rough import cheaper
from planner.solver.solve import solve
from planner.verify.figures import figures_of
from planner.verify.trusted import proved_findings
from planner.verify.verification import verify
from planner.workbook.report import Report
from planner.workbook.terminal import print_report
from tests import builders


def test_the_search_leaves_time_for_audit_and_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """100 s, of which reading took 1: 99 are left, less 36 for what comes after, of which figures and files take 24."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    limit = TimeLimit(100.0, begun=11.0)
    now[0] = 11.0
    limit.reading()
    now[0] = 12.0
    limit.reading_done(rows=168)
    assert limit.for_search() == 99.0 - 36.0
    now[0] = 50.0
    assert limit.for_figures() == 61.0 - 24.0
    assert not limit.is_spent
    now[0] = 109.0  # the rest is short: it is shared
    assert limit.for_figures() == 2.0 * MOST
    assert limit.is_spent
    now[0] = 120.0
    assert 0 < (limit.for_search() or 0.0) < 0.01
    limit.reading_done(rows=1_000_000)  # many rows that were read fast
    assert limit.after_seconds >= 150.0
    assert TimeLimit(None).for_search() is None


def test_margins_without_time_are_left_out_and_said_to_be() -> None:
    rows = builders.two_regions()
    case = builders.case(rows, failover={"enabled": True, "share": 1.0})
    metrics = figures_of(Reading(case, solve(case)), audited=True, deadline=-1.0)
    assert metrics.stress.empty
    assert not metrics.broken
    said = next(text for text in metrics.cautions if "time limit" in text)
    assert said.startswith("The margins of any stress case were not worked out")
    assert all("not tried in every stress case" in note for note in metrics.strategies["note"][:-1])
    assert figures_of(Reading(case, solve(case)), audited=True).stress["case"].nunique() == 3
    stream = io.StringIO()
    print_report(Report(metrics), stream)
    assert "Margins were not worked out: the time limit ran out." in stream.getvalue()
    assert "No stress cases" not in stream.getvalue()


def test_what_time_left_out_is_no_fault_and_what_was_taken_out_is_one(tmp_path: Path) -> None:
    case = builders.case(builders.two_regions(), failover={"enabled": True, "share": 1.0})
    metrics = figures_of(Reading(case, solve(case)), audited=True, deadline=-1.0)
    planner.write_plan(metrics, tmp_path / "q")
    assert verify(case, tmp_path / "q").findings == []
    whole = planner.metrics_of(case, solve(case))
    planner.write_plan(whole, tmp_path / "q")
    path = tmp_path / "q" / "plan.json"
    told = json.loads(path.read_text())
    told["summary"]["stress"].pop()
    del told["sha256"]
    path.write_text(sealed(json.dumps(told, indent=2) + "\n"))
    assert any("cautions" in finding.message for finding in verify(case, tmp_path / "q").findings)


def test_a_rough_plan_has_the_whole_proof_of_the_finer_search() -> None:
    """A rough plan that is cheaper by more than rounding takes over the bounds and every price that proves them."""
    case = builders.case(builders.two_regions(), failover={"enabled": True, "share": 1.0})
    (part,) = parts_to_solve(sets_of(case))[:1]
    clock = Clock.of(None)
    solved = begin_component(part, clock)
    assert solved is not None
    found = finish_component(part, solved, 1e-4, "highs")
    assert found is not None
    assert found.rent.any()
    rough = replace(found, usd=found.usd * (1 - 1e-12), rent=found.rent * 0, bound_usd=0.0)
    assert cheaper(found, rough) is found  # rounding
    better = cheaper(found, replace(rough, usd=found.usd / 2))
    assert better is not None
    assert (better.usd, better.bound_usd) == (found.usd / 2, found.bound_usd)
    assert better.rent is found.rent


def test_prices_that_prove_less_than_nothing_are_left_out() -> None:
    """Prices of a search that is cut short can prove a cost below 0. What is owed anyway needs none to be proved."""
    owed = [{"offer": "west-m-1m", "units": 1, "start": "2027-01-01", "end": "2027-02-01"}]
    case = builders.case(builders.tables(commitments=owed))
    sets, clock = sets_of(case), Clock.of(None)
    (part,) = parts_to_solve(sets)
    solved = begin_component(part, clock)
    assert solved is not None
    found = finish_component(part, solved, 1e-4, "highs")
    assert found is not None
    plan = _plan(case, sets, [replace(found, bound_usd=-50.0, tree_bound_usd=-60.0)], Options())
    assert plan.proof.bound_usd == 744.0  # 1 unit at 1 USD an hour
    assert plan.certificate.empty
    assert proved_findings(Reading(case, plan)) == []
    assert len(_plan(case, sets, [found], Options()).certificate) > 0
