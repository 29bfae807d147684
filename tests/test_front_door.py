"""What `import planner` offers: named, typed, short to look at, and never figures of another plan."""

import subprocess
import sys
from pathlib import Path

import pytest

import planner
from planner.errors import PlannerError
from planner.verify.figures import metrics_of
from planner.workbook.report import Report
from tests import builders
from tests.builders.hand_plans import hand_case, hand_plan, on

OFFERED = [
    "load",
    "load_plan",
    "metrics_of",
    "price",
    "resolve",
    "review",
    "show_versions",
    "solve",
    "what_if",
    "write_plan",
    "write_workbook",
]


def test_what_is_offered_is_named_and_documented() -> None:
    assert sorted(planner.__all__) == OFFERED
    assert set(OFFERED) <= set(dir(planner))
    for name in OFFERED:
        assert getattr(planner, name).__doc__, name
    assert (Path(planner.__file__).parent / "py.typed").is_file()


def test_importing_it_waits_for_nothing() -> None:
    script = "import planner, sys; dir(planner); print(sorted({'pandas', 'highspy', 'xlsxwriter'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_figures_of_another_plan_are_refused() -> None:
    case, other = hand_case(), hand_case(policy={"headroom": 0.3})
    with pytest.raises(PlannerError, match="made from another input"):
        metrics_of(other, on(case, hand_plan(case)))


def test_everything_is_short_to_look_at() -> None:
    case = hand_case()
    plan = on(case, hand_plan(case))
    metrics = metrics_of(case, plan)
    for shown in (case, plan, metrics, metrics.reading, metrics.tasks, Report(metrics)):
        assert len(repr(shown)) < 400, repr(shown)
        assert repr(shown).startswith("<")
    assert "23,808.00 USD" in repr(plan)
    assert "23,808.00" in metrics._repr_html_()
    assert "east-m-1m" in plan._repr_html_()


def test_names_stay_text_in_a_notebook() -> None:
    case = hand_case()
    plan = on(case, hand_plan(case))
    hostile = type(plan)(**{**vars(plan), "name": "<script>"})
    assert "<script>" not in hostile._repr_html_()


def test_a_plan_goes_out_and_comes_back(tmp_path: Path) -> None:
    """One region: ten units at 1 USD an hour for a month of 744 hours, priced again as the order says."""
    case = builders.case(builders.tables(), headroom=0.0)
    plan = planner.solve(case)
    metrics = planner.metrics_of(case, plan)
    planner.write_plan(metrics, tmp_path / "plan")
    planner.write_workbook(metrics, tmp_path / "plan" / "plan.xlsx")
    back = planner.load_plan(tmp_path / "plan")
    assert back.plan.totals == plan.totals
    priced = planner.price(back.case, tmp_path / "plan" / "plan.xlsx")
    assert priced.plan.totals.total_usd == pytest.approx(plan.totals.total_usd)
    assert priced.broken == ()
    changed = planner.resolve(back.case, tmp_path / "plan", causes="none").changes
    assert changed.change_usd == pytest.approx(0.0, abs=1e-6)
