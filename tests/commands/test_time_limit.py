"""--time-limit: the search leaves room for what comes after, and what there is no time for is left out in words."""

import io
import time

import pytest

from planner.console.arguments import MOST, TimeLimit
from planner.plan.reading import Reading
from planner.solver.solve import solve
from planner.verify.figures import figures_of
from planner.workbook.report import Report
from planner.workbook.terminal import print_report
from tests import builders


def test_the_search_leaves_time_for_audit_and_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """100 s, of which reading took 1: 99 are left, less 36 for what comes after, of which figures and files take 24."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    limit = TimeLimit(100.0, begun=11.0)
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
    stream = io.StringIO()
    print_report(Report(metrics), stream)
    assert "Margins were not worked out: the time limit ran out." in stream.getvalue()
    assert "No stress cases" not in stream.getvalue()
