"""verify of a plan in which work waits: an edited hour of arrival is found, and --deep agrees with the plan."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import planner
from planner.errors import InputError
from planner.plan.files import read_plan, write_plan
from planner.plan.plan import Plan
from planner.schema.case import Case
from planner.solver.solve import solve
from planner.verify.verification import verify
from tests import builders
from tests.builders.one_hour import WEEKS, on_demand, one, workload


@pytest.fixture(scope="module")
def case() -> Case:
    """12 requests in hour 0, which may wait 2 hours, 4 an hour at 3 USD."""
    options = [on_demand(tokens_per_minute_quota=4)]
    return builders.case(one(12, workloads=[workload(deadline_hours=2)], on_demand=options, pools=[], throughput=[],
                             offers=[]))  # fmt: skip


@pytest.fixture(scope="module")
def written(case: Case, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "q"
    planner.write_plan(planner.metrics_of(case, solve(case)), folder)
    return folder


def test_the_plan_holds_and_a_search_of_its_own_finds_the_same(case: Case, written: Path) -> None:
    found = verify(case, written, deep=True)
    assert found.findings == []
    assert read_plan(written).totals.total_usd == pytest.approx(12 * 3 * WEEKS)


def later(dispatch: pd.DataFrame) -> pd.DataFrame:
    return dispatch.assign(arrived_hour_of_week=dispatch["arrived_hour_of_week"] + 1)


def too_late(dispatch: pd.DataFrame) -> pd.DataFrame:
    return dispatch.assign(hour_of_week=dispatch["hour_of_week"].replace({2: 3}))


def before_it_arose(dispatch: pd.DataFrame) -> pd.DataFrame:
    return dispatch.assign(hour_of_week=dispatch["hour_of_week"].replace({2: 167}))


def without(dispatch: pd.DataFrame) -> pd.DataFrame:
    return dispatch.drop(columns="arrived_hour_of_week")


@pytest.mark.parametrize(
    ("change", "rule"),
    [(later, "balance"), (too_late, "waiting"), (before_it_arose, "waiting"), (without, "balance")],
)
def test_an_edited_hour_is_found_though_every_digest_fits(
    case: Case, written: Path, tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], rule: str
) -> None:
    folder = Path(shutil.copytree(written, tmp_path / "q"))
    plan = read_plan(folder)
    edited = Plan(**{**vars(plan), "dispatch": change(plan.dispatch)})
    shutil.rmtree(folder)
    write_plan(edited, case, folder)
    findings = verify(case, folder).findings
    assert rule in {finding.rule for finding in findings}


def test_an_hour_that_no_week_has_is_refused(case: Case, written: Path, tmp_path: Path) -> None:
    plan = read_plan(written)
    write_plan(Plan(**{**vars(plan), "dispatch": plan.dispatch.assign(arrived_hour_of_week=168)}), case, tmp_path / "q")
    with pytest.raises(InputError, match="column arrived_hour_of_week: holds other numbers"):
        verify(case, tmp_path / "q")


def test_the_words_say_how_late_and_what_is_allowed(case: Case, written: Path, tmp_path: Path) -> None:
    plan = read_plan(written)
    write_plan(Plan(**{**vars(plan), "dispatch": too_late(plan.dispatch)}), case, tmp_path / "q")
    (finding,) = [f for f in verify(case, tmp_path / "q").findings if f.rule == "waiting"]
    assert "arose 3 hours before, its latest is 2 hours" in finding.message
